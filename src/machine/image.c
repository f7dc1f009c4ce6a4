/*
 * image.c: what is loaded into a machine's memory: files as they are, ELF, Linux's Image headers (RISC-V, arm64), U-Boot's uImage,
 * each of them gzipped; and the list of such bytes, which every reset writes again. What lies in a file as it goes to memory is not kept
 * in ours: the file stays open, and each reset reads it.
 *
 * All files are untrusted: sizes are checked, decompression has a limit. Sources: ELF gABI chapters 4 and 5; Linux's
 * Documentation/riscv/boot-image-header.rst and arm64/booting.rst; U-Boot's doc of the legacy image format.
 * Known gaps: big-endian ELF files' headers, FIT images, zstd and xz.
 */
#include "machine/machine.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { UNPACK_MAX = 1 << 30 };

struct rom {
    struct rom *next;
    char *name;
    uint64_t addr, len;
    uint8_t *data;         /* NULL: the whole of a file */
    int fd;
};

/* --- files -------------------------------------------------------------------------------------------------------------------- */

/* An open file of at most max bytes, or -errno. */
static int image_open(const char *path, uint64_t max, uint64_t *len, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        int code = errno;
        if (fd >= 0) close(fd);
        return err_set(e, code, "%s: %s", path, strerror(code));
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
        close(fd);
        return S_ISREG(st.st_mode) ? err_set(e, EFBIG, "%s: %lld bytes, but at most %llu fit", path, (long long)st.st_size, (unsigned long long)max)
                                   : err_set(e, EINVAL, "%s: not a file", path);
    }
    *len = (uint64_t)st.st_size;
    return fd;
}

/* Less than len bytes: the file is shorter, or cannot be read. */
static uint64_t read_at(int fd, void *buf, uint64_t len, uint64_t off)
{
    uint64_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, (char *)buf + done, MIN(len - done, 1u << 30), (off_t)(off + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (uint64_t)n;
    }
    return done;
}

static int read_all(const char *path, int fd, uint8_t **data, uint64_t len, struct err *e)
{
    uint8_t *p = xalloc(len + 1);
    if (read_at(fd, p, len, 0) < len) {
        free(p);
        return err_set(e, EIO, "%s: cannot be read", path);
    }
    *data = p;
    return 0;
}

int image_read(const char *path, uint64_t max, uint8_t **data, uint64_t *len, struct err *e)
{
    int fd = image_open(path, max, len, e);
    if (fd < 0) return fd;
    int r = read_all(path, fd, data, *len, e);
    close(fd);
    return r;
}

/* Replaces gzipped bytes by what is in them. */
static int gunzip(const char *path, uint8_t **data, uint64_t *len, uint64_t max, struct err *e)
{
    z_stream z = { .next_in = *data, .avail_in = (uInt)*len };
    uint64_t cap = MIN(MAX(*len * 4, 1u << 16), max), out = 0;
    uint8_t *p = xalloc(cap);
    int r = *len > UINT32_MAX ? Z_DATA_ERROR : inflateInit2(&z, 16 + MAX_WBITS);
    while (r == Z_OK) {
        if (out == cap) {
            if (cap >= max) break;
            uint64_t more = MIN(cap * 2, max);
            p = xrealloc(p, cap, more);
            cap = more;
        }
        z.next_out = p + out;
        z.avail_out = (uInt)MIN(cap - out, 1u << 30);
        uInt before = z.avail_out;
        r = inflate(&z, Z_NO_FLUSH);
        out += before - z.avail_out;
        if (r == Z_OK && before == z.avail_out && !z.avail_in) r = Z_DATA_ERROR;
    }
    inflateEnd(&z);
    if (r != Z_STREAM_END) {
        free(p);
        return r == Z_OK ? err_set(e, EFBIG, "%s: unpacked, it is larger than the %llu bytes that fit", path, (unsigned long long)max)
                         : err_set(e, EINVAL, "%s: its gzip data is damaged", path);
    }
    free(*data);
    *data = p;
    *len = out;
    return 0;
}

char *machine_find_file(const char *name, struct err *e)
{
    static const char *const dirs[] = { "", "/usr/share/lyre/", "/usr/local/share/qemu/", "/usr/share/qemu/", "/usr/share/seabios/",
                                        "/usr/lib/ipxe/qemu/", "/usr/share/AAVMF/", "/usr/lib/riscv64-linux-gnu/opensbi/generic/" };
    char path[4096];
    for (unsigned i = 0; i < ARRAY_LEN(dirs); i++) {
        if (i && strchr(name, '/')) break;
        if (snprintf(path, sizeof path, "%s%s", dirs[i], name) < (int)sizeof path && !access(path, R_OK)) return strdup(path);
    }
    err_set(e, ENOENT, "Unable to load the firmware \"%s\": it is neither here nor in %s and the like", name, dirs[3]);
    return NULL;
}

