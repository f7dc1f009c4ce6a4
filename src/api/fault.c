/*
 * fault.c: host faults of machines. The handlers are the process's: that is where the host delivers them. Which machine a fault
 * belongs to is known by the thread.
 */
#include "api/api.h"

#include <signal.h>

static struct sigaction before[2]; /* of SIGSEGV, SIGBUS; written once, before ours are in place */

bool lyre_handle_fault(int sig, void *info, void *ucontext)
{
    const siginfo_t *si = info;
    int saved = errno;
    bool fault = (sig == SIGSEGV || sig == SIGBUS) && si->si_code > 0;
    bool ours = fault && (gmem_host_fault(ucontext) || (api_running && engine_host_fault(api_running->cpu, sig, info, ucontext)));
    errno = saved;
    return ours;
}

static void handler(int sig, siginfo_t *si, void *ucontext)
{
    if (lyre_handle_fault(sig, si, ucontext)) return;
    const struct sigaction *old = &before[sig == SIGBUS];
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(sig, si, ucontext);
    } else if (old->sa_handler == SIG_DFL || (old->sa_handler == SIG_IGN && si->si_code > 0)) {
        /* on return a fault happens again; what was sent is sent again */
        sigaction(sig, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
        if (si->si_code <= 0) raise(sig);
    } else if (old->sa_handler != SIG_IGN) {
        old->sa_handler(sig);
    }
}

static void install(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
    sigemptyset(&sa.sa_mask);
    sigaction(SIGSEGV, NULL, &before[0]);
    sigaction(SIGBUS, NULL, &before[1]);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
}

void api_install_handlers(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}
