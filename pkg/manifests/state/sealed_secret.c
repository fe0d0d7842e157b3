/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/state/sealed_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "codec/seal.h"
#include "os/file.h"
#include "os/secret/secret_memory.h"
#include "tpm/envelope.h"

#define FILE_KIND "manifests-sealed-secret"

enum {
    FILE_VERSION = 1,
    FILE_MAX = HF_SEALED_SECRET_MAX_BYTES + HF_TPM_ENVELOPE_OVERHEAD + HF_TPM_LINE_MAX + 200,
    CONTEXT_MAX = 2048,
    HEAD = 12, /* of a file: mode, size of the path, size of the content */
};

static void path_of(const char *folder, const char *digest, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/" HF_SEALED_SECRET_PREFIX "%s", folder, digest);
}

/* What the envelope is bound to. No part has a line feed. */
static int make_context(const struct hf_sealed_secret *secret, char context[CONTEXT_MAX], struct hf_view *ret,
                        struct hf_err *err)
{
    int n = snprintf(context, CONTEXT_MAX, "holdfast secret 1\n%s\n%s\n%s\n%s\n", secret->node, secret->entry,
                     secret->source, secret->digest);

    if (n < 0 || n >= CONTEXT_MAX)
        return hf_err_set(err, E2BIG, "the name of the node or of the entry is too long");
    *ret = (struct hf_view){context, (size_t)n};
    return 0;
}

/* ---- the content ------------------------------------------------------------------------------------------------- */

static void put32(unsigned char **at, size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *(*at)++ = (unsigned char)(value >> shift);
}

static uint32_t get32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static size_t size_of(const struct hf_bundle *bundle)
{
    size_t n = 0;

    for (size_t i = 0; i < bundle->n; i++)
        n += HEAD + strlen(bundle->files[i].path) + bundle->files[i].bytes.n;
    return n;
}

/* For each file: mode, size of the path, size of the content (32 bits each, big endian), path, content. */
static void format(const struct hf_bundle *bundle, unsigned char *at)
{
    for (size_t i = 0; i < bundle->n; i++) {
        const struct hf_bundle_file *file = &bundle->files[i];
        size_t path_n = strlen(file->path);
        put32(&at, file->mode);
        put32(&at, path_n);
        put32(&at, file->bytes.n);
        memcpy(at, file->path, path_n);
        at += path_n;
        if (file->bytes.n > 0)
            memcpy(at, file->bytes.p, file->bytes.n);
        at += file->bytes.n;
    }
}

static int take_file(struct hf_view *left, struct hf_bundle *bundle, struct hf_err *err)
{
    const unsigned char *at = (const unsigned char *)left->p;
    char path[HF_BUNDLE_MAX_PATH];

    if (left->n < HEAD)
        return hf_err_set(err, EBADMSG, "the content ends within a file");
    size_t path_n = get32(at + 4), n = get32(at + 8), rest = left->n - HEAD;
    if (path_n >= sizeof(path) || path_n > rest || n > rest - path_n)
        return hf_err_set(err, EBADMSG, "the content ends within a file");
    memcpy(path, at + HEAD, path_n);
    path[path_n] = '\0';
    int r = hf_bundle_add(bundle, path, get32(at), (struct hf_view){left->p + HEAD + path_n, n}, err);
    left->p += HEAD + path_n + n;
    left->n -= HEAD + path_n + n;
    return r == 0 || r == -ENOMEM ? r : -EBADMSG;
}

