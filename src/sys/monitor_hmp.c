/* monitor_hmp.c: lines of the human monitor: finding the command, its arguments, expressions, help, completion. */
#include "sys/monitor_cmd.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* --- expressions: C's operators without comparisons, $register, 'c' ---------------------------------------------------------------- */

enum { EXPR_DEPTH = 64 };
struct expr {
    struct mon_call *c;
    const char *s;
    struct err *e;
    bool bad;
    unsigned depth;
};

static int64_t fail(struct expr *x, const char *fmt, const char *what)
{
    if (!x->bad) err_set(x->e, EINVAL, fmt, what);
    x->bad = true;
    return 0;
}

static void blanks(struct expr *x)
{
    while (isspace((unsigned char)*x->s)) x->s++;
}

static int64_t sum(struct expr *x);

static int64_t reg_value(struct expr *x)
{
    char name[48];
    size_t n = strspn(x->s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    struct machine *m = x->c->m;
    CPU *cpu = m ? machine_cpu(m, x->c->cpu ? *x->c->cpu : 0) : NULL;
    snprintf(name, sizeof name, "%.*s", (int)MIN(n, sizeof name - 1), x->s);
    x->s += n;
    if (!cpu) return fail(x, "%s", "there is no CPU");
    if (!strcmp(name, "pc")) return (int64_t)cpu->pc;
    for (unsigned i = 0; i < m->guest->nregs; i++) {
        uint64_t buf[REG_BYTES_MAX / 8] = { 0 };
        if (strcasecmp(m->guest->regs[i].name, name) || !cpu_reg_size(cpu, i) || cpu_reg_size(cpu, i) > 8) continue;
        cpu_reg_read(cpu, i, buf);
        return (int64_t)buf[0];
    }
    return fail(x, "%s", "unknown register");
}

static int64_t unary(struct expr *x)
{
    char *end;
    int64_t v;
    if (++x->depth > EXPR_DEPTH) return fail(x, "%s", "expression is nested too deeply");
    blanks(x);
    char c = *x->s;
    switch (c) {
    case '+': case '-': case '~':
        x->s++;
        v = unary(x);
        v = c == '-' ? (int64_t)-(uint64_t)v : c == '~' ? ~v : v;
        break;
    case '(':
        x->s++;
        v = sum(x);
        blanks(x);
        if (*x->s != ')') return fail(x, "%s", "')' expected");
        x->s++;
        break;
    case '\'':
        v = x->s[1];
        if (!v || x->s[2] != '\'') return fail(x, "%s", "character constant expected");
        x->s += 3;
        break;
    case '$':
        x->s++;
        v = reg_value(x);
        break;
    case 0: return fail(x, "%s", "unexpected end of expression");
    default: {
        char what[2] = { c, 0 };
        errno = 0;
        v = (int64_t)strtoull(x->s, &end, 0);
        if (errno == ERANGE) return fail(x, "%s", "number too large");
        if (end == x->s || c == '-') return fail(x, "invalid char '%s' in expression", what);
        x->s = end;
    }
    }
    x->depth--;
    blanks(x);
    return v;
}

static int64_t product(struct expr *x)
{
    int64_t v = unary(x);
    while (!x->bad && (*x->s == '*' || *x->s == '/' || *x->s == '%')) {
        char op = *x->s++;
        int64_t w = unary(x);
        if (x->bad) break;
        if (op == '*') {
            v = (int64_t)((uint64_t)v * (uint64_t)w);
        } else if (!w) {
            return fail(x, "%s", "division by zero");
        } else if (w == -1) {
            v = op == '/' ? (int64_t)-(uint64_t)v : 0;
        } else {
            v = op == '/' ? v / w : v % w;
        }
    }
    return v;
}

static int64_t logic(struct expr *x)
{
    int64_t v = product(x);
    while (!x->bad && (*x->s == '&' || *x->s == '|' || *x->s == '^')) {
        char op = *x->s++;
        int64_t w = product(x);
        v = op == '&' ? v & w : op == '|' ? v | w : v ^ w;
    }
    return v;
}

static int64_t sum(struct expr *x)
{
    int64_t v = logic(x);
    while (!x->bad && (*x->s == '+' || *x->s == '-')) {
        char op = *x->s++;
        uint64_t w = (uint64_t)logic(x);
        v = (int64_t)(op == '+' ? (uint64_t)v + w : (uint64_t)v - w);
    }
    return v;
}

const char *mon_expr(struct mon_call *c, const char *text, int64_t *val, struct err *e)
{
    struct expr x = { .c = c, .s = text, .e = e };
    *val = sum(&x);
    return x.bad ? NULL : x.s;
}

/* --- arguments --------------------------------------------------------------------------------------------------------------------- */

static const char *skip(const char *s)
{
    while (isspace((unsigned char)*s)) s++;
    return s;
}

/* A word or "a \"quoted\" one". NULL: there is none. */
static const char *word(const char *s, char *buf, size_t size, struct err *e)
{
    size_t n = 0;
    s = skip(s);
    if (!*s) return NULL;
    bool quoted = *s == '"';
    for (s += quoted; *s && (quoted ? *s != '"' : !isspace((unsigned char)*s)); s++) {
        char c = *s;
        if (quoted && c == '\\' && s[1]) {
            c = *++s;
            if (c == 'n') c = '\n';
            if (c == 'r') c = '\r';
        }
        if (n + 1 < size) buf[n++] = c;
    }
    buf[n] = 0;
    if (quoted && *s != '"') {
        err_set(e, EINVAL, "unterminated string");
        return NULL;
    }
    return s + quoted;
}

/* "/4xw": count, form, size as a string "4 x w"; 0 where not given. */
static const char *format(const char *s, struct json_object *args, struct err *e)
{
    char fmt[32], form = 0, size = 0;
    unsigned long count = 1;
    s = skip(s);
    if (*s == '/') {
        char *end;
        s++;
        if (isdigit((unsigned char)*s)) {
            count = strtoul(s, &end, 10);
            s = end;
        }
        for (; *s && !isspace((unsigned char)*s); s++) {
            if (strchr("xduoci", *s)) {
                form = *s;
            } else if (strchr("bhwgL", *s)) {
                size = *s == 'L' ? 'g' : *s;
            } else {
                err_set(e, EINVAL, "invalid char in format: '%c'", *s);
                return NULL;
            }
        }
    }
    snprintf(fmt, sizeof fmt, "%lu %c%c", MIN(count, 1ul << 20), form ? form : '-', size ? size : '-');
    json_object_object_add(args, "fmt", json_object_new_string(fmt));
    return s;
}

static const char *one_arg(struct mon_call *c, const struct mon_arg *a, const char *s, struct err *e)
{
    char buf[4096];
    const char *end;
    int64_t v;
    struct json_object *o = NULL;
    switch (a->type) {
    case '/': return format(s, c->args, e);
    case 't':
        s = skip(s);
        o = json_object_new_string(s);
        end = s + strlen(s);
        break;
    case 'n':
        end = mon_expr(c, s, &v, e);
        if (!end) return NULL;
        o = json_object_new_int64(v);
        break;
    default:
        end = word(s, buf, sizeof buf, e);
        if (!end) {
            if (!e->code) err_set(e, EINVAL, "%s: string expected", c->cmd->name);
            return NULL;
        }
        if (a->type == 'b') {
            if (strcmp(buf, "on") && strcmp(buf, "off")) {
                err_set(e, EINVAL, "Expected 'on' or 'off'");
                return NULL;
            }
            o = json_object_new_boolean(!strcmp(buf, "on"));
        } else {
            o = json_object_new_string(buf);
        }
    }
    json_object_object_add(c->args, a->name, o);
    return end;
}

static int parse_args(struct mon_call *c, const char *s, struct err *e)
{
    struct mon_arg a;
    for (const char *t = c->cmd->args; mon_arg_next(&t, &a);) {
        s = skip(s);
        if (a.type == '*') continue;
        if (a.type == '-') {
            if (s[0] == '-' && s[1] == a.flag && (!s[2] || isspace((unsigned char)s[2]))) {
                json_object_object_add(c->args, a.name, json_object_new_boolean(true));
                s += 2;
            }
            continue;
        }
        if (!*s && a.optional && a.type != '/') continue;
        s = one_arg(c, &a, s, e);
        if (!s) return -EINVAL;
    }
    if (*skip(s)) return err_set(e, EINVAL, "%s: extraneous characters at the end of line", c->cmd->name);
    return 0;
}

/* --- help -------------------------------------------------------------------------------------------------------------------------- */

static void help_row(struct mon_text *t, const struct mon_cmd *cmd)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s%s%s", cmd->name, cmd->alias ? "|" : "", cmd->alias ? cmd->alias : "");
    struct mon_arg a;
    if (cmd->show && *cmd->show) {
        n += snprintf(line + n, sizeof line - (size_t)n, " %s", cmd->show);
    } else if (!cmd->show) {
        for (const char *s = cmd->args; mon_arg_next(&s, &a) && n < (int)sizeof line - 60;) {
            if (a.type == '*') continue;
            if (a.type == '-')
                n += snprintf(line + n, sizeof line - (size_t)n, " [-%c]", a.flag);
            else if (a.type == '/')
                n += snprintf(line + n, sizeof line - (size_t)n, " /fmt");
            else
                n += snprintf(line + n, sizeof line - (size_t)n, a.optional ? " [%s]" : " %s", a.name);
        }
    }
    if (n < (int)sizeof line) snprintf(line + n, sizeof line - (size_t)n, "  -- %s\n", cmd->help ? cmd->help : "");
    mon_put(t, line, strlen(line));
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct mon_cmd *const *)a)->name, (*(const struct mon_cmd *const *)b)->name);
}

