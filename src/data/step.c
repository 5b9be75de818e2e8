/*
 * The step between rows: found from the differences of their times, and taken into the future. Declared in
 * step.h; its names are in step_text.c.
 *
 * Three ways to count a difference are tallied side by side: as a span, as whole calendar months (same day
 * and hour, or both at the end of their month), and as business days. The way that explains the most
 * differences by one number wins; months win a tie, because four weeks of February are also a month. A span
 * between two equal times of day is one of whole days, however long the clock made them.
 */
#include "data/step.h"

#include "data/pattern.h"

/* Different steps that are told apart. A file with more has no regular step, and the first ones to appear are
 * as good a sample as any. */
#define TALLY 1024

/* Business days may have one weekend row in more than this many: a correction, a special session. */
#define WEEKENDS 50

typedef struct tally {
    int64_t step[2 * TALLY]; /* open addressing; 0: free */
    uint64_t count[2 * TALLY];
    size_t used;
} tally;

struct norn_step_finder {
    norn_host host;
    norn_time_style style;
    uint64_t total;
    uint64_t weekends;     /* rows on a Saturday or a Sunday, all but the first of each series */
    uint64_t over_weekend; /* steps from a Friday to the Monday after */
    tally fixed, months, business;
};

static void count(tally *t, int64_t step)
{
    size_t at = (size_t)(((uint64_t)step * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % (2 * TALLY);
    while (t->step[at] != 0 && t->step[at] != step) at = (at + 1) % (2 * TALLY);
    if (t->step[at] == 0) {
        if (t->used == TALLY) return;
        t->used++;
        t->step[at] = step;
    }
    t->count[at]++;
}

/* The most frequent step, the smaller of two that are equally frequent; 0 if there is none. */
static int64_t mode(const tally *t, uint64_t *times)
{
    int64_t best = 0;
    *times = 0;
    for (size_t i = 0; i < 2 * TALLY; i++) {
        if (t->step[i] == 0) continue;
        if (t->count[i] > *times || (t->count[i] == *times && t->step[i] < best)) {
            best = t->step[i];
            *times = t->count[i];
        }
    }
    return best;
}

static bool is_month_end(norn_date date)
{
    return date.day == norn_days_in_month(date.year, date.month);
}

/* Whole months from a to b, or 0: the day is the same, or is the month's last where the month is too short
 * for it, or both are the last. */
static int64_t months_between(norn_moment a, norn_moment b)
{
    if (a.rest != b.rest) return 0;
    const norn_date from = norn_civil_from_days(a.days), to = norn_civil_from_days(b.days);
    const bool fits = from.day == to.day || (is_month_end(from) && is_month_end(to)) ||
                      (from.day < to.day && is_month_end(from)) || (to.day < from.day && is_month_end(to));
    return fits ? (to.year - from.year) * 12 + to.month - from.month : 0;
}

/* Days from a to b without weekends; both are weekdays. */
static int64_t business_days_between(int64_t a, int64_t b)
{
    const int64_t days = b - a, rest = days % 7;
    return days / 7 * 5 + rest - (norn_weekday(a) + rest > 4 ? 2 : 0);
}

/* after - before, at most INT64_MAX. */
static int64_t span_between(int64_t before, int64_t after)
{
    const uint64_t wide = (uint64_t)after - (uint64_t)before; /* right even where int64 would overflow */
    return wide > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)wide;
}

/* The same on the calendar: whole days where both times of day are the same. */
static int64_t calendar_span(norn_moment a, norn_moment b, int64_t span)
{
    const int64_t days = b.days - a.days;
    return a.rest == b.rest && days > 0 && days < INT64_MAX / NORN_DAY ? days * NORN_DAY : span;
}

norn_step_finder *norn_step_finder_new(const norn_time_style *style, const norn_host *host)
{
    norn_step_finder *finder = norn_new(host, 1, sizeof *finder);
    if (!finder) return NULL;
    finder->host = *host;
    finder->style = *style;
    return finder;
}

void norn_step_finder_free(norn_step_finder *finder)
{
    if (!finder) return;
    const norn_host host = finder->host;
    norn_delete(&host, finder, 1, sizeof *finder);
}

void norn_step_finder_add(norn_step_finder *finder, int64_t before, int64_t after)
{
    const int64_t span = span_between(before, after);
    finder->total++;
    if (finder->style.form == NORN_FORM_INTEGER || finder->style.form == NORN_FORM_NONE) {
        count(&finder->fixed, span);
        return;
    }
    const norn_moment a = norn_time_local(&finder->style, before), b = norn_time_local(&finder->style, after);
    count(&finder->fixed, calendar_span(a, b, span));
    if (b.days - a.days >= 28) {
        const int64_t months = months_between(a, b);
        if (months > 0) count(&finder->months, months);
    }
    if (norn_weekday(b.days) > 4) {
        finder->weekends++;
    } else if (norn_weekday(a.days) <= 4 && a.rest == b.rest && b.days > a.days) {
        count(&finder->business, business_days_between(a.days, b.days));
        if (norn_weekday(a.days) == 4 && b.days - a.days == 3) finder->over_weekend++;
    }
}

norn_step norn_step_find(const norn_step_finder *finder, uint64_t *regular, uint64_t *total)
{
    static const norn_step finest[] = {
        [NORN_FORM_NONE] = {NORN_STEP_INTEGER, 1},
        [NORN_FORM_INTEGER] = {NORN_STEP_INTEGER, 1},
        [NORN_FORM_YEAR] = {NORN_STEP_MONTHS, 12},
        [NORN_FORM_QUARTER] = {NORN_STEP_MONTHS, 3},
        [NORN_FORM_MONTH] = {NORN_STEP_MONTHS, 1},
        [NORN_FORM_WEEK] = {NORN_STEP_MICROSECONDS, 7 * NORN_DAY},
        [NORN_FORM_DATE] = {NORN_STEP_MICROSECONDS, NORN_DAY},
        [NORN_FORM_CLOCK] = {NORN_STEP_MICROSECONDS, NORN_MINUTE},
    };
    const norn_time_form form = finder->style.form;
    *total = finder->total;
    *regular = 0;
    if (finder->total == 0) return finest[form];

    uint64_t by_span, by_months, by_business;
    const int64_t span = mode(&finder->fixed, &by_span);
    const int64_t months = mode(&finder->months, &by_months);
    const int64_t business = mode(&finder->business, &by_business);
    norn_step step = {NORN_STEP_MICROSECONDS, span};
    *regular = by_span;
    if (form == NORN_FORM_INTEGER || form == NORN_FORM_NONE) {
        step.unit = NORN_STEP_INTEGER;
    } else if (by_months > 0 && (by_months > by_span || (by_months == by_span && span >= 28 * NORN_DAY))) {
        step = (norn_step){NORN_STEP_MONTHS, months};
        *regular = by_months;
    } else if (WEEKENDS * finder->weekends < finder->total && finder->over_weekend > 0 && business == 1 &&
               by_business >= by_span) {
        step = (norn_step){NORN_STEP_BUSINESS_DAYS, 1};
        *regular = by_business;
    }
    return step;
}

/* ---- from row to row ---- */

bool norn_step_is_regular(const norn_time_style *style, norn_step step, int64_t before, int64_t after)
{
    if (after <= before) return false;
    const int64_t span = span_between(before, after);
    if (step.unit == NORN_STEP_INTEGER) return span == step.count;
    const norn_moment a = norn_time_local(style, before), b = norn_time_local(style, after);
    if (step.unit == NORN_STEP_MONTHS) return months_between(a, b) == step.count;
    if (step.unit == NORN_STEP_MICROSECONDS)
        return span == step.count || calendar_span(a, b, span) == step.count;
    return norn_weekday(a.days) <= 4 && norn_weekday(b.days) <= 4 && a.rest == b.rest &&
           business_days_between(a.days, b.days) == step.count;
}

/* A weekend counts as the Friday before it. */
static int64_t weekday_before(int64_t days)
{
    const int weekday = norn_weekday(days);
    return weekday > 4 ? days - (weekday - 4) : days;
}

uint64_t norn_step_absent(const norn_time_style *style, norn_step step, int64_t before, int64_t after)
{
    if (after <= before || step.count < 1 || norn_step_is_regular(style, step, before, after)) return 0;
    int64_t units = span_between(before, after);
    if (step.unit != NORN_STEP_INTEGER) {
        const norn_moment a = norn_time_local(style, before), b = norn_time_local(style, after);
        if (step.unit == NORN_STEP_MONTHS) {
            const norn_date from = norn_civil_from_days(a.days), to = norn_civil_from_days(b.days);
            const bool whole =
                months_between(a, b) > 0 || to.day > from.day || (to.day == from.day && b.rest >= a.rest);
            units = (to.year - from.year) * 12 + to.month - from.month - !whole;
        } else if (step.unit == NORN_STEP_BUSINESS_DAYS) {
            units = business_days_between(weekday_before(a.days), weekday_before(b.days)) -
                    (norn_weekday(b.days) <= 4 && b.rest < a.rest);
        } else if (step.count % NORN_DAY == 0) {
            const int64_t days = b.days - a.days - (b.rest < a.rest);
            return days / (step.count / NORN_DAY) > 1 ? (uint64_t)(days / (step.count / NORN_DAY) - 1) : 0;
        }
    }
    return units / step.count > 1 ? (uint64_t)(units / step.count - 1) : 0;
}

/* ---- the future ---- */

/* a + b * c with b, c >= 0, at most INT64_MAX. */
static int64_t add_product(int64_t a, int64_t b, int64_t c)
{
    if (b == 0 || c == 0) return a;
    const uint64_t room = (uint64_t)INT64_MAX - (uint64_t)a; /* a < 0: more than INT64_MAX, and right */
    if ((uint64_t)c > room / (uint64_t)b) return INT64_MAX;
    return (int64_t)((uint64_t)a + (uint64_t)b * (uint64_t)c);
}

/* The day of the month the rows stand on, seen over a year of them, as some months are too short to show it;
 * 31 when all of them stand on their month's last day. */
static int month_day(const norn_time_style *style, const int64_t *times, size_t n)
{
    int day = 0;
    bool all_ends = true;
    for (size_t i = n > 12 ? n - 12 : 0; i < n; i++) {
        const norn_date date = norn_civil_from_days(norn_time_local(style, times[i]).days);
        if (date.day > day) day = date.day;
        all_ends = all_ends && is_month_end(date);
    }
    return all_ends ? 31 : day;
}

int64_t norn_time_ahead(const norn_time_style *style, norn_step step, const int64_t *times, size_t n,
                        size_t ahead)
{
    const int64_t last = times[n - 1];
    const int64_t steps = ahead < (size_t)INT64_MAX ? (int64_t)ahead : INT64_MAX;
    if (step.unit == NORN_STEP_INTEGER || (step.unit == NORN_STEP_MICROSECONDS && step.count % NORN_DAY != 0))
        return add_product(last, step.count, steps);
    const norn_moment from = norn_time_local(style, last);
    norn_moment to = from;
    if (step.unit == NORN_STEP_MONTHS) {
        const norn_date date = norn_civil_from_days(from.days);
        const int64_t month = add_product(date.year * 12 + date.month - 1, step.count, steps);
        if (month > INT64_C(12) * 290000) return INT64_MAX; /* beyond what int64 microseconds hold */
        const int64_t year = norn_floor_divide(month, 12);
        const int number = (int)(month - year * 12) + 1;
        const int longest = norn_days_in_month(year, number), day = month_day(style, times, n);
        to.days = norn_days_from_civil(year, number, day < longest ? day : longest);
    } else if (step.unit == NORN_STEP_BUSINESS_DAYS) {
        const int64_t start = weekday_before(from.days);
        const int weekday = norn_weekday(start);
        const int64_t days = add_product(weekday, step.count, steps);
        if (days >= INT64_MAX / 8) return INT64_MAX;
        to.days = start - weekday + days / 5 * 7 + days % 5;
    } else {
        to.days = add_product(from.days, step.count / NORN_DAY, steps);
    }
    const int64_t time = norn_time_from_local(style, to);
    return time > last ? time : add_product(last, 1, steps); /* only where a clock is put back by a day */
}
