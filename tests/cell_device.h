/*
 * What the tests of single recurrent layers on the device share (test_cell_kernels.c, test_cell_stages.c):
 * the program of a cell, and a layer of random numbers beside what the interpreter makes of it.
 */
#ifndef NORN_TESTS_CELL_DEVICE_H
#define NORN_TESTS_CELL_DEVICE_H

#include "device.h"

#include "cell/stages.h"
#include "compute/kernels.h"

/* Stands where nothing may look: beyond the units of a vector. Not where it is multiplied by a 0 that a
 * padding holds, so no NaN. */
static const float junk = 3.0f;

static const double forward_bound = 5e-6, backward_bound = 3e-5;

/* ---- kernels ---------------------------------------------------------------------------------------------
 */

static inline const char *kernel_text(const char *name)
{
    for (const norn_kernel_text *each = norn_kernel_texts; each->name; each++)
        if (strcmp(each->name, name) == 0) return each->text;
    fail_msg("no kernel %s", name);
    return NULL;
}

/* The skeleton with a cell's part, whichever kind of step it is for. Kept for the next case that has the
 * same: compiling takes the time. */
typedef struct built {
    norn_context *context;
    char *cell;
    size_t hidden;
    cl_program program;
} built;

enum { PROGRAMS = 64 };
static built programs[PROGRAMS];
static size_t program_count;

static inline void release_programs(void)
{
    for (size_t i = 0; i < program_count; i++) (void)clReleaseProgram(programs[i].program);
    for (size_t i = 0; i < program_count; i++) free(programs[i].cell);
    program_count = 0;
}

static inline cl_program build(norn_context *context, const char *cell, size_t hidden)
{
    for (size_t i = 0; i < program_count; i++)
        if (programs[i].context == context && programs[i].hidden == hidden &&
            strcmp(programs[i].cell, cell) == 0)
            return programs[i].program;
    if (program_count == PROGRAMS) release_programs();
    const char *texts[] = {kernel_text("common"), cell, kernel_text("stages"), kernel_text("sequence")};
    char options[160], log[4096] = "";
    cl_int code = CL_SUCCESS;
    cl_program program = clCreateProgramWithSource(context->cl, 4, texts, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    (void)snprintf(options, sizeof options,
                   "-cl-std=CL1.2 -DVW=%u -DLS=%u -DROWS=%u -DH=%zu -DSEQUENCE_KERNELS", context->vector,
                   context->local, context->rows, hidden);
    if (clBuildProgram(program, 1, &context->device, options, NULL, NULL) != CL_SUCCESS) {
        (void)clGetProgramBuildInfo(program, context->device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log,
                                    NULL);
        fail_msg("%s\n%s", log, cell);
    }
    programs[program_count] = (built){context, malloc(strlen(cell) + 1), hidden, program};
    assert_non_null(programs[program_count].cell);
    (void)strcpy(programs[program_count++].cell, cell);
    return program;
}

/* For cmocka_run_group_tests: programs go before their contexts. */
static inline int free_programs_and_contexts(void **state)
{
    release_programs();
    return free_contexts(state);
}

static inline norn_kernel kernel_of(cl_program program, const char *name)
{
    cl_int code = CL_SUCCESS;
    norn_kernel kernel = {.cl = clCreateKernel(program, name, &code), .name = name};
    assert_int_equal(code, CL_SUCCESS);
    return kernel;
}

static inline void launch(norn_context *context, norn_kernel *kernel, size_t groups)
{
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_launch(context, kernel, context->local, groups, 1, &err), &err);
    assert_ok(norn_finish(context, &err), &err);
    norn_kernel_free(kernel);
}

/* ---- one layer -------------------------------------------------------------------------------------------
 */

typedef struct layer_case {
    size_t steps, rows, inputs, hidden, heads;
    bool upper, reverse, masked, own; /* upper: the input is in strips; own: initial states of the formula */
} layer_case;

typedef struct layer {
    layer_case at;
    norn_cell_shape shape;
    double *parameters, *x, *initial, *dout, *dlast; /* in the order of the steps, whichever way they run */
    unsigned char *mask;
    double *out, *states, *dparameters, *dx, *dinitial; /* the interpreter's */
} layer;

static inline layer *layer_of(const norn_cell *cell, const layer_case *at, uint32_t stream)
{
    layer *l = take(1, sizeof *l);
    norn_error err = NORN_ERROR_INIT;
    dice d = {stream, 0};
    l->at = *at;
    norn_cell_shape *s = &l->shape;
    assert_ok(norn_cell_bind(s, cell, at->inputs, at->hidden, at->heads, &err), &err);
    if (at->upper) { /* what is below has such an output */
        l->at.inputs = s->outputs;
        assert_ok(norn_cell_bind(s, cell, l->at.inputs, at->hidden, at->heads, &err), &err);
    }
    const size_t tb = at->steps * at->rows, inputs = l->at.inputs;
    l->parameters = draw_many(&d, s->parameters, 1.0);
    for (size_t k = 0; k < cell->matrix_count; k++) /* gates that spread, but do not saturate */
        for (size_t i = 0; i < s->matrix[k].count; i++)
            l->parameters[s->matrix[k].offset + i] =
                (double)(float)(l->parameters[s->matrix[k].offset + i] / sqrt((double)s->matrix[k].columns));
    l->x = draw_many(&d, tb * inputs, 1.0);
    l->initial = draw_many(&d, at->rows * s->states, 0.375);
    for (size_t i = 0; i < at->rows * s->states; i++)
        l->initial[i] += 0.625; /* some cells divide by a state */
    for (size_t k = 0; k < cell->state_count && at->own; k++)
        for (size_t u = 0; u < s->size[cell->states[k].size]; u++)
            for (size_t b = 0; b < at->rows; b++) {
                const norn_cell_init init = cell->states[k].init;
                l->initial[b * s->states + s->state_at[k] + u] =
                    init.fill == NORN_CELL_FILL_VALUE
                        ? norn_cell_initial(s, init, s->size[cell->states[k].size], u)
                        : 0.0;
            }
    l->dout = draw_many(&d, tb * s->outputs, 1.0);
    l->dlast = draw_many(&d, at->rows * s->states, 1.0);
    if (at->masked) {
        l->mask = take(tb, 1);
        for (size_t i = 0; i < tb; i++) l->mask[i] = draw(&d) < 0.4;
    }
    l->out = take_doubles(tb * s->outputs);
    l->states = take_doubles((tb + at->rows) * s->states);
    l->dparameters = take_doubles(s->parameters);
    l->dx = take_doubles(tb * inputs);
    l->dinitial = take_doubles(at->rows * s->states);
    norn_cell_layer run = {.shape = s,
                           .steps = at->steps,
                           .rows = at->rows,
                           .x = l->x,
                           .parameters = l->parameters,
                           .initial = l->initial,
                           .mask = l->mask,
                           .out = l->out,
                           .states = l->states,
                           .dout = l->dout,
                           .dlast = l->dlast,
                           .dparameters = l->dparameters,
                           .dx = l->dx,
                           .dinitial = l->dinitial};
    assert_ok(norn_cell_run(&run, &err), &err);
    return l;
}

static inline size_t time_of(const layer *l, size_t step)
{
    return l->at.reverse ? l->at.steps - 1 - step : step;
}

#endif
