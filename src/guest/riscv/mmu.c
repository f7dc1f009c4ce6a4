/*
 * mmu.c: address translation (volume II: Sv32, Sv39, Sv48, Sv57, two-stage translation; Svnapot, Svpbmt, Svade, Svadu).
 *
 * Views. VIEW_MAIN is the current mode, for instruction fetches always. Data accesses that are not translated so go through VIEW_USER,
 * which the translation mode says (MODE_VIEW1): in M mode with MPRV it is the mode that MPP and MPV name, in S mode with SUM set it is S
 * mode with SUM. So neither SUM, which kernels flip around each copy from user space, nor MPRV changes a key: both tables stay. VIEW_A
 * and VIEW_B are hlv/hsv and hlvx.
 * Memory types of Svpbmt change nothing here. Known gaps: big-endian modes, pointer masking.
 */
#include "mem/mem.h"
#include "priv.h"

enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128, RETRIES = 64 };
#define PTE_N    (1ull << 63)
#define PTE_PBMT (3ull << 61)
#define PTE_RSVD (0x7full << 54)

/* How an access is translated. */
struct regime {
    unsigned priv;
    bool virt, sum, mxr, vmxr, hlvx;
};

static struct regime regime_of(const struct riscv_cpu *r, unsigned view)
{
    struct regime g = { .priv = r->s.priv, .virt = r->s.virt, .mxr = r->s.mstatus & ST_MXR };
    if (view >= VIEW_A) {
        g = (struct regime){ .priv = r->s.hstatus & HS_SPVP ? PRIV_S : PRIV_U, .virt = true, .sum = r->s.vsstatus & ST_SUM,
                             .mxr = g.mxr, .hlvx = view == VIEW_B };
    } else if (view == VIEW_USER && g.priv == PRIV_M) {
        g.priv = (r->s.mstatus & ST_MPP) >> ST_MPP_SHIFT;
        g.virt = r->s.mstatus & ST_MPV && g.priv != PRIV_M;
        g.sum = (g.virt ? r->s.vsstatus : r->s.mstatus) & ST_SUM;
    } else if (view == VIEW_USER) {
        g.sum = true;
    }
    g.vmxr = g.mxr || (g.virt && r->s.vsstatus & ST_MXR);
    return g;
}

/* satp, vsatp or hgatp in fields. levels = 0: no translation. */
struct root {
    uint64_t ppn;
    unsigned levels, bits, asid; /* bits of a virtual page number per level */
};
static struct root root_of(const struct riscv_cpu *r, uint64_t atp)
{
    if (r->rv32)
        return (struct root){ .ppn = atp & bits_mask(22), .levels = atp >> 31 & 1 ? 2 : 0, .bits = 10, .asid = atp >> 22 & 0x1ff };
    unsigned mode = (unsigned)(atp >> 60);
    return (struct root){ .ppn = atp & bits_mask(44), .levels = mode ? mode - 5 : 0, .bits = 9, .asid = atp >> 44 & 0xffff };
}
static struct root s_root(const struct riscv_cpu *r, const struct regime *g)
{
    if (g->priv == PRIV_M || !riscv_has_ext(r, EXT_mmu)) return (struct root){ 0 };
    return root_of(r, g->virt ? r->s.vsatp : r->s.satp);
}

/*
 * 0-15 ASID, 16-29 VMID, 30-31 privilege, 32 virtual, 33 SUM, 34 MXR, 35 MXR of VS mode, 36 hlvx, 37-39 levels, 40-42 levels of the
 * second stage, 43-46 PBMTE and ADUE of menvcfg and henvcfg, 49 valid.
 */
static uint64_t key_of(const struct riscv_cpu *r, unsigned view)
{
    struct regime g = regime_of(r, view);
    uint64_t key = KEY_VALID | (uint64_t)g.priv << 30;
    if (g.priv == PRIV_M) return key;
    struct root s = s_root(r, &g), h = g.virt ? root_of(r, r->s.hgatp) : (struct root){ 0 };
    key |= (uint64_t)g.virt << 32 | (uint64_t)g.hlvx << 36;
    if (s.levels) key |= s.asid | (uint64_t)g.sum << 33 | (uint64_t)g.mxr << 34 | (uint64_t)g.vmxr << 35 | (uint64_t)s.levels << 37;
    if (h.levels) key |= (uint64_t)(h.asid & 0x3fff) << KEY_VMID_SHIFT | (uint64_t)g.mxr << 34 | (uint64_t)h.levels << 40;
    if (s.levels || h.levels) key |= (r->s.menvcfg >> 61 & 3) << 43 | (g.virt ? (r->s.henvcfg >> 61 & 3) << 45 : 0);
    return key;
}

