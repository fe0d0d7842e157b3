/* SPDX-License-Identifier: Apache-2.0 */
/* One member is its header block and up to MAX_EXTENDED_IN_ROW extended headers before it, whose values replace
 * those of the block. hf_tar_next() reads through pread(); for an archive that arrives in pieces, hf_tar_head_want()
 * tells how many bytes the headers have, and hf_tar_head_parse() passes these bytes to the same code, so that there
 * is one parser.
 *
 * Security: each size is checked before it is used, extended headers are limited to HF_TAR_MAX_HEAD, and normalise()
 * refuses names that are absolute, have "..", or are too long or too deep; a hard link's target follows the same
 * rules. A symbolic link's target is any text: an extractor must not follow it. The two zero blocks at the end may
 * be missing, because a hash covers the archive. */
#include "pack/tar/tar_read.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/parse.h"
#include "pack/tar/tar_fields.h"

enum { MAX_EXTENDED_IN_ROW = 8 };

/* Values from extended headers, which replace those of the member's own header. */
struct extended {
    char name[HF_TAR_MAX_NAME], target[HF_TAR_MAX_NAME];
    bool has_name, has_target, has_size, has_uid, has_gid;
    uint64_t size, uid, gid;
    struct hf_buf *xattrs;
};

static int bad(const struct hf_tar *tar, struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "tar: %s at byte %llu", what, (unsigned long long)tar->at);
}

/* Parses octal digits with leading blanks, which a blank or zero byte ends; or GNU's base-256, if the first bit is
 * set. */
static int number(const unsigned char *field, size_t n, uint64_t *ret)
{
    uint64_t value = 0;
    size_t i = 0;

    if ((field[0] & 0x80) != 0) {
        value = field[0] & 0x7f;
        for (i = 1; i < n; i++) {
            if (value >> 55 != 0)
                return -EBADMSG;
            value = value << 8 | field[i];
        }
        *ret = value;
        return 0;
    }
    while (i < n && field[i] == ' ')
        i++;
    for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(field[i] - '0');
    if (i < n && field[i] != ' ' && field[i] != '\0')
        return -EBADMSG;
    *ret = value;
    return 0;
}

static bool checksum_fits(const unsigned char block[HF_TAR_BLOCK])
{
    uint64_t wanted, sum = 0;

    if (number(block + TAR_AT_CHECKSUM, 8, &wanted) < 0)
        return false;
    for (size_t i = 0; i < HF_TAR_BLOCK; i++)
        sum += i >= TAR_AT_CHECKSUM && i < TAR_AT_CHECKSUM + 8 ? ' ' : block[i];
    return sum == wanted;
}

static int read_exact(struct hf_tar *tar, void *bytes, size_t n, uint64_t offset, struct hf_err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = tar->pread(tar->ctx, (char *)bytes + done, n - done, offset + done);
        if (got < 0)
            return hf_err_sys(err, (int)got, "tar: read");
        if (got == 0)
            return bad(tar, err, "the archive is incomplete");
        done += (size_t)got;
    }
    return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* Drops "./", double and final slashes. Refuses absolute names, "..", and names that are too long or too deep. */
static int normalise(const char *name, char out[HF_TAR_MAX_NAME])
{
    size_t n = 0, depth = 0;

    if (name[0] == '/' || strlen(name) >= HF_TAR_MAX_NAME)
        return -EBADMSG;
    for (const char *at = name; *at != '\0';) {
        size_t part = strcspn(at, "/");
        if (part == 2 && at[0] == '.' && at[1] == '.')
            return -EBADMSG;
        if (part > NAME_MAX)
            return -EBADMSG;
        if (part > 0 && !(part == 1 && at[0] == '.')) {
            if (++depth > HF_TAR_MAX_DEPTH)
                return -EBADMSG;
            if (n > 0)
                out[n++] = '/';
            memcpy(out + n, at, part);
            n += part;
        }
        at += part + (at[part] == '/');
    }
    out[n] = '\0';
    return 0;
}

