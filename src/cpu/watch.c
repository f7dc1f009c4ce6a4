/*
 * watch.c: which accesses of a single-stepped instruction touch memory that a debugger watches. Before each access the
 * instruction's code calls us (xlat.watch); helpers come by in cpu_ld and its kin.
 *
 * Gaps: what system calls access is not seen; an atomic operation counts as a read and a write, also where it stores nothing.
 */
#include "cpu/engine.h"

void watch_access(CPU *cpu, uint64_t addr, uint64_t len, unsigned how)
{
    struct vcpu *v = cpu->v;
    for (unsigned i = 0; i < v->nwatch && !v->watch_hit; i++) {
        const struct cpu_watch *w = &v->watch[i];
        if ((w->how & how) && addr < w->addr + w->len && w->addr < addr + len) v->watch_hit = w;
    }
}

/* what: bytes << 2 | CW_* */
static void access(CPU *cpu, uint64_t addr, uint64_t what)
{
    watch_access(cpu, addr, what >> 2, what & 3);
}

static void access_thunk(void *cpu, union vlanes *ret UNUSED, const union vlanes *args)
{
    access(cpu, args[0].u64[0], args[1].u64[0]);
}

const struct ir_helper watch_helper = {
    .name = "watch", .fn = (void *)access, .thunk = access_thunk, .ret = T_VOID, .nargs = 2, .args = { T_I64, T_I64 },
};
