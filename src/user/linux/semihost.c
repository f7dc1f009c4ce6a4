/*
 * semihost.c: semihosting calls of programs in user mode (bare programs linked for it): base/semihost.h on this process. Console output
 * goes to the standard streams, input blocks as read(2) does.
 */
#include "user/linux/user.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/semihost.h"

enum { HEAP_BYTES = 128 << 20 };

struct user_semi {
    struct semihost semi;
    struct proc *p;
    uint64_t heap, heap_end;
};

static bool copy(void *ctx, uint64_t addr, void *buf, size_t len, bool write)
{
    struct proc *p = ((struct user_semi *)ctx)->p;
    return !(write ? gmem_write(p->mem, addr, buf, len, NULL) : gmem_read(p->mem, buf, addr, len, NULL));
}

static void console(void *ctx, const void *buf, size_t len, bool error)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(error ? 2 : 1, (const char *)buf + done, len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (size_t)n;
    }
}

static int input(void *ctx, void *buf, size_t len)
{
    ssize_t n = read(0, buf, len);
    return n < 0 ? errno == EINTR ? -EAGAIN : -errno : (int)n;
}

static void heap(void *ctx, uint64_t out[4])
{
    struct user_semi *h = ctx;
    struct proc *p = h->p;
    if (!h->heap) {
        int64_t at = gmem_map(p->mem, 0, HEAP_BYTES, GP_READ | GP_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at > 0) h->heap = (uint64_t)at, h->heap_end = h->heap + HEAP_BYTES;
    }
    out[0] = h->heap;
    out[1] = h->heap_end;
    out[2] = p->stack_hi;
    out[3] = p->stack_lo;
}

static const struct semi_host host = { .copy = copy, .console = console, .input = input, .heap = heap };

/* The program's words, with spaces between. */
static char *command_line(char **argv)
{
    size_t len = 1, at = 0;
    for (char **a = argv; *a; a++) len += strlen(*a) + 1;
    char *text = xalloc(len);
    for (char **a = argv; *a; a++) {
        size_t n = strlen(*a);
        if (at) text[at++] = ' ';
        memcpy(text + at, *a, n);
        at += n;
    }
    return text;
}

static struct user_semi *begin(struct proc *p)
{
    struct user_semi *h = xalloc(sizeof *h);
    h->p = p;
    h->semi.host = &host;
    h->semi.ctx = h;
    h->semi.word = p->word;
    h->semi.big_endian = p->big;
    h->semi.cmdline = command_line(p->opt->argv);
    semi_init(&h->semi);
    return h;
}

bool semihost_call(struct task *t, enum cpu_exc exc)
{
    struct proc *p = t->p;
    const struct guest *g = p->guest;
    uint8_t reg[REG_BYTES_MAX] = { 0 };
    uint64_t op, arg, ret;
    if (!p->lnx->semihost || !p->lnx->semihost(t->cpu, exc)) return false;
    cpu_reg_read(t->cpu, g->semi_op, reg);
    memcpy(&op, reg, sizeof op);
    memset(reg, 0, sizeof op);
    cpu_reg_read(t->cpu, g->semi_arg, reg);
    memcpy(&arg, reg, sizeof arg);
    pthread_mutex_lock(&p->semi_lock);
    if (!p->semi) p->semi = begin(p);
    enum semi_result r = semi_call(&p->semi->semi, (uint32_t)op, arg, &ret);
    pthread_mutex_unlock(&p->semi_lock);
    if (r == SEMI_EXIT) proc_exit(t, p->semi->semi.exit_status);
    if (r == SEMI_AGAIN) { /* a signal came first */
        t->cpu->pc -= 4;
        return true;
    }
    memset(reg, 0, sizeof reg);
    memcpy(reg, &ret, sizeof ret);
    cpu_reg_write(t->cpu, g->semi_op, reg);
    return true;
}
