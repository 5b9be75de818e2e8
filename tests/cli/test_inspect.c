/*
 * Reading a file by the command: the options that say how, the lists of what is wrong with it, and what
 * `norn inspect` says about it. The library is a stub, see stub_library.h.
 */
#define _XOPEN_SOURCE 700
#include "cli_support.h"

#include "base/base.h"
#include "cli/table_flags.h"

/* ---- running a command -----------------------------------------------------------------------------------
 */

static const char *printed, *complained; /* by the last command */

static int run(const char *const *words)
{
    static char texts[2][65536];
    const char *argv[32] = {"inspect"};
    int argc = 1;
    while (words[argc - 1]) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    cli_state state = {.host = NORN_HOST_INIT, .err = NORN_ERROR_INIT, .screen = {.columns = 80}};
    const int out = capture(STDOUT_FILENO, path_of("stdout")),
              err = capture(STDERR_FILENO, path_of("stderr"));
    const int code = cli_inspect_command.run(&state, &cli_inspect_command, argc, argv);
    release(STDOUT_FILENO, out);
    release(STDERR_FILENO, err);
    (void)snprintf(texts[0], sizeof texts[0], "%s", read_file(path_of("stdout")));
    (void)snprintf(texts[1], sizeof texts[1], "%s", read_file(path_of("stderr")));
    printed = texts[0];
    complained = texts[1];
    return code;
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_printed(const char *part)
{
    if (strstr(printed, part)) return;
    print_error("not printed: %s\nbut:\n%s%s", part, printed, complained);
    fail();
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

static void screen_is(const char *locale, const char *columns)
{
    (void)setenv("LC_ALL", locale, 1);
    (void)setenv("COLUMNS", columns, 1);
}

/* ---- options of reading ----------------------------------------------------------------------------------
 */

typedef struct reader_values {
    int before;
    cli_table_flags data;
} reader_values;

static int run_nothing(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    (void)cli;
    (void)command;
    (void)argc;
    (void)argv;
    return 0;
}

static const cli_option no_options[] = {{CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL}};
static const cli_shared shared[] = {{cli_table_rows, offsetof(reader_values, data)}, {NULL, 0}};
static const cli_command reader = {
    .name = "reader", .operands = "FILE", .options = no_options, .shared = shared, .run = run_nothing};

/* Parses one option; the exit code, or -1. */
static int parse(reader_values *out, cli_arguments *arguments, const char *flag, const char *value)
{
    const char *argv[] = {"reader", flag, value, "file.csv", NULL};
    *out = (reader_values){77, CLI_TABLE_FLAGS_INIT};
    const int saved = capture(STDERR_FILENO, path_of("stderr"));
    const int code = cli_parse(&reader, 4, argv, out, arguments);
    release(STDERR_FILENO, saved);
    assert_int_equal(out->before, 77);
    return code;
}

static void every_text_and_character_reaches_its_field(void **state)
{
    (void)state;
#define FIELD(name) offsetof(norn_table_options, name)
    static const struct {
        const char *flag;
        size_t offset;
    } texts[] = {{"--time", FIELD(time)},
                 {"--target", FIELD(target)},
                 {"--id", FIELD(id)},
                 {"--past", FIELD(past)},
                 {"--future", FIELD(future)},
                 {"--static", FIELD(statics)},
                 {"--ignore", FIELD(ignore)},
                 {"--na", FIELD(na)},
                 {"--tz", FIELD(zone)},
                 {"--time-format", FIELD(time_format)},
                 {"--frequency", FIELD(frequency)}},
      characters[] = {{"--delimiter", FIELD(delimiter)},
                      {"--decimal", FIELD(decimal)},
                      {"--thousands", FIELD(thousands)},
                      {"--comment", FIELD(comment)}};
    const norn_table_options untouched = NORN_TABLE_OPTIONS_INIT;
    reader_values given;
    cli_arguments arguments;
    for (size_t i = 0; i < NORN_COUNT(texts); i++) {
        assert_int_equal(parse(&given, &arguments, texts[i].flag, "a,b"), -1);
        const char **field = (const char **)(void *)((char *)&given.data.options + texts[i].offset);
        assert_string_equal(*field, "a,b");
        assert_string_equal(cli_table_given(&arguments, texts[i].flag + 2), "a,b");
        assert_null(cli_table_given(&arguments, "on-gap"));
        *field = NULL; /* and nothing else */
        assert_memory_equal(&given.data.options, &untouched, sizeof untouched);
        cli_arguments_free(&arguments);
    }
    for (size_t i = 0; i < NORN_COUNT(characters); i++) {
        assert_int_equal(parse(&given, &arguments, characters[i].flag, "apostrophe"), -1);
        char *field = (char *)&given.data.options + characters[i].offset;
        assert_int_equal(*field, '\'');
        *field = '\0';
        assert_memory_equal(&given.data.options, &untouched, sizeof untouched);
        cli_arguments_free(&arguments);
    }
    assert_int_equal(parse(&given, &arguments, "--errors", "list"), -1);
    assert_string_equal(given.data.errors, "list");
    assert_memory_equal(&given.data.options, &untouched, sizeof untouched);
    cli_arguments_free(&arguments);
}

static void every_word_reaches_its_field_as_its_enum(void **state)
{
    (void)state;
    static const struct {
        const char *flag, *word;
        size_t offset;
        int value;
    } cases[] = {
        {"--layout", "columns", FIELD(layout), NORN_LAYOUT_COLUMNS},
        {"--layout", "rows", FIELD(layout), NORN_LAYOUT_ROWS},
        {"--layout", "tsf", FIELD(layout), NORN_LAYOUT_TSF},
        {"--header", "yes", FIELD(header), NORN_HEADER_YES},
        {"--header", "no", FIELD(header), NORN_HEADER_NO},
        {"--on-missing", "error", FIELD(on_missing), NORN_MISSING_ERROR},
        {"--on-missing", "skip", FIELD(on_missing), NORN_MISSING_SKIP},
        {"--on-missing", "ffill", FIELD(on_missing), NORN_MISSING_FFILL},
        {"--on-missing", "mean", FIELD(on_missing), NORN_MISSING_MEAN},
        {"--on-missing", "zero", FIELD(on_missing), NORN_MISSING_ZERO},
        {"--on-missing", "mask", FIELD(on_missing), NORN_MISSING_MASK},
        {"--on-missing-input", "error", FIELD(on_missing_input), NORN_MISSING_ERROR},
        {"--on-missing-input", "ffill", FIELD(on_missing_input), NORN_MISSING_FFILL},
        {"--on-missing-input", "mean", FIELD(on_missing_input), NORN_MISSING_MEAN},
        {"--on-missing-input", "zero", FIELD(on_missing_input), NORN_MISSING_ZERO},
        {"--on-missing-input", "mask", FIELD(on_missing_input), NORN_MISSING_MASK},
        {"--on-gap", "keep", FIELD(on_gap), NORN_GAP_KEEP},
        {"--on-gap", "error", FIELD(on_gap), NORN_GAP_ERROR},
        {"--on-gap", "fill", FIELD(on_gap), NORN_GAP_FILL},
        {"--on-gap", "split", FIELD(on_gap), NORN_GAP_SPLIT},
        {"--on-duplicate", "error", FIELD(on_duplicate), NORN_DUPLICATE_ERROR},
        {"--on-duplicate", "first", FIELD(on_duplicate), NORN_DUPLICATE_FIRST},
        {"--on-duplicate", "last", FIELD(on_duplicate), NORN_DUPLICATE_LAST},
        {"--on-duplicate", "mean", FIELD(on_duplicate), NORN_DUPLICATE_MEAN},
        {"--on-unsorted", "error", FIELD(on_unsorted), NORN_UNSORTED_ERROR},
        {"--on-unsorted", "sort", FIELD(on_unsorted), NORN_UNSORTED_SORT},
        {"--on-ragged", "error", FIELD(on_ragged), NORN_RAGGED_ERROR},
        {"--on-ragged", "skip", FIELD(on_ragged), NORN_RAGGED_SKIP},
        {"--on-ragged", "pad", FIELD(on_ragged), NORN_RAGGED_PAD},
        {"--ambiguous", "raise", FIELD(ambiguous), NORN_AMBIGUOUS_RAISE},
        {"--ambiguous", "infer", FIELD(ambiguous), NORN_AMBIGUOUS_INFER},
        {"--ambiguous", "NaT", FIELD(ambiguous), NORN_AMBIGUOUS_NAT},
        {"--nonexistent", "raise", FIELD(nonexistent), NORN_NONEXISTENT_RAISE},
        {"--nonexistent", "shift_forward", FIELD(nonexistent), NORN_NONEXISTENT_SHIFT_FORWARD},
        {"--nonexistent", "shift_backward", FIELD(nonexistent), NORN_NONEXISTENT_SHIFT_BACKWARD},
        {"--nonexistent", "NaT", FIELD(nonexistent), NORN_NONEXISTENT_NAT},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        reader_values given;
        cli_arguments arguments;
        assert_int_equal(parse(&given, &arguments, cases[i].flag, cases[i].word), -1);
        const char *field = (const char *)&given.data.options + cases[i].offset;
        assert_int_equal(*(const int *)(const void *)field, cases[i].value);
        cli_arguments_free(&arguments);
    }
}

static void words_that_are_no_choice_are_refused_with_those_that_are(void **state)
{
    (void)state;
    reader_values given;
    cli_arguments arguments;
    assert_int_equal(parse(&given, &arguments, "--on-missing-input", "skip"), 64);
    assert_string_equal(read_file(path_of("stderr")),
                        "norn: error: --on-missing-input: expected one of error, ffill, mean, zero, mask, "
                        "found \"skip\"\n");
    cli_arguments_free(&arguments);
    assert_int_equal(parse(&given, &arguments, "--layout", ""), 64);
    assert_string_equal(read_file(path_of("stderr")),
                        "norn: error: --layout: expected one of columns, rows, tsf, found \"\"\n");
    cli_arguments_free(&arguments);
}

/* ---- what is wrong with a file ---------------------------------------------------------------------------
 */

enum { MANY = 30 };

static void tell_problems(size_t count)
{
    static norn_problem problems[MANY];
    static char messages[MANY][64];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(messages[i], sizeof messages[i], "column \"sales\": expected a number, found \"n%zu\"",
                       i);
        problems[i] = (norn_problem){"in.csv", i + 2, 3, "sales", "n\xff\"", messages[i]};
    }
    stub.problems = problems;
    stub.problem_count = count;
}

static void the_first_twenty_problems_are_printed_and_the_rest_counted(void **state)
{
    (void)state;
    tell_problems(MANY);
    assert_int_equal(RUN("in.csv"), 65);
    assert_string_equal(printed, "");
    assert_int_equal(lines_of(complained), 21);
    static const char first[] = "in.csv:2:3: error: column \"sales\": expected a number, found \"n0\"\n"
                                "in.csv:3:3: error: column \"sales\": expected a number, found \"n1\"\n";
    assert_int_equal(strncmp(complained, first, strlen(first)), 0);
    assert_non_null(strstr(complained,
                           "in.csv:21:3: error: column \"sales\": expected a number, found \"n19\"\n"
                           "in.csv: 10 more (--errors FILE lists them all)\n"));
    tell_problems(20);
    assert_int_equal(RUN("in.csv"), 65);
    assert_int_equal(lines_of(complained), 20);
    assert_null(strstr(complained, "more"));
    tell_problems(1);
    assert_int_equal(RUN("in.csv"), 65);
    assert_int_equal(lines_of(complained), 1);
}

static void every_problem_is_a_line_of_the_list_of_errors(void **state)
{
    (void)state;
    tell_problems(MANY);
    assert_int_equal(RUN("--errors", path_of("list"), "in.csv"), 65);
    assert_int_equal(lines_of(complained), 21);
    assert_non_null(strstr(complained, "10 more (the list of --errors has all of them)\n"));
    const char *list = read_file(path_of("list"));
    assert_int_equal(lines_of(list), MANY);
    for (size_t i = 0; i < MANY; i++) {
        char line[512], expected[64];
        const size_t length = strcspn(list, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)length, list);
        list += length + 1;
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        assert_int_equal(json_object_size(object), 6);
        (void)snprintf(expected, sizeof expected, "column \"sales\": expected a number, found \"n%zu\"", i);
        assert_string_equal(json_string_value(json_object_get(object, "file")), "in.csv");
        assert_int_equal(json_integer_value(json_object_get(object, "line")), i + 2);
        assert_int_equal(json_integer_value(json_object_get(object, "column")), 3);
        assert_string_equal(json_string_value(json_object_get(object, "name")), "sales");
        assert_string_equal(json_string_value(json_object_get(object, "text")), "n\\xff\"");
        assert_string_equal(json_string_value(json_object_get(object, "message")), expected);
        json_decref(object);
    }
}

