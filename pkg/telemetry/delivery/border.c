/* SPDX-License-Identifier: Apache-2.0 */
/* Each save writes the whole list into one of the two slots of the file, in turn, with one write and one sync. A
 * load takes the valid slot with the higher counter (os/two_slots.h). The file is made at its full size, so that a
 * save does not change the size.
 *
 *   slot, little endian: magic "HFB1" (4) | number of borders (4) | counter (8) | stream (16) |
 *   first, last (8 + 8) x 28 | bit set of the delivered batches (4) | zeros | CRC-32C of bytes 0..507 (4) */
#include "telemetry/delivery/border.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/endian.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/two_slots.h"
#include "spool/crc32c.h"

enum {
    AT_N = 4,
    AT_COUNTER = 8,
    AT_STREAM = 16,
    STREAM_BYTES = 16,
    AT_ITEMS = 32,
    AT_DONE = AT_ITEMS + 16 * HF_BORDER_MAX,
    AT_CRC = HF_BORDER_SLOT - 4,
    SLOTS = 2
};

_Static_assert(AT_DONE + 4 <= AT_CRC && HF_BORDER_MAX <= 32, "the borders fit a slot");

static const unsigned char magic[4] = {'H', 'F', 'B', '1'};

void hf_borders_format(const struct hf_borders *borders, uint64_t counter, unsigned char slot[static HF_BORDER_SLOT])
{
    uint64_t done = 0;

    memset(slot, 0, HF_BORDER_SLOT);
    memcpy(slot, magic, sizeof(magic));
    hf_put_le(slot + AT_N, 4, borders->n);
    hf_put_le(slot + AT_COUNTER, 8, counter);
    if (hf_hex_decode(borders->stream, slot + AT_STREAM, STREAM_BYTES) < 0)
        memset(slot + AT_STREAM, 0, STREAM_BYTES);
    for (size_t i = 0; i < borders->n; i++) {
        hf_put_le(slot + AT_ITEMS + 16 * i, 8, borders->items[i].first);
        hf_put_le(slot + AT_ITEMS + 16 * i + 8, 8, borders->items[i].last);
        done |= (uint64_t)borders->items[i].done << i;
    }
    hf_put_le(slot + AT_DONE, 4, done);
    hf_put_le(slot + AT_CRC, 4, hf_crc32c(0, slot, AT_CRC));
}

int hf_borders_parse(const unsigned char slot[static HF_BORDER_SLOT], struct hf_borders *ret_borders,
                     uint64_t *ret_counter)
{
    struct hf_borders borders = {.n = 0};
    uint64_t before = 0;

    if (memcmp(slot, magic, sizeof(magic)) != 0 || hf_le(slot + AT_CRC, 4) != hf_crc32c(0, slot, AT_CRC) ||
        hf_le(slot + AT_N, 4) > HF_BORDER_MAX)
        return -EBADMSG;
    borders.n = (size_t)hf_le(slot + AT_N, 4);
    (void)hf_hex_encode(slot + AT_STREAM, STREAM_BYTES, borders.stream);
    for (size_t i = 0; i < borders.n; i++) {
        struct hf_border *item = &borders.items[i];
        item->first = hf_le(slot + AT_ITEMS + 16 * i, 8);
        item->last = hf_le(slot + AT_ITEMS + 16 * i + 8, 8);
        item->done = (hf_le(slot + AT_DONE, 4) >> i & 1) != 0;
        if (item->first <= before || item->last < item->first)
            return -EBADMSG;
        before = item->last;
    }
    *ret_borders = borders;
    *ret_counter = hf_le(slot + AT_COUNTER, 8);
    return 0;
}

static int sync_name(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char folder[4096];

    (void)hf_dir_of_path(path, folder, sizeof(folder));
    return hf_dir_sync(fs, folder, err);
}

