/*
 * test_finisher.c: SiFive's test finisher (device tree bindings sifive,test0 and sifive,test1): a write ends or resets the machine.
 * Known gaps: none.
 */
#include "dev/device.h"
#include "dev/fdt.h"

#define SELF struct test_finisher
enum { FAIL = 0x3333, PASS = 0x5555, RESET = 0x7777 };

struct test_finisher {
    struct dev dev;
};

static void finish(void *dev, unsigned i, uint64_t v)
{
    struct test_finisher *s = dev;
    struct board *b = s->dev.board;
    if (!b->request) return;
    switch (v & 0xffff) {
    case FAIL: b->request(b, BOARD_SHUTDOWN, (int)(v >> 16)); break;
    case PASS: b->request(b, BOARD_SHUTDOWN, 0); break;
    case RESET: b->request(b, BOARD_RESET, 0); break;
    default: dev_guest_error(&s->dev, false, "unknown command 0x%llx", (unsigned long long)v);
    }
}

static const struct reg finisher_regs[] = {
    { 0x00, "finish", WO, .write = finish },
};

static void finisher_fdt(void *dev, struct fdt_node *n) { fdt_phandle(n); }

const struct device test_finisher_device = {
    .name = "riscv.sifive.test", .help = "SiFive test finisher", .dt = "sifive,test1;sifive,test0;syscon", .size = sizeof(struct test_finisher),
    .window = 0x1000, REGS(finisher_regs), .fdt = finisher_fdt,
};
