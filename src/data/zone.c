/*
 * Time zones, as declared in zone.h: TZif files (RFC 8536, version 4 in RFC 9636) and the POSIX rule in their
 * footer.
 *
 * A zone is a row of segments, each with one offset from UTC: the times before the table, those between its
 * changes, and behind it the segments of the rule, which are worked out year by year. Everything in a file is
 * checked before it is believed.
 */
#include "data/zone.h"

#include "data/pattern.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400
#define MOST_EAST   93599 /* RFC 8536: offsets lie between -24:59:59 and 25:59:59 */
#define MOST_WEST   (-89999)
#define MOST_BYTES  (256 * 1024) /* of a file; the largest of the system has 4 KiB */
#define MOST_TIMES  8192
#define NAME_BYTES  64

/* The rule is laid out in the table for the years in which files lie: asking it is ten times slower. */
#define LAID_OUT_FROM 1900
#define LAID_OUT_TO   2100
#define LAID_OUT_ROOM (2 * (LAID_OUT_TO - LAID_OUT_FROM + 1))

/* A day of each year and a time of it: M3.5.0/2, J60, 59. */
typedef struct rule_day {
    char kind; /* 'M', 'J' or 0 */
    int month, week, day;
    int32_t seconds; /* of local time */
} rule_day;

typedef struct rule {
    int32_t standard, daylight; /* seconds east of UTC */
    bool changes;               /* daylight time from `start` to `end` */
    rule_day start, end;
} rule;

struct norn_zone {
    norn_host host;
    char name[NAME_BYTES];
    size_t room;      /* for changes */
    size_t count;     /* of changes */
    int64_t *at;      /* [room] seconds since 1970 UTC, rising */
    int32_t *offset;  /* [room] from then on */
    int32_t earliest; /* before the first change */
    bool has_rule;    /* behind the last */
    rule rule;
};

/* Offset in force from `from` up to before `to`, seconds. */
typedef struct segment {
    int64_t from, to;
    int32_t offset;
} segment;

/* ---- asking ---- */

/* Seconds of local time, since 1970, at which the rule's day begins to hold in a year. */
static int64_t rule_time(const rule_day *day, int64_t year)
{
    int64_t days;
    if (day->kind == 'M') {
        const int64_t first = norn_days_from_civil(year, day->month, 1);
        const int sunday_first = (norn_weekday(first) + 1) % 7; /* 0 Sunday, as the rule counts */
        int64_t in_month = (day->day - sunday_first + 7) % 7 + 7 * (day->week - 1);
        if (in_month >= norn_days_in_month(year, day->month)) in_month -= 7; /* week 5 is the last */
        days = first + in_month;
    } else {
        const bool leap = norn_days_in_month(year, 2) == 29;
        days = norn_days_from_civil(year, 1, 1) + day->day;
        if (day->kind == 'J') days += (leap && day->day >= 60) - 1; /* 29 February is never counted */
    }
    return days * DAY_SECONDS + day->seconds;
}

/* The segment of the rule around a moment. */
static segment rule_segment(const rule *r, int64_t time)
{
    segment found = {INT64_MIN, INT64_MAX, r->standard};
    if (!r->changes) return found;
    const int64_t year = norn_civil_from_days(norn_floor_divide(time, DAY_SECONDS)).year;
    /* A rule's time may lie up to a week from its day; the years around are enough. Of two changes at one
     * moment, as with daylight time all year, the one to daylight time holds: it comes last. */
    for (int64_t y = year - 1; y <= year + 1; y++) {
        const int64_t end = rule_time(&r->end, y) - r->daylight,
                      start = rule_time(&r->start, y) - r->standard;
        if (end <= time && end >= found.from) {
            found.from = end;
            found.offset = r->standard;
        }
        if (start <= time && start >= found.from) {
            found.from = start;
            found.offset = r->daylight;
        }
        if (end > time && end < found.to) found.to = end;
        if (start > time && start < found.to) found.to = start;
    }
    return found;
}

static segment segment_of(const norn_zone *zone, int64_t time)
{
    if (zone->count == 0) {
        if (zone->has_rule) return rule_segment(&zone->rule, time);
        return (segment){INT64_MIN, INT64_MAX, zone->earliest};
    }
    const size_t last = zone->count - 1;
    if (time < zone->at[0]) return (segment){INT64_MIN, zone->at[0], zone->earliest};
    if (time >= zone->at[last]) {
        if (!zone->has_rule) return (segment){zone->at[last], INT64_MAX, zone->offset[last]};
        segment behind = rule_segment(&zone->rule, time);
        if (behind.from < zone->at[last]) behind.from = zone->at[last];
        return behind;
    }
    size_t low = 0, high = last; /* at[low] <= time < at[high] */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= time)
            low = middle;
        else
            high = middle;
    }
    return (segment){zone->at[low], zone->at[high], zone->offset[low]};
}

