/*
 * riscv.c: the RISC-V guests: register table, CPU models as data, features, translation of one instruction.
 * Manual: volume I for the registers, the RISC-V Profiles specification for the models.
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "xl.h"
#include "priv.h"
#include "sysreg.h"

/* -- registers -------------------------------------------------------------------------------------------------- */
const char *const riscv_xnames[32] = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
const char *const riscv_fnames[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

uint32_t riscv_fflags(const CPU *cpu)
{
    return riscv_flip5(cpu->fp.flags & 31);
}
void riscv_set_fflags(CPU *cpu, uint32_t fflags)
{
    cpu->fp.flags = riscv_flip5(fflags & 31);
}

/* Registers that are not a plain home. */
static uint64_t get_zero(const CPU *cpu UNUSED)
{
    return 0;
}
static void set_none(CPU *cpu UNUSED, uint64_t v UNUSED)
{
}
static uint64_t get_fflags(const CPU *cpu)
{
    return riscv_fflags(cpu);
}
static void set_fflags(CPU *cpu, uint64_t v)
{
    riscv_set_fflags(cpu, (uint32_t)v);
}
static uint64_t get_frm(const CPU *cpu)
{
    return riscv_cpu(cpu)->frm;
}
static void set_frm(CPU *cpu, uint64_t v)
{
    riscv_cpu_rw(cpu)->frm = v & 7;
    riscv_sync(riscv_cpu_rw(cpu));
}
static uint64_t get_fcsr(const CPU *cpu)
{
    return riscv_fflags(cpu) | riscv_cpu(cpu)->frm << 5;
}
static void set_fcsr(CPU *cpu, uint64_t v)
{
    set_fflags(cpu, v);
    set_frm(cpu, v >> 5);
}
static uint64_t get_vtype(const CPU *cpu)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    return r->vill ? (r->rv32 ? 1u << 31 : 1ull << 63) : r->vtype;
}
static void set_vtype(CPU *cpu, uint64_t v)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    riscv_set_vtype(r, v);
    riscv_sync(r);
}
static void set_vl(CPU *cpu, uint64_t v)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    r->vl = MIN(v, riscv_vlmax(r));
    riscv_sync(r);
}
static uint64_t get_vl(const CPU *cpu)
{
    return riscv_cpu(cpu)->vl;
}
static uint64_t get_vstart(const CPU *cpu)
{
    return riscv_cpu(cpu)->vstart;
}
static void set_vstart(CPU *cpu, uint64_t v)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    r->vstart = v & (r->vlen - 1u);
    riscv_sync(r);
}
static uint64_t get_vcsr(const CPU *cpu)
{
    return riscv_cpu(cpu)->vxsat | riscv_cpu(cpu)->vxrm << 1;
}
static void set_vcsr(CPU *cpu, uint64_t v)
{
    riscv_cpu_rw(cpu)->vxsat = v & 1;
    riscv_cpu_rw(cpu)->vxrm = v >> 1 & 3;
    riscv_sync(riscv_cpu_rw(cpu));
}
static uint64_t get_vxrm(const CPU *cpu)
{
    return riscv_cpu(cpu)->vxrm;
}
static void set_vxrm(CPU *cpu, uint64_t v)
{
    riscv_cpu_rw(cpu)->vxrm = v & 3;
    riscv_sync(riscv_cpu_rw(cpu));
}
static uint64_t get_vlenb(const CPU *cpu)
{
    return riscv_cpu(cpu)->vlen / 8;
}

#define GX "org.gnu.gdb.riscv.cpu"
#define GF "org.gnu.gdb.riscv.fpu"
#define GV "org.gnu.gdb.riscv.vector"
#define GS "org.gnu.gdb.riscv.csr"
#define GP "org.gnu.gdb.riscv.virtual"
#define HOME(m) offsetof(struct riscv_cpu, m)

