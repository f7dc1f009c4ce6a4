#!/bin/bash
# image_test.sh BUILD: what `lyre -n FILE` says of kernels, firmware, disks, ISOs and programs: the command line, without booting it.
. "$(dirname "$0")/../lib.sh"
build=$(realpath "$1")
L=$build/lyre
[ -e "$build/lyre-system-riscv64" ] || { skip image "no system mode"; exit 0; }
have python3 || { skip image "no python3"; exit 0; }
tmpdir
cd "$TMP" || exit 1
says() { # NAME FILE WORD...: all of them are in the command line that is printed ("!word": is not)
    local name=$1 out word
    out=$("$L" -n "$2" -append 'a b' 2>&1)
    shift 2
    for word; do
        case $word in
        !*) [[ $out != *"${word#!}"* ]] ;;
        *) [[ $out == *"$word"* ]] ;;
        esac || { fail "image-$name" "$word: $out"; return; }
    done
    pass "image-$name"
}
python3 - <<'P'
import gzip, struct
def put(b, at, s): b[at:at + len(s)] = s
k = bytearray(8192); put(k, 0, b'MZ\x40\xfa'); put(k, 0x38, b'ARMd'); open('arm.Image', 'wb').write(k); open('arm.gz', 'wb').write(gzip.compress(bytes(k)))
k = bytearray(8192); put(k, 0x30, b'RISCV\0\0\0RSC\x05'); open('rv Image', 'wb').write(k)
u = bytearray(4096); put(u, 0, b"\x27\x05\x19\x56"); u[29] = 26; open('u.img', 'wb').write(u)
z = bytearray(4096); put(z, 0, b'MZ\0\0zimg'); open('zboot', 'wb').write(z)
f = bytearray(8192); put(f, 0, struct.pack('<I', 0x14000400)); put(f, 0x28, b'_FVH'); open('efi.fd', 'wb').write(f)
f = bytearray(65536); put(f, 40000, b'\0U-Boot 2023.01'); put(f, 0, struct.pack('<I', 0x1400000a)); open('ub.bin', 'wb').write(f)
f = bytearray(65536); put(f, 40000, b'\nOpenSBI v1.1\n'); open('sbi.bin', 'wb').write(f)
def elf(machine, at, bits=64, interp=False, etype=2):
    h = bytearray(4096); put(h, 0, b'\x7fELF' + bytes([bits // 32, 1, 1])); n = 2 if interp else 1
    if bits == 64:
        put(h, 16, struct.pack('<HHIQQQIHHHHHH', etype, machine, 1, at, 64, 0, 0, 64, 56, n, 0, 0, 0))
        put(h, 64, struct.pack('<IIQQQQQQ', 1, 5, 0, at, at, 4096, 4096, 4096) + struct.pack('<IIQQQQQQ', 3, 4, 0, at, at, 8, 8, 1))
    else:
        put(h, 16, struct.pack('<HHIIIIIHHHHHH', etype, machine, 1, at, 52, 0, 0, 52, 32, n, 0, 0, 0))
        put(h, 52, struct.pack('<IIIIIIII', 1, 0, at, at, 4096, 4096, 5, 4096))
    return h
open('fw.elf', 'wb').write(elf(243, 0x80000000)); open('k.elf', 'wb').write(elf(243, 0x80200000)); open('fw32.elf', 'wb').write(elf(243, 0x80000000, 32))
open('a.elf', 'wb').write(elf(183, 0x40080000)); open('prog', 'wb').write(elf(183, 0x400000)); open('dyn', 'wb').write(elf(243, 0x80000000, interp=True))
def disk(name, entry, esp=b'', mib=4):
    d = bytearray(mib << 20); d[510:512] = b'\x55\xaa'; d[446 + 4] = 0xee
    put(d, 512, b'EFI PART'); put(d, 512 + 72, struct.pack('<QII', 2, 4, 128)); put(d, 1024, entry); put(d, 3 << 20, esp)
    open(name, 'wb').write(d)
guid = bytes.fromhex('28732ac11ff8d211ba4b00a0c93ec93b')
esp = guid + bytes(16) + struct.pack('<QQ', 2048, 8191)
disk('esp.raw', esp, b'BOOTAA64EFI \0')
disk('esp-rv.raw', esp, b'BOOTRI~1EFI \0')
disk('root.raw', bytes.fromhex('a670ec7274cfe640bd494bda08e8f224') + bytes(16) + struct.pack('<QQ', 2048, 8191))
disk('who.raw', esp, b'BOOTX64 EFI'); disk('debian-arm64.raw', esp, b'')
# a name that lies across two pieces of what is read
disk('cut.raw', esp, b''); d = bytearray(open('cut.raw', 'rb').read()); put(d, (3 << 20) - 5, b'BOOTAA64EFI'); open('cut.raw', 'wb').write(d)
m = bytearray(4 << 20); m[510:512] = b'\x55\xaa'; put(m, 446 + 4, b'\xef\0\0\0' + struct.pack('<II', 2048, 4096)); put(m, (1 << 20) + 7777, b'bootaa64efi'); open('mbr.img', 'wb').write(m)
i = bytearray(1 << 20); put(i, 0x8000, b'\x01CD001\x01'); put(i, 0x12345, b'BOOTAA64.EFI;1'); open('cd,1.iso', 'wb').write(i)
open('noise', 'wb').write(bytes(range(256)) * 64); open('short', 'wb').write(b'MZ'); open('empty', 'wb')
e = elf(243, 0x80000000); put(e, 32, b'\xff' * 8); open('wild.elf', 'wb').write(e)
P
"$build/lyre-img" convert -f raw -O qcow2 esp.raw esp.qcow2 || fail image-convert
says arm64-kernel arm.Image "lyre-system-aarch64 -M virt" "-kernel arm.Image" "user,id=net0" virtio-rng-pci -nographic "-append 'a b'" !-drive
says gzipped arm.gz lyre-system-aarch64 "-kernel arm.gz"
says riscv-kernel "rv Image" lyre-system-riscv64 "-kernel 'rv Image'"
says uimage u.img lyre-system-riscv64 "-kernel u.img"
says zboot zboot "compressed EFI kernel"
says edk2 efi.fd lyre-system-aarch64 "-bios efi.fd"
says u-boot ub.bin lyre-system-aarch64 "-bios ub.bin"
says opensbi sbi.bin lyre-system-riscv64 "-bios sbi.bin"
says elf-firmware fw.elf lyre-system-riscv64 "-bios fw.elf"
says elf-32 fw32.elf lyre-system-riscv32 "-bios fw32.elf"
says elf-kernel k.elf lyre-system-riscv64 "-kernel k.elf"
says elf-arm a.elf lyre-system-aarch64 "-kernel a.elf"
says program prog "lyre-aarch64 prog" !system
says dynamic dyn "lyre-riscv64 dyn" !system
says wild wild.elf !system
if [ -e /usr/share/AAVMF/AAVMF_CODE.fd ] || [ -e /usr/share/qemu-efi-aarch64/QEMU_EFI.fd ] || [ -e /usr/lib/u-boot/qemu_arm64/u-boot.bin ]; then
    says gpt-esp esp.raw lyre-system-aarch64 "-bios /usr/" "-drive if=virtio,format=raw,file=esp.raw"
    says qcow2 esp.qcow2 lyre-system-aarch64 "if=virtio,format=qcow2,file=esp.qcow2"
    says cut cut.raw lyre-system-aarch64
    says mbr mbr.img lyre-system-aarch64 file=mbr.img
    says by-name debian-arm64.raw lyre-system-aarch64
    says iso cd,1.iso lyre-system-aarch64 "media=cdrom,readonly=on,format=raw,file=cd,,1.iso" drive=cd0
else
    skip image-disks-aarch64 "no firmware"
fi
if [ -e /usr/lib/u-boot/qemu-riscv64_smode/uboot.elf ]; then
    says gpt-esp-riscv esp-rv.raw lyre-system-riscv64 "-kernel /usr/lib/u-boot/qemu-riscv64_smode/"
    says gpt-root root.raw lyre-system-riscv64
else
    skip image-disks-riscv64 "no firmware"
fi
says unknown who.raw "architecture is not to be seen" !lyre-system
says noise noise "neither a program" !lyre-system
says short short "neither a program" !lyre-system
says empty empty "neither a program" !lyre-system
says nowhere nowhere "No such file"
# without -n the command line is the one that was printed: a kernel that is none says so under that name
out=$("$L" arm.gz -dtb /nonexistent 2>&1 </dev/null)
[[ $out == lyre-system-aarch64:*nonexistent* ]] && pass image-runs || fail image-runs "$out"
