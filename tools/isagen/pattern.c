/*
 * pattern.c: the bit-pattern dialect.
 *
 *   [01x]+                   literal bits; x: any
 *   f:N  f:sN                N bits, signed
 *   f[12|10:5]  f[s12|...]   pieces of a field by destination bit; s: this bit is the sign
 *   ...+k  ...*k             the field is drawn value * k + k
 *   f=fn(a,b)                computed; false = not this row
 *   f!=a,b..c                validity
 *   @name  @!name            mode selector or feature gate
 */
#include "isagen.h"

#include <ctype.h>
#include <string.h>

/* A pattern on its way: bits are drawn from the left, so they get their place when the length is known. */
struct parse {
    struct isa *isa;
    struct row *r;
    char lit[WINDOW];                       /* '0', '1', 'x' or 'f' per bit drawn */
    struct { struct use *u; int dst; } at[WINDOW]; /* where an 'f' bit goes */
    unsigned nbits;
};

static void bad(struct parse *ps, const char *item, const char *why)
{
    error_at(ps->r->loc, "'%s': %s", item, why);
}

struct use *find_use(struct row *r, unsigned field)
{
    for (unsigned i = 0; i < r->nuses; i++)
        if (r->use[i].field == field) return &r->use[i];
    return NULL;
}

static struct use *get_use(struct parse *ps, const char *item, const char *name)
{
    if (!is_ident(name)) {
        bad(ps, item, "the field's name is not a name");
        return NULL;
    }
    unsigned f = name_add(&ps->isa->fields, name);
    struct use *u = find_use(ps->r, f);
    if (u) return u;
    if (ps->r->nuses == MAX_USES) {
        bad(ps, item, "too many fields");
        return NULL;
    }
    u = &ps->r->use[ps->r->nuses++];
    *u = (struct use){ .field = f, .mul = 1 };
    return u;
}

static bool draw(struct parse *ps, const char *item, char c, struct use *u, int dst)
{
    if (ps->nbits == WINDOW) {
        bad(ps, item, "more than 64 bits drawn");
        return false;
    }
    for (unsigned i = 0; u && i < ps->nbits; i++)
        if (ps->lit[i] == 'f' && ps->at[i].u == u && ps->at[i].dst == dst) {
            bad(ps, item, "this bit of the field is drawn twice");
            return false;
        }
    ps->at[ps->nbits].u = u;
    ps->at[ps->nbits].dst = dst;
    ps->lit[ps->nbits++] = c;
    if (u && (unsigned)dst >= u->width) u->width = (unsigned)dst + 1;
    return true;
}

/* Bits hi..lo of a field, from the left. */
static bool draw_range(struct parse *ps, const char *item, struct use *u, int hi, int lo)
{
    for (int b = hi; b >= lo; b--)
        if (!draw(ps, item, 'f', u, b)) return false;
    return true;
}

static const char *number(const char *p, int *v)
{
    *v = -1;
    if (!isdigit((unsigned char)*p)) return p;
    for (*v = 0; isdigit((unsigned char)*p) && *v < 1000; p++) *v = *v * 10 + (*p - '0');
    return p;
}

/* +k and *k at the end of a drawn field. */
static void suffixes(struct parse *ps, const char *item, struct use *u, const char *p)
{
    while (*p == '+' || *p == '*') {
        char op = *p++;
        const char *start = p;
        int64_t k;
        while (isalnum((unsigned char)*p)) p++;
        if (!parse_num(copy(start, (size_t)(p - start)), &k)) {
            bad(ps, item, "a number has to follow + and *");
            return;
        }
        if (op == '+')
            u->add = k;
        else
            u->mul = k;
    }
    if (*p) bad(ps, item, "is not understood");
}

/* f:N f:sN */
static void field_plain(struct parse *ps, const char *item, const char *colon)
{
    struct use *u = get_use(ps, item, copy(item, (size_t)(colon - item)));
    const char *p = colon + 1;
    int n;

    if (!u) return;
    if (u->width) {
        bad(ps, item, "field drawn before; pieces of one field are written f[hi:lo]");
        return;
    }
    u->is_signed = *p == 's';
    p = number(p + u->is_signed, &n);
    if (n < 1 || n > WINDOW) {
        bad(ps, item, "the width has to be 1 to 64");
        return;
    }
    if (draw_range(ps, item, u, n - 1, 0)) suffixes(ps, item, u, p);
}

