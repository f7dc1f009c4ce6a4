/*
 * loader.c: a program becomes a process image: ELF segments, interpreter, vdso, stack with arguments and auxiliary vector.
 * References: System V gABI chapter 5 (program loading), the psABI supplements, Linux's linux/auxvec.h.
 * Everything in a file is checked before it is used; a bad file ends in a sentence.
 */
#include "user/linux/user.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* An ELF header and a program header, whatever the class. */
struct ehdr {
    uint16_t type, machine, phentsize, phnum;
    uint32_t flags;
    uint64_t entry, phoff;
};
struct phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz, align;
};

struct elf {
    struct proc *p;
    int fd;
    const char *name;
    uint64_t size;      /* of the file */
    struct ehdr h;
    struct phdr *ph;
    uint64_t lo, hi;    /* extent of PT_LOAD */
    bool guard;         /* its code is to be guarded */
};

static bool is_64(const struct proc *p)
{
    return p->word == 8;
}

static uint64_t rd(const struct proc *p, const uint8_t *b, unsigned off, unsigned size)
{
    return get_raw(p, b + off, size);
}

static void parse_ehdr(const struct proc *p, const uint8_t *b, struct ehdr *h)
{
    bool w = is_64(p);
    h->type = (uint16_t)rd(p, b, 16, 2);
    h->machine = (uint16_t)rd(p, b, 18, 2);
    h->entry = rd(p, b, 24, p->word);
    h->phoff = rd(p, b, w ? 32 : 28, p->word);
    h->flags = (uint32_t)rd(p, b, w ? 48 : 36, 4);
    h->phentsize = (uint16_t)rd(p, b, w ? 54 : 42, 2);
    h->phnum = (uint16_t)rd(p, b, w ? 56 : 44, 2);
}

static void parse_phdr(const struct proc *p, const uint8_t *b, struct phdr *ph)
{
    bool w = is_64(p);
    unsigned n = p->word;
    ph->type = (uint32_t)rd(p, b, 0, 4);
    ph->flags = (uint32_t)rd(p, b, w ? 4 : 24, 4);
    ph->offset = rd(p, b, w ? 8 : 4, n);
    ph->vaddr = rd(p, b, w ? 16 : 8, n);
    ph->filesz = rd(p, b, w ? 32 : 16, n);
    ph->memsz = rd(p, b, w ? 40 : 20, n);
    ph->align = rd(p, b, w ? 48 : 28, n);
}

/* Machines that the host runs. */
static bool host_machine(unsigned machine)
{
    return machine == EM_X86_64 || machine == EM_386;
}

bool file_is_host(const struct guest *g)
{
    return host_machine(g->elf_machine);
}

enum file_kind file_kind(int fd, const struct guest **found, char *head, size_t head_size)
{
    uint8_t b[64];
    ssize_t n = pread(fd, head, head_size - 1, 0);
    *found = NULL;
    if (n < 0) n = 0;
    head[n] = 0;
    if (n >= 2 && head[0] == '#' && head[1] == '!') return FILE_SCRIPT;
    if (n < 52 || memcmp(head, ELFMAG, SELFMAG)) return FILE_OTHER;
    memcpy(b, head, MIN((size_t)n, sizeof b));
    bool big = b[EI_DATA] == ELFDATA2MSB;
    unsigned machine = big ? (unsigned)b[18] << 8 | b[19] : (unsigned)b[19] << 8 | b[18];
    for (const struct guest *const *g = guest_registry; *g; g++)
        if ((*g)->elf_machine == machine && (*g)->elf_class == b[EI_CLASS] && (*g)->big_endian == big && (*g)->lnx) *found = *g;
    if (*found) return FILE_GUEST;
    return host_machine(machine) ? FILE_HOST : FILE_OTHER;
}

