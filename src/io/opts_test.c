/* opts_test.c: option lists: commas, flags, implied keys, JSON, numbers, what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "io/opts.h"

static void test_text(void **state)
{
    struct opts o = { 0 };
    struct err e;
    assert_int_equal(opts_parse(&o, "socket,id=a,path=/x,,y=z,server,nowait,empty=,id=b", "backend", &e), 0);
    assert_string_equal(opts_get(&o, "backend"), "socket");
    assert_string_equal(opts_get(&o, "path"), "/x,y=z");
    assert_string_equal(opts_get(&o, "id"), "b");
    assert_string_equal(opts_get(&o, "server"), "on");
    assert_string_equal(opts_get(&o, "wait"), "off");
    assert_string_equal(opts_get(&o, "empty"), "");
    assert_int_equal(opts_check(&o, "x", &e), 0);
    char *t = opts_text(&o);
    assert_string_equal(t, "backend=socket,id=a,path=/x,,y=z,server=on,wait=off,empty=,id=b");
    free(t);
    uint32_t i = 0;
    assert_string_equal(opts_each(&o, "id", &i), "a");
    assert_string_equal(opts_each(&o, "id", &i), "b");
    assert_null(opts_each(&o, "id", &i));
    opts_add(&o, "id", opts_get(&o, "id"));
    opts_add(&o, "id", "c");
    opts_del(&o, "path");
    t = opts_text(&o);
    assert_string_equal(t, "backend=socket,server=on,wait=off,empty=,id=c");
    free(t);
    assert_false(opts_has(&o, "path"));
    assert_string_equal(opts_get(&o, "id"), "c");
    opts_add(&o, "more", "1");
    assert_int_equal(opts_check(&o, "chardev", &e), -EINVAL);
    assert_string_equal(e.msg, "chardev: Invalid parameter 'more'");
    assert_int_equal(opts_parse(&o, "=x", NULL, &e), -EINVAL);
    assert_int_equal(opts_parse(&o, "", "kind", &e), 0);
    assert_int_equal(o.count, 0);
    opts_free(&o);
}

static void test_json(void **state)
{
    struct opts o = { 0 };
    struct err e;
    assert_int_equal(opts_parse(&o, "{\"a\":{\"b\":[1,true,\"x,y\"]},\"n\":null,\"big\":18446744073709551615}", "k", &e), 0);
    assert_string_equal(opts_get(&o, "a.b.0"), "1");
    assert_string_equal(opts_get(&o, "a.b.1"), "on");
    assert_string_equal(opts_get(&o, "a.b.2"), "x,y");
    assert_string_equal(opts_get(&o, "big"), "18446744073709551615");
    assert_false(opts_has(&o, "n"));
    struct opts sub = { 0 };
    opts_copy(&sub, &o, "a.b.");
    assert_string_equal(opts_get(&sub, "2"), "x,y");
    opts_free(&sub);
    uint32_t i = 0;
    assert_int_equal(opts_parse(&o, "{\"f\":[{\"str\":\"p\"},{\"str\":\"q\"}],\"fx\":1}", NULL, &e), 0);
    assert_string_equal(opts_each(&o, "f", &i), "p");
    assert_string_equal(opts_each(&o, "f", &i), "q");
    assert_null(opts_each(&o, "f", &i));
    static const char *const bad[] = { "{", "{\"a\":}", "{\"a\":1", "{}x", "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]}" };
    for (unsigned k = 0; k < ARRAY_LEN(bad); k++) assert_int_equal(opts_parse(&o, bad[k], NULL, &e), -EINVAL);
    opts_free(&o);
}

static void test_values(void **state)
{
    struct opts o = { 0 };
    struct err e;
    uint64_t v;
    bool b;
    int n;
    static const char *const names[] = { "none", "some", NULL };
    opts_parse(&o, "n=12,h=0x10,s=64M,neg=-1,junk=12x,huge=99999999999999999999,t=17179869184G,on=yes,which=some", NULL, &e);
    assert_int_equal(opts_num(&o, "n", 0, 0, 99, &v, &e), 0);
    assert_int_equal(v, 12);
    assert_int_equal(opts_num(&o, "h", 0, 0, 99, &v, &e), 0);
    assert_int_equal(v, 16);
    assert_int_equal(opts_num(&o, "n", 0, 13, 99, &v, &e), -ERANGE);
    assert_int_equal(opts_size(&o, "s", 0, &v, &e), 0);
    assert_int_equal(v, 64 << 20);
    assert_int_equal(opts_size(&o, "absent", 7, &v, &e), 0);
    assert_int_equal(v, 7);
    assert_int_equal(opts_num(&o, "neg", 0, 0, UINT64_MAX, &v, &e), -EINVAL);
    assert_int_equal(opts_num(&o, "junk", 0, 0, UINT64_MAX, &v, &e), -EINVAL);
    assert_int_equal(opts_num(&o, "huge", 0, 0, UINT64_MAX, &v, &e), -ERANGE);
    assert_int_equal(opts_size(&o, "t", 0, &v, &e), -ERANGE);
    assert_int_equal(opts_bool(&o, "on", false, &b, &e), 0);
    assert_true(b);
    assert_int_equal(opts_bool(&o, "n", false, &b, &e), -EINVAL);
    assert_int_equal(opts_enum(&o, "which", names, 0, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_int_equal(opts_enum(&o, "n", names, 0, &n, &e), -EINVAL);
    assert_string_equal(e.msg, "Parameter 'n' is one of none, some, not '12'");
    assert_true(opts_id_ok("char-0.a_b"));
    assert_false(opts_id_ok("0a"));
    assert_false(opts_id_ok("a b"));
    assert_false(opts_id_ok(""));
    opts_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_text), cmocka_unit_test(test_json), cmocka_unit_test(test_values) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