static void the_list_is_empty_where_nothing_is_wrong(void **state)
{
    (void)state;
    write_file(path_of("list"), "of an earlier run\n");
    assert_int_equal(RUN("--errors", path_of("list"), "in.csv"), 0);
    assert_int_equal(access(path_of("list"), F_OK), 0);
    assert_string_equal(read_file(path_of("list")), "");
    assert_true(strlen(printed) > 100);
}

static void a_file_that_cannot_be_read_is_in_the_list_too(void **state)
{
    (void)state;
    stub.read_status = NORN_ERR_INPUT;
    stub.read_message = "cannot be opened: No such file or directory";
    assert_int_equal(RUN("--errors", path_of("list"), "in.csv"), 66);
    assert_string_equal(complained, "in.csv: error: cannot be opened: No such file or directory\n");
    assert_string_equal(
        read_file(path_of("list")),
        "{\"file\": \"in.csv\", \"line\": null, \"column\": null, \"name\": \"\", \"text\": \"\", "
        "\"message\": \"cannot be opened: No such file or directory\"}\n");
}

static void an_error_after_the_problems_is_said_before_them_and_hides_none(void **state)
{
    (void)state;
    static const norn_problem problem = {"in.csv", 2, 1, "a", "x", "the first"};
    norn_table_options options = NORN_TABLE_OPTIONS_INIT;
    cli_state cli = {.host = NORN_HOST_INIT, .err = NORN_ERROR_INIT};
    cli_problems problems;
    cli_problems_watch(&problems, path_of("list"), &options);
    options.on_problem(options.user, &problem);
    options.on_problem(options.user, &problem);
    (void)norn_fail(&cli.err, NORN_ERR_MEMORY, "out of memory");
    const int saved = capture(STDERR_FILENO, path_of("stderr"));
    assert_int_equal(cli_problems_end(&problems, &cli, NORN_ERR_MEMORY), 71);
    release(STDERR_FILENO, saved);
    assert_string_equal(read_file(path_of("stderr")),
                        "norn: error: out of memory\nin.csv:2:1: error: the first\n"
                        "in.csv:2:1: error: the first\n");
    assert_int_equal(lines_of(read_file(path_of("list"))), 3);
}

