/*
 * port.c: PCI Express root ports and the bridge from PCI Express to PCI (PCIe Base 4.0, 6.7 hot-plug, 7.5.3 slot registers).
 *
 * A root port has one slot with native hot-plug: attention button, power controller, presence. What is put in shows up as presence and a
 * pressed button; `device_del` presses the button, and the device goes when the guest turns the slot's power off.
 * Known gaps: no AER, ACS or downstream port containment.
 */
#include "dev/pci/pci.h"

#include <json-c/json.h>
#include <linux/pci_regs.h>
#include <stdio.h>

#define SELF struct port
struct port {
    struct pci_dev p;
    uint8_t chassis, port;
    uint16_t slot;
    bool hotplug;
    bool leaving, blinked;       /* device_del asked for it; the guest said it heard */
    bool raised;
    uint64_t pressed;            /* when device_del asked last; the host's clock */
    struct deferred eject;
};
static const uint64_t PRESS_NS = 5ull * NS_PER_S;

enum { EVENTS = PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_MRLSC | PCI_EXP_SLTSTA_PDC };

static uint8_t *reg(SELF *s, unsigned off)
{
    return s->p.config + s->p.cap_exp + off;
}

static bool occupied(const SELF *s)
{
    return s->p.below && s->p.below->dev[0];
}

/* Interrupt: an enabled event that the guest has not cleared. Messages go out when that becomes true. */
static void update(SELF *s)
{
    uint16_t ctl = pci_get16(reg(s, PCI_EXP_SLTCTL)), sta = pci_get16(reg(s, PCI_EXP_SLTSTA));
    bool level = (ctl & PCI_EXP_SLTCTL_HPIE) &&
                 ((sta & ctl & (PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PFDE | PCI_EXP_SLTCTL_MRLSCE | PCI_EXP_SLTCTL_PDCE)) ||
                  ((sta & PCI_EXP_SLTSTA_DLLSC) && (ctl & PCI_EXP_SLTCTL_DLLSCE)));
    if (level && !s->raised && pci_msi_on(&s->p)) pci_msi_send(&s->p, 0);
    s->raised = level;
    pci_intx(&s->p, level && !pci_msi_on(&s->p));
}

static void event(SELF *s, unsigned bits)
{
    pci_put16(reg(s, PCI_EXP_SLTSTA), (uint16_t)(pci_get16(reg(s, PCI_EXP_SLTSTA)) | bits));
    update(s);
}

/* Presence and link follow what is there. */
static void show(SELF *s, bool there)
{
    uint16_t sta = pci_get16(reg(s, PCI_EXP_SLTSTA)), lnk = pci_get16(reg(s, PCI_EXP_LNKSTA));
    pci_put16(reg(s, PCI_EXP_SLTSTA), (uint16_t)((sta & ~PCI_EXP_SLTSTA_PDS) | (there ? PCI_EXP_SLTSTA_PDS : 0)));
    pci_put16(reg(s, PCI_EXP_LNKSTA), (uint16_t)((lnk & ~PCI_EXP_LNKSTA_DLLLA) | (there ? PCI_EXP_LNKSTA_DLLLA : 0)));
}

static void power(SELF *s)
{
    bool off = s->hotplug && (pci_get16(reg(s, PCI_EXP_SLTCTL)) & PCI_EXP_SLTCTL_PCC);
    for (unsigned i = 0; i < 8; i++) {
        struct pci_dev *d = s->p.below->dev[i];
        if (!d || d->power_off == off) continue;
        if (off) dev_reset(&d->dev);
        d->power_off = off;
    }
    pci_bus_update(s->p.below);
}

static void presence(struct pci_dev *p, bool there)
{
    SELF *s = (SELF *)p;
    if (!s->hotplug || !p->dev.realized) return;
    bool now = there || occupied(s);
    show(s, now);
    power(s);
    event(s, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC | (there ? PCI_EXP_SLTSTA_ABP : 0));
}

static void eject(void *ctx)
{
    SELF *s = ctx;
    if (!s->leaving) return;
    s->leaving = false;
    for (unsigned i = 0; i < 8; i++) {
        struct pci_dev *d = s->p.below->dev[i];
        if (d) dev_unplugged(&d->dev);
    }
}

