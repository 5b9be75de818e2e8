/*
 * The command `norn`: the only room that prints, parses flags, handles signals or exits.
 *
 * Results go to stdout (or the file of -o), everything else to stderr. A command is a function in the table
 * of main.c; its options are rows of a cli_option table, from which popt's parser and its help are made.
 * Durations are printed on stderr only, so that results are the same bytes from run to run.
 */
#ifndef NORN_SRC_CLI_H
#define NORN_SRC_CLI_H

#include "norn/norn.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What norn exits with: 0, or the codes of sysexits.h, or 128 + signal. */
typedef enum cli_exit {
    EXIT_FINE = 0,
    EXIT_USAGE = 64,        /* the command line makes no sense, by itself or for this data */
    EXIT_DATA = 65,         /* the content of the input is not what it must be */
    EXIT_NO_INPUT = 66,     /* the input cannot be opened or read */
    EXIT_NO_DEVICE = 69,    /* no platform, no device, or the device failed */
    EXIT_INTERNAL = 70,     /* a defect, a failed self-test, or training that diverged */
    EXIT_MEMORY = 71,       /* memory of host or device is exhausted */
    EXIT_NO_CREATE = 73,    /* the output file cannot be created */
    EXIT_IO = 74,           /* writing failed */
    EXIT_INTERRUPTED = 130, /* SIGINT */
    EXIT_TERMINATED = 143   /* SIGTERM */
} cli_exit;

/* What the terminal behind stderr can show. */
typedef struct cli_screen {
    bool live;    /* a terminal that understands cursor control: progress may be drawn */
    bool colour;  /* live, and NO_COLOR is not set */
    bool unicode; /* the environment's locale is UTF-8 */
    int columns;  /* 40 to 400 */
} cli_screen;

/* The last thing the progress line showed. */
typedef struct cli_progress {
    bool shown;
    double next; /* norn_seconds() from which it may be drawn again */
} cli_progress;

/* One run of one command. */
typedef struct cli_state {
    norn_host host; /* services for the library; its user is this struct */
    norn_error err; /* of the library */
    cli_screen screen;
    cli_progress progress;
    bool quiet;
    bool debug;
} cli_state;

/* ---- options.c: tables of options, and popt --------------------------------------------------------------
 */

typedef enum cli_kind {
    CLI_END = 0,
    CLI_GROUP,     /* a heading; `name` is its text */
    CLI_FLAG,      /* bool */
    CLI_TEXT,      /* const char *, valid until cli_arguments_free */
    CLI_SIZE,      /* size_t */
    CLI_COUNT,     /* unsigned */
    CLI_INT64,     /* int64_t */
    CLI_UINT64,    /* uint64_t */
    CLI_BYTES,     /* uint64_t; "512M", with K, M or G for powers of 1024 */
    CLI_REAL,      /* double */
    CLI_WORD,      /* int, or an enum without negatives: the place of the word in `words`; "" is no choice */
    CLI_CHARACTER, /* char: one character, or a name of one: tab, comma, ... */
    CLI_HELP,      /* prints the help and ends */
    CLI_USAGE      /* prints the short usage and ends */
} cli_kind;

typedef struct cli_option {
    cli_kind kind;
    const char *name;
    char letter;              /* 0: none */
    size_t offset;            /* of the value in the command's struct */
    double least, most;       /* of a number, both allowed; `most` 0: no bound */
    const char *const *words; /* of CLI_WORD, ends with NULL */
    const char *argument;     /* "ROWS" */
    const char *help;
} cli_option;

/* A table of several commands. */
typedef struct cli_shared {
    const cli_option *rows; /* NULL: the end of a list */
    size_t offset;          /* of the struct that their offsets are counted in, within the command's */
} cli_shared;

typedef struct cli_command {
    const char *name;           /* "forecast" */
    const char *summary;        /* one line for `norn --help` */
    const char *operands;       /* "FILE", or "" */
    const char *before, *after; /* of the table in --help */
    const cli_option *options;
    const cli_shared *shared; /* tables that come before `options`, in order; NULL: none */
    int (*run)(cli_state *cli, const struct cli_command *command, int argc,
               const char **argv); /* a cli_exit */
} cli_command;

typedef struct cli_arguments {
    char **given; /* [rows of the tables, the shared ones first] text given for each option, or NULL */
    size_t rows;
    char **operands; /* [operand_count] */
    size_t operand_count;
} cli_arguments;

/* Parses argv (argv[0] is ignored) into *values. Returns -1 to go on; otherwise the command is over (help was
 * printed, or an error) and this is its exit code. */
int cli_parse(const cli_command *command, int argc, const char **argv, void *values,
              cli_arguments *arguments);
