/*
 * semihost.c: semihosting's calls on the host's files (see semihost.h). A handle is a number of a bounded table, memory is reached by
 * bounded copies. Known gaps: SYS_SYSTEM (it would let a program run any command).
 */
#include "base/semihost.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    OP_OPEN = 0x01, OP_CLOSE, OP_WRITEC, OP_WRITE0, OP_WRITE, OP_READ, OP_READC, OP_ISERROR, OP_ISTTY, OP_SEEK, OP_FLEN = 0x0c, OP_TMPNAM,
    OP_REMOVE, OP_RENAME, OP_CLOCK, OP_TIME, OP_ERRNO = 0x13, OP_CMDLINE = 0x15, OP_HEAPINFO, OP_EXIT = 0x18, OP_EXIT_EXT = 0x20,
    OP_ELAPSED = 0x30, OP_TICKFREQ
};
enum { STOPPED_EXIT = 0x20026 }; /* ADP_Stopped_ApplicationExit */
enum { FILE_FREE, FILE_HOST, FILE_IN, FILE_OUT, FILE_ERR, FILE_FEATURES };
enum { TICKS_PER_S = 1000000000, PATH_CAP = 4096 };

/* ":semihosting-features": magic; SYS_EXIT_EXTENDED is there, and standard output and error differ. */
static const uint8_t features[] = { 0x53, 0x48, 0x46, 0x42, 0x03 };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * TICKS_PER_S + (uint64_t)t.tv_nsec;
}

void semi_init(struct semihost *s)
{
    s->start_ns = now_ns();
}

void semi_close(struct semihost *s)
{
    for (unsigned i = 0; i < SEMI_FILES; i++) {
        if (s->file[i].kind == FILE_HOST) close(s->file[i].fd);
        s->file[i] = (struct semi_file){ 0 };
    }
}

static uint64_t fail(struct semihost *s, int err)
{
    s->error = err;
    return ~0ull;
}

/* --- memory ----------------------------------------------------------------------------------------------------------------- */

static uint64_t bytes_get(const struct semihost *s, const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) v |= (uint64_t)p[i] << 8 * (s->big_endian ? n - 1 - i : i);
    return v;
}

static void bytes_put(const struct semihost *s, uint8_t *p, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(v >> 8 * (s->big_endian ? n - 1 - i : i));
}

/* n words of the block at `at`. */
static bool block(struct semihost *s, uint64_t at, uint64_t *v, unsigned n)
{
    uint8_t buf[4 * 8];
    if (!s->host->copy(s->ctx, at, buf, n * s->word, false)) return false;
    for (unsigned i = 0; i < n; i++) v[i] = bytes_get(s, buf + i * s->word, s->word);
    return true;
}

static bool block_put(struct semihost *s, uint64_t at, const uint64_t *v, unsigned n)
{
    uint8_t buf[4 * 8];
    for (unsigned i = 0; i < n; i++) bytes_put(s, buf + i * s->word, s->word, v[i]);
    return s->host->copy(s->ctx, at, buf, n * s->word, true);
}

/* A path: `len` bytes, that end there or at a NUL before. 0 or an errno. */
static int path_get(struct semihost *s, uint64_t at, uint64_t len, char out[PATH_CAP])
{
    if (!len || len >= PATH_CAP) return ENAMETOOLONG;
    if (!s->host->copy(s->ctx, at, out, len, false)) return EFAULT;
    out[len] = 0;
    return 0;
}

/* --- files -------------------------------------------------------------------------------------------------------------------- */

/* Handles are 1..SEMI_FILES. */
static struct semi_file *file_of(struct semihost *s, uint64_t h)
{
    if (s->word == 4) h = (uint32_t)h;
    return h - 1 < SEMI_FILES && s->file[h - 1].kind ? &s->file[h - 1] : NULL;
}

