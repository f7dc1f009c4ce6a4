/*
 * vdso.c: the shared object a Linux kernel maps into every process, built in memory: ELF headers, a System V hash table,
 * versioned dynamic symbols (LINUX_4.15), and functions that are one system call each. Unwinders know the signal
 * trampoline by its two instructions, li a7,139; ecall.
 */
#include <elf.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include "vdso.h"

enum { IMAGE = 4096, TEXT = 0x800, PHDRS = 2, NR_SIGRETURN = 139, ECALL = 0x73, RET = 0x8067 };
#define LI_A7(n) ((uint32_t)(n) << 20 | 0x893)

static const char version[] = "LINUX_4.15", soname[] = "linux-vdso.so.1";

struct function {
    const char *name;
    uint16_t nr;
};
static const struct function functions64[] = {
    { "__vdso_rt_sigreturn", NR_SIGRETURN }, { "__vdso_gettimeofday", 169 }, { "__vdso_clock_gettime", 113 },
    { "__vdso_clock_getres", 114 }, { "__vdso_getcpu", 168 }, { "__vdso_flush_icache", 259 },
    { "__vdso_riscv_hwprobe", 258 }, { NULL, 0 },
};
static const struct function functions32[] = {
    { "__vdso_rt_sigreturn", NR_SIGRETURN }, { "__vdso_getcpu", 168 }, { "__vdso_flush_icache", 259 },
    { "__vdso_riscv_hwprobe", 258 }, { NULL, 0 },
};

static uint32_t elf_hash(const char *s)
{
    uint32_t h = 0;
    for (; *s; s++) {
        h = (h << 4) + (uint8_t)*s;
        h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
    }
    return h;
}

/* The image grows by pieces; every piece's address is its offset. */
struct image {
    uint8_t *base;
    size_t at;
};
static size_t put(struct image *im, const void *p, size_t n, size_t align)
{
    size_t at = im->at = (im->at + align - 1) & ~(align - 1);
    if (p) memcpy(im->base + at, p, n);
    im->at += n;
    return at;
}

/* Where the tables are, as the dynamic section says it. */
struct tables {
    size_t hash, sym, str, strsz, versym, verdef, name, dyn, dyn_end;
};

static size_t put_str(struct image *im, const struct tables *tb, const char *s)
{
    return put(im, s, strlen(s) + 1, 1) - tb->str;
}

/* Strings, symbols (function i at TEXT + 16 * i), one hash bucket, versions. */
static void put_symbols(struct image *im, struct tables *tb, const struct function *fn, unsigned n, int is64)
{
    size_t name[16], ver;
    uint32_t hash[16 + 3] = { 1, n + 1, 1 };
    uint16_t versym[16] = { 0 };

    tb->str = put(im, "", 1, 1);
    for (unsigned i = 0; i < n; i++) name[i] = put_str(im, tb, fn[i].name);
    ver = put_str(im, tb, version);
    tb->name = put_str(im, tb, soname);
    tb->strsz = im->at - tb->str;

    tb->sym = put(im, NULL, 0, 8);
    for (unsigned i = 0; i <= n; i++) {
        Elf64_Sym s = { 0 };
        if (i) s = (Elf64_Sym){ .st_name = (uint32_t)name[i - 1], .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                .st_shndx = 1, .st_value = TEXT + 16 * (i - 1), .st_size = fn[i - 1].nr == NR_SIGRETURN ? 8 : 12 };
        Elf32_Sym s32 = { s.st_name, (uint32_t)s.st_value, (uint32_t)s.st_size, s.st_info, 0, s.st_shndx };
        put(im, is64 ? (void *)&s : &s32, is64 ? sizeof s : sizeof s32, 1);
        hash[3 + i] = i && i < n ? i + 1 : 0; /* one chain through all */
        versym[i] = i ? 2 : 0;
    }
    tb->hash = put(im, hash, (4 + n) * 4, 4);
    tb->versym = put(im, versym, 2 * (n + 1), 2);
    tb->verdef = put(im, NULL, 0, 4);
    for (unsigned i = 1; i <= 2; i++) {
        Elf64_Verdef d = { 1, i == 1 ? VER_FLG_BASE : 0, (uint16_t)i, 1, elf_hash(i == 1 ? soname : version), sizeof d,
                           i == 1 ? sizeof d + sizeof(Elf64_Verdaux) : 0 };
        Elf64_Verdaux a = { (uint32_t)(i == 1 ? tb->name : ver), 0 };
        put(im, &d, sizeof d, 1);
        put(im, &a, sizeof a, 1);
    }
}

