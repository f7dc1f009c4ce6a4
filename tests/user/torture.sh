#!/bin/bash
# torture.sh GUEST OPT EVERY BUILD [EMULATOR-ARGS...]: GCC's own C torture programs (gcc.c-torture/execute, from Debian's
# gcc-12-source), compiled statically for GUEST and run under BUILD/lyre-GUEST. EVERY=n takes every n-th program.
# With QEMU=1 the installed qemu-GUEST runs them instead; ONLY=REGEX takes the sets or programs whose name matches; T_LIMIT=SECONDS
# is the time of each.
. "$(dirname "$0")/../lib.sh"
guest=$1 opt=$2 every=$3 build=$4
shift 4
name="torture-$guest$opt${*:+ $*}"
CC=$(cc_of "$guest") && have "$CC" || { skip "$name" "no cross compiler"; exit 0; }
ls /usr/src/gcc-12/gcc-12.*.tar.xz >/dev/null 2>&1 || { skip "$name" "gcc-12-source is not installed"; exit 0; }
src=$LYRE_CACHE/gcc-testsuite
if [ ! -e "$src/.complete" ]; then
    mkdir -p "$src"
    tar xf /usr/src/gcc-12/gcc-12.*.tar.xz -C "$src" --strip-components=1 --wildcards 'gcc-*/gcc/testsuite/gcc.c-torture/*' &&
        : > "$src/.complete" || { skip "$name" "cannot unpack"; exit 0; }
fi
T=$src/gcc/testsuite/gcc.c-torture/execute
build_one() { # leaves the program, or NAME.no with the reason
    f=$1 o=$out/$(basename "$1" .c)
    case $f in */ieee/*) o=$out/ieee_$(basename "$f" .c) ieee=-fno-inline ;; esac # as its ieee.exp does
    [ -e "$o" ] || [ -e "$o.no" ] && return
    grep -q 'dg-do *\(compile\|link\|preprocess\)' "$f" && { echo "not to be run" >"$o.no"; return; }
    flags=$(sed -nE 's/.*\{ *dg-(additional-)?options *(\{ *)?"([^"]*)" *\}.*/\3/p' "$f" | tr '\n' ' ')
    log=$($CC -pipe "$opt" -w -static -s ${ieee:-} $flags -o "$o.tmp$$" "$f" -lm 2>&1) && mv "$o.tmp$$" "$o" && return
    grep -m1 -oE 'error: .*|undefined reference.*' <<<"$log" >"$o.no" || echo "does not compile" >"$o.no"
}
run_one() { # PROGRAM EMULATOR...
    [ -e "$1" ] || { echo "SKIP $NAME/$(basename "$1") $(cat "$1.no")"; return; }
    # the guest's own output is not of interest, its exit status is
    timeout -k 1 "${T_LIMIT:-60}" "${@:2}" "$1" >/dev/null 2>&1 </dev/null
    r=$?
    if [ $r = 0 ]; then
        echo "PASS $NAME/$(basename "$1")"
        return
    fi
    # a program that fails in the same way elsewhere was compiled to fail (930529-1 at -O3)
    # (a time-out stays a failure: two programs that run long need not hang for the same reason)
    if [ $r != 124 ] && [ -z "${QEMU:-}" ] && command -v "$PEER" >/dev/null; then
        timeout -k 1 "${T_LIMIT:-60}" $PEER "$1" >/dev/null 2>&1 </dev/null
        [ $? = $r ] && echo "SKIP $NAME/$(basename "$1") exit $r, as under $PEER" && return
    fi
    echo "FAIL $NAME/$(basename "$1") exit $r"
}
# Another compiler or other flags: built again.
out=$LYRE_CACHE/torture-$guest$opt-$({ $CC --version; declare -f build_one; } | cksum | cut -d' ' -f1)
mkdir -p "$out"
export -f build_one run_one
export CC opt out
[[ $name/ =~ ${ONLY:-.} ]] && ONLY=.
list=$(ls "$T"/*.c "$T"/ieee/*.c | awk "NR % $every == 1 % $every" | grep -E "$ONLY") ||
    { skip "$name" "no program's name matches $ONLY"; exit 0; }
echo "$list" | xargs -d '\n' -P "$J" -I{} bash -c 'build_one "$1"' _ {}
if [ -n "${QEMU:-}" ]; then set -- "qemu-$guest"; else set -- "$build/lyre-$guest" "$@"; fi
export NAME="$name" PEER="qemu-$guest"
echo "$list" | while IFS= read -r f; do
    o=$out/$(basename "$f" .c)
    case $f in */ieee/*) o=$out/ieee_$(basename "$f" .c) ;; esac
    echo "$o"
done | xargs -d '\n' -P "$J" -I{} bash -c 'run_one "$@"' _ {} "$@"
