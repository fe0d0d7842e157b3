/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the simulated file system. Each counted call passes enter() first, which is where it may fail, or stop. */
#include "support/fakes/simfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>

#include "base/macros.h"
#include "support/fakes/simfs_impl.h"

static struct hf_simfs *of(void *ctx)
{
    return ctx;
}

/* ---- counting, failing, stopping ---------------------------------------------------------------------------------- */

/* With HF_SIMFS_SHRINKS or HF_SIMFS_GROWS: content alone, no journal needed. */
enum { SIM_CONTENT = 8 };

static int journal_for(const struct hf_simfs *fs, unsigned kind)
{
    return fs->journal_lost && (kind & HF_SIMFS_WRITES) != 0 && (kind & SIM_CONTENT) == 0 ? -EROFS : 0;
}

/* Remembers the last call of each kind. */
static void note(struct hf_simfs *fs, unsigned kind, const char *format)
{
    for (size_t i = 0; i < SIM_KINDS; i++) {
        struct sim_kind *known = &fs->kinds[i];
        if (known->format == NULL || (known->format == format && known->kind == kind)) {
            *known = (struct sim_kind){format, kind, fs->calls};
            return;
        }
    }
    abort();
}

static int enter(struct hf_simfs *fs, unsigned kind, const char *format, ...) HF_PRINTF(3, 4);

static int enter(struct hf_simfs *fs, unsigned kind, const char *format, ...)
{
    va_list args;
    int r = fs->before != NULL ? fs->before(fs->before_arg) : 0;

    if (r < 0)
        return r;
    if (fs->stopped)
        return -EIO;
    if ((fs->counted & kind) == 0)
        return journal_for(fs, kind);
    fs->calls++;
    note(fs, kind, format);
    if (!fs->untraced) {
        char *line = fs->trace[fs->n_trace++ % SIM_TRACE];
        int n = snprintf(line, sizeof(fs->trace[0]), "%llu ", (unsigned long long)fs->calls);
        va_start(args, format);
        (void)vsnprintf(line + n, sizeof(fs->trace[0]) - (size_t)n, format, args);
        va_end(args);
    }
    if (fs->stop_at != 0 && fs->calls >= fs->stop_at) {
        fs->stopped = true;
        fs->hit = (struct sim_kind){format, kind, fs->calls};
        return -EIO;
    }
    if (fs->fail_at != 0 && fs->calls >= fs->fail_at &&
        (fs->fail_times == 0 || fs->calls < fs->fail_at + fs->fail_times)) {
        if (fs->failed++ == 0)
            fs->hit = (struct sim_kind){format, kind, fs->calls};
        return -fs->fail_code;
    }
    fs->journal_lost |= fs->lose_journal_at != 0 && fs->calls >= fs->lose_journal_at;
    return journal_for(fs, kind);
}

void hf_simfs_before_each(struct hf_simfs *fs, int (*before)(void *arg), void *arg)
{
    fs->before = before;
    fs->before_arg = arg;
}

void hf_simfs_count_only(struct hf_simfs *fs, unsigned calls)
{
    fs->counted = calls;
}

uint64_t hf_simfs_calls(const struct hf_simfs *fs)
{
    return fs->calls;
}

/* Something is to happen at call n from now on. */
static void arm(struct hf_simfs *fs, uint64_t n)
{
    if (n == 0)
        return;
    fs->armed = fs->calls;
    fs->hit = (struct sim_kind){.format = NULL};
    memset(fs->kinds, 0, sizeof(fs->kinds));
}

void hf_simfs_stop_at(struct hf_simfs *fs, uint64_t n)
{
    arm(fs, n);
    fs->stop_at = n == 0 ? 0 : fs->calls + n;
    fs->stopped = false;
}

bool hf_simfs_stopped(const struct hf_simfs *fs)
{
    return fs->stopped;
}

void hf_simfs_fail_at(struct hf_simfs *fs, uint64_t n, int code, uint64_t times)
{
    arm(fs, n);
    fs->fail_at = n == 0 ? 0 : fs->calls + n;
    fs->fail_code = code;
    fs->fail_times = times;
    fs->failed = 0;
}

