/* cli/release/release_plan.h - the files of a release: whole artifacts and the deltas that are worth having.
 *
 * Everything is made in a folder that gets its name at the end. Each delta is applied and compared before it is listed. */
#pragma once

#include "cli/parts.h"

struct hf_release_files {
    struct hf_cli *cli;
    const char *folder;   /* where files are made */
    const char *stem;     /* "<name>-<version>" */
    const char *url_base; /* with no slash at its end */
    bool pack;            /* whole artifacts as .zst */
    bool fast;            /* profile of the deltas */
    unsigned threads;
    bool tree;                        /* out: the artifacts are folders, as archives */
    struct hf_edgeupdate **published; /* earlier releases whose deltas are still served; borrowed */
    size_t n_published;
    unsigned n_olds, nth_old; /* of all artifacts together, and which of them a delta is made from: for progress */
    json_t *artifacts;        /* spec.release.artifacts, built here */
    json_t *report;           /* what was made and what was left out, for people and --json */
};

/* One "ARCH=NEW[,old=OLD...]" (NEW a file, or a folder for kind Tree): makes its files, appends to artifacts and report. -EINVAL: not of that form. */
HF_MUST_USE int hf_release_add(struct hf_release_files *files, const char *spec, struct hf_err *err);
