/*
 * card.c: an SD memory card (SD Physical Layer Simplified Specification 3.01): SDSC up to 2 GiB, SDHC and SDXC above; SD bus and SPI.
 *
 * Reads go ahead of the host, writes are gathered; both go to the disk in pieces of up to 64 KiB, one request at a time.
 * Known gaps: no UHS modes and 1.8 V, no locking by password, no groups of write protection, no eMMC.
 */
#include "dev/sd/sd.h"

#include "io/block/blk.h"

#define SELF struct sd_card
enum { BUF = 64 << 10, FIRST = 4 << 10, SECTOR = 512 };
enum state { IDLE, READY, IDENT, STBY, TRAN, DATA, RCV, PRG, DIS, INACTIVE };
/* Card status */
enum { OUT_OF_RANGE = 1u << 31, ADDRESS_ERROR = 1 << 30, BLOCK_LEN_ERROR = 1 << 29, ERASE_SEQ_ERROR = 1 << 28, ERASE_PARAM = 1 << 27, WP_VIOLATION = 1 << 26,
       ILLEGAL = 1 << 22, ERROR = 1 << 19, READY_FOR_DATA = 1 << 8, APP_CMD = 1 << 5 };
enum { OCR_READY = 1u << 31, OCR_CCS = 1 << 30, OCR_VOLTAGES = 0x00ff8000 };
enum transfer { NO_DATA, REGISTER /* reg is sent */, READ_DISK, WRITE_DISK, SINK /* what comes is of no use */ };

struct sd_card {
    struct dev dev;
    struct blk *blk;
    bool p_spi;
    struct sd_slot *slot;
    bool spi, app, high_speed, wide;
    uint8_t state, transfer, cid[16], csd[16];
    uint16_t rca;
    uint32_t ocr, status, blklen;
    uint32_t preset;             /* CMD23 */
    bool limited;                /* `left` counts */
    uint64_t left;               /* bytes of the transfer that are still to come from or go to the disk */
    uint64_t at;                 /* where on the disk */
    uint64_t erase_first, erase_last;
    bool erase_from, erase_to;   /* they were set */
    uint32_t written;            /* blocks of the last write */
    uint8_t reg[64];             /* what is sent of registers: a stale request may still write into buf */
    uint8_t *buf;
    uint32_t buf_bytes, have, pos; /* bytes in the buffer; of them, how many the host has */
    bool io, stale;              /* a request is under way; what it brings is not wanted any more */
    bool stopping;               /* the transfer has ended, what was gathered is being written */
    struct iovec iov;
};

static bool high_capacity(const SELF *s) { return blk_size(s->blk) > 2ull << 30; }

/* --- registers ----------------------------------------------------------------------------------------------------------- */

static uint8_t crc7(const uint8_t *b, unsigned n)
{
    uint8_t c = 0;
    for (unsigned i = 0; i < 8 * n; i++) {
        bool bit = (b[i / 8] >> (7 - i % 8) & 1) ^ (c >> 6 & 1);
        c = (uint8_t)((c << 1 & 0x7f) ^ (bit ? 9 : 0));
    }
    return (uint8_t)(c << 1 | 1);
}

