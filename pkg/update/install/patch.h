/* update/install/patch.h - from what was downloaded to the new file beside the target: whole, checked, durable.
 *
 * Delta: the patch's own hash is checked before its first byte is parsed, the old file's before it is used. Whole file: taken
 * as it is, or unpacked when it is .zst or .xz. In both cases the new file is preallocated, written once in order, synced, and
 * read back for its size and SHA-256 before anything is told. Kind Tree: the checked archive is then extracted; a delta's old side is the archive of the folder in use, read
 * in place (pack/tar/archive.h). Several deltas, one after the other: what each but the last makes becomes, whole and checked, the file that
 * the next one begins with; the one before it is gone then.
 * Running it again after it was cut anywhere gives the same result. A delta that makes 16 MiB and more goes on from its last resume point
 * (update/install/checkpoint.h): every 4 MiB, or, where it looks inside compressed files, where none of their streams was open. Blocks: worker threads only. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "update/install/target.h"

struct hf_patch_params {
    struct hf_target target;
    const char *folder; /* where an attempt with a delta is written down (update/state/attempt.h); NULL: nowhere */
    enum hf_install_kind kind;
    enum hf_update_method method;
    const char *delta_sha256; /* method Delta */
    uint64_t delta_size;
    const char *
        step_sha256; /* method Delta: it begins with the file between that has this hash; NULL: with what is installed */
    bool to_step;    /* what it makes is a file between: sha256 and size are of that */
    bool had_old;
    const char *old_sha256; /* kind File with an old one */
    const char *old_link;   /* kind Tree with an old one: what the link says */
    const char *sha256;     /* of the new file */
    uint64_t size;
    bool has_mode;
    unsigned mode;
    const atomic_bool *cancel;
};

/* -EBADMSG with DeltaDamaged or DeltaUnfit: try the whole file. -ESTALE: the old file is another one now. On failure the unfinished new file
 * is removed; the download is left, unless it is known to be wrong. */
HF_MUST_USE int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure);
