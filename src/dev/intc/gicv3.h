/*
 * gicv3.h: state shared by the files of the GICv3 (Arm IHI 0069): gicv3.c device and what pends for whom, gicv3_dist.c register frames of
 * distributor and redistributors, gicv3_lpi.c LPIs and their tables, gicv3_cpu.c ICC_*, gicv3_virt.c ICH_* and ICV_*, gicv3_its.c.
 *
 * All of it is under the GIC's own lock, so that CPUs acknowledge interrupts and set timers' lines without the machine's lock.
 */
#ifndef LYRE_DEV_INTC_GICV3_H
#define LYRE_DEV_INTC_GICV3_H

#include <pthread.h>
#include "dev/intc/gic.h"

enum { V3_WORDS = 32, V3_LRS = 4, V3_CPUS = 512, V3_REGIONS = 2, V3_NOBODY = 0xffff };
enum { LPI_FIRST = 8192, LPI_BITS = 16, LPI_END = 1 << LPI_BITS };
enum v3_bits { V3_ENABLED, V3_PENDING, V3_LEVEL, V3_ACTIVE, V3_GROUP, V3_GRPMOD, V3_EDGE, V3_BITS };
/* Groups, and the index of what the CPU interface has for each. With one security state there are G0 and G1NS. */
enum v3_group { G0, G1S, G1NS, V3_GROUPS };
/* GICD_CTLR as it is kept. */
enum { DC_GRP0 = 1, DC_GRP1NS = 2, DC_GRP1S = 4, DC_ARE_S = 16, DC_ARE_NS = 32, DC_DS = 64 };
enum { IC_CBPR = 1, IC_EOIMODE = 2 };

struct v3_best {
    uint32_t irq; /* 1023: none */
    uint8_t prio, grp;
};

/* List registers and the virtual CPU interface. */
struct v3_virt {
    uint32_t hcr, eisr;
    uint32_t apr[2];
    uint64_t lr[V3_LRS];
    uint8_t pmr, bpr[2];
    bool en[2], cbpr, eoimode;
};

/* Redistributor and CPU interface of one CPU: a device of its own for the sake of its saved state. */
struct v3_cpu {
    struct dev dev;
    struct gicv3 *gic;
    unsigned index;
    uint32_t affinity;              /* as GICR_TYPER has it: Aff3.Aff2.Aff1.Aff0 in bytes */
    /* redistributor */
    uint32_t ppi[V3_BITS];
    uint8_t prio[32];
    bool lpi_on;
    uint32_t waker;
    uint64_t propbase, pendbase;
    uint32_t lpi_bytes;
    uint64_t *lpi_pend;             /* bitmap by interrupt number, and which of its words are not 0 */
    uint64_t lpi_some[LPI_END / 64 / 64];
    struct v3_best lpi_best;
    /* CPU interface */
    uint8_t pmr, bpr[V3_GROUPS];
    bool grpen[V3_GROUPS];
    uint32_t apr[V3_GROUPS];
    uint32_t ctlr[2], ctlr_el3;     /* secure, non-secure */
    struct v3_best best;            /* of what pends, LPIs included */
    struct v3_virt virt;
    bool now_secure, now_el3;       /* where the CPU is, with two security states: decides between IRQ and FIQ */
    uint8_t out;
    gic_set_line *set;
    void *set_ctx;
};

struct gicv3 {
    struct dev dev;
    pthread_mutex_t lock;
    uint32_t num_irq, num_cpu;
    bool security, lpis, reset_ns;
    struct v3_region { uint64_t addr; uint32_t count, first; struct gicv3 *gic; } region[V3_REGIONS];
    uint32_t ctlr;
    uint32_t spi[V3_BITS][V3_WORDS];
    uint8_t prio[GIC_MAX_IRQ];
    uint64_t router[GIC_MAX_IRQ];
    uint16_t route[GIC_MAX_IRQ];    /* the CPU that router means, V3_NOBODY */
    struct v3_cpu **cpu;
    /* LPI configuration, one for all redistributors (GICR_TYPER.CommonLPIAff = 0), as last read from memory */
    uint8_t *lpi_cfg;
    uint32_t lpi_bytes;
    uint64_t lpi_enabled[LPI_END / 64];
    uint64_t lpi_base;
    uint32_t lpi_end;               /* numbers below have a configuration; 0: nobody enabled LPIs yet */
};

