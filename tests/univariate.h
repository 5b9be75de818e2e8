/*
 * What the tests of univariate models share: one fit and forecast, series that no model can be proud of,
 * noise that is the same everywhere, and the share of intervals that hold what they should.
 */
#ifndef NORN_TESTS_UNIVARIATE_H
#define NORN_TESTS_UNIVARIATE_H

#include "support.h"

#include "base/base.h"
#include "forecast/forecaster.h"

enum { MOST = 400 };

/* The last column of a data set, as it stands in the folder of the tests. */
static inline size_t dataset(const char *name, double *y)
{
    char path[1024], line[256];
    const char *folder = getenv("NORN_DATASETS");
    size_t n = 0;
    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "datasets", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file) && n < MOST) y[n++] = strtod(strrchr(line, ',') + 1, NULL);
    (void)fclose(file);
    return n;
}

static inline norn_fitted *must_fit(const norn_forecaster *kind, const double *y, size_t n, size_t m,
                                    size_t h)
{
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const norn_forecaster_setup setup = {.horizon = h, .season = m, .window = 24, .rows = n, .seed = 1};
    assert_ok(norn_fitted_new(&fitted, kind, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    return fitted;
}

/* out, lower and upper (at one level) [h]; lower and upper may be NULL. */
static inline void must_forecast(const norn_forecaster *kind, const double *y, size_t n, size_t m, size_t h,
                                 double *out, double level, double *lower, double *upper)
{
    norn_fitted *fitted = must_fit(kind, y, n, m, h);
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    if (lower) assert_true(norn_fitted_interval(fitted, (norn_view){y, n, 0}, &level, 1, lower, upper));
    norn_fitted_free(fitted);
}

/* The value of a line of an explanation, as a number; NaN: there is no such line. */
static inline double explained(const norn_fitted *fitted, const char *name)
{
    static norn_explained lines[256];
    norn_explanation told = {lines, NORN_COUNT(lines), 0};
    norn_fitted_explain(fitted, &told);
    for (size_t i = 0; i < told.count && i < told.most; i++)
        if (strcmp(lines[i].name, name) == 0) return strtod(lines[i].value, NULL);
    return NAN;
}

static inline void assert_all_near(const double *got, const double *want, size_t count, double relative,
                                   double absolute)
{
    for (size_t i = 0; i < count; i++)
        assert_near_at(got[i], want[i], relative, absolute, i, __FILE__, __LINE__);
}

/* Standard normal noise, one number a call. */
static inline double noise(uint64_t *state)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*state >> 11) / 9007199254740992.0;
    }
    return sum;
}

/*
 * Series that hold little or nothing. Of each the forecast must be finite, and of those that say what comes
 * next it must be that: a constant goes on, and zeros stay zeros.
 */
