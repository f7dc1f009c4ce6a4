#!/bin/sh
# run.sh LYRE TEST.S [emulator options]: assembles a test, runs it and compares registers with the "# name = value" lines at its head.
# 77: no cross compiler.
lyre=$1 src=$2
shift 2
command -v riscv64-linux-gnu-gcc >/dev/null || { echo "no riscv64-linux-gnu-gcc"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
riscv64-linux-gnu-gcc -march=rv64gcv -nostdlib -static -I "$(dirname "$src")" -include "$(dirname "$src")/dump.inc" \
    -x assembler-with-cpp -o "$dir/test" "$src" || exit 1
check() {
    od -An -v -tx8 -w8 "$dir/out" | awk -v src="$src" '
        BEGIN {
            n = split("zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6 " \
                      "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 " \
                      "fs10 fs11 ft8 ft9 ft10 ft11", name, " ")
        }
        { got[name[NR]] = "0x" $1 }
        END {
            while ((getline line < src) > 0)
                if (split(line, w, " ") == 4 && w[1] == "#" && w[3] == "=") {
                    wanted++
                    if (got[w[2]] != w[4]) { print src ": " w[2] " = " got[w[2]] ", not " w[4]; bad++ }
                }
            if (!wanted) print src ": nothing is expected"
            exit bad || !wanted
        }'
}
for accel in jit,warmup=0 jit,warmup=100 interp; do
    "$lyre" -accel $accel "$@" "$dir/test" >"$dir/out" || { echo "exit $? with -accel $accel"; exit 1; }
    check || { echo "with -accel $accel"; exit 1; }
done
