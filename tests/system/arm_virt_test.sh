#!/bin/bash
# arm_virt_test.sh BUILD [--full]: the board `virt` of AArch64: its device trees beside those that the installed QEMU makes; Debian's EDK2 and
# U-Boot to their prompts; with a Debian kernel at hand ($CORPUS/out/deb-arm64, see the corpus's fetch-debian.sh) that one to user space.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
build=$1
sys="$build/lyre-system-aarch64"
[ -e "$sys" ] || { skip arm-virt "no system mode"; exit 0; }
have python3 || { skip arm-virt "no python3"; exit 0; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
verdict() { if [ "$2" = 0 ]; then echo "PASS $1"; else echo "FAIL $1 $(head -c 1500 "$T/log" | tr '\n' ' ')"; fi; }
# boot NAME [WORD SEND]... WORD -- OPTIONS...
boot() {
    local name=$1 words=()
    shift
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    python3 "$here/boot.py" "${T_LIMIT:-120}" "${words[@]}" -- "$sys" -nographic -no-reboot -m 512 "$@" >"$T/log" 2>&1
    verdict "arm-virt-$name" $?
}

if have qemu-system-aarch64; then
    for o in virt virt,gic-version=3 virt,virtualization=on virt,gic-version=3,virtualization=on virt,gic-version=3,its=off virt,highmem=off; do
        n=$(echo "$o" | tr -c 'a-z0-9\n' -)
        # QEMU takes its own word for memory that it cannot reach: -nic none, or it wants option ROMs
        qemu-system-aarch64 -nic none -M "$o,dumpdtb=$T/q.dtb" -cpu cortex-a57 -smp 2 -m 512 -display none >"$T/log" 2>&1
        "$sys" -M "$o,dumpdtb=$T/o.dtb" -cpu cortex-a57 -smp 2 -m 512 -display none >>"$T/log" 2>&1
        python3 "$here/dt_compare.py" "$T/q.dtb" "$T/o.dtb" >"$T/log" 2>&1
        verdict "arm-virt-tree-$n" $?
    done
else
    skip arm-virt-tree "no qemu-system-aarch64"
fi

efi=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd
if [ -e $efi ]; then
    for g in 2 3; do
        boot edk2-gic$g "any other key" '\x1b' "Shell>" 'ver\r' "EDK II" - "Shell>" 'memmap\r' "Total Memory" - "Shell>" -- -M virt,gic-version=$g -bios $efi
    done
    guid=11111111-2222-3333-4444-555555555555
    cp /usr/share/AAVMF/AAVMF_CODE.fd "$T/code.fd" 2>/dev/null && cp /usr/share/AAVMF/AAVMF_VARS.fd "$T/vars.fd" &&
        boot edk2-flash "any other key" '\x1b' "Shell>" "setvar lyre -guid $guid -nv -bs =L\"kept\"\\r" "Shell>" -- \
            -M virt -drive if=pflash,file="$T/code.fd",format=raw,readonly=on -drive if=pflash,file="$T/vars.fd",format=raw &&
        boot edk2-flash-kept "any other key" '\x1b' "Shell>" "setvar lyre -guid $guid\\r" "6B 00 65 00 70 00 74" -- \
            -M virt -drive if=pflash,file="$T/code.fd",format=raw,readonly=on -drive if=pflash,file="$T/vars.fd",format=raw
else
    skip arm-virt-edk2 "no qemu-efi-aarch64"
fi
uboot=/usr/lib/u-boot/qemu_arm64/u-boot.bin
if [ -e $uboot ]; then
    boot u-boot "any key to stop autoboot" '\n' "=>" 'bdinfo\n' "40000000" -- -M virt -bios $uboot
else
    skip arm-virt-u-boot "no u-boot-qemu"
fi

K=${CORPUS:-$HOME/.cache/lyrebird/corpus}/out/deb-arm64
if [ -e "$K/kernel" ] && [ -e "$K/busybox" ]; then
    mkdir -p "$T/root/bin" "$T/root/dev" "$T/root/proc"
    cp "$K/busybox" "$T/root/bin/busybox"
    chmod 755 "$T/root/bin/busybox"
    cat >"$T/root/init" <<'S'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc none /proc
$b seq 1 2000 | $b gzip | $b gunzip | $b md5sum
echo CPUS $($b grep -c ^processor /proc/cpuinfo)
read x
echo "GOT $x"
$b poweroff -f
S
    chmod 755 "$T/root/init"
    (cd "$T/root" && find . | cpio -o -H newc 2>/dev/null | gzip) >"$T/initrd"
    linux() { # NAME CPUS OPTIONS...
        boot "linux-$1" "CPUS $2" 'hello there\n' "GOT hello there" - "Power down" -- -smp "$2" -kernel "$K/kernel" -initrd "$T/initrd" -append "console=ttyAMA0" "${@:3}"
    }
    linux gic2 1 -M virt
    linux gic2-smp4 4 -M virt
    linux gic3 1 -M virt,gic-version=3
    linux gic3-smp4 4 -M virt,gic-version=3
    linux el2 2 -M virt,virtualization=on,gic-version=3
    linux secure 2 -M virt,secure=on,gic-version=3
    linux secure-el2 2 -M virt,secure=on,virtualization=on,gic-version=3
    [ -e $efi ] && linux acpi-gic2 2 -M virt -bios $efi
    [ -e $efi ] && linux acpi-gic3 4 -M virt,gic-version=3 -bios $efi
    [ -e $efi ] && linux efi-dt 2 -M virt,gic-version=3,acpi=off -bios $efi
else
    skip arm-virt-linux "no Debian kernel in $K"
fi
