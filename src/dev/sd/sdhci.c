/*
 * sdhci.c: an SD host controller (SD Host Controller Simplified Specification 3.00; register names as there): `sdhci-pci`, and `generic-sdhci`
 * for boards. PIO, SDMA, ADMA2 with 32 and 64 bit addresses, automatic CMD12 and CMD23, card detection.
 *
 * A transfer goes block by block through the controller's buffer: one side fills it, the other empties it.
 * Known gaps: no 1.8 V and UHS modes, no ADMA1 and ADMA3, no boot mode, no interrupts from cards, no wake-up; block gaps stop nothing.
 */
#include "dev/pci/pci.h"

#include <stdio.h>
#include "dev/sd/sd.h"

#define SELF struct sdhci
enum { BLOCK_MAX = 2048, WINDOW = 256, BUDGET = 256, DESCRIPTORS = 256 };
enum { PRN_CMD_INHIBIT = 1, PRN_DAT_INHIBIT = 2, PRN_DAT_ACTIVE = 4, PRN_WRITE = 1 << 8, PRN_READ = 1 << 9, PRN_BUF_WRITE = 1 << 10, PRN_BUF_READ = 1 << 11,
       PRN_CARD = 7 << 16, PRN_WRITABLE = 1 << 19, PRN_LINES = 0x1f << 20 };
enum { TRN_DMA = 1, TRN_COUNT = 2, TRN_AUTO12 = 4, TRN_AUTO23 = 8, TRN_READ = 16, TRN_MULTI = 32 };
enum { INT_CMD = 1, INT_XFER = 2, INT_GAP = 4, INT_DMA = 8, INT_WRITE_READY = 16, INT_READ_READY = 32, INT_INSERT = 64, INT_REMOVE = 128, INT_ERROR = 1 << 15 };
enum { ERR_CMD_TIMEOUT = 1, ERR_DATA_TIMEOUT = 16, ERR_AUTO = 256, ERR_ADMA = 512 };
enum { ADMA_VALID = 1, ADMA_END = 2, ADMA_INT = 4, ADMA_ST_STOP = 0, ADMA_ST_FDS = 1, ADMA_ST_TFR = 3 };

struct sdhci {
    struct pci_dev p;            /* of the board's kind: struct dev only */
    bool is_pci;
    struct sd_slot slot;
    uint64_t capab, maxcurr;
    uint32_t sdma, arg, rsp[4], admaerr;
    uint64_t adma;
    uint16_t blksize, blkcnt, trnmod, clkcon, norint, errint, norint_en, errint_en, norint_sig, errint_sig, acmd12err, hostctl2, vendor;
    uint8_t cmdlo, cmdhi, hostctl, pwrcon, blkgap, wakcon, timeout, preset[16];
    /* the transfer */
    bool active, reading, draining, paused, busy_wait, unlimited; /* draining: the buffer is being emptied */
    uint32_t blocks;             /* that are still to come, with this one */
    uint32_t n, pos;             /* bytes of the block in the buffer; of them, how many have left it */
    uint64_t seg_addr;           /* ADMA: the descriptor in force */
    uint32_t seg_left;
    bool seg_end;
    uint8_t buf[BLOCK_MAX];
    struct deferred run;
};

/* --- interrupts ----------------------------------------------------------------------------------------------------------- */

static void line(SELF *s)
{
    bool level = (s->norint & s->norint_sig & ~INT_ERROR) || (s->errint & s->errint_sig);
    if (s->is_pci) pci_intx(&s->p, level);
    else irq_set(&s->p.dev.irq[0], level);
}
static void tell(SELF *s, unsigned bits)
{
    s->norint |= bits & s->norint_en;
    line(s);
}
static void fault(SELF *s, unsigned bits)
{
    s->errint |= bits & s->errint_en;
    if (s->errint) s->norint |= INT_ERROR;
    line(s);
}

/* --- the transfer --------------------------------------------------------------------------------------------------------- */

static unsigned block_bytes(const SELF *s) { return MIN(s->blksize & 0xfff, BLOCK_MAX); }
static bool dma(const SELF *s) { return s->trnmod & TRN_DMA; }
static bool adma(const SELF *s) { return s->hostctl >> 4 & 1; }

static void end(SELF *s)
{
    s->active = s->paused = s->busy_wait = s->draining = false;
    s->n = s->pos = 0;
}
static void abort_with(SELF *s, unsigned error)
{
    end(s);
    fault(s, error);
}

