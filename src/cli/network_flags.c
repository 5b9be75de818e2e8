/*
 * Options of networks; see network_flags.h. The words of an option stand in the order of its enum in
 * norn/forecast.h, so that the place of a word is its value.
 */
#include "cli/network_flags.h"

#include "cli/tuning.h"

#include <assert.h>

static const char *const loss_words[] = {
    [NORN_LOSS_MSE] = "mse",         [NORN_LOSS_MAE] = "mae",   [NORN_LOSS_HUBER] = "huber",
    [NORN_LOSS_PINBALL] = "pinball", [NORN_LOSS_MAPE] = "mape", NULL};
static const char *const optimiser_words[] = {[NORN_OPTIMISER_ADAM] = "adam",
                                              [NORN_OPTIMISER_ADAMW] = "adamw",
                                              [NORN_OPTIMISER_SGD] = "sgd",
                                              [NORN_OPTIMISER_RMSPROP] = "rmsprop",
                                              NULL};
static const char *const schedule_words[] = {
    [NORN_RATE_COSINE] = "cosine",           [NORN_RATE_CONSTANT] = "constant",   [NORN_RATE_STEP] = "step",
    [NORN_RATE_EXPONENTIAL] = "exponential", [NORN_RATE_ONE_CYCLE] = "one-cycle", NULL};
static const char *const init_words[] = {[NORN_INIT_UNIFORM] = "uniform",
                                         [NORN_INIT_XAVIER] = "xavier",
                                         [NORN_INIT_ORTHOGONAL] = "orthogonal",
                                         NULL};
static const char *const members_on_words[] = {
    [NORN_MEMBERS_ON_SEEDS] = "seeds", [NORN_MEMBERS_ON_ROWS] = "rows", NULL};

/* CLI_WORD writes an int into these. */
static_assert(sizeof(norn_loss) == sizeof(int) && sizeof(norn_init) == sizeof(int),
              "enums of the options are as large as int");

#define AT(field) offsetof(cli_network_flags, field)
#define OF(field) offsetof(cli_network_flags, options.field)

