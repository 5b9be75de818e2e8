/*
 * The scan: whatever the size of the pieces, the number of threads and the way the stream hands out its
 * bytes, what arrives is what the CSV reader finds in the whole text at once; gzip and comment lines are
 * taken off on the way; what is wrong is told at its place; memory stays bounded.
 */
#include "counting_host.h"
#include "support.h"

#include "data/csv.h"
#include "data/sample.h"
#include "data/scan.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <zlib.h>

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 (Marsaglia 2003) */
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* ---- bytes that grow ---- */

typedef struct bytes {
    char *at;
    size_t size, capacity;
} bytes;

static void append(bytes *b, const void *more, size_t size)
{
    if (b->size + size > b->capacity) {
        b->capacity = (b->size + size) * 2 + 256;
        b->at = realloc(b->at, b->capacity);
        assert_non_null(b->at);
    }
    if (size) memcpy(b->at + b->size, more, size);
    b->size += size;
}

static void append_text(bytes *b, const char *text)
{
    append(b, text, strlen(text));
}

/* ---- a reading written down: for each field and row its kind, column or columns, line, length and text ----
 */

typedef struct event {
    uint64_t column, line, length; /* length: NO_TEXT for NULL, ROW for a row */
} event;

#define NO_TEXT UINT64_MAX
#define ROW     (UINT64_MAX - 1)

static void log_event(bytes *log, uint64_t column, uint64_t line, uint64_t length, const char *text)
{
    const event e = {column, line, length};
    append(log, &e, sizeof e);
    if (length < ROW) append(log, text, (size_t)length);
}

/* ---- a stream of bytes, in blocks of any size ---- */

typedef struct stream {
    const char *at;
    size_t left;
    size_t most;      /* bytes at once; 0: any number, at random */
    size_t fail_with; /* reading fails once so many bytes are left; SIZE_MAX: never */
    uint64_t seed;
    bool asked_after_end;
    bool ended;
} stream;

static size_t read_stream(void *user, void *buffer, size_t size)
{
    stream *s = user;
    if (s->ended) s->asked_after_end = true;
    if (s->fail_with != SIZE_MAX && s->left <= s->fail_with) {
        s->ended = true;
        return (size_t)-1;
    }
    size_t n = s->most ? s->most : 1 + (size_t)(next_random(&s->seed) % 100);
    if (n > size) n = size;
    if (n > s->left) n = s->left;
    if (s->fail_with != SIZE_MAX && n > s->left - s->fail_with) n = s->left - s->fail_with;
    memcpy(buffer, s->at, n);
    s->at += n;
    s->left -= n;
    s->ended = n == 0;
    return n;
}

/* ---- the scan's events ---- */

typedef struct found {
    bytes log;                    /* of all slots, drained, with lines of the file */
    char *slots[NORN_SCAN_SLOTS]; /* what a worker wrote: events, as they are */
    size_t used[NORN_SCAN_SLOTS], room[NORN_SCAN_SLOTS];
    size_t text_left[NORN_SCAN_SLOTS], fields_left[NORN_SCAN_SLOTS],
        rows_left[NORN_SCAN_SLOTS]; /* as promised */
    size_t pieces, parts;
    const char *refuse;   /* the field that field() refuses; NULL: none */
    bool refuse_in_drain; /* drain has an error of its own for it */
    norn_error *err;
    pthread_t caller;
    bool slow_caller, by_others, signals_reach_others;
} found;

static norn_status on_prepare(void *user, size_t slot, size_t size, bool first)
{
    found *f = user;
    assert_true(slot < NORN_SCAN_SLOTS);
    assert_true(pthread_equal(pthread_self(), f->caller));
    assert_int_equal(f->used[slot], 0); /* drained before */
    const size_t room = (2 * size + 2) * sizeof(event) + size;
    if (room > f->room[slot]) {
        f->slots[slot] = realloc(f->slots[slot], room);
        assert_non_null(f->slots[slot]);
        f->room[slot] = room;
    }
    f->text_left[slot] = size;
    f->fields_left[slot] = f->rows_left[slot] = size + 1;
    f->pieces++;
    f->parts += !first;
    return NORN_OK;
}

static void write_slot(found *f, size_t slot, uint64_t column, uint64_t line, uint64_t length,
                       const char *text)
{
    const event e = {column, line, length};
    char *to = f->slots[slot] + f->used[slot];
    memcpy(to, &e, sizeof e);
    f->used[slot] += sizeof e;
    if (length >= ROW) return;
    memcpy(to + sizeof e, text, (size_t)length);
    f->used[slot] += (size_t)length;
}

static norn_status on_field(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                            size_t length)
{
    found *f = user;
    if (f->slow_caller) {
        if (pthread_equal(pthread_self(), f->caller)) {
            (void)nanosleep(&(struct timespec){0, 1000000}, NULL);
        } else {
            sigset_t blocked;
            f->by_others = true; /* with two threads, the other one alone writes this */
            (void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
            if (!sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGTERM))
                f->signals_reach_others = true;
        }
    }
    if (f->fields_left[slot] == 0 || f->text_left[slot] < length) return NORN_ERR_INTERNAL;
    if (text && text[length]) return NORN_ERR_INTERNAL;
    if (f->refuse && text && strcmp(text, f->refuse) == 0) return NORN_ERR_NUMERIC;
    f->fields_left[slot]--;
    f->text_left[slot] -= length;
    write_slot(f, slot, column, line, text ? length : NO_TEXT, text);
    return NORN_OK;
}

