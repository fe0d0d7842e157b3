/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kube.h"

#include <errno.h>

#include "kube/api/kubeconfig.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

#define SA "/var/run/secrets/kubernetes.io/serviceaccount"

static const char *environment[8];

static const char *get(const char *name)
{
    for (size_t i = 0; environment[i] != NULL; i += 2)
        if (strcmp(environment[i], name) == 0)
            return environment[i + 1];
    return NULL;
}

static void put(struct hf_simfs *fs, const char *path, const char *text)
{
    hf_simfs_put(fs, path, text, strlen(text), 0600);
}

static struct hf_simfs *pod(void)
{
    struct hf_simfs *fs = hf_simfs_new();

    put(fs, SA "/ca.crt", "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n");
    put(fs, SA "/token", "token-1\n");
    memcpy(environment, (const char *[]){"KUBERNETES_SERVICE_HOST", "10.0.0.1", "KUBERNETES_SERVICE_PORT", "443", NULL},
           5 * sizeof(environment[0]));
    return fs;
}

START_TEST(in_a_cluster)
{
    struct hf_simfs *fs = pod();
    struct hf_kube_config config = {.server = NULL};

    ck_assert_int_eq(hf_kube_config_find(hf_simfs_ops(fs), NULL, NULL, get, &config, NULL), 0);
    ck_assert_str_eq(config.server, "https://10.0.0.1:443");
    ck_assert_str_eq(config.token, "token-1");
    ck_assert(strstr(config.ca_pem, "BEGIN CERTIFICATE") != NULL);
    /* Nothing changed, then the token, then both, then one of them cannot be read: then neither is taken over. */
    ck_assert_int_eq(hf_kube_config_reload(hf_simfs_ops(fs), &config, NULL), 0);
    put(fs, SA "/token", "token-2");
    ck_assert_int_eq(hf_kube_config_reload(hf_simfs_ops(fs), &config, NULL), 1);
    ck_assert_str_eq(config.token, "token-2");
    put(fs, SA "/ca.crt", "other ca");
    put(fs, SA "/token", "token-3");
    ck_assert_int_eq(hf_kube_config_reload(hf_simfs_ops(fs), &config, NULL), 1);
    ck_assert_str_eq(config.ca_pem, "other ca");
    put(fs, SA "/ca.crt", "third ca");
    hf_simfs_delete(fs, SA "/token");
    ck_assert_int_eq(hf_kube_config_reload(hf_simfs_ops(fs), &config, NULL), -ENOENT);
    ck_assert_str_eq(config.ca_pem, "other ca");
    ck_assert_str_eq(config.token, "token-3");
    put(fs, SA "/token", "");
    ck_assert_int_eq(hf_kube_config_reload(hf_simfs_ops(fs), &config, NULL), -EBADMSG);
    put(fs, SA "/token", "two\nlines");
    ck_assert_int_eq(hf_kube_config_reload(hf_simfs_ops(fs), &config, NULL), -EBADMSG);
    hf_kube_config_done(&config);
    environment[1] = "fd00::1";
    put(fs, SA "/token", "t");
    ck_assert_int_eq(hf_kube_config_find(hf_simfs_ops(fs), NULL, NULL, get, &config, NULL), 0);
    ck_assert_str_eq(config.server, "https://[fd00::1]:443");
    hf_kube_config_done(&config);
    environment[0] = NULL;
    ck_assert_int_eq(hf_kube_config_find(hf_simfs_ops(fs), NULL, NULL, get, &config, NULL), -ENOENT);
    hf_simfs_free(fs);
}
END_TEST

