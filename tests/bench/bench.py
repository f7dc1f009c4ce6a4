#!/usr/bin/env python3
"""Runs what bench.sh made: python3 bench.py PROGRAMS BUILD [-n ROUNDS] [-g GUESTS] [-a LYRE-ARGS] [-c] [-w FILE] [ROW...]"""
import argparse, math, os, shutil, statistics, subprocess, sys
from collections import namedtuple

ap = argparse.ArgumentParser()
ap.add_argument('dir')
ap.add_argument('build')
ap.add_argument('-n', type=int, default=3, help='rounds')
ap.add_argument('-g', default='riscv64,aarch64', help='guests')
ap.add_argument('-a', default='', help='arguments for lyre')
ap.add_argument('-c', action='store_true', help='fail below the targets')
ap.add_argument('-w', metavar='FILE', help='put the table in the place of that in FILE')
ap.add_argument('rows', nargs='*')
a = ap.parse_intermixed_args()

# target: times as fast as QEMU at least. deb: a program of the package root and its arguments, else the compiled DIR/ARCH-NAME.
# system: system time counts too. start: a start-up row, run by the static lyre-user, whose memory counts: half of QEMU's.
# ext: needs CPU features that QEMU has off by default.
Row = namedtuple('Row', 'name target deb args system start ext', defaults=('', [], False, False, False))
CMAC = ['mac', '-cipher', 'AES-128-CBC', '-macopt', 'hexkey:000102030405060708090a0b0c0d0e0f', '-in', '{dir}/zeros', 'CMAC']
HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = [
    Row('calls', 3), Row('indirect', 3), Row('vm', 3),
    Row('lua', 3, 'bin/lua5.4', [HERE + '/prog/lua.lua']),
    Row('sqlite', 1, 'bin/sqlite3', [':memory:', '.read ' + HERE + '/prog/sqlite.sql']),
    Row('compile', 1, 'libexec/{gcc}/{guest}-linux-gnu/14/cc1',
        ['-quiet', '-fpreprocessed', '-w', '-O1', '{dir}/{guest}-compile.i', '-o', '/dev/stdout']),
    Row('coremark', 1), Row('sort', 1), Row('strings', 1), Row('sha256', 1), Row('aes', 1),
    Row('openssl', 1, 'bin/openssl', CMAC, ext=True),
    Row('nbody', 4), Row('mandel', 4), Row('matmul-scalar', 4), Row('matmul', 15, ext=True),
    Row('simd-scalar', 1), Row('simd', 5, ext=True),
    Row('syscalls', 1, system=True), Row('once', 3, system=True),
    Row('true', 3, system=True, start=True), Row('exit', 3, system=True, start=True),
]
GEOMEAN_TARGET, MEMORY_TARGET = 3, 2
# QEMU as fast and as able as it can be: its quick pointer authentication, and the extensions that some rows need.
QEMU_CPU = {('aarch64', False): 'max,pauth-impdef=on', ('aarch64', True): 'max,pauth-impdef=on',
            ('riscv64', True): 'rv64,v=true,vext_spec=v1.0,vlen=128,zbkb=true,zbkc=true,zbkx=true,zknd=true,zkne=true,zknh=true'}
ENV = {'PATH': os.environ['PATH'], 'LC_ALL': 'C', 'HOME': '/nonexistent', 'OPENSSL_CONF': '/dev/null',
       # QEMU 7.2 has no riscv_hwprobe(2), from which OpenSSL would learn this
       'OPENSSL_riscvcap': 'rv64gc_zba_zbb_zbc_zbs_zbkb_zbkc_zbkx_zknd_zkne_zknh'}
SHORTEST = 0.15  # seconds: what is shorter is run several times, for the clock's sake


def program(row, arch, guest):
    """The command line of a row's program without an emulator."""
    fill = lambda s, cross='': s.format(dir=a.dir, guest=guest, gcc='gcc' + cross)
    if not row.deb:
        return [f'{a.dir}/{arch}-{row.name}']
    root, args = f'{a.dir}/root-{arch}', [fill(s) for s in row.args]
    if arch != 'native':
        return [f'{root}/usr/' + fill(row.deb)] + args
    loader = [f'{root}/usr/lib64/ld-linux-x86-64.so.2', '--library-path', f'{root}/usr/lib/x86_64-linux-gnu']
    return loader + [f'{root}/usr/' + fill(row.deb, '-cross')] + args


