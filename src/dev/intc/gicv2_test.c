/* gicv2_test.c: the GICv2 through its registers: priorities, preemption, SGIs, EOI modes, groups, levels, the virtual interface. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "dev/intc/gicv2.h"

extern const struct device gicv2_device, gicv2m_device;

struct rig {
    struct board b;
    struct dev *gic;
    bool line[V2_CPUS][GIC_LINES];
    struct rig_cpu { struct rig *r; unsigned n; } cpu[V2_CPUS];
};
enum { D = 0x8000000, C = 0x8010000, H = 0x8030000, V = 0x8040000 };
enum { CTLR = 0, PMR = 4, BPR = 8, IAR = 0xc, EOIR = 0x10, RPR = 0x14, HPPIR = 0x18, ABPR = 0x1c, AIAR = 0x20, AEOIR = 0x24, DIR = 0x1000 };

static void set_line(void *ctx, enum gic_line line, bool level)
{
    struct rig_cpu *c = ctx;
    c->r->line[c->n][line] = level;
}

static uint32_t rd_as(struct rig *r, unsigned cpu, bool secure, uint64_t addr)
{
    uint64_t v = 0;
    assert_int_equal(space_ld(r->b.space, addr, 4, &v, (struct mem_attr){ .cpu = true, .requester = (uint16_t)cpu, .secure = secure }), MEM_OK);
    return (uint32_t)v;
}
static void wr_as(struct rig *r, unsigned cpu, bool secure, uint64_t addr, uint32_t v)
{
    assert_int_equal(space_st(r->b.space, addr, v, 4, (struct mem_attr){ .cpu = true, .requester = (uint16_t)cpu, .secure = secure }), MEM_OK);
}
static uint32_t rd(struct rig *r, unsigned cpu, uint64_t addr) { return rd_as(r, cpu, true, addr); }
static void wr(struct rig *r, unsigned cpu, uint64_t addr, uint32_t v) { wr_as(r, cpu, true, addr, v); }
static void wr8(struct rig *r, uint64_t addr, uint8_t v)
{
    space_st(r->b.space, addr, v, 1, (struct mem_attr){ .cpu = true, .secure = true });
}

static void rig_new(struct rig *r, const char *props)
{
    struct err e = { 0 };
    memset(r, 0, sizeof *r);
    r->b.loop = loop_new(&e);
    r->b.mem = mem_new();
    r->b.space = space_new(r->b.mem, "memory");
    loop_lock(r->b.loop);
    r->gic = dev_new(&r->b, &gicv2_device, "gic", &e);
    assert_non_null(r->gic);
    assert_int_equal(dev_set_list(r->gic, "num-irq=96,num-cpu=4,cpu-addr=0x8010000,hyp-addr=0x8030000,vcpu-addr=0x8040000", &e), 0);
    assert_int_equal(dev_set_list(r->gic, props, &e), 0);
    assert_int_equal(dev_realize(r->gic, NULL, &e), 0);
    assert_int_equal(dev_map(r->gic, D, &e), 0);
    for (unsigned i = 0; i < V2_CPUS; i++) {
        r->cpu[i] = (struct rig_cpu){ r, i };
        gicv2_attach(r->gic, i, set_line, &r->cpu[i]);
    }
}

/* As a kernel does it: everything to CPU 0, priority 0xa0, interfaces open. */
static void rig_on(struct rig *r)
{
    wr(r, 0, D + CTLR, 1);
    for (unsigned i = 32; i < 96; i += 4) {
        wr(r, 0, D + 0x400 + i, 0xa0a0a0a0);
        wr(r, 0, D + 0x800 + i, 0x01010101);
    }
    for (unsigned c = 0; c < 4; c++) {
        for (unsigned i = 0; i < 32; i += 4) wr(r, c, D + 0x400 + i, 0xa0a0a0a0);
        wr(r, c, C + PMR, 0xf0);
        wr(r, c, C + CTLR, 1);
    }
}

