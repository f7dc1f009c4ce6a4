/*
 * mmu.c: VMSAv8-64 translation: stage 1 of EL1&0, EL2, EL2&0 and EL3, stage 2, AT (DDI 0487 D8); TLB maintenance is in tlbi.c.
 * Addresses with ignored tags (TBI) come here as they are: generated code strips nothing, the TLBs then have a page at more than one
 * address. A program counter with a tag is stripped when it is fetched from.
 * Known gaps: 52-bit addresses (LVA, LPA), secure stage 2, realms, MTE.
 */
#include "sys.h"
#include "mem/mem.h"

enum regime { RG_EL10, RG_EL2, RG_EL20, RG_EL3 };
enum { WALK_RETRIES = 64 };

/* One translation. */
struct xl {
    struct arm_cpu *a;
    enum regime rg;
    bool user, pan, probe;  /* by EL0; PSTATE.PAN holds; nothing is changed */
    bool secure, s2;        /* stage 2 is on */
    unsigned access;        /* EXF_* */
    struct arm_fault f;
};

/* What a stage says of an address. */
struct stage {
    uint64_t pa;
    unsigned page_bits, prot;
    bool global, shared, guarded, device, ns;
    uint8_t attr, sh;       /* as PAR has them */
};

static bool fails(struct xl *x, unsigned fsc, bool stage2, uint64_t ipa)
{
    x->f.kind = AF_ABORT;
    x->f.fsc = (uint8_t)fsc;
    x->f.stage2 = stage2;
    x->f.ipa = ipa;
    return false;
}

/* -- the tables ------------------------------------------------------------------------------------------------------------- */
struct geometry {
    uint64_t base;          /* of the first table */
    unsigned grain, stride, level, in_bits, pa_bits;
    bool af, dbm, nohier;   /* hardware sets the access flag, and dirty state; no rights in table descriptors */
};
struct leaf {
    uint64_t desc, at;      /* the descriptor and its physical address */
    unsigned level, bits;   /* page_bits */
    bool no_user, read_only, xn, pxn, ns; /* from table descriptors */
};

static unsigned pa_size(const struct arm_cpu *a, unsigned ps)
{
    static const uint8_t bits[8] = { 32, 36, 40, 42, 44, 48, 48, 48 };
    return MIN((unsigned)bits[ps & 7], (unsigned)a->pa_bits);
}

static struct mem_attr attr_of(const struct xl *x, bool ns)
{
    return (struct mem_attr){ .requester = (uint16_t)x->a->c.v->index, .secure = x->secure && !ns, .user = x->user, .cpu = true };
}

static bool stage2(struct xl *x, uint64_t ipa, unsigned access, bool ptw, struct stage *out);

/* The descriptor at an address that stage 2 may translate: where it really is, and its value. */
static bool descriptor(struct xl *x, uint64_t addr, unsigned level, bool is_s2, bool ns, struct leaf *l, bool *failed)
{
    struct stage s = { .pa = addr };
    *failed = true;
    if (!is_s2 && x->s2 && !stage2(x, addr, EXF_READ, true, &s)) return false;
    l->at = s.pa;
    if (sys_pt_ld(&x->a->c, s.pa, 8, &l->desc, attr_of(x, ns))) {
        *failed = false;
        return true;
    }
    return fails(x, FSC_EXTERNAL_WALK + level, is_s2, addr);
}

static bool is_block_level(const struct geometry *g, unsigned level)
{
    return level == 2 || (level == 1 && g->grain == 12);
}

