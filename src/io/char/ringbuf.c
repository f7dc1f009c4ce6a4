/* ringbuf.c: -chardev ringbuf,size=: keeps the last bytes that were written, for ringbuf-read (oldest first). */
#include <stdlib.h>
#include "io/char/chr.h"

enum { RINGBUF_MAX = 64 << 20 };
struct ringbuf {
    struct chr c;
    uint8_t *data;
    uint64_t size, put, got; /* positions count on and on */
};

extern const struct chr_driver ringbuf_chr;

static int ringbuf_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct ringbuf *r = (struct ringbuf *)c;
    int rc = opts_size(o, "size", 65536, &r->size, e);
    if (rc) return rc;
    if (!r->size || r->size & (r->size - 1) || r->size > RINGBUF_MAX)
        return err_set(e, EINVAL, "size of ringbuf chardev must be power of two, at most 64M");
    r->data = xalloc(r->size);
    chr_be_event(c, CHR_OPENED);
    return 0;
}

static void ringbuf_close(struct chr *c)
{
    struct ringbuf *r = (struct ringbuf *)c;
    free(r->data);
    r->data = NULL;
}

static size_t ringbuf_put(struct chr *c, const uint8_t *buf, size_t len)
{
    struct ringbuf *r = (struct ringbuf *)c;
    for (size_t i = 0; i < len; i++) r->data[r->put++ & (r->size - 1)] = buf[i];
    if (r->put - r->got > r->size) r->got = r->put - r->size;
    return len;
}

const struct chr_driver ringbuf_chr = {
    .name = "ringbuf", .alias = "memory", .help = "keeps the last size= bytes in memory", .size = sizeof(struct ringbuf),
    .open = ringbuf_open, .close = ringbuf_close, .write = ringbuf_put,
};

static int is_ringbuf(struct chr *c, struct err *e)
{
    return c->driver == &ringbuf_chr ? 0 : err_set(e, EINVAL, "%s is not a ringbuf device", c->id);
}

int chr_ringbuf_read(struct chr *c, void *buf, size_t max, size_t *len, struct err *e)
{
    struct ringbuf *r = (struct ringbuf *)c;
    int rc = is_ringbuf(c, e);
    *len = 0;
    if (rc) return rc;
    while (*len < max && r->got != r->put) ((uint8_t *)buf)[(*len)++] = r->data[r->got++ & (r->size - 1)];
    return 0;
}

int chr_ringbuf_write(struct chr *c, const void *buf, size_t len, struct err *e)
{
    int rc = is_ringbuf(c, e);
    if (!rc) ringbuf_put(c, buf, len);
    return rc;
}
