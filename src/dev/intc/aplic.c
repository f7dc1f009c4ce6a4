/*
 * aplic.c: Advanced Platform-Level Interrupt Controller (RISC-V Advanced Interrupt Architecture 1.0, chapter 4): one interrupt domain.
 * `parent` names the domain above, which delegates sources to it (one child each). Lines come in at the root, or at a child, which
 * passes them up. By wires to the harts, or with msimode=on by messages, which leave through dev.dma.
 * Known gaps: big-endian mode (domaincfg.BE is 0).
 */
#include "dev/device.h"
#include "dev/fdt.h"

#define SELF struct aplic

enum { SOURCES = 1024, WORDS = SOURCES / 32, HARTS = 512 };
enum { DOMAINCFG = 0, SOURCECFG = 4, MMSIADDRCFG = 0x1bc0, MMSIADDRCFGH = 0x1bc4, SMSIADDRCFG = 0x1bc8, SMSIADDRCFGH = 0x1bcc, SETIP = 0x1c00,
       SETIPNUM = 0x1cdc, CLRIP = 0x1d00, CLRIPNUM = 0x1ddc, SETIE = 0x1e00, SETIENUM = 0x1edc, CLRIE = 0x1f00, CLRIENUM = 0x1fdc,
       SETIPNUM_LE = 0x2000, SETIPNUM_BE = 0x2004, GENMSI = 0x3000, TARGET = 0x3004, IDC = 0x4000, IDC_SIZE = 32 };
enum { CFG_DM = 4, CFG_IE = 0x100, SRC_D = 0x400, SM_INACTIVE = 0, SM_DETACHED = 1, SM_EDGE1 = 4, SM_EDGE0 = 5, SM_LEVEL1 = 6, SM_LEVEL0 = 7 };
#define MMSI_LOCK 0x80000000u

struct aplic {
    struct dev dev;
    struct dev *parent, *child;
    uint32_t sources, harts;
    bool msimode, mmode;
    uint32_t domaincfg, genmsi, mmsi, mmsih, smsi, smsih;
    uint32_t sourcecfg[SOURCES], target[SOURCES];
    uint32_t ip[WORDS], ie[WORDS], level[WORDS]; /* level: the lines as they are */
    uint32_t idelivery[HARTS], iforce[HARTS], ithreshold[HARTS];
};

static bool bit(const uint32_t *w, unsigned n) { return w[n / 32] >> n % 32 & 1; }
static void put_bit(uint32_t *w, unsigned n, bool on)
{
    if (on) w[n / 32] |= 1u << n % 32;
    else w[n / 32] &= ~(1u << n % 32);
}

static unsigned mode(const struct aplic *s, unsigned n)
{
    uint32_t c = s->sourcecfg[n];
    return n && n <= s->sources && !(c & SRC_D) ? c & 7 : SM_INACTIVE;
}
static bool by_msi(const struct aplic *s) { return s->msimode && s->domaincfg & CFG_DM; }
static bool is_level(unsigned sm) { return sm == SM_LEVEL1 || sm == SM_LEVEL0; }
/* The input as the source's mode sees it. */
static bool rectified(const struct aplic *s, unsigned n)
{
    unsigned sm = mode(s, n);
    return sm < SM_EDGE1 ? false : bit(s->level, n) != (sm == SM_EDGE0 || sm == SM_LEVEL0);
}

/* --- by message ---------------------------------------------------------------------------------------------------------------- */

static const struct aplic *root_of(const struct aplic *s)
{
    return s->parent ? (const struct aplic *)s->parent : s;
}

