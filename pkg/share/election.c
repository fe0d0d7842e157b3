/* SPDX-License-Identifier: Apache-2.0 */
/* Each node decides alone, from what its neighbours answered. Two nodes that want the same content at once both know of
 * each other: the later of the two has begun before it asks, so one of them hears the other's wish, and the other hears
 * the question. The order of their names for this content decides between them. */
#include "share/election.h"

#include <string.h>

#include "codec/sha256.h"

static void rank_of(const char *sha256, const char *salt, const char *node, unsigned char rank[HF_SHA256_BYTES])
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, sha256, strlen(sha256) + 1);
    hf_sha256_update(&hash, salt, strlen(salt) + 1);
    hf_sha256_update(&hash, node, strlen(node) + 1);
    hf_sha256_final(&hash, rank);
}

static bool before(const char *sha256, const char *salt, const char *a, const char *b)
{
    unsigned char of_a[HF_SHA256_BYTES], of_b[HF_SHA256_BYTES];

    rank_of(sha256, salt, a, of_a);
    rank_of(sha256, salt, b, of_b);
    return memcmp(of_a, of_b, sizeof(of_a)) < 0;
}

bool hf_share_goes_before(const char *sha256, const char *a, const char *b)
{
    return before(sha256, "", a, b);
}

struct hf_share_decision hf_share_decide(const char *sha256, const char *self, const struct hf_share_view *views,
                                         size_t n)
{
    struct hf_share_decision best = {.choice = HF_SHARE_ALONE};
    enum hf_share_state state = HF_SHARE_ABSENT;
    bool busy = false;

    for (size_t i = 0; i < n; i++) {
        const struct hf_share_view *view = &views[i];
        if (view->excluded || view->node[0] == '\0' || strcmp(view->node, self) == 0 || view->state < HF_SHARE_WANTED)
            continue;
        if (view->state == HF_SHARE_WANTED && !hf_share_goes_before(sha256, view->node, self))
            continue;
        /* Those that have it share the work: each asker has its own order among them. */
        bool better = view->state != state ? view->state > state
                      : view->busy != busy
                          ? busy
                          : before(sha256, state == HF_SHARE_HAVE ? self : "", view->node, views[best.peer].node);
        if (best.choice != HF_SHARE_ALONE && !better)
            continue;
        state = view->state;
        busy = view->busy;
        best = (struct hf_share_decision){.choice = state == HF_SHARE_HAVE && !busy ? HF_SHARE_GET : HF_SHARE_WAIT,
                                          .peer = i};
    }
    return best;
}
