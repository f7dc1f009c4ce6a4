/*
 * gpu.c: virtio-gpu (virtio 1.2, 5.7), 2D: resources with backing in guest memory, scanouts, cursor, EDID.
 *
 * A resource's pixels are the host's copy; TRANSFER_TO_HOST_2D fills it from the backing, RESOURCE_FLUSH shows it. All commands are bounded:
 * bytes of all resources by max_hostmem, backing entries and resources by count.
 * Known gaps: no 3D, blobs, contexts.
 */
#include "dev/virtio/virtio.h"

#include <stdlib.h>
#include "io/display/display.h"

#define SELF struct gpu
enum { F_EDID = 1 };
enum { GET_DISPLAY_INFO = 0x100, CREATE_2D, UNREF, SET_SCANOUT, FLUSH, TRANSFER, ATTACH, DETACH, GET_CAPSET_INFO, GET_CAPSET, GET_EDID,
       UPDATE_CURSOR = 0x300, MOVE_CURSOR };
enum { OK_NODATA = 0x1100, OK_DISPLAY_INFO, OK_EDID = 0x1104, ERR_UNSPEC = 0x1200, ERR_MEMORY, ERR_SCANOUT, ERR_RESOURCE, ERR_CONTEXT, ERR_PARAMETER };
enum { HDR = 24, FLAG_FENCE = 1, SCANOUTS = 16, RESOURCES = 4096, ENTRIES = 16384, CURSOR = 64, EVENT_DISPLAY = 1, EDID_BYTES = 128 };

struct entry {
    uint64_t addr;
    uint32_t len;
};
struct resource {
    struct resource *next;
    uint32_t id, width, height, format;
    uint32_t *pixels;
    struct entry *entry;
    uint32_t entries;
};
struct scanout {
    struct gpu *gpu;
    struct console *con;
    uint32_t resource;           /* 0: nothing is shown */
    struct rect r;               /* of the resource */
    uint32_t width, height;      /* what the guest shall choose */
};

struct gpu {
    struct virtio v;
    struct resource *list;
    uint32_t nresources;
    uint64_t used, max_hostmem;
    struct scanout scan[SCANOUTS];
    uint32_t outputs, xres, yres, events;
    bool p_edid;
};

/* --- resources ------------------------------------------------------------------------------------------------------------------ */

static struct resource *find(SELF *s, uint32_t id)
{
    struct resource *r = s->list;
    while (r && r->id != id) r = r->next;
    return r;
}

static void detach(struct resource *r)
{
    free(r->entry);
    r->entry = NULL;
    r->entries = 0;
}

static void blank(struct scanout *o)
{
    o->resource = 0;
    console_resize(o->con, 0, 0);
}

static void resource_free(SELF *s, struct resource *r)
{
    for (struct resource **p = &s->list; *p; p = &(*p)->next)
        if (*p == r) {
            *p = r->next;
            break;
        }
    for (unsigned i = 0; i < s->outputs; i++)
        if (s->scan[i].resource == r->id) blank(&s->scan[i]);
    s->used -= (uint64_t)r->width * r->height * 4;
    s->nresources--;
    detach(r);
    free(r->pixels);
    free(r);
}

/* Formats with four bytes a pixel; where red, green, blue are in memory. */
static bool format_known(uint32_t f)
{
    return (f >= 1 && f <= 4) || f == 67 || f == 68 || f == 121 || f == 134;
}
static inline uint32_t convert(uint32_t f, uint32_t p)
{
    switch (f) {
    case 1: case 2: return p & 0xffffff;                                             /* BGRA, BGRX */
    case 3: case 4: return __builtin_bswap32(p) & 0xffffff;                          /* ARGB, XRGB */
    case 68: case 121: return (p >> 24) | (p >> 8 & 0xff00) | (p << 8 & 0xff0000);   /* XBGR, ABGR */
    default: return (p & 0xff00) | (p >> 16 & 0xff) | (p & 0xff) << 16;              /* RGBA, RGBX */
    }
}

