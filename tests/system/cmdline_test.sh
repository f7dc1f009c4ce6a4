#!/bin/bash
# cmdline_test.sh BUILD: options of machines that are about the process: -daemonize with libvirt's probe, -pidfile, -snapshot, -boot,
# -rtc, -action, -readconfig, versions.
. "$(dirname "$0")/../lib.sh"
build=$(realpath "$1")
L=$build/lyre-system-riscv64
[ -e "$L" ] || { skip cmdline "no system mode"; exit 0; }
have python3 || { skip cmdline "no python3"; exit 0; }
tmpdir
check() { # NAME CONDITION...
    local name=$1
    shift
    if "$@"; then pass "cmdline-$name"; else fail "cmdline-$name" "$(head -c 300 "$TMP/err" 2>/dev/null | tr '\n' ' ')"; fi
}
qmp() { # SOCKET COMMAND...: the answers, a line each; a command is a name or JSON
    python3 - "$@" <<'P'
import json, socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); f = s.makefile('rw')
print(f.readline().strip())
for c in ['qmp_capabilities'] + sys.argv[2:]:
    f.write((c if c[0] == '{' else json.dumps({'execute': c})) + '\n'); f.flush()
    while True:
        line = f.readline()
        if not line or '"event"' not in line: break
    print(line.strip())
P
}
gone() { # PID: it ends soon (the kernel tells)
    python3 -c 'import os,select,sys
try: fd = os.pidfd_open(int(sys.argv[1]))
except ProcessLookupError: sys.exit(0)
p = select.poll(); p.register(fd, select.POLLIN); sys.exit(0 if p.poll(20000) else 1)' "$1"
}
# libvirt's probe, and the same with a machine: when the command returns, socket and pid file are there
for m in none virt; do
    "$L" -S -no-user-config -nodefaults -nographic -machine $m,accel=kvm:tcg -qmp unix:"$TMP/q$m",server=on,wait=off -pidfile "$TMP/p$m" -daemonize </dev/null >"$TMP/out" 2>"$TMP/err"
    rc=$?
    pid=$(cat "$TMP/p$m" 2>/dev/null)
    check daemonize-$m test "$rc" = 0 -a -S "$TMP/q$m" -a -n "$pid"
    # a second one with that pid file says who has it, and leaves the file alone
    "$L" -machine none -nodefaults -display none -pidfile "$TMP/p$m" >"$TMP/out" 2>"$TMP/err"
    check pidfile-$m test $? = 1 -a "$(cat "$TMP/p$m")" = "$pid" -a -n "$(grep "process $pid holds it" "$TMP/err")"
    qmp "$TMP/q$m" query-version query-status '{"execute":"device-list-properties","arguments":{"typename":"nope"}}' query-machines quit >"$TMP/answers"
    check greeting-$m grep -q '^{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}' "$TMP/answers"
    check prelaunch-$m grep -q '"status": "prelaunch"' "$TMP/answers"
    check class-$m grep -q DeviceNotFound "$TMP/answers"
    check machines-$m grep -q '"name": "none"' "$TMP/answers"
    gone "$pid"
    check quit-$m test $? = 0 -a ! -e "$TMP/p$m"
done
# what goes wrong is told by the process that was started
"$L" -machine virt -daemonize -display none -kernel /nonexistent -pidfile "$TMP/pid" >"$TMP/out" 2>"$TMP/err"
check daemonize-fails test $? = 1 -a -n "$(grep nonexistent "$TMP/err")" -a ! -e "$TMP/pid"
check version test "$("$L" --version | head -1)" = "QEMU emulator version 7.2.0 (Lyrebird)"
# fw_cfg and the real-time clock as the monitor shows them
cat >"$TMP/config" <<'C'
# a comment
[machine]
  type = "virt"
[smp-opts]
  cpus = "3"
[memory]
  size = "64M"
[chardev "c0"]
  backend = "null"
[device "r0"]
  driver = "virtio-rng-pci"
C
"$L" -readconfig "$TMP/config" -nodefaults -display none -S -daemonize -qmp unix:"$TMP/q",server=on,wait=off -pidfile "$TMP/p" 2>"$TMP/err"
pid=$(cat "$TMP/p")
qmp "$TMP/q" query-cpus-fast query-chardev query-memory-size-summary '{"execute":"qom-list","arguments":{"path":"/machine/peripheral"}}' quit >"$TMP/answers"
check readconfig test "$(grep -o '"cpu-index"' "$TMP/answers" | wc -l)" = 3 -a -n "$(grep '"label": "c0"' "$TMP/answers")" -a -n "$(grep 67108864 "$TMP/answers")" -a -n "$(grep r0 "$TMP/answers")"
gone "$pid"
printf '[device "x\nfoo\n' >"$TMP/config"
"$L" -readconfig "$TMP/config" 2>"$TMP/err"
check readconfig-wrong test $? = 1 -a -n "$(grep config:1: "$TMP/err")"
# -snapshot: the image stays what it was; needs a guest that writes: the monitor's qemu-io is not there, so a bare program does it by flash
head -c 33554432 /dev/zero >"$TMP/flash"
"$L" -machine none -action reboot=shutdown,shutdown=pause,watchdog=nonsense -display none 2>"$TMP/err"
check action-wrong test $? = 1 -a -n "$(grep -i watchdog "$TMP/err")"
"$L" -machine none -boot order=7 -display none 2>"$TMP/err"
check boot-wrong test $? = 1
if have riscv64-linux-gnu-gcc; then
    # Reads the goldfish clock's seconds and fw_cfg's boot-menu-wait, writes a word of flash 1 by its commands; the answers by semihosting.
    cat >"$TMP/b.S" <<'S'
    .option norvc
    .globl _start
