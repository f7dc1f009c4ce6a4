/*
 * imsic.c: Incoming MSI Controllers (RISC-V Advanced Interrupt Architecture 1.0, chapter 3): interrupt files in memory, of one privilege
 * level for all harts: a page each, behind a supervisor's those of its guests. Files are written by devices, other harts and their own
 * hart's CSRs on any thread: each has a lock, and no other is needed.
 * Known gaps: eidelivery = 0x40000000 (from an APLIC's wire), which no hart here has.
 */
#include "dev/intc/imsic.h"

#include <pthread.h>
#include "cpu/riscv_sys.h"
#include "dev/fdt.h"

#define SELF struct imsic

enum { IDS_MAX = 2047, WORDS = (IDS_MAX + 1) / 64, HARTS = 512, GUESTS = 7, PAGE = 4096 };
enum { SEL_DELIVERY = 0x70, SEL_THRESHOLD = 0x72, SEL_EIP = 0x80, SEL_EIE = 0xc0, SEL_END = 0x100 };

struct file {
    pthread_mutex_t lock;
    struct irq *irq;
    uint32_t last;           /* identity that topei was read with */
};

/* What is saved of a file. */
struct file_state {
    uint64_t eip[WORDS], eie[WORDS];
    uint32_t delivery, threshold;
};

struct imsic {
    struct dev dev;
    uint32_t harts, guests, ids;
    bool rv32, s_level;
    unsigned per_hart, nfiles;   /* files of a hart: its own and its guests'; pages of a hart are a power of two */
    struct file *file;
    struct file_state *state;
    uint32_t state_bytes;
};

static unsigned hart_pages(const struct imsic *s)
{
    unsigned n = 1;
    while (n < s->per_hart) n *= 2;
    return n;
}

/* The pending and enabled identity of highest priority, which is the lowest number. Lock held. */
static uint32_t top(const struct imsic *s, const struct file_state *f)
{
    for (unsigned w = 0; w <= s->ids / 64; w++) {
        uint64_t m = f->eip[w] & f->eie[w];
        if (!m) continue;
        uint32_t id = 64 * w + (uint32_t)__builtin_ctzll(m);
        return f->threshold && id >= f->threshold ? 0 : id;
    }
    return 0;
}

static void update(struct imsic *s, unsigned n)
{
    irq_set(s->file[n].irq, s->state[n].delivery == 1 && top(s, &s->state[n]));
}

static void raise_id(struct imsic *s, unsigned n, uint32_t id)
{
    if (!id || id > s->ids) return;
    pthread_mutex_lock(&s->file[n].lock);
    s->state[n].eip[id / 64] |= 1ull << id % 64;
    update(s, n);
    pthread_mutex_unlock(&s->file[n].lock);
}

/* --- memory: seteipnum_le at 0, seteipnum_be at 4 of each page ----------------------------------------------------------------- */

static bool file_at(const struct imsic *s, uint64_t off, unsigned *n)
{
    uint64_t page = off / PAGE, hart = page / hart_pages(s), guest = page % hart_pages(s);
    if (hart >= s->harts || guest >= s->per_hart) return false;
    *n = (unsigned)(hart * s->per_hart + guest);
    return true;
}

static uint64_t imsic_read(void *dev, uint64_t off, unsigned size, struct mem_attr at) { return 0; }
static void imsic_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct imsic *s = dev;
    unsigned n;
    if (!file_at(s, off, &n)) return;
    if (off % PAGE == 0) raise_id(s, n, (uint32_t)v);
    else if (off % PAGE == 4) raise_id(s, n, __builtin_bswap32((uint32_t)v));
}
static const struct mmio_ops imsic_ops = { .read = imsic_read, .write = imsic_write, .min = 4, .max = 4, .unlocked = true };

bool imsic_msi(struct dev *d, uint64_t addr, uint32_t data)
{
    struct imsic *s = (struct imsic *)d;
    if (addr < d->at || addr - d->at >= (uint64_t)s->harts * hart_pages(s) * PAGE) return false;
    imsic_write(s, addr - d->at, data, 4, (struct mem_attr){ 0 });
    return true;
}

/* --- the harts' registers ----------------------------------------------------------------------------------------------------------- */

