/*
 * The language of cells: what a text becomes, what is refused, where, and with which words. Every limit is
 * tried on both sides.
 */
#include "counting_host.h"

#include "cell/cell.h"

static norn_cell *read_cell(const char *text)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_read(&cell, text, strlen(text), "a.cell", NULL, &err), &err);
    return cell;
}

static void assert_refused(const char *text, size_t length, uint64_t line, uint64_t column, const char *words)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_cell_read(&cell, text, length, "a.cell", NULL, &err);
    if (status != NORN_ERR_DATA || err.line != line || err.column != column || !strstr(err.message, words) ||
        strcmp(err.file, "a.cell") != 0)
        fail_msg("%s\n got %d %llu:%llu \"%s\", want %llu:%llu \"%s\"", text, (int)status,
                 (unsigned long long)err.line, (unsigned long long)err.column, err.message,
                 (unsigned long long)line, (unsigned long long)column, words);
    assert_null(cell);
}

static const char lstm[] = "cell lstm # a comment\n"
                           "state h, c\n"
                           "matrix W_i, U_i, W_f, U_f, W_g, U_g, W_o, U_o\n"
                           "bias b_i, b_f = 1, b_g, b_o\n"
                           "\n"
                           "i = sigmoid(W_i*x + U_i*h + b_i)\n"
                           "f = sigmoid(W_f*x + U_f*h +\n"
                           "            b_f)\n"
                           "g = tanh(W_g*x + U_g*h + b_g)\n"
                           "o = sigmoid(W_o*x + U_o*h + b_o)\n"
                           "c' = f*c + i*g\r\n"
                           "h' = o*tanh(c')";

static void a_formula_becomes_a_graph_in_which_operands_come_first(void **state)
{
    (void)state;
    norn_cell *cell = read_cell(lstm);
    assert_string_equal(cell->name, "lstm");
    assert_string_equal(cell->text, lstm);
    assert_int_equal(cell->state_count, 2);
    assert_int_equal(cell->matrix_count, 8);
    assert_int_equal(cell->vector_count, 4);
    assert_string_equal(cell->matrices[3].name, "U_f");
    assert_int_equal(cell->matrices[3].columns, NORN_CELL_SIZE_HIDDEN);
    assert_int_equal(cell->matrices[2].columns, NORN_CELL_SIZE_INPUTS);
    assert_int_equal(cell->out, cell->states[0].next);
    for (size_t i = 0; i < cell->node_count; i++) {
        assert_true(cell->nodes[i].a < (int)i && cell->nodes[i].b < (int)i);
        assert_true(cell->nodes[i].level == 0 || cell->nodes[i].level == 1);
    }
    const norn_cell_node *out = &cell->nodes[cell->out];
    assert_int_equal(out->op, NORN_CELL_MULTIPLY);
    assert_int_equal(cell->nodes[out->a].op, NORN_CELL_SIGMOID);
    assert_int_equal(cell->nodes[out->b].op, NORN_CELL_TANH);
    assert_int_equal(cell->nodes[out->b].a, cell->states[1].next);
    norn_cell_free(cell);
}

static double value_of(const char *expression)
{
    char text[256];
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    (void)snprintf(text, sizeof text, "state h = %s\nh' = x", expression);
    norn_cell *cell = read_cell(text);
    assert_ok(norn_cell_bind(&shape, cell, 3, 6, 2, &err), &err);
    const double value = norn_cell_initial(&shape, cell->states[0].init, 6, 4);
    norn_cell_free(cell);
    return value;
}

static void operations_bind_as_in_mathematics(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"1 + 2*3", 7},   {"10 - 2 - 3", 5},
        {"16/4/2", 2},    {"-2*3 + 1", -5},
        {"-2^2", -4},     {"2^3^2", 512},
        {"(1 + 2)*3", 9}, {"--2", 2},
        {"2^-1", 0.5},    {"1.5e1 + .5", 15.5},
        {"max(1, 2)", 2}, {"min(1, 2*unit)", 1},
        {"unit", 4},      {"units", 6},
        {"head_unit", 1}, {"head_units", 3},
        {"heads", 2},     {"I", 3},
        {"H*10", 60},     {"abs(3 - 5)", 2},
        {"relu(-1)", 0},  {"exp(log(5))", 5},
        {"silu(0)", 0},   {"sigmoid(0)", 0.5},
        {"-1e30", -1e30}, {"5 - 12*(head_unit/2)^0.3", 5 - 12 * 0.8122523963562356},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        assert_near(value_of(cases[i].text), cases[i].value, 1e-15, 0.0);
}

