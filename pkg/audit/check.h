/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where an audit log first differs from what the agent wrote: lines changed, removed, inserted or cut, missing
 * segments. Pure.
 *
 * Zero it, and pass all lines in order. Not found: whole lines cut off at the end, and a log that root wrote anew;
 * compare a hash that left the node earlier (EdgeNode.status.journal.lastHash). An unreadable segment, or a new chain
 * above one (audit/log.c), is a gap, which fails the check. */
#pragma once

#include "audit/segment.h"

struct hf_audit_check {
    uint64_t seq;             /* last entry's; 0 before the first */
    char hash[HF_SHA256_HEX]; /* last line's */
    uint64_t oldest_seq;      /* first entry's */
    uint64_t dropped;         /* by the last SegmentStarted */
    char segment[HF_AUDIT_NAME];
    uint64_t entries;
    struct hf_err fault; /* first; code 0: none */
    struct hf_err gap;   /* first, with missing entries; code 0: none */
    bool in_gap;         /* no readable line since */
    bool gap_has_end;    /* both ends are known */
};

/* Nothing after the first fault. */
void hf_audit_check_see(struct hf_audit_check *check, const struct hf_audit_line *line);

/* -EBADMSG: *err has fault or gap; another code: the first reading error, if only unreadable segments are wrong. */
HF_MUST_USE int hf_audit_check_end(struct hf_audit_check *check, struct hf_err *err);
