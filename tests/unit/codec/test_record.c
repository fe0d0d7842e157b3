/* SPDX-License-Identifier: Apache-2.0 */
/* State files from tables: each kind of row there and back, what is refused, damage, power cuts. */
#include "codec/state/record.h"

#include <errno.h>
#include <string.h>

#include "codec/seal.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

enum color { RED, GREEN, BLUE, COLORS };

struct part {
    uint64_t id;
    char name[8];
};

struct sample {
    uint64_t wide;
    int64_t bits;
    unsigned narrow, n_hashes;
    enum color color;
    bool flag;
    char text[12];
    char hash[HF_SHA256_HEX];
    json_t *tree;
    struct part part;
    uint64_t hours[3];
    char hashes[2][HF_SHA256_HEX];
};

static const char *color_name(unsigned color)
{
    static const char *const names[COLORS] = {"", "Green", "Blue"};

    return names[color];
}

static const struct hf_record_row part_rows[] = {HF_RECORD_ROW(struct part, "id", id, .required = true),
                                                 HF_RECORD_ROW(struct part, "name", name)};
static const struct hf_record_rows part_fields = HF_RECORD_ROWS(part_rows);

static const struct hf_record_row rows[] = {
    HF_RECORD_ROW(struct sample, "wide", wide, .required = true),
    HF_RECORD_ROW(struct sample, "bits", bits),
    HF_RECORD_ROW(struct sample, "narrow", narrow, .max = 1000),
    HF_RECORD_ROW(struct sample, "color", color, .max = COLORS - 1, .name_of = color_name, .lenient = true),
    HF_RECORD_ROW(struct sample, "flag", flag),
    HF_RECORD_ROW(struct sample, "text", text),
    HF_RECORD_ROW_OF(HF_RECORD_SHA256, struct sample, "hash", hash),
    HF_RECORD_ROW(struct sample, "tree", tree),
    HF_RECORD_ROW_OF(HF_RECORD_STRUCT, struct sample, "part", part, .fields = &part_fields),
    HF_RECORD_ARRAY(HF_RECORD_UNSIGNED, struct sample, "hours", hours, HF_RECORD_FULL, .required = true),
    HF_RECORD_ARRAY(HF_RECORD_SHA256, struct sample, "hashes", hashes, offsetof(struct sample, n_hashes)),
};

static bool valid(const void *record)
{
    return ((const struct sample *)record)->narrow != 666;
}

static const struct hf_record_type type = {.name = "sample",
                                           .version = 3,
                                           .size = sizeof(struct sample),
                                           .max_bytes = 4096,
                                           .rows = HF_RECORD_ROWS(rows),
                                           .valid = valid};

static struct sample full(void)
{
    struct sample sample = {.wide = INT64_MAX,
                            .bits = INT64_MIN,
                            .narrow = 1000,
                            .color = BLUE,
                            .flag = true,
                            .text = "\xff%\xc3\xa4\n\"\\\xc3",
                            .tree = json_pack("{s:[i,n]}", "a", 1),
                            .part = {7, "x"},
                            .hours = {1, 0, 3},
                            .n_hashes = 2};

    memset(sample.hash, 'a', HF_SHA256_HEX - 1);
    memset(sample.hashes[1], '0', HF_SHA256_HEX - 1);
    return sample;
}

static int parse_json(const char *json, struct sample *ret_sample)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);

    ck_assert_int_eq(hf_seal_format("sample", 3, hf_view_of(json), &text), 0);
    return hf_record_parse(&type, hf_buf_view(&text), ret_sample, NULL);
}

START_TEST(round_trip)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096), again = HF_BUF_INIT(4096);
    struct sample sample = full(), back;

    ck_assert_int_eq(hf_record_format(&type, &sample, &text), 0);
    ck_assert_int_eq(hf_record_parse(&type, hf_buf_view(&text), &back, NULL), 0);
    ck_assert(json_equal(sample.tree, back.tree));
    ck_assert(back.wide == sample.wide && back.bits == sample.bits && back.narrow == 1000 && back.color == BLUE);
    ck_assert(back.flag && back.part.id == 7 && back.hours[2] == 3 && back.n_hashes == 2);
    ck_assert_str_eq(back.text, sample.text);
    ck_assert_str_eq(back.hash, sample.hash);
    ck_assert_str_eq(back.part.name, "x");
    ck_assert_str_eq(back.hashes[1], sample.hashes[1]);
    ck_assert_int_eq(hf_record_format(&type, &back, &again), 0);
    ck_assert_str_eq(hf_buf_str(&text), hf_buf_str(&again));
    hf_record_done(&type, &sample);
    hf_record_done(&type, &back);
    ck_assert_ptr_null(back.tree);
}
END_TEST