_start:
    li t0, 0x101000
    lwu t1, 0(t0); lwu t2, 4(t0); slli t2, t2, 32; or t1, t1, t2
    li t2, 1000000000; divu s0, t1, t2
    li t3, 978307200        /* 2001-01-01 */
    sub s0, s0, t3
    sltiu s0, s0, 600       /* within ten minutes of it */
    xori s0, s0, 1
    li t0, 0x22000000
    li t1, 0x40; sh t1, 0(t0); li t1, 0x5a; sh t1, 0(t0); li t1, 0x70; sh t1, 0(t0); lhu t2, 0(t0); li t1, 0xff; sh t1, 0(t0)
    lbu t1, 0(t0)
    xori t1, t1, 0x5a; snez t1, t1; slli t1, t1, 1; or s0, s0, t1
    la a1, ex; sd s0, 8(a1); li a0, 0x18
    .balign 16
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
1:  j 1b
    .data
    .balign 8
ex: .quad 0x20026, 99
S
    riscv64-linux-gnu-gcc -nostdlib -static -Wl,-N,-Ttext=0x80000000,--build-id=none -o "$TMP/b" "$TMP/b.S" 2>"$TMP/err" || fail cmdline-program "$(cat "$TMP/err")"
    head -c 33554432 /dev/zero | tr '\0' '\377' >"$TMP/flash"
    sum=$(sha256sum <"$TMP/flash")
    run() { timeout 30 "$L" -M virt -bios none -kernel "$TMP/b" -display none -serial null -semihosting -rtc base=2001-01-01 -drive if=pflash,unit=1,format=raw,file="$TMP/flash" "$@" 2>"$TMP/err"; }
    run -snapshot -boot menu=on,splash-time=5,strict=on -global virtio-mmio.force-legacy=false
    check snapshot test $? = 0 -a "$(sha256sum <"$TMP/flash")" = "$sum"
    run
    check no-snapshot test $? = 0 -a "$(sha256sum <"$TMP/flash")" != "$sum"
    run -rtc base=utc
    check rtc test $? = 1
fi

# What is wrong is said, and ends it; -S and quit end what is right.
says() { # NAME TEXT OPTION...
    local name=$1 text=$2
    shift 2
    echo quit | timeout 20 "$L" -M virt -nodefaults -display none -bios none -S -monitor stdio "$@" >"$TMP/out" 2>"$TMP/err"
    local rc=$?
    if [ -n "$text" ]; then check "$name" test $rc = 1 -a -n "$(grep -F "$text" "$TMP/err")"; else check "$name" test $rc = 0 -a ! -s "$TMP/err"; fi
}
says uuid 'Wrong format' -uuid 1
says uuid-right '' -uuid 12345678-1234-1234-1234-123456789abc -name guest=x,debug-threads=on,process=y -rtc base=2020-01-01,clock=vm,driftfix=slew
says driftfix "driftfix" -rtc driftfix=nix
says bootindex 'The bootindex 1 has already been used' -device virtio-net-pci,bootindex=1 -device virtio-net-pci,bootindex=1
says fsdev '' -fsdev local,id=f,path="$TMP",security_model=mapped-xattr -device virtio-9p-pci,fsdev=f,mount_tag=x -virtfs local,path="$TMP",mount_tag=y,security_model=none
says fsdev-none "couldn't find fsdev" -device virtio-9p-pci,fsdev=q,mount_tag=x
says fsdev-model 'security_model' -fsdev local,id=f,path="$TMP"
says set '' -device virtio-rng-pci,id=r -set device.r.addr=9
says set-none 'there is no device "q"' -set device.q.a=1
says throttle 'at the same time' -drive if=none,id=d,driver=null-co,throttling.bps-total=1,throttling.bps-read=1
says iothread '' -object iothread,id=i -drive if=none,id=d,driver=null-co -device virtio-blk-pci,drive=d,iothread=i,werror=stop,rerror=ignore
says iothread-none "'i' not found" -drive if=none,id=d,driver=null-co -device virtio-blk-pci,drive=d,iothread=i
says werror 'invalid write error action' -drive if=none,id=d,driver=null-co,werror=nix