/* Privileged registers as debuggers see them: no checks, side effects as if written by machine mode. */
static uint64_t get_csr(const CPU *cpu, unsigned num)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    const struct csr *c = r->sys ? riscv_csr_find(r, num) : NULL;
    return c ? riscv_csr_get(r, c) : 0;
}
static void set_csr(CPU *cpu, unsigned num, uint64_t v)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    const struct csr *c = r->sys ? riscv_csr_find(r, num) : NULL;
    if (c) riscv_csr_set(r, c, v);
}
#define CSR(n, nm, e, f, ...) \
    static uint64_t get_csr_##nm(const CPU *cpu) { return get_csr(cpu, n); } \
    static void set_csr_##nm(CPU *cpu, uint64_t v) { set_csr(cpu, n, v); }
#define CSR_USER(...)
#define CSR_HI(...)
#define CSR_HI_USER(...)
#include "csr.def"
#undef CSR
#undef CSR_USER
#undef CSR_HI
#undef CSR_HI_USER

/* gdb's: bits 0-1 privilege, bit 2 virtualization. */
static uint64_t get_priv(const CPU *cpu)
{
    return riscv_cpu(cpu)->s.priv | (riscv_cpu(cpu)->s.virt ? 4u : 0);
}
static void set_priv(CPU *cpu, uint64_t v)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    if (!r->sys || (v & 3) == 2) return;
    r->s.priv = v & 3;
    r->s.virt = v & 4 && riscv_h(r) && r->s.priv != PRIV_M;
    riscv_sync(r);
    soft_switch(cpu);
}
#define X(n, name, pin, gt) { name, XT, 0, pin, HOME(x[n]), XB, GX, gt, n, NULL, NULL },
#define FREG(n, name) { name, T_F64, 1, -1, HOME(f[n]), 64, GF, "ieee_double", n, NULL, NULL },
/* 128 bits of each vector register are visible to the IR; other VLENs go through helpers. */
#define VREG(n) { "v" #n, T_V128, 2, -1, HOME(v[16 * (n)]), 128, GV, "uint128", n, NULL, NULL },

