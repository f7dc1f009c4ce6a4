/*
 * asm.h: x86-64 integer encodings (Intel SDM volume 2), emitting into struct gen. An instruction's fixed part (opcode, map,
 * prefix, width) is one constant; a_rm() adds REX, ModRM, SIB and displacement. Vector and floating point: asm_sse.h.
 */
#ifndef LYRE_X86_64_ASM_H
#define LYRE_X86_64_ASM_H

#include "host/x86_64/gen.h"

/* Opcode constants: bits 0-7 opcode, then prefix, map, REX.W, 8-bit register operands. */
enum {
    P_66 = 1 << 8, P_F3 = 2 << 8, P_F2 = 3 << 8, P_MASK = 3 << 8,
    M_0F = 1 << 10, M_38 = 2 << 10, M_3A = 3 << 10, M_MASK = 3 << 10,
    OP_W = 1 << 12, OP_B = 1 << 13 /* reg is an 8-bit register */, OP_BM = 1 << 14 /* r/m is one */
};
/* Condition codes; c ^ 1 is the opposite. */
enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

static inline void a_u8(struct gen *g, unsigned b)
{
    *g->p++ = (uint8_t)b;
}
static inline void a_u32(struct gen *g, uint32_t v)
{
    memcpy(g->p, &v, 4);
    g->p += 4;
}
static inline void a_u64(struct gen *g, uint64_t v)
{
    memcpy(g->p, &v, 8);
    g->p += 8;
}
static inline void a_imm(struct gen *g, int64_t imm, unsigned bytes)
{
    memcpy(g->p, &imm, bytes);
    g->p += bytes;
}

/* Notes that the 4 bytes at g->p are a rip-relative reference to pool entry idx with `tail` bytes after it. */
void gen_pool_ref(struct gen *g, uint32_t idx, unsigned tail);

/* ModRM, SIB, displacement of reg (register or opcode extension) and o; `tail` immediate bytes follow. */
static inline void a_modrm(struct gen *g, unsigned reg, struct opnd o, unsigned tail)
{
    reg = (reg & 7) << 3;
    if (o.kind == O_REG) {
        a_u8(g, 0xc0 | reg | (o.reg & 7));
        return;
    }
    if (o.kind == O_POOL) {
        a_u8(g, reg | 5);
        gen_pool_ref(g, (uint32_t)o.disp, tail);
        a_u32(g, 0);
        return;
    }
    if (o.reg == NOREG) { /* absolute or index only: SIB without base */
        a_u8(g, reg | 4);
        a_u8(g, (unsigned)o.scale << 6 | (o.index == NOREG ? 4 : o.index & 7) << 3 | 5);
        a_u32(g, (uint32_t)o.disp);
        return;
    }
    unsigned b = o.reg & 7, mod = o.disp == 0 && b != 5 ? 0 : o.disp == (int8_t)o.disp ? 0x40 : 0x80;
    if (o.index != NOREG) {
        a_u8(g, mod | reg | 4);
        a_u8(g, (unsigned)o.scale << 6 | (o.index & 7) << 3 | b);
    } else {
        a_u8(g, mod | reg | b);
        if (b == 4) a_u8(g, 0x24);
    }
    if (mod == 0x40) a_u8(g, (uint8_t)o.disp);
    else if (mod == 0x80) a_u32(g, (uint32_t)o.disp);
}

