/* api/edgeupdate.h - EdgeUpdate, decoded and checked: a release, the nodes that should run it, and its rollout.
 *
 * The object holds its tree; every `const char *` borrows from the tree and lives as long as the object. A decoded
 * object is valid: decoding checks every bound and every rule of the CRD again. Decoding
 * ignores status except for the admission, which the controller writes. Threads: an object belongs to one thread at a
 * time. */
#pragma once

#include "api/field/selector.h"
#include "api/meta.h"
#include "api/window.h"
#include "base/clock.h"

enum {
    HF_MAX_ARTIFACTS = 16,
    HF_MAX_DELTAS = 64, /* maximum of `deltas` and of `steps` */
    HF_MAX_CHECKS = 16,
    HF_MAX_ARGV = 32,
    HF_MAX_SIGNATURES = 16,
    HF_MAX_DOWNGRADES = 16, /* maximum of `downgradeFrom` */
    HF_MAX_WAVES = 16,
    HF_MAX_CPU_FEATURES = 31,
    HF_MAX_DEVICES = 15,
};
#define HF_MAX_ARTIFACT_BYTES (64ull << 30)

/* Resources that a node needs to apply this delta, in addition to those that it needs for any delta. */
struct hf_delta_needs {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_ref {
    const char *from; /* hex sha256 of the old file (kind Tree: of the canonical archive of the old tree) */
    const char *url;
    const char *sha256;
    uint64_t size;
    /* 0: no additional resources; deltas from the same old file may differ in their needs */
    struct hf_delta_needs needs;
    const char *to;   /* in `steps`: sha256 of the intermediate file that results; NULL in `deltas` */
    uint64_t to_size; /* in `steps`: size of the intermediate file */
};

struct hf_requires {
    const char *cpu_features[HF_MAX_CPU_FEATURES + 1]; /* NULL ends */
    uint64_t memory_bytes;                             /* 0: no requirement */
    uint64_t disk_bytes;
    const char *devices[HF_MAX_DEVICES + 1]; /* absolute paths below /dev; NULL ends */
    const char *kernel;                      /* ">=5.10"; NULL: any */
};

/* The file that the server sends, if it is packed (.zst, .xz). */
struct hf_download {
    const char *sha256; /* hex sha256 of the packed file; NULL: the server sends the file itself */
    uint64_t size;
};

struct hf_artifact {
    const char *arch; /* kubernetes.io/arch value */
    const char *url;
    const char *sha256;          /* hex sha256 of the file after unpacking */
    uint64_t size;               /* bytes of the file after unpacking */
    struct hf_download download;
    struct hf_delta_ref *deltas; /* deltas whose result is the new file */
    size_t n_deltas;
    /* deltas between older files; a step plus a delta may be smaller than a single delta from the node's file */
    struct hf_delta_ref *steps;
    size_t n_steps;
    struct hf_requires requires_;
};

enum hf_install_kind { HF_INSTALL_FILE, HF_INSTALL_TREE };

struct hf_install {
    enum hf_install_kind kind;
    const char *path; /* absolute, normalised (no "..", no "//") */
    unsigned mode;    /* 07777 */
    /* false: the new file keeps the mode of the old file, or gets 0755 if there is no old file */
    bool has_mode;
    const char *restart_unit;                  /* systemd unit to restart; NULL: none */
    const char *restart_exec[HF_MAX_ARGV + 1]; /* command that restarts, as argv; NULL ends; [0] is NULL: no command */
};

/* The kinds of health checks, one row for each. Columns: constant; field in health.checks[]; word in messages and in
 * the flag --health-<word>; key, inside the field, that the flag sets ("" means the field itself); form of the value;
 * placeholder of the value in the help; help text. */
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
    int status;                           /* http, default 200 */
    const char *host;                     /* tcp, default 127.0.0.1 */
    uint16_t port;                        /* tcp */
    const char *command[HF_MAX_ARGV + 1]; /* exec */
    const char *unit;                     /* systemdUnitActive */
    uint64_t period_ns;                   /* default 2 s */
    uint64_t timeout_ns;                  /* limit of one try, default 5 s */
    unsigned success_threshold;           /* default 1 */
};

/* Writes the name of the check for messages into text[n], cut to fit. Example: "http http://127.0.0.1:8080/healthz". */
void hf_release_check_describe(const struct hf_check *check, char *text, size_t n);

struct hf_signature {
    const char *key_id;
    const char *signature; /* base64 */
};

struct hf_wave {
    unsigned percent;
    uint64_t soak_ns;
};

struct hf_release {
    const char *name;
    const char *version;
    uint64_t sequence;
    uint64_t expires_unix_ns;   /* HF_NEVER if absent: nodes keep such a release, but do not start it */
    uint64_t signed_at_unix_ns; /* 0 if absent */
    bool allow_downgrade;       /* a field of earlier versions, which no node honours */
    /* sequences of committed releases from which a node may go down to this release */
    uint64_t downgrade_from[HF_MAX_DOWNGRADES];
    size_t n_downgrade_from;
    struct hf_artifact *artifacts;
    size_t n_artifacts;
    struct hf_install install;
    uint64_t health_deadline_ns; /* default 2 min */
    struct hf_check *checks;
    size_t n_checks;
    char digest[65];    /* hex sha256 of the canonical JSON of spec.release */
    const json_t *json; /* spec.release, for the signature check */
};

struct hf_edgeupdate {
    struct hf_meta meta;
    struct hf_selector node_selector;
    struct hf_release release;
    struct hf_signature *signatures;
    size_t n_signatures;
    bool has_strategy;
    struct hf_selector canary_selector;
    bool has_canary;
    uint64_t canary_soak_ns;
    struct hf_wave *waves;
    size_t n_waves;
    unsigned max_failures;     /* basis points; default 0, so that the first failure halts the rollout */
    uint64_t unknown_after_ns; /* default 30 min */
    struct hf_window *windows;
    size_t n_windows;
    uint64_t bandwidth_limit; /* bytes per second; 0: no limit */
    bool suspend;
    /* status.admission, which the controller writes; only valid if has_strategy */
    char admission_digest[65]; /* "": absent */
    unsigned admission_cutoff; /* basis points 0..10000 */
    bool admission_canary;
    json_t *json;
};

/* Decodes one object. On success *ret_update owns a reference to `json`, and *issues holds the warnings. -EBADMSG:
 * *issues holds the errors. -ENOMEM. The function clears *issues first. If the object has windows, it blocks while it
 * reads zoneinfo files. */
HF_MUST_USE int hf_edgeupdate_decode(json_t *json, struct hf_edgeupdate **ret_update, struct hf_issues *issues);
void hf_edgeupdate_free(struct hf_edgeupdate *update);
HF_DEFINE_CLEANUP(struct hf_edgeupdate, hf_edgeupdate_free)

/* Returns the artifact for this architecture, or NULL. */
const struct hf_artifact *hf_release_artifact(const struct hf_release *release, const char *arch);

/* Says why no node starts this release, although it decodes: releases of earlier versions lack fields. A node that has
 * committed such a release keeps and repairs it. Returns NULL if nothing is missing; otherwise writes the text into
 * text[n] and returns the path of the field inside the release, such as "expires", as static text. */
const char *hf_release_outdated(const struct hf_release *release, char *text, size_t n);
