/*
 * xhci.c: qemu-xhci and nec-usb-xhci: registers, root ports, the PCI function (xHCI 1.1, chapter 5, 4.19; Intel's document 625472).
 *
 * A place for a device is a USB 3 root port and a USB 2 one: a device appears at the one of its speed. Port numbers begin with the
 * USB 3 ones. What is kicked is run where the doorbell is written, up to a budget, and the rest from the loop.
 * Known gaps: states are not saved for CSS and CRS (a restore tells that it failed); no link power management, debug capability, virtual functions.
 */
#include "dev/usb/xhci.h"

#include <stdio.h>

#define SELF struct xhci
enum { OPER = 0x40, PORTS = OPER + 0x400, RUNTIME = 0x1000, DOORBELLS = 0x2000, MSIX_TABLE = 0x3000, MSIX_PBA = 0x3800, BAR_BYTES = 0x4000, FRAME_NS = 125000,
       MF_WRAP = 0x4000 };

/* --- running --------------------------------------------------------------------------------------------------------------- */

void xhci_fail(struct xhci *s, const char *what)
{
    dev_guest_error(&s->p.dev, false, "%s; the controller waits for a reset", what);
    s->sts |= STS_HSE | STS_HCH;
    s->cmd &= ~(uint32_t)CMD_RS;
}

void xhci_defer(struct xhci *s)
{
    if (!s->leaving) loop_defer(&s->run);
}

static void ports_tell(SELF *s)
{
    for (unsigned i = 0; i < s->nports && xhci_running(s); i++) {
        struct xhci_port *p = &s->port[i];
        if (!(p->sc & PS_CHANGES) || p->told) continue;
        if (!xhci_room(s, 0, 1)) return;
        p->told = true;
        xhci_event(s, 0, (uint64_t)(i + 1) << 24, (uint32_t)CC_SUCCESS << 24, ER_PORT << 10, false);
    }
}

static void run(void *dev)
{
    SELF *s = dev;
    if (!xhci_running(s)) return;
    ports_tell(s);
    if (s->commands) xhci_commands(s);
    s->budget = XHCI_RUN;
    for (unsigned n = 0; n < (XHCI_SLOTS + 1) * XHCI_EPS && s->budget; n++) { /* by turns */
        s->turn = (s->turn + 1) % ((XHCI_SLOTS + 1) * XHCI_EPS);
        unsigned slot = s->turn / XHCI_EPS, ep = s->turn % XHCI_EPS;
        if (s->slot[slot].enabled && s->ep[slot][ep].kicked) xhci_ep_run_all(s, slot, ep);
    }
    if (!s->budget) xhci_defer(s);
}

static void doorbell(SELF *s, uint64_t off, uint32_t v)
{
    unsigned slot = (unsigned)(off / 4), target = v & 0xff, stream = v >> 16;
    if (off & 3 || !xhci_running(s)) return;
    if (!slot) {
        if (target) return;
        s->crr = true;
        xhci_commands(s);
        return;
    }
    if (slot > s->p_slots || !s->slot[slot].enabled || !target || target >= XHCI_EPS) {
        dev_guest_error(&s->p.dev, false, "doorbell %u with 0x%x", slot, v);
        return;
    }
    struct xhci_ep *e = &s->ep[slot][target];
    if (e->state == EP_STOPPED) {
        e->state = EP_RUNNING;
        xhci_ep_context(s, slot, target);
    }
    s->budget = XHCI_RUN;
    if (e->state == EP_RUNNING) xhci_ep_run(s, slot, target, stream);
}

/* --- ports ----------------------------------------------------------------------------------------------------------------- */

/* Numbers from 1. Which kind comes first is a property. */
static unsigned first3(const SELF *s) { return s->p_ss_first ? 1 : 1 + s->p_p2; }
static unsigned first2(const SELF *s) { return s->p_ss_first ? 1 + s->p_p3 : 1; }

bool xhci_port_is3(const struct xhci *s, unsigned port)
{
    return port >= first3(s) && port < first3(s) + s->p_p3;
}

