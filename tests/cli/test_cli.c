/*
 * How the command speaks, piece by piece: numbers, CSV fields, files, charts, verdicts. Whole command lines
 * are in cases.txt. The library is a stub, see stub_library.h.
 */
#define _XOPEN_SOURCE 700
#include "support.h"

#include "base/base.h"
#include "cli/cli.h"
#include "cli_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const cli_screen plain = {.live = false, .colour = false, .unicode = false, .columns = 72};
static const cli_screen unicode = {.live = false, .colour = false, .unicode = true, .columns = 72};
static const cli_screen coloured = {.live = true, .colour = true, .unicode = true, .columns = 72};

/* The stub ignores its handles. */
static const norn_table *const table = NULL;
static const norn_forecast *const forecast = NULL;

/* ---- numbers and fields
 * ------------------------------------------------------------------------------------ */

static void numbers_show_the_spread_of_their_series_to_five_digits(void **state)
{
    (void)state;
    static const struct {
        double low, high, value;
        const char *text;
    } cases[] = {
        {104, 622, 445.2134399, "445.21"},
        {0.01, 0.05, 0.031415926, "0.031416"},
        {1e6, 9e6, 2345678.4, "2345678"},
        {1e9, 1e9 + 1, 1e9 + 0.5, "1000000000.5000"},
        {1e12, 1e12 + 0.001, 1e12, "1000000000000.00"},
        {5, 5, 5.25, "5.2500"},
        {0, 0, 0.04, "0.0"},
        {-3, 3, -0.00001, "0.0000"},
        {1e-20, 5e-20, 3.25e-20, "3.25e-20"},
        {0, 1e300, 1.5e299, "1.5e+299"},
        {-1000, -10, -999.999, "-1000.00"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        cli_text text = {NULL, 0, 0, false};
        const double largest = fabs(cases[i].low) > fabs(cases[i].high) ? cases[i].low : cases[i].high;
        cli_text_number(&text, cases[i].value, cli_decimals(cases[i].high - cases[i].low, largest));
        assert_string_equal(text.bytes, cases[i].text);
        cli_text_free(&text);
    }
}

static void fields_are_quoted_where_a_reader_would_split_or_trim_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"", ""},
        {"a,b", "\"a,b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {" blank", "\" blank\""},
        {"tab\t", "\"tab\t\""},
        {"in side", "in side"},
        {"Zürich", "Zürich"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        cli_text text = {NULL, 0, 0, false};
        cli_text_csv(&text, cases[i][0]);
        assert_string_equal(text.bytes, cases[i][1]);
        cli_text_free(&text);
    }
}

static void json_has_null_where_a_number_is_none_and_escapes_where_text_is_not_utf8(void **state)
{
    (void)state;
    json_t *values[] = {cli_json_real(NAN), cli_json_real(-INFINITY), cli_json_real(1.5),
                        cli_json_text("a\xff"), cli_json_text("ü")};
    assert_true(json_is_null(values[0]));
    assert_true(json_is_null(values[1]));
    assert_true(json_real_value(values[2]) == 1.5);
    assert_string_equal(json_string_value(values[3]), "a\\xff");
    assert_string_equal(json_string_value(values[4]), "ü");
    for (size_t i = 0; i < NORN_COUNT(values); i++) json_decref(values[i]);
}

static void columns_are_those_of_the_screen(void **state)
{
    (void)state;
    assert_int_equal(cli_columns("abc"), 3);
    assert_int_equal(cli_columns("Zürich"), 6);
    assert_int_equal(cli_columns("売上"), 4);
    assert_int_equal(cli_columns("e\xcc\x81"), 1); /* e and a combining acute */
    assert_int_equal(cli_columns("\xff\xe2\x82"), 3);
    cli_text text = {NULL, 0, 0, false};
    cli_text_pad(&text, "売上", -6);
    cli_text_pad(&text, "ü", 3);
    assert_string_equal(text.bytes, "売上    ü");
    cli_text_free(&text);
}

static void a_mistyped_name_finds_the_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"horizon", "holdout", "hidden", "output", NULL};
    assert_string_equal(norn_closest("horison", names), "horizon");
    assert_string_equal(norn_closest("hidde", names), "hidden");
    assert_string_equal(norn_closest("out", names), "output");
    assert_null(norn_closest("zzz", names));
    assert_null(norn_closest("o", names));
    assert_null(norn_closest("a-word-that-is-far-longer-than-any-option-could-be", names));
}

