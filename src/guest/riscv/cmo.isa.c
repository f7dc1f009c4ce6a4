/*
 * cmo.isa.c: cache-block management, hints, may-be operations: Zicbom, Zicboz, Zicbop, Zihintntl, Zihintpause, Zimop
 * (volume I, chapters 8 to 11, 18). Guest caches are coherent, so management only checks that the block is accessible.
 * prefetch.* and ntl.* are encoded as ori and add to x0 and need no rows but aliases. Known gaps: none.
 */
#include "priv.h"
#include "xl.h"

static V block(struct xlat *t, F *f)
{
    return ir_andi(t, xaddr(t, f->rs1), ~(uint64_t)(hart(t)->cbo_size - 1));
}

/* Less privileged modes need permission: menvcfg, henvcfg, senvcfg, in this order. bits: ENV_CBIE, _CBCFE or _CBZE. */
HELPER(void, cbo_check, (CPU *cpu, uint32_t bits), "fault r=c")
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    if (!(r->s.menvcfg & bits)) riscv_trap_if(cpu, CSR_ILLEGAL);
    if (r->s.virt && !(r->s.henvcfg & bits)) riscv_trap_if(cpu, CSR_VIRTUAL);
    if (r->s.priv == PRIV_U && !(r->s.senvcfg & bits)) riscv_trap_if(cpu, r->s.virt ? CSR_VIRTUAL : CSR_ILLEGAL);
}
static void permit(struct xlat *t, uint64_t bits)
{
    if (t->mode & MODE_CBO) IR_CALL(t, cbo_check, ir_k32(t, (uint32_t)bits));
}

/* The whole block is readable or none of it, pages being larger. */
static void manage(struct xlat *t, F *f, uint64_t bits)
{
    permit(t, bits);
    ir_probe(t, block(t, f), hart(t)->cbo_size, false);
}
INSN(cbo_inval, "000000000000 rs1:5 010 00000 0001111 @Zicbom", "cbo.inval ({rs1})")
{
    manage(t, f, ENV_CBIE);
}
INSN(cbo_clean, "000000000001 rs1:5 010 00000 0001111 @Zicbom", "cbo.clean ({rs1})")
{
    manage(t, f, ENV_CBCFE);
}
INSN(cbo_flush, "000000000010 rs1:5 010 00000 0001111 @Zicbom", "cbo.flush ({rs1})")
{
    manage(t, f, ENV_CBCFE);
}
INSN(cbo_zero, "000000000100 rs1:5 010 00000 0001111 @Zicboz", "cbo.zero ({rs1})")
{
    permit(t, ENV_CBZE);
    V a = block(t, f), zero = ir_kv(t, 0, 0);
    for (int i = 0; i < hart(t)->cbo_size; i += 16) ir_st(t, a, i, zero, MO_128);
}

ALIAS(ori, "poff[s11:5] 00000 rs1:5 110 00000 0010011", "prefetch.i {poff}({rs1})")
ALIAS(ori, "poff[s11:5] 00001 rs1:5 110 00000 0010011", "prefetch.r {poff}({rs1})")
ALIAS(ori, "poff[s11:5] 00011 rs1:5 110 00000 0010011", "prefetch.w {poff}({rs1})")

INSN(mop_r, "1 mop[4] 00 mop[3:2] 0111 mop[1:0] rs1:5 100 rd:5 1110011 @Zimop", "mop.r.{mop} {rd},{rs1}")
{
    wx(t, f->rd, kx(t, 0));
}
INSN(mop_rr, "1 mop[2] 00 mop[1:0] 1 rs2:5 rs1:5 100 rd:5 1110011 @Zimop", "mop.rr.{mop} {rd},{rs1},{rs2}")
{
    wx(t, f->rd, kx(t, 0));
}
