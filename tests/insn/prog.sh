#!/bin/sh
# prog.sh ARCH LYRE FILE.c [lyre options]: a C program that checks itself (exit 0), in all executors. A line " * cflags: ..." of its
# header comment goes to the compiler. Exit 77: no cross compiler.
gcc=$1-linux-gnu-gcc
[ "$1" != i386 ] || gcc=i686-linux-gnu-gcc
lyre=$2 file=$3
shift 3
command -v $gcc >/dev/null || { echo "$gcc is not installed"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
$gcc -O1 -Wall -static $(sed -n 's/^ \* cflags: //p' "$file") -o "$dir/prog" "$file" || exit 1
for accel in jit,warmup=0 jit,warmup=100 interp; do
    "$lyre" -accel $accel "$@" "$dir/prog" || { echo "with -accel $accel"; exit 1; }
done
