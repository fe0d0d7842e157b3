/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/patch.h - makes the new file from the download: complete, verified and durable, beside the old file.
 *
 * The hashes of a delta and of its base are verified before any byte of the delta is parsed. With kind Tree the new
 * file is a tar archive, which is then extracted, and the base of a delta is the archive that pack/tar/archive.h
 * computes from the folder in use. In a chain of deltas, each but the last makes an intermediate file, verified
 * likewise, the base of the next one.
 *
 * With method Kept the content is on the disk (update/kept/kept.h) and nothing was downloaded. What turns out wrong is
 * then removed there.
 *
 * A call may be repeated after a crash at any point. A delta that makes 16 MiB or more then resumes from its latest
 * checkpoint (update/install/checkpoint.h): one for each 4 MiB of output, of a deep delta (pack/deep/deep.h) of
 * unpacked output, back at the start of a compressed stream. Worker threads only; blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/state/journal.h"

struct hf_patch_params {
    struct hf_target target;
    /* for update/state/attempt.h and the manifest; NULL: write neither */
    const char *folder;
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *other;        /* method Kept: path of another release's installed file with this hash, or "" */
    const char *delta_sha256; /* method Delta */
    uint64_t delta_size;
    /* method Delta: hash of the intermediate file that is the base; NULL: the base is the installed file or tree */
    const char *step_sha256;
    /* this call makes an intermediate file, of which sha256 and size are */
    bool to_step;
    /* Of the download, compared before it is unpacked, if the server sends the new file packed (.zst, .xz); else NULL
     * and 0. */
    const char *packed_sha256;
    uint64_t packed_size;
    /* The download may be unpacked though packed_sha256 is NULL: only to repair a release made before releases stated
     * it. */
    bool unpacks_unstated;
    bool had_old;
    const char *old_sha256; /* of the old file, for kind File with had_old */
    const char *old_link;   /* text of the old link, for kind Tree with had_old */
    const char *sha256;     /* of the file to make */
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* -EBADMSG with DeltaDamaged or DeltaUnfit: use another delta or the whole file. -ESTALE: the old file has changed
 * since the inspection. After every failure but -ECANCELED the unfinished file and its checkpoints are gone; the
 * download only if it is wrong or of no use on this node (DeltaUnfit). */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
