/* vdso.h: the shared object that a Linux kernel maps into every process, built in memory for a guest (floor 2). */
#ifndef LYRE_CPU_VDSO_H
#define LYRE_CPU_VDSO_H

#include "base/base.h"

enum { VDSO_BYTES = 4096, VDSO_FN_WORDS = 4, VDSO_FNS_MAX = 15 };

/* A function is a few instruction words: a system call and a return. */
struct vdso_fn {
    const char *name;
    uint32_t code[VDSO_FN_WORDS];
    uint8_t words;
};
struct vdso_desc {
    uint16_t machine;         /* EM_* */
    uint8_t elf_class;        /* 1, 2 */
    uint32_t flags;           /* e_flags */
    const char *version;      /* "LINUX_2.6.39" */
    const struct vdso_fn *fn; /* ended by a NULL name */
};

/* Little-endian ELF headers, System V hash table, versioned dynamic symbols, code; all in one readable and executable segment. */
void vdso_build(uint8_t image[VDSO_BYTES], const struct vdso_desc *d);

#endif
