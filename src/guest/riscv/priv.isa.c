/*
 * priv.isa.c: privileged instructions (volume II): returns from traps, wfi, fences of address translation (Svinval, H), hypervisor loads
 * and stores, and the CSR access that C does. In user mode all of them are illegal.
 */
#include "cpu/soft.h"
#include "sysreg.h"
#include "xl.h"

/* -- CSRs ---------------------------------------------------------------------------------------------------------- */
HELPER(uint64_t, csr_op, (CPU *cpu, uint32_t what, uint64_t val), "fault r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    const struct csr *c = riscv_csr_row(what & 0xffff), *whole = riscv_csr_whole(c);
    unsigned op = what >> 16 & 3;
    uint64_t old = 0, base;
    if (whole->check) riscv_trap_if(cpu, whole->check(r, whole, what & CSR_DO));
    if (what & CSR_READ) old = riscv_csr_get(r, c);
    if (what & CSR_DO) {
        /* setting and clearing bits of mip starts from what software wrote, not from the inputs' levels */
        base = whole->num == 0x344 ? r->s.ip | (r->s.hvip & IRQ(IRQ_VSSI)) : old;
        if (op == CSR_SET) val = base | val;
        if (op == CSR_CLEAR) val = base & ~val;
        if (r->rv32 && c == whole && c->flags & CF_W64) val = (riscv_csr_get(r, c) & ~0xffffffffull) | (uint32_t)val;
        riscv_csr_set(r, c, val);
    }
    return old;
}

void riscv_priv_sync(struct riscv_cpu *r, bool views)
{
    r->c.mode = (r->c.mode & ~(uint32_t)MODE_SYS) | riscv_sysmode(r);
    if (views) soft_switch(&r->c);
    riscv_irq_update(r);
}

/* Bits of the mode that status decides. */
static uint32_t unit_bits(unsigned m, unsigned vs, bool virt, uint32_t off, uint32_t clean)
{
    unsigned now = virt ? MIN(m, vs) : m;
    return !now ? off : now < 3 ? clean : 0;
}
uint32_t riscv_sysmode(const struct riscv_cpu *r)
{
    if (!r->sys) return 0;
    uint64_t m = r->s.mstatus, vs = r->s.vsstatus, env = r->s.menvcfg & (r->s.virt ? r->s.henvcfg : ~0ull);
    uint32_t mode = (uint32_t)r->s.priv << MODE_PRIV_SHIFT | (r->s.virt ? MODE_VIRT : 0);
    mode |= unit_bits(m >> ST_FS_SHIFT & 3, vs >> ST_FS_SHIFT & 3, r->s.virt, MODE_FS_OFF, MODE_FS_CLEAN);
    mode |= unit_bits(m >> ST_VS_SHIFT & 3, vs >> ST_VS_SHIFT & 3, r->s.virt, MODE_VS_OFF, MODE_VS_CLEAN);
    if (!riscv_has_ext(r, EXT_s)) mode |= MODE_NO_S;
    if (r->s.priv == PRIV_U) env &= r->s.senvcfg;
    if (r->s.priv != PRIV_M && (env & (ENV_CBIE | ENV_CBCFE | ENV_CBZE)) != (ENV_CBIE | ENV_CBCFE | ENV_CBZE)) mode |= MODE_CBO;
    if (r->s.priv == PRIV_M ? m & ST_MPRV && (m & ST_MPP) != ST_MPP : r->s.priv == PRIV_S && (r->s.virt ? vs : m) & ST_SUM) mode |= MODE_VIEW1;
    return mode;
}

/* -- FS and VS -------------------------------------------------------------------------------------------------------- */
HELPER(void, unit_dirty, (CPU *cpu, uint32_t fp, uint32_t vec), "fault r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    uint64_t bits = (fp ? ST_FS : 0) | (vec ? ST_VS : 0);
    r->s.mstatus |= bits;
    if (r->s.virt) r->s.vsstatus |= bits;
    cpu->mode = (cpu->mode & ~(uint32_t)MODE_SYS) | riscv_sysmode(r);
}

