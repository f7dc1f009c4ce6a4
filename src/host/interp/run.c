/*
 * run.c: executes the interpreter's code. Direct threading: each operation jumps to the next one's label.
 *
 * Every operation reads its operands before it writes its result, and homes of guest registers are written in program
 * order, so the CPU is exact whenever an operation faults; operations that may fault carry their instruction's pc.
 */
#include "host/interp/code.h"
#include "mem/access.h"
#include "cpu/soft.h"

#define L(off, T)   (*(T *)(base + (off)))
#define NEXT        do { op++; goto *op->code; } while (0)

#define FOUR(n)     &&n##_8, &&n##_16, &&n##_32, &&n##_64,
#define LBL_W2(n, e) &&n##_8_R, &&n##_8_K, &&n##_16_R, &&n##_16_K, &&n##_32_R, &&n##_32_K, &&n##_64_R, &&n##_64_K,
#define LBL_CMP(n, e) LBL_W2(CMP_##n, e)
#define LBL_BR(n, e) LBL_W2(BR_##n, e)
#define LBL_SEXT(f, t) &&SEXT_##f##_##t,
#define LBL_ZEXT(f, t) &&ZEXT_##f##_##t,
#define LBL_TRUNC(f, t) &&TRUNC_##f##_##t,
#define LBL_LDU(r, m) &&LDU_##r##_##m,
#define LBL_LDS(r, m) &&LDS_##r##_##m,
#define LBL_ST(r, m) &&ST_##r##_##m,

/* One body per operation, width and form of the second operand. */
#define BODY(label, w, second, stmt)                                    \
    label: {                                                            \
        enum { W UNUSED = w };                                          \
        typedef uint##w##_t U UNUSED;                                   \
        typedef int##w##_t S UNUSED;                                    \
        U x = L(op->a, U), y = second;                                  \
        stmt;                                                           \
    }
