/*
 * flags.c: names of flag bits and values, and their guest numbers where an ABI differs from the host's (columns: asm-generic,
 * arm; 0 = the host's number). Reference: the UAPI headers asm-generic/fcntl.h, asm/fcntl.h of arm64 and arm, asm-generic/mman.h.
 */
#include "user/linux/user.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define N(x) { #x, x, { 0 } }
#define FLAGSET(sym, mask, en, ...)                        \
    static const struct flag sym##_f[] = { __VA_ARGS__ };  \
    const struct flags sym = { sym##_f, ARRAY_LEN(sym##_f), mask, en }

/* The host's kernel numbers (libc hides O_LARGEFILE); x86-64 follows asm-generic here. */
FLAGSET(fl_open, 3, false, N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(O_CREAT), N(O_EXCL), N(O_NOCTTY), N(O_TRUNC), N(O_APPEND),
        N(O_NONBLOCK), { "O_SYNC", 04010000, { 0 } }, { "O_DSYNC", 010000, { 0 } }, N(O_ASYNC), { "O_DIRECT", 040000, { 0, 0200000 } },
        { "O_LARGEFILE", 0100000, { 0, 0400000 } }, { "O_TMPFILE", 020200000, { 0, 020040000 } },
        { "O_DIRECTORY", 0200000, { 0, 040000 } }, { "O_NOFOLLOW", 0400000, { 0, 0100000 } }, N(O_NOATIME), N(O_CLOEXEC), N(O_PATH));
FLAGSET(fl_at, 0, false, N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH));
FLAGSET(fl_prot, 0, false, N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN), N(PROT_GROWSUP));
FLAGSET(fl_map, 0xf, false, N(MAP_SHARED), N(MAP_PRIVATE), { "MAP_SHARED_VALIDATE", 3, { 0 } }, N(MAP_FIXED), N(MAP_ANONYMOUS),
        N(MAP_GROWSDOWN), N(MAP_DENYWRITE), N(MAP_LOCKED), N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK),
        N(MAP_HUGETLB), N(MAP_SYNC), N(MAP_FIXED_NOREPLACE));
FLAGSET(fl_mremap, 0, false, N(MREMAP_MAYMOVE), N(MREMAP_FIXED), { "MREMAP_DONTUNMAP", 4, { 0 } });
FLAGSET(fl_clone, 0, false, N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND), N(CLONE_PIDFD), N(CLONE_PTRACE),
        N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD), N(CLONE_NEWNS), N(CLONE_SYSVSEM), N(CLONE_SETTLS),
        N(CLONE_PARENT_SETTID), N(CLONE_CHILD_CLEARTID), N(CLONE_DETACHED), N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID),
        N(CLONE_NEWCGROUP), N(CLONE_NEWUTS), N(CLONE_NEWIPC), N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO),
        N(SIGCHLD));
FLAGSET(fl_access, 0, false, { "R_OK", 4, { 0 } }, { "W_OK", 2, { 0 } }, { "X_OK", 1, { 0 } });
FLAGSET(fl_fcntl, 0, true, N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), N(F_GETLK), N(F_SETLK), N(F_SETLKW),
        N(F_SETOWN), N(F_GETOWN), N(F_SETSIG), N(F_GETSIG), N(F_SETOWN_EX), N(F_GETOWN_EX), N(F_OFD_GETLK), N(F_OFD_SETLK),
        N(F_OFD_SETLKW), N(F_SETLEASE), N(F_GETLEASE), N(F_NOTIFY), N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ),
        N(F_ADD_SEALS), N(F_GET_SEALS), N(F_GET_RW_HINT), N(F_SET_RW_HINT));
#define FUTEX(x) { #x, x, { 0 } }, { #x "_PRIVATE", x | FUTEX_PRIVATE_FLAG, { 0 } }
FLAGSET(fl_futex, 0, true, FUTEX(FUTEX_WAIT), FUTEX(FUTEX_WAKE), FUTEX(FUTEX_REQUEUE), FUTEX(FUTEX_CMP_REQUEUE), FUTEX(FUTEX_WAKE_OP),
        FUTEX(FUTEX_LOCK_PI), FUTEX(FUTEX_UNLOCK_PI), FUTEX(FUTEX_TRYLOCK_PI), FUTEX(FUTEX_WAIT_BITSET), FUTEX(FUTEX_WAKE_BITSET),
        FUTEX(FUTEX_WAIT_REQUEUE_PI), FUTEX(FUTEX_CMP_REQUEUE_PI), FUTEX(FUTEX_LOCK_PI2),
        { "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME", FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, { 0 } });
FLAGSET(fl_sighow, 0, true, N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK));
FLAGSET(fl_sa, 0, false, { "SA_RESTORER", 0x04000000, { 0 } }, N(SA_ONSTACK), N(SA_RESTART), N(SA_SIGINFO), N(SA_NODEFER),
        { "SA_RESETHAND", 0x80000000, { 0 } }, N(SA_NOCLDSTOP), N(SA_NOCLDWAIT));
