/* SPDX-License-Identifier: Apache-2.0 */
/* Sends this node's containerd to the mirror (spec.images.mirror.configure), if agent.yaml's manifests.files allow each
 * file (mirror/hosts.h); else removes its files. Blocks. */
#pragma once

#include "agent/images/finding.h"
#include "api/policies/policy_set.h"

struct hf_agent_env;

/* Call it after the mirror, which writes the state folder's hosts.toml while it serves. */
void hf_image_hosts_follow(struct hf_images_finding *finding, const struct hf_agent_env *env,
                           const struct hf_policy_set *set);
