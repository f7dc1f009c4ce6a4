/*
 * regscan: writes a registry. Scans the sources under a folder for definitions at the start of a line,
 *   const struct guest NAME = {      const struct device NAME = {
 * and writes one array per kind. "Filename is identity": a new guest or device is one new file, nothing to register.
 *
 * usage: regscan SRCDIR OUT.c TYPE=HEADER...      (the array of struct TYPE is called TYPE_registry)
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_KINDS = 16, MAX_NAMES = 1024 };

static struct kind {
    const char *type, *header;
    char name[MAX_NAMES][64];
    unsigned count;
} kinds[MAX_KINDS];
static unsigned nkinds;

static void scan_file(const char *path)
{
    char line[512];
    FILE *f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "regscan: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    while (fgets(line, sizeof line, f)) {
        for (struct kind *k = kinds; k < kinds + nkinds; k++) {
            char name[64], type[32];
            if (sscanf(line, "const struct %31s %63[a-zA-Z0-9_] = {", type, name) != 2 || strcmp(type, k->type))
                continue;
            if (!strstr(line, " = {")) continue;
            if (k->count == MAX_NAMES) {
                fprintf(stderr, "regscan: %s: more than %d of struct %s\n", path, MAX_NAMES, type);
                exit(1);
            }
            strcpy(k->name[k->count++], name);
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
    if (argc < 4 || argc - 3 > MAX_KINDS) {
        fprintf(stderr, "usage: regscan SRCDIR OUT.c TYPE=HEADER...\n");
        return 2;
    }
    for (int i = 3; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (!eq) {
            fprintf(stderr, "regscan: %s is not TYPE=HEADER\n", argv[i]);
            return 2;
        }
        *eq = 0;
        kinds[nkinds].type = argv[i];
        kinds[nkinds++].header = eq + 1;
    }
    scan_dir(argv[1]);
    FILE *out = fopen(argv[2], "w");
    if (!out) {
        fprintf(stderr, "regscan: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    fprintf(out, "/* Written by tools/regscan from the source folders. */\n");
    for (const struct kind *k = kinds; k < kinds + nkinds; k++) fprintf(out, "#include \"%s\"\n", k->header);
    for (const struct kind *k = kinds; k < kinds + nkinds; k++) {
        fprintf(out, "\n");
        for (unsigned i = 0; i < k->count; i++) fprintf(out, "extern const struct %s %s;\n", k->type, k->name[i]);
        fprintf(out, "const struct %s *const %s_registry[] = {\n", k->type, k->type);
        for (unsigned i = 0; i < k->count; i++) fprintf(out, "    &%s,\n", k->name[i]);
        fprintf(out, "    NULL\n};\n");
    }
    return fclose(out) != 0;
}
