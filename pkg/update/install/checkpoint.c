/* SPDX-License-Identifier: Apache-2.0 */
/* The file `.holdfast-<release>.point` beside the target has three slots, each for one sealed record (codec/seal.h):
 *
 *  two slots, written in turn  valid after a power cut: the new file is synced up to the recorded offset before the
 *                              write, and the slot after it. At most 16 writes in one run, and one more if it is
 *                              cancelled. A torn slot leaves the other one intact.
 *  one slot                    valid after a kill, until a reboot (it has the boot id): overwritten at every other
 *                              checkpoint, and never synced, to spare flash storage */
#include "update/install/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/parse.h"
#include "codec/seal.h"
#include "os/file.h"

/* Smaller ones are quickly made again. */
#define HF_CHECKPOINT_MIN_BYTES (UINT64_C(16) << 20)

enum {
    FORMAT = 1,
    SLOTS = 3,
    UNSYNCED_SLOT = 2, /* never synced */
    STRIDE = 4096,     /* bytes between slots: one page each, so that a torn write damages one slot */
    TEXT_MAX = 1024,   /* size of one slot */
    SYNCED_POINTS = 16 /* for one file, at most */
};
static const uint64_t block_bytes = UINT64_C(4) << 20;

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* keeper->last, for a synced slot if `synced`. Pure; the same on all architectures. */
static int format_text(const struct hf_checkpoint_keeper *keeper, bool synced, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(TEXT_MAX);
    const struct hf_delta_checkpoint *last = &keeper->last;
    char hash[2 * HF_SHA256_STATE + 1];
    int r = hf_buf_addf(&body, "key %s\nnew %" PRIu64 "\npatch %" PRIu64 "\nboot %s\nhash %s\n", keeper->key,
                        last->new_offset, last->patch_offset, synced ? "" : keeper->boot,
                        hf_hex_encode(last->new_hash, sizeof(last->new_hash), hash));

    return r == 0 ? hf_seal_format("point", FORMAT, hf_buf_view(&body), out) : r;
}

/* -EBADMSG: damaged, or another delta or boot. -EOPNOTSUPP: another version. */
static int parse_text(struct hf_view text, const struct hf_checkpoint_keeper *keeper,
                      struct hf_delta_checkpoint *ret_point)
{
    char key[sizeof(keeper->key)], new_text[24], patch_text[24], boot[sizeof(keeper->boot)],
        hash[2 * HF_SHA256_STATE + 1];
    struct hf_delta_checkpoint point;
    struct hf_view body;
    int r = hf_seal_open(text, "point", FORMAT, &body, NULL);

    if (r < 0)
        return r;
    bool whole = hf_seal_take(&body, "key", key, sizeof(key)) &&
                 hf_seal_take(&body, "new", new_text, sizeof(new_text)) &&
                 hf_seal_take(&body, "patch", patch_text, sizeof(patch_text)) &&
                 hf_seal_take(&body, "boot", boot, sizeof(boot)) && hf_seal_take(&body, "hash", hash, sizeof(hash)) &&
                 body.n == 0 && hf_parse_u64(new_text, 1, INT64_MAX, &point.new_offset) == 0 &&
                 hf_parse_u64(patch_text, 0, INT64_MAX, &point.patch_offset) == 0 &&
                 hf_hex_decode(hash, point.new_hash, sizeof(point.new_hash)) == 0;
    if (!whole || strcmp(key, keeper->key) != 0 || (boot[0] != '\0' && strcmp(boot, keeper->boot) != 0))
        return -EBADMSG;
    *ret_point = point;
    return 0;
}

/* ---- file -------------------------------------------------------------------------------------------------------- */

static bool load_slot(struct hf_checkpoint_keeper *keeper, unsigned slot, struct hf_delta_checkpoint *ret_point)
{
    const struct hf_fs_ops *fs = keeper->dir->fs;
    char text[TEXT_MAX];
    ssize_t n = fs->pread(fs->ctx, keeper->fd, text, sizeof(text), (uint64_t)slot * STRIDE);

    return n > 0 && parse_text((struct hf_view){text, strnlen(text, (size_t)n)}, keeper, ret_point) == 0;
}

/* Loads the furthest checkpoint of all slots. */
static bool load(struct hf_checkpoint_keeper *keeper, struct hf_delta_checkpoint *ret_point)
{
    struct hf_delta_checkpoint best = {.new_offset = 0}, point;

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (!load_slot(keeper, slot, &point))
            continue;
        if (slot != UNSYNCED_SLOT && point.new_offset > keeper->synced) {
            keeper->synced = point.new_offset;
            keeper->turn = 1 - slot;
        }
        if (point.new_offset > best.new_offset)
            best = point;
    }
    if (best.new_offset == 0)
        return false;
    *ret_point = keeper->last = best;
    return true;
}

