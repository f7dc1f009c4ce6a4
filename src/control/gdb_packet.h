/*
 * gdb_packet.h: framing of the GDB remote serial protocol ("Overview" and "Packet Acknowledgment" in GDB's manual): $data#sum,
 * escapes, acknowledgments, the interrupt byte. Knows nothing of what packets mean; buffers are bounded.
 */
#ifndef LYRE_CONTROL_GDB_PACKET_H
#define LYRE_CONTROL_GDB_PACKET_H

#include "base/base.h"

enum { GDB_PACKET = 0x4000 }; /* most bytes of data in a packet, as PacketSize tells */

enum gdb_event {
    GE_NONE,      /* nothing complete yet */
    GE_PACKET,    /* in->data, in->len: unescaped, ended by a NUL */
    GE_BAD,       /* checksum wrong or malformed: to be sent again */
    GE_LONG,      /* longer than we take; dropped */
    GE_INTERRUPT, /* the 0x03 byte between packets */
    GE_ACK,
    GE_NAK
};

struct gdb_in {
    uint8_t state, sum, expect;
    bool overflow, bad;
    size_t len;
    char data[GDB_PACKET + 1];
};
/* Takes one byte from the wire. */
enum gdb_event gdb_in_byte(struct gdb_in *in, uint8_t c);

/* A reply being built. What does not fit sets `full`; gdb_out_end then makes it an error packet. */
struct gdb_out {
    size_t len;
    uint8_t sum;
    bool full;
    char data[2 * GDB_PACKET + 8];
};
void gdb_out_begin(struct gdb_out *o);
/* Adds bytes, escaping what the protocol gives a meaning. */
void gdb_put(struct gdb_out *o, const void *data, size_t n);
void gdb_puts(struct gdb_out *o, const char *s);
void gdb_putf(struct gdb_out *o, const char *fmt, ...) PRINTF(2, 3);
void gdb_put_hex(struct gdb_out *o, const void *data, size_t n);
/* Completes the frame: o->data, o->len go on the wire. */
void gdb_out_end(struct gdb_out *o);
/* Bytes that may still be put even if each needs an escape. */
size_t gdb_out_room(const struct gdb_out *o);

/* --- reading arguments ---------------------------------------------------------------------------------------------- */
/* A number in hex at *s; advances *s. False if there is no digit or it does not fit. */
bool gdb_hex(const char **s, uint64_t *v);
/* Up to n bytes as pairs of digits; returns how many bytes there were. */
size_t gdb_hex_bytes(const char **s, void *out, size_t n);
/* Takes the character c if it is next. */
bool gdb_skip(const char **s, char c);

#endif
