/* SPDX-License-Identifier: Apache-2.0 */
/* A buffer of up to 16 MiB, and adding to it in a test. */
#pragma once

#include "base/buf.h"
#include "support/check_main.h"

#define BUF HF_BUF_INIT(16 << 20)

static inline void add(struct hf_buf *buf, const void *bytes, size_t n)
{
    ck_assert_int_eq(hf_buf_add(buf, bytes, n), 0);
}