static int check_header(struct elf *f, const uint8_t *b, size_t n, struct err *e)
{
    const struct guest *g = f->p->guest;
    if (n < EI_NIDENT || memcmp(b, ELFMAG, SELFMAG)) return err_set(e, ENOEXEC, "%s: not an ELF file", f->name);
    if (b[EI_CLASS] != g->elf_class || b[EI_DATA] != (g->big_endian ? ELFDATA2MSB : ELFDATA2LSB))
        return err_set(e, ENOEXEC, "%s: not a %u-bit %s-endian ELF file, which %s needs", f->name, f->p->word * 8,
                       g->big_endian ? "big" : "little", g->name);
    if (n < (is_64(f->p) ? 64u : 52u)) return err_set(e, ENOEXEC, "%s: the ELF header is cut short", f->name);
    parse_ehdr(f->p, b, &f->h);
    if (f->h.machine != g->elf_machine)
        return err_set(e, ENOEXEC, "%s: an ELF file for machine %u, not for %s (%u)", f->name, f->h.machine, g->name, g->elf_machine);
    if (f->h.type != ET_EXEC && f->h.type != ET_DYN)
        return err_set(e, ENOEXEC, "%s: ELF type %u is not a program (executable or shared object)", f->name, f->h.type);
    unsigned phsize = is_64(f->p) ? 56 : 32;
    if (f->h.phentsize != phsize)
        return err_set(e, ENOEXEC, "%s: program headers of %u bytes, should be %u", f->name, f->h.phentsize, phsize);
    if (!f->h.phnum || f->h.phoff > f->size || (uint64_t)f->h.phnum * phsize > f->size - f->h.phoff)
        return err_set(e, ENOEXEC, "%s: %u program headers at 0x%llx do not lie in the file", f->name, f->h.phnum,
                       (unsigned long long)f->h.phoff);
    return 0;
}

static int check_segment(struct elf *f, const struct phdr *ph, unsigned i, struct err *e)
{
    uint64_t limit = gmem_limit(f->p->mem), page = gmem_page(f->p->mem);
    if (ph->filesz > ph->memsz)
        return err_set(e, ENOEXEC, "%s: segment %u has more in the file (0x%llx) than in memory (0x%llx)", f->name, i,
                       (unsigned long long)ph->filesz, (unsigned long long)ph->memsz);
    if (ph->filesz && (ph->offset > f->size || ph->filesz > f->size - ph->offset))
        return err_set(e, ENOEXEC, "%s: segment %u ends past the end of the file", f->name, i);
    if (ph->vaddr >= limit || ph->memsz > limit - page || ph->vaddr + ph->memsz > limit - page)
        return err_set(e, ENOEXEC, "%s: segment %u at 0x%llx, size 0x%llx, is outside the address space", f->name, i,
                       (unsigned long long)ph->vaddr, (unsigned long long)ph->memsz);
    return 0;
}

/* Reads and checks headers; f->ph is malloc'ed. */
static int elf_open(struct elf *f, struct err *e)
{
    uint8_t b[64];
    struct stat st;
    if (fstat(f->fd, &st) < 0) return err_set(e, errno, "%s: %s", f->name, strerror(errno));
    if (S_ISDIR(st.st_mode)) return err_set(e, EISDIR, "%s: is a directory", f->name);
    if (!S_ISREG(st.st_mode)) return err_set(e, EACCES, "%s: is not a regular file", f->name);
    f->size = (uint64_t)st.st_size;
    ssize_t n = pread(f->fd, b, sizeof b, 0);
    if (n < 0) return err_set(e, errno, "%s: %s", f->name, strerror(errno));
    int r = check_header(f, b, (size_t)n, e);
    if (r < 0) return r;
    size_t len = (size_t)f->h.phnum * f->h.phentsize;
    uint8_t *raw = xalloc(len);
    if (pread(f->fd, raw, len, (off_t)f->h.phoff) != (ssize_t)len) {
        free(raw);
        return err_set(e, EIO, "%s: cannot read the program headers", f->name);
    }
    f->ph = xalloc(f->h.phnum * sizeof *f->ph);
    f->lo = ~0ull;
    for (unsigned i = 0; i < f->h.phnum && r >= 0; i++) {
        struct phdr *ph = &f->ph[i];
        parse_phdr(f->p, raw + i * f->h.phentsize, ph);
        if (ph->type != PT_LOAD) continue;
        r = check_segment(f, ph, i, e);
        if (!ph->memsz) continue;
        f->lo = MIN(f->lo, ph->vaddr);
        f->hi = MAX(f->hi, ph->vaddr + ph->memsz);
    }
    free(raw);
    if (r >= 0 && !f->hi) r = err_set(e, ENOEXEC, "%s: no segment to load", f->name);
    return r;
}

