/* SPDX-License-Identifier: Apache-2.0 */
/* gzip hands pieces to take_tar(), which goes through the states below. AT_END follows the first block of zeros. */
#include "manifests/source/unarchive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/gunzip.h"
#include "pack/tar/tar_read.h"

enum { HF_UNARCHIVE_MAX_OUT = 256 << 20 }; /* bytes of the decompressed archive */

enum unarchive_state { AT_HEAD, AT_CONTENT, AT_PADDING, AT_END };

struct hf_unarchive {
    char *sub_path; /* NULL: everything */
    bool drop_top;
    struct hf_gunzip *gunzip;
    struct hf_bundle *bundle;
    struct hf_source_failure *failure; /* of the call in progress */
    enum unarchive_state state;
    uint64_t out; /* decompressed bytes so far */
    uint64_t fed; /* compressed bytes so far */
    unsigned members;
    bool made_by_git;
    /* the one folder that all members are in so far; "" before the first member */
    char top[HF_TAR_MAX_NAME];
    bool several_tops;
    struct hf_buf head;
    size_t head_want;
    uint64_t left; /* bytes left of the content or of the padding */
    uint64_t padding;
    char *content; /* where the content goes; NULL: it is dropped */
    uint64_t tail; /* zero bytes after the end */
};

struct hf_unarchive *hf_unarchive_new(const struct hf_unarchive_params *params)
{
    struct hf_unarchive *u = calloc(1, sizeof(*u));

    if (u == NULL)
        return NULL;
    u->head = (struct hf_buf)HF_BUF_INIT(HF_TAR_MAX_HEAD);
    u->head_want = HF_TAR_BLOCK;
    u->drop_top = params->drop_top;
    u->bundle = hf_bundle_new();
    bool whole = params->sub_path == NULL || params->sub_path[0] == '\0';
    u->sub_path = whole ? NULL : strdup(params->sub_path);
    if (u->bundle == NULL || (!whole && u->sub_path == NULL)) {
        hf_unarchive_free(u);
        return NULL;
    }
    return u;
}

void hf_unarchive_free(struct hf_unarchive *u)
{
    if (u == NULL)
        return;
    hf_gunzip_free(u->gunzip);
    hf_bundle_free(u->bundle);
    hf_buf_done(&u->head);
    free(u->sub_path);
    free(u);
}

static int invalid(struct hf_unarchive *u, const char *what, const char *name)
{
    return hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG, "the archive has %s '%.160s'", what,
                          name);
}

/* Gives the reason for an error of a bundle, which failure->err describes. */
static int blame(struct hf_unarchive *u, int r)
{
    return hf_source_blame(u->failure,
                           r == -E2BIG    ? HF_MANIFEST_REASON_SOURCE_TOO_LARGE
                           : r == -ENOMEM ? HF_MANIFEST_REASON_SOURCE_UNREACHABLE
                                          : HF_MANIFEST_REASON_SOURCE_INVALID,
                           r);
}

/* ---- which members count ----------------------------------------------------------------------------------------- */

