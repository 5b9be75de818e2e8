/*
 * The base room: the error record, the host's memory, log, progress and cancelling, and quoting. All of it
 * runs without OpenCL. Memory is watched through a host that counts every block by the size it is said to
 * have.
 */
#include "support.h"

#include "base/base.h"
#include "base/parallel.h"

#include <stdatomic.h>

/* ---- a host that counts -----------------------------------------------------------------------------------
 */

typedef struct counting {
    size_t live;    /* bytes now, by the sizes the library says */
    size_t calls;   /* of resize */
    size_t refuse;  /* this call, from 1, and all after it get nothing; 0: none */
    size_t logged;  /* messages */
    size_t reports; /* of progress */
    norn_log_level level;
    char text[1200];
    norn_progress progress;
} counting;

/* Keeps the size in front of the block, to compare it with the size the library gives back. */
static void *counting_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    enum { FRONT = 32 };
    counting *count = user;
    count->calls++;
    size_t known = 0;
    unsigned char *block = ptr ? (unsigned char *)ptr - FRONT : NULL;
    if (block) memcpy(&known, block, sizeof known);
    assert_int_equal(known, old_size);
    if (new_size == 0) {
        free(block);
        count->live -= old_size;
        return NULL;
    }
    if (count->refuse && count->calls >= count->refuse) return NULL;
    block = realloc(block, FRONT + new_size);
    assert_non_null(block);
    memcpy(block, &new_size, sizeof new_size);
    if (new_size > old_size) memset(block + FRONT + old_size, 0xa5, new_size - old_size);
    count->live += new_size - old_size;
    return block + FRONT;
}

static void counting_log(void *user, norn_log_level level, const char *text)
{
    counting *count = user;
    count->logged++;
    count->level = level;
    (void)snprintf(count->text, sizeof count->text, "%s", text);
}

static void counting_progress(void *user, const norn_progress *progress)
{
    counting *count = user;
    count->reports++;
    count->progress = *progress;
}

static norn_host counting_host(counting *count)
{
    *count = (counting){0};
    norn_host host = NORN_HOST_INIT;
    host.user = count;
    host.resize = counting_resize;
    host.log = counting_log;
    host.progress = counting_progress;
    return host;
}

/* ---- errors
 * ------------------------------------------------------------------------------------------------- */

static void the_first_error_is_never_overwritten(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(norn_fail_at(&err, NORN_ERR_DATA, "a.csv", 7, 3, "expected %s", "a number"),
                     NORN_ERR_DATA);
    assert_int_equal(norn_fail(&err, NORN_ERR_MEMORY, "later"), NORN_ERR_MEMORY);
    assert_int_equal(norn_fail_at(&err, NORN_ERR_INPUT, "b.csv", 1, 1, "later still"), NORN_ERR_INPUT);
    assert_int_equal(err.status, NORN_ERR_DATA);
    assert_string_equal(err.message, "expected a number");
    assert_string_equal(err.file, "a.csv");
    assert_int_equal(err.line, 7);
    assert_int_equal(err.column, 3);
}

static void a_failure_without_a_record_still_returns_its_status(void **state)
{
    (void)state;
    assert_int_equal(norn_fail(NULL, NORN_ERR_USAGE, "nobody listens"), NORN_ERR_USAGE);
    assert_int_equal(norn_fail_at(NULL, NORN_ERR_DATA, "a.csv", 1, 2, "nor here"), NORN_ERR_DATA);
    assert_int_equal(norn_fail_memory(NULL, "a table"), NORN_ERR_MEMORY);
    assert_int_equal(norn_fail_cancelled(NULL), NORN_ERR_CANCELLED);
}

/* A record that was used before, then cleared by its status alone, must not keep the old position. */
static void a_recorded_error_clears_what_stood_in_the_record(void **state)
{
    (void)state;
    norn_error err;
    memset(&err, 'x', sizeof err);
    err.status = NORN_OK;
    assert_int_equal(norn_fail(&err, NORN_ERR_USAGE, "no position"), NORN_ERR_USAGE);
    assert_string_equal(err.message, "no position");
    assert_string_equal(err.file, "");
    assert_string_equal(err.call, "");
    assert_string_equal(err.log, "");
    assert_int_equal(err.line, 0);
    assert_int_equal(err.column, 0);
    assert_int_equal(err.code, 0);
}