static void make_registers(SELF *s)
{
    static const uint8_t cid[15] = { 0xaa, 'L', 'Y', 'L', 'Y', 'R', 'E', '!', 0x01, 0xde, 0xad, 0xbe, 0xef, 0x01, 0x62 };
    uint8_t *c = s->csd;
    memcpy(s->cid, cid, sizeof cid);
    s->cid[15] = crc7(s->cid, 15);
    memset(c, 0, sizeof s->csd);
    c[3] = s->high_speed ? 0x5a : 0x32;
    if (high_capacity(s)) {
        uint32_t n = (uint32_t)(blk_size(s->blk) >> 19) - 1;
        static const uint8_t v2[] = { 0x40, 0x0e, 0, 0, 0x5b, 0x59, 0, 0, 0, 0, 0x7f, 0x80, 0x0a, 0x40 };
        for (unsigned i = 0; i < sizeof v2; i++) c[i] |= v2[i];
        c[7] = n >> 16 & 0x3f, c[8] = (uint8_t)(n >> 8), c[9] = (uint8_t)n;
    } else {
        unsigned bl = blk_size(s->blk) > 1ull << 30 ? 10 : 9;
        uint32_t n = (uint32_t)(blk_size(s->blk) >> (bl + 9)) - 1;
        c[1] = 0x26, c[4] = 0x5f, c[5] = (uint8_t)(0x50 | bl);
        c[6] = (uint8_t)(0x80 | n >> 10), c[7] = (uint8_t)(n >> 2), c[8] = (uint8_t)((n & 3) << 6 | 0x2d);
        c[9] = 0xb4 | 3, c[10] = 0x80 | 0x40 | 0x3f, c[11] = 0x80 | 0x7f;
        c[12] = (uint8_t)(0x08 | bl >> 2), c[13] = (uint8_t)((bl & 3) << 6);
    }
    if (blk_read_only(s->blk)) c[14] |= 0x10;
    c[15] = crc7(c, 15);
}

/* The next data is `n` bytes that are known. */
static uint8_t *send_register(SELF *s, unsigned n)
{
    s->transfer = REGISTER;
    s->state = DATA;
    s->have = n;
    s->pos = 0;
    memset(s->reg, 0, sizeof s->reg);
    return s->reg;
}

static void put32be(uint8_t *b, uint32_t v) { b[0] = (uint8_t)(v >> 24), b[1] = (uint8_t)(v >> 16), b[2] = (uint8_t)(v >> 8), b[3] = (uint8_t)v; }

/* --- data ------------------------------------------------------------------------------------------------------------------ */

static void io_done(void *ctx, int ret);

static void end_transfer(SELF *s)
{
    s->transfer = NO_DATA;
    s->state = s->state == DIS ? STBY : TRAN;
    s->have = s->pos = 0;
    s->stopping = false;
}

static void tell(SELF *s)
{
    if (s->slot && s->slot->ready) s->slot->ready(s->slot->ctx);
}

/* Fetches the next piece. */
static void fetch(SELF *s)
{
    uint64_t n = MIN(s->limited ? s->left : BUF, s->limited || s->have ? (uint64_t)BUF : FIRST);
    n = MIN(n, blk_size(s->blk) - MIN(s->at, blk_size(s->blk)));
    if (s->io || !n) return; /* at the card's end: the host stops it, or waits in vain */
    s->io = true;
    s->iov = (struct iovec){ s->buf, n };
    blk_readv(s->blk, s->at, &s->iov, 1, 0, io_done, s);
}

/* Writes what was gathered: whole blocks. */
static void flush(SELF *s)
{
    uint32_t n = s->have - s->have % SECTOR;
    if (s->io) return;
    if (!n) {
        if (s->stopping) end_transfer(s);
        return;
    }
    s->io = true;
    s->iov = (struct iovec){ s->buf, n };
    blk_writev(s->blk, s->at, &s->iov, 1, 0, io_done, s);
}

static void erase_now(SELF *s)
{
    s->io = true;
    blk_write_zeroes(s->blk, s->erase_first, s->erase_last - s->erase_first, BLK_MAY_UNMAP, io_done, s);
}

static void io_done(void *ctx, int ret)
{
    SELF *s = ctx;
    s->io = false;
    if (s->stale) { /* what has begun since waited for this one */
        s->stale = false;
        if (s->transfer == READ_DISK) fetch(s);
        else if (s->transfer == WRITE_DISK && (s->stopping || s->have == BUF)) flush(s);
        else if (s->transfer == NO_DATA && (s->state == PRG || s->state == DIS)) erase_now(s);
    } else if (s->transfer == READ_DISK) {
        s->at += s->iov.iov_len;
        if (s->limited) s->left -= s->iov.iov_len;
        s->have = (uint32_t)s->iov.iov_len;
        s->pos = 0;
        if (ret) s->status |= ERROR, end_transfer(s);
    } else if (s->transfer == WRITE_DISK) {
        s->written += (uint32_t)(s->iov.iov_len / SECTOR);
        s->at += s->iov.iov_len;
        s->have = 0;
        if (ret) s->status |= ERROR, s->transfer = SINK;
        if (s->stopping) end_transfer(s);
    } else if (s->state == PRG || s->state == DIS) { /* erased */
        if (ret) s->status |= ERROR;
        end_transfer(s);
    }
    tell(s);
}

