#!/bin/sh
# The library as others find it: installs a build into a new prefix, moves that, and builds docs/example.c against it, by
# find_package and by pkg-config; compiles every public header alone, as C and as C++.
#
#   install.sh CMAKE BUILD SOURCE SCRATCH CC CXX [VERSION]
#
# Prints what went wrong and exits with 1; with 77 where a tool is missing.
set -u
cmake=$1 build=$2 source=$3 scratch=$4 cc=$5 cxx=$6 version=$7

fail() {
    echo "install: $*" >&2
    exit 1
}

command -v pkg-config >/dev/null || exit 77
rm -rf "$scratch"
mkdir -p "$scratch" || exit 1
"$cmake" --install "$build" --prefix "$scratch/first" >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
mv "$scratch/first" "$scratch/tree" # nothing may hold the path
tree=$scratch/tree
pc=$(find "$tree" -name norn.pc)
[ -n "$pc" ] || fail "no norn.pc"
PKG_CONFIG_PATH=$(dirname "$pc")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
grep -rlF -e "$scratch/first" -e "$build" -e "$source" "$tree" --include='*.cmake' --include='*.pc' --include='*.h' &&
    fail "these know where they were built or installed"
[ "$(pkg-config --modversion norn)" = "$version" ] || fail "norn.pc is of version $(pkg-config --modversion norn)"

# ---- headers: each alone, in any order
headers=$(cd "$tree/include" && ls norn/*.h)
for header in $headers; do
    # shellcheck disable=SC2086
    for how in "$cc -x c -std=c11 -Wstrict-prototypes" "$cc -x c -std=c99" "$cxx -x c++ -std=c++11"; do
        echo "#include <$header>
int main(void) { return 0; }" | $how -I"$tree/include" -Wall -Wextra -Wpedantic -Werror -fsyntax-only - ||
            fail "<$header> does not compile alone: $how"
    done
done
[ "$(cd "$source/include" && ls norn/*.h)" = "$headers" ] || fail "not the headers of the source: $headers"

# ---- pkg-config
# shellcheck disable=SC2046
"$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/docs/example.c" -o "$scratch/by_pkg_config" \
    $(pkg-config --cflags --libs norn) || fail "does not compile by pkg-config"

# ---- find_package
mkdir "$scratch/project"
cp "$source/docs/example.c" "$scratch/project"
cat >"$scratch/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.22)
project(example LANGUAGES C)
find_package(Norn 99 QUIET)
if(Norn_FOUND)
    message(FATAL_ERROR "a version that does not exist was found")
endif()
find_package(Norn ${version%.*} REQUIRED)
add_executable(example example.c)
set_target_properties(example PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
target_compile_options(example PRIVATE -Wall -Wextra -Wpedantic -Werror)
target_link_libraries(example PRIVATE Norn::norn)
END
{
    "$cmake" -S "$scratch/project" -B "$scratch/project/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$tree" &&
        "$cmake" --build "$scratch/project/build"
} >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"

# ---- one trains and keeps a model, the other forecasts by it, both the same and as the command does
file=$source/datasets/nile.csv model=$scratch/nile.safetensors
"$scratch/by_pkg_config" "$file" "$model" 4 >"$scratch/one" 2>"$scratch/said" || fail "$(cat "$scratch/said")"
[ -s "$model" ] || fail "no model was kept"
"$scratch/project/build/example" "$file" "$model" >"$scratch/two" 2>/dev/null || fail "the program by find_package fails"
cmp "$scratch/one" "$scratch/two" || exit 1
grep -q '^Naive: MAE ' "$scratch/said" || fail "no scores: $(cat "$scratch/said")"
cut -d, -f1,2 "$scratch/one" >"$scratch/dates"
printf 'flow,1971\nflow,1972\nflow,1973\nflow,1974\n' | cmp - "$scratch/dates" || fail "$(cat "$scratch/one")"
"$tree/bin/norn" forecast "$file" -n 4 --quiet >"$scratch/three" || fail "the command fails"
awk -F, 'FNR == NR { y[$2] = $3; next } FNR > 1 && (y[$2] - $3 > 0.01 || $3 - y[$2] > 0.01) { exit 1 }' \
    "$scratch/one" "$scratch/three" || fail "other forecasts than the command's: $(cat "$scratch/one" "$scratch/three")"
for not_a_model in "$file" "$scratch"; do
    "$scratch/by_pkg_config" "$file" "$not_a_model" 2>"$scratch/said" && fail "$not_a_model is a model"
    grep -q "$not_a_model" "$scratch/said" || fail "an error without words: $(cat "$scratch/said")"
done
exit 0
