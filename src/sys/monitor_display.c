/* monitor_display.c: commands: what is shown (screendump), to whom (VNC), and what is typed (mice). */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "io/display/vnc.h"
#include "sys/monitor_block.h"

/* --- screendump ---------------------------------------------------------------------------------------------------------------------- */

static int write_file(const char *path, const uint8_t *data, size_t n, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return err_set(e, errno, "failed to open file '%.120s': %s", path, strerror(errno));
    while (n) {
        ssize_t k = write(fd, data, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) {
            int why = k ? errno : EIO;
            close(fd);
            return err_set(e, why, "'%.120s': %s", path, strerror(why));
        }
        data += k;
        n -= (size_t)k;
    }
    return close(fd) ? err_set(e, errno, "'%.120s': %s", path, strerror(errno)) : 0;
}

static int dump(struct mon_call *c, const char *path, const char *device, int64_t head, const char *format, struct err *e)
{
    struct display *d = c->m ? c->m->b.display : NULL;
    bool png = format && !strcmp(format, "png");
    if (format && !png && strcmp(format, "ppm")) return err_set(e, EINVAL, "Parameter 'format' does not accept value '%.60s'", format);
    if (head && !device) return err_set(e, EINVAL, "'head' must be specified together with 'device'");
    if (device && !dev_find(&c->m->b, device)) return mon_no_device(c, device, e);
    struct console *con = d ? display_find(d, device, (unsigned)head) : NULL;
    for (unsigned i = 0; d && !device && display_console(d, i); i++) { /* the one that shows something */
        con = display_console(d, i);
        if (console_surface(con)->width) break;
    }
    if (!con && device) return err_set(e, ENOENT, "Specified head '%lld' is not a QemuConsole", (long long)head);
    if (!con) return err_set(e, ENOENT, "There is no console to take a screendump from");
    size_t n;
    console_refresh(con);
    if (!console_surface(con)->width) return err_set(e, ENODATA, "no surface");
    uint8_t *data = png ? console_png(con, &n) : console_ppm(con, &n);
    if (!data) return err_set(e, EIO, "the picture could not be packed");
    int r = write_file(path, data, n, e);
    free(data);
    return r;
}

static int qmp_screendump(struct mon_call *c, struct err *e)
{
    return dump(c, mon_str(c, "filename"), mon_str(c, "device"), mon_int(c, "head", 0), mon_str(c, "format"), e);
}

/* FILE [-f FORMAT] [DEVICE [HEAD]] */
static int hmp_screendump(struct mon_call *c, struct err *e)
{
    const char *words[5] = { 0 }, *format = NULL;
    unsigned n = 0;
    char *rest = strdup(mon_has(c, "rest") ? mon_str(c, "rest") : ""), *save = NULL;
    for (char *w = strtok_r(rest, " \t", &save); w && n < 5; w = strtok_r(NULL, " \t", &save)) {
        if (strcmp(w, "-f")) words[n++] = w;
        else if (!(format = strtok_r(NULL, " \t", &save))) format = "";
    }
    int r = dump(c, mon_str(c, "filename"), words[0], words[1] ? strtol(words[1], NULL, 0) : 0, format, e);
    free(rest);
    return r;
}

/* --- VNC ---------------------------------------------------------------------------------------------------------------------------- */

static struct vnc *first_vnc(struct mon_call *c)
{
    struct vnc_set *s = mon_config(c->set)->vnc;
    return s ? vnc_next(s, NULL) : NULL;
}

static struct json_object *address(const struct vnc_address *a, const char *auth)
{
    struct json_object *o = mon_obj("host:s", a->host, "service:s", a->service, "family:s", a->family, "websocket:b", 0, NULL);
    if (auth) json_object_object_add(o, "auth", json_object_new_string(auth));
    return o;
}

static struct json_object *clients(struct vnc *v)
{
    struct json_object *list = json_object_new_array();
    struct vnc_address a;
    for (unsigned i = 0; vnc_client_nth(v, i, &a); i++) json_object_array_add(list, address(&a, NULL));
    return list;
}

static int query_vnc(struct mon_call *c, struct err *e)
{
    struct vnc *v = first_vnc(c);
    struct vnc_address a;
    c->ret = mon_obj("enabled:b", v != NULL, NULL);
    if (!v) return 0;
    json_object_object_add(c->ret, "clients", clients(v));
    json_object_object_add(c->ret, "auth", json_object_new_string(vnc_auth(v)));
    if (!vnc_listens(v, &a)) return 0;
    json_object_object_add(c->ret, "family", json_object_new_string(a.family));
    json_object_object_add(c->ret, "service", json_object_new_string(a.service));
    json_object_object_add(c->ret, "host", json_object_new_string(a.host));
    return 0;
}

static int query_vnc_servers(struct mon_call *c, struct err *e)
{
    struct vnc_set *s = mon_config(c->set)->vnc;
    c->ret = json_object_new_array();
    for (struct vnc *v = s ? vnc_next(s, NULL) : NULL; v; v = vnc_next(s, v)) {
        struct json_object *own = json_object_new_array();
        struct vnc_address a;
        if (vnc_listens(v, &a)) json_object_array_add(own, address(&a, vnc_auth(v)));
        json_object_array_add(c->ret, mon_obj("id:s", vnc_id(v), "auth:s", vnc_auth(v), "server:o", own, "clients:o", clients(v), NULL));
    }
    return 0;
}

