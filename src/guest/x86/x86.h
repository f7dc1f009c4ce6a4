/*
 * x86.h: the x86 CPU as its folder sees it; i386 and x86-64 are one. Instruction bodies include xl.h. Manuals: Intel SDM (325462),
 * volumes 1 to 3; AMD64 APM (24592..24594) where the two differ.
 *
 * EFLAGS is not kept as such: the arithmetic flags are registers from which they follow, so that they are plain stores of values that
 * exist anyway when a region is left, and comparisons when they are used. ZF: zfv == 0. SF: the top bit of sfv. PF: even parity of
 * the low byte of pfv. AF: bit 4 of afv ^ pfv. CF and OF are bits. DF is the step of string instructions, 1 or -1.
 */
#ifndef LYRE_GUEST_X86_X86_H
#define LYRE_GUEST_X86_X86_H

#include "cpu/guest.h"
#include "decode.h"
#include "x87.h"

enum { FEAT_WORDS = (X86_NFEATS + 63) / 64, X86_FEAT_WORDS = 4 };

struct x86_seg_desc {
    uint32_t limit, attr;         /* limit in bytes - 1; attr: bits 23:8 of the descriptor's high word */
};

struct x86_cpu {
    CPU c;
    uint64_t r[16];               /* rax rcx rdx rbx rsp rbp rsi rdi r8 ..; 32-bit code leaves the upper halves 0 or dead */
    uint64_t zfv, sfv;
    uint32_t pfv, afv;
    uint8_t cf, of;
    uint64_t df;                  /* 1 or -1 */
    uint32_t eflags;              /* the bits of EFLAGS that are not above: TF IF IOPL NT RF VM AC VIF VIP ID */
    uint32_t sel[SEGS];           /* selectors */
    uint64_t segbase[SEGS];
    uint32_t mxcsr;               /* control bits only; status is in c.fp.flags */
    _Alignas(16) v128 xmm[32], ymmh[32]; /* low 128 bits, and bits 255:128 */
    uint64_t k[8];
    uint64_t xcr0;
    struct x87 x87;
    struct x86_seg_desc seg[SEGS];
    uint32_t tsc_aux;
    uint64_t rnd;                 /* state of RDRAND's generator; 0: the host's */
    /* constant after init */
    bool sysmode, is64;           /* is64: the CPU has long mode (guest x86_64) */
    uint8_t model, apic_id;
    uint32_t signature;           /* family, model, stepping as CPUID says */
    char vendor[13];
    uint64_t have[X86_FEAT_WORDS]; /* enum x86_feat (feat.h) */
    uint64_t gates[FEAT_WORDS];    /* the decoder's gates, derived from have */
    /* Linux */
    struct x86_tls { uint32_t base, limit, flags; } tls[3]; /* GDT entries 12.. (i386: 6..) of set_thread_area; flags: see linux.c */
};

/* EFLAGS bits. */
enum {
    FL_CF = 1, FL_ONE = 2, FL_PF = 4, FL_AF = 16, FL_ZF = 64, FL_SF = 128, FL_TF = 1 << 8, FL_IF = 1 << 9, FL_DF = 1 << 10,
    FL_OF = 1 << 11, FL_IOPL = 3 << 12, FL_NT = 1 << 14, FL_RF = 1 << 16, FL_VM = 1 << 17, FL_AC = 1 << 18, FL_VIF = 1 << 19,
    FL_VIP = 1 << 20, FL_ID = 1 << 21,
    FL_ARITH = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF,
    FL_REST = FL_TF | FL_IF | FL_IOPL | FL_NT | FL_RF | FL_VM | FL_AC | FL_VIF | FL_VIP | FL_ID, /* what x86_cpu.eflags holds */
    FL_USER = FL_ARITH | FL_DF | FL_TF | FL_NT | FL_AC | FL_ID /* what POPF changes at CPL 3 */
};

/* Exception vectors. An instruction leaves with EXC_GUEST and the vector as code. */
enum {
    VEC_DE, VEC_DB, VEC_NMI, VEC_BP, VEC_OF, VEC_BR, VEC_UD, VEC_NM, VEC_DF, VEC_TS = 10, VEC_NP, VEC_SS, VEC_GP, VEC_PF,
    VEC_MF = 16, VEC_AC, VEC_MC, VEC_XM,
    GX_SYSENTER = 64, /* user mode: EXC_SYSCALL's code for the three ways into the kernel */
    GX_SYSCALL, GX_INT80
};

/*
 * Translation mode; 0 is a 64-bit program. MODE_PRIV: 3 - CPL. MODE_SEG: ES CS SS DS are not all flat, so bases are added;
 * cpu->pc is always the linear address, CS base included.
 */
enum {
    MODE_CODE64 = 0, MODE_CODE32 = 1, MODE_CODE16 = 2, MODE_CODE = 3,
    MODE_STACK16 = 4,                       /* outside of 64-bit code: SP, not ESP */
    MODE_SEG = 8,
    MODE_FTZ = 16, MODE_DAZ = 32,           /* MXCSR bits 15 and 6 */
    MODE_XM = 64,                           /* MXCSR unmasks an exception */
    MODE_NOVEC = 128,                       /* SSE and AVX instructions are not enabled: helpers say why */
    MODE_X87_SHIFT = 8, MODE_X87 = 15 << MODE_X87_SHIFT,
    MODE_PRIV_SHIFT = 12, MODE_PRIV = 3 << MODE_PRIV_SHIFT,
    MODE_TF = 1 << 14,                      /* a single step is under way */
    MODE_LONG = 1 << 15,                    /* 32- and 16-bit code on a CPU in long mode */
    MODE_VM86 = 1 << 16, MODE_REAL = 1 << 17,
};