/* Zeroes, or copies file data to, memory that is still writable. */
static int fill(struct elf *f, uint64_t addr, uint64_t len, int64_t off)
{
    static const uint8_t zero[4096];
    uint8_t buf[4096];
    while (len) {
        size_t n = MIN(len, sizeof buf);
        if (off >= 0) {
            ssize_t got = pread(f->fd, buf, n, off);
            if (got <= 0) return -EIO;
            n = (size_t)got;
            off += got;
        }
        int r = gmem_write(f->p->mem, addr, off >= 0 ? buf : zero, n, NULL);
        if (r < 0) return r;
        addr += n;
        len -= n;
    }
    return 0;
}

static int map_segment(struct elf *f, const struct phdr *ph, uint64_t base)
{
    struct gmem *m = f->p->mem;
    uint64_t page = gmem_page(m), start = base + ph->vaddr, lo = ALIGN_DOWN(start, page);
    uint64_t file_end = start + ph->filesz, end = ALIGN_UP(start + ph->memsz, page), map_end = lo;
    unsigned prot = (ph->flags & PF_R ? GP_READ : 0) | (ph->flags & PF_W ? GP_WRITE : 0) | (ph->flags & PF_X ? GP_EXEC : 0);
    if (f->guard && ph->flags & PF_X) prot |= GP_GUARD;
    /* file pages can be mapped when offset and address agree within a page */
    bool direct = ph->filesz && !((start ^ ph->offset) & (page - 1));
    bool tail = ph->memsz > ph->filesz && (file_end & (page - 1));
    bool late = !direct || (tail && !(prot & GP_WRITE)); /* must be written before it gets its protection */
    unsigned first = late ? GP_READ | GP_WRITE : prot;
    int64_t r = 0;
    if (direct) {
        map_end = ALIGN_UP(file_end, page);
        r = gmem_map(m, lo, map_end - lo, first, MAP_PRIVATE | MAP_FIXED, f->fd, ALIGN_DOWN(ph->offset, page));
        if (r < 0) return (int)r;
        if (tail) r = fill(f, file_end, map_end - file_end, -1); /* to the page's end: ld.so allocates from there */
        if (r < 0) return (int)r;
    }
    if (map_end < end) {
        r = gmem_map(m, map_end, end - map_end, first, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (r < 0) return (int)r;
    }
    if (!direct && ph->filesz) r = fill(f, start, ph->filesz, (int64_t)ph->offset);
    if (r >= 0 && late) r = gmem_protect(m, lo, end - lo, prot);
    return r < 0 ? (int)r : 0; /* it may be an address */
}

/* Free address space for an image or a stack: where it is wanted, or where the host has it. 0 if nowhere. */
static uint64_t find_room(struct gmem *m, uint64_t hint, uint64_t len, uint64_t align)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint64_t at = gmem_find(m, hint, len, align);
    int64_t got = at ? gmem_map(m, at, len, 0, flags, -1, 0) : -ENOMEM;
    if (got >= 0) gmem_unmap(m, (uint64_t)got, len);
    if (got >= 0 && !((uint64_t)got & (align - 1))) return (uint64_t)got;
    got = gmem_map(m, 0, len + align, 0, flags, -1, 0);
    if (got < 0) return 0;
    gmem_unmap(m, (uint64_t)got, len + align);
    return ALIGN_UP((uint64_t)got, align);
}

