/*
 * pflash_cfi01.c: NOR flash with Intel's command set, several chips beside each other (JEDEC JESD68.01 CFI; Intel StrataFlash J3 data
 * sheet, 316577: command definitions, status register, query table). Reads of the array come straight from memory; any command turns
 * them into register reads until "read array". Programming and erasing take no time.
 * Known gaps: block locking (accepted, without effect), suspend, protection registers.
 */
#include "dev/device.h"
#include "io/block/blk.h"

#include <stdio.h>

#define SELF struct pflash

enum { CMD_READ_ARRAY = 0xff, CMD_READ_ID = 0x90, CMD_QUERY = 0x98, CMD_READ_STATUS = 0x70, CMD_CLEAR_STATUS = 0x50, CMD_ERASE = 0x20,
       CMD_PROGRAM = 0x40, CMD_PROGRAM2 = 0x10, CMD_BUFFER = 0xe8, CMD_LOCK = 0x60, CMD_CONFIRM = 0xd0 };
enum { ST_READY = 0x80, ST_ERASE_ERROR = 0x20, ST_PROGRAM_ERROR = 0x10, ST_LOCKED = 2, ST_SEQUENCE = ST_ERASE_ERROR | ST_PROGRAM_ERROR };
enum { PHASE_IDLE, PHASE_PROGRAM, PHASE_ERASE, PHASE_LOCK, PHASE_COUNT, PHASE_FILL, PHASE_CONFIRM };
enum { BUFFER_BITS = 11, BUFFER_MAX = 1 << (BUFFER_BITS + 3), QUERY = 0x40 };

struct pflash {
    struct dev dev;
    struct blk *blk;
    struct ram *ram;
    struct window *flash;
    char *name;
    uint32_t blocks, width, device_width; /* of the bank, of a chip: bytes */
    uint64_t sector;
    bool readonly;
    uint64_t size;
    uint8_t query[QUERY];
    uint8_t mode, phase, status;   /* mode: the CMD_* that reads show */
    uint32_t left;                 /* writes of the buffer that are still to come */
    uint64_t first, last;          /* bytes of the flash that the buffer covers */
    uint8_t buffer[BUFFER_MAX];    /* from `base` on */
    uint64_t base;
};

static unsigned chips(const struct pflash *s) { return s->width / s->device_width; }

static void set_mode(struct pflash *s, uint8_t mode)
{
    s->mode = mode;
    window_direct(s->flash, mode == CMD_READ_ARRAY);
}

/* A chip's answer, from each of them. */
static uint64_t on_all(const struct pflash *s, uint64_t v)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < chips(s); i++) all |= v << (8 * s->device_width * i);
    return all;
}

static uint64_t pflash_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct pflash *s = dev;
    uint64_t word = off / s->width, v = 0;
    switch (s->mode) {
    case CMD_READ_ARRAY:
        ram_read(s->ram, off, &v, MIN(size, s->size - off));
        return v;
    case CMD_READ_ID: {
        static const uint16_t id[] = { 0x89, 0x18, 0 }; /* Intel, 28F128J3; word 2 of a block: not locked */
        v = on_all(s, (word & 0xff) < 3 ? id[word & 0xff] : 0);
        break;
    }
    case CMD_QUERY: v = on_all(s, word < QUERY ? s->query[word] : 0); break;
    default: v = on_all(s, s->status);
    }
    return v >> (8 * (off % s->width)) & bits_mask(8 * size);
}

static void save(struct pflash *s, uint64_t off, uint64_t len)
{
    uint8_t b[4096];
    if (!s->blk || s->readonly) return;
    for (uint64_t done = 0, n; done < len; done += n) {
        n = MIN(len - done, (uint64_t)sizeof b);
        if (!ram_read(s->ram, off + done, b, n) || blk_pwrite(s->blk, off + done, b, n, 0)) {
            s->status |= ST_PROGRAM_ERROR;
            return;
        }
    }
}

/* Programming only clears bits. */
static void program(struct pflash *s, uint64_t off, const uint8_t *data, uint64_t len)
{
    uint8_t b[64];
    if (s->readonly) {
        s->status |= ST_PROGRAM_ERROR | ST_LOCKED;
        return;
    }
    for (uint64_t done = 0, n; done < len; done += n) {
        n = MIN(len - done, (uint64_t)sizeof b);
        if (!ram_read(s->ram, off + done, b, n)) return;
        for (unsigned i = 0; i < n; i++) b[i] &= data[done + i];
        ram_write(s->ram, off + done, b, n);
    }
    save(s, off, len);
}

static void erase(struct pflash *s, uint64_t off)
{
    uint8_t b[4096];
    uint64_t at = off - off % s->sector;
    if (s->readonly) {
        s->status |= ST_ERASE_ERROR | ST_LOCKED;
        return;
    }
    memset(b, 0xff, sizeof b);
    for (uint64_t done = 0, n; done < s->sector; done += n) {
        n = MIN(s->sector - done, (uint64_t)sizeof b);
        ram_write(s->ram, at + done, b, n);
    }
    save(s, at, s->sector);
}

