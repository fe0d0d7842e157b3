/* SPDX-License-Identifier: Apache-2.0 */
/* The SELinux label that a file needs so that systemd may read or execute it. Pure.
 *
 * A file that a container wrote has the container's type and its categories, and systemd may execute neither. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

enum { HF_HOSTLIFE_LABEL = 256 };

/* The type that a label names; false: none. Units have that of their folder, which policies name differently
 * (systemd_unit_file_t of Fedora, systemd_unit_t of the reference policy). */
bool hf_hostlife_label_type(struct hf_view label, char type[HF_HOSTLIFE_LABEL]);

/* `current`: USER:ROLE:TYPE[:LEVEL] of the file, without a terminator; empty: SELinux is off. True: *label is to be
 * set, with a level only where the policy has levels, and no categories. */
bool hf_hostlife_label(struct hf_view current, const char *type, char label[HF_HOSTLIFE_LABEL]);
