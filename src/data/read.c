/*
 * Reading a file into a table: norn_table_read and norn_table_read_stream of norn/table.h.
 *
 * The stream is opened and its beginning planned with (scan.c, roles.c); then all of it passes once through
 * the CSV reader (intake.c, or series.c for a line a series), and the rows are put in order and completed
 * (assemble.c, missing.c). Columns grow by half and are cut to size at the end, so they cost 8 bytes a kept
 * cell.
 */
#include "data/raw.h"
#include "norn/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- options ---- */

static norn_status check_options(const norn_table_options *o, norn_error *err)
{
    const struct {
        bool wrong;
        const char *message;
    } checks[] = {
        {o->delimiter == '"' || o->delimiter == '\n' || o->delimiter == '\r',
         "--delimiter: a quote or a newline cannot separate fields"},
        {o->decimal && o->decimal != '.' && o->decimal != ',', "--decimal is a point or a comma"},
        {o->delimiter && o->decimal && o->delimiter == o->decimal,
         "--delimiter and --decimal cannot be the same character"},
        {o->comment == '"' || o->comment == '\n' || o->comment == '\r' ||
             (o->comment && o->comment == o->delimiter),
         "--comment: a quote, a newline or the delimiter cannot begin a comment"},
        {(unsigned)o->layout > NORN_LAYOUT_TSF, "--layout must be columns, rows or tsf"},
        {(unsigned)o->header > NORN_HEADER_NO, "--header must be yes or no"},
        {(unsigned)o->on_missing > NORN_MISSING_MASK,
         "--on-missing must be error, skip, ffill, mean, zero or mask"},
        {(unsigned)o->on_missing_input > NORN_MISSING_MASK,
         "--on-missing-input must be error, ffill, mean, zero or mask"},
        {(unsigned)o->on_gap > NORN_GAP_SPLIT, "--on-gap must be keep, error, fill or split"},
        {(unsigned)o->on_duplicate > NORN_DUPLICATE_MEAN,
         "--on-duplicate must be error, first, last or mean"},
        {(unsigned)o->on_unsorted > NORN_UNSORTED_SORT, "--on-unsorted must be error or sort"},
        {(unsigned)o->on_ragged > NORN_RAGGED_PAD, "--on-ragged must be error, skip or pad"},
        {(unsigned)o->ambiguous > NORN_AMBIGUOUS_NAT, "--ambiguous must be raise, infer or NaT"},
        {(unsigned)o->nonexistent > NORN_NONEXISTENT_NAT,
         "--nonexistent must be raise, shift_forward, shift_backward or NaT"},
    };
    for (size_t i = 0; i < NORN_COUNT(checks); i++)
        if (checks[i].wrong) return norn_fail(err, NORN_ERR_USAGE, "%s", checks[i].message);
    return NORN_OK;
}

/* ---- facts ---- */

static norn_status take_facts(norn_raw *raw, const norn_scan *scan)
{
    const norn_scan_facts *seen = norn_scan_facts_of(scan);
    const norn_plan *plan = raw->plan;
    norn_table *t = raw->table;
    norn_table_facts *f = &t->facts;
    char count[NORN_COUNT_TEXT];
    norn_status status = NORN_OK;
    f->bytes = seen->bytes;
    f->compressed = seen->compressed;
    f->encoding = seen->mark ? "UTF-8 with a byte order mark" : seen->high ? "UTF-8" : "ASCII";
    const int kinds = (seen->lf ? 1 : 0) + (seen->crlf ? 1 : 0) + (seen->cr ? 1 : 0);
    f->newline = kinds > 1 ? "mixed" : seen->lf ? "LF" : seen->crlf ? "CRLF" : seen->cr ? "CR" : "none";
    f->layout = plan->layout;
    f->delimiter = plan->one_column ? 0 : plan->delimiter;
    f->decimal = raw->options->decimal ? raw->options->decimal : '.';
    f->header = plan->header;
    f->comments = seen->comments;
    if (f->compressed)
        status = norn_notes_add(&t->notes, &raw->host, raw->err, "gzip", "", "unpacked on the way");
    if (status == NORN_OK && f->ragged)
        status = norn_notes_add(&t->notes, &raw->host, raw->err, "ragged", "--on-ragged",
                                raw->options->on_ragged == NORN_RAGGED_PAD
                                    ? "%s short row%s filled up with missing cells"
                                    : "%s row%s with another number of fields left out",
                                norn_count_text(f->ragged, count), f->ragged == 1 ? "" : "s");
    if (status == NORN_OK && f->comments)
        status =
            norn_notes_add(&t->notes, &raw->host, raw->err, "comments", "--comment", "%s line%s left out",
                           norn_count_text(f->comments, count), f->comments == 1 ? "" : "s");
    if (status == NORN_OK && f->blank)
        status =
            norn_notes_add(&t->notes, &raw->host, raw->err, "blank", "", "%s line%s without text left out",
                           norn_count_text(f->blank, count), f->blank == 1 ? "" : "s");
    return status;
}

