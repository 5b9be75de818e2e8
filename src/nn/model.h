/*
 * A trained model: what is needed to forecast new rows of the same series, or other series, without training,
 * and what a person wants to know about it. docs/model-file.md is its file.
 *
 * The device is no part of it: parameters are plain, in PyTorch's order, and what was trained on one device
 * forecasts on any other. Everything is filled by whoever trained; arrays are allocated by norn_model_new.
 */
#ifndef NORN_SRC_NN_MODEL_H
#define NORN_SRC_NN_MODEL_H

#include "base/file.h"
#include "nn/network.h"
#include "norn/model.h"
#include "norn/table.h"

enum {
    NORN_MODEL_FORMAT = 2,       /* the latest that this library reads and writes: any cell, by its formula */
    NORN_MODEL_LSTM = 1,         /* of models of the LSTM: what the first version reads */
    NORN_MODEL_TEXT = 512 << 10, /* bytes of the description, at most: jansson makes up to 75 of each */
};

typedef struct norn_model_column {
    char *name;
    norn_column_role role; /* TIME, ID, TARGET, PAST, FUTURE or STATIC */
} norn_model_column;

/* What the network sees as one of its inputs. The first is the series itself. */
typedef struct norn_model_input {
    size_t column;  /* of `column`, from 0 */
    bool mask;      /* 1 where the column's value is missing, in its stead */
    size_t advance; /* rows that it is seen ahead, at most the horizon */
} norn_model_input;

/* How a member sees a series' target: log y or y, the base of the forecast, what differences are divided by.
 */
typedef struct norn_model_scaling {
    bool log;
    size_t season; /* base: 0 the last value, else the value this many rows before */
    double scale;  /* 0: there is nothing to correct */
} norn_model_scaling;

/* How a member sees another input of a series: (value - first - shift) * factor. */
typedef struct norn_model_covariate {
    double first;        /* of the column it was trained on, see norn_track */
    float shift, factor; /* as norn_network_scale takes them */
} norn_model_covariate;

typedef struct norn_model_member {
    uint64_t identity;
    norn_training training;
} norn_model_member;

/* How parameters are named and stacked in the file: as one of PyTorch's modules, or as declared. */
typedef enum norn_model_layout {
    NORN_LAYOUT_FORMULA = 0,
    NORN_LAYOUT_LSTM,
    NORN_LAYOUT_GRU,
    NORN_LAYOUT_RNN,
    NORN_LAYOUTS
} norn_model_layout;

typedef struct norn_model {
    norn_host host;
    char library[16]; /* the version that wrote it */

    norn_cell *cell;                                /* its own copy; NULL: the LSTM */
    norn_model_layout layout;                       /* in the file */
    size_t inputs, hidden, layers, window, horizon; /* F, H, L, T, O */
    size_t members, series, columns;                /* M, S; columns of the file it was trained on */
    norn_model_column *column;                      /* [columns] */
    norn_model_input *input;                        /* [F] */
    norn_step step;
    size_t season;             /* rows; 1: none */
    double correction, change; /* what the network's correction, and the last yearly change, count for where
                                  the base is a season; 1 and 0 in full */

    uint64_t seed;
    size_t batch;
    double dropout, rate;
    char loss[16], optimiser[16]; /* by name */
    char tuning[16];              /* hash of the tuning that it was trained with; "": none */

    norn_model_member *member;       /* [M] */
    float *parameters;               /* [M][norn_network_plain_size] */
    char **ids;                      /* [S] no two the same */
    norn_model_scaling *scaling;     /* [M][S] */
    norn_model_covariate *covariate; /* [M][S][F-1]; NULL when F is 1 */
    size_t *by_id;                   /* [S] order of the ids, by norn_model_sort */
} norn_model;

/* Everything zero but the sizes, of LSTMs. NORN_ERR_USAGE for sizes out of bounds. host NULL: malloc. */
norn_status norn_model_new(norn_model **out, size_t inputs, size_t hidden, size_t layers, size_t window,
                           size_t horizon, size_t members, size_t series, size_t columns,
                           const norn_host *host, norn_error *err);
/* The same of any cell, which is copied; bytes of its text that JSON cannot hold (in comments) become "?". */
norn_status norn_model_new_of(norn_model **out, const norn_cell *cell, size_t inputs, size_t hidden,
                              size_t layers, size_t window, size_t horizon, size_t members, size_t series,
                              size_t columns, const norn_host *host, norn_error *err);
void norn_model_free(norn_model *model); /* NULL: nothing */

/* Texts are copied. */
norn_status norn_model_set_id(norn_model *model, size_t series, const char *id, norn_error *err);
norn_status norn_model_set_column(norn_model *model, size_t column, const char *name, norn_column_role role,
                                  norn_error *err);
/* Once all ids are set: NORN_ERR_INTERNAL when two are the same or one is missing. */
norn_status norn_model_sort(norn_model *model, norn_error *err);
size_t norn_model_find(const norn_model *model, const char *id); /* after sorting; SIZE_MAX: unknown */

/* Numbers of one member without padding: see norn_network_plain_size. */
size_t norn_model_plain_size(const norn_model *model);
/* Copies a member's parameters from the network, and into one of the same shape. */
norn_status norn_model_take(norn_model *model, size_t member, norn_network *network, size_t from,
                            norn_error *err);
norn_status norn_model_give(const norn_model *model, size_t member, norn_network *network, size_t to,
                            norn_error *err);

/* ---- model_file.c ---- */

/* Errors: those of norn_safetensors_write; NORN_ERR_OUTPUT for a description beyond NORN_MODEL_TEXT. */
norn_status norn_model_save(const norn_model *model, const char *path, const norn_file_system *system,
                            norn_error *err);
/* Sorted. Errors: those of norn_safetensors_open; NORN_ERR_DATA for a file that is no model of ours, is
 * damaged, or is of a later format. */
norn_status norn_model_load(norn_model **out, const char *path, const norn_host *host, norn_error *err);
norn_status norn_model_load_bytes(norn_model **out, const void *bytes, size_t size, const char *name,
                                  const norn_host *host, norn_error *err);

#endif
