/* options.h: what the command line of user mode selects; filled by api/ from the table in options.c. */
#ifndef LYRE_USER_LINUX_OPTIONS_H
#define LYRE_USER_LINUX_OPTIONS_H

#include "base/base.h"

struct guest;

struct user_options {
    const struct guest *guest;
    const char *emulator;      /* what runs programs of a guest that the program executes; NULL = nothing does */
    const char *prefix, *cpu, *argv0, *uname, *gdb, *accel, *log_items, *log_file, *dfilter, *set_env, *unset_env, *seed;
    const char *plugin, *trace, *limits;
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

void options_init(struct user_options *o);
void options_done(struct user_options *o);
/* Environment, then argv: returns the index of the first argument that is no option, or -errno. */
int options_parse(struct user_options *o, int argc, char **argv, struct err *e);
/* One by its name without the dash; val = NULL if it takes none. */
int options_set(struct user_options *o, const char *name, const char *val, struct err *e);
/* The text of one that takes a text, "" for a flag that is set, else NULL. */
const char *options_get(const struct user_options *o, const char *name);
/* Option number i of the table; false past its end. What has no env, arg or help has NULL there. */
bool options_describe(unsigned i, const char **name, const char **env, const char **arg, const char **help);
/* The words that give a re-executed emulator the same options; NULL-terminated, malloc'ed. */
char **options_words(const struct user_options *o, unsigned *n);
/* Environment after -E and -U, without what is the emulator's own. */
char **options_environ(const struct user_options *o, char **envp);

/* Makes this process that of the program (o->guest, argv, envp are set; *o stays until its end): 0 or -errno, with a sentence
 * if there is more to say than the number. */
int user_load(struct user_options *o, struct err *e);
/* Runs what user_load loaded; its end is the process's. */
_Noreturn void user_run(void);

#endif
