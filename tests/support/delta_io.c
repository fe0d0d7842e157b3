/* SPDX-License-Identifier: Apache-2.0 */
#include "support/delta_io.h"

#include <errno.h>
#include <string.h>

static ssize_t get_at(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct delta_io *file = ctx;

    if (offset >= file->n)
        return 0;
    n = HF_MIN(n, file->n - (size_t)offset);
    if (file->step > 0)
        n = HF_MIN(n, file->step);
    memcpy(bytes, (const char *)file->p + offset, n);
    return (ssize_t)n;
}

static ssize_t get(void *ctx, void *bytes, size_t n)
{
    struct delta_io *file = ctx;

    if (file->fail_at > 0 && file->at >= file->fail_at)
        return -EIO;
    ssize_t got = get_at(file, bytes, n, file->at);
    file->at += (size_t)got;
    return got;
}

static int put(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

struct delta_io delta_io_of(const struct hf_buf *buf)
{
    return (struct delta_io){.p = buf->p, .n = buf->n};
}

struct hf_delta_old delta_io_old(struct delta_io *file)
{
    return (struct hf_delta_old){file, get_at, file->n};
}

struct hf_delta_in delta_io_in(struct delta_io *file)
{
    file->at = 0;
    return (struct hf_delta_in){file, get};
}

struct hf_delta_out delta_io_out(struct hf_buf *buf)
{
    return (struct hf_delta_out){buf, put};
}

struct hf_delta_apply_params delta_io_params(struct delta_io *old, struct delta_io *patch, struct hf_buf *made)
{
    return (struct hf_delta_apply_params){
        .old = delta_io_old(old), .patch = delta_io_in(patch), .out = delta_io_out(made)};
}
