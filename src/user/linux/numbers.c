/* numbers.c: system call numbers of the ABIs that have their own, as rows of sys.def and legacy.def. */
#include "user/linux/user.h"

/* Entry n is NR_* + 1; 0 = none. */
#define NR(n, name) [n] = (NR_##name) + 1,
static const uint16_t x86_64[] = {
#include "user/linux/numbers_x86_64.def"
};
static const uint16_t i386[] = {
#include "user/linux/numbers_i386.def"
};
#undef NR

/* Numbers of generic 32-bit ABIs that stand for another row. */
#define ROW_P(nr, name, fl, ...)
#define ROW_H(nr, name, fl, ...)
#define ROW_N(nr, name, fl, ...)
#define ROW_ALIAS(nr, name, of) [nr - 403] = of,
static const uint16_t time64[] = {
#include "user/linux/sys.def"
};
#undef ROW_P
#undef ROW_H
#undef ROW_N

/* Rows of the generic ABIs that are there, and those not for 32-bit ones. */
enum { HAS = 1, ONLY64 = 2, GENERIC_ROWS = 453 };
#define ROW_P(nr, name, fl, ...) [nr] = HAS | ((fl) & SF_64 ? ONLY64 : 0),
#define ROW_H(nr, name, fl, ...) [nr] = HAS | ((fl) & SF_64 ? ONLY64 : 0),
#define ROW_N(nr, name, fl, ...) [nr] = HAS | ((fl) & SF_64 ? ONLY64 : 0),
static const uint8_t generic[GENERIC_ROWS] = {
#include "user/linux/sys.def"
};

int sys_number(const struct proc *p, uint64_t nr)
{
    switch (p->lnx->abi) {
    case LINUX_ABI_X86_64: return nr < ARRAY_LEN(x86_64) ? x86_64[nr] - 1 : -1;
    case LINUX_ABI_I386: return nr < ARRAY_LEN(i386) ? i386[nr] - 1 : -1;
    default: break;
    }
    if (nr >= 403 && nr < 403 + ARRAY_LEN(time64)) return p->word == 4 && time64[nr - 403] ? time64[nr - 403] : -1;
    if (nr >= GENERIC_ROWS || !generic[nr]) return -1;
    return generic[nr] & ONLY64 && p->word == 4 ? -1 : (int)nr;
}
