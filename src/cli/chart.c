/*
 * Line charts in a terminal. A cell of text holds 2 x 4 dots of Unicode's braille patterns, so that 60 x 16
 * cells show 120 x 64 points; without UTF-8 a cell is one dot and each series has a letter of its own. Series
 * differ by what they are drawn with and, where the terminal allows, by colour.
 *
 *   y label -> 600 ┤⠀⠀⠀⠀⡠⠤⢄   <- cells: layers of dots, later series above earlier ones
 *                   └──┬────    <- axis, labels of time below it
 */
#include "cli/cli.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 120, MOST_TICKS = 24 };

typedef struct cell {
    unsigned char dots; /* braille pattern; any bit: drawn */
    signed char series; /* whose colour and glyph, -1: none */
    bool mark, rule;
} cell;

typedef struct chart_canvas {
    cell *cells;       /* [rows][columns] */
    int columns, rows; /* in cells */
    int across, down;  /* dots in a cell */
    double low, high;  /* values at the lowest and highest dot */
    long first, last;  /* places at the left and right dot */
    const cli_chart *chart;
    const cli_screen *screen;
} chart_canvas;

/* How a series looks: colour by its place, glyph by its kind. */
static const char *const colours[] = {"", "\033[33m", "\033[1;36m", "\033[35m"};
static const char *const unicode_marks[] = {[CHART_LINE] = "⠒", [CHART_DOTS] = "•", [CHART_THICK] = "⠶"};
static const char *const ascii_marks[] = {[CHART_LINE] = ".", [CHART_DOTS] = "o", [CHART_THICK] = "#"};

static const char *glyph(const chart_canvas *canvas, size_t series)
{
    const chart_mark mark = canvas->chart->series[series].mark;
    return canvas->screen->unicode ? unicode_marks[mark] : ascii_marks[mark];
}

static const char *colour(const chart_canvas *canvas, size_t series)
{
    return canvas->screen->colour ? colours[series % NORN_COUNT(colours)] : "";
}

/* ---- from values to dots ---------------------------------------------------------------------------------
 */

static int dot_x(const chart_canvas *canvas, long place)
{
    const double width = canvas->columns * canvas->across - 1;
    const double span = (double)(canvas->last - canvas->first);
    return span > 0.0 ? (int)lround((double)(place - canvas->first) * width / span) : 0;
}

static int dot_y(const chart_canvas *canvas, double value)
{
    const double height = canvas->rows * canvas->down - 1;
    return (int)lround((canvas->high - value) * height / (canvas->high - canvas->low));
}

static void dot(chart_canvas *canvas, int x, int y, size_t series)
{
    static const unsigned char bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= canvas->columns * canvas->across || y >= canvas->rows * canvas->down) return;
    cell *at = &canvas->cells[(y / canvas->down) * canvas->columns + x / canvas->across];
    at->dots |= bits[y % canvas->down][x % canvas->across];
    at->series = (signed char)series;
}

static void thick_dot(chart_canvas *canvas, int x, int y, size_t series)
{
    dot(canvas, x, y, series);
    if (canvas->chart->series[series].mark == CHART_THICK && canvas->down > 1) dot(canvas, x, y + 1, series);
}

/* Bresenham's line. */
static void line(chart_canvas *canvas, int x0, int y0, int x1, int y1, size_t series)
{
    const int dx = abs(x1 - x0), dy = -abs(y1 - y0), step_x = x0 < x1 ? 1 : -1, step_y = y0 < y1 ? 1 : -1;
    int error = dx + dy;
    for (;;) {
        thick_dot(canvas, x0, y0, series);
        if (x0 == x1 && y0 == y1) return;
        const int twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += step_x;
        }
        if (twice <= dx) {
            error += dx;
            y0 += step_y;
        }
    }
}

static void draw_series(chart_canvas *canvas, size_t index)
{
    const chart_series *series = &canvas->chart->series[index];
    bool before = false;
    int last_x = 0, last_y = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (!isfinite(series->values[i])) {
            before = false;
            continue;
        }
        const int x = dot_x(canvas, series->start + (long)i), y = dot_y(canvas, series->values[i]);
        if (series->mark == CHART_DOTS) {
            cell *at = &canvas->cells[(y / canvas->down) * canvas->columns + x / canvas->across];
            at->mark = true;
            at->series = (signed char)index;
        } else if (before) {
            line(canvas, last_x, last_y, x, y, index);
        } else {
            thick_dot(canvas, x, y, index);
        }
        before = true;
        last_x = x;
        last_y = y;
    }
}

