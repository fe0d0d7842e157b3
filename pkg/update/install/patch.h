/* update/install/patch.h - makes the new file from the download: complete, verified, durable, beside the target.
 *
 * Delta: verifies the hashes of the delta and of the base before it parses the first byte.
 * Whole file: renames the download, or unpacks it (.zst, .xz). In both cases it preallocates the new file, writes it
 * once in order, syncs it, and reads it back for its size and SHA-256. Kind Tree: it then extracts the verified
 * archive; the base of a delta is the archive of the folder in use, read in place (pack/tar/archive.h). In a chain of
 * deltas the file that each but the last one makes becomes, verified, the base of the next one and replaces the base
 * before.
 *
 * A call may end anywhere and run again. A delta that makes 16 MiB or more resumes from its last checkpoint
 * (update/install/checkpoint.h): every 4 MiB, or, where it looks inside compressed files, where none of their streams
 * is open. Threads: worker threads only; blocks. Memory: parameters borrow. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "update/install/target.h"

struct hf_patch_params {
    struct hf_target target;
    const char *folder; /* where to record an attempt with a delta (update/state/attempt.h); NULL: do not record it */
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *delta_sha256; /* method Delta */
    uint64_t delta_size;
    const char
        *step_sha256; /* method Delta: the base is the intermediate file of this hash; NULL: the installed file */
    bool to_step;     /* this call makes an intermediate file: sha256 and size describe that one */
    bool had_old;
    const char *old_sha256; /* kind File with had_old */
    const char *old_link;   /* kind Tree with had_old: the text of the link */
    const char *sha256;     /* hash of the new file */
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* Makes the new file. -EBADMSG with DeltaDamaged or DeltaUnfit: try the whole file. -ESTALE: the old file has
 * changed. After a failure (except -ECANCELED) it removes the unfinished new file; the download stays unless it
 * proved to be wrong. */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
