/* phys_test.c: RAM blocks, address spaces against a naive model, register accesses of all shapes, DMA. */
#include <setjmp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mem/phys.h"

static const struct mem_attr cpu = { .cpu = true };

static uint64_t rnd(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* --- RAM ----------------------------------------------------------------------------------------------------------------- */

struct heard {
    struct mem_listener l;
    unsigned maps, codes, tracks;
    uint64_t first, last;
};
static void on_map(void *ctx, struct space *s) { ((struct heard *)ctx)->maps++; }
static void on_track(void *ctx, struct ram *r) { ((struct heard *)ctx)->tracks++; }
static void on_code(void *ctx, uint64_t first, uint64_t last)
{
    struct heard *h = ctx;
    h->codes++;
    h->first = first;
    h->last = last;
}

static void ram_blocks(void **st)
{
    struct mem *m = mem_new();
    struct err e;
    assert_null(ram_new(m, "odd", 4097, false, &e));
    assert_null(ram_new(m, "none", 0, false, &e));
    struct ram *a = ram_new(m, "a", 4 << 20, false, &e), *b = ram_new(m, "b", 8192, true, &e);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(b->fd >= 0);
    assert_null(ram_new(m, "a", 4096, false, &e));
    assert_true(a->base + a->size <= b->base);
    uint64_t x = 0x1122334455667788, y = 0;
    assert_true(ram_write(a, a->size - 8, &x, 8));
    assert_false(ram_write(a, a->size - 7, &x, 8));
    assert_false(ram_write(a, UINT64_MAX, &x, 2));
    assert_false(ram_read(a, 8, &y, UINT64_MAX));
    assert_true(ram_read(a, a->size - 8, &y, 8));
    assert_int_equal(x, y);
    ram_free(a);
    assert_non_null(ram_new(m, "a", 4096, false, &e)); /* the name is free again */
    mem_free(m);
}

static void ram_pages(void **st)
{
    struct mem *m = mem_new();
    struct heard h = { .l = { on_map, on_code, on_track, &h, NULL } };
    mem_listen(m, &h.l);
    struct ram *r = ram_new(m, "r", 16 * RAM_PAGE, false, NULL);
    uint8_t buf[3 * RAM_PAGE] = { 1 };
    r->page[2] |= RAM_CODE;
    ram_write(r, RAM_PAGE, buf, RAM_PAGE);
    assert_int_equal(h.codes, 0);
    ram_write(r, RAM_PAGE + 5, buf, 2 * RAM_PAGE);
    assert_int_equal(h.codes, 1);
    assert_int_equal(h.first, r->base + 2 * RAM_PAGE);
    assert_int_equal(h.last, r->base + 3 * RAM_PAGE - 1);
    ram_write(r, 2 * RAM_PAGE + 7, buf, 3);
    assert_int_equal(h.first, r->base + 2 * RAM_PAGE + 7);
    assert_int_equal(h.last, r->base + 2 * RAM_PAGE + 9);
    /* dirty pages */
    assert_false(ram_dirty_take(r, RAM_DIRTY_VGA, 0, r->size));
    ram_track(r, RAM_DIRTY_VGA);
    assert_true(ram_dirty_take(r, RAM_DIRTY_VGA, 0, r->size));
    assert_false(ram_dirty_take(r, RAM_DIRTY_VGA, 0, r->size));
    assert_int_equal(h.tracks, 0);
    ram_write(r, 5 * RAM_PAGE - 1, buf, 2);
    assert_false(ram_dirty_take(r, RAM_DIRTY_MIGRATION, 0, r->size));
    assert_false(ram_dirty_take(r, RAM_DIRTY_VGA, 0, 4 * RAM_PAGE));
    r->page[5] |= RAM_WRITTEN_FAST;
    assert_true(ram_dirty_take(r, RAM_DIRTY_VGA, 4 * RAM_PAGE, 1));
    assert_int_equal(h.tracks, 0);
    assert_true(ram_dirty_take(r, RAM_DIRTY_VGA, 5 * RAM_PAGE, RAM_PAGE));
    assert_int_equal(h.tracks, 1);
    assert_false(r->page[5] & RAM_WRITTEN_FAST);
    mem_unlisten(m, &h.l);
    mem_free(m);
}

/* --- the view against a model --------------------------------------------------------------------------------------------- */

enum { SPAN = 600, WINS = 24 };
struct model {
    struct window *w;
    uint64_t addr, len, off;
    int prio, kind; /* 0 RAM, 1 MMIO, 2 romd */
    unsigned order, dev;
    bool on, direct, ro;
};

static void check_model(struct space *s, const struct model *win, struct ram *ram, char *devs)
{
    uint64_t next = 0;
    for (uint64_t a = 0; a < SPAN; a++) {
        const struct model *top = NULL;
        for (unsigned i = 0; i < WINS; i++) {
            const struct model *w = &win[i];
            if (!w->w || !w->on || a < w->addr || a - w->addr >= w->len) continue;
            if (!top || w->prio > top->prio || (w->prio == top->prio && w->order > top->order)) top = w;
        }
        struct mem_range r;
        bool found = space_find(s, a, &r);
        assert_int_equal(found, top != NULL);
        assert_true(r.start <= a && a <= r.last);
        if (a == next) next = r.last + 1;
        else assert_int_equal(r.last + 1, next); /* a run looks the same from all of its addresses */
        if (!top) continue;
        bool ram_seen = top->kind == 0 || (top->kind == 2 && top->direct);
        assert_ptr_equal(r.ram, ram_seen ? ram : NULL);
        if (ram_seen) assert_int_equal(r.ram_off + (a - r.start), top->off + (a - top->addr));
        if (ram_seen) assert_int_equal(r.readonly, top->ro);
        assert_int_equal(r.ops != NULL, top->kind != 0);
        if (r.ops) assert_ptr_equal(r.dev, &devs[top->dev]);
        if (r.ops) assert_int_equal(r.dev_off + (a - r.start), a - top->addr);
    }
}

static void random_maps(void **st)
{
    static const struct mmio_ops ops;
    char devs[WINS];
    struct mem *m = mem_new();
    struct space *s = space_new(m, "s");
    struct ram *ram = ram_new(m, "r", RAM_PAGE, false, NULL);
    struct model win[WINS] = { 0 };
    uint64_t seed = 0x9e3779b97f4a7c15;
    unsigned order = 0, depth = 0;
    for (unsigned step = 0; step < 6000; step++) {
        struct model *w = &win[rnd(&seed) % WINS];
        unsigned what = rnd(&seed) % 10;
        if (!w->w) {
            *w = (struct model){ .addr = rnd(&seed) % SPAN, .len = rnd(&seed) % 120, .off = rnd(&seed) % 1000, .prio = (int)(rnd(&seed) % 3),
                                 .kind = (int)(rnd(&seed) % 3), .order = ++order, .dev = (unsigned)(w - win), .on = true, .direct = true };
            if (w->kind == 0) w->w = space_map_ram(s, w->addr, ram, w->off, w->len, w->prio);
            if (w->kind == 1) w->w = space_map_mmio(s, "d", w->addr, w->len, &ops, &devs[w->dev], w->prio);
            if (w->kind == 2) w->w = space_map_romd(s, "f", w->addr, ram, w->off, w->len, &ops, &devs[w->dev], w->prio);
        } else if (what < 2) {
            window_free(w->w);
            w->w = NULL;
        } else if (what < 5) {
            window_move(w->w, w->addr = rnd(&seed) % SPAN);
        } else if (what < 7) {
            window_enable(w->w, w->on = rnd(&seed) & 1);
        } else if (what < 9) {
            window_direct(w->w, w->direct = rnd(&seed) & 1);
        } else {
            window_readonly(w->w, w->ro = rnd(&seed) & 1);
        }
        if (rnd(&seed) % 8 == 0 && depth < 3) space_begin(s), depth++;
        else if (depth && rnd(&seed) % 4 == 0) space_commit(s), depth--;
        if (!depth) check_model(s, win, ram, devs);
    }
    mem_free(m);
}

static void space_ends(void **st)
{
    static const struct mmio_ops ops;
    struct mem *m = mem_new();
    struct space *s = space_new(m, "s");
    struct mem_range r;
    assert_false(space_find(s, 5, &r));
    assert_int_equal(r.start, 0);
    assert_int_equal(r.last, UINT64_MAX);
    struct window *low = space_map_mmio(s, "all", 0, UINT64_MAX, &ops, &m, -1);
    space_map_mmio(s, "top", UINT64_MAX - 15, 4096, &ops, &s, 0);
    assert_true(space_find(s, UINT64_MAX, &r));
    assert_ptr_equal(r.dev, &s);
    assert_int_equal(r.last, UINT64_MAX);
    assert_true(space_find(s, 0, &r));
    assert_int_equal(r.last, UINT64_MAX - 16);
    window_free(low);
    assert_false(space_find(s, 0, &r));
    assert_int_equal(r.last, UINT64_MAX - 16);
    uint8_t b[32];
    assert_int_equal(space_read(s, UINT64_MAX - 3, b, 32), 0);
    mem_free(m);
}

/* --- registers -------------------------------------------------------------------------------------------------------------- */

/* A device that is 32 bytes of memory and notes how it was accessed. */
struct toy {
    uint8_t byte[32];
    unsigned calls, size[16];
    uint64_t off[16];
    bool locked_wrong, *lock;
};
static void note(struct toy *t, uint64_t off, unsigned size)
{
    if (t->calls < 16) t->size[t->calls] = size, t->off[t->calls] = off;
    t->calls++;
    if (t->lock && !*t->lock) t->locked_wrong = true;
}
static uint64_t toy_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct toy *t = dev;
    uint64_t v = 0;
    note(t, off, size);
    if (off + size <= sizeof t->byte) memcpy(&v, t->byte + off, size);
    return v;
}
static void toy_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct toy *t = dev;
    note(t, off, size);
    if (off + size <= sizeof t->byte) memcpy(t->byte + off, &v, size);
}
static void fill(struct toy *t)
{
    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i < sizeof t->byte; i++) t->byte[i] = (uint8_t)(0x10 + i);
}
static uint64_t bytes(unsigned first, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) v |= (uint64_t)(0x10 + first + i) << (8 * i);
    return v;
}

