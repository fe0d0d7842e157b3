/* agent/status.h - EdgeNode.status as JSON. Pure.
 *
 * Two steps: the essence is what a change must be told for; the volatile part (sequence, times, offset) is added when it is
 * written, so that a clock's drift or a heartbeat is not a change.
 *
 * A further condition is one more row in set_conditions(): a field of the view that says whether, and why. */
#pragma once

#include "api/syncpolicy.h"
#include "node/clock.h"
#include "node/disk.h"
#include "sync/hold.h"
#include "sync/readiness.h"
#include "sync/stale.h"

enum {
    HF_STATUS_MAX_MESSAGE = 1024,
    HF_STATUS_MAX_UPDATES = 64,
    HF_STATUS_MAX_DISKS = 8,
    HF_STATUS_ONE_BYTES = 1024,    /* of one release that is where it shall be */
    HF_STATUS_TROUBLE_BYTES = 3072 /* of one that is not: somebody has to read why */
};

struct hf_status_disk {
    const char *path;
    unsigned used_percent;
    enum hf_disk_level level;
};

struct hf_status_view {
    const char *version;
    bool pod_mode;
    bool once;    /* nobody renews it when it is settled */
    bool stopped; /* this is the last word of this life: what stands is not looked after */
    enum hf_staleness staleness;
    bool skew_exceeded;
    enum hf_ntp_state ntp;
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const struct hf_status_disk *disks; /* those above a mark */
    size_t n_disks;
    const struct hf_hold *hold; /* NULL: none in effect */
    uint64_t hold_end_unix_ns;
    const struct hf_syncpolicy *policy; /* in effect */
    bool policy_is_default;             /* no SyncPolicy selects this node */
    const struct hf_issues *labels_refused;
    bool name_shared;             /* somebody else writes statuses under our name */
    const char *labels_trouble;   /* the Node's labels cannot be applied: why; NULL */
    const char *delivery_trouble; /* the server takes no status of this node: why; NULL */
    const char *disk_trouble;     /* the state folder cannot be written: why; NULL */
    const char *
        source_trouble; /* why the source gives no desired state: a folder that cannot be read, a server that may not; NULL */
    const char *source_reason; /* the same in one word; NULL with it */
    const struct hf_readiness *verdict;
    int64_t observed_generation; /* of the EdgeNode; 0 unknown */
};

/* `conditions` (an array) is brought up to date in place: transition times survive. *ret_essence is a new object that holds a
 * copy of it. -ENOMEM. */
HF_MUST_USE int hf_status_essence(const struct hf_status_view *view, json_t *conditions, uint64_t now_unix_ns,
                                  json_t **ret_essence);

/* Where there is one update, cut texts of the essence so that the status is below HF_STATUS_ONE_BYTES when it is written, or below
 * HF_STATUS_TROUBLE_BYTES while Ready is not True (names and versions of usual length given). Done by hf_status_essence(). */
void hf_status_fit(json_t *essence);

/* Equal but for the transition times of conditions. */
bool hf_status_same(const json_t *essence_a, const json_t *essence_b);

struct hf_status_volatile {
    uint64_t sequence;
    uint64_t observed_unix_ns; /* the moment that all of it is about */
    uint64_t contact_unix_ns;  /* 0 never */
    bool has_offset;
    json_t *telemetry; /* reference taken over; NULL: nothing to say */
    int64_t offset_ns; /* the server's clock less ours; told the other way round: positive when the node is ahead */
};

/* {apiVersion, kind, metadata.name, status}: what is applied. -ENOMEM. */
HF_MUST_USE int hf_status_body(const char *node_name, const json_t *essence, const struct hf_status_volatile *moving,
                               json_t **ret_body);

/* The same without status: brings the object into being. */
HF_MUST_USE int hf_status_object(const char *node_name, json_t **ret_body);
