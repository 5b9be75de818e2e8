/* The season taken off and laid on again: see decompose.h. */
#include "forecast/decompose.h"

#include "forecast/stl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct norn_decomposer {
    norn_host host;
    norn_decompose kind;
    size_t periods[NORN_MOST_SEASONS], known; /* that the kind takes off where there are rows enough */
    size_t rows, work_count;
    size_t n, first, count; /* of the last view, and how many seasons it has */
    double *seen;           /* [rows] the last view as it was */
    double *adjusted;       /* [rows] */
    double *trend;          /* [rows] */
    double *seasons;        /* [known][rows], of which [count][n] are used */
    double *work;
};

static const struct {
    const char *name;
    const char *meaning;
} kinds[] = {[NORN_DECOMPOSE_NONE] = {"", ""},
             [NORN_DECOMPOSE_STL] = {"STL", "the season taken off, by robust local regression"},
             [NORN_DECOMPOSE_MSTL] = {"MSTL", "the seasons taken off, by robust local regression"}};

const char *norn_decompose_name(norn_decompose kind)
{
    return kinds[kind].name;
}

norn_status norn_decompose_check(norn_decompose kind, const size_t given[NORN_MOST_SEASONS], norn_error *err)
{
    if (!given[0]) return NORN_OK;
    if (kind != NORN_DECOMPOSE_MSTL)
        return norn_fail(err, NORN_ERR_USAGE, "--seasons: only MSTL takes off several (--decompose mstl)");
    for (size_t i = 0; i < NORN_MOST_SEASONS && given[i]; i++) {
        if (given[i] < 2)
            return norn_fail(err, NORN_ERR_USAGE, "--seasons: a season has at least 2 rows, not %zu",
                             given[i]);
        if (i && given[i] <= given[i - 1])
            return norn_fail(err, NORN_ERR_USAGE, "--seasons: %zu stands behind %zu, the shorter come first",
                             given[i], given[i - 1]);
    }
    return NORN_OK;
}

size_t norn_decompose_seasons(norn_decompose kind, size_t season, const size_t *given,
                              size_t periods[NORN_MOST_SEASONS])
{
    /* rows of a season, and what stands above it: hour, day, week, year */
    static const size_t above[][2] = {{7, 365},  {24, 168},   {48, 336},   {60, 1440},
                                      {96, 672}, {144, 1008}, {288, 2016}, {1440, 10080}};
    size_t count = 0;
    if (kind == NORN_DECOMPOSE_MSTL && given && given[0]) {
        for (; count < NORN_MOST_SEASONS && given[count]; count++) periods[count] = given[count];
        return count;
    }
    if (season < 2 || kind == NORN_DECOMPOSE_NONE) return 0;
    periods[count++] = season;
    for (size_t i = 0; kind == NORN_DECOMPOSE_MSTL && i < NORN_COUNT(above); i++)
        if (above[i][0] == periods[count - 1] && count < NORN_MOST_SEASONS) periods[count++] = above[i][1];
    return count;
}

norn_status norn_decomposer_new(norn_decomposer **out, norn_decompose kind, size_t season,
                                const size_t *given, size_t rows, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_decomposer *d = norn_new(&services, 1, sizeof *d);
    if (!d) return norn_fail_memory(err, "a decomposition");
    d->host = services;
    d->kind = kind;
    d->rows = rows;
    d->known = norn_decompose_seasons(kind, season, given, d->periods);
    while (d->known && d->periods[d->known - 1] > rows / 2) d->known--;
    d->work_count = d->known ? norn_mstl_work(rows, d->periods[d->known - 1]) : 1;
    d->seen = norn_new(&services, rows, sizeof *d->seen);
    d->adjusted = norn_new(&services, rows, sizeof *d->adjusted);
    d->trend = norn_new(&services, rows, sizeof *d->trend);
    d->seasons = norn_new(&services, (d->known ? d->known : 1) * rows, sizeof *d->seasons);
    d->work = norn_new(&services, d->work_count, sizeof *d->work);
    if (!d->seen || !d->adjusted || !d->trend || !d->seasons || !d->work) {
        norn_decomposer_free(d);
        return norn_fail_memory(err, "a decomposition");
    }
    *out = d;
    return NORN_OK;
}

