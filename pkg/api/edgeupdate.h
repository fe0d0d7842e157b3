/* SPDX-License-Identifier: Apache-2.0 */
/* EdgeUpdates: a release, a selector of nodes, and the strategy of the rollout.
 *
 * An object references its JSON tree; texts point there or are static. Of the status, only status.admission is
 * decoded. */
#pragma once

#include "api/field/selector.h"
#include "api/meta.h"
#include "api/signature.h"
#include "api/window.h"
#include "base/clock.h"

enum {
    HF_MAX_ARTIFACTS = 16,
    HF_MAX_DELTAS = 64,
    HF_MAX_CHECKS = 16,
    HF_MAX_PROBATION_BOOTS = 16,
    HF_MAX_ARGV = 32,
    HF_MAX_DOWNGRADES = 16,
    HF_MAX_WAVES = 16,
    HF_MAX_SHARE = 999999, /* greatest count in maxFailures, minUpdated, maxUnavailable */
    HF_MAX_CPU_FEATURES = 31,
    HF_MAX_DEVICES = 15,
};

/* An operator pauses a rollout (any value except "false"), halts it (the value is the reason), or resumes it after
 * failures (a new value). */
#define HF_ROLLOUT_PAUSED_ANNOTATION "edge.codcompass.io/rollout-paused"
#define HF_ROLLOUT_HALTED_ANNOTATION "edge.codcompass.io/rollout-halted"
#define HF_ROLLOUT_RESUME_ANNOTATION "edge.codcompass.io/rollout-resume"
/* "true": it is meant that all selected nodes start at once. */
#define HF_EVERYWHERE_ANNOTATION "edge.codcompass.io/everywhere"

