/* SPDX-License-Identifier: Apache-2.0 */
/* As root on the host: makes containerd ask the mirror (spec.images.mirror.configure), if agent.yaml's manifests.files
 * allow each file (mirror/hosts.h); else removes the files it made. Blocks. */
#pragma once

#include "agent/images/finding.h"
#include "api/policies/policy_set.h"

struct hf_agent_env;

/* Call it after hf_image_mirror_follow(), whose hosts.toml it copies. */
void hf_image_hosts_follow(struct hf_images_finding *finding, const struct hf_agent_env *env,
                           const struct hf_policy_set *set);
