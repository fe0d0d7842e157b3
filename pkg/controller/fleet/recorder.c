/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "base/list.h"
#include "codec/plain.h"
#include "controller/fleet/event_book.h"
#include "web/metrics.h"

#define EVENTS "events.k8s.io/v1"
#define NAMESPACE "default"
#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)

enum { MAX_FLYING = 8, MAX_NOTE = 1000, NAME_PART = 200, MICRO_TIME = 40 };

enum event_outcome { WRITTEN, DROPPED, FAILED, OUTCOMES };

struct hf_recorder {
    struct hf_kube *kube;
    const struct hf_clock_ops *clock;
    char identity[254];
    struct hf_event_book book;
    struct hf_list flying;
    size_t n_flying;
    struct hf_metric *counts[OUTCOMES];
};

struct flight {
    struct hf_list link;
    struct hf_recorder *recorder;
    struct hf_kube_pending *pending;
    char name[HF_API_MAX_NAME + 1]; /* of the Event */
    bool creates;
};

static void now_text(const struct hf_recorder *recorder, char text[MICRO_TIME])
{
    uint64_t now = hf_unix_ns(recorder->clock);
    char seconds[HF_TIME_TEXT];

    (void)snprintf(text, MICRO_TIME, "%.19s.%06uZ", hf_format_time(now, seconds),
                   (unsigned)(now % HF_NS_PER_S / HF_NS_PER_US));
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return (hash ^ 0xff) * 0x100000001b3;
}

static uint64_t key_of(const struct hf_recorder_event *event)
{
    return hash_text(hash_text(hash_text(0xcbf29ce484222325, event->uid), event->reason), event->note);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void end_flight(struct flight *flight)
{
    hf_list_remove(&flight->link);
    flight->recorder->n_flying--;
    hf_kube_call_cancel(flight->pending);
    free(flight);
}

static void answered(void *arg, const struct hf_kube_answer *answer);

static int send(struct flight *flight, const struct hf_kube_call *call)
{
    return hf_kube_call_send(flight->recorder->kube, call, answered, flight, &flight->pending, NULL);
}

static int send_series(struct flight *flight, uint32_t count)
{
    char now[MICRO_TIME];

    now_text(flight->recorder, now);
    _cleanup_(hf_json_freep) json_t *body =
        json_pack("{s:{s:I, s:s}}", "series", "count", (json_int_t)count, "lastObservedTime", now);
    const struct hf_kube_call call = HF_KUBE_CALL(HF_KUBE_MERGE_PATCH, EVENTS, "events", flight->name, .ns = NAMESPACE,
                                                  .body = body, .timeout_ns = CALL_TIMEOUT_NS);

    return body == NULL ? -ENOMEM : send(flight, &call);
}

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct flight *flight = arg;

    flight->pending = NULL;
    /* Another replica, or this one before its restart, has written the same Event. */
    if (answer->r == -EEXIST && flight->creates) {
        flight->creates = false;
        if (send_series(flight, 2) == 0)
            return;
    }
    hf_metric_add(flight->recorder->counts[answer->r == 0 ? WRITTEN : FAILED], 1);
    end_flight(flight);
}

static json_t *make_object(const struct hf_recorder *recorder, const struct hf_recorder_event *event, const char *name)
{
    char now[MICRO_TIME], note[MAX_NOTE + 1];
    size_t n = hf_utf8_prefix(event->note, HF_MIN(strlen(event->note), (size_t)MAX_NOTE));

    now_text(recorder, now);
    (void)snprintf(note, sizeof(note), "%.*s", (int)n, event->note);
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:s, s:s}",
                     "apiVersion", EVENTS, "kind", "Event", "metadata", "name", name, "namespace", NAMESPACE,
                     "eventTime", now, "reportingController", "holdfast-controller", "reportingInstance",
                     recorder->identity, "action", "Rollout", "reason", event->reason, "regarding", "apiVersion",
                     HF_API_GROUP_VERSION, "kind", "EdgeUpdate", "name", event->name, "uid", event->uid, "note", note,
                     "type", event->is_warning ? "Warning" : "Normal");
}

static int send_new(struct flight *flight, const struct hf_recorder_event *event)
{
    _cleanup_(hf_json_freep) json_t *body = make_object(flight->recorder, event, flight->name);
    const struct hf_kube_call call = HF_KUBE_CALL(HF_KUBE_CREATE, EVENTS, "events", NULL, .ns = NAMESPACE, .body = body,
                                                  .timeout_ns = CALL_TIMEOUT_NS);

    return body == NULL || hf_plain_tree(body) < 0 ? -ENOMEM : send(flight, &call);
}

void hf_recorder_note(struct hf_recorder *recorder, const struct hf_recorder_event *event)
{
    uint64_t key = key_of(event);
    uint32_t count = 0;
    enum hf_event_action action = recorder->n_flying < MAX_FLYING
                                      ? hf_event_book_note(&recorder->book, key, hf_mono_ns(recorder->clock), &count)
                                      : HF_EVENT_DROP;
    struct flight *flight = action == HF_EVENT_DROP ? NULL : calloc(1, sizeof(*flight));

    if (flight == NULL) {
        hf_metric_add(recorder->counts[DROPPED], 1);
        return;
    }
    flight->recorder = recorder;
    flight->creates = action == HF_EVENT_CREATE;
    (void)snprintf(flight->name, sizeof(flight->name), "%.*s.%016jx", NAME_PART, event->name, (uintmax_t)key);
    hf_list_append(&recorder->flying, &flight->link);
    recorder->n_flying++;
    if ((flight->creates ? send_new(flight, event) : send_series(flight, count)) < 0) {
        hf_metric_add(recorder->counts[FAILED], 1);
        end_flight(flight);
    }
}

struct hf_recorder *hf_recorder_new(struct hf_kube *kube, const struct hf_clock_ops *clock, struct hf_metrics *metrics,
                                    const char *identity)
{
    static const char *const names[OUTCOMES] = {[WRITTEN] = "written", [DROPPED] = "dropped", [FAILED] = "failed"};
    struct hf_recorder *recorder = calloc(1, sizeof(*recorder));
    struct hf_metric_family *family =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_controller_events_total",
                         "Kubernetes Events by result; dropped: a repetition, or too many.", HF_LABELS("result"));

    if (recorder == NULL)
        return NULL;
    recorder->kube = kube;
    recorder->clock = clock;
    (void)snprintf(recorder->identity, sizeof(recorder->identity), "%s", identity);
    hf_list_init(&recorder->flying);
    for (int i = 0; i < OUTCOMES; i++)
        recorder->counts[i] = hf_metric_with(family, HF_LABELS(names[i]));
    return recorder;
}

void hf_recorder_free(struct hf_recorder *recorder)
{
    struct hf_list *it, *following;

    if (recorder == NULL)
        return;
    hf_list_each(it, following, &recorder->flying)
        end_flight(hf_container_of(it, struct flight, link));
    free(recorder);
}
