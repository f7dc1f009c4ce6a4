#!/bin/bash
# install_test.sh BUILD: what `meson install` leaves is enough to build and run a program with the library, shared and static; it
# exports nothing but lyre_*, and the header is C and C++.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
build=$(realpath "$1")
tmpdir
meson install -C "$build" --no-rebuild --quiet --destdir "$TMP" >"$TMP/log" 2>&1 || { fail api/install "$(tail -1 "$TMP/log")"; exit; }
pass api/install
pc=$(dirname "$(find "$TMP" -name lyre.pc)")
lib=$(dirname "$(find "$TMP" -name liblyre.so)")
export PKG_CONFIG_PATH=$pc PKG_CONFIG_SYSROOT_DIR=$TMP
flags="-Wall -Wextra -Werror -Wno-unused-parameter"
expected="hello, world
reason 7 at 0x10014, address 0x20000, after 5 instructions"
check() { # NAME PROGRAM
    out=$(LD_LIBRARY_PATH=$lib "$2" 2>&1 | tr -d '\0')
    [ "$out" = "$expected" ] && pass "$1" || fail "$1" "$out"
}
cc $flags "$here/../../examples/embed.c" $(pkg-config --cflags --libs lyre) -o "$TMP/shared" 2>"$TMP/log" &&
    check api/shared "$TMP/shared" || fail api/shared "$(head -1 "$TMP/log")"
cc $flags "$here/../../examples/embed.c" $(pkg-config --cflags lyre) "$lib/liblyre.a" -pthread -o "$TMP/static" 2>"$TMP/log" &&
    check api/static "$TMP/static" || fail api/static "$(head -1 "$TMP/log")"
foreign=$(nm -D --defined-only "$lib/liblyre.so"; nm -g --defined-only "$lib/liblyre.a")
foreign=$(echo "$foreign" | awk 'NF == 3 && $3 !~ /^lyre_/')
[ -z "$foreign" ] && pass api/exports || fail api/exports "$(echo "$foreign" | head -1)"
declared=$(grep -oE 'LYRE_API .*\blyre_[a-z_]+\(' "$here/../../include/lyre.h" | grep -oE 'lyre_[a-z_]+\($' | tr -d '(' | sort)
exported=$(nm -D --defined-only "$lib/liblyre.so" | awk '{ print $3 }' | sort)
[ "$declared" = "$exported" ] && pass api/declared || fail api/declared "$(diff <(echo "$declared") <(echo "$exported") | sed -n 2p)"
printf '#include <lyre.h>\nint main() { lyre_exit e = LYRE_INIT(lyre_exit); return (int)e.reason; }\n' >"$TMP/c++.cc"
if have c++; then
    c++ $flags -pedantic -c "$TMP/c++.cc" $(pkg-config --cflags lyre) -o "$TMP/c++.o" 2>"$TMP/log" && pass api/c++ ||
        fail api/c++ "$(head -1 "$TMP/log")"
else
    skip api/c++ "no C++ compiler"
fi
for s in -std=c99 -std=c11; do
    printf '#include <lyre.h>\nint main(void) { lyre_exit e = LYRE_INIT(lyre_exit); return (int)e.reason; }\n' >"$TMP/c.c"
    cc $s $flags -pedantic -c "$TMP/c.c" $(pkg-config --cflags lyre) -o "$TMP/c.o" 2>"$TMP/log" && pass "api/header$s" ||
        fail "api/header$s" "$(head -1 "$TMP/log")"
done