static void plain_name(const unsigned char block[HF_TAR_BLOCK], char out[HF_TAR_MAX_NAME])
{
    bool ustar =
        memcmp(block + TAR_AT_MAGIC, "ustar", 6) == 0; /* with its zero byte; GNU's variant has a blank and no prefix */

    if (ustar && block[TAR_AT_PREFIX] != '\0')
        (void)snprintf(out, HF_TAR_MAX_NAME, "%.155s/%.100s", (const char *)block + TAR_AT_PREFIX,
                       (const char *)block + TAR_AT_NAME);
    else
        (void)snprintf(out, HF_TAR_MAX_NAME, "%.100s", (const char *)block + TAR_AT_NAME);
}

/* ---- extended headers -------------------------------------------------------------------------------------------- */

static int keep_text(struct hf_view value, char out[HF_TAR_MAX_NAME])
{
    if (value.n >= HF_TAR_MAX_NAME || memchr(value.p, '\0', value.n) != NULL)
        return -EBADMSG;
    memcpy(out, value.p, value.n);
    out[value.n] = '\0';
    return 0;
}

static int keep_number(struct hf_view value, uint64_t max, bool *has, uint64_t *ret)
{
    char text[24];

    if (value.n >= sizeof(text))
        return -EBADMSG;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    *has = true;
    return hf_parse_u64(text, 0, max, ret) < 0 ? -EBADMSG : 0;
}

/* `whole` is the record with its length and newline, `record` is "key=value". */
static int pax_record(struct hf_view whole, struct hf_view record, struct extended *extended)
{
    struct hf_view value = record, key;

    if (!hf_view_split(&value, '=', &key) || value.p == NULL)
        return -EBADMSG;
    if (hf_view_eq(key, "path")) {
        extended->has_name = true;
        return keep_text(value, extended->name);
    }
    if (hf_view_eq(key, "linkpath")) {
        extended->has_target = true;
        return keep_text(value, extended->target);
    }
    if (hf_view_eq(key, "size"))
        return keep_number(value, INT64_MAX, &extended->has_size, &extended->size);
    if (hf_view_eq(key, "uid"))
        return keep_number(value, UINT32_MAX, &extended->has_uid, &extended->uid);
    if (hf_view_eq(key, "gid"))
        return keep_number(value, UINT32_MAX, &extended->has_gid, &extended->gid);
    if (extended->xattrs != NULL && hf_view_starts(key, "SCHILY.xattr."))
        return hf_buf_add(extended->xattrs, whole.p, whole.n) < 0 ? -EBADMSG : 0;
    return hf_view_starts(key, "GNU.sparse") ? -EBADMSG : 0;
}

/* Records "<length> key=value\n"; the length counts the whole record. */
static int pax_records(struct hf_view text, struct extended *extended)
{
    while (text.n > 0) {
        size_t length = 0, i = 0;
        while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && length <= HF_TAR_MAX_HEAD)
            length = length * 10 + (size_t)(text.p[i++] - '0');
        if (i == 0 || i >= text.n || text.p[i] != ' ' || length > text.n || length < i + 2 ||
            text.p[length - 1] != '\n')
            return -EBADMSG;
        int r =
            pax_record((struct hf_view){text.p, length}, (struct hf_view){text.p + i + 1, length - i - 2}, extended);
        if (r < 0)
            return r;
        text = (struct hf_view){text.p + length, text.n - length};
    }
    return 0;
}

static int gnu_long(struct hf_view text, bool *has, char out[HF_TAR_MAX_NAME])
{
    while (text.n > 0 && text.p[text.n - 1] == '\0')
        text.n--;
    *has = true;
    return keep_text(text, out);
}

static int read_extended(struct hf_tar *tar, char type, uint64_t size, struct extended *extended, struct hf_err *err)
{
    _cleanup_(hf_freep) char *text = NULL;

    if (size > HF_TAR_MAX_HEAD)
        return bad(tar, err, "an extended header is too long");
    text = malloc((size_t)size + 1);
    if (text == NULL)
        return hf_err_sys(err, -ENOMEM, "tar");
    int r = read_exact(tar, text, (size_t)size, tar->at + HF_TAR_BLOCK, err);
    if (r < 0)
        return r;
    struct hf_view view = {text, (size_t)size};
    if (type == 'x')
        r = pax_records(view, extended);
    else if (type == 'L')
        r = gnu_long(view, &extended->has_name, extended->name);
    else if (type == 'K')
        r = gnu_long(view, &extended->has_target, extended->target);
    return r < 0 ? bad(tar, err, "an extended header is invalid or not supported") : 0;
}

