/* agent/parts.h - the inside of an agent, shared by the files of this folder alone. See agent.h for how it works. */
#pragma once

#include <limits.h>

#include "agent/agent.h"
#include "agent/diskq.h"
#include "agent/objects.h"
#include "agent/status.h"
#include "base/backoff.h"
#include "node/facts.h"
#include "sync/pace.h"
#include "sync/plan.h"
#include "sync/steady.h"
#include "update/engine.h"

struct gauges;

/* What a turn has to do again. */
enum {
    DUE_FACTS = 1,  /* read the machine */
    DUE_POLICY = 2, /* choose the policy, compute labels */
    DUE_PLAN = 4,   /* what shall be, into the engine */
    DUE_STATUS = 8, /* what is said of it */
};

enum follow_kind { FOLLOW_UPDATES, FOLLOW_POLICIES, FOLLOW_NODE, FOLLOW_SELF, FOLLOW_COUNT };

/* One subscription. */
struct follow {
    struct hf_agent *agent;
    const char *kind;
    struct hf_objects *objects; /* NULL: a single object */
    struct hf_subscription *subscription;
    struct hf_cache_mark mark; /* newest that may be written */
    bool mark_moved;
    bool synced;
    bool proven;
    bool relisting; /* asked for a complete list that has not been told to its end */
    /* Why it is not to be had though the source is in reach: errno and what to do about it; 0 it is. */
    int barred;
    char barred_text[HF_READINESS_MESSAGE];
};

/* Applying the labels of the own Node. */
struct labeller {
    struct hf_delivery *delivery;
    json_t *sent; /* the set on its way */
    struct hf_backoff backoff;
    uint64_t not_before_ns;
    uint64_t give_up_ns;                /* no answer until then: try again */
    char trouble[HF_READINESS_MESSAGE]; /* why they are refused; "" they are not */
};

/* Writing EdgeNode.status. */
struct report {
    struct hf_pace pace;
    struct hf_backoff backoff;
    json_t *essence;    /* what there is to say */
    json_t *conditions; /* its conditions, with their transition times */
    uint64_t sequence;  /* of the last status written */
    uint64_t durable;   /* numbers below this may be used */
    uint64_t sent;      /* on its way or not yet seen back; 0 none */
    struct hf_steady steady;
    uint64_t look_again_ns; /* mono: what is said may change by itself then; HF_NEVER */
    struct hf_delivery *delivery;
    uint64_t give_up_ns;
    uint64_t keep_ns; /* mono: what is kept on the node is renewed then, for deliveries fail; HF_NEVER: they do not */
    uint64_t kept_ns; /* mono: when it was, last */
    uint64_t contact_ns;     /* mono: since then statuses can be delivered */
    uint64_t adopted_ns;     /* the last time, mono */
    uint64_t heard_sequence; /* highest that the source showed in this life */
    json_t *parked;          /* the essence that is in it; NULL: none, or of an earlier life */
    int64_t generation;
    char refused[HF_READINESS_MESSAGE]; /* why the server takes no status of ours; "" it does, or is away */
    unsigned adoptions;                 /* times that another's number was taken over, lately */
    bool ready, stalled;                /* as last built */
    bool creating;                      /* the delivery on its way makes the object */
    bool exists;                        /* the source has our EdgeNode */
    bool heard;                         /* of it, in this life */
    bool uncertain;                     /* the disk does not say which numbers were used */
    bool outbox;                        /* a file is on the disk */
    bool told;                          /* everything there is to say was delivered */
};

struct hf_agent {
    struct hf_agent_params params;
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_timer *timer;
    unsigned due;
    bool turning, stopping, stopped;

    /* what is known */
    struct hf_objects updates, policies;
    json_t *node; /* own Node, condensed; NULL unknown */
    struct follow follows[FOLLOW_COUNT];
    struct hf_diskq *diskq;
    bool had_cache; /* something was known at start */

    /* where we stand */
    struct hf_facts facts;
    const struct hf_syncpolicy *policy; /* in effect: one of `policies`, or the default */
    struct hf_syncpolicy *default_policy;
    char policy_name[HF_API_MAX_NAME + 1];
    json_t *desired_labels;
    struct hf_issues labels_refused;
    json_t *own_labels; /* what selectors of policies see */
    json_t *labels;     /* what selectors of updates see: without a Node object, the policy's labels too */
    struct hf_stale stale;
    enum hf_staleness staleness;
    bool lost_said; /* that the source is out of reach, since it last was in reach */
    char source_trouble
        [HF_READINESS_MESSAGE]; /* why the folder cannot be read; "" it can, or there is a server instead */
    struct hf_skew skew;
    int64_t told_offset_ns; /* added to times we tell: server's clock less ours, in steps */
    struct hf_hold hold;
    bool held;
    uint64_t hold_end_unix_ns;
    struct hf_strmap desired_names; /* release names of the last plan */
    struct hf_strmap unreadable;    /* files of the source that cannot be used: why */
    struct hf_strmap noted;         /* objects superseded or waiting, as last logged */
    char superseded[HF_READINESS_NAMES], not_admitted[HF_READINESS_NAMES]; /* names of objects, for the status */
    char plan_trouble[HF_READINESS_NAMES]; /* a release that the engine did not take; "" none */
    struct hf_plan *plan;                  /* scratch */
    enum hf_disk_level disk_levels[HF_STATUS_MAX_DISKS];
    unsigned disk_used[HF_STATUS_MAX_DISKS];

