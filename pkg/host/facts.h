/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is like (host/plan.h). Writes only <run>/boot. Blocks. Main thread. */
#pragma once

#include "base/view.h"
#include "host/place.h"
#include "host/systemd.h"

struct hf_hostlife_wanted {
    struct hf_view unit, environment; /* as this pod writes them */
    bool pod_secrets;
};

/* `message`: what systemd said of a failure, or "". */
void hf_hostlife_facts(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                       const struct hf_hostlife_wanted *wanted, struct hf_hostlife_facts *ret_facts,
                       char message[HF_HOSTLIFE_TEXT]);

/* Others than root may write to the state folder or to host/ in it. */
bool hf_hostlife_is_open(const struct hf_hostlife_place *place);

/* Without systemd and image, of the host at `root` ("": this one), for `holdfast doctor`. */
unsigned hf_hostlife_look_at_host(const struct hf_hostlife_place *place, const char *root);
