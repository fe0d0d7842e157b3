/* delta/io/serialized_io.h - let two threads share the callbacks of one application, whose caller expects one call at a
 * time.
 *
 * Threads: call begin and end while only one thread works; in between, any thread may use input, reader and output. */
#pragma once

#include <pthread.h>

#include "delta/io/wire.h"

struct delta_serialized_io {
    pthread_mutex_t lock;
    struct delta_input *input;
    struct delta_old *reader;
    struct delta_output *output;
    const struct hf_delta_in *patch; /* the caller's three */
    const struct hf_delta_old *old;
    const struct hf_delta_out *out;
    struct hf_delta_in locked_patch;
    struct hf_delta_old locked_old;
    struct hf_delta_out locked_out;
};

/* Redirects the three through `io` until delta_serialized_io_end(). `io` must not move. */
void delta_serialized_io_begin(struct delta_serialized_io *io, struct delta_input *input, struct delta_old *reader,
                               struct delta_output *output);
void delta_serialized_io_end(struct delta_serialized_io *io);
