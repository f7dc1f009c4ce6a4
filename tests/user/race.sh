#!/bin/bash
# race.sh GUEST BUILD [--full]: threads of the guest under an emulator built with -Db_sanitize=thread. Generated code is not
# instrumented: what is checked is the emulator's own C (code cache, chaining, requests to leave, signals, futexes) and, with
# -accel interp, the interpreter. No fork: ThreadSanitizer does not follow locks into the child of a threaded process.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")/robust" && pwd)
guest=$1
lyre=$(realpath "$2")/lyre-$1
k=1
[ "$3" = --full ] && k=10
tmpdir
CC=$(cc_of "$guest") && have "$CC" || { skip "race/$guest" "no cross compiler"; exit 0; }
# the program's memory, and what it does with it, is its own affair
export TSAN_OPTIONS=halt_on_error=0:handle_segv=0:handle_sigbus=0:history_size=4
race() {
    local name=race/$guest/$1 rc
    shift
    timeout -k 1 600 "$lyre" "$@" >"$TMP/out" 2>&1 </dev/null
    rc=$?
    if [ $rc = 0 ] && [ "$(cat "$TMP/out")" = ok ]; then
        pass "$name"
    else
        fail "$name" "exit $rc, $(grep -c 'WARNING: ThreadSanitizer' "$TMP/out") races"
        grep -m5 SUMMARY "$TMP/out"
    fi
}
for f in litmus tear smc signals threads fresh; do
    $CC -O2 -w -static -pthread "$here/$f.c" -o "$TMP/$f" -lm -lrt || fail "race/$guest/$f" "does not compile"
done
for accel in jit interp; do
    race $accel/tearing -accel $accel "$TMP/tear" $((200 * k))
    race $accel/changing-code -accel $accel "$TMP/smc" $((50 * k))
    # seldom enough that a handler ends before the next signal: they nest, and the guest's stack is not endless
    race $accel/signals -accel $accel "$TMP/signals" $((500 * k)) 2000000
    race $accel/threads -accel $accel "$TMP/threads" $((100 * k)) alone
    race $accel/small-cache -accel $accel -tb-size 1 "$TMP/fresh" $((3000 * k)) 4 400 alone
done
race jit/litmus "$TMP/litmus" $((5000 * k))
