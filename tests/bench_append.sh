#!/bin/sh
# tools/bench_append: a run takes the place of the last one, which becomes a line; nothing else of the page changes.
#
#     bench_append.sh TOOL
set -eu
tool=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
page=$scratch/page.md
failed=0

# expect NAME: the page is what standard input has.
expect() {
    cat >"$scratch/want"
    if ! diff -u "$scratch/want" "$page"; then
        echo "not so: $1"
        failed=1
    fi
}

cat >"$page" <<'EOF'
# Page

## One

<!-- run one -->
<!-- earlier one -->
- 2001-01-01: kept

## Two & others

<!-- run two -->
2001-02-03, by hand:

    tools/bench two

```
in short: 1 of 2 bars met
```
<!-- earlier two -->

The end, with a \n and an & in it.
EOF
today=$(date -u +%Y-%m-%d)
printf 'a \\n row & more\n\nin short: 3 of 3 bars met\n' | "$tool" one 'tools/bench one 3' "$page"
printf 'rows\n' | "$tool" two 'tools/bench two 3' "$page"
expect 'the first run of a section, and one that replaces another' <<EOF
# Page

## One

<!-- run one -->
$today:

    tools/bench one 3

\`\`\`
a \\n row & more

in short: 3 of 3 bars met
\`\`\`
<!-- earlier one -->
- 2001-01-01: kept

## Two & others

<!-- run two -->
$today:

    tools/bench two 3

\`\`\`
rows
\`\`\`
<!-- earlier two -->
- 2001-02-03: 1 of 2 bars met

The end, with a \\n and an & in it.
EOF

cp "$page" "$scratch/before"
printf 'new\n' | "$tool" three 'tools/bench three' "$page"
head -n "$(wc -l <"$scratch/before")" "$page" | cmp - "$scratch/before" || failed=1
grep -qx '<!-- earlier three -->' "$page" || { echo "not so: a section that was not there is made"; failed=1; }

printf '<!-- run four -->\nno end\n' >"$page"
cp "$page" "$scratch/before"
if printf 'x\n' | "$tool" four 'tools/bench four' "$page" 2>"$scratch/message"; then
    echo "not so: a section without its end is refused"
    failed=1
fi
grep -q '<!-- earlier four -->' "$scratch/message" || failed=1
cmp "$page" "$scratch/before" || failed=1
exit $failed