size_t sd_read(struct sd_slot *slot, void *buf, size_t n)
{
    SELF *s = slot->card;
    size_t done = 0;
    if (!s || s->state != DATA) return 0;
    bool is_reg = s->transfer == REGISTER;
    if (!s->io || is_reg) {
        done = MIN(n, (size_t)(s->have - s->pos));
        memcpy(buf, (is_reg ? s->reg : s->buf) + s->pos, done);
        s->pos += (uint32_t)done;
    }
    if (s->pos < s->have) return done;
    if (is_reg || (s->limited && !s->left && !s->io)) end_transfer(s);
    else fetch(s);
    return done;
}

size_t sd_write(struct sd_slot *slot, const void *buf, size_t n)
{
    SELF *s = slot->card;
    if (!s || s->state != RCV || s->io || s->stopping) return 0;
    uint64_t room = s->limited ? MIN(s->left, (uint64_t)BUF - s->have) : (uint64_t)BUF - s->have;
    size_t done = (size_t)MIN((uint64_t)n, room);
    if (s->transfer == SINK) return n;
    memcpy(s->buf + s->have, buf, done);
    s->have += (uint32_t)done;
    if (s->limited) s->left -= done;
    if (!s->limited && s->at + s->have > blk_size(s->blk)) {
        s->have = (uint32_t)(blk_size(s->blk) - s->at);
        s->status |= OUT_OF_RANGE;
        s->transfer = SINK;
        return n;
    }
    if (s->limited && !s->left) s->stopping = true, s->state = PRG;
    if (s->stopping || s->have == BUF) flush(s);
    return done;
}

bool sd_sending(const struct sd_slot *slot)
{
    const SELF *s = slot->card;
    return s && s->state == DATA && (s->transfer == REGISTER || s->io || s->pos < s->have || s->at < blk_size(s->blk));
}
bool sd_receiving(const struct sd_slot *slot) { return slot->card && slot->card->state == RCV; }
bool sd_busy(const struct sd_slot *slot) { return slot->card && (slot->card->state == PRG || slot->card->state == DIS); }
bool sd_read_only(const struct sd_slot *slot) { return slot->card && blk_read_only(slot->card->blk); }

static void stop_reading(SELF *s)
{
    s->stale = s->io;
    end_transfer(s);
}

/* --- commands ---------------------------------------------------------------------------------------------------------------- */

enum answer { NONE, R1, R2_CID, R2_CSD, R3, R6, R7 };

static bool go_idle(SELF *s, uint32_t arg)
{
    s->stale = s->io;
    s->transfer = NO_DATA;
    s->state = IDLE;
    s->app = s->wide = s->high_speed = s->stopping = s->erase_from = s->erase_to = false;
    s->rca = 0;
    s->ocr = OCR_VOLTAGES;
    s->status = s->preset = s->have = s->pos = 0;
    s->blklen = SECTOR;
    make_registers(s);
    return true;
}
static bool send_cid(SELF *s, uint32_t arg) { return s->state = IDENT, true; }
static bool send_rca(SELF *s, uint32_t arg)
{
    s->rca = (uint16_t)(s->rca + 0x4567);
    s->rca += !s->rca;
    s->state = STBY;
    return true;
}
static bool accept(SELF *s, uint32_t arg) { return true; }
static bool mine(const SELF *s, uint32_t arg) { return s->spi || arg >> 16 == s->rca; }
static bool only_mine(SELF *s, uint32_t arg) { return mine(s, arg); }
static bool inactive(SELF *s, uint32_t arg)
{
    if (mine(s, arg)) s->state = INACTIVE;
    return true;
}
static bool if_cond(SELF *s, uint32_t arg) { return (arg >> 8 & 15) == 1; }
static bool op_cond(SELF *s, uint32_t arg)
{
    if (!(arg & OCR_VOLTAGES) && !s->spi) return true; /* it only asks */
    if (high_capacity(s) && !(arg & OCR_CCS)) return true; /* a host that knows no such cards: never ready */
    s->ocr = OCR_VOLTAGES | OCR_READY | (high_capacity(s) ? (uint32_t)OCR_CCS : 0);
    s->state = s->spi ? TRAN : READY;
    return true;
}

