/*
 * What only the whole column tells: which figure is the day, and which of two moments a clock that was set
 * back meant. Also times that stand in several columns, and the mark that changes of the clock leave.
 * Declared in calendar.h.
 */
#include "data/pattern.h"

#include <stdio.h>
#include <string.h>

/* ---- day and month ---- */

/* Does the order make the times of every series rise, or fall, throughout? */
static bool is_sorted_in(norn_day_order order, const int64_t *times, size_t n, const size_t *group_first,
                         size_t groups)
{
    for (size_t g = 0; g < groups; g++) {
        const size_t end = g + 1 < groups ? group_first[g + 1] : n;
        int64_t before = INT64_MIN;
        bool rises = false, falls = false;
        for (size_t i = group_first[g]; i < end; i++) {
            if (times[i] == INT64_MIN) continue;
            const int64_t time = norn_open_settle(times[i], order);
            rises = rises || (before != INT64_MIN && time > before);
            falls = falls || (before != INT64_MIN && time < before);
            if (rises && falls) return false;
            before = time;
        }
    }
    return true;
}

norn_status norn_time_settle_order(norn_time_style *style, const norn_time_seen *seen, int64_t *times,
                                   size_t n, const size_t *group_first, size_t groups, size_t *bad_row,
                                   norn_error *err)
{
    norn_pattern_take_seen(style, seen);
    if (style->order != NORN_ORDER_OPEN) return NORN_OK;
    norn_day_order order = NORN_ORDER_OPEN;
    if (seen->first_over_12 && seen->second_over_12) {
        const uint64_t later =
            seen->first_over_12 > seen->second_over_12 ? seen->first_over_12 : seen->second_over_12;
        const bool day_first = later == seen->first_over_12;
        *bad_row = (size_t)(later - 1);
        return norn_fail(
            err, NORN_ERR_DATA,
            "here the %s comes first, in a row before it the %s; all times of a column are written in one "
            "order (--time-format %s takes the others for errors)",
            day_first ? "day" : "month", day_first ? "month" : "day", day_first ? "mdy" : "dmy");
    }
    if (seen->first_over_12 || !seen->figures_differ)
        order = seen->first_over_12 ? NORN_ORDER_DMY : NORN_ORDER_MDY; /* 1/1 and 2/2 are the same in both */
    else if (seen->second_over_12)
        order = NORN_ORDER_MDY;
    else {
        const bool mdy = is_sorted_in(NORN_ORDER_MDY, times, n, group_first, groups);
        const bool dmy = is_sorted_in(NORN_ORDER_DMY, times, n, group_first, groups);
        if (mdy == dmy) {
            char text[2][NORN_TIME_TEXT], example[2 * NORN_TIME_TEXT + 16] = "";
            size_t i = 0;
            norn_time_style as_mdy = *style;
            norn_pattern_set_order(&as_mdy, NORN_ORDER_MDY);
            while (i < n && (times[i] == INT64_MIN || norn_open_settle(times[i], NORN_ORDER_MDY) ==
                                                          norn_open_settle(times[i], NORN_ORDER_DMY)))
                i++;
            if (i < n) {
                const norn_time_style iso = norn_time_style_iso(NORN_FORM_DATE, 0);
                (void)snprintf(example, sizeof example, "%s or %s",
                               norn_time_write(&iso, norn_open_settle(times[i], NORN_ORDER_MDY), text[0]),
                               norn_time_write(&iso, norn_open_settle(times[i], NORN_ORDER_DMY), text[1]));
                (void)norn_time_write(&as_mdy, norn_open_settle(times[i], NORN_ORDER_MDY), text[0]);
            }
            *bad_row = SIZE_MAX;
            return norn_fail(
                err, NORN_ERR_DATA,
                "nothing tells day and month apart: %s is %s (say which with --time-format mdy or "
                "--time-format dmy)",
                i < n ? text[0] : "1/2", i < n ? example : "January or February");
        }
        order = mdy ? NORN_ORDER_MDY : NORN_ORDER_DMY;
    }
    for (size_t i = 0; i < n; i++)
        if (times[i] != INT64_MIN) times[i] = norn_open_settle(times[i], order);
    norn_pattern_set_order(style, order);
    return NORN_OK;
}

/* ---- the zone ---- */

typedef struct settling {
    const norn_time_style *style;
    norn_ambiguous ambiguous;
    norn_nonexistent nonexistent;
    int64_t *times;
    size_t n;
    bool falling; /* the series runs from newest to oldest */
    uint64_t *left_out, *shifted;
    size_t *bad_row;
    norn_error *err;
} settling;

