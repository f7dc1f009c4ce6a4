/*
 * a64_pauth.isa.c: pointer authentication (DDI 0487 D8.10). The default CPU has an algorithm of its own (FEAT_PACIMP with
 * FEAT_PAuth2), a few inline operations; with pauth-impdef=off it is QARMA5, the architected one (FEAT_PACQARMA5,
 * FEAT_PAuth), a call of several hundred nanoseconds in each function of a program with branch protection.
 * 48-bit addresses, top byte ignored in the lower half for data and instructions, as Linux has it.
 * A failed authentication leaves an address that faults when used (no FEAT_FPAC).
 * Known gaps: none.
 */
#include <sys/random.h>
#include "xl.h"

/* -- QARMA-64, five rounds: 16 cells of 4 bits, cell 0 lowest ----------------------------------------------------------------- */
static uint64_t permute(uint64_t v, const uint8_t from[16])
{
    uint64_t res = 0;
    for (unsigned i = 0; i < 16; i++) res |= (v >> 4 * from[i] & 15) << 4 * i;
    return res;
}
static uint64_t substitute(uint64_t v, const uint8_t box[16])
{
    uint64_t res = 0;
    for (unsigned i = 0; i < 16; i++) res |= (uint64_t)box[v >> 4 * i & 15] << 4 * i;
    return res;
}
static const uint8_t shuffle[16] = { 13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15 };
static const uint8_t unshuffle[16] = { 3, 6, 12, 9, 14, 11, 1, 4, 8, 13, 7, 2, 5, 0, 10, 15 };
static const uint8_t sub[16] = { 11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10 };
static const uint8_t unsub[16] = { 5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3 };

/* Every cell of the state rotated left by n. */
static uint64_t rot(uint64_t v, unsigned n)
{
    uint64_t keep = 0x1111111111111111ull * ((1u << (4 - n)) - 1);
    return (v & keep) << n | (v & ~keep) >> (4 - n);
}
/* MixColumns with circ(0, rho, rho^2, rho): rows are 16-bit groups. */
static uint64_t mix(uint64_t v)
{
    uint64_t a = rot(v, 1), b = rot(v, 2);
    uint64_t a1 = a << 16 | a >> 48, a3 = a >> 16 | a << 48, b2 = b << 32 | b >> 32;
    return a1 ^ b2 ^ a3;
}
/* One step of the tweak's schedule: a permutation, and a small LFSR on some cells. */
static const uint16_t lfsr_cells = 0xd894; /* of the result */
static uint64_t tweak(uint64_t v)
{
    static const uint8_t from[16] = { 4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9 };
    uint64_t res = permute(v, from);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t c = res >> 4 * i & 15;
        if (lfsr_cells >> i & 1) res ^= (c ^ (c >> 1 | ((c ^ c >> 1) & 1) << 3)) << 4 * i;
    }
    return res;
}
static uint64_t untweak(uint64_t v)
{
    static const uint8_t from[16] = { 12, 13, 5, 6, 0, 1, 2, 3, 7, 15, 14, 4, 8, 9, 10, 11 };
    for (unsigned i = 0; i < 16; i++) {
        uint64_t c = v >> 4 * i & 15;
        if (lfsr_cells >> i & 1) v ^= (c ^ ((c << 1 & 15) | ((c ^ c >> 3) & 1))) << 4 * i;
    }
    return permute(v, from);
}

