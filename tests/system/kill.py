#!/usr/bin/env python3
"""kill.py ROUNDS SEED IMAGE RAW COMMAND...: the machine's guest says "SYNCED DIR MD5" after each directory that it has written and synced (MD5: of the
file sum in it, which has the others' sums). The machine is killed at a random moment, ROUNDS times, each time on what was left. IMAGE (qcow2)
has to pass the installed qemu-img check, its file system e2fsck after its journal, and every directory that was ever announced to be whole. @OPTS@ in
COMMAND becomes another cache mode each time."""
import hashlib, os, random, re, select, shutil, subprocess, sys, tempfile, time

rounds, seed, image, raw, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]
rng, synced, limit = random.Random(seed), {}, float(os.environ.get("T_LIMIT", 300))


def run(*cmd):
    return subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def one_life():
    """Starts the machine, kills it some time after some directories; what it said."""
    opts = rng.choice(["cache=writeback", "cache=none", "cache=writeback,aio=threads"])
    p = subprocess.Popen([c.replace("@OPTS@", opts) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, after, end, last = b"", rng.randint(1, 12), None, time.monotonic() + limit
    while time.monotonic() < (end or last):
        if select.select([p.stdout], [], [], 0.01)[0]:
            b = os.read(p.stdout.fileno(), 65536)
            if not b: break
            out += b
        if end is None and out.count(b"SYNCED") >= after: end = time.monotonic() + rng.random() / 2
    p.kill()
    out += p.stdout.read()
    p.wait()
    return opts, out if end else None, out


def whole(d, top):
    """Is the directory as its sums say, and are these the sums that the guest announced?"""
    run("debugfs", "-R", f"rdump /{d} {top}", raw)
    try:
        sums = open(f"{top}/{d}/sum", "rb").read()
        files = [l.split() for l in sums.decode().splitlines()]
        return hashlib.md5(sums).hexdigest() == synced[d] and all(hashlib.md5(open(f"{top}/{d}/{n}", "rb").read()).hexdigest() == s for s, n in files)
    except (OSError, ValueError):
        return False


for n in range(rounds):
    opts, lived, out = one_life()
    if lived is None or b"MOUNT FAILED" in out: sys.exit(f"round {n}: {out[-800:]!r}")
    synced.update((d.decode(), s.decode()) for d, s in re.findall(rb"SYNCED (\w+) ([0-9a-f]{32})\r?\n", out))
    check = run("qemu-img", "check", image)
    if check.returncode not in (0, 3): sys.exit(f"round {n} ({opts}): qemu-img check: {check.stdout[-500:]}") # 3: leaks, which cost nothing but room
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw)
    run("e2fsck", "-fy", "-E", "journal_only", raw)
    fsck = run("e2fsck", "-fn", raw)
    if fsck.returncode: sys.exit(f"round {n} ({opts}): e2fsck: {fsck.stdout[-500:]}")
    top = tempfile.mkdtemp(dir=os.path.dirname(raw))
    lost = [d for d in synced if not whole(d, top)]
    shutil.rmtree(top)
    if lost: sys.exit(f"round {n} ({opts}): lost or damaged of {len(synced)}: {lost}")
print(len(synced), "directories")
