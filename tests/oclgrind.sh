#!/bin/sh
# Runs a program under Oclgrind, which interprets its kernels: oclgrind.sh REPORT PROGRAM...
# Fails when the program fails or when anything was reported: reads and writes out of bounds, data races, uninitialised
# values, wrong API calls. (Oclgrind itself exits with 0 whatever it found.)
set -eu
report=$1
shift
rm -f "$report"
code=0
# Oclgrind 21.10 stops at what LLVM makes of `restrict` in inlined functions, and interprets optimised kernels wrongly;
# ours mean the same without either.
oclgrind --build-options "-Drestrict= -cl-opt-disable" --data-races --uninitialized --check-api --max-errors 10 \
    --log "$report" "$@" || code=$?
if [ -s "$report" ]; then
    cat "$report" >&2
    exit 1
fi
exit $code
