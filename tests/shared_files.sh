#!/bin/sh
# Tries every command of the table in docs/files.md on the public files, where they lie beside the project (in
# ../shared/data), with a training of one step: each must end in a forecast, and every file there must have a command.
#
#     shared_files.sh NORN SOURCE_FOLDER
set -u
norn=$1
source=$2
data=$source/../shared/data
if [ ! -d "$data" ]; then
    echo "skipped: the public files are not beside the project ($data)"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# shellcheck disable=SC2016 # the backquotes are those of the table
sed -n 's/^|[^|]*| `norn forecast \(.*\)` |$/\1/p' "$source/docs/files.md" >"$work/commands"
while IFS= read -r command; do
    eval "set -- $command"
    file=$1
    shift
    path=$(find "$data" -name "$file" | head -n 1)
    flags=0
    for word; do
        case $word in --?*) flags=$((flags + 1)) ;; esac
    done
    if [ -z "$path" ]; then
        echo "FAILED: $file is not there"
        failed=1
    elif [ "$flags" -gt 3 ]; then
        echo "FAILED: $file needs more than three flags"
        failed=1
    elif ! "$norn" forecast "$path" "$@" --epochs 1 --steps-per-epoch 1 >"$work/out" 2>"$work/err" </dev/null; then
        echo "FAILED: norn forecast $command"
        tail -n 3 "$work/err"
        failed=1
    elif [ "$(wc -l <"$work/out")" -lt 2 ]; then
        echo "FAILED: norn forecast $command printed no forecast"
        failed=1
    fi
    echo "$file" >>"$work/tried"
done <"$work/commands"

find "$data" -type f \( -name '*.csv' -o -name '*.tsf' \) >"$work/there"
while IFS= read -r path; do
    if ! grep -qxF "$(basename "$path")" "$work/tried"; then
        echo "FAILED: docs/files.md has no command for $(basename "$path")"
        failed=1
    fi
done <"$work/there"
[ "$failed" -eq 0 ] && echo "$(wc -l <"$work/commands") commands of docs/files.md work"
exit "$failed"
