/*
 * gdbstub.c: GDB's remote serial protocol for a machine: CPUs are threads of one process, memory is what the selected CPU's MMU shows.
 * GDB's manual, appendix "Remote Protocol". Everything runs on the loop's thread; the machine stands still while the debugger looks at it.
 *
 * Z0 and Z1 are the engine's breakpoints by virtual address; Z2 to Z4 stop before the access. A CPU that stands at a breakpoint or at an
 * access that is watched goes over it by a step of its own before the machine runs on.
 * Known gaps: reverse execution (no record and replay yet), several processes (address spaces) as gdb inferiors, file transfer.
 */
#include "sys/gdbstub.h"

#include <stdio.h>
#include <stdlib.h>
#include "control/gdb_packet.h"
#include "control/gdb_regs.h"

enum { WATCHES = 16, BREAKS = 4096, TEXT = 0x1000 };
enum { SIG_INT = 2, SIG_TRAP = 5 };
enum goal { GOAL_NONE, GOAL_CONT, GOAL_STEP };

struct gdb_machine {
    struct machine *m;
    struct chr_fe *fe;
    void (*command)(void *ctx, const char *line, void (*out)(void *to, const char *text), void *to);
    void *command_ctx;
    struct gdb_regs regs;
    struct gdb_in in;
    struct gdb_out out;
    bool noack, multi, connected;
    bool phys;                    /* memory packets mean physical addresses (Qqemu.PhyMemMode) */
    unsigned g_cpu, c_cpu;        /* Hg, Hc; c_cpu = ~0: all */
    uint64_t *bps;
    uint32_t nbps, cap_bps;
    struct cpu_watch watch[WATCHES];
    char watch_type[WATCHES];
    unsigned nwatch;
    /* while it runs */
    enum goal goal;               /* what the debugger asked for; GOAL_NONE: the machine stands */
    unsigned stepper;             /* the CPU that steps, ~0: none */
    bool step_over;               /* and that is only to get off a breakpoint: then all go on */
    unsigned next_thread;         /* qsThreadInfo */
};

static CPU *cpu_of(struct gdb_machine *g, unsigned i)
{
    return machine_cpu(g->m, i < g->m->ncpus ? i : 0);
}

/* --- replies ------------------------------------------------------------------------------------------------------------ */

static void send(struct gdb_machine *g)
{
    gdb_out_end(&g->out);
    chr_write_all(g->fe, g->out.data, g->out.len);
}

static void put_thread(struct gdb_machine *g, unsigned cpu)
{
    gdb_putf(&g->out, g->multi ? "p01.%02x" : "%02x", cpu + 1);
}

static void stop_reply(struct gdb_machine *g, unsigned cpu, unsigned sig, const struct cpu_watch *w)
{
    g->g_cpu = g->c_cpu = cpu;
    gdb_putf(&g->out, "T%02xthread:", sig);
    put_thread(g, cpu);
    gdb_puts(&g->out, ";");
    if (!w) return;
    char type = g->watch_type[w - g->watch];
    gdb_putf(&g->out, "%swatch:%llx;", type == '2' ? "" : type == '3' ? "r" : "a", (unsigned long long)w->addr);
}

/* --- running and stopping --------------------------------------------------------------------------------------------------- */

static bool at_breakpoint(const struct gdb_machine *g, const CPU *cpu)
{
    for (uint32_t i = 0; i < g->nbps; i++)
        if (g->bps[i] == cpu->pc) return true;
    return false;
}

static void run_machine(struct gdb_machine *g)
{
    for (unsigned i = 0; i < g->m->ncpus; i++) {
        bool steps = g->stepper == i;
        struct vcpu *v = machine_cpu(g->m, i)->v;
        v->single_step = steps;
        v->watch_pass = steps && g->step_over;
        v->watch_hit = NULL;
        machine_cpu_hold(g->m, i, g->stepper != ~0u && !steps);
    }
    machine_start(g->m);
}

