/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/io/serialized_io.h"

static ssize_t read_patch(void *ctx, void *bytes, size_t n)
{
    struct delta_serialized_io *io = ctx;

    pthread_mutex_lock(&io->lock);
    ssize_t r = io->patch->read(io->patch->ctx, bytes, n);
    pthread_mutex_unlock(&io->lock);
    return r;
}

static ssize_t read_old(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct delta_serialized_io *io = ctx;

    pthread_mutex_lock(&io->lock);
    ssize_t r = io->old->pread(io->old->ctx, bytes, n, offset);
    pthread_mutex_unlock(&io->lock);
    return r;
}

static int write_out(void *ctx, const void *bytes, size_t n)
{
    struct delta_serialized_io *io = ctx;

    pthread_mutex_lock(&io->lock);
    int r = io->out->write(io->out->ctx, bytes, n);
    pthread_mutex_unlock(&io->lock);
    return r;
}

void delta_serialized_io_begin(struct delta_serialized_io *io, struct delta_input *input, struct delta_old *reader,
                               struct delta_output *output)
{
    pthread_mutex_init(&io->lock, NULL);
    io->input = input;
    io->reader = reader;
    io->output = output;
    io->patch = input->in;
    io->old = reader->file;
    io->out = output->out;
    io->locked_patch = (struct hf_delta_in){io, read_patch};
    io->locked_old = (struct hf_delta_old){io, read_old, io->old->size};
    io->locked_out = (struct hf_delta_out){io, write_out};
    input->in = &io->locked_patch;
    reader->file = &io->locked_old;
    output->out = &io->locked_out;
}

void delta_serialized_io_end(struct delta_serialized_io *io)
{
    io->input->in = io->patch;
    io->reader->file = io->old;
    io->output->out = io->out;
    pthread_mutex_destroy(&io->lock);
}
