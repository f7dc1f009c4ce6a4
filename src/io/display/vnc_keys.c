/*
 * vnc_keys.c: keys of VNC clients: X11 keysyms (X11 protocol, appendix A) on a US keyboard, and PC scan codes (set 1) of the extended key
 * event. Known gaps: other layouts (clients with the extended key event do not need them).
 */
#include "io/display/vnc_int.h"

#include <linux/input-event-codes.h>

/* What the keys that print show, without and with shift. */
static const struct { uint16_t code; const char *text; } rows[] = {
    { KEY_GRAVE, "`~" }, { KEY_1, "1!2@3#4$5%6^7&8*9(0)-_=+" }, { KEY_Q, "qQwWeErRtTyYuUiIoOpP[{]}" }, { KEY_A, "aAsSdDfFgGhHjJkKlL;:'\"" },
    { KEY_BACKSLASH, "\\|" }, { KEY_Z, "zZxXcCvVbBnNmM,<.>/?" }, { KEY_SPACE, "  " },
};
static const struct { uint32_t sym; uint16_t code; } keys[] = {
    { 0xff08, KEY_BACKSPACE }, { 0xff09, KEY_TAB }, { 0xfe20, KEY_TAB }, { 0xff0a, KEY_ENTER }, { 0xff0d, KEY_ENTER }, { 0xff13, KEY_PAUSE },
    { 0xff14, KEY_SCROLLLOCK }, { 0xff15, KEY_SYSRQ }, { 0xff61, KEY_SYSRQ }, { 0xff1b, KEY_ESC }, { 0xffff, KEY_DELETE }, { 0xff50, KEY_HOME },
    { 0xff51, KEY_LEFT }, { 0xff52, KEY_UP }, { 0xff53, KEY_RIGHT }, { 0xff54, KEY_DOWN }, { 0xff55, KEY_PAGEUP }, { 0xff56, KEY_PAGEDOWN },
    { 0xff57, KEY_END }, { 0xff63, KEY_INSERT }, { 0xff67, KEY_COMPOSE }, { 0xff6b, KEY_PAUSE }, { 0xff7f, KEY_NUMLOCK }, { 0xff80, KEY_SPACE },
    { 0xff89, KEY_TAB }, { 0xff8d, KEY_KPENTER }, { 0xff95, KEY_KP7 }, { 0xff96, KEY_KP4 }, { 0xff97, KEY_KP8 }, { 0xff98, KEY_KP6 },
    { 0xff99, KEY_KP2 }, { 0xff9a, KEY_KP9 }, { 0xff9b, KEY_KP3 }, { 0xff9c, KEY_KP1 }, { 0xff9d, KEY_KP5 }, { 0xff9e, KEY_KP0 },
    { 0xff9f, KEY_KPDOT }, { 0xffaa, KEY_KPASTERISK }, { 0xffab, KEY_KPPLUS }, { 0xffac, KEY_KPCOMMA }, { 0xffad, KEY_KPMINUS },
    { 0xffae, KEY_KPDOT }, { 0xffaf, KEY_KPSLASH }, { 0xffb0, KEY_KP0 }, { 0xffb1, KEY_KP1 }, { 0xffb2, KEY_KP2 }, { 0xffb3, KEY_KP3 },
    { 0xffb4, KEY_KP4 }, { 0xffb5, KEY_KP5 }, { 0xffb6, KEY_KP6 }, { 0xffb7, KEY_KP7 }, { 0xffb8, KEY_KP8 }, { 0xffb9, KEY_KP9 },
    { 0xffbd, KEY_KPEQUAL }, { 0xffc8, KEY_F11 }, { 0xffc9, KEY_F12 }, { 0xffe1, KEY_LEFTSHIFT }, { 0xffe2, KEY_RIGHTSHIFT },
    { 0xffe3, KEY_LEFTCTRL }, { 0xffe4, KEY_RIGHTCTRL }, { 0xffe5, KEY_CAPSLOCK }, { 0xffe7, KEY_LEFTALT }, { 0xffe8, KEY_RIGHTALT },
    { 0xffe9, KEY_LEFTALT }, { 0xffea, KEY_RIGHTALT }, { 0xfe03, KEY_RIGHTALT }, { 0xff7e, KEY_RIGHTALT }, { 0xffeb, KEY_LEFTMETA },
    { 0xffec, KEY_RIGHTMETA }, { 0x1008ff11, KEY_VOLUMEDOWN }, { 0x1008ff12, KEY_MUTE }, { 0x1008ff13, KEY_VOLUMEUP },
};

uint16_t vnc_keysym(uint32_t keysym, int *shift)
{
    *shift = -1;
    if (keysym >= 0x20 && keysym < 0x7f)
        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
            const char *p = strchr(rows[i].text, (int)keysym);
            if (!p) continue;
            if (keysym != ' ') *shift = (int)(p - rows[i].text) & 1;
            return (uint16_t)(rows[i].code + (p - rows[i].text) / 2);
        }
    if (keysym >= 0xffbe && keysym <= 0xffc7) return (uint16_t)(KEY_F1 + keysym - 0xffbe);
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].sym == keysym) return keys[i].code;
    return 0;
}

/* Scan codes that follow an 0xe0; they come with bit 7 set. The others are Linux's key codes up to F12. */
static const struct { uint8_t scan; uint8_t code; } e0[] = {
    { 0x1c, KEY_KPENTER }, { 0x1d, KEY_RIGHTCTRL }, { 0x20, KEY_MUTE }, { 0x2e, KEY_VOLUMEDOWN }, { 0x30, KEY_VOLUMEUP }, { 0x35, KEY_KPSLASH },
    { 0x37, KEY_SYSRQ }, { 0x38, KEY_RIGHTALT }, { 0x46, KEY_PAUSE }, { 0x47, KEY_HOME }, { 0x48, KEY_UP }, { 0x49, KEY_PAGEUP }, { 0x4b, KEY_LEFT },
    { 0x4d, KEY_RIGHT }, { 0x4f, KEY_END }, { 0x50, KEY_DOWN }, { 0x51, KEY_PAGEDOWN }, { 0x52, KEY_INSERT }, { 0x53, KEY_DELETE },
    { 0x5b, KEY_LEFTMETA }, { 0x5c, KEY_RIGHTMETA }, { 0x5d, KEY_COMPOSE }, { 0x5e, KEY_POWER },
};

uint16_t vnc_xt(uint32_t code)
{
    static const struct { uint8_t scan; uint8_t code; } odd[] = {
        { 0x54, KEY_SYSRQ }, { 0x56, KEY_102ND }, { 0x57, KEY_F11 }, { 0x58, KEY_F12 }, { 0x59, KEY_KPEQUAL }, { 0x70, KEY_KATAKANAHIRAGANA },
        { 0x73, KEY_RO }, { 0x79, KEY_HENKAN }, { 0x7b, KEY_MUHENKAN }, { 0x7d, KEY_YEN }, { 0x7e, KEY_KPCOMMA },
    };
    if ((code & 0xff00) == 0xe000) code = (code & 0x7f) | 0x80;
    if (code > 0 && code <= KEY_KPDOT) return (uint16_t)code;
    for (unsigned i = 0; code < 0x80 && i < ARRAY_LEN(odd); i++)
        if (odd[i].scan == code) return odd[i].code;
    for (unsigned i = 0; code < 0x100 && code >= 0x80 && i < ARRAY_LEN(e0); i++)
        if (e0[i].scan == (code & 0x7f)) return e0[i].code;
    return 0;
}