/* Pinning order: static counts of register operands in a compiled libc, a5 and sp far ahead. */
#define REGISTERS \
    { "zero", T_VOID, 0, -1, HOME(x[0]), XB, GX, NULL, 0, get_zero, set_none }, \
    X(1, "ra", 9, "code_ptr") X(2, "sp", 1, "data_ptr") X(3, "gp", -1, "data_ptr") X(4, "tp", -1, "data_ptr") \
    X(5, "t0", -1, NULL) X(6, "t1", 15, NULL) X(7, "t2", -1, NULL) X(8, "fp", 5, "data_ptr") X(9, "s1", 8, NULL) \
    X(10, "a0", 3, NULL) X(11, "a1", 6, NULL) X(12, "a2", 7, NULL) X(13, "a3", 4, NULL) X(14, "a4", 2, NULL) \
    X(15, "a5", 0, NULL) X(16, "a6", 12, NULL) X(17, "a7", 13, NULL) X(18, "s2", 10, NULL) X(19, "s3", 11, NULL) \
    X(20, "s4", 14, NULL) X(21, "s5", -1, NULL) X(22, "s6", -1, NULL) X(23, "s7", -1, NULL) X(24, "s8", -1, NULL) \
    X(25, "s9", -1, NULL) X(26, "s10", -1, NULL) X(27, "s11", -1, NULL) X(28, "t3", -1, NULL) X(29, "t4", -1, NULL) \
    X(30, "t5", -1, NULL) X(31, "t6", -1, NULL) \
    { "pc", T_VOID, 0, -1, offsetof(CPU, pc), XB, GX, "code_ptr", 32, NULL, NULL }, \
    FREG(0, "ft0") FREG(1, "ft1") FREG(2, "ft2") FREG(3, "ft3") FREG(4, "ft4") FREG(5, "ft5") FREG(6, "ft6") \
    FREG(7, "ft7") FREG(8, "fs0") FREG(9, "fs1") FREG(10, "fa0") FREG(11, "fa1") FREG(12, "fa2") FREG(13, "fa3") \
    FREG(14, "fa4") FREG(15, "fa5") FREG(16, "fa6") FREG(17, "fa7") FREG(18, "fs2") FREG(19, "fs3") FREG(20, "fs4") \
    FREG(21, "fs5") FREG(22, "fs6") FREG(23, "fs7") FREG(24, "fs8") FREG(25, "fs9") FREG(26, "fs10") FREG(27, "fs11") \
    FREG(28, "ft8") FREG(29, "ft9") FREG(30, "ft10") FREG(31, "ft11") \
    { "fflags", T_VOID, 3, -1, 0, 32, GF, NULL, -1, get_fflags, set_fflags }, \
    { "frm", T_I32, 3, -1, HOME(frm), 32, GF, NULL, -1, get_frm, set_frm }, \
    { "fcsr", T_VOID, 3, -1, 0, 32, GF, NULL, -1, get_fcsr, set_fcsr }, \
    VREG(0) VREG(1) VREG(2) VREG(3) VREG(4) VREG(5) VREG(6) VREG(7) VREG(8) VREG(9) VREG(10) VREG(11) VREG(12) VREG(13) \
    VREG(14) VREG(15) VREG(16) VREG(17) VREG(18) VREG(19) VREG(20) VREG(21) VREG(22) VREG(23) VREG(24) VREG(25) VREG(26) \
    VREG(27) VREG(28) VREG(29) VREG(30) VREG(31) \
    { "vstart", T_I64, 3, -1, HOME(vstart), XB, GS, NULL, -1, get_vstart, set_vstart }, \
    { "vxsat", T_I32, 3, -1, HOME(vxsat), 32, GS, NULL, -1, NULL, NULL }, \
    { "vxrm", T_I32, 3, -1, HOME(vxrm), 32, GS, NULL, -1, get_vxrm, set_vxrm }, \
    { "vcsr", T_VOID, 3, -1, 0, 32, GS, NULL, -1, get_vcsr, set_vcsr }, \
    { "vl", T_I64, 3, -1, HOME(vl), XB, GS, NULL, -1, get_vl, set_vl }, \
    { "vtype", T_I32, 3, -1, HOME(vtype), XB, GS, NULL, -1, get_vtype, set_vtype }, \
    { "vlenb", T_VOID, 3, -1, 0, XB, GS, NULL, -1, get_vlenb, set_none }, \
    { "vill", T_I32, 3, -1, HOME(vill), 0, NULL, NULL, -1, NULL, NULL }, \
    { "vmode", T_I32, 3, -1, HOME(vmode), 0, NULL, NULL, -1, NULL, NULL }, \
    { "mode", T_I32, 3, -1, offsetof(CPU, mode), 0, NULL, NULL, -1, NULL, NULL }, \
    { "res_addr", T_I64, 3, -1, offsetof(CPU, res_addr), 0, NULL, NULL, -1, NULL, NULL }, \
    { "res_val0", T_I64, 3, -1, offsetof(CPU, res_val[0]), 0, NULL, NULL, -1, NULL, NULL }, \
    { "res_val1", T_I64, 3, -1, offsetof(CPU, res_val[1]), 0, NULL, NULL, -1, NULL, NULL }, \
    SREG(mscratch) SREG(mepc) SREG(mcause) SREG(mtval) SREG(sscratch) SREG(sepc) SREG(scause) SREG(stval) \
    SREG(vsscratch) SREG(vsepc) SREG(vscause) SREG(vstval) \
    { "priv", T_VOID, 0, -1, 0, 0, GP, NULL, -1, get_priv, set_priv },

/* The rest is csr.def's: CSRs that are no registers to the IR. reg_shape says which of them a hart has. */
#define CSR_ROW(n, nm) { #nm, T_VOID, 0, -1, 0, 0, GS, NULL, -1, get_csr_##nm, set_csr_##nm },

/* 0 bits in the table: only harts of machines have them. */
#define SREG(nm) { #nm, XT, 3, -1, HOME(s.nm), 0, GS, NULL, -1, NULL, NULL },

