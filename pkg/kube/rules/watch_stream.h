/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a watch's body as events, one JSON object a line (metav1.WatchEvent). A line that is no event, or too long, is
 * reported as an error. An unparsable object with a readable name is an event without object. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* HF_WATCH_STREAM_KEEP: a larger buffer is freed after its line. */
enum { HF_WATCH_STREAM_MAX_LINE = 4 << 20, HF_WATCH_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

enum hf_watch_type { HF_WATCH_ADDED, HF_WATCH_MODIFIED, HF_WATCH_DELETED, HF_WATCH_BOOKMARK, HF_WATCH_ERROR };

/* Valid during `visit`. */
struct hf_watch_event {
    enum hf_watch_type type;
    json_t *object; /* NULL: it cannot be parsed */
    const struct hf_err *unreadable;
    const char *name;             /* empty only for BOOKMARK, ERROR */
    const char *resource_version; /* or "" */
    /* BOOKMARK: all objects of a WatchList have come */
    bool initial_end;
    int code; /* ERROR: the Status's code, or 0 */
    /* ERROR: at most 24 h */
    uint64_t retry_after_ns;
    const char *message; /* ERROR: the Status's message, or "no message" */
};

struct hf_watch_stream {
    struct hf_buf line; /* a line whose end has not come */
    /* until the end of a line that is too long */
    bool skipping;
};

void hf_watch_stream_init(struct hf_watch_stream *stream);
void hf_watch_stream_done(struct hf_watch_stream *stream);

/* `event` NULL: the line is unusable, as *err says. A result other than 0 ends the feed. */
typedef int hf_watch_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* Returns 0, what `visit` returned, or -ENOMEM. */
HF_MUST_USE int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n,
                                     hf_watch_stream_visit *visit, void *arg);

/* Parses one line. *ret_root owns the strings of *ret_event; json_decref() it. */
HF_MUST_USE int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                      struct hf_err *err);

/* Returns `text`: the message of a Status (cut in the middle if too long), else the beginning of `body`. */
const char *hf_kube_status_message(struct hf_view body, char *text, size_t n);

/* Returns 0 if the text is no integer. */
uint64_t hf_kube_version_number(const char *resource_version);
