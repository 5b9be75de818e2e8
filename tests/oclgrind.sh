#!/bin/sh
# Runs a program under Oclgrind, which interprets its kernels: oclgrind.sh REPORT LIBRARY PROGRAM...
# Fails when the program fails or when anything was reported: reads and writes out of bounds, data races, uninitialised
# values, wrong API calls. LIBRARY is oclgrind_whole.c, which stands between the two.
set -eu
report=$1
export LIBRARY="$2"
shift 2
code=0
# Oclgrind 21.10 stops at what LLVM makes of `restrict` in inlined functions, and interprets optimised kernels wrongly;
# ours mean the same without either; nor does it know prefetching. Its exit code is the program's, whatever it found.
# No --log: every context begins that file anew.
# shellcheck disable=SC2016 # for the inner shell
oclgrind --build-options "-Drestrict= -DNO_PREFETCH -cl-opt-disable" --data-races --uninitialized \
    --check-api --max-errors 10 sh -c 'LD_PRELOAD="$LIBRARY:$LD_PRELOAD" exec "$@"' sh "$@" 2>"$report" || code=$?
# What the tests themselves say begins with a bracket; the rest is Oclgrind's.
if grep -v -e '^\[' -e '^ *[0-9]* SKIPPED TEST' -e '^[[:space:]]*$' "$report" >&2; then
    exit 1
fi
exit $code
