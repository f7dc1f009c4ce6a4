/* p9_test.c: the 9P server over a folder of its own: files, folders, owners, attributes, and that nothing leads out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "dev/virtio/p9.h"

struct t {
    char dir[64], secret[80];
    struct p9 *s;
    uint8_t b[70000];
    uint32_t n;
    const uint8_t *r;
    uint32_t rlen;
};

/* "4" "2" "8" "1": numbers of that many bytes; "s": a string. */
static int ask(struct t *t, uint8_t type, const char *fmt, ...)
{
    va_list ap;
    t->n = 7;
    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt == 's') {
            const char *x = va_arg(ap, const char *);
            uint16_t len = (uint16_t)strlen(x);
            memcpy(t->b + t->n, &len, 2);
            memcpy(t->b + t->n + 2, x, len);
            t->n += 2u + len;
        } else {
            uint64_t v = *fmt == '8' ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
            memcpy(t->b + t->n, &v, (size_t)(*fmt - '0'));
            t->n += (unsigned)(*fmt - '0');
        }
    }
    va_end(ap);
    memcpy(t->b, &t->n, 4);
    t->b[4] = type, t->b[5] = 7, t->b[6] = 0;
    t->r = p9_message(t->s, t->b, t->n, sizeof t->b, &t->rlen);
    assert_non_null(t->r);
    assert_int_equal(t->r[5], 7);
    uint32_t code = 0;
    memcpy(&code, t->r + 7, MIN(4u, t->rlen - 7));
    if (t->r[4] == 7) return -(int)code;
    assert_int_equal(t->r[4], type + 1);
    return 0;
}

