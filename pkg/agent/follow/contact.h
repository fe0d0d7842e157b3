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
    enum hf_staleness staleness; /* result of the last hf_contact_judge() */
    struct hf_clock_skew skew;
    /* Added to each time that leaves this node: the server's clock minus ours, changed in steps. */
    int64_t report_offset_ns;
    uint64_t saved_contact_ns; /* Unix time of the last contact in the clock file */
    bool loss_logged;          /* the current loss of contact is in the log */
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
 * status must report the change. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* Writes the clock file. hf_contact_save_if_old() writes only if the last contact in the file is too old, compared
 * to the policy's window. */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact, uint64_t window_ns);

/* Converts a time of our clock to a reported time; 0 stays 0. hf_contact_reported_past() is for a time recorded
 * earlier, perhaps before our clock went wrong: it leaves a time in the past unchanged. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
