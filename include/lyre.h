/*
 * lyre.h: Lyrebird as a library. Two layers:
 *
 *   machines   bare CPUs with an address space of their own: map memory, set registers, run, look at
 *              what happened
 *   programs   Linux programs of a foreign architecture, run as `lyre PROGRAM ARGS` does
 *              (lyre_program_*)
 *
 * Conventions. Functions that can fail return 0 or a negative errno value; those that take a lyre_error (which may
 * be NULL) explain themselves in a sentence there. Structures that the library fills or reads begin with their
 * size, which the caller sets with LYRE_INIT: later versions may know more members, and neither side touches what
 * the other does not know. Strings that are returned live as long as the library; what the caller passes in is
 * copied unless it says otherwise. Nothing here exits or aborts for what a guest or a file can cause. Only when the
 * host has no memory for the library's own small records does it end the process, with a message and status 71.
 *
 * Threads. Different machines are independent. Of one machine, each CPU may run in a thread of its own; everything
 * else that takes the machine may be called from any thread at any time unless its comment says otherwise. One CPU
 * is used by one thread at a time, but for lyre_stop.
 *
 * The host: x86-64 Linux translates to host code; elsewhere "interp" is what there is. Guest faults are found by
 * host faults: see lyre_handle_fault. On x86-64, GS of a thread that runs a machine is the library's. After fork()
 * a child must not use machines of its parent, but it may open its own.
 */
#ifndef LYRE_H
#define LYRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LYRE_API __attribute__((visibility("default")))

/* Grows with each version that changes or removes something here; additions keep it. */
#define LYRE_API_VERSION 1

/* An empty structure of a type that begins with its size: lyre_exit e = LYRE_INIT(lyre_exit). */
#ifdef __cplusplus
#define LYRE_INIT(type) ([] { type empty = type(); empty.size = sizeof(type); return empty; }())
#else
#define LYRE_INIT(type) { .size = sizeof(type) }
#endif

/* LYRE_API_VERSION of the library in use, and its name and release ("0.1.0"). */
LYRE_API unsigned lyre_api_version(void);
LYRE_API const char *lyre_version(void);

typedef struct lyre_error {
    int code;          /* positive errno value, 0 = none */
    char message[252]; /* one sentence: what was wrong and what would be accepted */
} lyre_error;

/* --- what there is -------------------------------------------------------------------------------------- */

typedef struct lyre_guest_info {
    size_t size;
    const char *name;      /* "riscv64" */
    const char *aliases;   /* comma-separated other names, or NULL */
    uint16_t elf_machine;  /* e_machine of its programs */
    uint8_t elf_class;     /* EI_CLASS: 1 = 32 bit, 2 = 64 bit */
    bool big_endian;
    bool linux_programs;   /* lyre_program_* can run them */
    uint8_t code_align;    /* instructions lie at multiples of this many bytes */
} lyre_guest_info;

/* Guest number `index`, from 0; -ENOENT past the last one. */
LYRE_API int lyre_guest(unsigned index, lyre_guest_info *info);
/* The same by name or alias; -ENOENT if there is none. */
LYRE_API int lyre_guest_find(const char *name, lyre_guest_info *info);

/* CPU model number `index` of a guest, the default first: its name and a line of help. -ENOENT past the last one or
 * for an unknown guest. Models are chosen as "name,feature=on,other=off,vlen=256". */
LYRE_API int lyre_cpu_model(const char *guest, unsigned index, const char **name, const char **help);

/* --- machines ------------------------------------------------------------------------------------------- */

typedef struct lyre_machine lyre_machine;
typedef struct lyre_cpu lyre_cpu;

typedef struct lyre_machine_options {
    size_t size;
    const char *accel;      /* "jit" (NULL too): translation where the host has a translator, else as "interp" */
    unsigned address_bits;  /* of a 64-bit guest: see lyre_open; 0 = 38 */
    uint32_t page_size;     /* of mappings: a power of two from the host's page size to 65536; 0 = the host's */
    size_t code_cache;      /* bytes of address space for translated code, 1 MiB to 2 GiB; 0 = 128 MiB;
                               memory is used as code comes */
} lyre_machine_options;

