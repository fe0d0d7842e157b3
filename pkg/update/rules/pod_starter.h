/* SPDX-License-Identifier: Apache-2.0 */
/* Recognizes the services that start a node's pods. If an update breaks one and the node then loses power, no pod
 * starts again, and an agent in a pod cannot restore the old version. Threads: any. */
#pragma once

#include <stdbool.h>

/* `unit` is the usual name of a kubelet, of a Kubernetes distribution with one, or of a container runtime. */
bool hf_pod_starter_is(const char *unit);