static const struct guest_reg regs64[] = {
#define XT T_I64
#define XB 64
    REGISTERS
#undef XT
#undef XB
#define CSR(n, nm, e, f, ...) CSR_ROW(n, nm)
#define CSR_USER(...)
#define CSR_HI(...)
#define CSR_HI_USER(...)
#include "csr.def"
};
static const struct guest_reg regs32[] = {
#define XT T_I32
#define XB 32
    REGISTERS
#undef XT
#undef XB
#include "csr.def"
};
#undef CSR
_Static_assert(ARRAY_LEN(regs64) > R_CSR0 && ARRAY_LEN(regs64) == ARRAY_LEN(regs32), "both tables have the same rows");

/* -- derived state ---------------------------------------------------------------------------------------------- */
/* Elements in a group of the current vtype; vlmul 5, 6, 7 are 1/8, 1/4, 1/2. */
uint64_t riscv_vlmax(const struct riscv_cpu *r)
{
    unsigned lmul = r->vtype & 7, sew = r->vtype >> 3 & 7;
    uint64_t n = (uint64_t)r->vlen >> (sew + 3);
    if (r->vill) return 0;
    return lmul < 4 ? n << lmul : n >> (8 - lmul);
}

void riscv_set_vtype(struct riscv_cpu *r, uint64_t v)
{
    unsigned lmul = v & 7, sew = v >> 3 & 7, elen = riscv_has_ext(r, EXT_zve64x) ? 3 : 2;
    /* A fraction must leave room for one element of SEW <= LMUL * ELEN. */
    bool bad = v >> 8 || sew > elen || lmul == 4 || (lmul > 4 && sew + 8 - lmul > elen) ||
               (lmul > 4 && (unsigned)r->vlen >> (sew + 3) >> (8 - lmul) == 0);
    r->vill = bad;
    r->vtype = bad ? 0 : (uint32_t)v;
    if (bad) r->vl = 0;
}

uint32_t riscv_vmode(const struct riscv_cpu *r)
{
    uint32_t always = MODE_V | (r->vstart ? MODE_VSTART : 0) | r->vxrm << MODE_VXRM_SHIFT;
    if (r->vill) return always | MODE_VILL;
    return always | (r->vl == riscv_vlmax(r) ? MODE_VFULL : 0) | (r->vtype >> 3 & 3) << MODE_VSEW_SHIFT |
           (r->vtype & 7) << MODE_VLMUL_SHIFT;
}

void riscv_sync(struct riscv_cpu *r)
{
    r->vmode = riscv_vmode(r);
    r->c.mode = (r->frm == 4 ? MODE_FRM_RMM : r->frm > 4 ? MODE_FRM_BAD : 0) | riscv_sysmode(r);
    r->c.fp.rm = r->frm <= 4 ? RM_RNE + r->frm : RM_RNE;
}

static void guest_fp(uint32_t mode, struct ir_fp *fp)
{
    *fp = (struct ir_fp){ .nan = NAN_CANON, .slow = mode & MODE_FRM_RMM ? 1 : 0 };
}

/* -- models and features ---------------------------------------------------------------------------------------- */
#define RVG "i,m,a,f,d,zicsr,zifencei"
#define RVA20 RVG ",c,zicntr"
#define RVA22 RVA20 ",zihpm,zihintpause,zba,zbb,zbs,zic64b,zicbom,zicbop,zicboz,zfhmin,zkt"
#define RVA23 RVA22 ",v,zvfhmin,zihintntl,zicond,zimop,zcmop,zcb,zfa,zawrs"
#define ALL RVG ",c,b,v,zic64b,zicbom,zicbop,zicboz,zicntr,zicond,zihintntl,zihintpause,zihpm,zimop,zabha,zacas," \
    "zawrs,zfa,zfh,zcb,zcmop,zbc,zkn,zkt,zks,zvfh"

