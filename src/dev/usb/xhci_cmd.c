/*
 * xhci_cmd.c: the command ring, slots and contexts (xHCI 1.1, 4.6; 6.2). Contexts are of 32 bytes (HCCPARAMS1.CSZ 0).
 * Known gaps: bandwidth is never short; no force event, force header, negotiate bandwidth and latency tolerance (optional, or for virtualization).
 */
#include "dev/usb/xhci.h"

enum { CTX = 32, BSR = 0x200, DC = 0x200, TSP = 0x200, NEC_FIRMWARE = 0x3025 };

static unsigned ctx_ep(unsigned ep) { return ep * CTX; }

void xhci_ep_context(struct xhci *s, unsigned slot, unsigned ep)
{
    const struct xhci_ep *e = &s->ep[slot][ep];
    uint64_t at = s->slot[slot].ctx + ctx_ep(ep);
    uint8_t b[16];
    if (xhci_read(s, at, b, sizeof b)) {
        xhci_fail(s, "a device context is not in memory");
        return;
    }
    b[0] = (uint8_t)((b[0] & ~7u) | e->state);
    memcpy(b + 8, &e->ring, 8);
    if (xhci_write(s, at, b, sizeof b)) xhci_fail(s, "a device context is not in memory");
}

/* The slot context's state and address; entries: context entries, 0: as they are. */
static void slot_context(struct xhci *s, unsigned slot, unsigned address, unsigned entries)
{
    const struct xhci_slot *t = &s->slot[slot];
    uint8_t b[16];
    if (xhci_read(s, t->ctx, b, sizeof b)) {
        xhci_fail(s, "a device context is not in memory");
        return;
    }
    if (entries) pci_put32(b, (pci_get32(b) & 0x07ffffff) | entries << 27);
    pci_put32(b + 12, address | (uint32_t)t->state << 27);
    if (xhci_write(s, t->ctx, b, sizeof b)) xhci_fail(s, "a device context is not in memory");
}

/* --- slots ----------------------------------------------------------------------------------------------------------------- */

static void ep_disable(struct xhci *s, unsigned slot, unsigned ep)
{
    if (!s->ep[slot][ep].state) return;
    xhci_ep_cancel(s, slot, ep, false);
    s->ep[slot][ep] = (struct xhci_ep){ 0 };
    if (s->slot[slot].ctx && xhci_running(s)) xhci_ep_context(s, slot, ep);
}

void xhci_slot_free(struct xhci *s, unsigned slot)
{
    for (unsigned i = 1; i < XHCI_EPS; i++) ep_disable(s, slot, i);
    s->slot[slot] = (struct xhci_slot){ 0 };
    s->dev[slot] = NULL;
}

static unsigned enable_slot(struct xhci *s, unsigned *slot)
{
    for (unsigned i = 1; i <= MIN(s->configured & 0xff, s->p_slots); i++)
        if (!s->slot[i].enabled) {
            s->slot[i] = (struct xhci_slot){ .enabled = 1 };
            *slot = i;
            return CC_SUCCESS;
        }
    return CC_NO_SLOTS;
}

static unsigned disable_slot(struct xhci *s, unsigned slot)
{
    if (s->slot[slot].ctx) {
        s->slot[slot].state = 0;
        slot_context(s, slot, 0, 0);
    }
    xhci_slot_free(s, slot);
    return CC_SUCCESS;
}

/* An endpoint out of its input context, running. */
static unsigned ep_enable(struct xhci *s, unsigned slot, unsigned ep, const uint8_t *b)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    unsigned streams = b[1] >> 2 & 31, type = b[4] >> 3 & 7;
    uint64_t ring = pci_get32(b + 8) | (uint64_t)pci_get32(b + 12) << 32;
    bool linear = b[1] & 0x80, bulk = type == 2 || type == 6;
    if (!type || (type == EP_CONTROL) != (ep == 1) || (ep > 1 && (type > EP_CONTROL) != (ep & 1))) return CC_PARAMETER;
    if (streams && (!s->p_streams || !bulk || streams > XHCI_PSA || !linear)) return CC_PARAMETER;
    xhci_ep_cancel(s, slot, ep, false);
    *e = (struct xhci_ep){ .ring = streams ? ring & ~15ull : ring & ~14ull, .state = EP_RUNNING, .type = (uint8_t)type,
                           .streams = (uint8_t)(streams ? streams + 1 : 0) };
    uint8_t out[CTX];
    memcpy(out, b, sizeof out);
    out[0] = (uint8_t)((out[0] & ~7u) | EP_RUNNING);
    if (!xhci_write(s, s->slot[slot].ctx + ctx_ep(ep), out, sizeof out)) return CC_SUCCESS;
    xhci_fail(s, "a device context is not in memory");
    return CC_SUCCESS;
}

