/*
 * Tunings inside the library (norn/tune.h), and the table of what is known of devices without one. A rule is
 * looked up by the gates of a cell and the units of a layer, by nothing else: invariant 6 of the design.
 */
#ifndef NORN_SRC_COMPUTE_TUNING_H
#define NORN_SRC_COMPUTE_TUNING_H

#include "base/base.h"
#include "norn/tune.h"

enum { NORN_TUNING_FORMAT = 1, NORN_TUNING_RULES = 64, NORN_TUNING_BYTES = 64 << 10 };

struct norn_tuning {
    norn_host host;
    char platform[96], platform_version[96], device[128], driver[96]; /* as in norn_device_info */
    norn_tuning_rule rules[NORN_TUNING_RULES];                        /* [rule_count] by gates, then units */
    size_t rule_count;
    bool has_product;
    size_t product[NORN_TUNING_PARAMETERS];
    char hash[NORN_TUNING_HASH];
};

/* "" or what is wrong with a mapping, to follow "no such mapping: ". */
const char *norn_mapping_fault(const norn_mapping *mapping);

/* The rule for these gates and units, or NULL. tuning NULL: none. */
const norn_mapping *norn_tuning_find(const norn_tuning *tuning, unsigned gates, size_t hidden);

/* From bytes; name is for errors. The hash is of these bytes. */
norn_status norn_tuning_parse(norn_tuning **out, const char *bytes, size_t length, const char *name,
                              const norn_host *host, norn_error *err);

/* ---- shipped.c: what is known without a tuning -----------------------------------------------------------
 */

/* Within what the device's groups can hold. */
norn_mapping norn_shipped_mapping(const norn_device_info *device, size_t hidden);
/* CLBlast's parameters for Xgemm, or NULL: it knows the device by itself. */
const size_t *norn_shipped_product(const norn_device_info *device);

#endif
