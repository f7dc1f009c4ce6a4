/* layout_test.c: sizes and offsets against the UAPI's, both word sizes and byte orders; encode and decode are inverse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/epoll.h>
#include <sys/stat.h>
#include "user/linux/user.h"

static struct proc proc_of(unsigned word, bool big)
{
    static struct guest g[2] = { { .elf_machine = 243 }, { .elf_machine = 183 } };
    static struct guest_linux l[2] = { { .abi = LINUX_ABI_GENERIC64 }, { .abi = LINUX_ABI_GENERIC32 } };
    return (struct proc){ .word = word, .big = big, .guest = &g[0], .lnx = &l[word == 4] };
}

/* sizeof() of the structs as gcc and gcc -m32 give it on x86-64 */
static void sizes_x86(void **state)
{
    static const struct { const struct layout *l; unsigned s64, s32; } t[] = {
        { &lay_stat, 144, 0 }, { &lay_stat64, 0, 96 }, { &lay_stat32, 0, 64 }, { &lay_statfs, 120, 84 }, { &lay_epoll_event, 12, 12 },
        { &lay_flock, 32, 24 }, { &lay_flock32, 0, 16 }, { &lay_semid, 104, 64 }, { &lay_shmid, 112, 84 }, { &lay_msqid, 120, 88 },
        { &lay_sysinfo, 112, 64 }, { &lay_statfs32, 0, 64 },
    };
    static struct guest g[2] = { { .elf_machine = 62 }, { .elf_machine = 3 } };
    static struct guest_linux l[2] = { { .abi = LINUX_ABI_X86_64 }, { .abi = LINUX_ABI_I386 } };
    struct proc p64 = { .word = 8, .guest = &g[0], .lnx = &l[0] }, p32 = { .word = 4, .guest = &g[1], .lnx = &l[1] };
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        if (t[i].s64) assert_int_equal(lay_size(&p64, t[i].l), t[i].s64);
        if (t[i].s32) assert_int_equal(lay_size(&p32, t[i].l), t[i].s32);
    }
    assert_int_equal(lay_offset(&p64, &lay_stat, "st_mode"), 24);
    assert_int_equal(lay_offset(&p64, &lay_stat, "st_size"), 48);
    assert_int_equal(lay_offset(&p32, &lay_stat64, "st_size"), 44);
    assert_int_equal(lay_offset(&p32, &lay_stat64, "st_ino"), 88);
}

/* sizeof() of the structs as the cross compilers of riscv64 and riscv32 give it */
static void sizes(void **state)
{
    static const struct { const struct layout *l; unsigned s64, s32; } t[] = {
        { &lay_stat, 128, 80 }, { &lay_statx, 256, 256 }, { &lay_statfs, 120, 88 }, { &lay_timespec, 16, 16 },
        { &lay_timeval, 16, 8 }, { &lay_rusage, 144, 72 }, { &lay_sysinfo, 112, 64 }, { &lay_flock, 32, 32 },
        { &lay_iovec, 16, 8 }, { &lay_msghdr, 56, 28 }, { &lay_mmsghdr, 64, 32 }, { &lay_epoll_event, 16, 16 },
        { &lay_stack_t, 24, 12 }, { &lay_termios, 36, 36 }, { &lay_termios2, 44, 44 }, { &lay_rlimit64, 16, 16 },
        { &lay_robust, 24, 12 }, { &lay_timex, 208, 208 }, { &lay_clone_args, 88, 88 }, { &lay_utsname, 390, 390 },
        { &lay_signalfd, 128, 128 }, { &lay_msqid, 120, 88 }, { &lay_shmid, 112, 84 }, { &lay_semid, 88, 64 },
    };
    struct proc p64 = proc_of(8, false), p32 = proc_of(4, false);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        if (lay_size(&p64, t[i].l) != t[i].s64 || lay_size(&p32, t[i].l) != t[i].s32)
            print_message("%s: %zu, %zu\n", t[i].l->name, lay_size(&p64, t[i].l), lay_size(&p32, t[i].l));
        assert_int_equal(lay_size(&p64, t[i].l), t[i].s64);
        assert_int_equal(lay_size(&p32, t[i].l), t[i].s32);
    }
    assert_int_equal(lay_offset(&p64, lay_siginfo(SIGSEGV, SEGV_MAPERR), "si_addr"), 16);
    assert_int_equal(lay_offset(&p32, lay_siginfo(SIGSEGV, SEGV_MAPERR), "si_addr"), 12);
    assert_int_equal(lay_offset(&p64, lay_siginfo(SIGCHLD, CLD_EXITED), "si_utime"), 32);
    assert_int_equal(lay_offset(&p64, &lay_stat, "st_size"), 48);
}

