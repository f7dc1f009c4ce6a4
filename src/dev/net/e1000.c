/*
 * e1000.c: Intel's Gigabit Ethernet controllers 82574L (`e1000e`; 82574 datasheet, chapters 7, 9, 10) and 82540EM (`e1000`; "PCI/PCI-X Family
 * of Gigabit Ethernet Controllers Software Developer's Manual"): registers, interrupts and their throttling. Descriptors are in
 * e1000_rx.c and e1000_tx.c, PHY and EEPROM in e1000_phy.c.
 * Known gaps: flow control, wake-up and management are registers only; no time stamps of frames; no diagnostic access to the packet buffer;
 * no aliases of registers at the addresses of the 82542.
 */
#include "dev/net/e1000.h"

#include "dev/net/offload.h"

#define SELF struct e1000
enum { OTHERS = INT_LSC | INT_RXO | INT_MDAC | INT_SRPD | INT_ACK | INT_MNG, CAUSES = 0x01f782d7 | INT_TXD_LOW | INT_SRPD | INT_ACK };

bool e1000_master(const SELF *s)
{
    return s->p.dev.dma.space && !(s->is_e && s->ctrl & CTRL_MASTER_DISABLE);
}

/* --- interrupts --------------------------------------------------------------------------------------------------------------- */

/* ITR and EITR count 256 ns. */
static bool throttle(struct timer *t, bool *waits, uint32_t interval)
{
    if (timer_is_set(t)) return *waits = true;
    if (interval & 0xffff) timer_set_in(t, (uint64_t)(interval & 0xffff) * 256);
    return false;
}

/* The vector of each kind of cause: RX queues, TX queues, others. */
static void send_vectors(SELF *s)
{
    static const uint32_t cause[] = { INT_RXQ0, INT_RXQ1, INT_TXQ0, INT_TXQ1, INT_OTHER };
    s->sent &= s->icr & s->ims;
    for (unsigned i = 0; i < ARRAY_LEN(cause); i++) {
        uint32_t c = cause[i], entry = s->ivar >> 4 * i & 15, v = entry & 7;
        if (!(s->icr & s->ims & c & ~s->sent) || !(entry & 8) || v >= E1000_VECTORS) continue;
        if (throttle(&s->eitr_timer[v], &s->eitr_waits[v], s->eitr[v])) continue;
        s->sent |= c;
        if (s->ctrl_ext & CTRL_EXT_EIAME) s->ims &= ~(s->iam & c);
        if (s->eiac & c) s->icr &= ~c, s->sent &= ~c;
        pci_msix_send(&s->p, v);
    }
}

static void update(SELF *s)
{
    bool pending = s->icr & s->ims & ~(uint32_t)INT_ASSERTED;
    if (pci_msix_on(&s->p)) {
        pci_intx(&s->p, false);
        send_vectors(s);
        return;
    }
    if (pending && !(s->icr & INT_ASSERTED)) {
        if (throttle(&s->itr_timer, &s->itr_waits, s->itr)) return;
        s->icr |= INT_ASSERTED;
        pci_msi_send(&s->p, 0);
    } else if (!pending) {
        s->icr &= ~(uint32_t)INT_ASSERTED;
    }
    pci_intx(&s->p, s->icr & INT_ASSERTED);
}

void e1000_cause(SELF *s, uint32_t bits)
{
    if (s->is_e && bits & OTHERS) bits |= INT_OTHER;
    s->icr |= bits & CAUSES;
    s->sent &= ~bits;
    update(s);
}

static void itr_over(void *ctx)
{
    SELF *s = ctx;
    if (s->itr_waits) s->itr_waits = false, update(s);
}

static void eitr_over(void *ctx)
{
    SELF *s = ctx;
    for (unsigned v = 0; v < E1000_VECTORS; v++)
        if (s->eitr_waits[v] && !timer_is_set(&s->eitr_timer[v])) s->eitr_waits[v] = false;
    update(s);
}

/* Delays of descriptors' causes: one timer begins anew with each, the other does not. They count 1.024 us. */
static void delayed(SELF *s, uint32_t *waiting, uint32_t bits, struct timer *packet, struct timer *absolute, uint32_t delay, uint32_t most)
{
    *waiting |= bits;
    timer_set_in(packet, (uint64_t)(delay & 0xffff) * 1024);
    if (most & 0xffff && !timer_is_set(absolute)) timer_set_in(absolute, (uint64_t)(most & 0xffff) * 1024);
}

