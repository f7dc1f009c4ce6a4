/*
 * gicv3_its.c: the GICv3's Interrupt Translation Service (Arm IHI 0069, chapters 5.2-5.3, 12.12-12.13): turns messages of devices
 * (DeviceID, EventID) into LPIs of a CPU by tables in guest memory that the guest's commands fill in.
 *
 * Formats of the tables are ours, 8 bytes an entry:
 *   device      63 valid, 51..8 address of its translation table, 4..0 bits of EventID - 1
 *   collection  63 valid, 15..0 processor number
 *   translation 63 valid, 47..32 collection, 31..0 LPI
 * Memory is read anew for every message, so there is nothing to invalidate; nothing in it is trusted.
 *
 * Gaps: virtual LPIs (GICv4); commands with errors are skipped and logged, never stalled.
 */
#include "dev/intc/gicv3.h"

enum { DEV_BITS = 16, ID_BITS = 16, COLL_BITS = 16, ENTRY = 8, COMMAND = 32, BASERS = 8 };
enum { BUDGET = 4096, COST_ALL = 64 }; /* commands in one go; INVALL and MOVALL count more */
#define VALID (1ull << 63)
#define ADDR_MASK 0xffffffffff000ull

struct its {
    struct dev dev;
    struct dev *gic_dev;
    uint32_t ctlr;                 /* bit 0: enabled */
    uint64_t cbase, cwriter, creadr;
    uint64_t baser[BASERS];
    struct deferred more;          /* commands that are left */
};

static struct gicv3 *gic_of(struct its *s) { return (struct gicv3 *)s->gic_dev; }

/* --- tables ------------------------------------------------------------------------------------------------------------------------------ */

/* Address of entry n of a GITS_BASER table; 0: it has none. */
static uint64_t table_entry(struct its *s, unsigned i, uint64_t n)
{
    uint64_t b = s->baser[i];
    if (!(b & VALID)) return 0;
    uint64_t page = 4096ull << 2 * MIN(b >> 8 & 3, 2u), size = ((b & 0xff) + 1) * page, base = b & 0xfffffffff000;
    if (page == 65536) base = (b & 0xffffffff0000) | (b & 0xf000) << 36; /* bits 51..48 lie in 15..12 */
    if (!(b >> 62 & 1)) return n * ENTRY + ENTRY <= size ? base + n * ENTRY : 0;
    uint64_t per = page / ENTRY, l1 = n / per;
    bool ok;
    if (l1 * 8 + 8 > size) return 0;
    uint64_t e = dma_ld(&s->dev.dma, base + l1 * 8, 8, &ok);
    return ok && e & VALID ? (e & ADDR_MASK & ~(page - 1)) + n % per * ENTRY : 0;
}

static bool load(struct its *s, uint64_t at, uint64_t *v)
{
    bool ok = false;
    *v = at ? dma_ld(&s->dev.dma, at, ENTRY, &ok) : 0;
    return ok && *v & VALID;
}

/* Address of the translation of an event; 0: the device or the event is out of range. */
static uint64_t event_entry(struct its *s, uint64_t device, uint64_t event)
{
    uint64_t d;
    if (device >> DEV_BITS || !load(s, table_entry(s, 0, device), &d)) return 0;
    return event >> ((d & 31) + 1) ? 0 : (d & 0xfffffffffff00ull) + event * ENTRY;
}

static struct v3_cpu *collection(struct its *s, uint64_t icid)
{
    uint64_t c;
    if (icid >> COLL_BITS || !load(s, table_entry(s, 1, icid), &c)) return NULL;
    return (c & 0xffff) < gic_of(s)->num_cpu ? gic_of(s)->cpu[c & 0xffff] : NULL;
}

struct target {
    uint64_t at;      /* of the translation */
    uint32_t lpi, icid;
    struct v3_cpu *cpu;
};

static bool translate(struct its *s, uint64_t device, uint64_t event, struct target *t)
{
    uint64_t e;
    t->at = event_entry(s, device, event);
    if (!load(s, t->at, &e)) return false;
    t->lpi = (uint32_t)e;
    t->icid = e >> 32 & 0xffff;
    t->cpu = collection(s, t->icid);
    return t->cpu;
}

/* --- messages ---------------------------------------------------------------------------------------------------------------------------- */

bool gic_its_msi(void *its, uint64_t addr, uint32_t data, struct mem_attr at)
{
    struct its *s = its;
    struct target t;
    if (addr != s->dev.at + 0x10040) return false;
    if (!(s->ctlr & 1) || !gic_of(s)) return true;
    if (translate(s, at.requester, data, &t)) {
        pthread_mutex_lock(&gic_of(s)->lock);
        v3_lpi_put(t.cpu, t.lpi, true);
        pthread_mutex_unlock(&gic_of(s)->lock);
    } else {
        dev_guest_error(&s->dev, false, "message %u of device 0x%x has no translation", data, at.requester);
    }
    return true;
}

/* --- commands (all with the GIC's lock) -------------------------------------------------------------------------------------------------- */

