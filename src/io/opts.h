/*
 * opts.h: options as the command line and QMP write them (floor 3): "kind,id=a,path=/x,,y,server,nowait,size=1M", JSON objects, and
 * QMP arguments. All become one flat list of keys and values: {"a":{"b":[1,true]}} is a.b.0=1, a.b.1=on.
 */
#ifndef LYRE_IO_OPTS_H
#define LYRE_IO_OPTS_H

#include "base/base.h"

struct opt {
    char *key, *val;
    bool flag;  /* came without a value: "server" (val is "on") or "nowait" (key is "wait", val is "off") */
    bool used; /* somebody asked for it: opts_check complains of the others */
};
struct opts {
    struct opt *list;
    uint32_t count, cap;
};
struct json_object;

/*
 * Parses text; *o is emptied first and owned by the caller (opts_free). implied: the key of a first item without "=" (NULL: none).
 * A value's comma is doubled. Text that begins with '{' is JSON. Of several settings of a key the last one counts, opts_each gives all.
 * At most OPTS_MAX items.
 */
enum { OPTS_MAX = 4096, OPTS_DEPTH = 16 };
int opts_parse(struct opts *o, const char *text, const char *implied, struct err *e);
int opts_json(struct opts *o, struct json_object *obj, struct err *e);
void opts_free(struct opts *o);
/* Adds a setting; replaces an earlier one of the key. */
void opts_add(struct opts *o, const char *key, const char *val);
void opts_del(struct opts *o, const char *key);
/* Copies all settings of `from`, those with a prefix only and without it (NULL: all). */
void opts_copy(struct opts *o, const struct opts *from, const char *prefix);
/* The settings as text for `-X` again (commas doubled); caller frees. */
char *opts_text(const struct opts *o);

/* Values. get: the last one, NULL if there is none. Numbers: decimal, 0x, with K M G T P suffix for sizes. Errors name key and value. */
bool opts_has(const struct opts *o, const char *key);
const char *opts_get(const struct opts *o, const char *key);
/* Settings of a list: key=a,key=b, or key.0=, key.1=; with "str" objects key.0.str=. *i begins at 0; NULL after the last. */
const char *opts_each(const struct opts *o, const char *key, uint32_t *i);
/* The value, or `def` where there is none. */
const char *opts_str(const struct opts *o, const char *key, const char *def);
int opts_bool(const struct opts *o, const char *key, bool def, bool *val, struct err *e);
int opts_num(const struct opts *o, const char *key, uint64_t def, uint64_t min, uint64_t max, uint64_t *val, struct err *e);
int opts_size(const struct opts *o, const char *key, uint64_t def, uint64_t *val, struct err *e);
/* Which of the names (ended by NULL) the value is; def if it is not set. -EINVAL lists the names. */
int opts_enum(const struct opts *o, const char *key, const char *const *names, int def, int *val, struct err *e);
/* Complains of the first setting that nobody asked for; what: "chardev socket". */
int opts_check(const struct opts *o, const char *what, struct err *e);

/* Ids are letters, digits, '-', '.', '_', and begin with a letter. */
bool opts_id_ok(const char *id);

#endif
