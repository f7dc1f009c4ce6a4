/*
 * gdb_regs.c: see gdb_regs.h. The target description is that of GDB's manual, appendix "Target Descriptions": one feature
 * per name in the table's `feature` column, registers numbered in the order features and registers come in.
 */
#include "control/gdb_regs.h"

#include <stdio.h>
#include <stdlib.h>

/* --- numbering ------------------------------------------------------------------------------------------------------- */
static unsigned feature_order(const struct guest *g, const char *feature)
{
    unsigned i = 0;
    while (!g->regs[i].feature || strcmp(g->regs[i].feature, feature)) i++;
    return i;
}

/* Rows by feature, then by their number in it; rows without a number stay behind the one before them. */
static void number(struct gdb_regs *r, const struct guest *g, const CPU *cpu)
{
    uint64_t *key = xalloc(g->nregs * sizeof *key);
    int last = -1;
    const char *feature = "";
    for (unsigned i = 0; i < g->nregs; i++) {
        const struct guest_reg *row = &g->regs[i];
        struct gdb_reg reg = { .row = row };
        uint32_t offset;
        if (!row->feature) continue;
        reg.bits = cpu_reg_shape(cpu, i, &offset);
        if (!reg.bits || reg.bits > 8 * GDB_REG_MAX) continue;
        if (strcmp(feature, row->feature)) last = -1;
        feature = row->feature;
        last = row->gdb_num >= 0 ? row->gdb_num : last + 1;
        uint64_t k = (uint64_t)feature_order(g, feature) << 32 | (unsigned)last;
        unsigned at = r->n++;
        for (; at && key[at - 1] > k; at--) {
            key[at] = key[at - 1];
            r->reg[at] = r->reg[at - 1];
        }
        key[at] = k;
        r->reg[at] = reg;
    }
    free(key);
}

static int find(const struct gdb_regs *r, const char *name)
{
    for (unsigned i = 0; i < r->n; i++)
        if (!strcmp(r->reg[i].row->name, name)) return (int)i;
    return -1;
}

/* --- description -------------------------------------------------------------------------------------------------------- */
/* How a vector register may be looked at: $v0.d.f, $v0.s.u[1] on Arm; $v1.w elsewhere. */
static const char vec_arm[] =
    "<vector id=\"lv2d\" type=\"ieee_double\" count=\"2\"/><vector id=\"lv2u\" type=\"uint64\" count=\"2\"/>"
    "<vector id=\"lv2i\" type=\"int64\" count=\"2\"/><vector id=\"lv4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"lv4u\" type=\"uint32\" count=\"4\"/><vector id=\"lv4i\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"lv8f\" type=\"ieee_half\" count=\"8\"/><vector id=\"lv8u\" type=\"uint16\" count=\"8\"/>"
    "<vector id=\"lv8i\" type=\"int16\" count=\"8\"/><vector id=\"lv16u\" type=\"uint8\" count=\"16\"/>"
    "<vector id=\"lv16i\" type=\"int8\" count=\"16\"/><vector id=\"lv1u\" type=\"uint128\" count=\"1\"/>"
    "<vector id=\"lv1i\" type=\"int128\" count=\"1\"/>"
    "<union id=\"lvd\"><field name=\"f\" type=\"lv2d\"/><field name=\"u\" type=\"lv2u\"/><field name=\"s\" type=\"lv2i\"/></union>"
    "<union id=\"lvs\"><field name=\"f\" type=\"lv4f\"/><field name=\"u\" type=\"lv4u\"/><field name=\"s\" type=\"lv4i\"/></union>"
    "<union id=\"lvh\"><field name=\"f\" type=\"lv8f\"/><field name=\"u\" type=\"lv8u\"/><field name=\"s\" type=\"lv8i\"/></union>"
    "<union id=\"lvb\"><field name=\"u\" type=\"lv16u\"/><field name=\"s\" type=\"lv16i\"/></union>"
    "<union id=\"lvq\"><field name=\"u\" type=\"lv1u\"/><field name=\"s\" type=\"lv1i\"/></union>"
    "<union id=\"lvec\"><field name=\"d\" type=\"lvd\"/><field name=\"s\" type=\"lvs\"/><field name=\"h\" type=\"lvh\"/>"
    "<field name=\"b\" type=\"lvb\"/><field name=\"q\" type=\"lvq\"/></union>";

