/* img.h: what the files of lyre-img share. */
#ifndef LYRE_SYS_IMG_H
#define LYRE_SYS_IMG_H

#include <getopt.h>
#include <stdio.h>
#include "io/block/blk.h"

struct img {
    const char *prog;         /* "lyre-img" or "qemu-img" */
    struct blk_graph *g;
    /* options that several commands have */
    const char *fmt, *out_fmt, *cache, *src_cache, *output, *opts;
    bool quiet, progress, image_opts, target_image_opts, share;
    double done_pct;
};

/* One option of a command: getopt's. */
enum { OPT_OBJECT = 256, OPT_IMAGE_OPTS, OPT_TARGET_IMAGE_OPTS, OPT_OUTPUT, OPT_BACKING_CHAIN, OPT_SIZE, OPT_SHRINK, OPT_PREALLOC,
       OPT_START, OPT_MAXLEN, OPT_TARGET_ZERO, OPT_SALVAGE, OPT_PATTERN, OPT_FLUSH_INTERVAL, OPT_NO_DRAIN, OPT_FORCE, OPT_BITMAPS };
extern const struct option img_long[];

/* Prints "prog: ..." to stderr; returns 1. */
int img_error(const struct img *m, const char *fmt, ...) PRINTF(2, 3);
int img_usage(const struct img *m, const char *what);
/* What img's own options are about; false: not one of them. */
bool img_common(struct img *m, int c, const char *arg);
/* NULL: the reason was printed. `flags` of blk.h; without fmt the format is probed. */
struct blk *img_open(struct img *m, const char *name, const char *fmt, const char *cache, bool opts, unsigned flags);
int img_close(const struct img *m, struct blk *b, int status);
void img_progress(struct img *m, double pct);
void img_progress_end(struct img *m);
/* "10 MiB" */
const char *img_size(char *buf, size_t n, uint64_t v);
int img_parse_size(const struct img *m, const char *s, const char *what, uint64_t *v);
void img_json(FILE *f, struct json_object *o);
/* What a range of the whole chain is, from the top (or above `base`): as blk_node_status; *depth: the layer. */
int img_status(struct blk_node *top, struct blk_node *base, uint64_t off, uint64_t bytes, struct blk_range *r, unsigned *depth);
/* "-o a=b,c=d" into o; prints what is there for "help": returns 1 then, -1 for an error. */
int img_create_opts(const struct img *m, const char *fmt, const char *text, struct json_object *o);

int img_create(struct img *m, int argc, char **argv);
int img_resize(struct img *m, int argc, char **argv);
int img_measure(struct img *m, int argc, char **argv);
int img_amend(struct img *m, int argc, char **argv);
int img_info(struct img *m, int argc, char **argv);
int img_map(struct img *m, int argc, char **argv);
int img_check(struct img *m, int argc, char **argv);
int img_snapshot(struct img *m, int argc, char **argv);
int img_compare(struct img *m, int argc, char **argv);
int img_convert(struct img *m, int argc, char **argv);
int img_dd(struct img *m, int argc, char **argv);
int img_rebase(struct img *m, int argc, char **argv);
int img_commit(struct img *m, int argc, char **argv);
int img_bench(struct img *m, int argc, char **argv);
void img_snapshot_table(struct blk_node *n);

struct json_object *img_info_json(struct blk_node *n, const char *name);

int img_main(int argc, char **argv);

#endif
