/* SPDX-License-Identifier: Apache-2.0 */
/* Installs, refreshes and removes the agent on its host. Blocks. Main thread.
 *
 * Each step is durable and can be repeated after a power cut. The unit refers to everything else, so it is installed
 * last and removed first. */
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

/* Copies the image's build unless the host has one, writes unit and environment, enables and starts the unit, and waits
 * until the agent is ready. After an error, *ret_reason is the reason of condition HostLife. */
HF_MUST_USE int hf_hostlife_install(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                                    struct hf_err *err);

/* Writes unit and environment, and restarts the agent. */
HF_MUST_USE int hf_hostlife_refresh(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                                    struct hf_err *err);

HF_MUST_USE int hf_hostlife_start(const struct hf_hostlife_systemd *systemd, struct hf_err *err);

/* Stops, disables and removes a pod's unit; removes the link of `holdfast` and <state>/host. */
HF_MUST_USE int hf_hostlife_remove(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                                   struct hf_err *err);
