/*
 * fu540.c: small parts of SiFive's FU540-C000 (manual v1p4): clocks and resets (PRCI, chapter 7), one-time programmable memory (OTP, chapter 12),
 * the L2 cache's controller (chapter 14), the DDR controller as far as firmware waits for it, clock selection of the Ethernet MAC.
 * Known gaps: clocks have no effect, PLLs are locked at once; errors of the cache are never; the DDR controller is memory for its settings that
 * says it is ready; what is programmed into the OTP is forgotten at the end.
 */
#include "dev/device.h"
#include "dev/fdt.h"

/* --- PRCI ----------------------------------------------------------------------------------------------------------------- */

#define SELF struct fu540_prci
struct fu540_prci {
    struct dev dev;
    uint32_t hfxosc, core[2], ddr[2], gem[2], clksel, reset, procmon;
};
enum { READY = 1u << 31, HFXOSC_EN = 1 << 30 };

static uint64_t hfxosc_read(void *dev, unsigned i)
{
    const SELF *s = dev;
    return s->hfxosc | (s->hfxosc & HFXOSC_EN ? READY : 0);
}
static uint64_t core_read(void *dev, unsigned i) { return ((SELF *)dev)->core[0] | READY; }
static uint64_t ddr_read(void *dev, unsigned i) { return ((SELF *)dev)->ddr[0] | READY; }
static uint64_t gem_read(void *dev, unsigned i) { return ((SELF *)dev)->gem[0] | READY; }

#define PLL_RESET 0x030187c1
static const struct reg prci_regs[] = {
    { 0x00, "hfxosccfg", RW, FIELD(hfxosc), .mask = HFXOSC_EN, .reset = HFXOSC_EN, .read = hfxosc_read },
    { 0x04, "corepllcfg0", RW, FIELD(core[0]), .mask = 0x7fffffff, .reset = PLL_RESET, .read = core_read }, { 0x08, "corepllcfg1", RW, FIELD(core[1]) },
    { 0x0c, "ddrpllcfg0", RW, FIELD(ddr[0]), .mask = 0x7fffffff, .reset = PLL_RESET, .read = ddr_read }, { 0x10, "ddrpllcfg1", RW, FIELD(ddr[1]) },
    { 0x1c, "gemgxlpllcfg0", RW, FIELD(gem[0]), .mask = 0x7fffffff, .reset = PLL_RESET, .read = gem_read }, { 0x20, "gemgxlpllcfg1", RW, FIELD(gem[1]) },
    { 0x24, "coreclksel", RW, FIELD(clksel), .mask = 1, .reset = 1 }, { 0x28, "devicesresetreg", RW, FIELD(reset), .mask = 0x2f }, { 0x2c, "clkmuxstatus", RO, .size = 4 },
    { 0xf0, "procmoncfg", RW, FIELD(procmon) },
};
static void prci_fdt(void *dev, struct fdt_node *n)
{
    fdt_set_u32(n, "#clock-cells", 1);
    fdt_phandle(n);
}
const struct device fu540_prci_device = {
    .name = "riscv.sifive.u.prci", .help = "SiFive FU540 clocks and resets", .dt = "sifive,fu540-c000-prci", .size = sizeof(SELF), .window = 0x1000, REGS(prci_regs),
    .fdt = prci_fdt,
};
#undef SELF

/* --- OTP ------------------------------------------------------------------------------------------------------------------- */

#define SELF struct fu540_otp
enum { FUSES = 0x1000, SERIAL = 0xfc, PCE_EN = 1, PDSTB_EN = 1, PTRIM_EN = 1 };
struct fu540_otp {
    struct dev dev;
    uint32_t serial;
    uint32_t pa, paio, pas, pce, pclk, pdin, pdstb, pprog, ptc, ptm, ptm_rep, ptr, ptrim, pwe;
    uint32_t fuse[FUSES], written[FUSES]; /* written: bits that are programmed already */
};

static uint64_t pdout_read(void *dev, unsigned i)
{
    const SELF *s = dev;
    return s->pce & PCE_EN && s->pdstb & PDSTB_EN && s->ptrim & PTRIM_EN ? s->fuse[s->pa % FUSES] : 0xff;
}
/* Programming: bit PAIO of the word, once. */
static void pwe_after(void *dev, unsigned i)
{
    SELF *s = dev;
    uint32_t bit = 1u << (s->paio & 31), a = s->pa % FUSES;
    if (!(s->pwe & 1) || s->pas || s->written[a] & bit) return;
    s->fuse[a] = s->pdin & 1 ? s->fuse[a] | bit : s->fuse[a] & ~bit;
    s->written[a] |= bit;
}
static const struct reg otp_regs[] = {
    { 0x00, "pa", RW, FIELD(pa), .mask = FUSES - 1 }, { 0x04, "paio", RW, FIELD(paio), .mask = 31 }, { 0x08, "pas", RW, FIELD(pas) }, { 0x0c, "pce", RW, FIELD(pce) },
    { 0x10, "pclk", RW, FIELD(pclk) }, { 0x14, "pdin", RW, FIELD(pdin) }, { 0x18, "pdout", RO, .read = pdout_read }, { 0x1c, "pdstb", RW, FIELD(pdstb) },
    { 0x20, "pprog", RW, FIELD(pprog) }, { 0x24, "ptc", RW, FIELD(ptc) }, { 0x28, "ptm", RW, FIELD(ptm) }, { 0x2c, "ptm_rep", RW, FIELD(ptm_rep) },
    { 0x30, "ptr", RW, FIELD(ptr) }, { 0x34, "ptrim", RW, FIELD(ptrim) }, { 0x38, "pwe", RW, FIELD(pwe), .after = pwe_after },
};
static int otp_init(void *dev, struct err *e)
{
    SELF *s = dev;
    memset(s->fuse, 0xff, sizeof s->fuse);
    s->fuse[SERIAL] = s->serial;
    s->fuse[SERIAL + 1] = ~s->serial;
    return 0;
}
static void otp_fdt(void *dev, struct fdt_node *n) { fdt_set_u32(n, "fuse-count", FUSES); }
const struct device fu540_otp_device = {
    .name = "riscv.sifive.u.otp", .help = "SiFive FU540 one-time programmable memory", .dt = "sifive,fu540-c000-otp", .size = sizeof(SELF), .window = 0x1000,
    REGS(otp_regs), .init = otp_init, .fdt = otp_fdt, PROPS(PROP_U32("serial", serial, 1)), STATE(STATE_ARRAY(fuse), STATE_ARRAY(written)),
};
#undef SELF

