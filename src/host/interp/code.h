/*
 * code.h: the interpreter's compact code, private to this folder.
 *
 * An operand is a byte offset from the CPU pointer, at which a value lies in its own type (an I32 as a uint32_t, an I1 as
 * a byte): the home of a guest register, or a slot of the frame that follows the jump cache in the CPU's allocation. So an
 * operation reads and writes guest registers directly, and most guest instructions are one operation.
 *
 * The operations are listed once, below; W means one variant for each integer width, K one whose second operand is imm.
 */
#ifndef LYRE_INTERP_CODE_H
#define LYRE_INTERP_CODE_H

#include "cpu/host.h"

struct iop {
    const void *code;          /* label in interp_run; the number of the operation while lowering */
    int32_t d, a, b, c;        /* operands; branches: d = distance in operations */
    union {
        uint64_t imm;
        const struct side *side;
        struct iop *to;        /* EXIT: the chained region's code, NULL = none; atomic */
    };
};

/* What does not fit: rarely executed or expensive operations. */
struct side {
    struct ir_ins ins;
    uint8_t t[4];              /* types of a, b, c and the result */
    uint64_t pc;
    const struct ir_helper *helper;
    int32_t arg[6];
    const struct ir_fp *fp;
    union vlanes kv;
};

/* A region's code; in region->host_data. */
struct icode {
    struct ir_fp fp;
    uint32_t nops;
    struct iop *ops;
    struct side *side;
};

struct interp {
    struct host_env env;
    int32_t frame;             /* offset of the frame from the CPU pointer */
    const void *const *labels;
    struct lower *lower;       /* scratch of compile() */
};

enum { INTERP_SLOTS = 1024 }; /* of 16 bytes in a frame */

#define I_BIN(X)                                                                                    \
    X(ADD, x + y) X(SUB, x - y) X(AND, x & y) X(OR, x | y) X(XOR, x ^ y) X(MUL, x * y)              \
    X(SHL, x << (y & (W - 1))) X(SHR, x >> (y & (W - 1))) X(SAR, (S)x >> (y & (W - 1)))             \
    X(ROTR, x >> (y & (W - 1)) | x << (-y & (W - 1)))
/* in the order of enum ir_cond */
#define I_COND(X)                                                                                   \
    X(EQ, x == y) X(NE, x != y) X(SLT, (S)x < (S)y) X(SGE, (S)x >= (S)y) X(SLE, (S)x <= (S)y)       \
    X(SGT, (S)x > (S)y) X(ULT, x < y) X(UGE, x >= y) X(ULE, x <= y) X(UGT, x > y)
/* from width, to width */
#define I_WIDEN(X)  X(8, 16) X(8, 32) X(8, 64) X(16, 32) X(16, 64) X(32, 64)
/* register width, memory width; equal ones first */
#define I_SAME(X)   X(8, 8) X(16, 16) X(32, 32) X(64, 64)
#define I_NARROW(X) X(16, 8) X(32, 8) X(64, 8) X(32, 16) X(64, 16) X(64, 32)

#define N_W2(n, e)   OP_##n##_8_R, OP_##n##_8_K, OP_##n##_16_R, OP_##n##_16_K, OP_##n##_32_R, OP_##n##_32_K, OP_##n##_64_R, OP_##n##_64_K,
#define N_CMP(n, e)  N_W2(CMP_##n, e)
#define N_BR(n, e)   N_W2(BR_##n, e)
#define N_SEXT(f, t) OP_SEXT_##f##_##t,
#define N_ZEXT(f, t) OP_ZEXT_##f##_##t,
#define N_TRUNC(f, t) OP_TRUNC_##f##_##t,
#define N_LDU(r, m)  OP_LDU_##r##_##m,
#define N_LDS(r, m)  OP_LDS_##r##_##m,
#define N_ST(r, m)   OP_ST_##r##_##m,
#define N_W(n)       OP_##n##_8, OP_##n##_16, OP_##n##_32, OP_##n##_64,
enum iop_code {
    I_BIN(N_W2) I_COND(N_CMP) I_COND(N_BR)
    I_WIDEN(N_SEXT) I_WIDEN(N_ZEXT) I_NARROW(N_TRUNC)
    I_SAME(N_LDU) I_NARROW(N_LDU) I_NARROW(N_LDS) OP_LD_128, I_SAME(N_ST) I_NARROW(N_ST) OP_ST_128,
    N_W(MOV) OP_MOV_128, N_W(MOVK) OP_MOVK_128, N_W(SELECT) OP_SELECT_128, N_W(NEG) N_W(BOOL_SEXT) N_W(TEST)
    OP_UBFX_32, OP_UBFX_64, OP_SBFX_32, OP_SBFX_64, OP_FBOX_32, OP_FUNBOX_32,
    OP_EVAL, OP_FP, OP_MEM, OP_CALL, OP_FENCE, OP_FENVRD, OP_FENVWR, OP_FRMWR,
    OP_POLL, OP_JMP, OP_BRNZ, OP_BRZ, OP_TRAPIF, OP_EXIT, OP_EXITI, OP_EXITI_MODE, OP_EXC, OP_DATA,
    OP_COUNT
};

/* Index of a width in the lists above: 0..3. */
static inline unsigned width_index(unsigned bits)
{
    return bits <= 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
}

/* run.c. With op = NULL gives the table of labels in *labels. */
enum cpu_exc interp_run(CPU *cpu, const struct iop *op, const void *const **labels);
/* mem.c: LD, ST, CAS, RMW, PROBE in their general form. EXC_NONE, or why not (v->exc_code, fault_addr set). */
enum cpu_exc interp_mem(CPU *cpu, const struct iop *op);
/* The same on values: address base + ins->imm, operands b and c, result (scalars zero-extended) in *r. */
enum cpu_exc interp_access(CPU *cpu, const struct ir_ins *ins, uint64_t base, const union vlanes *b, const union vlanes *c,
                           union vlanes *r);
/* walk.c: struct host.walk */
enum cpu_exc interp_walk(CPU *cpu, const struct ir *ir, union vlanes *val);
/* lower.c */
struct lower *lower_new(void);
void lower_free(struct lower *l);
int lower_region(struct interp *h, struct ir *ir, struct code_buf *buf, struct region *r);

static inline void value_load(const void *p, unsigned type, union vlanes *v)
{
    switch (type) {
    case T_I1:
    case T_I8: *v = (union vlanes){ .u64 = { *(const uint8_t *)p } }; break;
    case T_I16:
    case T_F16: *v = (union vlanes){ .u64 = { *(const uint16_t *)p } }; break;
    case T_I32:
    case T_F32: *v = (union vlanes){ .u64 = { *(const uint32_t *)p } }; break;
    case T_V128: *v = *(const union vlanes *)p; break;
    case T_VOID: *v = (union vlanes){ 0 }; break;
    default: *v = (union vlanes){ .u64 = { *(const uint64_t *)p } }; break;
    }
}

static inline void value_store(void *p, unsigned type, const union vlanes *v)
{
    switch (type) {
    case T_I1: *(uint8_t *)p = v->u8[0] & 1; break;
    case T_I8: *(uint8_t *)p = (uint8_t)v->u64[0]; break;
    case T_I16:
    case T_F16: *(uint16_t *)p = (uint16_t)v->u64[0]; break;
    case T_I32:
    case T_F32: *(uint32_t *)p = (uint32_t)v->u64[0]; break;
    case T_V128: *(union vlanes *)p = *v; break;
    case T_VOID: break;
    default: *(uint64_t *)p = v->u64[0]; break;
    }
}

#endif
