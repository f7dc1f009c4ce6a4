/* f32 matrix product; vectorised where the target has vectors. */
#include "bench.h"
enum { N = 256 };
static float a[N][N], b[N][N], c[N][N];
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 12);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = (float)(i + j) / N, b[i][j] = (float)(i - j) / N;
    for (unsigned r = 0; r < n; r++)
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                float t = a[i][k];
                for (int j = 0; j < N; j++) c[i][j] += t * b[k][j];
            }
    double s = 0;
    for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) s += c[i][j];
    printf("%.3f\n", s);
    return 0;
}
