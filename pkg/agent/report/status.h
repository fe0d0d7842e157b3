/* SPDX-License-Identifier: Apache-2.0 */
/* EdgeNode.status as JSON. Pure.
 *
 * Changes of the essence cause a write; the rest (sequence, clock offset, telemetry, measurements) goes with the
 * next. */
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
    HF_STATUS_MAX_OTHERS = 256,
    HF_STATUS_MAX_SECTIONS = 128,
    HF_STATUS_ONE_BYTES = 1024,    /* bytes of a status with one release and Ready */
    HF_STATUS_TROUBLE_BYTES = 3072 /* bytes if not Ready */
};

struct hf_status_disk {
    const char *path;
    unsigned used_percent;
    enum hf_disk_level level;
    bool missing;
    unsigned inodes_used_percent; /* 0: not counted */
    bool read_only;
    bool has_wear;
    unsigned wear_percent;
};

/* A condition that exists only if `reason` (CamelCase) and `message` are not NULL. */
struct hf_status_trouble {
    const char *reason;
    const char *message;
};

/* A condition; `reason` NULL: there is none. */
struct hf_status_finding {
    bool good;
    const char *reason, *message;
};

enum hf_status_clock {
    HF_STATUS_CLOCK_FINE,
    HF_STATUS_CLOCK_BEYOND_MAX_SKEW,  /* too far from the API server's clock */
    HF_STATUS_CLOCK_NOT_SYNCHRONIZED, /* neither a time server nor an API server confirms it */
};

/* What the status shows; borrowed. NULL: none, except policies, labels_refused and readiness. Reasons are CamelCase. */
struct hf_status_view {
    const char *version;
    bool pod_mode;
    bool once;
    bool stopped;
    enum hf_staleness staleness;
    const char *contact_reason;
    enum hf_status_clock clock;
    bool clock_synchronized;
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const struct hf_status_manifest *manifests;
    size_t n_manifests;
    const struct hf_status_disk *disks;
    size_t n_disks;
    struct hf_status_trouble disk_pressure, memory_pressure; /* conditions that are True in trouble */
    struct hf_status_trouble log_rotation;                   /* condition that is False in trouble */
    const struct hf_hold *hold;
    uint64_t hold_end_unix_ns;
    const struct hf_policy_set *policies;
    const struct hf_issues *labels_refused;
    const char *config_fault;
    bool name_shared;
    const json_t *labels;
    struct {
        const char *labels, *delivery, *disk;
        const char *trust;
    } failure;
    const char *left_out; /* features that this program lacks */
    const struct hf_trust_ids *trusted;
    struct hf_status_trouble policy_distrust, source, certificate;
    bool certificate_valid;
    struct hf_status_trouble floors; /* the floors may be old */
    struct hf_status_finding host_life, images, mirror, prefetch;
    const struct hf_readiness *readiness;
    int64_t observed_generation;
};

/* Makes the essence, with a copy of `conditions`, which it updates in place: those of the same status keep their
 * times. */
HF_MUST_USE int hf_status_essence(const struct hf_status_view *view, json_t *conditions, uint64_t now_unix_ns,
                                  json_t **ret_essence);

/* Cuts messages of a status with one update towards HF_STATUS_ONE_BYTES or _TROUBLE_BYTES. hf_status_essence() calls it
 * before it adds labels, keys and sections, which do not count. */
void hf_status_fit(json_t *essence);

/* Whether both are equal, except for transition times. False if one is NULL. */
bool hf_status_same(const json_t *essence_a, const json_t *essence_b);

/* The agent's traffic. Zeros are left out. */
struct hf_status_network {
    bool present;
    uint64_t api_round_trip_ns;
    uint64_t download_bytes_per_second;
    uint64_t bytes_today; /* bulk bytes of a day */
    uint64_t max_bytes_per_day;
};

/* Bytes written in a day. Budget 0: none. */
struct hf_status_writes {
    bool present;
    uint64_t bytes_today, budget_bytes;
};

struct hf_status_journal {
    bool present;
    uint64_t entries;
    const char *last_hash;
};

struct hf_status_volatile {
    uint64_t sequence;
    uint64_t observed_unix_ns;
    uint64_t contact_unix_ns; /* 0: never */
    bool has_offset;
    json_t *telemetry; /* moved into the status; or NULL */
    int64_t offset_ns; /* server's clock minus the node's; shown negated */
    struct hf_status_network network;
    struct hf_status_writes writes;
    struct hf_status_journal journal;
};

/* Makes {apiVersion, kind, metadata.name, status}. */
HF_MUST_USE int hf_status_body(const char *node_name, const json_t *essence, const struct hf_status_volatile *moving,
                               json_t **ret_body);

HF_MUST_USE int hf_status_object(const char *node_name, json_t **ret_body);