struct usb_port *xhci_connector(struct xhci *s, unsigned port)
{
    if (!port || port > s->nports) return NULL;
    return &s->connector[port - (xhci_port_is3(s, port) ? first3(s) : first2(s))];
}

static unsigned port_of(const SELF *s, const struct usb_port *c)
{
    return (c->dev->speed == USB_SUPER ? first3(s) : first2(s)) + c->number - 1u;
}

static void port_change(SELF *s, struct xhci_port *p, uint32_t bits)
{
    if (!(p->sc & PS_CHANGES)) p->told = false; /* an event comes when the first change bit is set (4.19.2) */
    p->sc |= bits;
    s->sts |= STS_PCD;
    xhci_defer(s);
}

static void port_link(struct xhci_port *p, unsigned state)
{
    p->sc = (p->sc & ~(uint32_t)PS_PLS) | state << 5;
}

static void port_attach(struct usb_port *c)
{
    static const uint8_t ids[] = { [USB_LOW] = 2, [USB_FULL] = 1, [USB_HIGH] = 3, [USB_SUPER] = 4 };
    SELF *s = c->ctx;
    unsigned n = port_of(s, c);
    struct xhci_port *p = &s->port[n - 1];
    p->sc = (p->sc & (PS_CHANGES | PS_WAKE | PS_PIC)) | PS_CCS | PS_PP | (uint32_t)ids[c->dev->speed] << 10;
    if (c->dev->speed == USB_SUPER) p->sc |= PS_PED; /* links train by themselves */
    port_link(p, c->dev->speed == USB_SUPER ? PLS_U0 : PLS_POLLING);
    port_change(s, p, PS_CSC);
}

static void port_detach(struct usb_port *c)
{
    SELF *s = c->ctx;
    struct xhci_port *p = &s->port[port_of(s, c) - 1];
    bool was = p->sc & PS_PED;
    p->sc &= ~(uint32_t)(PS_CCS | PS_PED | PS_SPEED);
    port_link(p, PLS_RXDETECT);
    port_change(s, p, PS_CSC | (was ? PS_PEC : 0));
}

/* Its slots go on without it: what they are asked for fails. */
static void port_forget(struct usb_port *c, struct usb_dev *d)
{
    SELF *s = c->ctx;
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        if (s->dev[i] != d) continue;
        for (unsigned k = 1; k < XHCI_EPS; k++)
            if (s->xfer[i][k]) {
                xhci_ep_cancel(s, i, k, false);
                s->ep[i][k].kicked = true; /* it finds nobody */
            }
        s->dev[i] = NULL;
        xhci_defer(s);
    }
}

static void port_wakeup(struct usb_port *c)
{
    SELF *s = c->ctx;
    struct xhci_port *p = &s->port[port_of(s, c) - 1];
    if ((p->sc & PS_PLS) >> 5 != PLS_U3) return;
    port_link(p, PLS_RESUME);
    port_change(s, p, PS_PLC);
}

static bool port_enabled(const struct usb_port *c)
{
    const SELF *s = c->ctx;
    return c->dev && s->port[port_of(s, c) - 1].sc & PS_PED;
}

static const struct usb_port_ops port_ops = { .attach = port_attach, .detach = port_detach, .wakeup = port_wakeup, .enabled = port_enabled,
                                              .forget = port_forget };

static struct usb_dev *port_dev(SELF *s, unsigned n)
{
    struct usb_dev *d = xhci_connector(s, n)->dev;
    return d && d->attached && (d->speed == USB_SUPER) == xhci_port_is3(s, n) ? d : NULL;
}

static void port_reset(SELF *s, unsigned n, bool warm)
{
    struct xhci_port *p = &s->port[n - 1];
    struct usb_dev *d = port_dev(s, n);
    if (!d) return;
    usb_reset(d);
    p->sc |= PS_PED;
    port_link(p, PLS_U0);
    port_change(s, p, PS_PRC | (warm ? PS_WRC : 0));
}

