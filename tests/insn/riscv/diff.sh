#!/bin/sh
# [VLEN=128] diff.sh GEN LYRE [diff_gen options]: random instructions under lyre and under an installed qemu-riscv64 7.2; prints the lines
# that differ (- qemu, + lyre). 77: no cross compiler or no qemu.
# Left out: control flow, what that QEMU does not have, and what it does wrong: ctzw of a word of zeros gives 63, vector
# conversions with a rounding mode in the name abort, vmv.s.x keeps vstart, whole-register moves ignore vill.
gen=$1 lyre=$2 vlen=${VLEN:-128}
shift 2
command -v riscv64-linux-gnu-gcc >/dev/null && command -v qemu-riscv64 >/dev/null || { echo "no cross compiler or qemu-riscv64"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
skip=jal,jalr,beq,bne,blt,bge,bltu,bgeu,ecall,ebreak,auipc,fence_i,csrrw,csrrs,csrrc,csrrwi,csrrsi,csrrci,wrs_nto,wrs_sto
skip=$skip,mop_r,mop_rr,czero_eqz,czero_nez,cbo_inval,cbo_clean,cbo_flush,cbo_zero,ctzw
skip=$skip,c_j,c_jal,c_jr,c_jalr,c_beqz,c_bnez,c_ebreak,c_addi16sp,c_addi4spn,c_lwsp,c_ldsp,c_swsp,c_sdsp,c_fldsp,c_fsdsp
skip=$skip,c_lbu,c_lhu,c_lh,c_sb,c_sh,c_mul,c_not,c_zext_b,c_sext_b,c_zext_h,c_sext_h,c_zext_w,c_mop
for f in s d h; do
    skip=$skip,fli_$f,fround_$f,froundnx_$f,fminm_$f,fmaxm_$f,fleq_$f,fltq_$f
done
skip=$skip,fcvtmod_w_d,amocas_b,amocas_h,amocas_w,amocas_d,amocas_q
for op in swap add xor and or min max minu maxu; do
    skip=$skip,amo${op}_b,amo${op}_h
done
for c in fcvt fwcvt; do
    skip=$skip,v${c}_rtz_xu_f_v,v${c}_rtz_x_f_v
done
skip=$skip,vfncvt_rtz_xu_f_w,vfncvt_rtz_x_f_w,vfncvt_rod_f_f_w,vmv_s_x,vfmv_s_f,vsetvl,vmv1r_v,vmv2r_v,vmv4r_v,vmv8r_v
cpu=rv64,v=true,vext_spec=v1.0,vlen=$vlen,Zfh=true
for z in a b c s kb kc kx; do
    cpu=$cpu,zb$z=true
done
cpu=$cpu,zknd=true,zkne=true,zknh=true,zksed=true,zksh=true
riscv64-linux-gnu-gcc -march=rv64gcv -O1 -static -o "$dir/run" "$(dirname "$0")/diff_run.c" || exit 1
"$gen" -x $skip "$@" >"$dir/cases"
qemu-riscv64 -cpu $cpu "$dir/run" <"$dir/cases" >"$dir/qemu" || echo "qemu: exit $?" >>"$dir/qemu"
# translated at once, and executed without translation
for accel in jit,warmup=0 jit,warmup=100; do
    $lyre -accel $accel -cpu "max,vlen=$vlen" "$dir/run" <"$dir/cases" >"$dir/lyre" || echo "lyre: exit $?" >>"$dir/lyre"
    echo "$accel: $(wc -l <"$dir/cases") cases, $(wc -l <"$dir/lyre") states"
    diff -U0 "$dir/qemu" "$dir/lyre" | grep -v '^@@\|^---\|^+++' >>"$dir/diff"
done
cat "$dir/diff"
[ ! -s "$dir/diff" ]
