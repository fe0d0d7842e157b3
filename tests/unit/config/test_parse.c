/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "config/config.h"

#include "support/check_main.h"

#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
#define FILE_NAME "/etc/holdfast/agent.yaml"

static struct hf_config *parse(const char *text)
{
    struct hf_config *config = NULL;

    ck_assert_int_eq(hf_config_parse(hf_view_of(text), FILE_NAME, &config, NULL), 0);
    ck_assert_ptr_nonnull(config);
    return config;
}

static void no_faults(const struct hf_config *config)
{
    ck_assert_msg(hf_config_n_faults(config) == 0, "%s", hf_config_fault(config, 0));
}

static const char full[] = HEAD
    "updateRoots: [/srv/apps, /opt]\n"
    "exec: [/usr/bin/check, /srv/apps/**]\n"
    "units: [edge-sample.service, 'app@*']\n"
    "requireSigned: [SyncPolicy]\n"
    "diskReserve: 200Mi\n"
    "telemetry:\n"
    "  files: [/srv/log/*.log]\n"
    "  credentialFolders: [/etc/creds]\n"
    "  credentialVariables: [SITE_TOKEN]\n"
    "  sinks: ['https://collector.example.org']\n"
    "  brokers: ['mqtts://broker.example.org']\n"
    "  scrapes: ['http://192.0.2.7:9100']\n"
    "  sockets: [/run/app/log.sock]\n"
    "  maxSpool: 100Mi\n"
    "signedPolicies:\n"
    "  files: [/var/log/**]\n"
    "  sinks: ['https://*:*']\n"
    "  maxSpool: 2Gi\n"
    "  manifests: {staticPods: true, files: [/etc/site/**], units: ['a-*.service']}\n"
    "manifests:\n"
    "  cluster: true\n"
    "  secrets: [/run/site/**]\n"
    "  origins: ['http://*.svc.cluster.local:*']\n"
    "staticPodFolder: /srv/pods\n"
    "clockResync: false\n"
    "page: None\n"
    "share: {neighbours: true, port: 9999, bytesPerSecond: 1Mi, caFile: /etc/ca.pem, certFile: /c.pem, keyFile: /k}\n"
    "imageCredentialProvider: {config: /etc/providers.yaml, binDir: /usr/libexec/providers}\n"
    "tpm: {sealSecrets: true, floors: true, tcti: 'swtpm:host=localhost,port=2321', pcrs: [0, 7, 22]}\n";

