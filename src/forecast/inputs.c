/*
 * The inputs of a network and their tracks: see inputs.h. Nothing is stored twice: what comes advanced is a
 * view of its track (norn_track_plan), series over the same rows share the tracks of their covariates, and
 * constants are views of one track of zeros with a shift each.
 */
#include "forecast/inputs.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { MOST_INPUTS = 1 << 16, MOST_ADVANCED = 64 };

size_t norn_inputs_columns(const norn_inputs *in, norn_input_kind kind)
{
    return kind == NORN_INPUT_TARGET || kind == NORN_INPUT_WEIGHT ? 1
           : kind == NORN_INPUT_PAST                              ? norn_table_past_count(in->table)
           : kind == NORN_INPUT_FUTURE                            ? norn_table_future_count(in->table)
                                                                  : norn_table_static_count(in->table);
}

const char *norn_inputs_name(const norn_inputs *in, norn_input_kind kind, size_t column)
{
    return kind == NORN_INPUT_TARGET   ? norn_table_target_name(in->table, column)
           : kind == NORN_INPUT_PAST   ? norn_table_past_name(in->table, column)
           : kind == NORN_INPUT_FUTURE ? norn_table_future_name(in->table, column)
                                       : norn_table_static_name(in->table, column);
}

double norn_inputs_target(const double *y, size_t row, bool log_of)
{
    return log_of ? (y[row] > 0.0 ? log(y[row]) : (double)NAN) : y[row];
}

static const double *values_of(const norn_inputs *in, norn_input_kind kind, size_t s, size_t column)
{
    return kind == NORN_INPUT_TARGET ? norn_table_target(in->table, s)
           : kind == NORN_INPUT_PAST ? norn_table_past(in->table, s, column)
                                     : norn_table_future(in->table, s, column);
}

/* Does the last view, the one that chooses, see the series? */
static bool judged(const norn_inputs *in, size_t s)
{
    return in->recipes[(in->views - 1) * in->series + s].seen > 0;
}

/* Rows of a column: those of the series, and of what is known ahead those of the horizon. */
static size_t rows_of(const norn_inputs *in, norn_input_kind kind, size_t s)
{
    const size_t rows = norn_table_rows(in->table, s), ahead = norn_table_ahead(in->table, s);
    return rows + (kind != NORN_INPUT_FUTURE ? 0 : ahead < in->horizon ? ahead : in->horizon);
}

/* Those of them that a view may see. */
static size_t seen_of(const norn_inputs *in, norn_input_kind kind, size_t view, size_t s)
{
    const size_t rows = rows_of(in, kind, s), seen = in->recipes[view * in->series + s].seen;
    const size_t known = kind == NORN_INPUT_FUTURE ? seen + in->horizon : seen;
    return known < rows ? known : rows;
}

static size_t missing_among(const double *values, size_t n)
{
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) missing += isnan(values[i]) ? 1 : 0;
    return missing;
}

/* ---- which inputs ---- */

static norn_status add(norn_inputs *in, norn_input input, norn_error *err)
{
    if (in->count == MOST_INPUTS)
        return norn_fail(err, NORN_ERR_USAGE,
                         "more than %d inputs: fewer --past, --future or --static columns%s are needed",
                         MOST_INPUTS, in->window < in->horizon ? ", or a larger --window" : "");
    if (in->count == in->capacity) {
        const size_t more = in->capacity ? 2 * in->capacity : 16;
        void *list = in->list;
        if (!norn_resize(in->host, &list, in->capacity, more, sizeof *in->list))
            return norn_fail_memory(err, "the inputs");
        in->list = list;
        in->capacity = more;
    }
    in->list[in->count++] = input;
    return NORN_OK;
}

/* A column as it is, and advanced if it is known ahead; or the masks of these. */
static norn_status add_column(norn_inputs *in, norn_input_kind kind, size_t column, bool mask,
                              norn_error *err)
{
    norn_status status = add(in, (norn_input){kind, mask, column, 0}, err);
    if (kind != NORN_INPUT_FUTURE) return status;
    const size_t columns = norn_inputs_columns(in, kind),
                 each = columns < MOST_ADVANCED ? MOST_ADVANCED / columns : 1;
    size_t apart = (in->horizon + each - 1) / each;
    if (apart > in->window) apart = in->window;
    for (size_t left = in->horizon; left > 0 && status == NORN_OK; left -= left < apart ? left : apart)
        status = add(in, (norn_input){kind, mask, column, left}, err);
    return status;
}

