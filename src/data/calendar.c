/*
 * Days, weeks and moments, and times as the clock of a style shows them, as declared in calendar.h.
 *
 * Days are counted in eras of 400 years, 146097 days each, with years that begin in March so that the leap
 * day comes last (H. Hinnant, "chrono-compatible low-level date algorithms").
 */
#include "data/pattern.h"

const char *const norn_month_names[12] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
const char *const norn_weekday_names[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};

int64_t norn_days_from_civil(int64_t year, int month, int day)
{
    const int64_t march_year = year - (month <= 2);
    const int64_t era = norn_floor_divide(march_year, 400);
    const int64_t year_of_era = march_year - era * 400;                                   /* 0 .. 399 */
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1; /* 0 .. 365 */
    const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468; /* 1970-01-01 is day 719468 after 0000-03-01 */
}

norn_date norn_civil_from_days(int64_t days)
{
    const int64_t shifted = days + 719468;
    const int64_t era = norn_floor_divide(shifted, 146097);
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int from_march = (int)((5 * day_of_year + 2) / 153); /* 0 March .. 11 February */
    norn_date date;
    date.day = (int)(day_of_year - (153 * from_march + 2) / 5) + 1;
    date.month = from_march < 10 ? from_march + 3 : from_march - 9;
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

int norn_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

int norn_weekday(int64_t days) /* 1970-01-01 was a Thursday */
{
    return (int)(days + 3 - 7 * norn_floor_divide(days + 3, 7));
}

int64_t norn_days_from_week(int64_t year, int week)
{
    const int64_t fourth = norn_days_from_civil(year, 1, 4); /* always of week 1 */
    return fourth - norn_weekday(fourth) + 7 * (week - 1);
}

void norn_week_from_days(int64_t days, int64_t *year, int *week)
{
    const int64_t thursday = days - norn_weekday(days) + 3; /* its year is the week's */
    *year = norn_civil_from_days(thursday).year;
    *week = (int)((thursday - norn_days_from_civil(*year, 1, 1)) / 7) + 1;
}

int norn_weeks_in_year(int64_t year)
{
    return (int)((norn_days_from_week(year + 1, 1) - norn_days_from_week(year, 1)) / 7);
}

/* ---- moments ---- */

/* `seconds` east of UTC, less than two days. */
static norn_moment moment_at(int64_t time, int64_t seconds)
{
    norn_moment moment = {norn_floor_divide(time, NORN_DAY), time % NORN_DAY};
    if (moment.rest < 0) moment.rest += NORN_DAY;
    moment.rest += seconds * NORN_SECOND;
    const int64_t over = norn_floor_divide(moment.rest, NORN_DAY);
    moment.days += over;
    moment.rest -= over * NORN_DAY;
    return moment;
}

norn_moment norn_moment_of(int64_t time, int offset)
{
    return moment_at(time, (int64_t)offset * 60);
}

/* The zone whose clock the style writes, or NULL where the offset of the cells, or UTC, holds. Cells that all
 * said the same offset go on with it; where it varied the zone tells which one comes next. */
static const norn_zone *clock_of(const norn_time_style *style)
{
    const bool told = style->has_offset && norn_pattern_find(style, NORN_ITEM_EPOCH) < 0;
    return style->form == NORN_FORM_CLOCK && (!told || style->offset_varies) ? style->zone : NULL;
}

norn_moment norn_time_local(const norn_time_style *style, int64_t time)
{
    const norn_zone *zone = clock_of(style);
    return moment_at(time, zone ? norn_zone_offset(zone, time) : (int64_t)style->offset * 60);
}

int64_t norn_time_from_local(const norn_time_style *style, norn_moment local)
{
    if (local.days >= INT64_MAX / NORN_DAY - 2) return INT64_MAX;
    if (local.days <= INT64_MIN / NORN_DAY + 2) return INT64_MIN;
    const norn_zone *zone = clock_of(style);
    const int64_t clock = local.days * NORN_DAY + local.rest;
    int64_t utc[2];
    if (!zone) return clock - style->offset * NORN_MINUTE;
    (void)norn_zone_of_local(zone, clock, utc);
    return utc[0];
}

/* ---- what was seen ---- */

bool norn_time_seen_join(norn_time_seen *all, const norn_time_seen *part)
{
    if (!part->any) return true;
    if (!all->any) {
        *all = *part;
        return true;
    }
    if (all->offset_given != part->offset_given) return false;
    if (all->fraction < part->fraction) all->fraction = part->fraction;
    all->offset_varies = all->offset_varies || part->offset_varies || all->offset != part->offset;
    if (!all->first_over_12) all->first_over_12 = part->first_over_12;
    if (!all->second_over_12) all->second_over_12 = part->second_over_12;
    all->figures_differ = all->figures_differ || part->figures_differ;
    all->zone_texts |= part->zone_texts;
    all->names |= part->names;
    all->short_items |= part->short_items;
    all->full_items |= part->full_items;
    return true;
}

void norn_pattern_take_seen(norn_time_style *style, const norn_time_seen *seen)
{
    if (!seen->any) return;
    style->fraction =
        (uint8_t)(seen->fraction > 9 && style->item[0].kind != NORN_ITEM_SERIAL ? 9 : seen->fraction);
    style->names = seen->names;
    style->offset = seen->offset_varies ? 0 : seen->offset;
    style->offset_varies = seen->offset_varies;
    /* an offset in figures says more than a letter, one with minutes more than one without */
    for (int text = NORN_ZONE_TEXT_Z; text <= NORN_ZONE_TEXT_HH_MM; text++)
        if (seen->zone_texts >> text & 1) style->zone_text = (uint8_t)text;
    for (int text = NORN_ZONE_TEXT_UTC; text <= NORN_ZONE_TEXT_GMT; text++)
        if (seen->zone_texts == 1 << text) style->zone_text = (uint8_t)text;
    for (size_t i = 0; i < style->items; i++) {
        norn_time_item *item = &style->item[i];
        if (item->least < item->most && seen->short_items >> i & 1) item->bare = !(seen->full_items >> i & 1);
    }
}