enum { U_FP = 1, U_FP_WRITE = 2, U_VEC = 4, U_VEC_WRITE = 8 };
/* What an instruction has to do with the floating-point and vector units; "write" may say so of one that changes nothing. */
static unsigned units_of(const struct riscv_cpu *r, uint32_t i)
{
    unsigned f3 = i >> 12 & 7, csr = i >> 20;
    if ((i & 3) != 3) {
        unsigned op = i >> 13 & 7;
        bool fp = (i & 3) != 1 && (op == 1 || op == 5 || (r->rv32 && (op == 3 || op == 7)));
        return !fp ? 0 : op & 4 ? U_FP : U_FP | U_FP_WRITE;
    }
    switch (i >> 2 & 31) {
    case 1: return f3 >= 1 && f3 <= 4 ? U_FP | U_FP_WRITE : U_VEC | U_VEC_WRITE;
    case 9: return f3 >= 1 && f3 <= 4 ? U_FP : U_VEC | U_VEC_WRITE;
    case 16: case 17: case 18: case 19: return U_FP | U_FP_WRITE;
    case 20: /* moves to integers and classification change nothing */
        return i >> 28 == 14 && (f3 == 0 || f3 == 1) && (i >> 27 & 1) == 0 ? U_FP : U_FP | U_FP_WRITE;
    case 21: return U_VEC | U_VEC_WRITE | (f3 == 1 || f3 == 5 ? U_FP | U_FP_WRITE : 0);
    case 28:
        if (!(f3 & 3)) return 0;
        bool write = (f3 & 3) == 1 || (i >> 15 & 31);
        if (csr >= 1 && csr <= 3) return U_FP | (write ? U_FP_WRITE : 0);
        if ((csr >= 8 && csr <= 10) || csr == 15 || (csr >= 0xc20 && csr <= 0xc22)) return U_VEC | (write ? U_VEC_WRITE : 0);
        return 0;
    default: return 0;
    }
}

bool riscv_units(struct xlat *t, uint32_t insn)
{
    unsigned u = units_of(hart(t), insn);
    if ((u & U_FP && t->mode & MODE_FS_OFF) || (u & U_VEC && t->mode & MODE_VS_OFF)) {
        xl_illegal(t);
        return true;
    }
    bool fp = u & U_FP_WRITE && t->mode & MODE_FS_CLEAN, vec = u & U_VEC_WRITE && t->mode & MODE_VS_CLEAN;
    if (!fp && !vec) return false;
    /* this instruction again, when they are dirty */
    IR_CALL(t, unit_dirty, ir_k32(t, fp), ir_k32(t, vec));
    t->mode &= ~(uint32_t)((fp ? MODE_FS_CLEAN : 0) | (vec ? MODE_VS_CLEAN : 0));
    ir_put(t, R_MODE, ir_k32(t, t->mode));
    xl_stop(t);
    t->target = t->pc;
    return true;
}

/* -- returns ------------------------------------------------------------------------------------------------------------ */
static uint64_t go_to(struct riscv_cpu *r, unsigned priv, bool virt, uint64_t epc)
{
    r->s.priv = (uint8_t)priv;
    r->s.virt = virt;
    r->c.res_addr = ~0ull;
    r->c.mode = (r->c.mode & MODE_F) | riscv_sysmode(r);
    soft_switch(&r->c);
    riscv_irq_update(r);
    return riscv_has_ext(r, EXT_zca) ? epc & ~1ull : epc & ~3ull;
}
static unsigned least(const struct riscv_cpu *r)
{
    return riscv_has_ext(r, EXT_u) ? PRIV_U : PRIV_M;
}
HELPER(uint64_t, mret, (CPU *cpu), "fault r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    uint64_t st = r->s.mstatus;
    unsigned priv = (st & ST_MPP) >> ST_MPP_SHIFT;
    bool virt = st & ST_MPV && priv != PRIV_M;
    r->s.mstatus = (st & ~(ST_MIE | ST_MPP | ST_MPV)) | (st & ST_MPIE ? ST_MIE : 0) | ST_MPIE | (uint64_t)least(r) << ST_MPP_SHIFT;
    if (priv != PRIV_M) r->s.mstatus &= ~ST_MPRV;
    return go_to(r, priv, virt, r->s.mepc);
}
HELPER(uint64_t, sret, (CPU *cpu), "fault r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    volatile uint64_t *status = r->s.virt ? &r->s.vsstatus : &r->s.mstatus;
    uint64_t st = *status;
    bool virt = r->s.virt;
    if (r->s.priv == PRIV_S) {
        if (virt && r->s.hstatus & HS_VTSR) riscv_trap_if(cpu, CSR_VIRTUAL);
        if (!virt && r->s.mstatus & ST_TSR) riscv_trap_if(cpu, CSR_ILLEGAL);
    }
    *status = (st & ~(ST_SIE | ST_SPP)) | (st & ST_SPIE ? ST_SIE : 0) | ST_SPIE;
    if (!virt) {
        r->s.mstatus &= ~ST_MPRV;
        if (riscv_h(r)) {
            virt = r->s.hstatus & HS_SPV;
            r->s.hstatus &= ~HS_SPV;
        }
        return go_to(r, st & ST_SPP ? PRIV_S : PRIV_U, virt, r->s.sepc);
    }
    return go_to(r, st & ST_SPP ? PRIV_S : PRIV_U, true, r->s.vsepc);
}
static void ret_to(struct xlat *t, V pc)
{
    xl_jump_ind(t, pc, JK_JUMP);
    t->new_mode = ir_get(t, R_MODE);
}