/* The last view sees least: some of what it sees is missing, and some is there. */
static bool needs_mask(const norn_inputs *in, norn_input_kind kind, size_t column)
{
    size_t missing = 0, all = 0;
    for (size_t s = 0; s < in->series; s++) {
        if (!judged(in, s)) continue;
        const size_t from = in->recipes[(in->views - 1) * in->series + s].from,
                     n = seen_of(in, kind, in->views - 1, s) - from;
        missing += missing_among(values_of(in, kind, s, column) + from, n);
        all += n;
        if (missing && missing < all) return true;
    }
    return false;
}

/* Standard scores over the series: a static covariate that misses a value has the mean there. */
static void judge_static(norn_inputs *in, size_t column)
{
    double count = 0.0, sum = 0.0, squares = 0.0, first = NAN;
    for (size_t s = 0; s < in->series; s++) {
        const double x = norn_table_static(in->table, s, column);
        if (!judged(in, s) || isnan(x)) continue;
        if (isnan(first)) first = x;
        count += 1.0;
        sum += x - first;
    }
    const double mean = sum / count;
    for (size_t s = 0; s < in->series; s++) {
        const double x = norn_table_static(in->table, s, column);
        if (judged(in, s) && !isnan(x)) squares += (x - first - mean) * (x - first - mean);
    }
    in->centre[column] = first + mean;
    in->spread[column] = sqrt(squares / count);
    in->constant[NORN_INPUT_STATIC][column] = !(in->spread[column] > 0.0 && isfinite(in->spread[column]));
}

static norn_status choose(norn_inputs *in, norn_error *err)
{
    norn_status status = NORN_OK;
    for (norn_input_kind kind = NORN_INPUT_TARGET; kind < NORN_INPUT_KINDS; kind++)
        for (size_t c = 0; c < norn_inputs_columns(in, kind) && status == NORN_OK; c++) {
            const bool fixed = kind == NORN_INPUT_STATIC;
            if (kind == NORN_INPUT_PAST && c == in->heavy) continue;
            if (fixed) judge_static(in, c);
            if (!fixed || !in->constant[kind][c]) status = add_column(in, kind, c, false, err);
            in->masked[kind][c] = !fixed && needs_mask(in, kind, c);
            if (in->masked[kind][c] && status == NORN_OK) status = add_column(in, kind, c, true, err);
        }
    in->seen = in->count;
    if ((in->relative || in->heavy != SIZE_MAX) && status == NORN_OK)
        status = add(in, (norn_input){NORN_INPUT_WEIGHT, false, 0, 0}, err);
    return status;
}

/* ---- tracks ---- */

/* twin[s]: the first series over the very same rows as series s, whose covariates are the same cells. */
static norn_status find_twins(const norn_inputs *in, size_t *twin, norn_error *err)
{
    const bool past = norn_inputs_columns(in, NORN_INPUT_PAST) > 0,
               future = norn_inputs_columns(in, NORN_INPUT_FUTURE) > 0;
    size_t places = 2;
    while (places < 2 * in->series) places *= 2;
    size_t *table = norn_new(in->host, places, sizeof *table); /* series + 1, by a hash of their rows */
    if (!table) return norn_fail_memory(err, "the tracks");
    for (size_t s = 0; s < in->series; s++) {
        twin[s] = s;
        if (!in->used[s] || !(past || future)) continue;
        const double *own = values_of(in, past ? NORN_INPUT_PAST : NORN_INPUT_FUTURE, s, 0);
        const size_t rows = norn_table_rows(in->table, s), ahead = norn_table_ahead(in->table, s);
        size_t at =
            (size_t)(((uint64_t)(uintptr_t)own / sizeof *own * 31 + rows) * 0x9e3779b97f4a7c15u >> 20);
        for (at &= places - 1; table[at]; at = (at + 1) & (places - 1)) {
            const size_t other = table[at] - 1;
            if (values_of(in, past ? NORN_INPUT_PAST : NORN_INPUT_FUTURE, other, 0) == own &&
                norn_table_rows(in->table, other) == rows && norn_table_ahead(in->table, other) == ahead)
                break;
        }
        if (table[at])
            twin[s] = table[at] - 1;
        else
            table[at] = s + 1;
    }
    norn_delete(in->host, table, places, sizeof *table);
    return NORN_OK;
}