/* Follows the tables to the page or block of va. ipa: what a stage 2 fault reports. */
static bool follow(struct xl *x, const struct geometry *g, uint64_t va, bool is_s2, uint64_t ipa, struct leaf *l)
{
    uint64_t table = g->base;
    unsigned top = g->in_bits;
    bool failed;

    *l = (struct leaf){ .ns = false };
    if (table >> g->pa_bits) return fails(x, FSC_ADDR_SIZE, is_s2, ipa);
    for (unsigned level = g->level;; level++) {
        unsigned low = (3 - level) * g->stride + g->grain;
        uint64_t index = va >> low & bits_mask(top - low);
        if (!descriptor(x, table + 8 * index, level, is_s2, l->ns, l, &failed)) return false;
        if (!(l->desc & 1) || (level == 3 && !(l->desc & 2)) || (level < 3 && !(l->desc & 2) && !is_block_level(g, level)))
            return fails(x, FSC_TRANSLATION + level, is_s2, ipa);
        uint64_t out = l->desc & bits_mask(48) & ~bits_mask(g->grain);
        if (out >> g->pa_bits) return fails(x, FSC_ADDR_SIZE + level, is_s2, ipa);
        if (level == 3 || !(l->desc & 2)) {
            l->level = level;
            l->bits = low;
            return true;
        }
        if (!is_s2 && !g->nohier) {
            l->no_user |= l->desc >> 61 & 1;
            l->read_only |= l->desc >> 62 & 1;
            l->xn |= l->desc >> 60 & 1;
            l->pxn |= l->desc >> 59 & 1;
        }
        l->ns |= !is_s2 && l->desc >> 63;
        table = out;
        top = low;
    }
}

/* Sets bits of a descriptor as hardware does. 1: done or not needed; 0: it has changed, walk again; -1: it cannot be written. */
static int update(struct xl *x, struct leaf *l, uint64_t set, uint64_t clear)
{
    uint64_t old = l->desc, want = (old | set) & ~clear;
    if (want == old || x->probe) return 1;
    if (sys_pt_cas(&x->a->c, l->at, 8, &old, want, attr_of(x, l->ns))) {
        l->desc = want;
        return 1;
    }
    return old == l->desc ? -1 : 0;
}

static unsigned need_of(unsigned access)
{
    return access & EXF_EXEC ? GP_EXEC : access & EXF_WRITE ? GP_WRITE : GP_READ;
}

/* -- stage 2 ------------------------------------------------------------------------------------------------------------------ */
static bool geometry2(struct xl *x, struct geometry *g)
{
    const uint64_t vtcr = x->a->sr[SR_VTCR_EL2];
    unsigned tg = vtcr >> 14 & 3, sl0 = vtcr >> 6 & 3;

    g->grain = tg == 0 ? 12 : tg == 1 ? 16 : 14;
    g->stride = g->grain - 3;
    g->in_bits = 64 - MIN(MAX((unsigned)(vtcr & 63), 16u), 48u);
    g->pa_bits = pa_size(x->a, vtcr >> 16 & 7);
    g->level = g->grain == 12 ? (sl0 == 3 ? 3 : 2 - sl0) : 3 - sl0;
    g->af = arm_has(x->a, ARM_HAF) && vtcr >> 21 & 1;
    g->dbm = g->af && arm_has(x->a, ARM_HAFDBS) && vtcr >> 22 & 1;
    if (g->level > 3) return false;
    unsigned low = (3 - g->level) * g->stride + g->grain, align = g->in_bits - low + 3;
    if (g->in_bits <= low || g->in_bits - low > g->stride + 4) return false; /* up to 16 tables side by side */
    g->base = x->a->sr[SR_VTTBR_EL2] & bits_mask(48) & ~bits_mask(MAX(align, 1u));
    return true;
}

static unsigned prot2(const struct xl *x, uint64_t d)
{
    unsigned xn = d >> 53 & 3, p = (d >> 6 & 1 ? GP_READ : 0) | (d >> 7 & 1 ? GP_WRITE : 0);
    bool x_user = xn == 0 || xn == 1, x_priv = xn == 0 || xn == 3;
    if (!arm_has(x->a, ARM_XNX)) x_user = x_priv = !(xn & 2);
    return p | ((x->user ? x_user : x_priv) ? GP_EXEC : 0);
}

