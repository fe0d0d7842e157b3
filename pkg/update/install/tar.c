#include "update/install/tar.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/parse.h"

enum { MAX_EXTENDED = 64 * 1024, MAX_EXTENDED_IN_ROW = 8 };

/* Field offsets of a header block. */
enum {
    AT_NAME = 0,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_CHECKSUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    AT_PREFIX = 345,
};

/* What extended headers said about the next member. */
struct extended {
    char name[HF_TAR_MAX_NAME], target[HF_TAR_MAX_NAME];
    bool has_name, has_target, has_size;
    uint64_t size;
};

static int bad(const struct hf_tar *tar, struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "tar: %s at byte %llu", what, (unsigned long long)tar->at);
}

/* Octal digits, led by blanks, ended by blank or zero; or GNU's base-256 with the first bit set. */
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

    if (number(block + AT_CHECKSUM, 8, &wanted) < 0)
        return false;
    for (size_t i = 0; i < HF_TAR_BLOCK; i++)
        sum += i >= AT_CHECKSUM && i < AT_CHECKSUM + 8 ? ' ' : block[i];
    return sum == wanted;
}

static int read_exact(struct hf_tar *tar, void *bytes, size_t n, uint64_t offset, struct hf_err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = tar->pread(tar->ctx, (char *)bytes + done, n - done, offset + done);
        if (got < 0)
            return hf_err_sys(err, (int)got, "tar: read");
        if (got == 0)
            return bad(tar, err, "the archive ends in the middle");
        done += (size_t)got;
    }
    return 0;
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

