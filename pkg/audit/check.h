/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where an audit log first differs from what the agent wrote: lines changed, removed, inserted or cut, and
 * missing segments. Pure.
 *
 * Zero it, and pass all lines in order. Not found: whole lines cut off at the end, and a log that root has written
 * anew; compare a hash that left the node earlier (EdgeNode.status.journal.lastHash). An unreadable segment, or a new
 * chain above one (audit/log.c), is a gap, which fails the check. */
#pragma once

#include "audit/segment.h"

struct hf_audit_check {
    uint64_t seq;             /* of the last entry; 0 before the first line */
    char hash[HF_SHA256_HEX]; /* of the last line */
    uint64_t oldest_seq;      /* of the first entry */
    uint64_t dropped;         /* entries, by the last SegmentStarted */
    char segment[HF_AUDIT_NAME];
    uint64_t entries;
    struct hf_err fault; /* the first; code 0: none */
    struct hf_err gap;   /* the first, with the missing entries; code 0: none */
    bool in_gap;         /* no readable line has followed the last gap */
    bool gap_has_end;    /* `gap` tells both ends */
};

/* Nothing after the first fault. */
void hf_audit_check_see(struct hf_audit_check *check, const struct hf_audit_line *line);

/* After the last line. -EBADMSG: *err names the fault or gap; its code is that of the first reading error if unreadable
 * segments are all that is wrong. */
HF_MUST_USE int hf_audit_check_end(struct hf_audit_check *check, struct hf_err *err);
