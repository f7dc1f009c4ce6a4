/*
 * ring.c: virtqueues: split (virtio 1.2, 2.7) and packed (2.8) rings, indirect descriptors, event suppression, elements.
 * Known gaps: VIRTIO_F_IN_ORDER is not offered.
 */
#include "dev/virtio/virtio.h"

#include <stdlib.h>

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };
enum { EVENT_ENABLE, EVENT_DISABLE, EVENT_DESC }; /* packed: flags of the event suppression structures */

/* A descriptor as it was at one moment. Split: next; packed: the buffer's id. */
struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

static inline bool packed(const struct vq *q)
{
    return virtio_has(q->v, VIRTIO_F_RING_PACKED);
}
static bool ld16(const struct vq *q, uint64_t addr, uint16_t *v)
{
    bool ok;
    *v = (uint16_t)dma_ld(&q->v->dev.dma, addr, 2, &ok);
    if (unlikely(!ok)) virtio_error(q->v, "queue %u: its ring at 0x%llx is not in memory", q->index, (unsigned long long)addr);
    return ok;
}
static bool st16(const struct vq *q, uint64_t addr, uint16_t v)
{
    bool ok = dma_st(&q->v->dev.dma, addr, v, 2);
    if (unlikely(!ok)) virtio_error(q->v, "queue %u: its ring at 0x%llx is not in memory", q->index, (unsigned long long)addr);
    return ok;
}

/* i: entry of the table at addr. Split descriptors have flags before next, packed ones the id before flags. */
static bool desc_read(const struct vq *q, uint64_t addr, uint32_t i, struct desc *d)
{
    uint8_t b[16];
    if (unlikely(dma_read(&q->v->dev.dma, addr + 16ull * i, b, sizeof b))) {
        virtio_error(q->v, "queue %u: descriptor %u at 0x%llx is not in memory", q->index, i, (unsigned long long)addr);
        return false;
    }
    uint16_t x, y;
    memcpy(&d->addr, b, 8);
    memcpy(&d->len, b + 8, 4);
    memcpy(&x, b + 12, 2);
    memcpy(&y, b + 14, 2);
    d->flags = packed(q) ? y : x;
    d->next = packed(q) ? x : y;
    return true;
}

/* --- what is there ------------------------------------------------------------------------------------------------------ */

/* Split: entries that the driver has made available and that were not popped; an index that cannot be is an error. */
static unsigned split_avail(const struct vq *q)
{
    uint16_t idx;
    if (!ld16(q, q->driver + 2, &idx)) return 0;
    unsigned n = (uint16_t)(idx - q->avail);
    if (unlikely(n > q->size)) {
        virtio_error(q->v, "queue %u: available index %u is more than the queue size beyond %u", q->index, idx, q->avail);
        return 0;
    }
    return n;
}

static bool packed_avail(const struct vq *q)
{
    uint16_t flags;
    if (!ld16(q, q->desc + 16ull * q->avail + 14, &flags)) return false;
    bool avail = flags & DESC_AVAIL, used = flags & DESC_USED;
    return avail == q->avail_wrap && used != q->avail_wrap;
}

static bool usable(const struct vq *q)
{
    return q->ready && virtio_running(q->v) && q->v->dev.dma.space; /* no space: PCI bus mastering is off */
}

bool vq_empty(const struct vq *q)
{
    return !usable(q) || !(packed(q) ? packed_avail(q) : split_avail(q) != 0);
}

/* --- elements -------------------------------------------------------------------------------------------------------------- */

/* A chain in the making. */
struct walk {
    unsigned nout, nin;
    uint64_t out_len, in_len;
    struct vq_span span[VQ_MAX];
};

