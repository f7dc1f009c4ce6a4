/*
 * gdb.h: the gdb stub's inside. gdb.c: connection and the thread that serves it; gdb_cmd.c: the commands; gdb_user.c: stopping
 * and resuming the threads of a Linux user-mode process; gdb_file.c: files for the debugger; gdb_tls.c: thread-local variables.
 *
 * One host thread serves the connection. It looks at guest threads only while all of them are parked.
 */
#ifndef LYRE_CONTROL_GDB_H
#define LYRE_CONTROL_GDB_H

#include <pthread.h>
#include "control/gdb_packet.h"
#include "control/gdb_regs.h"
#include "user/linux/user.h"

enum gdb_action { GA_NONE, GA_CONT, GA_STEP };
enum gdb_stop { GS_NONE, GS_SIGNAL, GS_BREAK, GS_STEP, GS_WATCH, GS_EXEC, GS_SYSCALL, GS_SYSCALL_END };

/* A guest thread under the debugger: task.dbg. */
struct gdb_thread {
    struct task *t;
    pid_t tid;
    struct gdb_thread *next;   /* in order of creation */
    bool parked;               /* waits to be resumed; registers may be looked at */
    bool asleep;               /* in a vfork: as good as parked until the child is done */
    uint8_t action;            /* enum gdb_action: how it was resumed; GA_NONE = it has to park */
    int sig;                   /* host signal to deliver on resuming, 0 = none */
    int pass;                  /* signal that the debugger told to deliver: not to be reported again */
    uint64_t range_lo, range_hi; /* stepping goes on while pc is inside */
    siginfo_t info;            /* of the signal it stopped at */
    bool has_info;
};

/* While there is a watchpoint, threads run step by step. Writes are those that change the value, by whomever. */
enum { GDB_WATCHES = 8, GDB_WATCH_BYTES = 32 };
struct gdb_watch {
    char type;                   /* of its Z packet: '2' write, '3' read, '4' access */
    uint8_t value[GDB_WATCH_BYTES];
};

/* GP_GONE: nobody is connected, everything runs. */
enum gdb_phase { GP_STOPPED, GP_RUNNING, GP_STOPPING, GP_GONE };

/* What a client told of itself and asked for. Lives on when the program is replaced by another (execve). */
struct gdb_client {
    bool multi, swbreak, no_resumed, noack, exec_events;
    uint8_t pass_signals[NSIG_GUEST + 1]; /* not of interest to the debugger */
    bool catch, catch_all;                /* system calls: at all; each or those in the list */
    uint32_t ncatch, catch_nr[64];
};

struct gdb {
    pthread_mutex_t lock;
    pthread_cond_t resumed;
    enum gdb_phase phase;
    struct gdb_thread *threads;
    /* why it stopped */
    struct gdb_thread *reporter; /* NULL: nobody, the debugger asked */
    enum gdb_stop stop;
    int stop_sig;                /* host number */
    uint64_t stop_arg;           /* GS_WATCH: which one; GS_SYSCALL*: number */
    /* the end of the process */
    bool ending, ended, none_left;
    int exit_code, exit_sig, leader_code;
    /* the process */
    struct proc *p;
    struct engine *engine;
    struct gmem *mem;
    pid_t pid;
    struct gdb_regs regs;
    uint64_t *bps;
    uint32_t nbps, cap_bps;
    struct gdb_watch watch[GDB_WATCHES];
    struct cpu_watch range[GDB_WATCHES]; /* of each */
    unsigned nwatch;
    struct gdb_client client;
    pid_t g_tid, c_tid;          /* Hg, Hc; 0 = any */
    bool fresh;                  /* a client has come and is not heard before everything has stopped */
    /* connection */
    char path[108];              /* of the listening socket, if it has one */
    int fd, lfd, event;          /* connected, listening, -1 = not; event: eventfd, written when the guest's side has news */
    struct gdb_in in;
    struct gdb_out out;
    bool reply;                  /* a reply is in `out` to be sent */
};

extern struct gdb gdb_state;

/* gdb.c */
int gdb_session_save(struct gdb *g);             /* a descriptor with which gdbstub_start goes on after an execve, or -errno */
void gdb_session_keep(struct gdb *g, bool keep);    /* whether the connection outlives an execve */
void gdb_unlisten(struct gdb *g);

/* gdb_cmd.c */
void gdb_command(struct gdb *g);        /* the packet in g->in */
void gdb_stop_reply(struct gdb *g);     /* why it stopped, into g->out */
struct gdb_thread *gdb_current(struct gdb *g); /* the one that Hg selected, or a likely one; NULL: there are none */
int gdb_signal_number(int host);        /* the protocol's number of a Linux signal */
int gdb_signal_host(uint64_t number);   /* the reverse; 0 = none */

/* gdb_user.c; the lock is held except where it says so */
void gdb_user_init(struct gdb *g, CPU *cpu, enum gdb_phase phase);
void gdb_user_park_first(struct gdb *g, CPU *cpu); /* without the lock: the first thread waits for its first resume */
void gdb_user_detach(struct gdb *g);    /* lets everything run, forgets breakpoints; phase becomes GP_GONE */
void gdb_user_stop_all(struct gdb *g);  /* phase becomes GP_STOPPING */
bool gdb_user_all_parked(const struct gdb *g);
void gdb_user_resume(struct gdb *g);    /* those with an action */
void gdb_user_watch(struct gdb *g, unsigned i); /* takes the value to compare with */
void gdb_user_mirror(struct gdb *g);    /* signal dispositions follow pass_signals and phase */
void gdb_user_own_fd(int fd, bool own); /* descriptors that the guest may not close */
int gdb_user_high_fd(int fd);           /* moves a new descriptor out of the guest's way */
struct gdb_thread *gdb_thread_find(struct gdb *g, pid_t tid);

/* gdb_tls.c: address of a thread-local variable by its module's link map (0: static program) and its offset */
bool gdb_tls_address(struct gdb *g, const struct gdb_thread *th, uint64_t map, uint64_t offset, uint64_t *addr);

/* gdb_file.c: vFile packets */
void gdb_file_command(struct gdb *g, const char *args, size_t len);
void gdb_file_close_all(void);

#endif
