/*
 * qcow2.c: any bytes as a disk image: opened, read here and there, checked; then a copy is opened for writing, written to, repaired,
 * its snapshots applied. Nothing may crash, hang or take memory without bound; and what repair says is right must be.
 */
#include "fuzz.h"
#include <sys/mman.h>
#include <unistd.h>
#include "io/block/blk.h"

static void look(struct blk *b)
{
    static uint8_t buf[70000];
    uint64_t size = blk_size(b), at[] = { 0, 512, 65536, size / 2, size - MIN(size, sizeof buf) };
    for (unsigned i = 0; i < ARRAY_LEN(at); i++)
        if (at[i] < size) blk_pread(b, at[i], buf, (size_t)MIN(sizeof buf, size - at[i]));
    struct blk_range r;
    for (uint64_t o = 0, n = 0; o < size && n < 64; o += r.bytes, n++)
        if (blk_node_status(blk_node_of(b), o, size - o, &r)) break;
}

static void change(struct blk *b)
{
    static const uint8_t data[3000] = { 1, 2, 3 };
    uint64_t size = blk_size(b);
    struct blk_node *n = blk_node_of(b);
    struct blk_snapshot s = { .name = "z" }, *list;
    unsigned count;
    for (unsigned i = 0; i < 6 && size >= sizeof data; i++) blk_pwrite(b, size / 6 * i / 2, data, sizeof data, 0);
    blk_zero_sync(b, 0, MIN(size, 1u << 20), BLK_MAY_UNMAP);
    blk_discard_sync(b, size / 2, MIN(size / 2, 1u << 20));
    blk_flush_sync(b);
    n->drv->snap_create(n, &s, NULL);
    if (!n->drv->snap_list(n, &list, &count)) {
        if (count) n->drv->snap_apply(n, list[0].id, NULL);
        if (count) n->drv->snap_delete(n, list[0].id, NULL);
        free(list);
    }
    look(b);
}

static void say(void *ctx, const char *line)
{
    fprintf(stderr, "%s%s\n", (const char *)ctx, line);
}

static struct blk *start(struct blk_graph *g, const char *path, unsigned flags)
{
    struct err e = { 0 };
    struct blk *b = blk_open_file(g, path, "qcow2", flags | BLK_NO_LOCK | BLK_NO_FLUSH | BLK_NO_BACKING, &e);
    FUZZ_CHECK(b || e.msg[0]);
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct blk_graph *g = blk_graph_new();
    FUZZ_CHECK(fd >= 0 && g && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    log_open("/dev/null", NULL); /* what is said of damaged images */
    struct blk *b = start(g, path, 0);
    struct blk_check c = { 0 };
    if (b) look(b);
    if (b) blk_node_of(b)->drv->check(blk_node_of(b), &c, 0, NULL);
    blk_free(b, NULL);
    if ((b = start(g, path, BLK_RDWR | BLK_UNMAP))) change(b);
    blk_free(b, NULL);
    if ((b = start(g, path, BLK_RDWR | BLK_CHECK))) {
        c = (struct blk_check){ 0 };
        int r = blk_node_of(b)->drv->check(blk_node_of(b), &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, NULL);
        bool clean = !r && !c.corruptions && !c.check_errors && !c.leaks;
        c = (struct blk_check){ 0 };
        if (clean && !blk_node_of(b)->drv->check(blk_node_of(b), &c, 0, NULL) && (c.corruptions || c.leaks)) {
            static char after[] = "after repair: ";
            c = (struct blk_check){ .say = say, .ctx = after };
            blk_node_of(b)->drv->check(blk_node_of(b), &c, 0, NULL);
            FUZZ_CHECK(!c.corruptions && !c.leaks);
        }
    }
    blk_free(b, NULL);
    blk_graph_free(g);
    close(fd);
    return 0;
}
