/* monitor_mem.c: commands: memory and expressions: x, xp, print, sum, memsave, pmemsave. CPUs stand still while they look. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "sys/monitor_cmd.h"

enum { DUMP_MAX = 1 << 20, SAVE_CHUNK = 64 << 10 };

static CPU *current_cpu(struct mon_call *c)
{
    return c->m ? machine_cpu(c->m, c->cpu ? *c->cpu : 0) : NULL;
}

/* Bytes at a virtual (by the CPU's tables) or physical address; false: nothing is there. Physical device registers are read, too. */
static bool fetch(struct mon_call *c, CPU *cpu, bool phys, uint64_t addr, uint8_t *buf, size_t len)
{
    uint64_t v;
    struct mem_attr at = { .cpu = true };
    if (!phys) return soft_debug(cpu, addr, buf, len, false) == len;
    if (space_read(c->m->b.space, addr, buf, len) == len) return true;
    if (len > 8 || len & (len - 1) || space_ld(c->m->b.space, addr, (unsigned)len, &v, at) != MEM_OK) return false;
    memcpy(buf, &v, len);
    return true;
}

static void value(struct mon_call *c, char form, unsigned size, uint64_t v)
{
    static const int dec[] = { 4, 6, 11, 20 }, udec[] = { 3, 5, 10, 20 }, oct[] = { 3, 6, 11, 22 };
    unsigned i = (unsigned)__builtin_ctz(size);
    switch (form) {
    case 'd': mon_out(c, "%*lld", dec[i], (long long)bits_sext(v, size * 8)); break;
    case 'u': mon_out(c, "%*llu", udec[i], (unsigned long long)v); break;
    case 'o': mon_out(c, "%#*llo", oct[i], (unsigned long long)v); break;
    case 'c':
        if (v >= 32 && v < 127 && v != '\'' && v != '\\')
            mon_out(c, "'%c'", (int)v);
        else
            mon_out(c, "'\\x%02x'", (unsigned)v & 0xff);
        break;
    default: mon_out(c, "0x%0*llx", (int)size * 2, (unsigned long long)v);
    }
}

static void disassemble(struct mon_call *c, CPU *cpu, bool phys, uint64_t addr, unsigned long count)
{
    const struct guest *g = c->m->guest;
    while (count--) {
        uint8_t code[16] = { 0 };
        char text[160];
        size_t n = sizeof code;
        while (n && !fetch(c, cpu, phys, addr, code, n)) n--;
        unsigned len = n && g->disas ? g->disas(text, sizeof text, code, n, addr, cpu) : 0;
        if (!len) {
            mon_out(c, "0x%08llx:  Cannot access memory\n", (unsigned long long)addr);
            return;
        }
        mon_out(c, "0x%08llx:  ", (unsigned long long)addr);
        unsigned unit = g->insn_align > 2 ? 4 : len % 4 ? 2 : 4;
        for (unsigned i = 0; i < len; i += unit) {
            uint32_t v = 0;
            memcpy(&v, code + i, MIN(unit, len - i));
            mon_out(c, "%0*x ", (int)MIN(unit, len - i) * 2, v);
        }
        mon_out(c, " %s\n", text);
        addr += len;
    }
}

static void dump(struct mon_call *c, CPU *cpu, bool phys, const char *fmt, uint64_t addr)
{
    unsigned long count = 1;
    char form = 'x', unit = 'w';
    sscanf(fmt ? fmt : "1 --", "%lu %c%c", &count, &form, &unit);
    if (form == '-') form = 'x';
    if (unit == '-') unit = form == 'c' ? 'b' : 'w';
    if (form == 'i') {
        disassemble(c, cpu, phys, addr, MIN(count, DUMP_MAX / 4));
        return;
    }
    unsigned size = unit == 'b' ? 1 : unit == 'h' ? 2 : unit == 'g' ? 8 : 4, row = form == 'c' || size == 1 ? 8 : 16;
    int digits = phys || c->m->guest->elf_class == 2 ? 16 : 8;
    for (uint64_t left = MIN((uint64_t)count * size, DUMP_MAX); left;) {
        unsigned n = (unsigned)MIN(left, row);
        mon_out(c, "%0*llx:", digits, (unsigned long long)addr);
        for (unsigned i = 0; i < n; i += size) {
            uint8_t b[8] = { 0 };
            uint64_t v = 0;
            if (!fetch(c, cpu, phys, addr + i, b, size)) {
                mon_out(c, " Cannot access memory\n");
                return;
            }
            for (unsigned k = 0; k < size; k++) v |= (uint64_t)b[c->m->guest->big_endian ? size - 1 - k : k] << 8 * k;
            mon_out(c, " ");
            value(c, form, size, v);
        }
        mon_out(c, "\n");
        addr += n;
        left -= n;
    }
}

