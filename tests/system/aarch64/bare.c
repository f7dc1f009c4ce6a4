#include "bare.h"
#include <stdarg.h>

volatile struct noted ex;
u32 use_smc;
void *volatile recover;
void (*volatile on_irq)(struct frame *f, u64 vec, u64 el);
void (*volatile on_debug_hook)(struct frame *f, u64 vec, u64 el);
static u64 told;
extern char comes_back[], low_return[];
extern u64 lower_from;

static void putc_(char c)
{
    volatile u32 *uart = (void *)0x9000000;
    while (uart[6] & 1 << 5) {}
    uart[0] = (u8)c;
}
void puts_(const char *s)
{
    for (; *s; s++) putc_(*s);
}
void putx(u64 v)
{
    int n = 60;
    while (n && !(v >> n)) n -= 4;
    for (; n >= 0; n -= 4) putc_("0123456789abcdef"[v >> n & 15]);
}
void say(const char *name, int n, ...)
{
    va_list ap;
    puts_(name);
    puts_(":");
    va_start(ap, n);
    while (n--) puts_(" "), putx(va_arg(ap, u64));
    va_end(ap);
    puts_("\n");
}
void tell_far(const char *name, const void *at, u64 far_base)
{
    u64 n = ex.count - told;
    told = ex.count;
    if (!n)
        say(name, 1, 0ul);
    else if (ex.far == far_base)
        say(name, 6, n, ex.vec, ex.el, ex.esr, ex.elr - (u64)at, ex.spsr);
    else
        say(name, 7, n, ex.vec, ex.el, ex.esr, ex.elr - (u64)at, ex.spsr, ex.far - far_base);
}
void tell(const char *name, const void *at)
{
    tell_far(name, at, ex.far);
}
u64 current_el(void)
{
    return MRS(CurrentEL) >> 2;
}
u64 psci(u64 fn, u64 a, u64 b, u64 c)
{
    register u64 x0 asm("x0") = fn, x1 asm("x1") = a, x2 asm("x2") = b, x3 asm("x3") = c;
    if (use_smc)
        asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory", "x4", "x5", "x6", "x7");
    else
        asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory", "x4", "x5", "x6", "x7");
    return x0;
}

void trap(struct frame *f, u64 vec, u64 el)
{
    u32 ec = (u32)(f->esr >> 26);
    if ((vec & 3) == 0 && ec == 0x20 && f->elr == (u64)low_return) { /* not executable for EL0 */
        f->elr = (u64)comes_back;
        f->spsr = (el << 2 | 1) | 0x3c0;
        return;
    }
    if (lower_from == 3 && el < 3 && (vec & 3) == 0 &&
        ((ec == 0 && f->elr == (u64)low_return + 4) || ((ec == 0x15 || ec == 0x16) && (f->esr & 0xffff) == 0x77))) {
        register u64 x0 asm("x0") = f->x[0];
        asm volatile("smc #0x77" : : "r"(x0)); /* the way to EL3 */
    }
    if ((vec & 3) == 0 && (ec == 0x15 || ec == 0x16 || ec == 0x17) && (f->esr & 0xffff) == 0x77) {
        f->elr = (u64)comes_back;
        f->spsr = (el << 2 | 1) | 0x3c0;
        return;
    }
    if ((vec & 3) == 0 && f->x[30] && ec == 0 && *(u32 *)f->elr == 0xd5384241) { /* low_return at EL0 */
        f->elr += 8;
        return;
    }
    if (!(vec & 3) && on_debug_hook && ec >= 0x30 && ec < 0x38) {
        on_debug_hook(f, vec, el);
        return;
    }
    if ((vec & 3) && on_irq) {
        on_irq(f, vec, el);
        return;
    }
    ex.count++;
    ex.vec = vec, ex.el = el, ex.esr = vec & 3 && (vec & 3) != 3 ? 0 : f->esr, ex.elr = f->elr, ex.far = f->far, ex.spsr = f->spsr & ~0xc00ul; /* BTYPE is nobody's business without guarded pages */
    if (el == 2) ex.hpfar = MRS(hpfar_el2);
    if (vec & 3) return;
    if (ec == 0x15 || ec == 0x16 || ec == 0x17) {
        if (ec == 0x17 && el == 2) f->elr += 4; /* a trapped SMC */
        return;
    }
    f->spsr &= ~(1ul << 20 | 3ul << 10);
    if (ec == 0x20 || ec == 0x21 || ec == 0x22 || recover) {
        f->elr = recover ? (u64)recover : f->x[30];
        return;
    }
    f->elr += 4;
}
