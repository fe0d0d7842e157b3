/* SPDX-License-Identifier: Apache-2.0 */
/* Files in memory, sorted, with one digest over all of them.
 *
 * The path and the content of a file are one block of memory, so that one free (or one overwrite) ends both. In a
 * secret bundle this block is on pages of its own (os/secret/secret_memory.h): locked, left out of core dumps, and
 * overwritten before they go back.
 *
 * On disk a bundle is one file: the seal of codec/seal.h, then for each file a line with mode, size and path, then
 * its bytes, compressed as a whole. A load checks all that a seal of the bundle checks, because the disk may return
 * anything. */
#include "manifests/source/bundle.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/cut.h"
#include "base/encoding/utf8.h"
#include "codec/seal.h"
#include "codec/squeeze.h"
#include "codec/unpack.h"
#include "manifests/source/turns.h"
#include "os/file.h"
#include "os/secret/secret_memory.h"

struct hf_bundle *hf_bundle_new(void)
{
    return calloc(1, sizeof(struct hf_bundle));
}

/* Frees a file. Its path and its content are in one block of memory. */
static void forget(const struct hf_bundle *bundle, const struct hf_bundle_file *file)
{
    char *memory = (char *)(uintptr_t)file->path;

    if (file->room > 0) {
        hf_secret_memory_free(memory, file->room);
        return;
    }
    if (bundle->secret)
        explicit_bzero((char *)(uintptr_t)file->bytes.p, file->bytes.n);
    free(memory);
}