/*
 * A machine of a guest ("riscv64"): an address space with nothing in it, and no CPU. options may be NULL. NULL with
 * *e: no such guest or option, or the host has no room.
 *
 * Addresses. A 32-bit guest has all of its 4 GiB. A 64-bit guest has 2^address_bits bytes from address 0 on,
 * address_bits from 32 to 46; they are reserved in the host's address space, not allocated. Every access above ends
 * in LYRE_EXIT_FAULT. So a sparse 64-bit space (kernel addresses like 0xffff800000000000) is not to be had: that
 * needs a software MMU, which is not there yet. CPUs are in user mode (RISC-V U, AArch64 EL0, no top-byte-ignore)
 * and addresses are not translated.
 */
LYRE_API lyre_machine *lyre_open(const char *guest, const lyre_machine_options *options, lyre_error *e);
/* Frees the machine, its CPUs, hooks and memory. None of its CPUs may be running. NULL is fine. */
LYRE_API void lyre_close(lyre_machine *m);

/* Memory. Protection is a set of these; the host's MMU is the one that checks, so what can be written or executed
 * can be read. */
enum { LYRE_READ = 1, LYRE_WRITE = 2, LYRE_EXEC = 4 };

/*
 * Maps [address, address + length): zeroed memory (fd = -1), or what an open file has from `offset` on, shared with
 * it; a memfd is host memory that the caller maps too. All are multiples of the page size. -EEXIST: something is
 * mapped there; -EINVAL: not aligned, empty or beyond the address space; else the host's mmap error. The descriptor
 * may be closed afterwards.
 */
LYRE_API int lyre_map(lyre_machine *m, uint64_t address, uint64_t length, unsigned protection, int fd, uint64_t offset);
/* Removes whatever is mapped in the range; -EINVAL as above. */
LYRE_API int lyre_unmap(lyre_machine *m, uint64_t address, uint64_t length);
/* Changes protection; -ENOMEM if part of the range is not mapped (what lies before that part is changed). */
LYRE_API int lyre_protect(lyre_machine *m, uint64_t address, uint64_t length, unsigned protection);

typedef struct lyre_range {
    size_t size;
    uint64_t start, end;   /* end: first byte after */
    unsigned protection;
} lyre_range;
/* The mapped range that holds `address`, or the first one above it; -ENOENT: none. Neighbours of equal protection
 * are one. */
LYRE_API int lyre_mapped(lyre_machine *m, uint64_t address, lyre_range *range);

/*
 * Copies between guest and caller, whatever the protection; 0, or -EFAULT if something is not mapped: then *done
 * (if not NULL) tells how many bytes were copied. Writes to code take effect: what was translated from it is
 * dropped.
 */
LYRE_API int lyre_read(lyre_machine *m, uint64_t address, void *buffer, size_t length, size_t *done);
LYRE_API int lyre_write(lyre_machine *m, uint64_t address, const void *buffer, size_t length, size_t *done);
/* Code in the range was changed by other means: through the descriptor or another mapping of lyre_map. */
LYRE_API void lyre_code_changed(lyre_machine *m, uint64_t address, uint64_t length);

/* --- CPUs ----------------------------------------------------------------------------------------------- */

/* Another CPU, reset; model as for lyre_cpu_model, NULL = the default. Belongs to the machine. */
LYRE_API lyre_cpu *lyre_cpu_new(lyre_machine *m, const char *model, lyre_error *e);
/* Must not be running. NULL is fine. */
LYRE_API void lyre_cpu_free(lyre_cpu *cpu);
LYRE_API lyre_machine *lyre_cpu_machine(const lyre_cpu *cpu);