static bool stage2_once(struct xl *x, uint64_t ipa, unsigned access, bool ptw, struct stage *out, int *again)
{
    struct geometry g = { 0 };
    struct leaf l;

    *again = 0;
    x->f.s1ptw = ptw;
    if (!geometry2(x, &g) || ipa >> g.in_bits) return fails(x, FSC_TRANSLATION, true, ipa);
    if (!follow(x, &g, ipa, true, ipa, &l)) return false;
    if (!(l.desc >> 10 & 1) && !g.af) return fails(x, FSC_ACCESS + l.level, true, ipa);
    uint64_t d = l.desc;
    if (g.dbm && d >> 51 & 1 && access & EXF_WRITE) d |= 1 << 7;
    unsigned prot = prot2(x, d), need = need_of(access);
    bool device = (d >> 4 & 3) == 0;
    if (!(prot & need) || (ptw && device && arm_hcr(x->a) & 1 << 2 /* PTW */)) return fails(x, FSC_PERMISSION + l.level, true, ipa);
    int did = update(x, &l, 1 << 10 | (need == GP_WRITE && g.dbm && d >> 51 & 1 ? 1 << 7 : 0), 0);
    if (did < 0) return fails(x, FSC_EXTERNAL_WALK + l.level, true, ipa);
    if (!did) {
        *again = 1;
        return false;
    }
    uint64_t in = bits_mask(l.bits);
    *out = (struct stage){ .pa = (l.desc & bits_mask(48) & ~in) | (ipa & in), .page_bits = l.bits, .prot = prot, .device = device,
                           .attr = (uint8_t)(d >> 2 & 15), .sh = d >> 8 & 3, .global = true };
    x->f.s1ptw = false;
    return true;
}

static bool stage2(struct xl *x, uint64_t ipa, unsigned access, bool ptw, struct stage *out)
{
    int again = 1;
    for (unsigned i = 0; i < WALK_RETRIES && again; i++)
        if (stage2_once(x, ipa, access, ptw, out, &again)) return true;
    return again ? fails(x, FSC_EXTERNAL_WALK, true, ipa) : false;
}

/* -- stage 1 ------------------------------------------------------------------------------------------------------------------ */
static const struct {
    uint16_t sctlr, tcr, ttbr[2], mair;
    bool two;
} regs_of[] = {
    [RG_EL10] = { SR_SCTLR_EL1, SR_TCR_EL1, { SR_TTBR0_EL1, SR_TTBR1_EL1 }, SR_MAIR_EL1, true },
    [RG_EL2] = { SR_SCTLR_EL2, SR_TCR_EL2, { SR_TTBR0_EL2, 0 }, SR_MAIR_EL2, false },
    [RG_EL20] = { SR_SCTLR_EL2, SR_TCR_EL2, { SR_TTBR0_EL2, SR_TTBR1_EL2 }, SR_MAIR_EL2, true },
    [RG_EL3] = { SR_SCTLR_EL3, SR_TCR_EL3, { SR_TTBR0_EL3, 0 }, SR_MAIR_EL3, false },
};

/* Is stage 1 of the regime on? */
static bool stage1_on(const struct arm_cpu *a, enum regime rg)
{
    if (rg == RG_EL10 && arm_hcr(a) & (HCR_DC | HCR_TGE)) return false;
    return a->sr[regs_of[rg].sctlr] & SCTLR_M;
}

static bool ignores_tag(const struct arm_cpu *a, enum regime rg, uint64_t va, bool exec)
{
    const uint64_t tcr = a->sr[regs_of[rg].tcr];
    unsigned high = va >> 55 & 1;
    if (regs_of[rg].two) return tcr >> (37 + high) & 1 && !(exec && tcr >> (51 + high) & 1);
    return tcr >> 20 & 1 && !(exec && tcr >> 29 & 1);
}