static void rx_due(void *ctx)
{
    SELF *s = ctx;
    uint32_t bits = s->rx_delayed;
    timer_cancel(&s->rdtr_timer);
    timer_cancel(&s->radv_timer);
    s->rx_delayed = 0;
    if (bits) e1000_cause(s, bits);
}

static void tx_due(void *ctx)
{
    SELF *s = ctx;
    uint32_t bits = s->tx_delayed;
    timer_cancel(&s->tidv_timer);
    timer_cancel(&s->tadv_timer);
    s->tx_delayed = 0;
    if (bits) e1000_cause(s, bits);
}

void e1000_cause_rx(SELF *s, uint32_t bits)
{
    if (s->rdtr & 0xffff) delayed(s, &s->rx_delayed, bits, &s->rdtr_timer, &s->radv_timer, s->rdtr, s->radv);
    else e1000_cause(s, bits);
}

void e1000_cause_tx(SELF *s, uint32_t bits, bool delay)
{
    if (delay && s->tidv & 0xffff) delayed(s, &s->tx_delayed, bits, &s->tidv_timer, &s->tadv_timer, s->tidv, s->tadv);
    else e1000_cause(s, bits);
}

static uint64_t icr_read(void *dev, unsigned i)
{
    SELF *s = dev;
    if (pci_msix_on(&s->p)) s->icr = (s->icr & ~(uint32_t)INT_ASSERTED) | (s->icr & s->ims & CAUSES ? INT_ASSERTED : 0);
    uint32_t v = s->icr;
    /* cleared by reading if nothing is enabled or the interrupt was asserted */
    if (!s->is_e || !s->ims || v & INT_ASSERTED) {
        if (s->ctrl_ext & CTRL_EXT_IAME && v & INT_ASSERTED) s->ims &= ~s->iam;
        s->icr = 0;
        update(s);
    }
    return v;
}
static void icr_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (s->ctrl_ext & CTRL_EXT_IAME && s->icr & INT_ASSERTED) s->ims &= ~s->iam;
    s->icr &= ~(uint32_t)v;
    update(s);
}
static void ics_write(void *dev, unsigned i, uint64_t v) { e1000_cause(dev, (uint32_t)v); }
static uint64_t ims_read(void *dev, unsigned i) { return ((SELF *)dev)->ims; }
static void ims_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->ims |= (uint32_t)v & CAUSES;
    s->sent &= ~(uint32_t)v;
    update(s);
}
static void imc_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->ims &= ~(uint32_t)v;
    update(s);
}
static void ivar_after(void *dev, unsigned i) { update(dev); }

/* --- statistics ------------------------------------------------------------------------------------------------------------------ */

/* Counters of 64 bits: the lower register first. */
void e1000_count_bytes(SELF *s, unsigned off, uint32_t n)
{
    uint32_t *c = &s->stat[(off - 0x4000) / 4];
    uint64_t v = (c[0] | (uint64_t)c[1] << 32) + n;
    c[0] = (uint32_t)v, c[1] = (uint32_t)(v >> 32);
}

void e1000_count_size(SELF *s, unsigned off, size_t n)
{
    unsigned i = n <= 64 ? 0 : n <= 127 ? 1 : n <= 255 ? 2 : n <= 511 ? 3 : n <= 1023 ? 4 : 5;
    if (i < 5 || n <= 1522) e1000_count(s, off + 4 * i, 1);
}

/* --- registers --------------------------------------------------------------------------------------------------------------------- */

static const struct reg e1000_regs[], e1000e_regs[];
static void soft_reset(SELF *s);

static void ctrl_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    bool was = e1000_link(s);
    s->ctrl = (uint32_t)v & ~(uint32_t)(CTRL_RST | CTRL_PHY_RST);
    if (v & CTRL_RST) {
        soft_reset(s);
    } else if (v & CTRL_PHY_RST) {
        e1000_phy_reset(s);
        e1000_link_update(s, was);
    }
}
static uint64_t ctrl_read(void *dev, unsigned i) { return ((SELF *)dev)->ctrl; }

static uint64_t status_read(void *dev, unsigned i)
{
    SELF *s = dev;
    uint32_t v = 1 | 2 << 6 | 2 << 8; /* full duplex, 1000 Mb/s */
    if (e1000_link(s)) v |= 2;
    return s->is_e ? v | 1 << 9 | 1 << 10 | (s->ctrl & CTRL_MASTER_DISABLE ? 0 : 1 << 19) : v;
}