/* A write of PLS with its strobe. */
static void port_set_link(SELF *s, unsigned n, unsigned to)
{
    struct xhci_port *p = &s->port[n - 1];
    unsigned from = (p->sc & PS_PLS) >> 5;
    bool is3 = xhci_port_is3(s, n), on = p->sc & PS_PED;
    if (to == PLS_U3 && on && from < PLS_U3) {
        port_link(p, PLS_U3);
    } else if (to == PLS_U2 && on && !is3 && from == PLS_U0) {
        port_link(p, PLS_U2);
    } else if (to == PLS_RESUME && !is3 && on && from == PLS_U3) {
        port_link(p, PLS_RESUME);
    } else if (to == PLS_U0 && on && from != PLS_U0) {
        port_link(p, PLS_U0);
        if (from == PLS_U3 || from == PLS_RESUME) port_change(s, p, PS_PLC);
    } else if (to == PLS_DISABLED && is3) {
        p->sc &= ~(uint32_t)PS_PED;
        port_link(p, PLS_DISABLED);
    } else if (to == PLS_RXDETECT && is3 && from == PLS_DISABLED) {
        port_link(p, PLS_RXDETECT);
        if (port_dev(s, n)) {
            p->sc |= PS_PED;
            port_link(p, PLS_U0);
            port_change(s, p, PS_CSC);
        }
    }
}

static uint64_t portsc_read(void *dev, unsigned i)
{
    SELF *s = dev;
    return i < s->nports ? s->port[i].sc : 0;
}
static void portsc_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (i >= s->nports) return;
    struct xhci_port *p = &s->port[i];
    p->sc &= ~((uint32_t)v & PS_CHANGES);
    if (!(p->sc & PS_CHANGES)) p->told = false;
    p->sc = (p->sc & ~(uint32_t)(PS_WAKE | PS_PIC)) | ((uint32_t)v & (PS_WAKE | PS_PIC));
    if (v & PS_PED && p->sc & PS_PED && !xhci_port_is3(s, i + 1)) {
        p->sc &= ~(uint32_t)PS_PED;
        port_link(p, PLS_POLLING);
    }
    if (v & 1u << 31 && xhci_port_is3(s, i + 1)) port_reset(s, i + 1, true);
    else if (v & PS_PR) port_reset(s, i + 1, false);
    else if (v & PS_LWS) port_set_link(s, i + 1, (unsigned)(v & PS_PLS) >> 5);
}
static uint64_t pmsc_read(void *dev, unsigned i)
{
    SELF *s = dev;
    return i < s->nports ? s->port[i].pmsc : 0;
}
static void pmsc_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (i < s->nports) s->port[i].pmsc = (uint32_t)v & (xhci_port_is3(s, i + 1) ? 0x1ffff : 0xfffffff8);
}
static uint64_t hlpmc_read(void *dev, unsigned i)
{
    SELF *s = dev;
    return i < s->nports ? s->port[i].hlpmc : 0;
}
static void hlpmc_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (i < s->nports && !xhci_port_is3(s, i + 1)) s->port[i].hlpmc = (uint32_t)v & 0x3fff;
}

/* --- operational registers ------------------------------------------------------------------------------------------------- */

static void stop(SELF *s)
{
    for (unsigned i = 1; i <= XHCI_SLOTS; i++)
        for (unsigned k = 1; k < XHCI_EPS; k++)
            if (s->xfer[i][k]) {
                xhci_ep_cancel(s, i, k, false);
                s->ep[i][k].kicked = true; /* goes on when the controller does */
            }
    s->crr = false;
    s->sts |= STS_HCH;
    timer_cancel(&s->wrap);
}

static void wrap_set(SELF *s)
{
    uint64_t lap = (uint64_t)MF_WRAP * FRAME_NS, past = clock_now(s->p.dev.board->clock) - s->mf_start;
    if (s->cmd & CMD_EWE && s->cmd & CMD_RS) timer_set(&s->wrap, s->mf_start + (past / lap + 1) * lap);
    else timer_cancel(&s->wrap);
}

