/* The texts of kernels/ and kernels/cells/, made part of the library at build time; the last name is NULL. */
#ifndef NORN_SRC_COMPUTE_KERNELS_H
#define NORN_SRC_COMPUTE_KERNELS_H

typedef struct norn_kernel_text {
    const char *name; /* file name without folder and ending */
    const char *text;
} norn_kernel_text;

extern const norn_kernel_text norn_kernel_texts[]; /* kernels/NAME.cl */
extern const norn_kernel_text norn_cell_texts[];   /* kernels/cells/NAME.cell, in alphabetical order */

#endif
