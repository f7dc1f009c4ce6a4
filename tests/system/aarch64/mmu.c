/* mmu.c: stage 1 of EL1&0: granules, levels, rights, flags of hardware, ASIDs, TLB maintenance, AT. */
#include "bare.h"

static u64 pool;
static u64 *page(u64 bytes)
{
    pool = (pool + bytes - 1) & ~(bytes - 1);
    u64 *p = (u64 *)pool;
    for (u64 i = 0; i < bytes / 8; i++) p[i] = 0;
    pool += bytes;
    return p;
}

enum { AF = 1 << 10, SH = 3 << 8, AP_USER = 1 << 6, AP_RO = 1 << 7, NG = 1 << 11 };
#define UXN (1ul << 54)
#define PXN (1ul << 53)
#define CONT (1ul << 52)
#define DBM (1ul << 51)
#define NORMAL (0ul << 2 | AF | SH)
#define DEVICE (1ul << 2 | AF)

static u64 grain = 12, bits = 39, tcr_base;
static u64 *top0, *top1;

static unsigned first_level(void)
{
    unsigned s = grain - 3;
    return 4 - (1 + (bits - grain - 1) / s);
}
/* Maps va to pa with attributes at a level (3: page). */
static u64 *map(u64 *top, u64 va, u64 pa, u64 attr, unsigned at)
{
    unsigned s = grain - 3;
    u64 *t = top;
    for (unsigned l = first_level();; l++) {
        unsigned low = (3 - l) * s + grain;
        u64 n = l == first_level() ? bits - low : s;
        u64 *d = &t[va >> low & ((1ul << n) - 1)];
        if (l == at) {
            *d = pa | attr | (l == 3 ? 3 : 1);
            return d;
        }
        if (!(*d & 1)) *d = (u64)page(1ul << grain) | 3;
        t = (u64 *)(*d & 0xfffffffff000ul & ~((1ul << grain) - 1));
    }
}

static void flush(void)
{
    asm volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" : : : "memory");
}

static void on(u64 granule, u64 va_bits, u64 extra)
{
    static const u8 tg0[] = { [12] = 0, [14] = 2, [16] = 1 }, tg1[] = { [12] = 2, [14] = 1, [16] = 3 };
    grain = granule, bits = va_bits;
    pool = ((u64)free_memory + 0x3fffff) & ~0x1ffffful;
    top0 = page(1ul << grain), top1 = page(1ul << grain);
    u64 sz = 64 - bits;
    /* what runs and prints: blocks of level 2 (32 MiB with 16K, 512 MiB with 64K) */
    u64 block = 1ul << (grain + grain - 3);
    for (u64 a = 0x40000000 & ~(block - 1); a < 0x48000000; a += block) map(top0, a, a, NORMAL | UXN, 2);
    map(top0, 0x9000000 & ~0xfffful, 0x9000000 & ~0xfffful, DEVICE | UXN | PXN, 3);
    MSR(mair_el1, 0x0044ff04ff00ff | 0xfful | 0x00ul << 8 | 0x44ul << 16);
    tcr_base = sz | sz << 16 | (u64)tg0[grain] << 14 | (u64)tg1[grain] << 30 | 5ul << 32 | 1ul << 36 | 0x3500 | 0x35000000 | extra;
    MSR(tcr_el1, tcr_base);
    MSR(ttbr0_el1, top0);
    MSR(ttbr1_el1, top1);
    flush();
    MSR(sctlr_el1, (MRS(sctlr_el1) | 1));
}
static void off(void)
{
    MSR(sctlr_el1, MRS(sctlr_el1) & ~1ul);
    flush();
}

static u64 ld(u64 a)
{
    u64 v = 0xdead;
    asm volatile("ldr %0, [%1]" : "+r"(v) : "r"(a) : "memory");
    return v;
}
static void st(u64 a, u64 v)
{
    asm volatile("str %1, [%0]" : : "r"(a), "r"(v) : "memory");
}
static u64 ldt(u64 a)
{
    u64 v = 0xdead;
    asm volatile("ldtr %0, [%1]" : "+r"(v) : "r"(a) : "memory");
    return v;
}
static void call(u64 a)
{
    asm volatile("blr %0" : : "r"(a) : "x30", "memory", "x0");
}
#define VA1(x) (~((1ul << bits) - 1) | (x))