#define BIN_W(n, w, e)                                                  \
    BODY(n##_##w##_R, w, L(op->b, U), L(op->d, U) = (U)(e); NEXT)       \
    BODY(n##_##w##_K, w, (U)op->imm, L(op->d, U) = (U)(e); NEXT)
#define CMP_W(n, w, e)                                                  \
    BODY(n##_##w##_R, w, L(op->b, U), L(op->d, uint8_t) = (e); NEXT)    \
    BODY(n##_##w##_K, w, (U)op->imm, L(op->d, uint8_t) = (e); NEXT)
#define BR_W(n, w, e)                                                   \
    BODY(n##_##w##_R, w, L(op->b, U), op += (e) ? op->d : 1; goto *op->code) \
    BODY(n##_##w##_K, w, (U)op->imm, op += (e) ? op->d : 1; goto *op->code)
#define DO_BIN(n, e) BIN_W(n, 8, e) BIN_W(n, 16, e) BIN_W(n, 32, e) BIN_W(n, 64, e)
#define DO_CMP(n, e) CMP_W(CMP_##n, 8, e) CMP_W(CMP_##n, 16, e) CMP_W(CMP_##n, 32, e) CMP_W(CMP_##n, 64, e)
#define DO_BR(n, e)  BR_W(BR_##n, 8, e) BR_W(BR_##n, 16, e) BR_W(BR_##n, 32, e) BR_W(BR_##n, 64, e)
#define DO_SEXT(f, t) SEXT_##f##_##t: L(op->d, int##t##_t) = L(op->a, int##f##_t); NEXT;
#define DO_ZEXT(f, t) ZEXT_##f##_##t: L(op->d, uint##t##_t) = L(op->a, uint##f##_t); NEXT;
#define DO_TRUNC(f, t) TRUNC_##f##_##t: L(op->d, uint##t##_t) = (uint##t##_t)L(op->a, uint##f##_t); NEXT;
#define DO_WIDTHS(w)                                                    \
    MOV_##w: L(op->d, uint##w##_t) = L(op->a, uint##w##_t); NEXT;       \
    MOVK_##w: L(op->d, uint##w##_t) = (uint##w##_t)op->imm; NEXT;       \
    SELECT_##w: L(op->d, uint##w##_t) = L(L(op->a, uint8_t) ? op->b : op->c, uint##w##_t); NEXT; \
    NEG_##w: L(op->d, uint##w##_t) = (uint##w##_t)(0 - L(op->a, uint##w##_t)); NEXT; \
    BOOL_SEXT_##w: L(op->d, uint##w##_t) = (uint##w##_t)(0 - L(op->a, uint8_t)); NEXT; \
    TEST_##w: L(op->d, uint8_t) = L(op->a, uint##w##_t) & 1; NEXT;

/* Guest memory */
#define ACCESS(stmt)                                                    \
    {                                                                   \
        cpu->pc = op->imm;                                              \
        uint64_t addr = L(op->a, uint64_t) + (uint64_t)(int64_t)op->c;  \
        void *p = vcpu_access_begin(v, addr);                          \
        stmt;                                                           \
        vcpu_access_end(v);                                             \
    }
#define DO_LDU(r, m) LDU_##r##_##m: { uint##m##_t x; ACCESS(x = access_ld##m(p)) L(op->d, uint##r##_t) = x; NEXT; }
#define DO_LDS(r, m) LDS_##r##_##m: { uint##m##_t x; ACCESS(x = access_ld##m(p)) L(op->d, int##r##_t) = (int##m##_t)x; NEXT; }
#define DO_ST(r, m)  ST_##r##_##m: { uint##m##_t x = (uint##m##_t)L(op->b, uint##r##_t); ACCESS(access_st##m(p, x)) NEXT; }

static void eval(CPU *cpu, const struct iop *op)
{
    const struct side *s = op->side;
    union vlanes a, b, c, r;

    value_load((char *)cpu + op->a, s->t[0], &a);
    value_load((char *)cpu + op->b, s->t[1], &b);
    value_load((char *)cpu + op->c, s->t[2], &c);
    if (s->fp)
        host_fp_eval(cpu, s->fp, &s->ins, s->t[0], &a, &b, &c, &r);
    else
        ir_eval(&s->ins, s->t[0], &a, &b, &c, &r);
    value_store((char *)cpu + op->d, s->t[3], &r);
}

static void call(CPU *cpu, const struct iop *op)
{
    const struct side *s = op->side;
    union vlanes args[6], r = { 0 };

    for (unsigned i = 0; i < s->helper->nargs; i++)
        value_load((char *)cpu + s->arg[i], s->helper->args[i], &args[i]);
    cpu->pc = s->pc;
    s->helper->thunk(cpu, &r, args);
    value_store((char *)cpu + op->d, s->helper->ret, &r);
}

/* Code of the region at pc in the jump cache, or NULL. Another thread may empty the entry at any time. */
static const struct iop *jump_cache(const struct vcpu *v, uint64_t pc, uint32_t mode)
{
    const struct jc_entry *j = &v->jc[jc_slot(pc, v->insn4)];

    if (__atomic_load_n(&j->tag, __ATOMIC_ACQUIRE) != (pc ^ cpu_mode_tag(mode) ^ soft_tag(v)))
        return NULL;
    return __atomic_load_n(&j->code, __ATOMIC_RELAXED);
}

enum cpu_exc interp_run(CPU *cpu, const struct iop *op, const void *const **labels)
{
    static const void *const table[OP_COUNT] = {
        I_BIN(LBL_W2) I_COND(LBL_CMP) I_COND(LBL_BR)
        I_WIDEN(LBL_SEXT) I_WIDEN(LBL_ZEXT) I_NARROW(LBL_TRUNC)
        I_SAME(LBL_LDU) I_NARROW(LBL_LDU) I_NARROW(LBL_LDS) &&LD_128, I_SAME(LBL_ST) I_NARROW(LBL_ST) &&ST_128,
        FOUR(MOV) &&MOV_128, FOUR(MOVK) &&MOVK_128, FOUR(SELECT) &&SELECT_128, FOUR(NEG) FOUR(BOOL_SEXT) FOUR(TEST)
        &&UBFX_32, &&UBFX_64, &&SBFX_32, &&SBFX_64, &&FBOX_32, &&FUNBOX_32,
        &&EVAL, &&EVAL, &&MEM, &&CALL, &&FENCE, &&FENVRD, &&FENVWR, &&FRMWR,
        &&POLL, &&JMP, &&BRNZ, &&BRZ, &&TRAPIF, &&EXIT, &&EXITI, &&EXITI_MODE, &&EXC, NULL,
    };
    char *const base = (char *)cpu;
    struct vcpu *v;
    uint64_t pc;
    uint32_t mode;

    if (!op) {
        *labels = table;
        return EXC_NONE;
    }
    v = cpu->v;
    goto *op->code;

    I_BIN(DO_BIN)
    I_COND(DO_CMP)
    I_COND(DO_BR)
    I_WIDEN(DO_SEXT)
    I_WIDEN(DO_ZEXT)
    I_NARROW(DO_TRUNC)
    I_SAME(DO_LDU)
    I_NARROW(DO_LDU)
    I_NARROW(DO_LDS)
    I_SAME(DO_ST)
    I_NARROW(DO_ST)
    DO_WIDTHS(8)
    DO_WIDTHS(16)
    DO_WIDTHS(32)
    DO_WIDTHS(64)

LD_128: { v128 x; ACCESS(x = access_ld128(p)) L(op->d, v128) = x; NEXT; }
ST_128: { v128 x = L(op->b, v128); ACCESS(access_st128(p, x)) NEXT; }
MOV_128: L(op->d, v128) = L(op->a, v128); NEXT;
MOVK_128: L(op->d, v128) = op->side->kv.v; NEXT;
SELECT_128: L(op->d, v128) = L(L(op->a, uint8_t) ? op->b : op->c, v128); NEXT;
UBFX_32: L(op->d, uint32_t) = L(op->a, uint32_t) << op->b >> op->c; NEXT;
UBFX_64: L(op->d, uint64_t) = L(op->a, uint64_t) << op->b >> op->c; NEXT;
SBFX_32: L(op->d, int32_t) = (int32_t)(L(op->a, uint32_t) << op->b) >> op->c; NEXT;
SBFX_64: L(op->d, int64_t) = (int64_t)(L(op->a, uint64_t) << op->b) >> op->c; NEXT;
FBOX_32: L(op->d, uint64_t) = L(op->a, uint32_t) | 0xffffffff00000000; NEXT;
FUNBOX_32: { uint64_t x = L(op->a, uint64_t); L(op->d, uint32_t) = x >> 32 == 0xffffffff ? (uint32_t)x : 0x7fc00000; NEXT; }

EVAL: eval(cpu, op); NEXT;
CALL: call(cpu, op); NEXT;
MEM: {
        enum cpu_exc exc;
        cpu->pc = op->side->pc;
        exc = interp_mem(cpu, op);
        if (unlikely(exc))
            return exc;
        NEXT;
    }
FENCE:
    if (op->a & FENCE_SL)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    else
        __atomic_thread_fence(__ATOMIC_ACQ_REL);
    NEXT;
FENVRD: L(op->d, uint32_t) = cpu->fp.flags; NEXT;
FENVWR: cpu->fp.flags = L(op->a, uint32_t); NEXT;
FRMWR: cpu->fp.rm = L(op->a, uint32_t); NEXT;

POLL:
    if (unlikely(__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED))) {
        cpu->pc = op->imm;
        v->chain_from = NULL;
        return EXC_REQUEST;
    }
    NEXT;
JMP: op += op->d; goto *op->code;
BRNZ: op += L(op->a, uint8_t) ? op->d : 1; goto *op->code;
BRZ: op += L(op->a, uint8_t) ? 1 : op->d; goto *op->code;
TRAPIF:
    if (unlikely(L(op->a, uint8_t))) {
        cpu->pc = op->imm;
        v->exc_code = (uint32_t)op->b;
        return (enum cpu_exc)op->c;
    }
    NEXT;
EXC:
    cpu->pc = op->imm;
    v->exc_code = (uint32_t)op->b;
    return (enum cpu_exc)op->c;
EXIT: {
        const struct iop *to = __atomic_load_n(&op->to, __ATOMIC_ACQUIRE);
        cpu->mode = (uint32_t)op->d;
        if (likely(to)) {
            op = to;
            goto *op->code;
        }
        cpu->pc = op[1].imm;
        v->chain_from = (struct exit_slot *)op[1].code;
        return EXC_NONE;
    }
EXITI:
    mode = (uint32_t)op->d;
    goto indirect;
EXITI_MODE:
    mode = L(op->b, uint32_t);
indirect:
    pc = L(op->a, uint64_t);
    cpu->mode = mode;
    op = jump_cache(v, pc, mode);
    if (likely(op))
        goto *op->code;
    cpu->pc = pc;
    v->chain_from = NULL;
    return EXC_NONE;
}
