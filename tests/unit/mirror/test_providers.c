/* SPDX-License-Identifier: Apache-2.0 */
/* The kubelet's CredentialProviderConfig, its patterns, and the answers of its plugins. */
#include "mirror/login/providers.h"

#include <errno.h>

#include "support/check_main.h"

#define API "credentialprovider.kubelet.k8s.io/v1"
#define HEAD "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n"
#define ITEM(name, rest) "- {name: " name ", apiVersion: " API ", defaultCacheDuration: 5m, " rest "}\n"
#define IMAGES "matchImages: [\"*.example\"]"

/* As pkg/credentialprovider of Kubernetes tests URLsMatch(), and beyond. */
static const struct {
    const char *pattern, *image;
    bool want;
} matches[] = {
    {"registry.example", "registry.example/team/app", true},
    {"registry.example", "registry.example", true},
    {"registry.example", "other.example/team/app", false},
    {"*.example", "registry.example/team/app", true},
    {"*.example", "a.b.example/team/app", false}, /* a star is one label */
    {"*.*.example", "a.b.example/team/app", true},
    {"*.example", "example/team/app", false},
    {"*", "localhost/app", true},
    {"*", "registry.example/app", false},
    {"prefix.*.example", "prefix.any.example/app", true},
    {"prefix.*.example", "other.any.example/app", false},
    {"pre*fix.example", "prefix.example/app", true},
    {"pre*fix.example", "pre-and-fix.example/app", true},
    {"pre*fix.example", "pre-and-fixed.example/app", false},
    {"*a*b.example", "xaxaxb.example/app", true},
    {"*a*b.example", "xbxa.example/app", false},
    {"*.dkr.ecr.*.amazonaws.com", "1234.dkr.ecr.eu-west-1.amazonaws.com/app", true},
    {"*.dkr.ecr.*.amazonaws.com", "1234.dkr.ecr.eu-west-1.amazonaws.com.evil/app", false},
    {"*.dkr.ecr.*.amazonaws.com", "1234.dkr.ecr.eu.west.amazonaws.com/app", false},
    /* a port counts on both sides */
    {"registry.example", "registry.example:5000/app", false},
    {"registry.example:5000", "registry.example/app", false},
    {"registry.example:5000", "registry.example:5000/app", true},
    {"registry.example:5000", "registry.example:50/app", false},
    {"*.example:8080", "registry.example:8080/app", true},
    /* a path is a prefix of characters */
    {"registry.example/team", "registry.example/team/app", true},
    {"registry.example/team", "registry.example/teams", true},
    {"registry.example/team/", "registry.example/teams", false},
    {"registry.example/team", "registry.example/other/team", false},
    {"registry.example/team", "registry.example", false},
    {"Registry.example", "registry.example/app", false},
};

START_TEST(matches_as_the_kubelet)
{
    ck_assert_msg(hf_providers_match(matches[_i].pattern, matches[_i].image) == matches[_i].want, "%s, %s",
                  matches[_i].pattern, matches[_i].image);
}
END_TEST

