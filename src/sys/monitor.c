/*
 * monitor.c: monitors: their sessions over character devices, QMP's rules (docs/interop/qmp-spec), events.
 *
 * Everything runs on the loop's thread with the lock held; commands are answered before the next byte is read. A client that does not
 * read its answers is not read from. Known gaps: out-of-band commands are not offered; events are not throttled.
 */
#include "io/block/job.h"
#include "io/block/nbd_server.h"
#include "sys/monitor_cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef LYRE_RELEASE
#define LYRE_RELEASE "0.1.0"
#endif

enum { EVENT_QUEUE = 4 << 20, FDS_MAX = 64, FAIR = 4096 };

struct monitor {
    struct monitors *set;
    struct monitor *next;
    struct chr_fe *fe;
    bool qmp, pretty;
    bool ready;                   /* QMP: capabilities were negotiated. HMP: the greeting was shown */
    bool focused;                 /* of a mux: it has the input */
    unsigned cpu;
    struct mon_text out;
    struct mon_framer in;
    struct mon_line line;
};

struct monitors {
    struct monitors_config cfg;
    struct monitor *list;
    const char *shutdown_reason;
    enum run_state state;
    bool stop_held;               /* STOP is told after SHUTDOWN */
    void (*next_state)(void *ctx, enum run_state s, const char *reason);
    void *next_ctx;
    struct { char name[64]; int fd; } fds[FDS_MAX];
    unsigned nfds;
    struct nbd_server *nbd;
};

struct nbd_server **mon_nbd(struct monitors *s)
{
    return &s->nbd;
}

const struct monitors_config *mon_config(struct monitors *s)
{
    return &s->cfg;
}

/* --- output --------------------------------------------------------------------------------------------------------------------- */

static void flush(struct monitor *k)
{
    struct mon_text *t = &k->out;
    if (k->qmp) {
        chr_write_all(k->fe, t->buf, t->len);
    } else { /* ends of lines as terminals want them */
        size_t from = 0;
        for (size_t i = 0; i < t->len; i++) {
            if (t->buf[i] != '\n' || (i && t->buf[i - 1] == '\r')) continue;
            chr_write_all(k->fe, t->buf + from, i - from);
            chr_write_all(k->fe, "\r\n", 2);
            from = i + 1;
        }
        chr_write_all(k->fe, t->buf ? t->buf + from : NULL, t->len - from);
    }
    t->len = 0;
    if (t->cap > 64 << 10) {
        free(t->buf);
        *t = (struct mon_text){ 0 };
    }
}

/* Takes o over. */
static void send_json(struct monitor *k, struct json_object *o)
{
    mon_json(&k->out, o, k->pretty);
    mon_put(&k->out, "\r\n", 2);
    json_object_put(o);
    flush(k);
}

static struct json_object *version(void)
{
    return mon_obj("qemu:o", mon_obj("micro:i", (int64_t)MONITOR_QEMU_MICRO, "minor:i", (int64_t)MONITOR_QEMU_MINOR, "major:i",
                   (int64_t)MONITOR_QEMU_MAJOR, NULL), "package:s", "Lyrebird " LYRE_RELEASE, NULL);
}

/* --- events ------------------------------------------------------------------------------------------------------------------------ */

void monitor_event(struct monitors *s, const char *name, struct json_object *data)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    for (struct monitor *k = s->list; k; k = k->next) {
        if (!k->qmp || !k->ready || chr_pending(k->fe) > EVENT_QUEUE) continue;
        struct json_object *stamp = mon_obj("seconds:i", (int64_t)t.tv_sec, "microseconds:i", (int64_t)t.tv_usec, NULL);
        struct json_object *o = mon_obj("timestamp:o", stamp, "event:s", name, NULL);
        if (data) json_object_object_add(o, "data", json_object_get(data));
        send_json(k, o);
    }
    json_object_put(data);
}

void monitor_shutdown_reason(struct monitors *s, const char *why)
{
    s->shutdown_reason = why;
}

