/* gdb_cmd.c: the commands of the remote protocol, one row each. Runs with the lock held and every thread parked. */
#include "control/gdb.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- signals: the protocol has numbers of its own ---------------------------------------------------------------------- */
enum { GDB_SIGNAL_UNKNOWN = 143, ANY = 0, ALL = -1 };
static const uint8_t signal_numbers[] = {
    [SIGHUP] = 1, [SIGINT] = 2, [SIGQUIT] = 3, [SIGILL] = 4, [SIGTRAP] = 5, [SIGABRT] = 6, [SIGBUS] = 10, [SIGFPE] = 8,
    [SIGKILL] = 9, [SIGUSR1] = 30, [SIGSEGV] = 11, [SIGUSR2] = 31, [SIGPIPE] = 13, [SIGALRM] = 14, [SIGTERM] = 15,
    [SIGCHLD] = 20, [SIGCONT] = 19, [SIGSTOP] = 17, [SIGTSTP] = 18, [SIGTTIN] = 21, [SIGTTOU] = 22, [SIGURG] = 16,
    [SIGXCPU] = 24, [SIGXFSZ] = 25, [SIGVTALRM] = 26, [SIGPROF] = 27, [SIGWINCH] = 28, [SIGIO] = 23, [SIGPWR] = 32,
    [SIGSYS] = 12,
};

int gdb_signal_number(int host)
{
    if (host > 32 && host < 64) return host + 12;
    if (host == 32) return 77;
    if (host == 64) return 78;
    int n = host > 0 && host < (int)ARRAY_LEN(signal_numbers) ? signal_numbers[host] : 0;
    return n ? n : host ? GDB_SIGNAL_UNKNOWN : 0;
}

int gdb_signal_host(uint64_t number)
{
    for (int sig = 1; sig <= NSIG_GUEST; sig++)
        if (number != GDB_SIGNAL_UNKNOWN && (uint64_t)gdb_signal_number(sig) == number) return sig;
    return 0;
}

/* --- small replies ------------------------------------------------------------------------------------------------------- */
static void ok(struct gdb *g)
{
    gdb_puts(&g->out, "OK");
}

static void error(struct gdb *g, int code)
{
    gdb_putf(&g->out, "E%02x", code & 0xff);
}

/* --- threads ---------------------------------------------------------------------------------------------------------------- */
static void put_thread(struct gdb *g, const struct gdb_thread *th)
{
    if (g->client.multi)
        gdb_putf(&g->out, "p%x.%x", g->pid, th->tid);
    else
        gdb_putf(&g->out, "%x", th->tid);
}

/* "pPID.TID", "pPID" (all of its threads), "TID"; -1 all, 0 any. ANY, ALL or a tid in *tid; false if it cannot be ours. */
static bool thread_arg(struct gdb *g, const char **s, pid_t *tid)
{
    uint64_t v;
    bool one = true;
    if (gdb_skip(s, 'p')) {
        if (gdb_skip(s, '-')) {
            if (!gdb_skip(s, '1')) return false;
        } else if (!gdb_hex(s, &v) || (v && v != (uint64_t)g->pid)) {
            return false;
        }
        one = gdb_skip(s, '.');
    }
    if (!one || **s == '-') {
        *tid = ALL;
        return !one || (gdb_skip(s, '-') && gdb_skip(s, '1'));
    }
    if (!gdb_hex(s, &v) || v > INT32_MAX) return false;
    *tid = (pid_t)v;
    return true;
}

struct gdb_thread *gdb_current(struct gdb *g)
{
    struct gdb_thread *th = g->g_tid > 0 ? gdb_thread_find(g, g->g_tid) : NULL;
    if (!th) th = g->reporter ? g->reporter : g->threads;
    return th;
}

static void cmd_select(struct gdb *g, const char *s, size_t len)
{
    pid_t tid;
    char op = *s++;
    if ((op != 'g' && op != 'c') || !thread_arg(g, &s, &tid) || (tid > 0 && !gdb_thread_find(g, tid))) {
        error(g, EINVAL);
        return;
    }
    *(op == 'g' ? &g->g_tid : &g->c_tid) = tid;
    ok(g);
}