HELPER(uint64_t, ecall_trap, (CPU *cpu), "fault r=c w=c")
{
    return riscv_ecall(riscv_cpu_rw(cpu));
}
void riscv_trap_call(struct xlat *t)
{
    ret_to(t, IR_CALL0(t, ecall_trap));
}

/* Not permitted in this mode: U mode below S, and what only HS mode may do. False: it is. */
static bool refused(struct xlat *t, unsigned least_priv, bool hs_only)
{
    bool virt = t->mode & MODE_VIRT;
    if (!hart(t)->sys || (!virt && mode_priv(t->mode) < least_priv)) xl_illegal(t);
    else if (virt && (hs_only || mode_priv(t->mode) < least_priv)) least_priv == PRIV_M ? xl_illegal(t) : riscv_virtual(t);
    else return false;
    return true;
}

INSN(mret, "0011000 00010 00000 000 00000 1110011", "mret")
{
    if (!hart(t)->sys || mode_priv(t->mode) != PRIV_M) xl_illegal(t);
    else ret_to(t, IR_CALL0(t, mret));
}
INSN(sret, "0001000 00010 00000 000 00000 1110011", "sret")
{
    if (!riscv_has_ext(hart(t), EXT_s)) xl_illegal(t);
    else if (!refused(t, PRIV_S, false)) ret_to(t, IR_CALL0(t, sret));
}

HELPER(void, wfi_check, (CPU *cpu), "fault r=c")
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    if (r->s.mstatus & ST_TW) riscv_trap_if(cpu, CSR_ILLEGAL);
    if (r->s.virt && (r->s.priv == PRIV_U || r->s.hstatus & HS_VTW)) riscv_trap_if(cpu, CSR_VIRTUAL);
    if (r->s.priv == PRIV_U && riscv_has_ext(r, EXT_s)) riscv_trap_if(cpu, CSR_ILLEGAL);
}
INSN(wfi, "0001000 00101 00000 000 00000 1110011", "wfi")
{
    if (!hart(t)->sys) {
        xl_illegal(t);
        return;
    }
    if (mode_priv(t->mode) != PRIV_M) IR_CALL0(t, wfi_check);
    xl_exc(t, EXC_GUEST, GX_HALT, t->next_pc);
}

