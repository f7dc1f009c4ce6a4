/* monitor_test.c: monitors: QMP's rules and garbage, limits, events; HMP's editing, expressions, arguments; a machine's commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io/block/blk.h"
#include "io/display/vnc.h"
#include "io/net/net.h"
#include "sys/monitor_cmd.h"
#include "sys/objects.h"

struct world {
    struct loop *l;
    struct chr_set *chrs;
    struct net_set *nets;
    struct blk_graph *blks;
    struct machine *m;
    struct monitors *s;
    struct vnc_set *vnc;
    struct objects *objs;
    struct err e;
    int qmp, hmp;       /* the clients' ends */
    char *buf;          /* what has come and was not taken */
    size_t len;
};

static int client(struct world *w, const char *id, bool qmp)
{
    int p[2];
    char text[64];
    struct chr *c;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    snprintf(text, sizeof text, "socket,id=%s,fd=%d", id, p[0]);
    assert_int_equal(chr_new_text(w->chrs, text, &c, &w->e), 0);
    assert_int_equal(monitor_add(w->s, c, qmp, false, &w->e), 0);
    return p[1];
}

static int start(void **state, bool machine)
{
    struct world *w = xalloc(sizeof *w);
    *state = w;
    w->l = loop_new(&w->e);
    loop_lock(w->l);
    w->chrs = chr_set_new(w->l, NULL);
    struct net_host h = { .chrs = w->chrs };
    w->nets = net_set_new(w->l, &h);
    const struct guest *g = guest_find("riscv64");
    assert_non_null(g);
    if (machine) {
        static const struct opts none;
        struct machine_config cfg = { .guest = g, .ram = 32 << 20, .bios = "none", .props = &none, .nodefaults = true, .accel = "interp", .cpus = 2 };
        cfg.type = machine_find("riscv64", "virt", &w->e);
        assert_non_null(cfg.type);
        w->blks = blk_graph_new();
        w->m = machine_new(&cfg, w->l, w->chrs, w->nets, w->blks, &w->e);
        if (!w->m) print_message("%s\n", w->e.msg);
        assert_non_null(w->m);
        int rc = machine_begin(w->m, &w->e);
        if (rc) print_message("%s\n", w->e.msg);
        assert_int_equal(rc, 0);
    }
    if (w->blks) w->objs = objects_new(w->l, w->blks, w->nets);
    struct monitors_config cfg = { .objs = w->objs, .machine = w->m, .guest = g, .loop = w->l, .chrs = w->chrs, .nets = w->nets, .blks = w->blks, .name = "vm\xc3\xa9" };
    if (machine) {
        cfg.vnc = w->vnc = vnc_set_new(w->l, w->m->b.display, NULL);
        assert_int_equal(vnc_new(w->vnc, "none,password=on", &w->e), 0);
    }
    w->s = monitors_new(&cfg);
    w->qmp = client(w, "q", true);
    w->hmp = client(w, "h", false);
    return 0;
}

static int set_up(void **state)
{
    return start(state, false);
}

static int set_up_machine(void **state)
{
    return start(state, true);
}

static int tear_down(void **state)
{
    struct world *w = *state;
    monitors_free(w->s);
    vnc_set_free(w->vnc);
    if (w->m) machine_free(w->m);
    chr_set_free(w->chrs);
    net_set_free(w->nets);
    if (w->blks) blk_graph_free(w->blks);
    objects_free(w->objs);
    loop_unlock(w->l);
    loop_free(w->l);
    close(w->qmp);
    close(w->hmp);
    free(w->buf);
    free(w);
    return 0;
}

/* --- QMP ---------------------------------------------------------------------------------------------------------------------- */

static void drain(struct world *w, int fd)
{
    char tmp[65536];
    ssize_t n;
    while ((n = recv(fd, tmp, sizeof tmp, MSG_DONTWAIT)) > 0) {
        w->buf = xrealloc(w->buf, w->len, w->len + (size_t)n + 1);
        memcpy(w->buf + w->len, tmp, (size_t)n);
        w->len += (size_t)n;
        w->buf[w->len] = 0;
    }
}

/* The next line; it stays valid until the next call. */
static char *line(struct world *w)
{
    static char *last;
    char *end;
    free(last);
    last = NULL;
    drain(w, w->qmp);
    while (!w->len || !(end = memchr(w->buf, '\n', w->len))) {
        loop_once(w->l, true);
        drain(w, w->qmp);
    }
    size_t n = (size_t)(end - w->buf) + 1;
    last = strndup(w->buf, n - 2);
    w->len -= n;
    memmove(w->buf, w->buf + n, w->len + 1);
    return last;
}

