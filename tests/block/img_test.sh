#!/bin/bash
# img_test.sh BUILD [--full]: lyre-img and the formats against the installed qemu-img: what it writes we read, what we write it
# reads (contents, and its check), and what both print is the same. Contents are compared as raw copies made by the other program.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
build=$(realpath "$1")
have qemu-img && have qemu-io || { skip block/img "no qemu-img, qemu-io"; exit 0; }
"$build/lyre" img --version >/dev/null 2>&1 || [ -x "$build/lyre-img" ] || { skip block/img "no system mode in this build"; exit 0; }
tmpdir
cd "$TMP" || exit 1
mkdir bin
if [ -e "$build/lyre" ]; then ln -s "$build/lyre" bin/lyre-img; else ln -s "$build/lyre-img" bin/lyre-img; fi
ln -s "$(readlink bin/lyre-img)" bin/qemu-img # the same, by QEMU's name: messages begin alike
L=$TMP/bin/lyre-img Q=/usr/bin/qemu-img AS_Q=$TMP/bin/qemu-img
Q=$(PATH=$(echo "$PATH" | sed "s|$TMP/bin:||") command -v qemu-img)
export QEMU_IO_OPTIONS=
# ok NAME COMMAND...: passes if the command does
ok() { local n=$1 out; shift; if out=$("$@" 2>&1); then pass "block/$n"; else fail "block/$n $(echo "$out" | tail -1)"; fi; }
status() { local n=$1 want=$2; shift 2; "$@" >out 2>&1; local r=$?; [ $r = "$want" ] && pass "block/$n" || fail "block/$n exit $r, not $want: $(tail -1 out)"; }
sum() { sha256sum <"$1" | cut -c1-64; }
# equal NAME A B: both are read by both programs
equal() {
    local n=$1 a=$2 b=$3
    rm -f x1 x2 x3 x4
    $L convert -O raw "$a" x1 && $Q convert -U -O raw "$a" x2 && $L convert -O raw "$b" x3 && $Q convert -U -O raw "$b" x4 || { fail "block/$n convert"; return; }
    [ "$(sum x1)" = "$(sum x2)" ] && [ "$(sum x1)" = "$(sum x3)" ] && [ "$(sum x1)" = "$(sum x4)" ] && pass "block/$n" || fail "block/$n contents differ"
}
clean() { # NAME IMAGE: no error and no leak, for both
    local n=$1 out
    out=$($Q check "$2" 2>&1) && out=$($L check "$2" 2>&1) && pass "block/$n" || fail "block/$n $(echo "$out" | head -3 | tr '\n' ' ')"
}
same() { # NAME ARGS...: both print the same and exit alike
    local n=$1 a b
    shift
    $Q "$@" >q.out 2>q.err; a=$?
    "$AS_Q" "$@" >l.out 2>l.err; b=$?
    if [ $a != $b ]; then fail "block/$n exit $b, QEMU $a: $(head -1 l.err)"
    elif ! cmp -s q.out l.out; then fail "block/$n $(diff q.out l.out | sed -n '2,3p' | tr '\n' ' ')"
    else pass "block/$n"; fi
}
# random data with holes and zeros: 7 MiB and a bit
seed() { openssl enc -aes-128-ctr -pass "pass:$1" -nosalt 2>/dev/null </dev/zero | head -c "$2"; }
{ seed a 1500000; head -c 900000 /dev/zero; seed b 700000; yes text | head -c 1300000; head -c 2000000 /dev/zero; seed c 946304; } >data.raw
truncate -s 7346688 data.raw
rm -f hole.raw; cp --sparse=always data.raw hole.raw

