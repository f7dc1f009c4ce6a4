/* machine_test.c: machines through lyre.h only: running, faults, counting, registers, memory. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "snippets.h"

static void test_arithmetic(void **state)
{
    FOR_EACH_BOX(b)
    {
        BOX_CODE(&b, CODE, b.isa->add, b.isa->inc, b.isa->syscall, b.isa->brk, b.isa->illegal);
        set(b.cpu, b.isa->a, 5);
        set(b.cpu, b.isa->b, 7);
        lyre_exit x = box_run(&b, LYRE_NOWHERE, 0);
        assert_int_equal(x.reason, LYRE_EXIT_SYSCALL);
        assert_int_equal(x.pc, CODE + 12);
        assert_int_equal(get(b.cpu, b.isa->a), 13);
        x = box_run(&b, LYRE_NOWHERE, 0);
        assert_int_equal(x.reason, LYRE_EXIT_BREAK);
        assert_int_equal(x.pc, CODE + 12);
        lyre_set_pc(b.cpu, CODE + 16);
        x = box_run(&b, LYRE_NOWHERE, 0);
        assert_int_equal(x.reason, LYRE_EXIT_ILLEGAL);
        assert_int_equal(x.pc, CODE + 16);
    }
}

static void expect_fault(lyre_exit x, uint64_t pc, uint64_t address, unsigned access, bool mapped)
{
    assert_int_equal(x.reason, LYRE_EXIT_FAULT);
    assert_int_equal(x.pc, pc);
    assert_int_equal(x.address, address);
    assert_int_equal(x.access, access);
    assert_int_equal(x.mapped, mapped);
}

/* The registers are those before the access, and after mapping it the same instruction completes. */
static void test_fault(void **state)
{
    const uint64_t at = 0x200000;
    FOR_EACH_BOX(b)
    {
        uint64_t value = 0x1234567, back = 0;
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->inc, b.isa->load, b.isa->inc, b.isa->store, b.isa->syscall);
        set(b.cpu, b.isa->a, at - 2);
        set(b.cpu, b.isa->b, 99);
        expect_fault(box_run(&b, LYRE_NOWHERE, 0), CODE + 8, at + 8, LYRE_READ, false);
        assert_int_equal(get(b.cpu, b.isa->a), at);
        assert_int_equal(get(b.cpu, b.isa->b), 99);
        assert_int_equal(lyre_map(b.m, at, PAGE, LYRE_READ, -1, 0), 0);
        assert_int_equal(lyre_write(b.m, at + 8, &value, b.isa->word, NULL), 0); /* past the protection */
        expect_fault(box_run(&b, LYRE_NOWHERE, 0), CODE + 16, at + 9, LYRE_WRITE, true);
        assert_int_equal(get(b.cpu, b.isa->b), value);
        assert_int_equal(lyre_protect(b.m, at, PAGE, LYRE_READ | LYRE_WRITE), 0);
        assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_SYSCALL);
        assert_int_equal(lyre_read(b.m, at + 9, &back, b.isa->word, NULL), 0);
        assert_int_equal(back, value);
    }
}

/* No address leads out of the machine. */
static void test_outside(void **state)
{
    static const uint64_t wild[] = { 1ull << 38, (1ull << 38) + 0x12345, 1ull << 40, 0x7fffffffe000, 1ull << 47, 0x8000000000000000,
                                     0xffff800000000000, 0xfffffffffffff000, 0xfffffffffffffff0 };
    FOR_EACH_BOX(b)
    {
        const uint64_t end = 1ull << (b.isa->word == 8 ? 38 : 32);
        BOX_CODE(&b, CODE, b.isa->load, b.isa->store, b.isa->syscall);
        for (unsigned i = 0; i < sizeof wild / sizeof *wild && b.isa->word == 8; i++) {
            set(b.cpu, b.isa->a, wild[i]);
            lyre_set_pc(b.cpu, CODE);
            expect_fault(box_run(&b, LYRE_NOWHERE, 0), CODE, wild[i] + 8, LYRE_READ, false);
            lyre_set_pc(b.cpu, CODE + 4);
            expect_fault(box_run(&b, LYRE_NOWHERE, 0), CODE + 4, wild[i] + 8, LYRE_WRITE, false);
        }
        /* across the end, and at its last word */
        assert_int_equal(lyre_map(b.m, end - PAGE, PAGE, LYRE_READ | LYRE_WRITE, -1, 0), 0);
        set(b.cpu, b.isa->a, end - 8 - 2);
        lyre_set_pc(b.cpu, CODE);
        expect_fault(box_run(&b, LYRE_NOWHERE, 0), CODE, end, LYRE_READ, false);
        set(b.cpu, b.isa->a, end - 8 - b.isa->word);
        lyre_set_pc(b.cpu, CODE);
        assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_SYSCALL);
        lyre_set_pc(b.cpu, end);
        if (b.isa->word == 8) expect_fault(box_run(&b, LYRE_NOWHERE, 0), end, end, LYRE_EXEC, false);
    }
}

