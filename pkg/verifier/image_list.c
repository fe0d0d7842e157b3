/* SPDX-License-Identifier: Apache-2.0 */
/* Why the verifier does not check the signature again: the agent does, before it writes this file, against the keys in
 * trust.d. Who can write a file that root owns in a folder that root owns can also put a key into trust.d, replace this
 * program, or take it out of containerd's folder. So the ed25519 code and a parser of canonical JSON would protect
 * against nobody, and would be foreign bytes parsed as root at each pull. What remains is to be sure that only root
 * wrote the file, that it is whole, and that it is not too old.
 *
 * The seal finds a header that the medium changed: each of its numbers could open the gate. The rows need none. A
 * changed digest allows only the image of which it is the hash, which nobody can make; a row out of order, or one that
 * is no digest, is missed or found damaged. Both refuse.
 *
 * A clock that stands before `since`, as after a start without a battery, counts as `since`: a list that had expired
 * when it was written does not come to life again. One that runs ahead refuses, until the clock is right. */
#include "verifier/image_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name, *text;
} verdicts[HF_IMAGE_VERDICTS] = {
    [HF_IMAGE_ALLOWED] = {"Allowed", "the signed list has it"},
    [HF_IMAGE_NOT_LISTED] = {"NotListed", "the signed list does not have it"},
    [HF_IMAGE_LIST_EXPIRED] = {"ListExpired", "the signed list has expired, or the node's clock runs ahead"},
    [HF_IMAGE_LIST_MISSING] = {"ListMissing", "no signed list has come to this node yet"},
    [HF_IMAGE_LIST_UNREADABLE] = {"ListUnreadable", "the signed list cannot be read"},
    [HF_IMAGE_LIST_UNSAFE] = {"ListUnsafe", "another user than root owns the signed list or its folder, or may write"},
    [HF_IMAGE_LIST_DAMAGED] = {"ListDamaged", "the signed list is damaged"},
    [HF_IMAGE_BAD_REQUEST] = {"BadRequest", "this is no SHA-256 digest of an image"},
};

const char *hf_image_list_verdict_name(enum hf_image_verdict verdict)
{
    return verdict < HF_IMAGE_VERDICTS ? verdicts[verdict].name : "";
}

const char *hf_image_list_verdict_text(enum hf_image_verdict verdict)
{
    return verdict < HF_IMAGE_VERDICTS ? verdicts[verdict].text : "";
}

static bool is_hex(const char *text, size_t n)
{
    return strnlen(text, n) == n && strspn(text, "0123456789abcdef") >= n;
}

/* "sha256:" and 64 lower-case hex digits. */
static bool is_digest(const char *text)
{
    return strncmp(text, "sha256:", 7) == 0 && is_hex(text + 7, HF_IMAGE_LIST_HEX) &&
           text[7 + HF_IMAGE_LIST_HEX] == '\0';
}

