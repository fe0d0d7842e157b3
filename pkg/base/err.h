/* base/err.h - an error as a value: its cause, and the chain of steps that led to it.
 *
 * Functions return 0 or -errno and take `struct hf_err *err` last; it may be NULL. The first hf_err_set() names the
 * cause; each caller may put its own context in front with hf_err_wrap(). There is nothing to free. Threads: any.
 *
 * Codes tell the caller what to do: -EAGAIN later, -ESTALE our view is old, -EACCES stop and report, -EBADMSG bad
 * input, -ENOENT absent, -E2BIG and -EFBIG a limit was reached, -ECANCELED stopped on purpose, -ETIMEDOUT a deadline
 * passed. Text is lower case, quotes its subject and has no full stop; long context never pushes out the cause. */
#pragma once

#include <stdarg.h>

#include "base/macros.h"

struct hf_err {
    int code;        /* positive errno, 0 if nothing is set */
    char cause[256]; /* the failure itself, from the innermost function */
    char where[256]; /* outermost first, "a: b", may be empty */
};

#define HF_ERR_INIT                                                                                                    \
    {                                                                                                                  \
        .code = 0                                                                                                      \
    }

/* Sets code (positive errno) and cause, drops earlier context; returns -code. */
int hf_err_set(struct hf_err *err, int code, const char *format, ...) HF_PRINTF(3, 4);

/* Sets code and cause from a negative errno `r` and adds the text of strerror(): "open '/x': No such file or
 * directory"; returns r. */
int hf_err_sys(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

/* Puts context in front of the present text; takes the code from r if none is set. Returns r. */
int hf_err_wrap(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

/* Formats the whole text, "where: cause", into text[n] (always terminated); returns text. */
const char *hf_err_text(const struct hf_err *err, char *text, size_t n);

#if defined(__clang_analyzer__) && !defined(HF_ERR_C)
/* Declares to static analysis, which reads one file at a time, that these functions never return 0 for a failure. */
#define hf_err_set(err, code, ...) ((void)(hf_err_set)((err), (code), __VA_ARGS__), (code) > 0 ? -(code) : -1)
#define hf_err_sys(err, r, ...) ((void)(hf_err_sys)((err), (r), __VA_ARGS__), (r))
#define hf_err_wrap(err, r, ...) ((void)(hf_err_wrap)((err), (r), __VA_ARGS__), (r))
#endif
