/* abi_files.c: structs and flags of file, socket, IPC and terminal calls. */
#include "check.h"
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>

static int pipefd[2];

static void files(void)
{
    char t[] = "/tmp/lyre-abiXXXXXX", link[64], buf[64];
    int f = mkstemp(t);
    struct stat st;
    struct statx sx;
    struct statfs sf;
    CHECK(f >= 0 && pwrite(f, "0123456789", 10, 5) == 10 && lseek(f, 0, SEEK_END) == 15);
    CHECK(fstat(f, &st) == 0 && st.st_size == 15 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600 && st.st_nlink == 1);
    CHECK(statx(AT_FDCWD, t, 0, STATX_ALL, &sx) == 0 && sx.stx_size == 15 && sx.stx_ino == st.st_ino);
    CHECK(fstatfs(f, &sf) == 0 && sf.f_bsize >= 512 && sf.f_namelen >= 14);
    struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    CHECK(fcntl(f, F_SETLK, &fl) == 0);
    struct iovec w[3] = { { "a", 1 }, { "bc", 2 }, { "def", 3 } }, r[2] = { { buf, 2 }, { buf + 10, 4 } };
    CHECK(pwritev(f, w, 3, 0) == 6 && preadv(f, r, 2, 0) == 6 && !memcmp(buf, "ab", 2) && !memcmp(buf + 10, "cdef", 4));
    CHECK((fcntl(f, F_GETFL) & O_ACCMODE) == O_RDWR && fcntl(f, F_SETFL, O_APPEND) == 0 && (fcntl(f, F_GETFL) & O_APPEND));
    int d = open("/tmp", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    CHECK(d >= 0 && (fcntl(d, F_GETFL) & O_DIRECTORY) && fcntl(d, F_GETFD) == FD_CLOEXEC);
    CHECK(open(t, O_DIRECTORY) == -1 && errno == ENOTDIR);
    snprintf(link, sizeof link, "%s-link", t);
    CHECK(symlink(t, link) == 0 && open(link, O_NOFOLLOW) == -1 && errno == ELOOP);
    ssize_t n = readlink(link, buf, sizeof buf);
    CHECK(n == (ssize_t)strlen(t) && !memcmp(buf, t, n));
    CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode) && stat(link, &st) == 0 && S_ISREG(st.st_mode));
    unlink(link);
    struct timespec ut[2] = { { 5, 6 }, { 7, 8 } };
    CHECK(futimens(f, ut) == 0 && fstat(f, &st) == 0 && st.st_mtim.tv_sec == 7 && st.st_mtim.tv_nsec == 8);
    CHECK(ftruncate(f, 5ll << 32) == 0 && fstat(f, &st) == 0 && st.st_size == 5ll << 32 && lseek(f, 3ll << 32, SEEK_SET) == 3ll << 32);
    int in = inotify_init1(IN_NONBLOCK), wd = inotify_add_watch(in, t, IN_MODIFY);
    struct inotify_event ie;
    CHECK(write(f, "z", 1) == 1 && read(in, &ie, sizeof ie) == sizeof ie && ie.wd == wd && ie.mask == IN_MODIFY);
    int m = memfd_create("m", MFD_CLOEXEC);
    off_t at = 1;
    CHECK(sendfile(m, f, &at, 3) == 3 && at == 4 && pread(m, buf, 3, 0) == 3 && !memcmp(buf, "bcd", 3));
    loff_t lat = 0;
    CHECK(splice(m, &lat, pipefd[1], NULL, 3, 0) == 3 && lat == 3 && read(pipefd[0], buf, 3) == 3 && !memcmp(buf, "bcd", 3));
    CHECK(read(f, (void *)16, 1) == -1 && errno == EFAULT);
    close(m), close(in), close(d), close(f);
    unlink(t);
}