/* -- fences of address translation ------------------------------------------------------------------------------------------ */
/* what: bit 0 an address, bit 1 an ASID (VMID) is given. VS mode's own tables, or HS mode's. */
static void flush(CPU *cpu, unsigned what, uint64_t mask, uint64_t value, uint64_t va, uint64_t last)
{
    if (what & 1) soft_flush_pages(cpu, mask, value, va, last, false);
    else soft_flush(cpu, mask, value, false);
}
static uint64_t vmid_of(const struct riscv_cpu *r)
{
    return r->rv32 ? r->s.hgatp >> 22 & 0x7f : r->s.hgatp >> 44 & 0x3fff;
}
HELPER(void, sfence_vma, (CPU *cpu, uint32_t what, uint64_t va, uint64_t asid), "fault r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    uint64_t mask = KEY_VALID | KEY_VIRT, value = KEY_VALID | (r->s.virt ? KEY_VIRT : 0);
    if (r->s.priv == PRIV_S) {
        if (r->s.virt && r->s.hstatus & HS_VTVM) riscv_trap_if(cpu, CSR_VIRTUAL);
        if (!r->s.virt && r->s.mstatus & ST_TVM) riscv_trap_if(cpu, CSR_ILLEGAL);
    }
    if (r->s.virt) mask |= KEY_VMID_MASK, value |= vmid_of(r) << KEY_VMID_SHIFT;
    if (what & 2) mask |= KEY_ASID_MASK, value |= asid & (r->rv32 ? 0x1ff : 0xffff);
    flush(cpu, what, mask, value, va, va);
}
/* Translations of guests: of the current VMID for hfence.vvma, of a given or every VMID for hfence.gvma. */
HELPER(void, hfence_vvma, (CPU *cpu, uint32_t what, uint64_t va, uint64_t asid), "fault r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    uint64_t mask = KEY_VALID | KEY_VIRT | KEY_VMID_MASK, value = KEY_VALID | KEY_VIRT | vmid_of(r) << KEY_VMID_SHIFT;
    if (what & 2) mask |= KEY_ASID_MASK, value |= asid & (r->rv32 ? 0x1ff : 0xffff);
    flush(cpu, what, mask, value, va, va);
}
/* The address is a guest physical one: what it is mapped at is not known, so all goes. */
HELPER(void, hfence_gvma, (CPU *cpu, uint32_t what, uint64_t vmid), "fault r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    uint64_t mask = KEY_VALID | KEY_VIRT, value = mask;
    if (r->s.priv == PRIV_S && r->s.mstatus & ST_TVM) riscv_trap_if(cpu, CSR_ILLEGAL);
    if (what & 2) mask |= KEY_VMID_MASK, value |= (vmid & (r->rv32 ? 0x7f : 0x3fff)) << KEY_VMID_SHIFT;
    flush(cpu, 0, mask, value, 0, 0);
}
static V what_fence(struct xlat *t, F *f)
{
    return ir_k32(t, (f->rs1 ? 1 : 0) | (f->rs2 ? 2 : 0));
}
static void sfence(struct xlat *t, F *f)
{
    if (!riscv_has_ext(hart(t), EXT_s)) {
        xl_illegal(t);
        return;
    }
    if (refused(t, PRIV_S, false)) return;
    IR_CALL(t, sfence_vma, what_fence(t, f), xaddr(t, f->rs1), xaddr(t, f->rs2));
    xl_stop(t);
}
static void hfence(struct xlat *t, F *f, bool g)
{
    if (refused(t, PRIV_S, true)) return;
    if (g) IR_CALL(t, hfence_gvma, what_fence(t, f), xaddr(t, f->rs2));
    else IR_CALL(t, hfence_vvma, what_fence(t, f), xaddr(t, f->rs1), xaddr(t, f->rs2));
    xl_stop(t);
}
INSN(sfence_vma, "0001001 rs2:5 rs1:5 000 00000 1110011", "sfence.vma {rs1},{rs2}")
{
    sfence(t, f);
}
ALIAS(sfence_vma, "0001001 00000 00000 000 00000 1110011", "sfence.vma")
ALIAS(sfence_vma, "0001001 00000 rs1:5 000 00000 1110011", "sfence.vma {rs1}")
INSN(sinval_vma, "0001011 rs2:5 rs1:5 000 00000 1110011 @Svinval", "sinval.vma {rs1},{rs2}")
{
    sfence(t, f);
}
INSN(sfence_w_inval, "0001100 00000 00000 000 00000 1110011 @Svinval", "sfence.w.inval")
{
    refused(t, PRIV_S, false);
}
INSN(sfence_inval_ir, "0001100 00001 00000 000 00000 1110011 @Svinval", "sfence.inval.ir")
{
    refused(t, PRIV_S, false);
}
INSN(hfence_vvma, "0010001 rs2:5 rs1:5 000 00000 1110011 @H", "hfence.vvma {rs1},{rs2}")
{
    hfence(t, f, false);
}
ALIAS(hfence_vvma, "0010001 00000 00000 000 00000 1110011", "hfence.vvma")
ALIAS(hfence_vvma, "0010001 00000 rs1:5 000 00000 1110011", "hfence.vvma {rs1}")
INSN(hfence_gvma, "0110001 rs2:5 rs1:5 000 00000 1110011 @H", "hfence.gvma {rs1},{rs2}")
{
    hfence(t, f, true);
}
ALIAS(hfence_gvma, "0110001 00000 00000 000 00000 1110011", "hfence.gvma")
ALIAS(hfence_gvma, "0110001 00000 rs1:5 000 00000 1110011", "hfence.gvma {rs1}")
INSN(hinval_vvma, "0010011 rs2:5 rs1:5 000 00000 1110011 @Svinval @H", "hinval.vvma {rs1},{rs2}")
{
    hfence(t, f, false);
}
INSN(hinval_gvma, "0110011 rs2:5 rs1:5 000 00000 1110011 @Svinval @H", "hinval.gvma {rs1},{rs2}")
{
    hfence(t, f, true);
}

