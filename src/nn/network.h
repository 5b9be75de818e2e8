/*
 * Stacked recurrent layers with a direct head, for many members at once: one buffer of parameters
 * [member][P], one of gradients, activations planned before training; the kernels of kernels/step.cl,
 * gradient.cl and optimiser.cl around those that are made from the cell's formula.
 *
 * Letters: M members, B rows of a batch, T steps (the window), F inputs, H hidden units, L layers, O outputs
 * (the horizon). A slot is a place in a launch that a live member holds.
 *
 * Two paths of a layer: SEQUENCE, one work-group takes its rows through all times in one launch; STAGE, one
 * product and one kernel a step, for hidden sizes whose weights outgrow the caches. Both forecast the same
 * within rounding.
 *
 * Memory. The rows of a batch are cut into at most NORN_SHARDS shards, by their number alone, and sums over
 * rows are made shard by shard in a fixed order (kernels/step.cl). So a step may take all shards at once or
 * one after another, in the room of few, with the same bits: as many at once as the context's memory has room
 * for.
 */
#ifndef NORN_SRC_NN_NETWORK_H
#define NORN_SRC_NN_NETWORK_H

#include "cell/stages.h"
#include "compute/compute.h"
#include "nn/layout.h"
#include "nn/optimiser.h"
#include "nn/random.h"
#include "nn/series.h"
#include "norn/forecast.h"

enum {
    NORN_SHARDS = 8,
    NORN_NORM_PARTS = 64, /* sums that the norm of a gradient is made of */
    NORN_STAGE_KERNELS = 11 + 2 * (NORN_CELL_STAGES + 1)
};

typedef enum norn_path { NORN_PATH_AUTO = 0, NORN_PATH_SEQUENCE, NORN_PATH_STAGE } norn_path;

typedef struct norn_network_shape {
    size_t inputs, hidden, layers, window, horizon; /* F, H, L, T, O */
    size_t batch;                                   /* B, rows of a training step */
    size_t infer_batch;                             /* rows of a forward launch; 0: 64 at least, B at least */
    size_t members;                                 /* M */
    size_t slots;                                   /* at once; 0: as caches and memory allow, at most M */
    size_t chunk; /* training steps between two looks of the host; 0: by operations */
    double dropout;
    norn_loss loss;
    double clip; /* largest norm of a member's gradient; 0: no clipping */
    norn_path path;
    norn_optimiser optimiser;
    double quantile; /* of the pinball loss, between 0 and 1; rounded to millionths */
    size_t bptt;    /* truncated backpropagation: steps, the last ones, that gradients run back through; 0, or
                       as many as there are: all (Williams and Peng 1990) */
    bool weighted;  /* the series have one more column than inputs, the last: how much each row counts as a
                       target; its pair of norn_network_scale is a covariate's */
    norn_init init; /* of what the formula leaves open */
    double forget_bias;    /* added to the initial bias b_f of a cell that has one */
    const norn_cell *cell; /* of all layers; borrowed for as long as the network lives; NULL: the LSTM */
    const char *by_hand; /* OpenCL C in place of what the formula becomes, to measure one against the other */
} norn_network_shape;

/* The first time that gradients reach. */
static inline size_t norn_network_first_step(const norn_network_shape *shape)
{
    return shape->bptt && shape->bptt < shape->window ? shape->window - shape->bptt : 0;
}

/* A training step of one slot, as kernels/step.cl reads it. Floats are stored by their bits. */
typedef struct norn_schedule {
    int32_t rows, optimiser_step, member;
    float rate, c1, c2, factor;
    int32_t steps; /* of the launch, for a member to rest in once its gradient is not finite; on the device it
                      becomes the gradient's norm */
} norn_schedule;

typedef struct norn_window {
    int32_t series, row; /* row: first row of the inputs */
} norn_window;

