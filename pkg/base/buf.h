/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow up to a maximum, else -E2BIG. Pure.
 *
 * `p` is NULL until the first write or reservation; then a zero byte follows the content. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/asprintf.h"
#include "base/macros.h"
#include "base/view.h"

struct hf_buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
};

#define HF_BUF_INIT(max_bytes)                                                                                         \
    {                                                                                                                  \
        .p = NULL, .n = 0, .cap = 0, .max = (max_bytes)                                                                \
    }

void hf_buf_done(struct hf_buf *buf);
void hf_buf_wipe(struct hf_buf *buf); /* overwrites, then frees */
void hf_buf_wipe_text(char **text);   /* overwrites, frees, and sets to NULL */
void hf_buf_clear(struct hf_buf *buf);
struct hf_view hf_buf_view(const struct hf_buf *buf);
const char *hf_buf_str(const struct hf_buf *buf);

/* On failure the content is unchanged. hf_buf_addf() may also return -EINVAL. */
HF_MUST_USE int hf_buf_reserve(struct hf_buf *buf, size_t more);
HF_MUST_USE int hf_buf_add(struct hf_buf *buf, const void *bytes, size_t n);
HF_MUST_USE int hf_buf_add_str(struct hf_buf *buf, const char *text);
HF_MUST_USE int hf_buf_addf(struct hf_buf *buf, const char *format, ...) HF_PRINTF(2, 3);

void hf_buf_cut(struct hf_buf *buf, size_t n);
void hf_buf_consume(struct hf_buf *buf, size_t n);
/* The caller frees the result, which is "" if the buffer was empty, and NULL without memory. */
char *hf_buf_take(struct hf_buf *buf);