static void try(const char *name, u64 a)
{
    say(name, 1, ld(a));
    tell_far(" ld", (void *)ex.elr, a);
    st(a, 0x1234);
    tell_far(" st", (void *)ex.elr, a);
}
static void at(const char *name, u64 a)
{
    u64 p[4];
    asm volatile("at s1e1r, %0\n\tisb" : : "r"(a)); p[0] = MRS(par_el1);
    asm volatile("at s1e1w, %0\n\tisb" : : "r"(a)); p[1] = MRS(par_el1);
    asm volatile("at s1e0r, %0\n\tisb" : : "r"(a)); p[2] = MRS(par_el1);
    asm volatile("at s1e0w, %0\n\tisb" : : "r"(a)); p[3] = MRS(par_el1);
    SAY(name, p[0], p[1], p[2], p[3]);
}

static u64 *scratch;
static u64 el0_ld(u64 a) { return ld(a); }
static u64 el0_st(u64 a) { st(a, 5); return 6; }
static u64 el0_call(u64 a) { call(a); return 7; }

static void granule(u64 g, u64 b)
{
    SAY("granule", g, b);
    on(g, b, 0);
    u64 p = 1ul << g, lo = 0x10000000;
    scratch = page(65536);
    scratch[0] = 0x1111, scratch[p / 8 - 1] = 0x2222;
    map(top1, VA1(lo), (u64)scratch, NORMAL | UXN | PXN, 3);
    flush();
    try("high", VA1(lo));
    try("high_end", VA1(lo) + p - 8);
    try("beyond", VA1(lo) + p);
    try("low_none", 1ul << (b - 1));
    try("outside", 1ul << b);
    try("outside2", ~(2ul << b));
    try("noncanonical", 1ul << 60 | lo);
    at("at", VA1(lo) + 0x120);
    at("at_none", VA1(lo) + p);
    map(top1, VA1(lo + p), (u64)scratch, NORMAL | AP_RO | UXN | PXN, 3);
    try("ro", VA1(lo + p));
    map(top1, VA1(lo + 2 * p), (u64)scratch, (NORMAL & ~(u64)AF) | UXN | PXN, 3);
    try("noaf", VA1(lo + 2 * p));
    map(top1, VA1(lo + 3 * p), (u64)scratch | 1ul << 47, NORMAL | UXN | PXN, 3);
    try("extabort", VA1(lo + 3 * p));
    u64 block = 1ul << (2 * g - 3);
    u64 big = b > 36 ? block * 16 : block;
    map(top1, VA1(big), (u64)scratch & ~(block - 1), NORMAL | UXN | PXN, 2);
    flush();
    SAY("block", ld(VA1(big) + ((u64)scratch & (block - 1))));
    tell(" block", 0);
    at("at_block", VA1(big) + 0x12340);
    if (g == 12 && b > 36) {
        map(top1, VA1(5ul << 30), 0x40000000, NORMAL | UXN | PXN, 1);
        SAY("gig", ld(VA1(5ul << 30) + ((u64)scratch - 0x40000000)));
    }
    off();
}

static void rights(void)
{
    static const u64 aps[] = { 0, AP_USER, AP_RO, AP_RO | AP_USER };
    puts_("rights\n");
    on(12, 39, 0);
    scratch = page(4096);
    for (int i = 0; i < 1024; i++) ((u32 *)scratch)[i] = 0xd65f03c0; /* ret */
    /* EL0's code: the whole image again at 2 GiB, for it */
    u64 code = 0x80000000 - 0x40000000;
    for (u64 a = 0x40000000; a < 0x48000000; a += 0x200000) map(top0, a + code, a, NORMAL | AP_USER | PXN, 2);
    low_offset = code;
    for (int ap = 0; ap < 4; ap++)
        for (int xn = 0; xn < 4; xn++) {
            u64 va = 0x200000000 + (u64)(ap * 4 + xn) * 4096;
            map(top0, va, (u64)scratch, NORMAL | aps[ap] | (xn & 1 ? UXN : 0) | (xn & 2 ? PXN : 0) | NG, 3);
            flush();
            SAY("ap", ap, xn);
            ld(va), tell_far(" ld", (void *)ex.elr, va);
            st(va, 0xd65f03c0d65f03c0), tell_far(" st", (void *)ex.elr, va);
            call(va), tell_far(" x", (void *)ex.elr, va);
            ldt(va), tell_far(" ldt", (void *)ex.elr, va);
            asm volatile("msr pan, #1");
            ld(va), tell_far(" pan_ld", (void *)ex.elr, va);
            ldt(va), tell_far(" pan_ldt", (void *)ex.elr, va);
            asm volatile("msr uao, #1");
            ldt(va), tell_far(" uao_ldt", (void *)ex.elr, va);
            asm volatile("msr uao, #0\n\tmsr pan, #0");
            at(" at", va);
            AT_EL0((void *)((u64)el0_ld + code), va), tell_far(" el0_ld", (void *)ex.elr, va);
            AT_EL0((void *)((u64)el0_st + code), va), tell_far(" el0_st", (void *)ex.elr, va);
            st((u64)scratch, 0xd65f03c0d65f03c0);
            AT_EL0((void *)((u64)el0_call + code), va), tell_far(" el0_x", (void *)ex.elr, va);
        }
    low_offset = 0;
    off();
    puts_("tables\n");
    on(12, 39, 0);
    u64 va = 0x300000000;
    scratch = page(4096);
    map(top0, va, (u64)scratch, NORMAL, 3);
    for (int h = 0; h < 16; h++) {
        top0[va >> 30] = (top0[va >> 30] & ~(15ul << 59)) | (u64)h << 59;
        flush();
        at("hier", va);
        call(va), tell_far(" x", (void *)ex.elr, va);
    }
    off();
}