/* Bits of word w that are identities. */
static uint64_t word_mask(const struct imsic *s, unsigned w)
{
    uint64_t n = s->ids + 1, first = 64ull * w;
    uint64_t m = first >= n ? 0 : bits_mask((unsigned)MIN(n - first, 64u));
    return w ? m : m & ~1ull;
}

/* eip and eie: 32 or 64 bits of them. */
static uint64_t *bits_of(struct imsic *s, struct file_state *f, unsigned sel, unsigned *w, unsigned *shift)
{
    unsigned i = sel & 0x3f;
    if (!s->rv32 && i & 1) return NULL;
    *w = i / 2;
    *shift = i & 1 ? 32 : 0;
    return *w < WORDS ? (sel < SEL_EIE ? &f->eip[*w] : &f->eie[*w]) : NULL;
}

static uint64_t file_read(struct imsic *s, unsigned n, unsigned sel, bool *ok)
{
    struct file_state *f = &s->state[n];
    uint64_t v = 0, *p;
    unsigned w, shift;
    pthread_mutex_lock(&s->file[n].lock);
    if (sel == RISCV_IMSIC_TOPEI) {
        s->file[n].last = top(s, f);
        v = (uint64_t)s->file[n].last << 16 | s->file[n].last;
    } else if (sel == SEL_DELIVERY) {
        v = f->delivery;
    } else if (sel == SEL_THRESHOLD) {
        v = f->threshold;
    } else if (sel >= SEL_EIP && sel < SEL_END && (p = bits_of(s, f, sel, &w, &shift))) {
        v = *p >> shift & (s->rv32 ? 0xffffffff : UINT64_MAX);
    } else {
        *ok = sel > SEL_DELIVERY && sel < SEL_EIP; /* reserved ones are zero */
    }
    pthread_mutex_unlock(&s->file[n].lock);
    return v;
}

/* What the instruction read is what it claims, even if something better has come since; without a read, what is on top now. */
static void claim(struct imsic *s, unsigned n)
{
    struct file_state *f = &s->state[n];
    uint32_t id = s->file[n].last;
    if (!id || !(f->eip[id / 64] & f->eie[id / 64] & 1ull << id % 64)) id = top(s, f);
    if (id) f->eip[id / 64] &= ~(1ull << id % 64);
    s->file[n].last = 0;
}

static void file_write(struct imsic *s, unsigned n, unsigned sel, uint64_t v, bool *ok)
{
    struct file_state *f = &s->state[n];
    uint64_t *p;
    unsigned w, shift;
    pthread_mutex_lock(&s->file[n].lock);
    if (sel == RISCV_IMSIC_TOPEI) {
        claim(s, n);
    } else if (sel == SEL_DELIVERY) {
        f->delivery = v & 1;
    } else if (sel == SEL_THRESHOLD) {
        f->threshold = (uint32_t)(v & bits_mask(s->ids > 1023 ? 11 : s->ids > 511 ? 10 : s->ids > 255 ? 9 : 8));
    } else if (sel >= SEL_EIP && sel < SEL_END && (p = bits_of(s, f, sel, &w, &shift))) {
        uint64_t m = (s->rv32 ? 0xffffffffull << shift : UINT64_MAX) & word_mask(s, w);
        *p = (*p & ~m) | (v << shift & m);
    } else {
        *ok = sel > SEL_DELIVERY && sel < SEL_EIP;
    }
    update(s, n);
    pthread_mutex_unlock(&s->file[n].lock);
}

/* reg: RISCV_IMSIC(file, select); file 0: M, 1: S, 2 and up: guests of the S level. */
static struct imsic *file_of(struct imsic_hart *h, unsigned reg, unsigned *n)
{
    unsigned file = reg >> 16;
    struct imsic *s = (struct imsic *)(file ? h->s : h->m);
    unsigned own = file ? file - 1 : 0;
    if (!s || own >= s->per_hart || h->hart >= s->harts) return NULL;
    *n = h->hart * s->per_hart + own;
    return s;
}

static uint64_t hart_read(void *ctx, CPU *cpu, unsigned reg, bool *ok)
{
    unsigned n;
    struct imsic *s = file_of(ctx, reg, &n);
    *ok = s != NULL;
    return s ? file_read(s, n, reg & 0xffff, ok) : 0;
}

