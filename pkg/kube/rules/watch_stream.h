/* kube/rules/watch_stream.h - splits the body of a watch into events: one JSON object per line, cut anywhere on its
 * way. Private to pkg/kube.
 *
 * Reports a line that is not a watch event, or longer than HF_WATCH_STREAM_MAX_LINE, as garbage and skips it; continues
 * with the next line. Ignores blank lines. Format: Kubernetes API concepts, "Efficient detection of changes",
 * metav1.WatchEvent.
 *
 * Pure. Memory: hf_watch_stream_done() frees the buffer of a stream. Errors: 0 or -errno. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

enum { HF_WATCH_STREAM_MAX_LINE = 4 << 20, HF_WATCH_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

enum hf_watch_type { HF_WATCH_ADDED, HF_WATCH_MODIFIED, HF_WATCH_DELETED, HF_WATCH_BOOKMARK, HF_WATCH_ERROR };

/* One event; everything is borrowed and valid during the call only. */
struct hf_watch_event {
    enum hf_watch_type type;
    json_t *object;
    const char *name;             /* metadata.name, never empty except for BOOKMARK and ERROR */
    const char *resource_version; /* "" when absent */
    bool initial_end;             /* BOOKMARK: everything that existed has been sent (WatchList) */
    int code;                     /* ERROR: the Status's code, 0 when it has none */
    uint64_t retry_after_ns;      /* ERROR: details.retryAfterSeconds */
    const char *message;          /* ERROR: the Status's message, "no message" without one */
};

struct hf_watch_stream {
    struct hf_buf line; /* the part of a line received so far */
    bool skipping;      /* the remainder of a line that was too long */
};

void hf_watch_stream_init(struct hf_watch_stream *stream);
void hf_watch_stream_done(struct hf_watch_stream *stream); /* the stream is then ready for another body */

/* Called for each event; for each unusable line with event == NULL and the reason. Return non-zero to stop. */
typedef int hf_watch_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* Takes the next bytes. Returns 0, the non-zero result of `visit`, or -ENOMEM. */
HF_MUST_USE int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n,
                                     hf_watch_stream_visit *visit, void *arg);

/* Parses one line. The event's strings borrow from *ret_root, which the caller frees. */
HF_MUST_USE int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                      struct hf_err *err);

/* Copies a message from the body of an error into `text`: the message of its Status, else the beginning of the body.
 * Returns text. */
const char *hf_kube_status_message(struct hf_view body, char *text, size_t n);

/* A resourceVersion as a number, 0 when it is not one. Kubernetes compares them as integers (KEP-5504); the
 * order of other forms is unknown. */
uint64_t hf_kube_version_number(const char *resource_version);