static void test_fetch(void **state)
{
    FOR_EACH_BOX(b)
    {
        lyre_set_pc(b.cpu, 0x300000);
        expect_fault(box_run(&b, LYRE_NOWHERE, 0), 0x300000, 0x300000, LYRE_EXEC, false);
        lyre_set_pc(b.cpu, DATA + 16);
        expect_fault(box_run(&b, LYRE_NOWHERE, 0), DATA + 16, DATA + 16, LYRE_EXEC, true);
        /* off the end of the page: what is before has run */
        BOX_CODE(&b, CODE + PAGE - 8, b.isa->inc, b.isa->inc);
        set(b.cpu, b.isa->a, 0);
        expect_fault(box_run(&b, LYRE_NOWHERE, 0), CODE + PAGE, CODE + PAGE, LYRE_EXEC, false);
        assert_int_equal(get(b.cpu, b.isa->a), 2);
    }
}

/* Code that the guest writes, and that the embedder writes. */
static void test_changing_code(void **state)
{
    FOR_EACH_BOX(b)
    {
        const struct isa *i = b.isa;
        const uint64_t patched = CODE + 12;
        BOX_CODE(&b, CODE, i->store4, i->sync[0], i->sync[1], i->illegal, i->syscall);
        for (unsigned round = 0; round < 6; round++) {
            uint32_t insn = round % 2 ? i->add_c : i->inc_c;
            set(b.cpu, i->a, patched);
            set(b.cpu, i->b, insn);
            set(b.cpu, i->c, 1);
            lyre_set_pc(b.cpu, CODE);
            assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_SYSCALL);
            assert_int_equal((uint32_t)get(b.cpu, i->c), (uint32_t)(1 + (round % 2 ? insn : 1)));
        }
        for (unsigned round = 0; round < 6; round++) {
            uint32_t insn = round % 2 ? i->add_c : i->inc_c;
            set(b.cpu, i->b, 100);
            set(b.cpu, i->c, 1);
            assert_int_equal(lyre_write(b.m, patched, &insn, 4, NULL), 0);
            lyre_set_pc(b.cpu, patched);
            assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_SYSCALL);
            assert_int_equal(get(b.cpu, i->c), round % 2 ? 101 : 2);
        }
    }
}

/* Any limit, from any state of the code (new, translated, hot), and the loop counter says how many ran. */
static void test_limit(void **state)
{
    FOR_EACH_BOX(b)
    {
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->back4);
        uint64_t done = 0;
        set(b.cpu, b.isa->a, 0);
        for (uint64_t n = 1; n < 3000000; n += n < 300 ? 1 : n * 2) {
            lyre_exit x = box_run(&b, LYRE_NOWHERE, n);
            done += n;
            assert_int_equal(x.reason, LYRE_EXIT_LIMIT);
            assert_int_equal(x.instructions, n);
            assert_int_equal(get(b.cpu, b.isa->a), (done + 1) / 2);
            assert_int_equal(x.pc, CODE + done % 2 * 4);
        }
        /* what does not complete is not counted; what ends the run may be */
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->inc, b.isa->load, b.isa->syscall);
        set(b.cpu, b.isa->a, 0x700000);
        lyre_exit x = box_run(&b, LYRE_NOWHERE, 100);
        assert_int_equal(x.reason, LYRE_EXIT_FAULT);
        assert_int_equal(x.instructions, 2);
        x = box_run(&b, LYRE_NOWHERE, 1);
        assert_int_equal(x.reason, LYRE_EXIT_FAULT);
        assert_int_equal(x.instructions, 0);
        set(b.cpu, b.isa->a, DATA);
        x = box_run(&b, LYRE_NOWHERE, 2);
        assert_int_equal(x.reason, LYRE_EXIT_SYSCALL);
        assert_int_equal(x.instructions, 2);
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->brk);
        x = box_run(&b, LYRE_NOWHERE, 9);
        assert_int_equal(x.reason, LYRE_EXIT_BREAK);
        assert_int_equal(x.instructions, 1);
    }
}

