/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what a host is like, for host/plan.h. Writes only <run>/boot. Blocks. Main thread. */
#pragma once

#include "base/view.h"
#include "host/place.h"
#include "host/systemd.h"

struct hf_hostlife_wanted {
    struct hf_view unit, environment;
    bool pod_secrets;
};

/* `message`: systemd's text about a failure, or "". */
void hf_hostlife_facts(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                       const struct hf_hostlife_wanted *wanted, struct hf_hostlife_facts *ret_facts,
                       char message[HF_HOSTLIFE_TEXT]);

/* Whether others than root may write to the state folder or host/ in it. */
bool hf_hostlife_is_open(const struct hf_hostlife_place *place);

/* Finds the facts about system, folders and unit alone. `root`: path of the host's root; "": "/". */
unsigned hf_hostlife_look_at_host(const struct hf_hostlife_place *place, const char *root);