void hf_simfs_lose_journal_at(struct hf_simfs *fs, uint64_t n)
{
    fs->lose_journal_at = n == 0 ? 0 : fs->calls + n;
    fs->journal_lost = false;
}

bool hf_simfs_journal_lost(const struct hf_simfs *fs)
{
    return fs->journal_lost;
}

uint64_t hf_simfs_failed(const struct hf_simfs *fs)
{
    return fs->failed;
}

void hf_simfs_keep_trace(struct hf_simfs *fs, bool keep)
{
    fs->untraced = !keep;
}

void hf_simfs_trace(const struct hf_simfs *fs, FILE *out)
{
    uint64_t from = fs->n_trace > SIM_TRACE ? fs->n_trace - SIM_TRACE : 0;

    for (uint64_t i = from; i < fs->n_trace; i++)
        (void)fprintf(out, "  %s\n", fs->trace[i % SIM_TRACE]);
}

/* ---- descriptors -------------------------------------------------------------------------------------------------- */

static struct sim_fd *fd_get(struct hf_simfs *fs, int fd)
{
    int i = fd - SIM_FD_BASE;

    return i >= 0 && i < SIM_MAX_FDS && fs->fds[i].node != NULL ? &fs->fds[i] : NULL;
}

static int fd_new(struct hf_simfs *fs, struct sim_node *node, int flags)
{
    for (int i = 0; i < SIM_MAX_FDS; i++) {
        if (fs->fds[i].node == NULL) {
            fs->fds[i] = (struct sim_fd){.node = node, .flags = flags, .lock = LOCK_UN};
            node->opened++;
            sim_count(node);
            return SIM_FD_BASE + i;
        }
    }
    return -EMFILE;
}

/* The file behind a descriptor that may be read, or written. */
static int fd_file(struct hf_simfs *fs, int fd, bool writing, struct sim_node **ret_node)
{
    const struct sim_fd *open = fd_get(fs, fd);

    if (open == NULL)
        return -EBADF;
    if (S_ISDIR(open->node->meta.mode))
        return writing ? -EBADF : -EISDIR;
    int access = open->flags & O_ACCMODE;
    if ((open->flags & O_PATH) != 0 || (writing && access == O_RDONLY) || (!writing && access == O_WRONLY))
        return -EBADF;
    *ret_node = open->node;
    return 0;
}

static int base_of(struct hf_simfs *fs, int dirfd, struct sim_node **ret_node)
{
    if (dirfd == AT_FDCWD) {
        *ret_node = fs->root;
        return 0;
    }
    const struct sim_fd *open = fd_get(fs, dirfd);
    if (open == NULL)
        return -EBADF;
    *ret_node = open->node;
    return S_ISDIR(open->node->meta.mode) ? 0 : -ENOTDIR;
}

static int find(struct hf_simfs *fs, int dirfd, const char *path, unsigned resolve, bool follow, struct sim_place *ret)
{
    struct sim_node *base = fs->root;
    int r = path[0] == '/' && (resolve & HF_FS_BENEATH) == 0 ? 0 : base_of(fs, dirfd, &base);

    return r < 0 ? r : sim_resolve(fs, base, path, resolve, follow, ret);
}

unsigned hf_simfs_open_fds(const struct hf_simfs *fs)
{
    unsigned n = 0;

    for (int i = 0; i < SIM_MAX_FDS; i++)
        n += fs->fds[i].node != NULL;
    return n;
}

/* May a new block be had on this device, and may it be changed at all? */
static int room(struct hf_simfs *fs, const struct sim_device *device, uint64_t more)
{
    if (device->read_only || fs->journal_lost)
        return -EROFS;
    return device->limit != 0 && sim_used(device) + more > device->limit ? -ENOSPC : 0;
}

void sim_add_name(struct hf_simfs *fs, struct sim_node *dir, char *name, struct sim_node *node)
{
    struct sim_op op = {.changes = {{dir, name, node}}, .n = 1};

    sim_record(fs, &op);
}

static int create(struct hf_simfs *fs, struct sim_place *place, mode_t mode)
{
    int r = room(fs, place->dir->device, SIM_BLOCK);

    if (r < 0)
        return r;
    place->node = sim_node_new(fs, place->dir, mode);
    sim_add_name(fs, place->dir, place->name, place->node);
    return 0;
}

