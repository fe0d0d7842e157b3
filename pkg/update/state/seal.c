#include "update/state/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "codec/hash.h"
#include "os/dir.h"
#include "os/file.h"

static int header(const char *kind, unsigned version, struct hf_view body, char *line, size_t n)
{
    char hex[HF_SHA256_HEX];

    return snprintf(line, n, "holdfast-%s %u %s\n", kind, version, hf_sha256_hex(body.p, body.n, hex));
}

int hf_seal_format(const char *kind, unsigned version, struct hf_view body, struct hf_buf *out)
{
    char line[160];
    int n = header(kind, version, body, line, sizeof(line)), r = hf_buf_reserve(out, (size_t)n + body.n);

    if (r == 0)
        r = hf_buf_add(out, line, (size_t)n);
    return r == 0 ? hf_buf_add(out, body.p, body.n) : r;
}

int hf_seal_open(struct hf_view text, const char *kind, unsigned version, struct hf_view *ret_body, struct hf_err *err)
{
    struct hf_view body = text, first;
    char line[160], magic[64];

    (void)snprintf(magic, sizeof(magic), "holdfast-%s ", kind);
    if (!hf_view_starts(text, magic) || !hf_view_split(&body, '\n', &first) || body.p == NULL)
        return hf_err_set(err, EBADMSG, "%s: the first line is not of its form", kind);
    int n = snprintf(magic, sizeof(magic), "holdfast-%s %u ", kind, version);
    if (!hf_view_starts(text, magic) && first.n > (size_t)n && first.n < sizeof(line))
        return hf_err_set(err, EOPNOTSUPP, "%s: another format version", kind);
    n = header(kind, version, body, line, sizeof(line));
    if (first.n + 1 != (size_t)n || memcmp(text.p, line, (size_t)n) != 0)
        return hf_err_set(err, EBADMSG, "%s: the checksum does not fit", kind);
    *ret_body = body;
    return 0;
}

static int join(const char *folder, const char *name, char path[PATH_MAX], struct hf_err *err)
{
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
    return 0;
}

int hf_seal_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_err *err)
{
    char path[PATH_MAX], aside[PATH_MAX + 16];
    int r = join(folder, name, path, err);

    if (r < 0)
        return r;
    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
    r = fs->renameat(fs->ctx, AT_FDCWD, path, AT_FDCWD, aside);
    if (r == 0)
        r = hf_dir_sync(fs, folder, NULL);
    return r < 0 ? hf_err_wrap(err, r, "set '%s' aside", path) : hf_err_wrap(err, -EBADMSG, "set aside as '%s'", aside);
}

int hf_seal_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind, unsigned version,
                 struct hf_buf *text, struct hf_view *ret_body, struct hf_err *err)
{
    char path[PATH_MAX];
    int r = join(folder, name, path, err);

    if (r == 0)
        r = hf_file_read(fs, path, text, err);
    if (r == 0)
        r = hf_seal_open(hf_buf_view(text), kind, version, ret_body, err);
    if (r == -EBADMSG || r == -EOPNOTSUPP || r == -E2BIG || r == -EINVAL)
        r = hf_seal_set_aside(fs, folder, name, err);
    return r;
}

int hf_seal_save(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_view text,
                 struct hf_err *err)
{
    char path[PATH_MAX];
    int r = join(folder, name, path, err);

    if (r == 0)
        r = hf_file_replace(fs, path, text.p, text.n, 0600, err);
    if (r != -ENOENT)
        return r;
    r = hf_dir_make(fs, folder, 0700, err);
    return r < 0 ? r : hf_file_replace(fs, path, text.p, text.n, 0600, err);
}

int hf_seal_remove(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_err *err)
{
    char path[PATH_MAX];
    int r = join(folder, name, path, err);

    return r < 0 ? r : hf_file_forget(fs, path, err);
}

bool hf_seal_take(struct hf_view *rest, const char *name, char *value, size_t n)
{
    struct hf_view line;
    size_t head = strlen(name);

    if (!hf_view_split(rest, '\n', &line) || !hf_view_starts(line, name) || line.n < head + 1 || line.p[head] != ' ' ||
        line.n - head - 1 >= n)
        return false;
    memcpy(value, line.p + head + 1, line.n - head - 1);
    value[line.n - head - 1] = '\0';
    return true;
}
