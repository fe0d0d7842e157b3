/* delta/io/serialized_io.h - what the caller of an apply gave it, called by one thread at a time while two work on it. */
#pragma once

#include <pthread.h>

#include "delta/io/wire.h"

struct delta_serialized_io {
    pthread_mutex_t lock;
    struct delta_apply_state *apply;
    const struct hf_delta_in *patch; /* the caller's */
    const struct hf_delta_old *old;
    const struct hf_delta_out *out;
    struct hf_delta_in locked_patch;
    struct hf_delta_old locked_old;
    struct hf_delta_out locked_out;
};

/* From here on, until delta_serialized_io_end(), `apply` reads and writes through the io, which must not move. */
void delta_serialized_io_begin(struct delta_serialized_io *io, struct delta_apply_state *apply);
void delta_serialized_io_end(struct delta_serialized_io *io);
