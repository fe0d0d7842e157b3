/* SPDX-License-Identifier: Apache-2.0 */
/* update/rules/pod_starter.h - recognizes the services that start a node's pods.
 *
 * If an update breaks such a service and the node then loses power, no pod starts again. An agent that runs in a pod is
 * then not running, and cannot restore the old version of the service.
 *
 * Threads: any. */
#pragma once

#include <stdbool.h>

/* Returns true if `unit` is the usual name of a systemd unit that starts pods. Such a unit runs a kubelet, a
 * distribution of Kubernetes that contains a kubelet, or a container runtime. */
bool hf_pod_starter_is(const char *unit);