/* f[s12|10:5|...] */
static void field_pieces(struct parse *ps, const char *item, const char *bracket)
{
    struct use *u = get_use(ps, item, copy(item, (size_t)(bracket - item)));
    const char *p = bracket + 1;

    if (!u) return;
    for (;; p++) {
        int hi, lo;
        bool sign = *p == 's';
        p = number(p + sign, &hi);
        lo = hi;
        if (*p == ':') p = number(p + 1, &lo);
        if (hi < lo || lo < 0 || hi >= WINDOW) {
            bad(ps, item, "pieces are written hi:lo or bit, 63 at most");
            return;
        }
        if ((u->is_signed && (unsigned)hi >= u->width) || (sign && (unsigned)hi + 1 < u->width)) {
            bad(ps, item, "s has to mark the field's highest bit");
            return;
        }
        u->is_signed |= sign;
        if (!draw_range(ps, item, u, hi, lo)) return;
        if (*p == ']') break;
        if (*p != '|') {
            bad(ps, item, "pieces are separated by |");
            return;
        }
    }
    suffixes(ps, item, u, p + 1);
}

static void literal(struct parse *ps, const char *item)
{
    for (const char *p = item; *p; p++)
        if (!draw(ps, item, *p, NULL, 0)) return;
}

/* @name @!name: modes select, everything else is a feature. */
static void selector(struct parse *ps, const char *item)
{
    bool want = item[1] != '!';
    const char *name = item + 1 + !want;
    struct cube *c = &ps->r->cube;
    int m = name_find(&ps->isa->modes, name);

    if (!is_ident(name)) {
        bad(ps, item, "a mode or feature has to follow @");
        return;
    }
    if (m < 0) {
        unsigned f = name_add(&ps->isa->feats, name);
        if (f >= MAX_FEATS) {
            bad(ps, item, "too many features");
            return;
        }
        uint64_t bit = 1ull << f % 64;
        if (c->feat_mask[f / 64] & bit) bad(ps, item, "given twice");
        c->feat_mask[f / 64] |= bit;
        if (want) c->feat_val[f / 64] |= bit;
        return;
    }
    uint64_t bit = 1ull << m, mask = bit, val = want ? bit : 0;
    for (unsigned i = 0; i < ps->isa->modes.n; i++)
        if (want && ps->isa->mode_axis[m] && ps->isa->mode_axis[i] == ps->isa->mode_axis[m]) mask |= 1ull << i;
    if (c->mode_mask & mask & (c->mode_val ^ val)) bad(ps, item, "contradicts an earlier selector");
    c->mode_mask |= mask;
    c->mode_val |= val;
}

/* All values of an enumerated axis but one excluded: the same as selecting that one. */
static void normalise_modes(struct isa *isa, struct row *r)
{
    struct cube *c = &r->cube;

    for (unsigned axis = 1; axis <= isa->naxes; axis++) {
        uint64_t all = 0;
        for (unsigned m = 0; m < isa->modes.n; m++)
            if (isa->mode_axis[m] == axis) all |= 1ull << m;
        uint64_t left = all & ~(c->mode_mask & ~c->mode_val);
        if (!left) error_at(r->loc, "the selectors leave no mode");
        if (left && !(left & (left - 1))) c->mode_mask |= all, c->mode_val |= left;
    }
}

/* f!=a,b..c */
static void validity(struct parse *ps, const char *item, const char *bang)
{
    const char *name = copy(item, (size_t)(bang - item));
    int f = name_find(&ps->isa->fields, name);

    if (f < 0 || !find_use(ps->r, (unsigned)f)) {
        bad(ps, item, "the pattern has not drawn this field");
        return;
    }
    for (const char *p = bang + 2;; p++) {
        size_t n = strcspn(p, ",");
        const char *lo = copy(p, n), *dots = strstr(lo, "..");
        struct unequal ne = { .field = (unsigned)f };
        if (!parse_num(dots ? copy(lo, (size_t)(dots - lo)) : lo, &ne.lo) || !parse_num(dots ? dots + 2 : lo, &ne.hi) ||
            ne.lo > ne.hi) {
            bad(ps, item, "numbers or ranges a..b, separated by commas, have to follow !=");
            return;
        }
        if (ps->r->nne == MAX_USES) {
            bad(ps, item, "too many values");
            return;
        }
        ps->r->ne[ps->r->nne++] = ne;
        p += n;
        if (!*p) return;
    }
}

static bool computed_arg(struct parse *ps, const char *item, const char *a, struct arg *out)
{
    int m = name_find(&ps->isa->modes, a), f = name_find(&ps->isa->fields, a);

    if (parse_num(a, &out->v)) {
        out->kind = ARG_NUM;
    } else if (f >= 0 && find_use(ps->r, (unsigned)f)) {
        *out = (struct arg){ ARG_FIELD, f };
    } else if (m >= 0) {
        *out = (struct arg){ ARG_MODE, m };
    } else {
        bad(ps, item, "arguments are fields drawn or computed to the left, modes and numbers");
        return false;
    }
    return true;
}

