/*
 * The proof that a backtest does not look ahead, on a file and with options of one's own; and what a look
 * ahead would have earned there.
 *
 * For every cutoff the future is replaced by poison: all targets and past covariates after it, and future
 * covariates after the last row that is forecast from it. The backtest is then made again. Of the forecasts
 * from that cutoff and from those before, and of what their metrics are scaled with, not one bit may change.
 * Two poisons are given, one after the other: 1e30, which no mean survives, and the missing value, which
 * fillings, masks and choices react to.
 *
 * What the reader of a file does stands before that and is not poisoned: it fills from earlier rows only
 * (norn/table.h), and takes season and step from times, not from values.
 */
#ifndef NORN_LEAK_H
#define NORN_LEAK_H

#include "norn/backtest.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum norn_poison {
    NORN_POISON_HUGE = 0, /* 1e30 */
    NORN_POISON_MISSING,
    NORN_POISONS
} norn_poison;

const char *norn_poison_name(norn_poison poison); /* "1e30", "missing" */

/* What one model did when the future of one cutoff was replaced. */
typedef struct norn_moved {
    uint64_t compared; /* numbers: forecasts, or scales */
    uint64_t moved;    /* of them, those that are not the same to the bit */
    uint64_t bits;     /* that differ */
    /* the first that moved: series of the table, fold, and step of the horizon from 0 */
    size_t series, fold, step;
} norn_moved;

typedef struct norn_leak norn_leak;

/*
 * Runs the backtest of the options, and once more for each cutoff and poison; of the cutoffs after it only
 * networks. "all" of options->models has the ensembles, too. Intervals are not made. The
 * table is changed in between and is as it was afterwards, also on failure. Errors: those of
 * norn_backtest_run. That something moved is no error: norn_leak_total says it.
 */
norn_status norn_leak_run(norn_leak **out, norn_context *context, norn_table *table,
                          const norn_backtest_options *options, const norn_host *host, norn_error *err);
void norn_leak_free(norn_leak *leak); /* NULL: nothing */

/* The backtest with nothing replaced. */
const norn_backtest *norn_leak_backtest(const norn_leak *leak);

/* The models of the backtest, and after them "scales", what metrics know of the rows up to a cutoff. */
size_t norn_leak_count(const norn_leak *leak);
const char *norn_leak_name(const norn_leak *leak, size_t model);

/* Numbers that were replaced for a cutoff, missing ones left out; and rows of series that they stood in. */
uint64_t norn_leak_poisoned(const norn_leak *leak, size_t fold);
uint64_t norn_leak_rows(const norn_leak *leak, size_t fold);

norn_moved norn_leak_moved(const norn_leak *leak, size_t model, size_t fold, norn_poison poison);
/* Over all cutoffs and poisons, of one model; of all with model = norn_leak_count. */
norn_moved norn_leak_total(const norn_leak *leak, size_t model);

/*
 * What a look ahead would have earned: the backtest as it is, and with every target replaced, before any
 * model sees it, by the mean of the value before, itself and the one after. That is a common way to clean a
 * series, and it tells the last row that a model sees of the next. Both are scored by the values of the
 * file, so that all that differs is what the models saw; the gain is not there when the future is not.
 * On a random walk the naive forecast made so knows the direction of the next row three times out of four.
 * The table is as it was afterwards. Errors: those of norn_backtest_run.
 */
norn_status norn_leak_teach(norn_backtest **honest, norn_backtest **ahead, norn_context *context,
                            norn_table *table, const norn_backtest_options *options, const norn_host *host,
                            norn_error *err);

#ifdef __cplusplus
}
#endif
#endif
