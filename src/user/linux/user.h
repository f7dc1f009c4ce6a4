/*
 * user.h: what the files of Linux user mode share (floor 5): the process, its threads, struct layouts, the system call table.
 * One process per host process, one host thread per guest thread; word size and byte order of the guest are data.
 */
#ifndef LYRE_USER_LINUX_USER_H
#define LYRE_USER_LINUX_USER_H

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "cpu/guest.h"
#include "cpu/guest_linux.h"
#include "mem/mem.h"
#include "user/linux/options.h"

/* --- process and threads ------------------------------------------------------------------------------------------ */
enum { NSIG_GUEST = 64, FLAG_COLUMNS = 2, LAY_IDS = 128 };

struct sigact {
    uint64_t handler, flags, restorer, mask; /* as the guest gave them; flags are the same on every ABI we know */
};

/* Signal dispositions: shared by threads, copied for a vfork child (which shares all other memory). */
struct sighand {
    struct sigact act[NSIG_GUEST + 1];
};

struct image { /* what the loader made of an ELF file */
    uint64_t base, entry, phdr, brk, lo, hi, interp_base;
    uint32_t phnum, elf_flags;
    bool exec_stack;
};

struct kept_limit {
    bool set; /* by the guest; else the host's holds */
    struct rlimit lim;
};

struct proc {
    const struct guest *guest;
    const struct guest_linux *lnx;
    struct gmem *mem;
    struct engine *engine;
    const struct user_options *opt;
    unsigned word;         /* bytes of a guest long */
    bool big;
    unsigned flag_column;  /* which numbers of a flags table apply */
    pthread_mutex_t lock;  /* brk, thread list, attached segments; held across fork */
    uint64_t brk_start, brk_now, brk_mapped;
    uint64_t stack_lo, stack_hi, vdso, vdso_end, sigreturn, sysinfo;
    uint64_t arg_start, arg_end, env_start, env_end;
    struct image image;
    char exe[PATH_MAX];    /* what /proc/self/exe names */
    int exe_fd;            /* of this emulator, opened before a chroot; -1 */
    int prefix_fd;         /* -L directory, -1 = none */
    char prefix[PATH_MAX]; /* its real path */
    uint64_t auxv[64];
    unsigned nauxv;
    uint64_t stack_size;
    struct kept_limit limit[RLIM_NLIMITS];
    struct task *tasks;
    struct shm_seg *shm;
    uint32_t lay_shape[LAY_IDS]; /* layout.c: by layout's id; atomic, 0 = not known yet */
    pthread_mutex_t semi_lock; /* semihosting: made by the first call */
    struct user_semi *semi;
    bool strace;
    bool dying;            /* a thread writes the core file: the others stay where they are; atomic */
};

/* A signal caught by the host handler and not yet delivered. */
struct caught {
    int sig;
    siginfo_t info;
};

struct task {
    CPU *cpu;
    struct proc *p;
    struct sighand *sigh;
    struct task *next;
    pid_t tid;
    uint64_t clear_tid;            /* guest address, 0 = none */
    uint64_t robust_head, robust_len;
    /* Signals. The host's mask of this thread is the guest's (SIGSEGV and SIGBUS always open), so the kernel queues; once
     * one was caught, all are blocked until it has been delivered. `pending` is what safe_syscall looks at. */
    volatile int pending;          /* SP_* */
    struct caught caught;
    struct caught held[2];         /* SIGSEGV, SIGBUS sent by someone, perhaps blocked by the guest */
    uint64_t mask;                 /* the guest's blocked set */
    uint64_t suspend_mask;         /* in effect during sigsuspend, ppoll ... */
    bool suspended;
    uint64_t alt_sp, alt_size;
    uint32_t alt_flags;
    /* system call being restarted or interrupted */
    bool restart;
    uint64_t sys_nr, sys_arg0;
    bool time32;                   /* the call under way has times of 32 bits */
    struct pass *pass;             /* syscalls.c: what a call passed on to the host points at; NULL until the first */
    bool exiting;                  /* leave task_loop: the thread ends */
    void *exec_mem;                /* argument vectors of an execve under way (a vfork child's are freed by its parent) */
    void *dbg;                     /* the debugger's record of this thread; NULL = not debugged */
};
enum { SP_CAUGHT = 1, SP_HELD = 2, SP_STOP = 4 /* the debugger wants the thread */ };

