/*
 * xhci.h: what the files of the xHCI controller share (xHCI 1.1; private to dev/usb/xhci*.c). xhci.c: registers, ports, the PCI function;
 * xhci_event.c: event rings and interrupters; xhci_cmd.c: commands, slots, contexts; xhci_xfer.c: transfer rings.
 *
 * Rings and contexts are the guest's memory: what decides anything is copied once, every walk has a budget, and nothing of a device is
 * called while a ring is half read. An endpoint (or stream) has at most one TD under way; a TD that waits is held as a copy.
 */
#ifndef LYRE_DEV_USB_XHCI_H
#define LYRE_DEV_USB_XHCI_H

#include "dev/pci/pci.h"
#include "dev/usb/usb.h"

enum { XHCI_SLOTS = 64, XHCI_INTRS = 16, XHCI_PORTS_2 = 15, XHCI_PORTS_3 = 15, XHCI_PORTS = XHCI_PORTS_2 + XHCI_PORTS_3, XHCI_EPS = 32, XHCI_ERSTS = 16,
       XHCI_PSA = 7 };
/* Budgets: TRBs of a TD, links in a row, TDs (of all rings) or commands of one run, TDs under way of a controller. */
enum { XHCI_TD_TRBS = 1024, XHCI_LINKS = 64, XHCI_RUN = 64, XHCI_XFERS = 1024, XHCI_TD_BYTES = (16 << 20) - 1 };

enum { CMD_RS = 1, CMD_HCRST = 2, CMD_INTE = 4, CMD_HSEE = 8, CMD_CSS = 0x100, CMD_CRS = 0x200, CMD_EWE = 0x400, CMD_EU3S = 0x800 };
enum { STS_HCH = 1, STS_HSE = 4, STS_EINT = 8, STS_PCD = 0x10, STS_SRE = 0x400, STS_HCE = 0x1000 };
enum { CRCR_RCS = 1, CRCR_CS = 2, CRCR_CA = 4, CRCR_CRR = 8 };
enum { IMAN_IP = 1, IMAN_IE = 2, ERDP_EHB = 8 };
enum { PS_CCS = 1, PS_PED = 2, PS_PR = 0x10, PS_PLS = 0x1e0, PS_PP = 0x200, PS_SPEED = 0x3c00, PS_PIC = 0xc000, PS_LWS = 0x10000, PS_CSC = 0x20000,
       PS_PEC = 0x40000, PS_WRC = 0x80000, PS_PRC = 0x200000, PS_PLC = 0x400000, PS_CHANGES = 0xfe0000, PS_WAKE = 0xe000000 };
enum { PLS_U0 = 0, PLS_U2 = 2, PLS_U3 = 3, PLS_DISABLED = 4, PLS_RXDETECT = 5, PLS_POLLING = 7, PLS_RESUME = 15 };

enum trb_type { TRB_NORMAL = 1, TRB_SETUP, TRB_DATA, TRB_STATUS, TRB_ISOCH, TRB_LINK, TRB_EVENT_DATA, TRB_NOOP, CR_ENABLE_SLOT, CR_DISABLE_SLOT,
                CR_ADDRESS, CR_CONFIGURE, CR_EVALUATE, CR_RESET_EP, CR_STOP_EP, CR_SET_DEQUEUE, CR_RESET_DEVICE, CR_BANDWIDTH = 21, CR_NOOP = 23,
                ER_TRANSFER = 32, ER_COMMAND = 33, ER_PORT = 34, ER_MFINDEX = 39, ER_NEC_COMMAND = 48, CR_NEC_FIRMWARE = 49 };
enum { TRB_CYCLE = 1, TRB_TC = 2, TRB_ISP = 4, TRB_CHAIN = 0x10, TRB_IOC = 0x20, TRB_IDT = 0x40, TRB_BEI = 0x200, TRB_DIR_IN = 0x10000 };
/* Completion codes (6.4.5). */
enum { CC_SUCCESS = 1, CC_BUFFER = 2, CC_BABBLE = 3, CC_TRANSACTION = 4, CC_TRB = 5, CC_STALL = 6, CC_RESOURCE = 7, CC_NO_SLOTS = 9,
       CC_STREAM_TYPE = 10, CC_SLOT = 11, CC_EP = 12, CC_SHORT = 13, CC_PARAMETER = 17, CC_CONTEXT = 19, CC_RING_STOPPED = 24, CC_STOPPED = 26,
       CC_STOPPED_LENGTH = 27, CC_STREAM_ID = 34 };
enum { EP_DISABLED, EP_RUNNING, EP_HALTED, EP_STOPPED, EP_ERROR };
enum { EP_CONTROL = 4, SLOT_DEFAULT = 1, SLOT_ADDRESSED, SLOT_CONFIGURED };

struct trb {
    uint64_t addr, param;        /* addr: where it was */
    uint32_t status, control;
};
static inline unsigned trb_type(const struct trb *t) { return t->control >> 10 & 63; }

