/* x86_decode.c: bytes to a form and its operands. Intel SDM volume 2, chapter 2. 16-bit code is not here. */
#include "x86.h"

struct reader {
    const uint8_t *p;
    size_t avail, pos;
    int fail; /* what x86_decode returns then */
};

static uint64_t take(struct reader *r, unsigned n)
{
    uint64_t v = 0;

    if (r->fail) return 0;
    if (r->pos + n > 15 || r->pos + n > r->avail) {
        r->fail = r->pos + n > 15 ? -1 : -2;
        return 0;
    }
    for (unsigned i = 0; i < n; i++) v |= (uint64_t)r->p[r->pos++] << 8 * i;
    return v;
}

static uint64_t take_signed(struct reader *r, unsigned n)
{
    return (uint64_t)bits_sext(take(r, n), n * 8);
}

/* Leaves the first byte that is no prefix. A REX counts only right before the opcode. */
static uint8_t prefixes(struct reader *r, struct x86_insn *d)
{
    for (;;) {
        uint8_t b = (uint8_t)take(r, 1);
        bool rex = d->mode64 && b >> 4 == 4;

        if (rex) {
            d->rex = b;
            b = (uint8_t)take(r, 1);
            if (b >> 4 == 4) {
                r->pos--;
                continue;
            }
        }
        switch (b) {
        case 0xf0: d->prefixes |= X86_LOCK; break;
        case 0xf2:
        case 0xf3: d->rep = b; break;
        case 0x66: d->prefixes |= X86_66; break;
        case 0x67: d->prefixes |= X86_67; break;
        case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: d->seg = b; break;
        default: return b;
        }
        d->rex = 0;
        if (r->fail) return 0;
    }
}

/* C4 and C5 in 32-bit mode are LES and LDS if a memory operand follows. */
static bool is_vex(struct reader *r, const struct x86_insn *d, uint8_t b)
{
    if (r->fail || (b != 0xc4 && b != 0xc5)) return false;
    if (d->mode64) return true;
    uint8_t next = (uint8_t)take(r, 1);
    r->pos -= !r->fail;
    return next >= 0xc0;
}

static unsigned vex(struct reader *r, struct x86_insn *d, uint8_t first)
{
    uint8_t a = (uint8_t)take(r, 1), b = first == 0xc4 ? (uint8_t)take(r, 1) : a & 0x7f;
    unsigned map = first == 0xc4 ? a & 31 : 1;

    if (d->prefixes & (X86_LOCK | X86_66) || d->rep || d->rex || map < 1 || map > 3) r->fail = r->fail ? r->fail : -1;
    d->vex = true;
    d->rex = (uint8_t)((~a >> 5 & (first == 0xc4 ? 7 : 4)) | (b >> 7) << 3 | 0x40);
    if (!d->mode64) d->rex = 0x40;
    d->L = b >> 2 & 1;
    d->pp = b & 3;
    d->vvvv = ~b >> 3 & 15;
    d->opcode = (uint8_t)take(r, 1);
    return map & 3;
}

static unsigned escape(struct reader *r, struct x86_insn *d, uint8_t b)
{
    unsigned map = 0;

    d->pp = d->rep == 0xf2 ? 3 : d->rep ? 2 : (d->prefixes & X86_66) != 0;
    if (b == 0x0f) {
        map = 1;
        b = (uint8_t)take(r, 1);
        if (b == 0x38 || b == 0x3a) {
            map = b == 0x38 ? 2 : 3;
            b = (uint8_t)take(r, 1);
        }
    }
    d->opcode = b;
    return map;
}

static void memory16(struct reader *r, struct x86_insn *d)
{
    static const uint8_t base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 }, index[8] = { 6, 7, 6, 7, 0xff, 0xff, 0xff, 0xff };
    unsigned rm = d->rm & 7, n = d->mod == 0 ? 2 * (rm == 6) : d->mod;

    d->base = d->mod == 0 && rm == 6 ? 0xff : base[rm];
    d->index = index[rm];
    d->has_disp = n;
    if (n) d->disp = (int32_t)take_signed(r, n);
}