static void put_n(int fd, const char *s, size_t n)
{
    assert_int_equal(send(fd, s, n, 0), n);
}

static void put(int fd, const char *s)
{
    put_n(fd, s, strlen(s));
}

static const char *ask(struct world *w, const char *s)
{
    put(w->qmp, s);
    return line(w);
}

static void negotiate(struct world *w)
{
    assert_string_equal(line(w), "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}, \"package\": \"Lyrebird 0.1.0\"}, "
                                 "\"capabilities\": []}}");
    assert_string_equal(ask(w, "{\"execute\":\"query-status\",\"id\":1}"),
        "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Expecting capabilities negotiation with 'qmp_capabilities'\"}, \"id\": 1}");
    assert_non_null(strstr(ask(w, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}"), "GenericError"));
    assert_string_equal(ask(w, "{'execute':'qmp_capabilities','id':{'a':[1,\"\\u00e9\"]}}"), "{\"return\": {}, \"id\": {\"a\": [1, \"\\u00e9\"]}}");
}

static void test_rules(void **state)
{
    struct world *w = *state;
    negotiate(w);
    static const struct { const char *in, *class, *desc; } bad[] = {
        { "{\"execute\":\"qmp_capabilities\"}", "CommandNotFound", "Capabilities negotiation is already complete, command ignored" },
        { "{\"execute\":\"nope\"}", "CommandNotFound", "The command nope has not been found" },
        { "{\"execute\":\"info status\"}", "CommandNotFound", "The command info status has not been found" },
        { "[1]", "GenericError", "QMP input must be a JSON object" }, { "\"x\"", "GenericError", "QMP input must be a JSON object" },
        { "12 ", "GenericError", "QMP input must be a JSON object" }, { "{}", "GenericError", "QMP input lacks member 'execute'" },
        { "{\"execute\":5}", "GenericError", "QMP input member 'execute' must be a string" },
        { "{\"foo\":5}", "GenericError", "QMP input member 'foo' is unexpected" },
        { "{\"exec-oob\":\"stop\"}", "GenericError", "QMP input member 'exec-oob' is unexpected" },
        { "{\"execute\":\"stop\",\"arguments\":1}", "GenericError", "QMP input member 'arguments' must be an object" },
        { "{\"execute\":\"query-name\",\"arguments\":{\"x\":1}}", "GenericError", "Parameter 'x' is unexpected" },
        { "{\"execute\":\"human-monitor-command\"}", "GenericError", "Parameter 'command-line' is missing" },
        { "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":5}}", "GenericError",
          "Invalid parameter type for 'command-line', expected: string" },
        { "{\"execute\":\"netdev_del\",\"arguments\":{\"id\":\"x\"}}", "DeviceNotFound", "Device 'x' not found" },
        { "{\"execute\":\"device-list-properties\",\"arguments\":{\"typename\":\"x\"}}", "DeviceNotFound", "Device 'x' not found" },
        { "{\"execute\":\"chardev-remove\",\"arguments\":{\"id\":\"x\"}}", "GenericError", "Chardev 'x' not found" },
        { "{\"execute\":\"query-balloon\"}", "DeviceNotActive", "No balloon device has been activated" },
        { "}", "GenericError", "JSON parse error, expecting value" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        char want[400];
        snprintf(want, sizeof want, "{\"error\": {\"class\": \"%s\", \"desc\": \"%s\"}}", bad[i].class, bad[i].desc);
        assert_string_equal(ask(w, bad[i].in), want);
    }
    assert_string_equal(ask(w, "{\"execute\":\"query-name\",\"id\":null}"), "{\"return\": {\"name\": \"vm\\u00e9\"}, \"id\": null}");
    assert_string_equal(ask(w, "{\"execute\":\"query-kvm\"}{\"execute\":\"query-mice\"}"), "{\"return\": {\"enabled\": false, \"present\": false}}");
    assert_string_equal(line(w), "{\"return\": []}");
    /* split anywhere */
    static const char split[] = " {\"execute\" : \"query-mice\", \"id\": \"a\\\"}{\" } ";
    for (size_t i = 0; i < sizeof split - 1; i++) {
        put_n(w->qmp, split + i, 1);
        while (loop_once(w->l, false)) continue;
    }
    assert_string_equal(line(w), "{\"return\": [], \"id\": \"a\\\"}{\"}");
}

static unsigned rnd(uint32_t *s)
{
    *s = *s * 1664525 + 1013904223;
    return *s >> 16;
}

/* Whatever comes, the next valid command after a newline and the reset byte is answered. */
static void test_garbage(void **state)
{
    struct world *w = *state;
    negotiate(w);
    static const char *const junk[] = {
        "{ \"a: 1 }\n", "}}}}\n", "[[[[\n\xff", "nonsense\n", "{\"execute\": nonsense}\n", "{\"execute\":\"query-mice\"\n\xff", "\"abc\n", "\x01\x02\n",
        "{\"a\":\"\xc3(\"}\n", "{\"a\":1e999999}\n", "{\"id\":99999999999999999999999}\n", "\\u0000\n", "{\"\\u0000\":1}\n", "-\n", "{,}\n",
        "{\"a\" 1}\n", "\xff\xff\xff", "//\n",
    };
    for (unsigned i = 0; i < ARRAY_LEN(junk); i++) {
        put(w->qmp, junk[i]);
        const char *l = ask(w, "{\"execute\":\"query-mice\",\"id\":\"after\"}\n");
        while (!strstr(l, "\"after\"")) {
            assert_non_null(strstr(l, "\"error\""));
            l = line(w);
        }
        assert_string_equal(l, "{\"return\": [], \"id\": \"after\"}");
    }
    uint32_t seed = 1;
    static const char alphabet[] = "{}[]\"':,\\ \n\r\t0123eE.-+truefalsn\xff\x80u/*x";
    for (unsigned round = 0; round < 300; round++) {
        char buf[200];
        size_t n = rnd(&seed) % sizeof buf;
        for (size_t i = 0; i < n; i++) buf[i] = alphabet[rnd(&seed) % (sizeof alphabet - 1)];
        put_n(w->qmp, buf, n);
        const char *l = ask(w, "\xff\n{\"execute\":\"query-mice\",\"id\":\"after\"}\n");
        while (!strstr(l, "\"after\"")) l = line(w);
        assert_string_equal(l, "{\"return\": [], \"id\": \"after\"}");
    }
}

static void test_limits(void **state)
{
    struct mon_framer f = { 0 };
    bool again;
    int rc = 0;
    for (unsigned i = 0; i <= MON_JSON_DEPTH && !rc; i++) rc = mon_framer_byte(&f, '[', &again);
    assert_int_equal(rc, -1);
    assert_string_equal(f.error, "JSON nesting depth limit exceeded");
    assert_int_equal(mon_framer_byte(&f, '\n', &again), 0);
    rc = mon_framer_byte(&f, '"', &again);
    for (unsigned i = 0; i <= MON_JSON_MAX && !rc; i++) rc = mon_framer_byte(&f, 'x', &again);
    assert_int_equal(rc, -1);
    assert_string_equal(f.error, "JSON token size limit exceeded");
    free(f.buf);
    /* a client that asks and does not read is not read from */
    struct world *w = *state;
    negotiate(w);
    static const char q[] = "{\"execute\":\"query-qmp-schema\"}";
    size_t sent = 0;
    for (unsigned i = 0; i < 100000; i++) {
        ssize_t n = send(w->qmp, q, sizeof q - 1, MSG_DONTWAIT);
        if (n == sizeof q - 1)
            sent++;
        else if (!loop_once(w->l, false))
            break;
        assert_true(n <= 0 || n == sizeof q - 1);
    }
    assert_true(sent < 100000);
    for (size_t i = 0; i < sent; i++) assert_int_equal(strncmp(line(w), "{\"return\": [{", 13), 0);
}

static void test_schema(void **state)
{
    struct world *w = *state;
    negotiate(w);
    struct json_object *o = json_tokener_parse(ask(w, "{\"execute\":\"query-qmp-schema\"}")), *list = json_object_object_get(o, "return");
    unsigned commands = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *t = json_object_array_get_idx(list, i), *arg;
        if (strcmp(json_object_get_string(json_object_object_get(t, "meta-type")), "command")) continue;
        commands++;
        assert_true(json_object_object_get_ex(t, "arg-type", &arg)); /* each type that is named is there */
        bool found = false;
        for (size_t k = 0; k < json_object_array_length(list) && !found; k++)
            found = !strcmp(json_object_get_string(json_object_object_get(json_object_array_get_idx(list, k), "name")), json_object_get_string(arg));
        assert_true(found);
    }
    json_object_put(o);
    o = json_tokener_parse(ask(w, "{\"execute\":\"query-commands\"}"));
    assert_int_equal(json_object_array_length(json_object_object_get(o, "return")), commands);
    json_object_put(o);
    assert_non_null(strstr(ask(w, "{\"execute\":\"query-machines\"}"), "\"name\": \"virt\""));
    assert_non_null(strstr(ask(w, "{\"execute\":\"qom-list-types\",\"arguments\":{\"implements\":\"accel\"}}"), "\"tcg-accel\""));
    assert_non_null(strstr(ask(w, "{\"execute\":\"query-target\"}"), "\"riscv64\""));
}

