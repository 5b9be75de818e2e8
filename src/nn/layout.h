/*
 * The order in which the parameters of a layer go in and out of a network, of model files and of the
 * reference: the matrices of the input, the other matrices, the vectors, each in the order in which the
 * formula declares them. For the LSTM, the GRU and Elman's cell that is how PyTorch stacks them: W_ih, W_hh,
 * biases.
 */
#ifndef NORN_SRC_NN_LAYOUT_H
#define NORN_SRC_NN_LAYOUT_H

#include "cell/cell.h"

/* One tensor of it. */
typedef struct norn_plain_tensor {
    bool vector, of_input; /* of_input: a matrix that multiplies the input */
    size_t index;          /* of the cell's vectors or matrices */
    norn_cell_tensor at;   /* offset: within the plain numbers of the layer */
} norn_plain_tensor;

enum { NORN_PLAIN_TENSORS = NORN_CELL_MATRICES + 1 + NORN_CELL_VECTORS };

/* How many there are. What the sizes leave out (a projection that is not needed) is left out. */
size_t norn_plain_tensors(const norn_cell_shape *shape, norn_plain_tensor out[NORN_PLAIN_TENSORS]);

/* Numbers of a layer's output, which the layer above reads; 0: the cell cannot have these sizes. cell NULL:
 * H. */
size_t norn_layer_outputs(const norn_cell *cell, size_t inputs, size_t hidden);

/* From the plain order of a layer to the order of declaration, which the interpreter reads, and back. Both
 * arrays are [parameters]. */
void norn_plain_to_declared(const norn_cell_shape *shape, const double *plain, double *declared);
void norn_plain_from_declared(const norn_cell_shape *shape, const double *declared, double *plain);

#endif