static void rig_free(struct rig *r)
{
    while (r->b.devs) dev_free(r->b.devs);
    loop_unlock(r->b.loop);
    mem_free(r->b.mem);
    loop_free(r->b.loop);
}

static void line(struct rig *r, unsigned irq, bool level)
{
    r->gic->cls->input(r->gic, irq >= 32 ? irq - 32 : 64 + irq, level); /* private ones: CPU 0's */
}

static void test_level(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, 0, D + 0x104, 1 << 8); /* 40 */
    assert_false(r.line[0][GIC_IRQ]);
    line(&r, 40, true);
    assert_true(r.line[0][GIC_IRQ]);
    assert_int_equal(rd(&r, 0, C + HPPIR), 40);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    assert_false(r.line[0][GIC_IRQ]); /* active: not again before its end */
    assert_int_equal(rd(&r, 0, C + RPR), 0xa0);
    assert_int_equal(rd(&r, 0, C + IAR), 1023);
    assert_int_equal(rd(&r, 0, D + 0x304), 1 << 8);
    wr(&r, 0, C + EOIR, 40);
    assert_true(r.line[0][GIC_IRQ]); /* still asserted */
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    line(&r, 40, false);
    wr(&r, 0, C + EOIR, 40);
    assert_false(r.line[0][GIC_IRQ]);
    assert_int_equal(rd(&r, 0, C + RPR), 0xff);
    /* ISPENDR latches a level interrupt until it is acknowledged */
    wr(&r, 0, D + 0x204, 1 << 8);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    wr(&r, 0, C + EOIR, 40);
    assert_int_equal(rd(&r, 0, C + IAR), 1023);
    /* disabled and masked ones do not come */
    line(&r, 40, true);
    wr(&r, 0, C + PMR, 0xa0);
    assert_false(r.line[0][GIC_IRQ]);
    wr(&r, 0, C + PMR, 0xa8);
    assert_true(r.line[0][GIC_IRQ]);
    wr(&r, 0, D + 0x184, 1 << 8);
    assert_false(r.line[0][GIC_IRQ]);
    rig_free(&r);
}

static void test_edge(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, 0, D + 0xc08, 2u << 16); /* 40 is an edge */
    wr(&r, 0, D + 0x104, 1 << 8);
    line(&r, 40, true);
    line(&r, 40, false);
    assert_true(r.line[0][GIC_IRQ]);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    line(&r, 40, true); /* while it is active: pending again */
    assert_int_equal(rd(&r, 0, D + 0x204), 1 << 8);
    wr(&r, 0, C + EOIR, 40);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    wr(&r, 0, C + EOIR, 40);
    assert_int_equal(rd(&r, 0, C + IAR), 1023); /* the level alone does nothing */
    line(&r, 40, false);
    line(&r, 40, true);
    wr(&r, 0, D + 0x284, 1 << 8); /* ICPENDR takes it back */
    assert_false(r.line[0][GIC_IRQ]);
    rig_free(&r);
}

