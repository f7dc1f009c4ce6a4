/*
 * disas.c: how operands are written: the formatters that syntax strings name. The spelling is binutils' objdump's.
 */
#include "cpu/isa_text.h"
#include "sys.h"
#include "xl.h"

#define FORMATTER(name) \
    void arm_fmt_##name(struct isa_text *o UNUSED, int64_t v UNUSED, const struct arm_fields *f UNUSED, uint64_t pc UNUSED)

/* -- general registers ------------------------------------------------------------------------------------------------------ */
static void reg(struct isa_text *o, bool sf, int64_t n, bool sp)
{
    if (n == 31)
        isa_puts(o, sp ? (sf ? "sp" : "wsp") : (sf ? "xzr" : "wzr"));
    else
        isa_printf(o, "%c%d", sf ? 'x' : 'w', (int)n);
}
FORMATTER(x) { reg(o, true, v, false); }
FORMATTER(w) { reg(o, false, v, false); }
FORMATTER(xsp) { reg(o, true, v, true); }
FORMATTER(r) { reg(o, f->sf, v, false); }       /* width by sf */
FORMATTER(rsp) { reg(o, f->sf, v, true); }
FORMATTER(sp) { isa_puts(o, v ? "sp" : "wsp"); } /* value: sf */
FORMATTER(rt) { reg(o, f->size == 3, v, false); } /* by the size of an access */
FORMATTER(rsz) { reg(o, f->sz, v, false); }
FORMATTER(next) { reg(o, f->sz, v + 1, false); }
FORMATTER(bitreg) { reg(o, f->bit >= 32, v, false); }
FORMATTER(extreg) { reg(o, f->sf && (f->option & 3) == 3, v, false); }
FORMATTER(extro) { reg(o, f->option & 1, v, false); }

/* -- numbers ---------------------------------------------------------------------------------------------------------------- */
FORMATTER(hex) { isa_printf(o, "0x%llx", (unsigned long long)v); }
FORMATTER(d) { isa_printf(o, "%lld", (long long)v); }
FORMATTER(page) { isa_printf(o, "%llx", (unsigned long long)((pc & ~0xfffull) + ((uint64_t)v << 12))); }
FORMATTER(addimm) { isa_printf(o, f->sh ? "#0x%llx, lsl #12" : "#0x%llx", (unsigned long long)v); }
FORMATTER(lsl)
{
    if (v) isa_printf(o, ", lsl #%d", (int)v);
}
FORMATTER(shift)
{
    static const char *const name[] = { "lsl", "lsr", "asr", "ror" };
    if (v || f->shift) isa_printf(o, ", %s #%d", name[f->shift & 3], (int)v);
}
static const char *const extends[] = { "uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx" };
/* LSL is preferred where SP is a register of the instruction and the extension does nothing. */
static void extend(struct isa_text *o, int64_t amount, F *f, bool sp)
{
    if (sp && f->option == (f->sf ? 3 : 2)) {
        if (amount) isa_printf(o, ", lsl #%d", (int)amount);
        return;
    }
    isa_printf(o, amount ? ", %s #%d" : ", %s", extends[f->option & 7], (int)amount);
}
FORMATTER(ext) { extend(o, v, f, f->rn == 31 || f->rd == 31); }
FORMATTER(exts) { extend(o, v, f, f->rn == 31); }
FORMATTER(cond)
{
    static const char *const name[] = { "eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv" };
    isa_puts(o, name[v & 15]);
}

/* -- addresses: what follows the base --------------------------------------------------------------------------------------- */
static void offset(struct isa_text *o, int64_t v)
{
    if (v) isa_printf(o, ", #%lld", (long long)v);
}
FORMATTER(soff) { offset(o, v); }
FORMATTER(uoff) { offset(o, v << f->size); }
FORMATTER(uoff8) { offset(o, v * 8); }
FORMATTER(uoff16) { offset(o, v * 16); }
FORMATTER(off8) { offset(o, v * 8); }
FORMATTER(poff) { offset(o, v * (f->sf ? 8 : 4)); }
FORMATTER(poff4) { offset(o, v * 4); }
FORMATTER(poffs) { offset(o, v * (4 << f->opc)); }
FORMATTER(poffd) { isa_printf(o, "%lld", (long long)v * (f->sf ? 8 : 4)); }
FORMATTER(poffd4) { isa_printf(o, "%lld", (long long)v * 4); }
FORMATTER(poffsd) { isa_printf(o, "%lld", (long long)v * (4 << f->opc)); }
static void index_ext(struct isa_text *o, F *f, unsigned scale)
{
    if (f->option != 3)
        isa_printf(o, f->s ? ", %s #%u" : ", %s", extends[f->option & 7], scale);
    else if (f->s)
        isa_printf(o, ", lsl #%u", scale);
}
FORMATTER(extidx) { index_ext(o, f, (unsigned)f->size); }
FORMATTER(extidx3) { index_ext(o, f, 3); }
FORMATTER(extidx16) { index_ext(o, f, 4); }
FORMATTER(prfop)
{
    static const char *const type[] = { "pld", "pli", "pst" }, *const policy[] = { "keep", "strm" };
    if (v >> 3 == 3 || (v >> 1 & 3) == 3)
        isa_printf(o, "#0x%02x", (unsigned)v);
    else
        isa_printf(o, "%sl%d%s", type[v >> 3], (int)(v >> 1 & 3) + 1, policy[v & 1]);
}