static const struct {
    const char *server;
    int want_r;
    const char *want;
} servers[] = {
    {"http://127.0.0.1:10550", 0, "http://127.0.0.1:10550"},
    {"https://api.example.com/", 0, "https://api.example.com"},
    {"https://rancher/k8s/clusters/c-1//", 0, "https://rancher/k8s/clusters/c-1"},
    {"http://169.254.30.10:10550", 0, "http://169.254.30.10:10550"},
    {"https://", -EINVAL, NULL},
    {"https:///", -EINVAL, NULL},
    {"http://", -EINVAL, NULL},
    {"10.0.0.1:6443", -EINVAL, NULL},
    {"ftp://x", -EINVAL, NULL},
    {"", -EINVAL, NULL},
    {"https://user:pw@host", -EINVAL, NULL},
    {"https://host?x=1", -EINVAL, NULL},
    {"https://host\r\nX: 1", -EINVAL, NULL},
};

START_TEST(plain_server)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_kube_config config = {.server = NULL};
    int r = hf_kube_config_find(hf_simfs_ops(fs), servers[_i].server, NULL, get, &config, NULL);

    ck_assert_msg(r == servers[_i].want_r && (r < 0 || strcmp(config.server, servers[_i].want) == 0), "%s: %d",
                  servers[_i].server, r);
    hf_kube_config_done(&config);
    hf_simfs_free(fs);
}
END_TEST

/* Servers without TLS that get a token only if they are this machine. */
static const struct {
    const char *server;
    bool good;
} plain_servers[] = {
    {"http://127.0.0.1:10550", true},
    {"http://127.8.7.6", true},
    {"http://[::1]:10550", true},
    {"http://[::1]", true},
    {"http://localhost", true},
    {"http://localhost:10550", true},
    {"http://localhost/prefix", true},
    {"http://127.evil.example", false},
    {"http://127.evil.example:10550", false},
    {"http://127.0.0.1.evil.example/", false},
    {"http://[::1].evil.example", false},
    {"http://[::ffff:127.0.0.1]:10550", false},
    {"http://LOCALHOST:10550", false},
    {"http://localhost.", false},
    {"http://localhost.evil.example", false},
    {"http://10.0.0.1:10550", false},
};

START_TEST(secrets_without_tls)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_kube_config config = {.server = NULL};
    char text[512], cause[256];
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(
        text, sizeof(text),
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: "
        "u}}\nclusters:\n- {name: k, cluster: {server: '%s'}}\nusers:\n- name: u\n  user: {token: t}\n",
        plain_servers[_i].server);
    put(fs, "/k/config", text);
    int r = hf_kube_config_find(hf_simfs_ops(fs), NULL, "/k/config", get, &config, &err);
    ck_assert_msg(r == (plain_servers[_i].good ? 0 : -EACCES), "%s: %d %s", plain_servers[_i].server, r,
                  hf_err_text(&err, cause, sizeof(cause)));
    hf_kube_config_done(&config);
    hf_simfs_free(fs);
}
END_TEST

#define HEAD                                                                                                           \
    "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u}}\n"
#define CLUSTER                                                                                                        \
    "clusters:\n- {name: other, cluster: {server: 'https://no'}}\n- {name: k, cluster: {server: 'https://k:6443'"
#define USER "}}\nusers:\n- name: u\n  user: "

