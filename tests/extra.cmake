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
    endforeach()

    file(GLOB sources ${PROJECT_SOURCE_DIR}/src/cli/*.c)
    list(FILTER sources EXCLUDE REGEX "/(main|forecast|cell)\\.c$")
    add_executable(test_cli ${cli}/test_cli.c ${cli}/stub_library.c ${sources} ${PROJECT_SOURCE_DIR}/src/base/base.c)
    target_include_directories(test_cli PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
                                                ${CMAKE_CURRENT_SOURCE_DIR} ${cli})
    target_include_directories(test_cli SYSTEM PRIVATE ${CMOCKA_INCLUDE_DIR} ${POPT_INCLUDE_DIR} ${JANSSON_INCLUDE_DIR})
    target_compile_definitions(test_cli PRIVATE NORN_GOLDEN="${cli}/golden")
    target_link_libraries(test_cli PRIVATE norn_options ${CMOCKA_LIBRARY} ${POPT_LIBRARY} ${JANSSON_LIBRARY} m)
    add_test(NAME cli COMMAND test_cli)
    set_tests_properties(cli PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT}" TIMEOUT 60)
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
    # What runs without OpenCL.
    foreach(short base cell cell_language cell_interpret cell_plan csv scan calendar roles table reference metrics cli)
        if(TARGET test_${short})
            add_test(NAME valgrind.${short} COMMAND ${valgrind} $<TARGET_FILE:test_${short}>)
            set_tests_properties(valgrind.${short} PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT}"
                                                              LABELS valgrind TIMEOUT 600)
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
    foreach(short kernels network gemm random)
        add_test(NAME oclgrind.${short}
                 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/oclgrind.sh ${CMAKE_CURRENT_BINARY_DIR}/oclgrind.${short}.txt
                         $<TARGET_FILE:oclgrind_whole> $<TARGET_FILE:test_${short}>)
        set_tests_properties(oclgrind.${short} PROPERTIES ENVIRONMENT "${NORN_TEST_ENVIRONMENT};NORN_TINY=1"
                                                          LABELS oclgrind TIMEOUT 600)
    endforeach()
endif()

# ---- fuzzing -----------------------------------------------------------------------------------------------------
# -DNORN_FUZZ=ON with clang. The sources are compiled in with the fuzzer's own instrumentation; what it finds stays in
# the build folder. `ctest -L fuzz` runs a minute of each; for longer, run the program itself.

if(NORN_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "NORN_FUZZ needs clang: CC=clang cmake ...")
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/base/*.c ${PROJECT_SOURCE_DIR}/src/data/*.c)
    add_executable(fuzz_csv ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_csv.c ${sources})
    target_include_directories(fuzz_csv PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_include_directories(fuzz_csv SYSTEM PRIVATE ${CSV_INCLUDE_DIR})
    target_compile_options(fuzz_csv PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -g)
    target_link_options(fuzz_csv PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_libraries(fuzz_csv PRIVATE norn_options ${CSV_LIBRARY} Threads::Threads ZLIB::ZLIB m)
    set(corpus ${CMAKE_CURRENT_BINARY_DIR}/corpus/csv)
    file(MAKE_DIRECTORY ${corpus})
    add_test(NAME fuzz.csv COMMAND fuzz_csv -max_total_time=60 -max_len=8192 -timeout=10 -rss_limit_mb=1024 ${corpus}
                                   ${CMAKE_CURRENT_SOURCE_DIR}/data ${PROJECT_SOURCE_DIR}/datasets)
    set_tests_properties(fuzz.csv PROPERTIES LABELS fuzz TIMEOUT 120)

    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/base/*.c ${PROJECT_SOURCE_DIR}/src/cell/*.c)
    list(FILTER sources EXCLUDE REGEX "/builtin\\.c$")
    add_executable(fuzz_cell ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_cell.c ${sources} ${PROJECT_SOURCE_DIR}/src/data/cell.c)
    target_include_directories(fuzz_cell PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_compile_options(fuzz_cell PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -g)
    target_link_options(fuzz_cell PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_libraries(fuzz_cell PRIVATE norn_options m)
    set(corpus ${CMAKE_CURRENT_BINARY_DIR}/corpus/cell)
    file(MAKE_DIRECTORY ${corpus})
    add_test(NAME fuzz.cell COMMAND fuzz_cell -max_total_time=60 -max_len=4096 -timeout=10 -rss_limit_mb=1024 ${corpus}
                                    ${PROJECT_SOURCE_DIR}/kernels/cells)
    set_tests_properties(fuzz.cell PROPERTIES LABELS fuzz TIMEOUT 120)
endif()