# --- what QEMU writes ---
i=0
for o in cluster_size=512 cluster_size=4k,compat=0.10 cluster_size=2M cluster_size=64k,refcount_bits=1 cluster_size=4k,refcount_bits=2 \
    refcount_bits=4 refcount_bits=8 refcount_bits=32 cluster_size=1k,refcount_bits=64 extended_l2=on cluster_size=16k,extended_l2=on lazy_refcounts=on \
    compression_type=zstd preallocation=metadata preallocation=falloc preallocation=full,cluster_size=32k data_file=ext.raw data_file=ext2.raw,data_file_raw=on; do
    i=$((i + 1)) c=
    $Q convert -O qcow2 -o "$o" data.raw q$i.qcow2 || { fail "block/qemu/$o cannot be made"; continue; }
    qemu-io -c 'write -P 7 100001 3000' -c 'write -z 2000000 500000' -c 'discard 4000000 1000000' -c 'write -P 9 6000000 70000' q$i.qcow2 >/dev/null
    equal "qemu/$o" q$i.qcow2 q$i.qcow2
    clean "qemu/$o-check" q$i.qcow2
    case $o in data_file*) continue ;; esac
    $Q convert -c -O qcow2 -o "${o/preallocation=*,/}" data.raw qc.qcow2 2>/dev/null && { equal "qemu/$o-compressed" qc.qcow2 data.raw; clean "qemu/$o-compressed-check" qc.qcow2; }
    # what we write: plain, compressed
    $L convert -O qcow2 -o "$o" hole.raw l.qcow2 || fail "block/lyre/$o"
    equal "lyre/$o" l.qcow2 data.raw
    clean "lyre/$o-check" l.qcow2
    # QEMU writes to ours
    qemu-io -c 'write -P 7 100001 3000' -c 'write -z 2000000 500000' -c 'discard 4000000 1000000' -c 'write -P 9 6000000 70000' l.qcow2 >/dev/null
    equal "lyre/$o-qemu-wrote" l.qcow2 q$i.qcow2
    clean "lyre/$o-qemu-wrote-check" l.qcow2
    case $o in prealloc*) continue ;; esac
    $L convert -c -m 4 -O qcow2 -o "$o" data.raw l.qcow2 || fail "block/lyre/$o-compressed"
    equal "lyre/$o-compressed" l.qcow2 data.raw
    clean "lyre/$o-compressed-check" l.qcow2
    rm -f q$i.qcow2
done
$L create -q -f qcow2 -o data_file=lext.raw l.qcow2 8M && $L convert -n -O qcow2 data.raw l.qcow2
$Q convert -O raw l.qcow2 x1; cmp -s -n 7346688 x1 data.raw && pass block/lyre/data_file || fail block/lyre/data_file

# --- snapshots, both ways ---
for w in qemu lyre; do
    [ $w = qemu ] && W=$Q R=$L || W=$L R=$Q
    $Q create -q -f qcow2 -o cluster_size=4k s.qcow2 4M
    qemu-io -c 'write -P 1 0 2M' s.qcow2 >/dev/null; $Q convert -O raw s.qcow2 s1.raw; $W snapshot -c one s.qcow2
    qemu-io -c 'write -P 2 1M 2M' s.qcow2 >/dev/null; $Q convert -O raw s.qcow2 s2.raw; $W snapshot -c two s.qcow2
    qemu-io -c 'write -P 3 512k 64k' -c 'discard 0 128k' s.qcow2 >/dev/null; $Q convert -O raw s.qcow2 s3.raw
    clean "snapshot/$w-made" s.qcow2
    same "snapshot/$w-list" snapshot -l s.qcow2
    $R convert -l one -O raw s.qcow2 x1; cmp -s x1 s1.raw && pass "block/snapshot/$w-one" || fail "block/snapshot/$w-one"
    $R convert -l snapshot.name=two -O raw s.qcow2 x1; cmp -s x1 s2.raw && pass "block/snapshot/$w-two" || fail "block/snapshot/$w-two"
    equal "snapshot/$w-now" s.qcow2 s3.raw
    $R snapshot -a one s.qcow2; equal "snapshot/$w-applied" s.qcow2 s1.raw; clean "snapshot/$w-applied-check" s.qcow2
    $R snapshot -d one s.qcow2; equal "snapshot/$w-deleted" s.qcow2 s1.raw; clean "snapshot/$w-deleted-check" s.qcow2
    $W snapshot -d two s.qcow2; clean "snapshot/$w-none" s.qcow2
done

# --- chains: backing files, rebase, commit ---
$Q convert -O qcow2 data.raw base.qcow2
$L create -q -f qcow2 -b base.qcow2 -F qcow2 mid.qcow2
qemu-io -c 'write -P 5 1M 300k' -c 'write -z 3M 100k' mid.qcow2 >/dev/null
$Q create -q -f qcow2 -b mid.qcow2 -F qcow2 top.qcow2 9M
qemu-io -c 'write -P 6 2M 10k' -c 'write -P 6 8M 10k' top.qcow2 >/dev/null
equal chain/contents top.qcow2 top.qcow2
$Q convert -O raw top.qcow2 top.raw
for f in top mid base; do
    same chain/info-$f info $f.qcow2
    same chain/info-json-$f info --output=json $f.qcow2
    same chain/map-$f map --output=json $f.qcow2
