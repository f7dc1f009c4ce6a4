#!/bin/bash
# run.sh [SECONDS [TARGET ...]]: builds the fuzz targets with clang and libFuzzer and runs each; inputs that fail are left in
# build-fuzz/found. What new inputs teach is kept in build-fuzz/corpus; tests/fuzz/corpus gets only what once failed.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
root=$(cd "$here/../.." && pwd)
seconds=${1:-60}
shift
build=$root/build-fuzz
have clang || { skip fuzz "no clang"; exit 0; }
[ -e "$build/build.ninja" ] && meson setup --reconfigure "$build" >/dev/null ||
    CC=clang meson setup "$build" -Dfuzz=true -Dhardened=false -Dstatic_user=false -Dbuildtype=release >/dev/null || exit 1
[ $# -gt 0 ] || set -- insn_riscv64 insn_riscv32 insn_aarch64 elf gdb_packet ir_text qcow2 dev
ninja -j"$J" -C "$build" "${@/#/tests/fuzz/fuzz_}" >"$build/log" 2>&1 || { tail -20 "$build/log"; fail fuzz/build; exit 1; }
bad=0
for t; do
    mkdir -p "$build/corpus/$t" "$build/found"
    # LeakSanitizer does not look into the memory that the engine maps itself, and takes what only that points to for lost
    leaks=1
    case $t in insn_* | elf) leaks=0 ;; esac
    # (the option keeps libFuzzer from looking after every input, the variable LeakSanitizer at the end)
    if ASAN_OPTIONS=detect_leaks=$leaks "$build/tests/fuzz/fuzz_$t" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 \
        -detect_leaks=$leaks -print_final_stats=1 -artifact_prefix="$build/found/$t-" "$build/corpus/$t" "$here/corpus/${t%%_*}" >"$build/$t.log" 2>&1; then
        pass "fuzz/$t $(sed -n 's/^stat::number_of_executed_units: */inputs /p' "$build/$t.log")"
    else
        fail "fuzz/$t" "$(grep -m1 -E 'ERROR|does not hold|runtime error' "$build/$t.log"), see build-fuzz/$t.log"
        bad=1
    fi
done
exit $bad