/*
 * VIEW_USER keeps its key while the mode does not use it, so that traps and returns switch one view only. What is most frequent is
 * spelled out.
 */
uint64_t riscv_space_key(CPU *cpu, unsigned view)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    if (view == VIEW_USER) {
        if (cpu->mode & MODE_VIEW1 || !r->s.user_key) r->s.user_key = key_of(r, VIEW_USER);
        return r->s.user_key;
    }
    if (view != VIEW_MAIN) return riscv_h(r) ? key_of(r, view) : KEY_VALID;
    if (r->s.priv == PRIV_M) return KEY_VALID | (uint64_t)PRIV_M << 30;
    if (r->s.virt || r->rv32) return key_of(r, VIEW_MAIN);
    uint64_t satp = r->s.satp, key = KEY_VALID | (uint64_t)r->s.priv << 30, mxr = r->s.mstatus & ST_MXR ? 3 : 0;
    if (!(satp >> 60)) return key;
    return key | (satp >> 44 & 0xffff) | mxr << 34 | ((satp >> 60) - 5) << 37 | (r->s.menvcfg >> 61 & 3) << 43;
}

/* What became of a stage: a fault of its own kind, or where it ends. */
enum outcome { OK, PAGE, ACCESS, GUEST };
struct stage {
    struct riscv_cpu *r;
    struct regime g;
    unsigned access;       /* EXF_* of the access itself */
    bool probe, two;       /* two: this is the second (G) stage */
    uint64_t env;          /* menvcfg's or henvcfg's ADUE and PBMTE */
    /* found */
    uint64_t pa;
    unsigned bits, prot;
    bool global;
};
static enum outcome translate(struct stage *st, uint64_t va, struct root root);

static struct mem_attr attr_of(const struct riscv_cpu *r, unsigned priv)
{
    return (struct mem_attr){ .requester = (uint16_t)r->c.v->index, .user = priv == PRIV_U, .cpu = true };
}
static enum outcome note_guest(struct riscv_cpu *r, uint64_t gpa, uint64_t tinst)
{
    r->s.flt_gpa = gpa;
    r->s.flt_tinst = tinst;
    return GUEST;
}

/* Where an entry of a first-stage table is: in guest physical memory if there is a second stage. */
static enum outcome entry_place(const struct stage *st, uint64_t *at, bool write)
{
    struct riscv_cpu *r = st->r;
    bool uniform;
    if (st->g.virt && !st->two) {
        struct root root = root_of(r, r->s.hgatp);
        struct stage in = { .r = r, .g = st->g, .access = write ? EXF_WRITE : EXF_READ, .probe = st->probe, .two = true, .env = r->s.menvcfg };
        in.g.hlvx = in.g.mxr = false;
        enum outcome o = translate(&in, *at, root);
        /* the pseudoinstruction of an implicit access says its width and direction */
        if (o == PAGE) return note_guest(r, *at, (r->rv32 ? 0x2000 : 0x3000) | (write ? 0x20 : 0));
        if (o) return o;
        *at = in.pa;
    }
    return riscv_pmp_rights(r, *at, PRIV_S, &uniform) & (write ? GP_WRITE : GP_READ) ? OK : ACCESS;
}

static bool reserved(const struct stage *st, uint64_t pte)
{
    const struct riscv_cpu *r = st->r;
    if (r->rv32) return false;
    return pte & PTE_RSVD || (pte & PTE_N && !riscv_has_ext(r, EXT_svnapot)) ||
           (pte & PTE_PBMT && (!(st->env & ENV_PBMTE) || (pte & PTE_PBMT) == PTE_PBMT));
}

