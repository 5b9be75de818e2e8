/* The table of forecasters, and one with its memory: see forecaster.h. */
#include "forecast/forecaster.h"

#include "forecast/decompose.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const norn_forecaster *const all[] = {
    &norn_model_naive, &norn_model_seasonal_naive, &norn_model_naive2, &norn_model_naive2_steps,
    &norn_model_drift, &norn_model_window_average,
    &norn_model_nlinear, &norn_model_dlinear,
    &norn_model_ses, &norn_model_holt, &norn_model_damped_holt, &norn_model_holt_winters,
    &norn_model_holt_winters_multiplicative, &norn_model_ets, &norn_model_comb,
    &norn_model_theta, &norn_model_optimised_theta, &norn_model_dynamic_optimised_theta,
    &norn_model_croston, &norn_model_croston_sba,
    &norn_model_ar, &norn_model_ar_burg, &norn_model_arima,
    &norn_model_local_level, &norn_model_local_trend, &norn_model_structural,
    &norn_model_hmm, &norn_model_markov, &norn_model_garch, &norn_model_ensemble, &norn_model_ensemble_weighted,
};
/* clang-format on */

const norn_forecaster *const *norn_forecasters(size_t *count)
{
    *count = NORN_COUNT(all);
    return all;
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(const char *name, const char *word, size_t length)
{
    if (strlen(name) != length) return false;
    for (size_t i = 0; i < length; i++)
        if (small(name[i]) != small(word[i])) return false;
    return true;
}

const norn_forecaster *norn_forecaster_find(const char *word, size_t length)
{
    for (size_t i = 0; i < NORN_COUNT(all); i++)
        if (same_word(all[i]->name, word, length) || same_word(all[i]->word, word, length)) return all[i];
    return same_word("linear", word, length) ? &norn_model_nlinear : NULL;
}

/* ---- one forecaster with its memory ---- */

struct norn_fitted {
    norn_host host;
    const norn_forecaster *kind;
    norn_forecaster_setup setup;
    norn_decomposer *before; /* NULL: the kind sees the view as it is */
    double *state, *work;
    size_t state_count, work_count;
};

norn_status norn_fitted_new(norn_fitted **out, const norn_forecaster *kind,
                            const norn_forecaster_setup *setup, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_fitted *fitted = norn_new(&services, 1, sizeof *fitted);
    norn_status status = NORN_OK;
    if (!fitted) return norn_fail_memory(err, "a forecaster");
    fitted->host = services;
    fitted->kind = kind;
    fitted->setup = *setup;
    if (setup->decompose != NORN_DECOMPOSE_NONE) {
        fitted->setup.season = 1;
        status = norn_decomposer_new(&fitted->before, setup->decompose, setup->season, setup->seasons,
                                     setup->rows, &services, err);
        if (status != NORN_OK) goto done;
    }
    fitted->state_count = kind->state ? kind->state(&fitted->setup) : 0;
    fitted->work_count = kind->work ? kind->work(&fitted->setup) : 0;
    if (setup->states && kind->smooth) {
        const size_t count = kind->smooth_work(&fitted->setup);
        if (count > fitted->work_count) fitted->work_count = count;
    }
    if (fitted->state_count) fitted->state = norn_new(&services, fitted->state_count, sizeof *fitted->state);
    if (fitted->work_count) fitted->work = norn_new(&services, fitted->work_count, sizeof *fitted->work);
    if ((fitted->state_count && !fitted->state) || (fitted->work_count && !fitted->work))
        status = norn_fail_memory(err, "a forecaster");
done:
    if (status == NORN_OK)
        *out = fitted;
    else
        norn_fitted_free(fitted);
    return status;
}

static norn_view adjusted(norn_fitted *fitted, norn_view view)
{
    return fitted->before ? norn_decomposer_adjust(fitted->before, view) : view;
}

void norn_fitted_fit(norn_fitted *fitted, norn_view train)
{
    /* the view is looked at even where nothing is fitted: norn_fitted_explain tells of it */
    const norn_view seen = adjusted(fitted, train);
    if (fitted->kind->fit) fitted->kind->fit(&fitted->setup, seen, fitted->state, fitted->work);
}

void norn_fitted_forecast(norn_fitted *fitted, norn_view past, double *out)
{
    fitted->kind->forecast(&fitted->setup, fitted->state, adjusted(fitted, past), out, fitted->work);
    if (fitted->before) norn_decomposer_restore(fitted->before, out, 1, fitted->setup.horizon);
}

bool norn_fitted_interval(norn_fitted *fitted, norn_view past, const double *level, size_t levels,
                          double *lower, double *upper)
{
    const size_t h = fitted->setup.horizon;
    for (size_t i = 0; i < levels * h; i++) lower[i] = upper[i] = NAN;
    if (!fitted->kind->interval) return false;
    fitted->kind->interval(&fitted->setup, fitted->state, adjusted(fitted, past), level, levels, lower, upper,
                           fitted->work);
    if (fitted->before) norn_decomposer_restore(fitted->before, lower, levels, h);
    if (fitted->before) norn_decomposer_restore(fitted->before, upper, levels, h);
    return true;
}

void norn_fitted_explain(const norn_fitted *fitted, norn_explanation *out)
{
    if (fitted->before) norn_decomposer_explain(fitted->before, out);
    if (fitted->kind->explain) fitted->kind->explain(&fitted->setup, fitted->state, out);
}

bool norn_fitted_smooth(norn_fitted *fitted, norn_view past, double *parts, double *errors)
{
    return fitted->setup.states && fitted->kind->smooth && !fitted->before &&
           fitted->kind->smooth(&fitted->setup, fitted->state, past, parts, errors, fitted->work);
}

void norn_fitted_free(norn_fitted *fitted)
{
    if (!fitted) return;
    const norn_host host = fitted->host;
    norn_decomposer_free(fitted->before);
    norn_delete(&host, fitted->state, fitted->state_count, sizeof *fitted->state);
    norn_delete(&host, fitted->work, fitted->work_count, sizeof *fitted->work);
    norn_delete(&host, fitted, 1, sizeof *fitted);
}

/* ---- shared by the models ---- */

size_t norn_one_number(const norn_forecaster_setup *setup)
{
    (void)setup;
    return 1;
}

size_t norn_two_rows_ahead(const norn_forecaster_setup *setup)
{
    return 2 * setup->horizon;
}

double norn_view_last(norn_view view)
{
    for (size_t i = view.n; i-- > 0;)
        if (isfinite(view.y[i])) return view.y[i];
    return NAN;
}

size_t norn_view_fill(norn_view view, size_t season, double *filled)
{
    size_t from = 0;
    while (from < view.n && !isfinite(view.y[from])) from++;
    for (size_t i = from; i < view.n; i++)
        filled[i] = isfinite(view.y[i]) ? view.y[i] : filled[i - (i - from >= season ? season : 1)];
    return from;
}

size_t norn_view_late(norn_view view)
{
    size_t rows = view.n;
    while (rows > 0 && !isfinite(view.y[rows - 1])) rows--;
    return view.n - rows;
}

double norn_walk_deviation(norn_view view, double drift, size_t estimated)
{
    double squares = 0.0, last = NAN;
    size_t at = 0, count = 0;
    for (size_t i = 0; i < view.n; i++) {
        if (!isfinite(view.y[i])) continue;
        if (isfinite(last)) {
            const double rows = (double)(i - at), off = view.y[i] - last - rows * drift;
            squares += off * off / rows;
            count++;
        }
        last = view.y[i];
        at = i;
    }
    return count > estimated ? sqrt(squares / (double)(count - estimated)) : NAN;
}

void norn_explain(norn_explanation *out, const char *name, const char *meaning, const char *format, ...)
{
    if (out->count++ >= out->most) return;
    norn_explained *const line = &out->lines[out->count - 1];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line->value, sizeof line->value, format, arguments);
    va_end(arguments);
    (void)snprintf(line->name, sizeof line->name, "%s", name);
    line->meaning = meaning;
}

