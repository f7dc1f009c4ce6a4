/* serial.c: -chardev serial,path=/dev/ttyS0 (tty): a serial line of the host: speed, frame, break and modem lines are the guest's. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "io/char/fd.h"

static int serial_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct fd_chr *f = (struct fd_chr *)c;
    const char *path = opts_get(o, "path");
    struct termios t;
    fd_chr_start(f, -1, -1);
    if (!path) return err_set(e, EINVAL, "chardev: serial/tty: no device path given (path=)");
    int fd = fd_chr_open(path, O_RDWR, e);
    if (fd < 0) return fd;
    fd_chr_start(f, fd, fd);
    if (tcgetattr(fd, &t)) return err_set(e, errno, "'%s' is no terminal: %s", path, strerror(errno));
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    cfsetspeed(&t, B115200);
    tcsetattr(fd, TCSANOW, &t);
    chr_be_event(c, CHR_OPENED);
    return 0;
}

static speed_t speed_of(uint32_t baud)
{
    static const struct { uint32_t baud; speed_t code; } table[] = {
        { 50, B50 }, { 75, B75 }, { 110, B110 }, { 134, B134 }, { 150, B150 }, { 200, B200 }, { 300, B300 }, { 600, B600 },
        { 1200, B1200 }, { 1800, B1800 }, { 2400, B2400 }, { 4800, B4800 }, { 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 },
        { 57600, B57600 }, { 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 }, { 500000, B500000 }, { 576000, B576000 },
        { 921600, B921600 }, { 1000000, B1000000 }, { 1152000, B1152000 }, { 1500000, B1500000 }, { 2000000, B2000000 },
        { 2500000, B2500000 }, { 3000000, B3000000 }, { 3500000, B3500000 }, { 4000000, B4000000 },
    };
    for (unsigned i = ARRAY_LEN(table) - 1; i; i--)
        if ((uint64_t)baud * 100 >= (uint64_t)table[i].baud * 98) return table[i].code; /* dividers do not come out even */
    return table[0].code;
}

static void serial_params(struct chr *c, const struct chr_params *p)
{
    struct fd_chr *f = (struct fd_chr *)c;
    static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
    struct termios t;
    if (tcgetattr(f->in, &t)) return;
    cfsetspeed(&t, speed_of(p->speed));
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB);
    t.c_cflag |= sizes[MIN(MAX(p->data_bits, 5), 8) - 5];
    if (p->stop_bits == 2) t.c_cflag |= CSTOPB;
    if (p->parity == 'E' || p->parity == 'O') t.c_cflag |= PARENB;
    if (p->parity == 'O') t.c_cflag |= PARODD;
    tcsetattr(f->in, TCSANOW, &t);
}

static void serial_break(struct chr *c, bool on)
{
    ioctl(((struct fd_chr *)c)->in, on ? TIOCSBRK : TIOCCBRK);
}

static const struct { unsigned ours; int host; } lines_map[] = {
    { CHR_DTR, TIOCM_DTR }, { CHR_RTS, TIOCM_RTS }, { CHR_CTS, TIOCM_CTS }, { CHR_DSR, TIOCM_DSR }, { CHR_DCD, TIOCM_CAR }, { CHR_RI, TIOCM_RI },
};

static int serial_get_modem(struct chr *c, unsigned *lines)
{
    int v;
    if (ioctl(((struct fd_chr *)c)->in, TIOCMGET, &v)) return -errno;
    *lines = 0;
    for (unsigned i = 0; i < ARRAY_LEN(lines_map); i++)
        if (v & lines_map[i].host) *lines |= lines_map[i].ours;
    return 0;
}

static void serial_set_modem(struct chr *c, unsigned lines)
{
    int fd = ((struct fd_chr *)c)->in, on = 0, off = 0;
    for (unsigned i = 0; i < 2; i++) *(lines & lines_map[i].ours ? &on : &off) |= lines_map[i].host;
    ioctl(fd, TIOCMBIS, &on);
    ioctl(fd, TIOCMBIC, &off);
}

const struct chr_driver serial_chr = {
    .name = "serial", .alias = "tty", .help = "a serial line of the host: path=", .size = sizeof(struct fd_chr), .open = serial_open,
    .close = fd_chr_close, .write = fd_chr_write, .update = fd_chr_update, .set_params = serial_params, .set_break = serial_break,
    .get_modem = serial_get_modem, .set_modem = serial_set_modem,
};
