"""qmp.py: a machine with its serial console and a QMP monitor, for tests that need both. Nothing is waited for by time alone: words on the
console, answers and events."""
import json, os, select, socket, subprocess, sys, time


class Failed(Exception):
    pass


class Machine:
    all = []

    def __init__(self, seconds, command, **more):
        self.limit = time.monotonic() + seconds
        ours, theirs = socket.socketpair()
        self.p = subprocess.Popen(command + ["-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control", "-monitor", "none"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[theirs.fileno()], **more)
        theirs.close()
        Machine.all.append(self)
        self.qmp, self.line, self.out, self.seen, self.events = ours, b"", b"", 0, []
        if "QMP" not in self.message():
            raise Failed("no greeting")
        self.ask("qmp_capabilities")

    def left(self):
        left = self.limit - time.monotonic()
        if left <= 0:
            raise Failed("time is over; console: " + repr(self.out[-1500:]))
        return left

    def pump(self):
        """One round: what there is of console and monitor."""
        ready = select.select([self.p.stdout, self.qmp], [], [], self.left())[0]
        if self.p.stdout in ready:
            b = os.read(self.p.stdout.fileno(), 65536)
            if not b:
                raise Failed("ended; console: " + repr(self.out[-1500:]))
            self.out += b
        if self.qmp in ready:
            b = self.qmp.recv(65536)
            if not b:
                raise Failed("the monitor is gone; console: " + repr(self.out[-1500:]))
            self.line += b

    def message(self):
        while b"\n" not in self.line:
            self.pump()
        one, self.line = self.line.split(b"\n", 1)
        return json.loads(one)

    def raw(self, command, **args):
        self.qmp.sendall(json.dumps({"execute": command, "arguments": args}).encode() + b"\n")
        while True:
            m = self.message()
            if "event" not in m:
                return m
            self.events.append(m)

    def ask(self, command, **args):
        m = self.raw(command, **args)
        if "return" not in m:
            raise Failed(f"{command} {args}: {m}")
        return m["return"]

    def error(self, command, **args):
        m = self.raw(command, **args)
        if "error" not in m:
            raise Failed(f"{command} {args}: no error but {m}")
        return m["error"]

    def hmp(self, line):
        return self.ask("human-monitor-command", **{"command-line": line})

    def event(self, name, **want):
        """The next event of that name whose data has these members; others are kept."""
        while True:
            for i, e in enumerate(self.events):
                if e["event"] == name and all(e.get("data", {}).get(k) == v for k, v in want.items()):
                    return self.events.pop(i).get("data", {})
            m = self.message()
            if "event" not in m:
                raise Failed(f"an answer nobody asked for: {m}")
            self.events.append(m)

    def word(self, word, send=None):
        """Waits for a word on the console, then types."""
        word = word.encode()
        while word not in self.out[self.seen:]:
            self.pump()
        self.seen = self.out.index(word, self.seen) + len(word)
        if send:
            self.p.stdin.write(send.encode())
            self.p.stdin.flush()

    def ends(self):
        try:
            self.p.stdin.close()
            while os.read(self.p.stdout.fileno(), 65536):
                self.left()
            return self.p.wait(self.left())
        except subprocess.TimeoutExpired:
            raise Failed("did not end")

    def kill(self):
        self.p.kill()
        self.p.wait()


def check(what, got, want=True):
    if got != want:
        raise Failed(f"{what}: {got!r} instead of {want!r}")


def run(fn, *args):
    try:
        fn(*args)
    except Failed as e:
        print(e)
        sys.exit(1)
    finally:
        for m in Machine.all:
            if m.p.poll() is None:
                m.kill()
