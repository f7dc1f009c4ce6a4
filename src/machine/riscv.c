/*
 * riscv.c: firmware and kernels of RISC-V boards. Harts begin in a small ROM that loads a0 = hart, a1 = device tree, a2 = struct
 * fw_dynamic_info and jumps to the firmware, which is what OpenSBI's docs/firmware/fw_dynamic.md asks for. Linux's
 * Documentation/riscv/boot.rst: the kernel at 2 MiB (4 MiB on RV32), the tree aligned by 8 and out of its way.
 */
#include "machine/riscv.h"

#include <stdio.h>
#include <stdlib.h>

enum { FDT_ROOM = 2 << 20, BIOS_MAX = 64 << 20 };

bool riscv_is32(const struct machine *m)
{
    return m->guest->elf_class == 1;
}

/* The first line of what the guest's code says of itself. */
struct words {
    char *buf;
    size_t size;
};

static void first_line(void *ctx, const char *line)
{
    struct words *w = ctx;
    if (!w->buf[0]) snprintf(w->buf, w->size, "%s", line);
}

static void ask(struct machine *m, unsigned i, const char *what, char *buf, size_t size)
{
    CPU *cpu = machine_cpu(m, i);
    buf[0] = 0;
    if (cpu->v->sys->describe) cpu->v->sys->describe(cpu, what, first_line, &(struct words){ buf, size });
}

static struct fdt_node *cpu_intc(struct fdt *f, unsigned i)
{
    struct fdt_node *cpu = fdt_child(fdt_child(fdt_root(f), "cpus"), "cpu@%x", i);
    return fdt_child(cpu, "interrupt-controller");
}

uint32_t riscv_cpu_intc(struct machine *m, struct fdt *f, unsigned i)
{
    return fdt_phandle(cpu_intc(f, i));
}

void riscv_fdt_harts(struct machine *m, struct fdt *f, struct fdt_node *n, unsigned irq1, unsigned irq2)
{
    for (unsigned i = 0; i < m->ncpus; i++) {
        fdt_add_cells(n, "interrupts-extended", (const uint32_t[]){ riscv_cpu_intc(m, f, i), irq1 }, 2);
        if (irq2) fdt_add_cells(n, "interrupts-extended", (const uint32_t[]){ riscv_cpu_intc(m, f, i), irq2 }, 2);
    }
}

void riscv_fdt_cpus(struct machine *m, struct fdt *f, uint32_t timebase)
{
    struct fdt_node *cpus = fdt_child(fdt_root(f), "cpus"), *map = NULL, *cluster = NULL;
    char isa[1200], text[80];
    fdt_set_u32(cpus, "#address-cells", 1);
    fdt_set_u32(cpus, "#size-cells", 0);
    fdt_set_u32(cpus, "timebase-frequency", timebase);
    for (unsigned i = 0; i < m->ncpus; i++) {
        struct fdt_node *n = fdt_child(cpus, "cpu@%x", i), *ic = cpu_intc(f, i);
        fdt_set_str(n, "device_type", "cpu");
        fdt_set_u32(n, "reg", i);
        fdt_set_str(n, "status", "okay");
        fdt_set_str(n, "compatible", "riscv");
        ask(m, i, "isa", isa, sizeof isa);
        fdt_set_str(n, "riscv,isa", isa[0] ? isa : riscv_is32(m) ? "rv32imafdc" : "rv64imafdc");
        ask(m, i, "mmu-type", text, sizeof text);
        if (text[0]) fdt_set_str(n, "mmu-type", text);
        /* one size for all cache operations: Zic64b's, which is what ISAs with them say */
        if (strstr(isa, "_zicbom")) fdt_set_u32(n, "riscv,cbom-block-size", 64);
        if (strstr(isa, "_zicboz")) fdt_set_u32(n, "riscv,cboz-block-size", 64);
        fdt_set_u32(ic, "#interrupt-cells", 1);
        fdt_set_empty(ic, "interrupt-controller");
        fdt_set_str(ic, "compatible", "riscv,cpu-intc");
        fdt_phandle(ic);
    }
    map = fdt_child(cpus, "cpu-map");
    cluster = fdt_child(map, "cluster0");
    for (unsigned i = 0; i < m->ncpus; i++)
        fdt_set_u32(fdt_child(cluster, "core%u", i), "cpu", fdt_phandle(fdt_child(cpus, "cpu@%x", i)));
}

/* --- loading --------------------------------------------------------------------------------------------------------------------- */

/* What of main memory is one run from its beginning, and below 4 GiB for what 32-bit code has to reach. */
static uint64_t ram_end(struct machine *m, uint64_t ram)
{
    struct mem_range r;
    if (!space_find(m->b.space, ram, &r) || r.ram != m->ram) return ram;
    return r.last + 1;
}

struct layout {
    uint64_t firmware, kernel, fdt, end;
    uint64_t free;           /* behind what was loaded last */
};

static int load_firmware(struct machine *m, const struct riscv_boot *b, struct layout *l, struct err *e)
{
    const char *name = m->cfg.bios;
    struct image img;
    uint64_t at = b->bios_at ? b->bios_at : b->ram;
    l->firmware = l->free = b->ram;
    if (b->bios_at) l->firmware = b->bios_at;
    if (name && !strcmp(name, "none")) return 0;
    bool def = !name || !strcmp(name, "default");
    if (def) name = riscv_is32(m) ? b->bios32 : b->bios64;
    if (!name) return 0;
    struct err why = { 0 };
    char *path = machine_find_file(name, &why);
    if (!path && def)
        return err_set(e, ENOENT, "Unable to find the RISC-V BIOS \"%s\": install the package opensbi, or say -bios FILE or -bios none", name);
    if (!path) return err_set(e, ENOENT, "%s", why.msg);
    int r = image_load(m, path, IMAGE_ELF | IMAGE_RAW | IMAGE_GZIP, at, MIN(b->bios_at ? b->bios_room : l->end - at, (uint64_t)BIOS_MAX), &img, e);
    free(path);
    if (r) return r;
    l->firmware = img.entry;
    if (!b->bios_at) l->free = img.addr + img.size;
    return 0;
}

