/* kube/rules/watch_stream.h - splits the body of a watch into events. The body has one JSON object per line, and
 * arrives in pieces that may end anywhere. Private to pkg/kube.
 *
 * A line is unusable if it is not a watch event or is longer than HF_WATCH_STREAM_MAX_LINE. The stream reports such a
 * line with an error and continues with the next line. It ignores blank lines. Format: Kubernetes API concepts,
 * "Efficient detection of changes", metav1.WatchEvent.
 *
 * Pure. Memory: hf_watch_stream_done() frees the buffer of a stream. Errors: 0 or -errno. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

enum { HF_WATCH_STREAM_MAX_LINE = 4 << 20, HF_WATCH_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

enum hf_watch_type { HF_WATCH_ADDED, HF_WATCH_MODIFIED, HF_WATCH_DELETED, HF_WATCH_BOOKMARK, HF_WATCH_ERROR };

/* One event. All pointers are borrowed and valid only during the call. */
struct hf_watch_event {
    enum hf_watch_type type;
    json_t *object;
    const char *name;             /* metadata.name, never empty except for BOOKMARK and ERROR */
    const char *resource_version; /* "" if the event has none */
    bool initial_end;             /* BOOKMARK of a WatchList: the server has sent everything that existed */
    int code;                     /* ERROR: the code in the Status, or 0 */
    uint64_t retry_after_ns;      /* ERROR: details.retryAfterSeconds of the Status, or 0 */
    const char *message;          /* ERROR: the message of the Status, or "no message" */
};

struct hf_watch_stream {
    struct hf_buf line; /* the part of a line received so far */
    bool skipping;      /* the line was too long; skip bytes up to its end */
};

void hf_watch_stream_init(struct hf_watch_stream *stream);
void hf_watch_stream_done(struct hf_watch_stream *stream); /* the stream is then ready for another body */

/* Called for each event, and also for each unusable line, then with event == NULL and the reason in *err. Return
 * non-zero to stop. */
typedef int hf_watch_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* Takes the next bytes. Returns 0, the non-zero result of `visit`, or -ENOMEM. */
HF_MUST_USE int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n,
                                     hf_watch_stream_visit *visit, void *arg);

/* Parses one line. The strings of *ret_event belong to *ret_root, which the caller frees. */
HF_MUST_USE int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                      struct hf_err *err);

/* Copies a message from the body of an error into text[n]. This is the message of the Status in the body, or the
 * beginning of the body if it is not a Status. Returns `text`. */
const char *hf_kube_status_message(struct hf_view body, char *text, size_t n);

/* Returns a resourceVersion as a number, or 0 if it is not a number. Kubernetes compares resourceVersions as integers
 * (KEP-5504). Versions that are not integers have no known order. */
uint64_t hf_kube_version_number(const char *resource_version);