static void sockets(void)
{
    int sv[2], one = 1, fds[2], seen = 0, avail;
    char control[CMSG_SPACE(2 * sizeof(int))], in[256], data[64];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
    setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    struct iovec iov = { "hello", 5 }, rio = { data, sizeof data };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct msghdr r = { .msg_iov = &rio, .msg_iovlen = 1, .msg_control = in, .msg_controllen = sizeof in };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(c), pipefd, sizeof pipefd);
    CHECK(sendmsg(sv[0], &m, 0) == 5 && recvmsg(sv[1], &r, 0) == 5);
    for (c = CMSG_FIRSTHDR(&r); c; c = CMSG_NXTHDR(&r, c)) {
        if (c->cmsg_type == SCM_RIGHTS) seen |= 1, memcpy(fds, CMSG_DATA(c), sizeof fds);
        if (c->cmsg_type == SCM_CREDENTIALS) seen |= ((struct ucred *)CMSG_DATA(c))->pid == getpid() ? 2 : 0;
    }
    CHECK(seen == 3 && write(fds[1], "x", 1) == 1 && read(pipefd[0], data, 1) == 1 && data[0] == 'x');
    /* a control buffer that is too small says so */
    m.msg_controllen = sizeof control;
    CHECK(sendmsg(sv[0], &m, 0) == 5);
    r.msg_control = in, r.msg_controllen = 4;
    CHECK(recvmsg(sv[1], &r, 0) == 5 && (r.msg_flags & MSG_CTRUNC));

    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, peer;
    socklen_t len = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), k = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 5) == 0 && getsockname(l, (void *)&a, &len) == 0 && len == sizeof a);
    CHECK(connect(k, (void *)&a, sizeof a) == 0);
    len = sizeof peer;
    int s = accept4(l, (void *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(s >= 0 && len == sizeof peer && peer.sin_family == AF_INET && (fcntl(s, F_GETFL) & O_NONBLOCK));
    struct pollfd pf = { s, POLLIN, 0 };
    CHECK(send(k, "abc", 3, 0) == 3 && poll(&pf, 1, -1) == 1 && pf.revents == POLLIN);
    CHECK(ioctl(s, FIONREAD, &avail) == 0 && avail == 3);
    struct timeval tv = { 3, 500000 };
    struct linger lg = { 1, 2 };
    CHECK(setsockopt(k, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0);
    tv.tv_sec = 0, len = sizeof tv;
    CHECK(getsockopt(k, SOL_SOCKET, SO_RCVTIMEO, &tv, &len) == 0 && tv.tv_sec == 3 && len == sizeof tv);
    CHECK(setsockopt(k, SOL_SOCKET, SO_LINGER, &lg, sizeof lg) == 0);

    int d[2];
    char b[2][8];
    struct iovec v[2] = { { "q", 1 }, { "rs", 2 } };
    struct mmsghdr mm[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } }, { .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, d) == 0 && sendmmsg(d[0], mm, 2, 0) == 2 && mm[1].msg_len == 2);
    for (int i = 0; i < 2; i++) v[i] = (struct iovec){ b[i], 8 };
    CHECK(recvmmsg(d[1], mm, 2, 0, NULL) == 2 && mm[0].msg_len == 1 && mm[1].msg_len == 2 && b[1][1] == 's');
    struct ifreq ifr = { .ifr_name = "lo" };
    CHECK(ioctl(l, SIOCGIFFLAGS, &ifr) == 0 && (ifr.ifr_flags & IFF_LOOPBACK));
    close(l), close(k), close(s), close(d[0]), close(d[1]), close(sv[0]), close(sv[1]);
}

