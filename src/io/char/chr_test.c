/* chr_test.c: character devices: sockets, telnet, files, pty, mux, legacy spellings, flow control both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "io/char/chr.h"

struct front {
    struct chr_fe *fe;
    char got[8192], events[64];
    size_t len, room; /* room: SIZE_MAX = any */
    bool detach_in_recv;
    unsigned writable;
};

struct world {
    struct loop *l;
    struct chr_set *s;
    char dir[64], said[512];
    bool quit;
    struct err e;
};

static size_t fr_can_recv(void *ctx)
{
    struct front *f = ctx;
    return MIN(f->room, sizeof f->got - 1 - f->len);
}

static void fr_recv(void *ctx, const uint8_t *buf, size_t len)
{
    struct front *f = ctx;
    assert_true(len > 0 && len <= f->room);
    memcpy(f->got + f->len, buf, len);
    f->len += len;
    if (f->room != SIZE_MAX) f->room -= len;
    if (f->detach_in_recv) {
        chr_detach(f->fe);
        f->fe = NULL;
    }
}

static void fr_event(void *ctx, enum chr_event ev)
{
    struct front *f = ctx;
    size_t n = strlen(f->events);
    if (n + 1 < sizeof f->events) f->events[n] = "OCBio"[ev];
}

static void fr_writable(void *ctx)
{
    ((struct front *)ctx)->writable++;
}
static const struct chr_client front = { fr_can_recv, fr_recv, fr_event, fr_writable };

static void say(void *ctx, const char *line)
{
    struct world *w = ctx;
    snprintf(w->said, sizeof w->said, "%s", line);
}

static void quit(void *ctx)
{
    ((struct world *)ctx)->quit = true;
}

static int set_up(void **state)
{
    struct world *w = xalloc(sizeof *w);
    w->l = loop_new(&w->e);
    loop_lock(w->l);
    struct chr_host h = { .quit = quit, .say = say, .ctx = w };
    w->s = chr_set_new(w->l, &h);
    strcpy(w->dir, "/tmp/chr_test.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    chr_set_free(w->s);
    loop_unlock(w->l);
    loop_free(w->l);
    assert_int_equal(rmdir(w->dir), 0); /* everything was cleaned up */
    free(w);
    return 0;
}

static struct chr *make(struct world *w, const char *fmt, ...)
{
    char text[512];
    struct chr *c = NULL;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (chr_new_text(w->s, text, &c, &w->e)) print_message("%s: %s\n", text, w->e.msg);
    return c;
}

static void attach(struct world *w, struct front *f, struct chr *c)
{
    *f = (struct front){ .room = SIZE_MAX };
    f->fe = chr_attach(c, &front, f, &w->e);
    assert_non_null(f->fe);
}

#define UNTIL(cond) do { while (!(cond)) loop_once(w->l, true); } while (0)
static void settle(struct world *w)
{
    while (loop_once(w->l, false)) continue;
}

static int connect_unix(const char *dir, const char *name)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    snprintf(un.sun_path, sizeof un.sun_path, "%s/%s", dir, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (struct sockaddr *)&un, sizeof un) ? -1 : fd;
}

