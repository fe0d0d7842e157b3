/* SPDX-License-Identifier: Apache-2.0 */
/* Which credential a URL gets, and where its mirrors are. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/mirrors.h"

#include "support/check_main.h"

#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
#define MINUTE (60 * HF_NS_PER_S)

static struct hf_config *parse(const char *text)
{
    char whole[8192];
    struct hf_config *config = NULL;

    (void)snprintf(whole, sizeof(whole), HEAD "%s", text);
    ck_assert_int_eq(hf_config_parse(hf_view_of(whole), "agent.yaml", &config, NULL), 0);
    return config;
}

/* ---- credentials ------------------------------------------------------------------------------------------------- */

static const char items[] = "artifacts:\n"
                            "- {url: 'https://store.example.com', tokenFile: /c/0}\n"
                            "- {url: 'https://store.example.com/releases/', user: edge, passwordFile: /c/1}\n"
                            "- {url: 'https://store.example.com/releases/line', header: X-Api-Key, valueFile: /c/2}\n"
                            "- {url: 'https://other.example.com:8443', certFile: /c/3, keyFile: /c/3k, caFile: /c/3a}\n"
                            "- {url: 'http://plain.example.com/x', tokenFile: /c/4, allowPlainHttp: true}\n"
                            "- {url: 'https://[2001:db8::1]:9000/', tokenFile: /c/5}\n";

static const struct {
    const char *url;
    int want; /* -1: none */
} matches[] = {
    {"https://store.example.com/a", 0},
    {"https://store.example.com", 0},
    {"https://store.example.com?x=1", 0},
    {"https://store.example.com:443/a", 0},
    {"https://STORE.example.COM/a", 0},
    {"https://store.example.com/releases", 1},
    {"https://store.example.com/releases/a", 1},
    {"https://store.example.com/releases?x", 1},
    {"https://store.example.com/releases2/a", 0},
    {"https://store.example.com/Releases/a", 0},
    {"https://store.example.com/releases/line/a", 2},
    {"https://store.example.com/releases/line2/a", 1},
    {"https://store.example.com/releases/../private", 0},
    {"https://store.example.com/releases/%2E%2e/private", 0},
    {"https://store.example.com/releases/.%2e?a", 0},
    {"https://store.example.com/releases/./line/a", 0},
    {"https://store.example.com/releases/..a/b", 1},
    {"https://store.example.com/releases/.../b", 1},
    {"https://other.example.com:8443/a", 3},
    {"https://other.example.com/a", -1},
    {"http://store.example.com/a", -1},
    {"http://store.example.com:443/a", -1},
    {"https://store.example.com:8443/a", -1},
    {"https://store.example.com.evil.example/a", -1},
    {"https://evil.example/https://store.example.com/a", -1},
    {"https://user@store.example.com/a", -1},
    {"https://store.example.com@evil.example/a", -1},
    {"https://store.example.com\\@evil.example/a", -1},
    {"https://store.example.com%2eevil.example/a", -1},
    {"http://plain.example.com/x/a", 4},
    {"http://plain.example.com/y", -1},
    {"https://plain.example.com/x/a", -1},
    {"https://[2001:db8::1]:9000/a", 5},
    {"file:///etc/passwd", -1},
    {"", -1},
};

START_TEST(credential_of_a_url)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(items);
    const struct hf_config_artifact *item = hf_config_artifact_for(config, matches[_i].url);

    ck_assert_msg(hf_config_n_faults(config) == 0, "%s", hf_config_fault(config, 0));
    ck_assert_msg((item != NULL ? (int)item->index : -1) == matches[_i].want, "%s: %d", matches[_i].url,
                  item != NULL ? (int)item->index : -1);
    ck_assert_ptr_null(hf_config_artifact_for(NULL, matches[_i].url));
}
END_TEST

