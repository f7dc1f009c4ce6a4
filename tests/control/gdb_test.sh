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

    session "$o" "$p" 'break main' c 'rwatch third' 'awatch watched' c bt c bt 'delete' c
    check watch-access gdb.out 'access \(read/write\) watchpoint 3: watched' 'Old value = 0' 'New value = 42' '#0 .*leaf' \
        'read watchpoint 2: third' 'Value = 0.333' '#0 .*scale' 'exited with code 07'

    session "$o" "$p signal" 'break on_usr1' c 'p $_siginfo.si_signo' c bt 'delete' detach
    check signal gdb.out 'received signal SIGUSR1' '\$1 = 10' 'Breakpoint 1, on_usr1 \(sig=10\)' 'signal handler called' 'detached\]'
    check after-detach guest.out 'r=43 d=3.333' 'end usr1=10'
    is after-detach-status $status 7

    session "$o" "$p signal" 'handle SIGUSR1 nostop noprint pass' c
    check signal-passed gdb.out 'exited with code 07'
    check signal-passed-output guest.out 'end usr1=10'
    grep -q 'received signal SIGUSR1' gdb.out && fail "$prefix/signal-passed-silently"

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

    session "$o" "$p exec" 'break leaf' c bt 'catch exec' c 'info breakpoints' c bt 'info threads' 'thread apply all p own' finish c
    check exec gdb.out 'leaf \(a=1, b=1\)' "exec'd .*prog-$guest_arch" 'already hit' 'leaf \(a=6, b=7\)' 'main \(argc=2' '4    Thread' \
        'Thread 4' '= 102' 'Thread 3' '= 101' 'Thread 2' '= 100' 'Thread 1' '= 1$' 'Value returned is .* = 43' 'exited with code 07'
    check exec-output guest.out 'r=43 d=3.333' 'end usr1=0'
    is exec-status $status 7

    session "$o" "$p" 'break leaf' c 'catch syscall write' c c 'delete' c
    case $guest_arch in # gdb itself has no catch syscall for RISC-V; gdb_raw.py asks the stub
    riscv64) ;;
    *) check catch-syscall gdb.out 'call to syscall write' 'returned from syscall write' 'exited with code 07' ;;
    esac

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
    session "-L $root" "$p" 'break leaf' c bt 'info sharedlibrary' 'info proc' 'p own' 'p (int)errno' 'delete' c
    check position-independent gdb.out 'Breakpoint 1, leaf \(a=6, b=7\)' '#1 .* main' 'libc\.so\.6' '= 1$' '= [0-9]+$' 'exited with code 07'
    session "-L $root" "$p" 'break main' c 'info proc' 'info proc mappings' kill
    check proc gdb.out "exe = '.*dyn-$guest_arch'" "r-xp .*dyn-$guest_arch" '\[stack\]' 'libc\.so\.6'
    grep -q lyrebird-code gdb.out && fail "$prefix/proc-emulator" "mappings of the emulator are shown"
    session "-L $root" "$p exec" 'break main' c 'catch exec' c 'info sharedlibrary' c bt c
    check exec-dynamic gdb.out 'main \(argc=2' "exec'd" 'ld-linux' 'main \(argc=2' '#0  main' 'exited with code 07'
}

for guest_arch in ${GDB_GUESTS:-riscv64 aarch64}; do
    CC=$(cc_of $guest_arch)
    have "$CC" || { skip "gdb/$guest_arch" "no $CC"; continue; }
    [ -x "$build/lyre-$guest_arch" ] || { skip "gdb/$guest_arch" "no lyre-$guest_arch in $build"; continue; }
    # return addresses are signed where the compiler knows how
    case $guest_arch in aarch64) signed=-mbranch-protection=standard ;; *) signed= ;; esac
    $CC -g -O0 $signed -static -pthread -o prog-$guest_arch "$here/gdb_threads.c" && $CC -g -O0 $signed -pie -fPIE -pthread -o dyn-$guest_arch "$here/gdb_threads.c" ||
        { fail "gdb/$guest_arch/compile"; continue; }
    case $guest_arch in riscv64) fparg=fa0 ;; *) fparg=d0 ;; esac
    prefix=gdb/$guest_arch
    static_tests ""
    dynamic_tests
    symbols=./prog-$guest_arch
    if [ $guest_arch = riscv64 ]; then
        session "-cpu max,vlen=512" ./prog-riscv64 'set var $v3.w[15] = 77' 'p $v3' 'p $v2' 'p/x $vlenb' 'info registers csr' c
        check wide-vectors gdb.out '64 times|<repeats 63|<repeats 60' 'w = \{.*77\}' 'w = \{0 <repeats 16 times>\}' '= 0x40' 'vtype' 'exited with code 07'
    else
        session "-cpu max" ./prog-aarch64 'p/x $pauth_cmask' 'break leaf' c 'x/i main' 'p/x *(long *)($fp + 8) == (long)$lr' bt 'delete' c
        check pointer-authentication gdb.out '= 0x7f000000000000' 'paciasp' 'main \(argc=1' 'exited with code 07'
        session "-cpu cortex-a53" ./prog-aarch64 'p $pauth_cmask' 'break leaf' c bt kill
        check no-pointer-authentication gdb.out '= void' 'main \(argc=1'
    fi
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
