/*
 * fw_cfg.c: QEMU's firmware configuration device as memory-mapped registers (QEMU documentation, specs/fw_cfg): a selector, a data
 * register, DMA, a directory of named files. Known gaps: the port form of PCs.
 */
#include "dev/misc/fw_cfg.h"

#include <stdio.h>
#include <stdlib.h>
#include "dev/fdt.h"

#define SELF struct fw_cfg

enum { KEYS = 0x200, FILES = KEYS - FW_CFG_FILE_FIRST, NAME = 56, ITEM_MAX = 256 << 20 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

struct item {
    uint8_t *data;
    uint32_t len;
    void (*written)(void *ctx, const uint8_t *data, uint32_t len);
    void *ctx;
};

struct fw_cfg {
    struct dev dev;
    struct item item[KEYS];
    char name[FILES][NAME];
    uint32_t files;
    uint16_t key;
    uint32_t at;              /* next byte of the selected item */
    uint64_t dma_addr;
    bool dma_on;
};

static struct item *selected(struct fw_cfg *s)
{
    return s->key < KEYS ? &s->item[s->key] : NULL;
}

static void select_key(struct fw_cfg *s, uint16_t key)
{
    s->key = key & 0x3fff;    /* bits 14 and 15: write intention, architecture-specific */
    s->at = 0;
}

/* The directory: count, then size, key, reserved, name by file; big endian; in order of names. */
static int order(const void *a, const void *b, void *ctx)
{
    struct fw_cfg *s = ctx;
    return strcmp(s->name[*(const unsigned *)a], s->name[*(const unsigned *)b]);
}

static void directory(struct fw_cfg *s)
{
    struct item *d = &s->item[FW_CFG_FILE_DIR];
    unsigned idx[FILES];
    free(d->data);
    d->len = 4 + s->files * 64;
    uint8_t *p = d->data = xalloc(d->len);
    uint32_t be = __builtin_bswap32(s->files);
    memcpy(p, &be, 4);
    for (unsigned i = 0; i < s->files; i++) idx[i] = i;
    qsort_r(idx, s->files, sizeof idx[0], order, s);
    for (unsigned i = 0; i < s->files; i++) {
        uint8_t *f = p + 4 + 64 * i;
        uint16_t key = __builtin_bswap16((uint16_t)(FW_CFG_FILE_FIRST + idx[i]));
        be = __builtin_bswap32(s->item[FW_CFG_FILE_FIRST + idx[i]].len);
        memcpy(f, &be, 4);
        memcpy(f + 4, &key, 2);
        memcpy(f + 8, s->name[idx[i]], NAME);
    }
}

int fw_cfg_set(struct dev *d, unsigned key, const void *data, uint32_t len, struct err *e)
{
    struct fw_cfg *s = (struct fw_cfg *)d;
    if (key >= KEYS) return err_set(e, ENOSPC, "fw_cfg has no key %u", key);
    if (len > ITEM_MAX) return err_set(e, E2BIG, "fw_cfg: an item of %u bytes is too large", len);
    free(s->item[key].data);
    s->item[key].data = xalloc(len + 1);
    if (len) memcpy(s->item[key].data, data, len);
    s->item[key].len = len;
    return 0;
}

int fw_cfg_set_num(struct dev *d, unsigned key, uint64_t v, unsigned bytes, struct err *e)
{
    return fw_cfg_set(d, key, &v, MIN(bytes, 8u), e);
}

int fw_cfg_file_rw(struct dev *d, const char *name, const void *data, uint32_t len, void (*written)(void *ctx, const uint8_t *data, uint32_t len),
                   void *ctx, struct err *e)
{
    struct fw_cfg *s = (struct fw_cfg *)d;
    unsigned i = 0;
    if (strlen(name) >= NAME) return err_set(e, EINVAL, "fw_cfg: the name '%s' is longer than %d letters", name, NAME - 1);
    while (i < s->files && strcmp(s->name[i], name)) i++;
    if (i == FILES) return err_set(e, ENOSPC, "fw_cfg: more than %d files", FILES);
    int r = fw_cfg_set(d, FW_CFG_FILE_FIRST + i, data, len, e);
    if (r) return r;
    if (i == s->files) {
        snprintf(s->name[i], NAME, "%s", name);
        s->files++;
    }
    s->item[FW_CFG_FILE_FIRST + i].written = written;
    s->item[FW_CFG_FILE_FIRST + i].ctx = ctx;
    directory(s);
    return 0;
}

int fw_cfg_file(struct dev *d, const char *name, const void *data, uint32_t len, struct err *e)
{
    return fw_cfg_file_rw(d, name, data, len, NULL, NULL, e);
}

/* --- DMA --------------------------------------------------------------------------------------------------------------------- */

/* Bytes beyond the item read as zeros. In pieces, so that no guest makes us allocate. */
static bool dma_out(struct fw_cfg *s, const struct item *it, uint64_t addr, uint32_t len)
{
    static const uint8_t zeros[4096];
    while (len) {
        uint32_t there = it && s->at < it->len ? it->len - s->at : 0, n = there ? MIN(len, there) : MIN(len, (uint32_t)sizeof zeros);
        if (dma_write(&s->dev.dma, addr, there ? it->data + s->at : zeros, n)) return false;
        if (there) s->at += n;
        addr += n;
        len -= n;
    }
    return true;
}

static bool dma_in(struct fw_cfg *s, struct item *it, uint64_t addr, uint32_t len)
{
    if (!it || !it->written || s->at > it->len || len > it->len - s->at) return false;
    if (dma_read(&s->dev.dma, addr, it->data + s->at, len)) return false;
    s->at += len;
    it->written(it->ctx, it->data, it->len);
    return true;
}

/* struct { be32 control, length; be64 address; } */
static void dma_run(struct fw_cfg *s)
{
    uint64_t at = s->dma_addr;
    uint8_t b[16];
    uint32_t control, len;
    uint64_t addr;
    s->dma_addr = 0;
    if (dma_read(&s->dev.dma, at, b, sizeof b)) {
        dev_guest_error(&s->dev, false, "DMA structure at 0x%llx, where no memory is", (unsigned long long)at);
        return;
    }
    memcpy(&control, b, 4);
    memcpy(&len, b + 4, 4);
    memcpy(&addr, b + 8, 8);
    control = __builtin_bswap32(control), len = __builtin_bswap32(len), addr = __builtin_bswap64(addr);
    bool ok = true;
    if (control & DMA_SELECT) select_key(s, (uint16_t)(control >> 16));
    struct item *it = selected(s);
    if (len > ITEM_MAX) ok = false;
    else if (control & DMA_READ) ok = dma_out(s, it, addr, len);
    else if (control & DMA_WRITE) ok = dma_in(s, it, addr, len);
    else if (control & DMA_SKIP && it) s->at = len > it->len - MIN(s->at, it->len) ? it->len : s->at + len;
    dma_st(&s->dev.dma, at, ok ? 0 : __builtin_bswap32(DMA_ERROR), 4);
}

/* --- registers: data 0..7, selector 8..9 big endian, DMA address 16..23 big endian --------------------------------------------- */

static uint64_t cfg_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct fw_cfg *s = dev;
    uint64_t v = 0;
    if (off < 8) { /* a stream of bytes, the first in the first place */
        struct item *it = selected(s);
        for (unsigned i = 0; i < size; i++) {
            uint8_t b = it && s->at < it->len ? it->data[s->at++] : 0;
            v |= (uint64_t)b << (8 * (size - 1 - i));
        }
    } else if (off >= 16 && s->dma_on) {
        uint64_t sig = 0x51454d5520434647; /* "QEMU CFG" */
        v = sig >> (8 * (24 - off - size)) & bits_mask(8 * size);
    }
    return v;
}