/* Drop "./", double and final slashes; refuse what leaves the tree. */
static int normalise(const char *name, char out[HF_TAR_MAX_NAME])
{
    size_t n = 0;

    if (name[0] == '/' || strlen(name) >= HF_TAR_MAX_NAME)
        return -EBADMSG;
    for (const char *at = name; *at != '\0';) {
        size_t part = strcspn(at, "/");
        if (part == 2 && at[0] == '.' && at[1] == '.')
            return -EBADMSG;
        if (part > 255)
            return -EBADMSG;
        if (part > 0 && !(part == 1 && at[0] == '.')) {
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
    bool ustar = memcmp(block + AT_MAGIC, "ustar", 6) == 0; /* with its zero: GNU's own has a blank and no prefix */

    if (ustar && block[AT_PREFIX] != '\0')
        (void)snprintf(out, HF_TAR_MAX_NAME, "%.155s/%.100s", (const char *)block + AT_PREFIX,
                       (const char *)block + AT_NAME);
    else
        (void)snprintf(out, HF_TAR_MAX_NAME, "%.100s", (const char *)block + AT_NAME);
}

/* ---- extended headers ----------------------------------------------------------------------------------------------- */

static int keep_text(struct hf_view value, char out[HF_TAR_MAX_NAME])
{
    if (value.n >= HF_TAR_MAX_NAME || memchr(value.p, '\0', value.n) != NULL)
        return -EBADMSG;
    memcpy(out, value.p, value.n);
    out[value.n] = '\0';
    return 0;
}

static int keep_size(struct hf_view value, uint64_t *ret)
{
    char text[24];

    if (value.n >= sizeof(text))
        return -EBADMSG;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    return hf_parse_u64(text, 0, INT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

static int pax_record(struct hf_view record, struct extended *extended)
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
    if (hf_view_eq(key, "size")) {
        extended->has_size = true;
        return keep_size(value, &extended->size);
    }
    return hf_view_starts(key, "GNU.sparse") ? -EBADMSG : 0;
}

/* Records "<length> key=value\n", the length counting all of it. */
static int pax_records(struct hf_view text, struct extended *extended)
{
    while (text.n > 0) {
        size_t length = 0, i = 0;
        while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && length <= MAX_EXTENDED)
            length = length * 10 + (size_t)(text.p[i++] - '0');
        if (i == 0 || i >= text.n || text.p[i] != ' ' || length > text.n || length < i + 2 ||
            text.p[length - 1] != '\n')
            return -EBADMSG;
        int r = pax_record((struct hf_view){text.p + i + 1, length - i - 2}, extended);
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

    if (size > MAX_EXTENDED)
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
    return r < 0 ? bad(tar, err, "an extended header is damaged or asks for what is not supported") : 0;
}

/* ---- members --------------------------------------------------------------------------------------------------------- */

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

static int fill(struct hf_tar *tar, const unsigned char block[HF_TAR_BLOCK], const struct extended *extended,
                uint64_t size, struct hf_tar_member *member, struct hf_err *err)
{
    char name[HF_TAR_MAX_NAME], target[HF_TAR_MAX_NAME];
    uint64_t mode, uid, gid;

    if (type_of((char)block[AT_TYPE], &member->type) < 0)
        return bad(tar, err, "a member is neither file, folder nor link");
    plain_name(block, name);
    /* Old archives mark a folder by its name's last slash alone. */
    const char *full = extended->has_name ? extended->name : name;
    if (member->type == HF_TAR_FILE && full[0] != '\0' && full[strlen(full) - 1] == '/')
        member->type = HF_TAR_FOLDER;
    if (normalise(full, member->name) < 0 || (member->name[0] == '\0' && member->type != HF_TAR_FOLDER))
        return bad(tar, err, "a member's name leaves the tree or is too long");
    (void)snprintf(target, sizeof(target), "%.100s", (const char *)block + AT_LINK);
    (void)snprintf(member->target, sizeof(member->target), "%s", extended->has_target ? extended->target : target);
    if (member->type == HF_TAR_HARDLINK && normalise(member->target, target) < 0)
        return bad(tar, err, "a hard link leaves the tree");
    if (member->type == HF_TAR_HARDLINK)
        memcpy(member->target, target, sizeof(target));
    if (member->type == HF_TAR_SYMLINK && member->target[0] == '\0')
        return bad(tar, err, "a symbolic link leads nowhere");
    if (number(block + AT_MODE, 8, &mode) < 0 || number(block + AT_UID, 8, &uid) < 0 ||
        number(block + AT_GID, 8, &gid) < 0 || uid > UINT32_MAX || gid > UINT32_MAX)
        return bad(tar, err, "a number is damaged");
    member->mode = (unsigned)mode & 07777;
    member->uid = (uint32_t)uid;
    member->gid = (uint32_t)gid;
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

/* The header at tar->at. 1, 0 at the end. */
static int read_header(struct hf_tar *tar, unsigned char block[HF_TAR_BLOCK], uint64_t *ret_size, struct hf_err *err)
{
    if (tar->at == tar->size) /* without the two zero blocks: tolerated, the hash has been checked */
        return 0;
    int r = read_exact(tar, block, HF_TAR_BLOCK, tar->at, err);
    if (r < 0)
        return r;
    if (all_zero(block))
        return 0;
    if (!checksum_fits(block))
        return bad(tar, err, "a header's checksum does not fit");
    return number(block + AT_SIZE, 12, ret_size) < 0 ? bad(tar, err, "a size is damaged") : 1;
}

/* Step over a header and its content. */
static int step(struct hf_tar *tar, uint64_t size, struct hf_err *err)
{
    uint64_t left = tar->size - tar->at - HF_TAR_BLOCK; /* the header was read, so this does not wrap */

    if (size > left)
        return bad(tar, err, "a member goes past the archive's end");
    uint64_t padded = (size + HF_TAR_BLOCK - 1) / HF_TAR_BLOCK * HF_TAR_BLOCK;
    tar->at += HF_TAR_BLOCK + HF_MIN(padded, left);
    return 0;
}

int hf_tar_next(struct hf_tar *tar, struct hf_tar_member *ret_member, struct hf_err *err)
{
    struct extended extended = {.has_name = false};
    unsigned char block[HF_TAR_BLOCK];

    for (int i = 0; i < MAX_EXTENDED_IN_ROW; i++) {
        struct hf_tar_member member;
        uint64_t size = 0;
        int r = read_header(tar, block, &size, err);
        if (r <= 0)
            return r;
        char type = (char)block[AT_TYPE];
        if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
            r = type == 'g' ? 0 : read_extended(tar, type, size, &extended, err);
            if (r == 0)
                r = step(tar, size, err);
            if (r < 0)
                return r;
            continue;
        }
        size = extended.has_size ? extended.size : size;
        r = fill(tar, block, &extended, size, &member, err);
        if (r == 0)
            r = step(tar, member.size, err);
        if (r < 0)
            return r;
        *ret_member = member;
        return 1;
    }
    return bad(tar, err, "too many extended headers in a row");
}
