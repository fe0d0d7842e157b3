/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/rules/watch_stream.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "kube/rules/envelope.h"

static const struct {
    const char *name;
    enum hf_watch_type type;
} types[] = {
    {"ADDED", HF_WATCH_ADDED},       {"MODIFIED", HF_WATCH_MODIFIED}, {"DELETED", HF_WATCH_DELETED},
    {"BOOKMARK", HF_WATCH_BOOKMARK}, {"ERROR", HF_WATCH_ERROR},
};

void hf_watch_stream_init(struct hf_watch_stream *stream)
{
    *stream = (struct hf_watch_stream){.line = HF_BUF_INIT(HF_WATCH_STREAM_MAX_LINE)};
}

void hf_watch_stream_done(struct hf_watch_stream *stream)
{
    hf_buf_wipe(&stream->line); /* it may hold a Secret */
    stream->skipping = false;
}

uint64_t hf_kube_version_number(const char *resource_version)
{
    uint64_t number = 0;

    return hf_parse_u64(resource_version, 1, UINT64_MAX, &number) == 0 ? number : 0;
}

const char *hf_kube_status_message(struct hf_view body, char *text, size_t n)
{
    _cleanup_(hf_json_freep) json_t *status = NULL;
    const char *message = NULL;

    body = hf_view_trim(body);
    if (hf_json_parse(body, NULL, &status, NULL) == 0)
        message = hf_json_str(status, "message");
    size_t length = message != NULL ? strlen(message) : 0;

    if (message != NULL && length >= n && n > 8) /* the reason of an admission policy stands at the end */
        (void)snprintf(text, n, "%.*s ... %s", (int)(n / 4), message, message + length - (n - 1 - n / 4 - 5));
    else if (message != NULL)
        (void)snprintf(text, n, "%s", message);
    else
        (void)snprintf(text, n, "%.*s", (int)HF_MIN(body.n, n), body.n > 0 ? body.p : "");
    return text;
}

static int find_type(const char *name, enum hf_watch_type *ret_type)
{
    for (size_t i = 0; i < HF_LEN(types); i++)
        if (strcmp(name, types[i].name) == 0) {
            *ret_type = types[i].type;
            return 0;
        }
    return -EBADMSG;
}

static void read_error(struct hf_watch_event *event)
{
    int64_t code = hf_json_int_or(event->object, "code", 0);
    int64_t after_s = hf_json_int_or(event->object, "details.retryAfterSeconds", 0);

    event->code = code >= 100 && code <= 599 ? (int)code : 0;
    event->retry_after_ns = after_s > 0 ? (uint64_t)HF_MIN(after_s, 86400) * HF_NS_PER_S : 0;
    event->message = hf_json_str_or(event->object, "message", "no message");
}

static int read_object(struct hf_watch_event *event, struct hf_err *err)
{
    event->name = hf_json_str_or(event->object, "metadata.name", "");
    event->resource_version = hf_json_str_or(event->object, "metadata.resourceVersion", "");
    if (strlen(event->resource_version) >= HF_RV_TEXT)
        return hf_err_set(err, EBADMSG, "watch event with a resourceVersion of %zu bytes",
                          strlen(event->resource_version));
    if (event->type == HF_WATCH_BOOKMARK) {
        const json_t *annotations = hf_json_at(event->object, "metadata.annotations");
        const char *end = json_string_value(json_object_get(annotations, "k8s.io/initial-events-end"));
        event->initial_end = end != NULL && strcmp(end, "true") == 0;
        return 0;
    }
    if (*event->name == '\0')
        return hf_err_set(err, EBADMSG, "watch event whose object has no name");
    return 0;
}

