/* monitor_json.c: QMP's text: cutting what comes into values, so that garbage costs only itself; writing answers. */
#include "sys/monitor_cmd.h"

#include <stdio.h>
#include <stdlib.h>

/* --- input ------------------------------------------------------------------------------------------------------------------ */

void mon_framer_reset(struct mon_framer *f)
{
    if (f->cap > 64 << 10) { /* a long one was there: does not stay */
        free(f->buf);
        f->buf = NULL;
        f->cap = 0;
    }
    f->len = 0;
    f->depth = 0;
    f->quote = 0;
    f->escape = f->bare = false;
}

static int bad(struct mon_framer *f, const char *why, bool skip)
{
    mon_framer_reset(f);
    f->error = why;
    f->skip = skip;
    return -1;
}

static bool append(struct mon_framer *f, uint8_t b)
{
    if (f->len >= MON_JSON_MAX) return false;
    if (f->len + 2 > f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 256;
        f->buf = xrealloc(f->buf, f->cap, cap);
        f->cap = cap;
    }
    f->buf[f->len++] = (char)b;
    f->buf[f->len] = 0;
    return true;
}

static bool is_space(uint8_t b)
{
    return b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

/* After an error the rest of the line is garbage too, unless something begins that may be a command. */
static bool skipped(struct mon_framer *f, uint8_t b)
{
    if (!f->skip) return false;
    if (b == '\n' || b == '{' || b == 0xff) f->skip = false;
    return b != '{';
}

int mon_framer_byte(struct mon_framer *f, uint8_t b, bool *again)
{
    *again = false;
    if (skipped(f, b)) return 0;
    if (b == 0xff) { /* clients send it to be sure that a new value begins */
        if (!f->len) return 0;
        return bad(f, "JSON parse error, stray input before a reset", false);
    }
    if (f->quote) {
        if (b < 0x20) return bad(f, "JSON parse error, control character in a string", b != '\n');
        if (!append(f, b)) return bad(f, "JSON token size limit exceeded", true);
        if (f->escape)
            f->escape = false;
        else if (b == '\\')
            f->escape = true;
        else if (b == (uint8_t)f->quote)
            f->quote = 0;
        return f->quote || f->depth ? 0 : 1;
    }
    bool structural = b == '{' || b == '[' || b == '}' || b == ']' || b == '"' || b == '\'';
    if (!f->depth && f->bare && (is_space(b) || structural)) { /* a number or a word ends */
        *again = true;
        f->bare = false;
        return 1;
    }
    if (!f->len && is_space(b)) return 0;
    if (!f->len && (b == '}' || b == ']' || b == ',' || b == ':')) return bad(f, "JSON parse error, expecting value", false);
    if (!append(f, b)) return bad(f, "JSON token size limit exceeded", true);
    if (b == '"' || b == '\'') f->quote = (char)b;
    if (b == '{' || b == '[') {
        if (++f->depth > MON_JSON_DEPTH) return bad(f, "JSON nesting depth limit exceeded", true);
    } else if (b == '}' || b == ']') {
        if (--f->depth == 0) return 1;
    } else if (!f->depth && !structural) {
        f->bare = true;
    }
    return 0;
}

/* --- output ------------------------------------------------------------------------------------------------------------------ */

void mon_put(struct mon_text *t, const char *s, size_t n)
{
    if (t->len + n > MON_TEXT_MAX) return;
    if (t->len + n + 1 > t->cap) {
        size_t cap = MAX(t->cap, 256);
        while (cap < t->len + n + 1) cap *= 2;
        t->buf = xrealloc(t->buf, t->cap, cap);
        t->cap = cap;
    }
    memcpy(t->buf + t->len, s, n);
    t->len += n;
    t->buf[t->len] = 0;
}

static void put_text(struct mon_text *t, const char *s)
{
    mon_put(t, s, strlen(s));
}

/* The code point at s (valid UTF-8: json-c has checked what came from outside; else '?'); its length. */
static unsigned utf8(const uint8_t *s, size_t left, uint32_t *cp)
{
    unsigned n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xc0 && s[0] < 0xe0 ? 2 : 0;
    *cp = 0xfffd;
    if (!n || n > left) return 1;
    uint32_t v = n == 1 ? s[0] : s[0] & (0x7f >> n);
    for (unsigned i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 1;
        v = v << 6 | (s[i] & 0x3f);
    }
    *cp = v;
    return n;
}

static void put_string(struct mon_text *t, const char *str, size_t len)
{
    static const char plain[] = "\"\\\b\f\n\r\t", esc[] = "\"\\bfnrt";
    char buf[16];
    mon_put(t, "\"", 1);
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        i += utf8((const uint8_t *)str + i, len - i, &cp);
        const char *p = cp && cp < 128 ? strchr(plain, (int)cp) : NULL;
        if (p)
            snprintf(buf, sizeof buf, "\\%c", esc[p - plain]);
        else if (cp >= 32 && cp < 127)
            snprintf(buf, sizeof buf, "%c", (int)cp);
        else if (cp < 0x10000)
            snprintf(buf, sizeof buf, "\\u%04x", cp);
        else
            snprintf(buf, sizeof buf, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10), 0xdc00 + ((cp - 0x10000) & 0x3ff));
        put_text(t, buf);
    }
    mon_put(t, "\"", 1);
}

