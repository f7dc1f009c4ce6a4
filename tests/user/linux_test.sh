#!/bin/bash
# linux_test.sh BUILD: Linux user mode: the guest programs beside this file, static and dynamic, JIT and interpreter; the
# command line; malformed programs; exit codes.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$1")
# AddressSanitizer has the low addresses for itself
asan=$(LC_ALL=C grep -q __asan_init "$build/lyre" && echo 1)
tmpdir
run() { timeout -k 1 120 "$@" </dev/null; }
# expect NAME STATUS CMD...: the exit status; output is shown when it differs
expect() {
    local name=$1 want=$2 out
    shift 2
    out=$(run "$@" 2>&1)
    local rc=$?
    [ $rc = "$want" ] && pass "$name" || { fail "$name" "exit $rc, not $want"; echo "$out" | head -20 | sed 's/^/    /'; }
}
# says NAME TEXT CMD...: TEXT is in the output
says() {
    local name=$1 want=$2 out
    shift 2
    out=$(run "$@" 2>&1)
    case $out in *"$want"*) pass "$name" ;; *) fail "$name" "no '$want'"; echo "$out" | head -5 | sed 's/^/    /' ;; esac
}
# The x86 guests: the ABI's programs. Addresses of 32-bit guests are not the host's: "based", as with -B.
for guest in i386 x86_64; do
    CC=$(cc_of $guest) && have "$CC" || { skip "user/$guest" "no compiler"; continue; }
    [ -e "$build/lyre-$guest" ] || ln -s lyre "$build/lyre-$guest"
    lyre=$build/lyre-$guest root=/ based=
    [ $guest = i386 ] && root=/usr/i686-linux-gnu based=based
    for f in "$here"/abi_*.c "$here"/storm.c; do
        b=$(basename "$f" .c)
        $CC -D_FILE_OFFSET_BITS=64 -O1 -w -static -pthread "$f" -o "$TMP/$b" -lutil -lrt &&
            $CC -D_FILE_OFFSET_BITS=64 -O1 -w -pthread "$f" -o "$TMP/$b.dyn" -lutil -lrt || { fail "user/$guest/$b" "does not compile"; continue; }
        expect "user/$guest/$b" 0 "$lyre" "$TMP/$b" $based
        expect "user/$guest/$b/interp" 0 "$lyre" -accel interp "$TMP/$b" $based
        # the linker's own library: the host's cache of libraries can name another version of it
        expect "user/$guest/$b/dynamic" 0 "$lyre" -L "$root" ${based:+-E LD_LIBRARY_PATH=$root/lib} "$TMP/$b.dyn" $based
    done
