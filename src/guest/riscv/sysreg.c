/*
 * sysreg.c: access to control and status registers as IR: those of user mode (volume I: Zicsr, Zicntr, F's fcsr, V's CSRs), plain
 * ones that are registers to the IR, and the call for all others (csr.c). Whether a register may be accessed at all is decided here
 * where privilege, which is translation mode, says so. In user mode those with an IR reader exist, and no others.
 */
#include "xl.h"
#include "ext.h"
#include "sysreg.h"

/* -- floating point --------------------------------------------------------------------------------------------- */
static V flip5(struct xlat *t, V v)
{
    return ir_shri(t, ir_bitrev(t, v), 27);
}
V riscv_rd_fflags(struct xlat *t, const struct csr *c UNUSED)
{
    return flip5(t, ir_fenvrd(t));
}
void riscv_wr_fflags(struct xlat *t, V v)
{
    ir_fenvwr(t, flip5(t, v));
}
V riscv_rd_frm(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_get(t, R_FRM);
}

/* The rounding mode goes to the engine; frm values the host cannot do, or no one can, are a translation mode. */
void riscv_wr_frm(struct xlat *t, V v)
{
    V frm = ir_andi(t, v, 7), bad = ir_cmpi(t, C_UGT, frm, 4);
    V bits = ir_select(t, bad, ir_k32(t, MODE_FRM_BAD),
                       ir_select(t, ir_cmpi(t, C_EQ, frm, 4), ir_k32(t, MODE_FRM_RMM), ir_k32(t, 0)));

    ir_put(t, R_FRM, frm);
    ir_frmwr(t, ir_select(t, bad, ir_k32(t, RM_RNE), ir_addi(t, frm, RM_RNE)));
    if (ir_is_k(t, bits) && ir_kval(t, bits) == (t->mode & MODE_F)) return;
    V mode = ir_ori(t, bits, t->mode & ~(uint32_t)MODE_F);
    ir_put(t, R_MODE, mode);
    xl_stop_mode(t, mode);
}
V riscv_rd_fcsr(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_or(t, riscv_rd_fflags(t, c), ir_shli(t, riscv_rd_frm(t, c), 5));
}
void riscv_wr_fcsr(struct xlat *t, V v)
{
    riscv_wr_fflags(t, ir_andi(t, v, 31));
    riscv_wr_frm(t, ir_shri(t, v, 5));
}

/* -- counters: nanoseconds of the monotonic clock stand for all three; the vdso's clock does not depend on them -- */
V riscv_rd_clock(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_trunc(t, xtype(t), ir_call(t, &riscv_hd_clock_ns, NULL));
}
V riscv_rd_clockh(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_trunc(t, T_I32, ir_shri(t, ir_call(t, &riscv_hd_clock_ns, NULL), 32));
}

/* -- vectors ---------------------------------------------------------------------------------------------------- */
/* What changes how vector instructions are translated: back to the mode that does not know. */
static void put_vmode(struct xlat *t, uint32_t mask, V bits)
{
    ir_put(t, R_VMODE, ir_or(t, ir_andi(t, ir_get(t, R_VMODE), ~mask), bits));
    if (t->mode & MODE_VALL) {
        t->mode &= ~(uint32_t)MODE_VALL;
        ir_put(t, R_MODE, ir_k32(t, t->mode));
        xl_stop(t);
    }
}
void riscv_wr_vstart(struct xlat *t, V v)
{
    V vstart = ir_zext(t, T_I64, ir_andi(t, v, hart(t)->vlen - 1u));
    V set = ir_select(t, ir_cmpi(t, C_NE, vstart, 0), ir_k32(t, MODE_VSTART), ir_k32(t, 0));

    ir_put(t, R_VSTART, vstart);
    put_vmode(t, MODE_VSTART, set);
}
V riscv_rd_vstart(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_trunc(t, T_I32, ir_get(t, R_VSTART));
}
V riscv_rd_vxsat(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_get(t, R_VXSAT);
}
void riscv_wr_vxsat(struct xlat *t, V v)
{
    ir_put(t, R_VXSAT, ir_andi(t, v, 1));
}
V riscv_rd_vxrm(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_get(t, R_VXRM);
}
void riscv_wr_vxrm(struct xlat *t, V v)
{
    V vxrm = ir_andi(t, v, 3);
    ir_put(t, R_VXRM, vxrm);
    put_vmode(t, 3 << MODE_VXRM_SHIFT, ir_shli(t, vxrm, MODE_VXRM_SHIFT));
}
V riscv_rd_vcsr(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_or(t, ir_get(t, R_VXSAT), ir_shli(t, ir_get(t, R_VXRM), 1));
}
void riscv_wr_vcsr(struct xlat *t, V v)
{
    riscv_wr_vxsat(t, v);
    riscv_wr_vxrm(t, ir_shri(t, v, 1));
}
V riscv_rd_vl(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_trunc(t, T_I32, ir_get(t, R_VL));
}
V riscv_rd_vlenb(struct xlat *t, const struct csr *c UNUSED)
{
    return ir_k32(t, hart(t)->vlen / 8u);
}

