/* Mandelbrot set: scalar f64, multiply-add, data-dependent loop ends. */
#include "bench.h"
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 1200), sum = 0;
    for (unsigned y = 0; y < n; y++)
        for (unsigned x = 0; x < n; x++) {
            double cr = 2.0 * x / n - 1.5, ci = 2.0 * y / n - 1.0, r = 0, i = 0;
            unsigned k = 0;
            while (k < 100 && r * r + i * i < 4) {
                double t = r * r - i * i + cr;
                i = 2 * r * i + ci, r = t, k++;
            }
            sum += k;
        }
    printf("%u\n", sum);
    return 0;
}
