#!/bin/sh
# Kills a training at random moments with SIGKILL, goes on from its checkpoint, and compares the model file with that
# of a training nobody killed: kills.sh NORN FILE KILLS SECONDS SEED
#
# The number of epochs is set so that a training takes about SECONDS here. The moments are drawn from SEED, evenly over
# the time that it took; each is printed, so that one that went wrong can be tried again. Works in the folder that
# SCRATCH names. Exit code 0: all model files were the same bytes; 1: some were not, or a command failed.
set -eu
norn=$1 file=$2 kills=$3 seconds=$4 seed=$5
mkdir -p "$SCRATCH"
cd "$SCRATCH"
rm -f whole.safetensors killed.safetensors checkpoint ./*.tmp*

# Two members and a fold that is scored: four networks, of which some leave early.
train() {
    "$norn" train "$file" -q --hidden 32 --steps-per-epoch 20 --members 2 --patience 1000000 --epochs "$@"
}
now() { date +%s.%N; }
since() { now | awk -v a="$1" '{ printf "%.3f", $1 - a }'; }

train 2 --save whole.safetensors # compiles the kernels
begin=$(now)
train 40 --save whole.safetensors
took=$(since "$begin")
begin=$(now)
train 2 --save whole.safetensors
start=$(since "$begin")
epochs=$(awk -v t="$took" -v s="$start" -v w="$seconds" \
    'BEGIN { e = t > s ? (w - s) / (t - s) * 38 : 1000; printf "%d", e < 20 ? 20 : e }')
begin=$(now)
train "$epochs" --save whole.safetensors
took=$(since "$begin")
echo "$epochs epochs, $took s; $kills kills from seed $seed"

failed=0 early=0 late=0 k=0
while [ "$k" -lt "$kills" ]; do
    k=$((k + 1))
    rm -f killed.safetensors checkpoint
    moment=$(awk -v seed="$seed" -v k="$k" -v t="$took" \
        'BEGIN { srand(seed * 100003 + k); rand(); printf "%.3f", rand() * t }')
    # exec: the shell's own process becomes the training, so that it is what is killed
    (exec "$norn" train "$file" -q --hidden 32 --steps-per-epoch 20 --members 2 --patience 1000000 \
        --epochs "$epochs" --save killed.safetensors --checkpoint checkpoint) &
    process=$!
    sleep "$moment"
    kill -KILL "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null && late=$((late + 1))
    [ -e checkpoint ] || early=$((early + 1))
    state=goes-on
    train "$epochs" --save killed.safetensors --checkpoint checkpoint --resume || state=refused
    cmp -s whole.safetensors killed.safetensors || state=differs
    [ "$state" = goes-on ] || failed=$((failed + 1))
    echo "kill $k after $moment s: $state"
done
left=$(find . -type f ! -name whole.safetensors ! -name killed.safetensors ! -name checkpoint | wc -l)
echo "$((kills - failed)) of $kills model files are the same; $early kills came before the first checkpoint, $late after" \
    "the end; $left temporary files were left"
[ "$failed" -eq 0 ]