static int check_open(struct sim_node *node, int flags)
{
    bool writing = (flags & O_ACCMODE) != O_RDONLY;

    if (S_ISLNK(node->meta.mode))
        return (flags & O_PATH) != 0 ? 0 : -ELOOP;
    if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(node->meta.mode))
        return -ENOTDIR;
    if (S_ISDIR(node->meta.mode) && (writing || (flags & O_CREAT) != 0))
        return -EISDIR;
    return writing && node->device->read_only ? -EROFS : 0;
}

static void shrink(struct sim_node *node, size_t size)
{
    node->synced = false;
    sim_blob_resize(&node->live, size);
    sim_count(node);
    sim_blob_resize(&node->blocks, HF_MIN(node->blocks.n, (size + SIM_BLOCK - 1) / SIM_BLOCK));
    sim_blob_resize(&node->lost, HF_MIN(node->lost.n, (size + SIM_BLOCK - 1) / SIM_BLOCK));
}

static int sim_openat(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    struct hf_simfs *fs = of(ctx);
    bool creating = (flags & O_CREAT) != 0;
    struct sim_place place;
    int r = enter(fs, creating || (flags & O_TRUNC) != 0 ? HF_SIMFS_GROWS : HF_SIMFS_READS, "open %s 0%o", path,
                  (unsigned)flags);

    if (r < 0)
        return r;
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return -EOPNOTSUPP;
    bool follow = (flags & O_NOFOLLOW) == 0 && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    r = find(fs, dirfd, path, resolve, follow, &place);
    if (r < 0)
        return r;
    if (place.node == NULL) {
        r = creating ? create(fs, &place, S_IFREG | (mode & 07777 & ~(mode_t)022)) : -ENOENT;
        return r < 0 ? r : fd_new(fs, place.node, flags);
    }
    if (creating && (flags & O_EXCL) != 0)
        return -EEXIST;
    r = check_open(place.node, flags);
    if (r < 0)
        return r;
    if ((flags & O_TRUNC) != 0)
        shrink(place.node, 0);
    return fd_new(fs, place.node, flags);
}

static int sim_close(void *ctx, int fd)
{
    struct sim_fd *open = fd_get(of(ctx), fd);

    if (open == NULL)
        return of(ctx)->stopped ? 0 : -EBADF;
    open->node->opened--;
    sim_count(open->node);
    *open = (struct sim_fd){NULL, 0, 0};
    return 0;
}

/* ---- content ------------------------------------------------------------------------------------------------------ */

static ssize_t sim_pread(void *ctx, int fd, void *bytes, size_t n, uint64_t offset)
{
    struct sim_node *node;
    int r = enter(of(ctx), HF_SIMFS_READS, "pread %d %zu at %llu", fd, n, (unsigned long long)offset);

    if (r == 0)
        r = fd_file(of(ctx), fd, false, &node);
    if (r < 0)
        return r;
    if (node->unreadable)
        return -EIO;
    if (offset >= node->live.n)
        return 0;
    n = HF_MIN(n, node->live.n - (size_t)offset);
    memcpy(bytes, node->live.p + offset, n);
    return (ssize_t)n;
}

/* Grow to `size`; with `partly`, as far as there is room. Returns the size reached or -errno. */
static ssize_t grow(struct hf_simfs *fs, struct sim_node *node, uint64_t size, bool partly)
{
    uint64_t have = (node->live.n + SIM_BLOCK - 1) / SIM_BLOCK, want = (size + SIM_BLOCK - 1) / SIM_BLOCK;

    if (want > have) {
        int r = room(fs, node->device, (want - have) * SIM_BLOCK);
        while (r == -ENOSPC && partly && --want > have)
            r = room(fs, node->device, (want - have) * SIM_BLOCK);
        if (r == -ENOSPC && partly && have * SIM_BLOCK > node->live.n)
            r = 0, want = have;
        if (r < 0)
            return r;
        size = HF_MIN(size, want * SIM_BLOCK);
    }
    if (size > node->live.n) {
        node->synced = false;
        sim_blob_resize(&node->live, (size_t)size);
        sim_count(node);
    }
    return (ssize_t)size;
}