uint64_t arm_pac_qarma5(uint64_t data, uint64_t modifier, const struct pac_key *k)
{
    static const uint64_t rc[5] = {
        0, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377,
    };
    const uint64_t alpha = 0xc0ac29b7c97c50dd, k0 = k->hi, k1 = k->lo;
    uint64_t w1 = (k0 << 63 | k0 >> 1) ^ k0 >> 63, v = data ^ k0, t = modifier;

    for (unsigned i = 0; i < 5; i++) {
        v ^= k1 ^ t ^ rc[i];
        if (i) v = mix(permute(v, shuffle));
        v = substitute(v, sub);
        t = tweak(t);
    }
    v = substitute(mix(permute(v ^ w1 ^ t, shuffle)), sub);
    v = mix(permute(v, shuffle)) ^ k1;
    v = mix(substitute(permute(v, unshuffle), unsub));
    v = permute(v, unshuffle) ^ k0 ^ t;
    for (unsigned i = 0; i < 5; i++) {
        v = substitute(v, unsub);
        if (i < 4) v = permute(mix(v), unshuffle);
        t = untweak(t);
        v ^= k1 ^ t ^ rc[4 - i] ^ alpha;
    }
    return v ^ w1;
}

/* -- codes in addresses ----------------------------------------------------------------------------------------------------- */
/* The code's bits: 54:48, and the top byte too in the upper half of the address space, where it is not ignored. */
static uint64_t field(uint64_t p)
{
    return p >> 55 & 1 ? 0xff7f000000000000 : 0x007f000000000000;
}
/* The address that was signed: those bits are copies of bit 55. */
static uint64_t strip(uint64_t p)
{
    return p >> 55 & 1 ? p | field(p) : p & ~field(p);
}
/* Signing what is no proper address flips the code's highest bit but one, so that it will not pass. */
HELPER(uint64_t, pac_add, (CPU *cpu, uint64_t p, uint64_t modifier, uint32_t key), "")
{
    uint64_t pac = arm_pac_qarma5(strip(p), modifier, &arm_cpu(cpu)->key[key]), bits = field(p);

    if (strip(p) != p) pac ^= p >> 55 & 1 ? 1ull << 62 : 1ull << 54;
    return (p & ~bits) | (pac & bits);
}
HELPER(uint64_t, pac_auth, (CPU *cpu, uint64_t p, uint64_t modifier, uint32_t key), "")
{
    uint64_t plain = strip(p);
    unsigned at = p >> 55 & 1 ? 61 : 53;

    if (!((arm_pac_qarma5(plain, modifier, &arm_cpu(cpu)->key[key]) ^ p) & field(p))) return plain;
    /* the error code, 01 or 10 for A or B keys */
    return (plain & ~(3ull << at)) | (key & 1 ? 2ull : 1ull) << at;
}
HELPER(uint64_t, pac_generic, (CPU *cpu, uint64_t p, uint64_t modifier), "")
{
    return arm_pac_qarma5(p, modifier, &arm_cpu(cpu)->key[KEY_GA]) & 0xffffffff00000000ull;
}
void arm_random_keys(struct arm_cpu *a, unsigned keys)
{
    for (unsigned i = 0; i < PAC_KEYS; i++)
        if (keys >> i & 1)
            while (getrandom(&a->key[i], sizeof a->key[i], 0) < 0 && errno == EINTR) {}
}

static V stripped(struct xlat *t, V p)
{
    V low = ir_andi(t, p, ~0x007f000000000000ull), high = ir_ori(t, p, 0xff7f000000000000ull);
    return ir_select(t, ir_cmpi(t, C_EQ, ir_ubfx(t, p, 55, 1), 0), low, high);
}