static void expect_read(int fd, const char *text)
{
    char buf[256];
    size_t want = strlen(text), got = 0;
    while (got < want) {
        ssize_t n = read(fd, buf + got, want - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_memory_equal(buf, text, want);
}

/* --- no back end ------------------------------------------------------------------------------------------------------------- */

static void test_nothing(void **state)
{
    struct world *w = *state;
    assert_null(chr_attach(NULL, &front, NULL, &w->e));
    assert_int_equal(chr_write(NULL, "abc", 3), 3);
    assert_false(chr_fe_connected(NULL));
    chr_accept_input(NULL);
    chr_detach(NULL);
    struct front f, g = { 0 };
    attach(w, &f, make(w, "null,id=n"));
    UNTIL(f.events[0]);
    assert_string_equal(f.events, "O");
    assert_int_equal(chr_write(f.fe, "abc", 3), 3);
    assert_null(chr_attach(chr_find(w->s, "n"), &front, &g, &w->e));
    assert_int_equal(chr_remove(w->s, "n", &w->e), -EBUSY);
    chr_detach(f.fe);
    assert_int_equal(chr_remove(w->s, "n", &w->e), 0);
    assert_null(chr_find(w->s, "n"));
}

static void test_errors(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {
        "", "nothing,id=x", "null", "null,id=1x", "null,id=a b", "socket,id=x", "socket,id=x,path=/nonexistent/dir/s,server=on,wait=off",
        "socket,id=x,path=/nonexistent/s", "file,id=x", "file,id=x,path=/nonexistent/f", "null,id=x,bogus=1", "ringbuf,id=x,size=3",
        "ringbuf,id=x,size=1T", "mux,id=x,chardev=y", "socket,id=x,fd=zzz,server=on", "socket,id=x,fd=9999", "pipe,id=x,path=/nonexistent/p",
        "socket,id=x,path=/tmp/x,server=on,reconnect=1", "socket,id=x,path=/tmp/x,server=maybe", "serial,id=x,path=/dev/null", "udp,id=x",
        "stdio,id=x,signal=2", "{\"backend\":\"null\"", "null,id=x,mux=perhaps",
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct chr *c;
        w->e.msg[0] = 0;
        assert_true(chr_new_text(w->s, bad[i], &c, &w->e) < 0);
        assert_null(c);
        assert_true(strlen(w->e.msg) > 5);
        assert_null(chr_next(w->s, NULL));
    }
}

/* --- sockets ------------------------------------------------------------------------------------------------------------------ */

static void test_unix_server(void **state)
{
    struct world *w = *state;
    struct front f;
    char name[256];
    struct chr *c = make(w, "socket,id=s,path=%s/s,server,nowait", w->dir);
    assert_non_null(c);
    snprintf(name, sizeof name, "disconnected:unix:%s/s,server=on", w->dir);
    assert_string_equal(chr_name(c), name);
    attach(w, &f, c);
    settle(w);
    assert_false(chr_fe_connected(f.fe));
    assert_int_equal(chr_write(f.fe, "lost", 4), 4);
    int fd = connect_unix(w->dir, "s");
    UNTIL(chr_fe_connected(f.fe));
    assert_string_equal(f.events, "O");
    assert_string_equal(chr_name(c), name + strlen("disconnected:"));
    chr_write(f.fe, "hello", 5);
    expect_read(fd, "hello");
    f.room = 3; /* takes three, then two more */
    assert_int_equal(write(fd, "abcde", 5), 5);
    UNTIL(f.len == 3);
    settle(w);
    assert_int_equal(f.len, 3);
    close(fd); /* what was sent before is not lost */
    f.room = SIZE_MAX;
    chr_accept_input(f.fe);
    UNTIL(!chr_fe_connected(f.fe));
    assert_string_equal(f.got, "abcde");
    fd = connect_unix(w->dir, "s"); /* the next one */
    UNTIL(chr_fe_connected(f.fe));
    assert_int_equal(write(fd, "!", 1), 1);
    UNTIL(f.len == 6);
    chr_disconnect(f.fe);
    UNTIL(!chr_fe_connected(f.fe));
    assert_string_equal(f.events, "OCOC");
    close(fd);
}

static void test_backpressure(void **state)
{
    struct world *w = *state;
    struct front f;
    static char big[1 << 20], back[1 << 20];
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)(i * 7 ^ i >> 8);
    attach(w, &f, make(w, "socket,id=s,path=%s/s,server=on,wait=off", w->dir));
    int fd = connect_unix(w->dir, "s");
    UNTIL(chr_fe_connected(f.fe));
    size_t sent = 0, got = 0;
    unsigned shorts = 0;
    while (got < sizeof big) {
        size_t n = chr_write(f.fe, big + sent, sizeof big - sent);
        sent += n;
        assert_true(chr_pending(f.fe) <= CHR_QUEUE);
        if (sent < sizeof big) shorts++;
        unsigned before = f.writable;
        while (sent < sizeof big ? f.writable == before : got < sizeof big) {
            ssize_t r = recv(fd, back + got, sizeof back - got, MSG_DONTWAIT);
            if (r > 0) got += (size_t)r;
            loop_once(w->l, false);
        }
    }
    assert_true(shorts > 0);
    assert_memory_equal(big, back, sizeof big);
    chr_write_all(f.fe, big, sizeof big); /* waits as a whole */
    for (got = 0; got < sizeof big; loop_once(w->l, false)) {
        ssize_t r = recv(fd, back + got, sizeof back - got, MSG_DONTWAIT);
        if (r > 0) got += (size_t)r;
    }
    assert_memory_equal(big, back, sizeof big);
    chr_write_all(f.fe, big, sizeof big);
    close(fd); /* the queue goes with the client */
    UNTIL(!chr_fe_connected(f.fe));
    assert_int_equal(chr_pending(f.fe), 0);
}

static void test_detach_inside(void **state)
{
    struct world *w = *state;
    struct front f;
    attach(w, &f, make(w, "socket,id=s,path=%s/s,server=on,wait=off", w->dir));
    int fd = connect_unix(w->dir, "s");
    UNTIL(chr_fe_connected(f.fe));
    f.detach_in_recv = true;
    assert_int_equal(write(fd, "x", 1), 1);
    UNTIL(!f.fe);
    settle(w);
    assert_int_equal(chr_remove(w->s, "s", &w->e), 0);
    settle(w);
    close(fd);
}

static void test_fds(void **state)
{
    struct world *w = *state;
    struct front f;
    int fd[3], p[2];
    attach(w, &f, make(w, "socket,id=s,path=%s/s,server=on,wait=off", w->dir));
    fd[0] = connect_unix(w->dir, "s");
    assert_int_equal(pipe(p), 0);
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(int))]; } ctl = { 0 };
    struct iovec iov = { (void *)"m", 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.space, .msg_controllen = sizeof ctl.space };
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    *h = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
    memcpy(CMSG_DATA(h), &p[1], sizeof(int));
    assert_int_equal(sendmsg(fd[0], &m, 0), 1);
    UNTIL(f.len == 1);
    assert_int_equal(chr_take_fds(f.fe, &fd[1], 1), 1);
    assert_int_equal(write(fd[1], "via", 3), 3);
    expect_read(p[0], "via");
    assert_int_equal(chr_take_fds(f.fe, &fd[2], 1), 0);
    close(fd[0]);
    close(fd[1]);
    close(p[0]);
    close(p[1]);
}