/* Goes on with the goal. A CPU that stands where it would stop again at once is stepped alone first. */
static void resume(struct gdb_machine *g)
{
    g->stepper = ~0u;
    g->step_over = false;
    if (g->goal == GOAL_STEP) {
        g->stepper = g->c_cpu < g->m->ncpus ? g->c_cpu : 0;
        g->step_over = machine_cpu(g->m, g->stepper)->v->watch_hit != NULL;
    } else {
        for (unsigned i = 0; i < g->m->ncpus && g->stepper == ~0u; i++) {
            CPU *cpu = machine_cpu(g->m, i);
            if (!at_breakpoint(g, cpu) && !cpu->v->watch_hit) continue;
            g->stepper = i;
            g->step_over = true;
        }
    }
    run_machine(g);
}

static void release_cpus(struct gdb_machine *g)
{
    for (unsigned i = 0; i < g->m->ncpus; i++) {
        struct vcpu *v = machine_cpu(g->m, i)->v;
        v->single_step = v->watch_pass = false;
        machine_cpu_hold(g->m, i, false);
    }
}

/* A CPU came to a breakpoint, a watched access or the end of a step; the machine stands. */
static void on_debug(void *ctx, CPU *cpu)
{
    struct gdb_machine *g = ctx;
    struct vcpu *v = cpu->v;
    const struct cpu_watch *w = v->exc_code == EXD_WATCH ? v->watch_hit : NULL;
    bool over = g->step_over && g->stepper == v->index;
    release_cpus(g);
    if (over && !w && g->goal == GOAL_CONT) {
        v->watch_hit = NULL;
        g->stepper = ~0u;
        g->step_over = false;
        if (!at_breakpoint(g, cpu)) {
            resume(g);
            return;
        }
    }
    if (!g->connected) {
        machine_start(g->m);
        return;
    }
    g->goal = GOAL_NONE;
    gdb_out_begin(&g->out);
    stop_reply(g, v->index, SIG_TRAP, w);
    send(g);
}

static void interrupt(struct gdb_machine *g)
{
    if (g->goal == GOAL_NONE) return;
    machine_pause(g->m, RUN_DEBUG);
    release_cpus(g);
    g->goal = GOAL_NONE;
    gdb_out_begin(&g->out);
    stop_reply(g, g->c_cpu < g->m->ncpus ? g->c_cpu : 0, SIG_INT, NULL);
    send(g);
}

/* --- breakpoints, watchpoints -------------------------------------------------------------------------------------------------- */

static void watches_changed(struct gdb_machine *g)
{
    for (unsigned i = 0; i < g->m->ncpus; i++) {
        struct vcpu *v = machine_cpu(g->m, i)->v;
        v->watch = g->watch;
        v->nwatch = g->nwatch;
        v->watch_hit = NULL;
    }
    engine_watch_changed(g->m->engine);
}

static int set_break(struct gdb_machine *g, uint64_t pc, bool set)
{
    uint32_t i = 0;
    while (i < g->nbps && g->bps[i] != pc) i++;
    if (set == (i < g->nbps)) return 0;
    if (set) {
        if (g->nbps == BREAKS) return -ENOSPC;
        g->bps = vec_grow(g->bps, &g->cap_bps, g->nbps + 1, sizeof *g->bps);
        g->bps[g->nbps++] = pc;
    } else {
        g->bps[i] = g->bps[--g->nbps];
    }
    return engine_breakpoint(g->m->engine, pc, set);
}

static int set_watch(struct gdb_machine *g, char type, uint64_t addr, uint64_t len, bool set)
{
    unsigned i = 0;
    while (i < g->nwatch && (g->watch[i].addr != addr || g->watch[i].len != len || g->watch_type[i] != type)) i++;
    if (set == (i < g->nwatch)) return 0;
    if (set) {
        if (g->nwatch == WATCHES || !len || addr + len - 1 < addr) return -ENOSPC;
        g->watch[i] = (struct cpu_watch){ addr, len, type == '2' ? CW_WRITE : type == '3' ? CW_READ : CW_READ | CW_WRITE };
        g->watch_type[i] = type;
        g->nwatch++;
    } else {
        g->nwatch--;
        g->watch[i] = g->watch[g->nwatch];
        g->watch_type[i] = g->watch_type[g->nwatch];
    }
    watches_changed(g);
    return 0;
}

