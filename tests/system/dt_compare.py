#!/usr/bin/env python3
"""dt_compare.py QEMU.dtb OURS.dtb: every node and property of the first is in the second, with the same value. Phandles are compared as
paths. What may differ is listed below, with the reason."""
import struct, sys

MAY_BE_MISSING = {"/platform-bus"}                  # QEMU's -device vfio-platform and the like
RANDOM = {"rng-seed", "kaslr-seed", "phandle", "migrate"}
CELLS = {  # property: index of phandle cells, step
    "interrupt-parent": (0, 1), "clocks": (0, 1), "gpios": (0, 3), "msi-map": (1, 4), "cpu": (0, 1), "interrupt-map": (4, 10)}


def parse(blob):
    magic, total, off_struct, off_strings = struct.unpack(">4I", blob[:16])
    assert magic == 0xd00dfeed
    nodes, path, at = {}, [], off_struct
    while True:
        tag = struct.unpack(">I", blob[at:at + 4])[0]
        at += 4
        if tag == 1:
            end = blob.index(b"\0", at)
            path.append(blob[at:end].decode())
            nodes["/" + "/".join(path[1:])] = {}
            at = (end + 4) & ~3
        elif tag == 2:
            path.pop()
        elif tag == 3:
            size, name = struct.unpack(">2I", blob[at:at + 8])
            name = blob[off_strings + name:blob.index(b"\0", off_strings + name)].decode()
            nodes["/" + "/".join(path[1:])][name] = blob[at + 8:at + 8 + size]
            at = (at + 8 + size + 3) & ~3
        elif tag == 9:
            return nodes


def key(path):
    """Names that say an address that is the board's affair: QEMU calls the host bridge after its memory window."""
    return "/pcie" if path.startswith("/pcie@") else path


def load(name):
    nodes = parse(open(name, "rb").read())
    byhandle = {p["phandle"]: key(path) for path, p in nodes.items() if "phandle" in p}
    out = {}
    for path, props in nodes.items():
        res = {}
        for n, v in props.items():
            if n in CELLS and len(v) % 4 == 0:
                cells = [v[i:i + 4] for i in range(0, len(v), 4)]
                first, step = CELLS[n]
                if first < len(cells):
                    v = [byhandle.get(c, c) if i >= first and (i - first) % step == 0 else c for i, c in enumerate(cells)]
            res[n] = v
        out[key(path)] = res
    return out


def same(path, name, a, b, ours):
    if name in RANDOM or a == b:
        return True
    if name == "interrupts" and path.startswith("/virtio_mmio@"):
        return a[:8] == b[:8] and b[8:] == b"\0\0\0\4"  # the transport's line is a level
    if name == "reg" and path.startswith("/intc@") and b"gic-v3" in ours[path]["compatible"]:
        return a[:-8] == b[:-8]                         # as many redistributors as there are CPUs
    return False


qemu, ours = load(sys.argv[1]), load(sys.argv[2])
bad = 0
for path, props in qemu.items():
    if any(path.startswith(m) for m in MAY_BE_MISSING):
        continue
    if path not in ours:
        print("no node", path)
        bad += 1
        continue
    for name, val in props.items():
        if name == "interrupt-parent" and name not in ours[path]:
            continue
        if name not in RANDOM and name not in ours[path]:
            print("no property", path, name)
            bad += 1
        elif name in ours[path] and not same(path, name, val, ours[path][name], ours):
            print("differs", path, name, val, ours[path][name])
            bad += 1
sys.exit(1 if bad else 0)
