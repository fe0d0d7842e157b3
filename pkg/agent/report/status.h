/* agent/report/status.h - EdgeNode.status as JSON. Pure.
 *
 * A status has two parts. The essence is the part whose change needs a report. The agent adds the volatile part
 * (sequence, times, clock offset, telemetry) only when it writes a status, so that neither a drifting clock nor a
 * heartbeat counts as a change.
 *
 * To add a condition, add a row to set_conditions() and a field to struct hf_status_view from which the row takes
 * presence and reason. */
#pragma once

#include "api/syncpolicy.h"
#include "node/disk.h"
#include "sync/hold.h"
#include "sync/readiness.h"
#include "sync/stale.h"

enum {
    HF_STATUS_MAX_MESSAGE = 1024,
    HF_STATUS_MAX_UPDATES = 64,
    HF_STATUS_MAX_DISKS = 8,
    HF_STATUS_ONE_BYTES = 1024, /* limit of a status with one release, if Ready is True */
    /* limit of a status with one release, if Ready is not True: longer, because a person has to read the reason */
    HF_STATUS_TROUBLE_BYTES = 3072
};

struct hf_status_disk {
    const char *path;
    unsigned used_percent;
    enum hf_disk_level level;
};

/* Everything that a status reports. Borrowed. */
struct hf_status_view {
    const char *version;
    bool pod_mode;
    bool once;    /* the agent ends by itself; nobody renews the status after that */
    bool stopped; /* the last status of an agent that somebody stops */
    enum hf_staleness staleness;
    bool skew_exceeded;
    bool clock_synchronized; /* a time server keeps the wall clock */
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const struct hf_status_disk *disks; /* the disks that are too full */
    size_t n_disks;
    const struct hf_hold *hold; /* NULL: no hold is in effect */
    uint64_t hold_end_unix_ns;
    const struct hf_syncpolicy *policy; /* the policy in effect */
    bool policy_is_default;             /* no SyncPolicy selects this node */
    const struct hf_issues *labels_refused;
    bool name_shared;             /* another agent writes statuses under our name */
    const char *labels_failure;   /* reason why the server refuses the Node's labels; NULL: no refusal */
    const char *delivery_failure; /* reason why the server refuses statuses; NULL: no refusal */
    const char *disk_failure;     /* reason why writes to the state folder fail; NULL: no failure */
    const char *source_failure;   /* reason why a source in reach gives no desired state; NULL: no failure */
    const char *source_reason;    /* CamelCase reason of source_failure; NULL: no failure */
    const struct hf_readiness *readiness;
    int64_t observed_generation; /* generation of the EdgeNode; 0: unknown */
};

/* Builds the essence. Updates the array `conditions` in place, so that transition times survive. *ret_essence is a new
 * object that contains a copy of this array. -ENOMEM. */
HF_MUST_USE int hf_status_essence(const struct hf_status_view *view, json_t *conditions, uint64_t now_unix_ns,
                                  json_t **ret_essence);

/* If the essence has exactly one update, shortens texts so that the written status stays below HF_STATUS_ONE_BYTES, or
 * below HF_STATUS_TROUBLE_BYTES while Ready is not True. The limits hold for names and versions of usual length.
 * hf_status_essence() calls this function. */
void hf_status_fit(json_t *essence);

/* Returns true if two essences differ at most in the transition times of conditions. */
bool hf_status_same(const json_t *essence_a, const json_t *essence_b);

struct hf_status_volatile {
    uint64_t sequence;
    uint64_t observed_unix_ns; /* the moment that the status describes */
    uint64_t contact_unix_ns;  /* 0: never */
    bool has_offset;
    json_t *telemetry; /* hf_status_body() takes over the reference; NULL: no telemetry part */
    /* the server's clock minus ours; the status has the opposite sign, positive if the node is ahead */
    int64_t offset_ns;
};

/* Makes the body of an apply: {apiVersion, kind, metadata.name, status}. -ENOMEM. */
HF_MUST_USE int hf_status_body(const char *node_name, const json_t *essence, const struct hf_status_volatile *moving,
                               json_t **ret_body);

/* Makes the body of the apply that creates the EdgeNode: {apiVersion, kind, metadata.name}. -ENOMEM. */
HF_MUST_USE int hf_status_object(const char *node_name, json_t **ret_body);