/* All of HMP in order of name: those of `info` or the others. */
static void help_all(struct mon_text *t, bool info)
{
    const struct mon_cmd *all[1024];
    unsigned n = 0;
    for (const struct mon_table *const *tab = mon_table_registry; *tab; tab++)
        for (const struct mon_cmd *c = (*tab)->cmds; c < (*tab)->cmds + (*tab)->count && n < ARRAY_LEN(all); c++)
            if (c->where & MC_HMP && !strncmp(c->name, "info ", 5) == info) all[n++] = c;
    qsort(all, n, sizeof *all, by_name);
    for (unsigned i = 0; i < n; i++) help_row(t, all[i]);
    static const char more[] = "info [subcommand]  -- show various information about the system state\n";
    if (!info) mon_put(t, more, sizeof more - 1);
}

static void help(struct mon_text *t, const char *what)
{
    what = skip(what);
    const struct mon_cmd *c = mon_find(what, MC_HMP);
    if (c)
        help_row(t, c);
    else if (!*what || !strcmp(what, "info"))
        help_all(t, *what);
    else
        mon_put(t, "unknown command\n", strlen("unknown command\n"));
}

/* --- a line ------------------------------------------------------------------------------------------------------------------------ */

static void say(struct mon_text *t, const char *fmt, ...) PRINTF(2, 3);
static void say(struct mon_text *t, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    mon_put(t, line, strlen(line));
}

