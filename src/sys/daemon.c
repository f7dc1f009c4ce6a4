/*
 * daemon.c: -daemonize and -pidfile. The process forks before it has threads; the parent ends when the child says that sockets and the
 * pid file are there (or that it failed), so who started it can connect at once.
 */
#include "sys/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int daemon_begin(struct sys *s, int *status, struct err *e)
{
    int p[2];
    if (!s->daemonize) return 0;
    if (pipe2(p, O_CLOEXEC)) return err_set(e, errno, "-daemonize: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return err_set(e, errno, "-daemonize: %s", strerror(errno));
    if (pid) {
        uint8_t said = 1;
        close(p[1]);
        ssize_t n;
        while ((n = read(p[0], &said, 1)) < 0 && errno == EINTR) continue;
        close(p[0]);
        *status = n == 1 ? said : 1;
        if (*status) waitpid(pid, NULL, 0);
        return 1;
    }
    close(p[0]);
    s->ready_fd = p[1];
    setsid();
    return 0;
}

/* All is there: the parent may go; the terminal is let go of. */
int daemon_ready(struct sys *s, struct err *e)
{
    uint8_t ok = 0;
    if (s->ready_fd < 0) return 0;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || chdir("/")) return err_set(e, errno, "-daemonize: %s", strerror(errno));
    dup2(null, 0);
    dup2(null, 1);
    if (log_own_fd() != 2) dup2(null, 2);
    if (null > 2) close(null);
    bool told = write(s->ready_fd, &ok, 1) == 1;
    close(s->ready_fd);
    s->ready_fd = -1;
    return told ? 0 : err_set(e, EPIPE, "-daemonize: nobody waits");
}

/* The file is locked while the process lives: a second one with the same file does not start. */
int pidfile_write(struct sys *s, struct err *e)
{
    char text[24];
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (!s->pidfile) return 0;
    int fd = open(s->pidfile, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return err_set(e, errno, "cannot create PID file: %s: %s", s->pidfile, strerror(errno));
    if (fcntl(fd, F_SETLK, &lock)) {
        int why = errno;
        struct flock who = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        bool held = !fcntl(fd, F_GETLK, &who) && who.l_type != F_UNLCK;
        close(fd);
        if (held) return err_set(e, EBUSY, "cannot create PID file: %s: process %d holds it", s->pidfile, (int)who.l_pid);
        return err_set(e, why, "cannot create PID file: %s: %s", s->pidfile, strerror(why));
    }
    s->pid_fd = fd;
    char *real = realpath(s->pidfile, NULL); /* -daemonize changes the directory */
    if (real) s->pidfile = sys_text(s, "%s", real);
    free(real);
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) || write(fd, text, (size_t)n) != n) return err_set(e, EIO, "cannot write PID file: %s", s->pidfile);
    return 0;
}

void pidfile_remove(struct sys *s)
{
    if (s->pid_fd < 0) return;
    unlink(s->pidfile);
    close(s->pid_fd);
    s->pid_fd = -1;
}
