/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/kubelet/listener.h - which user listens on a TCP port of this node, by /proc/net/tcp and tcp6 of the kernel
 * (Documentation/networking/proc_net_tcp.rst): any local user may listen on a port above 1023 that nobody uses. The
 * functions see the network namespace of this process. Threads: any; blocks for a moment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"

/* Returns true if root listens on this port, at whatever address, and no other user does. Returns false if nobody
 * listens, or if the kernel does not say. */
bool hf_listener_is_root(const struct hf_fs_ops *fs, uint16_t port);
