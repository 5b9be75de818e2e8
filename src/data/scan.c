/*
 * The scan declared in scan.h: the stream (reading, unpacking, byte order mark, comment lines), the cutting
 * into pieces, and the threads that run the pieces through the CSV reader.
 *
 * Pieces are numbered in the order of the file. A piece is filled and queued by the calling thread, claimed
 * by whichever thread is free, and drained by the calling thread when all before it have been. So three
 * counters say where everything stands: drained <= claimed <= filled <= drained + slots. Text behind the cut
 * of a piece is carried over to the slot of the next one.
 *
 * Only `state` of a slot and the counters are shared; a mutex guards them, and hands the rest of the slot
 * over.
 */
#include "data/scan.h"

#include "data/csv.h"
#include "data/gzip.h"
#include "data/sample.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define RAW NORN_GZIP_HEAD /* bytes in front of the comment filter */

struct norn_scan {
    norn_host host;
    const char *name;
    norn_scan_facts facts;

    /* the stream: bytes as they are read, then unpacked */
    norn_read_fn read;
    void *user;
    norn_gzip *gzip;    /* NULL: not packed */
    uint64_t taken;     /* bytes of the stream, where it is not packed */
    bool ended;         /* it is not asked again */
    norn_error failure; /* what ended it, if it was not its end */

    /* the comment filter: from unpacked bytes to text. marks[i] of a text is 1 where text[i] is the newline
     * of a line that was left out; there are no marks without a comment byte. */
    char comment;
    char *raw; /* [RAW] */
    size_t raw_at, raw_size;
    bool inside;     /* in a comment */
    bool line_start; /* the next byte begins a line, outside of quotes */
    bool odd;        /* the number of quotes so far */

    char *sample, *sample_marks; /* [NORN_SAMPLE_BYTES] */
    size_t sample_at, sample_size;
    bool whole;

    size_t threads, piece; /* as tuned; 0: found */
};

/* ---- the stream ---- */

/* Reads and unpacks until out is full or the stream ends. */
static size_t read_unpacked(norn_scan *scan, char *out, size_t size)
{
    size_t got = 0;
    if (scan->gzip) {
        const norn_status status = norn_gzip_read(scan->gzip, out, size, &got, &scan->failure);
        scan->ended = got < size || status != NORN_OK;
    }
    while (!scan->gzip && got < size && !scan->ended) {
        const size_t n = scan->read(scan->user, out + got, size - got);
        if (n > size - got)
            (void)norn_fail_at(&scan->failure, NORN_ERR_INPUT, scan->name, 0, 0, "reading failed");
        scan->ended = n == 0 || n > size - got;
        if (!scan->ended) got += n;
    }
    if (!scan->gzip) scan->taken += got;
    scan->facts.bytes += got;
    return got;
}

static bool odd_quotes(const char *bytes, size_t size)
{
    unsigned char odd = 0;
    for (size_t i = 0; i < size; i++) odd = (unsigned char)(odd ^ (bytes[i] == '"'));
    return odd != 0;
}

static bool is_newline(char byte)
{
    return byte == '\n' || byte == '\r';
}

/* Moves bytes from raw to text[0..room) up to the next comment, or through the comment to its newline. */
static size_t filter(norn_scan *scan, char *text, char *marks, size_t room)
{
    const char *from = scan->raw + scan->raw_at;
    const size_t left = scan->raw_size - scan->raw_at;
    size_t n = 0;
    if (!scan->inside && scan->line_start && *from == scan->comment) {
        scan->inside = true;
        scan->facts.comments++;
    }
    if (scan->inside) {
        while (n < left && !is_newline(from[n])) n++;
        scan->raw_at += n;
        if (n == left) return 0;
        scan->raw_at++;
        scan->inside = false;
        *text = from[n];
        *marks = 1;
        return 1;
    }
    const size_t most = left < room ? left : room;
    const char *next = most > 1 ? memchr(from + 1, scan->comment, most - 1) : NULL;
    n = next ? (size_t)(next - from) : most;
    memcpy(text, from, n);
    memset(marks, 0, n);
    scan->odd ^= odd_quotes(from, n);
    scan->line_start = !scan->odd && is_newline(from[n - 1]);
    scan->raw_at += n;
    return n;
}

