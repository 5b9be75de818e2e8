/*
 * What `norn inspect` has found, between the command (inspect.c) and its two ways to say it: text for a
 * person (inspect_text.c) and JSON (inspect_json.c).
 */
#ifndef NORN_SRC_CLI_INSPECT_H
#define NORN_SRC_CLI_INSPECT_H

#include "cli/table_flags.h"

typedef struct inspect_season {
    size_t rows; /* 1: none */
    double strength;
} inspect_season;

typedef struct inspection {
    const char *input; /* as given; "-" is standard input */
    const norn_table *table;
    const norn_table_facts *facts;
    size_t first, shown;           /* the series that are listed: shown from first on */
    const inspect_season *seasons; /* [shown] */
    bool all;                      /* no list is cut short */
    bool one;                      /* --series: the one that is listed was asked for */
    bool inputs_told;              /* --past was given: past columns are inputs, else they only could be */
    const norn_error *refused;     /* why not all numeric columns could be read as inputs, or NULL */
    cli_text command;              /* the command line that reads the file the same way, in shell's words */
} inspection;

/* The role a column has without being asked about: past columns have one only where --past was given. */
norn_column_role inspect_role(const inspection *found, const norn_column_facts *column);
/* The values of a column in a series, and how many: NULL where the table keeps none (times, texts, columns of
 * no role, targets of other series). */
const double *inspect_values(const inspection *found, const norn_column_facts *column, size_t series,
                             size_t *rows);
size_t inspect_missing(const norn_table *table, size_t series);            /* targets */
void inspect_span(const norn_table *table, int64_t *first, int64_t *last); /* times of all series */

extern const char *const inspect_roles[]; /* words of norn_column_role, norn_column_type, norn_layout */
extern const char *const inspect_types[];
extern const char *const inspect_layouts[];

void inspect_print(const inspection *found, const cli_screen *screen, cli_text *out);
void inspect_chart(const inspection *found, const cli_screen *screen, cli_text *out); /* the first listed */
void inspect_json(const inspection *found, cli_text *out);

/* ---- inspect_model.c ---- */

bool inspect_is_model(const char *path);
/* Prints what a trained model holds. A cli_exit, the error printed. */
int inspect_model(cli_state *cli, const char *path, bool json, bool all, const cli_screen *screen);

#endif
