/* SPDX-License-Identifier: Apache-2.0 */
/* Drop-in files by precedence: journald.conf(5), "Configuration directories and precedence"; kubelet's --config-dir.
 * Blocks. */
#pragma once

#include <stddef.h>

#include "node/probe.h"

/* In the order of names over all folders; a later folder replaces a name. */
void hf_drop_ins_each(const struct hf_probe_root *at, const char *const *folders, size_t n_folders, const char *suffix,
                      void (*take)(void *arg, const char *path), void *arg);
