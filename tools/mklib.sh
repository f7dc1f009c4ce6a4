#!/bin/sh
# mklib.sh OUT.a OBJCOPY WHOLE LIBS CC...: one archive of the library for static linking: the comma-separated archives WHOLE
# and what they need of LIBS become one object, in which only the public symbols are still global.
set -e
out=$1 objcopy=$2 whole=$(echo "$3" | tr , ' ') libs=$(echo "$4" | tr , ' ')
shift 4
"$@" -r -nostdlib -o "$out.o" -Wl,--whole-archive $whole -Wl,--no-whole-archive -Wl,--start-group $libs -Wl,--end-group
"$objcopy" --localize-hidden "$out.o"
rm -f "$out"
ar rcs "$out" "$out.o"
rm -f "$out.o"
