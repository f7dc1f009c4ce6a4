/*
 * acpi_aml.c: byte code of ACPI's namespace, AML (ACPI 6.5, chapter 20), and resource descriptors (chapter 6.4): as much as boards need.
 */
#include "machine/acpi.h"

#include <stdio.h>
#include <stdlib.h>

void acpi_put(struct acpi_buf *t, const void *data, uint32_t n)
{
    if (!n) return;
    t->b = vec_grow(t->b, &t->cap, t->len + n, 1);
    if (data) memcpy(t->b + t->len, data, n);
    else memset(t->b + t->len, 0, n);
    t->len += n;
}

void acpi_zero(struct acpi_buf *t, uint32_t n)
{
    acpi_put(t, NULL, n);
}

void acpi_patch(struct acpi_buf *t, uint32_t at, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes && at + i < t->len; i++) t->b[at + i] = (uint8_t)(v >> i * 8);
}

void acpi_num(struct acpi_buf *t, uint64_t v, unsigned bytes)
{
    acpi_put(t, NULL, bytes);
    acpi_patch(t, t->len - bytes, v, bytes);
}

void acpi_gas(struct acpi_buf *t, uint64_t addr)
{
    acpi_num(t, 0 | 32 << 8 | 0 << 16 | 3u << 24, 4);
    acpi_num(t, addr, 8);
}

/* --- names and lengths ------------------------------------------------------------------------------------------------------------ */

void aml_op(struct acpi_buf *t, unsigned op)
{
    acpi_num(t, op, 1);
}

/* Segments of four letters, filled up with '_'; separated by dots. */
void aml_path(struct acpi_buf *t, const char *path)
{
    unsigned segs = 1;
    for (; *path == '\\' || *path == '^'; path++) acpi_put(t, path, 1);
    for (const char *p = path; *p; p++) segs += *p == '.';
    if (!*path) {
        aml_op(t, 0);
        return;
    }
    if (segs == 2) aml_op(t, 0x2e);
    if (segs > 2) acpi_num(t, 0x2f | segs << 8, 2);
    for (;;) {
        char seg[4] = { '_', '_', '_', '_' };
        size_t n = strcspn(path, ".");
        memcpy(seg, path, MIN(n, sizeof seg));
        acpi_put(t, seg, 4);
        if (!path[n]) return;
        path += n + 1;
    }
}

/* The length of everything from `open` on, itself included, is put in front of it. */
void aml_close(struct acpi_buf *t, uint32_t open)
{
    uint32_t n = t->len - open, k = n + 1 < 0x40 ? 1 : n + 2 < 0x1000 ? 2 : n + 3 < 0x100000 ? 3 : 4;
    uint8_t lead[4];
    n += k;
    lead[0] = (uint8_t)(k == 1 ? n : (k - 1) << 6 | (n & 15));
    for (uint32_t i = 1; i < k; i++) lead[i] = (uint8_t)(n >> (i * 8 - 4));
    acpi_zero(t, k);
    memmove(t->b + open + k, t->b + open, t->len - k - open);
    memcpy(t->b + open, lead, k);
}

uint32_t aml_scope(struct acpi_buf *t, const char *path)
{
    aml_op(t, 0x10);
    uint32_t open = t->len;
    aml_path(t, path);
    return open;
}

uint32_t aml_device(struct acpi_buf *t, const char *name)
{
    acpi_num(t, 0x825b, 2);
    uint32_t open = t->len;
    aml_path(t, name);
    return open;
}

uint32_t aml_method(struct acpi_buf *t, const char *name, unsigned args, bool serialized)
{
    aml_op(t, 0x14);
    uint32_t open = t->len;
    aml_path(t, name);
    aml_op(t, args | (unsigned)serialized << 3);
    return open;
}

uint32_t aml_package(struct acpi_buf *t, unsigned elements)
{
    aml_op(t, 0x12);
    uint32_t open = t->len;
    aml_op(t, elements);
    return open;
}

uint32_t aml_if(struct acpi_buf *t)
{
    aml_op(t, 0xa0);
    return t->len;
}

uint32_t aml_else(struct acpi_buf *t)
{
    aml_op(t, 0xa1);
    return t->len;
}

/* --- values --------------------------------------------------------------------------------------------------------------------------- */

void aml_name(struct acpi_buf *t, const char *name)
{
    aml_op(t, 0x08);
    aml_path(t, name);
}