START_TEST(every_field)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(full);
    const enum hf_config_scope plain = HF_CONFIG_UNSIGNED, with = HF_CONFIG_SIGNED;

    no_faults(config);
    ck_assert_str_eq(hf_config_update_roots(config)[0], "/srv/apps");
    ck_assert_str_eq(hf_config_update_roots(config)[1], "/opt");
    ck_assert_ptr_null(hf_config_update_roots(config)[2]);
    ck_assert(hf_config_allows_exec(config, "/usr/bin/check", NULL));
    ck_assert(hf_config_allows_exec(config, "/srv/apps/a/b", NULL));
    ck_assert(!hf_config_allows_exec(config, "/bin/sh", NULL));
    ck_assert(!hf_config_allows_exec(config, "/srv/apps/../../bin/sh", NULL));
    ck_assert(!hf_config_allows_exec(config, "check", NULL));
    ck_assert(hf_config_allows_unit(config, "edge-sample.service", NULL));
    ck_assert(hf_config_allows_unit(config, "app@1.service", NULL));
    ck_assert(!hf_config_allows_unit(config, "sshd.service", NULL));
    ck_assert(hf_config_names_unit(config, "edge-sample.service"));
    ck_assert(!hf_config_names_unit(config, "app@1.service") && !hf_config_names_unit(NULL, "edge-sample.service"));
    ck_assert(hf_config_requires_signed_policy(config));
    ck_assert(hf_config_disk_reserve_bytes(config, UINT64_C(1) << 40) == 200 << 20);
    ck_assert(hf_config_allows_file_glob(config, plain, "/srv/log/a*.log", NULL));
    ck_assert(!hf_config_allows_file_glob(config, plain, "/var/log/syslog", NULL));
    ck_assert(hf_config_allows_file_glob(config, with, "/var/log/syslog", NULL));
    ck_assert(hf_config_allows_file_glob(config, with, "/srv/log/a*.log", NULL));
    ck_assert(hf_config_allows_secret(config, plain, "file:/etc/creds/x", NULL));
    ck_assert(!hf_config_allows_secret(config, with, "file:/etc/holdfast/credentials.d/x", NULL));
    ck_assert(hf_config_allows_secret(config, plain, "env:SITE_TOKEN", NULL));
    ck_assert(!hf_config_allows_secret(config, plain, "env:SITE_TOKEN2", NULL));
    ck_assert(hf_config_allows_sink(config, plain, "https://collector.example.org/v1", NULL));
    ck_assert(!hf_config_allows_sink(config, plain, "https://evil.example.org/v1", NULL));
    ck_assert(hf_config_allows_sink(config, with, "https://evil.example.org:8443/v1", NULL));
    ck_assert(hf_config_allows_broker(config, plain, "mqtts://broker.example.org:8883", NULL));
    ck_assert(!hf_config_allows_broker(config, plain, "mqtt://localhost:1883", NULL));
    ck_assert(hf_config_allows_scrape(config, plain, "http://192.0.2.7:9100/metrics", false, NULL));
    ck_assert(!hf_config_allows_scrape(config, plain, "http://127.0.0.1:9100/metrics", true, NULL));
    ck_assert(hf_config_allows_socket(config, plain, "/run/app/log.sock", NULL));
    ck_assert(!hf_config_allows_socket(config, plain, "/run/holdfast/log.sock", NULL));
    ck_assert_int_eq(hf_config_page(config), HF_CONFIG_PAGE_NONE);
    const struct hf_config_share share = hf_config_share(config), none = hf_config_share(NULL);
    ck_assert(share.neighbours && share.port == 9999 && share.bytes_per_s == 1 << 20);
    ck_assert_str_eq(share.ca_file, "/etc/ca.pem");
    ck_assert_str_eq(share.cert_file, "/c.pem");
    ck_assert_str_eq(share.key_file, "/k");
    ck_assert(!none.neighbours && none.port == HF_CONFIG_SHARE_PORT && none.ca_file == NULL);
    ck_assert_str_eq(hf_config_image_credentials(config).config, "/etc/providers.yaml");
    ck_assert_str_eq(hf_config_image_credentials(config).folder, "/usr/libexec/providers");
    ck_assert_ptr_null(hf_config_image_credentials(NULL).config);
    ck_assert(hf_config_max_spool_bytes(config, plain) == 100 << 20);
    ck_assert(hf_config_max_spool_bytes(config, with) == UINT64_C(2) << 30);
}
END_TEST

START_TEST(printed_text_parses_to_the_same)
{
    const char *const texts[] = {full, HEAD, HEAD "exec: []\ntelemetry: {files: []}\ndiskReserve: 12.5%\n",
                                 HEAD "updateRoots: ['/srv/a\"b\\c']\nstaticPodFolder: '/etc/p\"q\\'\n"
                                      "telemetry: {files: ['/srv/**/a*\"/**']}\ndiskReserve: 1Gi\n"};

    for (size_t i = 0; i < HF_LEN(texts); i++) {
        _cleanup_(hf_config_freep) struct hf_config *config = parse(texts[i]);
        _cleanup_(hf_buf_done) struct hf_buf once = HF_BUF_INIT(65536), twice = HF_BUF_INIT(65536);
        no_faults(config);
        ck_assert_int_eq(hf_config_format(config, &once), 0);
        _cleanup_(hf_config_freep) struct hf_config *again = parse(hf_buf_str(&once));
        no_faults(again);
        ck_assert_int_eq(hf_config_format(again, &twice), 0);
        if (i != 1) /* the default of diskReserve has two bounds, of which the text shows one as a comment */
            ck_assert_str_eq(hf_buf_str(&once), hf_buf_str(&twice));
    }
}
END_TEST