static void ctrl_ext_after(void *dev, unsigned i)
{
    SELF *s = dev;
    if (s->ctrl_ext & CTRL_EXT_EE_RST) e1000_eeprom_load(s);
    s->ctrl_ext &= ~(uint32_t)CTRL_EXT_EE_RST;
}

static void eecd_write(void *dev, unsigned i, uint64_t v) { e1000_eecd(dev, (uint32_t)v); }
static uint64_t eecd_read(void *dev, unsigned i) { return e1000_eecd_read(dev); }
static void eerd_write(void *dev, unsigned i, uint64_t v) { e1000_eerd(dev, (uint32_t)v); }
static void eewr_write(void *dev, unsigned i, uint64_t v) { e1000_eewr(dev, (uint32_t)v); }
static void mdic_write(void *dev, unsigned i, uint64_t v) { e1000_mdic(dev, (uint32_t)v); }

static void rctl_after(void *dev, unsigned i)
{
    SELF *s = dev;
    if (s->rctl & RCTL_EN) net_ready(s->port);
}
static void rctl_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    bool was = e1000_link(s);
    s->rctl = (uint32_t)v;
    e1000_link_update(s, was); /* loopback is a link */
    rctl_after(dev, 0);
}
static void rdt_after(void *dev, unsigned i) { net_ready(((SELF *)dev)->port); }
static void tdt_after(void *dev, unsigned i) { e1000_transmit(dev); }

/* FPD, bit 31: what waits is told now. */
static void rdtr_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->rdtr = (uint32_t)v & 0xffff;
    if (v >> 31) rx_due(s);
}
static void tidv_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->tidv = (uint32_t)v & 0xffff;
    if (v >> 31) tx_due(s);
}

/* The driver's semaphore: taken by being read. */
static uint64_t swsm_read(void *dev, unsigned i)
{
    SELF *s = dev;
    uint32_t v = s->swsm;
    s->swsm |= 1;
    return v;
}

/* The system timer: INCVALUE for each INCPERIOD of 40 ns. Its upper half is what it was when the lower was read. */
static uint64_t systim(const SELF *s)
{
    uint64_t period = (s->timinca >> 24) * 40ull, ticks = period ? (clock_now(s->p.dev.board->clock) - s->systim_at) / period : 0;
    return s->systim_base + ticks * (s->timinca & 0xffffff);
}
static uint64_t systim_read(void *dev, unsigned i)
{
    SELF *s = dev;
    uint64_t v = systim(s);
    if (!i) s->systim_hi = (uint32_t)(v >> 32);
    return i ? s->systim_hi : (uint32_t)v;
}
static void systim_set(SELF *s, uint64_t v)
{
    s->systim_base = v;
    s->systim_at = clock_now(s->p.dev.board->clock);
}
static void systim_write(void *dev, unsigned i, uint64_t v)
{
    uint64_t now = systim(dev);
    systim_set(dev, i ? (now & UINT32_MAX) | v << 32 : (now & ~(uint64_t)UINT32_MAX) | v);
}
static uint64_t timinca_read(void *dev, unsigned i) { return ((SELF *)dev)->timinca; }
static void timinca_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    systim_set(s, systim(s));
    s->timinca = (uint32_t)v;
}

static void ra_after(void *dev, unsigned i)
{
    SELF *s = dev;
    uint8_t mac[6];
    if (i > 1 || !(s->ra[1] >> 31)) return;
    pci_put32(mac, s->ra[0]);
    pci_put16(mac + 4, (uint16_t)s->ra[1]);
    net_set_mac(s->port, mac);
}

#define ST(o, n) { o, n, RC, FIELD(stat[(o - 0x4000) / 4]) }
#define RX_RING(q, o, n) \
    { o, "RDBAL" n, RW, FIELD(rx[q].bal), .mask = 0xfffffff0 }, { o + 4, "RDBAH" n, RW, FIELD(rx[q].bah) }, \
    { o + 8, "RDLEN" n, RW, FIELD(rx[q].len), .mask = 0xfff80 }, { o + 0x10, "RDH" n, RW, FIELD(rx[q].head), .mask = 0xffff }, \
    { o + 0x18, "RDT" n, RW, FIELD(rx[q].tail), .mask = 0xffff, .after = rdt_after }, \
    { o + 0x28, "RXDCTL" n, RW, FIELD(rx[q].dctl), .reset = 0x00010000 }
