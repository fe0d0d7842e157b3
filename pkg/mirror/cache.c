/* SPDX-License-Identifier: Apache-2.0 */
/* The folders are the whole state: names are digests, a partial's name has its size, too, and the time of the last use
 * is the file's. So a power cut leaves nothing to repair: a rename after the sync makes a blob whole, and who goes on
 * with a partial hashes all of it, because a cut may have left any bytes in it.
 *
 * Each blob that wants to come makes the list of what is here anew; what is still to arrive of the others counts as
 * taken. Room is made only if it is enough then. */
#include "mirror/cache.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"
#include "os/dir.h"
#include "os/fd.h"
#include "os/file.h"
#include "steps/target.h"

enum {
    MAX_PATH = 512,
    MAX_NAME = HF_SHA256_HEX + 24,
    MAX_FILES = 4096,
    LISTED = 2 * MAX_FILES,
    DISK_PART = 20,
};

struct hf_mirror_cache {
    struct hf_mirror_cache_params p; /* .folder NULL */
    char *folder;
    struct hf_list keeps;
    struct hf_list checks; /* a worker has the first one */
};

struct hf_mirror_keep {
    struct hf_list link;
    struct hf_mirror_cache *cache; /* NULL: it has gone */
    const struct hf_fs_ops *fs;
    char sha256[HF_SHA256_HEX], partial[MAX_PATH], whole[MAX_PATH];
    int fd;
    uint64_t had, at, size; /* at: the next byte comes here */
    bool syncs;             /* a worker has it */
    struct hf_job job;
};

static void blob_path(const struct hf_mirror_cache *cache, const char *sha256, char path[MAX_PATH])
{
    (void)snprintf(path, MAX_PATH, "%s/blobs/sha256/%s", cache->folder, sha256);
}

static struct hf_mirror_keep *find_keep(const struct hf_mirror_cache *cache, const char *sha256)
{
    for (struct hf_list *link = cache->keeps.next; link != &cache->keeps; link = link->next) {
        struct hf_mirror_keep *keep = hf_container_of(link, struct hf_mirror_keep, link);
        if (strcmp(keep->sha256, sha256) == 0)
            return keep;
    }
    return NULL;
}

bool hf_mirror_cache_syncs(const struct hf_mirror_cache *cache, const char *sha256)
{
    const struct hf_mirror_keep *keep = find_keep(cache, sha256);

    return keep != NULL && keep->syncs;
}

/* ---- what is here ------------------------------------------------------------------------------------------------ */

struct kept_file {
    char name[MAX_NAME];
    bool partial;
    uint64_t bytes;
    struct timespec used;
};

struct listing {
    const struct hf_mirror_cache *cache;
    int dirfd;
    bool partial;
    struct kept_file *files;
    size_t n, cap;
    uint64_t bytes;
};

/* "<digest>" or "<digest>.<size>" */
static bool read_name(const char *name, char sha256[HF_SHA256_HEX], uint64_t *ret_size)
{
    const size_t n = HF_SHA256_HEX - 1;

    if (strspn(name, "0123456789abcdef") != n || (name[n] != '\0' && name[n] != '.'))
        return false;
    memcpy(sha256, name, n);
    sha256[n] = '\0';
    *ret_size = UINT64_MAX;
    return name[n] == '\0' || hf_parse_u64(name + n + 1, 1, 1ull << 40, ret_size) == 0;
}

static int add_file(void *arg, const char *name, unsigned char type)
{
    struct listing *listing = arg;
    const struct hf_fs_ops *fs = listing->cache->p.fs;
    struct kept_file file = {.partial = listing->partial};
    struct stat st;

    (void)type;
    int r = fs->fstatat(fs->ctx, listing->dirfd, name, &st, AT_SYMLINK_NOFOLLOW);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r < 0 || !S_ISREG(st.st_mode) || strlen(name) >= sizeof(file.name))
        return 0;
    if (listing->n == LISTED)
        return 0; /* its turn to go comes when others have gone */
    if (hf_array_grow(listing->files, listing->n, listing->cap, LISTED) < 0)
        return -ENOMEM;
    (void)snprintf(file.name, sizeof(file.name), "%s", name);
    file.bytes = (uint64_t)st.st_size;
    file.used = st.st_mtim;
    listing->files[listing->n++] = file;
    listing->bytes += file.bytes;
    return 0;
}