static bool cmd_mapd(struct its *s, const uint64_t *c)
{
    uint64_t dev = c[0] >> 32, at = dev >> DEV_BITS ? 0 : table_entry(s, 0, dev);
    if (!at || (c[1] & 31) >= ID_BITS) return false;
    return dma_st(&s->dev.dma, at, c[2] & VALID ? VALID | (c[2] & 0xfffffffffff00ull) | (c[1] & 31) : 0, ENTRY);
}

static bool cmd_mapc(struct its *s, const uint64_t *c)
{
    uint64_t icid = c[2] & 0xffff, cpu = c[2] >> 16 & 0xffffffff, at = table_entry(s, 1, icid);
    if (!at || (c[2] & VALID && cpu >= gic_of(s)->num_cpu)) return false;
    return dma_st(&s->dev.dma, at, c[2] & VALID ? VALID | cpu : 0, ENTRY);
}

/* MAPTI and MAPI, where the LPI's number is the event's. */
static bool map_event(struct its *s, const uint64_t *c, uint64_t lpi)
{
    uint64_t at = event_entry(s, c[0] >> 32, c[1] & 0xffffffff);
    if (!at || lpi < LPI_FIRST || lpi >= LPI_END) return false;
    return dma_st(&s->dev.dma, at, VALID | (c[2] & 0xffff) << 32 | lpi, ENTRY);
}

static bool cmd_movi(struct its *s, const uint64_t *c)
{
    struct target t;
    struct v3_cpu *to = collection(s, c[2] & 0xffff);
    if (!to || !translate(s, c[0] >> 32, c[1] & 0xffffffff, &t)) return false;
    if (!dma_st(&s->dev.dma, t.at, VALID | (c[2] & 0xffff) << 32 | t.lpi, ENTRY)) return false;
    if (to != t.cpu && v3_lpi_pending(t.cpu, t.lpi)) {
        v3_lpi_put(t.cpu, t.lpi, false);
        v3_lpi_put(to, t.lpi, true);
    }
    return true;
}

static bool cmd_movall(struct its *s, const uint64_t *c)
{
    uint64_t from = c[2] >> 16 & 0xffffffff, to = c[3] >> 16 & 0xffffffff;
    struct gicv3 *g = gic_of(s);
    if (from >= g->num_cpu || to >= g->num_cpu) return false;
    v3_lpi_move_all(g->cpu[from], g->cpu[to]);
    return true;
}

/* INT, CLEAR, DISCARD, INV. */
static bool cmd_event(struct its *s, const uint64_t *c)
{
    struct target t;
    unsigned op = c[0] & 0xff;
    if (!translate(s, c[0] >> 32, c[1] & 0xffffffff, &t)) return false;
    if (op == 0x0c) v3_lpi_inv(gic_of(s), t.lpi);
    else v3_lpi_put(t.cpu, t.lpi, op == 0x03);
    return op != 0x0f || dma_st(&s->dev.dma, t.at, 0, ENTRY);
}

static unsigned command(struct its *s, const uint64_t *c)
{
    unsigned op = c[0] & 0xff, cost = 1;
    bool ok = true;
    switch (op) {
    case 0x01: ok = cmd_movi(s, c); break;
    case 0x03: case 0x04: case 0x0c: case 0x0f: ok = cmd_event(s, c); break;
    case 0x05: break; /* SYNC: everything is done at once */
    case 0x08: ok = cmd_mapd(s, c); break;
    case 0x09: ok = cmd_mapc(s, c); break;
    case 0x0a: ok = map_event(s, c, c[1] >> 32); break;
    case 0x0b: ok = map_event(s, c, c[1] & 0xffffffff); break;
    case 0x0d:
        v3_lpi_inv_all(gic_of(s));
        cost = COST_ALL;
        break;
    case 0x0e:
        ok = cmd_movall(s, c);
        cost = COST_ALL;
        break;
    default: ok = false;
    }
    if (!ok) dev_guest_error(&s->dev, false, "ITS command 0x%02x (0x%llx, 0x%llx, 0x%llx) is wrong", op, (unsigned long long)c[0],
                             (unsigned long long)c[1], (unsigned long long)c[2]);
    return cost;
}

/* Works off the queue; what is more than BUDGET is left for the loop's next round. */
static void run(void *ctx)
{
    struct its *s = ctx;
    uint64_t base = s->cbase & ADDR_MASK, size = ((s->cbase & 0xff) + 1) * 4096;
    if (!(s->ctlr & 1) || !(s->cbase & VALID) || !gic_of(s) || s->cwriter >= size || s->creadr >= size) return;
    pthread_mutex_lock(&gic_of(s)->lock);
    for (unsigned spent = 0; s->creadr != s->cwriter && spent < BUDGET;) {
        uint64_t c[COMMAND / 8];
        if (dma_read(&s->dev.dma, base + s->creadr, c, sizeof c)) {
            dev_guest_error(&s->dev, false, "the ITS's command queue is not in memory");
            s->creadr = s->cwriter;
            break;
        }
        spent += command(s, c);
        s->creadr = (s->creadr + COMMAND) % size;
    }
    bool left = s->creadr != s->cwriter;
    pthread_mutex_unlock(&gic_of(s)->lock);
    if (left) loop_defer(&s->more);
}

