/*
 * disas.c: how operands are written: the formatters that syntax strings name. The spelling is binutils' objdump's.
 */
#include "cpu/isa_text.h"
#include "xl.h"

/* Names of CSRs for the disassembler, privileged ones included; `count` of them with numbers from `first`. */
static const struct {
    uint16_t num;
    uint8_t count, first;
    const char *name;
} csr_names[] = {
    { 0x001, 1, 0, "fflags" }, { 0x002, 1, 0, "frm" }, { 0x003, 1, 0, "fcsr" }, { 0x008, 1, 0, "vstart" },
    { 0x009, 1, 0, "vxsat" }, { 0x00a, 1, 0, "vxrm" }, { 0x00f, 1, 0, "vcsr" }, { 0x015, 1, 0, "seed" },
    { 0x100, 1, 0, "sstatus" }, { 0x104, 1, 0, "sie" }, { 0x105, 1, 0, "stvec" }, { 0x106, 1, 0, "scounteren" },
    { 0x10a, 1, 0, "senvcfg" }, { 0x10c, 4, 0, "sstateen%u" }, { 0x114, 1, 0, "sieh" }, { 0x140, 1, 0, "sscratch" },
    { 0x141, 1, 0, "sepc" }, { 0x142, 1, 0, "scause" }, { 0x143, 1, 0, "stval" }, { 0x144, 1, 0, "sip" },
    { 0x14d, 1, 0, "stimecmp" }, { 0x150, 1, 0, "siselect" }, { 0x151, 1, 0, "sireg" }, { 0x154, 1, 0, "siph" },
    { 0x15c, 1, 0, "stopei" }, { 0x15d, 1, 0, "stimecmph" }, { 0x180, 1, 0, "satp" }, { 0x200, 1, 0, "vsstatus" },
    { 0x204, 1, 0, "vsie" }, { 0x205, 1, 0, "vstvec" }, { 0x214, 1, 0, "vsieh" }, { 0x240, 1, 0, "vsscratch" },
    { 0x241, 1, 0, "vsepc" }, { 0x242, 1, 0, "vscause" }, { 0x243, 1, 0, "vstval" }, { 0x244, 1, 0, "vsip" },
    { 0x24d, 1, 0, "vstimecmp" }, { 0x250, 1, 0, "vsiselect" }, { 0x251, 1, 0, "vsireg" }, { 0x254, 1, 0, "vsiph" },
    { 0x25c, 1, 0, "vstopei" }, { 0x25d, 1, 0, "vstimecmph" }, { 0x280, 1, 0, "vsatp" }, { 0x300, 1, 0, "mstatus" },
    { 0x301, 1, 0, "misa" }, { 0x302, 1, 0, "medeleg" }, { 0x303, 1, 0, "mideleg" }, { 0x304, 1, 0, "mie" },
    { 0x305, 1, 0, "mtvec" }, { 0x306, 1, 0, "mcounteren" }, { 0x308, 1, 0, "mvien" }, { 0x309, 1, 0, "mvip" },
    { 0x30a, 1, 0, "menvcfg" }, { 0x30c, 4, 0, "mstateen%u" }, { 0x310, 1, 0, "mstatush" },
    { 0x313, 1, 0, "midelegh" }, { 0x314, 1, 0, "mieh" }, { 0x318, 1, 0, "mvienh" }, { 0x319, 1, 0, "mviph" },
    { 0x31a, 1, 0, "menvcfgh" }, { 0x31c, 4, 0, "mstateen%uh" }, { 0x320, 1, 0, "mcountinhibit" },
    { 0x323, 29, 3, "mhpmevent%u" }, { 0x340, 1, 0, "mscratch" }, { 0x341, 1, 0, "mepc" },
    { 0x342, 1, 0, "mcause" }, { 0x343, 1, 0, "mtval" }, { 0x344, 1, 0, "mip" }, { 0x34a, 1, 0, "mtinst" },
    { 0x34b, 1, 0, "mtval2" }, { 0x350, 1, 0, "miselect" }, { 0x351, 1, 0, "mireg" }, { 0x354, 1, 0, "miph" },
    { 0x35c, 1, 0, "mtopei" }, { 0x3a0, 16, 0, "pmpcfg%u" }, { 0x3b0, 64, 0, "pmpaddr%u" },
    { 0x5a8, 1, 0, "scontext" }, { 0x600, 1, 0, "hstatus" }, { 0x602, 1, 0, "hedeleg" }, { 0x603, 1, 0, "hideleg" },
    { 0x604, 1, 0, "hie" }, { 0x605, 1, 0, "htimedelta" }, { 0x606, 1, 0, "hcounteren" }, { 0x607, 1, 0, "hgeie" },
    { 0x608, 1, 0, "hvien" }, { 0x609, 1, 0, "hvictl" }, { 0x60a, 1, 0, "henvcfg" }, { 0x60c, 4, 0, "hstateen%u" },
    { 0x613, 1, 0, "hidelegh" }, { 0x615, 1, 0, "htimedeltah" }, { 0x618, 1, 0, "hvienh" },
    { 0x61a, 1, 0, "henvcfgh" }, { 0x61c, 4, 0, "hstateen%uh" }, { 0x643, 1, 0, "htval" }, { 0x644, 1, 0, "hip" },
    { 0x645, 1, 0, "hvip" }, { 0x646, 1, 0, "hviprio1" }, { 0x647, 1, 0, "hviprio2" }, { 0x64a, 1, 0, "htinst" },
    { 0x655, 1, 0, "hviph" }, { 0x656, 1, 0, "hviprio1h" }, { 0x657, 1, 0, "hviprio2h" }, { 0x680, 1, 0, "hgatp" },
    { 0x6a8, 1, 0, "hcontext" }, { 0x723, 29, 3, "mhpmevent%uh" }, { 0x747, 1, 0, "mseccfg" },
    { 0x757, 1, 0, "mseccfgh" }, { 0x7a0, 1, 0, "tselect" }, { 0x7a1, 3, 1, "tdata%u" }, { 0x7a4, 1, 0, "tinfo" },
    { 0x7a5, 1, 0, "tcontrol" }, { 0x7a8, 1, 0, "mcontext" }, { 0x7aa, 1, 0, "mscontext" }, { 0x7b0, 1, 0, "dcsr" },
    { 0x7b1, 1, 0, "dpc" }, { 0x7b2, 1, 0, "dscratch0" }, { 0x7b3, 1, 0, "dscratch1" }, { 0xb00, 1, 0, "mcycle" },
    { 0xb02, 1, 0, "minstret" }, { 0xb03, 29, 3, "mhpmcounter%u" }, { 0xb80, 1, 0, "mcycleh" },
    { 0xb82, 1, 0, "minstreth" }, { 0xb83, 29, 3, "mhpmcounter%uh" }, { 0xc00, 1, 0, "cycle" },
    { 0xc01, 1, 0, "time" }, { 0xc02, 1, 0, "instret" }, { 0xc03, 29, 3, "hpmcounter%u" }, { 0xc20, 1, 0, "vl" },
    { 0xc21, 1, 0, "vtype" }, { 0xc22, 1, 0, "vlenb" }, { 0xc80, 1, 0, "cycleh" }, { 0xc81, 1, 0, "timeh" },
    { 0xc82, 1, 0, "instreth" }, { 0xc83, 29, 3, "hpmcounter%uh" }, { 0xda0, 1, 0, "scountovf" },
    { 0xdb0, 1, 0, "stopi" }, { 0xe12, 1, 0, "hgeip" }, { 0xeb0, 1, 0, "vstopi" }, { 0xf11, 1, 0, "mvendorid" },
    { 0xf12, 1, 0, "marchid" }, { 0xf13, 1, 0, "mimpid" }, { 0xf14, 1, 0, "mhartid" },
    { 0xf15, 1, 0, "mconfigptr" }, { 0xfb0, 1, 0, "mtopi" },
};

