/*
 * options.c: the options of user mode: one table for the command line, the QEMU_* environment variables, the help text and
 * what a re-executed emulator is given.
 */
#include "user/linux/options.h"

#include <stdio.h>
#include <stdlib.h>
#include "cpu/guest.h"

enum type { T_FLAG, T_STR, T_NUM, T_SIZE, T_INT, T_SET, T_UNSET, T_IGNORE };
enum { PASS = 1 /* an exec'ed guest program gets it too */ };

struct option {
    const char *name, *env, *arg;
    uint8_t type, flags;
    size_t at;
    const char *help;
};

#define AT(m) offsetof(struct user_options, m)
static const struct option table[] = {
    { "h", NULL, NULL, T_FLAG, 0, AT(help), "print this help" },
    { "help", NULL, NULL, T_FLAG, 0, AT(help), NULL },
    { "g", "QEMU_GDB", "port|socket", T_STR, 0, AT(gdb), "wait for gdb at a TCP port or a socket path" },
    { "L", "QEMU_LD_PREFIX", "path", T_STR, PASS, AT(prefix), "directory with the guest's libraries and interpreter" },
    { "s", "QEMU_STACK_SIZE", "size", T_SIZE, PASS, AT(stack_size), "stack size in bytes (K, M, G)" },
    { "cpu", "QEMU_CPU", "model", T_STR, PASS, AT(cpu), "CPU model and features ('-cpu help' lists them)" },
    { "E", "QEMU_SET_ENV", "var=value", T_SET, 0, 0, "set variables of the program's environment" },
    { "U", "QEMU_UNSET_ENV", "var", T_UNSET, 0, 0, "remove variables from the program's environment" },
    { "0", "QEMU_ARGV0", "argv0", T_STR, PASS, AT(argv0), "the program's argv[0]" },
    { "r", "QEMU_UNAME", "uname", T_STR, PASS, AT(uname), "release that uname tells" },
    { "B", "QEMU_GUEST_BASE", "address", T_SIZE, PASS, AT(guest_base), "host address of guest address 0" },
    { "R", "QEMU_RESERVED_VA", "size", T_SIZE, PASS, AT(reserved), "size of the guest's address space, reserved at start" },
    { "d", "QEMU_LOG", "item[,...]", T_STR, PASS, AT(log_items), "log these items ('-d help' lists them)" },
    { "dfilter", "QEMU_DFILTER", "range[,...]", T_STR, PASS, AT(dfilter), "log code in these ranges only (first..last, start+size, end-size)" },
    { "D", "QEMU_LOG_FILENAME", "logfile", T_STR, PASS, AT(log_file), "log to a file ('%d' becomes the process number)" },
    { "p", "QEMU_PAGESIZE", "pagesize", T_NUM, PASS, AT(page_size), "the guest's page size" },
    { "one-insn-per-tb", "QEMU_ONE_INSN_PER_TB", NULL, T_FLAG, PASS, AT(one_insn), "translate one instruction at a time" },
    { "singlestep", "QEMU_SINGLESTEP", NULL, T_FLAG, PASS, AT(one_insn), "the same" },
    { "strace", "QEMU_STRACE", NULL, T_FLAG, PASS, AT(strace), "log system calls" },
    { "seed", "QEMU_RAND_SEED", "number", T_STR, PASS, AT(seed), "seed of the random numbers at program start" },
    { "trace", "QEMU_TRACE", "pattern", T_STR, 0, AT(trace), "trace events ('-trace help' lists them; user mode has none)" },
    { "plugin", "QEMU_PLUGIN", "file", T_STR, 0, AT(plugin), "not available yet" },
    { "accel", "QEMU_ACCEL", "jit|interp[,warmup=n]", T_STR, PASS, AT(accel), "how guest code is executed; a block is translated when it has run n times" },
    { "tb-size", "QEMU_TB_SIZE", "MiB", T_NUM, PASS, AT(tb_size), "size of the code cache" },
    { "opt", "QEMU_OPT", "mask", T_NUM, PASS, AT(opt_mask), "optimiser passes, a bit each" },
    { "stats", "QEMU_STATS", NULL, T_FLAG, PASS, AT(stats), "counters of the engine at exit" },
    { "emulator", NULL, "path", T_STR, 0, AT(emulator), NULL },
    { "execfd", NULL, "fd", T_INT, 0, AT(exec_fd), NULL },
    { "limits", NULL, "list", T_STR, 0, AT(limits), NULL },
    { "selffd", NULL, "fd", T_INT, 0, AT(self_fd), NULL },
    { "version", NULL, NULL, T_FLAG, 0, AT(version), "print the version" },
};

static int number(const char *s, bool suffix, uint64_t *v)
{
    char *end;
    errno = 0;
    *v = strtoull(s, &end, 0);
    if (end == s || errno) return -EINVAL;
    if (suffix && *end) {
        static const char units[] = "kmgKMG";
        const char *u = strchr(units, *end);
        if (u) {
            *v <<= 10 * ((u - units) % 3 + 1);
            end++;
        }
    }
    return *end ? -EINVAL : 0;
}

/* "a=1,b=2" or "a,b": each becomes one edit. */
static void add_edits(struct user_options *o, const char *list, char sign)
{
    char *copy = strdup(list), *save;
    for (char *w = copy ? strtok_r(copy, ",", &save) : NULL; w; w = strtok_r(NULL, ",", &save)) {
        char *e = xalloc(strlen(w) + 2);
        e[0] = sign;
        strcpy(e + 1, w);
        o->env_edit = vec_grow(o->env_edit, &o->env_cap, o->nenv_edit + 1, sizeof *o->env_edit);
        o->env_edit[o->nenv_edit++] = e;
    }
    free(copy);
}