/* -- mnemonics' parts ------------------------------------------------------------------------------------------------------- */
static void letter(struct isa_text *o, const char *set, int64_t i)
{
    isa_printf(o, "%c", set[i]);
}
FORMATTER(bh)
{
    if (v < 2) letter(o, "bh", v);
}
FORMATTER(bhw) { letter(o, "bhw", v); }
FORMATTER(bhwx) { letter(o, "bhwx", v); }
FORMATTER(ab) { letter(o, "ab", v); }
FORMATTER(zsp) { isa_puts(o, v ? "sp" : "z"); }
FORMATTER(pac)
{
    static const char *const key[] = { "ia", "ib", "da", "db" };
    isa_puts(o, key[v & 3]);
}
FORMATTER(pacz)
{
    static const char *const key[] = { "iza", "izb", "dza", "dzb" };
    isa_puts(o, key[v & 3]);
}
FORMATTER(acqrel)
{
    if (f->acq) isa_puts(o, "a");
    if (f->rel) isa_puts(o, "l");
}
/* Options of copies: unprivileged and non-temporal, of reads, writes or both; of sets. */
FORMATTER(mopsopt)
{
    static const char *const priv[] = { "", "wt", "rt", "t" }, *const temporal[] = { "", "wn", "rn", "n" };
    isa_puts(o, priv[v & 3]);
    isa_puts(o, temporal[v >> 2 & 3]);
}
FORMATTER(mopssopt)
{
    if (v & 1) isa_puts(o, "t");
    if (v & 2) isa_puts(o, "n");
}
FORMATTER(barrier)
{
    static const char *const dom[] = { "osh", "nsh", "ish", "sy" }, *const type[] = { "", "ld", "st", "" };
    if (!v)
        isa_printf(o, "#0x%02x", (unsigned)f->dom << 2);
    else if (f->dom == 3 && v != 3)
        isa_puts(o, type[v]);
    else
        isa_printf(o, "%s%s", dom[f->dom & 3], type[v & 3]);
}

/* -- SIMD&FP registers ------------------------------------------------------------------------------------------------------ */
FORMATTER(fpsz) { isa_printf(o, "%c%d", "bhsd"[f->size & 3], (int)v); }
FORMATTER(q) { isa_printf(o, "q%d", (int)v); }
FORMATTER(sdq) { isa_printf(o, "%c%d", "sdq"[f->opc % 3], (int)v); }

/* "{v0.16b-v3.16b}" for more than two registers, unless they wrap around. */
static void list(struct isa_text *o, unsigned first, unsigned n, const char *suffix)
{
    if (n > 2 && first + n <= 32) {
        isa_printf(o, "{v%u.%s-v%u.%s}", first, suffix, first + n - 1, suffix);
        return;
    }
    for (unsigned i = 0; i < n; i++) isa_printf(o, "%sv%u.%s", i ? ", " : "{", (first + i) & 31, suffix);
    isa_puts(o, "}");
}
static const char *arrangement(F *f)
{
    static const char *const name[2][4] = { { "8b", "4h", "2s", "1d" }, { "16b", "8h", "4s", "2d" } };
    return name[f->q & 1][f->size & 3];
}
static unsigned elems(F *f)
{
    return (unsigned)(f->many << 1 | f->pair) + 1;
}
FORMATTER(structs)
{
    static const uint8_t elem[16] = { [0] = 4, [2] = 1, [4] = 3, [6] = 1, [7] = 1, [8] = 2, [10] = 1 };
    isa_printf(o, "%u", elem[v & 15]);
}
FORMATTER(vlist) { list(o, (unsigned)v, (unsigned)f->regs, arrangement(f)); }
FORMATTER(elems) { isa_printf(o, "%u", elems(f)); }
FORMATTER(vrep) { list(o, (unsigned)v, elems(f), arrangement(f)); }
static unsigned lane_scale(F *f)
{
    return f->opc == 2 ? 2 + (unsigned)f->size : (unsigned)f->opc;
}
FORMATTER(vlane)
{
    static const char *const name[] = { "b", "h", "s", "d" };
    list(o, (unsigned)v, elems(f), name[lane_scale(f) & 3]);
}
static void post(struct isa_text *o, int64_t rm, unsigned bytes)
{
    if (rm == 31)
        isa_printf(o, "#%u", bytes);
    else
        reg(o, true, rm, false);
}
FORMATTER(vpost) { post(o, v, (unsigned)f->regs * (f->q ? 16 : 8)); }
FORMATTER(lpost) { post(o, v, elems(f) << lane_scale(f)); }
FORMATTER(rpost) { post(o, v, elems(f) << f->size); }