/* The next text, until it is full or the stream has ended; marks is NULL without a comment byte. */
static size_t read_text(norn_scan *scan, char *text, char *marks, size_t size)
{
    size_t got = 0;
    while (got < size) {
        if (scan->sample_at < scan->sample_size) {
            const size_t left = scan->sample_size - scan->sample_at;
            const size_t n = left < size - got ? left : size - got;
            memcpy(text + got, scan->sample + scan->sample_at, n);
            if (marks) memcpy(marks + got, scan->sample_marks + scan->sample_at, n);
            scan->sample_at += n;
            got += n;
        } else if (scan->raw_at < scan->raw_size) {
            const size_t left = scan->raw_size - scan->raw_at;
            size_t n = left < size - got ? left : size - got;
            if (marks) {
                n = filter(scan, text + got, marks + got, size - got);
            } else {
                memcpy(text + got, scan->raw + scan->raw_at, n);
                scan->raw_at += n;
            }
            got += n;
        } else if (scan->ended) {
            break;
        } else if (marks) {
            scan->raw_at = 0;
            scan->raw_size = read_unpacked(scan, scan->raw, RAW);
        } else {
            got += read_unpacked(scan, text + got, size - got);
        }
    }
    return got;
}

/* Nothing is left to be read. */
static bool at_end(const norn_scan *scan)
{
    return scan->ended && scan->raw_at == scan->raw_size && scan->sample_at == scan->sample_size;
}

static norn_status open_stream(norn_scan *scan, norn_error *err)
{
    size_t skip = 0;
    scan->raw_size = read_unpacked(scan, scan->raw, RAW);
    if (norn_gzip_is(scan->raw, scan->raw_size)) {
        norn_status status = norn_gzip_open(&scan->gzip, scan->raw, scan->raw_size, scan->ended, scan->read,
                                            scan->user, scan->name, &scan->host, err);
        if (status != NORN_OK) return status;
        scan->facts.compressed = true;
        scan->facts.bytes = 0;
        scan->ended = false;
        scan->raw_size = read_unpacked(scan, scan->raw, RAW);
    }
    const norn_status status = norn_csv_check_encoding(scan->raw, scan->raw_size, scan->name, &skip, err);
    if (status != NORN_OK) return status;
    scan->raw_at = skip;
    scan->facts.mark = skip > 0;

    scan->sample_size = 0; /* so that read_text reads on, behind it */
    const size_t size = read_text(scan, scan->sample, scan->sample_marks, NORN_SAMPLE_BYTES);
    scan->sample_size = size;
    scan->whole = scan->ended && scan->raw_at == scan->raw_size && scan->failure.status == NORN_OK;
    if (size == 0 && scan->failure.status != NORN_OK) {
        if (err && err->status == NORN_OK) *err = scan->failure;
        return scan->failure.status;
    }
    return NORN_OK;
}

static void close_scan(norn_scan *scan)
{
    const norn_host host = scan->host;
    norn_gzip_free(scan->gzip);
    norn_delete(&host, scan->raw, RAW, 1);
    norn_delete(&host, scan->sample, NORN_SAMPLE_BYTES, 1);
    norn_delete(&host, scan->sample_marks, NORN_SAMPLE_BYTES, 1);
    norn_delete(&host, scan, 1, sizeof *scan);
}

norn_status norn_scan_open(norn_scan **out, norn_read_fn read, void *user, const char *name, char comment,
                           const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_scan *scan = norn_new(&services, 1, sizeof *scan);
    if (!scan) return norn_fail_memory(err, "reading the file");
    scan->host = services;
    scan->name = name ? name : "";
    scan->read = read;
    scan->user = user;
    scan->comment = comment;
    scan->line_start = true;
    scan->raw = services.resize(services.user, NULL, 0, RAW);
    scan->sample = services.resize(services.user, NULL, 0, NORN_SAMPLE_BYTES);
    if (comment) scan->sample_marks = services.resize(services.user, NULL, 0, NORN_SAMPLE_BYTES);
    norn_status status = NORN_OK;
    if (!scan->raw || !scan->sample || (comment && !scan->sample_marks))
        status = norn_fail_memory(err, "reading the file");
    if (status == NORN_OK) status = open_stream(scan, err);
    if (status == NORN_OK)
        *out = scan;
    else
        close_scan(scan);
    return status;
}

const char *norn_scan_sample(const norn_scan *scan, size_t *size, bool *whole)
{
    *size = scan->sample_size;
    *whole = scan->whole;
    return scan->sample;
}

const norn_scan_facts *norn_scan_facts_of(const norn_scan *scan)
{
    return &scan->facts;
}

