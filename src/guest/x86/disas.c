/*
 * disas.c: Intel syntax in the spelling of GNU objdump -M intel. Prefixes without a meaning are not printed.
 */
#include "decode.h"

static const char *const cc[16] = { "o", "no", "b", "ae", "e", "ne", "be", "a",
                                    "s", "ns", "p", "np", "l", "ge", "le", "g" };
static const char *const legacy[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
static const char *const segments[SEGS] = { "es", "cs", "ss", "ds", "fs", "gs" };

static void gpr(struct isa_text *o, unsigned bits, unsigned n, bool rex)
{
    if (bits == 8 && n < 8 && n >= 4 && !rex)
        isa_printf(o, "%ch", "acdb"[n - 4]);
    else if (bits == 8 && n < 8)
        isa_printf(o, "%.*sl", n < 4 ? 1 : 2, legacy[n]);
    else if (n >= 8)
        isa_printf(o, "r%u%s", n, bits == 8 ? "b" : bits == 16 ? "w" : bits == 32 ? "d" : "");
    else
        isa_printf(o, "%s%s", bits == 64 ? "r" : bits == 32 ? "e" : "", legacy[n]);
}

static const char *pointer(unsigned bits)
{
    switch (bits) {
    case 8: return "BYTE PTR ";
    case 16: return "WORD PTR ";
    case 32: return "DWORD PTR ";
    case 48: return "FWORD PTR ";
    case 64: return "QWORD PTR ";
    case 80: return "TBYTE PTR ";
    case 128: return "XMMWORD PTR ";
    case 256: return "YMMWORD PTR ";
    case 512: return "ZMMWORD PTR ";
    }
    return "";
}

/* "fs:" if a prefix says so, else `none`. */
static void segment(struct isa_text *o, const struct x86_fields *f, const char *none)
{
    bool counts = f->seg == 0x64 || f->seg == 0x65 || (f->seg && f->code != 64);
    if (counts) isa_printf(o, "%s:", segments[f->mem_seg]);
    else isa_puts(o, none);
}

static uint64_t masked(uint64_t v, unsigned bits)
{
    return v & bits_mask(bits);
}

static void memory(struct isa_text *o, const struct x86_fields *f, const struct x86_op *op)
{
    bool direct = f->base == REG_NONE && f->index == REG_NONE;

    isa_puts(o, pointer(op->bits));
    segment(o, f, direct ? "ds:" : "");
    if (direct) {
        isa_printf(o, "0x%llx", (unsigned long long)masked((uint64_t)f->disp, f->asize));
        return;
    }
    isa_puts(o, "[");
    if (f->base == REG_IP)
        isa_puts(o, f->asize == 64 ? "rip" : "eip");
    else if (f->base != REG_NONE)
        gpr(o, f->asize, f->base, true);
    if (f->index != REG_NONE) {
        if (f->base != REG_NONE) isa_puts(o, "+");
        if (f->form->attrs & X86_ATTR_vsib) /* quadword indices, or as many doublewords as elements */
            isa_printf(o, "%cmm%u", f->L && (f->opcode & 1 || !x86_rexw(f)) ? 'y' : 'x', f->index);
        else
            gpr(o, f->asize, f->index, true);
        if (f->asize != 16) isa_printf(o, "*%u", 1u << f->scale);
    }
    if (f->has_disp) {
        int64_t v = f->disp;
        bool minus = v < 0 && f->base != REG_IP;
        isa_printf(o, "%c0x%llx", minus ? '-' : '+', (unsigned long long)(minus ? -v : v));
    }
    isa_puts(o, "]");
}

static void string(struct isa_text *o, const struct x86_fields *f, const struct x86_op *op)
{
    isa_puts(o, pointer(op->bits));
    if (op->kind == OP_DI) isa_puts(o, "es:");
    else segment(o, f, "ds:");
    isa_puts(o, "[");
    gpr(o, f->asize, op->kind == OP_DI ? 7 : 6, true);
    isa_puts(o, "]");
}

static void operand(struct isa_text *o, const struct x86_fields *f, unsigned i, uint64_t pc)
{
    const struct x86_op *op = &f->op[i];
    unsigned kind = f->form->op[i].kind;

    switch (op->kind) {
    case OP_REG: gpr(o, op->bits, op->reg, f->rex); return;
    case OP_HIGH: gpr(o, 8, op->reg + 4u, false); return;
    case OP_MEM:
        if (kind != 'O') {
            memory(o, f, op);
            return;
        }
        segment(o, f, "ds:");
        isa_printf(o, "0x%llx", (unsigned long long)f->disp);
        return;
    case OP_SI: case OP_DI: string(o, f, op); return;
    case OP_IMM:
        if (kind == 'J')
            isa_printf(o, "%llx", (unsigned long long)masked(pc + f->len + op->imm, f->code == 64 ? 64 : f->osize));
        else if (kind == X86_FIXED_1)
            isa_puts(o, "1");
        else
            isa_printf(o, "0x%llx", (unsigned long long)masked(op->imm, op->bits));
        return;
    case OP_FAR:
        isa_printf(o, "0x%x:0x%llx", op->sel, (unsigned long long)masked(op->imm, f->osize));
        return;
    case OP_SEG: isa_puts(o, segments[op->reg]); return;
    case OP_CR: isa_printf(o, "cr%u", op->reg); return;
    case OP_DR: isa_printf(o, "db%u", op->reg); return;
    case OP_VEC: isa_printf(o, "%cmm%u", op->bits == 512 ? 'z' : op->bits == 256 ? 'y' : 'x', op->reg); return;
    case OP_MMX: isa_printf(o, "mm%u", op->reg); return;
    case OP_ST:
        if (kind == X86_FIXED_ST) isa_puts(o, "st");
        else isa_printf(o, "st(%u)", op->reg);
        return;
    }
}

/* The predicate that an immediate stands for, of CMPPS and its like; NULL: it is printed as a number. */
static const char *predicate(const struct x86_fields *f)
{
    static const char *const names[32] = {
        "eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord", "eq_uq", "nge", "ngt", "false", "neq_oq", "ge", "gt", "true",
        "eq_os", "lt_oq", "le_oq", "unord_s", "neq_us", "nlt_uq", "nle_uq", "ord_s", "eq_us", "nge_uq", "ngt_uq", "false_os",
        "neq_os", "ge_oq", "gt_oq", "true_us" };
    uint64_t imm = f->op[f->nops - 1].imm;
    return imm < (f->enc ? 32 : 8) ? names[imm] : NULL;
}
/* The same for the halves of PCLMULQDQ. */
static const char *halves(const struct x86_fields *f)
{
    switch (f->op[f->nops - 1].imm) {
    case 0x00: return "lql";
    case 0x01: return "hql";
    case 0x10: return "lqh";
    case 0x11: return "hqh";
    default: return NULL;
    }
}

/* Returns whether the last operand is part of the mnemonic. */
static bool mnemonic(struct isa_text *o, const struct x86_fields *f)
{
    unsigned attrs = f->form->attrs;
    const char *imm = NULL;

    if (f->prefix & PFX_LOCK) isa_puts(o, "lock ");
    if (attrs & X86_ATTR_rep && f->rep) isa_puts(o, f->rep == 0xf3 ? "rep " : "repnz ");
    if (attrs & X86_ATTR_repz && f->rep) isa_puts(o, f->rep == 0xf3 ? "repz " : "repnz ");
    if (attrs & X86_ATTR_bnd && f->rep == 0xf2) isa_puts(o, "bnd ");
    if (attrs & X86_ATTR_notrack && f->seg == 0x3e) isa_puts(o, "notrack ");
    for (const char *s = x86_rows[f->form->row].syntax; *s;) {
        if (!memcmp(s, "{cc}", MIN(strlen(s), 4))) {
            isa_puts(o, cc[f->opcode & 15]);
            s += 4;
        } else if (!memcmp(s, "{v}", MIN(strlen(s), 3))) {
            if (f->enc) isa_puts(o, "v");
            s += 3;
        } else if (!memcmp(s, "{pred}", MIN(strlen(s), 6)) || !memcmp(s, "{half}", MIN(strlen(s), 6))) {
            if ((imm = s[1] == 'p' ? predicate(f) : halves(f))) isa_puts(o, imm);
            s += 6;
        } else {
            isa_printf(o, "%c", *s++);
        }
    }
    if (f->nops)
        do isa_puts(o, " ");
        while (o->len < 7);
    return imm;
}

void x86_print(struct isa_text *o, const struct x86_fields *f, uint64_t pc)
{
    unsigned n = f->nops;
    n -= mnemonic(o, f);
    for (unsigned i = 0; i < n; i++) {
        if (i) isa_puts(o, ",");
        operand(o, f, i, pc);
    }
}
