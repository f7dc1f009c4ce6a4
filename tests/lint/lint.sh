#!/bin/bash
# lint.sh: rules of the house that a machine can check. One line per rule.
cd "$(dirname "$0")/../.." || exit 1
rule() { # NAME OFFENDERS
    if [ -z "$2" ]; then echo "PASS lint/$1"; else echo "FAIL lint/$1"; echo "$2" | head -10 | sed 's/^/    /'; fi
}
# A file includes only lower floors and its own folder; folders on one floor do not see each other.
floors=$(find src -name '*.[ch]' -o -name '*.def' | sort | xargs awk '
    function floor(d) {
        if (d == "base") return 0
        if (d == "ir" || d == "fpu" || d == "mem") return 1
        if (d == "cpu") return 2
        if (d == "guest" || d == "host" || d == "io") return 3
        if (d == "dev") return 4
        if (d == "machine" || d == "user") return 5
        if (d == "sys") return 6.5
        if (d == "control") return 6
        if (d == "api") return 7
        if (d == "bin") return 8
        return -1
    }
    /^#include "/ {
        split($2, q, "\""); inc = q[2]; split(inc, part, "/"); split(FILENAME, own, "/")
        if (index(inc, "/") == 0) next
        to = part[1]; from = own[2]
        if (floor(to) < 0 || to == from) {
            # inside guest/ and host/: one folder each
            if (to == from && (to == "guest" || to == "host") && part[2] != own[3]) print FILENAME ": " inc
            next
        }
        if (FILENAME ~ /_test\.c$/) next
        if (floor(to) >= floor(from)) print FILENAME " (floor " floor(from) ") includes " inc " (floor " floor(to) ")"
    }')
rule floors "$floors"
# The command line is a client of the library like any other.
rule bin-is-a-client "$(grep -nE '^#include "' src/bin/*.[ch] | grep -vE '"(lyre\.h|bin/[a-z_]+\.h|base/[a-z_]+\.h)"')"
rule no-target-ifdef "$(grep -rnE 'target_ulong|CONFIG_USER_ONLY|\bTARGET_[A-Z]+' src --include='*.[ch]')"
rule no-abort-or-exit "$(grep -rnE '(^|[^_a-z.>])(abort|exit)\(' src --include='*.c' --include='*.h' |
    grep -vE '_test\.c|src/bin/|^[^:]*:[0-9]+: *(\*|/\*|//)|"[^"]*(abort|exit)\(')"
rule no-machine-paths "$(grep -rnE '/work/|\.\./shared' . --include='*' -I --exclude-dir=.git --exclude=.git --exclude-dir='build*' --exclude=lint.sh)"
rule file-length "$(find src tools -name '*.[ch]' ! -name '*.isa.c' | xargs wc -l | awk '$1 > 1200 && $2 != "total"')"
