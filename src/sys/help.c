/* help.c: what is printed for people and for programs that parse it, in QEMU's line shapes (compat.md: help text is an API). */
#include "sys/sys.h"
#include "sys/monitor.h"

#include <stdio.h>
#include <stdlib.h>

static void line(void *ctx, const char *text)
{
    printf("%s\n", text);
}

static void name_line(void *ctx, const char *name, const char *help)
{
    printf("%s\n", name);
}

void help_version(struct sys *s)
{
    printf("QEMU emulator version %d.%d.%d (Lyrebird)\n", MONITOR_QEMU_MAJOR, MONITOR_QEMU_MINOR, MONITOR_QEMU_MICRO);
}

void help_machines(struct sys *s)
{
    const struct machine_type *t;
    printf("Supported machines are:\n");
    for (unsigned i = 0; (t = machine_nth(s->guest->name, i)); i++)
        printf("%-20s %s%s\n", t->name, t->help, t->is_default ? " (default)" : "");
    printf("%-20s %s\n", "none", "empty machine");
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct machine_prop *const *)a)->name, (*(const struct machine_prop *const *)b)->name);
}

void help_machine(struct sys *s, const struct machine_type *t)
{
    static const struct machine_prop common[] = {
        { "append", "what the kernel is told (-append)", NULL, NULL }, { "dtb", "device tree in place of the generated one (-dtb)", NULL, NULL },
        { "dumpdtb", "write the device tree to a file and end", NULL, NULL }, { "firmware", "firmware (-bios)", NULL, NULL },
        { "initrd", "ram disk of the kernel (-initrd)", NULL, NULL }, { "kernel", "kernel (-kernel)", NULL, NULL },
    };
    const struct machine_prop *list[64 + ARRAY_LEN(common)];
    unsigned n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(common); i++) list[n++] = &common[i];
    for (unsigned i = 0; i < t->nprops && i < 64; i++) list[n++] = &t->props[i];
    qsort(list, n, sizeof list[0], by_name);
    printf("%s-machine options:\n", t->name);
    for (unsigned i = 0; i < n; i++) {
        char head[80];
        snprintf(head, sizeof head, "%s=<%s>", list[i]->name, list[i]->words == machine_onoff ? "bool" : "string");
        printf("  %-22s - %s\n", head, list[i]->help);
    }
}

void help_cpus(struct sys *s)
{
    for (const struct cpu_model *c = s->guest->models; c->name; c++) printf("%s\n", c->name);
}

void help_devices(void) { dev_list(line, NULL); }

static const char *nth_device(void *ctx, unsigned i)
{
    for (const struct device *const *p = device_registry; *p; p++)
        if ((*p)->user_creatable && i-- == 0) return (*p)->name;
    return NULL;
}

int help_device(const char *name, struct err *e)
{
    const struct device *d = device_find(name);
    char near[160];
    if (!d) return err_set(e, ENODEV, "Device '%s' not found%s", name, near_words(near, sizeof near, name, nth_device, NULL));
    dev_describe(d, line, NULL);
    return 0;
}

void help_accels(void) { printf("Accelerators supported in QEMU binary:\ntcg\n"); }

void help_netdevs(void)
{
    printf("Available netdev backend types:\n");
    net_list_kinds(name_line, NULL);
}

static void indented(void *ctx, const char *name, const char *help)
{
    printf("  %s\n", name);
}

void help_chardevs(void)
{
    printf("Available chardev backend types: \n");
    chr_list_kinds(indented, NULL);
}

void help_log(void)
{
    const char *name, *text;
    printf("Log items (comma separated):\n");
    for (unsigned i = 0; !log_item(i, &name, &text); i++) printf("%-15s %s\n", name, text);
}