static void test_preempt(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, 0, D + 0x104, 0xffffffff);
    wr8(&r, D + 0x400 + 41, 0x90);
    wr8(&r, D + 0x400 + 42, 0x98);
    wr8(&r, D + 0x400 + 43, 0x40);
    assert_int_equal(rd(&r, 0, D + 0x428), 0x409890a0);
    line(&r, 40, true);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    line(&r, 42, true);
    line(&r, 41, true);
    assert_int_equal(rd(&r, 0, C + IAR), 41); /* the better of two */
    assert_int_equal(rd(&r, 0, C + RPR), 0x90);
    assert_false(r.line[0][GIC_IRQ]); /* 0x98 does not preempt 0x90 */
    line(&r, 43, true);
    assert_int_equal(rd(&r, 0, C + IAR), 43);
    wr(&r, 0, C + EOIR, 43);
    line(&r, 43, false);
    assert_int_equal(rd(&r, 0, C + RPR), 0x90);
    wr(&r, 0, C + EOIR, 41);
    line(&r, 41, false);
    assert_int_equal(rd(&r, 0, C + IAR), 42);
    wr(&r, 0, C + EOIR, 42);
    line(&r, 42, false);
    /* With a binary point of 4 the priorities 0xa0 and 0xb8 are one group */
    wr(&r, 0, C + EOIR, 40);
    line(&r, 40, false);
    wr(&r, 0, C + BPR, 4);
    wr8(&r, D + 0x400 + 44, 0xb8);
    line(&r, 44, true);
    assert_int_equal(rd(&r, 0, C + IAR), 44);
    assert_int_equal(rd(&r, 0, C + RPR), 0xa0);
    line(&r, 40, true);
    assert_false(r.line[0][GIC_IRQ]);
    wr(&r, 0, C + EOIR, 44);
    assert_true(r.line[0][GIC_IRQ]);
    wr(&r, 0, C + BPR, 0);
    assert_int_equal(rd(&r, 0, C + BPR), 2); /* five bits of priority */
    rig_free(&r);
}

static void test_sgi(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, 2, D + 0xf00, 1 << 24 | 5); /* CPU 2 to all others */
    assert_true(r.line[0][GIC_IRQ] && r.line[1][GIC_IRQ] && r.line[3][GIC_IRQ] && !r.line[2][GIC_IRQ]);
    wr(&r, 3, D + 0xf00, 1 << 16 | 5); /* CPU 3 to CPU 0: a second sender */
    assert_int_equal(rd(&r, 0, D + 0xf24), 0x0c00);
    assert_int_equal(rd(&r, 0, C + IAR), 2 << 10 | 5);
    assert_int_equal(rd(&r, 0, C + IAR), 1023);
    wr(&r, 0, C + EOIR, 2 << 10 | 5);
    assert_int_equal(rd(&r, 0, C + IAR), 3 << 10 | 5);
    wr(&r, 0, C + EOIR, 3 << 10 | 5);
    assert_int_equal(rd(&r, 0, C + IAR), 1023);
    wr(&r, 1, D + 0xf00, 2 << 24 | 3); /* to itself */
    assert_int_equal(rd(&r, 1, C + IAR), 1 << 10 | 3); /* 3 and 5 have the same priority: the lower number */
    wr(&r, 1, D + 0xf14, 0x0400); /* CPENDSGIR of 5 from CPU 2 */
    wr(&r, 1, C + EOIR, 1 << 10 | 3);
    assert_int_equal(rd(&r, 1, C + IAR), 1023);
    assert_int_equal(rd(&r, 0, D + 0x100) & 0xffff, 0xffff); /* SGIs cannot be disabled */
    rig_free(&r);
}

static void test_eoimode(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, 0, C + CTLR, 1 | CC_EOIMODE_S);
    wr(&r, 0, D + 0x104, 1 << 8);
    line(&r, 40, true);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    wr(&r, 0, C + EOIR, 40);
    assert_int_equal(rd(&r, 0, C + RPR), 0xff);
    assert_int_equal(rd(&r, 0, D + 0x304), 1 << 8); /* dropped, but active */
    assert_false(r.line[0][GIC_IRQ]);
    wr(&r, 0, C + DIR, 40);
    assert_int_equal(rd(&r, 0, D + 0x304), 0);
    assert_true(r.line[0][GIC_IRQ]);
    wr(&r, 0, C + EOIR, 1023); /* numbers that are none */
    wr(&r, 0, C + DIR, 1000);
    rig_free(&r);
}