/* -- the quick algorithm (FEAT_PACIMP) and the choice of one ------------------------------------------------------------------ */
/* Both halves of the product of pointer and modifier, each blinded by half a key: high bits depend on every bit. */
static V quick(struct xlat *t, V data, V modifier, unsigned key)
{
    V a = ir_xor(t, data, ir_get(t, R_KEY + 2 * key)), b = ir_xor(t, modifier, ir_get(t, R_KEY + 2 * key + 1));
    return ir_xor(t, ir_mul(t, a, b), ir_mulhu(t, a, b));
}
/* Signing and authenticating are one operation in FEAT_PAuth2: what the code's bits differ by stays in the address. */
static V quick_flip(struct xlat *t, V p, V modifier, unsigned key)
{
    V low = ir_cmpi(t, C_EQ, ir_ubfx(t, p, 55, 1), 0);
    V bits = ir_select(t, low, ir_k(t, field(0)), ir_k(t, field(1ull << 55)));
    return ir_xor(t, p, ir_and(t, quick(t, stripped(t, p), modifier, key), bits));
}
static V sign(struct xlat *t, V p, V modifier, unsigned key)
{
    if (t->mode & (uint32_t)MODE_PAC_OFF << key) return p;
    return feat(t, ARM_PACIMP) ? quick_flip(t, p, modifier, key) : IR_CALL(t, pac_add, p, modifier, ir_k32(t, key));
}
static V auth(struct xlat *t, V p, V modifier, unsigned key)
{
    if (t->mode & (uint32_t)MODE_PAC_OFF << key) return p;
    return feat(t, ARM_PACIMP) ? quick_flip(t, p, modifier, key) : IR_CALL(t, pac_auth, p, modifier, ir_k32(t, key));
}

V arm_auth(struct xlat *t, V p, V modifier, unsigned key)
{
    return auth(t, p, modifier, key);
}

/* -- data processing ---------------------------------------------------------------------------------------------------------- */
INSN(pac, "1 10 11010110 00001 0000 key:2 rn:5 rd:5 @PAuth", "pac{key:pac} {rd:x}, {rn:xsp}")
{
    wx(t, f->rd, sign(t, x(t, f->rd), xsp(t, f->rn), (unsigned)f->key));
}
INSN(aut, "1 10 11010110 00001 0001 key:2 rn:5 rd:5 @PAuth", "aut{key:pac} {rd:x}, {rn:xsp}")
{
    wx(t, f->rd, auth(t, x(t, f->rd), xsp(t, f->rn), (unsigned)f->key));
}
INSN(pacz, "1 10 11010110 00001 0010 key:2 11111 rd:5 @PAuth", "pac{key:pacz} {rd:x}")
{
    wx(t, f->rd, sign(t, x(t, f->rd), ir_k(t, 0), (unsigned)f->key));
}
INSN(autz, "1 10 11010110 00001 0011 key:2 11111 rd:5 @PAuth", "aut{key:pacz} {rd:x}")
{
    wx(t, f->rd, auth(t, x(t, f->rd), ir_k(t, 0), (unsigned)f->key));
}
INSN(xpaci, "1 10 11010110 00001 010000 11111 rd:5 @PAuth", "xpaci {rd:x}")
{
    wx(t, f->rd, stripped(t, x(t, f->rd)));
}
INSN(xpacd, "1 10 11010110 00001 010001 11111 rd:5 @PAuth", "xpacd {rd:x}")
{
    wx(t, f->rd, stripped(t, x(t, f->rd)));
}
INSN(pacga, "1 00 11010110 rm:5 001100 rn:5 rd:5 @PACGA", "pacga {rd:x}, {rn:x}, {rm:xsp}")
{
    V p = x(t, f->rn), modifier = xsp(t, f->rm);
    wx(t, f->rd, feat(t, ARM_PACIMP) ? ir_andi(t, quick(t, p, modifier, KEY_GA), 0xffffffff00000000) :
                                       IR_CALL(t, pac_generic, p, modifier));
}

