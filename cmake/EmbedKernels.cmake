# Writes ${OUTPUT}: every file of ${KERNELS} as a C array, and the table ${TABLE} of name and text. Arrays of numbers,
# since a string literal of C11 need not hold more than 4095 characters.
set(arrays "")
set(table "")
foreach(path IN LISTS KERNELS)
    get_filename_component(name ${path} NAME_WE)
    file(READ ${path} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(................................................................................)" "\\1\n"
                         bytes "${bytes}")
    string(APPEND arrays "static const unsigned char ${name}_text[] = {\n${bytes}0};\n")
    string(APPEND table "    {\"${name}\", (const char *)${name}_text},\n")
endforeach()
file(WRITE ${OUTPUT} "/* Made by cmake/EmbedKernels.cmake. */
#include \"compute/kernels.h\"
${arrays}
const norn_kernel_text ${TABLE}[] = {
${table}    {0, 0}
};
")
