/*
 * sysreg.c: control and status registers of user mode (volume I: Zicsr, Zicntr, F's fcsr, V's CSRs). The row gives
 * number, name, the extension it needs, and how it is read and written as IR; without a writer it is read-only.
 * Machine and supervisor CSRs are not accessible and raise an illegal instruction.
 */
#include "xl.h"
#include "ext.h"
#include "sysreg.h"

struct csr {
    uint16_t num;
    int16_t ext;                               /* enum riscv_ext_id, -1 none */
    bool rv32_only;
    V (*read)(struct xlat *t, const struct csr *c);
    void (*write)(struct xlat *t, V v);        /* v: I32 */
};

/* -- floating point --------------------------------------------------------------------------------------------- */
static V flip5(struct xlat *t, V v)
{
    return ir_shri(t, ir_bitrev(t, v), 27);
}
static V rd_fflags(struct xlat *t, const struct csr *c UNUSED)
{
    return flip5(t, ir_fenvrd(t));
}
static void wr_fflags(struct xlat *t, V v)
{
    ir_fenvwr(t, flip5(t, v));
}
static V rd_frm(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_get(t, R_FRM);
}

/* The rounding mode goes to the engine; frm values the host cannot do, or no one can, are a translation mode. */
static void wr_frm(struct xlat *t, V v)
{
    V frm = ir_andi(t, v, 7), bad = ir_cmpi(t, C_UGT, frm, 4);
    V bits = ir_select(t, bad, ir_k32(t, MODE_FRM_BAD),
                       ir_select(t, ir_cmpi(t, C_EQ, frm, 4), ir_k32(t, MODE_FRM_RMM), ir_k32(t, 0)));

    ir_put(t, R_FRM, frm);
    ir_frmwr(t, ir_select(t, bad, ir_k32(t, RM_RNE), ir_addi(t, frm, RM_RNE)));
    if (ir_is_k(t, bits) && ir_kval(t, bits) == (t->mode & MODE_F)) return;
    V mode = ir_ori(t, bits, t->mode & MODE_VALL);
    ir_put(t, R_MODE, mode);
    xl_stop_mode(t, mode);
}
static V rd_fcsr(struct xlat *t, const struct csr *c)
{
    return ir_or(t, rd_fflags(t, c), ir_shli(t, rd_frm(t, c), 5));
}
static void wr_fcsr(struct xlat *t, V v)
{
    wr_fflags(t, ir_andi(t, v, 31));
    wr_frm(t, ir_shri(t, v, 5));
}

/* -- counters: nanoseconds of the monotonic clock stand for all three; the vdso's clock does not depend on them -- */
static V rd_time(struct xlat *t, const struct csr *c)
{
    V now = ir_call(t, &riscv_hd_clock_ns, NULL);
    return ir_trunc(t, T_I32, c->rv32_only ? ir_shri(t, now, 32) : now);
}

/* -- vectors ---------------------------------------------------------------------------------------------------- */
/* What changes how vector instructions are translated: back to the mode that does not know. */
static void put_vmode(struct xlat *t, uint32_t mask, V bits)
{
    ir_put(t, R_VMODE, ir_or(t, ir_andi(t, ir_get(t, R_VMODE), ~mask), bits));
    if (t->mode & MODE_VALL) {
        t->mode &= MODE_F;
        ir_put(t, R_MODE, ir_k32(t, t->mode));
        xl_stop(t);
    }
}
static void wr_vstart(struct xlat *t, V v)
{
    V vstart = ir_zext(t, T_I64, ir_andi(t, v, hart(t)->vlen - 1u));
    V set = ir_select(t, ir_cmpi(t, C_NE, vstart, 0), ir_k32(t, MODE_VSTART), ir_k32(t, 0));

    ir_put(t, R_VSTART, vstart);
    put_vmode(t, MODE_VSTART, set);
}
static V rd_vstart(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_trunc(t, T_I32, ir_get(t, R_VSTART));
}
static V rd_vxsat(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_get(t, R_VXSAT);
}
static void wr_vxsat(struct xlat *t, V v)
{
    ir_put(t, R_VXSAT, ir_andi(t, v, 1));
}
static V rd_vxrm(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_get(t, R_VXRM);
}
static void wr_vxrm(struct xlat *t, V v)
{
    V vxrm = ir_andi(t, v, 3);
    ir_put(t, R_VXRM, vxrm);
    put_vmode(t, 3 << MODE_VXRM_SHIFT, ir_shli(t, vxrm, MODE_VXRM_SHIFT));
}
static V rd_vcsr(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_or(t, ir_get(t, R_VXSAT), ir_shli(t, ir_get(t, R_VXRM), 1));
}
static void wr_vcsr(struct xlat *t, V v)
{
    wr_vxsat(t, v);
    wr_vxrm(t, ir_shri(t, v, 1));
}
static V rd_vl(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_trunc(t, T_I32, ir_get(t, R_VL));
}
static V rd_vlenb(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_k32(t, hart(t)->vlen / 8u);
}

