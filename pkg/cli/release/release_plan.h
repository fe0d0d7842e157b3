/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a release's artifacts and the deltas that save enough, in a temporary folder that the caller renames. Applies
 * each delta once as a check. */
#pragma once

#include "cli/parts.h"

struct hf_release_files {
    struct hf_cli *cli;
    const char *folder;
    const char *stem; /* "<name>-<version>" */
    const char *url_base;
    bool pack; /* compress artifacts to .zst */
    bool fast;
    unsigned threads;
    bool agent;
    bool tree;                        /* output: artifacts are archives */
    struct hf_edgeupdate **published; /* earlier releases, whose deltas are on the server; borrowed */
    size_t n_published;
    unsigned n_olds, nth_old;
    json_t *artifacts;
    json_t *report; /* output: files made, deltas left out */
};

/* `spec` is "ARCH=NEW[,old=OLD...]"; NEW may be a folder; for kind Agent it is a folder or tar. -EINVAL: for example
 * another form, too many old files, files mixed with folders, or NEW has no agent. -EBADMSG: NEW is empty. */
HF_MUST_USE int hf_release_add(struct hf_release_files *files, const char *spec, struct hf_err *err);
