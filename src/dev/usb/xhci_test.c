/*
 * xhci_test.c: the controller through its rings: enumeration, control, interrupt and bulk transfers, errors and what is done about them, stopped
 * endpoints, full event rings, hubs, plugging, saved state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/input-event-codes.h>
#include <cmocka.h>
#include "dev/usb/test_driver.h"

#define OK(x) assert_int_equal(x, CC_SUCCESS)
enum { IN_DIR = USB_DIR_IN };

static void make(struct hc *h, const char *props)
{
    struct err e = { 0 };
    if (hc_new(h, "qemu-xhci", props, &e)) fail_msg("%s", e.msg);
}
static struct dev *plug(struct hc *h, const char *cls, const char *id, const char *props)
{
    struct err e = { 0 };
    struct dev *d = hc_plug(h, cls, id, props, &e);
    if (!d) fail_msg("%s: %s", cls, e.msg);
    return d;
}
static void port_reset(struct hc *h, unsigned port)
{
    struct hc_event e;
    hc_st(h, hc_portsc(port), PS_PP | PS_PR);
    assert_int_equal(hc_ld(h, hc_portsc(port)) & (PS_CCS | PS_PED | PS_PRC), PS_CCS | PS_PED | PS_PRC);
    hc_st(h, hc_portsc(port), PS_PP | PS_CHANGES);
    while (hc_wait(h, ER_PORT, &e)) {}
}
static uint8_t byte(struct hc *h, unsigned i) { return (uint8_t)drv_ld(&h->d, HC_BUF + i, 1); }

static void registers(void **st)
{
    struct hc h;
    make(&h, "p2=6,p3=3");
    assert_int_equal(hc_ld(&h, HC_BAR), 0x01100040);
    assert_int_equal(hc_ld(&h, HC_BAR + 4), 64 | 16 << 8 | 9 << 24);
    assert_int_equal(hc_ld(&h, HC_BAR + 0x28), 4 | 6 << 8); /* USB 2: ports 4 to 9 */
    assert_int_equal(hc_ld(&h, HC_BAR + 0x38), 1 | 3 << 8);
    assert_int_equal(drv_ld(&h.d, HC_ECAM + 0x8060, 1), 0x30);
    plug(&h, "usb-storage", "s", "drive=d,port=2");
    plug(&h, "usb-kbd", "k", "port=5");
    assert_int_equal(hc_ld(&h, hc_portsc(2)), PS_CCS | PS_PED | PS_PP | 4 << 10 | PS_CSC);
    assert_int_equal(hc_ld(&h, hc_portsc(8)), PS_CCS | PS_PP | 7 << 5 | 3 << 10 | PS_CSC);
    assert_int_equal(hc_ld(&h, hc_portsc(1)), PS_PP | 5 << 5);
    assert_int_equal(hc_ld(&h, HC_OP + 4) & STS_HCH, STS_HCH);
    hc_start(&h, 64);
    assert_int_equal(hc_ld(&h, HC_OP + 4) & STS_HCH, 0);
    struct hc_event e;
    unsigned ports = 0;
    for (hc_settle(&h); hc_next(&h, &e);) ports |= hc_type(&e) == ER_PORT ? 1u << (e.param >> 24) : 0;
    assert_int_equal(ports, 1 << 2 | 1 << 8);
    hc_st(&h, HC_OP, 0);
    hc_st(&h, HC_DB, 0); /* a doorbell of a controller that does not run */
    assert_int_equal(hc_ld(&h, HC_OP + 4) & STS_HCH, STS_HCH);
    hc_free(&h);
}

static void keyboard(void **st)
{
    struct hc h;
    unsigned slot, n;
    make(&h, "");
    plug(&h, "usb-kbd", "k", "");
    hc_start(&h, 64);
    port_reset(&h, 5);
    OK(hc_cmd(&h, 0, 0, CR_NOOP << 10, NULL));
    OK(hc_address(&h, 5, 0, &slot));
    assert_int_equal(hc_ld(&h, HC_OUT + 0x1000 * slot + 12), slot | SLOT_ADDRESSED << 27);
    OK(hc_control(&h, slot, IN_DIR, USB_REQ_GET_DESCRIPTOR, 0x100, 0, 64, &n));
    assert_int_equal(n, 18);
    assert_int_equal(drv_ld(&h.d, HC_BUF + 8, 2), 0x0627);
    OK(hc_control(&h, slot, IN_DIR, USB_REQ_GET_DESCRIPTOR, 0x100, 0, 8, &n));
    assert_int_equal(n, 8);
    OK(hc_control(&h, slot, IN_DIR, USB_REQ_GET_DESCRIPTOR, 0x200, 0, 255, &n));
    assert_int_equal(n, 34);
    assert_int_equal(byte(&h, 2), 34);
    OK(hc_control(&h, slot, IN_DIR, USB_REQ_GET_DESCRIPTOR, 0x302, 0x409, 255, &n));
    assert_int_equal(n, 2 + 2 * strlen("QEMU USB Keyboard"));
    OK(hc_control(&h, slot, IN_DIR, USB_REQ_GET_DESCRIPTOR, 0x600, 0, 10, &n));
    assert_int_equal(hc_control(&h, slot, IN_DIR, USB_REQ_GET_DESCRIPTOR, 0xf00, 0, 5, NULL), CC_STALL); /* no BOS */
    assert_int_equal(hc_ld(&h, HC_OUT + 0x1000 * slot + 32) & 7, EP_HALTED);
    assert_true(hc_recover(&h, slot, 1));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, slot, 3, 7, 8));
    assert_int_equal(hc_ld(&h, HC_OUT + 0x1000 * slot + 12), slot | SLOT_CONFIGURED << 27);
    assert_int_equal(hc_ld(&h, HC_OUT + 0x1000 * slot) >> 27, 3);
    OK(hc_control(&h, slot, 0x81, USB_REQ_GET_DESCRIPTOR, 0x2200, 0, 255, &n));
    assert_int_equal(byte(&h, 0), 5);
    assert_int_equal(byte(&h, n - 1), 0xc0);
    OK(hc_control(&h, slot, 0x21, 10, 0, 0, 0, NULL)); /* SET_IDLE: never */
    drv_st(&h.d, HC_BUF, 5, 1);
    OK(hc_control(&h, slot, 0x21, 9, 0x200, 0, 1, &n)); /* LEDs */
    OK(hc_control(&h, slot, 0xa1, 1, 0x200, 0, 1, &n));
    assert_int_equal(byte(&h, 0), 5);
    /* a report waits for a key; two keys make two reports */
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
    struct hc_event e;
    input_key(h.d.b.display, KEY_LEFTSHIFT, true);
    input_key(h.d.b.display, KEY_A, true);
    input_sync(h.d.b.display);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS);
    assert_int_equal(byte(&h, 0), 2);
    assert_int_equal(byte(&h, 2), 0);
    OK(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL));
    assert_int_equal(byte(&h, 2), 4);
    input_key(h.d.b.display, KEY_A, false);
    OK(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL));
    assert_int_equal(byte(&h, 2), 0);
    /* more keys than fit */
    for (unsigned k = KEY_1; k <= KEY_8; k++) input_key(h.d.b.display, (uint16_t)k, true);
    for (unsigned k = 0; k < 8; k++) OK(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL));
    assert_int_equal(byte(&h, 7), 1);
    /* idle: it tells every 8 ms */
    OK(hc_control(&h, slot, 0x21, 10, 2 << 8, 0, 0, NULL));
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
    clock_warp(&h.d.clock, 9 * NS_PER_MS);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS);
    assert_true(h.msis == 0);
    hc_free(&h);
}

