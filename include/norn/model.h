/*
 * Trained models: train once, keep the networks in a file, forecast new rows without training.
 *
 *     norn_model *model = NULL;
 *     status = norn_model_train(&model, NULL, context, table, &options, host, &err);
 *     status = norn_model_write(model, "sales.safetensors", &err);
 *     ...
 *     status = norn_model_read(&model, "sales.safetensors", host, &err);
 *     status = norn_model_forecast(&forecast, context, model, later_table, host, &err);
 *
 * A model holds the networks, what they see of which columns, the scaling of each series, and how it was
 * trained. The device is no part of it. docs/model-file.md is the file.
 *
 * What a table to forecast has to do with the one it was trained on
 *   - The step is the same, else it is refused. Every series has at least the window's rows.
 *   - A series with a known id keeps the scaling it was trained with. The scaling of another one is fitted on
 * the rows it has, which must be as many as a window and a horizon; a decision says so.
 *   - Columns are found by name within their role. One that the network sees and the table lacks is an error;
 *     one that it does not know has no effect, and a decision says so. Of texts as inputs (column=text), one
 *     that does not occur is 0, and one that the network does not know has no effect.
 *   - With future covariates the rows of the horizon must be there.
 */
#ifndef NORN_MODEL_H
#define NORN_MODEL_H

#include "norn/forecast.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct norn_model norn_model;

/*
 * Trains as norn_forecast_run does; the networks that print become the model, those that diverged left out.
 * forecast, unless NULL, gets what norn_forecast_run gives: the scores, the decisions, and the forecast that
 * the model makes of the same table to the bit. Errors: those of norn_forecast_run.
 */
norn_status norn_model_train(norn_model **out, norn_forecast **forecast, norn_context *context,
                             norn_table *table, const norn_forecast_options *options, const norn_host *host,
                             norn_error *err);

/*
 * The rows after the last of every series of the table that goes on. There are no scores. The model is
 * borrowed for the call alone. Errors: NORN_ERR_USAGE (what a table must have, above), NORN_ERR_CANCELLED,
 * NORN_ERR_OPENCL, NORN_ERR_BUILD, NORN_ERR_MEMORY.
 */
norn_status norn_model_forecast(norn_forecast **out, norn_context *context, const norn_model *model,
                                norn_table *table, const norn_host *host, norn_error *err);

/* Whole or not at all; the same model gives the same bytes. NORN_ERR_OUTPUT. */
norn_status norn_model_write(const norn_model *model, const char *path, norn_error *err);

/* NORN_ERR_INPUT; NORN_ERR_DATA for a file that is no model, is damaged, or is of a later format. */
norn_status norn_model_read(norn_model **out, const char *path, const norn_host *host, norn_error *err);

void norn_model_free(norn_model *model); /* NULL: nothing */

/* ---- what is in it ---------------------------------------------------------------------------------------
 * Texts and numbers are borrowed. */

typedef struct norn_model_facts {
    size_t size;
    const char *library; /* version that wrote it */
    const char *cell;    /* "lstm" */
    size_t inputs, hidden, layers, window, horizon;
    size_t members, series, columns;
    size_t parameters; /* of one member */
    norn_step step;
    size_t season;             /* rows; 1: none */
    double correction, change; /* how season bases are damped; 1 and 0: not at all */
    uint64_t seed;
    size_t batch;
    double dropout, learning_rate;
    const char *loss, *optimiser;
    const char *tuning; /* hash of the tuning that it was trained with (norn/tune.h); "": none */
} norn_model_facts;

norn_model_facts norn_model_facts_of(const norn_model *model);

/* Of the file it was trained on: name and role. */
const char *norn_model_column_name(const norn_model *model, size_t column);
norn_column_role norn_model_column_role(const norn_model *model, size_t column);

/* What the network sees: `column` of those above; mask 1: where its value is missing, instead of it; advance:
 * rows that it is seen ahead. Input 0 is the series itself. */
typedef struct norn_model_sees {
    size_t column;
    int mask;
    size_t advance;
} norn_model_sees;
norn_model_sees norn_model_input_of(const norn_model *model, size_t input);

/* Numbers of a layer of a member, from 0; layer `layers`: the head. */
size_t norn_model_layer_parameters(const norn_model *model, size_t layer);

const char *norn_model_id(const norn_model *model, size_t series);

/* How a member sees a series: the logarithm or not, the base of the forecast (0: the last value, else the
 * value so many rows before), and what differences are divided by. */
typedef struct norn_model_series {
    int log;
    size_t season;
    double scale;
} norn_model_series;
norn_model_series norn_model_series_of(const norn_model *model, size_t member, size_t series);

const norn_training *norn_model_training(const norn_model *model, size_t member);

/* [parameters] of a member: for each layer w_ih [4H][I], w_hh [4H][H], bias [4H], then the head [h][H] and
 * its bias [h]; gates i, f, g, o. */
const float *norn_model_parameters(const norn_model *model, size_t member);

#ifdef __cplusplus
}
#endif
#endif
