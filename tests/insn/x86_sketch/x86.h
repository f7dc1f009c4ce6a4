/* x86.h: the hand-written part of the sketch: prefixes, modrm, displacement, immediates; text as of objdump -M intel. */
#ifndef X86_SKETCH_H
#define X86_SKETCH_H

#include "cpu/isa_text.h"
#include "x86_gen.h"

enum { X86_LOCK = 1, X86_66 = 2, X86_67 = 4 };

struct x86_insn {
    const struct x86_form *form;
    bool mode64, vex;
    uint8_t len, opcode, prefixes, rep, seg, rex; /* rep: F3, F2 or 0; rex: 4x, 0 if absent; VEX sets its bits too */
    uint8_t pp, L, vvvv;
    uint8_t osize, asize;                         /* bits */
    uint8_t mod, reg, rm, base, index, scale;     /* reg, rm, base, index with their REX bits; 0xff: none, 0xfe: rip */
    bool has_disp;
    int32_t disp;
    uint64_t imm[2];                              /* in operand order */
};

/* The form's row; -1: undefined or not in the table, -2: more than avail bytes are needed. */
int x86_decode(const uint8_t *p, size_t avail, bool mode64, struct x86_insn *d);
void x86_print(struct isa_text *o, const struct x86_insn *d, uint64_t pc);

#endif
