/*
 * system.isa.c: CPUID, time stamp, fences, cache hints, random numbers, segment registers, what only privileged code may. Intel SDM
 * volumes 2 and 3.
 * Known gaps: in user mode only; far jumps, calls and returns, IRET, descriptor tables, control and debug registers, ports.
 */
#include <sys/random.h>
#include <time.h>
#include "xl.h"

/* -- identification, time ----------------------------------------------------------------------------------------------- */

HELPER(void, cpuid, (CPU *cpu), "r=gpr w=gpr")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint32_t out[4];

    x86_cpuid(x, (uint32_t)x->r[R_RAX], (uint32_t)x->r[R_RCX], out);
    x->r[R_RAX] = out[0];
    x->r[R_RBX] = out[1];
    x->r[R_RCX] = out[2];
    x->r[R_RDX] = out[3];
}

INSN(cpuid, "0F A2", "cpuid")
{
    IR_CALL0(t, cpuid);
}

/* A constant rate of 1 GHz, which CPUID leaf 15h tells. */
HELPER(uint64_t, tsc, (CPU *cpu), "")
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void put_tsc(struct xlat *t)
{
    V v = IR_CALL0(t, tsc);
    ir_put(t, R_RAX, ir_zext(t, T_I64, ir_trunc(t, T_I32, v)));
    ir_put(t, R_RDX, ir_shri(t, v, 32));
}

INSN(rdtsc, "0F 31 @TSC", "rdtsc")
{
    put_tsc(t);
}

HELPER(uint32_t, tsc_aux, (CPU *cpu), "")
{
    return x86_cpu(cpu)->tsc_aux;
}

INSN(rdtscp, "0F 01 F9 @RDTSCP", "rdtscp")
{
    put_tsc(t);
    ir_put(t, R_RCX, ir_zext(t, T_I64, IR_CALL0(t, tsc_aux)));
}

INSN(rdpid, "F3 0F C7 /7 reg o64 Rq @RDPID | F3 0F C7 /7 reg i64 Rd @RDPID", "rdpid")
{
    set_gpr(t, f->op[0].reg, ir_zext(t, type_of(f->op[0].bits), IR_CALL0(t, tsc_aux)));
}

INSN(xgetbv, "NP 0F 01 D0 @XSAVE", "xgetbv")
{
    /* XCR0 does not change in user mode */
    fault_if(t, ir_cmpi(t, C_NE, gpr(t, R_RCX, 32), 0), VEC_GP);
    ir_put(t, R_RAX, ir_k(t, (uint32_t)x86(t)->xcr0));
    ir_put(t, R_RDX, ir_k(t, x86(t)->xcr0 >> 32));
}

/* -- random numbers: the host's, or a generator with a seed (xorshift64*) --------------------------------------------- */

HELPER(uint64_t, random, (CPU *cpu), "")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint64_t v = 0;

    if (!x->rnd) {
        while (getrandom(&v, sizeof v, 0) != sizeof v) {}
        return v;
    }
    x->rnd ^= x->rnd >> 12;
    x->rnd ^= x->rnd << 25;
    x->rnd ^= x->rnd >> 27;
    return x->rnd * 0x2545f4914f6cdd1dull;
}

/* C: there was one. */
static void put_random(struct xlat *t, F *f)
{
    V z = k1(t, false), one = ir_k32(t, 1);
    dst(t, f, 0, ir_trunc(t, type_of(f->op[0].bits), IR_CALL0(t, random)));
    put_flags(t, &(struct flags){ .zfv = ir_k(t, 1), .sfv = ir_k(t, 0), .pfv = one, .afv = one, .cf = k1(t, true), .of = z });
}

INSN(rdrand, "NFx 0F C7 /6 reg Rv @RDRAND", "rdrand")
{
    put_random(t, f);
}

INSN(rdseed, "NFx 0F C7 /7 reg Rv @RDSEED", "rdseed")
{
    put_random(t, f);
}

/* -- memory order, hints -------------------------------------------------------------------------------------------------- */

INSN(mfence, "NP 0F AE F0+i @SSE2", "mfence")
{
    ir_fence(t, FENCE_ALL);
}

INSN(lfence, "NP 0F AE E8+i @SSE2", "lfence")
{
}

INSN(sfence, "NP 0F AE F8+i @SSE", "sfence")
{
}

INSN(serialize, "NP 0F 01 E8 @SERIALIZE", "serialize")
{
}

INSN(pause, "F3 90 rexb0", "pause")
{
}

INSN(prefetchnta, "0F 18 /0 Mb", "prefetchnta") { }
INSN(prefetcht0, "0F 18 /1 Mb", "prefetcht0") { }
INSN(prefetcht1, "0F 18 /2 Mb", "prefetcht1") { }
INSN(prefetcht2, "0F 18 /3 Mb", "prefetcht2") { }
INSN(prefetch, "0F 0D /r Mb", "prefetch") { }
INSN(prefetchw, "0F 0D /1 Mb", "prefetchw") { }

/* What the line is written back from is always coherent here; the address has to be readable. */
static void flush_line(struct xlat *t, F *f)
{
    ir_probe(t, ea_value(t, x86_ea(t, f, &f->op[0])), 1, false);
}

