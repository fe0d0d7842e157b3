/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "os/file.h"
#include "os/owner.h"
#include "trust/key.h"
#include "trust/trust.h"

enum { MAX_WHY = 96 };

int hf_trust_folder_open(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_err *err)
{
    char why[MAX_WHY];
    struct stat st;
    int fd = fs->openat(fs->ctx, AT_FDCWD, trust_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "open trust folder '%s'", trust_dir);
    int r = fs->fstat(fs->ctx, fd, &st);
    if (r < 0)
        r = hf_err_sys(err, r, "stat trust folder '%s'", trust_dir);
    else if (!hf_owner_is_safe(&st, why, sizeof(why)))
        r = hf_err_set(err, EPERM, "trust folder '%.120s' %s: no key in it counts", trust_dir, why);
    if (r == 0)
        return fd;
    (void)fs->close(fs->ctx, fd);
    return r;
}

static int check_file(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char why[MAX_WHY];
    struct stat st;
    int r = fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);

    if (r < 0)
        return r == -ENOENT ? r : hf_err_sys(err, r, "stat '%s'", path);
    if (S_ISLNK(st.st_mode))
        r = fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0);
    if (r == -ENOENT)
        return hf_err_set(err, ENOLINK, "'%.160s' is a link to nothing", path);
    if (r < 0)
        return hf_err_sys(err, r, "stat '%s'", path);
    if (S_ISREG(st.st_mode) && !hf_owner_is_safe(&st, why, sizeof(why)))
        return hf_err_set(err, EPERM, "'%.140s' %s: it does not count", path, why);
    return 0;
}

int hf_trust_folder_read(const struct hf_fs_ops *fs, const char *trust_dir, const char *name, struct hf_buf *out,
                         struct hf_err *err)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", trust_dir, name) >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", trust_dir);
    int r = check_file(fs, path, err);
    return r < 0 ? r : hf_file_read(fs, path, out, err);
}

/* ---- what does not belong there ---------------------------------------------------------------------------------- */

struct inspection {
    const struct hf_fs_ops *fs;
    const char *trust_dir;
    struct hf_buf *out;
    unsigned char keys[HF_TRUST_MAX_KEYS][HF_ED25519_PUBLIC];
    char names[HF_TRUST_MAX_KEYS][NAME_MAX + 1];
    size_t n_keys;
};

static void tell(struct inspection *inspection, const char *format, ...) HF_PRINTF(2, 3);

static void tell(struct inspection *inspection, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)!hf_buf_addf(inspection->out, "%s%s", inspection->out->n > 0 ? "; " : "", text);
}

static void inspect_key(struct inspection *inspection, const char *name, const char *pem)
{
    unsigned char raw[HF_ED25519_PUBLIC];
    struct hf_err err = HF_ERR_INIT;
    char id[NAME_MAX + 1];

    (void)snprintf(id, sizeof(id), "%.*s", (int)(strlen(name) - strlen(".pem")), name);
    if (!hf_trust_key_id_valid(id)) {
        tell(inspection, "'%.100s' has no key id as its name: no signature can name it", name);
        return;
    }
    if (hf_trust_public_raw(pem, raw, &err) < 0) {
        tell(inspection, "'%.100s' %s", name, HF_CUT(200, err.cause));
        return;
    }
    for (size_t i = 0; i < inspection->n_keys; i++)
        if (memcmp(inspection->keys[i], raw, sizeof(raw)) == 0)
            tell(inspection, "'%.100s' is the key of '%.100s' under another id: both count as one", name,
                 inspection->names[i]);
    if (inspection->n_keys == HF_TRUST_MAX_KEYS)
        return;
    memcpy(inspection->keys[inspection->n_keys], raw, sizeof(raw));
    (void)snprintf(inspection->names[inspection->n_keys++], NAME_MAX + 1, "%s", name);
}

static int inspect_entry(void *arg, const char *name, unsigned char type)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_TRUST_MAX_PEM);
    struct inspection *inspection = arg;
    const char *dot = strrchr(name, '.');
    bool is_key = dot != NULL && dot != name && strcmp(dot, ".pem") == 0;
    struct hf_err err = HF_ERR_INIT;

    (void)type;
    if (name[0] == '.')
        return 0;
    int r = hf_trust_folder_read(inspection->fs, inspection->trust_dir, name, &text, &err);
    if (r < 0) {
        if (is_key || strcmp(name, "threshold") == 0 || r == -EPERM)
            tell(inspection, "%s", HF_CUT(250, err.cause));
        return 0;
    }
    if (hf_trust_half_of(hf_buf_str(&text)) == HF_TRUST_HALF_PRIVATE)
        tell(inspection, "'%.100s' holds a private key: whoever takes this node can sign releases with it", name);
    else if (is_key)
        inspect_key(inspection, name, hf_buf_str(&text));
    return 0;
}

void hf_trust_folder_inspect(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_buf *out)
{
    struct inspection *inspection = calloc(1, sizeof(*inspection));
    struct hf_err err = HF_ERR_INIT;

    if (inspection == NULL)
        return;
    *inspection = (struct inspection){.fs = fs, .trust_dir = trust_dir, .out = out};
    int fd = hf_trust_folder_open(fs, trust_dir, &err);
    if (fd < 0 && fd != -ENOENT)
        tell(inspection, "%s", HF_CUT(250, err.cause));
    if (fd >= 0) {
        (void)!fs->list(fs->ctx, fd, inspect_entry, inspection);
        (void)fs->close(fs->ctx, fd);
    }
    free(inspection);
}

/* ---- the stamp --------------------------------------------------------------------------------------------------- */

struct stamping {
    const struct hf_fs_ops *fs;
    const char *trust_dir;
    unsigned char sum[HF_SHA256_BYTES]; /* of the hashes of all files, so that the order of a list does not matter */
};

static int stamp_entry(void *arg, const char *name, unsigned char type)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_TRUST_MAX_PEM);
    struct stamping *stamping = arg;
    unsigned char digest[HF_SHA256_BYTES];
    const char *dot = strrchr(name, '.');
    struct hf_sha256 hash;

    (void)type;
    if ((dot == NULL || strcmp(dot, ".pem") != 0) && strcmp(name, "threshold") != 0)
        return 0;
    int r = hf_trust_folder_read(stamping->fs, stamping->trust_dir, name, &text, NULL);
    hf_sha256_init(&hash);
    hf_sha256_update(&hash, name, strlen(name) + 1);
    hf_sha256_update(&hash, &r, sizeof(r));
    hf_sha256_update(&hash, text.p, text.n);
    hf_sha256_final(&hash, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        stamping->sum[i] ^= digest[i];
    return 0;
}

void hf_trust_folder_stamp(const struct hf_fs_ops *fs, const char *trust_dir, char stamp[static HF_SHA256_HEX])
{
    struct stamping stamping = {.fs = fs, .trust_dir = trust_dir};
    int fd = hf_trust_folder_open(fs, trust_dir, NULL);
    int r = fd;

    if (fd >= 0) {
        r = fs->list(fs->ctx, fd, stamp_entry, &stamping);
        (void)fs->close(fs->ctx, fd);
    }
    stamping.sum[0] ^= (unsigned char)(r < 0 ? -r : 0);
    (void)hf_sha256_hex(stamping.sum, sizeof(stamping.sum), stamp);
}