static void pointers(void **st)
{
    struct hc h;
    unsigned slot, n;
    make(&h, "");
    plug(&h, "usb-mouse", "m", "port=1");
    plug(&h, "usb-tablet", "t", "port=2");
    hc_start(&h, 64);
    for (unsigned port = 5; port <= 6; port++) {
        port_reset(&h, port);
        OK(hc_address(&h, port, 0, &slot));
        OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
        OK(hc_configure(&h, slot, 3, 7, 8));
        if (port == 5) {
            input_move(h.d.b.display, 300, -5); /* more than a report can say */
            input_button(h.d.b.display, BTN_RIGHT, true);
            input_sync(h.d.b.display);
            int x = 0, y = 0;
            for (unsigned i = 0; i < 3; i++) {
                OK(hc_bulk(&h, slot, 3, HC_BUF, 4, NULL));
                assert_int_equal(byte(&h, 0), 2);
                x += (int8_t)byte(&h, 1), y += (int8_t)byte(&h, 2);
            }
            assert_int_equal(x, 300);
            assert_int_equal(y, -5);
            OK(hc_control(&h, slot, 0x21, 11, 0, 0, 0, NULL)); /* boot protocol: 3 bytes */
            input_wheel(h.d.b.display, 1);
            input_sync(h.d.b.display);
            assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 4, &n), CC_SHORT);
            assert_int_equal(n, 3);
        } else {
            input_point(h.d.b.display, 100, 200);
            input_sync(h.d.b.display);
            input_point(h.d.b.display, 0x7fff, 0x1234);
            input_wheel(h.d.b.display, -1);
            input_sync(h.d.b.display);
            assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, &n), CC_SHORT); /* only where it ended */
            assert_int_equal(n, 6);
            assert_int_equal(drv_ld(&h.d, HC_BUF, 8) & 0xffffffffffff, 0xff12347fff00);
            assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
        }
    }
    hc_free(&h);
}

/* --- storage --------------------------------------------------------------------------------------------------------------- */

enum { BULK_IN = 3, BULK_OUT = 4 };

