/*
 * csr.c: the table of control and status registers and what reading and writing them does in system mode (volume II, chapters
 * "Machine-Level ISA", "Supervisor-Level ISA", "Hypervisor Extension", Smstateen, Sstc, Smcntrpmf's absence). Fields are WARL as
 * masks say; what is read-only by number is refused in sysreg.c. Counters: mcycle and minstret count nanoseconds of guest time (with
 * -icount the machine's clock follows instructions); hpmcounters hold what is written and count nothing.
 * Known gaps: triggers (tselect...), debug mode, Smrnmi, Smcntrpmf, double traps; XLEN is the same in all modes.
 */
#include "sysreg.h"

/* -- plain ones ------------------------------------------------------------------------------------------------------ */
static uint64_t get_home(const struct riscv_cpu *r, const struct csr *c)
{
    return csr_home_get(r, c);
}
static uint64_t get_zero(const struct riscv_cpu *r UNUSED, const struct csr *c UNUSED)
{
    return 0;
}
static void set_nothing(struct riscv_cpu *r UNUSED, const struct csr *c UNUSED, uint64_t v UNUSED)
{
}

/* Direct and vectored; a reserved mode leaves the register's. */
static void set_tvec(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    if ((v & 3) > 1) v = (v & ~3ull) | (csr_home_get(r, c) & 3);
    *csr_home(r, c) = v;
}

static uint64_t get_misa(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    static const struct { char letter; uint8_t ext; } letters[] = {
        { 'a', EXT_a }, { 'c', EXT_c }, { 'd', EXT_d }, { 'f', EXT_f }, { 'h', EXT_h }, { 'i', EXT_i }, { 'm', EXT_m },
        { 's', EXT_s }, { 'u', EXT_u }, { 'v', EXT_v }, { 'b', EXT_b },
    };
    uint64_t v = r->rv32 ? 1ull << 30 : 2ull << 62;
    for (size_t i = 0; i < ARRAY_LEN(letters); i++)
        if (riscv_has_ext(r, letters[i].ext)) v |= 1ull << (letters[i].letter - 'a');
    return v;
}
static uint64_t get_mhartid(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->c.v ? r->c.v->index : 0;
}

/* -- status ---------------------------------------------------------------------------------------------------------- */
static uint64_t with_sd(const struct riscv_cpu *r, uint64_t v)
{
    bool dirty = (v & ST_FS) == ST_FS || (v & ST_VS) == ST_VS;
    return dirty ? v | 1ull << (riscv_xlen(r) - 1) : v;
}
/* Fields of sstatus that there are. */
static uint64_t sstatus_mask(const struct riscv_cpu *r)
{
    return ST_SIE | ST_SPIE | ST_SPP | ST_SUM | ST_MXR | (riscv_has_ext(r, EXT_f) ? ST_FS : 0) |
           (riscv_has_ext(r, EXT_zve32x) ? ST_VS : 0);
}
/* Interrupt enables and unit states change often, what translation depends on does not. */
static void put_status(struct riscv_cpu *r, uint64_t *status, uint64_t mask, uint64_t v)
{
    uint64_t old = *status;
    *status = (old & ~mask) | (v & mask);
    riscv_priv_sync(r, (old ^ *status) & (ST_SUM | ST_MXR | ST_MPRV | ST_MPP | ST_MPV));
}
static uint64_t get_mstatus(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    uint64_t v = r->s.mstatus;
    if (!r->rv32) v |= (riscv_has_ext(r, EXT_u) ? ST_UXL : 0) | (riscv_has_ext(r, EXT_s) ? ST_SXL : 0);
    return with_sd(r, v);
}
static void set_mstatus(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t mask = ST_MIE | ST_MPIE | ST_MPP | (sstatus_mask(r) & (ST_FS | ST_VS)), mpp = (v & ST_MPP) >> ST_MPP_SHIFT;
    if (riscv_has_ext(r, EXT_s)) mask |= sstatus_mask(r) | ST_TVM | ST_TW | ST_TSR;
    if (riscv_has_ext(r, EXT_u)) mask |= ST_MPRV | ST_TW;
    if (riscv_h(r)) mask |= ST_GVA | ST_MPV;
    if (mpp == 2 || (mpp == PRIV_S && !riscv_has_ext(r, EXT_s)) || (mpp == PRIV_U && !riscv_has_ext(r, EXT_u))) mask &= ~ST_MPP;
    put_status(r, &r->s.mstatus, mask, v);
}
static uint64_t get_sstatus(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return with_sd(r, (r->s.mstatus & sstatus_mask(r)) | (r->rv32 ? 0 : ST_UXL));
}
static void set_sstatus(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t mask = sstatus_mask(r);
    put_status(r, &r->s.mstatus, mask, v);
}
static uint64_t get_vsstatus(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return with_sd(r, r->s.vsstatus | (r->rv32 ? 0 : ST_UXL));
}
static void set_vsstatus(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_status(r, &r->s.vsstatus, sstatus_mask(r), v);
}
static void set_hstatus(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t mask = HS_GVA | HS_SPV | HS_SPVP | HS_HU | HS_VTVM | HS_VTW | HS_VTSR, vgein = (v & HS_VGEIN) >> 12;
    if (vgein <= r->s.geilen) mask |= HS_VGEIN;
    r->s.hstatus = (r->s.hstatus & ~mask) | (v & mask) | (r->rv32 ? 0 : HS_VSXL);
    riscv_priv_sync(r, true);
}

