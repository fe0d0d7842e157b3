/* SPDX-License-Identifier: Apache-2.0 */
/* What the node reports about an update that fails and restarts many times. */
#pragma once

#include <stdint.h>

#include "api/update/update.h"
#include "base/clock.h"
#include "base/strmap.h"

/* More releases replace the one reported on longest ago. */
enum { HF_STEADY_MAX = 128 };

struct hf_steady {
    struct hf_strmap reported;
};

void hf_steady_init(struct hf_steady *steady);
void hf_steady_done(struct hf_steady *steady);

/* Sets *ret_reported to *status or, while *status has no news, for up to refresh_ns to the last report. Its strings
 * last until the next call for this release, or for HF_STEADY_MAX others. May lower *wait_ns. -ENOMEM:
 * *ret_reported is *status. */
HF_MUST_USE int hf_steady_report(struct hf_steady *steady, const struct hf_update_status *status, uint64_t refresh_ns,
                                 uint64_t now_ns, struct hf_update_status *ret_reported, uint64_t *wait_ns);