static void shapes(void **st)
{
    struct mem *m = mem_new();
    struct space *s = space_new(m, "s");
    for (unsigned min = 1; min <= 8; min *= 2)
        for (unsigned max = min; max <= 8; max *= 2)
            for (unsigned un = 0; un < 2; un++) {
                struct mmio_ops ops = { .read = toy_read, .write = toy_write, .min = (uint8_t)min, .max = (uint8_t)max, .unaligned = un };
                struct toy t;
                struct window *w = space_map_mmio(s, "toy", 0x100, 32, &ops, &t, 0);
                for (unsigned size = 1; size <= 8; size *= 2)
                    for (unsigned off = 0; off + size <= 24; off++) {
                        uint64_t v;
                        fill(&t);
                        assert_int_equal(space_ld(s, 0x100 + off, size, &v, cpu), MEM_OK);
                        assert_int_equal(v, bytes(off, size));
                        assert_in_range(t.calls, 1, 8);
                        for (unsigned i = 0; i < t.calls; i++) {
                            assert_in_range(t.size[i], min, max);
                            if (!un) assert_int_equal(t.off[i] % t.size[i], 0);
                        }
                        if (off % size == 0 && size >= min && size <= max) assert_int_equal(t.calls, 1);
                        fill(&t);
                        assert_int_equal(space_st(s, 0x100 + off, 0xa1a2a3a4a5a6a7a8, size, cpu), MEM_OK);
                        for (unsigned i = 0; i < 32; i++)
                            if (i >= off && i < off + size) assert_int_equal(t.byte[i], 0xa8 - (i - off));
                            else if (min == 1) assert_int_equal(t.byte[i], 0x10 + i);
                    }
                window_free(w);
            }
    struct mmio_ops be = { .read = toy_read, .write = toy_write, .min = 4, .max = 4, .big_endian = true };
    struct toy t;
    uint64_t v;
    fill(&t);
    space_map_mmio(s, "be", 0x100, 32, &be, &t, 0);
    space_ld(s, 0x100, 4, &v, cpu);
    assert_int_equal(v, 0x10111213);
    space_ld(s, 0x101, 1, &v, cpu); /* the second byte of a register whose first is 0x13 */
    assert_int_equal(v, 0x12);
    space_ld(s, 0x100, 8, &v, cpu);
    assert_int_equal(v, 0x1415161710111213);
    space_st(s, 0x100, 0x01020304, 4, cpu);
    assert_int_equal(t.byte[0], 1);
    mem_free(m);
}

