/*
 * host.c: the portable interpreter as a back end: compiles regions into compact code (lower.c) and runs it (run.c). Works on
 * any host, needs no executable memory, and is what the other back ends are compared with.
 *
 * Faults: guest memory is touched between cpu_access_begin and cpu_access_end only, homes and cpu->pc are exact then, so
 * the engine unwinds to cpu_run by itself and `fault` has nothing to do.
 */
#include <stdlib.h>
#include "host/interp/code.h"

static void *interp_init(const struct host_env *env, struct code_buf *buf, struct err *e)
{
    struct interp *h = xalloc(sizeof *h);

    h->env = *env;
    h->frame = env->jc_offset + (int32_t)(JC_SIZE * sizeof(struct jc_entry));
    h->lower = lower_new();
    interp_run(NULL, NULL, &h->labels);
    return h;
}

static void interp_done(void *handle)
{
    struct interp *h = handle;

    lower_free(h->lower);
    free(h);
}

static int interp_compile(void *h, struct ir *ir, struct code_buf *buf, struct region *r)
{
    return lower_region(h, ir, buf, r);
}

static void interp_release(void *h, struct region *r)
{
    free(r->host_data);
    r->host_data = NULL;
}

static enum cpu_exc interp_enter(void *h, CPU *cpu, void *code)
{
    return interp_run(cpu, code, NULL);
}

static void interp_patch(void *h, ptrdiff_t delta, struct exit_slot *slot, const struct region *to)
{
    struct icode *c = slot->from->host_data;

    __atomic_store_n(&c->ops[slot->patch].to, to ? to->code : NULL, __ATOMIC_RELEASE);
}

static bool interp_fault(void *h, CPU *cpu, const struct region *r, void *ucontext, enum cpu_exc exc)
{
    return false;
}

const struct host interp_host = {
    .name = "interp",
    .needs_exec = false,
    .cpu_extra = INTERP_SLOTS * 16,
    .init = interp_init,
    .done = interp_done,
    .compile = interp_compile,
    .release = interp_release,
    .enter = interp_enter,
    .patch = interp_patch,
    .fault = interp_fault,
    .walk = interp_walk,
};
