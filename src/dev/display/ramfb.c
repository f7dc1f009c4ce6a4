/*
 * ramfb.c: a framebuffer in guest memory that firmware describes in fw_cfg's file etc/ramfb (QEMU documentation, specs; the layout as in
 * EDK2's QemuRamfbDxe): be64 address, be32 fourcc (of drm_fourcc.h), flags, width, height, stride. Nothing says what changed: memory is
 * compared with the surface when somebody looks. Known gaps: alpha is ignored.
 */
#include <stdlib.h>
#include "dev/device.h"
#include "dev/misc/fw_cfg.h"
#include "io/display/display.h"

#define SELF struct ramfb

enum { CONFIG = 28, LOOK_BYTES = 16 << 20, WIDTH_MAX = 16384 };
#define FOURCC(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

struct ramfb {
    struct dev dev;
    struct dev *fw_cfg;
    struct console *con;
    uint8_t config[CONFIG];   /* as firmware wrote it */
    uint64_t addr;
    uint32_t fourcc, stride, width, height;
    uint32_t next;            /* the line to look at next */
    uint32_t *line;
    uint8_t *raw;
};

static unsigned pixel_bytes(uint32_t fourcc)
{
    switch (fourcc) {
    case FOURCC('X', 'R', '2', '4'): case FOURCC('A', 'R', '2', '4'): case FOURCC('X', 'B', '2', '4'): case FOURCC('A', 'B', '2', '4'): return 4;
    case FOURCC('R', 'G', '2', '4'): case FOURCC('B', 'G', '2', '4'): return 3;
    case FOURCC('R', 'G', '1', '6'): return 2;
    default: return 0;
    }
}

/* A line of guest memory; the formats are little endian. */
static void convert(const SELF *s, const uint8_t *p, uint32_t *out)
{
    for (uint32_t i = 0; i < s->width; i++) {
        switch (s->fourcc) {
        case FOURCC('X', 'B', '2', '4'): case FOURCC('A', 'B', '2', '4'):
            out[i] = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], p += 4;
            break;
        case FOURCC('R', 'G', '2', '4'): out[i] = (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0], p += 3; break;
        case FOURCC('B', 'G', '2', '4'): out[i] = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], p += 3; break;
        case FOURCC('R', 'G', '1', '6'): {
            uint32_t v = p[0] | (uint32_t)p[1] << 8, r = v >> 11, g = v >> 5 & 63, b = v & 31;
            out[i] = (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
            p += 2;
            break;
        }
        default: out[i] = (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0], p += 4; break;
        }
    }
}

/* At most LOOK_BYTES of it at a time; a larger screen takes several looks. */
static void refresh(void *ctx)
{
    SELF *s = ctx;
    struct surface *f = console_surface(s->con);
    uint32_t bytes = s->width * pixel_bytes(s->fourcc), first = UINT32_MAX, last = 0;
    if (!s->width || f->width != s->width || f->height != s->height) return;
    for (uint32_t n = 0, done = 0; n < s->height && done < LOOK_BYTES; n++, done += bytes) {
        uint32_t y = s->next < s->height ? s->next : 0;
        s->next = y + 1;
        if (dma_read(&s->dev.dma, s->addr + (uint64_t)y * s->stride, s->raw, bytes)) continue;
        convert(s, s->raw, s->line);
        uint32_t *own = f->pixels + (size_t)y * f->width;
        if (!memcmp(own, s->line, s->width * sizeof *own)) continue;
        memcpy(own, s->line, s->width * sizeof *own);
        first = MIN(first, y);
        last = MAX(last, y);
    }
    if (first <= last) console_dirty(s->con, 0, first, s->width, last - first + 1);
}

static uint32_t be32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

/* What does not make sense leaves the screen as it is. */
static void configure(SELF *s)
{
    const uint8_t *c = s->config;
    uint64_t addr = (uint64_t)be32(c) << 32 | be32(c + 4);
    uint32_t fourcc = be32(c + 8), w = be32(c + 16), h = be32(c + 20), stride = be32(c + 24), bytes = pixel_bytes(fourcc);
    if (!addr && !w && !h) return; /* not set up yet */
    if (!stride && w <= WIDTH_MAX) stride = w * bytes;
    if (!bytes || !w || !h || w > WIDTH_MAX || h > WIDTH_MAX || stride < w * bytes || stride > WIDTH_MAX * 8) {
        dev_guest_error(&s->dev, false, "%ux%u, stride %u, format %08x is no screen", w, h, stride, fourcc);
        return;
    }
    if (console_resize(s->con, w, h)) {
        dev_guest_error(&s->dev, false, "%ux%u is too large", w, h);
        return;
    }
    free(s->line);
    free(s->raw);
    s->line = xalloc(w * sizeof *s->line);
    s->raw = xalloc((size_t)w * bytes);
    s->addr = addr;
    s->fourcc = fourcc, s->stride = stride, s->width = w, s->height = h;
    s->next = 0;
    console_dirty(s->con, 0, 0, w, h);
}

static void written(void *ctx, const uint8_t *data, uint32_t len)
{
    SELF *s = ctx;
    memcpy(s->config, data, MIN(len, (uint32_t)CONFIG));
    configure(s);
}

static const struct console_ops console_ops = { .refresh = refresh };

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    for (struct dev *d = s->dev.board->devs; d; d = d->next)
        if (d->realized && !strcmp(d->cls->name, "fw_cfg_mem")) s->fw_cfg = d;
    for (struct dev *d = s->dev.board->devs; d; d = d->next)
        if (d != &s->dev && d->cls == s->dev.cls) return err_set(e, EBUSY, "ramfb: there can be one only");
    if (!s->fw_cfg) return err_set(e, ENODEV, "ramfb: the machine has no fw_cfg device with DMA");
    int r = fw_cfg_file_rw(s->fw_cfg, "etc/ramfb", s->config, CONFIG, written, s, e);
    if (r) s->fw_cfg = NULL;
    else s->con = console_new(s->dev.board->display, s->dev.id, 0, &console_ops, s);
    return r;
}

static void reset(void *dev)
{
    SELF *s = dev;
    memset(s->config, 0, CONFIG);
    s->width = s->height = 0;
    if (s->fw_cfg) fw_cfg_file_rw(s->fw_cfg, "etc/ramfb", s->config, CONFIG, written, s, NULL);
    if (s->con) console_resize(s->con, 0, 0);
}

static int loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    configure(s);
    return 0;
}

static void leave(void *dev)
{
    SELF *s = dev;
    if (s->fw_cfg) fw_cfg_file_rw(s->fw_cfg, "etc/ramfb", s->config, CONFIG, NULL, NULL, NULL);
    console_free(s->con);
    free(s->line);
    free(s->raw);
}

const struct device ramfb_device = {
    .name = "ramfb", .help = "framebuffer in memory, set up by firmware", .category = "Display devices", .size = sizeof(SELF), .user_creatable = true,
    STATE(STATE_BYTES(config)), .state_version = 1,
    .init = init, .reset = reset, .exit = leave, .loaded = loaded,
};