/* --- commands with contexts ------------------------------------------------------------------------------------------------ */

static unsigned address_device(struct xhci *s, unsigned slot, uint64_t in, bool bsr)
{
    struct xhci_slot *t = &s->slot[slot];
    uint8_t b[3 * CTX], entry[8], zero[CTX * XHCI_EPS] = { 0 };
    if (t->state > SLOT_DEFAULT || (bsr && t->state)) return CC_CONTEXT;
    if (xhci_read(s, s->dcbaap + 8ull * slot, entry, 8) || xhci_read(s, in, b, sizeof b)) {
        xhci_fail(s, "an input context or the device context array is not in memory");
        return CC_PARAMETER;
    }
    if (pci_get32(b) & ~3u || (pci_get32(b + 4) & 3) != 3) return CC_PARAMETER;
    uint8_t *sc = b + CTX;
    unsigned port = sc[6];
    uint32_t route = pci_get32(sc) & 0xfffff;
    struct usb_port *c = xhci_connector(s, port);
    if (!c) return CC_PARAMETER;
    struct usb_dev *d = usb_route(c, route);
    if (d && !route && (d->speed == USB_SUPER) != xhci_port_is3(s, port)) d = NULL;
    if (!d) return CC_TRANSACTION;
    for (unsigned i = 1; i <= XHCI_SLOTS; i++)
        if (i != slot && s->dev[i] == d) return CC_RESOURCE;
    t->ctx = (pci_get32(entry) & ~63u) | (uint64_t)pci_get32(entry + 4) << 32;
    t->port = (uint8_t)port;
    t->route = route;
    s->dev[slot] = d;
    if (xhci_write(s, t->ctx, zero, sizeof zero) || xhci_write(s, t->ctx, sc, CTX)) {
        xhci_fail(s, "a device context is not in memory");
        return CC_PARAMETER;
    }
    unsigned cc = ep_enable(s, slot, 1, b + 2 * CTX);
    if (cc != CC_SUCCESS) return cc;
    t->state = SLOT_DEFAULT;
    if (!bsr) {
        if (!usb_request(d, USB_TO_DEVICE, USB_REQ_SET_ADDRESS, (uint16_t)slot, 0)) return CC_TRANSACTION;
        t->state = SLOT_ADDRESSED;
    }
    slot_context(s, slot, bsr ? 0 : slot, 1);
    return CC_SUCCESS;
}

