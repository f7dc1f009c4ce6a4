/* main.c: isagen --prefix P_ --out-c FILE --out-h FILE tables...; see docs/isagen.md. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

static const char *option(char **argv, int argc, int *i)
{
    if (*i + 1 >= argc) die("%s needs a value", argv[*i]);
    return argv[++*i];
}

/* Files are written only when all tables were right: a failed build leaves nothing half done. */
static void write_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "w");

    if (!f || fwrite(text, 1, n, f) != n || fclose(f)) die("%s: cannot be written", path);
}

int main(int argc, char **argv)
{
    static struct isa isa = { .unit = 4 };
    const char *out_c = NULL, *out_h = NULL;
    char **files = calloc((size_t)argc, sizeof *files);
    unsigned nfiles = 0, nstmts = 0;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--prefix"))
            isa.prefix = option(argv, argc, &i);
        else if (!strcmp(argv[i], "--out-c"))
            out_c = option(argv, argc, &i);
        else if (!strcmp(argv[i], "--out-h"))
            out_h = option(argv, argc, &i);
        else if (argv[i][0] == '-')
            die("unknown option %s", argv[i]);
        else
            files[nfiles++] = argv[i];
    }
    if (!isa.prefix || !out_c || !out_h || !nfiles)
        die("usage: isagen --prefix P_ --out-c FILE --out-h FILE tables...");
    isa.upper = upper(isa.prefix);

    struct stmt *st = read_files(files, nfiles, &nstmts);
    isa_build(&isa, st, nstmts);
    if (errors) die("%u error%s; nothing written", errors, errors == 1 ? "" : "s");

    char *text = NULL;
    size_t n = 0;
    FILE *m = open_memstream(&text, &n);
    (isa.stream ? emit_stream_header : emit_header)(&isa, m);
    fclose(m);
    write_file(out_h, text, n);
    m = open_memstream(&text, &n);
    const char *base = strrchr(out_h, '/');
    (isa.stream ? emit_stream_source : emit_source)(&isa, m, base ? base + 1 : out_h);
    fclose(m);
    write_file(out_c, text, n);
    return 0;
}
