/*
 * arm.c: the Arm guests: register table, CPU models as data, features, translation of one instruction.
 * Manual: DDI 0487 for the registers; the Technical Reference Manuals of the cores for MIDR and features.
 */
#include <stdio.h>
#include <strings.h>
#include "mem/mem.h"
#include "sys.h"
#include "xl.h"
#include "mem/access.h"

/* -- state that C and instructions share --------------------------------------------------------------------------------- */
uint32_t arm_nzcv(const CPU *cpu)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    return (uint32_t)a->n << 31 | (uint32_t)a->z << 30 | (uint32_t)a->cf << 29 | (uint32_t)a->v << 28;
}
void arm_set_nzcv(CPU *cpu, uint32_t nzcv)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    a->n = nzcv >> 31 & 1, a->z = nzcv >> 30 & 1, a->cf = nzcv >> 29 & 1, a->v = nzcv >> 28 & 1;
}
uint32_t arm_fpsr(const CPU *cpu)
{
    union vlanes qc = { .v = arm_cpu(cpu)->qc };
    uint32_t fl = cpu->fp.flags;
    return (fl & 31) | (fl & FPF_INDENORM) << 2 | (qc.u64[0] | qc.u64[1] ? FPSR_QC : 0);
}
void arm_set_fpsr(CPU *cpu, uint32_t fpsr)
{
    union vlanes qc = { .u64 = { fpsr >> 27 & 1, 0 } };
    cpu->fp.flags = (fpsr & 31) | (fpsr >> 2 & FPF_INDENORM);
    arm_cpu_rw(cpu)->qc = qc.v;
}
void arm_set_fpcr(CPU *cpu, uint32_t fpcr)
{
    static const uint8_t rm[4] = { RM_RNE, RM_RUP, RM_RDN, RM_RTZ };
    arm_cpu_rw(cpu)->fpcr = fpcr & FPCR_MASK;
    cpu->fp.rm = rm[fpcr >> FPCR_RMODE & 3];
    cpu->mode = (cpu->mode & ~(uint32_t)MODE_FP) | (fpcr >> 24 & (MODE_FZ | MODE_DN | MODE_AHP)) | (fpcr & FPCR_FZ16 ? MODE_FZ16 : 0);
}
static void guest_fp(uint32_t mode, struct ir_fp *fp)
{
    *fp = (struct ir_fp){
        .nan = mode & MODE_DN ? NAN_CANON : NAN_ARM, .tiny_before = 1,
        .ftz = mode & MODE_FZ ? 1 : 0, .ftz16 = mode & MODE_FZ16 ? 1 : 0, .slow = mode & (MODE_FZ | MODE_FZ16) ? 1 : 0,
    };
}

/* -- registers ------------------------------------------------------------------------------------------------------------- */
uint64_t arm_pstate(const CPU *cpu)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    if (a->sysmode) return arm_spsr(a);
    return arm_nzcv(cpu) | a->dit << 24 | a->ssbs << 12 | (cpu->mode & MODE_BTYPE);
}
void arm_set_pstate(CPU *cpu, uint64_t v)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    arm_set_nzcv(cpu, (uint32_t)v);
    a->dit = arm_has(a, ARM_DIT) && v >> 24 & 1;
    a->ssbs = arm_has(a, ARM_SSBS2) && v >> 12 & 1;
    cpu->mode = (cpu->mode & ~(uint32_t)MODE_BTYPE) | (arm_has(a, ARM_BTI) ? (uint32_t)v & MODE_BTYPE : 0);
    if (!a->sysmode) return;
    /* a debugger changes no exception level */
    a->daif = v & PS_DAIF;
    a->pan = arm_has(a, ARM_PAN) && v & PS_PAN;
    a->uao = arm_has(a, ARM_UAO) && v & PS_UAO;
    a->il = v & PS_IL;
    arm_mode_update(a, false);
    if (cpu->v->soft) soft_switch(cpu);
}
static uint64_t get_fpsr(const CPU *cpu)
{
    return arm_fpsr(cpu);
}
static void set_fpsr(CPU *cpu, uint64_t v)
{
    arm_set_fpsr(cpu, (uint32_t)v);
}
static uint64_t get_fpcr(const CPU *cpu)
{
    return arm_cpu(cpu)->fpcr;
}
static void set_fpcr(CPU *cpu, uint64_t v)
{
    arm_set_fpcr(cpu, (uint32_t)v);
}

