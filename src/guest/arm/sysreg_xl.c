/*
 * sysreg_xl.c: MRS, MSR and SYS as IR (DDI 0487 C5, D19). Rows here are registers that are no word in memory: number, features, exception
 * levels, what may trap them, and how they are read and written. The rest is sysreg.def, which user mode has nothing of.
 */
#include "sys.h"
#include "xl.h"

struct sysreg {
    uint16_t num;
    int8_t feat;                      /* enum arm_feat, -1 none */
    V (*read)(struct xlat *t);        /* I64 */
    void (*write)(struct xlat *t, V v);
    uint8_t el, wel;                  /* lowest exception level to read and to write */
    uint8_t cls;                      /* TC_* */
};
#define R(op0, op1, crn, crm, op2) SYSREG(op0, op1, crn, crm, op2)

static V wide(struct xlat *t, V v)
{
    return ir_zext(t, T_I64, v);
}
static V bit(struct xlat *t, V v, unsigned n)
{
    return ir_trunc(t, T_I1, ir_shri(t, v, n));
}

/* -- PSTATE fields -------------------------------------------------------------------------------------------------------- */
static V rd_nzcv(struct xlat *t)
{
    V v = ir_k(t, 0);
    for (unsigned i = 0; i < 4; i++) v = ir_or(t, v, ir_shli(t, wide(t, ir_get(t, R_N + i)), 31 - i));
    return v;
}
static void wr_nzcv(struct xlat *t, V v)
{
    for (unsigned i = 0; i < 4; i++) ir_put(t, R_N + i, bit(t, v, 31 - i));
}
static V rd_dit(struct xlat *t)
{
    return ir_shli(t, wide(t, ir_get(t, R_DIT)), 24);
}
static void wr_dit(struct xlat *t, V v)
{
    ir_put(t, R_DIT, ir_trunc(t, T_I32, ir_ubfx(t, v, 24, 1)));
}
static V rd_ssbs(struct xlat *t)
{
    return ir_shli(t, wide(t, ir_get(t, R_SSBS)), 12);
}
static void wr_ssbs(struct xlat *t, V v)
{
    ir_put(t, R_SSBS, ir_trunc(t, T_I32, ir_ubfx(t, v, 12, 1)));
}

/* -- floating point --------------------------------------------------------------------------------------------------------- */
static V rd_fpcr(struct xlat *t)
{
    return wide(t, ir_get(t, R_FPCR));
}
/* The rounding mode goes to the engine, the rest is a translation mode. */
static void wr_fpcr(struct xlat *t, V v)
{
    V fpcr = ir_andi(t, ir_trunc(t, T_I32, v), FPCR_MASK), rmode = ir_ubfx(t, fpcr, FPCR_RMODE, 2);
    V fp = ir_or(t, ir_ubfx(t, fpcr, 24, 3), ir_shli(t, ir_ubfx(t, fpcr, 19, 1), 3));

    ir_put(t, R_FPCR, fpcr);
    /* RN, RP, RM, RZ in FPCR; RNE, RUP, RDN, RTZ are 1, 4, 3, 2 here. */
    ir_frmwr(t, ir_select(t, ir_cmpi(t, C_EQ, rmode, 0), ir_k32(t, RM_RNE), ir_sub(t, ir_k32(t, 5), rmode)));
    V mode = ir_ori(t, fp, t->mode & ~(uint32_t)MODE_FP);
    if (ir_is_k(t, mode) && ir_kval(t, mode) == t->mode) return;
    ir_put(t, R_MODE, mode);
    xl_stop_mode(t, mode);
}
static V rd_fpsr(struct xlat *t)
{
    V fl = ir_fenvrd(t), qc = ir_get(t, R_QC);
    V any = ir_cmpi(t, C_NE, ir_or(t, ir_vget(t, T_I64, L_I64, qc, 0), ir_vget(t, T_I64, L_I64, qc, 1)), 0);

    fl = ir_or(t, ir_andi(t, fl, 31), ir_shli(t, ir_andi(t, fl, FPF_INDENORM), 2));
    return ir_or(t, wide(t, fl), ir_shli(t, wide(t, any), 27));
}
static void wr_fpsr(struct xlat *t, V v)
{
    V fl = ir_trunc(t, T_I32, v);
    ir_fenvwr(t, ir_or(t, ir_andi(t, fl, 31), ir_andi(t, ir_shri(t, fl, 2), FPF_INDENORM)));
    ir_put(t, R_QC, ir_vfrom(t, ir_ubfx(t, v, 27, 1)));
}