static void test_groups(void **state)
{
    struct rig r;
    rig_new(&r, "has-security-extensions=on");
    rig_on(&r);
    wr(&r, 0, D + CTLR, 3);
    wr(&r, 0, D + 0x84, 1 << 9); /* 41 is non-secure */
    wr(&r, 0, D + 0x104, 3 << 8);
    assert_int_equal(rd_as(&r, 0, false, D + 0x104), 1 << 9);
    assert_int_equal(rd_as(&r, 0, false, D + 0x428), 0x4000); /* 0xa0 as non-secure software sees it */
    wr_as(&r, 0, false, D + 0x428, 0x0000c000 | 0xff);
    assert_int_equal(rd(&r, 0, D + 0x428), 0xa0a0e0a0);
    assert_int_equal(rd_as(&r, 0, false, D + CTLR), 1);
    wr(&r, 0, C + CTLR, CC_GRP0 | CC_GRP1 | CC_FIQEN);
    line(&r, 41, true);
    assert_true(r.line[0][GIC_IRQ] && !r.line[0][GIC_FIQ]);
    assert_int_equal(rd(&r, 0, C + IAR), 1022); /* without AckCtl secure software is only told */
    line(&r, 40, true);
    assert_true(!r.line[0][GIC_IRQ] && r.line[0][GIC_FIQ]);
    assert_int_equal(rd_as(&r, 0, false, C + IAR), 1023);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    assert_int_equal(rd_as(&r, 0, false, C + RPR), 0x40);
    wr(&r, 0, C + EOIR, 40);
    line(&r, 40, false);
    assert_int_equal(rd_as(&r, 0, false, C + IAR), 41);
    wr_as(&r, 0, false, C + EOIR, 41);
    assert_int_equal(rd(&r, 0, C + AIAR), 41);
    wr(&r, 0, C + AEOIR, 41);
    /* the priority mask: non-secure software cannot open what secure software closed */
    wr(&r, 0, C + PMR, 0x40);
    wr_as(&r, 0, false, C + PMR, 0xff);
    assert_int_equal(rd(&r, 0, C + PMR), 0x40);
    assert_int_equal(rd_as(&r, 0, false, C + PMR), 0);
    rig_free(&r);
}

static void test_virtual(void **state)
{
    struct rig r;
    rig_new(&r, "has-virtualization-extensions=on");
    rig_on(&r);
    wr(&r, 0, D + 0x100, 1u << 25);
    wr(&r, 0, D + 0x104, 1 << 8);
    line(&r, 40, true);
    assert_int_equal(rd(&r, 0, C + IAR), 40);
    wr(&r, 0, C + CTLR, 1 | CC_EOIMODE_S);
    wr(&r, 0, C + EOIR, 40); /* the hypervisor hands it on: priority dropped, still active */
    wr(&r, 0, V + PMR, 0xf0);
    wr(&r, 0, V + CTLR, 1);
    wr(&r, 0, H + 0x00, 1); /* En */
    wr(&r, 0, H + 0x100, 1u << 31 | 1 << 28 | 0x10 << 23 | 40 << 10 | 70);
    assert_true(r.line[0][GIC_VIRQ]);
    assert_int_equal(rd(&r, 0, V + IAR), 70);
    assert_false(r.line[0][GIC_VIRQ]);
    assert_int_equal(rd(&r, 0, V + RPR), 0x80);
    line(&r, 40, false);
    wr(&r, 0, V + EOIR, 70);
    assert_int_equal(rd(&r, 0, D + 0x304), 0); /* the physical one ended with it */
    assert_int_equal(rd(&r, 0, H + 0x30), 15);
    /* without HW: the hypervisor wants to know of the end */
    wr(&r, 0, H + 0x104, 1 << 28 | 0x10 << 23 | 1 << 19 | 71);
    assert_int_equal(rd(&r, 0, V + IAR), 71);
    assert_false(r.line[0][GIC_IRQ]);
    wr(&r, 0, V + EOIR, 71);
    assert_int_equal(rd(&r, 0, H + 0x20), 2);
    assert_int_equal(rd(&r, 0, H + 0x10), 1);
    assert_true(r.line[0][GIC_IRQ]); /* maintenance interrupt */
    assert_int_equal(rd(&r, 0, C + IAR), 25);
    wr(&r, 0, H + 0x104, 0);
    wr(&r, 0, C + EOIR, 25);
    wr(&r, 0, C + DIR, 25);
    assert_false(r.line[0][GIC_IRQ]);
    /* an end without a list register is counted */
    wr(&r, 0, H + 0xf0, 1 << 16);
    wr(&r, 0, V + EOIR, 99);
    assert_int_equal(rd(&r, 0, H + 0) >> 27, 1);
    assert_int_equal(rd(&r, 0, H + 0x08) & 1, 1);
    rig_free(&r);
}

