/*
 * norn inspect MODEL: what a trained model holds: the network drawn with its shapes, what it sees of which
 * columns, how it was trained, and the scaling of each series. The same as JSON, in full.
 */
#include "cli/inspect.h"

#include "base/base.h"
#include "data/step.h"
#include "data/table.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 20 }; /* series, members and columns listed without --all */

/* A safetensors file begins with the length of its header, which is below 2^40, and the header with {. */
bool inspect_is_model(const char *path)
{
    unsigned char start[9] = {0};
    FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "rb");
    const bool whole = file && fread(start, 1, sizeof start, file) == sizeof start;
    if (file) (void)fclose(file);
    return whole && start[8] == '{' && !start[5] && !start[6] && !start[7];
}

/* ---- text ------------------------------------------------------------------------------------------------
 */

static const char *quoted(const char *text, char out[160])
{
    return norn_quote(out, 160, text, strlen(text), 60);
}

static void put_heading(const cli_screen *screen, cli_text *out, const char *text)
{
    cli_text_format(out, "\n%s%s%s\n", cli_paint_on(screen, PAINT_BOLD), text, cli_paint_off(screen));
}

/* "    LSTM 1     24 x 32     4,352 parameters" */
static void put_box(cli_text *out, const char *name, const char *shape, size_t parameters)
{
    char count[NORN_COUNT_TEXT];
    cli_text_put(out, "  ");
    cli_text_pad(out, name, -12);
    if (parameters) {
        cli_text_pad(out, shape, -16);
        cli_text_format(out, "%s parameters\n", norn_count_text(parameters, count));
    } else {
        cli_text_format(out, "%s\n", shape);
    }
}

static void put_network(const norn_model *model, const norn_model_facts *f, const cli_screen *screen,
                        cli_text *out)
{
    const char *const down = screen->unicode ? "     ↓\n" : "     |\n", *const by =
                                                                            screen->unicode ? "×" : "x";
    char name[64], shape[96];
    put_heading(screen, out, "Network");
    (void)snprintf(shape, sizeof shape, "%zu rows %s %zu input%s", f->window, by, f->inputs,
                   f->inputs == 1 ? "" : "s");
    put_box(out, "window", shape, 0);
    for (size_t l = 0; l < f->layers; l++) {
        cli_text_put(out, down);
        (void)snprintf(name, sizeof name, "%s %zu", f->cell, l + 1);
        (void)snprintf(shape, sizeof shape, "%zu %s %zu", f->window, by, f->hidden);
        put_box(out, name, shape, norn_model_layer_parameters(model, l));
    }
    cli_text_put(out, down);
    (void)snprintf(shape, sizeof shape, "%zu, of the last row", f->hidden);
    put_box(out, "state", shape, 0);
    cli_text_put(out, down);
    (void)snprintf(shape, sizeof shape, "%zu %s %zu", f->horizon, by, f->hidden);
    put_box(out, "head", shape, norn_model_layer_parameters(model, f->layers));
    cli_text_put(out, down);
    (void)snprintf(shape, sizeof shape, "%zu row%s", f->horizon, f->horizon == 1 ? "" : "s");
    put_box(out, "forecast", shape, 0);
}

/* What the network sees of a column: "as it is", "1 to 12 rows ahead", "a mask of what is missing". */
static void put_sight(const norn_model *model, const norn_model_facts *f, size_t column, cli_text *out)
{
    size_t plain = 0, ahead = 0, least = SIZE_MAX, most = 0, masks = 0;
    for (size_t i = 0; i < f->inputs; i++) {
        const norn_model_sees one = norn_model_input_of(model, i);
        const bool own =
            one.column == column || (i == 0 && norn_model_column_role(model, column) == NORN_ROLE_TARGET);
        if (!own) continue;
        masks += one.mask != 0;
        plain += !one.mask && !one.advance;
        if (one.mask || !one.advance) continue;
        ahead++;
        least = one.advance < least ? one.advance : least;
        most = one.advance > most ? one.advance : most;
    }
    const char *between = "";
    if (plain) cli_text_put(out, "as it is"), between = ", ";
    if (ahead && least == most) cli_text_format(out, "%s%zu rows ahead", between, most), between = ", ";
    if (ahead && least != most)
        cli_text_format(out, "%s%zu to %zu rows ahead (%zu inputs)", between, least, most, ahead),
            between = ", ";
    if (masks) cli_text_format(out, "%sa mask of what is missing", between);
    if (!plain && !ahead && !masks)
        cli_text_put(out, norn_model_column_role(model, column) > NORN_ROLE_TARGET ? "not seen" : "");
    cli_text_put(out, "\n");
}