/* --- registers -------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t ctlr_read(void *dev, unsigned i)
{
    struct its *s = dev;
    return (s->ctlr & 1) | (s->creadr == s->cwriter ? 1u << 31 : 0); /* Quiescent */
}

static void ctlr_write(void *dev, unsigned i, uint64_t v)
{
    struct its *s = dev;
    s->ctlr = v & 1;
    run(s);
}

static uint64_t iidr_read(void *dev, unsigned i) { return 0x43b; }

/* Entry sizes; PTA = 0: processors by number; collections in memory, as many as CIDbits say. */
static uint64_t typer_read(void *dev, unsigned i)
{
    return 1 | (ENTRY - 1) << 4 | (ID_BITS - 1) << 8 | (DEV_BITS - 1) << 13 | (uint64_t)(COLL_BITS - 1) << 32 | 1ull << 36;
}

static void cbase_write(void *dev, unsigned i, uint64_t v)
{
    struct its *s = dev;
    if (s->ctlr & 1) return; /* unpredictable while enabled: ignored */
    s->cbase = v & 0xf8fffffffffffcffull;
    s->creadr = s->cwriter = 0;
}

static void cwriter_write(void *dev, unsigned i, uint64_t v)
{
    struct its *s = dev;
    s->cwriter = v & 0xfffe0;
    run(s);
}

/* BASER0: devices, BASER1: collections; the others have no table. Two levels and the entry's size are as offered. */
static void baser_write(void *dev, unsigned i, uint64_t v)
{
    struct its *s = dev;
    if (i > 1 || s->ctlr & 1) return;
    if ((v >> 8 & 3) == 3) v &= ~(1ull << 8); /* reserved page size: 64 KiB */
    uint64_t fixed = (i ? 4ull : 1ull) << 56 | (uint64_t)(ENTRY - 1) << 48;
    s->baser[i] = (v & 0xf8e0ffffffffffffull & ~(i ? 1ull << 62 : 0)) | fixed;
}

static uint64_t id_read(void *dev, unsigned i)
{
    static const uint8_t id[] = { 0x44, 0, 0, 0, 0x94, 0xb4, 0x3b, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    return id[i];
}

/* A CPU's write has no DeviceID that a table could know. */
static void translater_write(void *dev, unsigned i, uint64_t v) {}

#define SELF struct its
static const struct reg its_regs[] = {
    { 0x00, "ctlr", RW, .read = ctlr_read, .write = ctlr_write },
    { 0x04, "iidr", RO, .read = iidr_read },
    { 0x08, "typer", RO, .size = 8, .read = typer_read },
    { 0x80, "cbaser", RW, .size = 8, FIELD(cbase), .write = cbase_write },
    { 0x88, "cwriter", RW, .size = 8, FIELD(cwriter), .write = cwriter_write },
    { 0x90, "creadr", RO, .size = 8, FIELD(creadr) },
    { 0x100, "baser", RW, .size = 8, FIELD_ARRAY(baser), .step = 8, .write = baser_write },
    { 0xffd0, "id", RO, .read = id_read, .count = 12, .step = 4 },
    { 0x10040, "translater", WO, .write = translater_write },
};

static void its_reset(void *dev)
{
    struct its *s = dev;
    s->ctlr = 0;
    s->cbase = s->cwriter = s->creadr = 0;
    deferred_cancel(&s->more);
    for (unsigned i = 0; i < BASERS; i++) s->baser[i] = i < 2 ? (i ? 4ull : 1ull) << 56 | (uint64_t)(ENTRY - 1) << 48 : 0;
}

static int its_init(void *dev, struct err *e)
{
    struct its *s = dev;
    if (!s->gic_dev || strcmp(s->gic_dev->cls->name, "arm-gicv3")) return err_set(e, EINVAL, "arm-gicv3-its: parent-gicv3 must name a GICv3");
    deferred_init(&s->more, s->dev.board->loop, run, s);
    return 0;
}

static void its_exit(void *dev)
{
    struct its *s = dev;
    deferred_cancel(&s->more);
}

static int its_loaded(void *dev, struct err *e)
{
    struct its *s = dev;
    if (s->cwriter & ~0xfffe0ull || s->creadr & ~0xfffe0ull) return err_set(e, EINVAL, "arm-gicv3-its: queue pointers 0x%llx and 0x%llx",
                                                                         (unsigned long long)s->cwriter, (unsigned long long)s->creadr);
    loop_defer(&s->more);
    return 0;
}

const struct device gicv3_its_device = {
    .name = "arm-gicv3-its", .help = "Arm GICv3 Interrupt Translation Service", .category = "Misc devices",
    .size = sizeof(struct its), .window = 0x20000, REGS(its_regs),
    PROPS(PROP_DEV("parent-gicv3", gic_dev)),
    STATE(STATE_RANGE(ctlr, 0, 1), STATE_INT(cbase), STATE_INT(cwriter), STATE_INT(creadr), STATE_ARRAY(baser)),
    .init = its_init, .reset = its_reset, .exit = its_exit, .loaded = its_loaded,
};
