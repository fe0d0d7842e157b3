/* SPDX-License-Identifier: Apache-2.0 */
/* Substitution: the forms, strictness, binary files, bounds, the names of facts. */
#include "manifests/source/substitute.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "support/check_main.h"

static void values_of(struct hf_strmap *values, const char *json)
{
    _cleanup_(hf_json_freep) json_t *tree = NULL;

    ck_assert_int_eq(hf_json_parse(hf_view_of(json), NULL, &tree, NULL), 0);
    ck_assert_int_eq(hf_substitute_add_values(values, tree), 0);
}

static const struct {
    const char *in, *out; /* out NULL: an error, whose text has `says` */
    const char *says;
} rows[] = {
    {"", "", NULL},
    {"plain\ntext", "plain\ntext", NULL},
    {"a ${A} b", "a one b", NULL},
    {"${A}${A}", "oneone", NULL},
    {"${A:=other}", "one", NULL},
    {"${NONE:=other}", "other", NULL},
    {"${NONE:=}", "", NULL},
    {"${EMPTY:=other}", "other", NULL},
    {"${EMPTY}", "", NULL},
    {"${NONE:=a b=c:$d \"q\"}", "a b=c:$d \"q\"", NULL},
    {"${NONE:=${A}}", "${A}", NULL}, /* the default ends at the first brace */
    {"$$", "$", NULL},
    {"$${A}", "${A}", NULL},
    {"$$$$", "$$", NULL},
    {"$$${A}", "$one", NULL},
    {"$A $1 $( $", "$A $1 $( $", NULL},
    {"${TRICK}", "${A}", NULL}, /* values are not searched */
    {"${_x1}", "under", NULL},
    {"price: 5$", "price: 5$", NULL},
    {"${NONE}", NULL, "f.yaml:1: variable 'NONE' is not defined"},
    {"a\nb\n  x: ${NONE}\n", NULL, "f.yaml:3: variable 'NONE'"},
    {"${a}", NULL, "variable 'a'"}, /* names have their case */
    {"${", NULL, "f.yaml:1: '${' begins no variable"},
    {"${}", NULL, "begins no variable"},
    {"${A", NULL, "begins no variable"},
    {"${A\n}", NULL, "begins no variable"},
    {"${A:-x}", NULL, "begins no variable"},
    {"${A:x}", NULL, "begins no variable"},
    {"${A:=x\n}", NULL, "begins no variable"},
    {"${A:=x", NULL, "begins no variable"},
    {"${1}", NULL, "begins no variable"},
    {"${A B}", NULL, "begins no variable"},
    {"${ A}", NULL, "begins no variable"},
    {"x\n${#A}", NULL, "f.yaml:2: "},
};

START_TEST(forms)
{
    struct hf_strmap values = {.free_value = free};
    struct hf_bundle *bundle = hf_bundle_new(), *out = NULL;
    struct hf_err err = HF_ERR_INIT;

    values_of(&values, "{\"A\":\"one\",\"EMPTY\":\"\",\"TRICK\":\"${A}\",\"_x1\":\"under\"}");
    ck_assert_int_eq(hf_bundle_add(bundle, "f.yaml", 0640, hf_view_of(rows[_i].in), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    int r = hf_substitute_bundle(bundle, &values, &out, &err);
    ck_assert_msg(r == (rows[_i].out == NULL ? -EBADMSG : 0), "%s: %d %s", rows[_i].in, r, err.cause);
    if (r == 0) {
        ck_assert_msg(hf_view_eq(out->files[0].bytes, rows[_i].out), "%s: %s", rows[_i].in, out->files[0].bytes.p);
        ck_assert_uint_eq(out->files[0].mode, 0640);
        ck_assert(!out->secret);
    } else {
        ck_assert_msg(strstr(err.cause, rows[_i].says) != NULL, "%s: %s", rows[_i].in, err.cause);
        ck_assert_ptr_null(out);
    }
    hf_bundle_free(bundle);
    hf_bundle_free(out);
    hf_strmap_done(&values);
}
END_TEST

START_TEST(binary_files_stay)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new(), *out = NULL;
    struct hf_strmap values = {.free_value = free};

    ck_assert_int_eq(hf_bundle_add(bundle, "zero", 0, HF_VIEW("${NONE}\0"), NULL), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "latin1", 0, HF_VIEW("${NONE}\xe9"), NULL), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "text", 0, HF_VIEW("$$"), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    bundle->secret = true;
    ck_assert_int_eq(hf_substitute_bundle(bundle, &values, &out, NULL), 0);
    ck_assert(hf_view_eq(hf_bundle_find(out, "latin1")->bytes, "${NONE}\xe9"));
    ck_assert_uint_eq(hf_bundle_find(out, "zero")->bytes.n, 8);
    ck_assert(hf_view_eq(hf_bundle_find(out, "text")->bytes, "$"));
    ck_assert(out->secret);
}
END_TEST

/* A bundle of the largest size in which everything is a variable: an error about the bound, and soon. */
static void fill(struct hf_bundle *bundle, const char *name, const char *pattern, size_t n)
{
    char *bytes = NULL;

    ck_assert_int_eq(hf_bundle_make_room(bundle, name, 0, n, &bytes, NULL), 0);
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern[i % strlen(pattern)];
}

START_TEST(growth_is_bounded)
{
    static const struct {
        const char *pattern;
        size_t n;
        int files, want_r;
    } kinds[] = {
        {"${A}", HF_BUNDLE_MAX_FILE, 1, -E2BIG},
        {"${A}", 64, 4, 0},
        {"${A}", 64, 1200, -E2BIG},                       /* each file is small enough, all together are not */
        {"${B}", HF_BUNDLE_MAX_FILE, 4, 0},               /* shrinks */
        {"${B:=x}", HF_BUNDLE_MAX_FILE - 6, 1, -EBADMSG}, /* cut in the middle, on one line of 4 MiB */
        {"${", HF_BUNDLE_MAX_FILE, 1, -EBADMSG},
        {"$$", HF_BUNDLE_MAX_FILE, 4, 0},
        {"$", HF_BUNDLE_MAX_FILE - 1, 4, 0},
    };
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new(), *out = NULL;
    struct hf_strmap values = {.free_value = free};
    char text[1100] = "{\"B\":\"b\",\"A\":\"";
    struct hf_err err = HF_ERR_INIT;

    memset(text + strlen(text), 'v', 1000);
    (void)strncat(text, "\"}", 3);
    values_of(&values, text);
    for (int i = 0; i < kinds[_i].files; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "f%d", i);
        fill(bundle, name, kinds[_i].pattern, kinds[_i].n);
    }
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    clock_t begin = clock();
    int r = hf_substitute_bundle(bundle, &values, &out, &err);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    ck_assert_msg(r == kinds[_i].want_r, "%s: %d %s", kinds[_i].pattern, r, err.cause);
    ck_assert_msg(seconds < 20, "%s: %.1f s", kinds[_i].pattern, seconds); /* with sanitizers; quadratic takes hours */
    hf_strmap_done(&values);
}
END_TEST

