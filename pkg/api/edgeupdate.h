/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes and checks EdgeUpdates: a release, a selector of nodes, and the strategy of the rollout.
 *
 * A struct hf_edgeupdate references its JSON tree; its texts point there or are static defaults. It is valid by all
 * bounds and rules of the CRD. Reads status.admission only of the status. Threads: one at a time. */
#pragma once

#include "api/field/selector.h"
#include "api/meta.h"
#include "api/signature.h"
#include "api/window.h"
#include "base/clock.h"

enum {
    HF_MAX_ARTIFACTS = 16,
    HF_MAX_DELTAS = 64, /* in `deltas`, and in `steps` */
    HF_MAX_CHECKS = 16,
    HF_MAX_PROBATION_BOOTS = 16,
    HF_MAX_ARGV = 32,
    HF_MAX_DOWNGRADES = 16, /* in `downgradeFrom` */
    HF_MAX_WAVES = 16,
    HF_MAX_SHARE = 999999, /* maxFailures, minUpdated and maxUnavailable, unless a percentage */
    HF_MAX_CPU_FEATURES = 31,
    HF_MAX_DEVICES = 15,
};

/* An operator pauses a rollout (not by "false"); halts it, with a reason; or resumes it after failures, by a value that
 * differs from the last one. */
#define HF_ROLLOUT_PAUSED_ANNOTATION "edge.codcompass.io/rollout-paused"
#define HF_ROLLOUT_HALTED_ANNOTATION "edge.codcompass.io/rollout-halted"
#define HF_ROLLOUT_RESUME_ANNOTATION "edge.codcompass.io/rollout-resume"
/* "true": all selected nodes at once, without a strategy. */
#define HF_EVERYWHERE_ANNOTATION "edge.codcompass.io/everywhere"

/* On top of what every delta needs; 0: nothing. */
struct hf_delta_needs {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_ref {
    /* hex SHA-256 of the old file, or for the kinds of trees of the old tree's canonical archive */
    const char *from;
    const char *url;
    const char *sha256;          /* the delta's, in hex */
    uint64_t size;               /* the delta's */
    struct hf_delta_needs needs; /* may differ for deltas from one old file */
    const char *to;              /* in `steps`, hex SHA-256 of the intermediate file; else NULL */
    uint64_t to_size;            /* in `steps`, its size */
};

struct hf_requires {
    const char *cpu_features[HF_MAX_CPU_FEATURES + 1]; /* as in /proc/cpuinfo */
    uint64_t memory_bytes;                             /* the node's; 0: any */
    uint64_t disk_bytes;                               /* free; 0: any */
    const char *devices[HF_MAX_DEVICES + 1];           /* paths below /dev */
    const char *kernel;                                /* such as ">=5.10", or NULL */
};

/* A packed file (.zst, .xz) sent in place of the file. */
struct hf_download {
    const char *sha256; /* hex; NULL: the file itself is sent */
    uint64_t size;
};

struct hf_artifact {
    const char *arch; /* value of kubernetes.io/arch */
    const char *url;
    const char *sha256; /* hex, of the unpacked file */
    uint64_t size;      /* unpacked */
    struct hf_download download;
    struct hf_delta_ref *deltas; /* make the new file */
    size_t n_deltas;
    /* make intermediate files from which others start: a chain may be smaller than one delta */
    struct hf_delta_ref *steps;
    size_t n_steps;
    struct hf_requires requires_;
};

/* AGENT: a tree at a path of the agent's own, which holds the agent itself. */
enum hf_install_kind { HF_INSTALL_FILE, HF_INSTALL_TREE, HF_INSTALL_AGENT };

/* The only name of releases of kind Agent. */
#define HF_AGENT_RELEASE "holdfast-agent"
#define HF_AGENT_MAX_DEADLINE_NS (120 * HF_NS_PER_S)

struct hf_install {
    enum hf_install_kind kind;
    const char *path;         /* absolute and normal; "" for HF_INSTALL_AGENT */
    unsigned mode;            /* at most 07777; if has_mode */
    bool has_mode;            /* else the mode of the old file, or 0755 */
    const char *restart_unit; /* systemd unit, or NULL */
    /* command that restarts the service */
    const char *restart_exec[HF_MAX_ARGV + 1];
    bool reboots; /* instead of a restart, the node reboots after the swap */
    /* default: systemctl reboot */
    const char *reboot_command[HF_MAX_ARGV + 1];
    struct hf_window reboot_window; /* duration_ns 0: at any time */
};

/* Kinds of health checks: constant; field in health.checks[]; word in messages and --health-<word>; key in the field
 * for the flag's value ("": the field itself); form of the value; its placeholder and text in help. */
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
    const char *url;                      /* http */
    int status;                           /* http: expected; default 200 */
    const char *host;                     /* tcp: default 127.0.0.1 */
    uint16_t port;                        /* tcp */
    const char *command[HF_MAX_ARGV + 1]; /* exec */
    const char *unit;                     /* systemdUnitActive */
    uint64_t period_ns;                   /* between tries; default 2 s */
    uint64_t timeout_ns;                  /* for one try; default 5 s */
    unsigned success_threshold;           /* in a row; default 1 */
};

