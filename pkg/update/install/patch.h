/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the new file, or extracts the new tree, from the download: complete, verified and durable, beside the old one.
 * Method Kept takes the content from kept/kept.h. May be repeated after a crash. Workers only; blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/state/journal.h"

struct hf_patch_params {
    struct hf_target target;
    /* <state>/updates/<release>; NULL: records neither the attempt nor a manifest */
    const char *folder;
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *other; /* method Kept: another release's installed file with this hash, or "" */
    const char *delta_sha256;
    uint64_t delta_size;
    /* method Delta: intermediate file that is the base; NULL: the base is what is installed */
    const char *step_sha256;
    /* the result is an intermediate file */
    bool to_step;
    /* Hash of the whole file's download, compared before use. If it is not `sha256`, the download is packed (.zst,
     * .xz). NULL: not stated. */
    const char *packed_sha256;
    uint64_t packed_size;
    /* may unpack without packed_sha256, to repair a release from before that field */
    bool unpacks_unstated;
    bool had_old;
    const char *old_sha256; /* valid for kind File with had_old */
    const char *old_link;   /* text of the old link, for kind Tree with had_old */
    const char *sha256;
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* -EBADMSG with DeltaDamaged or DeltaUnfit: take another delta or the whole file. -ESTALE: e.g. the old file has
 * changed since the inspection. Most failures except -ECANCELED remove the unfinished file, its checkpoints, and a
 * download that is wrong or of no use here (DeltaUnfit). */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