static norn_status on_row(void *user, size_t slot, uint64_t line, size_t columns)
{
    found *f = user;
    if (f->rows_left[slot] == 0) return NORN_ERR_INTERNAL;
    f->rows_left[slot]--;
    write_slot(f, slot, columns, line, ROW, NULL);
    return NORN_OK;
}

static norn_status on_drain(void *user, size_t slot, uint64_t base, norn_status status,
                            const norn_error *defect)
{
    found *f = user;
    assert_true(pthread_equal(pthread_self(), f->caller));
    assert_true(status == NORN_OK || defect->status == NORN_OK);
    for (size_t at = 0; at < f->used[slot];) {
        event e;
        memcpy(&e, f->slots[slot] + at, sizeof e);
        at += sizeof e;
        log_event(&f->log, e.column, e.line + base, e.length, f->slots[slot] + at);
        at += e.length < ROW ? (size_t)e.length : 0;
    }
    f->used[slot] = 0;
    if (status == NORN_ERR_NUMERIC && f->refuse_in_drain)
        return norn_fail_at(f->err, NORN_ERR_USAGE, "f", base, 0, "own");
    return NORN_OK;
}

static void forget(found *f)
{
    for (size_t i = 0; i < NORN_SCAN_SLOTS; i++) free(f->slots[i]);
    free(f->log.at);
    memset(f, 0, sizeof *f);
}

/* ---- how a case is read ---- */

typedef struct way {
    size_t threads, piece;
    size_t most; /* of the stream */
    size_t fail_with;
    char delimiter, comment;
    size_t skip;
    uint64_t line;
    bool behind_sample; /* what is read stands behind a sample that is skipped, so that it comes from the
                           stream */
} way;

static char *put_behind_sample(const char *text, size_t size)
{
    char *whole = malloc(NORN_SAMPLE_BYTES + size);
    assert_non_null(whole);
    memset(whole, 'x', NORN_SAMPLE_BYTES);
    whole[NORN_SAMPLE_BYTES - 1] = '\n';
    if (size) memcpy(whole + NORN_SAMPLE_BYTES, text, size);
    return whole;
}

static norn_status scan_bytes(found *f, const char *text, size_t size, const way *w, norn_scan_facts *facts,
                              const norn_host *host, norn_error *err)
{
    char *padded = w->behind_sample ? put_behind_sample(text, size) : NULL;
    const size_t padding = padded ? NORN_SAMPLE_BYTES : 0;
    stream s = {padded ? padded : text, size + padding, w->most, w->fail_with,
                123456789 + size,       false,          false};
    if (padded && w->most < 10) s.most = padding / 7;
    const norn_scan_events events = {f, on_prepare, on_field, on_row, on_drain};
    norn_scan *scan = NULL;
    f->caller = pthread_self();
    f->err = err;
    norn_status status = norn_scan_open(&scan, read_stream, &s, "f", w->comment, host, err);
    if (status != NORN_OK) {
        assert_null(scan);
        free(padded);
        return status;
    }
    norn_scan_tune(scan, w->threads, w->piece);
    status = norn_scan_run(scan, w->delimiter, w->skip + padding, w->line, 0, &events, err);
    *facts = *norn_scan_facts_of(scan);
    facts->bytes -= padding;
    norn_scan_free(scan);
    free(padded);
    assert_false(s.asked_after_end);
    return status;
}

/* ---- the reference: the whole text at once ---- */

typedef struct reference {
    bytes log;
    norn_scan_facts facts;
    uint64_t *comments; /* lines */
    size_t comment_count, comment_at;
    uint64_t hidden; /* the line whose events are dropped */
    const char *refuse;
} reference;

static norn_status reference_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    reference *r = user;
    if (column == 0) {
        while (r->comment_at < r->comment_count && r->comments[r->comment_at] < line) r->comment_at++;
        r->hidden = r->comment_at < r->comment_count && r->comments[r->comment_at] == line ? line : 0;
    }
    if (r->hidden) return NORN_OK;
    if (r->refuse && text && strcmp(text, r->refuse) == 0) return NORN_ERR_NUMERIC;
    log_event(&r->log, column, line, text ? length : NO_TEXT, text);
    return NORN_OK;
}

static norn_status reference_row(void *user, uint64_t line, size_t columns)
{
    reference *r = user;
    if (columns == 0 || !r->hidden) log_event(&r->log, columns, line, ROW, NULL);
    return NORN_OK;
}

/* Byte by byte: a comment line keeps nothing but its first byte, and is known by its line. */
static norn_status read_reference(reference *r, const char *text, size_t size, char delimiter, char comment,
                                  norn_error *err)
{
    const norn_host host = norn_host_copy(NULL);
    const norn_csv_events events = {r, reference_field, reference_row};
    norn_csv csv;
    bytes kept = {NULL, 0, 0};
    bool odd = false, begins = true, inside = false;
    uint64_t line = 1;
    r->facts.bytes = size;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        r->facts.mark = true;
        text += 3;
        size -= 3;
    }
    r->comments = malloc((size + 1) * sizeof *r->comments);
    assert_non_null(r->comments);
    for (size_t i = 0; i < size; i++) {
        const bool lf = text[i] == '\n', cr = text[i] == '\r', half = lf && i > 0 && text[i - 1] == '\r';
        if (comment && !inside && begins && !odd && text[i] == comment) {
            inside = true;
            r->comments[r->comment_count++] = line;
            append(&kept, text + i, 1);
        }
        if (lf || cr) inside = false;
        begins = lf || cr;
        if (inside) continue;
        append(&kept, text + i, 1);
        r->facts.high = r->facts.high || (text[i] & 0x80);
        odd ^= text[i] == '"';
        if (odd) {
            line += lf ? !half : cr;
            continue;
        }
        line += (lf && !half) || cr;
        if (half) {
            r->facts.cr--;
            r->facts.crlf++;
        } else {
            r->facts.lf += lf;
            r->facts.cr += cr;
        }
    }
    r->facts.lines = line - 1 + (size > 0 && text[size - 1] != '\n' && text[size - 1] != '\r');
    r->facts.comments = r->comment_count;
    assert_ok(norn_csv_open(&csv, delimiter, &events, "f", &host, NULL), NULL);
    norn_status status = norn_csv_feed(&csv, kept.at, kept.size, err);
    if (status == NORN_OK) status = norn_csv_finish(&csv, err);
    norn_csv_close(&csv);
    free(kept.at);
    return status;
}

