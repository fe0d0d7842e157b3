/* SPDX-License-Identifier: Apache-2.0 */
/* Lets two threads share the callbacks of a caller who expects one thread. Begin and end while one thread works; in
 * between, `input`, `reader` and `output` each belong to one thread. */
#pragma once

#include <pthread.h>

#include "delta/io/wire.h"

struct delta_serialized_io {
    pthread_mutex_t lock;
    struct delta_input *input;
    struct delta_old *reader;
    struct delta_output *output;
    const struct hf_delta_in *patch;
    const struct hf_delta_old *old;
    const struct hf_delta_out *out;
    struct hf_delta_in locked_patch;
    struct hf_delta_old locked_old;
    struct hf_delta_out locked_out;
};

/* Do not move *io. */
void delta_serialized_io_begin(struct delta_serialized_io *io, struct delta_input *input, struct delta_old *reader,
                               struct delta_output *output);
void delta_serialized_io_end(struct delta_serialized_io *io);
