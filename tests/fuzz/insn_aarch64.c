#define FUZZ_GUEST "aarch64"
#include "insn.h"