static void cmd_alive(struct gdb *g, const char *s, size_t len)
{
    pid_t tid;
    if (thread_arg(g, &s, &tid) && gdb_thread_find(g, tid))
        ok(g);
    else
        error(g, ESRCH);
}

static void cmd_current(struct gdb *g, const char *s, size_t len)
{
    struct gdb_thread *th = gdb_current(g);
    if (!th) return;
    gdb_puts(&g->out, "QC");
    put_thread(g, th);
}

static struct gdb_thread *list_next; /* where the list of threads goes on */

static void cmd_threads_more(struct gdb *g, const char *s, size_t len)
{
    struct gdb_thread *th = g->threads;
    while (th && th != list_next) th = th->next;
    if (!th) gdb_puts(&g->out, "l");
    for (unsigned n = 0; th && n < 200; th = th->next, n++) {
        gdb_puts(&g->out, n ? "," : "m");
        put_thread(g, th);
    }
    list_next = th;
}

static void cmd_threads_first(struct gdb *g, const char *s, size_t len)
{
    list_next = g->threads;
    cmd_threads_more(g, s, len);
}

static void cmd_thread_info(struct gdb *g, const char *s, size_t len)
{
    pid_t tid;
    char path[64], name[64];
    if (!gdb_skip(&s, ',') || !thread_arg(g, &s, &tid) || !gdb_thread_find(g, tid)) {
        error(g, EINVAL);
        return;
    }
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof name);
    if (fd >= 0) close(fd);
    if (n > 0 && name[n - 1] == '\n') n--;
    if (n > 0)
        gdb_put_hex(&g->out, name, (size_t)n);
    else
        gdb_put_hex(&g->out, "thread", 6);
}

/* :thread,offset,link map */
static void cmd_tls_address(struct gdb *g, const char *s, size_t len)
{
    struct gdb_thread *th;
    uint64_t offset, map, addr;
    pid_t tid;
    if (!gdb_skip(&s, ':') || !thread_arg(g, &s, &tid) || !(th = gdb_thread_find(g, tid)) || !gdb_skip(&s, ',') ||
        !gdb_hex(&s, &offset) || !gdb_skip(&s, ',') || !gdb_hex(&s, &map))
        error(g, EINVAL);
    else if (gdb_tls_address(g, th, map, offset, &addr))
        gdb_putf(&g->out, "%llx", (unsigned long long)addr);
    else
        error(g, ENOENT);
}

/* --- why it stopped ----------------------------------------------------------------------------------------------------------- */
static void put_reg(struct gdb *g, struct gdb_thread *th, int num)
{
    uint8_t buf[GDB_REG_MAX];
    if (num < 0) return;
    size_t n = gdb_reg_read(&g->regs, th->t->cpu, (unsigned)num, buf);
    gdb_putf(&g->out, "%02x:", (unsigned)num);
    gdb_put_hex(&g->out, buf, n);
    gdb_puts(&g->out, ";");
}

static void put_watch(struct gdb *g, unsigned i)
{
    static const char *const names[] = { "", "r", "a" };
    gdb_putf(&g->out, "%swatch:%llx;", names[g->watch[i].type - '2'], (unsigned long long)g->range[i].addr);
}

void gdb_stop_reply(struct gdb *g)
{
    struct gdb_thread *th = g->reporter;
    if (!th && g->g_tid > 0) th = gdb_thread_find(g, g->g_tid);
    if (!th) th = g->threads;
    if (!th) { /* only before anything runs or after everything ended */
        gdb_puts(&g->out, "W00");
        return;
    }
    g->g_tid = g->c_tid = th->tid;
    gdb_putf(&g->out, "T%02x", g->stop == GS_NONE ? 0 : gdb_signal_number(g->stop_sig));
    put_reg(g, th, g->regs.sp);
    put_reg(g, th, g->regs.pc);
    gdb_puts(&g->out, "thread:");
    put_thread(g, th);
    gdb_puts(&g->out, ";");
    unsigned long long arg = g->stop_arg;
    switch (g->stop) {
    case GS_WATCH: put_watch(g, (unsigned)arg); break;
    case GS_BREAK:
        if (g->client.swbreak) gdb_puts(&g->out, "swbreak:;");
        break;
    case GS_SYSCALL: gdb_putf(&g->out, "syscall_entry:%llx;", arg); break;
    case GS_SYSCALL_END: gdb_putf(&g->out, "syscall_return:%llx;", arg); break;
    case GS_EXEC:
        if (!g->client.exec_events) break;
        gdb_puts(&g->out, "exec:");
        gdb_put_hex(&g->out, g->p->exe, strlen(g->p->exe));
        gdb_puts(&g->out, ";");
        break;
    default: break;
    }
}