static void put_columns(const norn_model *model, const norn_model_facts *f, size_t most,
                        const cli_screen *screen, cli_text *out)
{
    char name[160];
    put_heading(screen, out, "Columns");
    for (size_t c = 0; c < f->columns && c < most; c++) {
        cli_text_put(out, "  ");
        cli_text_pad(out, quoted(norn_model_column_name(model, c), name), -24);
        cli_text_put(out, " ");
        const norn_column_role role = norn_model_column_role(model, c);
        cli_text_pad(out, inspect_roles[role], role < NORN_ROLE_TARGET ? 0 : -8);
        put_sight(model, f, c, out);
    }
    if (f->columns > most) cli_text_format(out, "  and %zu more (--all)\n", f->columns - most);
}

static void put_training(const norn_model *model, const norn_model_facts *f, size_t most,
                         const cli_screen *screen, cli_text *out)
{
    put_heading(screen, out, "Training");
    cli_text_format(out, "  %s, %s at a rate of %g, batches of %zu, dropout %g, seed %llu\n", f->loss,
                    f->optimiser, f->learning_rate, f->batch, f->dropout, (unsigned long long)f->seed);
    if (*f->tuning) cli_text_format(out, "  with the tuning %s\n", f->tuning);
    for (size_t m = 0; m < f->members && m < most; m++) {
        const norn_training *t = norn_model_training(model, m);
        cli_text_format(
            out, "  member %-3zu %u epochs, best %u: loss %.4g, to stop by %.4g; %zu and %zu windows\n",
            m + 1, t->epochs, t->best_epoch, t->train_loss, t->valid_loss, t->windows, t->validation_windows);
    }
    if (f->members > most) cli_text_format(out, "  and %zu more (--all)\n", f->members - most);
}

static void put_series(const norn_model *model, const norn_model_facts *f, size_t most,
                       const cli_screen *screen, cli_text *out)
{
    char name[160];
    put_heading(screen, out, "Series");
    for (size_t s = 0; s < f->series && s < most; s++) {
        const norn_model_series one = norn_model_series_of(model, 0, s);
        cli_text_put(out, "  ");
        cli_text_pad(out, quoted(norn_model_id(model, s), name), -24);
        cli_text_format(out, " %s, from ", one.log ? "logarithm" : "values");
        if (one.season)
            cli_text_format(out, "%zu rows before", one.season);
        else
            cli_text_put(out, "the last value");
        cli_text_format(out, ", scale %.5g\n", one.scale);
    }
    if (f->series > most) cli_text_format(out, "  and %zu more (--all)\n", f->series - most);
    if (f->correction != 1.0 || f->change != 0.0)
        cli_text_format(
            out, "  damped where they start a season before: %g of the correction, %g of the last change\n",
            f->correction, f->change);
}

static void print_model(const norn_model *model, const char *path, bool all, const cli_screen *screen,
                        cli_text *out)
{
    const norn_model_facts f = norn_model_facts_of(model);
    const size_t most = all ? SIZE_MAX : SHOWN;
    char name[160], step[96], count[NORN_COUNT_TEXT];
    cli_text_format(out, "%s: a model of Norn %s\n", quoted(path, name), f.library);
    cli_text_format(out, "  %zu member%s of %s parameters, steps of %s", f.members, f.members == 1 ? "" : "s",
                    norn_count_text(f.parameters, count), norn_step_text(f.step, step, sizeof step));
    cli_text_format(out, f.season > 1 ? ", a season of %zu rows\n" : ", no season\n", f.season);
    put_network(model, &f, screen, out);
    put_columns(model, &f, most, screen, out);
    put_training(model, &f, most, screen, out);
    put_series(model, &f, most, screen, out);
}

/* ---- JSON ------------------------------------------------------------------------------------------------
 */

static void set_count(json_t *to, const char *key, size_t count)
{
    json_object_set_new(to, key, json_integer((json_int_t)count));
}

static json_t *network_json(const norn_model *model, const norn_model_facts *f)
{
    json_t *network = json_object(), *layers = json_array();
    json_object_set_new(network, "cell", cli_json_text(f->cell));
    set_count(network, "inputs", f->inputs);
    set_count(network, "hidden", f->hidden);
    set_count(network, "layers", f->layers);
    set_count(network, "window", f->window);
    set_count(network, "horizon", f->horizon);
    set_count(network, "parameters", f->parameters);
    for (size_t l = 0; l <= f->layers; l++)
        json_array_append_new(layers, json_integer((json_int_t)norn_model_layer_parameters(model, l)));
    json_object_set_new(network, "parameters_of_layers", layers);
    return network;
}

