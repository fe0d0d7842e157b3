/* SPDX-License-Identifier: Apache-2.0 */
/* controller/fleet/recorder.h - writes Kubernetes Events (events.k8s.io/v1) about EdgeUpdates, in the namespace
 * "default" as is usual for cluster-scoped objects. The recorder counts and drops an Event that it cannot write: Events
 * are for people, and no decision needs them. Threads: loop thread only. */
#pragma once

#include "base/clock.h"
#include "kube/call.h"

struct hf_metrics; /* web/metrics.h */
struct hf_recorder;

/* The caller keeps what the pointers point to. `identity` is the name of this replica. Returns NULL if memory runs
 * out. */
struct hf_recorder *hf_recorder_new(struct hf_kube *kube, const struct hf_clock_ops *clock, struct hf_metrics *metrics,
                                    const char *identity);
void hf_recorder_free(struct hf_recorder *recorder);
HF_DEFINE_CLEANUP(struct hf_recorder, hf_recorder_free)

struct hf_recorder_event {
    const char *name, *uid; /* of the EdgeUpdate */
    const char *reason;     /* CamelCase word */
    const char *note;       /* a sentence for people; the recorder cuts it at 1,000 bytes */
    bool is_warning;
};

/* Writes an Event, or counts a repetition of one (controller/fleet/event_book.h). */
void hf_recorder_note(struct hf_recorder *recorder, const struct hf_recorder_event *event);
