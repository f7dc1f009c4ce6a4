/* hook_test.c: hooks, disassembly, lists and the host's faults, through lyre.h only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "snippets.h"

struct trace {
    const struct isa *isa;
    unsigned calls, busy;
    uint64_t pc[64];
    enum { LOOK, SET_A, JUMP, STOP, PATCH, NEST } action;
};

static void on_code(lyre_cpu *cpu, uint64_t pc, void *data)
{
    struct trace *t = data;
    lyre_error e;
    if (t->calls < 64) t->pc[t->calls] = pc;
    t->calls++;
    assert_int_equal(lyre_pc(cpu), pc);
    switch (t->action) {
    case LOOK: break;
    case SET_A: set(cpu, t->isa->a, 100); break;
    case JUMP: lyre_set_pc(cpu, pc + 8); break;
    case STOP: lyre_stop(cpu); break;
    case PATCH: assert_int_equal(lyre_write(lyre_cpu_machine(cpu), pc, &t->isa->add, 4, NULL), 0); break;
    case NEST:
        t->busy += lyre_run(cpu, LYRE_NOWHERE, 0, NULL) == -EBUSY;
        t->busy += !lyre_hook_code(lyre_cpu_machine(cpu), 0, 1, on_code, t, &e) && e.code == EBUSY;
        break;
    }
}

static lyre_hook *hook(struct box *b, uint64_t first, uint64_t last, struct trace *t)
{
    lyre_error e = { 0 };
    t->isa = b->isa;
    lyre_hook *h = lyre_hook_code(b->m, first, last, on_code, t, &e);
    if (!h) fail_msg("%s", e.message);
    return h;
}

/* Five instructions, called before each, with and without counting. */
static void test_each(void **state)
{
    FOR_EACH_BOX(b)
    {
        struct trace t = { .action = LOOK }, one = { .action = NEST };
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->inc, b.isa->load, b.isa->store, b.isa->syscall);
        lyre_hook *all = hook(&b, 0, UINT64_MAX, &t), *h = hook(&b, CODE + 4, CODE + 4, &one);
        for (unsigned round = 1; round <= 4; round++) {
            set(b.cpu, b.isa->a, DATA);
            lyre_set_pc(b.cpu, CODE);
            assert_int_equal(box_run(&b, LYRE_NOWHERE, round > 2 ? 100 : 0).reason, LYRE_EXIT_SYSCALL);
            assert_int_equal(t.calls, 5 * round);
            assert_int_equal(one.calls, round);
            assert_int_equal(one.busy, 2 * round);
            assert_int_equal(get(b.cpu, b.isa->a), DATA + 2);
        }
        for (unsigned i = 0; i < 5; i++) assert_int_equal(t.pc[i], CODE + 4 * i);
        assert_int_equal(lyre_unhook(all), 0);
        assert_int_equal(lyre_unhook(h), 0);
        lyre_set_pc(b.cpu, CODE);
        assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_SYSCALL);
        assert_int_equal(t.calls, 20);
        assert_null(lyre_hook_code(b.m, 1, 0, on_code, &t, NULL));
    }
}

