/*
 * The step between rows: found from the differences of their times, named, given a season, and taken into the
 * future. Declared in calendar.h.
 *
 * Three ways to count a difference are tallied side by side: as a fixed span, as whole calendar months (same
 * day and hour, or both at the end of their month), and as business days. The way that explains the most
 * differences by one number wins; months win a tie, because four weeks of February are also a month.
 */
#include "data/calendar.h"

#include <stdio.h>

/* Different steps that are told apart. A file with more has no regular step, and the first ones to appear are
 * as good a sample as any. */
#define TALLY 1024

typedef struct tally {
    int64_t step[2 * TALLY]; /* open addressing; 0: free */
    uint64_t count[2 * TALLY];
    size_t used;
} tally;

struct norn_step_finder {
    norn_host host;
    norn_time_style style;
    uint64_t total;
    bool weekend;          /* some row is on a Saturday or a Sunday */
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

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Local time, where the whole file has one offset from UTC. */
static norn_moment split(const norn_time_style *style, int64_t time)
{
    return norn_moment_of(time, style->offset);
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
    const uint64_t wide = (uint64_t)after - (uint64_t)before; /* right even where int64 would overflow */
    const int64_t span = wide > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)wide;
    finder->total++;
    count(&finder->fixed, span);
    if (finder->style.form == NORN_FORM_INTEGER || finder->style.form == NORN_FORM_NONE) return;

    const norn_moment a = split(&finder->style, before), b = split(&finder->style, after);
    if (b.days - a.days >= 28) {
        const int64_t months = months_between(a, b);
        if (months > 0) count(&finder->months, months);
    }
    if (norn_weekday(a.days) > 4 || norn_weekday(b.days) > 4) {
        finder->weekend = true;
    } else if (!finder->weekend && a.rest == b.rest) {
        count(&finder->business, business_days_between(a.days, b.days));
        if (norn_weekday(a.days) == 4 && b.days - a.days == 3) finder->over_weekend++;
    }
}

norn_step norn_step_find(const norn_step_finder *finder, uint64_t *regular, uint64_t *total)
{
    static const norn_step finest[] = {
        [NORN_FORM_NONE] = {NORN_STEP_INTEGER, 1},
        [NORN_FORM_INTEGER] = {NORN_STEP_INTEGER, 1},
        [NORN_FORM_MONTH] = {NORN_STEP_MONTHS, 1},
        [NORN_FORM_DATE] = {NORN_STEP_MICROSECONDS, NORN_DAY},
        [NORN_FORM_COMPACT] = {NORN_STEP_MICROSECONDS, NORN_DAY},
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
    } else if (!finder->weekend && finder->over_weekend > 0 && business == 1 && by_business >= by_span) {
        step = (norn_step){NORN_STEP_BUSINESS_DAYS, 1};
        *regular = by_business;
    }
    return step;
}

/* ---- what a step suggests ---- */

size_t norn_step_season(norn_step step)
{
    static const struct {
        norn_step step;
        size_t season;
    } usual[] = {
        {{NORN_STEP_BUSINESS_DAYS, 1}, 5},
        {{NORN_STEP_MICROSECONDS, NORN_SECOND}, 60},
        {{NORN_STEP_MICROSECONDS, NORN_MINUTE}, 60},
        {{NORN_STEP_MICROSECONDS, NORN_DAY}, 7},
        {{NORN_STEP_MICROSECONDS, 7 * NORN_DAY}, 52},
    };
    for (size_t i = 0; i < NORN_COUNT(usual); i++)
        if (usual[i].step.unit == step.unit && usual[i].step.count == step.count) return usual[i].season;
    if (step.unit == NORN_STEP_MONTHS && step.count < 12 && 12 % step.count == 0)
        return (size_t)(12 / step.count);
    if (step.unit == NORN_STEP_MICROSECONDS && step.count < NORN_DAY && NORN_DAY % step.count == 0 &&
        NORN_DAY / step.count <= 1440)
        return (size_t)(NORN_DAY / step.count);
    return 1;
}

const char *norn_step_text(norn_step step, char *out, size_t size)
{
    static const struct {
        norn_step_unit unit;
        int64_t count;
        const char *name;
    } units[] = {
        /* the first that divides the step names it */
        {NORN_STEP_MONTHS, 12, "year"},
        {NORN_STEP_MONTHS, 3, "quarter"},
        {NORN_STEP_MONTHS, 1, "month"},
        {NORN_STEP_BUSINESS_DAYS, 1, "business day"},
        {NORN_STEP_MICROSECONDS, 7 * NORN_DAY, "week"},
        {NORN_STEP_MICROSECONDS, NORN_DAY, "day"},
        {NORN_STEP_MICROSECONDS, NORN_HOUR, "hour"},
        {NORN_STEP_MICROSECONDS, NORN_MINUTE, "minute"},
        {NORN_STEP_MICROSECONDS, NORN_SECOND, "second"},
        {NORN_STEP_MICROSECONDS, 1000, "millisecond"},
        {NORN_STEP_MICROSECONDS, 1, "microsecond"},
    };
    for (size_t i = 0; i < NORN_COUNT(units); i++) {
        if (units[i].unit != step.unit || step.count % units[i].count != 0) continue;
        const long long times = step.count / units[i].count;
        if (units[i].count == 3 && units[i].unit == NORN_STEP_MONTHS && times != 1)
            continue; /* nobody says 2 quarters */
        (void)snprintf(out, size, "%lld %s%s", times, units[i].name, times == 1 ? "" : "s");
        return out;
    }
    (void)snprintf(out, size, "%lld", (long long)step.count);
    return out;
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

static int64_t join(const norn_time_style *style, int64_t days, int64_t rest)
{
    if (days >= INT64_MAX / NORN_DAY - 1) return INT64_MAX;
    return days * NORN_DAY + rest - style->offset * NORN_MINUTE;
}

/* The day of the month the rows stand on, seen over a year of them, as some months are too short to show it;
 * 31 when all of them stand on their month's last day. */
static int month_day(const norn_time_style *style, const int64_t *times, size_t n)
{
    int day = 0;
    bool all_ends = true;
    for (size_t i = n > 12 ? n - 12 : 0; i < n; i++) {
        const norn_date date = norn_civil_from_days(split(style, times[i]).days);
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
    const norn_moment from = split(style, last);
    if (step.unit == NORN_STEP_MONTHS) {
        const norn_date date = norn_civil_from_days(from.days);
        const int64_t month = add_product(date.year * 12 + date.month - 1, step.count, steps);
        if (month > INT64_C(12) * 290000) return INT64_MAX; /* beyond what int64 microseconds hold */
        const int64_t year = floor_divide(month, 12);
        const int number = (int)(month - year * 12) + 1;
        const int longest = norn_days_in_month(year, number), day = month_day(style, times, n);
        return join(style, norn_days_from_civil(year, number, day < longest ? day : longest), from.rest);
    }
    if (step.unit == NORN_STEP_BUSINESS_DAYS) {
        const int weekday = norn_weekday(from.days);
        const int64_t start =
            from.days - (weekday > 4 ? weekday - 4 : 0); /* a weekend counts as its Friday */
        const int64_t days = add_product(weekday > 4 ? 4 : weekday, step.count, steps);
        if (days >= INT64_MAX / 8) return INT64_MAX;
        return join(style, start - (weekday > 4 ? 4 : weekday) + days / 5 * 7 + days % 5, from.rest);
    }
    return add_product(last, step.count, steps);
}
