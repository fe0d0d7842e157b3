/* SPDX-License-Identifier: Apache-2.0 */
/* Writes one JSON line for each event. Loop thread only.
 *
 *     hf_log(log, HF_LOG_INFO, "update.committed", HF_S("release", name), HF_D("sequence", 42));
 *     {"time":"2026-11-20T08:00:00Z","level":"info","event":"update.committed","release":"edge","sequence":42}
 *
 * Never log a secret. Values are escaped, and cut at HF_LOG_MAX_VALUE. A NULL log writes nothing.
 *
 * Each event name may have HF_LOG_BURST lines a second and, except at level debug, a reserve of HF_LOG_RESERVE lines,
 * to which each minute adds one. Further lines are dropped; the next line counts them ("suppressed": n). */
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
    const char *text; /* NULL: `number` */
    int64_t number;
};

/* HF_S makes a text field (NULL becomes ""), HF_D a number. */
#define HF_S(name, value) ((struct hf_log_field){.key = (name), .text = hf_log_text(value)})
#define HF_D(name, value) ((struct hf_log_field){.key = (name), .number = (int64_t)(value)})

static inline const char *hf_log_text(const char *text)
{
    return text != NULL ? text : "";
}

/* Logs from level `least` on. `fd` and `clock` must outlive the log. */
struct hf_log *hf_log_new(int fd, enum hf_log_level least, const struct hf_clock_ops *clock);
void hf_log_free(struct hf_log *log);
HF_DEFINE_CLEANUP(struct hf_log, hf_log_free)

/* Accepts "debug", "info", "warning", "warn", "error". -EINVAL: another. */
HF_MUST_USE int hf_log_level_parse(const char *text, enum hf_log_level *ret_level);

#ifdef __cppcheck__
#define hf_log(log, level, event, ...) hf_log_fields((log), (level), (event), NULL)
#else
#define hf_log(log, level, event, ...)                                                                                 \
    hf_log_fields((log), (level), (event), (const struct hf_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})
#endif

void hf_log_fields(struct hf_log *log, enum hf_log_level level, const char *event, const struct hf_log_field *fields);

void hf_log_err(struct hf_log *log, enum hf_log_level level, const char *event, const char *subject_key,
                const char *subject, const struct hf_err *err);
