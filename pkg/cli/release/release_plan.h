/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/release_plan.h - makes the files of a release: the whole artifacts, and the deltas that save enough
 * bytes.
 *
 * hf_release_add() makes the files in a temporary folder, which the caller renames at the end. It applies each delta
 * and compares the result with the new file before adding the delta to `artifacts`. Main thread only; blocks. */
#pragma once

#include "cli/parts.h"

struct hf_release_files {
    struct hf_cli *cli;
    const char *folder;   /* path of the temporary folder */
    const char *stem;     /* start of all file names, "<name>-<version>" */
    const char *url_base; /* start of the artifacts' URLs, without a slash at the end */
    bool pack;            /* true to compress whole artifacts to .zst */
    bool fast;            /* true to make the deltas with the fast profile */
    unsigned threads;
    bool tree;                        /* true if the artifacts are archives of folders; output of hf_release_add() */
    struct hf_edgeupdate **published; /* earlier releases whose deltas are still on the server; borrowed */
    size_t n_published;
    /* for the progress display: total number of old files of all artifacts, and number of the current old file */
    unsigned n_olds, nth_old;
    json_t *artifacts; /* output: spec.release.artifacts */
    json_t *report;    /* output: the files made and the deltas left out, for the summary and --json */
};

/* Makes the files for one artifact and appends them to `artifacts` and `report`. `spec` has the form
 * "ARCH=NEW[,old=OLD...]"; NEW is a file, or a folder for kind Tree. -EINVAL: `spec` has another form or too many old
 * files, or the release would have both files and folders. -EBADMSG: NEW is empty. */
HF_MUST_USE int hf_release_add(struct hf_release_files *files, const char *spec, struct hf_err *err);