static void idle(struct pflash *s, uint8_t error)
{
    s->phase = PHASE_IDLE;
    s->status |= error;
    set_mode(s, CMD_READ_STATUS);
}

static void command(struct pflash *s, uint8_t cmd)
{
    switch (cmd) {
    case CMD_READ_ARRAY: set_mode(s, cmd); break;
    case CMD_READ_ID: case CMD_QUERY: case CMD_READ_STATUS: set_mode(s, cmd); break;
    case CMD_CLEAR_STATUS: s->status = ST_READY; break;
    case CMD_PROGRAM: case CMD_PROGRAM2: s->phase = PHASE_PROGRAM; set_mode(s, CMD_READ_STATUS); break;
    case CMD_ERASE: s->phase = PHASE_ERASE; set_mode(s, CMD_READ_STATUS); break;
    case CMD_LOCK: s->phase = PHASE_LOCK; set_mode(s, CMD_READ_STATUS); break;
    case CMD_BUFFER: s->phase = PHASE_COUNT; s->status |= ST_READY; set_mode(s, CMD_READ_STATUS); break;
    case 0x00: case CMD_CONFIRM: break; /* a resume of nothing */
    default:
        dev_guest_error(&s->dev, false, "unknown flash command 0x%02x", cmd);
        set_mode(s, CMD_READ_ARRAY);
    }
}

/* One write of data into the buffer, which begins at the first one's place, aligned. */
static void fill(struct pflash *s, uint64_t off, uint64_t v, unsigned size)
{
    uint64_t cover = (uint64_t)(1 << BUFFER_BITS) * chips(s);
    if (s->first > s->last) {
        s->base = off - off % cover;
        memset(s->buffer, 0xff, sizeof s->buffer);
        s->first = off;
        s->last = off;
    }
    if (off < s->base || off - s->base > cover - size || cover > BUFFER_MAX) {
        idle(s, ST_SEQUENCE);
        return;
    }
    memcpy(s->buffer + (off - s->base), &v, size);
    s->first = MIN(s->first, off);
    s->last = MAX(s->last, off + size - 1);
    if (s->left-- == 0) s->phase = PHASE_CONFIRM;
}

static void pflash_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct pflash *s = dev;
    uint8_t cmd = (uint8_t)v;
    if (off + size > s->size) return;
    TRACE(pflash_write, "0x%llx <- 0x%llx phase %u", (unsigned long long)off, (unsigned long long)v, s->phase);
    switch (s->phase) {
    case PHASE_IDLE: command(s, cmd); break;
    case PHASE_PROGRAM:
        program(s, off, (const uint8_t *)&v, size);
        idle(s, 0);
        break;
    case PHASE_ERASE:
        if (cmd == CMD_CONFIRM) erase(s, off);
        idle(s, cmd == CMD_CONFIRM ? 0 : ST_SEQUENCE);
        break;
    case PHASE_LOCK: idle(s, cmd == 0x01 || cmd == CMD_CONFIRM ? 0 : ST_SEQUENCE); break;
    case PHASE_COUNT: /* words of a chip, less one */
        s->left = (uint32_t)(v & bits_mask(8 * s->device_width));
        s->first = 1, s->last = 0;
        s->phase = PHASE_FILL;
        if (s->left >= (1u << BUFFER_BITS) / s->device_width) idle(s, ST_SEQUENCE);
        break;
    case PHASE_FILL: fill(s, off, v, size); break;
    default:
        if (cmd == CMD_CONFIRM && s->first <= s->last && s->last - s->base < BUFFER_MAX && s->first >= s->base)
            program(s, s->first, s->buffer + (s->first - s->base), s->last - s->first + 1);
        idle(s, cmd == CMD_CONFIRM ? 0 : ST_SEQUENCE);
    }
}

static const struct mmio_ops pflash_ops = { .read = pflash_read, .write = pflash_write, .max = 8 };

static unsigned log2_of(uint64_t v) { return v ? 63 - (unsigned)__builtin_clzll(v) : 0; }

