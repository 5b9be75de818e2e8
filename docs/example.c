/*
 * Forecasts with libnorn: reads a CSV file, trains on it once, keeps the model, and prints the next rows.
 *
 *     example sales.csv sales.safetensors [ROWS]
 *
 * The first time it trains; from then on the model forecasts what the CSV file holds by then. Build it by
 * find_package(Norn) and Norn::norn, or:
 *
 *     cc -std=c11 example.c $(pkg-config --cflags --libs norn)
 */
#include <norn/norn.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    norn_error err = NORN_ERROR_INIT;
    norn_forecast_options options = NORN_FORECAST_OPTIONS_INIT;
    norn_table *table = NULL;
    norn_context *context = NULL;
    norn_model *model = NULL;
    norn_forecast *forecast = NULL;
    size_t count = 0;

    if (argc < 3) return EXIT_FAILURE;
    if (argc > 3) options.horizon = strtoul(argv[3], NULL, 10);

    /* NULL for options and host: everything found, malloc, silence. */
    if (norn_table_read(&table, argv[1], NULL, NULL, &err) != NORN_OK) goto done;
    if (norn_context_new(&context, NULL, NULL, &err) != NORN_OK) goto done;
    if (norn_model_read(&model, argv[2], NULL, &err) == NORN_OK) {
        if (norn_model_forecast(&forecast, context, model, table, NULL, &err) != NORN_OK) goto done;
    } else {
        if (err.status != NORN_ERR_INPUT) goto done; /* it is there, and no model */
        err = (norn_error)NORN_ERROR_INIT;
        if (norn_model_train(&model, &forecast, context, table, &options, NULL, &err) != NORN_OK) goto done;
        if (norn_model_write(model, argv[2], &err) != NORN_OK) goto done;
    }

    const norn_decision *decisions = norn_forecast_decisions(forecast, &count);
    for (size_t i = 0; i < count; i++) fprintf(stderr, "%s: %s\n", decisions[i].what, decisions[i].text);
    const norn_score *scores = norn_forecast_scores(forecast, &count); /* none without training */
    for (size_t i = 0; i < count; i++) fprintf(stderr, "%s: MAE %.4g\n", scores[i].model, scores[i].mae);

    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        const double *y = norn_forecast_values(forecast, s);
        for (size_t i = 0; y && i < norn_forecast_horizon(forecast); i++) {
            char time[NORN_TIME_TEXT];
            printf("%s,%s,%.10g\n", norn_table_id(table, s),
                   norn_table_time_text(table, norn_table_future_time(table, s, i + 1), time), y[i]);
        }
    }

done:
    if (err.status != NORN_OK) fprintf(stderr, "%s: %s\n", err.file[0] ? err.file : argv[1], err.message);
    norn_forecast_free(forecast);
    norn_model_free(model);
    norn_context_free(context);
    norn_table_free(table);
    return err.status == NORN_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
