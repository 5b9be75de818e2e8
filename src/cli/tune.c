/*
 * norn tune: the fastest layout of the kernels on this device, found by measuring, kept in a file.
 *
 * Every candidate is tried in a process of its own: a compiler that never ends, or falls over, costs its time
 * limit and no more, and CLBlast's parameters, which are a process's, do not mix. This process itself never
 * touches a device, so that it may fork. Times are of the moment, and so are on stderr; the file has none,
 * and the same findings are the same bytes.
 */
#include "cli/tuning.h"

#include "base/base.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SIZES = 16 };

/* What a candidate must save to be preferred: less is noise. */
static const double worth = 0.97;

typedef struct tune_flags {
    norn_context_options context;
    norn_tune_shape shape;
    const char *hidden, *output;
    double limit;
    int only; /* an axis of norn_tune_candidates, from 1; 0: all */
    bool dry, quiet, debug;
} tune_flags;

static const char *const only_words[] = {"all", "vectors", "rows", "path", NULL};

#define AT(field) offsetof(tune_flags, field)

static const cli_option options[] = {
    {CLI_GROUP, "What is measured:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "hidden", 0, AT(hidden), 0, 0, NULL, "H,H,...",
     "Units of a layer, each size by itself; a rule holds up to its size. Default: 16,32,64,128"},
    {CLI_TEXT, "cell", 0, AT(shape.cell), 0, 0, NULL, "NAME",
     "A cell; what is found holds for all with as many gates. Default: lstm"},
    {CLI_SIZE, "layers", 0, AT(shape.layers), 1, 16, NULL, "L", "Layers. Default: 1"},
    {CLI_SIZE, "inputs", 0, AT(shape.inputs), 1, 32, NULL, "F", "Inputs. Default: 1"},
    {CLI_SIZE, "window", 'w', AT(shape.window), 1, 1e6, NULL, "ROWS", "Rows of a window. Default: 96"},
    {CLI_SIZE, "horizon", 'n', AT(shape.horizon), 1, 1e5, NULL, "ROWS", "Rows to forecast. Default: 24"},
    {CLI_SIZE, "batch", 0, AT(shape.batch), 1, 1048576, NULL, "B", "Windows of a step. Default: 64"},
    {CLI_WORD, "only", 0, AT(only), 0, 0, only_words, "vectors|rows|path",
     "Try other vectors and work-items, other rows a group, or the other path alone. Default: all"},
    {CLI_REAL, "seconds", 0, AT(shape.seconds), 0.01, 3600, NULL, "S",
     "To measure each candidate for. Default: 0.5"},
    {CLI_REAL, "limit", 0, AT(limit), 1, 86400, NULL, "S",
     "Most that a candidate may take with its compiling; it is left out beyond. Default: 60"},
    {CLI_TEXT, "device", 0, AT(context.device), 0, 0, NULL, "P:D|NAME",
     "The device, as `norn devices` lists it. Default: a GPU before a CPU"},
    {CLI_GROUP, "Output:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "output", 'o', AT(output), 0, 0, NULL, "FILE",
     "Write the tuning there; -: to stdout. Default: the device's file in the user's configuration folder, "
     "where rules for other sizes stay"},
    {CLI_FLAG, "dry-run", 0, AT(dry), 0, 0, NULL, NULL, "Measure and report, and write nothing"},
    {CLI_FLAG, "quiet", 'q', AT(quiet), 0, 0, NULL, NULL, "Nothing on stderr but warnings and errors"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL, "Why candidates were left out"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

/* ---- a process for each candidate ------------------------------------------------------------------------
 */

typedef enum job_kind { JOB_DEVICE, JOB_MAPPING, JOB_PRODUCT } job_kind;

typedef struct job {
    job_kind kind;
    const tune_flags *flags;
    norn_tune_shape shape;
    norn_mapping candidate, beside;
    const size_t *values;
} job;

/* What comes back through the pipe; as large as a pipe takes at once, or larger: it is read whole. */
typedef struct answer {
    norn_status status;
    norn_error err;
    norn_tune_result result;
    norn_device_info device;
    norn_mapping usual; /* of a device: without a tuning */
    unsigned gates;
} answer;

static void do_job(const job *j, answer *a)
{
    norn_context *context = NULL;
    norn_error *err = &a->err;
    switch (j->kind) {
    case JOB_DEVICE:
        a->status = norn_context_new(&context, &j->flags->context, NULL, err);
        if (a->status == NORN_OK) {
            a->device = *norn_context_device(context);
            a->status = norn_tune_default(&a->usual, &a->gates, &a->device, &j->shape, err);
        }
        norn_context_free(context);
        break;
    case JOB_MAPPING:
        a->status =
            norn_tune_try(&a->result, &j->flags->context, &j->shape, &j->candidate, &j->beside, NULL, err);
        break;
    case JOB_PRODUCT:
        a->status = norn_tune_try_product(&a->result, &j->flags->context, &j->shape, j->values, NULL, err);
        break;
    }
}

static void write_all(int file, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        const ssize_t n = write(file, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        at += n;
        size -= (size_t)n;
    }
}

/* Reads until the answer is whole, the other end is closed, time is up, or a signal came. */
static bool read_answer(int file, answer *a, double until)
{
    size_t have = 0;
    while (have < sizeof *a && !cli_signal_caught()) {
        struct pollfd wait = {.fd = file, .events = POLLIN};
        const double left = until - norn_seconds();
        if (left <= 0.0) return false;
        const int ready = poll(&wait, 1, left > 1.0 ? 1000 : (int)(1000.0 * left) + 1);
        if (ready <= 0) continue; /* a signal, or a second more */
        const ssize_t n = read(file, (char *)a + have, sizeof *a - have);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        have += (size_t)n;
    }
    return have == sizeof *a;
}

/* Does the job in a child. a->status: what the job says, or NORN_ERR_OPENCL with the reason when the child
 * did not come to its end. */
static void in_a_child(const job *j, answer *a)
{
    static const answer nothing; /* static: with its padding */
    int ends[2];
    memcpy(a, &nothing, sizeof *a);
    if (pipe(ends) != 0) {
        a->status = norn_fail(&a->err, NORN_ERR_MEMORY, "no process for a candidate: %s", strerror(errno));
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        /* A group of its own: the compilers that a driver starts end with it. */
        (void)setpgid(0, 0);
        (void)signal(SIGINT, SIG_DFL);
        (void)signal(SIGTERM, SIG_DFL);
        (void)close(ends[0]);
        do_job(j, a);
        write_all(ends[1], a, sizeof *a);
        _exit(0);
    }
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        a->status = norn_fail(&a->err, NORN_ERR_MEMORY, "no process for a candidate: %s", strerror(errno));
        return;
    }
    (void)setpgid(child, child); /* whoever of the two comes first */
    answer got;
    enum { FIND = 60 }; /* seconds that a driver may take to find its devices, at least */
    const double given = j->flags->limit, limit = j->kind == JOB_DEVICE && given < FIND ? FIND : given;
    const bool whole = read_answer(ends[0], &got, norn_seconds() + limit);
    const bool late = !whole && !cli_signal_caught() && waitpid(child, NULL, WNOHANG) == 0;
    (void)close(ends[0]);
    (void)kill(-child, SIGKILL);
    int how = 0;
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) continue;
    if (whole)
        *a = got;
    else if (late)
        a->status = norn_fail(&a->err, NORN_ERR_OPENCL, "not done within %g s (--limit)", limit);
    else
        a->status = norn_fail(&a->err, NORN_ERR_OPENCL, "its process ended early");
}

