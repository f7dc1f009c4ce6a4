/*
 * nbd_tool.c: lyre-nbd (qemu-nbd): a disk image over NBD. Options are QEMU 7.2's (man qemu-nbd). Known gaps: -c, -d (the kernel's client), TLS,
 * bitmaps (-A, -B), snapshots (-s, -l), socket activation.
 */
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "io/block/nbd_server.h"
#include "lyre.h"

enum { OPT_CACHE = 256, OPT_AIO, OPT_DISCARD, OPT_ZEROES, OPT_OBJECT, OPT_IMAGE, OPT_FORK, OPT_PID, OPT_MISSING };

struct tool {
    const char *prog, *format, *port, *host, *path, *name, *description, *cache, *discard, *zeroes, *aio, *pid_file;
    bool read_only, persistent, list, fork, image_opts, snapshot, had;
    unsigned shared;
    uint64_t offset;
    struct loop *loop;
    int sigfd;
};

static int wrong(const struct tool *t, const char *what)
{
    fprintf(stderr, "%s: %s\nTry `%s --help' for more information.\n", t->prog, what, t->prog);
    return 1;
}

static int help(const struct tool *t)
{
    printf("Usage: %s [OPTIONS] FILE\n  or:  %s -L [OPTIONS]\nDisk image over NBD\n\n"
           "  -h, --help, -V, --version\n"
           "  -p, --port=PORT        port to listen on (default 10809)\n  -b, --bind=IFACE       address to listen on (default 0.0.0.0)\n"
           "  -k, --socket=PATH      unix socket instead\n  -e, --shared=NUM       clients at once (default 1, 0: any number)\n"
           "  -t, --persistent       do not end with the last client\n  -x, --export-name=NAME name of the export (default: none)\n"
           "  -D, --description=TEXT text of the export\n  -f, --format=FORMAT    format of the image\n  -r, --read-only\n"
           "  -o, --offset=OFFSET    where the disk begins in the image\n  -n, --nocache, --cache=MODE, --aio=MODE, --discard=MODE, --detect-zeroes=MODE\n"
           "      --image-opts       FILE is options\n      --fork             go on in the background once the socket is there\n"
           "      --pid-file=PATH    file for the process number\n  -v, --verbose\n", t->prog, t->prog);
    return 0;
}

/* 0: go on; 1: printed, 2: wrong. */
static int options(struct tool *t, int argc, char **argv)
{
    static const struct option longs[] = {
        { "help", 0, NULL, 'h' }, { "version", 0, NULL, 'V' }, { "port", 1, NULL, 'p' }, { "bind", 1, NULL, 'b' }, { "socket", 1, NULL, 'k' },
        { "shared", 1, NULL, 'e' }, { "persistent", 0, NULL, 't' }, { "export-name", 1, NULL, 'x' }, { "description", 1, NULL, 'D' },
        { "format", 1, NULL, 'f' }, { "read-only", 0, NULL, 'r' }, { "offset", 1, NULL, 'o' }, { "nocache", 0, NULL, 'n' }, { "cache", 1, NULL, OPT_CACHE },
        { "aio", 1, NULL, OPT_AIO }, { "discard", 1, NULL, OPT_DISCARD }, { "detect-zeroes", 1, NULL, OPT_ZEROES }, { "object", 1, NULL, OPT_OBJECT },
        { "image-opts", 0, NULL, OPT_IMAGE }, { "fork", 0, NULL, OPT_FORK }, { "pid-file", 1, NULL, OPT_PID }, { "verbose", 0, NULL, 'v' },
        { "list", 0, NULL, 'L' }, { "snapshot", 0, NULL, 's' }, { "load-snapshot", 1, NULL, 'l' }, { "connect", 1, NULL, 'c' }, { "disconnect", 0, NULL, 'd' },
        { "tls-creds", 1, NULL, OPT_MISSING }, { "bitmap", 1, NULL, 'B' }, { "allocation-depth", 0, NULL, 'A' }, { "selinux-label", 1, NULL, OPT_MISSING }, { 0 },
    };
    char *end;
    int c;
    optind = 0;
    while ((c = getopt_long(argc, argv, "hVp:b:k:e:tx:D:f:ro:nvLsl:c:dB:A", longs, NULL)) >= 0) {
        switch (c) {
        case 'h': return help(t), 1;
        case 'V': printf("%s 7.2.0 (Lyrebird)\n", t->prog); return 1;
        case 'p': t->port = optarg; break;
        case 'b': t->host = optarg; break;
        case 'k': t->path = optarg; break;
        case 'e':
            t->shared = (unsigned)strtoul(optarg, &end, 0);
            if (*end || *optarg == '-') return wrong(t, "-e expects a number"), 2;
            break;
        case 't': t->persistent = true; break;
        case 'x': t->name = optarg; break;
        case 'D': t->description = optarg; break;
        case 'f': t->format = optarg; break;
        case 'r': t->read_only = true; break;
        case 'o':
            if (blk_parse_size(optarg, &t->offset)) return wrong(t, "Invalid offset"), 2;
            break;
        case 'n': t->cache = "none"; break;
        case OPT_CACHE: t->cache = optarg; break;
        case OPT_AIO: t->aio = optarg; break;
        case OPT_DISCARD: t->discard = optarg; break;
        case OPT_ZEROES: t->zeroes = optarg; break;
        case OPT_IMAGE: t->image_opts = true; break;
        case OPT_FORK: t->fork = true; break;
        case OPT_PID: t->pid_file = optarg; break;
        case 'L': t->list = true; break;
        case 'v': case OPT_OBJECT: break;
        case '?': return wrong(t, "see above"), 2;
        default: return wrong(t, "that option is not here (TLS, snapshots, bitmaps, the kernel's client)"), 2;
        }
    }
    return 0;
}

