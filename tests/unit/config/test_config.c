/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>

#include "support/check_main.h"

enum question { GLOB, SECRET, SINK, BROKER, SCRAPE, OWN_SCRAPE, SOCKET, EXEC, UNIT };

static bool ask(const struct hf_config *config, enum question question, const char *what, struct hf_err *err)
{
    const enum hf_config_scope scope = HF_CONFIG_UNSIGNED;

    switch (question) {
    case GLOB:
        return hf_config_allows_file_glob(config, scope, what, err);
    case SECRET:
        return hf_config_allows_secret(config, scope, what, err);
    case SINK:
        return hf_config_allows_sink(config, scope, what, err);
    case BROKER:
        return hf_config_allows_broker(config, scope, what, err);
    case SCRAPE:
        return hf_config_allows_scrape(config, scope, what, false, err);
    case OWN_SCRAPE:
        return hf_config_allows_scrape(config, scope, what, true, err);
    case SOCKET:
        return hf_config_allows_socket(config, scope, what, err);
    case EXEC:
        return hf_config_allows_exec(config, what, err);
    case UNIT:
        return hf_config_allows_unit(config, what, err);
    }
    return false;
}

/* What a node without the file allows; `says` is a part of the refusal, NULL: allowed. */
static const struct {
    enum question question;
    const char *what, *says;
} defaults[] = {
    {GLOB, "/var/log/syslog", NULL},
    {GLOB, "/var/log/app/*.log", NULL},
    {GLOB, "/etc/shadow", "add '/etc/shadow' to telemetry.files in /etc/holdfast/agent.yaml"},
    {GLOB, "/srv/log/*.log", "add '/srv/log/*.log' to telemetry.files"},
    {GLOB, "/srv/log/[ab].log", "add '/srv/log/*' to telemetry.files"},
    {GLOB, "/var/log/../../etc/shadow", "not an absolute path"},
    {GLOB, "var/log/x", "not an absolute path"},
    {GLOB, "", "not an absolute path"},
    {GLOB, "/var/*/x", "wildcards in its last part only"},
    {GLOB, "/*", "add '/*' to telemetry.files"},
    {GLOB, "/proc/self/environ", "not allowed"},
    {GLOB, "/srv/a-long-name-of-a-folder/and-one-more-long-name-of-a-folder/and-the-third-one/log/application.log",
     "not allowed: add '/srv/a-long-name-of-a-folder/and-one-more-long-name-of-a-folder/and-the-third-one/log/"
     "application.log' to telemetry.files in /etc/holdfast/agent.yaml"},
    {SECRET, "file:/etc/holdfast/credentials.d/token", NULL},
    {SECRET, "file:/etc/holdfast/credentials.d/site/token", NULL},
    {SECRET, "file:/etc/holdfast/credentials.d", "not allowed"},
    {SECRET, "file:/etc/holdfast/credentials.d/", "not an absolute path"},
    {SECRET, "file:/etc/holdfast/credentials.d/../trust.d/x", "not an absolute path"},
    {SECRET, "file:/etc/holdfast/credentials.dd/x", "not allowed"},
    {SECRET, "file:/etc/ssl/private/x.key", "add '/etc/ssl/private' to telemetry.credentialFolders"},
    {SECRET, "file:/shadow", "move the file"},
    {SECRET, "file:", "not an absolute path"},
    {SECRET, "env:HOME", "add 'HOME' to telemetry.credentialVariables"},
    {SECRET, "env:", "not allowed"},
    {SECRET, "/etc/shadow", "expected file:/path or env:NAME"},
    {SINK, "https://collector.example.org/v1?key=secret", NULL},
    {SINK, "http://127.0.0.1:4318", NULL},
    {SINK, "http://collector.example.org/v1?key=secret",
     "'http://collector.example.org:80' is not allowed: add 'http://collector.example.org:80' to telemetry.sinks"},
    {SINK, "mqtts://x", "expected a URL"},
    {SINK, "https://user:secret@x", "expected a URL"},
    {BROKER, "mqtts://broker.example.org:8883", NULL},
    {BROKER, "mqtt://localhost", NULL},
    {BROKER, "mqtt://broker.example.org:1883", "to telemetry.brokers"},
    {SCRAPE, "http://127.0.0.1:9100/metrics", NULL},
    {SCRAPE, "http://10.0.0.1:9100/metrics", "to telemetry.scrapes"},
    {SCRAPE, "http://169.254.169.254/latest/meta-data", "to telemetry.scrapes"},
    {OWN_SCRAPE, "http://10.0.0.1:9100/metrics", NULL},
    {SOCKET, "/run/holdfast/telemetry.sock", NULL},
    {SOCKET, "/run/holdfast/../docker.sock", "not allowed"},
    {SOCKET, "/run/systemd/notify", "add '/run/systemd/notify' to telemetry.sockets"},
    {EXEC, "/bin/sh", NULL},
    {UNIT, "sshd.service", NULL},
};