/* Maps all segments; *base is what was added to the addresses in the file. */
static int elf_map(struct elf *f, uint64_t hint, uint64_t *base, struct err *e)
{
    uint64_t page = gmem_page(f->p->mem), lo = ALIGN_DOWN(f->lo, page), align = page;
    *base = 0;
    if (f->h.type == ET_DYN) {
        for (unsigned i = 0; i < f->h.phnum; i++) {
            uint64_t a = f->ph[i].align;
            if (f->ph[i].type == PT_LOAD && a > align && !(a & (a - 1)) && a <= 1 << 30) align = a;
        }
        uint64_t at = find_room(f->p->mem, ALIGN_UP(hint, align), ALIGN_UP(f->hi, page) - lo, align);
        if (!at) return err_set(e, ENOMEM, "%s: no room for 0x%llx bytes", f->name, (unsigned long long)(f->hi - lo));
        *base = at - lo;
    } else if (f->lo < page) {
        return err_set(e, ENOEXEC, "%s: is linked at address 0x%llx, below the first page", f->name, (unsigned long long)f->lo);
    }
    for (unsigned i = 0; i < f->h.phnum; i++) {
        const struct phdr *ph = &f->ph[i];
        if (ph->type != PT_LOAD || !ph->memsz) continue;
        int r = map_segment(f, ph, *base);
        if (r < 0)
            return err_set(e, -r, "%s: cannot map segment %u at 0x%llx: %s", f->name, i,
                           (unsigned long long)(*base + ph->vaddr), strerror(-r));
    }
    return 0;
}

static const struct phdr *find_phdr(const struct elf *f, uint32_t type)
{
    for (unsigned i = 0; i < f->h.phnum; i++)
        if (f->ph[i].type == type) return &f->ph[i];
    return NULL;
}

/*
 * Whether the file's GNU property note says that its code can be guarded (BTI): asked of the file that is entered first, the
 * interpreter or a program without one; the interpreter looks after all else, by mprotect. A note that makes no sense says no.
 */
static bool wants_guard(const struct elf *f)
{
    enum { PT_GNU_PROPERTY_ = 0x6474e553, NT_GNU_PROPERTY_TYPE_0_ = 5, HEAD = 16 /* sizes, type, "GNU" */ };
    const struct proc *p = f->p;
    const struct phdr *ph = find_phdr(f, PT_GNU_PROPERTY_);
    uint8_t b[512];
    if (!p->lnx->guard_note.bit || !ph || ph->filesz < HEAD || ph->filesz > sizeof b) return false;
    if (pread(f->fd, b, ph->filesz, (off_t)ph->offset) != (ssize_t)ph->filesz) return false;
    if (rd(p, b, 0, 4) != 4 || rd(p, b, 8, 4) != NT_GNU_PROPERTY_TYPE_0_ || memcmp(b + 12, "GNU", 4)) return false;
    size_t end = MIN(ph->filesz - HEAD, rd(p, b, 4, 4)) + HEAD;
    for (size_t at = HEAD, size; end - at >= 8; at += 8 + size) {
        size = ALIGN_UP(rd(p, b, (unsigned)at + 4, 4), (uint64_t)p->word);
        if (size > end - at - 8) break;
        if (rd(p, b, (unsigned)at, 4) == p->lnx->guard_note.type && size >= 4)
            return rd(p, b, (unsigned)at + 8, 4) & p->lnx->guard_note.bit;
    }
    return false;
}

static int load_interp(struct proc *p, struct elf *prog, const struct phdr *ph, uint64_t *entry, struct err *e)
{
    char path[PATH_MAX], asked[PATH_MAX];
    if (!ph->filesz || ph->filesz >= sizeof path || pread(prog->fd, path, ph->filesz, (off_t)ph->offset) != (ssize_t)ph->filesz ||
        path[ph->filesz - 1] || !path[0])
        return err_set(e, ENOEXEC, "%s: PT_INTERP is not a path", prog->name);
    strcpy(asked, path);
    path_lookup(p, path, 0);
    struct elf f = { .p = p, .name = asked, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }; /* a FIFO has nobody at its other end */
    if (f.fd < 0)
        return err_set(e, errno, "%s: cannot open its interpreter '%s': %s (-L DIR names a directory that holds the guest's libraries)",
                       prog->name, asked, strerror(errno));
    int r = elf_open(&f, e);
    uint64_t limit = gmem_limit(p->mem);
    f.guard = r >= 0 && wants_guard(&f);
    if (r >= 0) r = elf_map(&f, limit / 2, &p->image.interp_base, e);
    if (r >= 0) *entry = p->image.interp_base + f.h.entry;
    free(f.ph);
    close(f.fd);
    return r;
}