/* ---- the search ------------------------------------------------------------------------------------------
 */

typedef struct finding {
    size_t hidden;
    norn_mapping usual, best;
    double ratio, seconds, beside; /* of the best beside the usual; 1 and 0: it is the usual */
} finding;

typedef struct search {
    cli_state *cli;
    const tune_flags *flags;
    norn_device_info device;
    unsigned gates;
    size_t sizes[MOST_SIZES], size_count;
    finding found[MOST_SIZES]; /* [found_count] */
    size_t found_count;
    const size_t *product; /* better than the usual one; NULL: none */
    size_t tried, left_out;
} search;

static const char *spell_mapping(const norn_mapping *m, char out[64])
{
    (void)snprintf(out, 64, "%u x %u floats, %u row%s%s", m->local_size, m->vector_width, m->rows,
                   m->rows == 1 ? "" : "s", m->stage ? ", by stages" : "");
    return out;
}

static void tell(const search *s, const char *format, ...) NORN_PRINTF(2, 3);
static void tell(const search *s, const char *format, ...)
{
    va_list arguments;
    if (s->flags->quiet) return;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
}

/* Tries one; false: it is wrong, or it failed. what names it for the reader. */
static bool try_one(search *s, const job *j, const char *what, norn_tune_result *out)
{
    answer a;
    in_a_child(j, &a);
    if (cli_signal_caught()) return false;
    s->tried++;
    const bool right = a.status == NORN_OK && a.result.error <= 1.0; /* NaN is not */
    if (right) {
        tell(s, "  %-38s %9.3f ms a step, %.3f of the usual\n", what, 1e3 * a.result.seconds, a.result.ratio);
        *out = a.result;
        return true;
    }
    s->left_out++;
    tell(s, "  %-38s left out%s%s\n", what, s->cli->debug ? ": " : "",
         !s->cli->debug        ? ""
         : a.status == NORN_OK ? "its results are wrong"
                               : a.err.message);
    return false;
}