/* ---- exit codes
 * ---------------------------------------------------------------------------------------------- */

static void every_status_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        norn_status status;
        int code, expected;
    } cases[] = {
        {NORN_ERR_USAGE, 0, 64},    {NORN_ERR_DATA, 0, 65},       {NORN_ERR_INPUT, 0, 66},
        {NORN_ERR_OUTPUT, 0, 74},   {NORN_ERR_MEMORY, 0, 71},     {NORN_ERR_DEVICE, 0, 69},
        {NORN_ERR_OPENCL, -5, 69},  {NORN_ERR_OPENCL, -4, 71},    {NORN_ERR_OPENCL, -6, 71},
        {NORN_ERR_BUILD, -11, 70},  {NORN_ERR_CANCELLED, 0, 130}, {NORN_ERR_NUMERIC, 0, 70},
        {NORN_ERR_INTERNAL, 0, 70}, {(norn_status)-99, 0, 70},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_error err = NORN_ERROR_INIT;
        err.status = cases[i].status;
        err.code = cases[i].code;
        assert_int_equal(cli_exit_of(&err), cases[i].expected);
    }
}

static const char *failure(norn_error err, bool debug, int expected)
{
    cli_state state = {.host = NORN_HOST_INIT, .err = err, .screen = plain, .debug = debug};
    const int saved = capture(STDERR_FILENO, path_of("stderr"));
    const int code = cli_fail(&state);
    release(STDERR_FILENO, saved);
    assert_int_equal(code, expected);
    return read_file(path_of("stderr"));
}

static void errors_stand_where_they_are(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    (void)norn_fail_at(&err, NORN_ERR_DATA, "a\x1b.csv", 7, 2, "expected a number");
    assert_string_equal(failure(err, false, 65), "a\\x1b.csv:7:2: error: expected a number\n");
    err.column = 0;
    assert_string_equal(failure(err, false, 65), "a\\x1b.csv:7: error: expected a number\n");
    err = (norn_error)NORN_ERROR_INIT;
    (void)norn_fail(&err, NORN_ERR_DEVICE, "no device");
    assert_string_equal(failure(err, false, 69), "norn: error: no device\n");
}

static void a_build_log_shows_its_first_line_and_all_of_it_when_asked(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    (void)norn_fail(&err, NORN_ERR_BUILD, "clBuildProgram failed");
    (void)snprintf(err.log, sizeof err.log, "\nline one\nline two\n");
    assert_string_equal(failure(err, false, 70), "norn: error: clBuildProgram failed\n  line one\n"
                                                 "  (--debug prints the whole build log)\n");
    assert_string_equal(failure(err, true, 70), "norn: error: clBuildProgram failed\nline one\nline two\n");
    (void)snprintf(err.log, sizeof err.log, "one line");
    assert_string_equal(failure(err, false, 70), "norn: error: clBuildProgram failed\n  one line\n");
}

/* ---- files
 * ----------------------------------------------------------------------------------------------------- */