static uint32_t create(SELF *s, const uint8_t *b)
{
    uint32_t id = pci_get32(b), format = pci_get32(b + 4), w = pci_get32(b + 8), h = pci_get32(b + 12);
    if (!id || find(s, id)) return ERR_RESOURCE;
    if (!format_known(format) || !w || !h || w > DISPLAY_MAX || h > DISPLAY_MAX) return ERR_PARAMETER;
    uint64_t bytes = (uint64_t)w * h * 4;
    if (bytes > s->max_hostmem - s->used || s->nresources == RESOURCES) return ERR_MEMORY;
    struct resource *r = calloc(1, sizeof *r);
    uint32_t *pixels = r ? calloc((size_t)w * h, 4) : NULL;
    if (!pixels) {
        free(r);
        return ERR_MEMORY;
    }
    *r = (struct resource){ .next = s->list, .id = id, .width = w, .height = h, .format = format, .pixels = pixels };
    s->list = r;
    s->nresources++;
    s->used += bytes;
    return OK_NODATA;
}

static uint32_t attach(SELF *s, struct vq_elem *el, const uint8_t *b)
{
    struct resource *r = find(s, pci_get32(b));
    uint32_t n = pci_get32(b + 4);
    if (!r) return ERR_RESOURCE;
    if (r->entry) return ERR_UNSPEC;
    if (!n || n > ENTRIES || el->out_len < HDR + 8 + 16ull * n) return ERR_PARAMETER;
    struct entry *e = calloc(n, sizeof *e);
    uint8_t *raw = calloc(n, 16);
    bool ok = e && raw && vq_read(el, HDR + 8, raw, 16ull * n) == (int64_t)(16ull * n);
    for (uint32_t i = 0; ok && i < n; i++)
        e[i] = (struct entry){ pci_get32(raw + 16 * i) | (uint64_t)pci_get32(raw + 16 * i + 4) << 32, pci_get32(raw + 16 * i + 8) };
    free(raw);
    if (!ok) {
        free(e);
        return ERR_MEMORY;
    }
    r->entry = e;
    r->entries = n;
    return OK_NODATA;
}

/* Reads from a resource's backing, a list of runs; e and off: where the last read ended (rows are read in order). */
static bool backing_read(SELF *s, const struct resource *r, uint32_t *e, uint64_t *base, uint64_t off, uint8_t *buf, uint64_t len)
{
    if (off < *base) *e = 0, *base = 0;
    while (len) {
        while (*e < r->entries && off - *base >= r->entry[*e].len) *base += r->entry[(*e)++].len;
        if (*e == r->entries) return false;
        uint64_t in = off - *base, n = MIN(len, r->entry[*e].len - in);
        if (dma_read(&s->v.dev.dma, r->entry[*e].addr + in, buf, n)) return false;
        off += n;
        buf += n;
        len -= n;
    }
    return true;
}

static bool inside(const struct rect *t, uint32_t w, uint32_t h)
{
    return t->x <= w && t->y <= h && t->w <= w - t->x && t->h <= h - t->y;
}

static struct rect rect_of(const uint8_t *b)
{
    return (struct rect){ pci_get32(b), pci_get32(b + 4), pci_get32(b + 8), pci_get32(b + 12) };
}

static uint32_t transfer(SELF *s, const uint8_t *b)
{
    struct rect t = rect_of(b);
    uint64_t off = pci_get32(b + 16) | (uint64_t)pci_get32(b + 20) << 32;
    struct resource *r = find(s, pci_get32(b + 24));
    if (!r || !r->entry) return ERR_RESOURCE;
    if (!inside(&t, r->width, r->height) || off > 1ull << 40) return ERR_PARAMETER;
    vq_charge(&s->v.vq[0], (uint64_t)t.w * t.h * 4);
    uint32_t e = 0;
    uint64_t base = 0, stride = r->width * 4ull;
    for (uint32_t y = 0; y < t.h && t.w; y++) {
        uint32_t *row = r->pixels + (uint64_t)(t.y + y) * r->width + t.x;
        if (!backing_read(s, r, &e, &base, off + y * stride, (uint8_t *)row, t.w * 4ull)) return ERR_UNSPEC;
        if (r->format > 2)
            for (uint32_t x = 0; x < t.w; x++) row[x] = convert(r->format, row[x]);
    }
    return OK_NODATA;
}

/* --- what is shown ------------------------------------------------------------------------------------------------------------------ */

