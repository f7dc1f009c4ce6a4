/*
 * e1000_phy.c: what is behind the MAC: the PHY by MDIC (IEEE 802.3 clause 22; Marvell M88E1011 and the 82574's own), the EEPROM by EERD,
 * EEWR (82574) and by its wires (82540EM: Microwire, 64 words).
 * Known gaps: autonegotiation takes no time; the 82574's EEPROM has no SPI wires; no flash.
 */
#include "dev/net/e1000.h"

enum { BMCR_RESET = 1 << 15, BMCR_RESTART = 1 << 9, BMSR_LINK = 1 << 2, BMSR_DONE = 1 << 5 };
enum { MDIC_WRITE = 1, MDIC_READ = 2, MDIC_READY = 1 << 28, MDIC_INT = 1 << 29, MDIC_ERROR = 1 << 30 };

/* --- PHY ------------------------------------------------------------------------------------------------------------------- */

void e1000_phy_reset(struct e1000 *s)
{
    static const struct { uint8_t reg; uint16_t v; } first[] = {
        { MII_BMCR, 0x1140 }, { MII_BMSR, 0x7949 }, { MII_ID1, 0x0141 }, { 4, 0x0de1 }, { 5, 0x41e1 }, { 6, 0x000d }, { 9, 0x0e00 },
        { 10, 0x3c00 }, { 15, 0x3000 }, { 16, 0x0360 }, { 20, 0x0d60 },
    };
    memset(s->phy, 0, sizeof s->phy);
    for (unsigned i = 0; i < ARRAY_LEN(first); i++) s->phy[0][first[i].reg] = first[i].v;
    s->phy[0][MII_ID2] = s->is_e ? 0x0cb1 : 0x0c20;
}

bool e1000_loopback(const struct e1000 *s)
{
    return (s->rctl >> 6 & 3) || s->phy[0][MII_BMCR] & BMCR_LOOPBACK;
}

bool e1000_link(const struct e1000 *s)
{
    if (s->phy[0][MII_BMCR] & BMCR_POWER_DOWN) return false;
    return net_link(s->port) || e1000_loopback(s);
}

/* Something of what makes a link changed; it was `was`. */
void e1000_link_update(struct e1000 *s, bool was)
{
    if (e1000_link(s) != was) e1000_cause(s, INT_LSC);
}

static uint16_t phy_read(const struct e1000 *s, unsigned reg)
{
    unsigned page = s->phy[0][MII_PAGE];
    bool up = e1000_link(s);
    if (reg != MII_PAGE && page) return page < E1000_PHY_PAGES ? s->phy[page][reg] : 0;
    switch (reg) {
    case MII_BMSR: return (uint16_t)(s->phy[0][reg] | (up ? BMSR_LINK | BMSR_DONE : 0));
    case MII_PSSR: return up ? 0xac08 : 0x8008; /* 1000 Mb/s, full duplex, resolved, link */
    case 5: case 10: return up ? s->phy[0][reg] : 0; /* the partner's */
    default: return s->phy[0][reg];
    }
}

static void phy_write(struct e1000 *s, unsigned reg, uint16_t v)
{
    unsigned page = s->phy[0][MII_PAGE];
    bool was = e1000_link(s);
    if (reg != MII_PAGE && page) {
        if (page < E1000_PHY_PAGES) s->phy[page][reg] = v;
        return;
    }
    switch (reg) {
    case MII_BMCR:
        if (v & BMCR_RESET) e1000_phy_reset(s);
        else s->phy[0][reg] = v & (uint16_t)~(BMCR_RESTART | 0x3f);
        if (v & (BMCR_RESET | BMCR_RESTART) && e1000_link(s)) e1000_cause(s, INT_LSC); /* it went and came again */
        else e1000_link_update(s, was);
        break;
    case MII_BMSR: case MII_ID1: case MII_ID2: case 5: case 6: case 10: case 15: case MII_PSSR: break;
    default: s->phy[0][reg] = v;
    }
}

void e1000_mdic(struct e1000 *s, uint32_t v)
{
    unsigned reg = v >> 16 & 31, op = v >> 26 & 3;
    s->mdic = (v & ~(uint32_t)MDIC_ERROR) | MDIC_READY;
    if ((v >> 21 & 31) != 1) s->mdic = (s->mdic | MDIC_ERROR | 0xffff); /* only address 1 has one */
    else if (op == MDIC_READ) s->mdic = (s->mdic & ~0xffffu) | phy_read(s, reg);
    else if (op == MDIC_WRITE) phy_write(s, reg, (uint16_t)v);
    TRACE(e1000_mdic, "op %u reg %u = 0x%04x", op, reg, s->mdic & 0xffff);
    if (v & MDIC_INT) e1000_cause(s, INT_MDAC);
}

/* --- EEPROM ---------------------------------------------------------------------------------------------------------------- */

