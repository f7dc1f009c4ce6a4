/* info.c: the library's version, guests and CPU models, the log. */
#include "api/api.h"

#include <stdlib.h>

unsigned lyre_api_version(void)
{
    return LYRE_API_VERSION;
}

const char *lyre_version(void)
{
    return LYRE_RELEASE;
}

void api_fill(void *out, const void *from, size_t from_size)
{
    size_t size;
    memcpy(&size, out, sizeof size);
    if (size <= sizeof size) return;
    memcpy((char *)out + sizeof size, (const char *)from + sizeof size, MIN(size, from_size) - sizeof size);
}

static void fill_guest(const struct guest *g, lyre_guest_info *info)
{
    API_FILL(info, (lyre_guest_info){ .name = g->name, .aliases = g->aliases, .elf_machine = g->elf_machine, .elf_class = g->elf_class,
                                      .big_endian = g->big_endian, .linux_programs = g->lnx != NULL, .code_align = g->insn_align });
}

int lyre_guest(unsigned index, lyre_guest_info *info)
{
    const struct guest *const *g = guest_registry;
    for (; *g && index; index--) g++;
    if (!*g) return -ENOENT;
    fill_guest(*g, info);
    return 0;
}

int lyre_guest_find(const char *name, lyre_guest_info *info)
{
    const struct guest *g = guest_find(name);
    if (!g) return -ENOENT;
    fill_guest(g, info);
    return 0;
}

int lyre_cpu_model(const char *guest, unsigned index, const char **name, const char **help)
{
    const struct guest *g = guest_find(guest);
    const struct cpu_model *m = g ? g->models : NULL;
    if (!m) return -ENOENT;
    for (; m->name && index; index--) m++;
    if (!m->name) return -ENOENT;
    *name = m->name;
    *help = m->help ? m->help : "";
    return 0;
}

int lyre_log(const char *items, const char *file, lyre_error *e)
{
    unsigned mask = 0;
    int r = items ? log_parse(items, &mask, api_err(e)) : 0;
    if (r < 0 || (file && (r = log_open(file, api_err(e))) < 0)) return r;
    log_mask = mask;
    return 0;
}

int lyre_log_item(unsigned index, const char **name, const char **help)
{
    return log_item(index, name, help);
}