/* One instruction with ModRM; `tail` bytes of immediate follow by the caller. */
static inline void a_rm(struct gen *g, unsigned op, unsigned reg, struct opnd o, unsigned tail)
{
    static const uint8_t prefix[] = { 0, 0x66, 0xf3, 0xf2 };
    if (o.kind == O_MEM && o.gs) a_u8(g, 0x65);
    if (op & P_MASK) a_u8(g, prefix[op >> 8 & 3]);
    unsigned rex = (reg >> 3 & 1) << 2 | (op & OP_W ? 8 : 0);
    if (o.kind != O_POOL && o.reg != NOREG) rex |= o.reg >> 3 & 1;
    if (o.kind == O_MEM && o.index != NOREG) rex |= (o.index >> 3 & 1) << 1;
    if (rex || ((op & OP_B) && reg >= RSP && reg <= RDI) || ((op & OP_BM) && o.kind == O_REG && o.reg >= RSP && o.reg <= RDI))
        a_u8(g, 0x40 | rex);
    switch (op & M_MASK) {
    case M_0F: a_u8(g, 0x0f); break;
    case M_38: a_u8(g, 0x0f), a_u8(g, 0x38); break;
    case M_3A: a_u8(g, 0x0f), a_u8(g, 0x3a); break;
    }
    a_u8(g, op & 0xff);
    a_modrm(g, reg, o, tail);
}