static struct blk_node *open_image(struct tool *t, struct blk_graph *g, const char *file, struct err *e)
{
    unsigned flags = t->read_only ? 0 : BLK_RDWR;
    struct json_object *o;
    if (blk_cache_mode(t->cache ? t->cache : "writeback", &flags)) {
        err_set(e, EINVAL, "Invalid cache mode '%s'", t->cache);
        return NULL;
    }
    flags &= ~(unsigned)BLK_WRITETHROUGH;
    if (!t->format && !t->image_opts) {
        flags |= BLK_PROBE; /* QEMU's way; what is written is not probed again */
        fprintf(stderr, "WARNING: Image format was not specified for '%s' and probing guessed.\n", file);
    }
    if (t->image_opts) {
        o = blk_opts_parse(file, NULL, e);
    } else if (!strncmp(file, "json:", 5)) {
        o = blk_opts_parse(file, NULL, e);
    } else {
        struct json_object *f = json_object_new_object();
        o = json_object_new_object();
        json_object_object_add(f, "filename", json_object_new_string(file));
        json_object_object_add(o, "file", f);
        if (t->format) json_object_object_add(o, "driver", json_object_new_string(t->format));
    }
    if (!o) return NULL;
    if (t->discard) json_object_object_add(o, "discard", json_object_new_string(t->discard));
    if (t->zeroes) json_object_object_add(o, "detect-zeroes", json_object_new_string(t->zeroes));
    if (t->aio && !strcmp(t->aio, "threads")) flags |= BLK_AIO_THREADS;
    struct blk_node *n = blk_node_open(g, o, flags, e), *win;
    if (!n || !t->offset) return n;
    char text[32]; /* a window of it */
    o = json_object_new_object();
    snprintf(text, sizeof text, "%llu", (unsigned long long)t->offset);
    json_object_object_add(o, "driver", json_object_new_string("raw"));
    json_object_object_add(o, "offset", json_object_new_string(text));
    json_object_object_add(o, "file", json_object_new_string(n->name));
    win = blk_node_open(g, o, flags, e);
    blk_node_unref(n, NULL);
    return win;
}

static void changed(void *ctx, unsigned connections)
{
    struct tool *t = ctx;
    if (connections) t->had = true;
    else if (t->had && !t->persistent) loop_stop(t->loop, 0);
}

