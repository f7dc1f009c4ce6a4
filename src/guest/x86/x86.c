/*
 * x86.c: the x86 guests: register tables, CPU models as data, translation of one instruction. x86_64 and i386 are one struct, one set
 * of tables; what differs is the translation mode and what debuggers see.
 * Known gaps: system mode. A store that changes instructions of the region it is in takes effect when the region is left, not at once.
 * TF and AC do nothing.
 */
#include <stdio.h>
#include <strings.h>
#include "feat.h"
#include "xl.h"

/* -- flags and control words from C ---------------------------------------------------------------------------------------- */
uint32_t x86_eflags(const CPU *cpu)
{
    const struct x86_cpu *x = x86_cpu(cpu);
    return x->eflags | FL_ONE | x->cf | (__builtin_parity(x->pfv & 0xff) ? 0 : FL_PF) | ((x->afv ^ x->pfv) & FL_AF) |
           (x->zfv ? 0 : FL_ZF) | (x->sfv >> 63 ? FL_SF : 0) | ((int64_t)x->df < 0 ? FL_DF : 0) | (x->of ? FL_OF : 0);
}
void x86_set_eflags(CPU *cpu, uint32_t v)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    x->eflags = v & FL_REST;
    x->cf = v & FL_CF;
    x->of = !!(v & FL_OF);
    x->zfv = !(v & FL_ZF);
    x->sfv = (uint64_t)(v & FL_SF) << 56;
    x->pfv = !(v & FL_PF);
    x->afv = v & FL_AF;
    x->df = v & FL_DF ? ~0ull : 1;
}
void x86_set_szp(struct x86_cpu *x, uint64_t r, unsigned bits)
{
    x->zfv = x->sfv = (uint64_t)bits_sext(r, bits);
    x->pfv = (uint32_t)r;
}

/* MXCSR: IE DE ZE OE UE PE are bits 0 to 5. */
enum { MX_STATUS = 0x3f, MX_DAZ = 0x40, MX_MASKS = 0x1f80, MX_RC = 13, MX_FTZ = 0x8000 };
uint32_t x86_mxcsr(const CPU *cpu)
{
    uint32_t fl = cpu->fp.flags;
    return x86_cpu(cpu)->mxcsr | (fl & FPF_INVALID ? 1 : 0) | (fl & FPF_INDENORM ? 2 : 0) | (fl & FPF_DIVZERO ? 4 : 0) |
           (fl & FPF_OVERFLOW ? 8 : 0) | (fl & FPF_UNDERFLOW ? 16 : 0) | (fl & FPF_INEXACT ? 32 : 0);
}
void x86_set_mxcsr(CPU *cpu, uint32_t v)
{
    static const uint8_t rm[4] = { RM_RNE, RM_RDN, RM_RUP, RM_RTZ };
    cpu->fp.flags = (v & 1 ? FPF_INVALID : 0) | (v & 2 ? FPF_INDENORM : 0) | (v & 4 ? FPF_DIVZERO : 0) | (v & 8 ? FPF_OVERFLOW : 0) |
                    (v & 16 ? FPF_UNDERFLOW : 0) | (v & 32 ? FPF_INEXACT : 0);
    x86_cpu_rw(cpu)->mxcsr = v & 0xffff & ~(uint32_t)MX_STATUS;
    cpu->fp.rm = rm[v >> MX_RC & 3];
    cpu->fp.x86 = CPU_FP_DE | (v & (MX_FTZ | MX_DAZ));
    cpu->mode = (cpu->mode & ~(uint32_t)(MODE_FTZ | MODE_DAZ | MODE_XM)) | (v & MX_FTZ ? MODE_FTZ : 0) | (v & MX_DAZ ? MODE_DAZ : 0) |
                ((v & MX_MASKS) != MX_MASKS ? MODE_XM : 0);
}
static void guest_fp(uint32_t mode, struct ir_fp *fp)
{
    *fp = (struct ir_fp){ .nan = NAN_X86, .ftz = (mode & MODE_FTZ ? FTZ_X86 : 0) | (mode & MODE_DAZ ? FTZ_DAZ : 0) };
}

/* -- registers ------------------------------------------------------------------------------------------------------------- */
static uint64_t get_eflags64(const CPU *cpu)
{
    return x86_eflags(cpu);
}
static void set_eflags64(CPU *cpu, uint64_t v)
{
    x86_set_eflags(cpu, (uint32_t)v);
}
static uint64_t get_mxcsr(const CPU *cpu)
{
    return x86_mxcsr(cpu);
}
static void set_mxcsr(CPU *cpu, uint64_t v)
{
    x86_set_mxcsr(cpu, (uint32_t)v);
}

