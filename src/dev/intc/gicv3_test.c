/* gicv3_test.c: the GICv3: priorities, preemption, EOI modes, SGIs, security states, list registers, LPIs, ITS commands, malformed tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "cpu/arm_sys.h"
#include "dev/intc/gicv3.h"

extern const struct device gicv3_device, gicv3_its_device;

struct rig {
    struct board b;
    struct ram *ram;
    struct dev *gic, *its;
    struct gicv3 *s;
    bool line[4][GIC_LINES];
    struct rig_cpu { struct rig *r; unsigned n; } cpu[4];
    uint64_t queue;
};
enum { D = 0x8000000, ITS = 0x8080000, R = 0x80a0000, RAM = 0x40000000, RAM_SIZE = 16 << 20 };
/* Where the test has its tables. */
enum { PROP = RAM + 0x100000, PEND = RAM + 0x200000, QUEUE = RAM + 0x300000, DEVS = RAM + 0x400000, COLLS = RAM + 0x500000, ITT = RAM + 0x600000 };
#define ICC(crm, op2) ARM_SYSREG(3, 0, 12, crm, op2)
enum { IAR0 = ICC(8, 0), IAR1 = ICC(12, 0), EOIR0 = ICC(8, 1), EOIR1 = ICC(12, 1), HPPIR1 = ICC(12, 2), BPR0 = ICC(8, 3), BPR1 = ICC(12, 3), ICTLR = ICC(12, 4),
       IGRPEN0 = ICC(12, 6), IGRPEN1 = ICC(12, 7), DIR = ICC(11, 1), RPR = ICC(11, 3), SGI1R = ICC(11, 5), PMR = ARM_SYSREG(3, 0, 4, 6, 0) };
static const struct v3_pe el1 = { .el = 1, .scr = 1 }, el3 = { .el = 3, .secure = true, .has_el3 = true, .scr = 4 },
                          ns = { .el = 1, .has_el3 = true, .scr = 5 }, sel1 = { .el = 1, .secure = true, .has_el3 = true, .scr = 4 };

static void set_line(void *ctx, enum gic_line line, bool level)
{
    struct rig_cpu *c = ctx;
    c->r->line[c->n][line] = level;
}

static uint64_t mrs(struct rig *r, unsigned cpu, const struct v3_pe *pe, unsigned reg)
{
    uint64_t v;
    pthread_mutex_lock(&r->s->lock);
    assert_true(v3_icc_read(r->s->cpu[cpu], pe, reg, &v));
    pthread_mutex_unlock(&r->s->lock);
    return v;
}
static void msr(struct rig *r, unsigned cpu, const struct v3_pe *pe, unsigned reg, uint64_t v)
{
    pthread_mutex_lock(&r->s->lock);
    assert_true(v3_icc_write(r->s->cpu[cpu], pe, reg, v));
    pthread_mutex_unlock(&r->s->lock);
}
static uint64_t ld(struct rig *r, uint64_t addr, unsigned size, bool secure)
{
    uint64_t v = 0;
    assert_int_equal(space_ld(r->b.space, addr, size, &v, (struct mem_attr){ .cpu = true, .secure = secure }), MEM_OK);
    return v;
}
static void st(struct rig *r, uint64_t addr, uint64_t v, unsigned size, bool secure)
{
    assert_int_equal(space_st(r->b.space, addr, v, size, (struct mem_attr){ .cpu = true, .secure = secure }), MEM_OK);
}
static void wr(struct rig *r, uint64_t addr, uint64_t v) { st(r, addr, v, 4, true); }
static uint32_t rd(struct rig *r, uint64_t addr) { return (uint32_t)ld(r, addr, 4, true); }

