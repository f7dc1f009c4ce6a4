/*
 * regs.c: registers by table: which row an access hits, what reads and writes do, values at reset. No handler ever sees an offset that
 * is not in its table. Known gaps: none.
 */
#include "dev/core.h"

static unsigned row_size(const struct reg *r)
{
    return r->size ? r->size : 4;
}

static unsigned row_count(const struct reg *r)
{
    return r->count ? r->count : 1;
}

static uint32_t row_step(const struct reg *r)
{
    return r->step ? r->step : row_size(r);
}

/* Is off inside the row? *i: which of its registers, *byte: which byte of it. */
static bool row_hit(const struct reg *r, uint64_t off, unsigned *i, unsigned *byte)
{
    if (off < r->off) return false;
    uint64_t rel = off - r->off, n = rel / row_step(r);
    if (n >= row_count(r) || rel % row_step(r) >= row_size(r)) return false;
    *i = (unsigned)n;
    *byte = (unsigned)(rel % row_step(r));
    return true;
}

static const struct reg *find(struct dev *d, const struct reg *regs, unsigned nregs, uint64_t off, unsigned *i, unsigned *byte)
{
    uint32_t hint = d->hint;
    if (hint < nregs && row_hit(&regs[hint], off, i, byte)) return &regs[hint];
    for (unsigned n = 0; n < nregs; n++)
        if (row_hit(&regs[n], off, i, byte)) {
            d->hint = n;
            return &regs[n];
        }
    return NULL;
}

static uint8_t *field(struct dev *d, const struct reg *r, unsigned i)
{
    return (uint8_t *)d + r->field + (size_t)i * r->field_size;
}

static uint64_t field_get(struct dev *d, const struct reg *r, unsigned i)
{
    uint64_t v = 0;
    if (r->field_size) memcpy(&v, field(d, r, i), MIN(r->field_size, 8u));
    return v;
}

static void field_put(struct dev *d, const struct reg *r, unsigned i, uint64_t v)
{
    if (r->field_size) memcpy(field(d, r, i), &v, MIN(r->field_size, 8u));
}

static uint64_t row_read(struct dev *d, const struct reg *r, unsigned i)
{
    if (r->access == WO || r->access == REG_RES) return 0;
    uint64_t v = r->read ? r->read(d, i) : field_get(d, r, i);
    if (r->access == RC && !r->read) {
        field_put(d, r, i, 0);
        if (r->after) r->after(d, i);
    }
    return v & bits_mask(8 * row_size(r));
}

/* v: the new bytes in their places; bytes: which ones, as a mask of bits. */
static void row_write(struct dev *d, const struct reg *r, unsigned i, uint64_t v, uint64_t bytes)
{
    uint64_t mask = r->mask ? r->mask : bits_mask(8 * row_size(r)), old = field_get(d, r, i);
    if (r->access == RO || r->access == RC || r->access == REG_RES) return;
    if (r->write) {
        /* what is cleared or set by ones has zeros in the bytes that are not written */
        uint64_t keep = r->access == RW || r->access == WO ? old & ~bytes : 0;
        r->write(d, i, ((v & bytes) | keep) & mask);
    } else {
        uint64_t ones = v & mask & bytes;
        field_put(d, r, i, r->access == W1C ? old & ~ones : r->access == W1S ? old | ones : (old & ~(mask & bytes)) | ones);
    }
    if (r->after) r->after(d, i);
}

/* The bytes of one access that belong together: to one register, or to none. */
struct bite {
    const struct reg *row;
    unsigned i, byte, n;
};

static struct bite bite(struct dev *d, const struct reg *regs, unsigned nregs, uint64_t off, unsigned size)
{
    struct bite b = { 0 };
    b.row = find(d, regs, nregs, off, &b.i, &b.byte);
    if (b.row) {
        b.n = MIN(size, row_size(b.row) - b.byte);
    } else { /* up to the next byte that is there */
        unsigned i, byte;
        for (b.n = 1; b.n < size && !find(d, regs, nregs, off + b.n, &i, &byte); b.n++) {}
    }
    return b;
}

static void note(struct dev *d, const struct reg *regs, const struct bite *b, bool write, uint64_t off, uint64_t v)
{
    if (!b->row) {
        if (regs == d->cls->regs && d->cls->ops) return; /* the device knows better */
        dev_guest_error(d, false, "%s of %u bytes at 0x%llx, where no register is", write ? "write" : "read", b->n, (unsigned long long)off);
    } else if (unlikely(dev_trace_on)) {
        dev_trace(write ? "reg_write" : "reg_read", "%s %s[%u] = 0x%llx", d->id ? d->id : d->cls->name, b->row->name, b->i,
                  (unsigned long long)v);
    }
}

/* Fallback for what the table does not have: the class's raw handlers. */
static const struct mmio_ops *raw(struct dev *d, const struct reg *regs)
{
    return regs == d->cls->regs ? d->cls->ops : NULL;
}

uint64_t regs_read(struct dev *d, const struct reg *regs, unsigned nregs, uint64_t off, unsigned size)
{
    uint64_t v = 0;
    for (unsigned done = 0; done < size && size <= 8;) {
        struct bite b = bite(d, regs, nregs, off + done, size - done);
        uint64_t part = 0;
        const struct mmio_ops *ops = raw(d, regs);
        if (b.row) part = row_read(d, b.row, b.i) >> (8 * b.byte);
        else if (ops && ops->read) part = ops->read(d, off + done, b.n, d->access);
        v |= (part & bits_mask(8 * b.n)) << (8 * done);
        note(d, regs, &b, false, off + done, part);
        done += b.n;
    }
    return v;
}

void regs_write(struct dev *d, const struct reg *regs, unsigned nregs, uint64_t off, uint64_t v, unsigned size)
{
    for (unsigned done = 0; done < size && size <= 8;) {
        struct bite b = bite(d, regs, nregs, off + done, size - done);
        uint64_t part = (v >> (8 * done)) & bits_mask(8 * b.n);
        const struct mmio_ops *ops = raw(d, regs);
        note(d, regs, &b, true, off + done, part);
        if (b.row) row_write(d, b.row, b.i, part << (8 * b.byte), bits_mask(8 * b.n) << (8 * b.byte));
        else if (ops && ops->write) ops->write(d, off + done, part, b.n, d->access);
        done += b.n;
    }
}

/* First all to 0, then the rows that say something: several rows may show one field (set and clear registers). */
void regs_reset(struct dev *d, const struct reg *regs, unsigned nregs)
{
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned n = 0; n < nregs; n++)
            for (unsigned i = 0; regs[n].field_size && i < row_count(&regs[n]); i++)
                if (!pass || regs[n].reset) field_put(d, &regs[n], i, pass ? regs[n].reset : 0);
}

static uint64_t dev_regs_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct dev *d = dev;
    if (unlikely(d->failed)) return 0;
    d->access = at;
    return regs_read(d, d->cls->regs, d->cls->nregs, off, size);
}

static void dev_regs_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct dev *d = dev;
    if (unlikely(d->failed)) return;
    d->access = at;
    regs_write(d, d->cls->regs, d->cls->nregs, off, v, size);
}

const struct mmio_ops regs_ops = { .read = dev_regs_read, .write = dev_regs_write };
