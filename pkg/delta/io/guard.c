#include "delta/io/guard.h"

static ssize_t read_patch(void *ctx, void *bytes, size_t n)
{
    struct delta_guard *guard = ctx;

    pthread_mutex_lock(&guard->lock);
    ssize_t r = guard->patch->read(guard->patch->ctx, bytes, n);
    pthread_mutex_unlock(&guard->lock);
    return r;
}

static ssize_t read_old(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct delta_guard *guard = ctx;

    pthread_mutex_lock(&guard->lock);
    ssize_t r = guard->old->pread(guard->old->ctx, bytes, n, offset);
    pthread_mutex_unlock(&guard->lock);
    return r;
}

static int write_out(void *ctx, const void *bytes, size_t n)
{
    struct delta_guard *guard = ctx;

    pthread_mutex_lock(&guard->lock);
    int r = guard->out->write(guard->out->ctx, bytes, n);
    pthread_mutex_unlock(&guard->lock);
    return r;
}

void delta_guard_begin(struct delta_guard *guard, struct delta_run *run)
{
    pthread_mutex_init(&guard->lock, NULL);
    guard->run = run;
    guard->patch = run->input->in;
    guard->old = run->old->file;
    guard->out = run->output.out;
    guard->guarded_patch = (struct hf_delta_in){guard, read_patch};
    guard->guarded_old = (struct hf_delta_old){guard, read_old, guard->old->size};
    guard->guarded_out = (struct hf_delta_out){guard, write_out};
    run->input->in = &guard->guarded_patch;
    run->old->file = &guard->guarded_old;
    run->output.out = &guard->guarded_out;
}

void delta_guard_end(struct delta_guard *guard)
{
    guard->run->input->in = guard->patch;
    guard->run->old->file = guard->old;
    guard->run->output.out = guard->out;
    pthread_mutex_destroy(&guard->lock);
}