static void finish(SELF *s)
{
    uint8_t resp[16];
    if (s->trnmod & TRN_AUTO12 && s->trnmod & TRN_MULTI) {
        int n = sd_command(&s->slot, 12, 0, resp);
        if (n < 0) s->acmd12err |= 2, fault(s, ERR_AUTO);
        else s->rsp[3] = (uint32_t)resp[0] << 24 | (uint32_t)resp[1] << 16 | (uint32_t)resp[2] << 8 | resp[3];
    }
    end(s);
    s->active = s->busy_wait = true; /* until the card is ready again */
}

/* The next ADMA descriptor with data. False: there is none (the transfer was ended by an error or goes on later). */
static bool adma_next(SELF *s)
{
    bool wide = (s->hostctl >> 3 & 3) == 3;
    for (unsigned i = 0; i < DESCRIPTORS; i++) {
        uint8_t d[12] = { 0 };
        uint64_t addr;
        if (s->seg_end || dma_read(&s->p.dev.dma, s->adma, d, wide ? 12 : 8) || !(d[0] & ADMA_VALID)) {
            s->admaerr = s->seg_end ? ADMA_ST_TFR | 4 : ADMA_ST_FDS;
            abort_with(s, ERR_ADMA);
            return false;
        }
        addr = pci_get32(d + 4) | (wide ? (uint64_t)pci_get32(d + 8) << 32 : 0);
        unsigned act = d[0] >> 4 & 3, len = pci_get16(d + 2);
        s->adma = act == 3 ? addr : s->adma + (wide ? 12 : 8);
        s->seg_end = d[0] & ADMA_END;
        if (d[0] & ADMA_INT) tell(s, INT_DMA);
        if (act == 2) {
            s->seg_addr = addr;
            s->seg_left = len ? len : 65536;
            return true;
        }
        if (s->seg_end && s->unlimited) { /* ends without data */
            finish(s);
            return false;
        }
    }
    dev_guest_error(&s->p.dev, false, "%d ADMA descriptors without data", DESCRIPTORS);
    s->admaerr = ADMA_ST_FDS;
    abort_with(s, ERR_ADMA);
    return false;
}

/* Moves between the buffer and memory; `n` bytes at most of it. False: it cannot go on (now). */
static bool dma_move(SELF *s, uint8_t *b, uint32_t n, uint32_t *done)
{
    uint64_t at;
    uint32_t part;
    if (adma(s)) {
        if (!s->seg_left && !adma_next(s)) return false;
        at = s->seg_addr;
        part = MIN(n, s->seg_left);
    } else {
        uint32_t boundary = 4096u << (s->blksize >> 12 & 7);
        at = s->sdma;
        part = MIN(n, boundary - s->sdma % boundary);
    }
    if (s->reading ? dma_write(&s->p.dev.dma, at, b, part) : dma_read(&s->p.dev.dma, at, b, part)) {
        s->admaerr = ADMA_ST_TFR;
        abort_with(s, ERR_ADMA);
        return false;
    }
    *done = part;
    if (adma(s)) {
        s->seg_addr += part;
        s->seg_left -= part;
    } else {
        s->sdma += part;
        if (s->sdma % (4096u << (s->blksize >> 12 & 7)) == 0 && (s->unlimited || s->blocks > 1 || part < n)) {
            s->paused = true; /* until the driver gives it the next address */
            tell(s, INT_DMA);
        }
    }
    return true;
}

/* A block has gone through. */
static void block_done(SELF *s)
{
    s->n = s->pos = 0;
    s->draining = false;
    if (s->trnmod & TRN_COUNT && s->trnmod & TRN_MULTI && s->blkcnt) s->blkcnt--;
    bool last = s->unlimited ? dma(s) && adma(s) && s->seg_end && !s->seg_left : --s->blocks == 0;
    if (last) finish(s);
}

