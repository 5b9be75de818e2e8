/*
 * What the files of this room share: a backtest with what a report makes of it before a word is written.
 *
 *   findings.c   order of the models, the forecast to beat, the answer and its sentences
 *   choose.c     which series a page of a large backtest carries
 *   figures.c    what is drawn and not among the metrics: calendar, errors, bands
 *   data.c       all of it as JSON
 *   page.c       page.html, style.css, script.js and dygraphs as one file
 *   markdown.c   the same for an issue
 *
 * Letters: M models, K folds, h horizon, S series that are in.
 */
#ifndef NORN_SRC_REPORT_H
#define NORN_SRC_REPORT_H

#include "norn/report.h"

#include "backtest/run.h"
#include "report/text.h"

#include <jansson.h>

enum { NORN_NO_MODEL = 255, NORN_SENTENCES = 8 };

/* Should I use it? */
typedef enum norn_answer {
    NORN_ANSWER_YES = 0,    /* a model beat the simple forecast, and not by chance */
    NORN_ANSWER_UNPROVEN,   /* it did, and that may be chance */
    NORN_ANSWER_UNTESTED,   /* it did, and nothing can be said of chance */
    NORN_ANSWER_NO,         /* none beat it */
    NORN_ANSWER_NO_BASELINE /* there is no simple forecast to beat */
} norn_answer;

/* Of two models by the metric that ranks: at how many steps, cutoffs and series the first is better. */
typedef struct norn_wins {
    size_t steps, cutoffs, series;          /* better */
    size_t of_steps, of_cutoffs, of_series; /* both have a value */
} norn_wins;

typedef struct norn_sentence {
    const char *topic; /* "gain", "horizon", ... */
    norn_text text;
} norn_sentence;

typedef struct norn_findings {
    norn_host host;
    const norn_table *table;
    const norn_backtest *backtest;
    norn_report_options options;
    size_t models, folds, horizon, series;
    norn_metric by;                     /* that models are ranked by: MAE of one series, MASE of several */
    size_t order[NORN_BACKTEST_MODELS]; /* best first */
    size_t best, beat, next; /* of the models; beat: the best of the simple forecasts, or NORN_NO_MODEL */
    double gain;             /* 1 - error of best / error of beat; NaN: none */
    double gain_low, gain_high;
    norn_metric skill;    /* the metric that has gain with its interval; NORN_METRICS: none */
    norn_comparison test; /* of best and beat */
    norn_wins wins;
    norn_answer answer;
    size_t worst_cutoff, worst_series; /* of the best model; SIZE_MAX: none. worst_series: of the table */
    norn_text headline;
    norn_sentence sentences[NORN_SENTENCES];
    size_t sentence_count;
} norn_findings;

/* ---- findings.c ---- */

norn_status norn_report_find(norn_findings *report, const norn_table *table, const norn_backtest *backtest,
                             const norn_report_options *options, const norn_host *host, norn_error *err);
void norn_report_end(norn_findings *report);

double norn_report_error(const norn_findings *report, size_t model, norn_scope scope, size_t index);
const char *norn_report_title(const norn_findings *report, norn_metric metric);
const char *norn_report_model(const norn_findings *report, size_t model, char out[NORN_NAME_ROOM]);
/* "SeasonalNaive" as "the seasonal naive forecast". */
const char *norn_report_spoken(const norn_findings *report, size_t model, char out[NORN_NAME_ROOM]);
bool norn_report_simple(const norn_findings *report, size_t model); /* Naive, SeasonalNaive, Naive2 */
/* "2014-07-01", or "cutoff 3 of 20" where it differs between series. */
const char *norn_report_cutoff(const norn_findings *report, size_t fold, char out[NORN_TIME_TEXT]);

/* Row of the table that row j of a fold is, by place i of the series; SIZE_MAX: none. j = SIZE_MAX: the
 * cutoff itself. */
size_t norn_report_row(const norn_findings *report, size_t i, size_t fold, size_t j);

/* ---- choose.c ---- */

typedef enum norn_standing { NORN_STANDING_ALL = 0, NORN_WORST, NORN_TYPICAL, NORN_BEST } norn_standing;

enum { NORN_CARRIED = 24 };
typedef struct norn_carried {
    size_t place[NORN_CARRIED]; /* among the series that are in */
    norn_standing standing[NORN_CARRIED];
    size_t count;
    size_t model[NORN_BACKTEST_MODELS], models; /* whose forecasts are carried */
    size_t first_fold;                          /* and those before are not */
} norn_carried;

/* Within the page's budget of numbers. Errors: NORN_ERR_MEMORY. */
norn_status norn_report_choose(norn_carried *out, const norn_findings *report, norn_error *err);
/* [S] places of the series by error of the best model, the smallest first, those without one last. NULL: no
 * memory; norn_delete(host, ., S, sizeof(size_t)). */
size_t *norn_report_ranked(const norn_findings *report);

/* ---- figures.c: each a JSON value, NULL where memory is exhausted ---- */

json_t *norn_report_calendar(const norn_findings *report);
json_t *norn_report_residuals(const norn_findings *report);
json_t *norn_report_coverage(const norn_findings *report);
/* What a band's rows held: the share of truths between its ends; NaN: none. */
double norn_report_held(const norn_findings *report, const norn_band *band, size_t *rows);

/* ---- data.c ---- */

/* Everything the page draws. */
json_t *norn_report_data(const norn_findings *report, norn_error *err);
json_t *norn_report_real(double value, int digits); /* so many digits; null where it is not finite */
json_t *norn_report_name(const char *name);         /* printable and cut */

/* ---- page.c ---- */

/* The text becomes the caller's own, of exactly *length + 1 bytes. Errors: NORN_ERR_MEMORY. */
norn_status norn_report_hand_over(char **out, size_t *length, norn_text *text, norn_error *err);

#endif
