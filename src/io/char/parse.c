/* parse.c: what -serial, -monitor, -qmp and others take, and QMP's chardev-add, become the settings of -chardev. */
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chr.h"

/* "HOST:PORT[@...]" without what follows; both may be empty. IPv6 in brackets. */
static int host_port(struct opts *o, const char *text, const char *host_key, const char *port_key, struct err *e)
{
    char host[256];
    const char *end = strchr(text, '['), *colon;
    if (end == text && (end = strchr(text, ']'))) {
        colon = end + 1;
        text++;
    } else {
        colon = end = strchr(text, ':');
    }
    if (!colon || *colon != ':') return err_set(e, EINVAL, "'%s' is not HOST:PORT", text);
    if ((size_t)(end - text) >= sizeof host) return err_set(e, EINVAL, "host name in '%.60s...' is too long", text);
    snprintf(host, sizeof host, "%.*s", (int)(end - text), text);
    if (*host || !strcmp(host_key, "host")) opts_add(o, host_key, host);
    opts_add(o, port_key, colon + 1);
    return 0;
}

/* "HOST:PORT,server,nowait": the first item is the address, settings follow. */
static int address(struct opts *o, const char *rest, const char *key, struct err *e)
{
    struct opts all = { 0 };
    int rc = opts_parse(&all, rest, "address", e);
    char *first = NULL;
    if (!rc && !opts_has(&all, "address")) rc = err_set(e, EINVAL, "'%s': an address is missing", rest);
    if (!rc) {
        first = strdup(opts_get(&all, "address"));
        opts_del(&all, "address");
        opts_copy(o, &all, NULL);
        if (key)
            opts_add(o, key, first);
        else
            rc = host_port(o, first, "host", "port", e);
    }
    free(first);
    opts_free(&all);
    return rc;
}

/* "[HOST]:PORT[@[HOST]:PORT]" */
static int udp_address(struct opts *o, const char *rest, struct err *e)
{
    char remote[300];
    const char *at = strchr(rest, '@');
    snprintf(remote, sizeof remote, "%.*s", at ? (int)MIN((size_t)(at - rest), sizeof remote - 1) : (int)sizeof remote - 1, rest);
    int rc = host_port(o, remote, "host", "port", e);
    if (!rc && at) rc = host_port(o, at + 1, "localaddr", "localport", e);
    return rc;
}

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) ? NULL : text + n;
}

static int legacy_opts(struct opts *o, const char *text, struct err *e)
{
    const char *rest;
    static const char *const plain[] = { "null", "pty", "stdio", "ringbuf" };
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++) {
        rest = after(text, plain[i]);
        if (rest && (!*rest || *rest == ',')) {
            int rc = *rest ? opts_parse(o, rest + 1, NULL, e) : 0;
            opts_add(o, "backend", plain[i]);
            return rc;
        }
    }
    if ((rest = after(text, "file:"))) {
        opts_add(o, "backend", "file");
        opts_add(o, "path", rest);
        return 0;
    }
    if ((rest = after(text, "pipe:"))) {
        opts_add(o, "backend", "pipe");
        opts_add(o, "path", rest);
        return 0;
    }
    if ((rest = after(text, "udp:"))) {
        opts_add(o, "backend", "udp");
        return udp_address(o, rest, e);
    }
    if ((rest = after(text, "unix:"))) {
        int rc = address(o, rest, "path", e);
        opts_add(o, "backend", "socket");
        return rc;
    }
    bool telnet = (rest = after(text, "telnet:")) != NULL;
    if (telnet || (rest = after(text, "tcp:"))) {
        int rc = address(o, rest, NULL, e);
        opts_add(o, "backend", "socket");
        if (telnet) opts_add(o, "telnet", "on");
        return rc;
    }
    if (after(text, "/dev/")) {
        opts_add(o, "backend", "serial");
        opts_add(o, "path", text);
        return 0;
    }
    return err_set(e, EINVAL, "'%.80s' is not a valid char driver", text);
}

int chr_legacy(struct chr_set *s, const char *text, const char *label, struct chr **out, bool *monitor, struct err *e)
{
    struct opts o = { 0 };
    const char *rest = after(text, "chardev:");
    *out = NULL;
    if (monitor) *monitor = false;
    if (rest) {
        *out = chr_find(s, rest);
        return *out ? 0 : err_set(e, ENOENT, "chardev '%s' not found", rest);
    }
    if (!strcmp(text, "none")) return 0;
    rest = after(text, "mon:");
    int rc = legacy_opts(&o, rest ? rest : text, e);
    if (rest) {
        if (monitor) *monitor = true;
        opts_add(&o, "mux", "on");
        /* Ctrl-C is the guest's then; Ctrl-A x ends. */
        if (!strcmp(opts_str(&o, "backend", ""), "stdio") && !opts_has(&o, "signal")) opts_add(&o, "signal", "off");
    }
    opts_add(&o, "id", label);
    if (!rc) rc = chr_new(s, &o, out, e);
    opts_free(&o);
    return rc;
}

/* QMP's arguments as those of the command line. */
static int from_qmp(const struct opts *args, struct opts *o, struct err *e)
{
    const char *kind = opts_get(args, "backend.type"), *id = opts_get(args, "id");
    if (!kind || !id) return err_set(e, EINVAL, "Parameter '%s' is missing", id ? "backend.type" : "id");
    opts_copy(o, args, "backend.data.");
    static const char *const renamed[][2] = { { "out", "path" }, { "device", "path" }, { "in", "input-path" } };
    for (unsigned i = 0; i < ARRAY_LEN(renamed); i++) {
        if (!opts_has(o, renamed[i][0])) continue;
        opts_add(o, renamed[i][1], opts_get(o, renamed[i][0]));
        opts_del(o, renamed[i][0]);
    }
    opts_add(o, "backend", kind);
    opts_add(o, "id", id);
    if (strcmp(kind, "socket")) return 0;
    bool server; /* other defaults than the command line's */
    int rc = opts_bool(o, "server", true, &server, e);
    if (rc) return rc;
    opts_add(o, "server", server ? "on" : "off");
    if (server && !opts_has(o, "wait")) opts_add(o, "wait", "off");
    return 0;
}

int chr_add_qmp(struct chr_set *s, const struct opts *args, char **pty, struct err *e)
{
    struct opts o = { 0 };
    struct chr *c;
    *pty = NULL;
    int rc = from_qmp(args, &o, e);
    if (!rc) rc = chr_new(s, &o, &c, e);
    opts_free(&o);
    if (!rc && !strncmp(chr_name(c), "pty:", 4)) *pty = strdup(chr_name(c) + 4);
    return rc;
}

int chr_change_qmp(struct chr_set *s, const struct opts *args, struct chr **old, struct chr **out, struct err *e)
{
    struct opts o = { 0 };
    int rc = from_qmp(args, &o, e);
    if (!rc) rc = chr_change(s, &o, old, out, e);
    opts_free(&o);
    return rc;
}
