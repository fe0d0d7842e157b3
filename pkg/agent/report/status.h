/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/status.h - builds EdgeNode.status as JSON. Pure.
 *
 * A status has two parts. The essence is the part whose change the agent reports at once. The volatile part (sequence,
 * times, clock offset, telemetry and other measurements) is added only when the agent writes a status, so that a
 * drifting clock or a heartbeat does not count as a change.
 *
 * To add a condition, add a field to struct hf_status_view and a row to set_conditions(). The row derives from the
 * field whether the condition is present, and why. */
#pragma once

#include "agent/report/status_manifests.h"
#include "api/policies/policy_set.h"
#include "node/disk.h"
#include "sync/hold.h"
#include "sync/readiness.h"
#include "sync/stale.h"
#include "trust/trust.h"

enum {
    HF_STATUS_MAX_MESSAGE = 1024,
    HF_STATUS_MAX_UPDATES = 64,
    HF_STATUS_MAX_DISKS = 8,
    HF_STATUS_MAX_KEYS = 16,
    HF_STATUS_MAX_LABELS = 48,
    HF_STATUS_MAX_POLICIES = 16,
    HF_STATUS_MAX_SECTIONS = 128,
    HF_STATUS_ONE_BYTES = 1024, /* maximum size in bytes of a status with one release, if Ready is True */
    /* maximum size in bytes of a status with one release, if Ready is not True; the limit is higher because a person
     * has to read the reason */
    HF_STATUS_TROUBLE_BYTES = 3072
};

struct hf_status_disk {
    const char *path;
    unsigned used_percent;
    enum hf_disk_level level;
    bool missing;                 /* the path does not exist; all figures are 0 */
    unsigned inodes_used_percent; /* 0 if the file system does not count inodes */
    bool read_only;
    bool has_wear;
    unsigned wear_percent; /* wear of the device, 0 to 100 (node/resources/wear.h); valid if has_wear */
};

/* Reason and message of a condition that the status has only while there is trouble. `reason` is a CamelCase word, or
 * NULL without trouble. */
struct hf_status_trouble {
    const char *reason;
    const char *message;
};

/* State of the clock, as the condition ClockSynced reports it. */
enum hf_status_clock {
    HF_STATUS_CLOCK_FINE,
    HF_STATUS_CLOCK_BEYOND_MAX_SKEW,  /* the clock differs from the API server's by more than clock.maxSkew */
    HF_STATUS_CLOCK_NOT_SYNCHRONIZED, /* no time server keeps the clock right, and no API server has confirmed it */
};

/* Everything that the essence of a status reports. The strings and arrays are borrowed. */
struct hf_status_view {
    const char *version;
    bool pod_mode;
    bool once;    /* the agent runs with --once, so this status stays unchanged after the agent has ended */
    bool stopped; /* this is the last status of a stopping agent */
    enum hf_staleness staleness;
    /* reason why the last attempt to reach the source failed, such as "DnsFailed"; NULL while contact counts as
     * fresh */
    const char *contact_reason;
    enum hf_status_clock clock;
    bool clock_synchronized; /* a time server keeps the wall clock right */
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const struct hf_status_manifest *manifests;
    size_t n_manifests;
    const struct hf_status_disk *disks; /* array of the disks that are too full, read-only, worn or missing */
    size_t n_disks;
    struct hf_status_trouble disk_pressure, memory_pressure; /* conditions with status True */
    /* condition with status False; the trouble is that logs of this node grow without bound */
    struct hf_status_trouble log_rotation;
    const struct hf_hold *hold; /* the site's hold; NULL if no hold is in effect */
    uint64_t hold_end_unix_ns;
    /* The policies in effect. Without any, because no SyncPolicy that the node accepts selects the node, the defaults
     * are in effect. */
    const struct hf_policy_set *policies;
    const struct hf_issues *labels_refused;
    const char *config_fault; /* first fault of the node's configuration; NULL if there is none */
    /* reason of the condition PolicyTrusted, in CamelCase, if the node does not accept the signatures of a policy that
     * selects it; otherwise NULL */
    const char *policy_distrust;
    const char *policy_distrust_text; /* explanation of policy_distrust */
    bool name_shared;                 /* the node assumes that another agent writes statuses under its name */
    /* labels that the controller must write to the Node; NULL if the agent writes them; borrowed */
    const json_t *labels;
    /* reason why the server refuses the Node's labels; NULL if the server does not refuse them */
    const char *labels_failure;
    const char *delivery_failure; /* reason why the server refuses statuses; NULL if the server does not refuse them */
    const char *disk_failure;     /* reason why writes to the state folder fail; NULL if they succeed */
    /* problem of the trust folder: a file that does not belong there, or a user who can change the folder; NULL if
     * there is no problem */
    const char *trust_failure;
    const struct hf_trust_ids *trusted; /* keys that the node trusts; NULL if unknown */
    /* reason why the node does not receive the desired state from its source; NULL if there is no such failure */
    const char *source_failure;
    const char *source_reason; /* CamelCase word for source_failure; NULL if source_failure is NULL */
    /* reason why the node cannot confirm that its floors are the newest; NULL if there is no problem */
    const char *floors_failure;
    const char *floors_reason; /* CamelCase word for floors_failure */
    /* reason why the node has no valid client certificate; NULL if there is no problem */
    const char *certificate_failure;
    const char *certificate_reason; /* CamelCase word for certificate_failure; NULL if certificate_failure is NULL */
    const struct hf_readiness *readiness;
    int64_t observed_generation; /* generation of this node's EdgeNode (0 means unknown) */
};

