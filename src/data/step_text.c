/*
 * Names of steps: what --frequency takes, what is said, and what season and style a step suggests. Declared
 * in step.h.
 */
#include "data/step.h"

#include <stdio.h>
#include <string.h>

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

norn_time_style norn_step_style(norn_step step)
{
    if (step.unit == NORN_STEP_INTEGER) return norn_time_style_iso(NORN_FORM_INTEGER, 0);
    if (step.unit != NORN_STEP_MICROSECONDS || step.count % NORN_DAY == 0)
        return norn_time_style_iso(NORN_FORM_DATE, 0);
    return norn_time_style_iso(NORN_FORM_CLOCK, step.count % NORN_SECOND == 0 ? 0 : 6);
}

/* ---- reading a step ---- */

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* Are both the same, in any case? */
static bool is_word(const char *text, const char *word)
{
    while (*word && lower(*text) == lower(*word)) text++, word++;
    return *word == '\0' && *text == '\0';
}

#define US NORN_STEP_MICROSECONDS

/* Words, in the singular; an s may follow. */
static const struct {
    const char *word;
    norn_step step;
} words[] = {
    {"microsecond", {US, 1}},
    {"millisecond", {US, 1000}},
    {"second", {US, NORN_SECOND}},
    {"sec", {US, NORN_SECOND}},
    {"minute", {US, NORN_MINUTE}},
    {"min", {US, NORN_MINUTE}},
    {"hour", {US, NORN_HOUR}},
    {"hr", {US, NORN_HOUR}},
    {"day", {US, NORN_DAY}},
    {"week", {US, 7 * NORN_DAY}},
    {"fortnight", {US, 14 * NORN_DAY}},
    {"business day", {NORN_STEP_BUSINESS_DAYS, 1}},
    {"trading day", {NORN_STEP_BUSINESS_DAYS, 1}},
    {"weekday", {NORN_STEP_BUSINESS_DAYS, 1}},
    {"month", {NORN_STEP_MONTHS, 1}},
    {"quarter", {NORN_STEP_MONTHS, 3}},
    {"year", {NORN_STEP_MONTHS, 12}},
};

/* How often, without a number before it; those of .tsf headers are among them. */
static const struct {
    const char *word;
    norn_step step;
} often[] = {
    {"secondly", {US, NORN_SECOND}},      {"minutely", {US, NORN_MINUTE}},
    {"half hourly", {US, NORN_HOUR / 2}}, {"half hour", {US, NORN_HOUR / 2}},
    {"hourly", {US, NORN_HOUR}},          {"daily", {US, NORN_DAY}},
    {"weekly", {US, 7 * NORN_DAY}},       {"monthly", {NORN_STEP_MONTHS, 1}},
    {"quarterly", {NORN_STEP_MONTHS, 3}}, {"yearly", {NORN_STEP_MONTHS, 12}},
    {"annual", {NORN_STEP_MONTHS, 12}},   {"annually", {NORN_STEP_MONTHS, 12}},
};

/* Aliases of pandas, as they are written there, old and new; those of weeks, quarters and years may be
 * followed by where they are anchored ("W-SUN", "QS-OCT"), which the times show themselves. */