/* -- delegation, interrupts -------------------------------------------------------------------------------------------- */
static uint64_t s_irqs(const struct riscv_cpu *r)
{
    return IRQ_S | (riscv_has_ext(r, EXT_sscofpmf) ? IRQ(IRQ_LCOFI) : 0);
}
static void set_medeleg(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    r->s.medeleg = v & (riscv_h(r) ? 0xf0b7ff : 0xb3ff);
}
static uint64_t get_mideleg(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->s.mideleg | (riscv_h(r) ? IRQ_VS | IRQ(IRQ_SGEI) : 0);
}
static void set_mideleg(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    r->s.mideleg = (v & s_irqs(r)) | (riscv_h(r) ? IRQ_VS | IRQ(IRQ_SGEI) : 0);
    riscv_irq_update(r);
}
static void put_ie(struct riscv_cpu *r, uint64_t mask, uint64_t v)
{
    __atomic_store_n(&r->s.mie, (r->s.mie & ~mask) | (v & mask), __ATOMIC_RELAXED);
    riscv_irq_update(r);
}
static uint64_t get_mie(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->s.mie;
}
static void set_mie(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_ie(r, IRQ_M | (riscv_has_ext(r, EXT_s) ? s_irqs(r) : 0) | (riscv_h(r) ? IRQ_VS | IRQ(IRQ_SGEI) : 0), v);
}
static uint64_t get_sie(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->s.mie & r->s.mideleg & s_irqs(r);
}
static void set_sie(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_ie(r, r->s.mideleg & s_irqs(r), v);
}
static uint64_t get_hie(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->s.mie & (IRQ_VS | IRQ(IRQ_SGEI));
}
static void set_hie(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_ie(r, IRQ_VS | IRQ(IRQ_SGEI), v);
}
/* VS-level interrupts have the numbers of S-level ones in the registers that VS mode sees. */
static uint64_t get_vsie(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return (r->s.mie & r->s.hideleg & IRQ_VS) >> 1;
}
static void set_vsie(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_ie(r, r->s.hideleg & IRQ_VS, v << 1);
}

