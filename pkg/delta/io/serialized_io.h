/* SPDX-License-Identifier: Apache-2.0 */
/* delta/io/serialized_io.h - let two threads share the callbacks of one hf_delta_apply(), whose caller expects only one
 * callback at a time.
 *
 * Threads: call _begin() and _end() while only one thread works. Between _begin() and _end(), several threads may work
 * at once, but each of the objects (input, reader, output) belongs to one thread at a time. */
#pragma once

#include <pthread.h>

#include "delta/io/wire.h"

struct delta_serialized_io {
    pthread_mutex_t lock;
    struct delta_input *input;
    struct delta_old *reader;
    struct delta_output *output;
    /* `patch`, `old` and `out` are the callbacks of hf_delta_apply()'s caller, which _end() puts back. The three fields
     * after these hold the same callbacks with a lock around them. */
    const struct hf_delta_in *patch;
    const struct hf_delta_old *old;
    const struct hf_delta_out *out;
    struct hf_delta_in locked_patch;
    struct hf_delta_old locked_old;
    struct hf_delta_out locked_out;
};

/* Puts a lock around the callbacks of `input`, `reader` and `output` until delta_serialized_io_end(). Do not move
 * *io. */
void delta_serialized_io_begin(struct delta_serialized_io *io, struct delta_input *input, struct delta_old *reader,
                               struct delta_output *output);
void delta_serialized_io_end(struct delta_serialized_io *io);
