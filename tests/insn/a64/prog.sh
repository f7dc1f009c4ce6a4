#!/bin/sh
# prog.sh LYRE FILE.c [lyre options]: a C program that checks itself (exit 0), in all executors. A line " * cflags: ..." of its
# header comment goes to the compiler. Exit 77: no cross compiler.
lyre=$1 file=$2
shift 2
command -v aarch64-linux-gnu-gcc >/dev/null || { echo "aarch64-linux-gnu-gcc is not installed"; exit 77; }
flags=$(sed -n 's/^ \* cflags: //p' "$file")
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
aarch64-linux-gnu-gcc -O1 -Wall -static $flags -o "$dir/prog" "$file" || exit 1
for accel in jit,warmup=0 jit,warmup=100 interp; do
    "$lyre" -accel $accel "$@" "$dir/prog" || { echo "with -accel $accel"; exit 1; }
done