/* The privileged side: supervisors with the MMU of their time, and what profiles and generic harts add. */
#define PRIV_SU  ",s,u,mmu,pmp"
#define PRIV64   PRIV_SU ",sv57"
#define PRIV_RV  ",sstc,svadu,svinval,svnapot,svpbmt,h"
#define PRIV_ALL PRIV_RV ",smepmp,smstateen"
static const struct cpu_model models64[] = {
    { "max", "everything that is implemented", ALL PRIV64 PRIV_ALL },
    { "rv64", "the generic 64-bit hart", RVG ",c,zicntr,zihpm,zihintpause,zicbom,zicboz,zba,zbb,zbc,zbs,zawrs,zfa" PRIV64 PRIV_RV },
    { "any", "the same as max", ALL PRIV64 PRIV_ALL },
    { "rv64i", "the base integer instructions only", "i" PRIV64 },
    { "rva20u64", "profile RVA20U64", RVA20 PRIV64 },
    { "rva22u64", "profile RVA22U64", RVA22 PRIV64 },
    { "rva23u64", "profile RVA23U64", RVA23 PRIV64 },
    { "rva20s64", "profile RVA20S64", RVA20 PRIV_SU ",sv48,svade" },
    { "rva22s64", "profile RVA22S64", RVA22 PRIV_SU ",sv48,svade,svpbmt,svinval" },
    { "rva23s64", "profile RVA23S64", RVA23 PRIV_SU ",sv57,svade,svpbmt,svinval,svnapot,sstc,sscofpmf,smstateen,h" },
    { "sifive-e51", "SiFive E51", "i,m,a,c,zicsr,zifencei,zicntr,u,pmp" },
    { "sifive-u54", "SiFive U54", RVA20 PRIV_SU ",sv39" },
    { "thead-c906", "T-Head C906, without its own instructions", RVA20 ",zfh" PRIV_SU ",sv39" },
    { "veyron-v1", "Ventana Veyron V1", RVA22 PRIV_SU ",sv48,sstc,svinval,svnapot,svpbmt,smstateen,h" },
    { NULL, NULL, NULL }
};
static const struct cpu_model models32[] = {
    { "max", "everything that is implemented", ALL PRIV_SU ",sv32" PRIV_ALL },
    { "rv32", "the generic 32-bit hart", RVG ",c,zicntr,zihpm,zihintpause,zicbom,zicboz,zba,zbb,zbc,zbs,zawrs,zfa" PRIV_SU ",sv32" PRIV_RV },
    { "any", "the same as max", ALL PRIV_SU ",sv32" PRIV_ALL },
    { "rv32i", "the base integer instructions only", "i" PRIV_SU ",sv32" },
    { "sifive-e31", "SiFive E31", "i,m,a,c,zicsr,zifencei,zicntr,u,pmp" },
    { "sifive-e34", "SiFive E34", "i,m,a,f,c,zicsr,zifencei,zicntr,u,pmp" },
    { "sifive-u34", "SiFive U34", RVA20 PRIV_SU ",sv32" },
    { "lowrisc-ibex", "lowRISC Ibex", "i,m,c,zicsr,zifencei,zba,zbb,zbc,zbs,u,pmp,smepmp" },
    { NULL, NULL, NULL }
};

const struct riscv_ext riscv_exts[EXT_COUNT + 1] = {
#define FEAT(name, implies, hwprobe) { #name, implies, hwprobe },
#include "ext.def"
#undef FEAT
    { NULL, NULL, -1 }
};

static int ext_find(const char *name, size_t len)
{
    for (int i = 0; i < EXT_COUNT; i++)
        if (riscv_exts[i].implies && strlen(riscv_exts[i].name) == len && !strncasecmp(riscv_exts[i].name, name, len))
            return i;
    return -1;
}

/* Whether extension a has b in its list. */
static bool implies(int a, int b)
{
    return str_in_list(riscv_exts[a].implies, riscv_exts[b].name);
}

/* Turning an extension on brings what it implies; turning it off takes what needs it along. */
static void ext_set(struct riscv_cpu *r, int e, bool on)
{
    if (riscv_has_ext(r, (unsigned)e) == on) return;
    if (on)
        r->exts[e / 64] |= 1ull << (e % 64);
    else
        r->exts[e / 64] &= ~(1ull << (e % 64));
    for (int i = 0; i < EXT_COUNT; i++)
        if (on ? implies(e, i) : implies(i, e)) ext_set(r, i, on);
}

static void ext_list(struct riscv_cpu *r, const char *list)
{
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
        int e = ext_find(p, strcspn(p, ","));
        if (e >= 0) ext_set(r, e, true);
    }
}

