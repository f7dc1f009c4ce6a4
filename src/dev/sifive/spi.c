/*
 * spi.c: SiFive's SPI controller (FU540-C000 manual, chapter 19): FIFOs of 8 frames, chip select by frame or held. A frame takes no time. The flash
 * that it maps is seen as memory at its window (the board maps it).
 * Known gaps: frames are 8 bits; how many lines they use and the delays make no difference; instructions for mapped reads (ffmt) neither.
 */
#include "dev/fdt.h"
#include "dev/ssi/ssi.h"

#define SELF struct sifive_spi
enum { FIFO = 8, CS_AUTO = 0, CS_HOLD = 2, CS_OFF = 3, FMT_TX_ONLY = 8, IP_TX = 1, IP_RX = 2 };
#define FULL_OR_EMPTY (1u << 31)

struct sifive_spi {
    struct dev dev;
    struct bus *bus;
    uint8_t rx[FIFO];
    uint32_t nrx, sckdiv, sckmode, csid, csdef, csmode, delay[2], fmt, txmark, rxmark, fctrl, ffmt, ie;
    bool selected;
};

static uint32_t pending(const SELF *s) { return (s->txmark & 7 ? IP_TX : 0) | (s->nrx > (s->rxmark & 7) ? IP_RX : 0); }
static void update(void *dev, unsigned i)
{
    SELF *s = dev;
    irq_set(&s->dev.irq[0], pending(s) & s->ie);
}

static void select_device(SELF *s, bool on)
{
    struct ssi_dev *d = ssi_find(s->bus);
    if (s->selected == on) return;
    s->selected = on;
    if (d && d->select) d->select(d, on);
}
/* Device 0 only; a change of what is selected ends a hold. */
static void cs_after(void *dev, unsigned i)
{
    SELF *s = dev;
    if (s->csmode != CS_HOLD || s->csid) select_device(s, false);
}

static uint64_t txdata_read(void *dev, unsigned i) { return 0; }
static void txdata_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    struct ssi_dev *d = s->csid || s->csmode == CS_OFF ? NULL : ssi_find(s->bus);
    if (d) select_device(s, true);
    uint8_t in = d ? d->exchange(d, (uint8_t)v) : 0xff;
    if (s->csmode == CS_AUTO) select_device(s, false);
    if (!(s->fmt & FMT_TX_ONLY) && s->nrx < FIFO) s->rx[s->nrx++] = in;
    update(s, 0);
}
static uint64_t rxdata_read(void *dev, unsigned i)
{
    SELF *s = dev;
    if (!s->nrx) return FULL_OR_EMPTY;
    uint8_t v = s->rx[0];
    memmove(s->rx, s->rx + 1, --s->nrx);
    update(s, 0);
    return v;
}
static uint64_t ip_read(void *dev, unsigned i) { return pending(dev); }

static const struct reg spi_regs[] = {
    { 0x00, "sckdiv", RW, FIELD(sckdiv), .mask = 0xfff, .reset = 3 }, { 0x04, "sckmode", RW, FIELD(sckmode), .mask = 3 },
    { 0x10, "csid", RW, FIELD(csid), .after = cs_after }, { 0x14, "csdef", RW, FIELD(csdef), .mask = 1, .reset = 1, .after = cs_after },
    { 0x18, "csmode", RW, FIELD(csmode), .mask = 3, .after = cs_after }, { 0x28, "delay", RW, FIELD_ARRAY(delay), .reset = 0x10001 },
    { 0x40, "fmt", RW, FIELD(fmt), .mask = 0xf000f, .reset = 0x80000 }, { 0x48, "txdata", RW, .read = txdata_read, .write = txdata_write },
    { 0x4c, "rxdata", RO, .read = rxdata_read }, { 0x50, "txmark", RW, FIELD(txmark), .mask = 7, .after = update }, { 0x54, "rxmark", RW, FIELD(rxmark), .mask = 7, .after = update },
    { 0x60, "fctrl", RW, FIELD(fctrl), .mask = 1, .reset = 1 }, { 0x64, "ffmt", RW, FIELD(ffmt), .reset = 0x00030007 },
    { 0x70, "ie", RW, FIELD(ie), .mask = 3, .after = update }, { 0x74, "ip", RO, .read = ip_read },
};
static int spi_init(void *dev, struct err *e)
{
    SELF *s = dev;
    s->bus = bus_new(&s->dev, "SSI", "spi", 1);
    return 0;
}
static void spi_reset(void *dev)
{
    SELF *s = dev;
    s->nrx = 0;
    s->selected = false;
    update(s, 0);
}
static void spi_fdt(void *dev, struct fdt_node *n)
{
    fdt_set_u32(n, "#address-cells", 1);
    fdt_set_u32(n, "#size-cells", 0);
}

const struct device sifive_spi_device = {
    .name = "sifive.spi", .help = "SiFive SPI controller", .dt = "sifive,spi0", .size = sizeof(SELF), .window = 0x1000, .irqs = 1, REGS(spi_regs), .init = spi_init,
    .reset = spi_reset, .fdt = spi_fdt, STATE(STATE_BYTES(rx), STATE_RANGE(nrx, 0, FIFO), STATE_RANGE(selected, 0, 1)),
};
