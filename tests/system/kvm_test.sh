#!/bin/bash
# kvm_test.sh BUILD [--full]: machines in our machines: Debian's kernel at EL2 (or in HS mode) with its KVM, Debian's own qemu-system on it, in that the
# same kernel again, with two CPUs each. Only with --full.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
[ "${2:-}" = --full ] || { skip kvm "only with --full"; exit 0; }
[ -e "$build/lyre-system-aarch64" ] || { skip kvm "no system mode"; exit 0; }
for t in python3 cpio gzip mke2fs xz; do have $t || { skip kvm "no $t"; exit 0; }; done
tmpdir
cat >"$TMP/outer" <<'S'
#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for m in $(cat /order); do insmod /$m || echo "NO MODULE $m"; done
mount -t ext4 -o ro /dev/vda /mnt
for d in dev proc sys; do mount --bind /$d /mnt/$d; done
mount -t tmpfs none /mnt/tmp
echo "OUTER $(grep -c ^processor /proc/cpuinfo)"
exec sh
S
cat >"$TMP/inner" <<'S'
#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t devtmpfs none /dev
echo "INNER $(grep -c ^processor /proc/cpuinfo)"
exec sh
S
for guest in aarch64 riscv64; do
    target=$(deb_arch $guest) console=$(console_of $guest) name=kvm/$guest
    [[ $name =~ ${ONLY:-.} ]] || continue
    case $guest in
    aarch64) package=qemu-system-arm inner=virt,gic-version=host outer=virt,gic-version=3,virtualization=on ;;
    riscv64) package=qemu-system-riscv inner=virt outer=virt ;;
    esac
    kernel_of $guest && root=$("$tests/fetch.sh" $target $package ipxe-qemu 2>/dev/null)
    case $? in
    0) ;;
    77) skip $name "the Debian archive does not answer"; continue ;;
    *) fail $name "no kernel, or no $package"; continue ;;
    esac
    rm -rf "$TMP/root" "$TMP/mods"
    mkdir -p "$TMP/root"/{proc,sys,dev,tmp} "$TMP/mods"
    cp -a "$root"/{usr,lib,bin,sbin} "$TMP/root/" && rm -rf "$TMP/root"/usr/share/{doc,locale,man,icons} "$TMP/root/usr/lib/modules"
    initramfs "$TMP/root/initrd" "$TMP/inner" && cp "$KERNEL" "$TMP/root/kernel"
    mke2fs -q -F -t ext4 -d "$TMP/root" "$TMP/disk" 600M >"$TMP/log" 2>&1 || { fail $name "$(tail -3 "$TMP/log" | tr '\n' ' ')"; continue; }
    for m in kvm virtio_mmio virtio_blk crc32c_generic libcrc32c crc16 mbcache jbd2 ext4; do
        f=$(find "$MODULES/" -name "$m.ko" -o -name "$m.ko.xz" | head -1)
        case $f in '') continue ;; *.xz) xz -dc "$f" >"$TMP/mods/$m.ko" ;; *) cp "$f" "$TMP/mods/" ;; esac
        echo $m.ko >>"$TMP/mods/order"
    done
    initramfs "$TMP/initrd" "$TMP/outer" "$TMP/mods"/*
    python3 "$here/boot.py" -x ${T_LIMIT:-1200} 'OUTER 2' - '# ' \
        "chroot /mnt /usr/bin/qemu-system-$guest -accel kvm -M $inner -cpu host -smp 2 -m 256 -nographic -nodefaults -serial mon:stdio -kernel /kernel -initrd /initrd -append 'console=$console quiet' -no-reboot && echo ended we''ll\\n" \
        'INNER 2' - '# ' 'for i in 1 2 3 4; do seq 1 20000 | gzip | gunzip | md5sum & done; wait; echo "answer $((6 * 7))"\n' "$(seq 1 20000 | md5sum | cut -c1-32)" - 'answer 42' - \
        '# ' 'poweroff -f\n' 'Power down' - 'ended well' - '# ' 'poweroff -f\n' 'Power down' \
        -- "$build/lyre-system-$guest" -M $outer -m 1024 -smp 2 -nographic -nic none -kernel "$KERNEL" -initrd "$TMP/initrd" -append "console=$console quiet" \
        -drive if=none,id=d0,format=raw,readonly=on,file="$TMP/disk" -device virtio-blk-device,drive=d0 >"$TMP/log" 2>&1
    rc=$?
    [ $rc = 0 ] && pass $name || fail $name "$(head -c 2000 "$TMP/log" | tr '\n' ' ')"
done