static int connect_tcp(struct chr *c)
{
    const char *port = strchr(strstr(chr_name(c), "127."), ':') + 1;
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

static void test_telnet(void **state)
{
    struct world *w = *state;
    struct front f;
    struct chr *c;
    assert_int_equal(chr_legacy(w->s, "telnet:127.0.0.1:0,server,nowait", "serial0", &c, NULL, &w->e), 0);
    assert_int_equal(strncmp(chr_name(c), "disconnected:telnet:127.0.0.1:", 30), 0);
    attach(w, &f, c);
    int fd = connect_tcp(c);
    UNTIL(chr_fe_connected(f.fe));
    expect_read(fd, "\xff\xfb\x01\xff\xfb\x03\xff\xfb");
    char rest[4];
    assert_int_equal(recv(fd, rest, 4, MSG_WAITALL), 4);
    assert_memory_equal(rest, "\0\xff\xfd\0", 4);
    static const char in[] = "a\xff\xfd\x01" "b\xff\xff" "c\xff\xf3" "d\xff\xfa\x18\xff\xff\x01\xff\xf0" "e";
    for (size_t i = 0; i < sizeof in - 1; i++) { /* split anywhere */
        assert_int_equal(send(fd, in + i, 1, 0), 1);
        settle(w);
    }
    UNTIL(f.len >= 6);
    assert_string_equal(f.got, "ab\xff" "cde");
    assert_string_equal(f.events, "OB");
    chr_write(f.fe, "x\xffy", 3);
    expect_read(fd, "x\xff\xffy");
    assert_non_null(strstr(chr_name(c), ",server=on <-> 127.0.0.1:"));
    close(fd);
}

static void test_reconnect(void **state)
{
    struct world *w = *state;
    struct front f;
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct chr *c = make(w, "socket,id=s,path=%s/later,reconnect-ms=1", w->dir);
    assert_non_null(c);
    attach(w, &f, c);
    settle(w);
    snprintf(un.sun_path, sizeof un.sun_path, "%s/later", w->dir);
    int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(l, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(l, 1), 0);
    for (int i = 0; i < 3; i++) {
        UNTIL(chr_fe_connected(f.fe));
        int fd = accept(l, NULL, NULL);
        assert_true(fd >= 0);
        chr_write(f.fe, "hi", 2);
        expect_read(fd, "hi");
        close(fd);
        UNTIL(!chr_fe_connected(f.fe));
    }
    close(l);
    unlink(un.sun_path);
}

/* A listening descriptor from outside, as libvirt passes it. */
static void test_listen_fd(void **state)
{
    struct world *w = *state;
    struct front f;
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    snprintf(un.sun_path, sizeof un.sun_path, "%s/fd", w->dir);
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(l, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(l, 1), 0);
    int fd = connect_unix(w->dir, "fd"); /* before anybody accepts */
    attach(w, &f, make(w, "socket,id=s,fd=%d,server=on,wait=off", l));
    UNTIL(chr_fe_connected(f.fe));
    close(fd);
    UNTIL(!chr_fe_connected(f.fe));
    unlink(un.sun_path);
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    attach(w, &f, make(w, "socket,id=t,fd=%d", p[0]));
    UNTIL(chr_fe_connected(f.fe));
    assert_int_equal(write(p[1], "z", 1), 1);
    UNTIL(f.len == 1);
    close(p[1]);
}

static void test_udp(void **state)
{
    struct world *w = *state;
    struct front f;
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    char buf[16];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    getsockname(fd, (struct sockaddr *)&in, &len);
    attach(w, &f, make(w, "udp,id=u,host=127.0.0.1,port=%d", ntohs(in.sin_port)));
    chr_write(f.fe, "ping", 4);
    assert_int_equal(recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&in, &len), 4);
    f.room = 2;
    assert_int_equal(sendto(fd, "pong", 4, 0, (struct sockaddr *)&in, len), 4);
    UNTIL(f.len == 2);
    settle(w);
    f.room = SIZE_MAX;
    chr_accept_input(f.fe);
    UNTIL(f.len == 4);
    assert_string_equal(f.got, "pong");
    close(fd);
}