static void bytes(void **state)
{
    struct epoll_event ev = { .events = 0x01020304, .data.u64 = 0x1122334455667788 }, back;
    uint8_t b[16];
    struct proc big = proc_of(8, true), little = proc_of(8, false);
    static const uint8_t want[16] = { 1, 2, 3, 4, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 };
    lay_encode(&big, &lay_epoll_event, b, &ev);
    assert_memory_equal(b, want, 16);
    lay_decode(&big, &lay_epoll_event, &back, b);
    assert_memory_equal(&back, &ev, sizeof ev);
    lay_encode(&little, &lay_epoll_event, b, &ev);
    assert_int_equal(b[0], 4);
    assert_int_equal(b[8], 0x88);
}

static void signal_sets(void **state)
{
    struct sigact a = { .handler = 0x10000, .flags = 4, .mask = 0x8000000000000001ull }, back;
    uint8_t b[32];
    for (unsigned word = 4; word <= 8; word += 4) {
        for (unsigned big = 0; big < 2; big++) {
            struct proc p = proc_of(word, big);
            const struct layout *l = lay_sigaction(&p);
            lay_encode(&p, l, b, &a);
            lay_decode(&p, l, &back, b);
            assert_int_equal(back.mask, a.mask);
            assert_int_equal(back.handler, a.handler);
            /* signal 1 is the lowest bit of the first long */
            assert_int_equal(b[2 * word + (big ? word - 1 : 0)] & 1, 1);
        }
    }
}

static void narrow_signed(void **state)
{
    struct timeval { int64_t sec, usec; } tv = { -5, 7 }, back;
    uint8_t b[16];
    struct proc p = proc_of(4, false);
    lay_encode(&p, &lay_timeval, b, &tv);
    lay_decode(&p, &lay_timeval, &back, b);
    assert_int_equal(back.sec, -5);
    assert_int_equal(back.usec, 7);
}

static void flag_numbers(void **state)
{
    struct proc p = proc_of(8, false);
    assert_int_equal(flags_to_host(&p, &fl_open, 0200000), 0200000);
    p.flag_column = 1; /* arm: O_DIRECTORY 040000, O_NOFOLLOW 0100000, O_DIRECT 0200000, O_LARGEFILE 0400000 */
    assert_int_equal(flags_to_host(&p, &fl_open, 040000), 0200000);
    assert_int_equal(flags_to_host(&p, &fl_open, 0100000), 0400000);
    assert_int_equal(flags_to_host(&p, &fl_open, 0200000 | 02000000 | 2), 040000 | 02000000 | 2);
    assert_int_equal(flags_to_host(&p, &fl_open, 0400000), 0100000);
    assert_int_equal(flags_to_host(&p, &fl_open, 020040000), 020200000); /* O_TMPFILE */
    for (uint32_t bit = 1; bit; bit <<= 1)
        assert_int_equal(flags_to_guest(&p, &fl_open, flags_to_host(&p, &fl_open, bit)), bit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes), cmocka_unit_test(sizes_x86), cmocka_unit_test(bytes), cmocka_unit_test(signal_sets), cmocka_unit_test(narrow_signed),
        cmocka_unit_test(flag_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