/* From TCR for an address whose tag is stripped; false: the address has no translation. */
static bool geometry1(struct xl *x, uint64_t va, struct geometry *g, bool *high)
{
    static const uint8_t grain0[4] = { 12, 16, 14, 12 }, grain1[4] = { 12, 14, 12, 16 };
    const bool two = regs_of[x->rg].two;
    const uint64_t tcr = x->a->sr[regs_of[x->rg].tcr];

    *high = two && va >> 55 & 1;
    unsigned sz = *high ? tcr >> 16 & 63 : tcr & 63, max = arm_has(x->a, ARM_TTST) ? 48 : 39;
    g->grain = *high ? grain1[tcr >> 30 & 3] : grain0[tcr >> 14 & 3];
    if (g->grain == 16) max = MIN(max, 47u);
    sz = MIN(MAX(sz, 16u), max);
    g->stride = g->grain - 3;
    g->in_bits = 64 - sz;
    g->pa_bits = pa_size(x->a, two ? tcr >> 32 & 7 : tcr >> 16 & 7);
    g->af = arm_has(x->a, ARM_HAF) && tcr >> (two ? 39 : 21) & 1;
    g->dbm = g->af && arm_has(x->a, ARM_HAFDBS) && tcr >> (two ? 40 : 22) & 1;
    g->nohier = arm_has(x->a, ARM_HPDS) && tcr >> (two ? 41 + *high : 24) & 1;
    g->level = 4 - (1 + (g->in_bits - g->grain - 1) / g->stride);
    unsigned align = g->in_bits - ((3 - g->level) * g->stride + g->grain) + 3;
    g->base = x->a->sr[regs_of[x->rg].ttbr[*high]] & bits_mask(48) & ~bits_mask(MAX(align, 6u));
    uint64_t above = va >> g->in_bits;
    if (above != (*high ? bits_mask(64 - g->in_bits) : 0)) return false;
    if (two && tcr >> (*high ? 23 : 7) & 1) return false; /* EPD */
    if (two && x->user && arm_has(x->a, ARM_E0PD) && tcr >> (55 + *high) & 1) return false;
    return true;
}

/* Rights of a page (D8.4.1); AP[2:1] are bits 7 and 6. */
static unsigned prot1(const struct xl *x, const struct leaf *l, uint64_t d)
{
    const uint64_t sctlr = x->a->sr[regs_of[x->rg].sctlr];
    const bool wxn = sctlr & SCTLR_WXN, ro = d >> 7 & 1 || l->read_only;
    unsigned p;

    if (!regs_of[x->rg].two) {
        p = GP_READ | (ro ? 0 : GP_WRITE);
        if (!(d >> 54 & 1) && !l->xn && !(wxn && !ro)) p |= GP_EXEC;
        return p;
    }
    const bool u = d >> 6 & 1 && !l->no_user, ux = !(d >> 54 & 1 || l->xn), user_w = u && !ro;
    if (x->user) {
        p = (u ? GP_READ : 0) | (user_w ? GP_WRITE : 0);
        return p | (ux && !(wxn && user_w) ? GP_EXEC : 0);
    }
    p = GP_READ | (ro ? 0 : GP_WRITE);
    bool epan = arm_has(x->a, ARM_PAN3) && sctlr & SCTLR_EPAN;
    if (x->pan && (u || (epan && ux))) p = 0;
    bool px = !(d >> 53 & 1 || l->pxn) && !user_w && !(wxn && !ro);
    return p | (px ? GP_EXEC : 0);
}

