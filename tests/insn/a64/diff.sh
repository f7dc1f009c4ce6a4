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
aarch64-linux-gnu-gcc -O1 -static -Wl,--no-warn-rwx-segments -o "$dir/run" "$(dirname "$0")/diff_run.c" || exit 1
# FCVTZS to an H register: this qemu leaves a sign-extended result above it; FPToFixed's 16 bits are all that the manual writes.
"$gen" -x $skip "$@" | grep -v '[ ,]5f1.f[c-f]' >"$dir/insns"
qemu-aarch64 -cpu max "$dir/run" <"$dir/insns" >"$dir/qemu" 2>&1
# translated at once, and executed without translation
for accel in jit,warmup=0 jit,warmup=100; do
    $lyre -accel $accel -cpu max,cssc=off,lse2=off,mops=off "$dir/run" <"$dir/insns" >"$dir/lyre" 2>&1
    echo "$accel: $(wc -l <"$dir/insns") instructions, $(wc -l <"$dir/qemu") states"
    diff -U0 "$dir/qemu" "$dir/lyre" | grep -v '^@@\|^---\|^+++' >>"$dir/diff"
done
cat "$dir/diff"
[ ! -s "$dir/diff" ]