static void rig_new(struct rig *r, const char *props)
{
    struct err e = { 0 };
    memset(r, 0, sizeof *r);
    r->b.loop = loop_new(&e);
    r->b.mem = mem_new();
    r->b.space = space_new(r->b.mem, "memory");
    r->ram = ram_new(r->b.mem, "ram", RAM_SIZE, false, &e);
    space_map_ram(r->b.space, RAM, r->ram, 0, RAM_SIZE, 0);
    loop_lock(r->b.loop);
    r->gic = dev_new(&r->b, &gicv3_device, "gic", &e);
    assert_int_equal(dev_set_list(r->gic, "num-irq=96,num-cpu=4,has-lpi=on,redist-addr=0x80a0000", &e), 0);
    assert_int_equal(dev_set_list(r->gic, props, &e), 0);
    assert_int_equal(dev_realize(r->gic, NULL, &e), 0);
    assert_int_equal(dev_map(r->gic, D, &e), 0);
    r->s = (struct gicv3 *)r->gic;
    for (unsigned i = 0; i < 4; i++) {
        r->cpu[i] = (struct rig_cpu){ r, i };
        gicv3_attach(r->gic, i, i, set_line, &r->cpu[i]);
    }
    r->its = dev_new(&r->b, &gicv3_its_device, "its", &e);
    assert_int_equal(dev_set(r->its, "parent-gicv3", "gic", &e), 0);
    assert_int_equal(dev_realize(r->its, NULL, &e), 0);
    assert_int_equal(dev_map(r->its, ITS, &e), 0);
}

static uint64_t sgi_base(unsigned cpu) { return R + cpu * 0x20000ull + 0x10000; }

/* As a kernel does it: all in group 1, priority 0xa0, SPIs to CPU 0. */
static void rig_on(struct rig *r)
{
    wr(r, D, 2 | 0x10);
    for (unsigned i = 32; i < 96; i++) st(r, D + 0x400 + i, 0xa0, 1, true);
    wr(r, D + 0x84, 0xffffffff);
    wr(r, D + 0x88, 0xffffffff);
    for (unsigned c = 0; c < 4; c++) {
        wr(r, sgi_base(c) + 0x80, 0xffffffff);
        for (unsigned i = 0; i < 32; i += 4) wr(r, sgi_base(c) + 0x400 + i, 0xa0a0a0a0);
        wr(r, R + c * 0x20000 + 0x14, 0);
        msr(r, c, &el1, PMR, 0xf0);
        msr(r, c, &el1, IGRPEN1, 1);
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
    r->gic->cls->input(r->gic, irq - 32, level);
}

static void test_ids(void **state)
{
    struct rig r;
    rig_new(&r, "");
    assert_int_equal(rd(&r, D + 4), 2 | 1 << 16 | 1 << 17 | 15 << 19 | 3 << 24);
    assert_int_equal(rd(&r, D + 0xffe8) >> 4 & 15, 3);
    assert_int_equal(rd(&r, R + 0xffe8) >> 4 & 15, 3);
    assert_int_equal(ld(&r, R + 0x20008, 8, true), 1ull << 32 | 1 << 8 | 1);
    assert_int_equal(ld(&r, R + 0x60008, 8, true), 3ull << 32 | 3 << 8 | 1 << 4 | 1); /* the last of its region */
    assert_int_equal(rd(&r, R + 0x6000c), 3);
    assert_int_equal(rd(&r, D) & 0x50, 0x50); /* ARE and DS are fixed */
    assert_int_equal(rd(&r, R + 0x14), 6);
    wr(&r, R + 0x14, 0);
    assert_int_equal(rd(&r, R + 0x14), 0);
    rig_free(&r);
}

static void test_priorities(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, D + 0x104, 0xff00);
    st(&r, D + 0x400 + 41, 0x90, 1, true);
    st(&r, D + 0x400 + 42, 0x98, 1, true);
    line(&r, 40, true);
    assert_true(r.line[0][GIC_IRQ] && !r.line[0][GIC_FIQ] && !r.line[1][GIC_IRQ]);
    assert_int_equal(mrs(&r, 0, &el1, HPPIR1), 40);
    assert_int_equal(mrs(&r, 0, &el1, IAR0), 1023);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 40);
    assert_false(r.line[0][GIC_IRQ]);
    assert_int_equal(mrs(&r, 0, &el1, RPR), 0xa0);
    line(&r, 42, true);
    line(&r, 41, true);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 41);
    assert_false(r.line[0][GIC_IRQ]);
    msr(&r, 0, &el1, EOIR1, 41);
    line(&r, 41, false);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 42);
    line(&r, 42, false);
    msr(&r, 0, &el1, EOIR1, 42);
    line(&r, 40, false);
    msr(&r, 0, &el1, EOIR1, 40);
    assert_int_equal(mrs(&r, 0, &el1, RPR), 0xff);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 1023);
    /* masked; then the binary point joins levels: BPR1 = 5 leaves bits 7..5 */
    line(&r, 40, true);
    msr(&r, 0, &el1, PMR, 0xa0);
    assert_false(r.line[0][GIC_IRQ]);
    assert_int_equal(mrs(&r, 0, &el1, HPPIR1), 40);
    msr(&r, 0, &el1, PMR, 0xff);
    assert_int_equal(mrs(&r, 0, &el1, PMR), 0xf8);
    msr(&r, 0, &el1, BPR1, 7);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 40);
    assert_int_equal(mrs(&r, 0, &el1, RPR), 0x80);
    line(&r, 41, true);
    assert_false(r.line[0][GIC_IRQ]); /* 7: bit 7 alone decides */
    msr(&r, 0, &el1, EOIR1, 40);
    assert_true(r.line[0][GIC_IRQ]);
    msr(&r, 0, &el1, BPR1, 0);
    assert_int_equal(mrs(&r, 0, &el1, BPR1), 3);
    rig_free(&r);
}