static unsigned storage_begin(struct hc *h, unsigned port, unsigned packet)
{
    unsigned slot;
    port_reset(h, port);
    OK(hc_address(h, port, 0, &slot));
    OK(hc_control(h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(h, slot, BULK_IN, 6, packet));
    OK(hc_configure(h, slot, BULK_OUT, 2, packet));
    return slot;
}
static void cbw(struct hc *h, unsigned slot, uint32_t len, bool in, const uint8_t *cdb, unsigned n)
{
    uint64_t at = HC_BUF + 0xf0000;
    hc_st(h, at, 0x43425355);
    hc_st(h, at + 4, 0x1234);
    hc_st(h, at + 8, len);
    hc_st(h, at + 12, (in ? 0x80 : 0) | n << 16);
    drv_copy_in(&h->d, at + 15, cdb, n);
    OK(hc_bulk(h, slot, BULK_OUT, at, 31, NULL));
}
/* The status of the command that ran; *residue. */
static unsigned csw(struct hc *h, unsigned slot, uint32_t *residue)
{
    uint64_t at = HC_BUF + 0xf1000;
    OK(hc_bulk(h, slot, BULK_IN, at, 13, NULL));
    assert_int_equal(hc_ld(h, at), 0x53425355);
    assert_int_equal(hc_ld(h, at + 4), 0x1234);
    *residue = hc_ld(h, at + 8);
    return (unsigned)drv_ld(&h->d, at + 12, 1);
}
static const uint8_t ready[6], inquiry[6] = { 0x12, 0, 0, 0, 36 }, sense[6] = { 3, 0, 0, 0, 18 };

static void settle_attention(struct hc *h, unsigned slot)
{
    uint32_t left;
    unsigned n;
    cbw(h, slot, 0, false, ready, 6);
    assert_int_equal(csw(h, slot, &left), 1); /* power on */
    cbw(h, slot, 18, true, sense, 6);
    OK(hc_bulk(h, slot, BULK_IN, HC_BUF, 18, &n));
    assert_int_equal(byte(h, 2), 6);
    assert_int_equal(byte(h, 12), 0x29);
    assert_int_equal(csw(h, slot, &left), 0);
    cbw(h, slot, 0, false, ready, 6);
    assert_int_equal(csw(h, slot, &left), 0);
}

static void storage(void **st)
{
    static const unsigned ports[] = { 1, 5 };
    for (unsigned round = 0; round < 2; round++) {
        struct hc h;
        uint32_t left;
        unsigned n;
        make(&h, round ? "p3=0,p2=8" : "");
        plug(&h, "usb-storage", "s", "drive=d,removable=on,port=1");
        hc_start(&h, 64);
        unsigned slot = storage_begin(&h, round ? 1 : ports[round], round ? 512 : 1024);
        OK(hc_control(&h, slot, 0xa1, 0xfe, 0, 0, 1, &n)); /* one unit */
        assert_int_equal(byte(&h, 0), 0);
        settle_attention(&h, slot);
        /* less than was asked for: a short packet */
        cbw(&h, slot, 64, true, inquiry, 6);
        assert_int_equal(hc_bulk(&h, slot, BULK_IN, HC_BUF, 64, &n), CC_SHORT);
        assert_int_equal(n, 36);
        assert_int_equal(byte(&h, 1), 0x80);
        assert_int_equal(csw(&h, slot, &left), 0);
        assert_int_equal(left, 28);
        /* 32 KiB written in two transfers, read in one of many pieces */
        uint8_t wr[10] = { 0x2a, 0, 0, 0, 0, 8, 0, 0, 64 }, rd[10] = { 0x28, 0, 0, 0, 0, 8, 0, 0, 64 };
        static uint8_t a[32768], b[32768];
        for (unsigned i = 0; i < sizeof a; i++) a[i] = (uint8_t)(i * 7 + (i >> 8));
        drv_copy_in(&h.d, HC_BUF, a, sizeof a);
        cbw(&h, slot, sizeof a, false, wr, 10);
        OK(hc_bulk(&h, slot, BULK_OUT, HC_BUF, 16384, NULL));
        OK(hc_bulk(&h, slot, BULK_OUT, HC_BUF + 16384, 16384, NULL));
        assert_int_equal(csw(&h, slot, &left), 0);
        assert_int_equal(left, 0);
        assert_int_equal(blk_pread(h.blk, 8 * 512, b, sizeof b), 0);
        assert_memory_equal(a, b, sizeof a);
        hc_zero(&h, HC_BUF, sizeof a);
        cbw(&h, slot, sizeof a, true, rd, 10);
        struct hc_event e;
        for (unsigned i = 0; i < 32; i++)
            hc_trb(&h, &h.ring[slot][BULK_IN], HC_BUF + 1024 * (31 - i), 1024, TRB_NORMAL << 10 | TRB_CHAIN | TRB_ISP);
        hc_trb(&h, &h.ring[slot][BULK_IN], 0x1122334455667788, 0, TRB_EVENT_DATA << 10 | TRB_IOC);
        hc_st(&h, HC_DB + 4 * slot, BULK_IN);
        assert_true(hc_wait(&h, ER_TRANSFER, &e));
        assert_int_equal(hc_cc(&e), CC_SUCCESS);
        assert_true(e.param == 0x1122334455667788 && e.control & 4);
        assert_int_equal(e.status & 0xffffff, sizeof a);
        drv_copy_out(&h.d, HC_BUF, b, sizeof b);
        for (unsigned i = 0; i < 32; i++) assert_memory_equal(b + 1024 * (31 - i), a + 1024 * i, 1024);
        assert_int_equal(csw(&h, slot, &left), 0);
        hc_free(&h);
    }
}

/* What goes wrong with commands, and what a host does then (BOT 5.3.3, 6.7). */
static void storage_errors(void **st)
{
    struct hc h;
    uint32_t left;
    make(&h, "");
    plug(&h, "usb-storage", "s", "drive=d");
    hc_start(&h, 64);
    unsigned slot = storage_begin(&h, 1, 1024);
    settle_attention(&h, slot);
    /* nothing to read: a stall, then the status */
    uint8_t bad[10] = { 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 8 };
    cbw(&h, slot, 4096, true, bad, 10);
    assert_int_equal(hc_bulk(&h, slot, BULK_IN, HC_BUF, 4096, NULL), CC_STALL);
    assert_true(hc_recover(&h, slot, BULK_IN));
    OK(hc_control(&h, slot, 2, USB_REQ_CLEAR_FEATURE, 0, 0x81, 0, NULL));
    assert_int_equal(csw(&h, slot, &left), 1);
    assert_int_equal(left, 4096);
    cbw(&h, slot, 18, true, sense, 6);
    OK(hc_bulk(&h, slot, BULK_IN, HC_BUF, 18, NULL));
    assert_int_equal(byte(&h, 2) << 8 | byte(&h, 12), 0x521);
    assert_int_equal(csw(&h, slot, &left), 0);
    /* no command block: both pipes stall until the reset recovery */
    hc_zero(&h, HC_BUF, 64);
    assert_int_equal(hc_bulk(&h, slot, BULK_OUT, HC_BUF, 31, NULL), CC_STALL);
    assert_int_equal(hc_bulk(&h, slot, BULK_IN, HC_BUF, 13, NULL), CC_STALL);
    OK(hc_control(&h, slot, 0x21, 0xff, 0, 0, 0, NULL));
    assert_true(hc_recover(&h, slot, BULK_IN) && hc_recover(&h, slot, BULK_OUT));
    OK(hc_control(&h, slot, 2, USB_REQ_CLEAR_FEATURE, 0, 0x81, 0, NULL));
    OK(hc_control(&h, slot, 2, USB_REQ_CLEAR_FEATURE, 0, 0x02, 0, NULL));
    cbw(&h, slot, 0, false, ready, 6);
    assert_int_equal(csw(&h, slot, &left), 0);
    /* more than a command may have */
    cbw(&h, slot, 0x7fffffff, false, bad, 10);
    assert_int_equal(csw(&h, slot, &left), 1);
    assert_int_equal(left, 0x7fffffff);
    /* a unit that is not there; a short command block */
    OK(hc_control(&h, slot, IN_DIR, USB_REQ_GET_STATUS, 0, 0, 2, NULL));
    assert_int_equal(byte(&h, 0), 1);
    /* a read that is overtaken by a reset, with its data on the way */
    for (unsigned i = 0; i < 3; i++) {
        uint8_t rd[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 128 };
        hc_st(&h, HC_BUF + 0xf0008, 65536);
        cbw(&h, slot, 65536, true, rd, 10);
        OK(hc_control(&h, slot, 0x21, 0xff, 0, 0, 0, NULL));
        cbw(&h, slot, 0, false, ready, 6);
        assert_int_equal(csw(&h, slot, &left), 0);
    }
    hc_free(&h);
}

/* A short packet inside of a TD: the TRB where it was, then the last one (4.10.1.1). */
static void short_packets(void **st)
{
    struct hc h;
    uint32_t left;
    struct hc_event e;
    make(&h, "");
    plug(&h, "usb-storage", "s", "drive=d");
    hc_start(&h, 64);
    unsigned slot = storage_begin(&h, 1, 1024);
    settle_attention(&h, slot);
    for (unsigned round = 0; round < 2; round++) {
        struct hc_ring *r = &h.ring[slot][BULK_IN];
        cbw(&h, slot, 64, true, inquiry, 6);
        hc_trb(&h, r, HC_BUF, 30, TRB_NORMAL << 10 | TRB_CHAIN | TRB_ISP);
        uint64_t second = hc_trb(&h, r, HC_BUF + 30, 20, TRB_NORMAL << 10 | TRB_CHAIN | TRB_ISP), last;
        if (round) hc_trb(&h, r, HC_BUF + 50, 14, TRB_NORMAL << 10 | TRB_CHAIN | TRB_ISP);
        last = round ? hc_trb(&h, r, 77, 0, TRB_EVENT_DATA << 10 | TRB_IOC) : hc_trb(&h, r, HC_BUF + 50, 14, TRB_NORMAL << 10 | TRB_IOC | TRB_ISP);
        hc_st(&h, HC_DB + 4 * slot, BULK_IN);
        assert_true(hc_wait(&h, ER_TRANSFER, &e));
        assert_true(e.param == second && hc_cc(&e) == CC_SHORT && (e.status & 0xffffff) == 14);
        assert_true(hc_wait(&h, ER_TRANSFER, &e));
        assert_int_equal(e.param, round ? 77 : last);
        assert_int_equal(e.status, CC_SHORT << 24 | (round ? 36 : 14));
        assert_int_equal(csw(&h, slot, &left), 0);
    }
    hc_free(&h);
}

/* --- commands and endpoints ------------------------------------------------------------------------------------------------ */

static void stop_and_go(void **st)
{
    struct hc h;
    struct hc_event e;
    unsigned slot;
    make(&h, "");
    plug(&h, "usb-kbd", "k", "");
    hc_start(&h, 64);
    port_reset(&h, 5);
    OK(hc_address(&h, 5, 0, &slot));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, slot, 3, 7, 8));
    assert_int_equal(hc_cmd(&h, 0, 0, CR_RESET_EP << 10 | slot << 24 | 3 << 16, NULL), CC_CONTEXT); /* it runs */
    assert_int_equal(hc_cmd(&h, HC_CMDS, 0, CR_SET_DEQUEUE << 10 | slot << 24 | 3 << 16, NULL), CC_CONTEXT);
    assert_int_equal(hc_cmd(&h, 0, 0, CR_STOP_EP << 10 | slot << 24 | 9 << 16, NULL), CC_EP);
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
    uint64_t td = h.ring[slot][3].base;
    hc_trb(&h, &h.cmd, 0, 0, CR_STOP_EP << 10 | slot << 24 | 3 << 16);
    hc_st(&h, HC_DB, 0);
    assert_true(hc_wait(&h, ER_TRANSFER, &e));
    assert_true(hc_cc(&e) == CC_STOPPED && e.param == td && (e.status & 0xffffff) == 8);
    assert_true(hc_wait(&h, ER_COMMAND, &e) && hc_cc(&e) == CC_SUCCESS);
    assert_int_equal(hc_ld(&h, HC_OUT + 0x1000 * slot + 3 * 32) & 7, EP_STOPPED);
    assert_int_equal(drv_ld(&h.d, HC_OUT + 0x1000 * slot + 3 * 32 + 8, 8), td | 1);
    assert_int_equal(hc_cmd(&h, 0, 0, CR_STOP_EP << 10 | slot << 24 | 3 << 16, NULL), CC_CONTEXT);
    input_key(h.d.b.display, KEY_B, true);
    assert_false(hc_wait(&h, ER_TRANSFER, &e)); /* nothing moves while it is stopped */
    hc_st(&h, HC_DB + 4 * slot, 3);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS && e.param == td);
    /* the controller halts and runs again: TDs that waited are there */
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
    hc_st(&h, HC_OP, CMD_INTE);
    input_key(h.d.b.display, KEY_B, false);
    hc_settle(&h);
    hc_st(&h, HC_OP, CMD_RS | CMD_INTE);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS);
    /* no-ops have events, too */
    hc_trb(&h, &h.ring[slot][3], 0, 0, TRB_NOOP << 10 | TRB_IOC);
    hc_st(&h, HC_DB + 4 * slot, 3);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS);
    /* a ring that never ends takes turns with the rest, and is stopped as any other */
    uint64_t ring = HC_BUF + 0x2000;
    drv_st(&h.d, ring + 8, (uint64_t)(TRB_NOOP << 10 | 1) << 32, 8);
    drv_st(&h.d, ring + 16, ring, 8);
    drv_st(&h.d, ring + 24, (uint64_t)(TRB_LINK << 10 | 1) << 32, 8);
    OK(hc_cmd(&h, 0, 0, CR_STOP_EP << 10 | slot << 24 | 3 << 16, NULL));
    OK(hc_cmd(&h, ring | 1, 0, CR_SET_DEQUEUE << 10 | slot << 24 | 3 << 16, NULL));
    hc_st(&h, HC_DB + 4 * slot, 3);
    OK(hc_control(&h, slot, IN_DIR, USB_REQ_GET_STATUS, 0, 0, 2, NULL));
    OK(hc_cmd(&h, 0, 0, CR_STOP_EP << 10 | slot << 24 | 3 << 16, NULL));
    OK(hc_cmd(&h, 0, 0, CR_RESET_DEVICE << 10 | slot << 24, NULL));
    assert_int_equal(hc_ld(&h, HC_OUT + 0x1000 * slot + 12), SLOT_DEFAULT << 27);
    assert_int_equal(hc_cmd(&h, 0, 0, CR_RESET_DEVICE << 10 | slot << 24, NULL), CC_CONTEXT);
    OK(hc_cmd(&h, 0, 0, CR_DISABLE_SLOT << 10 | slot << 24, NULL));
    assert_int_equal(hc_cmd(&h, 0, 0, CR_DISABLE_SLOT << 10 | slot << 24, NULL), CC_SLOT);
    hc_free(&h);
}

