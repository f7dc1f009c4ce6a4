/* sysreg.h: control and status registers as rows (csr.def), shared by sysreg.c, csr.c, aia.c and pmp.c. */
#ifndef LYRE_GUEST_RISCV_SYSREG_H
#define LYRE_GUEST_RISCV_SYSREG_H

#include "priv.h"

struct csr {
    uint16_t num;
    uint8_t ext, flags;
    const char *name;
    uint16_t reg;                              /* R_*, 0 = none */
    uint16_t base;                             /* CSR_HI: number of the whole register */
    uint32_t off;                              /* home, a uint64_t; 0 = none */
    uint64_t mask;                             /* bits of it that can be written */
    V (*rd)(struct xlat *t, const struct csr *c);
    void (*wr)(struct xlat *t, V v);           /* v: I32 */
    uint64_t (*get)(const struct riscv_cpu *r, const struct csr *c);
    void (*set)(struct riscv_cpu *r, const struct csr *c, uint64_t v);
    enum csr_trap (*check)(const struct riscv_cpu *r, const struct csr *c, bool write);
};
enum {
    CF_END = 1,   /* code after a write may be translated otherwise, or an interrupt be taken */
    CF_W64 = 2,   /* 64 bits on RV32 too: the upper half has a number of its own */
    CF_RV32 = 4,  /* there is none on RV64 */
    CF_H = 8      /* needs the hypervisor extension as well */
};
#define CSR_HOME(m) offsetof(struct riscv_cpu, s.m)
#define CSR_EPC     (~1ull) /* and ~3 without compressed instructions */

/* csr.c: the row of a number that this hart has, or NULL. */
const struct csr *riscv_csr_find(const struct riscv_cpu *r, unsigned num);
const struct csr *riscv_csr_row(unsigned i);
/* The whole register (RV32: both halves), without checks. */
uint64_t riscv_csr_get(const struct riscv_cpu *r, const struct csr *c);
void riscv_csr_set(struct riscv_cpu *r, const struct csr *c, uint64_t v);
static inline unsigned riscv_csr_index(const struct csr *c)
{
    return (unsigned)(c - riscv_csr_row(0));
}
/* The register that a row is the upper half of, or itself. */
const struct csr *riscv_csr_whole(const struct csr *c);
/* `what` of the helper csr_op: row, enum csr_op << 16, these. */
enum { CSR_READ = 1 << 18, CSR_DO = 1 << 19 };
static inline uint64_t *csr_home(struct riscv_cpu *r, const struct csr *c)
{
    return (uint64_t *)(void *)((char *)r + c->off);
}
static inline uint64_t csr_home_get(const struct riscv_cpu *r, const struct csr *c)
{
    return *(const uint64_t *)(const void *)((const char *)r + c->off);
}

/* What VS mode and HS mode may not do because of a bit that is clear there (m: machine's, h: hypervisor's copy). */
static inline enum csr_trap csr_gate(const struct riscv_cpu *r, bool m, bool h)
{
    if (r->s.priv == PRIV_M) return CSR_OK;
    if (!m) return CSR_ILLEGAL;
    return r->s.virt && !h ? CSR_VIRTUAL : CSR_OK;
}

/* sysreg.c: user mode's, as IR */
#define CSR_IR(name) V riscv_rd_##name(struct xlat *t, const struct csr *c);
CSR_IR(fflags) CSR_IR(frm) CSR_IR(fcsr) CSR_IR(vstart) CSR_IR(vxsat) CSR_IR(vxrm) CSR_IR(vcsr) CSR_IR(vl) CSR_IR(vtype) CSR_IR(vlenb)
CSR_IR(clock) CSR_IR(clockh)
#undef CSR_IR
void riscv_wr_fflags(struct xlat *t, V v);
void riscv_wr_frm(struct xlat *t, V v);
void riscv_wr_fcsr(struct xlat *t, V v);
void riscv_wr_vstart(struct xlat *t, V v);
void riscv_wr_vxsat(struct xlat *t, V v);
void riscv_wr_vxrm(struct xlat *t, V v);
void riscv_wr_vcsr(struct xlat *t, V v);

/* pmp.c */
uint64_t riscv_pmpcfg_get(const struct riscv_cpu *r, unsigned reg);
void riscv_pmpcfg_set(struct riscv_cpu *r, unsigned reg, uint64_t v);
uint64_t riscv_pmpaddr_get(const struct riscv_cpu *r, unsigned i);
void riscv_pmpaddr_set(struct riscv_cpu *r, unsigned i, uint64_t v);
void riscv_mseccfg_set(struct riscv_cpu *r, uint64_t v);

/* aia.c */
uint64_t riscv_aia_topi(const struct riscv_cpu *r, enum hart_level level);
uint64_t riscv_aia_topei(const struct riscv_cpu *r, enum hart_level level, bool *ok);
void riscv_aia_claim(struct riscv_cpu *r, enum hart_level level);
uint64_t riscv_aia_ireg(const struct riscv_cpu *r, enum hart_level level, bool *ok);
void riscv_aia_set_ireg(struct riscv_cpu *r, enum hart_level level, uint64_t v);

#endif
