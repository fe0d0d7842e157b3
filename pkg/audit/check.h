/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where an audit log first differs from what the agent wrote: lines changed, removed, inserted or cut, missing
 * segments. Pure.
 *
 * Zero the struct, and pass all lines in order. It cannot find whole lines cut off at the end, or a log that root wrote
 * anew: compare a hash that left the node earlier (EdgeNode.status.journal.lastHash). An unreadable segment, or a new
 * chain above one, is a gap, which fails the check. */
#pragma once

#include "audit/segment.h"

struct hf_audit_check {
    uint64_t seq; /* last entry's number; 0 before the first */
    char hash[HF_SHA256_HEX];
    uint64_t oldest_seq;
    uint64_t dropped; /* entries removed by rotation, as the last SegmentStarted says */
    char segment[HF_AUDIT_NAME];
    uint64_t entries;
    struct hf_err fault; /* first fault; code 0: none */
    struct hf_err gap;   /* first gap, with missing entries; code 0: none */
    bool in_gap;
    bool gap_has_end;
};

/* Checks the next line; ignores lines after the first fault. */
void hf_audit_check_see(struct hf_audit_check *check, const struct hf_audit_line *line);

/* -EBADMSG: *err has the fault, else the gap; its code may be a reading error's. */
HF_MUST_USE int hf_audit_check_end(struct hf_audit_check *check, struct hf_err *err);