static void t_new(struct t *t, enum p9_security sec, bool ro)
{
    struct err e = { 0 };
    char path[160];
    snprintf(t->dir, sizeof t->dir, "/tmp/lyre-9p-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->secret, sizeof t->secret, "%s.secret", t->dir);
    close(open(t->secret, O_CREAT | O_WRONLY, 0600));
    snprintf(path, sizeof path, "%s/sub", t->dir);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/out", t->dir);
    assert_int_equal(symlink(t->secret, path), 0);
    snprintf(path, sizeof path, "%s/up", t->dir);
    assert_int_equal(symlink("/tmp", path), 0);
    t->s = p9_new(t->dir, sec, ro, &e);
    assert_non_null(t->s);
    assert_int_equal(ask(t, 100, "4s", 65536, "9P2000.L"), 0);
    assert_int_equal(ask(t, 104, "44ss4", 1, ~0u, "u", "", 0), 0);
}
static void t_free(struct t *t)
{
    char cmd[200];
    p9_free(t->s);
    snprintf(cmd, sizeof cmd, "rm -rf %s %s", t->dir, t->secret);
    assert_int_equal(system(cmd), 0);
}

static void files(void **st)
{
    struct t t;
    char path[160], text[16] = { 0 };
    uint64_t size;
    t_new(&t, P9_NONE, false);
    assert_int_equal(ask(&t, 110, "442", 1, 2, 1), -EINVAL); /* a name that is not there in the message */
    assert_int_equal(ask(&t, 110, "442s", 1, 2, 1, "sub"), 0);
    assert_int_equal(ask(&t, 14, "4s444", 2, "f", 2, 0644, getgid()), 0);
    assert_int_equal(ask(&t, 118, "4841111", 2, 0ull, 4, 'a', 'b', 'c', 'd'), 0);
    assert_int_equal(ask(&t, 118, "48411", 2, 0ull, 400, 'a', 'b'), -EINVAL); /* less than it says */
    assert_int_equal(ask(&t, 116, "484", 2, 1ull, 0xffffffff), 0);
    assert_int_equal(t.rlen, 7 + 4 + 3);
    assert_memory_equal(t.r + 11, "bcd", 3);
    assert_int_equal(ask(&t, 24, "48", 2, 0x7ffull), 0);
    memcpy(&size, t.r + 7 + 8 + 13 + 4 + 4 + 4 + 8 + 8, 8);
    assert_int_equal(size, 4);
    assert_int_equal(ask(&t, 26, "4444488888", 2, 8 | 1, 0600, 0, 0, 2ull, 0ull, 0ull, 0ull, 0ull), 0);
    snprintf(path, sizeof path, "%s/sub/f", t.dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(text, 1, 16, f), 2);
    fclose(f);
    assert_int_equal(ask(&t, 50, "44", 2, 0), 0);
    assert_int_equal(ask(&t, 110, "442", 1, 3, 0), 0);
    assert_int_equal(ask(&t, 12, "44", 3, 0200000), 0);
    assert_int_equal(ask(&t, 40, "484", 3, 0ull, 4096), 0);
    assert_true(t.rlen > 11 + 24 * 5); /* ., .., sub, out, up */
    assert_int_equal(ask(&t, 40, "484", 3, 0ull, 40), 0);
    assert_true(t.rlen <= 11 + 40);
    assert_int_equal(ask(&t, 72, "4s44", 1, "d", 0755, getgid()), 0);
    assert_int_equal(ask(&t, 74, "4s4s", 1, "d", 1, "e"), 0);
    assert_int_equal(ask(&t, 76, "4s4", 1, "e", 0x200), 0);
    assert_int_equal(ask(&t, 76, "4s4", 1, "e", 0x200), -ENOENT);
    assert_int_equal(ask(&t, 18, "4s4444", 1, "dev", S_IFCHR | 0666, 1, 3, 0), -EPERM);
    assert_int_equal(ask(&t, 122, "4", 2), 0);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(ask(&t, 24, "48", 2, 0x7ffull), -EBADF);
    assert_int_equal(ask(&t, 120, "4", 3), 0);
    t_free(&t);
}

/* The secret beside the folder is not reached by any name. */
static void escapes(void **st)
{
    struct t t;
    t_new(&t, P9_NONE, false);
    assert_int_equal(ask(&t, 110, "442s", 1, 2, 1, "../x"), -EINVAL);
    assert_int_equal(ask(&t, 110, "442ss", 1, 2, 2, "..", strrchr(t.secret, '/') + 1), 0);
    assert_int_equal(t.r[7], 1); /* above the root is the root: the second step is not there */
    assert_int_equal(ask(&t, 24, "48", 2, 0ull), -EBADF);
    assert_int_equal(ask(&t, 110, "442sss", 1, 2, 3, "sub", "..", ".."), 0); /* the root again */
    assert_int_equal(ask(&t, 120, "4", 2), 0);
    assert_int_equal(ask(&t, 110, "442s", 1, 2, 1, "out"), 0); /* the link itself */
    assert_int_equal(ask(&t, 12, "44", 2, 0), -ELOOP);
    assert_int_equal(ask(&t, 22, "4", 2), 0);
    assert_int_not_equal(ask(&t, 26, "4444488888", 2, 8, 0, 0, 0, 0ull, 0ull, 0ull, 0ull, 0ull), 0);
    assert_int_equal(ask(&t, 120, "4", 2), 0);
    assert_int_equal(ask(&t, 110, "442ss", 1, 2, 2, "up", "etc"), 0);
    assert_int_equal(t.r[7], 1); /* not through a link */
    assert_int_equal(ask(&t, 110, "442s", 1, 2, 1, "up"), 0);
    assert_int_not_equal(ask(&t, 14, "4s444", 2, "f", 2, 0644, 0), 0);
    assert_int_not_equal(ask(&t, 72, "4s44", 2, "d", 0755, 0), 0);
    assert_int_not_equal(ask(&t, 14, "4s444", 1, "out", 2, 0644, 0), 0); /* does not follow */
    static const char *const bad[] = { "", ".", "..", "a/b", "/etc" };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ask(&t, 14, "4s444", 1, bad[i], 2, 0644, 0), -EINVAL);
        assert_int_equal(ask(&t, 76, "4s4", 1, bad[i], 0), -EINVAL);
        assert_int_equal(ask(&t, 74, "4s4s", 1, "sub", 1, bad[i]), -EINVAL);
    }
    struct stat sb;
    assert_int_equal(stat(t.secret, &sb) | (int)sb.st_size, 0);
    t_free(&t);
    t_new(&t, P9_NONE, true);
    assert_int_equal(ask(&t, 72, "4s44", 1, "d", 0755, 0), -EROFS);
    assert_int_equal(ask(&t, 76, "4s4", 1, "sub", 0x200), -EROFS);
    t_free(&t);
}

/* Nonsense of every kind is answered. */
static void garbage(void **st)
{
    struct t t;
    uint64_t seed = 0x9999;
    uint32_t n;
    t_new(&t, P9_MAPPED, false);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t len = 7 + (uint32_t)(seed % 40);
        for (uint32_t k = 7; k < len; k++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            t.b[k] = (uint8_t)(seed % 3 ? seed % 4 : seed >> 20);
        }
        memcpy(t.b, &len, 4);
        t.b[4] = (uint8_t)(seed >> 9) % 62 * 2;
        if (t.b[4] == 108 || i % 100 == 0) assert_int_equal(ask(&t, 104, "44ss4", 1, ~0u, "u", "", 0) & 0, 0);
        p9_message(t.s, t.b, len, 8192, &n);
    }
    t_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(files), cmocka_unit_test(escapes), cmocka_unit_test(garbage) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
