#!/bin/sh
# insn.sh LYRE FILE.S: one hand-written test. The header comment of FILE.S has lines " * expect: x0=0x12 nzcv=6 v1=HIGH_LOW ..."
# The body is a function that starts with x0 = a zeroed 4 KiB buffer (64 KiB aligned), all other registers 0, and falls off its
# end; registers are compared then, in all executors. -q instead of LYRE: check the expectations with qemu-aarch64.
# " * cpu: MODEL..." lists models instead of the default; " * not: qemu" marks what an installed QEMU does otherwise.
# Exit 77: no cross compiler.
lyre=$1 file=$2 here=$(dirname "$0")
command -v aarch64-linux-gnu-gcc >/dev/null || { echo "aarch64-linux-gnu-gcc is not installed"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
sed -n 's/^ \* expect: *//p' "$file" | tr ' ' '\n' | grep . | sed 's/\(.*\)=\(.*\)/{ "\1", "\2" },/' >"$dir/expect.h"
[ -s "$dir/expect.h" ] || { echo "$file: no 'expect:' line"; exit 1; }
aarch64-linux-gnu-gcc -O1 -static -march=armv8.6-a+sve -I"$dir" -I"$here" -o "$dir/run" "$here/insn_run.c" "$file" || exit 1
if [ "$lyre" = -q ]; then
    grep -q '^ \* not: qemu' "$file" || qemu-aarch64 -cpu max "$dir/run"
    exit
fi
for cpu in $(sed -n 's/^ \* cpu: *//p' "$file" | grep . || echo max); do
    for accel in jit,warmup=0 jit,warmup=100 interp; do
        "$lyre" -cpu "$cpu" -accel $accel "$dir/run" || { echo "with -cpu $cpu -accel $accel"; exit 1; }
    done
done