def commands(row, guest):
    prog = program(row, guest, guest)
    at = ['-L', f'{a.dir}/root-{guest}'] if row.deb else []
    lyre = os.path.join(a.build, 'lyre-user' if row.start else 'lyre-' + guest)
    cmds = {'native': program(row, 'native', guest), 'lyre': [lyre] + a.a.split() + at + prog}
    qemu, cpu = shutil.which('qemu-' + guest), QEMU_CPU.get((guest, row.ext))
    if qemu:
        cmds['qemu'] = [qemu] + (['-cpu', cpu] if cpu else []) + at + prog
    return cmds if os.path.exists(prog[0]) and os.path.exists(cmds['native'][0]) else None


def run(cmd, row, repeat):
    """(seconds, peak KiB, output) of one program, or None if it fails."""
    r, w = os.pipe()
    p = subprocess.run([os.path.join(a.dir, 'run'), str(w), str(repeat)] + cmd, stdout=subprocess.PIPE, pass_fds=[w], env=ENV)
    os.close(w)
    with os.fdopen(r) as f:
        report = f.read().split()
    if p.returncode or not report:
        return None
    user, system, peak = map(float, report)
    return user + (system if row.system else 0), int(peak), p.stdout


def measure(row, cmds):
    """{runner: (median seconds, peak KiB)}, or what is wrong."""
    times, peak, want, repeat = {k: [] for k in cmds}, {}, None, {}
    for n in range(a.n):
        for k, cmd in cmds.items():
            if not n:  # fills the page cache, tells how long it takes, and is the first measurement if that is long enough
                res = run(cmd, row, 1)
                repeat[k] = math.ceil(min(20, SHORTEST / max(res[0], 1e-4))) if res else 1
            if n or repeat[k] > 1:
                res = run(cmd, row, repeat[k])
            if not res:
                return f'{k} FAILED'
            if k == 'native':
                want = res[2]
            if res[2] != want:
                return f'{k}: WRONG RESULT'
            times[k].append(res[0])
            peak[k] = res[1]
    return {k: (max(statistics.median(v), 1e-6), peak[k]) for k, v in times.items()}


def geomean(v):
    return math.exp(sum(map(math.log, v)) / len(v)) if v else float('nan')


low, bad, lines = [], [], []


def say(line):
    lines.append(line)
    print(line, flush=True)


def check(what, have, target):
    if have < target:
        low.append(f'{what}: {have:.2f}, needed {target}')


def notes(row, guest, m):
    text = ''
    if row.start:
        text = '   peak KiB: ' + ', '.join(f'{k} {m[k][1]}' for k in m if k != 'native')
        if 'qemu' in m:
            check(f'{guest} {row.name} (memory)', m['qemu'][1] / m['lyre'][1], MEMORY_TARGET)
    if row.name == 'once':
        with open(f'{a.dir}/{guest}-once.count') as f:
            n = int(f.read())
        text = f'   {n} guest instructions, million/s: ' + ', '.join(f'{k} {n / m[k][0] / 1e6:.2f}' for k in m if k != 'native')
    return text


def table(guest):
    cost, gain = [], []
    for row in ROWS:
        if a.rows and row.name not in a.rows:
            continue
        cmds = commands(row, guest)
        m = measure(row, cmds) if cmds else 'not there (package or compiler missing)'
        if isinstance(m, str):
            bad.append(f'{guest} {row.name}: {m}')
            say(f'{guest:<10} {row.name:<13} {m}')
            continue
        native, lyre = m['native'][0], m['lyre'][0]
        line = f'{guest:<10} {row.name:<13} {native:9.4f} {lyre:9.4f} {lyre / native:9.2f}'
        if not row.start:
            cost.append(lyre / native)
        if 'qemu' in m:
            gain.append(m['qemu'][0] / lyre)
            line += f" {m['qemu'][0]:9.4f} {gain[-1]:10.2f} {row.target:6}"
            check(f'{guest} {row.name}', gain[-1], row.target)
        say(line + notes(row, guest, m))
    say(f'{guest:<10} {"geomean":<13} {geomean(cost):29.2f} {geomean(gain):20.2f} {GEOMEAN_TARGET:6}')
    if gain and not a.rows:
        check(f'{guest} geomean', geomean(gain), GEOMEAN_TARGET)


say('%-10s %-13s %9s %9s %9s %9s %10s %6s' % ('guest', 'row', 'native s', 'lyre s', 'of native', 'qemu s', 'times qemu', 'target'))
for g in a.g.split(','):
    table(g)
if a.w:
    with open(a.w) as f:
        text = f.read().split('\n')
    first = next(i for i, s in enumerate(text) if s.startswith('    guest '))
    last = next(i for i in range(first, len(text)) if not text[i].startswith('    '))
    text[first:last] = ['    ' + s for s in lines]
    with open(a.w, 'w') as f:
        f.write('\n'.join(text))
if a.c:
    for s in low:
        print('below target: ' + s)
    print(f'{len(low)} below target, {len(bad)} not measured')
sys.exit(bool(bad or (a.c and low)))
