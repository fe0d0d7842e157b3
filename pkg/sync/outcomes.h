/* SPDX-License-Identifier: Apache-2.0 */
/* sync/outcomes.h - finds out which releases were committed, rolled back or rejected since the previous look. Each of
 * these is an end of the release. Pure, except that it allocates. A look visits all releases once (hf_outcomes_begin()
 * explains it).
 *
 * The first look of a process reports nothing, because an earlier process has reported the ends that are on disk. A
 * repair of the committed release ends in Committed again, and no look reports it. After a restart the source may
 * replay old versions of an object, which the node rejects one after the other. So a look reports a rejection only
 * after it has lasted HF_OUTCOMES_STEADY_NS. */
#pragma once

#include "api/update/update.h"
#include "base/strmap.h"
#include "sync/notices.h"

#define HF_OUTCOMES_STEADY_NS (5 * HF_NS_PER_S)

struct hf_outcomes {
    /* maps the name of a release to three digests: the one that was last committed, the one that was last rolled back,
     * and the one that was last rejected */
    struct hf_strmap releases;
    unsigned round; /* number of looks that have begun */
    /* monotonic time at which to look again because a rejection will have lasted long enough, or HF_NEVER */
    uint64_t look_again_ns;
};

void hf_outcomes_init(struct hf_outcomes *outcomes);
void hf_outcomes_done(struct hf_outcomes *outcomes);

/* A look is hf_outcomes_begin(), then hf_outcomes_see() for each release of the engine, then hf_outcomes_end(), which
 * forgets releases that this look did not see. */
void hf_outcomes_begin(struct hf_outcomes *outcomes);
/* Returns the reason of the notice about this release, or HF_NOTICE_NONE (also if memory runs out). */
enum hf_notice_reason hf_outcomes_see(struct hf_outcomes *outcomes, const struct hf_update_status *status,
                                      uint64_t now_ns);
void hf_outcomes_end(struct hf_outcomes *outcomes);
