/* img_show.c: lyre-img info, map, check, snapshot, compare. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include "sys/img.h"

static void add_u64(struct json_object *o, const char *key, uint64_t v)
{
    json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_str(struct json_object *o, const char *key, const char *v)
{
    json_object_object_add(o, key, json_object_new_string(v));
}

/* The lowest file of a node, for "disk size". */
static bool actual_size(struct blk_node *n, uint64_t *bytes)
{
    struct stat st;
    while (n->file) n = n->file;
    if (!n->filename || stat(n->filename, &st)) return false;
    *bytes = (uint64_t)st.st_blocks * 512;
    return true;
}

/* --- info ------------------------------------------------------------------------------------------------------------------------ */

static void snapshot_row(const struct blk_snapshot *s)
{
    char size[32], date[32], clock[64], icount[32] = "";
    time_t t = (time_t)s->date_sec;
    struct tm tm;
    uint64_t secs = s->vm_clock_ns / 1000000000u;
    localtime_r(&t, &tm);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(clock, sizeof clock, "%02d:%02d:%02d.%03d", (int)(secs / 3600), (int)(secs / 60 % 60), (int)(secs % 60),
             (int)(s->vm_clock_ns / 1000000 % 1000));
    if (s->icount != UINT64_MAX) snprintf(icount, sizeof icount, "%" PRIu64, s->icount);
    printf("%-9s %-16s %8s%20s%13s%11s\n", s->id, s->name, img_size(size, sizeof size, s->vm_state_size), date, clock, icount);
}

