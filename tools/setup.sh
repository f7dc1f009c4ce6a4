#!/bin/bash
# setup.sh [--quiet] [build|demo|test]: installs the Debian packages that are needed for that (default: test, which is all)
# and are missing. Where it cannot (neither root nor sudo, no network) it names them; that is an error only if building
# needs one of them, for what else is missing is skipped by the tests.
quiet=
[ "$1" = --quiet ] && { quiet=1; shift; }
build="gcc libc6-dev meson ninja-build pkg-config make
    libslirp-dev libglib2.0-dev libjson-c-dev libfdt-dev zlib1g-dev libzstd-dev liburing-dev libseccomp-dev"
demo="gcc-riscv64-linux-gnu libc6-dev-riscv64-cross gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user python3 sqlite3 cpio
    opensbi u-boot-qemu qemu-efi-aarch64"
tests="libcmocka-dev clang lld libclang-rt-14-dev git openssl binutils binutils-riscv64-linux-gnu binutils-aarch64-linux-gnu
    gcc-i686-linux-gnu libc6-dev-i386-cross
    gcc-12-source xz-utils gdb-multiarch
    gvncviewer qemu-system-arm qemu-system-misc qemu-utils device-tree-compiler cpio acpica-tools
    debootstrap dpkg-dev e2fsprogs dosfstools mtools openssh-client"
case ${1:-test} in
build) want=$build ;;
demo) want="$build $demo" ;;
test) want="$build $demo $tests" ;;
*) echo "setup: build, demo or test, not '$1'" >&2; exit 2 ;;
esac
missing() { # PACKAGE...
    local p
    for p; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$p"; done
}
# give_up REASON: the end if building is not possible
give_up() {
    echo "setup: $1; missing:$(missing $want)" >&2
    echo "setup: to install them: apt-get install --no-install-recommends$(missing $want)" >&2
    [ -z "$(missing $build)" ] || exit 1
    echo "setup: building is possible; tests that need them will be skipped" >&2
    exit 0
}
if ! command -v dpkg-query >/dev/null; then
    [ -n "$quiet" ] || echo "setup: not Debian; please see to the equivalents of: $(echo $want)"
    exit 0
fi
need=$(missing $want)
if [ -z "$need" ]; then
    [ -n "$quiet" ] || echo "setup: everything is installed"
    exit 0
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || give_up "neither root nor sudo"
    sudo="sudo DEBIAN_FRONTEND=noninteractive"
fi
echo "setup: installing$need"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ $sudo apt-get -q update; $sudo apt-get -q install -y --no-install-recommends $need; } >"$log" 2>&1
[ -n "$(missing $want)" ] || exit 0
grep -E '^(E|Err)' "$log" | tail -5 >&2
give_up "could not install everything"
