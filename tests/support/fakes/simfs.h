/* SPDX-License-Identifier: Apache-2.0 */
/* support/simfs.h - a file system in memory that can lose power, fill up, fail and stop at any call.
 *
 * It keeps two truths: what a running process sees, and what is on the medium. They meet at fsync() alone:
 *   - file content, size, mode, owner, xattrs reach the medium when that file is fsynced (fdatasync: content and size);
 *   - names (create, link, unlink, rename, mkdir, symlink) reach it when a folder they touch is fsynced; a rename is one
 *     step, never half.
 * A power cut makes a seeded choice among what was allowed to reach it: of the pending names none, all, a prefix, or any
 * subset in which changes of one name keep their order; of unsynced content the old, the new, or any mix of 512-byte
 * sectors (old, new, zero) at any size between. That is weaker than ext4, XFS and btrfs promise, so code that is right here
 * is right there.
 *
 * Paths are absolute (AT_FDCWD is "/"). Mode bits are kept, not enforced. Descriptors start at 1000, so that mixing them
 * with real ones shows. Threads: one. Memory: everything belongs to the hf_simfs. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/fs.h"

struct hf_simfs;

struct hf_simfs *hf_simfs_new(void); /* aborts on OOM, as everything here */
void hf_simfs_free(struct hf_simfs *fs);
const struct hf_fs_ops *hf_simfs_ops(struct hf_simfs *fs);

/* ---- setting the scene and looking at it: not counted as calls, durable at once, parents are made ---------------- */

void hf_simfs_put(struct hf_simfs *fs, const char *path, const void *bytes, size_t n, mode_t mode);
void hf_simfs_mkdir(struct hf_simfs *fs, const char *path, mode_t mode);
void hf_simfs_symlink(struct hf_simfs *fs, const char *path, const char *target);
void hf_simfs_chown(struct hf_simfs *fs, const char *path, uid_t uid, gid_t gid);
void hf_simfs_set_xattr(struct hf_simfs *fs, const char *path, const char *name, const char *value);
void hf_simfs_chmod(struct hf_simfs *fs, const char *path, mode_t mode);
void hf_simfs_move(struct hf_simfs *fs, const char *from, const char *to);
void hf_simfs_delete(struct hf_simfs *fs, const char *path); /* one name; absent is fine */

/* Content of a regular file (links are not followed) as a running process sees it; NULL when there is none. Valid until the
 * next call. */
const void *hf_simfs_get(struct hf_simfs *fs, const char *path, size_t *ret_n);
/* True if a power cut now leaves this path as it is: the content of the file, or that there is none. */
bool hf_simfs_is_durable(struct hf_simfs *fs, const char *path);
bool hf_simfs_stat(struct hf_simfs *fs, const char *path, struct stat *ret); /* false: absent */
const char *hf_simfs_link_text(struct hf_simfs *fs, const char *path);       /* NULL: not a symbolic link */

/* A number that grows with every change of a content, an attribute or a name that a running process sees. */
uint64_t hf_simfs_changes(const struct hf_simfs *fs);

/* Every path below `path` in order, folders before their content. */
void hf_simfs_walk(struct hf_simfs *fs, const char *path,
                   void (*visit)(void *arg, const char *path, const struct stat *st), void *arg);

/* ---- other devices, full and read-only ones --------------------------------------------------------------------- */

/* `path` (made when absent, must be empty) becomes another device: rename and link across give -EXDEV. */
void hf_simfs_mount(struct hf_simfs *fs, const char *path);
/* Bytes that fit on the device of `path` (4096 a block); 0 no limit. Below what is used already: full. */
void hf_simfs_set_limit(struct hf_simfs *fs, const char *path, uint64_t bytes);
void hf_simfs_set_read_only(struct hf_simfs *fs, const char *path, bool read_only);

/* ---- faults ------------------------------------------------------------------------------------------------------ */

/* Each read of the content of this file gives -EIO, as with a bad sector, or no longer. It stays so after a power cut;
 * a file that replaces this one can be read. */
void hf_simfs_set_unreadable(struct hf_simfs *fs, const char *path, bool unreadable);

enum hf_simfs_calls {
    HF_SIMFS_READS = 1,   /* open for reading, read, stat, list, readlink, xattr reads, statvfs, flock */
    HF_SIMFS_SHRINKS = 2, /* everything else that changes something, and syncs */
    HF_SIMFS_GROWS = 4,   /* what may need a block: create, write, link, rename, mkdir, symlink, fallocate */
    HF_SIMFS_WRITES = 6,
    HF_SIMFS_ALL = 7,
};

/* Asks `before` at the start of each call; when it returns less than 0, the call does nothing and returns that. NULL:
 * asks nobody, the default. */
void hf_simfs_before_each(struct hf_simfs *fs, int (*before)(void *arg), void *arg);

/* Which calls count for the two below (HF_SIMFS_ALL at first; close() never does). */
void hf_simfs_count_only(struct hf_simfs *fs, unsigned calls);
uint64_t hf_simfs_calls(const struct hf_simfs *fs); /* so far */

/* The counted call number `n` (from 1, from now on) and every call after it does nothing and returns -EIO, as for a process
 * that is no more. 0 takes it back. */
void hf_simfs_stop_at(struct hf_simfs *fs, uint64_t n);
bool hf_simfs_stopped(const struct hf_simfs *fs);

/* The counted calls number n .. n + times - 1 (from 1, from now on) do nothing and return -code; times 0: all from n on.
 * n 0 takes it back. A sync of a file that fails with EIO loses what it had to write, as on Linux: later syncs return 0, the
 * content stays readable until the power goes, and only another write to the same blocks brings it to the medium. */
void hf_simfs_fail_at(struct hf_simfs *fs, uint64_t n, int code, uint64_t times);
uint64_t hf_simfs_failed(const struct hf_simfs *fs); /* calls failed so since hf_simfs_fail_at() */

/* From the counted call number `n` (from 1, from now on) on the journal of every device has gone, and nobody else has noticed yet. What
 * needs it (names, sizes, allocation) fails with -EROFS. Content does not, and a sync says 0, but only what went into blocks
 * that had been written and synced before is kept: ext4 cannot say any more that the others were written. 0 takes it back. */
void hf_simfs_lose_journal_at(struct hf_simfs *fs, uint64_t n);
bool hf_simfs_journal_lost(const struct hf_simfs *fs);

/* kill -9: descriptors and locks are gone, nothing else. Takes a stop and a lost journal back. */
void hf_simfs_kill(struct hf_simfs *fs);
/* The power goes, and comes back: as kill, and what was not synced is lost as `seed` chooses; with HF_SIMFS_LOSE_ALL
 * all of it. */
#define HF_SIMFS_LOSE_ALL UINT64_MAX
void hf_simfs_power_cut(struct hf_simfs *fs, uint64_t seed);

unsigned hf_simfs_open_fds(const struct hf_simfs *fs);
/* Keeps a line for each of the last counted calls (the default), or none, which takes less time. */
void hf_simfs_keep_trace(struct hf_simfs *fs, bool keep);
/* The last counted calls, oldest first, for a failed test's message. */
void hf_simfs_trace(const struct hf_simfs *fs, FILE *out);
