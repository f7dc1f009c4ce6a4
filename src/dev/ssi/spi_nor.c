/*
 * spi_nor.c: a serial NOR flash, ISSI IS25WP256 (data sheet IS25LP/WP256D): 32 MiB, three and four byte addresses, single to quad reads. How many
 * lines carry a byte is the controller's business; dummy cycles are whole bytes. Its content is also memory, for controllers that map it.
 * Known gaps: no protection by blocks, advanced sectors or OTP; erasing and programming take no time.
 */
#include "dev/ssi/ssi.h"

#include "io/block/blk.h"

#define SELF struct spi_nor
enum { SIZE = 32 << 20, PAGE = 256, WEL = 2, QE = 64 };
enum phase { COMMAND, ADDRESS, DUMMY, READ, WRITE, ANSWER, IGNORE, PARAMETERS };

struct spi_nor {
    struct ssi_dev ssi;
    struct blk *blk;
    struct ram *ram;
    struct window *win;
    uint8_t phase, op, status, func, n, dummy; /* n: bytes of the phase so far */
    bool four, reset_enabled;
    uint32_t addr, first;                  /* first: of the page that is programmed */
    uint8_t page[PAGE], answer[4];
    bool dirty;                            /* the page has new bytes */
};

static void write_back(SELF *s, uint32_t at, uint32_t len)
{
    uint8_t b[4096];
    for (uint32_t n; s->blk && !blk_read_only(s->blk) && len; at += n, len -= n) {
        n = MIN(len, (uint32_t)sizeof b);
        if (!ram_read(s->ram, at, b, n) || blk_pwrite(s->blk, at, b, n, 0)) {
            dev_guest_error(&s->ssi.dev, false, "its image cannot be written");
            return;
        }
    }
}

static void erase(SELF *s, uint32_t at, uint32_t len)
{
    uint8_t b[4096];
    if (!(s->status & WEL)) return;
    memset(b, 0xff, sizeof b);
    at = ALIGN_DOWN(at % SIZE, len);
    for (uint32_t n = 0; n < len; n += sizeof b) ram_write(s->ram, at + n, b, sizeof b);
    write_back(s, at, len);
    s->status &= (uint8_t)~WEL;
}

static void program(SELF *s)
{
    uint8_t old[PAGE];
    if (!s->dirty) return;
    s->dirty = false;
    ram_read(s->ram, s->first, old, PAGE);
    for (unsigned i = 0; i < PAGE; i++) old[i] &= s->page[i];
    ram_write(s->ram, s->first, old, PAGE);
    write_back(s, s->first, PAGE);
    s->status &= (uint8_t)~WEL;
}

static void answer(SELF *s, unsigned n, uint8_t a, uint8_t b, uint8_t c)
{
    s->phase = ANSWER;
    s->answer[0] = a, s->answer[1] = b, s->answer[2] = c;
    s->answer[3] = (uint8_t)n;
}

