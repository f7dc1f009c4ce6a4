/*
 * a64_crypto.isa.c: AES, SHA-1, SHA-2, SHA-3, SHA-512, SM3, SM4. Arm ARM C4.1.95 "Cryptographic ..."; algorithms: FIPS 180-4, FIPS
 * 197, GB/T 32905 (SM3), GB/T 32907 (SM4). The SHA and SM rounds are helpers on whole registers.
 */
#include "a64_simd.h"

INSN(aese, "0100 1110 0010 1000 0100 10 rn:5 rd:5 @AES", "aese v{rd:d}.16b, v{rn:d}.16b") { wv(t, (unsigned)f->rd, ir_v2(t, IR_VAESE, L_I8, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn))); }
INSN(aesd, "0100 1110 0010 1000 0101 10 rn:5 rd:5 @AES", "aesd v{rd:d}.16b, v{rn:d}.16b") { wv(t, (unsigned)f->rd, ir_v2(t, IR_VAESD, L_I8, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn))); }
INSN(aesmc, "0100 1110 0010 1000 0110 10 rn:5 rd:5 @AES", "aesmc v{rd:d}.16b, v{rn:d}.16b") { wv(t, (unsigned)f->rd, ir_v1(t, IR_VAESMC, L_I8, vr(t, (unsigned)f->rn))); }
INSN(aesimc, "0100 1110 0010 1000 0111 10 rn:5 rd:5 @AES", "aesimc v{rd:d}.16b, v{rn:d}.16b") { wv(t, (unsigned)f->rd, ir_v1(t, IR_VAESIMC, L_I8, vr(t, (unsigned)f->rn))); }

/* Three operands: d, n, m. */
static void hash3(struct xlat *t, F *f, uint32_t kind)
{
    wv(t, (unsigned)f->rd, IR_CALL(t, sha_round, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), ir_k32(t, kind)));
}
/* Two operands: d, n. */
static void hash2(struct xlat *t, F *f, uint32_t kind)
{
    V zero = vzero(t);
    wv(t, (unsigned)f->rd, IR_CALL(t, sha_round, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), zero, ir_k32(t, kind)));
}
INSN(sha1c, "0101 1110 000 rm:5 0 000 00 rn:5 rd:5 @SHA1", "sha1c q{rd:d}, s{rn:d}, v{rm:d}.4s") { hash3(t, f, SHA1C); }
INSN(sha1p, "0101 1110 000 rm:5 0 001 00 rn:5 rd:5 @SHA1", "sha1p q{rd:d}, s{rn:d}, v{rm:d}.4s") { hash3(t, f, SHA1P); }
INSN(sha1m, "0101 1110 000 rm:5 0 010 00 rn:5 rd:5 @SHA1", "sha1m q{rd:d}, s{rn:d}, v{rm:d}.4s") { hash3(t, f, SHA1M); }
INSN(sha1su0, "0101 1110 000 rm:5 0 011 00 rn:5 rd:5 @SHA1", "sha1su0 v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.4s") { hash3(t, f, SHA1SU0); }
INSN(sha256h, "0101 1110 000 rm:5 0 100 00 rn:5 rd:5 @SHA256", "sha256h q{rd:d}, q{rn:d}, v{rm:d}.4s") { hash3(t, f, SHA256H); }
INSN(sha256h2, "0101 1110 000 rm:5 0 101 00 rn:5 rd:5 @SHA256", "sha256h2 q{rd:d}, q{rn:d}, v{rm:d}.4s") { hash3(t, f, SHA256H2); }
INSN(sha256su1, "0101 1110 000 rm:5 0 110 00 rn:5 rd:5 @SHA256", "sha256su1 v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.4s") { hash3(t, f, SHA256SU1); }
INSN(sha1h, "0101 1110 0010 1000 0000 10 rn:5 rd:5 @SHA1", "sha1h s{rd:d}, s{rn:d}") { hash2(t, f, SHA1H); }
INSN(sha1su1, "0101 1110 0010 1000 0001 10 rn:5 rd:5 @SHA1", "sha1su1 v{rd:d}.4s, v{rn:d}.4s") { hash2(t, f, SHA1SU1); }
INSN(sha256su0, "0101 1110 0010 1000 0010 10 rn:5 rd:5 @SHA256", "sha256su0 v{rd:d}.4s, v{rn:d}.4s") { hash2(t, f, SHA256SU0); }
INSN(sha512h, "1100 1110 011 rm:5 1 0 00 00 rn:5 rd:5 @SHA512", "sha512h q{rd:d}, q{rn:d}, v{rm:d}.2d") { hash3(t, f, SHA512H); }
INSN(sha512h2, "1100 1110 011 rm:5 1 0 00 01 rn:5 rd:5 @SHA512", "sha512h2 q{rd:d}, q{rn:d}, v{rm:d}.2d") { hash3(t, f, SHA512H2); }
INSN(sha512su1, "1100 1110 011 rm:5 1 0 00 10 rn:5 rd:5 @SHA512", "sha512su1 v{rd:d}.2d, v{rn:d}.2d, v{rm:d}.2d") { hash3(t, f, SHA512SU1); }
INSN(sha512su0, "1100 1110 1100 0000 1000 00 rn:5 rd:5 @SHA512", "sha512su0 v{rd:d}.2d, v{rn:d}.2d") { hash2(t, f, SHA512SU0); }

