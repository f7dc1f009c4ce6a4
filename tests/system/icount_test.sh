#!/bin/bash
# icount_test.sh BUILD: -icount: a program that prints its clocks (semi/icount.c) prints the same each time, whatever the host does.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
L=$1/lyre-system-riscv64
CC=riscv64-linux-gnu-gcc
[ -e "$L" ] || { skip icount "no system mode"; exit 0; }
have $CC || { skip icount "no cross compiler"; exit 0; }
tmpdir
for harts in 1 3; do
    $CC -march=rv64ima_zicsr -mabi=lp64 -mcmodel=medany -O1 -ffreestanding -fno-builtin -fno-pic -no-pie -static -nostdlib -ffixed-s11 -DHARTS=$harts \
        -Wl,--no-relax,--build-id=none,-N,-Ttext=0x80000000,--no-warn-rwx-segments -o "$TMP/p$harts" "$here/semi/icount.c" 2>"$TMP/log" || { fail icount "$(head -3 "$TMP/log")"; continue; }
    for opt in shift=0,sleep=off shift=3,sleep=off shift=5,sleep=on auto,sleep=off; do
        for i in 1 2; do
            timeout 20 "$L" -M virt -bios none -kernel "$TMP/p$harts" -smp $harts -display none -serial null -semihosting -icount $opt 2>"$TMP/$i" </dev/null
            echo "status $?" >>"$TMP/$i"
        done
        name=icount-$harts-${opt//[=,]/-}
        n=$(wc -l <"$TMP/1")
        if [ "$n" -ge 39 ] && grep -q "status 0" "$TMP/1" && cmp -s "$TMP/1" "$TMP/2"; then pass $name; else fail $name "$n lines, $(diff "$TMP/1" "$TMP/2" | head -4 | tr '\n' ' ') $(tail -1 "$TMP/1")"; fi
        # one time unit (100 ns) is 100 >> shift instructions: a sleep of 100000 of them is no shorter
        awk '$1 == "slept" && substr($2, 9) < "000186a0" { bad = 1 } $1 == "slept" { n++ } END { exit bad || n != 5 }' "$TMP/1" && pass $name-sleeps || fail $name-sleeps "$(grep slept "$TMP/1" | tr '\n' ' ')"
    done
done
