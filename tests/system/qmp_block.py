#!/usr/bin/env python3
"""qmp_block.py DIR IMG COMMAND...: disks of a machine that stands still, by QMP: snapshots, jobs, transactions, limits, objects, NBD; images are looked
at with IMG (lyre-img; qemu-img where it is installed)."""
import os, shutil, sys
from qmp import *

tmp, img, command = sys.argv[1], sys.argv[2], sys.argv[3:]
tools = [[img]] + ([["qemu-img"]] if shutil.which("qemu-img") else [])


def path(name):
    return os.path.join(tmp, name)


def tool(*args, which=0, ok=True):
    p = subprocess.run(tools[which] + list(args), capture_output=True, text=True)
    if ok and p.returncode:
        raise Failed(f"{tools[which] + list(args)}: {p.stdout}{p.stderr}")
    return p


def same(a, b):
    for i in range(len(tools)):
        tool("compare", "-U", path(a), path(b), which=i)


def sound(name):
    for i in range(len(tools)):
        tool("check", "-U", path(name), which=i)


def chain(m, dev):
    n = [b for b in m.ask("query-block") if b["device"] == dev][0]["inserted"]["image"]
    out = []
    while n:
        out.append(os.path.basename(n["filename"]))
        n = n.get("backing-image")
    return out


def job_end(m, id, error=None):
    e = m.event("BLOCK_JOB_COMPLETED", device=id)
    check("job", e.get("error"), error)
    m.event("JOB_STATUS_CHANGE", id=id, status="null")
    return e


def disks(m):
    raw = {"driver": "file", "filename": path("base.raw")}
    check("missing", m.error("blockdev-add", **{"driver": "raw", "file": raw})["desc"], "'node-name' must be specified for the root node")
    check("driver", m.error("blockdev-add", **{"driver": "nix", "node-name": "x"})["class"], "GenericError")
    check("option", m.error("blockdev-add", **{"driver": "raw", "node-name": "x", "nix": 1, "file": raw})["class"], "GenericError")
    check("none left", [n for n in m.ask("query-named-block-nodes") if n["node-name"] == "x"], [])
    check("not there", m.error("blockdev-del", **{"node-name": "x"})["desc"], "Failed to find node with node-name='x'")
    check("class", m.error("block_resize", device="nix", size=1)["class"], "GenericError")
    m.ask("block_resize", device="d0", size=9 << 20)
    check("size", [b["inserted"]["image"]["virtual-size"] for b in m.ask("query-block") if b["device"] == "d0"], [9 << 20])
    m.ask("block_resize", device="d0", size=8 << 20)
    zero = dict(bps=0, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)
    m.ask("block_set_io_throttle", device="d0", **{**zero, "iops": 100, "iops_max": 200, "group": "g"})
    b = [b for b in m.ask("query-block") if b["device"] == "d0"][0]["inserted"]
    check("limits", (b["iops"], b["iops_max"], b["group"]), (100, 200, "g"))
    check("limits", m.error("block_set_io_throttle", device="d0", **{**zero, "iops": 1, "iops_rd": 1})["desc"],
          "bps/iops/max total values and read/write values cannot be used at the same time")
    m.ask("block_set_io_throttle", device="d0", **zero)
    check("stats", [s["stats"]["rd_bytes"] for s in m.ask("query-blockstats") if s["device"] == "d0"], [0])


def objects(m):
    m.ask("object-add", **{"qom-type": "iothread", "id": "io9"})
    check("iothread", [t["thread-id"] > 0 for t in m.ask("query-iothreads") if t["id"] == "io9"], [True])
    check("twice", m.error("object-add", **{"qom-type": "iothread", "id": "io9"})["class"], "GenericError")
    m.ask("object-del", id="io9")
    check("gone", m.error("object-del", id="io9")["desc"], "object 'io9' not found")
    check("in use", m.error("object-del", id="io0")["desc"], "object 'io0' is in use, can not be deleted")
    m.ask("object-add", **{"qom-type": "throttle-group", "id": "tg", "limits": {"bps-total": 1000000}})
    check("limits", m.ask("qom-get", path="/objects/tg", property="limits"), {"bps-total": 1000000})
    m.ask("qom-set", path="/objects/tg", property="limits", value={"iops-read": 5})
    check("limits", m.ask("qom-get", path="/objects/tg", property="limits"), {"iops-read": 5})
    check("limits", m.error("qom-set", path="/objects/tg", property="limits", value={"iops-read": 5, "iops-total": 1})["class"], "GenericError")
    m.ask("blockdev-add", **{"driver": "throttle", "node-name": "thr", "throttle-group": "tg", "file": {"driver": "null-co"}})
    check("in use", m.error("object-del", id="tg")["class"], "GenericError")
    m.ask("blockdev-del", **{"node-name": "thr"})
    m.ask("object-del", id="tg")
    check("type", m.error("object-add", **{"qom-type": "nix", "id": "x"})["class"], "GenericError")