static void test_routing(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, D + 0x104, 1 << 8);
    line(&r, 40, true);
    assert_true(r.line[0][GIC_IRQ]);
    st(&r, D + 0x6000 + 40 * 8, 2, 8, true);
    assert_true(!r.line[0][GIC_IRQ] && r.line[2][GIC_IRQ]);
    st(&r, D + 0x6000 + 40 * 8, 9, 8, true); /* nobody */
    assert_true(!r.line[0][GIC_IRQ] && !r.line[2][GIC_IRQ]);
    wr(&r, D + 0x6000 + 40 * 8, 3);
    assert_int_equal(mrs(&r, 3, &el1, IAR1), 40);
    /* a CPU's own interrupts: input 64 + 32 * cpu + number */
    r.gic->cls->input(r.gic, 64 + 32 + 27, true);
    assert_false(r.line[1][GIC_IRQ]);
    wr(&r, sgi_base(1) + 0x100, 1 << 27);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 27);
    assert_int_equal(rd(&r, sgi_base(1) + 0x300), 1 << 27);
    assert_int_equal(rd(&r, sgi_base(0) + 0x300), 0);
    /* the distributor does not have them */
    assert_int_equal(rd(&r, D + 0x100), 0);
    wr(&r, D + 0x40, 50); /* SETSPI: a message */
    assert_int_equal(rd(&r, D + 0x204), 1 << 18 | 1 << 8);
    rig_free(&r);
}

static void test_eoimode(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    wr(&r, D + 0x104, 1 << 8);
    msr(&r, 0, &el1, ICTLR, 2);
    line(&r, 40, true);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 40);
    msr(&r, 0, &el1, EOIR0, 40); /* group 0's register does not end it */
    assert_int_equal(mrs(&r, 0, &el1, RPR), 0xa0);
    msr(&r, 0, &el1, EOIR1, 40);
    assert_int_equal(mrs(&r, 0, &el1, RPR), 0xff);
    assert_int_equal(rd(&r, D + 0x304), 1 << 8);
    msr(&r, 1, &el1, ICTLR, 2);
    msr(&r, 1, &el1, DIR, 40); /* any CPU may deactivate */
    assert_true(r.line[0][GIC_IRQ]);
    msr(&r, 0, &el1, EOIR1, 1023);
    msr(&r, 0, &el1, EOIR1, 8191);
    msr(&r, 0, &el1, DIR, 0xffffff);
    rig_free(&r);
}

static void test_sgi(void **state)
{
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    for (unsigned c = 0; c < 4; c++) wr(&r, sgi_base(c) + 0x100, 0xffff);
    msr(&r, 1, &el1, SGI1R, 5u << 24 | 0xd); /* to 0, 2, 3 */
    assert_true(r.line[0][GIC_IRQ] && !r.line[1][GIC_IRQ] && r.line[2][GIC_IRQ] && r.line[3][GIC_IRQ]);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 5);
    msr(&r, 0, &el1, EOIR1, 5);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 1023);
    msr(&r, 1, &el1, SGI1R, 1ull << 40 | 7u << 24); /* to all but itself */
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 7);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 1023);
    assert_int_equal(mrs(&r, 2, &el1, IAR1), 5);
    msr(&r, 1, &el1, SGI1R, 1ull << 16 | 7u << 24 | 0xffff); /* Aff1 = 1: nobody is there */
    msr(&r, 0, &el1, EOIR1, 7);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 1023);
    rig_free(&r);
}