static void a_list_that_cannot_be_written_fails_but_keeps_the_code_of_bad_data(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) skip();
    tell_problems(2);
    assert_int_equal(RUN("--errors", "/dev/full", "in.csv"), 65);
    assert_non_null(strstr(complained, "norn: error: cannot write to /dev/full: No space left on device\n"));
    tell_problems(0);
    assert_int_equal(RUN("--errors", "/dev/full", "in.csv"), 0); /* nothing to write */
    assert_int_equal(RUN("--errors", path_of("nosuch/list"), "in.csv"), 73);
    assert_string_equal(printed, "");
}

static void a_list_over_the_input_or_the_output_is_refused(void **state)
{
    (void)state;
    char file[128];
    (void)snprintf(file, sizeof file, "%s", path_of("data.csv"));
    write_file(file, "a\n1\n");
    assert_int_equal(RUN("--errors", file, file), 64);
    assert_string_equal(complained, "norn: error: --errors: the list would replace the file it is about\n");
    assert_string_equal(read_file(file), "a\n1\n");
    const int saved = capture(STDERR_FILENO, path_of("stderr"));
    assert_int_equal(cli_problems_check("new.jsonl", file, "new.jsonl"), 64);
    assert_int_equal(cli_problems_check("", file, NULL), 64);
    assert_int_equal(cli_problems_check("-", file, "-"), 0);
    assert_int_equal(cli_problems_check(NULL, file, NULL), 0);
    release(STDERR_FILENO, saved);
}

