/*
 * Sketches: the shape of a column in a line or two of text. With UTF-8 a cell holds 2 x 4 dots of a braille
 * pattern, so that two lines show eight levels; without, one line of characters that grow darker.
 *
 * A column of dots covers many rows or a part of the way between two. It is drawn from the least to the most
 * of what it covers, so that a single outlier is seen among a million rows; nothing is drawn where nothing
 * is. Where rows are few, they are joined by lines.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>

enum { ACROSS = 2, DOWN = 4 }; /* dots of a cell */

/* What a column of dots covers, and the mean of its rows. */
typedef struct band {
    double low, high, sum;
    size_t count;
} band;

static void cover(band *to, double value)
{
    if (to->count == 0 || value < to->low) to->low = value;
    if (to->count == 0 || value > to->high) to->high = value;
    to->sum += value;
    to->count++;
}

/* Half of the way to the column beside it, so that steep lines hold together. */
static void reach(band *from, band *to, double middle)
{
    from->low = fmin(from->low, middle);
    from->high = fmax(from->high, middle);
    to->low = fmin(to->low, middle);
    to->high = fmax(to->high, middle);
}

/* The column of dots that row i of n falls on. */
static size_t place(size_t i, size_t n, size_t columns)
{
    if (n < 2) return 0;
    return (size_t)((double)i * (double)(columns - 1) / (double)(n - 1) + 0.5);
}

/* Values are divided by `scale` so that their differences are finite. */
static void cover_all(band *bands, size_t columns, const double *values, size_t rows, double scale)
{
    for (size_t i = 0; i < rows; i++) {
        if (isnan(values[i])) continue;
        const size_t at = place(i, rows, columns);
        cover(&bands[at], values[i] / scale);
        if (i == 0 || isnan(values[i - 1])) continue;
        const size_t before = place(i - 1, rows, columns);
        const double from = values[i - 1] / scale, to = values[i] / scale;
        const double rise = at > before ? (to - from) / (double)(at - before) : 0.0;
        for (size_t c = before + 1; c < at; c++) cover(&bands[c], from + rise * (double)(c - before));
        for (size_t c = before; c < at; c++)
            reach(&bands[c], &bands[c + 1], from + rise * ((double)(c - before) + 0.5));
    }
}

static int level(double value, double low, double high, int levels)
{
    return high > low ? (int)lround((value - low) / (high - low) * (levels - 1)) : (levels - 1) / 2;
}

static void put_braille(cli_text lines[CLI_SKETCH_LINES], const band *bands, size_t cells, double low,
                        double high)
{
    static const unsigned char bits[DOWN][ACROSS] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    enum { LEVELS = DOWN * CLI_SKETCH_LINES };
    for (size_t cell = 0; cell < cells; cell++) {
        unsigned dots[CLI_SKETCH_LINES] = {0};
        for (size_t x = 0; x < ACROSS; x++) {
            const band *each = &bands[cell * ACROSS + x];
            if (each->count == 0) continue;
            const int first = level(each->low, low, high, LEVELS),
                      last = level(each->high, low, high, LEVELS);
            for (int at = first; at <= last; at++) {
                const int down = LEVELS - 1 - at;
                dots[down / DOWN] |= bits[down % DOWN][x];
            }
        }
        for (size_t line = 0; line < CLI_SKETCH_LINES; line++) cli_text_braille(&lines[line], dots[line]);
    }
}

static void put_ascii(cli_text *line, const band *bands, size_t cells, double low, double high)
{
    static const char ramp[] = ".:-=+*%#";
    for (size_t cell = 0; cell < cells; cell++) {
        const band *each = &bands[cell];
        char character = ' ';
        if (each->count) character = ramp[level(each->sum / (double)each->count, low, high, 8)];
        cli_text_add(line, &character, 1);
    }
}

size_t cli_sketch(const cli_screen *screen, cli_text lines[CLI_SKETCH_LINES], const double *values,
                  size_t rows, int columns)
{
    const size_t cells = (size_t)columns, across = cells * (screen->unicode ? ACROSS : 1);
    double largest = 0.0, low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < rows; i++)
        if (fabs(values[i]) > largest) largest = fabs(values[i]);
    const double scale = largest > 0.0 ? largest : 1.0;
    band *bands = calloc(across, sizeof *bands);
    if (!bands) {
        lines[0].failed = true;
        return 1;
    }
    cover_all(bands, across, values, rows, scale);
    for (size_t i = 0; i < across; i++)
        if (bands[i].count) {
            low = fmin(low, bands[i].low);
            high = fmax(high, bands[i].high);
        }
    if (screen->unicode)
        put_braille(lines, bands, cells, low, high);
    else
        put_ascii(&lines[0], bands, cells, low, high);
    free(bands);
    return screen->unicode ? CLI_SKETCH_LINES : 1;
}