typedef struct norn_network {
    norn_context *context;
    norn_network_shape shape;
    norn_mapping map;                  /* by cell, units, device and tuning alone */
    size_t hp, kx, op, bp, ibp, strip; /* padded H, F, O, B, infer rows; SW */
    size_t shards, shard_rows, held;   /* bp is shards * shard_rows; shards in memory at once */
    size_t parameters, back_size;      /* floats of a member */
    size_t splits;                     /* gradients that the shards have: 1, or one each */
    bool shard_gradients;              /* train makes the gradients of the weights, too: step.cl */
    bool whole_end;                    /* update does the work of norm and pack, too: optimiser.cl */
    norn_cell *lstm;                   /* the cell where the shape has none */
    norn_cell_plan *plan;
    norn_cell_places places;
    norn_cell_shape bound[2];           /* of the first layer, and of those above it */
    norn_cell_stages *stages;           /* NULL: the step of sequence.cl; else that of stages.cl, or
                                           the stage path */
    size_t outputs;                     /* units of h that are there: H, or what the cell's output has */
    size_t gates, carries;              /* sums of products a unit, states beside h */
    size_t kept_numbers;                /* of a unit and step: gates, and operands of products */
    size_t scratch;                     /* planes of dcarry behind the carries */
    int plane_of[NORN_CELL_STATES + 1]; /* where a state stands: 0 in h, from 1 on among the carries */
    bool begins;                        /* states do not begin at 0 */
    unsigned learned;                   /* bit p: the state of plane p begins at parameters of its own */
    bool holes;                         /* among the padded parameters are places that belong to none */
    norn_kernel train, weight_gradient, norm, update, pack, infer;
    norn_kernel stage[NORN_STAGE_KERNELS];                              /* stage path, see stage.c */
    norn_buffer values, best, first_moment, second_moment, back;        /* [M] members */
    norn_buffer gradient, chain, norm_partial, norm_parts;              /* [slots] */
    norn_buffer x, h, carry, kept, dropped, dx, dh, dcarry, y, partial; /* [slots][held] */
    norn_buffer shard_kept, shard_values; /* stage path: what a product over a shard's rows takes */
    norn_buffer windows, schedule, loss;  /* [chunk][slots] */
    norn_buffer infer_x, infer_h, infer_carry, infer_gates, infer_y, infer_partial, infer_loss, infer_windows,
        infer_schedule;
    norn_buffer scaling;    /* [M][columns] */
    norn_buffer keys;       /* [M] dropout keys */
    norn_buffer sums;       /* [slots][held][groups][L] gradients that are no products: step.cl */
    norn_buffer filled;     /* [P] 1 where a parameter stands; empty without holes */
    norn_key *dropout_keys; /* [M] the same on the host, for the stage path */
} norn_network;

/* Plans, allocates and builds. The series are borrowed for the number of columns only. */
norn_status norn_network_new(norn_network **out, norn_context *context, const norn_network_shape *shape,
                             const norn_series *series, norn_error *err);
void norn_network_free(norn_network *network);

/* Numbers in one member without padding, in the plain order: for each layer the matrices of the input, the
 * other matrices, the vectors, each in the order of the formula; then the head [O][H] and its bias [O]. For
 * the LSTM that is w_ih [4H][I], w_hh [4H][H], bias [4H] (gates i, f, g, o): PyTorch's layouts with its two
 * biases summed. 0: the cell cannot have these sizes. */
size_t norn_network_plain_size(const norn_network_shape *shape);
norn_status norn_network_put(norn_network *network, size_t member, const double *plain, norn_error *err);
norn_status norn_network_get(norn_network *network, size_t member, double *plain, norn_error *err);
/* The same for everything a training step or a restoring reads of a member. Putting values renews what is
 * made from them, too. */
typedef enum norn_network_part {
    NORN_PART_VALUES = 0,
    NORN_PART_BEST,
    NORN_PART_FIRST_MOMENT,
    NORN_PART_SECOND_MOMENT,
    NORN_PARTS
} norn_network_part;
norn_status norn_network_put_part(norn_network *network, norn_network_part part, size_t member,
                                  const double *plain, norn_error *err);
norn_status norn_network_get_part(norn_network *network, norn_network_part part, size_t member, double *plain,
                                  norn_error *err);
/* The same for the gradient that stands in a slot (before or after clipping: it is never scaled in place). */
norn_status norn_network_get_gradient(norn_network *network, size_t slot, double *plain, norn_error *err);

/* Initial parameters of a member: layers as the formula says, else as shape.init does (initial.h); the head
 * 0, so that the first forecast is the base; moments 0; the key of its dropout. */
norn_status norn_network_initialise(norn_network *network, size_t member, uint64_t seed, uint64_t identity,
                                    norn_error *err);

/* [columns] pairs for a member: (shift, factor) of covariates and weights, (season or 0, factor) of targets;
 * see windows.cl. */
norn_status norn_network_scale(norn_network *network, size_t member, const float *pairs, size_t columns,
                               norn_error *err);