static void sizes_are_found_from_the_formula(void **state)
{
    (void)state;
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = read_cell("size P = H/2\n"
                                "state r[P], c\n"
                                "matrix W, U, R\n"
                                "bias b, d\n"
                                "c' = tanh(W*x + U*r + b)\n"
                                "r' = R*(c*c') + d\n");
    assert_ok(norn_cell_bind(&shape, cell, 3, 7, 0, &err), &err);
    const size_t want[][2] = {{7, 3}, {7, 4}, {4, 7}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(shape.matrix[i].rows, want[i][0]);
        assert_int_equal(shape.matrix[i].columns, want[i][1]);
    }
    assert_int_equal(shape.vector[0].count, 7);
    assert_int_equal(shape.vector[1].count, 4);
    assert_int_equal(shape.parameters, 21 + 28 + 28 + 7 + 4);
    assert_int_equal(shape.outputs, 4);
    assert_int_equal(shape.states, 11);
    norn_cell_free(cell);
}

static void the_input_used_by_units_is_projected_only_where_widths_differ(void **state)
{
    (void)state;
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = read_cell("state h\nh' = x*h + x");
    assert_int_equal(cell->matrix_count, 1);
    assert_true(cell->matrices[0].projection);
    assert_ok(norn_cell_bind(&shape, cell, 5, 5, 0, &err), &err);
    assert_int_equal(shape.parameters, 0);
    assert_ok(norn_cell_bind(&shape, cell, 3, 5, 0, &err), &err);
    assert_int_equal(shape.parameters, 15);
    norn_cell_free(cell);
}

static void heads_must_divide_what_they_divide(void **state)
{
    (void)state;
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = read_cell("size heads = 4\nstate h\nmatrix U[heads], W\nh' = U*h + W*x");
    assert_ok(norn_cell_bind(&shape, cell, 3, 8, 0, &err), &err);
    assert_int_equal(shape.matrix[0].count, 16);
    assert_ok(norn_cell_bind(&shape, cell, 3, 8, 2, &err), &err);
    assert_int_equal(shape.matrix[0].count, 32);
    assert_int_equal(norn_cell_bind(&shape, cell, 3, 6, 0, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "the matrix U of 6 by 6 cannot be divided into 4 heads"));
    norn_cell_free(cell);
}

static void a_size_that_is_none_is_refused_when_bound(void **state)
{
    (void)state;
    static const char *const sizes[] = {"H - 8", "1/0*H", "H*1e9", "-H", "log(0*H)"};
    for (size_t i = 0; i < NORN_COUNT(sizes); i++) {
        char text[128];
        norn_cell *cell = NULL;
        norn_cell_shape shape;
        norn_error err = NORN_ERROR_INIT;
        (void)snprintf(text, sizeof text, "size P = %s\nstate h[P]\nmatrix W\nh' = W*x", sizes[i]);
        if (norn_cell_read(&cell, text, strlen(text), "a.cell", NULL, &err) != NORN_OK) continue; /* 1/0 */
        assert_int_equal(norn_cell_bind(&shape, cell, 1, 8, 0, &err), NORN_ERR_USAGE);
        norn_cell_free(cell);
    }
}