static void on_signal(void *ctx, unsigned events)
{
    loop_stop(((struct tool *)ctx)->loop, 0);
}

static void address(const struct tool *t, struct sock_spec *s)
{
    *s = (struct sock_spec){ .kind = t->path ? SOCK_UNIX : SOCK_INET, .type = SOCK_STREAM, .family = AF_UNSPEC };
    if (t->path) snprintf(s->path, sizeof s->path, "%s", t->path);
    snprintf(s->host, sizeof s->host, "%s", t->host ? t->host : "0.0.0.0");
    snprintf(s->port, sizeof s->port, "%s", t->port ? t->port : "10809");
}

/* The socket is there: the parent may go, and says how it was. */
static int ready(struct tool *t, int pipe_fd, struct err *e)
{
    if (t->pid_file) {
        FILE *f = fopen(t->pid_file, "w");
        if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f)) return err_set(e, errno, "%s: %s", t->pid_file, strerror(errno));
    }
    if (pipe_fd >= 0) {
        if (write(pipe_fd, "", 1) != 1) return err_set(e, errno, "--fork: %s", strerror(errno));
        close(pipe_fd);
    }
    return 0;
}

static int serve(struct tool *t, const char *file, int pipe_fd, struct err *e)
{
    struct sock_spec at;
    struct nbd_server_config cfg = { .max_connections = t->shared, .changed = changed, .ctx = t };
    struct blk_graph *g = blk_graph_new();
    if (!(t->loop = loop_new(e)) || !g) return -EMFILE;
    loop_lock(t->loop);
    int r = blk_graph_attach(g, t->loop, e);
    struct blk_node *n = r ? NULL : open_image(t, g, file, e);
    struct nbd_server *s = nbd_server_new(g, t->loop, &cfg);
    address(t, &at);
    if (!r && !n) r = -EINVAL;
    if (!r) r = nbd_export_add(s, t->name ? t->name : "", t->description, n, !t->read_only, e);
    if (!r) r = nbd_server_listen(s, &at, e);
    if (!r && !loop_fd_new(t->loop, t->sigfd, LOOP_IN, on_signal, t, e)) r = -EMFILE;
    if (!r) r = ready(t, pipe_fd, e);
    if (!r) {
        loop_unlock(t->loop);
        loop_run(t->loop);
        loop_lock(t->loop);
    }
    nbd_server_free(s);
    if (n) {
        int rc = blk_node_unref(n, r ? NULL : e);
        if (!r) r = rc;
    }
    blk_graph_free(g);
    loop_unlock(t->loop);
    loop_free(t->loop);
    if (t->pid_file && !r) unlink(t->pid_file);
    return r;
}

/* In the parent: >= 0, its exit status. */
static int to_background(int *pipe_fd)
{
    int p[2], status = 1;
    char byte;
    if (pipe(p)) return 1;
    pid_t pid = fork();
    if (pid < 0) return 1;
    if (pid) {
        close(p[1]);
        if (read(p[0], &byte, 1) == 1) status = 0;
        return status;
    }
    close(p[0]);
    setsid();
    *pipe_fd = p[1];
    return -1;
}

static int list(struct tool *t)
{
    return wrong(t, "-L is not here yet");
}

int lyre_nbd(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    struct tool t = { .prog = slash ? slash + 1 : argv[0], .shared = 1 };
    struct err e = { 0 };
    int pipe_fd = -1, r = options(&t, argc, argv);
    if (r) return r - 1;
    if (t.list) return list(&t);
    if (optind + 1 != argc) return wrong(&t, optind == argc ? "a file name is missing" : "one file name is all that there may be");
    if (t.path && (t.port || t.host)) return wrong(&t, "-k and -p, -b exclude each other");
    if (t.fork) {
        r = to_background(&pipe_fd);
        if (r >= 0) return r;
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    t.sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    r = serve(&t, argv[optind], pipe_fd, &e);
    if (r) fprintf(stderr, "%s: %s\n", t.prog, e.code ? e.msg : strerror(-r));
    return r ? 1 : 0;
}
