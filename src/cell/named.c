/*
 * Cells by a word: the name of one that comes with the library, else the file of a formula. And the name a
 * cell has in titles and columns.
 */
#include "cell/cell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A whole file, up to a byte more than a formula may have; its length. */
static norn_status read_file(const char *path, char *out, size_t *length, norn_error *err)
{
    FILE *in = fopen(path, "rb");
    if (!in) return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot open: %s", strerror(errno));
    *length = fread(out, 1, NORN_CELL_TEXT + 1, in);
    const bool failed = ferror(in) != 0;
    const int reason = errno;
    (void)fclose(in);
    if (failed) return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot read: %s", strerror(reason));
    return NORN_OK;
}

bool norn_cell_is_file(const char *word)
{
    return !norn_cell_builtin_text(word) && strpbrk(word, "/.") != NULL;
}

norn_status norn_cell_named(norn_cell **out, const char *word, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    const char *known = norn_cell_builtin_text(word);
    size_t length = 0;
    if (known) return norn_cell_read(out, known, strlen(known), word, host, err);
    char *text = norn_new(&services, NORN_CELL_TEXT + 1, 1);
    if (!text) return norn_fail_memory(err, "a cell's formula");
    norn_error own = NORN_ERROR_INIT;
    norn_status status = read_file(word, text, &length, &own);
    if (status == NORN_OK) {
        status = norn_cell_read(out, text, length, word, host, err);
    } else if (norn_cell_is_file(word)) {
        status = norn_fail_at(err, status, word, 0, 0, "%s", own.message);
    } else {
        char quoted[80];
        status = norn_fail(err, NORN_ERR_USAGE,
                           "no cell and no file is called \"%s\" (norn cell list has the cells; --cell)",
                           norn_quote(quoted, sizeof quoted, word, strlen(word), 40));
    }
    norn_delete(&services, text, NORN_CELL_TEXT + 1, 1);
    return status;
}

/* Words of names as the field writes them. */
static const struct {
    const char *word, *title;
} titles[] = {{"lstm", "LSTM"}, {"gru", "GRU"},   {"slstm", "sLSTM"}, {"elman", "Elman"},
              {"mgu", "MGU"},   {"nas", "NAS"},   {"enas", "ENAS"},   {"leaky", "Leaky"},
              {"mut1", "MUT1"}, {"mut2", "MUT2"}, {"mut3", "MUT3"}};

void norn_cell_title(const norn_cell *cell, char out[NORN_CELL_TITLE])
{
    const char *text = cell ? norn_cell_builtin_text(cell->name) : NULL, *name = cell ? cell->name : "lstm";
    const size_t length = strcspn(name, "_");
    (void)snprintf(out, NORN_CELL_TITLE, "%s", name[0] ? name : "cell");
    if (cell && (!text || strcmp(text, cell->text) != 0))
        return; /* a user's own is called what it is called */
    for (size_t i = 0; i < NORN_COUNT(titles); i++)
        if (strlen(titles[i].word) == length && strncmp(titles[i].word, name, length) == 0)
            (void)snprintf(out, NORN_CELL_TITLE, "%s%s", titles[i].title, name + length);
}
