#include "cli/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/file.h"

/* What a node takes at most; longer or deeper is refused here already. */
enum { BLOCK = 512, MAX_NAME = 1024, MAX_DEPTH = 32, MAX_MEMBERS = 100000, PIECE = 1 << 16 };

struct tar {
    int (*write)(void *ctx, const void *bytes, size_t n);
    void *ctx;
    struct hf_err *err;
    unsigned members;
    char name[MAX_NAME]; /* of the member at hand */
    size_t name_n;
};

/* Offsets and widths of the fields of a ustar header. */
enum {
    AT_NAME = 0,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    NAME_FIELD = 100,
    LINK_FIELD = 100,
};
#define OCTAL_SIZE_MAX 077777777777ull

static int emit(struct tar *tar, const void *bytes, size_t n)
{
    int r = tar->write(tar->ctx, bytes, n);

    return r < 0 ? hf_err_wrap(tar->err, r, "write archive") : 0;
}

static int pad(struct tar *tar, uint64_t size)
{
    static const char zeros[BLOCK];
    size_t over = (size_t)(size % BLOCK);

    return over == 0 ? 0 : emit(tar, zeros, BLOCK - over);
}

static void put_octal(char *field, size_t width, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%0*llo", (int)width - 1, (unsigned long long)value);
    memcpy(field, text, width - 1);
}

static int header(struct tar *tar, char type, const char *name, unsigned mode, uint64_t size, const char *target)
{
    unsigned char block[BLOCK] = {0};
    char *text = (char *)block;
    unsigned sum = 0;

    memcpy(text + AT_NAME, name, strnlen(name, NAME_FIELD));
    memcpy(text + AT_LINK, target, strnlen(target, LINK_FIELD));
    put_octal(text + AT_MODE, 8, mode);
    put_octal(text + AT_UID, 8, 0);
    put_octal(text + AT_GID, 8, 0);
    put_octal(text + AT_SIZE, 12, size <= OCTAL_SIZE_MAX ? size : 0);
    put_octal(text + AT_MTIME, 12, 0);
    text[AT_TYPE] = type;
    memcpy(text + AT_MAGIC, "ustar\00000", 8);
    memset(text + AT_SUM, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    put_octal(text + AT_SUM, 7, sum);
    text[AT_SUM + 6] = '\0';
    return emit(tar, block, BLOCK);
}

/* "LEN key=value\n", where LEN counts itself. */
static int add_record(struct hf_buf *records, const char *key, const char *value)
{
    size_t n = strlen(key) + strlen(value) + 3, digits = 1, total;

    for (;;) {
        char text[24];
        total = n + digits;
        size_t wanted = (size_t)snprintf(text, sizeof(text), "%zu", total);
        if (wanted == digits)
            break;
        digits = wanted;
    }
    return hf_buf_addf(records, "%zu %s=%s\n", total, key, value);
}

/* What does not fit the old header goes into a pax header before it. */
static int extended(struct tar *tar, uint64_t size, const char *target)
{
    _cleanup_(hf_buf_done) struct hf_buf records = HF_BUF_INIT(8192);
    char number[24];
    int r = 0;

    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)size);
    if (tar->name_n > NAME_FIELD)
        r = add_record(&records, "path", tar->name);
    if (r == 0 && strlen(target) > LINK_FIELD)
        r = add_record(&records, "linkpath", target);
    if (r == 0 && size > OCTAL_SIZE_MAX)
        r = add_record(&records, "size", number);
    if (r < 0)
        return hf_err_set(tar->err, ENOMEM, "out of memory");
    if (records.n == 0)
        return 0;
    r = header(tar, 'x', "pax", 0644, records.n, "");
    if (r == 0)
        r = emit(tar, records.p, records.n);
    return r == 0 ? pad(tar, records.n) : r;
}

static int member(struct tar *tar, char type, unsigned mode, uint64_t size, const char *target)
{
    if (++tar->members > MAX_MEMBERS)
        return hf_err_set(tar->err, E2BIG, "more than %d members", MAX_MEMBERS);
    int r = extended(tar, size, target);
    return r == 0 ? header(tar, type, tar->name, mode, size, target) : r;
}

