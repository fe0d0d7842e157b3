/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/checkpoint.h - records on disk how much of a new file a delta has made, so that a process can resume
 * after a kill or a power cut.
 *
 * The checkpoints are in a small file, `.holdfast-<release>.point` in the folder of the target. The file has three
 * slots, each for one sealed record (codec/seal.h):
 *   two slots, written in turn  valid after a power cut: the new file is synced up to the recorded offset before each
 *                               write of a slot, and the slot is synced after the write. One run of the delta makes
 *                               at most 16 such writes, for a file of any size, and one more if the caller cancels
 *                               the run. A torn write of one slot leaves the other slot intact.
 *   one slot                    valid after a kill, until the machine reboots (the record holds the kernel's boot id):
 *                               overwritten at each checkpoint that is not written to the synced slots; never synced,
 *                               so that it forces no write to flash storage
 *
 * A wrong checkpoint does no harm: patch.c compares the hash of the complete file with the signed hash. If the hashes
 * differ, patch.c makes the file again from its start. If a checkpoint is lost, patch.c repeats the work since the
 * previous checkpoint.
 *
 * Threads: any, but one at a time for one keeper; all functions except _format and _parse block. Memory: a keeper
 * borrows `dir`, and owns the descriptor `fd`. */
#pragma once

#include "base/buf.h"
#include "delta/delta.h"
#include "steps/target.h"

/* Minimum size in bytes of a new file that gets checkpoints. Smaller files are made again from the start, which is
 * quick. */
#define HF_CHECKPOINT_MIN_BYTES (UINT64_C(16) << 20)

struct hf_checkpoint_keeper {
    const struct hf_target_dir *dir; /* borrowed */
    int fd;                          /* descriptor of the checkpoint file; negative if this delta gets no checkpoints */
    char key[2 * HF_SHA256_HEX];     /* hash of the delta, "-", and hash of the new file */
    char boot[40];                   /* the kernel's boot id; "" if unknown */
    uint64_t every;                  /* minimum number of bytes between two synced checkpoints */
    uint64_t synced;                 /* offset of the last synced checkpoint */
    unsigned turn;                   /* number of the synced slot to write next */
    /* latest checkpoint, synced or not; its new_offset is 0 if there is no checkpoint */
    struct hf_delta_checkpoint last;
};
#define HF_CHECKPOINT_KEEPER_INIT                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* Starts to keep checkpoints of a delta. The hash of the delta is `delta_sha256`; the delta makes a file of `size`
 * bytes with the hash `sha256`. Returns true if an earlier process left a checkpoint, and sets *ret_point to the
 * checkpoint with the highest offset. The caller checks that the new file on disk reaches that offset. Returns false if
 * there is no checkpoint of this delta, or if the file is too small for checkpoints. */
bool hf_checkpoint_open(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256, uint64_t size,
                        struct hf_checkpoint_keeper *keeper, struct hf_delta_checkpoint *ret_point);
/* Returns the highest offset of a checkpoint of this delta on disk, or 0 if there is none. Changes nothing. */
uint64_t hf_checkpoint_peek(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256);
/* Drops all checkpoints, because the new file starts at offset 0 again. */
void hf_checkpoint_restart(struct hf_checkpoint_keeper *keeper);
/* Records a checkpoint. The caller must already have written the new file, open as out_fd, up to
 * checkpoint->new_offset. The function may first sync the new file, and returns an error only if this sync fails. If
 * the checkpoint file cannot be written, the function returns 0, and later calls record nothing. */
HF_MUST_USE int hf_checkpoint_keep(struct hf_checkpoint_keeper *keeper, int out_fd,
                                   const struct hf_delta_checkpoint *checkpoint);
/* Makes the latest checkpoint durable, so that a later process can resume from it after a reboot. */
void hf_checkpoint_settle(struct hf_checkpoint_keeper *keeper, int out_fd);
void hf_checkpoint_done(struct hf_checkpoint_keeper *keeper); /* closes the checkpoint file and does not remove it */

/* Formats keeper->last as a checkpoint record, for a synced slot if `synced` is true. Pure; the text does not depend on
 * the processor architecture. */
HF_MUST_USE int hf_checkpoint_format(const struct hf_checkpoint_keeper *keeper, bool synced, struct hf_buf *out);
/* Parses a checkpoint record. -EBADMSG: the record is damaged, or belongs to another delta or another boot.
 * -EOPNOTSUPP: the record has another format version. */
HF_MUST_USE int hf_checkpoint_parse(struct hf_view text, const struct hf_checkpoint_keeper *keeper,
                                    struct hf_delta_checkpoint *ret_point);