static bool walk_add(const struct vq *q, struct walk *w, const struct desc *d)
{
    bool in = d->flags & DESC_WRITE;
    if (!d->len) return true; /* says nothing */
    if (unlikely(w->nout + w->nin == VQ_MAX)) {
        virtio_error(q->v, "queue %u: a request of more than %u descriptors", q->index, VQ_MAX);
        return false;
    }
    if (unlikely(!in && w->nin)) {
        virtio_error(q->v, "queue %u: a readable descriptor after a writable one", q->index);
        return false;
    }
    *(in ? &w->in_len : &w->out_len) += d->len;
    if (unlikely(d->len - 1 > UINT64_MAX - d->addr || w->in_len + w->out_len > UINT32_MAX)) {
        virtio_error(q->v, "queue %u: a request of 4 GiB or more, or beyond the end of memory", q->index);
        return false;
    }
    w->span[w->nout + w->nin] = (struct vq_span){ d->addr, d->len };
    ++*(in ? &w->nin : &w->nout);
    return true;
}

static bool indirect_ok(const struct vq *q, const struct desc *d)
{
    if (!virtio_has(q->v, VIRTIO_F_INDIRECT_DESC)) virtio_error(q->v, "queue %u: indirect descriptors were not agreed on", q->index);
    else if (!d->len || d->len % 16 || d->len / 16 > VQ_MAX)
        virtio_error(q->v, "queue %u: an indirect table of %u bytes", q->index, d->len);
    else return true;
    return false;
}

static bool split_walk(const struct vq *q, uint16_t head, struct walk *w)
{
    uint64_t table = q->desc;
    uint32_t n = q->size, i = head, seen = 0;
    struct desc d;
    bool indirect = false;
    for (;;) {
        if (unlikely(i >= n || seen++ >= n)) {
            virtio_error(q->v, "queue %u: a chain that loops or leaves its table", q->index);
            return false;
        }
        if (!desc_read(q, table, i, &d)) return false;
        if (d.flags & DESC_INDIRECT) {
            if (indirect || (d.flags & DESC_NEXT)) {
                virtio_error(q->v, "queue %u: an indirect table with an indirect table, or one with a successor", q->index);
                return false;
            }
            if (!indirect_ok(q, &d)) return false;
            indirect = true;
            table = d.addr;
            n = d.len / 16;
            i = seen = 0;
            continue;
        }
        if (!walk_add(q, w, &d)) return false;
        if (!(d.flags & DESC_NEXT)) return true;
        i = d.next;
    }
}

static bool packed_walk(const struct vq *q, struct walk *w, uint16_t *id, uint16_t *slots)
{
    struct desc d;
    uint32_t i = q->avail, seen = 0;
    for (;; i = i + 1 == q->size ? 0 : i + 1) {
        if (unlikely(seen++ >= q->size)) {
            virtio_error(q->v, "queue %u: a chain without an end", q->index);
            return false;
        }
        if (!desc_read(q, q->desc, i, &d)) return false;
        if (d.flags & DESC_INDIRECT) {
            if (!indirect_ok(q, &d)) return false;
            if (d.flags & DESC_NEXT) {
                virtio_error(q->v, "queue %u: an indirect table with a successor", q->index);
                return false;
            }
            struct desc t;
            for (uint32_t k = 0; k < d.len / 16; k++)
                if (!desc_read(q, d.addr, k, &t) || !walk_add(q, w, &t)) return false;
        } else if (!walk_add(q, w, &d)) {
            return false;
        }
        if (!(d.flags & DESC_NEXT)) break;
    }
    *id = d.next;
    *slots = (uint16_t)seen;
    return true;
}

/* Moves a place in a packed ring by n slots, |n| <= size. */
static void packed_move(const struct vq *q, uint16_t *at, bool *wrap, int n)
{
    int i = *at + n;
    if (i >= q->size) i -= q->size, *wrap = !*wrap;
    else if (i < 0) i += q->size, *wrap = !*wrap;
    *at = (uint16_t)i;
}

