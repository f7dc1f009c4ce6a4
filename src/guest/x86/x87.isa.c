/*
 * x87.isa.c: the x87 instructions D8 to DF that compute, load, store and compare; x87_ctl.isa.c has those of control. Intel SDM
 * volume 1, chapter 8, and volume 2. An instruction asks for pending exceptions (only where the translation mode says that there may
 * be one), notes where it is, and calls its helper in x87_op.isa.c. While all exceptions are masked, a store is the helper's value
 * and an ordinary store after it, so that a page fault finds the unit as it was.
 */
#include "xl.h"

static bool unmasked(struct xlat *t)
{
    return t->mode & MODE_X87_UNMASKED;
}
/* Keeps the instruction's address; opcode and operand's offset too if an exception's handler may come to look at them. */
static void note(struct xlat *t, F *f)
{
    int64_t disp;

    ir_put(t, R_X87_FIP, ip_value(t, t->pc, T_I64));
    if (!unmasked(t)) return;
    ir_put(t, R_X87_FOP, ir_k32(t, (uint32_t)((f->opcode & 7) << 8 | f->mod << 6 | (f->reg & 7) << 3 | (f->rm & 7))));
    if (f->mod == 3) return;
    V off = x86_offset(t, f, &disp);
    ir_put(t, R_X87_FDP, ir_addi(t, off, (uint64_t)disp));
}
/* What an instruction without a memory operand begins with. */
static void begin(struct xlat *t, F *f)
{
    x87_xl_wait(t);
    note(t, f);
}
/* The same of one that may have a memory operand, which comes back; else 0. */
static V begin_src(struct xlat *t, F *f)
{
    x87_xl_wait(t);
    V v = f->mod == 3 ? 0 : src(t, f, 0);
    note(t, f);
    return v;
}
static V ki(struct xlat *t, uint32_t k)
{
    return ir_k32(t, k);
}
static unsigned rm(F *f)
{
    return f->rm & 7;
}

/* -- arithmetic ----------------------------------------------------------------------------------------------------------- */

/* ST0 = ST0 op STi, STi = STi op ST0 (with pop), or from memory. st, s, d: the three helpers. */
static void arith(struct xlat *t, F *f, const struct ir_helper *st, const struct ir_helper *s, const struct ir_helper *d)
{
    V v = begin_src(t, f);

    if (v) {
        ir_call(t, f->op[0].bits == 32 ? s : d, &v);
    } else {
        unsigned to = f->opcode == 0xd8 ? 0 : rm(f), from = f->opcode == 0xd8 ? rm(f) : 0;
        v = ki(t, to | from << 3 | (f->opcode == 0xde ? ST_POP : 0));
        ir_call(t, st, &v);
    }
}
INSN(fadd, "D8 /0 Md @FPU | DC /0 Mq @FPU | D8 C0+i ST,STi @FPU | DC C0+i STi,ST @FPU", "fadd")
{
    arith(t, f, &x86_hd_fadd_st, &x86_hd_fadd_s, &x86_hd_fadd_d);
}
INSN(faddp, "DE C0+i STi,ST @FPU", "faddp")
{
    arith(t, f, &x86_hd_fadd_st, 0, 0);
}
INSN(fmul, "D8 /1 Md @FPU | DC /1 Mq @FPU | D8 C8+i ST,STi @FPU | DC C8+i STi,ST @FPU", "fmul")
{
    arith(t, f, &x86_hd_fmul_st, &x86_hd_fmul_s, &x86_hd_fmul_d);
}
INSN(fmulp, "DE C8+i STi,ST @FPU", "fmulp")
{
    arith(t, f, &x86_hd_fmul_st, 0, 0);
}
INSN(fsub, "D8 /4 Md @FPU | DC /4 Mq @FPU | D8 E0+i ST,STi @FPU | DC E8+i STi,ST @FPU", "fsub")
{
    arith(t, f, &x86_hd_fsub_st, &x86_hd_fsub_s, &x86_hd_fsub_d);
}
INSN(fsubp, "DE E8+i STi,ST @FPU", "fsubp")
{
    arith(t, f, &x86_hd_fsub_st, 0, 0);
}
INSN(fsubr, "D8 /5 Md @FPU | DC /5 Mq @FPU | D8 E8+i ST,STi @FPU | DC E0+i STi,ST @FPU", "fsubr")
{
    arith(t, f, &x86_hd_fsubr_st, &x86_hd_fsubr_s, &x86_hd_fsubr_d);
}
INSN(fsubrp, "DE E0+i STi,ST @FPU", "fsubrp")
{
    arith(t, f, &x86_hd_fsubr_st, 0, 0);
}
INSN(fdiv, "D8 /6 Md @FPU | DC /6 Mq @FPU | D8 F0+i ST,STi @FPU | DC F8+i STi,ST @FPU", "fdiv")
{
    arith(t, f, &x86_hd_fdiv_st, &x86_hd_fdiv_s, &x86_hd_fdiv_d);
}
INSN(fdivp, "DE F8+i STi,ST @FPU", "fdivp")
{
    arith(t, f, &x86_hd_fdiv_st, 0, 0);
}
INSN(fdivr, "D8 /7 Md @FPU | DC /7 Mq @FPU | D8 F8+i ST,STi @FPU | DC F0+i STi,ST @FPU", "fdivr")
{
    arith(t, f, &x86_hd_fdivr_st, &x86_hd_fdivr_s, &x86_hd_fdivr_d);
}
INSN(fdivrp, "DE F0+i STi,ST @FPU", "fdivrp")
{
    arith(t, f, &x86_hd_fdivr_st, 0, 0);
}