/* ---- scales ----------------------------------------------------------------------------------------------
 */

/* 1, 2, 2.5 or 5 times a power of ten, such that `span` has at most `most` steps. */
static double nice_step(double span, int most)
{
    static const double steps[] = {1.0, 2.0, 2.5, 5.0, 10.0};
    const double power = pow(10.0, floor(log10(span / most)));
    for (size_t i = 0; i < NORN_COUNT(steps); i++)
        if (span / (steps[i] * power) <= most) return steps[i] * power;
    return 10.0 * power;
}

static void tick_text(char *out, size_t size, double value, double step)
{
    int decimals = (int)ceil(-log10(step) - 1e-9);
    if (decimals < 0) decimals = 0;
    /* 0.25 needs one more than 0.2 */
    if (decimals < 12 && fabs(step * pow(10.0, decimals) - round(step * pow(10.0, decimals))) > 1e-6)
        decimals++;
    if (fabs(value) < step * 1e-6) value = 0.0;
    if (decimals > 6 || fabs(value) >= 1e9)
        (void)snprintf(out, size, "%.4g", value);
    else
        (void)snprintf(out, size, "%.*f", decimals, value);
}

static bool find_scales(chart_canvas *canvas)
{
    const cli_chart *chart = canvas->chart;
    bool any = false;
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++) {
            const double value = chart->series[s].values[i];
            const long place = chart->series[s].start + (long)i;
            if (!isfinite(value)) continue;
            if (!any || value < canvas->low) canvas->low = value;
            if (!any || value > canvas->high) canvas->high = value;
            if (!any || place < canvas->first) canvas->first = place;
            if (!any || place > canvas->last) canvas->last = place;
            any = true;
        }
    if (!any) return false;
    double margin = 0.03 * (canvas->high - canvas->low);
    if (!(margin > fabs(canvas->high) * 1e-12)) margin = canvas->high == 0.0 ? 1.0 : 0.1 * fabs(canvas->high);
    canvas->low -= margin;
    canvas->high += margin;
    return isfinite(canvas->high - canvas->low);
}

/* ---- printing --------------------------------------------------------------------------------------------
 */

static void put_cell(const chart_canvas *canvas, cli_text *out, const cell *at)
{
    const char *paint = at->series >= 0 ? colour(canvas, (size_t)at->series)
                        : at->rule      ? cli_paint_on(canvas->screen, PAINT_DIM)
                                        : "";
    cli_text_put(out, paint);
    if (at->mark) {
        cli_text_put(out, glyph(canvas, (size_t)at->series));
    } else if (at->dots && canvas->screen->unicode) {
        cli_text_braille(out, at->dots);
    } else if (at->dots) {
        cli_text_put(out, glyph(canvas, (size_t)at->series));
    } else if (at->rule) {
        cli_text_put(out, canvas->screen->unicode ? "┊" : ":");
    } else {
        cli_text_put(out, " ");
    }
    if (paint[0]) cli_text_put(out, cli_paint_off(canvas->screen));
}

/* The labels of time that fit without touching, and their ticks on the axis. */
static void put_time_axis(const chart_canvas *canvas, cli_text *out, int margin)
{
    enum { GAP = 2 };
    const cli_chart *chart = canvas->chart;
    const bool unicode = canvas->screen->unicode;
    const int width = margin + 1 + canvas->columns;
    char *texts = malloc((size_t)width + 1);
    bool *ticks = calloc((size_t)canvas->columns, sizeof *ticks);
    if (!texts || !ticks) {
        out->failed = true;
        goto done;
    }
    memset(texts, ' ', (size_t)width);
    texts[width] = '\0';
    for (size_t i = 0; i < chart->label_count; i++) {
        const int length = (int)strlen(chart->labels[i].text); /* times are ASCII */
        const int column = dot_x(canvas, chart->labels[i].at) / canvas->across;
        int from = margin + 1 + column - length / 2;
        if (from + length > width) from = width - length;
        if (from < 0) from = 0;
        bool free_place = true;
        for (int c = from - GAP; c < from + length + GAP; c++)
            if (c >= 0 && c < width && texts[c] != ' ') free_place = false;
        if (!free_place) continue;
        memcpy(texts + from, chart->labels[i].text, (size_t)length);
        ticks[column] = true;
    }
    cli_text_format(out, "%*s%s", margin, "", unicode ? "└" : "+");
    for (int c = 0; c < canvas->columns; c++)
        cli_text_put(out, ticks[c] ? (unicode ? "┬" : "+") : (unicode ? "─" : "-"));
    int end = width;
    while (end > 0 && texts[end - 1] == ' ') end--;
    cli_text_format(out, "\n%.*s\n", end, texts);
done:
    free(texts);
    free(ticks);
}