done
same chain/info-all info --backing-chain --output=json top.qcow2
same chain/info-all-human info --backing-chain top.qcow2
same chain/map-human map mid.qcow2
cp top.qcow2 t2.qcow2; $L rebase -f qcow2 -b base.qcow2 -F qcow2 t2.qcow2; equal chain/rebased t2.qcow2 top.raw; clean chain/rebased-check t2.qcow2
$L rebase -b '' t2.qcow2; equal chain/flat t2.qcow2 top.raw; clean chain/flat-check t2.qcow2
cp mid.qcow2 m2.qcow2; cp base.qcow2 b2.qcow2; $L rebase -u -b b2.qcow2 -F qcow2 m2.qcow2; $Q convert -O raw m2.qcow2 m.raw
$L commit -q m2.qcow2; equal chain/committed b2.qcow2 m.raw; clean chain/committed-check b2.qcow2; equal chain/emptied m2.qcow2 m.raw; clean chain/emptied-check m2.qcow2
cp base.qcow2 b2.qcow2; cp mid.qcow2 m2.qcow2; cp top.qcow2 t2.qcow2
$Q rebase -u -b b2.qcow2 -F qcow2 m2.qcow2; $Q rebase -u -b m2.qcow2 -F qcow2 t2.qcow2; $L commit -q -b b2.qcow2 t2.qcow2; equal chain/deep b2.qcow2 top.raw; clean chain/deep-check b2.qcow2
# a backing file whose format nobody named
$Q create -q -f qcow2 -b base.qcow2 -F qcow2 nf.qcow2 && $L rebase -u -b base.qcow2 nf.qcow2
status chain/create-wants-format 1 $L create -f qcow2 -b base.qcow2 nf2.qcow2

# --- sizes ---
for s in +1M -3M 20M 1M; do
    sh=; case $s in -3M | 1M) sh=--shrink ;; esac
    cp base.qcow2 r1.qcow2; cp base.qcow2 r2.qcow2
    $Q resize -q $sh r1.qcow2 $s; $L resize -q $sh r2.qcow2 $s
    equal resize/$s r1.qcow2 r2.qcow2; clean resize/$s-check r2.qcow2
    # what was cut off does not come back (in QEMU the rest of the last cluster does)
    $Q convert -O raw r1.qcow2 r.raw; truncate -s 30M r.raw; $L resize -q r2.qcow2 30M; equal resize/$s-again r.raw r2.qcow2
done
status resize/shrink-unasked 1 $L resize base.qcow2 1M
for f in qcow2 raw; do same measure/$f measure -O $f base.qcow2; same measure/$f-json measure --output=json -O $f --size 5G; done
same measure/cluster measure -O qcow2 -o cluster_size=4k base.qcow2

# --- words and numbers ---
same help/create-raw create -f raw c.raw 3M
same help/create-qcow2 create -f qcow2 c.qcow2 3M
same help/create-opts create -f qcow2 -o cluster_size=4k,lazy_refcounts=on,refcount_bits=8 c.qcow2 3M
same help/create-backed create -f qcow2 -b base.qcow2 -F qcow2 c.qcow2
same check/json check --output=json base.qcow2
same check/human check base.qcow2
same check/raw check -f raw data.raw
same compare/same compare base.qcow2 data.raw
same compare/other compare base.qcow2 top.qcow2
same compare/missing compare base.qcow2 nonex.qcow2
cp base.qcow2 same.qcow2; status compare/strict 0 $L compare -s base.qcow2 same.qcow2; status compare/strict-other 1 $L compare -s base.qcow2 data.raw
same info/missing info nonex
same info/raw info --output=json hole.raw
same map/raw map --output=json hole.raw
same convert/missing convert -O raw nonex y.raw
same convert/format convert -O nonsense data.raw y.raw
same create/format create -f nonsense y.raw 1M
same dd/middle dd if=base.qcow2 of=dd.raw bs=64k skip=3 count=20
$L dd if=base.qcow2 of=dd1.raw bs=64k skip=3 count=20; cmp -s dd.raw dd1.raw && pass block/dd/contents || fail block/dd/contents
same snapshot/missing snapshot -a none base.qcow2
same opts/image-opts info --output=json --image-opts driver=qcow2,file.driver=file,file.filename=base.qcow2
same opts/json info --output=json 'json:{"driver":"qcow2","file.filename":"base.qcow2"}'
$L convert --image-opts driver=raw,offset=512,size=1M,file.filename=data.raw -O raw w.raw; cmp -s w.raw <(tail -c +513 data.raw | head -c 1M) && pass block/opts/raw-window || fail block/opts/raw-window
status opts/unknown 1 $L info --image-opts driver=qcow2,file.filename=base.qcow2,nonsense=1
for c in none writethrough directsync unsafe writeback; do
    $L convert -t $c -T $c -O qcow2 data.raw cache.qcow2 && equal cache/$c cache.qcow2 data.raw