static void hart_write(void *ctx, CPU *cpu, unsigned reg, uint64_t v, bool *ok)
{
    unsigned n;
    struct imsic *s = file_of(ctx, reg, &n);
    *ok = s != NULL;
    if (s) file_write(s, n, reg & 0xffff, v, ok);
}

void imsic_hart_init(struct imsic_hart *h, struct dev *m, struct dev *s, unsigned hart)
{
    *h = (struct imsic_hart){ .intc = { hart_read, hart_write, h }, .m = m, .s = s, .hart = hart };
}

/* --- the device ---------------------------------------------------------------------------------------------------------------------- */

static int imsic_init(void *dev, struct err *e)
{
    struct imsic *s = dev;
    if (!s->harts || s->harts > HARTS) return err_set(e, EINVAL, "imsic: 1 to %d harts, not %u", HARTS, s->harts);
    if (s->guests > GUESTS || (s->guests && !s->s_level)) return err_set(e, EINVAL, "imsic: up to %d guests, and of the supervisor level only", GUESTS);
    if (s->ids < 63 || s->ids > IDS_MAX || (s->ids & 63) != 63)
        return err_set(e, EINVAL, "imsic: a multiple of 64 less one from 63 to %d as number of identities, not %u", IDS_MAX, s->ids);
    s->per_hart = 1 + s->guests;
    s->nfiles = s->harts * s->per_hart;
    s->file = dev_alloc(&s->dev, s->nfiles * sizeof *s->file);
    s->state_bytes = s->nfiles * (uint32_t)sizeof *s->state;
    s->state = dev_alloc(&s->dev, s->state_bytes);
    for (unsigned n = 0; n < s->nfiles; n++) {
        pthread_mutex_init(&s->file[n].lock, NULL);
        s->file[n].irq = &s->dev.irq[n];
    }
    return 0;
}

static void imsic_reset(void *dev)
{
    struct imsic *s = dev;
    for (unsigned n = 0; n < s->nfiles; n++) {
        pthread_mutex_lock(&s->file[n].lock);
        s->state[n] = (struct file_state){ 0 };
        s->file[n].last = 0;
        update(s, n);
        pthread_mutex_unlock(&s->file[n].lock);
    }
}

static int imsic_loaded(void *dev, struct err *e)
{
    struct imsic *s = dev;
    for (unsigned n = 0; n < s->nfiles; n++) {
        struct file_state *f = &s->state[n];
        for (unsigned w = 0; w < WORDS; w++) f->eip[w] &= word_mask(s, w), f->eie[w] &= word_mask(s, w);
        f->delivery &= 1;
        pthread_mutex_lock(&s->file[n].lock);
        update(s, n);
        pthread_mutex_unlock(&s->file[n].lock);
    }
    return 0;
}

static void imsic_fdt(void *dev, struct fdt_node *n)
{
    struct imsic *s = dev;
    unsigned bits = 0;
    while (1u << bits < hart_pages(s)) bits++;
    fdt_set_reg(n, s->dev.at, (uint64_t)s->harts * hart_pages(s) * PAGE);
    fdt_set_empty(n, "interrupt-controller");
    fdt_set_u32(n, "#interrupt-cells", 0);
    fdt_set_empty(n, "msi-controller");
    fdt_set_u32(n, "#msi-cells", 0);
    fdt_set_u32(n, "riscv,num-ids", s->ids);
    if (bits) fdt_set_u32(n, "riscv,guest-index-bits", bits);
    fdt_phandle(n);
}

const struct device imsic_device = {
    .name = "riscv.imsic", .help = "RISC-V incoming MSI controllers", .dt = "riscv,imsics", .size = sizeof(struct imsic),
    .window = (uint64_t)HARTS * (GUESTS + 1) * PAGE, .irqs = HARTS * (GUESTS + 1), .ops = &imsic_ops,
    PROPS(PROP_U32("num-harts", harts, 1), PROP_U32("num-guests", guests, 0), PROP_U32("num-irqs", ids, 255), PROP_BOOL("rv32", rv32, false),
          PROP_BOOL("supervisor", s_level, false)),
    STATE({ .name = "files", .type = STATE_T_BLOB, .field = offsetof(SELF, state), .len_field = offsetof(SELF, state_bytes) }),
    .init = imsic_init, .reset = imsic_reset, .loaded = imsic_loaded, .fdt = imsic_fdt,
};
