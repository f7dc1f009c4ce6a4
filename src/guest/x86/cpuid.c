/*
 * cpuid.c: features and what CPUID says of them. Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
 * Known gaps: no topology leaves; caches as AMD tells them only.
 */
#include "feat.h"

const struct x86_feature x86_features[X86_FEATS] = {
#define FEAT(name, leaf, reg, bit, cpuinfo, impl) { #name, cpuinfo, leaf, REG_##reg, bit, impl },
#include "feat.def"
#undef FEAT
};

static void text(uint32_t *out, const char *s, unsigned words)
{
    memset(out, 0, words * 4);
    memcpy(out, s, MIN(strlen(s), words * 4));
}

static void feature_bits(const struct x86_cpu *x, uint32_t leaf, uint32_t out[4])
{
    for (unsigned i = 0; i < X86_FEATS; i++)
        if (x86_features[i].leaf == leaf && x86_has(x, (enum x86_feat)i)) out[x86_features[i].reg] |= 1u << x86_features[i].bit;
}

static void vendor(const struct x86_cpu *x, uint32_t out[4])
{
    text(out + 1, x->vendor, 1), text(out + 3, x->vendor + 4, 1), text(out + 2, x->vendor + 8, 1);
}

/* AMD repeats these bits of leaf 1's EDX in the extended leaf. */
static void repeat_leaf1(const struct x86_cpu *x, uint32_t out[4])
{
    uint32_t one[4] = { 0 };
    feature_bits(x, 1, one);
    out[REG_EDX] |= one[REG_EDX] & 0x0183f3ff;
}

void x86_cpuid(const struct x86_cpu *x, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    enum { LAST = 0x15, LAST_EXT = 0x80000008 };
    static const char brand[] = "Lyrebird x86 CPU";

    memset(out, 0, 16);
    if ((leaf & 0xffff0000) == 0x40000000) {
        if (leaf == 0x40000000) out[0] = leaf, text(out + 1, "LyreLyreLyre", 3);
        return;
    }
    if (leaf > LAST && (leaf < 0x80000000 || leaf > LAST_EXT)) leaf = LAST; /* as processors do: the last basic leaf */
    if (leaf == 7 ? subleaf == 0 : leaf == 0xd ? subleaf == 1 : true) feature_bits(x, leaf, out);
    switch (leaf) {
    case 0:
        out[0] = LAST;
        vendor(x, out);
        break;
    case 1:
        out[0] = x->signature;
        out[1] = 8 << 8 | 1 << 16 | (uint32_t)x->apic_id << 24; /* CLFLUSH: 64 bytes; one logical processor */
        break;
    case 0xd: if (x86_has(x, F_XSAVE)) x86_xsave_cpuid(x, subleaf, out); break;
    case 0x15: out[0] = 1, out[1] = 1, out[2] = 1000000000; break; /* TSC: 1 GHz */
    case 0x80000000:
        out[0] = LAST_EXT;
        vendor(x, out);
        break;
    case 0x80000001:
        out[0] = x->signature;
        if (*x->vendor == 'A') repeat_leaf1(x, out);
        break;
    case 0x80000002: text(out, brand, 4); break;
    /* caches: size, ways, lines per tag, bytes of a line: 32 KiB and 32 KiB; 512 KiB; 8 MiB */
    case 0x80000005: out[2] = out[3] = 32 << 24 | 8 << 16 | 1 << 8 | 64; break;
    case 0x80000006: out[2] = 512 << 16 | 6 << 12 | 1 << 8 | 64; out[3] = 16 << 18 | 8 << 12 | 1 << 8 | 64; break;
    case 0x80000008: out[0] = x->is64 ? 40 | 48 << 8 : 32 | 32 << 8; break;
    }
}