static const struct {
    const char *text, *want; /* NULL: it is good */
} files[] = {
    {HEAD ITEM("a", IMAGES), NULL},
    {HEAD ITEM("a", IMAGES)
         ITEM("b", "matchImages: [\"r.example:5000/team\"], args: [get], env: [{name: A, value: b}]"),
     NULL},
    {"{\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"kind\": \"CredentialProviderConfig\", \"providers\": "
     "[{\"name\": "
     "\"a\", \"apiVersion\": \"credentialprovider.kubelet.k8s.io/v1beta1\", \"matchImages\": [\"a\"], "
     "\"defaultCacheDuration\": \"0\", \"args\": null, \"env\": null, \"tokenAttributes\": null}]}",
     NULL},
    {"", "no document"},
    {"a: [", ""},
    {"apiVersion: kubelet.config.k8s.io/v2\nkind: CredentialProviderConfig\nproviders: []\n", "expected apiVersion"},
    {"apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n", "expected apiVersion"},
    {HEAD, "providers: expected a list"},
    {HEAD "- a\n", "providers[0].name"},
    {HEAD ITEM("../a", IMAGES), "providers[0].name"},
    {HEAD ITEM("\"..\"", IMAGES), "providers[0].name"},
    {HEAD ITEM("a b", IMAGES), "providers[0].name"},
    {HEAD ITEM("a", IMAGES) ITEM("a", IMAGES), "providers[1].name: it is there twice"},
    {HEAD "- {name: a, apiVersion: v1, defaultCacheDuration: 5m, " IMAGES "}\n", "providers[0].apiVersion"},
    {HEAD "- {name: a, apiVersion: " API ", " IMAGES "}\n", "providers[0].defaultCacheDuration"},
    {HEAD "- {name: a, apiVersion: " API ", defaultCacheDuration: -5m, " IMAGES "}\n",
     "providers[0].defaultCacheDuration"},
    {HEAD ITEM("a", "args: []"), "providers[0].matchImages is missing"},
    {HEAD ITEM("a", "matchImages: []"), "providers[0].matchImages is missing"},
    {HEAD ITEM("a", "matchImages: [1]"), "providers[0].matchImages"},
    {HEAD ITEM("a", "matchImages: [\"\"]"), "providers[0].matchImages"},
    {HEAD ITEM("a", "matchImages: [\"r.example:*\"]"), "providers[0].matchImages"},
    {HEAD ITEM("a", "matchImages: [\"r.example/*\"]"), "providers[0].matchImages"},
    {HEAD ITEM("a", "matchImages: [\"r?.example\"]"), "providers[0].matchImages"},
    {HEAD ITEM("a", "matchImages: [\"[rs].example\"]"), "providers[0].matchImages"},
    {HEAD ITEM("a", IMAGES ", args: [1]"), "providers[0].args"},
    {HEAD ITEM("a", IMAGES ", args: get"), "providers[0].args: expected a list"},
    {HEAD ITEM("a", IMAGES ", env: {name: A, value: b}"), "providers[0].env: expected a list"},
    {HEAD ITEM("a", IMAGES ", env: [{name: A}]"), "providers[0].env"},
    {HEAD ITEM("a", IMAGES ", env: [{name: \"A=B\", value: c}]"), "providers[0].env"},
    {HEAD ITEM("a", IMAGES ", tokenAttributes: {serviceAccountTokenAudience: a}"),
     "providers[0].tokenAttributes: it needs the token"},
};

START_TEST(reads_the_file)
{
    _cleanup_(hf_providers_freep) struct hf_providers *providers = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_providers_parse(hf_view_of(files[_i].text), &providers, &err);

    if (files[_i].want == NULL)
        ck_assert_msg(r == 0, "%s: %s", files[_i].text, err.cause);
    else
        ck_assert_msg(r == -EBADMSG && strncmp(err.cause, files[_i].want, strlen(files[_i].want)) == 0, "%s: %d %s",
                      files[_i].text, r, err.cause);
}
END_TEST

START_TEST(asks)
{
    _cleanup_(hf_providers_freep) struct hf_providers *providers = NULL;
    struct hf_buf text = HF_BUF_INIT(1000);

    ck_assert_int_eq(
        hf_providers_parse(hf_view_of(HEAD ITEM("a", IMAGES ", args: [get, \"a b\"], env: [{name: A, value: b}, "
                                                            "{name: PATH, value: /x}, {name: A, value: c}]")),
                           &providers, NULL),
        0);
    const struct hf_provider *one = &providers->items[0];
    ck_assert(providers->n == 1 && one->keep_ns == 300 * UINT64_C(1000000000));
    ck_assert(strcmp(one->args[0], "get") == 0 && strcmp(one->args[1], "a b") == 0 && one->args[2] == NULL);
    ck_assert_str_eq(one->env[0], "LANG=C");
    ck_assert_str_eq(one->env[1], "PATH=/x");
    ck_assert_str_eq(one->env[2], "A=c");
    ck_assert_ptr_null(one->env[3]);
    ck_assert_int_eq(hf_providers_ask(one, "registry.example/team/app", &text), 0);
    ck_assert_str_eq(hf_buf_str(&text), "{\"apiVersion\":\"" API "\",\"kind\":\"CredentialProviderRequest\",\"image\":"
                                        "\"registry.example/team/app\"}");
    hf_buf_done(&text);
}
END_TEST

#define ANSWER(rest) "{\"apiVersion\":\"" API "\",\"kind\":\"CredentialProviderResponse\"" rest "}"
#define IMAGE ",\"cacheKeyType\":\"Image\""
#define LOGIN(key, user, password) "\"" key "\":{\"username\":\"" user "\",\"password\":\"" password "\"}"