/* What a hook does is seen by the instruction it was called for. */
static void test_actions(void **state)
{
    FOR_EACH_BOX(b)
    {
        struct trace t = { .action = SET_A };
        BOX_CODE(&b, CODE, b.isa->inc, b.isa->inc, b.isa->inc, b.isa->inc, b.isa->syscall);
        lyre_hook *h = hook(&b, CODE + 8, CODE + 8, &t);
        lyre_exit x;
        for (unsigned limit = 0; limit <= 50; limit += 50) {
            t.action = SET_A, t.calls = 0;
            set(b.cpu, b.isa->a, 0);
            set(b.cpu, b.isa->b, 1000);
            lyre_set_pc(b.cpu, CODE);
            x = box_run(&b, LYRE_NOWHERE, limit);
            assert_int_equal(x.reason, LYRE_EXIT_SYSCALL);
            assert_int_equal(x.instructions, limit ? 5 : 0);
            assert_int_equal(get(b.cpu, b.isa->a), 102);
            assert_int_equal(t.calls, 1);

            t.action = JUMP;
            set(b.cpu, b.isa->a, 0);
            lyre_set_pc(b.cpu, CODE);
            x = box_run(&b, LYRE_NOWHERE, limit);
            assert_int_equal(x.reason, LYRE_EXIT_SYSCALL);
            assert_int_equal(x.instructions, limit ? 3 : 0);
            assert_int_equal(get(b.cpu, b.isa->a), 2);

            /* stops before the instruction; goes on without being called again */
            t.action = STOP, t.calls = 0;
            set(b.cpu, b.isa->a, 0);
            lyre_set_pc(b.cpu, CODE);
            x = box_run(&b, LYRE_NOWHERE, limit);
            assert_int_equal(x.reason, LYRE_EXIT_STOP);
            assert_int_equal(x.pc, CODE + 8);
            assert_int_equal(x.instructions, limit ? 2 : 0);
            assert_int_equal(get(b.cpu, b.isa->a), 2);
            assert_int_equal(box_run(&b, LYRE_NOWHERE, limit).reason, LYRE_EXIT_SYSCALL);
            assert_int_equal(get(b.cpu, b.isa->a), 4);
            assert_int_equal(t.calls, 1);

            t.action = PATCH, t.calls = 0;
            set(b.cpu, b.isa->a, 0);
            lyre_set_pc(b.cpu, CODE);
            assert_int_equal(box_run(&b, LYRE_NOWHERE, limit).reason, LYRE_EXIT_SYSCALL);
            assert_int_equal(get(b.cpu, b.isa->a), 1003);
            assert_int_equal(t.calls, 1);
            assert_int_equal(lyre_write(b.m, CODE + 8, &b.isa->inc, 4, NULL), 0);
        }
        assert_int_equal(lyre_unhook(h), 0);
    }
}

struct kernel {
    uint64_t written;
    unsigned calls, faults;
};

/* A kernel of one system call, and pages that come when they are touched. */
static bool on_exception(lyre_cpu *cpu, const lyre_exit *x, void *data)
{
    struct kernel *k = data;
    uint64_t number, args[6];
    if (x->reason == LYRE_EXIT_FAULT && !x->mapped) {
        k->faults++;
        return !lyre_map(lyre_cpu_machine(cpu), x->address & ~(uint64_t)(PAGE - 1), PAGE, LYRE_READ | LYRE_WRITE, -1, 0);
    }
    if (x->reason != LYRE_EXIT_SYSCALL) return false;
    k->calls++;
    assert_int_equal(lyre_linux_call(cpu, &number, args), 0);
    if (number == 93) return false; /* exit */
    k->written += args[0];
    lyre_linux_result(cpu, -ENOSYS);
    return true;
}

static void test_exceptions(void **state)
{
    FOR_EACH_BOX(b)
    {
        const char *nr = b.isa->a[0] == 'x' ? "x8" : "a7";
        struct kernel k = { 0 };
        lyre_error e = { 0 };
        assert_non_null(lyre_hook_exception(b.m, on_exception, &k, &e));
        BOX_CODE(&b, CODE, b.isa->store, b.isa->syscall, b.isa->inc, b.isa->brk);
        set(b.cpu, nr, 64);
        set(b.cpu, b.isa->a, 0x900000);
        lyre_exit x = box_run(&b, LYRE_NOWHERE, 0);
        assert_int_equal(x.reason, LYRE_EXIT_BREAK);
        assert_int_equal(k.faults, 1);
        assert_int_equal(k.calls, 1);
        assert_int_equal(k.written, 0x900000);
        assert_int_equal((int32_t)get(b.cpu, b.isa->a), -ENOSYS + 1);
        set(b.cpu, nr, 93);
        lyre_set_pc(b.cpu, CODE + 4);
        assert_int_equal(box_run(&b, LYRE_NOWHERE, 0).reason, LYRE_EXIT_SYSCALL);
        assert_int_equal(k.calls, 2);
    }
}

/* --- what else there is --------------------------------------------------------------------------------- */

