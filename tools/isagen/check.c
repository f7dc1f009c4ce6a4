/*
 * check.c: which row wins where two meet. One that lies inside the other does; otherwise each point they share must
 * belong to a third row inside of both. Rows with the same bits and modes are told apart by their gates, and a row whose
 * gates are closed does not exist.
 */
#include "isagen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool cubes_meet(const struct cube *a, const struct cube *b)
{
    if ((a->val ^ b->val) & a->mask & b->mask) return false;
    if ((a->mode_val ^ b->mode_val) & a->mode_mask & b->mode_mask) return false;
    for (unsigned i = 0; i < FEAT_WORDS; i++)
        if ((a->feat_val[i] ^ b->feat_val[i]) & a->feat_mask[i] & b->feat_mask[i]) return false;
    return true;
}

static bool feats_inside(const struct cube *a, const struct cube *b)
{
    bool same = true;
    for (unsigned i = 0; i < FEAT_WORDS; i++) {
        if (b->feat_mask[i] & ~a->feat_mask[i]) return false;
        same &= b->feat_mask[i] == a->feat_mask[i];
    }
    return !same;
}

bool cube_inside(const struct cube *a, const struct cube *b)
{
    if (!cubes_meet(a, b) || (b->mask & ~a->mask) || (b->mode_mask & ~a->mode_mask)) return false;
    return a->mask != b->mask || a->mode_mask != b->mode_mask || feats_inside(a, b);
}

static unsigned popcount(uint64_t v)
{
    return (unsigned)__builtin_popcountll(v);
}

/* More demands first: a row inside another always comes before it. */
static int by_demands(const void *pa, const void *pb)
{
    const struct row *a = pa, *b = pb;
    unsigned na = popcount(a->cube.mask) + popcount(a->cube.mode_mask);
    unsigned nb = popcount(b->cube.mask) + popcount(b->cube.mode_mask);
    unsigned fa = 0, fb = 0;

    for (unsigned i = 0; i < FEAT_WORDS; i++) fa += popcount(a->cube.feat_mask[i]), fb += popcount(b->cube.feat_mask[i]);
    if (na != nb) return na > nb ? -1 : 1;
    if (fa != fb) return fa > fb ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Is there a row that takes all that a and b share? */
static bool resolved(const struct row *rows, unsigned n, const struct row *a, const struct row *b)
{
    struct cube both = a->cube;

    both.mask |= b->cube.mask, both.val |= b->cube.val;
    both.mode_mask |= b->cube.mode_mask, both.mode_val |= b->cube.mode_val;
    for (unsigned i = 0; i < FEAT_WORDS; i++) {
        both.feat_mask[i] |= b->cube.feat_mask[i];
        both.feat_val[i] |= b->cube.feat_val[i];
    }
    for (unsigned i = 0; i < n; i++) {
        const struct row *c = &rows[i];
        if (c == a || c == b || c->bytes != a->bytes || c->of != a->of) continue;
        bool covers = cubes_meet(&c->cube, &both) && !(c->cube.mask & ~both.mask) &&
                      !(c->cube.mode_mask & ~both.mode_mask);
        for (unsigned w = 0; w < FEAT_WORDS; w++) covers &= !(c->cube.feat_mask[w] & ~both.feat_mask[w]);
        if (covers && cube_inside(&c->cube, &a->cube) && cube_inside(&c->cube, &b->cube)) return true;
    }
    return false;
}

/* The value of a drawn field whose bits of the window are given. */
static int64_t field_value(const struct use *u, uint64_t w)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < u->nsegs; i++) v |= (w >> u->seg[i].src & ((1ull << u->seg[i].n) - 1)) << u->seg[i].dst;
    if (u->is_signed) v = (uint64_t)((int64_t)(v << (64 - u->width)) >> (64 - u->width));
    return (int64_t)v * u->mul + u->add;
}

static uint64_t field_bits(const struct use *u)
{
    uint64_t m = 0;
    for (unsigned i = 0; i < u->nsegs; i++) m |= ((1ull << u->seg[i].n) - 1) << u->seg[i].src;
    return m;
}

static bool excludes(const struct row *r, const struct use *u, uint64_t w)
{
    for (unsigned i = 0; i < r->nne; i++)
        if (r->ne[i].field == u->field && r->ne[i].lo <= field_value(u, w) && field_value(u, w) <= r->ne[i].hi)
            return true;
    return false;
}

