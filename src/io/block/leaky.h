/*
 * leaky.h: limits of how much goes through in a time (QEMU's docs/throttle.txt: average, maximum, how long the maximum may last).
 *
 * A bucket leaks at the average rate; what goes through is poured in, and who finds it fuller than its size waits until it is not. Kept as
 * the time when it will be empty. A request is poured in when it comes, however full the bucket is: those that wait are in order, and
 * nothing has to be asked again. Pure functions of the time that they are given.
 */
#ifndef LYRE_IO_BLOCK_LEAKY_H
#define LYRE_IO_BLOCK_LEAKY_H

#include "base/base.h"

enum leaky_kind { LEAKY_BPS, LEAKY_BPS_RD, LEAKY_BPS_WR, LEAKY_IOPS, LEAKY_IOPS_RD, LEAKY_IOPS_WR, LEAKY_KINDS };
enum { LEAKY_MAX_SHIFT = 50 }; /* rates are below 2^50 */

/* What the user says. avg 0: no limit; max 0: bursts of a tenth of a second's worth; length: seconds that max may last, 0 is 1. */
struct leaky_config {
    struct { uint64_t avg, max, length; } rate[LEAKY_KINDS];
    uint64_t op_size;            /* bytes that count as one operation; 0: any number */
};
struct leaky {
    struct leaky_config cfg;
    struct { uint64_t empty, burst_empty; } at[LEAKY_KINDS]; /* ns */
};

/* "bps-total", "iops-write": the names of QMP. */
extern const char *const leaky_names[LEAKY_KINDS];
int leaky_check(const struct leaky_config *c, struct err *e);
/* Starts with empty buckets. */
void leaky_set(struct leaky *l, const struct leaky_config *c);
bool leaky_on(const struct leaky_config *c);
/* A request at time `now`: it may start at the time that is returned (>= now). */
uint64_t leaky_take(struct leaky *l, bool write, uint64_t bytes, uint64_t now);

#endif
