#!/bin/bash
# aarch64_test.sh BUILD [NAME...]: privileged AArch64 programs (tests/system/aarch64/NAME.c with start.S and bare.c) on our board
# virt, interpreted and translated. What they print is compared with NAME.out, which the installed QEMU printed; QEMU=1 runs
# that again instead of ours. A program says in its first lines what it needs:  CPU opts, SMP n, SEMI on (it ends by semihosting), MACHINE opts of QEMU's virt.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)/aarch64
build=$1
shift
CC=aarch64-linux-gnu-gcc
have $CC || { skip aarch64-priv "no cross compiler"; exit 0; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
says() { sed -n "1,6s/.*\<$1 \([^ *:]*\).*/\1/p" "$2" | head -1; }
check() { # NAME EXPECTED COMMAND...
    timeout -k 1 "${T_LIMIT:-30}" "${@:3}" </dev/null 2>"$T/err" | tr -d '\r' >"$T/out"
    local rc=${PIPESTATUS[0]}
    if [ "$rc" = 0 ] && cmp -s "$2" "$T/out"; then
        echo "PASS $1"
    else
        echo "FAIL $1 exit $rc $(diff "$2" "$T/out" | head -4 | tr '\n' ' ') $(head -c 200 "$T/err")"
    fi
}
for src in "$here"/*.c; do
    name=$(basename "$src" .c)
    [ -e "$here/$name.out" ] || continue
    [ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
    $CC -O1 -march=armv8.5-a -mgeneral-regs-only -mstrict-align -ffreestanding -fno-pic -static -nostdlib -fno-stack-protector \
        -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments -T "$here/bare.ld" -o "$T/$name" "$here/start.S" "$here/bare.c" "$src" \
        2>"$T/log" || { echo "FAIL aarch64-$name $(head -3 "$T/log")"; continue; }
    cpu=$(says CPU "$src") smp=$(says SMP "$src") machine=$(says MACHINE "$src")
    board="-M virt${machine:+,$machine} ${smp:+-smp $smp} -nodefaults -serial stdio -display none $([ -n "$(says SEMI "$src")" ] && echo -semihosting)"
    if [ -n "${QEMU:-}" ]; then
        check qemu-aarch64-$name "$here/$name.out" qemu-system-aarch64 -cpu max $board -kernel "$T/$name"
        continue
    fi
    for accel in interp jit jit,warmup=0; do
        check aarch64-$name-${accel/,*/-direct} "$here/$name.out" "$build/lyre-system-aarch64" -accel $accel -cpu max${cpu:+,$cpu} $board -kernel "$T/$name"
    done
done
