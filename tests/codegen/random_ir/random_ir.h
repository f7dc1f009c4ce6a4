/*
 * random_ir.h: random IR programs, for comparing executors: a plain evaluator of the IR as written (ref.c), and each
 * host back end on the IR as written and optimised.
 */
#ifndef LYRE_RANDOM_IR_H
#define LYRE_RANDOM_IR_H

#include "cpu/host.h"

/* The guest of these programs: registers of every type. */
struct rcpu {
    CPU c;
    uint64_t x[16];            /* x[15] counts down loops */
    uint32_t w[4];
    uint64_t d[6];
    union vlanes v[6];
    uint32_t s[4];
    uint16_t h[2], i16[2];
    uint8_t i8[2], flag[4];
};
enum { R_LOOP = 15, R_FLAG = 20 /* f0 */ };
extern const struct ir_reg rregs[];
extern const uint32_t rnregs;

/* Guest memory: DATA bytes at DATA_AT, nothing for a page on either side. */
enum { DATA_AT = 0x11000, DATA = 0x2000 };

/* How a run ended, and all it left behind. */
struct outcome {
    struct rcpu cpu;           /* cpu.c.v = &v */
    struct vcpu v;
    uint8_t mem[DATA];
    enum cpu_exc exc;
    uint32_t exc_code;
    uint64_t fault_addr;
    bool endless;              /* gave up (a program the reducer has broken) */
    bool any_addr;             /* the fault may tell any address of the access */
};

struct rng { uint64_t s; };
static inline uint64_t rnd(struct rng *r)
{
    uint64_t z = r->s += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
static inline uint32_t below(struct rng *r, uint32_t n)
{
    return (uint32_t)((rnd(r) >> 32) * n >> 32);
}
static inline bool chance(struct rng *r, uint32_t percent)
{
    return below(r, 100) < percent;
}
/* A value of a type that is likely to matter. */
uint64_t rnd_value(struct rng *r, enum ir_type t);

/* gen.c: a program into *ir; ops: how much code. */
void gen_program(struct rng *r, struct ir *ir, unsigned ops);
/* ref.c: runs it on *o (cpu and mem are the state before). */
void ref_run(const struct ir *ir, struct outcome *o);

#endif