void norn_scan_tune(norn_scan *scan, size_t threads, size_t piece)
{
    scan->threads = threads;
    scan->piece = piece;
}

void norn_scan_free(norn_scan *scan)
{
    if (scan) close_scan(scan);
}

/* ---- pieces ---- */

typedef struct slot {
    const norn_scan_events *events;
    size_t index;
    norn_csv csv;
    char *text, *marks; /* [run.piece]; NULL: not used yet */
    size_t size;        /* bytes of the piece */
    bool first;         /* it begins a record */
    bool last;          /* the file ends behind it */
    bool broken;        /* the stream breaks off behind it */
    bool done;          /* guarded: its part of the work is */
    uint64_t base;      /* what to add to its lines */
} slot;

typedef struct run {
    norn_scan *scan;
    const norn_scan_events *events;
    char delimiter;
    size_t piece; /* bytes a piece may have */
    slot slots[NORN_SCAN_SLOTS];

    /* the calling thread's own */
    size_t newest;    /* the slot filled last */
    size_t carried;   /* bytes behind its cut: the beginning of the next piece */
    bool goes_on;     /* it ended inside a record: the next part is for the same slot */
    bool odd;         /* the number of quotes of that record so far */
    bool all_filled;  /* nothing is left to be read */
    size_t most;      /* pieces under way at once */
    uint64_t drained; /* pieces */
    uint64_t line;    /* where the next piece to drain begins */
    size_t helpers;   /* threads running */
    bool alone;       /* no more are to be started */
    pthread_t thread[NORN_SCAN_SLOTS];

    pthread_mutex_t mutex;         /* guards: */
    pthread_cond_t work;           /* a piece was queued, or there will be none */
    pthread_cond_t news;           /* a piece is done */
    uint64_t filled, claimed;      /* pieces */
    size_t order[NORN_SCAN_SLOTS]; /* the slot of piece n at n % NORN_SCAN_SLOTS */
    bool quit;
} run;

static norn_status slot_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    const slot *s = user;
    return s->events->field(s->events->user, s->index, column, line, text, length);
}

static norn_status slot_row(void *user, uint64_t line, size_t columns)
{
    const slot *s = user;
    return s->events->row(s->events->user, s->index, line, columns);
}

static norn_status open_slot(run *r, size_t index, norn_error *err)
{
    slot *s = &r->slots[index];
    const norn_host *host = &r->scan->host;
    if (s->text) return NORN_OK;
    s->events = r->events;
    s->index = index;
    const norn_csv_events events = {s, slot_field, slot_row};
    const norn_status status = norn_csv_open(&s->csv, r->delimiter, &events, r->scan->name, host, err);
    if (status != NORN_OK) return status;
    if (r->scan->comment) {
        s->marks = host->resize(host->user, NULL, 0, r->piece);
        if (!s->marks) return norn_fail_memory(err, "a piece of the file");
    }
    s->text = host->resize(host->user, NULL, 0, r->piece);
    return s->text ? NORN_OK : norn_fail_memory(err, "a piece of the file");
}

static void close_slot(run *r, slot *s)
{
    norn_delete(&r->scan->host, s->text, r->piece, 1);
    norn_delete(&r->scan->host, s->marks, r->piece, 1);
    if (s->csv.field) norn_csv_close(&s->csv);
}

/* Where the last record that is complete ends in text[0..size), given whether the quotes of all of it are odd
 * in number; 0: none is. A CR at the very end does not count: a LF may follow. */
static size_t find_cut(const char *text, size_t size, bool odd)
{
    for (size_t i = size; i > 0; i--) {
        const char byte = text[i - 1];
        if (!odd && (byte == '\n' || (byte == '\r' && i < size))) return i;
        odd ^= byte == '"';
    }
    return 0;
}

