/* SPDX-License-Identifier: Apache-2.0 */
/* cli/manifest/content.h - reads the content of an entry of spec.manifests from files on this machine. The rules are
 * those by which a node reads the content. Main thread only; blocks. */
#pragma once

#include "cli/cli.h"
#include "manifests/source/bundle.h"

struct hf_cli_content_params {
    const char *path;     /* folder, file, or archive: a name that ends with .tar.gz or .tgz, or "-" (standard input) */
    const char *sub_path; /* path inside the content, as in from.subPath; NULL for the whole content */
    bool keep_top;        /* keep the top folder of an archive made by git, as for a fluxSource */
    bool no_modes;        /* ignore the files' modes, as for a ConfigMap or a Secret */
    bool flux_modes;      /* give files of a folder the modes that they have in an artifact of Flux */
};

/* Returns true if the path means standard input, which has an archive then. */
bool hf_cli_content_is_pipe(const char *path);

/* Reads the content as a sealed bundle. -EBADMSG: a node would refuse the content; *err has the reason. */
HF_MUST_USE int hf_cli_content_read(struct hf_cli *cli, const struct hf_cli_content_params *params,
                                    struct hf_bundle **ret_bundle, struct hf_err *err);