static int load_kernel(struct machine *m, struct layout *l, struct err *e)
{
    struct image img;
    uint64_t step = riscv_is32(m) ? 4 << 20 : 2 << 20, at = ALIGN_UP(l->free, step);
    if (at >= l->end) return err_set(e, EFBIG, "no memory is left for the kernel behind the firmware");
    int r = image_load(m, m->cfg.kernel, IMAGE_ANY, at, l->end - at, &img, e);
    if (r) {
        struct err why = e ? *e : (struct err){ 0 };
        return err_set(e, -r, "could not load kernel '%s': %.180s", m->cfg.kernel, why.msg);
    }
    l->kernel = img.entry;
    l->free = MAX(l->free, img.addr + img.size);
    return 0;
}

/* At the end of memory, beneath the tree: out of the way of whatever the kernel unpacks to. */
static int load_initrd(struct machine *m, struct layout *l, struct err *e)
{
    uint8_t *data;
    uint64_t len, at;
    int r = image_read(m->cfg.initrd, l->end - MIN(l->free, l->end), &data, &len, e);
    if (r) return r;
    at = ALIGN_DOWN(l->fdt - MIN(len, l->fdt), (uint64_t)4096);
    if (at < l->free || len > l->fdt) r = err_set(e, EFBIG, "could not load ram disk '%s': %llu bytes do not fit", m->cfg.initrd, (unsigned long long)len);
    if (!r) r = machine_rom(m, m->cfg.initrd, at, data, len, e);
    free(data);
    m->initrd_start = at;
    m->initrd_end = at + len;
    return r;
}

/* The ROM: code, then what it loads; 32-bit words. */
static int write_rom(struct machine *m, const struct riscv_boot *b, const struct layout *l, struct err *e)
{
    bool rv32 = riscv_is32(m);
    uint32_t rom[32] = {
        0x00000297,                           /* auipc t0, 0 */
        0x04028613,                           /* addi a2, t0, 64 */
        0xf1402573,                           /* csrr a0, mhartid */
        rv32 ? 0x0202a583 : 0x0202b583,       /* lw/ld a1, 32(t0) */
        rv32 ? 0x0182a283 : 0x0182b283,       /* lw/ld t0, 24(t0) */
        0x00028067,                           /* jr t0 */
        (uint32_t)l->firmware, rv32 ? 0 : (uint32_t)(l->firmware >> 32),
        (uint32_t)l->fdt, rv32 ? 0 : (uint32_t)(l->fdt >> 32),
    };
    /* struct fw_dynamic_info, words of XLEN: magic, version, next_addr, next_mode, options, boot_hart */
    uint64_t info[6] = { 0x4942534f, 2, l->kernel, 1 /* S */, 0, 0 };
    for (unsigned i = 0; i < 6; i++) {
        if (rv32) {
            rom[16 + i] = (uint32_t)info[i];
        } else {
            rom[16 + 2 * i] = (uint32_t)info[i];
            rom[17 + 2 * i] = (uint32_t)(info[i] >> 32);
        }
    }
    return machine_rom(m, "mrom.reset", b->rom, rom, sizeof rom, e);
}

int riscv_boot(struct machine *m, const struct riscv_boot *b, struct err *e)
{
    struct layout l = { .end = ram_end(m, b->ram) };
    uint64_t low = MIN(l.end, b->ram + (3ull << 30) - (b->ram & ((1ull << 30) - 1)));
    int r;
    if (l.end - b->ram < 2 * FDT_ROOM) return err_set(e, EINVAL, "machine '%s' needs 4 MiB of memory at least", m->type->name);
    low = MIN(low, 0xc0000000ull > b->ram ? 0xc0000000ull : low);
    l.fdt = ALIGN_DOWN(MIN(l.end, MAX(low, b->ram + 2 * FDT_ROOM)) - FDT_ROOM, (uint64_t)FDT_ROOM);
    l.fdt = MAX(l.fdt, b->ram + FDT_ROOM);
    if ((r = load_firmware(m, b, &l, e))) return r;
    bool bare = m->cfg.bios && !strcmp(m->cfg.bios, "none");
    if (m->cfg.kernel && (r = load_kernel(m, &l, e))) return r;
    if (m->cfg.initrd && m->cfg.kernel && (r = load_initrd(m, &l, e))) return r;
    if (bare && m->cfg.kernel) l.firmware = l.kernel;
    if (b->flash && !m->cfg.kernel) {
        if (bare) l.firmware = b->flash;
        else l.kernel = b->flash;
    }
    if (b->begin_in_flash) l.firmware = b->flash;
    if ((r = machine_tree(m, e))) return r;
    if (m->fdt_size > FDT_ROOM) return err_set(e, EFBIG, "the device tree has %u bytes, more than %d", m->fdt_size, FDT_ROOM);
    if ((r = machine_rom(m, "fdt", l.fdt, m->fdt, m->fdt_size, e)) || (r = write_rom(m, b, &l, e))) return r;
    for (unsigned i = 0; i < m->ncpus; i++) machine_cpu_begin(m, i, b->rom, l.fdt, true);
    return 0;
}