/* VEX-encoded instruction on general registers (BMI); vvvv = v. */
static inline void a_vex(struct gen *g, unsigned op, unsigned reg, unsigned v, struct opnd o, unsigned tail)
{
    static const uint8_t pp[] = { 0, 1, 2, 3 };
    if (o.kind == O_MEM && o.gs) a_u8(g, 0x65);
    unsigned b = o.kind != O_POOL && o.reg != NOREG ? o.reg >> 3 & 1 : 0;
    unsigned x = o.kind == O_MEM && o.index != NOREG ? o.index >> 3 & 1 : 0;
    a_u8(g, 0xc4);
    a_u8(g, (~reg >> 3 & 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (op >> 10 & 3));
    a_u8(g, (op & OP_W ? 0x80 : 0) | (~v & 15) << 3 | pp[op >> 8 & 3]);
    a_u8(g, op & 0xff);
    a_modrm(g, reg, o, tail);
}

static inline unsigned w_of(unsigned bits)
{
    return bits == 64 ? OP_W : 0;
}

/* --- moves ----------------------------------------------------------------------------------------------------------- */
static inline void a_mov_rr(struct gen *g, unsigned bits, unsigned d, unsigned s)
{
    a_rm(g, 0x8b | w_of(bits), d, o_reg(s), 0);
}
/* Any constant; leaves the flags alone. */
static inline void a_mov_ri(struct gen *g, unsigned d, uint64_t k)
{
    if (k <= 0xffffffff) {
        if (d & 8) a_u8(g, 0x41);
        a_u8(g, 0xb8 | (d & 7));
        a_u32(g, (uint32_t)k);
    } else if ((int64_t)k == (int32_t)k) {
        a_rm(g, 0xc7 | OP_W, 0, o_reg(d), 4);
        a_u32(g, (uint32_t)k);
    } else {
        a_u8(g, 0x48 | (d >> 3 & 1));
        a_u8(g, 0xb8 | (d & 7));
        a_u64(g, k);
    }
}
/* Loads of 8 16 32 64 bits, zero-extended (to 64) or sign-extended to `to` bits (32 or 64). */
static inline void a_load(struct gen *g, unsigned bits, unsigned d, struct opnd m)
{
    static const unsigned op[] = { M_0F | 0xb6 | OP_BM, M_0F | 0xb7, 0x8b, 0x8b | OP_W };
    a_rm(g, op[bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3], d, m, 0);
}
static inline void a_loads(struct gen *g, unsigned bits, unsigned to, unsigned d, struct opnd m)
{
    unsigned op = bits == 8 ? M_0F | 0xbe | OP_BM : bits == 16 ? M_0F | 0xbf : bits == 32 && to == 64 ? 0x63 : 0x8b;
    a_rm(g, op | w_of(to), d, m, 0);
}
static inline void a_store(struct gen *g, unsigned bits, struct opnd m, unsigned s)
{
    a_rm(g, bits == 8 ? 0x88 | OP_B : bits == 16 ? 0x89 | P_66 : 0x89 | w_of(bits), s, m, 0);
}
/* Stores an immediate that fits (sign-extended 32 bits for 64). */
static inline void a_storei(struct gen *g, unsigned bits, struct opnd m, int64_t k)
{
    unsigned n = bits == 8 ? 1 : bits == 16 ? 2 : 4;
    a_rm(g, bits == 8 ? 0xc6 : bits == 16 ? 0xc7 | P_66 : 0xc7 | w_of(bits), 0, m, n);
    a_imm(g, k, n);
}
static inline void a_lea(struct gen *g, unsigned bits, unsigned d, struct opnd m)
{
    a_rm(g, 0x8d | w_of(bits), d, m, 0);
}

/* --- arithmetic: ALU_* as in opcodes 00-3f --------------------------------------------------------------------------- */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
static inline void a_alu(struct gen *g, unsigned alu, unsigned bits, unsigned d, struct opnd s)
{
    unsigned op = bits == 8 ? 0x02 | OP_B | OP_BM : bits == 16 ? 0x03 | P_66 : 0x03 | w_of(bits);
    a_rm(g, op | alu << 3, d, s, 0);
}
/* Immediate: sign-extended 32 bits. */
static inline void a_alui(struct gen *g, unsigned alu, unsigned bits, struct opnd d, int32_t k)
{
    if (bits == 8) {
        a_rm(g, 0x80 | OP_BM, alu, d, 1);
        a_u8(g, (uint8_t)k);
        return;
    }
    unsigned w = bits == 16 ? P_66 : w_of(bits);
    if (bits == 16) k = (int16_t)k;
    if (k == (int8_t)k) {
        a_rm(g, 0x83 | w, alu, d, 1);
        a_u8(g, (uint8_t)k);
    } else {
        a_rm(g, 0x81 | w, alu, d, bits == 16 ? 2 : 4);
        a_imm(g, k, bits == 16 ? 2 : 4);
    }
}
/* Memory (or register) destination. */
static inline void a_alu_m(struct gen *g, unsigned alu, unsigned bits, struct opnd d, unsigned s)
{
    unsigned op = bits == 8 ? 0x00 | OP_B | OP_BM : bits == 16 ? 0x01 | P_66 : 0x01 | w_of(bits);
    a_rm(g, op | alu << 3, s, d, 0);
}
static inline void a_test_rr(struct gen *g, unsigned bits, unsigned a, unsigned b)
{
    a_rm(g, bits == 8 ? 0x84 | OP_B | OP_BM : bits == 16 ? 0x85 | P_66 : 0x85 | w_of(bits), b, o_reg(a), 0);
}
static inline void a_testi(struct gen *g, unsigned bits, struct opnd a, int32_t k)
{
    if (bits == 8) {
        a_rm(g, 0xf6 | OP_BM, 0, a, 1);
        a_u8(g, (uint8_t)k);
    } else {
        a_rm(g, bits == 16 ? 0xf7 | P_66 : 0xf7 | w_of(bits), 0, a, bits == 16 ? 2 : 4);
        a_imm(g, k, bits == 16 ? 2 : 4);
    }
}
/* Group 3: F7 /ext. */
enum { G3_NOT = 2, G3_NEG, G3_MUL, G3_IMUL, G3_DIV, G3_IDIV };
static inline void a_g3(struct gen *g, unsigned ext, unsigned bits, struct opnd o)
{
    a_rm(g, 0xf7 | w_of(bits), ext, o, 0);
}
static inline void a_imul(struct gen *g, unsigned bits, unsigned d, struct opnd s)
{
    a_rm(g, M_0F | 0xaf | w_of(bits), d, s, 0);
}
static inline void a_imuli(struct gen *g, unsigned bits, unsigned d, struct opnd s, int32_t k)
{
    bool small = k == (int8_t)k;
    a_rm(g, (small ? 0x6b : 0x69) | w_of(bits), d, s, small ? 1 : 4);
    a_imm(g, k, small ? 1 : 4);
}
/* Shifts: C1 /ext ib; D3 /ext by cl. */
enum { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAR = 7 };
static inline void a_shifti(struct gen *g, unsigned ext, unsigned bits, unsigned d, unsigned k)
{
    unsigned op = bits == 8 ? 0xc0 | OP_BM : bits == 16 ? 0xc1 | P_66 : 0xc1 | w_of(bits);
    if (k == 1) {
        a_rm(g, op | 0x10, ext, o_reg(d), 0);
        return;
    }
    a_rm(g, op, ext, o_reg(d), 1);
    a_u8(g, k);
}
static inline void a_shift_cl(struct gen *g, unsigned ext, unsigned bits, unsigned d)
{
    a_rm(g, bits == 8 ? 0xd2 | OP_BM : bits == 16 ? 0xd3 | P_66 : 0xd3 | w_of(bits), ext, o_reg(d), 0);
}
/* BMI2: three operands, flags untouched. */
enum { X_SHLX = P_66 | M_38 | 0xf7, X_SHRX = P_F2 | M_38 | 0xf7, X_SARX = P_F3 | M_38 | 0xf7 };
static inline void a_shx(struct gen *g, unsigned op, unsigned bits, unsigned d, struct opnd s, unsigned count)
{
    a_vex(g, op | w_of(bits), d, count, s, 0);
}
static inline void a_rorx(struct gen *g, unsigned bits, unsigned d, struct opnd s, unsigned k)
{
    a_vex(g, (P_F2 | M_3A | 0xf0) | w_of(bits), d, 0, s, 1);
    a_u8(g, k);
}
static inline void a_andn(struct gen *g, unsigned bits, unsigned d, unsigned inv, struct opnd s) /* ~inv & s */
{
    a_vex(g, (M_38 | 0xf2) | w_of(bits), d, inv, s, 0);
}
static inline void a_mulx(struct gen *g, unsigned bits, unsigned hi, unsigned lo, struct opnd s) /* rdx * s */
{
    a_vex(g, (P_F2 | M_38 | 0xf6) | w_of(bits), hi, lo, s, 0);
}
static inline void a_bswap(struct gen *g, unsigned bits, unsigned d)
{
    unsigned rex = (bits == 64 ? 8 : 0) | (d >> 3 & 1);
    if (rex) a_u8(g, 0x40 | rex);
    a_u8(g, 0x0f);
    a_u8(g, 0xc8 | (d & 7));
}
static inline void a_shrd(struct gen *g, unsigned bits, unsigned d, unsigned s, unsigned k)
{
    a_rm(g, M_0F | 0xac | w_of(bits), s, o_reg(d), 1);
    a_u8(g, k);
}
static inline void a_setcc(struct gen *g, unsigned cc, unsigned d)
{
    a_rm(g, M_0F | 0x90 | cc | OP_BM, 0, o_reg(d), 0);
}
static inline void a_cmov(struct gen *g, unsigned cc, unsigned bits, unsigned d, struct opnd s)
{
    a_rm(g, M_0F | 0x40 | cc | w_of(bits), d, s, 0);
}

/* --- jumps: rel32; return the end of the instruction, for a_bind ------------------------------------------------------ */
static inline uint8_t *a_jcc_fwd(struct gen *g, unsigned cc)
{
    a_u8(g, 0x0f);
    a_u8(g, 0x80 | cc);
    a_u32(g, 0);
    return g->p;
}
static inline uint8_t *a_jmp_fwd(struct gen *g)
{
    a_u8(g, 0xe9);
    a_u32(g, 0);
    return g->p;
}
/* Makes the rel32 that ends at `site` point to `to`. */
static inline void a_bind(uint8_t *site, const uint8_t *to)
{
    int32_t d = (int32_t)(to - site);
    memcpy(site - 4, &d, 4);
}
static inline void a_jmp_to(struct gen *g, const uint8_t *to)
{
    ptrdiff_t d = to - (g->p + 2);
    if (d == (int8_t)d) {
        a_u8(g, 0xeb);
        a_u8(g, (uint8_t)d);
    } else {
        a_bind(a_jmp_fwd(g), to);
    }
}
static inline void a_jcc_to(struct gen *g, unsigned cc, const uint8_t *to)
{
    ptrdiff_t d = to - (g->p + 2);
    if (d == (int8_t)d) {
        a_u8(g, 0x70 | cc);
        a_u8(g, (uint8_t)d);
    } else {
        a_bind(a_jcc_fwd(g, cc), to);
    }
}
/* Short forward jumps inside one operation; return the end, for a_bind8. */
static inline uint8_t *a_jcc8(struct gen *g, unsigned cc)
{
    a_u8(g, 0x70 | cc);
    a_u8(g, 0);
    return g->p;
}
static inline uint8_t *a_jmp8(struct gen *g)
{
    a_u8(g, 0xeb);
    a_u8(g, 0);
    return g->p;
}
static inline void a_bind8(struct gen *g, uint8_t *site)
{
    site[-1] = (uint8_t)(g->p - site);
}
static inline void a_call_to(struct gen *g, const uint8_t *to)
{
    a_u8(g, 0xe8);
    a_u32(g, 0);
    a_bind(g->p, to);
}
static inline void a_jmp_o(struct gen *g, struct opnd o)
{
    a_rm(g, 0xff, 4, o, 0);
}
static inline void a_call_r(struct gen *g, unsigned r)
{
    a_rm(g, 0xff, 2, o_reg(r), 0);
}

/* --- XMM moves the allocator needs; bytes = 2, 4, 8, 16 (legacy encodings; VEX forms when AVX) ----------------------- */
static inline void a_sse(struct gen *g, unsigned op, unsigned reg, struct opnd o)
{
    if (!x86.avx) {
        a_rm(g, op, reg & 15, o.kind == O_REG ? o_reg(o.reg & 15) : o, 0);
        return;
    }
    /* two-byte VEX when neither X, B, W nor another map is needed */
    unsigned b = o.kind != O_POOL && o.reg != NOREG ? o.reg >> 3 & 1 : 0;
    unsigned x = o.kind == O_MEM && o.index != NOREG ? o.index >> 3 & 1 : 0;
    if (o.kind == O_REG) o.reg &= 15;
    if (b | x | (op & OP_W)) {
        a_vex(g, op, reg, 0, o, 0);
        return;
    }
    if (o.kind == O_MEM && o.gs) a_u8(g, 0x65);
    a_u8(g, 0xc5);
    a_u8(g, (~reg >> 3 & 1) << 7 | 0x78 | (op >> 8 & 3));
    a_u8(g, op & 0xff);
    a_modrm(g, reg, o, 0);
}
static inline void a_movaps(struct gen *g, unsigned d, unsigned s)
{
    a_sse(g, M_0F | 0x28, d, o_reg(s));
}
static inline void a_loadx(struct gen *g, unsigned bytes, unsigned d, struct opnd m)
{
    a_sse(g, M_0F | (bytes == 4 ? P_F3 | 0x10 : bytes == 8 ? P_F2 | 0x10 : 0x10), d, m);
}
static inline void a_storex(struct gen *g, unsigned bytes, struct opnd m, unsigned s)
{
    a_sse(g, M_0F | (bytes == 4 ? P_F3 | 0x11 : bytes == 8 ? P_F2 | 0x11 : 0x11), s, m);
}
static inline void a_movq_xr(struct gen *g, unsigned bits, unsigned x, unsigned r) /* xmm = gpr */
{
    a_sse(g, P_66 | M_0F | 0x6e | w_of(bits), x, o_reg(r));
}
static inline void a_movq_rx(struct gen *g, unsigned bits, unsigned r, unsigned x) /* gpr = xmm */
{
    a_sse(g, P_66 | M_0F | 0x7e | w_of(bits), x, o_reg(r));
}

#endif