static void arith_int(struct xlat *t, F *f)
{
    V v = ir_sext(t, T_I32, begin_src(t, f));

    IR_CALL(t, farith_int, ki(t, f->reg & 7), v);
}
INSN(fiadd, "DA /0 Md @FPU | DE /0 Mw @FPU", "fiadd") { arith_int(t, f); }
INSN(fimul, "DA /1 Md @FPU | DE /1 Mw @FPU", "fimul") { arith_int(t, f); }
INSN(fisub, "DA /4 Md @FPU | DE /4 Mw @FPU", "fisub") { arith_int(t, f); }
INSN(fisubr, "DA /5 Md @FPU | DE /5 Mw @FPU", "fisubr") { arith_int(t, f); }
INSN(fidiv, "DA /6 Md @FPU | DE /6 Mw @FPU", "fidiv") { arith_int(t, f); }
INSN(fidivr, "DA /7 Md @FPU | DE /7 Mw @FPU", "fidivr") { arith_int(t, f); }

/* -- comparisons ---------------------------------------------------------------------------------------------------------- */
static void compare(struct xlat *t, F *f, uint32_t how)
{
    V v = begin_src(t, f);

    if (!v) IR_CALL(t, fcom_st, ki(t, rm(f) | how));
    else if (f->op[0].bits == 32) IR_CALL(t, fcom_s, v, ki(t, how));
    else IR_CALL(t, fcom_d, v, ki(t, how));
}
INSN(fcom, "D8 /2 Md @FPU | DC /2 Mq @FPU | D8 D0+i STi @FPU", "fcom") { compare(t, f, 0); }
INSN(fcomp, "D8 /3 Md @FPU | DC /3 Mq @FPU | D8 D8+i STi @FPU", "fcomp") { compare(t, f, CMP_POP); }
INSN(fcom2, "DC D0+i STi @FPU", "fcom2") { compare(t, f, 0); }
INSN(fcomp3, "DC D8+i STi @FPU", "fcomp3") { compare(t, f, CMP_POP); }
INSN(fcomp5, "DE D0+i STi @FPU", "fcomp5") { compare(t, f, CMP_POP); }
INSN(fcompp, "DE D9 @FPU", "fcompp") { compare(t, f, CMP_POP2); }
INSN(fucom, "DD E0+i STi @FPU", "fucom") { compare(t, f, CMP_QUIET); }
INSN(fucomp, "DD E8+i STi @FPU", "fucomp") { compare(t, f, CMP_QUIET | CMP_POP); }
INSN(fucompp, "DA E9 @FPU", "fucompp") { compare(t, f, CMP_QUIET | CMP_POP2); }

static void compare_int(struct xlat *t, F *f, uint32_t how)
{
    V v = ir_sext(t, T_I32, begin_src(t, f));

    IR_CALL(t, ficom, v, ki(t, how));
}
INSN(ficom, "DA /2 Md @FPU | DE /2 Mw @FPU", "ficom") { compare_int(t, f, 0); }
INSN(ficomp, "DA /3 Md @FPU | DE /3 Mw @FPU", "ficomp") { compare_int(t, f, CMP_POP); }

