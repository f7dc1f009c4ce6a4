#!/bin/bash
# gdb_test.sh BUILD: the gdb stub with an unmodified gdb-multiarch in batch mode, and with raw packets (gdb_raw.py).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
build=$(realpath "$1")
GDB=${GDB:-gdb-multiarch}
have "$GDB" || { skip gdb "no $GDB"; exit 0; }
tmpdir
cd "$TMP" || exit 1

# session "EMULATOR OPTIONS" "PROGRAM AND ARGUMENTS" [COMMAND...]: runs the program under gdb. Output: gdb.out, guest.out; exit: $status.
# With INTERRUPT=LINE gdb gets SIGINT once the guest has printed LINE.
session() {
    local opts=$1 prog=$2 line guest gdb args=()
    shift 2
    for c in "$@"; do args+=(-ex "$c"); done
    rm -f listen out stdin guest.out
    mkfifo listen out stdin
    sleep 300 >stdin & # keeps the guest's stdin open; ends below
    local holder=$!
    # shellcheck disable=SC2086
    timeout -k 1 120 "$build/lyre-$guest_arch" $opts -g 0 $prog 2>listen >out <stdin &
    guest=$!
    exec 8<listen 9<out
    read -r line <&8
    timeout --foreground 100 "$GDB" -nx -batch -ex 'set confirm off' -ex 'set pagination off' -ex 'set width 0' \
        ${symbols:+-ex "file $symbols"} -ex "target remote ${line##* }" "${args[@]}" >gdb.out 2>&1 &
    gdb=$!
    while read -r line <&9; do
        echo "$line" >>guest.out
        # timeout passes the signal on to gdb, and only to gdb
        [ -n "$INTERRUPT" ] && [ "$line" = "$INTERRUPT" ] && kill -INT $gdb
    done
    { # bash tells of killed children; so it should be here
        wait $gdb
        wait $guest
        status=$?
        kill $holder
        wait $holder
    } 2>/dev/null
    exec 8<&- 9<&-
}
# check NAME FILE REGEX...: each matches a line, one after the other (or further on in the same line)
check() {
    local name=$prefix/$1 file=$2
    shift 2
    if missing=$(awk 'BEGIN { for (n = 1; n < ARGC - 1; n++) { want[n] = ARGV[n]; ARGV[n] = "" } ; i = 1 }
                      { line = $0; while (i < n && match(line, want[i])) { line = substr(line, RSTART + RLENGTH); i++ } }
                      END { if (i < n) { print want[i]; exit 1 } }' "$@" "$file" 2>&1); then
        pass "$name"
    else
        fail "$name" "no '$missing' in: $(tail -n 12 "$file" 2>/dev/null | tr '\n' '|')"
    fi
}
is() { if [ "$2" = "$3" ]; then pass "$prefix/$1"; else fail "$prefix/$1" "$2 instead of $3"; fi; }

static_tests() {
    local p=./prog-$guest_arch o=$1
    symbols=$p
    INTERRUPT=
    session "$o" "$p" 'break leaf' c bt 'info threads' 'thread apply all bt' 'info registers' step next finish 'delete' \
        'break scale' c "p \$$fparg" 'info registers float' finish 'monitor info status' c
    check break gdb.out 'hit Breakpoint 1, leaf \(a=6, b=7\)'
    check backtrace gdb.out '#0  leaf \(a=6, b=7\)' '#1 .* in main \(argc=1'
    check threads gdb.out '\* 1 .*leaf' '2    Thread' '3    Thread' '4    Thread'
    check all-backtraces gdb.out '^Thread 4' 'worker \(arg=0x2\)' '^Thread 3' 'worker \(arg=0x1\)' '^Thread 2' 'worker \(arg=0x0\)' '^Thread 1 '
    check registers gdb.out 'sp  *0x7' 'pc  *0x[0-9a-f]*.*<leaf'
    check step gdb.out 'watched = c;' 'return c \+ 1;' 'Value returned is \$1 = 43'
    check fp-register gdb.out '\$2 = .*[=] ?2[,}]'
    check fp-result gdb.out 'Value returned is \$3 = 3\.33333333'
    check monitor gdb.out "guest $guest_arch, process"
    check exit gdb.out 'exited with code 07'
    is exit-status $status 7
    check output guest.out 'r=43 d=3.333' 'end usr1=0'

    session "$o" "$p" 'break main' c 'watch watched' c 'delete' 'break scale' c 'set can-use-hw-watchpoints 0' 'watch y' c 'kill'
    check watch gdb.out 'watchpoint 2: watched' 'Old value = 0' 'New value = 42'
    check watch-software gdb.out 'Watchpoint 4: y' 'New value = 3$'
    check kill gdb.out 'killed\]'
    is kill-status $status 137

    session "$o" "$p signal" 'break on_usr1' c 'p $_siginfo.si_signo' c bt 'delete' detach
    check signal gdb.out 'received signal SIGUSR1' '\$1 = 10' 'Breakpoint 1, on_usr1 \(sig=10\)' 'signal handler called' 'detached\]'
    check after-detach guest.out 'r=43 d=3.333' 'end usr1=10'
    is after-detach-status $status 7

    session "$o" "$p signal" c 'signal 0'
    check signal-dropped guest.out 'end usr1=0'
    session "$o" "$p" 'break scale' c 'signal SIGUSR1'
    check signal-injected guest.out 'end usr1=10'

    session "$o" "$p crash" c bt 'p $_siginfo._sifields._sigfault.si_addr' c
    check crash gdb.out 'received signal SIGSEGV' 'main \(argc=2' '\(void \*\) 0x8|0x8' 'terminated with signal SIGSEGV'
    is crash-status $status 139

    INTERRUPT=ready
    session "$o" "$p spin" c 'p spins > 0' 'info threads' 'p leaf(3,4)' 'p scale(2)' stepi 'set scheduler-locking on' 'stepi 100' kill
    check interrupt gdb.out 'received signal SIGINT' 'main \(' '\$1 = 1' '4    Thread' '\$2 = 13' '\$3 = 3\.333'
    session "$o" "$p read" c bt kill
    check interrupt-read gdb.out 'received signal SIGINT' 'in main ' 'killed'
    session "$o" "$p sleep" c 'p leaf(5,6)' c
    check interrupt-in-call gdb.out 'received signal SIGINT' '\$1 = 31' 'exited with code 07'
    check call-goes-on guest.out 'ready' 'slept 0' 'end usr1=0'
    INTERRUPT=

    session "$o" "$p fork" 'break leaf' c c
    check fork guest.out 'child 3' 'program 5' 'end usr1=0'
    is fork-status $status 7

    session "$o" "$p leader" 'break ends_alone' c bt c
    check leader-ends-first gdb.out '#0  ends_alone' 'exited normally'
    is leader-status $status 0

    session "$o" "$p" 'break leaf' c 'set var a = 10' 'p $pc' 'p/x *(char(*)[4])$sp' 'set var third = 1.0' 'p $'"$fparg"'x = 0' c
    check write-memory guest.out 'r=71 d=4.000'

    session "$o" "$p" 'break scale' c 'delete' 'stepi 2000' 'p 12345' c
    check stepi gdb.out '\$1 = 12345' 'exited with code 07'
    check stepi-output guest.out 'r=43 d=3.333' 'end usr1=0'
}

dynamic_tests() {
    local p=./dyn-$guest_arch root=/usr/${CC%-gcc}
    [ -e "$root/lib" ] || { skip "$prefix/dynamic" "no $root"; return; }
    symbols=
    session "-L $root" "$p" 'break leaf' c bt 'info sharedlibrary' 'info proc' 'delete' c
    check position-independent gdb.out 'Breakpoint 1, leaf \(a=6, b=7\)' '#1 .* main' 'libc\.so\.6' 'exited with code 07'
}

for guest_arch in ${GDB_GUESTS:-riscv64 aarch64}; do
    CC=$(cc_of $guest_arch)
    have "$CC" || { skip "gdb/$guest_arch" "no $CC"; continue; }
    [ -x "$build/lyre-$guest_arch" ] || { skip "gdb/$guest_arch" "no lyre-$guest_arch in $build"; continue; }
    $CC -g -O0 -static -pthread -o prog-$guest_arch "$here/gdb_threads.c" && $CC -g -O0 -pie -fPIE -pthread -o dyn-$guest_arch "$here/gdb_threads.c" ||
        { fail "gdb/$guest_arch/compile"; continue; }
    case $guest_arch in riscv64) fparg=fa0 ;; *) fparg=d0 ;; esac
    prefix=gdb/$guest_arch
    static_tests ""
    dynamic_tests
    prefix=gdb/$guest_arch-interp
    symbols=./prog-$guest_arch
    session "-accel interp" ./prog-$guest_arch 'break leaf' c 'watch watched' c 'delete' finish c
    check all gdb.out 'Breakpoint 1, leaf' 'New value = 42' 'Value returned is \$1 = 43' 'exited with code 07'
    if have python3; then
        python3 "$here/gdb_raw.py" "$build/lyre-$guest_arch" ./prog-$guest_arch "gdb/$guest_arch/raw"
    else
        skip "gdb/$guest_arch/raw" "no python3"
    fi
done