static size_t new_track(norn_inputs *in, norn_track_plan plan)
{
    if (in->plan) in->plan[in->columns] = plan;
    return in->columns++;
}

/* The track of one input of a series that has no twin. base: of the same column as it is. */
static size_t track_of(norn_inputs *in, size_t s, const norn_input *input, size_t base)
{
    const size_t rows = rows_of(in, input->kind, s);
    if (input->kind == NORN_INPUT_STATIC) return new_track(in, (norn_track_plan){0, in->zeros, 0});
    if (input->mask && !missing_among(values_of(in, input->kind, s, input->column), rows)) return in->zeros;
    if (input->advance) return new_track(in, (norn_track_plan){0, base, input->advance});
    return new_track(in, (norn_track_plan){rows, NORN_TRACK_OWN, 0});
}

/* Numbers the tracks: targets first, then input by input. Once to count them, and once more to write them
 * down. */
static void number_tracks(norn_inputs *in, const size_t *twin)
{
    size_t longest = 0;
    bool constants = false;
    for (size_t s = 0; s < in->series; s++)
        if (in->used[s] && norn_table_rows(in->table, s) > longest) longest = norn_table_rows(in->table, s);
    for (size_t i = 0; i < in->count; i++)
        constants |= in->list[i].mask || in->list[i].kind == NORN_INPUT_STATIC;
    in->columns = 0;
    in->zeros = SIZE_MAX;
    for (size_t i = 0; i < in->count; i++) {
        const norn_input *input = &in->list[i];
        const bool shared = input->kind == NORN_INPUT_PAST || input->kind == NORN_INPUT_FUTURE;
        for (size_t s = 0; s < in->series; s++) {
            int *const own = in->of ? in->of + s * in->count + i : NULL;
            size_t track = 0; /* of a series that is left out: any */
            if (in->used[s] && shared && twin[s] != s)
                track = in->of ? (size_t)in->of[twin[s] * in->count + i] : 0;
            else if (in->used[s]) {
                size_t base = i; /* an advanced input stands behind the same without an advance */
                while (in->list[base].advance) base--;
                track = track_of(in, s, input, in->of ? (size_t)in->of[s * in->count + base] : 0);
            }
            if (own) *own = (int)track;
        }
        if (i == 0 && constants) in->zeros = new_track(in, (norn_track_plan){longest, NORN_TRACK_OWN, 0});
    }
}

/* The past covariate that weighs: it is there, and no weight is negative. */
static norn_status find_weight(norn_inputs *in, norn_error *err)
{
    char name[160];
    in->heavy = SIZE_MAX;
    if (!in->weight) return NORN_OK;
    (void)norn_quote(name, sizeof name, in->weight, strlen(in->weight), 60);
    for (size_t c = 0; c < norn_table_past_count(in->table); c++)
        if (strcmp(norn_table_past_name(in->table, c), in->weight) == 0) in->heavy = c;
    if (in->heavy == SIZE_MAX)
        return norn_fail(err, NORN_ERR_USAGE, "--weight: there is no past covariate \"%s\"", name);
    for (size_t s = 0; s < in->series; s++) {
        const double *given = norn_table_past(in->table, s, in->heavy);
        for (size_t i = 0; i < norn_table_rows(in->table, s); i++)
            if (given[i] < 0.0)
                return norn_fail(err, NORN_ERR_USAGE,
                                 "--weight: \"%s\" is %g in row %zu of a series, and no "
                                 "weight can be negative",
                                 name, given[i], i + 1);
    }
    return NORN_OK;
}

