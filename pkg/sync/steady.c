/* SPDX-License-Identifier: Apache-2.0 */
/* An unreachable artifact changes a release between Fetching and Waiting every few seconds, on every node: too much for
 * an API server, or a disk with the outbox. So a report stays up to `refresh_ns` while phase, reason and digest are the
 * same, and a new attempt reports the last failure until it makes progress: another phase or reason to wait, or
 * HF_STEADY_TRY_NS of fetching. */
#include "sync/steady.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HF_STEADY_TRY_NS (60 * HF_NS_PER_S)

enum { TEXTS = 8 };

struct reported_update {
    struct hf_update_status status; /* its strings point into `texts` */
    char *texts[TEXTS];
    uint64_t since_ns;
    uint64_t asked_ns;  /* time of the last call for this release */
    uint64_t trying_ns; /* start of the attempt that runs; 0: none does */
};

static void reported_free(void *value)
{
    struct reported_update *reported = value;

    if (reported == NULL)
        return;
    for (size_t i = 0; i < HF_LEN(reported->texts); i++)
        free(reported->texts[i]);
    free(reported);
}

void hf_steady_init(struct hf_steady *steady)
{
    *steady = (struct hf_steady){.reported = {.free_value = reported_free}};
}

void hf_steady_done(struct hf_steady *steady)
{
    hf_strmap_done(&steady->reported);
}

static bool same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static struct reported_update *copy(const struct hf_update_status *status, uint64_t now_ns)
{
    struct reported_update *reported = calloc(1, sizeof(*reported));
    bool complete = true;

    if (reported == NULL)
        return NULL;
    reported->status = *status;
    reported->since_ns = reported->asked_ns = now_ns;
    const char **strings[TEXTS] = {&reported->status.name,    &reported->status.version,  &reported->status.digest,
                                   &reported->status.from,    &reported->status.method,   &reported->status.reason,
                                   &reported->status.message, &reported->status.installed};
    for (size_t i = 0; i < HF_LEN(strings); i++) {
        reported->texts[i] = strdup(*strings[i] == NULL ? "" : *strings[i]);
        complete = complete && reported->texts[i] != NULL;
        *strings[i] = reported->texts[i];
    }
    if (complete)
        return reported;
    reported_free(reported);
    return NULL;
}

/* Returns true if the update failed before and this is only another attempt. */
static bool is_retry(struct reported_update *reported, const struct hf_update_status *status, uint64_t now_ns)
{
    bool retry = reported->status.phase == HF_PHASE_WAITING && reported->status.attempts > 0 &&
                 (status->phase == HF_PHASE_FETCHING || status->phase == HF_PHASE_WAITING) &&
                 status->attempts >= reported->status.attempts;

    if (!retry || status->phase == HF_PHASE_WAITING)
        reported->trying_ns = 0;
    else if (reported->trying_ns == 0)
        reported->trying_ns = now_ns;
    return retry && (status->phase == HF_PHASE_FETCHING ? now_ns - reported->trying_ns < HF_STEADY_TRY_NS
                                                        : same(status->reason, reported->status.reason));
}

static bool nothing_new(struct reported_update *reported, const struct hf_update_status *status, uint64_t now_ns)
{
    if (!same(reported->status.digest, status->digest))
        return false;
    bool still = reported->status.phase == status->phase && same(reported->status.reason, status->reason);
    return is_retry(reported, status, now_ns) || still;
}

/* Makes room for one more release. */
static void forget_oldest(struct hf_steady *steady)
{
    const struct hf_strmap_entry *oldest = NULL;

    for (size_t i = 0; i < steady->reported.n; i++) {
        const struct hf_strmap_entry *entry = &steady->reported.entries[i];
        if (oldest == NULL || ((const struct reported_update *)entry->value)->asked_ns <
                                  ((const struct reported_update *)oldest->value)->asked_ns)
            oldest = entry;
    }
    if (oldest != NULL && steady->reported.n >= HF_STEADY_MAX)
        (void)hf_strmap_remove(&steady->reported, oldest->key);
}

int hf_steady_report(struct hf_steady *steady, const struct hf_update_status *status, uint64_t refresh_ns,
                     uint64_t now_ns, struct hf_update_status *ret_reported, uint64_t *wait_ns)
{
    struct reported_update *reported = hf_strmap_get(&steady->reported, status->name);
    bool news = reported == NULL || !nothing_new(reported, status, now_ns);
    /* An engine that is about to look again says that nothing is settled: within a state, "settled" stays. */
    bool settled = status->settled || (!news && reported->status.settled);

    if (reported == NULL)
        forget_oldest(steady);
    else
        reported->asked_ns = now_ns;
    if (news || now_ns - reported->since_ns >= refresh_ns) {
        struct reported_update *fresh = copy(status, now_ns);
        if (fresh == NULL || hf_strmap_put(&steady->reported, status->name, fresh) < 0) {
            reported_free(fresh);
            *ret_reported = *status;
            return -ENOMEM;
        }
        reported = fresh;
    }
    if (reported->trying_ns != 0)
        *wait_ns = HF_MIN(*wait_ns, HF_STEADY_TRY_NS - HF_MIN(now_ns - reported->trying_ns, HF_STEADY_TRY_NS));
    assert(same(reported->status.name, status->name) && steady->reported.n <= HF_STEADY_MAX);
    reported->status.settled = settled;
    *ret_reported = reported->status;
    return 0;
}