/* These bytes are on the disks of nodes. */
START_TEST(bytes_of_the_file)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096), small = HF_BUF_INIT(100);
    struct sample sample = {.text = "50%\xff", .narrow = 5};
    struct hf_view body;

    ck_assert_int_eq(hf_record_format(&type, &sample, &text), 0);
    ck_assert_int_eq(hf_seal_open(hf_buf_view(&text), "sample", 3, &body, NULL), 0);
    ck_assert_str_eq(body.p, "{\"wide\":0,\"narrow\":5,\"text\":\"50%25%ff\",\"hours\":[0,0,0]}");
    ck_assert_int_eq(hf_buf_add_str(&small, "before"), 0);
    ck_assert_int_eq(hf_record_format(&type, &sample, &small), -E2BIG);
    ck_assert_str_eq(hf_buf_str(&small), "before");
}
END_TEST

/* Any bytes come back: the header of a server need not be UTF-8. */
START_TEST(any_byte_is_safe)
{
    for (unsigned byte = 1; byte < 256; byte++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
        struct sample sample = {.text = {'a', (char)byte, 'b', (char)byte, 0}}, back;
        ck_assert_int_eq(hf_record_format(&type, &sample, &text), 0);
        ck_assert_int_eq(hf_record_parse(&type, hf_buf_view(&text), &back, NULL), 0);
        ck_assert_msg(strcmp(back.text, sample.text) == 0, "byte %u", byte);
    }
}
END_TEST

START_TEST(every_cut_and_every_flipped_bit)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    struct sample sample = full(), back;

    ck_assert_int_eq(hf_record_format(&type, &sample, &text), 0);
    for (size_t i = 0; i < text.n; i++) {
        ck_assert_int_eq(hf_record_parse(&type, (struct hf_view){text.p, i}, &back, NULL), -EBADMSG);
        for (unsigned bit = 0; bit < 8; bit++) {
            text.p[i] = (char)(text.p[i] ^ 1 << bit);
            int r = hf_record_parse(&type, hf_buf_view(&text), &back, NULL);
            ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP, "byte %zu, bit %u: %d", i, bit, r);
            ck_assert(back.wide == 0 && back.tree == NULL);
            text.p[i] = (char)(text.p[i] ^ 1 << bit);
        }
    }
    hf_record_done(&type, &sample);
}
END_TEST

#define MUST "\"wide\":1,\"hours\":[1,2,3]"
static const struct {
    const char *json;
    int r;
} bodies[] = {
    {"{" MUST "}", 0},
    {"{" MUST ",\"later\":[1]}", 0}, /* a later version has more */
    {"{\"hours\":[1,2,3]}", -EBADMSG},
    {"{\"wide\":1}", -EBADMSG},
    {"[]", -EBADMSG},
    {"{" MUST, -EBADMSG},
    {"{" MUST ",\"wide\":1}", -EBADMSG},
    {"{\"wide\":-1,\"hours\":[1,2,3]}", -EBADMSG},
    {"{\"wide\":1.0,\"hours\":[1,2,3]}", -EBADMSG},
    {"{\"wide\":9223372036854775808,\"hours\":[1,2,3]}", -EBADMSG},
    {"{\"wide\":1,\"hours\":[1,2]}", -EBADMSG},
    {"{\"wide\":1,\"hours\":[1,2,3,4]}", -EBADMSG},
    {"{\"wide\":1,\"hours\":[1,2,\"3\"]}", -EBADMSG},
    {"{\"wide\":1,\"hours\":{}}", -EBADMSG},
    {"{" MUST ",\"bits\":-1}", 0},
    {"{" MUST ",\"bits\":\"1\"}", -EBADMSG},
    {"{" MUST ",\"narrow\":1000}", 0},
    {"{" MUST ",\"narrow\":1001}", -EBADMSG},
    {"{" MUST ",\"narrow\":666}", -EBADMSG}, /* the type's own rule */
    {"{" MUST ",\"color\":\"Green\"}", 0},
    {"{" MUST ",\"color\":\"Mauve\"}", 0},
    {"{" MUST ",\"color\":1}", -EBADMSG},
    {"{" MUST ",\"flag\":1}", -EBADMSG},
    {"{" MUST ",\"flag\":null}", -EBADMSG},
    {"{" MUST ",\"text\":\"12345678901\"}", 0},
    {"{" MUST ",\"text\":\"123456789012\"}", -EBADMSG},
    {"{" MUST ",\"text\":\"%41%25\"}", 0},
    {"{" MUST ",\"text\":\"%\"}", -EBADMSG},
    {"{" MUST ",\"text\":\"%4\"}", -EBADMSG},
    {"{" MUST ",\"text\":\"%4G\"}", -EBADMSG},
    {"{" MUST ",\"text\":\"%00\"}", -EBADMSG},
    {"{" MUST ",\"text\":\"\\u0000\"}", -EBADMSG},
    {"{" MUST ",\"hash\":\"\"}", 0},
    {"{" MUST ",\"hash\":\"abc\"}", -EBADMSG},
    {"{" MUST ",\"hash\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", -EBADMSG},
    {"{" MUST ",\"tree\":null}", -EBADMSG},
    {"{" MUST ",\"part\":{\"id\":4,\"name\":\"n\"}}", 0},
    {"{" MUST ",\"tree\":[1],\"part\":{\"name\":\"n\"}}", -EBADMSG}, /* and the tree is freed */
    {"{" MUST ",\"part\":[]}", -EBADMSG},
    {"{" MUST ",\"hashes\":[\"\",\"\"]}", 0},
    {"{" MUST ",\"hashes\":[\"\",\"\",\"\"]}", -EBADMSG},
    {"{" MUST ",\"hashes\":[\"x\"]}", -EBADMSG},
};

