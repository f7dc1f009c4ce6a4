#!/bin/sh
# isagen_errors.sh ISAGEN: runs it on each table in isagen_err/. A line that ends in "// ! text" has to be reported with
# its file, its line and this text; nothing else may be, and nothing may be written.
isagen=$1
dir=$(dirname "$0")/isagen_err
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

for f in "$dir"/*.isa.c; do
    name=$(basename "$f")
    if "$isagen" --prefix t_ --out-c "$tmp/t_gen.c" --out-h "$tmp/t_gen.h" "$f" 2>"$tmp/err"; then
        echo "$name: accepted"
        bad=1
    fi
    if [ -e "$tmp/t_gen.c" ] || [ -e "$tmp/t_gen.h" ]; then
        echo "$name: output written"
        bad=1
    fi
    awk -v name="$name" '
        NR == FNR { i = index($0, "// ! "); if (i) { want[FNR] = substr($0, i + 5); n++ } next }
        /^isagen: / { next }
        {
            split($0, part, ":")
            line = part[2]
            if (part[1] == name && (line in want) && index($0, want[line])) { seen[line] = 1; next }
            print name ": not expected: " $0
            bad = 1
        }
        END {
            if (!n) { print name ": expects nothing"; bad = 1 }
            for (l in want) if (!(l in seen)) { print name ":" l ": not reported: " want[l]; bad = 1 }
            exit bad
        }' "$f" "$tmp/err" || bad=1
done
exit $bad