/* The bits of a pointer that an authentication code takes: those above the address but 55 and the top byte. */
static uint64_t get_pac_mask(const CPU *cpu)
{
    return 0x7full << 48;
}
static void set_none(CPU *cpu, uint64_t v)
{
}

#define GC "org.gnu.gdb.aarch64.core"
#define GF "org.gnu.gdb.aarch64.fpu"
#define GT "org.gnu.gdb.aarch64.tls"
#define GP "org.gnu.gdb.aarch64.pauth"
#define GS "org.qemu.gdb.arm.sys.regs"
#define HOME(m) offsetof(struct arm_cpu, m)
#define X(n, pin) { "x" #n, T_I64, 0, pin, HOME(x[n]), 64, GC, "int", n, NULL, NULL }
#define V(n) { "v" #n, T_V128, 2, -1, HOME(q[n]), 128, GF, "uint128", n, NULL, NULL }
#define HIDDEN(name, type, group, m) { name, type, group, -1, m, 0, NULL, NULL, -1, NULL, NULL }

#define KEY(name, k) HIDDEN(name "keylo", T_I64, 3, HOME(key[k].lo)), HIDDEN(name "keyhi", T_I64, 3, HOME(key[k].hi))

/* Pinning order: static counts of register operands in a compiled libc; the link register by how often it runs. */
static const struct guest_reg regs64[] = {
    X(0, 0), X(1, 1), X(2, 3), X(3, 5), X(4, 11), X(5, 13), X(6, 17), X(7, -1), X(8, -1), X(9, -1), X(10, -1), X(11, -1),
    X(12, -1), X(13, -1), X(14, -1), X(15, -1), X(16, -1), X(17, -1), X(18, -1), X(19, 4), X(20, 6), X(21, 8), X(22, 10),
    X(23, 12), X(24, 14), X(25, 15), X(26, 16), X(27, -1), X(28, -1), X(29, 7),
    { "x30", T_I64, 0, 9, HOME(x[30]), 64, GC, "code_ptr", 30, NULL, NULL },
    { "sp", T_I64, 0, 2, HOME(sp), 64, GC, "data_ptr", 31, NULL, NULL },
    { "pc", T_VOID, 0, -1, offsetof(CPU, pc), 64, GC, "code_ptr", 32, NULL, NULL },
    { "cpsr", T_VOID, 1, -1, 0, 32, GC, "int", 33, arm_pstate, arm_set_pstate },
    V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10), V(11), V(12), V(13), V(14), V(15),
    V(16), V(17), V(18), V(19), V(20), V(21), V(22), V(23), V(24), V(25), V(26), V(27), V(28), V(29), V(30), V(31),
    { "fpsr", T_VOID, 3, -1, 0, 32, GF, "int", -1, get_fpsr, set_fpsr },
    { "fpcr", T_I32, 3, -1, HOME(fpcr), 32, GF, "int", -1, get_fpcr, set_fpcr },
    { "tpidr", T_I64, 3, -1, HOME(tpidr), 64, GT, "data_ptr", -1, NULL, NULL },
    { "pauth_dmask", T_VOID, 3, -1, 0, 64, GP, "int", -1, get_pac_mask, set_none },
    { "pauth_cmask", T_VOID, 3, -1, 0, 64, GP, "int", -1, get_pac_mask, set_none },
    HIDDEN("n", T_I1, 1, HOME(n)), HIDDEN("z", T_I1, 1, HOME(z)), HIDDEN("c", T_I1, 1, HOME(cf)), HIDDEN("v", T_I1, 1, HOME(v)),
    HIDDEN("qc", T_V128, 3, HOME(qc)), HIDDEN("dit", T_I32, 3, HOME(dit)), HIDDEN("ssbs", T_I32, 3, HOME(ssbs)),
    HIDDEN("tpidrro", T_I64, 3, HOME(tpidrro)), HIDDEN("tpidr2", T_I64, 3, HOME(tpidr2)),
    HIDDEN("mode", T_I32, 3, offsetof(CPU, mode)), HIDDEN("res_addr", T_I64, 3, offsetof(CPU, res_addr)),
    HIDDEN("res_val0", T_I64, 3, offsetof(CPU, res_val[0])), HIDDEN("res_val1", T_I64, 3, offsetof(CPU, res_val[1])),
    KEY("apia", KEY_IA), KEY("apib", KEY_IB), KEY("apda", KEY_DA), KEY("apdb", KEY_DB), KEY("apga", KEY_GA),
    HIDDEN("daif", T_I32, 3, HOME(daif)), HIDDEN("spsel", T_I32, 3, HOME(spsel)), HIDDEN("tlbi_pending", T_I1, 3, HOME(tlbi_pending)),
    /* in system mode; group s */
