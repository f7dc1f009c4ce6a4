#!/bin/bash
# qmp_block_test.sh BUILD: disks by QMP (qmp_block.py): snapshots, jobs, transactions, limits, objects.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
build=$1
[ -e "$build/lyre-system-riscv64" ] || { skip qmp-block "no system mode"; exit 0; }
have python3 || { skip qmp-block "no python3"; exit 0; }
tmpdir
if PYTHONPATH=$here python3 "$here/qmp_block.py" "$TMP" "$build/lyre-img" "$build/lyre-system-riscv64" -M virt -nodefaults -display none -bios none -S -m 32 \
    >"$TMP/log" 2>&1; then pass qmp-block; else fail qmp-block "$(tail -c 1500 "$TMP/log" | tr '\n' ' ')"; fi