static bool stage1_once(struct xl *x, uint64_t va, struct stage *out, int *again)
{
    struct geometry g = { 0 };
    struct leaf l;
    bool high;

    *again = 0;
    if (!geometry1(x, va, &g, &high)) return fails(x, FSC_TRANSLATION, false, 0);
    if (!follow(x, &g, va, false, 0, &l)) return false;
    uint64_t d = l.desc;
    const unsigned need = need_of(x->access);
    if (!(d >> 10 & 1) && !g.af) return fails(x, FSC_ACCESS + l.level, false, 0);
    const bool clean = g.dbm && d >> 51 & 1 && d >> 7 & 1; /* writable, but for the dirty state */
    if (clean && need == GP_WRITE) d &= ~(1ull << 7);
    unsigned prot = prot1(x, &l, d);
    if (!(prot & need)) return fails(x, FSC_PERMISSION + l.level, false, 0);
    int did = update(x, &l, 1 << 10, clean && need == GP_WRITE ? 1 << 7 : 0);
    if (did < 0) return fails(x, FSC_EXTERNAL_WALK + l.level, false, 0);
    if (!did) {
        *again = 1;
        return false;
    }
    const uint64_t in = bits_mask(l.bits), mair = x->a->sr[regs_of[x->rg].mair];
    uint8_t attr = (uint8_t)(mair >> (d >> 2 & 7) * 8);
    *out = (struct stage){
        .pa = (l.desc & bits_mask(48) & ~in) | (va & in), .page_bits = l.bits, .prot = prot, .device = !(attr & 0xf0), .attr = attr,
        .global = regs_of[x->rg].two && !(d >> 11 & 1), .guarded = d >> 50 & 1, .sh = !(attr & 0xf0) ? 2 : d >> 8 & 3,
        .ns = l.ns || d >> 5 & 1,
    };
    if (!regs_of[x->rg].two) out->global = true;
    out->shared = va >> 55 & 1; /* by TTBR1, whose table is part of the key */
    return true;
}

/* Stage 1 off: a flat map, of device memory for data. */
static bool flat(struct xl *x, uint64_t va, struct stage *out)
{
    bool dc = x->rg == RG_EL10 && arm_hcr(x->a) & HCR_DC;
    if (va >> x->a->pa_bits) return fails(x, FSC_ADDR_SIZE, false, 0);
    *out = (struct stage){ .pa = va, .page_bits = x->a->pa_bits, .prot = GP_READ | GP_WRITE | GP_EXEC, .global = true,
                           .device = !dc && !(x->access & EXF_EXEC), .attr = dc ? 0xff : 0, .sh = dc ? 0 : 2, .ns = !x->secure };
    return true;
}

static bool stage1(struct xl *x, uint64_t va, struct stage *out)
{
    const bool on = stage1_on(x->a, x->rg);
    if (ignores_tag(x->a, x->rg, va, x->access & EXF_EXEC)) {
        bool two = regs_of[x->rg].two;
        va = two ? (uint64_t)bits_sext(va, 56) : va & bits_mask(56);
    }
    if (!on) return flat(x, va, out);
    int again = 1;
    for (unsigned i = 0; i < WALK_RETRIES && again; i++)
        if (stage1_once(x, va, out, &again)) return true;
    return again ? fails(x, FSC_EXTERNAL_WALK, false, 0) : false;
}

/* Both stages. */
static bool both(struct xl *x, uint64_t va, struct stage *out)
{
    struct stage s2;
    if (!stage1(x, va, out)) return false;
    if (!x->s2) return true;
    if (!stage2(x, out->pa, x->access, false, &s2)) return false;
    out->pa = s2.pa;
    out->page_bits = MIN(out->page_bits, s2.page_bits);
    out->prot &= s2.prot;
    out->device |= s2.device;
    return true;
}

static enum regime regime_of(const struct arm_cpu *a, unsigned el)
{
    if (el == 3) return RG_EL3;
    if (el == 2) return arm_hcr(a) & HCR_E2H ? RG_EL20 : RG_EL2;
    return el == 0 && arm_vhe_host(a) ? RG_EL20 : RG_EL10;
}

static bool stage2_on(const struct arm_cpu *a, enum regime rg)
{
    return rg == RG_EL10 && arm_hcr(a) & (HCR_VM | HCR_DC) && arm_el2_on(a);
}

