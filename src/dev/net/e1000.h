/*
 * e1000.h: what the files of Intel's Gigabit Ethernet controllers share: 82574L (`e1000e`) and 82540EM (`e1000`). Names as in Intel's
 * "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual" and the 82574 datasheet.
 */
#ifndef LYRE_DEV_NET_E1000_H
#define LYRE_DEV_NET_E1000_H

#include "dev/pci/pci.h"
#include "io/net/net.h"

enum { E1000_QUEUES = 2, E1000_VECTORS = 5, E1000_RAR = 16, E1000_MTA = 128, E1000_VFTA = 128, E1000_EEPROM = 64, E1000_STATS = 0x4a,
       E1000_PHY_PAGES = 8, E1000_BAR = 0x20000 };
enum { CTRL_MASTER_DISABLE = 1 << 2, CTRL_SLU = 1 << 6, CTRL_RST = 1 << 26, CTRL_VME = 1 << 30, CTRL_PHY_RST = 1u << 31 };
enum { CTRL_EXT_EE_RST = 1 << 13, CTRL_EXT_EIAME = 1 << 24, CTRL_EXT_IAME = 1 << 27 };
/* ICR, ICS, IMS, IMC */
enum { INT_TXDW = 1 << 0, INT_TXQE = 1 << 1, INT_LSC = 1 << 2, INT_RXDMT0 = 1 << 4, INT_RXO = 1 << 6, INT_RXT0 = 1 << 7, INT_MDAC = 1 << 9,
       INT_TXD_LOW = 1 << 15, INT_SRPD = 1 << 16, INT_ACK = 1 << 17, INT_MNG = 1 << 18, INT_RXQ0 = 1 << 20, INT_RXQ1 = 1 << 21,
       INT_TXQ0 = 1 << 22, INT_TXQ1 = 1 << 23, INT_OTHER = 1 << 24, INT_ASSERTED = 1u << 31 };
enum { RCTL_EN = 1 << 1, RCTL_UPE = 1 << 3, RCTL_MPE = 1 << 4, RCTL_LPE = 1 << 5, RCTL_BAM = 1 << 15, RCTL_VFE = 1 << 18, RCTL_BSEX = 1 << 25,
       RCTL_SECRC = 1 << 26 };
enum { TCTL_EN = 1 << 1 };
enum { RFCTL_EXSTEN = 1 << 15 };
enum { RXCSUM_IPOFL = 1 << 8, RXCSUM_TUOFL = 1 << 9, RXCSUM_PCSD = 1 << 13 };
enum { MII_BMCR, MII_BMSR, MII_ID1, MII_ID2, MII_PAGE = 22, MII_PSSR = 17, BMCR_LOOPBACK = 1 << 14, BMCR_POWER_DOWN = 1 << 11 };

struct e1000_ring {
    uint32_t bal, bah, len, head, tail, dctl;
};
/* The context descriptor that is in force. */
struct e1000_ctx {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen, cmd;
    uint16_t ipcse, tucse, mss;
};
struct e1000_tx {
    struct e1000_ctx ctx;
    uint32_t len;                /* bytes of a frame that is not complete */
    uint8_t popts;               /* of its first descriptor */
    bool tse, bad, vlan;
    uint16_t tag;
};

