/*
 * Tuning: how kernels are laid out on a device, found by measuring it.
 *
 *     norn_tuning *tuning = NULL;
 *     status = norn_tuning_read(&tuning, "my_device.tuning", host, &err);
 *     status = norn_context_tune(context, tuning, &err);      before its first network is made
 *     norn_tuning_free(tuning);
 *
 * A tuning is of one device and driver, and holds rules: for cells with so many gates and layers of up to so
 * many units, the mapping of the kernels and the path of a step; and parameters of CLBlast's product. What no
 * rule covers is laid out as without a tuning. Rules depend on nothing else (no batch, no number of members,
 * no clock), so that one tuning always gives the same bits; another one may give others, in the last digits.
 * That is why a tuning has a hash, which model files and reports carry.
 *
 * norn tune makes them; docs/norn-tune.1.scd has the file.
 */
#ifndef NORN_TUNE_H
#define NORN_TUNE_H

#include "norn/context.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NORN_TUNING_HASH = 13, NORN_TUNING_NAME = 64, NORN_TUNING_PARAMETERS = 16 };

/* How the kernels of a network are laid out. */
typedef struct norn_mapping {
    unsigned local_size;   /* work-items a group: a power of two up to 256 */
    unsigned vector_width; /* floats in a vector: 1, 4, 8 or 16 */
    unsigned rows;         /* batch rows a group: 1 to 8 */
    int stage;             /* 1: a product and a kernel a step, 0: one launch through all times */
} norn_mapping;

typedef struct norn_tuning_rule {
    unsigned gates; /* sums of products a unit of the cell has: LSTM and GRU 4, Elman 1 */
    size_t hidden;  /* of layers of up to so many units, more than the rule before it of as many gates */
    norn_mapping mapping;
} norn_tuning_rule;

/* An empty one for this device, to add rules to. NORN_ERR_MEMORY. */
norn_status norn_tuning_new(norn_tuning **out, const norn_device_info *device, const norn_host *host,
                            norn_error *err);
void norn_tuning_free(norn_tuning *tuning); /* NULL: nothing */

/* In any order; one of the same gates and units is replaced. NORN_ERR_USAGE: no such mapping, or more rules
 * than there is room for (64). */
norn_status norn_tuning_add(norn_tuning *tuning, const norn_tuning_rule *rule, norn_error *err);

/* Parameters of CLBlast's Xgemm kernel, values in the order of norn_tuning_parameter_name; values NULL: those
 * that it has without a tuning. NORN_ERR_USAGE for numbers beyond 1024. */
norn_status norn_tuning_set_product(norn_tuning *tuning, const size_t values[NORN_TUNING_PARAMETERS],
                                    norn_error *err);
const char *norn_tuning_parameter_name(size_t index); /* "MWG"; NULL: no more */

/* Sorted by gates and units. Borrowed. */
const norn_tuning_rule *norn_tuning_rules(const norn_tuning *tuning, size_t *count);
const size_t *norn_tuning_product(const norn_tuning *tuning); /* NULL: none set */

/* Is it of this device, platform and driver? Their names and versions decide, not the number of cores. */
int norn_tuning_fits(const norn_tuning *tuning, const norn_device_info *device);

/* The name of a device's file in a folder of tunings, "amd_epyc-0123abcd.tuning": letters of the device's
 * name, and a checksum of all that norn_tuning_fits compares. */
const char *norn_tuning_file_name(const norn_device_info *device, char out[NORN_TUNING_NAME]);

/* Whole or not at all; the same tuning gives the same bytes. NORN_ERR_OUTPUT. */
norn_status norn_tuning_write(const norn_tuning *tuning, const char *path, norn_error *err);
/* The bytes of the file, NUL-terminated; the caller's, for norn_tuning_text_free with the same host. */
norn_status norn_tuning_text(const norn_tuning *tuning, char **out, size_t *length, norn_error *err);
void norn_tuning_text_free(char *text, size_t length, const norn_host *host);

