/* kernel.h: host-side structs of the kernel's ABI for which libc has no definition (or a different one). */
#ifndef LYRE_USER_LINUX_KERNEL_H
#define LYRE_USER_LINUX_KERNEL_H

#include <stdint.h>
#include <time.h>

struct k_f_owner { int32_t type, pid; };
struct k_dirent { uint64_t d_ino; int64_t d_off; uint16_t d_reclen; uint8_t d_type; char d_name[]; };
struct k_file_handle { uint32_t bytes; int32_t type; };
struct k_prstatus { int32_t signo, code, err; int16_t cursig; uint64_t pend, hold; int32_t pid, ppid, pgrp, sid; };
struct k_prpsinfo {
    char state, sname, zomb, nice;
    uint64_t flag;
    uint32_t uid, gid;
    int32_t pid, ppid, pgrp, sid;
    char fname[16], args[80];
};
struct k_mount_attr { uint64_t attr_set, attr_clr, propagation, userns_fd; };
struct k_timespec2 { struct timespec t[2]; };
struct k_sched_param { int32_t sched_priority; };
struct k_sched_attr {
    uint32_t size, sched_policy;
    uint64_t sched_flags;
    int32_t sched_nice;
    uint32_t sched_priority;
    uint64_t sched_runtime, sched_deadline, sched_period;
};
struct k_cap_header { uint32_t version; int32_t pid; };
struct k_cap_data { uint32_t effective, permitted, inheritable; };
struct k_nums { int32_t n[4]; };
struct k_words { uint64_t w[3]; };
struct k_stack { uint64_t sp; int32_t flags; uint64_t size; };
struct k_ucred { int32_t pid; uint32_t uid, gid; };
struct k_termios2 { uint32_t c_iflag, c_oflag, c_cflag, c_lflag; uint8_t c_line, c_cc[19]; uint32_t c_ispeed, c_ospeed; };
struct k_winsize { uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel; };
struct k_loop_fd { uint32_t fd; };
struct k_sigaction { void *handler; uint64_t flags; void *restorer; uint64_t mask; };
struct k_sigset_arg { const void *set; uint64_t size; };

#endif
