/*
 * decode.h: one x86 instruction in pieces: prefixes, opcode, operands. Filled by x86_decode (decode.c), which is the hand-written
 * part of the byte-stream tables (docs/isagen.md); read by instruction bodies through xl.h, and by the text (disas.c).
 */
#ifndef LYRE_GUEST_X86_DECODE_H
#define LYRE_GUEST_X86_DECODE_H

#include "x86_gen.h"

/* Segment registers by number, as in sreg fields. */
enum x86_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEGS, SEG_NONE = 0xff };

/* f->prefix bits. */
enum { PFX_LOCK = 1, PFX_66 = 2, PFX_67 = 4 };

/* Kinds of operands. */
enum x86_op_kind {
    OP_NONE,
    OP_REG,   /* general register reg, its low `bits` */
    OP_HIGH,  /* AH CH DH BH: bits 15:8 of reg 0..3 */
    OP_MEM,   /* memory: f->base, index, scale, disp, mem_seg; bits = 0: only the address is used */
    OP_SI,    /* string operand at mem_seg:rSI */
    OP_DI,    /* string operand at ES:rDI */
    OP_IMM,   /* imm, sign- or zero-extended from what was read; a relative jump's displacement, too */
    OP_FAR,   /* pointer: offset in imm, selector in sel */
    OP_SEG,   /* segment register */
    OP_CR, OP_DR,
    OP_VEC,   /* XMM, YMM, ZMM register; bits = what of it is used */
    OP_MMX,
    OP_ST     /* x87 stack register */
};
struct x86_op {
    uint8_t kind, reg;
    uint16_t bits, sel;
    uint64_t imm;
};

enum { REG_NONE = 0xff, REG_IP = 0xfe }; /* f->base, f->index */

struct x86_fields {
    const struct x86_form *form;
    uint8_t len;                /* of an undefined instruction: bytes that say so */
    uint8_t code;               /* 16, 32, 64: the kind of code */
    uint8_t enc;                /* X86_ENC_* */
    uint8_t opcode;             /* its low 4 bits are the condition of a +cc form */
    uint8_t prefix;             /* PFX_* */
    uint8_t rep;                /* last of F2, F3, or 0 */
    uint8_t seg;                /* last segment prefix byte, or 0 */
    uint8_t rex;                /* 4x, 0 if absent; VEX sets W R X B in it, too */
    uint8_t pp, L, vvvv;
    uint8_t osize, asize;       /* bits: operands, addresses */
    uint8_t mod, reg, rm;       /* reg and rm with their REX bits */
    uint8_t base, index, scale, mem_seg;
    bool has_disp;
    int64_t disp;
    uint8_t nops;
    struct x86_op op[4];
};

/*
 * The row; -1: undefined (or not in the table, or its features are not in feats), -2: more than avail bytes are needed.
 * code: 16, 32 or 64. feats: bits by X86_FEAT_*.
 */
int x86_decode(const uint8_t *p, size_t avail, unsigned code, const uint64_t *feats, struct x86_fields *f);
/* Intel syntax in objdump's spelling; prefixes without a meaning are not printed. */
void x86_print(struct isa_text *o, const struct x86_fields *f, uint64_t pc);

/* Bytes (up to 15) of a random instruction of a row (-1: of any); its length, 0: there is none. */
unsigned x86_random(uint64_t (*rnd)(void *), void *ctx, uint8_t *buf, unsigned code, const uint64_t *feats, int row);

static inline bool x86_code64(const struct x86_fields *f)
{
    return f->code == 64;
}
static inline bool x86_rexw(const struct x86_fields *f)
{
    return f->rex & 8;
}

#endif