/* ---- the stream ---- */

static norn_status skip_bytes(void *user, size_t slot, size_t bytes, bool first)
{
    (void)user, (void)slot, (void)bytes, (void)first;
    return NORN_OK;
}

static norn_status skip_field(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                              size_t length)
{
    (void)user, (void)slot, (void)column, (void)line, (void)text, (void)length;
    return NORN_OK;
}

static norn_status skip_row(void *user, size_t slot, uint64_t line, size_t columns)
{
    (void)user, (void)slot, (void)line, (void)columns;
    return NORN_OK;
}

/* One piece is as much as the plan saw; a field too long for it shows in the next. */
static norn_status skip_piece(void *user, size_t slot, uint64_t base, norn_status status,
                              const norn_error *defect)
{
    int *pieces = user;
    (void)slot, (void)base, (void)status;
    return defect->status == NORN_OK && ++*pieces == 3 ? NORN_ERR_CANCELLED : NORN_OK;
}

/* No plan could be made of the beginning ("no rows", "no numbers"): because something is wrong there, so that
 * not all of it was seen? Then that is the error. */
static norn_status blame_beginning(norn_scan *scan, const norn_plan *plan, norn_status status,
                                   norn_error *planned, norn_error *err)
{
    int pieces = 0;
    const norn_scan_events events = {&pieces, skip_bytes, skip_field, skip_row, skip_piece};
    norn_error defect = NORN_ERROR_INIT;
    if (status == NORN_ERR_DATA && plan->delimiter) {
        (void)norn_scan_run(scan, plan->delimiter, plan->skip, plan->line, 0, &events, &defect);
        const bool earlier = planned->line == 0 || defect.line <= planned->line;
        if (defect.status == NORN_ERR_INPUT || (defect.status == NORN_ERR_DATA && earlier)) {
            *planned = defect;
            status = defect.status;
        }
    }
    if (err->status == NORN_OK) *err = *planned;
    return status;
}

/* With the plan made: the rows, and the table from them. */
static norn_status read_rows(norn_raw *raw, norn_plan *plan, norn_notes *notes, norn_scan *scan,
                             uint64_t total)
{
    raw->plan = plan;
    norn_status status = norn_raw_open(raw, notes);
    if (status == NORN_OK)
        status = plan->layout == NORN_LAYOUT_COLUMNS ? norn_intake_columns(raw, scan, total)
                                                     : norn_intake_series(raw, scan, total);
    if (status == NORN_OK) status = take_facts(raw, scan);
    if (status == NORN_OK) status = norn_assemble(raw);
    return status;
}

typedef struct tuning {
    size_t threads, piece; /* as norn_scan_tune takes them */
} tuning;

