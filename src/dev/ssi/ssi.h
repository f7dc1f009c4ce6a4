/*
 * ssi.h: devices on a synchronous serial bus (SPI) (floor 4): a controller selects one and exchanges bytes with it. They plug into a bus
 * of type "SSI"; a struct begins with `struct ssi_dev`.
 */
#ifndef LYRE_DEV_SSI_SSI_H
#define LYRE_DEV_SSI_SSI_H

#include "dev/device.h"

struct ssi_dev {
    struct dev dev;
    uint8_t (*exchange)(struct ssi_dev *d, uint8_t out);
    void (*select)(struct ssi_dev *d, bool on); /* the chip-select line went active or inactive; may be NULL */
};

/* The device of a bus (they have room for one), or NULL. */
static inline struct ssi_dev *ssi_find(struct bus *bus)
{
    for (struct dev *d = bus->owner->board->devs; d; d = d->next)
        if (d->parent == bus && d->realized) return (struct ssi_dev *)d;
    return NULL;
}

#endif