static V rotl64(struct xlat *t, V a, unsigned n)
{
    if (!n) return a;
    return ir_v2(t, IR_VOR, L_I64, ir_v1x(t, IR_VSHLI, L_I64, a, n), ir_v1x(t, IR_VSHRI, L_I64, a, 64 - n));
}
INSN(rax1, "1100 1110 011 rm:5 1 0 00 11 rn:5 rd:5 @SHA3", "rax1 v{rd:d}.2d, v{rn:d}.2d, v{rm:d}.2d")
{
    wv(t, (unsigned)f->rd, ir_v2(t, IR_VXOR, L_I64, vr(t, (unsigned)f->rn), rotl64(t, vr(t, (unsigned)f->rm), 1)));
}
INSN(xar, "1100 1110 100 rm:5 imm6:6 rn:5 rd:5 @SHA3", "xar v{rd:d}.2d, v{rn:d}.2d, v{rm:d}.2d, #{imm6}")
{
    V x = ir_v2(t, IR_VXOR, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm));
    wv(t, (unsigned)f->rd, rotl64(t, x, (64 - (unsigned)f->imm6) & 63));
}
INSN(eor3, "1100 1110 000 rm:5 0 ra:5 rn:5 rd:5 @SHA3", "eor3 v{rd:d}.16b, v{rn:d}.16b, v{rm:d}.16b, v{ra:d}.16b")
{
    V x = ir_v2(t, IR_VXOR, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm));
    wv(t, (unsigned)f->rd, ir_v2(t, IR_VXOR, L_I64, x, vr(t, (unsigned)f->ra)));
}
INSN(bcax, "1100 1110 001 rm:5 0 ra:5 rn:5 rd:5 @SHA3", "bcax v{rd:d}.16b, v{rn:d}.16b, v{rm:d}.16b, v{ra:d}.16b")
{
    V x = ir_v2(t, IR_VANDN, L_I64, vr(t, (unsigned)f->rm), vr(t, (unsigned)f->ra));
    wv(t, (unsigned)f->rd, ir_v2(t, IR_VXOR, L_I64, vr(t, (unsigned)f->rn), x));
}
/* SM3: four operands or an element of Vm. */
INSN(sm3ss1, "1100 1110 010 rm:5 0 ra:5 rn:5 rd:5 @SM3", "sm3ss1 v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.4s, v{ra:d}.4s")
{
    wv(t, (unsigned)f->rd, IR_CALL(t, sm3_ss1, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), vr(t, (unsigned)f->ra)));
}
static void sm3_tt(struct xlat *t, F *f, uint32_t kind)
{
    uint32_t desc = kind | (uint32_t)f->i << 2;
    wv(t, (unsigned)f->rd, IR_CALL(t, sm3_tt, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), ir_k32(t, desc)));
}
INSN(sm3tt1a, "1100 1110 010 rm:5 10 i:2 00 rn:5 rd:5 @SM3", "sm3tt1a v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.s[{i}]") { sm3_tt(t, f, 0); }
INSN(sm3tt1b, "1100 1110 010 rm:5 10 i:2 01 rn:5 rd:5 @SM3", "sm3tt1b v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.s[{i}]") { sm3_tt(t, f, 1); }
INSN(sm3tt2a, "1100 1110 010 rm:5 10 i:2 10 rn:5 rd:5 @SM3", "sm3tt2a v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.s[{i}]") { sm3_tt(t, f, 2); }
INSN(sm3tt2b, "1100 1110 010 rm:5 10 i:2 11 rn:5 rd:5 @SM3", "sm3tt2b v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.s[{i}]") { sm3_tt(t, f, 3); }
INSN(sm3partw1, "1100 1110 011 rm:5 1 1 00 00 rn:5 rd:5 @SM3", "sm3partw1 v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.4s") { hash3(t, f, SM3PARTW1); }
INSN(sm3partw2, "1100 1110 011 rm:5 1 1 00 01 rn:5 rd:5 @SM3", "sm3partw2 v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.4s") { hash3(t, f, SM3PARTW2); }
INSN(sm4ekey, "1100 1110 011 rm:5 1 1 00 10 rn:5 rd:5 @SM4", "sm4ekey v{rd:d}.4s, v{rn:d}.4s, v{rm:d}.4s") { hash3(t, f, SM4EKEY); }
INSN(sm4e, "1100 1110 1100 0000 1000 01 rn:5 rd:5 @SM4", "sm4e v{rd:d}.4s, v{rn:d}.4s") { hash2(t, f, SM4E); }
