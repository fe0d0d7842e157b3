/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what a node makes of a content whose variables are replaced. */
#pragma once

#include "api/manifest.h"
#include "cli/cli.h"
#include "manifests/source/bundle.h"

/* Files with names, modes and content; or, for Cluster, objects as YAML in the order of application. Takes `bundle`,
 * also on failure. -EBADMSG: a node would refuse it. */
HF_MUST_USE int hf_cli_print_made(struct hf_cli *cli, const struct hf_manifest *entry, struct hf_bundle *bundle,
                                  struct hf_err *err);
