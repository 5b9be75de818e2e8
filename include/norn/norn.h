/* All of Norn's public headers. */
#ifndef NORN_NORN_H
#define NORN_NORN_H
#include "norn/backtest.h"
#include "norn/base.h"
#include "norn/context.h"
#include "norn/forecast.h"
#include "norn/leak.h"
#include "norn/model.h"
#include "norn/profile.h"
#include "norn/report.h"
#include "norn/table.h"
#include "norn/tune.h"
#endif