static void cmd_why(struct gdb *g, const char *s, size_t len)
{
    gdb_stop_reply(g);
}

/* --- registers ------------------------------------------------------------------------------------------------------------------- */
static CPU *cpu_of(struct gdb *g)
{
    struct gdb_thread *th = gdb_current(g);
    return th ? th->t->cpu : NULL;
}

static void cmd_read_regs(struct gdb *g, const char *s, size_t len)
{
    uint8_t buf[GDB_REG_MAX];
    CPU *cpu = cpu_of(g);
    if (!cpu) error(g, ESRCH);
    for (unsigned i = 0; cpu && i < g->regs.n; i++) gdb_put_hex(&g->out, buf, gdb_reg_read(&g->regs, cpu, i, buf));
}

static void cmd_write_regs(struct gdb *g, const char *s, size_t len)
{
    uint8_t buf[GDB_REG_MAX];
    CPU *cpu = cpu_of(g);
    if (!cpu) {
        error(g, ESRCH);
        return;
    }
    for (unsigned i = 0; i < g->regs.n; i++) { /* a short packet leaves the rest as it is */
        size_t n = gdb_reg_size(&g->regs, i);
        if (gdb_hex_bytes(&s, buf, n) < n) break;
        gdb_reg_write(&g->regs, cpu, i, buf);
    }
    ok(g);
}

static void cmd_read_reg(struct gdb *g, const char *s, size_t len)
{
    uint8_t buf[GDB_REG_MAX];
    uint64_t num;
    CPU *cpu = cpu_of(g);
    if (!cpu || !gdb_hex(&s, &num) || num >= g->regs.n)
        error(g, EINVAL);
    else
        gdb_put_hex(&g->out, buf, gdb_reg_read(&g->regs, cpu, (unsigned)num, buf));
}

static void cmd_write_reg(struct gdb *g, const char *s, size_t len)
{
    uint8_t buf[GDB_REG_MAX];
    uint64_t num;
    CPU *cpu = cpu_of(g);
    if (!cpu || !gdb_hex(&s, &num) || num >= g->regs.n || !gdb_skip(&s, '=') ||
        gdb_hex_bytes(&s, buf, gdb_reg_size(&g->regs, (unsigned)num)) < gdb_reg_size(&g->regs, (unsigned)num)) {
        error(g, EINVAL);
        return;
    }
    gdb_reg_write(&g->regs, cpu, (unsigned)num, buf);
    ok(g);
}

/* --- memory ---------------------------------------------------------------------------------------------------------------------- */
static uint8_t mem_buf[GDB_PACKET];

static bool range_arg(const char **s, uint64_t *addr, uint64_t *n)
{
    return gdb_hex(s, addr) && gdb_skip(s, ',') && gdb_hex(s, n);
}

static void cmd_read_mem(struct gdb *g, const char *s, size_t len)
{
    uint64_t addr, n;
    if (!range_arg(&s, &addr, &n)) {
        error(g, EINVAL);
        return;
    }
    size_t want = MIN(n, (uint64_t)GDB_PACKET / 2 - 8), got = gmem_access(g->mem, addr, mem_buf, want, false);
    if (want && !got)
        error(g, EFAULT);
    else
        gdb_put_hex(&g->out, mem_buf, got);
}

static void write_mem(struct gdb *g, uint64_t addr, uint64_t n)
{
    if (gmem_access(g->mem, addr, mem_buf, n, true) == n)
        ok(g);
    else
        error(g, EFAULT);
}

static void cmd_write_mem(struct gdb *g, const char *s, size_t len)
{
    uint64_t addr, n;
    if (!range_arg(&s, &addr, &n) || !gdb_skip(&s, ':') || n > sizeof mem_buf || gdb_hex_bytes(&s, mem_buf, n) < n)
        error(g, EINVAL);
    else
        write_mem(g, addr, n);
}