/* Of the values that the field takes when `fixed` bits of the window have value w: are some, are all excluded? */
static void exclusion(const struct row *r, const struct use *u, uint64_t fixed, uint64_t w, bool *some, bool *all)
{
    uint64_t left = field_bits(u) & ~fixed;

    *some = false, *all = true;
    for (uint64_t v = left;; v = (v - 1) & left) {
        bool ex = excludes(r, u, (w & ~left) | v);
        *some |= ex, *all &= ex;
        if (!v) return;
    }
}

/* Does a's validity exclude all that it shares with b? Then that is what keeps them apart. */
static bool kept_apart(struct row *a, const struct row *b)
{
    for (unsigned i = 0; i < a->nuses; i++) {
        const struct use *u = &a->use[i];
        bool some, all;
        if (u->fn || popcount(field_bits(u)) > MAX_SPLIT || (a->split && a->split != u)) continue;
        exclusion(a, u, b->cube.mask, b->cube.val, &some, &all);
        if (!all) continue;
        a->split = u;
        return true;
    }
    return false;
}

static void report(const struct isa *isa, const struct row *a, const struct row *b)
{
    const struct row *first = a->order < b->order ? a : b, *second = first == a ? b : a;
    uint64_t modes = a->cube.mode_val | b->cube.mode_val;
    char in[256] = "";

    for (unsigned m = 0; m < isa->modes.n; m++)
        if (modes >> m & 1)
            snprintf(in + strlen(in), sizeof in - strlen(in), "%s%s", *in ? " " : " in mode ", isa->modes.v[m]);
    error_at(second->loc, "%s '%s' overlaps '%s' (%s:%d): both match 0x%0*" PRIx64 "%s, and neither lies inside the other "
             "(or has a f!= that leaves this out)",
             second->is_alias ? "ALIAS" : "INSN", second->name, first->name, first->loc.file, first->loc.line,
             (int)(2 * (a->bytes > b->bytes ? a->bytes : b->bytes)), a->cube.val | b->cube.val, in);
}

/* An alias with a condition of its own may fail, so the order of appearance decides there. */
static bool conditional(const struct row *r)
{
    bool c = r->nne > 0;
    for (unsigned i = 0; i < r->nuses; i++) c |= r->use[i].fn != NULL;
    return r->is_alias && c;
}

static void check_pairs(const struct isa *isa, struct row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = i + 1; j < n; j++) {
            struct row *a = &rows[i], *b = &rows[j];
            if (a->of != b->of || !cubes_meet(&a->cube, &b->cube)) continue;
            if (a->bytes == b->bytes && (cube_inside(&a->cube, &b->cube) || conditional(a) || conditional(b) ||
                                         resolved(rows, n, a, b) || kept_apart(a, b) || kept_apart(b, a)))
                continue;
            report(isa, a, b);
        }
}

void check_overlap(struct isa *isa)
{
    qsort(isa->rows, isa->nrows, sizeof *isa->rows, by_demands);
    check_pairs(isa, isa->rows, isa->nrows);
}

void check_aliases(struct isa *isa)
{
    if (isa->naliases) qsort(isa->aliases, isa->naliases, sizeof *isa->aliases, by_demands);
    check_pairs(isa, isa->aliases, isa->naliases);
}

static void add_cell(struct isa *isa, const struct cube *c, unsigned row)
{
    struct cell *cell = PUSH(isa->cells, isa->ncells, isa->cap_cells);
    cell->cube = *c;
    cell->row = row;
}

/* The parts of a row that its f!= leaves: halves the field's range until a part is all in or all out. */
static void add_parts(struct isa *isa, unsigned row, struct cube c)
{
    const struct row *r = &isa->rows[row];
    uint64_t left = field_bits(r->split) & ~c.mask;
    bool some, all;

    exclusion(r, r->split, c.mask, c.val, &some, &all);
    if (!some) add_cell(isa, &c, row);
    if (!some || all) return;
    c.mask |= 1ull << (63 - __builtin_clzll(left));
    add_parts(isa, row, c);
    c.val |= 1ull << (63 - __builtin_clzll(left));
    add_parts(isa, row, c);
}

void make_cells(struct isa *isa)
{
    for (unsigned i = 0; i < isa->nrows; i++) add_cell(isa, &isa->rows[i].cube, i);
    for (unsigned i = 0; i < isa->nrows; i++)
        if (isa->rows[i].split) add_parts(isa, i, isa->rows[i].cube);
}