static void put_bits(struct riscv_cpu *r, volatile uint64_t *word, uint64_t mask, uint64_t v)
{
    __atomic_and_fetch(word, ~(mask & ~v), __ATOMIC_SEQ_CST);
    __atomic_or_fetch(word, mask & v, __ATOMIC_SEQ_CST);
    riscv_irq_update(r);
}
static uint64_t get_mip(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return riscv_mip(r);
}
/* STIP is stimecmp's when that is switched on. */
static uint64_t soft_irqs(const struct riscv_cpu *r)
{
    uint64_t mask = riscv_has_ext(r, EXT_s) ? s_irqs(r) : 0;
    return riscv_has_ext(r, EXT_sstc) && r->s.menvcfg & ENV_STCE ? mask & ~IRQ(IRQ_STI) : mask;
}
static void set_mip(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    if (riscv_h(r)) put_bits(r, &r->s.hvip, IRQ(IRQ_VSSI), v);
    put_bits(r, &r->s.ip, soft_irqs(r), v);
}
static uint64_t get_mvip(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    uint64_t own = r->s.mvien;
    return (r->s.mvip & own) | (r->s.ip & soft_irqs(r) & ~own);
}
/* Bits without their mvien are mip's own. */
static void set_mvip(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t own = r->s.mvien & (IRQ(IRQ_SSI) | IRQ(IRQ_SEI));
    put_bits(r, &r->s.mvip, own, v);
    put_bits(r, &r->s.ip, soft_irqs(r) & ~own, v);
}
static uint64_t get_sip(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    uint64_t virtual = r->s.mvien & ~r->s.mideleg;
    return (riscv_mip(r) & r->s.mideleg & s_irqs(r)) | (r->s.mvip & virtual);
}
static void set_sip(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t mask = IRQ(IRQ_SSI) | IRQ(IRQ_LCOFI), virtual = r->s.mvien & ~r->s.mideleg & IRQ(IRQ_SSI);
    if (virtual) put_bits(r, &r->s.mvip, virtual, v);
    put_bits(r, &r->s.ip, mask & r->s.mideleg & s_irqs(r), v);
}
static uint64_t get_hip(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return riscv_mip(r) & (IRQ_VS | IRQ(IRQ_SGEI));
}
static void set_hip(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_bits(r, &r->s.hvip, IRQ(IRQ_VSSI), v);
}
static uint64_t get_hvip(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->s.hvip;
}
static void set_hvip(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_bits(r, &r->s.hvip, IRQ_VS, v);
}
static uint64_t get_vsip(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return (riscv_mip(r) & r->s.hideleg & IRQ_VS) >> 1;
}
static void set_vsip(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    put_bits(r, &r->s.hvip, IRQ(IRQ_VSSI) & r->s.hideleg, v << 1);
}
static uint64_t get_hgeip(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->s.hgeip;
}
/* hgeie: bits 1 to GEILEN; htimedelta moves vstimecmp's time. */
static void set_home(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    uint64_t mask = c->mask;
    if (c->num == 0x607) mask = bits_mask(r->s.geilen + 1) & ~1ull;
    if (c->num == 0x605) mask = ~0ull;
    uint64_t *home = csr_home(r, c);
    *home = (*home & ~mask) | (v & mask);
    if (c->num == 0x605) riscv_timer_update(r, TIMER_VS);
    if (c->flags & CF_END) riscv_irq_update(r);
}

/* -- environment --------------------------------------------------------------------------------------------------------- */
/* FIOM needs nothing: fences order everything. CBIE = 2 is reserved. */
static uint64_t env_mask(const struct riscv_cpu *r)
{
    return ENV_FIOM | (riscv_has_ext(r, EXT_zicbom) ? ENV_CBIE | ENV_CBCFE : 0) | (riscv_has_ext(r, EXT_zicboz) ? ENV_CBZE : 0);
}
static uint64_t env_value(uint64_t old, uint64_t v, uint64_t mask)
{
    if ((v & ENV_CBIE) == 2 << 4) mask &= ~ENV_CBIE;
    return (old & ~mask) | (v & mask);
}
static uint64_t menv_mask(const struct riscv_cpu *r)
{
    return env_mask(r) | (riscv_has_ext(r, EXT_sstc) ? ENV_STCE : 0) | (riscv_has_ext(r, EXT_svpbmt) ? ENV_PBMTE : 0) |
           (riscv_has_ext(r, EXT_svadu) ? ENV_ADUE : 0);
}
static void set_menvcfg(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t old = r->s.menvcfg;
    r->s.menvcfg = env_value(old, v, menv_mask(r));
    if ((old ^ r->s.menvcfg) & ENV_STCE) {
        __atomic_and_fetch(&r->s.ip, ~IRQ(IRQ_STI), __ATOMIC_SEQ_CST);
        riscv_timer_update(r, TIMER_S);
        if (riscv_h(r)) riscv_timer_update(r, TIMER_VS);
    }
    riscv_priv_sync(r, true);
}
static void set_senvcfg(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    r->s.senvcfg = env_value(r->s.senvcfg, v, env_mask(r));
    riscv_priv_sync(r, true);
}
static uint64_t get_henvcfg(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return r->s.henvcfg & (r->s.menvcfg | ~(ENV_STCE | ENV_PBMTE | ENV_ADUE));
}
static void set_henvcfg(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t mask = menv_mask(r) & (r->s.menvcfg | ~(ENV_STCE | ENV_PBMTE | ENV_ADUE));
    r->s.henvcfg = env_value(r->s.henvcfg, v, mask);
    riscv_timer_update(r, TIMER_VS);
    riscv_priv_sync(r, true);
}
static enum csr_trap check_envcfg(const struct riscv_cpu *r, const struct csr *c UNUSED, bool write UNUSED)
{
    if (!riscv_has_ext(r, EXT_smstateen)) return CSR_OK;
    return csr_gate(r, r->s.mstateen[0] & SE_ENVCFG, r->s.hstateen[0] & SE_ENVCFG);
}