static void mark_written(struct sim_node *node, size_t first, size_t last)
{
    if (node->blocks.n <= last)
        sim_blob_resize(&node->blocks, last + 1);
    for (size_t i = first; i <= last; i++)
        node->blocks.p[i] = HF_MAX(node->blocks.p[i], (unsigned char)SIM_WRITTEN);
    for (size_t i = first; i <= last && i < node->lost.n; i++)
        node->lost.p[i] = 0;
}

static ssize_t sim_pwrite(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset)
{
    struct sim_node *node;
    int r = enter(of(ctx), HF_SIMFS_GROWS | SIM_CONTENT, "pwrite %d %zu at %llu", fd, n, (unsigned long long)offset);

    if (r == 0)
        r = fd_file(of(ctx), fd, true, &node);
    if (r == 0 && node->device->read_only)
        r = -EROFS;
    if (r < 0 || n == 0)
        return r;
    ssize_t reached = grow(of(ctx), node, HF_MAX(offset + n, (uint64_t)node->live.n), true);
    if (reached < 0)
        return reached;
    if ((uint64_t)reached <= offset)
        return -ENOSPC;
    n = HF_MIN(n, (size_t)((uint64_t)reached - offset));
    node->synced = false;
    memcpy(node->live.p + offset, bytes, n);
    mark_written(node, (size_t)offset / SIM_BLOCK, (size_t)(offset + n - 1) / SIM_BLOCK);
    node->changed_ns = ++of(ctx)->ticks;
    return (ssize_t)n;
}

static int sim_ftruncate(void *ctx, int fd, uint64_t size)
{
    struct sim_node *node;
    int r = enter(of(ctx), HF_SIMFS_SHRINKS, "ftruncate %d %llu", fd, (unsigned long long)size);

    if (r == 0)
        r = fd_file(of(ctx), fd, true, &node);
    if (r < 0)
        return r;
    node->changed_ns = ++of(ctx)->ticks;
    if (size <= node->live.n) {
        shrink(node, (size_t)size);
        return 0;
    }
    ssize_t reached = grow(of(ctx), node, size, false);
    return reached < 0 ? (int)reached : 0;
}

static int sim_fallocate(void *ctx, int fd, uint64_t offset, uint64_t n)
{
    struct sim_node *node;
    int r = enter(of(ctx), HF_SIMFS_GROWS, "fallocate %d %llu", fd, (unsigned long long)(offset + n));

    if (r == 0)
        r = fd_file(of(ctx), fd, true, &node);
    if (r < 0 || offset + n <= node->live.n)
        return r;
    ssize_t reached = grow(of(ctx), node, offset + n, false);
    return reached < 0 ? (int)reached : 0;
}

static int sync_fd(struct hf_simfs *fs, int fd, const char *call, bool meta)
{
    uint64_t failed = fs->failed;
    int r = enter(fs, HF_SIMFS_SHRINKS | SIM_CONTENT, "%s %d", call, fd);
    const struct sim_fd *open = fd_get(fs, fd);

    if (r == -EIO && fs->failed > failed && open != NULL && S_ISREG(open->node->meta.mode))
        sim_lose_content(open->node);
    if (r < 0)
        return r;
    if (open == NULL || (open->flags & O_PATH) != 0)
        return -EBADF;
    if (fs->journal_lost) {
        sim_sync_without_journal(open->node);
        return 0;
    }
    if (S_ISDIR(open->node->meta.mode))
        sim_sync_names(fs, open->node, NULL);
    else
        sim_sync_content(open->node);
    if (meta)
        sim_sync_meta(open->node);
    return 0;
}

static int sim_fsync(void *ctx, int fd)
{
    return sync_fd(of(ctx), fd, "fsync", true);
}

static int sim_fdatasync(void *ctx, int fd)
{
    return sync_fd(of(ctx), fd, "fdatasync", false);
}

static void sim_drop_cache(void *ctx, int fd)
{
    const struct sim_fd *open = fd_get(of(ctx), fd);

    if (open != NULL && S_ISREG(open->node->meta.mode) && !of(ctx)->stopped)
        sim_show_lost(open->node);
}

/* ---- what is known about a file ------------------------------------------------------------------------------------ */