#define TX_RING(q, o, n) \
    { o, "TDBAL" n, RW, FIELD(tx[q].bal), .mask = 0xfffffff0 }, { o + 4, "TDBAH" n, RW, FIELD(tx[q].bah) }, \
    { o + 8, "TDLEN" n, RW, FIELD(tx[q].len), .mask = 0xfff80 }, { o + 0x10, "TDH" n, RW, FIELD(tx[q].head), .mask = 0xffff }, \
    { o + 0x18, "TDT" n, RW, FIELD(tx[q].tail), .mask = 0xffff, .after = tdt_after }, \
    { o + 0x28, "TXDCTL" n, RW, FIELD(tx[q].dctl), .reset = 0x00400000 }, { o + 0x40, "TARC" n, RW, FIELD(tarc[q]), .reset = 0x403 }
#define COMMON \
    { 0x0000, "CTRL", RW, .read = ctrl_read, .write = ctrl_write }, { 0x0004, "CTRL_DUP", RW, .read = ctrl_read, .write = ctrl_write }, \
    { 0x0008, "STATUS", RO, .read = status_read }, { 0x0010, "EECD", RW, FIELD(eecd), .read = eecd_read, .write = eecd_write }, \
    { 0x0014, "EERD", RW, FIELD(eerd), .write = eerd_write }, \
    { 0x0018, "CTRL_EXT", RW, FIELD(ctrl_ext), .after = ctrl_ext_after }, { 0x001c, "FLA", RW, FIELD(fla) }, \
    { 0x0020, "MDIC", RW, FIELD(mdic), .reset = 1 << 28, .write = mdic_write }, { 0x0028, "FCAL", RW, FIELD(fcal) }, { 0x002c, "FCAH", RW, FIELD(fcah) }, \
    { 0x0030, "FCT", RW, FIELD(fct) }, { 0x0038, "VET", RW, FIELD(vet), .reset = 0x8100 }, \
    { 0x00c0, "ICR", RW, FIELD(icr), .read = icr_read, .write = icr_write }, { 0x00c4, "ITR", RW, FIELD(itr), .mask = 0xffff }, \
    { 0x00c8, "ICS", WO, .write = ics_write }, { 0x00d0, "IMS", RW, FIELD(ims), .read = ims_read, .write = ims_write }, \
    { 0x00d8, "IMC", WO, .write = imc_write }, { 0x00e0, "IAM", RW, FIELD(iam) }, \
    { 0x0100, "RCTL", RW, FIELD(rctl), .write = rctl_write }, { 0x0170, "FCTTV", RW, FIELD(fcttv) }, { 0x0178, "TXCW", RW, FIELD(txcw) }, \
    { 0x0180, "RXCW", RO, .size = 4 }, { 0x0400, "TCTL", RW, FIELD(tctl), .after = tdt_after }, { 0x0404, "TCTL_EXT", RW, FIELD(tctl_ext) }, \
    { 0x0410, "TIPG", RW, FIELD(tipg), .reset = 0x00602006 }, { 0x0458, "AIT", RW, FIELD(ait) }, { 0x0e00, "LEDCTL", RW, FIELD(ledctl), .reset = 0x07068302 }, \
    { 0x1000, "PBA", RW, FIELD(pba), .reset = 0x00140014 }, { 0x2008, "ERT", RW, FIELD(ert) }, { 0x2160, "FCRTL", RW, FIELD(fcrtl) }, { 0x2168, "FCRTH", RW, FIELD(fcrth) }, \
    RX_RING(0, 0x2800, ""), { 0x2820, "RDTR", RW, FIELD(rdtr), .write = rdtr_write }, { 0x282c, "RADV", RW, FIELD(radv), .mask = 0xffff }, \
    { 0x2c00, "RSRPD", RW, FIELD(rsrpd) }, \
    TX_RING(0, 0x3800, ""), { 0x3820, "TIDV", RW, FIELD(tidv), .write = tidv_write }, { 0x382c, "TADV", RW, FIELD(tadv), .mask = 0xffff }, \
    ST(0x4000, "CRCERRS"), ST(0x4004, "ALGNERRC"), ST(0x4008, "SYMERRS"), ST(0x400c, "RXERRC"), ST(0x4010, "MPC"), ST(0x4014, "SCC"), \
    ST(0x4018, "ECOL"), ST(0x401c, "MCC"), ST(0x4020, "LATECOL"), ST(0x4028, "COLC"), ST(0x4030, "DC"), ST(0x4034, "TNCRS"), ST(0x4038, "SEC"), \
    ST(0x403c, "CEXTERR"), ST(0x4040, "RLEC"), ST(0x4048, "XONRXC"), ST(0x404c, "XONTXC"), ST(0x4050, "XOFFRXC"), ST(0x4054, "XOFFTXC"), \
    ST(0x4058, "FCRUC"), ST(0x405c, "PRC64"), ST(0x4060, "PRC127"), ST(0x4064, "PRC255"), ST(0x4068, "PRC511"), ST(0x406c, "PRC1023"), \
    ST(0x4070, "PRC1522"), ST(0x4074, "GPRC"), ST(0x4078, "BPRC"), ST(0x407c, "MPRC"), ST(0x4080, "GPTC"), ST(0x4088, "GORCL"), ST(0x408c, "GORCH"), \
    ST(0x4090, "GOTCL"), ST(0x4094, "GOTCH"), ST(0x40a0, "RNBC"), ST(0x40a4, "RUC"), ST(0x40a8, "RFC"), ST(0x40ac, "ROC"), ST(0x40b0, "RJC"), \
    ST(0x40b4, "MGTPRC"), ST(0x40b8, "MGTPDC"), ST(0x40bc, "MGTPTC"), ST(0x40c0, "TORL"), ST(0x40c4, "TORH"), ST(0x40c8, "TOTL"), ST(0x40cc, "TOTH"), \
    ST(0x40d0, "TPR"), ST(0x40d4, "TPT"), ST(0x40d8, "PTC64"), ST(0x40dc, "PTC127"), ST(0x40e0, "PTC255"), ST(0x40e4, "PTC511"), ST(0x40e8, "PTC1023"), \
    ST(0x40ec, "PTC1522"), ST(0x40f0, "MPTC"), ST(0x40f4, "BPTC"), ST(0x40f8, "TSCTC"), ST(0x40fc, "TSCTFC"), ST(0x4100, "IAC"), ST(0x4104, "ICRXPTC"), \
    ST(0x4108, "ICRXATC"), ST(0x410c, "ICTXPTC"), ST(0x4110, "ICTXATC"), ST(0x4118, "ICTXQEC"), ST(0x411c, "ICTXQMTC"), ST(0x4120, "ICRXDMTC"), ST(0x4124, "ICRXOC"), \
    { 0x5000, "RXCSUM", RW, FIELD(rxcsum), .mask = 0xffff, .reset = 0x300 }, { 0x5200, "MTA", RW, FIELD_ARRAY(mta) }, \
    { 0x5400, "RA", RW, FIELD_ARRAY(ra), .after = ra_after }, { 0x5600, "VFTA", RW, FIELD_ARRAY(vfta) }, \
    { 0x5800, "WUC", RW, FIELD(wuc) }, { 0x5808, "WUFC", RW, FIELD(wufc) }, { 0x5810, "WUS", W1C, FIELD(wus) }, { 0x5820, "MANC", RW, FIELD(manc) }, \
    { 0x5838, "IPAV", RW, FIELD(ipav) }, { 0x5840, "IP4AT", RW, FIELD_ARRAY(ip4at) }, { 0x5880, "IP6AT", RW, FIELD_ARRAY(ip6at) }, { 0x5900, "WUPL", RO, .size = 4 }, \
    { 0x5a00, "WUPM", RW, FIELD_ARRAY(wupm) }, { 0x5f00, "FFLT", RW, FIELD_ARRAY(fflt) }, { 0x9000, "FFMT", RW, FIELD_ARRAY(ffmt) }, \
    { 0x9800, "FFVT", RW, FIELD_ARRAY(ffvt) }

