/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/patch.h - makes the new file from the download. After success, the new file is complete, verified and
 * durable in the folder of the target, beside the old file.
 *
 * If the download is a delta, hf_patch_run() verifies the hashes of the delta and of the base before it parses any byte
 * of the delta. If the download is the whole file, hf_patch_run() renames it, or unpacks it if it is a .zst or .xz
 * file. If hf_patch_run() applies a delta or unpacks a file, it preallocates the new file, and writes it once from
 * start to end. It syncs every new file, reads it back, and compares size and SHA-256. With kind Tree the new file is a
 * tar archive, which hf_patch_run() extracts after this comparison. The base of a delta is then also an archive:
 * pack/tar/archive.h computes it from the files of the folder in use. In a chain of deltas, each delta except the last
 * makes an intermediate file. hf_patch_run() verifies the intermediate file like a new file. The intermediate file
 * replaces the previous one, and is the base of the next delta.
 *
 * If a crash ends a call at any point, a later process may repeat the call. A delta that makes a file of 16 MiB or more
 * then resumes from its latest checkpoint (update/install/checkpoint.h). There is a checkpoint after every 4 MiB of
 * output. For a deep delta (pack/deep/deep.h), these are 4 MiB of unpacked output. If they end within a compressed
 * stream of the new file, the checkpoint is at the start of this stream. Threads: worker threads only; blocks. Memory:
 * the parameters are borrowed. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/state/journal.h"

struct hf_patch_params {
    struct hf_target target;
    /* folder for the record of an attempt with a delta (update/state/attempt.h) and for the manifest
     * (update/install/manifest.h); NULL to write neither */
    const char *folder;
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *delta_sha256; /* hash of the delta, for method Delta */
    uint64_t delta_size;
    /* for method Delta: hash of the intermediate file that is the base; NULL if the base is the installed file or
     * tree */
    const char *step_sha256;
    /* true if this call makes an intermediate file; sha256 and size are then those of the intermediate file */
    bool to_step;
    /* Hash and size of the download if the server sends the new file packed (.zst, .xz); otherwise NULL and 0.
     * hf_patch_run() compares both with the download before it unpacks the download. */
    const char *packed_sha256;
    uint64_t packed_size;
    /* If true, the download may be unpacked even if packed_sha256 is NULL. Set this only to repair a release that was
     * made before releases stated the hash of a packed download. */
    bool unpacks_unstated;
    bool had_old;
    const char *old_sha256; /* hash of the old file, for kind File if had_old is true */
    const char *old_link;   /* text of the old link, for kind Tree if had_old is true */
    const char *sha256;     /* hash of the file to make */
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* Makes the new file. -EBADMSG with the reason DeltaDamaged or DeltaUnfit: the delta is unusable; use another delta or
 * the whole file. -ESTALE: the old file has changed since the inspection. After every failure except -ECANCELED, the
 * function removes the unfinished new file and its checkpoints. It removes the download only if the download is wrong
 * or, for a delta, of no use on this node (DeltaUnfit). */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