static bool select_card(SELF *s, uint32_t arg)
{
    if (mine(s, arg)) {
        if (s->state == STBY) s->state = TRAN;
        else if (s->state == DIS) s->state = PRG;
        else return false;
        return true;
    }
    if (s->state == DATA) stop_reading(s);
    if (s->state == TRAN) s->state = STBY;
    else if (s->state == PRG) s->state = DIS;
    return true; /* no answer: sd_command looks */
}

static bool stop(SELF *s, uint32_t arg)
{
    if (s->state == DATA) {
        stop_reading(s);
    } else {
        s->stopping = true;
        s->state = PRG;
        if (s->transfer == SINK) s->have = 0, s->transfer = WRITE_DISK;
        flush(s);
    }
    return true;
}

static bool block_length(SELF *s, uint32_t arg)
{
    if (high_capacity(s)) return true;
    if (!arg || arg > SECTOR) s->status |= BLOCK_LEN_ERROR;
    else s->blklen = arg;
    return true;
}

static uint64_t address(const SELF *s, uint32_t arg) { return high_capacity(s) ? (uint64_t)arg * SECTOR : arg; }

static bool start(SELF *s, uint32_t arg, bool write, bool several)
{
    uint64_t at = address(s, arg), bytes = high_capacity(s) ? SECTOR : s->blklen;
    if (at >= blk_size(s->blk)) s->status |= OUT_OF_RANGE;
    else if (at % bytes || (write && bytes != SECTOR)) s->status |= ADDRESS_ERROR;
    else if (write && blk_read_only(s->blk)) s->status |= WP_VIOLATION;
    else {
        s->transfer = write ? WRITE_DISK : READ_DISK;
        s->state = write ? RCV : DATA;
        s->at = at;
        s->limited = !several || s->preset;
        s->left = several ? (uint64_t)s->preset * bytes : bytes;
        if (s->limited && s->left > blk_size(s->blk) - at) s->left = blk_size(s->blk) - at, s->status |= OUT_OF_RANGE;
        s->have = s->pos = 0;
        if (write) s->written = 0;
        else fetch(s);
    }
    s->preset = 0;
    return true;
}
static bool read_one(SELF *s, uint32_t arg) { return start(s, arg, false, false); }
static bool read_many(SELF *s, uint32_t arg) { return start(s, arg, false, true); }
static bool write_one(SELF *s, uint32_t arg) { return start(s, arg, true, false); }
static bool write_many(SELF *s, uint32_t arg) { return start(s, arg, true, true); }
static bool block_count(SELF *s, uint32_t arg) { return s->preset = arg, true; }

static bool erase_start(SELF *s, uint32_t arg) { return s->erase_first = address(s, arg), s->erase_from = true; }
static bool erase_end(SELF *s, uint32_t arg) { return s->erase_last = address(s, arg), s->erase_to = true; }
static bool erase(SELF *s, uint32_t arg)
{
    uint64_t size = blk_size(s->blk);
    bool set = s->erase_from && s->erase_to;
    s->erase_from = s->erase_to = false;
    if (!set) s->status |= ERASE_SEQ_ERROR;
    else if (s->erase_last < s->erase_first || s->erase_last >= size) s->status |= ERASE_PARAM;
    else if (blk_read_only(s->blk)) s->status |= WP_VIOLATION;
    else {
        s->erase_first = ALIGN_DOWN(s->erase_first, (uint64_t)SECTOR);
        s->erase_last = MIN(ALIGN_DOWN(s->erase_last, (uint64_t)SECTOR) + SECTOR, size);
        s->state = PRG;
        if (!s->io) erase_now(s);
    }
    return true;
}

