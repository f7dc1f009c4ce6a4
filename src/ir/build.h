/*
 * build.h: what front ends write instructions with (floor 1). One inline function per operation; constants fold on the
 * way, so a body may be written in its general form. Types are explicit where they cannot be seen from an operand.
 *
 * Example (RISC-V addw):  wx(t, f->rd, ir_sext(t, T_I64, ir_add(t, ir_trunc(t, T_I32, a), ir_trunc(t, T_I32, b))));
 */
#ifndef LYRE_IR_BUILD_H
#define LYRE_IR_BUILD_H

#include "ir/ir.h"

/* How a guest instruction leaves; set by the xl_* functions of cpu/guest.h, consumed by the region builder. */
enum xl_end { XE_NONE, XE_BRANCH, XE_JUMP, XE_IND, XE_EXC, XE_STOP };

/* A front end's view of the translation of one instruction. */
struct xlat {
    struct ir *ir;
    uint64_t pc;       /* of this instruction */
    uint64_t next_pc;  /* set by the front end right after decoding, before the body runs */
    uint32_t mode;     /* translation mode (guest-defined bits); a body may change it: then xl_stop must end it */
    const void *cpu;   /* the guest's CPU struct, for features only: never for values of registers */
    const struct ir_helper *watch; /* to be called with address and bytes << 2 | (1 read, 2 write) before each access; NULL: none */
    uint8_t view;      /* system mode: which MMU view (cpu/guest_sys.h) the accesses that follow go through; 0 at each instruction's start */
    /* filled by xl_* */
    enum xl_end end;
    V cond;            /* XE_BRANCH */
    uint64_t target;   /* XE_BRANCH, XE_JUMP, XE_STOP, XE_EXC: the pc */
    V ind, new_mode;   /* XE_IND: pc; new_mode: I32 or 0 = mode */
    uint8_t jk;        /* enum ir_jk */
    uint8_t exc;       /* XE_EXC: enum cpu_exc */
    uint32_t code;
};

static inline enum ir_type ir_type_of(struct xlat *t, V v)
{
    return (enum ir_type)t->ir->ins[v].type;
}
static inline bool ir_is_k(struct xlat *t, V v)
{
    return t->ir->ins[v].op == IR_K;
}
static inline uint64_t ir_kval(struct xlat *t, V v)
{
    return t->ir->ins[v].imm;
}

/* Constant of a type (value is masked to the width; FP types: bit pattern). */
V ir_kt(struct xlat *t, enum ir_type type, uint64_t k);
static inline V ir_k(struct xlat *t, uint64_t k) { return ir_kt(t, T_I64, k); }
static inline V ir_k32(struct xlat *t, uint32_t k) { return ir_kt(t, T_I32, k); }
V ir_kv(struct xlat *t, uint64_t lo, uint64_t hi);

/* Guest registers (row of the register table) and region variables. */
V ir_get(struct xlat *t, unsigned reg);
void ir_put(struct xlat *t, unsigned reg, V v);

/* Generic constructors: unary, binary (constants and trivial identities fold), ternary. Result type = type of a. */
V ir_un(struct xlat *t, enum ir_op op, V a);
V ir_bin(struct xlat *t, enum ir_op op, V a, V b);

#define IR_UN(name, OP)  static inline V ir_##name(struct xlat *t, V a) { return ir_un(t, IR_##OP, a); }
#define IR_BIN(name, OP) static inline V ir_##name(struct xlat *t, V a, V b) { return ir_bin(t, IR_##OP, a, b); }
/* second operand an immediate of the first one's type */
#define IR_BINI(name, OP) \
    static inline V ir_##name(struct xlat *t, V a, uint64_t k) { return ir_bin(t, IR_##OP, a, ir_kt(t, ir_type_of(t, a), k)); }
IR_BIN(add, ADD) IR_BIN(sub, SUB) IR_BIN(mul, MUL) IR_BIN(mulhs, MULHS) IR_BIN(mulhu, MULHU) IR_BIN(mulhsu, MULHSU)
IR_BIN(divs, DIVS) IR_BIN(divu, DIVU) IR_BIN(rems, REMS) IR_BIN(remu, REMU)
IR_BIN(and, AND) IR_BIN(or, OR) IR_BIN(xor, XOR) IR_BIN(shl, SHL) IR_BIN(shr, SHR) IR_BIN(sar, SAR) IR_BIN(rotr, ROTR)
IR_BIN(clmul, CLMUL) IR_BIN(clmulh, CLMULH)
IR_BINI(addi, ADD) IR_BINI(subi, SUB) IR_BINI(andi, AND) IR_BINI(ori, OR) IR_BINI(xori, XOR)
IR_BINI(shli, SHL) IR_BINI(shri, SHR) IR_BINI(sari, SAR) IR_BINI(rotri, ROTR)
IR_UN(neg, NEG) IR_UN(not, NOT) IR_UN(clz, CLZ) IR_UN(ctz, CTZ) IR_UN(popcnt, POPCNT) IR_UN(bswap, BSWAP) IR_UN(bitrev, BITREV)

