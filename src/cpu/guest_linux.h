/*
 * guest_linux.h: what user/linux has to know of an ISA (floor 2); each guest/<isa>/linux.c defines one
 * `const struct guest_linux`. System call handlers are generic (user/linux); the ISA gives numbers, registers, frames.
 */
#ifndef LYRE_CPU_GUEST_LINUX_H
#define LYRE_CPU_GUEST_LINUX_H

#include "cpu/cpu.h"

/* Which layout family the kernel's structs follow on this ABI (struct stat, flock, termios ... differ by it). */
enum linux_abi { LINUX_ABI_GENERIC64, LINUX_ABI_GENERIC32, LINUX_ABI_I386, LINUX_ABI_X86_64, LINUX_ABI_ARM };

/* A signal as it is delivered to the guest; si is a host siginfo_t already converted to the guest's layout. */
struct guest_signal {
    int sig;                 /* guest's number */
    uint8_t siginfo[128];
    uint64_t handler, restorer, mask[2]; /* mask: the guest's blocked set to be restored by sigreturn */
    uint32_t flags;          /* guest's SA_* */
    uint64_t alt_sp, alt_size; /* alternate stack as configured */
    uint32_t alt_flags;
    bool on_alt;             /* deliver on the alternate stack */
};

enum { CORE_REGS_MAX = 640 };

struct guest_linux {
    enum linux_abi abi;
    uint32_t min_page;           /* 4096 */
    const char *uname_machine;   /* "riscv64" */
    uint32_t prot_guard;         /* bit of mmap's and mprotect's prot that asks for guarded pages (PROT_BTI); 0: none */
    struct { uint32_t type, bit; } guard_note; /* GNU property of an ELF file whose code is to be guarded */
    const char *interp_prefix;   /* Debian's triplet dir, "riscv64-linux-gnu" */
    /* System call registers. */
    void (*sys_args)(CPU *cpu, uint64_t *nr, uint64_t args[6]);
    void (*sys_ret)(CPU *cpu, int64_t ret);          /* result or -errno, as the ABI returns it */
    void (*sys_restart)(CPU *cpu, uint64_t nr, uint64_t arg0); /* rewinds pc and argument registers so that it runs again */
    uint64_t (*get_sp)(const CPU *cpu);
    void (*set_sp)(CPU *cpu, uint64_t sp);
    void (*set_tls)(CPU *cpu, uint64_t tls);
    uint64_t (*get_tls)(const CPU *cpu);
    /* From the thread pointer: glibc's pointer to the vector of blocks (dtv); the program's own block before it is aligned. */
    int8_t tls_dtv, tls_block;
    void (*start)(CPU *cpu, uint64_t entry, uint64_t sp); /* registers at program start */
    void (*clone_child)(CPU *cpu);                   /* return value 0 etc. in the new thread */
    /* From now on others (threads, processes) see the CPU's memory: called before the first of them exists, may be called again.
     * NULL = code is the same either way. */
    void (*shared)(CPU *cpu);
    /* Writes the frame and sets registers to enter the handler; -EFAULT if the stack is not writable. `vdso_sigreturn` = address of
     * the trampoline in the vdso page. */
    int (*sig_setup)(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn);
    /* rt_sigreturn: restores registers; mask and alternate stack are handed back. -EFAULT on a bad frame. */
    int (*sig_return)(CPU *cpu, uint64_t mask[2], uint64_t alt[3] /* sp, flags, size; alt[2] = ~0: unchanged */);
    /* The same for the older sigreturn of ABIs that have one (i386), else NULL. */
    int (*old_sig_return)(CPU *cpu, uint64_t mask[2], uint64_t alt[3]);
    /* Converts an engine exception that is a guest signal: returns signal number and code (SIGILL, SIGTRAP, SIGFPE, SIGBUS). */
    int (*exc_signal)(CPU *cpu, enum cpu_exc exc, uint32_t code, int *si_code, uint64_t *addr);
    /* The exception is the ISA's semihosting call: true, and pc is behind it. NULL = there are none. */
    bool (*semihost)(CPU *cpu, enum cpu_exc exc);
    /* A memory fault (EXC_FAULT; v->fault_addr, exc_code) that is none after all: true if the CPU was changed so that running
     * on is right (AArch64 top-byte-ignore). NULL = never. */
    bool (*fault_retry)(CPU *cpu);
    /* AT_MINSIGSTKSZ: bytes of stack that the frame needs with this CPU's registers. */
    size_t (*min_sigstack)(const CPU *cpu);
    /* auxv */
    uint64_t (*hwcap)(const CPU *cpu, int which /* 0: AT_HWCAP, 1: AT_HWCAP2 */);
    const char *(*platform)(const CPU *cpu);
    /* The vdso image: an ELF shared object built by the guest from instruction words; code for sigreturn and the time calls
     * (system calls inside are fine). NULL = none. */
    const void *(*vdso)(size_t *size);
    /* ISA-specific system calls (riscv_hwprobe, riscv_flush_icache, ...): true if handled. */
    bool (*syscall)(CPU *cpu, uint64_t nr, const uint64_t args[6], int64_t *ret);
    const struct { uint64_t nr; const char *name; } *extra_names;
    /* prctl extensions of the ISA: true if handled */
    bool (*prctl)(CPU *cpu, const uint64_t args[5], int64_t *ret);
    /* /proc/cpuinfo text of one CPU into buf; returns length */
    size_t (*cpuinfo)(const CPU *cpu, unsigned index, char *buf, size_t size);
    /* For core files: what struct elf_prstatus has as pr_reg, or (fp) elf_fpregset_t; returns its size. NULL = no core files. */
    size_t (*core_regs)(const CPU *cpu, bool fp, uint8_t out[CORE_REGS_MAX]);
};

#endif
