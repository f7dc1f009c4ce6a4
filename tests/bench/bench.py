#!/usr/bin/env python3
"""Runs what bench.sh compiled: python3 bench.py PROGRAMS BUILD [-n ROUNDS] [-g GUEST] [PROGRAM...]"""
import argparse, os, shutil, statistics, subprocess, sys

ap = argparse.ArgumentParser()
ap.add_argument('dir')
ap.add_argument('build')
ap.add_argument('-n', type=int, default=3, help='rounds')
ap.add_argument('-g', default='riscv64,aarch64')
ap.add_argument('-a', default='', help='arguments for lyre')
ap.add_argument('names', nargs='*')
a = ap.parse_intermixed_args()
ALL = ['calls', 'indirect', 'vm', 'coremark', 'sort', 'strings', 'sha256', 'nbody', 'mandel', 'matmul', 'simd', 'syscalls',
       'once', 'true', 'exit']
WALL = {'true', 'exit', 'once', 'syscalls'}  # measured as user + system time
REPEAT = {'true': 20, 'exit': 20, 'once': 5}


def run(cmd, name):
    """(seconds, peak KiB, output) of one program, or None if it fails."""
    r, w = os.pipe()
    p = subprocess.run([os.path.join(a.dir, 'run'), str(w), str(REPEAT.get(name, 1))] + cmd, stdout=subprocess.PIPE,
                       pass_fds=[w])
    os.close(w)
    with os.fdopen(r) as f:
        report = f.read().split()
    if p.returncode or not report:
        return None
    user, system, peak = map(float, report)
    return user + (system if name in WALL else 0), int(peak), p.stdout


def geomean(v):
    p = 1.0
    for x in v:
        p *= x
    return p ** (1 / len(v)) if v else float('nan')


print('%-10s %-10s %9s %9s %9s %9s %9s' % ('guest', 'program', 'native s', 'lyre s', 'of native', 'qemu s', 'times qemu'))
bad = 0
for guest in a.g.split(','):
    gain, cost = [], []
    qemu = shutil.which('qemu-' + guest)
    for name in a.names or ALL:
        progs = {'native': [os.path.join(a.dir, 'native-' + name)],
                 'lyre': [os.path.join(a.build, 'lyre-user' if name in ('true', 'exit') else 'lyre-' + guest)] +
                 a.a.split() + [os.path.join(a.dir, guest + '-' + name)]}
        if not os.path.exists(progs['lyre'][-1]):
            continue
        if qemu:
            progs['qemu'] = [qemu, progs['lyre'][-1]]
        t = {k: [] for k in progs}
        rss, outs = {}, {}
        for _ in range(a.n):
            for k, cmd in progs.items():
                res = run(cmd, name)
                if res:
                    t[k].append(res[0])
                    rss[k], outs[k] = res[1], res[2]
        if not t['lyre'] or outs['lyre'] != outs['native']:
            print('%-10s %-10s %s' % (guest, name, 'FAILED' if not t['lyre'] else 'WRONG RESULT'))
            bad += 1
            continue
        m = {k: statistics.median(v) for k, v in t.items() if v}
        q = m.get('qemu')
        row = '%-10s %-10s %9.4f %9.4f %9.2f' % (guest, name, m['native'], m['lyre'], m['lyre'] / max(m['native'], 1e-4))
        if q:
            row += ' %9.4f %9.2f' % (q, q / max(m['lyre'], 1e-6))
            gain.append(q / max(m['lyre'], 1e-6))
        if name in ('true', 'exit'):
            row += '   peak KiB: lyre %d, qemu %d' % (rss['lyre'], rss.get('qemu', 0))
        else:
            cost.append(m['lyre'] / max(m['native'], 1e-4))
        print(row, flush=True)
    print('%-10s %-10s %29.2f %19.2f' % (guest, 'geomean', geomean(cost), geomean(gain)))
sys.exit(bad != 0)
