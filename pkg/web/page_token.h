/* SPDX-License-Identifier: Apache-2.0 */
/* The token that permits acts of a node's page, in the file <run folder>/page-token: `holdfast node page` makes it, the
 * agent reads it at each act. Blocks. Threads: any.
 *
 * A new token ends the one before at once. Each token ends after HF_PAGE_TOKEN_NS, and with the boot. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/view.h"

#define HF_PAGE_TOKEN_FILE "page-token"
#define HF_PAGE_TOKEN_NS (8 * 3600 * HF_NS_PER_S)
#define HF_PAGE_TOKEN_HEADER "x-holdfast-token:" /* not in the URL, because logs keep URLs */

enum { HF_PAGE_TOKEN_TEXT = 65 }; /* 256 random bits as hexadecimal digits */

struct hf_page_token {
    char text[HF_PAGE_TOKEN_TEXT];
    uint64_t until_mono_ns;
};

/* Makes a token and its file, which only the process's user can read. -ENOENT: no run folder. */
HF_MUST_USE int hf_page_token_make(const struct hf_fs_ops *fs, const struct hf_clock_ops *clock, const char *run_dir,
                                   struct hf_page_token *ret_token, struct hf_err *err);
/* -ENOENT: no token. -EACCES: others can read or write the file. -EBADMSG: damaged. -ESTALE: the token has ended. */
HF_MUST_USE int hf_page_token_load(const struct hf_fs_ops *fs, const struct hf_clock_ops *clock, const char *run_dir,
                                   struct hf_page_token *ret_token, struct hf_err *err);
/* Compares in constant time; "" is no token. Pure. */
bool hf_page_token_is(const char *token, struct hf_view given);
