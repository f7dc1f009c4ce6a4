/*
 * sysreg.c: system registers of EL0 (DDI 0487 D19). A row gives number, name, the feature it needs, and how it is read and
 * written as IR. ID registers are read as Linux emulates them for programs (arm64/cpu-feature-registers): only fields that
 * are of use there, the rest zero.
 */
#include "xl.h"

struct sysreg {
    uint16_t num;
    int8_t feat;                      /* enum arm_feat, -1 none */
    V (*read)(struct xlat *t);        /* I64 */
    void (*write)(struct xlat *t, V v);
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
    return IR_CALL0(t, clock_ns);
}
/* Always succeeds: NZCV = 0000. */
static V rd_rndr(struct xlat *t)
{
    put_nzcv_k(t, 0);
    return IR_CALL0(t, random);
}

/* -- caches: 64-byte data lines that need no cleaning for instruction fetch, 4 KiB instruction lines; DC ZVA does 64 bytes -- */
static V rd_ctr(struct xlat *t)
{
    return ir_k(t, 0x9444c00a);
}
static V rd_dczid(struct xlat *t)
{
    return ir_k(t, 4);
}

static const struct sysreg regs[] = {
    { R(3, 3, 0, 0, 1), -1, rd_ctr, NULL },
    { R(3, 3, 0, 0, 7), -1, rd_dczid, NULL },
    { R(3, 3, 2, 4, 0), ARM_RNG, rd_rndr, NULL },
    { R(3, 3, 2, 4, 1), ARM_RNG, rd_rndr, NULL },
    { R(3, 3, 4, 2, 0), -1, rd_nzcv, wr_nzcv },
    { R(3, 3, 4, 2, 5), ARM_DIT, rd_dit, wr_dit },
    { R(3, 3, 4, 2, 6), ARM_SSBS2, rd_ssbs, wr_ssbs },
    { R(3, 3, 4, 4, 0), -1, rd_fpcr, wr_fpcr },
    { R(3, 3, 4, 4, 1), -1, rd_fpsr, wr_fpsr },
    { R(3, 3, 13, 0, 2), -1, rd_tpidr, wr_tpidr },
    { R(3, 3, 13, 0, 3), -1, rd_tpidrro, NULL },
    { R(3, 3, 14, 0, 0), -1, rd_cntfrq, NULL },
    { R(3, 3, 14, 0, 2), -1, rd_cntvct, NULL },
};

static const struct sysreg *find(struct xlat *t, unsigned num)
{
    for (size_t i = 0; i < ARRAY_LEN(regs); i++)
        if (regs[i].num == num) return regs[i].feat < 0 || feat(t, (enum arm_feat)regs[i].feat) ? &regs[i] : NULL;
    return NULL;
}
bool arm_mrs(struct xlat *t, unsigned reg, unsigned rt)
{
    const struct sysreg *s = find(t, reg);
    uint64_t id;

    if (s)
        wx(t, rt, s->read(t));
    else if (arm_id_register(acpu(t), reg, &id))
        wx(t, rt, ir_k(t, id));
    else
        return false;
    return true;
}
bool arm_msr(struct xlat *t, unsigned reg, V v)
{
    const struct sysreg *s = find(t, reg);
    if (!s || !s->write) return false;
    s->write(t, v);
    return true;
}

/* -- ID registers: op0 = 3, op1 = 0, CRn = 0 -------------------------------------------------------------------------------- */
const struct arm_feature arm_features[ARM_FEATS] = {
#define FEAT(name, cpuinfo, hwcap, reg, shift, value, builtin) { #name, cpuinfo, hwcap, ID_##reg, shift, value, builtin },
#include "feat.def"
#undef FEAT
};

bool arm_id_register(const struct arm_cpu *a, unsigned reg, uint64_t *v)
{
    static const struct { uint16_t num; uint8_t id; } ids[] = {
        { R(3, 0, 0, 4, 0), ID_PFR0 }, { R(3, 0, 0, 4, 1), ID_PFR1 }, { R(3, 0, 0, 4, 4), ID_ZFR0 },
        { R(3, 0, 0, 6, 0), ID_ISAR0 }, { R(3, 0, 0, 6, 1), ID_ISAR1 }, { R(3, 0, 0, 6, 2), ID_ISAR2 },
        { R(3, 0, 0, 7, 0), ID_MMFR0 }, { R(3, 0, 0, 7, 1), ID_MMFR1 }, { R(3, 0, 0, 7, 2), ID_MMFR2 },
    };
    unsigned crm = reg >> 3 & 15, id = ID_NONE;

    if ((reg & ~0x7fu) != R(3, 0, 0, 0, 0)) return false;
    *v = 0;
    if (reg == R(3, 0, 0, 0, 0)) {
        *v = a->midr;
        return true;
    }
    if (reg == R(3, 0, 0, 0, 5)) { /* MPIDR: uniprocessor bit clear, RES1 */
        *v = 1u << 31;
        return true;
    }
    if (reg == R(3, 0, 0, 0, 6)) return true; /* REVIDR */
    if (crm < 2 || crm > 7) return false; /* 2 and 3: AArch32's, of which there is nothing */
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (ids[i].num == reg) id = ids[i].id;
    for (unsigned i = 0; id && i < ARM_FEATS; i++) {
        const struct arm_feature *p = &arm_features[i];
        if (p->idreg != id || !arm_has(a, (enum arm_feat)i)) continue;
        if ((*v >> p->shift & 15) < p->value) *v = (*v & ~(15ull << p->shift)) | (uint64_t)p->value << p->shift;
    }
    if (id == ID_ISAR1 && arm_has(a, ARM_PACIMP)) { /* APA and GPA are API and GPI then; 3 is FEAT_PAuth2 */
        const uint64_t gpa = *v >> 24 & 1;
        *v = (*v & ~(0xfull << 4 | 0xfull << 24)) | (*v >> 4 & 1) * 3 << 8 | gpa << 28;
    }
    if (id == ID_PFR0) *v |= 0x11 | (arm_has(a, ARM_FP16) ? 1u << 20 : 0); /* EL0, EL1; half precision in AdvSIMD */
    if (id == ID_MMFR0) *v = 0xff000000; /* TGran4, TGran64: not supported, the signed value for "not said" */
    return true;
}
