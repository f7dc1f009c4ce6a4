/* ramfb_test.c: ramfb, set up as firmware does it, by fw_cfg's DMA: formats, changes, nonsense, memory that is not there, reset, saved state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "dev/device.h"
#include "dev/misc/fw_cfg.h"
#include "io/display/display.h"

#define RAM 0x40000000ull
#define FW  0x9020000ull
enum { RAM_SIZE = 4 << 20, FB = 0x100000 };

struct world {
    struct board b;
    struct clock clock;
    struct ram *ram;
    struct dev *fw, *fb;
    struct console *con;
    struct viewer viewer;
    struct rect dirty;
    unsigned resizes;
};

static void dirty(void *ctx, struct console *c, struct rect r) { ((struct world *)ctx)->dirty = r; }
static void resized(void *ctx, struct console *c) { ((struct world *)ctx)->resizes++; }

static void reset(struct world *w)
{
    dev_reset(w->fb);
    dev_reset(w->fw);
}

static int set_up(void **state)
{
    struct world *w = *state = xalloc(sizeof *w);
    w->b.loop = loop_new(NULL);
    loop_lock(w->b.loop);
    clock_init(&w->clock, w->b.loop, CLOCK_GUEST);
    w->b.clock = &w->clock;
    w->b.mem = mem_new();
    w->b.space = space_new(w->b.mem, "s");
    w->b.display = display_new();
    w->ram = ram_new(w->b.mem, "ram", RAM_SIZE, false, NULL);
    space_map_ram(w->b.space, RAM, w->ram, 0, RAM_SIZE, 0);
    struct err e = { 0 };
    w->fw = dev_new(&w->b, device_find("fw_cfg_mem"), "fw_cfg", &e);
    assert_int_equal(dev_realize(w->fw, NULL, &e), 0);
    assert_int_equal(dev_map(w->fw, FW, &e), 0);
    w->fb = dev_new(&w->b, device_find("ramfb"), NULL, &e);
    assert_int_equal(dev_realize(w->fb, NULL, &e), 0);
    w->con = display_console(w->b.display, 0);
    assert_non_null(w->con);
    w->viewer = (struct viewer){ .dirty = dirty, .resized = resized, .ctx = w };
    display_view(w->b.display, &w->viewer);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    display_unview(w->b.display, &w->viewer);
    dev_free(w->fb);
    dev_free(w->fw);
    display_free(w->b.display);
    mem_free(w->b.mem);
    clock_done(&w->clock);
    loop_unlock(w->b.loop);
    loop_free(w->b.loop);
    free(w);
    return 0;
}

static void be(uint8_t *p, uint64_t v, unsigned n)
{
    while (n--) *p++ = (uint8_t)(v >> (8 * n));
}

/* Firmware: finds the file's key in the directory, writes `len` bytes of it; the error bit. */
static bool configure(struct world *w, uint64_t addr, const char *fourcc, uint32_t width, uint32_t height, uint32_t stride, uint32_t len)
{
    uint8_t dir[4 + 64 * 16], c[28], d[16];
    unsigned key = 0;
    be(d, 0x19 << 16 | 8 | 2, 4), be(d + 4, sizeof dir, 4), be(d + 8, RAM + 0x1000, 8); /* select the directory, read */
    ram_write(w->ram, 0, d, 16);
    space_st(w->b.space, FW + 16, __builtin_bswap64(RAM), 8, (struct mem_attr){ .cpu = true });
    ram_read(w->ram, 0x1000, dir, sizeof dir);
    for (unsigned i = 0; i < dir[3]; i++)
        if (!strcmp((char *)dir + 4 + 64 * i + 8, "etc/ramfb")) key = (unsigned)dir[4 + 64 * i + 4] << 8 | dir[4 + 64 * i + 5];
    assert_int_not_equal(key, 0);
    be(c, addr, 8), be(c + 8, (uint32_t)fourcc[0] | (uint32_t)fourcc[1] << 8 | (uint32_t)fourcc[2] << 16 | (uint32_t)fourcc[3] << 24, 4);
    be(c + 12, 0, 4), be(c + 16, width, 4), be(c + 20, height, 4), be(c + 24, stride, 4);
    ram_write(w->ram, 0x1000, c, sizeof c);
    be(d, key << 16 | 8 | 16, 4), be(d + 4, len, 4), be(d + 8, RAM + 0x1000, 8);
    ram_write(w->ram, 0, d, 16);
    space_st(w->b.space, FW + 16, __builtin_bswap64(RAM), 8, (struct mem_attr){ .cpu = true });
    ram_read(w->ram, 0, d, 4);
    return d[3] & 1;
}