/* ---- inspect ---------------------------------------------------------------------------------------------
 */

static void what_is_printed_is_as_it_was(void **state)
{
    (void)state;
    static const struct {
        const char *locale, *columns, *golden;
    } screens[] = {{"C.UTF-8", "80", "inspect_unicode.txt"},
                   {"C", "80", "inspect_ascii.txt"},
                   {"C.UTF-8", "50", "inspect_narrow.txt"}};
    stub.facts.missing_inputs = 2;
    for (size_t i = 0; i < NORN_COUNT(screens); i++) {
        screen_is(screens[i].locale, screens[i].columns);
        assert_int_equal(RUN("in.csv"), 0);
        assert_string_equal(complained, "");
        const cli_text text = {.bytes = (char *)(uintptr_t)printed};
        assert_golden(&text, screens[i].golden);
    }
}

static void defects_of_several_series_are_as_they_were(void **state)
{
    (void)state;
    stub.series = 3;
    stub.shift[1] = 7;
    stub.target[5] = stub.target[6] = NAN;
    stub.ids[2] = "a name that is longer than a column of the table";
    stub.facts = (norn_table_facts){.bytes = 123456789,
                                    .compressed = 1,
                                    .encoding = "UTF-8 with a byte order mark",
                                    .newline = "CRLF",
                                    .layout = NORN_LAYOUT_COLUMNS,
                                    .delimiter = ';',
                                    .decimal = ',',
                                    .records = 1234567,
                                    .blank = 1,
                                    .comments = 12,
                                    .ragged = 3,
                                    .left_out = 4,
                                    .duplicates = 4,
                                    .missing = 6,
                                    .missing_inputs = 1000,
                                    .filled = 5,
                                    .longest_filled = 2,
                                    .steps = 1233,
                                    .regular = 1200,
                                    .gaps = 3,
                                    .absent = 33,
                                    .longest_gap = 30,
                                    .added = 33,
                                    .turned = 1,
                                    .sorted = 1};
    assert_int_equal(RUN("in.csv", "--past", "price", "--comment", "#"), 0);
    const cli_text text = {.bytes = (char *)(uintptr_t)printed};
    assert_golden(&text, "inspect_defects.txt");
}