/*
 * Registers have the manual's names in the spelling of gdb's target descriptions ("a0", "pc", "x29", "v0", "cpsr")
 * and numbers from 0 to lyre_registers() - 1 that are good for this version of the library only. Values are in the
 * host's byte order. They may be read and written while the CPU does not run, and in hooks on it. Writing may drop
 * bits that do not exist.
 */
typedef struct lyre_register_info {
    size_t size;
    const char *name;
    unsigned bits;  /* width; its value takes (bits + 7) / 8 bytes */
} lyre_register_info;
LYRE_API unsigned lyre_registers(const lyre_cpu *cpu);
/* -ENOENT: this CPU has no register of that number (gaps are possible) or name. */
LYRE_API int lyre_register(const lyre_cpu *cpu, unsigned number, lyre_register_info *info);
LYRE_API int lyre_register_find(const lyre_cpu *cpu, const char *name, unsigned *number);
/* `length` must be the register's size in bytes, else -EINVAL; -ENOENT as above. */
LYRE_API int lyre_register_read(lyre_cpu *cpu, unsigned number, void *value, size_t length);
LYRE_API int lyre_register_write(lyre_cpu *cpu, unsigned number, const void *value, size_t length);
/* By name, for registers of at most 64 bits (wider: -EINVAL). */
LYRE_API int lyre_get(lyre_cpu *cpu, const char *name, uint64_t *value);
LYRE_API int lyre_set(lyre_cpu *cpu, const char *name, uint64_t value);
/* The program counter, which every guest has. */
LYRE_API uint64_t lyre_pc(const lyre_cpu *cpu);
LYRE_API void lyre_set_pc(lyre_cpu *cpu, uint64_t pc);

/* --- running -------------------------------------------------------------------------------------------- */

typedef enum lyre_reason {
    LYRE_EXIT_NONE,
    LYRE_EXIT_UNTIL,    /* pc is the address that was asked for; the instruction there did not run */
    LYRE_EXIT_LIMIT,    /* as many instructions as were asked for have completed */
    LYRE_EXIT_STOP,     /* lyre_stop */
    /* exceptions */
    LYRE_EXIT_SYSCALL,  /* a system call instruction completed: pc is after it; code: as the guest encodes it */
    LYRE_EXIT_BREAK,    /* a breakpoint instruction, at pc */
    LYRE_EXIT_ILLEGAL,  /* an undefined or forbidden instruction, at pc */
    LYRE_EXIT_FAULT,    /* memory: address, access, mapped; pc is the instruction's own, or for a fetch the address */
    LYRE_EXIT_ALIGN,    /* a misaligned access that must not be: address; or a misaligned pc */
    LYRE_EXIT_FP,       /* a trapped floating-point exception; no guest has them yet */
    LYRE_EXIT_GUEST     /* what only this guest has: code */
} lyre_reason;

/* Why a run ended. An instruction with an exception (but for a system call) did not complete, and running on tries
 * it again. */
typedef struct lyre_exit {
    size_t size;
    lyre_reason reason;
    uint32_t code;          /* SYSCALL, BREAK, ILLEGAL, FP, GUEST: what the guest encodes in it, else 0 */
    uint64_t pc;            /* where the CPU is */
    uint64_t address;       /* FAULT: the first byte that could not be accessed; ALIGN: where the access was to be */
    unsigned access;        /* FAULT: LYRE_READ, LYRE_WRITE or LYRE_EXEC; of an atomic update READ or WRITE */
    bool mapped;            /* FAULT: something is mapped there, but it forbids the access */
    uint64_t instructions;  /* that completed, if the run had a limit; else 0 */
} lyre_exit;

#define LYRE_NOWHERE UINT64_MAX

/*
 * Runs from the CPU's pc on, in the calling thread, until something of enum lyre_reason happens; fills *exit (if
 * not NULL).
 *   until   stop before the instruction at this address, even if it is the first one; LYRE_NOWHERE: none
 *   limit   stop when so many instructions have completed; 0: no limit. Exact. From the first run with a
 *           limit on, the machine's code is translated so that it counts, which makes it slower (a compare per
 *           instruction).
 * Returns 0, or -EBUSY: the CPU is running, or the caller is a hook.
 */