static void wrapped(void *dev)
{
    SELF *s = dev;
    if (xhci_running(s) && xhci_room(s, 0, 1)) xhci_event(s, 0, 0, (uint32_t)CC_SUCCESS << 24, ER_MFINDEX << 10, false);
    wrap_set(s);
}

static void controller_reset(SELF *s)
{
    s->cmd = 0;
    stop(s);
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) xhci_slot_free(s, i);
    s->sts = STS_HCH;
    s->dnctrl = s->configured = 0;
    s->crcr = s->dcbaap = s->ring = 0;
    s->commands = false;
    s->starved = false;
    memset(s->intr, 0, sizeof s->intr);
    for (unsigned i = 0; i < s->p_intrs; i++) s->intr[i].imod = 4000;
    for (unsigned i = 0; i < XHCI_PORTS; i++) {
        s->port[i] = (struct xhci_port){ .sc = PS_PP };
        port_link(&s->port[i], PLS_RXDETECT);
    }
    for (unsigned i = 0; i < s->nconnectors; i++) {
        struct usb_dev *d = s->connector[i].dev;
        if (!d || !d->attached) continue;
        usb_reset(d);
        port_attach(&s->connector[i]);
    }
    xhci_intr_update(s);
}

static void cmd_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    uint32_t old = s->cmd;
    if (v & CMD_HCRST) {
        controller_reset(s);
        return;
    }
    if (v & CMD_CRS) s->sts |= STS_SRE; /* nothing was kept */
    s->cmd = (uint32_t)v & (CMD_RS | CMD_INTE | CMD_HSEE | CMD_EWE | CMD_EU3S);
    if (!(old & CMD_RS) && v & CMD_RS) {
        s->sts &= ~(uint32_t)STS_HCH;
        s->mf_start = clock_now(s->p.dev.board->clock);
        xhci_defer(s);
    } else if (old & CMD_RS && !(v & CMD_RS)) {
        stop(s);
    }
    wrap_set(s);
    xhci_intr_update(s);
}
static void crcr_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->crcr = v & ~(uint64_t)(CRCR_CS | CRCR_CA | CRCR_CRR);
    if (!s->crr) {
        s->ring = (v & ~63ull) | (v & CRCR_RCS);
    } else if (v & (CRCR_CS | CRCR_CA)) {
        s->crr = false;
        if (xhci_running(s) && xhci_room(s, 0, 1)) xhci_event(s, 0, s->ring & ~15ull, (uint32_t)CC_RING_STOPPED << 24, ER_COMMAND << 10, false);
    }
}
static uint64_t crcr_read(void *dev, unsigned i) { return ((SELF *)dev)->crr ? CRCR_CRR : 0; }
static void config_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->configured = (uint32_t)(v & 0x300) | MIN((uint32_t)v & 0xff, s->p_slots);
}
static uint64_t pagesize_read(void *dev, unsigned i) { return 1; }

static uint64_t caplength_read(void *dev, unsigned i) { return 0x01100000 | OPER; }
static uint64_t hcs1_read(void *dev, unsigned i)
{
    SELF *s = dev;
    return s->p_slots | s->p_intrs << 8 | s->nports << 24;
}
static uint64_t hcs2_read(void *dev, unsigned i) { return 0xf | 4 << 4; } /* event rings of up to 16 segments; no scratchpad */
static uint64_t hcs3_read(void *dev, unsigned i) { return 0; }
static uint64_t hcc1_read(void *dev, unsigned i)
{
    /* 64-bit addresses, no secondary streams, streams, where extended capabilities begin */
    return 1 | 1 << 7 | (((SELF *)dev)->p_streams ? XHCI_PSA << 12 : 0) | 0x20 / 4 << 16;
}
static uint64_t dboff_read(void *dev, unsigned i) { return DOORBELLS; }
static uint64_t rtsoff_read(void *dev, unsigned i) { return RUNTIME; }
/* Supported protocols (7.2): USB 2 and USB 3, four words each. */
static uint64_t ext_read(void *dev, unsigned i)
{
    SELF *s = dev;
    bool three = i / 4;
    switch (i % 4) {
    case 0: return three ? 0x03000002 : 0x02000402;
    case 1: return 0x20425355; /* "USB " */
    case 2: return three ? first3(s) | s->p_p3 << 8 : first2(s) | s->p_p2 << 8;
    default: return 0;
    }
}