extern __thread struct task *task_self;

/* Results of a system call handler that are no result. */
enum { SYS_RESTART = -512, SYS_NORET = -513, SYS_AGAIN = -514 /* not begun: a signal came first */ };

void task_loop(struct task *t);                        /* run.c: runs the guest until its thread ends */
_Noreturn void proc_exit(struct task *t, int code);
void proc_stats(struct proc *p);
/* semihost.c: the exception is a semihosting call: true, and it has been made. */
bool semihost_call(struct task *t, enum cpu_exc exc);

/* --- loader.c ------------------------------------------------------------------------------------------------------ */
int load_program(struct proc *p, int fd, const char *path, const char *argv0, char **argv, char **envp, CPU *cpu,
                 struct err *e);
/* Reads the first bytes of a program: which guest runs it. */
enum file_kind { FILE_OTHER, FILE_GUEST, FILE_HOST, FILE_SCRIPT };
enum file_kind file_kind(int fd, const struct guest **g, char *head, size_t head_size);
bool file_is_host(const struct guest *g); /* the host runs programs of this guest, too */

/* --- layout.c: structures of the ABI --------------------------------------------------------------------------------- */
enum lay_type {
    L_U8, L_U16, L_U32, L_U64,
    L_S8, L_S16, L_S32, L_S64,
    L_UW, L_SW,    /* long */
    L_SIGSET,         /* sigset_t: 64 bits, as an array of longs */
    L_ALIGN,       /* alignment of a long, no data */
};
struct lay_field {
    const char *name;   /* NULL = padding */
    uint8_t type, hsize;
    uint16_t hoff, n;   /* n elements */
};
struct layout {
    const char *name;
    uint16_t hsize, nfields;
    const struct lay_field *f;
    const struct layout *w32; /* where 32-bit ABIs have other fields */
    uint16_t id;
    const struct layout *i386, *x86_64; /* where these have others */
    const struct layout *time32; /* for calls with times of 32 bits */
};
size_t lay_size(const struct proc *p, const struct layout *l);
size_t lay_offset(const struct proc *p, const struct layout *l, const char *field);
void lay_decode(const struct proc *p, const struct layout *l, void *host, const void *guest);
void lay_encode(const struct proc *p, const struct layout *l, void *guest, const void *host);
int lay_get(struct task *t, const struct layout *l, void *host, uint64_t addr);
int lay_put(struct task *t, const struct layout *l, uint64_t addr, const void *host);
int lay_get_n(struct task *t, const struct layout *l, void *host, uint64_t addr, size_t n);
int lay_put_n(struct task *t, const struct layout *l, uint64_t addr, const void *host, size_t n);
const struct layout *lay_sigaction(const struct proc *p);
const struct layout *lay_siginfo(int sig, int code);

extern const struct layout lay_old_sigaction, lay_statfs32, lay_stat, lay_stat64, lay_stat32, lay_flock32, lay_statx, lay_statfs, lay_timespec, lay_timespec2, lay_itimerspec, lay_timeval,
    lay_itimerval, lay_rusage, lay_sysinfo, lay_flock, lay_iovec, lay_msghdr, lay_cmsghdr, lay_mmsghdr, lay_epoll_event,
    lay_stack_t, lay_termios, lay_termios2, lay_winsize, lay_rlimit64, lay_rlimit, lay_int, lay_int2, lay_off, lay_word,
    lay_pollfd, lay_sched_param, lay_sched_attr, lay_tms, lay_timex, lay_mq_attr, lay_sigevent, lay_clone_args, lay_utsname, lay_cap_header,
    lay_cap_data, lay_timezone, lay_f_owner, lay_ipc_perm, lay_semid, lay_shmid, lay_msqid, lay_sembuf, lay_open_how,
    lay_id3, lay_linger, lay_ucred, lay_robust, lay_inotify, lay_signalfd, lay_dirent, lay_file_handle, lay_loop_fd,
    lay_siginfo_head, lay_ifconf, lay_word3, lay_utimbuf, lay_futex_waitv, lay_shminfo, lay_seminfo, lay_file_clone_range, lay_mount_attr, lay_prstatus, lay_prpsinfo;