static uint32_t pixel(struct world *w, uint32_t x, uint32_t y)
{
    return console_surface(w->con)->pixels[y * console_surface(w->con)->width + x];
}

static void test_formats(void **state)
{
    static const struct { const char *fourcc; uint8_t bytes[8]; unsigned n; } f[] = {
        { "XR24", { 0x33, 0x22, 0x11, 0xff }, 4 }, { "AR24", { 0x33, 0x22, 0x11, 0 }, 4 }, { "XB24", { 0x11, 0x22, 0x33, 0 }, 4 },
        { "RG24", { 0x33, 0x22, 0x11 }, 3 }, { "BG24", { 0x11, 0x22, 0x33 }, 3 },
    };
    struct world *w = *state;
    for (unsigned i = 0; i < ARRAY_LEN(f); i++) {
        uint32_t stride = 100 * f[i].n + 12;
        assert_false(configure(w, RAM + FB, f[i].fourcc, 100, 50, stride, 28));
        ram_write(w->ram, FB + 49 * stride + 99 * f[i].n, f[i].bytes, f[i].n);
        console_refresh(w->con);
        assert_int_equal(pixel(w, 99, 49), 0x112233);
        assert_int_equal(w->dirty.y, i ? w->dirty.y : 49);
        memset(&w->dirty, 0, sizeof w->dirty);
        console_refresh(w->con);
        assert_int_equal(w->dirty.w, 0); /* nothing changed */
    }
    assert_int_equal(w->resizes, 1);
    assert_false(configure(w, RAM + FB, "RG16", 64, 64, 0, 28)); /* stride 0: that of the width */
    ram_write(w->ram, FB + 128, (uint8_t[]){ 0x1f, 0xf8 }, 2);
    console_refresh(w->con);
    assert_int_equal(pixel(w, 0, 1), 0xff00ff);
    assert_int_equal(w->resizes, 2);
}

static void test_nonsense(void **state)
{
    struct world *w = *state;
    assert_false(configure(w, RAM + FB, "XR24", 64, 64, 256, 28));
    console_refresh(w->con);
    configure(w, RAM + FB, "NV12", 32, 32, 128, 28);
    configure(w, RAM + FB, "XR24", 0xffffffff, 0xffffffff, 0, 28);
    configure(w, RAM + FB, "XR24", 16384, 16384, 65536, 28); /* more than a surface may have */
    configure(w, RAM + FB, "XR24", 64, 64, 8, 28);
    configure(w, RAM + FB, "XR24", 0, 7, 0, 28);
    assert_true(configure(w, RAM + FB, "XR24", 32, 32, 128, 29)); /* longer than the file */
    assert_int_equal(console_surface(w->con)->width, 64);
    configure(w, UINT64_MAX - 100, "XR24", 640, 480, 2560, 28);
    console_refresh(w->con); /* no memory there: black */
    assert_int_equal(console_surface(w->con)->width, 640);
    assert_int_equal(pixel(w, 0, 0), 0);
    reset(w);
    console_refresh(w->con);
    assert_int_equal(console_surface(w->con)->width, 0);
}

static void test_state(void **state)
{
    struct world *w = *state;
    struct state_out o = { 0 };
    struct err e = { 0 };
    configure(w, RAM + FB, "XR24", 48, 32, 192, 28);
    ram_write(w->ram, FB, (uint8_t[]){ 1, 2, 3, 0 }, 4);
    dev_save(w->fb, &o);
    reset(w);
    struct state_in in = { .buf = o.buf, .len = o.len };
    assert_int_equal(dev_load(w->fb, &in, &e), 0);
    console_refresh(w->con);
    assert_int_equal(console_surface(w->con)->width, 48);
    assert_int_equal(pixel(w, 0, 0), 0x030201);
    state_out_free(&o);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = { T(test_formats), T(test_nonsense), T(test_state) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
