/*
 * dma.c: devices' accesses to memory: RAM only, through an IOMMU where there is one. A device never reaches another device's
 * registers by it, so no register handler runs inside another. Known gaps: none.
 */
#include "mem/space.h"

/* The run at addr that is contiguous and of one kind: its block, place and length (at most len). */
static int dma_run(const struct dma *d, uint64_t addr, uint64_t len, bool write, struct ram **ram, uint64_t *off, uint64_t *n)
{
    struct mem_range r;
    uint64_t phys = addr, run = len;
    if (d->iommu) {
        int err = d->iommu(d->iommu_ctx, addr, write, &phys, &run, d->attr);
        if (err) return err;
        if (!run) return -EFAULT;
        run = MIN(run, len);
    }
    if (!d->space || !space_find(d->space, phys, &r) || !r.ram) return -EFAULT;
    if (write && (r.readonly || r.ops)) return -EFAULT;
    *ram = r.ram;
    *off = r.ram_off + (phys - r.start);
    *n = run - 1 > r.last - phys ? r.last - phys + 1 : run;
    return 0;
}

int dma_read(const struct dma *d, uint64_t addr, void *buf, uint64_t len)
{
    struct ram *r;
    uint64_t off, n;
    if (len && len - 1 > UINT64_MAX - addr) return -EFAULT;
    for (uint8_t *p = buf; len; addr += n, p += n, len -= n) {
        int err = dma_run(d, addr, len, false, &r, &off, &n);
        if (err) return err;
        if (!ram_read(r, off, p, n)) return -EFAULT;
    }
    return 0;
}

int dma_write(const struct dma *d, uint64_t addr, const void *buf, uint64_t len)
{
    struct ram *r;
    uint64_t off, n;
    if (len && len - 1 > UINT64_MAX - addr) return -EFAULT;
    for (const uint8_t *p = buf; len; addr += n, p += n, len -= n) {
        int err = dma_run(d, addr, len, true, &r, &off, &n);
        if (err) return err;
        if (!ram_write(r, off, p, n)) return -EFAULT;
    }
    return 0;
}

uint64_t dma_ld(const struct dma *d, uint64_t addr, unsigned size, bool *ok)
{
    struct ram *r;
    uint64_t off, n, v = 0;
    bool good = !dma_run(d, addr, size, false, &r, &off, &n);
    if (good && n >= size) v = ram_ld(r, off, size);
    else good = good && !dma_read(d, addr, &v, size);
    if (ok) *ok = good;
    return good ? v : 0;
}

bool dma_st(const struct dma *d, uint64_t addr, uint64_t val, unsigned size)
{
    struct ram *r;
    uint64_t off, n;
    if (dma_run(d, addr, size, true, &r, &off, &n)) return false;
    if (n < size) return !dma_write(d, addr, &val, size);
    ram_st(r, off, size, val);
    return true;
}

void *dma_map(const struct dma *d, uint64_t addr, uint64_t *len, bool write)
{
    struct ram *r;
    uint64_t off, n;
    if (!*len || *len - 1 > UINT64_MAX - addr || dma_run(d, addr, *len, write, &r, &off, &n) || !ram_pin(r)) return NULL;
    *len = n;
    return r->host + off;
}

void dma_unmap(const struct dma *d, void *host, uint64_t len, bool write, uint64_t written)
{
    if (host) ram_unpin(space_mem(d->space), host, write ? MIN(written, len) : 0);
}

void dma_msi(const struct dma *d, uint64_t addr, uint32_t data)
{
    uint64_t phys = addr, run = 4;
    if (addr & 3) return;
    if (d->iommu && (d->iommu(d->iommu_ctx, addr, true, &phys, &run, d->attr) || run < 4)) return;
    if (d->msi && d->msi(d->msi_ctx, phys, data, d->attr)) return;
    struct mem_range r; /* a plain write to memory, as the bus would do */
    if (d->space && space_find(d->space, phys, &r) && r.ram && !r.readonly && !r.ops && r.last - phys >= 3)
        ram_st(r.ram, r.ram_off + (phys - r.start), 4, data);
}