static job job_of(const search *s, job_kind kind, size_t hidden)
{
    job j = {.kind = kind, .flags = s->flags, .shape = s->flags->shape};
    j.shape.hidden = hidden;
    j.shape.product = s->product;
    return j;
}

/* CLBlast's parameters, where a size is large enough for them to matter; at the largest. */
static void search_product(search *s)
{
    const size_t hidden = s->sizes[s->size_count - 1];
    norn_mapping some[NORN_TUNE_MOST];
    norn_tune_result usual, got;
    job j = job_of(s, JOB_PRODUCT, hidden);
    if (s->flags->only && s->flags->only != 3) return;
    if (norn_tune_candidates(some, &s->device, hidden, &(norn_mapping){1, 16, 4, 0}, 2) == 0) return;
    tell(s, "CLBlast's products at %zu units, beside our own kernel\n", hidden);
    if (!try_one(s, &j, "as shipped", &usual)) return;
    double best = worth * usual.ratio;
    const size_t *values = NULL;
    for (size_t i = 0; (values = norn_tune_product(&s->device, i)) && !cli_signal_caught(); i++) {
        char what[32];
        j.values = values;
        (void)snprintf(what, sizeof what, "set %zu", i + 1);
        if (!try_one(s, &j, what, &got) || got.ratio >= best) continue;
        best = got.ratio;
        s->product = values;
    }
}

/* One size: along each axis from the best so far, then the winner once more, for luck repeats less often than
 * merit. False: a signal came. */
static bool search_size(search *s, size_t hidden)
{
    job j = job_of(s, JOB_DEVICE, hidden);
    answer a;
    char what[64];
    in_a_child(&j, &a);
    if (a.status != NORN_OK) return false;
    finding f = {.hidden = hidden, .usual = a.usual, .best = a.usual, .ratio = 1.0};
    j = job_of(s, JOB_MAPPING, hidden);
    j.beside = a.usual;
    tell(s, "%s, %zu units, usually %s\n", j.shape.cell, hidden, spell_mapping(&a.usual, what));
    for (size_t axis = 0; axis < NORN_TUNE_AXES; axis++) {
        norn_mapping list[NORN_TUNE_MOST];
        const norn_mapping from = f.best;
        if (s->flags->only && (size_t)s->flags->only != axis + 1) continue;
        const size_t count = norn_tune_candidates(list, &s->device, hidden, &from, axis);
        for (size_t i = 0; i < count; i++) {
            norn_tune_result got;
            j.candidate = list[i];
            if (cli_signal_caught()) return false;
            if (!try_one(s, &j, spell_mapping(&list[i], what), &got) || got.ratio >= worth * f.ratio)
                continue;
            f.best = list[i];
            f.ratio = got.ratio;
            f.seconds = got.seconds;
            f.beside = got.beside;
        }
    }
    if (f.ratio < 1.0) {
        norn_tune_result again;
        j.candidate = f.best;
        j.shape.seconds *= 2.0;
        if (!try_one(s, &j, "the best of them again", &again) || again.ratio >= worth) {
            f.best = f.usual;
            f.ratio = 1.0;
        } else {
            f.ratio = again.ratio;
            f.seconds = again.seconds;
            f.beside = again.beside;
        }
    }
    if (cli_signal_caught()) return false;
    s->found[s->found_count++] = f;
    return true;
}

