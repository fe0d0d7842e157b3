/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/yaml_place.h"

#include "support/check_main.h"

static const char text[] = "# a comment\n"           /* 1 */
                           "kind: A\n"               /* 2 */
                           "metadata: {name: x,\n"   /* 3 */
                           "  labels: {a.b/c: d}}\n" /* 4 */
                           "spec:\n"                 /* 5 */
                           "  release:\n"            /* 6 */
                           "    artifacts:\n"        /* 7 */
                           "    - arch: amd64\n"     /* 8 */
                           "      size: &s 1\n"      /* 9 */
                           "    - arch: arm64\n"     /* 10 */
                           "      deltas:\n"         /* 11 */
                           "      - {from: a}\n"     /* 12 */
                           "      -\n"               /* 13 */
                           "        from: b\n"       /* 14 */
                           "      size: *s\n"        /* 15 */
                           "  releases: 1\n"         /* 16 */
                           "---\n"                   /* 17 */
                           "---\n"                   /* 18 */
                           "kind: B\n"               /* 19 */
                           "spec: [[1], [2,\n"       /* 20 */
                           " 3]]\n";                 /* 21 */

static const struct {
    size_t document;
    const char *path;
    size_t want;
} places[] = {
    {0, "kind", 2},
    {0, "metadata.name", 3},
    {0, "metadata.labels", 4},
    {0, "metadata.labels.a.b/c", 4},
    {0, "spec", 5},
    {0, "spec.release.artifacts", 7},
    {0, "spec.release.artifacts[0]", 8},
    {0, "spec.release.artifacts[0].size", 9},
    {0, "spec.release.artifacts[0].url", 8}, /* missing: the entry that lacks it */
    {0, "spec.release.artifacts[1].deltas[0].from", 12},
    {0, "spec.release.artifacts[1].deltas[1].from", 14},
    {0, "spec.release.artifacts[1].deltas[1].url", 14},
    {0, "spec.release.artifacts[1].size", 15},
    {0, "spec.release.artifacts[7].size", 7},
    {0, "spec.releases", 16},
    {0, "spec.rel", 5},
    {0, "nothing", 2},
    {0, "", 2},
    {1, "kind", 19},
    {1, "spec[1][1]", 21},
    {1, "spec[1]", 20},
    {2, "kind", 0},
};

START_TEST(line)
{
    size_t got = hf_yaml_place_line(HF_VIEW(text), places[_i].document, places[_i].path);

    ck_assert_msg(got == places[_i].want, "%zu %s: line %zu", places[_i].document, places[_i].path, got);
}
END_TEST

START_TEST(what_is_no_yaml)
{
    ck_assert_uint_eq(hf_yaml_place_line(HF_VIEW(""), 0, "a"), 0);
    ck_assert_uint_eq(hf_yaml_place_line(HF_VIEW("a: [\n"), 0, "a"), 1);
    ck_assert_uint_eq(hf_yaml_place_line(HF_VIEW("}"), 0, "a"), 0);
    ck_assert_uint_eq(hf_yaml_place_line(HF_VIEW("\xef\xbb\xbfx: 1\na: 2\n"), 0, "a"), 2);
}
END_TEST

START_TEST(depth_is_bounded)
{
    char deep[2000];

    memset(deep, '[', sizeof(deep));
    ck_assert_uint_eq(hf_yaml_place_line((struct hf_view){deep, sizeof(deep)}, 0, "[0][0]"), 1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, line, 0, (int)HF_LEN(places));
    tcase_add_test(tc, what_is_no_yaml);
    tcase_add_test(tc, depth_is_bounded);
}
HF_TEST_MAIN("codec/yaml_place", cases)
