/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/report.h - reports to the subscriber, and doubts about answers. A dead subscription gets no reports. Private
 * to pkg/kube. */
#pragma once

#include "base/clock.h"
#include "kube/source.h"

struct hf_kube_subscription;

enum { HF_KUBE_MAX_UNREADABLE = 1000 }; /* objects that a subscription remembers as unreadable */

#define HF_KUBE_CONTACT_NS (60 * HF_NS_PER_S) /* minimum time between two reports of PROVEN without a new Date */
/* After the store went back, all subscriptions list again, once in this time. */
#define HF_KUBE_WENT_BACK_NS (600 * HF_NS_PER_S)

enum hf_kube_reported { HF_KUBE_UNREPORTED, HF_KUBE_REPORTED_PROVEN, HF_KUBE_REPORTED_LOST };

/* What the subscriber knows of contact. */
struct hf_kube_contact {
    enum hf_kube_reported reported;
    uint64_t at_ns;   /* monotonic time of the report */
    bool lost;        /* the reflector lost contact, and has not found it again */
    bool served_once; /* the server has ever answered a list, or accepted a watch */
};

void hf_kube_report_refused(struct hf_kube_subscription *sub, const char *what, const struct hf_err *err);
void hf_kube_report_contact(struct hf_kube_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                            const struct hf_err *err);
void hf_kube_set_version(struct hf_kube_subscription *sub, const char *resource_version);
void hf_kube_report_version(struct hf_kube_subscription *sub); /* only if it has changed since the last report */
void hf_kube_report_synced(struct hf_kube_subscription *sub);
void hf_kube_report_gone(void *arg, const char *name); /* `arg` is the subscription */
void hf_kube_report_upsert(struct hf_kube_subscription *sub, json_t *object);
/* Cannot be parsed; `version` 0: unknown. Each version is reported once. */
void hf_kube_report_unreadable(struct hf_kube_subscription *sub, const char *name, uint64_t version,
                               const struct hf_err *err);
/* Of one that was unreadable; the next: of all that a complete round lacked. */
void hf_kube_report_readable(struct hf_kube_subscription *sub, const char *name);
void hf_kube_report_readable_rest(struct hf_kube_subscription *sub);
bool hf_kube_is_unreadable(const struct hf_kube_subscription *sub, const char *name, uint64_t version);
/* Unusable or older than before. `reason` is the label in metrics. */
void hf_kube_report_doubt(struct hf_kube_subscription *sub, const char *reason, const char *what,
                          const struct hf_err *err);
/* Of a list or bookmark. */
bool hf_kube_is_older(const struct hf_kube_subscription *sub, uint64_t version);
/* The server sent an older version: reports the doubt and sets *err. False: perhaps an old watch cache; the next list
 * asks the store. True: the store itself said it (or this is a MetaServer), and lower versions are valid from now on;
 * the round is doubtful, and behind an API server all subscriptions list again. */
bool hf_kube_believe_older(struct hf_kube_subscription *sub, const char *what, uint64_t version, struct hf_err *err);
/* The store has a lower revision than before: list from it and report everything; a watch from a higher one is deaf. */
void hf_kube_list_anew(struct hf_kube_subscription *sub);
/* The end of a `contradicted` round: a backup was restored, or an old watch cache answered. The next list asks the
 * store; if this one did (`exact`), all subscriptions list anew. */
void hf_kube_doubt_history(struct hf_kube_subscription *sub, bool exact);
