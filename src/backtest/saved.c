/* See saved.h. */
#include "backtest/saved.h"

void norn_saved_free(norn_saved *saved, const norn_host *host)
{
    if (!saved) return;
    for (size_t b = 0; b < saved->band_count; b++) {
        norn_delete(host, saved->bands[b].low, saved->values, sizeof(double));
        norn_delete(host, saved->bands[b].high, saved->values, sizeof(double));
    }
    norn_delete(host, saved->bands, saved->band_count, sizeof *saved->bands);
    norn_delete(host, saved->truth, saved->values, sizeof *saved->truth);
    norn_delete(host, saved->rows, saved->values, sizeof *saved->rows);
    norn_delete(host, saved->known, saved->places, sizeof *saved->known);
    norn_delete(host, saved->cutoffs, saved->places, sizeof *saved->cutoffs);
    norn_delete(host, saved, 1, sizeof *saved);
}