static enum mem_result refuse_ld(void *dev, uint64_t off, unsigned size, uint64_t *val, struct mem_attr at)
{
    return at.secure ? MEM_OK : MEM_ERROR;
}
static enum mem_result refuse_st(void *dev, uint64_t off, uint64_t val, unsigned size, struct mem_attr at)
{
    return at.secure ? MEM_OK : MEM_ERROR;
}

static void edges(void **st)
{
    static const struct mmio_ops ops = { .read = toy_read, .write = toy_write };
    static const struct mmio_ops no = { .read_try = refuse_ld, .write_try = refuse_st };
    struct mem *m = mem_new();
    struct space *s = space_new(m, "s");
    struct ram *r = ram_new(m, "r", RAM_PAGE, false, NULL), *rom = ram_new(m, "rom", RAM_PAGE, false, NULL);
    struct toy t;
    uint64_t v;
    fill(&t);
    rom->readonly = true;
    space_map_ram(s, 0x1000, r, 0, RAM_PAGE, 0);
    space_map_mmio(s, "toy", 0x2000, 32, &ops, &t, 0);
    space_map_mmio(s, "no", 0x3000, 32, &no, &t, 0);
    space_map_ram(s, 0x4000, rom, 0, RAM_PAGE, 0);
    assert_int_equal(space_ld(s, 0x500, 4, &v, cpu), MEM_NONE);
    assert_int_equal(space_st(s, 0x500, 4, 4, cpu), MEM_NONE);
    assert_int_equal(space_ld(s, 0x3000, 4, &v, cpu), MEM_ERROR);
    assert_int_equal(space_st(s, 0x3000, 0, 4, cpu), MEM_ERROR);
    assert_int_equal(space_ld(s, 0x3000, 4, &v, (struct mem_attr){ .secure = true }), MEM_OK);
    assert_int_equal(space_st(s, 0x4000, 7, 4, cpu), MEM_ERROR);
    assert_int_equal(space_write(s, 0x4000, "ab", 2, false), 0);
    assert_int_equal(space_write(s, 0x4000, "ab", 2, true), 2);
    assert_int_equal(space_ld(s, 0x4000, 2, &v, cpu), MEM_OK);
    assert_int_equal(v, 'a' | 'b' << 8);
    /* over the border of RAM and registers, and off the end of the world */
    assert_int_equal(space_st(s, 0x1ffe, 0x04030201, 4, cpu), MEM_OK);
    assert_int_equal(t.byte[1], 4);
    assert_int_equal(space_ld(s, 0x1ffe, 4, &v, cpu), MEM_OK);
    assert_int_equal(v, 0x04030201);
    assert_int_equal(space_ld(s, 0xffe, 4, &v, cpu), MEM_NONE);
    assert_int_equal(space_read(s, 0x1ff0, &v, 8), 8);
    char big[0x40];
    assert_int_equal(space_read(s, 0x1ff0, big, sizeof big), 16);
    assert_int_equal(space_read(s, 0x4ff0, big, sizeof big), 16);
    mem_free(m);
}