static void test_until(void **state)
{
    FOR_EACH_BOX(b)
    {
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->inc, b.isa->inc, b.isa->back4);
        set(b.cpu, b.isa->a, 0);
        assert_int_equal(box_run(&b, CODE, 0).reason, LYRE_EXIT_UNTIL); /* there already */
        assert_int_equal(get(b.cpu, b.isa->a), 0);
        lyre_exit x = box_run(&b, CODE + 8, 0);
        assert_int_equal(x.reason, LYRE_EXIT_UNTIL);
        assert_int_equal(x.pc, CODE + 8);
        assert_int_equal(get(b.cpu, b.isa->a), 2);
        x = box_run(&b, CODE + 12, 5);
        assert_int_equal(x.reason, LYRE_EXIT_UNTIL);
        assert_int_equal(x.instructions, 1);
        x = box_run(&b, CODE + 4, 1000); /* never comes by again */
        assert_int_equal(x.reason, LYRE_EXIT_LIMIT);
        assert_int_equal(get(b.cpu, b.isa->a), 503);
    }
}

static void *stopper(void *arg)
{
    struct box *b = arg;
    uint64_t word = 0;
    while (!word) lyre_read(b->m, DATA + 8, &word, b->isa->word, NULL);
    lyre_stop(b->cpu);
    return NULL;
}

static void test_stop(void **state)
{
    FOR_EACH_BOX(b)
    {
        pthread_t th;
        BOX_CODE(&b, CODE, b.isa->store, b.isa->self);
        set(b.cpu, b.isa->a, DATA);
        set(b.cpu, b.isa->b, 1);
        assert_int_equal(pthread_create(&th, NULL, stopper, &b), 0);
        lyre_exit x = box_run(&b, LYRE_NOWHERE, 0);
        pthread_join(th, NULL);
        assert_int_equal(x.reason, LYRE_EXIT_STOP);
        assert_int_equal(x.pc, CODE + 4);
        /* one that comes early is not lost, and counts once */
        lyre_stop(b.cpu);
        assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_STOP);
        assert_int_equal(box_run(&b, LYRE_NOWHERE, 10).reason, LYRE_EXIT_LIMIT);
    }
}

/* --- registers ------------------------------------------------------------------------------------------ */

/* Each takes a value and keeps it; what it drops of the value it drops again; no other changes. */
static void round_trip(lyre_cpu *cpu)
{
    unsigned shown = 0, same;
    for (unsigned i = 0; i < lyre_registers(cpu); i++) {
        lyre_register_info r = LYRE_INIT(lyre_register_info);
        uint8_t value[256], got[256], again[256];
        if (lyre_register(cpu, i, &r)) {
            assert_int_equal(lyre_register_read(cpu, i, value, 8), -ENOENT);
            continue;
        }
        size_t n = (r.bits + 7) / 8;
        assert_true(n && n <= sizeof value);
        shown++;
        assert_int_equal(lyre_register_find(cpu, r.name, &same), 0);
        assert_int_equal(same, i);
        assert_int_equal(lyre_register_read(cpu, i, got, n + 1), -EINVAL);
        for (size_t k = 0; k < n; k++) value[k] = (uint8_t)(i * 37 + k * 11 + 1);
        assert_int_equal(lyre_register_write(cpu, i, value, n), 0);
        assert_int_equal(lyre_register_read(cpu, i, got, n), 0);
        assert_int_equal(lyre_register_write(cpu, i, got, n), 0);
        assert_int_equal(lyre_register_read(cpu, i, again, n), 0);
        assert_memory_equal(got, again, n);
        bool general = strchr("axtsv", r.name[0]) && strlen(r.name) <= 3 && r.name[1] >= '0' && r.name[1] <= '9';
        if (general || !strcmp(r.name, "sp") || !strcmp(r.name, "pc")) assert_memory_equal(got, value, n);
    }
    assert_true(shown >= 32);
}

