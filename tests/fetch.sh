#!/bin/bash
# fetch.sh ARCH:SUITE PACKAGE...: Debian packages of any architecture with all they depend on, unpacked (no maintainer
# script runs) into $LYRE_CACHE/root-ARCH-HASH; prints the folder. Uses apt with a state of its own: this machine's
# packages and architectures stay as they are; the archive's address is the one this machine is configured with.
# Exit 77: the archive does not answer (offline); 1: it does, but these packages are not to be had from it.
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
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
    grep -E '^(URIs:|deb) ' | grep -oE 'https?://[^ ]*debian/?( |$)' | head -1)
[ -n "$mirror" ] || { echo "fetch: no Debian archive is configured" >&2; exit 77; }
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] $mirror $suite main" > "$state/parts/x.list"
opts=(-q -oDir::State="$state/state" -oDir::State::lists="$state/lists" -oDir::State::status="$state/state/status"
    -oDir::Etc::sourceparts="$state/parts" -oDir::Etc::sourcelist=/dev/null -oDir::Etc::preferencesparts=/dev/null
    -oDir::Cache="$state/cache" -oDir::Cache::srcpkgcache= -oDir::Cache::pkgcache= -oAcquire::Languages=none
    -oAPT::Sandbox::User=root -oDebug::NoLocking=1 -oAPT::Architecture="$arch" -oAPT::Architectures::="$arch"
    -oAcquire::Retries=2 -oAcquire::http::Timeout=20)
update() {
    rm -f "$state/done"
    apt-get "${opts[@]}" --error-on=any update >"$state/log" 2>&1 && : > "$state/done" && return
    echo "fetch: apt-get update for $arch $suite failed" >&2
    exit 77
}
debs=$(mktemp -d)
trap 'rm -rf "$debs"' EXIT
mkdir -p "$debs/partial"
install() { apt-get "${opts[@]}" -oDir::Cache::archives="$debs" -y --no-install-recommends "$@" >"$state/log" 2>&1; }
[ -e "$state/done" ] || { update; fresh=1; }
if ! install --download-only install "$@"; then
    [ -n "${fresh:-}" ] || update # the lists are old: packages come and go
    install --simulate install "$@" || { echo "fetch: $(grep '^E:' "$state/log" | head -1)" >&2; exit 1; }
    install --download-only install "$@" || { echo "fetch: $(grep '^E:' "$state/log" | head -1)" >&2; exit 77; }
fi
rm -rf "$root.tmp"
mkdir -p "$root.tmp"/usr/{bin,sbin,lib} "$root.tmp"/tmp
for d in bin sbin lib; do ln -s "usr/$d" "$root.tmp/$d"; done
for f in "$debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$f" | tar -C "$root.tmp" -x --keep-directory-symlink --no-same-owner -f - || exit 1
done
# Absolute links would lead to this machine's files.
find "$root.tmp" -type l -lname '/*' | while read -r l; do
    ln -sfnr "$root.tmp$(readlink "$l")" "$l"
done
mv "$root.tmp" "$root" && : > "$root/.complete"
echo "$root"