static void newline(struct mon_text *t, bool pretty, unsigned depth)
{
    if (!pretty) return;
    mon_put(t, "\n", 1);
    while (depth--) mon_put(t, "    ", 4);
}

static void put_value(struct mon_text *t, struct json_object *v, bool pretty, unsigned depth)
{
    const char *sep = pretty ? "," : ", ";
    switch (json_object_get_type(v)) {
    case json_type_null: put_text(t, "null"); return;
    case json_type_boolean: put_text(t, json_object_get_boolean(v) ? "true" : "false"); return;
    case json_type_string: put_string(t, json_object_get_string(v), (size_t)json_object_get_string_len(v)); return;
    case json_type_array: {
        size_t n = json_object_array_length(v);
        mon_put(t, "[", 1);
        for (size_t i = 0; i < n; i++) {
            if (i) put_text(t, sep);
            newline(t, pretty, depth + 1);
            put_value(t, json_object_array_get_idx(v, i), pretty, depth + 1);
        }
        if (n) newline(t, pretty, depth);
        mon_put(t, "]", 1);
        return;
    }
    case json_type_object: {
        bool first = true;
        mon_put(t, "{", 1);
        json_object_object_foreach(v, key, item) {
            if (!first) put_text(t, sep);
            newline(t, pretty, depth + 1);
            put_string(t, key, strlen(key));
            put_text(t, ": ");
            put_value(t, item, pretty, depth + 1);
            first = false;
        }
        if (!first) newline(t, pretty, depth);
        mon_put(t, "}", 1);
        return;
    }
    default: put_text(t, json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN)); return;
    }
}

void mon_json(struct mon_text *t, struct json_object *o, bool pretty)
{
    put_value(t, o, pretty, 0);
}

struct json_object *mon_obj(const char *key, ...)
{
    struct json_object *o = json_object_new_object();
    va_list ap;
    va_start(ap, key);
    for (; key; key = va_arg(ap, const char *)) {
        char name[64];
        const char *colon = strrchr(key, ':');
        struct json_object *v = NULL;
        snprintf(name, sizeof name, "%.*s", (int)(colon - key), key);
        switch (colon[1]) {
        case 's': {
            const char *s = va_arg(ap, const char *);
            v = json_object_new_string(s ? s : "");
            break;
        }
        case 'i': v = json_object_new_int64(va_arg(ap, int64_t)); break;
        case 'u': v = json_object_new_uint64(va_arg(ap, uint64_t)); break;
        case 'b': v = json_object_new_boolean(va_arg(ap, int)); break;
        default: v = va_arg(ap, struct json_object *);
        }
        json_object_object_add(o, name, v);
    }
    va_end(ap);
    return o;
}
