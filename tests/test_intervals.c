/*
 * Prediction intervals of the simple models and of Comb on simulated processes, those that each is the right
 * model of: so many rows lie within as the level says. And what they do with series that hold next to
 * nothing. No OpenCL here.
 */
#include "univariate.h"

static void walk(uint64_t *state, double *y, size_t n)
{
    for (size_t t = 0; t < n; t++) y[t] = (t ? y[t - 1] : 50.0) + noise(state);
}

static void walk_with_drift(uint64_t *state, double *y, size_t n)
{
    for (size_t t = 0; t < n; t++) y[t] = (t ? y[t - 1] : 50.0) + 0.4 + noise(state);
}

/* Each of four places walks for itself. */
static void seasonal_walk(uint64_t *state, double *y, size_t n)
{
    for (size_t t = 0; t < n; t++) y[t] = (t < 4 ? 10.0 * (double)t : y[t - 4]) + noise(state);
}

static void level_and_noise(uint64_t *state, double *y, size_t n)
{
    for (size_t t = 0; t < n; t++) y[t] = 20.0 + noise(state);
}

static void autoregression(uint64_t *state, double *y, size_t n)
{
    for (size_t t = 0; t < n; t++) y[t] = (t ? 0.8 * y[t - 1] : 0.0) + noise(state);
}

static void wandering(uint64_t *state, double *y, size_t n)
{
    double level = 100.0;
    for (size_t t = 0; t < n; t++) {
        level += 0.5 * noise(state);
        y[t] = level + noise(state);
    }
}

/* A level that walks, times a figure of four places. */
static void walk_in_seasons(uint64_t *state, double *y, size_t n)
{
    static const double figure[] = {0.7, 1.1, 1.3, 0.9};
    double level = 100.0;
    for (size_t t = 0; t < n; t++) {
        level += noise(state);
        y[t] = level * figure[t % 4];
    }
}

static void wandering_in_seasons(uint64_t *state, double *y, size_t n)
{
    static const double figure[] = {0.7, 1.1, 1.3, 0.9};
    wandering(state, y, n);
    for (size_t t = 0; t < n; t++) y[t] *= figure[t % 4];
}

typedef struct process {
    const norn_forecaster *kind;
    void (*draw)(uint64_t *state, double *y, size_t n);
    size_t season;
    double low, high; /* of the share within, at 90 % */
} process;

/* Parameters are estimated from 200 rows, which takes up to a percent off where their error is no part of the
 * bounds. The standard error of a share of 8 rows of 500 series that go together is some 0.8 %. */
static const process processes[] = {
    {&norn_model_naive, walk, 1, 0.88, 0.92},
    {&norn_model_seasonal_naive, seasonal_walk, 4, 0.88, 0.92},
    {&norn_model_naive2, walk_in_seasons, 4, 0.88, 0.93},
    {&norn_model_drift, walk_with_drift, 1, 0.88, 0.92},
    {&norn_model_window_average, level_and_noise, 1, 0.88, 0.92},
    /* 169 windows that overlap tell less than as many that do not */
    {&norn_model_nlinear, autoregression, 1, 0.87, 0.93},
    {&norn_model_dlinear, autoregression, 1, 0.86, 0.93},
    {&norn_model_comb, wandering, 1, 0.875, 0.95},
    {&norn_model_comb, wandering_in_seasons, 4, 0.875, 0.95},
};

static void intervals_hold_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(processes); i++) {
        const process *p = &processes[i];
        const double share = coverage(p->kind, p->draw, 200, p->season, 8, 0.9, 500);
        print_message("%s: %.4f\n", p->kind->name, share);
        if (!(share >= p->low && share <= p->high)) fail_msg("%s: %.4f of 0.9", p->kind->name, share);
    }
}

static void degenerate_series_are_right(void **state)
{
    (void)state;
    static const norn_forecaster *const kinds[] = {
        &norn_model_naive,   &norn_model_seasonal_naive, &norn_model_naive2,  &norn_model_drift,
        &norn_model_nlinear, &norn_model_window_average, &norn_model_dlinear, &norn_model_comb};
    for (size_t i = 0; i < NORN_COUNT(kinds); i++) {
        try_degenerate(kinds[i], 1, 20, kinds[i] == &norn_model_drift);
        try_degenerate(kinds[i], 12, 20, kinds[i] == &norn_model_drift);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_hold_what_they_say),
        cmocka_unit_test(degenerate_series_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
