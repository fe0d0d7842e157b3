/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Events (events.k8s.io/v1) on EdgeUpdates, in the namespace "default", as for cluster-scoped objects. Drops and
 * counts Events that it cannot write. */
#pragma once

#include "base/clock.h"
#include "kube/call.h"

struct hf_metrics;
struct hf_recorder;

/* Borrows `kube` and `clock`. `identity` names the replica. */
struct hf_recorder *hf_recorder_new(struct hf_kube *kube, const struct hf_clock_ops *clock, struct hf_metrics *metrics,
                                    const char *identity);
void hf_recorder_free(struct hf_recorder *recorder);
HF_DEFINE_CLEANUP(struct hf_recorder, hf_recorder_free)

struct hf_recorder_event {
    const char *name, *uid;
    const char *reason;
    const char *note; /* a sentence; cut to 1,000 bytes */
    bool is_warning;
};

void hf_recorder_note(struct hf_recorder *recorder, const struct hf_recorder_event *event);
