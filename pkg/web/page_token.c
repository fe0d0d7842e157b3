/* SPDX-License-Identifier: Apache-2.0 */
#include "web/page_token.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "codec/state/record.h"
#include "os/file.h"
#include "os/secret/guarded_file.h"

enum { TOKEN_BYTES = (HF_PAGE_TOKEN_TEXT - 1) / 2, MAX_BYTES = 512, OWN_ONLY = 0600 };

static const struct hf_record_row rows[] = {
    HF_RECORD_ROW_OF(HF_RECORD_SHA256, struct hf_page_token, "token", text, .required = true),
    HF_RECORD_ROW(struct hf_page_token, "untilMonoNs", until_mono_ns, .required = true),
};

static bool is_whole(const void *record)
{
    return ((const struct hf_page_token *)record)->text[0] != '\0';
}

static const struct hf_record_type type = {.name = HF_PAGE_TOKEN_FILE,
                                           .version = 1,
                                           .size = sizeof(struct hf_page_token),
                                           .max_bytes = MAX_BYTES,
                                           .rows = HF_RECORD_ROWS(rows),
                                           .valid = is_whole};

int hf_page_token_make(const struct hf_fs_ops *fs, const struct hf_clock_ops *clock, const char *run_dir,
                       struct hf_page_token *ret_token, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_BYTES);
    struct hf_page_token token = {.until_mono_ns = hf_mono_ns(clock) + HF_PAGE_TOKEN_NS};
    unsigned char bytes[TOKEN_BYTES];
    char path[PATH_MAX];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return hf_err_sys(err, -EIO, "get random bytes");
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(token.text + 2 * i, 3, "%02x", bytes[i]);
    int r = hf_record_format(&type, &token, &text);
    if (r < 0)
        return hf_err_sys(err, r, "format the token of the page");
    (void)snprintf(path, sizeof(path), "%s/" HF_PAGE_TOKEN_FILE, run_dir);
    r = hf_file_replace(fs, path, text.p, text.n, OWN_ONLY, err);
    if (r == 0)
        *ret_token = token;
    return r;
}

int hf_page_token_load(const struct hf_fs_ops *fs, const struct hf_clock_ops *clock, const char *run_dir,
                       struct hf_page_token *ret_token, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_BYTES);
    struct hf_page_token token;
    char path[PATH_MAX];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/" HF_PAGE_TOKEN_FILE, run_dir);
    if (lstat(path, &st) < 0)
        return hf_err_sys(err, -errno, "'%s'", path);
    if ((st.st_mode & 077) != 0)
        return hf_err_set(err, EACCES, "others than its owner may use '%s'", path);
    int r = hf_guarded_file_read(fs, path, &text, err);
    if (r == 0)
        r = hf_record_parse(&type, hf_buf_view(&text), &token, err);
    if (r < 0)
        return r == -ENOENT || r == -EACCES ? r : hf_err_set(err, EBADMSG, "'%s' is no token", path);
    /* A later end than a new token has is of another boot. */
    uint64_t now = hf_mono_ns(clock);
    if (now >= token.until_mono_ns || token.until_mono_ns - now > HF_PAGE_TOKEN_NS)
        return hf_err_set(err, ESTALE, "the token in '%s' has ended", path);
    *ret_token = token;
    return 0;
}

bool hf_page_token_is(const char *token, struct hf_view given)
{
    size_t n = strlen(token);
    volatile unsigned char differs = n == 0 || given.n != n;

    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)(token[i] ^ (i < given.n ? given.p[i] : 0));
    return differs == 0;
}
