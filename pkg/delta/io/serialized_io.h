/* delta/io/serialized_io.h - let two threads share the callbacks of an application, of which the caller expects one call at
 * a time.
 *
 * Threads: begin and end while there is one thread; in between, any thread may use the three. */
#pragma once

#include <pthread.h>

#include "delta/io/wire.h"

struct delta_serialized_io {
    pthread_mutex_t lock;
    struct delta_input *input;
    struct delta_old *reader;
    struct delta_output *output;
    const struct hf_delta_in *patch; /* the caller's */
    const struct hf_delta_old *old;
    const struct hf_delta_out *out;
    struct hf_delta_in locked_patch;
    struct hf_delta_old locked_old;
    struct hf_delta_out locked_out;
};

/* Makes the three call through `io`, which must not move, until delta_serialized_io_end(). */
void delta_serialized_io_begin(struct delta_serialized_io *io, struct delta_input *input, struct delta_old *reader,
                               struct delta_output *output);
void delta_serialized_io_end(struct delta_serialized_io *io);
