/*
 * balloon.c: virtio-balloon (virtio 1.2, 5.5): memory that the guest gives back, statistics of it, hints of free pages.
 * Pages that were given back are dropped from the host (their content is zero when they come again).
 * Known gaps: no free page hinting and poisoning; deflate-on-oom is only told to the guest.
 */
#include "dev/virtio/balloon.h"
#include "dev/virtio/virtio.h"

#include <stdio.h>
#include <sys/mman.h>

#define SELF struct balloon
enum { F_TELL_HOST, F_STATS, F_DEFLATE_ON_OOM, F_REPORTING = 5 };
enum { INFLATE, DEFLATE, STATS, REPORTING };
enum { PAGE_SHIFT = 12, PAGES_AT_ONCE = 1024 };

struct balloon {
    struct virtio v;
    uint32_t num_pages, actual;
    bool p_oom, p_reporting;
    struct timer poll;
    uint32_t interval;            /* s, 0: no statistics */
    bool asked;                   /* the stats request is out: the guest answers when it is given back */
    uint64_t stat[BALLOON_STATS];
    uint64_t updated;             /* guest time of the last answer */
};

/* One page or run of guest memory is the host's again. */
static void drop(SELF *s, uint64_t addr, uint64_t len)
{
    uint64_t n = len;
    while (len) {
        n = len;
        void *host = dma_map(&s->v.dev.dma, addr, &n, true);
        if (!host) return; /* not RAM: the guest's loss */
        uintptr_t a = ALIGN_UP((uintptr_t)host, (uintptr_t)4096), z = ALIGN_DOWN((uintptr_t)host + n, (uintptr_t)4096);
        if (z > a) madvise((void *)a, z - a, MADV_DONTNEED);
        dma_unmap(&s->v.home, host, n, true, n);
        addr += n;
        len -= n;
    }
}

static void inflate_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t b[4 * PAGES_AT_ONCE];
        int64_t n = vq_read(el, 0, b, sizeof b);
        for (int64_t i = 0; q->index == INFLATE && i + 4 <= n; i += 4) drop(s, (uint64_t)pci_get32(b + i) << PAGE_SHIFT, 1 << PAGE_SHIFT);
        vq_push(el, 0);
        any = true;
    }
    if (any) vq_notify(q);
}

/* Free pages, as the spans that the device might write to. */
static void reporting_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        for (unsigned i = 0; i < el->nin; i++) drop(s, el->span[el->nout + i].addr, el->span[el->nout + i].len);
        vq_push(el, 0);
        any = true;
    }
    if (any) vq_notify(q);
}

/* The guest sent its numbers; the request goes back when the next ones are wanted. It stays in the ring until then. */
static void stats_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    struct vq_elem *el = vq_pop(q);
    if (!el && !(vq_want(q, true) && (el = vq_pop(q)))) return;
    uint8_t b[10 * BALLOON_STATS];
    int64_t n = vq_read(el, 0, b, sizeof b);
    for (int64_t i = 0; i + 10 <= n; i += 10) {
        unsigned tag = pci_get16(b + i);
        if (tag < BALLOON_STATS) s->stat[tag] = pci_get32(b + i + 2) | (uint64_t)pci_get32(b + i + 6) << 32;
    }
    s->updated = clock_now(s->v.dev.board->clock);
    vq_unpop(el);
    s->asked = true;
    if (s->interval) timer_set_in(&s->poll, (uint64_t)s->interval * NS_PER_S);
}

static void ask(void *dev)
{
    SELF *s = dev;
    struct vq *q = &s->v.vq[STATS];
    struct vq_elem *el = s->asked ? vq_pop(q) : NULL;
    if (!el) return;
    s->asked = false;
    vq_push(el, 0);
    vq_want(q, true);
    vq_notify(q);
}

/* --- what the monitor does ------------------------------------------------------------------------------------------------------- */

static SELF *of(struct dev *d);

