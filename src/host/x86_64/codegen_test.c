/*
 * codegen_test.c: golden tests of generated code: each case of tests/codegen/x86_64.txt is IR text and the
 * instructions its hot path becomes on a host with AVX2, FMA, BMI and no AVX-512, as objdump prints them.
 * After an intended change, run with LYRE_GOLDEN=1 to rewrite the file, and read the difference.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "host/x86_64/gen.h"

extern const struct host x86_64_host;

/* Eleven 64-bit registers, eight of them pinned (a0..a7), four flags, floating point and vectors. */
static const struct ir_reg regs[] = {
#define R(n, t, p, o)                                                                                        \
    {                                                                                                        \
        n, t, 0, p, (int32_t)sizeof(CPU) + (o)                                                               \
    }
    R("a0", T_I64, 0, 0),     R("a1", T_I64, 1, 8),     R("a2", T_I64, 2, 16),   R("a3", T_I64, 3, 24),
    R("a4", T_I64, 4, 32),    R("a5", T_I64, 5, 40),    R("a6", T_I64, 6, 48),   R("a7", T_I64, 7, 56),
    R("s0", T_I64, -1, 64),   R("s1", T_I64, -1, 72),   R("s2", T_I64, -1, 80),  R("n", T_I1, -1, 88),
    R("z", T_I1, -1, 89),     R("c", T_I1, -1, 90),     R("v", T_I1, -1, 91),    R("f0", T_F64, -1, 96),
    R("f1", T_F64, -1, 104),  R("f2", T_F64, -1, 112),
    R("q0", T_V128, -1, 128), R("q1", T_V128, -1, 144),
};

static struct ir ir;
static void *host;
static struct code_buf buf0;
static uint8_t *code;
enum { CODE = 1 << 16 };

static void *setup_host(void)
{
    struct host_env env = {
        .regs = regs, .nregs = ARRAY_LEN(regs), .jc_offset = 4096, .addr_bits = 64, .pins = 8};
    struct err e;
    code = aligned_alloc(4096, CODE);
    assert_non_null(code);
    buf0 = (struct code_buf){code, code + CODE, 0};
    void *h = x86_64_host.init(&env, &buf0, &e);
    assert_non_null(h);
    x86 = (struct x86_features){.avx = true,
                                .avx2 = true,
                                .fma = true,
                                .f16c = true,
                                .bmi1 = true,
                                .bmi2 = true,
                                .lzcnt = true,
                                .popcnt = true,
                                .movbe = true,
                                .pclmul = true,
                                .aes = true,
                                .sse42 = true,
                                .cx16 = true};
    return h;
}

/* One line of objdump, without address and tabs; addresses as offsets, those outside the region as "thunk".
 */
static void tidy(char *line, uint32_t size, FILE *out)
{
    char *tab = strrchr(line, '\t');
    if (!tab) return;
    char *text = tab + 1, *x;
    text[strcspn(text, "\n#")] = 0;
    for (size_t n = strlen(text); n && text[n - 1] == ' ';)
        text[--n] = 0;
    unsigned long at = strtoul(line, NULL, 16);
    if (text[0] == 'j' && !strchr(text, '[') && (x = strstr(text, "0x"))) {
        unsigned long to = strtoul(x, NULL, 16);
        *x = 0;
        if (to >= size)
            fprintf(out, "%3lx: %sthunk\n", at, text);
        else
            fprintf(out, "%3lx: %s%lx\n", at, text, to);
    } else {
        fprintf(out, "%3lx: %s\n", at, text);
    }
}

/* The hot path as text; it ends where the first cold stub begins (a store of a record's number, or an exit's
 * slot). */
static void disassemble(const struct region *r, FILE *out)
{
    char path[] = "/tmp/codegen_testXXXXXX", cmd[256], line[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, r->code, r->code_size), r->code_size);
    close(fd);
    snprintf(cmd, sizeof(cmd), "objdump -D -b binary -m i386:x86-64 -M intel --no-show-raw-insn %s", path);
    FILE *p = popen(cmd, "r");
    assert_non_null(p);
    while (fgets(line, sizeof(line), p)) {
        if (strstr(line, "movabs rax,") || strstr(line, "DWORD PTR [rsp+0x10],") ||
            strstr(line, "[rbp-0x80],r"))
            break;
        if (line[0] == ' ') tidy(line, r->code_size, out);
    }
    while (fgets(line, sizeof(line), p))
        ;
    pclose(p);
    unlink(path);
}

static void compile_case(const char *text, FILE *out)
{
    struct err e;
    struct region r = {.pc = 0x1000};
    struct code_buf buf = buf0;
    if (ir_parse(&ir, regs, ARRAY_LEN(regs), text, &e)) {
        print_error("%s\n%s\n", text, e.msg);
        fail();
    }
    assert_int_equal(ir_verify(&ir, &e), 0);
    ir_opt(&ir, OPT_ALL);
    assert_int_equal(x86_64_host.compile(host, &ir, &buf, &r), 0);
    disassemble(&r, out);
    free(r.exits);
    free(r.maps);
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    size_t n = 0, cap = 1 << 20;
    char *s = malloc(cap);
    assert_non_null(s);
    n = fread(s, 1, cap - 1, f);
    s[n] = 0;
    fclose(f);
    return s;
}

/* Goes through the file: "== name", IR, "--", code. Produces the same file with the code generated now. */
static void test_golden(void **state UNUSED)
{
    char path[512];
    snprintf(path, sizeof(path), "%.*s../../../tests/codegen/x86_64.txt",
             (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__);
    char *want = read_all(path), *got = NULL;
    size_t size;
    if (!want) {
        print_error("cannot read %s\n", path);
        fail();
    }
    FILE *out = open_memstream(&got, &size);
    for (char *p = want, *next; p && *p; p = next) {
        next = strstr(p, "\n== ");
        if (next) next++;
        size_t len = next ? (size_t)(next - p) : strlen(p);
        char *one = strndup(p, len), *body = strchr(one, '\n') + 1, *end = strstr(one, "\n--\n");
        if (strncmp(one, "== ", 3) || !end) { /* comment at the top */
            fputs(one, out);
            free(one);
            continue;
        }
        end[1] = 0;
        fprintf(out, "%s--\n", one);
        compile_case(body, out);
        fputc('\n', out);
        free(one);
    }
    fclose(out);
    if (getenv("LYRE_GOLDEN")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(got, f);
        fclose(f);
    } else if (strcmp(want, got)) {
        const char *a = want, *b = got;
        while (*a && *a == *b)
            a++, b++;
        while (a > want && a[-1] != '\n')
            a--, b--;
        print_error("generated code differs from %s:\n- %.*s\n+ %.*s\n", path, (int)strcspn(a, "\n"), a,
                    (int)strcspn(b, "\n"), b);
        fail();
    }
    free(want);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden)};
    host = setup_host();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