static void on_event(struct board *b, const char *name, struct json_object *data)
{
    struct monitors *s = b->event_ctx;
    bool shutdown = !strcmp(name, "SHUTDOWN");
    if (!data && (shutdown || !strcmp(name, "RESET"))) {
        const char *why = s->shutdown_reason ? s->shutdown_reason : shutdown ? "guest-shutdown" : "guest-reset";
        data = mon_obj("guest:b", !s->shutdown_reason, "reason:s", why, NULL);
        s->shutdown_reason = NULL;
    }
    monitor_event(s, name, data);
    if (shutdown && s->stop_held) monitor_event(s, "STOP", NULL);
    s->stop_held = s->stop_held && !shutdown;
}

static void on_state(void *ctx, enum run_state state, const char *reason)
{
    struct monitors *s = ctx;
    bool ran = s->state == RUN_RUNNING, runs = state == RUN_RUNNING;
    s->state = state;
    if (runs && !ran) monitor_event(s, "RESUME", NULL);
    if (!runs && ran && state == RUN_SHUTDOWN)
        s->stop_held = true;
    else if (!runs && ran)
        monitor_event(s, "STOP", NULL);
    if (s->next_state) s->next_state(s->next_ctx, state, reason);
}

/* --- a command ------------------------------------------------------------------------------------------------------------------- */

static struct json_object *arg(struct mon_call *c, const char *name)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(c->args, name, &v) ? v : NULL;
}

bool mon_has(struct mon_call *c, const char *name)
{
    return arg(c, name) != NULL;
}

const char *mon_str(struct mon_call *c, const char *name)
{
    struct json_object *v = arg(c, name);
    return v ? json_object_get_string(v) : NULL;
}

int64_t mon_int(struct mon_call *c, const char *name, int64_t def)
{
    struct json_object *v = arg(c, name);
    if (!v) return def;
    int64_t n = json_object_get_int64(v);
    return n == INT64_MAX ? (int64_t)json_object_get_uint64(v) : n; /* addresses */
}

bool mon_bool(struct mon_call *c, const char *name, bool def)
{
    struct json_object *v = arg(c, name);
    return v ? json_object_get_boolean(v) : def;
}

int mon_no_device(struct mon_call *c, const char *id, struct err *e)
{
    c->error_class = "DeviceNotFound";
    return err_set(e, ENODEV, "Device '%s' not found", id);
}

void mon_out(struct mon_call *c, const char *fmt, ...)
{
    char small[512], *text = small;
    va_list ap;
    if (!c->out) return;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof small) {
        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
    }
    if (n < 0) return;
    mon_put(c->out, text, (size_t)n);
    if (text != small) free(text);
}

const struct mon_cmd *mon_find(const char *name, unsigned where)
{
    for (const struct mon_table *const *t = mon_table_registry; *t; t++)
        for (const struct mon_cmd *c = (*t)->cmds; c < (*t)->cmds + (*t)->count; c++)
            if (c->where & where && (!strcmp(c->name, name) || (where == MC_HMP && c->alias && !strcmp(c->alias, name)))) return c;
    return NULL;
}

bool mon_arg_next(const char **text, struct mon_arg *a)
{
    const char *s = *text;
    *a = (struct mon_arg){ .type = 's' };
    if (!s || !*s) return false;
    size_t n = strcspn(s, ",");
    const char *colon = memchr(s, ':', n);
    if (*s == '*') {
        a->type = '*';
    } else if (colon) {
        size_t len = (size_t)(colon - s);
        if (len && colon[-1] == '?') {
            a->optional = true;
            len--;
        }
        snprintf(a->name, sizeof a->name, "%.*s", (int)len, s);
        a->type = colon[1];
        if (a->type == '-') {
            a->flag = colon[2];
            a->optional = true;
        }
        if (a->type == '/') a->optional = true;
    }
    *text = s[n] ? s + n + 1 : s + n;
    return true;
}

/* --- QMP -------------------------------------------------------------------------------------------------------------------------- */