static void test_registers(void **state)
{
    FOR_EACH_BOX(b)
    {
        uint8_t v[16], w[16];
        unsigned number;
        uint64_t x;
        round_trip(b.cpu);
        assert_int_equal(lyre_register_find(b.cpu, b.isa->vector, &number), 0);
        memset(v, 0x5a, sizeof v);
        assert_int_equal(lyre_register_write(b.cpu, number, v, sizeof v), 0);
        assert_int_equal(lyre_register_read(b.cpu, number, w, sizeof w), 0);
        assert_memory_equal(v, w, sizeof v);
        assert_int_equal(lyre_get(b.cpu, b.isa->vector, &x), -EINVAL);
        assert_int_equal(lyre_get(b.cpu, "nonesuch", &x), -ENOENT);
        lyre_error e;
        lyre_cpu *wide = strncmp(b.isa->name, "riscv", 5) ? NULL : lyre_cpu_new(b.m, "max,vlen=512", &e);
        if (wide) round_trip(wide);
    }
}

/* --- several -------------------------------------------------------------------------------------------- */

/* Machines of all guests take turns instruction by instruction. */
static void test_interleaved(void **state)
{
    struct box box[ISAS * 2];
    for (unsigned i = 0; i < ISAS * 2; i++) {
        box[i] = box_open(&isas[i % ISAS], accels[i / ISAS]);
        BOX_CODE(&box[i], CODE, box[i].isa->inc, box[i].isa->store, box[i].isa->load, box[i].isa->self);
        set(box[i].cpu, box[i].isa->a, DATA + 16 * i);
        set(box[i].cpu, box[i].isa->b, 1000 + i);
    }
    for (unsigned step = 0; step < 20; step++)
        for (unsigned i = 0; i < ISAS * 2; i++) assert_int_equal(box_run(&box[i], LYRE_NOWHERE, 1).reason, LYRE_EXIT_LIMIT);
    for (unsigned i = 0; i < ISAS * 2; i++) {
        uint64_t word = 0;
        assert_int_equal(lyre_read(box[i].m, DATA + 16 * i + 9, &word, box[i].isa->word, NULL), 0);
        assert_int_equal(word, 1000 + i);
        assert_int_equal(lyre_pc(box[i].cpu), CODE + 12);
        lyre_close(box[i].m);
    }
}

struct worker {
    struct box b;
    uint64_t rounds;
    bool ok;
};

