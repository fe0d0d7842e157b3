/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of the audit log, a line of JSON (wrapped here). Pure.
 *
 *     {"seq":7,"batch":7,"time":"2026-11-20T08:00:00Z","boot":"0d3c...","mono":123456,"kind":"HoldSet",
 *      "subject":"site","reason":"Held","message":"line 3 is running","prev":"<64 hex digits>","sum":"<16 hex digits>"}
 *
 * `prev`, the SHA-256 of the line before, makes a chain, which a changed, removed or inserted line breaks, except at
 * the end. `sum`, of the text before it, shows a change of the last line. Blanks may precede the comma before "sum"
 * (hf_audit_entry_pad()). */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "codec/sha256.h"

enum {
    HF_AUDIT_SUBJECT = 256, /* bytes with terminator, as in the next three */
    HF_AUDIT_REASON = 64,
    HF_AUDIT_MESSAGE = 513,
    HF_AUDIT_BOOT = 40,
    HF_AUDIT_LINE_MAX = 3072, /* without newline */
    HF_AUDIT_SUM = 16,        /* hex digits, also of the hash in EdgeNode.status.journal */
};

/* KIND(symbol, name, repeats). `repeats`: equal events of an hour are only counted (audit/calm.h). */
#define HF_AUDIT_KINDS(KIND)                                                                                           \
    KIND(AGENT_STARTED, "AgentStarted", false)                                                                         \
    KIND(AGENT_STOPPED, "AgentStopped", false)                                                                         \
    KIND(UPDATE_DECISION, "UpdateDecision", false)                                                                     \
    KIND(UPDATE_REFUSED, "UpdateRefused", true)                                                                        \
    KIND(POLICY_CHOSEN, "PolicyChosen", false)                                                                         \
    KIND(POLICY_SECTIONS, "PolicySections", false)                                                                     \
    KIND(POLICY_REFUSED, "PolicyRefused", true)                                                                        \
    KIND(OBJECT_REFUSED, "ObjectRefused", true)                                                                        \
    KIND(CONFIGURATION_CHANGED, "ConfigurationChanged", false)                                                         \
    KIND(TRUST_CHANGED, "TrustChanged", false)                                                                         \
    KIND(MANIFEST_APPLIED, "ManifestApplied", false)                                                                   \
    KIND(MANIFEST_ROLLED_BACK, "ManifestRolledBack", false)                                                            \
    KIND(MANIFEST_REFUSED, "ManifestRefused", true)                                                                    \
    KIND(MANIFEST_REMOVED, "ManifestRemoved", false)                                                                   \
    KIND(OVERRIDE_USED, "OverrideUsed", false)                                                                         \
    KIND(DRIFT_REPAIRED, "DriftRepaired", true)                                                                        \
    KIND(RECLAIMED, "Reclaimed", true)                                                                                 \
    KIND(HOLD_SET, "HoldSet", false)                                                                                   \
    KIND(HOLD_ENDED, "HoldEnded", false)                                                                               \
    KIND(WENT_STALE, "WentStale", false)                                                                               \
    KIND(CAME_BACK, "CameBack", false)                                                                                 \
    KIND(CLOCK_LEAPT, "ClockLeapt", true)                                                                              \
    KIND(CERTIFICATE_ISSUED, "CertificateIssued", false)                                                               \
    KIND(MIRROR_CONFIGURED, "MirrorConfigured", true)                                                                  \
    KIND(PAGE_ACT, "PageAct", false)                                                                                   \
    KIND(PAGE_REFUSED, "PageRefused", true)                                                                            \
    KIND(SEGMENT_STARTED, "SegmentStarted", false)                                                                     \
    KIND(ENTRIES_LOST, "EntriesLost", false)                                                                           \
    KIND(TORN_LINE, "TornLine", false)

enum hf_audit_kind {
#define HF_AUDIT_KIND_ENUM(symbol, name, repeats) HF_AUDIT_##symbol,
    HF_AUDIT_KINDS(HF_AUDIT_KIND_ENUM)
#undef HF_AUDIT_KIND_ENUM
        HF_AUDIT_KIND_COUNT /* unknown to this version */
};

const char *hf_audit_kind_name(enum hf_audit_kind kind);
enum hf_audit_kind hf_audit_kind_of(const char *name);
bool hf_audit_kind_repeats(enum hf_audit_kind kind);

/* Texts are valid UTF-8 without control characters. */
struct hf_audit_event {
    enum hf_audit_kind kind;
    char subject[HF_AUDIT_SUBJECT]; /* "edge-inference@1.4.2" */
    char reason[HF_AUDIT_REASON];   /* CamelCase, or "" */
    char message[HF_AUDIT_MESSAGE];
};

/* Sets the event; a NULL text becomes "". Texts may be hostile: long ones are cut after a whole character, what a
 * terminal acts on (base/encoding/plain.h) becomes a blank, what is not UTF-8 becomes '?'. */
void hf_audit_event_set(struct hf_audit_event *event, enum hf_audit_kind kind, const char *subject, const char *reason,
                        const char *message);

struct hf_audit_entry {
    struct hf_audit_event event;
    char kind_name[HF_AUDIT_REASON]; /* also of an unknown kind */
    uint64_t seq;                    /* from 1 */
    uint64_t batch;                  /* first entry of the same write */
    uint64_t unix_ns;                /* estimated time; the line has whole seconds */
    /* range of the time; both 0: unix_ns is sure; only the latest 0: no upper limit */
    uint64_t earliest_unix_ns, latest_unix_ns;
    char boot[HF_AUDIT_BOOT];
    uint64_t mono_ms;
    uint64_t count;           /* equal events; in EntriesLost: lost entries */
    uint64_t dropped;         /* in SegmentStarted: entries removed by rotation */
    char prev[HF_SHA256_HEX]; /* SHA-256 of the line before; zeros where a chain begins */
};

/* Appends the line without a newline. -E2BIG: `out` is full, or the line exceeds HF_AUDIT_LINE_MAX. */
HF_MUST_USE int hf_audit_entry_format(const struct hf_audit_entry *entry, struct hf_buf *out);

/* Adds blanks, with a new sum, to the last of `lines`, which begins at `begin`. -E2BIG: `lines` is unchanged. */
HF_MUST_USE int hf_audit_entry_pad(struct hf_buf *lines, size_t begin, size_t blanks);

/* Parses a line without its newline, and checks `sum`. -EBADMSG: no line of an audit log, or changed. */
HF_MUST_USE int hf_audit_entry_parse(struct hf_view line, struct hf_audit_entry *ret_entry, struct hf_err *err);

void hf_audit_no_prev(char zeros[HF_SHA256_HEX]);
