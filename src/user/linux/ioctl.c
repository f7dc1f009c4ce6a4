/*
 * ioctl.c: device controls in use. One row each: what the third argument is. Numbers are asm-generic's, which x86-64 shares.
 * Requests that are not listed but carry their size (_IOC) pass as bytes when the guest's layout is the host's (64-bit,
 * little endian). Known gap: embedded pointers and struct ifreq's numbers on big-endian or 32-bit guests.
 */
#include "user/linux/user.h"

#include <linux/fs.h>
#include <linux/fiemap.h>
#include <linux/kd.h>
#include <linux/loop.h>
#include <linux/random.h>
#include <linux/sockios.h>
#include <linux/vt.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include "user/linux/kernel.h"

enum ioctl_arg { I_NONE, I_INT, I_IN, I_OUT, I_IO, I_BYTES /* in and out, `size` bytes */ };

struct ioctl_row {
    uint32_t req;
    uint8_t arg;
    uint8_t size;
    const struct layout *l;
    const char *name;
};

#define NONE(r)      { r, I_NONE, 0, NULL, #r }
#define VAL(r)       { r, I_INT, 0, NULL, #r }
#define IN(r, lay)   { r, I_IN, 0, &lay_##lay, #r }
#define OUT(r, lay)  { r, I_OUT, 0, &lay_##lay, #r }
#define BYTES(r, n)  { r, I_BYTES, n, NULL, #r }
#define IFREQ(r)     BYTES(r, 40)

/* Requests whose number holds the size of a long have another number on 32-bit guests. */
#define R32(dir, type, nr) (((uint32_t)(dir) << 30) | (4u << 16) | ((uint32_t)(type) << 8) | (nr))

