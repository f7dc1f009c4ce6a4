/*
 * autorun.c: `lyre FILE` for what boots: a kernel Image, firmware, a disk image or an ISO on the default machine of its architecture;
 * `lyre -n FILE` prints the command line instead. The file is only looked at: what it is comes from its contents, and from its
 * name where those do not say.
 * Known gaps: compressed EFI kernels (zboot), disks without an EFI system partition or typed root partition whose name has no architecture.
 */
#include "sys/sys.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <zlib.h>
#include "lyre.h"

enum { HEAD = 64 << 10, SCAN_STEP = 1 << 20, SCAN_MAX = 64 << 20, ARGS_MAX = 256, SECTOR = 512, PARTITIONS_MAX = 128 };
enum what { NOTHING, KERNEL, FIRMWARE, FLASH, DISK, CDROM };

struct finding {
    enum what what;
    const char *arch;         /* NULL: not known */
    const char *format;       /* of a disk */
    const char *why;          /* it cannot be run */
};

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool has(const uint8_t *p, size_t n, const char *word)
{
    return memmem(p, n, word, strlen(word)) != NULL;
}

/* --- kernels, firmware -------------------------------------------------------------------------------------------------------- */

static const struct guest *guest_of_elf(const uint8_t *h)
{
    for (const struct guest *const *g = guest_registry; *g; g++)
        if ((*g)->elf_machine == (h[18] | h[19] << 8) && (*g)->elf_class == h[4] && (*g)->big_endian == (h[5] == 2)) return *g;
    return NULL;
}

/* A program of an operating system, or what runs without one: that lies in a board's memory, or in a kernel's half of the addresses. */
static void look_at_elf(const uint8_t *h, size_t n, struct finding *f)
{
    const struct guest *g = n >= 64 && h[5] == 1 ? guest_of_elf(h) : NULL;
    const struct machine_type *t = g && g->sys ? machine_find(g->name, NULL, NULL) : NULL;
    if (!t || h[16] == ET_REL || h[16] == ET_CORE) return;
    bool wide = h[4] == 2;
    uint64_t off = wide ? le64(h + 32) : le32(h + 28), low = UINT64_MAX, vlow = UINT64_MAX;
    unsigned size = wide ? 56 : 32, count = wide ? h[56] | h[57] << 8 : h[44] | h[45] << 8;
    for (unsigned i = 0; i < count && off + size <= n; i++, off += size) {
        const uint8_t *p = h + off;
        if (le32(p) == PT_INTERP) return;
        if (le32(p) != PT_LOAD) continue;
        low = MIN(low, wide ? le64(p + 24) : le32(p + 12));
        vlow = MIN(vlow, wide ? le64(p + 16) : le32(p + 8));
    }
    uint64_t entry = wide ? le64(h + 24) : le32(h + 24);
    if (low == UINT64_MAX || (entry < t->ram_base && vlow >> (g->elf_class == 1 ? 31 : 47) == 0)) return;
    f->arch = g->name;
    f->what = g->elf_machine == EM_RISCV && low == t->ram_base ? FIRMWARE : KERNEL; /* it lies where the reset vector jumps to */
}

/* The first bytes of gzipped data. */
static size_t unpack(const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
    z_stream z = { .next_in = (uint8_t *)(uintptr_t)in, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)room };
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return 0;
    int r = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? room - z.avail_out : 0;
}

static void look_at_kernel(const uint8_t *h, size_t n, struct finding *f)
{
    static const uint8_t uimage[] = { 0x27, 0x05, 0x19, 0x56 };
    if (n < SECTOR) return;
    if (!memcmp(h + 0x38, "ARM\x64", 4)) *f = (struct finding){ KERNEL, "aarch64", NULL, NULL };
    else if (!memcmp(h + 0x38, "RSC\x05", 4)) *f = (struct finding){ KERNEL, "riscv64", NULL, NULL };
    else if (!memcmp(h, uimage, 4) && h[29] == 22) *f = (struct finding){ KERNEL, "aarch64", NULL, NULL };
    else if (!memcmp(h, uimage, 4) && h[29] == 26) *f = (struct finding){ KERNEL, "riscv64", NULL, NULL };
    else if (!memcmp(h, "MZ\0\0zimg", 8)) f->why = "it is a compressed EFI kernel: unpack it, or boot a disk that has it";
}

