/*
 * gicv2m.c: GICv2m, a frame that turns message-signalled interrupts into SPIs (Arm Server Base System Architecture, appendix "GICv2m").
 */
#include "dev/intc/gic.h"

#define SELF struct gicv2m

enum { MAX_SPIS = 1020 - 32 };

struct gicv2m {
    struct dev dev;
    uint32_t base_spi, num_spi; /* base: interrupt number, 32 and up */
    struct dev *gic;
};

static uint64_t typer_read(void *dev, unsigned i)
{
    struct gicv2m *s = dev;
    return (uint64_t)s->base_spi << 16 | s->num_spi;
}

/* The value is the interrupt's number; others than the frame's own are ignored. */
static void setspi_write(void *dev, unsigned i, uint64_t v)
{
    struct gicv2m *s = dev;
    uint64_t n = (v & 0x3ff) - s->base_spi;
    if (n < s->num_spi) s->dev.cls->input(s, (unsigned)n, true);
}

static void gicv2m_input(void *dev, unsigned n, bool level)
{
    struct gicv2m *s = dev;
    if (!s->gic || n >= s->num_spi) return;
    unsigned spi = s->base_spi - 32 + n;
    s->gic->cls->input(s->gic, spi, true);
    s->gic->cls->input(s->gic, spi, false);
}

bool gicv2m_msi(void *dev, uint64_t addr, uint32_t data, struct mem_attr at)
{
    struct gicv2m *s = dev;
    if (addr != s->dev.at + 0x40) return false;
    setspi_write(s, 0, data);
    return true;
}

static int gicv2m_init(void *dev, struct err *e)
{
    struct gicv2m *s = dev;
    if (s->base_spi + s->num_spi > GIC_MAX_IRQ) return err_set(e, EINVAL, "arm-gicv2m: SPIs end at 1019");
    return 0;
}

static uint64_t iidr_read(void *dev, unsigned i)
{
    return 0x53ul << 20; /* no product of Arm's */
}

static const struct reg gicv2m_regs[] = {
    { 0x008, "typer", RO, .read = typer_read },
    { 0x040, "setspi_ns", WO, .write = setspi_write },
    { 0xfcc, "iidr", RO, .read = iidr_read },
};

const struct device gicv2m_device = {
    .name = "arm-gicv2m", .help = "Arm GICv2m message frame", .category = "Misc devices",
    .size = sizeof(struct gicv2m), .window = 0x1000, REGS(gicv2m_regs), .input = gicv2m_input,
    PROPS({ .name = "base-spi", .type = PROP_T_U32, .field = offsetof(SELF, base_spi), .def = 80, .min = 32, .max = GIC_MAX_IRQ - 1 },
          { .name = "num-spi", .type = PROP_T_U32, .field = offsetof(SELF, num_spi), .def = 64, .min = 1, .max = MAX_SPIS },
          PROP_DEV("gic", gic)),
    .init = gicv2m_init,
};
