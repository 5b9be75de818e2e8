/* The proof of norn/leak.h for any forecasters: what its tests plant leaks with. */
#ifndef NORN_SRC_BACKTEST_LEAK_H
#define NORN_SRC_BACKTEST_LEAK_H

#include "norn/leak.h"

#include "backtest/run.h"

/* norn_leak_run with joint forecasters as norn_backtest_make takes them. */
norn_status norn_leak_run_with(norn_leak **out, norn_context *context, norn_table *table,
                               const norn_backtest_options *options, const norn_joint *joints,
                               size_t joint_count, const norn_host *host, norn_error *err);

#endif
