/* machine_test.c: whole machines in this process: RISC-V virt with programs of a few instructions; properties, errors, device trees. */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <libfdt.h>
#include "io/block/blk.h"
#include "io/char/chr.h"
#include "io/net/net.h"
#include "machine/machine.h"

/* A machine and what it needs, with its lock held. */
struct box {
    struct loop *loop;
    struct chr_set *chrs;
    struct net_set *nets;
    struct blk_graph *blks;
    struct machine_config cfg;
    struct opts props;
    struct machine *m;
    struct err e;
};

static bool box_new(struct box *b, const char *guest, const char *type, const char *props, void (*change)(struct machine_config *c))
{
    memset(b, 0, sizeof *b);
    b->loop = loop_new(NULL);
    loop_lock(b->loop);
    b->chrs = chr_set_new(b->loop, NULL);
    b->nets = net_set_new(b->loop, NULL);
    b->blks = blk_graph_new();
    if (props) assert_int_equal(opts_parse(&b->props, props, NULL, NULL), 0);
    b->cfg = (struct machine_config){ .guest = guest_find(guest), .type = machine_find(guest, type, &b->e), .bios = "none", .props = &b->props,
                                      .ram = 16 << 20 };
    assert_non_null(b->cfg.type);
    if (change) change(&b->cfg);
    b->m = machine_new(&b->cfg, b->loop, b->chrs, b->nets, b->blks, &b->e);
    return b->m != NULL;
}

static void box_free(struct box *b)
{
    machine_free(b->m);
    chr_set_free(b->chrs);
    net_set_free(b->nets);
    blk_graph_free(b->blks);
    opts_free(&b->props);
    loop_unlock(b->loop);
    loop_free(b->loop);
}

static void code(struct box *b, const uint32_t *insn, unsigned n)
{
    char text[96];
    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof text, "loader,addr=0x%llx,data=0x%x,data-len=4", 0x80000000ull + 4 * i, insn[i]);
        assert_int_equal(machine_device(b->m, text, &b->e), 0);
    }
}

static int run(struct box *b)
{
    machine_start(b->m);
    loop_unlock(b->loop);
    int status = loop_run(b->loop);
    loop_lock(b->loop);
    return status;
}

/* lui t0, 0x100 (test finisher); lui t1, 0x73; addi t1, t1, 0x333 (fail with 7); sw t1, 0(t0); j . */
static const uint32_t fail7[] = { 0x001002b7, 0x00073337, 0x33330313, 0x0062a023, 0x0000006f };

static void ends_with_status(void **st)
{
    static const char *const guests[] = { "riscv64", "riscv32" };
    for (unsigned i = 0; i < 2; i++) {
        struct box b;
        assert_true(box_new(&b, guests[i], "virt", NULL, NULL));
        code(&b, fail7, ARRAY_LEN(fail7));
        assert_int_equal(machine_begin(b.m, &b.e), 0);
        assert_int_equal(b.m->state, RUN_PRELAUNCH);
        assert_int_equal(run(&b), 7);
        assert_int_equal(b.m->state, RUN_SHUTDOWN);
        box_free(&b);
    }
}

static void *other(void *ctx)
{
    struct box b;
    if (!box_new(&b, "riscv64", "virt", NULL, NULL)) return (void *)1;
    code(&b, fail7, ARRAY_LEN(fail7));
    void *bad = machine_begin(b.m, &b.e) || run(&b) != 7 ? (void *)2 : NULL;
    box_free(&b);
    return bad;
}

