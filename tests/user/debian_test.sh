#!/bin/bash
# debian_test.sh BUILD [--full] [ONLY]: Debian's own programs of both guests, dynamically linked, threads, children and all.
# What each must print is computed by the native program of the same kind, or known. Without a network: skipped.
# The default set is short; --full adds nodejs, Go, Java, Lua, 7-Zip, all of libcrypto, more of Python's own test modules,
# and 200 runs of each short one. ONLY (also from the environment) is a regular expression: the parts whose name, GUEST/PART,
# matches are run (aarch64/java, python-test_re, 200-times). Every program has a time limit.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
build=$(realpath "$1")
shift
full=
[ "${1:-}" = --full ] && { full=1; shift; }
ONLY=${1:-${ONLY:-.}}
tmpdir
# fetched VAR TEST ARCH:SUITE PACKAGE...: the variable is their folder; offline the test is skipped, without them it fails.
fetched() {
    local folder
    folder=$("$here/../fetch.sh" "${@:3}" 2>"$work/err")
    case $? in
    0) printf -v "$1" %s "$folder" ;;
    77) skip "debian-$guest/$2" "not to be had: $(tail -1 "$work/err")"; return 1 ;;
    *) fail "debian-$guest/$2" "$(tail -1 "$work/err")"; return 1 ;;
    esac
}
# part NAME COMMAND...: runs it if it is wanted.
part() { if [[ debian-$guest/$1 =~ $ONLY ]]; then ran=1 && "${@:2}"; fi; }

run() { timeout -k 2 "${LIMIT:-120}" "$lyre" $accel -L "$root" "$root/usr/bin/$1" "${@:2}"; }
# check NAME WANT PROGRAM ARGS...: its output (and its exit status, if not 0) is WANT.
check() {
    local name=$1 want=$2 got rc
    shift 2
    got=$(run "$@" 2>"$work/err" </dev/null)
    rc=$?
    [ $rc = 0 ] || got="$got [exit $rc]"
    verdict "$name" "$want" "$got"
}
verdict() { # NAME WANT GOT
    if [ "$2" = "$3" ]; then pass "debian-$guest/$1"; return; fi
    # in one piece: the guests run side by side
    echo "$(fail "debian-$guest/$1"; diff --label want <(cat <<<"$2") --label got <(cat <<<"$3") -U0 | head -12 | cut -c1-300 | sed 's/^/  /'
        tail -5 "$work/err" 2>/dev/null | cut -c1-200 | sed 's/^/  /')"
}