static const struct reg regs[] = {
    { 0x00, "CAPLENGTH", RO, .read = caplength_read },
    { 0x04, "HCSPARAMS1", RO, .read = hcs1_read },
    { 0x08, "HCSPARAMS2", RO, .read = hcs2_read },
    { 0x0c, "HCSPARAMS3", RO, .read = hcs3_read },
    { 0x10, "HCCPARAMS1", RO, .read = hcc1_read },
    { 0x14, "DBOFF", RO, .read = dboff_read },
    { 0x18, "RTSOFF", RO, .read = rtsoff_read },
    { 0x1c, "HCCPARAMS2", RO, .size = 4 },
    { 0x20, "xECP", RO, .count = 8, .read = ext_read },
    { OPER + 0x00, "USBCMD", RW, FIELD(cmd), .write = cmd_write },
    { OPER + 0x04, "USBSTS", W1C, FIELD(sts), .mask = STS_HSE | STS_EINT | STS_PCD | STS_SRE },
    { OPER + 0x08, "PAGESIZE", RO, .read = pagesize_read },
    { OPER + 0x14, "DNCTRL", RW, FIELD(dnctrl), .mask = 0xffff },
    { OPER + 0x18, "CRCR", RW, .size = 8, FIELD(crcr), .read = crcr_read, .write = crcr_write },
    { OPER + 0x30, "DCBAAP", RW, .size = 8, FIELD(dcbaap), .mask = ~63ull },
    { OPER + 0x38, "CONFIG", RW, FIELD(configured), .write = config_write },
    { PORTS + 0x0, "PORTSC", RW, .count = XHCI_PORTS, .step = 16, .read = portsc_read, .write = portsc_write },
    { PORTS + 0x4, "PORTPMSC", RW, .count = XHCI_PORTS, .step = 16, .read = pmsc_read, .write = pmsc_write },
    { PORTS + 0x8, "PORTLI", RO, .count = XHCI_PORTS, .step = 16 },
    { PORTS + 0xc, "PORTHLPMC", RW, .count = XHCI_PORTS, .step = 16, .read = hlpmc_read, .write = hlpmc_write },
};

/* --- runtime registers ----------------------------------------------------------------------------------------------------- */

static uint64_t mfindex_read(void *dev, unsigned i)
{
    SELF *s = dev;
    return s->cmd & CMD_RS ? (clock_now(s->p.dev.board->clock) - s->mf_start) / FRAME_NS % MF_WRAP : 0;
}
static struct xhci_intr *intr_of(SELF *s, unsigned i) { return &s->intr[i]; }
static uint64_t iman_read(void *dev, unsigned i) { return intr_of(dev, i)->iman; }
static void iman_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    struct xhci_intr *q = intr_of(s, i);
    if (i >= s->p_intrs) return;
    q->iman = (q->iman & ~((uint32_t)v & IMAN_IP) & IMAN_IP) | ((uint32_t)v & IMAN_IE);
    xhci_intr_update(s);
}
static uint64_t imod_read(void *dev, unsigned i) { return intr_of(dev, i)->imod; }
static void imod_write(void *dev, unsigned i, uint64_t v) { intr_of(dev, i)->imod = (uint32_t)v; }
static uint64_t erstsz_read(void *dev, unsigned i) { return intr_of(dev, i)->erstsz; }
static void erstsz_write(void *dev, unsigned i, uint64_t v)
{
    intr_of(dev, i)->erstsz = (uint32_t)v & 0xffff;
    intr_of(dev, i)->started = false;
}
/* 64-bit ones come in halves, too. */
static uint64_t erstba_read(void *dev, unsigned i) { return intr_of(dev, i / 2)->erstba >> 32 * (i % 2); }
static uint64_t half(uint64_t old, unsigned i, uint64_t v)
{
    return i % 2 ? (uint32_t)old | v << 32 : (old & ~0xffffffffull) | v;
}
static void erstba_write(void *dev, unsigned i, uint64_t v)
{
    struct xhci_intr *q = intr_of(dev, i / 2);
    q->erstba = half(q->erstba, i, i % 2 ? v : v & ~63u);
    q->started = false;
}
static uint64_t erdp_read(void *dev, unsigned i) { return intr_of(dev, i / 2)->erdp >> 32 * (i % 2); }
static void erdp_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    struct xhci_intr *q = intr_of(s, i / 2);
    uint64_t old = q->erdp;
    if (i % 2) q->erdp = half(old, 1, v);
    else q->erdp = half(old, 0, (v & ~(uint64_t)ERDP_EHB) | (v & ERDP_EHB ? 0 : old & ERDP_EHB));
    xhci_erdp(s, i / 2);
}

