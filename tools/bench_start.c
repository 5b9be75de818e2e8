/*
 * How long a small forecast takes from the start of the process to its end: with kernels in the driver's
 * cache (warm) and with none (cold). Run by tools/bench start.
 *
 *     norn_bench_start NORN FILE ROUNDS [OTHER]
 *
 * Every round runs `NORN forecast FILE` cold, warm three times, and OTHER, a shell command to compare with.
 * What a run spends on training is the profile's own "waiting for the device", "training, on the host" and
 * "copying to the device" of the warm runs; a cold run trains as long, but the driver compiles while it
 * waits, so the median of the warm ones is taken off both. The profile explains what its parts add up to, of
 * the whole process by the clock outside it.
 */
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 64, WARM = 3, MOST = MOST_ROUNDS * WARM, MOST_PARTS = 32 };

typedef struct sample {
    double wall, training; /* seconds: of the process; of it in training */
    double parts, whole;   /* that the profile's parts have; that it has measured */
} sample;

typedef struct part {
    char name[48];
    double seconds[MOST];
} part;

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *at)
{
    (void)s;
    (void)type;
    (void)at;
    return remove(path);
}

/* Seconds from the fork to the end of the program; its output is dropped. */
static double run(char *const argv[], const char *cache)
{
    const double begin = now();
    const pid_t child = fork();
    int status = 0;
    if (child < 0) fail("fork");
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        if (cache) (void)setenv("POCL_CACHE_DIR", cache, 1);
        (void)execvp(argv[0], argv);
        _exit(127);
    }
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    const double seconds = now() - begin;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (void)fprintf(stderr, "bench: %s failed\n", argv[0]);
        exit(EXIT_FAILURE);
    }
    return seconds;
}

