#!/bin/bash
# robust_test.sh BUILD [--full|--sample]: the programs of robust/: memory model, code that changes, signals, precise faults, threads
# and forks, random code, broken ELF files, eviction from the code cache. Each prints "ok" or what went wrong.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")/robust" && pwd)
build=$(realpath "$1")
full=
sample=
[ "$2" = --full ] && full=1
[ "$2" = --sample ] && sample=1 # what is run under a sanitizer
# AddressSanitizer's allocator is not ready for the child of a threaded process, and keeps memory that was freed.
alone=
LC_ALL=C grep -q __asan_init "$build/lyre" && alone=alone
tmpdir
# pick DEFAULT FULL
pick() { [ -n "$full" ] && echo "$2" || { [ -n "$sample" ] && [ -n "$1" ] && echo $((($1 + 9) / 10)) || echo "$1"; }; }
# ok NAME SECONDS CMD...: exit status 0, and "ok" is all it says
ok() {
    local name=$1 limit=$2 out rc
    shift 2
    out=$(timeout -k 1 "$limit" "$@" </dev/null 2>&1)
    rc=$?
    if [ $rc = 0 ] && [ "$out" = ok ]; then
        pass "$name"
    else
        fail "$name" "exit $rc"
        echo "$out" | head -12 | sed 's/^/    /'
    fi
}
# random_code NAME LYRE-COMMAND... SEED N: no child of randcode dies without the emulator's knowledge
random_code() {
    local name=$1
    shift
    rm -f "$TMP/log" "$TMP/deaths"
    set -- "${@:1:$#-2}" "$TMP/randcode" "${@: -2}" "$TMP/deaths"
    timeout -k 1 600 "$1" -strace -D "$TMP/log" "${@:2}" >"$TMP/out" 2>&1 </dev/null
    local rc=$? unknown
    # abort() is a signal to oneself, which the log has as a call
    unknown=$(sed -E 's/^([0-9]+) tgkill\([0-9]+, [0-9]+, (SIG[A-Z0-9]+)\) = \?$/\1 +++ killed by \2 +++/' "$TMP/log" | grep -vxFf - "$TMP/deaths")
    # what random code makes the C library say is not looked at
    if [ $rc = 0 ] && [ "$(tail -n 1 "$TMP/out" | tail -c 3)" = ok ] && [ -z "$unknown" ] && ! grep -aq 'internal error' "$TMP/log" "$TMP/out"; then
        pass "$name"
    else
        fail "$name" "exit $rc"
        { cat "$TMP/out"; echo "$unknown"; grep -a 'internal error' "$TMP/log"
            [ -z "$unknown" ] || grep -a "^${unknown%% *} " "$TMP/log" | tail -8; } | head -20 | sed 's/^/    /'
    fi
}
${HOST_CC:-cc} -O1 -w "$here/elfmut.c" -o "$TMP/elfmut" || fail robust/elfmut "does not compile"
# without a libc nobody but the emulator can abort
cat >"$TMP/bare.c" <<'END'
int data = 7, bss[5000];
__thread int tls = 3;
#ifdef __riscv
#define EXIT "li a7, 93\n ecall"
register long a0 __asm__("a0");
#else
#define EXIT "mov x8, #93\n svc #0"
register long a0 __asm__("x0");
#endif
void _start(void)
{
    bss[4000] = data;
    a0 = bss[4000];
    __asm__ volatile(EXIT : : "r"(a0));
    __builtin_trap();
}
END
for guest in riscv64 aarch64; do
    CC=$(cc_of $guest) && have "$CC" || { skip "robust/$guest" "no cross compiler"; continue; }
    [ -e "$build/lyre-$guest" ] || ln -s lyre "$build/lyre-$guest"
    lyre=$build/lyre-$guest
    for f in litmus tear smc signals faults calls threads fresh randcode; do
        $CC -O2 -w -static -pthread "$here/$f.c" -o "$TMP/$f" -lm -lrt || fail "robust/$guest/$f" "does not compile"
    done
    for accel in jit interp; do
        p=robust/$guest/$accel
        run=("$lyre" -accel $accel)
        [ $accel = jit ] && k=1 || k=10
        ok $p/litmus 300 "${run[@]}" "$TMP/litmus" $(($(pick 100000 1000000) / k))
        ok $p/tearing 300 "${run[@]}" "$TMP/tear" $(pick 20000 200000)
        ok $p/changing-code 300 "${run[@]}" "$TMP/smc" $(($(pick 2000 20000) / k))
        ok $p/signals 300 "${run[@]}" "$TMP/signals" $(pick 500 10000)
        ok $p/faults 120 "${run[@]}" "$TMP/faults"
        ok $p/calls 120 "${run[@]}" "$TMP/calls" $(pick 40000 400000)
        ok $p/threads 300 "${run[@]}" "$TMP/threads" $(($(pick 2000 10000) / k)) $alone
        for seed in 1 2 $(pick "" "3 4 5 6 7 8"); do
            random_code $p/random-code-$seed "${run[@]}" $seed $(pick 2000 12500)
        done
    done
    # a code cache of 1 MiB: some 200 evictions; the interpreter fills it to the last byte
    ok robust/$guest/small-cache-interp 300 "$lyre" -accel interp -tb-size 1 "$TMP/fresh" $(pick 20000 200000) 4 400
    p=robust/$guest/small-cache
    ok $p/one-thread 120 "$lyre" -tb-size 1 "$TMP/fresh" $(pick 100000 1000000) 1 100
    ok $p/four-threads 300 "$lyre" -tb-size 1 "$TMP/fresh" $(pick 50000 500000) 4 150
    ok $p/changing-code 120 "$lyre" -tb-size 1 "$TMP/smc" 1000
    ok $p/signals 120 "$lyre" -tb-size 1 "$TMP/signals" 300
    ok $p/calls 120 "$lyre" -tb-size 1 "$TMP/calls" 40000
    ok $p/threads 300 "$lyre" -tb-size 1 "$TMP/threads" 500 $alone
    $CC -Os -w -static -nostdlib -ffreestanding "$TMP/bare.c" -o "$TMP/bare" || fail "robust/$guest/bare" "does not compile"
    n=$(pick 500 3000)
    ok robust/$guest/elf-mutants 600 "$TMP/elfmut" "$lyre" "$TMP/bare" $n 1
    # a program with an interpreter, and a mutant as interpreter
    for i in "" .mutant; do
        $CC -Os -w -fPIE -pie -nostdlib -ffreestanding -Wl,--dynamic-linker="$TMP/bare$i" "$TMP/bare.c" -o "$TMP/dyn$i" ||
            fail "robust/$guest/dyn$i" "does not compile"
    done
    ok robust/$guest/elf-mutants-dynamic 600 "$TMP/elfmut" "$lyre" "$TMP/dyn" $((n / 2)) 200000
    ok robust/$guest/elf-mutants-interpreter 600 "$TMP/elfmut" "$lyre" "$TMP/bare" $((n / 2)) 300000 "$TMP/dyn.mutant"
    # the same by the static emulator, other mutants
    [ -e "$build/lyre-user" ] && ln -sf "$build/lyre-user" "$TMP/lyre-$guest" &&
        ok robust/$guest/elf-mutants-static 600 "$TMP/elfmut" "$TMP/lyre-$guest" "$TMP/bare" $((n / 2)) 100000
done
