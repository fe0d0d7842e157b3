/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/identity/certificate_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "loop/tpm_key.h"
#include "os/file.h"
#include "os/owner.h"

#define KEY_BEGIN "-----BEGIN PRIVATE KEY-----"

enum { MAX_WHY = 96 };

static int check(const struct stat *st, const char *path, struct hf_err *err)
{
    char why[MAX_WHY];

    if (hf_owner_is_safe(st, why, sizeof(why)))
        return 0;
    return hf_err_set(err, EPERM,
                      "'%.100s' %s, who could give the agent a key: remove it, or give it to root, mode 0%o", path, why,
                      S_ISDIR(st->st_mode) ? 0700U : 0600U);
}

int hf_certificate_folder_check(const struct hf_fs_ops *fs, const char *dir, struct hf_err *err)
{
    struct stat st;
    int r = fs->fstatat(fs->ctx, AT_FDCWD, dir, &st, 0);

    if (r < 0)
        return hf_err_sys(err, r, "stat '%s'", dir);
    return S_ISDIR(st.st_mode) ? check(&st, dir, err) : hf_err_set(err, ENOTDIR, "'%.160s' is not a folder", dir);
}

int hf_certificate_folder_read(const struct hf_fs_ops *fs, const char *dir, const char *path, struct hf_buf *out,
                               struct hf_err *err)
{
    struct stat st;
    int r = hf_certificate_folder_check(fs, dir, err);

    if (r < 0)
        return r;
    r = fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0);
    if (r < 0)
        return hf_err_sys(err, r, "stat '%s'", path);
    r = check(&st, path, err);
    return r < 0 ? r : hf_file_read(fs, path, out, err);
}

int hf_certificate_folder_split(const struct hf_buf *text, struct hf_certificate_owner *owner,
                                struct hf_buf *certificate, struct hf_buf *key, struct hf_certificate_info *ret_info,
                                struct hf_err *err)
{
    const char *whole = text->n > 0 ? hf_buf_str(text) : "", *begin = strstr(whole, KEY_BEGIN);

    if (begin == NULL)
        begin = strstr(whole, HF_TPM_KEY_BEGIN);
    if (begin == NULL)
        return hf_err_set(err, EBADMSG, "the file lacks a certificate or a key");
    if (hf_buf_add_str(key, begin) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    owner->key_pem = hf_buf_str(key);
    return hf_certificate_take((struct hf_view){whole, (size_t)(begin - whole)}, owner, certificate, ret_info, err);
}