static norn_status read_stream(norn_table **out, norn_read_fn read, void *user, const char *name,
                               uint64_t total, tuning tune, const norn_table_options *options,
                               const norn_host *host, norn_error *err)
{
    norn_table_options told = NORN_TABLE_OPTIONS_INIT;
    const norn_status taken = norn_options_take(&told, sizeof told, options, err);
    if (taken != NORN_OK) return taken;
    norn_error first = NORN_ERROR_INIT, other = NORN_ERROR_INIT;
    norn_plan plan;
    norn_notes notes;
    norn_scan *scan = NULL;
    size_t size;
    bool whole;
    memset(&plan, 0, sizeof plan);
    notes.count = 0;
    norn_raw raw = {.host = norn_host_copy(host),
                    .file = name ? name : "",
                    .options = &told,
                    .first = &first,
                    .err = &other};
    plan.host = raw.host;

    norn_status status = check_options(&told, raw.err);
    if (status == NORN_OK)
        status = norn_scan_open(&scan, read, user, raw.file, told.comment, &raw.host, raw.err);
    if (status == NORN_OK) {
        const char *sample = norn_scan_sample(scan, &size, &whole);
        norn_error planned = NORN_ERROR_INIT;
        status = norn_plan_make(&plan, sample, size, whole, raw.file, &told, &notes, &raw.host, &planned);
        if (status != NORN_OK) status = blame_beginning(scan, &plan, status, &planned, raw.err);
    }
    if (status == NORN_OK) norn_scan_tune(scan, tune.threads, tune.piece);
    if (status == NORN_OK) status = read_rows(&raw, &plan, &notes, scan, total);
    if (status == NORN_OK) {
        raw.table->zone = plan.zone;
        plan.zone = NULL;
        *out = raw.table;
        raw.table = NULL;
    }
    /* The first problem of the file, unless what ended the reading is of another kind. */
    if (status != NORN_OK && err && err->status == NORN_OK) *err = first.status == status ? first : other;
    if (raw.plan) norn_raw_free(&raw);
    norn_notes_clear(&notes, &raw.host);
    norn_plan_free(&plan);
    norn_scan_free(scan);
    return status;
}

norn_status norn_table_read_stream(norn_table **out, norn_read_fn read, void *user, const char *name,
                                   const norn_table_options *options, const norn_host *host, norn_error *err)
{
    norn_profile *const profile = norn_host_copy(host).profile;
    norn_profile_enter(profile, "reading");
    const norn_status status = read_stream(out, read, user, name, 0, (tuning){0, 0}, options, host, err);
    norn_profile_leave(profile);
    return status;
}

norn_status norn_table_read_tuned(norn_table **out, norn_read_fn read, void *user, const char *name,
                                  const norn_table_options *options, size_t threads, size_t piece,
                                  const norn_host *host, norn_error *err)
{
    return read_stream(out, read, user, name, 0, (tuning){threads, piece}, options, host, err);
}

/* ---- files ---- */

typedef struct file_source {
    int descriptor;
    norn_host host; /* an interrupted read of a pipe asks it whether to go on */
    int reason;     /* errno of the read that failed */
} file_source;

static size_t read_file(void *user, void *buffer, size_t size)
{
    file_source *source = user;
    for (;;) {
        const ssize_t n = read(source->descriptor, buffer, size);
        if (n >= 0) return (size_t)n;
        if (errno == EINTR && !norn_is_cancelled(&source->host)) continue;
        source->reason = errno;
        return (size_t)-1;
    }
}

static norn_status fail_input(norn_error *err, const char *path, const char *what, int reason)
{
    char why[128] = "";
    (void)strerror_r(reason, why, sizeof why);
    return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "%s: %s", what, why);
}

norn_status norn_table_read(norn_table **out, const char *path, const norn_table_options *options,
                            const norn_host *host, norn_error *err)
{
    file_source source = {open(path, O_RDONLY | O_CLOEXEC), norn_host_copy(host), 0};
    while (source.descriptor < 0 && errno == EINTR && !norn_is_cancelled(&source.host))
        source.descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (source.descriptor < 0 && errno == EINTR) return norn_fail_cancelled(err);
    if (source.descriptor < 0) return fail_input(err, path, "cannot be opened", errno);
    struct stat info;
    const bool known = fstat(source.descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    norn_error first = NORN_ERROR_INIT;
    norn_profile_enter(source.host.profile, "reading");
    norn_status status = read_stream(out, read_file, &source, path, known ? (uint64_t)info.st_size : 0,
                                     (tuning){0, 0}, options, host, &first);
    norn_profile_leave(source.host.profile);
    (void)close(source.descriptor);
    if (status == NORN_ERR_INPUT && source.reason == EINTR) return norn_fail_cancelled(err);
    if (status == NORN_ERR_INPUT && source.reason)
        return fail_input(err, path, "cannot be read", source.reason);
    if (status != NORN_OK && err && err->status == NORN_OK) *err = first;
    return status;
}
