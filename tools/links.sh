#!/bin/sh
# links.sh BUILD: makes the links lyre-ARCH for every guest that is in the executable, and lyre-img.
cd "$1" || exit 1
for g in $(./lyre guests); do
    [ -L "lyre-$g" ] || ln -s lyre "lyre-$g"
done
# ... and lyre-system-ARCH, where system mode is in it
for g in $(./lyre systems 2>/dev/null); do
    [ -L "lyre-system-$g" ] || ln -s lyre "lyre-system-$g"
done
[ -L lyre-img ] || ! ./lyre img --version >/dev/null 2>&1 || ln -s lyre lyre-img
