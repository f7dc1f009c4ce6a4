/* linux_frame.h: what linux.c and linux_frame.c share. */
#ifndef LYRE_GUEST_X86_LINUX_FRAME_H
#define LYRE_GUEST_X86_LINUX_FRAME_H

#include "cpu/guest_linux.h"
#include "x86.h"

/* Selectors of programs. */
enum {
    USER64_CS = 0x33, USER_DS = 0x2b, USER32_CS64 = 0x23, /* of a 64-bit kernel */
    USER32_CS = 0x73, USER32_DS = 0x7b,                   /* of a 32-bit one */
};

int x86_sig_setup64(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn);
int x86_sig_setup32(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn);
int x86_sig_return64(CPU *cpu, uint64_t mask[2], uint64_t alt[3]);
int x86_sig_return32(CPU *cpu, uint64_t mask[2], uint64_t alt[3]);
int x86_old_sig_return(CPU *cpu, uint64_t mask[2], uint64_t alt[3]);
size_t x86_min_sigstack(const CPU *cpu);

#endif