static void show(struct scanout *o, const struct resource *r, struct rect t)
{
    struct surface *f = console_surface(o->con);
    uint32_t x0 = MAX(t.x, o->r.x), y0 = MAX(t.y, o->r.y), x1 = MIN(t.x + t.w, o->r.x + o->r.w), y1 = MIN(t.y + t.h, o->r.y + o->r.h);
    if (x0 >= x1 || y0 >= y1 || f->width != o->r.w || f->height != o->r.h) return;
    for (uint32_t y = y0; y < y1; y++)
        memcpy(f->pixels + (uint64_t)(y - o->r.y) * f->width + (x0 - o->r.x), r->pixels + (uint64_t)y * r->width + x0, (x1 - x0) * 4ull);
    console_dirty(o->con, x0 - o->r.x, y0 - o->r.y, x1 - x0, y1 - y0);
}

static uint32_t flush(SELF *s, const uint8_t *b)
{
    struct rect t = rect_of(b);
    struct resource *r = find(s, pci_get32(b + 16));
    if (!r) return ERR_RESOURCE;
    if (!inside(&t, r->width, r->height)) return ERR_PARAMETER;
    for (unsigned i = 0; i < s->outputs; i++) {
        if (s->scan[i].resource != r->id) continue;
        show(&s->scan[i], r, t);
        vq_charge(&s->v.vq[0], (uint64_t)t.w * t.h * 4);
    }
    return OK_NODATA;
}

static uint32_t set_scanout(SELF *s, const uint8_t *b)
{
    struct rect t = rect_of(b);
    uint32_t n = pci_get32(b + 16), id = pci_get32(b + 20);
    if (n >= s->outputs) return ERR_SCANOUT;
    struct scanout *o = &s->scan[n];
    if (!id) {
        blank(o);
        return OK_NODATA;
    }
    struct resource *r = find(s, id);
    if (!r) return ERR_RESOURCE;
    if (t.w < 16 || t.h < 16 || !inside(&t, r->width, r->height)) return ERR_PARAMETER;
    if (console_resize(o->con, t.w, t.h)) return ERR_MEMORY;
    o->resource = id;
    o->r = t;
    show(o, r, t);
    return OK_NODATA;
}

static void cursor(SELF *s, const uint8_t *b, bool update)
{
    uint32_t n = pci_get32(b + HDR), id = pci_get32(b + HDR + 16);
    if (n >= s->outputs) return;
    struct console *c = s->scan[n].con;
    if (update) {
        struct resource *r = id ? find(s, id) : NULL;
        uint32_t raw[CURSOR * CURSOR];
        uint32_t e = 0;
        uint64_t base = 0;
        /* alpha is in the guest's memory only: what is kept of a resource has none */
        if (!r || r->width != CURSOR || r->height != CURSOR || !backing_read(s, r, &e, &base, 0, (uint8_t *)raw, sizeof raw))
            console_cursor(c, 0, 0, 0, 0, NULL);
        else
            console_cursor(c, CURSOR, CURSOR, pci_get32(b + HDR + 20), pci_get32(b + HDR + 24), raw);
    }
    console_cursor_move(c, (int32_t)pci_get32(b + HDR + 4), (int32_t)pci_get32(b + HDR + 8));
}

/* --- EDID (VESA E-EDID 1.4): one detailed timing of the wanted size ---------------------------------------------------------------- */

static void edid(uint8_t e[EDID_BYTES], uint32_t w, uint32_t h)
{
    static const uint8_t head[] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x33, 0x32 /* "LYR" */, 1, 0 };
    uint32_t hblank = 160, vblank = MAX(h / 25, 23u), clock = (uint32_t)((uint64_t)(w + hblank) * (h + vblank) * 75 / 10000);
    uint8_t *d = e + 54, sum = 0;
    memset(e, 0, EDID_BYTES);
    memcpy(e, head, sizeof head);
    e[16] = 42, e[17] = 30, e[18] = 1, e[19] = 4, e[20] = 0xa5;
    e[21] = (uint8_t)MIN(w * 254 / 10 / 100, 255u), e[22] = (uint8_t)MIN(h * 254 / 10 / 100, 255u), e[23] = 120, e[24] = 6;
    memset(e + 38, 1, 16);
    clock = MIN(clock, 65535u);
    d[0] = (uint8_t)clock, d[1] = (uint8_t)(clock >> 8);
    d[2] = (uint8_t)w, d[3] = (uint8_t)hblank, d[4] = (uint8_t)((w >> 8 & 15) << 4 | hblank >> 8);
    d[5] = (uint8_t)h, d[6] = (uint8_t)vblank, d[7] = (uint8_t)((h >> 8 & 15) << 4 | (vblank >> 8 & 15));
    d[8] = 48, d[9] = 32, d[10] = 3 << 4 | 6, d[17] = 0x18;
    e[72 + 3] = 0xfc; /* a name */
    memcpy(e + 72 + 5, "Lyrebird\n   ", 12);
    e[90 + 3] = e[108 + 3] = 0x10;
    for (unsigned i = 0; i < EDID_BYTES - 1; i++) sum = (uint8_t)(sum + e[i]);
    e[127] = (uint8_t)-sum;
}

