/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/contact.h - last contact with the source, and how far this clock is from the server's. Owns
 * <state>/clock (node/clock_file.h): lower bound of the time, last contact, age of the site's hold. Threads: loop
 * thread only. */
#pragma once

#include "agent/env.h"
#include "node/clock_skew.h"
#include "sync/contact_reason.h"
#include "sync/readiness.h"
#include "sync/stale.h"

struct hf_contact {
    const struct hf_agent_env *env;
    struct hf_stale stale;
    /* by hf_contact_judge() */
    enum hf_staleness staleness;
    struct hf_clock_skew skew;
    /* Server's clock minus ours, added to reported times; in steps of more than 5 s. */
    int64_t report_offset_ns;
    struct hf_stale_kept saved; /* last contact in the file */
    /* monotonic: not saved before for an old contact, which it seems after each leap */
    uint64_t save_old_ns;
    uint64_t window_ns; /* staleOk.window, at hf_contact_judge() */
    bool loss_logged;   /* the current loss */
    /* of the last failure; NONE: contact, or a folder */
    enum hf_contact_reason reason;
    char reason_text[HF_READINESS_MESSAGE]; /* with the remedy, for a person; or "" */
    /* or "" */
    char folder_failure[HF_READINESS_MESSAGE];
};

/* With an earlier process's contact. */
void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env);

/* By the source's last sign of life. */
void hf_contact_confirm(struct hf_contact *contact);

/* `err` may be NULL. */
void hf_contact_found(struct hf_contact *contact);
void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err);

/* Without contact. True: a new reason for the status, contact not being fresh. Nothing for a folder. */
bool hf_contact_failed(struct hf_contact *contact, const struct hf_err *err);
/* NONE while fresh: short interruptions are not reported. */
enum hf_contact_reason hf_contact_reported_reason(const struct hf_contact *contact);

/* Header Date, also as the clock's witness. */
void hf_contact_measure(struct hf_contact *contact, struct hf_server_date date);

/* Server's clock minus ours; 0: unknown. */
int64_t hf_contact_wall_offset_ns(const struct hf_contact *contact);

/* `staleness` by age and staleOk.window. True: changed. *ret_wait_ns: again then, or HF_NEVER. */
bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* report_offset_ns, and max_skew_ns. True: for the status. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* hf_contact_save_if_old() writes the clock file in three cases:
 *  - the agent has contact, and the contact in the file is off by more than both 10 minutes and a 24th of
 *    staleOk.window (at most once in 10 minutes);
 *  - it has no contact, and hf_stale_save_wait_ns() is 0;
 *  - clock.bound_rose (node/clock.h) or hold.unsaved (sync/hold_age.h) is set. */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact);

/* As reported; 0 stays. _past: recorded earlier, maybe by a right clock: only what is after the corrected present is
 * converted. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
