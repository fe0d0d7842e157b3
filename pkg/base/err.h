/* SPDX-License-Identifier: Apache-2.0 */
/* base/err.h - an error as a value: its cause, and the chain of steps that led to it.
 *
 * Functions return 0 or -errno and take `struct hf_err *err` as the last argument; `err` may be NULL. The function that
 * detects the failure sets the cause with hf_err_set(); each caller may put context in front with hf_err_wrap(). An
 * error owns no memory, so nothing has to free it. Threads: any.
 *
 * The usual codes are -EAGAIN (try again later), -ESTALE (the caller's data is outdated), -EACCES (not permitted; stop
 * and report), -EBADMSG (bad input), -ENOENT (absent), -E2BIG and -EFBIG (beyond a limit), -ECANCELED (stopped on
 * purpose) and -ETIMEDOUT (a deadline passed). The text of an error is lower case, puts the name of a file or object in
 * quotes, and ends without a full stop. Cause and context have an array each, so long context never cuts the cause. */
#pragma once

#include <stdarg.h>

#include "base/macros.h"

struct hf_err {
    int code;        /* positive errno (0 means that no error is set) */
    char cause[256]; /* the failure itself, from the innermost function */
    char where[256]; /* context from the callers, outermost first, as "a: b"; may be empty */
};

#define HF_ERR_INIT                                                                                                    \
    {                                                                                                                  \
        .code = 0                                                                                                      \
    }

/* Sets the code (a positive errno) and the cause of *err, and removes the context that *err had. A text that is too
 * long ends behind a whole word and with "...". Returns -code. */
int hf_err_set(struct hf_err *err, int code, const char *format, ...) HF_PRINTF(3, 4);

/* Sets the code of *err from the negative errno `r`. The cause is the formatted text, followed by the text of
 * strerror(), as in "open '/x': No such file or directory". Returns r. */
int hf_err_sys(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

/* Puts context in front of the text that *err already has. If *err has no code yet, sets code and cause from the
 * negative errno `r`. Returns r. */
int hf_err_wrap(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

/* Formats the whole text, "where: cause", into text[n], always with a terminator. Returns `text`. */
const char *hf_err_text(const struct hf_err *err, char *text, size_t n);

#if defined(__clang_analyzer__) && !defined(HF_ERR_C)
/* Declares to static analysis, which reads one file at a time, that these functions never return 0 for a failure. */
#define hf_err_set(err, code, ...) ((void)(hf_err_set)((err), (code), __VA_ARGS__), (code) > 0 ? -(code) : -1)
#define hf_err_sys(err, r, ...) ((void)(hf_err_sys)((err), (r), __VA_ARGS__), (r))
#define hf_err_wrap(err, r, ...) ((void)(hf_err_wrap)((err), (r), __VA_ARGS__), (r))
#endif