/* --- bytes of memory ------------------------------------------------------------------------------------------------------------------- */

/* Is all of it memory? */
static bool is_memory(struct space *s, uint64_t addr, uint64_t len)
{
    struct mem_range r;
    for (uint64_t at = addr; at - addr < len; at = r.last + 1)
        if (at < addr || !space_find(s, at, &r) || !r.ram) return false;
    return true;
}

static void rom_free(struct rom *r)
{
    free(r->name);
    free(r->data);
    if (r->fd >= 0) close(r->fd);
    free(r);
}

/* Takes data over, or fd. */
static int rom_add(struct machine *m, const char *name, uint64_t addr, uint8_t *data, int fd, uint64_t len, struct err *e)
{
    struct rom *r = xalloc(sizeof *r), **p = &m->roms;
    *r = (struct rom){ .name = strdup(name), .addr = addr, .len = len, .data = data, .fd = fd };
    for (const struct rom *o = m->roms; o; o = o->next)
        if (len && o->len && addr < o->addr + o->len && o->addr < addr + len) {
            err_set(e, EINVAL, "'%s' (0x%llx to 0x%llx) and '%s' (0x%llx to 0x%llx) overlap in memory", name, (unsigned long long)addr,
                    (unsigned long long)(addr + len), o->name, (unsigned long long)o->addr, (unsigned long long)(o->addr + o->len));
            rom_free(r);
            return -EINVAL;
        }
    if (!is_memory(m->b.space, addr, len)) {
        rom_free(r);
        return err_set(e, EFAULT, "'%s' does not fit: there is no memory at 0x%llx to 0x%llx", name, (unsigned long long)addr,
                       (unsigned long long)(addr + len));
    }
    while (*p) p = &(*p)->next;
    *p = r;
    return 0;
}

int machine_rom(struct machine *m, const char *name, uint64_t addr, const void *data, uint64_t len, struct err *e)
{
    uint8_t *p = xalloc(len + 1);
    if (len) memcpy(p, data, len);
    return rom_add(m, name, addr, p, -1, len, e);
}

/* A file that somebody has changed since it was opened is what it is. */
static void write_file(struct machine *m, const struct rom *r)
{
    enum { PIECE = 1 << 16 };
    uint8_t *buf = xalloc(PIECE);
    for (uint64_t done = 0, n; done < r->len; done += n) {
        n = read_at(r->fd, buf, MIN(r->len - done, (uint64_t)PIECE), done);
        if (!n) {
            log_write("lyrebird: %s: cannot be read any more\n", r->name);
            break;
        }
        space_write(m->b.space, r->addr + done, buf, n, true);
    }
    free(buf);
}

void machine_roms_write(struct machine *m)
{
    for (struct rom *r = m->roms; r; r = r->next) {
        if (r->fd >= 0)
            write_file(m, r);
        else
            space_write(m->b.space, r->addr, r->data, r->len, true);
    }
}

void machine_free_ram(const struct machine *m, uint64_t *lo, uint64_t *hi)
{
    uint64_t start = m->type->ram_base, end = start + m->cfg.ram, at = start;
    *lo = *hi = start;
    for (unsigned i = 0; i < m->type->nparts; i++) {
        const struct part *p = &m->type->parts[i];
        if (!strcmp(p->device, PART_RAM) && p->at == start && p->size) end = MIN(end, start + p->size);
    }
    while (at < end) {
        uint64_t next = end, past = end; /* the first that lies above `at`, and the end of those there */
        for (const struct rom *r = m->roms; r; r = r->next)
            if (r->len && r->addr + r->len > at && r->addr < next) next = MAX(r->addr, at), past = r->addr + r->len;
        if (next - at > *hi - *lo) *lo = at, *hi = next;
        at = MAX(past, at + 1);
    }
}

void machine_roms_free(struct machine *m)
{
    while (m->roms) {
        struct rom *r = m->roms;
        m->roms = r->next;
        rom_free(r);
    }
}

/* --- formats ------------------------------------------------------------------------------------------------------------------------------ */

