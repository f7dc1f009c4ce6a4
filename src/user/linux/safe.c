/*
 * safe.c: the host's system call instruction (x86-64 hosts; another host adds its own three stubs).
 *
 * safe_syscall6 closes the window between "no signal is pending" and the kernel: the host's signal handler, finding the
 * interrupted pc between the check and the instruction, moves it to the exit that returns SYS_AGAIN: the call has not
 * begun, whatever the guest's handler says about restarting (getpid cannot fail with EINTR). The kernel itself moves pc
 * back to the instruction when it would restart a call (all our handlers have SA_RESTART), so "interrupted and
 * restartable" arrives here too and returns SYS_RESTART; it is told apart by rcx, where the instruction leaves the
 * address after it.
 */
#include "user/linux/user.h"

#include <sched.h>
#include <ucontext.h>

extern const char safe_syscall_begin[], safe_syscall_end[], safe_syscall_again[], safe_syscall_restart[];

#if defined(__x86_64__)
__asm__(".text\n"
        ".type safe_syscall6, @function\n"
        ".globl safe_syscall6\n"
        ".hidden safe_syscall6\n"
        "safe_syscall6:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    push %rbx\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset rbx, 0\n"
        "    mov %rdi, %rbx\n"          /* pending */
        "    mov %rsi, %rax\n"          /* number */
        "    mov %rdx, %rdi\n"
        "    mov %rcx, %rsi\n"
        "    mov %r8, %rdx\n"
        "    mov %r9, %r10\n"
        "    mov 16(%rsp), %r8\n"
        "    mov 24(%rsp), %r9\n"
        "    xor %ecx, %ecx\n"
        ".globl safe_syscall_begin\n.hidden safe_syscall_begin\n"
        "safe_syscall_begin:\n"
        "    cmpl $0, (%rbx)\n"
        "    jne safe_syscall_again\n"
        "    syscall\n"
        ".globl safe_syscall_end\n.hidden safe_syscall_end\n"
        "safe_syscall_end:\n"
        "    pop %rbx\n"
        "    .cfi_remember_state\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore rbx\n"
        "    ret\n"
        ".globl safe_syscall_restart\n.hidden safe_syscall_restart\n"
        "safe_syscall_restart:\n"
        "    .cfi_restore_state\n"
        "    mov $-512, %rax\n"
        "    jmp 1f\n"
        ".globl safe_syscall_again\n.hidden safe_syscall_again\n"
        "safe_syscall_again:\n"
        "    mov $-514, %rax\n"
        "1:  pop %rbx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore rbx\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size safe_syscall6, . - safe_syscall6\n"

        ".type sig_restorer, @function\n"
        ".globl sig_restorer\n"
        ".hidden sig_restorer\n"
        "    nop\n"
        "sig_restorer:\n"
        "    mov $15, %eax\n"           /* rt_sigreturn */
        "    syscall\n"

        /* clone_call(flags, stack, fn, arg) */
        ".type clone_call, @function\n"
        ".globl clone_call\n"
        ".hidden clone_call\n"
        "clone_call:\n"
        "    endbr64\n"
        "    and $-16, %rsi\n"
        "    mov %rdx, %r8\n"
        "    mov %rcx, %r9\n"
        "    xor %edx, %edx\n"
        "    xor %r10d, %r10d\n"
        "    mov $56, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  xor %ebp, %ebp\n"
        "    mov %r9, %rdi\n"
        "    call *%r8\n"
        "    mov %eax, %edi\n"
        "    mov $60, %eax\n"           /* exit */
        "    syscall\n"
        "    hlt\n");

bool safe_interrupt(void *ucontext)
{
    ucontext_t *uc = ucontext;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    if (pc < (uintptr_t)safe_syscall_begin || pc >= (uintptr_t)safe_syscall_end) return false;
    bool begun = (uintptr_t)uc->uc_mcontext.gregs[REG_RCX] == (uintptr_t)safe_syscall_end;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)(begun ? safe_syscall_restart : safe_syscall_again);
    return true;
}

long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long ret;
    __asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}
#else
#error "user mode needs the system call stubs of this host"
#endif