static void errors_name_line_column_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t line, column;
        const char *words;
    } cases[] = {
        {"", 1, 1, "the cell has no state"},
        {"state h\nh + 1", 2, 3, "expected \"=\" after the name, found \"+\""},
        {"state h\nh' = x +", 2, 9, "expected a value, found the end of the line"},
        {"state h\nh' = (x + h", 2, 12, "expected an operation or \")\", found the end"},
        {"state h\nh' = x h", 2, 8, "expected an operation or the end of the line, found \"h\""},
        {"state h\nh' = x + q", 2, 10, "nothing is called \"q\" so far"},
        {"state h\nh' = 2*h' + x", 2, 8, "\"h'\" is used before it is given"},
        {"state h\ng = x\nh' = h", 2, 1, "\"g\" is never used"},
        {"state h\nmatrix W\nh' = x", 2, 8, "\"W\" is never used"},
        {"state h\nmatrix W\nh' = W*x + W*h", 3, 12, "stands in a product already"},
        {"state h\nmatrix W\nh' = W*(W*x)", 3, 9, "stands in a product already"},
        {"state h\nmatrix W\nh' = W + x", 3, 8, "expected \"*\" after a matrix, found \"+\""},
        {"state h\nmatrix W\nh' = W*x*h", 3, 9, "is not clear (write W*(...) or (W*...)"},
        {"state h\nmatrix W\nh' = x + W*2", 3, 12, "expected a value that changes from step to step"},
        {"state h\nbias b, b\nh' = x + b", 2, 9, "\"b\" was given in line 2 already"},
        {"state h, tanh\nh' = x", 1, 10, "\"tanh\" means something already"},
        {"state h\nx = h\nh' = x", 2, 1, "\"x\" means something already"},
        {"state h\nc' = x\nh' = x", 2, 1, "\"c\" is not a state (declare it: state c)"},
        {"state h, c\nh' = x", 1, 10, "the state \"c\" gets no new value (add a line c' = ...)"},
        {"state h\nh' = x\nh' = x", 3, 1, "\"h'\" was given already"},
        {"state h\nh' = 2*h", 2, 9, "the cell never reads its input, x"},
        {"state h\nh' = x\nout = 3", 3, 1, "\"out\" is a constant"},
        {"state h\nh' = x\nout = h\nout = h", 4, 1, "\"out\" was given already"},
        {"size P = 2\nstate h, r[P]\nr' = r\nh' = x*r", 4, 7, "different sizes, H and P"},
        {"size P = 2\nstate h, r[P]\nr' = h\nh' = x", 3, 1, "the state \"r\" has size P, its new value H"},
        {"state h[Q]\nh' = x", 1, 9, "expected H or the name of a size, found \"Q\""},
        {"state h\nmatrix W[4]\nh' = W*x", 2, 10, "expected heads, for a block a head, found \"4\""},
        {"state h = x\nh' = x", 1, 11, "expected a number, unit, units"},
        {"state h = uniform(1)\nh' = x", 1, 7, "a state begins with a value"},
        {"state h\nh' = tanh x", 2, 11, "expected \"(\" after the function, found \"x\""},
        {"state h\nh' = max(x)", 2, 11, "expected \",\" and a second argument, found \")\""},
        {"state h\nh' = tanh(x, h)", 2, 12, "expected an operation or \")\", found \",\""},
        {"state h\nh' = x^2", 2, 7, "\"^\" is for initial values only"},
        {"state h\nh' = x + 1/0", 2, 11, "not a finite number"},
        {"state h\nh' = x + 1e999", 2, 10, "expected a number, found \"1e999\""},
        {"state h\nh' = 3x", 2, 6, "expected a number, found \"3x\""},
        {"state h\nh' = x % h", 2, 8, "expected a name, a number or a sign, found \"%\""},
        {"state h\nh' = \xcf\x83(x)", 2, 6, "found \"\xcf\x83\""},
        {"state h\nh' = x; system(1)", 2, 7, "found \";\""},
        {"state h\n\xef\xbb\xbfh' = x", 2, 1, "expected a name, a number or a sign"},
        {"3 = x", 1, 1, "expected cell, size, state, matrix, bias, diagonal, out, or a name"},
        {"cell a\ncell b", 2, 1, "the cell has a name already"},
        {"state\nh' = x", 1, 6, "expected a name, found the end of the line"},
        {"size heads = 2\nsize heads = 3\nstate h\nh' = x", 2, 6, "\"heads\" was given in line 1 already"},
        {"state a2345678901234567890123456789012\na' = x", 1, 7, "has more than 31 letters"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        assert_refused(cases[i].text, strlen(cases[i].text), cases[i].line, cases[i].column, cases[i].words);
}

static void a_nul_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    static const char within[] = "state h\nh' = x\0 + h", comment[] = "state h # a\0b\nh' = x";
    assert_refused(within, sizeof within - 1, 2, 7, "found \"\\x00\"");
    assert_refused(comment, sizeof comment - 1, 1, 12, "found \"\\x00\"");
}

/* head, then `piece` count times (with %d its number), then tail. */
static char *repeated(const char *head, const char *piece, int count, const char *tail)
{
    const size_t size = strlen(head) + strlen(tail) + (size_t)count * (strlen(piece) + 24) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    size_t used = (size_t)snprintf(text, size, "%s", head);
    for (int i = 0; i < count; i++) {
        const char *number = strstr(piece, "%d");
        if (number)
            used += (size_t)snprintf(text + used, size - used, "%.*s%d%s", (int)(number - piece), piece, i,
                                     number + 2);
        else
            used += (size_t)snprintf(text + used, size - used, "%s", piece);
    }
    (void)snprintf(text + used, size - used, "%s", tail);
    return text;
}