/* -- threads, time, random -------------------------------------------------------------------------------------------------- */
static V rd_tpidr(struct xlat *t)
{
    return ir_get(t, R_TPIDR);
}
static void wr_tpidr(struct xlat *t, V v)
{
    ir_put(t, R_TPIDR, v);
}
static V rd_tpidrro(struct xlat *t)
{
    return ir_get(t, R_TPIDRRO);
}
static V rd_cntfrq(struct xlat *t)
{
    return ir_k(t, 1000000000); /* the counter is CLOCK_MONOTONIC in nanoseconds */
}
static V rd_cntvct(struct xlat *t)
{
    return acpu(t)->sysmode ? IR_CALL0(t, cntvct) : IR_CALL0(t, clock_ns);
}
/* Always succeeds: NZCV = 0000. */
static V rd_rndr(struct xlat *t)
{
    put_nzcv_k(t, 0);
    return IR_CALL0(t, random);
}

/*
 * Caches: 64-byte data lines that need no cleaning for instruction fetch; DC ZVA does 64 bytes. Instruction lines are 4 KiB in user mode,
 * where shared code is found by them; in system mode stores to code are noticed (DIC).
 */
static V rd_ctr(struct xlat *t)
{
    return ir_k(t, acpu(t)->sysmode ? 0xb444c004 : 0x9444c00a);
}
static V rd_dczid(struct xlat *t)
{
    return t->mode & MODE_TRAPS ? IR_CALL0(t, dczid) : ir_k(t, 4);
}

/* -- PSTATE in system mode -------------------------------------------------------------------------------------------------- */
static unsigned level(struct xlat *t)
{
    return t->mode >> MODE_EL_SHIFT & 3;
}
static V rd_daif(struct xlat *t)
{
    return wide(t, ir_get(t, R_DAIF));
}
static void wr_daif(struct xlat *t, V v)
{
    IR_CALL(t, daif_write, ir_trunc(t, T_I32, v));
    xl_stop(t);
}
static V rd_currentel(struct xlat *t)
{
    return ir_k(t, level(t) << 2);
}
static V rd_spsel(struct xlat *t)
{
    return ir_k(t, !(t->mode & MODE_SP0));
}
static void wr_spsel(struct xlat *t, V v)
{
    IR_CALL(t, spsel_write, ir_trunc(t, T_I32, v));
    xl_stop_mode(t, ir_get(t, R_MODE));
}
static V rd_pan(struct xlat *t)
{
    return IR_CALL(t, pstate_read, ir_k32(t, PS_PAN));
}
static void wr_pan(struct xlat *t, V v)
{
    IR_CALL(t, pstate_write, ir_k32(t, PS_PAN), ir_trunc(t, T_I32, ir_ubfx(t, v, 22, 1)));
    xl_stop_mode(t, ir_get(t, R_MODE));
}
static V rd_uao(struct xlat *t)
{
    return IR_CALL(t, pstate_read, ir_k32(t, PS_UAO));
}
static void wr_uao(struct xlat *t, V v)
{
    IR_CALL(t, pstate_write, ir_k32(t, PS_UAO), ir_trunc(t, T_I32, ir_ubfx(t, v, 23, 1)));
    xl_stop_mode(t, ir_get(t, R_MODE));
}
static void wr_tpidrro(struct xlat *t, V v)
{
    ir_put(t, R_TPIDRRO, v);
}

