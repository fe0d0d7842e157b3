/* SPDX-License-Identifier: Apache-2.0 */
/* Memory runs out at the n-th allocation of a tree, for each n until it is enough: -ENOMEM, no leak, nothing half made. */
#include <errno.h>

#include "api/conditions.h"
#include "api/edgeupdate.h"
#include "codec/json.h"
#include "support/check_main.h"

static long countdown;

static void *stingy(size_t n)
{
    if (countdown > 0 && --countdown == 0)
        return NULL;
    return malloc(n);
}

static const char yaml[] = "a: &x {k: [1, 2.5, true, null, 'text']}\nb: *x\nc: [*x, [], {}]\n";
static const char json[] = "{\"a\":{\"k\":[1,2.5,true,null,\"text\"]},\"b\":[[],{}],\"c\":-7}";
static const char update[] =
    "{metadata: {name: x}, spec: {nodeSelector: {matchLabels: {a: b}}, windows: [{start: '02:00', duration: 1h}],\n"
    " release: {version: '1', name: edge, sequence: 1, install: {path: /opt/x},\n"
    " artifacts: [{url: 'https://x/y', arch: arm64, size: 5, sha256: "
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]}}}";

static int read_yaml(void)
{
    _cleanup_(hf_json_freep) json_t *tree = NULL;

    return hf_yaml_parse(HF_VIEW(yaml), NULL, &tree, NULL);
}

static int read_json(void)
{
    _cleanup_(hf_json_freep) json_t *tree = NULL;

    return hf_json_parse(HF_VIEW(json), NULL, &tree, NULL);
}

static int put_deep(void)
{
    _cleanup_(hf_json_freep) json_t *tree = json_object();

    return tree != NULL ? hf_json_put(tree, "a.b.c", json_integer(5)) : -ENOMEM;
}

static int decode(void)
{
    static struct hf_issues issues;
    _cleanup_(hf_json_freep) json_t *tree = NULL;
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *decoded = NULL;
    int r = hf_yaml_parse(HF_VIEW(update), NULL, &tree, NULL);

    return r < 0 ? r : hf_edgeupdate_decode(tree, &decoded, &issues);
}

static int set_condition(void)
{
    const struct hf_condition ready = {"Ready", "True", "Done", "", 1};
    _cleanup_(hf_json_freep) json_t *list = json_array();

    return list != NULL ? hf_conditions_set(list, &ready, 0) : -ENOMEM;
}

static const struct {
    int (*doing)(void);
} rows[] = {{read_yaml}, {read_json}, {put_deep}, {decode}, {set_condition}};

START_TEST(runs_out)
{
    json_set_alloc_funcs(stingy, free);
    countdown = 0;
    (void)rows[_i].doing(); /* jansson's own hash seed is made once */
    long n = 0;
    int r;
    do {
        countdown = ++n;
        r = rows[_i].doing();
        ck_assert_msg(r == 0 || r == -ENOMEM, "allocation %ld: %d", n, r);
    } while (countdown == 0);
    countdown = 0;
    ck_assert_int_eq(r, 0);
    ck_assert_int_gt(n, 5);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, runs_out, 0, (int)HF_LEN(rows));
}
HF_TEST_MAIN("codec/memory", cases)
