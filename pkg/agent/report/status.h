/* SPDX-License-Identifier: Apache-2.0 */
/* EdgeNode.status as JSON. Pure.
 *
 * The essence's changes are reported at once; all else (sequence, times, clock offset, telemetry, measurements) at the
 * next write. */
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
    HF_STATUS_MAX_OTHERS = 256, /* bytes of their names in one text */
    HF_STATUS_MAX_SECTIONS = 128,
    HF_STATUS_ONE_BYTES = 1024,    /* one release, Ready */
    HF_STATUS_TROUBLE_BYTES = 3072 /* not Ready: a person reads the reason */
};

struct hf_status_disk {
    const char *path;
    unsigned used_percent;
    enum hf_disk_level level;
    bool missing;                 /* figures 0 */
    unsigned inodes_used_percent; /* 0: not counted */
    bool read_only;
    bool has_wear;
    unsigned wear_percent; /* node/resources/wear.h */
};

/* Only with trouble; `reason`: CamelCase, or NULL. */
struct hf_status_trouble {
    const char *reason;
    const char *message;
};

/* `reason` NULL: no such condition. */
struct hf_status_finding {
    bool good;
    const char *reason, *message;
};

enum hf_status_clock {
    HF_STATUS_CLOCK_FINE,
    HF_STATUS_CLOCK_BEYOND_MAX_SKEW,  /* against the API server's */
    HF_STATUS_CLOCK_NOT_SYNCHRONIZED, /* no time server, no API server confirms it */
};

/* Borrowed; NULL: none; reasons: CamelCase. */
struct hf_status_view {
    const char *version;
    bool pod_mode;
    bool once;
    bool stopped;
    enum hf_staleness staleness;
    const char *contact_reason; /* "DnsFailed" */
    enum hf_status_clock clock;
    bool clock_synchronized; /* by a time server */
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const struct hf_status_manifest *manifests;
    size_t n_manifests;
    const struct hf_status_disk *disks;
    size_t n_disks;
    struct hf_status_trouble disk_pressure, memory_pressure; /* True */
    struct hf_status_trouble log_rotation;                   /* False */
    const struct hf_hold *hold;
    uint64_t hold_end_unix_ns;
    const struct hf_policy_set *policies;
    const struct hf_issues *labels_refused;
    const char *config_fault; /* first */
    bool name_shared;         /* by another agent */
    const json_t *labels;     /* by the controller; or NULL */
    struct {
        const char *labels, *delivery, *disk;
        const char *trust; /* a stray file, or who can change the folder */
    } failure;
    const char *left_out;               /* features not in this program */
    const struct hf_trust_ids *trusted; /* NULL: unknown */
    struct hf_status_trouble policy_distrust, source, certificate;
    bool certificate_valid;
    struct hf_status_trouble floors; /* maybe old */
    struct hf_status_finding host_life, images, mirror, prefetch;
    const struct hf_readiness *readiness;
    int64_t observed_generation;
};

/* Updates `conditions` in place: unchanged ones keep their times. The essence gets a copy. */
HF_MUST_USE int hf_status_essence(const struct hf_status_view *view, json_t *conditions, uint64_t now_unix_ns,
                                  json_t **ret_essence);

/* For one update, cuts texts to HF_STATUS_ONE_BYTES or _TROUBLE_BYTES, not counting labels, disks, manifests, network,
 * writes, journal, telemetry, policy.sections, and unusually long names, versions and messages. hf_status_essence()
 * calls it. */
void hf_status_fit(json_t *essence);

/* Compares all except transition times; false if one is NULL. */
bool hf_status_same(const json_t *essence_a, const json_t *essence_b);

/* Own traffic; 0: left out. */
struct hf_status_network {
    bool present;
    uint64_t api_round_trip_ns;
    uint64_t download_bytes_per_second;
    uint64_t bytes_today; /* bulk, in 24 hours */
    uint64_t max_bytes_per_day;
};

/* In 24 hours; budget 0: none. */
struct hf_status_writes {
    bool present;
    uint64_t bytes_today, budget_bytes;
};

struct hf_status_journal {
    bool present;
    uint64_t entries;
    const char *last_hash; /* hex; borrowed */
};

struct hf_status_volatile {
    uint64_t sequence;
    uint64_t observed_unix_ns; /* when the status was made */
    uint64_t contact_unix_ns;  /* 0: never */
    bool has_offset;
    json_t *telemetry; /* taken; or NULL */
    int64_t offset_ns; /* server's minus node's clock; shown negated */
    struct hf_status_network network;
    struct hf_status_writes writes;
    struct hf_status_journal journal;
};

/* {apiVersion, kind, metadata.name, status} */
HF_MUST_USE int hf_status_body(const char *node_name, const json_t *essence, const struct hf_status_volatile *moving,
                               json_t **ret_body);

HF_MUST_USE int hf_status_object(const char *node_name, json_t **ret_body);
