#define FUZZ_GUEST "riscv64"
#include "insn.h"
