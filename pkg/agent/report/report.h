/* SPDX-License-Identifier: Apache-2.0 */
/* Builds EdgeNode.status, and delivers it at the pace of sync/pace.h:
 *
 *   write   the server is reachable: server-side apply; an outbox stays until delivery
 *   park    the server is not reachable: the outbox keeps the status
 *   keep    deliveries fail: changes, and each interval, renew the local copies
 *
 * Run file and page get a change within about a second. */
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
    json_t *essence;
    json_t *conditions;
    struct hf_steady steady;
    struct hf_pace pace;
    struct hf_sequence sequence;
    struct hf_outbox outbox;
    struct hf_echo echo;
    struct hf_sender sender;
    struct hf_backoff backoff;
    uint64_t look_again_ns; /* when to build again even without an event, or HF_NEVER */
    uint64_t keep_ns;       /* when to renew local copies, or HF_NEVER */
    uint64_t kept_ns;
    uint64_t show_ns; /* when to renew run file and page; HF_NEVER: they have the newest */
    uint64_t shown_ns;
    uint64_t contact_ns;
    unsigned refusals;                  /* refused deliveries in a row */
    char refused[HF_READINESS_MESSAGE]; /* text of the last refusal; "" after a success */
    bool ready, stalled;
    bool waiting; /* an update waits for the rollout */
    bool delivered;
    bool just_created; /* creating the EdgeNode again would not help */
    bool stopping;
};

/* Borrows `parts`. */
HF_MUST_USE int hf_report_init(struct hf_report *report, const struct hf_agent_env *env,
                               const struct hf_agent_parts *parts, struct hf_err *err);
void hf_report_done(struct hf_report *report);

void hf_report_build(struct hf_report *report);

/* Writes, parks, keeps or shows the newest status, if due. */
void hf_report_send_if_due(struct hf_report *report);
uint64_t hf_report_wait_until_ns(const struct hf_report *report);

void hf_report_reachable(struct hf_report *report, uint64_t spread_ns);

/* Takes the reported EdgeNode; NULL: it does not exist. */
void hf_report_heard_edgenode(struct hf_report *report, const json_t *edgenode);

/* Makes a write due, but not urgent. */
void hf_report_changed(struct hf_report *report);

bool hf_report_reconciling(const struct hf_report *report);

/* Stops; with `last_status`, the run file and a reachable server with an EdgeNode get one more status.
 * hf_report_stopped() returns whether that status was answered, 2 s have passed, or none was sent. */
void hf_report_stop(struct hf_report *report, bool last_status);
bool hf_report_stopped(struct hf_report *report);