static unsigned configure(struct xhci *s, unsigned slot, uint64_t in, bool deconfigure)
{
    struct xhci_slot *t = &s->slot[slot];
    uint8_t b[CTX * (XHCI_EPS + 1)];
    if (t->state < SLOT_ADDRESSED) return CC_CONTEXT;
    if (deconfigure) {
        for (unsigned i = 2; i < XHCI_EPS; i++) ep_disable(s, slot, i);
        t->state = SLOT_ADDRESSED;
        slot_context(s, slot, slot, 1);
        return CC_SUCCESS;
    }
    if (xhci_read(s, in, b, 2 * CTX)) {
        xhci_fail(s, "an input context is not in memory");
        return CC_PARAMETER;
    }
    uint32_t drop = pci_get32(b), add = pci_get32(b + 4);
    if (drop & 3 || (add & 3) != 1) return CC_PARAMETER;
    /* what is not added is not looked at, and need not be there */
    for (unsigned i = 2; i < XHCI_EPS; i++)
        if (add >> i & 1 && xhci_read(s, in + CTX + ctx_ep(i), b + CTX + ctx_ep(i), CTX)) return CC_PARAMETER;
    for (unsigned i = 2; i < XHCI_EPS; i++) {
        if (drop >> i & 1) ep_disable(s, slot, i);
        if (!(add >> i & 1)) continue;
        unsigned cc = s->ep[slot][i].state ? (unsigned)CC_PARAMETER : ep_enable(s, slot, i, b + CTX + ctx_ep(i));
        if (cc != CC_SUCCESS) return cc;
    }
    unsigned last = 1;
    for (unsigned i = 2; i < XHCI_EPS; i++)
        if (s->ep[slot][i].state) last = i;
    /* hub, ports, TT of the input slot context */
    uint8_t out[CTX];
    if (!xhci_read(s, t->ctx, out, sizeof out)) {
        memcpy(out, b + CTX, 12);
        if (xhci_write(s, t->ctx, out, sizeof out)) xhci_fail(s, "a device context is not in memory");
    }
    t->state = last > 1 ? SLOT_CONFIGURED : SLOT_ADDRESSED;
    slot_context(s, slot, slot, last);
    return CC_SUCCESS;
}

static unsigned evaluate(struct xhci *s, unsigned slot, uint64_t in)
{
    struct xhci_slot *t = &s->slot[slot];
    uint8_t b[3 * CTX], out[2 * CTX];
    if (t->state < SLOT_DEFAULT) return CC_CONTEXT;
    if (xhci_read(s, in, b, sizeof b) || xhci_read(s, t->ctx, out, sizeof out)) {
        xhci_fail(s, "a context is not in memory");
        return CC_PARAMETER;
    }
    uint32_t add = pci_get32(b + 4);
    if (pci_get32(b) || add & ~3u) return CC_PARAMETER;
    if (add & 1) { /* latency, interrupter target */
        memcpy(out + 4, b + CTX + 4, 2);
        pci_put32(out + 8, (pci_get32(out + 8) & 0x003fffff) | (pci_get32(b + CTX + 8) & 0xffc00000));
    }
    if (add & 2) memcpy(out + CTX + 6, b + 2 * CTX + 6, 2); /* packet size of endpoint 0 */
    if (xhci_write(s, t->ctx, out, sizeof out)) xhci_fail(s, "a device context is not in memory");
    return CC_SUCCESS;
}

static unsigned reset_device(struct xhci *s, unsigned slot)
{
    if (s->slot[slot].state < SLOT_ADDRESSED) return CC_CONTEXT;
    for (unsigned i = 2; i < XHCI_EPS; i++) ep_disable(s, slot, i);
    xhci_ep_cancel(s, slot, 1, false);
    s->slot[slot].state = SLOT_DEFAULT;
    slot_context(s, slot, 0, 1);
    return CC_SUCCESS;
}

/* --- endpoints ------------------------------------------------------------------------------------------------------------- */

static unsigned reset_ep(struct xhci *s, unsigned slot, unsigned ep, bool keep)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    if (e->state != EP_HALTED) return e->state ? CC_CONTEXT : CC_EP;
    if (!keep) e->skip = 0;
    e->state = EP_STOPPED;
    xhci_ep_context(s, slot, ep);
    return CC_SUCCESS;
}

static unsigned stop_ep(struct xhci *s, unsigned slot, unsigned ep)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    if (e->state != EP_RUNNING) return e->state ? CC_CONTEXT : CC_EP;
    xhci_ep_cancel(s, slot, ep, true);
    if (e->state != EP_RUNNING) return CC_CONTEXT; /* what was over had failed */
    e->state = EP_STOPPED;
    e->kicked = false;
    xhci_ep_context(s, slot, ep);
    return CC_SUCCESS;
}

static unsigned set_dequeue(struct xhci *s, unsigned slot, unsigned ep, const struct trb *t)
{
    struct xhci_ep *e = &s->ep[slot][ep];
    unsigned stream = t->status >> 16;
    uint64_t v = t->param;
    if (e->state != EP_STOPPED && e->state != EP_ERROR) return e->state ? CC_CONTEXT : CC_EP;
    if (e->streams) {
        if (!stream || stream >= 1u << e->streams) return CC_STREAM_ID;
        if ((v >> 1 & 7) != 1) return CC_STREAM_TYPE;
        if (xhci_write(s, e->ring + 16ull * stream, &v, 8)) return CC_PARAMETER;
    } else {
        e->ring = v & ~14ull;
    }
    e->skip = 0;
    e->state = EP_STOPPED;
    xhci_ep_context(s, slot, ep);
    return CC_SUCCESS;
}