static bool the_lock;
static void lock_it(void *ctx) { assert_false(the_lock), the_lock = true; }
static void unlock_it(void *ctx) { assert_true(the_lock), the_lock = false; }
static bool is_mine(void *ctx) { return the_lock; }

static void locks_and_generations(void **st)
{
    struct mmio_ops ops = { .read = toy_read, .write = toy_write };
    struct mem *m = mem_new();
    struct space *s = space_new(m, "s");
    struct ram *ram = ram_new(m, "r", RAM_PAGE, false, NULL);
    struct toy t, u;
    struct mem_range r;
    uint64_t v;
    fill(&t);
    fill(&u);
    t.lock = u.lock = &the_lock;
    mem_set_lock(m, lock_it, unlock_it, is_mine, NULL);
    struct window *w = space_map_mmio(s, "t", 0x100, 32, &ops, &t, 0);
    space_ld(s, 0x100, 4, &v, cpu);
    the_lock = true;
    space_ld(s, 0x100, 4, &v, cpu);
    the_lock = false;
    assert_false(t.locked_wrong);
    assert_int_equal(t.calls, 2);
    assert_true(space_find(s, 0x100, &r));
    space_map_mmio(s, "elsewhere", 0x1000, 32, &ops, &u, 0); /* out of date, but the same device is there */
    assert_int_equal(mmio_ld(m, &r, 4, 4, &v, cpu), MEM_OK);
    assert_int_equal(t.calls, 3);
    window_free(w); /* now it has gone: the range leads nowhere, then to what came after it */
    assert_int_equal(mmio_ld(m, &r, 4, 4, &v, cpu), MEM_NONE);
    space_map_mmio(s, "u", 0x100, 32, &ops, &u, 0);
    assert_int_equal(mmio_st(m, &r, 4, 9, 4, cpu), MEM_OK);
    assert_int_equal(t.calls, 3);
    assert_int_equal(u.calls, 1);
    assert_int_equal(u.off[0], 4);
    space_map_ram(s, 0, ram, 0, RAM_PAGE, 1);
    assert_int_equal(mmio_st(m, &r, 4, 9, 4, cpu), MEM_OK);
    assert_int_equal(u.calls, 1);
    assert_int_equal(ram->host[0x104], 9);
    assert_false(the_lock);
    mem_free(m);
}