static uint64_t get_fctrl(const CPU *cpu) { return x86_cpu(cpu)->x87.cw; }
static uint64_t get_fstat(const CPU *cpu) { return x87_status(&x86_cpu(cpu)->x87); }
static uint64_t get_ftag(const CPU *cpu) { return x87_tags(&x86_cpu(cpu)->x87); }
static uint64_t get_fzero(const CPU *cpu) { return 0; }
static uint64_t get_fioff(const CPU *cpu) { return (uint32_t)x86_cpu(cpu)->x87.fip; }
static uint64_t get_fooff(const CPU *cpu) { return (uint32_t)x86_cpu(cpu)->x87.fdp; }
static uint64_t get_fop(const CPU *cpu) { return x86_cpu(cpu)->x87.fop; }
static void set_fctrl(CPU *cpu, uint64_t v)
{
    x87_set_cw(&x86_cpu_rw(cpu)->x87, (uint16_t)v);
    cpu->mode = x87_mode(&x86_cpu(cpu)->x87, cpu->mode);
}
static void set_fstat(CPU *cpu, uint64_t v) { x87_set_status(&x86_cpu_rw(cpu)->x87, (uint16_t)v); }
static void set_ftag(CPU *cpu, uint64_t v) { x87_set_tags(&x86_cpu_rw(cpu)->x87, (uint16_t)v); }
static void set_fzero(CPU *cpu, uint64_t v) { }
static void set_fioff(CPU *cpu, uint64_t v) { x86_cpu_rw(cpu)->x87.fip = (uint32_t)v; }
static void set_fooff(CPU *cpu, uint64_t v) { x86_cpu_rw(cpu)->x87.fdp = (uint32_t)v; }
static void set_fop(CPU *cpu, uint64_t v) { x86_cpu_rw(cpu)->x87.fop = v & 0x7ff; }

#define GC "org.gnu.gdb.i386.core"
#define GS "org.gnu.gdb.i386.sse"
#define GB "org.gnu.gdb.i386.segments"
#define HOME(m) offsetof(struct x86_cpu, m)
#define R(name, i, pin, bits, feature, type, num) { name, T_I64, G_GPR, pin, HOME(r[i]), bits, feature, type, num, NULL, NULL }
#define HIDDEN(name, type, group, m) { name, type, group, -1, m, 0, NULL, NULL, -1, NULL, NULL }
#define SEL(name, i, num) { name, T_I32, G_SEG, -1, HOME(sel[i]), 32, GC, "int32", num, NULL, NULL }
#define XMM(n, feature) { "xmm" #n, T_V128, G_VEC, -1, HOME(xmm[n]), feature ? 128 : 0, feature, "uint128", n, NULL, NULL }
#define HI(n) HIDDEN("ymmh" #n, T_V128, G_VEC, HOME(ymmh[n]))
#define BASE(name, i) HIDDEN(name, T_I64, G_SEG, HOME(segbase[i]))
#define K(n) HIDDEN("k" #n, T_I64, G_VEC, HOME(k[n]))
#define MM(n) HIDDEN("mm" #n, T_I64, G_X87, HOME(x87.r[n].mant))
#define MM_SE(n) HIDDEN("mmse" #n, T_I16, G_X87, HOME(x87.r[n].se))
#define X87(m, group) HIDDEN("x87_" #m, sizeof(((struct x87 *)0)->m) == 8 ? T_I64 : T_I32, group, HOME(x87.m))
/* FIP and FDP are of no group that helpers use: only the last instruction's are ever stored. */
#define X87_UNIT EIGHT(MM), EIGHT(MM_SE), X87(top, G_X87), X87(tag, G_X87), X87(cw, G_X87), X87(sw, G_X87), X87(new_sw, G_X87), \
    X87(new_se, G_X87), X87(fop, G_X87_PTR), X87(fip, G_X87_PTR), X87(fdp, G_X87_PTR)