static void policies_let_reading_go_on_unless_they_are_told(void **state)
{
    (void)state;
    write_file(path_of("in.csv"), "");
    assert_int_equal(RUN(path_of("in.csv")), 0);
    assert_int_equal(stub.read_options.describe, 1);
    assert_string_equal(stub.read_options.past, "*");
    assert_int_equal(stub.read_options.on_missing, NORN_MISSING_MASK);
    assert_int_equal(stub.read_options.on_duplicate, NORN_DUPLICATE_LAST);
    assert_int_equal(stub.read_options.on_unsorted, NORN_UNSORTED_SORT);
    assert_int_equal(stub.read_options.on_ragged, NORN_RAGGED_PAD);
    assert_int_equal(RUN("--on-missing=error", "--on-duplicate=error", "--on-unsorted=error",
                         "--on-ragged=error", "--past=price", "in.csv"),
                     0);
    assert_int_equal(stub.read_options.on_missing, NORN_MISSING_ERROR);
    assert_int_equal(stub.read_options.on_duplicate, NORN_DUPLICATE_ERROR);
    assert_int_equal(stub.read_options.on_unsorted, NORN_UNSORTED_ERROR);
    assert_int_equal(stub.read_options.on_ragged, NORN_RAGGED_ERROR);
}

static void a_column_nobody_asked_for_does_not_stop_the_reading(void **state)
{
    (void)state;
    char file[128];
    (void)snprintf(file, sizeof file, "%s", path_of("in.csv"));
    write_file(file, "");
    stub.refuses_inputs = true;
    assert_int_equal(RUN(file, "--errors", path_of("list")), 0);
    assert_int_equal(stub.readings, 2);
    assert_null(stub.read_options.past);
    assert_string_equal(complained, "");
    assert_string_equal(read_file(path_of("list")), "");
    assert_printed("  inputs     none; with --past '*' line 19 is refused: column \"price\":");
    assert_int_equal(RUN(file, "--json"), 0);
    assert_printed("\"past_refused\": \"column \\\"price\\\": expected a number\"");
    stub.readings = 0;
    assert_int_equal(RUN(file, "--past", "*"), 65); /* somebody asked */
    assert_int_equal(stub.readings, 1);
    stub.refuses_inputs = false;
    stub.readings = 0;
    assert_int_equal(RUN("-"), 0); /* can be read only once */
    assert_int_equal(stub.readings, 1);
    assert_null(stub.read_options.past);
    assert_int_equal(RUN(path_of("no_file")), 0); /* nor a pipe */
    assert_int_equal(stub.readings, 2);
    assert_null(stub.read_options.past);
    assert_int_equal(RUN(file, "--layout", "rows"), 0); /* no columns to choose */
    assert_null(stub.read_options.past);
    stub.readings = 0;
    stub.read_status = NORN_ERR_CANCELLED; /* what was interrupted is not begun again */
    stub.read_message = "interrupted";
    assert_int_equal(RUN(file), 130);
    assert_int_equal(stub.readings, 1);
}

/* The command line of the last JSON. */
static const char *command_of_json(void)
{
    static char command[4096];
    json_t *root = json_loads(printed, 0, NULL);
    assert_non_null(root);
    (void)snprintf(command, sizeof command, "%s", json_string_value(json_object_get(root, "command")));
    json_decref(root);
    return command;
}

