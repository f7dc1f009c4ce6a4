/* device_test.c: the device core with a device of its own: registers of all kinds, properties, lines, buses, state; device trees. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <libfdt.h>
#include "dev/device.h"
#include "dev/fdt.h"

#define SELF struct toy
struct toy {
    struct dev dev;
    uint32_t ctrl, status, arr[4], set_clr, count;
    uint8_t byte;
    uint64_t wide;
    unsigned after, writes;
    uint64_t last;
    bool flag;
    uint32_t num, mode, tri;
    uint64_t size;
    char *text;
    uint8_t mac[6];
    struct dev *peer;
    int32_t addr;
    uint32_t in, pulses, blob_len;
    uint8_t *blob;
    struct timer timer;
    struct { uint32_t a, b; } pair[2];
};

static void toy_after(void *dev, unsigned i) { ((struct toy *)dev)->after++; }
static void fifo_write(void *dev, unsigned i, uint64_t v)
{
    struct toy *t = dev;
    t->writes++;
    t->last = v;
}
static uint64_t fifo_read(void *dev, unsigned i) { return 0x11223344; }

static const struct reg toy_regs[] = {
    { 0x00, "ctrl", RW, FIELD(ctrl), .mask = 0x0fff, .reset = 0x12, .after = toy_after },
    { 0x04, "status", W1C, FIELD(status), .mask = 0xff },
    { 0x08, "set", W1S, FIELD(set_clr) },
    { 0x0c, "clr", W1C, FIELD(set_clr) },
    { 0x10, "arr", RW, FIELD_ARRAY(arr), .reset = 7, .step = 4 },
    { 0x20, "fifo", RW, .read = fifo_read, .write = fifo_write },
    { 0x24, "count", RC, FIELD(count) },
    { 0x28, "byte", RW, 1, FIELD(byte) },
    { 0x30, "wide", RW, 8, FIELD(wide) },
    { 0x38, "ro", RO, .read = fifo_read },
    { 0x3c, "res", REG_RES, 4, .mask = 0 },
};

static void toy_input(void *dev, unsigned n, bool level)
{
    struct toy *t = dev;
    t->in = (t->in & ~(1u << n)) | (uint32_t)level << n;
    t->pulses++;
}
static void toy_due(void *ctx) { ((struct toy *)ctx)->pulses += 100; }
static int toy_init(void *dev, struct err *e)
{
    struct toy *t = dev;
    if (t->num == 99) return err_set(e, EINVAL, "99 is too much");
    timer_init(&t->timer, t->dev.board->clock, toy_due, t);
    t->blob_len = 16;
    t->blob = dev_alloc(&t->dev, 16);
    return 0;
}
static void toy_reset(void *dev) { ((struct toy *)dev)->after = 0; }

static const struct state_field pair_fields[] = {
    { .name = "a", .type = STATE_T_INT, .field = 0, .size = 4, .max = 1000 },
    { .name = "b", .type = STATE_T_INT, .field = 4, .size = 4 },
};
static const char *const modes[] = { "slow", "fast", NULL };
static const struct device toy_device_class = {
    .name = "toy", .size = sizeof(struct toy), .window = 0x1000, REGS(toy_regs), .irqs = 3, .inputs = 4, .input = toy_input, .bus = "toybus",
    PROPS(PROP_BOOL("flag", flag, true), PROP_U32("num", num, 5), PROP_SIZE("size", size, 4096), PROP_STR("text", text, "abc"), PROP_MAC("mac", mac),
          PROP_DEV("peer", peer), PROP_ENUM("mode", mode, 1, modes), PROP_ONOFFAUTO("tri", tri, 0), PROP_PCI_ADDR("addr", addr),
          { .name = "few", .type = PROP_T_U8, .field = offsetof(SELF, byte), .def = 3, .min = 1, .max = 9 }),
    STATE(STATE_RANGE(in, 0, 15), STATE_TIMER(timer),
          { .name = "blob", .type = STATE_T_BLOB, .field = offsetof(SELF, blob), .len_field = offsetof(SELF, blob_len) },
          { .name = "pair", .type = STATE_T_STRUCT, .field = offsetof(SELF, pair), .size = 8, .count = 2, .sub = pair_fields, .nsub = 2 }),
    .state_version = 2, .init = toy_init, .reset = toy_reset,
};

struct rig {
    struct board b;
    struct clock clock;
};

static int setup(void **st)
{
    struct rig *r = calloc(1, sizeof *r);
    r->b.loop = loop_new(NULL);
    loop_lock(r->b.loop);
    clock_init(&r->clock, r->b.loop, CLOCK_GUEST);
    r->b.clock = &r->clock;
    r->b.mem = mem_new();
    r->b.space = space_new(r->b.mem, "s");
    *st = r;
    return 0;
}

static int teardown(void **st)
{
    struct rig *r = *st;
    while (r->b.devs) dev_free(r->b.devs);
    mem_free(r->b.mem);
    clock_done(&r->clock);
    loop_unlock(r->b.loop);
    loop_free(r->b.loop);
    free(r->b.resolver);
    free(r);
    return 0;
}

static struct toy *toy(struct rig *r, const char *id)
{
    struct err e = { 0 };
    struct dev *d = dev_new(&r->b, &toy_device_class, id, &e);
    assert_non_null(d);
    assert_int_equal(dev_realize(d, NULL, &e), 0);
    return (struct toy *)d;
}

static uint64_t rd(struct rig *r, uint64_t at, unsigned size)
{
    uint64_t v;
    assert_int_equal(space_ld(r->b.space, at, size, &v, (struct mem_attr){ .cpu = true }), MEM_OK);
    return v;
}
static void wr(struct rig *r, uint64_t at, uint64_t v, unsigned size)
{
    assert_int_equal(space_st(r->b.space, at, v, size, (struct mem_attr){ .cpu = true }), MEM_OK);
}

static void registers(void **st)
{
    struct rig *r = *st;
    struct toy *t = toy(r, "t");
    assert_int_equal(dev_map(&t->dev, 0x1000, NULL), 0);
    assert_int_equal(rd(r, 0x1000, 4), 0x12);
    wr(r, 0x1000, 0xffffffff, 4);
    assert_int_equal(t->ctrl, 0xfff);
    assert_int_equal(t->after, 1);
    wr(r, 0x1001, 0x03, 1); /* one byte: the other one stays */
    assert_int_equal(t->ctrl, 0x3ff);
    assert_int_equal(rd(r, 0x1001, 1), 3);
    t->status = 0xfff;
    wr(r, 0x1004, 0xf0f, 4);
    assert_int_equal(t->status, 0xff0);
    wr(r, 0x1008, 0x81, 4);
    wr(r, 0x100c, 0x01, 4);
    assert_int_equal(t->set_clr, 0x80);
    wr(r, 0x1014, 0x1234, 4);
    assert_int_equal(t->arr[1], 0x1234);
    assert_int_equal(rd(r, 0x1010, 8), 0x123400000007);
    wr(r, 0x1018, 0x1111111122222222, 8); /* two registers at once */
    assert_int_equal(t->arr[2], 0x22222222);
    assert_int_equal(t->arr[3], 0x11111111);
    assert_int_equal(rd(r, 0x1020, 4), 0x11223344);
    assert_int_equal(rd(r, 0x1022, 1), 0x22);
    wr(r, 0x1022, 0xab, 1);
    assert_int_equal(t->last, 0xab0000);
    t->count = 9;
    assert_int_equal(rd(r, 0x1024, 4), 9);
    assert_int_equal(rd(r, 0x1024, 4), 0);
    wr(r, 0x1028, 0xffffffff, 4); /* the register is one byte; nothing is behind it */
    assert_int_equal(t->byte, 0xff);
    assert_int_equal(rd(r, 0x1028, 4), 0xff);
    wr(r, 0x1034, 5, 4);
    assert_int_equal(t->wide, 5ull << 32);
    wr(r, 0x1038, 5, 4);
    assert_int_equal(rd(r, 0x1038, 4), 0x11223344);
    assert_int_equal(rd(r, 0x103c, 4), 0);
    assert_int_equal(rd(r, 0x1800, 8), 0);
    wr(r, 0x1ffc, 1, 4);
    dev_reset(&t->dev);
    assert_int_equal(t->ctrl, 0x12);
    assert_int_equal(t->arr[3], 7);
    assert_int_equal(t->set_clr, 0);
    assert_int_equal(t->after, 0);
    dev_guest_error(&t->dev, true, "stop");
    wr(r, 0x1000, 1, 4);
    assert_int_equal(rd(r, 0x1000, 4), 0);
    dev_reset(&t->dev);
    assert_int_equal(rd(r, 0x1000, 4), 0x12);
}

