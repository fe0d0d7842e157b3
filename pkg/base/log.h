/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.h - writes one JSON line per event to one descriptor, with a stable event name and typed fields.
 *
 *     hf_log(log, HF_LOG_INFO, "update.committed", HF_S("release", name), HF_D("sequence", 42));
 *     {"time":"2026-11-20T08:00:00Z","level":"info","event":"update.committed","release":"edge","sequence":42}
 *
 * Only main programs and the code that runs a state machine write to the log; libraries return errors. Never pass a
 * secret. The log escapes values, and truncates each text to HF_LOG_MAX_VALUE bytes. Calls with a NULL log do nothing.
 *
 * Each event name has two limits. First, the log writes at most HF_LOG_BURST lines with this name per second. Second,
 * the name has a reserve of HF_LOG_RESERVE lines: each written line takes one line from the reserve, and each minute
 * puts one line back until the reserve is full. So an event that repeats for ever finally gets one line per minute.
 * Lines of level debug have only the first limit. The log drops lines above a limit; the next written line with this
 * name reports the number of dropped lines ("suppressed": n). Threads: loop thread only. */
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
    const char *text; /* value of a text field; NULL if the value is `number` */
    int64_t number;
};

/* HF_S makes a text field, in which NULL becomes "". HF_D makes a number field. */
#define HF_S(name, value) ((struct hf_log_field){.key = (name), .text = hf_log_text(value)})
#define HF_D(name, value) ((struct hf_log_field){.key = (name), .number = (int64_t)(value)})

static inline const char *hf_log_text(const char *text)
{
    return text != NULL ? text : "";
}

/* Makes a log that writes events of level `least` and above to descriptor `fd`. Borrows `fd` and `clock`; both must
 * outlive the log. Returns NULL if memory runs out. */
struct hf_log *hf_log_new(int fd, enum hf_log_level least, const struct hf_clock_ops *clock);
void hf_log_free(struct hf_log *log);
HF_DEFINE_CLEANUP(struct hf_log, hf_log_free)

/* Parses the name of a level: "debug", "info", "warning" (also "warn") or "error". -EINVAL: `text` is another name. */
HF_MUST_USE int hf_log_level_parse(const char *text, enum hf_log_level *ret_level);

#ifdef __cppcheck__ /* cppcheck cannot read __VA_OPT__ */
#define hf_log(log, level, event, ...) hf_log_fields((log), (level), (event), NULL)
#else
#define hf_log(log, level, event, ...)                                                                                 \
    hf_log_fields((log), (level), (event), (const struct hf_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})
#endif

/* The macro hf_log() calls this function. A NULL key ends `fields`. */
void hf_log_fields(struct hf_log *log, enum hf_log_level level, const char *event, const struct hf_log_field *fields);

/* Logs an error with two fields: `subject_key` with the value `subject`, and "error" with the whole text of *err. */
void hf_log_err(struct hf_log *log, enum hf_log_level level, const char *event, const char *subject_key,
                const char *subject, const struct hf_err *err);
