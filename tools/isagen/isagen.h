/*
 * isagen.h: from instruction tables to code; the language and the generated interface are in docs/isagen.md.
 *
 *   read.c     C source -> statements (INSN, ALIAS, MODES ...), everything else skipped
 *   isa.c      statements -> struct isa: modes, formatters, helpers, rows
 *   pattern.c  one bit pattern -> a cube and the fields it draws
 *   check.c    overlap: a strict subset wins, anything else is an error
 *   tree.c     rows -> decision tree
 *   emit.c     header, tables, decoder; text.c the disassembler; helper.c helper descriptors
 *   stream.c   the byte-stream dialect (x86), stream_emit.c its tables
 *
 * A row is a cube: what it demands on each axis. Axes are the bits of the instruction window (bit 0 is the least
 * significant bit of the first unit in memory), the mode bits, and the feature gates.
 */
#ifndef ISAGEN_H
#define ISAGEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    WINDOW = 64,        /* bits of the instruction that a row may decide on */
    MAX_MODES = 64,
    FEAT_WORDS = 8,
    MAX_FEATS = 64 * FEAT_WORDS,
    MAX_USES = 24,      /* fields of a row */
    MAX_SEGS = 16,      /* pieces of a field */
    MAX_SPLIT = 8,      /* bits of a field whose f!= can keep rows apart */
    MAX_ARGS = 8,
    MAX_GROUPS = 8,     /* of registers */
};

struct loc {
    const char *file; /* base name */
    int line;
};

/* A statement of an .isa.c file: NAME(arg, arg ...); string arguments come without quotes, escapes resolved. */
struct stmt {
    struct loc loc;
    const char *kind;
    const char *arg[64];
    unsigned nargs;
};

struct cube {
    uint64_t mask, val;                            /* instruction bits */
    uint64_t mode_mask, mode_val;                  /* one bit per mode; values of an enumerated axis are one-hot */
    uint64_t feat_mask[FEAT_WORDS], feat_val[FEAT_WORDS];
};

/* Bits [src, src + n) of the window are bits [dst, dst + n) of the field. */
struct seg {
    uint8_t src, dst, n;
};

/* An argument of a computed field: a field, a mode's bit, or a number. */
struct arg {
    enum { ARG_FIELD, ARG_MODE, ARG_NUM } kind;
    int64_t v;
};

/* A field as one row has it: drawn (segs) or computed (fn). */
struct use {
    unsigned field;
    bool is_signed;
    unsigned width;
    int64_t add, mul;
    struct seg seg[MAX_SEGS];
    unsigned nsegs;
    const char *fn;
    struct arg arg[MAX_ARGS];
    unsigned nargs;
};

/* f!=a,b..c: one per value or range. */
struct unequal {
    unsigned field;
    int64_t lo, hi;
};

/* What the decision tree tells apart: the cube of a row, or a part of it. */
struct cell {
    struct cube cube;
    unsigned row;
};

struct row {
    const char *name, *pattern, *syntax;
    struct loc loc;
    bool is_alias;
    unsigned of;        /* alias: the row it restricts */
    unsigned order;     /* of appearance */
    unsigned bytes;
    struct cube cube;
    struct use use[MAX_USES];
    unsigned nuses;
    struct unequal ne[MAX_USES];
    unsigned nne;
    const struct use *split; /* its f!= keeps this row apart from another one: what is left is in cells */
};

struct helper {
    struct loc loc;
    const char *ret, *name, *params;
    const char *ret_type, *arg_type[MAX_ARGS]; /* as HELPER spells them */
    unsigned nargs;
    unsigned reads, writes;
    bool pure, fault, fp;
};

struct names {
    const char **v;
    unsigned n, cap;
};

struct isa {
    const char *prefix, *upper;
    bool have_stream;
    struct stream *stream;       /* STREAM(bytes): stream.h; what is below up to rows is not used then */
    unsigned unit;               /* bytes */
    bool msb_first, big_endian;
    struct loc stream_loc;
    struct names modes, feats, groups;
    unsigned mode_axis[MAX_MODES], naxes;
    struct names fields;
    struct names field_fmt;      /* default formatter of field i, or NULL */
    const char *pc_fmt;          /* of {f@pc} */
    struct names fmts;           /* formatter functions that syntax strings call */
    struct names fns;            /* functions of computed fields */
    unsigned *fn_arity, cap_arity;
    struct row *rows, *aliases;  /* most specific first among those that meet */
    unsigned nrows, cap_rows, naliases, cap_aliases;
    struct cell *cells;          /* [0, nrows): whole rows; then parts of those that are split */
    unsigned ncells, cap_cells;
    struct helper *helpers;
    unsigned nhelpers, cap_helpers;
};

/* --- util.c -------------------------------------------------------------------------------------------------------- */
/* Prints "file:line: error: ..." and counts it; nothing is written when there was one. */
void error_at(struct loc loc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
extern unsigned errors;
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *grow(void *p, unsigned *cap, unsigned need, size_t size);
char *copy(const char *s, size_t n);
char *upper(const char *s);
#define PUSH(arr, n, cap) ((arr) = grow((arr), &(cap), (n) + 1, sizeof *(arr)), &(arr)[(n)++])
int name_find(const struct names *t, const char *s);             /* -1 if absent */
unsigned name_add(struct names *t, const char *s);               /* finds or appends */
bool is_ident(const char *s);
bool parse_num(const char *s, int64_t *v);                       /* 12, 0x1f, 0b101, -1 */

/* --- read.c, isa.c, pattern.c -------------------------------------------------------------------------------------- */
struct stmt *read_files(char **files, unsigned n, unsigned *nstmts);
void isa_build(struct isa *isa, const struct stmt *st, unsigned n);
void parse_pattern(struct isa *isa, struct row *r);
struct use *find_use(struct row *r, unsigned field);
void parse_helper(struct isa *isa, const struct stmt *s);

/* --- check.c ------------------------------------------------------------------------------------------------------- */
bool cubes_meet(const struct cube *a, const struct cube *b);
bool cube_inside(const struct cube *a, const struct cube *b);    /* a is a strict subset of b */
void check_overlap(struct isa *isa);                             /* each sorts its rows, most specific first */
void check_aliases(struct isa *isa);
void make_cells(struct isa *isa);

/* --- tree.c -------------------------------------------------------------------------------------------------------- */
/* A link leads to a node (bits [shift, shift + width) choose among links[base ...]) or to a leaf (cands[base ...]). */
struct link {
    bool leaf;
    unsigned shift, width, base;
};
struct tree {
    struct link *link;            /* the first one is the root */
    unsigned nlinks, cap_links;
    int *cands;                   /* cells, each list ended by -1 */
    unsigned ncands, cap_cands;
};
void tree_build(const struct isa *isa, struct tree *t);

/* --- emit.c, text.c, helper.c -------------------------------------------------------------------------------------- */
void emit_header(const struct isa *isa, FILE *o);
void emit_prototypes(const struct isa *isa, FILE *o);            /* of what is written by hand */
void emit_source(const struct isa *isa, FILE *o, const char *header);
/* Statements that fill *VAR from w (and modes), each ending in "return FAIL;" if the row does not hold. */
void emit_extract(const struct isa *isa, FILE *o, const struct row *r, const char *indent, const char *fail);
void emit_cstring(FILE *o, const char *s, size_t n);
void resolve_syntax(struct isa *isa, const struct row *r);       /* checks it and collects formatters */
void emit_text(const struct isa *isa, FILE *o);
void emit_helpers(const struct isa *isa, FILE *o);

#endif