/* --- files ------------------------------------------------------------------------------------------------------------------------ */

static void file_is(struct world *w, const char *name, const char *text)
{
    char path[128], buf[256] = "";
    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, buf, sizeof buf - 1) >= 0);
    assert_string_equal(buf, text);
    close(fd);
    unlink(path);
}

static void test_files(void **state)
{
    struct world *w = *state;
    struct front f;
    for (int i = 0; i < 3; i++) {
        attach(w, &f, make(w, "file,id=f%d,path=%s/out%s,logfile=%s/log,logappend=on", i, w->dir, i ? ",append=on" : "", w->dir));
        chr_printf(f.fe, "%d%s", i, i == 2 ? "." : ",");
    }
    file_is(w, "out", "0,1,2.");
    file_is(w, "log", "0,1,2.");
    char path[128];
    snprintf(path, sizeof path, "%s/p", w->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    attach(w, &f, make(w, "pipe,id=p,path=%s", path));
    int fd = open(path, O_WRONLY | O_NONBLOCK);
    assert_int_equal(write(fd, "fifo", 4), 4);
    UNTIL(f.len == 4);
    close(fd);
    unlink(path);
}

static void test_ringbuf(void **state)
{
    struct world *w = *state;
    struct front f;
    char buf[16] = "";
    size_t n;
    struct chr *c = make(w, "ringbuf,id=r,size=8");
    attach(w, &f, c);
    chr_write(f.fe, "0123456789", 10);
    assert_int_equal(chr_ringbuf_read(c, buf, 3, &n, &w->e), 0);
    assert_string_equal(buf, "234");
    assert_int_equal(chr_ringbuf_read(c, buf, sizeof buf, &n, &w->e), 0);
    assert_int_equal(n, 5);
    assert_memory_equal(buf, "56789", 5);
    assert_int_equal(chr_ringbuf_read(make(w, "null,id=n"), buf, 1, &n, &w->e), -EINVAL);
}

static void test_pty(void **state)
{
    struct world *w = *state;
    struct front f;
    struct chr *c;
    assert_int_equal(chr_legacy(w->s, "pty", "compat_monitor0", &c, NULL, &w->e), 0);
    const char *path = chr_name(c) + 4;
    char line[128];
    snprintf(line, sizeof line, "char device redirected to %s (label compat_monitor0)", path);
    assert_string_equal(w->said, line);
    attach(w, &f, c);
    settle(w);
    assert_false(chr_fe_connected(f.fe));
    for (int i = 0; i < 2; i++) {
        f.len = 0;
        assert_int_equal(chr_write(f.fe, "lost", 4), 4);
        int fd = open(path, O_RDWR | O_NOCTTY);
        UNTIL(chr_fe_connected(f.fe));
        chr_write(f.fe, "login:", 6);
        expect_read(fd, "login:");
        assert_int_equal(write(fd, "root\r", 5), 5);
        UNTIL(f.len == 5);
        close(fd);
        UNTIL(!chr_fe_connected(f.fe));
        assert_false(loop_once(w->l, false)); /* no busy loop while nobody is there */
    }
}

/* On a terminal: raw while it is open, as it was afterwards; end of input does not end output. */
static void test_stdio(void **state)
{
    struct world *w = *state;
    int m = posix_openpt(O_RDWR | O_NOCTTY), out[2];
    char name[64];
    assert_true(m >= 0 && !grantpt(m) && !unlockpt(m) && !ptsname_r(m, name, sizeof name));
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        struct termios before, t;
        struct front f;
        int s = open(name, O_RDWR | O_NOCTTY);
        dup2(s, 0);
        dup2(out[1], 1);
        tcgetattr(0, &before);
        attach(w, &f, make(w, "stdio,id=c"));
        struct chr *second;
        if (!chr_new_text(w->s, "stdio,id=d", &second, &w->e)) _exit(2);
        tcgetattr(0, &t);
        if (t.c_lflag & (ICANON | ECHO) || !(t.c_lflag & ISIG)) _exit(3);
        chr_write(f.fe, "ready", 5);
        UNTIL(f.len == 3);
        if (memcmp(f.got, "a\rb", 3)) _exit(4);
        chr_set_free(w->s);
        tcgetattr(0, &t);
        bool same = t.c_iflag == before.c_iflag && t.c_oflag == before.c_oflag && t.c_lflag == before.c_lflag && t.c_cflag == before.c_cflag;
        _exit(!same ? 5 : fcntl(0, F_GETFL) & O_NONBLOCK ? 6 : 0);
    }
    int status;
    expect_read(out[0], "ready");
    assert_int_equal(write(m, "a\rb", 3), 3);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(m);
    close(out[0]);
    close(out[1]);
}

