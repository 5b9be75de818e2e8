/*
 * What the terminal behind stderr can show, how wide text is on it, and the one line that moves: progress.
 *
 * The command never calls setlocale, so that numbers are read and written the same everywhere; whether the
 * terminal understands UTF-8 is taken from the same variables that setlocale would look at.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The variable's text, NULL when unset or empty. */
static const char *variable(const char *name)
{
    const char *text = getenv(name);
    return text && text[0] ? text : NULL;
}

static bool locale_is_utf8(void)
{
    const char *text = variable("LC_ALL");
    if (!text) text = variable("LC_CTYPE");
    if (!text) text = variable("LANG");
    for (; text && *text; text++)
        if (strncasecmp(text, "utf-8", 5) == 0 || strncasecmp(text, "utf8", 4) == 0) return true;
    return false;
}

static int find_columns(int descriptor, bool terminal)
{
    enum { LEAST = 40, MOST = 400, USUAL = 80 };
    struct winsize window;
    long columns = 0;
    if (terminal && ioctl(descriptor, TIOCGWINSZ, &window) == 0) columns = window.ws_col;
    const char *text = variable("COLUMNS");
    if (columns <= 0 && text) columns = strtol(text, NULL, 10);
    if (columns <= 0) columns = USUAL;
    return (int)(columns < LEAST ? LEAST : columns > MOST ? MOST : columns);
}

cli_screen cli_screen_of(int descriptor)
{
    const bool terminal = isatty(descriptor) == 1;
    const char *kind = variable("TERM");
    cli_screen screen = {.live = terminal && kind && strcmp(kind, "dumb") != 0};
    screen.colour = screen.live && !variable("NO_COLOR"); /* no-color.org: set and not empty */
    screen.unicode = locale_is_utf8();
    screen.columns = find_columns(descriptor, terminal);
    return screen;
}

cli_screen cli_screen_find(void)
{
    return cli_screen_of(STDERR_FILENO);
}

const char *cli_paint_on(const cli_screen *screen, cli_paint paint)
{
    static const char *const codes[] = {[PAINT_NONE] = "",
                                        [PAINT_DIM] = "\033[2m",
                                        [PAINT_BOLD] = "\033[1m",
                                        [PAINT_GOOD] = "\033[32m",
                                        [PAINT_BAD] = "\033[31m"};
    return screen->colour ? codes[paint] : "";
}

const char *cli_paint_off(const cli_screen *screen)
{
    return screen->colour ? "\033[0m" : "";
}

/* ---- width -----------------------------------------------------------------------------------------------
 */

/* Decodes the character at *text and steps over it; a byte that is no UTF-8 counts as one character. */
static unsigned long next_character(const unsigned char **text)
{
    const unsigned char *at = *text;
    const int more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc0 ? 1 : 0;
    static const unsigned char masks[] = {0xff, 0x1f, 0x0f, 0x07};
    unsigned long character = at[0] & masks[more];
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            ++*text;
            return at[0];
        }
        character = character << 6 | (at[i] & 0x3f);
    }
    *text = at + more + 1;
    return character;
}

int cli_columns(const char *text)
{
    /* Blocks of Unicode whose characters take no column, or two (East Asian Width W and F, UAX 11). */
    static const struct {
        unsigned long first, last;
        int columns;
    } blocks[] = {
        {0x0300, 0x036f, 0},   {0x200b, 0x200f, 0},   {0xfe00, 0xfe0f, 0}, {0x1100, 0x115f, 2},
        {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},
        {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2}, {0x1f300, 0x1f64f, 2},
        {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };
    int columns = 0;
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        const unsigned long character = next_character(&at);
        int width = 1;
        for (size_t i = 0; i < NORN_COUNT(blocks); i++)
            if (character >= blocks[i].first && character <= blocks[i].last) width = blocks[i].columns;
        columns += width;
    }
    return columns;
}

/* ---- progress --------------------------------------------------------------------------------------------
 */

static const char *span_text(char *out, size_t size, double seconds)
{
    const long whole = (long)(seconds + 0.5);
    if (whole < 100)
        (void)snprintf(out, size, "%ld s", whole);
    else if (whole < 6000)
        (void)snprintf(out, size, "%ld min", (whole + 30) / 60);
    else
        (void)snprintf(out, size, "%ld h", (whole + 1800) / 3600);
    return out;
}

