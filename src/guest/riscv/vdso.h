/* vdso.h: the vdso images of vdso.c. */
#ifndef LYRE_GUEST_RISCV_VDSO_H
#define LYRE_GUEST_RISCV_VDSO_H

#include <stddef.h>

const void *riscv_vdso64(size_t *size);
const void *riscv_vdso32(size_t *size);

#endif
