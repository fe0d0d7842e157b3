/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an open store at the level of system calls. store.c, recover.c and spare.c build on these functions. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "os/file.h"
#include "os/two_slots.h"
#include "spool/store_impl.h"

void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n)
{
    (void)snprintf(path, n, "%s/%016" PRIx64 ".seg", dir, first);
}

int hf_spool_sync_folder(struct hf_spool_store *store, struct hf_err *err)
{
    int r = store->fs->fsync(store->fs->ctx, store->dir_fd);

    if (r < 0)
        return hf_err_sys(err, r, "sync '%s'", store->dir);
    store->spare.was_segment = false;
    return 0;
}

int hf_spool_write_at(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset, const char *dir,
                      struct hf_err *err)
{
    int r = hf_file_write_all(fs, fd, bytes, n, offset);

    return r < 0 ? hf_err_sys(err, r, "write in '%s'", dir) : 0;
}

int hf_spool_copy(const struct hf_spool_store *store, int from, int to, uint64_t begin, uint64_t end,
                  struct hf_err *err)
{
    int r = hf_file_copy(store->fs, from, to, begin, end);

    return r < 0 ? hf_err_sys(err, r, "copy records in '%s'", store->dir) : 0;
}

int hf_spool_zero(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir, struct hf_err *err)
{
    static const char zeros[HF_SPOOL_ZERO_STEP];
    int r = 0;

    for (uint64_t at = from; r == 0 && at < to; at += sizeof(zeros))
        r = hf_spool_write_at(fs, fd, zeros, (size_t)HF_MIN((uint64_t)sizeof(zeros), to - at), at, dir, err);
    return r;
}

/* The first write to an allocated block, and a new name, need the file system's journal. If the journal stops after an
 * error, ext4 drops such a change, and fsync may still return 0. Allocating an allocated range once more fails if the
 * journal has stopped; if it succeeds, the journal also worked during the sync before. */
int hf_spool_confirm(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                     struct hf_err *err)
{
    int r = fs->fallocate(fs->ctx, fd, from, to - from);

    return r < 0 && r != -EOPNOTSUPP ? hf_err_sys(err, r, "change '%s'", dir) : 0;
}

bool hf_spool_is_unlinked(const struct hf_spool_store *store, int fd)
{
    return fd >= 0 && store->links_count && store->fs->links(store->fs->ctx, fd) == 0;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

int hf_spool_add_segment(struct hf_spool_store *store, const struct segment *segment)
{
    int r = hf_array_grow(store->segments, store->n, store->cap, HF_ARRAY_ANY);

    if (r == 0)
        store->segments[store->n++] = *segment;
    return r;
}

uint64_t hf_spool_bytes_used(const struct hf_spool_store *store)
{
    uint64_t bytes = ((store->spare.ready ? 1u : 0u) + (store->spare.coming ? 1u : 0u)) * store->segment_bytes;

    for (size_t i = 0; i < store->n; i++)
        bytes += store->segments[i].size;
    return bytes;
}

/* ---- the cursor -------------------------------------------------------------------------------------------------- */

static uint64_t cursor_counter(const unsigned char *slot)
{
    struct hf_spool_cursor cursor;

    return hf_spool_cursor_parse(slot, &cursor) == 0 ? cursor.counter : 0;
}

static const struct hf_two_slots_format cursor_format = {HF_SPOOL_CURSOR_SLOT, .first_slot = 1,
                                                         .counter = cursor_counter};

static int open_cursor(struct hf_spool_store *store, struct hf_err *err)
{
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, "cursor", O_RDWR | O_CREAT, 0600, HF_FS_NO_SYMLINKS);

    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s/cursor'", store->dir);
    if (store->cursor_fd >= 0)
        (void)store->fs->close(store->fs->ctx, store->cursor_fd);
    store->cursor_fd = fd;
    return 0;
}

int hf_spool_read_cursor(const struct hf_fs_ops *fs, int fd, struct hf_spool_cursor *ret_cursor)
{
    unsigned char slot[HF_SPOOL_CURSOR_SLOT];
    uint64_t counter;
    int r = hf_two_slots_read(fs, fd, &cursor_format, slot, &counter);

    *ret_cursor = (struct hf_spool_cursor){0};
    if (r < 0 && r != -EIO)
        return r;
    int parsed = counter > 0 ? hf_spool_cursor_parse(slot, ret_cursor) : 0;
    return parsed < 0 ? parsed : r;
}

int hf_spool_load_cursor(struct hf_spool_store *store, struct hf_err *err)
{
    int r = open_cursor(store, err);

    if (r < 0)
        return r;
    r = hf_spool_read_cursor(store->fs, store->cursor_fd, &store->cursor);
    if (r == -EIO && !store->refuse_unreadable) /* an unreadable slot counts as damaged */
        r = 0;
    store->cursor_unconfirmed = store->cursor.counter > 0;
    return r < 0 ? hf_err_sys(err, r, "read '%s/cursor'", store->dir) : 0;
}

static int write_cursor(struct hf_spool_store *store, struct hf_spool_cursor cursor, struct hf_err *err)
{
    unsigned char slot[HF_SPOOL_CURSOR_SLOT];
    int r = 0;

    if (hf_spool_is_unlinked(store, store->cursor_fd)) {
        store->cursor_unnamed = true;
        r = open_cursor(store, err);
    }
    if (r < 0)
        return r;
    hf_spool_cursor_format(&cursor, slot);
    r = hf_two_slots_write(store->fs, store->cursor_fd, &cursor_format, slot, cursor.counter);
    if (r < 0)
        return hf_err_sys(err, r, "save '%s/cursor'", store->dir);
    r = store->cursor_unnamed ? hf_spool_sync_folder(store, err) : 0;
    if (r < 0)
        return r;
    store->cursor = cursor;
    store->cursor_unconfirmed = store->cursor_unnamed = false;
    return 0;
}

int hf_spool_save_cursor(struct hf_spool_store *store, uint64_t delivered, struct hf_err *err)
{
    struct hf_spool_cursor cursor = {store->cursor.counter + 1, delivered, store->cursor.newest};
    int r = hf_spool_confirm_cursor(store, err); /* the save overwrites the only slot that is surely durable */

    return r < 0 ? r : write_cursor(store, cursor, err);
}

int hf_spool_confirm_cursor(struct hf_spool_store *store, struct hf_err *err)
{
    return store->cursor_unconfirmed ? write_cursor(store, store->cursor, err) : 0;
}