/* --- flash ------------------------------------------------------------------------------------------------------------------- */

static void romd(void **st)
{
    static const struct mmio_ops ops = { .read = toy_read, .write = toy_write };
    struct mem *m = mem_new();
    struct space *s = space_new(m, "s");
    struct ram *r = ram_new(m, "flash", RAM_PAGE, false, NULL);
    struct toy t;
    uint64_t v;
    fill(&t);
    r->host[0] = 0x77;
    struct window *w = space_map_romd(s, "flash", 0x1000, r, 0, RAM_PAGE, &ops, &t, 0);
    space_ld(s, 0x1000, 1, &v, cpu);
    assert_int_equal(v, 0x77);
    assert_int_equal(t.calls, 0);
    space_st(s, 0x1000, 0x55, 1, cpu);
    assert_int_equal(t.calls, 1);
    assert_int_equal(r->host[0], 0x77);
    window_direct(w, false);
    space_ld(s, 0x1000, 1, &v, cpu);
    assert_int_equal(v, 0x55);
    assert_int_equal(space_read(s, 0x1000, &v, 4), 0);
    mem_free(m);
}

/* --- DMA ----------------------------------------------------------------------------------------------------------------------- */

/* Pages are shuffled: iova page n is physical page n ^ 1; page 6 is read only, page 7 is not there. */
static int iommu(void *ctx, uint64_t iova, bool write, uint64_t *out, uint64_t *len, struct mem_attr at)
{
    uint64_t page = iova / RAM_PAGE;
    if (page == 7 || (page == 6 && write)) return -EFAULT;
    *out = iova ^ RAM_PAGE;
    *len = RAM_PAGE - iova % RAM_PAGE;
    return 0;
}
static uint64_t msi_addr, msi_data;
static bool msi(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at)
{
    msi_addr = addr, msi_data = data;
    return addr >= 0x100000;
}