START_TEST(without_a_file)
{
    _cleanup_(hf_config_freep) struct hf_config *config = hf_config_new();
    const struct hf_config *configs[] = {NULL, config};
    char text[600];

    for (size_t i = 0; i < HF_LEN(configs); i++) {
        struct hf_err err = HF_ERR_INIT;
        bool ok = ask(configs[i], defaults[_i].question, defaults[_i].what, &err);
        ck_assert_msg(ok == (defaults[_i].says == NULL), "'%s'", defaults[_i].what);
        (void)hf_err_text(&err, text, sizeof(text));
        ck_assert_msg(ok ? err.code == 0 : strstr(text, defaults[_i].says) != NULL, "'%s': %s", defaults[_i].what,
                      text);
        ck_assert_ptr_null(strstr(text, "secret"));
        (void)ask(configs[i], defaults[_i].question, defaults[_i].what, NULL);
    }
}
END_TEST

START_TEST(numbers_without_a_file)
{
    static const char *const roots[] = {HF_CONFIG_UPDATE_ROOTS};

    for (size_t i = 0; i < HF_LEN(roots); i++)
        ck_assert_str_eq(hf_config_update_roots(NULL)[i], roots[i]);
    ck_assert_ptr_null(hf_config_update_roots(NULL)[HF_LEN(roots)]);
    ck_assert(!hf_config_requires_signed_policy(NULL));
    ck_assert_uint_eq(hf_config_n_faults(NULL), 0);
    ck_assert_ptr_null(hf_config_fault(NULL, 0));
    ck_assert(hf_config_max_spool_bytes(NULL, HF_CONFIG_SIGNED) == UINT64_C(16) << 30);
    ck_assert(hf_config_disk_reserve_bytes(NULL, 1000000) == 50000);
    ck_assert(hf_config_disk_reserve_bytes(NULL, 0) == 0);
    ck_assert(hf_config_disk_reserve_bytes(NULL, UINT64_C(1) << 40) == UINT64_C(1) << 30);
    ck_assert(hf_config_disk_reserve_bytes(NULL, UINT64_MAX) == UINT64_C(1) << 30);
}
END_TEST

START_TEST(one_file)
{
    ck_assert(hf_config_allows_file(NULL, HF_CONFIG_UNSIGNED, "/var/log/a/b"));
    ck_assert(!hf_config_allows_file(NULL, HF_CONFIG_UNSIGNED, "/var/log"));
    ck_assert(!hf_config_allows_file(NULL, HF_CONFIG_SIGNED, "/etc/shadow"));
    ck_assert(hf_config_allows_file(NULL, HF_CONFIG_SIGNED, "/var/log/a*"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, without_a_file, 0, HF_LEN(defaults));
    tcase_add_test(tc, numbers_without_a_file);
    tcase_add_test(tc, one_file);
}
HF_TEST_MAIN("config/config", cases)
