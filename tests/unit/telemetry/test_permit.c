/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy may not ask, under the defaults and under a file: each refusal costs its own part. */
#include "telemetry/permit.h"

#include <stdio.h>
#include <string.h>

#include "api/syncpolicy.h"
#include "support/check_main.h"

static char told[4096];
static struct hf_config *config;
static enum hf_config_scope scope;

static void refused(void *arg, const char *field, const struct hf_err *err)
{
    size_t n = strlen(told);

    (void)arg;
    (void)snprintf(told + n, sizeof(told) - n, "%s: %s\n", field, err->cause);
}

static const char *own_address = "192.0.2.7";

static bool is_own(const char *url)
{
    return strstr(url, own_address) != NULL;
}

static void granted(void *arg, const struct hf_err *err)
{
    refused(arg, "granted", err);
}

static const struct hf_telemetry *permit(struct hf_syncpolicy *policy)
{
    static struct hf_telemetry spec;
    const struct hf_permit with = {.config = config, .scope = scope, .is_own_url = is_own, .refused = refused};

    spec = policy->telemetry;
    told[0] = '\0';
    hf_telemetry_permit(&spec, hf_json_at(policy->json, "spec.telemetry.sink") != NULL, &with);
    return &spec;
}

/* Decodes a policy whose spec.telemetry is `telemetry` (JSON), and permits it. */
static const struct hf_telemetry *permit_text(const char *telemetry, struct hf_syncpolicy **ret_policy)
{
    static struct hf_issues issues;
    char text[8192];

    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\": \"edge.codcompass.io/v1alpha1\", \"kind\": \"SyncPolicy\", \"metadata\": {\"name\": "
        "\"p\"}, \"spec\": {\"nodeSelector\": {}, \"telemetry\": %s}}",
        telemetry);
    json_t *json = json_loads(text, 0, NULL);
    ck_assert_msg(json != NULL, "%s", text);
    int r = hf_syncpolicy_decode(json, ret_policy, &issues);
    ck_assert_msg(r == 0, "%s: %d", telemetry, r);
    json_decref(json);
    return permit(*ret_policy);
}

static const struct {
    const char *telemetry;
    const char *wants; /* what is reported, its beginning; "" nothing */
} rows[] = {
    {"{\"sources\": {\"files\": [{\"path\": \"/var/log/app/*.log\"}]}}", ""},
    {"{\"sources\": {\"files\": [{\"path\": \"/etc/shadow\"}]}}",
     "sources.files[0].path: '/etc/shadow' is not allowed: "
     "add '/etc/shadow' to telemetry.files in "
     "/etc/holdfast/agent.yaml\n"},
    {"{\"sources\": {\"files\": [{\"path\": \"/var/log2/x\"}]}}", "sources.files[0].path: "},
    {"{\"sources\": {\"socket\": {\"path\": \"/run/holdfast/in.sock\"}}}", ""},
    {"{\"sources\": {\"socket\": {\"path\": \"/run/docker.sock\"}}}", "sources.socket.path: '/run/docker.sock' is not"},
    {"{\"sources\": {\"scrape\": [{\"url\": \"http://127.0.0.1:9100/metrics\"}]}}", ""},
    {"{\"sources\": {\"scrape\": [{\"url\": \"http://192.0.2.7:9100/metrics\"}]}}", ""},
    {"{\"sources\": {\"scrape\": [{\"url\": \"http://192.0.2.8:9100/metrics\"}]}}", "sources.scrape[0].url: "},
    {"{\"sources\": {\"scrape\": [{\"url\": \"http://[::1].example.com/\"}]}}", "sources.scrape[0].url: "},
    {"{\"sources\": {\"mqtt\": {\"host\": \"127.0.0.1\", \"topics\": [\"t\"]}}}", ""},
    {"{\"sources\": {\"mqtt\": {\"host\": \"::1\", \"topics\": [\"t\"]}}}", ""},
    {"{\"sources\": {\"mqtt\": {\"host\": \"broker.example.com\", \"topics\": [\"t\"], \"tls\": true}}}", ""},
    {"{\"sources\": {\"mqtt\": {\"host\": \"broker.example.com\", \"topics\": [\"t\"]}}}", "sources.mqtt.host: "},
    {"{\"sources\": {\"mqtt\": {\"host\": \"localhost\", \"topics\": [\"t\"], \"passwordRef\": "
     "\"file:/root/.ssh/id_ed25519\"}}}",
     "sources.mqtt.passwordRef: "},
    {"{\"sources\": {\"mqtt\": {\"host\": \"localhost\", \"topics\": [\"t\"], \"usernameRef\": \"env:HOME\"}}}",
     "sources.mqtt.usernameRef: "},
    {"{\"sources\": {\"mqtt\": {\"host\": \"localhost\", \"topics\": [\"t\"], \"passwordRef\": "
     "\"file:/etc/holdfast/credentials.d/mqtt\"}}}",
     ""},
    {"{\"sink\": {\"url\": \"https://any.example.com/take\"}}", ""},
    {"{\"sink\": {\"url\": \"https://a.example.com\", \"tokenFile\": \"/etc/holdfast/credentials.d/token\"}}", ""},
    {"{\"sink\": {\"url\": \"https://a.example.com\", \"tokenFile\": \"/etc/holdfast/credentials.d2/token\"}}",
     "sink.tokenFile: 'file:/etc/holdfast/credentials.d2/token' is not allowed: add '/etc/holdfast/credentials.d2' to "
     "telemetry.credentialFolders in /etc/holdfast/agent.yaml\n"},
    {"{\"sinks\": [{\"name\": \"a\", \"url\": \"https://a.example.com\"}, {\"name\": \"b\", \"url\": "
     "\"https://b.example.com\", \"certFile\": \"/etc/c.pem\", \"keyFile\": \"/etc/k.pem\"}]}",
     "sinks[1].certFile: "},
    {"{\"sink\": {\"url\": \"https://a.example.com\", \"caFile\": \"/etc/shadow\"}}", "sink.caFile: "},
    {"{\"buffer\": {\"maxBytes\": \"16Gi\"}}", ""},
    {"{\"buffer\": {\"maxBytes\": \"17Gi\"}}", "buffer.maxBytes: 18253611008 bytes are not allowed and 17179869184 "},
};