/* One step of a transfer by DMA, or of the card's side by PIO. False: there is nothing to do for now. */
static bool step(SELF *s)
{
    unsigned size = block_bytes(s);
    uint32_t moved = 0;
    if (s->busy_wait) {
        if (sd_busy(&s->slot)) return false;
        end(s);
        tell(s, INT_XFER);
        return false;
    }
    if (s->paused) return false;
    if (s->reading && !s->draining) {
        moved = (uint32_t)sd_read(&s->slot, s->buf + s->n, size - s->n);
        s->n += moved;
        if (s->n == size) s->draining = true;
        else if (!moved && !sd_sending(&s->slot)) abort_with(s, ERR_DATA_TIMEOUT);
        if (s->draining && !dma(s)) tell(s, INT_READ_READY);
        return moved;
    }
    if (!s->reading && s->draining) {
        moved = (uint32_t)sd_write(&s->slot, s->buf + s->pos, s->n - s->pos);
        s->pos += moved;
        if (s->pos == s->n) {
            block_done(s);
            if (s->active && !s->busy_wait && !dma(s)) tell(s, INT_WRITE_READY);
        } else if (!moved && !sd_receiving(&s->slot)) {
            abort_with(s, ERR_DATA_TIMEOUT);
        }
        return moved;
    }
    if (!dma(s)) return false; /* the driver's turn */
    if (s->reading) {
        if (!dma_move(s, s->buf + s->pos, s->n - s->pos, &moved)) return false;
        s->pos += moved;
        if (s->pos == s->n) block_done(s);
    } else {
        if (!dma_move(s, s->buf + s->n, size - s->n, &moved)) return false;
        s->n += moved;
        s->draining = s->n == size;
    }
    return true;
}

static void work(SELF *s)
{
    for (unsigned i = 0; s->active && step(s); i++)
        if (i == BUDGET) {
            loop_defer(&s->run);
            return;
        }
}
static void run(void *ctx) { work(ctx); }
/* The card goes on. */
static void ready(void *ctx) { loop_defer(&((SELF *)ctx)->run); }

static void changed(void *ctx)
{
    SELF *s = ctx;
    if (!s->slot.card && s->active) abort_with(s, ERR_DATA_TIMEOUT);
    tell(s, s->slot.card ? INT_INSERT : INT_REMOVE);
}

static void transfer(SELF *s)
{
    end(s);
    s->active = true;
    s->reading = s->trnmod & TRN_READ;
    s->unlimited = s->trnmod & TRN_MULTI && !(s->trnmod & TRN_COUNT);
    s->blocks = s->trnmod & TRN_MULTI && !s->unlimited ? s->blkcnt : 1;
    s->seg_left = 0;
    s->seg_end = false;
    if (!block_bytes(s) || !s->blocks) {
        end(s);
        tell(s, INT_XFER);
        return;
    }
    if (!s->reading && !dma(s)) tell(s, INT_WRITE_READY);
    work(s);
}

/* --- commands ------------------------------------------------------------------------------------------------------------------ */

static bool powered(const SELF *s) { return s->pwrcon & 1 && s->clkcon & 4; }

static void keep_response(SELF *s, const uint8_t *r, int n)
{
    if (n == 4) s->rsp[0] = (uint32_t)r[0] << 24 | (uint32_t)r[1] << 16 | (uint32_t)r[2] << 8 | r[3];
    for (unsigned i = 0; n == 16 && i < 4; i++) { /* without the last byte: bits 127 to 8 */
        s->rsp[i] = 0;
        for (unsigned k = 0; k < 4; k++)
            if (4 * i + k < 15) s->rsp[i] |= (uint32_t)r[14 - (4 * i + k)] << 8 * k;
    }
}

static void command_after(void *dev, unsigned i)
{
    SELF *s = dev;
    uint8_t resp[16];
    bool data = s->cmdlo >> 5 & 1, stop = (s->cmdlo >> 6 & 3) == 3;
    unsigned kind = s->cmdlo & 3, cmd = s->cmdhi & 63;
    if (!powered(s)) return;
    if (s->active && (data || (kind == 3 && !stop))) return; /* the data lines are in use */
    if (data && s->trnmod & TRN_AUTO23 && s->trnmod & TRN_MULTI && sd_command(&s->slot, 23, s->sdma, resp) < 0) {
        s->acmd12err |= 2;
        fault(s, ERR_AUTO);
        return;
    }
    if (stop && s->active && !s->busy_wait) end(s);
    int n = sd_command(&s->slot, cmd, s->arg, resp);
    if (n < 0 || (kind && !n)) {
        fault(s, ERR_CMD_TIMEOUT);
        return;
    }
    if (kind) keep_response(s, resp, n);
    tell(s, INT_CMD);
    if (data) {
        transfer(s);
    } else if (kind == 3) {
        s->active = s->busy_wait = true;
        work(s);
    }
}

/* --- registers ------------------------------------------------------------------------------------------------------------------- */