/* Fills a new file with zeros and syncs it and its name. */
static int prepare(const struct hf_fs_ops *fs, int fd, const char *path, struct hf_err *err)
{
    static const unsigned char zeros[HF_TWO_SLOTS_STRIDE];
    struct stat st;
    int r = fs->fstat(fs->ctx, fd, &st);

    if (r == 0 && st.st_size >= SLOTS * HF_TWO_SLOTS_STRIDE)
        return 0;
    for (uint64_t slot = 0; r == 0 && slot < SLOTS; slot++) {
        ssize_t n = fs->pwrite(fs->ctx, fd, zeros, sizeof(zeros), slot * HF_TWO_SLOTS_STRIDE);
        r = n < 0 ? (int)n : n < (ssize_t)sizeof(zeros) ? -ENOSPC : 0;
    }
    if (r == 0)
        r = fs->fsync(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "prepare '%s'", path) : sync_name(fs, path, err);
}

static uint64_t slot_counter(const unsigned char *slot)
{
    struct hf_borders borders;
    uint64_t counter;

    return hf_borders_parse(slot, &borders, &counter) == 0 ? counter : 0;
}

static const struct hf_two_slots_format file_format = {HF_BORDER_SLOT, .first_slot = 0, .counter = slot_counter};

static int save_slot(const struct hf_border_file *file, const unsigned char *slot, uint64_t counter, struct hf_err *err)
{
    int r = hf_two_slots_write(file->fs, file->fd, &file_format, slot, counter);

    return r < 0 ? hf_err_sys(err, r, "save the sequence ranges of batches in %s", file->path) : 0;
}

static int load(struct hf_border_file *file, bool refuse_unreadable, struct hf_borders *ret_borders, struct hf_err *err)
{
    unsigned char slot[HF_BORDER_SLOT];
    uint64_t counter;
    int r = hf_two_slots_read(file->fs, file->fd, &file_format, slot, &file->counter);

    *ret_borders = (struct hf_borders){.n = 0};
    if (r == -EIO && !refuse_unreadable)
        r = 0;
    if (r == 0 && file->counter > 0)
        r = hf_borders_parse(slot, ret_borders, &counter);
    if (r < 0)
        return hf_err_sys(err, r, "read '%s'", file->path);
    /* A process that was killed may have left them in the page cache alone, and a sync would prove nothing after one
     * that failed. */
    return file->counter > 0 ? save_slot(file, slot, file->counter, err) : 0;
}

static int open_file(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600, HF_FS_ANY);
    int r = fd < 0 ? hf_err_sys(err, fd, "open '%s'", path) : prepare(fs, fd, path, err);

    if (fd >= 0 && r < 0)
        (void)fs->close(fs->ctx, fd);
    return r < 0 ? r : fd;
}

int hf_border_file_open(const struct hf_fs_ops *fs, const char *path, bool refuse_unreadable,
                        struct hf_border_file *ret_file, struct hf_borders *ret_borders, struct hf_err *err)
{
    struct hf_border_file file = {.fs = fs, .path = strdup(path), .fd = -1};
    int r = file.path == NULL ? hf_err_set(err, ENOMEM, "open '%s'", path) : open_file(fs, path, err);

    if (r >= 0) {
        file.fd = r;
        r = load(&file, refuse_unreadable, ret_borders, err);
    }
    if (r < 0) {
        hf_border_file_close(&file);
        return r;
    }
    *ret_file = file;
    return 0;
}

void hf_border_file_close(struct hf_border_file *file)
{
    if (file->fs != NULL && file->fd >= 0)
        (void)file->fs->close(file->fs->ctx, file->fd);
    file->fd = -1;
    free(hf_steal(file->path));
}

/* Creates the file again if somebody removed it: a sync of a file without a name proves nothing. */
static int keep_name(struct hf_border_file *file, struct hf_err *err)
{
    if (file->fs->links(file->fs->ctx, file->fd) > 0)
        return 0;
    int fd = open_file(file->fs, file->path, err);
    if (fd < 0)
        return fd;
    /* Whole already if only this sync failed the last time. */
    int r = sync_name(file->fs, file->path, err);
    (void)file->fs->close(file->fs->ctx, r < 0 ? fd : file->fd);
    file->fd = r < 0 ? file->fd : fd;
    return r;
}

int hf_border_file_save(struct hf_border_file *file, const struct hf_borders *borders, struct hf_err *err)
{
    unsigned char slot[HF_BORDER_SLOT];
    int r = keep_name(file, err);

    if (r < 0)
        return r;
    hf_borders_format(borders, file->counter + 1, slot);
    r = save_slot(file, slot, file->counter + 1, err);
    if (r == 0)
        file->counter++;
    return r;
}
