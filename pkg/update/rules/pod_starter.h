/* SPDX-License-Identifier: Apache-2.0 */
/* Services that start a node's pods. If an update breaks one and power fails, no pod starts, and an agent in a pod
 * cannot restore the old version. Threads: any. */
#pragma once

#include <stdbool.h>

/* The usual name of a kubelet, a Kubernetes distribution with one, or a container runtime. */
bool hf_pod_starter_is(const char *unit);
