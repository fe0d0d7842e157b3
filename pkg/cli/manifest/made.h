/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/manifest.h"
#include "cli/cli.h"
#include "manifests/source/bundle.h"

/* Prints what a node makes of content with variables replaced: files with names, modes, content; or (Cluster) objects
 * as YAML in order. Takes `bundle`, also on failure. -EBADMSG: a node refuses it. */
HF_MUST_USE int hf_cli_print_made(struct hf_cli *cli, const struct hf_manifest *entry, struct hf_bundle *bundle,
                                  struct hf_err *err);
