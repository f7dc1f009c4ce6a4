/*
 * mux.c: several front ends (consoles, a monitor) on one back end. Output of all goes there; input goes to the one in focus. A byte
 * (Ctrl-A unless -echr says otherwise) begins commands, see help(). Each front end has a small buffer, so that commands are seen
 * while a guest does not read.
 */
#include <stdio.h>
#include "io/char/chr.h"

enum { MUX_FES = 8, MUX_BUF = 1024 };
struct mux {
    struct chr c;
    struct chr *base;
    struct chr_fe *down;
    bool escaped, delivering;
    bool stamps, line_start;
    uint64_t since;
    struct slot {
        struct chr_fe *fe;
        uint8_t buf[MUX_BUF];
        size_t len;
    } slot[MUX_FES];
};

/* Of the front end; a new one takes a place of one that is gone. */
static struct slot *slot_of(struct mux *m, struct chr_fe *fe)
{
    struct slot *spare = NULL;
    for (struct slot *s = m->slot; s < m->slot + MUX_FES; s++) {
        if (s->fe == fe) return s;
        bool live = false;
        for (struct chr_fe *f = m->c.fe; f; f = f->next) live |= f == s->fe;
        if (!live) spare = s;
    }
    if (spare) {
        spare->fe = fe;
        spare->len = 0;
    }
    return spare;
}

static void deliver(struct mux *m)
{
    if (m->delivering) return; /* chr_accept_input from inside of recv: the loop goes on */
    m->delivering = true;
    for (;;) {
        struct slot *s = m->c.focus ? slot_of(m, m->c.focus) : NULL;
        uint8_t buf[MUX_BUF];
        size_t n = s ? MIN(chr_be_room(&m->c), s->len) : 0;
        if (!n) break;
        memcpy(buf, s->buf, n);
        s->len -= n;
        memmove(s->buf, s->buf + n, s->len);
        chr_be_recv(&m->c, buf, n);
    }
    m->delivering = false;
}

/* --- commands ---------------------------------------------------------------------------------------------------------------- */

static void help(struct mux *m)
{
    char key[8];
    uint8_t c = chr_escape(m->c.set);
    snprintf(key, sizeof key, c < 32 ? "C-%c" : "%c", c < 32 ? c + 96 : c);
    chr_printf(m->down,
        "\n\r"
        "%s h    show this help\n\r%s x    end the emulator\n\r%s s    write disk data back to files (-snapshot)\n\r"
        "%s t    time stamps on or off\n\r%s b    send a break\n\r%s c    switch between consoles and monitor\n\r"
        "%s %s  send %s\n\r", key, key, key, key, key, key, key, key, key);
}

static void next_fe(struct mux *m)
{
    struct chr_fe *fe = m->c.focus;
    if (fe) chr_focus(fe->next ? fe->next : m->c.fe);
}

static void command(struct mux *m, uint8_t b)
{
    const struct chr_host *h = chr_host(&m->c);
    switch (b) {
    case 'h': case '?': help(m); break;
    case 'x':
        chr_printf(m->down, "\n\rTerminated\n\r");
        if (h->quit) h->quit(h->ctx);
        break;
    case 's': if (h->save) h->save(h->ctx); break;
    case 'b': chr_be_event(&m->c, CHR_BREAK); break;
    case 'c': next_fe(m); break;
    case 't':
        m->stamps = !m->stamps;
        m->since = 0;
        m->line_start = false;
        break;
    }
}

/* --- input --------------------------------------------------------------------------------------------------------------------- */

static size_t mux_can_recv(void *ctx)
{
    struct mux *m = ctx;
    struct slot *s = m->c.focus ? slot_of(m, m->c.focus) : NULL;
    return s ? MUX_BUF - s->len : MUX_BUF;
}

static void mux_recv(void *ctx, const uint8_t *buf, size_t len)
{
    struct mux *m = ctx;
    for (size_t i = 0; i < len; i++) {
        uint8_t b = buf[i], esc = chr_escape(m->c.set);
        if (m->escaped && b != esc) {
            m->escaped = false;
            deliver(m); /* in order: what came before goes to who had the focus */
            command(m, b);
            continue;
        }
        if (esc && b == esc && !m->escaped) {
            m->escaped = true;
            continue;
        }
        m->escaped = false;
        struct slot *s = m->c.focus ? slot_of(m, m->c.focus) : NULL;
        if (s && s->len < MUX_BUF) s->buf[s->len++] = b;
    }
    deliver(m);
}

static void mux_event(void *ctx, enum chr_event ev)
{
    struct mux *m = ctx;
    chr_be_event(&m->c, ev);
}

static void mux_writable(void *ctx)
{
    chr_be_writable(ctx);
}

static const struct chr_client mux_client = { mux_can_recv, mux_recv, mux_event, mux_writable };

static void mux_update(struct chr *c)
{
    struct mux *m = (struct mux *)c;
    deliver(m);
    if (!m->delivering) chr_accept_input(m->down);
}

static void mux_focus(struct chr *c, struct chr_fe *fe)
{
    struct mux *m = (struct mux *)c;
    slot_of(m, fe);
}

/* --- output -------------------------------------------------------------------------------------------------------------------- */

static void stamp(struct mux *m)
{
    uint64_t now = clock_now(loop_clock(chr_loop(&m->c))) / NS_PER_MS;
    if (!m->since) m->since = now;
    uint64_t t = now - m->since;
    chr_printf(m->down, "[%02u:%02u:%02u.%03u] ", (unsigned)(t / 3600000), (unsigned)(t / 60000 % 60), (unsigned)(t / 1000 % 60),
               (unsigned)(t % 1000));
}

static size_t mux_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct mux *m = (struct mux *)c;
    if (!m->stamps) return chr_write(m->down, buf, len);
    size_t done = 0;
    while (done < len) {
        if (m->line_start) stamp(m);
        m->line_start = false;
        const uint8_t *nl = memchr(buf + done, '\n', len - done);
        size_t part = nl ? (size_t)(nl - buf) + 1 - done : len - done, n = chr_write(m->down, buf + done, part);
        done += n;
        if (n < part) break;
        m->line_start = nl != NULL;
    }
    return done;
}

static int mux_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct mux *m = (struct mux *)c;
    const char *base = opts_get(o, "chardev");
    m->base = base ? chr_find(c->set, base) : NULL;
    if (!m->base) return err_set(e, ENOENT, "mux: chardev '%s' not found", base ? base : "");
    m->down = chr_attach(m->base, &mux_client, m, e);
    if (!m->down) return -EBUSY;
    m->base->mux = c;
    c->open = m->base->open;
    return 0;
}

static void mux_close(struct chr *c)
{
    struct mux *m = (struct mux *)c;
    if (m->down) m->base->mux = NULL;
    chr_detach(m->down);
    m->down = NULL;
}

static void mux_disconnect(struct chr *c)
{
    chr_disconnect(((struct mux *)c)->down);
}

static void mux_params(struct chr *c, const struct chr_params *p)
{
    chr_set_params(((struct mux *)c)->down, p);
}

const struct chr_driver mux_chr = {
    .name = "mux", .help = "several front ends on one back end: chardev=", .hidden = true, .size = sizeof(struct mux), .max_fe = MUX_FES,
    .open = mux_open, .close = mux_close, .write = mux_write, .update = mux_update, .focus = mux_focus, .disconnect = mux_disconnect,
    .set_params = mux_params,
};