/* Nothing of the debugger is left in the machine. */
static void forget(struct gdb_machine *g)
{
    while (g->nbps) set_break(g, g->bps[0], false);
    if (g->nwatch) {
        g->nwatch = 0;
        watches_changed(g);
    }
    release_cpus(g);
    g->stepper = ~0u;
    g->step_over = g->phys = g->multi = g->noack = false;
    g->g_cpu = 0;
    g->c_cpu = ~0u;
}

static void detach(struct gdb_machine *g)
{
    forget(g);
    g->goal = GOAL_CONT;
    machine_start(g->m);
}

/* --- commands: each writes its reply; false: no reply now ------------------------------------------------------------------------ */

/* "p1.2", "p1.-1", "2", "-1", "0"; ~0 = all or any. False: not ours. */
static bool thread_arg(struct gdb_machine *g, const char **s, unsigned *cpu)
{
    uint64_t v;
    *cpu = ~0u;
    if (gdb_skip(s, 'p')) {
        if (!gdb_skip(s, '-')) {
            if (!gdb_hex(s, &v) || v > 1) return false;
        } else if (!gdb_hex(s, &v)) {
            return false;
        }
        if (!gdb_skip(s, '.')) return true;
    }
    if (gdb_skip(s, '-')) return gdb_hex(s, &v);
    if (!gdb_hex(s, &v) || v > g->m->ncpus) return false;
    if (v) *cpu = (unsigned)v - 1;
    return true;
}

static void error(struct gdb_machine *g, int code)
{
    gdb_putf(&g->out, "E%02x", code & 0xff);
}

static void ok_or(struct gdb_machine *g, bool ok, int code)
{
    if (ok)
        gdb_puts(&g->out, "OK");
    else
        error(g, code);
}

static void read_regs(struct gdb_machine *g)
{
    uint8_t buf[GDB_REG_MAX];
    for (unsigned i = 0; i < g->regs.n; i++) {
        /* the packet has the first feature's registers, as gdb asks for the others one by one */
        if (strcmp(g->regs.reg[i].row->feature, g->regs.reg[0].row->feature)) break;
        gdb_put_hex(&g->out, buf, gdb_reg_read(&g->regs, cpu_of(g, g->g_cpu), i, buf));
    }
}

static void write_regs(struct gdb_machine *g, const char *s)
{
    uint8_t buf[GDB_REG_MAX];
    for (unsigned i = 0; i < g->regs.n && *s; i++) {
        size_t n = gdb_reg_size(&g->regs, i);
        if (gdb_hex_bytes(&s, buf, n) != n) {
            error(g, EINVAL);
            return;
        }
        gdb_reg_write(&g->regs, cpu_of(g, g->g_cpu), i, buf);
    }
    gdb_puts(&g->out, "OK");
}

static void one_reg(struct gdb_machine *g, const char *s, bool write)
{
    uint8_t buf[GDB_REG_MAX];
    uint64_t n;
    if (!gdb_hex(&s, &n) || n >= g->regs.n) {
        error(g, EINVAL);
        return;
    }
    CPU *cpu = cpu_of(g, g->g_cpu);
    if (!write) {
        gdb_put_hex(&g->out, buf, gdb_reg_read(&g->regs, cpu, (unsigned)n, buf));
        return;
    }
    size_t size = gdb_reg_size(&g->regs, (unsigned)n);
    bool ok = gdb_skip(&s, '=') && gdb_hex_bytes(&s, buf, size) == size;
    if (ok) gdb_reg_write(&g->regs, cpu, (unsigned)n, buf);
    ok_or(g, ok, EINVAL);
}

static size_t access_memory(struct gdb_machine *g, uint64_t addr, void *buf, size_t len, bool write)
{
    CPU *cpu = cpu_of(g, g->g_cpu);
    if (!g->phys) return soft_debug(cpu, addr, buf, len, write);
    return write ? space_write(cpu->v->space, addr, buf, len, true) : space_read(cpu->v->space, addr, buf, len);
}

