/*
 * layout.c: the structures of the Linux system call ABI, one table each, converted in both directions between the guest's
 * word size and byte order and the host's C structs. Fields are in the guest's order; offsets follow from types by the C
 * rules. References: the UAPI headers (asm-generic/, linux/).
 */
#include "user/linux/user.h"

#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <utime.h>
#include "user/linux/kernel.h"

#define HSIZE(s, m)        ((uint8_t)sizeof(((s *)0)->m))
#define F(t, s, m)         { #m, L_##t, HSIZE(s, m), offsetof(s, m), 1 }
#define FN(t, s, m, f)     { #f, L_##t, HSIZE(s, m), offsetof(s, m), 1 }  /* another name for printing */
#define A(t, s, m, n)      { #m, L_##t, (uint8_t)(sizeof(((s *)0)->m) / (n)), offsetof(s, m), n }
#define PAD(t, n)          { NULL, L_##t, 0, 0, n }
#define LAY_ID             (__COUNTER__ + 1)
#define LAYOUT_W32(sym, T, alt, ...)                                                     \
    static const struct lay_field sym##_f[] = { __VA_ARGS__ };                           \
    const struct layout sym = { &#sym[4], sizeof(T), ARRAY_LEN(sym##_f), sym##_f, alt, LAY_ID, NULL, NULL, NULL }
#define LAYOUT(sym, T, ...) LAYOUT_W32(sym, T, NULL, __VA_ARGS__)
/* A variant by ABI: 32-bit generic, i386, x86-64; NULL = as without. */
#define LAYOUT_ABI(sym, T, alt32, alt386, alt64, ...)                                    \
    static const struct lay_field sym##_f[] = { __VA_ARGS__ };                           \
    const struct layout sym = { &#sym[4], sizeof(T), ARRAY_LEN(sym##_f), sym##_f, alt32, LAY_ID, alt386, alt64, NULL }
#define VARIANT(sym, text, T, ...)                                                       \
    static const struct lay_field sym##_f[] = { __VA_ARGS__ };                           \
    static const struct layout sym = { text, sizeof(T), ARRAY_LEN(sym##_f), sym##_f, NULL, LAY_ID, NULL, NULL, NULL }
#define LAYOUT_T32(sym, T, alt, ...)                                                     \
    static const struct lay_field sym##_f[] = { __VA_ARGS__ };                           \
    const struct layout sym = { &#sym[4], sizeof(T), ARRAY_LEN(sym##_f), sym##_f, NULL, LAY_ID, NULL, NULL, alt }

/* --- files --- */
#define S struct stat
#define STAT_TIMES(T, N) FN(T, S, st_atim.tv_sec, st_atime), FN(N, S, st_atim.tv_nsec, st_atime_nsec), \
    FN(T, S, st_mtim.tv_sec, st_mtime), FN(N, S, st_mtim.tv_nsec, st_mtime_nsec), \
    FN(T, S, st_ctim.tv_sec, st_ctime), FN(N, S, st_ctim.tv_nsec, st_ctime_nsec)
VARIANT(lay_stat_x64, "stat", S, F(UW, S, st_dev), F(UW, S, st_ino), F(UW, S, st_nlink), F(U32, S, st_mode), F(U32, S, st_uid),
        F(U32, S, st_gid), PAD(U32, 1), F(UW, S, st_rdev), F(SW, S, st_size), F(SW, S, st_blksize), F(SW, S, st_blocks),
        STAT_TIMES(SW, UW), PAD(SW, 3));
/* i386: struct stat64, and the older struct stat. */
LAYOUT(lay_stat64, S, F(U64, S, st_dev), PAD(U32, 1), FN(U32, S, st_ino, __st_ino), F(U32, S, st_mode), F(U32, S, st_nlink),
       F(U32, S, st_uid), F(U32, S, st_gid), F(U64, S, st_rdev), PAD(U32, 1), F(S64, S, st_size), F(U32, S, st_blksize),
       F(U64, S, st_blocks), STAT_TIMES(U32, U32), F(U64, S, st_ino));
LAYOUT(lay_stat32, S, F(U32, S, st_dev), F(U32, S, st_ino), F(U16, S, st_mode), F(U16, S, st_nlink), F(U16, S, st_uid),
       F(U16, S, st_gid), F(U32, S, st_rdev), F(U32, S, st_size), F(U32, S, st_blksize), F(U32, S, st_blocks),
       STAT_TIMES(U32, U32), PAD(U32, 2));
LAYOUT_ABI(lay_stat, S, NULL, NULL, &lay_stat_x64, F(UW, S, st_dev), F(UW, S, st_ino), F(U32, S, st_mode), F(U32, S, st_nlink), F(U32, S, st_uid),
       F(U32, S, st_gid), F(UW, S, st_rdev), PAD(UW, 1), F(SW, S, st_size), F(S32, S, st_blksize), PAD(U32, 1),
       F(SW, S, st_blocks), STAT_TIMES(SW, UW), PAD(U32, 2));
#undef S
#define S struct statx
#define STX_TIME(m) FN(S64, S, m.tv_sec, m), FN(U32, S, m.tv_nsec, m##_nsec), PAD(U32, 1)
LAYOUT(lay_statx, S, F(U32, S, stx_mask), F(U32, S, stx_blksize), F(U64, S, stx_attributes), F(U32, S, stx_nlink),
       F(U32, S, stx_uid), F(U32, S, stx_gid), F(U16, S, stx_mode), PAD(U16, 1), F(U64, S, stx_ino), F(U64, S, stx_size),
       F(U64, S, stx_blocks), F(U64, S, stx_attributes_mask), STX_TIME(stx_atime), STX_TIME(stx_btime),
       STX_TIME(stx_ctime), STX_TIME(stx_mtime), F(U32, S, stx_rdev_major), F(U32, S, stx_rdev_minor),
       F(U32, S, stx_dev_major), F(U32, S, stx_dev_minor), F(U64, S, stx_mnt_id), PAD(U64, 13));
#undef S
#define S struct statfs
/* 32-bit generic ABIs have struct statfs64: 64-bit counts on 32-bit types. */
static const struct lay_field statfs64_f[] = {
    F(U32, S, f_type), F(U32, S, f_bsize), F(U64, S, f_blocks), F(U64, S, f_bfree), F(U64, S, f_bavail),
    F(U64, S, f_files), F(U64, S, f_ffree), A(S32, S, f_fsid, 2), F(U32, S, f_namelen), F(U32, S, f_frsize),
    F(U32, S, f_flags), PAD(U32, 4),
};
static const struct layout lay_statfs64 = { "statfs64", sizeof(S), ARRAY_LEN(statfs64_f), statfs64_f, NULL, LAY_ID, NULL, NULL, NULL };
LAYOUT(lay_statfs32, S, F(U32, S, f_type), F(U32, S, f_bsize), F(U32, S, f_blocks), F(U32, S, f_bfree), F(U32, S, f_bavail),
       F(U32, S, f_files), F(U32, S, f_ffree), A(S32, S, f_fsid, 2), F(U32, S, f_namelen), F(U32, S, f_frsize), F(U32, S, f_flags),
       PAD(U32, 4)); /* i386's older call */
LAYOUT_W32(lay_statfs, S, &lay_statfs64, F(SW, S, f_type), F(SW, S, f_bsize), F(UW, S, f_blocks), F(UW, S, f_bfree),
           F(UW, S, f_bavail), F(UW, S, f_files), F(UW, S, f_ffree), A(S32, S, f_fsid, 2), F(SW, S, f_namelen),
           F(SW, S, f_frsize), F(SW, S, f_flags), PAD(UW, 4));
#undef S
#define S struct flock
LAYOUT(lay_flock, S, F(S16, S, l_type), F(S16, S, l_whence), F(S64, S, l_start), F(S64, S, l_len), F(S32, S, l_pid));
#undef S
#define S struct k_f_owner
LAYOUT(lay_f_owner, S, F(S32, S, type), F(S32, S, pid));
#undef S
#define S struct open_how
LAYOUT(lay_open_how, S, F(U64, S, flags), F(U64, S, mode), F(U64, S, resolve));
#undef S
#define S struct inotify_event
LAYOUT(lay_inotify, S, F(S32, S, wd), F(U32, S, mask), F(U32, S, cookie), F(U32, S, len));
#undef S
#define S struct k_dirent
LAYOUT(lay_dirent, S, F(U64, S, d_ino), F(S64, S, d_off), F(U16, S, d_reclen), F(U8, S, d_type));
#undef S
#define S struct file_clone_range
LAYOUT(lay_file_clone_range, S, F(S64, S, src_fd), F(U64, S, src_offset), F(U64, S, src_length), F(U64, S, dest_offset));
#undef S
#define S struct k_file_handle
LAYOUT(lay_file_handle, S, F(U32, S, bytes), F(S32, S, type));
#undef S
#define S struct g_iovec
LAYOUT(lay_iovec, S, F(UW, S, base), F(UW, S, len));
#undef S
#define S struct k_mount_attr
LAYOUT(lay_mount_attr, S, F(U64, S, attr_set), F(U64, S, attr_clr), F(U64, S, propagation), F(U64, S, userns_fd));
#undef S
#define S struct utimbuf
LAYOUT(lay_utimbuf, S, F(SW, S, actime), F(SW, S, modtime));
#undef S

/* --- time --- */
/* Times are 64-bit on every ABI but for the older calls of older 32-bit ABIs (task.time32). */
#define S struct timespec
VARIANT(lay_timespec32, "timespec", S, F(SW, S, tv_sec), F(SW, S, tv_nsec));
LAYOUT_T32(lay_timespec, S, &lay_timespec32, F(S64, S, tv_sec), F(S64, S, tv_nsec));
#undef S
#define S struct k_timespec2
VARIANT(lay_timespec2_32, "timespec2", S, FN(SW, S, t[0].tv_sec, sec), FN(SW, S, t[0].tv_nsec, nsec), FN(SW, S, t[1].tv_sec, sec),
        FN(SW, S, t[1].tv_nsec, nsec));
LAYOUT_T32(lay_timespec2, S, &lay_timespec2_32, FN(S64, S, t[0].tv_sec, sec), FN(S64, S, t[0].tv_nsec, nsec), FN(S64, S, t[1].tv_sec, sec),
       FN(S64, S, t[1].tv_nsec, nsec));
#undef S
#define S struct flock
LAYOUT(lay_flock32, S, F(S16, S, l_type), F(S16, S, l_whence), F(S32, S, l_start), F(S32, S, l_len), F(S32, S, l_pid));
#undef S
#define S struct itimerspec
VARIANT(lay_itimerspec32, "itimerspec", S, FN(SW, S, it_interval.tv_sec, interval_sec), FN(SW, S, it_interval.tv_nsec, interval_nsec),
        FN(SW, S, it_value.tv_sec, value_sec), FN(SW, S, it_value.tv_nsec, value_nsec));
LAYOUT_T32(lay_itimerspec, S, &lay_itimerspec32, FN(S64, S, it_interval.tv_sec, interval_sec), FN(S64, S, it_interval.tv_nsec, interval_nsec),
       FN(S64, S, it_value.tv_sec, value_sec), FN(S64, S, it_value.tv_nsec, value_nsec));
#undef S
#define S struct timeval
LAYOUT(lay_timeval, S, F(SW, S, tv_sec), F(SW, S, tv_usec));
#undef S
#define S struct itimerval
LAYOUT(lay_itimerval, S, FN(SW, S, it_interval.tv_sec, interval_sec), FN(SW, S, it_interval.tv_usec, interval_usec),
       FN(SW, S, it_value.tv_sec, value_sec), FN(SW, S, it_value.tv_usec, value_usec));
#undef S
#define S struct timezone
LAYOUT(lay_timezone, S, F(S32, S, tz_minuteswest), F(S32, S, tz_dsttime));
#undef S
#define S struct rusage
LAYOUT(lay_rusage, S, FN(SW, S, ru_utime.tv_sec, utime_sec), FN(SW, S, ru_utime.tv_usec, utime_usec),
       FN(SW, S, ru_stime.tv_sec, stime_sec), FN(SW, S, ru_stime.tv_usec, stime_usec), F(SW, S, ru_maxrss),
       F(SW, S, ru_ixrss), F(SW, S, ru_idrss), F(SW, S, ru_isrss), F(SW, S, ru_minflt), F(SW, S, ru_majflt),
       F(SW, S, ru_nswap), F(SW, S, ru_inblock), F(SW, S, ru_oublock), F(SW, S, ru_msgsnd), F(SW, S, ru_msgrcv),
       F(SW, S, ru_nsignals), F(SW, S, ru_nvcsw), F(SW, S, ru_nivcsw));
#undef S
#define S struct tms
LAYOUT(lay_tms, S, F(SW, S, tms_utime), F(SW, S, tms_stime), F(SW, S, tms_cutime), F(SW, S, tms_cstime));
#undef S
#define S struct timex /* struct __kernel_timex: all 64-bit, as longs on 64-bit guests */
LAYOUT(lay_timex, S, F(U32, S, modes), F(S64, S, offset), F(S64, S, freq), F(S64, S, maxerror), F(S64, S, esterror),
       F(S32, S, status), F(S64, S, constant), F(S64, S, precision), F(S64, S, tolerance), FN(S64, S, time.tv_sec, time_sec),
       FN(S64, S, time.tv_usec, time_usec), F(S64, S, tick), F(S64, S, ppsfreq), F(S64, S, jitter), F(S32, S, shift),
       F(S64, S, stabil), F(S64, S, jitcnt), F(S64, S, calcnt), F(S64, S, errcnt), F(S64, S, stbcnt), F(S32, S, tai),
       PAD(S32, 11));
#undef S

/* --- processes --- */
#define S struct sysinfo
#define SYSINFO F(SW, S, uptime), A(UW, S, loads, 3), F(UW, S, totalram), F(UW, S, freeram), F(UW, S, sharedram), \
    F(UW, S, bufferram), F(UW, S, totalswap), F(UW, S, freeswap), F(U16, S, procs), PAD(U16, 1), F(UW, S, totalhigh), \
    F(UW, S, freehigh), F(U32, S, mem_unit), PAD(ALIGN, 1)
static const struct lay_field sysinfo32_f[] = { SYSINFO, PAD(U8, 8) };
static const struct layout lay_sysinfo32 = { "sysinfo", sizeof(S), ARRAY_LEN(sysinfo32_f), sysinfo32_f, NULL, LAY_ID, NULL, NULL, NULL };
LAYOUT_W32(lay_sysinfo, S, &lay_sysinfo32, SYSINFO);
#undef S
#define S struct utsname
LAYOUT(lay_utsname, S, A(U8, S, sysname, 65), A(U8, S, nodename, 65), A(U8, S, release, 65), A(U8, S, version, 65),
       A(U8, S, machine, 65), A(U8, S, domainname, 65));
#undef S
#define S struct rlimit
LAYOUT(lay_rlimit64, S, F(U64, S, rlim_cur), F(U64, S, rlim_max));
LAYOUT(lay_rlimit, S, F(UW, S, rlim_cur), F(UW, S, rlim_max));
#undef S
#define S struct k_sched_param
LAYOUT(lay_sched_param, S, F(S32, S, sched_priority));
#undef S
#define S struct k_sched_attr
LAYOUT(lay_sched_attr, S, F(U32, S, size), F(U32, S, sched_policy), F(U64, S, sched_flags), F(S32, S, sched_nice),
       F(U32, S, sched_priority), F(U64, S, sched_runtime), F(U64, S, sched_deadline), F(U64, S, sched_period));
#undef S
#define S struct g_clone_args
LAYOUT(lay_clone_args, S, F(U64, S, flags), F(U64, S, pidfd), F(U64, S, child_tid), F(U64, S, parent_tid),
       F(U64, S, exit_signal), F(U64, S, stack), F(U64, S, stack_size), F(U64, S, tls), F(U64, S, set_tid),
       F(U64, S, set_tid_size), F(U64, S, cgroup));
#undef S
#define S struct k_cap_header
LAYOUT(lay_cap_header, S, F(U32, S, version), F(S32, S, pid));
#undef S
#define S struct k_cap_data
LAYOUT(lay_cap_data, S, F(U32, S, effective), F(U32, S, permitted), F(U32, S, inheritable));
#undef S
#define S struct g_robust
LAYOUT(lay_robust, S, F(UW, S, next), F(SW, S, offset), F(UW, S, pending));
#undef S
#define S struct g_futex_waitv
LAYOUT(lay_futex_waitv, S, F(U64, S, val), F(U64, S, uaddr), F(U32, S, flags), F(U32, S, reserved));
#undef S

/* --- core files --- */
#define S struct k_prstatus
LAYOUT(lay_prstatus, S, F(S32, S, signo), F(S32, S, code), F(S32, S, err), F(S16, S, cursig), F(UW, S, pend), F(UW, S, hold),
       F(S32, S, pid), F(S32, S, ppid), F(S32, S, pgrp), F(S32, S, sid), PAD(UW, 8));
#undef S
#define S struct k_prpsinfo
LAYOUT(lay_prpsinfo, S, F(U8, S, state), F(U8, S, sname), F(U8, S, zomb), F(U8, S, nice), F(UW, S, flag), F(U32, S, uid),
       F(U32, S, gid), F(S32, S, pid), F(S32, S, ppid), F(S32, S, pgrp), F(S32, S, sid), A(U8, S, fname, 16), A(U8, S, args, 80));
#undef S

/* --- plain numbers --- */
#define S struct k_nums
LAYOUT(lay_int, int32_t, { "", L_S32, 4, 0, 1 });
LAYOUT(lay_int2, S, { "", L_S32, 4, 0, 2 });
LAYOUT(lay_id3, S, { "", L_U32, 4, 0, 3 });
LAYOUT(lay_off, int64_t, { "", L_S64, 8, 0, 1 });
LAYOUT(lay_word, uint64_t, { "", L_UW, 8, 0, 1 });
LAYOUT(lay_word3, struct k_words, { "", L_UW, 8, 0, 3 });
#undef S

/* --- signals --- */
#define S struct sigact
static const struct lay_field sigaction_restorer_f[] = { F(UW, S, handler), F(UW, S, flags), F(UW, S, restorer), F(SIGSET, S, mask) };
static const struct lay_field sigaction_f[] = { F(UW, S, handler), F(UW, S, flags), F(SIGSET, S, mask) };
LAYOUT(lay_old_sigaction, S, F(UW, S, handler), { "mask", L_UW, 8, offsetof(S, mask), 1 }, F(UW, S, flags), F(UW, S, restorer)); /* i386 */
static const struct layout lay_sigaction_restorer = { "sigaction", sizeof(S), 4, sigaction_restorer_f, NULL, LAY_ID, NULL, NULL, NULL };
static const struct layout lay_sigaction_plain = { "sigaction", sizeof(S), 3, sigaction_f, NULL, LAY_ID, NULL, NULL, NULL };
#undef S
#define S struct k_stack
LAYOUT(lay_stack_t, S, F(UW, S, sp), F(S32, S, flags), F(UW, S, size));
#undef S
#define S siginfo_t
#define SI_HEAD F(S32, S, si_signo), F(S32, S, si_errno), F(S32, S, si_code), PAD(ALIGN, 1)
#define SI_KIND(sym, ...)                                       \
    static const struct lay_field sym##_f[] = { SI_HEAD, __VA_ARGS__ }; \
    static const struct layout sym = { #sym, sizeof(S), ARRAY_LEN(sym##_f), sym##_f, NULL, LAY_ID, NULL, NULL, NULL }
LAYOUT(lay_siginfo_head, S, SI_HEAD);
SI_KIND(si_kill, F(S32, S, si_pid), F(U32, S, si_uid));
SI_KIND(si_rt, F(S32, S, si_pid), F(U32, S, si_uid), FN(UW, S, si_value.sival_ptr, si_value));
SI_KIND(si_time, F(S32, S, si_timerid), F(S32, S, si_overrun), FN(UW, S, si_value.sival_ptr, si_value));
SI_KIND(si_child, F(S32, S, si_pid), F(U32, S, si_uid), F(S32, S, si_status), F(SW, S, si_utime), F(SW, S, si_stime));
SI_KIND(si_fault, F(UW, S, si_addr), F(S16, S, si_addr_lsb));
SI_KIND(si_io, F(SW, S, si_band), F(S32, S, si_fd));
SI_KIND(si_call, F(UW, S, si_call_addr), F(S32, S, si_syscall), F(U32, S, si_arch));
#undef S
#define S struct g_sigevent
LAYOUT(lay_sigevent, S, F(UW, S, value), F(S32, S, signo), F(S32, S, notify), F(S32, S, tid));
#undef S
#define S struct signalfd_siginfo
LAYOUT(lay_signalfd, S, F(U32, S, ssi_signo), F(S32, S, ssi_errno), F(S32, S, ssi_code), F(U32, S, ssi_pid),
       F(U32, S, ssi_uid), F(S32, S, ssi_fd), F(U32, S, ssi_tid), F(U32, S, ssi_band), F(U32, S, ssi_overrun),
       F(U32, S, ssi_trapno), F(S32, S, ssi_status), F(S32, S, ssi_int), F(U64, S, ssi_ptr), F(U64, S, ssi_utime),
       F(U64, S, ssi_stime), F(U64, S, ssi_addr), F(U16, S, ssi_addr_lsb), PAD(U8, 46));
#undef S

/* --- sockets, polling --- */
#define S struct g_msghdr
LAYOUT(lay_msghdr, S, F(UW, S, name), F(U32, S, namelen), F(UW, S, iov), F(UW, S, iovlen), F(UW, S, control),
       F(UW, S, controllen), F(U32, S, flags));
#undef S
#define S struct g_mmsghdr
LAYOUT(lay_mmsghdr, S, FN(UW, S, hdr.name, name), FN(U32, S, hdr.namelen, namelen), FN(UW, S, hdr.iov, iov),
       FN(UW, S, hdr.iovlen, iovlen), FN(UW, S, hdr.control, control), FN(UW, S, hdr.controllen, controllen),
       FN(U32, S, hdr.flags, flags), PAD(ALIGN, 1), F(U32, S, len));
#undef S
#define S struct g_cmsghdr
LAYOUT(lay_cmsghdr, S, F(UW, S, len), F(S32, S, level), F(S32, S, type));
#undef S
#define S struct linger
LAYOUT(lay_linger, S, F(S32, S, l_onoff), F(S32, S, l_linger));
#undef S
#define S struct k_ucred
LAYOUT(lay_ucred, S, F(S32, S, pid), F(U32, S, uid), F(U32, S, gid));
#undef S
#define S struct g_ifconf
LAYOUT(lay_ifconf, S, F(S32, S, len), F(UW, S, buf));
#undef S
#define S struct epoll_event
VARIANT(lay_epoll_packed, "epoll_event", S, F(U32, S, events), A(U32, S, data, 2)); /* x86: no padding */
LAYOUT_ABI(lay_epoll_event, S, NULL, &lay_epoll_packed, &lay_epoll_packed, F(U32, S, events), FN(U64, S, data.u64, data));
#undef S
#define S struct pollfd
LAYOUT(lay_pollfd, S, F(S32, S, fd), F(S16, S, events), F(S16, S, revents));
#undef S

/* --- terminals --- */
#define S struct k_termios2
#define TERMIOS F(U32, S, c_iflag), F(U32, S, c_oflag), F(U32, S, c_cflag), F(U32, S, c_lflag), F(U8, S, c_line), A(U8, S, c_cc, 19)
LAYOUT(lay_termios, S, TERMIOS);
LAYOUT(lay_termios2, S, TERMIOS, F(U32, S, c_ispeed), F(U32, S, c_ospeed));
#undef S
#define S struct k_winsize
LAYOUT(lay_winsize, S, F(U16, S, ws_row), F(U16, S, ws_col), F(U16, S, ws_xpixel), F(U16, S, ws_ypixel));
#undef S
#define S struct k_loop_fd
LAYOUT(lay_loop_fd, S, F(U32, S, fd));
#undef S

/* --- System V IPC, message queues --- */
/* 32-bit generic ABIs split 64-bit times in a low word here and a high word later; the high halves are not filled. */
#define IPC_PERM(S, m)                                                                                              \
    FN(S32, S, m.__key, key), FN(U32, S, m.uid, uid), FN(U32, S, m.gid, gid), FN(U32, S, m.cuid, cuid),              \
        FN(U32, S, m.cgid, cgid), FN(U32, S, m.mode, mode), FN(U16, S, m.__seq, seq), PAD(U16, 1), PAD(UW, 2)
#define S struct semid_ds
static const struct lay_field semid32_f[] = {
    IPC_PERM(S, sem_perm), F(UW, S, sem_otime), PAD(UW, 1), F(UW, S, sem_ctime), PAD(UW, 1), F(UW, S, sem_nsems), PAD(UW, 2),
};
static const struct layout lay_semid32 = { "semid_ds", sizeof(S), ARRAY_LEN(semid32_f), semid32_f, NULL, LAY_ID, NULL, NULL, NULL };
LAYOUT_ABI(lay_semid, S, &lay_semid32, &lay_semid32, &lay_semid32, IPC_PERM(S, sem_perm), F(SW, S, sem_otime), F(SW, S, sem_ctime), F(UW, S, sem_nsems), PAD(UW, 2));
#undef S
#define S struct shmid_ds
static const struct lay_field shmid32_f[] = {
    IPC_PERM(S, shm_perm), F(UW, S, shm_segsz), F(UW, S, shm_atime), PAD(UW, 1), F(UW, S, shm_dtime), PAD(UW, 1),
    F(UW, S, shm_ctime), PAD(UW, 1), F(S32, S, shm_cpid), F(S32, S, shm_lpid), F(UW, S, shm_nattch), PAD(UW, 2),
};
static const struct layout lay_shmid32 = { "shmid_ds", sizeof(S), ARRAY_LEN(shmid32_f), shmid32_f, NULL, LAY_ID, NULL, NULL, NULL };
LAYOUT_W32(lay_shmid, S, &lay_shmid32, IPC_PERM(S, shm_perm), F(UW, S, shm_segsz), F(SW, S, shm_atime), F(SW, S, shm_dtime),
           F(SW, S, shm_ctime), F(S32, S, shm_cpid), F(S32, S, shm_lpid), F(UW, S, shm_nattch), PAD(UW, 2));
#undef S
#define S struct msqid_ds
#define MSQ_TAIL F(UW, S, __msg_cbytes), F(UW, S, msg_qnum), F(UW, S, msg_qbytes), F(S32, S, msg_lspid), F(S32, S, msg_lrpid), PAD(UW, 2)
static const struct lay_field msqid32_f[] = {
    IPC_PERM(S, msg_perm), F(UW, S, msg_stime), PAD(UW, 1), F(UW, S, msg_rtime), PAD(UW, 1), F(UW, S, msg_ctime), PAD(UW, 1), MSQ_TAIL,
};
static const struct layout lay_msqid32 = { "msqid_ds", sizeof(S), ARRAY_LEN(msqid32_f), msqid32_f, NULL, LAY_ID, NULL, NULL, NULL };
LAYOUT_W32(lay_msqid, S, &lay_msqid32, IPC_PERM(S, msg_perm), F(SW, S, msg_stime), F(SW, S, msg_rtime), F(SW, S, msg_ctime), MSQ_TAIL);
#undef S
#define S struct sembuf
LAYOUT(lay_sembuf, S, F(U16, S, sem_num), F(S16, S, sem_op), F(S16, S, sem_flg));
#undef S
#define S struct shminfo
LAYOUT(lay_shminfo, S, F(UW, S, shmmax), F(UW, S, shmmin), F(UW, S, shmmni), F(UW, S, shmseg), F(UW, S, shmall), PAD(UW, 4));
#undef S
#define S struct seminfo
LAYOUT(lay_seminfo, S, F(S32, S, semmap), F(S32, S, semmni), F(S32, S, semmns), F(S32, S, semmnu), F(S32, S, semmsl),
       F(S32, S, semopm), F(S32, S, semume), F(S32, S, semusz), F(S32, S, semvmx), F(S32, S, semaem));
#undef S
#define S struct mq_attr
LAYOUT(lay_mq_attr, S, F(SW, S, mq_flags), F(SW, S, mq_maxmsg), F(SW, S, mq_msgsize), F(SW, S, mq_curmsgs), PAD(SW, 4));
#undef S

const struct layout *lay_sigaction(const struct proc *p)
{
    /* asm/signal.h of riscv (EM 243) and loongarch (258) define no SA_RESTORER */
    unsigned m = p->guest->elf_machine;
    return m == 243 || m == 258 ? &lay_sigaction_plain : &lay_sigaction_restorer;
}

/* Which member of siginfo's union is in use follows from signal and code (sigaction(2)). */
const struct layout *lay_siginfo(int sig, int code)
{
    if (code == SI_TIMER) return &si_time;
    if (code == SI_SIGIO) return &si_io;
    if (code == SI_USER || code == SI_TKILL) return &si_kill;
    if (code < 0) return &si_rt;
    switch (sig) {
    case SIGCHLD: return &si_child;
    case SIGILL: case SIGFPE: case SIGSEGV: case SIGBUS: case SIGTRAP:
        return code == SI_KERNEL ? &si_kill : &si_fault;
    case SIGIO: return code == SI_KERNEL ? &si_kill : &si_io;
    case SIGSYS: return &si_call;
    default: return &si_kill;
    }
}

/* --- the conversion --- */
static unsigned elem_size(const struct proc *p, unsigned type)
{
    static const uint8_t size[] = { [L_U8] = 1, [L_U16] = 2, [L_U32] = 4, [L_U64] = 8, [L_S8] = 1, [L_S16] = 2, [L_S32] = 4,
                                    [L_S64] = 8, [L_SIGSET] = 8, [L_ALIGN] = 0 };
    return type == L_UW || type == L_SW ? p->word : size[type];
}

static unsigned elem_align(const struct proc *p, unsigned type)
{
    if (type == L_SIGSET || type == L_ALIGN) return p->word;
    unsigned size = elem_size(p, type);
    return p->lnx->abi == LINUX_ABI_I386 ? MIN(size, 4u) : size;
}

uint64_t get_raw(const struct proc *p, const void *src, unsigned size)
{
    uint16_t h;
    uint32_t w;
    uint64_t d;
    switch (size) {
    case 1: return *(const uint8_t *)src;
    case 2: memcpy(&h, src, 2); return p->big ? __builtin_bswap16(h) : h;
    case 4: memcpy(&w, src, 4); return p->big ? __builtin_bswap32(w) : w;
    default: memcpy(&d, src, 8); return p->big ? __builtin_bswap64(d) : d;
    }
}

void put_raw(const struct proc *p, void *dst, unsigned size, uint64_t v)
{
    uint16_t h = (uint16_t)v;
    uint32_t w = (uint32_t)v;
    switch (size) {
    case 1: *(uint8_t *)dst = (uint8_t)v; break;
    case 2: if (p->big) h = __builtin_bswap16(h); memcpy(dst, &h, 2); break;
    case 4: if (p->big) w = __builtin_bswap32(w); memcpy(dst, &w, 4); break;
    default: if (p->big) v = __builtin_bswap64(v); memcpy(dst, &v, 8);
    }
}

static bool is_signed(unsigned type)
{
    return (type >= L_S8 && type <= L_S64) || type == L_SW;
}

static uint64_t host_get(const void *src, unsigned size, bool sign)
{
    uint64_t v = 0;
    memcpy(&v, src, size); /* the host is little endian */
    return sign && size < 8 ? (uint64_t)bits_sext(v, size * 8) : v;
}

/* A sigset is an array of longs, lowest signals first. */
static uint64_t set_get(const struct proc *p, const uint8_t *g)
{
    if (p->word == 8) return get_raw(p, g, 8);
    return get_raw(p, g, 4) | get_raw(p, g + 4, 4) << 32;
}

static void set_put(const struct proc *p, uint8_t *g, uint64_t v)
{
    if (p->word == 8) {
        put_raw(p, g, 8, v);
    } else {
        put_raw(p, g, 4, v);
        put_raw(p, g + 4, 4, v >> 32);
    }
}

static const struct layout *variant(const struct proc *p, const struct layout *l)
{
    if (p->lnx->abi == LINUX_ABI_X86_64) return l->x86_64 ? l->x86_64 : l;
    if (p->lnx->abi == LINUX_ABI_I386 && l->i386) return l->i386;
    return p->word == 4 && l->w32 ? l->w32 : l;
}

/* Walks the fields; decode, encode and size are the same walk. */
enum walk { W_SIZE, W_DECODE, W_ENCODE };
static size_t walk(const struct proc *p, const struct layout *l, uint8_t *host, uint8_t *guest, enum walk what)
{
    size_t off = 0;
    unsigned align = 1;
    l = variant(p, l);
    for (const struct lay_field *f = l->f; f < l->f + l->nfields; f++) {
        unsigned size = elem_size(p, f->type), al = elem_align(p, f->type);
        off = ALIGN_UP(off, (size_t)al);
        align = MAX(align, al);
        if (what != W_SIZE && f->hsize) {
            for (unsigned i = 0; i < f->n; i++) {
                uint8_t *g = guest + off + i * size, *h = host + f->hoff + i * f->hsize;
                if (what == W_ENCODE) {
                    uint64_t v = host_get(h, f->hsize, is_signed(f->type));
                    if (f->type == L_SIGSET)
                        set_put(p, g, v);
                    else
                        put_raw(p, g, size, v);
                } else {
                    uint64_t v = f->type == L_SIGSET ? set_get(p, g) : get_raw(p, g, size);
                    if (is_signed(f->type) && size < 8) v = (uint64_t)bits_sext(v, size * 8);
                    memcpy(h, &v, f->hsize);
                }
            }
        } else if (what == W_ENCODE && size) {
            memset(guest + off, 0, size * f->n);
        }
        off += (size_t)size * f->n;
    }
    return ALIGN_UP(off, (size_t)align);
}

/* Guest and host agree on every byte. */
static bool is_same(const struct proc *p, const struct layout *l)
{
    size_t off = 0;
    if (p->big) return false;
    for (const struct lay_field *f = l->f; f < l->f + l->nfields; f++) {
        unsigned size = elem_size(p, f->type);
        if (off % elem_align(p, f->type) || (f->name && (f->hoff != off || f->hsize != size))) return false;
        off += (size_t)size * f->n;
    }
    return off == l->hsize;
}

/* What the walk would find out again each time: SHAPE_* and the size. */
enum { SHAPE_KNOWN = 1u << 30, SHAPE_SAME = 1u << 29, SHAPE_SIZE = 0xffff };
_Static_assert(__COUNTER__ < (int)LAY_IDS, "proc.lay_shape is too short");
static uint32_t shape(const struct proc *p, const struct layout *l)
{
    uint32_t *known = (uint32_t *)&p->lay_shape[variant(p, l)->id], v = __atomic_load_n(known, __ATOMIC_RELAXED);
    if (likely(v)) return v;
    v = SHAPE_KNOWN | (is_same(p, variant(p, l)) ? SHAPE_SAME : 0) | (uint32_t)walk(p, l, NULL, NULL, W_SIZE);
    __atomic_store_n(known, v, __ATOMIC_RELAXED);
    return v;
}

size_t lay_size(const struct proc *p, const struct layout *l)
{
    return shape(p, l) & SHAPE_SIZE;
}

size_t lay_offset(const struct proc *p, const struct layout *l, const char *field)
{
    size_t off = 0;
    l = variant(p, l);
    for (const struct lay_field *f = l->f; f < l->f + l->nfields; f++) {
        off = ALIGN_UP(off, (size_t)elem_align(p, f->type));
        if (f->name && !strcmp(f->name, field)) return off;
        off += (size_t)elem_size(p, f->type) * f->n;
    }
    return off;
}

void lay_decode(const struct proc *p, const struct layout *l, void *host, const void *guest)
{
    memset(host, 0, l->hsize);
    walk(p, l, host, (uint8_t *)(uintptr_t)guest, W_DECODE);
}

void lay_encode(const struct proc *p, const struct layout *l, void *guest, const void *host)
{
    memset(guest, 0, lay_size(p, l));
    walk(p, l, (uint8_t *)(uintptr_t)host, guest, W_ENCODE);
}

enum { LAY_MAX = 512 };

static const struct layout *timely(const struct task *t, const struct layout *l)
{
    return unlikely(t->time32) && l->time32 ? l->time32 : l;
}

int lay_get(struct task *t, const struct layout *l, void *host, uint64_t addr)
{
    l = timely(t, l);
    uint8_t buf[LAY_MAX];
    uint32_t sh = shape(t->p, l);
    bool same = sh & SHAPE_SAME;
    int r = gmem_read(t->p->mem, same ? host : buf, addr, sh & SHAPE_SIZE, NULL);
    if (!r && !same) lay_decode(t->p, l, host, buf);
    return r;
}

int lay_put(struct task *t, const struct layout *l, uint64_t addr, const void *host)
{
    l = timely(t, l);
    uint8_t buf[LAY_MAX];
    uint32_t sh = shape(t->p, l);
    bool same = sh & SHAPE_SAME;
    if (!same) lay_encode(t->p, l, buf, host);
    return gmem_write(t->p->mem, addr, same ? host : buf, sh & SHAPE_SIZE, NULL);
}

int lay_get_n(struct task *t, const struct layout *l, void *host, uint64_t addr, size_t n)
{
    size_t size = lay_size(t->p, l);
    int r = 0;
    for (size_t i = 0; i < n && !r; i++) r = lay_get(t, l, (char *)host + i * l->hsize, addr + i * size);
    return r;
}

int lay_put_n(struct task *t, const struct layout *l, uint64_t addr, const void *host, size_t n)
{
    size_t size = lay_size(t->p, l);
    int r = 0;
    for (size_t i = 0; i < n && !r; i++) r = lay_put(t, l, addr + i * size, (const char *)host + i * l->hsize);
    return r;
}

int get_uint(struct task *t, uint64_t addr, unsigned size, uint64_t *v)
{
    uint8_t b[8];
    int r = gmem_read(t->p->mem, b, addr, size, NULL);
    if (!r) *v = get_raw(t->p, b, size);
    return r;
}

int put_uint(struct task *t, uint64_t addr, unsigned size, uint64_t v)
{
    uint8_t b[8];
    put_raw(t->p, b, size, v);
    return gmem_write(t->p->mem, addr, b, size, NULL);
}

int get_bytes(struct task *t, void *dst, uint64_t addr, size_t n)
{
    return gmem_read(t->p->mem, dst, addr, n, NULL);
}

int put_bytes(struct task *t, uint64_t addr, const void *src, size_t n)
{
    return gmem_write(t->p->mem, addr, src, n, NULL);
}

int get_str(struct task *t, char *buf, size_t size, uint64_t addr)
{
    int64_t n = gmem_strlen(t->p->mem, addr, size - 1);
    if (n < 0) return (int)n;
    int r = gmem_read(t->p->mem, buf, addr, (size_t)n, NULL);
    buf[n] = 0;
    return r ? r : (int)n;
}