static void wrong_commands(void **st)
{
    struct hc h;
    unsigned slot, s2;
    struct hc_event e;
    make(&h, "");
    plug(&h, "usb-kbd", "k", "");
    hc_start(&h, 64);
    port_reset(&h, 5);
    assert_int_equal(hc_cmd(&h, 0, 0, 60 << 10, NULL), CC_TRB);
    assert_int_equal(hc_cmd(&h, 0, 0, CR_STOP_EP << 10 | 99u << 24 | 1 << 16, NULL), CC_SLOT);
    assert_int_equal(hc_cmd(&h, 0, 0, CR_STOP_EP << 10 | 3u << 24 | 1 << 16, NULL), CC_SLOT);
    assert_int_equal(hc_address(&h, 6, 0, &slot), CC_TRANSACTION); /* nobody there */
    assert_int_equal(hc_address(&h, 200, 0, &slot), CC_PARAMETER);
    assert_int_equal(hc_address(&h, 1, 0, &slot), CC_TRANSACTION); /* the USB 3 port of the same place */
    OK(hc_address(&h, 5, 0, &slot));
    assert_int_equal(hc_address(&h, 5, 0, &s2), CC_RESOURCE);
    assert_int_equal(hc_cmd(&h, HC_IN, 0, CR_ADDRESS << 10 | slot << 24, NULL), CC_CONTEXT);
    assert_int_equal(hc_configure(&h, slot, 3, 2, 8), CC_PARAMETER); /* an OUT endpoint in an IN endpoint's place */
    hc_st(&h, HC_IN + 4, 2);
    assert_int_equal(hc_cmd(&h, HC_IN, 0, CR_CONFIGURE << 10 | slot << 24, NULL), CC_PARAMETER);
    OK(hc_cmd(&h, HC_BUF, 0, CR_BANDWIDTH << 10, NULL));
    assert_int_equal(byte(&h, 1), 90);
    /* an endpoint that the device has not */
    OK(hc_configure(&h, slot, 9, 7, 8));
    assert_int_equal(hc_bulk(&h, slot, 9, HC_BUF, 8, NULL), CC_TRANSACTION);
    /* TRBs that do not belong there, a TD of links only, data that is nowhere */
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, slot, 3, 7, 8));
    hc_trb(&h, &h.ring[slot][3], HC_BUF, 8, TRB_SETUP << 10 | TRB_IDT);
    hc_st(&h, HC_DB + 4 * slot, 3);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_TRB);
    assert_int_equal(hc_ld(&h, HC_OUT + 0x1000 * slot + 3 * 32) & 7, EP_ERROR);
    uint64_t loop = HC_BUF + 0x1000;
    drv_st(&h.d, loop, loop, 8);
    hc_st(&h, loop + 12, TRB_LINK << 10 | 1);
    OK(hc_cmd(&h, loop | 1, 0, CR_SET_DEQUEUE << 10 | slot << 24 | 3 << 16, NULL));
    hc_st(&h, HC_DB + 4 * slot, 3);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_TRB);
    struct hc_ring *r = &h.ring[slot][3];
    OK(hc_cmd(&h, (r->base + 16ull * r->at) | r->cycle, 0, CR_SET_DEQUEUE << 10 | slot << 24 | 3 << 16, NULL));
    input_key(h.d.b.display, KEY_A, true);
    assert_int_equal(hc_bulk(&h, slot, 3, 0x50000000, 8, NULL), CC_BUFFER);
    OK(hc_cmd(&h, 0, 0, CR_RESET_EP << 10 | slot << 24 | 3 << 16, NULL));
    OK(hc_cmd(&h, 0x50000000 | 1, 0, CR_SET_DEQUEUE << 10 | slot << 24 | 3 << 16, NULL));
    hc_st(&h, HC_DB + 4 * slot, 3);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_TRB);
    /* the command ring is stopped, and begins elsewhere */
    hc_st(&h, HC_DB, 0);
    assert_int_equal(hc_ld(&h, HC_OP + 0x18), CRCR_CRR);
    drv_st(&h.d, HC_OP + 0x18, CRCR_CS, 8);
    assert_true(hc_wait(&h, ER_COMMAND, &e) && hc_cc(&e) == CC_RING_STOPPED);
    assert_int_equal(hc_ld(&h, HC_OP + 0x18), 0);
    hc_ring_init(&h, &h.cmd, HC_BUF + 0x4000);
    drv_st(&h.d, HC_OP + 0x18, (HC_BUF + 0x4000) | CRCR_RCS, 8);
    OK(hc_cmd(&h, 0, 0, CR_NOOP << 10, NULL));
    /* a command ring that is nowhere: host system error, until the reset */
    hc_st(&h, HC_OP, 0);
    drv_st(&h.d, HC_OP + 0x18, 0x50000000 | CRCR_RCS, 8);
    hc_st(&h, HC_OP, CMD_RS);
    hc_st(&h, HC_DB, 0);
    assert_int_equal(hc_ld(&h, HC_OP + 4) & (STS_HSE | STS_HCH), STS_HSE | STS_HCH);
    hc_start(&h, 64);
    OK(hc_cmd(&h, 0, 0, CR_NOOP << 10, NULL));
    hc_free(&h);
}

