/* SPDX-License-Identifier: Apache-2.0 */
/* Equal events have the same kind, subject and reason. Of a kind that repeats (audit/entry.h) the first is written, and
 * one entry has the number of those of the next hour. Others need a token of a bucket, or are lost. */
#include "audit/calm.h"

#include <stdlib.h>
#include <string.h>

void hf_audit_calm_done(struct hf_audit_calm *calm)
{
    for (size_t i = 0; i < HF_AUDIT_SLOTS; i++)
        free(calm->slots[i].event);
    *calm = (struct hf_audit_calm){0};
}

static bool same(const struct hf_audit_event *a, const struct hf_audit_event *b)
{
    return a->kind == b->kind && strcmp(a->subject, b->subject) == 0 && strcmp(a->reason, b->reason) == 0;
}

static uint64_t end_of(const struct hf_audit_calm *calm, size_t i)
{
    return calm->slots[i].since_ns + HF_AUDIT_WINDOW_NS;
}

/* A free slot, else the oldest one that has counted nothing; HF_AUDIT_SLOTS if there is neither. */
static size_t find_room(const struct hf_audit_calm *calm)
{
    size_t best = HF_AUDIT_SLOTS;

    for (size_t i = 0; i < HF_AUDIT_SLOTS; i++) {
        if (calm->slots[i].event == NULL)
            return i;
        if (calm->slots[i].more == 0 &&
            (best == HF_AUDIT_SLOTS || calm->slots[i].since_ns < calm->slots[best].since_ns))
            best = i;
    }
    return best;
}

static void remember(struct hf_audit_calm *calm, const struct hf_audit_event *event, uint64_t now_ns)
{
    size_t i = find_room(calm);

    if (i == HF_AUDIT_SLOTS)
        return;
    if (calm->slots[i].event == NULL)
        calm->slots[i].event = malloc(sizeof(*event));
    if (calm->slots[i].event == NULL)
        return;
    *calm->slots[i].event = *event;
    calm->slots[i].since_ns = now_ns;
}

enum hf_audit_verdict hf_audit_calm_see(struct hf_audit_calm *calm, const struct hf_audit_event *event, uint64_t now_ns)
{
    bool repeats = hf_audit_kind_repeats(event->kind);

    for (size_t i = 0; repeats && i < HF_AUDIT_SLOTS; i++) {
        struct hf_audit_event *kept = calm->slots[i].event;
        if (kept == NULL || !same(kept, event))
            continue;
        if (now_ns < end_of(calm, i) || calm->slots[i].more > 0) {
            *kept = *event;
            calm->slots[i].more++;
            return HF_AUDIT_COUNTED;
        }
        free(kept);
        calm->slots[i].event = NULL;
    }
    if (!hf_bucket_take(&calm->bucket, HF_AUDIT_BURST, HF_AUDIT_REFILL_NS, now_ns))
        return HF_AUDIT_LOST;
    if (repeats)
        remember(calm, event, now_ns);
    return HF_AUDIT_WRITE;
}

uint64_t hf_audit_calm_due_ns(const struct hf_audit_calm *calm)
{
    uint64_t due = HF_NEVER;

    for (size_t i = 0; i < HF_AUDIT_SLOTS; i++)
        if (calm->slots[i].event != NULL && calm->slots[i].more > 0)
            due = HF_MIN(due, end_of(calm, i));
    return due;
}

uint64_t hf_audit_calm_take(struct hf_audit_calm *calm, uint64_t now_ns, struct hf_audit_event *ret_event)
{
    for (size_t i = 0; i < HF_AUDIT_SLOTS; i++) {
        uint64_t more = calm->slots[i].more;
        if (calm->slots[i].event == NULL || more == 0 || now_ns < end_of(calm, i))
            continue;
        *ret_event = *calm->slots[i].event;
        calm->slots[i].more = 0;
        calm->slots[i].since_ns = now_ns; /* the next hour begins with this entry */
        return more;
    }
    return 0;
}
