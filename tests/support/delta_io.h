/* SPDX-License-Identifier: Apache-2.0 */
/* support/delta_io.h - bytes in memory as the files that a delta is made from and applied to. */
#pragma once

#include "base/buf.h"
#include "delta/delta.h"

/* A file to be read, from its first byte on, or anywhere. */
struct delta_io {
    const void *p;
    size_t n, at;
    size_t step;    /* at most so many bytes at once, 0: any number */
    size_t fail_at; /* reading in order fails with EIO from here on, 0: never */
};

struct delta_io delta_io_of(const struct hf_buf *buf);
struct hf_delta_old delta_io_old(struct delta_io *file);
struct hf_delta_in delta_io_in(struct delta_io *file);
/* A file to be written: what comes is appended, as far as the buf's maximum allows. */
struct hf_delta_out delta_io_out(struct hf_buf *buf);
/* All three. */
struct hf_delta_apply_params delta_io_params(struct delta_io *old, struct delta_io *patch, struct hf_buf *made);