void cli_arguments_free(cli_arguments *arguments);
/* The text given for the option of that name ("" for a flag without one), or NULL. */
const char *cli_given(const cli_command *command, const cli_arguments *arguments, const char *name);

typedef struct cli_text {
    char *bytes; /* NUL-terminated once anything was added */
    size_t length, capacity;
    bool failed; /* memory is exhausted; further additions do nothing */
} cli_text;

/* ---- errors.c --------------------------------------------------------------------------------------------
 */

/* "norn: error: ..." on stderr. */
void cli_error(const char *format, ...) NORN_PRINTF(1, 2);

/* Prints the error of the library, with position where it has one, and returns the exit code it stands for.
 */
int cli_fail(cli_state *cli);
int cli_exit_of(const norn_error *err);
/* The same line for one thing wrong with a file; line and column 0: not known. */
void cli_error_at(cli_text *out, const char *file, uint64_t line, uint64_t column, const char *message);

/* ---- problems.c: everything wrong with a file -------------------------------------------------------------
 */

/* What norn_table_options.on_problem is told while a file is read. */
typedef struct cli_problems {
    const char *path; /* of --errors, or NULL */
    uint64_t count;
    norn_error first; /* of those that came; its log and call are empty */
    cli_text shown;   /* the lines of the second to the last one that is printed */
    FILE *spool;      /* JSON lines, until they are written whole */
    int reason;       /* errno of the spool, where it failed */
} cli_problems;

/* Before any work: can the file of --errors be made, and is it another than those read and written? input and
 * output may be NULL. A cli_exit, with the error printed. */
int cli_problems_check(const char *path, const char *input, const char *output);
/* Has every problem told to *problems; path NULL: no file. */
void cli_problems_watch(cli_problems *problems, const char *path, norn_table_options *options);
/* After the reading: prints the error of cli and the first other problems, and writes the file of --errors. A
 * cli_exit: that of the error, else that of the writing. */
int cli_problems_end(cli_problems *problems, cli_state *cli, norn_status status);

/* ---- signals.c -------------------------------------------------------------------------------------------
 */

/* SIGINT and SIGTERM raise `cancel`; a second one ends the process at once. SIGPIPE is ignored. */
void cli_signals_install(norn_cancel *cancel);
/* Takes the signals back. The LLVM in a driver (PoCL 3.1) puts handlers of its own in our place when a device
 * is first used; a signal that comes twice at once would then end us without a word. */
void cli_signals_keep(void);
int cli_signal_caught(void);                    /* 0, SIGINT or SIGTERM */
void cli_signals_remove_file(const char *path); /* to be removed when a second signal ends us; NULL: none.
                                                   The path must stay until the next call. */

/* ---- output.c: text in memory, and files whole or not at all ---------------------------------------------
 */

void cli_text_add(cli_text *text, const char *bytes, size_t length);
void cli_text_put(cli_text *text, const char *string);
void cli_text_format(cli_text *text, const char *format, ...) NORN_PRINTF(2, 3);
void cli_text_pad(cli_text *text, const char *string,
                  int columns);                       /* negative: to the right, as printf's %-*s */
void cli_text_csv(cli_text *text, const char *field); /* quoted where RFC 4180 or libcsv need it */
void cli_text_word(cli_text *text, const char *word); /* as one word of a shell */
void cli_text_braille(cli_text *text, unsigned dots); /* the pattern of these dots; 0: a blank */
void cli_text_free(cli_text *text);

/* Decimals that show values of a series of this spread (largest - smallest) to 5 digits of it; see output.c.
 */
int cli_decimals(double spread, double largest);
void cli_text_number(cli_text *text, double value, int decimals);

/* Before any work: can `path` be created? "-" and NULL are stdout. A cli_exit, with the error printed. */
int cli_output_check(const char *path);
bool cli_same_file(const char *a, const char *b); /* both exist, and are one */
/* The files that a command writes, by their flags; path NULL: not asked for, "-": stdout. */
typedef struct cli_named_file {
    const char *flag, *path;
} cli_named_file;
/* Before any work: none is `input`, no two are one, and every one can be made. A cli_exit, with the error
 * printed. */
int cli_files_check(const char *input, const cli_named_file *files, size_t count);
/* Writes everything, whole or not at all, to `path`. A cli_exit, with the error printed. */
int cli_output_write(const char *path, const cli_text *text);
/* Ends stdio's stdout, for help and listings. A cli_exit, with the error printed. */
int cli_close_stdout(int code);

/* A JSON string; bytes that are not UTF-8 become \xNN. A JSON number, null where it is not finite. */
json_t *cli_json_text(const char *text);
json_t *cli_json_real(double value);
/* A document, indented, and the end of its last line; its numbers with so many digits (0: all). root is
 * taken. */
