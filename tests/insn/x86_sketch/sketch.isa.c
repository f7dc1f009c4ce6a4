/*
 * sketch.isa.c: part of x86-64 in the byte-stream dialect of the instruction tables, to prove the dialect: decoded and
 * printed, not executed. Opcode maps of the Intel SDM, volume 2, appendix A. Missing: x87, MMX, EVEX, VEX 0F3A and most
 * system instructions.
 */
STREAM(bytes)

/* Integer arithmetic and logic. */
INSN(add, "00 /r Eb,Gb lock | 01 /r Ev,Gv lock | 02 /r Gb,Eb | 03 /r Gv,Ev | 04 AL,Ib | 05 rAX,Iz"
     " | 80 /0 Eb,Ib lock | 81 /0 Ev,Iz lock | 83 /0 Ev,Ibs lock | 82 /0 i64 Eb,Ib lock", "add") { }
INSN(or, "08 /r Eb,Gb lock | 09 /r Ev,Gv lock | 0A /r Gb,Eb | 0B /r Gv,Ev | 0C AL,Ib | 0D rAX,Iz"
     " | 80 /1 Eb,Ib lock | 81 /1 Ev,Iz lock | 83 /1 Ev,Ibs lock | 82 /1 i64 Eb,Ib lock", "or") { }
INSN(adc, "10 /r Eb,Gb lock | 11 /r Ev,Gv lock | 12 /r Gb,Eb | 13 /r Gv,Ev | 14 AL,Ib | 15 rAX,Iz"
     " | 80 /2 Eb,Ib lock | 81 /2 Ev,Iz lock | 83 /2 Ev,Ibs lock | 82 /2 i64 Eb,Ib lock", "adc") { }
INSN(sbb, "18 /r Eb,Gb lock | 19 /r Ev,Gv lock | 1A /r Gb,Eb | 1B /r Gv,Ev | 1C AL,Ib | 1D rAX,Iz"
     " | 80 /3 Eb,Ib lock | 81 /3 Ev,Iz lock | 83 /3 Ev,Ibs lock | 82 /3 i64 Eb,Ib lock", "sbb") { }
INSN(and, "20 /r Eb,Gb lock | 21 /r Ev,Gv lock | 22 /r Gb,Eb | 23 /r Gv,Ev | 24 AL,Ib | 25 rAX,Iz"
     " | 80 /4 Eb,Ib lock | 81 /4 Ev,Iz lock | 83 /4 Ev,Ibs lock | 82 /4 i64 Eb,Ib lock", "and") { }
INSN(sub, "28 /r Eb,Gb lock | 29 /r Ev,Gv lock | 2A /r Gb,Eb | 2B /r Gv,Ev | 2C AL,Ib | 2D rAX,Iz"
     " | 80 /5 Eb,Ib lock | 81 /5 Ev,Iz lock | 83 /5 Ev,Ibs lock | 82 /5 i64 Eb,Ib lock", "sub") { }
INSN(xor, "30 /r Eb,Gb lock | 31 /r Ev,Gv lock | 32 /r Gb,Eb | 33 /r Gv,Ev | 34 AL,Ib | 35 rAX,Iz"
     " | 80 /6 Eb,Ib lock | 81 /6 Ev,Iz lock | 83 /6 Ev,Ibs lock | 82 /6 i64 Eb,Ib lock", "xor") { }
INSN(cmp, "38 /r Eb,Gb | 39 /r Ev,Gv | 3A /r Gb,Eb | 3B /r Gv,Ev | 3C AL,Ib | 3D rAX,Iz | 80 /7 Eb,Ib"
     " | 81 /7 Ev,Iz | 83 /7 Ev,Ibs | 82 /7 i64 Eb,Ib", "cmp") { }
INSN(test, "84 /r Eb,Gb | 85 /r Ev,Gv | A8 AL,Ib | A9 rAX,Iz | F6 /0 Eb,Ib | F6 /1 Eb,Ib | F7 /0 Ev,Iz"
     " | F7 /1 Ev,Iz", "test") { }
INSN(not, "F6 /2 Eb lock | F7 /2 Ev lock", "not") { }
INSN(neg, "F6 /3 Eb lock | F7 /3 Ev lock", "neg") { }
INSN(mul, "F6 /4 Eb | F7 /4 Ev", "mul") { }
INSN(div, "F6 /6 Eb | F7 /6 Ev", "div") { }
INSN(idiv, "F6 /7 Eb | F7 /7 Ev", "idiv") { }
INSN(imul, "F6 /5 Eb | F7 /5 Ev | 0F AF /r Gv,Ev | 69 /r Gv,Ev,Iz | 6B /r Gv,Ev,Ibs", "imul") { }
INSN(inc, "FE /0 Eb lock | FF /0 Ev lock | 40+r i64 Zv", "inc") { }
INSN(dec, "FE /1 Eb lock | FF /1 Ev lock | 48+r i64 Zv", "dec") { }
INSN(rol, "C0 /0 Eb,Ib | C1 /0 Ev,Ib | D0 /0 Eb,1 | D1 /0 Ev,1 | D2 /0 Eb,CL | D3 /0 Ev,CL", "rol") { }
INSN(ror, "C0 /1 Eb,Ib | C1 /1 Ev,Ib | D0 /1 Eb,1 | D1 /1 Ev,1 | D2 /1 Eb,CL | D3 /1 Ev,CL", "ror") { }
INSN(rcl, "C0 /2 Eb,Ib | C1 /2 Ev,Ib | D0 /2 Eb,1 | D1 /2 Ev,1 | D2 /2 Eb,CL | D3 /2 Ev,CL", "rcl") { }
INSN(rcr, "C0 /3 Eb,Ib | C1 /3 Ev,Ib | D0 /3 Eb,1 | D1 /3 Ev,1 | D2 /3 Eb,CL | D3 /3 Ev,CL", "rcr") { }
INSN(shl, "C0 /4 Eb,Ib | C1 /4 Ev,Ib | D0 /4 Eb,1 | D1 /4 Ev,1 | D2 /4 Eb,CL | D3 /4 Ev,CL", "shl") { }
INSN(shr, "C0 /5 Eb,Ib | C1 /5 Ev,Ib | D0 /5 Eb,1 | D1 /5 Ev,1 | D2 /5 Eb,CL | D3 /5 Ev,CL", "shr") { }
INSN(sal, "C0 /6 Eb,Ib | C1 /6 Ev,Ib | D0 /6 Eb,1 | D1 /6 Ev,1 | D2 /6 Eb,CL | D3 /6 Ev,CL", "shl") { }
INSN(sar, "C0 /7 Eb,Ib | C1 /7 Ev,Ib | D0 /7 Eb,1 | D1 /7 Ev,1 | D2 /7 Eb,CL | D3 /7 Ev,CL", "sar") { }
INSN(shld, "0F A4 /r Ev,Gv,Ib | 0F A5 /r Ev,Gv,CL", "shld") { }
INSN(shrd, "0F AC /r Ev,Gv,Ib | 0F AD /r Ev,Gv,CL", "shrd") { }
INSN(bt, "0F A3 /r Ev,Gv | 0F BA /4 Ev,Ib", "bt") { }
INSN(bts, "0F AB /r Ev,Gv lock | 0F BA /5 Ev,Ib lock", "bts") { }
INSN(btr, "0F B3 /r Ev,Gv lock | 0F BA /6 Ev,Ib lock", "btr") { }
INSN(btc, "0F BB /r Ev,Gv lock | 0F BA /7 Ev,Ib lock", "btc") { }
INSN(bsf, "0F BC /r Gv,Ev", "bsf") { }
INSN(bsr, "0F BD /r Gv,Ev", "bsr") { }
INSN(tzcnt, "F3 0F BC /r Gv,Ev @BMI1", "tzcnt") { }
INSN(lzcnt, "F3 0F BD /r Gv,Ev @LZCNT", "lzcnt") { }
INSN(popcnt, "F3 0F B8 /r Gv,Ev @POPCNT", "popcnt") { }
INSN(bswap, "0F C8+r Zy", "bswap") { }
INSN(movbe, "NFx 0F 38 F0 /r Gv,Mv @MOVBE | NFx 0F 38 F1 /r Mv,Gv @MOVBE", "movbe") { }
INSN(crc32, "F2 0F 38 F0 /r Gy,Eb @SSE42 | F2 0F 38 F1 /r Gy,Ev @SSE42", "crc32") { }