const cli_option cli_size_rows[] = {
    {CLI_GROUP, "Forecast:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_SIZE, "horizon", 'n', OF(horizon), 1, 1e9, NULL, "ROWS",
     "Rows to forecast. Default: the season, else a tenth of the rows, at most 24"},
    {CLI_SIZE, "window", 'w', OF(window), 1, 1e9, NULL, "ROWS",
     "Rows the network sees before it forecasts. Default: two horizons, between 8 and a quarter of the rows"},
    {CLI_SIZE, "season", 0, OF(season), 1, 1e9, NULL, "ROWS",
     "Rows of one period; 1: none. Default: by the step (12 for months, 24 for hours)"},
    {CLI_INT64, "holdout", 0, OF(holdout), 0, 1e9, NULL, "ROWS",
     "Last rows to hold back and score on: the horizon, or 0 for no scoring. Default: the horizon"},
    {CLI_TEXT, "weight", 0, OF(weight), 0, 0, NULL, "COLUMN",
     "How much each row counts in training, by its name; no input. Default: all the same"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

const cli_option cli_network_rows[] = {
    {CLI_GROUP, "Network:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "cell", 0, OF(cell), 0, 0, NULL, "NAME|FILE",
     "The recurrent cell, as `norn cell list` names it, or the file of its formula. Default: lstm"},
    {CLI_COUNT, "layers", 0, OF(layers), 1, 16, NULL, "L", "Stacked recurrent layers. Default: 1"},
    {CLI_COUNT, "hidden", 0, OF(hidden), 1, 65536, NULL, "H",
     "Units of a layer. Default: by the number of windows"},
    {CLI_REAL, "dropout", 0, OF(dropout), 0, 0.999, NULL, "P",
     "Share of units left out between layers while training. Default: 0"},
    {CLI_WORD, "init", 0, OF(init), 0, 0, init_words, "WORD",
     "What layers begin with: uniform (as PyTorch's), xavier, orthogonal. Default: uniform"},
    {CLI_REAL, "forget-bias", 0, OF(forget_bias), -1000, 1000, NULL, "X",
     "Added to the initial bias of the forget gate. Default: 0"},
    {CLI_COUNT, "members", 0, OF(members), 1, NORN_MOST_MEMBERS, NULL, "N",
     "Networks that differ in their random numbers, trained side by side; the forecast is their median. "
     "Default: 1"},
    {CLI_WORD, "members-on", 0, OF(members_on), 0, 0, members_on_words, "seeds|rows",
     "What members differ in: random numbers alone, or each is trained on its own sample of the windows, "
     "too. Default: seeds"},
    {CLI_UINT64, "seed", 0, OF(seed), 0, 0, NULL, "N",
     "Of all random numbers; the same seed gives the same bits. Default: 1"},
    {CLI_TEXT, "device", 0, AT(context.device), 0, 0, NULL, "P:D|NAME",
     "Where to compute, as `norn devices` lists it. Default: a GPU before a CPU"},
    CLI_TUNING_ROW(AT(tuning)),
    {CLI_BYTES, "memory-limit", 0, AT(context.memory_limit), 0, 0, NULL, "BYTES",
     "Most memory of the device to take, with K, M or G for more. Changes no bit. Default: three quarters of "
     "it"},

    {CLI_GROUP, "Training:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_COUNT, "epochs", 0, OF(epochs), 1, 1e6, NULL, "N",
     "Most epochs. Default: 40, or what 3e12 operations allow"},
    {CLI_COUNT, "steps-per-epoch", 0, OF(steps_per_epoch), 1, 1e8, NULL, "N",
     "Steps of an epoch. Default: every window once if --epochs is given, else 5, or 30 from 1000 windows "
     "on"},
    {CLI_COUNT, "batch", 0, OF(batch), 1, 1048576, NULL, "B", "Windows of a step. Default: by their number"},
    {CLI_SIZE, "eval-batch", 0, OF(eval_batch), 1, 1048576, NULL, "B",
     "Windows of a launch that forecasts or validates; changes memory and time, no result. Default: 64, or "
     "the batch"},
    {CLI_COUNT, "patience", 0, OF(patience), 1, 1e9, NULL, "EPOCHS",
     "Epochs without a better validation loss before training stops"},
    {CLI_WORD, "loss", 0, OF(loss), 0, 0, loss_words, "WORD",
     "What training makes small: mse, mae, huber, pinball (a quantile), mape (relative errors). Default: "
     "mse"},
    {CLI_REAL, "quantile", 0, OF(quantile), 0.000001, 0.999999, NULL, "Q",
     "What --loss pinball forecasts. Default: 0.5, the median"},
    {CLI_WORD, "optimiser", 0, OF(optimiser), 0, 0, optimiser_words, "WORD",
     "adam, adamw, sgd or rmsprop. Default: adam"},
    {CLI_REAL, "lr", 0, OF(learning_rate), 1e-12, 100, NULL, "RATE",
     "Learning rate. Default: 0.005; of sgd 0.05"},
    {CLI_WORD, "schedule", 0, OF(schedule), 0, 0, schedule_words, "WORD",
     "How the rate goes on: cosine (down to 0), constant, step, exponential, one-cycle. Default: cosine"},
    {CLI_COUNT, "warmup", 0, OF(warmup), 0, 1e9, NULL, "STEPS",
     "Steps in which the rate grows to its full size first. Default: 0"},
    {CLI_REAL, "rate-factor", 0, OF(rate_factor), 1e-12, 1, NULL, "X",
     "What the schedules step and exponential multiply the rate by. Default: 0.1 and 0.9"},
    {CLI_COUNT, "rate-every", 0, OF(rate_every), 1, 1e6, NULL, "EPOCHS",
     "How often the schedule step does. Default: every third of the epochs"},
    {CLI_REAL, "momentum", 0, OF(momentum), 0, 0.999999, NULL, "X", "Of sgd and rmsprop. Default: 0"},
    {CLI_FLAG, "nesterov", 0, AT(nesterov), 0, 0, NULL, NULL, "The momentum of sgd looks ahead"},
    {CLI_REAL, "weight-decay", 0, OF(weight_decay), 0, 100, NULL, "X",
     "Draws weights, but no biases, towards 0. Default: 0"},
    {CLI_REAL, "clip-norm", 0, OF(clip_norm), 0, 1e30, NULL, "X",
     "Largest norm of a gradient; 0: any. Default: 1"},
    {CLI_REAL, "clip-value", 0, OF(clip_value), 0, 1e30, NULL, "X",
     "Largest size of each number of a gradient; 0: any. Default: 0"},
    {CLI_COUNT, "bptt", 0, OF(bptt), 1, 1e9, NULL, "ROWS",
     "Truncated backpropagation: gradients run back through the last so many rows of the window. Default: "
     "all"},
    {CLI_REAL, "time-limit", 0, OF(time_limit), 0, 1e9, NULL, "SECONDS",
     "Stop training by the clock; results then depend on the machine. Default: none"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

const cli_option cli_checkpoint_rows[] = {
    {CLI_GROUP, "Interruptions:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "checkpoint", 0, OF(checkpoint), 0, 0, NULL, "FILE",
     "Where the training stands, written in between and when interrupted. Default: nowhere"},
    {CLI_COUNT, "every", 0, OF(every), 1, 1e6, NULL, "EPOCHS", "How often in between. Default: 1"},
    {CLI_FLAG, "resume", 0, AT(resume), 0, 0, NULL, NULL,
     "Go on from --checkpoint, and end with the same bits as without the interruption"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

int cli_network_settle(cli_network_flags *flags)
{
    norn_forecast_options *o = &flags->options;
    o->nesterov = flags->nesterov;
    o->resume = flags->resume;
    if (!o->checkpoint && (o->resume || o->every)) {
        cli_error("%s: from which file? (--checkpoint FILE)", o->resume ? "--resume" : "--every");
        return EXIT_USAGE;
    }
    if (o->checkpoint && (!o->checkpoint[0] || (o->checkpoint[0] == '-' && !o->checkpoint[1]))) {
        cli_error("--checkpoint: it goes to a file, not to a stream");
        return EXIT_USAGE;
    }
    return o->checkpoint ? cli_output_check(o->checkpoint) : EXIT_FINE;
}
