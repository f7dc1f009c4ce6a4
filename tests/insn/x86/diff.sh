#!/bin/sh
# diff.sh GEN LYRE 64|32 [diff_gen options]: random instructions on this machine's processor and under lyre; prints the lines that differ
# (- processor, + lyre). VEC=v, VEC=y: XMM or YMM registers, too. 77: no compiler for it, or the host is no x86-64.
# Left out: control flow, what asks the machine (time, identification, random numbers), what changes segments or traps later (TF),
# system calls.
gen=$1 lyre=$2 bits=$3
shift 3
[ "$(uname -m)" = x86_64 ] || { echo "the host is no x86-64"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cc=gcc
[ $bits = 64 ] || cc=i686-linux-gnu-gcc
$cc -O1 -static -nostdlib -fno-pie -no-pie -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -Wl,--no-warn-rwx-segments \
    -Wl,-z,noexecstack -o "$dir/run" "$(dirname "$0")/diff_run.c" || { echo "no $cc"; exit 77; }
"$dir/run" 1 </dev/null || { echo "this kernel runs no $bits-bit programs"; exit 77; }
skip=jcc,jmp,jmp_ind,call,call_ind,ret,jrcxz,jecxz,jcxz,loop,loope,loopne,int,into,syscall,sysenter,popf,cpuid,rdtsc,rdtscp,rdpid,xgetbv
skip=$skip,rdrand,rdseed,rdfsbase,rdgsbase,wrfsbase,wrgsbase,mov_to_seg,pop_seg,les,lds,lss,lfs,lgs,mov_from_seg,push_seg,xbegin,xabort,xtest,xend
skip=$skip,clzero,movdiri,serialize,int1
# approximations, what would take the program's own MXCSR away, and stores that may fault for what they do not write
skip=$skip,rcpps,rcpss,rsqrtps,rsqrtss,ldmxcsr,maskmovdqu
# features that this processor lacks
closed=$(awk -F': ' '/^flags/ { print $2; exit }' /proc/cpuinfo)
close=LAHFX
for p in BMI1:bmi1 BMI2:bmi2 ADX:adx MOVBE:movbe LZCNT:abm POPCNT:popcnt CLFLUSHOPT:clflushopt CLWB:clwb SSE4_2:sse4_2 CX16:cx16 \
         SSE4_1:sse4_1 SSSE3:ssse3 SSE3:pni AES:aes PCLMULQDQ:pclmulqdq SHA:sha_ni AVX:avx AVX2:avx2 FMA:fma F16C:f16c GFNI:gfni \
         VAES:vaes VPCLMULQDQ:vpclmulqdq SSE4A:sse4a; do
    case " $closed " in *" ${p#*:} "*) ;; *) close=$close,${p%:*} ;; esac
done
"$gen" -x $skip -g $close "$@" $bits >"$dir/insns"
"$dir/run" 4 $VEC <"$dir/insns" >"$dir/native" || { echo "the processor's run failed: $?"; exit 1; }
# translated at once, and executed without translation
for accel in jit,warmup=0 jit,warmup=100; do
    timeout 250 $lyre -accel $accel "$dir/run" 4 $VEC <"$dir/insns" >"$dir/lyre" || echo "lyre: $?"
    echo "$accel: $(wc -l <"$dir/insns") instructions, $(wc -l <"$dir/native") states"
    diff -U0 "$dir/native" "$dir/lyre" | grep -v '^@@\|^---\|^+++' >>"$dir/diff"
done
[ -z "$KEEP" ] || cp "$dir/run" "$dir/insns" "$dir/native" "$dir/lyre" "$KEEP"
head -${LINES_SHOWN:-40} "$dir/diff"
[ ! -s "$dir/diff" ]