/* The kernel's numbers: libc's TCGETS family and ours agree on structs of 36 bytes. */
static const struct ioctl_row table[] = {
    OUT(TCGETS, termios), IN(TCSETS, termios), IN(TCSETSW, termios), IN(TCSETSF, termios),
    { 0x802c542a, I_OUT, 0, &lay_termios2, "TCGETS2" }, { 0x402c542b, I_IN, 0, &lay_termios2, "TCSETS2" },
    { 0x402c542c, I_IN, 0, &lay_termios2, "TCSETSW2" }, { 0x402c542d, I_IN, 0, &lay_termios2, "TCSETSF2" },
    VAL(TCSBRK), VAL(TCSBRKP), VAL(TCXONC), VAL(TCFLSH), NONE(TIOCEXCL), NONE(TIOCNXCL), VAL(TIOCSCTTY), NONE(TIOCNOTTY),
    NONE(TIOCCONS), NONE(TIOCSBRK), NONE(TIOCCBRK), VAL(TIOCVHANGUP), OUT(TIOCGPGRP, int), IN(TIOCSPGRP, int),
    OUT(TIOCGSID, int), OUT(TIOCOUTQ, int), OUT(TIOCGWINSZ, winsize), IN(TIOCSWINSZ, winsize), OUT(TIOCMGET, int),
    IN(TIOCMSET, int), IN(TIOCMBIS, int), IN(TIOCMBIC, int), VAL(TIOCMIWAIT), OUT(TIOCGSOFTCAR, int), IN(TIOCSSOFTCAR, int),
    OUT(TIOCGETD, int), IN(TIOCSETD, int), IN(TIOCPKT, int), OUT(TIOCGPKT, int), OUT(TIOCGPTN, int), IN(TIOCSPTLCK, int),
    OUT(TIOCGPTLCK, int), OUT(TIOCGEXCL, int), VAL(TIOCGPTPEER), BYTES(TIOCSTI, 1), OUT(TIOCGDEV, int), BYTES(TIOCLINUX, 1),
    OUT(FIONREAD, int), IN(FIONBIO, int), IN(FIOASYNC, int), NONE(FIOCLEX), NONE(FIONCLEX), OUT(FIOQSIZE, off),
    OUT(FIGETBSZ, int), NONE(FIFREEZE), NONE(FITHAW), VAL(FICLONE), IN(FICLONERANGE, file_clone_range), BYTES(FITRIM, 24),
    OUT(FS_IOC_GETFLAGS, int), IN(FS_IOC_SETFLAGS, int), OUT(FS_IOC_GETVERSION, int), IN(FS_IOC_SETVERSION, int),
    { R32(2, 'f', 1), I_OUT, 0, &lay_int, "FS_IOC_GETFLAGS" }, { R32(1, 'f', 2), I_IN, 0, &lay_int, "FS_IOC_SETFLAGS" },
    BYTES(FS_IOC_FSGETXATTR, 28), BYTES(FS_IOC_FSSETXATTR, 28),
    OUT(BLKROGET, int), IN(BLKROSET, int), NONE(BLKRRPART), OUT(BLKGETSIZE, word), NONE(BLKFLSBUF), VAL(BLKRASET),
    OUT(BLKRAGET, word), OUT(BLKSSZGET, int), OUT(BLKPBSZGET, int), OUT(BLKIOMIN, int), OUT(BLKIOOPT, int),
    OUT(BLKALIGNOFF, int), OUT(BLKROTATIONAL, int), BYTES(BLKDISCARD, 16), BYTES(BLKZEROOUT, 16), OUT(BLKGETSIZE64, off),
    { R32(2, 0x12, 114), I_OUT, 0, &lay_off, "BLKGETSIZE64" }, OUT(BLKBSZGET, int), IN(BLKBSZSET, int),
    VAL(LOOP_SET_FD), NONE(LOOP_CLR_FD), VAL(LOOP_CTL_ADD), VAL(LOOP_CTL_REMOVE), NONE(LOOP_CTL_GET_FREE), NONE(LOOP_SET_CAPACITY),
    VAL(LOOP_SET_DIRECT_IO), VAL(LOOP_SET_BLOCK_SIZE), BYTES(LOOP_GET_STATUS64, 232), BYTES(LOOP_SET_STATUS64, 232),
    OUT(RNDGETENTCNT, int), IN(RNDADDTOENTCNT, int),
    BYTES(KDGKBTYPE, 1), OUT(KDGETMODE, word), VAL(KDSETMODE), OUT(KDGKBMODE, word), VAL(KDSKBMODE), OUT(VT_OPENQRY, int),
    VAL(VT_ACTIVATE), VAL(VT_WAITACTIVE), BYTES(VT_GETSTATE, 6),
    OUT(SIOCATMARK, int), IN(SIOCSPGRP, int), OUT(SIOCGPGRP, int), IN(FIOSETOWN, int), OUT(FIOGETOWN, int),
    OUT(SIOCGSTAMP_OLD, timeval), OUT(SIOCOUTQNSD, int),
    IFREQ(SIOCGIFNAME), IFREQ(SIOCGIFFLAGS), IFREQ(SIOCSIFFLAGS), IFREQ(SIOCGIFADDR), IFREQ(SIOCSIFADDR), IFREQ(SIOCGIFDSTADDR),
    IFREQ(SIOCSIFDSTADDR), IFREQ(SIOCGIFBRDADDR), IFREQ(SIOCSIFBRDADDR), IFREQ(SIOCGIFNETMASK), IFREQ(SIOCSIFNETMASK),
    IFREQ(SIOCGIFMETRIC), IFREQ(SIOCGIFMTU), IFREQ(SIOCSIFMTU), IFREQ(SIOCSIFNAME), IFREQ(SIOCGIFHWADDR), IFREQ(SIOCSIFHWADDR),
    IFREQ(SIOCGIFINDEX), IFREQ(SIOCGIFTXQLEN), IFREQ(SIOCSIFTXQLEN), IFREQ(SIOCADDMULTI), IFREQ(SIOCDELMULTI), IFREQ(SIOCGIFMAP),
};

static const struct ioctl_row *find_row(uint32_t req)
{
    for (unsigned i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].req == req) return &table[i];
    return NULL;
}

