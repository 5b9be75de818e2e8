/*
 * Training of members side by side: each has its own windows, order, schedule, early stop and best state; a
 * launch serves all that are live, and who is live beside a member changes none of its bits. Members beyond
 * the slots wait and enter as others leave.
 */
#ifndef NORN_SRC_NN_TRAIN_H
#define NORN_SRC_NN_TRAIN_H

#include "base/file.h"
#include "nn/network.h"

/* First rows of the windows of one series: first, first + 1, ... */
typedef struct norn_span {
    size_t first, count;
} norn_span;

/* The windows of all spans are counted in order: starts [series + 1] are the windows before each series and,
 * last, their number, which is returned. */
size_t norn_window_starts(const norn_span *spans, size_t series, size_t *starts);
/* The index-th window of all spans, index < starts[series]; a search, for series may be many. */
norn_window norn_window_at(const norn_span *spans, const size_t *starts, size_t series, size_t index);

/* Where a member stands between two launches: what a checkpoint holds beside its parameters. */
typedef enum norn_member_stage {
    NORN_MEMBER_WAITS = 0,
    NORN_MEMBER_TRAINS,
    NORN_MEMBER_LEFT /* its training is over, and its best parameters stand in the network */
} norn_member_stage;

typedef struct norn_member_state {
    norn_member_stage stage;
    size_t epoch, step;       /* epochs that are over, steps of the one under way */
    size_t epochs_since_best; /* settled ones */
    double train_loss;        /* of the epoch under way, so far */
    double best;              /* validation loss of training.best_epoch */
    double gradient_norm;     /* of the last step before a checkpoint, where epochs are told of; else NaN */
} norn_member_state;

/* Epochs that were told of, so that a training that goes on can tell of them again. */
enum { NORN_TOLD = 5 }; /* epoch, rate, training and validation loss, norm of the gradient */
typedef struct norn_history {
    double *rows; /* [capacity][NORN_TOLD] */
    size_t count, capacity;
} norn_history;

typedef struct norn_member {
    uint64_t identity;      /* what its random numbers depend on, beside the seed */
    size_t sampled;         /* it is trained on so many of its windows, drawn once by its identity; 0: all */
    const norn_span *train; /* [S] */
    const norn_span *valid; /* [S] */
    norn_training training; /* out */
    bool diverged; /* out: a loss was not finite, which stops this member alone; the best state before
                      that is kept. training.best_epoch 0: there was none, and it has its first one */
    norn_member_state state; /* out; not read */
    norn_history history;    /* while norn_train runs: what a checkpoint is to hold of it */
} norn_member;

typedef struct norn_train_plan {
    size_t epochs;          /* at most */
    size_t steps_per_epoch; /* 0: every window once, the last batch ragged; else a stream of shuffled passes,
                               B a step */
    size_t patience;        /* epochs without a better validation loss */
    size_t
        settle; /* epochs before a state may be kept: one validation window says little of the first steps */
    size_t most_valid;       /* validation windows looked at, evenly spread; 0: all */
    double rate;             /* the learning rate, largest or first as the schedule has it */
    norn_rate_plan schedule; /* zero: half a cosine down to 0 over all epochs */
    double time_limit;       /* seconds by the clock; 0: none */
    uint64_t seed;

    /* checkpoint.h: a training that goes on from one ends with the bits of one that was never interrupted */
    const char *checkpoint;         /* file for them; written when cancelled; NULL: none */
    size_t every;                   /* and after so many epochs of those beside each other; 0: not */
    const char *resume;             /* file to go on from; NULL: from the start */
    const norn_file_system *system; /* for writing; NULL: the machine's own */

    /* Told of every epoch of a member that is over; `member` is its place. NULL: none. A training that goes
     * on tells first of those that its checkpoint holds: all, where there was one before, too. */
    void (*on_epoch)(void *user, size_t member, const norn_epoch *epoch);
    void *epoch_user;
} norn_train_plan;

/* Initialises, trains and leaves every member's best parameters in the network. A member that diverges is no
 * error here: see its `diverged`. A checkpoint that cannot be written is a warning, except the one of a
 * cancelled training, whose error takes the place of NORN_ERR_CANCELLED. */
norn_status norn_train(norn_network *network, const norn_series *series, norn_member *members, size_t count,
                       const norn_train_plan *plan, const norn_host *host, norn_error *err);

void norn_history_free(norn_history *history, const norn_host *host); /* and empties it */

#endif