/* Each text has one fault; `says` is its message behind the file's name. */
static const struct {
    const char *text, *says;
} faulty[] = {
    {"", ":1: no document in this YAML text"},
    {"a: [", ":2: did not find"},
    {"a: &x [*x]", ":1"},
    {"- a", ":1: expected an object"},
    {"kind: AgentConfiguration\n", ":1: apiVersion: expected edge.codcompass.io/v1alpha1"},
    {"apiVersion: edge.codcompass.io/v1\nkind: AgentConfiguration\n", ":1: apiVersion: expected"},
    {"apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\n", ":2: kind: expected AgentConfiguration"},
    {HEAD "exec: [/a]\nexec: [/b]\n", ":4"},
    {HEAD "updateRoots: /opt\n", ":3: updateRoots: expected a list, got '/opt'"},
    {HEAD "updateRoots: [opt]\n", ":3: updateRoots[0]: expected an absolute path"},
    {HEAD "updateRoots: [/a, /b, /c, /d, /e, /f, /g, /h]\n", ":3: updateRoots: expected at most 7 items, got 8"},
    {HEAD "updateRoots: [/]\n", ":3: updateRoots[0]: expected an absolute path"},
    {HEAD "updateRoots:\n- /opt\n- /srv/../etc\n", ":5: updateRoots[1]: expected an absolute path"},
    {HEAD "exec: ['/bin/[a]']\n", ":3: exec[0]: expected an absolute path"},
    {HEAD "exec: null\n", ":3: exec: expected a list, got null"},
    {HEAD "units: [sshd]\n", ":3: units[0]: expected a shell pattern of service names"},
    {HEAD "units: ['a b.service']\n", ":3: units[0]: expected a shell pattern of service names"},
    {HEAD "telemetry: []\n", ":3: telemetry: expected an object"},
    {HEAD "telemetry:\n  fils: [/x]\n", ":4: telemetry.fils: unknown field; did you mean 'files'?"},
    {HEAD "telemetry:\n  files: [/x, 5]\n", ":4: telemetry.files[1]: expected an absolute path"},
    {HEAD "telemetry: {sinks: ['https://x/path']}\n", ":3: telemetry.sinks[0]: expected https://HOST"},
    {HEAD "telemetry: {sinks: ['mqtt://x']}\n", ":3: telemetry.sinks[0]: expected https://HOST"},
    {HEAD "telemetry: {brokers: ['https://x']}\n", ":3: telemetry.brokers[0]: expected mqtts://HOST"},
    {HEAD "telemetry: {credentialVariables: ['A B']}\n", ":3: telemetry.credentialVariables[0]: expected the name"},
    {HEAD "telemetry: {credentialFolders: ['/etc/*/../x']}\n", ":3: telemetry.credentialFolders[0]: expected"},
    {HEAD "telemetry: {maxSpool: 1Ki}\n", ":3: telemetry.maxSpool: expected a quantity"},
    {HEAD "telemetry: {maxSpool: lots}\n", ":3: telemetry.maxSpool: expected a quantity"},
    {HEAD "requireSigned: [EdgeUpdate]\n", ":3: requireSigned[0]: expected SyncPolicy"},
    {HEAD "page: Off\n", ":3: page: expected None, Read or Act"},
    {HEAD "page: Reed\n", ":3: page: expected None, Read or Act"},
    {HEAD "requireSigned: SyncPolicy\n", ":3: requireSigned: expected a list"},
    {HEAD "requireSinged: [SyncPolicy]\n", ":3: requireSinged: unknown field; did you mean 'requireSigned'?"},
    {HEAD "diskReserve: 51%\n", ":3: diskReserve: expected a percentage up to 50%"},
    {HEAD "diskReserve: -1\n", ":3: diskReserve: expected a percentage up to 50%"},
    {HEAD "diskReserve: 2Ti\n", ":3: diskReserve: expected a percentage up to 50%"},
    {HEAD "share: true\n", ":3: share: expected an object"},
    {HEAD "share: {neighbours: yes please}\n", ":3: share.neighbours: expected true or false"},
    {HEAD "share: {neighbours: true, port: 0}\n", ":3: share.port: expected a port"},
    {HEAD "share: {neighbours: true, port: 65536}\n", ":3: share.port: expected a port"},
    {HEAD "share: {neighbours: true, bytesPerSecond: 1Ki}\n", ":3: share.bytesPerSecond: expected a quantity"},
    {HEAD "share: {neighbours: true, caFile: ca.pem}\n", ":3: share.caFile: expected an absolute path"},
    {HEAD "share: {neighbours: true, keyFile: /a/../k}\n", ":3: share.keyFile: expected an absolute path"},
    {HEAD "imageCredentialProvider: /x\n", ":3: imageCredentialProvider: expected an object"},
    {HEAD "imageCredentialProvider: {config: /x}\n", ":3: imageCredentialProvider: config and binDir go together"},
    {HEAD "imageCredentialProvider: {config: /x, binDir: y}\n", ":3: imageCredentialProvider.binDir: expected"},
    {HEAD "imageCredentialProvider: {config: /x, binDir: /y, a: b}\n", ":3: imageCredentialProvider.a: unknown field"},
    {HEAD "somethingElse: 1\n", ":3: somethingElse: unknown field"},
    {HEAD "metadata: {name: x}\n", ":3: metadata: unknown field"},
};

