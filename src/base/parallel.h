/*
 * Work on all cores of the host: a task that takes its pieces from a shared counter, run by several threads
 * at once. What comes out must not depend on how many there are.
 */
#ifndef NORN_SRC_BASE_PARALLEL_H
#define NORN_SRC_BASE_PARALLEL_H

#include "base/base.h"

/* The most workers that ever run at once. */
enum { NORN_MOST_WORKERS = 64 };

/* Processors that are there, at least 1. */
size_t norn_cores(void);

/*
 * Calls task(user, worker) with worker 0 on the caller's thread and 1 .. workers - 1 on threads of their own,
 * and returns when all have returned. A thread that cannot be started is left out: the others do its pieces.
 * The threads take no signals. A task must not allocate: a host's memory is for the caller's thread.
 */
void norn_parallel(size_t workers, void (*task)(void *user, size_t worker), void *user);

#endif