INSN(ftst, "D9 E4 @FPU", "ftst")
{
    begin(t, f);
    IR_CALL0(t, ftst);
}
INSN(fxam, "D9 E5 @FPU", "fxam")
{
    begin(t, f);
    IR_CALL0(t, fxam);
}

static void compare_flags(struct xlat *t, F *f, uint32_t how)
{
    begin(t, f);
    V v = IR_CALL(t, fcomi, ki(t, rm(f) | how));
    V c = ir_trunc(t, T_I1, v), p = ir_trunc(t, T_I1, ir_shri(t, v, 1)), z = ir_trunc(t, T_I1, ir_shri(t, v, 2));
    put_flags_zpc(t, z, p, c);
}
INSN(fcomi, "DB F0+i ST,STi @FPU @CMOV", "fcomi") { compare_flags(t, f, 0); }
INSN(fcomip, "DF F0+i ST,STi @FPU @CMOV", "fcomip") { compare_flags(t, f, CMP_POP); }
INSN(fucomi, "DB E8+i ST,STi @FPU @CMOV", "fucomi") { compare_flags(t, f, CMP_QUIET); }
INSN(fucomip, "DF E8+i ST,STi @FPU @CMOV", "fucomip") { compare_flags(t, f, CMP_QUIET | CMP_POP); }

/* -- loads ---------------------------------------------------------------------------------------------------------------- */
INSN(fld, "D9 /0 Md @FPU | DD /0 Mq @FPU | DB /5 Mt @FPU | D9 C0+i STi @FPU", "fld")
{
    V v, se;

    if (f->op[0].bits == 80 && f->mod != 3) {
        x87_xl_wait(t);
        struct ea m = x86_ea(t, f, &f->op[0]);
        v = ir_ld(t, T_I64, m.a, m.disp, MO_64);
        se = ir_ld(t, T_I32, m.a, m.disp + 8, MO_16);
        note(t, f);
        IR_CALL(t, fld_t, v, se);
        return;
    }
    v = begin_src(t, f);
    if (!v) IR_CALL(t, fld_st, ki(t, rm(f)));
    else if (f->op[0].bits == 32) IR_CALL(t, fld_s, v);
    else IR_CALL(t, fld_d, v);
}
INSN(fild, "DF /0 Mw @FPU | DB /0 Md @FPU | DF /5 Mq @FPU", "fild")
{
    V v = ir_sext(t, T_I64, begin_src(t, f));

    IR_CALL(t, fild, v);
}
INSN(fbld, "DF /4 Mt @FPU", "fbld")
{
    x87_xl_wait(t);
    IR_CALL(t, fbld, ea_value(t, x86_ea(t, f, &f->op[0])));
    note(t, f);
}
static void constant(struct xlat *t, F *f, enum x80_const c)
{
    begin(t, f);
    IR_CALL(t, fld_const, ki(t, c));
}
INSN(fld1, "D9 E8 @FPU", "fld1") { constant(t, f, X80_ONE); }
INSN(fldl2t, "D9 E9 @FPU", "fldl2t") { constant(t, f, X80_L2T); }
INSN(fldl2e, "D9 EA @FPU", "fldl2e") { constant(t, f, X80_L2E); }
INSN(fldpi, "D9 EB @FPU", "fldpi") { constant(t, f, X80_PI); }
INSN(fldlg2, "D9 EC @FPU", "fldlg2") { constant(t, f, X80_LG2); }
INSN(fldln2, "D9 ED @FPU", "fldln2") { constant(t, f, X80_LN2); }
INSN(fldz, "D9 EE @FPU", "fldz") { constant(t, f, X80_ZERO); }

/* -- stores --------------------------------------------------------------------------------------------------------------- */

