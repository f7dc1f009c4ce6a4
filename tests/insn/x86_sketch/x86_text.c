/* x86_text.c: Intel syntax in the spelling of GNU objdump -M intel. Prefixes without a meaning are not printed. */
#include "x86.h"

static const char *const cc[16] = { "o", "no", "b", "ae", "e", "ne", "be", "a",
                                    "s", "ns", "p", "np", "l", "ge", "le", "g" };
static const char *const legacy[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };

static unsigned size_bits(const struct x86_insn *d, unsigned size)
{
    switch (size) {
    case X86_SIZE_b: return 8;
    case X86_SIZE_w: return 16;
    case X86_SIZE_d: case X86_SIZE_ss: return 32;
    case X86_SIZE_q: case X86_SIZE_sd: return 64;
    case X86_SIZE_v: return d->osize;
    case X86_SIZE_z: return MIN(d->osize, 32);
    case X86_SIZE_y: return d->rex & 8 ? 64 : 32;
    case X86_SIZE_x: case X86_SIZE_ps: case X86_SIZE_pd: return d->L ? 256 : 128;
    case X86_SIZE_t: return 80;
    case X86_SIZE_dq: return 128;
    case X86_SIZE_qq: return 256;
    }
    return 0;
}

static void gpr(struct isa_text *o, const struct x86_insn *d, unsigned bits, unsigned n)
{
    if (bits == 8 && n < 8 && n >= 4 && !d->rex)
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
    case 64: return "QWORD PTR ";
    case 80: return "TBYTE PTR ";
    case 128: return "XMMWORD PTR ";
    case 256: return "YMMWORD PTR ";
    }
    return "";
}

static const char *segment(const struct x86_insn *d, const char *none)
{
    if (d->seg == 0x64) return "fs:";
    if (d->seg == 0x65) return "gs:";
    if (d->mode64) return none;
    return d->seg == 0x26 ? "es:" : d->seg == 0x2e ? "cs:" : d->seg == 0x36 ? "ss:" : d->seg == 0x3e ? "ds:" : none;
}

static uint64_t masked(uint64_t v, unsigned bits)
{
    return v & bits_mask(bits);
}

static void memory(struct isa_text *o, const struct x86_insn *d, unsigned size)
{
    bool direct = d->base == 0xff && d->index == 0xff;

    isa_printf(o, "%s%s", pointer(size_bits(d, size)), segment(d, direct ? "ds:" : ""));
    if (direct) {
        isa_printf(o, "0x%llx", (unsigned long long)masked((uint64_t)(int64_t)d->disp, d->asize));
        return;
    }
    isa_puts(o, "[");
    if (d->base == 0xfe)
        isa_puts(o, d->asize == 64 ? "rip" : "eip");
    else if (d->base != 0xff)
        gpr(o, d, d->asize, d->base);
    if (d->index != 0xff) {
        if (d->base != 0xff) isa_puts(o, "+");
        gpr(o, d, d->asize, d->index);
        if (d->asize != 16) isa_printf(o, "*%u", 1u << d->scale);
    }
    if (d->has_disp) {
        int64_t v = d->disp;
        bool minus = v < 0 && d->base != 0xfe;
        isa_printf(o, "%c0x%llx", minus ? '-' : '+', (unsigned long long)(minus ? -v : v));
    }
    isa_puts(o, "]");
}

static void vector(struct isa_text *o, const struct x86_insn *d, unsigned size, unsigned n)
{
    isa_printf(o, "%cmm%u", size_bits(d, size) == 256 ? 'y' : 'x', n);
}

static void fixed(struct isa_text *o, const struct x86_insn *d, unsigned kind)
{
    static const char *const names[] = { "al", "cl", "dx", "", "", "ax", "1", "es", "cs", "ss", "ds", "fs", "gs", "st" };

    if (kind == X86_FIXED_rAX || kind == X86_FIXED_eAX)
        gpr(o, d, kind == X86_FIXED_rAX ? d->osize : MIN(d->osize, 32), 0);
    else if (kind == X86_FIXED_STi)
        isa_printf(o, "st(%u)", d->rm & 7);
    else
        isa_puts(o, names[kind - X86_FIXED_AL]);
}