START_TEST(defaults)
{
    struct hf_syncpolicy *policy = NULL;

    (void)permit_text(rows[_i].telemetry, &policy);
    ck_assert_msg(strncmp(told, rows[_i].wants, strlen(rows[_i].wants)) == 0 &&
                      (rows[_i].wants[0] == '\0') == (told[0] == '\0'),
                  "%s: %s", rows[_i].telemetry, told);
    hf_syncpolicy_free(policy);
}
END_TEST

START_TEST(others_stay)
{
    struct hf_syncpolicy *policy = NULL;
    const struct hf_telemetry *left = permit_text(
        "{\"sources\": {\"http\": true, \"files\": [{\"path\": \"/etc/a\"}, {\"path\": \"/var/log/b\"}, {\"path\": "
        "\"/etc/c\"}, {\"path\": \"/var/log/d\"}], \"scrape\": [{\"url\": \"http://example.com/\"}, {\"url\": "
        "\"http://localhost/\"}], \"socket\": {\"path\": \"/tmp/x\"}, \"mqtt\": {\"host\": \"b\", \"topics\": "
        "[\"t\"]}}, "
        "\"sinks\": [{\"name\": \"a\", \"url\": \"https://a\", \"tokenFile\": \"/x\", \"windows\": [{\"days\": "
        "[\"Mon\"], "
        "\"start\": \"01:00\", \"duration\": \"1h\"}]}, {\"name\": \"b\", \"url\": \"https://b\"}]}",
        &policy);

    ck_assert_str_eq(strchr(told, ':') != NULL ? "yes" : "no", "yes");
    ck_assert_uint_eq(left->sources.n_files, 2);
    ck_assert_str_eq(left->sources.files[0].path, "/var/log/b");
    ck_assert_str_eq(left->sources.files[1].path, "/var/log/d");
    ck_assert_ptr_nonnull(strstr(told, "sources.files[0].path: '/etc/a'"));
    ck_assert_ptr_nonnull(strstr(told, "sources.files[2].path: '/etc/c'"));
    ck_assert_uint_eq(left->sources.n_scrapes, 1);
    ck_assert_str_eq(left->sources.scrapes[0].url, "http://localhost/");
    ck_assert_ptr_null(left->sources.socket_path);
    ck_assert_ptr_null(left->sources.mqtt.host);
    ck_assert_uint_eq(left->n_sinks, 1);
    ck_assert_str_eq(left->sinks[0].name, "b");
    ck_assert(left->sources.http);
    ck_assert_uint_eq(policy->telemetry.n_sinks, 2); /* the policy still frees both */
    hf_syncpolicy_free(policy);
}
END_TEST