/* --- mux ---------------------------------------------------------------------------------------------------------------------------- */

static void test_mux(void **state)
{
    struct world *w = *state;
    struct front con, mon;
    int p[2];
    char text[64];
    struct chr *c;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    snprintf(text, sizeof text, "socket,id=m,fd=%d,mux=on", p[0]);
    assert_int_equal(chr_new_text(w->s, text, &c, &w->e), 0);
    assert_non_null(chr_find(w->s, "m-base"));
    assert_null(chr_attach(chr_find(w->s, "m-base"), &front, &mon, &w->e));
    attach(w, &mon, c);
    attach(w, &con, c); /* the last one has the input */
    settle(w);
    assert_string_equal(con.events, "iO");
    assert_string_equal(mon.events, "ioO");
#define TYPE(s) do { assert_int_equal(write(p[1], s, sizeof(s) - 1), sizeof(s) - 1); settle(w); } while (0)
    TYPE("abc");
    assert_string_equal(con.got, "abc");
    TYPE("d\001ce");
    assert_string_equal(con.got, "abcd");
    assert_string_equal(mon.got, "e");
    TYPE("\001\001x\001");
    assert_string_equal(mon.got, "e\001x");
    TYPE("cf");
    assert_string_equal(con.got, "abcdf");
    con.room = 1; /* a guest that does not read keeps nobody from the monitor */
    TYPE("ghij\001ck");
    assert_string_equal(con.got, "abcdfg");
    assert_string_equal(mon.got, "e\001xk");
    con.room = SIZE_MAX;
    TYPE("\001c");
    assert_string_equal(con.got, "abcdfghij");
    TYPE("\001b");
    assert_non_null(strchr(con.events, 'B'));
    assert_null(strchr(mon.events, 'B'));
    chr_write(con.fe, "con ", 4);
    chr_write(mon.fe, "mon ", 4);
    expect_read(p[1], "con mon ");
    TYPE("\001t");
    chr_write(con.fe, "a\nb\nc", 5);
    expect_read(p[1], "a\n[00:00:0");
    char rest[64];
    assert_true(read(p[1], rest, sizeof rest) > 20);
    TYPE("\001t\001h");
    expect_read(p[1], "\n\rC-a h ");
    assert_false(w->quit);
    TYPE("\001x");
    assert_true(w->quit);
    chr_set_escape(w->s, 2);
    TYPE("\001\002c!");
    assert_string_equal(con.got, "abcdfghij\001");
    assert_string_equal(mon.got, "e\001xk!");
    chr_detach(mon.fe); /* the other one gets the input */
    TYPE("?");
    assert_string_equal(con.got, "abcdfghij\001?");
    chr_detach(con.fe);
    assert_int_equal(chr_remove(w->s, "m", &w->e), 0);
    assert_null(chr_find(w->s, "m-base"));
    close(p[1]);
}

