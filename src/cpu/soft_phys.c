/*
 * soft_phys.c: memory in system mode by other ways than a CPU's TLB: translations asked for by instructions and debuggers, a
 * debugger's reads and writes, entries of page tables.
 */
#include "cpu/engine.h"
#include "cpu/soft.h"
#include "mem/access.h"

bool soft_translate(CPU *cpu, unsigned view, uint64_t va, unsigned access, struct walk *w)
{
    *w = (struct walk){ .page_bits = TLB_PAGE_BITS };
    return cpu->v->sys->walk(cpu, va, access, view, true, w);
}

size_t soft_debug(CPU *cpu, uint64_t va, void *buf, size_t len, bool write)
{
    size_t done = 0;
    while (done < len) {
        struct walk w;
        uint64_t at = va + done, n = MIN(len - done, TLB_PAGE - (at & (TLB_PAGE - 1)));
        if (!soft_translate(cpu, VIEW_MAIN, at, EXF_READ, &w) && !soft_translate(cpu, VIEW_MAIN, at, EXF_EXEC, &w)) break;
        uint64_t got = write ? space_write(cpu->v->space, w.phys, (char *)buf + done, n, true)
                             : space_read(cpu->v->space, w.phys, (char *)buf + done, n);
        done += got;
        if (got < n) break;
    }
    return done;
}

static void *pt_host(CPU *cpu, uint64_t phys, unsigned size, bool write, struct ram **ram, uint64_t *off)
{
    struct mem_range r;
    if (phys & (size - 1) || !space_find(cpu->v->space, phys, &r) || !r.ram || r.last - phys < size - 1) return NULL;
    if (write && (r.readonly || r.ops || r.ram->readonly)) return NULL;
    *ram = r.ram;
    *off = r.ram_off + (phys - r.start);
    return r.ram->host + *off;
}

bool sys_pt_ld(CPU *cpu, uint64_t phys, unsigned size, uint64_t *val, struct mem_attr at)
{
    struct ram *ram;
    uint64_t off;
    const void *p = pt_host(cpu, phys, size, false, &ram, &off);
    if (!p) return false;
    *val = size == 4 ? access_ld32(p) : access_ld64(p);
    return true;
}

bool sys_pt_cas(CPU *cpu, uint64_t phys, unsigned size, uint64_t *old, uint64_t val, struct mem_attr at)
{
    struct ram *ram;
    uint64_t off;
    void *p = pt_host(cpu, phys, size, true, &ram, &off);
    bool done;
    if (!p) return false;
    if (size == 4) {
        uint32_t o = (uint32_t)*old;
        done = __atomic_compare_exchange_n((uint32_t *)p, &o, (uint32_t)val, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        *old = o;
    } else {
        done = __atomic_compare_exchange_n((uint64_t *)p, old, val, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    if (done) ram_written(ram, off, size);
    return done;
}
