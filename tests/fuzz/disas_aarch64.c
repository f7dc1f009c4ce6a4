#define FUZZ_GUEST "aarch64"
#include "disas.h"