static struct vq_elem *elem_new(struct vq *q, const struct walk *w, uint16_t id, uint16_t slots)
{
    size_t n = w->nout + w->nin;
    struct vq_elem *el = malloc(sizeof *el + n * sizeof el->span[0]);
    if (!el) { /* it stays in the ring */
        virtio_error(q->v, "queue %u: no host memory for a request", q->index);
        return NULL;
    }
    *el = (struct vq_elem){ .q = q, .generation = q->generation, .id = id, .slots = slots, .nout = (uint16_t)w->nout, .nin = (uint16_t)w->nin,
                            .out_len = (uint32_t)w->out_len, .in_len = (uint32_t)w->in_len };
    memcpy(el->span, w->span, n * sizeof el->span[0]);
    q->inflight++;
    q->popped += 1 + (uint32_t)n / 32; /* long chains cost more of the run's budget */
    return el;
}

struct vq_elem *vq_pop(struct vq *q)
{
    if (unlikely(!usable(q))) return NULL;
    if (unlikely(q->budget && q->popped >= q->budget)) {
        q->kicked = true;
        return NULL;
    }
    struct walk w;
    w.nout = w.nin = 0;
    w.out_len = w.in_len = 0;
    uint16_t id, slots = 1;
    if (packed(q)) {
        if (!packed_avail(q)) return NULL;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!packed_walk(q, &w, &id, &slots)) return NULL;
        packed_move(q, &q->avail, &q->avail_wrap, slots);
    } else {
        if (!split_avail(q)) return NULL;
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* the entry was written before the index */
        if (!ld16(q, q->driver + 4 + 2ull * (q->avail & (q->size - 1)), &id)) return NULL;
        if (!split_walk(q, id, &w)) return NULL;
        q->avail++;
    }
    return elem_new(q, &w, id, slots);
}

static void elem_free(struct vq_elem *el)
{
    struct vq *q = el->q;
    for (struct vq_map *m; (m = el->maps);) {
        el->maps = m->next;
        for (unsigned i = 0; i < m->n; i++) dma_unmap(&q->v->home, m->iov[i].iov_base, m->iov[i].iov_len, m->write, m->iov[i].iov_len);
        free(m);
    }
    if (vq_current(el)) q->inflight--;
    else q->stale--;
    free(el);
}

void vq_drop(struct vq_elem *el)
{
    elem_free(el);
}

void vq_unpop(struct vq_elem *el)
{
    struct vq *q = el->q;
    if (vq_current(el)) {
        if (packed(q)) packed_move(q, &q->avail, &q->avail_wrap, -el->slots);
        else q->avail--;
    }
    elem_free(el);
}

/* --- giving back ---------------------------------------------------------------------------------------------------------------- */

static bool split_use(struct vq *q, struct vq_elem *const *el, const uint32_t *written, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t slot = q->device + 4 + 8ull * ((uint16_t)(q->used + i) & (q->size - 1));
        uint8_t b[8];
        pci_put32(b, el[i]->id);
        pci_put32(b + 4, written[i]);
        if (dma_write(&q->v->dev.dma, slot, b, sizeof b)) {
            virtio_error(q->v, "queue %u: its used ring is not in memory", q->index);
            return false;
        }
    }
    __atomic_thread_fence(__ATOMIC_RELEASE); /* data and entries before the index */
    q->used = (uint16_t)(q->used + n);
    q->spent = q->used;
    return st16(q, q->device + 2, q->used);
}

/* The first one's flags are written last: what comes after it is there by then. */
static bool packed_use(struct vq *q, struct vq_elem *const *el, const uint32_t *written, unsigned n)
{
    uint16_t at = q->used, first = 0;
    bool wrap = q->used_wrap;
    for (unsigned i = 0; i < n; i++) {
        uint64_t slot = q->desc + 16ull * at;
        uint16_t flags = (uint16_t)((wrap ? DESC_AVAIL | DESC_USED : 0) | (written[i] ? DESC_WRITE : 0));
        uint8_t b[6];
        pci_put32(b, written[i]);
        pci_put16(b + 4, el[i]->id);
        if (dma_write(&q->v->dev.dma, slot + 8, b, sizeof b)) {
            virtio_error(q->v, "queue %u: its ring is not in memory", q->index);
            return false;
        }
        if (!i) first = flags;
        else {
            __atomic_thread_fence(__ATOMIC_RELEASE);
            if (!st16(q, slot + 14, flags)) return false;
        }
        packed_move(q, &at, &wrap, el[i]->slots);
        q->spent = (uint16_t)(q->spent + el[i]->slots);
    }
    __atomic_thread_fence(__ATOMIC_RELEASE);
    bool ok = st16(q, q->desc + 16ull * q->used + 14, first);
    q->used = at;
    q->used_wrap = wrap;
    return ok;
}

