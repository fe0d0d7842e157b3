/* base/err.h - an error as a value: what failed, and the chain of what was being done.
 *
 * Functions return 0 or -errno and take `struct hf_err *err` last; it may be NULL. The first hf_err_set() names the cause;
 * each caller may put its own context in front with hf_err_wrap(). Nothing to free.
 * Codes tell the caller what to do: -EAGAIN later, -ESTALE our view is old, -EACCES stop and report, -EBADMSG bad input,
 * -ENOENT not there, -E2BIG / -EFBIG a limit was reached, -ECANCELED stopped on purpose, -ETIMEDOUT a deadline passed.
 * Text is lower case, quotes its subject, has no full stop; the cause is never pushed out by long context. */
#pragma once

#include <stdarg.h>

#include "base/macros.h"

struct hf_err {
    int code;        /* positive errno, 0 when nothing was set */
    char cause[256]; /* what went wrong, from the leaf */
    char where[256]; /* outermost first, "a: b", may be empty */
};

#define HF_ERR_INIT                                                                                                    \
    {                                                                                                                  \
        .code = 0                                                                                                      \
    }

/* Set code (positive errno) and cause, forget earlier context; returns -code. */
int hf_err_set(struct hf_err *err, int code, const char *format, ...) HF_PRINTF(3, 4);

/* Set from errno-style `r` (< 0), adding strerror text: "open '/x': No such file or directory"; returns r. */
int hf_err_sys(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

/* Put context in front of what is there; returns r. A zero code is filled in from r. */
int hf_err_wrap(struct hf_err *err, int r, const char *format, ...) HF_PRINTF(3, 4);

/* Whole text, "where: cause", into text[n] (always terminated); returns text. */
const char *hf_err_text(const struct hf_err *err, char *text, size_t n);

#if defined(__clang_analyzer__) && !defined(HF_ERR_C)
/* What a checker that reads one file at a time cannot know: these never return 0 for a failure. */
#define hf_err_set(err, code, ...) ((void)(hf_err_set)((err), (code), __VA_ARGS__), (code) > 0 ? -(code) : -1)
#define hf_err_sys(err, r, ...) ((void)(hf_err_sys)((err), (r), __VA_ARGS__), (r))
#define hf_err_wrap(err, r, ...) ((void)(hf_err_wrap)((err), (r), __VA_ARGS__), (r))
#endif