static void check_same(const char *text, size_t size, const way *w, const char *refuse)
{
    reference want;
    found got;
    memset(&want, 0, sizeof want);
    memset(&got, 0, sizeof got);
    norn_error want_err = NORN_ERROR_INIT, got_err = NORN_ERROR_INIT;
    norn_scan_facts facts;
    want.refuse = got.refuse = refuse;
    const norn_status want_status = read_reference(&want, text, size, w->delimiter, w->comment, &want_err);
    const norn_status got_status = scan_bytes(&got, text, size, w, &facts, NULL, &got_err);
    char shown[1200];
    (void)norn_quote(shown, sizeof shown, text, size, 300);
    if (got_status != want_status || got_err.line != want_err.line || got_err.column != want_err.column ||
        strcmp(got_err.message, want_err.message) != 0)
        fail_msg("%zu threads, pieces of %zu, comment '%c': %s %d:%d %s; want %s %d:%d %s; in %s", w->threads,
                 w->piece, w->comment, norn_status_name(got_status), (int)got_err.line, (int)got_err.column,
                 got_err.message, norn_status_name(want_status), (int)want_err.line, (int)want_err.column,
                 want_err.message, shown);
    if (got.log.size != want.log.size || (got.log.size && memcmp(got.log.at, want.log.at, got.log.size) != 0))
        fail_msg("%zu threads, pieces of %zu, comment '%c': other records in %s", w->threads, w->piece,
                 w->comment, shown);
    const norn_scan_facts *a = &facts, *b = &want.facts;
    if (want_status == NORN_OK &&
        (a->bytes != b->bytes || a->lines != b->lines || a->lf != b->lf || a->crlf != b->crlf ||
         a->cr != b->cr || a->comments != b->comments || a->high != b->high || a->mark != b->mark))
        fail_msg("pieces of %zu: bytes %d %d, lines %d %d, lf %d %d, crlf %d %d, cr %d %d, comments %d %d, "
                 "high %d "
                 "%d, in %s",
                 w->piece, (int)a->bytes, (int)b->bytes, (int)a->lines, (int)b->lines, (int)a->lf, (int)b->lf,
                 (int)a->crlf, (int)b->crlf, (int)a->cr, (int)b->cr, (int)a->comments, (int)b->comments,
                 a->high, b->high, shown);
    free(want.log.at);
    free(want.comments);
    forget(&got);
}

static const size_t pieces[] = {1, 2, 3, 4, 5, 7, 11, 16, 33, 64, 200, 1000, 0};
static const size_t threads[] = {1, 2, 4};

static void check_every_way(const char *text, size_t size, char delimiter, char comment)
{
    for (size_t p = 0; p < NORN_COUNT(pieces); p++)
        for (size_t t = 0; t < NORN_COUNT(threads); t++) {
            const way w = {threads[t], pieces[p], p % 3 ? 0 : 1 + 6 * t, SIZE_MAX, delimiter, comment, 0,
                           1,          false};
            check_same(text, size, &w, NULL);
        }
    /* A byte order mark is one at the beginning only. */
    for (size_t p = 0; p < 8 && !(size && text[0] == '\xef'); p++) {
        const way w = {1 + p % 2, pieces[p], 0, SIZE_MAX, delimiter, comment, 0, 1, true};
        check_same(text, size, &w, NULL);
    }
}

/* ---- the same records ---- */

static void nasty_texts_are_read_the_same_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "a",
        "\n",
        "\r",
        "\r\n",
        "\n\n\n",
        "\r\r\r",
        "\r\n\r\n\r\n",
        "\n\r\n\r",
        "a\r\nb\r\nc",
        "a\rb\rc\r",
        "a\n\r\nb\r\r\nc",
        "\xef\xbb\xbf",
        "\xef\xbb\xbf\"a\",b\n1,2\n",
        "\xef\xbb\xbf#x\na\n",
        "\"a\nb\",c\nd,\"e\r\nf\"\r\n\"\r\",\"\n\"\n",
        "\"\"\"\",\"\"\n\"\n\"\"\n\",x\n",
        "\"a\"\r\"b\"\r\n\"c\"\n\"d\"",
        "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z",
        "a,b\n1,2\n3,\"4\n",
        "a,b\n1,2\n3,4\"\n5,6\n",
        "a,b\n\"1\"x,2\n\"\n",
        "a,b\n\"1\n2\" ,2\n3,4\n",
        "a\n\xe9\nb\n",
        "a\n\"\n\n\xc3\xa9\n\xff\"\n",
        "a,b\n#c\n1,2\n",
        "#\n#\n#",
        "#a\"b\n1,\"\n#no comment\n\"\n#\"\n2,3",
        "#a\r#b\n#c\r\nd\r#e\nf",
        "a\n#\n\n#\nb\n",
        " #a\n\"#b\"\n#c\n",
        "a\r\n#b\r\n\r\nc\r\n",
        "a\n# trailing",
        "#\"\n\"#\n#\"\n#\n",
    };
    for (size_t i = 0; i < NORN_COUNT(texts); i++) {
        check_every_way(texts[i], strlen(texts[i]), ',', 0);
        check_every_way(texts[i], strlen(texts[i]), ',', '#');
    }
    check_every_way("a\n\0\nb", 5, ',', 0);
    check_every_way("a,b\n1,\"2\n\0\"\n", 13, ',', '#');
}