#define SRI(name, ...) { #name, T_I64, 4, -1, HOME(sr[SR_##name]), 64, GS, "int", -1, NULL, NULL },
#define SR(name, ...)
#include "sysreg.def"
#undef SRI
#undef SR
#define SRI(name, ...)
#define SR(name, ...) { #name, T_VOID, 4, -1, HOME(sr[SR_##name]), 64, GS, "int", -1, NULL, NULL },
#include "sysreg.def"
#undef SRI
#undef SR
};
_Static_assert(ARRAY_LEN(regs64) == R_COUNT, "arm.h's register ids are the rows");
#undef X
#undef V
#undef KEY

/* -- models and features --------------------------------------------------------------------------------------------------- */
#define V8_0 "FP,AdvSIMD,EVTSTRM,CPUID,AES,PMULL,SHA1,SHA256,CRC32"
#define V8_2 V8_0 ",LOR,LSE,RDM,FP16,DotProd,LRCPC,DPB,SSBS2,VHE,PAN,PAN2,HAF,HAFDBS,VMID16,HPDS,XNX,TTCNP,UAO,CSV2,CSV3"
enum { MODEL_MAX, MODEL_A35, MODEL_A53, MODEL_A55, MODEL_A57, MODEL_A72, MODEL_A76, MODEL_N1 };
static const struct cpu_model models64[] = {
    [MODEL_MAX] = { "max", "everything that is implemented", NULL },
    [MODEL_A35] = { "cortex-a35", "Cortex-A35 (Armv8.0)", V8_0 },
    [MODEL_A53] = { "cortex-a53", "Cortex-A53 (Armv8.0)", V8_0 },
    [MODEL_A55] = { "cortex-a55", "Cortex-A55 (Armv8.2)", V8_2 },
    [MODEL_A57] = { "cortex-a57", "Cortex-A57 (Armv8.0)", V8_0 },
    [MODEL_A72] = { "cortex-a72", "Cortex-A72 (Armv8.0)", V8_0 },
    [MODEL_A76] = { "cortex-a76", "Cortex-A76 (Armv8.2)", V8_2 },
    [MODEL_N1] = { "neoverse-n1", "Neoverse N1 (Armv8.2)", V8_2 },
    { NULL, NULL, NULL }
};
static const uint32_t midr64[] = {
    [MODEL_MAX] = 0x000f0510, [MODEL_A35] = 0x411fd040, [MODEL_A53] = 0x410fd034, [MODEL_A55] = 0x412fd050, [MODEL_A57] = 0x411fd070, [MODEL_A72] = 0x410fd083,
    [MODEL_A76] = 0x414fd0b1, [MODEL_N1] = 0x414fd0c1,
};

static const uint8_t pa64[] = { /* bits of a physical address */
    [MODEL_MAX] = 48, [MODEL_A35] = 40, [MODEL_A53] = 40, [MODEL_A55] = 40, [MODEL_A57] = 44, [MODEL_A72] = 44, [MODEL_A76] = 40,
    [MODEL_N1] = 48,
};