static uint64_t present_read(void *dev, unsigned i)
{
    SELF *s = dev;
    uint32_t v = PRN_LINES;
    if (s->slot.card) v |= PRN_CARD;
    if (!sd_read_only(&s->slot)) v |= PRN_WRITABLE;
    if (!s->active) return v;
    v |= PRN_DAT_INHIBIT;
    if (s->busy_wait) return v & ~(1u << 20);
    v |= PRN_DAT_ACTIVE | (s->reading ? PRN_READ : PRN_WRITE);
    if (!dma(s) && s->reading && s->draining) v |= PRN_BUF_READ;
    if (!dma(s) && !s->reading && !s->draining) v |= PRN_BUF_WRITE;
    return v;
}

/* The data port: the block's bytes in order, as wide as the access. */
static uint64_t port_read(SELF *s, unsigned size)
{
    uint64_t v = 0;
    if (!s->active || dma(s) || !s->reading || !s->draining || s->busy_wait) return 0;
    for (unsigned i = 0; i < size && s->pos < s->n; i++) v |= (uint64_t)s->buf[s->pos++] << 8 * i;
    if (s->pos == s->n) {
        block_done(s);
        work(s);
    }
    return v;
}
static void port_write(SELF *s, uint64_t v, unsigned size)
{
    unsigned block = block_bytes(s);
    if (!s->active || dma(s) || s->reading || s->draining || s->busy_wait) return;
    for (unsigned i = 0; i < size && s->n < block; i++) s->buf[s->n++] = (uint8_t)(v >> 8 * i);
    if (s->n >= block) {
        s->draining = true;
        work(s);
    }
}

static void sdma_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->sdma = (uint32_t)v;
    if (!s->active || !s->paused) return;
    s->paused = false;
    work(s);
}
static uint64_t sdma_read(void *dev, unsigned i) { return ((SELF *)dev)->sdma; }

static void blksize_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (!s->active || s->busy_wait) s->blksize = (uint16_t)v;
}
static void blkcnt_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (!s->active || s->busy_wait) s->blkcnt = (uint16_t)v;
}
static void trnmod_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (!s->active || s->busy_wait) s->trnmod = (uint16_t)v;
}
static void hostctl_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->hostctl = s->active && !s->busy_wait ? (uint8_t)((v & ~0x18u) | (s->hostctl & 0x18)) : (uint8_t)v;
}
static void pwrcon_after(void *dev, unsigned i)
{
    SELF *s = dev;
    if (!s->slot.card) s->pwrcon &= (uint8_t)~1;
    if (!(s->pwrcon & 1)) sd_power_cycle(&s->slot);
}
/* The internal clock is stable at once. */
static uint64_t clkcon_read(void *dev, unsigned i)
{
    const SELF *s = dev;
    return s->clkcon | (s->clkcon & 1) << 1;
}
static void norint_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->norint &= (uint16_t)~(v & ~INT_ERROR);
    line(s);
}
static void errint_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->errint &= (uint16_t)~v;
    if (!s->errint) s->norint &= (uint16_t)~INT_ERROR;
    line(s);
}
static void enable_after(void *dev, unsigned i)
{
    SELF *s = dev;
    s->norint &= s->norint_en | INT_ERROR;
    s->errint &= s->errint_en;
    if (!s->errint) s->norint &= (uint16_t)~INT_ERROR;
    line(s);
}
static void signal_after(void *dev, unsigned i) { line(dev); }
static void force_auto_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->acmd12err |= (uint16_t)v;
    if (v) fault(s, ERR_AUTO);
}
static void force_error_write(void *dev, unsigned i, uint64_t v) { fault(dev, (unsigned)v); }
static uint64_t capab_read(void *dev, unsigned i) { return ((SELF *)dev)->capab; }
static uint64_t maxcurr_read(void *dev, unsigned i) { return ((SELF *)dev)->maxcurr; }
static uint64_t slotint_read(void *dev, unsigned i)
{
    const SELF *s = dev;
    return (s->norint & s->norint_sig & ~INT_ERROR) || (s->errint & s->errint_sig);
}
static uint64_t version_read(void *dev, unsigned i) { return 0x0002 | ((SELF *)dev)->vendor << 8; } /* 3.00 */

static void reset_write(void *dev, unsigned i, uint64_t v);