void vq_push_all(struct vq_elem **el, const uint32_t *written, unsigned n)
{
    if (!n) return;
    struct vq *q = el[0]->q;
    if (usable(q) && vq_current(el[0])) {
        if (packed(q)) packed_use(q, el, written, n);
        else split_use(q, el, written, n);
    }
    for (unsigned i = 0; i < n; i++) elem_free(el[i]);
}

void vq_push(struct vq_elem *el, uint32_t written)
{
    vq_push_all(&el, &written, 1);
}

/* Was `event` among the places that were passed since the driver was told? (2.7.7.2; 2.8.10 for packed rings) */
static bool passed(struct vq *q, uint16_t behind /* how far the event's place lies behind the present one, at least 1 */)
{
    uint16_t since = (uint16_t)(q->spent - q->told);
    bool valid = q->told_valid;
    q->told = q->spent;
    q->told_valid = true;
    return !valid || (behind && behind <= since);
}

static bool wants_irq(struct vq *q)
{
    uint16_t flags, event;
    bool by_event = virtio_has(q->v, VIRTIO_F_EVENT_IDX);
    if (!packed(q)) {
        if (!by_event) return ld16(q, q->driver, &flags) && !(flags & 1);
        if (!ld16(q, q->driver + 4 + 2ull * q->size, &event)) return false;
        return passed(q, (uint16_t)(q->used - event));
    }
    if (!ld16(q, q->driver + 2, &flags)) return false;
    if ((flags & 3) != EVENT_DESC || !by_event) return (flags & 3) != EVENT_DISABLE;
    if (!ld16(q, q->driver, &event)) return false;
    int behind = q->used - (event & 0x7fff) + ((event >> 15) == q->used_wrap ? 0 : q->size);
    return passed(q, behind > 0 && behind <= UINT16_MAX ? (uint16_t)behind : 0);
}

void vq_notify(struct vq *q)
{
    if (!usable(q)) return;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the used index before what says whether to tell */
    if (wants_irq(q) && q->v->irq) q->v->irq(q->v, q);
}

bool vq_want(struct vq *q, bool on)
{
    q->notify = on;
    if (!usable(q)) return false;
    if (packed(q)) {
        if (on && virtio_has(q->v, VIRTIO_F_EVENT_IDX)) {
            if (!st16(q, q->device, (uint16_t)(q->avail | q->avail_wrap << 15))) return false;
            st16(q, q->device + 2, EVENT_DESC);
        } else {
            st16(q, q->device + 2, on ? EVENT_ENABLE : EVENT_DISABLE);
        }
    } else if (!virtio_has(q->v, VIRTIO_F_EVENT_IDX)) {
        st16(q, q->device, on ? 0 : 1);
    } else if (on) {
        st16(q, q->device + 4 + 8ull * q->size, q->avail);
    }
    if (!on) return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return !vq_empty(q);
}

/* --- data --------------------------------------------------------------------------------------------------------------------------- */

int64_t vq_read(const struct vq_elem *el, uint64_t off, void *buf, uint64_t len)
{
    uint64_t done = 0;
    for (unsigned i = 0; i < el->nout && done < len; i++) {
        const struct vq_span *s = &el->span[i];
        if (off >= s->len) {
            off -= s->len;
            continue;
        }
        uint64_t n = MIN(s->len - off, len - done);
        if (dma_read(&el->q->v->dev.dma, s->addr + off, (uint8_t *)buf + done, n)) return -EFAULT;
        done += n;
        off = 0;
    }
    return (int64_t)done;
}