/* Moves. */
INSN(mov, "88 /r Eb,Gb | 89 /r Ev,Gv | 8A /r Gb,Eb | 8B /r Gv,Ev | B0+r Zb,Ib | B8+r Zv,Iv | C6 /0 Eb,Ib"
     " | C7 /0 Ev,Iz", "mov") { }
INSN(movabs, "B8+r os64 Zv,Iv | A0 AL,Ob | A1 rAX,Ov | A2 Ob,AL | A3 Ov,rAX", "movabs") { }
INSN(movsxd, "63 /r o64 Gv,Ed", "movsxd") { }
INSN(movzx, "0F B6 /r Gv,Eb | 0F B7 /r Gv,Ew", "movzx") { }
INSN(movsx, "0F BE /r Gv,Eb | 0F BF /r Gv,Ew", "movsx") { }
INSN(lea, "8D /r Gv,M", "lea") { }
INSN(xchg, "86 /r Eb,Gb lock | 87 /r Ev,Gv lock | 90+r Zv,rAX", "xchg") { }
INSN(nop, "NP 90 rexb0 | 0F 1F /r Ev", "nop") { }
INSN(push, "50+r d64 Zv | 68 d64 Iz | 6A d64 Ibs | FF /6 d64 Ev | 0F A0 d64 FS | 0F A8 d64 GS", "push") { }
INSN(pop, "58+r d64 Zv | 8F /0 d64 Ev | 0F A1 d64 FS | 0F A9 d64 GS", "pop") { }
INSN(leave, "C9 d64", "leave") { }
INSN(cbw, "98 os16", "cbw") { }
INSN(cwde, "98 os32", "cwde") { }
INSN(cdqe, "98 os64", "cdqe") { }
INSN(cwd, "99 os16", "cwd") { }
INSN(cdq, "99 os32", "cdq") { }
INSN(cqo, "99 os64", "cqo") { }
INSN(cmov, "0F 40+cc /r Gv,Ev", "cmov{cc}") { }
INSN(set, "0F 90+cc /r Eb", "set{cc}") { }
INSN(xadd, "0F C0 /r Eb,Gb lock | 0F C1 /r Ev,Gv lock", "xadd") { }
INSN(cmpxchg, "0F B0 /r Eb,Gb lock | 0F B1 /r Ev,Gv lock", "cmpxchg") { }
INSN(cmpxchg8b, "NFx 0F C7 /1 W0 Mq lock", "cmpxchg8b") { }
INSN(cmpxchg16b, "NFx 0F C7 /1 W1 Mdq lock", "cmpxchg16b") { }
INSN(movnti, "NP 0F C3 /r My,Gy", "movnti") { }

