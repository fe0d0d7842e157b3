/* update/install/checkpoint.h - how far a delta has been applied, so that a process that was killed, or a machine that lost its power, goes on from
 * there.
 *
 * One small file beside the new one, `.holdfast-<release>.point`, with three places for a sealed record (codec/seal.h):
 *   two, used in turn   written and synced after the new file was synced up to there, at most 16 times for a file of any size: they
 *                       hold after a power cut, and one that is torn leaves the other
 *   one                 overwritten at every resume point (4 MiB of output), never synced: holds while the machine has not been
 *                       started anew since (the kernel's boot id says so), and costs the card nothing
 * A point is a hint, never believed for more: what is made with one is read back and held against its signed hash as ever, and made
 * again from the start when it is not right. So losing one, or not being able to write one, costs time only.
 *
 * Blocks. Threads: any, one at a time. */
#pragma once

#include "delta/delta.h"
#include "update/install/target.h"

/* Smaller files are made again from the start: quicker than finding out. */
#define HF_CHECKPOINT_MIN_BYTES (UINT64_C(16) << 20)

struct hf_checkpoint_keeper {
    const struct hf_target_dir *dir; /* borrowed */
    int fd;                          /* -1: none are kept */
    char key[2 * HF_SHA256_HEX];
    char boot[40];
    uint64_t every;                  /* bytes between two that are synced */
    uint64_t synced;                 /* offset of the last that was */
    unsigned turn;                   /* of the two places */
    struct hf_delta_checkpoint last; /* kept, synced or not; new_offset 0: none */
};
#define HF_CHECKPOINT_KEEPER_INIT                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* Begin with points of the delta `delta_sha256` that makes `sha256`, `size` bytes. True: *ret_point is the best that is left from
 * earlier; the new file has to be there up to its offset. False: there is none. */
bool hf_checkpoint_open(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256, uint64_t size,
                        struct hf_checkpoint_keeper *keeper, struct hf_delta_checkpoint *ret_point);
/* Only look: the offset of the best point, 0 when there is none. */
uint64_t hf_checkpoint_peek(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256);
/* Nothing was made yet: forget what was kept. */
void hf_checkpoint_restart(struct hf_checkpoint_keeper *keeper);
/* The new file, open as out_fd, is written up to the checkpoint. An error is that of syncing it. */
HF_MUST_USE int hf_checkpoint_keep(struct hf_checkpoint_keeper *keeper, int out_fd,
                                   const struct hf_delta_checkpoint *checkpoint);
/* It is to be gone on with in another life: what was kept holds after a reboot, too. */
void hf_checkpoint_settle(struct hf_checkpoint_keeper *keeper, int out_fd);
void hf_checkpoint_done(struct hf_checkpoint_keeper *keeper); /* closes */

/* Pure halves. Host byte order does not show. */
HF_MUST_USE int hf_checkpoint_format(const struct hf_checkpoint_keeper *keeper, bool synced, struct hf_buf *out);
/* -EBADMSG: damaged, of another delta, or of another boot. */
HF_MUST_USE int hf_checkpoint_parse(struct hf_view text, const struct hf_checkpoint_keeper *keeper,
                                    struct hf_delta_checkpoint *ret_point);