static unsigned bandwidth(struct xhci *s, uint64_t at)
{
    uint8_t b[1 + XHCI_PORTS];
    memset(b, 90, sizeof b); /* percent, on each port */
    b[0] = 0;
    return xhci_write(s, at, b, 1 + s->nports) ? CC_PARAMETER : CC_SUCCESS;
}

/* --- the ring -------------------------------------------------------------------------------------------------------------- */

static unsigned run(struct xhci *s, const struct trb *t, unsigned *slot)
{
    unsigned type = trb_type(t), ep = t->control >> 16 & 31;
    bool flag = t->control & 0x200;
    if (type == CR_NOOP) return CC_SUCCESS;
    if (type == CR_ENABLE_SLOT) return enable_slot(s, slot);
    if (type == CR_BANDWIDTH) return bandwidth(s, t->param & ~15ull);
    if (type < CR_DISABLE_SLOT || type > CR_RESET_DEVICE) return CC_TRB;
    *slot = t->control >> 24;
    if (!*slot || *slot > s->p_slots || !s->slot[*slot].enabled) return CC_SLOT;
    if (type >= CR_RESET_EP && type <= CR_SET_DEQUEUE && !ep) return CC_TRB;
    switch (type) {
    case CR_DISABLE_SLOT: return disable_slot(s, *slot);
    case CR_ADDRESS: return address_device(s, *slot, t->param & ~15ull, flag);
    case CR_CONFIGURE: return configure(s, *slot, t->param & ~15ull, flag);
    case CR_EVALUATE: return evaluate(s, *slot, t->param & ~15ull);
    case CR_RESET_EP: return reset_ep(s, *slot, ep, flag);
    case CR_STOP_EP: return stop_ep(s, *slot, ep);
    case CR_SET_DEQUEUE: return set_dequeue(s, *slot, ep, t);
    default: return reset_device(s, *slot);
    }
}

static void one(struct xhci *s, const struct trb *t)
{
    unsigned slot = 0, cc;
    if (s->nec && trb_type(t) == CR_NEC_FIRMWARE) {
        xhci_event(s, 0, t->addr, (uint32_t)CC_SUCCESS << 24 | NEC_FIRMWARE, ER_NEC_COMMAND << 10, false);
        return;
    }
    cc = run(s, t, &slot);
    TRACE(xhci_command, "type %u param 0x%llx control 0x%x: %u", trb_type(t), (unsigned long long)t->param, t->control, cc);
    if (s->sts & STS_HSE) return;
    xhci_event(s, 0, t->addr, cc << 24, ER_COMMAND << 10 | slot << 24, false);
}

void xhci_commands(struct xhci *s)
{
    unsigned links = 0;
    struct trb t;
    s->commands = false;
    for (unsigned n = 0; s->crr && xhci_running(s); n++) {
        /* room for what a command may tell: every TD under way was stopped, and that it is over */
        if (n == XHCI_RUN || !xhci_room(s, 0, s->nxfers - s->nspare + 1)) {
            s->commands = true;
            if (n == XHCI_RUN) xhci_defer(s);
            return;
        }
        if (xhci_trb(s, s->ring & ~15ull, &t)) {
            xhci_fail(s, "the command ring is not in memory");
            return;
        }
        if ((t.control & TRB_CYCLE) != (s->ring & 1)) return;
        if (trb_type(&t) == TRB_LINK) {
            if (++links > XHCI_LINKS) {
                xhci_fail(s, "the command ring is links only");
                return;
            }
            s->ring = (t.param & ~15ull) | ((s->ring ^ (t.control & TRB_TC ? 1 : 0)) & 1);
            continue;
        }
        links = 0;
        s->ring += 16;
        one(s, &t);
    }
}