static int feat_find(const char *name, size_t len)
{
    for (int i = 0; i < ARM_FEATS; i++) {
        const struct arm_feature *f = &arm_features[i];
        if (strlen(f->name) == len && !strncasecmp(f->name, name, len)) return i;
        if (f->cpuinfo && strlen(f->cpuinfo) == len && !strncasecmp(f->cpuinfo, name, len)) return i;
    }
    return -1;
}
/* What shares an ID register field builds on the smaller values: PMULL on AES, SHA512 on SHA256. */
static void feat_set(struct arm_cpu *a, int f, bool on)
{
    const struct arm_feature *p = &arm_features[f];
    for (int i = 0; i < ARM_FEATS; i++) {
        const struct arm_feature *q = &arm_features[i];
        bool along = i == f || (p->idreg && q->idreg == p->idreg && q->shift == p->shift &&
                                (on ? q->value < p->value : q->value > p->value));
        uint64_t bit = along ? 1ull << (i % 64) : 0;
        a->have[i / 64] = on ? a->have[i / 64] | bit : a->have[i / 64] & ~bit;
    }
}
/* Whether there is code for it (some row is gated on it, or it needs none), and the host can do it. */
static bool implemented(int f)
{
    if (f == ARM_LSE2 && !access_whole16()) return false;
    if (arm_features[f].builtin) return true;
    for (unsigned g = 0; g < ARM_NFEATS; g++)
        if (!strcmp(arm_feat_names[g], arm_features[f].name)) return true;
    return false;
}

/* Names that stand for several features, or that are known but not there. */
static const struct {
    const char *name, *features;
} groups[] = {
    { "pauth", "PAuth,PACGA" }, { "lse", "LSE" }, { "crypto", "AES,PMULL,SHA1,SHA256" }, { "sve", "" }, { "sve2", "" }, { "sme", "" },
    { "mte", "" }, { "aarch64", "FP" }, { "neon", "AdvSIMD" }, { "pmu", "" }, { "pauth-impdef", "PACIMP" },
    { "pauth-qarma3", "" }, { "lpa2", "" },
};

/* Properties of the CPU in system mode that are no features of instructions. False: it is none of them. */
static bool set_property(struct arm_cpu *a, const char *name, size_t len, bool on)
{
    static const struct { const char *name; size_t offset; } props[] = {
        { "has-el2", offsetof(struct arm_cpu, has_el2) }, { "has-el3", offsetof(struct arm_cpu, has_el3) },
        { "has_el2", offsetof(struct arm_cpu, has_el2) }, { "has_el3", offsetof(struct arm_cpu, has_el3) },
        { "pmu", offsetof(struct arm_cpu, has_pmu) },
    };
    for (size_t i = 0; a->sysmode && i < ARRAY_LEN(props); i++) {
        if (strlen(props[i].name) != len || strncasecmp(props[i].name, name, len)) continue;
        *(bool *)((char *)a + props[i].offset) = on;
        return true;
    }
    return false;
}

static int set_named(struct arm_cpu *a, const char *name, size_t len, bool on, struct err *e)
{
    int f = feat_find(name, len);
    if (set_property(a, name, len, on)) return 0;
    if (f >= 0) {
        if (on && !implemented(f))
            return err_set(e, EINVAL, "CPU feature '%.*s' is not implemented", (int)len, name);
        feat_set(a, f, on);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        const char *p = groups[i].features;
        if (strlen(groups[i].name) != len || strncasecmp(groups[i].name, name, len)) continue;
        if (on && !*p) return err_set(e, EINVAL, "CPU feature '%.*s' is not implemented", (int)len, name);
        for (size_t n; *p; p += n + (p[n] == ',')) {
            n = strcspn(p, ",");
            int rc = set_named(a, p, n, on, e);
            if (rc) return rc;
        }
        return 0;
    }
    char near[160] = "";
    for (int i = 0; i < ARM_FEATS; i++)
        if (len > 1 && !strncasecmp(arm_features[i].name, name, MIN(len, 3u)) && strlen(near) + 16 < sizeof near)
            snprintf(near + strlen(near), sizeof near - strlen(near), "%s%s", *near ? ", " : "; near: ", arm_features[i].name);
    return err_set(e, EINVAL, "no CPU feature '%.*s'%s", (int)len, name, near);
}

/* One word after the model: "lse=off", "lse", "+lse", "-lse". */
static int option(struct arm_cpu *a, const char *word, size_t len, struct err *e)
{
    const char *eq = memchr(word, '=', len), *name = word + (*word == '+' || *word == '-');
    const char *val = eq ? eq + 1 : "on";
    size_t nlen = (size_t)((eq ? eq : word + len) - name), vlen = eq ? (size_t)(word + len - val) : 2;
    bool on = (vlen == 2 && !memcmp(val, "on", 2)) || (vlen == 4 && !memcmp(val, "true", 4));
    bool off = (vlen == 3 && !memcmp(val, "off", 3)) || (vlen == 5 && !memcmp(val, "false", 5));

    if (nlen > 3 && (!strncmp(name, "sve", 3) || !strncmp(name, "sme", 3)) && name[3] >= '0' && name[3] <= '9') nlen = 3;
    if (!on && !off) return err_set(e, EINVAL, "%.*s: on or off is needed, not '%.*s'", (int)nlen, name, (int)vlen, val);
    return set_named(a, name, nlen, on && *word != '-', e);
}