static const struct sysreg regs[] = {
    { R(3, 3, 0, 0, 1), -1, rd_ctr, NULL, 0, 4, TC_CTR },
    { R(3, 3, 0, 0, 7), -1, rd_dczid, NULL, 0, 4, TC_NONE },
    { R(3, 3, 2, 4, 0), ARM_RNG, rd_rndr, NULL, 0, 4, TC_NONE },
    { R(3, 3, 2, 4, 1), ARM_RNG, rd_rndr, NULL, 0, 4, TC_NONE },
    { R(3, 3, 4, 2, 0), -1, rd_nzcv, wr_nzcv, 0, 0, TC_NONE },
    { R(3, 3, 4, 2, 5), ARM_DIT, rd_dit, wr_dit, 0, 0, TC_NONE },
    { R(3, 3, 4, 2, 6), ARM_SSBS2, rd_ssbs, wr_ssbs, 0, 0, TC_NONE },
    { R(3, 3, 4, 4, 0), -1, rd_fpcr, wr_fpcr, 0, 0, TC_NONE },
    { R(3, 3, 4, 4, 1), -1, rd_fpsr, wr_fpsr, 0, 0, TC_NONE },
    { R(3, 3, 13, 0, 2), -1, rd_tpidr, wr_tpidr, 0, 0, TC_NONE },
    { R(3, 3, 13, 0, 3), -1, rd_tpidrro, wr_tpidrro, 0, 1, TC_NONE },
    { R(3, 3, 14, 0, 2), -1, rd_cntvct, NULL, 0, 4, TC_CNTV },
    /* system mode has it in sysreg.def */
    { R(3, 3, 14, 0, 0), -1, rd_cntfrq, NULL, 0, 4, TC_CNTF },
    /* only in system mode */
    { R(3, 3, 4, 2, 1), -1, rd_daif, wr_daif, 0, 0, TC_UMA },
    { R(3, 0, 4, 2, 2), -1, rd_currentel, NULL, 1, 4, TC_NONE },
    { R(3, 0, 4, 2, 0), -1, rd_spsel, wr_spsel, 1, 1, TC_NONE },
    { R(3, 0, 4, 2, 3), ARM_PAN, rd_pan, wr_pan, 1, 1, TC_NONE },
    { R(3, 0, 4, 2, 4), ARM_UAO, rd_uao, wr_uao, 1, 1, TC_NONE },
};
enum { USER_ROWS = 13, CNTFRQ_ROW = 12 };

static const struct sysreg *find(struct xlat *t, unsigned num)
{
    const bool sys = acpu(t)->sysmode;
    for (size_t i = 0; i < (sys ? ARRAY_LEN(regs) : USER_ROWS); i++)
        if (regs[i].num == num && !(sys && i == CNTFRQ_ROW))
            return regs[i].feat < 0 || feat(t, (enum arm_feat)regs[i].feat) ? &regs[i] : NULL;
    return NULL;
}
static bool is_fp(unsigned reg)
{
    return reg == R(3, 3, 4, 4, 0) || reg == R(3, 3, 4, 4, 1);
}

/* -- sysreg.def -------------------------------------------------------------------------------------------------------------- */
struct row {
    uint16_t num;
    uint8_t op0, rd, wr, cls;
    uint64_t mask;
};
static const struct row rows[SR_COUNT] = {
#define SRI(name, op0, op1, crn, crm, op2, rd, wr, cls, mask, reset) [SR_##name] = { R(op0, op1, crn, crm, op2), op0, rd, wr, TC_##cls, mask },
#define SR SRI
#include "sysreg.def"
#undef SRI
#undef SR
};

static int find_row(unsigned num)
{
    for (int i = 0; i < SR_COUNT; i++)
        if (rows[i].num == num && rows[i].op0) return i;
    return -1;
}

/* Is it there at all in this CPU? */
static bool exists(struct xlat *t, const struct row *r, unsigned el)
{
    const struct arm_cpu *a = acpu(t);
    switch (r->cls) {
    case TC_VHE: return feat(t, ARM_VHE);
    case TC_PM: case TC_PMCR: case TC_PMSW: case TC_PMER: case TC_PMCC: case TC_PMUE: return a->has_pmu;
    case TC_APK: return feat(t, ARM_PAuth);
    case TC_LOR: return feat(t, ARM_LOR);
    case TC_PS: return a->has_el3 && el != 2;
    default: break;
    }
    if (r->num == R(3, 0, 4, 1, 0)) return !(t->mode & MODE_SP0);
    if (r->num == R(3, 0, 12, 0, 1)) return !a->has_el2 && !a->has_el3; /* RVBAR: of the highest level only */
    if (r->num == R(3, 4, 12, 0, 1)) return !a->has_el3;
    return true;
}

