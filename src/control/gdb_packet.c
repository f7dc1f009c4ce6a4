/* gdb_packet.c: see gdb_packet.h. */
#include "control/gdb_packet.h"

#include <stdio.h>

enum { IN_IDLE, IN_DATA, IN_ESCAPE, IN_SUM1, IN_SUM2 };
enum { ESCAPE = '}', ESCAPE_XOR = 0x20, INTERRUPT = 3 };
/* $ + # + two digits around the data */
enum { FRAME = 4 };

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static void start(struct gdb_in *in)
{
    in->state = IN_DATA;
    in->len = 0;
    in->sum = 0;
    in->overflow = in->bad = false;
}

static void take(struct gdb_in *in, uint8_t c)
{
    if (in->len < GDB_PACKET)
        in->data[in->len++] = (char)c;
    else
        in->overflow = true;
}

static enum gdb_event finish(struct gdb_in *in, int low)
{
    in->state = IN_IDLE;
    if (low < 0 || in->bad || (in->expect | low) != in->sum) return GE_BAD;
    if (in->overflow) return GE_LONG;
    in->data[in->len] = 0;
    return GE_PACKET;
}

static enum gdb_event idle(struct gdb_in *in, uint8_t c)
{
    switch (c) {
    case '$': start(in); return GE_NONE;
    case '+': return GE_ACK;
    case '-': return GE_NAK;
    case INTERRUPT: return GE_INTERRUPT;
    default: return GE_NONE; /* noise */
    }
}

enum gdb_event gdb_in_byte(struct gdb_in *in, uint8_t c)
{
    if (in->state == IN_IDLE) return idle(in, c);
    if (c == '$') { /* never part of a packet: the end of the one before was lost */
        start(in);
        return GE_NONE;
    }
    if (in->state == IN_SUM1) {
        int d = digit(c);
        in->bad |= d < 0;
        in->expect = (uint8_t)(d << 4);
        in->state = IN_SUM2;
        return GE_NONE;
    }
    if (in->state == IN_SUM2) return finish(in, digit(c));
    if (c == '#') {
        in->bad |= in->state == IN_ESCAPE;
        in->state = IN_SUM1;
        return GE_NONE;
    }
    in->sum = (uint8_t)(in->sum + c);
    if (in->state == IN_ESCAPE) {
        take(in, c ^ ESCAPE_XOR);
        in->state = IN_DATA;
    } else if (c == ESCAPE) {
        in->state = IN_ESCAPE;
    } else {
        take(in, c);
    }
    return GE_NONE;
}

/* --- replies --------------------------------------------------------------------------------------------------------- */
static const char hex_digits[] = "0123456789abcdef";

void gdb_out_begin(struct gdb_out *o)
{
    o->data[0] = '$';
    o->len = 1;
    o->sum = 0;
    o->full = false;
}

size_t gdb_out_room(const struct gdb_out *o)
{
    return (sizeof o->data - FRAME - o->len) / 2;
}

static void raw(struct gdb_out *o, uint8_t c)
{
    o->data[o->len++] = (char)c;
    o->sum = (uint8_t)(o->sum + c);
}

void gdb_put(struct gdb_out *o, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++) {
        bool escape = p[i] == '$' || p[i] == '#' || p[i] == ESCAPE || p[i] == '*';
        if (o->len + 1 + escape > sizeof o->data - FRAME) {
            o->full = true;
            return;
        }
        if (escape) raw(o, ESCAPE);
        raw(o, escape ? p[i] ^ ESCAPE_XOR : p[i]);
    }
}

void gdb_puts(struct gdb_out *o, const char *s)
{
    gdb_put(o, s, strlen(s));
}

void gdb_putf(struct gdb_out *o, const char *fmt, ...)
{
    char buf[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    gdb_puts(o, buf);
}

void gdb_put_hex(struct gdb_out *o, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++) {
        char two[2] = { hex_digits[p[i] >> 4], hex_digits[p[i] & 15] };
        gdb_put(o, two, 2);
    }
}

void gdb_out_end(struct gdb_out *o)
{
    if (o->full) {
        gdb_out_begin(o);
        gdb_puts(o, "E16");
    }
    uint8_t sum = o->sum;
    o->data[o->len++] = '#';
    o->data[o->len++] = hex_digits[sum >> 4];
    o->data[o->len++] = hex_digits[sum & 15];
}

/* --- arguments -------------------------------------------------------------------------------------------------------- */
bool gdb_hex(const char **s, uint64_t *v)
{
    const char *p = *s;
    uint64_t x = 0;
    for (int d; (d = digit((uint8_t)*p)) >= 0; p++) {
        if (x >> 60) return false;
        x = x << 4 | (uint64_t)d;
    }
    if (p == *s) return false;
    *s = p;
    *v = x;
    return true;
}

size_t gdb_hex_bytes(const char **s, void *out, size_t n)
{
    uint8_t *p = out;
    size_t i = 0;
    for (; i < n; i++, *s += 2) {
        int hi = digit((uint8_t)(*s)[0]), lo = hi < 0 ? -1 : digit((uint8_t)(*s)[1]);
        if (lo < 0) break;
        p[i] = (uint8_t)(hi << 4 | lo);
    }
    return i;
}

bool gdb_skip(const char **s, char c)
{
    if (**s != c) return false;
    ++*s;
    return true;
}