static void test_security(void **state)
{
    struct rig r;
    rig_new(&r, "has-security-extensions=on");
    wr(&r, D, 7);
    assert_int_equal(rd(&r, D), 0x37);
    assert_int_equal(ld(&r, D, 4, false), 0x12);
    wr(&r, D + 0x84, 1 << 8);                 /* 40: non-secure group 1; 41: group 0; 42: secure group 1 */
    wr(&r, D + 0xd04, 1 << 10);
    wr(&r, D + 0x104, 7 << 8);
    for (unsigned i = 40; i < 43; i++) st(&r, D + 0x400 + i, 0x80 - (i - 40) * 0x20, 1, true);
    assert_int_equal(ld(&r, D + 0x104, 4, false), 1 << 8);
    assert_int_equal(ld(&r, D + 0x428, 4, false), 0);
    st(&r, D + 0x428, 0x40, 1, false);
    assert_int_equal(ld(&r, D + 0x428, 1, true), 0xa0);
    msr(&r, 0, &el3, ARM_SYSREG(3, 6, 12, 12, 7), 3);
    msr(&r, 0, &el3, IGRPEN0, 1);
    msr(&r, 0, &el3, PMR, 0xf0);
    assert_int_equal(mrs(&r, 0, &ns, PMR), 0xe0);
    gicv3_state_changed(r.gic, 0, false, false);
    line(&r, 40, true);
    assert_true(r.line[0][GIC_IRQ] && !r.line[0][GIC_FIQ]);
    gicv3_state_changed(r.gic, 0, true, false); /* in the secure world it is an FIQ */
    assert_true(!r.line[0][GIC_IRQ] && r.line[0][GIC_FIQ]);
    gicv3_state_changed(r.gic, 0, false, false);
    line(&r, 42, true); /* better: priority 0x40 */
    assert_true(!r.line[0][GIC_IRQ] && r.line[0][GIC_FIQ]);
    assert_int_equal(mrs(&r, 0, &ns, IAR1), 1023);
    assert_int_equal(mrs(&r, 0, &el3, IAR0), 1020); /* EL3 learns that it is the secure world's */
    gicv3_state_changed(r.gic, 0, true, false);
    assert_true(r.line[0][GIC_IRQ] && !r.line[0][GIC_FIQ]);
    assert_int_equal(mrs(&r, 0, &sel1, IAR1), 42);
    assert_int_equal(mrs(&r, 0, &ns, RPR), 0); /* something secure runs */
    line(&r, 41, true);
    assert_true(!r.line[0][GIC_FIQ]);         /* 0x60 does not preempt 0x40 */
    line(&r, 42, false);
    msr(&r, 0, &ns, EOIR1, 42);               /* not non-secure software's to end */
    assert_int_equal(mrs(&r, 0, &sel1, RPR), 0x40);
    msr(&r, 0, &sel1, EOIR1, 42);
    assert_int_equal(mrs(&r, 0, &sel1, IAR0), 41);
    line(&r, 41, false);
    msr(&r, 0, &sel1, EOIR0, 41);
    assert_int_equal(mrs(&r, 0, &ns, IAR1), 40);
    assert_int_equal(mrs(&r, 0, &ns, RPR), 0x40);
    msr(&r, 0, &ns, EOIR1, 40);
    rig_free(&r);
}

static void ich(struct rig *r, unsigned reg, uint64_t v)
{
    pthread_mutex_lock(&r->s->lock);
    assert_true(v3_ich_write(r->s->cpu[0], reg, v));
    pthread_mutex_unlock(&r->s->lock);
}
static uint64_t ich_rd(struct rig *r, unsigned reg)
{
    uint64_t v;
    assert_true(v3_ich_read(r->s->cpu[0], reg, &v));
    return v;
}
static void icv(struct rig *r, unsigned reg, uint64_t v)
{
    pthread_mutex_lock(&r->s->lock);
    assert_true(v3_icv_write(r->s->cpu[0], reg, v));
    pthread_mutex_unlock(&r->s->lock);
}
static uint64_t icv_rd(struct rig *r, unsigned reg)
{
    uint64_t v;
    pthread_mutex_lock(&r->s->lock);
    assert_true(v3_icv_read(r->s->cpu[0], reg, &v));
    pthread_mutex_unlock(&r->s->lock);
    return v;
}