static const struct reg e1000_regs[] = { COMMON };
static const struct reg e1000e_regs[] = {
    COMMON,
    { 0x00dc, "EIAC", RW, FIELD(eiac), .mask = 0x01f00000 }, { 0x00e4, "IVAR", RW, FIELD(ivar), .mask = 0x800fffff, .after = ivar_after },
    { 0x00e8, "EITR", RW, FIELD_ARRAY(eitr), .mask = 0xffff }, { 0x0f00, "EXTCNF_CTRL", RW, FIELD(extcnf), .mask = ~0x80u }, { 0x0f08, "EXTCNF_SIZE", RO, .size = 4 },
    { 0x0f10, "POEMB", RW, FIELD(poemb) }, { 0x1008, "PBS", RW, FIELD(pbs) }, { 0x1010, "EEMNGCTL", RO, .size = 4 },
    { 0x102c, "EEWR", RW, FIELD(eewr), .write = eewr_write }, { 0x103c, "FLOP", RW, FIELD(flop) }, { 0x104c, "TCPTIMER", RO, .size = 4 },
    { 0x2170, "PSRCTL", RW, FIELD(psrctl), .mask = 0x3f3f3f7f, .reset = 0x00040402 },
    RX_RING(1, 0x2900, "1"), { 0x2c08, "RAID", RW, FIELD(raid) }, TX_RING(1, 0x3900, "1"),
    { 0x5008, "RFCTL", RW, FIELD(rfctl), .after = rctl_after }, { 0x5818, "MRQC", RW, FIELD(mrqc) }, { 0x5860, "MANC2H", RW, FIELD(manc2h) },
    { 0x5890, "MDEF", RW, FIELD_ARRAY(mdef) },
    { 0x5b00, "GCR", RW, FIELD(gcr) }, { 0x5b30, "FACTPS", RW, FIELD(factps) }, { 0x5b50, "SWSM", RW, FIELD(swsm), .mask = 3, .read = swsm_read },
    { 0x5b54, "FWSM", RW, FIELD(fwsm) }, { 0x5b64, "GCR2", RW, FIELD(gcr2) },
    { 0x5c00, "RETA", RW, FIELD_ARRAY(reta) }, { 0x5c80, "RSSRK", RW, FIELD_ARRAY(rssrk) },
    { 0xb600, "SYSTIM", RW, .count = 2, .read = systim_read, .write = systim_write },
    { 0xb608, "TIMINCA", RW, .read = timinca_read, .write = timinca_write },
    { 0xb614, "TSYNCTXCTL", RW, FIELD(tsync[0]), .mask = 0x10 }, { 0xb618, "TXSTMP", RO, .count = 2 },
    { 0xb620, "TSYNCRXCTL", RW, FIELD(tsync[1]), .mask = 0x1e }, { 0xb624, "RXSTMP", RO, .count = 2 },
};