static inline void try_degenerate(const norn_forecaster *kind, size_t m, size_t h, bool follows_a_line)
{
    enum { MOST_ROWS = 120 };
    static const struct {
        const char *what;
        size_t n;
        int kind; /* 0 constant, 1 zeros, 2 line, 3 line with holes, 4 holes and one value, 5 steps, 6 tiny,
                     7 huge, 8 one outlier, 9 constant with holes, 10 infinite values */
    } cases[] = {{"one point", 1, 2},
                 {"two points", 2, 2},
                 {"three points", 3, 2},
                 {"five points", 5, 5},
                 {"constant", 100, 0},
                 {"two equal points", 2, 0},
                 {"zeros", 100, 1},
                 {"a line", 100, 2},
                 {"a line with holes", 100, 3},
                 {"one value", 100, 4},
                 {"steps", 100, 5},
                 {"tiny", 100, 6},
                 {"huge", 100, 7},
                 {"one outlier", 100, 8},
                 {"holes in a constant", 100, 9},
                 {"infinite values", 60, 10},
                 {"a season and a row", 13, 5},
                 {"two seasons", 24, 5}};
    double y[MOST_ROWS], out[64], lower[64], upper[64];
    assert_true(h <= 64);
    for (size_t c = 0; c < NORN_COUNT(cases); c++) {
        uint64_t state = 3;
        const size_t n = cases[c].n;
        for (size_t i = 0; i < n; i++) {
            const double t = (double)i, wave = 5.0 + (double)(i * 7 % 12) + noise(&state);
            const bool hole = i % 3 == 1 || (i > 40 && i < 60) || i + 1 == n;
            switch (cases[c].kind) {
            case 0:
                y[i] = 1234.5;
                break;
            case 1:
                y[i] = 0.0;
                break;
            case 2:
                y[i] = 10.0 + 3.0 * t;
                break;
            case 3:
                y[i] = hole ? NAN : 10.0 + 3.0 * t;
                break;
            case 4:
                y[i] = i == 31 ? 7.0 : NAN;
                break;
            case 5:
                y[i] = floor(wave / 4.0);
                break;
            case 6:
                y[i] = 1e-12 * wave;
                break;
            case 7:
                y[i] = 1e12 * wave;
                break;
            case 8:
                y[i] = i == 50 ? 1e9 : 0.0;
                break;
            case 9:
                y[i] = hole ? NAN : 1234.5;
                break;
            default:
                y[i] = i == 20 ? INFINITY : i == 21 ? -INFINITY : wave;
                break;
            }
        }
        norn_fitted *fitted = must_fit(kind, y, n, m, h);
        const norn_view view = {y, n, 0};
        const double level = 0.9;
        norn_fitted_forecast(fitted, view, out);
        const bool intervals = norn_fitted_interval(fitted, view, &level, 1, lower, upper);
        for (size_t j = 0; j < h; j++) {
            bool right = isfinite(out[j]);
            if (cases[c].kind == 0 || cases[c].kind == 9) right = fabs(out[j] - 1234.5) < 1e-6;
            if (cases[c].kind == 1) right = fabs(out[j]) < 1e-9;
            if (cases[c].kind == 4) right = fabs(out[j] - 7.0) < 1e-9;
            if (cases[c].kind == 2 && n > 30 && follows_a_line)
                right = fabs(out[j] - (10.0 + 3.0 * (double)(n + j))) < 0.5;
            /* the mean of a mixture may lie outside of all but its tails */
            const bool mixture = kind == &norn_model_hmm || kind == &norn_model_markov ||
                                 kind == &norn_model_croston || kind == &norn_model_croston_sba;
            if (intervals && !isnan(lower[j]))
                right =
                    right && lower[j] <= upper[j] && (mixture || (lower[j] <= out[j] && out[j] <= upper[j]));
            if (!right)
                print_error("%s, %s: step %zu is %g (%g to %g)\n", kind->name, cases[c].what, j, out[j],
                            lower[j], upper[j]);
            assert_true(right);
        }
        (void)explained(fitted, "");
        norn_fitted_free(fitted);
    }
    /* nothing at all */
    for (size_t i = 0; i < 30; i++) y[i] = NAN;
    norn_fitted *fitted = must_fit(kind, y, 30, m, h);
    norn_fitted_forecast(fitted, (norn_view){y, 30, 0}, out);
    for (size_t j = 0; j < h; j++) assert_true(isnan(out[j]));
    /* and a view after the fit that holds next to nothing */
    y[29] = 3.0;
    norn_fitted_forecast(fitted, (norn_view){y, 30, 0}, out);
    for (size_t j = 0; j < h; j++) assert_true(isfinite(out[j]));
    norn_fitted_free(fitted);
}

/* draw fills y [n + h] with a process; returns the share of rows n .. n + h - 1 between the bounds. */
static inline double coverage(const norn_forecaster *kind, void (*draw)(uint64_t *state, double *y, size_t n),
                              size_t n, size_t m, size_t h, double level, size_t times)
{
    uint64_t state = 11;
    size_t inside = 0;
    double *y = malloc((n + h) * sizeof *y), *out = malloc(3 * h * sizeof *out);
    assert_true(y && out);
    for (size_t i = 0; i < times; i++) {
        draw(&state, y, n + h);
        must_forecast(kind, y, n, m, h, out, level, out + h, out + 2 * h);
        for (size_t j = 0; j < h; j++) inside += y[n + j] >= out[h + j] && y[n + j] <= out[2 * h + j];
    }
    free(y);
    free(out);
    return (double)inside / (double)(times * h);
}

#endif