static const struct {
    const char *text, *fault; /* a part of it */
} faults[] = {
    {"artifacts: x", "expected a list"},
    {"artifacts: [x]", "expected an object"},
    {"artifacts: [{tokenFile: /c}]", "url"},
    {"artifacts: [{url: 'https://a'}]", "expected tokenFrom: node, tokenFile"},
    {"artifacts: [{url: 'ftp://a', tokenFile: /c}]", "https://HOST"},
    {"artifacts: [{url: 'https://u:secret@a', tokenFile: /c}]", "without user"},
    {"artifacts: [{url: 'https://a/?sig=1', tokenFile: /c}]", "without user"},
    {"artifacts: [{url: 'https://*', tokenFile: /c}]", "https://HOST"},
    {"artifacts: [{url: 'https://a/b/../c', tokenFile: /c}]", "https://HOST"},
    {"artifacts: [{url: 'https://a', tokenFile: c}]", "absolute path"},
    {"artifacts: [{url: 'https://a', tokenFile: /c/../d}]", "absolute path"},
    {"artifacts: [{url: 'https://a', token: secret}]", "unknown field"},
    {"artifacts: [{url: 'https://a', tokenfile: /c}]", "unknown field; did you mean 'tokenFile'"},
    {"artifacts: [{url: 'https://a', tokenFile: secret}]", "absolute path"},
    {"artifacts: [{url: 'https://a', tokenFile: /c, user: u, passwordFile: /d}]", "one of tokenFrom: node, tokenFile"},
    {"artifacts: [{url: 'https://a', tokenFile: /c, tokenFrom: node}]", "one of tokenFrom: node"},
    {"artifacts: [{url: 'https://a', tokenFrom: tpm}]", "tokenFrom"},
    {"artifacts: [{url: 'https://a', tokenFrom: file}]", "expected tokenFrom: node"},
    {"artifacts: [{url: 'http://a', tokenFrom: node}]", "plain text"},
    {"artifacts: [{url: 'https://a', clientCertificate: node, certFile: /c, keyFile: /k}]", "excludes certFile"},
    {"artifacts: [{url: 'https://a/b', clientCertificate: node}]", "whole server"},
    {"artifacts: [{url: 'http://a', clientCertificate: node}]", "need https"},
    {"artifacts: [{url: 'https://a', user: u}]", "passwordFile"},
    {"artifacts: [{url: 'https://a', user: 'u:p', passwordFile: /d}]", "without :"},
    {"artifacts: [{url: 'https://a', header: X}]", "valueFile"},
    {"artifacts: [{url: 'https://a', header: \"X\\r\\nY\", valueFile: /v}]", "name of a header"},
    {"artifacts: [{url: 'https://a', header: Host, valueFile: /v}]", "name of a header"},
    {"artifacts: [{url: 'https://a', header: range, valueFile: /v}]", "name of a header"},
    {"artifacts: [{url: 'https://a', certFile: /v}]", "keyFile"},
    {"artifacts: [{url: 'https://a/b', caFile: /v}]", "whole server"},
    {"artifacts: [{url: 'http://a', caFile: /v}]", "need https"},
    {"artifacts: [{url: 'http://a', tokenFile: /v}]", "plain text"},
    {"artifacts: [{url: 'https://a', tokenFile: /v}, {url: 'https://A:443/', tokenFile: /w}]",
     "artifacts[0] has the same"},
    {"mirrors: [{prefix: 'https://a'}]", "to"},
    {"mirrors: [{prefix: 'https://a', to: []}]", "to"},
    {"mirrors: [{prefix: 'https://a', to: ['file:///x']}]", "https://HOST"},
    {"mirrors: [{prefix: 'https://a', to: ['https://u:p@b']}]", "without user"},
    {"mirrors: [{prefix: 'https://a', to: [5]}]", "5"},
};

START_TEST(item_with_a_fault)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(faults[_i].text);

    ck_assert_msg(hf_config_n_faults(config) == 1 && strstr(hf_config_fault(config, 0), faults[_i].fault) != NULL,
                  "%s: %zu: %s", faults[_i].text, hf_config_n_faults(config),
                  hf_config_n_faults(config) > 0 ? hf_config_fault(config, 0) : "");
    ck_assert_msg(strstr(hf_config_fault(config, 0), "secret") == NULL, "%s", hf_config_fault(config, 0));
    ck_assert_uint_le(hf_config_n_artifacts(config), strstr(faults[_i].text, "/w") != NULL ? 1 : 0);
    ck_assert_uint_eq(hf_config_n_mirrors(config), 0);
}
END_TEST

