/*
 * x87_ctl.isa.c: control of the x87 unit: words, environment, whole state, pending exceptions. Intel SDM volume 1, 8.1, 8.7, 10.5.
 * None of these looks at pending exceptions but WAIT, FLDCW, FLDENV, FRSTOR and (not FXSAVE) FXRSTOR's memory image.
 * Known gaps: CR0.TS, EM and NE (system mode); #AC.
 */
#include "xl.h"
#include "x87_host.h"

static struct x87 *unit(CPU *cpu)
{
    return &x86_cpu_rw(cpu)->x87;
}

/* After any change of masks. */
static void new_mode(CPU *cpu)
{
    cpu->mode = x87_mode(unit(cpu), cpu->mode);
}
static void end_mode(struct xlat *t)
{
    xl_stop_mode(t, ir_get(t, R_MODE));
}

HELPER(void, x87_wait, (CPU *cpu), "fault r=x87,sys")
{
    if (x87_pending(unit(cpu))) cpu_raise(cpu, EXC_GUEST, VEC_MF, 0);
}
void x87_xl_wait(struct xlat *t)
{
    if (t->mode & MODE_X87_UNMASKED) IR_CALL0(t, x87_wait);
}

INSN(fwait, "9B @FPU", "fwait")
{
    x87_xl_wait(t);
}

HELPER(void, fninit, (CPU *cpu), "r=x87,sys,x87ptr w=x87,sys,x87ptr")
{
    x87_init(unit(cpu));
    host_clear();
    new_mode(cpu);
}
INSN(fninit, "DB E3 @FPU", "fninit")
{
    IR_CALL0(t, fninit);
    if (t->mode & MODE_X87_UNMASKED) end_mode(t);
}

HELPER(void, fnclex, (CPU *cpu), "r=x87 w=x87")
{
    unit(cpu)->sw &= ~(uint32_t)(X80_EXC | X80_SF);
    host_clear();
}
INSN(fnclex, "DB E2 @FPU", "fnclex")
{
    IR_CALL0(t, fnclex);
}

/* Left over from the 8087 and the 80287: no operation. */
INSN(fneni, "DB E0 @FPU", "fneni(8087 only)") { }
INSN(fndisi, "DB E1 @FPU", "fndisi(8087 only)") { }
INSN(fnsetpm, "DB E4 @FPU", "fnsetpm(287 only)") { }
INSN(fnop, "D9 D0 @FPU", "fnop")
{
    x87_xl_wait(t);
}

/* -- words -------------------------------------------------------------------------------------------------------------- */
INSN(fnstcw, "D9 /7 Mw @FPU", "fnstcw")
{
    dst(t, f, 0, ir_trunc(t, T_I16, ir_get(t, R_X87_CW)));
}
HELPER(void, fldcw, (CPU *cpu, uint32_t v), "r=x87,sys,x87ptr w=x87,sys,x87ptr")
{
    x87_set_cw(unit(cpu), (uint16_t)v);
    new_mode(cpu);
}
INSN(fldcw, "D9 /5 Mw @FPU", "fldcw")
{
    V v = ir_zext(t, T_I32, src(t, f, 0));
    x87_xl_wait(t);
    IR_CALL(t, fldcw, v);
    end_mode(t);
}
HELPER(uint32_t, fnstsw, (CPU *cpu), "r=x87")
{
    return x87_status(unit(cpu));
}
INSN(fnstsw, "DF E0 AX @FPU | DD /7 Mw @FPU", "fnstsw")
{
    V v;
    if (t->mode & MODE_X87_UNMASKED) v = IR_CALL0(t, fnstsw);
    else v = ir_or(t, ir_get(t, R_X87_SW), ir_shli(t, ir_get(t, R_X87_TOP), 11));
    dst(t, f, 0, ir_trunc(t, T_I16, v));
}

/* -- environment and state ------------------------------------------------------------------------------------------------ */
enum { WIDE = 1, REAL = 2, LONG = 4 };

static V form(struct xlat *t, F *f)
{
    return ir_k32(t, (f->osize != 16 ? WIDE : 0) | (t->mode & (MODE_REAL | MODE_VM86) ? REAL : 0));
}
static V address(struct xlat *t, F *f)
{
    return ea_value(t, x86_ea(t, f, &f->op[0]));
}

HELPER(void, fnstenv, (CPU *cpu, uint64_t addr, uint32_t how), "fault r=x87,sys,x87ptr w=x87,sys,x87ptr")
{
    struct x87 *x = unit(cpu);
    uint8_t b[X87_ENV_MAX];

    cpu_stn(cpu, addr, b, x87_env_put(x, b, how & WIDE, how & REAL));
    x->cw |= X80_EXC;
    new_mode(cpu);
}
INSN(fnstenv, "D9 /6 M @FPU", "fnstenv")
{
    IR_CALL(t, fnstenv, address(t, f), form(t, f));
    if (t->mode & MODE_X87_UNMASKED) end_mode(t);
}
HELPER(void, fldenv, (CPU *cpu, uint64_t addr, uint32_t how), "fault r=x87,sys,x87ptr w=x87,sys,x87ptr")
{
    uint8_t b[X87_ENV_MAX];

    cpu_ldn(cpu, b, addr, how & WIDE ? 28 : 14);
    x87_env_get(unit(cpu), b, how & WIDE, how & REAL);
    host_clear();
    new_mode(cpu);
}
INSN(fldenv, "D9 /4 M @FPU", "fldenv")
{
    x87_xl_wait(t);
    IR_CALL(t, fldenv, address(t, f), form(t, f));
    end_mode(t);
}
HELPER(void, fnsave, (CPU *cpu, uint64_t addr, uint32_t how), "fault r=x87,sys,x87ptr w=x87,sys,x87ptr")
{
    struct x87 *x = unit(cpu);
    uint8_t b[X87_ENV_MAX + X87_REGS_BYTES];
    unsigned n = x87_env_put(x, b, how & WIDE, how & REAL);

    x87_regs_put(x, b + n);
    cpu_stn(cpu, addr, b, n + X87_REGS_BYTES);
    x87_init(x);
    host_clear();
    new_mode(cpu);
}
INSN(fnsave, "DD /6 M @FPU", "fnsave")
{
    IR_CALL(t, fnsave, address(t, f), form(t, f));
    if (t->mode & MODE_X87_UNMASKED) end_mode(t);
}
HELPER(void, frstor, (CPU *cpu, uint64_t addr, uint32_t how), "fault r=x87,sys,x87ptr w=x87,sys,x87ptr")
{
    struct x87 *x = unit(cpu);
    uint8_t b[X87_ENV_MAX + X87_REGS_BYTES];
    unsigned n = how & WIDE ? 28 : 14;

    cpu_ldn(cpu, b, addr, n + X87_REGS_BYTES);
    x87_env_get(x, b, how & WIDE, how & REAL);
    x87_regs_get(x, b + n);
    host_clear();
    new_mode(cpu);
}
INSN(frstor, "DD /4 M @FPU", "frstor")
{
    x87_xl_wait(t);
    IR_CALL(t, frstor, address(t, f), form(t, f));
    end_mode(t);
}