void aml_int(struct acpi_buf *t, uint64_t v)
{
    if (v <= 1) {
        aml_op(t, (unsigned)v);
        return;
    }
    unsigned bytes = v > UINT32_MAX ? 8 : v > UINT16_MAX ? 4 : v > UINT8_MAX ? 2 : 1;
    aml_op(t, bytes == 8 ? 0x0e : bytes == 4 ? 0x0c : bytes == 2 ? 0x0b : 0x0a);
    acpi_num(t, v, bytes);
}

void aml_str(struct acpi_buf *t, const char *s)
{
    aml_op(t, 0x0d);
    acpi_put(t, s, (uint32_t)strlen(s) + 1);
}

void aml_name_int(struct acpi_buf *t, const char *name, uint64_t v)
{
    aml_name(t, name);
    aml_int(t, v);
}

void aml_name_str(struct acpi_buf *t, const char *name, const char *s)
{
    aml_name(t, name);
    aml_str(t, s);
}

/* Buffer () {16 bytes}: the first three groups are little endian (ToUUID). */
void aml_uuid(struct acpi_buf *t, const char *uuid)
{
    static const uint8_t at[16] = { 6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34 };
    aml_op(t, 0x11);
    uint32_t open = t->len;
    aml_int(t, 16);
    for (unsigned i = 0; i < 16; i++) {
        char hex[3] = { uuid[at[i]], uuid[at[i] + 1], 0 };
        aml_op(t, (unsigned)strtoul(hex, NULL, 16));
    }
    aml_close(t, open);
}

/* --- resources --------------------------------------------------------------------------------------------------------------------------- */

/* The buffer's size is a word constant that is patched at the end. */
uint32_t aml_crs(struct acpi_buf *t, const char *name)
{
    aml_name(t, name);
    aml_op(t, 0x11);
    uint32_t open = t->len;
    aml_op(t, 0x0b);
    acpi_num(t, 0, 2);
    return open;
}

void aml_crs_close(struct acpi_buf *t, uint32_t open)
{
    acpi_num(t, 0x0079, 2); /* end tag, no checksum */
    acpi_patch(t, open + 1, t->len - open - 3, 2);
    aml_close(t, open);
}

void aml_memory32(struct acpi_buf *t, uint64_t at, uint64_t size)
{
    acpi_num(t, 0x86 | 9 << 8, 3);
    aml_op(t, 1);
    acpi_num(t, at, 4);
    acpi_num(t, size, 4);
}

void aml_irq(struct acpi_buf *t, uint32_t gsi, bool edge, bool shared)
{
    acpi_num(t, 0x89 | 6 << 8, 3);
    aml_op(t, 1 | (unsigned)edge << 1 | (unsigned)shared << 3);
    aml_op(t, 1);
    acpi_num(t, gsi, 4);
}

void aml_space(struct acpi_buf *t, unsigned bytes, unsigned type, uint64_t min, uint64_t size, uint64_t translate)
{
    acpi_num(t, bytes == 8 ? 0x8a : bytes == 4 ? 0x87 : 0x88, 1);
    acpi_num(t, 3 + 5 * bytes, 2);
    aml_op(t, type);
    aml_op(t, 0x0c);                                           /* producer, fixed at both ends, positive decode */
    aml_op(t, type == AML_SPACE_IO ? 3 : type == AML_SPACE_MEM ? 1 : 0); /* whole range; read-write */
    acpi_num(t, 0, bytes);
    acpi_num(t, min, bytes);
    acpi_num(t, min + size - 1, bytes);
    acpi_num(t, translate, bytes);
    acpi_num(t, size, bytes);
}

/* Edge, active high, exclusive. */
void aml_gpio_int(struct acpi_buf *t, unsigned pin, const char *controller)
{
    uint32_t name = (uint32_t)strlen(controller) + 1;
    acpi_num(t, 0x8c, 1);
    acpi_num(t, 22 + name, 2);
    aml_op(t, 1);             /* revision */
    aml_op(t, 0);             /* interrupt */
    acpi_num(t, 1, 2);        /* consumer */
    acpi_num(t, 1, 2);        /* edge */
    aml_op(t, 1);             /* pull up */
    acpi_num(t, 0, 2);        /* drive */
    acpi_num(t, 0, 2);        /* debounce */
    acpi_num(t, 23, 2);       /* pins */
    aml_op(t, 0);
    acpi_num(t, 25, 2);       /* the controller's name */
    acpi_num(t, 25 + name, 2); /* vendor data: none */
    acpi_num(t, 0, 2);
    acpi_num(t, pin, 2);
    acpi_put(t, controller, name);
}