norn_status norn_inputs_plan(norn_inputs *in, norn_error *err)
{
    norn_status status = find_weight(in, err);
    if (status != NORN_OK) return status;
    size_t *twin = norn_new(in->host, in->series, sizeof *twin);
    in->used = norn_new(in->host, in->series, sizeof *in->used);
    for (size_t i = 0; in->used && i < in->views * in->series; i++)
        in->used[i % in->series] |= in->recipes[i].seen > 0;
    if (!twin || !in->used) status = norn_fail_memory(err, "the tracks");
    for (norn_input_kind kind = NORN_INPUT_TARGET; kind < NORN_INPUT_KINDS && status == NORN_OK; kind++) {
        const size_t columns = norn_inputs_columns(in, kind);
        if (!columns) continue;
        in->masked[kind] = norn_new(in->host, columns, sizeof *in->masked[kind]);
        in->constant[kind] = norn_new(in->host, columns, sizeof *in->constant[kind]);
        if (!in->masked[kind] || !in->constant[kind]) status = norn_fail_memory(err, "the inputs");
    }
    const size_t statics = norn_inputs_columns(in, NORN_INPUT_STATIC);
    if (status == NORN_OK && statics) {
        in->centre = norn_new(in->host, statics, sizeof *in->centre);
        in->spread = norn_new(in->host, statics, sizeof *in->spread);
        if (!in->centre || !in->spread) status = norn_fail_memory(err, "the inputs");
    }
    if (status == NORN_OK) status = choose(in, err);
    if (status == NORN_OK) status = find_twins(in, twin, err);
    if (status == NORN_OK) {
        number_tracks(in, twin);
        if (in->columns > INT_MAX || in->series > INT_MAX / in->count)
            status =
                norn_fail(err, NORN_ERR_USAGE, "%zu series of %zu inputs are more than a device is told of",
                          in->series, in->count);
    }
    if (status == NORN_OK) {
        in->plan = norn_new(in->host, in->columns, sizeof *in->plan);
        in->of = norn_new(in->host, in->series * in->count, sizeof *in->of);
        in->pairs = norn_new(in->host, in->views * in->columns, 2 * sizeof *in->pairs);
        if (in->plan && in->of && in->pairs)
            number_tracks(in, twin);
        else
            status = norn_fail_memory(err, "the tracks");
    }
    norn_delete(in->host, twin, in->series, sizeof *twin);
    return status;
}

void norn_inputs_free(norn_inputs *in)
{
    for (norn_input_kind kind = NORN_INPUT_TARGET; kind < NORN_INPUT_KINDS && in->table; kind++) {
        const size_t columns = norn_inputs_columns(in, kind);
        norn_delete(in->host, in->masked[kind], columns, sizeof *in->masked[kind]);
        norn_delete(in->host, in->constant[kind], columns, sizeof *in->constant[kind]);
    }
    if (!in->table) return;
    const size_t statics = norn_inputs_columns(in, NORN_INPUT_STATIC);
    norn_delete(in->host, in->centre, statics, sizeof *in->centre);
    norn_delete(in->host, in->spread, statics, sizeof *in->spread);
    norn_delete(in->host, in->used, in->series, sizeof *in->used);
    norn_delete(in->host, in->list, in->capacity, sizeof *in->list);
    norn_delete(in->host, in->plan, in->columns, sizeof *in->plan);
    norn_delete(in->host, in->of, in->series * in->count, sizeof *in->of);
    norn_delete(in->host, in->pairs, in->views * in->columns, 2 * sizeof *in->pairs);
}

/* ---- values and scaling ---- */

typedef struct source {
    const double *values; /* NULL: zeros */
    bool log_of, mask;
} source;

static double source_value(const void *user, size_t row)
{
    const source *from = user;
    if (!from->values) return 0.0;
    if (from->mask) return isnan(from->values[row]) ? 1.0 : 0.0;
    return norn_inputs_target(from->values, row, from->log_of);
}

float norn_inputs_static_factor(const norn_inputs *in, size_t column)
{
    return (float)(1.0 / in->spread[column]);
}