static void cmd_write_binary(struct gdb *g, const char *s, size_t len)
{
    const char *end = s + len;
    uint64_t addr, n;
    if (!range_arg(&s, &addr, &n) || !gdb_skip(&s, ':') || n != (uint64_t)(end - s)) {
        error(g, EINVAL);
        return;
    }
    memcpy(mem_buf, s, n);
    write_mem(g, addr, n);
}

/* --- breakpoints -------------------------------------------------------------------------------------------------------------------- */
/* Z2, Z3, Z4 */
static void watchpoint(struct gdb *g, char type, const char *s, bool set)
{
    static const uint8_t how[] = { ['2'] = 0 /* by value */, ['3'] = CW_READ, ['4'] = CW_READ | CW_WRITE };
    uint64_t addr, len;
    unsigned i = 0;
    if (!gdb_skip(&s, ',') || !range_arg(&s, &addr, &len) || !len) {
        error(g, EINVAL);
        return;
    }
    while (i < g->nwatch && (g->watch[i].type != type || g->range[i].addr != addr || g->range[i].len != len)) i++;
    if (set && i == g->nwatch) {
        if (i == GDB_WATCHES || len > GDB_WATCH_BYTES) {
            error(g, ENOSPC);
            return;
        }
        g->watch[i].type = type;
        g->range[i] = (struct cpu_watch){ .addr = addr, .len = len, .how = how[(uint8_t)type] };
        g->nwatch++;
    }
    if (set) gdb_user_watch(g, i);
    if (!set && i < g->nwatch) {
        g->nwatch--;
        g->watch[i] = g->watch[g->nwatch];
        g->range[i] = g->range[g->nwatch];
    }
    ok(g);
}

/* Z0 and Z1 are the same to us. */
static void breakpoint(struct gdb *g, const char *s, bool set)
{
    uint64_t addr;
    char type = *s++;
    if (type >= '2' && type <= '4') watchpoint(g, type, s, set);
    if (type != '0' && type != '1') return;
    if (!gdb_skip(&s, ',') || !gdb_hex(&s, &addr)) {
        error(g, EINVAL);
        return;
    }
    uint32_t i = 0;
    while (i < g->nbps && g->bps[i] != addr) i++;
    if (set && i == g->nbps) {
        g->bps = vec_grow(g->bps, &g->cap_bps, g->nbps + 1, sizeof *g->bps);
        g->bps[g->nbps++] = addr;
        engine_breakpoint(g->engine, addr, true);
    } else if (!set && i < g->nbps) {
        g->bps[i] = g->bps[--g->nbps];
        engine_breakpoint(g->engine, addr, false);
    }
    ok(g);
}

static void cmd_set_break(struct gdb *g, const char *s, size_t len)
{
    breakpoint(g, s, true);
}

static void cmd_clear_break(struct gdb *g, const char *s, size_t len)
{
    breakpoint(g, s, false);
}

/* --- running -------------------------------------------------------------------------------------------------------------------------- */
struct resume {
    enum gdb_action action;
    int sig;
    uint64_t lo, hi;
};

static void clear_actions(struct gdb *g)
{
    for (struct gdb_thread *th = g->threads; th; th = th->next) {
        th->action = GA_NONE;
        th->sig = 0;
        th->range_lo = th->range_hi = 0;
    }
}

static void set_action(struct gdb_thread *th, const struct resume *r)
{
    th->action = (uint8_t)r->action;
    th->sig = r->sig;
    th->range_lo = r->lo;
    th->range_hi = r->hi;
}

static void resume(struct gdb *g)
{
    g->reply = false; /* the answer is the next stop */
    gdb_user_resume(g);
}

/* c, C, s, S: the selected thread as said, the others run on. */
static void resume_all(struct gdb *g, const char *s, bool with_signal, enum gdb_action action)
{
    struct resume r = { .action = action }, others = { .action = GA_CONT };
    struct gdb_thread *th = g->c_tid > 0 ? gdb_thread_find(g, g->c_tid) : gdb_current(g);
    uint64_t v;
    if (with_signal) {
        if (!gdb_hex(&s, &v)) {
            error(g, EINVAL);
            return;
        }
        r.sig = gdb_signal_host(v);
        gdb_skip(&s, ';');
    }
    if (gdb_hex(&s, &v) && th) th->t->cpu->pc = v;
    clear_actions(g);
    for (struct gdb_thread *o = g->threads; o; o = o->next) set_action(o, o == th ? &r : &others);
    resume(g);
}