/* Takes over what a store left in new_sw, and pops. */
static void stored(struct xlat *t, bool popped)
{
    ir_put(t, R_X87_SW, ir_get(t, R_X87_NEW_SW));
    if (!popped) return;
    V top = ir_get(t, R_X87_TOP), bit = ir_shl(t, ki(t, 1), top);
    ir_put(t, R_X87_TAG, ir_and(t, ir_get(t, R_X87_TAG), ir_not(t, bit)));
    ir_put(t, R_X87_TOP, ir_andi(t, ir_addi(t, top, 1), 7));
}
static void store(struct xlat *t, F *f, enum fst how, bool popped)
{
    struct ea m = x86_ea(t, f, &f->op[0]);
    V v;

    x87_xl_wait(t);
    if (unmasked(t) || how == M_BCD) {
        IR_CALL(t, fst_mem, ea_value(t, m), ki(t, how | (popped ? M_POP : 0)));
        note(t, f);
        return;
    }
    switch (how) {
    case M_S: v = IR_CALL0(t, fst_s); break;
    case M_D: v = IR_CALL0(t, fst_d); break;
    case M_T:
        ir_probe(t, ea_value(t, m), 10, true);
        v = IR_CALL0(t, fst_t);
        ir_st(t, m.a, m.disp, v, MO_64);
        m.disp += 8;
        v = ir_trunc(t, T_I16, ir_get(t, R_X87_NEW_SE));
        break;
    default: v = ir_trunc(t, type_of(f->op[0].bits), IR_CALL(t, fist, ki(t, how))); break;
    }
    st(t, m, v);
    stored(t, popped);
    note(t, f);
}
INSN(fst, "D9 /2 Md @FPU | DD /2 Mq @FPU | DD D0+i STi @FPU", "fst")
{
    if (f->mod != 3) {
        store(t, f, f->op[0].bits == 32 ? M_S : M_D, false);
        return;
    }
    begin(t, f);
    IR_CALL(t, fst_st, ki(t, rm(f)), k1(t, false));
}
static void store_pop(struct xlat *t, F *f)
{
    begin(t, f);
    IR_CALL(t, fst_st, ki(t, rm(f)), k1(t, true));
}
INSN(fstp, "D9 /3 Md @FPU | DD /3 Mq @FPU | DB /7 Mt @FPU | DD D8+i STi @FPU", "fstp")
{
    if (f->mod == 3) store_pop(t, f);
    else store(t, f, f->op[0].bits == 32 ? M_S : f->op[0].bits == 64 ? M_D : M_T, true);
}
INSN(fstp1, "D9 D8+i STi @FPU", "fstp1")
{
    begin(t, f);
    IR_CALL(t, fstp1, ki(t, rm(f)));
}
INSN(fstp8, "DF D0+i STi @FPU", "fstp8") { store_pop(t, f); }
INSN(fstp9, "DF D8+i STi @FPU", "fstp9") { store_pop(t, f); }

static void store_int(struct xlat *t, F *f, enum fst first, bool popped)
{
    store(t, f, first + (f->op[0].bits == 16 ? 0 : f->op[0].bits == 32 ? 1 : 2), popped);
}
INSN(fist, "DF /2 Mw @FPU | DB /2 Md @FPU", "fist") { store_int(t, f, M_W, false); }
INSN(fistp, "DF /3 Mw @FPU | DB /3 Md @FPU | DF /7 Mq @FPU", "fistp") { store_int(t, f, M_W, true); }
INSN(fisttp, "DF /1 Mw @FPU @SSE3 | DB /1 Md @FPU @SSE3 | DD /1 Mq @FPU @SSE3", "fisttp") { store_int(t, f, M_TW, true); }
INSN(fbstp, "DF /6 Mt @FPU", "fbstp") { store(t, f, M_BCD, true); }

/* -- registers ------------------------------------------------------------------------------------------------------------ */
static void exchange(struct xlat *t, F *f)
{
    begin(t, f);
    IR_CALL(t, fxch, ki(t, rm(f)));
}
INSN(fxch, "D9 C8+i STi @FPU", "fxch") { exchange(t, f); }
INSN(fxch4, "DD C8+i STi @FPU", "fxch4") { exchange(t, f); }
INSN(fxch7, "DF C8+i STi @FPU", "fxch7") { exchange(t, f); }

