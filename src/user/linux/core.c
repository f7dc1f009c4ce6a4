/*
 * core.c: the core file of a guest that dies by a signal, as the guest's kernel would write it: ELF notes with the threads'
 * registers, then the memory that no file holds. Written only where RLIMIT_CORE allows, to
 * lyre_PROGRAM_DATE-TIME_PID.core in the working directory. The wait status does not say "core dumped": the host would have to
 * dump the emulator for that.
 * References: core(5), linux/elfcore.h, asm/ptrace.h of the guests.
 */
#include "user/linux/user.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "user/linux/kernel.h"

enum { PAGE = 4096, STOP_MS = 200 };

struct notes {
    uint8_t *b;
    uint32_t len, cap;
};

struct segment {
    uint64_t start, end;
    unsigned flags;
    bool saved; /* its contents are in the file */
};

struct core {
    struct task *t;
    int fd;
    uint64_t at, limit;
    struct segment *seg;
    uint32_t nseg, cap;
};

static void *room(struct notes *n, size_t size)
{
    size_t end = ALIGN_UP((size_t)n->len + size, 4ul);
    n->b = vec_grow(n->b, &n->cap, (uint32_t)end, 1);
    void *p = n->b + n->len;
    memset(p, 0, end - n->len);
    n->len = (uint32_t)end;
    return p;
}

static void note(struct notes *n, const struct proc *p, uint32_t type, const void *desc, size_t size)
{
    static const char name[] = "CORE";
    uint8_t *h = room(n, 12);
    put_raw(p, h, 4, sizeof name);
    put_raw(p, h + 4, 4, size);
    put_raw(p, h + 8, 4, type);
    memcpy(room(n, sizeof name), name, sizeof name);
    memcpy(room(n, size), desc, size);
}

/* NT_PRSTATUS and NT_FPREGSET of one thread. */
static void thread_notes(struct notes *n, const struct task *t, int sig)
{
    const struct proc *p = t->p;
    uint8_t desc[1024], regs[CORE_REGS_MAX];
    size_t head = lay_size(p, &lay_prstatus), size;
    struct k_prstatus st = { .signo = sig, .cursig = (int16_t)sig, .hold = t->mask, .pid = t->tid, .ppid = getppid(),
                             .pgrp = getpgrp(), .sid = getsid(0) };
    lay_encode(p, &lay_prstatus, desc, &st);
    size = p->lnx->core_regs(t->cpu, false, desc + head);
    put_raw(p, desc + head + size, 4, 1); /* pr_fpvalid */
    note(n, p, NT_PRSTATUS, desc, ALIGN_UP(head + size + 4, (size_t)p->word));
    size = p->lnx->core_regs(t->cpu, true, regs);
    note(n, p, NT_FPREGSET, regs, size);
}

static void process_notes(struct notes *n, const struct task *t, int sig)
{
    const struct proc *p = t->p;
    uint8_t b[ARRAY_LEN(p->auxv) * 8];
    const char *base = strrchr(p->exe, '/');
    struct k_prpsinfo info = { .sname = 'R', .uid = getuid(), .gid = getgid(), .pid = getpid(), .ppid = getppid(),
                               .pgrp = getpgrp(), .sid = getsid(0) };
    snprintf(info.fname, sizeof info.fname, "%.15s", base ? base + 1 : p->exe);
    size_t args = MIN(p->arg_end - p->arg_start, sizeof info.args - 1);
    if (gmem_read(p->mem, info.args, p->arg_start, args, NULL) < 0) info.args[0] = 0;
    for (size_t i = 0; i + 1 < args; i++)
        if (!info.args[i]) info.args[i] = ' ';
    lay_encode(p, &lay_prpsinfo, b, &info);
    note(n, p, NT_PRPSINFO, b, lay_size(p, &lay_prpsinfo));
    for (unsigned i = 0; i < p->nauxv; i++) put_raw(p, b + i * p->word, p->word, p->auxv[i]);
    note(n, p, NT_AUXV, b, p->nauxv * p->word);
    thread_notes(n, t, sig);
    for (const struct task *o = p->tasks; o; o = o->next)
        if (o != t) thread_notes(n, o, 0);
}

static int add_segment(void *ctx, uint64_t start, uint64_t end, unsigned flags)
{
    struct core *c = ctx;
    c->seg = vec_grow(c->seg, &c->cap, c->nseg + 1, sizeof *c->seg);
    bool of_file = !(flags & GP_ANON) && (flags & GP_SHARED || !(flags & GP_WRITE));
    bool saved = (flags & GP_READ) && !of_file;
    c->seg[c->nseg++] = (struct segment){ start, end, flags, saved };
    return c->nseg == PN_XNUM - 2;
}

/* False: no more may be written. */
static bool out(struct core *c, const void *p, size_t n, uint64_t at)
{
    return at + n <= c->limit && pwrite(c->fd, p, n, (off_t)at) == (ssize_t)n;
}

