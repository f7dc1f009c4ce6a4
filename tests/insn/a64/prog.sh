#!/bin/sh
# prog.sh LYRE FILE.c [lyre options]: a C program that checks itself (exit 0), in both executors. Exit 77: no cross compiler.
lyre=$1 file=$2
shift 2
command -v aarch64-linux-gnu-gcc >/dev/null || { echo "aarch64-linux-gnu-gcc is not installed"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
aarch64-linux-gnu-gcc -O1 -Wall -static -o "$dir/prog" "$file" || exit 1
"$lyre" "$@" "$dir/prog" && "$lyre" -accel interp "$@" "$dir/prog"
