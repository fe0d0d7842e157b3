/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/manifest.h"
#include "cli/cli.h"
#include "manifests/source/bundle.h"

/* Prints what a node makes of the content after substitution: files with names, modes and text; for target Cluster,
 * objects as YAML in order. Takes `bundle`, even on failure. -EBADMSG: a node would refuse it. */
HF_MUST_USE int hf_cli_print_made(struct hf_cli *cli, const struct hf_manifest *entry, struct hf_bundle *bundle,
                                  struct hf_err *err);
