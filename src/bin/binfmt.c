/*
 * binfmt.c: `lyre binfmt`: tells the kernel which interpreter runs which ELF files (Documentation/admin-guide/binfmt-misc).
 * Flags: O opens the file for the interpreter, P keeps argv[0], C takes the file's credentials, F opens the interpreter now.
 */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "bin/bin.h"
#include "base/base.h"
#include "lyre.h"

#define DIR_NAME "/proc/sys/fs/binfmt_misc"

struct request {
    const char *flags, *interp, *credential;
    bool print, all; /* all: no architecture was named */
};

/* Class, byte order, version, any OS, executable or shared object, machine. */
static int entry(char *buf, size_t size, const lyre_guest_info *g, const struct request *q)
{
    uint8_t magic[20] = { 0x7f, 'E', 'L', 'F', g->elf_class, g->big_endian ? ELFDATA2MSB : ELFDATA2LSB, EV_CURRENT };
    uint8_t mask[20];
    char m[20 * 4 + 1], k[20 * 4 + 1];
    unsigned lo = g->big_endian ? 17 : 16, mach = g->big_endian ? 19 : 18;
    memset(mask, 0xff, sizeof mask);
    mask[EI_OSABI] = 0;
    magic[lo] = ET_EXEC;
    mask[lo] = 0xfe; /* ET_EXEC, ET_DYN */
    magic[mach] = (uint8_t)g->elf_machine;
    magic[mach ^ 1] = (uint8_t)(g->elf_machine >> 8);
    for (unsigned i = 0; i < 20; i++) {
        sprintf(m + i * 4, "\\x%02x", magic[i]);
        sprintf(k + i * 4, "\\x%02x", mask[i]);
    }
    return snprintf(buf, size, ":lyre-%s:M::%s:%s:%s:%s", g->name, m, k, q->interp, q->flags);
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t n = write(fd, text, strlen(text));
    int r = n < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int failed(const char *what, const char *path, int r)
{
    fprintf(stderr, "lyre binfmt: %s: %s: %s%s\n", what, path, strerror(-r),
            r == -ENOENT ? " (mount -t binfmt_misc binfmt_misc " DIR_NAME ")" : r == -EACCES ? " (root may do it)" : "");
    return 1;
}

/* What this executable is a program of, the host runs by itself: if the kernel gave it to an interpreter, that would be given to it, too. */
enum host_runs { HOST_NO, HOST_ITSELF, HOST_ALSO /* the 32-bit programs of an x86-64 host */ };
static enum host_runs host_runs(const lyre_guest_info *g)
{
    uint8_t h[20] = { 0 };
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, h, sizeof h);
    if (fd >= 0) close(fd);
    unsigned machine = n == sizeof h ? h[18] | h[19] << 8 : EM_NONE;
    if (g->elf_machine == machine) return HOST_ITSELF;
    return machine == EM_X86_64 && g->elf_machine == EM_386 ? HOST_ALSO : HOST_NO;
}

static int reg(const lyre_guest_info *g, const struct request *q)
{
    char line[PATH_MAX + 512], old[PATH_MAX];
    enum host_runs host = host_runs(g);
    if (host != HOST_NO && q->all) return 0;
    if (host == HOST_ITSELF) {
        fprintf(stderr, "lyre binfmt: register: %s: programs of the host itself cannot have an interpreter\n", g->name);
        return 1;
    }
    entry(line, sizeof line, g, q);
    if (q->print) {
        printf("%s\n", line);
        return 0;
    }
    snprintf(old, sizeof old, DIR_NAME "/lyre-%s", g->name);
    if (!access(old, F_OK)) write_file(old, "-1");
    int r = write_file(DIR_NAME "/register", line);
    return r < 0 ? failed("register", g->name, r) : 0;
}