void sim_fill_stat(const struct hf_simfs *fs, const struct sim_node *node, struct stat *ret)
{
    unsigned links = node->links;
    struct timespec changed = {(time_t)(node->changed_ns / 1000), (long)(node->changed_ns % 1000) * 1000000};

    *ret = (struct stat){.st_dev = node->device->id,
                         .st_ino = node->ino,
                         .st_mode = node->meta.mode,
                         .st_nlink = S_ISDIR(node->meta.mode) && (links > 0 || node == fs->root) ? 2 : links,
                         .st_uid = node->meta.uid,
                         .st_gid = node->meta.gid,
                         .st_size = (off_t)node->live.n,
                         .st_blksize = SIM_BLOCK,
                         .st_blocks = (blkcnt_t)((node->live.n + 511) / 512)};
    ret->st_mtim = changed;
    ret->st_ctim = changed;
}

static int sim_birth(HF_UNUSED void *ctx, HF_UNUSED int fd, HF_UNUSED uint64_t *ret_unix_ns)
{
    return -EOPNOTSUPP;
}

static int sim_fstat(void *ctx, int fd, struct stat *ret)
{
    const struct sim_fd *open = fd_get(of(ctx), fd);
    int r = enter(of(ctx), HF_SIMFS_READS, "fstat %d", fd);

    if (r < 0)
        return r;
    if (open == NULL)
        return -EBADF;
    sim_fill_stat(of(ctx), open->node, ret);
    return 0;
}

static int sim_links(void *ctx, int fd)
{
    struct stat st;
    int r = sim_fstat(ctx, fd, &st);

    return r < 0 ? r : (int)st.st_nlink;
}

static int sim_fstatat(void *ctx, int dirfd, const char *path, struct stat *ret, int flags)
{
    struct sim_place place;
    int r = enter(of(ctx), HF_SIMFS_READS, "fstatat %s", path);

    if (r == 0)
        r = find(of(ctx), dirfd, path, HF_FS_ANY, (flags & AT_SYMLINK_NOFOLLOW) == 0, &place);
    if (r < 0)
        return r;
    if (place.node == NULL)
        return -ENOENT;
    sim_fill_stat(of(ctx), place.node, ret);
    return 0;
}

static int sim_fstatvfs(void *ctx, int fd, struct statvfs *ret)
{
    const struct sim_fd *open = fd_get(of(ctx), fd);
    int r = enter(of(ctx), HF_SIMFS_READS, "fstatvfs %d", fd);

    if (r < 0)
        return r;
    if (open == NULL)
        return -EBADF;
    const struct sim_device *device = open->node->device;
    uint64_t total = device->limit != 0 ? device->limit / SIM_BLOCK : 1 << 20;
    uint64_t used = sim_used(device) / SIM_BLOCK, left = used < total ? total - used : 0;
    *ret = (struct statvfs){.f_bsize = SIM_BLOCK,
                            .f_frsize = SIM_BLOCK,
                            .f_blocks = total,
                            .f_bfree = left,
                            .f_bavail = left,
                            .f_flag = device->read_only ? ST_RDONLY : 0,
                            .f_namemax = NAME_MAX};
    return 0;
}

static int sim_is_memory(void *ctx, int fd)
{
    return fd_get(of(ctx), fd) != NULL ? 0 : -EBADF;
}

/* A descriptor whose inode may be changed. */
static int fd_change(struct hf_simfs *fs, int fd, struct sim_node **ret_node)
{
    const struct sim_fd *open = fd_get(fs, fd);

    if (open == NULL || (open->flags & O_PATH) != 0)
        return -EBADF;
    *ret_node = open->node;
    open->node->changed_ns = ++fs->ticks;
    return open->node->device->read_only ? -EROFS : 0;
}

static int sim_fchmod(void *ctx, int fd, mode_t mode)
{
    struct sim_node *node;
    int r = enter(of(ctx), HF_SIMFS_SHRINKS, "fchmod %d 0%o", fd, (unsigned)mode);

    if (r == 0)
        r = fd_change(of(ctx), fd, &node);
    if (r == 0)
        node->meta.mode = (node->meta.mode & S_IFMT) | (mode & 07777);
    return r;
}