static const struct op {
    uint8_t op, dummy;
    bool four;          /* four bytes of address in any mode */
    uint8_t then;
    uint32_t erase;
} ops[] = {
    { 0x03, 0, false, READ, 0 }, { 0x13, 0, true, READ, 0 }, { 0x0b, 1, false, READ, 0 }, { 0x0c, 1, true, READ, 0 }, { 0x3b, 1, false, READ, 0 },
    { 0x3c, 1, true, READ, 0 }, { 0x6b, 1, false, READ, 0 }, { 0x6c, 1, true, READ, 0 }, { 0xbb, 1, false, READ, 0 }, { 0xbc, 1, true, READ, 0 },
    { 0xeb, 3, false, READ, 0 }, { 0xec, 3, true, READ, 0 }, { 0x02, 0, false, WRITE, 0 }, { 0x12, 0, true, WRITE, 0 }, { 0x32, 0, false, WRITE, 0 },
    { 0x38, 0, false, WRITE, 0 }, { 0x34, 0, true, WRITE, 0 }, { 0x3e, 0, true, WRITE, 0 }, { 0x20, 0, false, IGNORE, 4 << 10 }, { 0x21, 0, true, IGNORE, 4 << 10 },
    { 0xd7, 0, false, IGNORE, 4 << 10 }, { 0x52, 0, false, IGNORE, 32 << 10 }, { 0x5c, 0, true, IGNORE, 32 << 10 }, { 0xd8, 0, false, IGNORE, 64 << 10 },
    { 0xdc, 0, true, IGNORE, 64 << 10 }, { 0x5a, 1, false, PARAMETERS, 0 },
};
/* SFDP (JEDEC JESD216B): a header, one parameter header, the basic table of 16 words at 0x30. */
static uint8_t parameter(uint32_t at)
{
    static const uint32_t head[] = { 0x50444653, 0xff000106, 0x10010600, 0xff000030 }, table[] = {
        0xfff320e5, (uint32_t)(SIZE * 8ull - 1), /* erasing by 4 KiB; reads by 1-1-2, 1-2-2, 1-1-4, 1-4-4; 3 or 4 bytes of address; size */
        0x6b08eb44, 0xbb803b08, 0xffffffee, 0xff00ffff, 0xff00ffff, /* their opcodes, wait and mode clocks */
        0x520f200c, 0x0000d810,              /* kinds of erasing: 4, 32, 64 KiB */
        0, 0x80, 0, 0, 0,                    /* pages of 256 bytes */
        0x00200000, 0x01005000,              /* quad mode is bit 6 of the status; B7h and E9h change the length of addresses */
    };
    uint32_t w = at / 4 < ARRAY_LEN(head) ? head[at / 4] : at >= 0x30 && (at - 0x30) / 4 < ARRAY_LEN(table) ? table[(at - 0x30) / 4] : UINT32_MAX;
    return (uint8_t)(w >> 8 * (at % 4));
}

static const struct op *op_of(uint8_t op)
{
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
        if (ops[i].op == op) return &ops[i];
    return NULL;
}

static void command(SELF *s, uint8_t op)
{
    bool reset = s->reset_enabled;
    TRACE(spi_nor_command, "0x%02x", op);
    s->op = op;
    s->n = 0;
    s->addr = 0;
    s->phase = IGNORE;
    s->reset_enabled = false;
    if (op_of(op)) {
        s->phase = ADDRESS;
        s->dummy = op_of(op)->dummy;
        return;
    }
    switch (op) {
    case 0x9f: answer(s, 3, 0x9d, 0x70, 0x19); break;
    case 0x05: answer(s, 1, s->status, 0, 0); break;
    case 0x48: answer(s, 1, s->func, 0, 0); break; /* function register */
    case 0x16: answer(s, 1, s->four ? 0x80 : 0, 0, 0); break; /* bank address register */
    case 0x61: answer(s, 1, 0, 0, 0); break;
    case 0x06: s->status |= WEL; break;
    case 0x04: s->status &= (uint8_t)~WEL; break;
    case 0x01: case 0x17: case 0x42: s->phase = s->status & WEL || op == 0x17 ? WRITE : IGNORE; break;
    case 0xb7: s->four = true; break;
    case 0x29: case 0xe9: s->four = false; break;
    case 0xc7: case 0x60: erase(s, 0, SIZE); break;
    case 0x66: s->reset_enabled = true; break;
    case 0x99:
        if (reset) s->four = false, s->status &= QE;
        break;
    default: break;
    }
}

/* The address is whole. */
static void addressed(SELF *s)
{
    const struct op *o = op_of(s->op);
    s->addr %= SIZE;
    s->phase = o->dummy ? DUMMY : o->then;
    s->n = 0;
    if (o->erase) erase(s, s->addr, o->erase);
    if (o->then != WRITE) return;
    if (!(s->status & WEL)) {
        s->phase = IGNORE;
        return;
    }
    s->first = ALIGN_DOWN(s->addr, (uint32_t)PAGE);
    memset(s->page, 0xff, PAGE);
}

static void write_register(SELF *s, uint8_t v)
{
    if (s->op == 0x17) s->four = v >> 7;
    else if (s->op == 0x01) s->status = (uint8_t)((s->status & 3) | (v & 0xfc)), s->status &= (uint8_t)~WEL;
    else s->func |= v & 0xf2;
    s->phase = IGNORE;
}

