/*
 * How cost grows: the training step over T, B, H, L, members and threads, with the exponent of a fitted power
 * of each, as a table and a chart.
 *
 * One size changes at a time, by factors of two; every point is the best of the rounds, since noise only ever
 * adds. The exponent is the slope of the least-squares line through the points in log-log, over all of them
 * and over the larger half, where fixed costs no longer count. Operations grow with 1 in T, B, L and members,
 * and with up to 2 in H; steps of a machine's caches and vectors show as what is left. Threads are the
 * driver's: a process each.
 */
#include "bench_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 12 };

typedef struct sweep {
    const char *letter, *what;
    size_t first, last;
    bench_shape base;
    double expected; /* the exponent of the operations; threads: of time */
    size_t count;
    double x[MOST_POINTS], ms[MOST_POINTS];
    double all, upper, factor; /* fitted: ms = factor * x^all */
} sweep;

static size_t *size_in(bench_shape *s, char letter)
{
    switch (letter) {
    case 'T':
        return &s->window;
    case 'B':
        return &s->batch;
    case 'H':
        return &s->hidden;
    case 'L':
        return &s->layers;
    default:
        return &s->members;
    }
}

/* The slope of log ms over log x, points from first on. */
static double slope(const sweep *s, size_t first, double *factor)
{
    double n = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
    for (size_t i = first; i < s->count; i++) {
        const double x = log(s->x[i]), y = log(s->ms[i]);
        n += 1.0;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    const double k = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    if (factor) *factor = exp((sy - k * sx) / n);
    return k;
}

static double best_ms(norn_context *context, const bench_shape *shape, size_t rounds)
{
    bench_network n = bench_prepare(context, shape, NORN_PATH_AUTO, 0.05);
    double best = INFINITY;
    (void)bench_train_ms(&n);
    for (size_t r = 0; r < rounds; r++) best = fmin(best, bench_train_ms(&n));
    bench_check_work(&n);
    bench_release(&n);
    return best;
}

/* With the driver's threads as the caller's environment says. */
void bench_sweep_threads(bench *b, const char *words)
{
    static const bench_shape shape = {64, 48, 7, 64, 2, 1, NULL};
    (void)words;
    (void)printf("%.9g\n", best_ms(b->context, &shape, b->rounds));
}

static double threads_ms(const bench *b, size_t threads)
{
    char line[512];
    double ms = NAN;
    if (snprintf(line, sizeof line, "POCL_MAX_PTHREAD_COUNT=%zu '%s' sweep-threads %zu ''", threads,
                 b->program, b->rounds) >= (int)sizeof line)
        return NAN;
    FILE *end = popen(line, "r");
    if (!end) return NAN;
    if (fscanf(end, "%lf", &ms) != 1) ms = NAN;
    (void)pclose(end);
    return ms;
}

static void measure(const bench *b, sweep *s)
{
    for (size_t x = s->first; x <= s->last && s->count < MOST_POINTS; x *= 2) {
        bench_shape shape = s->base;
        if (*s->letter != 't') *size_in(&shape, *s->letter) = x;
        const double ms = *s->letter == 't' ? threads_ms(b, x) : best_ms(b->context, &shape, b->rounds);
        if (!isfinite(ms)) continue;
        s->x[s->count] = (double)x;
        s->ms[s->count++] = ms;
    }
    s->all = s->count > 1 ? slope(s, 0, &s->factor) : NAN;
    s->upper = s->count > 3 ? slope(s, s->count / 2, NULL) : s->all;
}

static void print_table(const sweep *s)
{
    char base[64];
    bench_name(&s->base, base, sizeof base);
    (void)printf("%-10s %-16s %6g %6.2f %6.2f  ", s->what, base, s->expected, s->all, s->upper);
    for (size_t i = 0; i < s->count; i++) (void)printf(" %g: %.3g", s->x[i], s->ms[i]);
    (void)printf("\n");
    (void)fflush(stdout);
}

/* ---- the chart ---- */

enum { PANEL_W = 250, PANEL_H = 190, ACROSS = 3, LEFT = 44, TOP = 30, RIGHT = 12, BOTTOM = 34 };

static void draw_panel(FILE *out, const sweep *s, size_t place)
{
    const double x0 = (double)(place % ACROSS * PANEL_W + LEFT),
                 y0 = (double)(place / ACROSS * PANEL_H + TOP), w = PANEL_W - LEFT - RIGHT,
                 h = PANEL_H - TOP - BOTTOM;
    double low = INFINITY, high = 0.0;
    for (size_t i = 0; i < s->count; i++) {
        low = fmin(low, s->ms[i]);
        high = fmax(high, s->ms[i]);
    }
    const double from = floor(log10(low)), to = fmax(from + 1.0, ceil(log10(high)));
    const double lx = log(s->x[0]), rx = log(s->x[s->count - 1]), wide = rx > lx ? rx - lx : 1.0;
#define X_AT(x)  (x0 + w * (log(x) - lx) / wide)
#define Y_AT(ms) (y0 + h - h * (log10(ms) - from) / (to - from))
    (void)fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" font-weight=\"bold\">%s</text>\n", x0, y0 - 12.0,
                  s->what);
    (void)fprintf(out,
                  "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">exponent %.2f, upper half %.2f</text>\n",
                  x0 + w, y0 - 12.0, s->all, s->upper);
    for (double decade = from; decade <= to; decade += 1.0) {
        const double y = Y_AT(pow(10.0, decade));
        (void)fprintf(out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>\n", x0, y, w);
        (void)fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g ms</text>\n", x0 - 4.0,
                      y + 3.0, pow(10.0, decade));
    }
    for (size_t i = 0; i < s->count; i++)
        if (i % 2 == 0 || s->count < 6)
            (void)fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n",
                          X_AT(s->x[i]), y0 + h + 14.0, s->x[i]);
    (void)fprintf(out, "<path class=\"fit\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", X_AT(s->x[0]),
                  Y_AT(s->factor * pow(s->x[0], s->all)), X_AT(s->x[s->count - 1]),
                  Y_AT(s->factor * pow(s->x[s->count - 1], s->all)));
    for (size_t i = 0; i < s->count; i++)
        (void)fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", X_AT(s->x[i]), Y_AT(s->ms[i]));