static void test_virtual(void **state)
{
    enum { HCR = ARM_SYSREG(3, 4, 12, 11, 0), VTR = HCR + 1, EISR = HCR + 3, ELRSR = HCR + 5, VMCR = HCR + 7, LR = ARM_SYSREG(3, 4, 12, 12, 0) };
    struct rig r;
    rig_new(&r, "");
    rig_on(&r);
    assert_int_equal(ich_rd(&r, VTR) & 31, 3);
    wr(&r, D + 0x104, 1 << 8);
    wr(&r, sgi_base(0) + 0x100, 1 << 25);
    line(&r, 40, true);
    msr(&r, 0, &el1, ICTLR, 2);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 40);
    msr(&r, 0, &el1, EOIR1, 40);
    ich(&r, HCR, 1);
    icv(&r, PMR, 0xf0);
    icv(&r, IGRPEN1, 1);
    assert_int_equal(ich_rd(&r, VMCR) >> 24, 0xf0);
    ich(&r, LR, 1ull << 62 | 1ull << 61 | 1ull << 60 | 0x80ull << 48 | 40ull << 32 | 70);
    assert_true(r.line[0][GIC_VIRQ] && !r.line[0][GIC_VFIQ]);
    assert_int_equal(icv_rd(&r, IAR0), 1023);
    assert_int_equal(icv_rd(&r, IAR1), 70);
    assert_false(r.line[0][GIC_VIRQ]);
    assert_int_equal(ich_rd(&r, LR) >> 62, 2);
    ich(&r, LR + 1, 1ull << 62 | 0x40ull << 48 | 71 | 1ull << 41); /* group 0, better, but not enabled */
    assert_false(r.line[0][GIC_VFIQ]);
    icv(&r, IGRPEN0, 1);
    assert_true(r.line[0][GIC_VFIQ]);
    assert_int_equal(icv_rd(&r, IAR0), 71);
    assert_int_equal(icv_rd(&r, RPR), 0x40);
    icv(&r, EOIR1, 71); /* the wrong group */
    assert_int_equal(icv_rd(&r, RPR), 0x40);
    icv(&r, EOIR0, 71);
    assert_int_equal(ich_rd(&r, EISR), 2);
    assert_true(r.line[0][GIC_IRQ]); /* maintenance */
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 25);
    line(&r, 40, false);
    icv(&r, EOIR1, 70);
    assert_int_equal(rd(&r, D + 0x304), 0);
    assert_int_equal(ich_rd(&r, ELRSR), 0xd);
    ich(&r, LR + 1, 0);
    assert_int_equal(ich_rd(&r, EISR), 0);
    rig_free(&r);
}

/* --- LPIs --------------------------------------------------------------------------------------------------------------------------- */

static void its_cmd(struct rig *r, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint64_t q[4] = { a, b, c, d };
    space_write(r->b.space, QUEUE + r->queue, q, sizeof q, false);
    r->queue = (r->queue + 32) % 65536;
    st(r, ITS + 0x88, r->queue, 8, true);
    for (unsigned i = 0; i < 100 && ld(r, ITS + 0x90, 8, true) != r->queue; i++) loop_once(r->b.loop, false);
    assert_int_equal(ld(r, ITS + 0x90, 8, true), r->queue);
}
static void mapd(struct rig *r, uint64_t dev, unsigned bits, uint64_t itt, bool v) { its_cmd(r, 8 | dev << 32, bits - 1, itt | (uint64_t)v << 63, 0); }
static void mapc(struct rig *r, uint64_t icid, uint64_t cpu, bool v) { its_cmd(r, 9, 0, icid | cpu << 16 | (uint64_t)v << 63, 0); }
static void mapti(struct rig *r, uint64_t dev, uint64_t ev, uint64_t lpi, uint64_t icid) { its_cmd(r, 0xa | dev << 32, ev | lpi << 32, icid, 0); }
static void config(struct rig *r, unsigned lpi, uint8_t v) { space_write(r->b.space, PROP + lpi - 8192, &v, 1, false); }
static void msi(struct rig *r, uint16_t dev, uint32_t ev)
{
    assert_true(gic_its_msi(r->its, ITS + 0x10040, ev, (struct mem_attr){ .requester = dev }));
}

