/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/encoding/plain.h"
#include "base/encoding/utf8.h"
#include "base/format.h"

enum { MAX_LINE_BYTES = 16384, BUDGETS = 256 };

#define MINUTE_NS (60 * HF_NS_PER_S)

/* What the events of one name have used of their two limits. */
struct budget {
    uint32_t name;    /* hash of the name; 0: the place is free */
    uint32_t second;  /* the second in which `written` lines were written */
    uint32_t minute;  /* the minute up to which `spent` was lowered */
    uint16_t written; /* lines in that second */
    uint16_t spent;   /* lines, less one for each minute that passed */
    unsigned suppressed;
};

struct hf_log {
    int fd;
    enum hf_log_level least;
    const struct hf_clock_ops *clock;
    struct budget budgets[BUDGETS];
};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

struct hf_log *hf_log_new(int fd, enum hf_log_level least, const struct hf_clock_ops *clock)
{
    struct hf_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return NULL;
    log->fd = fd;
    log->least = least;
    log->clock = clock;
    return log;
}

void hf_log_free(struct hf_log *log)
{
    free(log);
}

int hf_log_level_parse(const char *text, enum hf_log_level *ret_level)
{
    if (strcmp(text, "warn") == 0)
        text = "warning";
    for (size_t i = 0; i < HF_LEN(level_names); i++)
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum hf_log_level)i;
            return 0;
        }
    return -EINVAL;
}

/* Returns the budget of this event. If every place has another name, some names share one, which only tightens the
 * limit. */
static struct budget *budget_of(struct hf_log *log, const char *event)
{
    uint32_t name = 5381;
    size_t i, at;

    for (const char *p = event; *p != '\0'; p++)
        name = name * 33 + (unsigned char)*p;
    name = HF_MAX(name, 1u);
    for (i = 0, at = name % BUDGETS; i < BUDGETS; i++, at = (at + 1) % BUDGETS)
        if (log->budgets[at].name == name || log->budgets[at].name == 0)
            break;
    log->budgets[at].name = i < BUDGETS ? name : log->budgets[at].name;
    return &log->budgets[at];
}

/* Returns false if this line is over a limit; else *ret_suppressed gets the number of lines dropped before it. */
static bool admit(struct hf_log *log, enum hf_log_level level, const char *event, unsigned *ret_suppressed)
{
    struct budget *budget = budget_of(log, event);
    uint64_t now_ns = hf_mono_ns(log->clock);
    uint32_t second = (uint32_t)(now_ns / HF_NS_PER_S), minute = (uint32_t)(now_ns / MINUTE_NS);
    uint32_t passed = minute - budget->minute;

    if (budget->second != second) {
        budget->second = second;
        budget->written = 0;
    }
    budget->spent = (uint16_t)(budget->spent - HF_MIN((uint32_t)budget->spent, passed));
    budget->minute = minute;
    if (budget->written >= HF_LOG_BURST || (level > HF_LOG_DEBUG && budget->spent >= HF_LOG_RESERVE)) {
        budget->suppressed++;
        return false;
    }
    budget->written++;
    if (level > HF_LOG_DEBUG)
        budget->spent++;
    *ret_suppressed = budget->suppressed;
    budget->suppressed = 0;
    return true;
}

/* Appends a JSON string, without characters on which a terminal acts. Replaces every non-ASCII byte with U+FFFD if the
 * value is not UTF-8, since no reader would accept the line. */
static int add_escaped(struct hf_buf *line, const char *text)
{
    size_t n = strnlen(text, HF_LOG_MAX_VALUE);
    bool valid = hf_utf8_valid(text, n);
    int r = hf_buf_add(line, "\"", 1);

    for (size_t i = 0, size = 1; r == 0 && i < n; i += size) {
        bool acts = false;
        size = valid ? hf_plain_character(text + i, n - i, &acts) : 1;
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            r = hf_buf_addf(line, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            r = hf_buf_addf(line, "\\u%04x", c);
        else if (c >= 0x80 && !valid)
            r = hf_buf_add_str(line, "\xef\xbf\xbd");
        else
            r = acts ? hf_plain_json(text + i, size, line) : hf_buf_add(line, text + i, size);
    }
    return r < 0 ? r : hf_buf_add(line, "\"", 1);
}

static int format_line(struct hf_log *log, struct hf_buf *line, enum hf_log_level level, const char *event,
                       const struct hf_log_field *fields, unsigned suppressed)
{
    char when[HF_TIME_TEXT];
    int r =
        hf_buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", hf_format_time(hf_unix_ns(log->clock), when),
                    level_names[level]);

    if (r == 0)
        r = add_escaped(line, event);
    for (; r == 0 && fields->key != NULL; fields++) {
        r = hf_buf_add(line, ",", 1);
        if (r == 0)
            r = add_escaped(line, fields->key);
        if (r == 0)
            r = hf_buf_add(line, ":", 1);
        if (r == 0)
            r = fields->text != NULL ? add_escaped(line, fields->text)
                                     : hf_buf_addf(line, "%lld", (long long)fields->number);
    }
    if (r == 0 && suppressed > 0)
        r = hf_buf_addf(line, ",\"suppressed\":%u", suppressed);
    return r < 0 ? r : hf_buf_add(line, "}\n", 2);
}

void hf_log_fields(struct hf_log *log, enum hf_log_level level, const char *event, const struct hf_log_field *fields)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(MAX_LINE_BYTES);
    unsigned suppressed = 0;

    if (log == NULL || level < log->least || !admit(log, level, event, &suppressed))
        return;
    int r = format_line(log, &line, level, event, fields, suppressed);
    if (r == -E2BIG) {
        const struct hf_log_field left_out[] = {HF_S("leftOut", "the fields: the line would be too long"),
                                                {.key = NULL}};
        hf_buf_clear(&line);
        r = format_line(log, &line, level, event, left_out, suppressed);
    }
    if (r < 0)
        return;
    /* A single write keeps lines whole among processes that share the descriptor. Failing to log is no reason to
     * stop. */
    ssize_t written = write(log->fd, line.p, line.n);
    (void)written;
}

void hf_log_err(struct hf_log *log, enum hf_log_level level, const char *event, const char *subject_key,
                const char *subject, const struct hf_err *err)
{
    hf_log(log, level, event, HF_S(subject_key, subject), HF_S("error", HF_ERR_TEXT(err)));
}