static bool trains(const char *name)
{
    static const char *const names[] = {"waiting for the device", "training, on the host",
                                        "copying to the device"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* Reads the profile into the sample, and its parts into the table as the at-th of theirs. */
static void read_profile(const char *path, sample *out, part *parts, size_t *count, size_t at)
{
    json_error_t trouble;
    json_t *root = json_load_file(path, 0, &trouble), *one = NULL;
    size_t i = 0;
    if (!root) {
        (void)fprintf(stderr, "bench: %s:%d: %s\n", path, trouble.line, trouble.text);
        exit(EXIT_FAILURE);
    }
    out->whole = json_number_value(json_object_get(root, "seconds"));
    json_array_foreach(json_object_get(root, "parts"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const double seconds = json_number_value(json_object_get(one, "seconds"));
        size_t k = 0;
        if (!name) continue;
        out->parts += seconds;
        if (trains(name)) out->training += seconds;
        while (k < *count && strcmp(parts[k].name, name) != 0) k++;
        if (k == MOST_PARTS) continue;
        if (k == *count) (void)snprintf(parts[(*count)++].name, sizeof parts[k].name, "%s", name);
        parts[k].seconds[at] = seconds;
    }
    json_decref(root);
}

static double median_of(const double *values, size_t n)
{
    double sorted[MOST];
    memcpy(sorted, values, n * sizeof *values);
    qsort(sorted, n, sizeof *sorted, ascending);
    return sorted[n / 2];
}

/* higher: a bar from below. Counts in met and all. */
static void put_line(const char *what, const double *values, size_t n, double scale, const char *unit,
                     double bar, bool higher, int *met, int *all)
{
    double sorted[MOST];
    memcpy(sorted, values, n * sizeof *values);
    qsort(sorted, n, sizeof *sorted, ascending);
    const double median = sorted[n / 2], half = 0.5 * (sorted[3 * n / 4] - sorted[n / 4]);
    (void)printf("%-38s %9.3f %9.3f +-%6.3f %-3s", what, scale * sorted[higher ? n - 1 : 0], scale * median,
                 scale * half, unit);
    if (bar > 0.0) {
        const bool kept = higher ? median >= bar : median <= bar;
        (void)printf(" (%g %s)", scale * bar, kept ? "met" : "missed");
        *all += 1;
        *met += kept;
    }
    (void)printf("\n");
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: norn_bench_start NORN FILE ROUNDS [OTHER]\n");
        return EXIT_FAILURE;
    }
    char warm[] = "/tmp/norn-bench-warm-XXXXXX", cold[64], json[80], flag[] = "--profile-json";
    char forecast[] = "forecast", quiet[] = "--quiet", shell[] = "sh", shell_flag[] = "-c";
    char *const command[] = {argv[1], forecast, argv[2], quiet, flag, json, NULL};
    char *const other[] = {shell, shell_flag, argc > 4 ? argv[4] : NULL, NULL};
    const int told = atoi(argv[3]);
    const size_t rounds = told < 1 ? 1 : told > MOST_ROUNDS ? MOST_ROUNDS : (size_t)told;
    static sample hot[MOST], icy[MOST_ROUNDS];
    static part parts[MOST_PARTS];
    double values[MOST], theirs[MOST_ROUNDS], trained[MOST];
    size_t part_count = 0, hots = 0;
    int met = 0, all = 0;
    if (!mkdtemp(warm)) fail("mkdtemp");
    (void)snprintf(json, sizeof json, "%s/profile.json", warm);
    (void)run(command, warm);
    if (other[2]) (void)run(other, NULL);
    for (size_t r = 0; r < rounds; r++) {
        (void)snprintf(cold, sizeof cold, "/tmp/norn-bench-cold-XXXXXX");
        if (!mkdtemp(cold)) fail("mkdtemp");
        icy[r].wall = run(command, cold);
        (void)nftw(cold, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        for (size_t i = 0; i < WARM; i++, hots++) {
            hot[hots].wall = run(command, warm);
            read_profile(json, &hot[hots], parts, &part_count, hots);
            trained[hots] = hot[hots].training;
        }
        theirs[r] = other[2] ? run(other, NULL) : 0.0;
    }
    (void)nftw(warm, remove_one, 16, FTW_DEPTH | FTW_PHYS);

    const double training = median_of(trained, hots);
    (void)printf("\nnorn forecast %s, the whole process; %zu rounds of a cold and %d warm\n%-38s %9s %9s\n",
                 argv[2], rounds, (int)WARM, "", "best", "median");
    for (size_t i = 0; i < hots; i++) values[i] = hot[i].wall;
    put_line("warm, in all", values, hots, 1.0, "s", 1.0, false, &met, &all);
    for (size_t i = 0; i < hots; i++) values[i] = hot[i].wall - hot[i].training;
    put_line("warm, outside training", values, hots, 1.0, "s", 0.1, false, &met, &all);
    put_line("  of it in training", trained, hots, 1.0, "s", 0.0, false, &met, &all);
    for (size_t i = 0; i < hots; i++) values[i] = hot[i].parts / hot[i].whole;
    put_line("explained by the profile, of its own", values, hots, 100.0, "%", 0.95, true, &met, &all);
    for (size_t i = 0; i < hots; i++) values[i] = hot[i].parts / hot[i].wall;
    put_line("explained, of the process", values, hots, 100.0, "%", 0.0, true, &met, &all);
    for (size_t r = 0; r < rounds; r++) values[r] = icy[r].wall;
    put_line("empty cache, in all", values, rounds, 1.0, "s", 0.0, false, &met, &all);
    for (size_t r = 0; r < rounds; r++) values[r] = icy[r].wall - training;
    put_line("empty cache, outside training", values, rounds, 1.0, "s", 2.5, false, &met, &all);
    if (other[2]) {
        put_line("beside: importing PyTorch", theirs, rounds, 1.0, "s", 0.0, false, &met, &all);
        for (size_t i = 0; i < hots; i++) values[i] = theirs[i / WARM] / hot[i].wall;
        put_line("  times a warm forecast", values, hots, 1.0, "", 0.0, true, &met, &all);
    }
    (void)printf("\nparts of a warm run\n");
    for (size_t k = 0; k < part_count; k++) {
        char name[64];
        (void)snprintf(name, sizeof name, "  %.47s", parts[k].name);
        put_line(name, parts[k].seconds, hots, 1e3, "ms", 0.0, false, &met, &all);
    }
    for (size_t i = 0; i < hots; i++) values[i] = hot[i].wall - hot[i].parts;
    put_line("  not explained", values, hots, 1e3, "ms", 0.0, false, &met, &all);
    for (size_t i = 0; i < hots; i++) values[i] = hot[i].wall;
    for (size_t r = 0; r < rounds; r++) trained[r] = icy[r].wall;
    (void)printf("\nin short: %d of %d bars met; in all %.3f s warm, %.2f s with an empty cache\n", met, all,
                 median_of(values, hots), median_of(trained, rounds));
    return EXIT_SUCCESS;
}
