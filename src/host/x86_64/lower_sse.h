/*
 * lower_sse.h: what lower_fp.c and lower_vec*.c share.
 *
 * A cold path skips the code between its jump and the place it returns to. Registers are therefore allocated (use_*,
 * tmp_*, def_*) before the first such jump: the allocator may emit stores that must not be skipped.
 */
#ifndef LYRE_X86_64_LOWER_SSE_H
#define LYRE_X86_64_LOWER_SSE_H

#include "host/x86_64/asm_sse.h"

/* Has the host arithmetic in this type (F16 wants AVX512-FP16)? */
bool fp_host_type(const struct gen *g, unsigned type);
/* Rounding modes that the host has. */
bool fp_host_rm(unsigned rm);
/* Compares the dynamic rounding mode with a static one. Returns the end of the jump taken if they differ; NULL if
 * RM_DYN. */
uint8_t *fp_static_rm(struct gen *g, unsigned rm);
/* A packed-single opcode (X_ADDPS ...) in the form of a type, scalar or packed. */
unsigned fp_op(unsigned op, unsigned type, bool vec);
/* d = a rounded to integral, halves away from zero; no inexact. |a| < 2^52 (F32: 2^23). d is not a; t, u: scratch. */
void fp_round_away(struct gen *g, unsigned type, bool vec, unsigned d, unsigned a, unsigned t, unsigned u);
/*
 * Flushing denormals (lower_fz.c): can the host compute in this type; the operation with its checks (from: operands' type;
 * false as lower_fp's); the end of the jump taken if a or b is denormal.
 */
bool fz_host(const struct gen *g, unsigned type);
bool fz_arith(struct gen *g, V v, const struct ir_ins *in, unsigned from, unsigned type, bool vec, unsigned op,
              unsigned rm);
uint8_t *fz_denormal(struct gen *g, unsigned type, bool vec, unsigned a, unsigned b);
/* XR_* of a mode that the host has. */
unsigned fp_round_imm(unsigned rm);
extern const uint8_t lane_log[]; /* log2 of a lane's bytes, by enum ir_lane */
/* AVX-512 with VL, BW and DQ. */
bool has_avx512(void);
/* The one instruction that a V* operation is for lanes of 1 << lg bytes on this host; 0 = none. */
unsigned vec_op(unsigned op, unsigned lg);

/* lower_vecmove.c, lower_vecfp.c: parts of lower_vec. */
bool lower_vec_move(struct gen *g, V v, const struct ir_ins *in);
bool lower_vec_fp(struct gen *g, V v, const struct ir_ins *in);

#endif
