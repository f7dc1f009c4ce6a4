/* gicv2.h: state shared by the files of the GICv2 (gicv2.c: distributor, gicv2_cpu.c: CPU interfaces, gicv2_virt.c: virtual ones). */
#ifndef LYRE_DEV_INTC_GICV2_H
#define LYRE_DEV_INTC_GICV2_H

#include <pthread.h>
#include "dev/intc/gic.h"

enum { V2_CPUS = 8, V2_WORDS = 32, V2_LRS = 4 };
/* Bitmaps by interrupt. PENDING is the latch (edges, ISPENDR, SGIs); a level-sensitive interrupt also pends while LEVEL is set. */
enum v2_bits { V2_ENABLED, V2_PENDING, V2_LEVEL, V2_ACTIVE, V2_GROUP, V2_EDGE, V2_BITS };
/* GICC_CTLR and GICV_CTLR in the secure view. */
enum { CC_GRP0 = 1, CC_GRP1 = 2, CC_ACKCTL = 4, CC_FIQEN = 8, CC_CBPR = 16, CC_BYPASS = 0x1e0, CC_EOIMODE_S = 1 << 9, CC_EOIMODE_NS = 1 << 10 };

struct v2_cpu {
    uint32_t ctlr;
    uint8_t pmr, bpr, abpr;
    uint32_t apr[2];     /* active priorities by group; bit = priority / 8 */
};

struct v2_virt {
    uint32_t hcr, apr, eisr;
    uint32_t lr[V2_LRS];
    uint32_t ctlr;       /* what the virtual machine sees of its interface; VMCR has the same */
    uint8_t pmr, bpr, abpr;
};

struct gicv2 {
    struct dev dev;
    pthread_mutex_t lock; /* CPUs' timers drive lines without the machine's lock */
    uint32_t num_irq, num_cpu; /* interrupts in all, SGIs and PPIs included: multiple of 32, at most 1020 */
    bool security, virt, reset_ns;
    uint64_t cpu_addr, hyp_addr, vcpu_addr;
    uint32_t ctlr;       /* bit 0: group 0, bit 1: group 1 are forwarded */
    uint32_t spi[V2_BITS][V2_WORDS];      /* word 0 unused */
    uint32_t ppi[V2_BITS][V2_CPUS];       /* word 0 of each CPU */
    uint8_t prio[GIC_MAX_IRQ], ppi_prio[V2_CPUS][32];
    uint8_t target[GIC_MAX_IRQ];
    uint8_t sgi_src[V2_CPUS][16];         /* who asks for it, by bit */
    struct v2_cpu cpu[V2_CPUS];
    struct v2_virt vcpu[V2_CPUS];
    uint8_t out[V2_CPUS];                 /* lines as last told */
    struct v2_line { gic_set_line *set; void *ctx; } line[V2_CPUS];
};

static inline uint32_t *v2_word(struct gicv2 *s, enum v2_bits k, unsigned cpu, unsigned w)
{
    return w ? &s->spi[k][w] : &s->ppi[k][cpu];
}
static inline bool v2_bit(struct gicv2 *s, enum v2_bits k, unsigned cpu, unsigned irq)
{
    return *v2_word(s, k, cpu, irq / 32) >> irq % 32 & 1;
}
static inline void v2_put(struct gicv2 *s, enum v2_bits k, unsigned cpu, unsigned irq, bool on)
{
    uint32_t *w = v2_word(s, k, cpu, irq / 32), m = 1u << irq % 32;
    *w = on ? *w | m : *w & ~m;
}
static inline uint8_t *v2_prio(struct gicv2 *s, unsigned cpu, unsigned irq)
{
    return irq < 32 ? &s->ppi_prio[cpu][irq] : &s->prio[irq];
}
/* Something changed: the lines of one CPU, or of all. */
void v2_update(struct gicv2 *s, unsigned cpu);
void v2_update_all(struct gicv2 *s);
void v2_deactivate(struct gicv2 *s, unsigned cpu, unsigned irq);
void v2_update_virt(struct gicv2 *s, unsigned cpu); /* virtual lines and the maintenance interrupt only */
void v2_tell(struct gicv2 *s, unsigned cpu, enum gic_line line, bool level);
void v2_set_ppi(struct gicv2 *s, unsigned cpu, unsigned ppi, bool level);
void v2_cpu_reset(struct gicv2 *s);
uint8_t v2_group_mask(unsigned bpr); /* bits of a priority that decide preemption */
extern const struct mmio_ops v2_cpu_ops, v2_hyp_ops, v2_vcpu_ops;

/* A row of a register map: 32-bit registers at [first, last]; mask: the bytes that are written. */
struct v2_row {
    uint16_t first, last;
    const char *name;
    uint32_t (*read)(struct gicv2 *s, unsigned cpu, unsigned off, bool ns);
    void (*write)(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns);
};
uint64_t v2_rows_read(struct gicv2 *s, const struct v2_row *rows, unsigned n, uint64_t off, unsigned size, struct mem_attr at);
void v2_rows_write(struct gicv2 *s, const struct v2_row *rows, unsigned n, uint64_t off, uint64_t v, unsigned size, struct mem_attr at);

#endif
