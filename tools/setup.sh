#!/bin/bash
# setup.sh [--quiet]: installs the Debian packages that building and testing need, if any is missing.
# Without root and sudo, or without a network, it names them instead.
build="gcc libc6-dev meson ninja-build pkg-config make"
tests="libcmocka-dev clang lld libclang-rt-14-dev python3 binutils
    gcc-riscv64-linux-gnu libc6-dev-riscv64-cross gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    binutils-riscv64-linux-gnu binutils-aarch64-linux-gnu gcc-12-source gdb-multiarch qemu-user curl xz-utils"
quiet=
[ "$1" = --quiet ] && quiet=1
missing=
for p in $build $tests; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
if [ -z "$missing" ]; then
    [ -n "$quiet" ] || echo "setup: everything is installed"
    exit 0
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null; then sudo=sudo; else
        echo "setup: missing packages, and neither root nor sudo to install them:$missing" >&2
        exit 1
    fi
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { $sudo apt-get -q update && $sudo apt-get -q install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    rm -f "$log"
    # what building needs must be there; tests whose packages are missing skip and say so
    for p in $build; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || {
            echo "setup: could not install; building needs at least: $build" >&2
            exit 1
        }
    done
    echo "setup: could not install all of:$missing (their tests will be skipped)" >&2
    exit 0
fi
rm -f "$log"
