/*
 * xhci_xfer.c: transfer rings: TDs become packets, packets' ends become events (xHCI 1.1, 4.9.2, 4.10, 4.11; 6.4.1).
 * Known gaps: isochronous TDs run as soon as they can, without frames; secondary stream arrays are not there (HCCPARAMS1.NSS).
 */
#include "dev/usb/xhci.h"

#include <stdlib.h>

enum { SPARES = 8 };

int xhci_trb(struct xhci *s, uint64_t at, struct trb *t)
{
    uint8_t b[16];
    if (xhci_read(s, at, b, sizeof b)) return -EFAULT;
    *t = (struct trb){ .addr = at, .status = pci_get32(b + 8), .control = pci_get32(b + 12) };
    memcpy(&t->param, b, 8);
    return 0;
}

/* --- transfers in memory --------------------------------------------------------------------------------------------------- */

static struct xhci_xfer *xfer_new(struct xhci *s)
{
    struct xhci_xfer *x = s->spare;
    if (x) {
        s->spare = x->next;
        s->nspare--;
    } else if (s->nxfers == XHCI_XFERS || !(x = calloc(1, sizeof *x))) {
        return NULL;
    } else {
        s->nxfers++;
    }
    x->s = s;
    x->n = 0;
    x->over = false;
    x->p = (struct usb_packet){ 0 };
    return x;
}

static void xfer_free(struct xhci *s, struct xhci_xfer *x)
{
    if (s->nspare < SPARES) {
        x->next = s->spare;
        s->spare = x;
        s->nspare++;
        return;
    }
    free(x->trb);
    free(x->sg);
    free(x);
    s->nxfers--;
}

void xhci_spare_free(struct xhci *s)
{
    for (struct xhci_xfer *x; (x = s->spare); s->nxfers--) {
        s->spare = x->next;
        free(x->trb);
        free(x->sg);
        free(x);
    }
    s->nspare = 0;
}

static bool xfer_grow(struct xhci_xfer *x)
{
    if (x->n < x->cap) return true;
    unsigned cap = MAX(x->cap * 2, 4u);
    struct trb *t = realloc(x->trb, cap * sizeof *t);
    if (t) x->trb = t;
    struct usb_sg *g = t ? realloc(x->sg, cap * sizeof *g) : NULL;
    if (!g) return false;
    x->sg = g;
    x->cap = cap;
    return true;
}

/* --- rings ----------------------------------------------------------------------------------------------------------------- */

/* Where the ring of an endpoint or stream is. cc: what is wrong with the stream. */
static bool ring_get(struct xhci *s, unsigned slot, unsigned ep, unsigned stream, uint64_t *ring, unsigned *cc)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    uint64_t v;
    *cc = CC_STREAM_ID;
    if (!e->streams) {
        *ring = e->ring;
        return !stream;
    }
    if (!stream || stream >= 1u << e->streams) return false;
    if (xhci_read(s, e->ring + 16ull * stream, &v, 8)) {
        *cc = CC_TRB;
        return false;
    }
    *cc = CC_STREAM_TYPE;
    if ((v >> 1 & 7) != 1) return false; /* a primary transfer ring */
    *ring = (v & ~15ull) | (v & 1);
    return true;
}

static void ring_put(struct xhci *s, unsigned slot, unsigned ep, unsigned stream, uint64_t ring)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    uint64_t v = (ring & ~15ull) | 1 << 1 | (ring & 1);
    e->skip = 0;
    if (!e->streams) e->ring = ring;
    else if (xhci_write(s, e->ring + 16ull * stream, &v, 8)) xhci_fail(s, "stream contexts are not in memory");
}

enum fetch { FETCH_NONE, FETCH_TD, FETCH_BAD };

