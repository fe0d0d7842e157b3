/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a new file a delta has made, to resume after a kill or power cut. A wrong record does no harm: the
 * complete file is compared with the signed hash. Threads: any; all but _format and _parse block. */
#pragma once

#include "base/buf.h"
#include "delta/delta.h"
#include "steps/target.h"

struct hf_checkpoint_keeper {
    const struct hf_target_dir *dir;
    int fd;                      /* of the checkpoint file; owned; < 0: no checkpoints */
    char key[2 * HF_SHA256_HEX]; /* hash of delta, "-", hash of new file */
    char boot[40];               /* kernel's */
    uint64_t every;              /* least bytes between synced ones */
    uint64_t synced;             /* offset of the last synced one */
    unsigned turn;               /* slot of the next synced one */
    /* new_offset 0: none */
    struct hf_delta_checkpoint last;
};
#define HF_CHECKPOINT_KEEPER_INIT                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* For a delta that makes `size` bytes with `sha256`. True: *ret_point is the highest that an earlier process left; the
 * caller checks that the new file reaches it. False: none, or too small a file. */
bool hf_checkpoint_open(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256, uint64_t size,
                        struct hf_checkpoint_keeper *keeper, struct hf_delta_checkpoint *ret_point);
/* Highest offset on disk, or 0. */
uint64_t hf_checkpoint_peek(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256);
/* Forgets checkpoints: the new file begins anew. */
void hf_checkpoint_restart(struct hf_checkpoint_keeper *keeper);
/* out_fd is written up to checkpoint->new_offset. Syncs both if due; only the sync of out_fd can fail. After a failed
 * write of the checkpoint file nothing more is recorded. */
HF_MUST_USE int hf_checkpoint_keep(struct hf_checkpoint_keeper *keeper, int out_fd,
                                   const struct hf_delta_checkpoint *checkpoint);
/* Syncs the latest checkpoint. */
void hf_checkpoint_settle(struct hf_checkpoint_keeper *keeper, int out_fd);
void hf_checkpoint_done(struct hf_checkpoint_keeper *keeper); /* leaves the file */