enum { IR = 0x20 };
#define IR_ROW(at, n, r, w) { IR + at, n, RW, .count = XHCI_INTRS, .step = 0x20, .read = r, .write = w }
static const struct reg runtime[] = {
    { 0x00, "MFINDEX", RO, .read = mfindex_read },
    IR_ROW(0x00, "IMAN", iman_read, iman_write),
    IR_ROW(0x04, "IMOD", imod_read, imod_write),
    IR_ROW(0x08, "ERSTSZ", erstsz_read, erstsz_write),
};
/* ERSTBA and ERDP: pairs of words, one interrupter after the other. */
static bool wide_reg(uint64_t off, unsigned *i)
{
    if (off < IR || off >= IR + 0x20 * XHCI_INTRS || off % 32 < 16 || off & 3) return false;
    *i = (unsigned)(off - IR) / 32 * 2 + (off >> 2 & 1);
    return true;
}
static uint64_t runtime_read(SELF *s, uint64_t off, unsigned size)
{
    uint64_t v = 0;
    unsigned n;
    if (!wide_reg(off & ~3ull, &n)) return regs_read(&s->p.dev, runtime, ARRAY_LEN(runtime), off, size);
    for (unsigned k = 0; k < size; k += 4)
        if (wide_reg((off & ~3ull) + k, &n)) v |= (uint64_t)(uint32_t)((off & 8 ? erdp_read : erstba_read)(s, n)) << 8 * k;
    return v >> 8 * (off & 3);
}
static void runtime_write(SELF *s, uint64_t off, uint64_t v, unsigned size)
{
    unsigned n;
    if (!wide_reg(off & ~3ull, &n)) {
        regs_write(&s->p.dev, runtime, ARRAY_LEN(runtime), off, v, size);
        return;
    }
    if (size < 4 || n / 2 >= s->p_intrs) return;
    if (size == 8) (off & 8 ? erdp_write : erstba_write)(s, n + 1, v >> 32); /* the high half first: the low one acts */
    (off & 8 ? erdp_write : erstba_write)(s, n, v & 0xffffffff);
}

static uint64_t bar_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    uint64_t v;
    if (pci_msix_read(&s->p, off, size, &v)) return v;
    if (off >= DOORBELLS) return 0;
    return off >= RUNTIME ? runtime_read(s, off - RUNTIME, size) : regs_read(&s->p.dev, regs, ARRAY_LEN(regs), off, size);
}
static void bar_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    if (pci_msix_write(&s->p, off, v, size)) return;
    if (off >= DOORBELLS) doorbell(s, off - DOORBELLS, (uint32_t)v);
    else if (off >= RUNTIME) runtime_write(s, off - RUNTIME, v, size);
    else regs_write(&s->p.dev, regs, ARRAY_LEN(regs), off, v, size);
}
static const struct mmio_ops bar_ops = { .read = bar_read, .write = bar_write };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static void bus_master(struct pci_dev *p, bool on)
{
    if (on) xhci_defer((SELF *)p);
}

static void xhci_reset(void *dev)
{
    SELF *s = dev;
    controller_reset(s);
    deferred_cancel(&s->run);
    pci_reset(&s->p);
}

