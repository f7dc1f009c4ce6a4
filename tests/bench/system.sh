#!/bin/bash
# system.sh BUILD [-n ROUNDS] [-g GUEST[,GUEST]] [-w FILE]: whole machines: processor time of the emulator for a boot of Debian's kernel and for
# programs inside, as a ratio to the installed qemu-system-GUEST with -accel tcg; medians of interleaved runs, one CPU. -w puts the table in
# the place of the one in FILE. docs/performance.md says what the rows are. This script makes initramfs and disk; system.py runs.
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$tests/lib.sh"
. "$tests/system/kernels.sh"
build=$(realpath "$1")
shift
have python3 && have cpio || { echo "bench: python3 and cpio are needed"; exit 1; }
out=$LYRE_CACHE/bench
mkdir -p "$out"
[ -e "$out/disk" ] || head -c 268435456 /dev/zero >"$out/disk"
for g in riscv64 aarch64; do
    [ -e "$build/lyre-system-$g" ] && have "qemu-system-$g" || continue
    kernel_of $g || { echo "bench: no Debian kernel for $g"; continue; }
    cp -L "$KERNEL" "$out/kernel-$g"
    case $KERNEL in *.gz) ;; esac
    cc=$(cc_of $g)
    for p in calls vm syscalls coremark sort net; do
        [ "$out/$g-$p" -nt "$here/prog/$p.c" ] || $cc -O2 -w -static -I"$here/prog" -o "$out/$g-$p" "$here/prog/$p.c" -lm || exit 1
    done
    init=$(mktemp)
    cat >"$init" <<'INIT'
#!/bin/sh
b=/bin/busybox
$b mount -t proc none /proc; $b mount -t sysfs none /sys; $b mount -t devtmpfs none /dev
for m in /[0-9]*.ko; do [ -e $m ] && $b insmod $m; done
row() { echo "<<$1"; shift; "$@" >/dev/null 2>&1 && echo ">>" || echo "failed"; }
forks() { i=0; while [ $i -lt 200 ]; do $b true; i=$((i + 1)); done; }
row boot true
row fork forks
for p in calls vm syscalls coremark sort; do row $p /$G-$p; done
[ -e /dev/vda ] && row disk-read $b dd if=/dev/vda of=/dev/null bs=64k
[ -e /dev/vda ] && row disk-write $b dd if=/dev/zero of=/dev/vda bs=64k count=1024 conv=fsync
for m in /net*.ko; do [ -e $m ] && $b insmod $m; done
$b ip addr add 10.0.2.15/24 dev eth0; $b ip link set eth0 up; $b sleep 1
row net-send /$G-net send 10.0.2.2 $benchport $benchmb
row net-recv /$G-net recv 10.0.2.2 $benchport $benchmb
$b poweroff -f
INIT
    sed -i "s/\$G/$g/" "$init"
    mods= k=10
    for m in virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk failover net_failover virtio_net; do
        f=$(find "$MODULES" -name "$m.ko*" 2>/dev/null | head -1)
        [ -n "$f" ] || continue
        n=$out/$((++k))-$m.ko
        case $m in *failover | virtio_net) n=$out/net$k-$m.ko ;; esac
        case $f in *.xz) xz -dc "$f" >"$n" ;; *) cp "$f" "$n" ;; esac
        mods="$mods $n"
    done
    initramfs "$out/initrd-$g" "$init" "$out/$g"-{calls,vm,syscalls,coremark,sort,net} $mods
    rm -f "$init" $mods
done
exec python3 "$here/system.py" "$out" "$build" "$@"
