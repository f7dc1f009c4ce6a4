/*
 * run.c: run FD REPEAT PROGRAM [ARGS...]: runs a program, its output passed on once, and writes "user system peak" to a file
 * descriptor: seconds per run, and the largest peak of resident memory in KiB. A small parent on purpose: what a child has
 * of its parent's memory before it calls execve counts as its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    int report = atoi(argv[1]), n = atoi(argv[2]), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    double user = 0, sys = 0;
    long peak = 0;
    fcntl(report, F_SETFD, FD_CLOEXEC);
    for (int i = 0; i < n; i++) {
        pid_t pid = vfork();
        if (pid < 0) return 1;
        if (!pid) {
            if (i) dup2(null, 1);
            execvp(argv[3], argv + 3);
            _exit(127);
        }
        struct rusage u;
        int status;
        if (wait4(pid, &status, 0, &u) < 0 || status) return 1;
        user += seconds(u.ru_utime);
        sys += seconds(u.ru_stime);
        if (u.ru_maxrss > peak) peak = u.ru_maxrss;
    }
    dprintf(report, "%.6f %.6f %ld\n", user / n, sys / n, peak);
    return 0;
}