void hf_bundle_free(struct hf_bundle *bundle)
{
    if (bundle == NULL)
        return;
    for (size_t i = 0; i < bundle->n; i++)
        forget(bundle, &bundle->files[i]);
    free(bundle->files);
    hf_source_turn_free(bundle->turn);
    free(bundle);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static bool has_control(const char *path)
{
    for (const unsigned char *at = (const unsigned char *)path; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
            return true;
    }
    return false;
}

/* Returns what is wrong with one component of a path, or NULL. */
static const char *component_fault(const char *part, size_t n)
{
    if (n == 0)
        return "has an empty component, or begins or ends with '/'";
    if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
        return "has a component '.' or '..'";
    return n > 255 ? "has a component of more than 255 bytes" : NULL;
}

int hf_bundle_check_path(const char *path, struct hf_err *err)
{
    const char *fault = NULL;
    unsigned depth = 0;

    if (strnlen(path, HF_BUNDLE_MAX_PATH) >= HF_BUNDLE_MAX_PATH)
        return hf_err_set(err, EBADMSG, "the path '%.60s...' has more than %d bytes", path, HF_BUNDLE_MAX_PATH - 1);
    if (!hf_utf8_valid(path, strlen(path)) || has_control(path))
        return hf_err_set(err, EBADMSG, "a path has control characters, or is not UTF-8");
    for (const char *at = path; fault == NULL;) {
        size_t part = strcspn(at, "/");
        fault = component_fault(at, part);
        if (fault == NULL && ++depth > HF_BUNDLE_MAX_DEPTH)
            fault = "has more than " HF_STR(32) " components";
        if (at[part] == '\0')
            break;
        at += part + 1;
    }
    return fault == NULL ? 0 : hf_err_set(err, EBADMSG, "the path '%.160s' %s", path, fault);
}
_Static_assert(HF_BUNDLE_MAX_DEPTH == 32, "the text above names the maximum");

/* ---- files ------------------------------------------------------------------------------------------------------- */

int hf_bundle_make_room(struct hf_bundle *bundle, const char *path, uint32_t mode, size_t n, char **ret_bytes,
                        struct hf_err *err)
{
    int r = hf_bundle_check_path(path, err);

    assert(bundle->bytes <= HF_BUNDLE_MAX_BYTES);
    if (r < 0)
        return r;
    if (n > HF_BUNDLE_MAX_FILE)
        return hf_err_set(err, E2BIG, "'%.160s' has %zu bytes, and a file may have %d", path, n, HF_BUNDLE_MAX_FILE);
    if (n > HF_BUNDLE_MAX_BYTES - bundle->bytes)
        return hf_err_set(err, E2BIG, "the files have more than %d bytes together", HF_BUNDLE_MAX_BYTES);
    r = hf_array_grow(bundle->files, bundle->n, bundle->cap, HF_BUNDLE_MAX_FILES);
    if (r == -E2BIG)
        return hf_err_set(err, E2BIG, "there are more than %d files", HF_BUNDLE_MAX_FILES);
    size_t path_n = strlen(path) + 1;
    size_t room = path_n + n + 1;
    char *memory = r < 0 ? NULL : bundle->secret ? hf_secret_memory_new(room) : malloc(room);
    if (memory == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    memcpy(memory, path, path_n);
    memset(memory + path_n, 0, n + 1);
    bundle->files[bundle->n++] = (struct hf_bundle_file){
        .path = memory, .mode = mode & 0777, .bytes = {memory + path_n, n}, .room = bundle->secret ? room : 0};
    bundle->bytes += n;
    bundle->sealed = false;
    *ret_bytes = memory + path_n;
    return 0;
}

int hf_bundle_add(struct hf_bundle *bundle, const char *path, uint32_t mode, struct hf_view bytes, struct hf_err *err)
{
    char *to = NULL;
    int r = hf_bundle_make_room(bundle, path, mode, bytes.n, &to, err);

    if (r == 0 && bytes.n > 0)
        memcpy(to, bytes.p, bytes.n);
    return r;
}

void hf_bundle_narrow(struct hf_bundle *bundle, const char *folder)
{
    size_t kept = 0, n = strlen(folder);

    for (size_t i = 0; i < bundle->n; i++) {
        struct hf_bundle_file file = bundle->files[i];
        const char *slash = strrchr(file.path, '/'), *rest = NULL;
        if (strcmp(file.path, folder) == 0)
            rest = slash != NULL ? slash + 1 : file.path;
        else if (strncmp(file.path, folder, n) == 0 && file.path[n] == '/')
            rest = file.path + n + 1;
        if (rest == NULL) {
            bundle->bytes -= file.bytes.n;
            forget(bundle, &file);
            continue;
        }
        memmove((char *)(uintptr_t)file.path, rest, strlen(rest) + 1);
        bundle->files[kept++] = file;
    }
    bundle->n = kept;
    bundle->sealed = false;
}

int hf_bundle_copy(const struct hf_bundle *from, struct hf_bundle **ret_bundle, struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    int r = 0;

    assert(from->sealed);
    if (bundle == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    bundle->secret = from->secret;
    for (size_t i = 0; r == 0 && i < from->n; i++)
        r = hf_bundle_add(bundle, from->files[i].path, from->files[i].mode, from->files[i].bytes, err);
    if (r < 0)
        return r;
    memcpy(bundle->digest, from->digest, sizeof(bundle->digest));
    memcpy(bundle->id, from->id, sizeof(bundle->id));
    bundle->sealed = from->sealed;
    *ret_bundle = hf_steal(bundle);
    return 0;
}

const struct hf_bundle_file *hf_bundle_find(const struct hf_bundle *bundle, const char *path)
{
    const struct hf_bundle_file key = {.path = path};

    return bundle->n == 0 ? NULL : bsearch(&key, bundle->files, bundle->n, sizeof(key), hf_array_by_string);
}

/* Checks that no file has the path of another file, or of a folder that another file is in. */
static int check_places(const struct hf_bundle *bundle, struct hf_err *err)
{
    char folder[HF_BUNDLE_MAX_PATH];

    for (size_t i = 0; i < bundle->n; i++) {
        const char *path = bundle->files[i].path;
        if (i > 0 && strcmp(bundle->files[i - 1].path, path) == 0)
            return hf_err_set(err, EBADMSG, "two files have the path '%.200s'", path);
        for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
            memcpy(folder, path, (size_t)(slash - path));
            folder[slash - path] = '\0';
            if (hf_bundle_find(bundle, folder) != NULL)
                return hf_err_set(err, EBADMSG, "'%.200s' is a file and also the folder of a file", folder);
        }
    }
    return 0;
}

size_t hf_bundle_new_folders(const char *before, const char *path)
{
    size_t n = 0, same = 0;

    while (path[same] != '\0' && path[same] == before[same])
        same++;
    for (const char *slash = strchr(path + same, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        n++;
    return n;
}

/* 4,096 files can be in 126,976 folders, each with an inode and a block of the disk, and a line in the inventory. */
static int check_folders(const struct hf_bundle *bundle, struct hf_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < bundle->n; i++)
        n += hf_bundle_new_folders(i > 0 ? bundle->files[i - 1].path : "", bundle->files[i].path);
    return n <= HF_BUNDLE_MAX_FOLDERS
               ? 0
               : hf_err_set(err, E2BIG, "the files are in more than %d folders", HF_BUNDLE_MAX_FOLDERS);
}

int hf_bundle_seal(struct hf_bundle *bundle, struct hf_err *err)
{
    struct hf_sha256 hash;
    int r;

    if (bundle->n > 0)
        qsort(bundle->files, bundle->n, sizeof(bundle->files[0]), hf_array_by_string);
    r = check_places(bundle, err);
    if (r == 0)
        r = check_folders(bundle, err);
    if (r < 0)
        return r;
    hf_sha256_init(&hash);
    for (size_t i = 0; i < bundle->n; i++) {
        const struct hf_bundle_file *file = &bundle->files[i];
        char head[16 + HF_SHA256_HEX], hex[HF_SHA256_HEX];
        int n = snprintf(head, sizeof(head), "%o %s ", (unsigned)file->mode,
                         hf_sha256_hex(file->bytes.p, file->bytes.n, hex));
        hf_sha256_update(&hash, head, (size_t)n);
        hf_sha256_update(&hash, file->path, strlen(file->path));
        hf_sha256_update(&hash, "\n", 1);
    }
    (void)hf_sha256_final_hex(&hash, bundle->digest);
    bundle->sealed = true;
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* A sealed header, and one zstd frame of
 *
 *     <digest of the bundle>\n
 *     <mode in octal> <size in bytes> <path>\n<content>      for each file
 *
 * Loading feeds the frame to a small parser piece by piece, so that the content is in memory once. */
enum {
    FILE_VERSION = 1,
    LINE_MAX = HF_BUNDLE_MAX_PATH + 32,
    /* zstd adds little to what it cannot compress */
    FILE_MAX = HF_BUNDLE_MAX_BYTES + HF_BUNDLE_MAX_FILES * LINE_MAX + (1 << 20),
};
#define FILE_KIND "manifests-bundle"

/* ---- save -------------------------------------------------------------------------------------------------------- */

static int add_files(struct hf_squeeze *squeeze, const struct hf_bundle *bundle)
{
    char line[LINE_MAX];
    int n = snprintf(line, sizeof(line), "%s\n", bundle->digest);
    int r = hf_squeeze_add(squeeze, line, (size_t)n);

    for (size_t i = 0; r == 0 && i < bundle->n; i++) {
        const struct hf_bundle_file *file = &bundle->files[i];
        n = snprintf(line, sizeof(line), "%o %zu %s\n", (unsigned)file->mode, file->bytes.n, file->path);
        r = hf_squeeze_add(squeeze, line, (size_t)n);
        if (r == 0 && file->bytes.n > 0)
            r = hf_squeeze_add(squeeze, file->bytes.p, file->bytes.n);
    }
    return r;
}

int hf_bundle_save(const struct hf_fs_ops *fs, const char *path, const struct hf_bundle *bundle, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(FILE_MAX);
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = NULL;
    size_t body = 0;

    if (!bundle->sealed)
        return hf_err_set(err, EINVAL, "'%s': the bundle is not sealed", path);
    if (bundle->secret)
        return hf_err_set(err, EPERM, "'%s': the content of a Secret stays in memory", path);
    squeeze = hf_squeeze_new(HF_SQUEEZE_ZSTD);
    int r = squeeze == NULL ? -ENOMEM : hf_seal_begin(FILE_KIND, FILE_VERSION, &out, &body);
    if (r == 0)
        r = hf_squeeze_begin(squeeze, &out);
    if (r == 0)
        r = add_files(squeeze, bundle);
    if (r == 0)
        r = hf_squeeze_end(squeeze);
    if (r < 0)
        return hf_err_sys(err, r, "compress '%s'", path);
    hf_seal_end(&out, body, NULL);
    return hf_file_replace(fs, path, out.p, out.n, 0600, err);
}

/* ---- load -------------------------------------------------------------------------------------------------------- */

struct loading {
    struct hf_bundle *bundle;
    char digest[HF_SHA256_HEX]; /* as the file says */
    bool begun;                 /* the first line has been read */
    char line[LINE_MAX];
    size_t line_n;
    char *content; /* the rest of the content of the current file */
    size_t left;   /* number of bytes of this rest */
    struct hf_err *err;
};

static int invalid(struct hf_err *err)
{
    return hf_err_set(err, EBADMSG, "the list of its files is invalid");
}

/* Parses digits in front of a blank, and removes both from *line. */
static int take_number(struct hf_view *line, unsigned base, uint64_t max, uint64_t *ret)
{
    struct hf_view word;
    uint64_t value = 0;

    if (!hf_view_split(line, ' ', &word) || line->p == NULL || word.n == 0)
        return -EBADMSG;
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] < '0' || word.p[i] >= (char)('0' + base))
            return -EBADMSG;
        value = value * base + (uint64_t)(word.p[i] - '0');
        if (value > max)
            return -EBADMSG;
    }
    *ret = value;
    return 0;
}

/* Takes a line, which ends with a zero byte in place of its line feed. */
static int take_line(struct loading *loading)
{
    struct hf_view line = {loading->line, loading->line_n};
    uint64_t mode = 0, size = 0;

    if (memchr(line.p, '\0', line.n) != NULL)
        return invalid(loading->err);
    if (!loading->begun) {
        loading->begun = true;
        if (line.n != HF_SHA256_HEX - 1)
            return invalid(loading->err);
        memcpy(loading->digest, loading->line, HF_SHA256_HEX);
        return 0;
    }
    if (take_number(&line, 8, 0777, &mode) < 0 || take_number(&line, 10, HF_BUNDLE_MAX_FILE, &size) < 0)
        return invalid(loading->err);
    loading->left = (size_t)size;
    return hf_bundle_make_room(loading->bundle, line.p, (uint32_t)mode, (size_t)size, &loading->content, loading->err);
}

static int take_bytes(void *ctx, const void *bytes, size_t n)
{
    struct loading *loading = ctx;
    const char *at = bytes, *end = at + n;
    int r = 0;

    while (r == 0 && at < end) {
        size_t some = HF_MIN(loading->left, (size_t)(end - at));
        if (some > 0) {
            memcpy(loading->content, at, some);
            loading->content += some;
            loading->left -= some;
            at += some;
        } else if (loading->line_n == sizeof(loading->line)) {
            r = invalid(loading->err);
        } else if (*at++ != '\n') {
            loading->line[loading->line_n++] = at[-1];
        } else if (loading->line_n == sizeof(loading->line)) {
            r = invalid(loading->err);
        } else {
            loading->line[loading->line_n] = '\0';
            r = take_line(loading);
            loading->line_n = 0;
        }
    }
    return r;
}

/* Every fault of the content is damage: only hf_bundle_save() writes such files. */
static int damage(int r)
{
    return r == 0 || r == -ENOMEM ? r : -EBADMSG;
}

static int parse(struct hf_view body, struct loading *loading)
{
    _cleanup_(hf_unpack_freep) struct hf_unpack *unpack = hf_unpack_new(take_bytes, loading, 0);
    int r = unpack == NULL ? -ENOMEM : hf_unpack_feed(unpack, body.p, body.n, loading->err);

    if (r == 0)
        r = hf_unpack_finish(unpack, loading->err);
    if (r == 0 && (!loading->begun || loading->left > 0 || loading->line_n > 0))
        r = invalid(loading->err);
    if (r == 0)
        r = hf_bundle_seal(loading->bundle, loading->err);
    if (r == 0 && strcmp(loading->digest, loading->bundle->digest) != 0)
        r = hf_err_set(loading->err, EBADMSG, "its files do not match its digest");
    return damage(r);
}

int hf_bundle_load(const struct hf_fs_ops *fs, const char *path, struct hf_bundle **ret_bundle, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_MAX);
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    struct hf_err own = HF_ERR_INIT;
    struct loading loading = {.bundle = bundle, .err = &own};
    struct hf_view body;

    if (bundle == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_file_read(fs, path, &text, err);
    if (r < 0)
        return r == -E2BIG ? hf_err_set(err, EBADMSG, "'%s' is longer than a bundle can be", path) : r;
    r = damage(hf_seal_open(hf_buf_view(&text), FILE_KIND, FILE_VERSION, &body, &own));
    if (r == 0)
        r = parse(body, &loading);
    if (r < 0) {
        return hf_err_set(err, -r, "'%s': %s", path, HF_CUT(200, HF_ERR_TEXT(&own)));
    }
    *ret_bundle = hf_steal(bundle);
    return 0;
}