static int apply(struct user_options *o, const struct option *op, const char *val, struct err *e)
{
    void *p = (char *)o + op->at;
    uint64_t n;
    switch (op->type) {
    case T_FLAG: *(bool *)p = true; break;
    case T_STR: *(const char **)p = val; break;
    case T_SET:
        if (!strchr(val, '=')) return err_set(e, EINVAL, "-%s %s: should be var=value", op->name, val);
        add_edits(o, val, '+');
        break;
    case T_UNSET: add_edits(o, val, '-'); break;
    case T_NUM: case T_SIZE: case T_INT:
        if (number(val, op->type == T_SIZE, &n) < 0) return err_set(e, EINVAL, "-%s %s: not a number", op->name, val);
        if (op->type == T_INT)
            *(int *)p = (int)n;
        else
            *(uint64_t *)p = n;
        break;
    }
    return 0;
}

static const struct option *find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(table); i++)
        if (!strcmp(table[i].name, name)) return &table[i];
    return NULL;
}

void options_init(struct user_options *o)
{
    *o = (struct user_options){ .exec_fd = -1, .self_fd = -1, .opt_mask = ~0u, .guest_base = ~0ull };
}

void options_done(struct user_options *o)
{
    for (unsigned i = 0; i < o->nenv_edit; i++) free((void *)(uintptr_t)o->env_edit[i]);
    free(o->env_edit);
}

int options_set(struct user_options *o, const char *name, const char *val, struct err *e)
{
    const struct option *op = find(name);
    if (!op) return err_set(e, EINVAL, "unknown option '%s'", name);
    if (!op->arg != !val) return err_set(e, EINVAL, "option '%s' takes %s", name, op->arg ? op->arg : "no argument");
    return apply(o, op, val, e);
}

const char *options_get(const struct user_options *o, const char *name)
{
    const struct option *op = find(name);
    const void *p = op ? (const char *)o + op->at : NULL;
    if (op && op->type == T_STR) return *(const char *const *)p;
    return op && op->type == T_FLAG && *(const bool *)p ? "" : NULL;
}

bool options_describe(unsigned i, const char **name, const char **env, const char **arg, const char **help)
{
    if (i >= ARRAY_LEN(table)) return false;
    *name = table[i].name, *env = table[i].env, *arg = table[i].arg, *help = table[i].help;
    return true;
}

int options_parse(struct user_options *o, int argc, char **argv, struct err *e)
{
    int i, r;
    for (unsigned k = 0; k < ARRAY_LEN(table); k++) {
        const char *val = table[k].env ? getenv(table[k].env) : NULL;
        if (val && (r = apply(o, &table[k], val, e)) < 0) return r;
    }
    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *name = argv[i] + 1;
        if (!strcmp(name, "-")) {
            i++;
            break;
        }
        if (*name == '-') name++;
        const struct option *op = find(name);
        if (!op) return err_set(e, EINVAL, "unknown option '%s' ('-h' lists them)", argv[i]);
        if (op->arg && i + 1 >= argc) return err_set(e, EINVAL, "option '%s' needs an argument: %s", argv[i], op->arg);
        if ((r = apply(o, op, op->arg ? argv[i + 1] : NULL, e)) < 0) return r;
        i += op->arg != NULL;
    }
    return i;
}

char **options_words(const struct user_options *o, unsigned *n)
{
    enum { WORD = 32 };
    char **w = xalloc((ARRAY_LEN(table) * 2 + 1) * sizeof *w + ARRAY_LEN(table) * 2 * WORD);
    char *text = (char *)(w + ARRAY_LEN(table) * 2 + 1);
    struct user_options none;
    bool one_insn = false;
    options_init(&none);
    *n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(table); i++, text += 2 * WORD) {
        const struct option *op = &table[i];
        const void *p = (const char *)o + op->at, *d = (const char *)&none + op->at;
        size_t size = op->type == T_FLAG ? sizeof(bool) : op->type == T_STR ? sizeof(char *) : sizeof(uint64_t);
        if (!(op->flags & PASS) || !memcmp(p, d, size)) continue;
        if (op->at == AT(one_insn)) { /* two names of one thing */
            if (one_insn) continue;
            one_insn = true;
        }
        snprintf(text, WORD, "-%s", op->name);
        w[(*n)++] = text;
        if (op->type == T_STR) {
            w[(*n)++] = *(char *const *)p;
        } else if (op->type != T_FLAG) {
            snprintf(text + WORD, WORD, "%llu", (unsigned long long)*(const uint64_t *)p);
            w[(*n)++] = text + WORD;
        }
    }
    w[*n] = NULL;
    return w;
}

static bool same_name(const char *a, const char *b, size_t n)
{
    return !strncmp(a, b, n) && a[n] == '=';
}

char **options_environ(const struct user_options *o, char **envp)
{
    size_t n = 0;
    while (envp[n]) n++;
    char **out = xalloc((n + o->nenv_edit + 1) * sizeof *out);
    memcpy(out, envp, n * sizeof *out);
    for (unsigned i = 0; i < o->nenv_edit; i++) {
        const char *w = o->env_edit[i] + 1;
        size_t len = strcspn(w, "="), k = 0;
        for (size_t j = 0; j < n; j++)
            if (!same_name(out[j], w, len)) out[k++] = out[j];
        if (o->env_edit[i][0] == '+') out[k++] = (char *)(uintptr_t)w;
        n = k;
    }
    out[n] = NULL;
    return out;
}