bool hf_checkpoint_open(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256, uint64_t size,
                        struct hf_checkpoint_keeper *keeper, struct hf_delta_checkpoint *ret_point)
{
    char name[NAME_MAX + 1];
    struct hf_failure ignored;

    *keeper = (struct hf_checkpoint_keeper){.dir = dir, .fd = -1, .every = HF_MAX(block_bytes, size / SYNCED_POINTS)};
    if (size < HF_CHECKPOINT_MIN_BYTES)
        return false;
    (void)snprintf(keeper->key, sizeof(keeper->key), "%s-%s", delta_sha256, sha256);
    hf_file_boot_id(dir->fs, keeper->boot);
    (void)hf_target_file_name(dir->release, HF_TARGET_CHECKPOINT, name);
    keeper->fd = hf_target_take_file(dir, name, dir->uid, &ignored);
    if (keeper->fd == -ENOENT)
        keeper->fd = hf_target_make_file(dir, name, &ignored);
    return keeper->fd >= 0 && load(keeper, ret_point);
}

uint64_t hf_checkpoint_peek(const struct hf_target_dir *dir, const char *delta_sha256, const char *sha256)
{
    struct hf_checkpoint_keeper keeper = {.dir = dir, .fd = -1};
    struct hf_delta_checkpoint best = {.new_offset = 0};
    char name[NAME_MAX + 1];
    struct hf_failure ignored;

    (void)snprintf(keeper.key, sizeof(keeper.key), "%s-%s", delta_sha256, sha256);
    hf_file_boot_id(dir->fs, keeper.boot);
    keeper.fd =
        hf_target_open_file(dir, hf_target_file_name(dir->release, HF_TARGET_CHECKPOINT, name), O_RDONLY, &ignored);
    if (keeper.fd < 0)
        return 0;
    bool found = load(&keeper, &best);
    hf_checkpoint_done(&keeper);
    return found ? best.new_offset : 0;
}

void hf_checkpoint_restart(struct hf_checkpoint_keeper *keeper)
{
    keeper->synced = 0;
    keeper->turn = 0;
    keeper->last = (struct hf_delta_checkpoint){.new_offset = 0};
    if (keeper->fd >= 0)
        (void)keeper->dir->fs->ftruncate(keeper->dir->fs->ctx, keeper->fd, 0);
}

/* A failed write must not fail the update: it only ends the checkpoints. */
static int write_slot(struct hf_checkpoint_keeper *keeper, unsigned slot)
{
    const struct hf_fs_ops *fs = keeper->dir->fs;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(TEXT_MAX);
    struct hf_failure ignored;
    int r = format_text(keeper, slot != UNSYNCED_SLOT, &text);

    if (r == 0)
        r = hf_buf_add(&text, "", 1); /* the text before may have been longer */
    if (r == 0)
        r = hf_target_write(fs, keeper->fd, text.p, text.n, (uint64_t)slot * STRIDE, &ignored);
    if (r == 0 && slot != UNSYNCED_SLOT)
        r = fs->fdatasync(fs->ctx, keeper->fd);
    if (r < 0)
        hf_checkpoint_done(keeper);
    return r;
}

static int sync_point(struct hf_checkpoint_keeper *keeper, int out_fd)
{
    const struct hf_fs_ops *fs = keeper->dir->fs;
    struct hf_failure ignored;
    bool first = keeper->synced == 0;
    int r = fs->fdatasync(fs->ctx, out_fd);

    if (r < 0)
        return r;
    keeper->synced = keeper->last.new_offset;
    if (write_slot(keeper, keeper->turn) == 0 && first && hf_target_sync(keeper->dir, &ignored) < 0)
        hf_checkpoint_done(keeper);
    keeper->turn = 1 - keeper->turn;
    return 0;
}

int hf_checkpoint_keep(struct hf_checkpoint_keeper *keeper, int out_fd, const struct hf_delta_checkpoint *checkpoint)
{
    if (keeper->fd < 0)
        return 0;
    keeper->last = *checkpoint;
    if (checkpoint->new_offset - keeper->synced >= keeper->every)
        return sync_point(keeper, out_fd);
    if (keeper->boot[0] != '\0')
        (void)write_slot(keeper, UNSYNCED_SLOT);
    return 0;
}

void hf_checkpoint_settle(struct hf_checkpoint_keeper *keeper, int out_fd)
{
    if (keeper->fd >= 0 && keeper->last.new_offset > keeper->synced)
        (void)sync_point(keeper, out_fd);
}

void hf_checkpoint_done(struct hf_checkpoint_keeper *keeper)
{
    if (keeper->fd >= 0)
        (void)keeper->dir->fs->close(keeper->dir->fs->ctx, keeper->fd);
    keeper->fd = -1;
}
