# ---- the command line ----------------------------------------------------------------------------------------
# cases.txt is a table of command lines, a test each; test_cli.c tries the pieces of src/cli beside a stub library.

if(TARGET norn_cli)
    set(cli ${CMAKE_CURRENT_SOURCE_DIR}/cli)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${cli}/cases.txt)

    add_executable(json_check ${cli}/json_check.c)
    target_include_directories(json_check SYSTEM PRIVATE ${JANSSON_INCLUDE_DIR})
    target_link_libraries(json_check PRIVATE norn_options ${JANSSON_LIBRARY})

    # One kernel cache for all cases, which therefore run one at a time: only the first of them compiles kernels.
    set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/cli)
    file(MAKE_DIRECTORY ${cache})
    file(STRINGS ${cli}/cases.txt cases REGEX "^case ")
    foreach(case IN LISTS cases)
        string(REGEX REPLACE "^case +" "" case ${case})
        add_test(NAME cli.${case} COMMAND ${cli}/run.sh ${case})
        set(environment ${NORN_TEST_ENVIRONMENT} POCL_CACHE_DIR=${cache} NORN=$<TARGET_FILE:norn_cli>
                        JSON_CHECK=$<TARGET_FILE:json_check> SCRATCH=${CMAKE_CURRENT_BINARY_DIR}/cli/${case})
        set_tests_properties(cli.${case} PROPERTIES ENVIRONMENT "${environment}" RESOURCE_LOCK cli_kernel_cache
                                                    SKIP_RETURN_CODE 77 TIMEOUT 120)
        if(case MATCHES "tun(e|ing)|programs") # which compile for many layouts
            set_tests_properties(cli.${case} PROPERTIES TIMEOUT 600)
        endif()
    endforeach()

    file(GLOB sources ${PROJECT_SOURCE_DIR}/src/cli/*.c)
    list(FILTER sources EXCLUDE
         REGEX "/(main|forecast[a-z_]*|train|tune|network_run|inspect_model|cell|leak|backtest[a-z_]*|report_[a-z_]*)\\.c$")
    foreach(short cli inspect)
        add_executable(test_${short} ${cli}/test_${short}.c ${cli}/stub_library.c ${sources}
                                     ${PROJECT_SOURCE_DIR}/src/base/base.c ${PROJECT_SOURCE_DIR}/src/base/file.c ${PROJECT_SOURCE_DIR}/src/base/profile.c
                                     ${PROJECT_SOURCE_DIR}/src/data/season.c)
        target_include_directories(test_${short} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
                                                         ${CMAKE_CURRENT_SOURCE_DIR} ${cli})
        target_include_directories(test_${short} SYSTEM PRIVATE ${CMOCKA_INCLUDE_DIR} ${POPT_INCLUDE_DIR}
                                                                ${JANSSON_INCLUDE_DIR})
        target_compile_definitions(test_${short} PRIVATE NORN_GOLDEN="${cli}/golden")
        target_link_libraries(test_${short} PRIVATE norn_options ${CMOCKA_LIBRARY} ${POPT_LIBRARY} ${JANSSON_LIBRARY} m)
        add_test(NAME ${short} COMMAND test_${short})
        set_tests_properties(${short} PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT}" TIMEOUT 60)
    endforeach()
endif()

# ---- interruptions --------------------------------------------------------------------------------------------
# A training that is killed and goes on ends with the same bytes: a few times now, and as often and as long as the
# promise says with `ctest -C slow -R kills`.

if(TARGET norn_cli)
    set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/kills)
    file(MAKE_DIRECTORY ${cache})
    set(kills ${CMAKE_CURRENT_SOURCE_DIR}/kills.sh $<TARGET_FILE:norn_cli> ${PROJECT_SOURCE_DIR}/datasets/air_passengers.csv)
    set(environment ${NORN_TEST_ENVIRONMENT} POCL_CACHE_DIR=${cache})
    add_test(NAME kills COMMAND ${kills} 5 2 1)
    set_tests_properties(kills PROPERTIES ENVIRONMENT "${environment};SCRATCH=${CMAKE_CURRENT_BINARY_DIR}/kills" TIMEOUT 300
                                          RESOURCE_LOCK kills)
    add_test(NAME kills.many CONFIGURATIONS slow COMMAND ${kills} 200 60 1)
    set_tests_properties(kills.many PROPERTIES
                         ENVIRONMENT "${environment};POCL_MAX_PTHREAD_COUNT=1;SCRATCH=${CMAKE_CURRENT_BINARY_DIR}/kills.many"
                         LABELS slow TIMEOUT 100000 RESOURCE_LOCK kills)
endif()

# ---- bits ------------------------------------------------------------------------------------------------------
# The same seed, the same bytes; test_bits.c tries what needs no process of its own.

if(TARGET norn_cli)
    set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/bits)
    file(MAKE_DIRECTORY ${cache})
    add_test(NAME bits.processes COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bits.sh $<TARGET_FILE:norn_cli> ${PROJECT_SOURCE_DIR}/datasets)
    set_tests_properties(bits.processes PROPERTIES TIMEOUT 600 ENVIRONMENT
                         "${NORN_TEST_ENVIRONMENT};POCL_CACHE_DIR=${cache};SCRATCH=${CMAKE_CURRENT_BINARY_DIR}/bits")
endif()

target_link_libraries(test_cell_kernels PRIVATE norn_by_hand)

# ---- model files ---------------------------------------------------------------------------------------------

target_compile_definitions(test_model_cells
                           PRIVATE NORN_GOLDEN_CELLS="${CMAKE_CURRENT_SOURCE_DIR}/golden/model_v2_gru.safetensors")
target_compile_definitions(test_model PRIVATE NORN_GOLDEN_MODEL="${CMAKE_CURRENT_SOURCE_DIR}/golden/model_v1.safetensors")

# Its parameters, in PyTorch by load_state_dict, forecast the numbers that test_model.c has too. Skipped without PyTorch.
find_program(PYTHON3 NAMES python3)
if(PYTHON3)
    foreach(member 0 1)
        add_test(NAME model.pytorch.${member}
                 COMMAND sh -c "out=$(\"$@\" 2>/dev/null) || exit $?; printf '%s\\n' \"$out\" | grep -qF -e \"$EXPECTED\"" sh
                         ${PYTHON3} ${PROJECT_SOURCE_DIR}/tools/load_model.py
                         ${CMAKE_CURRENT_SOURCE_DIR}/golden/model_v1.safetensors ${member})
    endforeach()
    set_tests_properties(model.pytorch.0 PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120 ENVIRONMENT
                         "EXPECTED=-0.033546782 -0.455763924 0.155461580 -0.114049631")
    set_tests_properties(model.pytorch.1 PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120 ENVIRONMENT
                         "EXPECTED=0.210627260 -0.343433114 0.198758817 -0.142710077")
    add_test(NAME model.pytorch.gru
             COMMAND sh -c "out=$(\"$@\" 2>/dev/null) || exit $?; printf '%s\\n' \"$out\" | grep -qF -e \"$EXPECTED\"" sh
                     ${PYTHON3} ${PROJECT_SOURCE_DIR}/tools/load_model.py
                     ${CMAKE_CURRENT_SOURCE_DIR}/golden/model_v2_gru.safetensors 0)
    set_tests_properties(model.pytorch.gru PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120 ENVIRONMENT
                         "EXPECTED=-0.557914904 0.525843198 -0.449048172 0.731719422")
endif()

# ---- data sets -------------------------------------------------------------------------------------------------
# The published figures stay as they were typed; the synthetic series are what their generator writes.

add_test(NAME datasets.checksums COMMAND sha256sum --check --strict --quiet SHA256SUMS)
set_tests_properties(datasets.checksums PROPERTIES WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/datasets)
add_executable(generate_series ${PROJECT_SOURCE_DIR}/tools/generate_series.c)
target_link_libraries(generate_series PRIVATE norn_options)
foreach(series hourly_load shop_sales business_prices)
    add_test(NAME datasets.${series}
             COMMAND sh -c "$<TARGET_FILE:generate_series> ${series} | cmp - ${series}.csv")
    set_tests_properties(datasets.${series} PROPERTIES WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/datasets)
endforeach()

# ---- public files ----------------------------------------------------------------------------------------------
# Not part of the project: tried where they lie beside it.

if(TARGET norn_cli)
    add_test(NAME shared.files
             COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/shared_files.sh $<TARGET_FILE:norn_cli> ${PROJECT_SOURCE_DIR})
    set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/shared)
    file(MAKE_DIRECTORY ${cache})
    set_tests_properties(shared.files PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT};POCL_CACHE_DIR=${cache}"
                                                 SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()

# ---- lint --------------------------------------------------------------------------------------------------------

foreach(part format kernels shell)
    add_test(NAME lint.${part} COMMAND ${PROJECT_SOURCE_DIR}/tools/lint ${part})
    set_tests_properties(lint.${part} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endforeach()

# ---- under checkers ----------------------------------------------------------------------------------------------
# Not with sanitizers, which bring checkers of their own. `ctest -L valgrind` runs one kind alone.

find_program(VALGRIND valgrind)
find_program(OCLGRIND oclgrind)
if(VALGRIND AND NOT NORN_SANITIZE)
    # --error-exitcode makes a report fail the test; what a test itself finds still does.
    set(valgrind ${VALGRIND} --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible
                 --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99
                 --suppressions=${CMAKE_CURRENT_SOURCE_DIR}/valgrind.supp)
    # What runs without OpenCL. Those that try millions of numbers or cuts, or every model on hundreds of series, take
    # minutes here: `ctest -C slow -L valgrind`.
    set(slow_under_valgrind cell scan ets forecasters backtest leakage leak)
    foreach(short base file safetensors cell csv scan calendar time zone step roles table files season reference metrics cli
                  inspect forecasters minimise ets theta croston scores significance backtest leakage leak cell_language cell_interpret cell_plan)
        if(TARGET test_${short})
            set(when "")
            if(short IN_LIST slow_under_valgrind)
                set(when CONFIGURATIONS slow)
            endif()
            add_test(NAME valgrind.${short} ${when} COMMAND ${valgrind} $<TARGET_FILE:test_${short}>)
            set_tests_properties(valgrind.${short} PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT}"
                                                              LABELS valgrind TIMEOUT 1200)
        endif()
    endforeach()
    # A whole forecast. Kernels are compiled for the processor that valgrind shows, hence by a compiler under valgrind:
    # minutes the first time, seconds from then on. `ctest -C slow -R valgrind.forecast` runs it.
    if(TARGET norn_cli)
        set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/valgrind)
        file(MAKE_DIRECTORY ${cache})
        add_test(NAME valgrind.forecast CONFIGURATIONS slow
                 COMMAND ${valgrind} $<TARGET_FILE:norn_cli> forecast ${PROJECT_SOURCE_DIR}/datasets/nile.csv --quiet
                         --hidden 4 --batch 4 --epochs 1 --steps-per-epoch 1)
        set_tests_properties(valgrind.forecast PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT};POCL_CACHE_DIR=${cache}"
                                                          LABELS valgrind TIMEOUT 1800)
    endif()
endif()
if(OCLGRIND AND NOT NORN_SANITIZE)
    add_library(oclgrind_whole MODULE ${CMAKE_CURRENT_SOURCE_DIR}/oclgrind_whole.c)
    target_link_libraries(oclgrind_whole PRIVATE norn_options OpenCL::OpenCL ${CMAKE_DL_LIBS})
    # NORN_TINY=1: only shapes that an interpreter gets through.
    foreach(short kernels network cell_network cell_stages gemm random optimiser)
        add_test(NAME oclgrind.${short}
                 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/oclgrind.sh ${CMAKE_CURRENT_BINARY_DIR}/oclgrind.${short}.txt
                         $<TARGET_FILE:oclgrind_whole> $<TARGET_FILE:test_${short}>)
        set_tests_properties(oclgrind.${short} PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT};NORN_TINY=1"
                                                          LABELS oclgrind TIMEOUT 600)
    endforeach()
endif()

# ---- counts ------------------------------------------------------------------------------------------------------
# Instructions of the host's work, by callgrind: no clock, so the machine may be as busy as it likes.

if(VALGRIND AND NOT NORN_SANITIZE)
    add_executable(count_host ${CMAKE_CURRENT_SOURCE_DIR}/count_host.c)
    target_include_directories(count_host PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_include_directories(count_host SYSTEM PRIVATE ${RANDOM123_INCLUDE_DIR})
    target_link_libraries(count_host PRIVATE norn norn_options OpenCL::OpenCL m)
    string(REGEX MATCH "^[0-9]+" major "${CMAKE_C_COMPILER_VERSION}")
    add_test(NAME counts
             COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/counts.sh $<TARGET_FILE:count_host> ${PROJECT_SOURCE_DIR}/datasets
                     ${CMAKE_CURRENT_SOURCE_DIR}/golden/model_v2_gru.safetensors
                     ${CMAKE_CURRENT_SOURCE_DIR}/golden/instructions.txt
                     "${CMAKE_C_COMPILER_ID} ${major} ${CMAKE_SYSTEM_PROCESSOR} ${CMAKE_BUILD_TYPE}")
    set_tests_properties(counts PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT}" LABELS valgrind SKIP_RETURN_CODE 77
                                           TIMEOUT 600)
endif()

# ---- benches -----------------------------------------------------------------------------------------------------
# Their figures are nobody's promise here; that they run through, and what they write, is.

add_test(NAME bench.append COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench_append.sh ${PROJECT_SOURCE_DIR}/tools/bench_append)
if(TARGET norn_bench)
    set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/bench)
    file(MAKE_DIRECTORY ${cache})
    add_test(NAME bench.members CONFIGURATIONS slow COMMAND norn_bench members 1 "")
    add_test(NAME bench.gpu CONFIGURATIONS slow COMMAND norn_bench gpu 1 "")
    set_tests_properties(bench.members bench.gpu PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT};POCL_CACHE_DIR=${cache}"
                                                            LABELS slow TIMEOUT 1800 RESOURCE_LOCK bench)
endif()

# ---- fuzzing -----------------------------------------------------------------------------------------------------
# -DNORN_FUZZ=ON with clang. The sources are compiled in with the fuzzer's own instrumentation; what it finds stays in
# the build folder. `ctest -L fuzz` runs a minute of each; for longer, run the program itself.

if(NORN_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "NORN_FUZZ needs clang: CC=clang cmake ...")
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/base/*.c ${PROJECT_SOURCE_DIR}/src/data/*.c)
    file(GLOB room CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/nn/safetensors*.c)
    file(GLOB cells CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cell/*.c)
    set(fuzz_flags -fsanitize=fuzzer,address,undefined)
    foreach(name model model_file model_slices checksum initial layout random)
        list(APPEND room ${PROJECT_SOURCE_DIR}/src/nn/${name}.c)
    endforeach()
    foreach(name saved saved_file scores significance figures)
        list(APPEND room ${PROJECT_SOURCE_DIR}/src/backtest/${name}.c)
    endforeach()
    set_source_files_properties(${NORN_CELL_SOURCE} PROPERTIES GENERATED TRUE)
    add_library(fuzzed STATIC ${sources} ${room} ${cells} ${NORN_CELL_SOURCE})
    add_dependencies(fuzzed norn) # which makes the texts of the cells
    target_include_directories(fuzzed PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_include_directories(fuzzed SYSTEM PRIVATE ${CSV_INCLUDE_DIR} ${JANSSON_INCLUDE_DIR} ${RANDOM123_INCLUDE_DIR})
    target_compile_options(fuzzed PRIVATE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -g)
    target_link_libraries(fuzzed PUBLIC norn_options OpenCL::OpenCL ${CSV_LIBRARY} ${JANSSON_LIBRARY} Threads::Threads
                                        ZLIB::ZLIB m)
    # Seeds: a folder of the target's own, and files that the tests have anyway. Those of the CSV target stand behind its
    # bytes of options.
    set(fuzz_seeds_scan ${CMAKE_CURRENT_SOURCE_DIR}/data ${PROJECT_SOURCE_DIR}/datasets)
    set(fuzz_seeds_safetensors ${CMAKE_CURRENT_SOURCE_DIR}/golden)
    set(fuzz_seeds_model ${CMAKE_CURRENT_SOURCE_DIR}/golden)
    set(fuzz_seeds_cell ${PROJECT_SOURCE_DIR}/kernels/cells)
    foreach(target csv tsf scan time safetensors model cell saved)
        add_executable(fuzz_${target} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_${target}.c)
        target_compile_options(fuzz_${target} PRIVATE ${fuzz_flags} -fno-sanitize-recover=all -g)
        target_link_options(fuzz_${target} PRIVATE ${fuzz_flags})
        target_link_libraries(fuzz_${target} PRIVATE fuzzed)
        if(target STREQUAL saved) # models and folds, which read no file, are those of the library
            target_link_libraries(fuzz_${target} PRIVATE norn)
        endif()
        set(corpus ${CMAKE_CURRENT_BINARY_DIR}/corpus/${target})
        file(MAKE_DIRECTORY ${corpus})
        set(seeds ${fuzz_seeds_${target}})
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${target})
            list(APPEND seeds ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${target})
        endif()
        set(words "")
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${target}.dict)
            set(words -dict=${CMAKE_CURRENT_SOURCE_DIR}/corpus/${target}.dict)
        endif()
        add_test(NAME fuzz.${target}
                 COMMAND fuzz_${target} -max_total_time=60 -max_len=8192 -timeout=10 -rss_limit_mb=1024 ${words} ${corpus}
                         ${seeds})
        set_tests_properties(fuzz.${target} PROPERTIES LABELS fuzz TIMEOUT 120)
    endforeach()
endif()

# Ninety more formulas made at random, compiled: an hour of compiling at worst. `ctest -C slow -R cell_stages.more`
add_test(NAME cell_stages.more CONFIGURATIONS slow COMMAND test_cell_stages)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/cache/cell_stages_more)
set_tests_properties(
    cell_stages.more
    PROPERTIES ENVIRONMENT
               "${NORN_TEST_ENVIRONMENT};NORN_SEED=11;NORN_FORMULAS=90;POCL_CACHE_DIR=${CMAKE_CURRENT_BINARY_DIR}/cache/cell_stages_more"
               LABELS slow TIMEOUT 3600)

# ---- what takes long ---------------------------------------------------------------------------------------------

add_executable(slow_giant ${CMAKE_CURRENT_SOURCE_DIR}/slow_giant.c)
target_include_directories(slow_giant PRIVATE ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(slow_giant SYSTEM PRIVATE ${CMOCKA_INCLUDE_DIR})
target_link_libraries(slow_giant PRIVATE norn norn_options ${CMOCKA_LIBRARY} Threads::Threads m)
add_test(NAME giant CONFIGURATIONS slow COMMAND slow_giant)
set_tests_properties(giant PROPERTIES LABELS slow TIMEOUT 900)

# ---- networks of all cells -------------------------------------------------------------------------------------
# Some fifty programs are compiled for it.

set_tests_properties(cell_network PROPERTIES TIMEOUT 1500)

# ---- device trouble ------------------------------------------------------------------------------------------------
# The linker puts the shim of trouble_shim.h between the library and OpenCL, which works with a static library.

get_target_property(norn_type norn TYPE)
if(norn_type STREQUAL "STATIC_LIBRARY")
    file(READ ${CMAKE_CURRENT_SOURCE_DIR}/trouble_shim.h shim)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/trouble_shim.h)
    string(REGEX MATCHALL "CALL\\((cl|CLBlast)[A-Z][A-Za-z]*" rows "${shim}")
    foreach(row IN LISTS rows)
        string(REPLACE "CALL(" "" name ${row})
        target_link_options(test_trouble PRIVATE -Wl,--wrap=${name})
    endforeach()
    set(names "nm -u \"$1\" | sed -nE 's/^ +U ((cl[A-Z]|CLBlast)[A-Za-z]*)$/\\1/p' | sort -u")
    add_test(NAME trouble.no_function_is_forgotten
             COMMAND sh -c "test \"$(${names})\" = \"$(\"$2\" --calls | sort)\"" sh $<TARGET_FILE:norn>
                     $<TARGET_FILE:test_trouble>)
    add_test(NAME trouble.every_call CONFIGURATIONS slow COMMAND test_trouble --all)
    set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/trouble_all)
    file(MAKE_DIRECTORY ${cache})
    set_tests_properties(trouble.every_call PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT};POCL_CACHE_DIR=${cache}"
                                                       LABELS slow TIMEOUT 3600)
else()
    set_target_properties(test_trouble PROPERTIES EXCLUDE_FROM_ALL TRUE)
    set_tests_properties(trouble PROPERTIES DISABLED TRUE)
endif()

# ---- the library as installed --------------------------------------------------------------------------------------

include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER AND NOT NORN_SANITIZE)
    set(cache ${CMAKE_CURRENT_BINARY_DIR}/cache/install)
    file(MAKE_DIRECTORY ${cache})
    add_test(NAME install COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/install.sh ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR}
                                  ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/install ${CMAKE_C_COMPILER}
                                  ${CMAKE_CXX_COMPILER} ${PROJECT_VERSION})
    # A shared library is another build: `ctest -C slow -R install.shared` makes and tries one.
    add_test(NAME install.shared CONFIGURATIONS slow
             COMMAND sh -c "\"$1\" -S \"$2\" -B \"$3\" -G \"$4\" -DCMAKE_C_COMPILER=\"$5\" -DBUILD_SHARED_LIBS=ON \
                            -DNORN_TESTS=OFF && \"$1\" --build \"$3\" -j 2 && shift && \
                            \"$1/tests/install.sh\" \"${CMAKE_COMMAND}\" \"$2\" \"$1\" \"$2/install\" \"$4\" \"$5\" \"$6\""
                     sh ${CMAKE_COMMAND} ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/shared ${CMAKE_GENERATOR}
                     ${CMAKE_C_COMPILER} ${CMAKE_CXX_COMPILER} ${PROJECT_VERSION})
    foreach(short install install.shared)
        set_tests_properties(${short} PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT};POCL_CACHE_DIR=${cache}"
                                                 SKIP_RETURN_CODE 77 TIMEOUT 1200 RESOURCE_LOCK install)
    endforeach()
endif()

# ---- reports -----------------------------------------------------------------------------------------------------

target_include_directories(test_report SYSTEM PRIVATE ${JANSSON_INCLUDE_DIR})
target_link_libraries(test_report PRIVATE ${JANSSON_LIBRARY})

# Where Chromium is: pages opened, used, looked at. Their pictures stay in the build folder.
if(PYTHON3 AND TARGET norn_cli)
    add_test(NAME report.browser
             COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/report_browser.py $<TARGET_FILE:norn_cli> ${PROJECT_SOURCE_DIR}/datasets
                     ${CMAKE_CURRENT_BINARY_DIR}/report)
    set_tests_properties(report.browser PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT}" SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
