/* SPDX-License-Identifier: Apache-2.0 */
/* api/edgeupdate.h - decodes and checks EdgeUpdates. An EdgeUpdate has a release, a selector of the nodes that should
 * run the release, and the strategy of the rollout.
 *
 * A struct hf_edgeupdate holds a reference to its JSON tree. Every `const char *` points into this tree or is a static
 * default, and is valid as long as the struct. A decoded EdgeUpdate is valid, because decoding checks every bound and
 * every rule of the CRD again. Decoding ignores the status, except status.admission, which the controller writes.
 * Threads: only one thread may use a struct hf_edgeupdate at a time. */
#pragma once

#include "api/field/selector.h"
#include "api/meta.h"
#include "api/signature.h"
#include "api/window.h"
#include "base/clock.h"

enum {
    HF_MAX_ARTIFACTS = 16,
    HF_MAX_DELTAS = 64, /* maximum length of the list `deltas`, and of the list `steps` */
    HF_MAX_CHECKS = 16,
    HF_MAX_ARGV = 32,
    HF_MAX_DOWNGRADES = 16, /* maximum length of the list `downgradeFrom` */
    HF_MAX_WAVES = 16,
    HF_MAX_SHARE = 999999, /* largest value of maxFailures, minUpdated and maxUnavailable that is not a percentage */
    HF_MAX_CPU_FEATURES = 31,
    HF_MAX_DEVICES = 15,
};
#define HF_MAX_ARTIFACT_BYTES (64ull << 30)

/* Annotations by which an operator controls a rollout. HF_ROLLOUT_PAUSED_ANNOTATION pauses the rollout; the value
 * "false" has no effect. HF_ROLLOUT_HALTED_ANNOTATION halts the rollout; the value is the operator's reason.
 * HF_ROLLOUT_RESUME_ANNOTATION resumes a rollout that failures have halted; the value must differ from the value that
 * the controller handled last. */
#define HF_ROLLOUT_PAUSED_ANNOTATION "edge.codcompass.io/rollout-paused"
#define HF_ROLLOUT_HALTED_ANNOTATION "edge.codcompass.io/rollout-halted"
#define HF_ROLLOUT_RESUME_ANNOTATION "edge.codcompass.io/rollout-resume"
/* The value "true" says that all selected nodes shall have the release at once, without a strategy. */
#define HF_EVERYWHERE_ANNOTATION "edge.codcompass.io/everywhere"

