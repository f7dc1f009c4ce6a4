/*
 * vdso.c: builds the vdso image: ELF headers, one hash bucket, symbols of one version, functions 16 bytes apart.
 * Specification: System V ABI (gABI), chapters 4 and 5; symbol versions as in the LSB.
 */
#include "cpu/vdso.h"

#include <elf.h>

enum { TEXT = 0x800, PHDRS = 2 };
static const char soname[] = "linux-vdso.so.1";

/* The image grows by pieces; every piece's address is its offset. */
struct image {
    uint8_t *base;
    size_t at;
    bool is64;
};
/* Where the tables are, as the dynamic section says it. */
struct tables {
    size_t hash, sym, str, strsz, versym, verdef, name, dyn, dyn_end;
};

static size_t put(struct image *im, const void *p, size_t n, size_t align)
{
    size_t at = im->at = ALIGN_UP(im->at, align);
    if (p && at + n <= VDSO_BYTES) memcpy(im->base + at, p, n);
    im->at += n;
    return at;
}
static size_t put_str(struct image *im, const struct tables *tb, const char *s)
{
    return put(im, s, strlen(s) + 1, 1) - tb->str;
}
static uint32_t elf_hash(const char *s)
{
    uint32_t h = 0;
    for (; *s; s++) {
        h = (h << 4) + (uint8_t)*s;
        h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
    }
    return h;
}

static void put_versions(struct image *im, struct tables *tb, const char *version, size_t version_at)
{
    tb->verdef = put(im, NULL, 0, 4);
    for (unsigned i = 1; i <= 2; i++) {
        Elf64_Verdef d = { 1, i == 1 ? VER_FLG_BASE : 0, (uint16_t)i, 1, elf_hash(i == 1 ? soname : version), sizeof d,
                           i == 1 ? sizeof d + sizeof(Elf64_Verdaux) : 0 };
        Elf64_Verdaux a = { (uint32_t)(i == 1 ? tb->name : version_at), 0 };
        put(im, &d, sizeof d, 1);
        put(im, &a, sizeof a, 1);
    }
}

static void put_symbols(struct image *im, struct tables *tb, const struct vdso_desc *d, unsigned n)
{
    size_t name[VDSO_FNS_MAX], version;
    uint32_t hash[4 + VDSO_FNS_MAX] = { 1, n + 1, 1 };
    uint16_t versym[1 + VDSO_FNS_MAX] = { 0 };

    tb->str = put(im, "", 1, 1);
    for (unsigned i = 0; i < n; i++) name[i] = put_str(im, tb, d->fn[i].name);
    version = put_str(im, tb, d->version);
    tb->name = put_str(im, tb, soname);
    tb->strsz = im->at - tb->str;

    tb->sym = put(im, NULL, 0, 8);
    for (unsigned i = 0; i <= n; i++) {
        Elf64_Sym s = { 0 };
        if (i)
            s = (Elf64_Sym){ .st_name = (uint32_t)name[i - 1], .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1,
                             .st_value = TEXT + 16 * (i - 1), .st_size = 4u * d->fn[i - 1].words };
        Elf32_Sym s32 = { s.st_name, (uint32_t)s.st_value, (uint32_t)s.st_size, s.st_info, 0, s.st_shndx };
        put(im, im->is64 ? (void *)&s : &s32, im->is64 ? sizeof s : sizeof s32, 1);
        hash[3 + i] = i && i < n ? i + 1 : 0; /* one chain through all */
        versym[i] = i ? 2 : 0;
    }
    tb->hash = put(im, hash, (4 + n) * 4, 4);
    tb->versym = put(im, versym, 2 * (n + 1), 2);
    put_versions(im, tb, d->version, version);
}

static void put_dynamic(struct image *im, struct tables *tb)
{
    const uint64_t dyn[][2] = {
        { DT_SONAME, tb->name }, { DT_HASH, tb->hash }, { DT_STRTAB, tb->str }, { DT_SYMTAB, tb->sym },
        { DT_STRSZ, tb->strsz }, { DT_SYMENT, im->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym) },
        { DT_VERSYM, tb->versym }, { DT_VERDEF, tb->verdef }, { DT_VERDEFNUM, 2 }, { DT_NULL, 0 },
    };
    tb->dyn = put(im, NULL, 0, 8);
    for (size_t i = 0; i < ARRAY_LEN(dyn); i++)
        for (int j = 0; j < 2; j++) put(im, &dyn[i][j], im->is64 ? 8 : 4, 1);
    tb->dyn_end = im->at;
}

static void put_headers(struct image *im, const struct tables *tb, const struct vdso_desc *d)
{
    const struct { uint32_t type, flags; size_t off, len, align; } seg[PHDRS] = {
        { PT_LOAD, PF_R | PF_X, 0, VDSO_BYTES, 4096 }, { PT_DYNAMIC, PF_R, tb->dyn, tb->dyn_end - tb->dyn, 8 },
    };
    Elf64_Ehdr e64 = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN,
                       .e_machine = d->machine, .e_version = 1, .e_phoff = sizeof e64, .e_ehsize = sizeof e64,
                       .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = PHDRS, .e_flags = d->flags };
    Elf32_Ehdr e32 = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN,
                       .e_machine = d->machine, .e_version = 1, .e_phoff = sizeof e32, .e_ehsize = sizeof e32,
                       .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = PHDRS, .e_flags = d->flags };

    im->at = 0;
    put(im, im->is64 ? (void *)&e64 : &e32, im->is64 ? sizeof e64 : sizeof e32, 1);
    for (unsigned i = 0; i < PHDRS; i++) {
        Elf64_Phdr p = { seg[i].type, seg[i].flags, seg[i].off, seg[i].off, seg[i].off, seg[i].len, seg[i].len, seg[i].align };
        Elf32_Phdr q = { seg[i].type, (uint32_t)seg[i].off, (uint32_t)seg[i].off, (uint32_t)seg[i].off, (uint32_t)seg[i].len,
                         (uint32_t)seg[i].len, seg[i].flags, (uint32_t)seg[i].align };
        put(im, im->is64 ? (void *)&p : &q, im->is64 ? sizeof p : sizeof q, 1);
    }
}

void vdso_build(uint8_t image[VDSO_BYTES], const struct vdso_desc *d)
{
    bool is64 = d->elf_class == 2;
    struct image im = { image, is64 ? sizeof(Elf64_Ehdr) + PHDRS * sizeof(Elf64_Phdr)
                                    : sizeof(Elf32_Ehdr) + PHDRS * sizeof(Elf32_Phdr), is64 };
    struct tables tb;
    unsigned n = 0;

    while (n < VDSO_FNS_MAX && d->fn[n].name) n++;
    put_symbols(&im, &tb, d, n);
    put_dynamic(&im, &tb);
    put_headers(&im, &tb, d);
    for (unsigned i = 0; i < n; i++) {
        im.at = TEXT + 16 * i;
        put(&im, d->fn[i].code, 4u * d->fn[i].words, 1);
    }
}
