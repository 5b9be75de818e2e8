/*
 * A backtest as something to read: one HTML file that needs nothing else, or Markdown for an issue or a wiki.
 *
 * The page holds its data as JSON, its style, its scripts and a policy that lets it load and send nothing. It
 * answers first whether a model is worth using, in sentences made from the numbers below them. The same
 * backtest gives the same bytes; what took how long is left out unless asked for.
 *
 * Names of columns, ids and whatever else comes from a file is shown as text only, whatever it says, with
 * control characters and such that turn the direction of text written as \xNN.
 */
#ifndef NORN_REPORT_H
#define NORN_REPORT_H

#include "norn/backtest.h"
#include "norn/base.h"
#include "norn/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the report comes from. Texts are borrowed; NULL: not said. */
typedef struct norn_report_options {
    size_t size;
    const char *title;     /* NULL: the source's name */
    const char *source;    /* the file, as it was named */
    const char *hash;      /* of its bytes: norn_report_hash_file */
    const char *command;   /* the command line that makes the same page again */
    const char *device;    /* where networks were trained, with its driver */
    const char *forecasts; /* the file that has every forecast, for what a page of a large backtest leaves out
                            */
    int with_times;        /* 1: how long fits and forecasts took; the page is then never the same twice */
} norn_report_options;

#define NORN_REPORT_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        .size = sizeof(norn_report_options)                                                                  \
    }

/* A text of *length bytes that ends in NUL; the caller's, for norn_report_free with the same host. Errors:
 * NORN_ERR_MEMORY. */
norn_status norn_report_html(char **out, size_t *length, const norn_table *table,
                             const norn_backtest *backtest, const norn_report_options *options,
                             const norn_host *host, norn_error *err);
norn_status norn_report_markdown(char **out, size_t *length, const norn_table *table,
                                 const norn_backtest *backtest, const norn_report_options *options,
                                 const norn_host *host, norn_error *err);
void norn_report_free(char *text, size_t length, const norn_host *host); /* NULL: nothing */

#define NORN_REPORT_HASH 65 /* bytes that hold a hash as text, with its end */

/* SHA-256 of a file's bytes as sha256sum prints it. Errors: NORN_ERR_INPUT. */
norn_status norn_report_hash_file(char out[NORN_REPORT_HASH], const char *path, norn_error *err);

#ifdef __cplusplus
}
#endif
#endif
