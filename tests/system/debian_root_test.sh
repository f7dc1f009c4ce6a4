#!/bin/bash
# debian_root_test.sh BUILD [--full]: a Debian of the guest's architecture on a qcow2 disk, made by debootstrap (its second stage runs in a chroot under our
# own user mode) once and kept in $LYRE_CACHE; each run writes to an overlay. It boots by systemd to a login on the serial console; root
# logs in; DHCP; a package is installed from an HTTP server on this machine's loopback; SSH through hostfwd; a C program is compiled and run;
# poweroff is exit status 0; the image passes the installed qemu-img check, the file system e2fsck. Only with --full.
# GUESTS="aarch64 riscv64": which ones. ONLY=REGEX: those whose name matches.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
tests=$here/..
. "$here/kernels.sh"
build=$1
[ "${2:-}" = --full ] || { skip debian-root "only with --full"; exit 0; }
[ -e "$build/lyre-system-aarch64" ] || { skip debian-root "no system mode"; exit 0; }
[ "$(id -u)" = 0 ] || { skip debian-root "debootstrap needs root"; exit 0; }
for t in debootstrap dpkg-scanpackages python3 ssh ssh-keygen mke2fs e2fsck qemu-img unshare; do have $t || { skip debian-root "no $t"; exit 0; }; done
tmpdir
HTTP= SSH=
trap '[ -z "$HTTP" ] || kill $HTTP; [ -z "$SSH" ] || kill $SSH 2>/dev/null; rm -rf "$TMP"' EXIT
in_root() { unshare -m --propagation private chroot "$1/root" /lyre-user /bin/sh -c "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive; $2"; }
# first stage of debootstrap, second stage under user mode; what an administrator would set up
make_tree() { # DIR
    local d=$1 root=$1/root mirror
    mirror=$(sed -n 's/^deb [^h]*\(http[^ ]*\) .*/\1/p' "$LYRE_CACHE/apt-$arch-$suite/parts/x.list")
    rm -rf "$root"
    debootstrap --foreign --arch=$arch --variant=minbase --include=systemd-sysv,udev,kmod,ifupdown,isc-dhcp-client,iproute2,openssh-server,gcc,libc6-dev,procps,initramfs-tools,zstd,$kernel \
        $suite "$root" "$mirror" >"$d/log" 2>&1 || return 1
    cp "$build/lyre-user" "$root/lyre-user"
    mkdir -p "$root/etc/dpkg/dpkg.cfg.d" && echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
    # the initrd: what this disk needs, not all of the kernel's drivers
    mkdir -p "$root/etc/initramfs-tools/conf.d" && echo MODULES=list >"$root/etc/initramfs-tools/conf.d/lyre"
    printf 'virtio_pci\nvirtio_mmio\nvirtio_blk\next4\n' >"$root/etc/initramfs-tools/modules"
    in_root "$d" '/debootstrap/debootstrap --second-stage' >>"$d/log" 2>&1 || return 1
}
set_up() { # DIR
    local d=$1 root=$1/root
    in_root "$d" 'echo root:lyre | chpasswd' >>"$d/log" 2>&1 || return 1
    rm -f "$root/lyre-user" "$root/etc/dpkg/dpkg.cfg.d/unsafe-io" "$root"/var/cache/apt/archives/*.deb
    echo lyre >"$root/etc/hostname"
    echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
    printf 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n' >"$root/etc/network/interfaces"
    rm -f "$d/key" "$d/key.pub"
    ssh-keygen -q -t ed25519 -N '' -f "$d/key" && install -D -m 600 "$d/key.pub" "$root/root/.ssh/authorized_keys"
}
make_image() { # DIR
    local d=$1 root=$1/root
    cp "$(ls "$root"/boot/vmlinu[xz]-* | head -1)" "$d/kernel" && cp "$(ls "$root"/boot/initrd.img-* | head -1)" "$d/initrd" || return 1
    rm -f "$d/disk.raw"
    mke2fs -q -t ext4 -d "$root" "$d/disk.raw" 3G >>"$d/log" 2>&1 || return 1
    "$build/lyre-img" convert -f raw -O qcow2 "$d/disk.raw" "$d/disk.tmp" >>"$d/log" 2>&1 || return 1
    rm -rf "$d/disk.raw" "$root"
    mv "$d/disk.tmp" "$d/disk.qcow2"
}
check() { # NAME STATUS
    if [ "$2" = 0 ]; then pass "$1"; else fail "$1" "$(tail -c 2000 "$TMP/log" | tr '\n' ' ')"; fi
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# a flat repository with one package, on a port of the system's choice
serve() {
    local opts=(-oDir::State="$LYRE_CACHE/apt-$arch-$suite/state" -oDir::State::lists="$LYRE_CACHE/apt-$arch-$suite/lists" -oDir::State::status="$LYRE_CACHE/apt-$arch-$suite/state/status"
        -oDir::Etc::sourceparts="$LYRE_CACHE/apt-$arch-$suite/parts" -oDir::Etc::sourcelist=/dev/null -oDir::Etc::preferencesparts=/dev/null -oDir::Cache::srcpkgcache= -oDir::Cache::pkgcache=
        -oAPT::Sandbox::User=root -oDebug::NoLocking=1 -oAPT::Architecture=$arch -oAPT::Architectures::=$arch -oAcquire::Languages=none)
    mkdir -p "$d/repo"
    if [ ! -e "$d/repo/Packages" ]; then
        (cd "$d/repo" && apt-get "${opts[@]}" -q download hello && dpkg-scanpackages -m . >Packages.new && mv Packages.new Packages) >"$TMP/log" 2>&1 || return 1
    fi
    python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$d/repo" >"$TMP/www.log" 2>&1 &
    HTTP=$!
    for i in $(seq 100); do
        port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$TMP/www.log")
        [ -n "$port" ] && break
        sleep 0.1
    done
}
# over SSH: waits for the server, compiles and runs a program with threads; leaves a file for the console to see
over_ssh() {
    printf '#include <pthread.h>\n#include <stdio.h>\nstatic void *f(void *x) { long s = 0; for (long i = 0; i < 1000000; i++) s += i %% (long) x; return (void *) s; }
int main(void) { pthread_t t[4]; long all = 0; for (long i = 0; i < 4; i++) pthread_create(t + i, 0, f, (void *) (i + 5)); for (int i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); all += (long) r; }
printf("sum %%ld\\n", all); }\n' >"$TMP/t.c"
    for i in $(seq 200); do
        out=$(ssh -q -p "$ssh_port" -i "$d/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=20 root@127.0.0.1 \
            'cat >t.c && gcc -O2 -pthread t.c -o t && ./t && uname -m; : >/run/seen' <"$TMP/t.c" 2>"$TMP/ssh.log") && break
        sleep 3
    done
    echo "$out" >"$TMP/ssh.out"
}
for guest in ${GUESTS:-aarch64}; do
    target=$(deb_arch $guest) arch=${target%%:*} suite=${target##*:} kernel=linux-image-$arch name=debian-root/$guest
    [[ $name =~ ${ONLY:-.} ]] || continue
    "$tests/fetch.sh" $target hello >/dev/null 2>"$TMP/log"
    case $? in
    0) ;;
    77) skip $name "the Debian archive does not answer"; continue ;;
    *) check $name/archive 1; continue ;;
    esac
    d=$LYRE_CACHE/debian-root-$arch-1
    mkdir -p "$d"
    if [ ! -e "$d/disk.qcow2" ]; then
        if { [ -e "$d/tree" ] || { make_tree "$d" && : >"$d/tree"; }; } && { [ -e "$d/ready" ] || { set_up "$d" && : >"$d/ready"; }; } && make_image "$d"; then
            pass $name/debootstrap
        else
            fail $name/debootstrap "$(tail -5 "$d/log" | tr '\n' ' ')"
            continue
        fi
    fi
    serve || { fail $name/repository "$(tail -3 "$TMP/log" | tr '\n' ' ')"; continue; }
    "$build/lyre-img" create -q -f qcow2 -F qcow2 -b "$d/disk.qcow2" "$TMP/disk.qcow2" >"$TMP/log" 2>&1
    check $name/overlay $?
    ssh_port=$(free_port)
    over_ssh &
    SSH=$!
    prompt='lyre:~# '
    python3 "$here/boot.py" -x ${T_LIMIT:-1200} 'lyre login: ' 'root\n' 'Password: ' 'lyre\n' \
        "$prompt" 'systemctl is-system-running --wait; systemctl list-units --failed --no-legend | wc -l | sed s/^/failed=/\n' 'failed=0' - \
        "$prompt" 'ip -c=never -4 -o addr show dev eth0; ip -c=never route\n' 'inet 10.0.2.15/24' - 'default via 10.0.2.2' - \
        "$prompt" "echo 'deb [trusted=yes] http://10.0.2.2:$port/ ./' >/etc/apt/sources.list; apt-get -q update && apt-get -q -y install hello\\n" 'Setting up hello' - \
        "$prompt" 'hello -g "hello from `uname -m`"\n' "hello from $guest" - \
        "$prompt" 'while [ ! -e /run/seen ]; do sleep 1; done; echo ssh wa""s here\n' 'ssh was here' - "$prompt" 'poweroff\n' 'Power down' \
        -- "$build/lyre-system-$guest" -M virt -smp 2 -m 1024 -nographic -no-reboot -kernel "$d/kernel" -initrd "$d/initrd" \
        -append "root=/dev/vda rw console=$(console_of $guest) net.ifnames=0 systemd.default_device_timeout_sec=900" -drive if=none,id=d0,file="$TMP/disk.qcow2",format=qcow2 -device virtio-blk-pci,drive=d0 \
        -netdev "user,id=n0,hostfwd=tcp:127.0.0.1:$ssh_port-:22" -device virtio-net-pci,netdev=n0 >"$TMP/log" 2>&1
    check $name/boot-login-apt-ssh-poweroff $?
    kill $SSH 2>/dev/null
    wait $SSH 2>/dev/null
    SSH=
    want=$(python3 -c 'print("sum", sum(sum(i % k for i in range(1000000)) for k in range(5, 9)))')
    [ "$(cat "$TMP/ssh.out" 2>/dev/null)" = "$(printf '%s\n%s' "$want" $guest)" ]
    rc=$?
    cat "$TMP/ssh.out" "$TMP/ssh.log" >"$TMP/log" 2>&1
    check $name/ssh-gcc $rc
    kill $HTTP
    HTTP=
    grep -q 'GET /./hello_\|GET /hello_' "$TMP/www.log"
    rc=$?
    cp "$TMP/www.log" "$TMP/log"
    check $name/http-seen-by-server $rc
    qemu-img check "$TMP/disk.qcow2" >"$TMP/log" 2>&1
    check $name/qemu-img-check $?
    { qemu-img convert -f qcow2 -O raw "$TMP/disk.qcow2" "$TMP/disk.raw" && e2fsck -fn "$TMP/disk.raw"; } >"$TMP/log" 2>&1
    check $name/fsck $?
    rm -f "$TMP"/disk.*
done
