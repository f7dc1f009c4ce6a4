/*
 * main.c: one executable, many roles: argv[0] or the first word picks one. A client of the library's public header.
 *   lyre-ARCH, qemu-ARCH, lyre ARCH   user mode of that architecture
 *   lyre FILE                         user mode of the architecture that FILE says
 *   lyre FILE, lyre -n FILE           a kernel, firmware, disk image or ISO boots; -n: prints the command line
 *   lyre binfmt ...                   registration with the kernel
 *   lyre guests                       names of the architectures
 *   lyre-img, qemu-img, lyre img      disk images
 *   lyre-nbd, qemu-nbd, lyre nbd      a disk image over NBD
 *   lyre-system-ARCH, qemu-system-ARCH, lyre system-ARCH   machines of that architecture
 *   lyre systems                      names of those architectures
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
#include "bin/bin.h"
#include "lyre.h"

#define SPEAKS "7.2.0" /* the version that scripts made for QEMU look for */

static const char *base_name(const char *path)
{
    const char *s = strrchr(path, '/');
    return s ? s + 1 : path;
}

/* "lyre-riscv64", "qemu-riscv64-static" -> the guest's name; NULL: no such role. */
static const char *role_guest(const char *name)
{
    char arch[64];
    lyre_guest_info g = LYRE_INIT(lyre_guest_info);
    if (strncmp(name, "lyre-", 5) && strncmp(name, "qemu-", 5)) return NULL;
    snprintf(arch, sizeof arch, "%s", name + 5);
    size_t n = strlen(arch);
    if (n > 7 && !strcmp(arch + n - 7, "-static")) arch[n - 7] = 0;
    return !lyre_guest_find(arch, &g) && g.linux_programs ? g.name : NULL;
}

/* --- what is only printed --------------------------------------------------------------------------------------------------- */

static void print_version(const char *role)
{
    if (!strncmp(role, "qemu-", 5))
        printf("%s version %s (Lyrebird %s)\n", role, SPEAKS, lyre_version());
    else
        printf("lyrebird version %s\n", lyre_version());
}

static void print_guests(const char *before)
{
    lyre_guest_info g = LYRE_INIT(lyre_guest_info);
    for (unsigned i = 0; !lyre_guest(i, &g); i++)
        if (g.linux_programs) printf("%s%s", before, g.name);
    printf("\n");
}

static void print_help(const char *role, const char *guest)
{
    lyre_option_info o = LYRE_INIT(lyre_option_info);
    printf("usage: %s [options] program [arguments...]\n"
           "Linux CPU emulator (runs %s programs)\n\n"
           "Options and associated environment variables:\n\n%-22s %-21s %s\n",
           role, guest ? guest : "foreign", "Argument", "Env-variable", "Description");
    for (unsigned i = 0; !lyre_program_option(i, &o); i++) {
        char head[64];
        if (!o.help) continue;
        snprintf(head, sizeof head, "-%s %s", o.name, o.argument ? o.argument : "");
        printf("%-22s %-21s %s\n", head, o.variable ? o.variable : "", o.help);
    }
    printf("\nDefaults:\nQEMU_LD_PREFIX  = /etc/qemu-binfmt/%s\nQEMU_STACK_SIZE = 8388608 byte\n", guest ? guest : "ARCH");
    if (guest) return;
    printf("\nArchitectures:");
    print_guests(" ");
    printf("Other roles: lyre binfmt register|unregister|list [ARCH...]; lyre guests\n");
}

static void print_cpus(const char *guest)
{
    const char *name, *help;
    printf("Available CPUs:\n");
    for (unsigned i = 0; !lyre_cpu_model(guest, i, &name, &help); i++) printf("  %-20s %s\n", name, help);
}

static void print_log_items(void)
{
    const char *name, *help;
    for (unsigned i = 0; !lyre_log_item(i, &name, &help); i++) printf("%-15s %s\n", name, help);
}

/* --- user mode --------------------------------------------------------------------------------------------------------------- */

static int failed(const char *role, const lyre_error *e, int status)
{
    fprintf(stderr, "%s: %s\n", role, e->message);
    return status;
}

static bool is_help(const char *s)
{
    return s && (!strcmp(s, "help") || !strcmp(s, "?"));
}

/* Options that end in something printed: the exit status, or -1 to go on. */
static int informative(const char *role, const char *guest, const lyre_program *p)
{
    const char *trace = lyre_program_get(p, "trace"), *items = lyre_program_get(p, "d");
    if (lyre_program_get(p, "help"))
        print_help(role, guest);
    else if (lyre_program_get(p, "version"))
        print_version(role);
    else if (items && !strcmp(items, "help"))
        print_log_items();
    else if (guest && is_help(lyre_program_get(p, "cpu")))
        print_cpus(guest);
    else if (!trace || strcmp(trace, "help"))
        return -1;
    return 0;
}