/* The TD at *ring, as a whole; what is not all there is not there. Links in front of it are passed (*ring moves). */
static enum fetch fetch(struct xhci *s, struct xhci_xfer *x, uint64_t *ring, struct trb *bad)
{
    uint64_t at = *ring & ~15ull;
    uint32_t cycle = *ring & 1;
    unsigned links = 0;
    struct trb t;
    x->n = 0;
    do {
        if (xhci_trb(s, at, &t)) {
            *bad = (struct trb){ .addr = at };
            return FETCH_BAD;
        }
        *bad = t;
        if ((t.control & TRB_CYCLE) != cycle) return FETCH_NONE;
        if (trb_type(&t) == TRB_LINK) {
            if (++links > XHCI_LINKS) return FETCH_BAD;
            at = t.param & ~15ull;
            if (t.control & TRB_TC) cycle ^= 1;
            if (!x->n) *ring = at | cycle;
            t.control |= TRB_CHAIN;
            continue;
        }
        links = 0;
        if (x->n == XHCI_TD_TRBS || !xfer_grow(x)) return FETCH_BAD;
        x->trb[x->n++] = t;
        at += 16;
    } while (t.control & TRB_CHAIN);
    x->at = *ring;
    x->after = at | cycle;
    return FETCH_TD;
}

static bool moves(const struct trb *t)
{
    unsigned type = trb_type(t);
    return type == TRB_NORMAL || type == TRB_DATA || type == TRB_ISOCH || type == TRB_SETUP;
}
static uint32_t trb_len(const struct trb *t)
{
    return moves(t) ? t->status & 0x1ffff : 0;
}

/* The packet that a TD is. False: its TRBs do not fit together or here. */
static bool to_packet(struct xhci *s, struct xhci_xfer *x)
{
    const struct xhci_ep *e = &s->ep[x->slot][x->ep];
    struct usb_packet *p = &x->p;
    unsigned first = trb_type(&x->trb[0]);
    bool control = e->type == EP_CONTROL;
    uint64_t total = 0;
    for (unsigned i = 0; i < x->n; i++) {
        struct trb *t = &x->trb[i];
        unsigned type = trb_type(t);
        bool ok = type == TRB_NORMAL || type == TRB_EVENT_DATA || type == TRB_NOOP ||
                  (!i && (control ? type == TRB_SETUP || type == TRB_DATA || type == TRB_STATUS : type == TRB_ISOCH && (e->type & 3) == 1));
        if (!ok || (control && type == TRB_NORMAL && first != TRB_DATA) || (t->control & TRB_IDT && trb_len(t) > 8)) return false;
        if (!trb_len(t)) continue;
        x->sg[p->nsg++] = (struct usb_sg){ t->control & TRB_IDT ? t->addr : t->param, trb_len(t) };
        total += trb_len(t);
    }
    if (total > XHCI_TD_BYTES || (first == TRB_SETUP && (total != 8 || !(x->trb[0].control & TRB_IDT)))) return false;
    p->pid = control ? first == TRB_SETUP ? USB_SETUP : x->trb[0].control & TRB_DIR_IN ? USB_IN : USB_OUT : x->ep & 1 ? USB_IN : USB_OUT;
    if (p->pid == USB_IN)
        for (unsigned i = 0; i < x->n; i++)
            if (trb_len(&x->trb[i]) && x->trb[i].control & TRB_IDT) return false; /* data in the TRB goes out */
    p->ep = (uint8_t)(x->ep / 2);
    p->len = (uint32_t)total;
    p->actual = MIN(s->ep[x->slot][x->ep].skip, p->len);
    p->dma = &s->p.dev.dma;
    p->sg = x->sg;
    return true;
}

/* --- events ---------------------------------------------------------------------------------------------------------------- */

static void transfer_event(struct xhci *s, const struct xhci_xfer *x, const struct trb *t, uint64_t param, unsigned cc, uint32_t len, bool data)
{
    xhci_event(s, t->status >> 22, param, (len & 0xffffff) | cc << 24, ER_TRANSFER << 10 | (uint32_t)x->slot << 24 | (uint32_t)x->ep << 16 | (data ? 4 : 0),
               t->control & TRB_BEI);
}

/* An error of the endpoint: told always, at this TRB; the endpoint does not go on. */
static void ep_error(struct xhci *s, const struct xhci_xfer *x, const struct trb *t, unsigned cc, uint32_t left)
{
    s->ep[x->slot][x->ep].state = cc == CC_TRB || cc == CC_STREAM_ID || cc == CC_STREAM_TYPE ? EP_ERROR : EP_HALTED;
    xhci_ep_context(s, x->slot, x->ep);
    transfer_event(s, x, t, t->addr, cc, left, false);
}

