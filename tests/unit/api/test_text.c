/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/text.h"

#include "base/macros.h"
#include "support/check_main.h"

typedef bool (*judge)(const char *text);

#define OCI(name) "oci://" name "@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static const struct {
    judge is;
    const char *good[8], *bad[14]; /* NULL ends */
} rows[] = {
    {hf_text_is_object_name, {"a", "a-b.c9", "0"}, {"", "A", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b", "a/b"}},
    {hf_text_is_name, {"a", "a-9"}, {"", "a.b", "A", "-a", "a-", "a b"}},
    {hf_text_is_label_key,
     {"a", "A_b.c-9", "x.y/Z", "edge.codcompass.io/role"},
     {"", "/a", "a/", "a/b/c", "X/a", "a b", "-a", "x.y/", "x..y/a"}},
    {hf_text_is_label_value, {"", "a", "A_b.c-9"}, {"-a", "a-", "a b", "a/b"}},
    {hf_text_is_version, {"1", "1.4.2-rc.1+build~5"}, {"", "-1", " 1", "1 2", "1/2", "v\xc3\xa9"}},
    {hf_text_is_arch, {"arm64", "386", "riscv64"}, {"", "a", "ARM64", "arm-64", "aaaaaaaaaaaaaaaaa"}},
    {hf_text_is_path,
     {"/a", "/a/b.c", "/.a/..b/...", "/a b/\xc3\xa9"},
     {"", "/", "a", "/a/", "//a", "/a//b", "/./a", "/a/.", "/..", "/a/../b", "/a\nb", "/a\x7f"}},
    {hf_text_is_url,
     {"http://a", "https://a.b:80/c?d=e#f", "https://[::1]:443/", "file:///a/b", "http://a/@b",
      OCI("[::1]:5000/a/b__c.d-e")},
     {"", "http://", "http:///a", "http://:80", "http://u@a/", "http://u:p@a", "ftp://a", "file://a/b", "file:///",
      "file:///a/../b", "http://a/\"", "http://a b", "http://\xc3\xa9"}},
    {hf_text_is_url,
     {OCI("r/a"), OCI("r.example:5000/a_b/c--d")},
     {OCI("r.example"), OCI("r.example/"), OCI("/a"), OCI(":5000/a"), OCI("u@r.example/a"), OCI("r.example/A"),
      OCI("r.example/../a"), OCI("r.example/a//b"), OCI("r.example/a?b"), OCI("r.example/a:1"), OCI("r.example/a_"),
      OCI("r.example/a") "0", "oci://r.example/a", "oci://r.example/a@sha256:12"}},
    {hf_text_is_http_url, {"http://127.0.0.1:8080/healthz"}, {"file:///a", "HTTP://a"}},
    {hf_text_is_host, {"a", "127.0.0.1", "::1", "a-b.c"}, {"", "a b", "a/b", "[::1]"}},
    {hf_text_is_unit,
     {"a.service", "a@b.timer", "a\\x2db.mount", "x.y.socket"},
     {"", "a", ".service", "a.exe", "a b.service", "a/b.service", "a.service ", "a;b.service", "a@.service",
      "@.service"}},
    {hf_text_is_device,
     {"/dev/a", "/dev/bus/usb/001"},
     {"/dev", "/dev/", "/devx", "/dev/../etc", "/dev/a b", "/etc/a"}},
    {hf_text_is_kernel_range,
     {">5", ">=5.10.1", "<6", "=6.1", "<=5.4"},
     {"", "5", "5.10", ">=", "=>5", "==5", "<>5", "5.", "5.10.1.2", "five", ">= 5", "123456", "5..1"}},
    {hf_text_is_cpu_feature, {"asimd", "sse4_1", "avx512.vnni"}, {"", "NEON", "a-b"}},
    {hf_text_is_key_id, {"a", "release-2026", "a.b"}, {"", "-a", "a-", "A", "a/b", "..", "a_b"}},
    {hf_text_is_mode, {"755", "0755", "4755"}, {"", "75", "07555", "789", "0x1", "a"}},
    {hf_text_is_clock_time,
     {"00:00", "09:59", "23:59"},
     {"", "24:00", "2:00", "02:60", "02.00", "02:0", "02:000", "1a:00"}},
    {hf_text_is_time_zone,
     {"UTC", "Europe/Berlin", "Etc/GMT+12", "A/B/C"},
     {"", "/a", "a/", "a//b", "../a", "a/../b", "a b", ".a", "-a"}},
};

START_TEST(judges)
{
    for (size_t i = 0; i < HF_LEN(rows[_i].good) && rows[_i].good[i] != NULL; i++)
        ck_assert_msg(rows[_i].is(rows[_i].good[i]), "row %d: '%s' is good", _i, rows[_i].good[i]);
    for (size_t i = 0; i < HF_LEN(rows[_i].bad) && rows[_i].bad[i] != NULL; i++)
        ck_assert_msg(!rows[_i].is(rows[_i].bad[i]), "row %d: '%s' is bad", _i, rows[_i].bad[i]);
}
END_TEST

/* Each at its greatest length, and one more. */
static const struct {
    judge is;
    const char *head;
    size_t max;
} lengths[] = {
    {hf_text_is_object_name, "", 253}, {hf_text_is_name, "", 63},        {hf_text_is_label_key, "", 63},
    {hf_text_is_label_key, "x/", 65},  {hf_text_is_label_value, "", 63}, {hf_text_is_version, "", 64},
    {hf_text_is_arch, "", 16},         {hf_text_is_host, "", 253},       {hf_text_is_device, "/dev/", 128},
    {hf_text_is_key_id, "", 63},       {hf_text_is_cpu_feature, "", 32}, {hf_text_is_time_zone, "", 64},
    {hf_text_is_sha256, "", 64},
};

START_TEST(greatest_length)
{
    char text[300];

    memset(text, 'a', sizeof(text));
    memcpy(text, lengths[_i].head, strlen(lengths[_i].head));
    text[lengths[_i].max] = '\0';
    ck_assert_msg(lengths[_i].is(text), "row %d", _i);
    text[lengths[_i].max] = 'a';
    text[lengths[_i].max + 1] = '\0';
    ck_assert_msg(!lengths[_i].is(text), "row %d", _i);
}
END_TEST

START_TEST(signatures_have_one_spelling)
{
    char text[90];

    memset(text, 'A', 86);
    memcpy(text + 86, "==", 3);
    ck_assert(hf_text_is_signature(text));
    text[85] = 'w';
    ck_assert(hf_text_is_signature(text));
    text[85] = 'B'; /* bits that nothing stands for */
    ck_assert(!hf_text_is_signature(text));
    text[85] = 'A';
    text[0] = '-';
    ck_assert(!hf_text_is_signature(text));
    ck_assert(!hf_text_is_signature("AA=="));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, judges, 0, (int)HF_LEN(rows));
    tcase_add_loop_test(tc, greatest_length, 0, (int)HF_LEN(lengths));
    tcase_add_test(tc, signatures_have_one_spelling);
}
HF_TEST_MAIN("api/text", cases)