/* More than an event ring takes waits; several segments; interrupts by message. */
static void full_events(void **st)
{
    struct hc h;
    struct hc_event e;
    unsigned got = 0;
    make(&h, "");
    hc_start(&h, 16);
    for (unsigned i = 0; i < 40; i++) hc_trb(&h, &h.cmd, 0, 0, CR_NOOP << 10);
    hc_st(&h, HC_DB, 0);
    hc_settle(&h);
    while (hc_next(&h, &e)) got++;
    assert_int_equal(got, 15);
    while (got < 40) {
        hc_erdp(&h);
        hc_settle(&h);
        unsigned before = got;
        while (hc_next(&h, &e)) got++;
        assert_true(got > before);
    }
    assert_int_equal(got, 40);
    /* two segments */
    hc_start(&h, 16);
    drv_st(&h.d, HC_ERST + 16, HC_EVENTS + 256, 8);
    drv_st(&h.d, HC_ERST + 24, 16, 8);
    hc_st(&h, HC_RT + 0x28, 2);
    h.events = 32;
    for (unsigned i = 0; i < 80; i++) OK(hc_cmd(&h, 0, 0, CR_NOOP << 10, NULL));
    /* one message until the handler is done */
    drv_st(&h.d, HC_BAR + 0x3000, 0x12345678, 8);
    drv_st(&h.d, HC_BAR + 0x3008, 1, 8);
    unsigned cap = (unsigned)drv_ld(&h.d, HC_ECAM + 0x8034, 1);
    while (drv_ld(&h.d, HC_ECAM + 0x8000 + cap, 1) != 0x11) cap = (unsigned)drv_ld(&h.d, HC_ECAM + 0x8001 + cap, 1);
    drv_st(&h.d, HC_ECAM + 0x8002 + cap, 0x8000, 2);
    h.msis = 0;
    for (unsigned i = 0; i < 3; i++) hc_trb(&h, &h.cmd, 0, 0, CR_NOOP << 10);
    hc_st(&h, HC_DB, 0);
    assert_int_equal(h.msis, 1);
    assert_true(hc_next(&h, &e));
    hc_erdp(&h); /* two are left: it tells again */
    assert_int_equal(h.msis, 2);
    while (hc_next(&h, &e)) {}
    hc_erdp(&h);
    assert_int_equal(h.msis, 2);
    hc_free(&h);
}