/* What a node needs beyond the needs of every delta. */
struct hf_delta_needs {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_ref {
    /* hex SHA-256 of the old file, or of the old tree's canonical archive */
    const char *from;
    const char *url;
    const char *sha256;
    uint64_t size;
    struct hf_delta_needs needs;
    const char *to; /* `steps`: hex SHA-256 of the intermediate file; else NULL */
    uint64_t to_size;
};

struct hf_requires {
    const char *cpu_features[HF_MAX_CPU_FEATURES + 1];
    uint64_t memory_bytes; /* of the node; 0: any amount */
    uint64_t disk_bytes;   /* free on the node; 0: any amount */
    const char *devices[HF_MAX_DEVICES + 1];
    const char *kernel; /* such as ">=5.10", or NULL */
};

/* The packed file (.zst, .xz), if it is what nodes download. */
struct hf_download {
    const char *sha256; /* hex, or NULL */
    uint64_t size;
};

struct hf_artifact {
    const char *arch;
    const char *url;
    const char *sha256; /* of the unpacked file, hex */
    uint64_t size;      /* of the unpacked file */
    struct hf_download download;
    struct hf_delta_ref *deltas;
    size_t n_deltas;
    /* deltas to intermediate files: a chain may be smaller than one delta */
    struct hf_delta_ref *steps;
    size_t n_steps;
    struct hf_requires requires_;
};

/* AGENT: a tree with the agent, at the agent's own path. */
enum hf_install_kind { HF_INSTALL_FILE, HF_INSTALL_TREE, HF_INSTALL_AGENT };

#define HF_AGENT_RELEASE "holdfast-agent"

struct hf_install {
    enum hf_install_kind kind;
    const char *path; /* "" for kind Agent */
    unsigned mode;
    bool has_mode; /* false: a recorded mode, the old file's, or 0755 */
    const char *restart_unit;
    const char *restart_exec[HF_MAX_ARGV + 1];
    bool reboots;
    /* by default `systemctl reboot` */
    const char *reboot_command[HF_MAX_ARGV + 1];
    struct hf_window reboot_window; /* any time if its duration_ns is 0 */
};

/* Each kind of health check has: constant, field in health.checks[], word in messages and --health-<word>, member of
 * the field that the flag's value sets ("": the field itself), the value's form, placeholder and help. */
#define HF_CHECK_KINDS(X)                                                                                              \
    X(HTTP, "http", "http", "url", TEXT, "URL", "URL that must answer 200 before the node commits the release")        \
    X(TCP, "tcp", "tcp", "port", PORT, "PORT", "port on 127.0.0.1 that must accept a connection")                      \
    X(EXEC, "exec", "exec", "command", WORDS, "WORD", "command that must exit with 0, one word each")                  \
    X(UNIT, "systemdUnitActive", "unit", "", TEXT, "UNIT", "systemd unit that must be active")

enum hf_check_kind {
#define HF_CHECK_ENUM(kind, ...) HF_CHECK_##kind,
    HF_CHECK_KINDS(HF_CHECK_ENUM)
#undef HF_CHECK_ENUM
        HF_CHECK_COUNT,
};

enum hf_check_form { HF_CHECK_FORM_TEXT, HF_CHECK_FORM_PORT, HF_CHECK_FORM_WORDS };

struct hf_check_row {
    const char *field, *flag, *key;
    enum hf_check_form form;
};
extern const struct hf_check_row hf_release_check_rows[HF_CHECK_COUNT];

struct hf_check {
    enum hf_check_kind kind;
    const char *url;
    int status;
    const char *host;
    uint16_t port;
    const char *command[HF_MAX_ARGV + 1];
    const char *unit;
    uint64_t period_ns;
    uint64_t timeout_ns;
    unsigned success_threshold;
};

/* Writes "http http://127.0.0.1:8080/healthz", cut to n. */
void hf_release_check_describe(const struct hf_check *check, char *text, size_t n);

/* Each command around the swap has: constant, field in hooks, flag of `release create`, its help. */
#define HF_HOOKS(X)                                                                                                    \
    X(BEFORE_SWAP, "beforeSwap", "hook-before-swap",                                                                   \
      "command to run before the swap, one word each; a failure stops it")                                             \
    X(AFTER_SWAP, "afterSwap", "hook-after-swap", "command to run after the swap, one word each; a failure undoes it") \
    X(BEFORE_ROLLBACK, "beforeRollback", "hook-before-rollback", "command to run before a rollback, one word each")

enum hf_hook_kind {
#define HF_HOOK_ENUM(kind, ...) HF_HOOK_##kind,
    HF_HOOKS(HF_HOOK_ENUM)
#undef HF_HOOK_ENUM
        HF_HOOK_COUNT,
};

extern const char *const hf_release_hook_names[HF_HOOK_COUNT];

struct hf_hook {
    const char *argv[HF_MAX_ARGV + 1];
    uint64_t timeout_ns;
};

struct hf_wave {
    unsigned percent; /* of all slots, including those of earlier waves */
    uint64_t soak_ns;
};

struct hf_release {
    const char *name;
    const char *version;
    uint64_t sequence;
    /* from then on no node starts it, except to go back by the site's order; HF_NEVER: absent */
    uint64_t expires_unix_ns;
    uint64_t signed_at_unix_ns;
    /* a field of old releases (hf_release_outdated()) */
    bool allow_downgrade;
    /* the release may replace these sequences even though its own is lower */
    uint64_t downgrade_from[HF_MAX_DOWNGRADES];
    size_t n_downgrade_from;
    struct hf_artifact *artifacts;
    size_t n_artifacts;
    struct hf_install install;
    uint64_t health_deadline_ns;
    struct hf_check *checks;
    size_t n_checks;
    unsigned probation_boots; /* this many boots after the commit judge the release again */
    struct hf_hook hooks[HF_HOOK_COUNT];
    char digest[65];
    const json_t *json; /* spec.release, which the signatures cover */
};

struct hf_edgeupdate {
    struct hf_meta meta;
    struct hf_selector node_selector;
    char selector_hash[17]; /* first 16 hex digits of the SHA-256 of spec.nodeSelector's canonical JSON */
    struct hf_release release;
    struct hf_signature *signatures;
    size_t n_signatures;
    bool has_strategy, has_canary;
    bool canary_mandatory; /* wait for every canary, even a silent one */
    bool has_disruption;
    struct hf_selector canary_selector;
    uint64_t canary_soak_ns;
    struct hf_wave *waves;
    size_t n_waves;
    /* Admitted nodes that may fail before a halt; a percentage is of those that are not away. */
    struct hf_share max_failures;
    /* Nodes of a stage that must update before it settles, except those that cannot run the release. If failures make
     * the number unreachable, all nodes that have not failed must. */
    struct hf_share min_updated;
    /* once a stage was open for this time, without halts and `suspend`, one updated node suffices; 0: never */
    uint64_t min_updated_after_ns;
    uint64_t unknown_after_ns; /* without a report for so long, a node is unknown */
    /* time from admission to the end, after which a node that still reports has failed; starts again after a wait
     * (window, turn, hold) or silence */
    uint64_t progress_deadline_ns;
    const char *group_by; /* key of the label that forms groups; if has_disruption */
    /* how many nodes of a group may have a turn, at least one; if has_disruption */
    struct hf_share max_unavailable;
    struct hf_window *windows;
    size_t n_windows;
    uint64_t bandwidth_limit; /* of downloads, in bytes per second */
    bool suspend;             /* no node starts an update; updates in progress continue */
    bool wait_for_images;     /* updates wait for the images of the node's policy */
    /* status.admission, if has_strategy: */
    char admission_digest[65];
    unsigned admission_cutoff;   /* basis points 0..10000 */
    bool admission_canary;       /* the nodes of canary_selector are admitted */
    char admission_selector[17]; /* the admission is for this selector_hash; "": for any */
    json_t *json;
};

/* Clears *issues, adds warnings and, with -EBADMSG, errors. May block to read zoneinfo files. */
HF_MUST_USE int hf_edgeupdate_decode(json_t *json, struct hf_edgeupdate **ret_update, struct hf_issues *issues);
void hf_edgeupdate_free(struct hf_edgeupdate *update);
HF_DEFINE_CLEANUP(struct hf_edgeupdate, hf_edgeupdate_free)

const char *hf_edgeupdate_annotation(const json_t *json, const char *key);

bool hf_edgeupdate_is_paused(const json_t *json);

/* Returns the unit that the release restarts, else the first unit that a health check names; or NULL. Borrowed. */
const char *hf_release_unit(const struct hf_release *release);
const struct hf_artifact *hf_release_artifact(const struct hf_release *release, const char *arch);

/* Returns the field, such as "expires", because of which no node starts this valid release, with the reason in `text`;
 * or NULL. A node that has committed it keeps and repairs it. */
const char *hf_release_outdated(const struct hf_release *release, char *text, size_t n);

/* Returns the i-th program that the agent runs for the release, or NULL, and its field, such as
 * "health.checks[2].exec". */
const char *hf_release_program(const struct hf_release *release, size_t i, char *field, size_t n);
