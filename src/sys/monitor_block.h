/* monitor_block.h: what commands about disks share (floor 6.5, private to src/sys). */
#ifndef LYRE_SYS_MONITOR_BLOCK_H
#define LYRE_SYS_MONITOR_BLOCK_H

#include "io/block/blk.h"
#include "io/block/leaky.h"
#include "sys/monitor_cmd.h"

static inline struct blk_graph *mon_blks(struct mon_call *c)
{
    return mon_config(c->set)->blks;
}
/* The front end that `device` (a drive's name) or `id` (of its device) means; which: names of the arguments, NULL for none. */
struct blk *mon_blk(struct mon_call *c, const char *device, const char *id, struct err *e);
/* A node by its name, or the one that the drive of that name has. */
struct blk_node *mon_node(struct mon_call *c, const char *name, struct err *e);
struct blk_node *mon_node_of(struct mon_call *c, const char *device, const char *node, struct err *e);
/* -EBUSY: a job works on it. */
int mon_node_free(struct blk_node *n, struct err *e);
/* A new image `file` of a size, over `backing` (NULL: none). */
int mon_create_image(struct mon_call *c, const char *file, const char *format, uint64_t size, const char *backing, const char *backing_fmt, struct err *e);
/* monitor_media.c, of HMP: change DEVICE FILE [FORMAT]. */
int mon_change(struct mon_call *c, const char *device, const char *file, const char *format, struct err *e);
/* img_show.c */
struct json_object *img_info_json(struct blk_node *n, const char *name);

#endif