/* --- back ends ------------------------------------------------------------------------------------------------------------------ */

static void test_back_ends(void **state)
{
    struct world *w = *state;
    negotiate(w);
    assert_string_equal(ask(w, "{\"execute\":\"chardev-add\",\"arguments\":{\"id\":\"r\",\"backend\":{\"type\":\"ringbuf\",\"data\":{\"size\":16}}}}"),
                        "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"ringbuf-write\",\"arguments\":{\"device\":\"r\",\"data\":\"aGVsbG8=\",\"format\":\"base64\"}}"), "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"r\",\"size\":4}}"), "{\"return\": \"hell\"}");
    assert_string_equal(ask(w, "{\"execute\":\"ringbuf-read\",\"arguments\":{\"device\":\"r\",\"size\":4,\"format\":\"base64\"}}"), "{\"return\": \"bw==\"}");
    assert_non_null(strstr(ask(w, "{\"execute\":\"ringbuf-write\",\"arguments\":{\"device\":\"r\",\"data\":\"a\",\"format\":\"base64\"}}"), "GenericError"));
    assert_non_null(strstr(ask(w, "{\"execute\":\"query-chardev\"}"), "{\"frontend-open\": false, \"filename\": \"ringbuf\", \"label\": \"r\"}"));
    assert_string_equal(ask(w, "{\"execute\":\"chardev-remove\",\"arguments\":{\"id\":\"r\"}}"), "{\"return\": {}}");
    assert_non_null(strstr(ask(w, "{\"execute\":\"chardev-remove\",\"arguments\":{\"id\":\"q\"}}"), "is busy"));
    assert_string_equal(ask(w, "{\"execute\":\"netdev_add\",\"arguments\":{\"type\":\"user\",\"id\":\"n\",\"restrict\":true}}"), "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info network\"}}"),
                        "{\"return\": \"n: index=0,type=user,net=10.0.2.0,restrict=on\\r\\n\"}");
    assert_string_equal(ask(w, "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"n\",\"up\":false}}"), "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"netdev_del\",\"arguments\":{\"id\":\"n\"}}"), "{\"return\": {}}");
    /* a descriptor that came along */
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    static char get[] = "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"f\"}}";
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(int))]; } ctl = { 0 };
    struct iovec iov = { get, sizeof get - 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.space, .msg_controllen = sizeof ctl.space };
    *CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &p[0], sizeof(int));
    assert_int_equal(sendmsg(w->qmp, &m, 0), sizeof get - 1);
    close(p[0]);
    assert_string_equal(line(w), "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"chardev-add\",\"arguments\":{\"id\":\"s\",\"backend\":{\"type\":\"socket\",\"data\":{\"server\":false,"
                               "\"addr\":{\"type\":\"fd\",\"data\":{\"str\":\"f\"}}}}}}"), "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"chardev-remove\",\"arguments\":{\"id\":\"s\"}}"), "{\"return\": {}}");
    char c;
    assert_int_equal(recv(p[1], &c, 1, 0), 0); /* it was that one */
    close(p[1]);
    assert_non_null(strstr(ask(w, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"g\"}}"), "No file descriptor supplied via SCM_RIGHTS"));
    assert_non_null(strstr(ask(w, "{\"execute\":\"closefd\",\"arguments\":{\"fdname\":\"f\"}}"), "GenericError"));
}