static uint64_t seal_of(const char *text, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

size_t hf_image_list_header(const struct hf_image_list *list, char text[HF_IMAGE_LIST_HEADER])
{
    int n =
        snprintf(text, HF_IMAGE_LIST_HEADER,
                 "holdfast-images 1\npolicy %.253s\nsequence %ju\nsince %ju\nexpires %ju\ndigests %ju\n", list->policy,
                 (uintmax_t)list->sequence, (uintmax_t)list->since_s, (uintmax_t)list->expires_s, (uintmax_t)list->n);
    uint64_t seal = seal_of(text, (size_t)n);

    n += snprintf(text + n, HF_IMAGE_LIST_HEADER - (size_t)n, "seal %016jx\n", (uintmax_t)seal);
    return (size_t)n;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The text behind `key` in the line at *at, which moves behind the line; NULL: another line. */
static char *value_of(char **at, const char *key)
{
    char *line = *at, *end = strchr(line, '\n');
    size_t n = strlen(key);

    if (end == NULL || strncmp(line, key, n) != 0 || line[n] != ' ')
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line + n + 1;
}

static bool number_of(char **at, const char *key, uint64_t *ret)
{
    const char *text = value_of(at, key);
    char *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* `text` is the begin of a file of `size` bytes. The header made from what was read must be the one that stands there:
 * so there is one form for each list, and its seal is right. */
static bool parse_header(const char *text, size_t size, struct hf_image_list *ret)
{
    char copy[HF_IMAGE_LIST_HEADER], again[HF_IMAGE_LIST_HEADER];
    struct hf_image_list list = {.n = 0};
    char *at = copy;

    memcpy(copy, text, sizeof(copy));
    copy[sizeof(copy) - 1] = '\0';
    const char *version = value_of(&at, "holdfast-images");
    const char *policy = version != NULL ? value_of(&at, "policy") : NULL;
    if (version == NULL || policy == NULL || strlen(policy) >= sizeof(list.policy))
        return false;
    memcpy(list.policy, policy, strlen(policy) + 1);
    if (!number_of(&at, "sequence", &list.sequence) || !number_of(&at, "since", &list.since_s) ||
        !number_of(&at, "expires", &list.expires_s) || !number_of(&at, "digests", &list.n))
        return false;
    list.offset = hf_image_list_header(&list, again);
    if (strncmp(text, again, (size_t)list.offset) != 0 || list.n == 0 || list.n > HF_IMAGE_LIST_MAX ||
        size != list.offset + list.n * HF_IMAGE_LIST_ROW)
        return false;
    *ret = list;
    return true;
}

static enum hf_image_verdict verdict_of_errno(void)
{
    return errno == ENOENT || errno == ENOTDIR ? HF_IMAGE_LIST_MISSING
           : errno == ELOOP                    ? HF_IMAGE_LIST_UNSAFE
                                               : HF_IMAGE_LIST_UNREADABLE;
}

static bool is_safe(const struct stat *st, unsigned trusted_uid)
{
    return (st->st_uid == 0 || st->st_uid == trusted_uid) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Opens the file in its folder, and checks who may write either. Returns a descriptor, or -1 and *ret_verdict. */
static int open_safe(const char *path, unsigned trusted_uid, struct stat *ret_st, enum hf_image_verdict *ret_verdict)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    struct stat st;
    int dir, fd;

    *ret_verdict = HF_IMAGE_LIST_UNREADABLE;
    if (slash == NULL || slash == path || (size_t)(slash - path) >= sizeof(folder))
        return -1;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = dir >= 0 ? openat(dir, slash + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (fd < 0)
        *ret_verdict = verdict_of_errno();
    bool known = fd >= 0 && fstat(dir, &st) == 0 && fstat(fd, ret_st) == 0;
    if (known && is_safe(&st, trusted_uid) && is_safe(ret_st, trusted_uid) && S_ISREG(ret_st->st_mode))
        *ret_verdict = HF_IMAGE_ALLOWED;
    else if (known)
        *ret_verdict = HF_IMAGE_LIST_UNSAFE;
    if (dir >= 0)
        (void)close(dir);
    if (fd >= 0 && *ret_verdict != HF_IMAGE_ALLOWED) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

enum hf_image_verdict hf_image_list_open(const char *path, unsigned trusted_uid, int *ret_fd,
                                         struct hf_image_list *ret_list)
{
    char text[HF_IMAGE_LIST_HEADER + 1] = "";
    enum hf_image_verdict verdict;
    struct stat st;
    int fd = *ret_fd = open_safe(path, trusted_uid, &st, &verdict);

    if (fd < 0)
        return verdict;
    ssize_t n = pread(fd, text, HF_IMAGE_LIST_HEADER, 0);
    if (n < 0)
        verdict = HF_IMAGE_LIST_UNREADABLE;
    else if (st.st_size < 0 || (uint64_t)st.st_size > SIZE_MAX || !parse_header(text, (size_t)st.st_size, ret_list))
        verdict = HF_IMAGE_LIST_DAMAGED;
    if (verdict != HF_IMAGE_ALLOWED) {
        (void)close(fd);
        *ret_fd = -1;
    }
    return verdict;
}

static enum hf_image_verdict read_row(int fd, const struct hf_image_list *list, uint64_t i,
                                      char row[HF_IMAGE_LIST_ROW + 1])
{
    ssize_t n = pread(fd, row, HF_IMAGE_LIST_ROW, (off_t)(list->offset + i * HF_IMAGE_LIST_ROW));

    row[HF_IMAGE_LIST_ROW] = '\0';
    if (n < 0)
        return HF_IMAGE_LIST_UNREADABLE;
    return n == HF_IMAGE_LIST_ROW && is_hex(row, HF_IMAGE_LIST_HEX) && row[HF_IMAGE_LIST_HEX] == '\n'
               ? HF_IMAGE_ALLOWED
               : HF_IMAGE_LIST_DAMAGED;
}

enum hf_image_verdict hf_image_list_judge(int fd, const struct hf_image_list *list, const char *digest, uint64_t now_s)
{
    uint64_t first = 0, end = list->n;

    if (!is_digest(digest))
        return HF_IMAGE_BAD_REQUEST;
    if ((now_s > list->since_s ? now_s : list->since_s) >= list->expires_s)
        return HF_IMAGE_LIST_EXPIRED;
    while (first < end) {
        char row[HF_IMAGE_LIST_ROW + 1];
        uint64_t middle = first + (end - first) / 2;
        enum hf_image_verdict verdict = read_row(fd, list, middle, row);
        if (verdict != HF_IMAGE_ALLOWED)
            return verdict;
        int order = memcmp(digest + 7, row, HF_IMAGE_LIST_HEX);
        if (order == 0)
            return HF_IMAGE_ALLOWED;
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return HF_IMAGE_NOT_LISTED;
}