/* -- Smstateen ------------------------------------------------------------------------------------------------------------ */
static uint64_t stateen_mask(const struct riscv_cpu *r, unsigned i)
{
    if (i) return SE_SE0;
    return SE_SE0 | SE_ENVCFG | (riscv_has_ext(r, EXT_ssaia) ? SE_CSRIND | SE_AIA | SE_IMSIC : 0);
}
static void set_mstateen(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    *csr_home(r, c) = v & stateen_mask(r, c->num & 3);
}
/* Bits that the level above has clear are read-only 0. */
static void set_hstateen(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    *csr_home(r, c) = v & stateen_mask(r, c->num & 3) & r->s.mstateen[c->num & 3];
}
static void set_sstateen(struct riscv_cpu *r, const struct csr *c, uint64_t v UNUSED)
{
    *csr_home(r, c) = 0; /* the only bits there could be are for Zcmt and Zfinx */
}
static enum csr_trap check_stateen(const struct riscv_cpu *r, const struct csr *c, bool write UNUSED)
{
    return csr_gate(r, r->s.mstateen[c->num & 3] & SE_SE0, r->s.hstateen[c->num & 3] & SE_SE0);
}

/* -- address translation ---------------------------------------------------------------------------------------------------- */
/* Highest MODE that satp and hgatp take. */
static bool mode_ok(const struct riscv_cpu *r, unsigned mode)
{
    if (!mode) return true;
    if (r->rv32) return mode == 1 && riscv_has_ext(r, EXT_sv32);
    return (mode == 8 && riscv_has_ext(r, EXT_sv39)) || (mode == 9 && riscv_has_ext(r, EXT_sv48)) ||
           (mode == 10 && riscv_has_ext(r, EXT_sv57));
}
static unsigned atp_mode(const struct riscv_cpu *r, uint64_t v)
{
    return r->rv32 ? v >> 31 & 1 : (unsigned)(v >> 60);
}
/* A mode that is not there: nothing is written. */
static void set_satp(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    if (!riscv_has_ext(r, EXT_mmu) || !mode_ok(r, atp_mode(r, v))) return;
    *csr_home(r, c) = v & riscv_xmask(r);
    soft_switch(&r->c);
}
/* As satp in VS mode's eyes, where TVM forbids it. hgatp: the root table is four pages; a mode that is not there keeps the old one. */
static enum csr_trap check_satp(const struct riscv_cpu *r, const struct csr *c, bool write UNUSED)
{
    if (r->s.priv != PRIV_S) return CSR_OK;
    if (r->s.virt) return r->s.hstatus & HS_VTVM ? CSR_VIRTUAL : CSR_OK;
    return c->num == 0x180 && r->s.mstatus & ST_TVM ? CSR_ILLEGAL : CSR_OK;
}
static void set_hgatp(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t mask = r->rv32 ? 0x80000000u | 0x7fu << 22 | bits_mask(22) : 15ull << 60 | 0x3fffull << 44 | bits_mask(44);
    if (!mode_ok(r, atp_mode(r, v))) mask &= r->rv32 ? 0x7fffffffu : ~(15ull << 60);
    r->s.hgatp = (r->s.hgatp & ~mask) | (v & mask & ~3ull);
    soft_switch(&r->c);
}
static enum csr_trap check_hgatp(const struct riscv_cpu *r, const struct csr *c UNUSED, bool write UNUSED)
{
    return r->s.priv == PRIV_S && r->s.mstatus & ST_TVM ? CSR_ILLEGAL : CSR_OK;
}

