/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/watch_stream.h - splits the body of a watch into events. The body has one JSON object per line, and
 * arrives in pieces that may end anywhere. Private to pkg/kube.
 *
 * A line is unusable if it is not a watch event or is longer than HF_WATCH_STREAM_MAX_LINE. The parser reports such a
 * line with an error and continues with the next line. If a line is an event of an unreadable object with a readable
 * name, the line is usable, and the parser reports an event without the object. The parser ignores blank lines. The
 * format is metav1.WatchEvent (Kubernetes API concepts, "Efficient detection of changes").
 *
 * Pure. Memory: hf_watch_stream_done() frees the buffer of a stream. Errors: functions return 0 or -errno. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* After a line, a stream keeps its buffer for the next line if the buffer has at most HF_WATCH_STREAM_KEEP bytes, and
 * frees a larger one. HF_RV_TEXT is the
 * size in bytes of a buffer for a resourceVersion and its terminator. */
enum { HF_WATCH_STREAM_MAX_LINE = 4 << 20, HF_WATCH_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

enum hf_watch_type { HF_WATCH_ADDED, HF_WATCH_MODIFIED, HF_WATCH_DELETED, HF_WATCH_BOOKMARK, HF_WATCH_ERROR };

/* One event of a watch. All pointers are borrowed and valid only during the call of `visit`. */
struct hf_watch_event {
    enum hf_watch_type type;
    json_t *object;                  /* NULL if the object cannot be parsed */
    const struct hf_err *unreadable; /* the reason why `object` is NULL; otherwise NULL */
    const char *name;                /* metadata.name of the object; never empty except for BOOKMARK and ERROR */
    const char *resource_version;    /* resourceVersion of the event's object; "" if the event has none */
    /* true for the BOOKMARK that a server sends after the existing objects of a WatchList */
    bool initial_end;
    int code; /* for ERROR, the code in the Status object, or 0 */
    /* for ERROR, details.retryAfterSeconds of the Status object, but in nanoseconds, and at most 24 h; 0 if absent */
    uint64_t retry_after_ns;
    const char *message; /* for ERROR, the message in the Status object, or "no message" */
};

struct hf_watch_stream {
    struct hf_buf line; /* part of the current line that was received so far */
    /* true if the current line is too long, so that the parser skips all bytes up to the end of the line */
    bool skipping;
};

void hf_watch_stream_init(struct hf_watch_stream *stream);
/* Frees the buffer of the stream, which is then ready for another body. */
void hf_watch_stream_done(struct hf_watch_stream *stream);

/* The type of the caller's function `visit`. The parser calls `visit` for each event. For each unusable line, the
 * parser calls `visit` with event = NULL and the reason in *err. If `visit` returns a value other than 0, the parser
 * stops. */
typedef int hf_watch_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* Parses the next bytes of the body, and calls `visit` for each event that is now complete. Returns 0, the value other
 * than 0 that `visit` returned, or -ENOMEM. */
HF_MUST_USE int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n,
                                     hf_watch_stream_visit *visit, void *arg);

/* Parses one line as an event, with its object. *ret_root owns the strings of *ret_event; the caller frees *ret_root
 * with json_decref(). */
HF_MUST_USE int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                      struct hf_err *err);

/* Copies a message from `body`, the body of an error answer, into text[n]. If the body is a Status object, copies its
 * message, and leaves out the middle of a message that is too long. Otherwise copies the beginning of the body. Returns
 * `text`. */
const char *hf_kube_status_message(struct hf_view body, char *text, size_t n);

/* Returns a resourceVersion as a number, or 0 if the resourceVersion is not an integer. Kubernetes compares
 * resourceVersions as integers (KEP-5504). Other resourceVersions have no known order. */
uint64_t hf_kube_version_number(const char *resource_version);