static int sim_fchown(void *ctx, int fd, uid_t uid, gid_t gid)
{
    struct sim_node *node;
    int r = enter(of(ctx), HF_SIMFS_SHRINKS, "fchown %d %u:%u", fd, (unsigned)uid, (unsigned)gid);

    if (r == 0)
        r = fd_change(of(ctx), fd, &node);
    if (r < 0)
        return r;
    node->meta.uid = uid == (uid_t)-1 ? node->meta.uid : uid;
    node->meta.gid = gid == (gid_t)-1 ? node->meta.gid : gid;
    if (S_ISREG(node->meta.mode))
        node->meta.mode &= ~(mode_t)(S_ISUID | S_ISGID);
    return 0;
}

static int sim_flock(void *ctx, int fd, int operation)
{
    struct hf_simfs *fs = of(ctx);
    struct sim_fd *open = fd_get(fs, fd);
    int r = enter(fs, HF_SIMFS_READS, "flock %d %d", fd, operation), want = operation & ~LOCK_NB;

    if (r < 0)
        return r;
    if (open == NULL)
        return -EBADF;
    for (int i = 0; want != LOCK_UN && i < SIM_MAX_FDS; i++) {
        const struct sim_fd *other = &fs->fds[i];
        if (other != open && other->node == open->node && other->lock != LOCK_UN &&
            (other->lock == LOCK_EX || want == LOCK_EX))
            return -EWOULDBLOCK;
    }
    open->lock = want;
    return 0;
}

static struct sim_xattr *xattr_find(struct sim_node *node, const char *name)
{
    for (size_t i = 0; i < node->meta.n_xattrs; i++) {
        if (strcmp(node->meta.xattrs[i].name, name) == 0)
            return &node->meta.xattrs[i];
    }
    return NULL;
}

void sim_set_xattr(struct sim_node *node, const char *name, const void *value, size_t n)
{
    struct sim_xattr *xattr = xattr_find(node, name);

    if (xattr == NULL) {
        node->meta.xattrs = sim_alloc(node->meta.xattrs, (node->meta.n_xattrs + 1) * sizeof(*node->meta.xattrs));
        xattr = &node->meta.xattrs[node->meta.n_xattrs++];
        *xattr = (struct sim_xattr){.name = sim_strdup(name)};
    }
    sim_blob_set(&xattr->value, value, n);
}

static ssize_t sim_flistxattr(void *ctx, int fd, char *names, size_t n)
{
    const struct sim_fd *open = fd_get(of(ctx), fd);
    int r = enter(of(ctx), HF_SIMFS_READS, "flistxattr %d", fd);
    size_t used = 0;

    if (r < 0)
        return r;
    if (open == NULL)
        return -EBADF;
    for (size_t i = 0; i < open->node->meta.n_xattrs; i++) {
        size_t one = strlen(open->node->meta.xattrs[i].name) + 1;
        if (n != 0 && used + one > n)
            return -ERANGE;
        if (n != 0)
            memcpy(names + used, open->node->meta.xattrs[i].name, one);
        used += one;
    }
    return (ssize_t)used;
}

static ssize_t sim_fgetxattr(void *ctx, int fd, const char *name, void *value, size_t n)
{
    const struct sim_fd *open = fd_get(of(ctx), fd);
    int r = enter(of(ctx), HF_SIMFS_READS, "fgetxattr %d %s", fd, name);

    if (r < 0)
        return r;
    if (open == NULL)
        return -EBADF;
    const struct sim_xattr *xattr = xattr_find(open->node, name);
    if (xattr == NULL)
        return -ENODATA;
    if (n != 0 && n < xattr->value.n)
        return -ERANGE;
    if (n != 0)
        memcpy(value, xattr->value.p, xattr->value.n);
    return (ssize_t)xattr->value.n;
}

