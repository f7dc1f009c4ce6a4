/* stream.c: forms of the byte-stream dialect: text to sets, and the check that a strict subset wins. */
#include "stream.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const stream_attrs[] = { "lock", "rep", "repz", "bnd", "notrack", "hint", "d64", "f64", "vsib", NULL };
const char *const stream_sizes[] = { "b", "w", "d", "q", "v", "z", "y", "x", "dq", "qq", "ss", "sd", "ps", "pd", "t",
                                     "bs", "p", "s", "a", NULL };
const char *const stream_fixed[] = { "AL", "CL", "DX", "rAX", "eAX", "AX", "1", "ES", "CS", "SS", "DS", "FS", "GS",
                                     "ST", "STi", "XMM0", NULL };

static const struct {
    const char *name;
    unsigned axis, n, allowed;
} selectors[] = {
    { "mem", AXIS_MOD, 2, 1 },     { "reg", AXIS_MOD, 2, 2 },   { "W0", AXIS_W, 2, 1 },      { "W1", AXIS_W, 2, 2 },
    { "L0", AXIS_L, 3, 1 },        { "L1", AXIS_L, 3, 2 },      { "L2", AXIS_L, 3, 4 },
    { "rexb0", AXIS_REXB, 2, 1 }, { "os16", AXIS_OS, 3, 1 },
    { "os32", AXIS_OS, 3, 2 },     { "os64", AXIS_OS, 3, 4 },   { "as16", AXIS_AS, 3, 1 },   { "as32", AXIS_AS, 3, 2 },
    { "as64", AXIS_AS, 3, 4 },     { "i64", AXIS_MODE64, 2, 1 }, { "o64", AXIS_MODE64, 2, 2 }, { "NP", AXIS_PP, 4, 1 },
    { "66", AXIS_PP, 4, 2 },       { "F3", AXIS_PP, 4, 4 },     { "F2", AXIS_PP, 4, 8 },     { "NFx", AXIS_PP, 4, 3 },
};
static const char *const pps[] = { "NP", "66", "F3", "F2", "NFx", NULL };
static const char *const maps[MAPS] = { "", "0F", "0F38", "0F3A", "map4", "map5", "map6", "map7" };

static bool restrict_to(struct form *f, unsigned axis, unsigned n, uint64_t allowed)
{
    f->set &= ~((((uint64_t)1 << n) - 1) << axis) | allowed << axis;
    return f->set >> axis & (((uint64_t)1 << n) - 1);
}

static int find(const char *const *list, const char *s)
{
    for (int i = 0; list[i]; i++)
        if (!strcmp(list[i], s)) return i;
    return -1;
}

/* A selector's name; false: it is none, or it leaves nothing of its axis. */
static bool selector(struct form *f, const char *s)
{
    for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++)
        if (!strcmp(selectors[i].name, s))
            return restrict_to(f, selectors[i].axis, selectors[i].n, selectors[i].allowed);
    return false;
}

static bool hex2(const char *s, unsigned *v)
{
    if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) || islower((unsigned char)s[0]) ||
        islower((unsigned char)s[1]))
        return false;
    *v = (unsigned)strtoul(copy(s, 2), NULL, 16);
    return true;
}

/* VEX[?].part.part ..., EVEX.part ... */
static bool vex(struct form *f, const char *s)
{
    f->enc = *s == 'E' ? ENC_EVEX : ENC_VEX;
    f->map = MAPS;
    s += f->enc == ENC_EVEX ? 4 : 3;
    if (f->enc == ENC_VEX && *s == '?') f->legacy_too = true, s++;
    if (f->enc == ENC_VEX) restrict_to(f, AXIS_L, VALUES_L, 3);
    while (*s == '.') {
        size_t n = strcspn(++s, ".");
        const char *part = copy(s, n);
        unsigned m = 1;
        while (m < MAPS && strcmp(maps[m], part)) m++;
        if (m < MAPS)
            f->map = m;
        else if (!selector(f, part))
            return false;
        s += n;
    }
    return !*s && f->map < MAPS;
}

static bool operand(struct form *f, const char *s)
{
    struct operand *op = &f->op[f->nops];

    if (f->nops == MAX_OPERANDS) return false;
    f->nops++;
    *op = (struct operand){ .size = "" };
    if (find(stream_fixed, s) >= 0) {
        op->fixed = s;
        return true;
    }
    if (!*s || !strchr("EGMRIJOZXYVHWULBACDSPQN", *s) || (s[1] && find(stream_sizes, s + 1) < 0)) return false;
    op->letter = *s;
    op->size = s + 1;
    if (*s == 'M') return restrict_to(f, AXIS_MOD, 2, 1);
    if (*s == 'R' || *s == 'U' || *s == 'N') return restrict_to(f, AXIS_MOD, 2, 2);
    return true;
}

