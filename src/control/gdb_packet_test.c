/* gdb_packet_test.c: framing of the remote protocol: escapes, checksums, recovery from garbage, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include "control/gdb_packet.h"

static enum gdb_event feed(struct gdb_in *in, const char *s, size_t n)
{
    enum gdb_event last = GE_NONE;
    for (size_t i = 0; i < n; i++) {
        enum gdb_event e = gdb_in_byte(in, (uint8_t)s[i]);
        if (e != GE_NONE) last = e;
    }
    return last;
}

static enum gdb_event feed_str(struct gdb_in *in, const char *s)
{
    return feed(in, s, strlen(s));
}

static void test_plain(void **st)
{
    struct gdb_in in = { 0 };
    assert_int_equal(feed_str(&in, "$g#67"), GE_PACKET);
    assert_string_equal(in.data, "g");
    assert_int_equal(feed_str(&in, "$#00"), GE_PACKET);
    assert_int_equal(in.len, 0);
    assert_int_equal(feed_str(&in, "+"), GE_ACK);
    assert_int_equal(feed_str(&in, "-"), GE_NAK);
    assert_int_equal(feed_str(&in, "\x03"), GE_INTERRUPT);
    assert_int_equal(feed_str(&in, "hello"), GE_NONE);
}

static void test_bad_sum(void **st)
{
    struct gdb_in in = { 0 };
    assert_int_equal(feed_str(&in, "$g#68"), GE_BAD);
    assert_int_equal(feed_str(&in, "$g#zz"), GE_BAD);
    assert_int_equal(feed_str(&in, "$g#6z"), GE_BAD);
    assert_int_equal(feed_str(&in, "$g#67"), GE_PACKET);
    assert_int_equal(feed_str(&in, "$g}#e4"), GE_BAD); /* an escape of nothing, its sum right */
    assert_int_equal(feed_str(&in, "$m0,4$g#67"), GE_PACKET); /* the first never ended */
    assert_string_equal(in.data, "g");
    assert_int_equal(feed_str(&in, "$g#6$g#67"), GE_PACKET);
}

static void test_interrupt_is_data_inside(void **st)
{
    struct gdb_in in = { 0 };
    assert_int_equal(feed(&in, "$X\x03#5b", 6), GE_PACKET);
    assert_int_equal(in.len, 2);
    assert_int_equal(in.data[1], 3);
}

/* Whatever bytes are put come out of the reader the same. */
static void test_round_trip(void **st)
{
    static struct gdb_in in;
    static struct gdb_out o;
    uint8_t all[256];
    for (unsigned i = 0; i < 256; i++) all[i] = (uint8_t)i;
    gdb_out_begin(&o);
    gdb_put(&o, all, sizeof all);
    gdb_out_end(&o);
    assert_int_equal(feed(&in, o.data, o.len), GE_PACKET);
    assert_int_equal(in.len, 256);
    assert_memory_equal(in.data, all, 256);
}

static void test_too_long(void **st)
{
    static struct gdb_in in;
    uint8_t sum = 0;
    gdb_in_byte(&in, '$');
    for (unsigned i = 0; i < 3 * GDB_PACKET; i++) {
        assert_int_equal(gdb_in_byte(&in, 'a'), GE_NONE);
        sum = (uint8_t)(sum + 'a');
    }
    char tail[8];
    snprintf(tail, sizeof tail, "#%02x", sum);
    assert_int_equal(feed_str(&in, tail), GE_LONG);
    assert_int_equal(feed_str(&in, "$g#67"), GE_PACKET);

    gdb_in_byte(&in, '$');
    sum = 0;
    for (unsigned i = 0; i < GDB_PACKET; i++, sum = (uint8_t)(sum + 'b')) gdb_in_byte(&in, 'b');
    snprintf(tail, sizeof tail, "#%02x", sum);
    assert_int_equal(feed_str(&in, tail), GE_PACKET);
    assert_int_equal(in.len, GDB_PACKET);
}

static void test_reply_too_long(void **st)
{
    static struct gdb_in in;
    static struct gdb_out o;
    gdb_out_begin(&o);
    for (unsigned i = 0; i < 3 * GDB_PACKET; i++) gdb_put(&o, "#", 1);
    gdb_out_end(&o);
    assert_int_equal(feed(&in, o.data, o.len), GE_PACKET);
    assert_string_equal(in.data, "E16");
}

static void test_arguments(void **st)
{
    const char *s = "1f,G", *none = ",", *big = "11111111111111111", *max = "ffffffffffffffff;";
    uint64_t v;
    uint8_t b[4] = { 0 };
    assert_true(gdb_hex(&s, &v));
    assert_int_equal(v, 0x1f);
    assert_true(gdb_skip(&s, ','));
    assert_false(gdb_skip(&s, ','));
    assert_false(gdb_hex(&s, &v));
    assert_false(gdb_hex(&none, &v));
    assert_false(gdb_hex(&big, &v));
    assert_true(gdb_hex(&max, &v));
    assert_true(v == UINT64_MAX);
    s = "0aFf1";
    assert_int_equal(gdb_hex_bytes(&s, b, 4), 2);
    assert_int_equal(b[0], 10);
    assert_int_equal(b[1], 255);
    assert_string_equal(s, "1");
}

/* Random bytes, many of them meaningful: nothing is written outside, and the next command is understood. */
static void test_garbage(void **st)
{
    static struct gdb_in in;
    static const char likely_bytes[] = "$$##++--}}*0123456789abcdef\x03gGmMvq:;,";
    uint64_t x = 88172645463325252ull;
    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned i = 0; i < 300; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            uint8_t c = x & 0x100 ? (uint8_t)x : (uint8_t)likely_bytes[(x >> 16) % (sizeof likely_bytes - 1)];
            enum gdb_event e = gdb_in_byte(&in, c);
            assert_true(in.len <= GDB_PACKET);
            if (e == GE_PACKET) assert_int_equal(in.data[in.len], 0);
        }
        assert_int_equal(feed_str(&in, "$qC#b4"), GE_PACKET);
        assert_string_equal(in.data, "qC");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain), cmocka_unit_test(test_bad_sum), cmocka_unit_test(test_interrupt_is_data_inside),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_too_long), cmocka_unit_test(test_reply_too_long),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