/* What follows from several extensions at once, then the decoder's gates by name. */
static void ext_finish(struct riscv_cpu *r)
{
    if (riscv_has_ext(r, EXT_c)) {
        if (riscv_has_ext(r, EXT_d)) ext_set(r, EXT_zcd, true);
        if (riscv_has_ext(r, EXT_f) && r->rv32) ext_set(r, EXT_zcf, true);
    }
    ext_set(r, EXT_zbb_or_zbkb, riscv_has_ext(r, EXT_zbb) || riscv_has_ext(r, EXT_zbkb));
    ext_set(r, EXT_zknd_or_zkne, riscv_has_ext(r, EXT_zknd) || riscv_has_ext(r, EXT_zkne));
    for (unsigned g = 0; g < RISCV_NFEATS; g++)
        for (unsigned e = 0; e < EXT_COUNT; e++)
            if (!strcasecmp(riscv_feat_names[g], riscv_exts[e].name) && riscv_has_ext(r, e))
                r->feats[g / 64] |= 1ull << (g % 64);
}

/* Properties of harts in QEMU's spelling that change nothing here. */
static bool no_effect(const char *name, size_t len)
{
    static const char *const names[] = {
        "vext_spec", "priv_spec", "bext_spec", "pmu-num", "pmu-mask", "short-isa-string", "mvendorid", "marchid", "mimpid", "resetvec",
        "rvv_ma_all_1s", "rvv_ta_all_1s", "rvv_vl_half_avl", "debug",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == len && !strncasecmp(names[i], name, len)) return true;
    return false;
}

/* One word after the model: "zbb=on", "zbb", "+zbb", "-zbb", "vlen=256", "elen=64", "vext_spec=v1.0". */
static int option(struct riscv_cpu *r, const char *word, size_t len, struct err *e)
{
    const char *eq = memchr(word, '=', len), *val = eq ? eq + 1 : "on";
    const char *name = word + (*word == '+' || *word == '-');
    size_t nlen = (size_t)((eq ? eq : word + len) - name), vlen = eq ? (size_t)(word + len - val) : 2;
    bool on = *word != '-' && ((vlen == 2 && !memcmp(val, "on", 2)) || (vlen == 4 && !memcmp(val, "true", 4)));
    bool off = *word == '-' || (vlen == 3 && !memcmp(val, "off", 3)) || (vlen == 5 && !memcmp(val, "false", 5));
    int ext;

    if (nlen == 4 && !memcmp(name, "vlen", 4)) {
        unsigned long n = strtoul(val, NULL, 10);
        if (n < 128 || n > VLEN_MAX || n & (n - 1))
            return err_set(e, EINVAL, "vlen=%.*s: a power of two from 128 to %d is needed", (int)vlen, val, VLEN_MAX);
        r->vlen = (uint16_t)n;
        return 0;
    }
    if (nlen == 4 && !memcmp(name, "elen", 4)) {
        bool small = vlen == 2 && !memcmp(val, "32", 2);
        if (!small && (vlen != 2 || memcmp(val, "64", 2))) return err_set(e, EINVAL, "elen=%.*s: 32 or 64 is needed", (int)vlen, val);
        if (small) ext_set(r, EXT_zve64x, false);
        return 0;
    }
    if (no_effect(name, nlen)) return 0;
    if (nlen == 6 && !memcmp(name, "x-epmp", 6)) name = "smepmp"; /* before it was ratified */
    else if (nlen > 2 && !memcmp(name, "x-", 2)) name += 2, nlen -= 2;
    if (nlen == 1 && *name == 'g') {
        if (on) ext_list(r, RVG);
        return on || off ? 0 : err_set(e, EINVAL, "g: on or off is needed");
    }
    ext = ext_find(name, nlen);
    if (ext < 0) {
        char near[160] = "";
        for (int i = 0; i < EXT_COUNT; i++)
            if (riscv_exts[i].implies && nlen > 1 && !strncasecmp(riscv_exts[i].name, name, MIN(nlen, 3u)) &&
                strlen(near) + 16 < sizeof near)
                snprintf(near + strlen(near), sizeof near - strlen(near), "%s%s", *near ? ", " : "; near: ",
                         riscv_exts[i].name);
        return err_set(e, EINVAL, "no CPU feature '%.*s'%s", (int)nlen, name, near);
    }
    if (!on && !off) return err_set(e, EINVAL, "%.*s: on or off is needed, not '%.*s'", (int)nlen, name, (int)vlen, val);
    /* "v" names the whole of vectors when it is taken away */
    ext_set(r, !on && ext == EXT_v ? EXT_zve32x : ext, on);
    return 0;
}