static void make_query(struct pflash *s)
{
    uint64_t chip_sector = s->sector / chips(s);
    uint8_t t[QUERY] = { 0 };
    memcpy(t + 0x10, "QRY\x01\x00\x31", 6);
    t[0x1b] = 0x45, t[0x1c] = 0x55;                        /* supply voltage */
    t[0x1f] = t[0x20] = 7, t[0x21] = 10;                   /* usual times: program, buffer, erase */
    t[0x23] = t[0x24] = t[0x25] = 4;                       /* longest, as shifts of those */
    t[0x27] = (uint8_t)log2_of(s->size / chips(s));
    t[0x28] = 2;                                           /* x8 and x16 */
    t[0x2a] = BUFFER_BITS;
    t[0x2c] = 1;                                           /* one region of equal blocks */
    t[0x2d] = (uint8_t)(s->blocks - 1), t[0x2e] = (uint8_t)((s->blocks - 1) >> 8);
    t[0x2f] = (uint8_t)(chip_sector >> 8), t[0x30] = (uint8_t)(chip_sector >> 16);
    memcpy(t + 0x31, "PRI10", 5);
    memcpy(s->query, t, sizeof t);
}

static int load(struct pflash *s, struct err *e)
{
    uint8_t b[65536];
    uint64_t have = blk_size(s->blk);
    if (have != s->size)
        return err_set(e, EINVAL, "device '%s' requires %llu bytes, block backend provides %llu bytes", s->dev.id ? s->dev.id : "pflash",
                       (unsigned long long)s->size, (unsigned long long)have);
    for (uint64_t at = 0, n; at < s->size; at += n) {
        n = MIN(s->size - at, (uint64_t)sizeof b);
        int r = blk_pread(s->blk, at, b, n);
        if (r) return err_set(e, -r, "failed to read the initial flash content: %s", strerror(-r));
        bool zero = !b[0] && !memcmp(b, b + 1, n - 1);
        if (!zero) ram_write(s->ram, at, b, n); /* what is zero already need not be memory */
    }
    s->readonly |= blk_read_only(s->blk);
    return 0;
}

static int pflash_init(void *dev, struct err *e)
{
    struct pflash *s = dev;
    if ((s->width != 1 && s->width != 2 && s->width != 4 && s->width != 8) || (s->device_width != 1 && s->device_width != 2) ||
        s->device_width > s->width || chips(s) > 4)
        return err_set(e, EINVAL, "pflash: a bank of %u bytes out of chips of %u cannot be", s->width, s->device_width);
    if (!s->blocks || s->blocks > 65536 || s->sector < 4096 || s->sector > 64 << 20 || s->sector & (s->sector - 1))
        return err_set(e, EINVAL, "pflash: 1 to 65536 blocks of a power of two from 4 KiB to 64 MiB");
    s->size = s->blocks * s->sector;
    char id[96];
    snprintf(id, sizeof id, "%s", s->name ? s->name : s->dev.id ? s->dev.id : "pflash");
    if (!(s->ram = ram_new(s->dev.board->mem, id, s->size, false, e))) return -EINVAL;
    s->ram->readonly = true;
    make_query(s);
    int r = s->blk ? load(s, e) : 0;
    if (r) {
        ram_free(s->ram);
        s->ram = NULL;
    }
    return r;
}

static int pflash_map(void *dev, uint64_t at, struct err *e)
{
    struct pflash *s = dev;
    if (s->flash) window_move(s->flash, at);
    else s->flash = space_map_romd(s->dev.board->space, s->ram->id, at, s->ram, 0, s->size, &pflash_ops, s, 0);
    return 0;
}

static void pflash_reset(void *dev)
{
    struct pflash *s = dev;
    s->phase = PHASE_IDLE;
    s->status = ST_READY;
    s->mode = CMD_READ_ARRAY;
    if (s->flash) set_mode(s, CMD_READ_ARRAY);
}

static int pflash_loaded(void *dev, struct err *e)
{
    struct pflash *s = dev;
    if (s->phase == PHASE_FILL || s->phase == PHASE_CONFIRM)
        if (s->left >= BUFFER_MAX || s->last >= s->size || s->base > s->size - BUFFER_MAX) return err_set(e, EINVAL, "state of a flash: its buffer is out of range");
    if (s->flash) set_mode(s, s->mode);
    return 0;
}

static void pflash_exit(void *dev)
{
    struct pflash *s = dev;
    window_free(s->flash);
    ram_free(s->ram);
}

const struct device pflash_cfi01_device = {
    .name = "cfi.pflash01", .help = "NOR flash with Intel's command set", .category = "Storage devices", .size = sizeof(struct pflash),
    PROPS(PROP_BLK("drive", blk), PROP_U32("num-blocks", blocks, 128), PROP_SIZE("sector-length", sector, 256 << 10), PROP_U32("width", width, 4),
          PROP_U32("device-width", device_width, 2), PROP_STR("name", name, NULL), PROP_BOOL("readonly", readonly, false)),
    STATE(STATE_INT(mode), STATE_RANGE(phase, 0, PHASE_CONFIRM), STATE_INT(status), STATE_INT(left), STATE_INT(first), STATE_INT(last),
          STATE_INT(base), STATE_BYTES(buffer)),
    .init = pflash_init, .map = pflash_map, .reset = pflash_reset, .exit = pflash_exit, .loaded = pflash_loaded,
};