/* Resources that a node needs for one delta, in addition to the resources that every delta needs. */
struct hf_delta_needs {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_ref {
    /* hex SHA-256 of the old file, or, for HF_INSTALL_TREE, of the canonical archive of the old tree */
    const char *from;
    const char *url;
    const char *sha256; /* hex SHA-256 of the delta itself */
    uint64_t size;      /* size in bytes of the delta itself */
    /* additional resources that this delta needs (0 means none); deltas from the same old file may need different
     * resources */
    struct hf_delta_needs needs;
    const char *to;   /* in `steps`, hex SHA-256 of the intermediate file that the delta makes; NULL in `deltas` */
    uint64_t to_size; /* in `steps`, size in bytes of the intermediate file */
};

struct hf_requires {
    /* names of CPU features, as in /proc/cpuinfo; NULL ends the array */
    const char *cpu_features[HF_MAX_CPU_FEATURES + 1];
    uint64_t memory_bytes; /* memory in bytes that the node must have (0 means no requirement) */
    uint64_t disk_bytes;   /* free disk space in bytes that the node must have (0 means no requirement) */
    const char *devices[HF_MAX_DEVICES + 1]; /* absolute paths of devices below /dev; NULL ends the array */
    /* constraint for the kernel release, such as ">=5.10"; NULL if the release runs on any kernel */
    const char *kernel;
};

/* The packed file (.zst, .xz), if the server sends it in place of the file itself. */
struct hf_download {
    const char *sha256; /* hex SHA-256 of the packed file; NULL if the server sends the file itself */
    uint64_t size;
};

struct hf_artifact {
    const char *arch; /* architecture, as a value of the label kubernetes.io/arch */
    const char *url;
    const char *sha256; /* hex SHA-256 of the file after decompression */
    uint64_t size;      /* size in bytes of the file after decompression */
    struct hf_download download;
    struct hf_delta_ref *deltas; /* deltas that make the new file */
    size_t n_deltas;
    /* deltas that make intermediate files, from which other deltas start; a chain of deltas may be smaller than a
     * single delta from the node's file to the new file */
    struct hf_delta_ref *steps;
    size_t n_steps;
    struct hf_requires requires_;
};

enum hf_install_kind { HF_INSTALL_FILE, HF_INSTALL_TREE };

struct hf_install {
    enum hf_install_kind kind;
    const char *path; /* absolute and normalized path (without ".." and "//") */
    unsigned mode;    /* permission bits of the new file, at most 07777; valid if has_mode */
    /* true if the release sets the mode; otherwise the new file gets the mode of the old file (0755 without an old
     * file) */
    bool has_mode;
    const char *restart_unit; /* systemd unit to restart; NULL if there is none */
    /* NULL-terminated argument vector of the command that restarts the service; the first item is NULL if there is no
     * command */
    const char *restart_exec[HF_MAX_ARGV + 1];
};

/* The kinds of health checks, one row for each. The columns are: the constant; the field in health.checks[]; the word
 * for the kind in messages and in the flag --health-<word>; the key inside this field that gets the value of the flag
 * ("" means that the field itself gets the value); the form of this value; the placeholder of this value in the help;
 * the help text. */
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
    const char *url;                      /* for http, URL that the check requests */
    int status;                           /* for http, HTTP status that the answer must have; default 200 */
    const char *host;                     /* for tcp, host to connect to; default 127.0.0.1 */
    uint16_t port;                        /* for tcp, port to connect to */
    const char *command[HF_MAX_ARGV + 1]; /* for exec, the NULL-terminated argument vector of the command */
    const char *unit;                     /* for systemdUnitActive, name of the unit */
    uint64_t period_ns;                   /* time between two tries; default 2 s */
    uint64_t timeout_ns;                  /* time limit of one try; default 5 s */
    unsigned success_threshold;           /* number of good results in a row that the check needs; default 1 */
};

/* Writes the name of the check for messages, such as "http http://127.0.0.1:8080/healthz", into text[n]. Cuts a name
 * that is too long. */
void hf_release_check_describe(const struct hf_check *check, char *text, size_t n);

struct hf_wave {
    unsigned percent; /* percentage of the slots that this wave and the waves before it admit together */
    uint64_t soak_ns;
};

struct hf_release {
    const char *name;
    const char *version;
    uint64_t sequence;
    /* time at which the release expires: from then on, no node starts it; HF_NEVER if the field is absent. No node
     * starts a release without this field, but a node that has already committed such a release keeps it. */
    uint64_t expires_unix_ns;
    uint64_t signed_at_unix_ns; /* 0 if absent */
    /* true if the release sets the field allowDowngrade, which holdfast no longer supports; no node starts such a
     * release */
    bool allow_downgrade;
    /* A node that has committed a release with one of these sequences may replace it with this release, even if the
     * sequence of this release is lower. */
    uint64_t downgrade_from[HF_MAX_DOWNGRADES];
    size_t n_downgrade_from;
    struct hf_artifact *artifacts;
    size_t n_artifacts;
    struct hf_install install;
    uint64_t health_deadline_ns; /* time limit of the health checks; default 2 min */
    struct hf_check *checks;
    size_t n_checks;
    char digest[65];    /* digest of the release, the hex SHA-256 of the canonical JSON of spec.release */
    const json_t *json; /* JSON tree of spec.release, for the check of the signatures */
};