static int add_file(struct tar *tar, int dirfd, const char *entry, const struct stat *st)
{
    _cleanup_(hf_closep) int fd = openat(dirfd, entry, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint64_t size = (uint64_t)st->st_size, done = 0;
    char piece[PIECE];

    if (fd < 0)
        return hf_err_sys(tar->err, -errno, "open '%s'", tar->name);
    int r = member(tar, '0', st->st_mode & 07777, size, "");
    while (r == 0 && done < size) {
        ssize_t n = read(fd, piece, HF_MIN(sizeof(piece), size - done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return hf_err_set(tar->err, EIO, "'%s' changed or cannot be read", tar->name);
        r = emit(tar, piece, (size_t)n);
        done += (uint64_t)n;
    }
    return r == 0 ? pad(tar, size) : r;
}

static int add_link(struct tar *tar, int dirfd, const char *entry)
{
    char target[MAX_NAME];
    ssize_t n = readlinkat(dirfd, entry, target, sizeof(target));

    if (n < 0 || (size_t)n >= sizeof(target))
        return hf_err_sys(tar->err, n < 0 ? -errno : -ENAMETOOLONG, "read link '%s'", tar->name);
    target[n] = '\0';
    return member(tar, '2', 0777, 0, target);
}

static int add_folder(struct tar *tar, int fd, unsigned depth);

static int add_entry(struct tar *tar, int dirfd, const char *entry, unsigned depth)
{
    struct stat st;

    if (fstatat(dirfd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return hf_err_sys(tar->err, -errno, "stat '%s'", tar->name);
    if (S_ISREG(st.st_mode))
        return add_file(tar, dirfd, entry, &st);
    if (S_ISLNK(st.st_mode))
        return add_link(tar, dirfd, entry);
    if (!S_ISDIR(st.st_mode))
        return hf_err_set(tar->err, EBADMSG, "'%s' is neither file, folder nor symbolic link", tar->name);
    int r = member(tar, '5', st.st_mode & 07777, 0, "");
    if (r < 0)
        return r;
    int fd = openat(dirfd, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return hf_err_sys(tar->err, -errno, "open '%s'", tar->name);
    r = add_folder(tar, fd, depth + 1);
    (void)close(fd);
    return r;
}

static int no_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* By bytes: alphasort() would ask the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_named(struct tar *tar, int fd, const char *entry, unsigned depth)
{
    size_t before = tar->name_n;
    int n = snprintf(tar->name + before, sizeof(tar->name) - before, "%s%s", before > 0 ? "/" : "", entry);

    if (n < 0 || (size_t)n >= sizeof(tar->name) - before)
        return hf_err_set(tar->err, ENAMETOOLONG, "'%s/%s' is longer than %d bytes", tar->name, entry, MAX_NAME - 1);
    tar->name_n = before + (size_t)n;
    int r = add_entry(tar, fd, entry, depth);
    tar->name_n = before;
    tar->name[before] = '\0';
    return r;
}

static int add_folder(struct tar *tar, int fd, unsigned depth)
{
    struct dirent **entries = NULL;
    int r = 0;

    if (depth > MAX_DEPTH)
        return hf_err_set(tar->err, E2BIG, "'%s' is deeper than %d folders", tar->name, MAX_DEPTH);
    int n = scandirat(fd, ".", &entries, no_dots, by_bytes);
    if (n < 0)
        return hf_err_sys(tar->err, -errno, "list '%s'", tar->name);
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add_named(tar, fd, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int hf_cli_tar(const char *folder, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, struct hf_err *err)
{
    static const char end[2 * BLOCK];
    struct tar tar = {.write = write, .ctx = ctx, .err = err};
    _cleanup_(hf_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return hf_err_sys(err, -errno, "open '%s'", folder);
    int r = add_folder(&tar, fd, 1);
    if (r == 0)
        r = emit(&tar, end, sizeof(end));
    return r < 0 ? hf_err_wrap(err, r, "folder '%s'", folder) : 0;
}