#define FORMATTER(name) \
    void riscv_fmt_##name(struct isa_text *o, int64_t v, const struct riscv_fields *f UNUSED, uint64_t pc UNUSED)

/* Condition of the fmv, fneg, fabs spellings. */
bool riscv_same(int64_t a, int64_t b, int64_t *out)
{
    *out = 0;
    return a == b;
}

FORMATTER(x)
{
    isa_puts(o, riscv_xnames[v & 31]);
}
FORMATTER(f)
{
    isa_puts(o, riscv_fnames[v & 31]);
}
FORMATTER(v)
{
    isa_printf(o, "v%d", (int)(v & 31));
}
FORMATTER(vm)
{
    if (!v) isa_puts(o, ",v0.t");
}
FORMATTER(vtype)
{
    static const char *const lmul[8] = { "m1", "m2", "m4", "m8", NULL, "mf8", "mf4", "mf2" };
    if (v >> 8 || v >> 3 & 4 || !lmul[v & 7]) isa_printf(o, "%d", (int)v);
    else isa_printf(o, "e%d,%s,%s,%s", 8 << (v >> 3 & 3), lmul[v & 7], v & 64 ? "ta" : "tu", v & 128 ? "ma" : "mu");
}
FORMATTER(eew)
{
    isa_printf(o, "%d", v ? 8 << (v - 4) : 8);
}
FORMATTER(seg)
{
    if (v) isa_printf(o, "seg%d", (int)v + 1);
}
FORMATTER(whole)
{
    isa_printf(o, "%d", (int)v + 1);
}
FORMATTER(pc32)
{
    isa_printf(o, "0x%x", (unsigned)(pc + (uint64_t)v));
}
FORMATTER(hex)
{
    isa_printf(o, "0x%x", (unsigned)v);
}
/* c.lui's immediate as the 20 bits that lui would have. */
FORMATTER(lui)
{
    isa_printf(o, "%#x", (unsigned)v & 0xfffff);
}
FORMATTER(cmop)
{
    isa_printf(o, "%d", (int)v * 2 + 1);
}
FORMATTER(aqrl)
{
    isa_puts(o, (const char *const[]){ "", ".rl", ".aq", ".aqrl" }[v & 3]);
}
FORMATTER(rm)
{
    static const char *const names[8] = { ",rne", ",rtz", ",rdn", ",rup", ",rmm", ",unknown", ",unknown", "" };
    isa_puts(o, names[v & 7]);
}
FORMATTER(iorw)
{
    for (int i = 3; i >= 0; i--)
        if (v >> i & 1) isa_printf(o, "%c", "wroi"[i]);
    if (!v) isa_puts(o, "unknown");
}
FORMATTER(csr)
{
    for (size_t i = 0; i < ARRAY_LEN(csr_names); i++) {
        unsigned n = (unsigned)v - csr_names[i].num;
        if (n >= csr_names[i].count) continue;
        if (csr_names[i].count > 1) {
            const char *num = strchr(csr_names[i].name, '%');
            isa_printf(o, "%.*s%u%s", (int)(num - csr_names[i].name), csr_names[i].name, csr_names[i].first + n, num + 2);
        } else {
            isa_puts(o, csr_names[i].name);
        }
        return;
    }
    isa_printf(o, "0x%x", (unsigned)v);
}
FORMATTER(fli)
{
    static const char *const names[32] = {
        "-0x1p+0", "min", "0x1p-16", "0x1p-15", "0x1p-8", "0x1p-7", "0x1p-4", "0x1p-3", "0x1p-2", "0x1.4p-2", "0x1.8p-2",
        "0x1.cp-2", "0x1p-1", "0x1.4p-1", "0x1.8p-1", "0x1.cp-1", "0x1p+0", "0x1.4p+0", "0x1.8p+0", "0x1.cp+0", "0x1p+1",
        "0x1.4p+1", "0x1.8p+1", "0x1p+2", "0x1p+3", "0x1p+4", "0x1p+7", "0x1p+8", "0x1p+15", "0x1p+16", "inf", "nan",
    };
    isa_puts(o, names[v & 31]);
}