static void report(const search *s)
{
    char best[64];
    if (s->flags->quiet || !s->found_count) return;
    (void)fprintf(stderr, "\n  units  laid out as                            a step      usually    gain\n");
    for (size_t i = 0; i < s->found_count; i++) {
        const finding *f = &s->found[i];
        const bool usual = f->ratio >= 1.0;
        (void)fprintf(stderr, "  %5zu  %-34s", f->hidden, spell_mapping(&f->best, best));
        if (usual)
            (void)fprintf(stderr, "   as usual\n");
        else
            (void)fprintf(stderr, "%9.3f ms %9.3f ms   %5.2f\n", 1e3 * f->seconds, 1e3 * f->beside,
                          1.0 / f->ratio);
    }
    (void)fprintf(stderr, "%zu candidates tried, %zu left out\n", s->tried, s->left_out);
}

/* ---- the file --------------------------------------------------------------------------------------------
 */

/* The folder of a file with those above it. */
static void make_folders(const char *path)
{
    char folder[CLI_PATH];
    const int length = snprintf(folder, sizeof folder, "%s", path);
    for (int i = 1; i < length && i < CLI_PATH; i++)
        if (folder[i] == '/') {
            folder[i] = '\0';
            (void)mkdir(folder, 0700); /* the file's error says what matters */
            folder[i] = '/';
        }
}

/* What is known of the device already: rules for other sizes stay. A broken file is written anew. */
static norn_status open_tuning(const search *s, norn_tuning **out, const char *path)
{
    cli_state *cli = s->cli;
    norn_tuning *old = NULL;
    norn_error ignored = NORN_ERROR_INIT;
    if (!s->flags->output && norn_tuning_read(&old, path, &cli->host, &ignored) == NORN_OK &&
        norn_tuning_fits(old, &s->device)) {
        *out = old;
        return NORN_OK;
    }
    norn_tuning_free(old);
    return norn_tuning_new(out, &s->device, &cli->host, &cli->err);
}

static int keep(const search *s, const char *path)
{
    cli_state *cli = s->cli;
    norn_tuning *tuning = NULL;
    bool better = false, stages = s->device.type != NORN_DEVICE_CPU;
    norn_status status = open_tuning(s, &tuning, path);
    for (size_t i = 0; i < s->found_count && status == NORN_OK; i++) {
        const norn_tuning_rule rule = {s->gates, s->found[i].hidden, s->found[i].best};
        status = norn_tuning_add(tuning, &rule, &cli->err);
        better |= s->found[i].ratio < 1.0;
        stages |= rule.mapping.stage != 0;
    }
    if (status == NORN_OK && s->product && stages) {
        status = norn_tuning_set_product(tuning, s->product, &cli->err);
        better = true;
    }
    int code = EXIT_FINE;
    if (status == NORN_OK && !better && !s->flags->output) {
        tell(s, "The usual layout is the best that was found: nothing is written\n");
    } else if (status == NORN_OK && strcmp(path, "-") == 0) {
        char *text = NULL;
        size_t length = 0;
        status = norn_tuning_text(tuning, &text, &length, &cli->err);
        const cli_text whole = {text, length, length + 1, false};
        if (status == NORN_OK) code = cli_output_write(NULL, &whole);
        norn_tuning_text_free(text, length, &cli->host);
    } else if (status == NORN_OK) {
        make_folders(path);
        status = norn_tuning_write(tuning, path, &cli->err);
        if (status == NORN_OK) tell(s, "Written to %s, hash %s\n", path, norn_tuning_hash(tuning));
    }
    norn_tuning_free(tuning);
    return status == NORN_OK ? code : cli_fail(cli);
}

