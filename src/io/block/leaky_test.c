/* leaky_test.c: limits under a clock of the test's own: averages, bursts and their length, read and write, sizes of operations, nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "io/block/leaky.h"

enum { S = 1000000000 };

/* Sends `n` requests of `bytes`, each as soon as the one before may start; how many start within `end` ns. */
static unsigned within(struct leaky *l, bool write, uint64_t bytes, uint64_t *now, uint64_t end)
{
    unsigned n = 0;
    for (;; n++) {
        *now = leaky_take(l, write, bytes, *now);
        if (*now >= end) return n;
    }
}

static void test_average(void **state)
{
    struct leaky_config c = { .rate[LEAKY_IOPS] = { .avg = 100 } };
    struct leaky l;
    uint64_t now = 5ull * S;
    leaky_set(&l, &c);
    unsigned n = within(&l, false, 512, &now, 15ull * S);
    assert_in_range(n, 1000, 1000 + 100 / 10 + 1); /* ten seconds, and a tenth of one at once */
    c = (struct leaky_config){ .rate[LEAKY_BPS] = { .avg = 1 << 20 } };
    leaky_set(&l, &c);
    now = 0;
    n = within(&l, true, 65536, &now, 10ull * S);
    assert_in_range(n, 160, 160 + 3);
}

static void test_bursts(void **state)
{
    struct leaky_config c = { .rate[LEAKY_IOPS] = { .avg = 100, .max = 1000 } };
    struct leaky l;
    uint64_t now = 0;
    leaky_set(&l, &c);
    /* a full bucket at once, then the average */
    for (unsigned i = 0; i < 1000; i++) assert_int_equal(leaky_take(&l, false, 1, 0), 0);
    now = leaky_take(&l, false, 1, 0);
    assert_in_range(now, 0, S / 50);
    unsigned n = within(&l, false, 1, &now, 2ull * S);
    assert_in_range(n, 195, 201);
    /* idle time empties it: that of ten seconds */
    now += 10ull * S;
    for (n = 0; leaky_take(&l, false, 1, now) == now; n++) {}
    assert_in_range(n, 999, 1001);
}

static void test_length(void **state)
{
    struct leaky_config c = { .rate[LEAKY_BPS_WR] = { .avg = 1000, .max = 10000, .length = 5 } };
    struct leaky l;
    uint64_t now = 0;
    leaky_set(&l, &c);
    unsigned n = within(&l, true, 100, &now, 5ull * S); /* at the maximum, not faster */
    assert_in_range(n, 500, 515);
    within(&l, true, 100, &now, 8ull * S);
    n = within(&l, true, 100, &now, 18ull * S); /* then at the average */
    assert_in_range(n, 98, 102);
    assert_int_equal(leaky_take(&l, false, 1 << 30, now), now); /* reads are not concerned */
}

static void test_sizes(void **state)
{
    struct leaky_config c = { .rate[LEAKY_IOPS_RD] = { .avg = 10 }, .op_size = 4096 };
    struct leaky l;
    uint64_t now = 0;
    leaky_set(&l, &c);
    within(&l, false, 40960, &now, 0); /* one of them is ten */
    assert_in_range(within(&l, false, 40960, &now, 20ull * S), 19, 21);
    now = 0;
    leaky_set(&l, &c);
    assert_in_range(within(&l, false, 1, &now, 20ull * S), 200, 203);
    /* one that is larger than the bucket goes through in the end, and those behind it wait */
    c = (struct leaky_config){ .rate[LEAKY_BPS] = { .avg = 1000 } };
    leaky_set(&l, &c);
    assert_int_equal(leaky_take(&l, false, 5000, 7), 7);
    assert_in_range(leaky_take(&l, false, 1, 7), 4900000000ull, 5000000000ull);
}

static void test_check(void **state)
{
    struct err e;
    const struct leaky_config good[] = { { .op_size = 0 }, { .rate[0] = { 1, 1, 1 } }, { .rate[1] = { 5, 9, 100 }, .rate[3] = { 7, 0, 0 }, .op_size = 3 } };
    const struct leaky_config bad[] = {
        { .rate[0] = { 1, 0, 0 }, .rate[1] = { 1, 0, 0 } }, { .rate[3] = { 1, 0, 0 }, .rate[5] = { 1, 0, 0 } }, { .rate[0] = { 0, 5, 0 } },
        { .rate[0] = { 9, 5, 0 } }, { .rate[0] = { 9, 0, 2 } }, { .rate[0] = { 1ull << 50, 0, 0 } }, { .op_size = 1 },
        { .rate[0] = { 9, 1ull << 40, 1ull << 20 } },
    };
    for (unsigned i = 0; i < ARRAY_LEN(good); i++) assert_int_equal(leaky_check(&good[i], &e), 0);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) assert_int_not_equal(leaky_check(&bad[i], &e), 0);
    assert_false(leaky_on(&good[0]));
    assert_true(leaky_on(&good[1]));
    /* the largest that there may be does not wrap */
    struct leaky_config most = { .rate[LEAKY_BPS] = { 1, (1ull << 50) - 1, 1 } };
    struct leaky l;
    assert_int_equal(leaky_check(&most, &e), 0);
    leaky_set(&l, &most);
    uint64_t now = 1ull << 61, at = now;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t next = leaky_take(&l, false, 1ull << 40, now);
        assert_true(next >= at);
        at = next;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_average), cmocka_unit_test(test_bursts), cmocka_unit_test(test_length), cmocka_unit_test(test_sizes), cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