static const struct {
    const char *name, *text;
    int want_r;
    const char *want_text; /* in the error */
    const char *ca, *cert, *key, *token;
    bool insecure;
} kubeconfigs[] = {
    {"token", HEAD CLUSTER USER "{token: abc}\n", 0, NULL, NULL, NULL, NULL, "abc", false},
    {"embedded",
     HEAD CLUSTER ", certificate-authority-data: Y2E=" USER
                  "{client-certificate-data: Y2Vy\n     dA==, client-key-data: a2V5}\n",
     0, NULL, "ca", "cert", "key", NULL, false},
    {"files beside it",
     HEAD CLUSTER ", certificate-authority: pki/ca.pem" USER
                  "{client-certificate: cert.pem, client-key: /abs/key.pem}\n",
     0, NULL, "ca file", "cert file", "key file", NULL, false},
    {"data wins over the file",
     HEAD CLUSTER ", certificate-authority: nowhere, certificate-authority-data: Y2E=" USER "{}\n", 0, NULL, "ca", NULL,
     NULL, NULL, false},
    {"tokenFile wins over token", HEAD CLUSTER USER "{token: abc, tokenFile: token}\n", 0, NULL, NULL, NULL, NULL,
     "from file", false},
    {"insecure", HEAD CLUSTER ", insecure-skip-tls-verify: true" USER "{}\n", 0, NULL, NULL, NULL, NULL, NULL, true},
    {"null fields, as kubectl writes them",
     HEAD CLUSTER ", certificate-authority: null" USER "{token: abc, exec: null, username: ''}\n", 0, NULL, NULL, NULL,
     NULL, "abc", false},
    {"exec", HEAD CLUSTER USER "{exec: {command: aws}}\n", -EBADMSG, "'exec'", NULL, NULL, NULL, NULL, false},
    {"auth-provider", HEAD CLUSTER USER "{auth-provider: {name: gcp}}\n", -EBADMSG, "'auth-provider'", NULL, NULL, NULL,
     NULL, false},
    {"password", HEAD CLUSTER USER "{username: me, password: p}\n", -EBADMSG, "'username'", NULL, NULL, NULL, NULL,
     false},
    {"impersonation", HEAD CLUSTER USER "{token: t, as: root}\n", -EBADMSG, "'as'", NULL, NULL, NULL, NULL, false},
    {"proxy", HEAD CLUSTER ", proxy-url: 'http://p'" USER "{}\n", -EBADMSG, "'proxy-url'", NULL, NULL, NULL, NULL,
     false},
    {"insecure with a CA",
     HEAD CLUSTER ", insecure-skip-tls-verify: true, certificate-authority-data: Y2E=" USER "{}\n", -EBADMSG,
     "insecure", NULL, NULL, NULL, NULL, false},
    {"insecure as text", HEAD CLUSTER ", insecure-skip-tls-verify: 'yes'" USER "{}\n", -EBADMSG, "true or false", NULL,
     NULL, NULL, NULL, false},
    {"key without certificate", HEAD CLUSTER USER "{client-key-data: a2V5}\n", -EBADMSG, "without its key", NULL, NULL,
     NULL, NULL, false},
    {"not base64", HEAD CLUSTER ", certificate-authority-data: '***'" USER "{}\n", -EBADMSG,
     "certificate-authority-data", NULL, NULL, NULL, NULL, false},
    {"missing file", HEAD CLUSTER ", certificate-authority: nowhere" USER "{}\n", -ENOENT, "nowhere", NULL, NULL, NULL,
     NULL, false},
    {"no such user", HEAD CLUSTER "}}\nusers: []\n", -EBADMSG, "'users' has no entry named 'u'", NULL, NULL, NULL, NULL,
     false},
    {"no current context", "clusters: []\n", -EBADMSG, "current-context", NULL, NULL, NULL, NULL, false},
    {"no such context", "current-context: x\ncontexts: []\n", -EBADMSG, "'x'", NULL, NULL, NULL, NULL, false},
    {"token is a number", HEAD CLUSTER USER "{token: 7}\n", -EBADMSG, "'token' must be text", NULL, NULL, NULL, NULL,
     false},
    {"token with a line feed", HEAD CLUSTER USER "{token: \"a\\nb\"}\n", -EBADMSG, "token", NULL, NULL, NULL, NULL,
     false},
    {"a list", "- 1\n", -EBADMSG, "object", NULL, NULL, NULL, NULL, false},
    {"nonsense", "a: b: c\n", -EBADMSG, "line", NULL, NULL, NULL, NULL, false},
    {"token without TLS",
     "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
     "clusters: [{name: k, cluster: {server: 'http://k'}}]\nusers: [{name: u, user: {token: t}}]\n",
     -EACCES, "without TLS", NULL, NULL, NULL, NULL, false},
};

