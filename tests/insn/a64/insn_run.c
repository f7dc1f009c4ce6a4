/* insn_run.c: runs the body of one test (test_body) and compares registers with expect.h; see insn.sh. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    uint64_t x[31], nzcv, fpsr, pad;
    uint64_t v[32][2];
} st __attribute__((aligned(16)));
uint8_t test_buf[65536] __attribute__((aligned(65536)));
uint64_t saved_sp, saved_tp;
void test_run(void);

/* The body is placed between these by its section name: .text.body follows .text.enter. */
__asm__(
    ".global test_run\ntest_run: sub sp, sp, #176\n"
    " stp d8, d9, [sp]\n stp d10, d11, [sp, #16]\n stp d12, d13, [sp, #32]\n stp d14, d15, [sp, #48]\n"
    " stp x19, x20, [sp, #64]\n stp x21, x22, [sp, #80]\n stp x23, x24, [sp, #96]\n stp x25, x26, [sp, #112]\n"
    " stp x27, x28, [sp, #128]\n stp x29, x30, [sp, #144]\n mrs x0, tpidr_el0\n mov x1, sp\n"
    " adrp x2, saved_sp\n str x1, [x2, :lo12:saved_sp]\n adrp x2, saved_tp\n str x0, [x2, :lo12:saved_tp]\n"
    " .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n movi v\\n\\().2d, #0\n .endr\n"
    " .irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29\n mov x\\n, #0\n .endr\n"
    " msr nzcv, xzr\n msr fpsr, xzr\n msr fpcr, xzr\n adrp x0, test_buf\n mov x30, #0\n b test_body\n"
    ".global test_end\ntest_end:\n"
    " msr tpidr_el0, x30\n adrp x30, st\n add x30, x30, :lo12:st\n"
    " stp x0, x1, [x30]\n stp x2, x3, [x30, #16]\n stp x4, x5, [x30, #32]\n stp x6, x7, [x30, #48]\n"
    " stp x8, x9, [x30, #64]\n stp x10, x11, [x30, #80]\n stp x12, x13, [x30, #96]\n stp x14, x15, [x30, #112]\n"
    " stp x16, x17, [x30, #128]\n stp x18, x19, [x30, #144]\n stp x20, x21, [x30, #160]\n stp x22, x23, [x30, #176]\n"
    " stp x24, x25, [x30, #192]\n stp x26, x27, [x30, #208]\n stp x28, x29, [x30, #224]\n"
    " mrs x0, tpidr_el0\n mrs x1, nzcv\n stp x0, x1, [x30, #240]\n mrs x0, fpsr\n str x0, [x30, #256]\n add x1, x30, #272\n"
    " .irp n,0,4,8,12,16,20,24,28\n .if \\n == 0\n st1 {v0.2d-v3.2d}, [x1], #64\n .endif\n .endr\n"
    " st1 {v4.2d-v7.2d}, [x1], #64\n st1 {v8.2d-v11.2d}, [x1], #64\n st1 {v12.2d-v15.2d}, [x1], #64\n"
    " st1 {v16.2d-v19.2d}, [x1], #64\n st1 {v20.2d-v23.2d}, [x1], #64\n st1 {v24.2d-v27.2d}, [x1], #64\n st1 {v28.2d-v31.2d}, [x1]\n"
    " adrp x2, saved_tp\n ldr x0, [x2, :lo12:saved_tp]\n msr tpidr_el0, x0\n adrp x2, saved_sp\n ldr x0, [x2, :lo12:saved_sp]\n"
    " mov sp, x0\n msr fpcr, xzr\n"
    " ldp d8, d9, [sp]\n ldp d10, d11, [sp, #16]\n ldp d12, d13, [sp, #32]\n ldp d14, d15, [sp, #48]\n"
    " ldp x19, x20, [sp, #64]\n ldp x21, x22, [sp, #80]\n ldp x23, x24, [sp, #96]\n ldp x25, x26, [sp, #112]\n"
    " ldp x27, x28, [sp, #128]\n ldp x29, x30, [sp, #144]\n add sp, sp, #176\n ret\n");

static const struct { const char *reg, *val; } expect[] = {
#include "expect.h"
};

int main(void)
{
    int bad = 0;

    test_run();
    st.x[0] -= st.x[0] - (uint64_t)test_buf < sizeof test_buf ? (uint64_t)test_buf : 0; /* addresses in the buffer as offsets */
    for (unsigned i = 1; i < 31; i++)
        if (st.x[i] - (uint64_t)test_buf < sizeof test_buf) st.x[i] -= (uint64_t)test_buf;
    for (unsigned i = 0; i < sizeof expect / sizeof *expect; i++) {
        const char *r = expect[i].reg;
        unsigned n = (unsigned)atoi(r + 1);
        uint64_t want[2] = { 0 }, have[2] = { 0 };
        char *end;
        want[0] = strtoull(expect[i].val, &end, 0);
        if (*end == '_') want[1] = want[0], want[0] = strtoull(end + 1, NULL, 16);
        if (*r == 'x' && n < 31) have[0] = st.x[n];
        else if (*r == 'v' && n < 32) memcpy(have, st.v[n], 16);
        else if (!strcmp(r, "nzcv")) have[0] = st.nzcv >> 28;
        else if (!strcmp(r, "fpsr")) have[0] = st.fpsr;
        else {
            printf("expect: no register %s\n", r);
            return 2;
        }
        if (have[0] == want[0] && have[1] == want[1]) continue;
        printf("%s is %016llx_%016llx, %s was expected\n", r, (unsigned long long)have[1], (unsigned long long)have[0], expect[i].val);
        bad = 1;
    }
    return bad;
}