static int init(SELF *s, const struct pci_id *id, struct err *e)
{
    char where[40];
    if (s->p_p2 > XHCI_PORTS_2 || s->p_p3 > XHCI_PORTS_3 || !(s->p_p2 | s->p_p3))
        return err_set(e, EINVAL, "%s: p2 and p3 are 0 to 15, and not both 0", s->p.dev.cls->name);
    if (!s->p_slots || s->p_slots > XHCI_SLOTS || !s->p_intrs || s->p_intrs > XHCI_INTRS)
        return err_set(e, EINVAL, "%s: slots is 1 to %d, intrs 1 to %d", s->p.dev.cls->name, XHCI_SLOTS, XHCI_INTRS);
    s->nports = s->p_p2 + s->p_p3;
    s->nconnectors = MAX(s->p_p2, s->p_p3);
    deferred_init(&s->run, s->p.dev.board->loop, run, s);
    timer_init(&s->wrap, s->p.dev.board->clock, wrapped, s);
    pci_init(&s->p, id);
    s->p.config[0x60] = 0x30;                   /* SBRN: USB 3.0 */
    s->p.config[0x61] = 0x20;                   /* FLADJ */
    s->p.wmask[0x61] = 0x3f;
    s->p.next_cap = 0x70;
    pci_bar_mmio(&s->p, 0, PCI_BAR_64, BAR_BYTES, &bar_ops, s);
    if (s->p_msi == ONOFF_ON || (s->nec && s->p_msi == ONOFF_AUTO)) pci_cap_msi(&s->p, s->p_intrs);
    if (s->p_msix != ONOFF_OFF) pci_cap_msix(&s->p, s->p_intrs, 0, MSIX_TABLE, MSIX_PBA);
    pci_cap_express(&s->p, PCIE_ENDPOINT);
    s->p.bus_master = bus_master;
    snprintf(where, sizeof where, "0000:%02x:%02x.%x", pci_bus_number(s->p.bus), s->p.devfn >> 3, s->p.devfn & 7u);
    usb_bus_init(&s->bus, &s->p.dev, where);
    for (unsigned i = 0; i < s->nconnectors; i++)
        usb_port_add(&s->bus, &s->connector[i], NULL, i + 1, (i < s->p_p2 ? (unsigned)USB_SPEEDS_2 : 0) | (i < s->p_p3 ? (unsigned)USB_SPEEDS_3 : 0), &port_ops, s);
    return 0;
}
static int qemu_init(void *dev, struct err *e)
{
    return init(dev, &(struct pci_id){ 0x1b36, 0x000d, 0x1af4, 0x1100, 0x0c0330, 1 }, e);
}
static int nec_init(void *dev, struct err *e)
{
    ((SELF *)dev)->nec = true;
    return init(dev, &(struct pci_id){ 0x1033, 0x0194, 0x1af4, 0x1100, 0x0c0330, 3 }, e);
}

/* What is plugged in goes after it and calls it then. */
static void xhci_exit(void *dev)
{
    SELF *s = dev;
    s->leaving = true;
    s->cmd = 0;
    stop(s);
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) xhci_slot_free(s, i);
    xhci_spare_free(s);
    deferred_cancel(&s->run);
    pci_exit(&s->p);
}

static int xhci_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    for (unsigned i = 0; i < s->p_intrs; i++)
        if (s->intr[i].started && (s->intr[i].size < 16 || s->intr[i].size > 4096 || s->intr[i].at >= s->intr[i].size || s->intr[i].segment >= XHCI_ERSTS))
            return err_set(e, EINVAL, "xhci: event ring %u is not one", i);
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        struct xhci_slot *t = &s->slot[i];
        struct usb_port *c = xhci_connector(s, t->port);
        if (t->enabled > 1 || t->state > SLOT_CONFIGURED || (t->port && !c) || (t->enabled && i > s->p_slots))
            return err_set(e, EINVAL, "xhci: slot %u cannot be", i);
        s->dev[i] = c ? usb_route(c, t->route) : NULL;
        for (unsigned k = 0; k < XHCI_EPS; k++) {
            struct xhci_ep *q = &s->ep[i][k];
            if (q->state > EP_ERROR || q->type > 7 || q->streams > XHCI_PSA + 1 || (q->state && !t->enabled))
                return err_set(e, EINVAL, "xhci: endpoint %u of slot %u cannot be", k, i);
            q->kicked = q->state != EP_DISABLED; /* TDs that waited are read again */
        }
    }
    int r = pci_loaded(&s->p, e);
    xhci_intr_update(s);
    xhci_defer(s);
    return r;
}

