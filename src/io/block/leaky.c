/* leaky.c: limits of how much goes through in a time. */
#include "io/block/leaky.h"

#include <stdio.h>

enum { NS = 1000000000, PARTS = 10 }; /* PARTS: a bucket without a maximum holds a second's worth / PARTS */

const char *const leaky_names[LEAKY_KINDS] = { "bps-total", "bps-read", "bps-write", "iops-total", "iops-read", "iops-write" };

int leaky_check(const struct leaky_config *c, struct err *e)
{
    for (unsigned i = 0; i < LEAKY_KINDS; i += 3) {
        bool total = c->rate[i].avg, either = c->rate[i + 1].avg || c->rate[i + 2].avg;
        bool total_max = c->rate[i].max, either_max = c->rate[i + 1].max || c->rate[i + 2].max;
        if ((total && either) || (total_max && either_max))
            return err_set(e, EINVAL, "bps/iops/max total values and read/write values cannot be used at the same time");
    }
    for (unsigned i = 0; i < LEAKY_KINDS; i++) {
        const uint64_t avg = c->rate[i].avg, max = c->rate[i].max, length = c->rate[i].length;
        if (avg >> LEAKY_MAX_SHIFT || max >> LEAKY_MAX_SHIFT)
            return err_set(e, EINVAL, "bps/iops/max values must be within [0, %llu]", (1ull << LEAKY_MAX_SHIFT) - 1);
        if (max && !avg) return err_set(e, EINVAL, "bps_max/iops_max require corresponding bps/iops values");
        if (max && max < avg) return err_set(e, EINVAL, "bps_max/iops_max cannot be lower than bps/iops");
        if (length > 1 && !max) return err_set(e, EINVAL, "burst length set without burst rate");
        if (max && length > (1ull << LEAKY_MAX_SHIFT) / max) return err_set(e, EINVAL, "burst length too high for this burst rate");
    }
    if (c->op_size && !c->rate[LEAKY_IOPS].avg && !c->rate[LEAKY_IOPS_RD].avg && !c->rate[LEAKY_IOPS_WR].avg)
        return err_set(e, EINVAL, "iops size requires an iops value to be set");
    return 0;
}

void leaky_set(struct leaky *l, const struct leaky_config *c)
{
    *l = (struct leaky){ .cfg = *c };
}

bool leaky_on(const struct leaky_config *c)
{
    for (unsigned i = 0; i < LEAKY_KINDS; i++)
        if (c->rate[i].avg) return true;
    return false;
}

static uint64_t time_of(uint64_t units, uint64_t rate)
{
    u128 t = (u128)units * NS / rate;
    return t >> 62 ? 1ull << 62 : (uint64_t)t;
}

/* Pours into a bucket that leaks at `rate` and holds `size`: when it is not fuller than that. */
static uint64_t pour(uint64_t *empty, uint64_t units, uint64_t rate, uint64_t size, uint64_t now)
{
    uint64_t room = time_of(size, rate), at;
    if (*empty < now) *empty = now;
    at = *empty > now + room ? *empty - room : now;
    *empty = MIN(*empty + time_of(units, rate), 1ull << 62);
    return at;
}

uint64_t leaky_take(struct leaky *l, bool write, uint64_t bytes, uint64_t now)
{
    const unsigned use[4] = { LEAKY_BPS, write ? LEAKY_BPS_WR : LEAKY_BPS_RD, LEAKY_IOPS, write ? LEAKY_IOPS_WR : LEAKY_IOPS_RD };
    uint64_t ops = l->cfg.op_size ? MAX((bytes + l->cfg.op_size - 1) / l->cfg.op_size, 1u) : 1, at = now;
    for (unsigned i = 0; i < 4; i++) {
        unsigned k = use[i];
        uint64_t avg = l->cfg.rate[k].avg, max = l->cfg.rate[k].max, length = MAX(l->cfg.rate[k].length, 1u), units = k < LEAKY_IOPS ? bytes : ops;
        if (!avg) continue;
        uint64_t ready = pour(&l->at[k].empty, units, avg, max ? max * length : avg / PARTS, now);
        at = MAX(at, ready);
        if (length < 2) continue;
        ready = pour(&l->at[k].burst_empty, units, max, max / PARTS, now);
        at = MAX(at, ready);
    }
    return at;
}