static uint64_t mac_read(SELF *s, uint64_t off, unsigned size)
{
    struct dev *d = &s->p.dev;
    return d->failed ? 0 : regs_read(d, d->cls->regs, d->cls->nregs, off, size);
}
static void mac_write(SELF *s, uint64_t off, uint64_t v, unsigned size)
{
    struct dev *d = &s->p.dev;
    if (!d->failed) regs_write(d, d->cls->regs, d->cls->nregs, off, v, size);
}
static uint64_t bar_read(void *dev, uint64_t off, unsigned size, struct mem_attr at) { return mac_read(dev, off, size); }
static void bar_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at) { mac_write(dev, off, v, size); }
static const struct mmio_ops bar_ops = { .read = bar_read, .write = bar_write, .min = 4, .max = 4 };

/* IOADDR and IODATA. */
static uint64_t io_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    if (off == 0) return s->io_addr;
    return off == 4 && s->io_addr < E1000_BAR ? mac_read(s, s->io_addr & ~3u, 4) : 0;
}
static void io_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    if (off == 0) s->io_addr = (uint32_t)v;
    else if (off == 4 && s->io_addr < E1000_BAR) mac_write(s, s->io_addr & ~3u, v, 4);
}
static const struct mmio_ops io_ops = { .read = io_read, .write = io_write, .min = 4, .max = 4 };
/* Flash: there is none. */
static uint64_t flash_read(void *dev, uint64_t off, unsigned size, struct mem_attr at) { return bits_mask(8 * size); }
static void flash_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at) {}
static const struct mmio_ops flash_ops = { .read = flash_read, .write = flash_write };

/* --- life -------------------------------------------------------------------------------------------------------------------------- */

static void for_timers(SELF *s, void (*fn)(struct timer *t))
{
    struct timer *t[] = { &s->itr_timer, &s->rdtr_timer, &s->radv_timer, &s->tidv_timer, &s->tadv_timer };
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) fn(t[i]);
    for (unsigned i = 0; i < E1000_VECTORS; i++) fn(&s->eitr_timer[i]);
}

/* What is no register. */
static void forget(SELF *s)
{
    for_timers(s, timer_cancel);
    s->sent = s->rx_delayed = s->tx_delayed = 0;
    s->itr_waits = s->tx_waits = false;
    memset(s->eitr_waits, 0, sizeof s->eitr_waits);
    memset(s->txs, 0, sizeof s->txs);
    s->mw_in = s->mw_out = s->mw_n = s->mw_write_on = 0;
    s->ctrl = CTRL_SLU | 1;
    s->timinca = 0;
    systim_set(s, 0);
    e1000_eeprom_load(s);
    net_flush(s->port);
}

