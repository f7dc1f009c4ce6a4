/* api.h: what the files behind lyre.h share. */
#ifndef LYRE_API_API_H
#define LYRE_API_API_H

#include <pthread.h>
#include "cpu/cpu.h"
#include "cpu/guest.h"
#include "lyre.h"
#include "mem/mem.h"

struct lyre_hook {
    struct lyre_hook *next;
    lyre_machine *m;
    struct lyre_hook **list;      /* the machine's that it is in */
    uint64_t first, last;
    lyre_code_hook *code;
    lyre_exception_hook *exception;
    void *data;
};

struct lyre_machine {
    const struct guest *guest;
    struct gmem *mem;
    struct engine *engine;
    pthread_mutex_t lock;         /* all that follows */
    struct lyre_cpu *cpus;
    unsigned running;             /* CPUs in lyre_run; hooks change only while it is 0, so they are read without the lock */
    struct engine_probes probes;
    struct lyre_hook *code_hooks, *exception_hooks;
};

struct lyre_cpu {
    CPU *cpu;
    lyre_machine *m;
    struct lyre_cpu *next;
    bool running;                 /* m->lock */
    bool stop;                    /* atomic */
    uint64_t until;               /* where its breakpoint is, LYRE_NOWHERE = none */
    /* the run at hand */
    bool changed;                 /* something that translated code does not know of, in a hook */
    bool skip;                    /* the hooks of the instruction at skip_pc were called, but it did not begin */
    uint64_t skip_pc;
};

/* The CPU that runs in this thread. In static storage of the thread, so that a signal handler may look at it. */
extern __thread struct lyre_cpu *api_running __attribute__((tls_model("initial-exec")));

/* Translated code that this thread is in the middle of (called from a hook) may be stale now. */
static inline void api_changed(void)
{
    if (api_running) api_running->changed = true;
}

/* lyre_error and struct err are the same. */
_Static_assert(sizeof(lyre_error) == sizeof(struct err) && offsetof(lyre_error, message) == offsetof(struct err, msg), "");
static inline struct err *api_err(lyre_error *e)
{
    return (struct err *)e;
}

/* Fills a structure of the caller's, which begins with its size, from one of ours. */
void api_fill(void *out, const void *from, size_t from_size);
#define API_FILL(out, ...) api_fill(out, &(__VA_ARGS__), sizeof(__VA_ARGS__))

/* run.c */
void api_drop_until(struct lyre_cpu *c);
/* fault.c */
void api_install_handlers(void);

#endif
