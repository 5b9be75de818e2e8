#!/bin/sh
# The same seed gives the same bytes of model and forecast, whatever is around the process: bits.sh NORN DATASETS
#
# Two runs; one thread and more; another folder; a locale with decimal commas and a time zone; a cold cache of kernels;
# less memory; an interruption. Works in the folder that SCRATCH names. Exit code 0: all the same; 1: some were not.
set -eu
norn=$1 data=$2
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH/elsewhere" "$SCRATCH/cold"
cd "$SCRATCH"
unset LC_ALL LANG || true
failed=0

# run NAME [ARGUMENT...]: trains and forecasts NAME.* by what is in the environment.
run() {
    name=$1
    shift
    "$norn" train "$data/hourly_load.csv" -q --target load --past temperature --layers 2 --dropout 0.2 --hidden 16 \
        --window 24 -n 12 --epochs 3 --steps-per-epoch 6 --members 3 --save "$name.safetensors" "$@"
    "$norn" forecast "$data/hourly_load.csv" -q --model "$name.safetensors" -o "$name.csv"
}
same() {
    what=$1 name=$2
    if cmp -s first.safetensors "$name.safetensors" && cmp -s first.csv "$name.csv"; then
        echo "same: $what"
    else
        failed=1
        echo "NOT THE SAME: $what"
    fi
}

run first
run second && same "another run" second
POCL_MAX_PTHREAD_COUNT=1 run one && same "one thread" one
POCL_MAX_PTHREAD_COUNT=3 run three && same "three threads" three
(cd elsewhere && run ../there) && same "another folder" there
mkdir locales
if localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>/dev/null; then # decimal commas, made for this
    LOCPATH=$SCRATCH/locales LC_ALL=de_DE.UTF-8 run locale && same "a locale with decimal commas" locale
else
    echo "not tried: no locale de_DE can be made here"
fi
TZ=Asia/Kathmandu run zone && same "another time zone" zone
POCL_CACHE_DIR=$SCRATCH/cold run cold && same "a cold cache of kernels" cold
run two --memory-limit 1M && same "six networks in two turns" two
run each --memory-limit 512K && same "six networks one after another, batches in shards" each
run kept --checkpoint kept.ck && same "with checkpoints" kept
run resumed --checkpoint kept.ck --resume && same "gone on from the last checkpoint" resumed
exit $failed