/* A label may have the empty value; a variable may not. */
START_TEST(empty_label)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new(), *strict = hf_bundle_new(), *out = NULL;
    struct hf_strmap values = {.free_value = free};
    _cleanup_(hf_json_freep) json_t *labels = NULL;
    struct hf_bundle *none = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_json_parse(HF_VIEW("{\"a/role\":\"\",\"a/zone\":\"\",\"b/zone\":\"z\"}"), NULL, &labels, NULL),
                     0);
    ck_assert_int_eq(hf_substitute_add_facts(&values, "site-7", "arm64", labels), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "f", 0,
                                   HF_VIEW("${HOLDFAST_LABEL_ROLE:=plain} ${HOLDFAST_LABEL_ROLE:=} "
                                           "${HOLDFAST_LABEL_ZONE}"),
                                   NULL),
                     0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    ck_assert_int_eq(hf_substitute_bundle(bundle, &values, &out, NULL), 0);
    ck_assert_msg(hf_view_eq(out->files[0].bytes, "plain  z"), "%s", out->files[0].bytes.p);
    ck_assert_int_eq(hf_bundle_add(strict, "f", 0, HF_VIEW("a\nb: '${HOLDFAST_LABEL_ROLE}'"), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(strict, NULL), 0);
    ck_assert_int_eq(hf_substitute_bundle(strict, &values, &none, &err), -EBADMSG);
    ck_assert_msg(strstr(err.cause, "f:2: variable 'HOLDFAST_LABEL_ROLE' is not defined") != NULL, "%s", err.cause);
    hf_strmap_done(&values);
}
END_TEST

START_TEST(facts)
{
    struct hf_strmap values = {.free_value = free};
    _cleanup_(hf_json_freep) json_t *labels = NULL;
    static const struct {
        const char *name, *value;
    } wanted[] = {
        {"HOLDFAST_NODE", "mine"},        {"HOLDFAST_ARCH", "arm64"},   {"HOLDFAST_LABEL_ROLE", "gateway"},
        {"HOLDFAST_LABEL_CPU_AVX2", "1"}, {"HOLDFAST_LABEL_ZONE", "a"}, {"HOLDFAST_LABEL_PLAIN", "p"},
        {"HOLDFAST_LABEL_X", "first"},
    };

    values_of(&values, "{\"HOLDFAST_NODE\":\"mine\"}"); /* the entry's own value wins */
    ck_assert_int_eq(hf_json_parse(HF_VIEW("{\"z.io/x\":\"second\",\"edge.codcompass.io/role\":\"gateway\","
                                           "\"a.io/x\":\"first\",\"edge.codcompass.io/cpu.avx2\":\"1\","
                                           "\"topology.kubernetes.io/zone\":\"a\",\"plain\":\"p\","
                                           "\"evil\":\"x\\\"\\nprivileged: true\",\"dash\":\"-x\",\"up\":\"..\"}"),
                                   NULL, &labels, NULL),
                     0);
    ck_assert_int_eq(hf_substitute_add_facts(&values, "site-7", "arm64", labels), 0);
    ck_assert_uint_eq(values.n, HF_LEN(wanted));
    for (size_t i = 0; i < HF_LEN(wanted); i++)
        ck_assert_str_eq(hf_strmap_get(&values, wanted[i].name), wanted[i].value);
    hf_strmap_done(&values);
    ck_assert_int_eq(hf_substitute_add_facts(&values, "site-7", "arm64", NULL), 0);
    ck_assert_str_eq(hf_strmap_get(&values, "HOLDFAST_NODE"), "site-7");
    hf_strmap_done(&values);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, forms, 0, HF_LEN(rows));
    tcase_add_test(tc, binary_files_stay);
    tcase_add_loop_test(tc, growth_is_bounded, 0, 8);
    tcase_add_test(tc, facts);
    tcase_add_test(tc, empty_label);
}
HF_TEST_MAIN("manifests/substitute", cases)