static void dma(void **st)
{
    static const struct mmio_ops ops = { .read = toy_read, .write = toy_write };
    struct mem *m = mem_new();
    struct space *s = space_new(m, "s");
    struct ram *r = ram_new(m, "r", 16 * RAM_PAGE, false, NULL), *rom = ram_new(m, "rom", RAM_PAGE, false, NULL);
    struct toy t;
    struct dma d = { .space = s };
    uint8_t buf[3 * RAM_PAGE];
    bool ok;
    fill(&t);
    rom->readonly = true;
    space_map_ram(s, 0, r, 0, r->size, 0);
    space_map_mmio(s, "toy", 4 * RAM_PAGE, RAM_PAGE, &ops, &t, 1);
    space_map_ram(s, 32 * RAM_PAGE, rom, 0, RAM_PAGE, 0);
    memset(buf, 0x5a, sizeof buf);
    assert_int_equal(dma_write(&d, RAM_PAGE + 1, buf, 2 * RAM_PAGE), 0);
    assert_int_equal(r->host[3 * RAM_PAGE], 0x5a);
    assert_int_equal(dma_write(&d, 3 * RAM_PAGE, buf, 2 * RAM_PAGE), -EFAULT); /* registers are not for DMA */
    assert_int_equal(dma_read(&d, 4 * RAM_PAGE, buf, 1), -EFAULT);
    assert_int_equal(t.calls, 0);
    assert_int_equal(dma_read(&d, 32 * RAM_PAGE, buf, 8), 0);
    assert_int_equal(dma_write(&d, 32 * RAM_PAGE, buf, 8), -EFAULT);
    assert_int_equal(dma_read(&d, UINT64_MAX - 3, buf, 8), -EFAULT);
    assert_int_equal(dma_read(&d, 15 * RAM_PAGE, buf, 2 * RAM_PAGE), -EFAULT);
    assert_true(dma_st(&d, 8, 0x1122334455667788, 8));
    assert_int_equal(dma_ld(&d, 8, 8, &ok), 0x1122334455667788);
    assert_true(ok);
    assert_int_equal(dma_ld(&d, 4 * RAM_PAGE - 2, 4, &ok), 0);
    assert_false(ok);
    uint64_t len = 8 * RAM_PAGE;
    uint8_t *p = dma_map(&d, RAM_PAGE, &len, true);
    assert_ptr_equal(p, r->host + RAM_PAGE);
    assert_int_equal(len, 3 * RAM_PAGE);
    ram_track(r, RAM_DIRTY_VGA);
    ram_dirty_take(r, RAM_DIRTY_VGA, 0, r->size);
    dma_unmap(&d, p, len, true, RAM_PAGE);
    assert_true(ram_dirty_take(r, RAM_DIRTY_VGA, RAM_PAGE, RAM_PAGE));
    assert_false(ram_dirty_take(r, RAM_DIRTY_VGA, 2 * RAM_PAGE, RAM_PAGE));
    len = 16;
    assert_null(dma_map(&d, 4 * RAM_PAGE, &len, false));
    assert_null(dma_map(&d, 32 * RAM_PAGE, &len, true));
    /* a block that is freed while mapped stays until the end of that */
    len = RAM_PAGE;
    p = dma_map(&d, 32 * RAM_PAGE, &len, false);
    ram_free(rom);
    assert_int_equal(p[0], 0);
    dma_unmap(&d, p, len, false, 0);
    /* an IOMMU */
    d.iommu = iommu;
    assert_true(dma_st(&d, 0x10, 0xbeef, 2));
    assert_int_equal(r->host[RAM_PAGE + 0x10], 0xef);
    memset(r->host, 0, r->size);
    memset(buf, 0x33, sizeof buf);
    assert_int_equal(dma_write(&d, RAM_PAGE - 1, buf, 2), 0);
    assert_int_equal(r->host[2 * RAM_PAGE - 1], 0x33);
    assert_int_equal(r->host[0], 0x33);
    assert_int_equal(dma_write(&d, 6 * RAM_PAGE, buf, 1), -EFAULT);
    assert_int_equal(dma_read(&d, 6 * RAM_PAGE, buf, 1), 0);
    assert_int_equal(dma_read(&d, 7 * RAM_PAGE, buf, 1), -EFAULT);
    /* messages */
    d.iommu = NULL;
    d.msi = msi;
    dma_msi(&d, 0x100040, 33);
    assert_int_equal(msi_addr, 0x100040);
    assert_int_equal(msi_data, 33);
    dma_msi(&d, 0x40, 34);
    assert_int_equal(r->host[0x40], 34);
    dma_msi(&d, 4 * RAM_PAGE, 35);
    assert_int_equal(t.calls, 0);
    mem_free(m);
}

