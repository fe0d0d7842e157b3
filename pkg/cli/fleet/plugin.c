/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/plugin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding/base64.h"
#include "base/parse.h"
#include "cli/child.h"

enum { MAX_ARGS = 64, MAX_ENV = 64, MAX_OUTPUT = 256 << 10, MAX_INFO = 64 << 10 };
#define LIMIT_NS (60 * HF_NS_PER_S)
#define PERSON_LIMIT_NS (300 * HF_NS_PER_S)

/* ---- the answer -------------------------------------------------------------------------------------------------- */

void hf_plugin_done(struct hf_plugin_credential *credential)
{
    hf_buf_wipe_text(&credential->token);
    hf_buf_wipe_text(&credential->key_pem);
    hf_buf_wipe_text(&credential->cert_pem);
}

static int copy(const json_t *status, const char *key, char **ret_text, struct hf_err *err)
{
    const json_t *value = json_object_get(status, key);

    if (value == NULL || json_is_null(value))
        return 0;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return hf_err_set(err, EBADMSG, "status.%s must be text", key);
    *ret_text = strdup(json_string_value(value));
    return *ret_text != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

static int check_credential(const json_t *root, const char *api_version, const struct hf_plugin_credential *found,
                            struct hf_err *err)
{
    if (strcmp(hf_json_str_or(root, "kind", ""), "ExecCredential") != 0)
        return hf_err_set(err, EBADMSG, "kind is '%.40s', expected ExecCredential", hf_json_str_or(root, "kind", ""));
    if (strcmp(hf_json_str_or(root, "apiVersion", ""), api_version) != 0)
        return hf_err_set(err, EBADMSG, "apiVersion is '%.60s', expected %.60s as in the kubeconfig",
                          hf_json_str_or(root, "apiVersion", ""), api_version);
    if (found->token == NULL && found->cert_pem == NULL)
        return hf_err_set(err, EBADMSG, "has neither status.token nor status.clientCertificateData");
    if ((found->cert_pem == NULL) != (found->key_pem == NULL))
        return hf_err_set(err, EBADMSG,
                          "has status.clientCertificateData without status.clientKeyData, or the other "
                          "way round");
    if (found->token != NULL && strpbrk(found->token, "\r\n") != NULL) /* it goes into a header */
        return hf_err_set(err, EBADMSG, "status.token has more than one line");
    return 0;
}

int hf_plugin_parse(struct hf_view text, const char *api_version, struct hf_plugin_credential *ret_credential,
                    struct hf_err *err)
{
    struct hf_plugin_credential found = {.expires_unix_ns = UINT64_MAX};
    _cleanup_(hf_json_freep) json_t *root = NULL;
    int r = hf_json_parse(text, NULL, &root, err);
    const json_t *status = json_object_get(root, "status");
    const char *expires = hf_json_str(status, "expirationTimestamp");

    if (r == 0)
        r = copy(status, "token", &found.token, err);
    if (r == 0)
        r = copy(status, "clientCertificateData", &found.cert_pem, err);
    if (r == 0)
        r = copy(status, "clientKeyData", &found.key_pem, err);
    if (r == 0 && expires != NULL && hf_parse_time(expires, &found.expires_unix_ns) < 0)
        r = hf_err_set(err, EBADMSG, "status.expirationTimestamp is not a time");
    if (r == 0)
        r = check_credential(root, api_version, &found, err);
    if (r < 0) {
        hf_plugin_done(&found);
        return hf_err_wrap(err, r, "what the plugin printed");
    }
    *ret_credential = found;
    return 0;
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

struct plugin_command {
    const char *argv[MAX_ARGS + 2];
    const char **env;
    char *made[MAX_ENV + 1]; /* the strings of `env` that are not in the environment of this process */
    size_t n_made;
    const char *api_version;
    bool person; /* true if the plugin may ask the person at the terminal */
};

static void command_done(struct plugin_command *command)
{
    for (size_t i = 0; i < command->n_made; i++)
        hf_buf_wipe_text(&command->made[i]);
    free(command->env);
}

static int read_version(const json_t *exec, struct plugin_command *command, struct hf_err *err)
{
    static const char *const known[] = {"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"};
    const char *version = hf_json_str_or(exec, "apiVersion", "");

    for (size_t i = 0; i < HF_LEN(known); i++)
        if (strcmp(version, known[i]) == 0) {
            command->api_version = known[i];
            return 0;
        }
    return hf_err_set(err, EBADMSG, "apiVersion '%.60s': expected %s or %s", version, known[0], "v1beta1 of it");
}

static int read_mode(const json_t *exec, bool has_terminal, struct plugin_command *command, struct hf_err *err)
{
    const char *mode = hf_json_str_or(exec, "interactiveMode", "IfAvailable");

    if (strcmp(mode, "Never") == 0)
        return 0;
    if (strcmp(mode, "IfAvailable") != 0 && strcmp(mode, "Always") != 0)
        return hf_err_set(err, EBADMSG, "interactiveMode '%.40s': expected Never, IfAvailable or Always", mode);
    if (strcmp(mode, "Always") == 0 && !has_terminal)
        return hf_err_set(err, EBADMSG, "interactiveMode is Always, and standard input is not a terminal");
    command->person = has_terminal;
    return 0;
}

static int read_argv(const json_t *exec, struct plugin_command *command, struct hf_err *err)
{
    const json_t *args = json_object_get(exec, "args");
    size_t n = json_array_size(args);

    command->argv[0] = hf_json_str_or(exec, "command", "");
    if (command->argv[0][0] == '\0')
        return hf_err_set(err, EBADMSG, "'command' is missing");
    if ((args != NULL && !json_is_null(args) && !json_is_array(args)) || n > MAX_ARGS)
        return hf_err_set(err, EBADMSG, "'args' must be a list of at most %d texts", MAX_ARGS);
    for (size_t i = 0; i < n; i++) {
        command->argv[i + 1] = json_string_value(json_array_get(args, i));
        if (command->argv[i + 1] == NULL)
            return hf_err_set(err, EBADMSG, "'args' must be a list of at most %d texts", MAX_ARGS);
    }
    return 0;
}

/* ---- its environment --------------------------------------------------------------------------------------------- */

static int add_env(struct plugin_command *command, const char *name, const char *value, struct hf_err *err)
{
    if (command->n_made > MAX_ENV)
        return hf_err_set(err, EBADMSG, "'env' has more than %d entries", MAX_ENV);
    char *text = hf_asprintf("%s=%s", name, value);
    if (text == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    command->made[command->n_made++] = text;
    return 0;
}

static bool is_made(const struct plugin_command *command, const char *entry)
{
    for (size_t i = 0; i < command->n_made; i++) {
        size_t n = strcspn(command->made[i], "=");
        if (strncmp(entry, command->made[i], n) == 0 && entry[n] == '=')
            return true;
    }
    return false;
}

static json_t *describe_cluster(const struct hf_plugin_cluster *cluster)
{
    _cleanup_(hf_buf_done) struct hf_buf ca = HF_BUF_INIT(MAX_INFO);
    json_t *described = json_pack("{s:s}", "server", cluster->server);

    if (cluster->ca_pem != NULL && hf_base64_encode(cluster->ca_pem, strlen(cluster->ca_pem), &ca) == 0)
        (void)json_object_set_new(described, "certificate-authority-data", json_string(hf_buf_str(&ca)));
    if (cluster->tls_server_name != NULL)
        (void)json_object_set_new(described, "tls-server-name", json_string(cluster->tls_server_name));
    if (cluster->insecure_skip_verify)
        (void)json_object_set_new(described, "insecure-skip-tls-verify", json_true());
    return described;
}

static int add_info(struct plugin_command *command, const json_t *exec, const struct hf_plugin_cluster *cluster,
                    struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_INFO);
    _cleanup_(hf_json_freep) json_t *info = json_pack("{s:s, s:s, s:{s:b}}", "apiVersion", command->api_version, "kind",
                                                      "ExecCredential", "spec", "interactive", command->person);
    json_t *spec = json_object_get(info, "spec");

    if (hf_json_bool_or(exec, "provideClusterInfo", false) &&
        json_object_set_new(spec, "cluster", describe_cluster(cluster)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (info == NULL || hf_json_format(info, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return add_env(command, "KUBERNETES_EXEC_INFO", hf_buf_str(&text), err);
}

static int read_env(const json_t *exec, const struct hf_plugin_cluster *cluster, struct plugin_command *command,
                    struct hf_err *err)
{
    const json_t *list = json_object_get(exec, "env");
    size_t n = 0, used = 0;
    int r = add_info(command, exec, cluster, err);

    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        const char *name = hf_json_str_or(json_array_get(list, i), "name", "");
        const char *value = hf_json_str(json_array_get(list, i), "value");
        if (name[0] == '\0' || strchr(name, '=') != NULL || value == NULL)
            return hf_err_set(err, EBADMSG, "'env[%zu]' must have a 'name' and a 'value'", i);
        r = add_env(command, name, value, err);
    }
    if (r < 0)
        return r;
    while (environ[n] != NULL)
        n++;
    command->env = calloc(n + command->n_made + 1, sizeof(*command->env));
    if (command->env == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (!is_made(command, environ[i]))
            command->env[used++] = environ[i];
    for (size_t i = 0; i < command->n_made; i++)
        command->env[used++] = command->made[i];
    return 0;
}

/* ---- the child --------------------------------------------------------------------------------------------------- */

static int judge(const struct plugin_command *command, int r, int status, struct hf_err *err)
{
    if (r == -ETIMEDOUT)
        return hf_err_set(err, ETIMEDOUT, "the plugin '%.80s' did not finish in time and was killed", command->argv[0]);
    if (r == -E2BIG)
        return hf_err_set(err, EBADMSG, "the plugin '%.80s' printed more than %d bytes", command->argv[0], MAX_OUTPUT);
    if (r < 0)
        return hf_err_sys(err, r, "read from the plugin '%.80s'", command->argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return hf_err_set(err, EACCES, "the plugin '%.80s' failed with %s %d; run it by hand to see why",
                          command->argv[0], WIFEXITED(status) ? "exit code" : "signal",
                          WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 0;
}

static int run(const json_t *exec, const struct plugin_command *command, struct hf_buf *out, struct hf_err *err)
{
    const struct hf_cli_child child = {.argv = command->argv,
                                       .env = command->env,
                                       .has_input = command->person,
                                       .limit_ns = command->person ? PERSON_LIMIT_NS : LIMIT_NS};
    const char *hint = hf_json_str_or(exec, "installHint", "");
    int status = 0;
    int r = hf_cli_child_run(&child, out, &status);

    if (r < 0 && status == HF_CLI_CHILD_NOT_STARTED)
        return hf_err_set(err, -r, "cannot start the plugin '%.80s': %s%s%.100s", command->argv[0], strerror(-r),
                          hint[0] != '\0' ? "; " : "", hint);
    return judge(command, r, status, err);
}

int hf_plugin_run(const json_t *exec, const struct hf_plugin_cluster *cluster, bool has_terminal,
                  struct hf_plugin_credential *ret_credential, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf out = HF_BUF_INIT(MAX_OUTPUT);
    _cleanup_(command_done) struct plugin_command command = {.api_version = NULL};
    int r = json_is_object(exec) ? 0 : hf_err_set(err, EBADMSG, "must be an object");

    if (r == 0)
        r = read_version(exec, &command, err);
    if (r == 0)
        r = read_mode(exec, has_terminal, &command, err);
    if (r == 0)
        r = read_argv(exec, &command, err);
    if (r == 0)
        r = read_env(exec, cluster, &command, err);
    if (r == 0)
        r = run(exec, &command, &out, err);
    if (r == 0)
        r = hf_plugin_parse(hf_buf_view(&out), command.api_version, ret_credential, err);
    return r < 0 ? hf_err_wrap(err, r, "user's 'exec'") : 0;
}
