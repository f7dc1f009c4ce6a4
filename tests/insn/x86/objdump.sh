#!/bin/sh
# run.sh X86_CHECK: the sketch table against objdump, on the C library and the shell of this machine.
command -v objdump >/dev/null || exit 77
objdump --version | grep -q '^GNU objdump' || exit 77
ran=0
bad=0
for f in /lib/x86_64-linux-gnu/libc.so.6 /usr/lib64/libc.so.6 /usr/lib/libc.so.6 /bin/bash; do
    objdump -f "$f" 2>/dev/null | grep -q 'elf64-x86-64' || continue
    ran=1
    echo "$f"
    objdump -d -w -M intel -j .text "$f" | "$1" || bad=1
done
[ $ran = 1 ] || exit 77
exit $bad
