/*
 * Checkpoints: where a training stands, in one safetensors file, so that an interrupted one goes on and ends
 * with the very bits of one that was not. Parameters, best parameters and moments of every member that
 * trains, parameters of those that are through, and the numbers of norn_member_state. Random numbers are
 * functions of seed, member and step (random.h), so there is no more to keep.
 *
 * Where epochs are told of, those that were are in it, too: a log does not begin anew with a training that
 * goes on.
 *
 * A fingerprint says which training it is: another network, plan, member, window, scaling or number of the
 * series is another training, and is refused by name. Another device or version is a warning only: the
 * training goes on, but its bits are no longer those of one on one device.
 */
#ifndef NORN_SRC_NN_CHECKPOINT_H
#define NORN_SRC_NN_CHECKPOINT_H

#include "nn/train.h"

enum { NORN_CHECKPOINT_FORMAT = 1, NORN_FINGERPRINTS = 4 };

/* Checksums of what decides about bits; in the order network, plan, windows, data. */
typedef struct norn_fingerprint {
    uint32_t part[NORN_FINGERPRINTS];
} norn_fingerprint;

/* Reads series and scalings back from the device, once. */
norn_status norn_fingerprint_make(norn_fingerprint *out, norn_network *network, const norn_series *series,
                                  const norn_member *members, size_t count, const norn_train_plan *plan,
                                  norn_error *err);

/* Whole or not at all. seconds: of training so far, 0 where no limit of time is set. */
norn_status norn_checkpoint_save(const char *path, const norn_fingerprint *fingerprint, norn_network *network,
                                 const norn_member *members, size_t count, double seconds,
                                 const norn_file_system *system, norn_error *err);

/* How many members a checkpoint holds; 0: it cannot be read, or is none. Whether it is whole is not asked. */
size_t norn_checkpoint_members(const char *path, const norn_host *host);

/* Fills training, diverged, state and history of the members, and the network. Errors: those of
 * norn_safetensors_open; NORN_ERR_DATA for a file that is no checkpoint, is damaged, of a later format, or of
 * another training; then members and network are as they were. */
norn_status norn_checkpoint_load(const char *path, const norn_fingerprint *fingerprint, norn_network *network,
                                 norn_member *members, size_t count, const norn_train_plan *plan,
                                 double *seconds, const norn_host *host, norn_error *err);

#endif
