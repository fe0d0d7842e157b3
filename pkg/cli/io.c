/* SPDX-License-Identifier: Apache-2.0 */
/* Files of commands, and progress. Writes outputs to a file without a name (O_TMPFILE), so that a killed command
 * leaves nothing behind; on file systems without O_TMPFILE, to "<name>.XXXXXX". */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "os/dir.h"
#include "os/fd.h"

enum { READ_PIECE = 1 << 16, DRAW_EVERY_MS = 100, PACE_AFTER_S = 2, TIME_TEXT = 32 };

static int open_temp(const char *path, mode_t mode, struct hf_cli_out *out, struct hf_err *err)
{
    char folder[PATH_MAX];

    (void)hf_dir_of_path(path, folder, sizeof(folder));
    out->fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
    if (out->fd >= 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != EISDIR)
        return hf_err_sys(err, -errno, "write in '%s'", folder);
    out->temp = hf_asprintf("%s.XXXXXX", path);
    if (out->temp == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    out->fd = mkostemp(out->temp, O_CLOEXEC);
    if (out->fd < 0) {
        int r = hf_err_sys(err, -errno, "create '%s'", out->temp);
        free(hf_steal(out->temp));
        return r;
    }
    mode_t mask = umask(0);
    (void)umask(mask);
    return fchmod(out->fd, mode & ~mask) < 0 ? hf_err_sys(err, -errno, "chmod '%s'", out->temp) : 0;
}

/* Gives the new file the mode of the file that it replaces and, if this user may, its owner. */
static int keep_rights(int fd, const struct stat *old, const char *path, struct hf_err *err)
{
    (void)!fchown(fd, old->st_uid, old->st_gid);
    return fchmod(fd, old->st_mode & 0777) < 0 ? hf_err_sys(err, -errno, "chmod '%s'", path) : 0;
}

/* Opens the output according to what the path is: writes to a device or pipe, follows a link, refuses a folder. */
static int open_named(const char *path, mode_t mode, struct hf_cli_out *out, struct hf_err *err)
{
    _cleanup_(hf_freep) char *real = realpath(path, NULL);
    const char *target = real != NULL ? real : path;
    struct stat st;

    if (stat(target, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return hf_err_sys(err, -EISDIR, "write '%s'", path);
        if (!S_ISREG(st.st_mode)) {
            out->fd = open(target, O_WRONLY | O_CLOEXEC);
            return out->fd < 0 ? hf_err_sys(err, -errno, "open '%s'", path) : 0;
        }
        out->replaces = true;
    }
    out->path = strdup(target);
    if (out->path == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = open_temp(target, out->replaces ? 0600 : mode, out, err);
    return r == 0 && out->replaces ? keep_rights(out->fd, &st, path, err) : r;
}

int hf_cli_out_open(struct hf_cli *cli, const char *path, mode_t mode, struct hf_cli_out *ret_out, struct hf_err *err)
{
    struct hf_cli_out out = HF_CLI_OUT_INIT;
    int r = 0;

    if (strcmp(path, "-") == 0) {
        out.fd = fcntl(cli->out_fd, F_DUPFD_CLOEXEC, 0);
        if (out.fd < 0)
            r = hf_err_sys(err, -errno, "standard output");
    } else {
        r = open_named(path, mode, &out, err);
    }
    if (r < 0) {
        hf_cli_out_done(&out);
        return r;
    }
    *ret_out = out;
    return 0;
}

int hf_cli_out_write(struct hf_cli_out *out, const void *bytes, size_t n, struct hf_err *err)
{
    int r = hf_fd_write_all(out->fd, bytes, n);

    return r < 0 ? hf_err_sys(err, r, "write '%s'", out->path != NULL ? out->path : "standard output") : 0;
}

int hf_cli_sink_write(void *ctx, const void *bytes, size_t n)
{
    struct hf_cli_sink *sink = ctx;

    sink->size += n;
    return hf_cli_out_write(&sink->out, bytes, n, sink->err);
}

/* Gives the nameless file its name or, if that is taken, a temporary one, because linkat() replaces nothing. */
static int name_temp(struct hf_cli_out *out)
{
    char self[64];

    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
    if (!out->replaces && linkat(AT_FDCWD, self, AT_FDCWD, out->path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    char *temp = hf_asprintf("%s.new-%d", out->path, (int)getpid());
    if (temp == NULL)
        return -ENOMEM;
    if (linkat(AT_FDCWD, self, AT_FDCWD, temp, AT_SYMLINK_FOLLOW) < 0) {
        int r = -errno;
        free(temp);
        return r;
    }
    out->temp = temp;
    return 0;
}

/* Returns true if the file system writes a file's bytes before a rename that replaces another file. ext4 calls that
 * auto_da_alloc. */
static bool keeps_order(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    uint32_t type = (uint32_t)fs.f_type; /* signed 32 or 64 bits, depending on the processor */
    return type == EXT4_SUPER_MAGIC || type == BTRFS_SUPER_MAGIC || type == TMPFS_MAGIC;
}

int hf_cli_out_publish(struct hf_cli_out *out, bool sync, struct hf_err *err)
{
    if (out->path == NULL)
        return 0;
    if ((sync || (out->replaces && !keeps_order(out->fd))) && fsync(out->fd) < 0)
        return hf_err_sys(err, -errno, "sync '%s'", out->path);
    int r = out->temp == NULL ? name_temp(out) : 0;
    if (r < 0)
        return hf_err_sys(err, r, "name '%s'", out->path);
    if (out->temp != NULL && rename(out->temp, out->path) < 0)
        return hf_err_sys(err, -errno, "rename to '%s'", out->path);
    free(hf_steal(out->temp));
    return 0;
}

int hf_cli_out_commit(struct hf_cli_out *out, struct hf_err *err)
{
    return hf_cli_out_publish(out, true, err);
}

void hf_cli_out_done(struct hf_cli_out *out)
{
    if (out->temp != NULL)
        (void)unlink(out->temp);
    if (out->fd >= 0)
        (void)close(out->fd);
    free(out->temp);
    free(out->path);
    *out = (struct hf_cli_out)HF_CLI_OUT_INIT;
}

int hf_cli_in_open(struct hf_cli *cli, const char *path, int *ret_fd, struct hf_err *err)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? fcntl(cli->in_fd, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return hf_err_sys(err, -errno, "open '%s'", standard ? "standard input" : path);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void)close(fd);
        return hf_err_set(err, EISDIR, "'%s' is a folder: name a file, or the files in it", path);
    }
    *ret_fd = fd;
    return 0;
}

ssize_t hf_cli_fd_read(void *fd, void *bytes, size_t n)
{
    ssize_t got;

    do
        got = read(*(const int *)fd, bytes, n);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

ssize_t hf_cli_fd_pread(void *fd, void *bytes, size_t n, uint64_t offset)
{
    ssize_t got;

    do
        got = pread(*(const int *)fd, bytes, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static int read_rest(int fd, const char *path, struct hf_buf *out, struct hf_err *err)
{
    char piece[READ_PIECE];
    int r = 0;

    while (r == 0) {
        ssize_t n = hf_cli_fd_read(&fd, piece, sizeof(piece));
        if (n == 0)
            break;
        if (n < 0)
            r = hf_err_sys(err, (int)n, "read '%s'", path);
        else if ((r = hf_buf_add(out, piece, (size_t)n)) < 0)
            r = hf_err_set(err, -r, "'%s' is larger than %zu bytes", path, out->max);
    }
    explicit_bzero(piece, sizeof(piece)); /* it may be a key */
    return r;
}

int hf_cli_read_whole(struct hf_cli *cli, const char *path, struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(hf_closep) int fd = -1;
    int r = hf_cli_in_open(cli, path, &fd, err);

    return r == 0 ? read_rest(fd, path, out, err) : r;
}

static int read_all(int fd, const char *path, size_t max_bytes, struct hf_cli_map *map, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(max_bytes);
    int r = read_rest(fd, path, &buf, err);

    if (r < 0)
        return r;
    map->n = buf.n;
    map->heap = hf_buf_take(&buf);
    if (map->heap == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    map->p = map->heap;
    return 0;
}

int hf_cli_map_open(struct hf_cli *cli, const char *path, size_t max_bytes, struct hf_cli_map *ret_map,
                    struct hf_err *err)
{
    _cleanup_(hf_closep) int fd = -1;
    struct hf_cli_map map = {.p = "", .n = 0};
    struct stat st;
    int r = hf_cli_in_open(cli, path, &fd, err);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return hf_err_sys(err, -errno, "stat '%s'", path);
    if (!S_ISREG(st.st_mode)) {
        r = read_all(fd, path, max_bytes, &map, err);
    } else if ((uint64_t)st.st_size > max_bytes) {
        r = hf_err_set(err, E2BIG, "'%s' is larger than %zu bytes", path, max_bytes);
    } else if (st.st_size > 0) {
        map.n = (size_t)st.st_size;
        map.mapped = mmap(NULL, map.n, PROT_READ, MAP_PRIVATE, fd, 0);
        map.p = map.mapped;
        if (map.mapped == MAP_FAILED)
            r = hf_err_sys(err, -errno, "map '%s'", path);
    }
    if (r == 0)
        *ret_map = map;
    return r;
}

void hf_cli_map_drop_pages(const struct hf_cli_map *map)
{
    if (map->mapped != NULL)
        (void)madvise(map->mapped, map->n, MADV_DONTNEED);
}

void hf_cli_map_done(struct hf_cli_map *map)
{
    if (map->mapped != NULL)
        (void)munmap(map->mapped, map->n);
    free(map->heap);
    *map = (struct hf_cli_map){.p = NULL};
}

/* Returns the estimated seconds until the end; 0: no estimate yet. */
static uint64_t time_left_s(struct hf_cli *cli, uint64_t now, uint64_t done, uint64_t total)
{
    if (total != cli->pace.total || done < cli->pace.done) {
        cli->pace.total = total;
        cli->pace.since_mono_ns = now;
        cli->pace.from = done;
    }
    cli->pace.done = done;
    uint64_t spent = now - cli->pace.since_mono_ns, ran = done - cli->pace.from;
    if (spent < PACE_AFTER_S * HF_NS_PER_S || ran == 0 || done >= total)
        return 0;
    return (uint64_t)((double)spent / (double)ran * (double)(total - done) / (double)HF_NS_PER_S) + 1;
}

static const char *time_text(uint64_t seconds, char text[TIME_TEXT])
{
    uint64_t minutes = (seconds + 30) / 60;

    if (seconds < 100)
        (void)snprintf(text, TIME_TEXT, "%llu s", (unsigned long long)seconds);
    else if (minutes < 100)
        (void)snprintf(text, TIME_TEXT, "%llu min", (unsigned long long)minutes);
    else
        (void)snprintf(text, TIME_TEXT, "%llu h", (unsigned long long)((minutes + 30) / 60));
    return text;
}

void hf_cli_progress(struct hf_cli *cli, const char *label, uint64_t done, uint64_t total)
{
    uint64_t now = hf_mono_ns(cli->clock);

    if (!cli->terminal || (cli->drawing && now - cli->drawn_mono_ns < DRAW_EVERY_MS * HF_NS_PER_MS))
        return;
    cli->drawn_mono_ns = now;
    cli->drawing = true;
    (void)fprintf(cli->err, "\r\033[K%s", label);
    if (total > 0) {
        char text[TIME_TEXT];
        uint64_t left = time_left_s(cli, now, HF_MIN(done, total), total);
        (void)fprintf(cli->err, "  %u %%", (unsigned)((double)HF_MIN(done, total) * 100 / (double)total));
        if (left > 0)
            (void)fprintf(cli->err, ", %s left", time_text(left, text));
    }
    (void)fflush(cli->err);
}

void hf_cli_progress_end(struct hf_cli *cli)
{
    if (cli->drawing)
        (void)fprintf(cli->err, "\r\033[K");
    cli->drawing = false;
}

/* Rounds with integers, because printing a double executes more code pages than applying a delta. */
const char *hf_cli_bytes(uint64_t bytes, char text[HF_CLI_BYTES_TEXT])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    uint64_t scale = 1;
    size_t unit = 0;

    for (; bytes / scale + (scale > 1 && bytes % scale >= scale / 2) >= 1000 && unit + 1 < HF_LEN(units); unit++)
        scale *= 1000;
    uint64_t tenths = bytes / scale * 10 + (bytes % scale * 10 + scale / 2) / scale;
    if (unit > 0 && tenths < 1000)
        (void)snprintf(text, HF_CLI_BYTES_TEXT, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10),
                       units[unit]);
    else
        (void)snprintf(text, HF_CLI_BYTES_TEXT, "%llu %s",
                       (unsigned long long)(bytes / scale + (unit > 0 && bytes % scale >= scale / 2)), units[unit]);
    return text;
}