static json_t *training_json(const norn_model_facts *f)
{
    char seed[24];
    json_t *training = json_object();
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)f->seed);
    json_object_set_new(training, "seed", json_string(seed)); /* beyond 2^53 no number of JSON */
    set_count(training, "batch", f->batch);
    json_object_set_new(training, "dropout", cli_json_real(f->dropout));
    json_object_set_new(training, "learning_rate", cli_json_real(f->learning_rate));
    json_object_set_new(training, "loss", cli_json_text(f->loss));
    json_object_set_new(training, "optimiser", cli_json_text(f->optimiser));
    if (*f->tuning) json_object_set_new(training, "tuning", cli_json_text(f->tuning));
    return training;
}

static json_t *members_json(const norn_model *model, const norn_model_facts *f)
{
    json_t *members = json_array();
    for (size_t m = 0; m < f->members; m++) {
        const norn_training *t = norn_model_training(model, m);
        json_t *one = json_object();
        set_count(one, "windows", t->windows);
        set_count(one, "validation_windows", t->validation_windows);
        set_count(one, "epochs", t->epochs);
        set_count(one, "best_epoch", t->best_epoch);
        json_object_set_new(one, "train_loss", cli_json_real(t->train_loss));
        json_object_set_new(one, "valid_loss", cli_json_real(t->valid_loss));
        json_array_append_new(members, one);
    }
    return members;
}

static json_t *columns_json(const norn_model *model, const norn_model_facts *f)
{
    json_t *columns = json_array();
    for (size_t c = 0; c < f->columns; c++) {
        json_t *one = json_object();
        json_object_set_new(one, "name", cli_json_text(norn_model_column_name(model, c)));
        json_object_set_new(one, "role", json_string(inspect_roles[norn_model_column_role(model, c)]));
        json_array_append_new(columns, one);
    }
    return columns;
}

static json_t *inputs_json(const norn_model *model, const norn_model_facts *f)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < f->inputs; i++) {
        const norn_model_sees sees = norn_model_input_of(model, i);
        json_t *one = json_object();
        json_object_set_new(one, "column", cli_json_text(norn_model_column_name(model, sees.column)));
        json_object_set_new(one, "mask", json_boolean(sees.mask));
        set_count(one, "advance", sees.advance);
        json_array_append_new(inputs, one);
    }
    return inputs;
}

static json_t *series_json(const norn_model *model, const norn_model_facts *f)
{
    json_t *series = json_array();
    for (size_t s = 0; s < f->series; s++) {
        const norn_model_series seen = norn_model_series_of(model, 0, s);
        json_t *one = json_object();
        json_object_set_new(one, "unique_id", cli_json_text(norn_model_id(model, s)));
        json_object_set_new(one, "log", json_boolean(seen.log));
        set_count(one, "season", seen.season);
        json_object_set_new(one, "scale", cli_json_real(seen.scale));
        json_array_append_new(series, one);
    }
    return series;
}

static void model_json(const norn_model *model, const char *path, cli_text *out)
{
    const norn_model_facts f = norn_model_facts_of(model);
    char step[96];
    json_t *root = json_object();
    json_object_set_new(root, "model", cli_json_text(path));
    json_object_set_new(root, "library", cli_json_text(f.library));
    json_object_set_new(root, "members", members_json(model, &f));
    json_object_set_new(root, "network", network_json(model, &f));
    json_object_set_new(root, "columns", columns_json(model, &f));
    json_object_set_new(root, "inputs", inputs_json(model, &f));
    json_object_set_new(root, "step", cli_json_text(norn_step_text(f.step, step, sizeof step)));
    set_count(root, "season", f.season);
    json_object_set_new(root, "correction", cli_json_real(f.correction));
    json_object_set_new(root, "change", cli_json_real(f.change));
    json_object_set_new(root, "training", training_json(&f));
    json_object_set_new(root, "series", series_json(model, &f));
    cli_text_put_json(out, root, 0);
}

int inspect_model(cli_state *cli, const char *path, bool json, bool all, const cli_screen *screen)
{
    cli_text out = {NULL, 0, 0, false};
    norn_model *model = NULL;
    if (norn_model_read(&model, path, &cli->host, &cli->err) != NORN_OK) return cli_fail(cli);
    if (json)
        model_json(model, path, &out);
    else
        print_model(model, path, all, screen, &out);
    const int code = cli_output_write(NULL, &out);
    cli_text_free(&out);
    norn_model_free(model);
    return code;
}
