#!/bin/bash
# nbd_test.sh BUILD: NBD: lyre-nbd with lyre-img, and each with QEMU's tools where they are installed: reading, writing, holes, errors, several at once.
. "$(dirname "$0")/../lib.sh"
build=$(realpath "$1")
[ -e "$build/lyre-nbd" ] || { skip nbd "no system mode"; exit 0; }
tmpdir
cd "$TMP" || exit 1
P=
trap '[ -z "$P" ] || kill $P; rm -rf "$TMP"' EXIT
# serve SERVER OPTIONS...: on $TMP/s, in the background
serve() {
    rm -f s
    "$@" -k "$TMP/s" &
    P=$!
    local try
    for try in $(seq 200); do
        [ -S s ] && return 0
        sleep 0.05
    done
    return 1
}
stop() { kill $P && wait $P; P=; }
head -c 3M /dev/urandom >a && truncate -s 8M a && head -c 2M /dev/urandom >>a
head -c 10M /dev/urandom >other
U=nbd+unix:///disk?socket=$TMP/s
both() { # SERVER IMG
    local name=nbd/$(basename "$1")-$(basename "$2") n=$1 i=$2
    "$i" convert -f raw -O qcow2 a a.qcow2
    {
        serve "$n" -t -e 0 -f qcow2 -x disk a.qcow2 && "$i" info "$U" | grep -q '10 MiB' && "$i" compare -f raw -F raw "$U" a &&
            "$i" convert -f raw -O raw "$U" b && cmp a b && "$i" map --output=json -f raw "$U" | grep -q '"start": 3145728, "length": 5242880.*"zero": true, "data": false' &&
            ! "$i" info "nbd+unix:///none?socket=$TMP/s" 2>/dev/null && "$i" convert -n -f raw -O raw other "$U" &&
            for k in 1 2 3 4; do "$i" convert -f raw -O raw "$U" "c$k" & J[k]=$!; done && wait ${J[1]} ${J[2]} ${J[3]} ${J[4]} && cmp c1 other && cmp c4 other && stop &&
            "$i" check -q a.qcow2 && "$i" compare -f qcow2 -F raw a.qcow2 other &&
            serve "$n" -t -r -f raw a && ! "$i" convert -n -f raw -O raw other nbd:unix:"$TMP/s" 2>/dev/null && "$i" compare -f raw -F raw nbd:unix:"$TMP/s" a && stop &&
            serve "$n" -f raw a && "$i" info -f raw nbd:unix:"$TMP/s" && wait $P && P= # ends with its only client
    } >log 2>&1 && pass $name || fail $name "$(tail -3 log | tr '\n' ' ')"
    [ -z "$P" ] || stop
}
both "$build/lyre-nbd" "$build/lyre-img"
if have qemu-nbd && have qemu-img; then
    both qemu-nbd "$build/lyre-img"
    both "$build/lyre-nbd" qemu-img
else
    skip nbd/qemu "no qemu-nbd"
fi
if have qemu-io; then
    serve "$build/lyre-nbd" -t -f raw a
    if qemu-io -f raw -c 'write -P 7 4k 8k' -c 'write -z 1M 64k' -c 'discard 2M 64k' -c 'flush' -c 'read -P 7 4k 8k' -c 'read -P 0 1M 64k' nbd:unix:"$TMP/s" >log 2>&1 && ! grep -qi 'fail\|error' log
    then pass nbd/qemu-io; else fail nbd/qemu-io "$(tail -3 log | tr '\n' ' ')"; fi
    stop
fi
