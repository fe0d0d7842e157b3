#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "base/parse.h"

enum { MAX_LINE_BYTES = 16384, BURST_SLOTS = 32, BURST_NAME = 48 };

/* Number of lines with one event name in the current second. */
struct burst {
    char event[BURST_NAME];
    uint64_t second;
    unsigned written;
    unsigned suppressed;
};

struct hf_log {
    int fd;
    enum hf_log_level least;
    const struct hf_clock_ops *clock;
    struct burst bursts[BURST_SLOTS];
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

/* Returns the slot that counts this event. Names that share a slot replace each other, which only loosens the limit. */
static struct burst *burst_of(struct hf_log *log, const char *event)
{
    unsigned hash = 5381;

    for (const char *p = event; *p != '\0'; p++)
        hash = hash * 33 + (unsigned char)*p;
    struct burst *burst = &log->bursts[hash % BURST_SLOTS];
    if (strncmp(burst->event, event, BURST_NAME - 1) != 0) {
        memset(burst, 0, sizeof(*burst));
        memcpy(burst->event, event, strnlen(event, BURST_NAME - 1));
    }
    return burst;
}

/* Returns false if this line is over the limit; else *ret_suppressed gets the number of lines dropped before it. */
static bool admit(struct hf_log *log, const char *event, unsigned *ret_suppressed)
{
    struct burst *burst = burst_of(log, event);
    uint64_t second = hf_mono_ns(log->clock) / HF_NS_PER_S;

    if (burst->second != second) {
        burst->second = second;
        burst->written = 0;
    }
    if (burst->written >= HF_LOG_BURST) {
        burst->suppressed++;
        return false;
    }
    burst->written++;
    *ret_suppressed = burst->suppressed;
    burst->suppressed = 0;
    return true;
}

/* Appends a JSON string. Replaces every non-ASCII byte with U+FFFD if the value is not UTF-8, since no reader would
 * accept the line. */
static int add_escaped(struct hf_buf *line, const char *text)
{
    size_t n = strnlen(text, HF_LOG_MAX_VALUE);
    bool valid = hf_utf8_valid(text, n);
    int r = hf_buf_add(line, "\"", 1);

    for (size_t i = 0; r == 0 && i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            r = hf_buf_addf(line, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            r = hf_buf_addf(line, "\\u%04x", c);
        else if (c >= 0x80 && !valid)
            r = hf_buf_add_str(line, "\xef\xbf\xbd");
        else
            r = hf_buf_add(line, &text[i], 1);
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

    if (log == NULL || level < log->least || !admit(log, event, &suppressed))
        return;
    if (format_line(log, &line, level, event, fields, suppressed) < 0)
        return;
    /* A single write keeps lines whole among processes that share the descriptor. Failing to log is no reason to
     * stop. */
    ssize_t written = write(log->fd, line.p, line.n);
    (void)written;
}

void hf_log_err(struct hf_log *log, enum hf_log_level level, const char *event, const char *subject_key,
                const char *subject, const struct hf_err *err)
{
    char text[sizeof(err->cause) + sizeof(err->where) + 4];

    hf_log(log, level, event, HF_S(subject_key, subject), HF_S("error", hf_err_text(err, text, sizeof(text))));
}
