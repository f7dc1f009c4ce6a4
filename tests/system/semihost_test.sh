#!/bin/bash
# semihost_test.sh BUILD: a bare program that makes all semihosting calls (semi/semi.c), on the boards virt with the console on standard
# streams and on a chardev, and in user mode. QEMU=1: the installed QEMU runs it.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
build=$1
tmpdir
export TMPDIR=$TMP
result() { # NAME STATUS OUTPUT ERRORS: what the program says to both streams
    printf 'output\n' >"$TMP/want.out"
    printf 'error\nc: written\n' >"$TMP/want.err"
    if [ "$2" = 42 ] && cmp -s "$3" "$TMP/want.out" && cmp -s "$4" "$TMP/want.err" ; then
        pass "$1"
    else
        fail "$1" "exit $2 $(head -c 200 "$3" "$4" | tr '\n' ' ')"
    fi
}
for g in riscv64 riscv32 aarch64; do
    case $g in
    aarch64) cc=aarch64-linux-gnu-gcc at=0x40200000 flags="-mgeneral-regs-only -mstrict-align" ;;
    riscv64) cc=riscv64-linux-gnu-gcc at=0x80000000 flags="-march=rv64imac_zicsr -mabi=lp64 -mcmodel=medany" ;;
    riscv32) cc=riscv64-linux-gnu-gcc at=0x80000000 flags="-march=rv32imac_zicsr -mabi=ilp32 -Wl,-m,elf32lriscv" ;;
    esac
    have $cc || { skip "semihost-$g" "no cross compiler"; continue; }
    common="-O1 -ffreestanding -fno-builtin -fno-pic -no-pie -static -nostdlib -fno-stack-protector -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments ${QEMU:+-DQEMU}"
    $cc $flags $common -Wl,-N,-Ttext=$at -o "$TMP/$g" "$here/semi/semi.c" 2>"$TMP/log" && $cc $flags $common -o "$TMP/$g-user" "$here/semi/semi.c" 2>>"$TMP/log" ||
        { fail "semihost-$g" "$(head -3 "$TMP/log")"; continue; }
    system=$build/lyre-system-$g user=$build/lyre-$g
    [ -z "${QEMU:-}" ] || system=qemu-system-$g user=qemu-$g
    bios=none
    [ $g = aarch64 ] && bios=
    machine="-M virt ${bios:+-bios $bios} -cpu max -m 128 -kernel $TMP/$g -display none -serial null -monitor none"
    [ $g = aarch64 ] || machine=${machine/-cpu max/}
    if [ -n "${QEMU:-}" ] || [ -e "$system" ]; then
        [ -n "${QEMU:-}" ] || {
            printf 'abcd\n' | timeout 30 $system $machine -semihosting -append ok >"$TMP/out" 2>"$TMP/err"
            result "semihost-$g-virt" $? "$TMP/out" "$TMP/err"
        }
        printf 'abcd\n' | timeout 30 $system $machine -chardev stdio,id=con -semihosting-config enable=on,target=native,chardev=con,arg=a,arg=ok >"$TMP/all" 2>"$TMP/err"
        rc=$?
        [ "$(cat "$TMP/all")" = $'output\nerror\nc: written' ] && [ $rc = 42 ] && pass "semihost-$g-chardev" || fail "semihost-$g-chardev" "exit $rc $(head -c 300 "$TMP/all" "$TMP/err")"
        # without the option the instruction is what the architecture says: no exit status comes out of it
        timeout 2 $system $machine </dev/null >"$TMP/out" 2>&1
        rc=$?
        [ $rc = 124 ] && pass "semihost-$g-off" || fail "semihost-$g-off" "exit $rc"
    fi
    printf 'abcd\n' | timeout 30 $user "$TMP/$g-user" x ok >"$TMP/out" 2>"$TMP/err"
    result "semihost-$g-user" $? "$TMP/out" "$TMP/err"
    # in user mode a breakpoint alone stays a signal
done
