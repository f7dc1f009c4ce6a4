/*
 * acpi_test.c: what firmware finds in fw_cfg: the loader's script is carried out as firmware does it, then tables, sums, pointers, AML's
 * package lengths and SMBIOS structures are walked. Where iasl is installed, it takes the tables apart and puts the DSDT together again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/char/chr.h"
#include "machine/machine.h"

enum { FILES = 16 };

struct rig {
    struct loop *loop;
    struct chr_set *chrs;
    struct machine *m;
    uint64_t fw;           /* address of fw_cfg */
    struct opts props;
    struct file { char name[57]; uint8_t *data; uint32_t len; uint64_t at; } file[FILES];
    unsigned nfiles;
};

static uint64_t le(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

static void select_key(struct rig *r, unsigned key)
{
    space_st(r->m->b.space, r->fw + 8, __builtin_bswap16((uint16_t)key), 2, (struct mem_attr){ 0 });
}

static void fw_read(struct rig *r, uint8_t *buf, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint64_t v = 0;
        assert_int_equal(space_ld(r->m->b.space, r->fw, 1, &v, (struct mem_attr){ 0 }), MEM_OK);
        buf[i] = (uint8_t)v;
    }
}

static struct file *file_of(struct rig *r, const char *name)
{
    for (unsigned i = 0; i < r->nfiles; i++)
        if (!strcmp(r->file[i].name, name)) return &r->file[i];
    return NULL;
}

static void rig_new(struct rig *r, const char *guest, const char *props, unsigned cpus)
{
    struct err e = { 0 };
    struct machine_config c = { .cpus = cpus, .bios = "/dev/null", .ram = 64 << 20, .nodefaults = true, .props = &r->props };
    uint8_t dir[4 + 64 * FILES];
    memset(r, 0, sizeof *r);
    r->loop = loop_new(&e);
    loop_lock(r->loop);
    r->chrs = chr_set_new(r->loop, NULL);
    assert_int_equal(opts_parse(&r->props, props, NULL, &e), 0);
    for (const struct guest *const *g = guest_registry; *g; g++)
        if (!strcmp((*g)->name, guest)) c.guest = *g;
    c.type = machine_find(guest, "virt", &e);
    char bios[] = "/tmp/acpi_test.XXXXXX";
    int fd = mkstemp(bios);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    c.bios = bios;
    r->m = machine_new(&c, r->loop, r->chrs, NULL, NULL, &e);
    if (!r->m) fail_msg("%s", e.msg);
    if (machine_boot(r->m, &e)) fail_msg("%s", e.msg);
    unlink(bios);
    r->fw = dev_find(&r->m->b, "fw_cfg")->at;
    select_key(r, 0x19);
    fw_read(r, dir, 4);
    unsigned n = dir[3];
    assert_true(n && n <= FILES && !dir[0] && !dir[1] && !dir[2]);
    fw_read(r, dir + 4, n * 64);
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *d = dir + 4 + i * 64;
        struct file *f = &r->file[r->nfiles++];
        f->len = __builtin_bswap32((uint32_t)le(d, 4));
        memcpy(f->name, d + 8, 56);
        f->data = xalloc(f->len + 1);
        select_key(r, __builtin_bswap16((uint16_t)le(d + 4, 2)));
        fw_read(r, f->data, f->len);
    }
}

static void rig_free(struct rig *r)
{
    for (unsigned i = 0; i < r->nfiles; i++) free(r->file[i].data);
    machine_free(r->m);
    opts_free(&r->props);
    chr_set_free(r->chrs);
    loop_unlock(r->loop);
    loop_free(r->loop);
}

/* The script: where files come to lie is made up here; pointers get that added, sums are made. */
static void run_script(struct rig *r)
{
    const struct file *s = file_of(r, "etc/table-loader");
    uint64_t at = 0x5c000000;
    assert_non_null(s);
    assert_int_equal(s->len % 128, 0);
    for (uint32_t o = 0; o < s->len; o += 128) {
        const uint8_t *c = s->data + o;
        struct file *f = file_of(r, (const char *)c + 4), *to;
        if (!c[0]) continue;
        assert_non_null(f);
        uint64_t where, len;
        switch (c[0]) {
        case 1:
            f->at = ALIGN_UP(at, le(c + 60, 4));
            at = f->at + f->len;
            break;
        case 2:
            to = file_of(r, (const char *)c + 60);
            where = le(c + 116, 4);
            assert_non_null(to);
            assert_true(to->at && c[120] == 8 && where + 8 <= f->len);
            len = le(f->data + where, 8) + to->at;
            assert_true(len < to->at + to->len);
            memcpy(f->data + where, &len, 8);
            break;
        case 3: {
            uint8_t sum = 0;
            where = le(c + 64, 4), len = le(c + 68, 4);
            assert_true(where + len <= f->len && le(c + 60, 4) < f->len);
            for (uint64_t i = 0; i < len; i++) sum = (uint8_t)(sum + f->data[where + i]);
            f->data[le(c + 60, 4)] = (uint8_t)(f->data[le(c + 60, 4)] - sum);
            break;
        }
        default: fail_msg("command %u", c[0]);
        }
    }
}