/* As wide as a register. */
V riscv_rd_vtype(struct xlat *t, const struct csr *c UNUSED)
{
    V vill = ir_shli(t, ir_zext(t, xtype(t), ir_get(t, R_VILL)), xlen(t) - 1);
    return ir_or(t, vill, ir_zext(t, xtype(t), ir_get(t, R_VTYPE)));
}

/* -- access ------------------------------------------------------------------------------------------------------ */

static void user_access(struct xlat *t, const struct csr *c, enum csr_op op, unsigned rd, V src, bool write)
{
    V old = 0, new = ir_trunc(t, T_I32, src);

    if (rd || op != CSR_WRITE) old = c->rd(t, c);
    if (write) {
        if (op == CSR_SET) new = ir_or(t, old, new);
        if (op == CSR_CLEAR) new = ir_and(t, old, ir_not(t, new));
        c->wr(t, new);
    }
    if (rd) wx(t, rd, ir_zext(t, xtype(t), old));
}

/* A plain register: nothing but gets and puts. */
static void reg_access(struct xlat *t, const struct csr *c, enum csr_op op, unsigned rd, V src, bool write)
{
    uint64_t mask = c->mask;
    V old = ir_get(t, c->reg), new = src;

    if (mask == CSR_EPC && !riscv_has_ext(hart(t), EXT_zca)) mask = ~3ull;
    if (write) {
        if (op == CSR_SET) new = ir_or(t, old, src);
        if (op == CSR_CLEAR) new = ir_and(t, old, ir_not(t, src));
        ir_put(t, c->reg, mask == ~0ull ? new : ir_andi(t, new, mask));
    }
    if (rd) wx(t, rd, old);
}

/* Privilege that the number asks for: 0 U, 1 S, 2 HS, 3 M. What HS mode could do but a virtual mode cannot is "virtual". */
static enum csr_trap privilege(struct xlat *t, unsigned num)
{
    unsigned need = num >> 8 & 3, priv = mode_priv(t->mode);
    if (priv == PRIV_M) return CSR_OK;
    if (t->mode & MODE_VIRT) return need == 3 ? CSR_ILLEGAL : need == 2 || need > priv ? CSR_VIRTUAL : CSR_OK;
    return need > (priv == PRIV_S && riscv_has_ext(hart(t), EXT_h) ? 2 : priv) ? CSR_ILLEGAL : CSR_OK;
}

void riscv_virtual(struct xlat *t)
{
    xl_exc(t, EXC_GUEST, GX_VIRTUAL, t->pc);
}

void riscv_csr_access(struct xlat *t, unsigned num, enum csr_op op, unsigned rd, V src, bool write)
{
    const struct riscv_cpu *r = hart(t);
    const struct csr *c = riscv_csr_find(r, num), *vs;
    enum csr_trap trap = r->sys ? privilege(t, num) : CSR_OK;

    if (!c || (!r->sys && !c->rd) || trap == CSR_ILLEGAL || (write && (num >> 10 == 3 || (!r->sys && !c->wr)))) {
        xl_illegal(t);
        return;
    }
    if (trap == CSR_VIRTUAL) {
        riscv_virtual(t);
        return;
    }
    if (!r->sys || (c->rd && !c->get && !c->base)) {
        user_access(t, c, op, rd, src, write);
        return;
    }
    /* in VS mode the supervisor's registers are the virtual ones */
    if (t->mode & MODE_VIRT && (num >> 8 & 3) == 1 && (vs = riscv_csr_find(r, num + 0x100))) c = vs;
    if (c->reg) {
        reg_access(t, c, op, rd, src, write);
        return;
    }
    uint32_t what = riscv_csr_index(c) | (uint32_t)op << 16 | (rd || op != CSR_WRITE ? CSR_READ : 0) | (write ? CSR_DO : 0);
    V v[] = { ir_k32(t, what), ir_zext(t, T_I64, src) };
    V old = ir_call(t, &riscv_hd_csr_op, v);
    if (rd) wx(t, rd, ir_trunc(t, xtype(t), old));
    if (write && (riscv_csr_whole(c)->flags & CF_END)) xl_stop_mode(t, ir_get(t, R_MODE));
}
