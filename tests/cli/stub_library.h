/*
 * A library that answers what a test tells it to, for tests of how the command speaks: texts on the screen
 * then depend on the test alone, not on a device or a training. It implements the public getters over `stub`.
 */
#ifndef NORN_TESTS_STUB_LIBRARY_H
#define NORN_TESTS_STUB_LIBRARY_H

#include "norn/norn.h"

#include <stdbool.h>

enum { STUB_ROWS = 60, STUB_HORIZON = 12, STUB_SERIES = 21, STUB_COLUMNS = 6, STUB_DECISIONS = 4 };

typedef struct stub_library {
    size_t series; /* 1 to STUB_SERIES */
    double target[STUB_ROWS];
    double values[STUB_HORIZON];
    double held_back[STUB_HORIZON];
    size_t holdout; /* 0 or STUB_HORIZON */
    size_t members; /* 1 to 3 */
    double least[STUB_HORIZON], greatest[STUB_HORIZON];
    long shift[STUB_SERIES]; /* months by which a series starts later */
    norn_score scores[4];
    size_t score_count;
    norn_status read_status; /* of norn_table_read; an error's text is read_message, without a position */
    const char *read_message;
    const norn_problem *problems; /* told by norn_table_read; the first is its error */
    size_t problem_count;
    norn_table_options read_options; /* what the last reading was told */
    size_t readings;
    bool refuses_inputs; /* past "*" is an error */
    norn_table_facts facts;
    norn_column_facts columns[STUB_COLUMNS]; /* "month", "sales" the target, "price" a past covariate, ... */
    size_t column_count;
    norn_decision decisions[STUB_DECISIONS];
    size_t decision_count;
    double past[STUB_ROWS];
    size_t season;                /* that the step suggests */
    const char *ids[STUB_SERIES]; /* four have names, the others are called "another" */
    const char *time_name;
    int usable; /* the first device */
    int self_test_passes;
    norn_status self_test_status; /* what stops the self-test before its last line; NORN_OK: nothing */
} stub_library;

extern stub_library stub;

/* A series with a season of 12 and its forecasts; LSTM best of four. */
void stub_reset(void);

#endif
