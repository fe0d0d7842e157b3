/* agent/follow/contact.h - contact with the source of desired state, and what this node knows of the true time.
 *
 * Owns the clock file (<state>/clock): the newest time seen and the last contact. Loop thread only. */
#pragma once

#include "agent/env.h"
#include "sync/readiness.h"
#include "sync/stale.h"

struct hf_contact {
    const struct hf_agent_env *env;
    struct hf_stale stale;
    enum hf_staleness staleness; /* as of the last hf_contact_judge() */
    struct hf_clock_skew skew;
    /* Added to each time that leaves this node: the server's clock minus ours, changed in steps. */
    int64_t report_offset_ns;
    uint64_t saved_contact_ns; /* unix: the last contact in the clock file */
    bool loss_logged;          /* the log has the loss of contact that lasts now */
    /* Reason for a failure to read the folder of objects; "": none, or the source is a server. */
    char folder_failure[HF_READINESS_MESSAGE];
};

/* Continues from the contact that an earlier process saved. */
void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env);

/* Asks the source for its last sign of life. */
void hf_contact_confirm(struct hf_contact *contact);

void hf_contact_found(struct hf_contact *contact);
/* `err` (may be NULL) is the reason. */
void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err);

/* Takes the Date of a real server as a measurement of our clock. */
void hf_contact_measure(struct hf_contact *contact, uint64_t server_date_unix_ns, uint64_t max_skew_ns);

/* Computes `staleness` under the policy's window; *ret_wait_ns: the time until it may change by itself (HF_NEVER).
 * Returns true if it changed. */
bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* Computes the offset of reported times, and whether our clock differs too much from the server's. Returns true if a
 * status must say so. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* Writes the clock file. The second one does so if the last contact in it is too old, compared to the policy's
 * window. */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact, uint64_t window_ns);

/* Converts a time of our clock to a reported time; 0 stays 0. The second one is for an older note, perhaps from before
 * our clock went wrong: a time in the past stays as it is. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