static int check_type(const struct mon_arg *a, struct json_object *v, struct err *e)
{
    static const struct { char type; enum json_type is; const char *name; } types[] = {
        { 's', json_type_string, "string" }, { 't', json_type_string, "string" }, { 'n', json_type_int, "integer" },
        { 'b', json_type_boolean, "boolean" }, { '-', json_type_boolean, "boolean" }, { 'o', json_type_object, "object" },
        { 'l', json_type_array, "array" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].type == a->type && json_object_get_type(v) != types[i].is)
            return err_set(e, EINVAL, "Invalid parameter type for '%s', expected: %s", a->name, types[i].name);
    return 0;
}

int mon_check_args(const char *rows, struct json_object *args, struct err *e)
{
    struct mon_arg a;
    bool open = false;
    for (const char *t = rows; mon_arg_next(&t, &a);) {
        struct json_object *v;
        if (a.type == '*') open = true;
        if (a.type == '*' || a.type == '/') continue;
        if (!json_object_object_get_ex(args, a.name, &v)) {
            if (!a.optional) return err_set(e, EINVAL, "Parameter '%s' is missing", a.name);
            continue;
        }
        int rc = check_type(&a, v, e);
        if (rc) return rc;
    }
    json_object_object_foreach(args, key, val) {
        bool known = open;
        (void)val;
        for (const char *t = rows; !known && mon_arg_next(&t, &a);) known = !strcmp(a.name, key);
        if (!known) return err_set(e, EINVAL, "Parameter '%.200s' is unexpected", key);
    }
    return 0;
}

static int negotiate(struct monitor *k, struct json_object *args, struct err *e)
{
    struct json_object *list;
    if (json_object_object_get_ex(args, "enable", &list)) {
        if (!json_object_is_type(list, json_type_array)) return err_set(e, EINVAL, "Invalid parameter type for 'enable', expected: array");
        if (json_object_array_length(list))
            return err_set(e, EINVAL, "Capability %.80s not available", json_object_get_string(json_object_array_get_idx(list, 0)));
    }
    k->ready = true;
    return 0;
}

static int execute(struct monitor *k, const char *name, struct json_object *args, struct mon_call *c, struct err *e)
{
    bool caps = !strcmp(name, "qmp_capabilities");
    c->error_class = "CommandNotFound";
    if (!k->ready && !caps) return err_set(e, EINVAL, "Expecting capabilities negotiation with 'qmp_capabilities'");
    if (k->ready && caps) return err_set(e, EINVAL, "Capabilities negotiation is already complete, command ignored");
    c->cmd = mon_find(name, MC_QMP);
    if (!c->cmd && !caps) return err_set(e, ENOENT, "The command %.200s has not been found", name);
    c->error_class = "GenericError";
    if (caps) return negotiate(k, args, e);
    int rc = mon_check_args(c->cmd->args, args, e);
    return rc ? rc : c->cmd->run(c, e);
}

/* The members that a command has; *name and *args borrow from it. */
static int members(struct json_object *o, const char **name, struct json_object **args, struct err *e)
{
    struct json_object *exec = NULL;
    if (!json_object_is_type(o, json_type_object)) return err_set(e, EINVAL, "QMP input must be a JSON object");
    json_object_object_foreach(o, key, val) {
        if (!strcmp(key, "execute")) {
            if (!json_object_is_type(val, json_type_string)) return err_set(e, EINVAL, "QMP input member 'execute' must be a string");
            exec = val;
        } else if (!strcmp(key, "arguments")) {
            if (!json_object_is_type(val, json_type_object)) return err_set(e, EINVAL, "QMP input member 'arguments' must be an object");
            *args = val;
        } else if (strcmp(key, "id")) {
            return err_set(e, EINVAL, "QMP input member '%.200s' is unexpected", key);
        }
    }
    if (!exec) return err_set(e, EINVAL, "QMP input lacks member 'execute'");
    *name = json_object_get_string(exec);
    return 0;
}

static void answer(struct monitor *k, int rc, struct mon_call *c, struct err *e, struct json_object *id, bool has_id)
{
    struct json_object *o;
    if (rc) {
        o = mon_obj("error:o", mon_obj("class:s", c->error_class, "desc:s", e->msg, NULL), NULL);
        json_object_put(c->ret);
    } else {
        o = mon_obj("return:o", c->ret ? c->ret : json_object_new_object(), NULL);
    }
    if (has_id) json_object_object_add(o, "id", json_object_get(id));
    send_json(k, o);
}

