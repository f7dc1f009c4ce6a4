/* libc's string and memory routines as the target has them. */
#include "bench.h"
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 400000), h = 0;
    static char a[8192], b[8192];
    for (int i = 0; i < 8191; i++) a[i] = (char)('a' + i * 7 % 26);
    for (unsigned r = 0; r < n; r++) {
        size_t len = 16 + r * 37 % 4000;
        memcpy(b, a + (r & 15), len), b[len] = 0;
        h = h * 33 + (unsigned)strlen(b) + (unsigned)(memcmp(a, b, len) > 0);
        char *q = memchr(b, 'z', len);
        h += q ? (unsigned)(q - b) : 1;
        memset(b, (int)r & 127, 64 + (r & 255));
        h += (unsigned)(unsigned char)b[r & 63] + (unsigned)(strcmp(a + 1, a + 1 + 26) != 0);
    }
    printf("%08x\n", h);
    return 0;
}
