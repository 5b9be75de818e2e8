/* Initial parameters: see initial.h. */
#include "nn/initial.h"

#include <math.h>

const char *const norn_init_words[] = {"uniform", "xavier", "orthogonal", NULL};

/* In [0, 1), of the index-th plain parameter. */
static double drawn(norn_key key, size_t index)
{
    const norn_random_words words =
        norn_random(key, (uint32_t)(index / 4), (uint32_t)((uint64_t)index / 4 >> 32), 0, 0);
    return norn_random_unit(words.word[index % 4]);
}

/* Normal, by Box and Muller's transform of two numbers of a counter that no uniform one uses. */
static double normal(norn_key key, size_t index)
{
    const norn_random_words words =
        norn_random(key, (uint32_t)index, (uint32_t)((uint64_t)index >> 32), 1, 0);
    const double radius = sqrt(-2.0 * log(1.0 - norn_random_unit(words.word[0])));
    return radius * cos(6.28318530717958647692 * norn_random_unit(words.word[1]));
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Rows that are orthogonal to each other and of length 1; of more rows than columns, the rest starts anew.
 * Twice is enough (Giraud et al. 2005): once leaves what rounding makes of nearly dependent rows. */
static void orthogonal(norn_key key, size_t place, size_t rows, size_t columns, double *out)
{
    for (size_t i = 0; i < rows * columns; i++) out[i] = normal(key, place + i);
    for (size_t r = 0; r < rows; r++) {
        double *const row = out + r * columns;
        for (int turn = 0; turn < 2; turn++)
            for (size_t q = r - r % columns; q < r; q++) {
                const double along = dot(row, out + q * columns, columns);
                for (size_t c = 0; c < columns; c++) row[c] -= along * out[q * columns + c];
            }
        const double length = sqrt(dot(row, row, columns));
        for (size_t c = 0; c < columns && length > 0.0; c++) row[c] /= length;
    }
}

void norn_initial_fill(norn_init init, norn_initial_part part, norn_key key, size_t place, size_t rows,
                       size_t columns, size_t hidden, double *out)
{
    if (init == NORN_INIT_ORTHOGONAL && part == NORN_INITIAL_RECURRENT) {
        orthogonal(key, place, rows, columns, out);
        return;
    }
    const double glorot = part == NORN_INITIAL_BIAS ? 0.0 : sqrt(6.0 / (double)(rows + columns));
    const double bound = init == NORN_INIT_UNIFORM ? 1.0 / sqrt((double)hidden) : glorot;
    for (size_t i = 0; i < rows * columns; i++) out[i] = bound * (2.0 * drawn(key, place + i) - 1.0);
}
