/* A bytecode interpreter with a switch: the shape of most language run-times. */
#include "bench.h"
enum { PUSH, ADD, SUB, MUL, DUP, SWAP, LT, JZ, JMP, LOAD, STORE, MOD, XOR, HALT };
static int64_t run(const int *code)
{
    int64_t st[64], var[16] = { 0 };
    int sp = 0;
    for (int pc = 0;;) {
        switch (code[pc++]) {
        case PUSH: st[sp++] = code[pc++]; break;
        case ADD: sp--; st[sp - 1] += st[sp]; break;
        case SUB: sp--; st[sp - 1] -= st[sp]; break;
        case MUL: sp--; st[sp - 1] *= st[sp]; break;
        case DUP: st[sp] = st[sp - 1]; sp++; break;
        case SWAP: { int64_t t = st[sp - 1]; st[sp - 1] = st[sp - 2]; st[sp - 2] = t; break; }
        case LT: sp--; st[sp - 1] = st[sp - 1] < st[sp]; break;
        case JZ: pc = st[--sp] ? pc + 1 : code[pc]; break;
        case JMP: pc = code[pc]; break;
        case LOAD: st[sp++] = var[code[pc++]]; break;
        case STORE: var[code[pc++]] = st[--sp]; break;
        case MOD: sp--; st[sp - 1] = (int64_t)((uint64_t)st[sp - 1] % (uint64_t)st[sp]); break;
        case XOR: sp--; st[sp - 1] ^= st[sp]; break;
        case HALT: return var[1];
        }
    }
}
int main(int argc, char **argv)
{
    int n = (int)rounds(argc, argv, 8000000);
    const int code[] = { PUSH, 0, STORE, 0, PUSH, 1, STORE, 1, LOAD, 0, PUSH, n, LT, JZ, 37, LOAD, 1, PUSH, 31, MUL, LOAD, 0,
                         XOR, PUSH, 0x7fffffff, MOD, STORE, 1, LOAD, 0, PUSH, 1, ADD, STORE, 0, JMP, 8, HALT };
    printf("%lld\n", (long long)run(code));
    return 0;
}
