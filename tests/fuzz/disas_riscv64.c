#define FUZZ_GUEST "riscv64"
#include "disas.h"
