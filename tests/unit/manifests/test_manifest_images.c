/* SPDX-License-Identifier: Apache-2.0 */
/* Which images manifests name. */
#include <stdio.h>
#include <string.h>

#include "manifests/rules/images.h"
#include "support/check_main.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define AT "@sha256:" SUM
#define POD(spec) "apiVersion: v1\nkind: Pod\nspec: {" spec "}\n"
#define ONE "{containers: [{image: \"r.example/a" AT "\"}]}"

static struct hf_manifest_images read_text(const char *text)
{
    _cleanup_(hf_json_freep) json_t *documents = NULL;
    struct hf_manifest_images images = {.n = 0};

    ck_assert_int_eq(hf_yaml_parse_all(hf_view_of(text), NULL, &documents, NULL), 0);
    ck_assert_int_eq(hf_manifest_images_add(&images, documents), 0);
    return images;
}

static const struct {
    const char *text, *names, *other; /* names: each with a blank before it, without the digest */
} cases[] = {
    {POD("containers: [{image: \"r.example:5000/team/a:1" AT "\"}]"), " r.example:5000/team/a:1", ""},
    {POD("initContainers: [{image: \"r.example/i" AT "\"}], containers: [{image: \"r.example/c" AT "\"}], "
         "ephemeralContainers: [{image: \"r.example/e" AT "\"}], "
         "volumes: [{name: x, emptyDir: {}}, {image: {reference: \"r.example/v" AT "\"}}]"),
     " r.example/i r.example/c r.example/e r.example/v", ""},
    {POD("containers: [{image: \"r.example/a" AT "\"}, {image: \"r.example/a" AT "\"}]"), " r.example/a", ""},
    /* without a registry */
    {POD("containers: [{image: \"nginx" AT "\"}]"), "", "nginx" AT},
    {POD("containers: [{image: \"r.example/a:1\"}, {image: nginx}, {image: \"r.example/b" AT "\"}]"), " r.example/b",
     "r.example/a:1"},
    {POD("containers: [{image: \"r.example/${NAME}" AT "\"}]"), "", "r.example/${NAME}" AT},
    {POD("containers: [{image: \"r.example/a" AT "0\"}]"), "", "r.example/a" AT "0"},
    /* never pulled */
    {POD("containers: [{image: \"r.example/a" AT "\", imagePullPolicy: Never}, {image: b, imagePullPolicy: Never}], "
         "volumes: [{image: {reference: b, pullPolicy: Never}}]"),
     "", ""},
    {"apiVersion: v1\nkind: PodTemplate\ntemplate: {spec: " ONE "}\n", " r.example/a", ""},
    {"apiVersion: v1\nkind: ReplicationController\nspec: {template: {spec: " ONE "}}\n", " r.example/a", ""},
    {"apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: " ONE "}}\n", " r.example/a", ""},
    {"apiVersion: apps/v1\nkind: DaemonSet\nspec: {template: {spec: " ONE "}}\n", " r.example/a", ""},
    {"apiVersion: apps/v1\nkind: StatefulSet\nspec: {template: {spec: " ONE "}}\n", " r.example/a", ""},
    {"apiVersion: apps/v1\nkind: ReplicaSet\nspec: {template: {spec: " ONE "}}\n", " r.example/a", ""},
    {"apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: " ONE "}}\n", " r.example/a", ""},
    {"apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: " ONE "}}}}\n", " r.example/a",
     ""},
    {"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: " ONE "}\n- {apiVersion: v1, kind: Pod, "
     "spec: {containers: [{image: \"r.example/b" AT "\"}]}}\n",
     " r.example/a r.example/b", ""},
    {POD("containers: [{image: \"r.example/a" AT "\"}]") "---\n" POD("containers: [{image: \"r.example/b" AT "\"}]"),
     " r.example/a r.example/b", ""},
    /* other kinds of these names, and what is no object */
    {"apiVersion: batch.example/v1\nkind: Job\nspec: {template: {spec: " ONE "}}\n", "", ""},
    {"apiVersion: v1\nkind: ConfigMap\nspec: " ONE "\n", "", ""},
    {"apiVersion: v1\nkind: Pod\nspec: {containers: {image: a}, volumes: [a, 1, {image: b}], initContainers: [[], 1, "
     "{}, "
     "{image: 7}, {image: \"\"}]}\n",
     "", ""},
    {"- 1\n---\na\n---\napiVersion: v1\nkind: List\nitems: {a: b}\n---\napiVersion: v1\nkind: List\nitems: [[], 1]\n",
     "", ""},
};

START_TEST(named)
{
    struct hf_manifest_images images = read_text(cases[_i].text);
    char names[600] = "";

    for (size_t i = 0; i < images.n; i++) {
        const char *at = strchr(images.names[i], '@');
        ck_assert_str_eq(at, AT);
        size_t n = strlen(names);
        (void)snprintf(names + n, sizeof(names) - n, " %.*s", (int)(at - images.names[i]), images.names[i]);
    }
    ck_assert_str_eq(names, cases[_i].names);
    ck_assert_str_eq(images.other, cases[_i].other);
    ck_assert(!images.more);
    hf_manifest_images_done(&images);
}
END_TEST

/* A hostile manifest costs no more than 32 names, of 500 bytes each. */
START_TEST(bounded)
{
    struct hf_buf text = HF_BUF_INIT(4 << 20);
    struct hf_manifest_images images, sum = {.n = 0};

    ck_assert_int_eq(hf_buf_add_str(&text, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":["), 0);
    for (unsigned i = 0; i < 10000; i++)
        ck_assert_int_eq(hf_buf_addf(&text, "{\"image\":\"r.example/a%u" AT "\"},", i), 0);
    ck_assert_int_eq(hf_buf_add_str(&text, "{\"image\":\""), 0);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_int_eq(hf_buf_add_str(&text, "\xc3\xa9"), 0);
    ck_assert_int_eq(hf_buf_add_str(&text, "\"}]}}"), 0);
    images = read_text(hf_buf_str(&text));
    ck_assert_uint_eq(images.n, HF_MANIFEST_MAX_IMAGES);
    ck_assert(images.more);
    ck_assert_uint_eq(strlen(images.other), sizeof(images.other) - 2); /* whole characters */
    ck_assert_int_eq(hf_manifest_images_join(&sum, &images), 0);
    ck_assert_uint_eq(sum.n, HF_MANIFEST_MAX_IMAGES);
    ck_assert(sum.more);
    ck_assert_str_eq(sum.other, images.other);
    hf_manifest_images_done(&sum);
    hf_manifest_images_done(&images);
    hf_buf_done(&text);
}
END_TEST

START_TEST(joined)
{
    struct hf_manifest_images one = read_text(POD("containers: [{image: \"r.example/a" AT "\"}, {image: b}]"));
    struct hf_manifest_images two =
        read_text(POD("containers: [{image: \"r.example/a" AT "\"}, {image: \"r.example/c" AT "\"}, {image: d}]"));

    ck_assert_int_eq(hf_manifest_images_join(&one, &two), 0);
    ck_assert_uint_eq(one.n, 2);
    ck_assert_str_eq(one.names[1], "r.example/c" AT);
    ck_assert_str_eq(one.other, "b");
    hf_manifest_images_done(&one);
    hf_manifest_images_done(&two);
}
END_TEST

static void all_cases(TCase *tc)
{
    tcase_add_loop_test(tc, named, 0, HF_LEN(cases));
    tcase_add_test(tc, bounded);
    tcase_add_test(tc, joined);
}

HF_TEST_MAIN("manifests/images", all_cases)
