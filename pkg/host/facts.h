/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out what a host is like (host/plan.h). Changes nothing but the mark of the boot. Blocks. Main thread. */
#pragma once

#include "base/view.h"
#include "host/place.h"
#include "host/systemd.h"

struct hf_hostlife_wanted {
    struct hf_view unit, environment; /* texts that this pod would write */
    bool pod_secrets;
};

/* *ret_message: more about what hinders, or "". */
void hf_hostlife_facts(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                       const struct hf_hostlife_wanted *wanted, struct hf_hostlife_facts *ret_facts,
                       char message[HF_HOSTLIFE_TEXT]);

/* Only what can be seen without systemd and without the image, of the host at `root` ("": this one): for `holdfast
 * doctor`. */
unsigned hf_hostlife_look_at_host(const struct hf_hostlife_place *place, const char *root);