/* Where the symbols of the vdso are: its sigreturn trampoline, for guests whose kernel uses that. */
static uint64_t vdso_symbol(const struct proc *p, const uint8_t *v, size_t size, const char *name)
{
    bool w = is_64(p);
    struct ehdr h;
    uint64_t strtab = 0, symtab = 0, nsym = 0;
    parse_ehdr(p, v, &h);
    for (unsigned i = 0; i < h.phnum && h.phoff + (i + 1) * h.phentsize <= size; i++) {
        struct phdr ph;
        parse_phdr(p, v + h.phoff + i * h.phentsize, &ph);
        if (ph.type != PT_DYNAMIC) continue;
        for (uint64_t o = ph.offset; o + 2 * p->word <= size; o += 2 * p->word) {
            uint64_t tag = rd(p, v + o, 0, p->word), val = rd(p, v + o, p->word, p->word);
            if (tag == DT_NULL) break;
            if (tag == DT_STRTAB) strtab = val;
            if (tag == DT_SYMTAB) symtab = val;
            if (tag == DT_HASH && val + 8 <= size) nsym = rd(p, v + val, 4, 4);
        }
    }
    unsigned entsize = w ? 24 : 16;
    for (uint64_t i = 0; i < nsym && symtab + (i + 1) * entsize <= size; i++) {
        const uint8_t *s = v + symtab + i * entsize;
        uint64_t str = strtab + rd(p, s, 0, 4);
        if (str + strlen(name) < size && !strcmp((const char *)v + str, name)) return rd(p, s, w ? 8 : 4, p->word);
    }
    return 0;
}

static int load_vdso(struct proc *p, struct err *e)
{
    size_t size;
    const void *image = p->lnx->vdso ? p->lnx->vdso(&size) : NULL;
    if (!image) return 0;
    static const char *const names[] = { "__vdso_rt_sigreturn", "__kernel_rt_sigreturn" };
    uint64_t page = gmem_page(p->mem), len = ALIGN_UP((uint64_t)size, page);
    int64_t at = gmem_map(p->mem, 0, len, GP_READ | GP_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0) return err_set(e, (int)-at, "no room for the vdso");
    gmem_write(p->mem, (uint64_t)at, image, size, NULL);
    gmem_protect(p->mem, (uint64_t)at, len, GP_READ | GP_EXEC);
    p->vdso = (uint64_t)at;
    p->vdso_end = p->vdso + len;
    for (unsigned i = 0; i < ARRAY_LEN(names) && !p->sigreturn; i++) {
        uint64_t sym = vdso_symbol(p, image, size, names[i]);
        if (sym) p->sigreturn = p->vdso + sym;
    }
    uint64_t vsyscall = vdso_symbol(p, image, size, "__kernel_vsyscall"); /* i386 */
    if (vsyscall) p->sysinfo = p->vdso + vsyscall;
    return 0;
}

static void random_bytes(const struct user_options *o, uint8_t b[16])
{
    if (!o->seed) {
        if (getrandom(b, 16, GRND_NONBLOCK) == 16) return;
    }
    uint64_t x = (o->seed ? strtoull(o->seed, NULL, 0) : (uint64_t)getpid()) * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned i = 0; i < 16; i++) {
        x ^= x >> 12, x ^= x << 25, x ^= x >> 27; /* xorshift64* */
        b[i] = (uint8_t)((x * 0x2545f4914f6cdd1dull) >> 56);
    }
}

/* Strings grow down from the top of the stack. */
struct stack {
    struct proc *p;
    uint64_t sp, floor;
    int err;
};