static int init64(CPU *cpu, const char *spec, struct err *e)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    const char *p = spec && *spec ? spec : models64[0].name;
    size_t len = strcspn(p, ",");
    unsigned m = 0;

    while (models64[m].name && (strlen(models64[m].name) != len || memcmp(models64[m].name, p, len))) m++;
    if (!models64[m].name) return err_set(e, EINVAL, "no CPU model '%.*s'; -cpu help lists them", (int)len, p);
    a->midr = midr64[m];
    a->sysmode = cpu->v && cpu->v->sys;
    a->has_pmu = true;
    a->pa_bits = pa64[m];
    for (int f = 0; f < ARM_FEATS; f++) {
        const char *list = models64[m].features;
        bool on = !list;
        for (size_t n; list && *list; list += n + (list[n] == ',')) {
            n = strcspn(list, ",");
            on |= feat_find(list, n) == f;
        }
        feat_set(a, f, on && implemented(f));
    }
    for (p += len; *p; p += strcspn(p, ",")) {
        int rc = option(a, p + 1, strcspn(p + 1, ","), e);
        if (rc) return rc;
        p++;
    }
    for (unsigned g = 0; g < ARM_NFEATS; g++)
        for (unsigned f = 0; f < ARM_FEATS; f++)
            if (!strcmp(arm_feat_names[g], arm_features[f].name) && arm_has(a, (enum arm_feat)f))
                a->gates[g / 64] |= 1ull << (g % 64);
    cpu->res_addr = ~0ull;
    arm_random_keys(a, (1u << PAC_KEYS) - 1);
    arm_set_fpcr(cpu, 0);
    return 0;
}

/* -- one instruction --------------------------------------------------------------------------------------------------------- */
/* BranchTargetCheck: may an instruction of a guarded page be entered with this BTYPE? SCTLR_EL1.BT0 is 1, as Linux sets it. */
static bool lands_here(unsigned btype, int row, F *f)
{
    enum { BTI = 32, BTI_C = 34, BTI_J = 36, BTI_JC = 38 };
    switch (row) {
    case ARM_ROW_pac_lr: return f->sp && btype != 3;
    case ARM_ROW_hint: return f->hint == BTI_JC || (f->hint == BTI_C && btype != 3) || (f->hint == BTI_J && btype != 2);
    default: return false;
    }
}

/* The encodings of FP and SIMD: data processing, and loads and stores of their registers. */
static bool is_simd(uint32_t insn)
{
    return (insn >> 25 & 7) == 7 || ((insn >> 25 & 5) == 4 && insn >> 26 & 1);
}
static bool is_pauth(int row)
{
    switch (row) {
    case ARM_ROW_pac: case ARM_ROW_aut: case ARM_ROW_pacz: case ARM_ROW_autz: case ARM_ROW_pacga: case ARM_ROW_pac1716:
    case ARM_ROW_aut1716: case ARM_ROW_pac_lr: case ARM_ROW_aut_lr: case ARM_ROW_braz: case ARM_ROW_blraz: case ARM_ROW_reta:
    case ARM_ROW_bra: case ARM_ROW_blra: case ARM_ROW_ldra: case ARM_ROW_ldra_pre: case ARM_ROW_ereta:
        return true;
    default: return false;
    }
}

bool arm_is_guarded(const struct arm_cpu *a, uint64_t pc)
{
    struct walk w;
    return soft_translate(a->c.v->cpu, VIEW_MAIN, pc, EXF_EXEC, &w) && w.guarded;
}