static bool same(const char *a, const char *b)
{
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

START_TEST(kubeconfig)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_kube_config config = {.server = NULL};
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    put(fs, "/kc/config", kubeconfigs[_i].text);
    put(fs, "/kc/pki/ca.pem", "ca file");
    put(fs, "/kc/cert.pem", "cert file");
    put(fs, "/abs/key.pem", "key file");
    put(fs, "/kc/token", "from file\n");
    int r = hf_kube_config_find(hf_simfs_ops(fs), NULL, "/kc/config", get, &config, &err);
    (void)hf_err_text(&err, text, sizeof(text));
    ck_assert_msg(r == kubeconfigs[_i].want_r, "%s: %d %s", kubeconfigs[_i].name, r, text);
    if (r < 0) {
        ck_assert_msg(strstr(text, kubeconfigs[_i].want_text) != NULL, "%s: %s", kubeconfigs[_i].name, text);
    } else {
        ck_assert_str_eq(config.server, "https://k:6443");
        ck_assert_msg(same(config.ca_pem, kubeconfigs[_i].ca) && same(config.client_cert_pem, kubeconfigs[_i].cert) &&
                          same(config.client_key_pem, kubeconfigs[_i].key) &&
                          same(config.token, kubeconfigs[_i].token) &&
                          config.insecure_skip_verify == kubeconfigs[_i].insecure,
                      "%s", kubeconfigs[_i].name);
        hf_kube_config_done(&config);
        /* Another way to the same cluster. */
        ck_assert_int_eq(hf_kube_config_find(hf_simfs_ops(fs), "https://tunnel:1", "/kc/config", get, &config, NULL),
                         0);
        ck_assert_str_eq(config.server, "https://tunnel:1");
        ck_assert(same(config.token, kubeconfigs[_i].token));
    }
    hf_kube_config_done(&config);
    hf_simfs_free(fs);
}
END_TEST

START_TEST(names_for_tls)
{
    struct hf_kube_config config = {.server = NULL};

    ck_assert_int_eq(hf_kubeconfig_parse(hf_view_of(HEAD CLUSTER ", tls-server-name: k.internal" USER "{token: t}\n"),
                                         "config", &config, NULL),
                     0);
    ck_assert_str_eq(config.tls_server_name, "k.internal");
    hf_kube_config_done(&config);
}
END_TEST

START_TEST(every_failing_call)
{
    for (uint64_t n = 1;; n++) {
        struct hf_simfs *fs = hf_simfs_new();
        struct hf_kube_config config = {.server = NULL};
        put(fs, "/c", kubeconfigs[2].text);
        put(fs, "/pki/ca.pem", "ca file");
        put(fs, "/cert.pem", "cert file");
        put(fs, "/abs/key.pem", "key file");
        hf_simfs_fail_at(fs, n, EIO, 1);
        int r = hf_kube_config_find(hf_simfs_ops(fs), NULL, "/c", get, &config, NULL);
        bool fired = hf_simfs_failed(fs) > 0;
        ck_assert(fired ? r == -EIO && config.server == NULL : r == 0);
        hf_kube_config_done(&config);
        ck_assert_uint_eq(hf_simfs_open_fds(fs), 0);
        hf_simfs_free(fs);
        if (!fired)
            break;
        ck_assert_uint_lt(n, 100);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, in_a_cluster);
    tcase_add_loop_test(tc, plain_server, 0, (int)HF_LEN(servers));
    tcase_add_loop_test(tc, secrets_without_tls, 0, HF_LEN(plain_servers));
    tcase_add_loop_test(tc, kubeconfig, 0, (int)HF_LEN(kubeconfigs));
    tcase_add_test(tc, names_for_tls);
    tcase_add_test(tc, every_failing_call);
}
HF_TEST_MAIN("kube/config", cases)
