#!/bin/bash
# fetch.sh ARCH:SUITE PACKAGE...: Debian packages of any architecture with all they depend on, unpacked (no maintainer
# script runs) into $LYRE_CACHE/root-ARCH-HASH; prints the folder. Uses apt with a state of its own: this machine's
# packages and architectures stay as they are; the archive's address is the one this machine is configured with.
# Exit 77: not to be had (offline).
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
arch=${1%%:*} suite=${1##*:}
shift
root=$LYRE_CACHE/root-$arch-$(printf '%s\n' "$suite" "$@" | sort | cksum | cut -d' ' -f1)
[ -e "$root/.complete" ] && { echo "$root"; exit 0; }
mkdir -p "$LYRE_CACHE"
exec 9>"$LYRE_CACHE/.fetch-lock"
flock 9
[ -e "$root/.complete" ] && { echo "$root"; exit 0; }
state=$LYRE_CACHE/apt-$arch-$suite
mkdir -p "$state"/{lists/partial,cache/archives/partial,state,parts}
: > "$state/state/status"
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -oE 'https?://[^ ]+' | grep -v security | head -1)
[ -n "$mirror" ] || { echo "fetch: no Debian archive is configured" >&2; exit 77; }
echo "deb [trusted=yes] $mirror $suite main" > "$state/parts/x.list"
opts=(-q -oDir::State="$state/state" -oDir::State::lists="$state/lists" -oDir::State::status="$state/state/status"
    -oDir::Etc::sourceparts="$state/parts" -oDir::Etc::sourcelist=/dev/null -oDir::Etc::preferencesparts=/dev/null
    -oDir::Cache="$state/cache" -oDir::Cache::srcpkgcache= -oDir::Cache::pkgcache= -oAcquire::Languages=none
    -oAPT::Sandbox::User=root -oDebug::NoLocking=1 -oAPT::Architecture="$arch" -oAPT::Architectures::="$arch"
    -oAPT::Get::AllowUnauthenticated=true)
if [ ! -e "$state/done" ]; then
    apt-get "${opts[@]}" update >"$state/log" 2>&1 && : > "$state/done" ||
        { echo "fetch: apt-get update for $arch $suite failed" >&2; exit 77; }
fi
debs=$(mktemp -d)
trap 'rm -rf "$debs"' EXIT
mkdir -p "$debs/partial"
apt-get "${opts[@]}" -oDir::Cache::archives="$debs" -y --no-install-recommends --download-only install "$@" \
    >"$state/log" 2>&1 || { tail -3 "$state/log" >&2; exit 77; }
rm -rf "$root.tmp"
mkdir -p "$root.tmp"
for f in "$debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$f" | tar -C "$root.tmp" -x --keep-directory-symlink -f - || exit 1
done
# what maintainer scripts would have linked
for d in bin sbin lib; do [ -e "$root.tmp/$d" ] || ln -s "usr/$d" "$root.tmp/$d"; done
mv "$root.tmp" "$root" && : > "$root/.complete"
echo "$root"
