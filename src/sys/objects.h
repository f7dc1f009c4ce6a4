/* objects.h: -object, object-add: what has an id and belongs to no bus: iothreads, groups of limits, secrets, filters (floor 6.5). */
#ifndef LYRE_SYS_OBJECTS_H
#define LYRE_SYS_OBJECTS_H

#include "io/opts.h"

struct objects;
struct object;
struct blk_graph;
struct iothread;
struct loop;
struct net_set;

struct objects *objects_new(struct loop *l, struct blk_graph *blks, struct net_set *nets);
/* After devices and block graph: lock held. */
void objects_free(struct objects *s);
/* o: qom-type=, id=, properties. */
int object_add(struct objects *s, const struct opts *o, struct err *e);
int object_add_text(struct objects *s, const char *text, struct err *e);
int object_del(struct objects *s, const char *id, struct err *e);

struct object *object_next(struct objects *s, const struct object *after);
struct object *object_find(struct objects *s, const char *id);
const char *object_id(const struct object *o);
const char *object_type(const struct object *o);
const char *object_type_nth(unsigned i); /* NULL past the last */
/* Properties as they were given, "a.b" for members of members; NULL. */
const char *object_prop(const struct object *o, const char *name);
const struct opts *object_props(const struct object *o);
/* qom-set. */
int object_set(struct objects *s, struct object *o, const char *name, const struct opts *value, struct err *e);

struct iothread *objects_iothread(void *objects, const char *id);
/* The text of a secret; NULL: there is none of that id. Lives as long as the object. */
const char *objects_secret(struct objects *s, const char *id);

#endif