static void lpi_on(struct rig *r)
{
    rig_on(r);
    for (unsigned c = 0; c < 4; c++) {
        st(r, R + c * 0x20000 + 0x70, PROP | 15, 8, true);
        st(r, R + c * 0x20000 + 0x78, (PEND + c * 0x10000) | 1ull << 62, 8, true);
        wr(r, R + c * 0x20000, 1);
    }
    st(r, ITS + 0x80, 1ull << 63 | QUEUE | 15, 8, true);
    st(r, ITS + 0x100, 1ull << 63 | 7ull << 48 | DEVS | 2 << 8 | 7, 8, true);
    st(r, ITS + 0x108, 1ull << 63 | 7ull << 48 | COLLS, 8, true);
    assert_int_equal(ld(r, ITS + 0x100, 8, true), 1ull << 63 | 1ull << 56 | 7ull << 48 | DEVS | 2 << 8 | 7);
    r->queue = 0;
    wr(r, ITS, 1);
}

static void test_lpi(void **state)
{
    struct rig r;
    rig_new(&r, "");
    config(&r, 8192, 0xa1);
    config(&r, 8193, 0x81);
    config(&r, 8194, 0x80); /* not enabled */
    lpi_on(&r);
    mapc(&r, 3, 1, true);
    mapd(&r, 0x10, 5, ITT, true);
    mapti(&r, 0x10, 0, 8192, 3);
    mapti(&r, 0x10, 1, 8193, 3);
    mapti(&r, 0x10, 2, 8194, 3);
    msi(&r, 0x10, 0);
    assert_true(r.line[1][GIC_IRQ] && !r.line[0][GIC_IRQ]);
    msi(&r, 0x10, 1);
    msi(&r, 0x10, 2);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 8193); /* the better priority first */
    msr(&r, 1, &el1, EOIR1, 8193);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 8192);
    msi(&r, 0x10, 0); /* no active state: pending again, but the priority runs */
    assert_false(r.line[1][GIC_IRQ]);
    msr(&r, 1, &el1, EOIR1, 8192);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 8192);
    msr(&r, 1, &el1, EOIR1, 8192);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 1023);
    config(&r, 8194, 0x81);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 1023); /* not read before INV */
    its_cmd(&r, 0xc | 0x10ull << 32, 2, 0, 0);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 8194);
    msr(&r, 1, &el1, EOIR1, 8194);
    /* INT, CLEAR, INVALL */
    its_cmd(&r, 3 | 0x10ull << 32, 1, 0, 0);
    assert_true(r.line[1][GIC_IRQ]);
    its_cmd(&r, 4 | 0x10ull << 32, 1, 0, 0);
    assert_false(r.line[1][GIC_IRQ]);
    config(&r, 8192, 0xa0);
    its_cmd(&r, 0xd, 0, 3, 0);
    msi(&r, 0x10, 0);
    assert_false(r.line[1][GIC_IRQ]);
    config(&r, 8192, 0xa1);
    its_cmd(&r, 0xd, 0, 3, 0);
    assert_true(r.line[1][GIC_IRQ]);
    /* MOVI takes what pends along; MOVALL, too; DISCARD drops it */
    mapc(&r, 4, 2, true);
    its_cmd(&r, 1 | 0x10ull << 32, 0, 4, 0);
    assert_true(!r.line[1][GIC_IRQ] && r.line[2][GIC_IRQ]);
    its_cmd(&r, 0xe, 0, 2ull << 16, 3ull << 16);
    assert_true(!r.line[2][GIC_IRQ] && r.line[3][GIC_IRQ]);
    its_cmd(&r, 0xe, 0, 3ull << 16, 2ull << 16);
    its_cmd(&r, 0xf | 0x10ull << 32, 0, 0, 0);
    assert_false(r.line[2][GIC_IRQ]);
    msi(&r, 0x10, 0);
    assert_false(r.line[2][GIC_IRQ]);
    /* what pends goes into the table when LPIs are disabled, and comes back */
    msi(&r, 0x10, 1);
    wr(&r, R + 0x20000, 0);
    assert_false(r.line[1][GIC_IRQ]);
    uint8_t b;
    space_read(r.b.space, PEND + 0x10000 + 8193 / 8, &b, 1);
    assert_int_equal(b, 1 << 8193 % 8);
    st(&r, R + 0x20078, PEND + 0x10000, 8, true);
    wr(&r, R + 0x20000, 1);
    assert_int_equal(mrs(&r, 1, &el1, IAR1), 8193);
    rig_free(&r);
}