static void send(struct aplic *s, uint32_t hart, uint32_t guest, uint32_t id)
{
    const struct aplic *r = root_of(s);
    uint32_t h = r->mmsih, lhxw = h >> 12 & 15, hhxw = h >> 16 & 7, hhxs = h >> 24 & 31, lhxs = s->mmode ? h >> 20 & 7 : r->smsih >> 20 & 7;
    uint64_t ppn = s->mmode ? (uint64_t)(h & 0xfff) << 32 | r->mmsi : (uint64_t)(r->smsih & 0xfff) << 32 | r->smsi;
    uint64_t group = hart >> lhxw & bits_mask(hhxw), low = hart & bits_mask(lhxw);
    ppn |= group << (hhxs + 12) | low << lhxs;
    if (!s->mmode) ppn |= guest;
    dma_msi(&s->dev.dma, ppn << 12, id);
}

static void forward(struct aplic *s, unsigned n)
{
    if (!(s->domaincfg & CFG_IE) || !bit(s->ip, n) || !bit(s->ie, n)) return;
    put_bit(s->ip, n, false);
    send(s, s->target[n] >> 18, s->target[n] >> 12 & 63, s->target[n] & 0x7ff);
}

/* --- by wire --------------------------------------------------------------------------------------------------------------------- */

/* topi of a hart: identity << 16 | priority. */
static uint32_t topi(const struct aplic *s, unsigned hart)
{
    uint32_t best = 0, limit = s->ithreshold[hart] ? s->ithreshold[hart] : 256;
    for (unsigned w = 0; w <= s->sources / 32; w++)
        for (uint32_t m = s->ip[w] & s->ie[w]; m; m &= m - 1) {
            unsigned n = 32 * w + (unsigned)__builtin_ctz(m);
            uint32_t prio = s->target[n] & 0xff;
            if (s->target[n] >> 18 != hart || prio >= limit) continue;
            best = n << 16 | prio;
            limit = prio;
        }
    return best;
}

static void update(struct aplic *s)
{
    if (by_msi(s)) return;
    for (unsigned h = 0; h < s->harts; h++)
        irq_set(&s->dev.irq[h], s->domaincfg & CFG_IE && s->idelivery[h] && (s->iforce[h] || topi(s, h)));
}

static uint32_t claim(struct aplic *s, unsigned hart)
{
    uint32_t top = topi(s, hart);
    if (!top) s->iforce[hart] = 0;
    else if (!is_level(mode(s, top >> 16))) put_bit(s->ip, top >> 16, false);
    update(s);
    return top;
}

/* --- sources ----------------------------------------------------------------------------------------------------------------------- */

/* Something asks for the pending bit: software (setip), or the line. */
static void set_pending(struct aplic *s, unsigned n, bool software)
{
    unsigned sm = mode(s, n);
    if (sm == SM_INACTIVE) return;
    if (is_level(sm) && (software && !by_msi(s))) return;
    if (is_level(sm) && !rectified(s, n)) return;
    put_bit(s->ip, n, true);
    if (by_msi(s)) forward(s, n);
}

static void clear_pending(struct aplic *s, unsigned n)
{
    unsigned sm = mode(s, n);
    if (sm != SM_INACTIVE && (!is_level(sm) || by_msi(s))) put_bit(s->ip, n, false);
}

static void set_enabled(struct aplic *s, unsigned n, bool on)
{
    if (mode(s, n) == SM_INACTIVE) return;
    put_bit(s->ie, n, on);
    if (on && by_msi(s)) forward(s, n);
}

static void line(struct aplic *s, unsigned n, bool level)
{
    if (s->sourcecfg[n] & SRC_D && s->child) {
        line((struct aplic *)s->child, n, level);
        put_bit(s->level, n, level);
        return;
    }
    bool was = rectified(s, n), now;
    put_bit(s->level, n, level);
    now = rectified(s, n);
    if (!was && now) set_pending(s, n, false);
    else if (was && !now && is_level(mode(s, n))) put_bit(s->ip, n, false);
    update(s);
}

static void aplic_input(void *dev, unsigned n, bool level)
{
    struct aplic *s = dev;
    if (s->parent) s = (struct aplic *)s->parent;
    if (n && n <= s->sources) line(s, n, level);
}

