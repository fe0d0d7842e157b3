/* kube/rules/stream.h - a watch's body: one JSON object per line, cut anywhere on its way. Private to pkg/kube.
 *
 * A line that is no watch event, or longer than HF_STREAM_MAX_LINE, is told as garbage and left out; the next line counts
 * again. Blank lines are fine. Format: Kubernetes API concepts, "Efficient detection of changes", metav1.WatchEvent. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

enum { HF_STREAM_MAX_LINE = 4 << 20, HF_STREAM_KEEP = 64 << 10, HF_RV_TEXT = 64 };

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
    const char *message;          /* ERROR: for a person */
};

struct hf_stream {
    struct hf_buf line; /* the piece of a line that has come so far */
    bool skipping;      /* the rest of a line that was too long */
};

void hf_stream_init(struct hf_stream *stream);
void hf_stream_done(struct hf_stream *stream); /* also makes it ready for another body */

/* Called for each event, or with event == NULL and why for each piece of garbage. Non-zero stops the feeding. */
typedef int hf_stream_visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err);

/* Bytes as they come. 0, or what `visit` returned; -ENOMEM. */
HF_MUST_USE int hf_stream_feed(struct hf_stream *stream, const void *bytes, size_t n, hf_stream_visit *visit,
                               void *arg);

/* One line (also used for single texts in tests). Event's strings borrow from *ret_root, which the caller frees. */
HF_MUST_USE int hf_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event,
                                struct hf_err *err);

/* What the body of an error says to a person: the Status's message, else its beginning. Returns text. */
const char *hf_status_message(struct hf_view body, char *text, size_t n);

/* A resourceVersion as a number, 0 when it is none: Kubernetes compares them as integers (KEP-5504); where they are not,
 * nothing is concluded from their order. */
uint64_t hf_rv_number(const char *resource_version);
