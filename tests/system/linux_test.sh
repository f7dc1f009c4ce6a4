#!/bin/bash
# linux_test.sh BUILD [--full]: Debian's own kernels (by name from the archive) with busybox on the boards `virt`: commands are typed at a shell on
# the serial console and their answers checked; 1 and 4 CPUs, GICv2 and GICv3; an ext4 disk written before and read after a reboot, by PCI and by
# MMIO; the user network to an HTTP server on this machine's loopback; hashes from 4 busy CPUs; poweroff is exit status 0. With --full also
# the interpreter. ONLY=REGEX: the tests whose name matches.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
full=${2:-}
begin linux mkfs.ext4 e2fsck || exit 0
http_server
# JOBS ROUNDS: hashes of what went through gzip and back, on all CPUs at once
cat >"$TMP/stress" <<'S'
#!/bin/sh
one() { for r in $(seq $2); do seq $1 20000 | gzip | gunzip | md5sum; done >/tmp/s.$1; }
for j in $(seq $1); do one $j $2 & done
wait
for j in $(seq $1); do sort -u /tmp/s.$j; done | md5sum
for j in $(seq $1); do [ $(wc -l </tmp/s.$j) = $2 ] || echo "ROUNDS MISSING $j"; done
S
chmod 755 "$TMP/stress"
stress_sum=$(for j in 1 2 3 4 5 6; do seq $j 20000 | md5sum; done | md5sum | cut -d' ' -f1)
disk=(-drive "if=none,id=d0,format=raw,file=$TMP/disk")
hello=('# ' 'echo "answer $((6 * 7))"\n' 'answer 42')
write=('# ' 'mount -t ext4 /dev/vda /mnt && seq 1 300000 >/mnt/numbers && mkdir -p /mnt/a/b && echo kept >/mnt/a/b/c && umount /mnt && echo writ""ten\n' written -)
numbers_sum=$(seq 1 300000 | md5sum | cut -d' ' -f1)
read_back=('# ' 'mount -t ext4 /dev/vda /mnt && md5sum /mnt/numbers && cat /mnt/a/b/c\n' "$numbers_sum" - kept - '# ' 'umount /mnt && echo a""way\n' away -)
stress=('# ' '/stress 6 3\n' "$stress_sum")
fsck_disk() {
    [[ linux/$guest/disk-fsck =~ ${ONLY:-.} ]] || return 0
    if e2fsck -fn "$TMP/disk" >"$TMP/log" 2>&1; then pass linux/$guest/disk-fsck; else fail linux/$guest/disk-fsck "$(tail -5 "$TMP/log" | tr '\n' ' ')"; fi
}
for guest in aarch64 riscv64; do
    kernel_of $guest
    case $? in
    0) ;;
    77) skip linux/$guest "the Debian archive does not answer"; continue ;;
    *) fail linux/$guest "no kernel"; continue ;;
    esac
    modules $guest virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_mmio virtio_blk crc32c_generic libcrc32c crc16 mbcache jbd2 ext4 failover net_failover virtio_net
    cp "$TMP/dhcp" "$TMP/stress" "$TMP/$guest"
    initramfs "$TMP/initrd-$guest" "$TMP/init" "$TMP/$guest"/*
    truncate -s 0 "$TMP/disk" && truncate -s 32M "$TMP/disk" && mkfs.ext4 -q -F "$TMP/disk"
    blk_pci=("${disk[@]}" -device virtio-blk-pci,drive=d0) blk_mmio=("${disk[@]}" -device virtio-blk-device,drive=d0)
    net_pci=(-netdev user,id=n0 -device virtio-net-pci,netdev=n0) net_mmio=(-netdev user,id=n0 -device virtio-net-device,netdev=n0)
    one=virt four=virt
    [ $guest = aarch64 ] && one=virt,gic-version=2 four=virt,gic-version=3
    machine 1cpu-pci-disk-reboot 240 'CPUS 1' - "${hello[@]}" - "${write[@]}" '# ' 'reboot -f\n' 'CPUS 1' - "${read_back[@]}" "${off[@]}" -- -M $one "${blk_pci[@]}" -nic none
    machine 4cpu-mmio-disk-net-stress 240 'CPUS 4' - "${hello[@]}" - "${read_back[@]}" "${net[@]}" - "${stress[@]}" - "${off[@]}" \
        -- -M $four -smp 4 "${blk_mmio[@]}" "${net_mmio[@]}"
    fsck_disk
    machine 1cpu-net-pci 120 'CPUS 1' - "${net[@]}" - "${off[@]}" -- -M $four "${net_pci[@]}"
    [ $guest = aarch64 ] && machine 4cpu-gic2 120 'CPUS 4' - "${hello[@]}" - "${off[@]}" -- -M $one -smp 4 -nic none
    [ -n "$full" ] || continue
    machine interp 600 'CPUS 1' - "${hello[@]}" - "${off[@]}" -- -M $one -accel interp -nic none
done