void img_snapshot_table(struct blk_node *n)
{
    struct blk_snapshot *list;
    unsigned count;
    if (!n->drv->snap_list || n->drv->snap_list(n, &list, &count)) return;
    if (count) {
        printf("Snapshot list:\n%-9s %-16s %8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
        for (unsigned i = 0; i < count; i++) snapshot_row(&list[i]);
    }
    free(list);
}

static struct json_object *snapshots_json(struct blk_node *n)
{
    struct blk_snapshot *list;
    unsigned count;
    if (!n->drv->snap_list || n->drv->snap_list(n, &list, &count)) return NULL;
    struct json_object *a = count ? json_object_new_array() : NULL;
    for (unsigned i = 0; i < count; i++) {
        struct json_object *o = json_object_new_object();
        if (list[i].icount != UINT64_MAX) add_u64(o, "icount", list[i].icount);
        add_u64(o, "vm-clock-nsec", list[i].vm_clock_ns % 1000000000u);
        add_str(o, "name", list[i].name);
        add_u64(o, "date-sec", list[i].date_sec);
        add_u64(o, "date-nsec", list[i].date_ns);
        add_u64(o, "vm-clock-sec", list[i].vm_clock_ns / 1000000000u);
        add_str(o, "id", list[i].id);
        add_u64(o, "vm-state-size", list[i].vm_state_size);
        json_object_array_add(a, o);
    }
    free(list);
    return a;
}

/* What the driver tells besides; NULL: nothing. */
static struct json_object *specific(struct blk_node *n)
{
    struct json_object *o = json_object_new_object();
    if (n->drv->info && !n->drv->info(n, o)) return o;
    json_object_put(o);
    return NULL;
}

static bool is_dirty(struct blk_node *n)
{
    uint8_t h[80];
    return !strcmp(n->drv->name, "qcow2") && !blk_node_pread(n->file, 0, h, sizeof h) && h[7] >= 3 && (h[79] & 1);
}

struct json_object *img_info_json(struct blk_node *n, const char *name)
{
    struct json_object *o = json_object_new_object(), *sn = snapshots_json(n), *sp = specific(n);
    uint64_t actual;
    if (sn) json_object_object_add(o, "snapshots", sn);
    if (n->backing_name && n->backing_fmt) add_str(o, "backing-filename-format", n->backing_fmt);
    add_u64(o, "virtual-size", blk_node_size(n));
    add_str(o, "filename", name);
    if (n->cluster_size) add_u64(o, "cluster-size", n->cluster_size);
    add_str(o, "format", n->drv->name);
    if (actual_size(n, &actual)) add_u64(o, "actual-size", actual);
    if (sp) {
        struct json_object *f = json_object_new_object();
        add_str(f, "type", n->drv->name);
        json_object_object_add(f, "data", sp);
        json_object_object_add(o, "format-specific", f);
    }
    if (n->backing_name) {
        add_str(o, "full-backing-filename", n->backing && n->backing->filename ? n->backing->filename : n->backing_name);
        add_str(o, "backing-filename", n->backing_name);
    }
    json_object_object_add(o, "dirty-flag", json_object_new_boolean(is_dirty(n)));
    return o;
}

static void info_human(struct blk_node *n, const char *name, const char *full)
{
    char a[32], b[32];
    uint64_t actual;
    printf("image: %s\nfile format: %s\nvirtual size: %s (%" PRIu64 " bytes)\n", name, n->drv->name, img_size(a, sizeof a, blk_node_size(n)),
           blk_node_size(n));
    printf("disk size: %s\n", actual_size(n, &actual) ? img_size(b, sizeof b, actual) : "unavailable");
    if (n->cluster_size) printf("cluster_size: %u\n", n->cluster_size);
    if (is_dirty(n)) printf("cleanly shut down: no\n");
    if (n->backing_name) {
        printf("backing file: %s", n->backing_name);
        if (full && strcmp(full, n->backing_name)) printf(" (actual path: %s)", full);
        printf("\n");
        if (n->backing_fmt) printf("backing file format: %s\n", n->backing_fmt);
    }
    img_snapshot_table(n);
    struct json_object *sp = specific(n);
    if (!sp) return;
    printf("Format specific information:\n");
    json_object_object_foreach(sp, key, val) {
        char k[64];
        snprintf(k, sizeof k, "%s", key);
        for (char *p = k; *p; p++)
            if (*p == '-') *p = ' ';
        printf("    %s: %s\n", k, json_object_get_string(val));
    }
    json_object_put(sp);
}

/* base's directory and a name in it. */
static void combine(char *out, size_t n, const char *base, const char *name)
{
    const char *slash = strrchr(base, '/');
    if (!slash || *name == '/' || strchr(name, ':'))
        snprintf(out, n, "%s", name);
    else
        snprintf(out, n, "%.*s/%s", (int)(slash - base), base, name);
}

int img_info(struct img *m, int argc, char **argv)
{
    bool chain = false, json;
    char name[4096], full[4096], fmt[64];
    for (int c; (c = getopt_long(argc, argv, ":hf:U", img_long, NULL)) != -1;) {
        if (c == OPT_BACKING_CHAIN)
            chain = true;
        else if (!img_common(m, c, optarg))
            return img_usage(m, "info: unrecognized option");
    }
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    json = m->output && !strcmp(m->output, "json");
    if (m->output && !json && strcmp(m->output, "human")) return img_error(m, "--output must be used with human or json as argument.");
    struct json_object *list = json_object_new_array();
    snprintf(name, sizeof name, "%s", argv[optind]);
    if (m->fmt) snprintf(fmt, sizeof fmt, "%s", m->fmt);
    bool have_fmt = m->fmt, opts = m->image_opts, more = true;
    int r = 0;
    for (unsigned i = 0; more && !r; i++) {
        struct blk *b = i < 256 ? img_open(m, name, have_fmt ? fmt : NULL, NULL, opts, BLK_NO_BACKING | BLK_CHECK) : NULL;
        if (!b) {
            if (i == 256) img_error(m, "Backing file '%s' creates an infinite loop.", name);
            r = 1;
            break;
        }
        struct blk_node *n = blk_node_of(b);
        if (n->backing_name) combine(full, sizeof full, n->filename ? n->filename : name, n->backing_name);
        if (json) {
            struct json_object *o = img_info_json(n, n->filename ? n->filename : name);
            if (n->backing_name) add_str(o, "full-backing-filename", full);
            json_object_array_add(list, o);
        } else {
            if (i) printf("\n");
            info_human(n, n->filename ? n->filename : name, n->backing_name ? full : NULL);
        }
        more = chain && n->backing_name;
        have_fmt = more && n->backing_fmt;
        if (have_fmt) snprintf(fmt, sizeof fmt, "%s", n->backing_fmt);
        if (more) snprintf(name, sizeof name, "%s", full);
        opts = false;
        r = img_close(m, b, 0);
    }
    if (json && !r) img_json(stdout, chain ? list : json_object_array_get_idx(list, 0));
    json_object_put(list);
    return r;
}

/* --- map ---------------------------------------------------------------------------------------------------------------------------- */

struct piece {
    uint64_t start, length, host;
    unsigned st, depth;
    bool has_host;
    const char *file;
};

static void print_piece(const struct piece *p, bool json, bool last)
{
    bool data = p->st & BLK_ST_DATA, zero = p->st & BLK_ST_ZERO;
    if (!json) {
        if (data && !zero) {
            char hex[2][32], host[32];
            snprintf(hex[0], 32, p->start ? "%#" PRIx64 : "0", p->start);
            snprintf(hex[1], 32, "%#" PRIx64, p->length);
            snprintf(host, 32, p->host ? "%#" PRIx64 : "0", p->host);
            printf("%-16s%-16s%-16s%s\n", hex[0], hex[1], host, p->file ? p->file : "");
        }
        return;
    }
    printf("{ \"start\": %" PRIu64 ", \"length\": %" PRIu64 ", \"depth\": %u, \"present\": %s, \"zero\": %s, \"data\": %s", p->start, p->length,
           p->depth, p->st & BLK_ST_ALLOCATED ? "true" : "false", zero ? "true" : "false", data ? "true" : "false");
    if (p->has_host) printf(", \"offset\": %" PRIu64, p->host);
    printf("}%s", last ? "]\n" : ",\n");
}

static bool joins(const struct piece *a, const struct piece *b)
{
    unsigned mask = BLK_ST_DATA | BLK_ST_ZERO | BLK_ST_ALLOCATED | BLK_ST_COMPRESSED;
    if ((a->st & mask) != (b->st & mask) || a->depth != b->depth || a->has_host != b->has_host) return false;
    if (a->file != b->file && (!a->file || !b->file || strcmp(a->file, b->file))) return false;
    return !a->has_host || a->host + a->length == b->host;
}

int img_map(struct img *m, int argc, char **argv)
{
    uint64_t at = 0, max = UINT64_MAX;
    unsigned depth;
    for (int c; (c = getopt_long(argc, argv, ":f:hU", img_long, NULL)) != -1;) {
        if (c == OPT_START || c == OPT_MAXLEN) {
            if (img_parse_size(m, optarg, c == OPT_START ? "start offset" : "max length", c == OPT_START ? &at : &max)) return 1;
        } else if (!img_common(m, c, optarg)) {
            return img_usage(m, "map: unrecognized option");
        }
    }
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    bool json = m->output && !strcmp(m->output, "json"), any = false;
    struct blk *b = img_open(m, argv[optind], m->fmt, NULL, m->image_opts, 0);
    if (!b) return 1;
    struct blk_node *n = blk_node_of(b);
    uint64_t end = blk_size(b);
    if (max < end - MIN(at, end)) end = at + max;
    printf(json ? "[" : "%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    struct piece cur = { 0 };
    int r = 0;
    while (at < end) {
        struct blk_range g;
        if ((r = img_status(n, NULL, at, end - at, &g, &depth))) {
            r = img_error(m, "Failed to read image metadata: %s", strerror(-r));
            break;
        }
        struct piece p = { at, g.bytes, g.host, g.st, depth, g.st & BLK_ST_OFFSET, g.file ? g.file->filename : NULL };
        if (!json && (g.st & BLK_ST_DATA) && !(g.st & BLK_ST_ZERO) && !(g.st & BLK_ST_OFFSET)) {
            r = img_error(m, "File contains external, encrypted or compressed clusters.");
            break;
        }
        if (any && joins(&cur, &p)) {
            cur.length += p.length;
        } else {
            if (any) print_piece(&cur, json, false);
            cur = p;
        }
        any = true;
        at += g.bytes;
    }
    if (any && !r) print_piece(&cur, json, true);
    if (!any && json) printf("]\n");
    return img_close(m, b, r);
}

/* --- check ------------------------------------------------------------------------------------------------------------------------------ */

static void say(void *ctx, const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static void check_human(const struct blk_check *c)
{
    if (!c->corruptions && !c->leaks && !c->check_errors) {
        printf("No errors were found on the image.\n");
    } else {
        if (c->corruptions)
            printf("\n%" PRIu64 " errors were found on the image.\nData may be corrupted, or further writes to the image may corrupt it.\n", c->corruptions);
        if (c->leaks) printf("\n%" PRIu64 " leaked clusters were found on the image.\nThis means waste of disk space, but no harm to data.\n", c->leaks);
        if (c->check_errors) printf("\n%" PRIu64 " internal errors have occurred during the check.\n", c->check_errors);
    }
    if (c->total_clusters && c->allocated_clusters)
        printf("%" PRIu64 "/%" PRIu64 " = %0.2f%% allocated, %0.2f%% fragmented, %0.2f%% compressed clusters\n", c->allocated_clusters, c->total_clusters,
               (double)c->allocated_clusters * 100 / (double)c->total_clusters, (double)c->fragmented_clusters * 100 / (double)c->allocated_clusters,
               (double)c->compressed_clusters * 100 / (double)c->allocated_clusters);
    if (c->image_end) printf("Image end offset: %" PRIu64 "\n", c->image_end);
}

static void check_json(const struct blk_check *c, const char *name, const char *fmt)
{
    struct json_object *o = json_object_new_object();
    const struct {
        const char *key;
        uint64_t v;
        bool always;
    } row[] = {
        { "image-end-offset", c->image_end, false }, { "total-clusters", c->total_clusters, false }, { "check-errors", c->check_errors, true },
        { "corruptions", c->corruptions, false }, { "leaks", c->leaks, false }, { "corruptions-fixed", c->corruptions_fixed, false },
        { "leaks-fixed", c->leaks_fixed, false }, { "allocated-clusters", c->allocated_clusters, false },
        { "compressed-clusters", c->compressed_clusters, false },
    };
    for (unsigned i = 0; i < ARRAY_LEN(row); i++)
        if (row[i].v || row[i].always) add_u64(o, row[i].key, row[i].v);
    add_str(o, "filename", name);
    add_str(o, "format", fmt);
    if (c->fragmented_clusters) add_u64(o, "fragmented-clusters", c->fragmented_clusters);
    img_json(stdout, o);
    json_object_put(o);
}

int img_check(struct img *m, int argc, char **argv)
{
    unsigned fix = 0;
    for (int c; (c = getopt_long(argc, argv, ":hf:r:T:qU", img_long, NULL)) != -1;) {
        if (c == 'r') {
            fix = !strcmp(optarg, "leaks") ? BLK_FIX_LEAKS : !strcmp(optarg, "all") ? BLK_FIX_LEAKS | BLK_FIX_ERRORS : 0;
            if (!fix) return img_error(m, "check: the option -r requires 'leaks' or 'all', not '%s'", optarg);
        } else if (!img_common(m, c, optarg)) {
            return img_usage(m, "check: unrecognized option");
        }
    }
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    bool json = m->output && !strcmp(m->output, "json");
    struct blk *b = img_open(m, argv[optind], m->fmt, m->src_cache, m->image_opts, BLK_CHECK | BLK_NO_BACKING | (fix ? BLK_RDWR : 0));
    if (!b) return 1;
    struct blk_node *n = blk_node_of(b);
    struct blk_check c = { .say = m->quiet || json ? NULL : say };
    struct err e = { 0 };
    int r = !n->drv->check ? 63 : 0;
    if (r) img_error(m, "This image format does not support checks");
    if (!r && n->drv->check(n, &c, fix, &e)) r = img_error(m, "Check failed: %s", e.msg);
    uint64_t lf = c.leaks_fixed, cf = c.corruptions_fixed;
    if (!r && (lf || cf)) {
        if (!m->quiet && !json)
            printf("The following inconsistencies were found and repaired:\n\n    %" PRIu64 " leaked clusters\n    %" PRIu64
                   " corruptions\n\nDouble checking the fixed image now...\n", lf, cf);
        c = (struct blk_check){ .say = c.say };
        if (n->drv->check(n, &c, 0, &e)) r = img_error(m, "Check failed: %s", e.msg);
        c.leaks_fixed = lf, c.corruptions_fixed = cf;
    }
    if (!r) {
        if (json)
            check_json(&c, argv[optind], n->drv->name);
        else if (!m->quiet)
            check_human(&c);
        r = c.corruptions ? 2 : c.leaks ? 3 : c.check_errors ? 1 : 0;
    }
    return img_close(m, b, r);
}

/* --- snapshot ------------------------------------------------------------------------------------------------------------------------------ */

int img_snapshot(struct img *m, int argc, char **argv)
{
    char action = 0;
    const char *name = NULL;
    for (int c; (c = getopt_long(argc, argv, ":la:c:d:hqU", img_long, NULL)) != -1;) {
        if (c == 'l' || c == 'a' || c == 'c' || c == 'd') {
            if (action) return img_usage(m, "Cannot mix '-l', '-a', '-c', '-d'");
            action = (char)c;
            name = optarg;
        } else if (!img_common(m, c, optarg)) {
            return img_usage(m, "snapshot: unrecognized option");
        }
    }
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    if (!action) action = 'l';
    struct blk *b = img_open(m, argv[optind], NULL, NULL, m->image_opts, BLK_NO_BACKING | (action == 'l' ? 0 : BLK_RDWR | BLK_UNMAP));
    if (!b) return 1;
    struct blk_node *n = blk_node_of(b);
    const struct blk_driver *d = n->drv;
    struct err e = { 0 };
    struct blk_snapshot s = { 0 };
    struct timespec now;
    int r = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    if (action == 'l') {
        img_snapshot_table(n);
    } else if (!d->snap_create) {
        r = img_error(m, "Could not %s snapshot '%s': the format %s has none", action == 'c' ? "create" : action == 'a' ? "apply" : "delete", name, d->name);
    } else if (action == 'c') {
        snprintf(s.name, sizeof s.name, "%s", name);
        s.date_sec = (uint64_t)now.tv_sec;
        s.date_ns = (uint32_t)(now.tv_nsec / 1000 * 1000);
        r = d->snap_create(n, &s, &e);
    } else {
        r = action == 'a' ? d->snap_apply(n, name, &e) : d->snap_delete(n, name, &e);
    }
    if (r && e.code) img_error(m, "%s", e.msg);
    return img_close(m, b, r != 0);
}

/* --- compare ----------------------------------------------------------------------------------------------------------------------------------- */

enum { CHUNK = 2 << 20 };

/* A piece of one image: `bytes` shrinks to what is of one kind. Beyond its end it is zeros. */
static int kind_at(struct blk *b, uint64_t off, uint64_t *bytes, bool *zero, bool *present)
{
    struct blk_range g;
    unsigned depth;
    uint64_t size = blk_size(b);
    *zero = true;
    *present = false;
    if (off >= size) return 0;
    *bytes = MIN(*bytes, size - off);
    int r = img_status(blk_node_of(b), NULL, off, *bytes, &g, &depth);
    if (r) return r;
    *bytes = g.bytes;
    *zero = g.st & BLK_ST_ZERO;
    *present = g.st & BLK_ST_ALLOCATED;
    return 0;
}

static int compare_all(struct img *m, struct blk *a, struct blk *b, bool strict, const char *const name[2])
{
    uint64_t sa = blk_size(a), sb = blk_size(b), end = MAX(sa, sb), both = MIN(sa, sb);
    uint8_t *ba = xalloc(CHUNK), *bb = xalloc(CHUNK);
    int r = 0, bad = 0;
    for (uint64_t at = 0, len; !r && at < end; at += len) {
        bool za, zb, pa, pb;
        if (at == both && both < end && !m->quiet) printf("Warning: Image size mismatch!\n");
        len = MIN((at < both ? both : end) - at, (uint64_t)CHUNK);
        if ((r = kind_at(a, at, &len, &za, &pa)) || (r = kind_at(b, at, &len, &zb, &pb))) {
            img_error(m, "Sector allocation test failed: %s", strerror(-r));
            r = 3;
            break;
        }
        if (strict && pa != pb) {
            if (!m->quiet) printf("Strict mode: Offset %" PRIu64 " block status mismatch!\n", at);
            r = 1;
            break;
        }
        if (!(za && zb)) {
            if (!za) bad = blk_pread(a, at, ba, (size_t)len); else memset(ba, 0, (size_t)len);
            if (bad) img_error(m, "Error while reading offset %" PRIu64 " of %s: %s", at, name[0], strerror(-bad));
            if (!bad && !zb) bad = blk_pread(b, at, bb, (size_t)len);
            else if (!bad) memset(bb, 0, (size_t)len);
            if (bad) {
                r = 4;
                break;
            }
            for (uint64_t i = 0; i < len; i += 512) {
                if (!memcmp(ba + i, bb + i, (size_t)MIN(len - i, 512u))) continue;
                if (!m->quiet) printf("Content mismatch at offset %" PRIu64 "!\n", at + i);
                r = 1;
                break;
            }
        }
        img_progress(m, (double)(at + len) * 100 / (double)end);
    }
    free(ba);
    free(bb);
    return r;
}

int img_compare(struct img *m, int argc, char **argv)
{
    bool strict = false;
    const char *fmt2 = NULL;
    for (int c; (c = getopt_long(argc, argv, ":hf:F:T:pqsU", img_long, NULL)) != -1;) {
        if (c == 'F')
            fmt2 = optarg;
        else if (c == 's')
            strict = true;
        else if (!img_common(m, c, optarg))
            return img_usage(m, "compare: unrecognized option"), 2;
    }
    if (m->quiet) m->progress = false;
    if (optind != argc - 2) return img_usage(m, "Expecting two image file names"), 2;
    struct blk *a = img_open(m, argv[optind], m->fmt, m->src_cache, m->image_opts, 0);
    if (!a) return 2;
    struct blk *b = img_open(m, argv[optind + 1], fmt2, m->src_cache, m->image_opts, 0);
    if (!b) return img_close(m, a, 2);
    const char *const name[2] = { argv[optind], argv[optind + 1] };
    int r = 0;
    img_progress(m, 0);
    if (blk_size(a) != blk_size(b)) {
        if (strict && !m->quiet) printf("Strict mode: Image size mismatch!\n");
        r = strict;
    }
    if (!r) r = compare_all(m, a, b, strict, name);
    if (!r && !m->quiet) {
        img_progress_end(m);
        printf("Images are identical.\n");
    }
    img_close(m, a, 0);
    img_close(m, b, 0);
    return r;
}