static void a_file_is_replaced_whole_and_keeps_its_mode(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
    cli_text_put(&text, "new\n");
    write_file(path_of("out"), "old text that is longer\n");
    assert_int_equal(chmod(path_of("out"), 0600), 0);
    assert_int_equal(cli_output_check(path_of("out")), EXIT_FINE);
    assert_int_equal(cli_output_write(path_of("out"), &text), EXIT_FINE);
    struct stat found;
    assert_int_equal(stat(path_of("out"), &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_string_equal(read_file(path_of("out")), "new\n");
    assert_int_equal(files_in_folder(), 1);
    cli_text_free(&text);
}

static void a_file_that_cannot_be_replaced_leaves_no_temporary_one(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
    cli_text_put(&text, "new\n");
    char target[160];
    (void)snprintf(target, sizeof target, "%s/there/", folder); /* a name that rename refuses for a file */
    const int saved = capture(STDERR_FILENO, "/dev/null");
    assert_int_equal(cli_output_check(target), EXIT_NO_CREATE);
    assert_true(cli_output_write(target, &text) != EXIT_FINE);
    release(STDERR_FILENO, saved);
    assert_int_equal(files_in_folder(), 0);
    cli_text_free(&text);
}

static void output_that_ran_out_of_memory_is_not_written(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
    cli_text_put(&text, "half of it");
    text.failed = true;
    const int saved = capture(STDERR_FILENO, "/dev/null");
    assert_int_equal(cli_output_write(path_of("out"), &text), EXIT_MEMORY);
    release(STDERR_FILENO, saved);
    assert_int_equal(access(path_of("out"), F_OK), -1);
    cli_text_free(&text);
}

/* ---- what a person reads
 * ----------------------------------------------------------------------------------------- */

static void chart_is_as_it_was(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
    cli_plot(&unicode, &text, table, forecast, 0);
    assert_golden(&text, "chart_unicode.txt");
    cli_text_free(&text);
    cli_plot(&plain, &text, table, forecast, 0);
    assert_golden(&text, "chart_ascii.txt");
    cli_text_free(&text);
    cli_plot(&coloured, &text, table, forecast, 0);
    assert_golden(&text, "chart_colour.txt");
    cli_text_free(&text);
}

/* No line of a chart is wider than the screen, whatever is drawn. */
static void assert_fits(const cli_text *text, int columns)
{
    assert_false(text->failed);
    char *copy = strdup(text->bytes);
    assert_non_null(copy);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
        if (!strstr(line, "rows"))
            assert_true(cli_columns(line) <= columns); /* title and legend may be longer */
    free(copy);
}

static void chart_takes_any_values_and_any_width(void **state)
{
    (void)state;
    static const double extremes[][2] = {{0, 0},           {5, 5},       {1e-300, 2e-300},
                                         {-1e300, 1e300},  {1e15, 1e15}, {-0.001, 0.001},
                                         {123456, 123457}, {-1e9, 1e9},  {-1e308, 1e308}};
    for (size_t i = 0; i < NORN_COUNT(extremes); i++)
        for (int columns = 40; columns < 140; columns += 33)
            for (int kind = 0; kind < 2; kind++) {
                cli_screen screen = kind ? unicode : plain;
                screen.columns = columns;
                for (int k = 0; k < STUB_ROWS; k++) stub.target[k] = extremes[i][k & 1];
                for (int k = 0; k < STUB_HORIZON; k++)
                    stub.values[k] = stub.held_back[k] = extremes[i][k & 1];
                stub.values[3] = NAN;
                cli_text text = {NULL, 0, 0, false};
                cli_plot(&screen, &text, table, forecast, 0);
                if (text.length) assert_fits(&text, columns);
                cli_text_free(&text);
            }
}

/* The last line of the report of scores. */
static const char *verdict(cli_text *text)
{
    cli_text_free(text);
    cli_report_scores(&plain, text, table, forecast);
    assert_true(text->length > 1);
    text->bytes[text->length - 1] = '\0';
    const char *line = strrchr(text->bytes, '\n');
    assert_non_null(line);
    return line + 1;
}

static void verdict_is_honest_whoever_wins(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
#define ROWS "On the 12 rows held back (2019-01 to 2019-12) the LSTM's MAE is "
    assert_string_equal(verdict(&text), ROWS "50 % below the seasonal naive's, and the smallest of all.");
    assert_non_null(strstr(text.bytes, "  * LSTM"));
    stub.scores[3].mae = 3.0;
    assert_string_equal(verdict(&text),
                        ROWS "50 % below the seasonal naive's, but the linear model was better "
                             "still, by 25 %.");
    assert_non_null(strstr(text.bytes, "  * Linear"));
    stub.scores[0].mae = 9.0;
    assert_string_equal(verdict(&text), ROWS
                        "12 % above the seasonal naive's; the linear model was the best here: prefer it.");
    stub.scores[3].mae = 10.0;
    assert_string_equal(verdict(&text), ROWS
                        "12 % above the seasonal naive's; the seasonal naive was better here: prefer it.");
    stub.scores[0].mae = 40.0;
    assert_non_null(
        strstr(verdict(&text), ROWS "5.0 times the seasonal naive's; the seasonal naive was better"));
    stub.score_count = 2; /* no season */
    stub.scores[0].mae = 19.9;
    assert_string_equal(verdict(&text), ROWS "0.5 % below the naive's, and the smallest of all.");
    stub.scores[0].mae = 20.0;
    assert_string_equal(verdict(&text), ROWS "equal to the naive's.");
    stub.scores[1].mae = 0.0;
    assert_string_equal(verdict(&text), ROWS "above the naive's; the naive was better here: prefer it.");
    stub_reset();
    stub.series = 2;
    assert_non_null(strstr(verdict(&text), "(2019-01 to 2019-12) of each of 2 series the LSTM's"));
    stub.shift[1] = 3; /* the series end at different times: no range is true of both */
    assert_non_null(strstr(verdict(&text), "On the 12 rows held back of each of 2 series the LSTM's"));
    cli_text_free(&text);
}

static void members_are_reported_with_their_epochs_and_how_far_they_lie_apart(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
    cli_report_training(&plain, &text, forecast, 2.0);
    cli_report_spread(&plain, &text, table, forecast);
    assert_string_equal(text.bytes,
                        "  trained    in 2.0 s, 60 epochs (best 41), without the rows held back 50 "
                        "(best 31)\n");
    cli_text_free(&text);
    stub.members = 3;
    for (int k = 0; k < STUB_HORIZON; k++) {
        stub.values[k] = k % 2 ? 200.0 : -200.0; /* a mean of 0 has a size */
        stub.least[k] = stub.values[k] - (k == 7 ? 12.0 : 1.0);
        stub.greatest[k] = stub.values[k] + (k == 7 ? 14.0 : 1.0);
    }
    cli_report_training(&plain, &text, forecast, 2.0);
    cli_report_spread(&plain, &text, table, forecast);
    assert_string_equal(
        text.bytes, "  trained    in 2.0 s, 3 members, 44 to 60 epochs, without the rows held back 2 to 50 "
                    "(1 diverged)\n"
                    "  spread     members 2 % apart on average, 13 % where most\n");
    cli_text_free(&text);
    for (int k = 0; k < STUB_HORIZON; k++) stub.values[k] = 0.0; /* there is nothing to be a share of */
    cli_report_spread(&plain, &text, table, forecast);
    assert_int_equal(text.length, 0);
    cli_text_free(&text);
}

static void scores_that_are_undefined_are_dashes(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
    stub.scores[0].mape = stub.scores[1].mape = stub.scores[0].mase = NAN;
    cli_report_scores(&plain, &text, table, forecast);
    assert_non_null(strstr(text.bytes, "5.250         -         -  best\n"));
    assert_null(strstr(text.bytes, "nan"));
    cli_text_free(&text);
    stub.score_count = 0;
    cli_report_scores(&plain, &text, table, forecast);
    assert_int_equal(text.length, 0);
    cli_text_free(&text);
}

static void what_the_measures_leave_out_is_counted_once(void **state)
{
    (void)state;
    cli_text text = {NULL, 0, 0, false};
    cli_report_scores(&plain, &text, table, forecast);
    assert_null(strstr(text.bytes, "leaves out"));
    assert_null(strstr(text.bytes, "not scored"));
    cli_text_free(&text);
    for (size_t i = 0; i < 4; i++) {
        stub.scores[i].missing_rows = 1;
        stub.scores[i].zero_rows = 3;
        stub.scores[i].unscaled_series = 2;
    }
    stub.scores[0].mae = stub.scores[0].rmse =
        NAN; /* a network that was not scored says no more than it knows */
    stub.scores[0].missing_rows = stub.scores[0].zero_rows = stub.scores[0].unscaled_series = 0;
    cli_report_scores(&plain, &text, table, forecast);
    assert_non_null(strstr(text.bytes,
                           "\n\n1 row held back is missing and not scored; MAPE leaves out 3 rows that "
                           "are 0; MASE leaves out 2 series without a scale.\n"));
    cli_text_free(&text);
}

static void long_sentences_break_between_words_on_a_terminal(void **state)
{
    (void)state;
    cli_screen narrow = {.live = true, .columns = 40};
    cli_text text = {NULL, 0, 0, false};
    cli_report_scores(&narrow, &text, table, forecast);
    const char *sentence = strstr(text.bytes, "On the 12");
    assert_non_null(sentence);
    assert_string_equal(sentence,
                        "On the 12 rows held back (2019-01 to\n2019-12) the LSTM's MAE is 50 % below\n"
                        "the seasonal naive's, and the smallest\nof all.\n");
    cli_text_free(&text);
}

static void decisions_line_up_with_their_flags(void **state)
{
    (void)state;
    static const norn_decision decisions[] = {
        {"target", "\"売上\", the last numeric column", "--target", NULL},
        {"step", "1 month (143 of 143 steps)", "", NULL},
        {"time", "\"Month\"", "--time", NULL}};
    cli_text text = {NULL, 0, 0, false};
    cli_report_decisions(&plain, &text, decisions, NORN_COUNT(decisions));
    assert_string_equal(text.bytes,
                        "  target     \"売上\", the last numeric column                 (--target)\n"
                        "  step       1 month (143 of 143 steps)\n"
                        "  time       \"Month\"                                         (--time)\n");
    cli_text_free(&text);
}

static void progress_never_fills_the_line_and_is_wiped(void **state)
{
    (void)state;
    norn_progress progress = {.size = sizeof progress,
                              .stage = "train",
                              .done = 123,
                              .total = 1000,
                              .train_loss = 0.0123,
                              .valid_loss = 0.0456,
                              .windows_rate = 123456,
                              .seconds_left = 125};
    for (int columns = 40; columns <= 100; columns += 10) {
        cli_state cli = {.host = NORN_HOST_INIT, .screen = {.live = true, .columns = columns}};
        cli.progress.next = -1.0; /* not the first, which is held back */
        const int saved = capture(STDERR_FILENO, path_of("stderr"));
        cli_progress_draw(&cli, &progress);
        release(STDERR_FILENO, saved);
        const char *line = read_file(path_of("stderr"));
        assert_memory_equal(line, "\r\033[K", 4);
        assert_null(strchr(line + 1, '\n'));
        assert_true(cli_columns(line + 4) < columns);
        if (columns == 100) assert_non_null(strstr(line, "epoch 123/1000  loss 0.0123  validation 0.0456"));
        const int again = capture(STDERR_FILENO, path_of("stderr"));
        cli_progress_clear(&cli);
        cli_progress_clear(&cli);
        release(STDERR_FILENO, again);
        assert_string_equal(read_file(path_of("stderr")), "\r\033[K");
    }
}

static void progress_is_not_drawn_where_nobody_looks(void **state)
{
    (void)state;
    const norn_progress progress = {.stage = "train", .done = 1, .total = 2};
    cli_state not_live = {.host = NORN_HOST_INIT, .screen = plain, .progress = {false, -1.0}};
    cli_state quiet = {.host = NORN_HOST_INIT, .screen = coloured, .progress = {false, -1.0}, .quiet = true};
    const int saved = capture(STDERR_FILENO, path_of("stderr"));
    cli_progress_draw(&not_live, &progress);
    cli_progress_draw(&quiet, &progress);
    release(STDERR_FILENO, saved);
    assert_string_equal(read_file(path_of("stderr")), "");
}

/* ---- devices
 * -------------------------------------------------------------------------------------------------------- */

static int devices(const char *argument, const char **text)
{
    cli_state state = {.host = NORN_HOST_INIT, .err = NORN_ERROR_INIT, .screen = plain};
    const char *arguments[] = {"devices", argument, NULL};
    const int out = capture(STDOUT_FILENO, path_of("stdout")),
              err = capture(STDERR_FILENO, path_of("stderr"));
    const int code = cli_devices_command.run(&state, &cli_devices_command, argument ? 2 : 1, arguments);
    release(STDERR_FILENO, err);
    release(STDOUT_FILENO, out);
    *text = read_file(path_of("stdout"));
    return code;
}

static void devices_say_which_is_used_and_why_another_is_not(void **state)
{
    (void)state;
    const char *text;
    assert_int_equal(devices(NULL, &text), EXIT_FINE);
    assert_string_equal(
        text,
        "Some platform (OpenCL 1.2)\n"
        "  * 0:0   GPU         Some device  80 compute units, vectors of 1, 16 GiB in buffers up to 4.0 GiB\n"
        "            will be used: a GPU is preferred\n"
        "    0:1   GPU         Some device  80 compute units, vectors of 1, 16 GiB in buffers up to 4.0 GiB\n"
        "            cannot be used: it has no compiler for kernels\n");
}

static void devices_that_cannot_be_used_are_listed_and_fail(void **state)
{
    (void)state;
    const char *text;
    stub.usable = 0;
    assert_int_equal(devices(NULL, &text), EXIT_NO_DEVICE);
    assert_non_null(strstr(text, "    0:1   GPU         Some device"));
    assert_null(strchr(text, '*'));
}

static void a_failed_self_test_fails_the_command(void **state)
{
    (void)state;
    const char *text;
    assert_int_equal(devices("--test", &text), EXIT_FINE);
    assert_non_null(strstr(text, "all 2 comparisons passed\n"));
    stub.self_test_passes = 0;
    assert_int_equal(devices("--test", &text), EXIT_INTERNAL);
    assert_non_null(strstr(text, "allowed 1.00e-06  FAILED\n1 of 2 comparisons FAILED\n"));
    stub.self_test_status = NORN_ERR_OPENCL;
    assert_int_equal(devices("--test", &text), EXIT_NO_DEVICE);
    assert_null(strstr(text, "passed"));
}

/* ---- signals
 * ---------------------------------------------------------------------------------------------------------
 */

static void a_signal_asks_and_a_second_one_ends_at_once(void **state)
{
    (void)state;
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < NORN_COUNT(numbers); i++) {
        write_file(path_of("unfinished"), "half");
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            norn_cancel *cancel = NULL;
            (void)signal(numbers[i], SIG_DFL);
            if (norn_cancel_new(&cancel) != NORN_OK) _exit(1);
            cli_signals_install(cancel);
            cli_signals_remove_file(path_of("unfinished"));
            (void)raise(numbers[i]);
            if (!norn_cancel_raised(cancel) || cli_signal_caught() != numbers[i]) _exit(2);
            (void)raise(numbers[i]); /* at once: a wrapper that sends it twice */
            (void)nanosleep(&(struct timespec){0, 600000000}, NULL);
            if (access(path_of("unfinished"), F_OK) != 0) _exit(3);
            (void)raise(numbers[i]);
            _exit(4);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + numbers[i]);
        assert_int_equal(access(path_of("unfinished"), F_OK), -1);
    }
}

