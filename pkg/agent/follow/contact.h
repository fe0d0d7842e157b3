/* agent/follow/contact.h - contact with the source of desired state, and the difference between this node's clock and
 * the server's.
 *
 * Owns the clock file <state>/clock (node/clock_file.h). Loop thread only. */
#pragma once

#include "agent/env.h"
#include "node/clock_skew.h"
#include "sync/readiness.h"
#include "sync/stale.h"

struct hf_contact {
    const struct hf_agent_env *env;
    struct hf_stale stale;
    enum hf_staleness staleness; /* result of the last hf_contact_judge() */
    struct hf_clock_skew skew;
    /* The server's clock minus ours, changed in steps. The agent adds this offset to each time that it reports. */
    int64_t report_offset_ns;
    uint64_t saved_contact_ns; /* Unix time of the last contact in the clock file */
    bool loss_logged;          /* the current loss of contact is in the log */
    /* Reason why the agent cannot read the folder of objects; "": no failure, or the source is a server. */
    char folder_failure[HF_READINESS_MESSAGE];
};

/* Starts from the last contact that an earlier process saved. */
void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env);

/* Asks the source when it last received data from the server (its last sign of life), and records that time. */
void hf_contact_confirm(struct hf_contact *contact);

void hf_contact_found(struct hf_contact *contact);
/* hf_contact_found(): the source answers. hf_contact_lost(): the source is out of reach; `err` (may be NULL) is the
 * reason. */
void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err);

/* Measures our clock by the Date that the API server itself sent, and passes this Date to the clock as a witness. */
void hf_contact_measure(struct hf_contact *contact, uint64_t server_date_unix_ns);

/* Returns the server's clock minus the wall clock of this node; 0 while the server's clock is unknown. */
int64_t hf_contact_wall_offset_ns(const struct hf_contact *contact);

/* Computes `staleness` under the policy's window. *ret_wait_ns is the time until `staleness` may change by itself, or
 * HF_NEVER. Returns true if `staleness` changed. */
bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* Computes the offset of reported times, and whether our clock differs too much from the server's. Returns true if a
 * status must report the change. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now);

/* Writes the clock file. hf_contact_save_if_old() writes the file only if the last contact in the file is old in
 * proportion to the policy's window, or if a signed time raised the lower bound. */
void hf_contact_save(struct hf_contact *contact);
void hf_contact_save_if_old(struct hf_contact *contact, uint64_t window_ns);

/* Converts a time of our clock to a reported time; 0 stays 0. Use hf_contact_reported_past() for a time that was
 * recorded earlier, perhaps before our clock went wrong: it leaves a time in the past unchanged. */
uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns);
uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns);