/* Rights that a leaf gives; 0: the access is not among them. */
static unsigned leaf_rights(const struct stage *st, uint64_t pte)
{
    const struct regime *g = &st->g;
    bool mxr = st->two ? g->mxr : g->vmxr, user = pte & PTE_U, fetch = st->access & EXF_EXEC;
    unsigned prot = 0;
    if (st->two) {
        if (!user) return 0;
    } else if (g->priv == PRIV_U ? !user : user && (fetch || !g->sum)) {
        return 0;
    }
    if (g->hlvx ? pte & PTE_X : pte & PTE_R || (mxr && pte & PTE_X)) prot |= GP_READ;
    if (pte & PTE_W) prot |= GP_WRITE;
    /* supervisor code in user pages: never, whatever SUM */
    if (pte & PTE_X && (st->two || g->priv == PRIV_U || !user)) prot |= GP_EXEC;
    unsigned need = fetch ? GP_EXEC : st->access & EXF_WRITE ? GP_WRITE : GP_READ;
    return prot & need ? prot : 0;
}

/* Sets A and D. OK: they are as needed now; *again: the entry has changed meanwhile. */
static enum outcome mark(const struct stage *st, uint64_t at, uint64_t *pte, bool *again)
{
    uint64_t want = *pte | PTE_A | (st->access & EXF_WRITE ? PTE_D : 0), old = *pte;
    unsigned size = st->r->rv32 ? 4 : 8;
    if (want == *pte) return OK;
    if (!(st->env & ENV_ADUE)) return PAGE;
    if (st->probe) return OK;
    enum outcome o = entry_place(st, &at, true);
    if (o) return o;
    if (!sys_pt_cas(&st->r->c, at, size, &old, want, attr_of(st->r, PRIV_S))) {
        *again = old != *pte;
        return *again ? OK : ACCESS;
    }
    *pte = want;
    return OK;
}

static enum outcome leaf(struct stage *st, uint64_t va, uint64_t at, uint64_t pte, unsigned level, unsigned bits, bool *again)
{
    unsigned shift = 12 + level * bits;
    uint64_t ppn = st->r->rv32 ? pte >> 10 & bits_mask(22) : pte >> 10 & bits_mask(44);
    if ((pte & (PTE_R | PTE_W)) == PTE_W || ppn & bits_mask(shift - 12)) return PAGE;
    if (!st->r->rv32 && pte & PTE_N) {
        if (level || (ppn & 15) != 8) return PAGE;
        shift = 16;
        ppn &= ~15ull;
    }
    unsigned prot = leaf_rights(st, pte);
    if (!prot) return PAGE;
    enum outcome o = mark(st, at, &pte, again);
    if (o || *again) return o;
    /* written pages that are not dirty yet come here once more */
    if (!(pte & PTE_D) && !(st->probe && st->access & EXF_WRITE)) prot &= ~(unsigned)GP_WRITE;
    st->pa = ppn << 12 | (va & bits_mask(shift));
    st->bits = shift;
    st->prot = prot;
    return OK;
}

static enum outcome walk_once(struct stage *st, uint64_t va, struct root root, bool *again)
{
    struct riscv_cpu *r = st->r;
    unsigned size = r->rv32 ? 4 : 8, levels = root.levels;
    uint64_t table = root.ppn << 12, pte;
    st->global = false;
    for (unsigned i = levels; i-- > 0;) {
        /* the second stage's root table is four times as large */
        unsigned bits = root.bits + (st->two && i == levels - 1 ? 2 : 0), shift = 12 + i * root.bits;
        uint64_t at = table + (va >> shift & bits_mask(bits)) * size, where = at;
        enum outcome o = entry_place(st, &where, false);
        if (o) return o;
        if (!sys_pt_ld(&r->c, where, size, &pte, attr_of(r, PRIV_S))) return ACCESS;
        if (!(pte & PTE_V) || reserved(st, pte)) return PAGE;
        st->global |= pte & PTE_G;
        if (pte & (PTE_R | PTE_W | PTE_X)) return leaf(st, va, at, pte, i, root.bits, again);
        if (pte & (PTE_A | PTE_D | PTE_U | (r->rv32 ? 0 : PTE_N | PTE_PBMT))) return PAGE;
        table = (r->rv32 ? pte >> 10 & bits_mask(22) : pte >> 10 & bits_mask(44)) << 12;
    }
    return PAGE;
}

