/* SPDX-License-Identifier: Apache-2.0 */
/* base/buf.h - a growing array of bytes with a maximum size. Also includes base/view.h (borrowed text) and
 * base/asprintf.h.
 *
 * `p` is NULL until the first write. From then on a zero byte follows the content, so `p` is a C string if the content
 * has no zero bytes. A buf never grows beyond `max` bytes of content; a function that would need more bytes returns
 * -E2BIG. Threads: any, one at a time for one buf. */
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

void hf_buf_done(struct hf_buf *buf); /* frees the bytes; the buf is then empty and usable again */
void hf_buf_wipe(struct hf_buf *buf); /* overwrites the bytes with zeros, then frees them */
void hf_buf_clear(struct hf_buf *buf);
struct hf_view hf_buf_view(const struct hf_buf *buf);
const char *hf_buf_str(const struct hf_buf *buf); /* returns the content, or "" if the buf is empty */

/* The next four functions return 0, -E2BIG (maximum reached) or -ENOMEM; hf_buf_addf() also returns -EINVAL if
 * vsnprintf() fails. On failure they leave the content unchanged. */
HF_MUST_USE int hf_buf_reserve(struct hf_buf *buf, size_t more);
HF_MUST_USE int hf_buf_add(struct hf_buf *buf, const void *bytes, size_t n);
HF_MUST_USE int hf_buf_add_str(struct hf_buf *buf, const char *text);
HF_MUST_USE int hf_buf_addf(struct hf_buf *buf, const char *format, ...) HF_PRINTF(2, 3);

void hf_buf_consume(struct hf_buf *buf, size_t n); /* drops the first n bytes */
/* Gives the bytes to the caller, who frees them with free(). If the buf is empty, returns an allocated "". Returns NULL
 * if memory runs out. */
char *hf_buf_take(struct hf_buf *buf);