static void write_source(struct aplic *s, unsigned n, uint32_t v)
{
    if (s->parent && !(((struct aplic *)s->parent)->sourcecfg[n] & SRC_D)) return; /* not ours */
    if (v & SRC_D) v = s->child && !(v & 0x3ff) ? SRC_D : 0;
    else v = (v & 7) == 2 || (v & 7) == 3 ? 0 : v & 7;
    struct aplic *child = (struct aplic *)s->child;
    if (child && s->sourcecfg[n] & SRC_D && !(v & SRC_D)) { /* taken back */
        child->sourcecfg[n] = 0;
        put_bit(child->ip, n, false);
        put_bit(child->ie, n, false);
    }
    if (child) put_bit(child->level, n, bit(s->level, n));
    s->sourcecfg[n] = v;
    if (mode(s, n) == SM_INACTIVE) {
        s->target[n] = 0;
        put_bit(s->ip, n, false);
        put_bit(s->ie, n, false);
    } else {
        if (!by_msi(s) && !(s->target[n] & 0xff)) s->target[n] |= 1;
        if (rectified(s, n)) set_pending(s, n, false);
        else if (is_level(mode(s, n))) put_bit(s->ip, n, false);
    }
}

static void write_target(struct aplic *s, unsigned n, uint32_t v)
{
    if (mode(s, n) == SM_INACTIVE) return;
    if (s->msimode && s->domaincfg & CFG_DM) v &= s->mmode ? 0xfffc07ff : 0xffffffff & ~0x800u;
    else v = (v & 0xfffc00ff) | !(v & 0xff);
    if (!by_msi(s) && v >> 18 >= s->harts) v &= 0x3ffff;
    s->target[n] = v;
}

/* --- registers ---------------------------------------------------------------------------------------------------------------------- */

static uint32_t idc_read(struct aplic *s, uint64_t off)
{
    unsigned h = (unsigned)(off / IDC_SIZE);
    if (h >= s->harts || by_msi(s)) return 0;
    switch (off % IDC_SIZE) {
    case 0x00: return s->idelivery[h];
    case 0x04: return s->iforce[h];
    case 0x08: return s->ithreshold[h];
    case 0x18: return topi(s, h);
    case 0x1c: return claim(s, h);
    default: return 0;
    }
}

static void idc_write(struct aplic *s, uint64_t off, uint32_t v)
{
    unsigned h = (unsigned)(off / IDC_SIZE);
    if (h >= s->harts || by_msi(s)) return;
    switch (off % IDC_SIZE) {
    case 0x00: s->idelivery[h] = v & 1; break;
    case 0x04: s->iforce[h] = v & 1; break;
    case 0x08: s->ithreshold[h] = v & 0xff; break;
    default: return;
    }
    update(s);
}

static uint32_t inputs_word(const struct aplic *s, unsigned w)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 32; i++) v |= (uint32_t)rectified(s, 32 * w + i) << i;
    return v;
}

static uint64_t aplic_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct aplic *s = dev;
    if (off == DOMAINCFG) return 0x80000000u | s->domaincfg;
    if (off < SOURCECFG + 4 * (SOURCES - 1)) return off / 4 <= s->sources ? s->sourcecfg[off / 4] : 0;
    if (!s->parent && s->msimode) switch (off) {
    case MMSIADDRCFG: return s->mmsi;
    case MMSIADDRCFGH: return s->mmsih;
    case SMSIADDRCFG: return s->smsi;
    case SMSIADDRCFGH: return s->smsih;
    }
    if (off >= SETIP && off < SETIP + SOURCES / 8) return s->ip[(off - SETIP) / 4];
    if (off >= CLRIP && off < CLRIP + SOURCES / 8) return inputs_word(s, (unsigned)(off - CLRIP) / 4);
    if (off >= SETIE && off < SETIE + SOURCES / 8) return s->ie[(off - SETIE) / 4];
    if (off == GENMSI) return by_msi(s) ? s->genmsi : 0;
    if (off >= TARGET && off < TARGET + 4 * (SOURCES - 1)) {
        uint64_t n = (off - TARGET) / 4 + 1;
        return n <= s->sources && mode(s, (unsigned)n) ? s->target[n] : 0;
    }
    return off >= IDC ? idc_read(s, off - IDC) : 0;
}