norn_view norn_decomposer_adjust(norn_decomposer *d, norn_view view)
{
    const norn_view out = {d->adjusted, view.n, view.first};
    if (d->n == view.n && d->first == view.first && memcmp(d->seen, view.y, view.n * sizeof *d->seen) == 0)
        return out;
    d->n = view.n;
    d->first = view.first;
    d->count = d->known;
    while (d->count && d->periods[d->count - 1] > view.n / 2) d->count--;
    memcpy(d->seen, view.y, view.n * sizeof *d->seen);
    memcpy(d->adjusted, view.y, view.n * sizeof *d->adjusted);
    if (d->count == 0) return out;
    norn_mstl(d->periods, d->count, true, view.y, view.n, d->seasons, d->trend, d->work);
    for (size_t k = 0; k < d->count; k++)
        for (size_t i = 0; i < view.n; i++) d->adjusted[i] -= d->seasons[k * view.n + i];
    return out;
}

void norn_decomposer_restore(const norn_decomposer *d, double *values, size_t count, size_t h)
{
    for (size_t k = 0; k < d->count; k++) {
        const size_t m = d->periods[k];
        const double *const last = d->seasons + (k + 1) * d->n - m;
        for (size_t c = 0; c < count; c++)
            for (size_t j = 0; j < h; j++) values[c * h + j] += last[j % m];
    }
}

/* The variance of the remainder, with `part` added where that is not NULL. */
static double variance(const norn_decomposer *d, const double *part)
{
    double mean = 0.0, squares = 0.0, rows = 0.0;
    for (size_t i = 0; i < d->n; i++) {
        const double x = d->adjusted[i] - d->trend[i] + (part ? part[i] : 0.0);
        if (!isfinite(x)) continue;
        rows += 1.0;
        const double off = x - mean;
        mean += off / rows;
        squares += off * (x - mean); /* Welford (1962) */
    }
    return rows > 0.0 ? squares / rows : 0.0;
}

/* 1 - var(rest) / var(part + rest), at least 0 (Wang, Smith and Hyndman 2006). */
static double strength(const norn_decomposer *d, const double *part)
{
    const double both = variance(d, part);
    return both > 0.0 ? fmax(0.0, 1.0 - variance(d, NULL) / both) : 0.0;
}

void norn_decomposer_explain(const norn_decomposer *d, norn_explanation *out)
{
    char name[40];
    norn_explain(out, "decomposition", kinds[d->kind].meaning, "%s", d->count ? kinds[d->kind].name : "none");
    for (size_t k = 0; k < d->count; k++) {
        (void)snprintf(name, sizeof name, "season of %zu", d->periods[k]);
        norn_explain(out, name, "its strength: the share of what is left without trend that it explains",
                     "%.3f", strength(d, d->seasons + k * d->n));
    }
    if (d->count)
        norn_explain(out, "trend", "its strength: the same without seasons", "%.3f", strength(d, d->trend));
}

void norn_decomposer_free(norn_decomposer *d)
{
    if (!d) return;
    const norn_host host = d->host;
    norn_delete(&host, d->seen, d->rows, sizeof *d->seen);
    norn_delete(&host, d->adjusted, d->rows, sizeof *d->adjusted);
    norn_delete(&host, d->trend, d->rows, sizeof *d->trend);
    norn_delete(&host, d->seasons, (d->known ? d->known : 1) * d->rows, sizeof *d->seasons);
    norn_delete(&host, d->work, d->work_count, sizeof *d->work);
    norn_delete(&host, d, 1, sizeof *d);
}