START_TEST(body)
{
    struct sample back;

    ck_assert_msg(parse_json(bodies[_i].json, &back) == bodies[_i].r, "%s", bodies[_i].json);
    ck_assert(bodies[_i].r == 0 || (back.wide == 0 && back.tree == NULL));
    hf_record_done(&type, &back);
}
END_TEST

START_TEST(what_has_no_place_is_cut)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    struct sample sample = {.wide = UINT64_MAX}, back;

    ck_assert_int_eq(hf_record_format(&type, &sample, &text), 0);
    ck_assert_int_eq(hf_record_parse(&type, hf_buf_view(&text), &back, NULL), 0);
    ck_assert_uint_eq(back.wide, INT64_MAX);
    ck_assert_int_eq(parse_json("{" MUST ",\"color\":\"Mauve\"}", &back), 0);
    ck_assert_int_eq(back.color, RED);
}
END_TEST

START_TEST(files)
{
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);
    struct sample sample = {.wide = 5}, back;
    struct hf_err err = HF_ERR_INIT;
    struct stat st;

    hf_simfs_mkdir(sim, "/s", 0700);
    ck_assert_int_eq(hf_record_load(&type, fs, "/s/d", &back, &err), -ENOENT);
    ck_assert_int_eq(hf_record_save(&type, fs, "/s/d", &sample, &err), 0);
    hf_simfs_power_cut(sim, 1);
    ck_assert_int_eq(hf_record_load(&type, fs, "/s/d", &back, &err), 0);
    ck_assert_uint_eq(back.wide, 5);
    hf_simfs_set_unreadable(sim, "/s/d/sample", true);
    ck_assert_int_eq(hf_record_load(&type, fs, "/s/d", &back, &err), -EIO);
    hf_simfs_set_unreadable(sim, "/s/d/sample", false);
    ck_assert_int_eq(hf_record_load(&type, fs, "/s/d", &back, &err), 0);

    static const char *const damaged[] = {"", "rubbish\n", "holdfast-sample 4 abc\n{}", "holdfast-other 3 abc\n{}"};
    for (size_t i = 0; i < HF_LEN(damaged); i++) {
        hf_simfs_put(sim, "/s/d/sample", damaged[i], strlen(damaged[i]), 0600);
        ck_assert_int_eq(hf_record_load(&type, fs, "/s/d", &back, &err), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(err.where, "sample.damaged"));
        ck_assert(hf_simfs_stat(sim, "/s/d/sample.damaged", &st) && !hf_simfs_stat(sim, "/s/d/sample", &st));
    }
    /* The seal is right, and a field is not. */
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    ck_assert_int_eq(hf_seal_format("sample", 3, HF_VIEW("{\"wide\":-1}"), &text), 0);
    hf_simfs_put(sim, "/s/d/sample", text.p, text.n, 0600);
    ck_assert_int_eq(hf_record_load(&type, fs, "/s/d", &back, &err), -EBADMSG);
    ck_assert(!hf_simfs_stat(sim, "/s/d/sample", &st));
    ck_assert_uint_eq(hf_simfs_open_fds(sim), 0);
    hf_simfs_free(sim);
}
END_TEST

/* At whatever call the power fails, the file is the old one or the new one. */
START_TEST(power_cut)
{
    for (uint64_t n = 1;; n++) {
        struct hf_simfs *sim = hf_simfs_new();
        const struct hf_fs_ops *fs = hf_simfs_ops(sim);
        struct sample sample = {.wide = 5}, back;
        hf_simfs_mkdir(sim, "/s", 0700);
        ck_assert_int_eq(hf_record_save(&type, fs, "/s/d", &sample, NULL), 0);
        hf_simfs_stop_at(sim, n);
        sample.wide = 9;
        int r = hf_record_save(&type, fs, "/s/d", &sample, NULL);
        bool stopped = hf_simfs_stopped(sim);
        hf_simfs_power_cut(sim, n);
        ck_assert_int_eq(hf_record_load(&type, fs, "/s/d", &back, NULL), 0);
        ck_assert(back.wide == 9 || (r < 0 && back.wide == 5));
        hf_simfs_free(sim);
        if (!stopped)
            break;
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, bytes_of_the_file);
    tcase_add_test(tc, any_byte_is_safe);
    tcase_add_test(tc, every_cut_and_every_flipped_bit);
    tcase_add_loop_test(tc, body, 0, (int)HF_LEN(bodies));
    tcase_add_test(tc, what_has_no_place_is_cut);
    tcase_add_test(tc, files);
    tcase_add_test(tc, power_cut);
}
HF_TEST_MAIN("codec/record", cases)