static bool is_extended(char type)
{
    return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

static int type_of(char flag, enum hf_tar_type *ret)
{
    switch (flag) {
    case '0':
    case '\0':
    case '7':
        *ret = HF_TAR_FILE;
        return 0;
    case '1':
        *ret = HF_TAR_HARDLINK;
        return 0;
    case '2':
        *ret = HF_TAR_SYMLINK;
        return 0;
    case '5':
        *ret = HF_TAR_FOLDER;
        return 0;
    default:
        return -EBADMSG;
    }
}

static int fill_member(struct hf_tar *tar, const unsigned char block[HF_TAR_BLOCK], const struct extended *extended,
                       uint64_t size, struct hf_tar_member *member, struct hf_err *err)
{
    char name[HF_TAR_MAX_NAME], target[HF_TAR_MAX_NAME];
    uint64_t mode, uid, gid;

    if (type_of((char)block[TAR_AT_TYPE], &member->type) < 0)
        return bad(tar, err, "a member is not a file, folder or link");
    plain_name(block, name);
    /* In old archives only the final slash marks a folder. */
    const char *full = extended->has_name ? extended->name : name;
    if (member->type == HF_TAR_FILE && full[0] != '\0' && full[strlen(full) - 1] == '/')
        member->type = HF_TAR_FOLDER;
    if (normalise(full, member->name) < 0 || (member->name[0] == '\0' && member->type != HF_TAR_FOLDER))
        return bad(tar, err, "a member's name leads out of the folder, or is too long or too deep");
    (void)snprintf(target, sizeof(target), "%.100s", (const char *)block + TAR_AT_LINK);
    (void)snprintf(member->target, sizeof(member->target), "%s", extended->has_target ? extended->target : target);
    if (member->type == HF_TAR_FILE || member->type == HF_TAR_FOLDER)
        member->target[0] = '\0';
    if (member->type == HF_TAR_HARDLINK && (normalise(member->target, target) < 0 || target[0] == '\0'))
        return bad(tar, err, "a hard link's target is empty or leads out of the folder");
    if (member->type == HF_TAR_HARDLINK)
        memcpy(member->target, target, sizeof(target));
    if (member->type == HF_TAR_SYMLINK && member->target[0] == '\0')
        return bad(tar, err, "a symbolic link has no target");
    if (number(block + TAR_AT_MODE, 8, &mode) < 0 || number(block + TAR_AT_UID, 8, &uid) < 0 ||
        number(block + TAR_AT_GID, 8, &gid) < 0 || uid > UINT32_MAX || gid > UINT32_MAX)
        return bad(tar, err, "a number is invalid");
    member->mode = (unsigned)mode & 07777;
    member->uid = (uint32_t)(extended->has_uid ? extended->uid : uid);
    member->gid = (uint32_t)(extended->has_gid ? extended->gid : gid);
    member->size = member->type == HF_TAR_FILE ? size : 0;
    member->offset = tar->at + HF_TAR_BLOCK;
    return 0;
}

static bool all_zero(const unsigned char block[HF_TAR_BLOCK])
{
    for (size_t i = 0; i < HF_TAR_BLOCK; i++) {
        if (block[i] != 0)
            return false;
    }
    return true;
}

/* Reads the header block at tar->at. Returns 1, 0 at the end, or -errno. */
static int read_header(struct hf_tar *tar, unsigned char block[HF_TAR_BLOCK], uint64_t *ret_size, struct hf_err *err)
{
    if (tar->at == tar->size) /* tolerates that the two zero blocks are missing: a hash covers the archive */
        return 0;
    int r = read_exact(tar, block, HF_TAR_BLOCK, tar->at, err);
    if (r < 0)
        return r;
    if (all_zero(block))
        return 0;
    if (!checksum_fits(block))
        return bad(tar, err, "a header has a wrong checksum");
    return number(block + TAR_AT_SIZE, 12, ret_size) < 0 ? bad(tar, err, "a size is invalid") : 1;
}

/* Steps over a header and its content. */
static int step(struct hf_tar *tar, uint64_t size, struct hf_err *err)
{
    uint64_t left = tar->size - tar->at - HF_TAR_BLOCK; /* no underflow: the header has been read */

    if (size > left)
        return bad(tar, err, "a member reaches beyond the end of the archive");
    tar->at += HF_TAR_BLOCK + HF_MIN(hf_tar_padded(size), left);
    return 0;
}

int hf_tar_next(struct hf_tar *tar, struct hf_tar_member *ret_member, struct hf_err *err)
{
    struct extended extended = {.xattrs = tar->xattrs};
    unsigned char block[HF_TAR_BLOCK];

    for (int i = 0; i < MAX_EXTENDED_IN_ROW; i++) {
        struct hf_tar_member member;
        uint64_t size = 0;
        int r = read_header(tar, block, &size, err);
        if (r <= 0)
            return r;
        char type = (char)block[TAR_AT_TYPE];
        if (is_extended(type)) {
            r = type == 'g' ? 0 : read_extended(tar, type, size, &extended, err);
            if (r == 0)
                r = step(tar, size, err);
            if (r < 0)
                return r;
            continue;
        }
        size = extended.has_size ? extended.size : size;
        r = fill_member(tar, block, &extended, size, &member, err);
        if (r == 0)
            r = step(tar, member.size, err);
        if (r < 0)
            return r;
        *ret_member = member;
        return 1;
    }
    return bad(tar, err, "too many extended headers in a row");
}

/* ---- an archive that arrives in pieces --------------------------------------------------------------------------- */

bool hf_tar_head_is_global(const unsigned char *bytes)
{
    return bytes[TAR_AT_TYPE] == 'g';
}

int hf_tar_head_want(const unsigned char *bytes, size_t n, size_t *ret_want, struct hf_err *err)
{
    size_t at = 0;

    for (int i = 0; i < MAX_EXTENDED_IN_ROW; i++) {
        uint64_t size = 0;
        const unsigned char *block = bytes + at;
        *ret_want = at + HF_TAR_BLOCK;
        if (n < *ret_want)
            return 0;
        if (i == 0 && all_zero(block)) {
            *ret_want = 0;
            return 0;
        }
        if (!is_extended((char)block[TAR_AT_TYPE]))
            return 0;
        if (number(block + TAR_AT_SIZE, 12, &size) < 0 || size > HF_TAR_MAX_HEAD)
            break;
        at += HF_TAR_BLOCK + (size_t)hf_tar_padded(size);
        if (at > HF_TAR_MAX_HEAD - HF_TAR_BLOCK)
            break;
        *ret_want = at;
        if (n < at || (i == 0 && hf_tar_head_is_global(block)))
            return 0;
    }
    return hf_err_set(err, EBADMSG, "tar: the extended headers of a member are too long");
}

/* The headers of one member, which begin at `at` of the archive. */
struct gathered {
    const unsigned char *bytes;
    size_t n;
    uint64_t at;
};

static ssize_t read_gathered(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct gathered *head = ctx;

    if (offset < head->at || offset - head->at >= head->n)
        return 0;
    n = HF_MIN(n, head->n - (size_t)(offset - head->at));
    memcpy(bytes, head->bytes + (offset - head->at), n);
    return (ssize_t)n;
}

int hf_tar_head_parse(const unsigned char *bytes, size_t n, uint64_t at, struct hf_tar_member *ret_member,
                      struct hf_buf *xattrs, struct hf_err *err)
{
    struct gathered head = {bytes, n, at};
    struct hf_tar tar = {.ctx = &head, .pread = read_gathered, .size = INT64_MAX, .at = at, .xattrs = xattrs};
    int r = hf_tar_next(&tar, ret_member, err);

    return r == 0 ? bad(&tar, err, "a member has no header") : HF_MIN(r, 0);
}