/* Flat code: an EDK2 volume, U-Boot, OpenSBI. A64 begins with a branch or a nop; RISC-V does not look like that. */
static void look_at_firmware(const uint8_t *h, size_t n, struct finding *f)
{
    if (n < 4096) return;
    uint32_t first = le32(h);
    bool a64 = first >> 26 == 5 || first == 0xd503201f;
    if (!memcmp(h + 0x28, "_FVH", 4) || (a64 && n > 0x1028 && !memcmp(h + 0x1028, "_FVH", 4)))
        *f = (struct finding){ FLASH, a64 ? "aarch64" : "riscv64", NULL, NULL };
    else if (has(h, n, "OpenSBI v")) *f = (struct finding){ FIRMWARE, "riscv64", NULL, NULL };
    else if (has(h, n, "U-Boot 20") || has(h, n, "U-Boot SPL")) *f = (struct finding){ FIRMWARE, a64 ? "aarch64" : "riscv64", NULL, NULL };
}

/* --- disks ---------------------------------------------------------------------------------------------------------------------- */

/* Names of the files that an EFI firmware of the architecture starts: as FAT has them (8.3, long) and as ISO 9660 does. */
static const struct { const char *arch, *fat, *plain; } loaders[] = {
    { "aarch64", "BOOTAA64EFI", "BOOTAA64.EFI" }, { "riscv64", "BOOTRI~1EFI", "BOOTRISCV64.EFI" }, { "riscv32", "BOOTRI~2EFI", "BOOTRISCV32.EFI" },
};
/* Types of root partitions (the discoverable partitions specification), as they lie in the table. */
static const struct { const char *arch; uint8_t type[16]; } roots[] = {
    { "aarch64", { 0x45, 0xb0, 0x21, 0xb9, 0xf0, 0x1d, 0xc3, 0x41, 0xaf, 0x44, 0x4c, 0x6f, 0x28, 0x0d, 0x3f, 0xae } },
    { "riscv32", { 0xfe, 0xa7, 0xd5, 0x60, 0x7d, 0x8e, 0x5c, 0x43, 0xb7, 0x14, 0x3d, 0xd8, 0x16, 0x21, 0x44, 0xe1 } },
    { "riscv64", { 0xa6, 0x70, 0xec, 0x72, 0x74, 0xcf, 0xe6, 0x40, 0xbd, 0x49, 0x4b, 0xda, 0x08, 0xe8, 0xf2, 0x24 } },
};
static const uint8_t esp_type[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };

/* Looks for a boot loader's name in a part of the disk. */
static const char *scan(struct blk *b, uint64_t at, uint64_t len)
{
    uint8_t *buf = xalloc(SCAN_STEP + SECTOR);
    const char *arch = NULL;
    uint64_t size = blk_size(b), end = MIN(at + MIN(len, (uint64_t)SCAN_MAX), size);
    for (; !arch && at < end; at += SCAN_STEP) {
        size_t n = (size_t)MIN((uint64_t)SCAN_STEP + SECTOR, size - at); /* a name that lies across two steps is in the first one's end */
        if (blk_pread(b, at, buf, n)) break;
        for (size_t i = 0; i < n; i++) buf[i] = (uint8_t)toupper(buf[i]);
        for (unsigned i = 0; !arch && i < ARRAY_LEN(loaders); i++)
            if (has(buf, n, loaders[i].fat) || has(buf, n, loaders[i].plain)) arch = loaders[i].arch;
    }
    free(buf);
    return arch;
}

/* The partitions of a GPT: their types, then the boot loader in the EFI system partition. */
static const char *look_at_gpt(struct blk *b, const uint8_t *gpt)
{
    uint64_t table = le64(gpt + 72) * SECTOR, esp = 0, esp_len = 0;
    unsigned count = MIN(le32(gpt + 80), (uint32_t)PARTITIONS_MAX), size = le32(gpt + 84);
    uint8_t e[128];
    if (size < sizeof e || size > 4096) return NULL;
    for (unsigned i = 0; i < count; i++) {
        if (blk_pread(b, table + (uint64_t)i * size, e, sizeof e)) break;
        for (unsigned k = 0; k < ARRAY_LEN(roots); k++)
            if (!memcmp(e, roots[k].type, 16)) return roots[k].arch;
        if (!memcmp(e, esp_type, 16) && le64(e + 40) >= le64(e + 32) && le64(e + 40) < UINT64_MAX / SECTOR)
            esp = le64(e + 32) * SECTOR, esp_len = (le64(e + 40) - le64(e + 32) + 1) * SECTOR;
    }
    return esp ? scan(b, esp, esp_len) : NULL;
}

