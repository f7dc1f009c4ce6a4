/* program.c: Linux programs of a guest, by user/linux: in place of this process, or in a child. */
#include "api/api.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "user/linux/user.h"

struct lyre_program {
    struct user_options o;
};

lyre_program *lyre_program_new(const char *guest, lyre_error *e)
{
    const struct guest *g = guest ? guest_find(guest) : NULL;
    if (guest && (!g || !g->lnx)) {
        err_set(api_err(e), ENOENT, "no guest '%s'%s", guest, g ? " with Linux programs" : "");
        return NULL;
    }
    lyre_program *p = xalloc(sizeof *p);
    options_init(&p->o);
    p->o.guest = g;
    return p;
}

void lyre_program_free(lyre_program *p)
{
    if (!p) return;
    options_done(&p->o);
    free(p);
}

int lyre_program_option(unsigned index, lyre_option_info *info)
{
    lyre_option_info i = { 0 };
    if (!options_describe(index, &i.name, &i.variable, &i.argument, &i.help)) return -ENOENT;
    API_FILL(info, i);
    return 0;
}

int lyre_program_set(lyre_program *p, const char *name, const char *value, lyre_error *e)
{
    return options_set(&p->o, name, value, api_err(e));
}

const char *lyre_program_get(const lyre_program *p, const char *name)
{
    return options_get(&p->o, name);
}

int lyre_program_parse(lyre_program *p, int argc, char **argv, lyre_error *e)
{
    return options_parse(&p->o, argc, argv, api_err(e));
}

/* --- which guest ---------------------------------------------------------------------------------------- */

static const struct guest *guest_of(const char *path, int given, struct err *e)
{
    const struct guest *g = NULL;
    char head[256];
    int fd = given >= 0 ? given : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_set(e, errno, "%s: %s", path, strerror(errno));
        return NULL;
    }
    enum file_kind kind = file_kind(fd, &g, head, sizeof head);
    if (fd != given) close(fd);
    if (kind == FILE_HOST)
        err_set(e, ENOEXEC, "%s: a program of this machine, it needs no emulator", path);
    else if (kind == FILE_SCRIPT)
        err_set(e, ENOEXEC, "%s: a script; name its interpreter's file instead", path);
    else if (kind != FILE_GUEST)
        err_set(e, ENOEXEC, "%s: not a Linux program of an architecture known here ('lyre -h' lists them)", path);
    return g;
}

const char *lyre_program_guest(const char *path, int fd, lyre_error *e)
{
    const struct guest *g = guest_of(path, fd, api_err(e));
    return g ? g->name : NULL;
}

/* --- running -------------------------------------------------------------------------------------------- */

static int load(lyre_program *p, char **argv, char **envp, struct err *e)
{
    if (!argv[0]) return err_set(e, EINVAL, "no program given");
    if (!p->o.guest && !(p->o.guest = guest_of(argv[0], p->o.exec_fd, e))) return -e->code;
    p->o.argv = argv;
    p->o.envp = envp;
    int r = user_load(&p->o, e);
    if (r < 0 && !e->code) err_set(e, -r, "%s: %s", argv[0], strerror(-r));
    return r;
}

int lyre_program_exec(lyre_program *p, char **argv, char **envp, lyre_error *error)
{
    struct err e = { 0 };
    int r = load(p, argv, envp, &e);
    if (!r) user_run();
    if (error) memcpy(error, &e, sizeof e);
    return r;
}

/* What execve would close; not the descriptors that are still needed. */
static void close_on_exec(int keep, int keep2)
{
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *f; d && (f = readdir(d));) {
        int fd = atoi(f->d_name);
        if (f->d_name[0] == '.' || fd == dirfd(d) || fd == keep || fd == keep2) continue;
        if (fcntl(fd, F_GETFD) & FD_CLOEXEC) close(fd);
    }
    if (d) closedir(d);
}

/* In the child: tells the parent through `pipe` what went wrong; that it closes without a word means that the program runs. */
static _Noreturn void child(lyre_program *p, char **argv, char **envp, int pipe)
{
    struct err e = { 0 };
    close_on_exec(pipe, p->o.exec_fd);
    if (load(p, argv, envp, &e)) {
        if (write(pipe, &e, sizeof e) != (ssize_t)sizeof e) e.code = 0; /* nobody is there to be told */
        _exit(127);
    }
    close(pipe);
    user_run();
}

int lyre_program_spawn(lyre_program *p, char **argv, char **envp, pid_t *pid, lyre_error *error)
{
    struct err e = { 0 };
    int fd[2], n;
    if (pipe2(fd, O_CLOEXEC)) return err_set(api_err(error), errno, "pipe: %s", strerror(errno));
    pid_t child_pid = fork();
    if (!child_pid) child(p, argv, envp, fd[1]);
    int fork_errno = errno;
    close(fd[1]);
    if (child_pid < 0) {
        close(fd[0]);
        return err_set(api_err(error), fork_errno, "fork: %s", strerror(fork_errno));
    }
    while ((n = (int)read(fd[0], &e, sizeof e)) < 0 && errno == EINTR) {}
    close(fd[0]);
    if (n != (int)sizeof e) {
        *pid = child_pid;
        return 0;
    }
    while (waitpid(child_pid, NULL, 0) < 0 && errno == EINTR) {}
    if (error) memcpy(error, &e, sizeof e);
    return -e.code;
}
