/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the new file from the download: complete, verified and durable, beside the old one.
 *
 * Hashes of delta and base are verified before a byte of the delta is parsed. Of kind Tree it is a tar archive,
 * extracted then; the base is the archive that pack/tar/archive.h computes from the folder in use. In a chain each
 * delta but the last makes an intermediate file, verified likewise, the base of the next. With method Kept nothing is
 * downloaded (kept/kept.h), and what turns out wrong is removed there.
 *
 * May be repeated after a crash at any point. A delta that makes 16 MiB or more resumes from its checkpoint
 * (install/checkpoint.h): one per 4 MiB of output, of a deep delta (pack/deep/deep.h) of unpacked output, at the start
 * of a compressed stream. Workers only; blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/state/journal.h"

struct hf_patch_params {
    struct hf_target target;
    /* for state/attempt.h and the manifest; NULL: neither */
    const char *folder;
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *other;        /* Kept: installed file of another release with this hash, or "" */
    const char *delta_sha256; /* Delta */
    uint64_t delta_size;
    /* Delta: intermediate file that is the base; NULL: what is installed */
    const char *step_sha256;
    /* makes an intermediate file, of sha256 and size */
    bool to_step;
    /* SHA-256 and size of a packed download (.zst, .xz), compared before it is unpacked; else NULL and 0. */
    const char *packed_sha256;
    uint64_t packed_size;
    /* A download may be unpacked without packed_sha256: only to repair a release made before releases stated it. */
    bool unpacks_unstated;
    bool had_old;
    const char *old_sha256; /* kind File with had_old */
    const char *old_link;   /* text of the link; kind Tree with had_old */
    const char *sha256;     /* to make */
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* -EBADMSG with DeltaDamaged or DeltaUnfit: another delta or the whole file. -ESTALE: the old file has changed since
 * the inspection. After a failure, but for -ECANCELED, the unfinished file and its checkpoints are gone; the download
 * only if wrong or of no use here (DeltaUnfit). */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
