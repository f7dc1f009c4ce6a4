#!/usr/bin/env python3
"""gdb_raw.py EMULATOR PROGRAM PREFIX: the stub against packets that no gdb sends. Garbage must not hurt, and the next command works."""
import os
import random
import select
import socket
import subprocess
import sys
import tempfile

emulator, program, prefix = sys.argv[1:4]


def frame(data):
    if isinstance(data, str):
        data = data.encode("latin-1")
    return b"$" + data + b"#%02x" % (sum(data) & 255)


class Stub:
    def __init__(self, unix=False, options="", args=()):
        where = "0"
        if unix:
            self.dir = tempfile.TemporaryDirectory()
            where = self.dir.name + "/gdb-%d.sock"
        self.proc = subprocess.Popen([emulator, "-g", where + options, program, *args], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if unix:
            self.path = where.replace("%d", str(self.proc.pid))
            while not os.path.exists(self.path):  # it appears when it listens
                if self.proc.poll() is not None:
                    raise RuntimeError("the emulator ended")
                os.sched_yield()
            self.connect()
        else:
            line = self.proc.stderr.readline().decode()
            self.sock = socket.create_connection(("127.0.0.1", int(line.rsplit(":", 1)[1])))
        self.sock.settimeout(60)
        self.buf = b""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)
        self.buf = b""

    def send(self, raw):
        self.sock.sendall(raw)

    def byte(self):
        if not self.buf:
            self.buf = self.sock.recv(65536)
            if not self.buf:
                raise EOFError("connection closed")
        c, self.buf = self.buf[:1], self.buf[1:]
        return c

    def packet(self):
        while self.byte() != b"$":
            pass
        data = b""
        while True:
            c = self.byte()
            if c == b"#":
                break
            data += c
        want = int(self.byte() + self.byte(), 16)
        if want != sum(data) & 255:
            raise ValueError("bad checksum from the stub")
        self.send(b"+")
        return data.decode("latin-1")

    def ask(self, data):
        self.send(frame(data))
        return self.packet()

    def detach(self):
        """The connection ends with the answer: there is no time for an acknowledgment."""
        self.send(frame("D"))
        seen = b""
        while b"$OK#9a" not in seen:
            seen += self.byte()
        self.sock.close()

    def drain(self):
        """Whatever was answered so far; a command with a known answer marks the end."""
        self.send(frame("qRcmd,68656c70"))
        while "6d6f6e69746f7220" not in self.packet():
            pass

    def end(self):
        self.send(frame("k"))
        code = self.proc.wait(60)
        self.sock.close()
        return code


def test(name, fn, **kw):
    stub = None
    try:
        stub = Stub(**kw)
        why = fn(stub)
    except Exception as e:  # any failure is the test's
        why = "%s: %s" % (type(e).__name__, e)
    finally:
        if stub and stub.proc.poll() is None:
            stub.proc.kill()
        if stub:
            stub.proc.wait()
    print("FAIL %s/%s %s" % (prefix, name, why) if why else "PASS %s/%s" % (prefix, name), flush=True)


def works(stub):
    """The stub still understands what it should."""
    stub.drain()
    if not stub.ask("?").startswith("T05"):
        return "? not answered with T05"
    regs = stub.ask("g")
    if len(regs) < 64 or stub.ask("p0") != regs[:16]:
        return "g and p do not agree"
    if stub.ask("qC")[:2] != "QC":
        return "qC"
    return None