/* --- the L2 cache's controller --------------------------------------------------------------------------------------------- */

#define SELF struct fu540_ccache
struct fu540_ccache {
    struct dev dev;
    uint32_t way_enable, inject;
    uint64_t mask[24];
};
static uint64_t config_read(void *dev, unsigned i) { return 0x06091004; } /* 4 banks, 16 ways, 2^9 sets a bank, 2^6 bytes */
static void flush_write(void *dev, unsigned i, uint64_t v) {}
static const struct reg ccache_regs[] = {
    { 0x000, "config", RO, .read = config_read }, { 0x008, "wayenable", RW, FIELD(way_enable), .mask = 0xf }, { 0x040, "eccinjecterror", RW, FIELD(inject), .mask = 0x100ff },
    { 0x100, "ecc", RO, .count = 4, .step = 0x20, .size = 8 }, { 0x108, "ecc_count", RO, .count = 4, .step = 0x20, .size = 4 },
    { 0x200, "flush64", WO, .size = 8, .write = flush_write }, { 0x240, "flush32", WO, .write = flush_write },
    { 0x800, "waymask", RW, .size = 8, FIELD_ARRAY(mask), .mask = 0xffff },
};
static void ccache_reset(void *dev)
{
    SELF *s = dev;
    for (unsigned i = 0; i < ARRAY_LEN(s->mask); i++) s->mask[i] = 0xffff;
}
static void ccache_fdt(void *dev, struct fdt_node *n)
{
    fdt_set_u32(n, "cache-block-size", 64);
    fdt_set_u32(n, "cache-level", 2);
    fdt_set_u32(n, "cache-sets", 1024);
    fdt_set_u32(n, "cache-size", 2 << 20);
    fdt_set_empty(n, "cache-unified");
}
const struct device fu540_ccache_device = {
    .name = "riscv.sifive.u.ccache", .help = "SiFive FU540 L2 cache controller", .dt = "sifive,fu540-c000-ccache", .size = sizeof(SELF), .window = 0x1000, .irqs = 3,
    REGS(ccache_regs), .reset = ccache_reset, .fdt = ccache_fdt,
};
#undef SELF

/* --- DDR controller and PHY -------------------------------------------------------------------------------------------------- */

#define SELF struct fu540_dmc
enum { CTL = 265, PHY = 1215, INT_STATUS = 132, PORT_BLOCKER = 0x8000 };
struct fu540_dmc {
    struct dev dev;
    uint32_t ctl[CTL], phy[PHY];
    uint64_t filter;
};
/* START, bit 0 of the first word: initialization is complete (bit 8), without errors. */
static uint64_t ctl_read(void *dev, unsigned i)
{
    const SELF *s = dev;
    return i == INT_STATUS ? s->ctl[i] | (s->ctl[0] & 1 ? 1 << 8 : 0) : s->ctl[i];
}
static const struct reg dmc_regs[] = {
    { 0x0000, "ctl", RW, FIELD_ARRAY(ctl), .read = ctl_read }, { 0x2000, "phy", RW, FIELD_ARRAY(phy) }, { PORT_BLOCKER, "physical_filter", RW, .size = 8, FIELD(filter) },
};
const struct device fu540_dmc_device = {
    .name = "riscv.sifive.u.dmc", .help = "SiFive FU540 DDR controller", .size = sizeof(SELF), .window = 0x10000, REGS(dmc_regs),
};
#undef SELF

/* --- clock of the Ethernet MAC -------------------------------------------------------------------------------------------------- */

#define SELF struct fu540_gemgxl
struct fu540_gemgxl {
    struct dev dev;
    uint32_t clk_sel, control[16];
};
static const struct reg gemgxl_regs[] = {
    { 0x00, "tx_clk_sel", RW, FIELD(clk_sel), .mask = 1 }, { 0x20, "control_status_speed", RW, FIELD_ARRAY(control) },
};
const struct device fu540_gemgxl_device = {
    .name = "riscv.sifive.u.gemgxl", .help = "SiFive FU540 Ethernet clocks", .size = sizeof(SELF), .window = 0x1000, REGS(gemgxl_regs),
};
