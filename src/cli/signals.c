/*
 * SIGINT and SIGTERM ask the library to stop through its cancel flag; the command then ends by itself, having
 * written nothing. A second signal does not wait for that; it counts half a second after the first, since
 * timeout(1) and other wrappers send the same one twice. A signal that was ignored when norn was started
 * (nohup, a job in the background of a script) stays ignored. SIGPIPE is ignored so that a closed pipe is a
 * failed write like any other.
 *
 * The handlers need process-wide variables: this file is the only one of Norn that has any.
 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static norn_cancel *the_cancel;
static volatile sig_atomic_t caught;
static _Atomic(int64_t) caught_at; /* milliseconds */
static _Atomic(const char *) unfinished;

static void handle(int number)
{
    enum { TWICE = 500 }; /* milliseconds */
    const int saved = errno;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* async-signal-safe */
    const int64_t time = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    errno = saved;
    if (caught) {
        if (time - atomic_load(&caught_at) < TWICE) return;
        const char *path = atomic_load(&unfinished);
        if (path) (void)unlink(path);
        _exit(128 + number);
    }
    atomic_store(&caught_at, time);
    caught = number;
    if (the_cancel) norn_cancel_raise(the_cancel);
}

static const int numbers[] = {SIGINT, SIGTERM};
static bool ours[2]; /* of numbers: not ignored when we were started */

void cli_signals_install(norn_cancel *cancel)
{
    the_cancel = cancel;
    for (int i = 0; i < 2; i++) {
        struct sigaction before;
        ours[i] = sigaction(numbers[i], NULL, &before) != 0 || before.sa_handler != SIG_IGN;
    }
    cli_signals_keep();
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

void cli_signals_keep(void)
{
    struct sigaction action = {.sa_handler = handle}; /* no SA_RESTART: a read of a terminal must return */
    (void)sigemptyset(&action.sa_mask);
    for (int i = 0; i < 2; i++)
        if (ours[i]) (void)sigaction(numbers[i], &action, NULL);
}

int cli_signal_caught(void)
{
    return (int)caught;
}

void cli_signals_remove_file(const char *path)
{
    atomic_store(&unfinished, path);
}
