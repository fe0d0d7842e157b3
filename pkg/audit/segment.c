/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "os/file.h"

#define PREFIX "audit-"
#define SUFFIX ".jsonl"

enum { DIGITS = 12, READ_MAX = 2 * HF_AUDIT_SEGMENT_BYTES };

const char *hf_audit_segment_name(uint64_t first, char name[HF_AUDIT_NAME])
{
    (void)snprintf(name, HF_AUDIT_NAME, PREFIX "%0*" PRIu64 SUFFIX, DIGITS, first % UINT64_C(1000000000000));
    return name;
}

static bool parse_name(const char *name, uint64_t *ret_first)
{
    char digits[DIGITS + 1], again[HF_AUDIT_NAME];
    size_t zeros;

    if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0 || strlen(name) != sizeof(PREFIX SUFFIX) - 1 + DIGITS)
        return false;
    (void)snprintf(digits, sizeof(digits), "%.*s", DIGITS, name + sizeof(PREFIX) - 1);
    zeros = strspn(digits, "0");
    return hf_parse_u64(digits + zeros, 1, UINT64_MAX, ret_first) == 0 &&
           strcmp(hf_audit_segment_name(*ret_first, again), name) == 0;
}

/* Keeps the newest ones, in order. */
static int add_segment(void *arg, const char *name, unsigned char type)
{
    struct hf_audit_segments *found = arg;
    uint64_t first;
    size_t at;

    (void)type;
    if (!parse_name(name, &first))
        return 0;
    for (at = found->n; at > 0 && found->first[at - 1] > first; at--)
        ;
    if (found->n == HF_LEN(found->first)) {
        if (at == 0)
            return 0;
        memmove(found->first, found->first + 1, (--at) * sizeof(found->first[0]));
    } else {
        memmove(found->first + at + 1, found->first + at, (found->n++ - at) * sizeof(found->first[0]));
    }
    found->first[at] = first;
    return 0;
}

int hf_audit_segments_list(const struct hf_fs_ops *fs, const char *dir, struct hf_audit_segments *ret,
                           struct hf_err *err)
{
    int fd = fs->openat(fs->ctx, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    *ret = (struct hf_audit_segments){0};
    if (fd < 0)
        return hf_err_sys(err, fd, "open folder '%s'", dir);
    int r = fs->list(fs->ctx, fd, add_segment, ret);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "list folder '%s'", dir) : 0;
}

int hf_audit_segment_path(const char *dir, uint64_t first, char path[PATH_MAX], struct hf_err *err)
{
    char name[HF_AUDIT_NAME];

    if (snprintf(path, PATH_MAX, "%s/%s", dir, hf_audit_segment_name(first, name)) >= PATH_MAX)
        return hf_err_set(err, ENAMETOOLONG, "the path of folder '%.200s' is too long", dir);
    return 0;
}

int hf_audit_segment_read(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                          struct hf_err *err)
{
    char path[PATH_MAX];
    int r = hf_audit_segment_path(dir, first, path, err);

    return r < 0 ? r : hf_file_read(fs, path, text, err);
}

bool hf_audit_line_next(struct hf_view *rest, struct hf_audit_line *line)
{
    if (rest->n == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n, used = end != NULL ? n + 1 : n;

    line->number++;
    line->text = (struct hf_view){rest->p, n};
    line->entry = (struct hf_audit_entry){0};
    line->err = (struct hf_err)HF_ERR_INIT;
    (void)hf_sha256_hex(line->text.p, n, line->hash);
    if (end == NULL)
        line->r = hf_err_set(&line->err, EBADMSG, "the line is torn: it has no end");
    else
        line->r = hf_audit_entry_parse(line->text, &line->entry, &line->err);
    *rest = (struct hf_view){rest->p + used, rest->n - used};
    return true;
}

int hf_audit_segment_visit(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                           int (*visit)(void *arg, const struct hf_audit_line *line), void *arg)
{
    char name[HF_AUDIT_NAME];
    struct hf_audit_line line = {.segment = hf_audit_segment_name(first, name)};
    int r;

    hf_buf_clear(text);
    line.r = hf_audit_segment_read(fs, dir, first, text, &line.err);
    if (line.r < 0) {
        line.number = 1;
        return visit(arg, &line);
    }
    struct hf_view rest = hf_buf_view(text);
    if (rest.n == 0) {
        line.number = 1;
        line.r = hf_err_set(&line.err, EBADMSG, "the segment is empty");
        return visit(arg, &line);
    }
    while (hf_audit_line_next(&rest, &line)) {
        r = visit(arg, &line);
        if (r != 0)
            return r;
    }
    return 0;
}

int hf_audit_read(const struct hf_fs_ops *fs, const char *dir, uint64_t from,
                  int (*visit)(void *arg, const struct hf_audit_line *line), void *arg, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(READ_MAX);
    struct hf_audit_segments found;
    int r = hf_audit_segments_list(fs, dir, &found, err);

    for (size_t i = 0; r == 0 && i < found.n; i++)
        if (i + 1 == found.n || found.first[i + 1] > from)
            r = hf_audit_segment_visit(fs, dir, found.first[i], &text, visit, arg);
    return r;
}