/* --- spellings ---------------------------------------------------------------------------------------------------------------------- */

static void test_legacy(void **state)
{
    struct world *w = *state;
    struct chr *c;
    bool mon;
    char text[256];
    assert_int_equal(chr_legacy(w->s, "none", "a", &c, &mon, &w->e), 0);
    assert_null(c);
    assert_int_equal(chr_legacy(w->s, "null", "a", &c, &mon, &w->e), 0);
    assert_false(mon);
    assert_string_equal(chr_name(c), "null");
    struct chr *d;
    assert_int_equal(chr_legacy(w->s, "chardev:a", "b", &d, &mon, &w->e), 0);
    assert_ptr_equal(c, d);
    assert_int_equal(chr_legacy(w->s, "chardev:zz", "b", &d, &mon, &w->e), -ENOENT);
    assert_int_equal(chr_legacy(w->s, "mon:null", "c", &c, &mon, &w->e), 0);
    assert_true(mon);
    assert_string_equal(chr_name(c), "mux");
    snprintf(text, sizeof text, "unix:%s/a,,b,server=on,wait=off", w->dir);
    assert_int_equal(chr_legacy(w->s, text, "d", &c, &mon, &w->e), 0);
    assert_non_null(strstr(chr_name(c), "/a,b,server=on"));
    assert_int_equal(chr_legacy(w->s, "tcp:127.0.0.1:0,server=on,wait=off", "e", &c, &mon, &w->e), 0);
    assert_int_equal(chr_legacy(w->s, "tcp:[::1]:0,server,nowait,nodelay", "f", &c, &mon, &w->e), 0);
    assert_non_null(strstr(chr_name(c), "tcp:[::1]:"));
    assert_int_equal(chr_legacy(w->s, "tcp::0,server,nowait", "g", &c, &mon, &w->e), 0);
    assert_int_equal(chr_legacy(w->s, "udp:127.0.0.1:9@127.0.0.1:0", "h", &c, &mon, &w->e), 0);
    assert_int_equal(chr_legacy(w->s, "udp::9", "i", &c, &mon, &w->e), 0);
    static const char *const bad[] = { "", "bogus", "tcp:nocolon", "unix:", "file:", "stdiox", "udp:x", "null:", "/dev/null" };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) assert_true(chr_legacy(w->s, bad[i], "z", &c, &mon, &w->e) < 0);
    char *pty;
    struct opts o = { 0 };
    snprintf(text, sizeof text, "{\"id\":\"q\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"unix\",\"data\":{\"path\":"
             "\"%s/q\"}},\"server\":true,\"wait\":false}}}", w->dir);
    opts_parse(&o, text, NULL, &w->e);
    assert_int_equal(chr_add_qmp(w->s, &o, &pty, &w->e), 0);
    opts_parse(&o, "{\"id\":\"r\",\"backend\":{\"type\":\"pty\",\"data\":{}}}", NULL, &w->e);
    assert_int_equal(chr_add_qmp(w->s, &o, &pty, &w->e), 0);
    assert_int_equal(strncmp(pty, "/dev/pts/", 9), 0);
    free(pty);
    opts_parse(&o, "{\"id\":\"s\",\"backend\":{\"type\":\"file\",\"data\":{\"out\":\"/dev/null\"}}}", NULL, &w->e);
    assert_int_equal(chr_add_qmp(w->s, &o, &pty, &w->e), 0);
    opts_free(&o);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_nothing), T(test_errors), T(test_unix_server), T(test_backpressure), T(test_detach_inside), T(test_fds), T(test_telnet),
        T(test_reconnect), T(test_listen_fd), T(test_udp), T(test_files), T(test_ringbuf), T(test_pty), T(test_stdio), T(test_mux),
        T(test_legacy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
