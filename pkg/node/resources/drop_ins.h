/* SPDX-License-Identifier: Apache-2.0 */
/* node/resources/drop_ins.h - the drop-in files of a program's configuration, in the order in which they count.
 *
 * Source: journald.conf(5), "Configuration directories and precedence"; kubelet, --config-dir. Reads folders, and so
 * blocks. Threads: any. */
#pragma once

#include <stddef.h>

#include "node/probe.h"

enum { HF_DROP_INS_MAX = 128 }; /* maximum number of drop-in files; further names are left out */

/* Calls `take` with the path of each file whose name ends with `suffix`, in the order of the names, whatever the
 * folder. Of two files with the same name, only the one in the later folder counts. `folders` has n_folders paths. */
void hf_drop_ins_each(const struct hf_probe_root *at, const char *const *folders, size_t n_folders, const char *suffix,
                      void (*take)(void *arg, const char *path), void *arg);
