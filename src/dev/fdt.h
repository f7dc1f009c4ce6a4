/*
 * fdt.h: a device tree in the making (floor 4): nodes and properties in memory, phandles given when somebody asks for one, written as
 * a blob by libfdt at the end; and the other way round. The format is the Devicetree Specification 0.4's, chapter 5.
 *
 * All strings and values are copied. Adding never fails to the caller's eyes (xalloc); what a blob from a user has wrong is an error.
 */
#ifndef LYRE_DEV_FDT_H
#define LYRE_DEV_FDT_H

#include "base/base.h"

struct fdt;
struct fdt_node;

struct fdt *fdt_new(void);
void fdt_free(struct fdt *f);
struct fdt_node *fdt_root(struct fdt *f);
struct fdt *fdt_of(struct fdt_node *n);
/* A child of that name (with unit address): the one that is there, or a new last one. */
struct fdt_node *fdt_child(struct fdt_node *parent, const char *fmt, ...) PRINTF(2, 3);
/* By path ("/soc/uart@10000000"); NULL: not there. */
struct fdt_node *fdt_find(struct fdt *f, const char *path);
void fdt_path(const struct fdt_node *n, char *buf, size_t size);
const char *fdt_name(const struct fdt_node *n);
void fdt_remove(struct fdt_node *n);
struct fdt_node *fdt_first(const struct fdt_node *n);  /* children, in order */
struct fdt_node *fdt_next(const struct fdt_node *n);

/* Properties; a second setting of a name replaces the first. */
void fdt_set(struct fdt_node *n, const char *name, const void *data, uint32_t len);
void fdt_set_empty(struct fdt_node *n, const char *name);
void fdt_set_str(struct fdt_node *n, const char *name, const char *s);
/* "a;b;c" to a list of strings. */
void fdt_set_strs(struct fdt_node *n, const char *name, const char *list);
void fdt_set_cells(struct fdt_node *n, const char *name, const uint32_t *cells, unsigned count);
void fdt_set_u32(struct fdt_node *n, const char *name, uint32_t v);
void fdt_set_u64(struct fdt_node *n, const char *name, uint64_t v);
/* Address and size with the parent's #address-cells and #size-cells (2 and 1 where it says nothing). */
void fdt_set_reg(struct fdt_node *n, uint64_t addr, uint64_t size);
/* Appends to a property: cells, or an address in as many cells as `cells` says. */
void fdt_add_cells(struct fdt_node *n, const char *name, const uint32_t *cells, unsigned count);
void fdt_add_num(struct fdt_node *n, const char *name, uint64_t v, unsigned cells);
void fdt_add_reg(struct fdt_node *n, uint64_t addr, uint64_t size);
/* The property's bytes, big endian as they are in the blob; NULL: none. */
const void *fdt_get(const struct fdt_node *n, const char *name, uint32_t *len);
bool fdt_get_u32(const struct fdt_node *n, const char *name, uint32_t *v);
void fdt_del(struct fdt_node *n, const char *name);

/* The node's phandle, made on demand. */
uint32_t fdt_phandle(struct fdt_node *n);
#define FDT_CELLS(n, name, ...) \
    fdt_set_cells(n, name, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

/* The blob (caller frees), `room` bytes longer than needed for changes by firmware. */
int fdt_write(struct fdt *f, uint32_t room, uint8_t **blob, uint32_t *size, struct err *e);
/* From a blob of a user: at most FDT_MAX bytes, FDT_DEPTH levels. NULL: *e says what is wrong. */
enum { FDT_MAX = 16 << 20, FDT_DEPTH = 64 };
struct fdt *fdt_read(const uint8_t *blob, size_t size, struct err *e);

#endif