static void hardware_flags(void)
{
    puts_("hardware flags\n");
    on(12, 39, 1ul << 39 | 1ul << 40);
    scratch = page(4096);
    u64 va = 0x300000000;
    u64 *d = map(top0, va, (u64)scratch, (NORMAL & ~(u64)AF) | UXN | PXN, 3);
    u64 d0 = *d;
    SAY("before", *d ^ d0);
    ld(va);
    SAY("read", *d ^ d0);
    *d = d0 | DBM | AP_RO, d0 = *d;
    flush();
    ld(va);
    SAY("clean read", *d ^ d0);
    at("at", va);
    *d = d0; /* QEMU 7.2 sets the dirty state for AT */
    flush();
    st(va, 3);
    SAY("written", *d ^ d0, scratch[0]);
    tell("none", 0);
    *d = (d0 & ~DBM) | AF;
    flush();
    st(va, 4);
    tell("read-only", (void *)ex.elr);
    /* a read first, then a write in the same place: the cached translation had no write */
    *d = d0 | DBM | AP_RO | AF;
    flush();
    for (int i = 0; i < 20; i++) ld(va);
    SAY("many reads", *d ^ d0);
    st(va, 9);
    SAY("then write", *d ^ d0, scratch[0]);
    off();
}

static void asids(void)
{
    puts_("asids\n");
    on(12, 39, 0);
    u64 *a = page(4096), *b = page(4096), *c = page(4096), *t2 = page(4096), va = 0x300000000, gl = 0x300001000;
    a[0] = 0xaaaa, b[0] = 0xbbbb, c[0] = 0xcccc;
    for (int i = 0; i < 512; i++) t2[i] = top0[i];
    u64 *da = map(top0, va, (u64)a, NORMAL | NG | UXN | PXN, 3);
    map(top0, gl, (u64)c, NORMAL | UXN | PXN, 3);
    u64 *keep = top0;
    (void)keep;
    t2[va >> 30] = 0;
    u64 *db = map(t2, va, (u64)b, NORMAL | NG | UXN | PXN, 3);
    map(t2, gl, (u64)c, NORMAL | UXN | PXN, 3);
    MSR(ttbr0_el1, (u64)top0 | 1ul << 48);
    SAY("1", ld(va), ld(gl));
    MSR(ttbr0_el1, (u64)t2 | 2ul << 48);
    SAY("2", ld(va), ld(gl));
    MSR(ttbr0_el1, (u64)top0 | 1ul << 48);
    SAY("1 again", ld(va));
    /* tables change; by address and ASID */
    *da = (*da & ~0xfffffffff000ul) | (u64)c;
    *db = (*db & ~0xfffffffff000ul) | (u64)c;
    asm volatile("dsb ish\n\ttlbi vae1, %0\n\tdsb ish\n\tisb" : : "r"(1ul << 48 | va >> 12) : "memory");
    SAY("vae1", ld(va));
    *da = (*da & ~0xfffffffff000ul) | (u64)a;
    asm volatile("dsb ish\n\ttlbi aside1, %0\n\tdsb ish\n\tisb" : : "r"(1ul << 48) : "memory");
    SAY("aside1", ld(va));
    *da = (*da & ~0xfffffffff000ul) | (u64)b;
    asm volatile("dsb ish\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" : : "r"(va >> 12) : "memory");
    SAY("vaae1is", ld(va));
    *da = (*da & ~0xfffffffff000ul) | (u64)c;
    asm volatile("dsb ish\n\ttlbi vale1is, %0\n\tdsb ish\n\tisb" : : "r"(1ul << 48 | va >> 12) : "memory");
    SAY("vale1is", ld(va));
    *da = (*da & ~0xfffffffff000ul) | (u64)a;
    /* range: TG 1, scale 0, num 0: two pages */
    asm volatile("dsb ish\n\ttlbi rvae1, %0\n\tdsb ish\n\tisb" : : "r"(1ul << 48 | 1ul << 46 | va >> 12) : "memory");
    SAY("rvae1", ld(va));
    *da = (*da & ~0xfffffffff000ul) | (u64)b;
    asm volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
    SAY("vmalle1is", ld(va));
    MSR(ttbr0_el1, (u64)t2 | 2ul << 48);
    SAY("2 again", ld(va));
    /* ASID from TTBR1 */
    MSR(tcr_el1, tcr_base | 1 << 22);
    MSR(ttbr0_el1, top0);
    MSR(ttbr1_el1, (u64)top1 | 7ul << 48);
    flush();
    SAY("a1", ld(va));
    *da = (*da & ~0xfffffffff000ul) | (u64)a;
    asm volatile("dsb ish\n\ttlbi aside1, %0\n\tdsb ish\n\tisb" : : "r"(7ul << 48) : "memory");
    SAY("a1 aside1", ld(va));
    MSR(tcr_el1, tcr_base | 1 << 23);
    flush();
    ld(VA1(0x10000000)), tell_far("EPD1", (void *)ex.elr, VA1(0x10000000));
    off();
    puts_("tags\n");
    on(12, 39, 1ul << 37);
    scratch = page(4096);
    scratch[1] = 0x77;
    map(top0, va, (u64)scratch, NORMAL | UXN | PXN, 3);
    map(top1, VA1(va), (u64)scratch, NORMAL | UXN | PXN, 3);
    SAY("tbi0", ld(va + 8 + (0x5aul << 56)), ld(VA1(va) + 8));
    ld((VA1(va) & ~(0xfful << 56)) | 0x80ul << 56), tell_far("tbi1 off", (void *)ex.elr, VA1(va));
    ld((0x12ul << 56) + va + 0x5000), tell_far("far has the tag", (void *)ex.elr, va);
    asm volatile("adr x1, 1f\n\torr x1, x1, #0x3000000000000000\n\tbr x1\n1:\tadr %0, 1b\n\tsub %0, %0, x1" : "=r"(va) : : "x1");
    SAY("pc", va);
    va = 0x300000000;
    u64 *d = map(top0, va, (u64)scratch, NORMAL | UXN | PXN, 3);
    u64 *e = page(4096);
    e[1] = 0x99;
    SAY("tag a", ld(va + 8), ld(va + 8 + (1ul << 56)));
    *d = (*d & ~0xfffffffff000ul) | (u64)e;
    asm volatile("dsb ish\n\ttlbi vaae1, %0\n\tdsb ish\n\tisb" : : "r"(va >> 12) : "memory");
    SAY("tag b", ld(va + 8), ld(va + 8 + (1ul << 56)));
    off();
}