static int init(CPU *cpu, const char *spec, const struct cpu_model *m, bool rv32_mode, struct err *e)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    const char *p = spec && *spec ? spec : m->name;
    size_t len = strcspn(p, ",");

    r->rv32 = rv32_mode;
    r->vlen = 128;
    r->cbo_size = 64;
    while (m->name && (strlen(m->name) != len || memcmp(m->name, p, len))) m++;
    if (!m->name) return err_set(e, EINVAL, "no CPU model '%.*s'; -cpu help lists them", (int)len, p);
    r->model = m;
    ext_list(r, m->features);
    for (p += len; *p; p += strcspn(p, ",")) {
        int rc = option(r, p + 1, strcspn(p + 1, ","), e);
        if (rc) return rc;
        p++;
    }
    ext_finish(r);
    r->sys = cpu->v && cpu->v->sys == &riscv_sys;
    r->decode_modes = rv32_mode ? 0 : 1ull << RISCV_MODE_rv64;
    r->vill = 1;
    cpu->res_addr = ~0ull;
    riscv_sync(r);
    return 0;
}
static int init64(CPU *cpu, const char *spec, struct err *e)
{
    return init(cpu, spec, models64, false, e);
}
static int init32(CPU *cpu, const char *spec, struct err *e)
{
    return init(cpu, spec, models32, true, e);
}

/* -- one instruction -------------------------------------------------------------------------------------------- */
static unsigned translate(struct xlat *t, const uint8_t *p, size_t avail)
{
    const struct riscv_cpu *r = t->cpu;
    struct riscv_fields f __attribute__((uninitialized)); /* the decoder clears it */
    int row = riscv_decode(p, avail, r->decode_modes, r->feats, &f);

    if (row == -2) return 0;
    t->next_pc = r->rv32 ? (uint32_t)(t->pc + f.len) : t->pc + f.len;
    if (t->mode & MODE_VIEW1) t->view = VIEW_USER;
    if (row < 0)
        xl_illegal(t);
    else if (likely(!(t->mode & MODE_UNITS)) || !riscv_units(t, f.raw))
        riscv_rows[row].fn(t, &f);
    return f.len;
}

/* -- what machines ask ------------------------------------------------------------------------------------------- */
size_t riscv_isa_string(const CPU *cpu, char *buf, size_t size)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    size_t n = (size_t)snprintf(buf, size, "rv%d", r->rv32 ? 32 : 64);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (riscv_exts[i].implies && riscv_exts[i].hwprobe >= -2 && riscv_has_ext(r, i) && n < size)
            n += (size_t)snprintf(buf + n, size - n, "%s%s", riscv_exts[i].name[1] ? "_" : "", riscv_exts[i].name);
    return MIN(n, size ? size - 1 : 0);
}
const char *riscv_mmu_type(const CPU *cpu)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    if (!riscv_has_ext(r, EXT_mmu) || !riscv_has_ext(r, EXT_s)) return NULL;
    if (r->rv32) return riscv_has_ext(r, EXT_sv32) ? "riscv,sv32" : NULL;
    return riscv_has_ext(r, EXT_sv57) ? "riscv,sv57" : riscv_has_ext(r, EXT_sv48) ? "riscv,sv48" : riscv_has_ext(r, EXT_sv39) ? "riscv,sv39" : NULL;
}
unsigned riscv_cbo_block(const CPU *cpu, char which)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    unsigned ext = which == 'z' ? EXT_zicboz : which == 'p' ? EXT_zicbop : EXT_zicbom;
    return riscv_has_ext(r, ext) ? r->cbo_size : 0;
}
void riscv_set_geilen(CPU *cpu, unsigned n)
{
    riscv_cpu_rw(cpu)->s.geilen = MIN(n, 63u);
}
void riscv_sys_semihosting(CPU *cpu, bool on, bool user)
{
    riscv_cpu_rw(cpu)->semihosting = on ? user ? 2 : 1 : 0;
}