/* CTRL.RST: everything but PCI, PHY and what the EEPROM holds. */
static void soft_reset(SELF *s)
{
    const struct device *c = s->p.dev.cls;
    for (unsigned n = 0; n < c->nregs; n++) {
        const struct reg *r = &c->regs[n];
        for (unsigned i = 0; r->field_size && i < MAX(r->count, 1u); i++)
            memcpy((uint8_t *)s + r->field + (size_t)i * r->field_size, &(uint64_t){ r->reset }, r->field_size);
    }
    forget(s);
    update(s);
}

static void e1000_reset(void *dev)
{
    SELF *s = dev;
    e1000_phy_reset(s);
    e1000_eeprom_make(s);
    forget(s);
    s->io_addr = 0;
    deferred_cancel(&s->run);
    pci_reset(&s->p);
}

static void run(void *ctx) { e1000_transmit(ctx); }
static void resume(void *ctx)
{
    SELF *s = ctx;
    s->tx_waits = false;
    loop_defer(&s->run);
}
static void link_changed(void *ctx, bool up)
{
    SELF *s = ctx;
    if (!(s->phy[0][MII_BMCR] & BMCR_POWER_DOWN) && !e1000_loopback(s)) e1000_cause(s, INT_LSC);
}
static const struct net_client client = { .can_recv = e1000_can_recv, .recv = e1000_recv, .resume = resume, .link = link_changed };

static void bus_master(struct pci_dev *p, bool on)
{
    SELF *s = (SELF *)p;
    if (on) loop_defer(&s->run), net_ready(s->port);
}

static int init(SELF *s, const struct pci_id *id, struct err *e)
{
    struct clock *c = s->p.dev.board->clock;
    int r = net_nic_new(s->netdev, s->p.dev.id, s->p.dev.cls->name, s->p_mac, &client, s, &s->port, e);
    if (r) return r;
    s->tx_buf_bytes = NET_FRAME_MAX;
    for (unsigned i = 0; i < E1000_QUEUES; i++) s->tx_buf[i] = dev_alloc(&s->p.dev, NET_FRAME_MAX);
    s->rx_buf = dev_alloc(&s->p.dev, NET_FRAME_MAX + 8);
    timer_init(&s->itr_timer, c, itr_over, s);
    timer_init(&s->rdtr_timer, c, rx_due, s);
    timer_init(&s->radv_timer, c, rx_due, s);
    timer_init(&s->tidv_timer, c, tx_due, s);
    timer_init(&s->tadv_timer, c, tx_due, s);
    for (unsigned i = 0; i < E1000_VECTORS; i++) timer_init(&s->eitr_timer[i], c, eitr_over, s);
    deferred_init(&s->run, s->p.dev.board->loop, run, s);
    pci_init(&s->p, id);
    pci_bar_mmio(&s->p, 0, 0, E1000_BAR, &bar_ops, s);
    s->p.bus_master = bus_master;
    return 0;
}

static int e1000_init(void *dev, struct err *e)
{
    SELF *s = dev;
    s->p_subvendor = 0x1af4, s->p_subdevice = 0x1100;
    int r = init(s, &(struct pci_id){ 0x8086, 0x100e, s->p_subvendor, s->p_subdevice, 0x020000, 3 }, e);
    if (!r) pci_bar_mmio(&s->p, 1, PCI_BAR_IO, 64, &io_ops, s);
    return r;
}

static int e1000e_init(void *dev, struct err *e)
{
    SELF *s = dev;
    s->is_e = true;
    int r = init(s, &(struct pci_id){ 0x8086, 0x10d3, s->p_subvendor, s->p_subdevice, 0x020000, 0 }, e);
    if (r) return r;
    pci_bar_mmio(&s->p, 1, 0, E1000_BAR, &flash_ops, s);
    pci_bar_mmio(&s->p, 2, PCI_BAR_IO, 32, &io_ops, s);
    pci_cap_pm(&s->p);
    pci_cap_msi(&s->p, 1);
    pci_cap_express(&s->p, PCIE_ENDPOINT);
    pci_msix_own_bar(&s->p, E1000_VECTORS, 3);
    return 0;
}

static void e1000_exit(void *dev)
{
    SELF *s = dev;
    for_timers(s, timer_cancel);
    deferred_cancel(&s->run);
    net_port_free(s->port);
    s->port = NULL;
    pci_exit(&s->p);
}

static int e1000_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    if (s->mw_n > 25) return err_set(e, EINVAL, "%s: the EEPROM's wires", s->p.dev.cls->name);
    loop_defer(&s->run);
    return pci_loaded(&s->p, e);
}