V ir_extr(struct xlat *t, V hi, V lo, unsigned shift);
/* Conversions between integer widths; the same width returns a. trunc to T_I1 takes bit 0. */
V ir_sext(struct xlat *t, enum ir_type type, V a);
V ir_zext(struct xlat *t, enum ir_type type, V a);
V ir_trunc(struct xlat *t, enum ir_type type, V a);
V ir_ubfx(struct xlat *t, V a, unsigned lsb, unsigned width);
V ir_sbfx(struct xlat *t, V a, unsigned lsb, unsigned width);
V ir_bfi(struct xlat *t, V a, V b, unsigned lsb, unsigned width);
V ir_cmp(struct xlat *t, enum ir_cond c, V a, V b);
static inline V ir_cmpi(struct xlat *t, enum ir_cond c, V a, uint64_t k)
{
    return ir_cmp(t, c, a, ir_kt(t, ir_type_of(t, a), k));
}
V ir_saddov(struct xlat *t, V a, V b);
V ir_ssubov(struct xlat *t, V a, V b);
V ir_select(struct xlat *t, V cond, V a, V b);
V ir_bitcast(struct xlat *t, enum ir_type type, V a);

/* Scalar FP; rm = enum ir_rm. */
V ir_fop2(struct xlat *t, enum ir_op op, V a, V b, enum ir_rm rm); /* FADD FSUB FMUL FDIV */
V ir_fsqrt(struct xlat *t, V a, enum ir_rm rm);
V ir_fma(struct xlat *t, V a, V b, V c, enum ir_rm rm);
V ir_fminmax(struct xlat *t, enum ir_op op, V a, V b, enum ir_minmax m);
IR_UN(fneg, FNEG) IR_UN(fabs, FABS) IR_BIN(fsgn, FSGN)
V ir_fcmp(struct xlat *t, enum ir_fcond c, bool signalling, V a, V b);
V ir_fcvt(struct xlat *t, enum ir_type type, V a, enum ir_rm rm);
V ir_ftoi(struct xlat *t, enum ir_type type, V a, enum ir_rm rm, unsigned ftoi);
V ir_itof(struct xlat *t, enum ir_type type, V a, enum ir_rm rm, bool is_signed);
V ir_frint(struct xlat *t, V a, enum ir_rm rm, bool inexact);
V ir_fbox(struct xlat *t, V a);
V ir_funbox(struct xlat *t, enum ir_type type, V a);
V ir_fenvrd(struct xlat *t);
void ir_fenvwr(struct xlat *t, V flags);
void ir_frmwr(struct xlat *t, V rm);

/* Vectors; lane = enum ir_lane in sub. Rows of ops.def with x, y or mo have them as arguments here. */
V ir_v1(struct xlat *t, enum ir_op op, enum ir_lane lane, V a);
V ir_v2(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b);
V ir_v3(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b, V c);
V ir_v1x(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, unsigned x);          /* VSHLI VSXTL VZEXT VFCVTW ... */
V ir_v2x(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b, unsigned x, unsigned y); /* VALIGN VINSV VMULLS VCLMUL */
V ir_vcmp(struct xlat *t, enum ir_cond c, enum ir_lane lane, V a, V b);
V ir_vdup(struct xlat *t, enum ir_lane lane, V scalar);
V ir_vfrom(struct xlat *t, V scalar);
V ir_vget(struct xlat *t, enum ir_type type, enum ir_lane lane, V a, unsigned x);
V ir_vins(struct xlat *t, enum ir_lane lane, V a, V scalar, unsigned x);
V ir_vred(struct xlat *t, enum ir_type type, enum ir_lane lane, enum ir_vred op, V a);
/* FP lanes: mo = rm, minmax or fcond; x as the row says. */
V ir_vf(struct xlat *t, enum ir_op op, enum ir_lane lane, unsigned mo, V a, V b, V c, unsigned x);

/* Memory: mo = enum ir_mo bits (size, sign, order). Addresses are I64 guest virtual (a 32-bit guest zero-extends). */
V ir_ld(struct xlat *t, enum ir_type type, V addr, int64_t disp, unsigned mo);
void ir_st(struct xlat *t, V addr, int64_t disp, V v, unsigned mo);
V ir_cas(struct xlat *t, V addr, V expect, V desired, unsigned mo);
V ir_rmw(struct xlat *t, enum ir_rmw op, V addr, V v, unsigned mo);
void ir_fence(struct xlat *t, unsigned bits);
void ir_probe(struct xlat *t, V addr, unsigned bytes, bool store);
enum { MO_STORE = 1 << 7 }; /* PROBE only: checks for a store */

/* Calls a helper; args as the helper declares. Returns 0 for T_VOID. */
V ir_call(struct xlat *t, const struct ir_helper *h, const V *args);

#endif