/* One value of a client's. */
static void qmp_value(struct monitor *k, const char *text, size_t len)
{
    struct err e = { 0 };
    struct mon_call c = { .set = k->set, .m = k->set->cfg.machine, .error_class = "GenericError", .fe = k->fe };
    struct json_tokener *tok = json_tokener_new_ex(MON_JSON_DEPTH + 1);
    json_tokener_set_flags(tok, JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *o = json_tokener_parse_ex(tok, text, (int)len + 1), *args = NULL, *id = NULL; /* with the final 0 */
    enum json_tokener_error why = json_tokener_get_error(tok);
    const char *name = NULL;
    int rc;
    json_tokener_free(tok);
    if (why != json_tokener_success) {
        err_set(&e, EINVAL, "JSON parse error, %s", json_tokener_error_desc(why));
        answer(k, -EINVAL, &c, &e, NULL, false);
        return;
    }
    bool has_id = json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "id", &id);
    rc = members(o, &name, &args, &e);
    struct json_object *none = json_object_new_object();
    c.args = args ? args : none;
    if (!rc) rc = execute(k, name, c.args, &c, &e);
    answer(k, rc, &c, &e, id, has_id);
    json_object_put(none);
    json_object_put(o);
}

static void qmp_byte(struct monitor *k, uint8_t b)
{
    bool again = true;
    while (again) {
        int rc = mon_framer_byte(&k->in, b, &again);
        if (rc > 0) {
            struct mon_framer whole = k->in; /* the command may end the session */
            k->in = (struct mon_framer){ 0 };
            qmp_value(k, whole.buf, whole.len);
            free(whole.buf);
        } else if (rc < 0) {
            struct err e;
            struct mon_call c = { .error_class = "GenericError" };
            err_set(&e, EINVAL, "%s", k->in.error);
            answer(k, -EINVAL, &c, &e, NULL, false);
        }
    }
}

/* --- sessions ---------------------------------------------------------------------------------------------------------------------- */

static void hmp_enter(void *ctx, const char *line)
{
    struct monitor *k = ctx;
    mon_hmp_line(k->set, line, &k->out, &k->cpu, k->fe, &k->line.hist);
    mon_line_prompt(&k->line);
    flush(k);
}

static void hmp_complete(void *ctx, const char *line, void (*fn)(void *to, const char *word), void *to)
{
    mon_complete(((struct monitor *)ctx)->set, line, fn, to);
}

static size_t mon_can_recv(void *ctx)
{
    struct monitor *k = ctx;
    return chr_pending(k->fe) > CHR_QUEUE ? 0 : FAIR;
}

static void mon_recv(void *ctx, const uint8_t *buf, size_t len)
{
    struct monitor *k = ctx;
    for (size_t i = 0; i < len; i++) {
        if (k->qmp)
            qmp_byte(k, buf[i]);
        else
            mon_line_byte(&k->line, buf[i]);
    }
    flush(k);
}

static void greet(struct monitor *k)
{
    char text[128];
    if (k->qmp) {
        k->ready = false;
        send_json(k, mon_obj("QMP:o", mon_obj("version:o", version(), "capabilities:o", json_object_new_array(), NULL), NULL));
        return;
    }
    if (!k->focused) return;
    if (!k->ready) {
        snprintf(text, sizeof text, "QEMU %d.%d.%d monitor - type 'help' for more information\n", MONITOR_QEMU_MAJOR, MONITOR_QEMU_MINOR,
                 MONITOR_QEMU_MICRO);
        mon_put(&k->out, text, strlen(text));
    }
    k->ready = true;
    mon_line_prompt(&k->line);
    flush(k);
}