struct hf_edgeupdate {
    struct hf_meta meta;
    struct hf_selector node_selector;
    struct hf_release release;
    struct hf_signature *signatures;
    size_t n_signatures;
    bool has_strategy, has_canary;
    /* true if the rollout continues only after every canary node has succeeded; it then waits for silent canary nodes
     * too */
    bool canary_mandatory;
    /* true if an admitted node starts the swap only with a turn, which the controller gives */
    bool has_disruption;
    struct hf_selector canary_selector;
    uint64_t canary_soak_ns;
    struct hf_wave *waves;
    size_t n_waves;
    /* number or share of the admitted nodes that may fail; one more failure halts the rollout. The default is 0: the
     * first failure halts the rollout. A share is computed from the admitted nodes that are not away. */
    struct hf_share max_failures;
    /* Number or share of a stage's nodes that must have updated before the stage settles; default 50 %. Nodes that
     * cannot run the release do not count. If so many nodes have failed that min_updated cannot be reached, all nodes
     * that have not failed must have updated. */
    struct hf_share min_updated;
    /* After a stage has been open for this time, one updated node is enough, whatever min_updated is. The time during a
     * halt or during `suspend` does not count. 0 means never. */
    uint64_t min_updated_after_ns;
    /* time without a report after which the controller counts a node as unknown; default 30 min */
    uint64_t unknown_after_ns;
    /* time that a node may take after its admission. If a report after this time shows that the node has not finished,
     * the node counts as failed. The time starts from zero again after the node has waited (for a window, its turn or
     * the end of a hold) or was unknown. 0 means no limit. */
    uint64_t progress_deadline_ns;
    const char *group_by; /* key of the label whose values are the groups; valid if has_disruption */
    /* number or share of the nodes of one group that may have a turn at the same time; a share stands for at least one
     * node; valid if has_disruption */
    struct hf_share max_unavailable;
    struct hf_window *windows;
    size_t n_windows;
    uint64_t bandwidth_limit; /* limit of downloads in bytes per second (0 means no limit) */
    bool suspend;             /* true if no node may start the update; running updates, and repairs, continue */
    /* The next three fields are from status.admission, which the controller writes. They have a meaning only if
     * has_strategy is true. */
    char admission_digest[65]; /* digest of the release to which the admission applies; "" if there is no admission */
    unsigned admission_cutoff; /* cutoff of the admitted slots, in basis points 0..10000 */
    bool admission_canary;     /* true if the nodes that canary_selector selects are admitted */
    json_t *json;
};

/* Decodes an EdgeUpdate. First clears *issues. If `json` is valid, returns 0; *ret_update then owns a reference to
 * `json`, and *issues holds the warnings. If `json` is not valid, returns -EBADMSG; *issues then holds the errors.
 * Returns -ENOMEM if memory runs out. If the object has windows, the call blocks while it reads zoneinfo files. */
HF_MUST_USE int hf_edgeupdate_decode(json_t *json, struct hf_edgeupdate **ret_update, struct hf_issues *issues);
void hf_edgeupdate_free(struct hf_edgeupdate *update);
HF_DEFINE_CLEANUP(struct hf_edgeupdate, hf_edgeupdate_free)

/* Returns the value of the annotation `key` of the EdgeUpdate `json`, as text that belongs to `json`. Returns NULL if
 * the annotation is absent or is not a string. */
const char *hf_edgeupdate_annotation(const json_t *json, const char *key);

/* Returns true if the EdgeUpdate `json` has HF_ROLLOUT_PAUSED_ANNOTATION with a string other than "false". */
bool hf_edgeupdate_is_paused(const json_t *json);

/* Returns the artifact for this architecture, or NULL if the release has none. */
const struct hf_artifact *hf_release_artifact(const struct hf_release *release, const char *arch);

/* Finds out if a valid release is outdated: it lacks a field that is required now, or has the field allowDowngrade,
 * which is no longer supported. No node starts such a release, but a node that has already committed it keeps and
 * repairs it. Returns NULL if the release is not outdated. Otherwise writes the reason into text[n], and returns the
 * path of the field inside the release, such as "expires", as static text. */
const char *hf_release_outdated(const struct hf_release *release, char *text, size_t n);