/* A sign-extended immediate is printed as wide as the operation. */
static unsigned imm_bits(const struct x86_insn *d, unsigned size)
{
    if (size == X86_SIZE_b) return 8;
    if (size == X86_SIZE_w) return 16;
    return d->osize;
}

static void operand(struct isa_text *o, const struct x86_insn *d, unsigned i, unsigned *nimm, uint64_t pc)
{
    unsigned kind = d->form->op[i].kind, size = d->form->op[i].size;

    switch (kind) {
    case 'E': case 'R': case 'M':
        if (d->mod != 3) memory(o, d, size); else gpr(o, d, size_bits(d, size), d->rm);
        return;
    case 'W': case 'U':
        if (d->mod != 3) memory(o, d, size); else vector(o, d, size, d->rm);
        return;
    case 'G': gpr(o, d, size_bits(d, size), d->reg); return;
    case 'Z': gpr(o, d, size_bits(d, size), (d->opcode & 7) | (d->rex & 1) << 3); return;
    case 'B': gpr(o, d, size_bits(d, size), d->vvvv); return;
    case 'V': vector(o, d, size, d->reg); return;
    case 'H': vector(o, d, size, d->vvvv); return;
    case 'L': vector(o, d, size, (unsigned)d->imm[(*nimm)++]); return;
    case 'I':
        isa_printf(o, "0x%llx", (unsigned long long)masked(d->imm[(*nimm)++], imm_bits(d, size)));
        return;
    case 'J':
        isa_printf(o, "%llx", (unsigned long long)masked(pc + d->len + d->imm[(*nimm)++], d->mode64 ? 64 : d->osize));
        return;
    case 'O':
        isa_printf(o, "%s0x%llx", segment(d, "ds:"), (unsigned long long)d->imm[(*nimm)++]);
        return;
    case 'X': case 'Y':
        isa_printf(o, "%s%s[", pointer(size_bits(d, size)), kind == 'Y' ? "es:" : segment(d, "ds:"));
        gpr(o, d, d->asize, kind == 'Y' ? 7 : 6);
        isa_puts(o, "]");
        return;
    default: fixed(o, d, kind);
    }
}

static void mnemonic(struct isa_text *o, const struct x86_insn *d)
{
    unsigned attrs = d->form->attrs;

    if (d->prefixes & X86_LOCK) isa_puts(o, "lock ");
    if (attrs & X86_ATTR_rep && d->rep) isa_puts(o, d->rep == 0xf3 ? "rep " : "repnz ");
    if (attrs & X86_ATTR_repz && d->rep) isa_puts(o, d->rep == 0xf3 ? "repz " : "repnz ");
    if (attrs & X86_ATTR_bnd && d->rep == 0xf2) isa_puts(o, "bnd ");
    if (attrs & X86_ATTR_notrack && d->seg == 0x3e) isa_puts(o, "notrack ");
    for (const char *s = x86_rows[d->form->row].syntax; *s;) {
        if (!memcmp(s, "{cc}", MIN(strlen(s), 4))) {
            isa_puts(o, cc[d->opcode & 15]);
            s += 4;
        } else if (!memcmp(s, "{v}", MIN(strlen(s), 3))) {
            if (d->vex) isa_puts(o, "v");
            s += 3;
        } else {
            isa_printf(o, "%c", *s++);
        }
    }
    if (d->form->nops)
        do isa_puts(o, " ");
        while (o->len < 7);
}

void x86_print(struct isa_text *o, const struct x86_insn *d, uint64_t pc)
{
    unsigned nimm = 0;

    mnemonic(o, d);
    for (unsigned i = 0; i < d->form->nops; i++) {
        if (i) isa_puts(o, ",");
        operand(o, d, i, &nimm, pc);
    }
}
