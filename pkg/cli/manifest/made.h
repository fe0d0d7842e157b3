/* SPDX-License-Identifier: Apache-2.0 */
/* cli/manifest/made.h - prints what a node makes of a content, in which the variables are replaced already. The rules
 * are the agent's own functions, without those that need the node: its folders, its configuration, its API server. Main
 * thread only. */
#pragma once

#include "api/manifest.h"
#include "cli/cli.h"
#include "manifests/source/bundle.h"

/* For Files and StaticPods, prints each file with its name below the target's folder, its mode and its content. For
 * Cluster, prints the objects as YAML documents, in the order in which a node applies them. Takes ownership of
 * `bundle`, also on failure. -EBADMSG: a node would refuse the content; *err has the reason. */
HF_MUST_USE int hf_cli_print_made(struct hf_cli *cli, const struct hf_manifest *entry, struct hf_bundle *bundle,
                                  struct hf_err *err);
