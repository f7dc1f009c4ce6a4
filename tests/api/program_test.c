/* program_test.c: Linux programs through lyre.h: the smallest ELF files there are, run in children. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "lyre.h"

enum { BASE = 0x10000000, EM_RV = 243 };

/* A program for riscv64 or riscv32 of n instructions; its path is written to `path`. */
static void make_program(char path[64], unsigned elf_class, const uint32_t *code, size_t n)
{
    union {
        struct { Elf64_Ehdr e; Elf64_Phdr p; } w64;
        struct { Elf32_Ehdr e; Elf32_Phdr p; } w32;
        uint8_t bytes[4096];
    } f = { .bytes = { 0 } };
    uint32_t at = 256, size = at + (uint32_t)n * 4;
    const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', (uint8_t)elf_class, ELFDATA2LSB, EV_CURRENT };
    if (elf_class == ELFCLASS64) {
        f.w64.e = (Elf64_Ehdr){ .e_type = ET_EXEC, .e_machine = EM_RV, .e_version = 1, .e_entry = BASE + at, .e_phoff = sizeof f.w64.e,
                                .e_ehsize = sizeof f.w64.e, .e_phentsize = sizeof f.w64.p, .e_phnum = 1 };
        f.w64.p = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE, .p_filesz = size, .p_memsz = size,
                                .p_align = 4096 };
    } else {
        f.w32.e = (Elf32_Ehdr){ .e_type = ET_EXEC, .e_machine = EM_RV, .e_version = 1, .e_entry = BASE + at, .e_phoff = sizeof f.w32.e,
                                .e_ehsize = sizeof f.w32.e, .e_phentsize = sizeof f.w32.p, .e_phnum = 1 };
        f.w32.p = (Elf32_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE, .p_filesz = size, .p_memsz = size,
                                .p_align = 4096 };
    }
    memcpy(f.bytes, ident, sizeof ident);
    memcpy(f.bytes + at, code, n * 4);
    snprintf(path, 64, "/tmp/lyre-api-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, f.bytes, size), size);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
}
#define MAKE(path, elf_class, ...) \
    make_program(path, elf_class, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static int status_of(lyre_program *p, char *path)
{
    char *argv[] = { path, (char *)(uintptr_t)"argument", NULL }, *envp[] = { NULL };
    lyre_error e = { 0 };
    pid_t pid = 0;
    int status = 0;
    if (lyre_program_spawn(p, argv, envp, &pid, &e)) fail_msg("%s", e.message);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* exit(argc + 40), of both word sizes, the guest found by the file. */
static void test_status(void **state)
{
    char path[64];
    for (unsigned class = ELFCLASS32; class <= ELFCLASS64; class++) {
        MAKE(path, class, class == ELFCLASS64 ? 0x00013503 : 0x00012503 /* l[wd] a0, 0(sp) */, 0x02850513 /* addi a0, a0, 40 */,
             0x05d00893 /* li a7, 93 */, 0x00000073 /* ecall */);
        assert_string_equal(lyre_program_guest(path, -1, NULL), class == ELFCLASS64 ? "riscv64" : "riscv32");
        for (unsigned accel = 0; accel < 2; accel++) {
            lyre_program *p = lyre_program_new(NULL, NULL);
            assert_int_equal(lyre_program_set(p, "accel", accel ? "interp" : "jit", NULL), 0);
            int status = status_of(p, path);
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), 42);
            lyre_program_free(p);
        }
        unlink(path);
    }
}

static void own_handler(int sig)
{
    _exit(99);
}

