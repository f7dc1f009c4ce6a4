/*
 * decode.c: bytes to a form of the tables and its operands. Intel SDM volume 2, chapter 2 (formats, REX, VEX).
 * Known gaps: EVEX, XOP.
 */
#include "decode.h"

enum { INSN_MAX = 15 };

struct reader {
    const uint8_t *p;
    size_t avail, pos;
    int fail; /* what x86_decode returns then */
};

static uint64_t take(struct reader *r, unsigned n)
{
    uint64_t v = 0;

    if (r->fail) return 0;
    if (r->pos + n > INSN_MAX || r->pos + n > r->avail) {
        r->fail = r->pos + n > INSN_MAX ? -1 : -2;
        return 0;
    }
    memcpy(&v, r->p + r->pos, n);
    r->pos += n;
    return v;
}

static uint64_t take_signed(struct reader *r, unsigned n)
{
    return (uint64_t)bits_sext(take(r, n), n * 8);
}

/* Leaves the first byte that is no prefix. A REX counts only right before the opcode. */
static uint8_t prefixes(struct reader *r, struct x86_fields *f)
{
    for (;;) {
        uint8_t b = (uint8_t)take(r, 1);
        bool rex = f->code == 64 && b >> 4 == 4;

        if (rex) {
            f->rex = b;
            b = (uint8_t)take(r, 1);
            if (b >> 4 == 4) {
                r->pos--;
                continue;
            }
        }
        switch (b) {
        case 0xf0: f->prefix |= PFX_LOCK; break;
        case 0xf2:
        case 0xf3: f->rep = b; break;
        case 0x66: f->prefix |= PFX_66; break;
        case 0x67: f->prefix |= PFX_67; break;
        case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: f->seg = b; break;
        default: return b;
        }
        f->rex = 0;
        if (r->fail) return 0;
    }
}

/* C4 and C5 outside of 64-bit code are LES and LDS if a memory operand follows. */
static bool is_vex(struct reader *r, const struct x86_fields *f, uint8_t b)
{
    if (r->fail || (b != 0xc4 && b != 0xc5)) return false;
    if (f->code == 64) return true;
    uint8_t next = (uint8_t)take(r, 1);
    r->pos -= !r->fail;
    return next >= 0xc0;
}

static unsigned vex(struct reader *r, struct x86_fields *f, uint8_t first)
{
    uint8_t a = (uint8_t)take(r, 1), b = first == 0xc4 ? (uint8_t)take(r, 1) : a & 0x7f;
    unsigned map = first == 0xc4 ? a & 31 : 1;

    if (f->prefix & (PFX_LOCK | PFX_66) || f->rep || f->rex || map < 1 || map > 3) r->fail = r->fail ? r->fail : -1;
    f->enc = X86_ENC_VEX;
    f->rex = (uint8_t)((~a >> 5 & (first == 0xc4 ? 7 : 4)) | (b >> 7) << 3 | 0x40);
    f->L = b >> 2 & 1;
    f->pp = b & 3;
    f->vvvv = ~b >> 3 & 15;
    if (f->code != 64) f->rex &= 0x48, f->vvvv &= 7;
    f->opcode = (uint8_t)take(r, 1);
    return map & 3;
}

static unsigned escape(struct reader *r, struct x86_fields *f, uint8_t b)
{
    unsigned map = 0;

    f->pp = f->rep == 0xf2 ? 3 : f->rep ? 2 : (f->prefix & PFX_66) != 0;
    if (b == 0x0f) {
        map = 1;
        b = (uint8_t)take(r, 1);
        if (b == 0x38 || b == 0x3a) {
            map = b == 0x38 ? 2 : 3;
            b = (uint8_t)take(r, 1);
        }
    }
    f->opcode = b;
    return map;
}

static void memory16(struct reader *r, struct x86_fields *f)
{
    static const uint8_t base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
    static const uint8_t index[8] = { 6, 7, 6, 7, REG_NONE, REG_NONE, REG_NONE, REG_NONE };
    unsigned rm = f->rm & 7, n = f->mod == 0 ? 2 * (rm == 6) : f->mod;

    f->base = f->mod == 0 && rm == 6 ? REG_NONE : base[rm];
    f->index = index[rm];
    f->has_disp = n;
    if (n) f->disp = (int64_t)take_signed(r, n);
}

