#!/bin/sh
# Guards the host's work against creep without a clock: counts the instructions of every job of count_host and compares
# them with what was recorded.
#
#     counts.sh COUNT_HOST DATASETS MODEL RECORD COMPILER
#
# RECORD has a line for each: the compiler with its version and kind of build, the job, its instructions. A count of more
# than 2 % above its line fails. What another compiler makes of the code is another number: without lines for COMPILER
# the test is skipped. After a change that is worth its instructions, or one that saves some, record anew:
#
#     NORN_UPDATE_COUNTS=1 ctest -R counts
set -eu
program=$1 datasets=$2 model=$3 record=$4 compiler=$5
command -v valgrind >/dev/null || { echo "skipped: no valgrind"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# count JOB: instructions of a whole run of it.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$datasets" "$model" 2>"$scratch/log" || {
        cat "$scratch/log" >&2
        return 1
    }
    sed -nE 's/^==[0-9]+== Collected : ([0-9]+).*/\1/p' "$scratch/log"
}

if [ "${NORN_UPDATE_COUNTS:-}" = 1 ]; then
    grep -v "^$compiler	" "$record" >"$scratch/new" || :
elif ! grep -q "^$compiler	" "$record"; then
    echo "skipped: nothing is recorded for $compiler (NORN_UPDATE_COUNTS=1 ctest -R counts)"
    exit 77
fi
nothing=$(count nothing)
bad=0
"$program" --jobs >"$scratch/jobs"
while read -r job; do
    whole=$(count "$job")
    own=$((whole - nothing))
    if [ "${NORN_UPDATE_COUNTS:-}" = 1 ]; then
        printf '%s\t%s\t%s\n' "$compiler" "$job" "$own" >>"$scratch/new"
        echo "$job: $own recorded"
        continue
    fi
    was=$(sed -n "s/^$compiler	$job	//p" "$record")
    if [ -z "$was" ]; then
        echo "$job: $own, but nothing is recorded"
        bad=1
    elif [ "$own" -gt $((was + was / 50)) ]; then
        echo "$job: $own instructions, $((100 * (own - was) / was)) % above the $was recorded"
        bad=1
    elif [ "$own" -lt $((was - was / 10)) ]; then
        echo "$job: $own instructions, fewer than the $was recorded: worth recording"
    else
        echo "$job: $own of $was"
    fi
done <"$scratch/jobs"
[ "${NORN_UPDATE_COUNTS:-}" != 1 ] || cat "$scratch/new" >"$record"
exit $bad