static bool put_headers(struct core *c, const struct notes *n)
{
    const struct proc *p = c->t->p;
    bool w = p->word == 8;
    size_t eh = w ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr), ph = w ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    size_t size = eh + ph * (c->nseg + 1);
    uint8_t *b = xalloc(size);
    const struct { uint8_t at64, at32, size; uint32_t v; } head[] = {
        { 16, 16, 2, ET_CORE }, { 18, 18, 2, p->guest->elf_machine }, { 20, 20, 4, EV_CURRENT }, { 32, 28, 0, (uint32_t)eh },
        { 48, 36, 4, p->image.elf_flags }, { 52, 40, 2, (uint32_t)eh }, { 54, 42, 2, (uint32_t)ph }, { 56, 44, 2, c->nseg + 1 },
    };
    memcpy(b, ELFMAG, SELFMAG);
    b[EI_CLASS] = p->guest->elf_class;
    b[EI_DATA] = p->big ? ELFDATA2MSB : ELFDATA2LSB;
    b[EI_VERSION] = EV_CURRENT;
    for (size_t i = 0; i < ARRAY_LEN(head); i++)
        put_raw(p, b + (w ? head[i].at64 : head[i].at32), head[i].size ? head[i].size : p->word, head[i].v);
    uint64_t at = ALIGN_UP(size + n->len, (size_t)PAGE);
    for (uint32_t i = 0; i <= c->nseg; i++) {
        const struct segment *s = i ? &c->seg[i - 1] : NULL;
        uint64_t len = s ? s->end - s->start : 0, in_file = s ? s->saved ? len : 0 : n->len, f = s ? s->flags : 0;
        uint32_t bits = (f & GP_READ ? PF_R : 0) | (f & GP_WRITE ? PF_W : 0) | (f & GP_EXEC ? PF_X : 0);
        /* the order of fields in a header, 64 and 32 bit */
        const uint64_t v64[] = { s ? at : size, s ? s->start : 0, 0, in_file, len, s ? PAGE : 4 };
        uint8_t *q = b + eh + i * ph;
        put_raw(p, q, 4, s ? PT_LOAD : PT_NOTE);
        put_raw(p, q + (w ? 4 : 24), 4, bits);
        for (unsigned k = 0; k < 6; k++) put_raw(p, q + (w ? 8 + 8 * k : k < 5 ? 4 + 4 * k : 28), p->word, v64[k]);
        if (s) at += in_file;
    }
    bool ok = out(c, b, size, 0) && out(c, n->b, n->len, size);
    c->at = ALIGN_UP(size + n->len, (size_t)PAGE);
    free(b);
    return ok;
}

/* Pages of zeroes are left out: holes. */
static bool put_memory(struct core *c)
{
    static const uint8_t zero[PAGE];
    uint8_t page[PAGE];
    for (uint32_t i = 0; i < c->nseg; i++) {
        const struct segment *s = &c->seg[i];
        if (!s->saved) continue;
        for (uint64_t a = s->start; a < s->end; a += PAGE, c->at += PAGE) {
            if (gmem_read(c->t->p->mem, page, a, PAGE, NULL) < 0 || !memcmp(page, zero, PAGE)) continue;
            if (!out(c, page, PAGE, c->at)) return false;
        }
    }
    return ftruncate(c->fd, (off_t)MIN(c->at, c->limit)) == 0;
}

/* The other threads stop where they are (run.c); those that sleep in the kernel have their registers in place. */
static void stop_others(struct task *t)
{
    struct timespec now, end;
    __atomic_store_n(&t->p->dying, true, __ATOMIC_SEQ_CST);
    for (struct task *o = t->p->tasks; o; o = o->next)
        if (o != t) cpu_kick(o->cpu);
    clock_gettime(CLOCK_MONOTONIC, &end);
    do {
        bool running = false;
        for (struct task *o = t->p->tasks; o; o = o->next) running |= o != t && o->cpu->v->in_code;
        if (!running) return;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - end.tv_sec) * 1000 + (now.tv_nsec - end.tv_nsec) / 1000000 < STOP_MS);
}

static bool is_member(const struct task *t)
{
    for (const struct task *o = t->p->tasks; o; o = o->next)
        if (o == t) return true;
    return false; /* a vfork child: the process that it shares memory with is not dying */
}

static void write_core(struct core *c, int sig)
{
    struct task *t = c->t;
    struct notes n = { 0 };
    char path[NAME_MAX + 1], date[32];
    const char *base = strrchr(t->p->exe, '/');
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
    snprintf(path, sizeof path, "lyre_%.128s_%s_%d.core", base ? base + 1 : t->p->exe, date, (int)getpid());
    c->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (c->fd < 0) return;
    stop_others(t);
    process_notes(&n, t, sig);
    gmem_walk(t->p->mem, add_segment, c);
    if (!put_headers(c, &n) || !put_memory(c)) LOG(LOG_INT, "%s is incomplete\n", path);
    close(c->fd);
    fprintf(stderr, "lyre-%s: uncaught target signal %d (%s) - core dumped\n", t->p->guest->name, sig, strsignal(sig));
    free(n.b);
    free(c->seg);
}

void core_dump(struct task *t, int sig)
{
    static const uint8_t dumps[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS };
    struct rlimit rl;
    struct core c = { .t = t };
    if (!memchr(dumps, sig, sizeof dumps) || !t->p->lnx->core_regs || getrlimit(RLIMIT_CORE, &rl) < 0 || !rl.rlim_cur) return;
    if (prctl(PR_GET_DUMPABLE) != 1) return;
    c.limit = rl.rlim_cur;
    pthread_mutex_lock(&t->p->lock); /* no thread comes or goes any more */
    if (is_member(t)) write_core(&c, sig);
    pthread_mutex_unlock(&t->p->lock);
}