static void the_command_line_says_what_was_told_and_what_was_found(void **state)
{
    (void)state;
    stub.decisions[0].what = "past"; /* what only inspect asked for, and a policy of its own */
    stub.decisions[0].flag = "--past";
    stub.decisions[3] = (norn_decision){"order", "sorted", "--on-unsorted", "sort"};
    assert_int_equal(RUN("in.csv", "--json"), 0);
    assert_string_equal(command_of_json(), "norn forecast in.csv --time month --target sales");
    stub_reset();
    assert_int_equal(RUN("in.csv", "--json"), 0);
    assert_string_equal(command_of_json(),
                        "norn forecast in.csv --delimiter comma --time month --target sales");
    assert_int_equal(RUN("in.csv", "--json", "--target=-x", "--tz", "Europe/Paris", "--errors",
                         path_of("list"), "--past", "*"),
                     0);
    assert_string_equal(command_of_json(), "norn forecast in.csv --target=-x --past '*' --tz Europe/Paris "
                                           "--delimiter comma --time month");
}

static void the_command_line_has_a_policy_for_each_defect_of_the_file(void **state)
{
    (void)state;
    stub.decision_count = 0;
    const struct {
        uint64_t *count;
        int *flag;
        const char *option;
    } cases[] = {{&stub.facts.missing, NULL, " --on-missing mask"},
                 {&stub.facts.duplicates, NULL, " --on-duplicate last"},
                 {&stub.facts.ragged, NULL, " --on-ragged pad"},
                 {NULL, &stub.facts.sorted, " --on-unsorted sort"}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char expected[96];
        if (cases[i].count) *cases[i].count = 1;
        if (cases[i].flag) *cases[i].flag = 1;
        assert_int_equal(RUN("in.csv", "--json"), 0);
        if (cases[i].count) *cases[i].count = 0;
        if (cases[i].flag) *cases[i].flag = 0;
        (void)snprintf(expected, sizeof expected, "norn forecast in.csv%s", cases[i].option);
        assert_string_equal(command_of_json(), expected);
    }
    stub.facts.missing = 1;
    assert_int_equal(RUN("in.csv", "--json", "--on-missing", "ffill"), 0);
    assert_string_equal(command_of_json(), "norn forecast in.csv --on-missing ffill");
}

static void words_of_the_command_line_are_quoted_for_the_shell(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain-1.csv", "plain-1.csv"},
        {"two words.csv", "'two words.csv'"},
        {"it's.csv", "'it'\\''s.csv'"},
        {"$HOME`x`.csv", "'$HOME`x`.csv'"},
        {"-n.csv", "./-n.csv"},
        {"-", "-"},
        {"Z\xc3\xbcrich.csv", "'Z\xc3\xbcrich.csv'"},
        {"a\x1b[31m'.csv", "$'a\\x1b[31m\\'.csv'"},
        {"a\\\n.csv", "$'a\\\\\\x0a.csv'"},
        {"\xe2\x80\xae"
         "cba",
         "$'\\xe2\\x80\\xaecba'"},
        {"*.csv", "'*.csv'"},
        {"a=b", "'a=b'"},
    };
    stub.decision_count = 0;
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char expected[96];
        (void)snprintf(expected, sizeof expected, "norn forecast %s", cases[i][1]);
        assert_int_equal(RUN("--json", "--", cases[i][0]), 0);
        assert_string_equal(command_of_json(), expected);
    }
}

static json_t *member(json_t *root, const char *path)
{
    char key[64];
    while (*path && root) {
        const size_t length = strcspn(path, ".");
        (void)snprintf(key, sizeof key, "%.*s", (int)length, path);
        root =
            json_is_array(root) ? json_array_get(root, strtoul(key, NULL, 10)) : json_object_get(root, key);
        path += length + (path[length] == '.');
    }
    assert_non_null(root);
    return root;
}