static void memory(struct gdb_machine *g, char kind, const char *s, const char *end)
{
    uint8_t buf[GDB_PACKET / 2];
    uint64_t addr, len;
    if (!gdb_hex(&s, &addr) || !gdb_skip(&s, ',') || !gdb_hex(&s, &len) || len > sizeof buf) {
        error(g, EINVAL);
        return;
    }
    if (kind == 'm') {
        size_t got = access_memory(g, addr, buf, len, false);
        if (len && !got)
            error(g, EFAULT);
        else
            gdb_put_hex(&g->out, buf, got);
        return;
    }
    bool ok = gdb_skip(&s, ':');
    if (kind == 'M')
        ok = ok && gdb_hex_bytes(&s, buf, len) == len;
    else if (ok && (size_t)(end - s) >= len)
        memcpy(buf, s, len);
    else
        ok = false;
    ok_or(g, ok && access_memory(g, addr, buf, len, true) == len, EFAULT);
}

static void point(struct gdb_machine *g, const char *s, bool set)
{
    uint64_t addr, len;
    char type = *s++;
    if (!gdb_skip(&s, ',') || !gdb_hex(&s, &addr) || !gdb_skip(&s, ',') || !gdb_hex(&s, &len)) {
        error(g, EINVAL);
        return;
    }
    if (type > '4') return; /* not known: an empty reply */
    int ret = type <= '1' ? set_break(g, addr, set) : set_watch(g, type, addr, len, set);
    ok_or(g, !ret, ret ? -ret : 0);
}

/* vCont;action:thread;...: one CPU steps, or all go on. */
static bool v_cont(struct gdb_machine *g, const char *s)
{
    enum goal goal = GOAL_NONE;
    unsigned who = ~0u;
    while (gdb_skip(&s, ';')) {
        char action = *s ? *s++ : 0;
        uint64_t sig;
        unsigned cpu = ~0u;
        if (action == 'C' || action == 'S') gdb_hex(&s, &sig);
        if (gdb_skip(&s, ':') && !thread_arg(g, &s, &cpu)) action = 0;
        if (action == 's' || action == 'S') {
            if (goal != GOAL_STEP) goal = GOAL_STEP, who = cpu == ~0u ? g->g_cpu : cpu;
        } else if (action == 'c' || action == 'C') {
            if (goal == GOAL_NONE) goal = GOAL_CONT;
        } else {
            error(g, EINVAL);
            return true;
        }
    }
    if (goal == GOAL_NONE) return true;
    g->goal = goal;
    if (goal == GOAL_STEP) g->c_cpu = who;
    resume(g);
    return false;
}

static bool go(struct gdb_machine *g, const char *s, enum goal goal)
{
    uint64_t pc;
    if (gdb_hex(&s, &pc)) cpu_of(g, g->c_cpu)->pc = pc;
    g->goal = goal;
    resume(g);
    return false;
}

static void next_threads(struct gdb_machine *g, bool first)
{
    if (first) g->next_thread = 0;
    if (g->next_thread == g->m->ncpus) {
        gdb_puts(&g->out, "l");
        return;
    }
    gdb_puts(&g->out, "m");
    for (bool comma = false; g->next_thread < g->m->ncpus && gdb_out_room(&g->out) > 32; comma = true) {
        if (comma) gdb_puts(&g->out, ",");
        put_thread(g, g->next_thread++);
    }
}

static void extra_info(struct gdb_machine *g, const char *s)
{
    char text[64];
    unsigned cpu;
    if (!thread_arg(g, &s, &cpu) || cpu == ~0u) {
        error(g, EINVAL);
        return;
    }
    int n = snprintf(text, sizeof text, "CPU#%u [%s]", cpu, !machine_cpu_on(g->m, cpu) ? "off" : machine_cpu_halted(g->m, cpu) ? "halted " : "running");
    gdb_put_hex(&g->out, text, (size_t)n);
}

static void put_text(void *to, const char *text)
{
    struct gdb_machine *g = to;
    for (size_t len = strlen(text); len;) {
        size_t n = MIN(len, (size_t)TEXT);
        gdb_out_begin(&g->out);
        gdb_puts(&g->out, "O");
        gdb_put_hex(&g->out, text, n);
        send(g);
        text += n, len -= n;
    }
}