static int unreg(const lyre_guest_info *g, const struct request *q)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, DIR_NAME "/lyre-%s", g->name);
    if (q->print) {
        printf("echo -1 > %s\n", path);
        return 0;
    }
    int r = write_file(path, "-1");
    if (r == -ENOENT && q->all && !access(DIR_NAME "/register", F_OK)) return 0;
    return r < 0 ? failed("unregister", path, r) : 0;
}

static int list(const lyre_guest_info *g, const struct request *q)
{
    char path[PATH_MAX], line[512];
    snprintf(path, sizeof path, DIR_NAME "/lyre-%s", g->name);
    FILE *f = fopen(path, "re");
    printf("%-12s %s", g->name, f ? "registered" : "not registered");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "interpreter", 11) || !strncmp(line, "flags", 5) || !strcmp(line, "disabled")) printf("  %s", line);
    }
    printf("\n");
    if (f) fclose(f);
    return 0;
}

static const char usage[] =
    "usage: lyre binfmt register|unregister|list [--print] [--flags OPCF] [--interpreter PATH] [ARCH...]\n"
    "  register     the kernel runs programs of these architectures (default: all but the host's) with the interpreter\n"
    "  unregister   takes that back\n"
    "  list         shows what is registered\n"
    "  --print      prints what would be written instead\n"
    "  --flags      O open the program, P keep argv[0], C credentials of the program, F open the interpreter now\n"
    "               (default PF)\n"
    "  --interpreter  default: lyre-user beside this program\n";

/* lyre-user beside us if it is there, else this executable. */
static const char *default_interpreter(void)
{
    static char path[PATH_MAX];
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return "/usr/bin/lyre-user";
    self[n] = 0;
    char *slash = strrchr(self, '/');
    snprintf(path, sizeof path, "%.*s/lyre-user", (int)(slash - self), self);
    if (access(path, X_OK)) snprintf(path, sizeof path, "%s", self);
    return path;
}

int binfmt_main(int argc, char **argv)
{
    struct request q = { .flags = "PF", .interp = default_interpreter() };
    static const struct {
        const char *name;
        int (*fn)(const lyre_guest_info *g, const struct request *q);
    } verbs[] = { { "register", reg }, { "unregister", unreg }, { "list", list } };
    const char *verb = NULL, *arch[64];
    unsigned narch = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--print")) {
            q.print = true;
        } else if (!strcmp(argv[i], "--flags") && i + 1 < argc) {
            q.flags = argv[++i];
        } else if (!strcmp(argv[i], "--interpreter") && i + 1 < argc) {
            q.interp = argv[++i];
        } else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
            fputs(usage, stdout);
            return 0;
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "lyre binfmt: unknown option '%s'\n%s", argv[i], usage);
            return 1;
        } else if (!verb) {
            verb = argv[i];
        } else if (narch < ARRAY_LEN(arch)) {
            arch[narch++] = argv[i];
        }
    }
    if (strspn(q.flags, "OPCF") != strlen(q.flags) || strchr(q.interp, ':')) {
        fprintf(stderr, "lyre binfmt: %s\n", strchr(q.interp, ':') ? "the interpreter's path has a ':'" : "flags are of O, P, C, F");
        return 1;
    }
    for (unsigned v = 0; verb && v < ARRAY_LEN(verbs); v++) {
        if (strcmp(verb, verbs[v].name)) continue;
        int bad = 0;
        q.all = !narch;
        lyre_guest_info g = LYRE_INIT(lyre_guest_info);
        for (unsigned i = 0; i < narch; i++) {
            if (lyre_guest_find(arch[i], &g) || !g.linux_programs) {
                fprintf(stderr, "lyre binfmt: no architecture '%s'\n", arch[i]);
                bad = 1;
            } else {
                bad |= verbs[v].fn(&g, &q);
            }
        }
        for (unsigned i = 0; !narch && !lyre_guest(i, &g); i++)
            if (g.linux_programs) bad |= verbs[v].fn(&g, &q);
        return bad;
    }
    fputs(usage, stderr);
    return 1;
}