static bool operands(struct form *f, const char *s)
{
    if (f->nops) return false;
    for (;; s++) {
        size_t n = strcspn(s, ",");
        if (!operand(f, copy(s, n))) return false;
        s += n;
        if (!*s) return true;
    }
}

/* HH after the opcode is the whole modrm byte; HH+i leaves its low bits to the instruction. */
static bool modrm_byte(struct form *f, const char *s, unsigned v)
{
    if (f->modrm || v < 0xc0) return false;
    f->modrm = true;
    if (!restrict_to(f, AXIS_MOD, 2, 2) || !restrict_to(f, AXIS_REG, 8, 1u << (v >> 3 & 7))) return false;
    if (!strcmp(s, "+i")) return !(v & 7);
    return !*s && restrict_to(f, AXIS_RM, 8, 1u << (v & 7));
}

static bool opcode(struct form *f, const char *s, unsigned v)
{
    f->opcode = v;
    f->range = !strcmp(s, "+r") ? 8 : !strcmp(s, "+cc") ? 16 : 1;
    return f->range > 1 ? !(v & (f->range - 1)) : !*s;
}

/* @A, or on a VEX? form @A/B and @A/B/C: A for legacy, B for VEX, C for VEX of 256 bits; a part may be empty. */
static bool gate(struct isa *isa, struct form *f, const char *s)
{
    struct gate *g = &f->gate[f->ngates];
    unsigned n = 0;

    if (f->ngates == MAX_GATES) return false;
    f->ngates++;
    for (;; s++) {
        size_t len = strcspn(s, "/");
        const char *name = copy(s, len);
        if (n == 3 || (len && !is_ident(name))) return false;
        unsigned feat = len ? (unsigned)name_add(&isa->feats, name) + 1 : 0;
        for (unsigned i = n++; i < 3; i++) g->feat[i] = feat;
        s += len;
        if (!*s) return n == 1 ? len != 0 : f->enc == ENC_VEX && (n == 3 || f->legacy_too);
    }
}

static bool item(struct isa *isa, struct form *f, const char *s)
{
    unsigned v;

    if (!f->range) { /* up to the opcode */
        if (!strncmp(s, "VEX", 3) || !strncmp(s, "EVEX", 4)) return !f->enc && !f->map && vex(f, s);
        if (!f->map && find(pps, s) >= 0) return !f->enc && selector(f, s);
        if (!hex2(s, &v)) return false;
        bool escape = !f->enc && !s[2];
        if (escape && f->map == 0 && v == 0x0f)
            f->map = 1;
        else if (escape && f->map == 1 && (v == 0x38 || v == 0x3a))
            f->map = v == 0x38 ? 2 : 3;
        else
            return opcode(f, s + 2, v);
        return true;
    }
    if (*s == '/') {
        if (f->modrm) return false;
        f->modrm = true;
        if (!strcmp(s, "/r")) return true;
        return s[1] >= '0' && s[1] <= '7' && !s[2] && restrict_to(f, AXIS_REG, 8, 1u << (s[1] - '0'));
    }
    if (hex2(s, &v)) return modrm_byte(f, s + 2, v);
    if (*s == '@') return gate(isa, f, s + 1);
    if (find(stream_attrs, s) >= 0) {
        if (f->nattrs == sizeof f->attr / sizeof *f->attr) return false;
        f->attr[f->nattrs++] = s;
        return true;
    }
    return selector(f, s) || operands(f, s);
}

/* What operands demand of the form. */
static const char *complaint(const struct form *f)
{
    for (unsigned i = 0; i < f->nops; i++) {
        const struct operand *op = &f->op[i];
        bool sti = op->fixed && !strcmp(op->fixed, "STi");
        if ((sti || (op->letter && strchr("EGMRVWUCDSPQN", op->letter))) && !f->modrm)
            return "this operand needs a modrm byte";
        if (op->letter == 'Z' && f->range != 8) return "Z needs an opcode with +r";
        if ((op->letter == 'L' || op->letter == 'H' || op->letter == 'B') && !f->enc) return "this operand needs VEX";
    }
    return NULL;
}

/* A form whose gates are not the same at both lengths is two. */
static void push_vex(struct isa *isa, const struct form *f)
{
    struct stream *st = isa->stream;
    bool differ = false;

    for (unsigned i = 0; i < f->ngates; i++) differ |= f->enc == ENC_VEX && f->gate[i].feat[1] != f->gate[i].feat[2];
    if (!differ) {
        *PUSH(st->forms, st->nforms, st->cap) = *f;
        return;
    }
    for (unsigned l = 0; l < 2; l++) {
        struct form one = *f;
        if (!restrict_to(&one, AXIS_L, VALUES_L, one.set >> AXIS_L & (1u << l))) continue;
        for (unsigned i = 0; i < f->ngates; i++) one.gate[i].feat[1] = f->gate[i].feat[1 + l];
        *PUSH(st->forms, st->nforms, st->cap) = one;
    }
}