/* ---- the normal distribution ---- */

/* Halley's steps on erfc from the rational approximation of Abramowitz and Stegun (26.2.23), which is within
 * 4.5e-4 everywhere: two or three end at the last bits. */
double norn_normal_quantile(double p)
{
    if (!(p > 0.0 && p < 1.0)) return p == 0.0 ? -INFINITY : p == 1.0 ? INFINITY : NAN;
    const double q = p < 0.5 ? p : 1.0 - p; /* the lower tail, where erfc loses nothing */
    const double t = sqrt(-2.0 * log(q));
    double x =
        (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
        t;
    for (int step = 0; step < 3 && q < 0.5; step++) {
        const double density = exp(-0.5 * x * x) * 0.39894228040143267794; /* 1 / sqrt(2 pi) */
        const double ratio = (0.5 * erfc(-x * 0.70710678118654752440) - q) / density;
        x -= ratio / (1.0 + 0.5 * x * ratio);
    }
    return q == 0.5 ? 0.0 : p < 0.5 ? x : -x;
}

void norn_normal_interval(const double *mean, const double *sd, size_t h, const double *level, size_t levels,
                          double *lower, double *upper)
{
    for (size_t i = 0; i < levels; i++) {
        const double z = norn_normal_quantile(0.5 + 0.5 * level[i]);
        for (size_t j = 0; j < h; j++) {
            lower[i * h + j] = mean[j] - z * sd[j];
            upper[i * h + j] = mean[j] + z * sd[j];
        }
    }
}