def commands(stub):
    """Every command with arguments that make no sense."""
    bad = ["", "!", "G", "Gzz", "p", "pzz", "pffffffffffffffff", "P", "P0", "P0=", "P0=1", "Pffff=00", "m", "m0", "m,", "m0,",
           "mffffffffffffffff,ffffffffffffffff", "m0,ffffffffffffffff", "M", "M0,4:00", "Mffffffffffffffff,1:00", "M0,ffffffffffffffff:",
           "X0,4:ab", "X", "X0,0:", "H", "Hg", "Hgzz", "Hgp1.1", "Hg-2", "T", "Tp.", "Tffffffffffffffff", "Z", "Z0", "Z0,", "Z9,0,0",
           "Z2,0,0", "Z2,0,ffffffff", "z0,1234,4", "z2,0,4", "Z3,0,0", "Z3,0,ffffffff", "z3,0,4", "Z4,", "z4,0,4", "Z5,0,4", "vCont;", "vCont;q", "vCont;c:", "vCont;c:pz", "vCont;C", "vCont;r0",
           "vContx", "vFile:", "vFile:open:", "vFile:open:2f6574632f706173737764,1,0", "vFile:open:2f646576,0,0", "vFile:open:2f646576,0",
           "vFile:pread:0,10,0", "vFile:pread:ffffffff,10,0", "vFile:pread:", "vFile:close:9", "vFile:fstat:7", "vFile:readlink:",
           "vFile:unlink:2f746d702f78", "vFile:setfs:0", "vFile:pwrite:0,0,x", "vMustReplyEmpty", "vAttach;1", "qXfer", "qXfer:",
           "qXfer:features:read:", "qXfer:features:read:target.xml:", "qXfer:features:read:target.xml:fffffffff,1", "qXfer:features:read:x:0,1",
           "qXfer:auxv:read::ffffffffffffffff,ffffffffffffffff", "qXfer:siginfo:read::0,100", "qXfer:nothing:read::0,1", "qXfer:auxv:write::0:",
           "qRcmd", "qRcmd,", "qRcmd,zz", "qRcmd," + "41" * 4000, "qThreadExtraInfo", "qThreadExtraInfo,", "qThreadExtraInfo,ffff",
           "qGetTLSAddr", "qGetTLSAddr:", "qGetTLSAddr:1,0,0", "qGetTLSAddr:0,0", "QCatchSyscalls", "QCatchSyscalls:2", "QCatchSyscalls:1;zz",
           "QCatchSyscalls:1" + ";1" * 65, "QCatchSyscalls:1;ffffffffffffffff", "QCatchSyscalls:0",
           "qSupported", "qSupported:x;y;;;=", "QPassSignals:", "QPassSignals:zz;", "QPassSignals:ffffffffffffffff;1", "qsThreadInfo",
           "qWhatIsThis", "vWhat", "\x03", "C", "Czz", "S", "Dxx"[:0] or "bogus"]
    for data in bad:
        stub.send(frame(data))
        stub.packet()
    # an access to no memory is an error, not a crash
    for data in ("m0,4", "M0,1:00", "mfffffffffffffff0,20"):
        if not stub.ask(data).startswith("E"):
            return data + " is no error"
    return works(stub) or (stub.end() != -9 and "did not end by k") or None


def garbage(stub):
    rnd = random.Random(1)
    tokens = [b"$", b"#", b"}", b"*", b"+", b"-", b"\x03", b"m", b"g", b"qSupported", b"vCont", b"X", b":", b",", b";", b"0", b"ff", b"#00"]
    for _ in range(60):
        out = b""
        for _ in range(200):
            out += rnd.choice(tokens) if rnd.random() < 0.7 else bytes([rnd.randrange(256)])
        stub.send(out.replace(b"k", b"j").replace(b"c", b"b").replace(b"s", b"r").replace(b"C", b"B").replace(b"S", b"R").replace(b"D", b"E"))
        while select.select([stub.sock], [], [], 0)[0]:
            stub.buf += stub.sock.recv(65536)
    stub.buf = b""
    return works(stub)


def too_long(stub):
    for n in (0x3fff, 0x4000, 0x4001, 0x20000):
        answer = stub.ask("m" + "0" * (n - 1))
        if answer[:1] != "E":
            return "%d bytes: %s" % (n, answer)
    stub.send(b"$" + b"g" * 100000)  # never ends
    return works(stub)


def checksum(stub):
    stub.send(b"$g#00")
    if stub.byte() != b"-":
        return "a wrong checksum is not refused"
    stub.send(frame("qC"))
    first = stub.packet()
    stub.send(b"-")  # ask for it again
    if stub.packet() != first:
        return "not sent again"
    if stub.ask("QStartNoAckMode") != "OK":
        return "QStartNoAckMode"
    stub.send(frame("qC"))
    return None if stub.byte() == b"$" else "acknowledged in no-ack mode"