void norn_inputs_scale(const double *x, size_t from, size_t n, float pair[2])
{
    double sum = 0.0, squares = 0.0;
    size_t first = 0, count = 0;
    while (first < n && isnan(x[first])) first++;
    if (from < first) from = first;
    for (size_t i = from; i < n; i++)
        if (!isnan(x[i])) sum += x[i] - x[first], count++;
    const double mean = count ? sum / (double)count : 0.0;
    for (size_t i = from; i < n; i++)
        if (!isnan(x[i])) squares += (x[i] - x[first] - mean) * (x[i] - x[first] - mean);
    const double deviation = count ? sqrt(squares / (double)count) : 0.0;
    pair[0] = (float)mean;
    pair[1] = deviation > 0.0 && isfinite(deviation) ? (float)(1.0 / deviation) : 0.0f;
}

/* ---- weights ---- */

/* Least size that a truth counts as: a hundredth of the mean size in the rows that the last view learns from.
 */
static double least_size(const norn_inputs *in, size_t s)
{
    const norn_recipe_series *one = &in->recipes[(in->views - 1) * in->series + s];
    const double *y = norn_table_target(in->table, s);
    double sum = 0.0, count = 0.0;
    for (size_t i = one->from; i < one->learnt; i++)
        if (!isnan(y[i])) sum += fabs(y[i]), count += 1.0;
    return count > 0.0 ? 0.01 * sum / count : 0.0;
}

typedef struct weights {
    const double *y, *given; /* given NULL: all the same */
    bool relative;           /* 1 / |y|, else 1 */
    double least;
} weights;

static weights weights_of(const norn_inputs *in, size_t s)
{
    const bool log_of = in->recipes[(in->views - 1) * in->series + s].log;
    const double *given = in->heavy != SIZE_MAX ? norn_table_past(in->table, s, in->heavy) : NULL;
    return (weights){norn_table_target(in->table, s), given, in->relative && !log_of, least_size(in, s)};
}

/* Of a target that is missing: any. */
static double weight_value(const void *user, size_t row)
{
    const weights *w = user;
    const double size = fabs(w->y[row]);
    const double given = !w->given ? 1.0 : isnan(w->given[row]) ? 0.0 : w->given[row];
    if (!w->relative) return given;
    return size > 0.0 ? given / (size > w->least ? size : w->least) : 0.0;
}

/* By what the weights of a series are multiplied in a view, before their mean is made 1: a relative error is
 * one of the file's units, and losses are in scaled ones. */
static double weight_unit(const norn_inputs *in, size_t view, size_t s)
{
    return in->relative ? in->recipes[view * in->series + s].scale : 1.0;
}

/* 1 / mean over the training rows of a view; 0 where they all weigh nothing. */
static double weight_norm(const norn_inputs *in, size_t view)
{
    double sum = 0.0, count = 0.0;
    for (size_t s = 0; s < in->series; s++) {
        const norn_recipe_series *one = &in->recipes[view * in->series + s];
        if (!one->seen) continue;
        const weights w = weights_of(in, s);
        for (size_t i = one->from; i < one->learnt; i++) {
            const double value = weight_value(&w, i);
            if (isnan(value) || isnan(w.y[i])) continue;
            sum += value * weight_unit(in, view, s);
            count += 1.0;
        }
    }
    return sum > 0.0 && isfinite(count / sum) ? count / sum : 0.0;
}

/* Track and scaling of the weight of every series. */
static norn_status put_weights(norn_inputs *in, norn_series *series, size_t index, norn_error *err)
{
    norn_status status = NORN_OK;
    for (size_t s = 0; s < in->series && status == NORN_OK; s++) {
        if (!in->used[s]) continue;
        const weights w = weights_of(in, s);
        status = norn_series_put(series, (size_t)in->of[s * in->count + index], weight_value, &w, err);
    }
    for (size_t v = 0; v < in->views && status == NORN_OK; v++) {
        const double norm = weight_norm(in, v);
        if (!(norm > 0.0) && in->heavy != SIZE_MAX)
            return norn_fail(err, NORN_ERR_USAGE, "--weight: no row that is trained on weighs anything");
        for (size_t s = 0; s < in->series; s++) {
            if (!in->used[s]) continue;
            const size_t track = (size_t)in->of[s * in->count + index];
            float *pair = in->pairs + 2 * (v * in->columns + track);
            pair[0] = (float)-series->tracks[track].first;
            pair[1] = (float)(norm * weight_unit(in, v, s));
        }
    }
    return status;
}