/* Fills a slot with the next piece and queues it. */
static norn_status fill_piece(run *r, norn_error *err)
{
    norn_scan *scan = r->scan;
    const slot *before = &r->slots[r->newest];
    const bool first = !r->goes_on;
    const size_t index = first ? (r->newest + 1) % NORN_SCAN_SLOTS : r->newest;
    slot *s = &r->slots[index];
    norn_status status = open_slot(r, index, err);
    if (status != NORN_OK) return status;

    /* Text is carried over only behind a cut, hence from another slot. */
    size_t size = r->carried;
    if (size) {
        memcpy(s->text, before->text + before->size, size);
        if (s->marks) memcpy(s->marks, before->marks + before->size, size);
    }
    size += read_text(scan, s->text + size, s->marks ? s->marks + size : NULL, r->piece - size);
    r->all_filled = at_end(scan);
    s->broken = r->all_filled && scan->failure.status != NORN_OK;
    s->last = r->all_filled && !s->broken;
    s->size = size;
    if (r->all_filled && size == 0 && first && !s->broken) return NORN_OK;
    if (!r->all_filled) {
        const bool odd = r->odd ^ odd_quotes(s->text, size);
        const size_t cut = find_cut(s->text, size, odd);
        r->goes_on = cut == 0;
        r->odd = odd && cut == 0;
        if (cut) s->size = cut;
    }
    r->carried = size - s->size;
    r->newest = index;
    s->first = first;
    if (first) norn_csv_restart(&s->csv, 0);
    const size_t pending = first ? 0 : norn_csv_pending(&s->csv);
    status = r->events->prepare(r->events->user, index, s->size + pending, first);
    if (status != NORN_OK) return status;

    (void)pthread_mutex_lock(&r->mutex);
    s->done = false;
    r->order[r->filled++ % NORN_SCAN_SLOTS] = index;
    (void)pthread_cond_signal(&r->work);
    (void)pthread_mutex_unlock(&r->mutex);
    return NORN_OK;
}

/* A worker's part. */
static void work_on(slot *s)
{
    size_t at = 0;
    const char *mark;
    while (s->marks && (mark = memchr(s->marks + at, 1, s->size - at))) {
        const size_t newline = (size_t)(mark - s->marks);
        (void)norn_csv_feed(&s->csv, s->text + at, newline - at, NULL);
        norn_csv_skip_line(&s->csv, s->text[newline]);
        at = newline + 1;
    }
    (void)norn_csv_feed(&s->csv, s->text + at, s->size - at, NULL);
    if (s->last) (void)norn_csv_finish(&s->csv, NULL);
}

/* Takes the oldest piece that nobody has; NULL: there is none. With the mutex held. */
static slot *claim(run *r)
{
    return r->claimed < r->filled ? &r->slots[r->order[r->claimed++ % NORN_SCAN_SLOTS]] : NULL;
}

