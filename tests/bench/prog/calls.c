/* Plain recursion: calls and returns. */
#include "bench.h"
static __attribute__((noinline)) unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static __attribute__((noinline)) unsigned ack(unsigned m, unsigned n)
{
    return m == 0 ? n + 1 : n == 0 ? ack(m - 1, 1) : ack(m - 1, ack(m, n - 1));
}
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 39);
    printf("%u %u\n", fib(n), ack(2, n * 30));
    return 0;
}