static void cmd_continue(struct gdb *g, const char *s, size_t len) { resume_all(g, s, false, GA_CONT); }
static void cmd_continue_sig(struct gdb *g, const char *s, size_t len) { resume_all(g, s, true, GA_CONT); }
static void cmd_step(struct gdb *g, const char *s, size_t len) { resume_all(g, s, false, GA_STEP); }
static void cmd_step_sig(struct gdb *g, const char *s, size_t len) { resume_all(g, s, true, GA_STEP); }

static void cmd_vcont_query(struct gdb *g, const char *s, size_t len)
{
    gdb_puts(&g->out, "vCont;c;C;s;S;t;r");
}

static bool action_arg(const char **s, struct resume *r)
{
    uint64_t v;
    memset(r, 0, sizeof *r);
    char op = *(*s)++;
    switch (op) {
    case 'c': case 'C': r->action = GA_CONT; break;
    case 's': case 'S': case 'r': r->action = GA_STEP; break;
    case 't': return true;
    default: return false;
    }
    if (op == 'r') return gdb_hex(s, &r->lo) && gdb_skip(s, ',') && gdb_hex(s, &r->hi);
    if (op == 'C' || op == 'S') {
        if (!gdb_hex(s, &v)) return false;
        r->sig = gdb_signal_host(v);
    }
    return true;
}

/* vCont;action[:thread]...: for each thread the first action that names it. */
static void cmd_vcont(struct gdb *g, const char *s, size_t len)
{
    enum { SEEN = 1 << 7 };
    struct resume r;
    clear_actions(g);
    while (gdb_skip(&s, ';')) {
        pid_t tid = ALL;
        if (!action_arg(&s, &r) || (gdb_skip(&s, ':') && !thread_arg(g, &s, &tid))) {
            clear_actions(g);
            error(g, EINVAL);
            return;
        }
        for (struct gdb_thread *th = g->threads; th; th = th->next) {
            if ((th->action & SEEN) || (tid > 0 && th->tid != tid)) continue;
            set_action(th, &r);
            th->action |= SEEN;
            if (tid == ANY) break;
        }
    }
    for (struct gdb_thread *th = g->threads; th; th = th->next) th->action &= (uint8_t)~SEEN;
    if (*s) {
        clear_actions(g);
        error(g, EINVAL);
        return;
    }
    resume(g);
}

static void cmd_detach(struct gdb *g, const char *s, size_t len)
{
    ok(g);
    gdb_user_detach(g);
}

static void cmd_kill(struct gdb *g, const char *s, size_t len)
{
    gdb_unlisten(g);
    RAW(SYS_kill, g->pid, SIGKILL);
    g->reply = false;
}

static void cmd_vkill(struct gdb *g, const char *s, size_t len)
{
    /* the answer has to be out before the process is gone */
    ok(g);
    gdb_out_end(&g->out);
    RAW(SYS_sendto, g->fd, g->out.data, g->out.len, MSG_NOSIGNAL, NULL, 0);
    cmd_kill(g, s, len);
}

/* --- queries ------------------------------------------------------------------------------------------------------------------------- */
/* Is `name` among the client's features, a list separated by ';'? */
static bool offered(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == ';' || p[-1] == ':') && (!p[n] || p[n] == ';')) return true;
    return false;
}

static void cmd_supported(struct gdb *g, const char *s, size_t len)
{
    g->client.multi = offered(s, "multiprocess+");
    g->client.swbreak = offered(s, "swbreak+");
    g->client.no_resumed = offered(s, "no-resumed+");
    g->client.exec_events = offered(s, "exec-events+");
    gdb_putf(&g->out, "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:auxv:read+;qXfer:exec-file:read+;"
                      "qXfer:siginfo:read+;vContSupported+;multiprocess+;swbreak+;no-resumed+;QPassSignals+;QCatchSyscalls+;"
                      "exec-events+", GDB_PACKET);
}

static void cmd_no_ack(struct gdb *g, const char *s, size_t len)
{
    ok(g);
    g->client.noack = true; /* from the next packet on: the reply needs no acknowledgment of ours */
}