/* A signal that ends the program ends the child, whatever the embedder would do with it; descriptors are as after execve. */
static void test_signal(void **state)
{
    char path[64];
    lyre_program *p = lyre_program_new("riscv64", NULL);
    assert_non_null(p);
    signal(SIGUSR1, own_handler);
    int fd = fcntl(open("/dev/null", O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 200);
    MAKE(path, ELFCLASS64, 0x00100073 /* ebreak */);
    int status = status_of(p, path);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTRAP);
    unlink(path);
    MAKE(path, ELFCLASS64, 0x0ac00893 /* getpid */, 0x00000073, 0x00a00593 /* li a1, SIGUSR1 */, 0x08100893 /* kill */, 0x00000073,
         0x0000006f);
    status = status_of(p, path);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGUSR1);
    unlink(path);
    MAKE(path, ELFCLASS64, 0x0c800513 /* li a0, 200 */, 0x01700893 /* dup */, 0x00000073, 0x40a00533 /* neg a0, a0 */, 0x05d00893, 0x00000073);
    status = status_of(p, path);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EBADF);
    unlink(path);
    signal(SIGUSR1, SIG_DFL);
    close(fd);
    lyre_program_free(p);
}

static void test_refusals(void **state)
{
    char *nowhere[] = { (char *)(uintptr_t)"/nonexistent/program", NULL }, *text[] = { (char *)(uintptr_t)"/proc/self/status", NULL };
    char *envp[] = { NULL };
    lyre_error e = { 0 };
    pid_t pid;
    lyre_program *p = lyre_program_new("riscv64", NULL), *any = lyre_program_new(NULL, NULL);
    assert_null(lyre_program_new("nonesuch", &e));
    assert_int_equal(lyre_program_spawn(p, nowhere, envp, &pid, &e), -ENOENT);
    assert_non_null(strstr(e.message, "/nonexistent/program"));
    assert_int_equal(lyre_program_exec(any, nowhere, envp, &e), -ENOENT); /* and we are still here */
    assert_int_equal(lyre_program_exec(p, nowhere, envp, &e), -ENOENT);
    assert_int_equal(lyre_program_exec(p, text, envp, &e), -ENOEXEC);
    assert_int_equal(lyre_program_spawn(any, text, envp, &pid, &e), -ENOEXEC);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_null(lyre_program_guest("/proc/self/status", -1, &e));
    assert_int_equal(lyre_program_set(p, "nonesuch", "1", &e), -EINVAL);
    assert_int_equal(lyre_program_set(p, "cpu", NULL, &e), -EINVAL);
    assert_int_equal(lyre_program_set(p, "strace", "yes", &e), -EINVAL);
    assert_int_equal(lyre_program_set(p, "p", "many", &e), -EINVAL);
    assert_null(lyre_program_get(p, "cpu"));
    assert_int_equal(lyre_program_set(p, "cpu", "nonesuch", &e), 0);
    assert_string_equal(lyre_program_get(p, "cpu"), "nonesuch");
    assert_int_equal(lyre_program_spawn(p, nowhere, envp, &pid, &e), -ENOENT);
    lyre_program_free(p);
    lyre_program_free(any);
}

static void test_parse(void **state)
{
    char *argv[] = { (char *)(uintptr_t)"lyre-riscv64", (char *)(uintptr_t)"-cpu", (char *)(uintptr_t)"rv64",
                     (char *)(uintptr_t)"-strace", (char *)(uintptr_t)"-E", (char *)(uintptr_t)"A=1,B=2", (char *)(uintptr_t)"prog", NULL };
    lyre_error e = { 0 };
    lyre_program *p = lyre_program_new("riscv64", NULL);
    unsetenv("QEMU_STRACE");
    assert_int_equal(lyre_program_parse(p, 7, argv, &e), 6);
    assert_string_equal(lyre_program_get(p, "cpu"), "rv64");
    assert_string_equal(lyre_program_get(p, "strace"), "");
    assert_null(lyre_program_get(p, "stats"));
    argv[1] = (char *)(uintptr_t)"-nonesuch";
    assert_int_equal(lyre_program_parse(p, 7, argv, &e), -EINVAL);
    assert_non_null(strstr(e.message, "nonesuch"));
    lyre_program_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status), cmocka_unit_test(test_signal), cmocka_unit_test(test_refusals), cmocka_unit_test(test_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