static void test_its_wrong(void **state)
{
    struct rig r;
    rig_new(&r, "");
    config(&r, 8192, 0xa1);
    lpi_on(&r);
    msi(&r, 1, 0); /* nothing is mapped */
    mapti(&r, 1, 0, 8192, 0);
    mapc(&r, 0, 99, true);          /* no such CPU */
    mapc(&r, 0xffff, 0, true);      /* past the table */
    mapd(&r, 0x10000, 5, ITT, true);
    mapd(&r, 1, 17, ITT, true);     /* too many events */
    mapc(&r, 0, 0, true);
    mapd(&r, 1, 3, 0x10, true);     /* its table is not in memory */
    mapti(&r, 1, 0, 8192, 0);
    msi(&r, 1, 0);
    mapd(&r, 1, 3, ITT, true);
    mapti(&r, 1, 8, 8192, 0);       /* event out of range */
    mapti(&r, 1, 0, 100, 0);        /* no LPI */
    mapti(&r, 1, 1, 1 << 20, 0);
    mapti(&r, 1, 2, 8192, 7);       /* a collection that is not mapped */
    for (unsigned i = 0; i < 9; i++) msi(&r, 1, i);
    its_cmd(&r, 0xff, 0, 0, 0);
    for (unsigned c = 0; c < 4; c++) assert_false(r.line[c][GIC_IRQ]);
    mapti(&r, 1, 3, 8192, 0);
    /* tables that the guest fills with nonsense */
    uint64_t bad = ~0ull;
    space_write(r.b.space, ITT + 24, &bad, 8, false);
    msi(&r, 1, 3);
    space_write(r.b.space, DEVS + 8, &bad, 8, false);
    msi(&r, 1, 3);
    space_write(r.b.space, COLLS, &bad, 8, false);
    msi(&r, 1, 3);
    /* a queue that is not in memory, and one that never ends */
    wr(&r, ITS, 0);
    st(&r, ITS + 0x80, 1ull << 63 | 0x1000 | 0xff, 8, true);
    wr(&r, ITS, 1);
    st(&r, ITS + 0x88, 0x8000, 8, true);
    assert_int_equal(ld(&r, ITS + 0x90, 8, true), 0x8000);
    wr(&r, ITS, 0);
    st(&r, ITS + 0x80, 1ull << 63 | RAM | 0xff, 8, true);
    wr(&r, ITS, 1);
    st(&r, ITS + 0x88, 0xfffe0, 8, true);
    uint64_t at = ld(&r, ITS + 0x90, 8, true);
    assert_true(at && at < 0xfffe0); /* a part of it, the rest later */
    for (unsigned i = 0; i < 1000 && ld(&r, ITS + 0x90, 8, true) != 0xfffe0; i++) loop_once(r.b.loop, false);
    assert_int_equal(ld(&r, ITS + 0x90, 8, true), 0xfffe0);
    rig_free(&r);
}

/* A second level of the device table. */
static void test_its_indirect(void **state)
{
    struct rig r;
    rig_new(&r, "");
    config(&r, 8200, 1);
    lpi_on(&r);
    wr(&r, ITS, 0);
    st(&r, ITS + 0x100, 3ull << 62 | DEVS, 8, true);
    wr(&r, ITS, 1);
    mapc(&r, 0, 0, true);
    mapd(&r, 0x2345, 4, ITT, true); /* its page is not there */
    mapti(&r, 0x2345, 3, 8200, 0);
    msi(&r, 0x2345, 3);
    assert_false(r.line[0][GIC_IRQ]);
    uint64_t l1 = 1ull << 63 | (RAM + 0x700000);
    space_write(r.b.space, DEVS + 0x2345 / 512 * 8, &l1, 8, false);
    mapd(&r, 0x2345, 4, ITT, true);
    mapti(&r, 0x2345, 3, 8200, 0);
    msi(&r, 0x2345, 3);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 8200);
    rig_free(&r);
}

static void save(struct rig *r, struct state_out *o)
{
    dev_save_all(&r->b, o);
}

