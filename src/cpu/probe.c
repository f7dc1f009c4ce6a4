/*
 * probe.c: what the embedder wants to see of the guest's instructions: how many ran, and a call before some of them.
 *
 * The count is a register of the IR: each instruction puts it one lower, the passes forward that like any register, and deopt
 * maps have its exact value at every operation that can fault. What remains is a compare per instruction.
 */
#include "cpu/engine.h"

void engine_probe(struct engine *en, const struct engine_probes *p)
{
    pthread_mutex_lock(&en->lock);
    en->probes = *p;
    pthread_mutex_unlock(&en->lock);
}

/* From generated code; every register is in its home. The embedder's function finds the host's FP unit as C has it, and a fault
 * in it is not the guest's. */
static void call_hook(CPU *cpu)
{
    struct vcpu *v = cpu->v;
    struct engine *en = v->engine;
    if (en->host->unwound) en->host->unwound(cpu);
    v->in_code = false;
    bool leave = en->probes.hook(en->probes.ctx, cpu);
    if (leave) cpu_raise(cpu, EXC_REQUEST, 0, 0);
    v->in_code = true;
}

static void hook_thunk(void *cpu, union vlanes *ret UNUSED, const union vlanes *args UNUSED)
{
    call_hook(cpu);
}

void probe_before(struct engine *en, struct xlat *t)
{
    static const struct ir_helper hook = {
        .name = "probe", .fn = (void *)call_hook, .thunk = hook_thunk, .ret = T_VOID, .reads = 0xff, .flags = HF_FAULT | HF_FP
    };
    if (en->probes.count) xl_trapif(t, ir_cmpi(t, C_EQ, ir_get(t, guest_nir(en->guest)), 0), EXC_DEBUG, EXD_COUNT);
    if (en->probes.wanted && en->probes.wanted(en->probes.ctx, t->pc)) ir_call(t, &hook, NULL);
}

/* An exception with the pc of its own instruction means that it did not complete. */
void probe_after(struct engine *en, struct xlat *t)
{
    if (!en->probes.count || (t->end == XE_EXC && t->target == t->pc)) return;
    ir_put(t, guest_nir(en->guest), ir_subi(t, ir_get(t, guest_nir(en->guest)), 1));
}