static void json_has_everything_in_full(void **state)
{
    (void)state;
    stub.columns[1].mean = 1.0 / 3.0;
    stub.facts.gaps = 2;
    assert_int_equal(RUN("in.csv", "--json"), 0);
    assert_string_equal(complained, "");
    assert_printed("0.33333333333333331");
    json_t *root = json_loads(printed, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(member(root, "file.name")), "in.csv");
    assert_int_equal(json_integer_value(member(root, "file.bytes")), 1234);
    assert_string_equal(json_string_value(member(root, "file.delimiter")), ",");
    assert_string_equal(json_string_value(member(root, "file.layout")), "columns");
    assert_true(json_is_true(member(root, "file.header")));
    assert_int_equal(json_integer_value(member(root, "rows.records")), 60);
    assert_string_equal(json_string_value(member(root, "time.name")), "month");
    assert_string_equal(json_string_value(member(root, "time.first")), "2015-01");
    assert_string_equal(json_string_value(member(root, "time.last")), "2019-12");
    assert_string_equal(json_string_value(member(root, "time.step.text")), "1 month");
    assert_int_equal(json_integer_value(member(root, "time.step.regular")), 59);
    assert_int_equal(json_integer_value(member(root, "time.gaps.places")), 2);
    assert_int_equal(json_integer_value(member(root, "missing.targets")), 0);
    assert_int_equal(json_array_size(member(root, "columns")), 6);
    assert_true(json_is_null(member(root, "columns.0.mean")));
    assert_string_equal(json_string_value(member(root, "columns.1.role")), "target");
    assert_true(json_real_value(member(root, "columns.1.mean")) == 1.0 / 3.0);
    assert_string_equal(json_string_value(member(root, "columns.2.role")), "none");
    assert_string_equal(json_string_value(member(root, "columns.2.could_be")), "past");
    assert_int_equal(json_integer_value(member(root, "columns.3.distinct")), 3);
    assert_true(json_is_true(member(root, "columns.4.constant")));
    assert_string_equal(json_string_value(member(root, "columns.5.type")), "empty");
    assert_int_equal(json_integer_value(member(root, "series_count")), 1);
    assert_string_equal(json_string_value(member(root, "series.0.unique_id")), "sales");
    assert_int_equal(json_integer_value(member(root, "series.0.season")), 12);
    assert_true(json_real_value(member(root, "series.0.season_strength")) > 0.9);
    assert_string_equal(json_string_value(member(root, "decisions.1.flag")), "--time");
    assert_string_equal(json_string_value(member(root, "decisions.1.value")), "month");
    assert_true(json_is_null(member(root, "decisions.3.value")));
    json_decref(root);
    assert_int_equal(RUN("in.csv", "--json", "--past", "price"), 0);
    root = json_loads(printed, 0, NULL);
    assert_string_equal(json_string_value(member(root, "columns.2.role")), "past");
    assert_true(json_is_null(member(root, "columns.2.could_be")));
    json_decref(root);
}

static void one_series_is_shown_with_its_chart(void **state)
{
    (void)state;
    stub.series = 3;
    stub.target[30] = 1000.0;
    assert_int_equal(RUN("in.csv", "--series", "costs"), 0);
    assert_printed("\n  costs ");
    assert_null(strstr(printed, "\n  visits "));
    assert_null(strstr(printed, "more (--all)"));
    assert_printed("1000 \xe2\x94\xa4");
    assert_int_equal(RUN("in.csv", "--series", "visit"), 64);
    assert_string_equal(complained,
                        "norn: error: no series is called \"visit\"; did you mean \"visits\"? (--series)\n");
    assert_string_equal(printed, "");
    assert_int_equal(RUN("in.csv", "--series", "zzzzzz"), 64);
    assert_string_equal(complained, "norn: error: none of the 3 series is called \"zzzzzz\" (--series)\n");
}

static void lists_are_cut_short_unless_all_of_them_are_wanted(void **state)
{
    (void)state;
    stub.series = 21;
    assert_int_equal(RUN("in.csv"), 0);
    assert_printed("\n  and 1 more (--all)\n");
    assert_int_equal(RUN("in.csv", "--all"), 0);
    assert_null(strstr(printed, "more (--all)"));
    json_t *root = NULL;
    assert_int_equal(RUN("in.csv", "--json"), 0);
    root = json_loads(printed, 0, NULL);
    assert_int_equal(json_array_size(member(root, "series")), 20);
    assert_int_equal(json_integer_value(member(root, "series_count")), 21);
    json_decref(root);
    assert_int_equal(RUN("in.csv", "--json", "--all"), 0);
    root = json_loads(printed, 0, NULL);
    assert_int_equal(json_array_size(member(root, "series")), 21);
    json_decref(root);
}

static void hostile_names_neither_steer_the_terminal_nor_break_the_table(void **state)
{
    (void)state;
    static char name[10001], twin[10001];
    memset(name, 'x', sizeof name - 1);
    memcpy(name, "\x1b[31m\r\xe2\x80\xae\xc2\x9b\xff", 12);
    memset(twin, 'w', sizeof twin - 1);
    stub.columns[0].name = stub.columns[2].name = stub.columns[3].name = stub.time_name = name;
    stub.columns[3].first = "\x1b[2J";
    stub.ids[0] = name;
    stub.ids[1] = twin;
    stub.series = 2;
    stub.decision_count = 0;
    screen_is("C.UTF-8", "80");
    assert_int_equal(RUN("in.csv"), 0);
    for (const char *at = printed; *at; at++) assert_true(*at == '\n' || (unsigned char)*at >= 0x20);
    assert_null(strstr(printed, "\xe2\x80\xae"));
    assert_null(strstr(printed, "\xc2\x9b"));
    for (const char *at = printed; *at;) {
        char line[1024];
        const size_t length = strcspn(at, "\n");
        assert_true(length < sizeof line);
        (void)snprintf(line, sizeof line, "%.*s", (int)length, at);
        if (cli_columns(line) > 80) print_error("too wide: %s\n", line);
        assert_true(cli_columns(line) <= 80);
        at += length + 1;
    }
}