static void test_disassembly(void **state)
{
    static const char *const text[] = { "add", "add", "add" };
    FOR_EACH_BOX(b)
    {
        char line[80];
        assert_int_equal(lyre_disassemble(b.cpu, &b.isa->add, 4, CODE, line, sizeof line), 4);
        assert_int_equal(strncmp(line, text[0], 3), 0);
        assert_non_null(strstr(line, b.isa->b));
        assert_true(lyre_disassemble(b.cpu, &b.isa->add, 1, CODE, line, sizeof line) >= 1);
        assert_int_equal(lyre_disassemble(b.cpu, &b.isa->add, 0, CODE, line, sizeof line), -EINVAL);
    }
}

static void test_lists(void **state)
{
    lyre_guest_info g = LYRE_INIT(lyre_guest_info), same = LYRE_INIT(lyre_guest_info);
    lyre_option_info o = LYRE_INIT(lyre_option_info);
    const char *name, *help;
    unsigned n = 0, models = 0, items = 0;
    bool cpu = false;
    for (; !lyre_guest(n, &g); n++) {
        assert_int_equal(lyre_guest_find(g.name, &same), 0);
        assert_string_equal(g.name, same.name);
        models = 0;
        while (!lyre_cpu_model(g.name, models, &name, &help)) models++;
        assert_true(models > 0);
    }
    assert_true(n >= ISAS);
    assert_int_equal(lyre_guest_find("nonesuch", &g), -ENOENT);
    assert_int_equal(lyre_cpu_model("nonesuch", 0, &name, &help), -ENOENT);
    for (unsigned i = 0; !lyre_program_option(i, &o); i++) cpu |= !strcmp(o.name, "cpu") && o.argument && o.help;
    assert_true(cpu);
    while (!lyre_log_item(items, &name, &help)) items++;
    assert_true(items > 5);
    assert_int_equal(lyre_log("nonesuch", NULL, NULL), -EINVAL);
    assert_int_equal(lyre_api_version(), LYRE_API_VERSION);
    /* a caller of an older library knows less of the structure */
    memset(&g, 0xee, sizeof g);
    g.size = offsetof(lyre_guest_info, aliases);
    assert_int_equal(lyre_guest(0, &g), 0);
    assert_int_equal(g.size, offsetof(lyre_guest_info, aliases));
    assert_int_equal(((uint8_t *)&g)[offsetof(lyre_guest_info, aliases)], 0xee);
}

static sigjmp_buf caught;
static unsigned faults;
static void host_fault(int sig, siginfo_t *si, void *context)
{
    if (lyre_handle_fault(sig, si, context)) return;
    faults++;
    siglongjmp(caught, 1);
}

/* A fault of the embedder's own is not taken for the guest's, nor in a hook. */
static void crash(lyre_cpu *cpu, uint64_t pc, void *data)
{
    volatile char *nowhere = data;
    if (!sigsetjmp(caught, 1)) *nowhere = 1;
}

static void test_own_faults(void **state)
{
    void *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FOR_EACH_BOX(b)
    {
        struct sigaction sa = { .sa_sigaction = host_fault, .sa_flags = SA_SIGINFO };
        sigset_t all, old;
        sigaction(SIGSEGV, &sa, NULL);
        faults = 0;
        crash(NULL, 0, page);
        assert_int_equal(faults, 1);
        assert_non_null(lyre_hook_code(b.m, CODE, CODE, crash, page, NULL));
        BOX_CODE(&b, CODE, b.isa->load);
        set(b.cpu, b.isa->a, 0xa00000);
        /* signals that the thread blocks are opened for the run */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        lyre_exit x = box_run(&b, LYRE_NOWHERE, 0);
        sigset_t now;
        pthread_sigmask(SIG_SETMASK, &old, &now);
        assert_true(sigismember(&now, SIGSEGV));
        assert_int_equal(x.reason, LYRE_EXIT_FAULT);
        assert_int_equal(x.address, 0xa00008);
        assert_int_equal(faults, 2);
    }
    munmap(page, PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each), cmocka_unit_test(test_actions), cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_disassembly), cmocka_unit_test(test_lists), cmocka_unit_test(test_own_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