/* Behind a short packet: one more event, of the first Event Data TRB or of the last TRB (4.10.1.1). */
static void after_short(struct xhci *s, const struct xhci_xfer *x, unsigned i, uint32_t edtla)
{
    for (unsigned k = i + 1; k < x->n; k++) {
        const struct trb *t = &x->trb[k];
        if (trb_type(t) == TRB_EVENT_DATA) {
            if (t->control & TRB_IOC) transfer_event(s, x, t, t->param, CC_SHORT, edtla, true);
            return;
        }
        if (k + 1 == x->n && t->control & TRB_IOC) transfer_event(s, x, t, t->addr, CC_SHORT, trb_len(t), false);
    }
}

/* Each TRB of a TD that went well, with how much of it was moved. */
static void tell_success(struct xhci *s, const struct xhci_xfer *x)
{
    uint32_t left = x->p.actual, edtla = 0;
    for (unsigned i = 0; i < x->n; i++) {
        const struct trb *t = &x->trb[i];
        uint32_t len = trb_len(t), got = MIN(left, len);
        left -= got;
        edtla += got;
        if (trb_type(t) == TRB_EVENT_DATA) {
            if (t->control & TRB_IOC) transfer_event(s, x, t, t->param, CC_SUCCESS, edtla, true);
            edtla = 0;
        } else if (got < len) {
            if (t->control & (TRB_ISP | TRB_IOC)) transfer_event(s, x, t, t->addr, CC_SHORT, len - got, false);
            after_short(s, x, i, edtla);
            return;
        } else if (t->control & TRB_IOC) {
            transfer_event(s, x, t, t->addr, CC_SUCCESS, 0, false);
        }
    }
}

/* Which TRB the packet had come to, and how much of that is left. */
static const struct trb *trb_at(const struct xhci_xfer *x, uint32_t *left)
{
    uint32_t done = x->p.actual;
    unsigned i = 0;
    for (; i + 1 < x->n && done >= trb_len(&x->trb[i]); i++) done -= trb_len(&x->trb[i]);
    *left = trb_len(&x->trb[i]) - MIN(done, trb_len(&x->trb[i]));
    return &x->trb[i];
}

static void complete(struct xhci *s, struct xhci_xfer *x)
{
    static const uint8_t codes[] = { [USB_STALL] = CC_STALL, [USB_NODEV] = CC_TRANSACTION, [USB_BABBLE] = CC_BABBLE, [USB_BUFFER] = CC_BUFFER };
    if (x->p.status == USB_OK) {
        ring_put(s, x->slot, x->ep, x->p.stream, x->after);
        tell_success(s, x);
    } else {
        uint32_t left;
        const struct trb *t = trb_at(x, &left);
        ring_put(s, x->slot, x->ep, x->p.stream, x->at);
        ep_error(s, x, t, codes[x->p.status], left);
    }
}

/* Is there room for what a TD may tell, at its last TRB's interrupter? If not, the endpoint comes again when there is. */
static bool events_fit(struct xhci *s, const struct xhci_xfer *x)
{
    unsigned n = 2;
    for (unsigned i = 0; i < x->n; i++) n += (x->trb[i].control & (TRB_IOC | TRB_ISP)) != 0;
    if (xhci_room(s, x->trb[x->n - 1].status >> 22, n)) return true;
    s->ep[x->slot][x->ep].kicked = true;
    return false;
}

/* --- running --------------------------------------------------------------------------------------------------------------- */

static void unlink_xfer(struct xhci *s, struct xhci_xfer *x)
{
    for (struct xhci_xfer **p = &s->xfer[x->slot][x->ep]; *p; p = &(*p)->next)
        if (*p == x) {
            *p = x->next;
            return;
        }
}

static void xfer_done(struct usb_packet *p)
{
    struct xhci_xfer *x = container_of(p, struct xhci_xfer, p);
    struct xhci *s = x->s;
    unsigned slot = x->slot, ep = x->ep, stream = p->stream;
    x->over = true;
    if (!events_fit(s, x)) return;
    unlink_xfer(s, x);
    complete(s, x);
    xfer_free(s, x);
    s->budget = XHCI_RUN;
    xhci_ep_run(s, slot, ep, stream);
}