/* ---- sketches --------------------------------------------------------------------------------------------
 */

static const cli_screen plain = {.columns = 80}, unicode = {.unicode = true, .columns = 80};

static const char *sketch(const cli_screen *screen, const double *values, size_t rows, int columns)
{
    static char both[512];
    cli_text lines[CLI_SKETCH_LINES] = {{NULL, 0, 0, false}, {NULL, 0, 0, false}};
    const size_t count = cli_sketch(screen, lines, values, rows, columns);
    assert_int_equal(count, screen->unicode ? 2 : 1);
    (void)snprintf(both, sizeof both, "%s%s%s", lines[0].bytes, count > 1 ? "|" : "",
                   count > 1 ? lines[1].bytes : "");
    for (size_t i = 0; i < count; i++) assert_int_equal(cli_columns(lines[i].bytes), columns);
    for (size_t i = 0; i < CLI_SKETCH_LINES; i++) cli_text_free(&lines[i]);
    return both;
}

static void sketches_rise_where_values_rise_and_stop_where_they_are_missing(void **state)
{
    (void)state;
    const double rising[8] = {0, 1, 2, 3, 4, 5, 6, 7}, falling[2] = {1, 0}, gap[4] = {0, NAN, NAN, 1},
                 constant[3] = {5, 5, 5}, nothing[2] = {NAN, NAN}, large[4] = {-1.7e308, 1.7e308, NAN, 0},
                 one[1] = {3};
    double outlier[1000] = {0};
    outlier[500] = 100.0;
    assert_string_equal(sketch(&plain, rising, 8, 8), ".:-=+*%#");
    assert_string_equal(sketch(&plain, rising, 8, 15), ".::---=++**%%##");
    assert_string_equal(sketch(&plain, falling, 2, 4), "#*-.");
    assert_string_equal(sketch(&plain, gap, 4, 4), ".  #");
    assert_string_equal(sketch(&plain, constant, 3, 3), "===");
    assert_string_equal(sketch(&plain, nothing, 2, 3), "   ");
    assert_string_equal(sketch(&plain, large, 4, 4), ".# +");
    assert_string_equal(sketch(&plain, one, 1, 3), "=  ");
    assert_string_equal(sketch(&unicode, rising, 8, 4), " ⢀⡴⠋|⡴⠚  ");
    assert_string_equal(sketch(&unicode, gap, 4, 2), " ⠈|⡀ ");
    assert_non_null(strstr(sketch(&unicode, outlier, 1000, 10), "⡇"));
}

static int set_up_stub(void **state)
{
    screen_is("C.UTF-8", "80");
    return set_up(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_stub, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_text_and_character_reaches_its_field),
        TEST(every_word_reaches_its_field_as_its_enum),
        TEST(words_that_are_no_choice_are_refused_with_those_that_are),
        TEST(the_first_twenty_problems_are_printed_and_the_rest_counted),
        TEST(every_problem_is_a_line_of_the_list_of_errors),
        TEST(the_list_is_empty_where_nothing_is_wrong),
        TEST(a_file_that_cannot_be_read_is_in_the_list_too),
        TEST(an_error_after_the_problems_is_said_before_them_and_hides_none),
        TEST(a_list_that_cannot_be_written_fails_but_keeps_the_code_of_bad_data),
        TEST(a_list_over_the_input_or_the_output_is_refused),
        TEST(what_is_printed_is_as_it_was),
        TEST(defects_of_several_series_are_as_they_were),
        TEST(policies_let_reading_go_on_unless_they_are_told),
        TEST(a_column_nobody_asked_for_does_not_stop_the_reading),
        TEST(the_command_line_says_what_was_told_and_what_was_found),
        TEST(the_command_line_has_a_policy_for_each_defect_of_the_file),
        TEST(words_of_the_command_line_are_quoted_for_the_shell),
        TEST(json_has_everything_in_full),
        TEST(one_series_is_shown_with_its_chart),
        TEST(lists_are_cut_short_unless_all_of_them_are_wanted),
        TEST(hostile_names_neither_steer_the_terminal_nor_break_the_table),
        TEST(sketches_rise_where_values_rise_and_stop_where_they_are_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