static uint64_t push(struct stack *s, const void *data, size_t n)
{
    if (s->err || s->sp - s->floor < n) {
        s->err = -E2BIG;
        return 0;
    }
    s->sp -= n;
    int r = gmem_write(s->p->mem, s->sp, data, n, NULL);
    if (r < 0) s->err = r;
    return s->sp;
}

static void aux(struct proc *p, uint64_t type, uint64_t val)
{
    p->auxv[p->nauxv++] = type;
    p->auxv[p->nauxv++] = val;
}

static void fill_auxv(struct proc *p, CPU *cpu, const struct elf *f, uint64_t execfn, uint64_t rnd, uint64_t platform)
{
    const struct guest_linux *l = p->lnx;
    if (p->sysinfo) aux(p, AT_SYSINFO, p->sysinfo);
    if (p->vdso) aux(p, AT_SYSINFO_EHDR, p->vdso);
    aux(p, AT_HWCAP, l->hwcap(cpu, 0));
    aux(p, AT_PAGESZ, gmem_page(p->mem));
    aux(p, AT_CLKTCK, (uint64_t)sysconf(_SC_CLK_TCK));
    aux(p, AT_PHDR, p->image.phdr);
    aux(p, AT_PHENT, f->h.phentsize);
    aux(p, AT_PHNUM, f->h.phnum);
    aux(p, AT_BASE, p->image.interp_base);
    aux(p, AT_FLAGS, 0);
    aux(p, AT_ENTRY, p->image.entry);
    aux(p, AT_UID, getuid());
    aux(p, AT_EUID, geteuid());
    aux(p, AT_GID, getgid());
    aux(p, AT_EGID, getegid());
    aux(p, AT_SECURE, 0);
    aux(p, AT_RANDOM, rnd);
    aux(p, AT_HWCAP2, l->hwcap(cpu, 1));
    aux(p, AT_EXECFN, execfn);
    if (platform) aux(p, AT_PLATFORM, platform);
    aux(p, AT_MINSIGSTKSZ, l->min_sigstack(cpu));
    aux(p, AT_NULL, 0);
}

static int make_stack(struct proc *p, CPU *cpu, const struct elf *f, const char *path, const char *argv0, char **argv,
                      char **envp, uint64_t *sp, struct err *e)
{
    uint64_t page = gmem_page(p->mem), size = ALIGN_UP(p->stack_size, page), limit = gmem_limit(p->mem);
    uint64_t lo = find_room(p->mem, ALIGN_DOWN(limit - size - (limit >> 6), page), size, page);
    unsigned prot = GP_READ | GP_WRITE | (p->image.exec_stack ? GP_EXEC : 0);
    if (!lo || gmem_map(p->mem, lo, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_FIXED, -1, 0) < 0)
        return err_set(e, ENOMEM, "no room for a stack of 0x%llx bytes", (unsigned long long)size);
    p->stack_lo = lo;
    p->stack_hi = lo + size;
    struct stack s = { .p = p, .sp = p->stack_hi - 16, .floor = lo + size / 4 * 3 };
    uint8_t rnd[16];
    size_t argc = 0, envc = 0, n = 0;
    while (argv[argc]) argc++;
    while (envp[envc]) envc++;
    uint64_t *vec = xalloc((argc + envc + 2 + ARRAY_LEN(p->auxv)) * sizeof *vec);
    uint64_t execfn = push(&s, path, strlen(path) + 1);
    /* highest first, so that argv strings end up in order as ps and setproctitle like them */
    p->env_end = s.sp;
    for (size_t i = envc; i-- > 0;) vec[argc + 1 + i] = push(&s, envp[i], strlen(envp[i]) + 1);
    p->env_start = p->arg_end = s.sp;
    for (size_t i = argc; i-- > 0;) {
        const char *arg = i == 0 ? argv0 : argv[i];
        vec[i] = push(&s, arg, strlen(arg) + 1);
    }
    p->arg_start = s.sp;
    const char *plat = p->lnx->platform ? p->lnx->platform(cpu) : NULL;
    uint64_t platform = plat ? push(&s, plat, strlen(plat) + 1) : 0;
    random_bytes(p->opt, rnd);
    s.sp = ALIGN_DOWN(s.sp, 16);
    uint64_t at_random = push(&s, rnd, sizeof rnd);
    fill_auxv(p, cpu, f, execfn, at_random, platform);
    n = argc + envc + 2;
    for (unsigned i = 0; i < p->nauxv; i++) vec[n++] = p->auxv[i];
    s.sp = ALIGN_DOWN(s.sp - MIN((n + 1) * p->word, s.sp), 16);
    uint8_t *raw = xalloc((n + 1) * p->word);
    put_raw(p, raw, p->word, argc);
    for (size_t i = 0; i < n; i++) put_raw(p, raw + (i + 1) * p->word, p->word, vec[i]);
    if (!s.err && (s.sp < s.floor || gmem_write(p->mem, s.sp, raw, (n + 1) * p->word, NULL) < 0)) s.err = -E2BIG;
    free(raw);
    free(vec);
    if (s.err) return err_set(e, -s.err, "arguments and environment do not fit the stack");
    *sp = s.sp;
    return 0;
}