int pci_unplug_request(struct dev *d, struct err *e)
{
    struct pci_dev *p = (struct pci_dev *)d;
    bool pci = d->cls->bus && !strcmp(d->cls->bus, "pci");
    struct pci_dev *bridge = pci && p->bus ? p->bus->bridge : NULL;
    SELF *s = bridge && bridge->presence == presence ? (SELF *)bridge : NULL;
    if (!s || !s->hotplug) return err_set(e, ENOTSUP, "Bus '%s' does not support hotplugging", d->parent ? d->parent->name : "");
    uint64_t now = clock_now(loop_clock(d->board->loop));
    bool heard = (pci_get16(reg(s, PCI_EXP_SLTCTL)) & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PWR_IND_BLINK;
    /* a press that comes while the guest is busy with the slot is lost: after a while it may be repeated */
    if (s->leaving && (heard || now - s->pressed < PRESS_NS))
        return err_set(e, EBUSY, "Device %s is already in the process of unplug", d->id ? d->id : d->cls->name);
    s->pressed = now;
    s->leaving = true;
    s->blinked = false;
    if (pci_get16(reg(s, PCI_EXP_SLTCTL)) & PCI_EXP_SLTCTL_PCC) loop_defer(&s->eject); /* no power: nobody uses it */
    else event(s, PCI_EXP_SLTSTA_ABP);
    return 0;
}

/* The guest began to let it go, and has changed its mind. */
static void refused(SELF *s)
{
    struct dev *d = &s->p.dev;
    struct pci_dev *in = s->p.below->dev[0];
    char path[160];
    s->leaving = false;
    if (!in || !d->board->event) return;
    struct json_object *data = json_object_new_object();
    dev_path(&in->dev, path, sizeof path);
    if (in->dev.id) json_object_object_add(data, "device", json_object_new_string(in->dev.id));
    json_object_object_add(data, "path", json_object_new_string(path));
    d->board->event(d->board, "DEVICE_UNPLUG_GUEST_ERROR", data);
}

static void written(struct pci_dev *p, uint32_t off, unsigned size)
{
    SELF *s = (SELF *)p;
    uint32_t first = p->cap_exp + PCI_EXP_SLTCTL;
    if (off >= first + 4 || off + size <= first) {
        if (off < (uint32_t)p->cap_msi + 14 && off + size > p->cap_msi) update(s);
        return;
    }
    uint16_t ctl = pci_get16(reg(s, PCI_EXP_SLTCTL));
    power(s);
    uint16_t led = ctl & PCI_EXP_SLTCTL_PIC;
    if (s->leaving && (ctl & PCI_EXP_SLTCTL_PCC) && led == PCI_EXP_SLTCTL_PWR_IND_OFF) loop_defer(&s->eject);
    if (s->leaving && led == PCI_EXP_SLTCTL_PWR_IND_BLINK) s->blinked = true;
    if (s->leaving && s->blinked && led == PCI_EXP_SLTCTL_PWR_IND_ON && !(ctl & PCI_EXP_SLTCTL_PCC)) refused(s);
    update(s);
}

static void port_reset(void *dev)
{
    SELF *s = dev;
    pci_reset(&s->p);
    if (s->leaving) loop_defer(&s->eject); /* the guest that was asked is gone */
    bool there = occupied(s);
    pci_put16(reg(s, PCI_EXP_SLTCTL), s->hotplug ? (there ? PCI_EXP_SLTCTL_PWR_IND_ON : PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC) |
                                                    PCI_EXP_SLTCTL_ATTN_IND_OFF : 0);
    pci_put16(reg(s, PCI_EXP_SLTSTA), 0);
    show(s, there);
    power(s);
    update(s);
}

static int port_init(void *dev, struct err *e)
{
    SELF *s = dev;
    struct pci_dev *p = &s->p;
    char name[40];
    unsigned n = 0;
    for (struct dev *d = p->dev.board->devs; d != &p->dev; d = d->next) n += d->cls == p->dev.cls;
    snprintf(name, sizeof name, "%s.%u", p->dev.cls->name, n);
    deferred_init(&s->eject, p->dev.board->loop, eject, s);
    int r = pci_bridge_init(p, &(struct pci_id){ 0x1b36, 0x000c, 0, 0, 0x060400, 0 }, p->dev.id ? p->dev.id : name, e);
    if (r) return r;
    p->below->slot = true;
    p->below->bus->hotplug = s->hotplug;
    p->config_written = written;
    p->presence = presence;
    pci_cap_express(p, PCIE_ROOT_PORT);
    const struct pci_row slot[] = {
        { PCI_EXP_FLAGS, 2, .value = 2 | PCIE_ROOT_PORT << 4 | PCI_EXP_FLAGS_SLOT },
        { PCI_EXP_LNKCAP, 4, .value = 4 | 1 << 4 | PCI_EXP_LNKCAP_DLLLARC | (uint32_t)s->port << 24 },
        { PCI_EXP_SLTCAP, 4, .value = (uint32_t)(s->slot & 0x1fff) << 19 | (s->hotplug ? PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_PCP |
          PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP | PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_NCCS : 0) },
        { PCI_EXP_SLTCTL, 2, .write = s->hotplug ? 0x17ff : 0 },
        { PCI_EXP_SLTSTA, 2, .w1c = EVENTS | PCI_EXP_SLTSTA_DLLSC },
        { PCI_EXP_RTCTL, 2, .write = 0x1f },
        { PCI_EXP_RTSTA, 4, .w1c = PCI_EXP_RTSTA_PME },
    };
    pci_rows(p, p->cap_exp, slot, ARRAY_LEN(slot));
    pci_cap_msi(p, 1);
    pci_cap_pm(p);
    return 0;
}

static void port_exit(void *dev)
{
    SELF *s = dev;
    deferred_cancel(&s->eject);
    pci_exit(&s->p);
}

static int port_loaded(void *dev, struct err *e)
{
    power(dev);
    return pci_loaded(dev, e);
}

const struct device pcie_root_port_device = {
    .name = "pcie-root-port", .help = "PCI Express root port with a hot-plug slot", .category = "Controller/Bridge/Hub devices", .bus = "pci",
    .size = sizeof(SELF), .init = port_init, .reset = port_reset, .exit = port_exit, .loaded = port_loaded, .user_creatable = true,
    PROPS(PCI_PROPS, PROP_U8("chassis", chassis, 0), PROP_U8("port", port, 0), PROP_U16("slot", slot, 0), PROP_BOOL("hotplug", hotplug, true)),
    STATE(PCI_STATE, STATE_RANGE(leaving, 0, 1), STATE_RANGE(blinked, 0, 1), STATE_RANGE(raised, 0, 1)),
};

/* --- pcie-pci-bridge: 32 slots of plain PCI ------------------------------------------------------------------------------------ */

static int bridge_init(void *dev, struct err *e)
{
    struct pci_dev *p = dev;
    char name[40];
    unsigned n = 0;
    for (struct dev *d = p->dev.board->devs; d != &p->dev; d = d->next) n += d->cls == p->dev.cls;
    snprintf(name, sizeof name, "pci.%u", n + 1);
    int r = pci_bridge_init(p, &(struct pci_id){ 0x1b36, 0x000e, 0, 0, 0x060400, 0 }, p->dev.id ? p->dev.id : name, e);
    if (r) return r;
    p->below->express = false;
    pci_cap_express(p, PCIE_PCI_BRIDGE);
    pci_cap_pm(p);
    return 0;
}
static void bridge_reset(void *dev)
{
    pci_reset(dev);
}
static void bridge_exit(void *dev)
{
    pci_exit(dev);
}
static int bridge_loaded(void *dev, struct err *e)
{
    return pci_loaded(dev, e);
}

const struct device pcie_pci_bridge_device = {
    .name = "pcie-pci-bridge", .help = "bridge from PCI Express to PCI", .category = "Controller/Bridge/Hub devices", .bus = "pci",
    .size = sizeof(struct pci_dev), .init = bridge_init, .reset = bridge_reset, .exit = bridge_exit, .loaded = bridge_loaded,
    .user_creatable = true, PROPS(PCI_PROPS), STATE(PCI_STATE),
};