/* f=fn(a,b) */
static void computed(struct parse *ps, const char *item, const char *eq)
{
    struct isa *isa = ps->isa;
    const char *paren = strchr(eq, '('), *end = item + strlen(item) - 1;
    struct arg arg[MAX_ARGS];
    unsigned nargs = 0;

    if (!paren || *end != ')') {
        bad(ps, item, "a computed field is written f=function(a,b)");
        return;
    }
    const char *fn = copy(eq + 1, (size_t)(paren - eq - 1));
    if (!is_ident(fn)) {
        bad(ps, item, "the function's name is not a name");
        return;
    }
    for (const char *p = paren + 1; p < end; p++) {
        size_t n = strcspn(p, ",)");
        if (nargs == MAX_ARGS) {
            bad(ps, item, "too many arguments");
            return;
        }
        if (!computed_arg(ps, item, copy(p, n), &arg[nargs++])) return;
        p += n;
    }
    struct use *u = get_use(ps, item, copy(item, (size_t)(eq - item)));
    if (!u) return;
    if (u->width || u->fn) {
        bad(ps, item, "this field already has a value");
        return;
    }
    u->fn = fn;
    u->nargs = nargs;
    memcpy(u->arg, arg, sizeof arg);

    unsigned i = name_add(&isa->fns, fn);
    isa->fn_arity = grow(isa->fn_arity, &isa->cap_arity, i + 1, sizeof *isa->fn_arity);
    if (isa->fn_arity[i] && isa->fn_arity[i] != nargs + 1)
        bad(ps, item, "this function takes another number of arguments elsewhere");
    isa->fn_arity[i] = nargs + 1;
}

/* Window bit of the i-th drawn bit. */
static unsigned place(const struct parse *ps, unsigned i)
{
    unsigned unit = ps->isa->unit * 8, right = ps->nbits - 1 - i;

    if (!ps->isa->msb_first) return right;
    return i / unit * unit + (unit - 1 - i % unit);
}

/* Adds window bit src -> field bit dst, extending the last piece where it continues downwards. */
static void add_bit(struct parse *ps, struct use *u, unsigned src, unsigned dst)
{
    struct seg *s = u->nsegs ? &u->seg[u->nsegs - 1] : NULL;

    if (s && s->src == src + 1 && s->dst == dst + 1) {
        s->src--, s->dst--, s->n++;
        return;
    }
    if (u->nsegs == MAX_SEGS) {
        error_at(ps->r->loc, "field '%s' is in too many pieces", ps->isa->fields.v[u->field]);
        return;
    }
    u->seg[u->nsegs++] = (struct seg){ (uint8_t)src, (uint8_t)dst, 1 };
}

static void place_bits(struct parse *ps)
{
    struct cube *c = &ps->r->cube;

    for (unsigned i = 0; i < ps->nbits; i++) {
        unsigned b = place(ps, i);
        if (ps->lit[i] == 'f') add_bit(ps, ps->at[i].u, b, (unsigned)ps->at[i].dst);
        if (ps->lit[i] == '0' || ps->lit[i] == '1') c->mask |= 1ull << b;
        if (ps->lit[i] == '1') c->val |= 1ull << b;
    }
}

static void item(struct parse *ps, const char *s)
{
    const char *op = s + strcspn(s, "!=:[");

    if (s[strspn(s, "01x")] == 0)
        literal(ps, s);
    else if (*s == '@')
        selector(ps, s);
    else if (op[0] == '!' && op[1] == '=')
        validity(ps, s, op);
    else if (*op == '=')
        computed(ps, s, op);
    else if (*op == ':')
        field_plain(ps, s, op);
    else if (*op == '[')
        field_pieces(ps, s, op);
    else
        bad(ps, s, "is not understood");
}

void parse_pattern(struct isa *isa, struct row *r)
{
    struct parse ps = { .isa = isa, .r = r };
    unsigned before = errors;

    for (const char *p = r->pattern; *p;) {
        size_t n = strcspn(p, " \t\n");
        if (n) item(&ps, copy(p, n));
        p += n + (p[n] != 0);
    }
    if (errors == before && (!ps.nbits || ps.nbits % (isa->unit * 8)))
        error_at(r->loc, "%s '%s' draws %u bits, which is no multiple of %u", r->is_alias ? "ALIAS" : "INSN", r->name,
                 ps.nbits, isa->unit * 8);
    r->bytes = ps.nbits / 8;
    place_bits(&ps);
    normalise_modes(isa, r);
}