int hf_sealed_secret_parse(struct hf_view content, struct hf_bundle **ret_bundle, struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    int r = 0;

    if (bundle == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    bundle->secret = true;
    while (r == 0 && content.n > 0)
        r = take_file(&content, bundle, err);
    if (r == 0)
        r = hf_bundle_seal(bundle, err);
    if (r == 0)
        *ret_bundle = hf_steal(bundle);
    return r;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static int encrypt(const struct hf_sealed_secret *secret, const struct hf_bundle *bundle, const unsigned char *key,
                   struct hf_buf *out, struct hf_err *err)
{
    size_t n = size_of(bundle);
    char text[CONTEXT_MAX];
    struct hf_view context;
    int r = make_context(secret, text, &context, err);

    if (r == 0 && n > HF_SEALED_SECRET_MAX_BYTES)
        r = hf_err_set(err, E2BIG, "the Secret has %zu bytes, and at most %d are sealed", n,
                       HF_SEALED_SECRET_MAX_BYTES);
    if (r < 0)
        return r;
    unsigned char *content = hf_secret_memory_new(n + 1);
    if (content == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    format(bundle, content);
    r = hf_tpm_envelope_seal(key, context, (struct hf_view){(char *)content, n}, out, err);
    hf_secret_memory_free(content, n + 1);
    return r;
}

int hf_sealed_secret_save(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                          const struct hf_bundle *bundle, const unsigned char *key, struct hf_view blob,
                          struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(FILE_MAX);
    char path[PATH_MAX];
    size_t body = 0;
    int r = hf_seal_begin(FILE_KIND, FILE_VERSION, &out, &body);

    path_of(secret->folder, secret->digest, path);
    if (r == 0)
        r = hf_buf_addf(&out, "%.*s\n", (int)blob.n, blob.p);
    if (r < 0)
        return hf_err_sys(err, r, "make '%s'", path);
    r = encrypt(secret, bundle, key, &out, err);
    if (r < 0)
        return r;
    hf_seal_end(&out, body, NULL);
    return hf_file_replace(fs, path, out.p, out.n, 0600, err);
}

bool hf_sealed_secret_exists(const struct hf_fs_ops *fs, const char *folder, const char *digest)
{
    char path[PATH_MAX];
    struct stat st;

    path_of(folder, digest, path);
    return fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Reads the file into *text, and returns its two parts, which borrow from *text. */
static int read_parts(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret, struct hf_buf *text,
                      struct hf_view *ret_blob, struct hf_view *ret_envelope, struct hf_err *err)
{
    struct hf_err own = HF_ERR_INIT;
    char path[PATH_MAX];

    path_of(secret->folder, secret->digest, path);
    int r = hf_file_read(fs, path, text, err);
    if (r < 0)
        return r == -E2BIG ? hf_err_set(err, EBADMSG, "the copy is longer than it can be") : r;
    r = hf_seal_open(hf_buf_view(text), FILE_KIND, FILE_VERSION, ret_envelope, &own);
    if (r == 0 && hf_view_split(ret_envelope, '\n', ret_blob) && ret_blob->n < HF_TPM_LINE_MAX)
        return 0;
    return hf_err_set(err, EBADMSG, "the copy is damaged, or of another version of holdfast");
}

int hf_sealed_secret_blob(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret, struct hf_buf *blob,
                          struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_MAX);
    struct hf_view key, envelope;
    int r = read_parts(fs, secret, &text, &key, &envelope, err);

    if (r == 0 && (r = hf_buf_add(blob, key.p, key.n)) < 0)
        return hf_err_sys(err, r, "read the copy");
    return r;
}

int hf_sealed_secret_pcrs(struct hf_view blob, uint32_t *ret_pcrs)
{
    unsigned char head[HF_TPM_BLOB_HEAD];
    char digits[2 * sizeof(head) + 1] = "";

    if (blob.n <= sizeof(digits))
        return -EBADMSG;
    memcpy(digits, blob.p, 2 * sizeof(head));
    if (hf_hex_decode(digits, head, sizeof(head)) < 0 || head[0] != HF_TPM_BLOB_VERSION)
        return -EBADMSG;
    *ret_pcrs = get32(head + 1);
    return 0;
}

int hf_sealed_secret_remove(const struct hf_fs_ops *fs, const char *folder, const char *digest, struct hf_err *err)
{
    char path[PATH_MAX];

    path_of(folder, digest, path);
    return hf_file_forget(fs, path, err);
}

int hf_sealed_secret_load(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret, const unsigned char *key,
                          struct hf_bundle **ret_bundle, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_MAX);
    struct hf_view blob, envelope, context;
    char room[CONTEXT_MAX];
    size_t n = 0;
    int r = read_parts(fs, secret, &text, &blob, &envelope, err);

    if (r == 0)
        r = make_context(secret, room, &context, err);
    if (r < 0)
        return r;
    unsigned char *content = hf_secret_memory_new(envelope.n + 1);
    if (content == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = hf_tpm_envelope_open(key, context, envelope, content, &n, err);
    if (r == 0)
        r = hf_sealed_secret_parse((struct hf_view){(char *)content, n}, ret_bundle, err);
    hf_secret_memory_free(content, envelope.n + 1);
    if (r < 0)
        return r;
    (void)snprintf((*ret_bundle)->digest, HF_SHA256_HEX, "%s", secret->digest);
    (void)snprintf((*ret_bundle)->id, HF_SHA256_HEX, "%s", secret->digest);
    return 0;
}
