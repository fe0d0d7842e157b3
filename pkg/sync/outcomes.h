/* sync/outcomes.h - finds out which releases have come to an end since the last look: committed, rolled back or
 * rejected. Pure, except that it allocates.
 *
 * The first look of a process reports nothing, because an earlier process has reported what is on disk by then. A
 * repair of the committed release ends in Committed again, and is no news. After a restart the source may replay old
 * versions of an object, which the node rejects one after the other: a rejection is news when it has lasted
 * HF_OUTCOMES_STEADY_NS. */
#pragma once

#include "base/strmap.h"
#include "sync/notices.h"
#include "update/engine.h"

#define HF_OUTCOMES_STEADY_NS (5 * HF_NS_PER_S)

struct hf_outcomes {
    struct hf_strmap releases; /* maps the name of a release to the ends that were reported last */
    unsigned round;            /* number of looks so far */
    /* monotonic time at which a release may become news without an event, or HF_NEVER; the last look set it */
    uint64_t look_again_ns;
};

void hf_outcomes_init(struct hf_outcomes *outcomes);
void hf_outcomes_done(struct hf_outcomes *outcomes);

/* A look is hf_outcomes_begin(), then hf_outcomes_see() for each release of the engine, then hf_outcomes_end(), which
 * forgets releases that were not seen. */
void hf_outcomes_begin(struct hf_outcomes *outcomes);
/* Returns the reason of the notice about this release, or HF_NOTICE_NONE. */
enum hf_notice_reason hf_outcomes_see(struct hf_outcomes *outcomes, const struct hf_update_status *status,
                                      uint64_t now_ns);
void hf_outcomes_end(struct hf_outcomes *outcomes);
