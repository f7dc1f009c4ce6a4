/*
 * stream.h: the byte-stream dialect, STREAM(bytes), for ISAs whose instructions are prefixes, an opcode, a modrm byte ...
 * (x86). A row has several forms; a form is a set of allowed values on each axis, one bit per value. An instruction is a
 * point, one bit per axis: it has the form if no bit of it is outside of the set. See docs/isagen.md.
 */
#ifndef ISAGEN_STREAM_H
#define ISAGEN_STREAM_H

#include "isagen.h"

enum { MAX_OPERANDS = 4, MAPS = 8, MAX_RANGE = 16, MAX_GATES = 3 };
enum { ENC_LEGACY, ENC_VEX, ENC_EVEX, ENCS };

/* Name of the axis, first bit, number of values. */
#define STREAM_AXES(A) \
    A(PP, 0, 4) A(MOD, 4, 2) A(REG, 6, 8) A(RM, 14, 8) A(W, 22, 2) A(L, 24, 3) A(MODE64, 27, 2) A(OS, 29, 3) \
    A(AS, 32, 3) A(REXB, 35, 2)
enum {
#define X(name, first, n) AXIS_##name = first, VALUES_##name = n,
    STREAM_AXES(X)
#undef X
    AXES_END = 37,
};

struct operand {
    const char *fixed;  /* its name, or NULL */
    char letter;
    const char *size;   /* "" if it has none */
};

struct form {
    unsigned row;
    const char *text;
    unsigned enc;
    bool legacy_too;    /* drawn as VEX?: VEX and legacy */
    unsigned map, opcode, range;
    bool modrm;
    uint64_t set;
    const char *attr[8];
    unsigned nattrs;
    struct operand op[MAX_OPERANDS];
    unsigned nops;
    struct gate {
        unsigned feat[3]; /* of the legacy form, VEX of 128 bits, VEX of 256 bits; numbers from 1, 0 = none */
    } gate[MAX_GATES];
    unsigned ngates;
};

struct stream {
    struct form *forms;
    unsigned nforms, cap;
};

extern const char *const stream_attrs[], *const stream_sizes[], *const stream_fixed[]; /* ended by NULL */
void parse_forms(struct isa *isa, unsigned row);
void check_forms(const struct isa *isa);          /* and sorts them, most specific first */
void emit_stream_header(const struct isa *isa, FILE *o);
void emit_stream_source(const struct isa *isa, FILE *o, const char *header);

#endif