done

# --- damage: both find it, and what one repairs the other accepts ---
dmg() { # NAME OFFSET BYTES
    cp base.qcow2 d1.qcow2; printf "$3" | dd of=d1.qcow2 bs=1 seek=$2 conv=notrunc 2>/dev/null; cp d1.qcow2 d2.qcow2
    $Q check d1.qcow2 >/dev/null 2>&1; a=$?; $L check d1.qcow2 >/dev/null 2>&1; b=$?
    [ $a = $b ] && pass "block/damage/$1" || fail "block/damage/$1 exit $b, QEMU $a"
    $L check -r all d2.qcow2 >/dev/null 2>&1; clean "damage/$1-repaired" d2.qcow2; equal "damage/$1-data" d2.qcow2 data.raw
}
dmg leak $((0x20000 + 7)) '\x09'
dmg low $((0x20000 + 15)) '\0'
dmg reftable $((0x10000 + 3)) '\xff'
printf '\x01' | dd of=c.qcow2 bs=1 seek=72 conv=notrunc 2>/dev/null
status damage/unknown-feature 1 $L info c.qcow2

# --- locks: QEMU's and ours exclude each other, and the holder is named ---
mkfifo hold
qemu-io base.qcow2 <hold >/dev/null 2>&1 & holder=$!
exec 9>hold
echo 'write -P 1 0 1' >&9
for _ in $(seq 200); do grep -qs 'OFDLCK.* 201 ' /proc/$holder/fdinfo/* && break; read -rt 0.05 <> <(:) || true; done
$L convert -O raw base.qcow2 y.raw 2>lock.err && fail block/lock/theirs || { grep -q "process $holder (qemu-io)" lock.err && pass block/lock/theirs || fail "block/lock/theirs $(cat lock.err)"; }
ok lock/shared $L info -U base.qcow2
exec 9>&-
wait $holder
status lock/gone 0 $L info base.qcow2

# --- kill -9 in the middle of writes that allocate: what was there or what was written, by sectors ---
head -c 24M /dev/zero | tr '\0' '\021' >ones.raw
for cs in 4k 64k; do
    bad=
    for try in 1 2 3 4 5; do
        $L create -q -f qcow2 -o cluster_size=$cs -b ones.raw -F raw k.qcow2
        "$L" bench -q -w -c 100000 -d 32 -s 3072 -S 7168 --pattern=34 --flush-interval=50 k.qcow2 &
        pid=$!
        # let it get somewhere: until the file has grown to so many bytes
        for _ in $(seq 500); do [ "$(stat -c %s k.qcow2)" -gt $((try * 1500000)) ] && break; done
        kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
        # the kernel lets go of the requests of a dead io_uring, and with them of the file's locks, a moment later
        for _ in $(seq 500); do ! $Q info k.qcow2 >/dev/null 2>&1 || break; done
        $Q check k.qcow2 >out 2>&1
        case $? in 0 | 3) ;; *) bad="check: $(head -1 out)" ;; esac
        $Q convert -O raw k.qcow2 k.raw
        [ "$(tr -d '\021\042' <k.raw | wc -c)" = 0 ] || bad="contents"
        $L check -q -r all k.qcow2 || bad="repair"
        $Q check -q k.qcow2 || bad="after repair"
    done
    [ -z "$bad" ] && pass block/kill/$cs || fail "block/kill/$cs $bad"
done
