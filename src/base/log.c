/* log.c: what -d and -D select. One write per piece, so that lines of several threads do not mix. */
#include "base/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

unsigned log_mask;
static int log_fd = 2;

static struct range {
    uint64_t first, last;
} *filter;
static uint32_t nfilter, filter_cap;

static const struct item {
    const char *name;
    unsigned bits;
    const char *help;
} items[] = {
    { "in_asm", LOG_IN_ASM, "guest instructions as they are translated" },
    { "ir", LOG_IR, "intermediate representation as the front end built it" },
    { "op", LOG_IR, "the same" },
    { "ir_opt", LOG_IR_OPT, "intermediate representation after the passes" },
    { "op_opt", LOG_IR_OPT, "the same" },
    { "out_asm", LOG_OUT_ASM, "generated host code" },
    { "exec", LOG_EXEC, "each entry from the exec loop into a region" },
    { "cpu", LOG_EXEC | LOG_CPU, "registers at each such entry" },
    { "int", LOG_INT, "exceptions, interrupts, signals" },
    { "strace", LOG_STRACE, "guest system calls" },
    { "unimp", LOG_UNIMP, "what the guest asked for and is not there" },
    { "guest_errors", LOG_GUEST_ERR, "what the guest did wrong" },
    { "page", LOG_PAGE, "changes of the memory map" },
    { "stats", LOG_STATS, "counters of the engine at exit" },
    { "nochain", LOG_NOCHAIN, "do not chain regions: every region comes back to the exec loop" },
};

void log_write(const char *fmt, ...)
{
    char buf[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    if (n > (int)sizeof buf - 1) n = sizeof buf - 1;
    for (int done = 0; done < n;) {
        ssize_t w = write(log_fd, buf + done, (size_t)(n - done));
        if (w <= 0) return;
        done += (int)w;
    }
}

int log_open(const char *path, struct err *e)
{
    char name[4096];
    const char *d = strstr(path, "%d");
    if (d)
        snprintf(name, sizeof name, "%.*s%d%s", (int)(d - path), path, (int)getpid(), d + 2);
    else
        snprintf(name, sizeof name, "%s", path);
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return err_set(e, errno, "log file '%s': %s", name, strerror(errno));
    if (log_fd != 2) close(log_fd);
    /* out of the way of the guest's descriptors */
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 1000);
    if (high >= 0) {
        close(fd);
        fd = high;
    }
    log_fd = fd;
    return 0;
}

int log_own_fd(void)
{
    return log_fd == 2 ? -1 : log_fd;
}

/* "a..b", "a+n", "a-n" up to `end`. */
static bool parse_range(const char *s, const char *end, struct range *r)
{
    char *p;
    uint64_t a, b;
    errno = 0;
    a = strtoull(s, &p, 0);
    if (p == s || p >= end) return false;
    const char *op = p;
    p += *op == '.' && op[1] == '.' ? 2 : 1;
    const char *second = p;
    b = strtoull(second, &p, 0);
    if (p == second || p != end || errno) return false;
    switch (*op) {
    case '.': *r = (struct range){ a, b }; return second == op + 2 && a <= b;
    case '+': *r = (struct range){ a, a + (b - 1) }; return b && a <= r->last;
    case '-': *r = (struct range){ a - (b - 1), a }; return b && r->first <= a;
    default: return false;
    }
}

int log_filter(const char *ranges, struct err *e)
{
    while (*ranges) {
        size_t len = strcspn(ranges, ",");
        struct range r;
        if (!parse_range(ranges, ranges + len, &r))
            return err_set(e, EINVAL, "range '%.*s' should be first..last, start+size or end-size", (int)len, ranges);
        filter = vec_grow(filter, &filter_cap, nfilter + 1, sizeof *filter);
        filter[nfilter++] = r;
        ranges += len + (ranges[len] == ',');
    }
    return 0;
}

bool log_wants(uint64_t pc)
{
    for (uint32_t i = 0; i < nfilter; i++)
        if (pc - filter[i].first <= filter[i].last - filter[i].first) return true;
    return !nfilter;
}

int log_item(unsigned i, const char **name, const char **help)
{
    if (i >= ARRAY_LEN(items)) return -ENOENT;
    *name = items[i].name;
    *help = items[i].help;
    return 0;
}

int log_parse(const char *list, unsigned *mask, struct err *e)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(items); i++) {
            if (strlen(items[i].name) == len && !memcmp(items[i].name, list, len)) {
                *mask |= items[i].bits;
                found = true;
            }
        }
        if (!found)
            return err_set(e, EINVAL, "unknown log item '%.*s' ('-d help' lists them)", (int)len, list);
        list += len + (list[len] == ',');
    }
    return 0;
}