static bool monitor_line(struct gdb_machine *g, const char *s)
{
    char line[TEXT + 1];
    size_t n = gdb_hex_bytes(&s, line, TEXT);
    if (!g->command) {
        error(g, ENOSYS);
        return true;
    }
    line[n] = 0;
    g->command(g->command_ctx, line, put_text, g);
    gdb_out_begin(&g->out);
    gdb_puts(&g->out, "OK");
    return true;
}

static void transfer(struct gdb_machine *g, const char *s)
{
    uint64_t off, len;
    static const char object[] = "features:read:target.xml:";
    if (strncmp(s, object, sizeof object - 1)) return;
    s += sizeof object - 1;
    if (!gdb_hex(&s, &off) || !gdb_skip(&s, ',') || !gdb_hex(&s, &len)) {
        error(g, EINVAL);
        return;
    }
    if (off >= g->regs.xml_len) {
        gdb_puts(&g->out, "l");
        return;
    }
    size_t n = MIN(MIN(len, g->regs.xml_len - off), gdb_out_room(&g->out) - 1);
    gdb_puts(&g->out, off + n < g->regs.xml_len ? "m" : "l");
    gdb_put(&g->out, g->regs.xml + off, n);
}

static bool begins(const char **s, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*s, word, n)) return false;
    *s += n;
    return true;
}

static bool query(struct gdb_machine *g, const char *s)
{
    if (begins(&s, "Supported")) {
        g->multi = strstr(s, "multiprocess+") != NULL;
        gdb_putf(&g->out, "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+;multiprocess+", GDB_PACKET);
    } else if (begins(&s, "Xfer:")) {
        transfer(g, s);
    } else if (begins(&s, "fThreadInfo")) {
        next_threads(g, true);
    } else if (begins(&s, "sThreadInfo")) {
        next_threads(g, false);
    } else if (begins(&s, "ThreadExtraInfo,")) {
        extra_info(g, s);
    } else if (begins(&s, "Attached")) {
        gdb_puts(&g->out, "1");
    } else if (begins(&s, "Rcmd,")) {
        return monitor_line(g, s);
    } else if (begins(&s, "qemu.PhyMemMode")) {
        gdb_puts(&g->out, g->phys ? "1" : "0");
    } else if (!strcmp(s, "C")) {
        gdb_puts(&g->out, "QC");
        put_thread(g, g->g_cpu);
    }
    return true;
}

static void set(struct gdb_machine *g, const char *s)
{
    if (begins(&s, "StartNoAckMode")) {
        g->noack = true;
        gdb_puts(&g->out, "OK");
    } else if (begins(&s, "qemu.PhyMemMode:")) {
        g->phys = *s == '1';
        gdb_puts(&g->out, "OK");
    }
}

static bool v_packet(struct gdb_machine *g, const char *s)
{
    if (begins(&s, "Cont?")) {
        gdb_puts(&g->out, "vCont;c;C;s;S");
    } else if (begins(&s, "Cont")) {
        return v_cont(g, s);
    } else if (begins(&s, "Kill")) {
        gdb_puts(&g->out, "OK");
        machine_request(g->m, BOARD_SHUTDOWN, 0);
    } else if (begins(&s, "Attach;")) {
        stop_reply(g, g->g_cpu, SIG_TRAP, NULL);
    }
    return true;
}

