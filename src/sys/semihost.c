/*
 * semihost.c: -semihosting, -semihosting-config: base/semihost.h on a machine: memory through the CPU's own translation, the console on a
 * character device or on standard streams. Known gaps: target=gdb (gdb's File-I/O).
 */
#include "sys/sys.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/semihost.h"

enum { IN_ROOM = 4096, WAIT_MS = 20 };

/* Under the machine's lock. */
struct sys_semi {
    struct semihost semi;
    struct machine *m;
    CPU *cpu;                 /* whose call it is */
    struct chr_fe *fe;        /* NULL: standard streams */
    uint8_t in[IN_ROOM];
    unsigned in_len;
};

/* --- options ---------------------------------------------------------------------------------------------------------------- */

int semihost_option(struct sys *s, const char *arg, struct err *e)
{
    static const char *const targets[] = { "native", "auto", "gdb", NULL };
    struct opts o = { 0 };
    bool on = true, user = false;
    int target = 0, r = opts_parse(&o, arg, "enable", e);
    if (!r) r = opts_bool(&o, "enable", true, &on, e);
    if (!r) r = opts_bool(&o, "userspace", false, &user, e);
    if (!r) r = opts_enum(&o, "target", targets, 1, &target, e);
    if (!r && target == 2) r = err_set(e, ENOTSUP, "target=gdb is not here yet: calls go to the host (target=native)");
    if (!r && opts_get(&o, "chardev")) s->semi_chardev = sys_text(s, "%s", opts_get(&o, "chardev"));
    uint32_t i = 0;
    for (const char *a; !r && (a = opts_each(&o, "arg", &i));)
        s->semi_args = s->semi_args ? sys_text(s, "%s %s", s->semi_args, a) : sys_text(s, "%s", a);
    if (!r) r = opts_check(&o, "semihosting-config", e);
    if (!r) s->cfg.semihosting = on, s->semi_user = user;
    opts_free(&o);
    return r;
}

/* --- the machine's side ----------------------------------------------------------------------------------------------------- */

static bool copy(void *ctx, uint64_t addr, void *buf, size_t len, bool write)
{
    return soft_debug(((struct sys_semi *)ctx)->cpu, addr, buf, len, write) == len;
}

static void console(void *ctx, const void *buf, size_t len, bool error)
{
    struct sys_semi *h = ctx;
    if (h->fe) {
        chr_write_all(h->fe, buf, len);
        return;
    }
    for (size_t done = 0; done < len;) {
        ssize_t n = write(error ? 2 : 1, (const char *)buf + done, len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (size_t)n;
    }
}

static int input(void *ctx, void *buf, size_t len)
{
    struct sys_semi *h = ctx;
    struct pollfd p = { .fd = 0, .events = POLLIN };
    if (!h->fe) {
        if (poll(&p, 1, 0) <= 0) return -EAGAIN;
        ssize_t n = read(0, buf, len);
        return n < 0 ? errno == EINTR ? -EAGAIN : -errno : (int)n;
    }
    unsigned n = (unsigned)MIN((size_t)h->in_len, len);
    if (!n) return -EAGAIN;
    memcpy(buf, h->in, n);
    h->in_len -= n;
    memmove(h->in, h->in + n, h->in_len);
    chr_accept_input(h->fe);
    return (int)n;
}

/* The largest stretch of main memory that nothing was loaded into: the heap grows from its bottom, the stack from its top. */
static void heap(void *ctx, uint64_t out[4])
{
    struct sys_semi *h = ctx;
    uint64_t lo = h->m->type->ram_base, hi;
    machine_free_ram(h->m, &lo, &hi);
    out[0] = ALIGN_UP(lo, 16);
    out[1] = out[2] = ALIGN_DOWN(hi, 16);
    out[3] = 0;
}

static const struct semi_host host = { .copy = copy, .console = console, .input = input, .heap = heap };

static size_t can_recv(void *ctx)
{
    return IN_ROOM - ((struct sys_semi *)ctx)->in_len;
}

static void receive(void *ctx, const uint8_t *buf, size_t len)
{
    struct sys_semi *h = ctx;
    len = MIN(len, can_recv(h));
    memcpy(h->in + h->in_len, buf, len);
    h->in_len += (unsigned)len;
}

static const struct chr_client client = { .can_recv = can_recv, .recv = receive };

/* The call is made again: from its own instruction (all have 4 bytes), a little later; the lock is let go so that input can come. */
static void again(struct sys_semi *h, CPU *cpu)
{
    struct pollfd p = { .fd = h->fe ? -1 : 0, .events = POLLIN };
    cpu->pc -= 4;
    loop_unlock(h->m->b.loop);
    poll(&p, 1, WAIT_MS);
    loop_lock(h->m->b.loop);
}

static bool call(void *ctx, CPU *cpu)
{
    struct sys_semi *h = ctx;
    const struct guest *g = h->m->guest;
    uint8_t reg[REG_BYTES_MAX] = { 0 };
    uint64_t op, arg, ret;
    cpu_reg_read(cpu, g->semi_op, reg);
    memcpy(&op, reg, sizeof op);
    memset(reg, 0, sizeof op);
    cpu_reg_read(cpu, g->semi_arg, reg);
    memcpy(&arg, reg, sizeof arg);
    h->cpu = cpu;
    switch (semi_call(&h->semi, (uint32_t)op, arg, &ret)) {
    case SEMI_EXIT:
        machine_request(h->m, BOARD_SHUTDOWN, h->semi.exit_status);
        again(h, cpu); /* it does not get any further */
        break;
    case SEMI_AGAIN: again(h, cpu); break;
    default:
        memset(reg, 0, sizeof reg);
        memcpy(reg, &ret, sizeof ret);
        cpu_reg_write(cpu, g->semi_op, reg);
    }
    return true;
}

int semihost_begin(struct sys *s, struct err *e)
{
    struct machine *m = s->m;
    if (!s->cfg.semihosting || !m->guest->sys->semihosting) return 0;
    struct chr *c = s->semi_chardev ? chr_find(s->chrs, s->semi_chardev) : NULL;
    if (s->semi_chardev && !c) return err_set(e, ENOENT, "-semihosting-config: chardev \"%s\" not found", s->semi_chardev);
    struct sys_semi *h = s->semi = xalloc(sizeof *h);
    h->m = m;
    h->semi.host = &host;
    h->semi.ctx = h;
    h->semi.word = m->guest->elf_class == 1 ? 4 : 8;
    h->semi.cmdline = s->semi_args;
    if (!s->semi_args && s->cfg.kernel)
        h->semi.cmdline = s->cfg.append ? sys_text(s, "%s %s", s->cfg.kernel, s->cfg.append) : s->cfg.kernel;
    semi_init(&h->semi);
    if (c && !(h->fe = chr_attach(c, &client, h, e))) return -EBUSY;
    m->semihost = call;
    m->semihost_ctx = h;
    for (unsigned i = 0; i < m->ncpus; i++) m->guest->sys->semihosting(machine_cpu(m, i), true, s->semi_user);
    return 0;
}

/* The machine's CPUs have ended. */
void semihost_end(struct sys *s)
{
    if (!s->semi) return;
    if (s->semi->fe) chr_detach(s->semi->fe);
    semi_close(&s->semi->semi);
    free(s->semi);
    s->semi = NULL;
}