static int stopped(struct mon_call *c, bool phys, struct err *e)
{
    CPU *cpu = current_cpu(c);
    if (!cpu) return err_set(e, ENODEV, "there is no CPU");
    machine_stop_cpus(c->m);
    dump(c, cpu, phys, mon_str(c, "fmt"), (uint64_t)mon_int(c, "addr", 0));
    machine_resume_cpus(c->m);
    return 0;
}

static int hmp_x(struct mon_call *c, struct err *e)
{
    return stopped(c, false, e);
}

static int hmp_xp(struct mon_call *c, struct err *e)
{
    return stopped(c, true, e);
}

static int hmp_print(struct mon_call *c, struct err *e)
{
    const char *fmt = mon_str(c, "fmt");
    char form = '-', unit = '-';
    unsigned long count;
    long long v = mon_int(c, "val", 0);
    sscanf(fmt ? fmt : "1 --", "%lu %c%c", &count, &form, &unit);
    switch (form) {
    case 'd': mon_out(c, "%lld", v); break;
    case 'u': mon_out(c, "%llu", (unsigned long long)v); break;
    case 'o': mon_out(c, "%#llo", (unsigned long long)v); break;
    case 'c': value(c, 'c', 1, (uint64_t)v & 0xff); break;
    default: mon_out(c, "%#llx", (unsigned long long)v);
    }
    mon_out(c, "\n");
    return 0;
}

static int hmp_sum(struct mon_call *c, struct err *e)
{
    uint64_t start = (uint64_t)mon_int(c, "start", 0), n = MIN((uint64_t)mon_int(c, "size", 0), 1u << 30);
    uint16_t sum = 0; /* BSD's: rotate right, add */
    if (!c->m) return err_set(e, ENODEV, "there is no machine");
    for (uint64_t i = 0; i < n; i++) {
        uint8_t b = 0;
        space_read(c->m->b.space, start + i, &b, 1);
        sum = (uint16_t)((sum >> 1 | sum << 15) + b);
    }
    mon_out(c, "%05d\n", sum);
    return 0;
}

static int save(struct mon_call *c, bool phys, struct err *e)
{
    uint64_t addr = (uint64_t)mon_int(c, "val", 0);
    int64_t left = mon_int(c, "size", 0), index = mon_int(c, "cpu-index", c->cpu ? *c->cpu : 0);
    CPU *cpu = c->m && index >= 0 && index < c->m->ncpus ? machine_cpu(c->m, (unsigned)index) : NULL;
    const char *path = mon_str(c, "filename");
    if (!cpu) return err_set(e, EINVAL, "Parameter 'cpu-index' expects a CPU number");
    if (left < 0) return err_set(e, EINVAL, "Parameter 'size' expects a size");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), rc = 0;
    if (fd < 0) return err_set(e, errno, "Could not open '%s': %s", path, strerror(errno));
    uint8_t *buf = xalloc(SAVE_CHUNK);
    machine_stop_cpus(c->m);
    while (!rc && left > 0) {
        size_t n = (size_t)MIN(left, SAVE_CHUNK - (int64_t)(addr % SAVE_CHUNK));
        bool ok = phys ? space_read(c->m->b.space, addr, buf, n) == n : soft_debug(cpu, addr, buf, n, false) == n;
        if (!ok)
            rc = err_set(e, EFAULT, "Invalid addr 0x%016llx/size %lld specified", (unsigned long long)addr, (long long)left);
        else if (write(fd, buf, n) != (ssize_t)n)
            rc = err_set(e, errno ? errno : ENOSPC, "writing memory to '%s' failed", path);
        addr += n;
        left -= (int64_t)n;
    }
    machine_resume_cpus(c->m);
    free(buf);
    if (close(fd) && !rc) rc = err_set(e, errno, "writing memory to '%s' failed", path);
    return rc;
}

static int cmd_memsave(struct mon_call *c, struct err *e)
{
    return save(c, false, e);
}

static int cmd_pmemsave(struct mon_call *c, struct err *e)
{
    return save(c, true, e);
}

static const struct mon_cmd cmds[] = {
    HMP("x", "fmt:/,addr:n", hmp_x, "virtual memory dump starting at 'addr'", .show = "/fmt addr"),
    HMP("xp", "fmt:/,addr:n", hmp_xp, "physical memory dump starting at 'addr'", .show = "/fmt addr"),
    HMP("print", "fmt:/,val:n", hmp_print, "print expression value (use $reg for CPU register access)", .alias = "p", .show = "/fmt expr"),
    HMP("sum", "start:n,size:n", hmp_sum, "compute the checksum of a memory region", .show = "addr size"),
    BOTH("memsave", "val:n,size:n,filename:s,cpu-index?:n", cmd_memsave, "save to disk virtual memory dump starting at 'addr' of size 'size'",
      .show = "addr size file"),
    BOTH("pmemsave", "val:n,size:n,filename:s", cmd_pmemsave, "save to disk physical memory dump starting at 'addr' of size 'size'",
      .show = "addr size file"),
};
const struct mon_table mem_mon = { MON_TABLE(cmds) };
