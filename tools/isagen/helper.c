/* helper.c: HELPER statements: descriptors for the translator, thunks for the interpreter. */
#include "isagen.h"

#include <ctype.h>
#include <string.h>

/* C types a helper may take and return, their IR types, and where a value is in a union vlanes. */
static const struct ctype {
    const char *c, *ir, *lane;
} ctypes[] = {
    { "void", "T_VOID", NULL },
    { "bool", "T_I1", "u8[0]" },
    { "uint8_t", "T_I8", "u8[0]" },
    { "uint16_t", "T_I16", "u16[0]" },
    { "uint32_t", "T_I32", "u32[0]" },
    { "uint64_t", "T_I64", "u64[0]" },
    { "int32_t", "T_I32", "s32[0]" },
    { "int64_t", "T_I64", "s64[0]" },
    { "lyre_f16", "T_F16", "u16[0]" },
    { "lyre_f32", "T_F32", "u32[0]" },
    { "lyre_f64", "T_F64", "u64[0]" },
    { "v128", "T_V128", "v" },
};

static const struct ctype *type_of(const char *name)
{
    for (unsigned i = 0; i < sizeof ctypes / sizeof *ctypes; i++)
        if (!strcmp(ctypes[i].c, name)) return &ctypes[i];
    return NULL;
}

static const char *trimmed(const char *s, size_t n)
{
    while (n && isspace((unsigned char)*s)) s++, n--;
    while (n && isspace((unsigned char)s[n - 1])) n--;
    return copy(s, n);
}

/* "(CPU *cpu, uint64_t a)": the type is all but the last word. */
static void parse_params(struct helper *h)
{
    const char *p = h->params + 1, *end = h->params + strlen(h->params) - 1;
    unsigned i = 0;

    for (; p < end; p++, i++) {
        size_t n = strcspn(p, ",)");
        const char *one = trimmed(p, n);
        p += n;
        if (i == 0) {
            if (strncmp(one, "CPU *", 5) && strncmp(one, "CPU*", 4))
                error_at(h->loc, "HELPER '%s': the first parameter has to be CPU *", h->name);
            continue;
        }
        const char *name = one + strlen(one);
        while (name > one && (isalnum((unsigned char)name[-1]) || name[-1] == '_')) name--;
        const char *type = trimmed(one, (size_t)(name - one));
        const struct ctype *t = type_of(type);
        if (!t || !t->lane) {
            error_at(h->loc, "HELPER '%s': type '%s' of parameter %u is not one a helper can take", h->name, type, i);
            continue;
        }
        if (h->nargs == 6) {
            error_at(h->loc, "HELPER '%s': more than 6 parameters", h->name);
            return;
        }
        h->arg_type[h->nargs++] = t->c;
    }
    if (!i) error_at(h->loc, "HELPER '%s': the first parameter has to be CPU *", h->name);
}

/* "xf" or "x,f": names of GROUPS, with commas, or letters of one-letter groups. */
static unsigned parse_groups(struct isa *isa, const struct helper *h, const char *s)
{
    unsigned set = 0;

    while (*s) {
        size_t n = strcspn(s, ",");
        int g = name_find(&isa->groups, copy(s, n));
        if (g < 0) g = name_find(&isa->groups, copy(s, n = 1));
        if (g < 0) {
            error_at(h->loc, "HELPER '%s': '%s' names no register group of GROUPS", h->name, s);
            return 0;
        }
        set |= 1u << g;
        s += n;
        s += *s == ',';
    }
    return set;
}

static void parse_effects(struct isa *isa, struct helper *h, const char *effects)
{
    for (const char *p = effects; *p;) {
        size_t n = strcspn(p, " ");
        const char *w = copy(p, n);
        p += n + (p[n] != 0);
        if (!strcmp(w, "pure"))
            h->pure = true;
        else if (!strcmp(w, "fault"))
            h->fault = true;
        else if (!strcmp(w, "fp"))
            h->fp = true;
        else if (!strncmp(w, "r=", 2))
            h->reads |= parse_groups(isa, h, w + 2);
        else if (!strncmp(w, "w=", 2))
            h->writes |= parse_groups(isa, h, w + 2);
        else if (*w)
            error_at(h->loc, "HELPER '%s': effect '%s' is not pure, fault, fp, r=GROUPS or w=GROUPS", h->name, w);
    }
    if (h->pure && (h->fault || h->writes))
        error_at(h->loc, "HELPER '%s' cannot be pure and have effects", h->name);
}

void parse_helper(struct isa *isa, const struct stmt *s)
{
    if (s->nargs != 4 || !is_ident(s->arg[1]) || *s->arg[2] != '(') {
        error_at(s->loc, "HELPER(ret, name, (CPU *cpu, ...), \"effects\") takes four arguments");
        return;
    }
    struct helper *h = PUSH(isa->helpers, isa->nhelpers, isa->cap_helpers);
    *h = (struct helper){ .loc = s->loc, .ret = s->arg[0], .name = s->arg[1], .params = s->arg[2] };
    const struct ctype *t = type_of(h->ret);
    h->ret_type = t ? t->c : "void";
    if (!t) error_at(s->loc, "HELPER '%s': type '%s' is not one a helper can return", h->name, h->ret);
    parse_params(h);
    parse_effects(isa, h, s->arg[3]);
}

static void emit_thunk(const struct isa *isa, FILE *o, const struct helper *h)
{
    const struct ctype *ret = type_of(h->ret_type);

    fprintf(o, "\n/* %s:%d */\n", h->loc.file, h->loc.line);
    fprintf(o, "static void thunk_%s(void *cpu, union vlanes *ret UNUSED, const union vlanes *args UNUSED)\n{\n", h->name);
    if (ret->lane) fprintf(o, "    *ret = (union vlanes){ .u64 = { 0 } };\n    ret->%s = ", ret->lane);
    else fprintf(o, "    ");
    fprintf(o, "%shelper_%s(cpu", isa->prefix, h->name);
    for (unsigned i = 0; i < h->nargs; i++) {
        const struct ctype *t = type_of(h->arg_type[i]);
        fprintf(o, ", args[%u].%s%s", i, t->lane, strcmp(t->c, "bool") ? "" : " & 1");
    }
    fprintf(o, ");\n}\n");
}

void emit_helpers(const struct isa *isa, FILE *o)
{
    for (unsigned i = 0; i < isa->nhelpers; i++) {
        const struct helper *h = &isa->helpers[i];
        emit_thunk(isa, o, h);
        fprintf(o, "const struct ir_helper %shd_%s = {\n", isa->prefix, h->name);
        fprintf(o, "    .name = \"%s\", .fn = (void *)%shelper_%s, .thunk = thunk_%s,\n", h->name, isa->prefix, h->name,
                h->name);
        fprintf(o, "    .ret = %s, .nargs = %u, .args = {", type_of(h->ret_type)->ir, h->nargs);
        for (unsigned j = 0; j < h->nargs; j++) fprintf(o, "%s %s", j ? "," : "", type_of(h->arg_type[j])->ir);
        fprintf(o, "%s}, .reads = %#x, .writes = %#x, .flags = 0%s%s%s,\n};\n", h->nargs ? " " : " 0 ", h->reads, h->writes,
                h->pure ? " | HF_PURE" : "", h->fault ? " | HF_FAULT" : "", h->fp ? " | HF_FP" : "");
    }
}
