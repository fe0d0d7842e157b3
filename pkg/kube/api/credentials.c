/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "kube/kube.h"
#include "os/file.h"

enum { MAX_FILE_BYTES = 1 << 20 };

void hf_kube_config_done(struct hf_kube_config *config)
{
    hf_buf_wipe_text(&config->client_key_pem);
    hf_buf_wipe_text(&config->token);
    free(config->server);
    free(config->ca_pem);
    free(config->client_cert_pem);
    free(config->tls_server_name);
    free(config->ca_file);
    free(config->client_cert_file);
    free(config->client_key_file);
    free(config->token_file);
    memset(config, 0, sizeof(*config));
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

/* Reads a text file, without the blanks at both ends. */
static int read_text(const struct hf_fs_ops *fs, const char *path, char **ret_text, struct hf_err *err)
{
    struct hf_buf bytes = HF_BUF_INIT(MAX_FILE_BYTES);
    int r = hf_file_read(fs, path, &bytes, err);

    if (r == 0) {
        struct hf_view text = hf_view_trim(hf_buf_view(&bytes));
        if (text.n == 0 || memchr(text.p, '\0', text.n) != NULL)
            r = hf_err_set(err, EBADMSG, "'%s' is empty or not text", path);
        else if ((*ret_text = hf_view_dup(text)) == NULL)
            r = hf_err_set(err, ENOMEM, "out of memory");
    }
    hf_buf_wipe(&bytes);
    return r;
}

/* The contents of all files: taken over together or not at all. */
struct file_texts {
    char *ca, *cert, *key, *token;
};

static void texts_done(struct file_texts *texts)
{
    hf_buf_wipe_text(&texts->key);
    hf_buf_wipe_text(&texts->token);
    free(texts->ca);
    free(texts->cert);
}

static int read_texts(const struct hf_fs_ops *fs, const struct hf_kube_config *config, struct file_texts *texts,
                      struct hf_err *err)
{
    const struct {
        const char *path;
        char **text;
    } files[] = {
        {config->ca_file, &texts->ca},
        {config->client_cert_file, &texts->cert},
        {config->client_key_file, &texts->key},
        {config->token_file, &texts->token},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_LEN(files); i++)
        if (files[i].path != NULL)
            r = read_text(fs, files[i].path, files[i].text, err);
    if (r == 0 && texts->token != NULL && strpbrk(texts->token, "\r\n") != NULL) /* it goes into a header */
        r = hf_err_set(err, EBADMSG, "token file '%s' has more than one line", config->token_file);
    return r;
}

static int take(char **old, char **fresh)
{
    if (*fresh == NULL || (*old != NULL && strcmp(*old, *fresh) == 0))
        return 0;
    hf_buf_wipe_text(old);
    *old = hf_steal(*fresh);
    return 1;
}

int hf_kube_config_reload(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err)
{
    _cleanup_(texts_done) struct file_texts fresh = {.ca = NULL};
    int changed = 0, r = read_texts(fs, config, &fresh, err);

    if (r < 0)
        return hf_err_wrap(err, r, "read credentials");
    changed |= take(&config->ca_pem, &fresh.ca);
    changed |= take(&config->client_cert_pem, &fresh.cert);
    changed |= take(&config->client_key_pem, &fresh.key);
    changed |= take(&config->token, &fresh.token);
    return changed;
}