/* Records at random: fields with and without quotes, all newlines, blank lines, comments, and now and then a
 * defect. */
static void make_text(bytes *text, uint64_t *seed, bool defects)
{
    static const char *const plain[] = {
        "", "1", "2.5", "abc", " x ", "-", "2020-01-01 00:00:00", "\xc3\xa9t\xc3\xa9", "\t", "#"};
    static const char *const quoted[] = {"",
                                         "\n",
                                         "a\r\nb",
                                         "\r",
                                         "\"\"",
                                         "x,y",
                                         "#",
                                         "\n#z\n",
                                         "\xe2\x82\xac",
                                         "\"\"\n\"\"",
                                         "long long long text"};
    static const char *const newlines[] = {"\n", "\r\n", "\r"};
    static const char *const wrong[] = {"a\"b", "\"a\"b", "\xe9", "\"", "\"\n\xa9\""};
    const size_t records = (size_t)(next_random(seed) % 40), columns = 1 + (size_t)(next_random(seed) % 5);
    const uint64_t style = next_random(seed) % 5; /* 3, 4: mixed */
    text->size = 0;
    if (next_random(seed) % 4 == 0) append(text, "\xef\xbb\xbf", 3);
    for (size_t i = 0; i < records; i++) {
        const uint64_t kind = next_random(seed) % 12;
        if (kind == 0) append_text(text, "# a comment, \"with a quote");
        for (size_t k = 0; kind > 1 && k < columns; k++) {
            if (k) append_text(text, ",");
            const uint64_t which = next_random(seed);
            if (which % 3) {
                append_text(text, plain[which / 3 % NORN_COUNT(plain)]);
            } else {
                append_text(text, "\"");
                append_text(text, quoted[which / 3 % NORN_COUNT(quoted)]);
                append_text(text, "\"");
            }
        }
        if (defects && next_random(seed) % 60 == 0)
            append_text(text, wrong[next_random(seed) % NORN_COUNT(wrong)]);
        if (defects && next_random(seed) % 300 == 0) append(text, "", 1);
        if (i + 1 < records || next_random(seed) % 2)
            append_text(text, newlines[style < 3 ? style : next_random(seed) % 3]);
    }
}

static void random_texts_are_read_the_same_in_pieces_of_any_size(void **state)
{
    (void)state;
    uint64_t seed = 1181783497276652981u;
    bytes text = {NULL, 0, 0};
    for (size_t i = 0; i < 250; i++) {
        make_text(&text, &seed, i % 2);
        check_every_way(text.at, text.size, ',', i % 3 ? '#' : 0);
    }
    free(text.at);
}

static void a_refused_field_ends_the_scan_where_it_stands(void **state)
{
    (void)state;
    const char *text = "a,b\n1,2\n3,4\nx,5\n6,\"7\n8\",x\n";
    for (size_t p = 0; p < NORN_COUNT(pieces); p++)
        for (size_t t = 0; t < NORN_COUNT(threads); t++) {
            const way w = {threads[t], pieces[p], 0, SIZE_MAX, ',', 0, 0, 1, false};
            check_same(text, strlen(text), &w, "x");
            check_same(text, strlen(text), &w, "7\n8");
            found got;
            memset(&got, 0, sizeof got);
            norn_scan_facts facts;
            norn_error err = NORN_ERROR_INIT;
            got.refuse = "x";
            got.refuse_in_drain = true;
            assert_int_equal(scan_bytes(&got, text, strlen(text), &w, &facts, NULL, &err), NORN_ERR_USAGE);
            assert_string_equal(err.message, "own");
            forget(&got);
        }
}

static void skipped_lines_are_not_read_and_their_quotes_do_not_count(void **state)
{
    (void)state;
    const char *text = "sep=;\"\na;b\n\"x\ny\";2\n#c\n3;\"\n#d\n\"\n";
    for (size_t p = 0; p < NORN_COUNT(pieces); p++) {
        way w = {2, pieces[p], 0, SIZE_MAX, ';', 0, 7, 2, false};
        found got;
        memset(&got, 0, sizeof got);
        norn_scan_facts facts;
        norn_error err = NORN_ERROR_INIT;
        reference want;
        memset(&want, 0, sizeof want);
        assert_ok(read_reference(&want, text + 7, strlen(text + 7), ';', 0, NULL), NULL);
        assert_ok(scan_bytes(&got, text, strlen(text), &w, &facts, NULL, &err), &err);
        assert_int_equal(got.log.size, want.log.size);
        for (size_t at = 0; at < got.log.size;) { /* the same, a line later */
            event a, b;
            memcpy(&a, got.log.at + at, sizeof a);
            memcpy(&b, want.log.at + at, sizeof b);
            assert_int_equal(a.line, b.line + 1);
            assert_int_equal(a.column, b.column);
            assert_int_equal(a.length, b.length);
            at += sizeof a + (a.length < ROW ? (size_t)a.length : 0);
        }
        assert_int_equal(facts.lines, 8);
        assert_int_equal(facts.lf, want.facts.lf);
        forget(&got);
        free(want.log.at);
        free(want.comments);
    }
}

