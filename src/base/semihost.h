/*
 * semihost.h: the calls of semihosting (floor 0), for whole machines and for user mode: files, console, clocks of the host for a bare
 * program. Arm, "Semihosting for AArch32 and AArch64" (2023Q4); the RISC-V semihosting specification is the same with other registers.
 */
#ifndef LYRE_BASE_SEMIHOST_H
#define LYRE_BASE_SEMIHOST_H

#include "base/base.h"

enum { SEMI_FILES = 64, SEMI_COPY_MAX = 64 << 10, SEMI_TRANSFER_MAX = 16 << 20, SEMI_TEXT_MAX = 1 << 20 };

/* Whose program it is; ctx of all of them. */
struct semi_host {
    /* Bytes of the guest's memory, all or none (false: some of it is not there). */
    bool (*copy)(void *ctx, uint64_t addr, void *buf, size_t len, bool write);
    /* What the program says; `error`: by WRITEC, WRITE0, or to a file that is opened as the error stream. */
    void (*console)(void *ctx, const void *buf, size_t len, bool error);
    /* Input: how many bytes came (at least 1); 0: the end; -EAGAIN: none yet. */
    int (*input)(void *ctx, void *buf, size_t len);
    /* heap base and limit, stack base and limit */
    void (*heap)(void *ctx, uint64_t out[4]);
};

struct semi_file {
    uint8_t kind;             /* 0: free */
    int fd;
    uint64_t pos;             /* of ":semihosting-features" */
};
struct semihost {
    const struct semi_host *host;
    void *ctx;
    unsigned word;            /* 4 or 8: of the calls' blocks */
    bool big_endian;
    const char *cmdline;      /* GET_CMDLINE; stays */
    uint64_t start_ns;        /* CLOCK and ELAPSED count from there */
    int error;                /* the last one, as ERRNO tells it */
    int exit_status;
    struct semi_file file[SEMI_FILES];
};

enum semi_result {
    SEMI_DONE,                /* *ret is the result */
    SEMI_EXIT,                /* the program ends with exit_status */
    SEMI_AGAIN                /* it waits for input: make the call again */
};

void semi_init(struct semihost *s);
/* One call: operation and the register behind it. The caller sees to it that calls of one struct do not overlap. */
enum semi_result semi_call(struct semihost *s, uint32_t op, uint64_t arg, uint64_t *ret);
void semi_close(struct semihost *s);

#endif