/* -- PMP -------------------------------------------------------------------------------------------------------------------- */
static uint64_t get_pmpcfg(const struct riscv_cpu *r, const struct csr *c)
{
    return riscv_pmpcfg_get(r, c->num - 0x3a0u);
}
static void set_pmpcfg(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    riscv_pmpcfg_set(r, c->num - 0x3a0u, v);
}
static enum csr_trap check_pmpcfg(const struct riscv_cpu *r, const struct csr *c, bool write UNUSED)
{
    return !r->rv32 && c->num & 1 ? CSR_ILLEGAL : CSR_OK;
}
static uint64_t get_pmpaddr(const struct riscv_cpu *r, const struct csr *c)
{
    return riscv_pmpaddr_get(r, c->num - 0x3b0u);
}
static void set_pmpaddr(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    riscv_pmpaddr_set(r, c->num - 0x3b0u, v);
}
static void set_mseccfg(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    riscv_mseccfg_set(r, v);
}

/* -- time, counters ----------------------------------------------------------------------------------------------------------- */
uint64_t riscv_now_ns(const struct riscv_cpu *r)
{
    const struct vcpu *v = r->c.v;
    return v && v->host && v->host->now ? v->host->now(v->host_ctx) : 0;
}
uint64_t riscv_time(const struct riscv_cpu *r)
{
    return riscv_now_ns(r) / (1000000000u / RISCV_TIMEBASE_HZ);
}
static uint64_t get_time(const struct riscv_cpu *r, const struct csr *c UNUSED)
{
    return riscv_time(r) + (r->s.virt ? r->s.htimedelta : 0);
}
static uint64_t get_counter(const struct riscv_cpu *r, const struct csr *c)
{
    bool instret = c->num & 2;
    uint64_t off = instret ? r->s.instret_off : r->s.cycle_off;
    return r->s.mcountinhibit >> (instret ? 2 : 0) & 1 ? off : riscv_now_ns(r) + off;
}
static void set_counter(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    bool instret = c->num & 2;
    uint64_t now = r->s.mcountinhibit >> (instret ? 2 : 0) & 1 ? 0 : riscv_now_ns(r);
    *(instret ? &r->s.instret_off : &r->s.cycle_off) = v - now;
}
/* A counter that stops holds its value where its offset was. */
static void set_mcountinhibit(struct riscv_cpu *r, const struct csr *c UNUSED, uint64_t v)
{
    uint64_t change = (v ^ r->s.mcountinhibit) & 5, now = riscv_now_ns(r);
    if (change & 1) r->s.cycle_off += v & 1 ? now : -now;
    if (change & 4) r->s.instret_off += v & 4 ? now : -now;
    r->s.mcountinhibit = v & bits_mask(3 + HPM_MAX) & ~2ull;
}
static uint64_t get_hpm(const struct riscv_cpu *r, const struct csr *c)
{
    return csr_home_get(r, c);
}
static void set_hpm(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    if ((c->num & 31) - 3 < HPM_MAX) *csr_home(r, c) = v;
}
static enum csr_trap check_counter(const struct riscv_cpu *r, const struct csr *c, bool write UNUSED)
{
    uint64_t bit = 1ull << (c->num & 31);
    if (r->s.priv == PRIV_M) return CSR_OK;
    if (!(r->s.mcounteren & bit)) return CSR_ILLEGAL;
    if (r->s.virt && !(r->s.hcounteren & bit)) return CSR_VIRTUAL;
    if (r->s.priv == PRIV_U && riscv_has_ext(r, EXT_s) && !(r->s.scounteren & bit)) return r->s.virt ? CSR_VIRTUAL : CSR_ILLEGAL;
    return CSR_OK;
}

/*
 * The clock may come to the compare value on another thread while this one changes it: whoever looked at an old value looks again.
 */