static void two_in_a_process(void **st)
{
    pthread_t t[2];
    for (unsigned i = 0; i < 2; i++) assert_int_equal(pthread_create(&t[i], NULL, other, NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        void *bad;
        pthread_join(t[i], &bad);
        assert_null(bad);
    }
}

static void four(struct machine_config *c) { c->cpus = 4; }

/*
 * All four harts add their number plus one to a word at 0x80001000 (amoadd.w); the one that makes it 10 asks for a reset the first time
 * (the word behind it is 0) and ends with 0 the second time. Others wait in wfi.
 *   csrr t0, mhartid; addi t0, t0, 1; lui t1, 0x80001; (slli, srli: without the sign) amoadd.w t2, t0, (t1); add t2, t2, t0
 *   li t3, 10; bne t2, t3, wait; sw x0, 0(t1); lw t4, 4(t1); lui t5, 0x100; bnez t4, end; sw t3, 4(t1); li t6, 0x7777; sw t6, 0(t5); j wait
 *   end: li t6, 0x5555; sw t6, 0(t5); wait: wfi; j wait
 */
static const uint32_t smp[] = {
    0xf14022f3, 0x00128293, 0x80001337, 0x02031313, 0x02035313, 0x005323af, 0x005383b3,
    0x00a00e13, 0x03c39a63, 0x00032023, 0x00432e83, 0x00100f37, 0x000e9c63, 0x01c32223,
    0x00007fb7, 0x777f8f93, 0x01ff2023, 0x0100006f, 0x00005fb7, 0x555f8f93, 0x01ff2023,
    0x10500073, 0xffdff06f,
};

static unsigned resets;
static void on_event(struct board *b, const char *name, struct json_object *data) { resets += !strcmp(name, "RESET"); }

static void harts_and_reset(void **st)
{
    struct box b;
    assert_true(box_new(&b, "riscv64", "virt", NULL, four));
    code(&b, smp, ARRAY_LEN(smp));
    b.m->b.event = on_event;
    resets = 0;
    assert_int_equal(machine_begin(b.m, &b.e), 0);
    assert_int_equal(run(&b), 0);
    assert_int_equal(resets, 1);
    box_free(&b);
}

static void one_thread(struct machine_config *c) { c->cpus = 4, c->one_thread = true; }

/* Three harts spin, and the fourth has its turn all the same. */
static void taking_turns(void **st)
{
    /* csrr t0, mhartid; addi t0, t0, -3; beqz t0, +8; j .; then fail7 */
    static const uint32_t spin[] = { 0xf14022f3, 0xffd28293, 0x00028463, 0x0000006f, 0x001002b7, 0x00073337, 0x33330313, 0x0062a023, 0x0000006f };
    struct box b;
    assert_true(box_new(&b, "riscv64", "virt", NULL, one_thread));
    code(&b, spin, ARRAY_LEN(spin));
    assert_int_equal(machine_begin(b.m, &b.e), 0);
    assert_int_equal(run(&b), 7);
    box_free(&b);
}

static void no_reboot(struct machine_config *c) { c->cpus = 4, c->no_reboot = true; }

static void reboot_may_be_the_end(void **st)
{
    struct box b;
    uint32_t v = 0;
    assert_true(box_new(&b, "riscv64", "virt", NULL, no_reboot));
    code(&b, smp, ARRAY_LEN(smp));
    assert_int_equal(machine_begin(b.m, &b.e), 0);
    assert_int_equal(run(&b), 0);
    assert_int_equal(space_read(b.m->b.space, 0x80001004, &v, 4), 4);
    assert_int_equal(v, 10); /* it asked once, and was not begun again */
    box_free(&b);
}

struct stop {
    struct box *b;
    struct timer t;
    unsigned n;
    uint64_t pc;
};

/* Stops and goes on a hundred times while the guest counts. */
static void toggle(void *ctx)
{
    struct stop *s = ctx;
    struct machine *m = s->b->m;
    if (m->state == RUN_RUNNING) machine_pause(m, RUN_PAUSED);
    else machine_start(m);
    if (++s->n == 200) machine_request(m, BOARD_SHUTDOWN, 3);
    else timer_set_in(&s->t, 20000);
}

static void stop_and_go(void **st)
{
    static const uint32_t count[] = { 0x00128293, 0xffdff06f }; /* addi t0, t0, 1; j -4 */
    struct box b;
    struct stop s = { .b = &b };
    assert_true(box_new(&b, "riscv64", "virt", NULL, four));
    code(&b, count, ARRAY_LEN(count));
    assert_int_equal(machine_begin(b.m, &b.e), 0);
    timer_init(&s.t, loop_clock(b.loop), toggle, &s);
    timer_set_in(&s.t, 0);
    assert_int_equal(run(&b), 3);
    for (unsigned i = 0; i < 4; i++) {
        assert_non_null(machine_cpu(b.m, i));
        assert_in_range(machine_cpu(b.m, i)->pc, 0x1000, 0x80000008);
    }
    assert_null(machine_cpu(b.m, 4));
    box_free(&b);
}

/* --- options ------------------------------------------------------------------------------------------------------------------ */

static void too_many(struct machine_config *c) { c->cpus = 600; }
static void odd_cpu(struct machine_config *c) { c->cpu = "nix"; }
static void odd_accel(struct machine_config *c) { c->accel = "nix"; }

static void wrong_options(void **st)
{
    static const struct { const char *props; void (*change)(struct machine_config *c); const char *why; } bad[] = {
        { "acilnt=on", NULL, "Property 'virt-machine.acilnt' not found; did you mean 'aclint'?" },
        { "aclint=maybe", NULL, "Parameter 'aclint' expects 'on' or 'off'" },
        { "aia=x", NULL, "Parameter 'aia' does not accept value 'x' (it takes none, aplic, aplic-imsic)" },
        { NULL, too_many, "Invalid SMP CPUs 600. The max CPUs supported by machine 'virt' is 512" },
        { NULL, odd_accel, "invalid accelerator nix" },
        { NULL, odd_cpu, "no CPU model 'nix'; -cpu help lists them" },
    };
    struct err e;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct box b;
        assert_false(box_new(&b, "riscv64", "virt", bad[i].props, bad[i].change));
        assert_string_equal(b.e.msg, bad[i].why);
        box_free(&b);
    }
    assert_null(machine_find("riscv64", "vrit", &e));
    assert_non_null(strstr(e.msg, "did you mean 'virt'?"));
}

