/*
 * Where the weights of a cell of several stages stand: the arithmetic of kernels/stages.cl once more, for the
 * host. tests/test_cell_kernels.c would notice if they parted.
 */
#include "cell/stages.h"

norn_cell_spot norn_cell_spot_of(const norn_cell_stages *s, size_t matrix)
{
    for (size_t k = 0; k < s->stage_count; k++)
        for (size_t i = s->stage[k].source; i < s->stage[k].source + s->stage[k].source_count; i++)
            for (size_t g = 0; g < s->stage[k].gates; g++)
                if (s->sources[i].matrix[g] == (int)matrix)
                    return (norn_cell_spot){k, i, s->stage[k].first + g};
    return (norn_cell_spot){0, 0, 0}; /* every matrix is in a product */
}

size_t norn_cell_weights(const norn_cell_stages *s, const norn_cell_paddings *at)
{
    return at->hp * (s->input_columns * at->kx + s->unit_columns * at->hp);
}

size_t norn_cell_back_weights(const norn_cell_stages *s, const norn_cell_paddings *at)
{
    return at->hp * at->hp * ((at->upper ? s->input_columns : 0) + s->unit_columns);
}

size_t norn_cell_weight_at(const norn_cell_stages *s, const norn_cell_paddings *at, size_t matrix, size_t u,
                           size_t k)
{
    const norn_cell_spot spot = norn_cell_spot_of(s, matrix);
    const norn_cell_stage *stage = &s->stage[spot.stage];
    const size_t place = spot.source - stage->source, inputs = stage->input_count;
    const size_t columns = inputs * at->kx + (stage->source_count - inputs) * at->hp;
    const size_t row = place < inputs ? place * at->kx : inputs * at->kx + (place - inputs) * at->hp;
    const size_t begin = at->hp * (stage->inputs_before * at->kx + stage->units_before * at->hp);
    return begin + ((u / at->sw * columns + row + k) * stage->gates + spot.gate - stage->first) * at->sw +
           u % at->sw;
}

size_t norn_cell_back_at(const norn_cell_stages *s, const norn_cell_paddings *at, size_t matrix, size_t u,
                         size_t k)
{
    const norn_cell_spot spot = norn_cell_spot_of(s, matrix);
    const norn_cell_stage *stage = &s->stage[spot.stage];
    const size_t strips = at->hp / at->sw, strip = k / at->sw;
    size_t place = spot.source - stage->source, before = stage->units_before;
    if (at->upper) {
        before += stage->inputs_before;
    } else {
        if (place < stage->input_count) return SIZE_MAX;
        place -= stage->input_count;
    }
    /* Tiles of four strips, then of two, then of one. */
    size_t first = strip / 4 * 4, width = 4;
    if (first + 4 > strips) {
        width = strips - first >= 2 && strip < first + 2 ? 2 : 1;
        if (width == 1) first = strip;
    }
    const size_t n = (u / at->sw * stage->gates + spot.gate - stage->first) * at->sw + u % at->sw;
    return at->hp * at->hp * (before + place * stage->gates) + first * at->sw * stage->gates * at->hp +
           n * width * at->sw + (strip - first) * at->sw + k % at->sw;
}