/* Groups of functions; there is one choice: group 1, 1 = high speed. */
static bool switch_function(SELF *s, uint32_t arg)
{
    uint8_t *b = send_register(s, 64);
    unsigned g1 = arg & 15;
    b[1] = 100; /* mA */
    for (unsigned i = 2; i < 12; i += 2) b[i] = 0x80, b[i + 1] = 1;
    b[12] = 0x80, b[13] = 3;
    for (unsigned g = 6; g > 1; g--) {
        unsigned f = arg >> 4 * (g - 1) & 15;
        b[14 + (6 - g) / 2] |= (uint8_t)((f == 0 || f == 15 ? 0 : 15) << (g & 1 ? 0 : 4));
    }
    if (g1 == 15) g1 = s->high_speed;
    b[16] |= g1 < 2 ? g1 : 15;
    if (arg >> 31 && g1 < 2) s->high_speed = g1, make_registers(s);
    return true;
}

static bool app_command(SELF *s, uint32_t arg)
{
    if (!mine(s, arg)) return false;
    return s->app = true;
}
static bool spi_csd(SELF *s, uint32_t arg) { return memcpy(send_register(s, 16), s->csd, 16), true; }
static bool spi_cid(SELF *s, uint32_t arg) { return memcpy(send_register(s, 16), s->cid, 16), true; }
static bool bus_width(SELF *s, uint32_t arg) { return s->wide = (arg & 3) == 2, true; }
static bool sd_status(SELF *s, uint32_t arg)
{
    uint8_t *b = send_register(s, 64);
    b[0] = s->wide ? 0x80 : 0;
    b[8] = 4;        /* class 10 */
    b[10] = 9 << 4;  /* allocation units of 4 MiB */
    b[12] = 1;       /* one of them is erased ... */
    b[13] = 1 << 2;  /* ... in a second */
    return true;
}
static bool num_written(SELF *s, uint32_t arg) { return put32be(send_register(s, 4), s->written), true; }
static bool send_scr(SELF *s, uint32_t arg)
{
    const uint8_t scr[4] = { 0x02, high_capacity(s) ? 0x35 : 0x25, 0x80, 0x02 }; /* 3.0x, 1 and 4 lines, CMD23 */
    return memcpy(send_register(s, 8), scr, 4), true;
}

#define ON(st) (1u << (st))
enum { WORKING = ON(TRAN) | ON(DATA) | ON(RCV) | ON(PRG) | ON(DIS) | ON(STBY), ALL = 0x1ff };
enum { SD = 1, SPI = 2, BOTH = 3 };
static const struct command {
    uint8_t cmd, app, modes, answer;
    uint16_t states;
    bool (*fn)(SELF *s, uint32_t arg); /* false: it is illegal */
} commands[] = {
    { 0, 0, BOTH, NONE, ALL, go_idle }, { 1, 0, SPI, R1, ON(IDLE), op_cond }, { 2, 0, SD, R2_CID, ON(READY), send_cid }, { 3, 0, SD, R6, ON(IDENT) | ON(STBY), send_rca },
    { 4, 0, SD, NONE, ON(STBY), accept }, { 6, 0, BOTH, R1, ON(TRAN), switch_function }, { 7, 0, SD, R1, WORKING, select_card },
    { 8, 0, BOTH, R7, ON(IDLE), if_cond }, { 9, 0, SD, R2_CSD, ON(STBY), only_mine }, { 9, 0, SPI, R1, ON(TRAN), spi_csd },
    { 10, 0, SD, R2_CID, ON(STBY), only_mine }, { 10, 0, SPI, R1, ON(TRAN), spi_cid }, { 12, 0, BOTH, R1, ON(DATA) | ON(RCV), stop },
    { 13, 0, BOTH, R1, WORKING, only_mine }, { 15, 0, SD, NONE, WORKING, inactive }, { 16, 0, BOTH, R1, ON(TRAN), block_length },
    { 17, 0, BOTH, R1, ON(TRAN), read_one }, { 18, 0, BOTH, R1, ON(TRAN), read_many }, { 23, 0, BOTH, R1, ON(TRAN), block_count },
    { 24, 0, BOTH, R1, ON(TRAN), write_one }, { 25, 0, BOTH, R1, ON(TRAN), write_many }, { 32, 0, BOTH, R1, ON(TRAN), erase_start },
    { 33, 0, BOTH, R1, ON(TRAN), erase_end }, { 38, 0, BOTH, R1, ON(TRAN), erase }, { 55, 0, BOTH, R1, ALL, app_command },
    { 58, 0, SPI, R3, ALL, accept }, { 59, 0, SPI, R1, ALL, accept },
    { 6, 1, SD, R1, ON(TRAN), bus_width }, { 13, 1, BOTH, R1, ON(TRAN), sd_status }, { 22, 1, BOTH, R1, ON(TRAN), num_written },
    { 23, 1, BOTH, R1, ON(TRAN), accept }, { 41, 1, SD, R3, ON(IDLE), op_cond }, { 41, 1, SPI, R1, ON(IDLE), op_cond },
    { 42, 1, BOTH, R1, ON(TRAN), accept }, { 51, 1, BOTH, R1, ON(TRAN), send_scr },
};

