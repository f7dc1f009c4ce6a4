#!/bin/bash
# devices_test.sh BUILD [--full]: devices that are not virtio's, driven by Debian's own kernels (drivers are modules of their packages): Intel's network
# cards get an address from the user network and fetch a file; SD cards of both kinds are read, written and found unharmed;
# a watchdog that nobody feeds resets the machine, or powers it off. ONLY=REGEX: the tests whose name matches.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
begin devices mkfs.ext4 e2fsck || exit 0
http_server
sum=$(seq 1 300000 | md5sum | cut -d' ' -f1)
card=('# ' 'mount -t ext4 /dev/mmcblk0 /mnt && seq 1 300000 >/mnt/numbers && umount /mnt && echo writ""ten\n' written -
    '# ' 'echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/mmcblk0 /mnt && md5sum /mnt/numbers\n' "$sum" - '# ' 'umount /mnt && echo a""way\n' away -)
dog=('# ' 'watchdog -T 2 -t 600 /dev/watchdog; echo feed""ing\n' feeding -)
# card_test NAME BYTES OPTIONS...
card_test() {
    local name=$1
    [[ devices/$guest/$name =~ ${ONLY:-.} ]] || return 0
    rm -f "$TMP/card"
    truncate -s $2 "$TMP/card" && mkfs.ext4 -q -F "$TMP/card" 64M
    shift 2
    machine $name 120 "${card[@]}" "${off[@]}" -- -nic none "$@"
    if e2fsck -fn "$TMP/card" >"$TMP/log" 2>&1; then pass devices/$guest/$name-fsck; else fail devices/$guest/$name-fsck "$(tail -5 "$TMP/log" | tr '\n' ' ')"; fi
}
for guest in aarch64 riscv64; do
    kernel_of $guest
    case $? in
    0) ;;
    77) skip devices/$guest "the Debian archive does not answer"; continue ;;
    *) fail devices/$guest "no kernel"; continue ;;
    esac
    modules $guest pps_core ptp e1000 e1000e mmc_core cqhci sdhci sdhci-pci mmc_block crc32c_generic libcrc32c crc16 mbcache jbd2 ext4 i6300esb
    cp "$TMP/dhcp" "$TMP/$guest"
    initramfs "$TMP/initrd-$guest" "$TMP/init" "$TMP/$guest"/*
    case $guest in # boards with messages for interrupts
    aarch64) four=virt,gic-version=3 ;;
    riscv64) four=virt,aia=aplic-imsic ;;
    esac
    machine e1000e 120 "${net[@]}" - '# ' 'grep -c eth0 /proc/interrupts\n' '3' - "${off[@]}" -- -M $four -smp 2 -nic user,model=e1000e,mac=52:54:00:0e:0e:01
    machine e1000e-intx 120 "${net[@]}" - "${off[@]}" -- -M virt -netdev user,id=n0 -device e1000e,netdev=n0
    machine e1000 120 "${net[@]}" - "${off[@]}" -- -M $four -nic user,model=e1000
    if [ -e "$TMP/$guest/i6300esb.ko" ]; then
        machine watchdog-reset 120 "${dog[@]}" 'CPUS 1' - "${off[@]}" -- -M virt -nic none -device i6300esb
        machine watchdog-poweroff 120 "${dog[@]}" -- -M virt -nic none -device i6300esb -action watchdog=poweroff
    else
        skip devices/$guest/watchdog "this kernel has no module i6300esb"
    fi
    card_test sd-card 128M -M virt -device sdhci-pci -drive if=sd,format=raw,file="$TMP/card"
    card_test sdhc-card 4G -M $four -smp 2 -device sdhci-pci,id=h -drive if=none,id=d,format=raw,file="$TMP/card" -device sd-card,drive=d,bus=h.sd
done