/* -- for the engine ------------------------------------------------------------------------------------------------------------- */
/* All CPUs have to know: what they are told to drop may be there under another tag. */
static void note_tagged(struct arm_cpu *a)
{
    const struct vcpu *v = a->c.v;
    if (__atomic_load_n(&a->tagged, __ATOMIC_RELAXED)) return;
    __atomic_store_n(&a->tagged, 1, __ATOMIC_SEQ_CST);
    CPU *c;
    for (unsigned i = 0; v->host && v->host->cpu && (c = v->host->cpu(v->host_ctx, i)); i++)
        __atomic_store_n(&arm_cpu_rw(c)->tagged, 1, __ATOMIC_SEQ_CST);
}

static uint64_t untagged(const struct arm_cpu *a, enum regime rg, uint64_t va, bool exec)
{
    if (!ignores_tag(a, rg, va, exec)) return va;
    return regs_of[rg].two ? (uint64_t)bits_sext(va, 56) : va & bits_mask(56);
}

bool arm_walk(CPU *cpu, uint64_t va, unsigned access, unsigned view, bool probe, struct walk *w)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    struct xl x = { .a = a, .rg = regime_of(a, a->el), .probe = probe, .access = access, .secure = arm_secure(a) };
    struct stage s;

    x.user = a->el == 0 || view == VIEW_USER;
    x.pan = a->pan && view == VIEW_MAIN && a->el;
    x.s2 = stage2_on(a, x.rg);
    access &= EXF_WRITE | EXF_EXEC;
    if (untagged(a, x.rg, va, access & EXF_EXEC) != va) {
        if (access & EXF_EXEC && !probe) { /* trap.c strips the pc and goes on */
            a->fault = (struct arm_fault){ .kind = AF_TAGGED_PC };
            cpu->v->exc = EXC_FAULT;
            cpu->v->exc_code = EXF_EXEC;
            return false;
        }
        if (!probe) note_tagged(a);
    }
    if (!both(&x, va, &s)) {
        if (probe) return false;
        a->fault = x.f;
        cpu->v->exc = EXC_FAULT;
        cpu->v->exc_code = access | EXF_ACCERR;
        return false;
    }
    w->phys = s.pa;
    w->page_bits = (uint8_t)s.page_bits;
    w->prot = (uint8_t)s.prot;
    w->global = s.global;
    w->shared = s.shared;
    w->guarded = s.guarded;
    w->device = s.device;
    w->attr = attr_of(&x, s.ns);
    if (s.guarded && access & EXF_EXEC && !probe && arm_has(a, ARM_BTI)) a->guarded = true;
    return true;
}

/*
 * Keys: ASID 15:0, VMID 31:16, then what rights and tables depend on. Other bits of control registers flush when they change, so that the
 * switches of every system call and process keep what is cached.
 */
enum { KEY_REGIME = ARM_KEY_REGIME, KEY_USER = 36, KEY_PAN = ARM_KEY_PAN_BIT, KEY_ON = 38, KEY_S2 = ARM_KEY_S2_BIT, KEY_SECURE = 40, KEY_ROOT = 48 };
_Static_assert((int)RG_EL10 == 0 && (int)RG_EL2 == 1 && (int)RG_EL20 == 2 && (int)RG_EL3 == 3, "sys.h's ARM_KEY_*");

static unsigned asid_of(const struct arm_cpu *a, enum regime rg)
{
    const uint64_t tcr = a->sr[regs_of[rg].tcr];
    if (!regs_of[rg].two) return 0;
    uint64_t asid = a->sr[regs_of[rg].ttbr[tcr >> 22 & 1]] >> 48;
    return (unsigned)(tcr >> 36 & 1 ? asid : asid & 0xff);
}
/* Where the upper half's table is, so that what it maps is shared by all ASIDs (struct walk's `shared`); 16 bits, folded. */
static uint64_t root_key(const struct arm_cpu *a, enum regime rg)
{
    uint64_t page = (a->sr[regs_of[rg].ttbr[1]] & bits_mask(48)) >> 12;
    return ((page ^ page >> 16 ^ page >> 32) & 0xffff) << KEY_ROOT;
}
static unsigned vmid_of(const struct arm_cpu *a)
{
    uint64_t id = a->sr[SR_VTTBR_EL2] >> 48;
    return (unsigned)(a->sr[SR_VTCR_EL2] >> 19 & 1 && arm_has(a, ARM_VMID16) ? id : id & 0xff);
}

