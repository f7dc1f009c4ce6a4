#!/bin/bash
# usb_test.sh BUILD: USB under Debian's own kernels and EDK2 (usb.py): a keyboard that VNC types at and a tablet, behind xHCI and behind a hub; a disk that
# is written and found unharmed; devices that come and go; EDK2 takes keys from the keyboard and reads a file of a disk. ONLY=REGEX: names that match.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
begin usb mkfs.ext4 e2fsck || exit 0
http_server
sum=$(seq 1 300000 | md5sum | cut -d' ' -f1)
disk=('# ' 'while ! [ -e /dev/sda ]; do :; done; mount -t ext4 /dev/sda /mnt && seq 1 300000 >/mnt/numbers && umount /mnt && echo writ""ten\n' written -
    '# ' 'echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/sda /mnt && md5sum /mnt/numbers\n' "$sum" - '# ' 'umount /mnt && echo a""way\n' away -)
# usb NAME MODE COMMAND...
usb() {
    local name=usb/$1
    [[ $name =~ ${ONLY:-.} ]] || return 0
    if PYTHONPATH=$here timeout 240 python3 "$here/usb.py" "$2" "$TMP/disk2" "${@:3}" >"$TMP/log" 2>&1; then pass $name; else fail $name "$(tail -c 2500 "$TMP/log" | tr '\n' ' ')"; fi
}
for guest in aarch64 riscv64; do
    kernel_of $guest
    case $? in
    0) ;;
    77) skip usb/$guest "the Debian archive does not answer"; continue ;;
    *) fail usb/$guest "no kernel"; continue ;;
    esac
    modules $guest usb-common usbcore xhci-hcd xhci-pci hid usbhid hid-generic evdev scsi_common scsi_mod crct10dif_common crct10dif_generic \
        crc-t10dif crc64 crc64_rocksoft_generic crc64-rocksoft t10-pi sd_mod usb-storage uas mii usbnet cdc_ether usbserial ftdi_sio \
        crc32c_generic libcrc32c crc16 mbcache jbd2 ext4 qemu_fw_cfg
    cp "$TMP/dhcp" "$TMP/$guest"
    initramfs "$TMP/initrd" "$TMP/init" "$TMP/$guest"/*
    cp "$TMP/initrd" "$TMP/initrd-$guest"
    four=virt,gic-version=3
    [ $guest = riscv64 ] && four=virt,aia=aplic-imsic
    for model in qemu-xhci nec-usb-xhci; do
        [ $guest-$model = riscv64-nec-usb-xhci ] && continue
        board=$four
        [ $model = nec-usb-xhci ] && board=virt
        rm -f "$TMP/disk" "$TMP/disk2"
        truncate -s 64M "$TMP/disk" && mkfs.ext4 -q -F "$TMP/disk"
        head -c 4M /dev/zero >"$TMP/disk2" && printf 'on a disk' | dd of="$TMP/disk2" conv=notrunc status=none
        usb $guest/$model linux "$build/lyre-system-$guest" -M $board -smp 2 -m 512 -nodefaults -serial stdio -kernel "$KERNEL" -initrd "$TMP/initrd" \
            -append "console=$(console_of $guest) quiet panic=-1" -device $model,id=x -device usb-hub,port=2 -device usb-kbd,port=2.1,id=kbd -device usb-tablet,port=1 \
            -drive if=none,id=d,format=raw,file="$TMP/disk" -device usb-storage,drive=d,port=3,serial=stick
        [[ usb/$guest/$model-fsck =~ ${ONLY:-.} ]] || continue
        if e2fsck -fn "$TMP/disk" >"$TMP/log" 2>&1; then pass usb/$guest/$model-fsck; else fail usb/$guest/$model-fsck "$(tail -5 "$TMP/log" | tr '\n' ' ')"; fi
    done
    # SCSI disks by UAS, with streams (super speed) and without; a serial adapter; a network card
    for ports in p3=4 p3=0; do
        rm -f "$TMP/disk"
        truncate -s 64M "$TMP/disk" && mkfs.ext4 -q -F "$TMP/disk"
        machine uas-$ports 200 "${disk[@]}" '# ' 'cat /sys/firmware/qemu_fw_cfg/by_name/bootorder/raw; echo en""d\n' /usb@3/storage@2/channel@0/disk@0,0 - \
            /usb@3/hub@1/network@4/ethernet-phy@0 - end - "${off[@]}" -- -M $four -smp 2 -nic none -device qemu-xhci,$ports,addr=3 -device usb-uas,id=u,port=2 \
            -drive if=none,id=d,format=raw,file="$TMP/disk" -device scsi-hd,bus=u.0,drive=d,bootindex=1 -device usb-hub,port=1 -device usb-net,port=1.4,bootindex=2
    done
    : >"$TMP/line"
    machine serial 120 '# ' 'while ! [ -e /dev/ttyUSB0 ]; do :; done; stty -F /dev/ttyUSB0 115200 raw -echo; seq 1 5000 >/dev/ttyUSB0; echo writ""ten\n' written - \
        "${off[@]}" -- -M $four -nic none -device qemu-xhci -chardev file,id=c,path="$TMP/line" -device usb-serial,chardev=c
    [[ usb/$guest/serial-file =~ ${ONLY:-.} ]] && if seq 1 5000 | cmp -s - "$TMP/line"; then pass usb/$guest/serial-file; else fail usb/$guest/serial-file "$(wc -c <"$TMP/line")"; fi
    nic=('# ' 'while ! [ -e /sys/class/net/*/device/../idVendor ]; do :; done; n=$(ls /sys/class/net | grep -v lo | grep -v sit); ip link set $n up; udhcpc -q -n -i $n -s /dhcp\n' \
        'LEASE 10.0.2.15' - "${net[@]:4}")
    machine net 200 "${nic[@]}" - "${off[@]}" -- -M $four -nic none -device qemu-xhci -netdev user,id=n -device usb-net,netdev=n
done
efi=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd
if [ -e $efi ] && have mkfs.vfat && have mcopy; then
    rm -f "$TMP/fat"
    truncate -s 48M "$TMP/fat" && mkfs.vfat -F 16 "$TMP/fat" >/dev/null && printf 'read from a stick\r\n' >"$TMP/hello.txt" && mcopy -i "$TMP/fat" "$TMP/hello.txt" ::
    usb edk2 edk2 "$build/lyre-system-aarch64" -M virt -cpu max -m 512 -nodefaults -serial stdio -bios $efi -device ramfb -usb -usbdevice keyboard \
        -drive if=none,id=d,format=raw,file="$TMP/fat" -device usb-storage,drive=d
else
    skip usb/edk2 "no qemu-efi-aarch64, dosfstools or mtools"
fi