static void cfg_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct fw_cfg *s = dev;
    if (off == 8 && size >= 2) {
        select_key(s, (uint16_t)(v >> (8 * (size - 2))));
    } else if (off >= 16 && s->dma_on) {
        if (size == 8) {
            s->dma_addr = v;
            dma_run(s);
        } else if (size == 4 && off == 16) {
            s->dma_addr = v << 32;
        } else if (size == 4 && off == 20) {
            s->dma_addr |= v;
            dma_run(s);
        }
    }
}

static const struct mmio_ops cfg_ops = { .read = cfg_read, .write = cfg_write, .max = 8, .big_endian = true };

static int cfg_init(void *dev, struct err *e)
{
    struct fw_cfg *s = dev;
    int r = fw_cfg_set(&s->dev, FW_CFG_SIGNATURE, "QEMU", 4, e);
    if (!r) r = fw_cfg_set_num(&s->dev, FW_CFG_ID, s->dma_on ? 3 : 1, 4, e);
    directory(s);
    return r;
}

static void cfg_reset(void *dev)
{
    struct fw_cfg *s = dev;
    select_key(s, 0);
    s->dma_addr = 0;
}

static void cfg_exit(void *dev)
{
    struct fw_cfg *s = dev;
    for (unsigned i = 0; i < KEYS; i++) free(s->item[i].data);
}

static void cfg_fdt(void *dev, struct fdt_node *n) { fdt_set_empty(n, "dma-coherent"); }

const struct device fw_cfg_device = {
    .name = "fw_cfg_mem", .help = "firmware configuration", .dt = "qemu,fw-cfg-mmio", .size = sizeof(struct fw_cfg), .window = 0x18,
    .ops = &cfg_ops, PROPS(PROP_BOOL("dma_enabled", dma_on, true)),
    STATE(STATE_INT(key), STATE_INT(at), STATE_INT(dma_addr)),
    .init = cfg_init, .reset = cfg_reset, .exit = cfg_exit, .fdt = cfg_fdt,
};
