/*
 * bootorder.c: bootindex= for firmware: the file "bootorder" of fw_cfg, Open Firmware paths in order (what QEMU 7.2 writes, looked at from a guest; what
 * EDK2's QemuBootOrderLib reads). Known gaps: -boot order= means nothing to the firmware of these boards.
 */
#include "machine/machine.h"

#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include "dev/misc/fw_cfg.h"
#include "dev/pci/pci.h"
#include "dev/scsi/scsi.h"
#include "dev/usb/usb.h"

enum { MOST = 256, PATH_BYTES = 512 };

struct row {
    uint32_t index;
    struct dev *dev;
};

static int by_index(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void add(char *path, const char *fmt, ...) PRINTF(2, 3);
static void add(char *path, const char *fmt, ...)
{
    size_t n = strlen(path);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(path + n, PATH_BYTES - n, fmt, ap);
    va_end(ap);
}

static const char *class_word(unsigned class)
{
    switch (class) {
    case 0x0100: return "scsi";
    case 0x0101: return "ide";
    case 0x0200: return "ethernet";
    case 0x0604: return "pci-bridge";
    case 0x0c03: return "usb";
    default: return NULL;
    }
}

static void pci_path(char *path, const struct pci_dev *p)
{
    unsigned fn = p->devfn & 7;
    const char *word = class_word(pci_get16(p->config + PCI_CLASS_DEVICE));
    if (p->bus->bridge) pci_path(path, p->bus->bridge);
    else add(path, "/pci@%016llx", (unsigned long long)p->bus->host->dev.at);
    if (word) add(path, "/%s@%x", word, p->devfn >> 3);
    else add(path, "/pci%x,%04x@%x", pci_get16(p->config), pci_get16(p->config + PCI_DEVICE_ID), p->devfn >> 3);
    if (fn) add(path, ",%x", fn);
}

/* The controller, hubs, and what it is; each with its port. */
static void usb_path(char *path, const struct usb_dev *d)
{
    const struct dev *hc = d->dev.parent->owner;
    if (!d->port || !hc->cls->bus || strcmp(hc->cls->bus, "pci")) return;
    if (d->port->hub) usb_path(path, d->port->hub);
    else pci_path(path, (const struct pci_dev *)hc);
    add(path, "/%s@%x", d->nports ? "hub" : !strcmp(d->dev.cls->name, "usb-net") ? "network" : "storage", d->port->number);
}

/* Where the device is: of a bus of the board, or of an adapter. */
static void place(char *path, const struct dev *d)
{
    const char *bus = d->cls->bus ? d->cls->bus : "";
    if (!strcmp(bus, "pci")) pci_path(path, (const struct pci_dev *)d);
    else if (!strcmp(bus, "usb-bus")) usb_path(path, (const struct usb_dev *)d);
    else if (!strcmp(bus, "virtio-bus") && d->parent) add(path, "/virtio-mmio@%016llx", (unsigned long long)d->parent->owner->at);
}

static bool path_of(char *path, const struct dev *d)
{
    const char *bus = d->cls->bus ? d->cls->bus : "";
    path[0] = 0;
    if (!strcmp(bus, "SCSI")) {
        const struct scsi_dev *s = (const struct scsi_dev *)d;
        place(path, d->parent->owner);
        if (*path) add(path, "/channel@0/disk@%x,%x", s->target, s->lun);
        return *path;
    }
    place(path, d);
    if (!*path) return false;
    if (!strcmp(d->cls->name, "nvme")) add(path, "/namespace@1,0");
    else if (!strcmp(d->cls->name, "usb-storage")) add(path, "/channel@0/disk@0,0");
    else if (strstr(d->cls->name, "blk")) add(path, "/disk@0,0");
    else add(path, "/ethernet-phy@0");
    return true;
}

int machine_boot_order(struct machine *m, struct err *e)
{
    struct row rows[MOST];
    unsigned n = 0;
    char path[PATH_BYTES], text[32], *all = NULL;
    size_t len = 0;
    struct dev *fw = m->b.devs;
    while (fw && strcmp(fw->cls->name, "fw_cfg_mem")) fw = fw->next;
    for (struct dev *d = m->b.devs; d; d = d->next) {
        if (!dev_get(d, "bootindex", text, sizeof text)) continue;
        uint32_t index = (uint32_t)strtoul(text, NULL, 10);
        if (index == UINT32_MAX || n == MOST) continue;
        for (unsigned i = 0; i < n; i++)
            if (rows[i].index == index) return err_set(e, EINVAL, "The bootindex %u has already been used", index);
        rows[n++] = (struct row){ index, d };
    }
    if (!fw) return 0;
    qsort(rows, n, sizeof rows[0], by_index);
    for (unsigned i = 0; i <= n; i++) {
        if (i == n ? !m->cfg.boot_strict : !path_of(path, rows[i].dev)) continue;
        const char *line = i == n ? "HALT" : path;
        all = xrealloc(all, len, len + strlen(line) + 2);
        len += (size_t)sprintf(all + len, "%s%s", len ? "\n" : "", line);
    }
    int r = len ? fw_cfg_file(fw, "bootorder", all, (uint32_t)len + 1, e) : 0; /* with the final 0 */
    free(all);
    return r ? r : fw_cfg_set_num(fw, FW_CFG_BOOT_MENU, m->cfg.boot_menu, 2, e);
}