static uint64_t do_open(struct semihost *s, const uint64_t *a)
{
    static const int flags[] = { O_RDONLY, O_RDWR, O_WRONLY | O_CREAT | O_TRUNC, O_RDWR | O_CREAT | O_TRUNC, O_WRONLY | O_CREAT | O_APPEND,
                                 O_RDWR | O_CREAT | O_APPEND };
    char path[PATH_CAP];
    unsigned i = 0;
    int r = path_get(s, a[0], a[2], path);
    if (r) return fail(s, r);
    if (a[1] >= 2 * ARRAY_LEN(flags)) return fail(s, EINVAL);
    while (i < SEMI_FILES && s->file[i].kind) i++;
    if (i == SEMI_FILES) return fail(s, EMFILE);
    struct semi_file f = { .kind = FILE_HOST, .fd = -1 };
    if (!strcmp(path, ":tt")) {
        f.kind = a[1] < 4 ? FILE_IN : a[1] < 8 ? FILE_OUT : FILE_ERR;
    } else if (!strcmp(path, ":semihosting-features")) {
        if (a[1] > 1) return fail(s, EACCES);
        f.kind = FILE_FEATURES;
    } else {
        /* no wait for the other end of a pipe: a machine's lock may be held */
        f.fd = open(path, flags[a[1] / 2] | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
        if (f.fd < 0) return fail(s, errno);
        struct stat st;
        if (!fstat(f.fd, &st) && S_ISDIR(st.st_mode)) return close(f.fd), fail(s, EISDIR);
    }
    s->file[i] = f;
    return i + 1;
}

static uint64_t do_close(struct semihost *s, uint64_t h)
{
    struct semi_file *f = file_of(s, h);
    if (!f) return fail(s, EBADF);
    int r = f->kind == FILE_HOST ? close(f->fd) : 0;
    *f = (struct semi_file){ 0 };
    return r ? fail(s, errno) : 0;
}

/* Both return how many bytes were not transferred. A call is bounded: callers go on where it ended. */
static uint64_t do_write(struct semihost *s, const uint64_t *a)
{
    struct semi_file *f = file_of(s, a[0]);
    uint64_t done = 0, len = MIN(a[2], (uint64_t)SEMI_TRANSFER_MAX);
    if (!f || f->kind == FILE_IN || f->kind == FILE_FEATURES) return fail(s, EBADF), a[2];
    uint8_t *buf = len ? malloc(SEMI_COPY_MAX) : NULL;
    if (len && !buf) return fail(s, ENOMEM), a[2];
    while (done < len) {
        size_t n = (size_t)MIN(len - done, (uint64_t)SEMI_COPY_MAX);
        if (!s->host->copy(s->ctx, a[1] + done, buf, n, false)) {
            fail(s, EFAULT);
            break;
        }
        ssize_t w = (ssize_t)n;
        if (f->kind == FILE_HOST) w = write(f->fd, buf, n);
        else s->host->console(s->ctx, buf, n, f->kind == FILE_ERR);
        if (w < 0) fail(s, errno);
        if (w <= 0) break;
        done += (uint64_t)w;
    }
    free(buf);
    return a[2] - done;
}

static ssize_t file_read(struct semihost *s, struct semi_file *f, uint8_t *buf, size_t n)
{
    if (f->kind == FILE_IN) return s->host->input(s->ctx, buf, n);
    if (f->kind == FILE_HOST) {
        ssize_t r = read(f->fd, buf, n);
        return r < 0 ? -errno : r;
    }
    n = MIN(n, sizeof features - MIN(f->pos, sizeof features));
    memcpy(buf, features + f->pos, n);
    f->pos += n;
    return (ssize_t)n;
}

static enum semi_result do_read(struct semihost *s, const uint64_t *a, uint64_t *ret)
{
    struct semi_file *f = file_of(s, a[0]);
    uint64_t done = 0, len = MIN(a[2], (uint64_t)SEMI_TRANSFER_MAX);
    *ret = a[2];
    if (!f || f->kind == FILE_OUT || f->kind == FILE_ERR) return fail(s, EBADF), SEMI_DONE;
    uint8_t *buf = len ? malloc(SEMI_COPY_MAX) : NULL;
    if (len && !buf) return fail(s, ENOMEM), SEMI_DONE;
    enum semi_result res = SEMI_DONE;
    while (done < len) {
        size_t n = (size_t)MIN(len - done, (uint64_t)SEMI_COPY_MAX);
        ssize_t got = file_read(s, f, buf, n);
        if (got == -EAGAIN && !done) res = SEMI_AGAIN;
        if (got < 0 && got != -EAGAIN) fail(s, (int)-got);
        if (got <= 0) break;
        if (!s->host->copy(s->ctx, a[1] + done, buf, (size_t)got, true)) {
            fail(s, EFAULT);
            break;
        }
        done += (uint64_t)got;
        if ((size_t)got < n) break;
    }
    free(buf);
    *ret = a[2] - done;
    return res;
}

static uint64_t do_seek(struct semihost *s, const uint64_t *a)
{
    struct semi_file *f = file_of(s, a[0]);
    if (!f) return fail(s, EBADF);
    if (f->kind == FILE_FEATURES) {
        if (a[1] > sizeof features) return fail(s, EINVAL);
        f->pos = a[1];
        return 0;
    }
    if (f->kind != FILE_HOST) return fail(s, ESPIPE);
    return a[1] > INT64_MAX || lseek(f->fd, (off_t)a[1], SEEK_SET) < 0 ? fail(s, a[1] > INT64_MAX ? EINVAL : errno) : 0;
}

static uint64_t do_flen(struct semihost *s, uint64_t h)
{
    struct semi_file *f = file_of(s, h);
    struct stat st;
    if (!f) return fail(s, EBADF);
    if (f->kind == FILE_FEATURES) return sizeof features;
    if (f->kind != FILE_HOST) return fail(s, EINVAL);
    if (fstat(f->fd, &st)) return fail(s, errno);
    return S_ISREG(st.st_mode) ? (uint64_t)st.st_size : fail(s, EINVAL);
}

static uint64_t do_istty(struct semihost *s, uint64_t h)
{
    struct semi_file *f = file_of(s, h);
    if (!f) return fail(s, EBADF);
    return f->kind == FILE_HOST ? (uint64_t)(isatty(f->fd) == 1) : f->kind != FILE_FEATURES;
}

static uint64_t do_tmpnam(struct semihost *s, const uint64_t *a)
{
    char name[PATH_CAP];
    const char *dir = getenv("TMPDIR");
    if (a[1] > 255) return fail(s, EINVAL);
    int n = snprintf(name, sizeof name, "%s/lyre-%x%02x", dir && *dir ? dir : "/tmp", (unsigned)getpid(), (unsigned)a[1]);
    if (n < 0 || (size_t)n >= sizeof name || (uint64_t)n + 1 > a[2]) return fail(s, ENAMETOOLONG);
    return s->host->copy(s->ctx, a[0], name, (size_t)n + 1, true) ? 0 : fail(s, EFAULT);
}

static uint64_t do_remove(struct semihost *s, const uint64_t *a)
{
    char path[PATH_CAP];
    int r = path_get(s, a[0], a[1], path);
    return r ? fail(s, r) : remove(path) ? fail(s, errno) : 0;
}

static uint64_t do_rename(struct semihost *s, const uint64_t *a)
{
    char from[PATH_CAP], to[PATH_CAP];
    int r = path_get(s, a[0], a[1], from);
    if (!r) r = path_get(s, a[2], a[3], to);
    return r ? fail(s, r) : rename(from, to) ? fail(s, errno) : 0;
}

/* --- the rest --------------------------------------------------------------------------------------------------------------- */

static uint64_t do_write0(struct semihost *s, uint64_t at)
{
    char buf[256];
    for (size_t done = 0; done < SEMI_TEXT_MAX;) {
        /* up to the end of a piece of 256 bytes: what lies behind the text's page need not be there */
        size_t n = sizeof buf - (size_t)(at + done) % sizeof buf;
        if (!s->host->copy(s->ctx, at + done, buf, n, false)) return fail(s, EFAULT);
        size_t len = strnlen(buf, n);
        if (len) s->host->console(s->ctx, buf, len, true);
        if (len < n) break;
        done += n;
    }
    return 0;
}

static uint64_t do_cmdline(struct semihost *s, uint64_t at)
{
    uint64_t a[2];
    const char *text = s->cmdline ? s->cmdline : "";
    size_t len = strlen(text);
    if (!block(s, at, a, 2)) return fail(s, EFAULT);
    if (len + 1 > a[1]) return fail(s, E2BIG);
    if (!s->host->copy(s->ctx, a[0], (void *)(uintptr_t)text, len + 1, true)) return fail(s, EFAULT);
    a[1] = len;
    return block_put(s, at, a, 2) ? 0 : fail(s, EFAULT);
}

static uint64_t do_heapinfo(struct semihost *s, uint64_t at)
{
    uint64_t where, v[4] = { 0 };
    if (!block(s, at, &where, 1)) return fail(s, EFAULT);
    s->host->heap(s->ctx, v);
    return block_put(s, where, v, 4) ? 0 : fail(s, EFAULT);
}

/* With 32 bits SYS_EXIT has the reason itself in place of a block. */
static enum semi_result do_exit(struct semihost *s, uint64_t arg, bool reason_only)
{
    uint64_t a[2] = { (uint32_t)arg, 0 };
    if (!reason_only && !block(s, arg, a, 2)) a[0] = 0;
    s->exit_status = a[0] == STOPPED_EXIT ? (int)(a[1] & 0xff) : 1;
    return SEMI_EXIT;
}

static uint64_t do_elapsed(struct semihost *s, uint64_t at)
{
    uint8_t buf[8];
    uint64_t ns = now_ns() - s->start_ns;
    if (s->word == 4) { /* two words, the lower one first */
        bytes_put(s, buf, 4, (uint32_t)ns);
        bytes_put(s, buf + 4, 4, ns >> 32);
    } else {
        bytes_put(s, buf, 8, ns);
    }
    return s->host->copy(s->ctx, at, buf, sizeof buf, true) ? 0 : fail(s, EFAULT);
}

/* Words of the block that an operation has. */
static unsigned words_of(uint32_t op)
{
    switch (op) {
    case OP_OPEN: case OP_WRITE: case OP_READ: case OP_TMPNAM: return 3;
    case OP_CLOSE: case OP_ISERROR: case OP_ISTTY: case OP_FLEN: return 1;
    case OP_SEEK: case OP_REMOVE: return 2;
    case OP_RENAME: return 4;
    default: return 0;
    }
}

static enum semi_result readc(struct semihost *s, uint64_t *ret)
{
    uint8_t c;
    int n = s->host->input(s->ctx, &c, 1);
    if (n == -EAGAIN) return SEMI_AGAIN;
    *ret = n == 1 ? c : fail(s, n < 0 ? -n : 0);
    return SEMI_DONE;
}

enum semi_result semi_call(struct semihost *s, uint32_t op, uint64_t arg, uint64_t *ret)
{
    uint64_t a[4] = { 0 };
    uint8_t c;
    if (s->word == 4) arg = (uint32_t)arg;
    *ret = 0;
    if (words_of(op) && !block(s, arg, a, words_of(op))) {
        *ret = fail(s, EFAULT);
        return SEMI_DONE;
    }
    switch (op) {
    case OP_OPEN: *ret = do_open(s, a); break;
    case OP_CLOSE: *ret = do_close(s, a[0]); break;
    case OP_WRITEC:
        if (!s->host->copy(s->ctx, arg, &c, 1, false)) *ret = fail(s, EFAULT);
        else s->host->console(s->ctx, &c, 1, true);
        break;
    case OP_WRITE0: *ret = do_write0(s, arg); break;
    case OP_WRITE: *ret = do_write(s, a); break;
    case OP_READ: return do_read(s, a, ret);
    case OP_READC: return readc(s, ret);
    case OP_ISERROR: *ret = s->word == 4 ? (int32_t)a[0] < 0 : (int64_t)a[0] < 0; break;
    case OP_ISTTY: *ret = do_istty(s, a[0]); break;
    case OP_SEEK: *ret = do_seek(s, a); break;
    case OP_FLEN: *ret = do_flen(s, a[0]); break;
    case OP_TMPNAM: *ret = do_tmpnam(s, a); break;
    case OP_REMOVE: *ret = do_remove(s, a); break;
    case OP_RENAME: *ret = do_rename(s, a); break;
    case OP_CLOCK: *ret = (now_ns() - s->start_ns) / (TICKS_PER_S / 100) & 0x7fffffff; break;
    case OP_TIME: *ret = (uint64_t)time(NULL); break;
    case OP_ERRNO: *ret = (uint64_t)s->error; break;
    case OP_CMDLINE: *ret = do_cmdline(s, arg); break;
    case OP_HEAPINFO: *ret = do_heapinfo(s, arg); break;
    case OP_EXIT: return do_exit(s, arg, s->word == 4);
    case OP_EXIT_EXT: return do_exit(s, arg, false);
    case OP_ELAPSED: *ret = do_elapsed(s, arg); break;
    case OP_TICKFREQ: *ret = TICKS_PER_S; break;
    default:
        LOG(LOG_UNIMP, "semihosting: there is no operation %#x\n", op);
        *ret = fail(s, ENOSYS);
    }
    return SEMI_DONE;
}