/* The row that is `i`-th in time. */
static size_t row_of(const settling *s, size_t i)
{
    return s->falling ? s->n - 1 - i : i;
}

/* The clock's time as it stood in the file: no zone, no offset. */
static const char *clock_text(const settling *s, int64_t clock, char out[NORN_TIME_TEXT])
{
    norn_time_style naive = *s->style;
    naive.zone = NULL;
    return norn_time_write(&naive, clock, out);
}

static norn_status refuse_twice(const settling *s, size_t row, int64_t clock, bool tried)
{
    char text[NORN_TIME_TEXT];
    *s->bad_row = row;
    return norn_fail(
        s->err, NORN_ERR_DATA,
        tried ? "the clock of %s shows %s twice, and the rows do not tell which is meant (leave such rows "
                "out with --ambiguous NaT)"
              : "the clock of %s shows %s twice (take the first run of rows for the first with --ambiguous "
                "infer, or leave them out with --ambiguous NaT)",
        norn_zone_name(s->style->zone), clock_text(s, clock, text));
}

static norn_status settle_never(const settling *s, size_t row, int64_t jump)
{
    char text[NORN_TIME_TEXT];
    switch (s->nonexistent) {
    case NORN_NONEXISTENT_SHIFT_FORWARD:
    case NORN_NONEXISTENT_SHIFT_BACKWARD:
        s->times[row] = jump - (s->nonexistent == NORN_NONEXISTENT_SHIFT_BACKWARD);
        ++*s->shifted;
        return NORN_OK;
    case NORN_NONEXISTENT_NAT:
        s->times[row] = INT64_MIN;
        ++*s->left_out;
        return NORN_OK;
    default:
        *s->bad_row = row;
        return norn_fail(
            s->err, NORN_ERR_DATA,
            "the clock of %s never shows %s (move it with --nonexistent shift_forward or shift_backward, or "
            "leave it out with --nonexistent NaT)",
            norn_zone_name(s->style->zone), clock_text(s, s->times[row], text));
    }
}

/*
 * The rows from the `from`-th in time on that stand in one hour shown twice; *behind is the one after them.
 * Between the first run through that hour and the second the clock goes back once: that is where a row is not
 * later than the one before it.
 */
static norn_status settle_twice(const settling *s, size_t from, size_t *behind)
{
    int64_t first[2], utc[2], before = 0;
    size_t end = from, back = 0, backs = 0;
    (void)norn_zone_of_local(s->style->zone, s->times[row_of(s, from)], first);
    for (; end < s->n; end++) {
        const int64_t clock = s->times[row_of(s, end)];
        if (clock == INT64_MIN) continue;
        /* the same hour: both readings as far apart, and less than that from the first */
        if (norn_zone_of_local(s->style->zone, clock, utc) != 2 || utc[1] - utc[0] != first[1] - first[0] ||
            utc[0] - first[0] > NORN_DAY || first[0] - utc[0] > NORN_DAY)
            break;
        if (end > from && clock <= before) {
            back = end;
            backs++;
        }
        before = clock;
    }
    *behind = end;
    if (s->ambiguous == NORN_AMBIGUOUS_INFER && backs != 1)
        return refuse_twice(s, row_of(s, backs ? back : from), s->times[row_of(s, backs ? back : from)],
                            true);
    for (size_t i = from; i < end; i++) {
        int64_t *time = &s->times[row_of(s, i)];
        if (*time == INT64_MIN) continue;
        if (s->ambiguous == NORN_AMBIGUOUS_NAT) {
            *time = INT64_MIN;
            ++*s->left_out;
            continue;
        }
        (void)norn_zone_of_local(s->style->zone, *time, utc);
        *time = utc[i >= back];
    }
    return NORN_OK;
}

norn_status norn_time_settle_zone(norn_time_style *style, norn_ambiguous ambiguous,
                                  norn_nonexistent nonexistent, int64_t *times, size_t n, uint64_t *left_out,
                                  uint64_t *shifted, size_t *bad_row, norn_error *err)
{
    if (!style->zone || style->form != NORN_FORM_CLOCK || style->has_offset) return NORN_OK;
    settling s = {style, ambiguous, nonexistent, times, n, false, left_out, shifted, bad_row, err};
    size_t first = 0, last = n;
    while (first < n && times[first] == INT64_MIN) first++;
    while (last > first && times[last - 1] == INT64_MIN) last--;
    s.falling = first < last && times[last - 1] < times[first];
    for (size_t i = 0; i < n;) {
        const size_t row = row_of(&s, i);
        norn_status status = NORN_OK;
        int64_t utc[2];
        if (times[row] == INT64_MIN) {
            i++;
            continue;
        }
        const int moments = norn_zone_of_local(style->zone, times[row], utc);
        if (moments == 2 && ambiguous == NORN_AMBIGUOUS_RAISE) {
            status = refuse_twice(&s, row, times[row], false);
        } else if (moments == 2) {
            status = settle_twice(&s, i, &i);
        } else if (moments == 0) {
            status = settle_never(&s, row, utc[0]);
            i++;
        } else {
            times[row] = utc[0];
            i++;
        }
        if (status != NORN_OK) return status;
    }
    return NORN_OK;
}

