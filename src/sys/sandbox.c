/*
 * sandbox.c: seccomp: what a guest that took over the process cannot do any more (-sandbox; QEMU's options). A list of what is denied:
 * threads, io_uring, sockets and files, which QMP and back ends need at any time, stay. What no program in its right mind calls from here
 * kills the process; what a library may try for good reasons fails with EPERM.
 * Known gaps: no list of what is allowed; files are not confined.
 */
#include "sys/sandbox.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include "io/opts.h"

#define SYS(name) SCMP_SYS(name)

/* Kernel, its modules, its mounts, other processes. */
static const int never[] = {
    SYS(kexec_load), SYS(kexec_file_load), SYS(init_module), SYS(finit_module), SYS(delete_module), SYS(create_module), SYS(ptrace),
    SYS(process_vm_readv), SYS(process_vm_writev), SYS(bpf), SYS(mount), SYS(umount), SYS(umount2), SYS(pivot_root), SYS(chroot), SYS(open_tree),
    SYS(move_mount), SYS(fsopen), SYS(fsconfig), SYS(fsmount), SYS(fspick), SYS(mount_setattr), SYS(setns), SYS(unshare), SYS(reboot),
    SYS(swapon), SYS(swapoff), SYS(acct), SYS(quotactl), SYS(quotactl_fd), SYS(syslog), SYS(iopl), SYS(ioperm), SYS(vm86), SYS(vm86old),
    SYS(modify_ldt), SYS(settimeofday), SYS(clock_settime), SYS(clock_adjtime), SYS(adjtimex), SYS(sethostname), SYS(setdomainname),
    SYS(nfsservctl), SYS(lookup_dcookie), SYS(open_by_handle_at), SYS(vhangup), SYS(kcmp), SYS(pidfd_getfd),
};
static const int refused[] = {
    SYS(perf_event_open), SYS(add_key), SYS(request_key), SYS(keyctl), SYS(userfaultfd), SYS(fanotify_init), SYS(personality), SYS(move_pages),
    SYS(migrate_pages), SYS(name_to_handle_at), SYS(process_madvise), SYS(capset),
};
static const int obsolete[] = {
    SYS(readdir), SYS(_sysctl), SYS(bdflush), SYS(get_kernel_syms), SYS(query_module), SYS(sgetmask), SYS(ssetmask), SYS(sysfs), SYS(uselib),
    SYS(ustat), SYS(afs_syscall), SYS(break), SYS(ftime), SYS(getpmsg), SYS(putpmsg), SYS(gtty), SYS(stty), SYS(lock), SYS(mpx), SYS(prof),
    SYS(profil), SYS(security), SYS(tuxcall), SYS(ulimit), SYS(vserver),
};
static const int elevate[] = {
    SYS(setuid), SYS(setgid), SYS(setreuid), SYS(setregid), SYS(setresuid), SYS(setresgid), SYS(setfsuid), SYS(setfsgid), SYS(setgroups),
    SYS(setpgid), SYS(setsid),
};
static const int resource[] = {
    SYS(setpriority), SYS(sched_setparam), SYS(sched_setscheduler), SYS(sched_setaffinity), SYS(sched_setattr), SYS(ioprio_set),
};

static int word(const struct opts *o, const char *key, bool children, uint8_t *to, struct err *e)
{
    static const char *const words[] = { "", "allow", "deny", NULL }, *const more[] = { "", "allow", "deny", "children", NULL };
    int v = SANDBOX_UNSAID, r = opts_has(o, key) ? opts_enum(o, key, children ? more : words, 0, &v, e) : 0;
    if (!r && opts_has(o, key) && !v) r = err_set(e, EINVAL, "'%s' is allow or deny", key);
    *to = (uint8_t)v;
    return r;
}

int sandbox_parse(struct sandbox *s, const char *text, struct err *e)
{
    struct opts o = { 0 };
    bool on = true;
    int r = opts_parse(&o, text, "enable", e);
    if (!r && !(r = opts_bool(&o, "enable", true, &on, e)) && !(r = word(&o, "obsolete", false, &s->obsolete, e)) &&
        !(r = word(&o, "elevateprivileges", true, &s->elevate, e)) && !(r = word(&o, "spawn", false, &s->spawn, e)) &&
        !(r = word(&o, "resourcecontrol", false, &s->resource, e)))
        r = opts_check(&o, "sandbox", e);
    s->off = !on;
    s->said = true;
    opts_free(&o);
    return r;
}

/* Calls that this architecture does not have are left out (libseccomp gives them negative numbers). */
static int deny(scmp_filter_ctx c, const int *list, size_t n, uint32_t action)
{
    int r = 0;
    for (size_t i = 0; i < n && !r; i++)
        if (list[i] >= 0) r = seccomp_rule_add(c, action, list[i], 0);
    return r;
}
#define DENY(c, list, action) deny(c, list, ARRAY_LEN(list), action)

/* Threads stay. clone3's flags are in memory, where no filter looks: glibc takes clone where there is no clone3. */
static int no_spawn(scmp_filter_ctx c)
{
    static const int list[] = { SYS(execve), SYS(execveat), SYS(fork), SYS(vfork) };
    int r = DENY(c, list, SCMP_ACT_ERRNO(EPERM));
    if (!r) r = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SYS(clone3), 0);
    if (!r) r = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    return r;
}

int sandbox_enter(const struct sandbox *s, struct err *e)
{
    if (s->off) return 0;
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    uint32_t eperm = SCMP_ACT_ERRNO(EPERM);
    bool privileges = s->elevate == SANDBOX_ALLOW && s->spawn == SANDBOX_ALLOW; /* of children with set-uid bits */
    if (!c) return err_set(e, ENOMEM, "out of memory");
    int r = seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!r) r = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!r) r = DENY(c, never, SCMP_ACT_KILL_PROCESS);
    if (!r) r = DENY(c, refused, eperm);
    if (!r && s->obsolete != SANDBOX_ALLOW) r = DENY(c, obsolete, SCMP_ACT_KILL_PROCESS);
    if (!r && (s->elevate == SANDBOX_UNSAID || s->elevate == SANDBOX_DENY)) r = DENY(c, elevate, eperm);
    if (!r && s->resource == SANDBOX_DENY) r = DENY(c, resource, eperm);
    if (!r && s->spawn != SANDBOX_ALLOW) r = no_spawn(c);
    if (r) {
        seccomp_release(c);
        return err_set(e, -r, "seccomp: %s", strerror(-r));
    }
    if (privileges && !seccomp_attr_set(c, SCMP_FLTATR_CTL_NNP, 0) && !seccomp_load(c)) {
        seccomp_release(c);
        return 0;
    }
    r = seccomp_attr_set(c, SCMP_FLTATR_CTL_NNP, 1); /* without privileges it cannot be had in another way */
    if (!r) r = seccomp_load(c);
    seccomp_release(c);
    return r ? err_set(e, -r, "failed to install seccomp syscall filter: %s", strerror(-r)) : 0;
}