/* --- UAS by streams, serial line ------------------------------------------------------------------------------------------- */

enum { UAS_COMMAND = 2, UAS_STATUS = 5, UAS_IN = 7, UAS_OUT = 8, STREAM_RINGS = HC_BUF + 0x80000 };

/* Streams 1 to 15 of an endpoint, each with a ring of one TD. */
static uint64_t stream_ctx(unsigned dci) { return STREAM_RINGS + 0x10000ull * dci; }
static void streams_on(struct hc *h, unsigned slot, unsigned dci, unsigned type)
{
    hc_zero(h, stream_ctx(dci), 0x10000);
    for (unsigned i = 1; i < 16; i++) drv_st(&h->d, stream_ctx(dci) + 16 * i, (stream_ctx(dci) + 0x1000 * (i & 7) + 0x400 * (i >> 3) + 0x800) | 1 << 1 | 1, 8);
    hc_st(h, HC_IN, 0);
    hc_st(h, HC_IN + 4, 1 | 1u << dci);
    hc_ep_context(h, slot, dci, type, 1024);
    hc_st(h, HC_IN + 32 + 32 * dci, 3 << 10 | 1 << 15);
    drv_st(&h->d, HC_IN + 32 + 32 * dci + 8, stream_ctx(dci), 8);
    OK(hc_cmd(h, HC_IN, 0, CR_CONFIGURE << 10 | slot << 24, NULL));
}
static void stream_td(struct hc *h, unsigned slot, unsigned dci, unsigned stream, uint64_t at, uint32_t len)
{
    uint64_t ring = drv_ld(&h->d, stream_ctx(dci) + 16 * stream, 8) & ~15ull;
    drv_st(&h->d, ring, at, 8);
    hc_st(h, ring + 8, len);
    hc_st(h, ring + 12, TRB_NORMAL << 10 | TRB_IOC | TRB_ISP | 1);
    hc_st(h, HC_DB + 4 * slot, dci | stream << 16);
}
static void uas_command(struct hc *h, unsigned slot, unsigned tag, const uint8_t *cdb)
{
    uint8_t b[32] = { 1, 0, 0, (uint8_t)tag };
    memcpy(b + 16, cdb, 10);
    drv_copy_in(&h->d, HC_BUF + 0x7000, b, sizeof b);
    OK(hc_bulk(h, slot, UAS_COMMAND, HC_BUF + 0x7000, 32, NULL));
}

