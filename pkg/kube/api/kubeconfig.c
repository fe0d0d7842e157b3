/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/kubeconfig.h"

#include <errno.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "codec/json.h"

enum { MAX_DATA_BYTES = 1 << 20 };

/* The object `list`[name == wanted].`member`; NULL, with *err set, when the list lacks the entry or the entry its
 * member. */
static const json_t *named(const json_t *root, const char *list, const char *wanted, const char *member,
                           struct hf_err *err)
{
    const json_t *entries = json_object_get(root, list);

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *name = hf_json_str(entry, "name");
        if (name == NULL || strcmp(name, wanted) != 0)
            continue;
        const json_t *found = json_object_get(entry, member);
        if (json_is_object(found))
            return found;
        (void)hf_err_set(err, EBADMSG, "%s '%s' has no '%s'", list, wanted, member);
        return NULL;
    }
    (void)hf_err_set(err, EBADMSG, "'%s' has no entry named '%s'", list, wanted);
    return NULL;
}

/* Text of a field; "" when it is absent or null. -EBADMSG: another type. */
static int text_of(const json_t *object, const char *key, const char **ret_text, struct hf_err *err)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL || json_is_null(value)) {
        *ret_text = "";
        return 0;
    }
    if (!json_is_string(value))
        return hf_err_set(err, EBADMSG, "'%s' must be text", key);
    *ret_text = json_string_value(value);
    return 0;
}

static int flag_of(const json_t *object, const char *key, bool *ret_flag, struct hf_err *err)
{
    const json_t *value = json_object_get(object, key);

    if (value != NULL && !json_is_null(value) && !json_is_boolean(value))
        return hf_err_set(err, EBADMSG, "'%s' must be true or false", key);
    *ret_flag = json_is_true(value);
    return 0;
}

