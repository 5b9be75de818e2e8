# Shared by tools/quickstart and tools/check: which packages Norn needs, which of them are missing, how they are
# installed, and how the tree is built. POSIX sh; sourced, never run. The caller has set -eu and has called
#
#     setup_begin NAME     changes to the project's root; everything noisy will go to $BUILD/NAME.log
#
# Environment
#     NORN_BUILD           build folder (default: build)
#     NORN_CMAKE_FLAGS     more options for cmake, separated by blanks

# What is needed, in Debian's names; they are the same in Ubuntu. A third column names a command that will do, wherever
# it comes from: a compiler, cmake and a build tool are often not a package's. `pocl` is for machines without any OpenCL.
# The right-hand column is for people on other systems.
SETUP_NEEDS='
build  gcc                 cc          a C11 compiler
build  libc6-dev           -           the headers of the C library
build  cmake               cmake       CMake 3.22 or later
build  ninja-build         ninja,make  Ninja or make
build  ocl-icd-opencl-dev  -           OpenCL headers and an ICD loader
build  libclblast-dev      -           CLBlast
build  libcsv-dev          -           libcsv
build  libpopt-dev         -           popt
build  libjansson-dev      -           Jansson
build  zlib1g-dev          -           zlib
build  librandom123-dev    -           Random123
build  libjs-dygraphs      -           dygraphs, embedded in reports
pocl   pocl-opencl-icd     -           PoCL, or any other OpenCL platform
test   libcmocka-dev       -           cmocka
extra  clang-format-14     -           clang-format 14
extra  shellcheck          -           ShellCheck
extra  oclgrind            -           Oclgrind
extra  valgrind            -           Valgrind
'

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$SETUP_NAME" "$*" >&2
    exit 1
}

setup_begin() {
    SETUP_NAME=$1
    cd "$(dirname "$0")/.." || exit 1
    BUILD=${NORN_BUILD:-build}
    LOG=$BUILD/$SETUP_NAME.log
}

open_log() {
    mkdir -p "$BUILD" || exit 1
    : >"$LOG" || fail "cannot write $LOG"
}

# ---- packages -----------------------------------------------------------------------------------------------

have_command() { command -v "$1" >/dev/null 2>&1; }
have_package() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
have_apt() { have_command apt-get && have_command dpkg-query; }

# An OpenCL platform is whatever the ICD loader would find.
have_platform() {
    [ -z "${OCL_ICD_VENDORS:-}" ] || return 0
    for icd in /etc/OpenCL/vendors/*.icd; do
        [ ! -e "$icd" ] || return 0
    done
    return 1
}

# missing GROUP...: the packages of these groups that are not there, in one line.
missing() {
    list=
    for group in "$@"; do
        while read -r in package commands _; do
            [ "$in" = "$group" ] || continue
            [ "$in" != pocl ] || ! have_platform || continue
            found=no
            for command in $(say "$commands" | tr ',' ' '); do
                ! have_command "$command" || found=yes
            done
            [ "$found" = yes ] || have_package "$package" || list="$list $package"
        done <<EOF
$SETUP_NEEDS
EOF
    done
    say "${list# }"
}

# Where there is no apt, nothing is installed and nothing is known: what is needed is named, and that is all.
setup_name_needs() {
    say "$SETUP_NAME installs packages on Debian 12, Ubuntu 24.04 and later. Here, please install:"
    while read -r in _ _ what; do
        for group in "$@"; do
            [ "$in" != "$group" ] || say "    $what"
        done
    done <<EOF
$SETUP_NEEDS
EOF
    say "then run $0 --no-install"
}

# How to become root: nothing to do, sudo (which asks on a terminal only), or not at all.
setup_root() {
    if [ "$(id -u)" -eq 0 ]; then
        say env
    elif ! have_command sudo; then
        say none
    elif [ -t 0 ]; then
        say "sudo env"
    else
        say "sudo -n env"
    fi
}

apt_get() {
    # shellcheck disable=SC2046 # words on purpose
    $(setup_root) DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" \
        >>"$LOG" 2>&1 </dev/null
}

# install_packages PACKAGE...: fails with the end of the log.
install_packages() {
    if [ "$(setup_root)" = none ]; then
        say "not possible"
        say "Neither root nor sudo here. Ask an administrator for:" >&2
        say "    apt-get install --no-install-recommends $*" >&2
        exit 1
    fi
    # On a terminal sudo asks for its password here, not into the log.
    [ "$(setup_root)" != "sudo env" ] || sudo -v || fail "sudo did not let us in"
    apt_get update || say "    (apt-get update failed; trying with the package lists at hand)"
    apt_get install -y --no-install-recommends "$@" || show_log "apt-get install failed (is the network there? on
    Ubuntu, is universe enabled?)"
}

# ---- steps ----------------------------------------------------------------------------------------------------

# step TEXT COMMAND...: says what is done, and how long it took.
step() {
    printf '%s ... ' "$1"
    shift
    started=$(date +%s)
    "$@"
    say "done ($(($(date +%s) - started)) s)"
}

show_log() {
    say "failed"
    {
        say "---- the end of $LOG"
        tail -n 30 "$LOG"
        say "----"
    } >&2
    fail "$1"
}

# configure OPTION...: an existing build folder keeps its generator.
configure() {
    generator=
    if [ ! -e "$BUILD/CMakeCache.txt" ] && have_command ninja; then generator="-G Ninja"; fi
    # shellcheck disable=SC2086 # words on purpose
    cmake -S . -B "$BUILD" $generator -DCMAKE_BUILD_TYPE=Release "$@" ${NORN_CMAKE_FLAGS:-} >>"$LOG" 2>&1 ||
        show_log "cmake could not configure $BUILD (rm -r $BUILD starts afresh)"
}

# build TARGET...
build() {
    cmake --build "$BUILD" --parallel "$(getconf _NPROCESSORS_ONLN)" --target "$@" >>"$LOG" 2>&1 ||
        show_log "the build failed"
}