static void each_bit(struct aplic *s, uint64_t w, uint32_t v, void (*fn)(struct aplic *s, unsigned n))
{
    for (; v; v &= v - 1) fn(s, (unsigned)(32 * w) + (unsigned)__builtin_ctz(v));
}
static void do_setip(struct aplic *s, unsigned n) { if (n && n <= s->sources) set_pending(s, n, true); }
static void do_clrip(struct aplic *s, unsigned n) { if (n && n <= s->sources) clear_pending(s, n); }
static void do_setie(struct aplic *s, unsigned n) { if (n && n <= s->sources) set_enabled(s, n, true); }
static void do_clrie(struct aplic *s, unsigned n) { if (n && n <= s->sources) set_enabled(s, n, false); }

static void write_msi_base(struct aplic *s, uint64_t off, uint32_t v)
{
    if (s->parent || !s->msimode || s->mmsih & MMSI_LOCK) return;
    switch (off) {
    case MMSIADDRCFG: s->mmsi = v; break;
    case MMSIADDRCFGH: s->mmsih = v & 0x9f77ffff; break;
    case SMSIADDRCFG: s->smsi = v; break;
    case SMSIADDRCFGH: s->smsih = v & 0x00700fff; break;
    }
}

static void aplic_write(void *dev, uint64_t off, uint64_t val, unsigned size, struct mem_attr at)
{
    struct aplic *s = dev;
    uint32_t v = (uint32_t)val, n = MIN(v, (uint32_t)SOURCES - 1);
    if (off == DOMAINCFG) {
        s->domaincfg = v & (CFG_IE | (s->msimode ? CFG_DM : 0));
        for (unsigned i = 1; by_msi(s) && i <= s->sources; i++) forward(s, i);
    } else if (off < SOURCECFG + 4 * (SOURCES - 1)) {
        if (off / 4 <= s->sources) write_source(s, (unsigned)(off / 4), v);
    } else if (off >= MMSIADDRCFG && off <= SMSIADDRCFGH) {
        write_msi_base(s, off, v);
    } else if (off >= SETIP && off < SETIP + SOURCES / 8) {
        each_bit(s, (off - SETIP) / 4, v, do_setip);
    } else if (off >= CLRIP && off < CLRIP + SOURCES / 8) {
        each_bit(s, (off - CLRIP) / 4, v, do_clrip);
    } else if (off >= SETIE && off < SETIE + SOURCES / 8) {
        each_bit(s, (off - SETIE) / 4, v, do_setie);
    } else if (off >= CLRIE && off < CLRIE + SOURCES / 8) {
        each_bit(s, (off - CLRIE) / 4, v, do_clrie);
    } else if (off == SETIPNUM || off == SETIPNUM_LE) {
        do_setip(s, n);
    } else if (off == SETIPNUM_BE) {
        do_setip(s, MIN(__builtin_bswap32(v), (uint32_t)SOURCES - 1));
    } else if (off == CLRIPNUM) {
        do_clrip(s, n);
    } else if (off == SETIENUM) {
        do_setie(s, n);
    } else if (off == CLRIENUM) {
        do_clrie(s, n);
    } else if (off == GENMSI) {
        if (!by_msi(s)) return;
        s->genmsi = v & 0xfffc07ff;
        send(s, v >> 18, 0, v & 0x7ff);
    } else if (off >= TARGET && off < TARGET + 4 * (SOURCES - 1)) {
        if ((off - TARGET) / 4 + 1 <= s->sources) write_target(s, (unsigned)((off - TARGET) / 4 + 1), v);
    } else if (off >= IDC) {
        idc_write(s, off - IDC, v);
    }
    update(s);
}

static const struct mmio_ops aplic_ops = { .read = aplic_read, .write = aplic_write, .min = 4, .max = 4 };

