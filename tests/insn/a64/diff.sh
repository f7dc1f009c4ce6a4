#!/bin/sh
# diff.sh GEN LYRE [diff_gen options]: random instructions under lyre and under an installed qemu-aarch64; prints the lines
# that differ (- qemu, + lyre). 77: no cross compiler or no qemu.
# Features this qemu lacks are off. Left out: instructions whose results are meant to differ (keys, random numbers, clocks, identification), and control flow.
gen=$1 lyre=$2
shift 2
command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null || { echo "no cross compiler or qemu-aarch64"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
skip=pac,aut,pacz,autz,pacga,pac1716,aut1716,pac_lr,aut_lr,braz,blraz,reta,bra,blra,ldra,ldra_pre,mrs,msr,b,bl,b_cond,bc_cond
skip=$skip,cbz,cbnz,tbz,tbnz,br,blr,ret,svc,brk,hlt,udf,ldr_litw,ldr_litx,ldrsw_lit,ldrf_lit,adr,adrp,wfe,wfet,wfit,hint,dc_zva,dc_cvap,dc_cvadp
# This qemu leaves a sign-extended result above the H register; the manual zeroes those bits (read, not checked on hardware).
# The whole row is left out, its S and D forms too.
skip=$skip,fcvtzs_sfix
aarch64-linux-gnu-gcc -O1 -static -Wl,--no-warn-rwx-segments -o "$dir/run" "$(dirname "$0")/diff_run.c" || exit 1
"$gen" -x $skip "$@" >"$dir/insns"
qemu-aarch64 -cpu max "$dir/run" <"$dir/insns" >"$dir/qemu" 2>&1
$lyre -cpu max,cssc=off,lse2=off "$dir/run" <"$dir/insns" >"$dir/lyre" 2>&1
echo "$(wc -l <"$dir/insns") instructions, $(wc -l <"$dir/qemu") states"
diff -U0 "$dir/qemu" "$dir/lyre" | grep -v '^@@\|^---\|^+++' >"$dir/diff"
cat "$dir/diff"
[ ! -s "$dir/diff" ]