/* Guest mirrors of host structs that hold pointers: pointers are guest addresses. */
struct g_iovec { uint64_t base, len; };
struct g_msghdr { uint64_t name; uint32_t namelen; uint64_t iov, iovlen, control, controllen; uint32_t flags; };
struct g_cmsghdr { uint64_t len; int32_t level, type; };
struct g_mmsghdr { struct g_msghdr hdr; uint32_t len; };
struct g_sigevent { uint64_t value; int32_t signo, notify, tid; };
struct g_clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
struct g_ifconf { int32_t len; uint64_t buf; };
struct g_robust { uint64_t next, offset, pending; };
struct g_futex_waitv { uint64_t val, uaddr; uint32_t flags, reserved; };

int get_uint(struct task *t, uint64_t addr, unsigned size, uint64_t *v);
int put_uint(struct task *t, uint64_t addr, unsigned size, uint64_t v);
int get_bytes(struct task *t, void *dst, uint64_t addr, size_t n);
int put_bytes(struct task *t, uint64_t addr, const void *src, size_t n);
uint64_t get_raw(const struct proc *p, const void *src, unsigned size);
void put_raw(const struct proc *p, void *dst, unsigned size, uint64_t v);
/* A string from the guest into buf[size]: its length or -EFAULT / -ENAMETOOLONG. */
int get_str(struct task *t, char *buf, size_t size, uint64_t addr);

/* --- flags.c ------------------------------------------------------------------------------------------------------- */
struct flag {
    const char *name;
    uint32_t host;
    uint32_t guest[FLAG_COLUMNS]; /* 0 = as the host; columns: asm-generic, arm */
};
struct flags {
    const struct flag *f;
    unsigned n;
    uint32_t mask; /* 0: single bits; else an enumeration under this mask comes first (O_ACCMODE) */
    bool is_enum;  /* names of values, not of bits */
};
uint32_t flags_to_host(const struct proc *p, const struct flags *fl, uint32_t guest);
uint32_t flags_to_guest(const struct proc *p, const struct flags *fl, uint32_t host);
extern const struct flags fl_open, fl_at, fl_prot, fl_map, fl_clone, fl_access, fl_fcntl, fl_futex, fl_sig, fl_sighow, fl_sa,
    fl_af, fl_sock, fl_msg, fl_whence, fl_clock, fl_wait, fl_madv, fl_epoll_op, fl_rlimit, fl_prctl, fl_mremap;

/* --- syscalls.c: the table ------------------------------------------------------------------------------------------- */
enum arg_kind {
    A_END, A_INT, A_UINT, A_SW, A_UW, A_HEX, A_PTR, A_FD, A_ATFD, A_MODE, A_SIG, A_FLAGS, A_ENUM,
    A_PATH, A_PATHW,     /* path looked up under -L first; path taken as it is */
    A_STR, A_IBUF, A_OBUF, /* the length of a buffer is the next argument */
    A_IN, A_OUT, A_IO,   /* struct by layout */
    A_OFF,               /* 64-bit number: two registers on 32-bit guests */
    A_SET,               /* sigset; its size is the next argument */
    A_STRV,              /* argv (strace only) */
};
struct sysarg {
    uint8_t kind;
    const void *ref;
};
struct sysrow {
    const char *name;
    int16_t host;        /* host number, -1 = none */
    uint8_t flags;       /* SF_* */
    int64_t (*fn)(struct task *t, const uint64_t *a); /* NULL: pass on, as the arguments' kinds say */
    struct sysarg arg[6];
};
enum { SF_64 = 1 /* not on 32-bit guests */, SF_32 = 2, SF_HEX = 4 /* result is an address */ };
const struct sysrow *sys_row(const struct proc *p, uint64_t nr);
int64_t sys_dispatch(struct task *t, uint64_t nr, const uint64_t a[6]);
int64_t sys_pass(struct task *t, const struct sysrow *r, const uint64_t *a);
/* A 64-bit argument at register *i (pairs on 32-bit guests); advances *i. */
uint64_t arg_off(const struct proc *p, const uint64_t *a, unsigned *i);
/* Host address of a guest buffer for the kernel's use, or (void *)-1 if the guest may not; NULL for guest NULL. */
void *user_ptr(struct task *t, uint64_t addr, size_t len, unsigned prot);
#define BAD_PTR ((void *)-1)

