/* SPDX-License-Identifier: Apache-2.0 */
/* audit/entry.h - one entry of the audit log, and its line on disk. Pure.
 *
 * A line is a JSON object, for example (wrapped here):
 *
 *     {"seq":7,"batch":7,"time":"2026-11-20T08:00:00Z","boot":"0d3c...","mono":123456,"kind":"HoldSet",
 *      "subject":"site","reason":"Held","message":"line 3 is running","prev":"<64 hex digits>","sum":"<16 hex digits>"}
 *
 * `prev` is the SHA-256 of the previous line, so the lines form a chain: a changed, removed or inserted line breaks the
 * chain at the next line. `sum` has the first digits of the SHA-256 of the line's text before `sum`, so that a change
 * of the last line shows too. Blanks may stand before the comma that precedes "sum" (hf_audit_entry_pad()).
 * Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "codec/sha256.h"

enum {
    HF_AUDIT_SUBJECT = 256, /* this and the next three are sizes in bytes of texts of an entry, with the terminator */
    HF_AUDIT_REASON = 64,
    HF_AUDIT_MESSAGE = 513,
    HF_AUDIT_BOOT = 40,
    HF_AUDIT_LINE_MAX = 3072, /* maximum size in bytes of a line, without the newline */
    HF_AUDIT_SUM = 16,        /* number of hex digits of `sum`, and of the hash that EdgeNode.status.journal shows */
};

/* KIND(symbol, name, repeats): `repeats` is true if the log counts equal events of one hour instead of writing each
 * event (audit/calm.h). */
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
    KIND(SEGMENT_STARTED, "SegmentStarted", false)                                                                     \
    KIND(ENTRIES_LOST, "EntriesLost", false)                                                                           \
    KIND(TORN_LINE, "TornLine", false)

enum hf_audit_kind {
#define HF_AUDIT_KIND_ENUM(symbol, name, repeats) HF_AUDIT_##symbol,
    HF_AUDIT_KINDS(HF_AUDIT_KIND_ENUM)
#undef HF_AUDIT_KIND_ENUM
        HF_AUDIT_KIND_COUNT /* a kind that this version does not know */
};

const char *hf_audit_kind_name(enum hf_audit_kind kind); /* returns "AgentStarted", ...; "" for HF_AUDIT_KIND_COUNT */
enum hf_audit_kind hf_audit_kind_of(const char *name);   /* returns HF_AUDIT_KIND_COUNT if no kind has this name */
bool hf_audit_kind_repeats(enum hf_audit_kind kind);

/* What happened. The texts are always valid UTF-8 without control characters. */
struct hf_audit_event {
    enum hf_audit_kind kind;
    char subject[HF_AUDIT_SUBJECT]; /* what the entry is about, such as "edge-inference@1.4.2" */
    char reason[HF_AUDIT_REASON];   /* CamelCase word; "" if there is none */
    char message[HF_AUDIT_MESSAGE]; /* text for a person; "" if there is none */
};

/* Fills an event. Cuts each text after a whole character. Names and messages may come from hostile objects, so the
 * function replaces each character on which a terminal acts (base/encoding/plain.h) by a blank, and each byte that is
 * not UTF-8 by '?'. NULL stands for "". */
void hf_audit_event_set(struct hf_audit_event *event, enum hf_audit_kind kind, const char *subject, const char *reason,
                        const char *message);

struct hf_audit_entry {
    struct hf_audit_event event;
    char kind_name[HF_AUDIT_REASON]; /* name of the kind, also of one that this version does not know */
    uint64_t seq;                    /* number of the entry; the first one is 1 */
    uint64_t batch;                  /* number of the first entry in the write that brought this entry to disk */
    uint64_t unix_ns;                /* best guess of the time; the line has it in whole seconds */
    /* The earliest and the latest possible time. Both are 0 if the node is sure of the time. If the node is not sure, a
     * latest time of 0 means that there is no upper limit. */
    uint64_t earliest_unix_ns, latest_unix_ns;
    char boot[HF_AUDIT_BOOT]; /* id of the boot; "" if unknown */
    uint64_t mono_ms;         /* monotonic time in this boot, in milliseconds */
    uint64_t count;           /* number of equal events in this entry; for EntriesLost, number of lost entries */
    uint64_t dropped;         /* SegmentStarted: number of entries that rotation has removed so far; else 0 */
    char prev[HF_SHA256_HEX]; /* SHA-256 of the previous line; zeros in entry 1 */
};

/* Appends the line, without a newline. Returns 0, -ENOMEM or -E2BIG (`out` is full, or the line exceeds
 * HF_AUDIT_LINE_MAX). */
HF_MUST_USE int hf_audit_entry_format(const struct hf_audit_entry *entry, struct hf_buf *out);

/* Adds `blanks` blanks to the last line of `lines`, and computes the `sum` of this line anew. The line begins at offset
 * `begin` and ends with its newline. Returns 0, -ENOMEM, or -E2BIG (`lines` is full, or the line would exceed
 * HF_AUDIT_LINE_MAX). After an error, `lines` is unchanged. */
HF_MUST_USE int hf_audit_entry_pad(struct hf_buf *lines, size_t begin, size_t blanks);

/* Parses a line without its newline, and checks its `sum`. -EBADMSG: the text is not a line of the audit log, or was
 * changed. */
HF_MUST_USE int hf_audit_entry_parse(struct hf_view line, struct hf_audit_entry *ret_entry, struct hf_err *err);

/* Fills `zeros` with the value of `prev` of the first line. */
void hf_audit_no_prev(char zeros[HF_SHA256_HEX]);