static void parse_form(struct isa *isa, unsigned row, const char *text)
{
    struct form f = { .row = row, .text = text, .set = ((uint64_t)1 << AXES_END) - 1 };
    const struct loc loc = isa->rows[row].loc;

    for (const char *s = text; *(s += strspn(s, " \t\n"));) {
        size_t n = strcspn(s, " \t\n");
        const char *word = copy(s, n);
        if (!item(isa, &f, word)) {
            error_at(loc, "'%s' does not fit in form '%s'", word, text);
            return;
        }
        s += n;
    }
    const char *wrong = f.range ? complaint(&f) : "no opcode";
    if (wrong) {
        error_at(loc, "form '%s': %s", text, wrong);
        return;
    }
    push_vex(isa, &f);
    if (!f.legacy_too) return;
    f.enc = ENC_LEGACY;
    f.legacy_too = false;
    for (unsigned i = 0; i < f.nops; i++)
        if (f.op[i].letter == 'H') {
            memmove(&f.op[i], &f.op[i + 1], (f.nops - i - 1) * sizeof *f.op);
            f.nops--;
            break;
        }
    f.set |= (((uint64_t)1 << VALUES_L) - 1) << AXIS_L;
    *PUSH(isa->stream->forms, isa->stream->nforms, isa->stream->cap) = f;
}

void parse_forms(struct isa *isa, unsigned row)
{
    for (const char *s = isa->rows[row].pattern;; s++) {
        size_t n = strcspn(s, "|"), len = n;
        const char *start = s + strspn(s, " ");
        len -= (size_t)(start - s);
        while (len && start[len - 1] == ' ') len--;
        parse_form(isa, row, copy(start, len));
        s += n;
        if (!*s) return;
    }
}

/* --- overlap ------------------------------------------------------------------------------------------------------- */

static bool sets_meet(uint64_t a, uint64_t b)
{
#define X(name, first, n) if (!(a & b & ((((uint64_t)1 << n) - 1) << first))) return false;
    STREAM_AXES(X)
#undef X
    return true;
}

static bool same_opcodes(const struct form *a, const struct form *b)
{
    return a->enc == b->enc && a->map == b->map && a->opcode < b->opcode + b->range && b->opcode < a->opcode + a->range;
}

/* Is a, opcodes included, a strict subset of b? They do meet. Of forms of the same set, the one with more gates. */
static bool inside(const struct form *a, const struct form *b)
{
    return !(a->set & ~b->set) && a->opcode >= b->opcode && a->opcode + a->range <= b->opcode + b->range &&
           (a->set != b->set || a->range < b->range || a->ngates > b->ngates);
}

static int by_size(const void *pa, const void *pb)
{
    const struct form *a = pa, *b = pb;
    int d = __builtin_popcountll(a->set) - __builtin_popcountll(b->set);

    return d ? d : a->range != b->range ? (int)a->range - (int)b->range : a->ngates != b->ngates ? (int)b->ngates - (int)a->ngates : a->row != b->row ? (int)a->row - (int)b->row
                                                                                           : strcmp(a->text, b->text);
}

void check_forms(const struct isa *isa)
{
    struct stream *st = isa->stream;
    const uint64_t modes = (uint64_t)3 << AXIS_MODE64;

    qsort(st->forms, st->nforms, sizeof *st->forms, by_size);
    for (unsigned i = 0; i < st->nforms; i++)
        for (unsigned j = 0; j < i; j++) {
            const struct form *a = &st->forms[i], *b = &st->forms[j];
            const struct row *ra = &isa->rows[a->row], *rb = &isa->rows[b->row];
            if (!same_opcodes(a, b)) continue;
            if (a->modrm != b->modrm && a->set & b->set & modes)
                error_at(ra->loc, "form '%s' of '%s' and form '%s' of '%s' (%s:%d) disagree on whether a modrm byte follows",
                         a->text, ra->name, b->text, rb->name, rb->loc.file, rb->loc.line);
            else if (sets_meet(a->set, b->set) && !inside(a, b) && !inside(b, a))
                error_at(ra->loc, "form '%s' of '%s' overlaps form '%s' of '%s' (%s:%d), and neither lies inside the "
                         "other", a->text, ra->name, b->text, rb->name, rb->loc.file, rb->loc.line);
        }
}