static uint64_t le(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

static uint32_t be32(const uint8_t *p)
{
    return __builtin_bswap32((uint32_t)le(p, 4));
}

/* One program header, of either class. */
struct segment {
    uint64_t type, off, paddr, vaddr, filesz, memsz;
};

static struct segment segment(const uint8_t *p, bool is32)
{
    if (is32) return (struct segment){ le(p, 4), le(p + 4, 4), le(p + 12, 4), le(p + 8, 4), le(p + 16, 4), le(p + 20, 4) };
    return (struct segment){ le(p, 4), le(p + 8, 8), le(p + 24, 8), le(p + 16, 8), le(p + 32, 8), le(p + 40, 8) };
}

/* Linkers put the file's headers in front of the first segment, beneath memory often: what has no memory is left out. */
static int load_segment(struct machine *m, const char *path, const struct segment *s, const uint8_t *data, struct err *e)
{
    struct mem_range r;
    for (uint64_t done = 0, n; done < s->filesz; done += n) {
        uint64_t at = s->paddr + done, left = s->filesz - done;
        bool ram = space_find(m->b.space, at, &r) && r.ram;
        n = MIN(left - 1, r.last - at) + 1;
        int ret = ram ? machine_rom(m, path, at, data + done, n, e) : 0;
        if (ret) return ret;
    }
    return 0;
}

static int load_elf(struct machine *m, const char *path, const uint8_t *d, uint64_t len, struct image *img, struct err *e)
{
    bool is32 = d[EI_CLASS] == ELFCLASS32;
    unsigned ehsize = is32 ? 52 : 64, phsize = is32 ? 32 : 56;
    if (len < ehsize || d[EI_DATA] != ELFDATA2LSB) return err_set(e, EINVAL, "%s: an ELF file whose header is damaged or big-endian", path);
    uint64_t phoff = is32 ? le(d + 28, 4) : le(d + 32, 8), n = le(d + (is32 ? 44 : 56), 2), first = UINT64_MAX, end = 0;
    img->elf_machine = (uint16_t)le(d + 18, 2);
    img->is32 = is32;
    img->entry = is32 ? le(d + 24, 4) : le(d + 24, 8);
    if (img->elf_machine != m->guest->elf_machine)
        return err_set(e, EINVAL, "%s: an ELF file for another architecture (%u) than %s", path, img->elf_machine, m->guest->name);
    if (le(d + (is32 ? 42 : 54), 2) != phsize || phoff > len || n * phsize > len - phoff)
        return err_set(e, EINVAL, "%s: an ELF file whose program headers are cut off", path);
    bool entry_done = false;
    uint64_t entry = img->entry;
    for (uint64_t i = 0; i < n; i++) {
        struct segment s = segment(d + phoff + i * phsize, is32);
        if (s.type != PT_LOAD || !s.memsz) continue;
        if (s.off > len || s.filesz > len - s.off || s.filesz > s.memsz || s.memsz > UINT64_MAX - s.paddr)
            return err_set(e, EINVAL, "%s: segment %llu lies outside of the file", path, (unsigned long long)i);
        int r = load_segment(m, path, &s, d + s.off, e);
        if (r) return r;
        first = MIN(first, s.paddr);
        end = MAX(end, s.paddr + s.memsz);
        /* the entry is a virtual address; the CPU begins without translation */
        if (!entry_done && entry >= s.vaddr && entry - s.vaddr < s.memsz && s.vaddr != s.paddr) {
            img->entry = entry - s.vaddr + s.paddr;
            entry_done = true;
        }
    }
    if (first == UINT64_MAX) return err_set(e, EINVAL, "%s: an ELF file with nothing to load", path);
    if (!is_memory(m->b.space, img->entry, 1))
        return err_set(e, EFAULT, "%s: it begins at 0x%llx, where there is no memory", path, (unsigned long long)img->entry);
    img->addr = first;
    img->size = end - first;
    return 0;
}

/* Section headers of a symbol table, and of its strings. */
struct section {
    uint64_t type, off, size, link;
};

static struct section section(const uint8_t *p, bool is32)
{
    if (is32) return (struct section){ le(p + 4, 4), le(p + 16, 4), le(p + 20, 4), le(p + 24, 4) };
    return (struct section){ le(p + 4, 4), le(p + 24, 8), le(p + 32, 8), le(p + 40, 4) };
}

static bool symbol_in(const uint8_t *d, uint64_t len, const char *name, uint64_t *value)
{
    bool is32 = len > 64 && d[EI_CLASS] == ELFCLASS32;
    if (len < 64 || memcmp(d, ELFMAG, SELFMAG)) return false;
    uint64_t shoff = is32 ? le(d + 32, 4) : le(d + 40, 8), n = le(d + (is32 ? 48 : 60), 2), size = is32 ? 40 : 64, want = strlen(name) + 1;
    if (shoff > len || n * size > len - shoff) return false;
    for (uint64_t i = 0; i < n; i++) {
        struct section s = section(d + shoff + i * size, is32), t;
        uint64_t step = is32 ? 16 : 24;
        if (s.type != SHT_SYMTAB || s.link >= n || s.off > len || s.size > len - s.off) continue;
        t = section(d + shoff + s.link * size, is32);
        if (t.off > len || t.size > len - t.off) continue;
        for (uint64_t at = 0; at + step <= s.size; at += step) {
            const uint8_t *p = d + s.off + at;
            uint64_t str = le(p, 4);
            if (str >= t.size || want > t.size - str || memcmp(d + t.off + str, name, want)) continue;
            *value = is32 ? le(p + 4, 4) : le(p + 8, 8);
            return true;
        }
    }
    return false;
}

bool image_symbol(const char *path, const char *name, uint64_t *value)
{
    uint8_t *d;
    uint64_t len;
    if (image_read(path, UNPACK_MAX, &d, &len, NULL)) return false;
    bool found = symbol_in(d, len, name, value);
    free(d);
    return found;
}

/* Image headers: code0, code1, text_offset, image_size, flags, ..., magic at 0x38 ("RSC\5" or "ARM\x64"). */
static bool is_linux_image(const uint8_t *d, uint64_t len)
{
    return len >= 64 && (!memcmp(d + 0x38, "RSC\x05", 4) || !memcmp(d + 0x38, "ARM\x64", 4));
}

/* What is no ELF file: the bytes at d, of a file of len, which this takes over (*data or *fd). */
static int load_flat(struct machine *m, const char *path, unsigned kinds, uint64_t addr, uint64_t max, const uint8_t *d, uint64_t len,
                     uint8_t **data, int *fd, struct image *img, struct err *e)
{
    uint64_t skip = 0, extra = 0;
    bool is_linux = kinds & IMAGE_LINUX && is_linux_image(d, len);
    if (!(kinds & IMAGE_RAW) && !is_linux) return err_set(e, EINVAL, "%s: not an image of a kind that can be loaded here", path);
    if (len > max)
        return err_set(e, EFBIG, "%s: %llu bytes, but at most %llu fit", path, (unsigned long long)len, (unsigned long long)max);
    if (is_linux) {
        uint64_t off = le(d + 8, 8), size = le(d + 16, 8);
        extra = size > len ? size - len : 0;
        if (d[0x38] == 'A') skip = size ? off : 0x80000; /* arm64: from a base of 2 MiB; `addr` is that */
        if (skip > max || extra > max - len - MIN(skip, max - len))
            return err_set(e, EFBIG, "%s: it needs %llu bytes of memory, but there are %llu", path, (unsigned long long)size,
                           (unsigned long long)max);
    }
    int r = rom_add(m, path, addr + skip, *data, *fd, len, e);
    *data = NULL;
    *fd = -1;
    if (r) return r;
    img->addr = addr + skip;
    img->size = len + extra;
    if (img->entry == addr) img->entry = addr + skip;
    return 0;
}

/* A file that is packed, wrapped or ELF goes through memory of ours. */
static int load_wrapped(struct machine *m, const char *path, unsigned kinds, uint64_t addr, uint64_t max, uint8_t **data, uint64_t len,
                        struct image *img, struct err *e)
{
    uint8_t *d = *data;
    int fd = -1, r;
    if (kinds & IMAGE_UIMAGE && len > 64 && be32(d) == 0x27051956) {
        uint64_t size = be32(d + 12);
        unsigned comp = d[31];
        if (size > len - 64 || comp > 1)
            return err_set(e, EINVAL, "%s: a uImage that is cut off or packed with something else than gzip", path);
        addr = be32(d + 16);
        img->entry = be32(d + 20);
        memmove(d, d + 64, size);
        len = size;
    }
    if (kinds & IMAGE_GZIP && len > 18 && d[0] == 0x1f && d[1] == 0x8b && (r = gunzip(path, data, &len, MIN(max, (uint64_t)UNPACK_MAX), e)))
        return r;
    d = *data;
    if (kinds & IMAGE_ELF && len > 52 && !memcmp(d, ELFMAG, SELFMAG)) return load_elf(m, path, d, len, img, e);
    return load_flat(m, path, kinds, addr, max, d, len, data, &fd, img, e);
}

int image_load(struct machine *m, const char *path, unsigned kinds, uint64_t addr, uint64_t max, struct image *img, struct err *e)
{
    uint64_t len;
    uint8_t head[64] = { 0 }, *data = NULL;
    int fd = image_open(path, MIN(max, (uint64_t)UNPACK_MAX * 4), &len, e), r;
    if (fd < 0) return fd;
    *img = (struct image){ .entry = addr };
    bool wrapped = read_at(fd, head, sizeof head, 0) > 18 && ((kinds & IMAGE_GZIP && head[0] == 0x1f && head[1] == 0x8b) ||
                                                           (kinds & IMAGE_UIMAGE && be32(head) == 0x27051956) ||
                                                           (kinds & IMAGE_ELF && !memcmp(head, ELFMAG, SELFMAG)));
    if (!wrapped)
        r = load_flat(m, path, kinds, addr, max, head, len, &data, &fd, img, e);
    else if (!(r = read_all(path, fd, &data, len, e)))
        r = load_wrapped(m, path, kinds, addr, max, &data, len, img, e);
    free(data);
    if (fd >= 0) close(fd);
    return r;
}