static void mon_event(void *ctx, enum chr_event ev)
{
    struct monitor *k = ctx;
    switch (ev) {
    case CHR_OPENED: greet(k); break;
    case CHR_CLOSED:
        k->ready = false;
        free(k->in.buf);
        k->in = (struct mon_framer){ 0 };
        break;
    case CHR_MUX_IN:
        k->focused = true;
        if (!k->qmp && k->fe && chr_fe_connected(k->fe)) greet(k);
        break;
    case CHR_MUX_OUT:
        k->focused = false;
        if (!k->qmp && k->fe && k->ready) chr_write_all(k->fe, "\r\n", 2);
        break;
    case CHR_BREAK: break;
    }
}

static void mon_writable(void *ctx)
{
    chr_accept_input(((struct monitor *)ctx)->fe);
}

static const struct chr_client client = { mon_can_recv, mon_recv, mon_event, mon_writable };

int monitor_add(struct monitors *s, struct chr *chr, bool qmp, bool pretty, struct err *e)
{
    struct monitor *k = xalloc(sizeof *k);
    *k = (struct monitor){ .set = s, .qmp = qmp, .pretty = pretty, .focused = true };
    k->line = (struct mon_line){ .out = &k->out, .enter = hmp_enter, .complete = hmp_complete, .ctx = k };
    k->fe = chr_attach(chr, &client, k, e);
    if (!k->fe) {
        free(k);
        return chr ? -EBUSY : err_set(e, ENOENT, "a monitor without a character device");
    }
    k->next = s->list;
    s->list = k;
    if (chr->nfe > 1) chr_focus(chr->fe); /* a console has the input first */
    return 0;
}

/* --- the set ------------------------------------------------------------------------------------------------------------------------ */

struct monitors *monitors_new(const struct monitors_config *cfg)
{
    struct monitors *s = xalloc(sizeof *s);
    struct machine *m = cfg->machine;
    s->cfg = *cfg;
    s->cfg.jobs = cfg->blks ? mon_jobs_new(s) : NULL;
    if (m) {
        s->state = m->state;
        s->next_state = m->on_state;
        s->next_ctx = m->on_state_ctx;
        m->on_state = on_state;
        m->on_state_ctx = s;
        m->b.event = on_event;
        m->b.event_ctx = s;
    }
    return s;
}

void monitors_free(struct monitors *s)
{
    if (!s) return;
    struct machine *m = s->cfg.machine;
    nbd_server_free(s->nbd);
    job_set_free(s->cfg.jobs);
    if (m && m->on_state == on_state) {
        m->on_state = s->next_state;
        m->on_state_ctx = s->next_ctx;
    }
    if (m && m->b.event == on_event) m->b.event = NULL;
    while (s->list) {
        struct monitor *k = s->list;
        s->list = k->next;
        chr_detach(k->fe);
        mon_line_done(&k->line);
        free(k->out.buf);
        free(k->in.buf);
        free(k);
    }
    while (s->nfds) close(s->fds[--s->nfds].fd);
    free(s);
}

void monitor_command(void *ctx, const char *line, void (*out)(void *to, const char *text), void *to)
{
    struct mon_text t = { 0 };
    unsigned cpu = 0;
    mon_hmp_line(ctx, line, &t, &cpu, NULL, NULL);
    if (t.len) out(to, t.buf);
    free(t.buf);
}

/* --- descriptors that clients passed ------------------------------------------------------------------------------------------------ */

int mon_take_fd(struct monitors *s, const char *name)
{
    for (unsigned i = 0; i < s->nfds; i++) {
        if (strcmp(s->fds[i].name, name)) continue;
        int fd = s->fds[i].fd;
        s->fds[i] = s->fds[--s->nfds];
        return fd;
    }
    return -1;
}

int mon_store_fd(struct monitors *s, const char *name, int fd)
{
    int old = mon_take_fd(s, name);
    if (old >= 0) close(old);
    if (s->nfds == FDS_MAX || strlen(name) >= sizeof s->fds[0].name) return -ENOSPC;
    strcpy(s->fds[s->nfds].name, name);
    s->fds[s->nfds++].fd = fd;
    return 0;
}

const char *mon_fd_name(struct monitors *s, unsigned i)
{
    return i < s->nfds ? s->fds[i].name : NULL;
}