def snapshots(m):
    shutil.copy(path("d0.qcow2"), path("before.qcow2"))
    m.ask("blockdev-snapshot-sync", **{"device": "d0", "snapshot-file": path("s1.qcow2"), "snapshot-node-name": "s1"})
    m.ask("transaction", actions=[{"type": "blockdev-snapshot-sync", "data": {"device": d, "snapshot-file": path(d + "-s2.qcow2")}} for d in ("d0", "d1")])
    check("chain", chain(m, "d0"), ["d0-s2.qcow2", "s1.qcow2", "d0.qcow2"])
    check("chain", chain(m, "d1"), ["d1-s2.qcow2", "d1.raw"])
    r = m.error("transaction", actions=[{"type": "blockdev-snapshot-sync", "data": {"device": "d0", "snapshot-file": path("no.qcow2")}}, {"type": "abort", "data": {}}])
    check("abort", r["desc"], "Transaction aborted using Abort action")
    check("unknown", m.error("transaction", actions=[{"type": "nix", "data": {}}])["class"], "GenericError")
    check("malformed", m.error("transaction", actions=[{"type": "blockdev-snapshot-sync", "data": {"device": 1}}])["class"], "GenericError")
    check("chain", chain(m, "d0"), ["d0-s2.qcow2", "s1.qcow2", "d0.qcow2"])
    same("d0-s2.qcow2", "before.qcow2")
    # a node that was made before
    tool("create", "-f", "qcow2", path("s3.qcow2"), "8M")
    m.ask("blockdev-add", **{"driver": "qcow2", "node-name": "s3", "file": {"driver": "file", "filename": path("s3.qcow2")}})
    m.ask("blockdev-snapshot", node="d0", overlay="s3")
    check("chain", chain(m, "d0"), ["s3.qcow2", "d0-s2.qcow2", "s1.qcow2", "d0.qcow2"])
    # inside
    m.ask("blockdev-snapshot-internal-sync", device="d0", name="inside")
    check("twice", m.error("blockdev-snapshot-internal-sync", device="d0", name="inside")["class"], "GenericError")
    check("raw", m.error("blockdev-snapshot-internal-sync", device="d2", name="x")["class"], "GenericError")
    check("list", [s["name"] for b in m.ask("query-block") if b["device"] == "d0" for s in b["inserted"]["image"]["snapshots"]], ["inside"])
    check("deleted", m.ask("blockdev-snapshot-delete-internal-sync", device="d0", name="inside")["name"], "inside")


def jobs(m):
    # an intermediate layer down, the rest up
    m.ask("block-commit", **{"device": "d0", "job-id": "c", "top": path("d0-s2.qcow2"), "base": path("s1.qcow2")})
    job_end(m, "c")
    check("chain", chain(m, "d0"), ["s3.qcow2", "s1.qcow2", "d0.qcow2"])
    m.ask("block-stream", **{"device": "d0", "base": path("d0.qcow2")})
    job_end(m, "d0")
    check("chain", chain(m, "d0"), ["s3.qcow2", "d0.qcow2"])
    same("s3.qcow2", "before.qcow2")
    # the active layer down
    m.ask("block-commit", **{"device": "d0", "job-id": "a"})
    m.event("BLOCK_JOB_READY", device="a")
    check("busy", m.error("blockdev-snapshot-sync", **{"device": "d0", "snapshot-file": path("no.qcow2")})["class"], "GenericError")
    check("query", [(j["device"], j["ready"], j["type"]) for j in m.ask("query-block-jobs")], [("a", True, "commit")])
    check("query", [(j["id"], j["status"]) for j in m.ask("query-jobs")], [("a", "ready")])
    m.ask("block-job-complete", device="a")
    job_end(m, "a")
    check("chain", chain(m, "d0"), ["d0.qcow2"])
    same("d0.qcow2", "before.qcow2")
    # copies
    m.ask("drive-backup", **{"device": "d0", "target": path("backup.qcow2"), "sync": "full", "job-id": "b"})
    job_end(m, "b")
    same("backup.qcow2", "before.qcow2")
    m.ask("drive-mirror", **{"device": "d0", "target": path("mirror.raw"), "format": "raw", "sync": "full", "job-id": "m"})
    m.event("BLOCK_JOB_READY", device="m")
    m.ask("block-job-complete", device="m")
    job_end(m, "m")
    check("chain", chain(m, "d0"), ["mirror.raw"])
    same("mirror.raw", "before.qcow2")
    tool("create", "-f", "qcow2", path("target.qcow2"), "8M")
    m.ask("blockdev-add", **{"driver": "qcow2", "node-name": "t", "file": {"driver": "file", "filename": path("target.qcow2")}})
    m.ask("blockdev-mirror", **{"device": "d0", "target": "t", "sync": "full", "job-id": "m2", "auto-dismiss": False, "auto-finalize": False})
    m.event("JOB_STATUS_CHANGE", id="m2", status="ready")
    check("verb", m.error("job-dismiss", id="m2")["desc"], "Job 'm2' in state 'ready' cannot accept command verb 'dismiss'")
    m.ask("job-complete", id="m2")
    m.event("BLOCK_JOB_PENDING", id="m2")
    m.ask("job-finalize", id="m2")
    m.event("JOB_STATUS_CHANGE", id="m2", status="concluded")
    m.ask("job-dismiss", id="m2")
    check("chain", chain(m, "d0"), ["target.qcow2"])
    check("no job", m.error("job-cancel", id="m2")["desc"], "Job not found")
    check("class", m.error("block-job-cancel", device="m2")["class"], "DeviceNotActive")
    check("chain", m.error("block-commit", device="d0")["class"], "GenericError")