static void cmd_attached(struct gdb *g, const char *s, size_t len)
{
    gdb_puts(&g->out, "1"); /* gdb then detaches at its end instead of killing, as with the emulator people know */
}

static void cmd_pass_signals(struct gdb *g, const char *s, size_t len)
{
    uint64_t v;
    memset(g->client.pass_signals, 0, sizeof g->client.pass_signals);
    for (gdb_skip(&s, ':'); gdb_hex(&s, &v); gdb_skip(&s, ';')) g->client.pass_signals[gdb_signal_host(v)] = 1;
    g->client.pass_signals[0] = 0;
    gdb_user_mirror(g);
    ok(g);
}

/* :0, or :1 and the numbers of those of interest; without numbers all are. */
static void cmd_catch_syscalls(struct gdb *g, const char *s, size_t len)
{
    struct gdb_client *c = &g->client;
    uint64_t v = 2;
    if (!gdb_skip(&s, ':') || !gdb_hex(&s, &v) || v > 1) {
        error(g, EINVAL);
        return;
    }
    c->catch = v;
    c->ncatch = 0;
    while (gdb_skip(&s, ';') && gdb_hex(&s, &v) && c->ncatch < ARRAY_LEN(c->catch_nr)) c->catch_nr[c->ncatch++] = (uint32_t)v;
    c->catch_all = !c->ncatch;
    if (*s) {
        c->catch = false;
        error(g, c->ncatch == ARRAY_LEN(c->catch_nr) ? ENOSPC : EINVAL);
        return;
    }
    ok(g);
}

static void send_part(struct gdb *g, const void *data, size_t n, uint64_t off, uint64_t len)
{
    if (off > n) {
        error(g, EINVAL);
        return;
    }
    size_t part = MIN(MIN(len, n - off), (size_t)GDB_PACKET / 2 - 8); /* every byte may be escaped */
    gdb_puts(&g->out, off + part < n ? "m" : "l");
    gdb_put(&g->out, (const char *)data + off, part);
}

static void xfer_auxv(struct gdb *g, uint64_t off, uint64_t len)
{
    uint8_t raw[sizeof g->p->auxv + 16] = { 0 };
    size_t w = g->p->word, n = 0;
    for (unsigned i = 0; i < g->p->nauxv; i++, n += w) put_raw(g->p, raw + n, (unsigned)w, g->p->auxv[i]);
    if (g->p->nauxv < 2 || g->p->auxv[(g->p->nauxv & ~1u) - 2]) n += 2 * w; /* AT_NULL */
    send_part(g, raw, n, off, len);
}

static void xfer_siginfo(struct gdb *g, uint64_t off, uint64_t len)
{
    uint8_t raw[128];
    struct gdb_thread *th = gdb_current(g);
    if (!th || !th->has_info) {
        error(g, ENOENT);
        return;
    }
    siginfo_to_guest(g->p, raw, &th->info);
    send_part(g, raw, sizeof raw, off, len);
}

/* qXfer:object:read:annex:offset,length */
static void cmd_xfer(struct gdb *g, const char *s, size_t len)
{
    const char *object = s + 1, *annex = strstr(s, ":read:"), *range = annex ? strchr(annex + 6, ':') : NULL;
    uint64_t off, n;
    if (*s != ':' || !annex || annex < object) return;
    if (!range || (range++, !range_arg(&range, &off, &n))) {
        error(g, EINVAL);
        return;
    }
    size_t olen = (size_t)(annex - object);
    annex += 6;
#define IS(name) (olen == sizeof name - 1 && !memcmp(object, name, olen))
    if (IS("features")) {
        if (strncmp(annex, "target.xml:", 11))
            gdb_puts(&g->out, "E00");
        else
            send_part(g, g->regs.xml, g->regs.xml_len, off, n);
    } else if (IS("auxv")) {
        xfer_auxv(g, off, n);
    } else if (IS("exec-file")) {
        send_part(g, g->p->exe, strlen(g->p->exe), off, n);
    } else if (IS("siginfo")) {
        xfer_siginfo(g, off, n);
    }
#undef IS
}