static void bar(cli_text *out, const cli_screen *screen, double share)
{
    enum { WIDTH = 20 };
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const int filled = (int)(share * WIDTH * 8);
    int columns = filled / 8;
    for (int i = 0; i < columns; i++) cli_text_put(out, screen->unicode ? "█" : "#");
    if (screen->unicode && columns < WIDTH && filled % 8) {
        cli_text_put(out, eighths[filled % 8]);
        columns++;
    }
    for (; columns < WIDTH; columns++) cli_text_put(out, screen->unicode ? " " : ".");
}

void cli_progress_draw(void *user, const norn_progress *progress)
{
    enum { BAR_FROM = 60 }; /* columns */
    cli_state *const cli = user;
    cli_signals_keep(); /* a kernel may have been compiled since the last call */
    if (cli->quiet || !cli->screen.live) return;
    const double now = norn_seconds();
    if (now < cli->progress.next) return;
    const double first = cli->progress.next;
    cli->progress.next = now + 0.1;
    if (first == 0.0) { /* what is over within half a second needs no progress line */
        cli->progress.next = now + 0.5;
        return;
    }

    cli_text line = {NULL, 0, 0, false};
    char span[32];
    const cli_screen *screen = &cli->screen;
    if (progress->stage && strcmp(progress->stage, "read") == 0) {
        cli_text_format(&line, "  reading  %.0f MB", (double)progress->done / 1e6);
        if (progress->total) cli_text_format(&line, " of %.0f MB", (double)progress->total / 1e6);
    } else if (progress->what) {
        cli_text_format(&line, "  %s ", progress->what);
        if (progress->total && screen->columns >= BAR_FROM) {
            const double share = (double)progress->done / (double)progress->total;
            bar(&line, screen, share < 1.0 ? share : 1.0);
        }
        cli_text_format(&line, " %llu of %llu", (unsigned long long)progress->done,
                        (unsigned long long)progress->total);
        if (progress->rate > 0.0) cli_text_format(&line, "  %.*f/s", progress->rate < 10.0, progress->rate);
        if (progress->seconds_left >= 0.0)
            cli_text_format(&line, "  %s left", span_text(span, sizeof span, progress->seconds_left));
    } else {
        if (progress->total) {
            const double share = (double)progress->done / (double)progress->total;
            cli_text_put(&line, "  training ");
            if (screen->columns >= BAR_FROM) bar(&line, screen, share < 1.0 ? share : 1.0);
            cli_text_format(&line, " epoch %llu/%llu", (unsigned long long)progress->done,
                            (unsigned long long)progress->total);
        } else {
            cli_text_format(&line, "  training  epoch %llu", (unsigned long long)progress->done);
        }
        if (progress->done)
            cli_text_format(&line, "  loss %.4g  validation %.4g", progress->train_loss,
                            progress->valid_loss);
        if (progress->windows_rate > 0.0) cli_text_format(&line, "  %.0f windows/s", progress->windows_rate);
        if (progress->seconds_left >= 0.0)
            cli_text_format(&line, "  at most %s", span_text(span, sizeof span, progress->seconds_left));
    }
    /* Too long for the terminal, it would wrap and could not be wiped: drop whole items from the right. */
    while (!line.failed && cli_columns(line.bytes) >= screen->columns) {
        char *end = line.bytes + line.length;
        while (end > line.bytes + 2 && !(end[-1] == ' ' && end[-2] == ' ')) end--;
        if (end <= line.bytes + 2) break;
        end -= 2;
        *end = '\0';
        line.length = (size_t)(end - line.bytes);
    }
    if (!line.failed) {
        (void)fprintf(stderr, "\r\033[K%s%s%s", cli_paint_on(screen, PAINT_DIM), line.bytes,
                      cli_paint_off(screen));
        (void)fflush(stderr);
        cli->progress.shown = true;
    }
    cli_text_free(&line);
}

void cli_progress_clear(cli_state *cli)
{
    if (!cli->progress.shown) return;
    (void)fputs("\r\033[K", stderr);
    (void)fflush(stderr);
    cli->progress.shown = false;
}

void cli_log(void *user, norn_log_level level, const char *text)
{
    cli_state *const cli = user;
    if (cli->quiet || (level == NORN_LOG_INFO && !cli->debug)) return;
    cli_progress_clear(cli);
    (void)fprintf(stderr, "norn: %s%s\n", level == NORN_LOG_WARNING ? "warning: " : "", text);
}