static void move_if(struct xlat *t, F *f, unsigned cc)
{
    begin(t, f);
    IR_CALL(t, fcmov, ki(t, rm(f)), condition(t, cc));
}
INSN(fcmovb, "DA C0+i ST,STi @FPU @CMOV", "fcmovb") { move_if(t, f, 2); }
INSN(fcmove, "DA C8+i ST,STi @FPU @CMOV", "fcmove") { move_if(t, f, 4); }
INSN(fcmovbe, "DA D0+i ST,STi @FPU @CMOV", "fcmovbe") { move_if(t, f, 6); }
INSN(fcmovu, "DA D8+i ST,STi @FPU @CMOV", "fcmovu") { move_if(t, f, 10); }
INSN(fcmovnb, "DB C0+i ST,STi @FPU @CMOV", "fcmovnb") { move_if(t, f, 3); }
INSN(fcmovne, "DB C8+i ST,STi @FPU @CMOV", "fcmovne") { move_if(t, f, 5); }
INSN(fcmovnbe, "DB D0+i ST,STi @FPU @CMOV", "fcmovnbe") { move_if(t, f, 7); }
INSN(fcmovnu, "DB D8+i ST,STi @FPU @CMOV", "fcmovnu") { move_if(t, f, 11); }

INSN(fchs, "D9 E0 @FPU", "fchs")
{
    begin(t, f);
    IR_CALL(t, fsign, k1(t, true));
}
INSN(fabs, "D9 E1 @FPU", "fabs")
{
    begin(t, f);
    IR_CALL(t, fsign, k1(t, false));
}
INSN(ffree, "DD C0+i STi @FPU", "ffree")
{
    begin(t, f);
    IR_CALL(t, ffree, ki(t, rm(f)), k1(t, false));
}
INSN(ffreep, "DF C0+i STi @FPU", "ffreep")
{
    begin(t, f);
    IR_CALL(t, ffree, ki(t, rm(f)), k1(t, true));
}
INSN(fincstp, "D9 F7 @FPU", "fincstp")
{
    begin(t, f);
    IR_CALL(t, fincstp, ki(t, 1));
}
INSN(fdecstp, "D9 F6 @FPU", "fdecstp")
{
    begin(t, f);
    IR_CALL(t, fincstp, ki(t, 7));
}

/* -- functions ------------------------------------------------------------------------------------------------------------ */
static void function(struct xlat *t, F *f, const struct ir_helper *h)
{
    begin(t, f);
    ir_call(t, h, NULL);
}
INSN(fsqrt, "D9 FA @FPU", "fsqrt") { function(t, f, &x86_hd_fsqrt); }
INSN(frndint, "D9 FC @FPU", "frndint") { function(t, f, &x86_hd_frndint); }
INSN(fscale, "D9 FD @FPU", "fscale") { function(t, f, &x86_hd_fscale); }
INSN(fxtract, "D9 F4 @FPU", "fxtract") { function(t, f, &x86_hd_fxtract); }
INSN(f2xm1, "D9 F0 @FPU", "f2xm1") { function(t, f, &x86_hd_f2xm1); }
INSN(fsin, "D9 FE @FPU", "fsin") { function(t, f, &x86_hd_fsin); }
INSN(fcos, "D9 FF @FPU", "fcos") { function(t, f, &x86_hd_fcos); }

/* A helper for several: which of them is its argument, of its own type. */
static void function_of(struct xlat *t, F *f, const struct ir_helper *h, V which)
{
    begin(t, f);
    ir_call(t, h, &which);
}
INSN(fprem, "D9 F8 @FPU", "fprem") { function_of(t, f, &x86_hd_fprem, k1(t, false)); }
INSN(fprem1, "D9 F5 @FPU", "fprem1") { function_of(t, f, &x86_hd_fprem, k1(t, true)); }
INSN(fyl2x, "D9 F1 @FPU", "fyl2x") { function_of(t, f, &x86_hd_fyx, ki(t, YL2X)); }
INSN(fyl2xp1, "D9 F9 @FPU", "fyl2xp1") { function_of(t, f, &x86_hd_fyx, ki(t, YL2XP1)); }
INSN(fpatan, "D9 F3 @FPU", "fpatan") { function_of(t, f, &x86_hd_fyx, ki(t, PATAN)); }
INSN(fptan, "D9 F2 @FPU", "fptan") { function_of(t, f, &x86_hd_fangle, k1(t, true)); }
INSN(fsincos, "D9 FB @FPU", "fsincos") { function_of(t, f, &x86_hd_fangle, k1(t, false)); }
