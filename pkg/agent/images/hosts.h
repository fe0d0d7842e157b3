/* SPDX-License-Identifier: Apache-2.0 */
/* agent/images/hosts.h - lets this node's containerd use the mirror, if spec.images.mirror.configure wants it and
 * manifests.files of agent.yaml allows each file (mirror/hosts.h). Loop thread only. Blocks. */
#pragma once

#include "agent/images/finding.h"
#include "api/policies/policy_set.h"
#include "base/err.h"

struct hf_agent_env;

/* After the mirror has followed the policy: the hosts.toml of the state folder, which is there while it serves, is what
 * containerd gets. */
void hf_image_hosts_follow(struct hf_images_finding *finding, const struct hf_agent_env *env,
                           const struct hf_policy_set *set);