/* FEAT_VHE's names: _EL12 and _EL02 are EL1's registers, and at EL2 EL1's names are EL2's. 0: it is none. */
static unsigned redirect(struct xlat *t, unsigned num)
{
    static const uint16_t pairs[][2] = {
        { R(3, 0, 1, 0, 0), R(3, 4, 1, 0, 0) }, { R(3, 0, 1, 0, 2), R(3, 4, 1, 1, 2) }, { R(3, 0, 2, 0, 0), R(3, 4, 2, 0, 0) },
        { R(3, 0, 2, 0, 1), R(3, 4, 2, 0, 1) }, { R(3, 0, 2, 0, 2), R(3, 4, 2, 0, 2) }, { R(3, 0, 4, 0, 0), R(3, 4, 4, 0, 0) },
        { R(3, 0, 4, 0, 1), R(3, 4, 4, 0, 1) }, { R(3, 0, 5, 1, 0), R(3, 4, 5, 1, 0) }, { R(3, 0, 5, 1, 1), R(3, 4, 5, 1, 1) },
        { R(3, 0, 5, 2, 0), R(3, 4, 5, 2, 0) }, { R(3, 0, 6, 0, 0), R(3, 4, 6, 0, 0) }, { R(3, 0, 10, 2, 0), R(3, 4, 10, 2, 0) },
        { R(3, 0, 10, 3, 0), R(3, 4, 10, 3, 0) }, { R(3, 0, 12, 0, 0), R(3, 4, 12, 0, 0) }, { R(3, 0, 13, 0, 1), R(3, 4, 13, 0, 1) },
        { R(3, 0, 14, 1, 0), R(3, 4, 14, 1, 0) }, { R(3, 3, 14, 2, 0), R(3, 4, 14, 2, 0) }, { R(3, 3, 14, 2, 1), R(3, 4, 14, 2, 1) },
        { R(3, 3, 14, 2, 2), R(3, 4, 14, 2, 2) }, { R(3, 3, 14, 3, 0), R(3, 4, 14, 3, 0) }, { R(3, 3, 14, 3, 1), R(3, 4, 14, 3, 1) },
        { R(3, 3, 14, 3, 2), R(3, 4, 14, 3, 2) },
    };
    const unsigned op1 = num >> 11 & 7;
    if (!(t->mode & MODE_E2H)) return op1 == 5 ? 0 : num;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (level(t) == 2 && pairs[i][0] == num) return pairs[i][1];
        if (op1 == 5 && (pairs[i][0] | 7 << 11) == (num | 7 << 11)) return pairs[i][0];
    }
    return op1 == 5 ? 0 : num;
}

/* Does an access of a class have to be looked at by arm_trapped at all, in this mode? */
static bool may_trap(struct xlat *t, enum arm_trap_class c)
{
    const struct arm_cpu *a = acpu(t);
    const unsigned el = level(t);
    if (c == TC_NONE || el == 3) return false;
    switch (c) {
    case TC_CTR: case TC_POC: case TC_POU: case TC_ZVA: case TC_VM: case TC_TLB: return t->mode & MODE_TRAPS;
    default: return el == 0 || a->has_el3 || (el == 1 && a->has_el2);
    }
}
void arm_check(struct xlat *t, unsigned cls, unsigned reg, unsigned rt, bool read)
{
    if (acpu(t)->sysmode && may_trap(t, (enum arm_trap_class)cls))
        IR_CALL(t, sys_check, ir_k32(t, cls), ir_k32(t, reg), ir_k32(t, rt | (read ? 32 : 0)));
}

/* The number as MRS and MSR draw it has one bit of op0; SYS has op0 = 1. */
enum { OP0_SYS = 1 << 15 };