static void long_messages_and_paths_are_cut_and_stay_terminated(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'm', sizeof text);
    text[sizeof text - 1] = '\0';
    norn_error err = NORN_ERROR_INIT;
    (void)norn_fail_at(&err, NORN_ERR_DATA, text, UINT64_MAX, UINT64_MAX, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(strlen(err.file), sizeof err.file - 1);
    assert_true(err.line == UINT64_MAX && err.column == UINT64_MAX);
}

static void memory_and_cancelling_have_messages_of_their_own(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    (void)norn_fail_memory(&err, "the table's columns");
    assert_int_equal(err.status, NORN_ERR_MEMORY);
    assert_string_equal(err.message, "out of memory for the table's columns");
    err = (norn_error)NORN_ERROR_INIT;
    (void)norn_fail_cancelled(&err);
    assert_int_equal(err.status, NORN_ERR_CANCELLED);
    assert_string_equal(err.message, "interrupted");
}

static void every_status_has_its_own_name(void **state)
{
    (void)state;
    static const struct {
        norn_status status;
        const char *name;
    } cases[] = {
        {NORN_OK, "ok"},
        {NORN_ERR_USAGE, "usage"},
        {NORN_ERR_DATA, "data"},
        {NORN_ERR_INPUT, "input"},
        {NORN_ERR_OUTPUT, "output"},
        {NORN_ERR_MEMORY, "memory"},
        {NORN_ERR_DEVICE, "device"},
        {NORN_ERR_OPENCL, "opencl"},
        {NORN_ERR_BUILD, "build"},
        {NORN_ERR_CANCELLED, "cancelled"},
        {NORN_ERR_NUMERIC, "numeric"},
        {NORN_ERR_INTERNAL, "internal"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        assert_string_equal(norn_status_name(cases[i].status), cases[i].name);
    assert_string_equal(norn_status_name((norn_status)1), "unknown");
    assert_string_equal(norn_status_name((norn_status)-12), "unknown");
    assert_string_equal(norn_status_name((norn_status)-1000), "unknown");
}

static void the_linked_version_is_the_header_s(void **state)
{
    (void)state;
    char text[40];
    (void)snprintf(text, sizeof text, "%d.%d.%d", NORN_VERSION_MAJOR, NORN_VERSION_MINOR, NORN_VERSION_PATCH);
    assert_string_equal(norn_version(), text);
}

/* ---- memory
 * --------------------------------------------------------------------------------------------------- */

static void blocks_come_zeroed_from_the_host_and_go_back_with_their_size(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    unsigned char *block = norn_new(&host, 7, 9);
    assert_non_null(block);
    assert_int_equal(count.live, 63);
    for (size_t i = 0; i < 63; i++) assert_int_equal(block[i], 0);
    norn_delete(&host, block, 7, 9);
    assert_int_equal(count.live, 0);
    assert_int_equal(count.calls, 2);
}

static void nothing_is_asked_for_when_the_size_is_zero_or_overflows(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    assert_null(norn_new(&host, 0, 8));
    assert_null(norn_new(&host, 8, 0));
    assert_null(norn_new(&host, SIZE_MAX / 8 + 1, 8));
    assert_null(norn_new(&host, SIZE_MAX, SIZE_MAX));
    assert_null(norn_text_copy(&host, "a", SIZE_MAX));
    norn_delete(&host, NULL, 3, 4);
    norn_text_delete(&host, NULL);
    assert_int_equal(count.calls, 0);
}

static void a_resized_array_keeps_its_contents(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    uint32_t *array = NULL;
    assert_true(norn_resize(&host, (void **)&array, 0, 3, sizeof *array));
    for (uint32_t i = 0; i < 3; i++) array[i] = i + 10;
    assert_true(norn_resize(&host, (void **)&array, 3, 1000, sizeof *array));
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(array[i], i + 10);
    assert_int_equal(count.live, 4000);
    assert_true(norn_resize(&host, (void **)&array, 1000, 2, sizeof *array));
    assert_int_equal(array[0], 10);
    assert_int_equal(array[1], 11);
    assert_int_equal(count.live, 8);
    norn_delete(&host, array, 2, sizeof *array);
    assert_int_equal(count.live, 0);
}

static void an_array_that_cannot_be_resized_stays_as_it_was(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    uint32_t *array = NULL;
    assert_true(norn_resize(&host, (void **)&array, 0, 2, sizeof *array));
    array[0] = 1;
    array[1] = 2;
    uint32_t *const before = array;
    static const struct {
        size_t count, size;
    } impossible[] = {{SIZE_MAX / 4 + 1, 4}, {SIZE_MAX, 4}, {SIZE_MAX, SIZE_MAX}, {0, 4}, {5, 0}};
    for (size_t i = 0; i < NORN_COUNT(impossible); i++) {
        assert_false(norn_resize(&host, (void **)&array, 2, impossible[i].count, impossible[i].size));
        assert_ptr_equal(array, before);
    }
    assert_int_equal(count.calls, 1); /* none of these was put to the host */
    count.refuse = 2;
    assert_false(norn_resize(&host, (void **)&array, 2, 4, sizeof *array));
    assert_ptr_equal(array, before);
    assert_int_equal(array[0] + array[1], 3);
    norn_delete(&host, array, 2, sizeof *array);
    assert_int_equal(count.live, 0);
}

static void a_host_without_memory_is_believed(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    count.refuse = 1;
    assert_null(norn_new(&host, 1, 1));
    assert_null(norn_text_copy(&host, "text", 4));
    assert_int_equal(count.calls, 2);
    assert_int_equal(count.live, 0);
}

static void a_copied_text_is_terminated_and_counted(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    char *text = norn_text_copy(&host, "seasonal", 6);
    char *empty = norn_text_copy(&host, NULL, 0);
    assert_string_equal(text, "season");
    assert_string_equal(empty, "");
    assert_int_equal(count.live, 8);
    norn_text_delete(&host, text);
    norn_text_delete(&host, empty);
    assert_int_equal(count.live, 0);
}

/* ---- the host
 * --------------------------------------------------------------------------------------------------- */

static void no_host_means_malloc_and_silence(void **state)
{
    (void)state;
    const norn_host host = norn_host_copy(NULL);
    assert_int_equal(host.size, sizeof host);
    assert_null(host.log);
    assert_null(host.progress);
    assert_false(norn_is_cancelled(&host));
    unsigned char *block = norn_new(&host, 100, 3);
    assert_non_null(block);
    for (size_t i = 0; i < 300; i++) assert_int_equal(block[i], 0);
    assert_true(norn_resize(&host, (void **)&block, 300, 5000, 1));
    norn_delete(&host, block, 5000, 1);
    norn_log(&host, NORN_LOG_WARNING, "nobody listens");
    norn_report(&host, (norn_progress){0});
    norn_log(NULL, NORN_LOG_INFO, "nor here");
    norn_report(NULL, (norn_progress){0});
}

/* A caller built with an older header has a shorter struct: what it does not know gets defaults, and what
 * lies behind its struct is not read. */
static void a_host_of_an_older_header_is_filled_up_with_defaults(void **state)
{
    (void)state;
    counting count;
    norn_host older = counting_host(&count);
    older.size = offsetof(norn_host, log);
    const norn_host host = norn_host_copy(&older);
    assert_int_equal(host.size, sizeof host);
    assert_ptr_equal(host.user, &count);
    assert_true(host.resize == counting_resize);
    assert_null(host.log);
    assert_null(host.progress);
    assert_null(host.cancel);
}

static void a_host_of_a_newer_header_is_cut_to_what_is_known(void **state)
{
    (void)state;
    counting count;
    norn_host newer = counting_host(&count);
    newer.size = sizeof newer + 64;
    const norn_host host = norn_host_copy(&newer);
    assert_int_equal(host.size, sizeof host);
    assert_true(host.log == counting_log && host.progress == counting_progress);
}

static void options_of_another_size_are_filled_up_and_none_are_refused(void **state)
{
    (void)state;
    typedef struct options {
        size_t size;
        int first, second;
    } options;
    static const options defaults = {sizeof(options), 1, 2};
    norn_error err = NORN_ERROR_INIT;
    options out = defaults;
    assert_int_equal(norn_options_take(&out, sizeof out, NULL, &err), NORN_OK);
    assert_memory_equal(&out, &defaults, sizeof out);
    const options older = {offsetof(options, second), 5, 6};
    assert_int_equal(norn_options_take(&out, sizeof out, &older, &err), NORN_OK);
    assert_int_equal(out.first, 5);
    assert_int_equal(out.second, 2);
    const struct {
        options known;
        int later;
    } newer = {{sizeof newer, 7, 8}, 9};
    assert_int_equal(norn_options_take(&out, sizeof out, &newer, &err), NORN_OK);
    assert_int_equal(out.first + out.second, 15);
    const options none = {0, 3, 4};
    assert_int_equal(norn_options_take(&out, sizeof out, &none, &err), NORN_ERR_USAGE);
    assert_int_equal(out.first + out.second, 15);
    assert_non_null(strstr(err.message, "size 0"));
}

static void the_log_gets_whole_lines_with_their_level(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    norn_log(&host, NORN_LOG_WARNING, "season %d from the %s", 12, "step");
    assert_int_equal(count.logged, 1);
    assert_int_equal(count.level, NORN_LOG_WARNING);
    assert_string_equal(count.text, "season 12 from the step");
    char text[3000];
    memset(text, 'l', sizeof text);
    text[sizeof text - 1] = '\0';
    norn_log(&host, NORN_LOG_INFO, "%s", text);
    assert_int_equal(count.logged, 2);
    assert_int_equal(strlen(count.text), 1023);
}

static void progress_is_reported_with_the_library_s_size(void **state)
{
    (void)state;
    counting count;
    const norn_host host = counting_host(&count);
    norn_report(&host, (norn_progress){.stage = "train", .done = 3, .total = 10, .seconds_left = -1.0});
    assert_int_equal(count.reports, 1);
    assert_int_equal(count.progress.size, sizeof(norn_progress));
    assert_string_equal(count.progress.stage, "train");
    assert_int_equal(count.progress.done, 3);
    assert_int_equal(count.progress.total, 10);
}

static void a_raised_flag_cancels_every_copy_of_its_host(void **state)
{
    (void)state;
    norn_cancel *cancel = NULL;
    assert_int_equal(norn_cancel_new(&cancel), NORN_OK);
    norn_host host = NORN_HOST_INIT;
    host.cancel = cancel;
    const norn_host copy = norn_host_copy(&host);
    assert_false(norn_is_cancelled(&copy));
    assert_int_equal(norn_cancel_raised(cancel), 0);
    norn_cancel_raise(cancel);
    assert_true(norn_is_cancelled(&copy));
    assert_int_equal(norn_cancel_raised(cancel), 1);
    assert_int_equal(norn_cancel_raised(NULL), 0);
    assert_false(norn_is_cancelled(NULL));
    norn_cancel_free(cancel);
    norn_cancel_free(NULL);
}

static void the_clock_never_runs_backwards(void **state)
{
    (void)state;
    double before = norn_seconds();
    assert_true(before > 0.0);
    for (int i = 0; i < 1000; i++) {
        const double now = norn_seconds();
        assert_true(now >= before);
        before = now;
    }
}

/* ---- quoting
 * ------------------------------------------------------------------------------------------------------ */

static void quoted_text_is_printable_whatever_was_in_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
        size_t length, limit;
    } cases[] = {
        {"n/a", "n/a", 3, 40},
        {"", "", 0, 40},
        {"a\0b", "a\\x00b", 3, 40},
        {"tab\there", "tab\\x09here", 8, 40},
        {"\x1b[31mred", "\\x1b[31mred", 8, 40}, /* no terminal sequence gets through */
        {"\x1f~", "\\x1f~", 2, 40},
        {"\x7f", "\\x7f", 1, 40},
        {"Z\xc3\xbcrich", "Z\xc3\xbcrich", 7, 40},       /* two bytes */
        {"\xe2\x82\xac", "\xe2\x82\xac", 3, 40},         /* three: euro */
        {"\xf0\x9f\x93\x88", "\xf0\x9f\x93\x88", 4, 40}, /* four: a chart */
        {"\xc3\xbc", "\\xc3", 1, 40},                    /* cut short */
        {"\xe2\x82\xac", "\\xe2\\x82", 2, 40},
        {"\xc0\xaf", "\\xc0\\xaf", 2, 40}, /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf", 3, 40},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", 3, 40},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", 4, 40}, /* beyond U+10FFFF */
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b"
         "31m",
         5, 40},                                    /* a C1 control: begins a terminal sequence */
        {"\xc2\xa0", "\xc2\xa0", 2, 40},            /* no control any more */
        {"\xe2\x80\xae", "\\xe2\\x80\\xae", 3, 40}, /* text runs backwards from here */
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6", 3, 40}, /* an isolate */
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8", 3, 40}, /* a separator of lines */
        {"\xe2\x80\x93", "\xe2\x80\x93", 3, 40},    /* a dash */
        {"\xff\xfe"
         "1",
         "\\xff\\xfe"
         "1",
         3, 40},
        {"0123456789", "0123456789", 10, 10},
        {"0123456789", "012345678...", 10, 9},
        {"0123456789", "...", 10, 0},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char out[100];
        assert_ptr_equal(norn_quote(out, sizeof out, cases[i].text, cases[i].length, cases[i].limit), out);
        assert_string_equal(out, cases[i].want);
    }
}

