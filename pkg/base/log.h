/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON line per event, with a stable name and typed fields. Loop thread only.
 *
 *     hf_log(log, HF_LOG_INFO, "update.committed", HF_S("release", name), HF_D("sequence", 42));
 *     {"time":"2026-11-20T08:00:00Z","level":"info","event":"update.committed","release":"edge","sequence":42}
 *
 * Only programs and state machines log; libraries return errors. Never a secret. Values are escaped, and cut at
 * HF_LOG_MAX_VALUE. A NULL log writes nothing.
 *
 * Per name: HF_LOG_BURST lines a second, and (except debug) a reserve of HF_LOG_RESERVE lines, one more each minute.
 * The next line counts dropped ones ("suppressed": n). */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"

enum hf_log_level { HF_LOG_DEBUG, HF_LOG_INFO, HF_LOG_WARNING, HF_LOG_ERROR };

enum { HF_LOG_MAX_VALUE = 1024, HF_LOG_BURST = 20, HF_LOG_RESERVE = 200 };

struct hf_log;

struct hf_log_field {
    const char *key;
    const char *text; /* NULL: number */
    int64_t number;
};

/* HF_S: text (NULL becomes ""); HF_D: number. */
#define HF_S(name, value) ((struct hf_log_field){.key = (name), .text = hf_log_text(value)})
#define HF_D(name, value) ((struct hf_log_field){.key = (name), .number = (int64_t)(value)})

static inline const char *hf_log_text(const char *text)
{
    return text != NULL ? text : "";
}

/* Events from `least` on. `fd` and `clock` must outlive the log. */
struct hf_log *hf_log_new(int fd, enum hf_log_level least, const struct hf_clock_ops *clock);
void hf_log_free(struct hf_log *log);
HF_DEFINE_CLEANUP(struct hf_log, hf_log_free)

/* "debug", "info", "warning", "warn", "error"; -EINVAL. */
HF_MUST_USE int hf_log_level_parse(const char *text, enum hf_log_level *ret_level);

#ifdef __cppcheck__ /* cppcheck cannot read __VA_OPT__ */
#define hf_log(log, level, event, ...) hf_log_fields((log), (level), (event), NULL)
#else
#define hf_log(log, level, event, ...)                                                                                 \
    hf_log_fields((log), (level), (event), (const struct hf_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})
#endif

/* A NULL key ends `fields`. */
void hf_log_fields(struct hf_log *log, enum hf_log_level level, const char *event, const struct hf_log_field *fields);

/* Fields: `subject_key`, and "error" with *err. */
void hf_log_err(struct hf_log *log, enum hf_log_level level, const char *event, const char *subject_key,
                const char *subject, const struct hf_err *err);
