/* Networks in a backtest: see network.h. */
#include "backtest/network.h"

#include "forecast/folds.h"

#include <math.h>
#include <string.h>

/* The folds of the backtest in the words of forecast/folds.h. */
static void describe_folds(const norn_folds *folds, norn_fold *out)
{
    const norn_backtest_options *o = &folds->options;
    for (size_t k = 0; k < o->folds; k++)
        out[k] = (norn_fold){.behind = o->horizon + (o->folds - 1 - k) * o->step,
                             .gap = o->gap,
                             .rows = o->train_rows,
                             .served_by = norn_folds_first_of(folds, norn_folds_fit_of(folds, k)),
                             .identity = k};
}

/* How the trainings went. */
static void look_at(norn_backtest_network *network, const norn_fold *list, size_t folds,
                    const norn_folds_out *result, size_t members)
{
    network->parameters = result->parameters;
    network->window = result->window;
    network->least = SIZE_MAX;
    for (size_t k = 0; k < folds; k++)
        for (size_t n = 0; n < members && list[k].served_by == k; n++) {
            const norn_training *t = &result->training[k * members + n];
            network->trained++;
            network->diverged += t->epochs && !t->best_epoch ? 1 : 0;
            if (t->epochs < network->least) network->least = t->epochs;
            if (t->epochs > network->most) network->most = t->epochs;
        }
}

/* Keeps an epoch, and tells it on. What finds no memory is not drawn. */
static void keep_epoch(void *user, const norn_epoch *epoch)
{
    norn_backtest_network *network = user;
    norn_story *story = &network->story;
    void *epochs = story->epochs;
    if (network->options.on_epoch) network->options.on_epoch(network->options.epoch_user, epoch);
    if (story->epoch_count == story->epoch_room) {
        const size_t room = story->epoch_room ? 2 * story->epoch_room : 256;
        if (!norn_resize(&network->host, &epochs, story->epoch_room, room, sizeof *story->epochs)) return;
        story->epochs = epochs;
        story->epoch_room = room;
    }
    story->epochs[story->epoch_count++] = *epoch;
}

static norn_status run(void *user, const norn_folds *folds, double *out, double seconds[2],
                       const norn_host *host, norn_error *err)
{
    norn_backtest_network *network = user;
    const size_t k = folds->options.folds, h = folds->options.horizon, all = folds->all;
    norn_forecast_options options = network->options;
    options.horizon = h;
    options.window = folds->options.window;
    options.season = folds->options.season;
    options.holdout = 0;
    network->host = *host;
    if (network->curves) {
        options.on_epoch = keep_epoch;
        options.epoch_user = network;
    }
    const size_t members = options.members ? options.members : 1;
    norn_fold *list = norn_new(host, k, sizeof *list);
    norn_folds_out result = {.values = norn_new(host, k * all * h, sizeof(double)),
                             .training = norn_new(host, k * members, sizeof(norn_training))};
    const double begin = norn_seconds();
    norn_status status = NORN_OK;
    if (!list || !result.values || !result.training) {
        status = norn_fail_memory(err, "the folds of a network");
        goto done;
    }
    describe_folds(folds, list);
    const norn_folds_options how = {.forecast = &options};
    status = norn_folds_run(&result, network->context, network->table, &how, list, k, host, err);
    if (status != NORN_OK) goto done;
    for (size_t i = 0; i < folds->count; i++)
        for (size_t fold = 0; fold < k; fold++)
            memcpy(out + (i * k + fold) * h, result.values + (fold * all + folds->series[i]) * h,
                   h * sizeof *out);
    look_at(network, list, k, &result, members);
    network->story = (norn_story){.inputs = result.inputs,
                                  .layers = result.layers,
                                  .hidden = result.hidden,
                                  .window = result.window,
                                  .parameters = result.parameters,
                                  .folds = k,
                                  .members = members,
                                  .training = result.training,
                                  .epochs = network->story.epochs,
                                  .epoch_count = network->story.epoch_count,
                                  .epoch_room = network->story.epoch_room};
    memcpy(network->story.name, network->name, sizeof network->story.name);
    result.training = NULL; /* the story's */
    seconds[0] = norn_seconds() - begin;
done:
    norn_delete(host, list, k, sizeof *list);
    norn_delete(host, result.values, k * all * h, sizeof(double));
    norn_delete(host, result.training, result.training ? k * members : 0, sizeof(norn_training));
    return status;
}

void norn_story_free(norn_story *story, const norn_host *host)
{
    norn_delete(host, story->training, story->training ? story->folds * story->members : 0,
                sizeof *story->training);
    norn_delete(host, story->epochs, story->epoch_room, sizeof *story->epochs);
    *story = (norn_story){.training = NULL};
}

bool norn_backtest_is_network(const char *word, size_t length)
{
    char name[sizeof((norn_backtest_network *)0)->word];
    if (length >= sizeof name) return false;
    memcpy(name, word, length);
    name[length] = '\0';
    return norn_cell_builtin_text(name) || norn_cell_is_file(name);
}

norn_status norn_backtest_network_name(norn_backtest_network *network, const char *word, size_t length,
                                       const norn_host *host, norn_error *err)
{
    norn_cell *cell = NULL;
    memcpy(network->word, word, length);
    network->word[length] = '\0';
    if (strcmp(network->word, "lstm") != 0 || !network->options.cell) network->options.cell = network->word;
    const norn_status status = norn_cell_named(&cell, network->options.cell, host, err);
    if (status == NORN_OK) norn_cell_title(cell, network->name);
    norn_cell_free(cell);
    return status;
}

norn_joint norn_joint_network(norn_backtest_network *network)
{
    return (norn_joint){network->name, run, network};
}

void norn_joint_network_tell(const norn_backtest_network *network, norn_folds *folds)
{
    norn_folds_decide(folds, "network", "--cell, --layers, --hidden",
                      "%s, %zu parameters, window of %zu rows", network->name, network->parameters,
                      network->window);
    if (network->diverged)
        norn_folds_decide(folds, "trained", "--lr",
                          "%zu networks side by side, %zu to %zu epochs; %zu diverged and %s left out",
                          network->trained, network->least, network->most, network->diverged,
                          network->diverged == 1 ? "is" : "are");
    else
        norn_folds_decide(folds, "trained", "--epochs", "%zu network%s side by side, %zu to %zu epochs",
                          network->trained, network->trained == 1 ? "" : "s", network->least, network->most);
}