def nbd(m):
    check("none", m.error("nbd-server-add", device="d0")["desc"], "NBD server not running")
    m.ask("nbd-server-start", addr={"type": "unix", "data": {"path": path("nbd")}})
    check("twice", m.error("nbd-server-start", addr={"type": "unix", "data": {"path": path("nbd2")}})["desc"], "NBD server already running")
    m.ask("nbd-server-add", device="d1")
    m.ask("block-export-add", **{"type": "nbd", "id": "out", "node-name": "t", "writable": True})
    check("exports", [(x["id"], x["node-name"]) for x in m.ask("query-block-exports")][1:], [("out", "t")])
    for i in range(len(tools)):
        tool("compare", "-f", "raw", "-F", "raw", f"nbd+unix:///d1?socket={path('nbd')}", path("data"), which=i)
    # through our own server, as a target: a disk of the machine is mirrored into another of its disks
    m.ask("blockdev-add", **{"driver": "nbd", "node-name": "n", "export": "out", "server": {"type": "unix", "path": path("nbd")}})
    m.ask("blockdev-backup", **{"device": "d2", "target": "n", "sync": "full", "job-id": "nb"})
    job_end(m, "nb")
    m.ask("blockdev-del", **{"node-name": "n"})
    m.ask("nbd-server-remove", name="d1")
    check("gone", tool("info", "-f", "raw", f"nbd+unix:///d1?socket={path('nbd')}", ok=False).returncode != 0)
    m.ask("block-export-del", id="out", mode="hard")
    m.ask("nbd-server-stop")
    check("socket", os.path.exists(path("nbd")), False)


def main():
    for n in ("d0.qcow2",):
        tool("create", "-f", "qcow2", path(n), "8M")
    with open(path("data"), "wb") as f:
        f.write(os.urandom(3 << 20) + bytes(1 << 20) + os.urandom(4 << 20))
    tool("convert", "-f", "raw", "-O", "qcow2", path("data"), path("d0.qcow2"))
    shutil.copy(path("data"), path("d1.raw"))
    shutil.copy(path("data"), path("d2.raw"))
    m = Machine(60, command + ["-object", "iothread,id=io0", "-drive", f"if=none,id=d0,file={path('d0.qcow2')},format=qcow2",
                               "-drive", f"if=none,id=d1,file={path('d1.raw')},format=raw", "-drive", f"if=none,id=d2,file={path('d2.raw')},format=raw",
                               "-device", "virtio-blk-pci,drive=d0,id=disk0,iothread=io0", "-device", "virtio-blk-pci,drive=d1"])
    for part in (disks, objects, snapshots, jobs, nbd):
        part(m)
        print("part", part.__name__)
    m.ask("quit")
    check("end", m.ends(), 0)
    for n in ("d0.qcow2", "s3.qcow2", "target.qcow2", "backup.qcow2", "s1.qcow2", "d1-s2.qcow2"):
        sound(n)


run(main)