static void unaligned(void)
{
    puts_("unaligned\n");
    on(12, 39, 0);
    scratch = page(4096);
    u64 va = 0x300000000;
    map(top0, va, (u64)scratch, NORMAL | UXN | PXN, 3);
    scratch[0] = 0x1122334455667788, scratch[1] = 0x99aabbccddeeff00;
    SAY("normal", ld(va + 3));
    asm volatile("ldar x0, [%0]" : : "r"(va + 12) : "x0"); tell_far("ldar crosses", (void *)ex.elr, va);
    asm volatile("stlr x0, [%0]" : : "r"(va + 13) : "x0"); tell_far("stlr crosses", (void *)ex.elr, va);
    asm volatile("ldxp x0, x1, [%0]" : : "r"(va + 8) : "x0", "x1"); tell_far("ldxp", (void *)ex.elr, va);
    MSR(sctlr_el1, MRS(sctlr_el1) | 2);
    ld(va + 1), tell_far("A ld", (void *)ex.elr, va);
    st(va + 2, 1), tell_far("A st", (void *)ex.elr, va);
    ld(va + 8), tell_far("A aligned", (void *)ex.elr, va);
    MSR(sctlr_el1, MRS(sctlr_el1) & ~2ul);
    off();
}

void main(void)
{
    granule(12, 39), granule(12, 48), granule(12, 32), granule(12, 33);
    granule(14, 47), granule(14, 36), granule(14, 48);
    granule(16, 42), granule(16, 48), granule(16, 36);
    rights();
    hardware_flags();
    asids();
    unaligned();
    puts_("done\n");
}
