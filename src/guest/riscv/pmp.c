/*
 * pmp.c: physical memory protection (volume II, "Physical Memory Protection"; Smepmp). 16 entries, granularity 4 bytes, 56-bit
 * physical addresses (RV32: 34). An access is looked up by its first byte: one that straddles a boundary inside a page is not refused.
 */
#include "cpu/host.h"
#include "mem/mem.h"
#include "sysreg.h"

enum { A_OFF, A_TOR, A_NA4, A_NAPOT, CFG_R = 1, CFG_W = 2, CFG_X = 4, CFG_A_SHIFT = 3, CFG_L = 0x80 };

static unsigned cfg_a(uint8_t cfg)
{
    return cfg >> CFG_A_SHIFT & 3;
}
static bool mml(const struct riscv_cpu *r)
{
    return r->s.mseccfg & SEC_MML;
}
/* RLB lets locked entries be written. */
static bool locked(const struct riscv_cpu *r, unsigned i)
{
    return r->s.pmpcfg[i] & CFG_L && !(r->s.mseccfg & SEC_RLB);
}

static void range_of(const struct riscv_cpu *r, unsigned i, uint64_t *first, uint64_t *last)
{
    uint64_t a = r->s.pmpaddr[i], n;
    switch (cfg_a(r->s.pmpcfg[i])) {
    case A_TOR:
        *first = i ? r->s.pmpaddr[i - 1] << 2 : 0;
        *last = (a << 2) - 1; /* nothing if it is not above `first` */
        if (a << 2 <= *first) *first = 1, *last = 0;
        break;
    case A_NA4: *first = a << 2, *last = *first + 3; break;
    default:
        n = (uint64_t)__builtin_ctzll(~a); /* trailing ones: 2^(n + 3) bytes */
        *first = n >= 54 ? 0 : (a & ~bits_mask((unsigned)n + 1)) << 2;
        *last = n >= 54 ? ~0ull : *first + bits_mask((unsigned)n + 3);
    }
}

void riscv_pmp_sync(struct riscv_cpu *r)
{
    r->s.npmp = 0;
    for (unsigned i = 0; i < PMP_ENTRIES; i++) {
        struct pmp_range *p = &r->s.pmp[r->s.npmp];
        if (cfg_a(r->s.pmpcfg[i]) == A_OFF) continue;
        range_of(r, i, &p->first, &p->last);
        p->cfg = r->s.pmpcfg[i];
        if (p->first <= p->last) r->s.npmp++;
    }
    soft_flush(&r->c, 0, 0, false);
}

/* Smepmp's truth table with MML: rows by L, R, W, X. */
static unsigned mml_rights(uint8_t cfg, bool machine)
{
    bool l = cfg & CFG_L, rd = cfg & CFG_R, wr = cfg & CFG_W, x = cfg & CFG_X;
    if (wr && !rd) { /* shared */
        if (!l) return machine || x ? GP_READ | GP_WRITE : GP_READ;
        return x ? machine ? GP_READ | GP_EXEC : GP_EXEC : GP_EXEC;
    }
    if (l && rd && wr && x) return GP_READ; /* both */
    if (l != machine) return 0;
    return (rd ? GP_READ : 0) | (wr ? GP_WRITE : 0) | (x ? GP_EXEC : 0);
}

static unsigned rights_of(const struct riscv_cpu *r, uint8_t cfg, unsigned priv)
{
    if (mml(r)) return mml_rights(cfg, priv == PRIV_M);
    if (priv == PRIV_M && !(cfg & CFG_L)) return GP_READ | GP_WRITE | GP_EXEC;
    return (cfg & CFG_R ? GP_READ : 0) | (cfg & CFG_W ? GP_WRITE : 0) | (cfg & CFG_X ? GP_EXEC : 0);
}

