/* Names, bounds and schedules: see optimiser.h. The rules themselves are kernels/optimiser.cl. */
#include "nn/optimiser.h"

#include <math.h>

const char *const norn_loss_words[] = {"mse", "mae", "huber", "pinball", "mape", NULL};
const char *const norn_optimiser_words[] = {"adam", "adamw", "sgd", "rmsprop", NULL};
const char *const norn_rate_words[] = {"cosine", "constant", "step", "exponential", "one-cycle", NULL};

typedef struct check {
    bool right;
    const char *message;
} check;

static norn_status first_wrong(const check *checks, size_t count, norn_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!checks[i].right) return norn_fail(err, NORN_ERR_USAGE, "%s", checks[i].message);
    return NORN_OK;
}

norn_status norn_optimiser_check(const norn_optimiser *o, norn_error *err)
{
    const bool has_momentum = o->kind == NORN_OPTIMISER_SGD || o->kind == NORN_OPTIMISER_RMSPROP;
    const check checks[] = {
        {(unsigned)o->kind <= NORN_OPTIMISER_RMSPROP, "--optimiser must be adam, adamw, sgd or rmsprop"},
        {o->decay >= 0.0 && o->decay <= 100.0, "--weight-decay must be at least 0 and at most 100"},
        {o->momentum >= 0.0 && o->momentum < 1.0, "--momentum must be at least 0 and below 1"},
        {o->momentum == 0.0 || has_momentum, "--momentum is for --optimiser sgd or rmsprop"},
        {o->alpha >= 0.0 && o->alpha < 1.0, "the smoothing of rmsprop must be above 0 and below 1"},
        {o->clip_value >= 0.0 && isfinite(o->clip_value), "--clip-value must not be negative"},
        {!o->nesterov || (o->kind == NORN_OPTIMISER_SGD && o->momentum > 0.0),
         "--nesterov is for --optimiser sgd with a --momentum"},
    };
    return first_wrong(checks, NORN_COUNT(checks), err);
}

norn_status norn_rate_check(const norn_rate_plan *plan, norn_error *err)
{
    const check checks[] = {
        {(unsigned)plan->kind <= NORN_RATE_ONE_CYCLE,
         "--schedule must be cosine, constant, step, exponential or one-cycle"},
        {plan->factor >= 0.0 && plan->factor <= 1.0, "--rate-factor must be above 0 and at most 1"},
        {plan->warmup <= 1000000000, "--warmup must be at most 1000000000 steps"},
    };
    return first_wrong(checks, NORN_COUNT(checks), err);
}

/* From `from` to `to` along half a cosine. */
static double anneal(double from, double to, double part)
{
    return to + (from - to) / 2.0 * (1.0 + cos(3.14159265358979323846 * part));
}

static double one_cycle(double rate, size_t done, size_t total)
{
    static const double share = 0.3, start = 25.0, end = 1e4; /* as torch.optim.lr_scheduler.OneCycleLR */
    const double peak = share * (double)total - 1.0, last = (double)total - 1.0, at = (double)done;
    const double low = rate / start;
    if (at <= peak) return peak > 0.0 ? anneal(low, rate, at / peak) : rate;
    return last > peak ? anneal(rate, low / end, (at - peak) / (last - peak)) : rate;
}

double norn_rate_at(const norn_rate_plan *plan, double rate, size_t done, size_t steps, size_t epochs)
{
    const size_t all = steps * epochs, warmup = plan->warmup < all ? plan->warmup : all;
    if (done < warmup) return rate * (double)(done + 1) / (double)warmup;
    const size_t step = done - warmup, total = all - warmup, epoch = step / steps;
    size_t every = plan->every ? plan->every : epochs / 3;
    if (every < 1) every = 1;
    const double factor = plan->factor > 0.0 ? plan->factor : plan->kind == NORN_RATE_STEP ? 0.1 : 0.9;
    const double pi = 3.14159265358979323846;
    switch (plan->kind) {
    case NORN_RATE_CONSTANT:
        return rate;
    case NORN_RATE_STEP:
        return rate * pow(factor, (double)(epoch / every));
    case NORN_RATE_EXPONENTIAL:
        return rate * pow(factor, (double)epoch);
    case NORN_RATE_ONE_CYCLE:
        return one_cycle(rate, step, total);
    case NORN_RATE_COSINE:
    default:
        return rate * 0.5 * (1.0 + cos(pi * (double)step / (double)total));
    }
}