/* ---- all of them ---- */

/* The scaling of one view for the track of one input of one series. */
static void scale(norn_inputs *in, const norn_series *series, size_t view, size_t s, const norn_input *input,
                  size_t track)
{
    float *pair = in->pairs + 2 * (view * in->columns + track);
    const norn_recipe_series *one = &in->recipes[view * in->series + s];
    if (input->kind == NORN_INPUT_STATIC) {
        const double x = norn_table_static(in->table, s, input->column);
        const float apart = (float)(x - in->centre[input->column]);
        pair[0] = isnan(x) ? 0.0f : -(apart * norn_inputs_static_factor(in, input->column));
        pair[1] = 1.0f;
    } else if (input->mask) {
        const size_t own = in->plan[track].of == NORN_TRACK_OWN ? track : in->plan[track].of;
        pair[0] = (float)-series->tracks[own].first;
        pair[1] = 1.0f;
    } else if (input->kind == NORN_INPUT_TARGET) {
        pair[0] = (float)one->season;
        pair[1] = one->scale > 0.0 ? (float)(1.0 / one->scale) : 0.0f;
    } else {
        norn_inputs_scale(values_of(in, input->kind, s, input->column), one->from, one->learnt, pair);
    }
}

/* Values and scaling of the tracks that an input brought; of a covariate, whether any series varies in it. */
static norn_status put_input(norn_inputs *in, norn_series *series, size_t index, bool *done, norn_error *err)
{
    const norn_input *input = &in->list[index];
    norn_status status = NORN_OK;
    bool varies = false;
    for (size_t s = 0; s < in->series && status == NORN_OK; s++) {
        const size_t track = (size_t)in->of[s * in->count + index];
        if (!in->used[s] || done[track]) continue;
        done[track] = true;
        const source from = {input->kind == NORN_INPUT_STATIC ? NULL
                                                              : values_of(in, input->kind, s, input->column),
                             input->kind == NORN_INPUT_TARGET && in->recipes[s].log, input->mask};
        if (in->plan[track].of == NORN_TRACK_OWN)
            status = norn_series_put(series, track, source_value, &from, err);
        for (size_t v = 0; v < in->views; v++) scale(in, series, v, s, input, track);
        varies |= in->pairs[2 * ((in->views - 1) * in->columns + track) + 1] > 0.0f;
    }
    if (!input->mask && input->kind != NORN_INPUT_TARGET && !varies)
        in->constant[input->kind][input->column] = true;
    return status;
}

norn_status norn_inputs_put(norn_inputs *in, norn_context *context, bool consume_past, norn_series **out,
                            norn_error *err)
{
    bool *done = norn_new(in->host, in->columns, sizeof *done); /* tracks that have their values */
    norn_status status = done ? NORN_OK : norn_fail_memory(err, "the tracks");
    if (status == NORN_OK)
        status =
            norn_series_new_tracks(out, context, in->series, in->count, in->columns, in->plan, in->of, err);
    if (status == NORN_OK && in->zeros != SIZE_MAX) done[in->zeros] = true; /* as it was made */
    for (size_t i = 0; i < in->count && status == NORN_OK; i++) {
        const norn_input *input = &in->list[i], *next = i + 1 < in->count ? input + 1 : NULL;
        status = input->kind == NORN_INPUT_WEIGHT ? put_weights(in, *out, i, err)
                                                  : put_input(in, *out, i, done, err);
        if (consume_past && input->kind == NORN_INPUT_PAST &&
            !(next && next->kind == NORN_INPUT_PAST && next->column == input->column))
            norn_table_drop_past(in->table, input->column);
    }
    norn_delete(in->host, done, in->columns, sizeof *done);
    return status;
}
