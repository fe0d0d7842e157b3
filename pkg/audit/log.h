/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log of a node: a chain of lines (audit/entry.h) in segments; at the limit a new segment replaces the
 * oldest. A crash mostly loses only the last two seconds. What the disk does not take waits in memory, up to
 * HF_AUDIT_PENDING_BYTES; more is only counted (EntriesLost). Opening and writing block. */
#pragma once

#include "audit/calm.h"
#include "audit/segment.h"
#include "audit/write.h"

enum { HF_AUDIT_PENDING_BYTES = 32 << 10 };

#define HF_AUDIT_RETRY_NS (30 * HF_NS_PER_S)
#define HF_AUDIT_UNREAD_NS (3600 * HF_NS_PER_S)

struct hf_audit_log_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const char *dir;  /* absolute; copied */
    const char *boot; /* boot id, or ""; copied */
    gid_t group;      /* group that may read; HF_AUDIT_NO_GROUP: only root may */
    /* Monotonic time when the newest segment became unreadable; 0: it is readable, or memory, space or descriptors
     * lacked. At first 0; the caller keeps it between hf_audit_log_open() calls. Not 0 after success: the log continues
     * without this segment. NULL: never give up. */
    uint64_t *unread_ns;
    /* called when an event became an entry; may be NULL */
    void (*added)(void *arg, enum hf_audit_kind kind);
    /* gets the good entries at opening, in order; may get entries again; may be NULL */
    void (*has)(void *arg, const struct hf_audit_entry *entry);
    void *arg;
};

struct hf_audit_log;

/* Continues the chain. Makes a missing folder, even if giving it to the group fails. Writes only to repair, or if an
 * earlier process's lines of this boot may not be durable. -ENAMETOOLONG; others: the log cannot be made, read or
 * repaired. */
HF_MUST_USE int hf_audit_log_open(const struct hf_audit_log_params *params, struct hf_audit_log **ret_log,
                                  struct hf_err *err);
/* Frees without writing what waits. */
void hf_audit_log_free(struct hf_audit_log *log);
HF_DEFINE_CLEANUP(struct hf_audit_log, hf_audit_log_free)

/* Adds an event as hf_audit_event_set() sets it. Writes only if memory or segment is full. `log` may be NULL. */
void hf_audit_log_add(struct hf_audit_log *log, enum hf_audit_kind kind, const char *subject, const char *reason,
                      const char *message);

/* Writes what waits; after -errno it waits for the next try. */
HF_MUST_USE int hf_audit_log_flush(struct hf_audit_log *log, struct hf_err *err);

/* Before a shutdown: writes counted events, and EntriesLost if needed. */
HF_MUST_USE int hf_audit_log_end(struct hf_audit_log *log, struct hf_err *err);

/* When to call hf_audit_log_work(), or HF_NEVER. */
uint64_t hf_audit_log_due_ns(const struct hf_audit_log *log);
/* Writes counted events and flushes, if due. Errors as hf_audit_log_flush(). */
HF_MUST_USE int hf_audit_log_work(struct hf_audit_log *log, struct hf_err *err);

/* The last durable entry. `entries` 0: none, or those of an earlier process may not be durable. */
struct hf_audit_head {
    uint64_t entries;
    char hash[HF_SHA256_HEX];
};
struct hf_audit_head hf_audit_log_head(const struct hf_audit_log *log);

uint64_t hf_audit_log_lost(const struct hf_audit_log *log);
/* Counts `n` events lost before the log was open. */
void hf_audit_log_lose(struct hf_audit_log *log, uint64_t n);
/* Whether `has`, at opening, missed an entry since entry 1. */
bool hf_audit_log_has_dropped(const struct hf_audit_log *log);