/* ---- the command -----------------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* "16,32": ascending, none twice. */
static bool read_sizes(search *s, const char *text)
{
    for (const char *at = text; s->size_count < MOST_SIZES;) {
        char *end = NULL;
        if (*at < '1' || *at > '9') return false;
        const unsigned long size = strtoul(at, &end, 10);
        if (size > 65536 || (*end != ',' && *end != '\0')) return false;
        s->sizes[s->size_count++] = size;
        if (!*end) {
            qsort(s->sizes, s->size_count, sizeof *s->sizes, by_size);
            for (size_t i = 1; i < s->size_count; i++)
                if (s->sizes[i] == s->sizes[i - 1]) return false;
            return true;
        }
        at = end + 1;
    }
    return false;
}

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    tune_flags given = {.context = NORN_CONTEXT_OPTIONS_INIT,
                        .shape = NORN_TUNE_SHAPE_INIT,
                        .hidden = "16,32,64,128",
                        .limit = 60.0};
    cli_arguments arguments;
    char path[CLI_PATH];
    static const search empty;
    search s = empty;
    answer a;
    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    code = EXIT_USAGE;
    cli->debug |= given.debug;
    s.cli = cli;
    s.flags = &given;
    if (arguments.operand_count) {
        cli_error("tune takes no operands (norn tune --help)");
        goto done;
    }
    if (!read_sizes(&s, given.hidden)) {
        cli_error("--hidden: expected up to %d different numbers from 1 to 65536, separated by commas",
                  (int)MOST_SIZES);
        goto done;
    }
    if (given.output && strcmp(given.output, "-") != 0 && !given.dry &&
        (code = cli_output_check(given.output)) != EXIT_FINE)
        goto done;

    const job first = job_of(&s, JOB_DEVICE, s.sizes[0]);
    in_a_child(&first, &a);
    if (a.status != NORN_OK || cli_signal_caught()) {
        cli->err = a.err;
        code = cli_fail(cli);
        goto done;
    }
    s.device = a.device;
    s.gates = a.gates;
    if (given.output)
        (void)snprintf(path, sizeof path, "%s", given.output);
    else if (!*cli_tuning_path(&s.device, path) && !given.dry) {
        cli_error("there is no configuration folder: neither XDG_CONFIG_HOME nor HOME names one (-o FILE)");
        code = EXIT_NO_CREATE;
        goto done;
    }
    tell(&s, "Tuning %s, driver %s\n", s.device.name, s.device.driver);
    search_product(&s);
    for (size_t i = 0; i < s.size_count && !cli_signal_caught(); i++)
        if (!search_size(&s, s.sizes[i])) break;
    report(&s);
    const int number = cli_signal_caught();
    code = EXIT_FINE;
    if (!given.dry && s.found_count) code = keep(&s, path);
    if (number) {
        (void)fprintf(stderr, "norn: interrupted; %zu of %zu sizes were through\n", s.found_count,
                      s.size_count);
        code = 128 + number;
    }
done:
    cli_arguments_free(&arguments);
    return code;
}

const cli_command cli_tune_command = {
    .name = "tune",
    .summary = "find the fastest layout of the kernels on this device",
    .operands = "",
    .before = "Measures training steps of networks with other layouts of their kernels, each checked\n"
              "against a reference in double precision and tried in a process of its own, and keeps\n"
              "what is faster than the usual one in a file that all commands read from then on.\n"
              "Another layout may change the last bits of results; model files and reports name the\n"
              "tuning they were made with.\n\n",
    .after = "",
    .options = options,
    .run = run,
};
