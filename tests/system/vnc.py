#!/usr/bin/env python3
"""vnc.py BUILD TMP DEVICE [password]: boots EDK2 on AArch64's `virt` with a display DEVICE, to its shell; stops the machine there, and what
gvnccapture (gtk-vnc) gets by VNC has to be what screendump writes as PPM and as PNG: the same size, the same pixels, and text on it."""
import json, os, pty, select, socket, struct, subprocess, sys, termios, time, zlib

build, tmp, device = sys.argv[1:4]
password = sys.argv[4] if len(sys.argv) > 4 else None
limit = time.monotonic() + 150
left = lambda: max(limit - time.monotonic(), 0.1)


def die(why):
    print(why)
    vm.kill()
    sys.exit(1)


def png(path):
    """Width, height, RGB bytes."""
    d, at, idat = open(path, 'rb').read(), 8, b''
    if d[:8] != b'\x89PNG\r\n\x1a\n':
        die(path + ' is no PNG file')
    while at < len(d):
        n, kind = struct.unpack('>I4s', d[at:at + 8])
        body = d[at + 8:at + 8 + n]
        if zlib.crc32(kind + body) != struct.unpack('>I', d[at + 8 + n:at + 12 + n])[0]:
            die(path + ': bad checksum')
        if kind == b'IHDR':
            w, h, depth, colour, _, _, lace = struct.unpack('>IIBBBBB', body)
        elif kind == b'IDAT':
            idat += body
        at += 12 + n
    size = {2: 3, 6: 4}.get(colour)
    if depth != 8 or not size or lace:
        die(path + ': a kind of PNG that the test does not know')
    raw, prev, out, line = zlib.decompress(idat), bytearray(w * size), [], w * size
    for y in range(h):
        f, cur = raw[y * (line + 1)], bytearray(raw[y * (line + 1) + 1:(y + 1) * (line + 1)])
        if f == 2:
            cur = bytearray((a + b) & 255 for a, b in zip(cur, prev))
        elif f:
            for i in range(line):
                a, b, c = cur[i - size] if i >= size else 0, prev[i], prev[i - size] if i >= size else 0
                p = a + b - c
                paeth = a if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c) else b if abs(p - b) <= abs(p - c) else c
                cur[i] = (cur[i] + (a, 0, (a + b) // 2, paeth)[f - 1]) & 255
        out.append(bytes(cur) if size == 3 else b''.join(bytes(cur[i:i + 3]) for i in range(0, line, 4)))
        prev = cur
    return w, h, b''.join(out)


def ppm(path):
    d = open(path, 'rb').read()
    magic, w, h, top = d.split(None, 4)[:4]
    return int(w), int(h), d[len(d) - int(w) * int(h) * 3:]


def capture(where, to, word):
    """gvnccapture on a terminal of its own, which it wants for a password: its exit status."""
    pid, fd = pty.fork()
    if not pid:
        os.environ.pop('DISPLAY', None)
        os.execvp('gvnccapture', ['gvnccapture', where, to])
    said, sent = b'', False
    while time.monotonic() < limit:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                data = b''
            if not data:
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            said += data
        if b'assword' in said and not sent and not termios.tcgetattr(fd)[3] & termios.ECHO:
            os.write(fd, word.encode() + b'\n')
            sent = True
    os.kill(pid, 9)
    die('gvnccapture did not end: %r' % said)


def qmp(name, **args):
    conn.write(json.dumps({'execute': name, 'arguments': args}) + '\n')
    conn.flush()
    while True:
        line = conn.readline()
        if not line:
            die('the monitor went away after ' + name)
        r = json.loads(line)
        if 'event' in r:
            events.append(r)
        elif 'error' in r:
            die('%s: %s' % (name, r['error']))
        else:
            return r['return']


ours, theirs = socket.socketpair()
con_ours, con_theirs = socket.socketpair()
vm = subprocess.Popen([build + '/lyre-system-aarch64', '-M', 'virt', '-cpu', 'max', '-m', '256', '-nodefaults', '-device', device,
                       '-bios', '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd', '-vnc', '127.0.0.1:0,to=999' + (',password=on' if password else ''),
                       '-chardev', 'socket,id=q,fd=%d' % theirs.fileno(), '-mon', 'chardev=q,mode=control',
                       '-chardev', 'socket,id=s,fd=%d' % con_theirs.fileno(), '-serial', 'chardev:s'],
                      pass_fds=[theirs.fileno(), con_theirs.fileno()], stdin=subprocess.DEVNULL)
theirs.close()
con_theirs.close()
ours.settimeout(left())
conn, events, console = ours.makefile('rw'), [], b''
conn.readline()
qmp('qmp_capabilities')
while b'Shell>' not in console.replace(b'\x1b', b''):
    con_ours.settimeout(left())
    try:
        data = con_ours.recv(4096)
    except socket.timeout:
        die('no shell in time: %r' % console[-300:])
    if not data:
        die('the machine ended: %r' % console[-300:])
    console += data
qmp('stop')
vnc = qmp('query-vnc')
if not vnc['enabled'] or vnc['auth'] != ('vnc' if password else 'none') or vnc['clients']:
    die('query-vnc says %s' % vnc)
where = '127.0.0.1:%d' % (int(vnc['service']) - 5900)
if password:
    qmp('set_password', protocol='vnc', password=password)
    if capture(where, tmp + '/wrong.png', 'not' + password) == 0 or os.path.exists(tmp + '/wrong.png'):
        die('a wrong password got in')
if capture(where, tmp + '/v.png', password):
    die('gvnccapture failed')
qmp('screendump', filename=tmp + '/d.ppm')
qmp('screendump', filename=tmp + '/d.png', format='png')
seen, shot, shot_png = png(tmp + '/v.png'), ppm(tmp + '/d.ppm'), png(tmp + '/d.png')
if seen[:2] != shot[:2] or seen[2] != shot[2]:
    die('gvnccapture %dx%d and screendump %dx%d differ' % (seen[:2] + shot[:2]))
if shot_png != shot:
    die('PPM and PNG differ')
colours = {shot[2][i:i + 3] for i in range(0, len(shot[2]), 3)}
lit = sum(1 for i in range(0, len(shot[2]), 3) if shot[2][i:i + 3] != b'\0\0\0')
if len(colours) < 3 or lit < 1000:
    die('no text on the screen: %d colours, %d pixels lit' % (len(colours), lit))
qmp('query-status')
names = [e['event'] for e in events]
for n in ('VNC_CONNECTED', 'VNC_INITIALIZED', 'VNC_DISCONNECTED'):
    if n not in names:
        die('no event %s: %s' % (n, names))
status = open('/proc/%d/status' % vm.pid).read()
if 'Seccomp:\t2' not in status and 'Seccomp:' in status:
    die('the process is not in its sandbox')
qmp('quit')
if vm.wait(left()):
    die('the machine ended with %d' % vm.returncode)
print('%dx%d, %d colours, %d pixels lit' % (shot[0], shot[1], len(colours), lit))