/* NORN_ERR_INPUT; NORN_ERR_DATA with line and column (of characters) for a file that is none. */
norn_status norn_tuning_read(norn_tuning **out, const char *path, const norn_host *host, norn_error *err);

/* The first 12 digits of the SHA-256 of the file's bytes, as sha256sum prints them. Borrowed. */
const char *norn_tuning_hash(const norn_tuning *tuning);

/*
 * Has the networks of a context, from the next one on, laid out by a tuning, which is copied; NULL: by what
 * ships with Norn, as without this call. Its rules stand back where the context's options gave a mapping.
 * NORN_ERR_USAGE: it is of another device. CLBlast's parameters are the process's, and are set when the first
 * large product of a context is made.
 */
norn_status norn_context_tune(norn_context *context, const norn_tuning *tuning, norn_error *err);
/* The hash of a context's tuning, or "". Borrowed. */
const char *norn_context_tuning(const norn_context *context);

/* ---- measuring -------------------------------------------------------------------------------------------
 */

/* What is measured: training steps of a network of this shape. */
typedef struct norn_tune_shape {
    size_t size;
    const char *cell; /* as norn cell list names it */
    size_t hidden, layers, inputs, window, horizon, batch;
    double seconds;        /* to measure each candidate for, at least */
    const size_t *product; /* CLBlast's parameters for the path of stages; NULL: those without a tuning */
} norn_tune_shape;

#define NORN_TUNE_SHAPE_INIT                                                                                 \
    {                                                                                                        \
        sizeof(norn_tune_shape), "lstm", 64, 1, 1, 96, 24, 64, 0.5, NULL                                     \
    }

typedef struct norn_tune_result {
    size_t size;
    unsigned gates; /* of the cell */
    double seconds; /* of a step: the median of rounds */
    double beside;  /* the same of the mapping it was measured beside */
    double ratio;   /* of the two, the median of the rounds: below 1, the candidate is faster */
    double error;   /* against the reference in double precision, relative to its bound: above 1 is wrong */
    double build;   /* seconds until the first step was made */
    uint64_t bits;  /* a checksum of the parameters after the steps */
} norn_tune_result;

/* How a network of this shape is laid out without a tuning. */
norn_status norn_tune_default(norn_mapping *out, unsigned *gates, const norn_device_info *device,
                              const norn_tune_shape *shape, norn_error *err);

/*
 * Compares a candidate with the reference, and times it beside another mapping, steps of both in turns, on
 * contexts of its own. The device is options->device. Errors: NORN_ERR_USAGE (no such mapping on this
 * device), NORN_ERR_BUILD, NORN_ERR_OPENCL, NORN_ERR_MEMORY, NORN_ERR_CANCELLED. A wrong candidate is no
 * error: look at result->error.
 */
norn_status norn_tune_try(norn_tune_result *out, const norn_context_options *options,
                          const norn_tune_shape *shape, const norn_mapping *candidate,
                          const norn_mapping *beside, const norn_host *host, norn_error *err);

/*
 * The same of parameters of CLBlast's product, over the products of a step of this shape, beside those of our
 * own kernel, which no parameter changes; a sum that is no chain of fma is wrong. values NULL: those without
 * a tuning. CLBlast's parameters are the process's: who goes on computing tries them in a process of its own.
 */
norn_status norn_tune_try_product(norn_tune_result *out, const norn_context_options *options,
                                  const norn_tune_shape *shape, const size_t values[NORN_TUNING_PARAMETERS],
                                  const norn_host *host, norn_error *err);

/* Mappings worth trying in place of `now`, along one axis: 0 vectors and work-items, 1 rows, 2 the path.
 * Returns how many were put into out. */
enum { NORN_TUNE_AXES = 3, NORN_TUNE_MOST = 8 };
size_t norn_tune_candidates(norn_mapping out[NORN_TUNE_MOST], const norn_device_info *device, size_t hidden,
                            const norn_mapping *now, size_t axis);
/* Parameters of CLBlast's product worth trying on this device; NULL: index is beyond the last. */
const size_t *norn_tune_product(const norn_device_info *device, size_t index);

#ifdef __cplusplus
}
#endif
#endif