void cli_text_put_json(cli_text *text, json_t *root, size_t digits);
void cli_json_add_decisions(json_t *array, const norn_decision *decisions, size_t count);

/* ---- profile.c: where the time went -----------------------------------------------------------------------
 */

typedef struct cli_profile {
    bool text;
    const char *json; /* file, or NULL */
} cli_profile;

/* Takes --profile and --profile-json out of the command line and begins to measure, if they are there. A
 * cli_exit, with the error printed. */
int cli_profile_begin(cli_state *cli, cli_profile *profile, int *argc, const char **argv);
/* Prints, and returns the exit code of the whole: that of the command, unless the file could not be written.
 */
int cli_profile_end(cli_state *cli, const cli_profile *profile, int code);

/* ---- screen.c: what the terminal can do, and text that lines up -------------------------------------------
 */

cli_screen cli_screen_find(void);         /* of stderr */
cli_screen cli_screen_of(int descriptor); /* of any file: plain where it is no terminal */

typedef enum cli_paint { PAINT_NONE = 0, PAINT_DIM, PAINT_BOLD, PAINT_GOOD, PAINT_BAD } cli_paint;
const char *cli_paint_on(const cli_screen *screen, cli_paint paint); /* "" without colour */
const char *cli_paint_off(const cli_screen *screen);

int cli_columns(const char *text); /* columns that UTF-8 text takes on the screen */

void cli_progress_draw(void *user,
                       const norn_progress *progress); /* norn_host.progress; user is a cli_state */
void cli_progress_clear(cli_state *cli);
void cli_log(void *user, norn_log_level level, const char *text); /* norn_host.log */

/* ---- report.c: what a person reads about a forecast, on stderr
 * --------------------------------------------- */

void cli_report_decisions(const cli_screen *screen, cli_text *out, const norn_decision *decisions,
                          size_t count);
void cli_report_training(const cli_screen *screen, cli_text *out, const norn_forecast *forecast,
                         double seconds);
/* Of several members, how far they lie apart. */
void cli_report_spread(const cli_screen *screen, cli_text *out, const norn_table *table,
                       const norn_forecast *forecast);
void cli_report_scores(const cli_screen *screen, cli_text *out, const norn_table *table,
                       const norn_forecast *forecast);
/* Series that are forecast: all but the pieces that another piece follows. */
size_t cli_forecast_series(const norn_table *table, const norn_forecast *forecast);
/* "1960-01 to 1960-12": the rows held back, or "" when the series end at different times. */
const char *cli_held_back_range(const norn_table *table, const norn_forecast *forecast,
                                char out[2 * NORN_TIME_TEXT + 8]);

/* ---- chart.c, plot.c
 * ----------------------------------------------------------------------------------------- */

/* Draws a series: its last rows, what was forecast of the rows held back, and its future. */
void cli_plot(const cli_screen *screen, cli_text *out, const norn_table *table, const norn_forecast *forecast,
              size_t series);

typedef enum chart_mark { CHART_LINE = 0, CHART_DOTS, CHART_THICK } chart_mark;

typedef struct chart_series {
    const char *name;     /* for the legend */
    const double *values; /* [count], NaN: nothing there */
    size_t count;
    long start; /* place of values[0] on the x axis */
    chart_mark mark;
} chart_series;

typedef struct chart_label {
    long at; /* place on the x axis */
    char text[NORN_TIME_TEXT];
} chart_label;

typedef struct cli_chart {
    const char *title;
    const chart_series *series;
    size_t series_count;
    const chart_label
        *labels; /* of the x axis by importance: one that would overlap an earlier one is left out */
    size_t label_count;
    const long *rules; /* places of dotted upright rules */
    size_t rule_count;
    int rows; /* of text for the plot itself */
} cli_chart;

void chart_draw(const cli_screen *screen, cli_text *out, const cli_chart *chart);

/* ---- sketch.c --------------------------------------------------------------------------------------------
 */

enum { CLI_SKETCH_LINES = 2 };

/* Adds the shape of values[rows] (NaN: nothing there) to each of the first lines, `columns` wide; returns how
 * many lines that takes. */
size_t cli_sketch(const cli_screen *screen, cli_text lines[CLI_SKETCH_LINES], const double *values,
                  size_t rows, int columns);

/* ---- the commands ----------------------------------------------------------------------------------------
 */

extern const cli_command cli_forecast_command;
extern const cli_command cli_train_command;
extern const cli_command cli_inspect_command;
extern const cli_command cli_backtest_command;
extern const cli_command cli_leak_command;
extern const cli_command cli_report_command;
extern const cli_command cli_devices_command;
extern const cli_command cli_cell_command;
extern const cli_command cli_tune_command;

#endif
