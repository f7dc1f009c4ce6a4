/* bare.h: what the bare-metal tests share: printing, exceptions that are noted, running at lower levels. */
#ifndef BARE_H
#define BARE_H
typedef unsigned long u64;
typedef unsigned u32;
typedef unsigned char u8;

#define MRS(reg) ({ u64 v_ = 0; asm volatile("mrs %0, " #reg : "+r"(v_) : : "memory"); v_; })
#define MSR(reg, val) asm volatile("msr " #reg ", %x0\n\tisb" : : "rZ"((u64)(val)) : "memory")
#define SYS1(op, val) asm volatile(#op ", %x0" : : "rZ"((u64)(val)) : "memory")
#define INSN_(...) asm volatile(__VA_ARGS__ : : : "memory")
#define DSB() asm volatile("dsb sy\n\tisb" : : : "memory")

struct frame {
    u64 x[31], elr, spsr, esr, far;
};
_Static_assert(sizeof(struct frame) <= 288, "start.S");

/* The last exception: what the handler saw. */
struct noted {
    u64 count, vec, el, esr, elr, far, spsr, hpfar;
};
extern volatile struct noted ex;
extern u32 use_smc;
extern u64 low_offset;
extern u8 free_memory[];
/* A fetch that faults goes on there; a function that is called for interrupts. */
extern void *volatile recover;
extern void (*volatile on_irq)(struct frame *f, u64 vec, u64 el);

void puts_(const char *s);
void putx(u64 v);
/* "name: hex hex ...\n" */
void say(const char *name, int n, ...);
#define SAY(name, ...) say(name, sizeof((u64[]){ __VA_ARGS__ }) / sizeof(u64), __VA_ARGS__)
/* Says how many exceptions there were since the last time, and the last one: vector, level, ESR, ELR - at, FAR, SPSR. */
void tell(const char *name, const void *at);
void tell_far(const char *name, const void *at, u64 far_base);
u64 lower(u64 (*fn)(u64), u64 arg, u64 spsr, u64 from_el);
u64 current_el(void);
/* Runs fn(arg) at EL0 from EL1 with interrupts masked. */
#define AT_EL0(fn, arg) lower(fn, (u64)(arg), 0x3c0, current_el())
void bye(void) __attribute__((noreturn));
void cpu_entry(void);
u64 psci(u64 fn, u64 a, u64 b, u64 c);
void main(void);
#endif
