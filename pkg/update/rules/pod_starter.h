/* update/rules/pod_starter.h - recognises the services that start a node's pods.
 *
 * If an update breaks such a service and the node then loses power, no pod starts again. An agent that runs in a pod is
 * then not running, and cannot restore the old version of the service.
 *
 * Threads: any. */
#pragma once

#include <stdbool.h>

/* Returns true if the systemd unit starts pods. This means a kubelet, a distribution of Kubernetes that contains a
 * kubelet, or a container runtime. Recognises only the usual names of such units. */
bool hf_pod_starter_is(const char *unit);
