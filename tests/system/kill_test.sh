#!/bin/bash
# kill_test.sh BUILD [--full]: kill -9 of a machine whose Linux writes to ext4 on qcow2 and says what it has synced: nothing of that is lost, image and
# file system are sound (kill.py). Two rounds; with --full ten, on both guests.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
guests=aarch64 rounds=2
[ "${2:-}" = --full ] && guests="aarch64 riscv64" rounds=10
[ -e "$build/lyre-system-aarch64" ] || { skip kill "no system mode"; exit 0; }
for t in python3 cpio gzip mkfs.ext4 e2fsck debugfs qemu-img xz; do have $t || { skip kill "no $t"; exit 0; }; done
tmpdir
cat >"$TMP/init" <<'S'
#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t devtmpfs none /dev
for m in $(cat /order); do insmod /$m || echo "NO MODULE $m"; done
mount -t ext4 /dev/vda /mnt || echo "MOUNT FAILED"
cd /mnt
while :; do
    d=r$(cut -c1-8 /proc/sys/kernel/random/uuid)
    mkdir $d
    for f in 1 2 3 4; do dd if=/dev/urandom of=$d/$f bs=4096 count=$((f * 5)) 2>/dev/null; done
    (cd $d && md5sum 1 2 3 4 >sum)
    sync
    echo "SYNCED $d $(md5sum <$d/sum | cut -c1-32)"
done
S
for guest in $guests; do
    name=kill/$guest
    kernel_of $guest
    case $? in
    0) ;;
    77) skip $name "the Debian archive does not answer"; continue ;;
    *) fail $name "no kernel"; continue ;;
    esac
    rm -rf "$TMP/mods" "$TMP/raw" && mkdir "$TMP/mods"
    for m in virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_mmio virtio_blk crc32c_generic libcrc32c crc16 mbcache jbd2 ext4; do
        f=$(find "$MODULES/" -name "$m.ko" -o -name "$m.ko.xz" | head -1)
        case $f in '') continue ;; *.xz) xz -dc "$f" >"$TMP/mods/$m.ko" ;; *) cp "$f" "$TMP/mods/" ;; esac
        echo $m.ko >>"$TMP/mods/order"
    done
    initramfs "$TMP/initrd" "$TMP/init" "$TMP/mods"/*
    truncate -s 256M "$TMP/raw" && mkfs.ext4 -q -F "$TMP/raw" && "$build/lyre-img" convert -f raw -O qcow2 "$TMP/raw" "$TMP/disk.qcow2"
    python3 "$here/kill.py" $rounds ${SEED:-1} "$TMP/disk.qcow2" "$TMP/raw" "$build/lyre-system-$guest" -M virt -m 512 -smp 2 -nographic -nic none -kernel "$KERNEL" -initrd "$TMP/initrd" \
        -append "console=$(console_of $guest) quiet" -drive if=none,id=d0,format=qcow2,file="$TMP/disk.qcow2",@OPTS@ -device virtio-blk-pci,drive=d0 >"$TMP/log" 2>&1
    rc=$?
    [ $rc = 0 ] && pass $name || fail $name "$(head -c 2000 "$TMP/log" | tr '\n' ' ')"
done