int32_t norn_zone_offset(const norn_zone *zone, int64_t time_us)
{
    return segment_of(zone, norn_floor_divide(time_us, NORN_SECOND)).offset;
}

/* seconds and microseconds together, at most what int64 holds. */
static int64_t micros(int64_t seconds, int64_t rest)
{
    if (seconds >= INT64_MAX / NORN_SECOND) return INT64_MAX;
    if (seconds <= INT64_MIN / NORN_SECOND) return INT64_MIN;
    return seconds * NORN_SECOND + rest;
}

int norn_zone_of_local(const norn_zone *zone, int64_t local_us, int64_t utc[2])
{
    const int64_t local = norn_floor_divide(local_us, NORN_SECOND), rest = local_us - local * NORN_SECOND;
    const int64_t horizon = local - MOST_WEST; /* the clock shows something later than `local` from here on */
    segment now = segment_of(zone, local - MOST_EAST - 1);
    int moments = 0;
    int64_t jump = 0;
    for (;;) {
        const int64_t moment = local - now.offset;
        if (moment >= now.from && moment < now.to) {
            utc[moments++] = micros(moment, rest);
            if (moments == 2) return 2;
        }
        if (now.to > horizon) break;
        const segment next = segment_of(zone, now.to);
        if (moment >= next.from && local - next.offset < next.from) jump = next.from;
        now = next;
    }
    if (moments == 0) utc[0] = micros(jump, 0);
    return moments;
}

const char *norn_zone_name(const norn_zone *zone)
{
    return zone->name;
}

/* ---- the rule: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

typedef struct cursor {
    const char *at, *end;
} cursor;

static bool take(cursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte) return false;
    c->at++;
    return true;
}

static bool take_number(cursor *c, int least, int most, int *value)
{
    int sum = 0, digits = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9' && digits < 4; c->at++, digits++)
        sum = sum * 10 + (*c->at - '0');
    *value = sum;
    return digits > 0 && sum >= least && sum <= most;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(cursor *c, int most_hours, int32_t *seconds)
{
    const bool negative = take(c, '-');
    int part[3] = {0, 0, 0};
    if (!negative) (void)take(c, '+');
    if (!take_number(c, 0, most_hours, &part[0])) return false;
    for (int i = 1; i < 3 && take(c, ':'); i++)
        if (!take_number(c, 0, 59, &part[i])) return false;
    const int32_t sum = part[0] * 3600 + part[1] * 60 + part[2];
    *seconds = negative ? -sum : sum;
    return true;
}

/* CEST or <+0330>. */
static bool take_name(cursor *c)
{
    const bool quoted = take(c, '<');
    const char *from = c->at;
    for (; c->at < c->end; c->at++) {
        const char byte = *c->at;
        const bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        if (!letter && !(quoted && ((byte >= '0' && byte <= '9') || byte == '+' || byte == '-'))) break;
    }
    return c->at - from >= 3 && (!quoted || take(c, '>'));
}

static bool take_day(cursor *c, rule_day *day)
{
    *day = (rule_day){.seconds = 2 * 3600};
    if (take(c, 'M')) {
        day->kind = 'M';
        if (!take_number(c, 1, 12, &day->month) || !take(c, '.') || !take_number(c, 1, 5, &day->week) ||
            !take(c, '.') || !take_number(c, 0, 6, &day->day))
            return false;
    } else if (take(c, 'J')) {
        day->kind = 'J';
        if (!take_number(c, 1, 365, &day->day)) return false;
    } else if (!take_number(c, 0, 365, &day->day)) {
        return false;
    }
    return !take(c, '/') || take_time(c, 167, &day->seconds); /* a week, since version 3 */
}

static bool parse_rule(const char *text, size_t length, rule *r)
{
    cursor c = {text, text + length};
    int32_t west;
    *r = (rule){.changes = false};
    if (!take_name(&c) || !take_time(&c, 24, &west)) return false;
    r->standard = -west;
    if (c.at == c.end) return true;
    r->changes = true;
    r->daylight = r->standard + 3600;
    if (!take_name(&c)) return false;
    if (c.at < c.end && *c.at != ',') {
        if (!take_time(&c, 24, &west)) return false;
        r->daylight = -west;
    }
    return take(&c, ',') && take_day(&c, &r->start) && take(&c, ',') && take_day(&c, &r->end) &&
           c.at == c.end; /* and at most 25:59:59 east, as no offset says more than 24:59:59 */
}

/* ---- the file ---- */

typedef struct header {
    int version;
    size_t ut_count, std_count, leaps, times, types, chars;
} header;

#define HEADER_BYTES 44

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) value = value << 8 | bytes[i];
    return value;
}

