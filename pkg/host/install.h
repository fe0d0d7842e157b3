/* SPDX-License-Identifier: Apache-2.0 */
/* Installs the agent on its host, refreshes and removes it. Blocks. Main thread.
 *
 * Each step is durable and leaves what is there already, so that all of it may run again after a power cut at any
 * moment. The unit comes last, because it names everything else, and goes first. */
#pragma once

#include "base/view.h"
#include "host/place.h"
#include "host/systemd.h"

struct hf_hostlife_install {
    const struct hf_hostlife_place *place;
    const struct hf_hostlife_systemd *systemd;
    struct hf_view unit, environment;
    const char *version;
};

/* The build of the image, where the host has none; unit and environment; then enables and starts the unit, and waits
 * until the agent is ready. *ret_reason after an error: for the condition. */
HF_MUST_USE int hf_hostlife_install(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                                    struct hf_err *err);

/* Unit and environment alone, if they differ; then restarts the unit. */
HF_MUST_USE int hf_hostlife_refresh(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                                    struct hf_err *err);

/* Enables and starts the unit, which an earlier start installed. */
HF_MUST_USE int hf_hostlife_start(const struct hf_hostlife_systemd *systemd, struct hf_err *err);

/* Stops and disables the unit and removes all that was installed. The state stays. */
HF_MUST_USE int hf_hostlife_remove(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                                   struct hf_err *err);