/* How the kernel calls a binfmt_misc interpreter: path first, then argv[0] (flag P), the file open (flag O). */
struct binfmt {
    const char *argv0;
    char fd[24];
};

static void from_binfmt(struct binfmt *b, int *argc, char ***argv)
{
    unsigned long flags = getauxval(AT_FLAGS);
    errno = 0;
    unsigned long fd = getauxval(AT_EXECFD);
    if (!errno && fd) snprintf(b->fd, sizeof b->fd, "%lu", fd);
    if ((flags & 1) && *argc >= 3) { /* AT_FLAGS_PRESERVE_ARGV0 */
        b->argv0 = (*argv)[2];
        (*argv)[2] = (*argv)[1];
        ++*argv;
        --*argc;
    }
}

/* What a shell says for not found, and for not executable. */
static int start_status(int r)
{
    return r == -ENOENT || r == -ENOTDIR ? 127 : 126;
}

static int user_role(const char *role, const char *guest, const struct binfmt *b, int argc, char **argv, char **envp)
{
    lyre_error e = { 0 };
    lyre_program *p = lyre_program_new(guest, &e);
    int n = p ? lyre_program_parse(p, argc, argv, &e) : -1;
    if (n < 0) return failed(role, &e, 1);
    if (b->argv0) lyre_program_set(p, "0", b->argv0, NULL);
    if (*b->fd) lyre_program_set(p, "execfd", b->fd, NULL);
    /* without /proc execve has only the name that this program was started by */
    lyre_program_set(p, "emulator", access("/proc/self/exe", F_OK) ? (const char *)getauxval(AT_EXECFN) : "/proc/self/exe", NULL);
    int r = informative(role, guest, p);
    if (r >= 0) return r;
    const char *items = lyre_program_get(p, "d"), *file = lyre_program_get(p, "D"), *trace = lyre_program_get(p, "trace");
    if ((items || file) && lyre_log(items, file, &e)) return failed(role, &e, 1);
    if (lyre_program_get(p, "plugin")) {
        fprintf(stderr, "%s: -plugin: plugins are not available yet\n", role);
        return 1;
    }
    if (trace) fprintf(stderr, "%s: warning: trace event '%s' does not exist\n", role, trace);
    if (n >= argc) {
        fprintf(stderr, "%s: no program given ('%s -h' for help)\n", role, role);
        return 1;
    }
    if (!guest && is_help(lyre_program_get(p, "cpu"))) {
        guest = lyre_program_guest(argv[n], *b->fd ? atoi(b->fd) : -1, &e);
        if (!guest) return failed(role, &e, start_status(-e.code));
        print_cpus(guest);
        return 0;
    }
    r = lyre_program_exec(p, argv + n, envp, &e);
    return failed(role, &e, start_status(r));
}

#ifdef LYRE_SYSTEM
/* Roles that lyre-user does not have. -1: none of them. */
static int system_role(const char *role, int argc, char **argv)
{
    if (!strcmp(role, "lyre-img") || !strcmp(role, "qemu-img")) return lyre_img(argc, argv);
    if (!strcmp(role, "lyre-nbd") || !strcmp(role, "qemu-nbd")) return lyre_nbd(argc, argv);
    const char *system = "lyre-system-";
    if (!strncmp(role, "lyre-system-", 12) || !strncmp(role, "qemu-system-", 12)) return lyre_system(role, role + 12, argc, argv);
    if (argc < 2 || strcmp(role, "lyre")) return -1;
    if (!strcmp(argv[1], "systems") && argc == 2) return lyre_system(role, NULL, argc, argv);
    if (!strncmp(argv[1], system + 5, 7)) return lyre_system(argv[1], argv[1] + 7, argc - 1, argv + 1);
    if (!strncmp(argv[1], system, 12)) return lyre_system(argv[1], argv[1] + 12, argc - 1, argv + 1);
    if (!strcmp(argv[1], "img") || !strcmp(argv[1], "lyre-img") || !strcmp(argv[1], "qemu-img")) return lyre_img(argc - 1, argv + 1);
    if (!strcmp(argv[1], "nbd") || !strcmp(argv[1], "lyre-nbd")) return lyre_nbd(argc - 1, argv + 1);
    if (strchr(argv[1], '/') || !access(argv[1], F_OK) || !strcmp(argv[1], "-n")) return lyre_image(argc, argv);
    return -1;
}
#endif

int main(int argc, char **argv, char **envp)
{
    const char *role = argc > 0 ? base_name(argv[0]) : "lyre";
    const char *g = role_guest(role);
    struct binfmt kernel = { 0 };
    char word[64];
#ifdef LYRE_SYSTEM
    int status = system_role(role, argc, argv);
    if (status >= 0) return status;
#endif
    if (!g && argc > 1) {
        if (!strcmp(argv[1], "binfmt")) return binfmt_main(argc - 1, argv + 1);
        if (!strcmp(argv[1], "guests") && argc == 2) {
            print_guests(" ");
            return 0;
        }
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