/* -- hypervisor loads and stores ------------------------------------------------------------------------------------------------ */
static void check_hlv(CPU *cpu)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    if (r->s.priv == PRIV_U && !(r->s.hstatus & HS_HU)) riscv_trap_if(cpu, CSR_ILLEGAL);
}
HELPER(uint64_t, hlv, (CPU *cpu, uint32_t mo, uint32_t view, uint64_t va), "fault r=c")
{
    check_hlv(cpu);
    return soft_ld(cpu, view & 3, va, mo);
}
HELPER(void, hsv, (CPU *cpu, uint32_t mo, uint64_t va, uint64_t v), "fault r=c")
{
    check_hlv(cpu);
    soft_st(cpu, VIEW_A, va, v, mo);
}
static void load_guest(struct xlat *t, F *f, unsigned mo, unsigned view)
{
    if (refused(t, PRIV_U, true)) return;
    V v = IR_CALL(t, hlv, ir_k32(t, mo), ir_k32(t, view), xaddr(t, f->rs1));
    wx(t, f->rd, ir_trunc(t, xtype(t), v));
}
static void store_guest(struct xlat *t, F *f, unsigned mo)
{
    if (refused(t, PRIV_U, true)) return;
    IR_CALL(t, hsv, ir_k32(t, mo), xaddr(t, f->rs1), ir_zext(t, T_I64, x(t, f->rs2)));
}
INSN(hlv_b, "0110000 00000 rs1:5 100 rd:5 1110011 @H", "hlv.b {rd},({rs1})")
{
    load_guest(t, f, MO_8 | MO_SIGN, VIEW_A);
}
INSN(hlv_bu, "0110000 00001 rs1:5 100 rd:5 1110011 @H", "hlv.bu {rd},({rs1})")
{
    load_guest(t, f, MO_8, VIEW_A);
}
INSN(hlv_h, "0110010 00000 rs1:5 100 rd:5 1110011 @H", "hlv.h {rd},({rs1})")
{
    load_guest(t, f, MO_16 | MO_SIGN, VIEW_A);
}
INSN(hlv_hu, "0110010 00001 rs1:5 100 rd:5 1110011 @H", "hlv.hu {rd},({rs1})")
{
    load_guest(t, f, MO_16, VIEW_A);
}
INSN(hlvx_hu, "0110010 00011 rs1:5 100 rd:5 1110011 @H", "hlvx.hu {rd},({rs1})")
{
    load_guest(t, f, MO_16, VIEW_B);
}
INSN(hlv_w, "0110100 00000 rs1:5 100 rd:5 1110011 @H", "hlv.w {rd},({rs1})")
{
    load_guest(t, f, MO_32 | MO_SIGN, VIEW_A);
}
INSN(hlv_wu, "0110100 00001 rs1:5 100 rd:5 1110011 @rv64 @H", "hlv.wu {rd},({rs1})")
{
    load_guest(t, f, MO_32, VIEW_A);
}
INSN(hlvx_wu, "0110100 00011 rs1:5 100 rd:5 1110011 @H", "hlvx.wu {rd},({rs1})")
{
    load_guest(t, f, MO_32, VIEW_B);
}
INSN(hlv_d, "0110110 00000 rs1:5 100 rd:5 1110011 @rv64 @H", "hlv.d {rd},({rs1})")
{
    load_guest(t, f, MO_64, VIEW_A);
}
INSN(hsv_b, "0110001 rs2:5 rs1:5 100 00000 1110011 @H", "hsv.b {rs2},({rs1})")
{
    store_guest(t, f, MO_8);
}
INSN(hsv_h, "0110011 rs2:5 rs1:5 100 00000 1110011 @H", "hsv.h {rs2},({rs1})")
{
    store_guest(t, f, MO_16);
}
INSN(hsv_w, "0110101 rs2:5 rs1:5 100 00000 1110011 @H", "hsv.w {rs2},({rs1})")
{
    store_guest(t, f, MO_32);
}
INSN(hsv_d, "0110111 rs2:5 rs1:5 100 00000 1110011 @rv64 @H", "hsv.d {rs2},({rs1})")
{
    store_guest(t, f, MO_64);
}
