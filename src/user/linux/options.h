/* options.h: what the command line of user mode selects; filled by bin/ from the table in options.c. */
#ifndef LYRE_USER_LINUX_OPTIONS_H
#define LYRE_USER_LINUX_OPTIONS_H

#include "base/base.h"

struct guest;

struct user_options {
    const struct guest *guest;
    const char *role;          /* "lyre-riscv64": for messages and re-execution */
    const char *prefix, *cpu, *argv0, *uname, *gdb, *accel, *log_items, *log_file, *dfilter, *set_env, *unset_env, *seed;
    const char *plugin, *trace;
    uint64_t stack_size, guest_base, reserved, page_size, opt_mask, tb_size;
    int exec_fd;               /* program already open (execveat), -1 = none */
    int self_fd;               /* this emulator's file, already open, where /proc may be missing; -1 = none */
    bool strace, one_insn, stats, help, version;
    /* effects of -E and -U in the order given: "+NAME=VALUE" or "-NAME" */
    const char **env_edit;
    unsigned nenv_edit;
    uint32_t env_cap;
    char **argv;               /* the program and its arguments */
    char **envp;
};

/* Defaults, then environment, then argv: returns the index of the first argument that is no option, or -errno. */
int options_parse(struct user_options *o, int argc, char **argv, char **envp, struct err *e);
void options_help(const struct user_options *o);
/* The words that give a re-executed emulator the same options; NULL-terminated, malloc'ed. */
char **options_words(const struct user_options *o, unsigned *n);
/* Environment after -E and -U, without what is the emulator's own. */
char **options_environ(const struct user_options *o, char **envp);

/* Runs the program to its end; returns the exit status only if it could not be started. */
int user_main(struct user_options *o);

#endif
