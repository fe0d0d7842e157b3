/* SPDX-License-Identifier: Apache-2.0 */
/* An error as a value: its cause, and the steps that led to it. Pure.
 *
 * `err` may be NULL. Usual codes: -EAGAIN: try later; -ESTALE: outdated data; -EACCES: not permitted; -EBADMSG: bad
 * input; -ENOENT: absent; -E2BIG, -EFBIG: beyond a limit; -ECANCELED: on purpose; -ETIMEDOUT: deadline. Texts have no
 * full stop. */
#pragma once

#include <stdarg.h>

#include "base/macros.h"

struct hf_err {
    int code;
    char cause[256]; /* set by the innermost function */
    char where[256]; /* added by its callers: "a: b", outermost first */
};

#define HF_ERR_INIT                                                                                                    \
    {                                                                                                                  \
        .code = 0                                                                                                      \
    }

/* Sets the cause, cut with "..." if too long; removes context. The arguments may be texts of `err`. `code` > 0; returns
 * -code. */
int hf_err_set(struct hf_err *err, int code, const char *format, ...) HF_PRINTF(3, 4);

/* Sets the cause, and appends strerror(). Returns r. */
int hf_err_sys(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

/* Adds context in front; sets the cause from `r` if there is none. Returns r. */
int hf_err_wrap(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

const char *hf_err_text(const struct hf_err *err, char *text, size_t n);
/* The whole text of an error; valid until the block ends. */
#define HF_ERR_TEXT(err) hf_err_text((err), (char[sizeof(struct hf_err)]){0}, sizeof(struct hf_err))

#if defined(__clang_analyzer__) && !defined(HF_ERR_C)
#define hf_err_set(err, code, ...) ((void)(hf_err_set)((err), (code), __VA_ARGS__), (code) > 0 ? -(code) : -1)
#define hf_err_sys(err, r, ...) ((void)(hf_err_sys)((err), (r), __VA_ARGS__), (r))
#define hf_err_wrap(err, r, ...) ((void)(hf_err_wrap)((err), (r), __VA_ARGS__), (r))
#endif
