/* SPDX-License-Identifier: Apache-2.0 */
/*     FOLLOWER --read: free, expired or ours--> take --written--> LEADER --no write for renew_deadline--> FOLLOWER
 *        ^                                                          |
 *        '------------- a read shows another holder, or a higher epoch
 *
 * A process leads for renew_deadline after it sent its last successful write. Another takes the Lease when it saw no
 * change for `duration`, or longer if the record asks for it. Monotonic clocks measure this; no process interprets
 * times in the record. As renew_deadline is shorter and begins earlier, two identities do not lead at once. */
#include "controller/lead/lease.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* leaseTransitions has 32 bits. A leader keeps this epoch; then two may have it, and only resourceVersions refuse the
 * former one. */
#define HF_LEASE_MAX_EPOCH 2147483647ull

void hf_lease_init(struct hf_lease *lease, const char *identity, const struct hf_lease_timing *timing)
{
    *lease = (struct hf_lease){.timing = *timing};
    (void)snprintf(lease->identity, sizeof(lease->identity), "%s", identity);
}

static bool has_passed(uint64_t now_ns, uint64_t since_ns, uint64_t span_ns)
{
    return now_ns >= since_ns && now_ns - since_ns >= span_ns;
}

bool hf_lease_leads(const struct hf_lease *lease, uint64_t now_ns)
{
    return lease->leading && !lease->releasing &&
           !has_passed(now_ns, lease->renewed_ns, lease->timing.renew_deadline_ns);
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static bool is_held(const struct hf_lease *lease)
{
    return lease->current && !lease->absent && lease->epoch != 0 && lease->seen.transitions == lease->epoch &&
           strcmp(lease->seen.holder, lease->identity) == 0;
}

static bool is_same(const struct hf_lease_record *a, const struct hf_lease_record *b)
{
    return strcmp(a->holder, b->holder) == 0 && strcmp(a->renewed, b->renewed) == 0 &&
           a->transitions == b->transitions && a->duration_ns == b->duration_ns;
}

static void note(struct hf_lease *lease, uint64_t now_ns, const struct hf_lease_record *record)
{
    if (!lease->has_base)
        lease->base = record->transitions;
    lease->has_base = true;
    if (lease->absent || !lease->read_once || !is_same(&lease->seen, record))
        lease->seen_ns = now_ns;
    lease->seen = *record;
    lease->current = true;
    lease->absent = false;
    lease->highest = HF_MAX(lease->highest, record->transitions);
}

/* May this process, which does not lead, take the Lease with the record `seen`? A process that starts takes the Lease
 * of its own identity at once: its predecessor of the same name has ended. */
static bool may_take(const struct hf_lease *lease, uint64_t now_ns, bool first)
{
    uint64_t asked_ns = HF_MIN(lease->seen.duration_ns, HF_LEASE_LONGEST_NS);

    return lease->seen.holder[0] == '\0' || is_held(lease) ||
           (first && strcmp(lease->seen.holder, lease->identity) == 0) ||
           has_passed(now_ns, lease->seen_ns, HF_MAX(asked_ns, lease->timing.duration_ns));
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static enum hf_lease_want send(struct hf_lease *lease, uint64_t now_ns, enum hf_lease_want want, uint64_t epoch)
{
    lease->busy = want;
    lease->sent_ns = now_ns;
    lease->writes_epoch = epoch;
    return want;
}

/* The epoch of a new leader. */
static uint64_t next_epoch(const struct hf_lease *lease)
{
    return HF_MIN(HF_MAX(HF_MAX(lease->highest, lease->floor), lease->epoch) + 1, HF_LEASE_MAX_EPOCH);
}

static enum hf_lease_want release(struct hf_lease *lease, uint64_t now_ns)
{
    if (!lease->released && lease->epoch != 0 && !lease->current)
        return send(lease, now_ns, HF_LEASE_READ, 0);
    if (!lease->released && is_held(lease))
        return send(lease, now_ns, HF_LEASE_RELEASE, lease->epoch);
    lease->released = true;
    lease->next_ns = UINT64_MAX;
    return HF_LEASE_NOTHING;
}

enum hf_lease_want hf_lease_tick(struct hf_lease *lease, uint64_t now_ns)
{
    if (lease->leading && !hf_lease_leads(lease, now_ns))
        lease->leading = false;
    if (lease->busy != HF_LEASE_NOTHING || now_ns < lease->next_ns)
        return HF_LEASE_NOTHING;
    if (lease->releasing)
        return release(lease, now_ns);
    if (!lease->current)
        return send(lease, now_ns, HF_LEASE_READ, 0);
    if (lease->absent)
        return send(lease, now_ns, HF_LEASE_CREATE, next_epoch(lease));
    if (lease->leading && lease->floor <= lease->epoch)
        return send(lease, now_ns, HF_LEASE_WRITE, lease->epoch);
    return send(lease, now_ns, HF_LEASE_WRITE, next_epoch(lease));
}

static void was_read(struct hf_lease *lease, uint64_t now_ns, const struct hf_lease_record *record)
{
    bool first = !lease->read_once;

    note(lease, now_ns, record);
    lease->read_once = true;
    if (lease->leading && !is_held(lease))
        lease->leading = false;
    if (lease->leading || lease->releasing || may_take(lease, now_ns, first)) {
        lease->next_ns = now_ns;
        return;
    }
    lease->current = false; /* read again before a decision */
    lease->next_ns = now_ns + lease->timing.retry_ns;
}

static void was_written(struct hf_lease *lease, uint64_t now_ns, const struct hf_lease_record *record)
{
    lease->read_once = true;
    note(lease, now_ns, record);
    lease->epoch = lease->writes_epoch;
    lease->renewed_ns = lease->sent_ns;
    lease->leading = !lease->releasing;
    lease->next_ns = lease->releasing ? now_ns : now_ns + lease->timing.retry_ns;
}

static void has_failed(struct hf_lease *lease, uint64_t now_ns, enum hf_lease_want was, int r, uint64_t retry_after_ns)
{
    uint64_t wait_ns = HF_MAX(lease->timing.retry_ns, HF_MIN(retry_after_ns, lease->timing.renew_deadline_ns));

    /* After a conflict the server has something else; after an unreachable server it may have. */
    lease->absent = r == -ENOENT;
    lease->current = lease->absent && was != HF_LEASE_CREATE; /* CREATE: the namespace is absent */
    if (lease->releasing && r != -ESTALE)
        lease->released = true; /* one attempt: the Lease also expires without it */
    if (lease->current)
        lease->next_ns = now_ns;
    else
        lease->next_ns = now_ns + (r == -ESTALE || r == -EEXIST ? lease->timing.retry_ns / 10 : wait_ns);
}

void hf_lease_answer(struct hf_lease *lease, uint64_t now_ns, int r, uint64_t retry_after_ns,
                     const struct hf_lease_record *record)
{
    enum hf_lease_want was = lease->busy;

    lease->busy = HF_LEASE_NOTHING;
    if (r != 0 || record == NULL)
        has_failed(lease, now_ns, was, r, retry_after_ns);
    else if (was == HF_LEASE_READ)
        was_read(lease, now_ns, record);
    else if (was == HF_LEASE_RELEASE)
        lease->released = true;
    else
        was_written(lease, now_ns, record);
}

uint64_t hf_lease_due(const struct hf_lease *lease)
{
    if (lease->busy == HF_LEASE_NOTHING)
        return lease->next_ns;
    return lease->leading ? lease->renewed_ns + lease->timing.renew_deadline_ns : UINT64_MAX;
}

bool hf_lease_floor(struct hf_lease *lease, uint64_t epoch)
{
    uint64_t most = HF_MIN(HF_MAX(lease->highest, lease->base + HF_LEASE_LEAP), HF_LEASE_MAX_EPOCH);

    if (epoch > most)
        return false;
    lease->floor = HF_MAX(lease->floor, epoch);
    return true;
}

void hf_lease_release(struct hf_lease *lease, uint64_t now_ns)
{
    lease->leading = false;
    lease->releasing = true;
    lease->next_ns = now_ns;
    lease->released = lease->epoch == 0 && lease->busy == HF_LEASE_NOTHING;
}

bool hf_lease_is_released(const struct hf_lease *lease)
{
    return lease->released;
}
