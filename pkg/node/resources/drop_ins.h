/* SPDX-License-Identifier: Apache-2.0 */
/* Reads drop-in files in the order of journald.conf(5). Blocks. */
#pragma once

#include <stddef.h>

#include "node/probe.h"

/* Visits files of the folders in the order of their names. Of files with the same name, only the file of the last
 * folder counts. */
void hf_drop_ins_each(const struct hf_probe_root *at, const char *const *folders, size_t n_folders, const char *suffix,
                      void (*take)(void *arg, const char *path), void *arg);
