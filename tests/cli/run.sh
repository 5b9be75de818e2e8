#!/bin/sh
# Runs one case of cases.txt: run.sh NAME
#
# The environment says where things are: NORN (the command), JSON_CHECK (json_check.c, built), SCRATCH (a folder for
# this case, emptied first). Exit code 0: passed; 1: failed, with what was expected and what came; 77: cannot be
# tried on this machine. cases.txt explains the words of a case.
set -u
name=$1
here=$(cd "$(dirname "$0")" && pwd)
cases=${CASES:-$here/cases.txt}

rm -rf "$SCRATCH"
mkdir -p "$SCRATCH/bin" "$SCRATCH/work" || exit 1
ln -s "$NORN" "$SCRATCH/bin/norn"
ln -s "$JSON_CHECK" "$SCRATCH/bin/json_check"
out=$SCRATCH/stdout
err=$SCRATCH/stderr
command=
expected=
faults=0

fault() {
    echo "FAILED: $*"
    faults=$((faults + 1))
}

# All words but `checks` come first in a case, so that the command has run when the first check is read.
ran=no
run_command() {
    [ $ran = no ] || return 0
    ran=yes
    [ -n "$command" ] || { echo "case $name has no line \"run\""; exit 1; }
    # What would change what norn does or how it looks is taken out; a case sets it when it is about it.
    (
        cd "$SCRATCH/work" || exit 1
        unset NO_COLOR COLUMNS NORN_DEBUG NORN_TUNING NORN_PROGRAM_CACHE
        XDG_CONFIG_HOME=$SCRATCH/config XDG_CACHE_HOME=$SCRATCH/cache # nobody's tuning
        PATH=$SCRATCH/bin:$PATH
        DATA=$here/data
        TINY='--epochs 2 --hidden 4 --layers 1 --window 12 --batch 16'
        export PATH DATA TINY XDG_CONFIG_HOME XDG_CACHE_HOME
        exec sh -c "$command"
    ) >"$out" 2>"$err" </dev/null
    status=$?
}

in_case=no
found=no
while IFS= read -r line || [ -n "$line" ]; do
    case $line in
    "case $name") in_case=yes; found=yes; continue ;;
    'case '*) in_case=no; continue ;;
    esac
    [ $in_case = yes ] || continue
    line=${line#"${line%%[! ]*}"} # without blanks in front
    word=${line%% *}
    rest=${line#"$word"}
    rest=${rest# }
    case $word in
    '' | '#'*) continue ;;
    needs)
        command -v "$rest" >/dev/null 2>&1 || { echo "skipped: there is no $rest here"; exit 77; }
        continue ;;
    needs-locale)
        locale -a 2>/dev/null | tr -d - | grep -qix "$(echo "$rest" | tr -d -)" || {
            echo "skipped: no locale $rest here"
            exit 77
        }
        continue ;;
    run) command="$command$rest
"
        continue ;;
    esac
    run_command
    case $word in
    exit) expected=$rest; [ "$status" = "$rest" ] || fault "exit code $status, expected $rest" ;;
    stdout) grep -qE -e "$rest" "$out" || fault "no line of stdout matches: $rest" ;;
    stderr) grep -qE -e "$rest" "$err" || fault "no line of stderr matches: $rest" ;;
    no-stdout) ! grep -qE -e "$rest" "$out" || fault "a line of stdout matches: $rest" ;;
    no-stderr) ! grep -qE -e "$rest" "$err" || fault "a line of stderr matches: $rest" ;;
    stdout-lines) [ "$(wc -l <"$out")" -eq "$rest" ] || fault "stdout has $(wc -l <"$out") lines, expected $rest" ;;
    stderr-lines) [ "$(wc -l <"$err")" -eq "$rest" ] || fault "stderr has $(wc -l <"$err") lines, expected $rest" ;;
    stdout-is)
        if [ "${NORN_UPDATE_GOLDEN:-}" ]; then cp "$out" "$here/golden/$rest"; fi
        diff -u "$here/golden/$rest" "$out" || fault "stdout is not golden/$rest" ;;
    files)
        left=$(cd "$SCRATCH/work" && find . ! -name . -prune | sed 's,^\./,,' | sort | tr '\n' ' ')
        [ "$rest" != none ] || rest=
        [ "${left% }" = "$rest" ] || fault "files left: ${left:-none}" ;;
    *) fault "line not understood: $line" ;;
    esac
done <"$cases"

[ $found = yes ] || { echo "no case $name in $cases"; exit 1; }
[ -n "$expected" ] || fault "the case says no exit code"
if [ $faults -gt 0 ]; then
    echo "--- the command"
    echo "$command"
    echo "--- exit code $status; stdout, at most 40 lines"
    head -n 40 "$out"
    echo "--- stderr, at most 40 lines"
    head -n 40 "$err"
    exit 1
fi
exit 0