START_TEST(printed_is_read_again)
{
    static const char of_the_node[] = "- {url: 'https://n1', clientCertificate: node, caFile: /c}\n"
                                      "- {url: 'https://n1/x', tokenFrom: node}\n";
    static const char mirrors[] = "mirrors: [{prefix: 'https://a', to: ['https://b/x', 'http://c']}]\n";
    _cleanup_(hf_buf_done) struct hf_buf first = HF_BUF_INIT(65536), second = HF_BUF_INIT(65536);
    char text[4096];

    (void)snprintf(text, sizeof(text), "%s%s%s", items, of_the_node, mirrors);
    _cleanup_(hf_config_freep) struct hf_config *config = parse(text);
    ck_assert_int_eq(hf_config_format(config, &first), 0);
    struct hf_config *again = NULL;
    ck_assert_int_eq(hf_config_parse(hf_buf_view(&first), "agent.yaml", &again, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(again), 0);
    ck_assert_uint_eq(hf_config_n_artifacts(again), 8);
    ck_assert(hf_config_artifact(again, 6)->node_certificate && !hf_config_artifact(again, 6)->node_token);
    ck_assert(hf_config_artifact(again, 7)->node_token && !hf_config_artifact(again, 7)->node_certificate);
    ck_assert_int_eq(hf_config_format(again, &second), 0);
    /* the line of diskReserve, the last one, has a comment only for the default */
    size_t n = (size_t)(strstr(hf_buf_str(&first), "diskReserve") - hf_buf_str(&first));
    ck_assert(second.n > n && memcmp(first.p, second.p, n) == 0);
    hf_config_free(again);
}
END_TEST

/* ---- mirrors ----------------------------------------------------------------------------------------------------- */

static const char two[] = "mirrors:\n"
                          "- {prefix: 'https://store.example.com/r', to: ['https://m1/cache/', 'https://m2']}\n"
                          "- {prefix: 'https://store.example.com/r/big/', to: ['http://m3/b']}\n";

static const char *order(const struct hf_config *config, const struct hf_mirror_memory *memory, const char *url,
                         uint64_t now_ns)
{
    static char text[1024];
    struct hf_tries tries;

    text[0] = '\0';
    ck_assert_int_eq(hf_mirrors_list(config, memory, url, now_ns, &tries), 0);
    for (size_t i = 0; i < tries.n; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "", tries.items[i].url);
    hf_mirrors_list_done(&tries);
    return text;
}

static const struct {
    const char *url, *want;
} rewritten[] = {
    {"https://store.example.com/r/a/b?v=1",
     "https://m1/cache/a/b?v=1 https://m2/a/b?v=1 https://store.example.com/r/a/b?v=1"},
    {"https://store.example.com:443/r/a", "https://m1/cache/a https://m2/a https://store.example.com:443/r/a"},
    {"https://store.example.com/r", "https://m1/cache/ https://m2/ https://store.example.com/r"},
    {"https://store.example.com/r/big/a", "http://m3/b/a https://store.example.com/r/big/a"},
    {"https://store.example.com/r2/a", "https://store.example.com/r2/a"},
    {"https://store.example.com/r/../x", "https://store.example.com/r/../x"},
    {"https://u:p@store.example.com/r/a", "https://u:p@store.example.com/r/a"},
    {"http://store.example.com/r/a", "http://store.example.com/r/a"},
    {"file:///r/a", "file:///r/a"},
};

START_TEST(urls_to_try)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(two);
    const struct hf_mirror_memory memory = {0};

    ck_assert_uint_eq(hf_config_n_faults(config), 0);
    ck_assert_str_eq(order(config, &memory, rewritten[_i].url, 5), rewritten[_i].want);
    ck_assert_str_eq(order(NULL, &memory, rewritten[_i].url, 5), rewritten[_i].url);
}
END_TEST

