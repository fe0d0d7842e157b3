/* base/log.h - one JSON line per event on one descriptor, with a stable event name and typed fields.
 *
 *     hf_log(log, HF_LOG_INFO, "update.committed", HF_S("release", name), HF_D("sequence", 42));
 *     {"time":"2026-11-20T08:00:00Z","level":"info","event":"update.committed","release":"edge","sequence":42}
 *
 * Libraries return errors; only the top of the process and the shells of the machines log. Values are escaped, text is cut
 * at HF_LOG_MAX_VALUE bytes, never a secret. Identical event names are limited to HF_LOG_BURST per second; what was left
 * out is said with the next one ("suppressed": n). A NULL log swallows everything. Threads: loop thread only. */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"

enum hf_log_level { HF_LOG_DEBUG, HF_LOG_INFO, HF_LOG_WARNING, HF_LOG_ERROR };

enum { HF_LOG_MAX_VALUE = 1024, HF_LOG_BURST = 20 };

struct hf_log;

struct hf_log_field {
    const char *key;
    const char *text; /* NULL: a number */
    int64_t number;
};

/* A text field (NULL is written as "") and a number field. */
#define HF_S(name, value) ((struct hf_log_field){.key = (name), .text = hf_log_text(value)})
#define HF_D(name, value) ((struct hf_log_field){.key = (name), .number = (int64_t)(value)})

static inline const char *hf_log_text(const char *text)
{
    return text != NULL ? text : "";
}

/* Write to descriptor `fd` (borrowed). `clock` is borrowed and must outlive the log. NULL on OOM. */
struct hf_log *hf_log_new(int fd, enum hf_log_level least, const struct hf_clock_ops *clock);
void hf_log_free(struct hf_log *log);
HF_DEFINE_CLEANUP(struct hf_log, hf_log_free)

/* "debug", "info", "warning" (also "warn"), "error"; -EINVAL otherwise. */
HF_MUST_USE int hf_log_level_parse(const char *text, enum hf_log_level *ret_level);

#ifdef __cppcheck__ /* cannot read __VA_OPT__ */
#define hf_log(log, level, event, ...) hf_log_fields((log), (level), (event), NULL)
#else
#define hf_log(log, level, event, ...)                                                                                 \
    hf_log_fields((log), (level), (event), (const struct hf_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})
#endif

/* The function behind hf_log(); `fields` ends with a NULL key. */
void hf_log_fields(struct hf_log *log, enum hf_log_level level, const char *event, const struct hf_log_field *fields);

/* Log an error value: adds "error" with the whole text to one subject pair. */
void hf_log_err(struct hf_log *log, enum hf_log_level level, const char *event, const char *subject_key,
                const char *subject, const struct hf_err *err);
