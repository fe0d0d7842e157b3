/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a release's artifacts and the deltas that save enough, each applied once as a check, in a temporary folder that
 * the caller renames. */
#pragma once

#include "cli/parts.h"

struct hf_release_files {
    struct hf_cli *cli;
    const char *folder;   /* temporary */
    const char *stem;     /* "<name>-<version>" */
    const char *url_base; /* without final slash */
    bool pack;            /* to .zst */
    bool fast;            /* profile */
    unsigned threads;
    bool agent;
    bool tree;                        /* output: artifacts are folders */
    struct hf_edgeupdate **published; /* earlier ones, whose deltas are on the server; borrowed */
    size_t n_published;
    unsigned n_olds, nth_old; /* for progress */
    json_t *artifacts;        /* output: spec.release.artifacts */
    json_t *report;           /* output: files made, deltas left out */
};

/* `spec`: "ARCH=NEW[,old=OLD...]"; NEW may be a folder; for kind Agent a folder or a tar. -EINVAL: another form, too
 * many old files, files and folders mixed, or no agent. -EBADMSG: NEW is empty. */
HF_MUST_USE int hf_release_add(struct hf_release_files *files, const char *spec, struct hf_err *err);