/*
 * Enqueues `steps` training steps and reads the loss of every row: loss [steps][slots][bp], not yet divided.
 * windows [steps][slots][bp], schedule [steps][slots]; steps <= shape.chunk. Waits for the device.
 */
norn_status norn_network_train(norn_network *network, const norn_series *series, const norn_window *windows,
                               const norn_schedule *schedule, size_t steps, size_t slots, float *loss,
                               norn_error *err);

/* The norms of the gradients of the steps just trained: [steps][slots], of those that rested any. One that is
 * not finite ended its member's steps: parameters and moments are those before it, and its gradient is the
 * one that norn_network_get_gradient gives. */
norn_status norn_network_norms(norn_network *network, size_t steps, size_t slots, float *norms,
                               norn_error *err);

/* Forward for up to infer rows a slot: windows [slots][ibp], rows[slot], member[slot]. With loss not NULL:
 * loss [slots][ibp] against the rows after each window; with y not NULL: the outputs [slots][ibp][O]. */
norn_status norn_network_infer(norn_network *network, const norn_series *series, const norn_window *windows,
                               const size_t *rows, const size_t *members, size_t slots, float *loss, float *y,
                               norn_error *err);

/* Keeps a member's parameters as its best ones, and takes them back. */
norn_status norn_network_keep(norn_network *network, size_t member, norn_error *err);
norn_status norn_network_restore(norn_network *network, size_t member, norn_error *err);

/* Numbers in one member with what pads them on that device, or more. */
double norn_network_padded_size(const norn_context *context, const norn_network_shape *shape);

/* Operations of one training step of one member in products: 3 * sum over layers of 2*B*T*(numbers in the
 * layer's matrices), for the LSTM 4H*(I+H). */
double norn_network_operations(const norn_network_shape *shape);

/* Renews what a member's values are packed into for the backward pass. */
norn_status norn_network_pack(norn_network *network, size_t member, norn_error *err);

static inline size_t norn_round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

/* ---- network_memory.c ---- */
norn_status norn_network_plan(norn_network *network, size_t columns, norn_error *err);
norn_status norn_network_allocate(norn_network *network, size_t columns, norn_error *err);
void norn_network_free_buffers(norn_network *network);

/* ---- cost.c: for a profile ---- */
void norn_network_count_costs(norn_network *network); /* once planned and built */
void norn_network_count_inference(norn_network *network, const size_t *rows, size_t slots);

/* ---- stage.c: the second path ---- */
norn_status norn_stage_build(norn_network *network, norn_program *program, norn_error *err);
norn_status norn_stage_rows(norn_network *network, const norn_series *series, const norn_schedule *schedule,
                            size_t step, size_t slots, norn_error *err);
norn_status norn_stage_infer(norn_network *network, const norn_series *series, size_t rows, size_t member,
                             bool with_targets, norn_error *err);

/* ---- layout.c: where parameters stand ---- */

/* The sizes of a layer's cell. */
norn_status norn_network_bind(norn_cell_shape *out, const norn_network_shape *shape, const norn_cell *cell,
                              size_t layer, norn_error *err);

/* Offsets in floats within a member's parameters; layer == L: the head. */
size_t norn_network_layer_start(const norn_network *network, size_t layer);
size_t norn_network_layer_bias(const norn_network *network, size_t layer);
size_t norn_network_layer_initial(const norn_network *network, size_t layer);
size_t norn_network_head_bias(const norn_network *network);
size_t norn_network_back_start(const norn_network *network, size_t layer);
size_t norn_network_layer_sums(const norn_network *network); /* floats of a group and layer in `sums` */

/* Tells of every plain number, in order, where it stands among the padded ones. */
typedef void (*norn_network_visit)(void *user, size_t plain, size_t padded);
void norn_network_visit_all(const norn_network *network, norn_network_visit each, void *user);

/* Sets begins and learned; has_holes says what `holes` is to be. */
void norn_network_find_beginnings(norn_network *network);
bool norn_network_has_holes(const norn_network *network);
/* Writes what states begin with where that is no parameter. */
void norn_network_put_beginnings(const norn_network *network, float *padded);
/* Has the cell a bias that norn_network_shape.forget_bias is added to? */
bool norn_network_forgets(const norn_cell *cell);
/* Initial values of all layers into plain; not of the head. */
void norn_network_draw(const norn_network *network, norn_key key, double *plain);

#endif