void mon_hmp_line(struct monitors *s, const char *line, struct mon_text *t, unsigned *cpu, struct chr_fe *fe, struct mon_hist *hist)
{
    char name[128];
    line = skip(line);
    if (!*line || *line == '#') return;
    size_t n = strcspn(line, " \t\r\n/");
    snprintf(name, sizeof name, "%.*s", (int)MIN(n, sizeof name - 1), line);
    const char *rest = line + n;
    if (!strcmp(name, "help") || !strcmp(name, "?")) {
        char what[128];
        snprintf(what, sizeof what, "%s", skip(rest));
        for (size_t end = strlen(what); end && isspace((unsigned char)what[end - 1]);) what[--end] = 0;
        help(t, what);
        return;
    }
    if (!strcmp(name, "info")) {
        rest = skip(rest);
        n = strcspn(rest, " \t\r\n");
        if (!n) {
            help_all(t, true);
            return;
        }
        snprintf(name, sizeof name, "info %.*s", (int)MIN(n, 100), rest);
        rest += n;
    }
    struct err e = { 0 };
    struct mon_call c = { .set = s, .m = mon_config(s)->machine, .out = t, .cpu = cpu, .fe = fe, .history = hist, .error_class = "GenericError" };
    c.cmd = mon_find(name, MC_HMP);
    if (!c.cmd) {
        say(t, "unknown command: '%s'\n", name);
        return;
    }
    c.args = json_object_new_object();
    if (parse_args(&c, rest, &e))
        say(t, "%s\nTry \"help %s\" for more information\n", e.msg, c.cmd->name);
    else if (c.cmd->run(&c, &e))
        say(t, "Error: %s\n", e.msg);
    json_object_put(c.args);
    json_object_put(c.ret);
}

void mon_complete(struct monitors *s, const char *line, void (*fn)(void *ctx, const char *word), void *ctx)
{
    line = skip(line);
    bool info = !strncmp(line, "info ", 5), helps = !strncmp(line, "help ", 5);
    const char *part = info || helps ? skip(line + 5) : line;
    size_t n = strlen(part);
    if (strchr(part, ' ')) return;
    for (const struct mon_table *const *t = mon_table_registry; *t; t++)
        for (const struct mon_cmd *c = (*t)->cmds; c < (*t)->cmds + (*t)->count; c++) {
            if (!(c->where & MC_HMP) || !strncmp(c->name, "info ", 5) != info) continue;
            const char *name = info ? c->name + 5 : c->name;
            if (!strncmp(name, part, n)) fn(ctx, name);
        }
    static const char *const built_in[] = { "help", "info" };
    for (unsigned i = 0; i < 2 && !info; i++)
        if (!strncmp(built_in[i], part, n)) fn(ctx, built_in[i]);
}