static const struct command *find(const SELF *s, unsigned cmd, bool app)
{
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].cmd == cmd && commands[i].app == app && commands[i].modes & (s->spi ? SPI : SD)) return &commands[i];
    return app ? find(s, cmd, false) : NULL; /* what is no ACMD is the plain command */
}

static int answer(SELF *s, const struct command *c, uint32_t arg, unsigned state, uint8_t resp[16])
{
    uint32_t st = s->status | state << 9 | (s->state != PRG ? READY_FOR_DATA : 0) | (s->app || c->app ? APP_CMD : 0);
    memset(resp, 0, 16);
    switch (c->answer) {
    case NONE: return 0;
    case R1: put32be(resp, st); break;
    case R2_CID: memcpy(resp, s->cid, 16); return 16;
    case R2_CSD: memcpy(resp, s->csd, 16); return 16;
    case R3: put32be(resp, s->ocr); return 4;
    case R6: put32be(resp, (uint32_t)s->rca << 16 | (st >> 8 & 0xc000) | (st >> 6 & 0x2000) | (st & 0x1fff)); break;
    default: put32be(resp, arg & 0xfff); return 4;
    }
    if (!s->spi) s->status = 0; /* told */
    return 4;
}

int sd_command(struct sd_slot *slot, unsigned cmd, uint32_t arg, uint8_t resp[16])
{
    SELF *s = slot->card;
    if (!s || s->state == INACTIVE) return SD_ILLEGAL;
    bool app = s->app;
    unsigned state = s->state;
    const struct command *c = find(s, cmd, app);
    s->app = false;
    if (s->spi) s->status = 0;
    TRACE(sd_command, "%sCMD%u 0x%08x in state %u", app ? "A" : "", cmd, arg, state);
    if (cmd == 7 && !s->spi && !mine(s, arg) && c->states >> state & 1) return select_card(s, arg), SD_ILLEGAL;
    if (!c || !(c->states >> state & 1) || !c->fn(s, arg)) {
        if (cmd != 8 && (cmd != 55 || mine(s, arg))) s->status |= ILLEGAL;
        return SD_ILLEGAL;
    }
    return answer(s, c, arg, state, resp);
}

void sd_spi_mode(struct sd_slot *slot)
{
    if (slot->card) slot->card->spi = true;
}

uint8_t sd_spi_r1(const struct sd_slot *slot)
{
    const SELF *s = slot->card;
    if (!s) return 0xff;
    return (uint8_t)((s->state == IDLE) | (s->status & ILLEGAL ? 4 : 0) | (s->status & (ERASE_SEQ_ERROR) ? 16 : 0) | (s->status & ADDRESS_ERROR ? 32 : 0) |
                     (s->status & (OUT_OF_RANGE | BLOCK_LEN_ERROR | ERASE_PARAM | WP_VIOLATION) ? 64 : 0));
}