/* Two's complement of 32 or 64 bits. */
static int64_t big_endian_signed(const unsigned char *bytes, size_t count)
{
    const uint64_t value = big_endian(bytes, count), sign = UINT64_C(1) << (8 * count - 1);
    return value & sign ? -(int64_t)(sign - (value & (sign - 1)) - 1) - 1 : (int64_t)value;
}

static bool read_header(const unsigned char *bytes, size_t size, header *h)
{
    if (size < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0) return false;
    h->version = bytes[4] == 0 ? 1 : bytes[4] - '0';
    size_t *const counts[] = {&h->ut_count, &h->std_count, &h->leaps, &h->times, &h->types, &h->chars};
    for (size_t i = 0; i < NORN_COUNT(counts); i++) *counts[i] = (size_t)big_endian(bytes + 20 + 4 * i, 4);
    return h->version >= 1 && h->ut_count <= MOST_BYTES && h->std_count <= MOST_BYTES &&
           h->leaps <= MOST_BYTES && h->times <= MOST_TIMES && h->types >= 1 && h->types <= 256 &&
           h->chars <= MOST_BYTES;
}

static size_t block_bytes(const header *h, size_t width)
{
    return h->times * (width + 1) + h->types * 6 + h->chars + h->leaps * (width + 4) + h->std_count +
           h->ut_count;
}

/* The changes of a data block whose times are `width` bytes wide. NULL, or what is wrong with it. */
static const char *read_block(norn_zone *zone, const unsigned char *bytes, const header *h, size_t width)
{
    const unsigned char *kinds = bytes + h->times * width, *types = kinds + h->times;
    for (size_t i = 0; i < h->types; i++) {
        const int64_t offset = big_endian_signed(types + 6 * i, 4);
        if (offset < MOST_WEST || offset > MOST_EAST) return "an offset of more than a day";
    }
    if (h->leaps) return "it counts leap seconds";
    zone->earliest = (int32_t)big_endian_signed(types, 4);
    for (size_t i = 0; i < h->times; i++) {
        zone->at[i] = big_endian_signed(bytes + i * width, width);
        if (i > 0 && zone->at[i] <= zone->at[i - 1]) return "changes out of order";
        if (kinds[i] >= h->types) return "a change to nothing";
        zone->offset[i] = (int32_t)big_endian_signed(types + 6 * kinds[i], 4);
    }
    zone->count = h->times;
    return NULL;
}

/* Carries the table on by the rule. */
static void lay_out(norn_zone *zone)
{
    if (!zone->has_rule || zone->count == 0) return;
    const int64_t last = zone->at[zone->count - 1];
    const int64_t end = norn_days_from_civil(LAID_OUT_TO, 1, 1) * DAY_SECONDS;
    if (last < norn_days_from_civil(LAID_OUT_FROM, 1, 1) * DAY_SECONDS || last >= end) return;
    segment now = rule_segment(&zone->rule, last);
    zone->offset[zone->count - 1] = now.offset; /* as behind the table */
    while (now.to < end && zone->count < zone->room) {
        now = rule_segment(&zone->rule, now.to);
        zone->at[zone->count] = now.from;
        zone->offset[zone->count++] = now.offset;
    }
}

/* A zone without changes, with room for some; NULL: out of memory. */
static norn_zone *new_zone(const char *name, size_t room, const norn_host *host)
{
    norn_zone *zone = norn_new(host, 1, sizeof *zone);
    if (!zone) return NULL;
    zone->host = *host;
    zone->room = room;
    (void)snprintf(zone->name, sizeof zone->name, "%s", name);
    if (room == 0) return zone;
    zone->at = norn_new(host, room, sizeof *zone->at);
    zone->offset = norn_new(host, room, sizeof *zone->offset);
    if (zone->at && zone->offset) return zone;
    norn_zone_free(zone);
    return NULL;
}

void norn_zone_free(norn_zone *zone)
{
    if (!zone) return;
    const norn_host host = zone->host;
    norn_delete(&host, zone->at, zone->room, sizeof *zone->at);
    norn_delete(&host, zone->offset, zone->room, sizeof *zone->offset);
    norn_delete(&host, zone, 1, sizeof *zone);
}

