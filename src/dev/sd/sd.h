/*
 * sd.h: SD cards and how a host controller talks to them (floor 4): SD Physical Layer Simplified Specification 3.01.
 *
 * A host has a slot: a bus of type "sd-bus" with room for one card. Commands are answered at once; data goes through the card's
 * buffer, which is filled and emptied by requests to the disk: sd_read and sd_write move what they can, `ready` says that it goes on.
 */
#ifndef LYRE_DEV_SD_SD_H
#define LYRE_DEV_SD_SD_H

#include "dev/device.h"

struct sd_card;
struct sd_slot {
    struct bus *bus;
    struct sd_card *card;       /* NULL: the slot is empty */
    void (*ready)(void *ctx);   /* there is more to read, room to write, or the card is not busy any more */
    void (*changed)(void *ctx); /* a card came or goes */
    void *ctx;
};
/* Makes the bus. ready and changed may be NULL. */
void sd_slot_init(struct sd_slot *s, struct dev *host, const char *name, void (*ready)(void *ctx), void (*changed)(void *ctx), void *ctx);

enum { SD_ILLEGAL = -1 /* no answer: nobody is there, or the command is none in this state */ };
/* Bytes of the answer: 0, 4 (R1, R3, R6, R7: big-endian) or 16 (R2: the register, most significant byte first). */
int sd_command(struct sd_slot *s, unsigned cmd, uint32_t arg, uint8_t resp[16]);
/* Bytes that were moved; 0: none for now, or no transfer is under way (sd_sending, sd_receiving). */
size_t sd_read(struct sd_slot *s, void *buf, size_t n);
size_t sd_write(struct sd_slot *s, const void *buf, size_t n);
bool sd_sending(const struct sd_slot *s);
bool sd_receiving(const struct sd_slot *s);
bool sd_busy(const struct sd_slot *s);      /* it writes */
bool sd_read_only(const struct sd_slot *s);
/* A card on SPI: after power-up. Its first answer byte to the last command (R1). */
void sd_spi_mode(struct sd_slot *s);
uint8_t sd_spi_r1(const struct sd_slot *s);
/* Power was taken away. */
void sd_power_cycle(struct sd_slot *s);

#endif
