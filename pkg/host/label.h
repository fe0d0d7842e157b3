/* SPDX-License-Identifier: Apache-2.0 */
/* The SELinux label by which systemd may read or execute a file: one that a container wrote has the container's type
 * and categories. Pure. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

enum { HF_HOSTLIFE_LABEL = 256 };

/* False: none. Units have their folder's, which policies name differently (systemd_unit_file_t of Fedora,
 * systemd_unit_t of the reference policy). */
bool hf_hostlife_label_type(struct hf_view label, char type[HF_HOSTLIFE_LABEL]);

/* `current`: a file's USER:ROLE:TYPE[:LEVEL], no terminator; empty: SELinux is off. True: set *label, with a level if
 * the policy has any, and no categories. */
bool hf_hostlife_label(struct hf_view current, const char *type, char label[HF_HOSTLIFE_LABEL]);