static bool is_below(const char *name, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(name, folder, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

/* True if a member may be below the sub path. Nobody knows before the end if the top folder counts. */
static bool may_count(const struct hf_unarchive *u, const char *name)
{
    const char *slash = strchr(name, '/');

    return u->sub_path == NULL || is_below(name, u->sub_path) ||
           (u->drop_top && u->made_by_git && slash != NULL && is_below(slash + 1, u->sub_path));
}

static void note_top(struct hf_unarchive *u, const struct hf_tar_member *member)
{
    size_t n = strcspn(member->name, "/");

    if (n == 0) /* the member "./" */
        return;
    if (u->top[0] == '\0') {
        memcpy(u->top, member->name, n);
        u->top[n] = '\0';
    }
    bool inside = member->name[n] == '/' || member->type == HF_TAR_FOLDER;
    u->several_tops = u->several_tops || !inside || strlen(u->top) != n || memcmp(u->top, member->name, n) != 0;
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

/* Recognizes the global header that git writes: one record "52 comment=<commit>\n". */
static bool is_of_git(const struct hf_buf *head)
{
    const char *records = head->p + HF_TAR_BLOCK;
    size_t n = head->n - HF_TAR_BLOCK;

    return memmem(records, n, " comment=", strlen(" comment=")) != NULL;
}

static int begin_file(struct hf_unarchive *u, const struct hf_tar_member *member)
{
    u->content = NULL;
    u->left = member->size;
    u->padding = hf_tar_padded(member->size) - member->size;
    if (member->size > HF_UNARCHIVE_MAX_OUT - u->out)
        return hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, E2BIG,
                              "the archive has more than %d bytes when decompressed", HF_UNARCHIVE_MAX_OUT);
    if (!may_count(u, member->name))
        return 0;
    int r =
        hf_bundle_make_room(u->bundle, member->name, member->mode, (size_t)member->size, &u->content, &u->failure->err);
    return r < 0 ? blame(u, r) : 0;
}

static int take_member(struct hf_unarchive *u)
{
    const unsigned char *bytes = (const unsigned char *)u->head.p;
    struct hf_tar_member member;

    if (++u->members > HF_TAR_MAX_MEMBERS)
        return hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, E2BIG,
                              "the archive has more than %d members", HF_TAR_MAX_MEMBERS);
    if (hf_tar_head_is_global(bytes)) {
        u->made_by_git = u->made_by_git || (u->members == 1 && is_of_git(&u->head));
        return 0;
    }
    int r = hf_tar_head_parse(bytes, u->head.n, u->out - u->head.n, &member, NULL, &u->failure->err);
    if (r < 0)
        return blame(u, r);
    note_top(u, &member);
    if (member.type == HF_TAR_FILE)
        return begin_file(u, &member);
    if (member.type == HF_TAR_FOLDER || !may_count(u, member.name))
        return 0;
    return invalid(u, member.type == HF_TAR_SYMLINK ? "the symbolic link" : "the hard link", member.name);
}

/* Takes bytes of a header. Returns how many, or -errno. */
static ssize_t take_head(struct hf_unarchive *u, const char *bytes, size_t n)
{
    size_t some = HF_MIN(n, u->head_want - u->head.n);
    int r = hf_buf_add(&u->head, bytes, some);

    u->out += some;
    if (r == 0 && u->head.n == u->head_want)
        r = hf_tar_head_want((const unsigned char *)u->head.p, u->head.n, &u->head_want, &u->failure->err);
    if (r < 0)
        return blame(u, r == -E2BIG ? -EBADMSG : r);
    if (u->head_want == 0) {
        u->state = AT_END;
    } else if (u->head.n == u->head_want) {
        u->left = u->padding = 0;
        r = take_member(u);
        u->state = u->left > 0 ? AT_CONTENT : AT_HEAD;
        hf_buf_clear(&u->head);
        u->head_want = HF_TAR_BLOCK;
    }
    return r < 0 ? r : (ssize_t)some;
}

/* ---- content and end --------------------------------------------------------------------------------------------- */

static size_t take_content(struct hf_unarchive *u, const char *bytes, size_t n)
{
    size_t some = (size_t)HF_MIN((uint64_t)n, u->left);

    if (u->state == AT_CONTENT && u->content != NULL) {
        memcpy(u->content, bytes, some);
        u->content += some;
    }
    u->out += some;
    u->left -= some;
    if (u->left == 0 && u->state == AT_CONTENT) {
        u->state = u->padding > 0 ? AT_PADDING : AT_HEAD;
        u->left = u->padding;
    } else if (u->left == 0) {
        u->state = AT_HEAD;
    }
    return some;
}

static ssize_t take_tail(struct hf_unarchive *u, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != '\0')
            return hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG,
                                  "other bytes follow the end of the archive");
    }
    u->tail += n;
    if (u->tail > HF_UNARCHIVE_MAX_TAIL)
        return hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG,
                              "more than %d zero bytes follow the end of the archive", HF_UNARCHIVE_MAX_TAIL);
    return (ssize_t)n;
}

static int take_tar(void *ctx, const void *bytes, size_t n)
{
    struct hf_unarchive *u = ctx;
    const char *at = bytes, *end = at + n;

    while (at < end) {
        size_t left = (size_t)(end - at);
        ssize_t some = u->state == AT_HEAD  ? take_head(u, at, left)
                       : u->state == AT_END ? take_tail(u, at, left)
                                            : (ssize_t)take_content(u, at, left);
        if (some < 0)
            return (int)some;
        if (u->out > HF_UNARCHIVE_MAX_OUT)
            return hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, E2BIG,
                                  "the archive has more than %d bytes when decompressed", HF_UNARCHIVE_MAX_OUT);
        at += some;
    }
    return 0;
}

int hf_unarchive_feed(struct hf_unarchive *u, const void *bytes, size_t n, struct hf_source_failure *failure)
{
    u->failure = failure;
    if (u->gunzip == NULL)
        u->gunzip = hf_gunzip_new(take_tar, u);
    if (u->gunzip == NULL)
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ENOMEM, "out of memory");
    *failure = (struct hf_source_failure){.reason = HF_MANIFEST_REASON_NONE};
    u->fed += n;
    int r = hf_gunzip_feed(u->gunzip, bytes, n, &failure->err);
    if (r < 0 && failure->reason == HF_MANIFEST_REASON_NONE)
        failure->reason = r == -ENOMEM ? HF_MANIFEST_REASON_SOURCE_UNREACHABLE : HF_MANIFEST_REASON_SOURCE_INVALID;
    return r;
}

/* Moves the files to the places that they have below the sub path. */
static int narrow(struct hf_unarchive *u)
{
    if (u->drop_top && u->made_by_git && !u->several_tops && u->top[0] != '\0')
        hf_bundle_narrow(u->bundle, u->top);
    if (u->sub_path != NULL)
        hf_bundle_narrow(u->bundle, u->sub_path);
    if (u->bundle->n > 0)
        return 0;
    return u->sub_path == NULL
               ? hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                                "the archive has no files; what is in place stays")
               : hf_failure_set(u->failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                                "the archive has no files in subPath '%.160s'; what is in place stays", u->sub_path);
}

int hf_unarchive_finish(struct hf_unarchive *u, struct hf_bundle **ret_bundle, struct hf_source_failure *failure)
{
    u->failure = failure;
    if (u->fed == 0)
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                              "the archive has no bytes; what is in place stays");
    int r = hf_gunzip_finish(u->gunzip, &failure->err);
    if (r < 0)
        return hf_source_blame(failure, HF_MANIFEST_REASON_SOURCE_TRUNCATED, r);
    if (u->state != AT_END)
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_TRUNCATED, ENODATA,
                              "the tar archive ends too early, without its end mark");
    r = narrow(u);
    if (r < 0)
        return r;
    r = hf_bundle_seal(u->bundle, &failure->err);
    if (r < 0)
        return blame(u, r);
    *ret_bundle = hf_steal(u->bundle);
    return 0;
}