/* Every size of the output, over a text whose every byte becomes four: the end is NUL, and nothing is written
 * behind it. */
static void quoting_never_writes_beyond_its_output(void **state)
{
    (void)state;
    char text[64];
    memset(text, '\x01', sizeof text);
    for (size_t size = 1; size <= 80; size++) {
        char out[96];
        memset(out, '#', sizeof out);
        (void)norn_quote(out, size, text, sizeof text, sizeof text);
        assert_non_null(memchr(out, '\0', size));
        for (size_t i = size; i < sizeof out; i++) assert_int_equal(out[i], '#');
    }
}

/* ---- threads ---- */

enum { PIECES = 10000 };
typedef struct pieces {
    atomic_size_t next;
    atomic_int taken[PIECES];
    atomic_size_t workers;
} pieces;

static void take(void *user, size_t worker)
{
    pieces *const p = user;
    (void)worker;
    (void)atomic_fetch_add(&p->workers, 1);
    for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < PIECES;) (void)atomic_fetch_add(&p->taken[i], 1);
}

static void threads_take_every_piece_once(void **state)
{
    (void)state;
    static const size_t workers[] = {0, 1, 2, 5, 200};
    static pieces p;
    for (size_t w = 0; w < NORN_COUNT(workers); w++) {
        atomic_init(&p.next, 0);
        atomic_init(&p.workers, 0);
        for (size_t i = 0; i < PIECES; i++) atomic_init(&p.taken[i], 0);
        norn_parallel(workers[w], take, &p);
        for (size_t i = 0; i < PIECES; i++) assert_int_equal(atomic_load(&p.taken[i]), 1);
        assert_in_range(atomic_load(&p.workers), 1, NORN_MOST_WORKERS);
    }
    assert_true(norn_cores() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_is_never_overwritten),
        cmocka_unit_test(a_failure_without_a_record_still_returns_its_status),
        cmocka_unit_test(a_recorded_error_clears_what_stood_in_the_record),
        cmocka_unit_test(long_messages_and_paths_are_cut_and_stay_terminated),
        cmocka_unit_test(memory_and_cancelling_have_messages_of_their_own),
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(the_linked_version_is_the_header_s),
        cmocka_unit_test(blocks_come_zeroed_from_the_host_and_go_back_with_their_size),
        cmocka_unit_test(nothing_is_asked_for_when_the_size_is_zero_or_overflows),
        cmocka_unit_test(a_resized_array_keeps_its_contents),
        cmocka_unit_test(an_array_that_cannot_be_resized_stays_as_it_was),
        cmocka_unit_test(a_host_without_memory_is_believed),
        cmocka_unit_test(a_copied_text_is_terminated_and_counted),
        cmocka_unit_test(no_host_means_malloc_and_silence),
        cmocka_unit_test(a_host_of_an_older_header_is_filled_up_with_defaults),
        cmocka_unit_test(a_host_of_a_newer_header_is_cut_to_what_is_known),
        cmocka_unit_test(options_of_another_size_are_filled_up_and_none_are_refused),
        cmocka_unit_test(the_log_gets_whole_lines_with_their_level),
        cmocka_unit_test(progress_is_reported_with_the_library_s_size),
        cmocka_unit_test(a_raised_flag_cancels_every_copy_of_its_host),
        cmocka_unit_test(the_clock_never_runs_backwards),
        cmocka_unit_test(quoted_text_is_printable_whatever_was_in_it),
        cmocka_unit_test(quoting_never_writes_beyond_its_output),
        cmocka_unit_test(threads_take_every_piece_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
