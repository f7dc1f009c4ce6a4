/*
 * smbios.c: SMBIOS tables (DMTF DSP0134 3.4) as fw_cfg's etc/smbios/smbios-tables and etc/smbios/smbios-anchor: system, chassis, processors,
 * memory. Known gaps: -smbios.
 */
#include "machine/acpi.h"

#include <stdio.h>
#include <stdlib.h>
#include "dev/misc/fw_cfg.h"

/* A structure: type, bytes, handle; its strings follow when it is closed. */
static uint32_t open_type(struct acpi_buf *t, unsigned type, uint32_t handle)
{
    uint32_t at = t->len;
    acpi_num(t, type, 1);
    acpi_num(t, 0, 1);
    acpi_num(t, handle, 2);
    return at;
}

static void close_type(struct acpi_buf *t, uint32_t at, const char *const *strings)
{
    acpi_patch(t, at + 1, t->len - at, 1);
    for (; strings && *strings; strings++) acpi_put(t, *strings, (uint32_t)strlen(*strings) + 1);
    acpi_num(t, 0, strings && t->b[t->len - 1] == 0 && t->len > at + t->b[at + 1] ? 1 : 2);
}

/* The first three groups are little endian; without a UUID: zeros, "not settable". */
static void uuid(struct acpi_buf *t, const char *s)
{
    static const uint8_t at[16] = { 6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34 };
    for (unsigned i = 0; i < 16; i++) {
        char hex[3] = "00";
        if (s && strlen(s) == 36) memcpy(hex, s + at[i], 2);
        acpi_num(t, strtoul(hex, NULL, 16), 1);
    }
}

static void memory(struct machine *m, struct acpi_buf *t)
{
    uint64_t kib = m->cfg.ram >> 10, mib = m->cfg.ram >> 20, base = m->type->ram_base;
    uint32_t at = open_type(t, 16, 0x1000);
    acpi_num(t, 1 | 3 << 8 | 6 << 16, 3);       /* other location, system memory, ECC unknown kind */
    acpi_num(t, kib < 0x80000000 ? kib : 0x80000000, 4);
    acpi_num(t, 0xfffe, 2);
    acpi_num(t, 1, 2);
    acpi_num(t, kib < 0x80000000 ? 0 : m->cfg.ram, 8);
    close_type(t, at, NULL);
    at = open_type(t, 17, 0x1100);
    acpi_num(t, 0x1000, 2);
    acpi_num(t, 0xfffe, 2);
    acpi_num(t, 0xffffffff, 4);                 /* widths unknown */
    acpi_num(t, mib < 0x7fff ? mib : 0x7fff, 2);
    acpi_num(t, 9, 1);                          /* DIMM */
    acpi_num(t, 0, 1);
    acpi_num(t, 1, 1);
    acpi_num(t, 0, 1);
    acpi_num(t, 7, 1);                          /* RAM */
    acpi_num(t, 2, 2);
    acpi_num(t, 0, 2);
    acpi_num(t, 2, 1);                          /* manufacturer */
    acpi_zero(t, 4);
    acpi_num(t, mib < 0x7fff ? 0 : mib, 4);
    acpi_zero(t, 2 + 6);
    close_type(t, at, (const char *const[]){ "DIMM 0", "Lyrebird", NULL });
    at = open_type(t, 19, 0x1300);
    acpi_num(t, 0xffffffff, 4);
    acpi_num(t, 0xffffffff, 4);
    acpi_num(t, 0x1000, 2);
    acpi_num(t, 1, 1);
    acpi_num(t, base, 8);
    acpi_num(t, base + m->cfg.ram - 1, 8);
    close_type(t, at, NULL);
}

static void processor(struct machine *m, struct acpi_buf *t)
{
    char model[64];
    size_t n = strcspn(m->cfg.cpu, ",");
    snprintf(model, sizeof model, "%.*s", (int)MIN(n, sizeof model - 1), m->cfg.cpu);
    uint32_t at = open_type(t, 4, 0x400);
    acpi_num(t, 1, 1);                          /* socket */
    acpi_num(t, 3, 1);                          /* central processor */
    acpi_num(t, 0xfe, 1);                       /* family: in the second field */
    acpi_num(t, 2, 1);
    acpi_zero(t, 8);
    acpi_num(t, 3, 1);
    acpi_zero(t, 1 + 2 + 2 + 2);
    acpi_num(t, 0x41, 1);                       /* populated, enabled */
    acpi_num(t, 1, 1);
    acpi_num(t, UINT64_MAX, 6);                 /* caches: none told */
    acpi_zero(t, 3);
    unsigned cores = MIN(m->ncpus, 255u);
    acpi_num(t, cores, 1);
    acpi_num(t, cores, 1);
    acpi_num(t, cores, 1);
    acpi_num(t, 4, 2);                          /* 64 bits */
    acpi_num(t, m->guest->elf_machine == 243 ? 0x201 : 0x101, 2); /* RV64, ARMv8 */
    for (unsigned i = 0; i < 3; i++) acpi_num(t, m->ncpus, 2);
    close_type(t, at, (const char *const[]){ "CPU 0", "Lyrebird", model, NULL });
}

int smbios_install(struct machine *m, const char *product, struct err *e)
{
    struct acpi_buf t = { 0 }, a = { 0 };
    struct dev *fw = dev_find(&m->b, "fw_cfg");
    if (!fw) return 0;
    uint32_t at = open_type(&t, 1, 0x100);
    acpi_num(&t, 1 | 2 << 8 | 3 << 16, 4);      /* manufacturer, product, version */
    uuid(&t, m->cfg.uuid);
    acpi_num(&t, 6, 1);                         /* power switch */
    acpi_zero(&t, 2);
    close_type(&t, at, (const char *const[]){ "Lyrebird", product, m->type->name, NULL });
    at = open_type(&t, 3, 0x300);
    acpi_num(&t, 1 | 1 << 8, 2);
    acpi_zero(&t, 3);
    acpi_num(&t, 0x03030303, 4);                /* safe states */
    acpi_zero(&t, 4 + 4 + 1);
    close_type(&t, at, (const char *const[]){ "Lyrebird", NULL });
    processor(m, &t);
    memory(m, &t);
    at = open_type(&t, 32, 0x2000);
    acpi_zero(&t, 7);
    close_type(&t, at, NULL);
    close_type(&t, open_type(&t, 127, 0x7f00), NULL);
    acpi_put(&a, "_SM3_", 5);
    acpi_num(&a, 0, 1);
    acpi_num(&a, 24, 1);
    acpi_num(&a, 3 | 4 << 8, 3);
    acpi_num(&a, 1, 1);
    acpi_num(&a, 0, 1);
    acpi_num(&a, t.len, 4);
    acpi_num(&a, 0, 8);
    uint8_t sum = 0;
    for (uint32_t i = 0; i < a.len; i++) sum = (uint8_t)(sum + a.b[i]);
    acpi_patch(&a, 5, (uint8_t)-sum, 1);
    int r = fw_cfg_file(fw, "etc/smbios/smbios-tables", t.b, t.len, e);
    if (!r) r = fw_cfg_file(fw, "etc/smbios/smbios-anchor", a.b, a.len, e);
    free(t.b);
    free(a.b);
    return r;
}
