/* xhci_event.c: event rings (xHCI 1.1, 4.9.4) and interrupters (4.17). Known gaps: no moderation (IMOD is a register only; an event handler
 * that is busy holds further interrupts off). Nothing is lost when a ring is full: what would write to it waits until there is room. */
#include "dev/usb/xhci.h"

static bool segment(struct xhci *s, struct xhci_intr *q, unsigned i, uint64_t *base, uint32_t *size)
{
    uint8_t b[16];
    if (xhci_read(s, (q->erstba & ~63ull) + 16ull * i, b, sizeof b)) return false;
    *base = (pci_get32(b) & ~63u) | (uint64_t)pci_get32(b + 4) << 32;
    *size = pci_get16(b + 8);
    return *size >= 16 && *size <= 4096;
}

static bool start(struct xhci *s, struct xhci_intr *q)
{
    if (q->started) return true;
    if (!q->erstsz || q->erstsz > XHCI_ERSTS || !segment(s, q, 0, &q->base, &q->size)) return false;
    q->segment = q->at = 0;
    q->cycle = q->started = 1;
    return true;
}

/* How many TRBs the guest has not taken yet; of how many in all. False: ERDP is nowhere. */
static bool fill(struct xhci *s, struct xhci_intr *q, uint32_t *used, uint32_t *total)
{
    uint64_t deq = q->erdp & ~15ull, base;
    uint32_t size, head = UINT32_MAX, tail = 0;
    *total = 0;
    for (unsigned i = 0; i < q->erstsz; i++) {
        if (!segment(s, q, i, &base, &size)) return false;
        if (i == q->segment) tail = *total + MIN(q->at, size - 1);
        if (deq >= base && deq - base < 16ull * size) head = *total + (uint32_t)((deq - base) / 16);
        *total += size;
    }
    if (head == UINT32_MAX) return false;
    *used = tail >= head ? tail - head : *total - head + tail;
    return true;
}

bool xhci_room(struct xhci *s, unsigned intr, unsigned want)
{
    uint32_t used, total;
    struct xhci_intr *q = &s->intr[intr < s->p_intrs ? intr : 0];
    if (!start(s, q) || !fill(s, q, &used, &total)) {
        dev_guest_error(&s->p.dev, false, "event ring %u is not one", intr);
        s->starved = true;
        return false;
    }
    /* what could never find room goes all the same when the ring is empty, and is cut off */
    if (total - 1 - used >= want || !used) return true;
    s->starved = true;
    return false;
}

static void interrupt(struct xhci *s, struct xhci_intr *q)
{
    if (q->erdp & ERDP_EHB) {
        q->again = 1;
        return;
    }
    q->erdp |= ERDP_EHB;
    q->iman |= IMAN_IP;
    q->again = 0;
    s->sts |= STS_EINT;
    xhci_intr_update(s);
}

void xhci_event(struct xhci *s, unsigned intr, uint64_t param, uint32_t status, uint32_t control, bool quiet)
{
    struct xhci_intr *q = &s->intr[intr < s->p_intrs ? intr : 0];
    uint8_t b[16];
    uint32_t used, total;
    if (!start(s, q) || !fill(s, q, &used, &total) || used + 1 >= total) {
        dev_guest_error(&s->p.dev, false, "event ring %u has no room", intr);
        return;
    }
    uint64_t at = q->base + 16ull * q->at;
    memcpy(b, &param, 8);
    pci_put32(b + 8, status);
    pci_put32(b + 12, (control & ~1u) | q->cycle);
    TRACE(xhci_event, "%u type %u param 0x%llx status 0x%x control 0x%x", intr, control >> 10 & 63, (unsigned long long)param, status, control);
    /* what says that it is there comes last */
    if (xhci_write(s, at, b, 12) || !dma_st(&s->p.dev.dma, at + 12, pci_get32(b + 12), 4)) {
        xhci_fail(s, "an event ring is not in memory");
        return;
    }
    if (++q->at >= q->size) {
        q->at = 0;
        if (++q->segment >= q->erstsz) q->segment = 0, q->cycle ^= 1;
        if (!segment(s, q, q->segment, &q->base, &q->size)) {
            xhci_fail(s, "an event ring's segment is none");
            return;
        }
    }
    if (!quiet) interrupt(s, q);
}

/* Interrupts that are pending and enabled go out; messages take the pending bit with them. */
void xhci_intr_update(struct xhci *s)
{
    bool level = false, msix = pci_msix_on(&s->p), msi = pci_msi_on(&s->p);
    for (unsigned i = 0; i < s->p_intrs; i++) {
        struct xhci_intr *q = &s->intr[i];
        if ((q->iman & (IMAN_IP | IMAN_IE)) != (IMAN_IP | IMAN_IE) || !(s->cmd & CMD_INTE)) continue;
        if (!msix && !msi) {
            level |= !i; /* a line has the first one only */
            continue;
        }
        q->iman &= ~(uint32_t)IMAN_IP;
        if (msix) pci_msix_send(&s->p, i);
        else pci_msi_send(&s->p, i);
    }
    pci_intx(&s->p, level);
}

/* The guest moved ERDP: there is room, and its handler is not busy any more if it says so. */
void xhci_erdp(struct xhci *s, unsigned intr)
{
    struct xhci_intr *q = &s->intr[intr];
    uint32_t used, total;
    if (!(q->erdp & ERDP_EHB) && q->again && q->started && fill(s, q, &used, &total)) {
        q->again = 0;
        if (used) interrupt(s, q);
    }
    if (s->starved) {
        s->starved = false;
        xhci_defer(s);
    }
}