static const struct {
    const char *text, *want; /* the line for registry.example/team/app, NULL: none; or what is wrong */
    bool bad;
} answers[] = {
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("registry.example", "u", "p") "}"), "Authorization: Basic dTpw", false},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("*.example", "u", "p") "}"), "Authorization: Basic dTpw", false},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("https://registry.example/v2/", "u", "p") "}"), "Authorization: Basic dTpw",
     false},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("http://registry.example/", "u", "p") "}"), "Authorization: Basic dTpw", false},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("registry.example", "x", "x") "," LOGIN("registry.example/team", "u", "p") "}"),
     "Authorization: Basic dTpw", false}, /* the longer one */
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("registry.example/team", "u", "p") "," LOGIN("registry.example", "x", "x") "}"),
     "Authorization: Basic dTpw", false},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("other.example", "u", "p") "}"), NULL, false},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("registry.example", "", "") "}"), NULL, false},
    {ANSWER(IMAGE ",\"auth\":{}"), NULL, false},
    {ANSWER(IMAGE ",\"auth\":null"), NULL, false},
    {ANSWER(IMAGE), NULL, false},
    {"", "its answer is not JSON", true},
    {"secret", "its answer is not JSON", true},
    {ANSWER(IMAGE) "x", "its answer is not JSON", true},
    {"[]", "its answer is not a CredentialProviderResponse", true},
    {"{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1beta1\",\"kind\":\"CredentialProviderResponse\"" IMAGE "}",
     "its answer is not a CredentialProviderResponse of " API, true},
    {ANSWER(""), "its answer has no cacheKeyType", true},
    {ANSWER(",\"cacheKeyType\":\"image\""), "its answer has no cacheKeyType", true},
    {ANSWER(IMAGE ",\"cacheDuration\":5"), "its answer has a cacheDuration", true},
    {ANSWER(IMAGE ",\"cacheDuration\":\"soon\""), "its answer has a cacheDuration", true},
    {ANSWER(IMAGE ",\"auth\":[]"), "its answer has an auth", true},
    {ANSWER(IMAGE ",\"auth\":{\"registry.example\":1}"), "its answer has a login", true},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("registry.example", "a:b", "p") "}"), "its answer has a login", true},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("registry.example", "u", "secret\\r\\nX: y") "}"), "its answer has a login",
     true},
    {ANSWER(IMAGE ",\"auth\":{" LOGIN("other.example", "u", "p") "," LOGIN("registry.example", "u", "\\n") "}"),
     "its answer has a login", true},
};

START_TEST(takes_answers)
{
    const struct hf_provider provider = {.name = "a", .api = API, .keep_ns = 7};
    struct hf_provider_answer answer;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_providers_take(&provider, hf_view_of(answers[_i].text), &answer, &err);

    if (answers[_i].bad) {
        ck_assert_msg(r == -EBADMSG && strncmp(err.cause, answers[_i].want, strlen(answers[_i].want)) == 0, "%s: %d %s",
                      answers[_i].text, r, err.cause);
        ck_assert_ptr_null(strstr(err.cause, "secret"));
    } else {
        const char *line = hf_provider_answer_for(&answer, "registry.example/team/app");
        ck_assert_msg(r == 0 && (line == NULL) == (answers[_i].want == NULL) &&
                          (line == NULL || strcmp(line, answers[_i].want) == 0),
                      "%s: %d %s", answers[_i].text, r, line);
        ck_assert_uint_eq(answer.keep_ns, 7);
    }
    hf_provider_answer_done(&answer);
}
END_TEST

static const struct {
    const char *text;
    int scope;
    uint64_t keep_ns;
} kept[] = {
    {ANSWER(IMAGE ",\"cacheDuration\":null"), HF_PROVIDER_IMAGE, 7},
    {ANSWER(",\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\""), HF_PROVIDER_REGISTRY, 0},
    {ANSWER(",\"cacheKeyType\":\"Global\",\"cacheDuration\":\"12h0m0s\""), HF_PROVIDER_GLOBAL,
     12 * 3600 * UINT64_C(1000000000)},
};

START_TEST(takes_how_long)
{
    const struct hf_provider provider = {.name = "a", .api = API, .keep_ns = 7};
    struct hf_provider_answer answer;

    ck_assert_int_eq(hf_providers_take(&provider, hf_view_of(kept[_i].text), &answer, NULL), 0);
    ck_assert(answer.keep_ns == kept[_i].keep_ns && (int)answer.scope == kept[_i].scope);
    hf_provider_answer_done(&answer);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, matches_as_the_kubelet, 0, HF_LEN(matches));
    tcase_add_loop_test(tc, reads_the_file, 0, HF_LEN(files));
    tcase_add_test(tc, asks);
    tcase_add_loop_test(tc, takes_answers, 0, HF_LEN(answers));
    tcase_add_loop_test(tc, takes_how_long, 0, HF_LEN(kept));
}

HF_TEST_MAIN("mirror/login/providers", cases)
