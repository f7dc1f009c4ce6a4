/*
 * main.c: one executable, many roles: argv[0] or the first word picks one.
 *   lyre-ARCH, qemu-ARCH, lyre ARCH   user mode of that architecture
 *   lyre FILE                         user mode of the architecture that FILE says
 *   lyre binfmt ...                   registration with the kernel
 *   lyre guests                       names of the architectures
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>
#include "bin/bin.h"
#include "cpu/guest.h"
#include "user/linux/user.h"

#define VERSION "0.1.0"
#define SPEAKS  "8.0.0" /* the version that scripts made for QEMU look for */

static const char *base_name(const char *path)
{
    const char *s = strrchr(path, '/');
    return s ? s + 1 : path;
}

/* "lyre-riscv64", "qemu-riscv64-static" -> the guest; NULL: no such role. */
static const struct guest *role_guest(const char *name)
{
    char arch[64];
    if (strncmp(name, "lyre-", 5) && strncmp(name, "qemu-", 5)) return NULL;
    snprintf(arch, sizeof arch, "%s", name + 5);
    size_t n = strlen(arch);
    if (n > 7 && !strcmp(arch + n - 7, "-static")) arch[n - 7] = 0;
    const struct guest *g = guest_find(arch);
    return g && g->lnx ? g : NULL;
}

static void print_version(const struct user_options *o)
{
    if (!strncmp(o->role, "qemu-", 5))
        printf("%s version %s (Lyrebird " VERSION ")\n", o->role, SPEAKS);
    else
        printf("lyrebird version " VERSION "\n");
}

static void cpu_help(const struct guest *g)
{
    printf("Available CPUs:\n");
    for (const struct cpu_model *m = g->models; m && m->name; m++) printf("  %-20s %s\n", m->name, m->help ? m->help : "");
}

/* The guest that the program (or, for a script, its interpreter) is for. */
static const struct guest *guest_of_file(const struct user_options *o, struct err *e)
{
    const struct guest *g;
    char head[256];
    int fd = o->exec_fd >= 0 ? o->exec_fd : open(o->argv[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_set(e, errno, "%s: %s", o->argv[0], strerror(errno));
        return NULL;
    }
    enum file_kind kind = file_kind(fd, &g, head, sizeof head);
    if (fd != o->exec_fd) close(fd);
    if (kind == FILE_HOST)
        err_set(e, ENOEXEC, "%s: a program of this machine, it needs no emulator", o->argv[0]);
    else if (kind == FILE_SCRIPT)
        err_set(e, ENOEXEC, "%s: a script; name its interpreter's file instead", o->argv[0]);
    else if (kind != FILE_GUEST)
        err_set(e, ENOEXEC, "%s: not a Linux program of an architecture known here ('lyre -h' lists them)", o->argv[0]);
    return g;
}

/* How the kernel calls a binfmt_misc interpreter: path first, then argv[0] (flag P), the file open (flag O). */
static void from_binfmt(struct user_options *o, int *argc, char ***argv)
{
    unsigned long flags = getauxval(AT_FLAGS);
    unsigned long fd;
    errno = 0;
    fd = getauxval(AT_EXECFD);
    if (!errno && fd) o->exec_fd = (int)fd;
    if ((flags & 1) && *argc >= 3) { /* AT_FLAGS_PRESERVE_ARGV0 */
        o->argv0 = (*argv)[2];
        (*argv)[2] = (*argv)[1];
        ++*argv;
        --*argc;
    }
}

static void print_guests(const char *before)
{
    for (const struct guest *const *g = guest_registry; *g; g++)
        if ((*g)->lnx) printf("%s%s", before, (*g)->name);
    printf("\n");
}

static void list_guests(void)
{
    printf("\nArchitectures:");
    print_guests(" ");
    printf("Other roles: lyre binfmt register|unregister|list [ARCH...]; lyre guests\n");
}

static int user_role(const char *role, const struct guest *g, const struct user_options *preset, int argc, char **argv, char **envp)
{
    struct user_options *o = xalloc(sizeof *o);
    struct err e = { 0 };
    o->role = role;
    o->guest = g;
    int n = options_parse(o, argc, argv, envp, &e);
    if (n < 0) {
        fprintf(stderr, "%s: %s\n", role, e.msg);
        return 1;
    }
    if (preset->argv0) o->argv0 = preset->argv0;
    if (preset->exec_fd >= 0) o->exec_fd = preset->exec_fd;
    if (o->help) {
        options_help(o);
        if (!g) list_guests();
        return 0;
    }
    if (o->version) {
        print_version(o);
        return 0;
    }
    if (o->log_items) {
        int r = log_parse(o->log_items, &log_mask, &e);
        if (r > 0) return 0;
        if (r < 0 || (o->log_file && log_open(o->log_file, &e) < 0)) {
            fprintf(stderr, "%s: %s\n", role, e.msg);
            return 1;
        }
    } else if (o->log_file && log_open(o->log_file, &e) < 0) {
        fprintf(stderr, "%s: %s\n", role, e.msg);
        return 1;
    }
    if (o->plugin) {
        fprintf(stderr, "%s: -plugin: plugins are not available yet\n", role);
        return 1;
    }
    if (o->trace) {
        if (!strcmp(o->trace, "help")) return 0;
        fprintf(stderr, "%s: warning: trace event '%s' does not exist\n", role, o->trace);
    }
    bool cpus = o->cpu && (!strcmp(o->cpu, "help") || !strcmp(o->cpu, "?"));
    if (cpus && g) {
        cpu_help(g);
        return 0;
    }
    if (n >= argc) {
        fprintf(stderr, "%s: no program given ('%s -h' for help)\n", role, role);
        return 1;
    }
    o->argv = argv + n;
    if (!o->guest) {
        o->guest = guest_of_file(o, &e);
        if (!o->guest) {
            fprintf(stderr, "%s: %s\n", role, e.msg);
            return e.code == ENOENT ? 127 : 126;
        }
        if (cpus) {
            cpu_help(o->guest);
            return 0;
        }
    }
    return user_main(o);
}

int main(int argc, char **argv, char **envp)
{
    const char *role = argc > 0 ? base_name(argv[0]) : "lyre";
    const struct guest *g = role_guest(role);
    struct user_options kernel = { .exec_fd = -1 };
    if (!g && argc > 1) {
        if (!strcmp(argv[1], "binfmt")) return binfmt_main(argc - 1, argv + 1);
        if (!strcmp(argv[1], "guests") && argc == 2) {
            print_guests(" ");
            return 0;
        }
        char word[64];
        snprintf(word, sizeof word, strncmp(argv[1], "lyre-", 5) && strncmp(argv[1], "qemu-", 5) ? "lyre-%s" : "%s", argv[1]);
        if (!strchr(argv[1], '/') && (g = role_guest(word))) {
            argv++;
            argc--;
            role = word;
        }
    }
    from_binfmt(&kernel, &argc, &argv);
    return user_role(role, g, &kernel, argc, argv, envp);
}