static void waiting(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC), ev = eventfd(3, 0), tf = timerfd_create(CLOCK_MONOTONIC, 0);
    struct epoll_event e = { EPOLLIN, { .u64 = 0xabcdef0123456789 } }, out[4];
    struct itimerspec its = { { 0, 0 }, { 0, 1000 } };
    uint64_t n;
    fd_set rs;
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) == 0 && epoll_wait(ep, out, 4, -1) == 1);
    CHECK(out[0].data.u64 == 0xabcdef0123456789 && out[0].events == EPOLLIN);
    CHECK(timerfd_settime(tf, 0, &its, NULL) == 0 && read(tf, &n, 8) == 8 && n == 1);
    FD_ZERO(&rs);
    FD_SET(ev, &rs);
    FD_SET(pipefd[0], &rs);
    CHECK(select(100, &rs, NULL, NULL, NULL) == 1 && FD_ISSET(ev, &rs) && !FD_ISSET(pipefd[0], &rs));
    close(ep), close(ev), close(tf);
}

static void ipc(void)
{
    int id = shmget(IPC_PRIVATE, 8192, 0600 | IPC_CREAT), st;
    char *m = shmat(id, NULL, 0);
    struct shmid_ds sd;
    CHECK(m != (void *)-1);
    pid_t p = fork();
    if (!p) {
        m[1] = 8;
        _exit(0);
    }
    waitpid(p, &st, 0);
    CHECK(m[1] == 8 && shmctl(id, IPC_STAT, &sd) == 0 && sd.shm_segsz == 8192 && sd.shm_nattch == 1);
    CHECK(shmdt(m) == 0 && shmctl(id, IPC_RMID, NULL) == 0);
    union { int val; unsigned short *array; struct semid_ds *buf; } su;
    unsigned short all[3] = { 1, 2, 3 };
    struct sembuf op = { 2, -3, 0 };
    struct semid_ds ss;
    struct timespec ts = { 0, 1000 };
    id = semget(IPC_PRIVATE, 3, 0600);
    su.array = all;
    CHECK(semctl(id, 0, SETALL, su) == 0 && semctl(id, 1, GETVAL) == 2 && semop(id, &op, 1) == 0);
    su.val = 9;
    CHECK(semctl(id, 0, SETVAL, su) == 0 && semctl(id, 0, GETVAL) == 9);
    su.buf = &ss;
    CHECK(semctl(id, 0, IPC_STAT, su) == 0 && ss.sem_nsems == 3);
    CHECK(semtimedop(id, &op, 1, &ts) == -1 && errno == EAGAIN);
    semctl(id, 0, IPC_RMID);
    struct { long type; char text[8]; } mb = { 5, "hey" };
    id = msgget(IPC_PRIVATE, 0600);
    CHECK(msgsnd(id, &mb, 4, 0) == 0);
    mb.type = 0;
    CHECK(msgrcv(id, &mb, 8, 5, 0) == 4 && mb.type == 5 && !strcmp(mb.text, "hey"));
    msgctl(id, IPC_RMID, NULL);
}

static void terminal(void)
{
    int a, b;
    char c;
    struct winsize ws = { 24, 80, 0, 0 }, got;
    struct termios t;
    CHECK(openpty(&a, &b, NULL, NULL, &ws) == 0 && isatty(b) && tcgetattr(b, &t) == 0 && t.c_cc[VINTR] == 3);
    cfmakeraw(&t);
    CHECK(tcsetattr(b, TCSANOW, &t) == 0 && ioctl(b, TIOCGWINSZ, &got) == 0 && got.ws_col == 80 && got.ws_row == 24);
    CHECK(write(a, "k", 1) == 1 && read(b, &c, 1) == 1 && c == 'k');
    close(a), close(b);
}

/* Descriptors that are the emulator's are not there. */
static void not_opened(void)
{
    struct stat st;
    for (int fd = 1000; fd < 1100; fd++) CHECK(fstat(fd, &st) < 0 && errno == EBADF && fcntl(fd, F_GETFD) < 0 && dup(fd) < 0);
}

int main(void)
{
    not_opened();
    CHECK(pipe2(pipefd, O_CLOEXEC) == 0);
    files();
    sockets();
    waiting();
    ipc();
    terminal();
    return done();
}
