/*
 * elf.c: any bytes as a program: the real loader maps it, its interpreter (never there) and a stack into an address space that
 * is given up afterwards. What it maps replaces nothing of the fuzzer's own.
 */
#include "fuzz.h"
#include <sys/mman.h>
#include <unistd.h>
#include "cpu/host.h"
#include "user/linux/options.h"
#include "user/linux/user.h"

/* An engine and CPU per guest: the loader asks it for hardware capabilities and sets its first registers. */
static CPU *cpu_of(const struct guest *g)
{
    static struct { const struct guest *g; CPU *cpu; } known[16];
    unsigned i = 0;
    while (known[i].g && known[i].g != g) i++;
    if (known[i].g) return known[i].cpu;
    struct err e = { 0 };
    struct engine_config cfg = { .guest = g, .host = host_find("interp"), .mem = gmem_new(g->addr_bits, 4096, &e), .cache_bytes = 1 << 20 };
    struct engine *en = engine_new(&cfg, &e);
    FUZZ_CHECK(i + 1 < ARRAY_LEN(known) && en);
    known[i].g = g;
    known[i].cpu = cpu_new(en, g->models[0].name, &e);
    FUZZ_CHECK(known[i].cpu);
    return known[i].cpu;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char prog[] = "prog", arg[] = "x", env[] = "A=b", *argv[] = { prog, arg, NULL }, *envp[] = { env, NULL };
    static struct proc p;
    static const struct user_options opt = { .seed = "1" };
    const struct guest *g;
    struct err e = { 0 };
    char head[256];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    if (file_kind(fd, &g, head, sizeof head) == FILE_GUEST) {
        memset(&p, 0, sizeof p);
        p.guest = g, p.lnx = g->lnx, p.opt = &opt;
        p.word = g->elf_class == 1 ? 4 : 8, p.big = g->big_endian;
        p.exe_fd = p.prefix_fd = -1;
        p.stack_size = 1 << 20;
        p.mem = gmem_new(g->addr_bits, 4096, &e);
        FUZZ_CHECK(p.mem);
        int r = load_program(&p, fd, "prog", "prog", argv, envp, cpu_of(g), &e);
        FUZZ_CHECK(r == 0 || (r < 0 && e.msg[0] && e.code == -r));
        FUZZ_CHECK(r || (p.image.lo < p.image.hi && gmem_flags(p.mem, p.stack_lo)));
        gmem_free(p.mem);
    }
    close(fd);
    return 0;
}