/* The node gets the address of two targets later, as by DHCP. Each is reported in the words of its refusal. */
START_TEST(a_scrape_comes_back_with_its_address)
{
    const struct hf_permit with = {.is_own_url = is_own, .refused = refused, .granted = granted};
    struct hf_syncpolicy *policy = NULL;
    struct hf_telemetry_sources left =
        permit_text("{\"sources\": {\"scrape\": [{\"url\": \"http://192.0.2.9:1/a\"}, {\"url\": "
                    "\"http://192.0.2.8:2/b\"}, {\"url\": \"http://192.0.2.7:3/c\"}, {\"url\": "
                    "\"http://192.0.2.9:4/d\"}]}}",
                    &policy)
            ->sources;

    ck_assert_uint_eq(left.n_scrapes, 1);
    ck_assert_uint_eq(hf_telemetry_permit_scrapes_again(&left, 4, &with), 0);
    told[0] = '\0';
    own_address = "192.0.2.9";
    ck_assert_uint_eq(hf_telemetry_permit_scrapes_again(&left, 4, &with), 2);
    ck_assert_uint_eq(left.n_scrapes, 3);
    ck_assert_str_eq(left.scrapes[0].url, "http://192.0.2.7:3/c");
    ck_assert_str_eq(left.scrapes[1].url, "http://192.0.2.9:4/d");
    ck_assert_str_eq(left.scrapes[2].url, "http://192.0.2.9:1/a");
    ck_assert_str_eq(left.scrapes[3].url, "http://192.0.2.8:2/b");
    ck_assert_str_eq(told, "granted: 'http://192.0.2.9:4' is not allowed: add 'http://192.0.2.9:4' to "
                           "telemetry.scrapes in /etc/holdfast/agent.yaml\n"
                           "granted: 'http://192.0.2.9:1' is not allowed: add 'http://192.0.2.9:1' to "
                           "telemetry.scrapes in /etc/holdfast/agent.yaml\n");
    own_address = "192.0.2.7";
    hf_syncpolicy_free(policy);
}
END_TEST

START_TEST(by_the_file)
{
    static const char text[] = "apiVersion: edge.codcompass.io/v1alpha1\n"
                               "kind: AgentConfiguration\n"
                               "telemetry: {files: ['/srv/log/**'], sinks: ['https://sink.example.com']}\n"
                               "signedPolicies: {files: ['/home/*']}\n";
    static const struct {
        const char *telemetry;
        bool signed_only; /* else: for every policy, or for none */
        bool allowed;
    } asks[] = {{"{\"sources\": {\"files\": [{\"path\": \"/srv/log/x\"}]}}", false, true},
                {"{\"sources\": {\"files\": [{\"path\": \"/var/log/x\"}]}}", false, false},
                {"{\"sources\": {\"files\": [{\"path\": \"/home/x\"}]}}", true, true},
                {"{\"sink\": {\"url\": \"https://sink.example.com/a\"}}", false, true},
                {"{\"sink\": {\"url\": \"https://other.example.com/a\"}}", false, false}};

    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(config), 0);
    for (size_t i = 0; i < HF_LEN(asks); i++)
        for (scope = HF_CONFIG_UNSIGNED; scope < HF_CONFIG_SCOPES; scope++) {
            struct hf_syncpolicy *policy = NULL;
            (void)permit_text(asks[i].telemetry, &policy);
            bool want = asks[i].allowed && (!asks[i].signed_only || scope == HF_CONFIG_SIGNED);
            ck_assert_msg((told[0] == '\0') == want, "%s %d: %s", asks[i].telemetry, scope, told);
            hf_syncpolicy_free(policy);
        }
}
END_TEST

static void tear_down(void)
{
    hf_config_free(config);
    config = NULL;
    scope = HF_CONFIG_UNSIGNED;
}

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, NULL, tear_down);
    tcase_add_loop_test(tc, defaults, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, others_stay);
    tcase_add_test(tc, a_scrape_comes_back_with_its_address);
    tcase_add_test(tc, by_the_file);
}

HF_TEST_MAIN("telemetry/permit", cases)
