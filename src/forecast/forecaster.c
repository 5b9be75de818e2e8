/* The table of forecasters, and one with its memory: see forecaster.h. */
#include "forecast/forecaster.h"

#include <math.h>
#include <string.h>

static const norn_forecaster *const all[] = {
    &norn_model_naive,          &norn_model_seasonal_naive, &norn_model_naive2, &norn_model_drift,
    &norn_model_window_average, &norn_model_nlinear,        &norn_model_dlinear};

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
    double *state, *work;
    size_t state_count, work_count;
};

norn_status norn_fitted_new(norn_fitted **out, const norn_forecaster *kind,
                            const norn_forecaster_setup *setup, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_fitted *fitted = norn_new(&services, 1, sizeof *fitted);
    if (!fitted) return norn_fail_memory(err, "a forecaster");
    fitted->host = services;
    fitted->kind = kind;
    fitted->setup = *setup;
    fitted->state_count = kind->state ? kind->state(setup) : 0;
    fitted->work_count = kind->work ? kind->work(setup) : 0;
    if (fitted->state_count) fitted->state = norn_new(&services, fitted->state_count, sizeof *fitted->state);
    if (fitted->work_count) fitted->work = norn_new(&services, fitted->work_count, sizeof *fitted->work);
    if ((fitted->state_count && !fitted->state) || (fitted->work_count && !fitted->work)) {
        norn_fitted_free(fitted);
        return norn_fail_memory(err, "a forecaster");
    }
    *out = fitted;
    return NORN_OK;
}

void norn_fitted_fit(norn_fitted *fitted, norn_view train)
{
    if (fitted->kind->fit) fitted->kind->fit(&fitted->setup, train, fitted->state, fitted->work);
}

void norn_fitted_forecast(norn_fitted *fitted, norn_view past, double *out)
{
    fitted->kind->forecast(&fitted->setup, fitted->state, past, out, fitted->work);
}

void norn_fitted_free(norn_fitted *fitted)
{
    if (!fitted) return;
    const norn_host host = fitted->host;
    norn_delete(&host, fitted->state, fitted->state_count, sizeof *fitted->state);
    norn_delete(&host, fitted->work, fitted->work_count, sizeof *fitted->work);
    norn_delete(&host, fitted, 1, sizeof *fitted);
}

/* ---- shared by the models ---- */

double norn_view_last(norn_view view)
{
    for (size_t i = view.n; i-- > 0;)
        if (isfinite(view.y[i])) return view.y[i];
    return NAN;
}