/* Without a match: machine mode may (MMWP: not; MML: not execute), others may only if there is no PMP at all. */
static unsigned rights_else(const struct riscv_cpu *r, unsigned priv)
{
    if (priv != PRIV_M) return riscv_has_ext(r, EXT_pmp) ? 0 : GP_READ | GP_WRITE | GP_EXEC;
    if (r->s.mseccfg & SEC_MMWP) return 0;
    return mml(r) ? GP_READ | GP_WRITE : GP_READ | GP_WRITE | GP_EXEC;
}

unsigned riscv_pmp_rights(const struct riscv_cpu *r, uint64_t pa, unsigned priv, bool *uniform)
{
    uint64_t page = pa & ~0xfffull, end = page | 0xfff;
    *uniform = true;
    for (unsigned i = 0; i < r->s.npmp; i++) {
        const struct pmp_range *p = &r->s.pmp[i];
        if (end < p->first || page > p->last) continue;
        if (page < p->first || end > p->last) *uniform = false;
        if (pa >= p->first && pa <= p->last) return rights_of(r, p->cfg, priv);
    }
    return rights_else(r, priv);
}

/* -- registers ------------------------------------------------------------------------------------------------------- */
/* pmpcfg n holds entries 4n.. on RV32; on RV64 even ones hold eight. */
static unsigned per_reg(const struct riscv_cpu *r)
{
    return r->rv32 ? 4 : 8;
}

uint64_t riscv_pmpcfg_get(const struct riscv_cpu *r, unsigned reg)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < per_reg(r); i++)
        if (reg * 4 + i < PMP_ENTRIES) v |= (uint64_t)r->s.pmpcfg[reg * 4 + i] << 8 * i;
    return v;
}

static void cfg_write(struct riscv_cpu *r, unsigned i, uint8_t v)
{
    if (i >= PMP_ENTRIES || locked(r, i)) return;
    v &= CFG_L | 3 << CFG_A_SHIFT | CFG_R | CFG_W | CFG_X;
    if (!mml(r)) {
        if ((v & (CFG_R | CFG_W)) == CFG_W) v &= (uint8_t)~CFG_W; /* reserved */
    } else if (!(r->s.mseccfg & SEC_RLB) && v & CFG_L && (mml_rights(v, true) & GP_EXEC)) {
        return; /* no new code for machine mode */
    }
    r->s.pmpcfg[i] = v;
}

void riscv_pmpcfg_set(struct riscv_cpu *r, unsigned reg, uint64_t v)
{
    for (unsigned i = 0; i < per_reg(r); i++) cfg_write(r, reg * 4 + i, (uint8_t)(v >> 8 * i));
    riscv_pmp_sync(r);
}

uint64_t riscv_pmpaddr_get(const struct riscv_cpu *r, unsigned i)
{
    return i < PMP_ENTRIES ? r->s.pmpaddr[i] : 0;
}

/* A locked TOR entry locks the address below it as well. */
void riscv_pmpaddr_set(struct riscv_cpu *r, unsigned i, uint64_t v)
{
    if (i >= PMP_ENTRIES || locked(r, i)) return;
    if (i + 1 < PMP_ENTRIES && locked(r, i + 1) && cfg_a(r->s.pmpcfg[i + 1]) == A_TOR) return;
    r->s.pmpaddr[i] = v & (r->rv32 ? bits_mask(32) : bits_mask(54));
    riscv_pmp_sync(r);
}

/* MML and MMWP are sticky; RLB cannot be set while an entry is locked. */
void riscv_mseccfg_set(struct riscv_cpu *r, uint64_t v)
{
    bool any = false;
    for (unsigned i = 0; i < PMP_ENTRIES; i++) any |= r->s.pmpcfg[i] & CFG_L;
    uint64_t old = r->s.mseccfg, rlb = any && !(old & SEC_RLB) ? 0 : v & SEC_RLB;
    r->s.mseccfg = ((old | v) & (SEC_MML | SEC_MMWP)) | rlb;
    riscv_pmp_sync(r);
}