static int sim_fsetxattr(void *ctx, int fd, const char *name, const void *value, size_t n)
{
    struct sim_node *node;
    int r = enter(of(ctx), HF_SIMFS_SHRINKS, "fsetxattr %d %s", fd, name);

    if (r == 0)
        r = fd_change(of(ctx), fd, &node);
    if (r == 0)
        sim_set_xattr(node, name, value, n);
    return r;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static bool below(const struct sim_node *node, const struct sim_node *dir)
{
    for (; node != NULL && node->parent != node; node = node->parent) {
        if (node == dir)
            return true;
    }
    return node == dir;
}

static int check_rename(const struct sim_place *from, const struct sim_place *to)
{
    bool folder = S_ISDIR(from->node->meta.mode);

    if (from->name[0] == '\0' || to->name[0] == '\0')
        return -EBUSY;
    if (from->dir->device != to->dir->device)
        return -EXDEV;
    if (from->dir->device->read_only)
        return -EROFS;
    if (folder && below(to->dir, from->node))
        return -EINVAL;
    if (to->node == NULL)
        return 0;
    if (S_ISDIR(to->node->meta.mode) != folder)
        return folder ? -ENOTDIR : -EISDIR;
    return to->node->names.n > 0 ? -ENOTEMPTY : 0;
}

static int sim_renameat(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to)
{
    struct hf_simfs *fs = of(ctx);
    struct sim_place old, fresh;
    int r = enter(fs, HF_SIMFS_GROWS, "rename %s %s", from, to);

    if (r == 0)
        r = find(fs, from_dirfd, from, HF_FS_ANY, false, &old);
    if (r == 0)
        r = find(fs, to_dirfd, to, HF_FS_ANY, false, &fresh);
    if (r < 0)
        return r;
    if (old.node == NULL)
        return -ENOENT;
    if (old.node == fresh.node) /* two names of one file: POSIX says nothing happens */
        return 0;
    r = check_rename(&old, &fresh);
    if (r < 0)
        return r;
    struct sim_op op = {.changes = {{old.dir, old.name, NULL}, {fresh.dir, fresh.name, old.node}}, .n = 2};
    sim_record(fs, &op);
    return 0;
}

static int sim_linkat(void *ctx, int from_dirfd, const char *from, int to_dirfd, const char *to)
{
    struct hf_simfs *fs = of(ctx);
    struct sim_place old, fresh;
    int r = enter(fs, HF_SIMFS_GROWS, "link %s %s", from, to);

    if (r == 0)
        r = find(fs, from_dirfd, from, HF_FS_ANY, false, &old);
    if (r == 0)
        r = find(fs, to_dirfd, to, HF_FS_ANY, false, &fresh);
    if (r < 0)
        return r;
    if (old.node == NULL)
        return -ENOENT;
    if (fresh.node != NULL)
        return -EEXIST;
    if (S_ISDIR(old.node->meta.mode))
        return -EPERM;
    if (old.node->device != fresh.dir->device)
        return -EXDEV;
    if (fresh.dir->device->read_only)
        return -EROFS;
    sim_add_name(fs, fresh.dir, fresh.name, old.node);
    return 0;
}

static int make_at(void *ctx, int dirfd, const char *path, mode_t mode, struct sim_place *ret)
{
    int r = find(of(ctx), dirfd, path, HF_FS_ANY, false, ret);

    if (r < 0)
        return r;
    return ret->node != NULL ? -EEXIST : create(of(ctx), ret, mode);
}

static int sim_symlinkat(void *ctx, const char *target, int dirfd, const char *path)
{
    struct sim_place place;
    int r = enter(of(ctx), HF_SIMFS_GROWS, "symlink %s %s", target, path);

    if (r == 0)
        r = make_at(ctx, dirfd, path, S_IFLNK | 0777, &place);
    if (r == 0)
        sim_blob_set(&place.node->live, target, strlen(target));
    return r;
}

static ssize_t sim_readlinkat(void *ctx, int dirfd, const char *path, char *text, size_t n)
{
    struct sim_place place;
    int r = enter(of(ctx), HF_SIMFS_READS, "readlink %s", path);

    if (r == 0)
        r = find(of(ctx), dirfd, path, HF_FS_ANY, false, &place);
    if (r < 0)
        return r;
    if (place.node == NULL)
        return -ENOENT;
    if (!S_ISLNK(place.node->meta.mode))
        return -EINVAL;
    n = HF_MIN(n, place.node->live.n);
    memcpy(text, place.node->live.p, n);
    return (ssize_t)n;
}

static int sim_unlinkat(void *ctx, int dirfd, const char *path, int flags)
{
    struct sim_place place;
    bool folder = (flags & AT_REMOVEDIR) != 0;
    int r = enter(of(ctx), HF_SIMFS_SHRINKS, "%s %s", folder ? "rmdir" : "unlink", path);

    if (r == 0)
        r = find(of(ctx), dirfd, path, HF_FS_ANY, false, &place);
    if (r < 0)
        return r;
    if (place.node == NULL)
        return -ENOENT;
    if (place.name[0] == '\0')
        return -EBUSY;
    if (place.dir->device->read_only)
        return -EROFS;
    if (folder != S_ISDIR(place.node->meta.mode))
        return folder ? -ENOTDIR : -EISDIR;
    if (place.node->names.n > 0)
        return -ENOTEMPTY;
    sim_add_name(of(ctx), place.dir, place.name, NULL);
    return 0;
}

static int sim_mkdirat(void *ctx, int dirfd, const char *path, mode_t mode)
{
    struct sim_place place;
    int r = enter(of(ctx), HF_SIMFS_GROWS, "mkdir %s", path);

    return r < 0 ? r : make_at(ctx, dirfd, path, S_IFDIR | (mode & 07777 & ~(mode_t)022), &place);
}

static int sim_list(void *ctx, int dirfd, int (*visit)(void *arg, const char *name, unsigned char type), void *arg)
{
    struct sim_names copy = {NULL, 0};
    struct sim_node *dir = NULL;
    int r = enter(of(ctx), HF_SIMFS_READS, "list %d", dirfd);

    if (r == 0)
        r = base_of(of(ctx), dirfd, &dir);
    if (r < 0)
        return r;
    sim_names_copy(&copy, &dir->names);
    for (size_t i = 0; r >= 0 && i < copy.n; i++)
        r = visit(arg, copy.p[i].name, (unsigned char)IFTODT(copy.p[i].node->meta.mode));
    sim_names_done(&copy);
    return r < 0 ? r : 0;
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

struct hf_simfs *hf_simfs_new(void)
{
    struct hf_simfs *fs = sim_alloc(NULL, sizeof(*fs));

    *fs = (struct hf_simfs){.counted = HF_SIMFS_ALL, .next_device = 1};
    fs->devices = sim_alloc(NULL, sizeof(*fs->devices));
    *fs->devices = (struct sim_device){.id = fs->next_device++};
    fs->root = sim_node_new(fs, NULL, S_IFDIR | 0755);
    fs->root->parent = fs->root;
    fs->ops = (struct hf_fs_ops){.ctx = fs,
                                 .openat = sim_openat,
                                 .close = sim_close,
                                 .pread = sim_pread,
                                 .pwrite = sim_pwrite,
                                 .ftruncate = sim_ftruncate,
                                 .fallocate = sim_fallocate,
                                 .fsync = sim_fsync,
                                 .fdatasync = sim_fdatasync,
                                 .drop_cache = sim_drop_cache,
                                 .fstat = sim_fstat,
                                 .birth = sim_birth,
                                 .links = sim_links,
                                 .fstatat = sim_fstatat,
                                 .fstatvfs = sim_fstatvfs,
                                 .is_memory = sim_is_memory,
                                 .renameat = sim_renameat,
                                 .linkat = sim_linkat,
                                 .symlinkat = sim_symlinkat,
                                 .readlinkat = sim_readlinkat,
                                 .unlinkat = sim_unlinkat,
                                 .mkdirat = sim_mkdirat,
                                 .fchmod = sim_fchmod,
                                 .fchown = sim_fchown,
                                 .flock = sim_flock,
                                 .flistxattr = sim_flistxattr,
                                 .fgetxattr = sim_fgetxattr,
                                 .fsetxattr = sim_fsetxattr,
                                 .list = sim_list};
    return fs;
}

void hf_simfs_free(struct hf_simfs *fs)
{
    if (fs == NULL)
        return;
    sim_check_used(fs);
    for (size_t i = 0; i < fs->n_pending; i++)
        sim_op_done(&fs->pending[i]);
    free(fs->pending);
    while (fs->nodes != NULL) {
        struct sim_node *node = fs->nodes;
        fs->nodes = node->next;
        sim_node_free(node);
    }
    while (fs->devices != NULL) {
        struct sim_device *device = fs->devices;
        fs->devices = device->next;
        free(device);
    }
    free(fs);
}

const struct hf_fs_ops *hf_simfs_ops(struct hf_simfs *fs)
{
    return &fs->ops;
}