static uint8_t sum_of(const uint8_t *p, uint64_t n)
{
    uint8_t s = 0;
    while (n--) s = (uint8_t)(s + *p++);
    return s;
}

static const uint8_t *at_addr(struct rig *r, uint64_t addr)
{
    struct file *t = file_of(r, "etc/acpi/tables");
    assert_true(addr >= t->at && addr + 36 <= t->at + t->len);
    return t->data + (addr - t->at);
}

static const uint8_t *table(struct rig *r, const char *sig)
{
    struct file *p = file_of(r, "etc/acpi/rsdp");
    const uint8_t *x = at_addr(r, le(p->data + 24, 8));
    for (uint64_t i = 36; i + 8 <= le(x + 4, 4); i += 8) {
        const uint8_t *t = at_addr(r, le(x + i, 8));
        assert_int_equal(sum_of(t, le(t + 4, 4)), 0);
        if (!memcmp(t, sig, 4)) return t;
    }
    return NULL;
}

/* Packages nest: each ends where or before the one around it does. Devices, scopes, methods; counts devices. */
static unsigned walk_aml(const uint8_t *p, const uint8_t *end, unsigned depth)
{
    unsigned n = 0;
    assert_true(depth < 16);
    while (p < end) {
        bool dev = end - p > 2 && p[0] == 0x5b && p[1] == 0x82, scope = p[0] == 0x10;
        if (!dev && !scope) {
            p++;
            continue;
        }
        const uint8_t *at = p + (dev ? 2 : 1);
        unsigned extra = at[0] >> 6;
        uint64_t len = extra ? (at[0] & 15) | le(at + 1, extra) << 4 : at[0] & 63;
        if (at + len > end || (extra && at[0] & 0x30)) { /* data that looks like one */
            p++;
            continue;
        }
        n += dev + walk_aml(at + 1 + extra, at + len, depth + 1);
        p = at + len;
    }
    return n;
}

static int iasl(struct rig *r)
{
    struct file *t = file_of(r, "etc/acpi/tables");
    char dir[] = "/tmp/acpi_test.XXXXXX", cmd[256];
    if (system("command -v iasl >/dev/null")) return 0;
    assert_non_null(mkdtemp(dir));
    for (uint64_t o = 0; o + 36 <= t->len;) {
        uint64_t len = le(t->data + o + 4, 4);
        snprintf(cmd, sizeof cmd, "%s/%.4s.dat", dir, (char *)t->data + o);
        FILE *f = fopen(cmd, "wb");
        assert_int_equal(fwrite(t->data + o, 1, len, f), len);
        fclose(f);
        o = ALIGN_UP(o + len, 8);
    }
    /* "0 Errors" of putting the DSDT together; no table with a field that iasl could not read */
    snprintf(cmd, sizeof cmd, "cd %s && iasl -d *.dat >log 2>&1 && iasl DSDT.dsl >log2 2>&1 && grep -q ' 0 Errors' log2 && "
             "! grep -il 'invalid\\|unknown\\|error' log APIC.dsl FACP.dsl IORT.dsl GTDT.dsl MCFG.dsl SPCR.dsl DBG2.dsl 2>/dev/null >bad", dir);
    int rc = system(cmd);
    snprintf(cmd, sizeof cmd, rc ? "cd %s; tail -30 log log2; cat bad" : "rm -rf %s", dir);
    if (system(cmd)) rc = 1;
    return rc;
}

static void check(const char *props, unsigned cpus, bool its)
{
    struct rig r;
    rig_new(&r, "aarch64", props, cpus);
    run_script(&r);
    struct file *p = file_of(&r, "etc/acpi/rsdp");
    assert_int_equal(p->len, 36);
    assert_int_equal(sum_of(p->data, 20), 0);
    assert_int_equal(sum_of(p->data, 36), 0);
    const uint8_t *fadt = table(&r, "FACP"), *madt = table(&r, "APIC");
    assert_non_null(fadt);
    assert_non_null(madt);
    assert_true(le(fadt + 112, 4) & 1u << 20);
    const uint8_t *dsdt = at_addr(&r, le(fadt + 140, 8));
    assert_memory_equal(dsdt, "DSDT", 4);
    assert_int_equal(sum_of(dsdt, le(dsdt + 4, 4)), 0);
    /* CPUs, a serial line, two flashes, fw_cfg, 32 virtio windows, PCI with 4 links and its resources, GPIO, button */
    assert_int_equal(walk_aml(dsdt + 36, dsdt + le(dsdt + 4, 4), 0), cpus + 1 + 2 + 1 + 32 + 6 + 2);
    unsigned gicc = 0;
    for (uint64_t i = 44; i < le(madt + 4, 4); i += madt[i + 1]) {
        assert_true(madt[i + 1] >= 8);
        gicc += madt[i] == 0x0b;
    }
    assert_int_equal(gicc, cpus);
    assert_true((table(&r, "IORT") != NULL) == its);
    assert_non_null(table(&r, "GTDT"));
    assert_non_null(table(&r, "MCFG"));
    assert_non_null(table(&r, "SPCR"));
    assert_int_equal(iasl(&r), 0);
    rig_free(&r);
}

