/* SPDX-License-Identifier: Apache-2.0 */
#include "os/secret_ref.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

#define FILE_PREFIX "file:"
#define ENV_PREFIX "env:"

int hf_secret_ref_parse(const char *text, struct hf_secret_ref *ret_ref)
{
    if (strncmp(text, FILE_PREFIX, strlen(FILE_PREFIX)) == 0)
        *ret_ref = (struct hf_secret_ref){HF_SECRET_FILE, text + strlen(FILE_PREFIX)};
    else if (strncmp(text, ENV_PREFIX, strlen(ENV_PREFIX)) == 0)
        *ret_ref = (struct hf_secret_ref){HF_SECRET_ENV, text + strlen(ENV_PREFIX)};
    else
        return -EINVAL;
    return 0;
}

static int read_env(const char *name, struct hf_buf *out, struct hf_err *err)
{
    const char *value = getenv(name);

    if (value == NULL)
        return hf_err_set(err, ENOENT, "environment variable '%s' is not set", name);
    int r = hf_buf_add_str(out, value);
    return r < 0 ? hf_err_set(err, -r, "environment variable '%s' is too long", name) : 0;
}

static int read_file(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err)
{
    int r = hf_file_read(fs, path, out, err);

    if (r < 0)
        return r;
    const struct hf_view secret = hf_view_trim(hf_buf_view(out));
    if (secret.n > 0)
        memmove(out->p, secret.p, secret.n);
    if (out->n > secret.n)
        explicit_bzero(out->p + secret.n, out->n - secret.n);
    out->n = secret.n;
    return 0;
}

int hf_secret_ref_read(const struct hf_secret_ref *ref, const struct hf_fs_ops *fs, struct hf_buf *out,
                       struct hf_err *err)
{
    hf_buf_clear(out);
    return ref->kind == HF_SECRET_ENV ? read_env(ref->name, out, err) : read_file(fs, ref->name, out, err);
}