static void limits_hold_to_the_last_one(void **state)
{
    (void)state;
    static const struct {
        const char *head, *piece, *tail;
        int most;
        const char *words;
    } cases[] = {
        {"state h\nh' = ", "-", "x", NORN_CELL_DEPTH - 1, "more than 64 operations within each other"},
        {"state h\nh' = x", " + %d*h", "", (NORN_CELL_NODES - 4) / 3, "more than 1024 operations"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char *fits = repeated(cases[i].head, cases[i].piece, cases[i].most, cases[i].tail);
        char *over = repeated(cases[i].head, cases[i].piece, cases[i].most + 1, cases[i].tail);
        norn_cell_free(read_cell(fits));
        norn_cell *cell = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_cell_read(&cell, over, strlen(over), "a.cell", NULL, &err), NORN_ERR_DATA);
        if (!strstr(err.message, cases[i].words)) fail_msg("%s", err.message);
        free(fits);
        free(over);
    }

    /* Declarations, one more than there may be. */
    static const struct {
        const char *head, *piece;
        int most;
        const char *words;
    } lists[] = {
        {"state h, ", "a%d, ", NORN_CELL_STATES - 1, "more than 8 states"},
        {"state h\nmatrix ", "a%d, ", NORN_CELL_MATRICES, "more than 32 matrices"},
        {"state h\nbias ", "a%d, ", NORN_CELL_VECTORS, "more than 64 vectors"},
        {"state h\nsize ", "a%d = 1, ", NORN_CELL_SIZES - NORN_CELL_SIZE_NAMED, "more than 5 sizes"},
    };
    for (size_t i = 0; i < NORN_COUNT(lists); i++)
        for (int over = 0; over < 2; over++) {
            char *text = repeated(lists[i].head, lists[i].piece, lists[i].most + over, "");
            norn_cell *cell = NULL;
            norn_error err = NORN_ERROR_INIT;
            assert_int_equal(norn_cell_read(&cell, text, strlen(text), "a.cell", NULL, &err), NORN_ERR_DATA);
            const char *words = over ? lists[i].words : "expected a name, found the end";
            if (!strstr(err.message, words)) fail_msg("%s", err.message);
            free(text);
        }

    /* Stages. */
    for (int over = 0; over < 2; over++) {
        char names[256] = "", text[1024] = "";
        const int count = NORN_CELL_STAGES + over;
        for (int i = 0; i < count; i++) (void)snprintf(names + strlen(names), 8, "%sU%d", i ? "," : "", i);
        (void)snprintf(text, sizeof text, "state h\nmatrix %s\nh' = x + ", names);
        for (int i = 0; i < count; i++) (void)snprintf(text + strlen(text), 12, "U%d*(h+", i);
        (void)snprintf(text + strlen(text), 12, "h");
        for (int i = 0; i < count; i++) (void)snprintf(text + strlen(text), 4, ")");
        norn_cell *cell = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_cell_read(&cell, text, strlen(text), "a.cell", NULL, &err);
        assert_int_equal(status, over ? NORN_ERR_DATA : NORN_OK);
        if (over) assert_non_null(strstr(err.message, "more than 8 products that wait for each other"));
        norn_cell_free(cell);
    }

    /* Bytes. */
    char *text = malloc(NORN_CELL_TEXT + 1);
    assert_non_null(text);
    static const char formula[] = "state h\nh' = x\n";
    memset(text, ' ', NORN_CELL_TEXT + 1);
    memcpy(text, formula, sizeof formula - 1);
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_read(&cell, text, NORN_CELL_TEXT, "a.cell", NULL, &err), &err);
    norn_cell_free(cell);
    assert_refused(text, NORN_CELL_TEXT + 1, 0, 0, "at most 64 KiB, this one 65");
    free(text);
}

static void memory_that_runs_out_anywhere_is_reported_and_given_back(void **state)
{
    (void)state;
    for (size_t at = 0;; at++) {
        counting_host counter = {.fail_at = at};
        const norn_host host = counting_host_of(&counter);
        norn_cell *cell = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_cell_read(&cell, lstm, strlen(lstm), "a.cell", &host, &err);
        assert_int_equal(status, at && at <= counter.asked ? NORN_ERR_MEMORY : NORN_OK);
        norn_cell_free(cell);
        assert_all_returned(&counter);
        if (at && status == NORN_OK) break;
    }
    counting_host counter = {0};
    const norn_host host = counting_host_of(&counter);
    norn_cell *cell = NULL;
    assert_int_equal(norn_cell_read(&cell, "state h # \0", 11, "a.cell", &host, NULL), NORN_ERR_DATA);
    assert_all_returned(&counter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_formula_becomes_a_graph_in_which_operands_come_first),
        cmocka_unit_test(operations_bind_as_in_mathematics),
        cmocka_unit_test(sizes_are_found_from_the_formula),
        cmocka_unit_test(the_input_used_by_units_is_projected_only_where_widths_differ),
        cmocka_unit_test(heads_must_divide_what_they_divide),
        cmocka_unit_test(a_size_that_is_none_is_refused_when_bound),
        cmocka_unit_test(errors_name_line_column_and_what_was_expected),
        cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(limits_hold_to_the_last_one),
        cmocka_unit_test(memory_that_runs_out_anywhere_is_reported_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