#define F(m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct e1000_tx, m), .size = sizeof(((struct e1000_tx *)0)->m) }
#define B(m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct e1000_tx, m), .size = 1, .max = 1 }
static const struct state_field tx_state[] = {
    { .name = "ctx", .type = STATE_T_BYTES, .field = offsetof(struct e1000_tx, ctx), .size = sizeof(struct e1000_ctx) },
    { .name = "len", .type = STATE_T_INT, .field = offsetof(struct e1000_tx, len), .size = 4, .max = NET_FRAME_MAX - 4 },
    F(popts), B(tse), B(bad), B(vlan), F(tag),
};
#undef F
#undef B
#define TX_BLOB(i) { .name = "tx_buf" #i, .type = STATE_T_BLOB, .field = offsetof(SELF, tx_buf[i]), .len_field = offsetof(SELF, tx_buf_bytes) }
#define E1000_STATE \
    PCI_STATE, STATE_INT(ctrl), STATE_INT(io_addr), STATE_INT(timinca), STATE_INT(systim_hi), \
    { .name = "phy", .type = STATE_T_INT, .field = offsetof(SELF, phy), .size = 2, .count = E1000_PHY_PAGES * 32 }, \
    STATE_ARRAY(eeprom), STATE_INT(mw_in), STATE_INT(mw_out), STATE_RANGE(mw_n, 0, 25), STATE_RANGE(mw_write_on, 0, 1), STATE_INT(sent), STATE_INT(rx_delayed), \
    STATE_INT(tx_delayed), STATE_RANGE(itr_waits, 0, 1), { .name = "eitr_waits", .type = STATE_T_INT, .field = offsetof(SELF, eitr_waits), .size = 1, .count = E1000_VECTORS, .max = 1 }, \
    STATE_INT(systim_base), STATE_INT(systim_at), STATE_TIMER(itr_timer), STATE_TIMER(rdtr_timer), STATE_TIMER(radv_timer), STATE_TIMER(tidv_timer), \
    STATE_TIMER(tadv_timer), STATE_TIMER(eitr_timer[0]), STATE_TIMER(eitr_timer[1]), STATE_TIMER(eitr_timer[2]), STATE_TIMER(eitr_timer[3]), \
    STATE_TIMER(eitr_timer[4]), TX_BLOB(0), TX_BLOB(1), \
    { .name = "tx", .type = STATE_T_STRUCT, .field = offsetof(SELF, txs), .size = sizeof(struct e1000_tx), .count = E1000_QUEUES, .sub = tx_state, \
      .nsub = ARRAY_LEN(tx_state) }

/* Options that ask for what is so anyway. */
#define IGNORED(n, i, d) { .name = n, .help = "has no effect", .type = PROP_T_BOOL, .field = offsetof(SELF, p_ignored[i]), .def = d }

const struct device e1000_device = {
    .name = "e1000", .alias = "e1000-82540em", .help = "Intel Gigabit Ethernet", .category = "Network devices", .bus = "pci", .size = sizeof(SELF),
    REGS(e1000_regs), .init = e1000_init, .reset = e1000_reset, .exit = e1000_exit, .loaded = e1000_loaded, .user_creatable = true, .hotplug = true,
    PROPS(PCI_PROPS, PROP_NET("netdev", netdev), PROP_MAC("mac", p_mac), PROP_U32("bootindex", bootindex, UINT32_MAX),
          IGNORED("autonegotiation", 0, true), IGNORED("mitigation", 1, true), IGNORED("extra_mac_registers", 2, true), IGNORED("init-vet", 3, true)),
    STATE(E1000_STATE),
};
const struct device e1000e_device = {
    .name = "e1000e", .help = "Intel 82574L GbE Controller", .category = "Network devices", .bus = "pci", .size = sizeof(SELF),
    REGS(e1000e_regs), .init = e1000e_init, .reset = e1000_reset, .exit = e1000_exit, .loaded = e1000_loaded, .user_creatable = true, .hotplug = true,
    PROPS(PCI_PROPS, PROP_NET("netdev", netdev), PROP_MAC("mac", p_mac), PROP_U32("bootindex", bootindex, UINT32_MAX),
          PROP_U16("subsys_ven", p_subvendor, 0x8086), PROP_U16("subsys", p_subdevice, 0), IGNORED("disable_vnet_hdr", 0, false), IGNORED("init-vet", 1, true)),
    STATE(E1000_STATE),
};