INSN(clflush, "NP 0F AE /7 Mb @CLFSH", "clflush")
{
    flush_line(t, f);
}

INSN(clflushopt, "66 0F AE /7 Mb @CLFLUSHOPT", "clflushopt")
{
    flush_line(t, f);
}

INSN(clwb, "66 0F AE /6 Mb @CLWB", "clwb")
{
    flush_line(t, f);
}

INSN(clzero, "NP 0F 01 FC @CLZERO", "clzero")
{
    V a = x86_linear(t, ir_andi(t, ir_zext(t, T_I64, gpr(t, R_RAX, f->asize)), ~63ull), f->mem_seg), zero = ir_k(t, 0);
    for (unsigned i = 0; i < 8; i++) ir_st(t, a, i * 8, zero, MO_64);
}

/* -- segment registers -------------------------------------------------------------------------------------------------- */

INSN(rdfsbase, "F3 0F AE /0 o64 Ry @FSGSBASE", "rdfsbase")
{
    dst(t, f, 0, ir_trunc(t, type_of(f->op[0].bits), ir_get(t, R_SEGBASE + SEG_FS)));
}

INSN(rdgsbase, "F3 0F AE /1 o64 Ry @FSGSBASE", "rdgsbase")
{
    dst(t, f, 0, ir_trunc(t, type_of(f->op[0].bits), ir_get(t, R_SEGBASE + SEG_GS)));
}

static void write_base(struct xlat *t, F *f, unsigned seg)
{
    V v = ir_zext(t, T_I64, src(t, f, 0));
    fault_if(t, ir_cmp(t, C_NE, ir_sbfx(t, v, 0, 48), v), VEC_GP);
    ir_put(t, R_SEGBASE + seg, v);
}

INSN(wrfsbase, "F3 0F AE /2 o64 Ry @FSGSBASE", "wrfsbase")
{
    write_base(t, f, SEG_FS);
}

INSN(wrgsbase, "F3 0F AE /3 o64 Ry @FSGSBASE", "wrgsbase")
{
    write_base(t, f, SEG_GS);
}

HELPER(void, load_seg, (CPU *cpu, uint32_t seg, uint32_t sel), "fault r=seg,sys w=seg,sys")
{
    if (!x86_load_seg(x86_cpu_rw(cpu), seg, (uint16_t)sel)) cpu_raise(cpu, EXC_GUEST, VEC_GP, 0);
}

/* Loading a register other than FS and GS can change how code is translated. */
static void load_seg(struct xlat *t, unsigned seg, V sel)
{
    IR_CALL(t, load_seg, ir_k32(t, seg), ir_zext(t, T_I32, sel));
    if (seg < SEG_FS) xl_stop_mode(t, ir_get(t, R_MODE));
}

INSN(mov_to_seg, "8E /r Sw,Ew", "mov")
{
    if (f->op[0].reg == SEG_CS) xl_illegal(t);
    else load_seg(t, f->op[0].reg, src(t, f, 1));
}

INSN(pop_seg, "07 i64 ES | 17 i64 SS | 1F i64 DS | 0F A1 d64 FS | 0F A9 d64 GS", "pop")
{
    load_seg(t, f->op[0].reg, ir_trunc(t, T_I16, stack_top(t, type_of(f->osize), 0)));
    stack_drop(t, f->osize / 8);
}

static void load_far(struct xlat *t, F *f, unsigned seg)
{
    struct ea m = x86_ea(t, f, &f->op[1]), s = m;
    V off = ld(t, type_of(f->osize), m);
    s.disp += f->osize / 8;
    load_seg(t, seg, ld(t, T_I16, s));
    dst(t, f, 0, off);
}

INSN(les, "C4 /r mem i64 Gv,Mp", "les")
{
    load_far(t, f, SEG_ES);
}

INSN(lds, "C5 /r mem i64 Gv,Mp", "lds")
{
    load_far(t, f, SEG_DS);
}

INSN(lss, "0F B2 /r Gv,Mp", "lss")
{
    load_far(t, f, SEG_SS);
}

INSN(lfs, "0F B4 /r Gv,Mp", "lfs")
{
    load_far(t, f, SEG_FS);
}

INSN(lgs, "0F B5 /r Gv,Mp", "lgs")
{
    load_far(t, f, SEG_GS);
}

/* -- privileged ----------------------------------------------------------------------------------------------------------- */

INSN(hlt, "F4", "hlt")
{
    fault(t, VEC_GP);
}

INSN(cli, "FA", "cli")
{
    fault(t, VEC_GP);
}

INSN(sti, "FB", "sti")
{
    fault(t, VEC_GP);
}

INSN(in, "E4 AL,Ib | E5 eAX,Ib | EC AL,DX | ED eAX,DX", "in")
{
    fault(t, VEC_GP);
}

INSN(out, "E6 Ib,AL | E7 Ib,eAX | EE DX,AL | EF DX,eAX", "out")
{
    fault(t, VEC_GP);
}

INSN(ins, "6C rep Yb,DX | 6D rep Yz,DX", "ins")
{
    fault(t, VEC_GP);
}

INSN(outs, "6E rep DX,Xb | 6F rep DX,Xz", "outs")
{
    fault(t, VEC_GP);
}
