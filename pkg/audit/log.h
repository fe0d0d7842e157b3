/* SPDX-License-Identifier: Apache-2.0 */
/* audit/log.h - writes the audit log of a node: bounded segments of lines that form a chain (audit/entry.h).
 *
 * The folder of the log has mode 0750 and its segments have mode 0640, so that a group may read them. The log has at
 * most HF_AUDIT_SEGMENTS segments of HF_AUDIT_SEGMENT_BYTES each. When it has that many, each new segment replaces the
 * oldest one. The first line of a segment, SegmentStarted, has the hash of the last line of the previous segment, and
 * the number of entries that the log has dropped.
 *
 * An entry waits in memory for at most HF_AUDIT_DELAY_NS, and one write brings all waiting entries to disk. So a crash
 * may lose the entries of the last two seconds. If a write fails, up to HF_AUDIT_PENDING_BYTES of entries wait in
 * memory. Further entries are lost; after the next successful write, an entry EntriesLost has their number. There is at
 * most one such entry in HF_AUDIT_WINDOW_NS, and one more at the end of the process, so that a flood does not fill the
 * log with them. The log moves a line that a power cut has torn to the file `torn`, and adds an entry TornLine.
 *
 * Each write ends at the end of a sector of 512 bytes, because the log adds blanks to the last line of a write. So a
 * power cut during a write damages no entry that was durable, unless the disk damages whole blocks (audit/write.h).
 * When the log is opened, it continues after the last good line. A good line that follows damaged lines counts only if
 * it belongs to a later write than the damaged lines. If it counts, the damaged lines stay in the log, and
 * audit/check.h reports them. The durable entries may nevertheless end inside a sector, for example because a power cut
 * tore a write, or because an agent whose version did not add blanks wrote them. In this case, the next write replaces
 * the whole file of the segment.
 *
 * If the newest segment cannot be read, hf_audit_log_open() fails, because a later try may succeed. After
 * HF_AUDIT_UNREAD_NS of such tries, the log goes on without it: the next segment begins a new chain, whose first number
 * is above every number that the unreadable segment can have, and an entry TornLine says so. The file stays until
 * rotation removes it.
 *
 * Threads: loop thread only. hf_audit_log_open() blocks, and so does each function while it writes. hf_audit_log_add()
 * writes if the memory for waiting entries or the segment is full. */
#pragma once

#include "audit/calm.h"
#include "audit/segment.h"
#include "audit/write.h"

enum { HF_AUDIT_PENDING_BYTES = 32 << 10 };

#define HF_AUDIT_DELAY_NS (2 * HF_NS_PER_S)
#define HF_AUDIT_RETRY_NS (30 * HF_NS_PER_S)
#define HF_AUDIT_UNREAD_NS (3600 * HF_NS_PER_S)

struct hf_audit_log_params {
    const struct hf_fs_ops *fs;       /* borrowed */
    const struct hf_clock_ops *clock; /* borrowed */
    const char *dir;                  /* absolute path of the folder, which need not exist; copied */
    const char *boot;                 /* id of the boot; "" if unknown; copied */
    gid_t group;                      /* group that may read the log; HF_AUDIT_NO_GROUP means only root */
    /* The monotonic time since when the newest segment has not been readable; 0 if it has been, or if the last call
     * failed for lack of memory, room or files. The caller begins with 0 and keeps the number from one call of
     * hf_audit_log_open() to the next. If it is not 0 after a call that succeeds, the log goes on without this segment.
     * NULL means that no call gives up. */
    uint64_t *unread_ns;
    /* The log calls this function for each event that it adds as an entry. May be NULL. */
    void (*added)(void *arg, enum hf_audit_kind kind);
    /* hf_audit_log_open() calls this function for each good entry that the log has, the oldest first. May do so again
     * with entries that it has passed already, in order. May be NULL. */
    void (*has)(void *arg, const struct hf_audit_entry *entry);
    void *arg;
};

struct hf_audit_log;

/* Opens the log and continues its chain. Makes the folder if it is missing. Writes only if the log needs a repair, or
 * if its last lines may not be durable yet because an earlier process of the same boot wrote them. If the group cannot
 * be set, only root can read the log, and the call still succeeds. Errors: -ENAMETOOLONG, -ENOMEM, or -errno if the log
 * cannot be made, read or repaired. */
HF_MUST_USE int hf_audit_log_open(const struct hf_audit_log_params *params, struct hf_audit_log **ret_log,
                                  struct hf_err *err);
/* Frees the log without a write. Accepts NULL. */
void hf_audit_log_free(struct hf_audit_log *log);
HF_DEFINE_CLEANUP(struct hf_audit_log, hf_audit_log_free)

/* Adds an entry about an event that has just happened (hf_audit_event_set() explains the texts). Does nothing if `log`
 * is NULL. */
void hf_audit_log_add(struct hf_audit_log *log, enum hf_audit_kind kind, const char *subject, const char *reason,
                      const char *message);

/* Writes the waiting entries. Returns 0 if no entry waits any more. After -errno, the entries wait for the next try. */
HF_MUST_USE int hf_audit_log_flush(struct hf_audit_log *log, struct hf_err *err);

/* Like hf_audit_log_flush(), but first adds entries for all counted events. If events were lost, also adds an entry
 * EntriesLost after the others. Call this function when the process ends. */
HF_MUST_USE int hf_audit_log_end(struct hf_audit_log *log, struct hf_err *err);

/* Returns the monotonic time at which to call hf_audit_log_work(), or HF_NEVER if nothing will be due. */
uint64_t hf_audit_log_due_ns(const struct hf_audit_log *log);
/* Does what is due: adds entries with the numbers of counted events, and writes the waiting entries. Returns like
 * hf_audit_log_flush(). */
HF_MUST_USE int hf_audit_log_work(struct hf_audit_log *log, struct hf_err *err);

/* The last durable entry of the log. `entries` is 0 if there is none, or if the entries of an earlier process are not
 * certainly durable yet. */
struct hf_audit_head {
    uint64_t entries;         /* number of this entry; of all entries so far, unless a segment was unreadable */
    char hash[HF_SHA256_HEX]; /* SHA-256 of the line of this entry */
};
struct hf_audit_head hf_audit_log_head(const struct hf_audit_log *log);

/* Returns the number of events that this process could not record. */
uint64_t hf_audit_log_lost(const struct hf_audit_log *log);
/* Counts `n` events as lost that happened before the log was open. */
void hf_audit_log_lose(struct hf_audit_log *log, uint64_t n);
/* Returns true if hf_audit_log_open() could not pass on all entries since entry 1: the log has dropped some, or has
 * lines that cannot be read. */
bool hf_audit_log_has_dropped(const struct hf_audit_log *log);
