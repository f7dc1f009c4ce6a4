# kernels.sh: Debian's own kernels and a busybox for whole machines, from packages, in $LYRE_CACHE. Sourced after lib.sh.
# kernel_of GUEST: sets KERNEL (image) and BUSYBOX (static), MODULES (its folder of modules); exit status of fetch.sh otherwise
kernel_of() {
    local root rc
    case $1 in
    riscv64) root=$("$tests/fetch.sh" riscv64:trixie linux-image-riscv64 busybox-static 2>/dev/null) ;;
    aarch64) root=$("$tests/fetch.sh" arm64:bookworm linux-image-arm64 busybox-static 2>/dev/null) ;;
    *) return 1 ;;
    esac
    rc=$?
    [ $rc = 0 ] || return $rc
    KERNEL=$(ls "$root"/boot/vmlinu[xz]-* 2>/dev/null | head -1)
    MODULES=$(ls -d "$root"/lib/modules/* "$root"/usr/lib/modules/* 2>/dev/null | head -1)
    BUSYBOX=$(ls "$root"/bin/busybox "$root"/usr/bin/busybox 2>/dev/null | head -1)
    [ -n "$KERNEL" ] && [ -n "$BUSYBOX" ]
}
# initramfs OUT INIT [FILE...]: busybox, the script INIT as /init, FILEs in /
initramfs() {
    local out=$1 init=$2 d
    shift 2
    d=$(mktemp -d)
    mkdir -p "$d"/{bin,dev,proc,sys,tmp,mnt}
    cp "$BUSYBOX" "$d/bin/busybox"
    ln -s busybox "$d/bin/sh"
    install -m 755 "$init" "$d/init"
    [ $# = 0 ] || cp "$@" "$d/"
    (cd "$d" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$out"
    rm -rf "$d"
}
# console_of GUEST
console_of() { case $1 in riscv64) echo ttyS0 ;; *) echo ttyAMA0 ;; esac; }