/* Transfers that are over and found no room for their events. False: there is still none. */
static bool finish_waiting(struct xhci *s, unsigned slot, unsigned ep)
{
    for (struct xhci_xfer *x = s->xfer[slot][ep], *next; x; x = next) {
        next = x->next;
        if (!x->over) continue;
        if (!events_fit(s, x)) return false;
        unlink_xfer(s, x);
        complete(s, x);
        xfer_free(s, x);
    }
    return true;
}

static bool busy(const struct xhci *s, unsigned slot, unsigned ep, unsigned stream)
{
    const struct xhci_xfer *x = s->xfer[slot][ep];
    while (x && x->p.stream != stream) x = x->next;
    return x != NULL;
}

/* One TD. False: there is none, it waits, or the endpoint does not go on. */
static bool run_one(struct xhci *s, unsigned slot, unsigned ep, unsigned stream)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    struct trb bad = { 0 };
    uint64_t ring = 0;
    unsigned cc;
    if (e->state != EP_RUNNING || !xhci_running(s) || busy(s, slot, ep, stream)) return false;
    if (!s->budget) {
        e->kicked = true;
        xhci_defer(s);
        return false;
    }
    s->budget--;
    struct xhci_xfer *x = xfer_new(s);
    if (!x || !xhci_room(s, 0, 2)) {
        e->kicked = s->starved = true;
        if (x) xfer_free(s, x);
        return false;
    }
    x->slot = (uint8_t)slot;
    x->ep = (uint8_t)ep;
    x->p.stream = (uint16_t)stream;
    enum fetch f = FETCH_BAD;
    if (!ring_get(s, slot, ep, stream, &ring, &cc)) {
        bad.addr = e->ring;
        ep_error(s, x, &bad, cc, 0);
    } else if ((f = fetch(s, x, &ring, &bad)) == FETCH_BAD) {
        ring_put(s, slot, ep, stream, ring);
        ep_error(s, x, &bad, CC_TRB, 0);
    } else if (f == FETCH_TD && !events_fit(s, x)) {
        f = FETCH_NONE;
    } else if (f == FETCH_TD && !to_packet(s, x)) {
        ring_put(s, slot, ep, stream, ring);
        ep_error(s, x, &x->trb[0], CC_TRB, trb_len(&x->trb[0]));
        f = FETCH_BAD;
    }
    if (f != FETCH_TD) {
        xfer_free(s, x);
        return false;
    }
    x->p.dev = s->dev[slot];
    x->p.done = xfer_done;
    if (trb_type(&x->trb[0]) == TRB_NOOP || trb_type(&x->trb[0]) == TRB_EVENT_DATA) x->p.status = USB_OK;
    else x->p.status = (uint8_t)(x->p.dev ? usb_submit(&x->p) : USB_NODEV);
    if (x->p.status == USB_NAK) {
        x->next = s->xfer[slot][ep];
        s->xfer[slot][ep] = x;
        return false;
    }
    complete(s, x);
    xfer_free(s, x);
    return true;
}

void xhci_ep_run(struct xhci *s, unsigned slot, unsigned ep, unsigned stream)
{
    while (run_one(s, slot, ep, stream)) {}
}

void xhci_ep_run_all(struct xhci *s, unsigned slot, unsigned ep)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    uint64_t v;
    e->kicked = false;
    if (!finish_waiting(s, slot, ep)) return;
    if (!e->streams) {
        xhci_ep_run(s, slot, ep, 0);
        return;
    }
    for (unsigned i = 1; i < 1u << e->streams && e->state == EP_RUNNING; i++) {
        if (xhci_read(s, e->ring + 16ull * i, &v, 8) || (v >> 1 & 7) != 1) continue; /* nobody asked for this one */
        xhci_ep_run(s, slot, ep, i);
    }
}

void xhci_ep_cancel(struct xhci *s, unsigned slot, unsigned ep, bool tell)
{
    for (struct xhci_xfer *x; (x = s->xfer[slot][ep]);) {
        uint32_t left;
        const struct trb *t = trb_at(x, &left);
        s->xfer[slot][ep] = x->next;
        if (x->over) {
            complete(s, x);
        } else {
            usb_cancel(&x->p);
            ring_put(s, slot, ep, x->p.stream, x->at);
            if (!s->ep[slot][ep].streams) s->ep[slot][ep].skip = x->p.actual;
            if (tell) transfer_event(s, x, t, t->addr, CC_STOPPED, left, false);
        }
        xfer_free(s, x);
    }
}