LYRE_API int lyre_run(lyre_cpu *cpu, uint64_t until, uint64_t limit, lyre_exit *exit);

/*
 * Ends the CPU's run soon (at the next jump backwards or out of the translated code), in any thread or signal
 * handler. If it is not running, its next run ends at once: no request is lost.
 */
LYRE_API void lyre_stop(lyre_cpu *cpu);

/* --- hooks ---------------------------------------------------------------------------------------------- */

/*
 * Hooks are called in the thread that runs the CPU. They may use everything but lyre_run, lyre_close, lyre_cpu_free
 * and the functions that add and remove hooks; lyre_stop takes effect at once. There is no hook on memory accesses
 * and none on blocks: the engine's regions are not the guest's basic blocks, and memory is accessed without a
 * detour. Unmapped or protected pages are the way to see accesses: they end in LYRE_EXIT_FAULT, and running on
 * tries again.
 */
typedef struct lyre_hook lyre_hook;

/*
 * Before each instruction in [first, last] begins, pc being its address: only code there becomes slower. It may
 * change registers, pc and code, which the instruction sees. If it stops the run, running on at the same pc does
 * not call it again first. Hooks are called in the order in which they were added. NULL with *e: first > last
 * (EINVAL), or a CPU of the machine runs (EBUSY).
 */
typedef void lyre_code_hook(lyre_cpu *cpu, uint64_t pc, void *data);
LYRE_API lyre_hook *lyre_hook_code(lyre_machine *m, uint64_t first, uint64_t last, lyre_code_hook *fn, void *data,
                                   lyre_error *e);
/* At every exception (LYRE_EXIT_SYSCALL and what follows it in enum lyre_reason), before lyre_run would return.
 * True: it was seen to, run on at the CPU's pc. */
typedef bool lyre_exception_hook(lyre_cpu *cpu, const lyre_exit *exit, void *data);
LYRE_API lyre_hook *lyre_hook_exception(lyre_machine *m, lyre_exception_hook *fn, void *data, lyre_error *e);
/* -EBUSY while a CPU of the machine runs. Hooks of a machine that is closed are gone. */
LYRE_API int lyre_unhook(lyre_hook *hook);

/* For LYRE_EXIT_SYSCALL: number and arguments of a Linux system call as the guest's ABI passes them; its result, or
 * -errno. -ENOSYS: no Linux ABI is known for the guest. */
LYRE_API int lyre_linux_call(lyre_cpu *cpu, uint64_t *number, uint64_t arguments[6]);
LYRE_API int lyre_linux_result(lyre_cpu *cpu, int64_t result);

/*
 * One instruction as text, in objdump's spelling, for this CPU's model; returns its length in bytes (at least 1;
 * bytes that are no instruction come as data), or -EINVAL if length is 0.
 */
LYRE_API int lyre_disassemble(lyre_cpu *cpu, const void *code, size_t length, uint64_t pc, char *text,
                              size_t text_size);

/*
 * Faults. lyre_open installs handlers for SIGSEGV and SIGBUS, once per process; they pass on to the handlers of
 * before what is not a guest's fault. A program that installs its own later must call this first, in the thread
 * that faulted, and return when it gives true. lyre_run sees to it that its thread does not block these signals
 * meanwhile.
 */
LYRE_API bool lyre_handle_fault(int signal, void *siginfo, void *ucontext);

/* --- Linux programs ------------------------------------------------------------------------------------- */

/*
 * A program with the options it is to run with. They have the names and arguments of the command line, without the
 * dash ("cpu", "L", "strace"); lyre_program_option lists them. A guest of NULL means the one that the program's
 * file is for.
 */
typedef struct lyre_program lyre_program;
/* NULL: no such guest, or no Linux programs for it (*e). */
LYRE_API lyre_program *lyre_program_new(const char *guest, lyre_error *e);
LYRE_API void lyre_program_free(lyre_program *p);

