/* agent/report/status.h - builds EdgeNode.status as JSON. Pure.
 *
 * A status has two parts. The essence is the part whose change the agent reports at once. The volatile part (sequence,
 * times, clock offset, telemetry) is added only when the agent writes a status, so that a drifting clock or a heartbeat
 * does not count as a change.
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
    HF_STATUS_ONE_BYTES = 1024, /* maximum size in bytes of a status with one release, if Ready is True */
    /* maximum size in bytes of a status with one release, if Ready is not True; the limit is higher because a person
     * has to read the reason */
    HF_STATUS_TROUBLE_BYTES = 3072
};

struct hf_status_disk {
    const char *path;
    unsigned used_percent;
    enum hf_disk_level level;
};

/* Everything that the essence of a status reports. The strings and arrays are borrowed. */
struct hf_status_view {
    const char *version;
    bool pod_mode;
    bool once;    /* the agent runs with --once, so that nobody renews the status after the process has ended */
    bool stopped; /* this is the last status, because somebody stops the agent */
    enum hf_staleness staleness;
    bool skew_exceeded;
    bool clock_synchronized; /* a time server keeps the wall clock */
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const struct hf_status_disk *disks; /* array of the disks whose level is not Ok */
    size_t n_disks;
    const struct hf_hold *hold; /* the site's hold; NULL if no hold is in effect */
    uint64_t hold_end_unix_ns;
    const struct hf_syncpolicy *policy; /* the policy in effect */
    /* true if no SyncPolicy selects this node, so that the defaults are in effect */
    bool policy_is_default;
    const struct hf_issues *labels_refused;
    const char *config_fault; /* first fault of the node's configuration; NULL if there is none */
    /* reason why the node does not accept a policy's signatures; NULL if it accepts them */
    const char *policy_distrust;
    const char *policy_distrust_text; /* explanation of policy_distrust */
    bool name_shared;                 /* another agent writes statuses under this node's name */
    /* reason why the server refuses the Node's labels; NULL if the server does not refuse them */
    const char *labels_failure;
    const char *delivery_failure; /* reason why the server refuses statuses; NULL if the server does not refuse them */
    const char *disk_failure;     /* reason why writes to the state folder fail; NULL if they succeed */
    /* problem of the trust folder: a file that does not belong there, or a user who can change the folder; NULL if
     * there is no problem */
    const char *trust_failure;
    /* reason why a reachable source does not serve the desired state; NULL if there is no such failure */
    const char *source_failure;
    const char *source_reason; /* CamelCase word for source_failure; NULL if source_failure is NULL */
    const struct hf_readiness *readiness;
    int64_t observed_generation; /* generation of this node's EdgeNode (0 means unknown) */
};

/* Builds the essence of a status. Updates the array `conditions` in place, so that unchanged conditions keep their
 * transition times. Sets *ret_essence to a new object, which contains a copy of `conditions`. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_status_essence(const struct hf_status_view *view, json_t *conditions, uint64_t now_unix_ns,
                                  json_t **ret_essence);

/* If the essence has exactly one update, shortens texts so that the written status stays below HF_STATUS_ONE_BYTES, or
 * below HF_STATUS_TROUBLE_BYTES while Ready is not True. A status with unusually long names or versions may exceed the
 * limits. hf_status_essence() calls this function. */
void hf_status_fit(json_t *essence);

/* Returns true if two essences differ at most in the transition times of conditions. */
bool hf_status_same(const json_t *essence_a, const json_t *essence_b);

struct hf_status_volatile {
    uint64_t sequence;
    uint64_t observed_unix_ns; /* time that the status describes */
    uint64_t contact_unix_ns;  /* time of the last contact (0 means never) */
    bool has_offset;
    /* telemetry part of the status, whose reference hf_status_body() takes over; NULL if there is none */
    json_t *telemetry;
    /* the server's clock minus this node's clock; the status shows the offset with the opposite sign, positive if the
     * node's clock is ahead */
    int64_t offset_ns;
};

/* Makes the body of an apply to the status, {apiVersion, kind, metadata.name, status}. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_status_body(const char *node_name, const json_t *essence, const struct hf_status_volatile *moving,
                               json_t **ret_body);

/* Makes the body of the apply that creates the EdgeNode, {apiVersion, kind, metadata.name}. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_status_object(const char *node_name, json_t **ret_body);