/* --- readers beside changes ------------------------------------------------------------------------------------------------------ */

struct race {
    struct space *s;
    struct ram *r;
    uint32_t stop, bad;
};

/* Whatever is changed, each address shows RAM of its own place or nothing. */
static void *reader(void *ctx)
{
    struct race *x = ctx;
    uint64_t seed = (uintptr_t)&seed | 1;
    while (!__atomic_load_n(&x->stop, __ATOMIC_RELAXED)) {
        struct mem_range r;
        uint64_t a = rnd(&seed) % (64 * RAM_PAGE);
        bool found = space_find(x->s, a, &r);
        if (a < r.start || a > r.last) x->bad = 1;
        if (found && (r.ram != x->r || r.ram_off != r.start)) x->bad = 2;
        if (!found && a < RAM_PAGE) x->bad = 3;
    }
    return NULL;
}

static void readers(void **st)
{
    struct mem *m = mem_new();
    struct race x = { .s = space_new(m, "s"), .r = ram_new(m, "r", 64 * RAM_PAGE, false, NULL) };
    struct window *w[64] = { 0 };
    pthread_t t[2];
    uint64_t seed = 77;
    space_map_ram(x.s, 0, x.r, 0, RAM_PAGE, 0);
    for (unsigned i = 0; i < 2; i++) pthread_create(&t[i], NULL, reader, &x);
    for (unsigned n = 0; n < 20000; n++) {
        unsigned i = 1 + rnd(&seed) % 63;
        if (w[i]) {
            window_free(w[i]);
            w[i] = NULL;
        } else {
            w[i] = space_map_ram(x.s, i * RAM_PAGE, x.r, i * RAM_PAGE, (1 + rnd(&seed) % 3) * RAM_PAGE, 0);
        }
    }
    __atomic_store_n(&x.stop, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 2; i++) pthread_join(t[i], NULL);
    assert_int_equal(x.bad, 0);
    mem_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ram_blocks), cmocka_unit_test(ram_pages), cmocka_unit_test(random_maps), cmocka_unit_test(space_ends),
        cmocka_unit_test(shapes), cmocka_unit_test(edges), cmocka_unit_test(locks_and_generations), cmocka_unit_test(romd),
        cmocka_unit_test(dma), cmocka_unit_test(readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