static void streams(void **st)
{
    struct hc h;
    struct hc_event e;
    unsigned slot;
    make(&h, "");
    plug(&h, "usb-uas", "u", "");
    plug(&h, "scsi-hd", "disk", "drive=d");
    hc_start(&h, 64);
    port_reset(&h, 1);
    OK(hc_address(&h, 1, 0, &slot));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, slot, UAS_COMMAND, 2, 1024));
    streams_on(&h, slot, UAS_STATUS, 6);
    streams_on(&h, slot, UAS_IN, 6);
    streams_on(&h, slot, UAS_OUT, 2);
    /* two at a time: data and status come on their streams */
    const uint8_t inq[10] = { 0x12, 0, 0, 0, 36 }, tur[10] = { 0 }, wr[10] = { 0x2a, 0, 0, 0, 0, 1, 0, 0, 1 };
    stream_td(&h, slot, UAS_STATUS, 3, HC_BUF + 0x300, 96);
    stream_td(&h, slot, UAS_STATUS, 4, HC_BUF + 0x400, 96);
    uas_command(&h, slot, 4, tur);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SHORT);
    assert_int_equal(drv_ld(&h.d, HC_BUF + 0x400, 4), 0x04000003);
    assert_int_equal(drv_ld(&h.d, HC_BUF + 0x406, 1), 2); /* power on */
    assert_int_equal(drv_ld(&h.d, HC_BUF + 0x410 + 12, 1), 0x29);
    uas_command(&h, slot, 3, inq);
    assert_false(hc_wait(&h, ER_TRANSFER, &e));
    stream_td(&h, slot, UAS_IN, 3, HC_BUF, 36);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS);
    assert_int_equal(byte(&h, 8), 'L');
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SHORT);
    assert_int_equal(drv_ld(&h.d, HC_BUF + 0x300, 4), 0x03000003);
    assert_int_equal(drv_ld(&h.d, HC_BUF + 0x306, 1), 0);
    /* a write waits for its data; overlapping tags are told */
    stream_td(&h, slot, UAS_STATUS, 5, HC_BUF + 0x500, 96);
    uas_command(&h, slot, 5, wr);
    uas_command(&h, slot, 5, wr);
    assert_true(hc_wait(&h, ER_TRANSFER, &e));
    assert_int_equal(drv_ld(&h.d, HC_BUF + 0x500, 8), 0x0a00000005000004);
    drv_st(&h.d, HC_BUF + 0x1000, 0x1122334455667788, 8);
    stream_td(&h, slot, UAS_STATUS, 5, HC_BUF + 0x500, 96);
    stream_td(&h, slot, UAS_OUT, 5, HC_BUF + 0x1000, 512);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SHORT);
    uint64_t back;
    assert_int_equal(blk_pread(h.blk, 512, &back, 8), 0);
    assert_true(back == 0x1122334455667788);
    /* what waits on a stream is told when the endpoint is stopped; streams that are not there are errors */
    stream_td(&h, slot, UAS_STATUS, 9, HC_BUF + 0x500, 96);
    hc_trb(&h, &h.cmd, 0, 0, CR_STOP_EP << 10 | slot << 24 | UAS_STATUS << 16);
    hc_st(&h, HC_DB, 0);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_STOPPED);
    assert_true(hc_wait(&h, ER_COMMAND, &e) && hc_cc(&e) == CC_SUCCESS);
    assert_int_equal(hc_cmd(&h, stream_ctx(1) | 3, 99u << 16, CR_SET_DEQUEUE << 10 | slot << 24 | UAS_STATUS << 16, NULL), CC_STREAM_ID);
    assert_int_equal(hc_cmd(&h, stream_ctx(1) | 1, 9u << 16, CR_SET_DEQUEUE << 10 | slot << 24 | UAS_STATUS << 16, NULL), CC_STREAM_TYPE);
    hc_st(&h, HC_DB + 4 * slot, UAS_IN | 77u << 16);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_STREAM_ID);
    hc_free(&h);
}

static struct chr *chr_named(void *ctx, const char *name, struct err *e) { return chr_find(((struct hc *)ctx)->chrs, name); }

static void serial(void **st)
{
    struct hc h;
    struct err err = { 0 };
    unsigned slot, n;
    uint8_t text[256];
    size_t len;
    make(&h, "");
    h.chrs = chr_set_new(h.d.b.loop, NULL);
    chr_new_text(h.chrs, "ringbuf,id=c", NULL, &err);
    h.r.chr = chr_named;
    dev_resolve_with(&h.d.b, &h.r);
    plug(&h, "usb-serial", "s", "chardev=c");
    hc_start(&h, 64);
    port_reset(&h, 5);
    OK(hc_address(&h, 5, 0, &slot));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, slot, 3, 6, 64));
    OK(hc_configure(&h, slot, 4, 2, 64));
    OK(hc_control(&h, slot, 0x40, 3, 0x001a, 0, 0, NULL)); /* 115200 baud */
    OK(hc_control(&h, slot, 0xc0, 5, 0, 0, 2, &n));
    drv_copy_in(&h.d, HC_BUF, "to the line", 11);
    OK(hc_bulk(&h, slot, 4, HC_BUF, 11, NULL));
    assert_int_equal(chr_ringbuf_read(chr_find(h.chrs, "c"), text, sizeof text, &len, &err), 0);
    assert_int_equal(len, 11);
    assert_memory_equal(text, "to the line", 11);
    /* 100 bytes come in two packets, each with its status */
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 512, NULL), 0);
    for (unsigned i = 0; i < 100; i++) text[i] = (uint8_t)i;
    assert_true(chr_be_room(chr_find(h.chrs, "c")) >= 100);
    chr_be_recv(chr_find(h.chrs, "c"), text, 100);
    struct hc_event e;
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SHORT);
    assert_int_equal(512 - (e.status & 0xffffff), 104);
    assert_int_equal(byte(&h, 0) & 1, 1);
    assert_int_equal(byte(&h, 2), 0);
    assert_int_equal(byte(&h, 63), 61);
    assert_int_equal(byte(&h, 66), 62);
    dev_free(dev_find(&h.d.b, "s"));
    chr_set_free(h.chrs);
    hc_free(&h);
}

/* --- hubs, plugging, state ------------------------------------------------------------------------------------------------- */

