/* SPDX-License-Identifier: Apache-2.0 */
/* audit/check.h - finds the first place at which an audit log differs from what the agent wrote. Pure.
 *
 * Zero a struct hf_audit_check, and pass all lines to hf_audit_check_see() in order. The check finds lines that were
 * changed, removed, inserted or cut, and missing segments. It cannot find that whole lines were cut off at the end, or
 * that root has written a new log. To find these, compare the hash of a line with a hash that left the node earlier
 * (EdgeNode.status.journal.lastHash).
 *
 * A segment that cannot be read is a gap, and so is the place at which the log began a new chain above such a segment
 * (audit/log.h). A gap fails the check, but the lines behind it are checked, too. Threads: any. */
#pragma once

#include "audit/segment.h"

struct hf_audit_check {
    uint64_t seq;             /* number of the last entry; 0 before the first line */
    char hash[HF_SHA256_HEX]; /* SHA-256 of the last line */
    uint64_t oldest_seq;      /* number of the first entry */
    uint64_t dropped;         /* number of dropped entries, as the last SegmentStarted gives it */
    char segment[HF_AUDIT_NAME];
    uint64_t entries;
    struct hf_err fault; /* first fault; code 0 if there is none */
    struct hf_err gap;   /* the first gap; its text names the missing entries; code 0 if there is none */
    bool in_gap;         /* no readable line has followed the last gap */
    bool gap_has_end;    /* `gap` tells both ends */
};

/* Passes the next line. Does nothing after the first fault. */
void hf_audit_check_see(struct hf_audit_check *check, const struct hf_audit_line *line);

/* Call this function after the last line. Returns 0, or -EBADMSG if there is a fault or a gap, which *err names. If
 * segments that cannot be read are all that is wrong, the code of *err is that of the first reading error. */
HF_MUST_USE int hf_audit_check_end(struct hf_audit_check *check, struct hf_err *err);