/* Control. */
INSN(jcc, "70+cc bnd hint f64 Jb | 0F 80+cc bnd hint f64 Jz", "j{cc}") { }
INSN(jmp, "EB bnd f64 Jb | E9 bnd f64 Jz | FF /4 bnd notrack f64 Ev", "jmp") { }
INSN(call, "E8 bnd f64 Jz | FF /2 bnd notrack f64 Ev", "call") { }
INSN(ret, "C3 bnd f64 | C2 bnd f64 Iw", "ret") { }
INSN(jrcxz, "E3 as64 f64 Jb", "jrcxz") { }
INSN(jecxz, "E3 as32 f64 Jb", "jecxz") { }
INSN(loop, "E2 f64 Jb", "loop") { }
INSN(endbr64, "F3 0F 1E FA", "endbr64") { }
INSN(endbr32, "F3 0F 1E FB", "endbr32") { }
INSN(syscall, "0F 05", "syscall") { }
INSN(cpuid, "0F A2", "cpuid") { }
INSN(rdtsc, "0F 31", "rdtsc") { }
INSN(rdtscp, "0F 01 F9", "rdtscp") { }
INSN(hlt, "F4", "hlt") { }
INSN(ud2, "0F 0B", "ud2") { }
INSN(int3, "CC", "int3") { }
INSN(int, "CD Ib", "int") { }
INSN(clc, "F8", "clc") { }
INSN(stc, "F9", "stc") { }
INSN(cmc, "F5", "cmc") { }
INSN(cld, "FC", "cld") { }
INSN(std, "FD", "std") { }
INSN(pause, "F3 90 rexb0", "pause") { }
INSN(mfence, "NP 0F AE F0", "mfence") { }
INSN(lfence, "NP 0F AE E8", "lfence") { }
INSN(sfence, "NP 0F AE F8", "sfence") { }
INSN(xgetbv, "NP 0F 01 D0", "xgetbv") { }
INSN(xend, "NP 0F 01 D5", "xend") { }
INSN(xtest, "NP 0F 01 D6", "xtest") { }
INSN(wrpkru, "NP 0F 01 EF", "wrpkru") { }
INSN(rdpkru, "NP 0F 01 EE", "rdpkru") { }
INSN(xabort, "C6 F8 Ib", "xabort") { }
INSN(xbegin, "C7 F8 f64 Jz", "xbegin") { }
INSN(prefetchnta, "0F 18 /0 Mb", "prefetchnta") { }
INSN(prefetcht0, "0F 18 /1 Mb", "prefetcht0") { }
INSN(prefetcht1, "0F 18 /2 Mb", "prefetcht1") { }
INSN(prefetcht2, "0F 18 /3 Mb", "prefetcht2") { }
INSN(prefetchw, "0F 0D /1 Mb", "prefetchw") { }
INSN(ldmxcsr, "NP 0F AE /2 Md", "ldmxcsr") { }
INSN(stmxcsr, "NP 0F AE /3 Md", "stmxcsr") { }
INSN(fxsave, "NP 0F AE /0 W0 M", "fxsave") { }
INSN(fxrstor, "NP 0F AE /1 W0 M", "fxrstor") { }
INSN(xsave, "NP 0F AE /4 W0 M", "xsave") { }
INSN(xrstor, "NP 0F AE /5 W0 M", "xrstor") { }
INSN(xsavec, "NP 0F C7 /4 W0 M", "xsavec") { }
INSN(rdfsbase, "F3 0F AE /0 o64 Ry @FSGSBASE", "rdfsbase") { }
INSN(rdgsbase, "F3 0F AE /1 o64 Ry @FSGSBASE", "rdgsbase") { }
INSN(wrfsbase, "F3 0F AE /2 o64 Ry @FSGSBASE", "wrfsbase") { }
INSN(wrgsbase, "F3 0F AE /3 o64 Ry @FSGSBASE", "wrgsbase") { }
INSN(rdsspq, "F3 0F 1E /1 W1 Rq", "rdsspq") { }
INSN(rdsspd, "F3 0F 1E /1 W0 Rd", "rdsspd") { }
INSN(incsspq, "F3 0F AE /5 W1 Rq", "incsspq") { }
INSN(incsspd, "F3 0F AE /5 W0 Rd", "incsspd") { }

/* String instructions. */
INSN(movs, "A4 rep Yb,Xb | A5 rep Yv,Xv", "movs") { }
INSN(stos, "AA rep Yb,AL | AB rep Yv,rAX", "stos") { }
INSN(lods, "AC rep AL,Xb | AD rep rAX,Xv", "lods") { }
INSN(cmps, "A6 repz Xb,Yb | A7 repz Xv,Yv", "cmps") { }
INSN(scas, "AE repz AL,Yb | AF repz rAX,Yv", "scas") { }

