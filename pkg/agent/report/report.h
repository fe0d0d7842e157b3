/* SPDX-License-Identifier: Apache-2.0 */
/* Builds EdgeNode.status, and writes it at the pace of sync/pace.h:
 *
 *   write   to a reachable server, by server-side apply; the outbox keeps a copy until the source reports it
 *   park    it is not reachable: the outbox keeps the status
 *   keep    deliveries fail: changes go to the local copies, also at each interval
 *
 * Run file and page get a change within a second. */
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
    json_t *essence; /* NULL: none yet */
    json_t *conditions;
    struct hf_steady steady;
    struct hf_pace pace;
    struct hf_sequence sequence;
    struct hf_outbox outbox;
    struct hf_echo echo;
    struct hf_sender sender;
    struct hf_backoff backoff; /* failed deliveries */
    uint64_t look_again_ns;    /* without an event, or HF_NEVER */
    uint64_t keep_ns;          /* local copies; HF_NEVER: none needed */
    uint64_t kept_ns;          /* last ones */
    uint64_t show_ns;          /* to run file and page; HF_NEVER: they have the newest */
    uint64_t shown_ns;
    uint64_t contact_ns;
    unsigned refusals;                  /* in a row */
    char refused[HF_READINESS_MESSAGE]; /* for good; "": accepted since */
    bool ready, stalled;                /* True in the newest */
    bool waiting;                       /* an update, for the rollout; leaves Ready alone */
    bool delivered;                     /* the newest */
    bool just_created;                  /* creating it again would not help */
    bool stopping;
};

/* `parts` is read later. */
HF_MUST_USE int hf_report_init(struct hf_report *report, const struct hf_agent_env *env,
                               const struct hf_agent_parts *parts, struct hf_err *err);
void hf_report_done(struct hf_report *report);

void hf_report_build(struct hf_report *report);

/* Writes, parks or keeps the newest, if due. */
void hf_report_send_if_due(struct hf_report *report);
uint64_t hf_report_wait_until_ns(const struct hf_report *report);

/* Writes the newest after `spread_ns`. */
void hf_report_reachable(struct hf_report *report, uint64_t spread_ns);

/* `edgenode` NULL: it does not exist. */
void hf_report_heard_edgenode(struct hf_report *report, const json_t *edgenode);

/* Makes a write due, but not urgent. */
void hf_report_changed(struct hf_report *report);

/* The agent still has work. */
bool hf_report_reconciling(const struct hf_report *report);

/* `last_status`: to the run file and a reachable server. hf_report_stopped(): answered, after 2 s, or nothing to
 * send. */
void hf_report_stop(struct hf_report *report, bool last_status);
bool hf_report_stopped(struct hf_report *report);
