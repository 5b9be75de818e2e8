/*
 * How fast a CSV file becomes a table, beside pandas' C reader on the same file in the same run.
 *
 *     norn_bench_csv MEGABYTES ROUNDS [PANDAS]     PANDAS: a command that reads the file it is given and
 * prints seconds
 *
 * The file has a column of times and nine of numbers with up to nine digits. Each reading is a process of its
 * own, so that its largest resident memory can be asked for; readings take turns, and the median of the
 * rounds is printed.
 */
#include "norn/norn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS     9
#define MOST_ROUNDS 25

typedef struct reading {
    double seconds;
    double megabytes; /* largest resident memory; 0: not known */
    double rows;
} reading;

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "norn_bench_csv: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* Rows of a minute each, until the file has its size; returns the bytes. */
static size_t write_file(const char *path, size_t bytes)
{
    FILE *file = fopen(path, "w");
    if (!file) fail(path);
    size_t written = (size_t)fprintf(file, "time,a,b,c,d,e,f,g,h,y\n");
    uint64_t state = 1;
    for (time_t minute = 0; written < bytes; minute++) {
        struct tm t;
        char text[400];
        const time_t at = minute * 60;
        (void)gmtime_r(&at, &t);
        size_t used = strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &t);
        for (int c = 0; c < COLUMNS; c++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            const unsigned number = (unsigned)(state >> 33);
            used += (size_t)snprintf(text + used, sizeof text - used, ",%u.%0*u", number % 10000, 1 + c % 5,
                                     number / 16384 % (c % 5 == 4 ? 100000u : 10u));
        }
        text[used++] = '\n';
        if (fwrite(text, 1, used, file) != used) fail(path);
        written += used;
    }
    if (fclose(file) != 0) fail(path);
    return written;
}

/* One reading in a child: what it measured comes back through a pipe. */
static reading read_with_norn(const char *path)
{
    int ends[2];
    reading r = {-1.0, 0.0, 0.0};
    (void)fflush(stdout);
    if (pipe(ends) != 0) fail("pipe");
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        norn_table *table = NULL;
        norn_error err = NORN_ERROR_INIT;
        norn_table_options options = NORN_TABLE_OPTIONS_INIT;
        struct rusage usage;
        options.past = "*";
        const double start = now();
        if (norn_table_read(&table, path, &options, NULL, &err) != NORN_OK) {
            (void)fprintf(stderr, "norn_bench_csv: %s\n", err.message);
            _exit(EXIT_FAILURE);
        }
        r.seconds = now() - start;
        r.rows = (double)norn_table_rows(table, 0);
        (void)getrusage(RUSAGE_SELF, &usage);
        r.megabytes = (double)usage.ru_maxrss / 1024.0;
        _exit(write(ends[1], &r, sizeof r) == (ssize_t)sizeof r ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    (void)close(ends[1]);
    if (read(ends[0], &r, sizeof r) != (ssize_t)sizeof r) exit(EXIT_FAILURE);
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return r;
}

static double read_with_pandas(const char *command, const char *path)
{
    char line[1024];
    double seconds = -1.0;
    if (snprintf(line, sizeof line, "%s '%s'", command, path) >= (int)sizeof line) return seconds;
    FILE *pipe_end = popen(line, "r");
    if (!pipe_end) return seconds;
    if (fscanf(pipe_end, "%lf", &seconds) != 1) seconds = -1.0;
    (void)pclose(pipe_end);
    return seconds;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_line(const char *name, double *seconds, size_t rounds, double megabytes, double against)
{
    qsort(seconds, rounds, sizeof *seconds, ascending);
    const double median = seconds[rounds / 2];
    (void)printf("  %-8s %8.2f %8.2f %8.2f %10.0f %8.2f\n", name, seconds[0], median, seconds[rounds - 1],
                 megabytes / median, against / median);
}

int main(int argc, char **argv)
{
    const size_t size = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 200;
    const size_t told = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 5;
    const size_t rounds = told < 1 ? 1 : told > MOST_ROUNDS ? MOST_ROUNDS : told;
    const char *pandas = argc > 3 ? argv[3] : NULL;
    const char *folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    double norn[MOST_ROUNDS], other[MOST_ROUNDS], resident = 0.0, rows = 0.0;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/norn_bench_%ld.csv", folder, (long)getpid());
    const double bytes = (double)write_file(path, size * 1000000);

    for (size_t i = 0; i < rounds; i++) {
        const reading r = read_with_norn(path);
        norn[i] = r.seconds;
        rows = r.rows;
        if (r.megabytes > resident) resident = r.megabytes;
        other[i] = pandas ? read_with_pandas(pandas, path) : -1.0;
        if (pandas && other[i] < 0.0) pandas = NULL;
    }
    (void)unlink(path);
    (void)printf("%.0f MB of CSV, %.0f rows of %d columns, %zu rounds\n\n", bytes / 1e6, rows, COLUMNS + 1,
                 rounds);
    (void)printf("  %-8s %8s %8s %8s %10s %8s\n", "reader", "best s", "median s", "worst s", "MB/s",
                 "of norn");
    double sorted[MOST_ROUNDS];
    memcpy(sorted, norn, sizeof sorted);
    qsort(sorted, rounds, sizeof *sorted, ascending);
    const double median = sorted[rounds / 2];
    print_line("norn", norn, rounds, bytes / 1e6, median);
    if (pandas) print_line("pandas", other, rounds, bytes / 1e6, median);
    const double values = rows * (COLUMNS + 1) * 8.0 / 1048576.0;
    (void)printf(
        "\nlargest resident memory of norn %.0f MiB: the values (8 bytes each) are %.0f MiB, and %.0f more\n",
        resident, values, resident - values);
    return EXIT_SUCCESS;
}
