/*
 * monitor_cmd.h: commands of the monitors. A table anywhere in sys/, `const struct mon_table NAME_mon = {` at the start of a line, adds
 * its rows to both monitors: QMP's validation and introspection, HMP's syntax and help come from them.
 */
#ifndef LYRE_SYS_MONITOR_CMD_H
#define LYRE_SYS_MONITOR_CMD_H

#include <json-c/json.h>
#include "sys/monitor.h"

struct mon_call;
enum { MC_QMP = 1, MC_HMP = 2, MC_BOTH = 3 };

/*
 * args: "name:type" separated by commas, '?' behind the name where it may be left out:
 *   s  string (HMP: a word, or "quoted")         n  number (HMP: an expression)         b  boolean (HMP: on or off)
 *   t  string (HMP: the rest of the line)        o  object, l  list, a  anything (QMP only)
 *   /  HMP: a format, "/4xw"                     -x  HMP: a flag, boolean
 * HMP takes them in this order. A QMP object may have further members where the last one is "*".
 */
struct mon_cmd {
    const char *name;        /* "system_reset", "query-status", "info status" */
    uint8_t where;           /* MC_* */
    const char *args;
    int (*run)(struct mon_call *c, struct err *e); /* 0, or -errno with a sentence */
    const char *help;        /* HMP: a line */
    const char *alias;       /* HMP: another name */
    const char *ret;         /* QMP: a word for introspection, "any" unless said: "empty", "str", "list", "int", "bool" */
    const char *show;        /* HMP: the arguments as help shows them; NULL: their names */
};
/* Rows. Further members by name: .alias, .ret, .show. */
#define QMP(n, a, f, ...)      { .name = n, .where = MC_QMP, .args = a, .run = f, __VA_ARGS__ }
#define HMP(n, a, f, h, ...)   { .name = n, .where = MC_HMP, .args = a, .run = f, .help = h, __VA_ARGS__ }
#define BOTH(n, a, f, h, ...)  { .name = n, .where = MC_BOTH, .args = a, .run = f, .help = h, __VA_ARGS__ }
struct mon_table {
    const struct mon_cmd *cmds;
    unsigned count;
};
extern const struct mon_table *const mon_table_registry[];
#define LIST_ADD(o, ...) json_object_array_add(o, mon_obj(__VA_ARGS__, NULL))
/* A device by "/machine/peripheral/ID" or its id (monitor_qom.c). */
struct dev *mon_dev(struct mon_call *c, const char *path);
/* The block jobs of the monitors' graph (monitor_job.c). */
struct job_set *mon_jobs_new(struct monitors *s);
/* Where the monitors' NBD server is; *: NULL while there is none. */
struct nbd_server;
struct nbd_server **mon_nbd(struct monitors *s);
/* "max-riscv-cpu" */
void mon_cpu_type(const struct guest *g, const char *model, char *buf, size_t size);
#define MON_TABLE(t) .cmds = t, .count = ARRAY_LEN(t)

/* Events, for introspection. */
extern const char *const mon_events[];

/* A command that runs. */
struct mon_text {
    char *buf;
    size_t len, cap;
};
enum { MON_TEXT_MAX = 16 << 20 };
struct mon_call {
    struct monitors *set;
    struct machine *m;              /* may be NULL */
    const struct mon_cmd *cmd;
    struct json_object *args;       /* never NULL, checked against cmd->args */
    struct json_object *ret;        /* QMP: the answer; NULL becomes {} */
    const char *error_class;        /* "GenericError" unless set */
    struct mon_text *out;           /* HMP: text. NULL in QMP */
    struct chr_fe *fe;              /* where descriptors come along; may be NULL */
    unsigned *cpu;                  /* HMP: the CPU chosen by `cpu` */
    struct mon_hist *history;       /* HMP: NULL: none */
};
void mon_out(struct mon_call *c, const char *fmt, ...) PRINTF(2, 3);
void mon_put(struct mon_text *t, const char *s, size_t n);

/* Arguments: NULL, 0, false or `def` where they are not given. */
const char *mon_str(struct mon_call *c, const char *name);
int64_t mon_int(struct mon_call *c, const char *name, int64_t def);
bool mon_bool(struct mon_call *c, const char *name, bool def);
bool mon_has(struct mon_call *c, const char *name);
/* The error of class DeviceNotFound. */
int mon_no_device(struct mon_call *c, const char *id, struct err *e);

const struct monitors_config *mon_config(struct monitors *s);
/* JSON as QMP writes it: ", " and ": ", ASCII; pretty: a member per line. */
void mon_json(struct mon_text *t, struct json_object *o, bool pretty);
struct json_object *mon_obj(const char *key, ...); /* "name:s", char *, "n:i", int64_t, "b:b", int, "o:o", json_object *, NULL */

/* HMP (monitor_hmp.c). Runs a line; output into *t. */
void mon_hmp_line(struct monitors *s, const char *line, struct mon_text *t, unsigned *cpu, struct chr_fe *fe, struct mon_hist *hist);
/* An expression: "0x40000000 + $x1*2". Where it ends; NULL and *e. */
const char *mon_expr(struct mon_call *c, const char *text, int64_t *val, struct err *e);
/* The words that may follow `line` up to its last one (names of commands, of `info`): calls fn for each that begins as that does. */
void mon_complete(struct monitors *s, const char *line, void (*fn)(void *ctx, const char *word), void *ctx);
const struct mon_cmd *mon_find(const char *name, unsigned where);
/* Descriptors that getfd stored: the number, or -1; the name is free then. */
int mon_take_fd(struct monitors *s, const char *name);
int mon_store_fd(struct monitors *s, const char *name, int fd);
const char *mon_fd_name(struct monitors *s, unsigned i);

/* Argument rows of a table's text: calls fn for each; types as above, flag: 'x' of "-x". */
struct mon_arg {
    char name[48];
    char type, flag;
    bool optional;
};
/* Does the object fit the rows? */
int mon_check_args(const char *rows, struct json_object *args, struct err *e);
/* The next one at *text; false at the end. */
bool mon_arg_next(const char **text, struct mon_arg *a);

/* Editing of a line (monitor_line.c). */
struct mon_hist {
    char *line[64];
    unsigned count;
};
struct mon_line {
    char text[4096];
    unsigned len, pos, esc;          /* esc: what of an escape sequence has come */
    unsigned param;
    bool cr;
    int at;                          /* in the history, -1: the line itself */
    char *kept;                      /* the line while the history is shown */
    struct mon_hist hist;
    struct mon_text *out;
    void (*enter)(void *ctx, const char *line);
    void (*complete)(void *ctx, const char *line, void (*fn)(void *to, const char *word), void *to);
    void *ctx;
};
void mon_line_prompt(struct mon_line *l);
void mon_line_byte(struct mon_line *l, uint8_t b);
void mon_line_done(struct mon_line *l);

/* Cutting QMP's input into values (monitor_json.c). */
enum { MON_JSON_MAX = 16 << 20, MON_JSON_DEPTH = 1024 };
struct mon_framer {
    char *buf;
    size_t len, cap;
    unsigned depth;
    char quote;                      /* inside of a string that began with it */
    bool escape, bare, skip;
    const char *error;
};
/* Adds a byte: 1: buf[0..len) is a whole value (mon_framer_reset after use); -1: `error` says why it is none; 0: goes on. again: the
 * byte was not used up. */
int mon_framer_byte(struct mon_framer *f, uint8_t b, bool *again);
void mon_framer_reset(struct mon_framer *f);

#endif