norn_status norn_zone_parse(norn_zone **out, const char *name, const void *bytes, size_t size,
                            const norn_host *host, norn_error *err)
{
    const norn_host copy = norn_host_copy(host);
    const unsigned char *at = bytes, *const end = at + size;
    const char *wrong = "it is no compiled time zone";
    char quoted[4 * NAME_BYTES];
    header h;
    norn_zone *zone = NULL;
    size_t width = 4;

    if (size > MOST_BYTES || !read_header(at, size, &h)) goto refuse;
    wrong = "it ends early";
    if ((size_t)(end - at) - HEADER_BYTES < block_bytes(&h, width)) goto refuse;
    if (h.version >= 2) { /* the same again with times of 64 bits, and the rule */
        at += HEADER_BYTES + block_bytes(&h, width);
        width = 8;
        if (!read_header(at, (size_t)(end - at), &h)) goto refuse;
        if ((size_t)(end - at) - HEADER_BYTES < block_bytes(&h, width)) goto refuse;
    }
    at += HEADER_BYTES;
    zone = new_zone(name, h.times + LAID_OUT_ROOM, &copy);
    if (!zone) return norn_fail_memory(err, "a time zone");
    wrong = read_block(zone, at, &h, width);
    if (wrong) goto refuse;
    at += block_bytes(&h, width);
    if (width == 8) {
        wrong = "its rule cannot be read";
        if (at == end || *at++ != '\n') goto refuse;
        const unsigned char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline) goto refuse;
        zone->has_rule = newline > at;
        if (zone->has_rule && !parse_rule((const char *)at, (size_t)(newline - at), &zone->rule)) goto refuse;
        lay_out(zone);
    }
    *out = zone;
    return NORN_OK;
refuse:
    norn_zone_free(zone);
    return norn_fail(
        err, NORN_ERR_USAGE,
        "the system's file of the time zone \"%s\" cannot be used: %s (give another to --tz, or an offset "
        "like +02:00)",
        norn_quote(quoted, sizeof quoted, name, strlen(name), NAME_BYTES), wrong);
}

/* ---- names ---- */

/* +02:00, -0530, +02, and UTC. */
static bool parse_fixed(const char *name, int32_t *offset)
{
    cursor c = {name, name + strlen(name)};
    *offset = 0;
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0) return true;
    const bool west = take(&c, '-');
    int figures[4] = {0, 0, 0, 0}, count = 0;
    if (!west && !take(&c, '+')) return false;
    for (; c.at < c.end && count < 4; c.at++) {
        if (*c.at == ':' && count == 2 && c.end - c.at == 3) continue;
        if (*c.at < '0' || *c.at > '9') return false;
        figures[count++] = *c.at - '0';
    }
    const int hours = figures[0] * 10 + figures[1], minutes = figures[2] * 10 + figures[3];
    if (c.at != c.end || count % 2 || count == 0 || hours > 15 || minutes > 59) return false;
    *offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

/* Letters, digits, _ + - and single slashes between: a name cannot lead out of the database. */
static bool is_name(const char *name)
{
    const size_t length = strlen(name);
    if (length == 0 || length >= NAME_BYTES || name[0] == '/' || name[length - 1] == '/') return false;
    for (size_t i = 0; i < length; i++) {
        const char byte = name[i];
        const bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        if (!letter && !(byte >= '0' && byte <= '9') && !strchr("_+-/", byte)) return false;
        if (byte == '/' && name[i + 1] == '/') return false;
    }
    return true;
}

static const char *const places[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"};

/* The content of a file, at most MOST_BYTES + 1 bytes of it. 0: it is not there, or is no file. */
static size_t read_place(const char *place, const char *name, unsigned char *bytes)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", place, name);
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t size = fread(bytes, 1, MOST_BYTES + 1, file);
    if (ferror(file)) size = 0; /* a folder, as Europe */
    (void)fclose(file);
    return size;
}

norn_status norn_zone_open(norn_zone **out, const char *name, const norn_host *host, norn_error *err)
{
    const norn_host copy = norn_host_copy(host);
    int32_t fixed;
    if (parse_fixed(name, &fixed)) {
        norn_zone *zone = new_zone(name, 0, &copy);
        if (!zone) return norn_fail_memory(err, "a time zone");
        zone->earliest = fixed;
        *out = zone;
        return NORN_OK;
    }
    unsigned char *bytes = norn_new(&copy, MOST_BYTES + 1, 1);
    if (!bytes) return norn_fail_memory(err, "a time zone");
    norn_status status;
    size_t size = 0;
    bool database = false;
    for (size_t i = 0; size == 0 && i < NORN_COUNT(places); i++) {
        if (is_name(name)) size = read_place(places[i], name, bytes);
        if (size == 0 && read_place(places[i], "UTC", bytes) > 0) database = true;
    }
    if (size > 0) {
        status = norn_zone_parse(out, name, bytes, size, &copy, err);
    } else {
        char quoted[4 * NAME_BYTES];
        status = norn_fail(
            err, NORN_ERR_USAGE,
            database ? "no time zone is called \"%s\" (--tz takes a name like Europe/Amsterdam, UTC, or an "
                       "offset like +02:00)"
                     : "the system has no time zones to look \"%s\" up in (install tzdata, or give --tz an "
                       "offset like +02:00)",
            norn_quote(quoted, sizeof quoted, name, strlen(name), NAME_BYTES));
    }
    norn_delete(&copy, bytes, MOST_BYTES + 1, 1);
    return status;
}