static void *help(void *user)
{
    run *r = user;
    (void)pthread_mutex_lock(&r->mutex);
    while (!r->quit) {
        slot *s = claim(r);
        if (!s) {
            (void)pthread_cond_wait(&r->work, &r->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&r->mutex);
        work_on(s);
        (void)pthread_mutex_lock(&r->mutex);
        s->done = true;
        (void)pthread_cond_signal(&r->news);
    }
    (void)pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* Starts the threads, once there is a piece that is not the last. Without them the work is done all the same.
 */
static void start_helpers(run *r)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = r->scan->threads ? r->scan->threads : processors > 0 ? (size_t)processors : 1;
    if (threads > NORN_SCAN_SLOTS) threads = NORN_SCAN_SLOTS;
    r->alone = true;
    sigset_t all, before;
    (void)sigfillset(&all);
    if (threads < 2 || pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return;
    while (r->helpers + 1 < threads && pthread_create(&r->thread[r->helpers], NULL, help, r) == 0)
        r->helpers++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r->helpers) r->most = NORN_SCAN_SLOTS;
}

static void stop_helpers(run *r)
{
    (void)pthread_mutex_lock(&r->mutex);
    r->quit = true;
    (void)pthread_cond_broadcast(&r->work);
    (void)pthread_mutex_unlock(&r->mutex);
    for (size_t i = 0; i < r->helpers; i++) (void)pthread_join(r->thread[i], NULL);
}

/* Hands on what was found in the oldest piece. */
static norn_status drain_piece(run *r, norn_error *err)
{
    norn_scan *scan = r->scan;
    slot *s = &r->slots[r->order[r->drained % NORN_SCAN_SLOTS]];
    norn_csv *csv = &s->csv;
    norn_error defect = NORN_ERROR_INIT;
    if (s->first) s->base = r->line;
    const norn_status found = csv->defect ? NORN_OK : csv->status;
    if (csv->defect)
        (void)norn_csv_describe(csv, s->base, &defect);
    else if (found == NORN_OK && s->broken)
        defect = scan->failure;
    norn_status status = r->events->drain(r->events->user, s->index, s->base, found, &defect);
    if (status == NORN_OK) status = found != NORN_OK ? found : defect.status;
    if (status != NORN_OK && status == defect.status && err && err->status == NORN_OK) *err = defect;
    if (status != NORN_OK) return status;

    r->line = s->base + csv->line;
    scan->facts.lf += csv->lf;
    scan->facts.crlf += csv->crlf;
    scan->facts.cr += csv->cr; /* modulo 2^64, where a piece ends between CR and LF */
    csv->lf = csv->crlf = csv->cr = 0;
    scan->facts.high = scan->facts.high || csv->high;
    r->drained++;
    return NORN_OK;
}

/* What the calling thread does next: the oldest piece that is done goes on, else a free slot is filled, else
 * it helps, else it waits. */
static norn_status run_all(run *r, norn_progress progress, norn_error *err)
{
    norn_scan *scan = r->scan;
    for (;;) {
        enum { DRAIN, FILL, WORK, END } next;
        slot *s = NULL;
        (void)pthread_mutex_lock(&r->mutex);
        for (;;) {
            const uint64_t under_way = r->filled - r->drained;
            next = END;
            if (under_way && r->slots[r->order[r->drained % NORN_SCAN_SLOTS]].done)
                next = DRAIN;
            else if (!r->all_filled && under_way < (r->goes_on ? 1 : r->most))
                next = FILL;
            else if ((s = claim(r)))
                next = WORK;
            if (next != END || under_way == 0) break;
            (void)pthread_cond_wait(&r->news, &r->mutex);
        }
        (void)pthread_mutex_unlock(&r->mutex);

        norn_status status = NORN_OK;
        if (next == END) {
            return NORN_OK;
        } else if (next == DRAIN) {
            status = drain_piece(r, err);
        } else if (next == FILL) {
            status = fill_piece(r, err);
            progress.done = scan->gzip ? norn_gzip_taken(scan->gzip) : scan->taken;
            norn_report(&scan->host, progress);
            if (status == NORN_OK && norn_is_cancelled(&scan->host)) status = norn_fail_cancelled(err);
            if (status == NORN_OK && !r->alone && !r->all_filled) start_helpers(r);
        } else {
            work_on(s);
            (void)pthread_mutex_lock(&r->mutex);
            s->done = true;
            (void)pthread_mutex_unlock(&r->mutex);
        }
        if (status != NORN_OK) return status;
    }
}

norn_status norn_scan_run(norn_scan *scan, char delimiter, size_t skip, uint64_t line, uint64_t total,
                          const norn_scan_events *events, norn_error *err)
{
    norn_status status = NORN_ERR_MEMORY;
    run *r = norn_new(&scan->host, 1, sizeof *r);
    if (!r) return norn_fail_memory(err, "reading the file");
    bool mutex = false, work = false, news = false;
    r->scan = scan;
    r->events = events;
    r->delimiter = delimiter;
    r->piece = scan->piece && scan->piece < NORN_SCAN_PIECE ? scan->piece : NORN_SCAN_PIECE;
    r->line = line;
    r->most = 1;
    mutex = pthread_mutex_init(&r->mutex, NULL) == 0;
    work = pthread_cond_init(&r->work, NULL) == 0;
    news = pthread_cond_init(&r->news, NULL) == 0;
    if (!mutex || !work || !news) {
        status = norn_fail_memory(err, "threads");
        goto done;
    }
    if (skip > scan->sample_size) skip = scan->sample_size;
    scan->sample_at = skip;
    if (odd_quotes(scan->sample, skip)) { /* they do not count for the comments behind the sample */
        scan->odd = !scan->odd;
        scan->line_start = !scan->odd && is_newline(scan->sample[scan->sample_size - 1]);
    }
    const norn_progress progress = {.stage = "read", .total = total, .seconds_left = -1.0};
    status = run_all(r, progress, err);
    stop_helpers(r);
    /* Lines before the one that would be next; the last line may be a comment without a newline. */
    scan->facts.lines = r->line - 1 + (scan->inside ? 1 : 0);
done:
    for (size_t i = 0; i < NORN_SCAN_SLOTS; i++) close_slot(r, &r->slots[i]);
    if (news) (void)pthread_cond_destroy(&r->news);
    if (work) (void)pthread_cond_destroy(&r->work);
    if (mutex) (void)pthread_mutex_destroy(&r->mutex);
    norn_delete(&scan->host, r, 1, sizeof *r);
    return status;
}