static void wrong_devices(void **st)
{
    struct box b;
    assert_true(box_new(&b, "riscv64", "virt", NULL, NULL));
    static const struct { const char *text, *why; } bad[] = {
        { "nix", "'nix' is not a valid device model name" },
        { "uart16550", "Parameter 'driver' expects a pluggable device type" },
        { "virtio-rng-device,id=1a", "Parameter 'id' expects an identifier" },
        { "virtio-rng-device,bus=nix", "Bus 'nix' not found" },
        { "virtio-rng-device,nix=1", "Property 'virtio-rng-device.nix' not found" },
        { "loader", "device loader: it takes file=, or addr=, data= and data-len=, or addr= and cpu-num=" },
        { "loader,addr=0,cpu-num=9", NULL },
        { "", NULL },
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_not_equal(machine_device(b.m, bad[i].text, &b.e), 0);
        if (bad[i].why) assert_string_equal(b.e.msg, bad[i].why);
    }
    assert_int_equal(machine_device(b.m, "{\"driver\":\"virtio-rng-device\",\"id\":\"r\"}", &b.e), 0);
    assert_non_null(dev_find(&b.m->b, "r"));
    box_free(&b);
}

/* Files as kernels: cut, damaged, empty. None may do more than fail. */
static void wrong_kernels(void **st)
{
    char path[40];
    uint8_t buf[4096] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
    uint64_t seed = 4711;
    int fd = memfd_create("kernel", 0);
    assert_true(fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct box b;
    assert_true(box_new(&b, "riscv64", "virt", NULL, NULL));
    buf[16] = 2, buf[18] = 243, buf[0x20] = 64, buf[0x36] = 56, buf[0x38] = 2, buf[64] = 1;
    for (unsigned n = 0; n < 3000; n++) {
        uint8_t copy[sizeof buf];
        struct image img;
        memcpy(copy, buf, sizeof buf);
        if (n % 3 == 1) memcpy(copy, "\x1f\x8b\x08", 4), copy[7] = 0;
        if (n % 3 == 2) memcpy(copy + 0x38, "RSC\x05", 4), copy[0] = 0;
        for (unsigned k = 0; k < n % 7; k++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            copy[(seed >> 33) % 256] = (uint8_t)(seed >> 24);
        }
        size_t len = n % 11 ? sizeof copy : (seed >> 40) % 200;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, copy, len, 0), (ssize_t)len);
        image_load(b.m, path, IMAGE_ANY, 0x80200000, 14 << 20, &img, &b.e);
        machine_roms_free(b.m);
    }
    close(fd);
    box_free(&b);
}

