/*
 * riscv_spike.c: the board "spike": what RISC-V's reference simulator of that name has: memory, a CLINT, and HTIF, two words of memory
 * that the program chooses by its symbols tohost and fromhost. Known gaps: HTIF's disks and syscalls but exit and console.
 */
#include "dev/char/htif.h"
#include "machine/riscv.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMEBASE = 10000000, ROM = 0x1000, HTIF = 0x01000000 };
#define RAM_BASE 0x80000000ull

static const struct part parts[] = {
    { "rom", "rom", ROM, .props = "size=0xf000" },
    { "htif", "riscv.htif", HTIF, .props = "chardev=?serial0" },
    { "swi", "riscv.aclint.swi", 0x02000000, .props = "num-harts=@harts" },
    { "mtimer", "riscv.aclint.mtimer", 0x02004000, .props = "num-harts=@harts" },
    { "ram", PART_RAM, .at = RAM_BASE },
};

static int adjust(struct machine *m, struct err *e)
{
    struct dev *swi = dev_find(&m->b, "swi"), *timer = dev_find(&m->b, "mtimer");
    int r = 0;
    for (unsigned i = 0; i < m->ncpus && !r; i++)
        if (!(r = machine_wire_cpu(m, swi, i, i, "msip", e))) r = machine_wire_cpu(m, timer, i, i, "mtip", e);
    return r;
}

static void fdt(struct machine *m, struct fdt *f)
{
    struct fdt_node *root = fdt_root(f), *n;
    riscv_fdt_cpus(m, f, TIMEBASE);
    n = fdt_child(root, "htif");
    fdt_set_str(n, "compatible", "ucb,htif0");
    fdt_set_reg(n, HTIF, 0x1000); /* fromhost, tohost: for what has no symbols of its own */
    n = fdt_child(fdt_child(root, "soc"), "clint@2000000");
    riscv_fdt_harts(m, f, n, RISCV_MSI, RISCV_MTI);
    fdt_set_reg(n, 0x2000000, 0x10000);
    fdt_set_strs(n, "compatible", "sifive,clint0;riscv,clint0");
    fdt_set_str(fdt_child(root, "chosen"), "stdout-path", "/htif");
}

static int prepare(struct machine *m, struct err *e)
{
    char n[16];
    snprintf(n, sizeof n, "%u", m->ncpus);
    opts_add(&m->props, "harts", n);
    return 0;
}

static int boot(struct machine *m, struct err *e)
{
    struct riscv_boot b = { .rom = ROM, .ram = RAM_BASE, .bios64 = "opensbi-riscv64-generic-fw_dynamic.elf",
                            .bios32 = "opensbi-riscv32-generic-fw_dynamic.elf" };
    int r = riscv_boot(m, &b, e);
    /* programs say by their symbols where the words are: the kernel's (riscv-tests), else the firmware's */
    const char *bios = m->cfg.bios && strcmp(m->cfg.bios, "default") ? m->cfg.bios : riscv_is32(m) ? b.bios32 : b.bios64;
    char *path = r ? NULL : machine_find_file(bios, NULL);
    const char *from[] = { m->cfg.kernel, path };
    for (unsigned i = 0; i < 2; i++) {
        uint64_t tohost, fromhost;
        if (!from[i] || !image_symbol(from[i], "tohost", &tohost) || !image_symbol(from[i], "fromhost", &fromhost)) continue;
        htif_words(dev_find(&m->b, "htif"), tohost, fromhost);
        break;
    }
    free(path);
    return r;
}

const struct machine_type riscv_spike_machine = {
    .name = "spike", .help = "RISC-V Spike board", .guests = "riscv32,riscv64", .is_default = true, .max_cpus = 512,
    .ram_base = RAM_BASE, .ram_size = 128 << 20, .ram_id = "riscv.spike.ram", PARTS(parts), .reset_pc = ROM,
    .dt_model = "ucbbar,spike-bare,qemu", .dt_compat = "ucbbar,spike-bare-dev", .dt_soc = "soc",
    .prepare = prepare, .adjust = adjust, .fdt = fdt, .boot = boot,
};