static void checksum(struct e1000 *s)
{
    uint16_t sum = 0;
    for (unsigned i = 0; i < E1000_EEPROM - 1; i++) sum = (uint16_t)(sum + s->eeprom[i]);
    s->eeprom[E1000_EEPROM - 1] = (uint16_t)(0xbaba - sum);
}

void e1000_eeprom_make(struct e1000 *s)
{
    uint16_t *w = s->eeprom;
    memset(w, 0xff, sizeof s->eeprom);
    for (unsigned i = 0; i < 3; i++) w[i] = (uint16_t)(s->p_mac[2 * i] | s->p_mac[2 * i + 1] << 8);
    w[3] = s->is_e ? 0x0420 : 0x0000;
    w[4] = s->is_e ? 0xf746 : 0xffff;
    w[5] = 0x2010;
    w[8] = w[9] = 0; /* no board number */
    w[10] = s->is_e ? 0x026b : 0x4408; /* initialization control 1: load the ids that follow */
    w[11] = s->p_subdevice;
    w[12] = s->p_subvendor;
    w[13] = pci_get16(s->p.config + 2);
    w[14] = pci_get16(s->p.config);
    w[15] = s->is_e ? 0x0040 : 0x7061;
    for (unsigned i = 16; i < 48; i++) w[i] = 0;
    if (s->is_e) w[24] = 0x0a0c, w[27] = 0x0204; /* LEDs; MSI-X vectors */
    checksum(s);
}

void e1000_eeprom_load(struct e1000 *s)
{
    s->ra[0] = s->eeprom[0] | (uint32_t)s->eeprom[1] << 16;
    s->ra[1] = s->eeprom[2] | 1u << 31;
}

static uint16_t word(const struct e1000 *s, unsigned i) { return i < E1000_EEPROM ? s->eeprom[i] : 0xffff; }

/* START 1; 82574: DONE 2, address from bit 2 on; 82540: 0x10, from bit 8 on. */
void e1000_eerd(struct e1000 *s, uint32_t v)
{
    unsigned i = s->is_e ? v >> 2 & 0x3fff : v >> 8 & 0xff;
    s->eerd = v & 0xffff & ~1u;
    if (v & 1) s->eerd |= (uint32_t)word(s, i) << 16 | (s->is_e ? 2u : 0x10u);
}

void e1000_eewr(struct e1000 *s, uint32_t v)
{
    unsigned i = v >> 2 & 0x3fff;
    if (v & 1 && i < E1000_EEPROM) s->eeprom[i] = (uint16_t)(v >> 16);
    s->eewr = (v & ~1u) | 2;
}

enum { EE_SK = 1, EE_CS = 2, EE_DI = 4, EE_DO = 8, EE_REQ = 64, EE_GNT = 128, EE_PRES = 256, EE_AUTO_RD = 512 };

/* One rising clock: a start bit, two of the operation, six of the address; then data, one way or the other. */
static void microwire(struct e1000 *s, bool di)
{
    if (!s->mw_n && !di) return; /* no start bit yet */
    if (s->mw_n < 9) {
        s->mw_in = (uint16_t)(s->mw_in << 1 | di);
        if (++s->mw_n == 9) {
            unsigned op = s->mw_in >> 6 & 3, at = s->mw_in & 63;
            s->mw_out = op == 2 ? word(s, at) : 0;
            if (op == 0 && (at >> 4 == 3 || at >> 4 == 0)) s->mw_write_on = at >> 4 == 3;
            if (op == 3 && s->mw_write_on) s->eeprom[at] = 0xffff; /* erase */
            s->eecd &= ~(uint32_t)EE_DO;
        }
    } else if ((s->mw_in >> 6 & 3) == 2) {
        s->eecd = (s->eecd & ~(uint32_t)EE_DO) | (s->mw_out >> 15 ? EE_DO : 0);
        s->mw_out = (uint16_t)(s->mw_out << 1);
        if (s->mw_n < 25) s->mw_n++;
    } else if ((s->mw_in >> 6 & 3) == 1 && s->mw_n < 25) {
        s->mw_out = (uint16_t)(s->mw_out << 1 | di);
        if (++s->mw_n == 25 && s->mw_write_on) s->eeprom[s->mw_in & 63] = s->mw_out;
    }
}

void e1000_eecd(struct e1000 *s, uint32_t v)
{
    uint32_t old = s->eecd;
    s->eecd = (v & ~(uint32_t)(EE_DO | EE_GNT)) | (old & EE_DO) | (v & EE_REQ ? EE_GNT : 0);
    if (s->is_e) return;
    if (!(v & EE_CS)) {
        s->mw_n = 0;
        s->mw_in = 0;
        s->eecd |= EE_DO; /* ready: writing takes no time */
    } else if (v & EE_SK && !(old & EE_SK)) {
        microwire(s, v & EE_DI);
    }
}

uint32_t e1000_eecd_read(const struct e1000 *s)
{
    return s->eecd | EE_PRES | (s->is_e ? EE_AUTO_RD : 0);
}