/* What pends comes back with a saved state: an LPI, an SPI, a virtual interrupt. */
static void test_saved(void **state)
{
    struct rig r;
    struct err e = { 0 };
    struct state_out a = { 0 }, b = { 0 };
    rig_new(&r, "");
    config(&r, 8200, 0x41);
    lpi_on(&r);
    mapc(&r, 0, 2, true);
    mapd(&r, 7, 4, ITT, true);
    mapti(&r, 7, 3, 8200, 0);
    msi(&r, 7, 3);
    wr(&r, D + 0x104, 1 << 8);
    wr(&r, D + 0x204, 1 << 8);
    ich(&r, ARM_SYSREG(3, 4, 12, 11, 7), 0xff000002);
    ich(&r, ARM_SYSREG(3, 4, 12, 11, 0), 1);
    ich(&r, ARM_SYSREG(3, 4, 12, 12, 1), 1ull << 62 | 1ull << 60 | 0x40ull << 48 | 77);
    assert_true(r.line[2][GIC_IRQ] && r.line[0][GIC_IRQ] && r.line[0][GIC_VIRQ]);
    save(&r, &a);
    dev_reset_all(&r.b);
    assert_false(r.line[2][GIC_IRQ] || r.line[0][GIC_IRQ] || r.line[0][GIC_VIRQ]);
    struct state_in in = { a.buf, a.len, 0 };
    if (dev_load_all(&r.b, &in, &e)) fail_msg("%s", e.msg);
    assert_true(r.line[2][GIC_IRQ] && r.line[0][GIC_IRQ] && r.line[0][GIC_VIRQ]);
    save(&r, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.buf, b.buf, a.len);
    assert_int_equal(mrs(&r, 2, &el1, IAR1), 8200);
    assert_int_equal(mrs(&r, 0, &el1, IAR1), 40);
    assert_int_equal(icv_rd(&r, IAR1), 77);
    state_out_free(&a);
    state_out_free(&b);
    rig_free(&r);
}

static void test_fuzz(void **state)
{
    struct rig r;
    uint64_t x = 88172645463325252ull;
    rig_new(&r, "has-security-extensions=on");
    lpi_on(&r);
    for (unsigned i = 0; i < 300000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint64_t v;
        struct mem_attr at = { .cpu = true, .requester = x & 3, .secure = x >> 2 & 1 };
        unsigned size = 1u << (x >> 3 & 3), cpu = x >> 5 & 3;
        uint64_t off = x >> 8 & (x >> 20 & 1 ? 0xffff : 0x3ff), addr;
        switch (x >> 21 & 3) {
        case 0: addr = D + off; break;
        case 1: addr = R + cpu * 0x20000 + (x >> 23 & 1 ? 0x10000 : 0) + off; break;
        case 2: addr = ITS + (off & 0x1ff); break;
        default:
            pthread_mutex_lock(&r.s->lock);
            unsigned reg = ARM_SYSREG(3, x >> 24 & 1 ? 0 : x >> 25 & 1 ? 4 : 6, 12, 8 + (x >> 27 & 7), x >> 30 & 7);
            struct v3_cpu *c = r.s->cpu[cpu];
            const struct v3_pe *pe = x >> 33 & 1 ? &el3 : x >> 34 & 1 ? &ns : &sel1;
            if (x >> 35 & 1) v3_icc_read(c, pe, reg, &v), v3_ich_read(c, reg, &v), v3_icv_read(c, reg, &v);
            else v3_icc_write(c, pe, reg, x * 31), v3_ich_write(c, reg, x * 33), v3_icv_write(c, reg, x * 37);
            pthread_mutex_unlock(&r.s->lock);
            continue;
        }
        if (x >> 36 & 1) space_st(r.b.space, addr, x * 41, size, at);
        else space_ld(r.b.space, addr, size, &v, at);
        if (!(i & 7)) r.gic->cls->input(r.gic, (unsigned)(x >> 40 & 255), x >> 50 & 1);
        if (!(i & 63)) msi(&r, (uint16_t)(x >> 44), (uint32_t)(x >> 50));
        if (!(i & 1023)) loop_once(r.b.loop, false);
    }
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids), cmocka_unit_test(test_priorities), cmocka_unit_test(test_routing), cmocka_unit_test(test_eoimode),
        cmocka_unit_test(test_sgi), cmocka_unit_test(test_security), cmocka_unit_test(test_virtual), cmocka_unit_test(test_lpi),
        cmocka_unit_test(test_its_wrong), cmocka_unit_test(test_its_indirect), cmocka_unit_test(test_saved), cmocka_unit_test(test_fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