/* --- monitor commands ------------------------------------------------------------------------------------------------------------------- */
static void monitor_registers(struct gdb *g, FILE *f)
{
    uint8_t buf[GDB_REG_MAX];
    CPU *cpu = cpu_of(g);
    for (unsigned i = 0; cpu && i < g->regs.n; i++) {
        size_t n = gdb_reg_read(&g->regs, cpu, i, buf);
        fprintf(f, "%-8s 0x", g->regs.reg[i].row->name);
        for (size_t k = 0; k < n; k++) fprintf(f, "%02x", buf[g->p->big ? k : n - 1 - k]);
        fprintf(f, i % 2 && n < 16 ? "\n" : n < 16 ? "   " : "\n");
    }
    fputc('\n', f);
}

static void monitor_status(struct gdb *g, FILE *f)
{
    unsigned n = 0;
    struct engine_stats st;
    for (struct gdb_thread *th = g->threads; th; th = th->next) n++;
    engine_get_stats(g->engine, &st);
    fprintf(f, "guest %s, process %d, %u threads, %u breakpoints, %llu regions translated\n", g->p->guest->name, g->pid, n, g->nbps,
            (unsigned long long)st.regions);
}

static void cmd_monitor(struct gdb *g, const char *s, size_t len)
{
    char line[128], *text = NULL;
    size_t size = 0;
    if (!gdb_skip(&s, ',')) {
        error(g, EINVAL);
        return;
    }
    line[gdb_hex_bytes(&s, line, sizeof line - 1)] = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) {
        error(g, ENOMEM);
        return;
    }
    if (!strcmp(line, "info registers"))
        monitor_registers(g, f);
    else if (!strcmp(line, "info status"))
        monitor_status(g, f);
    else
        fprintf(f, "%smonitor commands: help, info registers, info status\n", strcmp(line, "help") ? "unknown command; " : "");
    fclose(f);
    if (text) gdb_put_hex(&g->out, text, MIN(size, (size_t)GDB_PACKET / 2 - 8));
    free(text);
}

/* --- the table ---------------------------------------------------------------------------------------------------------------------------- */
static void cmd_extended(struct gdb *g, const char *s, size_t len)
{
    ok(g); /* extended-remote: of what it adds there is only that the listener stays after a detach, which it does anyway */
}

static void cmd_symbol(struct gdb *g, const char *s, size_t len)
{
    ok(g); /* no symbol is asked for */
}

static const struct command {
    const char *name;
    void (*fn)(struct gdb *g, const char *args, size_t len); /* args: what follows the name */
} commands[] = {
    { "?", cmd_why }, { "g", cmd_read_regs }, { "G", cmd_write_regs }, { "p", cmd_read_reg }, { "P", cmd_write_reg },
    { "m", cmd_read_mem }, { "M", cmd_write_mem }, { "X", cmd_write_binary }, { "H", cmd_select }, { "T", cmd_alive },
    { "c", cmd_continue }, { "C", cmd_continue_sig }, { "s", cmd_step }, { "S", cmd_step_sig }, { "D", cmd_detach },
    { "k", cmd_kill }, { "Z", cmd_set_break }, { "z", cmd_clear_break },
    { "vCont?", cmd_vcont_query }, { "vCont", cmd_vcont }, { "vKill", cmd_vkill }, { "vFile:", gdb_file_command },
    { "qSupported", cmd_supported }, { "qAttached", cmd_attached }, { "qC", cmd_current }, { "qfThreadInfo", cmd_threads_first },
    { "qsThreadInfo", cmd_threads_more }, { "qThreadExtraInfo", cmd_thread_info }, { "qGetTLSAddr", cmd_tls_address }, { "qXfer", cmd_xfer }, { "qRcmd", cmd_monitor },
    { "qSymbol", cmd_symbol }, { "QStartNoAckMode", cmd_no_ack }, { "QPassSignals", cmd_pass_signals },
    { "QCatchSyscalls", cmd_catch_syscalls }, { "!", cmd_extended },
};

void gdb_command(struct gdb *g)
{
    const char *s = g->in.data;
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        const char *name = commands[i].name;
        size_t n = strlen(name);
        if (n > g->in.len || memcmp(s, name, n)) continue;
        /* a long name has to end here */
        char next = s[n];
        bool word = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
        if (n > 1 && name[n - 1] != ':' && word) continue;
        commands[i].fn(g, s + n, g->in.len - n);
        return;
    }
    /* an empty reply: not supported */
}
