/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/contact.h - records when the source of desired state was last reachable, and measures the difference
 * between this node's clock and the server's clock.
 *
 * This file also reads and writes the clock file <state>/clock (node/clock_file.h), which holds the lower bound of the
 * time, the time of the last contact and the age of the site's hold. Threads: loop thread only. */
#pragma once

#include "agent/env.h"
#include "node/clock_skew.h"
#include "sync/contact_reason.h"
#include "sync/readiness.h"
#include "sync/stale.h"

struct hf_contact {
    const struct hf_agent_env *env;
    struct hf_stale stale;
    /* state of contact (fresh, stale or expired) that the last hf_contact_judge() computed */
    enum hf_staleness staleness;
    struct hf_clock_skew skew;
    /* Offset that the agent adds to each time that it reports: the server's clock minus this node's clock. The offset
     * changes only in steps of more than 5 s. */
    int64_t report_offset_ns;
    struct hf_stale_kept saved; /* the part of the clock file on disk that describes the last contact */
    /* monotonic time before which an old contact in the clock file causes no save: it looks old after each leap of the
     * time, and the time may leap with each answer of the source */
    uint64_t save_old_ns;
    uint64_t window_ns; /* the policy's staleOk.window at the last hf_contact_judge() */
    bool loss_logged;   /* true if the agent has logged the current loss of contact */
    /* why the last attempt to reach the source failed; HF_CONTACT_REASON_NONE while there is contact, or if the source
     * is a folder */
    enum hf_contact_reason reason;
    char reason_text[HF_READINESS_MESSAGE]; /* the reason and the remedy, for a person; "" without a reason */
    /* Reason why the agent cannot read its source, if the source is a folder; "" if there is no failure or the source
     * is a server. */
    char folder_failure[HF_READINESS_MESSAGE];
};

/* Initialises `contact` with the time of the last contact that an earlier process saved. */
void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env);

/* Asks the source when it last received data from the server, and records this time as the last contact. */
void hf_contact_confirm(struct hf_contact *contact);

/* Call hf_contact_found() when the source answers, and hf_contact_lost() when the source is not reachable. `err` is the
 * reason, or NULL. */
void hf_contact_found(struct hf_contact *contact);
void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err);

/* Call this function when an attempt to reach the source has failed while there is no contact. Records the reason.
 * Returns true if the status must report the reason, because the reason has changed and contact no longer counts as
 * fresh. Does nothing if the source is a folder. */
bool hf_contact_failed(struct hf_contact *contact, const struct hf_err *err);
/* Returns the reason to report. While contact counts as fresh, returns HF_CONTACT_REASON_NONE: the status does not
 * report a short interruption. */
enum hf_contact_reason hf_contact_reported_reason(const struct hf_contact *contact);

/* Compares this node's clock with the header Date of an answer by the API server itself, and passes this Date to the
 * clock as a witness. */
void hf_contact_measure(struct hf_contact *contact, struct hf_server_date date);

/* Returns the server's clock minus the wall clock of this node (0 while the server's clock is unknown). */
int64_t hf_contact_wall_offset_ns(const struct hf_contact *contact);

/* Computes `staleness` from the age of the last contact and window_ns, the policy's staleOk.window. *ret_wait_ns is the
 * time in nanoseconds until the next call: by then `staleness` may change without an event, or the clock file must be
 * saved. HF_NEVER means that no call is due. Returns true if `staleness` changed. */
bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* Computes report_offset_ns. Also decides whether this node's clock differs from the server's clock by more than
 * max_skew_ns. Returns true if a status must report the change. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* hf_contact_save() writes the clock file. hf_contact_save_if_old() writes it only if one of three conditions holds.
 * While there is contact, the last contact in the file must differ from the true last contact by more than 10 minutes,
 * and also by more than a 24th of the policy's staleOk.window; this condition causes at most one save in 10 minutes.
 * While there is no contact, hf_stale_save_wait_ns() must return 0. At any time, it is enough that clock.bound_rose is
 * set (node/clock.h), or hold.unsaved (sync/hold_age.h). */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact);

/* Both functions convert a time of this node's clock to the time to report; 0 stays 0. Use hf_contact_reported_past()
 * for a time that the agent recorded earlier, perhaps while the clock was still right. That function converts the time
 * only if the time is later than the corrected present. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
