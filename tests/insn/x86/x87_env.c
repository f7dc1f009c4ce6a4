/* The x87 unit's images in memory: FSTENV's pointers, 14 and 28 bytes; FSAVE, FXSAVE and back; MMX registers in them. Exits 0. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int bad;
#define CHECK(c) do { if (!(c)) { printf("line %d: %s\n", __LINE__, #c); bad = 1; } } while (0)

struct env { uint32_t cw, sw, tw, fip, fop, fdp, fds; };
struct save { struct env e; uint8_t st[8][10]; } __attribute__((packed));
static struct save a, b;
static uint8_t fx[512] __attribute__((aligned(16))), fy[512] __attribute__((aligned(16)));
static const double pi = 3.141592653589793, two = 2;
static const float half = 0.5f;

static void pointers(void)
{
    struct env e;
    uint8_t small[14];
    void *at;

#ifdef __x86_64__
    __asm__ volatile("fninit\n\tlea 1f(%%rip), %1\n1:\tfldpi\n\tfnop\n\tfnstenv %0\n\tfldenv %0" : "=m"(e), "=r"(at));
#else
    __asm__ volatile("fninit\n\tcall 2f\n2:\tpop %1\n\tlea 1f-2b(%1), %1\n1:\tfldpi\n\tfnstenv %0\n\tfldenv %0" : "=m"(e), "=r"(at));
#endif
    CHECK((uint16_t)e.cw == 0x37f && (uint16_t)e.sw == 7 << 11 && (uint16_t)e.tw == 0x3fff);
    CHECK(e.fip - (uint32_t)(uintptr_t)at <= 2); /* FLDPI, or the FNOP behind it where that counts */
    __asm__ volatile("data16 fnstenv %0" : "=m"(small));
    CHECK(small[0] == 0x7f && small[2] == 0 && small[3] == 0x38 && small[5] == 0x3f);
}

static void whole(void)
{
    __asm__ volatile("fninit\n\tfldl %0\n\tfldl %1\n\tflds %2\n\tfldz" : : "m"(pi), "m"(two), "m"(half));
    __asm__ volatile("fnsave %0" : "=m"(a));
    CHECK((uint16_t)a.e.sw >> 11 == 4 && (uint16_t)a.e.tw == 0x01ff);
    CHECK(!memcmp(a.st[2], "\0\0\0\0\0\0\0\x80\0\x40", 10));
    __asm__ volatile("fnsave %0" : "=m"(b));
    CHECK((uint16_t)b.e.cw == 0x37f && (uint16_t)b.e.tw == 0xffff && (uint16_t)b.e.sw == 0);
    __asm__ volatile("frstor %1\n\tfxsave %0" : "=m"(fx) : "m"(a));
    CHECK(fx[4] == 0xf0 && fx[3] >> 3 == 4 && !memcmp(fx + 32 + 48, a.st[3], 10));
    __asm__ volatile("fninit\n\tfxrstor %1\n\tfxsave %0" : "=m"(fy) : "m"(fx));
    CHECK(!memcmp(fx, fy, 6) && !memcmp(fx + 32, fy + 32, 128));
    /* MMX: R0 and R7, all valid, top of stack at 0 */
    __asm__ volatile("movq %1, %%mm0\n\tmovq %2, %%mm7\n\tfxsave %0" : "=m"(fy) : "m"(pi), "m"(two));
    CHECK(fy[4] == 0xff && fy[3] >> 3 == 0 && !memcmp(fy + 32, &pi, 8) && !memcmp(fy + 32 + 112, &two, 8));
    CHECK(fy[40] == 0xff && fy[41] == 0xff);
    __asm__ volatile("emms\n\tfxsave %0" : "=m"(fy));
    CHECK(fy[4] == 0 && !memcmp(fy + 32, &pi, 8));
}

int main(void)
{
    pointers();
    whole();
    return bad;
}