FLAGSET(fl_af, 0, true, N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK), N(AF_PACKET), N(AF_ALG), N(AF_VSOCK));
FLAGSET(fl_sock, 0xf, false, N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM), N(SOCK_SEQPACKET), N(SOCK_CLOEXEC),
        N(SOCK_NONBLOCK));
FLAGSET(fl_msg, 0, false, N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_TRUNC), N(MSG_DONTWAIT), N(MSG_EOR),
        N(MSG_WAITALL), N(MSG_CONFIRM), N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE), N(MSG_CMSG_CLOEXEC));
FLAGSET(fl_whence, 0, true, N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE));
FLAGSET(fl_clock, 0, true, N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID), N(CLOCK_THREAD_CPUTIME_ID),
        N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME), N(CLOCK_TAI));
FLAGSET(fl_wait, 0, false, N(WNOHANG), N(WSTOPPED), N(WEXITED), N(WCONTINUED), N(WNOWAIT), N(__WNOTHREAD), N(__WALL),
        { "__WCLONE", 0x80000000, { 0 } });
FLAGSET(fl_madv, 0, true, N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED), N(MADV_FREE),
        N(MADV_REMOVE), N(MADV_DONTFORK), N(MADV_DOFORK), N(MADV_MERGEABLE), N(MADV_UNMERGEABLE), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE),
        N(MADV_DONTDUMP), N(MADV_DODUMP), N(MADV_WIPEONFORK), N(MADV_KEEPONFORK), N(MADV_COLD), N(MADV_PAGEOUT));
FLAGSET(fl_epoll_op, 0, true, N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD));
FLAGSET(fl_rlimit, 0, true, { "RLIMIT_CPU", 0, { 0 } }, { "RLIMIT_FSIZE", 1, { 0 } }, { "RLIMIT_DATA", 2, { 0 } },
        { "RLIMIT_STACK", 3, { 0 } }, { "RLIMIT_CORE", 4, { 0 } }, { "RLIMIT_RSS", 5, { 0 } }, { "RLIMIT_NPROC", 6, { 0 } },
        { "RLIMIT_NOFILE", 7, { 0 } }, { "RLIMIT_MEMLOCK", 8, { 0 } }, { "RLIMIT_AS", 9, { 0 } }, { "RLIMIT_LOCKS", 10, { 0 } },
        { "RLIMIT_SIGPENDING", 11, { 0 } }, { "RLIMIT_MSGQUEUE", 12, { 0 } }, { "RLIMIT_NICE", 13, { 0 } },
        { "RLIMIT_RTPRIO", 14, { 0 } }, { "RLIMIT_RTTIME", 15, { 0 } });
FLAGSET(fl_prctl, 0, true, N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE), N(PR_SET_DUMPABLE), N(PR_SET_KEEPCAPS),
        N(PR_GET_KEEPCAPS), N(PR_SET_NAME), N(PR_GET_NAME), N(PR_GET_SECCOMP), N(PR_SET_SECCOMP), N(PR_CAPBSET_READ),
        N(PR_CAPBSET_DROP), N(PR_SET_TIMERSLACK), N(PR_GET_TIMERSLACK), N(PR_SET_CHILD_SUBREAPER), N(PR_GET_CHILD_SUBREAPER),
        N(PR_SET_NO_NEW_PRIVS), N(PR_GET_NO_NEW_PRIVS), N(PR_SET_THP_DISABLE), N(PR_GET_THP_DISABLE), N(PR_CAP_AMBIENT),
        N(PR_SET_VMA), N(PR_SET_MM));

static uint32_t guest_bits(const struct proc *p, const struct flag *f)
{
    return f->guest[p->flag_column] ? f->guest[p->flag_column] : f->host;
}

/* Moves the bits whose numbers differ; all others, known or not, stay. */
static uint32_t convert(const struct proc *p, const struct flags *fl, uint32_t v, bool to_host)
{
    uint32_t out = v;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (const struct flag *f = fl->f; f < fl->f + fl->n; f++) {
            uint32_t g = guest_bits(p, f), from = to_host ? g : f->host, to = to_host ? f->host : g;
            if (g == f->host || (v & from) != from) continue;
            if (pass == 0)
                out &= ~from;
            else
                out |= to;
        }
    }
    return out;
}

uint32_t flags_to_host(const struct proc *p, const struct flags *fl, uint32_t guest)
{
    return p->flag_column ? convert(p, fl, guest, true) : guest;
}

uint32_t flags_to_guest(const struct proc *p, const struct flags *fl, uint32_t host)
{
    return p->flag_column ? convert(p, fl, host, false) : host;
}
