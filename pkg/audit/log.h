/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the audit log of a node: a chain of lines (audit/entry.h) in bounded segments, of which each new one replaces
 * the oldest. A crash loses at most the last HF_AUDIT_DELAY_NS. What the disk does not take waits in memory, up to
 * HF_AUDIT_PENDING_BYTES; the rest is counted (EntriesLost). Opening blocks, and so does a call that writes. */
#pragma once

#include "audit/calm.h"
#include "audit/segment.h"
#include "audit/write.h"

enum { HF_AUDIT_PENDING_BYTES = 32 << 10 };

#define HF_AUDIT_DELAY_NS (2 * HF_NS_PER_S)
#define HF_AUDIT_RETRY_NS (30 * HF_NS_PER_S)
#define HF_AUDIT_UNREAD_NS (3600 * HF_NS_PER_S)

struct hf_audit_log_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const char *dir;  /* absolute path; may be missing; copied */
    const char *boot; /* "" if unknown; copied */
    gid_t group;      /* may read the log; HF_AUDIT_NO_GROUP: only root may */
    /* Since when the newest segment is unreadable; 0: it is readable, or memory, room or files lacked. Begin with 0,
     * and keep it between calls of hf_audit_log_open(). Not 0 after a success: the log continues without this segment.
     * NULL: never give up. */
    uint64_t *unread_ns;
    /* for each event that becomes an entry; may be NULL */
    void (*added)(void *arg, enum hf_audit_kind kind);
    /* each good entry at hf_audit_log_open(), in order; may begin again at an earlier one; may be NULL */
    void (*has)(void *arg, const struct hf_audit_entry *entry);
    void *arg;
};

struct hf_audit_log;

/* Continues the chain; makes a missing folder. Writes only to repair, or if lines of an earlier process of this boot
 * may not be durable. The group need not succeed. -ENAMETOOLONG; others: the log cannot be made, read or repaired. */
HF_MUST_USE int hf_audit_log_open(const struct hf_audit_log_params *params, struct hf_audit_log **ret_log,
                                  struct hf_err *err);
/* Writes nothing. */
void hf_audit_log_free(struct hf_audit_log *log);
HF_DEFINE_CLEANUP(struct hf_audit_log, hf_audit_log_free)

/* An event has just happened; texts as for hf_audit_event_set(). Writes if the memory or the segment is full. Accepts
 * NULL. */
void hf_audit_log_add(struct hf_audit_log *log, enum hf_audit_kind kind, const char *subject, const char *reason,
                      const char *message);

/* Writes what waits; after -errno it waits for the next try. */
HF_MUST_USE int hf_audit_log_flush(struct hf_audit_log *log, struct hf_err *err);

/* At the end: entries for counted events, a flush, and EntriesLost if there is a reason. */
HF_MUST_USE int hf_audit_log_end(struct hf_audit_log *log, struct hf_err *err);

/* When to call hf_audit_log_work() (monotonic), or HF_NEVER. */
uint64_t hf_audit_log_due_ns(const struct hf_audit_log *log);
/* What is due of counted events and flushes. Returns like hf_audit_log_flush(). */
HF_MUST_USE int hf_audit_log_work(struct hf_audit_log *log, struct hf_err *err);

/* The last durable entry. `entries` 0: none, or those of an earlier process may not be durable. */
struct hf_audit_head {
    uint64_t entries;         /* its number: that of all entries, unless a segment was unreadable */
    char hash[HF_SHA256_HEX]; /* of its line */
};
struct hf_audit_head hf_audit_log_head(const struct hf_audit_log *log);

/* Events that this process could not record. */
uint64_t hf_audit_log_lost(const struct hf_audit_log *log);
/* `n` events happened before the log was open. */
void hf_audit_log_lose(struct hf_audit_log *log, uint64_t n);
/* hf_audit_log_open() could not pass on all entries since entry 1. */
bool hf_audit_log_has_dropped(const struct hf_audit_log *log);