static void memory(struct reader *r, struct x86_fields *f)
{
    unsigned n = f->mod == 1 ? 1 : f->mod == 2 ? 4 : 0;

    f->index = REG_NONE;
    if (f->asize == 16) {
        memory16(r, f);
        return;
    }
    f->base = f->rm;
    if ((f->rm & 7) == 4) {
        uint8_t sib = (uint8_t)take(r, 1);
        f->scale = sib >> 6;
        f->index = (sib >> 3 & 7) | (f->rex & 2) << 2;
        f->base = (sib & 7) | (f->rex & 1) << 3;
        if (f->index == 4 && !(f->form->attrs & X86_ATTR_vsib)) f->index = REG_NONE;
        if ((f->base & 7) == 5 && f->mod == 0) f->base = REG_NONE, n = 4;
    } else if ((f->rm & 7) == 5 && f->mod == 0) {
        f->base = f->code == 64 ? REG_IP : REG_NONE;
        n = 4;
    }
    f->has_disp = n;
    if (n) f->disp = (int64_t)take_signed(r, n);
}

static bool gates_open(const struct x86_form *form, const uint64_t *feats)
{
    for (unsigned i = 0; i < ARRAY_LEN(form->gate) && form->gate[i]; i++) {
        unsigned g = form->gate[i] - 1u;
        if (!(feats[g / 64] >> g % 64 & 1)) return false;
    }
    return true;
}

static const struct x86_form *select_form(struct reader *r, struct x86_fields *f, unsigned map, const uint64_t *feats)
{
    const int16_t *c = &x86_cands[x86_root[f->enc][map][f->opcode]];
    uint64_t mode = 1ull << (X86_AXIS_MODE64 + (f->code == 64)), point = mode;

    while (*c >= 0 && !(x86_forms[*c].set & mode)) c++;
    if (*c < 0) return NULL;
    if (x86_forms[*c].modrm) {
        uint8_t m = (uint8_t)take(r, 1);
        f->mod = m >> 6;
        f->reg = (m >> 3 & 7) | (f->rex & 4) << 1;
        f->rm = (m & 7) | (f->rex & 1) << 3;
        point |= 1ull << (X86_AXIS_MOD + (f->mod == 3)) | 1ull << (X86_AXIS_REG + (f->reg & 7)) |
                 1ull << (X86_AXIS_RM + (f->rm & 7));
    }
    point |= 1ull << (X86_AXIS_PP + f->pp) | 1ull << (X86_AXIS_W + (f->rex >> 3 & 1)) | 1ull << (X86_AXIS_L + f->L) |
             1ull << (X86_AXIS_OS + f->osize / 32) | 1ull << (X86_AXIS_AS + f->asize / 32) |
             1ull << (X86_AXIS_REXB + (f->rex & 1));
    for (; *c >= 0; c++)
        if (!(point & ~x86_forms[*c].set) && gates_open(&x86_forms[*c], feats)) return &x86_forms[*c];
    return NULL;
}

/* --- operands ------------------------------------------------------------------------------------------------------ */

static unsigned size_bits(const struct x86_fields *f, unsigned size)
{
    switch (size) {
    case X86_SIZE_b: case X86_SIZE_bs: return 8;
    case X86_SIZE_w: return 16;
    case X86_SIZE_d: case X86_SIZE_ss: return 32;
    case X86_SIZE_q: case X86_SIZE_sd: return 64;
    case X86_SIZE_v: return f->osize;
    case X86_SIZE_z: return MIN(f->osize, 32);
    case X86_SIZE_y: return f->rex & 8 && f->code == 64 ? 64 : 32;
    case X86_SIZE_x: case X86_SIZE_ps: case X86_SIZE_pd: return 128u << f->L;
    case X86_SIZE_t: return 80;
    case X86_SIZE_dq: return 128;
    case X86_SIZE_qq: return 256;
    case X86_SIZE_p: return f->osize + 16u;
    case X86_SIZE_s: return f->code == 64 ? 80 : 48;
    case X86_SIZE_a: return f->osize * 2u;
    }
    return 0;
}