/* Builds the essence of a status. Updates the array `conditions` in place, so that unchanged conditions keep their
 * transition times. Sets *ret_essence to a new object, which contains a copy of `conditions`. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_status_essence(const struct hf_status_view *view, json_t *conditions, uint64_t now_unix_ns,
                                  json_t **ret_essence);

/* If the essence has exactly one update, shortens texts so that the written status stays below HF_STATUS_ONE_BYTES, or
 * below HF_STATUS_TROUBLE_BYTES while Ready is not True. Two kinds of status may still exceed the limits. One kind has
 * an unusually long name or version, or a condition other than Ready, Reconciling and Stalled with an unusually long
 * message. The other kind has at least one of the parts labels, disks, manifests, network, writes, journal and
 * telemetry, or policy.sections. hf_status_essence() calls this function. */
void hf_status_fit(json_t *essence);

/* Returns true if two essences differ at most in the transition times of conditions; false if one is NULL. */
bool hf_status_same(const json_t *essence_a, const json_t *essence_b);

/* The network, as measured by the agent's own traffic. The status leaves out numbers that are 0. */
struct hf_status_network {
    bool present;
    uint64_t api_round_trip_ns; /* the status shows whole milliseconds, rounded up */
    uint64_t download_bytes_per_second;
    uint64_t bytes_today; /* bulk transfers within the last 24 hours */
    uint64_t max_bytes_per_day;
};

/* Bytes that the agent has written to disks within the last 24 hours (node/resources/write_log.h); budget_bytes is 0 if
 * there is no budget. */
struct hf_status_writes {
    bool present;
    uint64_t bytes_today, budget_bytes;
};

struct hf_status_journal {
    bool present;
    uint64_t entries;
    const char *last_hash; /* hex digits; borrowed */
};

struct hf_status_volatile {
    uint64_t sequence;
    uint64_t observed_unix_ns; /* time at which the agent made the status for a write */
    uint64_t contact_unix_ns;  /* time of the last contact (0 means never) */
    bool has_offset;
    /* telemetry part of the status; hf_status_body() takes over the reference; NULL if there is none */
    json_t *telemetry;
    /* the server's clock minus this node's clock; the status shows the offset with the opposite sign, positive if the
     * node's clock is ahead */
    int64_t offset_ns;
    struct hf_status_network network;
    struct hf_status_writes writes;
    struct hf_status_journal journal;
};

/* Makes the body of an apply to the status, {apiVersion, kind, metadata.name, status}. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_status_body(const char *node_name, const json_t *essence, const struct hf_status_volatile *moving,
                               json_t **ret_body);

/* Makes the body of the apply that creates the EdgeNode, {apiVersion, kind, metadata.name}. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_status_object(const char *node_name, json_t **ret_body);
