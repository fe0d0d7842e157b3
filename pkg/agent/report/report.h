/* agent/report/report.h - EdgeNode.status: built when something changes, written at the pace of sync/pace.h. Loop
 * thread only.
 *
 * A status takes one of three ways:
 *   write   the server is in reach: apply the status, and wait until it comes back through the subscription
 *   park    the server is out of reach: put the status into the outbox, where it waits for contact
 *   keep    the server is in reach but deliveries fail: renew the local copies after changes and at each interval */
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
    json_t *essence;    /* the newest status without its volatile part (report/status.h); NULL: no status yet */
    json_t *conditions; /* conditions of the newest status, with their transition times */
    struct hf_steady steady;
    struct hf_pace pace;
    struct hf_sequence sequence;
    struct hf_outbox outbox;
    struct hf_echo echo;
    struct hf_sender sender;
    struct hf_backoff backoff; /* back-off after failed deliveries */
    uint64_t look_again_ns;    /* monotonic time at which the essence may change by itself; HF_NEVER */
    /* monotonic time of the next renewal of the copies on this node; HF_NEVER: deliveries succeed */
    uint64_t keep_ns;
    uint64_t kept_ns;    /* monotonic time at which the copies were last renewed */
    uint64_t contact_ns; /* monotonic time since which the server has accepted statuses */
    /* reason why the server refuses statuses; "": the server accepts them, or is out of reach */
    char refused[HF_READINESS_MESSAGE];
    bool ready, stalled; /* the newest status has these conditions with status True */
    bool delivered;      /* the server has the newest status */
    bool stopping;
};

/* `parts` need not be complete yet. -ENOMEM. */
HF_MUST_USE int hf_report_init(struct hf_report *report, const struct hf_agent_env *env,
                               const struct hf_agent_parts *parts, struct hf_err *err);
void hf_report_done(struct hf_report *report);

/* Builds the essence again. If the essence has changed, a write becomes due. */
void hf_report_build(struct hf_report *report);

/* Writes, parks or keeps the status if that is due. hf_report_wait_until_ns() returns the monotonic time at which to
 * call this function next, or HF_NEVER. */
void hf_report_send_if_due(struct hf_report *report);
uint64_t hf_report_wait_until_ns(const struct hf_report *report);

/* Call when the server accepts statuses again: the report writes the newest status after `spread_ns`. */
void hf_report_reachable(struct hf_report *report, uint64_t spread_ns);

/* Takes in our EdgeNode as the source shows it (NULL: deleted). */
void hf_report_heard_edgenode(struct hf_report *report, const json_t *edgenode);

/* Call when something outside the essence changed. The report then writes the status before the next heartbeat. */
void hf_report_changed(struct hf_report *report);

/* Returns true if the newest status has the condition Reconciling: something will still happen by itself. */
bool hf_report_reconciling(const struct hf_report *report);

/* Ends the report. `last_status`: write a final status which reports that the agent stopped. hf_report_stopped()
 * returns true once the server has answered or 2 s have passed, and at once if there is nothing to send. */
void hf_report_stop(struct hf_report *report, bool last_status);
bool hf_report_stopped(struct hf_report *report);
