/* htif.h: for the board "spike" (floor 4). */
#ifndef LYRE_DEV_HTIF_H
#define LYRE_DEV_HTIF_H

#include "dev/device.h"

/* The program has words of its own: they are laid over its memory. */
void htif_words(struct dev *d, uint64_t tohost, uint64_t fromhost);

#endif
