#!/usr/bin/env python3
"""hotplug.py DISK COMMAND...: a running Linux sees disks come and go: virtio-blk on a root port, SCSI disks and CD-ROM media; while it reads."""
import os, select, sys
from qmp import *

disk, command = sys.argv[1], sys.argv[2:]
medium = disk + ".iso"
with open(medium, "wb") as f:
    f.write(b"the other medium".ljust(4096, b"."))


def unplug(m, dev):
    """device_del until it is gone: a guest that is still busy with the slot does not hear it (QEMU's clients repeat it, too)."""
    while True:
        r = m.raw("device_del", id=dev)
        if "error" in r and r["error"]["class"] == "DeviceNotFound":
            break
        select.select([m.qmp], [], [], 0.5)
    m.event("DEVICE_DELETED", device=dev)


def main():
    m = Machine(float(os.environ.get("LIMIT", "200")), command)
    m.word("CPUS ")
    m.word("# ", "grep -c vd[a-z]$ /proc/partitions; echo an''swer\n")
    m.word("0\r\nanswer")
    # what cannot be
    check("class", m.error("device_add", driver="nonsense", id="x")["class"], "GenericError")
    check("no hot-plug", m.error("device_add", driver="virtio-rng-pci")["desc"], "Bus 'pcie.0' does not support hotplugging")
    check("no bus", m.error("device_add", driver="virtio-rng-pci", bus="nix")["desc"], "Bus 'nix' not found")
    check("class", m.error("device_del", id="nix")["class"], "DeviceNotFound")
    check("no unplug", m.error("device_del", id="rp1")["class"], "GenericError")
    # comes
    m.ask("blockdev-add", **{"driver": "raw", "node-name": "n0", "file": {"driver": "file", "filename": disk}})
    m.ask("device_add", driver="virtio-blk-pci", id="vd", bus="rp1", drive="n0", serial="hot")
    check("twice", m.error("device_add", driver="virtio-blk-pci", id="vd", bus="rp2", drive="n0")["desc"], "Duplicate device ID 'vd'")
    check("in use", m.error("device_add", driver="virtio-blk-pci", id="ve", bus="rp2", drive="n0")["class"], "GenericError")
    check("full", m.error("device_add", driver="virtio-rng-pci", bus="rp1")["class"], "GenericError")
    check("in use", m.error("blockdev-del", **{"node-name": "n0"})["desc"], "Node n0 is in use")
    m.word("# ", "while ! [ -e /sys/block/vda ]; do :; done; cat /sys/block/vda/serial; head -c 9 /dev/vda; echo; echo th''ere\n")
    m.word("hot")
    m.word("on a disk\r\nthere")
    names = [d["qdev_id"] for b in m.ask("query-pci")[0]["devices"] if "pci_bridge" in b for d in b["pci_bridge"].get("devices", [])]
    check("query-pci", "vd" in names)
    check("query-block", [b["inserted"]["node-name"] for b in m.ask("query-block") if b.get("qdev") == "/machine/peripheral/vd/virtio-backend"], ["n0"])
    check("qom", m.ask("qom-get", path="/machine/peripheral/vd", property="drive"), "n0")
    # goes, while it is read from
    m.word("# ", "dd if=/dev/vda of=/dev/null bs=4k iflag=direct 2>/dev/null & while true; do cat /dev/vda; done >/dev/null 2>&1 &\n")
    m.word("# ", "echo rea''ding\n")
    m.word("reading")
    m.ask("device_del", id="vd")
    check("again", m.error("device_del", id="vd")["desc"], "Device vd is already in the process of unplug")
    check("path", m.event("DEVICE_DELETED", device="vd")["path"], "/machine/peripheral/vd")
    check("gone", m.error("device_del", id="vd")["class"], "DeviceNotFound")
    m.ask("blockdev-del", **{"node-name": "n0"})
    m.word("# ", "kill %1 %2; while [ -e /sys/block/vda ]; do :; done; echo aw''ay\n")
    m.word("away")
    # the older way: a drive goes with its device
    check("drive_add", m.hmp(f"drive_add 0 if=none,id=d1,format=raw,file={disk}"), "OK\r\n")
    m.hmp("device_add virtio-blk-pci,id=vd2,bus=rp2,drive=d1")
    m.word("# ", "while ! [ -e /sys/block/vda ]; do :; done; head -c 9 /dev/vda; echo; echo th''ere\n")
    m.word("on a disk\r\nthere")
    m.hmp("device_del vd2")
    m.event("DEVICE_DELETED", device="vd2")
    check("drive", [b for b in m.ask("query-block") if b["device"] == "d1"], [])
    # a network card
    m.ask("netdev_add", type="user", id="u1")
    m.ask("device_add", driver="virtio-net-pci", id="nic1", bus="rp1", netdev="u1")
    m.word("# ", "while ! [ -e /sys/class/net/eth0 ]; do :; done; echo ca''rd\n")
    m.word("card")
    unplug(m, "nic1")
    m.ask("netdev_del", id="u1")
    # SCSI: comes and goes at once
    m.ask("blockdev-add", **{"driver": "raw", "node-name": "n1", "file": {"driver": "file", "filename": disk}})
    m.ask("device_add", driver="scsi-hd", id="sd", drive="n1", bus="hba.0")
    m.word("# ", "while ! [ -e /sys/block/sda ]; do :; done; head -c 9 /dev/sda; echo; echo th''ere\n")
    m.word("on a disk\r\nthere")
    m.ask("device_del", id="sd")
    m.event("DEVICE_DELETED", device="sd")
    m.ask("blockdev-del", **{"node-name": "n1"})
    m.word("# ", "while [ -e /sys/block/sda ]; do :; done; echo aw''ay\n")
    m.word("away")
    # media of a CD-ROM drive
    m.word("# ", "head -c 9 /dev/sr0; echo; echo emp''ty\n")
    m.word("No medium")
    m.word("empty")
    m.ask("blockdev-change-medium", id="cd", filename=disk, format="raw")
    check("tray", [m.event("DEVICE_TRAY_MOVED")["tray-open"] for i in range(2)], [True, False])
    m.word("# ", "head -c 9 /dev/sr0; echo; echo th''ere\n")
    m.word("on a disk\r\nthere")
    m.hmp(f"change cd0 {medium} raw")
    m.word("# ", "head -c 16 /dev/sr0; echo; echo th''ere\n")
    m.word("the other medium\r\nthere")
    m.ask("eject", device="cd0", force=True)
    check("empty", [("inserted" in b, b["tray_open"]) for b in m.ask("query-block") if b["device"] == "cd0"], [(False, True)])
    m.word("# ", "poweroff -f\n")
    check("end", m.ends(), 0)


run(main)
