/* update/install/patch.h - makes the new file from the download. The new file is then complete, verified and durable,
 * in the folder of the target.
 *
 * Delta: verifies the hashes of the delta and of the base before parsing the first byte. Whole file: renames the
 * download, or unpacks a .zst or .xz file. For a delta as for an unpacked file, preallocates the new file, writes the
 * content once in order, syncs, and reads the file back to compare size and SHA-256. Kind Tree: then extracts the
 * verified archive. The base of a delta is then the archive of the folder in use, which pack/tar/archive.h reads in
 * place. Chain of deltas: each delta except the last makes an intermediate file. This file is verified, becomes the
 * base of the next delta, and replaces the previous intermediate file.
 *
 * A crash may end a call at any point; the call may then run again. A delta that makes 16 MiB or more resumes from its
 * last checkpoint (update/install/checkpoint.h). There is a checkpoint every 4 MiB; inside a compressed stream that the
 * delta unpacks, the next checkpoint waits for the end of the stream. Threads: worker threads only; blocks. Memory: the
 * parameters are borrowed. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "update/install/target.h"

struct hf_patch_params {
    struct hf_target target;
    /* where to record an attempt with a delta (update/state/attempt.h) and the manifest; NULL for no records */
    const char *folder;
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *delta_sha256; /* method Delta */
    uint64_t delta_size;
    /* method Delta: hash of the intermediate file that is the base; NULL if the base is the installed file */
    const char *step_sha256;
    bool to_step; /* this call makes an intermediate file, which sha256 and size describe */
    bool had_old;
    const char *old_sha256; /* kind File with had_old */
    const char *old_link;   /* kind Tree with had_old: the text of the link */
    const char *sha256;     /* hash of the new file */
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* Makes the new file. -EBADMSG with DeltaDamaged or DeltaUnfit: the delta is unusable; use another delta or the whole
 * file. -ESTALE: the old file has changed. After every failure except -ECANCELED, removes the unfinished new file.
 * Removes the download only if its content is wrong. */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