#define ST(n, first) { "st" #n, T_VOID, G_X87, -1, HOME(x87.r[n].mant), 80, GC, "i387_ext", first + n, NULL, NULL }
#define FCTL(name, i, first, fn) { name, T_VOID, G_X87, -1, 0, 32, GC, "int", first + 8 + i, get_##fn, set_##fn }
#define X87_GDB(first) EIGHT(ST, first), FCTL("fctrl", 0, first, fctrl), FCTL("fstat", 1, first, fstat), FCTL("ftag", 2, first, ftag), \
    FCTL("fiseg", 3, first, fzero), FCTL("fioff", 4, first, fioff), FCTL("foseg", 5, first, fzero), FCTL("fooff", 6, first, fooff), \
    FCTL("fop", 7, first, fop)
#define EIGHT(M, ...) M(0, ##__VA_ARGS__), M(1, ##__VA_ARGS__), M(2, ##__VA_ARGS__), M(3, ##__VA_ARGS__), M(4, ##__VA_ARGS__), \
    M(5, ##__VA_ARGS__), M(6, ##__VA_ARGS__), M(7, ##__VA_ARGS__)
#define MID(M, ...) M(8, ##__VA_ARGS__), M(9, ##__VA_ARGS__), M(10, ##__VA_ARGS__), M(11, ##__VA_ARGS__), M(12, ##__VA_ARGS__), \
    M(13, ##__VA_ARGS__), M(14, ##__VA_ARGS__), M(15, ##__VA_ARGS__)
#define UPPER(M, ...) M(16, ##__VA_ARGS__), M(17, ##__VA_ARGS__), M(18, ##__VA_ARGS__), M(19, ##__VA_ARGS__), M(20, ##__VA_ARGS__), \
    M(21, ##__VA_ARGS__), M(22, ##__VA_ARGS__), M(23, ##__VA_ARGS__), M(24, ##__VA_ARGS__), M(25, ##__VA_ARGS__), \
    M(26, ##__VA_ARGS__), M(27, ##__VA_ARGS__), M(28, ##__VA_ARGS__), M(29, ##__VA_ARGS__), M(30, ##__VA_ARGS__), M(31, ##__VA_ARGS__)

/* What both tables have between the general registers and the vectors. */
#define FLAGS_AND_CONTROL(base_feature) \
    HIDDEN("zfv", T_I64, G_FLAGS, HOME(zfv)), HIDDEN("sfv", T_I64, G_FLAGS, HOME(sfv)), HIDDEN("pfv", T_I32, G_FLAGS, HOME(pfv)), \
    HIDDEN("afv", T_I32, G_FLAGS, HOME(afv)), HIDDEN("cf", T_I1, G_FLAGS, HOME(cf)), HIDDEN("of", T_I1, G_FLAGS, HOME(of)), \
    HIDDEN("df", T_I64, G_FLAGS, HOME(df)), HIDDEN("flrest", T_I32, G_SYS, HOME(eflags))
#define SEGMENTS(first) SEL("es", SEG_ES, first + 3), SEL("cs", SEG_CS, first), SEL("ss", SEG_SS, first + 1), \
    SEL("ds", SEG_DS, first + 2), SEL("fs", SEG_FS, first + 4), SEL("gs", SEG_GS, first + 5)
#define CONTROL(num) { "mxcsr", T_VOID, G_SYS, -1, 0, 32, GS, "int", num, get_mxcsr, set_mxcsr }, \
    HIDDEN("mxctl", T_I32, G_SYS, HOME(mxcsr)), HIDDEN("mode", T_I32, G_SYS, offsetof(CPU, mode))

/* Pinning order: static counts of register operands in Debian's libc. */
static const struct guest_reg regs64[] = {
    R("rax", 0, 1, 64, GC, "int64", 0), R("rcx", 1, 4, 64, GC, "int64", 2), R("rdx", 2, 3, 64, GC, "int64", 3),
    R("rbx", 3, 6, 64, GC, "int64", 1), R("rsp", 4, 0, 64, GC, "data_ptr", 7), R("rbp", 5, 7, 64, GC, "data_ptr", 6),
    R("rsi", 6, 5, 64, GC, "int64", 4), R("rdi", 7, 2, 64, GC, "int64", 5), R("r8", 8, 9, 64, GC, "int64", 8),
    R("r9", 9, 13, 64, GC, "int64", 9), R("r10", 10, 14, 64, GC, "int64", 10), R("r11", 11, 15, 64, GC, "int64", 11),
    R("r12", 12, 8, 64, GC, "int64", 12), R("r13", 13, 10, 64, GC, "int64", 13), R("r14", 14, 11, 64, GC, "int64", 14),
    R("r15", 15, 12, 64, GC, "int64", 15),
    { "rip", T_VOID, G_SYS, -1, offsetof(CPU, pc), 64, GC, "code_ptr", 16, NULL, NULL },
    { "eflags", T_VOID, G_FLAGS, -1, 0, 32, GC, "int", 17, get_eflags64, set_eflags64 },
    FLAGS_AND_CONTROL(), SEGMENTS(18),
    BASE("es_base", SEG_ES), BASE("cs_base", SEG_CS), BASE("ss_base", SEG_SS), BASE("ds_base", SEG_DS),
    { "fs_base", T_I64, G_SEG, -1, HOME(segbase[SEG_FS]), 64, GB, "int", 0, NULL, NULL },
    { "gs_base", T_I64, G_SEG, -1, HOME(segbase[SEG_GS]), 64, GB, "int", 1, NULL, NULL },
    CONTROL(16), EIGHT(XMM, GS), MID(XMM, GS), UPPER(XMM, NULL), EIGHT(HI), MID(HI), UPPER(HI), EIGHT(K), X87_UNIT,
    X87_GDB(24),
};
_Static_assert(ARRAY_LEN(regs64) == R_COUNT, "x86.h's register ids are the rows");

static const struct guest_reg regs32[] = {
    R("eax", 0, 1, 32, GC, "int32", 0), R("ecx", 1, 4, 32, GC, "int32", 1), R("edx", 2, 2, 32, GC, "int32", 2),
    R("ebx", 3, 3, 32, GC, "int32", 3), R("esp", 4, 0, 32, GC, "data_ptr", 4), R("ebp", 5, 6, 32, GC, "data_ptr", 5),
    R("esi", 6, 5, 32, GC, "int32", 6), R("edi", 7, 7, 32, GC, "int32", 7),
#define NONE(n) HIDDEN("r" #n, T_I64, G_GPR, HOME(r[n]))
    MID(NONE),
    { "eip", T_VOID, G_SYS, -1, offsetof(CPU, pc), 32, GC, "code_ptr", 8, NULL, NULL },
    { "eflags", T_VOID, G_FLAGS, -1, 0, 32, GC, "int", 9, get_eflags64, set_eflags64 },
    FLAGS_AND_CONTROL(), SEGMENTS(10),
    BASE("es_base", SEG_ES), BASE("cs_base", SEG_CS), BASE("ss_base", SEG_SS), BASE("ds_base", SEG_DS),
    BASE("fs_base", SEG_FS), BASE("gs_base", SEG_GS),
    CONTROL(8), EIGHT(XMM, GS), MID(XMM, NULL), UPPER(XMM, NULL), EIGHT(HI), MID(HI), UPPER(HI), EIGHT(K), X87_UNIT,
    X87_GDB(16),
};
_Static_assert(ARRAY_LEN(regs32) == R_COUNT, "the same rows");

/* -- models and features --------------------------------------------------------------------------------------------------- */
#define V1   "FPU,TSC,CX8,SEP,CMOV,CLFSH,MMX,FXSR,SSE,SSE2,HYPERVISOR"
#define LONG ",SYSCALL,NX,LM"
#define V2   V1 LONG ",CX16,LAHF,POPCNT,SSE3,SSSE3,SSE4_1,SSE4_2,MMXEXT"
#define V3   V2 ",XSAVE,AVX,AVX2,BMI1,BMI2,F16C,FMA,LZCNT,MOVBE"
#define V4   V3 ",AVX512F,AVX512BW,AVX512CD,AVX512DQ,AVX512VL"
static const struct cpu_model models[] = {
    { "max", "everything that is implemented", NULL },
    { "qemu64", "x86-64 with SSE3 and CMPXCHG16B", V1 LONG ",CX16,LAHF,SSE3" },
    { "x86-64-v1", "the x86-64 baseline", V1 LONG },
    { "x86-64-v2", "the ABI's level 2 (SSE4.2, POPCNT, CMPXCHG16B)", V2 },
    { "x86-64-v3", "the ABI's level 3 (AVX2, BMI2, FMA)", V3 },
    { "x86-64-v4", "the ABI's level 4 (AVX-512)", V4 },
    { "qemu32", "i686 with SSE3", V1 ",SSE3" },
    { "486", "i486", "FPU" },
    { "pentium", "Pentium", "FPU,TSC,CX8" },
    { "pentium2", "Pentium II", "FPU,TSC,CX8,SEP,CMOV,MMX,FXSR" },
    { "pentium3", "Pentium III", "FPU,TSC,CX8,SEP,CMOV,MMX,FXSR,SSE" },
    { NULL, NULL, NULL }
};
/* Family, model and stepping as CPUID says; where a model is of no particular make, AMD's: undefined flags are as there. */
static const struct identity {
    uint32_t signature;
    const char *vendor;
} identities[] = {
    { 0x00800f12, "AuthenticAMD" }, { 0x000f06b1, "AuthenticAMD" }, { 0x000f06b1, "AuthenticAMD" }, { 0x00100f42, "AuthenticAMD" },
    { 0x00800f12, "AuthenticAMD" }, { 0x00a00f11, "AuthenticAMD" }, { 0x00000663, "AuthenticAMD" }, { 0x00000480, "GenuineIntel" },
    { 0x00000543, "GenuineIntel" }, { 0x00000652, "GenuineIntel" }, { 0x00000673, "GenuineIntel" },
};
_Static_assert(ARRAY_LEN(identities) == ARRAY_LEN(models) - 1, "one for each model");

static int feat_find(const char *name, size_t len)
{
    for (int i = 0; i < X86_FEATS; i++) {
        const struct x86_feature *f = &x86_features[i];
        if (strlen(f->name) == len && !strncasecmp(f->name, name, len)) return i;
        if (f->cpuinfo && strlen(f->cpuinfo) == len && !strncasecmp(f->cpuinfo, name, len)) return i;
    }
    return -1;
}
static void feat_set(struct x86_cpu *x, int f, bool on)
{
    uint64_t bit = 1ull << (f % 64);
    x->have[f / 64] = on ? x->have[f / 64] | bit : x->have[f / 64] & ~bit;
}

/* One word after the model: "avx=off", "avx", "+avx", "-avx". */
static int option(struct x86_cpu *x, const char *word, size_t len, struct err *e)
{
    const char *eq = memchr(word, '=', len), *name = word + (*word == '+' || *word == '-');
    const char *val = eq ? eq + 1 : "on";
    size_t nlen = (size_t)((eq ? eq : word + len) - name), vlen = eq ? (size_t)(word + len - val) : 2;
    bool on = (vlen == 2 && !memcmp(val, "on", 2)) || (vlen == 4 && !memcmp(val, "true", 4));
    bool off = (vlen == 3 && !memcmp(val, "off", 3)) || (vlen == 5 && !memcmp(val, "false", 5));
    char norm[32];
    int f;

    if (!on && !off) return err_set(e, EINVAL, "%.*s: on or off is needed, not '%.*s'", (int)nlen, name, (int)vlen, val);
    on = on && *word != '-';
    for (size_t i = 0; i < MIN(nlen, sizeof norm); i++) norm[i] = name[i] == '-' || name[i] == '.' ? '_' : name[i];
    f = nlen < sizeof norm ? feat_find(norm, nlen) : -1;
    if (f < 0) return err_set(e, EINVAL, "no CPU feature '%.*s'", (int)nlen, name);
    if (on && !x86_features[f].implemented) return err_set(e, EINVAL, "CPU feature '%.*s' is not implemented", (int)nlen, name);
    feat_set(x, f, on);
    return 0;
}

static void set_gates(struct x86_cpu *x)
{
    memset(x->gates, 0, sizeof x->gates);
    for (unsigned g = 0; g < X86_NFEATS; g++)
        for (unsigned f = 0; f < X86_FEATS; f++)
            if (!strcmp(x86_feat_names[g], x86_features[f].name) && x86_has(x, (enum x86_feat)f)) x->gates[g / 64] |= 1ull << (g % 64);
}

static int init(CPU *cpu, const char *spec, struct err *e, bool is64)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    const char *p = spec && *spec ? spec : models[0].name;
    size_t len = strcspn(p, ",");
    unsigned m = 0;

    while (models[m].name && (strlen(models[m].name) != len || memcmp(models[m].name, p, len))) m++;
    if (!models[m].name) return err_set(e, EINVAL, "no CPU model '%.*s'; -cpu help lists them", (int)len, p);
    x->model = (uint8_t)m;
    x->is64 = is64;
    x->sysmode = cpu->v && cpu->v->sys;
    x->signature = identities[m].signature;
    memcpy(x->vendor, identities[m].vendor, 13);
    for (int f = 0; f < X86_FEATS; f++) {
        const char *list = models[m].features;
        bool on = !list;
        for (size_t n; list && *list; list += n + (list[n] == ',')) {
            n = strcspn(list, ",");
            on |= feat_find(list, n) == f;
        }
        feat_set(x, f, on && x86_features[f].implemented);
    }
    for (p += len; *p; p += strcspn(p, ",")) {
        int rc = option(x, p + 1, strcspn(p + 1, ","), e);
        if (rc) return rc;
        p++;
    }
    if (!is64) feat_set(x, F_LM, false), feat_set(x, F_SYSCALL, false);
    set_gates(x);
    cpu->mode = is64 ? MODE_CODE64 : MODE_CODE32;
    cpu->res_addr = ~0ull;
    x->xcr0 = 1 | (x86_has(x, F_SSE) ? 2 : 0) | (x86_has(x, F_AVX) ? 4 : 0);
    x86_set_eflags(cpu, FL_IF);
    x86_fp_reset(x);
    return 0;
}
static int init64(CPU *cpu, const char *spec, struct err *e)
{
    return init(cpu, spec, e, true);
}
static int init32(CPU *cpu, const char *spec, struct err *e)
{
    return init(cpu, spec, e, false);
}

/* -- one instruction --------------------------------------------------------------------------------------------------------- */
static unsigned code_bits(uint32_t mode)
{
    return (mode & MODE_CODE) == MODE_CODE64 ? 64 : (mode & MODE_CODE) == MODE_CODE32 ? 32 : 16;
}

static unsigned translate(struct xlat *t, const uint8_t *p, size_t avail)
{
    struct x86_fields f __attribute__((uninitialized)); /* the decoder clears it */
    int row = x86_decode(p, avail, code_bits(t->mode), x86(t)->gates, &f);

    if (row == -2) return 0;
    t->next_pc = t->pc + f.len;
    if (!code64(t)) t->next_pc = (uint32_t)t->next_pc;
    if (row < 0) xl_illegal(t);
    else x86_rows[row].fn(t, &f);
    return f.len;
}

static unsigned disas(char *buf, size_t size, const uint8_t *p, size_t avail, uint64_t pc, const CPU *cpu)
{
    struct isa_text o = isa_text(buf, size);
    struct x86_fields f;
    int row = x86_decode(p, avail, code_bits(cpu->mode), x86_cpu(cpu)->gates, &f);

    if (row < 0) {
        isa_printf(&o, ".byte 0x%02x", avail ? *p : 0);
        return 1;
    }
    x86_print(&o, &f, pc);
    return f.len;
}

static unsigned reg_shape(const CPU *cpu, unsigned i, uint32_t *offset)
{
    const struct x86_cpu *x = x86_cpu(cpu);
    if (i - R_ST < 8) *offset = (uint32_t)HOME(x87.r[0]) + (uint32_t)sizeof(struct f80) * ((x->x87.top + i - R_ST) & 7);
    return (x->is64 ? regs64 : regs32)[i].bits;
}

static unsigned random_insn(uint64_t (*rnd)(void *), void *ctx, uint8_t *buf, const CPU *cpu)
{
    return x86_random(rnd, ctx, buf, code_bits(cpu->mode), x86_cpu(cpu)->gates, -1);
}

enum { EM_386 = 3, EM_X86_64 = 62 };
const struct guest x86_64_guest = {
    .name = "x86_64", .aliases = "amd64", .elf_machine = EM_X86_64, .elf_class = 2, .insn_align = 1, .addr_bits = 47,
    .cpu_size = sizeof(struct x86_cpu), .regs = regs64, .nregs = R_COUNT, .nir = R_IR_COUNT, .gdb_arch = "i386:x86-64", .models = models,
    .init = init64, .translate = translate, .disas = disas, .fp = guest_fp, .reg_shape = reg_shape,
    .random_insn = random_insn, .lnx = &x86_64_linux,
};
const struct guest i386_guest = {
    .name = "i386", .aliases = "i486,i586,i686,x86", .elf_machine = EM_386, .elf_class = 1, .insn_align = 1, .addr_bits = 32,
    .cpu_size = sizeof(struct x86_cpu), .regs = regs32, .nregs = R_COUNT, .nir = R_IR_COUNT, .gdb_arch = "i386", .models = models,
    .init = init32, .translate = translate, .disas = disas, .fp = guest_fp, .reg_shape = reg_shape,
    .random_insn = random_insn, .lnx = &i386_linux,
};