/* --- the device ------------------------------------------------------------------------------------------------------------------------ */

static int aplic_init(void *dev, struct err *e)
{
    struct aplic *s = dev;
    if (!s->sources || s->sources >= SOURCES) return err_set(e, EINVAL, "aplic: 1 to %d sources, not %u", SOURCES - 1, s->sources);
    if (!s->harts || s->harts > HARTS) return err_set(e, EINVAL, "aplic: 1 to %d harts, not %u", HARTS, s->harts);
    if (s->parent) {
        struct aplic *p = (struct aplic *)s->parent;
        if (p->dev.cls != s->dev.cls || p->child || p->parent || p->sources != s->sources)
            return err_set(e, EINVAL, "aplic: '%s' cannot be the domain above", p->dev.id ? p->dev.id : p->dev.cls->name);
        p->child = &s->dev;
    }
    s->dev.ninputs = s->sources + 1;
    return 0;
}

static void aplic_exit(void *dev)
{
    struct aplic *s = dev;
    if (s->parent) ((struct aplic *)s->parent)->child = NULL;
    if (s->child) ((struct aplic *)s->child)->parent = NULL;
}

static void aplic_reset(void *dev)
{
    struct aplic *s = dev;
    s->domaincfg = s->genmsi = s->mmsi = s->mmsih = s->smsi = s->smsih = 0;
    memset(s->sourcecfg, 0, sizeof s->sourcecfg);
    memset(s->target, 0, sizeof s->target);
    memset(s->ip, 0, sizeof s->ip);
    memset(s->ie, 0, sizeof s->ie);
    memset(s->idelivery, 0, sizeof s->idelivery);
    memset(s->iforce, 0, sizeof s->iforce);
    memset(s->ithreshold, 0, sizeof s->ithreshold);
    for (unsigned h = 0; h < s->harts; h++) irq_set(&s->dev.irq[h], false);
}

static int aplic_loaded(void *dev, struct err *e)
{
    struct aplic *s = dev;
    if (!s->msimode) s->domaincfg &= ~(uint32_t)CFG_DM;
    return 0;
}

static void aplic_fdt(void *dev, struct fdt_node *n)
{
    struct aplic *s = dev;
    fdt_set_empty(n, "interrupt-controller");
    fdt_set_u32(n, "#interrupt-cells", 2);
    fdt_set_u32(n, "#address-cells", 0);
    fdt_set_u32(n, "riscv,num-sources", s->sources);
    fdt_phandle(n);
}

static unsigned aplic_fdt_irq(const void *dev, unsigned n, uint32_t cells[4])
{
    cells[0] = n;
    cells[1] = 4; /* IRQ_TYPE_LEVEL_HIGH */
    return 2;
}

const struct device aplic_device = {
    .name = "riscv.aplic", .help = "RISC-V advanced platform-level interrupt controller", .dt = "riscv,aplic", .size = sizeof(struct aplic),
    .window = 0x8000, .irqs = HARTS, .inputs = UINT32_MAX, .input = aplic_input, .ops = &aplic_ops,
    PROPS(PROP_U32("num-sources", sources, 96), PROP_U32("num-harts", harts, 1), PROP_BOOL("msimode", msimode, false),
          PROP_BOOL("mmode", mmode, true), PROP_DEV("parent", parent)),
    STATE(STATE_INT(domaincfg), STATE_INT(genmsi), STATE_INT(mmsi), STATE_INT(mmsih), STATE_INT(smsi), STATE_INT(smsih), STATE_ARRAY(sourcecfg),
          STATE_ARRAY(target), STATE_ARRAY(ip), STATE_ARRAY(ie), STATE_ARRAY(level), STATE_ARRAY(idelivery), STATE_ARRAY(iforce),
          STATE_ARRAY(ithreshold)),
    .init = aplic_init, .reset = aplic_reset, .exit = aplic_exit, .loaded = aplic_loaded, .fdt = aplic_fdt, .fdt_irq = aplic_fdt_irq,
};
