/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/watch_stream.h - splits the body of a watch, one JSON object per line in pieces that may end anywhere,
 * into events (metav1.WatchEvent; Kubernetes API concepts, "Efficient detection of changes"). Private to pkg/kube.
 *
 * A line is unusable if it is not a watch event or longer than HF_WATCH_STREAM_MAX_LINE: it is reported with an error,
 * and the next one follows. An event of an unreadable object with a readable name comes without the object.
 *
 * Pure. Memory: hf_watch_stream_done() frees the buffer. Errors: 0 or -errno. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* A longer buffer than HF_WATCH_STREAM_KEEP is freed after its line. HF_RV_TEXT: bytes of a resourceVersion and its
 * terminator. */
enum { HF_WATCH_STREAM_MAX_LINE = 4 << 20, HF_WATCH_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

enum hf_watch_type { HF_WATCH_ADDED, HF_WATCH_MODIFIED, HF_WATCH_DELETED, HF_WATCH_BOOKMARK, HF_WATCH_ERROR };

/* Borrowed; valid during `visit`. */
struct hf_watch_event {
    enum hf_watch_type type;
    json_t *object;                  /* NULL if the object cannot be parsed */
    const struct hf_err *unreadable; /* why `object` is NULL */
    const char *name;                /* metadata.name; empty only for BOOKMARK and ERROR */
    const char *resource_version;    /* of the object; "": none */
    /* BOOKMARK after the existing objects of a WatchList */
    bool initial_end;
    int code; /* ERROR: code of the Status object, or 0 */
    /* ERROR: details.retryAfterSeconds, at most 24 h; 0: absent */
    uint64_t retry_after_ns;
    const char *message; /* ERROR: message of the Status object, or "no message" */
};

struct hf_watch_stream {
    struct hf_buf line; /* begun, without its end */
    /* the line is too long: up to its end */
    bool skipping;
};

void hf_watch_stream_init(struct hf_watch_stream *stream);
/* The stream is then ready for another body. */
void hf_watch_stream_done(struct hf_watch_stream *stream);

/* Called for each event; for an unusable line with event = NULL and the reason. Another result than 0 ends the feed. */
typedef int hf_watch_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* Returns 0, the result of `visit`, or -ENOMEM. */
HF_MUST_USE int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n,
                                     hf_watch_stream_visit *visit, void *arg);

/* A line. *ret_root owns the strings of *ret_event; json_decref() frees it. */
HF_MUST_USE int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                      struct hf_err *err);

/* The message of a Status object (cut in the middle if too long), else the beginning of the body, in text[n]. Returns
 * `text`. */
const char *hf_kube_status_message(struct hf_view body, char *text, size_t n);

/* 0 if it is not an integer. Kubernetes compares resourceVersions as integers (KEP-5504). */
uint64_t hf_kube_version_number(const char *resource_version);
