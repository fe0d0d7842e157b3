/* delta/io/guard.h - what the caller of an apply gave it, called by one thread at a time while two work on it. */
#pragma once

#include <pthread.h>

#include "delta/io/wire.h"

struct delta_guard {
    pthread_mutex_t lock;
    struct delta_run *run;
    const struct hf_delta_in *patch; /* the caller's */
    const struct hf_delta_old *old;
    const struct hf_delta_out *out;
    struct hf_delta_in guarded_patch;
    struct hf_delta_old guarded_old;
    struct hf_delta_out guarded_out;
};

/* From here on, until delta_guard_end(), `run` reads and writes through the guard, which must not move. */
void delta_guard_begin(struct delta_guard *guard, struct delta_run *run);
void delta_guard_end(struct delta_guard *guard);
