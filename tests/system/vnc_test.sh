#!/bin/bash
# vnc_test.sh BUILD: a booted guest's screen by VNC, with Debian's gvnccapture: ramfb and virtio-gpu, with and without a password, beside
# what screendump says.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
build=$1
[ -e "$build/lyre-system-aarch64" ] || { skip vnc "no system mode"; exit 0; }
have python3 || { skip vnc "no python3"; exit 0; }
have gvnccapture || { skip vnc "no gvnccapture (Debian's gvncviewer)"; exit 0; }
[ -e /usr/share/qemu-efi-aarch64/QEMU_EFI.fd ] || { skip vnc "no EDK2 (Debian's qemu-efi-aarch64)"; exit 0; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
for t in "ramfb" "virtio-gpu-pci" "ramfb geheim"; do
    mkdir -p "$T/d"
    # shellcheck disable=SC2086
    if python3 "$here/vnc.py" "$build" "$T/d" $t >"$T/log" 2>&1; then echo "PASS vnc-${t/ /-}"; else echo "FAIL vnc-${t/ /-} $(tail -c 800 "$T/log" | tr '\n' ' ')"; fi
    rm -rf "$T/d"
done