uint64_t arm_space_vm(const struct arm_cpu *a)
{
    return arm_hcr(a) & (HCR_VM | HCR_DC) ? ARM_KEY_S2 | (uint64_t)vmid_of(a) << 16 : 0;
}

uint64_t arm_space_key(CPU *cpu, unsigned view)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    const enum regime rg = regime_of(a, a->el);
    const bool on = stage1_on(a, rg), user = a->el == 0 || view == VIEW_USER, s2 = stage2_on(a, rg);
    uint64_t key = (uint64_t)(rg + 1) << KEY_REGIME | (uint64_t)user << KEY_USER | (uint64_t)on << KEY_ON | (uint64_t)s2 << KEY_S2 |
                   (uint64_t)arm_secure(a) << KEY_SECURE;
    if (on) key |= asid_of(a, rg) | (uint64_t)(a->pan && !user) << KEY_PAN;
    if (on && !user && regs_of[rg].two) key |= root_key(a, rg);
    if (s2) key |= (uint64_t)vmid_of(a) << 16;
    return key;
}

void arm_flush_regime(struct arm_cpu *a, unsigned el)
{
    if (!a->c.v->soft) return;
    const uint64_t mask = 15ull << KEY_REGIME;
    if (el == 1 || el == 2) soft_flush(&a->c, mask, (RG_EL10 + 1ull) << KEY_REGIME, false);
    if (el == 2) soft_flush(&a->c, mask, (RG_EL2 + 1ull) << KEY_REGIME, false);
    if (el == 2) soft_flush(&a->c, mask, (RG_EL20 + 1ull) << KEY_REGIME, false);
    if (el == 3) soft_flush(&a->c, mask, (RG_EL3 + 1ull) << KEY_REGIME, false);
}

/* -- AT ---------------------------------------------------------------------------------------------------------------------------- */
void arm_at(struct arm_cpu *a, unsigned op, uint64_t va)
{
    const unsigned op1 = op >> 11 & 7, crm = op >> 3 & 15, op2 = op & 7;
    struct xl x = { .a = a, .secure = arm_secure(a), .probe = true };
    struct stage s;
    const bool twelve = op1 == 4 && op2 >= 4;
    unsigned el = op1 == 6 ? 3 : op1 == 4 && !twelve ? 2 : 1;

    if (el == 3)
        x.rg = RG_EL3;
    else if (el == 2)
        x.rg = arm_hcr(a) & HCR_E2H ? RG_EL20 : RG_EL2;
    else
        x.rg = a->el && arm_vhe_host(a) && a->el == 2 ? RG_EL20 : RG_EL10;
    if (a->el == 3 && el < 3) x.secure = !(a->sr[SR_SCR_EL3] & SCR_NS);
    x.user = el == 1 && (twelve ? op2 >= 6 : crm == 8 && op2 >= 2);
    x.access = op2 & 1 ? EXF_WRITE : EXF_READ;
    x.pan = crm == 9 && a->pan;
    x.s2 = stage2_on(a, x.rg);
    if (!(twelve ? both(&x, va, &s) : stage1(&x, va, &s))) {
        a->sr[SR_PAR_EL1] = 1 | (uint64_t)x.f.fsc << 1 | (uint64_t)x.f.s1ptw << 8 | (uint64_t)x.f.stage2 << 9 | 1 << 11;
        return;
    }
    a->sr[SR_PAR_EL1] = (uint64_t)s.attr << 56 | (s.pa & 0xfffffffff000) | 1 << 11 | (uint64_t)(s.ns || !x.secure) << 9 | (uint64_t)s.sh << 7;
}