static void hub(void **st)
{
    struct hc h;
    unsigned slot, kbd, n;
    struct hc_event e;
    make(&h, "");
    plug(&h, "usb-hub", "hub", "port=2,ports=4");
    plug(&h, "usb-kbd", "k", "port=2.3");
    hc_start(&h, 64);
    port_reset(&h, 6);
    OK(hc_address(&h, 6, 0, &slot));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_control(&h, slot, 0xa0, USB_REQ_GET_DESCRIPTOR, 0x2900, 0, 64, &n));
    assert_int_equal(byte(&h, 2), 4);
    OK(hc_configure(&h, slot, 3, 7, 2));
    OK(hc_bulk(&h, slot, 3, HC_BUF, 1, NULL));
    assert_int_equal(byte(&h, 0), 1 << 3);
    OK(hc_control(&h, slot, 0xa3, 0, 0, 3, 4, NULL));
    assert_int_equal(hc_ld(&h, HC_BUF), 0x10101);
    OK(hc_control(&h, slot, 0x23, 1, 16, 3, 0, NULL));
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 1, NULL), 0);
    OK(hc_control(&h, slot, 0x23, 3, 4, 3, 0, NULL)); /* reset: the waiting status report comes */
    OK(hc_control(&h, slot, 0xa3, 0, 0, 3, 4, NULL));
    assert_int_equal(hc_ld(&h, HC_BUF), 0x100103);
    OK(hc_control(&h, slot, 0x23, 1, 20, 3, 0, NULL));
    assert_int_equal(hc_address(&h, 6, 2, &kbd), CC_TRANSACTION);
    OK(hc_address(&h, 6, 3, &kbd));
    OK(hc_control(&h, kbd, IN_DIR, USB_REQ_GET_DESCRIPTOR, 0x100, 0, 18, NULL));
    OK(hc_control(&h, kbd, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, kbd, 3, 7, 8));
    assert_int_equal(hc_bulk(&h, kbd, 3, HC_BUF, 8, NULL), 0);
    /* the hub goes, and its keyboard's TDs with it; then the keyboard that hangs in the air */
    dev_free(dev_find(&h.d.b, "hub"));
    assert_true(hc_wait(&h, ER_TRANSFER, &e));
    assert_int_equal(hc_cc(&e), CC_TRANSACTION);
    assert_int_equal(hc_ld(&h, hc_portsc(6)) & (PS_CCS | PS_PED | PS_CSC), PS_CSC);
    assert_int_equal(h.d.b.buses->next->max, 4 + 1); /* its place is still there */
    dev_free(dev_find(&h.d.b, "k"));
    assert_int_equal(h.d.b.buses->next->max, 4);
    hc_free(&h);
}

static void plugging(void **st)
{
    struct hc h;
    struct hc_event e;
    unsigned slot;
    make(&h, "p2=1,p3=1");
    hc_start(&h, 64);
    for (unsigned round = 0; round < 3; round++) {
        struct dev *d = plug(&h, round & 1 ? "usb-storage" : "usb-tablet", "p", round & 1 ? "drive=d" : "");
        unsigned port = round & 1 ? 1 : 2;
        struct err err;
        assert_null(hc_plug(&h, "usb-kbd", "k2", "", &err)); /* full */
        assert_true(hc_wait(&h, ER_PORT, &e));
        assert_int_equal(e.param >> 24, port);
        hc_st(&h, hc_portsc(port), PS_PP | PS_CHANGES);
        port_reset(&h, port);
        OK(hc_address(&h, port, 0, &slot));
        OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
        OK(hc_configure(&h, slot, 3, round & 1 ? 6 : 7, 8));
        assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
        dev_free(d);
        assert_true(hc_wait(&h, ER_TRANSFER, &e));
        assert_int_equal(hc_cc(&e), CC_TRANSACTION);
        assert_int_equal(hc_control(&h, slot, IN_DIR, USB_REQ_GET_STATUS, 0, 0, 2, NULL), CC_TRANSACTION);
        OK(hc_cmd(&h, 0, 0, CR_DISABLE_SLOT << 10 | slot << 24, NULL));
        hc_st(&h, hc_portsc(port), PS_PP | PS_CHANGES);
    }
    /* the controller goes while a device is plugged in and asked */
    plug(&h, "usb-kbd", "k", "");
    port_reset(&h, 2);
    OK(hc_address(&h, 2, 0, &slot));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, slot, 3, 7, 8));
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
    dev_free(h.dev);
    drv_poll(&h.d);
    hc_free(&h);
}

/* What waits goes on in a machine that was saved and loaded; a sleeping host is woken. */
static void saved(void **st)
{
    struct hc h;
    struct hc_event e;
    unsigned slot;
    make(&h, "");
    plug(&h, "usb-kbd", "k", "");
    hc_start(&h, 64);
    port_reset(&h, 5);
    OK(hc_address(&h, 5, 0, &slot));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0, NULL));
    OK(hc_configure(&h, slot, 3, 7, 8));
    OK(hc_control(&h, slot, 0, USB_REQ_SET_FEATURE, 1, 0, 0, NULL)); /* remote wakeup */
    assert_int_equal(hc_bulk(&h, slot, 3, HC_BUF, 8, NULL), 0);
    struct state_out o = { 0 };
    struct err err = { 0 };
    dev_save_all(&h.d.b, &o);
    dev_reset_all(&h.d.b);
    input_key(h.d.b.display, KEY_C, true);
    assert_false(hc_wait(&h, ER_TRANSFER, &e));
    dev_reset_all(&h.d.b);
    struct state_in in = { o.buf, o.len, 0 };
    if (dev_load_all(&h.d.b, &in, &err)) fail_msg("%s", err.msg);
    state_out_free(&o);
    hc_settle(&h);
    hc_st(&h, hc_portsc(5), PS_PP | PS_LWS | PLS_U3 << 5);
    assert_int_equal((hc_ld(&h, hc_portsc(5)) & PS_PLS) >> 5, PLS_U3);
    input_key(h.d.b.display, KEY_C, true);
    assert_true(hc_wait(&h, ER_TRANSFER, &e) && hc_cc(&e) == CC_SUCCESS);
    assert_int_equal(byte(&h, 2), 6);
    assert_int_equal(hc_ld(&h, hc_portsc(5)) & (PS_PLS | PS_PLC), PLS_RESUME << 5 | PS_PLC);
    hc_st(&h, hc_portsc(5), PS_PP | PS_LWS | PLS_U0 << 5);
    assert_int_equal(hc_ld(&h, hc_portsc(5)) & PS_PLS, 0);
    hc_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers), cmocka_unit_test(keyboard), cmocka_unit_test(pointers), cmocka_unit_test(storage), cmocka_unit_test(storage_errors),
        cmocka_unit_test(short_packets), cmocka_unit_test(stop_and_go), cmocka_unit_test(wrong_commands), cmocka_unit_test(full_events),
        cmocka_unit_test(streams), cmocka_unit_test(serial), cmocka_unit_test(hub), cmocka_unit_test(plugging), cmocka_unit_test(saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