#define ROW_H(nr, name, fl, ...) int64_t sys_##name(struct task *t, const uint64_t *a);
#define ROW_P(nr, name, fl, ...)
#define ROW_N(nr, name, fl, ...)
#include "user/linux/sys.def"
#include "user/linux/legacy.def"
#undef ROW_H
#undef ROW_P
#undef ROW_N
/* Numbers of the rows, by name. */
enum {
#define ROW_H(nr, name, fl, ...) NR_##name = nr,
#define ROW_P(nr, name, fl, ...) NR_##name = nr,
#define ROW_N(nr, name, fl, ...) NR_##name = nr,
#include "user/linux/sys.def"
#include "user/linux/legacy.def"
#undef ROW_H
#undef ROW_P
#undef ROW_N
    SYS_ROWS = 700
};
/* numbers.c: an ABI's number as one of these, with NR_T32 if its times are 32-bit; -1: it has none of this number. */
enum { NR_T32 = 0x8000 };
int sys_number(const struct proc *p, uint64_t nr);
/* A call in terms of another, by row. */
int64_t sys_call(struct task *t, unsigned row, const uint64_t *a);
/* fs.c: shared with legacy.c. */
int64_t select_call(struct task *t, const uint64_t *a, struct timespec *ts, uint64_t set, uint64_t set_size);
int64_t stat_path(struct task *t, int dirfd, uint64_t path, int flags, struct stat *st);

/* safe.c: a system call that a signal either precedes entirely (SYS_RESTART) or interrupts (-EINTR). Raw -errno result. */
long safe_syscall6(volatile int *pending, long nr, long a, long b, long c, long d, long e, long f);
#define SAFE(t, nr, ...) SAFE_(t, nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SAFE_(t, nr, a, b, c, d, e, f, ...) \
    safe_syscall6(&(t)->pending, nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
bool safe_interrupt(void *ucontext); /* in a signal handler: makes a call not yet begun return SYS_AGAIN */
/* Unconditional system call, raw result. */
long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f);
#define RAW(nr, ...) RAW_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define RAW_(nr, a, b, c, d, e, f, ...) raw_syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* clone(2) with CLONE_VM on a new stack: the child calls fn(arg). */
long clone_call(unsigned long flags, void *stack, int (*fn)(void *), void *arg);
extern const char sig_restorer[];

/* --- signal.c ------------------------------------------------------------------------------------------------------ */
void signal_init(struct proc *p, struct task *t);
void signal_deliver(struct task *t);  /* whatever is pending; then sets the host's mask */
void signal_force(struct task *t, int sig, int code, uint64_t addr); /* a fault of the guest itself */
void signal_set_mask(struct task *t, uint64_t mask);
void signal_block_all(void);
void signal_mirror(struct task *t, int sig); /* the guest's disposition, on the host */
void signal_host_mask(uint64_t mask);
void signal_before_exec(struct task *t);
void signal_exec_failed(struct task *t);
int sigset_get(struct task *t, uint64_t addr, uint64_t size, uint64_t *set);
_Noreturn void signal_die(struct task *t, int sig);
void siginfo_to_guest(const struct proc *p, uint8_t out[128], const siginfo_t *si);
int siginfo_from_guest(struct task *t, siginfo_t *si, uint64_t addr);
/* Runs a blocking call that swaps the mask meanwhile (sigsuspend, ppoll ...). */
void suspend_begin(struct task *t, uint64_t mask);
int64_t suspend_end(struct task *t, int64_t ret);
#define SIG_HOST_OPEN ((1ull << (SIGSEGV - 1)) | (1ull << (SIGBUS - 1)))

/* limits.c: whether the guest may map so much more (data: private and writable); for execve: the limits as an option's word;
 * for a program of the host's the soft ones become the host's, and back if it does not come to that. */