/* Elements of each size, for a register of any width. */
static void vec_plain(FILE *f, unsigned bits)
{
    static const char field[] = "bswlq";
    for (unsigned i = 0, size = 8; i < 5; i++, size *= 2)
        fprintf(f, "<vector id=\"lv%c\" type=\"uint%u\" count=\"%u\"/>", field[i], size, bits / size);
    fputs("<union id=\"lvec\">", f);
    for (unsigned i = 0; i < 5; i++) fprintf(f, "<field name=\"%c\" type=\"lv%c\"/>", field[i], field[i]);
    fputs("</union>\n", f);
}

static bool is_vector(const struct gdb_reg *reg)
{
    return reg->row->gdb_type && !strcmp(reg->row->gdb_type, "uint128");
}

/* The types that the feature of the register numbered `from`, its first, needs. */
static void describe_types(const struct gdb_regs *r, unsigned from, FILE *f)
{
    const char *feature = r->reg[from].row->feature;
    unsigned i = from;
    while (i < r->n && !strcmp(r->reg[i].row->feature, feature) && !is_vector(&r->reg[i])) i++;
    if (i == r->n || strcmp(r->reg[i].row->feature, feature)) return;
    if (strstr(feature, ".aarch64."))
        fprintf(f, "%s\n", vec_arm);
    else
        vec_plain(f, r->reg[i].bits);
}

static const char *type_name(const struct gdb_reg *reg)
{
    const char *type = reg->row->gdb_type;
    if (is_vector(reg)) return "lvec";
    if (type && !strcmp(type, "ieee_double") && reg->bits == 32) return "ieee_single";
    return type ? type : "int";
}

static void describe(const struct gdb_regs *r, const struct guest *g, FILE *f)
{
    const char *feature = "";
    fprintf(f, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
               "<architecture>%s</architecture><osabi>GNU/Linux</osabi>\n", g->gdb_arch);
    for (unsigned i = 0; i < r->n; i++) {
        const struct gdb_reg *reg = &r->reg[i];
        const struct guest_reg *row = reg->row;
        if (strcmp(feature, row->feature)) {
            fprintf(f, "%s<feature name=\"%s\">\n", *feature ? "</feature>" : "", row->feature);
            describe_types(r, i, f);
            feature = row->feature;
        }
        fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"%s/>\n", row->name, reg->bits, type_name(reg), i,
                strstr(row->feature, ".vector") ? " group=\"vector\"" : "");
    }
    fprintf(f, "%s</target>\n", *feature ? "</feature>" : "");
}

int gdb_regs_init(struct gdb_regs *r, const CPU *cpu, struct err *e)
{
    const struct guest *g = cpu->v->guest;
    memset(r, 0, sizeof *r);
    r->reg = xalloc((g->nregs + 1) * sizeof(*r->reg));
    number(r, g, cpu);
    r->pc = find(r, "pc");
    r->sp = find(r, "sp");
    FILE *f = open_memstream(&r->xml, &r->xml_len);
    if (f) {
        describe(r, g, f);
        if (!fclose(f) && r->xml) return 0;
    }
    gdb_regs_done(r);
    return err_set(e, ENOMEM, "no memory for the target description");
}

void gdb_regs_done(struct gdb_regs *r)
{
    free(r->reg);
    free(r->xml);
    memset(r, 0, sizeof *r);
}

/* --- values ------------------------------------------------------------------------------------------------------------- */
size_t gdb_reg_size(const struct gdb_regs *r, unsigned num)
{
    return (r->reg[num].bits + 7u) / 8;
}

static void reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t b = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = b;
    }
}

static unsigned row_of(const struct gdb_regs *r, const CPU *cpu, unsigned num)
{
    return (unsigned)(r->reg[num].row - cpu->v->guest->regs);
}

size_t gdb_reg_read(const struct gdb_regs *r, CPU *cpu, unsigned num, uint8_t out[GDB_REG_MAX])
{
    size_t n = gdb_reg_size(r, num);
    cpu_reg_read(cpu, row_of(r, cpu, num), out);
    if (cpu->v->guest->big_endian) reverse(out, n);
    return n;
}

void gdb_reg_write(const struct gdb_regs *r, CPU *cpu, unsigned num, const uint8_t *in)
{
    uint8_t buf[GDB_REG_MAX];
    size_t n = gdb_reg_size(r, num);
    memcpy(buf, in, n);
    if (cpu->v->guest->big_endian) reverse(buf, n);
    cpu_reg_write(cpu, row_of(r, cpu, num), buf);
}