/* The page of the file's headers lies beneath memory: what has memory is loaded, unless it is not where the program begins. */
static void header_beneath_memory(void **st)
{
    char path[40];
    uint8_t buf[0x2000] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
    int fd = memfd_create("kernel", 0);
    struct box b;
    struct image img;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    buf[16] = 2, buf[18] = 243, buf[0x20] = 64, buf[0x36] = 56, buf[0x38] = 1;
    memcpy(buf + 0x18, &(uint64_t){ 0x80000010 }, 8);
    memcpy(buf + 64, (uint64_t[]){ 1, 0, 0x7ffff000, 0x7ffff000, sizeof buf, sizeof buf, 4096 }, 56);
    memset(buf + 0x1000, 0x5a, 0x1000);
    assert_int_equal(pwrite(fd, buf, sizeof buf, 0), sizeof buf);
    assert_true(box_new(&b, "riscv64", "virt", NULL, NULL));
    assert_int_equal(image_load(b.m, path, IMAGE_ELF, 0x80000000, 1 << 20, &img, &b.e), 0);
    assert_int_equal(img.addr + img.size, 0x80001000);
    machine_roms_write(b.m);
    uint8_t got[0x1001];
    space_read(b.m->b.space, 0x80000000, got, sizeof got);
    assert_memory_equal(got, buf + 0x1000, 0x1000);
    assert_int_equal(got[0x1000], 0);
    machine_roms_free(b.m);
    memcpy(buf + 0x18, &(uint64_t){ 0x7ffff078 }, 8);
    assert_int_equal(pwrite(fd, buf, sizeof buf, 0), sizeof buf);
    assert_int_equal(image_load(b.m, path, IMAGE_ELF, 0x80000000, 1 << 20, &img, &b.e), -EFAULT);
    assert_non_null(strstr(b.e.msg, "it begins at 0x7ffff078, where there is no memory"));
    close(fd);
    box_free(&b);
}

/* --- device trees ---------------------------------------------------------------------------------------------------------------- */

static uint32_t cell(const void *blob, const char *path, const char *prop, unsigned i)
{
    int len = 0;
    const fdt32_t *p = fdt_getprop(blob, fdt_path_offset(blob, path), prop, &len);
    assert_true(p && len >= (int)(4 * (i + 1)));
    return fdt32_to_cpu(p[i]);
}

static void tree(void **st)
{
    struct box b;
    assert_true(box_new(&b, "riscv64", "virt", NULL, four));
    assert_int_equal(machine_begin(b.m, &b.e), 0);
    const void *f = b.m->fdt;
    assert_int_equal(fdt_check_full(f, b.m->fdt_size), 0);
    assert_int_equal(cell(f, "/cpus/cpu@3", "reg", 0), 3);
    assert_int_equal(cell(f, "/memory@80000000", "reg", 3), 16 << 20);
    uint32_t plic = cell(f, "/soc/plic@c000000", "phandle", 0);
    assert_int_equal(cell(f, "/soc/serial@10000000", "interrupt-parent", 0), plic);
    assert_int_equal(cell(f, "/soc/serial@10000000", "interrupts", 0), 10);
    assert_int_equal(cell(f, "/soc/virtio_mmio@10008000", "interrupts", 0), 8);
    /* contexts: M and S of each hart, by the phandle of its controller */
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "/cpus/cpu@%u/interrupt-controller", i);
        assert_int_equal(cell(f, "/soc/plic@c000000", "interrupts-extended", 4 * i), cell(f, path, "phandle", 0));
        assert_int_equal(cell(f, "/soc/plic@c000000", "interrupts-extended", 4 * i + 1), 11);
        assert_int_equal(cell(f, "/soc/plic@c000000", "interrupts-extended", 4 * i + 3), 9);
    }
    assert_string_equal(fdt_getprop(f, fdt_path_offset(f, "/chosen"), "stdout-path", NULL), "/soc/serial@10000000");
    box_free(&b);
}

/* Every machine type of every guest can be made with its defaults, and again with the tree. */
static void all_types(void **st)
{
    for (const struct guest *const *g = guest_registry; *g; g++) {
        const struct machine_type *t;
        for (unsigned i = 0; (*g)->sys && (t = machine_nth((*g)->name, i)); i++) {
            struct box b;
            if (!box_new(&b, (*g)->name, t->name, NULL, NULL)) fail_msg("%s %s: %s", (*g)->name, t->name, b.e.msg);
            box_free(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_with_status), cmocka_unit_test(two_in_a_process), cmocka_unit_test(harts_and_reset), cmocka_unit_test(taking_turns),
        cmocka_unit_test(reboot_may_be_the_end), cmocka_unit_test(stop_and_go), cmocka_unit_test(wrong_options), cmocka_unit_test(wrong_devices),
        cmocka_unit_test(wrong_kernels), cmocka_unit_test(header_beneath_memory), cmocka_unit_test(tree), cmocka_unit_test(all_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
