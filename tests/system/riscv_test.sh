#!/bin/bash
# riscv_test.sh BUILD [NAME...]: privileged RISC-V programs (tests/system/riscv/*.S) on our board virt, under each accelerator. With
# QEMU=1 the installed qemu-system-riscv64 and -riscv32 run them instead; they see QEMU defined then, for the few things that it does not
# do as the manual says. A program says in its first lines what it needs:
#   ONLY 64|32     one word size               CPU opts      more for -cpu of ours
#   NOQEMU why     not for the installed QEMU  QCPU opts     more for -cpu of QEMU's
#   SEMI on        semihosting
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
build=$1
shift
CC=riscv64-linux-gnu-gcc
have $CC || { skip riscv-priv "no cross compiler"; exit 0; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
says() { sed -n "1,8s/.*\<$1 \([^*]*[^* ]\).*/\1/p" "$2" | head -1; }
run() { # NAME COMMAND...
    timeout -k 1 "${T_LIMIT:-20}" "${@:2}" </dev/null >"$T/out" 2>&1
    local rc=$?
    if [ $rc = 0 ]; then echo "PASS $1"; else echo "FAIL $1 exit $rc $(head -c 200 "$T/out")"; fi
}
for src in "$here"/riscv/*.S; do
    name=$(basename "$src" .S)
    [ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
    for x in 64 32; do
        only=$(says ONLY "$src")
        [ -z "$only" ] || [ "$only" = $x ] || continue
        abi=lp64 extra=
        [ $x = 32 ] && abi=ilp32
        $CC -march=rv${x}imafdc_zicsr_zifencei -mabi=$abi ${QEMU:+-DQEMU} -nostdlib -nostartfiles -static -fno-pic -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments \
            -Wl,-m,elf${x}lriscv -T "$here/riscv/link.ld" -o "$T/$name" "$src" 2>"$T/log" || { echo "FAIL riscv$x-$name $(head -3 "$T/log")"; continue; }
        if [ -n "${QEMU:-}" ]; then
            why=$(says NOQEMU "$src")
            [ -n "$why" ] && { echo "SKIP qemu-riscv$x-$name $why"; continue; }
            extra=$(says QCPU "$src")
            run qemu-riscv$x-$name qemu-system-riscv$x -M virt -m 64 -cpu rv$x${extra:+,$extra} -bios none -kernel "$T/$name" -nographic -monitor none -serial file:"$T/serial" $([ -n "$(says SEMI "$src")" ] && echo -semihosting)
            continue
        fi
        extra=$(says CPU "$src")
        for accel in interp jit jit,warmup=0; do
            run riscv$x-$name-${accel/,*/-direct} "$build/lyre-system-riscv$x" -M virt -m 64 -cpu max${extra:+,$extra} -accel $accel -bios none \
                -kernel "$T/$name" -nographic -semihosting
        done
    done
done
