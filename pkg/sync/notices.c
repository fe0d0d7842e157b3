/* SPDX-License-Identifier: Apache-2.0 */
/* While the server is unreachable, notices are also in a file (agent/report/notice_file.h). In a full queue, a new one
 * replaces the oldest not being sent. Each request takes a token; one comes back each minute. */
#include "sync/notices.h"

#include <stdlib.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/macros.h"

static const struct {
    const char *name, *action;
    bool warning;
} reasons[HF_NOTICE_REASONS] = {
    [HF_NOTICE_NONE] = {"", "", false},
    [HF_NOTICE_COMMITTED] = {"UpdateCommitted", "Update", false},
    [HF_NOTICE_ROLLED_BACK] = {"UpdateRolledBack", "Update", true},
    [HF_NOTICE_REJECTED] = {"UpdateRejected", "Update", true},
    [HF_NOTICE_REPAIRED] = {"UpdateRepaired", "Update", true},
    [HF_NOTICE_HELD_BACK] = {"UpdateHeldBack", "Update", true},
    [HF_NOTICE_WENT_STALE] = {"WentStale", "Contact", true},
    [HF_NOTICE_CAME_BACK] = {"CameBack", "Contact", false},
    [HF_NOTICE_MANIFEST_APPLIED] = {"ManifestApplied", "Manifest", false},
    [HF_NOTICE_MANIFEST_ROLLED_BACK] = {"ManifestRolledBack", "Manifest", true},
    [HF_NOTICE_MANIFEST_REFUSED] = {"ManifestRefused", "Manifest", true},
    [HF_NOTICE_DRIFT_REPAIRED] = {"DriftRepaired", "Manifest", true},
    [HF_NOTICE_MANIFEST_REMOVED] = {"ManifestRemoved", "Manifest", true},
    [HF_NOTICE_POLICY_CHANGED] = {"PolicyChanged", "Policy", true},
    [HF_NOTICE_NEIGHBOUR_LIED] = {"NeighbourLied", "Update", true},
    [HF_NOTICE_IMAGE_REFUSED] = {"ImageRefused", "Image", true},
    [HF_NOTICE_DISK_PRESSURE] = {"DiskPressure", "Disk", true},
    [HF_NOTICE_DISK_RELIEVED] = {"DiskPressureEnded", "Disk", false},
    [HF_NOTICE_CLOCK_STEPPED] = {"ClockStepped", "Clock", true},
};

const char *hf_notice_reason_name(enum hf_notice_reason reason)
{
    return reason < HF_NOTICE_REASONS ? reasons[reason].name : "";
}

const char *hf_notice_action(enum hf_notice_reason reason)
{
    return reason < HF_NOTICE_REASONS ? reasons[reason].action : "";
}

bool hf_notice_is_warning(enum hf_notice_reason reason)
{
    return reason < HF_NOTICE_REASONS && reasons[reason].warning;
}

void hf_notices_done(struct hf_notices *notices)
{
    for (size_t i = 0; i < notices->n; i++)
        free(notices->queue[i].text);
    *notices = (struct hf_notices){0};
}

static void remove_at(struct hf_notices *notices, size_t i)
{
    free(notices->queue[i].text);
    notices->n--;
    memmove(&notices->queue[i], &notices->queue[i + 1], (notices->n - i) * sizeof(notices->queue[0]));
}

void hf_notices_restore(struct hf_notices *notices, enum hf_notice_reason reason, uint64_t unix_ns, uint64_t number,
                        const char *text)
{
    size_t n = hf_utf8_prefix(text, HF_MIN(strlen(text), (size_t)HF_NOTICES_TEXT - 1));
    char *copy = strndup(text, n);

    notices->added = HF_MAX(notices->added, number);
    if (copy == NULL) {
        notices->dropped++;
        return;
    }
    if (notices->n == HF_NOTICES_MAX) {
        remove_at(notices, notices->sending ? 1 : 0);
        notices->dropped++;
    }
    notices->queue[notices->n++] =
        (struct hf_notice){.reason = reason, .unix_ns = unix_ns, .number = number, .text = copy};
}

void hf_notices_add(struct hf_notices *notices, enum hf_notice_reason reason, uint64_t unix_ns, const char *text)
{
    hf_notices_restore(notices, reason, unix_ns, notices->added + 1, text);
}

uint64_t hf_notices_due_ns(const struct hf_notices *notices)
{
    if (notices->n == 0 || notices->sending)
        return HF_NEVER;
    uint64_t token = hf_bucket_due_ns(&notices->bucket, HF_NOTICES_BURST - 1, HF_NOTICES_TOKEN_NS);
    return HF_MAX(token, notices->not_before_ns);
}

const struct hf_notice *hf_notices_begin(struct hf_notices *notices, uint64_t now_ns)
{
    (void)hf_bucket_take(&notices->bucket, HF_NOTICES_BURST, HF_NOTICES_TOKEN_NS, now_ns);
    notices->sending = true;
    return &notices->queue[0];
}

void hf_notices_end(struct hf_notices *notices, enum hf_notices_result result, uint64_t delay_ns, uint64_t now_ns)
{
    notices->sending = false;
    notices->not_before_ns = now_ns + delay_ns;
    if (result == HF_NOTICES_LATER)
        return;
    if (result == HF_NOTICES_REFUSED)
        notices->dropped++;
    remove_at(notices, 0);
}
