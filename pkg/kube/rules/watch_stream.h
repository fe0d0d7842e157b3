/* SPDX-License-Identifier: Apache-2.0 */
/* A watch's body as events, one JSON object a line (metav1.WatchEvent). A line that is no event, or above
 * HF_WATCH_STREAM_MAX_LINE, is an error; the next line follows. An unreadable object with a readable name comes without
 * the object. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* A larger buffer than HF_WATCH_STREAM_KEEP is freed after its line. HF_RV_TEXT: a resourceVersion with terminator. */
enum { HF_WATCH_STREAM_MAX_LINE = 4 << 20, HF_WATCH_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

enum hf_watch_type { HF_WATCH_ADDED, HF_WATCH_MODIFIED, HF_WATCH_DELETED, HF_WATCH_BOOKMARK, HF_WATCH_ERROR };

/* Borrowed during `visit`. */
struct hf_watch_event {
    enum hf_watch_type type;
    json_t *object; /* NULL: it cannot be parsed */
    const struct hf_err *unreadable;
    const char *name;             /* empty only for BOOKMARK, ERROR */
    const char *resource_version; /* or "" */
    /* BOOKMARK that ends a WatchList */
    bool initial_end;
    int code; /* ERROR: a Status's, or 0 */
    /* ERROR: at most 24 h */
    uint64_t retry_after_ns;
    const char *message; /* ERROR: a Status's, or "no message" */
};

struct hf_watch_stream {
    struct hf_buf line; /* without its end */
    /* to the end of a too long one */
    bool skipping;
};

void hf_watch_stream_init(struct hf_watch_stream *stream);
/* Ready for another body. */
void hf_watch_stream_done(struct hf_watch_stream *stream);

/* `event` NULL: an unusable line, why in *err. Not 0: ends the feed. */
typedef int hf_watch_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* 0, what `visit` returned, or -ENOMEM. */
HF_MUST_USE int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n,
                                     hf_watch_stream_visit *visit, void *arg);

/* One line. *ret_root owns *ret_event's strings; json_decref() it. */
HF_MUST_USE int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                      struct hf_err *err);

/* Returns `text`: a Status's message (cut in the middle), else the body's beginning. */
const char *hf_kube_status_message(struct hf_view body, char *text, size_t n);

/* 0: no integer. Kubernetes compares versions as integers (KEP-5504). */
uint64_t hf_kube_version_number(const char *resource_version);