static void test_gic2(void **state) { check("gic-version=2", 4, false); }
static void test_gic3(void **state) { check("gic-version=3,highmem=off", 3, true); }
static void test_many(void **state) { check("gic-version=3,its=off,virtualization=on", 200, false); }

/* RHCT: nodes follow each other to the end; each hart has the offsets of all the others. Links: beside the root bridge, not in it. */
static void check_riscv(const char *props, unsigned cpus)
{
    struct rig r;
    rig_new(&r, "riscv64", props, cpus);
    run_script(&r);
    const uint8_t *rhct = table(&r, "RHCT"), *fadt = table(&r, "FACP"), *isa = NULL;
    assert_true(rhct && fadt && table(&r, "APIC") && table(&r, "MCFG") && table(&r, "SPCR"));
    uint64_t len = le(rhct + 4, 4), nodes = le(rhct + 48, 4), seen = 0, harts = 0, kinds = 0, o;
    uint64_t offset[8];
    for (o = le(rhct + 52, 4); o < len; o += le(rhct + o + 2, 2), seen++) {
        const uint8_t *n = rhct + o;
        unsigned type = (unsigned)le(n, 2);
        assert_true(le(n + 2, 2) >= 8 && le(n + 4, 2) == 1);
        if (type != 0xffff) {
            assert_true(kinds < 8 && type == kinds);
            offset[kinds++] = o;
            if (type == 0) isa = n + 8;
            if (type == 1) assert_int_equal(le(n + 6, 4), 0x06060600);
            if (type == 2) assert_int_equal(n[7], 2);
            continue;
        }
        assert_int_equal(le(n + 8, 4), harts++);
        assert_int_equal(le(n + 6, 2), kinds);
        for (unsigned k = 0; k < kinds; k++) assert_int_equal(le(n + 12 + 4 * k, 4), offset[k]);
    }
    assert_true(o == len && seen == nodes && harts == cpus && kinds == 3);
    assert_non_null(strstr((const char *)isa, "_zicbom"));
    const uint8_t *madt = table(&r, "APIC");
    for (o = 44; o < le(madt + 4, 4); o += madt[o + 1]) {
        assert_true(madt[o + 1] >= 8);
        if (madt[o] == 0x19) assert_int_equal(le(madt + o + 12, 4), 0x18000100); /* guest, hart, group bits, group shift */
    }
    const uint8_t *dsdt = at_addr(&r, le(fadt + 140, 8)), *bridge = memmem(dsdt, le(dsdt + 4, 4), "PCI0", 4), *link = memmem(dsdt, le(dsdt + 4, 4), "L003", 4);
    assert_true(link && link < bridge);
    assert_int_equal(iasl(&r), 0);
    rig_free(&r);
}

static void test_riscv_plic(void **state) { check_riscv("", 4); }
static void test_riscv_aia(void **state) { check_riscv("aia=aplic-imsic", 2); }

static void test_off(void **state)
{
    struct rig r;
    rig_new(&r, "aarch64", "acpi=off", 1);
    assert_null(file_of(&r, "etc/table-loader"));
    rig_free(&r);
}

static void test_smbios(void **state)
{
    struct rig r;
    rig_new(&r, "aarch64", "", 2);
    struct file *t = file_of(&r, "etc/smbios/smbios-tables"), *a = file_of(&r, "etc/smbios/smbios-anchor");
    assert_non_null(t);
    assert_non_null(a);
    assert_int_equal(a->len, 24);
    assert_int_equal(sum_of(a->data, 24), 0);
    assert_int_equal(le(a->data + 12, 4), t->len);
    unsigned seen = 0, last = 0;
    for (uint32_t o = 0; o < t->len;) {
        uint32_t len = t->data[o + 1], s = o + len;
        last = t->data[o];
        assert_true(len >= 4 && s + 2 <= t->len);
        while (s + 1 < t->len && (t->data[s] || t->data[s + 1])) s++;
        o = s + 2;
        seen++;
        if (last == 4) assert_int_equal(len, 0x30);
    }
    assert_int_equal(last, 127);
    assert_int_equal(seen, 8);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gic2), cmocka_unit_test(test_gic3), cmocka_unit_test(test_many),
                                        cmocka_unit_test(test_off),
                                        cmocka_unit_test(test_riscv_plic), cmocka_unit_test(test_riscv_aia), cmocka_unit_test(test_smbios) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