static void look_at_disk(const char *path, const char *format, struct finding *f)
{
    uint8_t h[2 * SECTOR];
    struct err e = { 0 };
    struct blk_graph *g = blk_graph_new();
    struct blk *b = blk_open_file(g, path, format, 0, &e);
    bool is_qcow2 = !strcmp(format, "qcow2");
    if (!b && is_qcow2) f->what = DISK, f->format = format; /* it will say why when it is opened to be run */
    if (b && !blk_pread(b, 0, h, sizeof h)) {
        bool gpt = !memcmp(h + SECTOR, "EFI PART", 8), mbr = h[510] == 0x55 && h[511] == 0xaa;
        if (gpt || mbr || is_qcow2) f->what = DISK, f->format = format;
        if (gpt) f->arch = look_at_gpt(b, h + SECTOR);
        for (unsigned i = 0; mbr && !gpt && !f->arch && i < 4; i++) { /* type 0xef: EFI; 0x0b, 0x0c: FAT */
            const uint8_t *p = h + 446 + 16 * i;
            if (p[4] == 0xef || p[4] == 0x0b || p[4] == 0x0c) f->arch = scan(b, (uint64_t)le32(p + 8) * SECTOR, (uint64_t)le32(p + 12) * SECTOR);
        }
        if (mbr && !gpt && !f->arch && !memcmp(h + 82, "FAT32", 5)) f->arch = scan(b, 0, SCAN_MAX);
    }
    if (b) blk_free(b, NULL);
    blk_graph_free(g);
}

static void look_at_iso(const char *path, struct finding *f)
{
    struct blk_graph *g = blk_graph_new();
    struct blk *b = blk_open_file(g, path, "raw", 0, NULL);
    *f = (struct finding){ CDROM, b ? scan(b, 0, SCAN_MAX) : NULL, "raw", NULL };
    if (b) blk_free(b, NULL);
    blk_graph_free(g);
}

static const char *arch_of_name(const char *path)
{
    static const struct { const char *word, *arch; } words[] = { { "aarch64", "aarch64" }, { "arm64", "aarch64" }, { "riscv64", "riscv64" }, { "riscv32", "riscv32" } };
    const char *name = strrchr(path, '/');
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (strcasestr(name ? name + 1 : path, words[i].word)) return words[i].arch;
    return NULL;
}

/* What the file is. False: it cannot be read, or is no regular file. */
static bool look(const char *path, struct finding *f)
{
    uint8_t *h = xalloc(17 * HEAD);
    struct stat st;
    *f = (struct finding){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 || fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) ? -1 : pread(fd, h, HEAD, 0);
    bool ok = n >= 0;
    if (n >= 4 && !memcmp(h, ELFMAG, 4)) {
        look_at_elf(h, (size_t)n, f);
        goto out;
    }
    if (n > 18 && h[0] == 0x1f && h[1] == 0x8b) {
        size_t got = unpack(h, (size_t)n, h + HEAD, HEAD);
        look_at_kernel(h + HEAD, got, f);
        goto out;
    }
    if (n > 0) look_at_kernel(h, (size_t)n, f);
    if (n < 1024 || f->what || f->why) goto out;
    static const uint8_t none[8];
    /* what a guest wrote into a raw disk must not make us open another file */
    bool trusted = !memcmp(h + 8, none, 8) || strstr(path, ".qcow2");
    if (!memcmp(h, "QFI\xfb", 4) && !trusted) f->why = "a qcow2 image with a backing file, under a name that does not end in .qcow2: say -drive file=...,format=qcow2";
    else if (!memcmp(h, "QFI\xfb", 4)) look_at_disk(path, "qcow2", f);
    else if (n > 0x8006 && !memcmp(h + 0x8001, "CD001", 5)) look_at_iso(path, f);
    else look_at_disk(path, "raw", f);
    if (!f->what && (n = pread(fd, h, 17 * HEAD, 0)) > 0) look_at_firmware(h, (size_t)n, f); /* U-Boot's name is some 500 KiB in */
    if (f->what && !f->arch) f->arch = arch_of_name(path);
out:
    free(h);
    if (fd >= 0) close(fd);
    return ok;
}

/* --- the command line ------------------------------------------------------------------------------------------------------------ */

struct words {
    char *list[ARGS_MAX];
    unsigned count;
};

static void PRINTF(2, 3) add(struct words *w, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0) text = NULL;
    va_end(ap);
    if (text && w->count < ARGS_MAX - 1) w->list[w->count++] = text;
    else free(text);
}

static const char *first_of(const char *const *paths)
{
    while (*paths && access(*paths, R_OK)) paths++;
    return *paths;
}

