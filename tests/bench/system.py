#!/usr/bin/env python3
"""system.py OUT BUILD [-n ROUNDS] [-g GUESTS] [-w FILE]: see system.sh."""
import os, re, select, shutil, socket, statistics, subprocess, sys, tempfile, threading, time

args = sys.argv[3:]
out, build, rounds, guests, table = sys.argv[1], sys.argv[2], 3, ["riscv64", "aarch64"], None
while args:
    a = args.pop(0)
    if a == "-n": rounds = int(args.pop(0))
    elif a == "-g": guests = args.pop(0).split(",")
    elif a == "-w": table = args.pop(0)
    else: sys.exit(f"bench: unknown option {a}")
console = {"riscv64": "ttyS0", "aarch64": "ttyAMA0"}
cpu = {"riscv64": "rv64", "aarch64": "cortex-a57"}
tick = os.sysconf("SC_CLK_TCK")
MB = 128 # of each net row

def used(pid):
    f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / tick

def peak(pid):
    m = re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read())
    return int(m.group(1)) if m else 0 # it has ended

def talk(c):
    """The host's side of prog/net.c: takes or gives as many bytes as it is told."""
    buf = bytearray(1 << 20)
    head = c.recv(9, socket.MSG_WAITALL)
    n = int.from_bytes(head[1:], "little")
    try:
        while n and head[0]:
            got = c.recv_into(buf, min(n, len(buf)))
            if not got: return
            n -= got
        while n: n -= c.send(memoryview(buf)[:min(n, len(buf))])
        if head[0]: c.send(b"1")
    except OSError: pass
    c.close()

def serve(s):
    while True: threading.Thread(target=talk, args=(s.accept()[0],), daemon=True).start()

server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(server,), daemon=True).start()

def run(system, guest):
    """Processor seconds by row, and elapsed ones of net rows as "NAME elapsed"; a row that did not end is not there."""
    disk = tempfile.mktemp(dir=out)
    shutil.copyfile(os.path.join(out, "disk"), disk)
    cmd = [system, "-M", "virt", "-cpu", cpu[guest], "-m", "512", "-nographic", "-no-reboot", "-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,romfile=", "-kernel", f"{out}/kernel-{guest}", "-initrd", f"{out}/initrd-{guest}",
           "-append", f"console={console[guest]} quiet benchport={server.getsockname()[1]} benchmb={MB}", "-drive", f"if=none,id=d0,file={disk},format=raw,cache=writeback", "-device", "virtio-blk-pci,drive=d0"]
    p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    rows, buf, name, start, limit = {}, b"", None, 0.0, time.monotonic() + 600
    while True:
        if not select.select([p.stdout], [], [], max(0, limit - time.monotonic()))[0]: break
        b = os.read(p.stdout.fileno(), 4096)
        if not b: break
        now = used(p.pid)
        buf += b
        while b"\n" in buf:
            line, buf = buf.split(b"\n", 1)
            m = re.search(rb"<<([\w-]+)", line)
            if m:
                name, begun = m.group(1).decode(), time.monotonic()
                start = 0.0 if name == "boot" else now
            elif b">>" in line and name:
                rows[name] = now - start
                if name.startswith("net-"): rows[name + " elapsed"] = time.monotonic() - begun
                rows["peak KiB"] = max(rows.get("peak KiB", 0), peak(p.pid))
                name = None
    p.kill()
    p.wait()
    os.unlink(disk)
    return rows

lines = [f"{'guest':10} {'row':12} {'lyre s':>9} {'qemu s':>9} {'times qemu':>11}"]
for g in guests:
    ours, theirs = f"{build}/lyre-system-{g}", shutil.which(f"qemu-system-{g}")
    if not os.path.exists(ours) or not theirs or not os.path.exists(f"{out}/initrd-{g}"): continue
    a, b = [], []
    for i in range(rounds):
        for system, to in ((ours, a), (theirs, b)): to.append(run(system, g))
    names = [n for n in b[0] if n != "peak KiB"]
    for n in names:
        x, y = [r[n] for r in a if n in r], [r[n] for r in b if n in r]
        if not x or not y:
            lines.append(f"{g:10} {n:12} {'-' if not x else '':>9} {'-' if not y else '':>9} not measured")
            continue
        mx, my = statistics.median(x), statistics.median(y)
        if n.endswith(" elapsed"): # more is better
            lines.append(f"{g:10} {n.split()[0] + ' MB/s':13} {MB / mx:8.0f} {MB / my:9.0f} {my / mx:11.2f}")
            continue
        lines.append(f"{g:10} {n:12} {mx:9.2f} {my:9.2f} {my / max(mx, 1 / tick):11.2f}")
    lines.append(f"{g:10} {'peak KiB':12} {statistics.median(r.get('peak KiB', 0) for r in a):9.0f} {statistics.median(r.get('peak KiB', 0) for r in b):9.0f}")
print("\n".join(lines))
if table:
    text = open(table).read()
    mark = "<!-- system -->\n"
    if mark in text:
        head, tail = text.split(mark, 1)
        old = re.match(r"```\n.*?```\n", tail, re.S)
        open(table, "w").write(head + mark + "```\n" + "\n".join(lines) + "\n```\n" + (tail[old.end():] if old else tail))