static void test_v2m(void **state)
{
    struct rig r;
    struct err e = { 0 };
    rig_new(&r, "");
    rig_on(&r);
    struct dev *m = dev_new(&r.b, &gicv2m_device, "v2m", &e);
    assert_int_equal(dev_set_list(m, "base-spi=48,num-spi=16,gic=gic", &e), 0);
    assert_int_equal(dev_realize(m, NULL, &e), 0);
    assert_int_equal(dev_map(m, 0x8020000, &e), 0);
    assert_int_equal(rd(&r, 0, 0x8020008), 48 << 16 | 16);
    for (unsigned i = 0; i < 3; i++) wr(&r, 0, D + 0xc08 + i * 4, 0xaaaaaaaa);
    wr(&r, 0, D + 0x104, 0xffffffff);
    assert_true(gicv2m_msi(m, 0x8020040, 50, (struct mem_attr){ 0 }));
    assert_false(gicv2m_msi(m, 0x8020044, 50, (struct mem_attr){ 0 }));
    assert_int_equal(rd(&r, 0, C + IAR), 50);
    wr(&r, 0, C + EOIR, 50);
    wr(&r, 0, 0x8020040, 47); /* not its own */
    wr(&r, 0, 0x8020040, 64);
    assert_int_equal(rd(&r, 0, C + IAR), 1023);
    rig_free(&r);
}

/* Any access, any order: it comes back, and state loaded from a save is the state. */
static void test_fuzz(void **state)
{
    struct rig r;
    uint64_t x = 88172645463325252ull;
    rig_new(&r, "has-security-extensions=on,has-virtualization-extensions=on");
    rig_on(&r);
    static const uint64_t base[] = { D, C, H, V };
    for (unsigned i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        struct mem_attr at = { .cpu = true, .requester = x >> 8 & 7, .secure = x >> 11 & 1 };
        uint64_t v, addr = base[x >> 12 & 3] + (x >> 14 & 1 ? x >> 20 & 0x1fff : x >> 20 & 0x1ff);
        unsigned size = 1u << (x >> 15 & 3);
        if (x >> 17 & 1) space_st(r.b.space, addr, x >> 32, size, at);
        else space_ld(r.b.space, addr, size, &v, at);
        if (!(i & 7)) r.gic->cls->input(r.gic, (unsigned)(x >> 40 & 255), x >> 50 & 1);
    }
    struct state_out o = { 0 }, o2 = { 0 };
    struct err e = { 0 };
    dev_save(r.gic, &o);
    dev_reset(r.gic);
    struct state_in in = { o.buf, o.len, 0 };
    assert_int_equal(dev_load(r.gic, &in, &e), 0);
    dev_save(r.gic, &o2);
    assert_int_equal(o.len, o2.len);
    assert_memory_equal(o.buf, o2.buf, o.len);
    state_out_free(&o);
    state_out_free(&o2);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level), cmocka_unit_test(test_edge), cmocka_unit_test(test_preempt), cmocka_unit_test(test_sgi),
        cmocka_unit_test(test_eoimode), cmocka_unit_test(test_groups), cmocka_unit_test(test_virtual), cmocka_unit_test(test_v2m),
        cmocka_unit_test(test_fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