void balloon_set(struct dev *d, uint64_t drop_bytes)
{
    SELF *s = of(d);
    s->num_pages = (uint32_t)MIN(drop_bytes >> PAGE_SHIFT, (uint64_t)UINT32_MAX);
    virtio_config_changed(&s->v);
}

uint64_t balloon_actual(struct dev *d)
{
    return (uint64_t)of(d)->actual << PAGE_SHIFT;
}

const uint64_t *balloon_stats(struct dev *d, uint64_t *updated)
{
    *updated = of(d)->updated;
    return of(d)->stat;
}

void balloon_poll(struct dev *d, uint32_t seconds)
{
    SELF *s = of(d);
    s->interval = seconds;
    if (seconds) timer_set_in(&s->poll, (uint64_t)seconds * NS_PER_S);
    else timer_cancel(&s->poll);
}

/* --- the device --------------------------------------------------------------------------------------------------------------------- */

static void actual_after(void *dev, unsigned i)
{
    SELF *s = dev;
    TRACE(virtio_balloon, "%u of %u pages", s->actual, s->num_pages);
}

static const struct reg config[] = {
    { 0, "num_pages", RO, FIELD(num_pages) },
    { 4, "actual", RW, FIELD(actual), .after = actual_after },
    { 8, "free_page_hint_cmd_id", RO, .size = 4 },
    { 12, "poison_val", RO, .size = 4 },
};

static uint64_t offer(void *dev)
{
    SELF *s = dev;
    return (s->p_oom ? VF(F_DEFLATE_ON_OOM) : 0) | (s->p_reporting ? VF(F_REPORTING) : 0);
}

static void reset(void *dev)
{
    SELF *s = dev;
    s->asked = false;
    s->actual = 0;
    s->updated = 0;
    memset(s->stat, 0xff, sizeof s->stat);
}

static const struct vq_row rows[] = {
    [INFLATE] = { "inflate", .handle = inflate_handle }, [DEFLATE] = { "deflate", .handle = inflate_handle },
    [STATS] = { "stats", .flags = VQ_SUPPLY, .handle = stats_handle }, [REPORTING] = { "reporting", .size = 32, .handle = reporting_handle },
};
static const struct virtio_class class = {
    .name = "virtio-balloon", .id = 5, .pci_class = 0x00ff00, .features = VF(F_STATS), VIRTIO_CONFIG(config), .config_size = 16,
    VIRTIO_ROWS(rows), .offer = offer, .reset = reset,
};

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    timer_init(&s->poll, s->v.dev.board->clock, ask, s);
    return virtio_init(dev, &class, s->p_reporting ? 4 : 3, e);
}

static void leave(void *dev)
{
    timer_cancel(&((SELF *)dev)->poll);
    virtio_exit(dev);
}

#define BALLOON_PROPS VIRTIO_PROPS, PROP_BOOL("deflate-on-oom", p_oom, false), PROP_BOOL("free-page-reporting", p_reporting, false)
#define BALLOON_STATE STATE_INT(num_pages), STATE_INT(actual), STATE_INT(interval), STATE_RANGE(asked, 0, 1), STATE_TIMER(poll)

const struct device virtio_balloon_device = {
    VIRTIO_DEVICE("virtio-balloon", "virtio memory balloon", "Misc devices", init, leave), PROPS(BALLOON_PROPS),
    STATE(VIRTIO_STATE, BALLOON_STATE),
};
const struct device virtio_balloon_pci_device = {
    VIRTIO_PCI_DEVICE("virtio-balloon", "virtio memory balloon", "Misc devices", init, leave), PROPS(BALLOON_PROPS, VIRTIO_PCI_PROPS),
    STATE(VIRTIO_PCI_STATE, BALLOON_STATE),
};

static SELF *of(struct dev *d) { return (SELF *)d; }

bool is_balloon(const struct dev *d)
{
    return d->cls == &virtio_balloon_device || d->cls == &virtio_balloon_pci_device;
}