static void put_legend(const chart_canvas *canvas, cli_text *out, int margin)
{
    bool any = false;
    for (size_t s = 0; s < canvas->chart->series_count; s++) any |= canvas->chart->series[s].name != NULL;
    if (!any) return;
    cli_text_format(out, "%*s", margin + 1, "");
    int used = margin + 1;
    for (size_t s = 0; s < canvas->chart->series_count; s++) {
        const chart_series *series = &canvas->chart->series[s];
        if (!series->name) continue;
        const int columns = 3 + cli_columns(series->name);
        if (s && used + 3 + columns > canvas->screen->columns) {
            cli_text_format(out, "\n%*s", margin + 1, "");
            used = margin + 1;
        } else if (s) {
            cli_text_put(out, "   ");
            used += 3;
        }
        cli_text_put(out, colour(canvas, s));
        cli_text_put(out, glyph(canvas, s));
        cli_text_put(out, glyph(canvas, s));
        if (colour(canvas, s)[0]) cli_text_put(out, cli_paint_off(canvas->screen));
        cli_text_format(out, " %s", series->name);
        used += columns;
    }
    cli_text_put(out, "\n");
}

void chart_draw(const cli_screen *screen, cli_text *out, const cli_chart *chart)
{
    chart_canvas canvas = {.chart = chart, .screen = screen, .rows = chart->rows};
    canvas.across = screen->unicode ? 2 : 1;
    canvas.down = screen->unicode ? 4 : 1;
    if (!find_scales(&canvas)) return;

    /* ticks first: the widest label decides what is left for the plot */
    struct {
        int row;
        char text[32];
    } ticks[MOST_TICKS];
    size_t tick_count = 0;
    int margin = 0;
    const double step = nice_step(canvas.high - canvas.low, chart->rows > 8 ? chart->rows / 3 : 2);
    for (double k = ceil(canvas.low / step); k * step <= canvas.high && tick_count < MOST_TICKS; k += 1.0) {
        ticks[tick_count].row = dot_y(&canvas, k * step) / canvas.down;
        tick_text(ticks[tick_count].text, sizeof ticks[0].text, k * step, step);
        const int length = (int)strlen(ticks[tick_count].text);
        if (length + 2 > margin) margin = length + 2;
        tick_count++;
    }
    const int most = screen->columns < MOST_COLUMNS ? screen->columns : MOST_COLUMNS;
    canvas.columns = most - margin - 3;
    if (canvas.columns < 10) return;
    canvas.cells = calloc((size_t)canvas.columns * (size_t)canvas.rows, sizeof *canvas.cells);
    if (!canvas.cells) {
        out->failed = true;
        return;
    }
    for (int i = 0; i < canvas.columns * canvas.rows; i++) canvas.cells[i].series = -1;
    for (size_t r = 0; r < chart->rule_count; r++) {
        const int column = dot_x(&canvas, chart->rules[r]) / canvas.across;
        for (int row = 0; row < canvas.rows && column < canvas.columns; row++)
            canvas.cells[row * canvas.columns + column].rule = true;
    }
    for (size_t s = 0; s < chart->series_count; s++) draw_series(&canvas, s);

    if (chart->title) cli_text_format(out, "%*s%s\n", margin + 1, "", chart->title);
    for (int row = 0; row < canvas.rows; row++) {
        const char *label = "";
        for (size_t t = 0; t < tick_count; t++)
            if (ticks[t].row == row) label = ticks[t].text;
        const char *axis = screen->unicode ? (label[0] ? " ┤" : " │") : (label[0] ? " +" : " |");
        cli_text_pad(out, label, margin - 1);
        cli_text_put(out, axis);
        const cell *cells = &canvas.cells[row * canvas.columns];
        int end = canvas.columns;
        while (end > 0 && !cells[end - 1].dots && !cells[end - 1].mark && !cells[end - 1].rule) end--;
        for (int c = 0; c < end; c++) put_cell(&canvas, out, &cells[c]);
        cli_text_put(out, "\n");
    }
    put_time_axis(&canvas, out, margin);
    put_legend(&canvas, out, margin);
    free(canvas.cells);
}
