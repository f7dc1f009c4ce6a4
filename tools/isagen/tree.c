/*
 * tree.c: cells to a decision tree. A node looks at one run of bits and goes to the child of their value; a leaf is the
 * list of cells that are still possible, most specific first, which the decoder compares in full. Equal subtrees are
 * shared.
 */
#include "isagen.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTH = 8, SMALL = 2 }; /* bits per node; a list this short is a leaf */

/* What leads to a node: the cells possible there and the bits known, as far as these cells look at them. */
struct key {
    int *list;
    unsigned n;
    uint64_t known, val;
    struct link result;
};

struct builder {
    const struct isa *isa;
    struct tree *t;
    struct key *keys;
    unsigned nkeys, cap_keys;
};

static bool unconditional(const struct cube *c)
{
    uint64_t any = c->mode_mask;
    for (unsigned i = 0; i < FEAT_WORDS; i++) any |= c->feat_mask[i];
    return !any;
}

/* Cells of a list that can match when `known` bits have value val; ends at one that always does. */
static unsigned narrow(const struct builder *b, const int *in, unsigned n, uint64_t known, uint64_t val, int *out)
{
    unsigned k = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct cube *c = &b->isa->cells[in[i]].cube;
        if ((c->val ^ val) & c->mask & known) continue;
        out[k++] = in[i];
        if (unconditional(c) && !(c->mask & ~known)) break;
    }
    return k;
}

/* log2, straight between powers of two: exact enough for choosing, and no libm. */
static double lg(double x)
{
    double n = 0;

    for (; x >= 2; x /= 2) n++;
    for (; x < 1; x *= 2) n--;
    return n + (x - 1);
}

/*
 * What a run of bits is worth: by how much it shortens the list that a row of it finds itself in, less a little for the
 * table's size and for rows repeated in many children.
 */
static double worth(const struct builder *b, const int *list, unsigned n, unsigned shift, unsigned width)
{
    unsigned count[1 << MAX_WIDTH] = { 0 };
    uint64_t m = (1ull << width) - 1;
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct cube *c = &b->isa->cells[list[i]].cube;
        uint64_t mask = c->mask >> shift & m, val = c->val >> shift & m, rest = m & ~mask;
        for (uint64_t sub = rest;; sub = (sub - 1) & rest) {
            count[val | sub]++;
            if (!sub) break;
        }
    }
    for (unsigned v = 0; v <= m; v++) {
        sum += count[v];
        squares += (double)count[v] * count[v];
    }
    return lg(n / (squares / sum)) - 0.1 * width - 0.1 * lg(sum / n);
}

static bool pick(const struct builder *b, const int *list, unsigned n, uint64_t known, unsigned *shift, unsigned *width)
{
    double best = -1e9;
    uint64_t decides = 0;

    for (unsigned i = 0; i < n; i++) decides |= b->isa->cells[list[i]].cube.mask;
    decides &= ~known;
    for (unsigned s = 0; s < WINDOW; s++)
        for (unsigned w = 1; w <= MAX_WIDTH && s + w <= WINDOW; w++) {
            if (!(decides >> s & 1) || !(decides >> (s + w - 1) & 1)) continue;
            double v = worth(b, list, n, s, w);
            if (v > best) best = v, *shift = s, *width = w;
        }
    /* A run that costs more than it brings is still taken while lists are long: another one below may need it. */
    return best > (n > 8 ? -2.5 : -0.1);
}

static struct link leaf(struct tree *t, const int *list, unsigned n)
{
    struct link l = { .leaf = true, .base = t->ncands };

    for (unsigned i = 0; i < n; i++) *PUSH(t->cands, t->ncands, t->cap_cands) = list[i];
    *PUSH(t->cands, t->ncands, t->cap_cands) = -1;
    return l;
}

static struct link build(struct builder *b, const int *list, unsigned n, uint64_t known, uint64_t val);

/* The node that looks at the run of bits l, and all below it. */
static struct link inner(struct builder *b, struct link l, const int *list, unsigned n, uint64_t known, uint64_t val)
{
    struct tree *t = b->t;
    uint64_t run = ((1ull << l.width) - 1) << l.shift;
    int *sub = malloc((n + 1) * sizeof *sub);

    l.base = t->nlinks;
    t->nlinks += 1u << l.width;
    t->link = grow(t->link, &t->cap_links, t->nlinks, sizeof *t->link);
    for (unsigned i = 0; i < 1u << l.width; i++) {
        uint64_t bits = (uint64_t)i << l.shift;
        /* bits of the run that were known already can only have their known value */
        bool possible = !((bits ^ val) & known & run);
        unsigned ns = possible ? narrow(b, list, n, known | run, (val & ~run) | bits, sub) : 0;
        struct link kid = build(b, sub, ns, known | run, (val & ~run) | bits);
        t->link[l.base + i] = kid;
    }
    free(sub);
    return l;
}

static struct link build(struct builder *b, const int *list, unsigned n, uint64_t known, uint64_t val)
{
    uint64_t looked = 0;
    struct link res = { 0 };

    for (unsigned i = 0; i < n; i++) looked |= b->isa->cells[list[i]].cube.mask;
    for (unsigned i = 0; i < b->nkeys; i++) {
        const struct key *k = &b->keys[i];
        if (k->n == n && k->known == (known & looked) && k->val == (val & looked) &&
            !memcmp(k->list, list, n * sizeof *list))
            return k->result;
    }
    int *own = malloc((n + 1) * sizeof *own);
    memcpy(own, list, n * sizeof *own);
    bool branch = n > SMALL && pick(b, list, n, known, &res.shift, &res.width);
    res = branch ? inner(b, res, list, n, known, val) : leaf(b->t, list, n);
    *PUSH(b->keys, b->nkeys, b->cap_keys) = (struct key){ own, n, known & looked, val & looked, res };
    return res;
}

void tree_build(const struct isa *isa, struct tree *t)
{
    struct builder b = { .isa = isa, .t = t };
    int *all = malloc((isa->ncells + 1) * sizeof *all);
    unsigned n = 0;

    for (unsigned i = 0; i < isa->nrows; i++) {
        if (!isa->rows[i].split) all[n++] = (int)i;
        for (unsigned j = isa->nrows; isa->rows[i].split && j < isa->ncells; j++)
            if (isa->cells[j].row == i) all[n++] = (int)j;
    }
    PUSH(t->link, t->nlinks, t->cap_links);
    struct link root = build(&b, all, n, 0, 0);
    if (root.leaf) { /* nothing to decide, but the decoder starts with a node */
        *PUSH(t->link, t->nlinks, t->cap_links) = root;
        root = (struct link){ .base = 1 };
    }
    t->link[0] = root;
}