void sd_power_cycle(struct sd_slot *slot)
{
    if (slot->card) go_idle(slot->card, 0);
}

/* --- life -------------------------------------------------------------------------------------------------------------------------- */

void sd_slot_init(struct sd_slot *s, struct dev *host, const char *name, void (*ready)(void *ctx), void (*changed)(void *ctx), void *ctx)
{
    s->bus = bus_new(host, "sd-bus", name, 1);
    s->bus->data = s;
    s->ready = ready;
    s->changed = changed;
    s->ctx = ctx;
}

static void card_reset(void *dev)
{
    SELF *s = dev;
    blk_drain(s->blk); /* requests that are under way are in our memory */
    s->io = s->stale = false;
    s->spi = s->p_spi;
    go_idle(s, 0);
}

static int card_init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (!s->blk) return err_set(e, EINVAL, "sd-card: drive property not set");
    uint64_t size = blk_size(s->blk), unit = size > 1ull << 30 ? 512 << 10 : 256 << 10;
    if (!size || size % unit || size > 1ull << 41)
        return err_set(e, EINVAL, "sd-card: Invalid SD card size: %llu bytes; it has to be a multiple of %llu KiB, up to 2 TiB",
                       (unsigned long long)size, (unsigned long long)unit >> 10);
    s->buf_bytes = BUF;
    s->buf = dev_alloc(&s->dev, BUF);
    s->slot = s->dev.parent->data;
    s->slot->card = s;
    go_idle(s, 0);
    if (s->slot->changed) s->slot->changed(s->slot->ctx);
    return 0;
}

static void card_exit(void *dev)
{
    SELF *s = dev;
    struct sd_slot *slot = s->slot;
    s->slot = NULL;
    slot->card = NULL;
    blk_drain(s->blk);
    if (slot->changed) slot->changed(slot->ctx);
}

static int card_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    uint64_t size = blk_size(s->blk);
    if (s->pos > s->have || (s->transfer == REGISTER && s->have > sizeof s->reg) || s->at > size || (s->limited && s->left > size - s->at) || (s->transfer == WRITE_DISK && s->have > size - s->at) ||
        (s->state == DATA) != (s->transfer == REGISTER || s->transfer == READ_DISK) || (s->transfer >= WRITE_DISK && s->state != RCV && s->state != PRG && s->state != DIS) || (s->stopping && s->transfer != WRITE_DISK))
        return err_set(e, EINVAL, "state of an SD card: the transfer");
    s->io = s->stale = false;
    make_registers(s);
    if (s->stopping) flush(s);
    else if (s->state == PRG || s->state == DIS) end_transfer(s);
    return 0;
}

const struct device sd_card_device = {
    .name = "sd-card", .help = "SD memory card", .category = "Storage devices", .bus = "sd-bus", .size = sizeof(SELF), .init = card_init,
    .reset = card_reset, .exit = card_exit, .loaded = card_loaded, .user_creatable = true,
    PROPS(PROP_BLK("drive", blk), PROP_BOOL("spi", p_spi, false)),
    STATE(STATE_RANGE(spi, 0, 1), STATE_RANGE(app, 0, 1), STATE_RANGE(high_speed, 0, 1), STATE_RANGE(wide, 0, 1), STATE_RANGE(state, 0, INACTIVE),
          STATE_RANGE(transfer, 0, SINK), STATE_INT(rca), STATE_INT(ocr), STATE_INT(status), STATE_RANGE(blklen, 1, SECTOR), STATE_INT(preset), STATE_RANGE(limited, 0, 1),
          STATE_INT(left), STATE_INT(at), STATE_INT(erase_first), STATE_INT(erase_last), STATE_RANGE(erase_from, 0, 1), STATE_RANGE(erase_to, 0, 1),
          STATE_INT(written), STATE_RANGE(have, 0, BUF), STATE_RANGE(pos, 0, BUF), STATE_RANGE(stopping, 0, 1), STATE_BYTES(reg),
          { .name = "buf", .type = STATE_T_BLOB, .field = offsetof(SELF, buf), .len_field = offsetof(SELF, buf_bytes) }),
};