/* The upper bits of a virtual address repeat the sign, of a guest physical address they are 0. */
static bool canonical(const struct stage *st, uint64_t va, struct root root)
{
    unsigned width = 12 + root.levels * root.bits + (st->two ? 2 : 0);
    if (st->r->rv32 && !st->two) return true;
    return st->two ? !(va >> width) : (uint64_t)bits_sext(va, width) == va;
}

static enum outcome translate(struct stage *st, uint64_t va, struct root root)
{
    if (!root.levels) {
        st->pa = va;
        st->bits = 12;
        st->prot = GP_READ | GP_WRITE | GP_EXEC;
        st->global = false;
        return OK; /* what is beyond the physical address space does not answer */
    }
    if (!canonical(st, va, root)) return PAGE;
    for (unsigned n = 0; n < RETRIES; n++) {
        bool again = false;
        enum outcome o = walk_once(st, va, root, &again);
        if (o || !again) return o;
    }
    return PAGE;
}

static bool fault(struct riscv_cpu *r, enum outcome o, uint64_t va, unsigned access, const struct regime *g, bool probe)
{
    static const uint8_t cause[4][3] = {
        [PAGE] = { EX_LOAD_PAGE, EX_STORE_PAGE, EX_INSN_PAGE }, [ACCESS] = { EX_LOAD_ACCESS, EX_STORE_ACCESS, EX_INSN_ACCESS },
        [GUEST] = { EX_LOAD_GUEST, EX_STORE_GUEST, EX_INSN_GUEST },
    };
    if (probe) return false;
    r->s.flt_cause = cause[o][access & EXF_EXEC ? 2 : access & EXF_WRITE ? 1 : 0];
    r->s.flt_gva = g->virt;
    if (o != GUEST) r->s.flt_gpa = r->s.flt_tinst = 0;
    r->c.v->exc = EXC_FAULT;
    r->c.v->exc_code = access | (o == ACCESS ? EXF_BUS : EXF_ACCERR);
    r->c.v->fault_addr = va;
    return false;
}

bool riscv_walk(CPU *cpu, uint64_t va, unsigned access, unsigned view, bool probe, struct walk *w)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    struct stage st = { .r = r, .g = regime_of(r, view), .access = access, .probe = probe };
    struct root root = s_root(r, &st.g);
    bool uniform;
    st.env = st.g.virt ? r->s.henvcfg & (r->s.menvcfg | ~(ENV_ADUE | ENV_PBMTE)) : r->s.menvcfg;
    enum outcome o = translate(&st, va, root);
    if (o) return fault(r, o, va, access, &st.g, probe);
    if (st.g.virt) {
        struct stage two = { .r = r, .g = st.g, .access = access, .probe = probe, .two = true, .env = r->s.menvcfg };
        uint64_t gpa = st.pa;
        o = translate(&two, gpa, root_of(r, r->s.hgatp));
        if (o == PAGE) {
            if (!probe) note_guest(r, gpa, 0);
            o = GUEST;
        }
        if (o) return fault(r, o, va, access, &st.g, probe);
        st.pa = two.pa;
        st.prot &= two.prot;
        st.bits = MIN(st.bits, two.bits);
    }
    unsigned pmp = riscv_pmp_rights(r, st.pa, st.g.priv, &uniform);
    unsigned need = access & EXF_EXEC ? GP_EXEC : access & EXF_WRITE ? GP_WRITE : GP_READ;
    if (!(pmp & need)) return fault(r, ACCESS, va, access, &st.g, probe);
    /* the size is the page's, so that a fence for any of its addresses finds the translation; rights hold for 4 KiB at least */
    *w = (struct walk){ .phys = st.pa, .page_bits = (uint8_t)(uniform ? st.bits : 0), .prot = (uint8_t)(st.prot & pmp),
                        .global = st.global, .attr = attr_of(r, st.g.priv) };
    return true;
}

void riscv_bus_error(CPU *cpu, uint64_t va, uint64_t phys UNUSED, unsigned access)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    struct regime g = regime_of(r, access & EXF_EXEC || !(cpu->mode & MODE_VIEW1) ? VIEW_MAIN : VIEW_USER);
    fault(r, ACCESS, va, access, &g, false);
}