const char *ioctl_name(uint32_t req)
{
    const struct ioctl_row *r = find_row(req);
    return r ? r->name : NULL;
}

enum { IFREQ_64 = 40, IFREQ_32 = 32 };

/* The list of interfaces: entries differ in size. */
static int64_t ifconf(struct task *t, int fd, uint64_t addr)
{
    struct g_ifconf g;
    unsigned gsize = t->p->word == 8 ? IFREQ_64 : IFREQ_32;
    int r = lay_get(t, &lay_ifconf, &g, addr);
    if (r < 0) return r;
    if (g.len < 0 || g.len > 1 << 20) return -EINVAL;
    unsigned n = (unsigned)g.len / gsize;
    uint8_t *buf = g.buf ? xalloc((n + 1) * IFREQ_64) : NULL;
    struct ifconf host = { .ifc_len = (int)(n * IFREQ_64), .ifc_buf = (char *)buf };
    int64_t ret = RAW(SYS_ioctl, fd, SIOCGIFCONF, &host);
    unsigned got = (unsigned)host.ifc_len / IFREQ_64;
    for (unsigned i = 0; buf && i < got && i < n && ret >= 0; i++)
        if ((r = put_bytes(t, g.buf + i * gsize, buf + i * IFREQ_64, gsize)) < 0) ret = r;
    free(buf);
    g.len = (int32_t)(got * gsize);
    return ret < 0 ? ret : (r = lay_put(t, &lay_ifconf, addr, &g)) < 0 ? r : ret;
}

static int64_t by_row(struct task *t, int fd, const struct ioctl_row *row, uint32_t req, uint64_t arg)
{
    uint64_t buf[64] = { 0 };
    int r;
    switch (row->arg) {
    case I_NONE: return SAFE(t, SYS_ioctl, fd, req, 0);
    case I_INT: return SAFE(t, SYS_ioctl, fd, req, arg);
    case I_BYTES: {
        size_t n = row->size == IFREQ_64 && t->p->word == 4 ? IFREQ_32 : row->size;
        if ((r = get_bytes(t, buf, arg, n)) < 0) return r;
        int64_t ret = SAFE(t, SYS_ioctl, fd, req, buf);
        if (ret >= 0 && (gmem_flags(t->p->mem, arg) & GP_WRITE) && (r = put_bytes(t, arg, buf, n)) < 0) return r;
        return ret;
    }
    default: {
        if (row->arg != I_OUT && (r = lay_get(t, row->l, buf, arg)) < 0) return r;
        int64_t ret = SAFE(t, SYS_ioctl, fd, req, buf);
        if (ret >= 0 && row->arg != I_IN && (r = lay_put(t, row->l, arg, buf)) < 0) return r;
        return ret;
    }
    }
}

int64_t sys_ioctl(struct task *t, const uint64_t *a)
{
    uint32_t req = (uint32_t)a[1];
    const struct ioctl_row *row = find_row(req);
    int fd = (int)a[0];
    if (row) {
        /* 32-bit numbers of a request go to the host with its own */
        if (t->p->word == 4)
            for (unsigned i = 0; i < ARRAY_LEN(table); i++)
                if (!strcmp(table[i].name, row->name)) {
                    req = table[i].req;
                    break;
                }
        return by_row(t, fd, row, req, a[2]);
    }
    if (req == SIOCGIFCONF) return ifconf(t, fd, a[2]);
    unsigned dir = req >> 30, size = (req >> 16) & 0x3fff;
    if (t->p->word == 8 && !t->p->big && dir && size) {
        void *p = user_ptr(t, a[2], size, dir & 2 ? GP_WRITE : GP_READ);
        return p == BAD_PTR ? -EFAULT : SAFE(t, SYS_ioctl, fd, req, p);
    }
    if (t->p->word == 8 && !t->p->big && !dir && req >> 8 >= 0x100) return SAFE(t, SYS_ioctl, fd, req, 0);
    LOG(LOG_UNIMP, "ioctl 0x%x is not implemented\n", req);
    return -ENOTTY;
}
