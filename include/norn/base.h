/*
 * What every other header of Norn stands on: status codes, the error record, the host's services
 * (memory, log, progress, cancelling) and the version.
 *
 * Conventions of the whole library
 *   - A function that can fail returns a norn_status: NORN_OK (0) or a negative code. It fills *err when
 *     err is not NULL and err does not hold an error already: the lowest, first error is never overwritten.
 *   - The result comes first in the argument list and is untouched on failure.
 *   - Objects returned through a pointer are the caller's; the matching norn_..._free accepts NULL.
 *   - Getters return borrowed pointers, valid until the object is freed.
 *   - Option structs begin with their size; start from the ..._INIT value, so that later fields get defaults.
 *     One of size 0 is refused, for what it says would be lost.
 *   - The library never prints, exits, sets the locale, the environment or signal handlers, and keeps no
 *     pointer to the caller's memory beyond what a comment says.
 *   - One norn_context is one device with one in-order queue for one thread at a time. Contexts are
 *     independent of each other. Everything else is as thread-safe as plain data.
 */
#ifndef NORN_BASE_H
#define NORN_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NORN_PRINTF(format_index, first_argument)                                                            \
    __attribute__((format(printf, format_index, first_argument)))
#else
#define NORN_PRINTF(format_index, first_argument)
#endif

#define NORN_VERSION_MAJOR 0
#define NORN_VERSION_MINOR 1
#define NORN_VERSION_PATCH 0
#define NORN_VERSION       "0.1.0"

/* The version of the library that is linked, "major.minor.patch". */
const char *norn_version(void);

/* ---- status and errors ------------------------------------------------------------------------------- */

typedef enum norn_status {
    NORN_OK = 0,
    NORN_ERR_USAGE = -1,     /* an option or argument makes no sense, by itself or for this data */
    NORN_ERR_DATA = -2,      /* the content of an input file is not what it must be */
    NORN_ERR_INPUT = -3,     /* an input file cannot be opened or read */
    NORN_ERR_OUTPUT = -4,    /* an output file cannot be created, written or renamed */
    NORN_ERR_MEMORY = -5,    /* host memory is exhausted */
    NORN_ERR_DEVICE = -6,    /* no platform, no device, no device of that name */
    NORN_ERR_OPENCL = -7,    /* an OpenCL or CLBlast call failed; err->call and err->code say which */
    NORN_ERR_BUILD = -8,     /* a kernel did not compile; err->log holds the compiler's words */
    NORN_ERR_CANCELLED = -9, /* the host's cancel flag was raised */
    NORN_ERR_NUMERIC = -10,  /* training met a value that is not finite */
    NORN_ERR_INTERNAL = -11  /* a defect of Norn itself */
} norn_status;

/* The name of a status without prefix ("data", "opencl", ...); "unknown" for a value that is none. */
const char *norn_status_name(norn_status status);

typedef struct norn_error {
    norn_status status;
    char message[768]; /* one line: what is wrong and what mends it, without the position */
    char file[512];    /* input file the error lies in, or "" */
    uint64_t line;     /* physical line in that file, from 1; 0: none */
    uint64_t column;   /* field number in that line, from 1; 0: none */
    char call[64];     /* OpenCL or CLBlast call, or "" */
    int code;          /* its return code */
    char log[4096];    /* build log of a kernel, cut to fit, or "" */
} norn_error;

#define NORN_ERROR_INIT                                                                                      \
    {                                                                                                        \
        NORN_OK, "", "", 0, 0, "", 0, ""                                                                     \
    }

/* ---- what the library asks of its host --------------------------------------------------------------- */

typedef enum norn_log_level { NORN_LOG_INFO = 0, NORN_LOG_WARNING = 1 } norn_log_level;

/* Where a long job stands. Fields that have no meaning for a job are 0. */
typedef struct norn_progress {
    size_t size;         /* of this struct, set by the library */
    const char *stage;   /* "read", "train"; of others `what` says what is counted */
    uint64_t done;       /* bytes read, epochs finished, or forecasts made */
    uint64_t total;      /* of how many at most; 0: unknown */
    double train_loss;   /* mean over the live members, in scaled units */
    double valid_loss;   /* likewise */
    double windows_rate; /* training windows a second */
    double seconds_left; /* estimate; negative: unknown */
    const char *what;    /* "NLinear", "intervals"; NULL: the stage says it */
    double rate;         /* of what is counted, a second; 0: unknown */
} norn_progress;

/* A flag that any thread or signal handler may raise; the library looks at it between launches. */
typedef struct norn_cancel norn_cancel;
norn_status norn_cancel_new(norn_cancel **out);
void norn_cancel_raise(norn_cancel *cancel);       /* async-signal-safe */
int norn_cancel_raised(const norn_cancel *cancel); /* NULL: 0 */
void norn_cancel_free(norn_cancel *cancel);

typedef struct norn_profile norn_profile;

/*
 * The host's services. A library function that takes a const norn_host * copies it; NULL stands for
 * malloc, silence and no cancelling, and so does one of size 0, whatever else it says: begin with
 * NORN_HOST_INIT.
 *
 * resize has the meaning of realloc: ptr NULL allocates, new_size 0 frees and returns NULL. It must be
 * callable from the thread that called the library.
 */
typedef struct norn_host {
    size_t size;                                                              /* sizeof(norn_host) */
    void *user;                                                               /* handed to every callback */
    void *(*resize)(void *user, void *ptr, size_t old_size, size_t new_size); /* NULL: realloc */
    void (*log)(void *user, norn_log_level level, const char *text);          /* NULL: silent */
    void (*progress)(void *user, const norn_progress *progress);              /* NULL: silent */
    const norn_cancel *cancel;                                                /* NULL: never */
    norn_profile *profile; /* NULL: nothing is measured; see norn/profile.h */
} norn_host;

#define NORN_HOST_INIT                                                                                       \
    {                                                                                                        \
        sizeof(norn_host), NULL, NULL, NULL, NULL, NULL, NULL                                                \
    }

#ifdef __cplusplus
}
#endif
#endif