#undef X_AT
#undef Y_AT
}

static void draw(const char *path, const sweep *sweeps, size_t count)
{
    const size_t down = (count + ACROSS - 1) / ACROSS;
    FILE *out = fopen(path, "w");
    if (!out) bench_refuse("%s: cannot be written", path);
    (void)fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-10 0 %d %zu\" font-family=\"sans-serif\" "
        "font-size=\"9\">\n<style>.grid{stroke:#ccc;stroke-width:.5}.fit{stroke:#888;stroke-dasharray:4 "
        "3}circle{fill:#1565c0}</style>\n<rect x=\"-10\" width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        ACROSS * PANEL_W + 10, down * PANEL_H);
    for (size_t i = 0; i < count; i++)
        if (sweeps[i].count > 1) draw_panel(out, &sweeps[i], i);
    (void)fprintf(out, "</svg>\n");
    if (fclose(out) != 0) bench_refuse("%s: not written to its end", path);
}

void bench_sweep(bench *b, const char *words)
{
    const size_t threads = b->context->info.type == NORN_DEVICE_CPU ? b->context->info.compute_units : 0;
    sweep sweeps[] = {{.letter = "T",
                       .what = "T",
                       .first = 6,
                       .last = 384,
                       .base = {64, 48, 7, 64, 2, 1, NULL},
                       .expected = 1},
                      {.letter = "B",
                       .what = "B",
                       .first = 8,
                       .last = 512,
                       .base = {64, 48, 7, 64, 2, 1, NULL},
                       .expected = 1},
                      {.letter = "H",
                       .what = "H",
                       .first = 16,
                       .last = 512,
                       .base = {64, 48, 7, 64, 2, 1, NULL},
                       .expected = 2},
                      {.letter = "L",
                       .what = "L",
                       .first = 1,
                       .last = 8,
                       .base = {64, 48, 7, 64, 2, 1, NULL},
                       .expected = 1},
                      {.letter = "M",
                       .what = "members",
                       .first = 1,
                       .last = 64,
                       .base = {32, 24, 1, 32, 1, 1, NULL},
                       .expected = 1},
                      {.letter = "t",
                       .what = "threads",
                       .first = 1,
                       .last = threads,
                       .base = {64, 48, 7, 64, 2, 1, NULL},
                       .expected = -1}};
    (void)printf(
        "\nHow a training step grows: ms at each size, the others as the base has them; best of %zu rounds\n"
        "%-10s %-16s %6s %6s %6s   size: ms\n",
        b->rounds, "over", "base (B,T,F,H,L)", "of ops", "fitted", "upper");
    for (size_t i = 0; i < NORN_COUNT(sweeps); i++) {
        measure(b, &sweeps[i]);
        print_table(&sweeps[i]);
    }
    if (*words) draw(words, sweeps, NORN_COUNT(sweeps));
}