static uint8_t nor_exchange(struct ssi_dev *d, uint8_t out)
{
    SELF *s = (SELF *)d;
    uint8_t in = 0xff;
    switch (s->phase) {
    case COMMAND: command(s, out); break;
    case ADDRESS:
        s->addr = s->addr << 8 | out;
        if (++s->n == ((s->four && s->op != 0x5a) || op_of(s->op)->four ? 4 : 3)) addressed(s);
        break;
    case DUMMY:
        if (++s->n == s->dummy) s->phase = op_of(s->op)->then;
        break;
    case PARAMETERS: in = parameter(s->addr++ & 0xffff); break;
    case READ:
        ram_read(s->ram, s->addr, &in, 1);
        s->addr = (s->addr + 1) % SIZE;
        break;
    case WRITE:
        if (!op_of(s->op)) {
            write_register(s, out);
            break;
        }
        s->page[s->addr % PAGE] = out;
        s->addr = s->first + (s->addr + 1) % PAGE;
        s->dirty = true;
        break;
    case ANSWER:
        in = s->answer[s->n];
        if (s->n + 1 < s->answer[3]) s->n++;
        break;
    default: break;
    }
    return in;
}

static void nor_select(struct ssi_dev *d, bool on)
{
    SELF *s = (SELF *)d;
    if (!on) program(s);
    s->phase = COMMAND;
}

static void nor_reset(void *dev)
{
    SELF *s = dev;
    s->phase = COMMAND;
    s->status &= QE;
    s->four = s->reset_enabled = s->dirty = false;
}

static int nor_init(void *dev, struct err *e)
{
    SELF *s = dev;
    uint8_t b[4096];
    s->ssi.exchange = nor_exchange;
    s->ssi.select = nor_select;
    if (s->blk && blk_size(s->blk) < SIZE)
        return err_set(e, EINVAL, "is25wp256: its image has %llu bytes; it needs %d", (unsigned long long)blk_size(s->blk), SIZE);
    if (!(s->ram = ram_new(s->ssi.dev.board->mem, s->ssi.dev.id ? s->ssi.dev.id : "is25wp256", SIZE, false, e))) return -EINVAL;
    s->ram->readonly = true;
    memset(b, 0xff, sizeof b);
    for (uint32_t at = 0; at < SIZE; at += sizeof b) {
        int r = s->blk ? blk_pread(s->blk, at, b, sizeof b) : 0;
        if (r) return ram_free(s->ram), s->ram = NULL, err_set(e, -r, "is25wp256: its image cannot be read: %s", strerror(-r));
        ram_write(s->ram, at, b, sizeof b);
    }
    return 0;
}

/* The controller's window: the content, to be read. */
static int nor_map(void *dev, uint64_t at, struct err *e)
{
    SELF *s = dev;
    if (s->win) window_move(s->win, at);
    else s->win = space_map_ram(s->ssi.dev.board->space, at, s->ram, 0, SIZE, 0);
    return 0;
}

static void nor_exit(void *dev)
{
    SELF *s = dev;
    window_free(s->win);
    ram_free(s->ram);
}

static int nor_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    bool has_op = op_of(s->op);
    if ((s->phase == ADDRESS || s->phase == DUMMY) && !has_op) return err_set(e, EINVAL, "state of a serial flash: its command");
    if (s->addr >= SIZE && s->phase != ADDRESS) return err_set(e, EINVAL, "state of a serial flash: its address");
    return 0;
}

const struct device is25wp256_device = {
    .name = "is25wp256", .help = "Serial flash", .category = "Storage devices", .bus = "SSI", .size = sizeof(SELF), .init = nor_init, .reset = nor_reset,
    .exit = nor_exit, .loaded = nor_loaded, .map = nor_map, PROPS(PROP_BLK("drive", blk)),
    STATE(STATE_RANGE(phase, 0, PARAMETERS), STATE_INT(op), STATE_INT(status), STATE_INT(func), STATE_RANGE(n, 0, 3), STATE_INT(dummy), STATE_RANGE(four, 0, 1),
          STATE_RANGE(reset_enabled, 0, 1), STATE_INT(addr), STATE_RANGE(first, 0, SIZE - PAGE), STATE_BYTES(page),
          { .name = "answer", .type = STATE_T_INT, .field = offsetof(SELF, answer), .size = 1, .count = 4 }, STATE_RANGE(dirty, 0, 1)),
};