/* -- system registers ------------------------------------------------------------------------------------------------------- */
static const char *arm_sr_name(unsigned n)
{
    static const struct { uint16_t num; uint8_t op0; const char *name; } names[] = {
#define SRI(name, op0, op1, crn, crm, op2, ...) { SYSREG(op0, op1, crn, crm, op2), op0, #name },
#define SR SRI
#include "sysreg.def"
#undef SRI
#undef SR
        { SYSREG(3, 0, 4, 2, 2), 3, "currentel" }, { SYSREG(3, 0, 4, 2, 0), 3, "spsel" }, { SYSREG(3, 0, 4, 2, 3), 3, "pan" },
        { SYSREG(3, 0, 4, 2, 4), 3, "uao" },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].num == n && names[i].op0) return names[i].name;
    return NULL;
}

/* SYS by the names of what it does: cache and TLB maintenance, address translation. */
static void tlbi_name(struct isa_text *o, unsigned op1, unsigned crm, unsigned op2)
{
    static const char *const what[3][8] = {
        { "vmalle1", "vae1", "aside1", "vaae1", NULL, "vale1", NULL, "vaale1" },
        { "alle2", "vae2", NULL, NULL, "alle1", "vale2", "vmalls12e1", NULL },
        { "alle3", "vae3", NULL, NULL, NULL, "vale3", NULL, NULL },
    };
    static const char *const where[8] = { NULL, "os", "is", "is", NULL, "os", "", "" };
    const char *name = op1 == 0 || op1 == 4 || op1 == 6 ? what[op1 / 2 - (op1 > 0)][op2] : NULL;
    bool range = crm == 2 || crm == 5 || crm == 6;
    if (op1 == 4 && (crm == 0 || crm == 4)) {
        static const char *const ipa[2][8] = {
            { NULL, "ipas2e1is", "ripas2e1is", NULL, NULL, "ipas2le1is", "ripas2le1is", NULL },
            { "ipas2e1os", "ipas2e1", "ripas2e1", "ripas2e1os", "ipas2le1os", "ipas2le1", "ripas2le1", "ripas2le1os" },
        };
        isa_puts(o, ipa[crm / 4][op2] ? ipa[crm / 4][op2] : "?");
        return;
    }
    isa_printf(o, "%s%s%s", range ? "r" : "", name ? name : "?", crm < 8 && where[crm] ? where[crm] : "?");
}
FORMATTER(sysop)
{
    static const struct { uint16_t op; const char *name; } names[] = {
        { SYSREG(0, 0, 7, 1, 0), "ic ialluis" }, { SYSREG(0, 0, 7, 5, 0), "ic iallu" }, { SYSREG(0, 0, 7, 6, 1), "dc ivac" },
        { SYSREG(0, 0, 7, 6, 2), "dc isw" }, { SYSREG(0, 0, 7, 10, 2), "dc csw" }, { SYSREG(0, 0, 7, 14, 2), "dc cisw" },
        { SYSREG(0, 0, 7, 8, 0), "at s1e1r" }, { SYSREG(0, 0, 7, 8, 1), "at s1e1w" }, { SYSREG(0, 0, 7, 8, 2), "at s1e0r" },
        { SYSREG(0, 0, 7, 8, 3), "at s1e0w" }, { SYSREG(0, 0, 7, 9, 0), "at s1e1rp" }, { SYSREG(0, 0, 7, 9, 1), "at s1e1wp" },
        { SYSREG(0, 4, 7, 8, 0), "at s1e2r" }, { SYSREG(0, 4, 7, 8, 1), "at s1e2w" }, { SYSREG(0, 4, 7, 8, 4), "at s12e1r" },
        { SYSREG(0, 4, 7, 8, 5), "at s12e1w" }, { SYSREG(0, 4, 7, 8, 6), "at s12e0r" }, { SYSREG(0, 4, 7, 8, 7), "at s12e0w" },
        { SYSREG(0, 6, 7, 8, 0), "at s1e3r" }, { SYSREG(0, 6, 7, 8, 1), "at s1e3w" },
    };
    unsigned n = (unsigned)v, rt = (unsigned)f->rt, op1 = n >> 11 & 7, crn = n >> 7 & 15, crm = n >> 3 & 15, op2 = n & 7;
    const char *name = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].op == n) name = names[i].name;
    bool tlbi = crn == 8 && arm_tlbi_valid(n), alone = tlbi && arm_tlbi_alone(n);
    if (tlbi) {
        isa_puts(o, "tlbi ");
        tlbi_name(o, op1, crm, op2);
    } else if (name && !(n == SYSREG(0, 0, 7, 1, 0) && rt != 31) && !(n == SYSREG(0, 0, 7, 5, 0) && rt != 31)) {
        isa_puts(o, name);
        alone = !strncmp(name, "ic", 2);
    } else {
        isa_printf(o, "sys #%u, C%u, C%u, #%u", op1, crn, crm, op2);
        alone = rt == 31;
    }
    if (!alone) isa_printf(o, rt == 31 ? ", xzr" : ", x%u", rt);
}
FORMATTER(sysreg)
{
    static const struct {
        uint16_t num;
        const char *name;
    } names[] = {
        { SYSREG(3, 0, 0, 0, 0), "midr_el1" }, { SYSREG(3, 0, 0, 0, 5), "mpidr_el1" }, { SYSREG(3, 0, 0, 0, 6), "revidr_el1" },
        { SYSREG(3, 0, 0, 4, 0), "id_aa64pfr0_el1" }, { SYSREG(3, 0, 0, 4, 1), "id_aa64pfr1_el1" },
        { SYSREG(3, 0, 0, 4, 4), "id_aa64zfr0_el1" }, { SYSREG(3, 0, 0, 5, 0), "id_aa64dfr0_el1" },
        { SYSREG(3, 0, 0, 5, 1), "id_aa64dfr1_el1" }, { SYSREG(3, 0, 0, 6, 0), "id_aa64isar0_el1" },
        { SYSREG(3, 0, 0, 6, 1), "id_aa64isar1_el1" }, { SYSREG(3, 0, 0, 6, 2), "id_aa64isar2_el1" },
        { SYSREG(3, 0, 0, 7, 0), "id_aa64mmfr0_el1" }, { SYSREG(3, 0, 0, 7, 1), "id_aa64mmfr1_el1" },
        { SYSREG(3, 0, 0, 7, 2), "id_aa64mmfr2_el1" }, { SYSREG(3, 3, 0, 0, 1), "ctr_el0" },
        { SYSREG(3, 3, 0, 0, 7), "dczid_el0" }, { SYSREG(3, 3, 2, 4, 0), "rndr" }, { SYSREG(3, 3, 2, 4, 1), "rndrrs" },
        { SYSREG(3, 3, 4, 2, 0), "nzcv" }, { SYSREG(3, 3, 4, 2, 1), "daif" }, { SYSREG(3, 3, 4, 2, 5), "dit" },
        { SYSREG(3, 3, 4, 2, 6), "ssbs" }, { SYSREG(3, 3, 4, 2, 7), "tco" }, { SYSREG(3, 3, 4, 4, 0), "fpcr" },
        { SYSREG(3, 3, 4, 4, 1), "fpsr" }, { SYSREG(3, 3, 13, 0, 2), "tpidr_el0" }, { SYSREG(3, 3, 13, 0, 3), "tpidrro_el0" },
        { SYSREG(3, 3, 13, 0, 5), "tpidr2_el0" }, { SYSREG(3, 3, 14, 0, 0), "cntfrq_el0" },
        { SYSREG(3, 3, 14, 0, 1), "cntpct_el0" }, { SYSREG(3, 3, 14, 0, 2), "cntvct_el0" },
    };
    unsigned n = (unsigned)v;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].num == n) {
            isa_puts(o, names[i].name);
            return;
        }
    const char *name = arm_sr_name(n);
    for (const char *c = name; c && *c; c++) isa_printf(o, "%c", *c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    if (name) return;
    isa_printf(o, "s%u_%u_c%u_c%u_%u", 2 + (n >> 14 & 1), n >> 11 & 7, n >> 7 & 15, n >> 3 & 15, n & 7);
}
