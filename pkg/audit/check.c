/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FAULT(check, line, ...)                                                                                        \
    ((void)hf_err_set(&(check)->fault, EBADMSG, __VA_ARGS__), name_line(&(check)->fault, line))

static void name_line(struct hf_err *fault, const struct hf_audit_line *line)
{
    (void)hf_err_wrap(fault, -EBADMSG, "'%s' line %u", line->segment, line->number);
}

/* ---- gaps -------------------------------------------------------------------------------------------------------- */

static void begin_gap(struct hf_audit_check *check, const struct hf_audit_line *line)
{
    check->in_gap = true;
    if (check->gap.code != 0)
        return;
    check->gap = line->err;
    name_line(&check->gap, line);
}

/* `line` is the first one behind a gap. */
static void end_gap(struct hf_audit_check *check, const struct hf_audit_line *line)
{
    check->in_gap = false;
    if (check->gap_has_end)
        return;
    check->gap_has_end = true;
    if (check->seq == 0)
        (void)hf_err_wrap(&check->gap, -EBADMSG, "the entries before %" PRIu64 " are missing", line->entry.seq);
    else
        (void)hf_err_wrap(&check->gap, -EBADMSG, "the entries between %" PRIu64 " and %" PRIu64 " are missing",
                          check->seq, line->entry.seq);
}

/* Returns true if the agent could not read the segment before, and began a new chain above it. */
static bool begins_chain(const struct hf_audit_check *check, const struct hf_audit_entry *entry)
{
    char none[HF_SHA256_HEX];

    hf_audit_no_prev(none);
    return check->seq != 0 && entry->seq > check->seq + 1 && entry->event.kind == HF_AUDIT_SEGMENT_STARTED &&
           strcmp(entry->prev, none) == 0;
}

static void see_new_chain(struct hf_audit_check *check, const struct hf_audit_line *line)
{
    if (check->gap.code == 0) {
        (void)hf_err_set(&check->gap, EBADMSG, "the agent could not read the segment before, and began a new chain");
        name_line(&check->gap, line);
    }
    end_gap(check, line);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void check_chain(struct hf_audit_check *check, const struct hf_audit_line *line)
{
    const struct hf_audit_entry *entry = &line->entry;
    char none[HF_SHA256_HEX];

    hf_audit_no_prev(none);
    if (check->seq == 0 && entry->seq == 1 && strcmp(entry->prev, none) != 0)
        FAULT(check, line, "entry 1 has a predecessor");
    else if (check->seq != 0 && entry->seq != check->seq + 1)
        FAULT(check, line, "entry %" PRIu64 " follows entry %" PRIu64 ": entries are missing or were inserted",
              entry->seq, check->seq);
    else if (check->seq != 0 && strcmp(entry->prev, check->hash) != 0)
        FAULT(check, line, "entry %" PRIu64 " does not continue the chain: the line before it was changed", entry->seq);
}

static void check_head(struct hf_audit_check *check, const struct hf_audit_line *line)
{
    const struct hf_audit_entry *entry = &line->entry;
    char name[HF_AUDIT_NAME];

    if (entry->event.kind != HF_AUDIT_SEGMENT_STARTED)
        FAULT(check, line, "the segment does not begin with SegmentStarted");
    else if (entry->dropped >= entry->seq)
        FAULT(check, line, "the segment claims to have dropped entries that are later");
    else if (strcmp(hf_audit_segment_name(entry->seq, name), line->segment) != 0)
        FAULT(check, line, "the segment's name does not fit its first entry, %" PRIu64, entry->seq);
    check->dropped = entry->dropped;
    (void)snprintf(check->segment, sizeof(check->segment), "%s", line->segment);
}

void hf_audit_check_see(struct hf_audit_check *check, const struct hf_audit_line *line)
{
    if (check->fault.code != 0)
        return;
    if (line->r < 0 && line->r != -EBADMSG) {
        begin_gap(check, line);
        return;
    }
    if (line->r < 0) {
        check->fault = line->err;
        name_line(&check->fault, line);
        return;
    }
    if (check->in_gap && line->entry.seq > check->seq)
        end_gap(check, line);
    else if (begins_chain(check, &line->entry))
        see_new_chain(check, line);
    else
        check_chain(check, line);
    if (check->fault.code == 0 && strcmp(check->segment, line->segment) != 0)
        check_head(check, line);
    if (check->oldest_seq == 0)
        check->oldest_seq = line->entry.seq;
    check->seq = line->entry.seq;
    check->entries++;
    memcpy(check->hash, line->hash, sizeof(check->hash));
}

int hf_audit_check_end(struct hf_audit_check *check, struct hf_err *err)
{
    if (check->fault.code == 0 && check->gap.code == 0 && check->oldest_seq > check->dropped + 1)
        (void)hf_err_set(&check->fault, EBADMSG,
                         "entries %" PRIu64 " to %" PRIu64 " are missing: a segment was removed", check->dropped + 1,
                         check->oldest_seq - 1);
    if (check->in_gap && !check->gap_has_end && check->seq != 0)
        (void)hf_err_wrap(&check->gap, -EBADMSG, "the entries after %" PRIu64 " are missing", check->seq);
    const struct hf_err *fault = check->fault.code != 0 ? &check->fault : &check->gap;
    if (fault->code != 0 && err != NULL)
        *err = *fault;
    return fault->code != 0 ? -EBADMSG : 0;
}
