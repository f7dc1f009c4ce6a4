/*
 * gpio.c: SiFive's GPIO controller (FU540-C000 manual, chapter 17): 16 pins. Outputs 0 to 15 are interrupts, 16 to 31 the pins as they are driven
 * (high where the pin is no output); inputs drive the pins. Known gaps: no pull-ups but as a level, no drive strength.
 */
#include "dev/device.h"
#include "dev/fdt.h"

#define SELF struct sifive_gpio
enum { PINS = 16 };

struct sifive_gpio {
    struct dev dev;
    uint32_t in, input_en, output_en, port, pue, ds, rise_ie, rise_ip, fall_ie, fall_ip, high_ie, high_ip, low_ie, low_ip, iof_en, iof_sel, out_xor, value;
};

static void update(void *dev, unsigned i)
{
    SELF *s = dev;
    uint32_t out = s->port ^ s->out_xor, pins = (s->output_en & out) | (~s->output_en & (s->in | s->pue)), now = pins & s->input_en & 0xffff;
    s->rise_ip |= now & ~s->value;
    s->fall_ip |= ~now & s->value;
    s->value = now;
    s->high_ip |= now;
    s->low_ip |= ~now & 0xffff;
    uint32_t ints = (s->rise_ip & s->rise_ie) | (s->fall_ip & s->fall_ie) | (s->high_ip & s->high_ie) | (s->low_ip & s->low_ie);
    for (unsigned n = 0; n < PINS; n++) {
        irq_set(&s->dev.irq[n], ints >> n & 1);
        irq_set(&s->dev.irq[PINS + n], !(s->output_en >> n & 1) || (out >> n & 1));
    }
}
static void gpio_input(void *dev, unsigned n, bool level)
{
    SELF *s = dev;
    s->in = (s->in & ~(1u << n)) | (uint32_t)level << n;
    update(s, 0);
}
static uint64_t value_read(void *dev, unsigned i) { return ((SELF *)dev)->value; }

#define R(o, f) { o, #f, RW, FIELD(f), .mask = 0xffff, .after = update }
#define P(o, f) { o, #f, W1C, FIELD(f), .mask = 0xffff, .after = update }
static const struct reg gpio_regs[] = {
    { 0x00, "input_val", RO, .read = value_read }, R(0x04, input_en), R(0x08, output_en), R(0x0c, port), R(0x10, pue), R(0x14, ds), R(0x18, rise_ie), P(0x1c, rise_ip),
    R(0x20, fall_ie), P(0x24, fall_ip), R(0x28, high_ie), P(0x2c, high_ip), R(0x30, low_ie), P(0x34, low_ip), R(0x38, iof_en), R(0x3c, iof_sel), R(0x40, out_xor),
};

static void gpio_reset(void *dev)
{
    SELF *s = dev;
    s->value = 0;
    update(s, 0);
    s->low_ip = s->high_ip = 0;
}
static void gpio_fdt(void *dev, struct fdt_node *n)
{
    fdt_set_empty(n, "gpio-controller");
    fdt_set_u32(n, "#gpio-cells", 2);
    fdt_set_empty(n, "interrupt-controller");
    fdt_set_u32(n, "#interrupt-cells", 2);
    fdt_phandle(n);
}

const struct device sifive_gpio_device = {
    .name = "sifive_soc.gpio", .help = "SiFive GPIO", .dt = "sifive,gpio0", .size = sizeof(SELF), .window = 0x1000, .irqs = 2 * PINS, .inputs = PINS, .input = gpio_input,
    REGS(gpio_regs), .reset = gpio_reset, .fdt = gpio_fdt, STATE(STATE_INT(in), STATE_INT(value)),
};
