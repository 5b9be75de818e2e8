/*
 * How the parameters of a member are cut into the tensors of a model's file: for the cells that PyTorch has,
 * under its names and in its layouts, for any other as the formula declares them. docs/model-file.md has the
 * table.
 */
#ifndef NORN_SRC_NN_MODEL_SLICES_H
#define NORN_SRC_NN_MODEL_SLICES_H

#include "nn/model.h"

enum { NORN_SLICE_NAME = 64 };

/* One tensor. PyTorch has a second bias: its first `folded` numbers only ever act in a sum with those at
 * fold_at, where ours stand; they are written as 0 and read as something to add. The others stand at `at`. */
typedef struct norn_slice {
    char name[NORN_SLICE_NAME]; /* behind "m0." */
    size_t rank;
    uint64_t shape[3];
    size_t at, count; /* among a member's plain numbers; count: in the file */
    size_t folded, fold_at;
} norn_slice;

/* All of one member in the order of the file, to be freed with norn_delete by their count. NORN_ERR_MEMORY;
 * NORN_ERR_USAGE where the cell has not the parameters that the model's layout asks for. */
norn_status norn_model_slices(const norn_model *model, norn_slice **out, size_t *count, norn_error *err);

/* The layout of a cell's parameters, NULL: the LSTM; and by its name, NORN_LAYOUTS: there is none. */
norn_model_layout norn_model_layout_of(const norn_cell *cell);
norn_model_layout norn_model_layout_called(const char *name);
const char *norn_model_layout_name(norn_model_layout layout);

#endif