static const struct {
    const char *alias;
    norn_step step;
    bool anchored;
} aliases[] = {
    {"us", {US, 1}, false},
    {"U", {US, 1}, false},
    {"ms", {US, 1000}, false},
    {"L", {US, 1000}, false},
    {"s", {US, NORN_SECOND}, false},
    {"S", {US, NORN_SECOND}, false},
    {"T", {US, NORN_MINUTE}, false},
    {"h", {US, NORN_HOUR}, false},
    {"H", {US, NORN_HOUR}, false},
    {"d", {US, NORN_DAY}, false},
    {"D", {US, NORN_DAY}, false},
    {"w", {US, 7 * NORN_DAY}, false},
    {"W", {US, 7 * NORN_DAY}, true},
    {"B", {NORN_STEP_BUSINESS_DAYS, 1}, false},
    {"C", {NORN_STEP_BUSINESS_DAYS, 1}, false},
    {"M", {NORN_STEP_MONTHS, 1}, false},
    {"ME", {NORN_STEP_MONTHS, 1}, false},
    {"MS", {NORN_STEP_MONTHS, 1}, false},
    {"BM", {NORN_STEP_MONTHS, 1}, false},
    {"BME", {NORN_STEP_MONTHS, 1}, false},
    {"BMS", {NORN_STEP_MONTHS, 1}, false},
    {"Q", {NORN_STEP_MONTHS, 3}, true},
    {"QE", {NORN_STEP_MONTHS, 3}, true},
    {"QS", {NORN_STEP_MONTHS, 3}, true},
    {"BQ", {NORN_STEP_MONTHS, 3}, true},
    {"BQE", {NORN_STEP_MONTHS, 3}, true},
    {"BQS", {NORN_STEP_MONTHS, 3}, true},
    {"y", {NORN_STEP_MONTHS, 12}, false},
    {"Y", {NORN_STEP_MONTHS, 12}, true},
    {"YE", {NORN_STEP_MONTHS, 12}, true},
    {"YS", {NORN_STEP_MONTHS, 12}, true},
    {"A", {NORN_STEP_MONTHS, 12}, true},
    {"AS", {NORN_STEP_MONTHS, 12}, true},
    {"BYE", {NORN_STEP_MONTHS, 12}, true},
    {"BYS", {NORN_STEP_MONTHS, 12}, true},
    {"BA", {NORN_STEP_MONTHS, 12}, true},
    {"BAS", {NORN_STEP_MONTHS, 12}, true},
};

/* -SUN or -OCT: three capitals. */
static bool is_anchor(const char *text)
{
    if (text[0] != '-') return false;
    for (int i = 1; i < 4; i++)
        if (text[i] < 'A' || text[i] > 'Z') return false;
    return text[4] == '\0';
}

/* What one unit is; `text` is lower case or not, blanks are single. */
static bool parse_unit(const char *text, bool counted, norn_step *unit)
{
    for (size_t i = 0; i < NORN_COUNT(aliases); i++) {
        const size_t length = strlen(aliases[i].alias);
        if (strncmp(text, aliases[i].alias, length) != 0) continue;
        if (text[length] != '\0' && !(aliases[i].anchored && is_anchor(text + length))) continue;
        *unit = aliases[i].step;
        return true;
    }
    for (size_t i = 0; i < NORN_COUNT(words); i++) {
        char plural[24];
        (void)snprintf(plural, sizeof plural, "%ss", words[i].word);
        if (!is_word(text, words[i].word) && !is_word(text, plural)) continue;
        *unit = words[i].step;
        return true;
    }
    for (size_t i = 0; !counted && i < NORN_COUNT(often); i++) {
        if (!is_word(text, often[i].word)) continue;
        *unit = often[i].step;
        return true;
    }
    return false;
}

bool norn_step_parse(const char *text, norn_step *step)
{
    /* blanks and underscores between words count as one blank */
    char words_of[48];
    size_t length = 0;
    for (; *text; text++) {
        const bool blank = *text == ' ' || *text == '\t' || *text == '_';
        if (blank && (length == 0 || words_of[length - 1] == ' ')) continue;
        if (length + 1 == sizeof words_of) return false;
        words_of[length++] = blank ? ' ' : *text;
    }
    if (length && words_of[length - 1] == ' ') length--;
    words_of[length] = '\0';

    const char *at = words_of;
    int64_t times = 0;
    const bool counted = *at >= '0' && *at <= '9';
    for (; *at >= '0' && *at <= '9'; at++) {
        if (times > (INT64_MAX - (*at - '0')) / 10) return false;
        times = times * 10 + (*at - '0');
    }
    if (!counted) times = 1;
    if (times < 1) return false;
    if (*at == ' ') at++;
    norn_step unit = {NORN_STEP_INTEGER, 1};
    if (*at == '\0' ? !counted : !parse_unit(at, counted, &unit)) return false;
    if (times > INT64_MAX / unit.count) return false;
    *step = (norn_step){unit.unit, times * unit.count};
    return true;
}
