/*
 * What a page carries of a large backtest. It always has every model's figures; forecasts row by row it has
 * of all series where these are few, and otherwise of those with the largest, the middle and the smallest
 * errors of the best model: a person looks at the failures, at what is usual and at what went well. Where
 * even these are too many numbers there are fewer of each kind, then fewer models, then only the latest
 * cutoffs.
 */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of forecasts, bands and rows of history together: about 7 bytes each, 1.4 MB of a page of at most 3. */
enum { NUMBERS = 200000, EACH = NORN_CARRIED / 3, FEWEST_MODELS = 3 };

typedef struct ranked {
    double error;
    size_t place;
} ranked;

static int by_error(const void *a, const void *b)
{
    const ranked *const x = a, *const y = b;
    const bool has_x = isfinite(x->error), has_y = isfinite(y->error);
    if (has_x != has_y) return has_x ? -1 : 1;
    if (has_x && x->error != y->error) return x->error < y->error ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

size_t *norn_report_ranked(const norn_findings *r)
{
    ranked *const list = norn_new(&r->host, r->series, sizeof *list);
    size_t *out = norn_new(&r->host, r->series, sizeof *out);
    for (size_t i = 0; list && out && i < r->series; i++)
        list[i] = (ranked){norn_report_error(r, r->best, NORN_SCOPE_SERIES, r->backtest->folds.series[i]), i};
    if (list && out) {
        qsort(list, r->series, sizeof *list, by_error);
        for (size_t i = 0; i < r->series; i++) out[i] = list[i].place;
    } else {
        norn_delete(&r->host, out, r->series, sizeof *out);
        out = NULL;
    }
    norn_delete(&r->host, list, r->series, sizeof *list);
    return out;
}

/* Numbers a series takes. */
static double numbers_of(const norn_findings *r, size_t models, size_t folds)
{
    const norn_saved *const saved = r->backtest->saved;
    const size_t bands = saved ? 2 * saved->band_count : 0;
    return (double)folds * (double)r->horizon * (double)(models + bands + 1) + 100.0;
}

static void add(norn_carried *out, size_t place, norn_standing standing)
{
    for (size_t i = 0; i < out->count; i++)
        if (out->place[i] == place) return;
    out->place[out->count] = place;
    out->standing[out->count++] = standing;
}

norn_status norn_report_choose(norn_carried *out, const norn_findings *r, norn_error *err)
{
    size_t *const order = norn_report_ranked(r);
    if (!order) return norn_fail_memory(err, "the series of a report");
    memset(out, 0, sizeof *out);
    size_t each = EACH, folds = r->folds, last = r->series;
    const size_t all = r->series <= NORN_CARRIED / 2 ? r->series : 0;
    out->models = r->models;
    while (all == 0 && each > 2 && 3.0 * (double)each * numbers_of(r, out->models, folds) > NUMBERS) each--;
    const double wanted = all ? (double)all : 3.0 * (double)each;
    while (out->models > FEWEST_MODELS && wanted * numbers_of(r, out->models, folds) > NUMBERS) out->models--;
    while (folds > 1 && wanted * numbers_of(r, out->models, folds) > NUMBERS) folds--;
    out->first_fold = r->folds - folds;

    for (size_t i = 0; i < out->models; i++) out->model[i] = r->order[i];
    bool has_beat = r->beat == NORN_NO_MODEL;
    for (size_t i = 0; i < out->models; i++) has_beat |= out->model[i] == r->beat;
    if (!has_beat) out->model[out->models - 1] = r->beat;

    while (last > 0 && !isfinite(norn_report_error(r, r->best, NORN_SCOPE_SERIES,
                                                   r->backtest->folds.series[order[last - 1]])))
        last--; /* what could not be scored is neither good nor bad */
    if (all) {
        for (size_t i = 0; i < all; i++) add(out, i, NORN_STANDING_ALL);
    } else {
        for (size_t i = 0; i < each && i < last; i++) add(out, order[last - 1 - i], NORN_WORST);
        for (size_t i = 0; i < each && i < last; i++) {
            const size_t at = last / 2 + i;
            if (at >= each / 2 && at - each / 2 < last) add(out, order[at - each / 2], NORN_TYPICAL);
        }
        for (size_t i = 0; i < each && i < last; i++) add(out, order[i], NORN_BEST);
        if (!out->count) add(out, 0, NORN_STANDING_ALL);
    }
    norn_delete(&r->host, order, r->series, sizeof *order);
    return NORN_OK;
}
