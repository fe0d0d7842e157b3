/* SPDX-License-Identifier: Apache-2.0 */
/* Installs, refreshes and removes the agent on its host. Blocks. Main thread.
 *
 * Steps are durable and repeatable, so that all may run again after a power cut. The unit comes last, as it names all
 * else, and goes first. */
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

/* Copies the image's build if the host has none, writes unit and environment, enables and starts the unit, and waits
 * until the agent is ready. *ret_reason after an error: the condition's. */
HF_MUST_USE int hf_hostlife_install(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                                    struct hf_err *err);

/* Writes a changed unit or environment, and restarts the agent. */
HF_MUST_USE int hf_hostlife_refresh(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                                    struct hf_err *err);

/* Enables and starts the installed unit. */
HF_MUST_USE int hf_hostlife_start(const struct hf_hostlife_systemd *systemd, struct hf_err *err);

/* Stops and disables the unit, removes all but the state. */
HF_MUST_USE int hf_hostlife_remove(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                                   struct hf_err *err);
