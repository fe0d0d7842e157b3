/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log of a node: a chain of lines (audit/entry.h) in bounded segments, at the limit a new one replaces the
 * oldest. A crash loses the last two seconds at most. What the disk does not take waits in memory, up to
 * HF_AUDIT_PENDING_BYTES; the rest is counted (EntriesLost). Opening and writing block. */
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
    const char *dir;  /* absolute; may be missing; copied */
    const char *boot; /* or ""; copied */
    gid_t group;      /* may read; HF_AUDIT_NO_GROUP: only root */
    /* Since when the newest segment is unreadable; 0: readable, or memory, room or files lacked. 0 at first, kept
     * between hf_audit_log_open() calls. Not 0 after success: the log continues without this segment. NULL: never give
     * up. */
    uint64_t *unread_ns;
    /* an event became an entry; may be NULL */
    void (*added)(void *arg, enum hf_audit_kind kind);
    /* each good entry at opening, in order; may begin again earlier; may be NULL */
    void (*has)(void *arg, const struct hf_audit_entry *entry);
    void *arg;
};

struct hf_audit_log;

/* Continues the chain; makes a missing folder. Writes only to repair, or if an earlier process's lines of this boot may
 * not be durable. Giving it to the group may fail. -ENAMETOOLONG; others: the log cannot be made, read or repaired. */
HF_MUST_USE int hf_audit_log_open(const struct hf_audit_log_params *params, struct hf_audit_log **ret_log,
                                  struct hf_err *err);
/* Writes nothing. */
void hf_audit_log_free(struct hf_audit_log *log);
HF_DEFINE_CLEANUP(struct hf_audit_log, hf_audit_log_free)

/* Texts as hf_audit_event_set(). Writes if memory or segment is full. Accepts NULL. */
void hf_audit_log_add(struct hf_audit_log *log, enum hf_audit_kind kind, const char *subject, const char *reason,
                      const char *message);

/* Writes what waits; after -errno it waits for the next try. */
HF_MUST_USE int hf_audit_log_flush(struct hf_audit_log *log, struct hf_err *err);

/* Before a shutdown: writes and flushes counted events, and EntriesLost if needed. */
HF_MUST_USE int hf_audit_log_end(struct hf_audit_log *log, struct hf_err *err);

/* When to call hf_audit_log_work(), or HF_NEVER. */
uint64_t hf_audit_log_due_ns(const struct hf_audit_log *log);
/* Writes counted events and flushes if they are due. Errors as hf_audit_log_flush(). */
HF_MUST_USE int hf_audit_log_work(struct hf_audit_log *log, struct hf_err *err);

/* Last durable entry. `entries` 0: none, or an earlier process's entries may not be durable. */
struct hf_audit_head {
    uint64_t entries;         /* its number */
    char hash[HF_SHA256_HEX]; /* of its line */
};
struct hf_audit_head hf_audit_log_head(const struct hf_audit_log *log);

/* Events that this process could not record. */
uint64_t hf_audit_log_lost(const struct hf_audit_log *log);
/* Counts `n` lost events from before the log was open. */
void hf_audit_log_lose(struct hf_audit_log *log, uint64_t n);
/* True if `has` did not get all entries since entry 1 at opening. */
bool hf_audit_log_has_dropped(const struct hf_audit_log *log);
