/* Parameters of a network's members in and out, without what pads them on the device: see network.h. */
#include "nn/network.h"

typedef struct copying {
    const double *plain;
    double *plain_out;
    float *padded;
} copying;

static void copy_in(void *user, size_t plain, size_t padded)
{
    const copying *job = user;
    job->padded[padded] = (float)job->plain[plain];
}

static void copy_out(void *user, size_t plain, size_t padded)
{
    const copying *job = user;
    job->plain_out[plain] = (double)job->padded[padded];
}

static norn_buffer *part_of(norn_network *network, norn_network_part part)
{
    norn_buffer *const parts[NORN_PARTS] = {[NORN_PART_VALUES] = &network->values,
                                            [NORN_PART_BEST] = &network->best,
                                            [NORN_PART_FIRST_MOMENT] = &network->first_moment,
                                            [NORN_PART_SECOND_MOMENT] = &network->second_moment};
    return parts[part];
}

norn_status norn_network_put_part(norn_network *network, norn_network_part part, size_t member,
                                  const double *plain, norn_error *err)
{
    const norn_host *host = &network->context->host;
    copying job = {plain, NULL, norn_new(host, network->parameters, sizeof(float))};
    if (!job.padded) return norn_fail_memory(err, "parameters");
    norn_network_visit_all(network, copy_in, &job);
    if (part == NORN_PART_VALUES || part == NORN_PART_BEST) norn_network_put_beginnings(network, job.padded);
    const size_t bytes = network->parameters * sizeof(float);
    norn_status status =
        norn_buffer_write(network->context, part_of(network, part), member * bytes, job.padded, bytes, err);
    if (status == NORN_OK && part == NORN_PART_VALUES) status = norn_network_pack(network, member, err);
    norn_delete(host, job.padded, network->parameters, sizeof(float));
    return status;
}

norn_status norn_network_put(norn_network *network, size_t member, const double *plain, norn_error *err)
{
    return norn_network_put_part(network, NORN_PART_VALUES, member, plain, err);
}

static norn_status get(norn_network *network, const norn_buffer *from, size_t offset, double *plain,
                       norn_error *err)
{
    const norn_host *host = &network->context->host;
    copying job = {NULL, plain, norn_new(host, network->parameters, sizeof(float))};
    if (!job.padded) return norn_fail_memory(err, "parameters");
    const norn_status status = norn_buffer_read(network->context, from, offset, job.padded,
                                                network->parameters * sizeof(float), err);
    if (status == NORN_OK) norn_network_visit_all(network, copy_out, &job);
    norn_delete(host, job.padded, network->parameters, sizeof(float));
    return status;
}

norn_status norn_network_get(norn_network *network, size_t member, double *plain, norn_error *err)
{
    return norn_network_get_part(network, NORN_PART_VALUES, member, plain, err);
}

norn_status norn_network_get_part(norn_network *network, norn_network_part part, size_t member, double *plain,
                                  norn_error *err)
{
    return get(network, part_of(network, part), member * network->parameters * sizeof(float), plain, err);
}

norn_status norn_network_get_gradient(norn_network *network, size_t slot, double *plain, norn_error *err)
{
    return get(network, &network->gradient, slot * network->splits * network->parameters * sizeof(float),
               plain, err);
}

norn_status norn_network_initialise(norn_network *network, size_t member, uint64_t seed, uint64_t identity,
                                    norn_error *err)
{
    const norn_host *host = &network->context->host;
    const size_t count = norn_network_plain_size(&network->shape);
    double *plain = norn_new(host, count, sizeof *plain);
    if (!plain) return norn_fail_memory(err, "initial parameters");
    /* The head stays 0: the first forecast is the base. */
    norn_network_draw(network, norn_random_key(seed, identity, NORN_PURPOSE_INITIAL), plain);
    norn_status status = norn_network_put(network, member, plain, err);
    norn_delete(host, plain, count, sizeof *plain);

    network->dropout_keys[member] = norn_random_key(seed, identity, NORN_PURPOSE_DROPOUT);
    if (status == NORN_OK)
        status = norn_buffer_write(network->context, &network->keys, member * sizeof(norn_key),
                                   &network->dropout_keys[member], sizeof(norn_key), err);
    const size_t bytes = network->parameters * sizeof(float);
    if (status == NORN_OK)
        status = norn_buffer_zero(network->context, &network->first_moment, member * bytes, bytes, err);
    if (status == NORN_OK)
        status = norn_buffer_zero(network->context, &network->second_moment, member * bytes, bytes, err);
    if (status == NORN_OK) status = norn_network_keep(network, member, err);
    return status;
}

norn_status norn_network_scale(norn_network *network, size_t member, const float *pairs, size_t columns,
                               norn_error *err)
{
    const size_t bytes = columns * 2 * sizeof(float);
    return norn_buffer_write(network->context, &network->scaling, member * bytes, pairs, bytes, err);
}

norn_status norn_network_keep(norn_network *network, size_t member, norn_error *err)
{
    const size_t bytes = network->parameters * sizeof(float);
    return norn_buffer_copy(network->context, &network->values, member * bytes, &network->best,
                            member * bytes, bytes, err);
}

norn_status norn_network_restore(norn_network *network, size_t member, norn_error *err)
{
    const size_t bytes = network->parameters * sizeof(float);
    const norn_status status = norn_buffer_copy(network->context, &network->best, member * bytes,
                                                &network->values, member * bytes, bytes, err);
    return status == NORN_OK ? norn_network_pack(network, member, err) : status;
}
