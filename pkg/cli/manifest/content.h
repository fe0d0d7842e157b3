/* SPDX-License-Identifier: Apache-2.0 */
/* Content of a spec.manifests entry, as a node reads it. */
#pragma once

#include "cli/cli.h"
#include "manifests/source/bundle.h"

struct hf_cli_content_params {
    const char *path; /* folder, file, archive (.tar.gz, .tgz), or "-": an archive */
    const char *sub_path;
    bool keep_top; /* keep the top folder of git's archives, as for a fluxSource */
    bool no_modes; /* drop file modes, as for a ConfigMap */
    bool flux_modes;
};

bool hf_cli_content_is_pipe(const char *path);

/* *ret_bundle is complete (hf_bundle_seal()). -EBADMSG: a node would refuse it. */
HF_MUST_USE int hf_cli_content_read(struct hf_cli *cli, const struct hf_cli_content_params *params,
                                    struct hf_bundle **ret_bundle, struct hf_err *err);
