#!/bin/bash
# sifive_u_test.sh BUILD [--full]: the board `sifive_u`: its device tree beside the installed QEMU's; Debian's U-Boot for the real board (SPL, then
# OpenSBI and U-Boot) from an SD card and from the serial flash, to its prompt and onto the network; Debian's kernel on five cores with card,
# flash and Ethernet, and a reset by its GPIO pin. ONLY=REGEX: the tests whose name matches.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
guest=riscv64
begin sifive_u mkfs.ext4 e2fsck || exit 0
http_server
sys=$build/lyre-system-riscv64
if have qemu-system-riscv64; then
    for n in 2 5; do
        qemu-system-riscv64 -M sifive_u,dumpdtb="$TMP/q.dtb" -smp $n -m 512 -display none >"$TMP/log" 2>&1
        "$sys" -M sifive_u,dumpdtb="$TMP/o.dtb" -smp $n -m 512 -display none >>"$TMP/log" 2>&1
        # the cores' descriptions are their model's: QEMU's have another MMU than the chip's, ours name every part of the ISA. Clocks are
        # numbers of the controller, which the comparison takes for nodes
        python3 "$here/dt_compare.py" "$TMP/q.dtb" "$TMP/o.dtb" 2>&1 | grep -vE 'riscv,isa|mmu-type| clocks |phy-handle|interrupts-extended|aliases serial1' >"$TMP/diff"
        if [ -s "$TMP/o.dtb" ] && ! [ -s "$TMP/diff" ]; then pass sifive_u/tree-$n; else fail sifive_u/tree-$n "$(head -c 800 "$TMP/diff" "$TMP/log" | tr '\n' ' ')"; fi
    done
else
    skip sifive_u/tree "no qemu-system-riscv64"
fi
# uboot NAME MSEL SPL-SECTOR UBOOT-SECTOR SIZE INTERFACE WHAT-SPL-CALLS-IT
uboot() {
    [[ sifive_u/$1 =~ ${ONLY:-.} ]] || return 0
    rm -f "$TMP/image"
    truncate -s $5 "$TMP/image"
    dd if="$U/u-boot-spl.bin" of="$TMP/image" bs=512 seek=$3 conv=notrunc status=none
    dd if="$U/u-boot.itb" of="$TMP/image" bs=512 seek=$4 conv=notrunc status=none
    if python3 "$here/boot.py" 180 'U-Boot SPL' - "Trying to boot from $7" - 'DRAM:  8 GiB' - 'stop autoboot' '\n' '=> ' 'sf probe\n' 'is25wp256' - '=> ' 'dhcp\n' \
        'DHCP client bound to address 10.0.2.15' - '=> ' - -- "$sys" -M sifive_u,msel=$2 -smp 5 -m 8G -nographic -bios "$U/u-boot-spl.bin" \
        -drive if=$6,format=raw,file="$TMP/image" >"$TMP/log" 2>&1; then pass sifive_u/$1; else fail sifive_u/$1 "$(head -c 2000 "$TMP/log" | tr '\n' ' ')"; fi
}
root=$("$tests/fetch.sh" riscv64:trixie u-boot-sifive 2>/dev/null)
U=$root/usr/lib/u-boot/sifive_unleashed
if [ -e "$U/u-boot-spl.bin" ]; then
    uboot u-boot-sd 11 34 2082 64M sd MMC1
    uboot u-boot-flash 6 40 2088 32M mtd SPI
else
    skip sifive_u/u-boot "no u-boot-sifive to be had"
fi
kernel_of riscv64
case $? in
0) ;;
77) skip sifive_u/linux "the Debian archive does not answer"; exit 0 ;;
*) fail sifive_u/linux "no kernel"; exit 0 ;;
esac
modules riscv64 crc7 crc-itu-t mmc_core mmc_block of_mmc_spi mmc_spi spi-sifive mtd spi-nor mtd_blkdevs mtdblock libphy fixed_phy fwnode_mdio of_mdio mdio_devres \
    phylink marvell macb crc32c_generic libcrc32c crc16 mbcache jbd2 ext4
cp "$TMP/dhcp" "$TMP/riscv64"
initramfs "$TMP/initrd-riscv64" "$TMP/init" "$TMP/riscv64"/*
console_of() { echo ttySIF0; }
truncate -s 64M "$TMP/card" && mkfs.ext4 -q -F "$TMP/card"
seq 1 6000000 | head -c 32M >"$TMP/flash"
flash_sum=$(head -c 512K "$TMP/flash" | md5sum | cut -d' ' -f1)
card_sum=$(seq 1 30000 | md5sum | cut -d' ' -f1)
# The driver of cards on SPI gives a read 100 ms: on a busy host it may need another try.
machine linux 400 'CPUS 4' - '# ' 'for i in 1 2 3 4 5; do mount -t ext4 /dev/mmcblk0 /mnt && break; done; seq 1 30000 >/mnt/x && umount /mnt && mount -t ext4 /dev/mmcblk0 /mnt && md5sum /mnt/x; umount /mnt\n' "$card_sum" - \
    '# ' 'dd if=/dev/mtd0 bs=64k count=8 2>/dev/null | md5sum\n' "$flash_sum" - \
    '# ' 'dd if=/dev/zero bs=4k count=1 2>/dev/null | tr "\\0" "q" >/tmp/q; dd if=/tmp/q of=/dev/mtdblock0 bs=4k seek=1 2>/dev/null && sync && echo writ""ten\n' written - \
    "${net[@]}" - '# ' 'reboot -f\n' 'CPUS 4' - '# ' 'echo ag""ain\n' again -  '# ' '\001x' -- -M sifive_u -smp 5 -nic user \
    -drive if=sd,format=raw,file="$TMP/card" -drive if=mtd,format=raw,file="$TMP/flash"
if [[ sifive_u/linux =~ ${ONLY:-.} ]]; then
    if e2fsck -fn "$TMP/card" >"$TMP/log" 2>&1; then pass sifive_u/linux-fsck; else fail sifive_u/linux-fsck "$(tail -5 "$TMP/log" | tr '\n' ' ')"; fi
    if [ "$(dd if="$TMP/flash" bs=4k skip=1 count=1 status=none | tr -d q | wc -c)" = 0 ]; then pass sifive_u/linux-flash; else fail sifive_u/linux-flash "what was written is not there"; fi
fi