/* -- hints: on the link register with zero or SP, on x17 with x16 --------------------------------------------------------------- */
INSN(xpaclri, "1101010100 0 00 011 0010 0000 111 11111 @PAuth", "xpaclri")
{
    wx(t, 30, stripped(t, x(t, 30)));
}
INSN(pac1716, "1101010100 0 00 011 0010 0001 0 b:1 0 11111 @PAuth", "paci{b:ab}1716")
{
    wx(t, 17, sign(t, x(t, 17), x(t, 16), KEY_IA + (unsigned)f->b));
}
INSN(aut1716, "1101010100 0 00 011 0010 0001 1 b:1 0 11111 @PAuth", "auti{b:ab}1716")
{
    wx(t, 17, auth(t, x(t, 17), x(t, 16), KEY_IA + (unsigned)f->b));
}
static V zero_or_sp(struct xlat *t, F *f)
{
    return f->sp ? xsp(t, 31) : ir_k(t, 0);
}
INSN(pac_lr, "1101010100 0 00 011 0010 0011 0 b:1 sp:1 11111 @PAuth", "paci{b:ab}{sp:zsp}")
{
    wx(t, 30, sign(t, x(t, 30), zero_or_sp(t, f), KEY_IA + (unsigned)f->b));
}
INSN(aut_lr, "1101010100 0 00 011 0010 0011 1 b:1 sp:1 11111 @PAuth", "auti{b:ab}{sp:zsp}")
{
    wx(t, 30, auth(t, x(t, 30), zero_or_sp(t, f), KEY_IA + (unsigned)f->b));
}

/* -- branches ------------------------------------------------------------------------------------------------------------------- */
static V auth_target(struct xlat *t, F *f, unsigned rn, V modifier)
{
    return arm_addr(t, auth(t, x(t, rn), modifier, KEY_IA + (unsigned)f->b));
}
INSN(braz, "1101011 0000 11111 00001 b:1 rn:5 11111 @PAuth", "bra{b:ab}z {rn:x}")
{
    arm_computed_jump(t, (unsigned)f->rn, auth_target(t, f, f->rn, ir_k(t, 0)), JK_JUMP);
}
INSN(blraz, "1101011 0001 11111 00001 b:1 rn:5 11111 @PAuth", "blra{b:ab}z {rn:x}")
{
    V to = auth_target(t, f, f->rn, ir_k(t, 0));
    wx(t, 30, ir_k(t, t->next_pc));
    arm_computed_jump(t, (unsigned)f->rn, to, JK_CALL);
}
INSN(reta, "1101011 0010 11111 00001 b:1 11111 11111 @PAuth", "reta{b:ab}")
{
    xl_jump_ind(t, auth_target(t, f, 30, xsp(t, 31)), JK_RET);
}
INSN(bra, "1101011 1000 11111 00001 b:1 rn:5 rm:5 @PAuth", "bra{b:ab} {rn:x}, {rm:xsp}")
{
    arm_computed_jump(t, (unsigned)f->rn, auth_target(t, f, f->rn, xsp(t, f->rm)), JK_JUMP);
}
INSN(blra, "1101011 1001 11111 00001 b:1 rn:5 rm:5 @PAuth", "blra{b:ab} {rn:x}, {rm:xsp}")
{
    V to = auth_target(t, f, f->rn, xsp(t, f->rm));
    wx(t, 30, ir_k(t, t->next_pc));
    arm_computed_jump(t, (unsigned)f->rn, to, JK_CALL);
}

/* -- loads: the base is authenticated with a data key and zero ------------------------------------------------------------------ */
INSN(ldra, "11 111000 b:1 aoff[s9] 1 aoff[8:0] 0 1 rn:5 rt:5 @PAuth", "ldra{b:ab} {rt:x}, [{rn:xsp}{aoff:off8}]")
{
    V base = auth(t, xsp(t, f->rn), ir_k(t, 0), KEY_DA + (unsigned)f->b);
    wx(t, f->rt, load(t, T_I64, base, f->aoff * 8, MO_64));
}
INSN(ldra_pre, "11 111000 b:1 aoff[s9] 1 aoff[8:0] 1 1 rn:5 rt:5 @PAuth", "ldra{b:ab} {rt:x}, [{rn:xsp}{aoff:off8}]!")
{
    V base = auth(t, xsp(t, f->rn), ir_k(t, 0), KEY_DA + (unsigned)f->b);
    wx(t, f->rt, load(t, T_I64, base, f->aoff * 8, MO_64));
    wxsp(t, f->rn, ir_addi(t, base, (uint64_t)f->aoff * 8));
}