static int list_folder(struct listing *listing, const char *name, bool partial)
{
    const struct hf_fs_ops *fs = listing->cache->p.fs;
    char path[MAX_PATH];

    (void)snprintf(path, sizeof(path), "%s/%s", listing->cache->folder, name);
    listing->partial = partial;
    listing->dirfd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (listing->dirfd < 0)
        return listing->dirfd;
    int r = fs->list(fs->ctx, listing->dirfd, add_file, listing);
    (void)fs->close(fs->ctx, listing->dirfd);
    return r;
}

static int list_all(const struct hf_mirror_cache *cache, struct listing *listing)
{
    *listing = (struct listing){.cache = cache};
    int r = list_folder(listing, "blobs/sha256", false);
    return r < 0 ? r : list_folder(listing, "partial", true);
}

static int by_use(const void *left, const void *right)
{
    const struct timespec *a = &((const struct kept_file *)left)->used, *b = &((const struct kept_file *)right)->used;

    if (a->tv_sec != b->tv_sec)
        return a->tv_sec < b->tv_sec ? -1 : 1;
    return a->tv_nsec == b->tv_nsec ? 0 : a->tv_nsec < b->tv_nsec ? -1 : 1;
}

/* ---- room -------------------------------------------------------------------------------------------------------- */

/* A name that is not ours always may; it is nobody's. */
static bool may_go(const struct hf_mirror_cache *cache, const struct kept_file *file)
{
    char sha256[HF_SHA256_HEX];
    uint64_t size;

    if (!read_name(file->name, sha256, &size))
        return true;
    return find_keep(cache, sha256) == NULL &&
           (cache->p.is_wanted == NULL || !cache->p.is_wanted(cache->p.arg, sha256));
}

static bool remove_file(const struct hf_mirror_cache *cache, const struct kept_file *file)
{
    const struct hf_fs_ops *fs = cache->p.fs;
    char path[MAX_PATH + MAX_NAME];

    (void)snprintf(path, sizeof(path), "%s/%s/%s", cache->folder, file->partial ? "partial" : "blobs/sha256",
                   file->name);
    if (fs->unlinkat(fs->ctx, AT_FDCWD, path, 0) < 0)
        return false;
    hf_log(cache->p.log, HF_LOG_INFO, "image.evicted", HF_S("file", file->name), HF_D("bytes", (int64_t)file->bytes));
    return true;
}