shell_script='t=0; for i in $(seq 1 300); do t=$((t + i * i)); done; echo $t
    printf "%s\n" pear apple fig | sort | tr "\n" " "; (exit 7); echo "$?"
    trap "echo trapped" USR1; kill -USR1 $$; { sleep 0.05; echo background; } & wait $!
    a=(x y z); echo "${a[@]:1}" "${#a[@]}"; [[ abc123 =~ ([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
    cat <(echo one) <(echo two) | wc -l; echo text | tee >(cat >/dev/null) | sha256sum'
perl_script='my %h; $h{$_ % 7} += $_ ** 1.5 for 1 .. 5000; printf "%s=%.6f ", $_, $h{$_} for sort keys %h; print "\n";
    my $s = join "", map { chr(97 + $_ * 7 % 26) } 0 .. 999; my $n = () = $s =~ /([aeiou])(?=[^aeiou])/g; print "$n\n";
    pipe my $r, my $w; if (!fork) { close $r; print $w "child\n"; close $w; exit 3 } close $w; print <$r>; wait;
    print $? >> 8, "\n"; $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; 1 while 1 }; print $@;
    print pack("H*", unpack("H*", "packed")), " ", sprintf("%a %e %s", 0.1, 1e-300, 1e15 / 3), "\n";'
python_script='import hashlib, json, math, os, re, struct, subprocess, sys, threading, zlib
d = 10 ** 200
x, s, n, a, b = d // 5, 0, 1, 0, 0
def atan(k):
    t = d // k; r = t; m = 1; sign = -1
    while t: t //= k * k; m += 2; r += sign * (t // m); sign = -sign
    return r
print(4 * (4 * atan(5) - atan(239)) // 10 ** 10)
blob = bytes(i * i % 251 for i in range(200000))
print(hashlib.sha256(blob).hexdigest(), zlib.crc32(blob), zlib.decompress(zlib.compress(blob)) == blob)
print(math.fsum(math.sin(i) * math.exp(-i / 50) for i in range(500)), math.gamma(7.5), 2 ** 0.5, 1e22 + 1)
print(json.dumps({"k": [1, 2.5, None, True, "\u00e9"]}), re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world again now"))
total = 0; lock = threading.Lock()
def work(k):
    global total
    for i in range(2000):
        with lock: total += k
ts = [threading.Thread(target=work, args=(k,)) for k in range(6)]
[t.start() for t in ts]; [t.join() for t in ts]
print(total, subprocess.run(["/bin/echo", "child"], capture_output=True).stdout, struct.pack(">dI", 1.5, 7).hex())
try: os.kill(os.getpid(), 0); open("/nonexistent")
except OSError as e: print(e.errno, e.strerror)'
sql='CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
    WHERE i < 5000) INSERT INTO t SELECT i, printf('\''%05d'\'', i * 7919 % 5003), i / 8.0 FROM n; CREATE INDEX x ON t(b);
    SELECT count(*), sum(a), sum(c), min(b), max(b) FROM t; SELECT a FROM t WHERE b = '\''00042'\'';
    SELECT group_concat(a % 10, '\'''\'') FROM (SELECT a FROM t ORDER BY b LIMIT 20); PRAGMA integrity_check;'
# 7919 i mod 5003 takes every value but 0 for 0 < i < 5003; the left-out ones are computed here.
sql_want() {
    python3 - <<'E'
rows = [(i, "%05d" % (i * 7919 % 5003), i / 8.0) for i in range(1, 5001)]
print("%d|%d|%s|%s|%s" % (len(rows), sum(r[0] for r in rows), sum(r[2] for r in rows), min(r[1] for r in rows), max(r[1] for r in rows)))
for r in rows:
    if r[1] == "00042": print(r[0])
print("".join(str(r[0] % 10) for r in sorted(rows, key=lambda r: r[1])[:20]))
print("ok")
E
}
git_script='cd "$0" && rm -rf r c && git init -q -b main r && cd r && for i in 1 2 3; do seq $i 500 >f$i; git add .; git commit -qm "c$i"; done
    sed -i s/250/changed/ f1; git commit -qam edit; git checkout -qb side HEAD~1; echo more >>f3; git commit -qam more
    git merge -q -m merged main && git gc -q && git fsck --strict 2>&1; git clone -q . ../c; cd ../c; git log --format=%H%s; git status -s'
git_env=(GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b HOME=/nonexistent
    GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000' GIT_CONFIG_NOSYSTEM=1)

shell_tests() {
    check bash "$(bash -c "$shell_script" 2>&1)" bash -c "$shell_script"
    check coreutils-sort "$(seq 20000 | sha256sum | sort)" bash -c 'seq 20000 | shuf | sort -n | sha256sum'
    check coreutils-factor "$(factor 1000000016000000063)" factor 1000000016000000063
    check coreutils-date "Wed Nov 15 03:43:20 CET 2023" bash -c 'LC_ALL=C TZ=CET-1 date -d @1700016200'
    check coreutils-b2sum "$(b2sum <"$here/debian_test.sh")" bash -c 'b2sum <"$0"' "$here/debian_test.sh"
    check uname "$guest" bash -c 'uname -m'
    check timeout " [exit 124]" timeout 0.2 sleep 30
    check sed-grep "$(seq 3000 | grep -E '^[12]+7' | sed -E 's/(.)(.)/\2\1/;$!N;P;D' | md5sum)" \
        bash -c "seq 3000 | grep -E '^[12]+7' | sed -E 's/(.)(.)/\2\1/;\$!N;P;D' | md5sum"
    check gawk "2000 1.99900e+06 9.21034" gawk 'BEGIN { for (i = 0; i < 2000; i++) { a[i] = i; s += a[i] } printf "%d %.5e %.5f\n", length(a), s, log(10000) }'
    check busybox "$(printf 'lyrebird' | md5sum)" busybox sh -c 'printf lyrebird | busybox md5sum'
}
perl_test() { check perl "$(perl -e "$perl_script")" perl -e "$perl_script"; }
python_test() { check python3 "$(python3 -c "$python_script")" python3 -c "$python_script"; }
sqlite_test() { check sqlite3 "$(sql_want)" sqlite3 :memory: "$sql"; }
git_test() {
    have git || { skip debian-$guest/git "no native git to compare with"; return; }
    mkdir -p "$work/native" "$work/guest"
    local want got
    want=$(env "${git_env[@]}" bash -c "$git_script" "$work/native" 2>&1)
    got=$(export "${git_env[@]}"; LIMIT=120 run bash -c "$git_script" "$work/guest" 2>&1)
    verdict git "$want" "$got"
}
openssl_test() {
    local f=$work/plain sum
    head -c 300000 "$build/lyre" >"$f"
    sum=$(sha256sum <"$f" | cut -d' ' -f1)
    check openssl-digest "$sum" bash -c "openssl dgst -sha256 -r $f | cut -d' ' -f1"
    check openssl-ciphers "aes-256-cbc ok aes-128-ctr ok chacha20 ok camellia-128-cbc ok aria-256-ctr ok" bash -c "
        for c in aes-256-cbc aes-128-ctr chacha20 camellia-128-cbc aria-256-ctr; do
            openssl enc -\$c -pbkdf2 -iter 100 -k p -in $f -out $f.e && openssl enc -d -\$c -pbkdf2 -iter 100 -k p -in $f.e |
                cmp - $f && set -- \"\$@\" \$c ok
        done; echo \"\$@\""
    if have openssl; then # each side decrypts what the other encrypted and checks what the other signed
        openssl enc -aes-256-cbc -pbkdf2 -k p -in "$f" -out "$f.n"
        check openssl-native-to-guest "$sum" bash -c "openssl enc -d -aes-256-cbc -pbkdf2 -k p -in $f.n | sha256sum | cut -d' ' -f1"
        for alg in RSA ED25519 EC; do
            case $alg in EC) o="-pkeyopt ec_paramgen_curve:P-256" ;; *) o= ;; esac
            run openssl genpkey -algorithm $alg $o -out "$f.key" 2>"$work/err" && openssl pkey -in "$f.key" -pubout -out "$f.pub" &&
                run openssl pkeyutl -sign -rawin -inkey "$f.key" -in "$here/../lib.sh" -out "$f.sig" 2>>"$work/err"
            verdict openssl-sign-$alg "Signature Verified Successfully" \
                "$(openssl pkeyutl -verify -rawin -pubin -inkey "$f.pub" -in "$here/../lib.sh" -sigfile "$f.sig" 2>&1)"
        done
    fi
}
gcc_test() {
    local o cc1 want
    cp "$here/debian/sample.c" "$work/"
    gcc -O2 -o "$work/native-sample" "$work/sample.c" && want=$("$work/native-sample")
    for o in -O0 -O2 "-O3 -flto"; do
        rm -f "$work/sample"
        run gcc $o -o "$work/sample" "$work/sample.c" >"$work/err" 2>&1
        verdict "gcc$o" "$want" "$(timeout 20 "$lyre" $accel -L "$root" "$work/sample" 2>&1)"
    done
}
# The same compiler on this machine, Debian's cross compiler of the guest's version, writes the same assembly.
gcc_assembly() {
    local f o cc1 cross lib arch=() version i=$work/real.i
    version=$(run gcc -dumpfullversion)
    if have "$(cc_of $guest)" && [ "$("$(cc_of $guest)" -dumpfullversion)" = "$version" ]; then
        cross=("$("$(cc_of $guest)" -print-prog-name=cc1)")
    else
        fetched cross gcc-assembly amd64:trixie "cpp-${version%%.*}-$guest-linux-gnu" || return
        lib=$cross/usr/lib/x86_64-linux-gnu
        cross=("$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$cross"/usr/libexec/gcc-cross/*/*/cc1)
    fi
    cc1=$(cd "$root/usr/bin" && ls ../lib*/gcc/*/*/cc1 | head -1)
    [ $guest = riscv64 ] && arch=(-march=rv64gc -mabi=lp64d)
    for f in "$here/debian/sample.c" "$here/../../src/fpu/arith.c"; do
        for o in "-O2" "-O3 -g"; do
            run gcc -I "$here/../../src" -E "$f" -o "$i" 2>"$work/err"
            run $cc1 -quiet -fpreprocessed "${arch[@]}" $o "$i" -o "$work/guest.s" 2>>"$work/err"
            "${cross[@]}" -quiet -fpreprocessed "${arch[@]}" $o "$i" -o "$work/native.s" 2>>"$work/err"
            sed -i '/\.ident\|\.string.*GNU C/d' "$work/guest.s" "$work/native.s" # Debian's revision, where cc1 ran
            verdict "gcc-assembly-$(basename "$f")$o" "$(wc -l <"$work/native.s") lines, the same" \
                "$(wc -l <"$work/guest.s") lines, $(cmp "$work/guest.s" "$work/native.s" 2>&1 && [ -s "$work/guest.s" ] && echo the same)"
        done
    done
}
# python_module MODULE [LIMIT [ARGS...]]: one of Python's own test modules. Some measure time to a millisecond, which a busy machine
# does not have: -w repeats what failed, and what it was is told.
python_module() {
    if (cd "$work" && LIMIT=${2:-300} run python3 -m test -w "$1" "${@:3}") >"$work/py" 2>&1 </dev/null; then
        pass "debian-$guest/python-$1" $(grep -q 'Re-running' "$work/py" && echo "(again: $(grep -aE '^(ERROR|FAIL):' "$work/py" | sort -u | head -3))")
    else
        echo "$(fail "debian-$guest/python-$1" "exit $?"; grep -aE '^(ERROR|FAIL):|Error|Expired|^test .* failed' "$work/py" | head -8)"
    fi
}
# Everything libcrypto has. Left out: what exists on x86 only, is random, or changed its result between versions.
crypto_test() {
    have openssl || { skip "debian-$guest/libcrypto" "no native openssl to compare with"; return; }
    local digests ciphers
    digests="$(openssl list -1 -digest-commands) md4 md5-sha1 ripemd160 sha512-224 sha512-256 whirlpool"
    ciphers=$(openssl list -provider default -provider legacy -cipher-algorithms | grep -oE '[A-Za-z0-9-]+ (@|\})' |
        awk '{ print $1 }' | sort -u | grep -vE 'HMAC|SIV|CMS3DES')
    python3 "$here/debian/crypto.py" $digests -- $ciphers >"$work/crypto.native"
    LIMIT=300 run python3 "$here/debian/crypto.py" $digests -- $ciphers >"$work/crypto.guest" 2>"$work/err"
    # a line for each, and the key derivations
    verdict libcrypto "$(($(wc -w <<<"$digests $ciphers") + 7)) lines" \
        "$(wc -l <"$work/crypto.guest") lines$(diff "$work/crypto.native" "$work/crypto.guest")"
}
checksum_test() {
    local n script='cd "$0"; for p in md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum "cksum -a crc" "cksum -a sm3" "sum -r" \
        "sum -s" "wc -lmc"; do echo "$p"; $p size* | tr -s " "; done; cat size* | base64 | sha1sum; cat size* | od -tx8 | tr 0-9a-f p-z0-5 | sha1sum'
    for n in 0 1 3 55 56 63 64 65 119 127 128 1000 4095 4097 65537 300001; do head -c $n "$build/lyre" >"$work/size$n"; done
    check checksums "$(bash -c "$script" "$work" 2>&1)" bash -c "$script" "$work"
}
go_test() {
    local go=go goroot=
    if ! have go; then
        fetched goroot go amd64:bookworm golang-go || return
        go=$(ls "$goroot"/usr/lib/go-*/bin/go | head -1)
        goroot=$(dirname "$(dirname "$go")")
    fi
    [ $guest = aarch64 ] && arch=arm64 || arch=$guest
    env ${goroot:+GOROOT=$goroot} GOCACHE="$LYRE_CACHE/go" GO111MODULE=off CGO_ENABLED=0 GOARCH=$arch "$go" build \
        -o "$work/goroutines" "$here/debian/goroutines.go" 2>"$work/err"
    local i got want="sum 332833500
signals 200
recovered: runtime error: invalid memory address or nil pointer dereference
done"
    for i in 1 2 3 4 5 6 7 8 9 10; do
        got=$(timeout 60 "$lyre" "$work/goroutines" 2>&1)
        [ "$got" = "$want" ] || break
    done
    verdict go "$want" "$got"
}
java_test() {
    local java jdk want='null pointer
47999960 -2126187184'
    jdk=../lib/jvm/$(ls "$root/usr/lib/jvm" | grep -E '^java-[0-9]+-' | head -1)/bin
    mkdir -p "$work/classes"
    LIMIT=300 check javac "" $jdk/javac -d "$work/classes" "$here/debian/Threads.java"
    java="$jdk/java -cp $work/classes"
    check java "$want" $java Threads
    check java-interpreted "$want" $java -Xint Threads
    check java-first-compiler "$want" $java -XX:TieredStopAtLevel=1 Threads
    check java-serial-gc "$want" $java -XX:+UseSerialGC -Xmx64m Threads
    check java-parallel-gc "$want" $java -XX:+UseParallelGC Threads
}
node_test() {
    local js='const w = require("worker_threads"), z = require("zlib"), c = require("crypto");
        if (w.isMainThread) { let n = 0; for (let i = 0; i < 3; i++) new w.Worker(__filename, { workerData: i }).on("message",
            m => { n += m; if (++done == 3) { console.log(n); require("child_process").exec("echo child", (e, o) => console.log(o.trim())) } });
            var done = 0; const b = Buffer.alloc(100000, "lyre"); console.log(z.gunzipSync(z.gzipSync(b)).equals(b),
            c.createHash("sha1").update(b).digest("hex")); class A { #x = 1n; get() { return this.#x << 70n } }
            console.log(new A().get(), [5, 1, 4].sort(), /(?<y>\d{4})/u.exec("in 2024").groups.y, 0.1 + 0.2, Math.imul(0x7fffffff, 3)) }
        else { let s = 0; for (let i = 0; i < 1e6; i++) s = (s + i * w.workerData) % 1000003; w.parentPort.postMessage(s) }'
    printf '%s\n' "$js" >"$work/t.js"
    local sum
    sum=$(python3 -c 'print(sum((k * 499999500000) % 1000003 for k in range(3)))')
    check node "true $(python3 -c 'import hashlib; print(hashlib.sha1(b"lyre" * 25000).hexdigest())')
1180591620717411303424n [ 1, 4, 5 ] 2024 0.30000000000000004 2147483645
$sum
child" node "$work/t.js"
}
sevenzip_test() {
    local z
    z=$([ -e "$root/usr/lib/7zip/7z" ] && echo ../lib/7zip/7z || echo 7zz)
    LIMIT=900 run $z b 1 -mmt2 -md18 >"$work/err" 2>&1 # it compares what it unpacks with what it packed
    verdict 7zip-benchmark 0 $?
}
speed_test() {
    LIMIT=300 run openssl speed -seconds 1 -multi 2 sha256 aes-128-cbc ecdsap256 >"$work/err" 2>&1
    verdict openssl-speed 0 $?
}
lua_test() {
    check lua "100000 0 96 314159.26535898" lua5.4 -e \
        't = {} for i = 1, 1e5 do t[i] = i % 97 end table.sort(t) print(#t .. " " .. t[1] .. " " .. t[#t] .. " " .. string.format("%.14g", math.pi * 1e5))'
}
full_tests() {
    local m
    part lua lua_test
    part checksums checksum_test
    part libcrypto crypto_test
    part 7zip-benchmark sevenzip_test
    part openssl-speed speed_test
    part node node_test
    part go go_test
    part java java_test
    for m in decimal math mmap os signal socket threading; do part python-test_$m python_module test_$m 900; done
    # thousands of processes
    local ignore=()
    for m in "${timed[@]}"; do ignore+=(-i "$m"); done
    part python-test_subprocess python_module test_subprocess 3000
    part python-test_asyncio python_module test_asyncio 3000
    part python-test_concurrent_futures python_module test_concurrent_futures 3000 "${ignore[@]}"
    loops
}
# Those that give a new Python 1.5 to 5 seconds to start in each of several processes; alone, and one of three attempts has to do.
timed=() timed_part=python-test_concurrent_futures-timed
for how in Spawn Forkserver; do for m in map_timeout timeout first_exception; do timed+=("*$how*.test_$m"); done; done
timed_tests() {
    local try pattern bad=
    for pattern in "${timed[@]}"; do
        for try in 1 2 3; do
            (cd "$work" && LIMIT=300 run python3 -m test test_concurrent_futures -m "$pattern") >"$work/py" 2>&1 </dev/null && continue 2
        done
        bad="$bad $pattern"
    done
    verdict $timed_part "" "$bad"
}
loops() { # short ones, again and again
    repeat() {
        local name=$1 want i got
        shift
        want=$(run "$@" 2>&1)
        for i in $(seq 200); do
            got=$(run "$@" 2>&1)
            [ "$got" = "$want" ] || break
        done
        verdict "$name-200-times" "$want" "$got"
    }
    part bash-200-times repeat bash bash -c 'for i in 1 2 3; do echo $i | cat; done; (echo sub) & wait'
    part perl-200-times repeat perl perl -e 'print join ",", map { sprintf "%.3f", sqrt } 1 .. 50'
    part python3-200-times repeat python3 python3 -c \
        'import threading; t = [threading.Thread(target=str) for i in range(4)]; [x.start() for x in t]; [x.join() for x in t]; print(len(t))'
    part sqlite3-200-times repeat sqlite3 sqlite3 :memory: 'select 1 + 1, sqrt(2), hex("x")'
    part git-200-times repeat git git hash-object "$here/../lib.sh"
    part openssl-200-times repeat openssl openssl dgst -sha512 "$here/../lib.sh"
    part lua-200-times repeat lua lua5.4 -e 'for i = 1, 3 do print(i, string.rep("x", i), math.sin(i)) end'
    part coreutils-200-times repeat coreutils bash -c 'seq 300 | shuf | sort -n | sha256sum; sleep 0.001 & wait; date -u -d @0; factor 360360'
}
# for_guest GUEST WHAT: its root, and what all parts use.
for_guest() {
    guest=$1 lyre=$build/lyre-$1 accel= work=$TMP/$1
    mkdir -p "$work"
    local testsuite=libpython3.13-testsuite list
    [ $guest = aarch64 ] && testsuite=libpython3.11-testsuite
    list="bash dash coreutils sed grep gawk perl python3 $testsuite git sqlite3 openssl gcc libc6-dev busybox"
    [ -n "$full" ] && list="$list 7zip lua5.4 nodejs default-jdk-headless"
    fetched root "$2" "$(deb_arch $guest)" $list
}
one_guest() {
    for_guest $1 packages || return
    local m
    part shell shell_tests
    part perl perl_test
    part python3 python_test
    part sqlite3 sqlite_test
    part git git_test
    part openssl openssl_test
    part gcc gcc_test
    part gcc-assembly gcc_assembly
    for m in json re; do part python-test_$m python_module test_$m; done
    [ -n "$full" ] && full_tests
    accel="-accel interp"
    guest=$guest-interp
    part shell check bash "$(bash -c "$shell_script" 2>&1)" bash -c "$shell_script"
    part sqlite3 sqlite_test
    part perl perl_test
    part python3 check python3 "184 2.5" python3 -c 'print(sum(map(ord, "ab")) - 11, 5 / 2)'
    part coreutils check coreutils-sort "$(seq 2000 | sha256sum)" bash -c 'seq 2000 | shuf | sort -n | sha256sum'
    [ -n "$full" ] && part python-full python_test
    [ -n "$full" ] && part checksums checksum_test
    [[ -n ${ran:-} || -n $full && debian-$1/$timed_part =~ $ONLY ]] || skip "debian-$1" "no part's name matches $ONLY"
}
export LC_ALL=C TZ=UTC0
unset LANG GIT_DIR GIT_WORK_TREE PERL5LIB PYTHONPATH
if [ "$J" -gt 1 ]; then
    one_guest riscv64 &
    one_guest aarch64
    wait
else
    one_guest riscv64
    one_guest aarch64
fi
for g in ${full:+riscv64 aarch64}; do
    [[ debian-$g/$timed_part =~ $ONLY ]] && for_guest $g $timed_part && timed_tests
done
exit 0
