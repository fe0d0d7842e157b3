/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/contact.h - when the source of desired state was last reachable, and how far this node's clock is from
 * the server's. Owns the clock file <state>/clock (node/clock_file.h): the lower bound of the time, the last contact
 * and the age of the site's hold. Threads: loop thread only. */
#pragma once

#include "agent/env.h"
#include "node/clock_skew.h"
#include "sync/contact_reason.h"
#include "sync/readiness.h"
#include "sync/stale.h"

struct hf_contact {
    const struct hf_agent_env *env;
    struct hf_stale stale;
    /* as of the last hf_contact_judge() */
    enum hf_staleness staleness;
    struct hf_clock_skew skew;
    /* The server's clock minus ours, added to each time that is reported; changes only in steps of more than 5 s. */
    int64_t report_offset_ns;
    struct hf_stale_kept saved; /* the part of the clock file on disk that describes the last contact */
    /* monotonic time before which an old contact causes no save: it looks old after each leap of the time */
    uint64_t save_old_ns;
    uint64_t window_ns; /* the policy's staleOk.window at the last hf_contact_judge() */
    bool loss_logged;   /* true if the agent has logged the current loss of contact */
    /* why the last attempt failed; NONE with contact, or if the source is a folder */
    enum hf_contact_reason reason;
    char reason_text[HF_READINESS_MESSAGE]; /* the reason and the remedy, for a person; "" without a reason */
    /* why the folder cannot be read; "" otherwise */
    char folder_failure[HF_READINESS_MESSAGE];
};

/* Begins with the last contact of an earlier process. */
void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env);

/* Takes the source's last sign of life as the last contact. */
void hf_contact_confirm(struct hf_contact *contact);

/* The source answers, or is not reachable. `err` may be NULL. */
void hf_contact_found(struct hf_contact *contact);
void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err);

/* An attempt failed without contact. True if the status must report the reason: it is new, and contact is no longer
 * fresh. Nothing if the source is a folder. */
bool hf_contact_failed(struct hf_contact *contact, const struct hf_err *err);
/* NONE while contact counts as fresh: a short interruption is not reported. */
enum hf_contact_reason hf_contact_reported_reason(const struct hf_contact *contact);

/* Takes the header Date of an API server, also as a witness for the clock. */
void hf_contact_measure(struct hf_contact *contact, struct hf_server_date date);

/* The server's clock minus ours; 0: unknown. */
int64_t hf_contact_wall_offset_ns(const struct hf_contact *contact);

/* Computes `staleness` from the age of the last contact and staleOk.window. True if it changed. *ret_wait_ns: when to
 * call again without an event; HF_NEVER: not at all. */
bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* Computes report_offset_ns, and if the clocks differ by more than max_skew_ns. True if a status must report a
 * change. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* hf_contact_save_if_old() writes the clock file in three cases:
 *  - the agent has contact, and the contact in the file is off by more than both 10 minutes and a 24th of
 *    staleOk.window (at most once in 10 minutes);
 *  - it has no contact, and hf_stale_save_wait_ns() is 0;
 *  - clock.bound_rose (node/clock.h) or hold.unsaved (sync/hold_age.h) is set. */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact);

/* A time of this node as it is reported; 0 stays 0. The second is for times recorded earlier, perhaps while the clock
 * was right: only those later than the corrected present are converted. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