struct e1000 {
    struct pci_dev p;
    struct net_port *netdev, *port;
    uint8_t p_mac[6];
    uint16_t p_subvendor, p_subdevice;
    int32_t bootindex;
    bool p_ignored[4];
    bool is_e;                   /* 82574L */
    /* registers */
    uint32_t ctrl, eecd, eerd, ctrl_ext, fla, mdic, fcal, fcah, fct, vet, icr, itr, ims, iam, eiac, ivar, eitr[E1000_VECTORS];
    uint32_t rctl, fcttv, txcw, tctl, tctl_ext, tipg, ait, ledctl, extcnf, pba, pbs, eewr, flop, ert, fcrtl, fcrth, psrctl, rdtr, radv, rsrpd, raid,
        tidv, tadv, tarc[E1000_QUEUES], rxcsum, rfctl, wuc, wufc, wus, mrqc, manc, manc2h, ipav, gcr, gcr2, swsm, fwsm, factps, timinca,
        systim_hi, tsync[2], poemb;
    uint32_t ra[2 * E1000_RAR], mta[E1000_MTA], vfta[E1000_VFTA], reta[32], rssrk[10], stat[E1000_STATS], ip4at[8], ip6at[4], wupm[32], ffmt[256],
        fflt[8], mdef[8], ffvt[256];
    struct e1000_ring rx[E1000_QUEUES], tx[E1000_QUEUES];
    uint32_t io_addr;
    /* behind them */
    uint16_t phy[E1000_PHY_PAGES][32], eeprom[E1000_EEPROM];
    uint16_t mw_in, mw_out;      /* the EEPROM's wires (82540EM): bits that came, bits that go */
    uint8_t mw_n;
    bool mw_write_on;
    uint32_t sent;               /* causes whose MSI-X message went, until they are cleared or come again */
    uint32_t rx_delayed, tx_delayed; /* causes that wait for RDTR, TIDV */
    bool itr_waits, eitr_waits[E1000_VECTORS];
    uint64_t systim_base, systim_at;
    struct timer itr_timer, eitr_timer[E1000_VECTORS], rdtr_timer, radv_timer, tidv_timer, tadv_timer;
    struct e1000_tx txs[E1000_QUEUES];
    uint8_t *tx_buf[E1000_QUEUES]; /* NET_FRAME_MAX bytes */
    uint32_t tx_buf_bytes;
    uint8_t *rx_buf;             /* a frame in one piece, NET_FRAME_MAX bytes and a checksum; no state */
    bool tx_waits;               /* the peer cannot take more */
    struct deferred run;
};

/* e1000.c: causes, as in ICR. */
void e1000_cause(struct e1000 *s, uint32_t bits);
/* The same after the delay that RDTR and RADV (TIDV, TADV) ask for. */
void e1000_cause_rx(struct e1000 *s, uint32_t bits);
void e1000_cause_tx(struct e1000 *s, uint32_t bits, bool delay);
bool e1000_master(const struct e1000 *s);
/* Number of a ring's descriptors of 16 bytes (32: half), and where it begins. */
static inline uint32_t e1000_entries(const struct e1000_ring *r, unsigned bytes) { return (r->len & 0xfff80) / bytes; }
static inline uint64_t e1000_base(const struct e1000_ring *r) { return (r->bal & ~15ull) | (uint64_t)r->bah << 32; }
/* Statistics by their register's offset; they stay at their end. */
static inline void e1000_count(struct e1000 *s, unsigned off, uint32_t n)
{
    uint32_t *c = &s->stat[(off - 0x4000) / 4];
    *c = *c + n < *c ? UINT32_MAX : *c + n;
}
void e1000_count_bytes(struct e1000 *s, unsigned off, uint32_t n);
/* A frame's size in the histogram at `off`. */
void e1000_count_size(struct e1000 *s, unsigned off, size_t n);

/* e1000_rx.c */
bool e1000_can_recv(void *ctx);
bool e1000_recv(void *ctx, const struct iovec *iov, unsigned n);
/* e1000_tx.c: sends what is in the rings, as far as its budget goes. */
void e1000_transmit(struct e1000 *s);

/* e1000_phy.c: PHY, EEPROM. */
void e1000_phy_reset(struct e1000 *s);
bool e1000_link(const struct e1000 *s);
bool e1000_loopback(const struct e1000 *s);
void e1000_link_update(struct e1000 *s, bool was);
void e1000_mdic(struct e1000 *s, uint32_t v);
void e1000_eeprom_make(struct e1000 *s);
void e1000_eeprom_load(struct e1000 *s); /* what the controller reads of it by itself */
void e1000_eerd(struct e1000 *s, uint32_t v);
void e1000_eewr(struct e1000 *s, uint32_t v);
void e1000_eecd(struct e1000 *s, uint32_t v);
uint32_t e1000_eecd_read(const struct e1000 *s);

#endif