static struct x86_op gpr(const struct x86_fields *f, unsigned n, unsigned bits)
{
    if (bits == 8 && n >= 4 && n < 8 && !f->rex) return (struct x86_op){ .kind = OP_HIGH, .reg = (uint8_t)(n - 4), .bits = 8 };
    return (struct x86_op){ .kind = OP_REG, .reg = (uint8_t)n, .bits = (uint16_t)bits };
}

static struct x86_op fixed(const struct x86_fields *f, unsigned kind)
{
    switch (kind) {
    case X86_FIXED_AL: return gpr(f, 0, 8);
    case X86_FIXED_CL: return gpr(f, 1, 8);
    case X86_FIXED_DX: return gpr(f, 2, 16);
    case X86_FIXED_AX: return gpr(f, 0, 16);
    case X86_FIXED_rAX: return gpr(f, 0, f->osize);
    case X86_FIXED_eAX: return gpr(f, 0, MIN(f->osize, 32));
    case X86_FIXED_1: return (struct x86_op){ .kind = OP_IMM, .bits = 8, .imm = 1 };
    case X86_FIXED_ST: return (struct x86_op){ .kind = OP_ST, .bits = 80 };
    case X86_FIXED_STi: return (struct x86_op){ .kind = OP_ST, .bits = 80, .reg = f->rm & 7 };
    case X86_FIXED_XMM0: return (struct x86_op){ .kind = OP_VEC, .bits = 128 };
    default: return (struct x86_op){ .kind = OP_SEG, .bits = 16, .reg = (uint8_t)(kind - X86_FIXED_ES) };
    }
}

static uint64_t immediate(struct reader *r, const struct x86_fields *f, unsigned size, struct x86_op *op)
{
    op->bits = f->osize;
    switch (size) {
    case X86_SIZE_b: op->bits = 8; return take(r, 1);
    case X86_SIZE_w: op->bits = 16; return take(r, 2);
    case X86_SIZE_v: return take_signed(r, f->osize / 8);
    case X86_SIZE_bs: return take_signed(r, 1);
    default: return take_signed(r, f->osize == 16 ? 2 : 4);
    }
}

static struct x86_op operand(struct reader *r, struct x86_fields *f, unsigned kind, unsigned size)
{
    struct x86_op op = { .kind = OP_VEC, .bits = (uint16_t)size_bits(f, size) };

    if (kind >= X86_FIXED) return fixed(f, kind);
    switch (kind) {
    case 'E': case 'R': case 'M':
        if (f->mod == 3) return gpr(f, f->rm, op.bits);
        op.kind = OP_MEM;
        return op;
    case 'W': case 'U': case 'Q': case 'N':
        op.reg = f->rm;
        if (kind == 'Q' || kind == 'N') op.reg &= 7, op.kind = OP_MMX;
        if (f->mod != 3) op.kind = OP_MEM;
        return op;
    case 'G': return gpr(f, f->reg, op.bits);
    case 'Z': return gpr(f, (f->opcode & 7) | (f->rex & 1) << 3, op.bits);
    case 'B': return gpr(f, f->vvvv, op.bits);
    case 'V': op.reg = f->reg; return op;
    case 'H': op.reg = f->vvvv; return op;
    case 'L': op.reg = (uint8_t)take(r, 1) >> 4; return op;
    case 'P': op.kind = OP_MMX, op.reg = f->reg & 7; return op;
    case 'S': op.kind = OP_SEG, op.reg = f->reg & 7; return op;
    case 'C': op.kind = OP_CR, op.reg = f->reg; return op;
    case 'D': op.kind = OP_DR, op.reg = f->reg; return op;
    case 'X': op.kind = OP_SI; return op;
    case 'Y': op.kind = OP_DI; return op;
    case 'O':
        op.kind = OP_MEM;
        f->base = f->index = REG_NONE;
        f->has_disp = true;
        f->disp = (int64_t)take(r, f->asize / 8);
        return op;
    case 'A':
        op.kind = OP_FAR;
        op.imm = take(r, f->osize == 16 ? 2 : 4);
        op.sel = (uint16_t)take(r, 2);
        return op;
    default: /* I, J */
        op.kind = OP_IMM;
        op.imm = kind == 'J' && size == X86_SIZE_b ? immediate(r, f, X86_SIZE_bs, &op) : immediate(r, f, size, &op);
        return op;
    }
}

