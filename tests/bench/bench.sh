#!/bin/bash
# bench.sh BUILD [-n ROUNDS] [-g GUEST[,GUEST]] [-c] [-w FILE] [ROW...]: user time of each benchmark under lyre as a ratio to
# native and to the installed qemu-GUEST, medians of interleaved runs; -c also compares with the targets and fails below
# them; -w puts the table in the place of the one in FILE.
# docs/performance.md says what the rows are. This script makes the programs, in $LYRE_CACHE/bench; bench.py runs them.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
build=$(realpath "$1")
shift
have python3 || { echo "bench: python3 is needed"; exit 1; }
out=$LYRE_CACHE/bench
mkdir -p "$out"
sh "$here/prog/once.sh" > "$out/once.c.new"
cmp -s "$out/once.c" "$out/once.c.new" || cp "$out/once.c.new" "$out/once.c"
gcc -O2 -o "$out/run" "$here/run.c" || exit 1
stale() { # FILE SOURCE
    [ "$1" -nt "$2" ] && [ "$1" -nt "$here/bench.sh" ] && [ "$1" -nt "$here/prog/bench.h" ] && return 1
    return 0
}

# Debian's own programs, the same release for this machine and for both guests. The compiler is the one for the guest
# everywhere (a cross compiler natively), so that all do the same work.
packages="lua5.4 sqlite3 openssl libstb-dev"
debian() { # NAME ARCH PACKAGE...: $out/root-NAME, or none
    local name=$1 arch=$2 root
    shift 2
    root=$("$here/../fetch.sh" "$arch:trixie" $packages "$@") && ln -sfn "$root" "$out/root-$name" || rm -f "$out/root-$name"
}
debian native amd64 cpp-14-riscv64-linux-gnu cpp-14-aarch64-linux-gnu
debian riscv64 riscv64 cpp-14-riscv64-linux-gnu
debian aarch64 arm64 cpp-14-aarch64-linux-gnu
[ -e "$out/zeros" ] || head -c 64000000 /dev/zero > "$out/zeros"

# RISC-V vector code: gcc 12 does not vectorise for it, gcc 14 (of the packages above) does.
rvv() { # SOURCE OUTPUT
    local lib=$out/root-native/usr/lib/x86_64-linux-gnu cc1=$out/root-native/usr/libexec/gcc-cross/riscv64-linux-gnu/14/cc1
    [ -e "$cc1" ] || return
    riscv64-linux-gnu-gcc -E -P -I"$here/prog" -o "$out/rvv.i" "$1" &&
        "$out"/root-native/usr/lib64/ld-linux-x86-64.so.2 --library-path "$lib" "$cc1" -quiet -w -fpreprocessed -O3 \
            -march=rv64gcv -mabi=lp64d -o "$out/rvv.s" "$out/rvv.i" &&
        riscv64-linux-gnu-gcc -march=rv64gcv -static -o "$2" "$out/rvv.s"
}
for arch in native riscv64 aarch64; do
    cc=$(cc_of $arch || echo gcc)
    have "$cc" || continue
    for f in "$here"/prog/*.c "$out/once.c"; do
        n=$(basename "$f" .c)
        stale "$out/$arch-$n" "$f" || continue
        o=-O2
        case $n in
        matmul | simd)
            o=-O3
            $cc -O3 -fno-tree-vectorize -w -static -I"$here/prog" -o "$out/$arch-$n-scalar" "$f" || exit 1
            [ $arch = riscv64 ] && { rvv "$f" "$out/$arch-$n" || exit 1; continue; } ;;
        once) o=-O1 ;;
        esac
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
    [ $arch = native ] && continue
    # what the compiler row compiles, and how many instructions the code of `once` has
    [ -e "$out/root-native" ] &&
        $cc -E -P -I"$out/root-native/usr/include" -o "$out/$arch-compile.i" "$here/prog/compile/image.c"
    ${cc%gcc}objdump -d --no-show-raw-insn "$out/$arch-once" | awk '
        /^[0-9a-f]+ <.*>:$/ { in_it = $2 ~ /^<(f[0-9]+|main)>:$/ }
        in_it && /^ +[0-9a-f]+:/ { n++ }
        END { print n }' > "$out/$arch-once.count"
done
exec python3 "$here/bench.py" "$out" "$build" "$@"
