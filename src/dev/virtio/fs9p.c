/*
 * fs9p.c: virtio-9p (virtio 1.2 reserves id 9; 9P2000.L inside): a folder of the host for the guest (p9.c).
 * The folder is what fsdev= names (-fsdev), or the property `path`. Known gaps: see p9.c.
 */
#include "dev/virtio/p9.h"
#include "dev/virtio/virtio.h"

#define SELF struct fs9p
enum { F_MOUNT_TAG = 0, TAG_MAX = 32 };

struct fs9p {
    struct virtio v;
    char *tag, *path, *fsdev;
    uint32_t security;
    bool readonly;
    uint16_t tag_len;
    uint8_t tag_bytes[TAG_MAX];
    struct p9 *p9;
    uint8_t *buf;
};

static const char *const models[] = { "passthrough", "none", "mapped", "mapped-xattr", NULL };

static void handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint32_t n = MIN(el->out_len, (uint32_t)P9_MSIZE), reply;
        if (vq_read(el, 0, s->buf, n) != n) {
            virtio_error(q->v, "a message that is not in memory");
            vq_drop(el);
            return;
        }
        const uint8_t *out = p9_message(s->p9, s->buf, n, el->in_len, &reply);
        if (!out) {
            virtio_error(q->v, "a message of %u bytes, or no room for its answer", n);
            vq_drop(el);
            return;
        }
        vq_write(el, 0, out, reply);
        vq_charge(q, (uint64_t)n + reply);
        vq_push(el, reply);
        any = true;
    }
    if (any) vq_notify(q);
}

static const struct reg config[] = {
    { 0, "tag_len", RO, .size = 2, FIELD(tag_len) },
    { 2, "tag", RO, .size = 1, FIELD_ARRAY(tag_bytes), .step = 1 },
};

static void reset(void *dev)
{
    p9_reset(((SELF *)dev)->p9);
}

static const struct vq_row rows[] = { { "requests", .size = 128, .handle = handle } };
static const struct virtio_class class = {
    .name = "virtio-9p", .id = 9, .pci_class = 0x000200, .features = VF(F_MOUNT_TAG), VIRTIO_CONFIG(config), .config_size = 2 + TAG_MAX,
    VIRTIO_ROWS(rows), .reset = reset,
};

static int take_fsdev(SELF *s, struct err *e)
{
    const struct dev_resolver *r = s->v.dev.board->resolver;
    const struct dev_fsdev *f = r && r->fsdev ? r->fsdev(r->ctx, s->fsdev) : NULL;
    unsigned i = 0;
    if (!f) return err_set(e, ENOENT, "virtio-9p device couldn't find fsdev with the id = %s", s->fsdev);
    while (models[i] && strcmp(models[i], f->security)) i++;
    s->path = (char *)(uintptr_t)f->path; /* lives as long as the machine */
    s->security = i;
    s->readonly |= f->readonly;
    return 0;
}

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (s->fsdev && *s->fsdev && take_fsdev(s, e)) return -ENOENT;
    if (!s->tag || !*s->tag || strlen(s->tag) > TAG_MAX) return err_set(e, EINVAL, "virtio-9p: mount_tag must be 1 to %d letters", TAG_MAX);
    if (!s->path) return err_set(e, EINVAL, "virtio-9p: path, the folder to share, is not set");
    s->tag_len = (uint16_t)strlen(s->tag);
    memcpy(s->tag_bytes, s->tag, s->tag_len);
    s->buf = dev_alloc(dev, P9_MSIZE);
    s->p9 = p9_new(s->path, (enum p9_security)MIN(s->security, (uint32_t)P9_MAPPED), s->readonly, e);
    if (!s->p9) return -ENOENT;
    int r = virtio_init(dev, &class, 1, e);
    if (r) p9_free(s->p9);
    return r;
}

static void leave(void *dev)
{
    virtio_exit(dev);
    p9_free(((SELF *)dev)->p9);
}

#define FS_PROPS \
    VIRTIO_PROPS, PROP_STR("mount_tag", tag, NULL), PROP_STR("path", path, NULL), PROP_STR("fsdev", fsdev, NULL), \
    PROP_ENUM("security_model", security, P9_NONE, models), PROP_BOOL("readonly", readonly, false)

const struct device virtio_9p_device = {
    VIRTIO_DEVICE("virtio-9p", "folder of the host", "Storage devices", init, leave), PROPS(FS_PROPS), STATE(VIRTIO_STATE),
};
const struct device virtio_9p_pci_device = {
    VIRTIO_PCI_DEVICE("virtio-9p", "folder of the host", "Storage devices", init, leave), PROPS(FS_PROPS, VIRTIO_PCI_PROPS), STATE(VIRTIO_PCI_STATE),
};
