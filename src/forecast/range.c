/* Columns beyond 32-bit floats: see range.h. */
#include "forecast/range.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A tenth of what floats hold, and ten times what they hold with all their digits: room for a difference of
 * two, and for its share in a scaling. */
static const double most = 1e37, least = 1e-36;

typedef struct extent {
    double first, low, high;
} extent;

static void add(extent *e, double x)
{
    if (isnan(x)) return;
    if (isnan(e->first)) *e = (extent){x, x, x};
    if (x < e->low) e->low = x;
    if (x > e->high) e->high = x;
}

/* series NULL: a column over all of them. */
static norn_status judge(const extent *e, const char *series, const char *column, norn_error *err)
{
    const double apart =
        fmax(e->high - e->first, e->first - e->low); /* infinite where even double is too small */
    char id[100], name[100], where[240] = "";
    if (isnan(e->first) || e->low == e->high || (apart <= most && apart >= least)) return NORN_OK;
    if (series)
        (void)snprintf(where, sizeof where, "series \"%s\", ",
                       norn_quote(id, sizeof id, series, strlen(series), 80));
    const char *const quoted = norn_quote(name, sizeof name, column, strlen(column), 80);
    if (apart > most)
        return norn_fail(
            err, NORN_ERR_USAGE,
            "%scolumn \"%s\": values from %g to %g lie further apart than %g, the most that the 32-bit "
            "floats of a device can hold (give the column in larger units)",
            where, quoted, e->low, e->high, most);
    return norn_fail(
        err, NORN_ERR_USAGE,
        "%scolumn \"%s\": values from %g to %g lie closer together than %g, the least that the 32-bit "
        "floats of a device can tell apart (give the column in smaller units)",
        where, quoted, e->low, e->high, least);
}

/* Rows of a series that some view sees, and whether it sees the logarithm of the target. */
static size_t seen_of(const norn_inputs *in, size_t series, bool *log_of)
{
    size_t seen = 0;
    for (size_t v = 0; v < in->views; v++) {
        const norn_recipe_series *one = &in->recipes[v * in->series + series];
        if (one->seen > seen) seen = one->seen;
        if (one->seen) *log_of = one->log;
    }
    return seen;
}

norn_status norn_range_check(const norn_inputs *in, norn_error *err)
{
    const norn_table *t = in->table;
    norn_status status = NORN_OK;
    for (size_t s = 0; s < in->series && status == NORN_OK; s++) {
        bool log_of = false;
        const size_t seen = seen_of(in, s, &log_of), rows = norn_table_rows(t, s) + norn_table_ahead(t, s);
        const char *id = norn_table_id(t, s);
        extent e = {NAN, NAN, NAN};
        for (size_t i = 0; i < seen; i++) add(&e, norn_inputs_target(norn_table_target(t, s), i, log_of));
        status = judge(&e, id, norn_table_target_name(t, s), err);
        for (size_t c = 0; c < norn_table_past_count(t) && status == NORN_OK; c++) {
            e = (extent){NAN, NAN, NAN};
            for (size_t i = 0; i < seen; i++) add(&e, norn_table_past(t, s, c)[i]);
            status = judge(&e, id, norn_table_past_name(t, c), err);
        }
        const size_t ahead = seen && rows - seen > in->horizon ? seen + in->horizon : seen ? rows : 0;
        for (size_t c = 0; c < norn_table_future_count(t) && status == NORN_OK; c++) {
            e = (extent){NAN, NAN, NAN};
            for (size_t i = 0; i < ahead; i++) add(&e, norn_table_future(t, s, c)[i]);
            status = judge(&e, id, norn_table_future_name(t, c), err);
        }
    }
    for (size_t c = 0; c < norn_table_static_count(t) && status == NORN_OK; c++) {
        bool log_of = false;
        extent e = {NAN, NAN, NAN};
        for (size_t s = 0; s < in->series; s++)
            if (seen_of(in, s, &log_of)) add(&e, norn_table_static(t, s, c));
        status = judge(&e, NULL, norn_table_static_name(t, c), err);
    }
    return status;
}
