/* SPDX-License-Identifier: Apache-2.0 */
/* Records how much of a new file a delta has made, to resume after a kill or power cut. A wrong record does no harm,
 * since the signed hash decides. Threads: any; blocks. */
#pragma once

#include "base/buf.h"
#include "delta/delta.h"
#include "steps/target.h"

struct hf_checkpoint_keeper {
    const struct hf_target_dir *dir;
    int fd;                      /* the checkpoint file, owned; < 0: no checkpoints */
    char key[2 * HF_SHA256_HEX]; /* <SHA-256 of the delta>-<SHA-256 of the new file> */
    char boot[40];
    uint64_t every; /* bytes after which hf_checkpoint_keep() syncs */
    uint64_t synced;
    unsigned turn;
    /* new_offset 0: no checkpoint yet */
    struct hf_delta_checkpoint last;
};
#define HF_CHECKPOINT_KEEPER_INIT                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* Opens the checkpoints of a delta that makes `size` bytes with hash `sha256`; below 16 MiB there are none. Returns
 * whether an earlier attempt left a checkpoint, the furthest in *ret_point; the caller checks that the new file reaches
 * it. */
bool hf_checkpoint_open(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256, uint64_t size,
                        struct hf_checkpoint_keeper *keeper, struct hf_delta_checkpoint *ret_point);
/* Returns the furthest offset on disk, or 0. */
uint64_t hf_checkpoint_peek(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256);
void hf_checkpoint_restart(struct hf_checkpoint_keeper *keeper);
/* Records that out_fd is written up to checkpoint->new_offset, and syncs both if due. Fails only if syncing out_fd
 * fails; after a failed write of the checkpoint file nothing more is recorded. */
HF_MUST_USE int hf_checkpoint_keep(struct hf_checkpoint_keeper *keeper, int out_fd,
                                   const struct hf_delta_checkpoint *checkpoint);
/* Syncs the latest checkpoint and what it stands for. */
void hf_checkpoint_settle(struct hf_checkpoint_keeper *keeper, int out_fd);
void hf_checkpoint_done(struct hf_checkpoint_keeper *keeper);
