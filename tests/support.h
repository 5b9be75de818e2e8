/*
 * What all test files share. cmocka's own float assertion passes NaN against anything, so comparisons go
 * through assert_near: it fails on any value that is not finite unless both are the same.
 */
#ifndef NORN_TESTS_SUPPORT_H
#define NORN_TESTS_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "norn/base.h"

/* |got - want| <= relative * |want| + absolute; prints index and both values when not. */
static inline void assert_near_at(double got, double want, double relative, double absolute, size_t index,
                                  const char *file, int line)
{
    if (got == want) return;
    if (isfinite(got) && isfinite(want) && fabs(got - want) <= relative * fabs(want) + absolute) return;
    print_error("[%zu] got %.17g, want %.17g (off by %.3g)\n", index, got, want, got - want);
    _fail(file, line);
}
#define assert_near(got, want, relative, absolute)                                                           \
    assert_near_at((double)(got), (double)(want), relative, absolute, 0, __FILE__, __LINE__)

/* The status is NORN_OK; prints the error when not. */
static inline void assert_ok_at(norn_status status, const norn_error *err, const char *file, int line)
{
    if (status == NORN_OK) return;
    print_error("%s: %s %s:%llu:%llu %s %d\n%s\n", norn_status_name(status), err->message, err->file,
                (unsigned long long)err->line, (unsigned long long)err->column, err->call, err->code,
                err->log);
    _fail(file, line);
}
#define assert_ok(status, err) assert_ok_at(status, err, __FILE__, __LINE__)

#endif
