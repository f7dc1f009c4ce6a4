#!/bin/sh
# srclist.sh: lists what a folder holds, for meson (filename is identity).
#   srclist.sh DIR         its *.c but *.isa.c and *_test.c
#   srclist.sh --isa DIR   its *.isa.c
#   srclist.sh --test DIR  its *_test.c, all floors below
#   srclist.sh --dirs DIR  folders in DIR that hold C files
#   srclist.sh -r DIR      every *.c below
cd "$(dirname "$0")/.." || exit 1
case $1 in
--isa)  find "$2" -maxdepth 1 -name '*.isa.c' 2>/dev/null | sort ;;
--test) find "$2" -name '*_test.c' 2>/dev/null | sort ;;
--dirs) for d in "$2"/*/; do ls "$d"*.c >/dev/null 2>&1 && basename "$d"; done; true ;;
-r)     find "$2" -name '*.c' 2>/dev/null | sort ;;
*)      find "$1" -maxdepth 1 -name '*.c' ! -name '*.isa.c' ! -name '*_test.c' 2>/dev/null | sort ;;
esac