static void put_dynamic(struct image *im, struct tables *tb, int is64)
{
    const uint64_t dyn[][2] = {
        { DT_SONAME, tb->name }, { DT_HASH, tb->hash }, { DT_STRTAB, tb->str }, { DT_SYMTAB, tb->sym }, { DT_STRSZ, tb->strsz },
        { DT_SYMENT, is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym) }, { DT_VERSYM, tb->versym }, { DT_VERDEF, tb->verdef },
        { DT_VERDEFNUM, 2 }, { DT_NULL, 0 },
    };
    tb->dyn = put(im, NULL, 0, 8);
    for (size_t i = 0; i < sizeof dyn / sizeof *dyn; i++)
        for (int j = 0; j < 2; j++) put(im, &dyn[i][j], is64 ? 8 : 4, 1);
    tb->dyn_end = im->at;
}

static void put_headers(uint8_t *base, const struct tables *tb, int is64)
{
    const struct { uint32_t type, flags; size_t off, len, align; } seg[PHDRS] = {
        { PT_LOAD, PF_R | PF_X, 0, IMAGE, 4096 }, { PT_DYNAMIC, PF_R, tb->dyn, tb->dyn_end - tb->dyn, 8 },
    };
    struct image im = { base, 0 };
    Elf64_Ehdr e64 = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN, .e_machine = 243,
                       .e_version = 1, .e_phoff = sizeof e64, .e_ehsize = sizeof e64, .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = PHDRS, .e_flags = 5 /* RVC, double-float ABI */ };
    Elf32_Ehdr e32 = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN, .e_machine = 243,
                       .e_version = 1, .e_phoff = sizeof e32, .e_ehsize = sizeof e32, .e_phentsize = sizeof(Elf32_Phdr),
                       .e_phnum = PHDRS, .e_flags = 5 };

    put(&im, is64 ? (void *)&e64 : &e32, is64 ? sizeof e64 : sizeof e32, 1);
    for (unsigned i = 0; i < PHDRS; i++) {
        Elf64_Phdr p = { seg[i].type, seg[i].flags, seg[i].off, seg[i].off, seg[i].off, seg[i].len, seg[i].len, seg[i].align };
        Elf32_Phdr q = { seg[i].type, (uint32_t)seg[i].off, (uint32_t)seg[i].off, (uint32_t)seg[i].off, (uint32_t)seg[i].len,
                         (uint32_t)seg[i].len, seg[i].flags, (uint32_t)seg[i].align };
        put(&im, is64 ? (void *)&p : &q, is64 ? sizeof p : sizeof q, 1);
    }
}

static void build(uint8_t *base, const struct function *fn, int is64)
{
    struct image im = { base, is64 ? sizeof(Elf64_Ehdr) + PHDRS * sizeof(Elf64_Phdr) : sizeof(Elf32_Ehdr) + PHDRS * sizeof(Elf32_Phdr) };
    struct tables tb;
    unsigned n = 0;

    while (fn[n].name) n++;
    put_symbols(&im, &tb, fn, n, is64);
    put_dynamic(&im, &tb, is64);
    put_headers(base, &tb, is64);
    for (unsigned i = 0; i < n; i++) {
        uint32_t code[3] = { LI_A7(fn[i].nr), ECALL, RET };
        memcpy(base + TEXT + 16 * i, code, fn[i].nr == NR_SIGRETURN ? 8 : 12);
    }
}

static uint8_t images[2][IMAGE];
static void build_all(void)
{
    build(images[0], functions64, 1);
    build(images[1], functions32, 0);
}

static const void *image(unsigned i, size_t *size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build_all);
    *size = IMAGE;
    return images[i];
}
const void *riscv_vdso64(size_t *size)
{
    return image(0, size);
}
const void *riscv_vdso32(size_t *size)
{
    return image(1, size);
}
