#!/bin/bash
# devices_test.sh BUILD [--full]: devices that are not virtio's, driven by Debian's own kernels (drivers are modules of their packages): Intel's network
# cards get an address from the user network and fetch a file. ONLY=REGEX: the tests whose name matches.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
begin devices || exit 0
http_server
for guest in aarch64 riscv64; do
    kernel_of $guest
    case $? in
    0) ;;
    77) skip devices/$guest "the Debian archive does not answer"; continue ;;
    *) fail devices/$guest "no kernel"; continue ;;
    esac
    modules $guest pps_core ptp e1000 e1000e
    cp "$TMP/dhcp" "$TMP/$guest"
    initramfs "$TMP/initrd-$guest" "$TMP/init" "$TMP/$guest"/*
    case $guest in # boards with messages for interrupts
    aarch64) four=virt,gic-version=3 ;;
    riscv64) four=virt,aia=aplic-imsic ;;
    esac
    machine e1000e 120 "${net[@]}" - '# ' 'grep -c eth0 /proc/interrupts\n' '3' - "${off[@]}" -- -M $four -smp 2 -nic user,model=e1000e,mac=52:54:00:0e:0e:01
    machine e1000e-intx 120 "${net[@]}" - "${off[@]}" -- -M virt -netdev user,id=n0 -device e1000e,netdev=n0
    machine e1000 120 "${net[@]}" - "${off[@]}" -- -M $four -nic user,model=e1000
done
