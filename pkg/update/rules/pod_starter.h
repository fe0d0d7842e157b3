/* SPDX-License-Identifier: Apache-2.0 */
/* Services that start a node's pods: if an update breaks one and power fails, an agent in a pod cannot restore the old
 * version. */
#pragma once

#include <stdbool.h>

/* Whether the name is usual for a kubelet, a Kubernetes distribution with one, or a container runtime. */
bool hf_pod_starter_is(const char *unit);
