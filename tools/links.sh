#!/bin/sh
# links.sh BUILD: makes the links lyre-ARCH for every guest that is in the executable.
cd "$1" || exit 1
for g in $(./lyre guests); do
    [ -L "lyre-$g" ] || ln -s lyre "lyre-$g"
done