/* Such as "http http://127.0.0.1:8080/healthz", cut to n. */
void hf_release_check_describe(const struct hf_check *check, char *text, size_t n);

/* Commands of a release around its swap: constant; field in hooks; flag of `release create`; help of the flag. */
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
    const char *argv[HF_MAX_ARGV + 1]; /* empty: no hook */
    uint64_t timeout_ns;               /* default 60 s */
};

struct hf_wave {
    unsigned percent; /* share of the slots, with all earlier waves */
    uint64_t soak_ns;
};

struct hf_release {
    const char *name;
    const char *version;
    uint64_t sequence;
    /* from then on, no node starts it; HF_NEVER: absent, and no node starts it, but keeps it if committed */
    uint64_t expires_unix_ns;
    uint64_t signed_at_unix_ns; /* 0: absent */
    /* has allowDowngrade, which is not supported any more: no node starts it */
    bool allow_downgrade;
    /* A node with one of these sequences committed may replace it, even by a lower one. */
    uint64_t downgrade_from[HF_MAX_DOWNGRADES];
    size_t n_downgrade_from;
    struct hf_artifact *artifacts;
    size_t n_artifacts;
    struct hf_install install;
    uint64_t health_deadline_ns; /* default 2 min */
    struct hf_check *checks;
    size_t n_checks;
    unsigned probation_boots; /* after the commit, each judges the release again; 0: none */
    struct hf_hook hooks[HF_HOOK_COUNT];
    char digest[65];    /* hex SHA-256 of the canonical JSON of spec.release */
    const json_t *json; /* spec.release, for the signatures */
};

struct hf_edgeupdate {
    struct hf_meta meta;
    struct hf_selector node_selector;
    struct hf_release release;
    struct hf_signature *signatures;
    size_t n_signatures;
    bool has_strategy, has_canary;
    bool canary_mandatory; /* continue only after every canary has succeeded, also silent ones */
    bool has_disruption;   /* a swap needs a turn */
    struct hf_selector canary_selector;
    uint64_t canary_soak_ns;
    struct hf_wave *waves;
    size_t n_waves;
    /* Admitted nodes that may fail before the rollout halts; default 0. A share is of those not away. */
    struct hf_share max_failures;
    /* Nodes of a stage that must update before it settles; default 50 %. Leaves out nodes that cannot run the release.
     * Out of reach by failures: all that have not failed. */
    struct hf_share min_updated;
    /* Open for this time, without halts and `suspend`, a stage needs one updated node, not min_updated. 0: never. */
    uint64_t min_updated_after_ns;
    uint64_t unknown_after_ns; /* without a report, then a node is unknown; default 30 min */
    /* From admission to the end of the update; a node that reports and is not done by then has failed. Starts again
     * after a wait (window, turn, hold) or silence. 0: no limit. */
    uint64_t progress_deadline_ns;
    const char *group_by; /* label of the groups; if has_disruption */
    /* nodes of a group with a turn at once, at least one; if has_disruption */
    struct hf_share max_unavailable;
    struct hf_window *windows;
    size_t n_windows;
    uint64_t bandwidth_limit; /* downloads, in bytes per second; 0: no limit */
    bool suspend;             /* no node starts; running updates and repairs continue */
    bool wait_for_images;     /* as suspend, until the images of the node's policy are there */
    /* status.admission, for has_strategy: */
    char admission_digest[65]; /* the admitted release, or "" */
    unsigned admission_cutoff; /* basis points 0..10000 */
    bool admission_canary;     /* canary_selector's nodes */
    json_t *json;
};

/* Clears *issues first. -EBADMSG: *issues has the errors, else the warnings. May block to read zoneinfo files. */
HF_MUST_USE int hf_edgeupdate_decode(json_t *json, struct hf_edgeupdate **ret_update, struct hf_issues *issues);
void hf_edgeupdate_free(struct hf_edgeupdate *update);
HF_DEFINE_CLEANUP(struct hf_edgeupdate, hf_edgeupdate_free)

/* Borrowed; NULL: absent, or not a string. */
const char *hf_edgeupdate_annotation(const json_t *json, const char *key);

bool hf_edgeupdate_is_paused(const json_t *json);

/* The unit of the service: what the node restarts, or the first check of a unit; NULL: none. Borrowed. */
const char *hf_release_unit(const struct hf_release *release);
const struct hf_artifact *hf_release_artifact(const struct hf_release *release, const char *arch);

/* A valid release that no node starts, but keeps and repairs if committed: it lacks a required field, or has
 * allowDowngrade. Returns the field, such as "expires", and the reason in `text`; else NULL. */
const char *hf_release_outdated(const struct hf_release *release, char *text, size_t n);

/* The program of the i-th command that the release has the agent run, and its field, such as
 * "health.checks[2].exec"; NULL: there are no more. */
const char *hf_release_program(const struct hf_release *release, size_t i, char *field, size_t n);
