#!/bin/bash
# hotplug_test.sh BUILD: Debian's arm64 kernel (riscv64's has no PCIe hot-plug) while disks, network cards and media come and go by QMP (hotplug.py).
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
begin hotplug || exit 0
for guest in ${GUESTS:-aarch64}; do
    kernel_of $guest
    case $? in
    0) ;;
    77) skip hotplug/$guest "the Debian archive does not answer"; continue ;;
    *) fail hotplug/$guest "no kernel"; continue ;;
    esac
    modules $guest virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk failover net_failover virtio_net crct10dif_common crct10dif_generic crc-t10dif crc64 crc64_rocksoft_generic crc64-rocksoft t10-pi scsi_common scsi_mod sd_mod cdrom sr_mod virtio_scsi
    initramfs "$TMP/initrd" "$TMP/init" "$TMP/$guest"/*
    head -c 4M /dev/zero >"$TMP/disk" && printf 'on a disk' | dd of="$TMP/disk" conv=notrunc status=none
    if PYTHONPATH=$here python3 "$here/hotplug.py" "$TMP/disk" "$build/lyre-system-$guest" -M virt -nographic -m 256 -smp 2 -nodefaults -serial stdio \
        -kernel "$KERNEL" -initrd "$TMP/initrd" -append "console=$(console_of $guest) quiet panic=-1" \
        -device pcie-root-port,id=rp1,chassis=1 -device pcie-root-port,id=rp2,chassis=2 -object iothread,id=io0 \
        -device virtio-scsi-pci,id=hba,iothread=io0 -drive if=none,id=cd0,media=cdrom -device scsi-cd,id=cd,drive=cd0,bus=hba.0 >"$TMP/log" 2>&1
    then pass hotplug/$guest; else fail hotplug/$guest "$(tail -c 2000 "$TMP/log" | tr '\n' ' ')"; fi
done