#define URL "https://store.example.com/r/a"
#define M1 "https://m1/cache/a"
#define M2 "https://m2/a"

static uint64_t id_of(const struct hf_config *config, const char *url)
{
    const struct hf_mirror_memory memory = {0};
    struct hf_tries tries;
    uint64_t id = 0;

    ck_assert_int_eq(hf_mirrors_list(config, &memory, URL, 0, &tries), 0);
    for (size_t i = 0; i < tries.n; i++)
        if (strcmp(tries.items[i].url, url) == 0)
            id = tries.items[i].mirror;
    hf_mirrors_list_done(&tries);
    return id;
}

START_TEST(a_mirror_that_failed_comes_last_for_a_while)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(two);
    struct hf_mirror_memory memory = {0};
    uint64_t m1 = id_of(config, M1), m2 = id_of(config, M2);

    ck_assert(m1 != 0 && m2 != 0 && m1 != m2 && id_of(config, URL) == 0);
    hf_mirrors_failed(&memory, m1, 0);
    ck_assert_str_eq(order(config, &memory, URL, MINUTE), M2 " " URL " " M1);
    hf_mirrors_failed(&memory, m2, 2 * MINUTE);
    ck_assert_str_eq(order(config, &memory, URL, 3 * MINUTE), URL " " M1 " " M2);
    ck_assert_str_eq(order(config, &memory, URL, 11 * MINUTE), M1 " " URL " " M2);
    ck_assert_str_eq(order(config, &memory, URL, 12 * MINUTE), M1 " " M2 " " URL);
    hf_mirrors_failed(&memory, m1, 20 * MINUTE);
    hf_mirrors_served(&memory, m1, "k", 21 * MINUTE);
    ck_assert_str_eq(order(config, &memory, URL, 21 * MINUTE), M1 " " M2 " " URL);
    hf_mirrors_failed(&memory, 0, 21 * MINUTE); /* the URL itself never rests */
    ck_assert_str_eq(order(config, &memory, URL, 21 * MINUTE), M1 " " M2 " " URL);
}
END_TEST

START_TEST(a_mirror_that_lied_is_blamed)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(two);
    struct hf_mirror_memory memory = {0};
    uint64_t m1 = id_of(config, M1), m2 = id_of(config, M2);

    ck_assert(!hf_mirrors_blame(&memory, "k", 0));
    hf_mirrors_served(&memory, m1, "k", 0);
    hf_mirrors_served(&memory, m2, "other", 0);
    ck_assert(hf_mirrors_blame(&memory, "k", 1));
    ck_assert(!hf_mirrors_blame(&memory, "k", 1)); /* once for each time that it served */
    ck_assert_str_eq(order(config, &memory, URL, 60 * MINUTE), M2 " " URL " " M1);
    hf_mirrors_served(&memory, m1, "k2", 60 * MINUTE);
    ck_assert_str_eq(order(config, &memory, URL, 60 * MINUTE), M2 " " URL " " M1);
    ck_assert_str_eq(order(config, &memory, URL, 1441 * MINUTE), M1 " " M2 " " URL);
}
END_TEST

START_TEST(the_memory_is_bounded)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(two);
    struct hf_mirror_memory memory = {0};

    for (uint64_t i = 1; i <= 3 * HF_MIRROR_SLOTS; i++)
        hf_mirrors_failed(&memory, i, i);
    hf_mirrors_failed(&memory, id_of(config, M1), 1000);
    ck_assert_str_eq(order(config, &memory, URL, 1001), M2 " " URL " " M1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, credential_of_a_url, 0, HF_LEN(matches));
    tcase_add_loop_test(tc, item_with_a_fault, 0, HF_LEN(faults));
    tcase_add_test(tc, printed_is_read_again);
    tcase_add_loop_test(tc, urls_to_try, 0, HF_LEN(rewritten));
    tcase_add_test(tc, a_mirror_that_failed_comes_last_for_a_while);
    tcase_add_test(tc, a_mirror_that_lied_is_blamed);
    tcase_add_test(tc, the_memory_is_bounded);
}
HF_TEST_MAIN("config/artifacts", cases)
