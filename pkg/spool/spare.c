/* SPDX-License-Identifier: Apache-2.0 */
/* The spare segment: a file of the final size, allocated and filled with zeros, so that later writes change no
 * metadata.
 *
 * Writing the zeros takes long on slow media, so a job does it beside the writer (begin, make, end), under a name of
 * its own. If the store needs a segment before a spare is ready, it takes a file that is allocated only, and writes the
 * zeros in small steps ahead of the records. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>

#include "os/disk.h"
#include "spool/store_impl.h"

/* Bytes between syncs: an append that comes meanwhile waits for one step at most. */
enum { SYNC_STEP = 512 * 1024 };

static int reserve(const struct hf_fs_ops *fs, int fd, uint64_t bytes, const char *dir, struct hf_err *err)
{
    int r = fs->fallocate(fs->ctx, fd, 0, bytes);

    if (r == -EOPNOTSUPP)
        r = fs->ftruncate(fs->ctx, fd, bytes); /* writing then allocates, later */
    return r < 0 ? hf_err_sys(err, r, "allocate %" PRIu64 " bytes in '%s'", bytes, dir) : 0;
}

static int fill(const struct hf_spool_spare *spare, int fd, struct hf_err *err)
{
    int r = reserve(spare->fs, fd, spare->bytes, spare->dir, err);

    for (uint64_t at = 0; r == 0 && at < spare->bytes; at += SYNC_STEP) {
        r = hf_spool_zero(spare->fs, fd, at, HF_MIN(at + SYNC_STEP, spare->bytes), spare->dir, err);
        if (r == 0 && (r = spare->fs->fdatasync(spare->fs->ctx, fd)) < 0)
            (void)hf_err_sys(err, r, "sync the spare segment of '%s'", spare->dir);
    }
    return r;
}

int hf_spool_spare_make(const struct hf_spool_spare *spare, struct hf_err *err)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/coming.seg", spare->dir);
    int fd =
        spare->fs->openat(spare->fs->ctx, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600, HF_FS_ANY);
    if (fd < 0)
        return hf_err_sys(err, fd, "make '%s'", path);
    int r = fill(spare, fd, err);
    (void)spare->fs->close(spare->fs->ctx, fd);
    if (r < 0)
        (void)spare->fs->unlinkat(spare->fs->ctx, AT_FDCWD, path, 0);
    return r;
}

/* While the reader keeps up, a delivered segment becomes the spare before the store needs one, at no cost. */
static bool is_early(struct hf_spool_store *store)
{
    const struct segment *open = store->open_fd >= 0 ? last_segment(store) : NULL;

    return open != NULL && store->n <= HF_SPOOL_PAST + 2 && open->end < open->size / 4 * 3;
}

bool hf_spool_disk_has_room(const struct hf_spool_store *store)
{
    struct hf_disk disk;

    return store->reserve_bytes == 0 || hf_disk_read_fd(store->fs, store->dir_fd, &disk) < 0 ||
           hf_disk_has_room(&disk, store->segment_bytes, store->reserve_bytes);
}

bool hf_spool_store_spare_begin(struct hf_spool_store *store, struct hf_spool_spare *ret_spare)
{
    if (store->spare.ready || store->spare.coming || is_early(store) ||
        hf_spool_bytes_used(store) + store->segment_bytes > store->max_bytes || !hf_spool_disk_has_room(store))
        return false;
    store->spare.coming = true;
    *ret_spare = (struct hf_spool_spare){store->fs, store->dir, store->segment_bytes};
    return true;
}

void hf_spool_store_spare_end(struct hf_spool_store *store, int made)
{
    const struct hf_fs_ops *fs = store->fs;

    store->spare.coming = false;
    if (made < 0)
        return;
    if (store->spare.ready) { /* a delivered segment came first */
        (void)fs->unlinkat(fs->ctx, store->dir_fd, "coming.seg", 0);
        return;
    }
    store->spare.ready = fs->renameat(fs->ctx, store->dir_fd, "coming.seg", store->dir_fd, "spare.seg") == 0;
    /* the rename needs the journal: see hf_spool_confirm() */
    store->spare.written = content_limit(store->segment_bytes);
}

int hf_spool_spare_now(struct hf_spool_store *store, struct hf_err *err)
{
    const struct hf_fs_ops *fs = store->fs;
    int fd = fs->openat(fs->ctx, store->dir_fd, "spare.seg", O_RDWR | O_CREAT | O_TRUNC, 0600, HF_FS_NO_SYMLINKS);

    if (fd < 0)
        return hf_err_sys(err, fd, "make '%s/spare.seg'", store->dir);
    int r = reserve(fs, fd, store->segment_bytes, store->dir, err);
    (void)fs->close(fs->ctx, fd);
    if (r < 0)
        (void)fs->unlinkat(fs->ctx, store->dir_fd, "spare.seg", 0);
    store->spare.ready = r == 0;
    store->spare.written = HF_SPOOL_CONTENT;
    return r;
}