/* What system mode's translation modes do before an instruction; true: it is not executed. */
static bool sys_before(struct xlat *t, int row, F *f, uint32_t insn)
{
    if (t->mode & MODE_DEBUG) arm_debug_before(t);
    if (t->mode & MODE_IL) {
        xl_exc(t, EXC_GUEST, GX_ILLEGAL_STATE, t->pc);
        return true;
    }
    if (t->mode & MODE_BTYPE && row != ARM_ROW_brk && row != ARM_ROW_hlt) {
        bool lands = lands_here(t->mode >> MODE_BTYPE_SHIFT & 3, row, f) && (row != ARM_ROW_pac_lr || (t->mode & MODE_BTYPE) != MODE_BTYPE);
        if (!lands) arm_bti_before(t, insn);
        t->mode &= ~(uint32_t)MODE_BTYPE; /* and on in ordinary code, at the same place */
        t->next_pc = t->pc;
        xl_stop(t);
        return true;
    }
    unsigned gx = t->mode & MODE_FPTRAP && row >= 0 && is_simd(insn) ? GX_FPTRAP : t->mode & MODE_PACTRAP && is_pauth(row) ? GX_PACTRAP : 0;
    if (gx) xl_exc(t, EXC_GUEST, gx, t->pc);
    return gx;
}

static unsigned translate(struct xlat *t, const uint8_t *p, size_t avail)
{
    const struct arm_cpu *a = t->cpu;
    struct arm_fields f __attribute__((uninitialized)); /* the decoder clears it */
    int row;

    if (t->pc & 3) { /* a misaligned pc: SIGBUS in Linux */
        t->next_pc = t->pc + 4;
        xl_exc(t, EXC_ALIGN, 0, t->pc);
        return avail < 4 ? (unsigned)avail : 4;
    }
    row = arm_decode(p, avail, 0, a->gates, &f);
    if (row == -2) return 0;
    if (unlikely(t->mode & (MODE_SYS & ~MODE_EL & ~MODE_E2H & ~MODE_TRAPS & ~MODE_UNPRIV)) || (a->sysmode && t->mode & MODE_BTYPE)) {
        t->next_pc = t->pc + 4;
        if (sys_before(t, row, &f, f.raw)) return 4;
    } else if (t->mode & MODE_BTYPE && row != ARM_ROW_brk && row != ARM_ROW_hlt) { /* these may be anywhere, and leave BTYPE */
        if (gmem_flags(a->c.v->mem, t->pc) & GP_GUARD && !lands_here(t->mode >> MODE_BTYPE_SHIFT & 3, row, &f)) {
            xl_illegal(t);
            return 4;
        }
        t->mode &= ~(uint32_t)MODE_BTYPE; /* and on in ordinary code, at the same place */
        xl_stop(t);
        return 4;
    }
    t->next_pc = t->pc + 4;
    if (row < 0)
        xl_illegal(t);
    else
        arm_rows[row].fn(t, &f);
    return f.len;
}

static unsigned disas(char *buf, size_t size, const uint8_t *p, size_t avail, uint64_t pc, const CPU *cpu)
{
    return arm_disassemble(buf, size, p, avail, 0, arm_cpu(cpu)->gates, pc);
}

static unsigned reg_shape(const CPU *cpu, unsigned i, uint32_t *offset)
{
    const struct guest_reg *row = &regs64[i];
    if (i >= R_SRI) return arm_cpu(cpu)->sysmode ? row->bits : 0;
    bool pac = row->feature && !strcmp(row->feature, GP);
    return pac && !arm_has(arm_cpu(cpu), ARM_PAuth) ? 0 : row->bits;
}

static unsigned random_insn(uint64_t (*rnd)(void *), void *ctx, uint8_t *buf, const CPU *cpu)
{
    return arm_random(rnd, ctx, buf, 0, arm_cpu(cpu)->gates, -1);
}

#define EM_AARCH64 183
const struct guest aarch64_guest = {
    .name = "aarch64", .aliases = "arm64", .elf_machine = EM_AARCH64, .elf_class = 2, .insn_align = 4, .addr_bits = 47,
    .cpu_size = sizeof(struct arm_cpu), .regs = regs64, .nregs = R_COUNT, .gdb_arch = "aarch64", .models = models64,
    .init = init64, .translate = translate, .disas = disas, .fp = guest_fp, .reg_shape = reg_shape, .random_insn = random_insn,
    .lnx = &aarch64_linux, .semi_op = R_X0, .semi_arg = R_X0 + 1, .sys = &aarch64_sys, .nir = R_NIR,
};