/* Firmware that boots a disk. */
static int disk_firmware(struct words *w, const char *arch, struct err *e)
{
    static const char *const arm[] = { "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd", NULL };
    static const char *const arm_uboot[] = { "/usr/lib/u-boot/qemu_arm64/u-boot.bin", NULL };
    static const char *const rv[] = { "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf", "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin", NULL };
    bool is_arm = !strcmp(arch, "aarch64");
    const char *fw = is_arm ? first_of(arm) : !strcmp(arch, "riscv64") ? first_of(rv) : NULL;
    if (!fw && is_arm) fw = first_of(arm_uboot);
    if (!fw)
        return err_set(e, ENOENT, "no firmware for %s that boots disks: install %s", arch, is_arm ? "qemu-efi-aarch64 or u-boot-qemu" : "u-boot-qemu");
    add(w, is_arm ? "-bios" : "-kernel");
    add(w, "%s", fw);
    return 0;
}

/* A file name as a value of an option. */
static char *quoted(const char *path)
{
    char *t = xalloc(2 * strlen(path) + 1), *p = t;
    for (; *path; *p++ = *path++)
        if (*path == ',') *p++ = ',';
    return t;
}

static int compose(struct words *w, const char *path, const struct finding *f, struct err *e)
{
    struct sysinfo si;
    uint64_t ram = sysinfo(&si) ? 1024 : (uint64_t)si.totalram * si.mem_unit >> 21; /* half of the host's */
    char *file = quoted(path);
    int r = 0;
    add(w, "lyre-system-%s", f->arch);
    add(w, "-M");
    add(w, "virt");
    add(w, "-cpu");
    add(w, "max");
    add(w, "-smp");
    add(w, "%ld", MAX(1l, MIN(4l, sysconf(_SC_NPROCESSORS_ONLN))));
    add(w, "-m");
    add(w, "%u", (unsigned)MIN(MAX(ram, (uint64_t)256), !strcmp(f->arch, "riscv32") ? (uint64_t)1024 : (uint64_t)2048));
    add(w, "-nographic");
    if (f->what == KERNEL || f->what == FIRMWARE) {
        add(w, f->what == KERNEL ? "-kernel" : "-bios");
        add(w, "%s", path);
    } else if (f->what == FLASH) {
        add(w, strcmp(f->arch, "aarch64") ? "-drive" : "-bios");
        if (strcmp(f->arch, "aarch64")) add(w, "if=pflash,format=raw,readonly=on,file=%s", file);
        else add(w, "%s", path);
    } else {
        r = disk_firmware(w, f->arch, e);
        add(w, "-drive");
        if (f->what == CDROM) {
            add(w, "if=none,id=cd0,media=cdrom,readonly=on,format=raw,file=%s", file);
            add(w, "-device");
            add(w, "virtio-blk-pci,drive=cd0");
        } else {
            add(w, "if=virtio,format=%s,file=%s", f->format, file);
        }
    }
    add(w, "-netdev");
    add(w, "user,id=net0");
    add(w, "-device");
    add(w, "virtio-net-pci,netdev=net0");
    add(w, "-device");
    add(w, "virtio-rng-pci");
    free(file);
    return r;
}

static void print_words(const struct words *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        const char *p = w->list[i];
        if (i) putchar(' ');
        if (*p && !p[strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+./:,@%")]) {
            fputs(p, stdout);
            continue;
        }
        putchar('\'');
        for (; *p; p++) *p == '\'' ? fputs("'\\''", stdout) : putchar(*p);
        putchar('\'');
    }
    putchar('\n');
}

int lyre_image(int argc, char **argv)
{
    bool print = argc > 2 && !strcmp(argv[1], "-n");
    const char *path = argc > 1 ? argv[1 + print] : "-";
    struct words w = { .count = 0 };
    struct finding f;
    struct err e = { 0 };
    int r = 0;
    if (path[0] == '-' || (!look(path, &f) && !print)) return -1;
    if (f.why) r = err_set(&e, ENOTSUP, "%s: %s", path, f.why);
    else if (f.what && !f.arch)
        r = err_set(&e, EINVAL, "%s: its architecture is not to be seen: say lyre system-ARCH ..., or give it a name with aarch64 or riscv64 in it", path);
    else if (!f.what && !print) return -1;
    else if (!f.what) { /* a program, if anything */
        const char *g = lyre_program_guest(path, -1, NULL);
        if (g) add(&w, "lyre-%s", g), add(&w, "%s", path);
        else r = err_set(&e, ENOEXEC, "%s: %s", path, access(path, R_OK) ? strerror(errno) : "neither a program, a kernel, firmware, nor a bootable disk");
    } else r = compose(&w, path, &f, &e);
    for (int i = 2 + print; i < argc; i++) add(&w, "%s", argv[i]); /* what follows is added, and counts more */
    int status = 1;
    if (r) fprintf(stderr, "lyre: %s\n", e.msg);
    else if (print) print_words(&w), status = 0;
    else status = sys_main(w.list[0], f.arch, (int)w.count, w.list);
    for (unsigned i = 0; i < w.count; i++) free(w.list[i]);
    return status;
}
