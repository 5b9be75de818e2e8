/* The cells that come with the library: kernels/cells/, embedded at build time. */
#include "cell/cell.h"

#include "compute/kernels.h"

#include <string.h>

size_t norn_cell_builtin_count(void)
{
    size_t count = 0;
    while (norn_cell_texts[count].name) count++;
    return count;
}

const char *norn_cell_builtin_name(size_t index)
{
    return norn_cell_texts[index].name;
}

const char *norn_cell_builtin_text(const char *name)
{
    for (size_t i = 0; norn_cell_texts[i].name; i++)
        if (strcmp(norn_cell_texts[i].name, name) == 0) return norn_cell_texts[i].text;
    return NULL;
}