#define ROW(t, m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct t, m), .size = sizeof(((struct t *)0)->m) }
#define FLAG(t, m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct t, m), .size = 1, .max = 1 }
static const struct state_field intr_state[] = {
    ROW(xhci_intr, iman), ROW(xhci_intr, imod), ROW(xhci_intr, erstsz), ROW(xhci_intr, erstba), ROW(xhci_intr, erdp), ROW(xhci_intr, base),
    ROW(xhci_intr, size), ROW(xhci_intr, at), ROW(xhci_intr, segment), FLAG(xhci_intr, cycle), FLAG(xhci_intr, started), FLAG(xhci_intr, again),
};
static const struct state_field port_state[] = {
    ROW(xhci_port, sc), ROW(xhci_port, pmsc), ROW(xhci_port, li), ROW(xhci_port, hlpmc), FLAG(xhci_port, told),
};
#undef ROW
#undef FLAG

#define XHCI_DEVICE(n, text, init_fn) \
    .name = n, .help = text, .category = "USB devices", .bus = "pci", .size = sizeof(SELF), .init = init_fn, .reset = xhci_reset, .exit = xhci_exit, \
    .loaded = xhci_loaded, .user_creatable = true, .hotplug = true, \
    STATE(PCI_STATE, STATE_INT(cmd), STATE_INT(sts), STATE_INT(dnctrl), STATE_INT(configured), STATE_INT(crcr), STATE_INT(dcbaap), STATE_INT(ring), \
          STATE_RANGE(crr, 0, 1), STATE_RANGE(commands, 0, 1), STATE_INT(mf_start), STATE_TIMER(wrap), STATE_BYTES(slot), STATE_BYTES(ep), \
          { .name = "intr", .type = STATE_T_STRUCT, .field = offsetof(SELF, intr), .size = sizeof(struct xhci_intr), .count = XHCI_INTRS, \
            .sub = intr_state, .nsub = ARRAY_LEN(intr_state) }, \
          { .name = "port", .type = STATE_T_STRUCT, .field = offsetof(SELF, port), .size = sizeof(struct xhci_port), .count = XHCI_PORTS, \
            .sub = port_state, .nsub = ARRAY_LEN(port_state) })
#define PORT_PROPS PCI_PROPS, PROP_U32("p2", p_p2, 4), PROP_U32("p3", p_p3, 4)

const struct device qemu_xhci_device = {
    XHCI_DEVICE("qemu-xhci", "USB 3 controller (xHCI)", qemu_init),
    PROPS(PORT_PROPS, PROP_BOOL("streams", p_streams, true), PROP_U32("slots", p_slots, XHCI_SLOTS), PROP_U32("intrs", p_intrs, XHCI_INTRS),
          PROP_ONOFFAUTO("msi", p_msi, ONOFF_AUTO), PROP_ONOFFAUTO("msix", p_msix, ONOFF_AUTO),
          PROP_BOOL("superspeed-ports-first", p_ss_first, true)),
};
const struct device nec_usb_xhci_device = {
    XHCI_DEVICE("nec-usb-xhci", "USB 3 controller (NEC uPD720200)", nec_init),
    PROPS(PORT_PROPS, PROP_BOOL("streams", p_streams, false), PROP_U32("slots", p_slots, XHCI_SLOTS), PROP_U32("intrs", p_intrs, XHCI_INTRS),
          PROP_ONOFFAUTO("msi", p_msi, ONOFF_AUTO), PROP_ONOFFAUTO("msix", p_msix, ONOFF_AUTO),
          PROP_BOOL("superspeed-ports-first", p_ss_first, true)),
};