static int info_vnc(struct mon_call *c, struct err *e)
{
    struct vnc_set *s = mon_config(c->set)->vnc;
    if (!first_vnc(c)) mon_out(c, "None\n");
    for (struct vnc *v = s ? vnc_next(s, NULL) : NULL; v; v = vnc_next(s, v)) {
        struct vnc_address a;
        mon_out(c, "%s:\n", vnc_id(v));
        if (vnc_listens(v, &a)) mon_out(c, "  Server: %s:%s (%s)\n    Auth: %s (Sub: none)\n", a.host, a.service, a.family, vnc_auth(v));
        else mon_out(c, "  Auth: %s (Sub: none)\n", vnc_auth(v));
        for (unsigned i = 0; vnc_client_nth(v, i, &a); i++)
            mon_out(c, "  Client: %s:%s (%s)\n    x509_dname: none\n    sasl_username: none\n", a.host, a.service, a.family);
    }
    return 0;
}

static struct vnc *named_vnc(struct mon_call *c, struct err *e)
{
    struct vnc_set *s = mon_config(c->set)->vnc;
    const char *protocol = mon_str(c, "protocol"), *id = mon_str(c, "display");
    if (protocol && strcmp(protocol, "vnc")) {
        err_set(e, EINVAL, "Parameter 'protocol' does not accept value '%.40s'", protocol);
        return NULL;
    }
    struct vnc *v = s ? vnc_find(s, id) : NULL;
    if (!v) err_set(e, ENOENT, id ? "Could not find vnc display '%.60s'" : "there is no VNC server%s", id ? id : "");
    return v;
}

static int set_password(struct mon_call *c, struct err *e)
{
    const char *connected = mon_str(c, "connected");
    struct vnc *v = named_vnc(c, e);
    if (!v) return -ENOENT;
    if (connected && strcmp(connected, "keep")) return err_set(e, EINVAL, "parameter 'connected' must be 'keep' when 'protocol' is 'vnc'");
    return vnc_set_password(v, mon_str(c, "password"), e);
}

/* "now", "never", "+SECONDS", or seconds since 1970 */
static int expire_password(struct mon_call *c, struct err *e)
{
    const char *t = mon_str(c, "time");
    struct vnc *v = named_vnc(c, e);
    char *end;
    if (!v) return -ENOENT;
    bool plus = *t == '+', digits = t[plus] >= '0' && t[plus] <= '9';
    int64_t n = digits ? strtoll(t + plus, &end, 10) : 0, now = (int64_t)time(NULL);
    if (!strcmp(t, "now")) n = 0;
    else if (!strcmp(t, "never")) n = INT64_MAX;
    else if (!digits || *end) return err_set(e, EINVAL, "'%.40s' is no time: now, never, +SECONDS or SECONDS", t);
    else if (plus) n = n > INT64_MAX - now ? INT64_MAX : n + now;
    vnc_set_expiry(v, n);
    return 0;
}

/* `change vnc password TEXT`, as older front ends say it. */
static int hmp_change(struct mon_call *c, struct err *e)
{
    struct vnc *v = first_vnc(c);
    if (strcmp(mon_str(c, "device"), "vnc")) return mon_change(c, mon_str(c, "device"), mon_str(c, "target"), mon_str(c, "arg"), e);
    if (strcmp(mon_str(c, "target"), "password") && strcmp(mon_str(c, "target"), "passwd"))
        return err_set(e, EINVAL, "the address of a VNC server cannot be changed");
    if (!v) return err_set(e, ENOENT, "there is no VNC server");
    if (!mon_has(c, "arg")) return err_set(e, EINVAL, "it takes the password");
    return vnc_set_password(v, mon_str(c, "arg"), e);
}

/* --- mice ----------------------------------------------------------------------------------------------------------------------------- */

static int query_mice(struct mon_call *c, struct err *e)
{
    struct display *d = c->m ? c->m->b.display : NULL;
    int64_t n = 0;
    bool front = true;
    if (!c->out) c->ret = json_object_new_array();
    for (struct input *i = d ? input_next(d, NULL) : NULL; i; i = input_next(d, i)) {
        bool abs = i->takes & INPUT_ABS;
        if (!(i->takes & (INPUT_ABS | INPUT_REL))) continue;
        if (c->out) mon_out(c, "%c Mouse #%lld: %s%s\n", front ? '*' : ' ', (long long)n, i->name, abs ? " (absolute)" : "");
        else json_object_array_add(c->ret, mon_obj("name:s", i->name, "index:i", n, "current:b", front, "absolute:b", abs, NULL));
        front = false;
        n++;
    }
    if (c->out && !n) mon_out(c, "No mouse devices connected\n");
    return 0;
}

static const struct mon_cmd cmds[] = {
    QMP("screendump", "filename:s,device?:s,head?:n,format?:s", qmp_screendump),
    HMP("screendump", "filename:s,rest?:t", hmp_screendump, "what a screen shows into a file, as ppm or png",
        .show = "filename [-f format] [device [head]]"),
    QMP("query-vnc", "", query_vnc, .ret = "any"), QMP("query-vnc-servers", "", query_vnc_servers, .ret = "list"),
    HMP("info vnc", "", info_vnc, "VNC servers and their clients"),
    QMP("set_password", "protocol:s,password:s,connected?:s,display?:s", set_password),
    HMP("set_password", "protocol:s,password:s,connected?:s", set_password, "give a VNC server its password"),
    QMP("expire_password", "protocol:s,time:s,display?:s", expire_password),
    HMP("expire_password", "protocol:s,time:s", expire_password, "until when the VNC password is good: now, never, +SECONDS, SECONDS"),
    QMP("change-vnc-password", "password:s", set_password),
    HMP("change", "device:s,target:s,arg?:t", hmp_change, "change a removable medium, or the VNC password", .show = "device filename [format] | vnc password text"),
    QMP("query-mice", "", query_mice, .ret = "list"), HMP("info mice", "", query_mice, "pointers of the guest; * gets the events"),
};
const struct mon_table display_mon = { MON_TABLE(cmds) };