static const struct reg sdhci_regs[] = {
    { 0x00, "SDMASYSAD", RW, FIELD(sdma), .read = sdma_read, .write = sdma_write }, { 0x04, "BLKSIZE", RW, .size = 2, FIELD(blksize), .mask = 0x7fff, .write = blksize_write },
    { 0x06, "BLKCNT", RW, .size = 2, FIELD(blkcnt), .write = blkcnt_write }, { 0x08, "ARGUMENT", RW, FIELD(arg) },
    { 0x0c, "TRNMOD", RW, .size = 2, FIELD(trnmod), .mask = 0x3f, .write = trnmod_write }, { 0x0e, "CMD", RW, .size = 1, FIELD(cmdlo), .mask = 0xfb },
    { 0x0f, "CMD_INDEX", RW, .size = 1, FIELD(cmdhi), .mask = 0x3f, .after = command_after }, { 0x10, "RSP", RO, FIELD_ARRAY(rsp) },
    { 0x24, "PRNSTS", RO, .read = present_read }, { 0x28, "HOSTCTL", RW, .size = 1, FIELD(hostctl), .write = hostctl_write },
    { 0x29, "PWRCON", RW, .size = 1, FIELD(pwrcon), .mask = 0x0f, .after = pwrcon_after }, { 0x2a, "BLKGAP", RW, .size = 1, FIELD(blkgap), .mask = 0x0f },
    { 0x2b, "WAKCON", RW, .size = 1, FIELD(wakcon), .mask = 0x07 }, { 0x2c, "CLKCON", RW, .size = 2, FIELD(clkcon), .mask = 0xffe5, .read = clkcon_read },
    { 0x2e, "TIMEOUTCON", RW, .size = 1, FIELD(timeout), .mask = 0x0f }, { 0x2f, "SWRST", RW, .size = 1, .mask = 7, .write = reset_write },
    { 0x30, "NORINTSTS", RW, .size = 2, FIELD(norint), .write = norint_write }, { 0x32, "ERRINTSTS", RW, .size = 2, FIELD(errint), .write = errint_write },
    { 0x34, "NORINTSTSEN", RW, .size = 2, FIELD(norint_en), .mask = 0x7fff, .after = enable_after },
    { 0x36, "ERRINTSTSEN", RW, .size = 2, FIELD(errint_en), .mask = 0x03ff, .after = enable_after },
    { 0x38, "NORINTSIGEN", RW, .size = 2, FIELD(norint_sig), .mask = 0x7fff, .after = signal_after },
    { 0x3a, "ERRINTSIGEN", RW, .size = 2, FIELD(errint_sig), .mask = 0x03ff, .after = signal_after },
    { 0x3c, "ACMD12ERRSTS", RO, .size = 2, FIELD(acmd12err) }, { 0x3e, "HOSTCTL2", RW, .size = 2, FIELD(hostctl2), .mask = 0xc037 },
    { 0x40, "CAPAREG", RO, .size = 8, .read = capab_read }, { 0x48, "MAXCURR", RO, .size = 8, .read = maxcurr_read },
    { 0x50, "FEAER", WO, .size = 2, .mask = 0x9f, .write = force_auto_write }, { 0x52, "FEERR", WO, .size = 2, .mask = 0x3ff, .write = force_error_write },
    { 0x54, "ADMAERR", RO, .size = 4, FIELD(admaerr) }, { 0x58, "ADMASYSADDR", RW, .size = 8, FIELD(adma) },
    { 0x60, "PRESET", RO, .size = 1, FIELD_ARRAY(preset) }, { 0xfc, "SLOTINT", RO, .size = 2, .read = slotint_read }, { 0xfe, "HCVER", RO, .size = 2, .read = version_read },
};

/* 1: all of it, 2: the command's part, 4: the data's. */
static void reset_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (v & 5) end(s);
    if (v & 4) s->norint &= (uint16_t)~(INT_XFER | INT_GAP | INT_DMA | INT_WRITE_READY | INT_READ_READY);
    if (v & 2) s->norint &= (uint16_t)~INT_CMD;
    for (unsigned n = 0; v & 1 && n < ARRAY_LEN(sdhci_regs); n++) {
        const struct reg *r = &sdhci_regs[n];
        if (r->field_size) memset((uint8_t *)s + r->field, 0, (size_t)r->field_size * MAX(r->count, 1u));
    }
    if (v & 1) sd_power_cycle(&s->slot);
    line(s);
}