/* Interrupt controller's registers: they are its own business. */
static bool is_icc(unsigned num)
{
    unsigned n = num & ~7u; /* without op2 */
    return num == R(3, 0, 4, 6, 0) || (n >= R(3, 0, 12, 8, 0) && n <= R(3, 0, 12, 15, 0)) ||
           (n >= R(3, 4, 12, 8, 0) && n <= R(3, 4, 12, 15, 0)) || n == R(3, 6, 12, 12, 0);
}
static bool icc_there(struct xlat *t, unsigned num)
{
    unsigned op1 = num >> 11 & 7, need = op1 == 6 ? 3 : op1 == 4 ? 2 : 1;
    return acpu(t)->c.v->intc && is_icc(num) && level(t) >= need && (need != 2 || acpu(t)->has_el2);
}

/* SGIs are sent to CPUs by number: where EL1 has the virtual interface (IHI 0069, 12.2: ICC_SGI1R_EL1 and its like), EL2 sends them. */
static enum arm_trap_class icc_class(unsigned num)
{
    return (num & ~7u) == R(3, 0, 12, 11, 0) && (num & 7) >= 5 ? TC_SGI : TC_NONE;
}

static bool mrs_id(struct xlat *t, unsigned reg, unsigned rt)
{
    const struct arm_cpu *a = acpu(t);
    uint64_t id;
    if (!a->sysmode) {
        if (!arm_id_register(a, reg, &id)) return false;
        wx(t, rt, ir_k(t, id));
        return true;
    }
    if (level(t) == 0 || !arm_id_system(a, reg, &id)) return false;
    unsigned crm = reg >> 3 & 15, op2 = reg & 7;
    arm_check(t, crm ? TC_ID3 : op2 == 6 ? TC_ID1 : TC_NONE, reg, rt, true);
    /* MPIDR differs among the CPUs that share this code; EL2 may say what MIDR and MPIDR are */
    wx(t, rt, crm == 0 && (a->has_el2 || op2 == 5) ? IR_CALL(t, id_read, ir_k32(t, reg)) : ir_k(t, id));
    return true;
}

/* FEAT_IDST: EL0's reads of what identifies the CPU are trapped as such, so that they can be emulated. */
static bool id_trap(struct xlat *t, unsigned num, unsigned rt)
{
    const unsigned op1 = num >> 11 & 7;
    if (level(t) || !(num >> 14 & 1) || (num >> 7 & 15) || (op1 > 3) || op1 == 2 || !feat(t, ARM_IDST)) return false;
    IR_CALL(t, sys_check, ir_k32(t, TC_IDST), ir_k32(t, num), ir_k32(t, rt | 32));
    xl_illegal(t);
    return true;
}

bool arm_mrs(struct xlat *t, unsigned num, unsigned rt)
{
    const struct sysreg *s = find(t, num);
    const unsigned el = level(t);

    if (s) {
        if (el < s->el) return false;
        if (t->mode & MODE_FPTRAP && is_fp(num)) {
            xl_exc(t, EXC_GUEST, GX_FPTRAP, t->pc);
            return true;
        }
        arm_check(t, s->cls, num, rt, true);
        wx(t, rt, s->read(t));
        return true;
    }
    if (mrs_id(t, num, rt)) return true;
    if (!acpu(t)->sysmode) return false;
    if (id_trap(t, num, rt)) return true;
    const unsigned reg = redirect(t, num);
    const int i = reg ? find_row(reg) : -1;
    if (i >= 0) {
        const struct row *r = &rows[i];
        if (el < r->rd || r->rd == 4 || !exists(t, r, el)) return false;
        arm_check(t, r->cls, num, rt, true);
        if (r->rd == 2 && !acpu(t)->has_el2)
            wx(t, rt, ir_k(t, 0));
        else if (r->cls == TC_APK)
            wx(t, rt, ir_get(t, R_KEY + (unsigned)(i - SR_APIAKeyLo_EL1)));
        else
            wx(t, rt, i < SR_INLINE ? ir_get(t, R_SRI + (unsigned)i) : IR_CALL(t, sr_read, ir_k32(t, (uint32_t)i)));
        return true;
    }
    if (!icc_there(t, num)) return false;
    wx(t, rt, IR_CALL(t, icc_read, ir_k32(t, num)));
    return true;
}