/* --- commands --------------------------------------------------------------------------------------------------------------------------- */

/* Bytes of each command after its header. */
static unsigned length(uint32_t type)
{
    static const uint8_t len[] = { 0, 16, 8, 24, 24, 32, 8, 8, 8, 8, 8 };
    return type >= GET_DISPLAY_INFO && type - GET_DISPLAY_INFO < ARRAY_LEN(len) ? len[type - GET_DISPLAY_INFO] : 0;
}

static uint32_t command(SELF *s, struct vq_elem *el, uint32_t type, const uint8_t *b, uint8_t *reply, uint32_t *n)
{
    struct resource *r;
    switch (type) {
    case GET_DISPLAY_INFO:
        for (unsigned i = 0; i < s->outputs; i++) {
            uint8_t *m = reply + HDR + 24 * i;
            pci_put32(m + 8, s->scan[i].width);
            pci_put32(m + 12, s->scan[i].height);
            pci_put32(m + 16, s->scan[i].width != 0);
        }
        *n = HDR + 24 * SCANOUTS;
        return OK_DISPLAY_INFO;
    case CREATE_2D: return create(s, b);
    case UNREF:
        if (!(r = find(s, pci_get32(b)))) return ERR_RESOURCE;
        resource_free(s, r);
        return OK_NODATA;
    case SET_SCANOUT: return set_scanout(s, b);
    case FLUSH: return flush(s, b);
    case TRANSFER: return transfer(s, b);
    case ATTACH: return attach(s, el, b);
    case DETACH:
        if (!(r = find(s, pci_get32(b))) || !r->entry) return ERR_RESOURCE;
        detach(r);
        return OK_NODATA;
    case GET_EDID:
        if (!virtio_has(&s->v, F_EDID)) return ERR_UNSPEC;
        if (pci_get32(b) >= s->outputs) return ERR_PARAMETER;
        pci_put32(reply + HDR, EDID_BYTES);
        edid(reply + HDR + 8, s->scan[pci_get32(b)].width, s->scan[pci_get32(b)].height);
        *n = HDR + 8 + 1024;
        return OK_EDID;
    default: return ERR_UNSPEC;
    }
}

static void control_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t b[HDR + 40] = { 0 }, reply[HDR + 8 + 1024] = { 0 };
        uint32_t n = HDR, code;
        int64_t got = vq_read(el, 0, b, sizeof b);
        if (got < HDR || el->in_len < HDR) {
            virtio_error(&s->v, "a command of %lld bytes", (long long)got);
            vq_drop(el);
            return;
        }
        uint32_t type = pci_get32(b);
        code = got - HDR < (int64_t)length(type) ? (uint32_t)ERR_PARAMETER : command(s, el, type, b + HDR, reply, &n);
        TRACE(virtio_gpu_command, "0x%x: 0x%x", type, code);
        pci_put32(reply, code);
        if (pci_get32(b + 4) & FLAG_FENCE) { /* all is done when it is answered */
            pci_put32(reply + 4, FLAG_FENCE);
            memcpy(reply + 8, b + 8, 12);
        }
        int64_t done = vq_write(el, 0, reply, n);
        vq_push(el, done < 0 ? 0 : (uint32_t)done);
        any = true;
    }
    if (any) vq_notify(q);
}

static void cursor_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t b[HDR + 32];
        if (vq_read(el, 0, b, sizeof b) == sizeof b) cursor(s, b, pci_get32(b) == UPDATE_CURSOR);
        vq_push(el, 0);
        any = true;
    }
    if (any) vq_notify(q);
}

/* --- the device --------------------------------------------------------------------------------------------------------------------------- */