    /* effects */
    struct hf_update_engine *engine;
    struct report report;
    struct labeller labeller;

    uint64_t next_interval_ns; /* mono: full reconcile */
    uint64_t saved_contact_ns; /* unix: as in the clock file */
    bool settled_said;
    int result;
    struct gauges *gauges;
};

/* agent.c */
void hf_agent_wake(struct hf_agent *agent, unsigned due);
void hf_agent_finish_stop(struct hf_agent *agent); /* when it is stopping, and nothing is waited for any more */
void hf_agent_save_clock(struct hf_agent *agent);

/* follow.c */
HF_MUST_USE int hf_follow_load(struct hf_agent *agent, struct hf_cache *cache, struct hf_err *err);
HF_MUST_USE int hf_follow_start(struct hf_agent *agent, struct hf_err *err);
void hf_follow_stop(struct hf_agent *agent);
void hf_follow_refresh(struct hf_agent *agent);
void hf_follow_hear(struct hf_agent *agent); /* ask the source for its last sign of life */
void hf_follow_save_marks(struct hf_agent *agent);
bool hf_follow_delivers(const struct hf_agent *agent); /* what we write would arrive now */
/* A kind that the source does not give us, updates before policies; NULL: none. */
const struct follow *hf_follow_barred(const struct hf_agent *agent);
bool hf_follow_synced(const struct hf_agent *agent); /* EdgeUpdates and SyncPolicies have been told in this life */

/* concern.c */
const json_t *
hf_concern_labels(const struct follow *follow); /* what the kind's selectors are judged by; NULL not known yet */
void hf_concern_decline(const struct follow *follow, const char *name, bool matters); /* see kube/source.h */
void hf_concern_uncache(void *arg, const char *name); /* arg: the follow; the object is kept no more, nor on the disk */
void hf_concern_relist_if_room(struct follow *follow);
void hf_concern_note_in_mark(const struct follow *follow, struct hf_cache_mark *mark);
void hf_concern_judge_mark(struct follow *follow);
void hf_concern_labels_changed(struct hf_agent *agent, enum follow_kind kind); /* those that the kind's selectors see */
void hf_concern_trim(struct hf_agent *agent); /* what labels left behind, when the source vouches for them */

/* reconcile.c */
HF_MUST_USE int hf_reconcile_engine_new(struct hf_agent *agent, struct hf_err *err);
void hf_reconcile_facts(struct hf_agent *agent);
void hf_reconcile_hold(struct hf_agent *agent);
void hf_reconcile_policy(struct hf_agent *agent);
void hf_reconcile_plan(struct hf_agent *agent);
void hf_reconcile_done(struct hf_agent *agent);

/* report.c */
HF_MUST_USE int hf_report_init(struct hf_agent *agent, struct hf_err *err);
void hf_report_done(struct hf_agent *agent);
void hf_report_build(struct hf_agent *agent);
void hf_report_send_if_due(struct hf_agent *agent);
uint64_t hf_report_wait_until_ns(const struct hf_agent *agent); /* HF_NEVER */
void hf_report_contact(struct hf_agent *agent, uint64_t spread_ns);
void hf_report_heard_self(struct hf_agent *agent, const json_t *self); /* NULL: it is gone */
void hf_report_save_sequence(struct hf_agent *agent);
void hf_report_stop(struct hf_agent *agent, bool say_so); /* the last word; nothing is sent any more */
bool hf_report_stopped(struct hf_agent *agent);           /* it was heard, or has had its time */

/* labeller.c */
void hf_labeller_init(struct hf_agent *agent);
void hf_labeller_done(struct hf_agent *agent);
void hf_labeller_apply_if_due(struct hf_agent *agent);
uint64_t hf_labeller_wait_until_ns(const struct hf_agent *agent);
json_t *hf_labeller_condense(const json_t *node); /* of a Node, what we use; NULL on OOM */

/* gauges.c */
HF_MUST_USE int hf_gauges_init(struct hf_agent *agent);
void hf_gauges_done(struct hf_agent *agent);
void hf_gauges_count_status(struct hf_agent *agent, const char *result);
void hf_gauges_count_refused(struct hf_agent *agent, const char *kind);
void hf_gauges_count_plan(struct hf_agent *agent);