static void quotes_in_skipped_lines_do_not_hide_comments_behind_the_sample(void **state)
{
    (void)state;
    bytes text = {NULL, 0, 0};
    append_text(&text, "sep=,\"\n");
    while (text.size < NORN_SAMPLE_BYTES + 50000) append_text(&text, "1,2\n");
    append_text(&text, "#,\"\n3,4\n");
    const way w = {2, 0, 0, SIZE_MAX, ',', '#', 7, 2, false};
    found got;
    memset(&got, 0, sizeof got);
    norn_scan_facts facts;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(scan_bytes(&got, text.at, text.size, &w, &facts, NULL, &err), &err);
    assert_int_equal(facts.comments, 1);
    assert_int_equal(got.log.size, (facts.lines - 2) * (3 * sizeof(event) + 2));
    forget(&got);
    free(text.at);
}

static void the_sample_is_the_beginning_and_knows_whether_that_is_all(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 5, 70000, NORN_SAMPLE_BYTES - 1, NORN_SAMPLE_BYTES + 1, 3 * NORN_SAMPLE_BYTES};
    char *text = malloc(3 * NORN_SAMPLE_BYTES);
    assert_non_null(text);
    for (size_t i = 0; i < 3 * NORN_SAMPLE_BYTES; i++) text[i] = "0123456789,0123456\n"[i % 19];
    for (size_t i = 0; i < NORN_COUNT(sizes); i++) {
        stream s = {text, sizes[i], 50000, SIZE_MAX, 1, false, false};
        norn_scan *scan;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_scan_open(&scan, read_stream, &s, "f", 0, NULL, &err), &err);
        size_t size;
        bool whole;
        const char *sample = norn_scan_sample(scan, &size, &whole);
        assert_int_equal(size, sizes[i] < NORN_SAMPLE_BYTES ? sizes[i] : NORN_SAMPLE_BYTES);
        assert_int_equal(whole, sizes[i] < NORN_SAMPLE_BYTES);
        assert_memory_equal(sample, text, size);
        norn_scan_free(scan);
        const way w = {0, 0, 50000, SIZE_MAX, ',', 0, 0, 1, false};
        check_same(text, sizes[i], &w, NULL);
    }
    free(text);
    stream s = {"\xef\xbb\xbf#x\r\na\n", 9, 1, SIZE_MAX, 1, false, false};
    norn_scan *scan;
    assert_ok(norn_scan_open(&scan, read_stream, &s, "f", '#', NULL, NULL), NULL);
    size_t size;
    bool whole;
    const char *sample = norn_scan_sample(scan, &size, &whole);
    assert_int_equal(size, 4);
    assert_memory_equal(sample, "\r\na\n", 4);
    norn_scan_free(scan);
    norn_scan_free(NULL);
}

/* ---- gzip ---- */

static void append_gzip(bytes *packed, const char *text, size_t size)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    const size_t bound = deflateBound(&z, (uLong)size) + 64;
    char *out = malloc(bound);
    assert_non_null(out);
    unsigned char *in = malloc(size + 1); /* zlib wants it without const */
    assert_non_null(in);
    memcpy(in, text, size);
    z.next_in = in;
    z.avail_in = (uInt)size;
    z.next_out = (unsigned char *)out;
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    append(packed, out, (size_t)z.total_out);
    (void)deflateEnd(&z);
    free(in);
    free(out);
}

static norn_status scan_packed(found *got, const bytes *packed, size_t piece, size_t most,
                               norn_scan_facts *facts, norn_error *err)
{
    const way w = {2, piece, most, SIZE_MAX, ',', 0, 0, 1, false};
    memset(got, 0, sizeof *got);
    return scan_bytes(got, packed->at, packed->size, &w, facts, NULL, err);
}

/* Some 300 kB that do not pack too well, so that there are several buffers of packed bytes. */
static void make_numbers(bytes *text)
{
    uint64_t seed = 5;
    text->size = 0;
    for (size_t i = 0; i < 15000; i++) {
        char line[64];
        append(text, line,
               (size_t)snprintf(line, sizeof line, "%u,%u\n", (unsigned)(next_random(&seed) >> 33),
                                (unsigned)(next_random(&seed) >> 33)));
    }
}

static void gzip_of_one_or_several_members_is_read_like_the_text(void **state)
{
    (void)state;
    bytes text = {NULL, 0, 0}, packed = {NULL, 0, 0};
    make_numbers(&text);
    reference want;
    memset(&want, 0, sizeof want);
    assert_ok(read_reference(&want, text.at, text.size, ',', 0, NULL), NULL);
    static const size_t cuts[] = {0, 1, 777, 100000};
    for (size_t members = 1; members <= NORN_COUNT(cuts); members++) {
        packed.size = 0;
        for (size_t m = 0; m + 1 < members; m++)
            append_gzip(&packed, text.at + cuts[m], cuts[m + 1] - cuts[m]);
        append_gzip(&packed, text.at + cuts[members - 1], text.size - cuts[members - 1]);
        if (members == 2) append_gzip(&packed, "", 0);
        char zeros[700] = {0};
        if (members == 3) append(&packed, zeros, sizeof zeros); /* as tapes leave them */
        for (size_t most = 1; most < 200000; most *= 37) {
            found got;
            norn_scan_facts facts;
            norn_error err = NORN_ERROR_INIT;
            assert_ok(scan_packed(&got, &packed, members * 5000, most, &facts, &err), &err);
            assert_int_equal(got.log.size, want.log.size);
            assert_memory_equal(got.log.at, want.log.at, want.log.size);
            assert_true(facts.compressed);
            assert_int_equal(facts.bytes, text.size);
            forget(&got);
        }
    }
    free(want.log.at);
    free(want.comments);
    free(text.at);
    free(packed.at);
}