/* --- HMP ------------------------------------------------------------------------------------------------------------------------- */

static const char *hmp(struct world *w, const char *cmd)
{
    static struct mon_text t;
    static unsigned cpu;
    t.len = 0;
    mon_put(&t, "", 0);
    mon_hmp_line(w->s, cmd, &t, &cpu, NULL, NULL);
    return t.buf;
}

static void test_hmp(void **state)
{
    struct world *w = *state;
    static const struct { const char *cmd, *out; } rows[] = {
        { "", "" }, { "  # comment", "" }, { "foo", "unknown command: 'foo'\n" }, { "info foo", "unknown command: 'info foo'\n" },
        { "p 1+2*3", "0x7\n" }, { "p/x 255", "0xff\n" }, { "print /c 65", "'A'\n" }, { "p /d -5", "-5\n" }, { "p (1+2)*'a'", "0x123\n" },
        { "p ~0", "0xffffffffffffffff\n" }, { "p 0x10|1^3&2", "0x2\n" }, { "p 7%0", "division by zero\nTry \"help print\" for more information\n" },
        { "p (1", "')' expected\nTry \"help print\" for more information\n" }, { "p", "unexpected end of expression\nTry \"help print\" for more information\n" },
        { "p 1 2", "print: extraneous characters at the end of line\nTry \"help print\" for more information\n" },
        { "p -9223372036854775807-1/-1", "0x8000000000000002\n" }, { "xp /z 0", "invalid char in format: 'z'\nTry \"help xp\" for more information\n" },
        { "stop a", "stop: extraneous characters at the end of line\nTry \"help stop\" for more information\n" },
        { "help stop", "stop|s  -- stop emulation\n" }, { "? x", "x /fmt addr  -- virtual memory dump starting at 'addr'\n" },
        { "help info status", "info status  -- show the current VM status (running|paused)\n" }, { "help zzz", "unknown command\n" },
        { "set_link n0 maybe", "Expected 'on' or 'off'\nTry \"help set_link\" for more information\n" },
        { "set_link \"n0", "unterminated string\nTry \"help set_link\" for more information\n" },
        { "netdev_del \"a b\"", "Error: Device 'a b' not found\n" }, { "cpu 99", "invalid CPU index\n" }, { "xp 0", "Error: there is no CPU\n" },
        { "info status", "VM status: paused (prelaunch)\n" }, { "chardev-add null,id=z", "" }, { "chardev-remove z", "" },
        { "info version", "7.2.0 (Lyrebird)\n" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) assert_string_equal(hmp(w, rows[i].cmd), rows[i].out);
    char deep[300] = "p ";
    memset(deep + 2, '(', 290);
    assert_non_null(strstr(hmp(w, deep), "nested too deeply"));
    assert_non_null(strstr(hmp(w, "help"), "\nquit|q  -- quit the emulator\n"));
    assert_non_null(strstr(hmp(w, "info"), "info chardev  -- show"));
}

static void entered(void *ctx, const char *l)
{
    snprintf(ctx, 100, "%s", l);
}

static void words(void *ctx, const char *l, void (*fn)(void *to, const char *word), void *to)
{
    static const char *const w[] = { "stop", "status", "cont" };
    const char *last = strrchr(l, ' ');
    last = last ? last + 1 : l;
    for (unsigned i = 0; i < 3; i++)
        if (!strncmp(w[i], last, strlen(last))) fn(to, w[i]);
}

static void test_line(void **state)
{
    struct mon_text out = { 0 };
    char got[100] = "";
    static struct mon_line l;
    l = (struct mon_line){ .out = &out, .enter = entered, .complete = words, .ctx = got };
    static const struct { const char *keys, *line; } rows[] = {
        { "abc\r", "abc" }, { "ac\002b\r", "abc" }, { "xbc\001\004a\r", "abc" }, { "abcd\177\n", "abc" }, { "bc\033[Ha\033[Fd\033[D\033[3~\r", "abc" },
        { "one two\027x\r", "one x" }, { "abc\025x\r", "x" }, { "abc\002\002\013\r", "a" }, { "\020\r", "a" }, { "\033[A\033[A\r", "x" },
        { "new\033OA\033OB\r", "new" }, { "junk\003ok\r", "ok" }, { "c\t\r", "cont " }, { "sto\t1\r", "stop 1" }, { "s\t\r", "st" }, { "s\t\t\r", "st" },
        { "\t\033[999999999999z\033\033[\001\r", "" }, { "a\r\nb\r", "b" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        mon_line_prompt(&l);
        for (const char *k = rows[i].keys; *k; k++) {
            mon_line_byte(&l, (uint8_t)*k);
            if (*k == '\r' && k[1]) mon_line_prompt(&l);
        }
        assert_string_equal(got, rows[i].line);
    }
    uint32_t seed = 7;
    mon_line_prompt(&l);
    for (unsigned i = 0; i < 200000; i++) { /* any bytes: bounded */
        mon_line_byte(&l, (uint8_t)(rnd(&seed) % 3 ? 'a' + rnd(&seed) % 26 : rnd(&seed)));
        assert_true(l.pos <= l.len && l.len < sizeof l.text);
        out.len = 0;
    }
    mon_line_done(&l);
    free(out.buf);
}

static void expect(struct world *w, int fd, const char *text)
{
    drain(w, fd);
    while (!w->buf || !strstr(w->buf, text)) {
        loop_once(w->l, true);
        drain(w, fd);
    }
    w->len = 0;
    w->buf[0] = 0;
}

static void test_session(void **state)
{
    struct world *w = *state;
    expect(w, w->hmp, "QEMU 7.2.0 monitor - type 'help' for more information\r\n(qemu) ");
    put(w->hmp, "info version\n");
    expect(w, w->hmp, "info version\r\n7.2.0 (Lyrebird)\r\n(qemu) ");
    put(w->hmp, "info hist\t\r");
    expect(w, w->hmp, "0: 'info version'\r\n1: 'info history '\r\n(qemu) ");
}

/* --- a machine ---------------------------------------------------------------------------------------------------------------------- */

static void test_machine(void **state)
{
    struct world *w = *state;
    negotiate(w);
    assert_string_equal(ask(w, "{\"execute\":\"query-status\"}"), "{\"return\": {\"status\": \"prelaunch\", \"singlestep\": false, \"running\": false}}");
    assert_non_null(strstr(ask(w, "{\"execute\":\"cont\"}"), "\"event\": \"RESUME\"}"));
    assert_string_equal(line(w), "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"query-status\"}"), "{\"return\": {\"status\": \"running\", \"singlestep\": false, \"running\": true}}");
    assert_non_null(strstr(hmp(w, "info registers -a"), "CPU#1\n pc"));
    assert_string_equal(hmp(w, "xp /2xb 0x100000000000"), "0000100000000000: Cannot access memory\n");
    uint8_t ram[8] = { 0x13, 0, 0, 0, 0x78, 0x56, 0x34, 0x12 };
    assert_int_equal(space_write(w->m->b.space, 0x80100000, ram, 8, true), 8);
    assert_string_equal(hmp(w, "xp /2xw 0x80100000"), "0000000080100000: 0x00000013 0x12345678\n");
    assert_string_equal(hmp(w, "xp /1xg 0x80100000"), "0000000080100000: 0x1234567800000013\n");
    assert_string_equal(hmp(w, "xp /2db 0x80100004"), "0000000080100004:  120   86\n");
    assert_string_equal(hmp(w, "x /1xw 0x80100004"), "0000000080100004: 0x12345678\n"); /* no paging: the same */
    assert_string_equal(hmp(w, "xp /2c 0x80100004"), "0000000080100004: 'x' 'V'\n");
    assert_non_null(strstr(hmp(w, "xp /1i 0x80100000"), "nop"));
    assert_non_null(strstr(hmp(w, "info mtree"), "address-space: "));
    assert_non_null(strstr(hmp(w, "info qtree"), "dev: "));
    assert_non_null(strstr(hmp(w, "info cpus"), "* CPU #0: thread_id="));
    assert_string_equal(hmp(w, "p $zero"), "0\n");
    assert_string_equal(hmp(w, "p $nope"), "unknown register\nTry \"help print\" for more information\n");
    assert_non_null(strstr(ask(w, "{\"execute\":\"stop\"}"), "\"event\": \"STOP\"}"));
    assert_string_equal(line(w), "{\"return\": {}}");
    assert_string_equal(ask(w, "{\"execute\":\"system_reset\"}"), "{\"return\": {}}");
    assert_non_null(strstr(line(w), "\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": \"host-qmp-system-reset\"}}"));
    assert_string_equal(ask(w, "{\"execute\":\"system_powerdown\"}"), "{\"return\": {}}");
    assert_non_null(strstr(line(w), "\"event\": \"POWERDOWN\"}"));
    struct json_object *o = json_tokener_parse(ask(w, "{\"execute\":\"query-cpus-fast\"}"));
    assert_int_equal(json_object_array_length(json_object_object_get(o, "return")), 2);
    json_object_put(o);
    assert_string_equal(ask(w, "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/machine\",\"property\":\"type\"}}"), "{\"return\": \"virt-machine\"}");
    assert_string_equal(ask(w, "{\"execute\":\"quit\",\"id\":9}"), "{\"return\": {}, \"id\": 9}");
    assert_non_null(strstr(line(w), "\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": \"host-qmp-quit\"}}"));
    loop_unlock(w->l);
    assert_int_equal(loop_run(w->l), 0); /* it was told to stop */
    loop_lock(w->l);
}

/* Screens and VNC: asked for by both monitors; a VNC server that listens nowhere. */
static void test_display(void **state)
{
    struct world *w = *state;
    char dir[] = "/tmp/lyre-mon-XXXXXX", text[160];
    assert_non_null(mkdtemp(dir));
    negotiate(w);
    assert_string_equal(ask(w, "{\"execute\":\"query-vnc\"}"), "{\"return\": {\"enabled\": true, \"clients\": [], \"auth\": \"vnc\"}}");
    assert_string_equal(hmp(w, "info vnc"), "default:\n  Auth: vnc (Sub: none)\n");
    assert_string_equal(ask(w, "{\"execute\":\"set_password\",\"arguments\":{\"protocol\":\"vnc\",\"password\":\"x\"}}"), "{\"return\": {}}");
    assert_non_null(strstr(ask(w, "{\"execute\":\"set_password\",\"arguments\":{\"protocol\":\"spice\",\"password\":\"x\"}}"), "GenericError"));
    assert_non_null(strstr(ask(w, "{\"execute\":\"set_password\",\"arguments\":{\"protocol\":\"vnc\",\"password\":\"x\",\"display\":\"b\"}}"), "GenericError"));
    assert_string_equal(ask(w, "{\"execute\":\"expire_password\",\"arguments\":{\"protocol\":\"vnc\",\"time\":\"+60\"}}"), "{\"return\": {}}");
    assert_non_null(strstr(ask(w, "{\"execute\":\"expire_password\",\"arguments\":{\"protocol\":\"vnc\",\"time\":\"soon\"}}"), "GenericError"));
    assert_string_equal(hmp(w, "change vnc password geheim"), "");
    assert_non_null(strstr(hmp(w, "screendump /nowhere/x.ppm"), "no console"));
    struct console *con = console_new(w->m->b.display, "gpu", 0, NULL, NULL);
    console_resize(con, 2, 1);
    console_surface(con)->pixels[1] = 0x414243;
    assert_non_null(strstr(hmp(w, "screendump /nowhere/x.ppm"), "No such file"));
    snprintf(text, sizeof text, "screendump %s/x", dir);
    assert_string_equal(hmp(w, text), "");
    snprintf(text, sizeof text, "screendump %s/y -f png", dir);
    assert_string_equal(hmp(w, text), "");
    snprintf(text, sizeof text, "%s/x", dir);
    char got[32] = { 0 };
    FILE *f = fopen(text, "rb");
    assert_int_equal(fread(got, 1, sizeof got, f), 17);
    assert_memory_equal(got, "P6\n2 1\n255\n\0\0\0ABC", 17);
    fclose(f);
    unlink(text);
    snprintf(text, sizeof text, "%s/y", dir);
    f = fopen(text, "rb");
    assert_int_equal(fread(got, 1, sizeof got, f), sizeof got);
    assert_memory_equal(got, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\2\0\0\0\1\b\2", 26);
    fclose(f);
    unlink(text);
    rmdir(dir);
    console_free(con);
}

/* --- every command with any arguments ------------------------------------------------------------------------------------------- */

static uint64_t pick(uint64_t *s, uint64_t n)
{
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return (*s >> 11) % n;
}

static struct json_object *any(uint64_t *s, char type, unsigned depth)
{
    static const char *const words[] = { "", "d", "q", "n0", "t0", "tg", "io", "/machine", "/objects/tg", "/machine/peripheral/d", "full", "raw", "null-co", "nbd", "x",
        "virtio-rng-device", "virtio-blk-pci", "pcie-root-port", "throttle-group", "iothread", "secret", "/nowhere/x", "limits", "type", "nix\xc3\xa9", "-1", "none", "hard",
        "blockdev-snapshot-sync", "abort", "null", "inet", "unix" };
    static const char *const keys[] = { "type", "data", "id", "driver", "node-name", "file", "backing", "limits", "bps-total", "iops-read", "addr", "bus", "drive", "path", "host",
        "port", "qom-type", "out", "size", "device", "snapshot-file", "read-only", "cache", "discard", "throttle-group", "backend", "capability", "state" };
    static const int64_t numbers[] = { 0, 1, -1, 512, 4096, 1 << 20, INT32_MAX, INT64_MAX, INT64_MIN, 1ll << 50 };
    struct json_object *o;
    if (type == 'a' || !pick(s, 12)) type = "snbol0"[pick(s, 6)];
    switch (type) {
    case 'n': return json_object_new_int64(numbers[pick(s, ARRAY_LEN(numbers))]);
    case 'b': case '-': return json_object_new_boolean((int)pick(s, 2));
    case '0': return NULL;
    case 'l':
        o = json_object_new_array();
        for (uint64_t n = depth < 3 ? pick(s, 4) : 0; n; n--) json_object_array_add(o, any(s, pick(s, 2) ? 'o' : 'a', depth + 1));
        return o;
    case 'o':
        o = json_object_new_object();
        for (uint64_t n = depth < 3 ? pick(s, 6) : 0; n; n--) json_object_object_add(o, keys[pick(s, ARRAY_LEN(keys))], any(s, 'a', depth + 1));
        return o;
    default: return json_object_new_string(words[pick(s, ARRAY_LEN(words))]);
    }
}

/* An answer to each, and the machine is still there. What ends it is left out, and what could listen or wait. */
static void test_any(void **state)
{
    struct world *w = *state;
    static const char *const not[] = { "quit", "qmp_capabilities", "system_reset", "system_powerdown", "watchdog-set-action", "set-action" };
    const char *seed_text = getenv("MONITOR_SEED");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) | 1 : 0x9e3779b97f4a7c15ull;
    char dir[] = "/tmp/lyre-any-XXXXXX", cmd[64];
    int here = open(".", O_PATH | O_DIRECTORY); /* commands write files */
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    negotiate(w);
    ask(w, "{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"null-co\",\"node-name\":\"n0\"}}");
    ask(w, "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"throttle-group\",\"id\":\"tg\"}}");
    for (unsigned round = 0; round < 4000; round++) {
        const struct mon_cmd *all[1024], *c;
        unsigned n = 0;
        bool skip = false;
        for (const struct mon_table *const *t = mon_table_registry; *t; t++)
            for (c = (*t)->cmds; c < (*t)->cmds + (*t)->count && n < ARRAY_LEN(all); c++)
                if (c->where & MC_QMP) all[n++] = c;
        c = all[pick(&seed, n)];
        for (unsigned i = 0; i < ARRAY_LEN(not); i++) skip |= !strcmp(not[i], c->name);
        if (skip) continue;
        struct json_object *args = json_object_new_object(), *o = json_object_new_object();
        struct mon_arg a;
        for (const char *t = c->args; mon_arg_next(&t, &a);)
            if (a.type != '*' && a.type != '/' && (!a.optional || !pick(&seed, 3)) && pick(&seed, 30)) json_object_object_add(args, a.name, any(&seed, a.type, 0));
        if (!pick(&seed, 10)) json_object_object_add(args, "extra", any(&seed, 'a', 0));
        json_object_object_add(o, "execute", json_object_new_string(c->name));
        json_object_object_add(o, "arguments", args);
        json_object_object_add(o, "id", json_object_new_int((int)round));
        const char *text = json_object_to_json_string(o);
        put_n(w->qmp, text, strlen(text));
        char id[32];
        snprintf(id, sizeof id, "\"id\": %u}", round);
        for (const char *l = ""; !strstr(l, id);) l = line(w);
        json_object_put(o);
    }
    assert_non_null(strstr(ask(w, "{\"execute\":\"query-status\"}"), "\"return\""));
    assert_int_equal(fchdir(here), 0);
    close(here);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_rules), T(test_garbage), T(test_limits), T(test_schema), T(test_back_ends), T(test_hmp), cmocka_unit_test(test_line), T(test_session),
        cmocka_unit_test_setup_teardown(test_machine, set_up_machine, tear_down),
        cmocka_unit_test_setup_teardown(test_display, set_up_machine, tear_down),
        cmocka_unit_test_setup_teardown(test_any, set_up_machine, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