static inline uint32_t *v3_word(struct gicv3 *s, enum v3_bits k, unsigned cpu, unsigned w)
{
    return w ? &s->spi[k][w] : &s->cpu[cpu]->ppi[k];
}
static inline bool v3_bit(struct gicv3 *s, enum v3_bits k, unsigned cpu, unsigned irq)
{
    return *v3_word(s, k, cpu, irq / 32) >> irq % 32 & 1;
}
static inline void v3_put(struct gicv3 *s, enum v3_bits k, unsigned cpu, unsigned irq, bool on)
{
    uint32_t *w = v3_word(s, k, cpu, irq / 32), m = 1u << irq % 32;
    *w = on ? *w | m : *w & ~m;
}
static inline uint8_t *v3_prio(struct gicv3 *s, unsigned cpu, unsigned irq)
{
    return irq < 32 ? &s->cpu[cpu]->prio[irq] : &s->prio[irq];
}
static inline bool v3_one_state(const struct gicv3 *s) { return s->ctlr & DC_DS; }

/* gicv3.c. All with the lock held. */
void v3_update(struct gicv3 *s, unsigned cpu);          /* something of this CPU's changed */
void v3_update_word(struct gicv3 *s, unsigned cpu, unsigned w); /* of 32 interrupts; w = 0: the CPU's private ones */
void v3_update_all(struct gicv3 *s);
void v3_tell(struct v3_cpu *c, enum gic_line line, bool level);
void v3_set_level(struct gicv3 *s, unsigned cpu, unsigned irq, bool level);
enum v3_group v3_group_of(struct gicv3 *s, unsigned cpu, unsigned irq);
void v3_route(struct gicv3 *s, unsigned irq);           /* router changed */
void v3_deactivate(struct gicv3 *s, unsigned cpu, unsigned irq);
int v3_find_affinity(const struct gicv3 *s, uint32_t aff);
/* gicv3_cpu.c. What a register access depends on, besides the GIC: */
struct v3_pe {
    unsigned el;
    bool secure, has_el3;
    uint64_t hcr, scr;    /* as arm_sys.h has them */
};
bool v3_icc_read(struct v3_cpu *c, const struct v3_pe *pe, unsigned reg, uint64_t *v);
bool v3_icc_write(struct v3_cpu *c, const struct v3_pe *pe, unsigned reg, uint64_t v);
void v3_signal(struct v3_cpu *c);                       /* best or the interface's masks changed */
void v3_cpu_reset(struct v3_cpu *c);
/* gicv3_virt.c */
void v3_update_virt(struct v3_cpu *c);
void v3_virt_reset(struct v3_cpu *c);
uint8_t v3_group_bits(unsigned bpr); /* of a priority: those that decide preemption */
bool v3_ich_read(struct v3_cpu *c, unsigned reg, uint64_t *v);
bool v3_ich_write(struct v3_cpu *c, unsigned reg, uint64_t v);
bool v3_icv_read(struct v3_cpu *c, unsigned reg, uint64_t *v);
bool v3_icv_write(struct v3_cpu *c, unsigned reg, uint64_t v);
/* gicv3_lpi.c */
void v3_lpi_loaded(struct v3_cpu *c);   /* what follows from the pending bitmap */
void v3_lpi_config_loaded(struct gicv3 *s);
void v3_lpi_enable(struct v3_cpu *c, bool on);
void v3_lpi_put(struct v3_cpu *c, uint32_t irq, bool pending);
bool v3_lpi_pending(const struct v3_cpu *c, uint32_t irq);
void v3_lpi_inv(struct gicv3 *s, uint32_t irq);
void v3_lpi_inv_all(struct gicv3 *s);
void v3_lpi_move_all(struct v3_cpu *from, struct v3_cpu *to);
/* gicv3_dist.c */
extern const struct mmio_ops v3_dist_ops, v3_redist_ops;

#endif