int hf_watch_stream_parse(struct hf_view line, json_t **ret_root, struct hf_watch_event *ret_event, struct hf_err *err)
{
    static const struct hf_json_limits limits = {.max_bytes = HF_WATCH_STREAM_MAX_LINE};
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_watch_event event = {.name = "", .resource_version = "", .message = ""};
    int r = hf_json_parse(line, &limits, &root, err);

    if (r < 0)
        return hf_err_wrap(err, r, "watch event");
    const char *type = hf_json_str(root, "type");
    event.object = json_object_get(root, "object");
    if (type == NULL || !json_is_object(event.object))
        return hf_err_set(err, EBADMSG, "not a watch event: expected 'type' and 'object'");
    if (find_type(type, &event.type) < 0)
        return hf_err_set(err, EBADMSG, "watch event of unknown type '%.20s'", type);
    if (event.type == HF_WATCH_ERROR)
        read_error(&event);
    else
        r = read_object(&event, err);
    if (r < 0)
        return r;
    *ret_event = event;
    *ret_root = hf_steal(root);
    return 0;
}

/* The event of an object that cannot be parsed for the reason `r`, if the line around the object is usable. */
static bool is_unreadable(struct hf_view line, int r, struct hf_envelope_identity *identity,
                          struct hf_watch_event *ret_event)
{
    enum hf_watch_type type;
    struct hf_view object;

    if ((r != -EBADMSG && r != -E2BIG) || hf_envelope_event(line, &type, &object) < 0 ||
        hf_envelope_identify(object, identity) < 0)
        return false;
    *ret_event = (struct hf_watch_event){
        .type = type, .name = identity->name, .resource_version = identity->version, .message = ""};
    return true;
}

static int give_line(struct hf_view line, hf_watch_stream_visit *visit, void *arg)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_envelope_identity identity;
    struct hf_err err = HF_ERR_INIT;
    struct hf_watch_event event;

    line = hf_view_trim(line);
    if (line.n == 0)
        return 0;
    int r = hf_watch_stream_parse(line, &root, &event, &err);
    if (r < 0 && !is_unreadable(line, r, &identity, &event))
        return visit(arg, NULL, &err);
    if (r < 0)
        event.unreadable = &err;
    return visit(arg, &event, NULL);
}

static int give_too_long(hf_watch_stream_visit *visit, void *arg)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, E2BIG, "watch event longer than %d bytes", (int)HF_WATCH_STREAM_MAX_LINE);
    return visit(arg, NULL, &err);
}

/* Keeps a part of a line whose end has not come yet. */
static int keep_piece(struct hf_watch_stream *stream, struct hf_view piece, hf_watch_stream_visit *visit, void *arg)
{
    if (stream->skipping)
        return 0;
    int r = hf_buf_add(&stream->line, piece.p, piece.n);
    if (r != -E2BIG)
        return r;
    hf_buf_wipe(&stream->line); /* it may hold a Secret */
    stream->skipping = true;
    return give_too_long(visit, arg);
}

/* The end of a line; `piece` is its last part. */
static int end_line(struct hf_watch_stream *stream, struct hf_view piece, hf_watch_stream_visit *visit, void *arg)
{
    if (stream->skipping) {
        stream->skipping = false;
        return 0;
    }
    if (stream->line.n == 0) /* the line came in one piece: no copy */
        return piece.n <= HF_WATCH_STREAM_MAX_LINE ? give_line(piece, visit, arg) : give_too_long(visit, arg);
    int r = hf_buf_add(&stream->line, piece.p, piece.n);
    if (r == 0)
        r = give_line(hf_buf_view(&stream->line), visit, arg);
    else if (r == -E2BIG)
        r = give_too_long(visit, arg);
    if (stream->line.cap > HF_WATCH_STREAM_KEEP) {
        hf_buf_wipe(&stream->line);
    } else {
        if (stream->line.p != NULL)
            explicit_bzero(stream->line.p, stream->line.n);
        hf_buf_clear(&stream->line);
    }
    return r;
}

int hf_watch_stream_feed(struct hf_watch_stream *stream, const void *bytes, size_t n, hf_watch_stream_visit *visit,
                         void *arg)
{
    struct hf_view left = {bytes, n};
    int r = 0;

    while (r == 0 && left.n > 0) {
        const char *end = memchr(left.p, '\n', left.n);
        size_t used = end != NULL ? (size_t)(end - left.p) : left.n;
        struct hf_view piece = {left.p, used};
        r = end != NULL ? end_line(stream, piece, visit, arg) : keep_piece(stream, piece, visit, arg);
        used += end != NULL;
        left = (struct hf_view){left.p + used, left.n - used};
    }
    return r;
}
