/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "spool/crc32c.h"

enum { DIGITS = HF_SPOOL_STREAM_TEXT - 1, LINE_MAX_BYTES = 80 };

static const char prefix[] = "holdfast-spool-stream ";

/* "holdfast-spool-stream <32 hex digits> <CRC of the digits, 8 hex digits>\n" */
static size_t format_line(const char *digits, char line[LINE_MAX_BYTES])
{
    return (size_t)snprintf(line, LINE_MAX_BYTES, "%s%.*s %08" PRIx32 "\n", prefix, DIGITS, digits,
                            hf_crc32c(0, digits, DIGITS));
}

int hf_spool_stream_load(const struct hf_fs_ops *fs, const char *dir, char ret_text[HF_SPOOL_STREAM_TEXT],
                         struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(LINE_MAX_BYTES);
    char path[PATH_MAX], line[LINE_MAX_BYTES];
    size_t at = sizeof(prefix) - 1;

    (void)snprintf(path, sizeof(path), "%s/stream", dir);
    int r = hf_file_read(fs, path, &text, err);
    if (r == -E2BIG)
        return hf_err_set(err, EBADMSG, "'%s' is damaged", path);
    if (r < 0)
        return r;
    /* The text is valid if formatting its digits gives the same text. */
    if (text.n < at + DIGITS || strspn(text.p + at, "0123456789abcdef") != DIGITS ||
        format_line(text.p + at, line) != text.n || memcmp(line, text.p, text.n) != 0)
        return hf_err_set(err, EBADMSG, "'%s' is damaged", path);
    (void)snprintf(ret_text, HF_SPOOL_STREAM_TEXT, "%.*s", DIGITS, text.p + at);
    return 0;
}

int hf_spool_stream_store(const struct hf_fs_ops *fs, const char *dir, const char *text, struct hf_err *err)
{
    char path[PATH_MAX], line[LINE_MAX_BYTES];
    size_t n = format_line(text, line);

    (void)snprintf(path, sizeof(path), "%s/stream", dir);
    return hf_file_replace(fs, path, line, n, 0600, err);
}

int hf_spool_stream_renew(const struct hf_fs_ops *fs, const struct hf_rand_ops *rng, const char *dir,
                          char ret_text[HF_SPOOL_STREAM_TEXT], struct hf_err *err)
{
    char digits[HF_SPOOL_STREAM_TEXT];

    (void)snprintf(digits, sizeof(digits), "%016" PRIx64 "%016" PRIx64, rng->u64(rng->ctx), rng->u64(rng->ctx));
    int r = hf_spool_stream_store(fs, dir, digits, err);
    if (r == 0)
        memcpy(ret_text, digits, sizeof(digits));
    return r;
}
