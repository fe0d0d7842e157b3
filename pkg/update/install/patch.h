/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the new file from the download: complete, verified and durable, beside the old one. Method Kept downloads
 * nothing, and removes what is wrong there (kept/kept.h). May be repeated after a crash.
 * Workers only; blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/state/journal.h"

struct hf_patch_params {
    struct hf_target target;
    /* for state/attempt.h and manifest; NULL: neither */
    const char *folder;
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *other;        /* Kept: another release's installed file with this hash, or "" */
    const char *delta_sha256; /* Delta */
    uint64_t delta_size;
    /* Delta: intermediate file as base; NULL: the installed one */
    const char *step_sha256;
    /* makes an intermediate file */
    bool to_step;
    /* Of a packed download (.zst, .xz), compared before it is unpacked; else NULL and 0. */
    const char *packed_sha256;
    uint64_t packed_size;
    /* May unpack without packed_sha256: only to repair a release from before that field. */
    bool unpacks_unstated;
    bool had_old;
    const char *old_sha256; /* kind File with had_old */
    const char *old_link;   /* its text; kind Tree with had_old */
    const char *sha256;     /* to make */
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* -EBADMSG with DeltaDamaged or DeltaUnfit: take another delta or the whole file. -ESTALE: the old file has changed
 * since the inspection. After a failure, except -ECANCELED, unfinished file and checkpoints are gone; the download only
 * if it is wrong or useless here (DeltaUnfit). */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
