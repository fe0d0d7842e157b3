/* SPDX-License-Identifier: Apache-2.0 */
/* The halves of `node host`. They return as commands do. Main thread only; block. */
#pragma once

#include "cli/cli.h"
#include "host/place.h"
#include "host/systemd.h"

int hf_cli_host_status(struct hf_cli *cli, const struct hf_hostlife_place *place,
                       const struct hf_hostlife_systemd *systemd, bool json, struct hf_err *err);
/* `force`: remove the agent even while a pod watches the host, and would install it again. */
int hf_cli_host_remove(struct hf_cli *cli, const struct hf_hostlife_place *place,
                       const struct hf_hostlife_systemd *systemd, bool force, struct hf_err *err);