bool limits_allow(struct proc *p, uint64_t more, bool data);
enum { LIMITS_WORD = 160 };
size_t limits_word(const struct proc *p, char *buf, size_t size);
void limits_from_word(struct proc *p, const char *s);
void limits_swap(const struct proc *p, rlim_t soft[RLIM_NLIMITS], bool to_host);

/* core.c: if the signal and the limits are such, the core file of a process about to die by it. */
void core_dump(struct task *t, int sig);

/* --- path.c, procfs.c, exec.c --------------------------------------------------------------------------------------- */
enum { PATH_NOFOLLOW = 1, PATH_HOST = 2 };
/* Reads the guest's path and looks it up under the prefix; buf[PATH_MAX] holds what to give to the host. */
int path_get(struct task *t, char *buf, uint64_t addr, unsigned flags);
void path_lookup(struct proc *p, char *buf, unsigned flags);
/* /proc files that tell about this process: an open file (>= 0), -ENOENT if the path is none of them, or -errno. */
int procfs_open(struct task *t, int dirfd, const char *path, int flags);
/* 1 and a new path in buf if path names /proc/self/exe or the like. */
int procfs_exe(struct task *t, int dirfd, const char *path, char *buf, size_t size);

/* --- net.c, fs.c: shared ------------------------------------------------------------------------------------------- */
struct iovec;
/* Guest iovec array -> host iovec with checked host pointers; a bad later element shortens the list as the kernel does. */
int iov_get(struct task *t, struct iovec **out, struct iovec *fixed, unsigned nfixed, uint64_t addr, uint64_t n, unsigned prot);
void iov_put(struct iovec *v, const struct iovec *fixed);
/* A descriptor of this emulator's file, out of the guest's way; -1 = none. */
int exe_open(const char *path);
enum { OWN_FD_FIRST = 1000 }; /* from here up, where the limit allows it, are the emulator's own descriptors */
bool fd_internal(const struct proc *p, int fd);

/* Others are about to see the task's memory (a thread, a shared mapping). */
static inline void task_shares(struct task *t)
{
    if (t->p->lnx->shared) t->p->lnx->shared(t->cpu);
}

/* --- strace.c ------------------------------------------------------------------------------------------------------ */
void strace_enter(struct task *t, const struct sysrow *r, uint64_t nr, const uint64_t *a, char *buf, size_t size);
void strace_leave(struct task *t, const struct sysrow *r, uint64_t nr, const uint64_t *a, char *buf, size_t size, int64_t ret);
void strace_signal(struct task *t, int sig, const siginfo_t *si);
const char *sig_name(int sig);
const char *errno_name(int e);
/* ioctl.c */
const char *ioctl_name(uint32_t req);

/*
 * What a debugger (control/) wants to know of; NULL = there is none. Its calls are made by the guest thread they are about,
 * without locks, and may block; those that take a task are for tasks with `dbg`, stop, trap and thread_start for any.
 */
struct debugger {
    void (*thread_start)(struct task *t);      /* before the first instruction */
    void (*thread_end)(struct task *t, int code, bool last);
    void (*stop)(struct task *t);              /* SP_STOP was seen: wait to be resumed */
    void (*trap)(struct task *t);              /* EXC_DEBUG, or a step ended in a system call */
    int (*signal)(struct task *t, int sig, const siginfo_t *si); /* about to be delivered: which one really, 0 = none */
    bool (*wants)(int sig);                    /* to be caught even if the guest ignores it or has the default */
    void (*process_end)(struct task *t, int code, int sig);
    void (*fork_child)(struct task *t);        /* in the child */
    void (*vfork)(struct task *t, bool begin); /* in the parent, around its sleep */
    int (*exec)(struct task *t);               /* execve of a guest's program: the descriptor of its -g fd:N, or -errno */
    void (*exec_failed)(struct task *t);       /* after exec, as the execve went wrong */
    bool (*syscall)(struct task *t, uint64_t nr, bool end); /* before and after a system call; true: everything was stopped */
    const void *mark;                          /* si_ptr of the queued SIGSEGV that makes a thread see SP_STOP */
    int fd[12];                                /* its descriptors, which the guest may not close; 0 = none */
};
extern struct debugger *debugger;

/* The gdb stub, when there is one. */
int gdbstub_start(CPU *cpu, const char *where, struct err *e) __attribute__((weak));

#endif
