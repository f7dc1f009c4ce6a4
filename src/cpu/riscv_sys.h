/*
 * riscv_sys.h: what machines and devices know of a RISC-V hart: interrupt lines, registers that an IMSIC answers for, its
 * description in a device tree. Includes nothing of the generated tables.
 */
#ifndef LYRE_CPU_RISCV_SYS_H
#define LYRE_CPU_RISCV_SYS_H

#include "cpu/cpu.h"

/*
 * Numbers of sys->set_line: interrupt causes. SSI is an edge: raising it sets mip.SSIP, software clears it. RISCV_LINE_HGEI + n, n >= 1:
 * guest external interrupt n of the hypervisor extension. STI is for boards without Sstc harts.
 */
enum {
    IRQ_SSI = 1, IRQ_VSSI, IRQ_MSI, IRQ_STI = 5, IRQ_VSTI, IRQ_MTI, IRQ_SEI = 9, IRQ_VSEI, IRQ_MEI, IRQ_SGEI, IRQ_LCOFI,
    RISCV_LINE_HGEI = 64
};

/* `time` counts at this rate. */
enum { RISCV_TIMEBASE_HZ = 10000000 };

/*
 * v->intc of a hart with an IMSIC: reg = RISCV_IMSIC(file, select). File 0: machine, 1: supervisor, 2 and up: guest file number - 1, as in
 * hstatus.VGEIN (1..63). select: 0x70..0xff of the indirect space (eidelivery, eithreshold, eip, eie; 32 or 64 bits as the hart's XLEN is,
 * odd eip and eie only for RV32), or RISCV_IMSIC_TOPEI: read: identity << 16 | priority, 0 = none; write: claims what is on top.
 */
#define RISCV_IMSIC(file, select) ((unsigned)(file) << 16 | (unsigned)(select))
enum { RISCV_IMSIC_TOPEI = 0x1000 };

/* "rv64imafdc_zicsr...", cut to size; returns the length. */
size_t riscv_isa_string(const CPU *cpu, char *buf, size_t size);
/* "riscv,sv48", or NULL: there is no MMU. */
const char *riscv_mmu_type(const CPU *cpu);
/* Bytes of a cache block (riscv,cbom-block-size), 0: no such instructions. which: 'm', 'p' or 'z'. */
unsigned riscv_cbo_block(const CPU *cpu, char which);
/* The sequence slli x0, x0, 0x1f; ebreak; srai x0, x0, 7 is a semihosting call (GX_SEMIHOST), in U mode if `user`. */
void riscv_sys_semihosting(CPU *cpu, bool on, bool user);
/* Guest external interrupts a hart can have (GEILEN), set by the machine with the number of guest files of its IMSICs; max 63. */
void riscv_set_geilen(CPU *cpu, unsigned n);

#endif
