#!/bin/sh
# Writes a program whose code runs once: many different straight functions.
echo '#include <stdio.h>'
echo 'static volatile unsigned in = 12345;'
i=0
while [ $i -lt 3000 ]; do
    echo "__attribute__((noinline)) static unsigned f$i(unsigned x, unsigned *a) { a[$((i % 61))] += x * $((i * 7 + 3));" \
         "if (x & $((1 << (i % 13)))) x ^= a[$((i % 37))] + $i; else x = (x << $((i % 15 + 1))) - a[$((i % 53))];" \
         "a[$((i % 17))] = x >> 3; return x + (a[$((i % 29))] > x ? $i : x / $((i % 97 + 2))); }"
    i=$((i + 1))
done
echo 'int main(void) { unsigned a[64] = { 0 }, x = in;'
i=0
while [ $i -lt 3000 ]; do echo "x = f$i(x, a);"; i=$((i + 1)); done
printf '%s\n' 'printf("%u\n", x); return 0; }'
