/*
 * ssi_sd.c: an SD card's socket on SPI (SD Physical Layer Simplified Specification 3.01, chapter 7): six bytes of command, R1, then blocks behind
 * tokens. The card itself is an sd-card in the socket's sd-bus.
 * Known gaps: checksums of commands and data are not looked at (CMD59 is taken), those that are sent are right.
 */
#include "dev/sd/sd.h"
#include "dev/ssi/ssi.h"

#define SELF struct ssi_sd
enum { BLOCK = 512, START = 0xfe, START_MULTI = 0xfc, STOP_TRAN = 0xfd, ACCEPTED = 0x05, WRITE_ERROR = 0x0d };
enum phase { IDLE, COMMAND, RESPONSE, READING, TOKEN, DATA_IN /* to the card */, ANSWER };

struct ssi_sd {
    struct ssi_dev ssi;
    struct sd_slot slot;
    uint8_t phase, cmd[6], out[8]; /* out: the response */
    uint8_t n, out_n, then;        /* then: the phase behind the response */
    uint32_t have, pos;            /* bytes of the block, those that went */
    uint8_t block[BLOCK + 3];      /* token, data, CRC */
    bool multi;
    uint32_t size;                 /* of a block that is read */
};

static uint16_t crc16(const uint8_t *b, unsigned n)
{
    uint16_t c = 0;
    for (unsigned i = 0; i < n; i++) {
        c ^= (uint16_t)(b[i] << 8);
        for (unsigned k = 0; k < 8; k++) c = (uint16_t)(c & 0x8000 ? c << 1 ^ 0x1021 : c << 1);
    }
    return c;
}

static void respond(SELF *s)
{
    uint8_t r[16];
    unsigned cmd = s->cmd[0] & 63;
    uint32_t arg = (uint32_t)s->cmd[1] << 24 | (uint32_t)s->cmd[2] << 16 | (uint32_t)s->cmd[3] << 8 | s->cmd[4];
    if (cmd == 0) sd_spi_mode(&s->slot);
    int n = sd_command(&s->slot, cmd, arg, r);
    s->out_n = 0;
    s->out[s->out_n++] = 0xff;
    s->out[s->out_n++] = n < 0 ? (uint8_t)((sd_spi_r1(&s->slot) & 1) | 4) : sd_spi_r1(&s->slot);
    if (!s->slot.card) s->out[1] = 0xff;
    if (n == 4 && (cmd == 8 || cmd == 58)) memcpy(s->out + 2, r, 4), s->out_n = 6;
    if (n == 4 && cmd == 13 && !sd_sending(&s->slot)) s->out[s->out_n++] = 0; /* R2; what it would say was in R1 */
    s->phase = RESPONSE;
    s->n = 0;
    s->then = sd_sending(&s->slot) ? READING : sd_receiving(&s->slot) ? TOKEN : IDLE;
    s->multi = cmd == 18 || cmd == 25;
    s->size = cmd == 17 || cmd == 18 ? BLOCK : cmd == 6 || cmd == 13 ? 64 : cmd == 9 || cmd == 10 ? 16 : cmd == 51 ? 8 : 4;
    s->have = s->pos = 0;
}

/* The next byte of a block that is read; 0xff while the card fetches it. */
static uint8_t read_byte(SELF *s)
{
    if (!s->pos) {
        size_t got;
        while (s->have < s->size && (got = sd_read(&s->slot, s->block + 1 + s->have, s->size - s->have))) s->have += (uint32_t)got;
        if (s->have < s->size) {
            if (!sd_sending(&s->slot)) s->phase = IDLE;
            return 0xff;
        }
        uint16_t c = crc16(s->block + 1, s->size);
        s->block[0] = START;
        s->block[1 + s->size] = (uint8_t)(c >> 8);
        s->block[2 + s->size] = (uint8_t)c;
    }
    uint8_t v = s->block[s->pos++];
    if (s->pos == s->size + 3) {
        s->pos = s->have = 0;
        if (!s->multi) s->phase = IDLE;
    }
    return v;
}

