/* agent/report/report.h - EdgeNode.status: built when something changes, written at the pace of sync/pace.h. Loop
 * thread only.
 *
 * A status takes one of three ways:
 *   write   the server is in reach: apply it, and wait until it comes back through the subscription
 *   park    nothing is in reach: put it into the outbox, where it waits for contact
 *   keep    the server is in reach but deliveries fail: after changes and each interval, renew the local copies */
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
    json_t *essence;    /* the newest status without its volatile part (report/status.h); NULL: none yet */
    json_t *conditions; /* conditions of the newest status, with their transition times */
    struct hf_steady steady;
    struct hf_pace pace;
    struct hf_sequence sequence;
    struct hf_outbox outbox;
    struct hf_echo echo;
    struct hf_sender sender;
    struct hf_backoff backoff; /* after failed deliveries */
    uint64_t look_again_ns;    /* monotonic time at which the essence may change by itself; HF_NEVER */
    /* monotonic time to renew the copies on this node; HF_NEVER: deliveries succeed */
    uint64_t keep_ns;
    uint64_t kept_ns;    /* monotonic time at which the copies were last renewed */
    uint64_t contact_ns; /* monotonic time since which the server has accepted statuses */
    /* reason why the server refuses statuses; "": it accepts them, or is out of reach */
    char refused[HF_READINESS_MESSAGE];
    bool ready, stalled; /* the newest status has these conditions */
    bool delivered;      /* the server has the newest status */
    bool stopping;
};

/* `parts` need not be complete yet. -ENOMEM. */
HF_MUST_USE int hf_report_init(struct hf_report *report, const struct hf_agent_env *env,
                               const struct hf_agent_parts *parts, struct hf_err *err);
void hf_report_done(struct hf_report *report);

/* Builds the essence again; a change makes a write due. */
void hf_report_build(struct hf_report *report);

/* Writes, parks or keeps the status if that is due. hf_report_wait_until_ns() returns the time at which it may be
 * due next, or HF_NEVER. */
void hf_report_send_if_due(struct hf_report *report);
uint64_t hf_report_wait_until_ns(const struct hf_report *report);

/* Call when the server accepts statuses again: the report writes the newest status after `spread_ns`. */
void hf_report_reachable(struct hf_report *report, uint64_t spread_ns);

/* Takes in our EdgeNode as the source shows it (NULL: deleted). */
void hf_report_heard_edgenode(struct hf_report *report, const json_t *edgenode);

/* Call when something outside the essence changed: the report then writes before the next heartbeat. */
void hf_report_changed(struct hf_report *report);

/* Returns true if a condition of the newest status says that something will still happen. */
bool hf_report_reconciling(const struct hf_report *report);

/* Ends the report. `last_status`: write a final status that says that the agent stopped. hf_report_stopped() returns
 * true once the server has answered or 2 s have passed. */
void hf_report_stop(struct hf_report *report, bool last_status);
bool hf_report_stopped(struct hf_report *report);