typedef struct lyre_option_info {
    size_t size;
    const char *name;      /* "cpu" */
    const char *variable;  /* of the environment: "QEMU_CPU", or NULL */
    const char *argument;  /* what it takes, or NULL: nothing */
    const char *help;      /* NULL: not for people */
} lyre_option_info;
/* Option number `index`, from 0; -ENOENT past the last one. */
LYRE_API int lyre_program_option(unsigned index, lyre_option_info *info);

/* Sets one option; value is NULL for those without an argument, else it must stay as it is until the program has
 * been started. -EINVAL with *e: no such option, or not a value for it. */
LYRE_API int lyre_program_set(lyre_program *p, const char *name, const char *value, lyre_error *e);
/* What was set: the text of an option that takes one, "" for one without an argument, NULL: not set, or a number.
 * */
LYRE_API const char *lyre_program_get(const lyre_program *p, const char *name);
/* Sets options from the environment of the process (QEMU_CPU ...), then from argv[1] on up to the first word that
 * is none, whose index is returned; -EINVAL with *e. The strings must stay as they are. */
LYRE_API int lyre_program_parse(lyre_program *p, int argc, char **argv, lyre_error *e);

/* The guest of a program's file, by its descriptor or, if that is -1, its path; NULL with *e: none of ours. */
LYRE_API const char *lyre_program_guest(const char *path, int fd, lyre_error *e);

/*
 * Becomes the program, as execve would: argv[0] is its file. Returns only if it could not be started: the negative
 * errno value, with *e. Its exit is the process's, and so are its signals, descriptors, limits and its address
 * space: a 64-bit guest lives at the host's own addresses (what the process has mapped stays, and is within the
 * guest's reach: the guest is as trusted as the process is). Handlers of signals are reset; no other thread may
 * exist.
 */
LYRE_API int lyre_program_exec(lyre_program *p, char **argv, char **envp, lyre_error *e);

/*
 * The same in a child process, from any thread: *pid is to be waited for (waitpid), and its status is the
 * program's: what it exited with, or the signal that ended it. Descriptors with FD_CLOEXEC are closed in it. 0, or
 * the negative errno value with *e if the program could not be started; then there is no child.
 *
 * When the program executes a program of a guest, that is for another emulator process: the option "emulator" is
 * the path of a `lyre` (the command line gives its own). Without it the kernel is asked, who may know
 * (binfmt_misc).
 */
LYRE_API int lyre_program_spawn(lyre_program *p, char **argv, char **envp, pid_t *pid, lyre_error *e);

/* --- log ------------------------------------------------------------------------------------------------ */

/*
 * What the library logs, for the whole process: items of lyre_log_item separated by commas; NULL or "" = nothing.
 * To stderr, or a file ("%d" in its name becomes the process number). To be called before the first machine or
 * program. -EINVAL, or the file's error, with *e.
 */
LYRE_API int lyre_log(const char *items, const char *file, lyre_error *e);
/* Item number `index`, from 0, and a line of help; -ENOENT past the last one. */
LYRE_API int lyre_log_item(unsigned index, const char **name, const char **help);

/* --- roles of the executable `lyre`: not in the library (they bring libraries of their own) ------------------ */

/* lyre-img, qemu-img: disk images. The exit status. */
int lyre_img(int argc, char **argv);
/* lyre-nbd, qemu-nbd: a disk image over NBD. */
int lyre_nbd(int argc, char **argv);
/* lyre-system-ARCH, qemu-system-ARCH: a machine by QEMU's command line. `role` begins messages. The exit status. arch == NULL: prints
 * the architectures that there are. */
int lyre_system(const char *role, const char *arch, int argc, char **argv);
/* lyre FILE [OPTION...], lyre -n FILE: boots a kernel, firmware, disk or ISO on its architecture's machine; -n: prints how. -1: the file
 * is none of these. */
int lyre_image(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
