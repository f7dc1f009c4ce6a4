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

static void report(const struct isa *isa, const struct row *a, const struct row *b)
{
    const struct row *first = a->order < b->order ? a : b, *second = first == a ? b : a;
    uint64_t modes = a->cube.mode_val | b->cube.mode_val;
    char in[256] = "";

    for (unsigned m = 0; m < isa->modes.n; m++)
        if (modes >> m & 1)
            snprintf(in + strlen(in), sizeof in - strlen(in), "%s%s", *in ? " " : " in mode ", isa->modes.v[m]);
    error_at(second->loc, "%s '%s' overlaps '%s' (%s:%d): both match 0x%0*" PRIx64 "%s, and neither lies inside the other",
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

static void check_pairs(const struct isa *isa, const struct row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = i + 1; j < n; j++) {
            const struct row *a = &rows[i], *b = &rows[j];
            if (a->of != b->of || !cubes_meet(&a->cube, &b->cube)) continue;
            if (a->bytes == b->bytes && (cube_inside(&a->cube, &b->cube) || conditional(a) || conditional(b) ||
                                         resolved(rows, n, a, b)))
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
    qsort(isa->aliases, isa->naliases, sizeof *isa->aliases, by_demands);
    check_pairs(isa, isa->aliases, isa->naliases);
}