static void damaged_gzip_is_refused_behind_what_can_be_read(void **state)
{
    (void)state;
    bytes text = {NULL, 0, 0}, packed = {NULL, 0, 0};
    make_numbers(&text);
    append_gzip(&packed, text.at, text.size);
    enum { CUT, FLIP, CHECKSUM, LENGTH, BEHIND, BEHIND_ZEROS, HEADER, CASES };
    static const char *const messages[CASES] = {
        "the gzip data ends in the middle, after ", "the gzip data is damaged after ",
        "the gzip data is damaged after ",          "the gzip data is damaged after ",
        "something that is not gzip stands behind", "something that is not gzip stands behind",
        "the gzip data is damaged after 0 bytes"};
    for (int what = 0; what < CASES; what++) {
        bytes bad = {NULL, 0, 0};
        append(&bad, packed.at, packed.size);
        if (what == CUT) bad.size = bad.size * 2 / 3;
        if (what == FLIP) memset(bad.at + bad.size / 2, 0xff, 40);
        if (what == CHECKSUM) bad.at[bad.size - 7] ^= 1;
        if (what == LENGTH) bad.at[bad.size - 3] ^= 1;
        if (what == BEHIND) append(&bad, "abc", 3);
        if (what == BEHIND_ZEROS) append(&bad, "\0\0\0\x1f\x8b", 5);
        if (what == HEADER) bad.at[2] = 99;
        size_t log_size = 0;
        norn_error first = NORN_ERROR_INIT;
        for (size_t k = 0; k < 4; k++) {
            static const size_t mosts[] = {1, 100, 65536, 1000000};
            static const size_t sizes[] = {0, 999, 100, 70000};
            found got;
            norn_scan_facts facts;
            norn_error err = NORN_ERROR_INIT;
            assert_int_equal(scan_packed(&got, &bad, sizes[k], mosts[k], &facts, &err), NORN_ERR_DATA);
            if (strncmp(err.message, messages[what], strlen(messages[what])) != 0)
                fail_msg("case %d: %s", what, err.message);
            if (k == 0) {
                first = err;
                log_size = got.log.size;
            }
            assert_string_equal(err.message, first.message);
            assert_int_equal(got.log.size, log_size);
            assert_true(what == HEADER || got.log.size > 10000);
            forget(&got);
        }
        free(bad.at);
    }
    /* A defect of the text before the damage comes first. */
    bytes early = {NULL, 0, 0}, wrong = {NULL, 0, 0};
    append(&early, text.at, text.size);
    memcpy(early.at + 100, "a\"b", 3);
    append_gzip(&wrong, early.at, early.size);
    wrong.size -= 100;
    found got;
    norn_scan_facts facts;
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(scan_packed(&got, &wrong, 64, 0, &facts, &err), NORN_ERR_DATA);
    assert_non_null(strstr(err.message, "quote"));
    forget(&got);
    free(early.at);
    free(wrong.at);
    free(text.at);
    free(packed.at);
}

static void a_failing_stream_is_told_behind_what_it_gave(void **state)
{
    (void)state;
    const char *text = "a,b\n1,2\n3,4\n5,6\n";
    for (size_t left = 0; left <= 16; left++)
        for (size_t p = 0; p < 2 * NORN_COUNT(pieces); p++) {
            const way w = {2, pieces[p / 2], 1, left, ',', 0, 0, 1, p % 2};
            found got;
            memset(&got, 0, sizeof got);
            norn_scan_facts facts;
            norn_error err = NORN_ERROR_INIT;
            assert_int_equal(scan_bytes(&got, text, 16, &w, &facts, NULL, &err), NORN_ERR_INPUT);
            assert_string_equal(err.message, "reading failed");
            /* Two fields and a row a line; the field under way is not ended. */
            const size_t given = 16 - left, half = given % 4 >= 2 ? sizeof(event) + 1 : 0;
            assert_int_equal(got.log.size, given / 4 * (3 * sizeof(event) + 2) + half);
            forget(&got);
        }
    bytes packed = {NULL, 0, 0};
    append_gzip(&packed, text, 16);
    for (size_t left = 0; left < packed.size; left++) {
        const way w = {1, 0, 1, left, ',', 0, 0, 1, false};
        found got;
        memset(&got, 0, sizeof got);
        norn_scan_facts facts;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(scan_bytes(&got, packed.at, packed.size, &w, &facts, NULL, &err), NORN_ERR_INPUT);
        forget(&got);
    }
    free(packed.at);
}

static void what_is_no_text_is_refused_by_name_packed_or_not(void **state)
{
    (void)state;
    static const char utf16[] = "\xff\xfe"
                                "a\0,\0b\0\n";
    bytes packed = {NULL, 0, 0}, twice = {NULL, 0, 0};
    append_gzip(&packed, utf16, sizeof utf16);
    append_gzip(&twice, packed.at, packed.size);
    const struct {
        const char *text;
        size_t size;
        const char *message;
    } cases[] = {{utf16, sizeof utf16, "UTF-16"},
                 {packed.at, packed.size, "UTF-16"},
                 {twice.at, twice.size, "gunzip"}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        found got;
        memset(&got, 0, sizeof got);
        norn_scan_facts facts;
        norn_error err = NORN_ERROR_INIT;
        const way w = {1, 0, 1, SIZE_MAX, ',', 0, 0, 1, false};
        assert_int_equal(scan_bytes(&got, cases[i].text, cases[i].size, &w, &facts, NULL, &err),
                         NORN_ERR_DATA);
        assert_non_null(strstr(err.message, cases[i].message));
        forget(&got);
    }
    free(packed.at);
    free(twice.at);
}

