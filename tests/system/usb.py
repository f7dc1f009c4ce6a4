#!/usr/bin/env python3
"""usb.py linux|edk2 DISK COMMAND...: what a guest hears of USB devices: keys and places that a VNC client sends, disks, and what comes and goes."""
import socket, struct, sys
from qmp import *

mode, disk, command = sys.argv[1], sys.argv[2], sys.argv[3:]


class Viewer:
    """A VNC client that types and points, and sees nothing."""

    def __init__(self, m):
        self.s = socket.create_connection(("127.0.0.1", int(m.ask("query-vnc")["service"])), 30)
        self.s.settimeout(30)
        self.take(12)
        self.s.sendall(b"RFB 003.008\n")
        self.take(self.take(1)[0])
        self.s.sendall(b"\1")
        self.take(4)
        self.s.sendall(b"\1")
        head = self.take(24)
        self.size = struct.unpack(">HH", head[:4])
        self.take(struct.unpack(">I", head[20:])[0])

    def take(self, n):
        b = b""
        while len(b) < n:
            got = self.s.recv(n - len(b))
            if not got:
                raise Failed("the VNC server hung up")
            b += got
        return b

    def key(self, sym, down):
        self.s.sendall(struct.pack(">BBHI", 4, down, 0, sym))

    def type(self, text):
        for c in text:
            sym = {"\n": 0xff0d, "\x1b": 0xff1b}.get(c, ord(c))
            self.key(sym, 1)
            self.key(sym, 0)

    def point(self, buttons, x, y):
        self.s.sendall(struct.pack(">BBHH", 5, buttons, x, y))


def events(m, name, bytes):
    """The guest prints events of the input device of that name, once it has it open."""
    m.word("# ", f"while ! grep -q '{name}' /proc/bus/input/devices; do :; done; e=$(grep -A 4 '{name}' /proc/bus/input/devices | grep -o 'event[0-9]*' | head -1);"
           f" (exec 3</dev/input/$e; echo open''ed; head -c {bytes} <&3 | od -An -v -tx2 -w24)\n")
    m.word("opened")


def linux():
    m = Machine(200, command + ["-vnc", "127.0.0.1:0,to=999"])
    m.word("CPUS ")
    v = Viewer(m)
    events(m, "QEMU USB Keyboard", 144)
    v.type("a")
    m.word("0001 001e 0001 0000")
    m.word("0001 001e 0000 0000")
    events(m, "QEMU USB Tablet", 72)
    v.point(0, v.size[0] - 1, v.size[1] - 1)
    m.word("0003 0000 7fff 0000")
    m.word("0003 0001 7fff 0000")
    # the disk
    m.word("# ", "while ! [ -e /dev/sda ]; do :; done; mount -t ext4 /dev/sda /mnt && seq 1 300000 >/mnt/numbers && umount /mnt && echo writ''ten\n")
    m.word("written")
    m.word("# ", "echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 -o ro /dev/sda /mnt && md5sum /mnt/numbers; umount /mnt\n")
    m.word(numbers())
    m.word("# ", "cat /sys/bus/usb/devices/*/serial | grep -c stick; echo ser''ial\n")
    m.word("1\r\nserial")
    check("info usb", [l.split(", Product ")[1] for l in m.hmp("info usb").splitlines()],
          ["QEMU USB Tablet", "QEMU USB Hub", "QEMU USB HARDDRIVE", "QEMU USB Keyboard, ID: kbd"])
    # what comes and goes
    m.ask("blockdev-add", **{"driver": "raw", "node-name": "n0", "file": {"driver": "file", "filename": disk}})
    m.ask("device_add", driver="usb-storage", id="stick", drive="n0", removable=True, bus="x.0")
    m.word("# ", "while ! [ -e /dev/sdb ]; do :; done; head -c 9 /dev/sdb; echo; cat /sys/block/sdb/removable; echo th''ere\n")
    m.word("on a disk\r\n1\r\nthere")
    m.word("# ", "while true; do dd if=/dev/sdb of=/dev/null iflag=direct bs=64k; done 2>/dev/null & echo rea''ding\n")
    m.word("reading")
    m.ask("device_del", id="stick")
    m.event("DEVICE_DELETED", device="stick")
    m.word("# ", "kill %1; while [ -e /sys/block/sdb ]; do :; done; echo aw''ay\n")
    m.word("away")
    m.ask("blockdev-del", **{"node-name": "n0"})
    m.ask("device_del", id="kbd")
    m.word("# ", "while grep -q Keyboard /proc/bus/input/devices; do :; done; echo aw''ay\n")
    m.word("away")
    m.ask("device_add", driver="usb-kbd", id="kbd2", port="2.3")
    events(m, "QEMU USB Keyboard", 144)
    v.type("b")
    m.word("0001 0030 0001 0000")
    m.word("# ", "poweroff -f\n")
    check("end", m.ends(), 0)


def numbers():
    import hashlib
    return hashlib.md5(b"".join(b"%d\n" % i for i in range(1, 300001))).hexdigest()


def edk2():
    m = Machine(150, command + ["-vnc", "127.0.0.1:0,to=999"])
    v = Viewer(m)
    m.word("any other key")
    v.type("\x1b")
    m.word("Shell>")
    v.type("map -r\n")
    m.word("USB(")
    m.word("Shell>")
    v.type("type fs0:hello.txt\n")
    m.word("read from a stick")
    m.ask("quit")
    check("end", m.ends(), 0)


run(linux if mode == "linux" else edk2)
