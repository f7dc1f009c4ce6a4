#define FUZZ_GUEST "riscv32"
#include "insn.h"
