/*
 * gdb_tls.c: where a thread-local variable is (qGetTLSAddr). gdb asks with the link map of the module (System V ABI, "Dynamic
 * Linking"; 0 for a static program) and the variable's offset in the module's block.
 *
 * Both ABIs have variant I (Drepper, "ELF Handling For Thread-Local Storage"): the program's own block follows the thread
 * pointer, in every libc. Blocks of libraries are found in glibc's vector of blocks (dtv) by the module's number, which
 * counts the modules with such blocks in the order they were loaded.
 * Gap: a library loaded by dlopen after another was unloaded has taken over that one's number.
 */
#include "control/gdb.h"

#include <elf.h>

enum { MODULES_MAX = 4096, PHDRS_MAX = 256 };

static bool word(struct gdb *g, uint64_t addr, uint64_t *v)
{
    uint8_t raw[8];
    if (gmem_read(g->mem, raw, addr, g->p->word, NULL) < 0) return false;
    *v = get_raw(g->p, raw, g->p->word);
    return true;
}

struct segment {
    uint64_t vaddr, align;
};

/* The PT_TLS of n program headers. */
static bool tls_segment(struct gdb *g, uint64_t phdr, uint64_t n, struct segment *s)
{
    bool wide = g->p->word == 8;
    uint8_t raw[sizeof(Elf64_Phdr)];
    size_t size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    for (uint64_t i = 0; i < MIN(n, (uint64_t)PHDRS_MAX); i++) {
        if (gmem_read(g->mem, raw, phdr + i * size, size, NULL) < 0) return false;
        if (get_raw(g->p, raw, 4) != PT_TLS) continue;
        s->vaddr = get_raw(g->p, raw + (wide ? offsetof(Elf64_Phdr, p_vaddr) : offsetof(Elf32_Phdr, p_vaddr)), g->p->word);
        s->align = get_raw(g->p, raw + (wide ? offsetof(Elf64_Phdr, p_align) : offsetof(Elf32_Phdr, p_align)), g->p->word);
        return true;
    }
    return false;
}

/* The same of a library by the address it is loaded at: its ELF header is there. */
static bool library_has_tls(struct gdb *g, uint64_t base)
{
    bool wide = g->p->word == 8;
    uint8_t h[sizeof(Elf64_Ehdr)];
    struct segment s;
    if (gmem_read(g->mem, h, base, wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr), NULL) < 0 || memcmp(h, ELFMAG, SELFMAG)) return false;
    uint64_t off = get_raw(g->p, h + (wide ? offsetof(Elf64_Ehdr, e_phoff) : offsetof(Elf32_Ehdr, e_phoff)), g->p->word);
    uint64_t n = get_raw(g->p, h + (wide ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)), 2);
    return tls_segment(g, base + off, n, &s);
}

/* struct link_map: l_addr, l_name, l_ld, l_next, l_prev, a word each. The first one is the program's. */
enum { L_ADDR, L_PREV = 4 };

/* A module's number; 0 if it has none. */
static uint64_t module_number(struct gdb *g, uint64_t map, bool program_has)
{
    uint64_t n = 0, prev, base;
    for (unsigned budget = MODULES_MAX; budget; budget--, map = prev) {
        if (!word(g, map + L_PREV * g->p->word, &prev) || !word(g, map + L_ADDR * g->p->word, &base)) return 0;
        if (!prev) return n + program_has;
        if (library_has_tls(g, base))
            n++;
        else if (!n) /* the module asked for */
            return 0;
    }
    return 0;
}

bool gdb_tls_address(struct gdb *g, const struct gdb_thread *th, uint64_t map, uint64_t offset, uint64_t *addr)
{
    const struct guest_linux *lnx = g->p->lnx;
    struct segment own;
    bool program_has = tls_segment(g, g->p->image.phdr, g->p->image.phnum, &own);
    uint64_t tp = lnx->get_tls(th->t->cpu), prev = 0, dtv, block;
    if (!tp || (map && !word(g, map + L_PREV * g->p->word, &prev))) return false;
    if (!prev) {
        if (!program_has) return false;
        block = lnx->tls_block;
        if (own.align) block += (own.vaddr - block) & (own.align - 1);
        *addr = tp + block + offset;
        return true;
    }
    uint64_t number = module_number(g, map, program_has), entries;
    if (!number || !word(g, tp + (uint64_t)(int64_t)lnx->tls_dtv, &dtv) || !word(g, dtv - 2 * g->p->word, &entries)) return false;
    if (number > entries || !word(g, dtv + 2 * g->p->word * number, &block)) return false;
    if (block == bits_mask(8 * g->p->word)) return false; /* this thread has not touched it yet */
    *addr = block + offset;
    return true;
}