/* ---- size ---- */

typedef struct endless {
    const char *pattern;
    size_t length, at;
    uint64_t left;
} endless;

static size_t read_endless(void *user, void *buffer, size_t size)
{
    endless *e = user;
    char *out = buffer;
    size_t n = 0;
    for (; n < size && e->left; n++, e->left--) {
        out[n] = e->pattern[e->at];
        e->at = e->at + 1 == e->length ? 0 : e->at + 1;
    }
    return n;
}

typedef struct counter {
    uint64_t fields[NORN_SCAN_SLOTS], rows[NORN_SCAN_SLOTS];
    size_t largest; /* piece */
} counter;

static norn_status count_prepare(void *user, size_t slot, size_t size, bool first)
{
    counter *c = user;
    (void)slot;
    (void)first;
    if (size > c->largest) c->largest = size;
    return NORN_OK;
}

static norn_status count_field(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                               size_t length)
{
    (void)column;
    (void)line;
    (void)text;
    (void)length;
    ((counter *)user)->fields[slot]++;
    return NORN_OK;
}

static norn_status count_row(void *user, size_t slot, uint64_t line, size_t columns)
{
    (void)line;
    (void)columns;
    ((counter *)user)->rows[slot]++;
    return NORN_OK;
}

static norn_status count_drain(void *user, size_t slot, uint64_t base, norn_status status,
                               const norn_error *defect)
{
    (void)user;
    (void)slot;
    (void)base;
    return status != NORN_OK ? status : defect->status;
}

/* What a host sees: the most that was out at once. */
typedef struct peak_host {
    counting_host counting;
    size_t peak;
} peak_host;

static void *peak_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    peak_host *p = user;
    void *block = counting_resize(&p->counting, ptr, old_size, new_size);
    if (p->counting.bytes > p->peak) p->peak = p->counting.bytes;
    return block;
}

static void fields_and_lines_of_any_size_pass_in_bounded_memory(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        char comment;
        uint64_t size, fields, rows;
        const char *message; /* NULL: read */
    } cases[] = {
        {"1,", 0, 24000000, 12000001, 1, NULL},                /* one line */
        {"\"1\n\",", 0, 24000000, 4800001, 1, NULL},           /* one record of many lines */
        {"x", 0, 24000000, 0, 0, "a field longer than 1 MiB"}, /* one field */
        {"\"1,2\n,", 0, 24000000, 0, 0, "begins here ends at line 2 before"},
        {"#2\n", '#', 24000001, 0, 0, NULL},    /* nothing but comments */
        {"#", '#', 24000000, 0, 0, NULL},       /* one comment */
        {"\n", 0, 20000000, 0, 20000000, NULL}, /* blank lines */
        {"\r", 0, 20000000, 0, 20000000, NULL},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        peak_host peak;
        memset(&peak, 0, sizeof peak);
        norn_host host = NORN_HOST_INIT;
        host.user = &peak;
        host.resize = peak_resize;
        endless e = {cases[i].pattern, strlen(cases[i].pattern), 0, cases[i].size};
        counter c;
        memset(&c, 0, sizeof c);
        const norn_scan_events events = {&c, count_prepare, count_field, count_row, count_drain};
        norn_scan *scan;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_scan_open(&scan, read_endless, &e, "f", cases[i].comment, &host, &err), &err);
        const norn_status status = norn_scan_run(scan, ',', 0, 1, 0, &events, &err);
        norn_scan_free(scan);
        assert_int_equal(status, cases[i].message ? NORN_ERR_DATA : NORN_OK);
        if (cases[i].message) {
            assert_non_null(strstr(err.message, cases[i].message));
            assert_int_equal(err.line, 1);
        } else {
            assert_int_equal(c.fields[0] + c.fields[1] + c.fields[2] + c.fields[3], cases[i].fields);
            assert_int_equal(c.rows[0] + c.rows[1] + c.rows[2] + c.rows[3], cases[i].rows);
        }
        assert_true(c.largest <= NORN_SCAN_PIECE + NORN_CSV_FIELD_LIMIT + 2);
        assert_true(peak.peak < (size_t)16 << 20);
        assert_all_returned(&peak.counting);
    }
}

static void a_bomb_of_gzip_passes_in_bounded_memory(void **state)
{
    (void)state;
    bytes packed = {NULL, 0, 0};
    char *text = malloc(1 << 20);
    assert_non_null(text);
    for (size_t i = 0; i < 1 << 20; i++) text[i] = i % 2 ? '\n' : '1';
    for (size_t i = 0; i < 64; i++) append_gzip(&packed, text, 1 << 20);
    free(text);
    assert_true(packed.size < 100000);
    peak_host peak;
    memset(&peak, 0, sizeof peak);
    norn_host host = NORN_HOST_INIT;
    host.user = &peak;
    host.resize = peak_resize;
    stream s = {packed.at, packed.size, 4096, SIZE_MAX, 1, false, false};
    counter c;
    memset(&c, 0, sizeof c);
    const norn_scan_events events = {&c, count_prepare, count_field, count_row, count_drain};
    norn_scan *scan;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_scan_open(&scan, read_stream, &s, "f", 0, &host, &err), &err);
    assert_ok(norn_scan_run(scan, ',', 0, 1, 0, &events, &err), &err);
    assert_int_equal(norn_scan_facts_of(scan)->lines, 64u << 19);
    norn_scan_free(scan);
    assert_true(peak.peak < (size_t)16 << 20);
    assert_all_returned(&peak.counting);
    free(packed.at);
}