int64_t vq_write(const struct vq_elem *el, uint64_t off, const void *buf, uint64_t len)
{
    uint64_t done = 0;
    if (!vq_current(el)) return -EFAULT;
    for (unsigned i = el->nout; i < (unsigned)el->nout + el->nin && done < len; i++) {
        const struct vq_span *s = &el->span[i];
        if (off >= s->len) {
            off -= s->len;
            continue;
        }
        uint64_t n = MIN(s->len - off, len - done);
        if (dma_write(&el->q->v->dev.dma, s->addr + off, (const uint8_t *)buf + done, n)) return -EFAULT;
        done += n;
        off = 0;
    }
    return (int64_t)done;
}

int vq_iov(struct vq_elem *el, bool in, uint64_t off, uint64_t len, struct iovec **iov)
{
    const struct vq_span *s = el->span + (in ? el->nout : 0), *end = s + (in ? el->nin : el->nout);
    const struct dma *dma = &el->q->v->dev.dma;
    uint32_t cap = (uint32_t)(end - s) + 1;
    if (off > (in ? el->in_len : el->out_len) || len > (in ? el->in_len : el->out_len) - off) return -EINVAL;
    struct vq_map *m = malloc(sizeof *m + cap * sizeof m->iov[0]);
    if (!m) return -ENOMEM;
    *m = (struct vq_map){ .write = in, .next = el->maps };
    el->maps = m;
    for (; len && s < end; s++) {
        if (off >= s->len) {
            off -= s->len;
            continue;
        }
        uint64_t addr = s->addr + off, left = MIN(s->len - off, len);
        off = 0;
        len -= left;
        while (left) { /* a span may lie in several blocks */
            if (m->n == VQ_IOV) return -E2BIG;
            if (m->n == cap) {
                struct vq_map *bigger = realloc(m, sizeof *m + 2 * cap * sizeof m->iov[0]);
                if (!bigger) return -ENOMEM;
                el->maps = m = bigger;
                cap *= 2;
            }
            uint64_t n = left;
            void *host = dma_map(dma, addr, &n, in);
            if (!host) return -EFAULT;
            m->iov[m->n++] = (struct iovec){ host, n };
            addr += n;
            left -= n;
        }
    }
    *iov = m->iov;
    return (int)m->n;
}

/* --- runs ------------------------------------------------------------------------------------------------------------------------------ */

/* One run of the handler, within the budget; what is left comes after the others' turn. */
void vq_run(void *ctx)
{
    struct vq *q = ctx;
    if (!usable(q) || !q->row->handle || q->budget) return;
    bool supply = q->row->flags & VQ_SUPPLY;
    q->budget = VQ_BUDGET;
    q->popped = 0;
    q->kicked = false;
    uint32_t before;
    if (!supply) vq_want(q, false);
    do {
        before = q->popped;
        q->row->handle(q);
        /* kicks are wanted again; what came meanwhile is taken along, unless the device cannot go on anyway */
    } while (!supply && !q->kicked && vq_want(q, true) && q->popped != before);
    q->budget = 0;
    q->popped = 0;
    if (q->kicked) vq_schedule(q);
}

void vq_schedule(struct vq *q)
{
    if (q->v->iothread) iothread_call(q->v->iothread, &q->call);
    else loop_defer(&q->run);
}

void vq_cancel(struct vq *q)
{
    deferred_cancel(&q->run);
    if (q->v->iothread) iothread_cancel(q->v->iothread, &q->call);
}

void vq_kick(struct vq *q)
{
    if (!virtio_running(q->v)) q->kicked = true; /* DRIVER_OK looks after it */
    else if (q->row->flags & VQ_NOW && !q->v->iothread) vq_run(q);
    else vq_schedule(q);
}

/* As before the driver knew it. Elements that are out become stale. */
void vq_ring_reset(struct vq *q)
{
    vq_cancel(q);
    q->generation++;
    q->stale += q->inflight;
    q->inflight = 0;
    q->ready = q->kicked = q->told_valid = q->notify = false;
    q->avail = q->used = q->spent = q->told = 0;
    q->avail_wrap = q->used_wrap = true;
    q->desc = q->driver = q->device = 0;
    q->size = q->max;
    q->vector = VIRTIO_NO_VECTOR;
}