/* Register ids: rows of the register table. */
enum {
    R_RAX, R_RCX, R_RDX, R_RBX, R_RSP, R_RBP, R_RSI, R_RDI, R_R8, R_R15 = 15,
    R_RIP, R_EFLAGS,
    R_ZFV, R_SFV, R_PFV, R_AFV, R_CF, R_OF, R_DF, R_FLREST,
    R_SEL,                       /* SEGS of them */
    R_SEGBASE = R_SEL + SEGS,    /* SEGS of them */
    R_MXCSR = R_SEGBASE + SEGS,  /* composed; for C and gdb */
    R_MXCTL,                     /* the control bits, for IR */
    R_MODE,
    R_XMM,                       /* 32 */
    R_YMMH = R_XMM + 32,         /* 32 */
    R_K = R_YMMH + 32,           /* 8 */
    R_MM = R_K + 8,              /* 8: significands of the x87 registers */
    R_MM_SE = R_MM + 8,          /* 8: signs and exponents */
    R_X87_TOP = R_MM_SE + 8, R_X87_TAG, R_X87_CW, R_X87_SW, R_X87_NEW_SW, R_X87_NEW_SE, R_X87_FOP, R_X87_FIP, R_X87_FDP,
    R_IR_COUNT,                  /* what follows is for gdb */
    R_ST = R_IR_COUNT,           /* 8: ST0.., which home they have depends on TOP */
    R_FCTRL = R_ST + 8, R_FSTAT, R_FTAG, R_FISEG, R_FIOFF, R_FOSEG, R_FOOFF, R_FOP,
    R_COUNT
};

/* Register groups of helper effects: x86.c's rows, GROUPS in base.isa.c. */
enum { G_GPR, G_FLAGS, G_SEG, G_VEC, G_X87, G_SYS, G_X87_PTR };

static inline const struct x86_cpu *x86_cpu(const CPU *cpu)
{
    return (const struct x86_cpu *)cpu;
}
static inline struct x86_cpu *x86_cpu_rw(CPU *cpu)
{
    return (struct x86_cpu *)cpu;
}

/* EFLAGS as a number, from C. Setting takes all bits; FL_ONE is always set. */
uint32_t x86_eflags(const CPU *cpu);
void x86_set_eflags(CPU *cpu, uint32_t v);
/* The arithmetic flags of a result that C computed (helpers that declare w=flags). bits: 8, 16, 32, 64. */
void x86_set_szp(struct x86_cpu *x, uint64_t r, unsigned bits);
/* MXCSR with its status bits; setting brings cpu->mode and cpu->fp.rm along. */
uint32_t x86_mxcsr(const CPU *cpu);
void x86_set_mxcsr(CPU *cpu, uint32_t v);

/*
 * The FXSAVE area of 512 bytes and XSAVE's standard form of it (xstate.c). wide: 64-bit pointers of the x87 unit. Reading says false,
 * and has changed nothing, if the area is not valid. what, which: XS_* bits.
 */
enum { XS_X87 = 1, XS_SSE = 2, XS_AVX = 4, XS_LEGACY = 512, XS_HEADER = 64, XS_AVX_AT = 576, XS_END_AVX = 832, XS_MAX = XS_END_AVX };
void x86_fx_put(const struct x86_cpu *x, uint8_t *p, bool wide);
bool x86_fx_get(struct x86_cpu *x, const uint8_t *p, bool wide, unsigned what);
void x86_fsave_put(const struct x86_cpu *x, uint8_t p[108]);
/* All that XSAVE can save, as after reset. */
void x86_fp_reset(struct x86_cpu *x);
unsigned x86_xsave_size(const struct x86_cpu *x);
void x86_xsave_put(const struct x86_cpu *x, uint8_t *p);
bool x86_xsave_get(struct x86_cpu *x, const uint8_t *p, uint64_t which);
/* CPUID leaf 13: sizes and places; the features of subleaf 1 are there already. */
void x86_xsave_cpuid(const struct x86_cpu *x, uint32_t subleaf, uint32_t out[4]);

/* CPUID of a leaf and subleaf as this CPU (model) answers: eax ebx ecx edx (cpuid.c). */
void x86_cpuid(const struct x86_cpu *x, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* Loads a segment register from the descriptor tables (system mode) or what Linux has in them (linux.c). False: #GP. */
bool x86_load_seg(struct x86_cpu *x, unsigned seg, uint16_t sel);
/* The same for CS; cpu->mode becomes that of the new segment's code. */
bool x86_load_cs(struct x86_cpu *x, uint16_t sel);
/* Attributes (as LAR gives them) and limit of a segment that the program may use; false: it names none. */
bool x86_describe(const struct x86_cpu *x, uint16_t sel, uint32_t *attr, uint32_t *limit);
/* Brings cpu->mode along with the segments. */
void x86_mode_update(struct x86_cpu *x);

/* linux.c */
extern const struct guest_linux x86_64_linux, i386_linux;

#endif