/* Faults, restarts and changes of code, over and over; no assertions in a thread. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct box *b = &w->b;
    lyre_exit x = LYRE_INIT(lyre_exit);
    w->ok = true;
    for (uint64_t i = 0; i < w->rounds && w->ok; i++) {
        uint64_t hole = 0x800000 + i % 7 * PAGE, got = 0;
        uint32_t insn = i % 2 ? b->isa->add_c : b->isa->inc_c;
        lyre_write(b->m, CODE + 4, &insn, 4, NULL);
        lyre_set_pc(b->cpu, CODE);
        lyre_set(b->cpu, b->isa->a, hole);
        lyre_set(b->cpu, b->isa->b, 5);
        lyre_set(b->cpu, b->isa->c, 0);
        w->ok = !lyre_run(b->cpu, LYRE_NOWHERE, 0, &x) && x.reason == LYRE_EXIT_FAULT && x.pc == CODE + 8 && x.address == hole + 8;
        lyre_set(b->cpu, b->isa->a, DATA);
        w->ok = w->ok && !lyre_run(b->cpu, LYRE_NOWHERE, 1000, &x) && x.reason == LYRE_EXIT_LIMIT;
        lyre_get(b->cpu, b->isa->c, &got);
        w->ok = w->ok && got == (i % 2 ? 5 : 1);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct worker w[4];
    pthread_t th[4];
    for (unsigned i = 0; i < 4; i++) {
        const struct isa *isa = &isas[i % ISAS];
        w[i] = (struct worker){ .b = box_open(isa, accels[i / ISAS]), .rounds = 300 };
        BOX_CODE(&w[i].b, CODE, isa->inc, isa->inc_c, isa->load, isa->self);
        BOX_CODE(&w[i].b, CODE, isa->inc_c, isa->inc_c, isa->load, isa->self);
        const uint32_t nop_like = isa->sync[1];
        lyre_write(w[i].b.m, CODE, &nop_like, 4, NULL);
    }
    for (unsigned i = 0; i < 4; i++) assert_int_equal(pthread_create(&th[i], NULL, work, &w[i]), 0);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(th[i], NULL);
        assert_true(w[i].ok);
        lyre_close(w[i].b.m);
    }
}

/* CPUs of one machine that want to stop in different places pass by each other's. */
static void test_cpus(void **state)
{
    FOR_EACH_BOX(b)
    {
        struct box o = b;
        lyre_error e = { 0 };
        o.cpu = lyre_cpu_new(b.m, "max", &e);
        assert_non_null(o.cpu);
        assert_null(lyre_cpu_new(b.m, "nonesuch", &e));
        assert_int_equal(e.code, EINVAL);
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->inc, b.isa->inc, b.isa->inc, b.isa->self);
        lyre_set_pc(o.cpu, CODE);
        set(b.cpu, b.isa->a, 0);
        set(o.cpu, b.isa->a, 100);
        assert_int_equal(box_run(&b, CODE + 4, 0).reason, LYRE_EXIT_UNTIL);
        assert_int_equal(box_run(&o, CODE + 12, 0).reason, LYRE_EXIT_UNTIL);
        assert_int_equal(get(b.cpu, b.isa->a), 1);
        assert_int_equal(get(o.cpu, b.isa->a), 103);
        assert_int_equal(box_run(&b, CODE + 16, 0).reason, LYRE_EXIT_UNTIL);
        assert_int_equal(get(b.cpu, b.isa->a), 4);
        lyre_cpu_free(o.cpu);
    }
}

/* --- memory --------------------------------------------------------------------------------------------- */

static void test_memory(void **state)
{
    FOR_EACH_BOX(b)
    {
        uint8_t buf[3 * PAGE] = { 1, 2, 3 }, back[3 * PAGE];
        size_t done = 0;
        lyre_range r = LYRE_INIT(lyre_range);
        assert_int_equal(lyre_map(b.m, CODE, PAGE, LYRE_READ, -1, 0), -EEXIST);
        assert_int_equal(lyre_map(b.m, CODE + 1, PAGE, LYRE_READ, -1, 0), -EINVAL);
        assert_int_equal(lyre_map(b.m, CODE, 0, LYRE_READ, -1, 0), -EINVAL);
        assert_int_equal(lyre_map(b.m, ~0ull << 12, PAGE, LYRE_READ, -1, 0), -EINVAL);
        assert_int_equal(lyre_map(b.m, 0, PAGE, LYRE_READ, -1, 0), 0);
        assert_int_equal(lyre_map(b.m, 0x100000, 2 * PAGE, LYRE_READ, -1, 0), 0);
        assert_int_equal(lyre_write(b.m, 0x100000, buf, sizeof buf, &done), -EFAULT);
        assert_int_equal(done, 2 * PAGE);
        assert_int_equal(lyre_read(b.m, 0x100000, back, sizeof back, &done), -EFAULT);
        assert_int_equal(done, 2 * PAGE);
        assert_memory_equal(buf, back, done);
        assert_int_equal(lyre_read(b.m, ~0ull - 3, back, 16, &done), -EFAULT);
        assert_int_equal(lyre_protect(b.m, 0x101000, PAGE, LYRE_READ | LYRE_WRITE), 0);
        assert_int_equal(lyre_mapped(b.m, 0x80000, &r), 0);
        assert_int_equal(r.start, 0x100000);
        assert_int_equal(r.end, 0x101000);
        assert_int_equal(r.protection, LYRE_READ);
        assert_int_equal(lyre_mapped(b.m, 0x101000, &r), 0);
        assert_int_equal(r.start, 0x101000);
        assert_int_equal(r.protection, LYRE_READ | LYRE_WRITE);
        assert_int_equal(lyre_mapped(b.m, 0x102000, &r), -ENOENT);
        assert_int_equal(lyre_unmap(b.m, 0x100000, PAGE), 0);
        assert_int_equal(lyre_read(b.m, 0x100000, back, 1, &done), -EFAULT);
        assert_int_equal(lyre_protect(b.m, 0x100000, 2 * PAGE, LYRE_READ), -ENOMEM);
    }
}

