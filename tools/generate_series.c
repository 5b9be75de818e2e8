/*
 * Writes the synthetic series of datasets/, and wide files of any length, to stdout:
 *
 *     cc -o generate_series tools/generate_series.c
 *     ./generate_series hourly_load > datasets/hourly_load.csv
 *     ./generate_series wide 1000000 32 > wide.csv
 *
 * All arithmetic is on integers, from the random bits to the printed digits, so that every compiler and every
 * C library writes the same bytes; a test compares them with the files of datasets/. Values are in
 * thousandths of what is printed ("milli"), unless said otherwise.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- random numbers -------------------------------------------------------------------------------------
 */

/* splitmix64 (Steele, Lea and Flood 2014): one addition and a mixing of its sum. */
static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Nearly normal with mean 0: a sum of twelve uniform numbers has variance 1, hence no logarithm is needed. */
static int64_t random_normal(uint64_t *state, int64_t deviation)
{
    int64_t sum = -6 * 65536;
    for (int word = 0; word < 3; word++) {
        const uint64_t bits = random_bits(state);
        for (int part = 0; part < 4; part++) sum += (int64_t)(bits >> (16 * part) & 0xffff);
    }
    return sum * deviation / 65536;
}

/* ---- dates and numbers as text ---------------------------------------------------------------------------
 */

typedef struct date {
    int year, month, day;
    int weekday; /* 0 Monday to 6 Sunday */
} date;

static int is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static void next_day(date *d)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    d->weekday = (d->weekday + 1) % 7;
    if (++d->day <= lengths[d->month - 1] + (d->month == 2 && is_leap(d->year))) return;
    d->day = 1;
    if (++d->month <= 12) return;
    d->month = 1;
    d->year++;
}

/* A value in milli with the given number of decimals (0 to 3), rounded half away from zero. */
static void print_milli(int64_t value, int decimals)
{
    static const int64_t divisors[] = {1000, 100, 10, 1}, units[] = {1, 10, 100, 1000};
    const int64_t half = divisors[decimals] / 2;
    const int64_t rounded = (value + (value < 0 ? -half : half)) / divisors[decimals];
    const int64_t size = rounded < 0 ? -rounded : rounded;
    printf("%s%" PRId64, rounded < 0 ? "-" : "", size / units[decimals]);
    if (decimals) printf(".%0*" PRId64, decimals, size % units[decimals]);
}

/* ---- the series
 * -------------------------------------------------------------------------------------------- */

/* The shape of a season: a point of it and its value there; in between the value runs straight. */
typedef struct point {
    int at;
    int64_t value;
} point;

static int64_t between(const point *shape, size_t count, int at)
{
    size_t i = 1;
    while (i + 1 < count && shape[i].at <= at) i++;
    const point a = shape[i - 1], b = shape[i];
    return a.value + (b.value - a.value) * (at - a.at) / (b.at - a.at);
}

/* Ten weeks of electricity demand of a town, by the hour: a morning and an evening peak, low weekends, more
 * load when it is cold, and noise that remembers the hour before. The last two columns: degrees Celsius,
 * megawatts. */
static void hourly_load(void)
{
    static const point working_day[] = {{0, 41000},  {4, 36000},  {7, 58000},  {9, 64000},
                                        {14, 60000}, {18, 72000}, {20, 66000}, {24, 41000}};
    static const point weekend_day[] = {{0, 42000},  {5, 34000},  {10, 47000}, {13, 51000},
                                        {16, 47000}, {19, 60000}, {24, 42000}};
    static const point warmth[] = {{0, -1500}, {5, -3000}, {14, 3500}, {20, 500}, {24, -1500}};
    uint64_t random = 1;
    int64_t weather = 0, noise = 0;
    date d = {2024, 1, 1, 0};
    printf("timestamp,temperature,load\n");
    for (int row = 0; row < 10 * 7 * 24; row++) {
        const int hour = row % 24;
        weather = weather * 99 / 100 + random_normal(&random, 450);
        noise = noise * 7 / 10 + random_normal(&random, 700);
        const int64_t temperature = 4000 + weather + between(warmth, COUNT(warmth), hour);
        int64_t load = d.weekday < 5 ? between(working_day, COUNT(working_day), hour)
                                     : between(weekend_day, COUNT(weekend_day), hour);
        load += (8000 - temperature) * 6 / 10 + noise;
        printf("%04d-%02d-%02d %02d:00,", d.year, d.month, d.day, hour);
        print_milli(temperature, 1);
        printf(",");
        print_milli(load, 2);
        printf("\n");
        if (hour == 23) next_day(&d);
    }
}

