/* SPDX-License-Identifier: Apache-2.0 */
/* A watch's body, one JSON object a line in pieces, as events (metav1.WatchEvent; Kubernetes API concepts, "Efficient
 * detection of changes"). A line that is no event, or above HF_WATCH_STREAM_MAX_LINE, is an error, and the next one
 * follows. An unreadable object with a readable name comes without the object. Private to pkg/kube. Pure. 0 or
 * -errno. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* A buffer above HF_WATCH_STREAM_KEEP is freed after its line. HF_RV_TEXT: bytes of a resourceVersion with its
 * terminator. */
enum { HF_WATCH_STREAM_MAX_LINE = 4 << 20, HF_WATCH_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

enum hf_watch_type { HF_WATCH_ADDED, HF_WATCH_MODIFIED, HF_WATCH_DELETED, HF_WATCH_BOOKMARK, HF_WATCH_ERROR };

/* Borrowed during `visit`. */
struct hf_watch_event {
    enum hf_watch_type type;
    json_t *object;                  /* NULL: unparsable */
    const struct hf_err *unreadable; /* why */
    const char *name;                /* metadata.name; empty only for BOOKMARK, ERROR */
    const char *resource_version;    /* of the object; or "" */
    /* BOOKMARK after a WatchList's objects */
    bool initial_end;
    int code; /* ERROR: of the Status, or 0 */
    /* ERROR: details.retryAfterSeconds, at most 24 h; 0: absent */
    uint64_t retry_after_ns;
    const char *message; /* ERROR: of the Status, or "no message" */
};

struct hf_watch_stream {
    struct hf_buf line; /* without its end */
    /* too long: to its end */
    bool skipping;
};

void hf_watch_stream_init(struct hf_watch_stream *stream);
/* Ready for another body. */
void hf_watch_stream_done(struct hf_watch_stream *stream);

/* `event` NULL: an unusable line, with the reason. A result other than 0 ends the feed. */
typedef int hf_watch_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* 0, what `visit` returned, or -ENOMEM. */
HF_MUST_USE int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n,
                                     hf_watch_stream_visit *visit, void *arg);

/* Parses one line. *ret_root owns the strings of *ret_event; free it with json_decref(). */
HF_MUST_USE int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                      struct hf_err *err);

/* The message of a Status (cut in the middle), else the body's beginning. */
const char *hf_kube_status_message(struct hf_view body, char *text, size_t n);

/* 0: no integer. Kubernetes compares resourceVersions as integers (KEP-5504). */
uint64_t hf_kube_version_number(const char *resource_version);