/* SSE and AVX. */
INSN(sqrtps, "VEX?.NP.0F 51 /r Vps,Wps", "{v}sqrtps") { }
INSN(sqrtpd, "VEX?.66.0F 51 /r Vpd,Wpd", "{v}sqrtpd") { }
INSN(sqrtss, "VEX?.F3.0F 51 /r Vss,Hss,Wss", "{v}sqrtss") { }
INSN(sqrtsd, "VEX?.F2.0F 51 /r Vsd,Hsd,Wsd", "{v}sqrtsd") { }
INSN(addps, "VEX?.NP.0F 58 /r Vps,Hps,Wps", "{v}addps") { }
INSN(addpd, "VEX?.66.0F 58 /r Vpd,Hpd,Wpd", "{v}addpd") { }
INSN(addss, "VEX?.F3.0F 58 /r Vss,Hss,Wss", "{v}addss") { }
INSN(addsd, "VEX?.F2.0F 58 /r Vsd,Hsd,Wsd", "{v}addsd") { }
INSN(mulps, "VEX?.NP.0F 59 /r Vps,Hps,Wps", "{v}mulps") { }
INSN(mulpd, "VEX?.66.0F 59 /r Vpd,Hpd,Wpd", "{v}mulpd") { }
INSN(mulss, "VEX?.F3.0F 59 /r Vss,Hss,Wss", "{v}mulss") { }
INSN(mulsd, "VEX?.F2.0F 59 /r Vsd,Hsd,Wsd", "{v}mulsd") { }
INSN(subps, "VEX?.NP.0F 5C /r Vps,Hps,Wps", "{v}subps") { }
INSN(subpd, "VEX?.66.0F 5C /r Vpd,Hpd,Wpd", "{v}subpd") { }
INSN(subss, "VEX?.F3.0F 5C /r Vss,Hss,Wss", "{v}subss") { }
INSN(subsd, "VEX?.F2.0F 5C /r Vsd,Hsd,Wsd", "{v}subsd") { }
INSN(minps, "VEX?.NP.0F 5D /r Vps,Hps,Wps", "{v}minps") { }
INSN(minpd, "VEX?.66.0F 5D /r Vpd,Hpd,Wpd", "{v}minpd") { }
INSN(minss, "VEX?.F3.0F 5D /r Vss,Hss,Wss", "{v}minss") { }
INSN(minsd, "VEX?.F2.0F 5D /r Vsd,Hsd,Wsd", "{v}minsd") { }
INSN(divps, "VEX?.NP.0F 5E /r Vps,Hps,Wps", "{v}divps") { }
INSN(divpd, "VEX?.66.0F 5E /r Vpd,Hpd,Wpd", "{v}divpd") { }
INSN(divss, "VEX?.F3.0F 5E /r Vss,Hss,Wss", "{v}divss") { }
INSN(divsd, "VEX?.F2.0F 5E /r Vsd,Hsd,Wsd", "{v}divsd") { }
INSN(maxps, "VEX?.NP.0F 5F /r Vps,Hps,Wps", "{v}maxps") { }
INSN(maxpd, "VEX?.66.0F 5F /r Vpd,Hpd,Wpd", "{v}maxpd") { }
INSN(maxss, "VEX?.F3.0F 5F /r Vss,Hss,Wss", "{v}maxss") { }
INSN(maxsd, "VEX?.F2.0F 5F /r Vsd,Hsd,Wsd", "{v}maxsd") { }
INSN(andps, "VEX?.NP.0F 54 /r Vps,Hps,Wps", "{v}andps") { }
INSN(andpd, "VEX?.66.0F 54 /r Vpd,Hpd,Wpd", "{v}andpd") { }
INSN(andnps, "VEX?.NP.0F 55 /r Vps,Hps,Wps", "{v}andnps") { }
INSN(andnpd, "VEX?.66.0F 55 /r Vpd,Hpd,Wpd", "{v}andnpd") { }
INSN(orps, "VEX?.NP.0F 56 /r Vps,Hps,Wps", "{v}orps") { }
INSN(orpd, "VEX?.66.0F 56 /r Vpd,Hpd,Wpd", "{v}orpd") { }
INSN(xorps, "VEX?.NP.0F 57 /r Vps,Hps,Wps", "{v}xorps") { }
INSN(xorpd, "VEX?.66.0F 57 /r Vpd,Hpd,Wpd", "{v}xorpd") { }
INSN(unpcklps, "VEX?.NP.0F 14 /r Vps,Hps,Wps", "{v}unpcklps") { }
INSN(unpcklpd, "VEX?.66.0F 14 /r Vpd,Hpd,Wpd", "{v}unpcklpd") { }
INSN(unpckhps, "VEX?.NP.0F 15 /r Vps,Hps,Wps", "{v}unpckhps") { }
INSN(unpckhpd, "VEX?.66.0F 15 /r Vpd,Hpd,Wpd", "{v}unpckhpd") { }
INSN(ucomiss, "VEX?.NP.0F 2E /r Vss,Wss", "{v}ucomiss") { }
INSN(ucomisd, "VEX?.66.0F 2E /r Vsd,Wsd", "{v}ucomisd") { }
INSN(comiss, "VEX?.NP.0F 2F /r Vss,Wss", "{v}comiss") { }
INSN(comisd, "VEX?.66.0F 2F /r Vsd,Wsd", "{v}comisd") { }
INSN(movups, "VEX?.NP.0F 10 /r Vps,Wps | VEX?.NP.0F 11 /r Wps,Vps", "{v}movups") { }
INSN(movupd, "VEX?.66.0F 10 /r Vpd,Wpd | VEX?.66.0F 11 /r Wpd,Vpd", "{v}movupd") { }
INSN(movaps, "VEX?.NP.0F 28 /r Vps,Wps | VEX?.NP.0F 29 /r Wps,Vps", "{v}movaps") { }
INSN(movapd, "VEX?.66.0F 28 /r Vpd,Wpd | VEX?.66.0F 29 /r Wpd,Vpd", "{v}movapd") { }
INSN(movdqa, "VEX?.66.0F 6F /r Vx,Wx | VEX?.66.0F 7F /r Wx,Vx", "{v}movdqa") { }
INSN(movdqu, "VEX?.F3.0F 6F /r Vx,Wx | VEX?.F3.0F 7F /r Wx,Vx", "{v}movdqu") { }
INSN(movss, "VEX?.F3.0F 10 /r Vss,Mss | VEX?.F3.0F 11 /r Mss,Vss | VEX?.F3.0F 10 /r Vss,Hss,Uss"
     " | VEX?.F3.0F 11 /r Uss,Hss,Vss", "{v}movss") { }
INSN(movsd, "VEX?.F2.0F 10 /r Vsd,Msd | VEX?.F2.0F 11 /r Msd,Vsd | VEX?.F2.0F 10 /r Vsd,Hsd,Usd"
     " | VEX?.F2.0F 11 /r Usd,Hsd,Vsd", "{v}movsd") { }
INSN(movlps, "VEX?.NP.0F 12 /r Vdq,Hdq,Mq | VEX?.NP.0F 13 /r Mq,Vdq", "{v}movlps") { }
INSN(movlpd, "VEX?.66.0F 12 /r Vdq,Hdq,Mq | VEX?.66.0F 13 /r Mq,Vdq", "{v}movlpd") { }
INSN(movhps, "VEX?.NP.0F 16 /r Vdq,Hdq,Mq | VEX?.NP.0F 17 /r Mq,Vdq", "{v}movhps") { }
INSN(movhpd, "VEX?.66.0F 16 /r Vdq,Hdq,Mq | VEX?.66.0F 17 /r Mq,Vdq", "{v}movhpd") { }
INSN(movhlps, "VEX?.NP.0F 12 /r Vdq,Hdq,Udq", "{v}movhlps") { }
INSN(movlhps, "VEX?.NP.0F 16 /r Vdq,Hdq,Udq", "{v}movlhps") { }
INSN(movntps, "VEX?.NP.0F 2B /r Mps,Vps", "{v}movntps") { }
INSN(movntdq, "VEX?.66.0F E7 /r Mx,Vx", "{v}movntdq") { }
INSN(movntdqa, "VEX?.66.0F38 2A /r Vx,Mx", "{v}movntdqa") { }
INSN(movd, "VEX?.66.0F.W0 6E /r Vdq,Ed | VEX?.66.0F.W0 7E /r Ed,Vdq", "{v}movd") { }
INSN(movq, "VEX?.66.0F.W1 6E /r Vdq,Eq | VEX?.66.0F.W1 7E /r Eq,Vdq | VEX?.F3.0F 7E /r Vq,Wq"
     " | VEX?.66.0F D6 /r Wq,Vq", "{v}movq") { }