/* What /proc/self/exe is to say: the absolute path of the file, also where there is no /proc to ask. */
static void name_exe(struct proc *p, int fd, const char *path)
{
    char link[64], cwd[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, p->exe, sizeof p->exe - 1);
    if (n > 0) {
        p->exe[n] = 0;
        return;
    }
    bool relative = path[0] != '/' && getcwd(cwd, sizeof cwd);
    size_t len = strlen(cwd), skip = relative && !strncmp(path, "./", 2) ? 2 : 0;
    if (len + strlen(path) + 2 > sizeof p->exe) len = 0;
    memcpy(p->exe, cwd, len);
    snprintf(p->exe + len, sizeof p->exe - len, "%s%s", relative && (!len || cwd[len - 1] != '/') ? "/" : "", path + skip);
}

int load_program(struct proc *p, int fd, const char *path, const char *argv0, char **argv, char **envp, CPU *cpu, struct err *e)
{
    struct elf f = { .p = p, .fd = fd, .name = path };
    struct image *im = &p->image;
    uint64_t start = 0, sp = 0, limit = gmem_limit(p->mem), page = gmem_page(p->mem);
    name_exe(p, fd, path);
    int r = elf_open(&f, e);
    f.guard = r >= 0 && !find_phdr(&f, PT_INTERP) && wants_guard(&f);
    if (r >= 0) r = elf_map(&f, ALIGN_DOWN(limit / 3 * 2, page), &im->base, e);
    if (r < 0) goto out;
    im->entry = im->base + f.h.entry;
    im->phnum = f.h.phnum;
    im->elf_flags = f.h.flags;
    im->lo = im->base + f.lo;
    im->hi = im->base + f.hi;
    const struct phdr *ph = find_phdr(&f, PT_PHDR);
    if (ph) {
        im->phdr = im->base + ph->vaddr;
    } else { /* where the segment with the headers went */
        for (unsigned i = 0; i < f.h.phnum; i++) {
            const struct phdr *s = &f.ph[i];
            if (s->type == PT_LOAD && f.h.phoff >= s->offset && f.h.phoff - s->offset < s->filesz)
                im->phdr = im->base + s->vaddr + (f.h.phoff - s->offset);
        }
    }
    ph = find_phdr(&f, PT_GNU_STACK);
    im->exec_stack = ph && (ph->flags & PF_X);
    p->brk_start = p->brk_now = p->brk_mapped = ALIGN_UP(im->hi, page);
    ph = find_phdr(&f, PT_INTERP);
    start = im->entry;
    if (ph) r = load_interp(p, &f, ph, &start, e);
    if (r >= 0) r = load_vdso(p, e);
    if (r >= 0) r = make_stack(p, cpu, &f, path, argv0, argv, envp, &sp, e);
    if (r >= 0) p->lnx->start(cpu, start, sp);
out:
    free(f.ph);
    return r;
}