def memory(stub):
    """Registers and memory keep what is written, whole and in parts, also where the guest may not write."""
    stub.ask("qSupported:multiprocess+")
    pc = next(f for f in stub.ask("?")[3:].split(";") if f.startswith("20:"))[3:]
    addr = int.from_bytes(bytes.fromhex(pc), "little")
    old = stub.ask("m%x,8" % addr)
    if stub.ask("M%x,4:01020304" % addr) != "OK" or stub.ask("m%x,8" % addr) != "01020304" + old[8:]:
        return "write to code"
    if stub.ask("X%x,4:%s" % (addr, bytes.fromhex("23242a7d").decode("latin-1").replace("}", "}]").replace("#", "}\x03")
                              .replace("$", "}\x04").replace("*", "}\x0a"))) != "OK":
        return "X"
    if stub.ask("m%x,4" % addr) != "23242a7d":
        return "X wrote something else"
    if stub.ask("M%x,8:%s" % (addr, old)) != "OK":
        return "restoring"
    regs = stub.ask("g")
    if stub.ask("Pa=1122334455667788") != "OK" or stub.ask("pa") != "1122334455667788" or stub.ask("G" + regs) != "OK" \
            or stub.ask("g") != regs:
        return "registers"
    stub.send(frame("vCont;c"))
    answer = stub.packet()
    return None if answer.startswith("W07") else "end: " + answer


def lost(stub):
    """The connection breaks: the program runs on."""
    stub.sock.close()
    out, _ = stub.proc.communicate(timeout=60)
    return None if stub.proc.returncode == 7 and b"end usr1=0" in out else "exit %s" % stub.proc.returncode


def lost_running(stub):
    stub.ask("Z0,0,4")
    stub.send(frame("vCont;c") + b"\x03\x03$m0,4#")
    return lost(stub)


def running_noise(stub):
    """Packets while the guest runs are dropped, the stop comes."""
    stub.send(frame("c") + frame("g") + frame("m0,4") + b"\x00\xff$$$")
    answer = stub.packet()
    return None if answer.startswith("W07") else answer


def unix_socket(stub):
    return works(stub)


def comes_back(stub):
    """Nobody waited for this first client; the program runs on between clients, and a lost one may return."""
    stub.detach()
    stub.proc.stdout.readline()
    if stub.proc.stdout.readline() != b"ready\n":
        return "does not run on"
    stub.connect()
    for leave in (stub.detach, lambda: stub.sock.close(), stub.detach, lambda: stub.sock.close()):
        why = works(stub)
        if why:
            return why
        if stub.ask("Z0,0,4") != "OK":
            return "Z0"
        leave()
        stub.connect()
    why = works(stub)
    if why or stub.end() != -9:
        return why or "did not end by k"
    return "the socket is still there" if os.path.exists(stub.path) else None


def catch_syscall(stub):
    """write is number 64 of both guests."""
    if "QCatchSyscalls+" not in stub.ask("qSupported:swbreak+") or stub.ask("QCatchSyscalls:1;40;41") != "OK":
        return "QCatchSyscalls"
    stops = []
    for _ in range(2):
        stub.send(frame("vCont;c"))
        stops.append([f for f in stub.packet().split(";") if f.startswith("syscall")])
    if stops != [["syscall_entry:40"], ["syscall_return:40"]]:
        return "stops: %s" % stops
    if stub.ask("QCatchSyscalls:1") != "OK":
        return "all"
    stub.send(frame("vCont;c"))
    if "syscall_entry:" not in stub.packet() or stub.ask("QCatchSyscalls:0") != "OK":
        return "not every call is caught"
    stub.send(frame("vCont;c"))
    answer = stub.packet()
    return None if answer == "W07" else "end: " + answer


def exec_quietly(stub):
    """A client that knows nothing of exec events sees a SIGTRAP, and the session goes on."""
    stub.ask("qSupported:swbreak+")
    stub.send(frame("vCont;c"))
    answer = stub.packet()
    if not answer.startswith("T05") or "exec" in answer:
        return answer
    why = works(stub)
    stub.send(frame("vCont;c"))
    return why or (None if stub.packet() == "W07" else "end")


for name, fn in (("commands", commands), ("garbage", garbage), ("too-long", too_long), ("checksum", checksum), ("memory", memory),
                 ("connection-lost", lost), ("connection-lost-running", lost_running), ("noise-while-running", running_noise),
                 ("catch-syscall", catch_syscall)):
    test(name, fn)
test("unix-socket", unix_socket, unix=True)
test("comes-back", comes_back, unix=True, options=",suspend=n", args=["spin"])
test("exec-quietly", exec_quietly, args=["exec"])
