/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/rules/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"

enum { DIGITS = 12 };

enum hf_plan_step hf_plan_file(enum hf_plan_seen seen, bool ours, bool force)
{
    /* A row for each hf_plan_seen: ours; not ours; not ours, with force. A rename replaces a link in the place of our
     * file, but nobody could put back a link that was there before us. */
    static const enum hf_plan_step steps[][3] = {
        [HF_PLAN_ABSENT] = {HF_PLAN_WRITE, HF_PLAN_WRITE, HF_PLAN_WRITE},
        [HF_PLAN_SAME] = {HF_PLAN_KEEP, HF_PLAN_KEEP, HF_PLAN_KEEP},
        [HF_PLAN_OTHER] = {HF_PLAN_WRITE, HF_PLAN_REFUSE, HF_PLAN_REPLACE},
        [HF_PLAN_LINK] = {HF_PLAN_WRITE, HF_PLAN_REFUSE_ALWAYS, HF_PLAN_REFUSE_ALWAYS},
        [HF_PLAN_SPECIAL] = {HF_PLAN_REFUSE_ALWAYS, HF_PLAN_REFUSE_ALWAYS, HF_PLAN_REFUSE_ALWAYS},
    };

    return seen < HF_LEN(steps) ? steps[seen][ours ? 0 : force ? 2 : 1] : HF_PLAN_REFUSE_ALWAYS;
}

bool hf_plan_may_prune(size_t n_prune, size_t n_inventory)
{
    return n_prune <= 1 || n_prune * 100 <= n_inventory * HF_PLAN_PRUNE_PERCENT;
}

bool hf_plan_prune_is_allowed(const char *value, const char *entry, const char *digest)
{
    size_t n = strlen(entry);

    if (value == NULL || strlen(digest) < DIGITS)
        return false;
    for (const char *at = value; *at != '\0';) {
        size_t word = strcspn(at, ", ");
        if (word == n + 1 + DIGITS && strncmp(at, entry, n) == 0 && at[n] == ':' &&
            strncmp(at + n + 1, digest, DIGITS) == 0)
            return true;
        at += word;
        at += strspn(at, ", ");
    }
    return false;
}

const char *hf_plan_prune_advice(const char *message, const char *entry, const char *digest, char *text, size_t n)
{
    (void)snprintf(text, n,
                   "%s; to allow it, set the annotation " HF_PLAN_ALLOW_PRUNE ": \"%s:%.*s\" on the SyncPolicy",
                   message, entry, DIGITS, digest);
    return text;
}