static void write_byte(SELF *s, uint8_t v)
{
    s->block[s->have++] = v;
    if (s->have < BLOCK + 2) return;
    s->have = BLOCK;
    s->pos = 0;
    s->phase = ANSWER;
}

/* After a block: how it went, then busy until the card has taken it. */
static uint8_t write_answer(SELF *s)
{
    bool first = !s->n++;
    if (first) return sd_receiving(&s->slot) ? ACCEPTED : WRITE_ERROR;
    s->n = 1;
    s->pos += (uint32_t)sd_write(&s->slot, s->block + s->pos, s->have - s->pos);
    if (s->pos < s->have && sd_receiving(&s->slot)) return 0;
    if (!s->multi && sd_busy(&s->slot)) return 0;
    s->phase = s->multi ? TOKEN : IDLE;
    s->have = s->pos = s->n = 0;
    return 0xff;
}

static uint8_t sd_exchange(struct ssi_dev *d, uint8_t out)
{
    SELF *s = (SELF *)d;
    uint8_t in = 0xff, r[16];
    /* a command may come while blocks are read (CMD12) */
    if ((s->phase == IDLE || s->phase == READING) && (out & 0xc0) == 0x40) {
        if (s->phase == READING) s->have = s->pos = 0;
        s->phase = COMMAND;
        s->cmd[0] = out;
        s->n = 1;
        return 0xff;
    }
    switch (s->phase) {
    case IDLE: return sd_busy(&s->slot) ? 0 : 0xff;
    case COMMAND:
        s->cmd[s->n++] = out;
        if (s->n == 6) respond(s);
        break;
    case RESPONSE:
        in = s->out[s->n++];
        if (s->n == s->out_n) s->phase = s->then, s->n = 0;
        break;
    case READING: in = read_byte(s); break;
    case TOKEN:
        if (out == (s->multi ? START_MULTI : START)) {
            s->phase = DATA_IN;
            s->have = 0;
        } else if (out == STOP_TRAN && s->multi) {
            sd_command(&s->slot, 12, 0, r);
            s->phase = IDLE;
        }
        break;
    case DATA_IN: write_byte(s, out); break;
    case ANSWER: in = write_answer(s); break;
    default: break;
    }
    return in;
}

static void sd_reset(void *dev)
{
    SELF *s = dev;
    s->phase = s->then = IDLE;
    s->n = s->out_n = 0;
    s->have = s->pos = 0;
    s->size = BLOCK;
    s->multi = false;
}

static int sd_init(void *dev, struct err *e)
{
    SELF *s = dev;
    s->ssi.exchange = sd_exchange;
    sd_slot_init(&s->slot, &s->ssi.dev, "sd-bus", NULL, NULL, s);
    return 0;
}

static int sd_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    if (s->pos > s->have + 3 || (s->phase == RESPONSE && s->n >= s->out_n) || (s->phase == COMMAND && s->n >= 6) || (s->phase == ANSWER && s->pos > s->have))
        return err_set(e, EINVAL, "state of a card on SPI");
    return 0;
}

const struct device ssi_sd_device = {
    .name = "ssi-sd", .help = "SD card socket on SPI", .category = "Storage devices", .bus = "SSI", .size = sizeof(SELF), .init = sd_init, .reset = sd_reset,
    .loaded = sd_loaded,
    STATE(STATE_RANGE(phase, 0, ANSWER), STATE_BYTES(cmd), STATE_BYTES(out), STATE_RANGE(n, 0, 8), STATE_RANGE(out_n, 0, 8), STATE_RANGE(then, 0, ANSWER),
          STATE_RANGE(have, 0, BLOCK + 1), STATE_RANGE(pos, 0, BLOCK + 2), STATE_BYTES(block), STATE_RANGE(multi, 0, 1), STATE_RANGE(size, 1, BLOCK)),
};