static void memory_that_is_short_anywhere_is_an_error_and_nothing_is_lost(void **state)
{
    (void)state;
    bytes text = {NULL, 0, 0}, packed = {NULL, 0, 0};
    make_numbers(&text);
    append_gzip(&packed, text.at, text.size);
    for (int kind = 0; kind < 4; kind++) {
        const bytes *input = kind & 1 ? &packed : &text;
        size_t fail_at = 1;
        for (;; fail_at++) {
            counting_host counting = {0, 0, 0, fail_at, 0};
            const norn_host host = counting_host_of(&counting);
            const way w = {2, 5000, 0, SIZE_MAX, ',', kind & 2 ? '#' : 0, 0, 1, false};
            found got;
            memset(&got, 0, sizeof got);
            norn_scan_facts facts;
            norn_error err = NORN_ERROR_INIT;
            const norn_status status = scan_bytes(&got, input->at, input->size, &w, &facts, &host, &err);
            forget(&got);
            assert_all_returned(&counting);
            assert_int_equal(status, counting.asked < fail_at ? NORN_OK : NORN_ERR_MEMORY);
            if (status == NORN_OK) break;
            assert_int_equal(err.status, NORN_ERR_MEMORY);
        }
        assert_true(fail_at > 5);
    }
    free(text.at);
    free(packed.at);
}

/* ---- threads ---- */

static size_t count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;
    if (!tasks) return 0;
    for (const struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
    (void)closedir(tasks);
    return count;
}

static void workers_take_no_signals_and_are_gone_at_the_return(void **state)
{
    (void)state;
    bytes text = {NULL, 0, 0};
    for (size_t i = 0; i < 200; i++) append_text(&text, "1,2\n");
    const size_t before = count_threads();
    sigset_t mask_before, mask_after;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask_before);
    found got;
    memset(&got, 0, sizeof got);
    got.slow_caller = true;
    norn_scan_facts facts;
    norn_error err = NORN_ERROR_INIT;
    const way w = {2, 40, 0, SIZE_MAX, ',', 0, 0, 1, false};
    assert_ok(scan_bytes(&got, text.at, text.size, &w, &facts, NULL, &err), &err);
    assert_true(got.by_others);
    assert_false(got.signals_reach_others);
    assert_int_equal(count_threads(), before);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask_after);
    assert_int_equal(sigismember(&mask_before, SIGINT), sigismember(&mask_after, SIGINT));
    forget(&got);
    free(text.at);
}

typedef struct watcher {
    norn_cancel *cancel;
    uint64_t raise_at, done;
    size_t calls;
} watcher;

static void watch(void *user, const norn_progress *progress)
{
    watcher *w = user;
    assert_string_equal(progress->stage, "read");
    assert_int_equal(progress->total, 300000);
    assert_true(progress->done >= w->done && progress->done <= progress->total);
    w->done = progress->done;
    w->calls++;
    if (w->raise_at && w->done >= w->raise_at) norn_cancel_raise(w->cancel);
}

static void progress_is_told_in_bytes_of_the_stream_and_cancelling_ends_it(void **state)
{
    (void)state;
    for (int cancelled = 0; cancelled <= 1; cancelled++) {
        watcher seen = {NULL, cancelled ? 100000 : 0, 0, 0};
        assert_ok(norn_cancel_new(&seen.cancel), NULL);
        norn_host host = NORN_HOST_INIT;
        host.user = &seen;
        host.progress = watch;
        host.cancel = seen.cancel;
        endless e = {"1,2\n", 4, 0, 300000};
        counter c;
        memset(&c, 0, sizeof c);
        const norn_scan_events events = {&c, count_prepare, count_field, count_row, count_drain};
        norn_scan *scan;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_scan_open(&scan, read_endless, &e, "f", 0, &host, &err), &err);
        norn_scan_tune(scan, 2, 1000);
        const norn_status status = norn_scan_run(scan, ',', 0, 1, 300000, &events, &err);
        norn_scan_free(scan);
        assert_int_equal(status, cancelled ? NORN_ERR_CANCELLED : NORN_OK);
        assert_int_equal(seen.done, 300000); /* all of it is the sample */
        assert_true(cancelled ? seen.calls == 1 : seen.calls >= 300);
        norn_cancel_free(seen.cancel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nasty_texts_are_read_the_same_in_pieces_of_any_size),
        cmocka_unit_test(random_texts_are_read_the_same_in_pieces_of_any_size),
        cmocka_unit_test(a_refused_field_ends_the_scan_where_it_stands),
        cmocka_unit_test(skipped_lines_are_not_read_and_their_quotes_do_not_count),
        cmocka_unit_test(quotes_in_skipped_lines_do_not_hide_comments_behind_the_sample),
        cmocka_unit_test(the_sample_is_the_beginning_and_knows_whether_that_is_all),
        cmocka_unit_test(gzip_of_one_or_several_members_is_read_like_the_text),
        cmocka_unit_test(damaged_gzip_is_refused_behind_what_can_be_read),
        cmocka_unit_test(a_failing_stream_is_told_behind_what_it_gave),
        cmocka_unit_test(what_is_no_text_is_refused_by_name_packed_or_not),
        cmocka_unit_test(fields_and_lines_of_any_size_pass_in_bounded_memory),
        cmocka_unit_test(a_bomb_of_gzip_passes_in_bounded_memory),
        cmocka_unit_test(memory_that_is_short_anywhere_is_an_error_and_nothing_is_lost),
        cmocka_unit_test(workers_take_no_signals_and_are_gone_at_the_return),
        cmocka_unit_test(progress_is_told_in_bytes_of_the_stream_and_cancelling_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