static void operands(struct reader *r, struct x86_fields *f)
{
    f->nops = f->form->nops;
    for (unsigned i = 0; i < f->nops; i++) f->op[i] = operand(r, f, f->form->op[i].kind, f->form->op[i].size);
}

/* The segment of a memory operand: FS and GS always count, the others not in 64-bit code. */
static unsigned memory_segment(const struct x86_fields *f)
{
    switch (f->seg) {
    case 0x64: return SEG_FS;
    case 0x65: return SEG_GS;
    }
    if (f->code != 64) {
        switch (f->seg) {
        case 0x26: return SEG_ES;
        case 0x2e: return SEG_CS;
        case 0x36: return SEG_SS;
        case 0x3e: return SEG_DS;
        }
    }
    return f->mod != 3 && (f->base == 4 || f->base == 5) ? SEG_SS : SEG_DS;
}

static bool uses_vvvv(const struct x86_form *form)
{
    for (unsigned i = 0; i < form->nops; i++)
        if (form->op[i].kind == 'H' || form->op[i].kind == 'B') return true;
    return false;
}

/* What the form does not say. */
static bool allowed(const struct x86_fields *f)
{
    if (f->prefix & PFX_LOCK && (!(f->form->attrs & X86_ATTR_lock) || f->mod == 3)) return false;
    if (f->vvvv && !uses_vvvv(f->form)) return false;
    if (f->form->attrs & X86_ATTR_vsib && ((f->rm & 7) != 4 || f->asize == 16)) return false;
    for (unsigned i = 0; i < f->nops; i++) {
        if (f->op[i].kind == OP_SEG && f->op[i].reg >= SEGS) return false;
        if (f->op[i].kind == OP_CR && !(0x11d >> f->op[i].reg & 1)) return false;
        if (f->op[i].kind == OP_DR && f->op[i].reg > 7) return false;
    }
    return true;
}

int x86_decode(const uint8_t *p, size_t avail, unsigned code, const uint64_t *feats, struct x86_fields *f)
{
    struct reader r = { p, avail, 0, 0 };

    *f = (struct x86_fields){ .code = (uint8_t)code, .mod = 3, .base = REG_NONE, .index = REG_NONE };
    uint8_t b = prefixes(&r, f);
    bool has_vex = is_vex(&r, f, b);
    unsigned map = has_vex ? vex(&r, f, b) : escape(&r, f, b);
    f->len = (uint8_t)r.pos;
    if (r.fail) return r.fail;
    f->osize = f->rex & 8 && code == 64 ? 64 : (code == 16) != !!(f->prefix & PFX_66) ? 16 : 32;
    f->asize = code == 64 ? (f->prefix & PFX_67 ? 32 : 64) : (code == 16) != !!(f->prefix & PFX_67) ? 16 : 32;
    f->form = select_form(&r, f, map, feats);
    f->len = (uint8_t)r.pos;
    if (r.fail || !f->form) return r.fail ? r.fail : -1;

    if (code == 64 && f->form->attrs & X86_ATTR_f64) f->osize = 64;
    if (code == 64 && f->form->attrs & X86_ATTR_d64 && f->osize == 32) f->osize = 64;
    if (f->mod != 3) memory(&r, f);
    operands(&r, f);
    f->mem_seg = (uint8_t)memory_segment(f);
    f->len = (uint8_t)r.pos;
    if (r.fail) return r.fail;
    return allowed(f) ? f->form->row : -1;
}