/* An endpoint or a stream as a ring of TRBs: where the next one is, its cycle bit in bit 0. */
struct xhci_ep {
    uint64_t ring;               /* streams: the array of stream contexts */
    uint32_t skip;               /* bytes of the TD at `ring` that were moved before it was stopped */
    uint8_t state, type, streams; /* streams: log2 of the array, 0: none */
    uint8_t kicked;              /* there may be TDs that nobody looked at */
};
struct xhci_slot {
    uint64_t ctx;                /* the output context */
    uint32_t route;
    uint8_t enabled, state, port; /* port: root port, from 1; 0: no device yet */
    uint8_t reserved;
};
struct xhci_intr {
    uint32_t iman, imod, erstsz;
    uint64_t erstba, erdp;
    uint64_t base;               /* of the segment that is being filled; valid if `started` */
    uint32_t size, at, segment;
    uint8_t cycle, started, again; /* again: events came that no interrupt told of (event handler busy) */
};
struct xhci_port {
    uint32_t sc, pmsc, li, hlpmc;
    uint8_t told;                /* the changes that are set were told by an event */
};

struct xhci;
/* A TD under way. */
struct xhci_xfer {
    struct usb_packet p;
    struct xhci *s;
    struct xhci_xfer *next;      /* of its endpoint, or free */
    uint8_t slot, ep;
    bool over;                   /* its packet ended; its events wait for room */
    uint64_t at, after;          /* rings: of the TD, behind it */
    unsigned n, cap;
    struct trb *trb;
    struct usb_sg *sg;
};

struct xhci {
    struct pci_dev p;
    struct usb_bus bus;
    uint32_t p_p2, p_p3, p_slots, p_intrs, p_msi, p_msix;
    bool p_streams, p_ss_first;
    bool nec;
    struct usb_port connector[XHCI_PORTS_2 > XHCI_PORTS_3 ? XHCI_PORTS_2 : XHCI_PORTS_3];
    unsigned nconnectors, nports;
    uint32_t cmd, sts, dnctrl, configured; /* configured: CONFIG */
    uint64_t crcr, dcbaap;
    uint64_t ring;               /* of commands, cycle in bit 0 */
    uint8_t crr;
    struct xhci_intr intr[XHCI_INTRS];
    struct xhci_port port[XHCI_PORTS];
    struct xhci_slot slot[XHCI_SLOTS + 1];            /* from 1 */
    struct xhci_ep ep[XHCI_SLOTS + 1][XHCI_EPS];      /* by device context index, from 1 */
    struct usb_dev *dev[XHCI_SLOTS + 1];
    struct xhci_xfer *xfer[XHCI_SLOTS + 1][XHCI_EPS]; /* under way */
    struct xhci_xfer *spare;
    unsigned nxfers, nspare;
    unsigned budget;             /* TDs that may begin before others have their turn */
    unsigned turn;               /* the endpoint (slot * XHCI_EPS + index) that is looked at next */
    bool starved;                /* something waits for room in an event ring */
    bool leaving;
    uint8_t commands;            /* the command ring has more */
    uint64_t mf_start;           /* guest time at which MFINDEX was 0 */
    struct timer wrap;
    struct deferred run;
};

/* xhci.c */
static inline bool xhci_running(const struct xhci *s) { return s->cmd & CMD_RS && !(s->sts & (STS_HCH | STS_HSE | STS_HCE)) && s->p.dev.dma.space; }
/* The guest's rings or contexts are not in memory: it stops, until its reset. */
void xhci_fail(struct xhci *s, const char *what);
/* Soon: what is kicked. */
void xhci_defer(struct xhci *s);
/* Root ports, from 1: where devices are plugged in (a place may be a USB 2 port and a USB 3 one); is it one of USB 3? */
struct usb_port *xhci_connector(struct xhci *s, unsigned port);
bool xhci_port_is3(const struct xhci *s, unsigned port);
static inline int xhci_read(struct xhci *s, uint64_t at, void *buf, uint64_t len) { return dma_read(&s->p.dev.dma, at, buf, len); }
static inline int xhci_write(struct xhci *s, uint64_t at, const void *buf, uint64_t len) { return dma_write(&s->p.dev.dma, at, buf, len); }
/* One TRB: 0 or -EFAULT. */
int xhci_trb(struct xhci *s, uint64_t at, struct trb *t);

/* xhci_event.c */
/* Free places, or 0 (and `starved`) if fewer than `want`. */
bool xhci_room(struct xhci *s, unsigned intr, unsigned want);
void xhci_event(struct xhci *s, unsigned intr, uint64_t param, uint32_t status, uint32_t control, bool quiet);
void xhci_intr_update(struct xhci *s);
void xhci_erdp(struct xhci *s, unsigned intr);

/* xhci_cmd.c */
void xhci_commands(struct xhci *s);
void xhci_slot_free(struct xhci *s, unsigned slot);
/* Writes an endpoint's state and ring into its context. */
void xhci_ep_context(struct xhci *s, unsigned slot, unsigned ep);

/* xhci_xfer.c. What calls these from outside gives s->budget before. */
void xhci_ep_run(struct xhci *s, unsigned slot, unsigned ep, unsigned stream);
/* The same for all of its streams. */
void xhci_ep_run_all(struct xhci *s, unsigned slot, unsigned ep);
/* TDs under way are taken back; tell: with Stopped events. */
void xhci_ep_cancel(struct xhci *s, unsigned slot, unsigned ep, bool tell);
void xhci_spare_free(struct xhci *s);

#endif
