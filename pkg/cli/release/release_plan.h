/* cli/release/release_plan.h - make the files of a release: whole artifacts, and the deltas that pay.
 *
 * Makes them in a temporary folder, which the caller renames at the end. Applies each delta and compares the result
 * before it lists the delta. Main thread only; blocks. */
#pragma once

#include "cli/parts.h"

struct hf_release_files {
    struct hf_cli *cli;
    const char *folder;   /* the temporary folder */
    const char *stem;     /* "<name>-<version>" */
    const char *url_base; /* without a slash at the end */
    bool pack;            /* compress whole artifacts to .zst */
    bool fast;            /* profile of the deltas */
    unsigned threads;
    bool tree;                        /* output: the artifacts are archives of folders */
    struct hf_edgeupdate **published; /* earlier releases whose deltas are still on the server; borrowed */
    size_t n_published;
    unsigned n_olds, nth_old; /* progress: number of old files of all artifacts, and the current one */
    json_t *artifacts;        /* output: spec.release.artifacts */
    json_t *report;           /* output: files made and left out, for the summary and --json */
};

/* Makes the files of one "ARCH=NEW[,old=OLD...]" (NEW: a file, or a folder for kind Tree) and appends to artifacts
 * and report. -EINVAL: not of that form. */
HF_MUST_USE int hf_release_add(struct hf_release_files *files, const char *spec, struct hf_err *err);