/* Memory that the caller maps too. */
static void test_shared(void **state)
{
    FOR_EACH_BOX(b)
    {
        int fd = memfd_create("guest", MFD_CLOEXEC);
        assert_true(fd >= 0 && !ftruncate(fd, 2 * PAGE));
        uint32_t *ours = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
        assert_int_equal(lyre_map(b.m, 0x500000, PAGE, LYRE_READ | LYRE_WRITE | LYRE_EXEC, fd, PAGE), 0);
        close(fd);
        for (unsigned round = 0; round < 4; round++) {
            ours[0] = round % 2 ? b.isa->add : b.isa->inc;
            ours[1] = b.isa->store;
            ours[2] = b.isa->syscall;
            lyre_code_changed(b.m, 0x500000, 12);
            set(b.cpu, b.isa->a, 0x500000);
            set(b.cpu, b.isa->b, 64);
            lyre_set_pc(b.cpu, 0x500000);
            assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_SYSCALL);
            uint32_t word;
            memcpy(&word, (char *)ours + 8 + (round % 2 ? 64 : 1), sizeof word);
            assert_int_equal(word, 64);
        }
        munmap(ours, PAGE);
    }
}

static unsigned lines_of(const char *path)
{
    unsigned n = 0;
    FILE *f = fopen(path, "r");
    for (int c; f && (c = getc(f)) != EOF;) n += c == '\n';
    if (f) fclose(f);
    return n;
}

static void test_life(void **state)
{
    unsigned before = 0;
    for (unsigned round = 0; round < 40; round++) {
        struct box b = box_open(&isas[round % ISAS], "jit");
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->syscall);
        assert_int_equal(box_run(&b, CODE + 4, 7).reason, LYRE_EXIT_UNTIL);
        assert_non_null(lyre_cpu_new(b.m, NULL, NULL));
        lyre_close(b.m);
        if (round == 9) before = lines_of("/proc/self/maps");
    }
    assert_true(lines_of("/proc/self/maps") <= before + 4);
}

static void test_refusals(void **state)
{
    struct {
        lyre_machine_options o;
        uint64_t newer;
    } later = { LYRE_INIT(lyre_machine_options), 0 };
    lyre_machine_options o = LYRE_INIT(lyre_machine_options);
    lyre_error e = { 0 };
    assert_null(lyre_open("nonesuch", NULL, &e));
    assert_int_equal(e.code, ENOENT);
    assert_null(lyre_open("riscv64", (o.accel = "warp", &o), &e));
    assert_int_equal(e.code, EINVAL);
    assert_non_null(strstr(e.message, "warp"));
    o.accel = NULL, o.address_bits = 60;
    assert_null(lyre_open("riscv64", &o, &e));
    o.address_bits = 40;
    assert_null(lyre_open("riscv32", &o, &e));
    o.address_bits = 0, o.page_size = 5000;
    assert_null(lyre_open("riscv32", &o, &e));
    o.page_size = 0, o.code_cache = 1;
    assert_null(lyre_open("riscv32", &o, &e));
    later.o.size = sizeof later;
    lyre_machine *m = lyre_open("riscv64", &later.o, &e);
    assert_non_null(m);
    lyre_close(m);
    later.newer = 1;
    assert_null(lyre_open("riscv64", &later.o, &e));
    assert_int_equal(e.code, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_fault), cmocka_unit_test(test_outside),
        cmocka_unit_test(test_fetch), cmocka_unit_test(test_changing_code), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_until), cmocka_unit_test(test_stop), cmocka_unit_test(test_registers),
        cmocka_unit_test(test_interleaved), cmocka_unit_test(test_threads), cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_shared), cmocka_unit_test(test_life),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