done
for guest in riscv64 aarch64; do
    CC=$(cc_of $guest) && have "$CC" || { skip "user/$guest" "no cross compiler"; continue; }
    [ -e "$build/lyre-$guest" ] || ln -s lyre "$build/lyre-$guest"
    lyre=$build/lyre-$guest
    root=/usr/$guest-linux-gnu
    for f in "$here"/abi_*.c "$here"/storm.c; do
        b=$(basename "$f" .c)
        $CC -O1 -w -static -pthread "$f" -o "$TMP/$b" -lutil -lrt && $CC -O1 -w -pthread "$f" -o "$TMP/$b.dyn" -lutil -lrt ||
            { fail "user/$guest/$b" "does not compile"; continue; }
        expect "user/$guest/$b" 0 "$lyre" "$TMP/$b"
        expect "user/$guest/$b/interp" 0 "$lyre" -accel interp "$TMP/$b"
        expect "user/$guest/$b/dynamic" 0 "$lyre" -L "$root" "$TMP/$b.dyn"
        # at another host address than its own, and in a space of its own
        expect "user/$guest/$b/-B" 0 "$lyre" -B 0x200000000000 "$TMP/$b" based
        expect "user/$guest/$b/-R/interp" 0 "$lyre" -R 8G -accel interp "$TMP/$b" based
    done
    if [ $guest = riscv64 ]; then
        [ -e "$build/lyre-riscv32" ] || ln -s lyre "$build/lyre-riscv32"
        $CC -march=rv32imac -mabi=ilp32 -O1 -w -static -nostdlib -ffreestanding -Wl,--no-relax "$here/abi32.c" -o "$TMP/abi32" &&
            expect user/riscv32/abi32 0 "$build/lyre-riscv32" "$TMP/abi32" q &&
            expect user/riscv32/abi32/interp 0 "$build/lyre-riscv32" -accel interp "$TMP/abi32" q &&
            for o in "-B 0" "-B 0x200000000000" "-R 512M" "-accel interp -B 0"; do
                [[ $o = *"-B 0" && -n $asan ]] && continue
                expect "user/riscv32/abi32/$o" 0 "$build/lyre-riscv32" $o "$TMP/abi32" q
            done
        printf 'int d = 9;void _start(void){register long n __asm__("a7")=93,c __asm__("a0")=d;__asm__ volatile("ecall"::"r"(n),"r"(c));}' >"$TMP/pie.c"
        $CC -march=rv32imac -mabi=ilp32 -O1 -w -static-pie -fpie -nostdlib -Wl,--no-relax,--no-dynamic-linker "$TMP/pie.c" -o "$TMP/pie32" &&
            expect user/riscv32/position-independent 9 "$build/lyre-riscv32" "$TMP/pie32"
    fi
    printf '#include <stdio.h>\n#include <stdlib.h>\nint main(int c,char**v){printf("%%s|%%s|%%s\\n",v[0],c>1?v[1]:"",getenv("A")?getenv("A"):"unset");return 7;}' >"$TMP/args.c"
    $CC -static "$TMP/args.c" -o "$TMP/args"
    p=user/$guest/options
    expect $p/exit-status 7 "$lyre" "$TMP/args"
    says $p/argv "$TMP/args|x|unset" "$lyre" "$TMP/args" x
    says $p/-0 "zero|x|" "$lyre" -0 zero "$TMP/args" x
    says $p/-E "|v|w" "$lyre" -E A=w "$TMP/args" v
    says $p/-U "||unset" env A=1 "$lyre" -U A "$TMP/args"
    says $p/QEMU_SET_ENV "||5" env QEMU_SET_ENV=A=5 "$lyre" "$TMP/args"
    says $p/strace "write(1, " "$lyre" -strace "$TMP/args"
    printf '#include <stdlib.h>\nint main(int c,char**v){if(c>1)abort();*(volatile int*)0=0;}' >"$TMP/die.c"
    $CC -w -static "$TMP/die.c" -o "$TMP/die"
    says $p/strace-fault "+++ killed by SIGSEGV +++" "$lyre" -strace "$TMP/die"
    says $p/strace-abort "SIGABRT) = ?" "$lyre" -strace "$TMP/die" x
    says $p/cpu-help "max" "$lyre" -cpu help
    says $p/help "QEMU_LD_PREFIX" "$lyre" -h
    says $p/d-help "in_asm" "$lyre" -d help x
    says $p/unknown-option "unknown option" "$lyre" -nonsense x
    says $p/stats "regions" "$lyre" -stats "$TMP/args"
    says $p/by-file "|y|" "$build/lyre" "$TMP/args" y
    says $p/by-word "|y|" "$build/lyre" $guest "$TMP/args" y
    says $p/-B-in-use "address space" "$lyre" -B 12 "$TMP/args"
    says $p/-R-too-large "at most" "$lyre" -R 0x10000000000000 "$TMP/args"
    entry=$(od -An -t x8 -j 24 -N 8 "$TMP/args" | tr -d ' ')
    lines=$(run "$lyre" -d in_asm -dfilter "0x$entry+4" "$TMP/args" 2>&1 | grep -c '^ *0x')
    [ "$lines" = 1 ] && pass $p/dfilter || fail $p/dfilter "$lines lines for one instruction"
    says $p/dfilter-bad "should be" "$lyre" -d in_asm -dfilter 1..x "$TMP/args"
    says $p/trace "trace event 'nothing' does not exist" "$lyre" -trace nothing "$TMP/args"
    expect $p/one-insn 7 "$lyre" -one-insn-per-tb "$TMP/args"
    [ -e "$build/lyre-user" ] && says $p/static-emulator "|y|" "$build/lyre-user" "$TMP/args" y
    says $p/binfmt "lyre-$guest:M::" "$build/lyre" binfmt register --print --flags PF $guest

    # what options and their variables change for the guest, also after execve
    p=user/$guest/effect
    cat >"$TMP/effect.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct utsname u;
    unsigned long lo, hi;
    char line[512];
    FILE *f = fopen("/proc/self/maps", "r");
    if (argc == 2) execl(argv[1], argv[1], (char *)0);
    uname(&u);
    printf("%s release %s page %lu ", argv[0], u.release, getauxval(AT_PAGESZ));
    while (fgets(line, sizeof line, f))
        if (strstr(line, "[stack]") && sscanf(line, "%lx-%lx", &lo, &hi) == 2) printf("stack %lu ", (hi - lo) >> 20);
    printf("inner %d\n", access("/inner", F_OK) == 0);
    return 0;
}
END
    $CC -O1 -w -static "$TMP/effect.c" -o "$TMP/effect" || fail $p "does not compile"
    mkdir -p "$TMP/prefix" && : >"$TMP/prefix/inner"
    for again in "" "$TMP/effect"; do
        n=${again:+/execve}
        says $p/-r$n "release 9.8.7" "$lyre" -r 9.8.7 "$TMP/effect" $again
        says $p/-s$n "stack 24" "$lyre" -s 24M "$TMP/effect" $again
        says $p/-L$n "inner 1" "$lyre" -L "$TMP/prefix" "$TMP/effect" $again
        says $p/-p$n "page 16384" "$lyre" -p 16384 "$TMP/effect" $again
        says $p/QEMU_UNAME$n "release 4.3" env QEMU_UNAME=4.3 "$lyre" "$TMP/effect" $again
        says $p/QEMU_STACK_SIZE$n "stack 12" env QEMU_STACK_SIZE=12M "$lyre" "$TMP/effect" $again
        says $p/QEMU_LD_PREFIX$n "inner 1" env QEMU_LD_PREFIX="$TMP/prefix" "$lyre" "$TMP/effect" $again
        says $p/QEMU_STRACE$n "uname(" env QEMU_STRACE=1 "$lyre" "$TMP/effect" $again
    done
    says $p/QEMU_ARGV0 "other release" env QEMU_ARGV0=other "$lyre" "$TMP/effect"
    says $p/QEMU_CPU "no-such" env QEMU_CPU=no-such "$lyre" "$TMP/effect"
    run "$lyre" -D "$TMP/log-%d" -strace "$TMP/effect" >/dev/null 2>&1
    grep -q "uname(" "$TMP"/log-[0-9]* && pass $p/-D || fail $p/-D
    rm -f "$TMP"/log-*
    says $p/QEMU_LOG "uname(" env QEMU_LOG=strace "$lyre" "$TMP/effect"
    if unshare -Urm true 2>/dev/null; then # without -L: /etc/qemu-binfmt/ARCH
        says $p/default-prefix "inner 1" unshare -Urm sh -c "mount -t tmpfs none /etc && mkdir -p /etc/qemu-binfmt &&
            ln -s '$TMP/prefix' /etc/qemu-binfmt/$guest && exec '$lyre' '$TMP/effect'"
    fi

    # as the kernel's interpreter (a binfmt_misc of a namespace's own), and in a root that has nothing but the program
    printf '#include <stdio.h>\n#include <unistd.h>\nint main(int c,char**v){printf("%%s %%d\\n",v[0],c);fflush(stdout);if(c>4)return 3;execl("args","again","x","x","x","x",(char*)0);return 1;}' >"$TMP/exec.c"
    mkdir -p "$TMP/root"
    $CC -O1 -w -static "$TMP/exec.c" -o "$TMP/root/args"
    p=user/$guest/binfmt
    private="mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc"
    if unshare -Urm sh -c "$private" 2>/dev/null; then
        for flags in F PF POCF OC ""; do
            case $flags in *P*) zero=zero ;; *) zero=$TMP/root/args ;; esac
            out=$(cd "$TMP/root" && run unshare -Urm bash -c "$private && $build/lyre binfmt register --flags '$flags' $guest &&
                (exec -a zero ./args); echo \$?; $build/lyre binfmt unregister; $build/lyre binfmt list $guest" 2>&1)
            # without P the name is lost: the path stands for it
            [ "$(echo $out)" = "$zero 1 again 5 3 $guest not registered" ] && pass $p/$flags || { fail $p/$flags; echo "$out"; }
        done
    else
        skip $p "no binfmt_misc in a user namespace"
    fi
    if [ -e "$build/lyre-user" ] && unshare -Ur true 2>/dev/null; then
        cp "$build/lyre-user" "$TMP/root"
        says user/$guest/chroot "again 5" unshare -Ur chroot "$TMP/root" /lyre-user args
        expect user/$guest/chroot/status 3 unshare -Ur chroot "$TMP/root" /lyre-user args
    else
        skip user/$guest/chroot "no user namespaces"
    fi

    # a guest that dies by a signal: its core file, as a debugger reads it
    p=user/$guest/core
    cat >"$TMP/crash.c" <<'END'
#include <pthread.h>
#include <unistd.h>
volatile int spin;
double half = 0.5;
static void *worker(void *a) { for (;;) spin++; }
static int crash(int depth) { return depth ? crash(depth - 1) + 1 : (*(volatile int *)8 = 1); }
int main(void) { pthread_t t; pthread_create(&t, 0, worker, 0); while (!spin); return crash(3); }
END
    mkdir -p "$TMP/core" && rm -f "$TMP"/core/*
    $CC -g -O0 -w -static -pthread "$TMP/crash.c" -o "$TMP/crash"
    expect $p/none 139 bash -c "cd '$TMP/core'; ulimit -c 0; exec '$lyre' '$TMP/crash'"
    [ -z "$(ls "$TMP/core")" ] && pass $p/limit || fail $p/limit "$(ls "$TMP/core")"
    says $p/message "uncaught target signal 11" bash -c "cd '$TMP/core'; ulimit -c 100; exec '$lyre' '$TMP/crash'"
    rm -f "$TMP"/core/*
    expect $p/status 139 bash -c "cd '$TMP/core'; ulimit -c unlimited; exec '$lyre' -B 0x200000000000 '$TMP/crash'"
    if have gdb-multiarch; then
        says $p/backtrace "#3 " gdb-multiarch -batch -ex bt "$TMP/crash" "$TMP"/core/*
        says $p/threads "in worker" gdb-multiarch -batch -ex 'thread apply all bt' "$TMP/crash" "$TMP"/core/*
        says $p/memory "= 0.5" gdb-multiarch -batch -ex 'p half' "$TMP/crash" "$TMP"/core/*
    else
        skip $p/backtrace "no gdb-multiarch"
    fi

    # what is no program, or a broken one
    p=user/$guest/malformed
    expect $p/missing 127 "$lyre" "$TMP/nothing"
    expect $p/directory 126 "$lyre" "$TMP"
    expect $p/text 126 "$lyre" "$here/check.h"
    expect $p/host-program 126 "$lyre" /bin/true
    : >"$TMP/empty"
    expect $p/empty 126 "$lyre" "$TMP/empty"
    for n in 4 20 63 64 100 120; do
        head -c $n "$TMP/args" >"$TMP/cut"
        expect $p/cut-$n 126 "$lyre" "$TMP/cut"
    done
    # every byte of the headers set to each of a few values: a message or the guest's own death, never the emulator's
    bad=$(
        size=$(stat -c %s "$TMP/args")
        for off in $(seq 4 8 280) 16 17 18 19 54 55 56 57; do
            for v in 00 01 7f ff; do
                cp "$TMP/args" "$TMP/mut"
                printf "\\x$v" | dd of="$TMP/mut" bs=1 seek=$off conv=notrunc 2>/dev/null
                out=$(run "$lyre" "$TMP/mut" 2>&1)
                rc=$?
                case $rc in
                124 | 137) echo "hang at $off=$v" ;;
                134) echo "abort at $off=$v" ;;
                esac
                case $out in *"internal error"*) echo "crash at $off=$v: $out" ;; esac
            done
        done
    )
    [ -z "$bad" ] && pass $p/mutations || { fail $p/mutations; echo "$bad" | head -5 | sed 's/^/    /'; }
done