void riscv_timer_update(struct riscv_cpu *r, unsigned n)
{
    const struct vcpu *v = r->c.v;
    volatile uint64_t *cmp = n == TIMER_S ? &r->s.stimecmp : &r->s.vstimecmp;
    uint64_t line = IRQ(n == TIMER_S ? IRQ_STI : IRQ_VSTI), at, delta;
    if (!riscv_has_ext(r, EXT_sstc) || !v->host || !v->host->timer) return;
    do {
        bool on = r->s.menvcfg & ENV_STCE && (n == TIMER_S || r->s.henvcfg & ENV_STCE);
        at = __atomic_load_n(cmp, __ATOMIC_SEQ_CST);
        delta = n == TIMER_S ? 0 : __atomic_load_n(&r->s.htimedelta, __ATOMIC_SEQ_CST);
        uint64_t ns_per = 1000000000u / RISCV_TIMEBASE_HZ, now = riscv_time(r) + delta;
        if (on && now >= at)
            __atomic_or_fetch(&r->s.lines, line, __ATOMIC_SEQ_CST);
        else
            __atomic_and_fetch(&r->s.lines, ~line, __ATOMIC_SEQ_CST);
        /* now < at: the host's clock has now - delta */
        uint64_t when = at - delta, ns = on && now < at && when <= UINT64_MAX / ns_per ? when * ns_per : UINT64_MAX;
        v->host->timer(v->host_ctx, &r->c, n, ns);
    } while (at != __atomic_load_n(cmp, __ATOMIC_SEQ_CST) || (n && delta != __atomic_load_n(&r->s.htimedelta, __ATOMIC_SEQ_CST)));
}
static uint64_t get_timecmp(const struct riscv_cpu *r, const struct csr *c)
{
    return csr_home_get(r, c);
}
static void set_timecmp(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    __atomic_store_n(csr_home(r, c), v, __ATOMIC_SEQ_CST);
    riscv_timer_update(r, c->num == 0x14d ? TIMER_S : TIMER_VS);
    riscv_irq_update(r);
}
static enum csr_trap check_stimecmp(const struct riscv_cpu *r, const struct csr *c UNUSED, bool write UNUSED)
{
    return csr_gate(r, r->s.mcounteren & 2 && r->s.menvcfg & ENV_STCE, r->s.hcounteren & 2 && r->s.henvcfg & ENV_STCE);
}

/* -- AIA ------------------------------------------------------------------------------------------------------------------------ */
static enum hart_level level_of(const struct csr *c)
{
    unsigned l = c->num >> 8 & 3;
    return l == 3 ? LEVEL_M : l == 2 ? LEVEL_VS : LEVEL_S;
}
static uint64_t get_topi(const struct riscv_cpu *r, const struct csr *c)
{
    return riscv_aia_topi(r, level_of(c));
}
static uint64_t get_topei(const struct riscv_cpu *r, const struct csr *c)
{
    bool ok;
    return riscv_aia_topei(r, level_of(c), &ok);
}
static void set_topei(struct riscv_cpu *r, const struct csr *c, uint64_t v UNUSED)
{
    riscv_aia_claim(r, level_of(c));
    riscv_irq_update(r);
}
static uint64_t get_ireg(const struct riscv_cpu *r, const struct csr *c)
{
    bool ok;
    return riscv_aia_ireg(r, level_of(c), &ok);
}
static void set_ireg(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    riscv_aia_set_ireg(r, level_of(c), v);
    riscv_irq_update(r);
}
static enum csr_trap stateen(const struct riscv_cpu *r, uint64_t bit)
{
    if (!riscv_has_ext(r, EXT_smstateen)) return CSR_OK;
    return csr_gate(r, r->s.mstateen[0] & bit, r->s.hstateen[0] & bit);
}
static enum csr_trap check_aia(const struct riscv_cpu *r, const struct csr *c, bool write UNUSED)
{
    return stateen(r, (c->num & 0xff) == 0x50 ? SE_CSRIND : SE_AIA);
}
static enum csr_trap check_topi(const struct riscv_cpu *r, const struct csr *c UNUSED, bool write UNUSED)
{
    return stateen(r, SE_AIA);
}
static enum csr_trap check_topei(const struct riscv_cpu *r, const struct csr *c, bool write UNUSED)
{
    bool ok;
    enum csr_trap trap = stateen(r, SE_IMSIC);
    if (trap) return trap;
    riscv_aia_topei(r, level_of(c), &ok);
    return ok ? CSR_OK : r->s.virt ? CSR_VIRTUAL : CSR_ILLEGAL;
}
static enum csr_trap check_ireg(const struct riscv_cpu *r, const struct csr *c, bool write UNUSED)
{
    enum hart_level level = level_of(c);
    uint64_t sel = level == LEVEL_M ? r->s.miselect : level == LEVEL_S ? r->s.siselect : r->s.vsiselect;
    enum csr_trap trap = level == LEVEL_M ? CSR_OK : stateen(r, SE_CSRIND);
    bool ok;
    if (!trap && level != LEVEL_M) trap = stateen(r, sel >= 0x70 ? SE_IMSIC : SE_AIA);
    if (trap) return trap;
    riscv_aia_ireg(r, level, &ok);
    return ok ? CSR_OK : r->s.virt ? CSR_VIRTUAL : CSR_ILLEGAL;
}

