/*
 * regscan: writes the registries. Scans the sources under a folder for definitions at the start of a line,
 *   const struct guest NAME = {      const struct host NAME = {
 * and writes one array per kind. "Filename is identity": a new guest or host is one new file, nothing to register.
 *
 * usage: regscan SRCDIR OUT.c
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct kind {
    const char *type, *header, *array;
} kinds[] = {
    { "guest", "cpu/guest.h", "guest_registry" },
    { "host", "cpu/host.h", "host_registry" },
};
enum { NKINDS = sizeof kinds / sizeof *kinds, MAX_NAMES = 256 };

static char names[NKINDS][MAX_NAMES][64];
static unsigned count[NKINDS];

static void scan_file(const char *path)
{
    char line[512];
    FILE *f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "regscan: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    while (fgets(line, sizeof line, f)) {
        for (unsigned k = 0; k < NKINDS; k++) {
            char name[64], type[32];
            if (sscanf(line, "const struct %31s %63[a-zA-Z0-9_] = {", type, name) != 2 || strcmp(type, kinds[k].type))
                continue;
            if (!strstr(line, " = {")) continue;
            if (count[k] == MAX_NAMES) {
                fprintf(stderr, "regscan: %s: more than %d of struct %s\n", path, MAX_NAMES, type);
                exit(1);
            }
            strcpy(names[k][count[k]++], name);
        }
    }
    fclose(f);
}

static void scan_dir(const char *dir)
{
    struct dirent **e;
    int n = scandir(dir, &e, NULL, alphasort);
    if (n < 0) {
        fprintf(stderr, "regscan: %s: %s\n", dir, strerror(errno));
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        size_t len = strlen(e[i]->d_name);
        if (e[i]->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", dir, e[i]->d_name) < (int)sizeof path &&
            !stat(path, &st)) {
            if (S_ISDIR(st.st_mode))
                scan_dir(path);
            else if (len > 2 && !strcmp(e[i]->d_name + len - 2, ".c"))
                scan_file(path);
        }
        free(e[i]);
    }
    free(e);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: regscan SRCDIR OUT.c\n");
        return 2;
    }
    scan_dir(argv[1]);
    FILE *out = fopen(argv[2], "w");
    if (!out) {
        fprintf(stderr, "regscan: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    fprintf(out, "/* Written by tools/regscan from the source folders. */\n");
    for (unsigned k = 0; k < NKINDS; k++) fprintf(out, "#include \"%s\"\n", kinds[k].header);
    for (unsigned k = 0; k < NKINDS; k++) {
        fprintf(out, "\n");
        for (unsigned i = 0; i < count[k]; i++)
            fprintf(out, "extern const struct %s %s;\n", kinds[k].type, names[k][i]);
        fprintf(out, "const struct %s *const %s[] = {\n", kinds[k].type, kinds[k].array);
        for (unsigned i = 0; i < count[k]; i++) fprintf(out, "    &%s,\n", names[k][i]);
        fprintf(out, "    NULL\n};\n");
    }
    return fclose(out) != 0;
}
