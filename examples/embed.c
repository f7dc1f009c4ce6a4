/*
 * embed.c: a bare RISC-V CPU that prints, and does what it must not. Built against an installed library:
 *     cc embed.c $(pkg-config --cflags --libs lyre) -o embed
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <lyre.h>

static const uint32_t code[] = {
    0x00100513, /* li   a0, 1          the descriptor */
    0x000205b7, /* lui  a1, 0x20       the text, at 0x20000 */
    0x00e00613, /* li   a2, 14         its length */
    0x04000893, /* li   a7, 64         write */
    0x00000073, /* ecall */
    0x00c5b023, /* sd   a2, 0(a1)      the text is read-only */
};
static const char text[] = "hello, world\n";

static void check(int r, const char *what)
{
    if (r >= 0) return;
    fprintf(stderr, "%s: error %d\n", what, -r);
    exit(1);
}

/* The only system call there is. True: run on. */
static bool system_call(lyre_cpu *cpu, const lyre_exit *why, void *data)
{
    uint64_t number, arg[6];
    char buf[64];
    if (why->reason != LYRE_EXIT_SYSCALL || lyre_linux_call(cpu, &number, arg) || number != 64 || arg[2] > sizeof buf) return false;
    int r = lyre_read(lyre_cpu_machine(cpu), arg[1], buf, arg[2], NULL);
    lyre_linux_result(cpu, r ? r : (int64_t)fwrite(buf, 1, arg[2], stdout));
    return true;
}

int main(void)
{
    lyre_error e = { 0 };
    lyre_exit why = LYRE_INIT(lyre_exit);
    lyre_machine *m = lyre_open("riscv64", NULL, &e);
    lyre_cpu *cpu = m ? lyre_cpu_new(m, NULL, &e) : NULL;
    if (!cpu || !lyre_hook_exception(m, system_call, NULL, &e)) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    check(lyre_map(m, 0x10000, 0x1000, LYRE_READ | LYRE_EXEC, -1, 0), "map");
    check(lyre_map(m, 0x20000, 0x1000, LYRE_READ, -1, 0), "map");
    check(lyre_write(m, 0x10000, code, sizeof code, NULL), "write");
    check(lyre_write(m, 0x20000, text, sizeof text, NULL), "write");
    lyre_set_pc(cpu, 0x10000);
    check(lyre_run(cpu, LYRE_NOWHERE, 1000, &why), "run");
    printf("reason %d at %#" PRIx64 ", address %#" PRIx64 ", after %" PRIu64 " instructions\n", (int)why.reason, why.pc, why.address,
           why.instructions);
    lyre_close(m);
    return why.reason == LYRE_EXIT_FAULT && why.access == LYRE_WRITE ? 0 : 1;
}