static unsigned disas(char *buf, size_t size, const uint8_t *p, size_t avail, uint64_t pc, const CPU *cpu)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    return riscv_disassemble(buf, size, p, avail, r->decode_modes, r->feats, pc);
}

/* Privileged registers: those the hart has, in system mode. */
static unsigned sys_shape(const struct riscv_cpu *r, unsigned i)
{
    static const uint16_t nums[] = {
        0x340, 0x341, 0x342, 0x343, 0x140, 0x141, 0x142, 0x143, 0x240, 0x241, 0x242, 0x243, /* R_MSCRATCH... */
        0, /* R_PRIV */
#define CSR(n, nm, e, f, ...) n,
#include "csr.def"
    };
    const struct csr *c;
    if (!r->sys) return 0;
    if (i == R_PRIV) return 64;
    c = riscv_csr_find(r, nums[i - R_MSCRATCH]);
    return !c || (i >= R_CSR0 && c->reg) ? 0 : c->flags & CF_W64 ? 64 : riscv_xlen(r);
}

/* Vector registers are as wide as VLEN says, one behind the other. */
static unsigned reg_shape(const CPU *cpu, unsigned i, uint32_t *offset)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    const char *feature = r->rv32 ? regs32[i].feature : regs64[i].feature;
    unsigned bits = r->rv32 ? regs32[i].bits : regs64[i].bits;
    if (i >= R_MSCRATCH) return sys_shape(r, i);
    if (!feature) return 0;
    if (!strcmp(feature, GF) && !riscv_has_ext(r, EXT_f)) return 0;
    if (i >= R_F0 && i < R_F0 + 32 && !riscv_has_ext(r, EXT_d)) return 32;
    if (i >= R_VSTART && i <= R_VLENB) return riscv_has_ext(r, EXT_zve32x) ? bits : 0;
    if (strcmp(feature, GV)) return bits;
    *offset = (uint32_t)HOME(v) + (i - R_V0) * r->vlen / 8;
    return riscv_has_ext(r, EXT_zve32x) ? r->vlen : 0;
}

static unsigned random_insn(uint64_t (*rnd)(void *), void *ctx, uint8_t *buf, const CPU *cpu)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    return riscv_random(rnd, ctx, buf, r->decode_modes, r->feats, -1);
}

#define EM_RISCV 243
const struct guest riscv64_guest = {
    .name = "riscv64", .elf_machine = EM_RISCV, .elf_class = 2, .insn_align = 2, .addr_bits = 47,
    .cpu_size = sizeof(struct riscv_cpu), .regs = regs64, .nregs = ARRAY_LEN(regs64), .nir = R_IR_COUNT, .gdb_arch = "riscv:rv64", .models = models64,
    .init = init64, .translate = translate, .disas = disas, .fp = guest_fp, .reg_shape = reg_shape, .random_insn = random_insn,
    .lnx = &riscv64_linux, .semi_op = R_A0, .semi_arg = R_A0 + 1, .sys = &riscv_sys,
};
const struct guest riscv32_guest = {
    .name = "riscv32", .elf_machine = EM_RISCV, .elf_class = 1, .insn_align = 2, .addr_bits = 32,
    .cpu_size = sizeof(struct riscv_cpu), .regs = regs32, .nregs = ARRAY_LEN(regs32), .nir = R_IR_COUNT, .gdb_arch = "riscv:rv32", .models = models32,
    .init = init32, .translate = translate, .disas = disas, .fp = guest_fp, .reg_shape = reg_shape, .random_insn = random_insn,
    .lnx = &riscv32_linux, .semi_op = R_A0, .semi_arg = R_A0 + 1, .sys = &riscv_sys,
};