static void memory(struct reader *r, struct x86_insn *d)
{
    unsigned n = d->mod == 1 ? 1 : d->mod == 2 ? 4 : 0;

    d->index = 0xff;
    if (d->asize == 16) {
        memory16(r, d);
        return;
    }
    d->base = d->rm;
    if ((d->rm & 7) == 4) {
        uint8_t sib = (uint8_t)take(r, 1);
        d->scale = sib >> 6;
        d->index = (sib >> 3 & 7) | (d->rex & 2) << 2;
        d->base = (sib & 7) | (d->rex & 1) << 3;
        if (d->index == 4) d->index = 0xff;
        if ((d->base & 7) == 5 && d->mod == 0) d->base = 0xff, n = 4;
    } else if ((d->rm & 7) == 5 && d->mod == 0) {
        d->base = d->mode64 ? 0xfe : 0xff;
        n = 4;
    }
    d->has_disp = n;
    if (n) d->disp = (int32_t)take_signed(r, n);
}

static const struct x86_form *select_form(struct reader *r, struct x86_insn *d, unsigned map)
{
    const int16_t *c = &x86_cands[x86_root[d->vex][map][d->opcode]];
    uint64_t mode = 1ull << (X86_AXIS_MODE64 + d->mode64), point = mode;

    while (*c >= 0 && !(x86_forms[*c].set & mode)) c++;
    if (*c < 0) return NULL;
    if (x86_forms[*c].modrm) {
        uint8_t m = (uint8_t)take(r, 1);
        d->mod = m >> 6;
        d->reg = (m >> 3 & 7) | (d->rex & 4) << 1;
        d->rm = (m & 7) | (d->rex & 1) << 3;
        point |= 1ull << (X86_AXIS_MOD + (d->mod == 3)) | 1ull << (X86_AXIS_REG + (d->reg & 7)) |
                 1ull << (X86_AXIS_RM + (d->rm & 7));
    }
    point |= 1ull << (X86_AXIS_PP + d->pp) | 1ull << (X86_AXIS_W + (d->rex >> 3 & 1)) | 1ull << (X86_AXIS_L + d->L) |
             1ull << (X86_AXIS_OS + d->osize / 32) | 1ull << (X86_AXIS_AS + d->asize / 32) |
             1ull << (X86_AXIS_REXB + (d->rex & 1));
    for (; *c >= 0; c++)
        if (!(point & ~x86_forms[*c].set)) return &x86_forms[*c];
    return NULL;
}

static void immediates(struct reader *r, struct x86_insn *d)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->form->nops; i++) {
        unsigned kind = d->form->op[i].kind, size = d->form->op[i].size;
        unsigned z = d->osize == 16 ? 2 : 4;
        if (kind == 'I')
            d->imm[n++ & 1] = size == X86_SIZE_b ? take(r, 1) : size == X86_SIZE_w ? take(r, 2) :
                              size == X86_SIZE_v ? take_signed(r, d->osize / 8) :
                              take_signed(r, size == X86_SIZE_bs ? 1 : z);
        if (kind == 'J') d->imm[n++ & 1] = take_signed(r, size == X86_SIZE_b ? 1 : z);
        if (kind == 'O') d->imm[n++ & 1] = take(r, d->asize / 8);
        if (kind == 'L') d->imm[n++ & 1] = take(r, 1) >> 4;
    }
}

static bool uses_vvvv(const struct x86_form *f)
{
    for (unsigned i = 0; i < f->nops; i++)
        if (f->op[i].kind == 'H' || f->op[i].kind == 'B') return true;
    return false;
}

int x86_decode(const uint8_t *p, size_t avail, bool mode64, struct x86_insn *d)
{
    struct reader r = { p, avail, 0, 0 };

    *d = (struct x86_insn){ .mode64 = mode64, .mod = 3 };
    uint8_t b = prefixes(&r, d);
    bool has_vex = is_vex(&r, d, b);
    unsigned map = has_vex ? vex(&r, d, b) : escape(&r, d, b);
    if (r.fail) return r.fail;
    d->osize = d->rex & 8 ? 64 : d->prefixes & X86_66 ? 16 : 32;
    d->asize = mode64 ? (d->prefixes & X86_67 ? 32 : 64) : d->prefixes & X86_67 ? 16 : 32;
    d->form = select_form(&r, d, map);
    if (r.fail || !d->form) return r.fail ? r.fail : -1;

    if (mode64 && d->form->attrs & X86_ATTR_f64) d->osize = 64;
    if (mode64 && d->form->attrs & X86_ATTR_d64 && d->osize == 32) d->osize = 64;
    if (d->mod != 3) memory(&r, d);
    immediates(&r, d);
    if (r.fail) return r.fail;
    d->len = (uint8_t)r.pos;
    if (d->prefixes & X86_LOCK && (!(d->form->attrs & X86_ATTR_lock) || d->mod == 3)) return -1;
    if (d->vvvv && !uses_vvvv(d->form)) return -1;
    return d->form->row;
}
