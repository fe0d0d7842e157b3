/* SPDX-License-Identifier: Apache-2.0 */
/* Last contact with the source, and its clock against ours. Owns <state>/clock (node/clock_file.h): lower bound of the
 * time, last contact, age of the site's hold. */
#pragma once

#include "agent/env.h"
#include "node/clock_skew.h"
#include "sync/contact_reason.h"
#include "sync/readiness.h"
#include "sync/stale.h"

struct hf_contact {
    const struct hf_agent_env *env;
    struct hf_stale stale;
    enum hf_staleness staleness;
    struct hf_clock_skew skew;
    /* Server's clock minus ours, in steps of more than 5 s. */
    int64_t report_offset_ns;
    struct hf_stale_kept saved; /* last contact in the file */
    /* no save of an old contact before this: after a leap it only seems old */
    uint64_t save_old_ns;
    uint64_t window_ns; /* staleOk.window, at hf_contact_judge() */
    bool loss_logged;
    /* NONE with contact, or for a folder */
    enum hf_contact_reason reason;
    char reason_text[HF_READINESS_MESSAGE]; /* with the remedy; or "" */
    char folder_failure[HF_READINESS_MESSAGE];
};

/* Begins with the last contact of an earlier process. */
void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env);

/* Takes the source's last sign of life. */
void hf_contact_confirm(struct hf_contact *contact);

/* Contact begins, or ends. `err` may be NULL. */
void hf_contact_found(struct hf_contact *contact);
void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err);

/* An attempt failed without contact. True: report the new reason. No effect for a folder. */
bool hf_contact_failed(struct hf_contact *contact, const struct hf_err *err);
/* NONE while fresh. */
enum hf_contact_reason hf_contact_reported_reason(const struct hf_contact *contact);

/* Takes the header Date of an API server, also as a witness of the time. */
void hf_contact_measure(struct hf_contact *contact, struct hf_server_date date);

/* Server's clock minus the wall clock. */
int64_t hf_contact_wall_offset_ns(const struct hf_contact *contact);

/* True: `staleness` changed. *ret_wait_ns: to the next call, or HF_NEVER. */
bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* True: the status must report a change. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* hf_contact_save_if_old() writes the clock file if:
 *  - there is contact, and the one in the file is off by more than both 10 minutes and a 24th of
 *    staleOk.window (at most once in 10 minutes);
 *  - there is none, and hf_stale_save_wait_ns() is 0;
 *  - clock.bound_rose (node/clock.h) or hold.unsaved (sync/hold_age.h) is set. */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact);

/* A time as statuses report it, corrected for the wall clock; 0 stays 0. hf_contact_reported_past(): the time was
 * recorded earlier, maybe by a right clock, and changes only if it is in the future. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
