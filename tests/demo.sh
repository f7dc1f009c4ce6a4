#!/bin/bash
# demo.sh BUILD: programs of other architectures, then whole machines, with the time each takes beside the same work done natively and, where
# it is installed, under qemu-user. Debian's own riscv64 and arm64 programs are fetched once (about 150 MB each, unpacked
# half a GB); without a network, programs compiled here by the cross compilers are run instead.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
build=$(realpath "$1")
tmpdir
export LC_ALL=C
bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || bold() { printf '\n== %s\n' "$*"; }
# timed LABEL COMMAND...: runs it, shows the last line it prints and the processor time.
timed() {
    local label=$1 rc t TIMEFORMAT='%U %S'
    shift
    t=$({ time "$@" >"$TMP/out" 2>"$TMP/err" </dev/null; echo "rc $?" >"$TMP/rc"; } 2>&1)
    rc=$(cut -d' ' -f2 "$TMP/rc")
    printf '  %-22s %6.2f s   %s\n' "$label" "$(echo "$t" | awk '{ print $1 + $2 }')" \
        "$(if [ "$rc" = 0 ]; then tail -1 "$TMP/out" | cut -c1-60; else echo "failed (exit $rc): $(tail -1 "$TMP/err" | cut -c1-60)"; fi)"
}
# step TITLE PROGRAM ARGS...: natively (if this machine has it), then both guests, then QEMU.
step() {
    local title=$1 g
    shift
    bold "$title"
    if have "$1"; then timed native "$@"; fi
    for g in $guests; do
        timed "$g, Lyrebird" "$build/lyre-$g" -L "${root[$g]}" "${root[$g]}/usr/bin/$1" "${@:2}"
        if have "qemu-$g"; then timed "$g, qemu-user" "qemu-$g" -L "${root[$g]}" "${root[$g]}/usr/bin/$1" "${@:2}"; fi
    done
}
declare -A root
guests=
echo "Lyrebird runs Linux programs of other architectures, and boots their machines."
echo "Times are processor time, user and system."
for g in riscv64 aarch64; do
    printf 'Debian %s programs: fetching (once) ... ' "$(deb_arch $g | tr : ' ')"
    if root[$g]=$("$here/fetch.sh" "$(deb_arch $g)" bash dash coreutils python3 sqlite3 gcc libc6-dev 2>"$TMP/err"); then
        guests="$guests $g"
        echo "in ${root[$g]}"
    else
        echo "not to be had: $(tail -1 "$TMP/err")"
    fi
done
if [ -n "$guests" ]; then
    bold "What they believe they run on"
    for g in $guests; do printf '  %-10s %s\n' $g "$("$build/lyre-$g" -L "${root[$g]}" "${root[$g]}/usr/bin/uname" -sm)"; done
    head -c 40000000 /dev/zero >"$TMP/zeros"
    step "sha256sum of 40 MB" sha256sum "$TMP/zeros"
    step "python3: the 28th Fibonacci number, recursively, and 2^4000's digits" python3 -c '
f = lambda n: n if n < 2 else f(n - 1) + f(n - 2)
print(f(28), len(str(2 ** 4000)))'
    step "sqlite3: 200000 rows, an index, a sum" sqlite3 :memory: 'create table t(a, b); with recursive n(i) as (select 1
        union all select i + 1 from n where i < 200000) insert into t select i, i * 7919 % 200003 from n;
        create index x on t(b); select count(*), sum(a) from t where b between 1000 and 90000;'
    bold "gcc compiles a program; the program runs"
    for g in $guests; do
        timed "$g, gcc -O2" "$build/lyre-$g" -L "${root[$g]}" "${root[$g]}/usr/bin/gcc" -O2 -o "$TMP/sample" "$here/user/debian/sample.c"
        timed "$g, its program" "$build/lyre-$g" -L "${root[$g]}" "$TMP/sample"
    done
else
    echo "No network: only programs compiled here are shown."
fi
bold "A C program compiled here: primes below 20 million, and a 160x160 matrix product, 20 times"
cat >"$TMP/bench.c" <<'C'
#include <stdio.h>
#include <string.h>
static unsigned char s[20000000];
static float a[160][160], b[160][160], c[160][160];
int main(void)
{
    int n = 0;
    for (int i = 2; i < 20000000; i++) {
        if (s[i]) continue;
        n++;
        for (long j = (long)i * i; j < 20000000; j += i) s[j] = 1;
    }
    for (int i = 0; i < 160; i++)
        for (int j = 0; j < 160; j++) a[i][j] = (float)(i + j) / 160, b[i][j] = (float)(i - j) / 160;
    for (int r = 0; r < 20; r++)
        for (int i = 0; i < 160; i++)
            for (int k = 0; k < 160; k++)
                for (int j = 0; j < 160; j++) c[i][j] += a[i][k] * b[k][j];
    printf("%d primes, c[7][9] = %g\n", n, c[7][9]);
    return 0;
}
C
gcc -O2 -ffp-contract=off -o "$TMP/bench" "$TMP/bench.c" && timed native "$TMP/bench"
for g in riscv64 aarch64; do
    cc=$(cc_of $g)
    have "$cc" || { echo "  $g: no cross compiler"; continue; }
    "$cc" -O2 -ffp-contract=off -static -o "$TMP/bench.$g" "$TMP/bench.c" || continue
    timed "$g, Lyrebird" "$build/lyre-$g" "$TMP/bench.$g"
    if have "qemu-$g"; then timed "$g, qemu-user" "qemu-$g" "$TMP/bench.$g"; fi
done

# --- machines
tests=$here
. "$here/system/kernels.sh"
cat >"$TMP/init" <<'S'
#!/bin/sh
b=/bin/busybox
$b mount -t proc none /proc
$b mount -t sysfs none /sys
echo "  user space of $($b uname -srm), $($b grep -c ^processor /proc/cpuinfo) CPUs, $($b awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo) MB"
echo "  $($b seq 1 200000 | $b md5sum | $b cut -c1-32) is the md5 of the numbers to 200000"
$b poweroff -f
S
echo "  $(seq 1 200000 | md5sum | cut -c1-32) is the md5 of the numbers to 200000" >"$TMP/expect"
for g in riscv64 aarch64; do
    sys=$build/lyre-system-$g
    [ -e "$sys" ] && have cpio || continue
    bold "A machine: Debian's kernel for $g on the board virt with two CPUs"
    kernel_of $g || { echo "  no kernel to be had: no network?"; continue; }
    initramfs "$TMP/initrd" "$TMP/init"
    [ $g = aarch64 ] && cpu=cortex-a57 # qemu-system-aarch64's own default has 32 bits
    [ $g = riscv64 ] && cpu=rv64
    options="-M virt -cpu $cpu -smp 2 -m 512 -nographic -no-reboot -nic none -kernel $KERNEL -initrd $TMP/initrd"
    for who in "$sys" "qemu-system-$g"; do
        have "$who" || continue
        name=${who##*/}
        t=$({ TIMEFORMAT='%U %S'; time timeout 300 "$who" $options -append "console=$(console_of $g) quiet" </dev/null >"$TMP/console" 2>&1; } 2>&1)
        [ "$name" = "lyre-system-$g" ] && grep -a '^  [a-z0-9]' "$TMP/console" | tr -d '\r'
        if grep -aqFf "$TMP/expect" "$TMP/console"; then word="up, result right, powered off"; else word="failed: $(tail -1 "$TMP/console" | cut -c1-60)"; fi
        printf '  %-22s %6.2f s   %s\n' "$name" "$(echo "$t" | tail -1 | awk '{ print $1 + $2 }')" "$word"
    done
done