/* ---- times in several columns ---- */

bool norn_time_join_parts(const norn_time_parts *how, const int64_t *parts, int64_t *raw)
{
    static const int64_t units[] = {NORN_HOUR, NORN_MINUTE, NORN_SECOND};
    static const int64_t most[] = {23, 59, 59};
    const int64_t year = parts[0];
    int64_t month = how->count > 1 ? parts[1] : 1, day = how->count > 2 ? parts[2] : 1;
    if (how->quarter) {
        if (month < 1 || month > 4) return false;
        month = 3 * month - 2;
    }
    if (year < 0 || year > 9999 || month < 1 || month > 12) return false;
    if (day < 1 || day > norn_days_in_month(year, (int)month)) return false;
    int64_t time = norn_days_from_civil(year, (int)month, (int)day) * NORN_DAY;
    for (size_t i = 3; i < how->count; i++) {
        const bool from_one = i == 3 && how->hour_24;
        const int64_t least = from_one, greatest = most[i - 3] + from_one;
        if (parts[i] < least || parts[i] > greatest) return false;
        time += parts[i] * units[i - 3];
    }
    *raw = time;
    return true;
}

norn_time_style norn_time_parts_style(const norn_time_parts *how)
{
    static const norn_time_form forms[] = {NORN_FORM_YEAR, NORN_FORM_MONTH, NORN_FORM_DATE};
    norn_time_style style = {.form = NORN_FORM_NONE};
    if (how->quarter) return norn_time_style_iso(NORN_FORM_QUARTER, 0);
    if (how->count <= 3) return norn_time_style_iso(forms[how->count ? how->count - 1 : 0], 0);
    (void)norn_time_style_compile(&style, how->count == 6 ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", NULL);
    return style;
}

/* ---- changes of the clock ---- */

/* In the night to a Sunday of a month in which clocks are set anywhere: March, April, September, October,
 * November. */
static bool is_night_of_change(int64_t time)
{
    const norn_moment m = norn_moment_of(time, 0);
    const int weekday = norn_weekday(m.days), month = norn_civil_from_days(m.days).month;
    const bool night = (weekday == 6 && m.rest < 4 * NORN_HOUR) || (weekday == 5 && m.rest >= 23 * NORN_HOUR);
    return night && (month == 3 || month == 4 || (month >= 9 && month <= 11));
}

/* The most frequent of the first differences, by the count of Boyer and Moore: right where more than half
 * agree. */
static int64_t usual_difference(const int64_t *times, size_t n)
{
    int64_t usual = 0;
    size_t count = 0;
    for (size_t i = 1; i < n; i++) {
        const int64_t difference = times[i] - times[i - 1];
        if (count == 0) usual = difference;
        if (difference == usual)
            count++;
        else
            count--;
    }
    return usual;
}

bool norn_looks_like_clock_change(const norn_time_style *style, const int64_t *times, size_t n)
{
    if (style->form != NORN_FORM_CLOCK || style->zone || style->has_offset || n < 3) return false;
    for (size_t i = 0; i < n; i++)
        if (times[i] < -NORN_DAY * 1000000 || times[i] > NORN_DAY * 3000000) return false;
    const int64_t usual = usual_difference(times, n);
    const int64_t step = usual < 0 ? -usual : usual, sign = usual < 0 ? -1 : 1;
    if (step == 0 || step > NORN_HOUR) return false;
    size_t at_change = 0, elsewhere = 0;
    for (size_t i = 1; i < n; i++) {
        const int64_t difference = sign * (times[i] - times[i - 1]);
        const bool back = difference <= 0, absent = difference == step + NORN_HOUR;
        if (!back && !absent) continue;
        /* set back, an hour begins anew; set forward, one is jumped over */
        const int64_t at = absent ? (sign > 0 ? times[i - 1] : times[i]) + step : times[i];
        if (is_night_of_change(at) && (absent || difference == step - NORN_HOUR))
            at_change++;
        else
            elsewhere++;
    }
    return at_change > elsewhere;
}
