/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/report.h - builds EdgeNode.status when something changes, and writes it at the pace that sync/pace.h
 * computes. Threads: loop thread only.
 *
 * The report handles the newest status in one of three ways:
 *   write   if the server is reachable, write the status by server-side apply; if the source reports EdgeNodes, a copy
 *           of the status in the outbox stays there until the source reports this status
 *   park    if the server is not reachable, put the status into the outbox, where it waits for contact
 *   keep    if the server is reachable but deliveries fail, write the copies on this node again after changes and at
 *           each interval */
#pragma once

#include "agent/parts.h"
#include "agent/report/echo.h"
#include "agent/report/outbox.h"
#include "agent/report/sender.h"
#include "base/backoff.h"
#include "sync/pace.h"
#include "sync/readiness.h"
#include "sync/steady.h"

struct hf_report {
    const struct hf_agent_env *env;
    const struct hf_agent_parts *parts;
    json_t *essence;    /* essence of the newest status (report/status.h); NULL before the first status */
    json_t *conditions; /* conditions of the newest status, with their transition times */
    struct hf_steady steady;
    struct hf_pace pace;
    struct hf_sequence sequence;
    struct hf_outbox outbox;
    struct hf_echo echo;
    struct hf_sender sender;
    struct hf_backoff backoff; /* delays after failed deliveries */
    uint64_t look_again_ns;    /* monotonic time at which the essence may change without an event, or HF_NEVER */
    /* monotonic time at which to write the copies on this node again; HF_NEVER while deliveries succeed */
    uint64_t keep_ns;
    uint64_t kept_ns;    /* monotonic time at which the copies on this node were last written */
    uint64_t contact_ns; /* monotonic time of the last hf_report_reachable() */
    /* why the server refused a status for good, so that a repetition would not help; "" if the server has refused none,
     * or has accepted one since then */
    char refused[HF_READINESS_MESSAGE];
    /* `ready`: the newest status has the condition Ready with status True; `stalled`: the same for the condition
     * Stalled */
    bool ready, stalled;
    bool waiting;   /* an update waits for the rollout, which leaves Ready at True */
    bool delivered; /* true if the server has the newest status */
    /* the EdgeNode has been created, and no status has been written to it: if the server has no status for it, creating
     * it once more would not help */
    bool just_created;
    bool stopping;
};

/* Initialises the report. The pointers in `parts` need not be set yet. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_report_init(struct hf_report *report, const struct hf_agent_env *env,
                               const struct hf_agent_parts *parts, struct hf_err *err);
void hf_report_done(struct hf_report *report);

/* Builds the essence of the status again. If the essence has changed, a write becomes due. */
void hf_report_build(struct hf_report *report);

/* Sends the newest status in one of the three ways that the comment of this file lists, if that is due.
 * hf_report_wait_until_ns() returns the monotonic time at which to call hf_report_send_if_due() next, or HF_NEVER. */
void hf_report_send_if_due(struct hf_report *report);
uint64_t hf_report_wait_until_ns(const struct hf_report *report);

/* Call this function when the server accepts statuses again. The report then writes the newest status after
 * `spread_ns`. */
void hf_report_reachable(struct hf_report *report, uint64_t spread_ns);

/* Handles this node's EdgeNode as the source reports it; `edgenode` is NULL if the EdgeNode does not exist. */
void hf_report_heard_edgenode(struct hf_report *report, const json_t *edgenode);

/* Call this function when a field has changed that alone causes no write of the status, but must not wait for the next
 * heartbeat either. */
void hf_report_changed(struct hf_report *report);

/* Returns true if the newest status has the condition Reconciling, which means that the agent still has work to do. */
bool hf_report_reconciling(const struct hf_report *report);

/* Ends the reports. If `last_status` is true, first writes a final status, which reports that the agent stopped. This
 * status always goes to the run file. It goes to the server only if the server is reachable. hf_report_stopped()
 * returns true as soon as the server has answered or 2 s have passed, and at once if there is nothing to send. */
void hf_report_stop(struct hf_report *report, bool last_status);
bool hf_report_stopped(struct hf_report *report);