bool arm_msr(struct xlat *t, unsigned num, unsigned rt)
{
    const struct sysreg *s = find(t, num);
    const unsigned el = level(t);

    if (s) {
        if (!s->write || el < s->wel || (s->wel && !acpu(t)->sysmode)) return false;
        if (t->mode & MODE_FPTRAP && is_fp(num)) {
            xl_exc(t, EXC_GUEST, GX_FPTRAP, t->pc);
            return true;
        }
        arm_check(t, s->cls, num, rt, false);
        s->write(t, x(t, rt));
        return true;
    }
    if (!acpu(t)->sysmode) return false;
    const unsigned reg = redirect(t, num);
    const int i = reg ? find_row(reg) : -1;
    if (i >= 0) {
        const struct row *r = &rows[i];
        if (el < r->wr || r->wr == 4 || !exists(t, r, el)) return false;
        arm_check(t, r->cls, num, rt, false);
        if (r->wr == 2 && !acpu(t)->has_el2) return true;
        if (r->cls == TC_APK) {
            ir_put(t, R_KEY + (unsigned)(i - SR_APIAKeyLo_EL1), x(t, rt));
        } else if (i < SR_INLINE) {
            ir_put(t, R_SRI + (unsigned)i, ir_andi(t, x(t, rt), r->mask));
        } else {
            IR_CALL(t, sr_write, ir_k32(t, (uint32_t)i), x(t, rt));
            xl_stop_mode(t, ir_get(t, R_MODE));
        }
        return true;
    }
    if (!icc_there(t, num)) return false;
    arm_check(t, icc_class(num), num, rt, false);
    IR_CALL(t, icc_write, ir_k32(t, num), x(t, rt));
    xl_stop(t);
    return true;
}

/* -- SYS ------------------------------------------------------------------------------------------------------------------------- */
static bool at_known(struct xlat *t, unsigned num)
{
    const unsigned op1 = num >> 11 & 7, crm = num >> 3 & 15, op2 = num & 7, el = level(t);
    if (op1 == 0 && crm == 8) return el >= 1 && op2 < 4;
    if (op1 == 0 && crm == 9) return el >= 1 && op2 < 2 && feat(t, ARM_PAN2);
    if (op1 == 4 && crm == 8) return el >= 2 && acpu(t)->has_el2 && (op2 < 2 || op2 >= 4);
    return op1 == 6 && crm == 8 && op2 < 2 && el == 3;
}
bool arm_sys_insn(struct xlat *t, unsigned num, unsigned rt)
{
    const unsigned el = level(t), op = num | OP0_SYS;
    if (!acpu(t)->sysmode) return false;
    switch (num) {
    case R(0, 0, 7, 1, 0): case R(0, 0, 7, 5, 0): /* IC IALLUIS, IALLU */
        if (!el) return false;
        arm_check(t, TC_POU_IALL, op, rt, false);
        return true;
    case R(0, 0, 7, 6, 1): /* DC IVAC */
        if (!el) return false;
        arm_check(t, TC_POC, op, rt, false);
        ir_probe(t, x(t, rt), 1, true);
        return true;
    case R(0, 0, 7, 6, 2): case R(0, 0, 7, 10, 2): case R(0, 0, 7, 14, 2): /* DC ISW, CSW, CISW */
        if (!el) return false;
        arm_check(t, TC_SW, op, rt, false);
        return true;
    default: break;
    }
    const unsigned crn = num >> 7 & 15;
    if (crn == 7 && at_known(t, num)) {
        arm_check(t, TC_AT, op, rt, false);
        IR_CALL(t, at, ir_k32(t, num), x(t, rt));
        return true;
    }
    if (crn == 8 && arm_tlbi_known(acpu(t), num, el)) {
        arm_check(t, TC_TLB, op, rt, false);
        IR_CALL(t, tlbi, ir_k32(t, num), x(t, rt));
        return true;
    }
    if ((crn == 11 || crn == 15) && el == 1) arm_check(t, TC_IDCP, op, rt, false);
    return false;
}
