/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the last contact with the source, and compares its clock with ours. Owns <state>/clock (node/clock_file.h). */
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
    /* Server's clock minus ours; changes of up to 5 s are ignored. */
    int64_t report_offset_ns;
    struct hf_stale_kept saved;
    /* before this time the saved contact's age causes no save: after a leap it may only seem old */
    uint64_t save_old_ns;
    uint64_t window_ns;
    bool loss_logged;
    /* NONE while there is contact, and for a folder */
    enum hf_contact_reason reason;
    char reason_text[HF_READINESS_MESSAGE];
    char folder_failure[HF_READINESS_MESSAGE];
};

void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env);

/* Counts the source's last sign of life as contact. */
void hf_contact_confirm(struct hf_contact *contact);

/* Records that contact begins or ends. `err` may be NULL. */
void hf_contact_found(struct hf_contact *contact);
void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err);

/* Records that an attempt to get contact failed. Returns whether to report a new reason. No effect for a folder. */
bool hf_contact_failed(struct hf_contact *contact, const struct hf_err *err);
enum hf_contact_reason hf_contact_reported_reason(const struct hf_contact *contact);

/* Compares the clocks by the header Date of an API server, which is also a witness of the time. */
void hf_contact_measure(struct hf_contact *contact, struct hf_server_date date);

int64_t hf_contact_wall_offset_ns(const struct hf_contact *contact);

/* Returns whether `staleness` changed. *ret_wait_ns: until the next call is due, or HF_NEVER. */
bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* Returns whether the status must report a change. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* hf_contact_save_if_old() writes the clock file only if its last contact, lower bound or age of the hold is too
 * old. */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact);

/* Return a time as statuses report it, corrected by the server's clock; 0 stays 0. hf_contact_reported_past() corrects
 * a time recorded earlier, maybe by a right clock, only if it is in the future. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
