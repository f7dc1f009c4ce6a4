#!/bin/sh
# links.sh BUILD: makes the links lyre-ARCH for every guest that is in the executable, and lyre-img.
cd "$1" || exit 1
# Programs are run by the static executable: it starts in half the time.
user=lyre-user
[ -x $user ] || user=lyre
for g in $(./lyre guests); do
    [ "$(readlink "lyre-$g")" = $user ] || ln -sf $user "lyre-$g"
done
# ... and lyre-system-ARCH, where system mode is in it
for g in $(./lyre systems 2>/dev/null); do
    [ -L "lyre-system-$g" ] || ln -s lyre "lyre-system-$g"
done
[ -L lyre-img ] || ! ./lyre img --version >/dev/null 2>&1 || ln -s lyre lyre-img
[ -L lyre-nbd ] || ! ./lyre nbd --version >/dev/null 2>&1 || ln -s lyre lyre-nbd
