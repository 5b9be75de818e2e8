/*
 * For tests of model files: the file they write and read, cells by name or formula, and the model that
 * tests/golden/model_v1.safetensors holds. Every number of that one is by formula, so that the file can be
 * judged as long as there is a reader; it is not to be changed.
 */
#ifndef NORN_TESTS_MODEL_SUPPORT_H
#define NORN_TESTS_MODEL_SUPPORT_H

#include "device.h"
#include "support.h"

#include "nn/model.h"

#include <unistd.h>

enum { FIXED_MEMBERS = 2, FIXED_SERIES = 3, FIXED_INPUTS = 4 };

static char path[64]; /* of the group's file */

static inline int make_path(void **state)
{
    (void)state;
    (void)strcpy(path, "/tmp/norn-model-XXXXXX");
    const int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static inline int clean_up(void **state)
{
    (void)free_contexts(state);
    return unlink(path);
}

/* A built-in cell by its name, or one of a formula. */
static inline norn_cell *cell_of(const char *formula)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    const char *known = norn_cell_builtin_text(formula), *text = known ? known : formula;
    assert_ok(norn_cell_read(&cell, text, strlen(text), "text", NULL, &err), &err);
    return cell;
}

/* Multiples of 1/64 between -1/2 and 1/2, exact in float; one of them a zero with a sign. */
static inline float fixed_parameter(size_t member, size_t i)
{
    const float value = (float)((double)((i * 37 + member * 11 + 5) % 65) / 64.0 - 0.5);
    return i == 3 ? -0.0f : value;
}

static inline norn_model *fixed_model(const norn_host *host)
{
    static const char *const ids[FIXED_SERIES] = {"north", "", "s\303\274d,\"1\""};
    static const struct {
        const char *name;
        norn_column_role role;
    } columns[] = {
        {"region", NORN_ROLE_ID},  {"month", NORN_ROLE_TIME},     {"sales \"net\"", NORN_ROLE_TARGET},
        {"price", NORN_ROLE_PAST}, {"holiday", NORN_ROLE_FUTURE}, {"area", NORN_ROLE_STATIC}};
    static const norn_model_input inputs[FIXED_INPUTS] = {
        {2, false, 0}, {3, false, 0}, {4, false, 4}, {2, true, 0}};
    norn_error err = NORN_ERROR_INIT;
    norn_model *model = NULL;
    if (norn_model_new(&model, FIXED_INPUTS, 5, 2, 8, 4, FIXED_MEMBERS, FIXED_SERIES, NORN_COUNT(columns),
                       host, &err) != NORN_OK)
        return NULL;
    bool made = true;
    for (size_t s = 0; s < FIXED_SERIES && made; s++)
        made = norn_model_set_id(model, s, ids[s], &err) == NORN_OK;
    for (size_t c = 0; c < NORN_COUNT(columns) && made; c++)
        made = norn_model_set_column(model, c, columns[c].name, columns[c].role, &err) == NORN_OK;
    if (!made || norn_model_sort(model, &err) != NORN_OK) {
        norn_model_free(model);
        return NULL;
    }
    memcpy(model->input, inputs, sizeof inputs);
    model->step = (norn_step){NORN_STEP_MONTHS, 3};
    model->season = 4;
    model->correction = 0.3;
    model->change = 0.2;
    model->seed = UINT64_MAX;
    model->batch = 32;
    model->dropout = 0.1;
    model->rate = 5e-3;
    (void)strcpy(model->loss, "huber");
    (void)strcpy(model->optimiser, "adamw");
    const size_t plain = norn_model_plain_size(model);
    for (size_t m = 0; m < FIXED_MEMBERS; m++) {
        model->member[m].identity = m + 7;
        model->member[m].training = (norn_training){.windows = 1000 + m,
                                                    .validation_windows = 50,
                                                    .epochs = 40,
                                                    .best_epoch = 31,
                                                    .train_loss = 0.1 + (double)m,
                                                    .valid_loss = m ? NAN : 1.0 / 3.0};
        for (size_t i = 0; i < plain; i++) model->parameters[m * plain + i] = fixed_parameter(m, i);
        for (size_t s = 0; s < FIXED_SERIES; s++) {
            const size_t at = m * FIXED_SERIES + s;
            model->scaling[at] =
                (norn_model_scaling){s == 1, s == 2 ? 4 : 0, s == 1 ? 0.0 : 1.0 / (3.0 + (double)at)};
            for (size_t k = 0; k + 1 < FIXED_INPUTS; k++)
                model->covariate[at * (FIXED_INPUTS - 1) + k] =
                    (norn_model_covariate){1e9 + (double)at, 0.1f * (float)k, 1.0f / (1.5f + (float)s)};
        }
    }
    return model;
}

/* To the bit: everything a model holds. */
static inline bool same_model(const norn_model *a, const norn_model *b)
{
    const size_t plain = norn_model_plain_size(a), pairs = a->members * a->series;
    if (a->inputs != b->inputs || a->hidden != b->hidden || a->layers != b->layers ||
        a->window != b->window || a->horizon != b->horizon || a->members != b->members ||
        a->series != b->series || a->columns != b->columns || a->step.unit != b->step.unit ||
        a->step.count != b->step.count || a->season != b->season || a->seed != b->seed ||
        a->batch != b->batch || memcmp(&a->correction, &b->correction, sizeof(double)) != 0 ||
        memcmp(&a->change, &b->change, sizeof(double)) != 0 ||
        memcmp(&a->dropout, &b->dropout, sizeof(double)) != 0 ||
        memcmp(&a->rate, &b->rate, sizeof(double)) != 0 || strcmp(a->loss, b->loss) != 0 ||
        strcmp(a->optimiser, b->optimiser) != 0 || strcmp(a->library, b->library) != 0)
        return false;
    for (size_t c = 0; c < a->columns; c++)
        if (strcmp(a->column[c].name, b->column[c].name) != 0 || a->column[c].role != b->column[c].role)
            return false;
    for (size_t i = 0; i < a->inputs; i++)
        if (a->input[i].column != b->input[i].column || a->input[i].mask != b->input[i].mask ||
            a->input[i].advance != b->input[i].advance)
            return false;
    for (size_t s = 0; s < a->series; s++)
        if (strcmp(a->ids[s], b->ids[s]) != 0 || a->by_id[s] != b->by_id[s]) return false;
    for (size_t m = 0; m < a->members; m++) {
        const norn_training *x = &a->member[m].training, *y = &b->member[m].training;
        if (a->member[m].identity != b->member[m].identity || x->windows != y->windows ||
            x->validation_windows != y->validation_windows || x->epochs != y->epochs ||
            x->best_epoch != y->best_epoch || memcmp(&x->train_loss, &y->train_loss, sizeof(double)) != 0 ||
            !(x->valid_loss == y->valid_loss || (isnan(x->valid_loss) && isnan(y->valid_loss))))
            return false;
    }
    for (size_t i = 0; i < pairs; i++)
        if (a->scaling[i].log != b->scaling[i].log || a->scaling[i].season != b->scaling[i].season ||
            memcmp(&a->scaling[i].scale, &b->scaling[i].scale, sizeof(double)) != 0)
            return false;
    for (size_t i = 0; i < pairs * (a->inputs - 1); i++)
        if (memcmp(&a->covariate[i], &b->covariate[i], sizeof a->covariate[i]) != 0) return false;
    return memcmp(a->parameters, b->parameters, a->members * plain * sizeof(float)) == 0;
}

#endif
