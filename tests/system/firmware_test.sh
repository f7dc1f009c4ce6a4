#!/bin/bash
# firmware_test.sh BUILD [--full]: Debian's kernels as a computer's owner starts them: EDK2 (U-Boot on RISC-V, too) finds an EFI system partition, GRUB on
# it the kernel. By ACPI and by device tree. With --full also: 1 and 4 CPUs each; Debian's installers, directly and through firmware, to their first
# screen; the disk of debian_root_test.sh to its login, GRUB reading kernel and initrd from its ext4. EDK2 for RISC-V and OpenSBI
# are trixie's: OpenSBI 1.1 does not keep the system off its own memory unless there is a device tree, so ACPI needs a newer one.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
full=${2:-}
[ -e "$build/lyre-system-aarch64" ] || { skip firmware "no system mode"; exit 0; }
for t in python3 cpio gzip mkfs.vfat mcopy; do have $t || { skip firmware "no $t"; exit 0; }; done
tmpdir
cat >"$TMP/init" <<'S'
#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t efivarfs none /sys/firmware/efi/efivars
echo "CPUS $(grep -c ^processor /proc/cpuinfo) PCI $(ls /sys/bus/pci/devices | wc -l) ACPI $(ls /sys/firmware/acpi/tables 2>/dev/null | grep -c FACP)"
exec sh
S
# esp GRUB NAME CONFIG FILE...: a disk $TMP/esp with an EFI system partition (an MBR's, at 1 MiB)
esp() {
    local grub=$1 name=$2 config=$3 f
    shift 3
    printf 'set timeout=0\necho "grub is here"\n%sboot\n' "$config" >"$TMP/grub.cfg"
    rm -f "$TMP/esp"
    truncate -s 161M "$TMP/esp" && mkfs.vfat -F 32 -n ESP --offset 2048 "$TMP/esp" $((160 << 10)) || return 1
    printf '\0\0\0\0\xef\0\0\0\0\x08\0\0\0\0\x05\0' | dd of="$TMP/esp" bs=1 seek=446 conv=notrunc status=none
    printf '\x55\xaa' | dd of="$TMP/esp" bs=1 seek=510 conv=notrunc status=none
    mmd -i "$TMP/esp@@1M" ::EFI ::EFI/BOOT ::EFI/debian && mcopy -i "$TMP/esp@@1M" "$grub" "::EFI/BOOT/$name" && mcopy -i "$TMP/esp@@1M" "$TMP/grub.cfg" ::EFI/debian/grub.cfg || return 1
    for f; do mcopy -i "$TMP/esp@@1M" "${f#*=}" "::${f%%=*}" || return 1; done
}
# machine NAME SECONDS [WORD SEND]... WORD -- OPTIONS...
machine() {
    local name=firmware/$guest/$1 limit=$2 words=()
    shift 2
    [[ $name =~ ${ONLY:-.} ]] || return 0
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    python3 "$here/boot.py" $ends "${T_LIMIT:-$limit}" "${words[@]}" -- "$build/lyre-system-$guest" -nographic "$@" >"$TMP/log" 2>&1
    if [ $? = 0 ]; then pass "$name"; else fail "$name" "$(head -c 2000 "$TMP/log" | tr '\n' ' ')"; fi
}
disk=(-drive "if=none,id=e0,format=raw,readonly=on,file=$TMP/esp" -device virtio-blk-pci,drive=e0)
# kernel NAME CPUS ACPI OPTIONS...: GRUB's word, the kernel's, poweroff
kernel() {
    local name=$1 cpus=$2 acpi=$3
    shift 3
    ends=-x machine "$name" 240 'grub is here' - "CPUS $cpus PCI 3 ACPI $acpi" - '# ' 'echo "answer $((6 * 7))"\n' 'answer 42' - '# ' 'poweroff -f\n' 'Power down' \
        -- -m 512 -smp "$cpus" "${disk[@]}" -device virtio-rng-pci -nic none "$@"
}
# To the language menu.
installer() { # NAME CPUS OPTIONS...
    local name=$1 cpus=$2
    shift 2
    ends='' machine "installer-$name-${cpus}cpu" 1200 'Choose the language' - 'English' - -- -m 1024 -smp "$cpus" "$@"
}
root_disk() { # CPUS OPTIONS...
    local cpus=$1 name=firmware/$guest/debian-root-${1}cpu d=$LYRE_CACHE/debian-root-${target%%:*}-1
    shift
    [[ $name =~ ${ONLY:-.} ]] || return 0
    [ -e "$d/disk.qcow2" ] || { skip "$name" "debian_root_test.sh has not made its disk"; return; }
    "$build/lyre-img" create -q -f qcow2 -F qcow2 -b "$d/disk.qcow2" "$TMP/root.qcow2" >"$TMP/log" 2>&1 || { fail "$name" "$(cat "$TMP/log")"; return; }
    ends=-x machine "debian-root-${cpus}cpu" 1800 'grub is here' - 'lyre login: ' 'root\n' 'Password: ' 'lyre\n' 'lyre:~# ' 'nproc; echo "answer $((6 * 7))"; poweroff\n' "$cpus" - 'answer 42' - 'Power down' \
        -- -m 1024 -smp "$cpus" -drive if=none,id=d0,format=qcow2,file="$TMP/root.qcow2" -device virtio-blk-pci,drive=d0 "${disk[@]}" -nic user,model=virtio-net-pci "$@"
    rm -f "$TMP/root.qcow2"
}
for guest in aarch64 riscv64; do
    target=$(deb_arch $guest) console=$(console_of $guest)
    case $guest in
    aarch64) package=grub-efi-arm64-bin efi_arch=arm64-efi efi=BOOTAA64.EFI di=debian-installer-12-netboot-arm64 ;;
    riscv64) package=grub-efi-riscv64-bin efi_arch=riscv64-efi efi=BOOTRISCV64.EFI di=debian-installer-13-netboot-riscv64 ;;
    esac
    kernel_of $guest && grub=$("$tests/fetch.sh" $target $package 2>/dev/null)
    case $? in
    0) ;;
    77) skip firmware/$guest "the Debian archive does not answer"; continue ;;
    *) fail firmware/$guest "no kernel, or no GRUB"; continue ;;
    esac
    grub=$grub/usr/lib/grub/$efi_arch/monolithic/grub${efi_arch%-efi}.efi
    [ $guest = aarch64 ] && grub=${grub/grubarm64/grubaa64}
    initramfs "$TMP/initrd" "$TMP/init"
    boot="console=$console panic=-1 quiet"
    esp "$grub" $efi "linux /kernel $boot"$'\ninitrd /initrd\n' kernel="$KERNEL" initrd="$TMP/initrd" >"$TMP/log" 2>&1 || { fail firmware/$guest "$(tail -3 "$TMP/log")"; continue; }
    if [ $guest = aarch64 ]; then
        by_firmware=(-M virt,gic-version=3 -bios /usr/share/qemu-efi-aarch64/QEMU_EFI.fd)
        [ -e "${by_firmware[3]}" ] || { skip firmware/$guest "no qemu-efi-aarch64"; continue; }
        kernel edk2-acpi-4cpu 4 1 "${by_firmware[@]}"
        [ -n "$full" ] && kernel edk2-acpi-1cpu 1 1 "${by_firmware[@]}"
        [ -n "$full" ] && kernel edk2-tree-4cpu 4 0 -M virt,gic-version=2,acpi=off "${by_firmware[@]:2}"
        [ -n "$full" ] && kernel edk2-el2-4cpu 4 1 -M virt,gic-version=3,virtualization=on "${by_firmware[@]:2}"
    else
        fw=$("$tests/fetch.sh" amd64:trixie qemu-efi-riscv64 opensbi 2>/dev/null) || { skip firmware/$guest "no qemu-efi-riscv64"; continue; }
        cp "$fw/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd" "$TMP/vars"
        edk2=(-bios "$fw/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin" -drive if=pflash,unit=1,format=raw,file="$TMP/vars"
            -drive if=pflash,unit=0,format=raw,readonly=on,file="$fw/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd")
        by_firmware=(-M virt,acpi=off "${edk2[@]}")
        uboot=/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf
        kernel edk2-acpi-4cpu 4 1 -M virt "${edk2[@]}"
        [ -n "$full" ] && for aia in aplic aplic-imsic; do kernel edk2-acpi-$aia-4cpu 4 1 -M virt,aia=$aia "${edk2[@]}"; done
        [ -n "$full" ] && kernel edk2-acpi-1cpu 1 1 -M virt "${edk2[@]}"
        [ -n "$full" ] && kernel edk2-tree-4cpu 4 0 "${by_firmware[@]}"
        if [ -e $uboot ]; then
            kernel u-boot-1cpu 1 0 -M virt -kernel $uboot
            [ -n "$full" ] && kernel u-boot-4cpu 4 0 -M virt -kernel $uboot
        else
            skip firmware/$guest/u-boot "no u-boot-qemu"
        fi
    fi
    [ -n "$full" ] || continue
    esp "$grub" $efi "search --no-floppy --set=root --file /sbin/init
linux (\$root)/vmlinuz root=/dev/vda rw console=$console net.ifnames=0 systemd.default_device_timeout_sec=900
initrd (\$root)/initrd.img
" >"$TMP/log" 2>&1
    for cpus in 1 4; do root_disk $cpus "${by_firmware[@]}"; done
    root=$("$tests/fetch.sh" $target $di 2>/dev/null) || { skip firmware/$guest/installer "no $di to be had"; continue; }
    dir=$(dirname "$(find "$root/usr/lib/debian-installer/images" -name initrd.gz | grep -v gtk | head -1)")
    for cpus in 1 4; do installer direct $cpus -M virt -kernel "$dir/linux" -initrd "$dir/initrd.gz" -append "console=$console quiet TERM=linux"; done
    esp "$grub" $efi "linux /linux console=$console quiet TERM=linux"$'\ninitrd /initrd.gz\n' linux="$dir/linux" initrd.gz="$dir/initrd.gz" >"$TMP/log" 2>&1
    for cpus in 1 4; do installer firmware $cpus "${by_firmware[@]}" "${disk[@]}"; done
done
