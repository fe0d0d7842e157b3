/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out who listens on a TCP port, by /proc/net/tcp and tcp6 (Documentation/networking/proc_net_tcp.rst): any local
 * user may take a free port above 1023. Threads: any; blocks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"

/* Whether root, and no other user, listens on the port at some address. False also if neither list can be read. */
bool hf_listener_is_root(const struct hf_fs_ops *fs, uint16_t port);
