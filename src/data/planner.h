/*
 * What the parts of the planning share: told.c looks up the roles that flags name, roles.c finds the others
 * and says so, plan.c leads from the bytes of the sample to the plan.
 */
#ifndef NORN_DATA_PLANNER_H
#define NORN_DATA_PLANNER_H

#include "data/profile.h"
#include "data/roles.h"

#define NORN_QUOTED 200 /* bytes that hold a name in a message */

/* Everything the steps of the planning share. */
typedef struct norn_planner {
    norn_plan *plan;
    norn_sample sample;
    const norn_table_options *options;
    norn_missing missing;
    norn_numbers numbers;
    norn_notes *notes;
    const char *file;
    norn_time_style told; /* --time-format; form NONE and told_format false: none */
    bool told_format;
    norn_profile *profiles; /* [columns] */
    size_t *listed[4];      /* [columns] targets, past, future, statics in the order told */
    size_t count[4];
    size_t from; /* the first record of data: 1 with a header, else 0 */
    norn_error *err;
} norn_planner;

enum { NORN_LIST_TARGETS, NORN_LIST_PAST, NORN_LIST_FUTURE, NORN_LIST_STATICS };

/* The name of a column, fit to stand in a message. Returns out. */
const char *norn_plan_quoted(const norn_planner *p, size_t column, char out[NORN_QUOTED]);
/* "a, b, c and 4 more" of all columns. Returns out. */
const char *norn_plan_list(const norn_planner *p, char *out, size_t size);
/* A column by its number from 1. */
bool norn_plan_number(const norn_planner *p, const char *text, size_t length, size_t *column);
/* Gives the last note that value. */
norn_status norn_plan_note_value(const norn_planner *p, size_t column);
/* What a flag takes to name a column. Returns out. */
const char *norn_plan_reference(const norn_planner *p, size_t column, char *out, size_t size);
bool norn_plan_has_role(const norn_planner *p, size_t column);
bool norn_plan_is_told(const char *option);
/* Gives a column a role; its list takes it at the end. */
void norn_plan_give(norn_planner *p, norn_column_role role, size_t column);
/* Roles that flags name. Before anything is found, so that what is told is out of the question. */
norn_status norn_plan_told(norn_planner *p);
/* --target '*' and its kin, once time and id are known. */
norn_status norn_plan_told_rest(norn_planner *p);
/* The first `count` of plan->time are the parts of a date. */
void norn_plan_use_parts(norn_planner *p, size_t count);
/* Finds the time and the id that were not told. */
void norn_plan_time_and_id(norn_planner *p);
/* Finds the target that was not told. */
norn_status norn_plan_target(norn_planner *p);
/* Takes --past '*', or says what could be taken. */
norn_status norn_plan_past(norn_planner *p);
/* What was decided, as notes. */
norn_status norn_plan_note_time(const norn_planner *p);
norn_status norn_plan_note_id(const norn_planner *p);
norn_status norn_plan_note_layout(const norn_planner *p);
norn_status norn_plan_note_header(const norn_planner *p);
const char *norn_plan_delimiter_name(char delimiter);
/* The refusal of a file without a number. */
norn_status norn_plan_no_target(const norn_planner *p);

#endif