/* -- the table ---------------------------------------------------------------------------------------------------------------------- */
static const struct csr csrs[] = {
#define CSR(n, nm, e, f, ...)      { .num = n, .name = #nm, .ext = EXT_##e, .flags = f, __VA_ARGS__ },
#define CSR_USER(n, nm, e, f, ...) { .num = n, .name = #nm, .ext = EXT_##e, .flags = f, __VA_ARGS__ },
#define CSR_HI(n, nm, b, e)        { .num = n, .name = #nm, .ext = EXT_##e, .flags = CF_RV32, .base = b },
#define CSR_HI_USER(n, nm, b, e)   { .num = n, .name = #nm, .ext = EXT_##e, .flags = CF_RV32, .base = b, .rd = riscv_rd_clockh },
#include "csr.def"
#undef CSR
#undef CSR_USER
#undef CSR_HI
#undef CSR_HI_USER
};

const struct csr *riscv_csr_row(unsigned i)
{
    return i < ARRAY_LEN(csrs) ? &csrs[i] : NULL;
}
unsigned riscv_csr_count(void)
{
    return ARRAY_LEN(csrs);
}

static const struct csr *find(unsigned num)
{
    unsigned lo = 0, hi = ARRAY_LEN(csrs);
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (csrs[mid].num == num) return &csrs[mid];
        if (csrs[mid].num < num) lo = mid + 1;
        else hi = mid;
    }
    return NULL;
}

const struct csr *riscv_csr_find(const struct riscv_cpu *r, unsigned num)
{
    const struct csr *c = find(num), *base;
    if (!c || !riscv_has_ext(r, c->ext) || (c->flags & CF_RV32 && !r->rv32) || (c->flags & CF_H && !riscv_h(r))) return NULL;
    if (!c->base) return c;
    base = find(c->base);
    return !base || (base->flags & CF_H && !riscv_h(r)) ? NULL : c;
}

const struct csr *riscv_csr_whole(const struct csr *c)
{
    return c->base ? find(c->base) : c;
}

uint64_t riscv_csr_get(const struct riscv_cpu *r, const struct csr *c)
{
    if (c->base) return riscv_csr_get(r, find(c->base)) >> 32;
    if (c->get) return c->get(r, c);
    if (c->off) return csr_home_get(r, c);
    switch (c->reg) {
    case R_MSCRATCH: return r->s.mscratch;
    case R_MEPC: return r->s.mepc;
    case R_MCAUSE: return r->s.mcause;
    case R_MTVAL: return r->s.mtval;
    case R_SSCRATCH: return r->s.sscratch;
    case R_SEPC: return r->s.sepc;
    case R_SCAUSE: return r->s.scause;
    case R_STVAL: return r->s.stval;
    case R_VSSCRATCH: return r->s.vsscratch;
    case R_VSEPC: return r->s.vsepc;
    case R_VSCAUSE: return r->s.vscause;
    case R_VSTVAL: return r->s.vstval;
    default: return 0;
    }
}

/* v: the whole register, or what there is of it on RV32 (CSR_HI: the upper half). */
void riscv_csr_set(struct riscv_cpu *r, const struct csr *c, uint64_t v)
{
    if (c->base) {
        const struct csr *b = find(c->base);
        v = (uint32_t)riscv_csr_get(r, b) | v << 32;
        c = b;
    }
    if (c->set) {
        c->set(r, c, v);
    } else if (c->off && !c->get) {
        uint64_t *home = csr_home(r, c);
        *home = (*home & ~c->mask) | (v & c->mask);
        if (c->flags & CF_END) riscv_irq_update(r);
    }
}