/* The packet in g->in. False: the reply comes when the machine stops. */
static bool command(struct gdb_machine *g)
{
    const char *s = g->in.data, *end = s + g->in.len;
    unsigned cpu;
    char c = *s ? *s++ : 0, which;
    switch (c) {
    case '?': stop_reply(g, g->g_cpu, SIG_TRAP, NULL); break;
    case 'q': return query(g, s);
    case 'Q': set(g, s); break;
    case 'v': return v_packet(g, s);
    case 'g': read_regs(g); break;
    case 'G': write_regs(g, s); break;
    case 'p': one_reg(g, s, false); break;
    case 'P': one_reg(g, s, true); break;
    case 'm':
    case 'M':
    case 'X': memory(g, c, s, end); break;
    case 'Z': point(g, s, true); break;
    case 'z': point(g, s, false); break;
    case 'c': return go(g, s, GOAL_CONT);
    case 's': return go(g, s, GOAL_STEP);
    case 'C':
    case 'S': {
        uint64_t sig;
        gdb_hex(&s, &sig);
        gdb_skip(&s, ';');
        return go(g, s, c == 'C' ? GOAL_CONT : GOAL_STEP);
    }
    case 'H':
        which = *s ? *s++ : 0;
        if (!thread_arg(g, &s, &cpu)) {
            error(g, EINVAL);
            break;
        }
        if (which == 'c') g->c_cpu = cpu;
        else g->g_cpu = cpu == ~0u ? 0 : cpu;
        gdb_puts(&g->out, "OK");
        break;
    case 'T': ok_or(g, thread_arg(g, &s, &cpu), EINVAL); break;
    case 'D':
        gdb_puts(&g->out, "OK");
        detach(g);
        break;
    case 'k': machine_request(g->m, BOARD_SHUTDOWN, 0); return false;
    }
    return true;
}

/* --- the connection ------------------------------------------------------------------------------------------------------------ */

static void packet(struct gdb_machine *g)
{
    if (!g->noack) chr_write_all(g->fe, "+", 1);
    if (g->goal != GOAL_NONE) interrupt(g); /* a client that does not wait: as if it had asked to stop */
    gdb_out_begin(&g->out);
    if (command(g)) send(g);
}

static void recv(void *ctx, const uint8_t *buf, size_t len)
{
    struct gdb_machine *g = ctx;
    for (size_t i = 0; i < len && g->connected; i++) {
        switch (gdb_in_byte(&g->in, buf[i])) {
        case GE_PACKET: packet(g); break;
        case GE_INTERRUPT: interrupt(g); break;
        case GE_BAD:
        case GE_LONG:
            if (!g->noack) chr_write_all(g->fe, "-", 1);
            break;
        case GE_NAK:
            if (!g->noack) chr_write_all(g->fe, g->out.data, g->out.len);
            break;
        default: break;
        }
    }
}

static void event(void *ctx, enum chr_event ev)
{
    struct gdb_machine *g = ctx;
    if (ev == CHR_OPENED) {
        forget(g);
        g->connected = true;
        g->goal = GOAL_NONE;
        memset(&g->in, 0, sizeof g->in);
        machine_pause(g->m, RUN_DEBUG);
    } else if (ev == CHR_CLOSED && g->connected) {
        g->connected = false;
        detach(g);
    }
}

struct gdb_machine *gdb_machine_new(struct machine *m, struct chr *chr,
                                    void (*command_fn)(void *ctx, const char *line, void (*out)(void *to, const char *text), void *to),
                                    void *ctx, struct err *e)
{
    static const struct chr_client client = { .recv = recv, .event = event };
    struct gdb_machine *g = xalloc(sizeof *g);
    g->m = m;
    g->command = command_fn;
    g->command_ctx = ctx;
    g->stepper = g->c_cpu = ~0u;
    g->goal = GOAL_CONT;
    if (gdb_regs_init(&g->regs, machine_cpu(m, 0), e)) {
        free(g);
        return NULL;
    }
    m->on_debug = on_debug;
    m->on_debug_ctx = g;
    g->fe = chr_attach(chr, &client, g, e);
    if (!g->fe) {
        gdb_machine_free(g);
        return NULL;
    }
    return g;
}

void gdb_machine_exit(struct gdb_machine *g, int status)
{
    if (!g || !g->connected) return;
    gdb_out_begin(&g->out);
    gdb_putf(&g->out, "W%02x", status & 0xff);
    send(g);
}

void gdb_machine_free(struct gdb_machine *g)
{
    if (!g) return;
    if (g->fe) chr_detach(g->fe);
    g->m->on_debug = NULL;
    gdb_regs_done(&g->regs);
    free(g->bps);
    free(g);
}
