# lib.sh: what the test scripts share. Sourced.
# A script prints one line per test: "PASS name", "FAIL name detail" or "SKIP name reason"; tests/run.sh counts them.
# What is fetched or built once is kept in $LYRE_CACHE (default ~/.cache/lyrebird).
LYRE_CACHE=${LYRE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lyrebird}
J=${J:-$(nproc)}
pass() { echo "PASS $*"; }
fail() { echo "FAIL $*"; }
skip() { echo "SKIP $*"; }
have() { command -v "$1" >/dev/null 2>&1; }
# A temporary directory that goes away with the script.
tmpdir() { TMP=$(mktemp -d) && trap 'rm -rf "$TMP"' EXIT; }
# The cross compiler of a guest.
cc_of() {
    case $1 in
    riscv64) echo riscv64-linux-gnu-gcc ;;
    aarch64) echo aarch64-linux-gnu-gcc ;;
    i386) echo i686-linux-gnu-gcc ;;
    x86_64) have x86_64-linux-gnu-gcc && echo x86_64-linux-gnu-gcc || { [ "$(uname -m)" = x86_64 ] && echo gcc; } ;;
    *) return 1 ;;
    esac
}
# deb_arch GUEST: Debian's name and the suite that has it.
deb_arch() {
    case $1 in
    riscv64) echo riscv64:trixie ;;
    aarch64) echo arm64:bookworm ;;
    i386) echo i386:bookworm ;;
    x86_64) echo amd64:bookworm ;;
    *) return 1 ;;
    esac
}
