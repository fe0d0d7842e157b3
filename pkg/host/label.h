/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux labels for files that systemd reads or executes: what a container writes has the container's type. Pure. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

enum { HF_HOSTLIFE_LABEL = 256 };

/* Finds the type in a label. Returns false if there is none. A unit needs the type of its folder, as the name of that
 * type differs between policies. */
bool hf_hostlife_label_type(struct hf_view label, char type[HF_HOSTLIFE_LABEL]);

/* Whether a file labelled `current` (USER:ROLE:TYPE[:LEVEL]; empty: SELinux is off) needs a label of another type or
 * level; sets `label` then. */
bool hf_hostlife_label(struct hf_view current, const char *type, char label[HF_HOSTLIFE_LABEL]);
