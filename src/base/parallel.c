/* Work on all cores: see parallel.h. Signals stay with the threads of the program that we are a part of. */
#include "base/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

typedef struct one_worker {
    pthread_t thread;
    void (*task)(void *user, size_t worker);
    void *user;
    size_t worker;
} one_worker;

size_t norn_cores(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : (size_t)cores;
}

static void *run(void *argument)
{
    one_worker *const one = argument;
    one->task(one->user, one->worker);
    return NULL;
}

void norn_parallel(size_t workers, void (*task)(void *user, size_t worker), void *user)
{
    one_worker others[NORN_MOST_WORKERS];
    sigset_t all, before;
    size_t started = 0;
    const size_t most = workers < NORN_MOST_WORKERS ? workers : NORN_MOST_WORKERS;
    bool masked = false;
    if (most > 1) {
        (void)sigfillset(&all);
        masked = pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
    }
    for (size_t i = 1; i < most && masked; i++) {
        others[started] = (one_worker){.task = task, .user = user, .worker = i};
        if (pthread_create(&others[started].thread, NULL, run, &others[started]) != 0) break;
        started++;
    }
    if (masked) (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    task(user, 0);
    for (size_t i = 0; i < started; i++) (void)pthread_join(others[i].thread, NULL);
}
