/*
 * SIGINT and SIGTERM ask the library to stop through its cancel flag; the command then ends by itself, having
 * written nothing. A second signal does not wait for that. A signal that was ignored when norn was started
 * (nohup, a job in the background of a script) stays ignored. SIGPIPE is ignored so that a closed pipe is a
 * failed write like any other.
 *
 * The handlers need process-wide variables: this file is the only one of Norn that has any.
 */
#include "cli/cli.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static norn_cancel *the_cancel;
static volatile sig_atomic_t caught;
static _Atomic(const char *) unfinished;

static void handle(int number)
{
    if (caught) {
        const char *path = atomic_load(&unfinished);
        if (path) (void)unlink(path);
        _exit(128 + number);
    }
    caught = number;
    norn_cancel_raise(the_cancel);
}

void cli_signals_install(norn_cancel *cancel)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    the_cancel = cancel;
    struct sigaction action = {.sa_handler = handle}; /* no SA_RESTART: a read of a terminal must return */
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before;
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
        (void)sigaction(numbers[i], &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

int cli_signal_caught(void)
{
    return (int)caught;
}

void cli_signals_remove_file(const char *path)
{
    atomic_store(&unfinished, path);
}
