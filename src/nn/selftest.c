/*
 * The self-test behind `norn devices --test`: every kernel built for this device and compared with the host.
 * Bounds are those of the tests: single precision against double, relative to the largest value of a tensor.
 */
#include "compute/compute.h"
#include "nn/compare.h"
#include "nn/reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct report {
    norn_self_test_fn each;
    void *user;
    bool failed;
} report;

static void tell(report *r, const char *what, double error, double bound)
{
    const bool passed = error <= bound; /* NaN does not pass */
    if (!passed) r->failed = true;
    if (r->each) r->each(r->user, what, error, bound, passed);
}

/* Elements of a product that differ from the host's chain of fma, and the largest error against double. */
static norn_status test_gemm(norn_context *context, report *r, norn_gemm_path path, const char *name,
                             size_t m, size_t n, size_t k, norn_error *err)
{
    const norn_host *host = &context->host;
    float *a = norn_new(host, m * k, sizeof *a), *b = norn_new(host, k * n, sizeof *b),
          *c = norn_new(host, m * n, sizeof *c);
    norn_buffer da = {NULL, 0, NULL}, db = {NULL, 0, NULL}, dc = {NULL, 0, NULL};
    norn_status status = a && b && c ? NORN_OK : norn_fail_memory(err, "a product");
    const norn_key key = norn_random_key(3, 0, NORN_PURPOSE_ORDER);
    if (status == NORN_OK) {
        for (size_t i = 0; i < m * k; i++)
            a[i] = (float)(norn_random_unit(norn_random(key, (uint32_t)i, 0, 0, 0).word[0]) - 0.5);
        for (size_t i = 0; i < k * n; i++)
            b[i] = (float)(norn_random_unit(norn_random(key, (uint32_t)i, 1, 0, 0).word[0]) - 0.5);
        status = norn_buffer_new(context, &da, m * k * sizeof *a, a, "a matrix", err);
    }
    if (status == NORN_OK) status = norn_buffer_new(context, &db, k * n * sizeof *b, b, "a matrix", err);
    if (status == NORN_OK) status = norn_buffer_new(context, &dc, m * n * sizeof *c, NULL, "a matrix", err);
    if (status == NORN_OK)
        status = norn_gemm(context, path, false, false, m, n, k, (norn_matrix){&da, 0, k},
                           (norn_matrix){&db, 0, n}, (norn_matrix){&dc, 0, n}, false, err);
    if (status == NORN_OK) status = norn_buffer_read(context, &dc, 0, c, m * n * sizeof *c, err);
    if (status == NORN_OK) {
        size_t different = 0;
        double error = 0.0;
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                const float got = c[i * n + j];
                const float chain = norn_reference_fma_chain(k, a + i * k, 1, b + j, n, 0.0f);
                double exact = 0.0;
                for (size_t p = 0; p < k; p++) exact += (double)a[i * k + p] * (double)b[p * n + j];
                different += memcmp(&got, &chain, sizeof got) != 0;
                const double off = fabs((double)got - exact);
                if (!(off <= error)) error = off;
            }
        char what[96];
        (void)snprintf(what, sizeof what, "%s %zu x %zu x %zu, error", name, m, n, k);
        tell(r, what, error, 1e-6 * sqrt((double)k));
        (void)snprintf(what, sizeof what, "%s %zu x %zu x %zu, bits that differ from an fma chain", name, m,
                       n, k);
        tell(r, what, (double)different, 0.0);
    }
    norn_buffer_free(&da);
    norn_buffer_free(&db);
    norn_buffer_free(&dc);
    norn_delete(host, a, m * k, sizeof *a);
    norn_delete(host, b, k * n, sizeof *b);
    norn_delete(host, c, m * n, sizeof *c);
    return status;
}

norn_status norn_self_test(norn_context *context, norn_self_test_fn each, void *user, norn_error *err)
{
    static const struct {
        const char *name;
        norn_network_shape shape;
        size_t rows;
    } networks[] = {
        {"sequence path, 1 layer",
         {.inputs = 1, .hidden = 16, .layers = 1, .window = 5, .horizon = 3, .batch = 6},
         5},
        {"sequence path, 2 layers, dropout",
         {.inputs = 3,
          .hidden = 33,
          .layers = 2,
          .window = 7,
          .horizon = 12,
          .batch = 8,
          .dropout = 0.2,
          .loss = NORN_LOSS_HUBER,
          .clip = 1.0},
         7},
        {"stage path, 2 layers, dropout",
         {.inputs = 3,
          .hidden = 33,
          .layers = 2,
          .window = 7,
          .horizon = 12,
          .batch = 8,
          .dropout = 0.2,
          .loss = NORN_LOSS_HUBER,
          .clip = 1.0,
          .path = NORN_PATH_STAGE},
         7},
    };
    report r = {each, user, false};
    norn_status status = NORN_OK;
    for (size_t i = 0; i < NORN_COUNT(networks) && status == NORN_OK; i++) {
        norn_network_comparison got;
        status = norn_compare_network(context, &networks[i].shape, networks[i].rows, 5, &got, err);
        if (status != NORN_OK) break;
        const struct {
            const char *what;
            double error, bound;
        } lines[] = {{"forecast", got.output, 2e-5},
                     {"loss", got.loss, 2e-5},
                     {"gradients", got.gradient, 1e-4},
                     {"Adam steps", got.update, 1e-3}};
        for (size_t k = 0; k < NORN_COUNT(lines); k++) {
            char what[96];
            (void)snprintf(what, sizeof what, "%s: %s", networks[i].name, lines[k].what);
            tell(&r, what, lines[k].error, lines[k].bound);
        }
    }
    for (int reverse = 0; reverse < 2 && status == NORN_OK; reverse++) {
        double error = 0.0;
        status = norn_compare_sequence(context, reverse, 5, &error, err);
        if (status == NORN_OK)
            tell(&r,
                 reverse ? "one layer, masked, learned states, against time"
                         : "one layer, masked, learned states",
                 error, 2e-5);
    }
    if (status == NORN_OK) status = test_gemm(context, &r, NORN_GEMM_OWN, "own product", 37, 41, 53, err);
    if (status == NORN_OK) status = test_gemm(context, &r, NORN_GEMM_CLBLAST, "CLBlast", 128, 96, 160, err);
    if (status != NORN_OK) return status;
    return r.failed ? norn_fail(err, NORN_ERR_NUMERIC, "the self-test of %s found wrong results",
                                context->info.name)
                    : NORN_OK;
}