static void properties(void **st)
{
    struct rig *r = *st;
    struct err e = { 0 };
    struct toy *t = (struct toy *)dev_new(&r->b, &toy_device_class, "a", NULL), *u = toy(r, "peer0");
    char buf[64];
    assert_true(t->flag);
    assert_int_equal(t->num, 5);
    assert_int_equal(t->size, 4096);
    assert_string_equal(t->text, "abc");
    assert_int_equal(t->addr, -1);
    assert_int_equal(dev_set_list(&t->dev, "flag=off,num=0x10,size=64M,text=x,,y,mac=52:54:00:12:34:56,peer=peer0,mode=slow,tri=off,addr=6.1", &e), 0);
    assert_false(t->flag);
    assert_int_equal(t->num, 16);
    assert_int_equal(t->size, 64 << 20);
    assert_string_equal(t->text, "x,y");
    assert_int_equal(t->mac[5], 0x56);
    assert_ptr_equal(t->peer, &u->dev);
    assert_int_equal(t->mode, 0);
    assert_int_equal(t->tri, ONOFF_OFF);
    assert_int_equal(t->addr, 6 << 3 | 1);
    assert_true(dev_get(&t->dev, "addr", buf, sizeof buf));
    assert_string_equal(buf, "06.1");
    assert_true(dev_prop_given(&t->dev, "num"));
    assert_false(dev_prop_given(&u->dev, "num"));
    static const struct { const char *prop, *value, *why; } bad[] = {
        { "nmu", "1", "Property 'toy.nmu' not found; did you mean 'num'?" },
        { "flag", "maybe", "Parameter 'flag' expects 'on' or 'off'" },
        { "num", "abc", "Parameter 'num' expects integer" },
        { "num", "5000000000", "Parameter 'num' expects uint32_t" },
        { "num", "-1", "Parameter 'num' expects integer" },
        { "size", "5x", "Parameter 'size' expects size" },
        { "size", "99999999999G", "Parameter 'size' expects size_t" },
        { "few", "0", "Property toy.few doesn't take value 0 (minimum: 1, maximum: 9)" },
        { "mac", "zz", "Property 'toy.mac' doesn't take value 'zz'" },
        { "addr", "77", "Property 'toy.addr' doesn't take value '77'" },
        { "peer", "nix", "Property 'toy.peer' can't find value 'nix'" },
        { "mode", "medium", "Parameter 'mode' does not accept value 'medium' (it takes slow, fast)" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_not_equal(dev_set(&t->dev, bad[i].prop, bad[i].value, &e), 0);
        assert_string_equal(e.msg, bad[i].why);
    }
    assert_int_equal(dev_set(&t->dev, "num", "99", &e), 0);
    assert_int_equal(dev_realize(&t->dev, NULL, &e), -EINVAL);
    assert_null(dev_new(&r->b, &toy_device_class, "a", &e));
    assert_string_equal(e.msg, "Duplicate device ID 'a'");
}

static void lines(void **st)
{
    struct rig *r = *st;
    struct err e;
    struct toy *a = toy(r, "a"), *b = toy(r, "b"), *c = toy(r, "c");
    assert_int_equal(dev_connect(&a->dev, 0, &c->dev, 2, &e), 0);
    assert_int_equal(dev_connect(&b->dev, 1, &c->dev, 2, &e), 0);
    assert_int_equal(dev_connect(&b->dev, 3, &c->dev, 2, &e), -EINVAL);
    assert_int_equal(dev_connect(&b->dev, 0, &c->dev, 4, &e), -EINVAL);
    assert_int_equal(dev_connect(&b->dev, 1, &c->dev, 1, &e), -EBUSY);
    irq_set(&a->dev.irq[0], true);
    irq_set(&b->dev.irq[1], true);
    assert_int_equal(c->pulses, 1);
    irq_set(&a->dev.irq[0], false);
    assert_int_equal(c->in, 4);
    irq_set(&b->dev.irq[1], false);
    assert_int_equal(c->in, 0);
    irq_pulse(&a->dev.irq[0]);
    assert_int_equal(c->pulses, 4);
    irq_set(&b->dev.irq[1], true);
    dev_free(&b->dev); /* what it held high falls */
    assert_int_equal(c->in, 0);
    dev_free(&c->dev);
    irq_set(&a->dev.irq[0], true); /* nobody hears it */
}

static int refuse(struct bus *bus, struct dev *d, struct err *e) { return ((struct toy *)d)->num == 7 ? err_set(e, EINVAL, "no 7") : 0; }

static void buses(void **st)
{
    struct rig *r = *st;
    struct err e;
    struct toy *host = toy(r, "host");
    struct bus *bus = bus_new(&host->dev, "toybus", "toy.0", 1);
    bus->plug = refuse;
    assert_null(bus_find(&r->b, "pci", NULL, &e));
    assert_null(bus_find(&r->b, "toybus", "toy.1", &e));
    assert_string_equal(e.msg, "Bus 'toy.1' not found");
    assert_ptr_equal(bus_find(&r->b, "toybus", NULL, &e), bus);
    struct dev *d = dev_new(&r->b, &toy_device_class, "x", &e), *f = dev_new(&r->b, &toy_device_class, "y", &e);
    dev_set(d, "num", "7", &e);
    assert_int_equal(dev_realize(d, bus, &e), -EINVAL);
    dev_set(d, "num", "8", &e);
    assert_int_equal(dev_realize(d, bus, &e), 0);
    assert_null(bus_find(&r->b, "toybus", NULL, &e));
    assert_int_equal(dev_realize(f, bus, &e), -EBUSY);
    dev_free(&host->dev); /* the bus goes, and what is on it */
    assert_null(dev_find(&r->b, "x"));
    assert_non_null(dev_find(&r->b, "y"));
    assert_null(r->b.buses);
}

static void states(void **st)
{
    struct rig *r = *st;
    struct err e = { 0 };
    struct toy *a = toy(r, "a"), *b = toy(r, "b");
    struct state_out o = { 0 };
    a->ctrl = 0x345;
    a->arr[2] = 99;
    a->in = 5;
    a->pair[1].a = 1000, a->pair[1].b = 77;
    memcpy(a->blob, "0123456789abcdef", 16);
    dev_connect(&a->dev, 1, &b->dev, 3, &e);
    irq_set(&a->dev.irq[1], true);
    timer_set(&a->timer, 12345);
    dev_save_all(&r->b, &o);
    timer_cancel(&a->timer);
    irq_set(&a->dev.irq[1], false);
    b->in = 0;
    a->ctrl = 0, a->arr[2] = 0, a->in = 0;
    memset(a->blob, 0, 16);
    memset(a->pair, 0, sizeof a->pair);
    struct state_in in = { o.buf, o.len, 0 };
    assert_int_equal(dev_load_all(&r->b, &in, &e), 0);
    assert_int_equal(in.at, in.len);
    assert_int_equal(a->ctrl, 0x345);
    assert_int_equal(a->arr[2], 99);
    assert_int_equal(a->in, 5);
    assert_int_equal(a->pair[1].b, 77);
    assert_memory_equal(a->blob, "0123456789abcdef", 16);
    assert_true(a->dev.irq[1].level);
    assert_int_equal(b->in, 8); /* its own state had the level */
    assert_int_equal(a->timer.when, 12345);
    timer_cancel(&a->timer);
    /* every cut and every flipped byte: an error or a device that can go on, never a crash */
    for (size_t n = 0; n < o.len; n++) {
        in = (struct state_in){ o.buf, n, 0 };
        assert_int_not_equal(dev_load_all(&r->b, &in, &e), 0);
    }
    unsigned refused = 0;
    uint64_t seed = 88172645463325252;
    for (unsigned n = 0; n < 4000; n++) {
        uint8_t *copy = malloc(o.len);
        memcpy(copy, o.buf, o.len);
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        copy[seed % o.len] ^= (uint8_t)(1u << (seed >> 32 & 7));
        in = (struct state_in){ copy, o.len, 0 };
        refused += dev_load_all(&r->b, &in, &e) != 0;
        assert_true(a->in <= 15 && a->pair[1].a <= 1000 && a->blob_len == 16);
        free(copy);
    }
    assert_true(refused > 1000);
    timer_cancel(&a->timer);
    timer_cancel(&b->timer);
    state_out_free(&o);
}

static void trees(void **st)
{
    struct fdt *f = fdt_new();
    struct fdt_node *root = fdt_root(f), *soc, *n;
    struct err e;
    uint8_t *blob;
    uint32_t size, v;
    char path[64];
    fdt_set_u32(root, "#address-cells", 2);
    fdt_set_u32(root, "#size-cells", 2);
    soc = fdt_child(root, "soc");
    fdt_set_u32(soc, "#address-cells", 1);
    fdt_set_u32(soc, "#size-cells", 1);
    n = fdt_child(soc, "uart@%x", 0x1000);
    assert_ptr_equal(fdt_child(soc, "uart@1000"), n);
    fdt_set_strs(n, "compatible", "a,b;c,d");
    fdt_set_reg(n, 0x1000, 0x100);
    FDT_CELLS(n, "interrupts", 1, 2, 3);
    fdt_set_u32(n, "interrupt-parent", fdt_phandle(soc));
    assert_int_equal(fdt_phandle(soc), 1);
    fdt_set_reg(fdt_child(root, "memory@80000000"), 0x80000000, 1ull << 32);
    fdt_path(n, path, sizeof path);
    assert_string_equal(path, "/soc/uart@1000");
    assert_int_equal(fdt_write(f, 100, &blob, &size, &e), 0);
    assert_int_equal(fdt_check_full(blob, size), 0);
    int off = fdt_path_offset(blob, "/soc/uart@1000"), len;
    const fdt32_t *p = fdt_getprop(blob, off, "reg", &len);
    assert_int_equal(len, 8);
    assert_int_equal(fdt32_to_cpu(p[1]), 0x100);
    assert_int_equal(fdt_node_check_compatible(blob, off, "c,d"), 0);
    p = fdt_getprop(blob, fdt_path_offset(blob, "/memory@80000000"), "reg", &len);
    assert_int_equal(len, 16);
    assert_int_equal(fdt32_to_cpu(p[2]), 1);
    struct fdt *g = fdt_read(blob, size, &e);
    assert_non_null(g);
    assert_true(fdt_get_u32(fdt_find(g, "/soc/uart@1000"), "interrupt-parent", &v));
    assert_int_equal(v, 1);
    assert_int_equal(fdt_phandle(fdt_find(g, "/memory@80000000")), 2); /* not one that is taken */
    fdt_remove(fdt_find(g, "/soc"));
    assert_null(fdt_find(g, "/soc/uart@1000"));
    fdt_free(g);
    uint64_t seed = 99;
    for (unsigned i = 0; i < 3000; i++) { /* damaged blobs */
        uint8_t *copy = malloc(size);
        memcpy(copy, blob, size);
        for (unsigned k = 0; k < 3; k++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            copy[(seed >> 33) % size] = (uint8_t)(seed >> 24);
        }
        fdt_free(fdt_read(copy, i % 7 ? size : size / 2, &e));
        free(copy);
    }
    free(blob);
    fdt_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registers, setup, teardown), cmocka_unit_test_setup_teardown(properties, setup, teardown),
        cmocka_unit_test_setup_teardown(lines, setup, teardown), cmocka_unit_test_setup_teardown(buses, setup, teardown),
        cmocka_unit_test_setup_teardown(states, setup, teardown), cmocka_unit_test(trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