static int copy_text(const json_t *object, const char *key, char **ret_text, struct hf_err *err)
{
    const char *text = "";
    int r = text_of(object, key, &text, err);

    if (r < 0 || *text == '\0')
        return r;
    *ret_text = strdup(text);
    return *ret_text != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

/* A file name, relative to the folder of the kubeconfig. */
static int copy_path(const json_t *object, const char *key, const char *path, char **ret_path, struct hf_err *err)
{
    const char *text = "";
    int r = text_of(object, key, &text, err);

    if (r < 0 || *text == '\0')
        return r;
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL && *text != '/' ? (int)(slash - path) + 1 : 0;
    *ret_path = hf_asprintf("%.*s%s", folder, path, text);
    return *ret_path != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

/* Base64, possibly folded into lines. */
static int copy_data(const json_t *object, const char *key, char **ret_pem, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf packed = HF_BUF_INIT(2 * MAX_DATA_BYTES), bytes = HF_BUF_INIT(MAX_DATA_BYTES);
    const char *text = "";
    int r = text_of(object, key, &text, err);

    if (r < 0 || *text == '\0')
        return r;
    while (r == 0 && *text != '\0') {
        size_t n = strcspn(text, " \t\r\n");
        r = hf_buf_add(&packed, text, n);
        text += n + strspn(text + n, " \t\r\n");
    }
    if (r == 0)
        r = hf_base64_decode(hf_buf_view(&packed), &bytes);
    if (r == 0 && memchr(bytes.p, '\0', bytes.n) != NULL)
        r = -EINVAL;
    if (r < 0)
        return hf_err_set(err, EBADMSG, "'%s' is not base64 of a PEM text", key);
    *ret_pem = hf_buf_take(&bytes);
    return *ret_pem != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

/* Refuses fields that kubectl honours and this reader does not: ignoring one would surprise somebody later, on a node
 * far away. */
static int refuse(const json_t *object, const char *const *keys, const char *where, struct hf_err *err)
{
    for (; *keys != NULL; keys++) {
        const json_t *value = json_object_get(object, *keys);
        bool empty = value == NULL || json_is_null(value) ||
                     (json_is_string(value) && json_string_length(value) == 0) ||
                     (json_is_array(value) && json_array_size(value) == 0);
        if (!empty)
            return hf_err_set(err, EBADMSG, "%s uses '%s', which is not supported; use a client certificate or a token",
                              where, *keys);
    }
    return 0;
}

static int read_cluster(const json_t *cluster, const char *path, struct hf_kube_config *config, struct hf_err *err)
{
    static const char *const refused[] = {"proxy-url", NULL};
    int r = refuse(cluster, refused, "cluster", err);

    if (r == 0)
        r = copy_text(cluster, "server", &config->server, err);
    if (r == 0 && config->server == NULL)
        r = hf_err_set(err, EBADMSG, "cluster has no 'server'");
    if (r == 0)
        r = copy_text(cluster, "tls-server-name", &config->tls_server_name, err);
    if (r == 0)
        r = flag_of(cluster, "insecure-skip-tls-verify", &config->insecure_skip_verify, err);
    if (r == 0)
        r = copy_data(cluster, "certificate-authority-data", &config->ca_pem, err);
    if (r == 0 && config->ca_pem == NULL)
        r = copy_path(cluster, "certificate-authority", path, &config->ca_file, err);
    if (r == 0 && config->insecure_skip_verify && (config->ca_pem != NULL || config->ca_file != NULL))
        r = hf_err_set(err, EBADMSG, "cluster has both 'insecure-skip-tls-verify' and a certificate authority");
    return r;
}

static int read_user(const json_t *user, const char *path, struct hf_kube_config *config, struct hf_err *err)
{
    static const char *const refused[] = {"exec",   "auth-provider", "username",      "password", "as",
                                          "as-uid", "as-groups",     "as-user-extra", NULL};
    int r = refuse(user, refused, "user", err);

    if (r == 0)
        r = copy_data(user, "client-certificate-data", &config->client_cert_pem, err);
    if (r == 0 && config->client_cert_pem == NULL)
        r = copy_path(user, "client-certificate", path, &config->client_cert_file, err);
    if (r == 0)
        r = copy_data(user, "client-key-data", &config->client_key_pem, err);
    if (r == 0 && config->client_key_pem == NULL)
        r = copy_path(user, "client-key", path, &config->client_key_file, err);
    if (r == 0)
        r = copy_path(user, "tokenFile", path, &config->token_file, err);
    if (r == 0 && config->token_file == NULL)
        r = copy_text(user, "token", &config->token, err);
    bool cert = config->client_cert_pem != NULL || config->client_cert_file != NULL;
    bool key = config->client_key_pem != NULL || config->client_key_file != NULL;
    if (r == 0 && cert != key)
        r = hf_err_set(err, EBADMSG, "user has a client certificate without its key, or the other way round");
    return r;
}

static int read_context(const json_t *root, const char *path, struct hf_kube_config *config, struct hf_err *err)
{
    const char *name = "", *cluster_name = "", *user_name = "";
    int r = text_of(root, "current-context", &name, err);

    if (r < 0)
        return r;
    if (*name == '\0')
        return hf_err_set(err, EBADMSG, "no 'current-context'");
    const json_t *context = named(root, "contexts", name, "context", err);
    if (context == NULL)
        return -EBADMSG;
    r = text_of(context, "cluster", &cluster_name, err);
    if (r == 0)
        r = text_of(context, "user", &user_name, err);
    if (r < 0)
        return hf_err_wrap(err, r, "context '%s'", name);
    const json_t *cluster = named(root, "clusters", cluster_name, "cluster", err);
    if (cluster == NULL)
        return hf_err_wrap(err, -EBADMSG, "context '%s'", name);
    r = read_cluster(cluster, path, config, err);
    if (r < 0 || *user_name == '\0') /* a context without user is anonymous */
        return r;
    const json_t *user = named(root, "users", user_name, "user", err);
    return user != NULL ? read_user(user, path, config, err) : hf_err_wrap(err, -EBADMSG, "context '%s'", name);
}

int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_kube_config config = {.server = NULL};
    int r = hf_yaml_parse(text, NULL, &root, err);

    if (r == 0 && !json_is_object(root))
        r = hf_err_set(err, EBADMSG, "not a kubeconfig: expected an object");
    if (r == 0)
        r = read_context(root, path, &config, err);
    if (r < 0) {
        hf_kube_config_done(&config);
        return hf_err_wrap(err, r, "kubeconfig '%s'", path);
    }
    hf_kube_config_done(ret_config);
    *ret_config = config;
    return 0;
}