INSN(movmskps, "VEX?.NP.0F 50 /r Gd,Ups", "{v}movmskps") { }
INSN(movmskpd, "VEX?.66.0F 50 /r Gd,Upd", "{v}movmskpd") { }
INSN(pmovmskb, "VEX?.66.0F D7 /r Gd,Ux", "{v}pmovmskb") { }
INSN(cvtsi2ss, "VEX?.F3.0F 2A /r Vss,Hss,Ey", "{v}cvtsi2ss") { }
INSN(cvtsi2sd, "VEX?.F2.0F 2A /r Vsd,Hsd,Ey", "{v}cvtsi2sd") { }
INSN(cvttss2si, "VEX?.F3.0F 2C /r Gy,Wss", "{v}cvttss2si") { }
INSN(cvttsd2si, "VEX?.F2.0F 2C /r Gy,Wsd", "{v}cvttsd2si") { }
INSN(cvtss2si, "VEX?.F3.0F 2D /r Gy,Wss", "{v}cvtss2si") { }
INSN(cvtsd2si, "VEX?.F2.0F 2D /r Gy,Wsd", "{v}cvtsd2si") { }
INSN(cvtss2sd, "VEX?.F3.0F 5A /r Vsd,Hsd,Wss", "{v}cvtss2sd") { }
INSN(cvtsd2ss, "VEX?.F2.0F 5A /r Vss,Hss,Wsd", "{v}cvtsd2ss") { }
INSN(cvtps2pd, "NP 0F 5A /r Vdq,Wq", "cvtps2pd") { }
INSN(cvtpd2ps, "66 0F 5A /r Vdq,Wdq", "cvtpd2ps") { }
INSN(cvtdq2ps, "VEX?.NP.0F 5B /r Vps,Wx", "{v}cvtdq2ps") { }
INSN(cvttps2dq, "VEX?.F3.0F 5B /r Vx,Wps", "{v}cvttps2dq") { }
INSN(cvtdq2pd, "F3 0F E6 /r Vdq,Wq", "cvtdq2pd") { }
INSN(shufps, "VEX?.NP.0F C6 /r Vps,Hps,Wps,Ib", "{v}shufps") { }
INSN(shufpd, "VEX?.66.0F C6 /r Vpd,Hpd,Wpd,Ib", "{v}shufpd") { }
INSN(pshufd, "VEX?.66.0F 70 /r Vx,Wx,Ib", "{v}pshufd") { }
INSN(pshufhw, "VEX?.F3.0F 70 /r Vx,Wx,Ib", "{v}pshufhw") { }
INSN(pshuflw, "VEX?.F2.0F 70 /r Vx,Wx,Ib", "{v}pshuflw") { }
INSN(pinsrw, "66 0F C4 /r reg Vdq,Ed,Ib | 66 0F C4 /r mem Vdq,Ew,Ib", "pinsrw") { }
INSN(pextrw, "VEX?.66.0F C5 /r Gd,Udq,Ib", "{v}pextrw") { }
INSN(punpcklbw, "VEX?.66.0F 60 /r Vx,Hx,Wx", "{v}punpcklbw") { }
INSN(punpcklwd, "VEX?.66.0F 61 /r Vx,Hx,Wx", "{v}punpcklwd") { }
INSN(punpckldq, "VEX?.66.0F 62 /r Vx,Hx,Wx", "{v}punpckldq") { }
INSN(packsswb, "VEX?.66.0F 63 /r Vx,Hx,Wx", "{v}packsswb") { }
INSN(pcmpgtb, "VEX?.66.0F 64 /r Vx,Hx,Wx", "{v}pcmpgtb") { }
INSN(pcmpgtw, "VEX?.66.0F 65 /r Vx,Hx,Wx", "{v}pcmpgtw") { }
INSN(pcmpgtd, "VEX?.66.0F 66 /r Vx,Hx,Wx", "{v}pcmpgtd") { }
INSN(packuswb, "VEX?.66.0F 67 /r Vx,Hx,Wx", "{v}packuswb") { }
INSN(punpckhbw, "VEX?.66.0F 68 /r Vx,Hx,Wx", "{v}punpckhbw") { }
INSN(punpckhwd, "VEX?.66.0F 69 /r Vx,Hx,Wx", "{v}punpckhwd") { }
INSN(punpckhdq, "VEX?.66.0F 6A /r Vx,Hx,Wx", "{v}punpckhdq") { }
INSN(packssdw, "VEX?.66.0F 6B /r Vx,Hx,Wx", "{v}packssdw") { }
INSN(punpcklqdq, "VEX?.66.0F 6C /r Vx,Hx,Wx", "{v}punpcklqdq") { }
INSN(punpckhqdq, "VEX?.66.0F 6D /r Vx,Hx,Wx", "{v}punpckhqdq") { }
INSN(pcmpeqb, "VEX?.66.0F 74 /r Vx,Hx,Wx", "{v}pcmpeqb") { }
INSN(pcmpeqw, "VEX?.66.0F 75 /r Vx,Hx,Wx", "{v}pcmpeqw") { }
INSN(pcmpeqd, "VEX?.66.0F 76 /r Vx,Hx,Wx", "{v}pcmpeqd") { }
INSN(paddq, "VEX?.66.0F D4 /r Vx,Hx,Wx", "{v}paddq") { }
INSN(pmullw, "VEX?.66.0F D5 /r Vx,Hx,Wx", "{v}pmullw") { }
INSN(psubusb, "VEX?.66.0F D8 /r Vx,Hx,Wx", "{v}psubusb") { }
INSN(psubusw, "VEX?.66.0F D9 /r Vx,Hx,Wx", "{v}psubusw") { }
INSN(pminub, "VEX?.66.0F DA /r Vx,Hx,Wx", "{v}pminub") { }
INSN(pand, "VEX?.66.0F DB /r Vx,Hx,Wx", "{v}pand") { }
INSN(paddusb, "VEX?.66.0F DC /r Vx,Hx,Wx", "{v}paddusb") { }
INSN(paddusw, "VEX?.66.0F DD /r Vx,Hx,Wx", "{v}paddusw") { }
INSN(pmaxub, "VEX?.66.0F DE /r Vx,Hx,Wx", "{v}pmaxub") { }
INSN(pandn, "VEX?.66.0F DF /r Vx,Hx,Wx", "{v}pandn") { }
INSN(pavgb, "VEX?.66.0F E0 /r Vx,Hx,Wx", "{v}pavgb") { }
INSN(pavgw, "VEX?.66.0F E3 /r Vx,Hx,Wx", "{v}pavgw") { }
INSN(pmulhuw, "VEX?.66.0F E4 /r Vx,Hx,Wx", "{v}pmulhuw") { }
INSN(pmulhw, "VEX?.66.0F E5 /r Vx,Hx,Wx", "{v}pmulhw") { }
INSN(psubsb, "VEX?.66.0F E8 /r Vx,Hx,Wx", "{v}psubsb") { }
INSN(psubsw, "VEX?.66.0F E9 /r Vx,Hx,Wx", "{v}psubsw") { }
INSN(pminsw, "VEX?.66.0F EA /r Vx,Hx,Wx", "{v}pminsw") { }
INSN(por, "VEX?.66.0F EB /r Vx,Hx,Wx", "{v}por") { }
INSN(paddsb, "VEX?.66.0F EC /r Vx,Hx,Wx", "{v}paddsb") { }
INSN(paddsw, "VEX?.66.0F ED /r Vx,Hx,Wx", "{v}paddsw") { }
INSN(pmaxsw, "VEX?.66.0F EE /r Vx,Hx,Wx", "{v}pmaxsw") { }
INSN(pxor, "VEX?.66.0F EF /r Vx,Hx,Wx", "{v}pxor") { }
INSN(pmuludq, "VEX?.66.0F F4 /r Vx,Hx,Wx", "{v}pmuludq") { }
INSN(pmaddwd, "VEX?.66.0F F5 /r Vx,Hx,Wx", "{v}pmaddwd") { }
INSN(psadbw, "VEX?.66.0F F6 /r Vx,Hx,Wx", "{v}psadbw") { }
INSN(psubb, "VEX?.66.0F F8 /r Vx,Hx,Wx", "{v}psubb") { }
INSN(psubw, "VEX?.66.0F F9 /r Vx,Hx,Wx", "{v}psubw") { }
INSN(psubd, "VEX?.66.0F FA /r Vx,Hx,Wx", "{v}psubd") { }
INSN(psubq, "VEX?.66.0F FB /r Vx,Hx,Wx", "{v}psubq") { }
INSN(paddb, "VEX?.66.0F FC /r Vx,Hx,Wx", "{v}paddb") { }
INSN(paddw, "VEX?.66.0F FD /r Vx,Hx,Wx", "{v}paddw") { }
INSN(paddd, "VEX?.66.0F FE /r Vx,Hx,Wx", "{v}paddd") { }
INSN(psrlw, "VEX?.66.0F D1 /r Vx,Hx,Wdq | 66 0F 71 /2 Ux,Ib | VEX.66.0F 71 /2 Hx,Ux,Ib", "{v}psrlw") { }
INSN(psrld, "VEX?.66.0F D2 /r Vx,Hx,Wdq | 66 0F 72 /2 Ux,Ib | VEX.66.0F 72 /2 Hx,Ux,Ib", "{v}psrld") { }
INSN(psrlq, "VEX?.66.0F D3 /r Vx,Hx,Wdq | 66 0F 73 /2 Ux,Ib | VEX.66.0F 73 /2 Hx,Ux,Ib", "{v}psrlq") { }
INSN(psraw, "VEX?.66.0F E1 /r Vx,Hx,Wdq | 66 0F 71 /4 Ux,Ib | VEX.66.0F 71 /4 Hx,Ux,Ib", "{v}psraw") { }
INSN(psrad, "VEX?.66.0F E2 /r Vx,Hx,Wdq | 66 0F 72 /4 Ux,Ib | VEX.66.0F 72 /4 Hx,Ux,Ib", "{v}psrad") { }
INSN(psllw, "VEX?.66.0F F1 /r Vx,Hx,Wdq | 66 0F 71 /6 Ux,Ib | VEX.66.0F 71 /6 Hx,Ux,Ib", "{v}psllw") { }
INSN(pslld, "VEX?.66.0F F2 /r Vx,Hx,Wdq | 66 0F 72 /6 Ux,Ib | VEX.66.0F 72 /6 Hx,Ux,Ib", "{v}pslld") { }
INSN(psllq, "VEX?.66.0F F3 /r Vx,Hx,Wdq | 66 0F 73 /6 Ux,Ib | VEX.66.0F 73 /6 Hx,Ux,Ib", "{v}psllq") { }
INSN(psrldq, "66 0F 73 /3 Ux,Ib | VEX.66.0F 73 /3 Hx,Ux,Ib", "{v}psrldq") { }
INSN(pslldq, "66 0F 73 /7 Ux,Ib | VEX.66.0F 73 /7 Hx,Ux,Ib", "{v}pslldq") { }
INSN(pshufb, "VEX?.66.0F38 00 /r Vx,Hx,Wx", "{v}pshufb") { }
INSN(phaddw, "VEX?.66.0F38 01 /r Vx,Hx,Wx", "{v}phaddw") { }
INSN(phaddd, "VEX?.66.0F38 02 /r Vx,Hx,Wx", "{v}phaddd") { }
INSN(pmaddubsw, "VEX?.66.0F38 04 /r Vx,Hx,Wx", "{v}pmaddubsw") { }
INSN(pmulhrsw, "VEX?.66.0F38 0B /r Vx,Hx,Wx", "{v}pmulhrsw") { }
INSN(pmuldq, "VEX?.66.0F38 28 /r Vx,Hx,Wx", "{v}pmuldq") { }
INSN(pcmpeqq, "VEX?.66.0F38 29 /r Vx,Hx,Wx", "{v}pcmpeqq") { }
INSN(pcmpgtq, "VEX?.66.0F38 37 /r Vx,Hx,Wx", "{v}pcmpgtq") { }
INSN(pminsb, "VEX?.66.0F38 38 /r Vx,Hx,Wx", "{v}pminsb") { }
INSN(pminsd, "VEX?.66.0F38 39 /r Vx,Hx,Wx", "{v}pminsd") { }
INSN(pminuw, "VEX?.66.0F38 3A /r Vx,Hx,Wx", "{v}pminuw") { }
INSN(pminud, "VEX?.66.0F38 3B /r Vx,Hx,Wx", "{v}pminud") { }
INSN(pmaxsb, "VEX?.66.0F38 3C /r Vx,Hx,Wx", "{v}pmaxsb") { }
INSN(pmaxsd, "VEX?.66.0F38 3D /r Vx,Hx,Wx", "{v}pmaxsd") { }
INSN(pmaxuw, "VEX?.66.0F38 3E /r Vx,Hx,Wx", "{v}pmaxuw") { }
INSN(pmaxud, "VEX?.66.0F38 3F /r Vx,Hx,Wx", "{v}pmaxud") { }
INSN(pmulld, "VEX?.66.0F38 40 /r Vx,Hx,Wx", "{v}pmulld") { }
INSN(aesenc, "VEX?.66.0F38 DC /r Vx,Hx,Wx", "{v}aesenc") { }
INSN(aesdec, "VEX?.66.0F38 DE /r Vx,Hx,Wx", "{v}aesdec") { }
INSN(ptest, "VEX?.66.0F38 17 /r Vx,Wx", "{v}ptest") { }
INSN(pabsb, "VEX?.66.0F38 1C /r Vx,Wx", "{v}pabsb") { }
INSN(pabsw, "VEX?.66.0F38 1D /r Vx,Wx", "{v}pabsw") { }
INSN(pabsd, "VEX?.66.0F38 1E /r Vx,Wx", "{v}pabsd") { }
INSN(pmovsxbw, "66 0F 38 20 /r Vdq,Wq", "pmovsxbw") { }
INSN(pmovsxwd, "66 0F 38 23 /r Vdq,Wq", "pmovsxwd") { }
INSN(pmovsxdq, "66 0F 38 25 /r Vdq,Wq", "pmovsxdq") { }
INSN(pmovzxbw, "66 0F 38 30 /r Vdq,Wq", "pmovzxbw") { }
INSN(pmovzxwd, "66 0F 38 33 /r Vdq,Wq", "pmovzxwd") { }
INSN(pmovzxdq, "66 0F 38 35 /r Vdq,Wq", "pmovzxdq") { }
INSN(palignr, "66 0F 3A 0F /r Vdq,Wdq,Ib", "palignr") { }
INSN(pextrd, "66 0F 3A 16 /r W0 Ed,Vdq,Ib", "pextrd") { }
INSN(pextrq, "66 0F 3A 16 /r W1 Eq,Vdq,Ib", "pextrq") { }
INSN(pinsrd, "66 0F 3A 22 /r W0 Vdq,Ed,Ib", "pinsrd") { }
INSN(pinsrq, "66 0F 3A 22 /r W1 Vdq,Eq,Ib", "pinsrq") { }
INSN(roundss, "66 0F 3A 0A /r Vss,Wss,Ib", "roundss") { }
INSN(roundsd, "66 0F 3A 0B /r Vsd,Wsd,Ib", "roundsd") { }
INSN(pcmpistri, "66 0F 3A 63 /r Vdq,Wdq,Ib", "pcmpistri") { }
INSN(vzeroupper, "VEX.L0.NP.0F 77", "vzeroupper") { }
INSN(vzeroall, "VEX.L1.NP.0F 77", "vzeroall") { }
INSN(vpbroadcastb, "VEX.66.0F38.W0 78 /r Vx,Wb", "vpbroadcastb") { }
INSN(vpbroadcastw, "VEX.66.0F38.W0 79 /r Vx,Ww", "vpbroadcastw") { }
INSN(vpbroadcastd, "VEX.66.0F38.W0 58 /r Vx,Wd", "vpbroadcastd") { }
INSN(vpbroadcastq, "VEX.66.0F38.W0 59 /r Vx,Wq", "vpbroadcastq") { }
INSN(vbroadcastss, "VEX.66.0F38.W0 18 /r Vx,Wss", "vbroadcastss") { }
INSN(vpsllvd, "VEX.66.0F38.W0 47 /r Vx,Hx,Wx", "vpsllvd") { }
INSN(vpsllvq, "VEX.66.0F38.W1 47 /r Vx,Hx,Wx", "vpsllvq") { }
INSN(vpsrlvd, "VEX.66.0F38.W0 45 /r Vx,Hx,Wx", "vpsrlvd") { }
INSN(vpsrlvq, "VEX.66.0F38.W1 45 /r Vx,Hx,Wx", "vpsrlvq") { }
INSN(andn, "VEX.L0.NP.0F38 F2 /r Gy,By,Ey", "andn") { }
INSN(bzhi, "VEX.L0.NP.0F38 F5 /r Gy,Ey,By", "bzhi") { }
INSN(bextr, "VEX.L0.NP.0F38 F7 /r Gy,Ey,By", "bextr") { }
INSN(sarx, "VEX.L0.F3.0F38 F7 /r Gy,Ey,By", "sarx") { }
INSN(shlx, "VEX.L0.66.0F38 F7 /r Gy,Ey,By", "shlx") { }
INSN(shrx, "VEX.L0.F2.0F38 F7 /r Gy,Ey,By", "shrx") { }
INSN(pdep, "VEX.L0.F2.0F38 F5 /r Gy,By,Ey", "pdep") { }
INSN(pext, "VEX.L0.F3.0F38 F5 /r Gy,By,Ey", "pext") { }
INSN(mulx, "VEX.L0.F2.0F38 F6 /r Gy,By,Ey", "mulx") { }
INSN(blsr, "VEX.L0.NP.0F38 F3 /1 By,Ey", "blsr") { }
INSN(blsmsk, "VEX.L0.NP.0F38 F3 /2 By,Ey", "blsmsk") { }
INSN(blsi, "VEX.L0.NP.0F38 F3 /3 By,Ey", "blsi") { }
INSN(vfmadd132ps, "VEX.66.0F38.W0 98 /r Vps,Hps,Wps", "vfmadd132ps") { }
INSN(vfmadd132pd, "VEX.66.0F38.W1 98 /r Vpd,Hpd,Wpd", "vfmadd132pd") { }
INSN(vfmadd132ss, "VEX.66.0F38.W0 99 /r Vss,Hss,Wss", "vfmadd132ss") { }
INSN(vfmadd132sd, "VEX.66.0F38.W1 99 /r Vsd,Hsd,Wsd", "vfmadd132sd") { }
INSN(vfmsub132ps, "VEX.66.0F38.W0 9A /r Vps,Hps,Wps", "vfmsub132ps") { }
INSN(vfmsub132pd, "VEX.66.0F38.W1 9A /r Vpd,Hpd,Wpd", "vfmsub132pd") { }
INSN(vfmsub132ss, "VEX.66.0F38.W0 9B /r Vss,Hss,Wss", "vfmsub132ss") { }
INSN(vfmsub132sd, "VEX.66.0F38.W1 9B /r Vsd,Hsd,Wsd", "vfmsub132sd") { }
INSN(vfnmadd132ps, "VEX.66.0F38.W0 9C /r Vps,Hps,Wps", "vfnmadd132ps") { }
INSN(vfnmadd132pd, "VEX.66.0F38.W1 9C /r Vpd,Hpd,Wpd", "vfnmadd132pd") { }
INSN(vfnmadd132ss, "VEX.66.0F38.W0 9D /r Vss,Hss,Wss", "vfnmadd132ss") { }
INSN(vfnmadd132sd, "VEX.66.0F38.W1 9D /r Vsd,Hsd,Wsd", "vfnmadd132sd") { }
INSN(vfnmsub132ps, "VEX.66.0F38.W0 9E /r Vps,Hps,Wps", "vfnmsub132ps") { }
INSN(vfnmsub132pd, "VEX.66.0F38.W1 9E /r Vpd,Hpd,Wpd", "vfnmsub132pd") { }
INSN(vfnmsub132ss, "VEX.66.0F38.W0 9F /r Vss,Hss,Wss", "vfnmsub132ss") { }
INSN(vfnmsub132sd, "VEX.66.0F38.W1 9F /r Vsd,Hsd,Wsd", "vfnmsub132sd") { }
INSN(vfmadd213ps, "VEX.66.0F38.W0 A8 /r Vps,Hps,Wps", "vfmadd213ps") { }
INSN(vfmadd213pd, "VEX.66.0F38.W1 A8 /r Vpd,Hpd,Wpd", "vfmadd213pd") { }
INSN(vfmadd213ss, "VEX.66.0F38.W0 A9 /r Vss,Hss,Wss", "vfmadd213ss") { }
INSN(vfmadd213sd, "VEX.66.0F38.W1 A9 /r Vsd,Hsd,Wsd", "vfmadd213sd") { }
INSN(vfmsub213ps, "VEX.66.0F38.W0 AA /r Vps,Hps,Wps", "vfmsub213ps") { }
INSN(vfmsub213pd, "VEX.66.0F38.W1 AA /r Vpd,Hpd,Wpd", "vfmsub213pd") { }
INSN(vfmsub213ss, "VEX.66.0F38.W0 AB /r Vss,Hss,Wss", "vfmsub213ss") { }
INSN(vfmsub213sd, "VEX.66.0F38.W1 AB /r Vsd,Hsd,Wsd", "vfmsub213sd") { }
INSN(vfnmadd213ps, "VEX.66.0F38.W0 AC /r Vps,Hps,Wps", "vfnmadd213ps") { }
INSN(vfnmadd213pd, "VEX.66.0F38.W1 AC /r Vpd,Hpd,Wpd", "vfnmadd213pd") { }
INSN(vfnmadd213ss, "VEX.66.0F38.W0 AD /r Vss,Hss,Wss", "vfnmadd213ss") { }
INSN(vfnmadd213sd, "VEX.66.0F38.W1 AD /r Vsd,Hsd,Wsd", "vfnmadd213sd") { }
INSN(vfnmsub213ps, "VEX.66.0F38.W0 AE /r Vps,Hps,Wps", "vfnmsub213ps") { }
INSN(vfnmsub213pd, "VEX.66.0F38.W1 AE /r Vpd,Hpd,Wpd", "vfnmsub213pd") { }
INSN(vfnmsub213ss, "VEX.66.0F38.W0 AF /r Vss,Hss,Wss", "vfnmsub213ss") { }
INSN(vfnmsub213sd, "VEX.66.0F38.W1 AF /r Vsd,Hsd,Wsd", "vfnmsub213sd") { }
INSN(vfmadd231ps, "VEX.66.0F38.W0 B8 /r Vps,Hps,Wps", "vfmadd231ps") { }
INSN(vfmadd231pd, "VEX.66.0F38.W1 B8 /r Vpd,Hpd,Wpd", "vfmadd231pd") { }
INSN(vfmadd231ss, "VEX.66.0F38.W0 B9 /r Vss,Hss,Wss", "vfmadd231ss") { }
INSN(vfmadd231sd, "VEX.66.0F38.W1 B9 /r Vsd,Hsd,Wsd", "vfmadd231sd") { }
INSN(vfmsub231ps, "VEX.66.0F38.W0 BA /r Vps,Hps,Wps", "vfmsub231ps") { }
INSN(vfmsub231pd, "VEX.66.0F38.W1 BA /r Vpd,Hpd,Wpd", "vfmsub231pd") { }
INSN(vfmsub231ss, "VEX.66.0F38.W0 BB /r Vss,Hss,Wss", "vfmsub231ss") { }
INSN(vfmsub231sd, "VEX.66.0F38.W1 BB /r Vsd,Hsd,Wsd", "vfmsub231sd") { }
INSN(vfnmadd231ps, "VEX.66.0F38.W0 BC /r Vps,Hps,Wps", "vfnmadd231ps") { }
INSN(vfnmadd231pd, "VEX.66.0F38.W1 BC /r Vpd,Hpd,Wpd", "vfnmadd231pd") { }
INSN(vfnmadd231ss, "VEX.66.0F38.W0 BD /r Vss,Hss,Wss", "vfnmadd231ss") { }
INSN(vfnmadd231sd, "VEX.66.0F38.W1 BD /r Vsd,Hsd,Wsd", "vfnmadd231sd") { }
INSN(vfnmsub231ps, "VEX.66.0F38.W0 BE /r Vps,Hps,Wps", "vfnmsub231ps") { }
INSN(vfnmsub231pd, "VEX.66.0F38.W1 BE /r Vpd,Hpd,Wpd", "vfnmsub231pd") { }
INSN(vfnmsub231ss, "VEX.66.0F38.W0 BF /r Vss,Hss,Wss", "vfnmsub231ss") { }
INSN(vfnmsub231sd, "VEX.66.0F38.W1 BF /r Vsd,Hsd,Wsd", "vfnmsub231sd") { }
