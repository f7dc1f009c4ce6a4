# kernels.sh: Debian's own kernels and a busybox for whole machines, from packages, in $LYRE_CACHE. Sourced after lib.sh.
# kernel_of GUEST: sets KERNEL (image) and BUSYBOX (static), MODULES (its folder of modules); exit status of fetch.sh otherwise
kernel_of() {
    local root rc
    case $1 in
    riscv64) root=$("$tests/fetch.sh" riscv64:trixie linux-image-riscv64 busybox-static 2>/dev/null) ;;
    aarch64) root=$("$tests/fetch.sh" arm64:bookworm linux-image-arm64 busybox-static 2>/dev/null) ;;
    *) return 1 ;;
    esac
    rc=$?
    [ $rc = 0 ] || return $rc
    KERNEL=$(ls "$root"/boot/vmlinu[xz]-* 2>/dev/null | head -1)
    MODULES=$(ls -d "$root"/lib/modules/* "$root"/usr/lib/modules/* 2>/dev/null | head -1)
    BUSYBOX=$(ls "$root"/bin/busybox "$root"/usr/bin/busybox 2>/dev/null | head -1)
    [ -n "$KERNEL" ] && [ -n "$BUSYBOX" ]
}
# initramfs OUT INIT [FILE...]: busybox, the script INIT as /init, FILEs in /
initramfs() {
    local out=$1 init=$2 d
    shift 2
    d=$(mktemp -d)
    mkdir -p "$d"/{bin,dev,proc,sys,tmp,mnt}
    cp "$BUSYBOX" "$d/bin/busybox"
    ln -s busybox "$d/bin/sh"
    install -m 755 "$init" "$d/init"
    [ $# = 0 ] || cp "$@" "$d/"
    (cd "$d" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$out"
    rm -rf "$d"
}
# console_of GUEST
console_of() { case $1 in riscv64) echo ttyS0 ;; *) echo ttyAMA0 ;; esac; }

# --- tests of a suite: machines that boot such a kernel and are typed at ------------------------------------------------------
# Needs $build, $here. Machines are started by `machine`; what is typed never contains the answer that is waited for: the console echoes.
# begin SUITE [PROGRAM...]: a temporary directory with /init and what udhcpc does; false (and said so) if something is missing
begin() {
    SUITE=$1
    shift
    [ -e "$build/lyre-system-aarch64" ] || { skip $SUITE "no system mode"; return 1; }
    for t in python3 cpio gzip "$@"; do have $t || { skip $SUITE "no $t"; return 1; }; done
    tmpdir
    HTTP=
    trap '[ -z "$HTTP" ] || kill $HTTP; rm -rf "$TMP"' EXIT
    cat >"$TMP/init" <<'S'
#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for m in $(cat /order); do insmod /$m || echo "NO MODULE $m"; done
ip link set lo up
echo "CPUS $(grep -c ^processor /proc/cpuinfo)"
exec sh
S
    cat >"$TMP/dhcp" <<'S'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface" && ip route add default via "$router" && echo "LEASE $ip $router $dns"
S
    chmod 755 "$TMP/dhcp"
    off=('# ' 'poweroff -f\n' 'Power down')
}
# http_server: on this machine's loopback, at a port of the system's choice: $net is what a guest types to fetch from it
http_server() {
    local sum
    mkdir "$TMP/www"
    seq 1 200000 >"$TMP/www/numbers"
    sum=$(md5sum <"$TMP/www/numbers" | cut -d' ' -f1)
    python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$TMP/www" >"$TMP/www.log" 2>&1 &
    HTTP=$!
    for i in $(seq 100); do
        port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$TMP/www.log" 2>/dev/null)
        [ -n "$port" ] && break
        sleep 0.1
    done
    net=('# ' 'ip link set eth0 up; udhcpc -q -n -i eth0 -s /dhcp\n' 'LEASE 10.0.2.15 10.0.2.2 10.0.2.3' -
        '# ' "wget -q -O - http://10.0.2.2:$port/numbers | md5sum\\n" "$sum")
}
# modules GUEST NAME...: from the kernel's package into $TMP/GUEST, in this order; those that the kernel has built in are none
modules() {
    local d=$TMP/$1 n f
    shift
    mkdir -p "$d"
    : >"$d/order"
    for n in "$@"; do
        f=$(find "$MODULES/" -name "$n.ko" -o -name "$n.ko.xz" | head -1)
        case $f in
        '') continue ;;
        *.xz) xz -dc "$f" >"$d/$n.ko" ;;
        *) cp "$f" "$d/" ;;
        esac
        echo "$n.ko" >>"$d/order"
    done
}
# machine NAME SECONDS [WORD SEND]... WORD -- OPTIONS...: one machine, which has to end by itself with status 0
machine() {
    local name=$SUITE/$guest/$1 limit=$2 words=()
    shift 2
    [[ $name =~ ${ONLY:-.} ]] || return 0
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    if python3 "$here/boot.py" -x "$limit" "${words[@]}" -- "$build/lyre-system-$guest" -nographic -m 512 -kernel "$KERNEL" -initrd "$TMP/initrd-$guest" \
        -append "console=$(console_of $guest) quiet panic=-1 ${APPEND:-}" "$@" >"$TMP/log" 2>&1; then pass "$name"; else fail "$name" "$(head -c 2000 "$TMP/log" | tr '\n' ' ')"; fi
}
