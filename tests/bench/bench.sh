#!/bin/bash
# bench.sh BUILD [-n ROUNDS] [-g GUEST] [PROGRAM...]: user time of each benchmark under lyre as a ratio to native and to the
# installed qemu-GUEST, medians of interleaved runs. Programs: tests/bench/prog, compiled statically for the guest and
# natively with the same options.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
build=$(realpath "$1")
shift
have python3 || { echo "bench: python3 is needed"; exit 1; }
out=$LYRE_CACHE/bench
mkdir -p "$out"
sh "$here/prog/once.sh" > "$out/once.c"
gcc -O2 -o "$out/run" "$here/run.c" || exit 1
for arch in native riscv64 aarch64; do
    cc=$(cc_of $arch || echo gcc)
    have "$cc" || continue
    for f in "$here"/prog/*.c "$out/once.c"; do
        n=$(basename "$f" .c)
        [ "$out/$arch-$n" -nt "$f" ] && continue
        case $n in matmul | simd) o=-O3 ;; once) o=-O1 ;; *) o=-O2 ;; esac
        $cc $o -w -static -I"$here/prog" -o "$out/$arch-$n" "$f" -lm || exit 1
    done
    # no libc at all: the cost of starting
    case $arch in
    native) body='mov $60,%eax; xor %edi,%edi; syscall' ;;
    riscv64) body='li a7,93; li a0,0; ecall' ;;
    aarch64) body='mov x8,#93; mov x0,#0; svc #0' ;;
    esac
    [ -e "$out/$arch-exit" ] || echo ".globl _start
_start: $body" | $cc -x assembler - -nostdlib -static -o "$out/$arch-exit"
done
exec python3 "$here/bench.py" "$out" "$build" "$@"
