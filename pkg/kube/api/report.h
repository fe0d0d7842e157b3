/* SPDX-License-Identifier: Apache-2.0 */
/* Reports to subscribers that are not dead (client.h), and doubts of answers. */
#pragma once

#include "base/clock.h"
#include "kube/source.h"

struct hf_kube_subscription;

enum hf_kube_reported { HF_KUBE_UNREPORTED, HF_KUBE_REPORTED_PROVEN, HF_KUBE_REPORTED_LOST };

struct hf_kube_contact {
    enum hf_kube_reported reported;
    uint64_t at_ns;
    bool lost;
    bool served_once;
};

void hf_kube_report_refused(struct hf_kube_subscription *sub, const char *what, const struct hf_err *err);
void hf_kube_report_contact(struct hf_kube_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                            const struct hf_err *err);
void hf_kube_set_version(struct hf_kube_subscription *sub, const char *resource_version);
void hf_kube_report_version(struct hf_kube_subscription *sub);
void hf_kube_report_synced(struct hf_kube_subscription *sub);
void hf_kube_report_gone(void *arg, const char *name);
void hf_kube_report_upsert(struct hf_kube_subscription *sub, json_t *object);
/* Reports an object that cannot be parsed, usually once a version (0, unknown: always). */
void hf_kube_report_unreadable(struct hf_kube_subscription *sub, const char *name, uint64_t version,
                               const struct hf_err *err);
/* Reports that an unreadable object is good again, or gone. _rest(): all objects that the complete round lacked. */
void hf_kube_report_readable(struct hf_kube_subscription *sub, const char *name);
void hf_kube_report_readable_rest(struct hf_kube_subscription *sub);
bool hf_kube_is_unreadable(const struct hf_kube_subscription *sub, const char *name, uint64_t version);
/* Reports that an answer is unusable, or older than before. `reason`: the metric's label. */
void hf_kube_report_doubt(struct hf_kube_subscription *sub, const char *reason, const char *what,
                          const struct hf_err *err);
bool hf_kube_is_older(const struct hf_kube_subscription *sub, uint64_t version);
/* Reports the doubt about an older `version`. Returns true if the store (or a MetaServer) confirms this version: then
 * lower versions are valid. Else the next list asks the store. */
bool hf_kube_believe_older(struct hf_kube_subscription *sub, const char *what, uint64_t version, struct hf_err *err);
/* Makes the next round list from the store, and report all objects. */
void hf_kube_list_anew(struct hf_kube_subscription *sub);
/* Handles a `contradicted` round: the next list asks the store; if this one did (`exact`), `sub` lists anew,
 * as may all others. */
void hf_kube_doubt_history(struct hf_kube_subscription *sub, bool exact);
