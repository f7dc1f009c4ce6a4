#!/bin/bash
# run.sh [--full] BUILD: all tests; ends in "N passed, N failed, N skipped". Failures are listed again at the end.
# A long run is taken up again by name: GROUP=REGEX runs the groups whose title matches; ONLY=REGEX is for the tests within
# (make test-full GROUP='debian|torture' ONLY=aarch64).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
full=
[ "$1" = --full ] && { full=1; shift; }
build=$(realpath "$1")
cd "$here/.." || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
start=$SECONDS
# Long lists of passed programs are shown as one line a group.
group() {
    local title=$1 before=$SECONDS out
    shift
    [[ $title =~ ${GROUP:-.} ]] || return
    out=$(mktemp)
    "$@" >"$out" 2>&1
    local rc=$? p f s
    cat "$out" >>"$log"
    p=$(grep -c '^PASS ' "$out") f=$(grep -c '^FAIL ' "$out") s=$(grep -c '^SKIP ' "$out")
    if [ $((p + f + s)) = 0 ]; then
        echo "FAIL $title ran no test (exit $rc)" | tee -a "$log"
        tail -20 "$out"
    else
        printf '%-44s %5d passed %3d failed %3d skipped  %4ds\n' "$title" "$p" "$f" "$s" $((SECONDS - before))
        grep -E '^(FAIL|SKIP) ' "$out" | head -20
    fi
    rm -f "$out"
}
# meson's lines "3/20 unit / ir_opt   OK   0.1s" in our form
meson_tests() {
    meson test -C "$1" --no-rebuild --num-processes "$J" "${@:2}" 2>&1 | awk '
        match($0, /^ *[0-9]+\/[0-9]+ /) {
            line = substr($0, RLENGTH + 1); n = split(line, w, / +/); st = ""
            for (i = 2; i <= n; i++) if (w[i] ~ /^(OK|FAIL|SKIP|TIMEOUT|ERROR|INTERRUPT)$/) { st = w[i]; break }
            name = line; sub(/ +(OK|FAIL|SKIP|TIMEOUT|ERROR|INTERRUPT) .*/, "", name); gsub(/ \/ /, "/", name)
            sub(/^lyrebird:/, "", name); gsub(/ /, "", name)
            if (st == "OK") print "PASS " name; else if (st == "SKIP") print "SKIP " name " (its own reason is in the log)"
            else if (st != "") print "FAIL " name " " st }
        { print "  " $0 }'
}
# sanitizer NAME -Db_sanitize=... TARGETS: builds build-NAME
sanitizer() {
    local dir="$here/../build-$1"
    { meson setup --reconfigure "$dir" || meson setup "$dir" "$2" -Doptimization=1 -Ddebug=true -Dhardened=false -Dstatic_user=false \
        -Db_lundef=false -Dc_args=-Wno-tsan; } >/dev/null 2>&1 || { echo "FAIL $1/setup"; return 1; }
    ninja -j"$J" -C "$dir" ${3:+"$3"} >"$dir/log" 2>&1 || { echo "FAIL $1/build"; tail -5 "$dir/log"; return 1; }
    tools/links.sh "$dir"
}
named() { sed "s/^\(PASS\|FAIL\|SKIP\) /&$1-/"; }
# AddressSanitizer and UndefinedBehaviorSanitizer. No leak check: pages that the engine maps itself are no roots to it, and a
# guest's end is the process's end.
addresses() {
    local dir="$here/../build-asan"
    sanitizer asan -Db_sanitize=address,undefined || return
    export ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigbus=0:allow_user_segv_handler=1:abort_on_error=0:disable_coredump=0
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    meson_tests "$dir" --suite unit --suite fuzz | named asan
    if [ -n "$full" ]; then
        for t in linux_test robust_test; do tests/user/$t.sh "$dir" | named asan; done
        tests/control/gdb_test.sh "$dir" | named asan
    else
        tests/user/robust_test.sh "$dir" --sample | named asan
    fi
    for g in riscv64 aarch64; do
        for accel in jit interp; do tests/user/torture.sh $g -O2 $([ -n "$full" ] && echo 8 || echo 40) "$dir" -accel $accel | named asan; done
    done
}
races() {
    sanitizer tsan -Db_sanitize=thread lyre || return
    for g in riscv64 aarch64; do tests/user/race.sh $g "$here/../build-tsan" ${full:+--full}; done
}
group "source rules" tests/lint/lint.sh
group "unit and instruction tests" meson_tests "$build"
for t in tests/user/*_test.sh tests/control/*_test.sh tests/api/*_test.sh tests/block/*_test.sh tests/system/*_test.sh; do
    of=${t#tests/}
    [ -e "$t" ] && group "${of%_test.sh}" "$t" "$build" ${full:+--full}
done
for g in riscv64 aarch64; do
    if [ -n "$full" ]; then
        for o in -O0 -O2 -O3; do
            group "C torture $g $o" tests/user/torture.sh $g $o 1 "$build" -accel jit,warmup=0
            group "C torture $g $o, interpreter" tests/user/torture.sh $g $o 1 "$build" -accel interp
        done
    else
        group "C torture $g -O2, every 4th" tests/user/torture.sh $g -O2 4 "$build" -accel jit,warmup=0
        group "C torture $g -O2, every 8th, interpreter" tests/user/torture.sh $g -O2 8 "$build" -accel interp
    fi
done
for g in i386 x86_64; do
    if [ -n "$full" ]; then
        for o in -O0 -O2 -O3; do group "C torture $g $o" tests/user/torture.sh $g $o 1 "$build" -accel jit,warmup=0; done
        group "C torture $g -O2, interpreter" tests/user/torture.sh $g -O2 1 "$build" -accel interp
    else
        group "C torture $g -O2, every 8th" tests/user/torture.sh $g -O2 8 "$build" -accel jit,warmup=0
        group "C torture $g -O2, every 16th, interpreter" tests/user/torture.sh $g -O2 16 "$build" -accel interp
    fi
done
group "address, undefined behaviour sanitizers" addresses
group "thread sanitizer" races
p=$(grep -c '^PASS ' "$log") f=$(grep -c '^FAIL ' "$log") s=$(grep -c '^SKIP ' "$log")
[ "$f" = 0 ] || { echo; echo "Failed:"; grep '^FAIL ' "$log"; }
echo "time $((SECONDS - start)) s"
echo "$p passed, $f failed, $s skipped"
[ "$f" = 0 ] && [ "$p" -gt 0 ]