static void preferred(void *ctx, uint32_t w, uint32_t h)
{
    struct scanout *o = ctx;
    SELF *s = o->gpu;
    if (w > DISPLAY_MAX || h > DISPLAY_MAX) return;
    o->width = w;
    o->height = h;
    s->events |= EVENT_DISPLAY;
    virtio_config_changed(&s->v);
}
static const struct console_ops console_ops = { .preferred = preferred };

static uint64_t outputs_read(void *dev, unsigned i) { return ((SELF *)dev)->outputs; }
static void clear_write(void *dev, unsigned i, uint64_t x) { ((SELF *)dev)->events &= ~(uint32_t)x; }
static const struct reg config[] = {
    { 0, "events_read", RO, FIELD(events) },
    { 4, "events_clear", WO, .write = clear_write },
    { 8, "num_scanouts", RO, .read = outputs_read },
    { 12, "num_capsets", RO, .size = 4 },
};

static uint64_t offer(void *dev)
{
    return ((SELF *)dev)->p_edid ? VF(F_EDID) : 0;
}

static void reset(void *dev)
{
    SELF *s = dev;
    while (s->list) resource_free(s, s->list);
    for (unsigned i = 0; i < s->outputs; i++) {
        blank(&s->scan[i]);
        console_cursor(s->scan[i].con, 0, 0, 0, 0, NULL);
    }
    s->events = 0;
}

static const struct vq_row rows[] = { { "control", .size = 256, .handle = control_handle }, { "cursor", .size = 16, .handle = cursor_handle } };
static const struct virtio_class class = {
    .name = "virtio-gpu", .id = 16, .pci_class = 0x038000, VIRTIO_CONFIG(config), .config_size = 16, VIRTIO_ROWS(rows), .offer = offer,
    .reset = reset,
};

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (!s->outputs || s->outputs > SCANOUTS) return err_set(e, EINVAL, "virtio-gpu: max_outputs is 1 to %d", SCANOUTS);
    if (s->xres > DISPLAY_MAX || s->yres > DISPLAY_MAX || !s->xres || !s->yres) return err_set(e, EINVAL, "virtio-gpu: xres and yres are 1 to %d", DISPLAY_MAX);
    int r = virtio_init(dev, &class, 2, e);
    for (unsigned i = 0; !r && i < s->outputs; i++) {
        s->scan[i].gpu = s;
        s->scan[i].con = console_new(s->v.dev.board->display, s->v.dev.id, i, &console_ops, &s->scan[i]);
        if (!i) s->scan[i].width = s->xres, s->scan[i].height = s->yres;
    }
    return r;
}

static void leave(void *dev)
{
    SELF *s = dev;
    while (s->list) resource_free(s, s->list);
    for (unsigned i = 0; i < s->outputs; i++) console_free(s->scan[i].con);
    virtio_exit(dev);
}

/* Pictures are not in the state: the guest's driver draws again after `events` told it to. */
static int loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    s->events |= EVENT_DISPLAY;
    int r = virtio_loaded(dev, e);
    if (!r) virtio_config_changed(&s->v);
    return r;
}

#define GPU_PROPS VIRTIO_PROPS, PROP_U32("max_outputs", outputs, 1), PROP_U32("xres", xres, 1280), PROP_U32("yres", yres, 800), \
    PROP_BOOL("edid", p_edid, true), PROP_SIZE("max_hostmem", max_hostmem, 256 << 20)

const struct device virtio_gpu_device = {
    .name = "virtio-gpu-device", .help = "virtio display, 2D", .category = "Display devices", .bus = "virtio-bus", .size = sizeof(SELF),
    .init = init, .exit = leave, .reset = virtio_reset, .loaded = loaded, .user_creatable = true, PROPS(GPU_PROPS),
    STATE(VIRTIO_STATE, STATE_INT(events)),
};
const struct device virtio_gpu_pci_device = {
    .name = "virtio-gpu-pci", .alias = "virtio-gpu", .help = "virtio display, 2D", .category = "Display devices", .bus = "pci", .size = sizeof(SELF),
    .init = init, .exit = leave, .reset = virtio_reset, .loaded = loaded, .user_creatable = true, .hotplug = true,
    PROPS(GPU_PROPS, VIRTIO_PCI_PROPS), STATE(VIRTIO_PCI_STATE, STATE_INT(events)),
};