/* What is not in the table: the port. */
static uint64_t rest_read(void *dev, uint64_t off, unsigned size, struct mem_attr at) { return (off & ~3ull) == 0x20 ? port_read(dev, size) : 0; }
static void rest_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    if ((off & ~3ull) == 0x20) port_write(dev, v, size);
}
static const struct mmio_ops rest_ops = { .read = rest_read, .write = rest_write };
/* A BAR's window. */
static uint64_t bar_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return regs_read(dev, sdhci_regs, ARRAY_LEN(sdhci_regs), off, size);
}
static void bar_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    regs_write(dev, sdhci_regs, ARRAY_LEN(sdhci_regs), off, v, size);
}
static const struct mmio_ops bar_ops = { .read = bar_read, .write = bar_write, .max = 4 };

/* --- life -------------------------------------------------------------------------------------------------------------------------- */

static void init(SELF *s, const char *bus)
{
    deferred_init(&s->run, s->p.dev.board->loop, run, s);
    sd_slot_init(&s->slot, &s->p.dev, bus, ready, changed, s);
}

static int pci_kind_init(void *dev, struct err *e)
{
    SELF *s = dev;
    char name[96];
    s->is_pci = true;
    pci_init(&s->p, &(struct pci_id){ 0x1b36, 0x0007, 0x1af4, 0x1100, 0x080501, 0 });
    pci_bar_mmio(&s->p, 0, 0, WINDOW, &bar_ops, s);
    s->p.next_cap = 0x44; /* 0x40: slot information, one slot at BAR 0 */
    if (s->p.dev.id) snprintf(name, sizeof name, "%.80s.sd", s->p.dev.id);
    init(s, s->p.dev.id ? name : "sd-bus");
    return 0;
}
static int board_kind_init(void *dev, struct err *e)
{
    init(dev, "sd-bus");
    return 0;
}

static void sdhci_reset(void *dev)
{
    SELF *s = dev;
    end(s);
    deferred_cancel(&s->run);
    if (s->is_pci) pci_reset(&s->p);
    line(s);
}

static void sdhci_exit(void *dev)
{
    SELF *s = dev;
    deferred_cancel(&s->run);
    if (s->is_pci) pci_exit(&s->p);
}

static int sdhci_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    unsigned size = block_bytes(s);
    if (s->pos > s->n || (s->active && !s->busy_wait && (s->n > size || !size || !s->blocks))) return err_set(e, EINVAL, "state of an SD host: the block");
    if (s->active) loop_defer(&s->run);
    return s->is_pci ? pci_loaded(&s->p, e) : 0;
}

#define SDHCI_STATE \
    STATE_RANGE(active, 0, 1), STATE_RANGE(reading, 0, 1), STATE_RANGE(draining, 0, 1), STATE_RANGE(paused, 0, 1), STATE_RANGE(busy_wait, 0, 1), \
    STATE_RANGE(unlimited, 0, 1), STATE_INT(blocks), STATE_RANGE(n, 0, BLOCK_MAX), STATE_RANGE(pos, 0, BLOCK_MAX), STATE_INT(seg_addr), STATE_INT(seg_left), \
    STATE_RANGE(seg_end, 0, 1), STATE_BYTES(buf)
/* 52 MHz, high speed, SDMA, ADMA2, 64-bit addresses, 3.3 V */
#define SDHCI_PROPS PROP_U64("capareg", capab, 0x34 | 1 << 7 | 0x34 << 8 | 1 << 19 | 1 << 21 | 1 << 22 | 1 << 24 | 1 << 28), PROP_U64("maxcurr", maxcurr, 0), \
    PROP_U16("vendor", vendor, 0)

const struct device sdhci_pci_device = {
    .name = "sdhci-pci", .help = "SD host controller", .category = "Storage devices", .bus = "pci", .size = sizeof(SELF), REGS(sdhci_regs), .ops = &rest_ops,
    .init = pci_kind_init, .reset = sdhci_reset, .exit = sdhci_exit, .loaded = sdhci_loaded, .user_creatable = true, PROPS(PCI_PROPS, SDHCI_PROPS), STATE(PCI_STATE, SDHCI_STATE),
};
const struct device generic_sdhci_device = {
    .name = "generic-sdhci", .help = "SD host controller", .category = "Storage devices", .size = sizeof(SELF), REGS(sdhci_regs), .ops = &rest_ops, .init = board_kind_init,
    .irqs = 1, .window = WINDOW, .reset = sdhci_reset, .exit = sdhci_exit, .loaded = sdhci_loaded, PROPS(SDHCI_PROPS), STATE(SDHCI_STATE),
};