/* What the disk has above the part that stays free. */
static uint64_t disk_room(const struct hf_mirror_cache *cache)
{
    const struct hf_fs_ops *fs = cache->p.fs;
    struct statvfs st;
    uint64_t room = 0;
    int fd = fs->openat(fs->ctx, AT_FDCWD, cache->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return 0;
    if (fs->fstatvfs(fs->ctx, fd, &st) == 0) {
        uint64_t spare = (uint64_t)st.f_blocks / DISK_PART;
        room = st.f_bavail > spare ? ((uint64_t)st.f_bavail - spare) * st.f_frsize : 0;
    }
    (void)fs->close(fs->ctx, fd);
    return room;
}

static uint64_t still_to_come(const struct hf_mirror_cache *cache)
{
    uint64_t bytes = 0;

    for (struct hf_list *link = cache->keeps.next; link != &cache->keeps; link = link->next) {
        const struct hf_mirror_keep *keep = hf_container_of(link, struct hf_mirror_keep, link);
        bytes += keep->size - HF_MAX(keep->at, keep->had);
    }
    return bytes;
}

static int make_room(const struct hf_mirror_cache *cache, struct listing *listing, uint64_t bytes)
{
    uint64_t reserved = still_to_come(cache), disk = disk_room(cache), may = 0, taken = listing->bytes + reserved;

    if (bytes > cache->p.max_bytes)
        return -EDQUOT;
    uint64_t over = taken > cache->p.max_bytes - bytes ? taken - (cache->p.max_bytes - bytes) : 0;
    uint64_t lacks = reserved + bytes > disk ? reserved + bytes - disk : 0;
    size_t left = listing->n;
    if (over == 0 && lacks == 0 && left < MAX_FILES)
        return 0;
    for (size_t i = 0; i < listing->n; i++)
        may += may_go(cache, &listing->files[i]) ? listing->files[i].bytes : 0;
    if (may < over)
        return -EDQUOT;
    if (may < lacks)
        return -ENOSPC;
    qsort(listing->files, listing->n, sizeof(*listing->files), by_use);
    uint64_t need = HF_MAX(over, lacks);
    for (size_t i = 0; i < listing->n && (need > 0 || left >= MAX_FILES); i++)
        if (may_go(cache, &listing->files[i]) && remove_file(cache, &listing->files[i])) {
            need -= HF_MIN(need, listing->files[i].bytes);
            left--;
        }
    return need == 0 ? 0 : lacks > over ? -ENOSPC : -EDQUOT;
}

int hf_mirror_cache_room(const struct hf_mirror_cache *cache, uint64_t bytes)
{
    struct listing listing;
    int r = list_all(cache, &listing);

    if (r == 0)
        r = make_room(cache, &listing, bytes);
    free(listing.files);
    return r;
}

void hf_mirror_cache_touch(const struct hf_mirror_cache *cache, const char *sha256)
{
    char path[MAX_PATH];

    if (cache == NULL)
        return;
    blob_path(cache, sha256, path);
    (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

void hf_mirror_cache_drop(const struct hf_mirror_cache *cache, const char *sha256)
{
    char path[MAX_PATH];

    if (cache == NULL)
        return;
    blob_path(cache, sha256, path);
    (void)cache->p.fs->unlinkat(cache->p.fs->ctx, AT_FDCWD, path, 0);
}

/* ---- what was read in parts -------------------------------------------------------------------------------------- */

struct cache_check {
    struct hf_list link;
    struct hf_mirror_cache *cache; /* NULL: it has gone */
    const struct hf_fs_ops *fs;
    char sha256[HF_SHA256_HEX], path[MAX_PATH];
    bool wrong;
    struct hf_job job;
};

/* A file that cannot be read is a damaged one. */
static void compare(struct hf_job *job)
{
    struct cache_check *check = hf_container_of(job, struct cache_check, job);
    const struct hf_fs_ops *fs = check->fs;
    struct hf_failure failure;
    char hex[HF_SHA256_HEX];
    int fd = fs->openat(fs->ctx, AT_FDCWD, check->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0, HF_FS_ANY);

    if (fd < 0)
        return;
    check->wrong = hf_target_hash_fd(fs, fd, NULL, hex, NULL, &failure) < 0 || strcmp(hex, check->sha256) != 0;
    (void)fs->close(fs->ctx, fd);
    if (check->wrong)
        (void)fs->unlinkat(fs->ctx, AT_FDCWD, check->path, 0);
}

static void compare_next(struct hf_mirror_cache *cache);

static void compared(struct hf_job *job, HF_UNUSED int cancelled)
{
    struct cache_check *check = hf_container_of(job, struct cache_check, job);
    struct hf_mirror_cache *cache = check->cache;

    if (cache != NULL) {
        if (check->wrong)
            hf_log(cache->p.log, HF_LOG_WARNING, "image.wrong", HF_S("sha256", check->sha256));
        hf_list_remove(&check->link);
        compare_next(cache);
    }
    free(check);
}

static void compare_next(struct hf_mirror_cache *cache)
{
    while (!hf_list_empty(&cache->checks)) {
        struct cache_check *check = hf_container_of(cache->checks.next, struct cache_check, link);
        check->job = (struct hf_job){.work = compare, .done = compared};
        if (hf_job_submit(cache->p.sched, &check->job) == 0)
            return;
        hf_list_remove(&check->link);
        free(check);
    }
}

void hf_mirror_cache_check(struct hf_mirror_cache *cache, const char *sha256)
{
    if (cache == NULL)
        return;
    for (struct hf_list *link = cache->checks.next; link != &cache->checks; link = link->next)
        if (strcmp(hf_container_of(link, struct cache_check, link)->sha256, sha256) == 0)
            return;
    struct cache_check *check = calloc(1, sizeof(*check));
    if (check == NULL)
        return;
    check->cache = cache;
    check->fs = cache->p.fs;
    memcpy(check->sha256, sha256, sizeof(check->sha256));
    blob_path(cache, sha256, check->path);
    bool idle = hf_list_empty(&cache->checks);
    hf_list_append(&cache->checks, &check->link);
    if (idle)
        compare_next(cache);
}

/* ---- one blob ---------------------------------------------------------------------------------------------------- */

static void destroy(struct hf_mirror_keep *keep)
{
    if (keep->cache != NULL)
        hf_list_remove(&keep->link);
    if (keep->fd >= 0)
        (void)keep->fs->close(keep->fs->ctx, keep->fd);
    free(keep);
}

static int open_keep(struct hf_mirror_cache *cache, const char *sha256, uint64_t size, int flags,
                     struct hf_mirror_keep **ret_keep)
{
    const struct hf_fs_ops *fs = cache->p.fs;
    struct hf_mirror_keep *keep = calloc(1, sizeof(*keep));

    if (keep == NULL)
        return -ENOMEM;
    *keep = (struct hf_mirror_keep){.cache = cache, .fs = fs, .size = size};
    memcpy(keep->sha256, sha256, sizeof(keep->sha256));
    blob_path(cache, sha256, keep->whole);
    (void)snprintf(keep->partial, sizeof(keep->partial), "%s/partial/%s.%" PRIu64, cache->folder, sha256, size);
    hf_list_append(&cache->keeps, &keep->link);
    keep->fd = fs->openat(fs->ctx, AT_FDCWD, keep->partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600,
                          HF_FS_ANY);
    if (keep->fd < 0) {
        int r = keep->fd;
        destroy(keep);
        return r;
    }
    *ret_keep = keep;
    return 0;
}

int hf_mirror_keep_begin(struct hf_mirror_cache *cache, const char *sha256, uint64_t size,
                         struct hf_mirror_keep **ret_keep)
{
    if (find_keep(cache, sha256) != NULL)
        return -EBUSY;
    int r = hf_mirror_cache_room(cache, size);
    return r < 0 ? r : open_keep(cache, sha256, size, O_TRUNC, ret_keep);
}

int hf_mirror_keep_resume(struct hf_mirror_cache *cache, const char *sha256, struct hf_mirror_keep **ret_keep)
{
    struct listing listing = {.cache = cache};
    struct hf_mirror_keep *keep = NULL;
    char name[HF_SHA256_HEX];
    uint64_t size = 0, had = 0;

    if (find_keep(cache, sha256) != NULL)
        return -EBUSY;
    int r = list_folder(&listing, "partial", true);
    for (size_t i = 0; r == 0 && i < listing.n; i++)
        if (read_name(listing.files[i].name, name, &size) && strcmp(name, sha256) == 0 && size != UINT64_MAX) {
            had = listing.files[i].bytes;
            break;
        }
    free(listing.files);
    if (r == 0 && (had == 0 || had >= size))
        r = -ENOENT;
    if (r == 0)
        r = open_keep(cache, sha256, size, 0, &keep);
    if (r < 0)
        return r;
    assert(keep != NULL);
    keep->had = had;
    r = hf_mirror_cache_room(cache, 0);
    if (r < 0)
        destroy(keep);
    else
        *ret_keep = keep;
    return r;
}

uint64_t hf_mirror_keep_had(const struct hf_mirror_keep *keep)
{
    return keep->had;
}

uint64_t hf_mirror_keep_size(const struct hf_mirror_keep *keep)
{
    return keep->size;
}

ssize_t hf_mirror_keep_read(const struct hf_mirror_keep *keep, void *bytes, size_t n, uint64_t at)
{
    return keep->fs->pread(keep->fs->ctx, keep->fd, bytes, (size_t)HF_MIN((uint64_t)n, keep->had - at), at);
}

int hf_mirror_keep_write(struct hf_mirror_keep *keep, const void *bytes, size_t n)
{
    uint64_t skip = keep->had > keep->at ? HF_MIN((uint64_t)n, keep->had - keep->at) : 0;

    if (n > keep->size - keep->at)
        return -EBADMSG;
    int r = hf_file_write_all(keep->fs, keep->fd, (const char *)bytes + skip, n - (size_t)skip, keep->at + skip);
    keep->at += n;
    return r;
}

static void sync_keep(struct hf_job *job)
{
    struct hf_mirror_keep *keep = hf_container_of(job, struct hf_mirror_keep, job);
    const struct hf_fs_ops *fs = keep->fs;
    char folder[MAX_PATH];

    if (fs->fdatasync(fs->ctx, keep->fd) < 0)
        return;
    (void)hf_dir_of_path(keep->whole, folder, sizeof(folder));
    if (fs->renameat(fs->ctx, AT_FDCWD, keep->partial, AT_FDCWD, keep->whole) == 0)
        (void)!hf_dir_sync(fs, folder, NULL);
}

static void synced(struct hf_job *job, HF_UNUSED int cancelled)
{
    destroy(hf_container_of(job, struct hf_mirror_keep, job));
}

void hf_mirror_keep_finish(struct hf_mirror_keep *keep, bool right)
{
    if (!right || keep->at != keep->size) {
        (void)keep->fs->unlinkat(keep->fs->ctx, AT_FDCWD, keep->partial, 0);
        destroy(keep);
        return;
    }
    keep->job = (struct hf_job){.work = sync_keep, .done = synced};
    keep->syncs = true;
    if (hf_job_submit(keep->cache->p.sched, &keep->job) < 0)
        destroy(keep);
}

void hf_mirror_keep_free(struct hf_mirror_keep *keep)
{
    if (keep != NULL)
        destroy(keep);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_mirror_cache *hf_mirror_cache_new(const struct hf_mirror_cache_params *params, struct hf_err *err)
{
    struct hf_mirror_cache *cache = calloc(1, sizeof(*cache));
    char path[MAX_PATH];
    int r = cache != NULL && strlen(params->folder) < MAX_PATH - HF_SHA256_HEX - 48 ? 0 : -ENOMEM;

    if (r == 0) {
        cache->p = *params;
        cache->folder = strdup(params->folder);
        cache->p.folder = NULL;
        hf_list_init(&cache->keeps);
        hf_list_init(&cache->checks);
        r = cache->folder != NULL ? 0 : -ENOMEM;
    }
    if (r < 0)
        (void)hf_err_set(err, ENOMEM, "not enough memory for the cache of images");
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256", params->folder);
    if (r == 0)
        r = hf_dir_make(params->fs, path, 0700, err);
    (void)snprintf(path, sizeof(path), "%s/partial", params->folder);
    if (r == 0)
        r = hf_dir_make(params->fs, path, 0700, err);
    if (r == 0)
        return cache;
    if (cache != NULL)
        free(cache->folder);
    free(cache);
    return NULL;
}

void hf_mirror_cache_free(struct hf_mirror_cache *cache)
{
    if (cache == NULL)
        return;
    while (!hf_list_empty(&cache->keeps)) {
        struct hf_mirror_keep *keep = hf_container_of(cache->keeps.next, struct hf_mirror_keep, link);
        hf_list_remove(&keep->link);
        keep->cache = NULL;
        assert(keep->syncs); /* the owners of the others have freed them */
    }
    for (bool first = true; !hf_list_empty(&cache->checks); first = false) {
        struct cache_check *check = hf_container_of(cache->checks.next, struct cache_check, link);
        hf_list_remove(&check->link);
        check->cache = NULL;
        if (!first)
            free(check);
    }
    free(cache->folder);
    free(cache);
}