/* Those that are as wide as a register. */
static V rd_wide(struct xlat *t, const struct csr *c)
{
    if (c->num == CSR_VTYPE) {
        V vill = ir_shli(t, ir_zext(t, xtype(t), ir_get(t, R_VILL)), xlen(t) - 1);
        return ir_or(t, vill, ir_zext(t, xtype(t), ir_get(t, R_VTYPE)));
    }
    return ir_trunc(t, xtype(t), ir_call(t, &riscv_hd_clock_ns, NULL));
}

static const struct csr csrs[] = {
    { CSR_FFLAGS, EXT_f, false, rd_fflags, wr_fflags },
    { CSR_FRM, EXT_f, false, rd_frm, wr_frm },
    { CSR_FCSR, EXT_f, false, rd_fcsr, wr_fcsr },
    { CSR_VSTART, EXT_zve32x, false, rd_vstart, wr_vstart },
    { CSR_VXSAT, EXT_zve32x, false, rd_vxsat, wr_vxsat },
    { CSR_VXRM, EXT_zve32x, false, rd_vxrm, wr_vxrm },
    { CSR_VCSR, EXT_zve32x, false, rd_vcsr, wr_vcsr },
    { CSR_VL, EXT_zve32x, false, rd_vl, NULL },
    { CSR_VTYPE, EXT_zve32x, false, rd_wide, NULL },
    { CSR_VLENB, EXT_zve32x, false, rd_vlenb, NULL },
    { CSR_CYCLE, EXT_zicntr, false, rd_wide, NULL },
    { CSR_TIME, EXT_zicntr, false, rd_wide, NULL },
    { CSR_INSTRET, EXT_zicntr, false, rd_wide, NULL },
    { CSR_CYCLEH, EXT_zicntr, true, rd_time, NULL },
    { CSR_TIMEH, EXT_zicntr, true, rd_time, NULL },
    { CSR_INSTRETH, EXT_zicntr, true, rd_time, NULL },
};

static const struct csr *csr_find(const struct riscv_cpu *r, unsigned num)
{
    for (size_t i = 0; i < ARRAY_LEN(csrs); i++)
        if (csrs[i].num == num && riscv_has_ext(r, (unsigned)csrs[i].ext) && (!csrs[i].rv32_only || r->rv32))
            return &csrs[i];
    return NULL;
}

void riscv_csr_access(struct xlat *t, unsigned num, enum csr_op op, unsigned rd, V src, bool write)
{
    const struct csr *c = csr_find(hart(t), num);
    V old = 0, new = ir_trunc(t, T_I32, src);

    if (!c || (write && !c->write)) {
        xl_illegal(t);
        return;
    }
    if (rd || op != CSR_WRITE) old = c->read(t, c);
    if (write) {
        if (op == CSR_SET) new = ir_or(t, old, new);
        if (op == CSR_CLEAR) new = ir_and(t, old, ir_not(t, new));
        c->write(t, new);
    }
    if (rd) wx(t, rd, ir_zext(t, xtype(t), old));
}