START_TEST(one_fault)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(faulty[_i].text);
    const char *fault = hf_config_fault(config, 0), *name = FILE_NAME;

    ck_assert_msg(hf_config_n_faults(config) == 1, "'%s': %zu", faulty[_i].text, hf_config_n_faults(config));
    ck_assert_msg(strncmp(fault, name, strlen(name)) == 0 &&
                      strncmp(fault + strlen(name), faulty[_i].says, strlen(faulty[_i].says)) == 0,
                  "'%s': %s", faulty[_i].text, fault);
    ck_assert(!hf_config_share(config).neighbours); /* a wrong field allows nothing */
    ck_assert_ptr_null(hf_config_image_credentials(config).config);
}
END_TEST

/* A mistake costs its own field, allows nothing, and leaves the other fields alone. */
START_TEST(a_fault_allows_nothing)
{
    const enum hf_config_scope scope = HF_CONFIG_UNSIGNED;
    struct hf_config *config = parse(HEAD "exec: /bin/sh\ndiskReserve: 10%\n");

    ck_assert(!hf_config_allows_exec(config, "/bin/sh", NULL));
    ck_assert(hf_config_disk_reserve_bytes(config, 1000) == 100);
    hf_config_free(config);

    config = parse(HEAD "telemetry: {files: [/srv/a/**, x], sinks: 'https://*'}\n");
    ck_assert(hf_config_allows_file_glob(config, scope, "/srv/a/b", NULL));
    ck_assert(!hf_config_allows_file_glob(config, scope, "/var/log/b", NULL));
    ck_assert(!hf_config_allows_sink(config, scope, "https://x", NULL));
    ck_assert(hf_config_allows_broker(config, scope, "mqtts://x", NULL));
    hf_config_free(config);

    config = parse(HEAD "telemetry: [/x]\n");
    ck_assert(!hf_config_allows_file_glob(config, scope, "/var/log/b", NULL));
    ck_assert(!hf_config_allows_sink(config, scope, "https://x", NULL));
    ck_assert(hf_config_max_spool_bytes(config, scope) == UINT64_C(16) << 30);
    hf_config_free(config);

    /* a misspelt field counts as the field that was meant */
    config = parse(HEAD "requireSinged: [SyncPolicy]\nexce: [/usr/bin/x]\ntelemetri: {}\n");
    ck_assert_uint_eq(hf_config_n_faults(config), 3);
    ck_assert(hf_config_requires_signed_policy(config));
    ck_assert(!hf_config_allows_exec(config, "/usr/bin/x", NULL));
    ck_assert(!hf_config_allows_sink(config, scope, "https://x", NULL));
    hf_config_free(config);

    config = parse(HEAD "exec: [/usr/bin/x]\nexce: [/usr/bin/y]\nsignedPolices: {files: ['/**']}\n");
    ck_assert(hf_config_allows_exec(config, "/usr/bin/x", NULL));
    ck_assert(!hf_config_allows_exec(config, "/usr/bin/y", NULL));
    ck_assert(!hf_config_allows_file(config, HF_CONFIG_SIGNED, "/etc/shadow"));
    hf_config_free(config);
}
END_TEST

START_TEST(no_configuration_at_all)
{
    static const char *const texts[] = {"", "a: [", "kind: x", "\x01", "[]", HEAD "exec: []\n---\n" HEAD};

    for (size_t i = 0; i < HF_LEN(texts); i++) {
        _cleanup_(hf_config_freep) struct hf_config *config = parse(texts[i]);
        ck_assert_uint_eq(hf_config_n_faults(config), 1);
        ck_assert(hf_config_requires_signed_policy(config));
        ck_assert(hf_config_allows_file(config, HF_CONFIG_UNSIGNED, "/var/log/a"));
        ck_assert(!hf_config_allows_file(config, HF_CONFIG_SIGNED, "/etc/shadow"));
        ck_assert_str_eq(hf_config_update_roots(config)[0], "/opt");
    }
}
END_TEST

START_TEST(more_faults_than_kept)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);

    ck_assert_int_eq(hf_buf_add_str(&text, HEAD), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(hf_buf_addf(&text, "zzzzzzzzzz%d: 1\n", i), 0);
    _cleanup_(hf_config_freep) struct hf_config *config = parse(hf_buf_str(&text));
    ck_assert_uint_eq(hf_config_n_faults(config), HF_CONFIG_MAX_FAULTS);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, every_field);
    tcase_add_test(tc, printed_text_parses_to_the_same);
    tcase_add_loop_test(tc, one_fault, 0, HF_LEN(faulty));
    tcase_add_test(tc, a_fault_allows_nothing);
    tcase_add_test(tc, no_configuration_at_all);
    tcase_add_test(tc, more_faults_than_kept);
}
HF_TEST_MAIN("config/parse", cases)