static void a_signal_that_was_ignored_stays_ignored(void **state)
{
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        norn_cancel *cancel = NULL;
        (void)signal(SIGINT, SIG_IGN);
        if (norn_cancel_new(&cancel) != NORN_OK) _exit(1);
        cli_signals_install(cancel);
        (void)raise(SIGINT);
        _exit(cli_signal_caught() || norn_cancel_raised(cancel) ? 2 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(numbers_show_the_spread_of_their_series_to_five_digits),
        TEST(fields_are_quoted_where_a_reader_would_split_or_trim_them),
        TEST(json_has_null_where_a_number_is_none_and_escapes_where_text_is_not_utf8),
        TEST(columns_are_those_of_the_screen),
        TEST(a_mistyped_name_finds_the_nearest),
        TEST(every_status_has_its_exit_code),
        TEST(errors_stand_where_they_are),
        TEST(a_build_log_shows_its_first_line_and_all_of_it_when_asked),
        TEST(a_file_is_replaced_whole_and_keeps_its_mode),
        TEST(a_file_that_cannot_be_replaced_leaves_no_temporary_one),
        TEST(output_that_ran_out_of_memory_is_not_written),
        TEST(chart_is_as_it_was),
        TEST(chart_takes_any_values_and_any_width),
        TEST(verdict_is_honest_whoever_wins),
        TEST(members_are_reported_with_their_epochs_and_how_far_they_lie_apart),
        TEST(scores_that_are_undefined_are_dashes),
        TEST(what_the_measures_leave_out_is_counted_once),
        TEST(long_sentences_break_between_words_on_a_terminal),
        TEST(decisions_line_up_with_their_flags),
        TEST(progress_never_fills_the_line_and_is_wiped),
        TEST(progress_is_not_drawn_where_nobody_looks),
        TEST(devices_say_which_is_used_and_why_another_is_not),
        TEST(devices_that_cannot_be_used_are_listed_and_fail),
        TEST(a_failed_self_test_fails_the_command),
        TEST(a_signal_asks_and_a_second_one_ends_at_once),
        TEST(a_signal_that_was_ignored_stays_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