/* 730 days of sales of three shops of one town, in long format: the same week and the same demand,
 * which comes and goes slowly, at three sizes and with noise of their own. */
static void shop_sales(void)
{
    static const int64_t week[] = {820, 860, 900, 960, 1250, 1480, 730}; /* thousandths of the mean day */
    static const struct {
        const char *name;
        int64_t mean, growth; /* a day; more a year */
    } shops[] = {{"harbour", 240000, 18000}, {"market", 130000, 9000}, {"station", 310000, -12000}};
    printf("unique_id,ds,y\n");
    for (size_t shop = 0; shop < COUNT(shops); shop++) {
        uint64_t random_demand = 2,
                 random = 20 + shop; /* the demand is drawn anew for each shop, the same one */
        int64_t demand = 0, noise = 0;
        date d = {2023, 1, 1, 6};
        for (int row = 0; row < 2 * 365; row++) {
            demand = demand * 97 / 100 + random_normal(&random_demand, 22);
            noise = noise / 2 + random_normal(&random, 45);
            const int64_t mean = shops[shop].mean + shops[shop].growth * row / 365;
            printf("%s,%04d-%02d-%02d,", shops[shop].name, d.year, d.month, d.day);
            print_milli(mean * week[d.weekday] / 1000 * (1000 + demand + noise) / 1000, 0);
            printf("\n");
            next_day(&d);
        }
    }
}

/* Three years of closing prices on business days: a random walk, 0.9 percent a day. Nothing forecasts it
 * better than its last value; it is here to see whether a forecaster knows. */
static void business_prices(void)
{
    uint64_t random = 3;
    int64_t price = 100000000; /* millionths, so that small steps do not round away */
    date d = {2022, 1, 3, 0};
    printf("date,close\n");
    for (int row = 0; row < 780; next_day(&d)) {
        if (d.weekday > 4) continue;
        price += price / 100000 * random_normal(&random, 900);
        printf("%04d-%02d-%02d,", d.year, d.month, d.day);
        print_milli(price / 1000, 2);
        printf("\n");
        row++;
    }
}

/* A large file: `rows` seconds by `columns` columns, a target y and covariates x1, x2, ... A target follows
 * the first covariate ten rows later, so that there is something to learn. */
static void wide(long rows, long columns)
{
    static const point wave[] = {{0, 0}, {15, 10000}, {45, -10000}, {60, 0}};
    uint64_t random = 4;
    int64_t late[10] = {0};
    date d = {2020, 1, 1, 2};
    printf("time,y");
    for (long column = 1; column < columns; column++) printf(",x%ld", column);
    printf("\n");
    for (long row = 0; row < rows; row++) {
        const int second = (int)(row % 86400);
        const int64_t first = random_normal(&random, 5000);
        printf("%04d-%02d-%02d %02d:%02d:%02d,", d.year, d.month, d.day, second / 3600, second / 60 % 60,
               second % 60);
        print_milli(between(wave, COUNT(wave), second % 60) + late[row % 10] + random_normal(&random, 500),
                    3);
        late[row % 10] = first;
        for (long column = 1; column < columns; column++) {
            printf(",");
            print_milli(column == 1 ? first : random_normal(&random, 1000), 3);
        }
        printf("\n");
        if (second == 86399) next_day(&d);
    }
}

/* ---- the command
 * ------------------------------------------------------------------------------------------- */

/* A whole number from `low` to a milliard, or -1. */
static long number(const char *text, long low)
{
    char *end;
    const long value = strtol(text, &end, 10);
    return *text && !*end && value >= low && value <= 1000000000 ? value : -1;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(void);
    } files[] = {
        {"hourly_load", hourly_load},
        {"shop_sales", shop_sales},
        {"business_prices", business_prices},
    };
    size_t file = COUNT(files);
    if (argc == 2) {
        for (file = 0; file < COUNT(files) && strcmp(argv[1], files[file].name) != 0;) file++;
    }
    if (file < COUNT(files)) {
        files[file].write();
    } else if (argc == 4 && strcmp(argv[1], "wide") == 0 && number(argv[2], 1) > 0 &&
               number(argv[3], 1) > 0) {
        wide(number(argv[2], 1), number(argv[3], 1));
    } else {
        fprintf(stderr, "usage: generate_series NAME > FILE, where NAME is\n");
        for (size_t i = 0; i < COUNT(files); i++) fprintf(stderr, "    %s\n", files[i].name);
        fprintf(stderr, "    wide ROWS COLUMNS    a target and COLUMNS - 1 covariates by the second\n");
        return 64; /* EX_USAGE */
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("generate_series");
        return 74; /* EX_IOERR */
    }
    return 0;
}
