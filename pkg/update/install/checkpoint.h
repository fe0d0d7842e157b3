/* update/install/checkpoint.h - the progress of a delta on disk, from which a process resumes after a kill or a
 * power cut.
 *
 * One small file beside the new one, `.holdfast-<release>.point`, with three slots for a sealed record
 * (codec/seal.h):
 *   two, in turn   valid after a power cut: each write follows a sync of the new file up to that offset, and is synced
 *                  itself; at most 16 writes for a file of any size. A torn write leaves the other slot intact.
 *   one            valid after a kill, until the machine reboots (the record holds the kernel's boot id): overwritten
 *                  at every checkpoint (4 MiB of output), never synced, so that it causes no card writes of its own
 * A checkpoint is only a hint: patch.c compares the finished file with its signed hash in any case, and makes it
 * again from the start if it differs. A lost checkpoint costs time, nothing else.
 *
 * Threads: any, one at a time; all functions with a file block. Memory: a keeper borrows its folder and owns one
 * descriptor. */
#pragma once

#include "delta/delta.h"
#include "update/install/target.h"

/* Smaller files get no checkpoints: making them again is faster. */
#define HF_CHECKPOINT_MIN_BYTES (UINT64_C(16) << 20)

struct hf_checkpoint_keeper {
    const struct hf_target_dir *dir; /* borrowed */
    int fd;                          /* -1: no checkpoints */
    char key[2 * HF_SHA256_HEX];
    char boot[40];
    uint64_t every;                  /* bytes between two synced checkpoints */
    uint64_t synced;                 /* offset of the last synced one */
    unsigned turn;                   /* number of the synced slot to write next */
    struct hf_delta_checkpoint last; /* last checkpoint, synced or not; new_offset 0: none */
};
#define HF_CHECKPOINT_KEEPER_INIT                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* Starts to keep checkpoints of the delta `delta_sha256`, which makes the file `sha256` of `size` bytes. True:
 * *ret_point is the best checkpoint of an earlier process; the caller checks that the new file reaches its offset.
 * False: there is none. */
bool hf_checkpoint_open(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256, uint64_t size,
                        struct hf_checkpoint_keeper *keeper, struct hf_delta_checkpoint *ret_point);
/* Returns the offset of the best checkpoint on disk; 0: none. Changes nothing. */
uint64_t hf_checkpoint_peek(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256);
/* Drops all checkpoints: the file starts at offset 0 again. */
void hf_checkpoint_restart(struct hf_checkpoint_keeper *keeper);
/* Records that the new file, open as out_fd, is written up to the checkpoint. Returns the error of syncing that
 * file. */
HF_MUST_USE int hf_checkpoint_keep(struct hf_checkpoint_keeper *keeper, int out_fd,
                                   const struct hf_delta_checkpoint *checkpoint);
/* Syncs the last checkpoint, so that a later process can resume after a reboot. */
void hf_checkpoint_settle(struct hf_checkpoint_keeper *keeper, int out_fd);
void hf_checkpoint_done(struct hf_checkpoint_keeper *keeper); /* closes the file, which stays */

/* Formats a record. Pure; the text is the same on every architecture. */
HF_MUST_USE int hf_checkpoint_format(const struct hf_checkpoint_keeper *keeper, bool synced, struct hf_buf *out);
/* Parses a record. -EBADMSG: damaged, of another delta, or of another boot. */
HF_MUST_USE int hf_checkpoint_parse(struct hf_view text, const struct hf_checkpoint_keeper *keeper,
                                    struct hf_delta_checkpoint *ret_point);
